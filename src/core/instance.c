/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of one instance: what it is allowed, start, release, priority, stalls, the kernel's answers. */
#include "core/instance.h"

#include <string.h>

#include "base/check.h"

#define PRIORITY_HIGHEST 254 /* that trackers can reach; 255 never moves */

/* A Backup whose timer is noticed so late has slept, and what was sent meanwhile may be lost. */
#define SLEPT_US (500 * US_PER_MS)

struct effect *instance_note(const struct instance *i, enum note_kind kind, struct effects *fx)
{
    struct effect *note = effects_add(fx, EFFECT_NOTE, i->set->index, i->router.unit);
    note->note = (uint8_t)kind;
    return note;
}

void instance_clear_holder(struct instance *i)
{
    i->holder = i->runner_up = INSTANCE_NOBODY;
    i->preempt_at = MONO_NEVER;
}

void instance_init(struct instance *i, struct instance_set *set, unsigned unit, struct mono now)
{
    const struct unit_settings *u = &set->all->settings->pools[set->index].units[unit];
    const struct instance_settings *s = u->instance;
    CHECK(s != NULL);
    i->set = set;
    i->unit = u;
    i->settings = s;
    router_init(&i->router, set->index, unit, u->version, u->advert_interval_us);
    router_tune_opening(&i->router, u->advert_interval_us);
    i->router.silent = true;
    i->router.priority = s->priority;
    i->router.preempt = s->preempt;
    i->router.down_adverts = s->down_adverts;
    i->router.unicast = s->unicast;
    i->router.peer_count = s->peer_count;
    i->router.peers = s->peers;
    i->checksum_heard = WIRE_CHECKSUM_PLAIN;
    i->faults = s->unicast && s->fault_without_peer && s->peer_count == 0 ? INSTANCE_FAULT_PEERS : 0;
    i->state = INSTANCE_INITIALIZE;
    i->since = i->made = now;
    i->lease_base = i->lease_pending = i->last_sent = i->running_since = MONO_NEVER;
    instance_clear_holder(i);
}

static const struct instance_link *instance_link(const struct instance *i)
{
    return &i->set->all->links[i->unit->link];
}

/* What it would speak from now. */
static const struct addr *instance_source(const struct instance *i)
{
    const struct instance_link *link = instance_link(i);
    return unit_source(i->unit, i->unit->family == FAMILY_IPV4 ? &link->primary_ipv4 : &link->primary_ipv6);
}

/* --- what is told --- */

static enum reason instance_fault_reason(const struct instance *i)
{
    return (i->faults & INSTANCE_FAULT_LINK) != 0                              ? REASON_LINK_DOWN
           : (i->faults & (INSTANCE_FAULT_SOURCE | INSTANCE_FAULT_PEERS)) != 0 ? REASON_NO_ADDRESS
           : (i->faults & INSTANCE_FAULT_TRACKED) != 0                         ? REASON_TRACKED
           : (i->faults & INSTANCE_FAULT_GROUP) != 0                           ? REASON_GROUP
                                                                               : REASON_STARTUP;
}

/* What is tracked has no result yet. Who has started is not stopped for that. */
static bool instance_is_held(const struct instance *i)
{
    return !i->started && (i->held || (i->group != NULL && i->group->held));
}

/* Not before its link and what it tracks are known: until then it is neither well nor in Fault. */
static bool instance_may_run(const struct instance *i)
{
    return instance_link(i)->known && !instance_is_held(i) && (i->faults & INSTANCE_FAULTS_FATAL) == 0 &&
           !i->set->all->leaving && !i->retired;
}

static enum instance_state instance_visible_state(const struct instance *i)
{
    if (i->router.state == ROUTER_ACTIVE) {
        return INSTANCE_ACTIVE; /* also while it is being released */
    }
    if (i->set->all->leaving || i->retired) {
        return INSTANCE_STOPPED;
    }
    if ((i->faults & INSTANCE_FAULTS_FATAL) != 0 && instance_link(i)->known) {
        return INSTANCE_FAULT;
    }
    return i->router.state == ROUTER_BACKUP ? INSTANCE_BACKUP : INSTANCE_INITIALIZE;
}

