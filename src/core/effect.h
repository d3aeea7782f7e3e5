/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core wants done. Effects come out of one core_step() in the order in which they must be carried out. They
 * name levels, not edges ("unit 12 answers", sequence 7): the shell may skip a level that a later one replaced.
 */
#ifndef EVENKEEL_CORE_EFFECT_H
#define EVENKEEL_CORE_EFFECT_H

#include "base/addr.h"
#include "base/mono.h"
#include "core/settings.h"

#define EFFECT_NO_UNIT UINT16_MAX
#define ANNOUNCE_AGAIN 1 /* EFFECT_ANNOUNCE's value: a reminder, since somebody weaker claims the unit too */

/* How far a unit's addresses are in place on this host; each level includes the ones before it. */
enum unit_level {
    LEVEL_ABSENT, /* no address of the unit here (address_mode add), the filter is closed for it */
    LEVEL_READY,  /* addresses configured, the filter still closed: nobody gets an answer (without a filter: they do) */
    LEVEL_ANSWERING, /* the filter is open */
};

enum effect_kind {
    EFFECT_LEVEL,    /* bring the unit to `level`; answer with EVENT_LEVEL_DONE carrying `sequence` */
    EFFECT_SEND,     /* send an advertisement: core_encode() makes the packet */
    EFFECT_ANNOUNCE, /* gratuitous ARP / unsolicited NA for all addresses of the unit: now once, then as configured;
                        `value` ANNOUNCE_AGAIN or 0 */
    EFFECT_PROBE,    /* ask third parties on the pool's link for an answer (EVENT_HEARD, or EVENT_PROBE_IMPOSSIBLE) */
    EFFECT_ARM,  /* the lease begins: this host was silent or new, and holds nothing on this pool; reply EVENT_ARMED */
    EFFECT_NOTE, /* something happened that people want to know: log, history, notify */
    EFFECT_LEFT, /* after EVENT_LEAVE: everything is removed and said; the shell may exit */
};

enum note_kind {
    NOTE_UNIT_STATE, /* this host's router of the unit changed: `from_state` -> `to_state` */
    NOTE_UNIT_OWNER, /* the unit's owner as this host sees it: `from` -> `to` (ADDR_NONE: nobody); value: gap in us or
                        -1 */
    NOTE_MEMBER_JOINED,     /* `to` is a member now; value: its share */
    NOTE_MEMBER_LEFT,       /* `from` said goodbye */
    NOTE_MEMBER_DEAD,       /* `from` was not heard for `value` us */
    NOTE_MEMBER_RESERVE,    /* `to` is a reserve now (starting or drained) */
    NOTE_MEMBER_ACTIVE,     /* `to` counts again; value: its share */
    NOTE_MEMBERS_FULL,      /* `from` would be a member, but the table is full */
    NOTE_MEMBER_VRID,       /* our own member VRID is now `value` */
    NOTE_CONTEST,           /* two owners: `from` also claims the unit that `to` holds */
    NOTE_ONE_WAY,           /* `from` ignores our assertions: a one-way fault between it and us */
    NOTE_ISOLATED,          /* this host hears nobody (value 0: deaf) or is not heard (value 1: mute) */
    NOTE_REJOINED,          /* no longer isolated */
    NOTE_STALLED,           /* this host slept for `value` us, longer than its lease: everything given up */
    NOTE_STRANGER,          /* `from`, no member, holds the unit */
    NOTE_ADDRESS_LIST,      /* `from` advertises the unit with another address list than ours */
    NOTE_MOVE_PASSED_OVER,  /* the planned move of the unit to `to` did not happen */
    NOTE_KERNEL_FAILED,     /* the unit could not be brought to its level; value: errno */
    NOTE_INTERVAL_DIFFERS,  /* `from` advertises another interval (value, us) than ours */
    NOTE_DUPLICATE_ADDRESS, /* somebody else uses our own primary address as its source */
    /* An instance: `from_state` -> `to_state` (enum instance_state); value: its priority; `to`: who is Active now, as
     * far as it is known. In place of NOTE_UNIT_STATE. */
    NOTE_INSTANCE_STATE,
    NOTE_GROUP_STATE, /* a sync group (its index is `value`): `from_state` -> `to_state` (enum instance_state) */
    NOTE_PRIORITY,    /* an instance's effective priority is now `value` */
    NOTE_WEAKER,      /* an instance is Active and heard the weaker `from` */
    NOTE_KIND_COUNT,
};

