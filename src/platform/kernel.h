/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of ownership, on a thread of its own: addresses (netlink.h), the filter (filter.h), links. The loop
 * hands over wanted levels and gets reports back; it never waits, since RTNL can be held by others for seconds.
 *
 * The thread reconciles: wanted against actual, from every cause (new level, address removed by hand, interface deleted
 * and re-created, ruleset flushed, ENOBUFS resync) by the same code. It changes only addresses and tables that are
 * ours. A set of instances (core/settings.h) counts as one pool more.
 */
#ifndef EVENKEEL_PLATFORM_KERNEL_H
#define EVENKEEL_PLATFORM_KERNEL_H

#include "base/mono.h"
#include "config/config.h"
#include "core/effect.h"

#define KERNEL_TEXT_MAX 192

struct kernel;

enum kernel_report_kind {
    KERNEL_LEVEL_DONE, /* pool (or set), unit, sequence; error 0 or a positive errno */
    KERNEL_ARMED,      /* pool, sequence */
    KERNEL_LINK,       /* link: its state changed or is first known */
    /* pool, unit: an address that somebody removed was put back; unit EFFECT_NO_UNIT: the filter's table was */
    KERNEL_RESTORED,
    KERNEL_OVERRUN, /* the kernel dropped netlink messages; a full resync was made */
    KERNEL_FILTER,  /* pool: the filter in force is `filter_mode`, `text` says why; the first report of each pool */
    KERNEL_PAUSED,  /* kernel_pause: nothing is done and no report comes before kernel_go_on */
    /*
     * A route, a rule or a static address that `text` names, with its place in the file, could not be put (error) or is
     * there again after that or after somebody removed it (error 0). Of an instance: pool, unit; else unit
     * EFFECT_NO_UNIT. Nothing waits for it.
     */
    KERNEL_POLICY,
    /* pool, unit: its virtual MAC's interface, which `text` names with the reason, cannot be used (error), and the
     * link's own MAC answers; or it can again (error 0) */
    KERNEL_VMAC,
};

/* How virtual MACs are made. */
enum kernel_vmac {
    KERNEL_VMAC_NONE, /* nobody wants any */
    KERNEL_VMAC_FILTER,
    KERNEL_VMAC_MACVLAN, /* by interfaces of their own, since the filter has no egress hook, or is off */
};

struct kernel_link {
    bool present;
    bool up;     /* administratively up and with carrier */
    bool opened; /* administratively up: frames can be handed to it */
    int ifindex; /* 0 when not present */
    uint32_t mtu;
    uint8_t mac[6];
    struct addr primary_ipv4; /* first address that is no VIP of any pool */
    struct addr primary_ipv6; /* link-local, not tentative, no VIP */
    struct addr gateway_ipv4; /* of a default route over this link, or none */
    struct addr gateway_ipv6;
};

struct kernel_report {
    uint8_t kind; /* enum kernel_report_kind */
    uint8_t link;
    uint8_t pool;
    uint8_t filter_mode;
    uint8_t vmac; /* KERNEL_FILTER: enum kernel_vmac */
    uint16_t unit;
    int32_t error;
    uint32_t sequence;
    struct kernel_link state; /* KERNEL_LINK */
    char text[KERNEL_TEXT_MAX];
};

/*
 * Starts the thread. `config` must outlive it; `number`: as filter_open(). First removes what an earlier run left (all
 * VIPs of the configuration from its links), then installs the filter with everything closed, then reports filters and
 * links. 0 or a negative errno (-EPERM: CAP_NET_ADMIN is missing). No signal is ever delivered to the thread. Where the
 * caller has real-time priority, the thread gets one step less.
 */
int kernel_open(const struct config *config, unsigned number, struct kernel **out);

/* Queues a wanted level; only the newest per unit counts. Nothing happens before kernel_commit. */
void kernel_want(struct kernel *kernel, unsigned pool, unsigned unit, enum unit_level level, uint32_t sequence);
/* Queues the arming of the pool's lease (EFFECT_ARM). The units of a set have leases that begin when they open. */
void kernel_arm(struct kernel *kernel, unsigned pool, uint32_t sequence);
/* Hands everything queued to the thread as one batch. Never blocks on the kernel. */
void kernel_commit(struct kernel *kernel);