static void instance_tell(struct instance *i, struct mono now, struct effects *fx)
{
    enum instance_state from = (enum instance_state)i->state, to = instance_visible_state(i);
    if (from == to) {
        return;
    }
    enum reason reason = to == INSTANCE_FAULT     ? instance_fault_reason(i)
                         : to == INSTANCE_STOPPED ? REASON_SHUTDOWN
                                                  : (enum reason)i->router.state_reason;
    i->counters.released += from == INSTANCE_ACTIVE;
    i->previous = (uint8_t)from;
    i->state = (uint8_t)to;
    i->last_reason = (uint8_t)reason;
    i->since = now;
    i->highest_other = 0;
    bool runs = to == INSTANCE_BACKUP || to == INSTANCE_ACTIVE;
    i->running_since = !runs ? MONO_NEVER : mono_is_never(i->running_since) ? now : i->running_since;
    struct effect *note = instance_note(i, NOTE_INSTANCE_STATE, fx);
    note->reason = (uint8_t)reason;
    note->from_state = (uint8_t)from;
    note->to_state = (uint8_t)to;
    note->to = to == INSTANCE_ACTIVE ? i->router.primary : i->holder.address;
    note->value = i->router.priority;
    if (!runs) { /* it does not listen: who has it from now on is not known here */
        instance_clear_holder(i);
        i->address_list_differs = false;
    }
}

/* RFC 9568 6.1: Skew_Time is a part of the interval that the Active uses; RFC 3768: of a second. */
static void instance_tune_skew(struct instance *i)
{
    struct router *r = &i->router;
    r->skew_interval_us = r->version == 2 ? US_PER_S : r->active_interval_us;
}

struct mono instance_lease_end(const struct instance *i)
{
    const struct router *r = &i->router;
    struct mono end = MONO_NEVER;
    if (r->state != ROUTER_ACTIVE || r->phase == PHASE_EMPTIED) {
        return end;
    }
    if (i->settings->lease_us > 0) {
        end = mono_add(i->lease_base, i->lease_us);
    }
    if (i->settings->late_us > 0) {
        end = mono_min(end, mono_add(r->adver, i->settings->late_us));
    }
    return end;
}

void instance_settle(struct instance *i, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    struct instance_set *set = i->set;
    instance_tune_skew(i);
    i->wants_active = i->wants_active && r->state == ROUTER_BACKUP;
    instance_tell(i, now, fx);
    if (i->sends_seen != r->adverts_sent + r->zero_sent) {
        i->sends_seen = r->adverts_sent + r->zero_sent;
        i->lease_pending = i->last_sent = now;
    }
    set->deadline = mono_min(set->deadline, instance_deadline(i));
    set->stall_bound = mono_min(set->stall_bound, instance_lease_end(i));
    group_mark(i);
}

/* --- what it is allowed --- */

static void instance_start(struct instance *i, enum reason reason, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    instance_clear_holder(i);
    i->wants_active = false;
    r->preempt = i->settings->preempt;
    router_start(r, instance_source(i), now, reason, fx);
    instance_tune_skew(i);
    bool first = !i->started;
    i->started = true;
    if (r->priority == VRRP_PRIORITY_OWNER && i->group == NULL) {
        router_take(r, reason, fx); /* RFC 9568 6.4.1 */
    } else if (first && i->settings->starts_active) {
        router_wait(r, now, i->unit->advert_interval_us);
    }
}

void instance_refresh(struct instance *i, enum reason reason, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    if (instance_may_run(i)) {
        if (r->state == ROUTER_INITIALIZE && mono_due(now, i->set->all->start_at)) {
            instance_start(i, reason, now, fx);
        }
    } else if (r->state == ROUTER_ACTIVE) {
        router_release(r, reason, true, fx); /* Initialize follows when nothing is here any more */
    } else if (r->state == ROUTER_BACKUP) {
        router_stop(r, reason, fx);
    }
    instance_settle(i, now, fx);
}

static void instance_set_fault(struct instance *i, enum instance_fault fault, bool on)
{
    i->faults = (uint8_t)(on ? i->faults | fault : i->faults & ~(unsigned)fault);
}

/* `source` is what it would speak from now. Before its link is known nothing is: the rest of its group would be in
 * Fault for it. */
static void instance_judge_source(struct instance *i, const struct addr *source)
{
    if (!instance_link(i)->known) {
        return;
    }
    bool gone = i->settings->track_source && i->no_source;
    instance_set_fault(i, INSTANCE_FAULT_SOURCE, gone || addr_is_none(source));
}

