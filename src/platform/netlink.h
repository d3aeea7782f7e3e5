/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink behind values: links, addresses and default routes are dumped and watched, addresses are put and removed in
 * batches. It keeps no state but its two sockets; what is wanted and what is there is the caller's (kernel_state.h).
 * Only messages from the kernel itself count. Used by the kernel thread and by kernel_clean().
 */
#ifndef EVENKEEL_PLATFORM_NETLINK_H
#define EVENKEEL_PLATFORM_NETLINK_H

#include "base/addr.h"

#define NETLINK_NAME_MAX 16 /* IFNAMSIZ */

struct netlink;

enum netlink_event_kind {
    NETLINK_LINK,          /* a link is there, or changed */
    NETLINK_LINK_GONE,     /* `ifindex` */
    NETLINK_ADDRESS,       /* an address is there, or changed */
    NETLINK_ADDRESS_GONE,
    NETLINK_GATEWAY,       /* dump only: a default route over `ifindex` to `address`, of `metric` */
    NETLINK_ROUTE_CHANGED, /* some default route changed: dump them again */
};

struct netlink_event {
    uint8_t kind; /* enum netlink_event_kind */
    int ifindex;
    char name[NETLINK_NAME_MAX]; /* LINK */
    uint32_t mtu;           /* LINK */
    uint8_t mac[6];         /* LINK */
    bool admin_up;          /* LINK */
    bool carrier;           /* LINK */
    struct addr address;    /* ADDRESS, ADDRESS_GONE, GATEWAY */
    uint8_t prefix_length;  /* ADDRESS, ADDRESS_GONE */
    bool secondary;         /* ADDRESS: IPv4, not the first of its subnet */
    bool usable;            /* ADDRESS: neither tentative nor found to be a duplicate */
    uint32_t metric;        /* GATEWAY */
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

enum netlink_change_kind {
    NETLINK_PUT_ADDRESS,
    NETLINK_REMOVE_ADDRESS,
    NETLINK_PUT_MAC,    /* `mac` into the interface's unicast filter, as `bridge fdb add MAC dev IF self permanent` */
    NETLINK_REMOVE_MAC,
    /* arp_announce = 2 on the interface: ARP requests are sent from an address of the host's own where there is one,
     * whatever the source of the packet that waits for the answer */
    NETLINK_ANNOUNCE_OWN,
};

struct netlink_change {
    uint8_t kind; /* enum netlink_change_kind */
    uint8_t prefix_length;
    uint8_t mac[6];
    int ifindex;
    struct addr address;
    int error; /* out: 0 or a positive errno; being there already, or gone already, is success */
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
 * the first.
 */
int netlink_apply(struct netlink *netlink, struct netlink_change *changes, unsigned count);

#endif
