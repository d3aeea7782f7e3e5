/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances: virtual routers with a fixed priority and no planner, RFC 9568 (RFC 3768 for version 2) with the
 * deviations that people may ask for. Internal to the core.
 *
 *   instance.c       the life of one: faults, start, release, priority, stalls, the kernel's answers, what is told
 *   instance_hear.c  packets: which instance they are for, what is refused and why, what they change
 *   instances.c      all of them: sets, the index by VRID, links, the tick, leaving, encoding
 *   group.c          sync groups
 *   handover_instances.c  going on with other settings
 *
 * The state machine itself is router.c's. As in pools, packets only change what is known, and timers fire in the tick.
 * Everything that may have moved a timer ends in instance_settle, which keeps the set's deadline a lower bound of its
 * instances' and tells what has changed; so a step that concerns one instance costs nothing for the others.
 */
#ifndef EVENKEEL_CORE_INSTANCE_H
#define EVENKEEL_CORE_INSTANCE_H

#include "core/core.h"
#include "core/router.h"
#include "core/view.h"

/* The faults in which an instance does not run. */
#define INSTANCE_FAULTS_FATAL                                                                                          \
    (INSTANCE_FAULT_LINK | INSTANCE_FAULT_SOURCE | INSTANCE_FAULT_TRACKED | INSTANCE_FAULT_PEERS | INSTANCE_FAULT_GROUP)

/* Another router that is Active, as heard. */
struct instance_active {
    uint8_t priority; /* 0: nobody */
    struct addr address;
    int64_t interval_us;
    struct mono heard;
};
#define INSTANCE_NOBODY ((struct instance_active){.heard = MONO_NEVER})

struct instance {
    struct router router;
    const struct unit_settings *unit;
    const struct instance_settings *settings;
    struct instance_set *set;
    struct group *group; /* NULL: none */
    struct instance_counters counters;

    /* What it is allowed. */
    uint8_t faults; /* enum instance_fault */
    bool no_source; /* told by EVENT_TRACK */
    bool held;      /* told by EVENT_TRACK: what is tracked has no result yet, so it does not start */
    bool started;   /* ever: starts_active is for the first time */
    bool retired;   /* the file does not have it any more */
    int16_t weight;
    int32_t kernel_error;

    /* Who is Active, as heard; this host's own state is the router's. */
    struct instance_active holder;
    struct instance_active runner_up; /* weaker, and claims it since the holder was last heard */
    uint8_t highest_other;
    uint8_t checksum_heard; /* enum wire_checksum: the form last heard (checksum auto) */
    bool address_list_differs;
    struct addr address_list_from;
    uint8_t refused_why;      /* enum instance_refusal of the last one that shows a difference between hosts */
    struct addr refused_from; /* none: there was none */
    struct mono refused_at;
    struct addr list_checked;  /* skip_check_addresses: whose list was compared last */
    int64_t interval_noted_us; /* the foreign interval that was told; 0: none */
    struct mono preempt_at;    /* preempt_delay runs until then; never: it does not run */
    bool wants_active;         /* in a group: silence has lasted, the other members are waited for */

    /* The lease, as pools have it: from the last own advertisement that is known to have left. */
    struct mono lease_base;
    int64_t lease_us;          /* ... lasts so long: what was granted then; the settings may say another now */
    struct mono lease_pending; /* an advertisement was decided then and is unconfirmed; never: none is */

    /* What was told. */
    uint8_t state; /* enum instance_state */
    uint8_t last_reason;
    uint8_t previous;    /* enum instance_state before */
    uint64_t sends_seen; /* the router's count when last looked at */
    struct mono last_sent;
    struct mono weaker_told;
    struct mono since;
    struct mono running_since;
    struct mono made; /* its counters began */
};

struct instance_set {
    uint8_t index; /* of effects and events */
    uint16_t count;
    struct instance *list;
    struct instances *all;
    struct mono deadline;    /* no timer fires before: a lower bound, exact after each tick */
    struct mono stall_bound; /* nobody's lease ends before */
};

/*
 * A sync group: its members are Active together or not at all. All that it does is derived from its members' levels,
 * in the tick after any of them changed.
 */
struct group {
    uint16_t index;
    uint16_t member_count;
    struct instance **members;
    bool changed;
    bool claimed; /* somebody weaker claims one of them too: caches may point there, and for the others likewise */
    bool fault;   /* EVENT_TRACK */
    bool held;    /* EVENT_TRACK: no result yet, so nobody who has not started does */
    int16_t weight;
    uint8_t state; /* enum instance_state as told */
    struct mono since;
};

struct instance_key {
    uint32_t key; /* link, family, VRID */
    struct instance *instance;
};

struct instance_link {
    bool known; /* EVENT_LINK has come */
    bool up, closed;
    struct addr primary_ipv4, primary_ipv6;
};

