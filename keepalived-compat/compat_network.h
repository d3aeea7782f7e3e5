/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's addresses, routes and policy rules. Part of compat.h, which says what holds for the whole model. Numbers
 * are rtnetlink's.
 */
#ifndef EVENKEEL_COMPAT_NETWORK_H
#define EVENKEEL_COMPAT_NETWORK_H

#include "base/addr.h"
#include "config/report.h"

#define COMPAT_UNSET (-1)            /* while a file is read; no value has it after a load */
#define COMPAT_LIFETIME_FOREVER (-1) /* preferred_lft */

/* --- addresses, routes, rules --- */

struct compat_address {
    struct place place;
    struct addr address;
    uint8_t prefix_length;   /* 32 or 128 when not given */
    const char *device;      /* never NULL: dev, else the instance's interface, else default_interface */
    struct addr broadcast;   /* FAMILY_NONE: none */
    bool broadcast_auto;     /* brd + : the highest of the network; prefix_length gives it */
    struct addr peer;        /* FAMILY_NONE: none */
    const char *label;       /* NULL: none */
    int32_t scope;           /* rtnetlink's: 0 global, 253 link, 254 host; default 0, IPv6 link-local 253 */
    int64_t preferred_lft_s; /* COMPAT_LIFETIME_FOREVER, or >= 0 */
    bool home, no_dad, manage_temporary, no_prefix_route, autojoin; /* IFA_F_* of the kernel */
    bool use_vmac; /* on the instance's virtual MAC interface although dev names another */
    bool no_track; /* its loss does not matter; else instance -> Backup and a new start */
};

struct compat_next_hop {
    struct addr via;    /* FAMILY_NONE: none */
    const char *device; /* NULL: by `via` */
    int32_t weight;     /* 1..256 */
    bool onlink;
};

/* A route's number that the kernel keeps as a metric; each 0 when not given. */
enum compat_metric {
    COMPAT_MTU,
    COMPAT_ADVMSS,
    COMPAT_RTT,
    COMPAT_RTTVAR,
    COMPAT_REORDERING,
    COMPAT_CWND,
    COMPAT_SSTHRESH,
    COMPAT_RTO_MIN,
    COMPAT_HOPLIMIT,
    COMPAT_WINDOW,
    COMPAT_INITCWND,
    COMPAT_INITRWND,
    COMPAT_QUICKACK,
    COMPAT_METRICS,
};

enum compat_route_type {
    COMPAT_UNICAST,
    COMPAT_LOCAL,
    COMPAT_BROADCAST,
    COMPAT_ANYCAST,
    COMPAT_MULTICAST,
    COMPAT_THROW,
    COMPAT_UNREACHABLE,
    COMPAT_PROHIBIT,
    COMPAT_BLACKHOLE,
};

struct compat_route {
    struct place place;
    uint8_t type;   /* enum compat_route_type */
    uint8_t family; /* enum family */
    struct addr to; /* FAMILY_NONE: default */
    uint8_t to_length;
    struct addr source; /* preferred source (src); FAMILY_NONE: none */
    unsigned hop_count; /* 0: none (blackhole and the like); 1: plain; more: multipath */
    struct compat_next_hop *hops;
    int64_t table;    /* 1..4294967295; 254 main */
    int64_t metric;   /* 0: not given */
    int32_t protocol; /* rtnetlink's; default 18, which is keepalived's own number */
    int32_t scope;    /* COMPAT_UNSET: the kernel's rule (link without a gateway, else global) */
    int32_t tos;
    int64_t metrics[COMPAT_METRICS];
    uint32_t locked; /* bit m: metric m must not be changed by the kernel */
    bool no_track;
};

enum compat_rule_action {
    COMPAT_LOOKUP, /* table */
    COMPAT_GOTO,   /* goto_preference */
    COMPAT_NOP,
    COMPAT_RULE_BLACKHOLE,
    COMPAT_RULE_UNREACHABLE,
    COMPAT_RULE_PROHIBIT,
};

struct compat_range {
    int64_t first, last; /* COMPAT_UNSET: not given */
};

struct compat_rule {
    struct place place;
    uint8_t action;       /* enum compat_rule_action */
    uint8_t family;       /* enum family */
    bool invert;          /* not */
    struct addr from, to; /* FAMILY_NONE: all */
    uint8_t from_length, to_length;
    int64_t table;                  /* of COMPAT_LOOKUP; 254 main */
    int64_t preference;             /* COMPAT_UNSET: the kernel chooses */
    int64_t goto_preference;        /* of COMPAT_GOTO */
    int32_t tos;                    /* 0: any */
    int64_t mark, mark_mask;        /* mask 0: any */
    const char *input, *output;     /* interfaces; NULL: any */
    int64_t suppress_prefix_length; /* COMPAT_UNSET: not given */
    int64_t suppress_group;
    struct compat_range uids, source_ports, destination_ports;
    int32_t ip_protocol; /* 0: any */
    int32_t protocol;    /* who added it; default 18 */
    bool l3mdev, no_track;
};

#endif
