/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel is known to have: the configuration's links, their own addresses and gateways, and which VIPs are in
 * place. Pure: netlink events go in, differences come out; no socket, clock or thread. Used by the kernel thread
 * (kernel_work.c), by kernel_clean.c, and by a unit test.
 *
 * Static addresses (config/instances.h) are VIPs that belong to no pool; since they are the host's own as well, they
 * may be its primary ones. Of those that somebody else put there nothing is ever removed.
 *
 * A VIP's `link` is the configuration's; its `place` is where the address is put: there, or on a macvlan interface on
 * it that carries the virtual MAC (kernel_macvlan.c), which is a link of its own here.
 *
 * Invariants (state_check): a VIP is `present` only in a place that is; a link is present exactly when its ifindex is
 * not 0; `order` names each VIP once, sorted by link and address.
 */
#ifndef EVENKEEL_PLATFORM_KERNEL_STATE_H
#define EVENKEEL_PLATFORM_KERNEL_STATE_H

#include "config/config.h"
#include "platform/kernel.h"
#include "platform/netlink.h"

#define STATE_NO_PREFIX UINT8_MAX
#define STATE_STATIC UINT8_MAX /* for a pool: the address belongs to none */

struct state_vip {
    struct addr address;
    uint8_t configured_prefix;
    uint8_t prefix_length;    /* the same, but for state_place */
    uint8_t stray_prefix;     /* the address is there with this other prefix length; STATE_NO_PREFIX: it is not */
    uint8_t misplaced_prefix; /* it is on `link` itself with this one, and its place is elsewhere; or STATE_NO_PREFIX */
    int stray_ifindex;        /* it is still on this interface, which was its link and has another name now; 0: no */
    uint16_t link, place;
    uint8_t pool; /* or STATE_STATIC */
    uint16_t unit;
    bool wanted;  /* set by the caller: the address shall be there */
    bool awaited; /* set by the caller: somebody waits for it to be as it is wanted */
    bool present;
    bool ours;                         /* put by us, as far as the kernel tells (Linux 5.18) */
    const struct net_address *options; /* NULL: a pool's */
    struct addr peer;                  /* while present: as it is there */
    bool lost;                         /* it was taken away while wanted */
    bool held_back;                    /* set by the caller: not to be tried now, since it failed a moment ago */
    bool dropped;                      /* set by the caller: a reload has no place for it, it shall go for good */
    int error;                         /* of the last change: 0 or a positive errno */
    int reported;                      /* of a static one: the last error that was reported */
};

struct state_address {
    struct addr address;
    uint8_t prefix_length;
    bool secondary, usable;
    bool seen; /* in the dump that is under way */
};

struct state_link {
    char name[CONFIG_INTERFACE_MAX];
    int ifindex; /* 0: not present */
    bool admin_up, carrier;
    uint32_t mtu;
    uint8_t mac[6];
    unsigned parent; /* the link that it is a macvlan interface on; itself: it is none of ours */
    struct netlink_arp arp;
    bool macvlan; /* it is one, whosever */
    bool seen;
    struct state_address *own; /* all addresses that are no VIP, in the order in which they appeared */
    unsigned own_count, own_capacity;
    struct addr gateway_ipv4, gateway_ipv6;
    uint32_t metric_ipv4, metric_ipv6;
};

struct state {
    struct state_link *links; /* the configuration's, others that static addresses and routes name, macvlans */
    unsigned link_count;
    struct state_vip *vips; /* pool after pool, unit after unit, as in the configuration */
    unsigned vip_count;
    unsigned *order;
    bool *seen;          /* of each VIP, in the dump that is under way */
    bool routes_changed; /* the default routes must be dumped again */
    bool only_ours;      /* set by the caller: what is not certainly ours is never removed */
    bool link_came;      /* so must links and addresses: one that was renamed brought addresses nobody speaks of */
};

/* The link of this name; link_count: there is none. */
unsigned state_link_named(const struct state *state, const char *name);

#define STATE_NO_LINK UINT32_MAX
#define STATE_CHANGES_MAX 4u /* that one VIP may need at once */

/* Of the links that can be added there is one for each VIP. Its index; STATE_NO_LINK: the name is taken. */
unsigned state_add_macvlan(struct state *state, unsigned parent, const char *name);
/*
 * The VIP's place is there from now on: its own link, or a macvlan on it. An address that stands elsewhere will be
 * removed. A link-local host address gets the prefix of all link-local ones on a macvlan, which has no other one to
 * bring a route for the answers.
 */
void state_place(struct state *state, unsigned vip, unsigned link);

/* 0 or -ENOMEM. */
int state_init(struct state *state, const struct config *config);
void state_free(struct state *state);

/* Takes one event; its context is the state. A netlink_sink. */
void state_event(void *state, const struct netlink_event *event);

/* Around a full dump: what it does not name is gone. */
void state_dump_begin(struct state *state);
void state_dump_end(struct state *state);

/* Before the default routes are dumped. */
void state_forget_gateways(struct state *state);

/* The link as the loop wants to see it. */
void state_link_view(const struct state *state, unsigned link, struct kernel_link *out);

/* May the VIP be configured now? IPv6 addresses cannot live on an interface that is administratively down. 0 or an
 * errno. */
int state_vip_obstacle(const struct state *state, const struct state_vip *vip);

enum state_part {
    STATE_AWAITED,    /* of the VIPs that are `awaited` */
    STATE_UNHURRIED,  /* of the others */
    STATE_REMOVE_ALL, /* the removal of every VIP wherever it is, wanted or not, held back or not */
};

/*
 * The first `max` changes that make the VIPs of that part `present` as they are `wanted`, removals first: at most four
 * for each VIP, into `changes` with the VIPs' indices in `of`. Returns their number.
 */
unsigned state_changes(const struct state *state, enum state_part part, struct netlink_change *changes, unsigned *of,
                       unsigned max);

/* Notes the outcome of one change of state_changes(). */
void state_changed(struct state *state, unsigned vip, const struct netlink_change *change);

/* `to`, just made, knows what `from` knows of the links and VIPs that both have; their own addresses move over. */
void state_take_over(struct state *to, struct state *from);
/* The VIP that is this address of this unit, or with STATE_STATIC this static address; or vip_count. */
unsigned state_find(const struct state *state, unsigned pool, unsigned unit, unsigned link, const struct addr *address);
/*
 * The VIP of an IPv4 pool that is the only IPv4 address of the pool's interface, and was not put there by us: the
 * host's own, since without one a pool cannot speak. NULL: there is none.
 */
const struct state_vip *state_find_own(const struct state *state, const struct config *config);
/* The VIP's address is also one on another link. */
bool state_elsewhere(const struct state *state, unsigned vip);

/* The order of VIPs: by link, then by address. */
int state_compare(unsigned link_a, const struct addr *a, unsigned link_b, const struct addr *b);

void state_check(const struct state *state);

#endif
