/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink behind values: links, addresses and default routes are dumped and watched, addresses are put and removed in
 * batches. It keeps no state but its two sockets; what is wanted and what is there is the caller's (kernel_state.h).
 * Only messages from the kernel itself count. Used by the kernel thread and by kernel_clean.c.
 */
#ifndef EVENKEEL_PLATFORM_NETLINK_H
#define EVENKEEL_PLATFORM_NETLINK_H

#include "config/network.h"

#define NETLINK_NAME_MAX 16 /* IFNAMSIZ */
#define NETLINK_ALIAS_MAX 160
#define NETLINK_PROTOCOL 18 /* marks what we put into the kernel; iproute2 shows it as "keepalived" */

struct netlink;

enum netlink_event_kind {
    NETLINK_LINK,      /* a link is there, or changed */
    NETLINK_LINK_GONE, /* `ifindex` */
    NETLINK_ADDRESS,   /* an address is there, or changed */
    NETLINK_ADDRESS_GONE,
    NETLINK_GATEWAY,        /* dump only: a default route over `ifindex` to `address`, of `metric` */
    NETLINK_ROUTE_CHANGED,  /* some default route changed: dump them again */
    NETLINK_POLICY_CHANGED, /* somebody else changed a route of a protocol that is watched, or a rule */
};

/* How an interface answers and asks by ARP (net.ipv4.conf.IF.*), and what it takes. */
struct netlink_arp {
    uint32_t ignore, announce, rp_filter; /* arp_ignore, arp_announce, rp_filter */
};

struct netlink_event {
    uint8_t kind; /* enum netlink_event_kind */
    int ifindex;
    char name[NETLINK_NAME_MAX];   /* LINK */
    uint32_t mtu;                  /* LINK */
    uint8_t mac[6];                /* LINK */
    bool admin_up;                 /* LINK */
    bool carrier;                  /* LINK */
    bool macvlan;                  /* LINK: it is one */
    bool private;                  /* LINK: ... in private mode */
    int lower;                     /* LINK: ifindex of the one it is on; 0: none in this namespace */
    struct netlink_arp arp;        /* LINK */
    char alias[NETLINK_ALIAS_MAX]; /* LINK: what was written on it */
    struct addr address;           /* ADDRESS, ADDRESS_GONE, GATEWAY */
    struct addr peer;              /* ADDRESS, ADDRESS_GONE: the other end's; none: there is no such */
    uint8_t prefix_length;         /* ADDRESS, ADDRESS_GONE */
    uint8_t protocol;              /* ADDRESS: who put it; 0: the kernel does not say */
    bool secondary;                /* ADDRESS: IPv4, not the first of its subnet */
    bool usable;                   /* ADDRESS: neither tentative nor found to be a duplicate */
    uint32_t metric;               /* GATEWAY */
};

typedef void netlink_sink(void *context, const struct netlink_event *event);

/* 0 or a negative errno. The watch begins here, so that nothing is lost between a dump and the events after it. */
int netlink_open(struct netlink **out);
void netlink_close(struct netlink *netlink);

/* Readable while events wait. */
int netlink_fd(const struct netlink *netlink);

/* Hands over all events that wait. 0, or -ENOBUFS: the kernel dropped some and everything must be dumped again. */
int netlink_read(struct netlink *netlink, netlink_sink *sink, void *context);

/* Dumps all links, then all addresses of both families. 0 or a negative errno (-EAGAIN: it kept changing meanwhile). */
int netlink_dump(struct netlink *netlink, netlink_sink *sink, void *context);

/* Dumps the default routes of the main table that have a gateway, both families. */
int netlink_dump_gateways(struct netlink *netlink, netlink_sink *sink, void *context);

/*
 * Beside default routes, NETLINK_POLICY_CHANGED is told of routes of these protocols and of all rules, unless we
 * changed them ourselves. Of IPv4 the kernel says nothing when routes go with a link or an address. 0 or a negative
 * errno.
 */
int netlink_watch_policy(struct netlink *netlink, const uint8_t *protocols, unsigned count);

#define NETLINK_ATTRIBUTES 48

