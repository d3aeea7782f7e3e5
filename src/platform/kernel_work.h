/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel thread's work, without the thread: what is wanted, what is there, and one pass that brings them together.
 * Owned by one thread at a time; kernel.c hands orders in and takes reports out. Private to kernel*.c.
 */
#ifndef EVENKEEL_PLATFORM_KERNEL_WORK_H
#define EVENKEEL_PLATFORM_KERNEL_WORK_H

#include <stdatomic.h>

#include "platform/filter.h"
#include "platform/kernel.h"
#include "platform/kernel_macvlan.h"
#include "platform/kernel_policy.h"
#include "platform/kernel_state.h"
#include "platform/netlink.h"
#include "platform/realtime.h"

/* What a reload found granted: in force until the next advertisement after `spoke_us` has left. */
struct work_lease {
    bool set;
    int64_t spoke_us, lease_us;
};

struct work_unit {
    uint8_t wanted; /* enum unit_level */
    uint8_t pool;
    uint16_t unit;            /* within the pool */
    uint32_t sequence;        /* of the newest order */
    bool ordered;             /* ever: until then what an owner (255) has is left to it */
    bool owed;                /* a report about it is owed */
    int reported;             /* error that was reported for this order; 0: none yet */
    bool open;                /* its VIPs are in the table's held sets */
    bool macs_end;            /* a reload ends its virtual MACs, or changes them */
    bool opens;               /* in the transaction that is being made: they will be */
    struct addr self;         /* of a set: where its advertisements come from, as the table has it */
    struct work_lease before; /* of a set */
    unsigned first_vip, vip_count;
};

struct work_pool {
    enum filter_mode mode; /* in force; FILTER_AUTO until it is known */
    bool macvlan;          /* its virtual MACs are macvlan interfaces */
    char reason[128];
    unsigned first_unit, unit_count, first_vip, vip_count;
    bool installed;     /* the table is there and as we think */
    bool touched;       /* somebody else touched it */
    bool restored_owed; /* it was made anew after that, and must be reported */
    bool armed;
    bool arm_owed;   /* an order to arm waits */
    bool armed_owed; /* ... was carried out and must be reported */
    uint32_t arm_sequence;
    struct mono armed_at;
    int error; /* of the last transaction: 0 or a positive errno */
    bool held_back;
    struct addr self;                  /* as the table has it */
    struct work_lease before;          /* of the member's advertisements */
    int ifindexes[SETTINGS_LINKS_MAX]; /* of the links that the table has chains on; 0: none */
};

/* Whom the work tells. `report`: false when there is no memory, and then it is said again. `told`: after the last of
 * several reports. */
struct work_listener {
    bool (*report)(void *context, const struct kernel_report *report);
    void (*told)(void *context);
    void *context;
};

#define WORK_PRIORITY (REALTIME_PRIORITY - 1) /* of its thread, where the loop's is real-time (realtime.h) */

struct work {
    const struct config *config;
    struct netlink *netlink;
    struct filter *filter;
    struct filter_ability ability;
    struct state state;
    struct policy_state policy;
    struct macvlans macvlans;
    struct work_unit *units;
    unsigned unit_count;
    struct work_pool *pools;
    struct filter_unit *filter_units; /* in step with `units`; used of sets only */
    struct filter_vip *vips;          /* in step with state.vips */
    struct filter_vip *changed_vips;  /* of one transaction */
    struct netlink_change *changes;   /* of one slice */
    unsigned changes_capacity;
    unsigned *changes_of;
    int *mac_ifindexes;                 /* in step with state.vips: where its virtual MAC was put; 0: nowhere */
    int announcing[SETTINGS_LINKS_MAX]; /* ifindex of each link that announces itself by its own address; 0: no need */
    int promoting[SETTINGS_LINKS_MAX];  /* the same of those that promote secondary addresses because a file says so */
    struct kernel_link *views;          /* as last reported */
    bool *views_known;
    const atomic_llong *spoke_us;      /* of each pool; 0: never said */
    const atomic_llong *unit_spoke_us; /* of each unit, of sets only; NULL: nobody speaks */
    bool orders;                       /* new orders since the last pass */
    bool leaving;                      /* everything is to be removed */
    bool resync;                       /* all must be dumped again */
    bool overrun;                      /* to be reported */
    unsigned removed_count;            /* by work_leave() */
    bool failed, changed;              /* in this pass */
    struct mono retry_at;              /* failed changes are tried again */
    int64_t backoff_us;
    struct mono quiet_until; /* until then only orders are carried out */
    struct mono slice_at;    /* the next slice of address changes is due; MONO_NEVER: there is none */
    char stale[SETTINGS_POOLS_MAX * 2][SETTINGS_NAME_MAX]; /* pools that a reload has left behind: their tables go */
    unsigned stale_count;
    struct work_listener listener;
};

