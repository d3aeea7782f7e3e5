/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, routes and policy rules with all that rtnetlink lets one say of them; numbers are rtnetlink's. Values as a
 * load leaves them: complete and resolved. Texts and arrays live as long as the configuration.
 */
#ifndef EVENKEEL_CONFIG_NETWORK_H
#define EVENKEEL_CONFIG_NETWORK_H

#include "base/addr.h"
#include "config/place.h"

#define NET_UNSET (-1)            /* while a file is read; no value has it after a load */
#define NET_LIFETIME_FOREVER (-1) /* preferred_lft */

/* --- addresses, routes, rules --- */

struct net_address {
    struct place place;
    struct addr address;
    uint8_t prefix_length;   /* 32 or 128 when not given */
    const char *device;      /* never NULL: dev, else the instance's interface, else default_interface */
    struct addr broadcast;   /* FAMILY_NONE: none */
    bool broadcast_auto;     /* brd + : the highest of the network; prefix_length gives it */
    struct addr peer;        /* FAMILY_NONE: none */
    const char *label;       /* NULL: none */
    int32_t scope;           /* rtnetlink's: 0 global, 253 link, 254 host; default 0, IPv6 link-local 253 */
    int64_t preferred_lft_s; /* NET_LIFETIME_FOREVER, or >= 0 */
    bool home, no_dad, manage_temporary, no_prefix_route, autojoin; /* IFA_F_* of the kernel */
    bool use_vmac; /* on the instance's virtual MAC interface although dev names another */
    bool no_track; /* its loss does not matter; else instance -> Backup and a new start */
};

struct net_next_hop {
    struct addr via;    /* FAMILY_NONE: none */
    const char *device; /* NULL: by `via` */
    int32_t weight;     /* 1..256 */
    bool onlink;
};

/* A route's number that the kernel keeps as a metric; each 0 when not given. */
enum net_metric {
    NET_MTU,
    NET_ADVMSS,
    NET_RTT,
    NET_RTTVAR,
    NET_REORDERING,
    NET_CWND,
    NET_SSTHRESH,
    NET_RTO_MIN,
    NET_HOPLIMIT,
    NET_WINDOW,
    NET_INITCWND,
    NET_INITRWND,
    NET_QUICKACK,
    NET_METRICS,
};

enum net_route_type {
    NET_UNICAST,
    NET_LOCAL,
    NET_BROADCAST,
    NET_ANYCAST,
    NET_MULTICAST,
    NET_THROW,
    NET_UNREACHABLE,
    NET_PROHIBIT,
    NET_BLACKHOLE,
};

struct net_route {
    struct place place;
    uint8_t type;   /* enum net_route_type */
    uint8_t family; /* enum family */
    struct addr to; /* FAMILY_NONE: default */
    uint8_t to_length;
    struct addr source; /* preferred source (src); FAMILY_NONE: none */
    unsigned hop_count; /* 0: none (blackhole and the like); 1: plain; more: multipath */
    struct net_next_hop *hops;
    int64_t table;    /* 1..4294967295; 254 main */
    int64_t metric;   /* 0: not given */
    int32_t protocol; /* rtnetlink's; default 18, which is keepalived's own number */
    int32_t scope;    /* NET_UNSET: the kernel's rule (link without a gateway, else global) */
    int32_t tos;
    int64_t metrics[NET_METRICS];
    uint32_t locked; /* bit m: metric m must not be changed by the kernel */
    bool no_track;
};

enum net_rule_action {
    NET_LOOKUP, /* table */
    NET_GOTO,   /* goto_preference */
    NET_NOP,
    NET_RULE_BLACKHOLE,
    NET_RULE_UNREACHABLE,
    NET_RULE_PROHIBIT,
};

struct net_range {
    int64_t first, last; /* NET_UNSET: not given */
};

struct net_rule {
    struct place place;
    uint8_t action;       /* enum net_rule_action */
    uint8_t family;       /* enum family */
    bool invert;          /* not */
    struct addr from, to; /* FAMILY_NONE: all */
    uint8_t from_length, to_length;
    int64_t table;                  /* of NET_LOOKUP; 254 main */
    int64_t preference;             /* NET_UNSET: the kernel chooses */
    int64_t goto_preference;        /* of NET_GOTO */
    int32_t tos;                    /* 0: any */
    int64_t mark, mark_mask;        /* mask 0: any */
    const char *input, *output;     /* interfaces; NULL: any */
    int64_t suppress_prefix_length; /* NET_UNSET: not given */
    int64_t suppress_group;
    struct net_range uids, source_ports, destination_ports;
    int32_t ip_protocol; /* 0: any */
    int32_t protocol;    /* who added it; default 18 */
    bool l3mdev, no_track;
};

/* The kernel is asked for the same: the places and what only we look at may differ. */
bool net_same_address(const struct net_address *a, const struct net_address *b);
bool net_same_route(const struct net_route *a, const struct net_route *b);
bool net_same_rule(const struct net_rule *a, const struct net_rule *b);

#endif