/* Why; also the `reason` of ownership changes in JSON and history. */
enum reason {
    REASON_NONE,
    REASON_STARTUP,
    REASON_TIMEOUT,     /* Active_Down_Timer: nobody was heard for the unit */
    REASON_MEMBER_DEAD, /* its owner was not heard any more */
    REASON_RELEASED,    /* its owner released it with priority 0 */
    REASON_STRONGER,    /* somebody stronger claims it */
    REASON_PREEMPTED,   /* we displaced a weaker stranger, or were displaced */
    REASON_REBALANCE,   /* planned move */
    REASON_PREFERRED,   /* the configuration prefers another member */
    REASON_OPERATOR,    /* take, release, drain */
    REASON_DRAIN,
    REASON_SHUTDOWN,
    REASON_LINK_DOWN,
    REASON_NO_ADDRESS, /* the interface has no primary address to speak from */
    REASON_STALL,
    REASON_ISOLATED,
    REASON_ONE_WAY,
    REASON_KERNEL,
    REASON_HEARD,   /* first heard */
    REASON_TRACKED, /* something that an instance tracks has failed, or works again */
    REASON_GROUP,   /* another member of its sync group */
    REASON_COUNT,
};

enum router_state {
    ROUTER_INITIALIZE,
    ROUTER_BACKUP,
    ROUTER_ACTIVE,
    ROUTER_STATE_COUNT,
};

/* An instance as people see it: a router's state, or why it has none. */
enum instance_state {
    INSTANCE_INITIALIZE, /* not started yet, or held by startup_delay */
    INSTANCE_BACKUP,
    INSTANCE_ACTIVE,
    INSTANCE_FAULT,   /* a link, an address or a check that it needs is missing */
    INSTANCE_STOPPED, /* the daemon leaves */
    INSTANCE_STATE_COUNT,
};

const char *instance_state_name(enum instance_state state); /* "Fault" */
const char *note_kind_name(enum note_kind kind);            /* "unit_state" */
const char *reason_name(enum reason reason);                /* "member_dead" */
const char *router_state_name(enum router_state state);     /* "Backup" */

struct effect {
    uint8_t kind;       /* enum effect_kind */
    uint8_t pool;       /* index */
    uint16_t unit;      /* index within the pool; EFFECT_NO_UNIT: the pool's member router, or not about a unit */
    uint8_t level;      /* EFFECT_LEVEL: enum unit_level */
    uint8_t priority;   /* EFFECT_SEND */
    uint8_t note;       /* EFFECT_NOTE: enum note_kind */
    uint8_t reason;     /* EFFECT_NOTE: enum reason */
    uint8_t from_state; /* EFFECT_NOTE, NOTE_UNIT_STATE: enum router_state */
    uint8_t to_state;
    uint32_t sequence; /* EFFECT_LEVEL, EFFECT_ARM */
    struct addr from;  /* EFFECT_NOTE */
    struct addr to;    /* EFFECT_NOTE; EFFECT_SEND of an instance: the unicast peer; none: the group */
    int64_t value;     /* EFFECT_NOTE: see the note */
};

/* The caller's buffer. The core never writes more than effects_capacity(settings) in one step. */
struct effects {
    struct effect *list;
    unsigned capacity;
    unsigned count;
};

/* A capacity that one step of a core with these settings cannot exceed. */
unsigned effects_capacity(const struct core_settings *settings);

/* Appends a zeroed effect of `kind` and returns it to be filled in. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind, unsigned pool, unsigned unit);

#endif