/* Opens the sockets. `number`: as filter_open(). 0 or a negative errno. `spoke_us`, `unit_spoke_us` and what the
 * listener needs must outlive the work. */
int work_init(struct work *work, const struct config *config, unsigned number, const atomic_llong *spoke_us,
              const atomic_llong *unit_spoke_us, struct work_listener listener);
void work_free(struct work *work);

/* Takes in what the kernel says; at first, all that there is. */
void work_read_news(struct work *work);
/* One pass: reads what the kernel says, carries out what is wanted, reports. Returns when the next one is due at the
 * latest. */
struct mono work_pass(struct work *work, struct mono now);

void work_order(struct work *work, unsigned unit, enum unit_level level, uint32_t sequence);
void work_arm(struct work *work, unsigned pool, uint32_t sequence);

/*
 * kernel_reload.c. work_prepare: memory for the work under the next configuration; the sockets are not opened.
 * work_drop: what that one has no place for shall go; work_is_dropped: it is gone. work_take_over: `to` goes on in the
 * place of `from`, of which only the memory is left.
 */
int work_prepare(struct work *work, const struct config *config);
void work_drop(struct work *work, const struct work *next, const struct handover *map);
bool work_is_dropped(const struct work *work);
void work_take_over(struct work *to, struct work *from, const struct handover *map);
void work_remove_stale(struct work *work);

/* Takes what netlink says of links and addresses up to now. */
void work_read_links(struct work *work);

/* Closes the filter of every pool. 1 when each has one and it is closed, else 0. */
int work_close(struct work *work);

/* Removes everything that is ours. 0, or a negative errno: some address would not go, and its pool's filter stays,
 * closed. */
int work_leave(struct work *work);

/* Pools, and sets after them. */
unsigned work_pool_count(const struct work *work);
bool work_is_set(const struct work *work, unsigned pool);

/* kernel_fill.c: units, pools and VIPs as the configuration has them; the arrays are there. */
void work_fill(struct work *work);
/* Some VIP of the pool is keyed by its link (filter.h). */
bool work_by_link(const struct work *work, unsigned pool);
/* Some VIP of the pool has a virtual MAC. */
bool work_wants_macs(const struct work *work, unsigned pool);
/* How the pool's virtual MACs are made here, once its filter is chosen. */
enum kernel_vmac work_vmac(const struct work *work, unsigned pool);

/* kernel_filter.c: brings the pool's table in line with `units` and with the VIPs that are in place. */
void work_filter_pool(struct work *work, unsigned pool, struct mono now);
void work_filter_choose(struct work *work, unsigned pool, struct mono now);
/* All VIPs of the unit that count for it are in place. */
bool work_unit_ready(const struct work *work, const struct work_unit *unit);
/* The VIP is more than the link-local address that goes with the unit's virtual MAC: the unit waits for it. */
bool work_vip_counts(const struct work *work, const struct work_unit *unit, unsigned vip);
/* Given up as far as anybody can tell: with the filter closed nobody gets an answer, whatever addresses are here. */
bool work_unit_closed(const struct work *work, const struct work_unit *unit);
/* The unit's addresses are on the interface whether it is held or not. */
bool work_pool_resident(const struct work *work, unsigned pool);

/* kernel_mac.c: virtual MACs in the interfaces' filters. `remove_all`: all that an earlier run may have left too. */
void work_macs(struct work *work, bool remove_all);

/* kernel_link.c: settings of interfaces that addresses on them need. */
void work_link_settings(struct work *work);

/* kernel_report.c: all that is owed to the loop after a pass. */
void work_reports(struct work *work);
/* In the middle of a pass, right after the filter has closed: who gave units up may say so before their addresses are
 * removed, which takes longer. */
void work_report_closed(struct work *work);

#endif