/* A route or a rule as a dump has it; valid during the call it is handed to. */
struct netlink_policy {
    const struct rtmsg *route;       /* NULL: it is none */
    const struct fib_rule_hdr *rule; /* NULL: it is none */
    struct nlattr *attributes[NETLINK_ATTRIBUTES];
    uint32_t preference; /* of a rule */
};
typedef void netlink_policy_sink(void *context, const struct netlink_policy *policy);

/* Dumps the routes of one protocol, or all rules; both families. 0 or a negative errno. */
int netlink_dump_routes(struct netlink *netlink, uint8_t protocol, netlink_policy_sink *sink, void *context);
int netlink_dump_rules(struct netlink *netlink, netlink_policy_sink *sink, void *context);

/* It is this route (`hop_ifindexes` as in netlink_change), or rule. */
bool netlink_is_route(const struct netlink_policy *policy, const struct net_route *route, const int *hop_ifindexes);
bool netlink_is_rule(const struct netlink_policy *policy, const struct net_rule *rule);

enum netlink_change_kind {
    NETLINK_PUT_ADDRESS,
    NETLINK_REMOVE_ADDRESS,
    NETLINK_PUT_MAC, /* `mac` into the interface's unicast filter, as `bridge fdb add MAC dev IF self permanent` */
    NETLINK_REMOVE_MAC,
    /* arp_announce = 2 on the interface: ARP requests are sent from an address of the host's own where there is one,
     * whatever the source of the packet that waits for the answer */
    NETLINK_ANNOUNCE_OWN,
    NETLINK_PROMOTE, /* promote_secondaries = 1 on the interface */
    NETLINK_PUT_ROUTE,
    NETLINK_REMOVE_ROUTE,
    NETLINK_PUT_RULE,
    NETLINK_REMOVE_RULE,
    NETLINK_PUT_MACVLAN,  /* an interface `text` with `mac` on `ifindex`, in private mode, down */
    NETLINK_MARK_MACVLAN, /* alias `text`; arp_ignore and rp_filter as in `arp` */
    NETLINK_NO_AUTOCONF,  /* it gets no IPv6 address by itself (addr_gen_mode none) */
    NETLINK_OPEN_LINK,    /* up */
    NETLINK_SET_ARP,      /* arp_ignore and arp_announce as in `arp` */
    NETLINK_DOOM_LINK,    /* goes with the next NETLINK_REMOVE_DOOMED */
    /* All of them at once: one by one each would cost the kernel some 15 ms under RTNL. No ifindex. */
    NETLINK_REMOVE_DOOMED,
};

struct netlink_change {
    uint8_t kind; /* enum netlink_change_kind */
    uint8_t prefix_length;
    uint8_t mac[6];
    int ifindex;
    struct addr address;
    struct addr peer;                  /* REMOVE_ADDRESS: as it is there; none: it has none */
    const struct net_address *options; /* PUT_ADDRESS: NULL: as a pool's VIP, see below */
    const struct net_route *route;
    const int *hop_ifindexes; /* of the route: of each next hop's device; 0: it names none */
    const struct net_rule *rule;
    uint32_t preference; /* REMOVE_RULE: as it is there */
    const char *text;    /* PUT_MACVLAN, MARK_MACVLAN */
    struct netlink_arp arp;
    int error;         /* out: 0 or a positive errno; being there already, or gone already, is success */
    uint32_t sequence; /* out: of its message */
};

/*
 * Carries out `count` changes in their order, many messages to a system call. Returns 0 when each was tried, and its
 * `error` says how it went; a negative errno when the socket failed.
 *
 * IPv6 addresses are put without duplicate address detection (their owner is decided by VRRP, and a second of silence
 * at each take-over is what it would cost) and deprecated, so that the host does not take a VIP as the source of its
 * own connections. Host addresses (/128) bring no prefix route. Before IPv4 addresses are removed promote_secondaries
 * is set on their interface: else the kernel removes all other addresses of the subnet, the host's own too, along with
 * the first. An instance's addresses are as their options say; of IPv6 they are always put without duplicate address
 * detection, and host addresses without a lifetime deprecated, as in pools.
 */
int netlink_apply(struct netlink *netlink, struct netlink_change *changes, unsigned count);

#endif