struct instances {
    const struct core_settings *settings;
    unsigned set_count, group_count, count;
    struct instance_set *sets;
    struct group *groups;
    struct instance_key *keys; /* `count` of them, sorted */
    struct instance_link links[SETTINGS_LINKS_MAX];
    bool groups_changed;  /* some group's `changed` is set */
    bool any_destination; /* some instance expects packets to another destination than the group */
    bool leaving;
    struct mono start_at; /* held until then */
    struct mono stepped;  /* the last step */
};

/* instances.c */
struct instances_storage {
    struct instance_set *sets;
    struct instance *list;
    struct group *groups;
    struct instance **members;
    struct instance_key *keys;
};
/* The storage is the caller's, zeroed; `now` is the start. */
void instances_init(struct instances *all, const struct core_settings *settings,
                    const struct instances_storage *storage, struct mono now);
void instances_link(struct instances *all, const struct event *event, struct effects *fx);
void instances_check_stall(struct instances *all, struct mono now, struct effects *fx);
enum core_result instances_dispatch(struct instances *all, const struct event *event, struct effects *fx);
void instances_tick(struct instances *all, struct mono now, struct effects *fx);
void instances_leave(struct instances *all, struct mono now, struct effects *fx);
bool instances_have_left(const struct instances *all);
struct mono instances_deadline(const struct instances *all);
size_t instances_encode(const struct instances *all, const struct effect *effect, uint8_t *packet, size_t capacity);
void instances_check(const struct instances *all);
struct instance *instances_get(const struct instances *all, unsigned set, unsigned unit);

/* instance_hear.c */
uint32_t instance_key(unsigned link, unsigned family, unsigned vrid);
/* True when some instance on the link takes packets to that destination, which is not the group of the RFC. */
bool instances_expect(const struct instances *all, unsigned link, const struct addr *destination);
/* A packet that the codec accepted; false: no instance has its VRID. */
bool instances_hear(struct instances *all, unsigned link, const struct advert *advert, struct mono received,
                    struct mono now, struct effects *fx);
/* A packet that the codec refused: told to the instance whose VRID it carries. */
/* Whether an advertisement without addresses is right: it is for an instance that has none (keepalived's
 * no_virtual_ipaddress), which elects an Active for its commands or routes. */
bool instances_want_none(const struct instances *all, unsigned link, const struct advert *advert);
void instances_refused(struct instances *all, unsigned link, const struct advert *advert, enum wire_result result);

/* instance.c */
void instance_init(struct instance *i, struct instance_set *set, unsigned unit, struct mono now);
void instance_link_changed(struct instance *i, struct mono now, struct effects *fx);
/* Brings it to what its faults, its group and the daemon's life allow, now. */
void instance_refresh(struct instance *i, enum reason reason, struct mono now, struct effects *fx);
void instance_track(struct instance *i, const struct event *event, struct effects *fx);
/* Another member of its group has a fault, or its group itself; or not any more. */
void instance_group_fault(struct instance *i, bool fault, struct mono now, struct effects *fx);
/* After anything that may have changed its state, its timers or what it sent. */
void instance_settle(struct instance *i, struct mono now, struct effects *fx);
void instance_apply_priority(struct instance *i, struct mono now, struct effects *fx);
/* Its time has come: -> Active, once the kernel has its addresses. Only in Backup. */
void instance_take(struct instance *i, struct mono now, struct effects *fx);
/* Ready, but an Active fell silent while the addresses were put in place, and may hang: it goes back to waiting for
 * that one, and the answer is true. */
bool instance_defers(struct instance *i, struct mono now, struct effects *fx);
/* Its addresses are in place: says so, and opens a moment later. */
void instance_claim(struct instance *i, struct mono now, struct effects *fx);
void instance_give_up(struct instance *i, enum reason reason, struct mono now, struct effects *fx);
bool instance_is_stalled(const struct instance *i, struct mono now);
void instance_stalled(struct instance *i, struct mono now, struct effects *fx);
void instance_level_done(struct instance *i, uint32_t sequence, int error, struct mono now, struct effects *fx);
void instance_tick(struct instance *i, struct mono now, int64_t slack_us, struct effects *fx);
struct mono instance_deadline(const struct instance *i);
struct mono instance_lease_end(const struct instance *i); /* it is stalled after that */
bool instance_has_left(const struct instance *i);
/* Who is Active, heard within its Active_Down_Interval; NULL: nobody. */
const struct instance_active *instance_find_active(const struct instance *i, struct mono now);
bool instance_is_fresh(const struct instance *i, const struct instance_active *active, struct mono now);
void instance_clear_holder(struct instance *i);
struct effect *instance_note(const struct instance *i, enum note_kind kind, struct effects *fx);

/* handover_instances.c */
void instances_retire(struct instances *all, const struct event *event, struct effects *fx);
bool instances_are_retired(const struct instances *all);
void instances_take_over(struct instances *to, const struct instances *from, const struct handover *map,
                         struct mono now, struct effects *fx);
void instances_ask_again(const struct instances *all, struct effects *fx);

/* group.c */
void group_tick(struct group *g, struct mono now, struct effects *fx);
void group_mark(struct instance *i); /* it changed: its group, if any, has a look in the tick */

#endif
