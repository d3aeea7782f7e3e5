/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration has beside its pools: virtual routers with a fixed priority (instances), groups of them that
 * move together, what is checked and who is told. The core's part of an instance is core/settings.h; this is the rest,
 * for the daemon and the platform. Filled in by the extension that reads such files; values are complete and resolved,
 * and live as long as the configuration.
 */
#ifndef EVENKEEL_CONFIG_INSTANCES_H
#define EVENKEEL_CONFIG_INSTANCES_H

#include "config/checks.h"
#include "config/network.h"
#include "core/effect.h"

/* Announcements at take-over (gratuitous ARP, unsolicited neighbour advertisements). */
struct config_garp {
    int32_t repeat;         /* >= 1 rounds at once */
    int64_t delay_us;       /* a second burst so long after; 0: none */
    int64_t refresh_us;     /* again every so long; 0: never */
    int32_t refresh_repeat; /* >= 1 */
    int32_t lower_repeat;   /* after a lower priority was heard; 0: none */
    int64_t lower_delay_us;
};

/* What an instance has that a pool's unit has not. */
struct config_router {
    bool accept;           /* false: packets to its addresses are dropped (ARP and neighbour discovery are answered) */
    bool use_vmac;         /* the virtual MAC answers for its addresses */
    bool vmac_xmit_base;   /* advertisements leave with the interface's own MAC */
    bool vmac_others;      /* the virtual MAC also for addresses on other links than its own */
    uint8_t vmac[6];       /* the virtual MAC */
    const char *vmac_name; /* of its interface on the instance's own link, should it need one; NULL: to be chosen */
    bool promote_secondaries; /* sysctl of its interface */
    int64_t lease_us;         /* FILTER_LEASE: so long after its last own advertisement it may answer; > 0 */
    struct config_garp garp;
    unsigned route_count; /* there while Active */
    const struct net_route *routes;
    unsigned rule_count;
    const struct net_rule *rules;
    unsigned tracker_count;
    const struct check_tracker *trackers;
    const struct check_notify *notify;
};

/* A sync group; its members are those instances whose core settings name its index. */
struct config_group {
    const char *name;
    unsigned tracker_count;
    const struct check_tracker *trackers;
    const struct check_notify *notify;
    bool tracking_weight; /* weighted trackers of the group change its members' priorities */
};

/* A command that is run once. */
struct config_hook {
    const struct check_command *command; /* NULL: none */
    int64_t timeout_us;                  /* > 0; then it is ended */
};

/* A pool's own trackers and commands, in step with config.pools (pools and sets). */
struct config_watch {
    unsigned tracker_count;
    const struct check_tracker *trackers; /* move the pool's share */
    const struct check_notify *notify;    /* NULL: nobody */
};

/* How fast instances may announce on a link. */
struct config_pace {
    int64_t arp_us; /* shortest time between two gratuitous ARPs; 0: as fast as we do */
    int64_t na_us;  /* between two neighbour advertisements */
};

/*
 * The words by which commands and FIFOs are told what happened; part of the extension, since others' scripts know them.
 * A command gets KIND NAME STATE PRIORITY as arguments; a FIFO the same as a line, with the name in quotes. An entry
 * that is NULL is not told.
 */
struct config_words {
    const char *instance, *group, *unit;          /* KIND; of a pool's unit NAME is POOL/ADDRESS */
    const char *states[INSTANCE_STATE_COUNT];     /* by enum instance_state; Initialize is not told */
    const char *deleted;                          /* instances: a reload removed it */
    const char *rx_lower;                         /* instances: Active, and a lower priority was heard */
    const char *priorities[INSTANCE_STATE_COUNT]; /* FIFO: the priority changed, in this state */
};

struct config_instances {
    unsigned group_count;
    const struct config_group *groups;
    unsigned script_count;
    const struct check_script *scripts; /* trackers point into these three */
    unsigned file_count;
    const struct check_file *files;
    unsigned process_count;
    const struct check_process *processes;
    unsigned static_address_count; /* static ones: there while the daemon runs, put back when removed */
    const struct net_address *static_addresses;
    unsigned static_route_count;
    const struct net_route *static_routes;
    unsigned static_rule_count;
    const struct net_rule *static_rules;
    unsigned fifo_count; /* at most 2; each gets a line for every change of state */
    const struct check_fifo *fifos[2];
    bool fifo_states_on_reload;
    struct config_hook startup, shutdown; /* before the first and after the last advertisement */
    const struct config_pace *paces;      /* in step with config.links */
    bool script_security;                 /* no command may run that somebody else than root could replace */
};

#endif