void instance_link_changed(struct instance *i, struct mono now, struct effects *fx)
{
    const struct addr *source = instance_source(i);
    struct router *r = &i->router;
    bool cut = instance_link(i)->closed || (!instance_link(i)->up && i->settings->track_link);
    bool moved = addr_is_none(source) || !addr_equal(source, &r->primary);
    instance_set_fault(i, INSTANCE_FAULT_LINK, cut);
    instance_judge_source(i, source);
    if (r->state != ROUTER_INITIALIZE && (cut || moved)) { /* nothing can be said any more, or not from there */
        router_stop(r, cut ? REASON_LINK_DOWN : REASON_NO_ADDRESS, fx);
    }
    instance_refresh(i, instance_fault_reason(i), now, fx);
}

void instance_track(struct instance *i, const struct event *event, struct effects *fx)
{
    i->weight = event->weight;
    i->no_source = event->no_source;
    i->held = event->hold;
    instance_set_fault(i, INSTANCE_FAULT_TRACKED, event->fault && !event->hold);
    instance_judge_source(i, instance_source(i));
    instance_refresh(i, REASON_TRACKED, event->now, fx);
    instance_apply_priority(i, event->now, fx);
}

void instance_group_fault(struct instance *i, bool fault, struct mono now, struct effects *fx)
{
    if (fault != ((i->faults & INSTANCE_FAULT_GROUP) != 0)) {
        instance_set_fault(i, INSTANCE_FAULT_GROUP, fault);
        instance_refresh(i, REASON_GROUP, now, fx);
    }
}

void instance_apply_priority(struct instance *i, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    int sum = i->settings->priority + i->weight + (i->group != NULL ? i->group->weight : 0);
    int priority = sum < 1 ? 1 : sum > PRIORITY_HIGHEST ? PRIORITY_HIGHEST : sum;
    if (i->settings->priority == VRRP_PRIORITY_OWNER) {
        priority = VRRP_PRIORITY_OWNER;
    }
    /* Two that claim at once are told apart by the priorities with which they claimed: later, in the tick. */
    if (priority == r->priority || r->phase == PHASE_CLAIMED) {
        return;
    }
    r->priority = (uint8_t)priority;
    instance_note(i, NOTE_PRIORITY, fx)->value = priority;
    if (router_is_settled_active(r)) {
        router_advertise(r, fx);
    }
    instance_settle(i, now, fx);
}

/* --- stalls --- */

void instance_give_up(struct instance *i, enum reason reason, struct mono now, struct effects *fx)
{
    i->wants_active = false;
    router_give_up(&i->router, now, router_silence_us(&i->router), reason, fx);
    instance_refresh(i, reason, now, fx);
}

bool instance_is_stalled(const struct instance *i, struct mono now)
{
#if EVENKEEL_CANARY == 3 /* a planted bug: whoever slept goes on as if nothing had happened */
    return false;
#endif
    return mono_after(now, instance_lease_end(i));
}

/* Others may have taken over meanwhile: Backup first, without a word; it listens and starts over. */
void instance_stalled(struct instance *i, struct mono now, struct effects *fx)
{
    i->counters.stalls++;
    instance_note(i, NOTE_STALLED, fx)->value = mono_diff_us(now, i->lease_base);
    instance_clear_holder(i);
    instance_give_up(i, REASON_STALL, now, fx);
}

static bool instance_has_slept(const struct instance *i, struct mono now)
{
    return mono_diff_us(now, router_down_deadline(&i->router)) > SLEPT_US;
}

/* --- the kernel's answers --- */

void instance_level_done(struct instance *i, uint32_t sequence, int error, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    enum router_state before = (enum router_state)r->state;
    if (sequence != r->sequence) {
        return; /* of a level that is no longer wanted */
    }
    if (r->level != LEVEL_ABSENT || error != 0) {
        instance_set_fault(i, INSTANCE_FAULT_KERNEL, error != 0);
        i->kernel_error = error;
    }
    router_level_done(r, sequence, error, now, fx);
    if (before == ROUTER_ACTIVE && r->state == ROUTER_BACKUP) { /* released, and said so */
        instance_clear_holder(i);
        router_wait(r, now, router_silence_us(r));
        instance_refresh(i, (enum reason)r->reason, now, fx);
    }
    instance_settle(i, now, fx);
}

/* --- the tick --- */

/*
 * RFC 9568 has the timer fire whatever a weaker Active does. But one that has fallen silent in between may hang, and
 * answer for as long as its lease lasts: it counts as any Active does, until it has missed its advertisements.
 */
