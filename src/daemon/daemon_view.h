/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon shows of itself: one const value that status, counters, plan and history are built from. The main
 * loop owns everything it points to and keeps it valid until the next turn of the loop; readers (the *_json.c files)
 * copy what they need at once and keep no pointer.
 */
#ifndef EVENKEEL_DAEMON_DAEMON_VIEW_H
#define EVENKEEL_DAEMON_DAEMON_VIEW_H

#include "config/config.h"
#include "core/view.h"
#include "platform/kernel.h"

struct history;
struct track;
struct owner_changes;

/* The last time somebody else was seen answering (ARP, NA) for a unit of ours. */
struct daemon_conflict {
    struct mono last; /* MONO_NEVER: not seen yet */
    uint64_t count;
    uint8_t mac[6];      /* of the other */
    struct addr address; /* which VIP of the unit */
};

/* Another host that speaks VRRP from this host's own IPv4 address (rival.h). */
struct daemon_rival {
    struct mono until; /* it is taken to be there; 0: never seen */
    uint8_t mac[6];
    bool stronger; /* this host is the one to give way */
    bool yields;   /* it does */
};

/* The link's own MAC answers for a unit although it asks for a virtual one. */
struct daemon_own_mac {
    bool is;
    char text[128]; /* the virtual MAC's interface, and why it cannot be used */
};

struct daemon_pool_view {
    uint8_t filter_mode;                     /* enum filter_mode in force; FILTER_AUTO: not known yet */
    const char *filter_text;                 /* why it is that one (kernel_report.text); NULL: nothing to say */
    uint8_t vmac;                            /* enum kernel_vmac: how its virtual MACs are made */
    const struct daemon_own_mac *own_macs;   /* one per unit of the pool; NULL: no kernel works */
    const struct daemon_conflict *conflicts; /* one per unit of the pool; NULL: no audit runs */
    const struct owner_changes *changes;
    struct mono stalled_at; /* this host slept longer than its lease, and gave up what it held; valid with the next */
    int64_t stalled_us;     /* for how long it slept; 0: it has not */
};

/* A counter of the daemon itself (not of the core), by its stable lower-case name: "netlink_overruns". */
struct daemon_counter {
    const char *name;
    uint64_t value;
};

enum daemon_reload_state {
    DAEMON_RELOAD_NONE,      /* there was none yet */
    DAEMON_RELOAD_RUNNING,   /* the file is being read, or units that it has no place for are being released */
    DAEMON_RELOAD_DONE,      /* text: what is different */
    DAEMON_RELOAD_UNCHANGED, /* the file says what it said before */
    DAEMON_RELOAD_REFUSED,   /* it has errors; text: which */
    DAEMON_RELOAD_FAILED,    /* text: why */
    DAEMON_RELOAD_STATE_COUNT,
};

/* The last reload, by SIGHUP or by an operator. */
struct daemon_reload {
    uint64_t number;  /* of reloads that came to an end */
    uint8_t state;    /* enum daemon_reload_state */
    const char *text; /* lines; may be NULL */
};

struct daemon_view {
    const char *version; /* of the program, "1.0.0" */
    struct mono now;
    int64_t wall_us;     /* CLOCK_REALTIME at `now`, microseconds since 1970 */
    struct mono started; /* this process */
    const struct config *config;
    const struct core *core;
    const struct kernel_link *links;      /* config->core.link_count */
    const struct daemon_rival *rivals;    /* for each link; NULL: nobody looks for them */
    const struct daemon_pool_view *pools; /* of pools, then sets */
    const struct history *history;
    struct daemon_reload reload;
    const struct track *track;             /* what is tracked; NULL: nothing is */
    const struct daemon_counter *counters; /* may be NULL when counter_count is 0 */
    unsigned counter_count;
};

#endif