/*
 * Notes when the pool's member advertisement last left. When the filter must be made anew (somebody flushed the
 * ruleset, an interface was re-created), the lease gets only what is left since then, so that no lease grows longer by
 * that. Costs no system call. A pool of which this was never said gets the whole lease.
 */
void kernel_spoke(struct kernel *kernel, unsigned pool, struct mono when);
/*
 * The same for an instance's own advertisement (priority not 0). Its lease counts from there when it opens, too: a unit
 * of which this was said too long ago does not open before it is said again.
 */
void kernel_unit_spoke(struct kernel *kernel, unsigned pool, unsigned unit, struct mono when);

/*
 * A reload. kernel_prepare makes what needs memory: 0 or -ENOMEM; `next` and `map` are copied or must outlive it.
 * kernel_pause: the thread removes the addresses that `next` has no place for - of units and pools without a successor,
 * which must be LEVEL_ABSENT by then - and stops between two passes; KERNEL_PAUSED is its last report. kernel_go_on,
 * after that report only: indices are those of the next configuration from here on, units that go on stay as they are
 * (table by table replaced in one transaction), the lease becomes neither longer nor shorter. What was ordered and not
 * reported yet must be ordered again. It cannot fail, and `next` is used up.
 */
struct kernel_next;
int kernel_prepare(const struct config *next, const struct handover *map, struct kernel_next **out);
void kernel_unprepare(struct kernel_next *next); /* NULL is allowed; not after kernel_pause */
void kernel_pause(struct kernel *kernel, struct kernel_next *next);
void kernel_go_on(struct kernel *kernel);
/*
 * After kernel_pause, before or after its report: the reload is called off, since all is to be given up anyway. The
 * thread goes on with the old configuration, `next` is used up; what was removed for it stays away, and KERNEL_PAUSED
 * may come still.
 */
void kernel_resume(struct kernel *kernel);

/* Readable while reports wait. */
int kernel_fd(const struct kernel *kernel);
/* Takes the next report; false when there is none. */
bool kernel_next(struct kernel *kernel, struct kernel_report *report);

/*
 * Removes every VIP and the filter, stops the thread. Waits for at most `timeout_ms`; -ETIMEDOUT when the kernel was
 * stuck so long (the filter then stays, closed). Frees the handle in every case but that one.
 */
int kernel_close(struct kernel *kernel, unsigned timeout_ms);

/*
 * kernel_clean.c, for the guard, without a thread or an open handle: removes the configuration's VIPs from its links,
 * the routes, rules and static addresses that instances brought, and the tables, synchronously. In three steps, for who
 * wants to say in between that the addresses are free. The first closes the filters: 1 when every pool has one, so that
 * nobody gets an answer from here any more; 0 when some has none, and then the addresses must go before anything is
 * said; or a negative errno, with *rest NULL. The second removes addresses and tables (tens of milliseconds for
 * hundreds of them), and returns the number of addresses removed or a negative errno. The third closes the sockets,
 * which the kernel makes wait for the destruction of what was removed (20 to 30 ms were measured).
 */
struct kernel_rest;
int kernel_clean_begin(const struct config *config, unsigned number, struct kernel_rest **rest);
int kernel_clean_remove(struct kernel_rest *rest);
void kernel_clean_end(struct kernel_rest *rest);
/*
 * All of it for a configuration that was in force once: of addresses only those that carry our mark (Linux 5.18), since
 * the others may have become the host's own in the meantime. The number of addresses removed or a negative errno.
 */
int kernel_clean_marked(const struct config *config, unsigned number);
/*
 * Does a pool claim what is this host's own address, the only IPv4 one of its interface? Then it must not start: its
 * first act would be to take that away. 1 with the address and the interface's name; 0; or a negative errno.
 */
int kernel_find_own(const struct config *config, struct addr *address, const char **link);
/*
 * Removes the tables of pools and sets that `before` has and `now` has not: who died soon after a reload may not have
 * come to it, and they would go on dropping what those had. 0 or a negative errno.
 */
int kernel_clean_tables(const struct config *before, const struct config *now, unsigned number);

#endif