static const struct instance_active *instance_may_hang(const struct instance *i, struct mono now)
{
    const struct instance_active *active = instance_find_active(i, now);
    return active != NULL && mono_diff_us(now, active->heard) > active->interval_us * 5 / 4 ? active : NULL;
}

static void instance_wait_for(struct instance *i, const struct instance_active *active)
{
    router_wait(&i->router, active->heard, i->settings->down_adverts * active->interval_us);
}

bool instance_defers(struct instance *i, struct mono now, struct effects *fx)
{
    const struct instance_active *hangs = instance_may_hang(i, now);
    if (hangs != NULL) {
        instance_give_up(i, REASON_HEARD, now, fx);
        instance_wait_for(i, hangs);
        instance_settle(i, now, fx);
    }
    return hangs != NULL;
}

void instance_claim(struct instance *i, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    if (r->reason == REASON_TIMEOUT && instance_find_active(i, now) != NULL) {
        r->reason = REASON_PREEMPTED; /* a weaker one was quicker, and has to go */
    }
    router_claim(r, now, fx);
    i->lease_base = now;
    i->lease_us = i->settings->lease_us;
    i->wants_active = false;
    i->counters.became_active++;
    i->counters.last_active_reason = r->reason;
    instance_clear_holder(i);
    instance_settle(i, now, fx);
}

/* Its Active_Down_Timer has fired. True: the router may act on it. */
static bool instance_silence_counts(struct instance *i, struct mono now)
{
    struct router *r = &i->router;
    if (instance_has_slept(i, now)) {
        i->counters.stalls++;
        router_wait(r, now, router_silence_us(r));
        return false;
    }
    const struct instance_active *hangs = instance_may_hang(i, now);
    if (hangs != NULL) {
        instance_wait_for(i, hangs);
        return false;
    }
    if (i->group != NULL) { /* it takes with the others */
        i->wants_active = true;
        r->down_base = MONO_NEVER;
        return false;
    }
    return true;
}

bool instance_is_fresh(const struct instance *i, const struct instance_active *active, struct mono now)
{
    return active->priority != 0 && mono_diff_us(now, active->heard) < i->settings->down_adverts * active->interval_us;
}

const struct instance_active *instance_find_active(const struct instance *i, struct mono now)
{
    return instance_is_fresh(i, &i->holder, now)      ? &i->holder
           : instance_is_fresh(i, &i->runner_up, now) ? &i->runner_up
                                                      : NULL;
}

void instance_take(struct instance *i, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    bool weaker = instance_find_active(i, now) != NULL; /* somebody is Active who could not keep us Backup */
    bool released = r->down_wait_us == 0;               /* its Active said so */
    enum reason reason = weaker ? REASON_PREEMPTED : released ? REASON_RELEASED : REASON_TIMEOUT;
    router_take(r, reason, fx);
    instance_settle(i, now, fx);
}

void instance_tick(struct instance *i, struct mono now, int64_t slack_us, struct effects *fx)
{
    struct router *r = &i->router;
    if (router_is_ready(r) && i->group == NULL) {
        if (!instance_defers(i, now, fx)) {
            instance_claim(i, now, fx);
        }
    } else if (r->state == ROUTER_INITIALIZE) {
        instance_refresh(i, REASON_STARTUP, now, fx); /* startup_delay is over */
    } else if (mono_due(now, router_down_deadline(r))) {
        if (instance_silence_counts(i, now)) {
            instance_take(i, now, fx);
        }
    } else {
        i->counters.asserted += mono_due(now, r->assert_at);
        router_tick(r, now, slack_us, fx);
    }
    instance_settle(i, now, fx);
    instance_apply_priority(i, now, fx);
}

struct mono instance_deadline(const struct instance *i)
{
    const struct router *r = &i->router;
    const struct instances *all = i->set->all;
    if (router_is_ready(r)) {
        return i->group == NULL ? all->stepped : MONO_NEVER; /* the group claims as one */
    }
    if (r->state == ROUTER_INITIALIZE) {
        return instance_may_run(i) ? all->start_at : MONO_NEVER;
    }
    return router_deadline(r);
}

bool instance_has_left(const struct instance *i)
{
    const struct router *r = &i->router;
    return r->state == ROUTER_INITIALIZE && r->level == LEVEL_ABSENT && r->sequence_done == r->sequence;
}
