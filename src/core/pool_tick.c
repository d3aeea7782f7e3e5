/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool's tick: whatever time and the packets heard before it have made due, in the order in which it must happen. */
#include "base/check.h"
#include "core/pool.h"

#define COALESCE_MAX_US (4 * US_PER_MS)

static const struct addr no_address;

/*
 * What this host held before it started or stalled is gone: goodbye, so that the others take it over at once instead of
 * waiting for the units' timers. Only when nothing is left here; the member advertisement that follows makes us a
 * newcomer.
 */
static void pool_say_gone(struct pool *p, struct mono now, struct effects *fx)
{
    if (!p->say_gone || !pool_is_wire_emptied(p)) {
        return;
    }
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        struct pool *q = &p->pools[i];
        if (pool_is_on_same_wire(p, q) && q->say_gone) {
            q->say_gone = false;
            if (q->armed && pool_slept_since_arming(q, now)) {
                pool_arm(q, now, fx);
            }
            q->member_adver = q->lease_base = now;
        }
    }
    effects_add(fx, EFFECT_SEND, p->index, EFFECT_NO_UNIT)->priority = VRRP_PRIORITY_RELEASE;
}

/* Who dies together is judged together, a few milliseconds early, so that all plan on the same survivors. (Its lease
 * has ended long before: 2.5 of 3 intervals.) */
static bool pool_is_dead(const struct member *m, struct mono now)
{
    return member_is_alive(m) && mono_due(mono_add(now, m->interval_us / 16), member_dead_deadline(m));
}

static void pool_judge_members(struct pool *p, struct mono now, struct effects *fx)
{
    bool any_due = false, others = false;
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        struct member *m = &p->members.list[i];
        any_due |= member_is_alive(m) && mono_due(now, member_dead_deadline(m));
        others |= member_is_alive(m) && !pool_is_dead(m, now);
    }
    if (!any_due) {
        return;
    }
    if (!others || isolation_is_silent(p, now)) {
        isolation_judge(p, now, fx);
    }
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        if (pool_is_dead(&p->members.list[i], now)) {
            pool_member_gone(p, &p->members.list[i], MEMBER_DEAD, now, fx);
        }
    }
}

static bool pool_is_candidate(const struct pool *p, const struct unit *u)
{
    return pool_may_hold(p, u) && !addr_equal(&u->released_by, &p->primary);
}

/* The member that may hold the unit and be silent about it: its holder, or who held it, was taken for dead and is back.
 */
static const struct member *pool_silent_owner(struct pool *p, const struct unit *u, bool *spoke_without_it)
{
    const struct member *m = NULL;
    *spoke_without_it = false;
    if (u->holder_kind == HOLDER_MEMBER) {
        m = members_find(&p->members, &u->holder);
        *spoke_without_it = mono_diff_us(m->last_heard, u->holder_heard) > 3 * u->holder_interval_us;
    } else if (u->owner_returned) {
        m = members_find(&p->members, &u->owner);
        *spoke_without_it = m != NULL && mono_diff_us(m->last_heard, m->since) >= p->settings->advert_interval_us;
    }
    return m != NULL && member_is_alive(m) ? m : NULL;
}

/* Its turn comes later. False: the time has come. */
static bool unit_waits_until(struct unit *u, struct mono until, struct mono now)
{
    if (mono_due(now, until)) {
        return false;
    }
    router_postpone(&u->router, until);
    return true;
}

/*
 * The unit fell silent, but was its owner, a member, heard since long enough to have advertised it? Then it does not
 * hold it any more, but another claimant may. Else it may have died an instant ago, and its lease may last for a while:
 * wait until the member counts as dead.
 */
static bool pool_owner_may_answer(struct pool *p, struct unit *u, struct mono now)
{
    bool spoke_without_it;
    const struct member *m = pool_silent_owner(p, u, &spoke_without_it);
    if (m != NULL && !spoke_without_it) {
        router_wait(&u->router, m->last_heard, 3 * m->interval_us);
        return true;
    }
    struct mono until = u->holder_kind == HOLDER_NONE ? now : contest_claimed_until(p, u, now);
    return unit_waits_until(u, until, now);
}

/*
 * This host could not hear for a while, and does not know who holds the unit. Whoever lives has been told of it by now
 * (2.4 e), and has it spoken since? Then it would have said so. Else it may hang: wait for its word, or its death. (One
 * that comes and goes does not hold that up for ever.)
 */
static bool pool_somebody_may_hold(struct pool *p, struct unit *u, struct mono now)
{
    const struct pool_settings *s = p->settings;
    bool greeted = p->members.list[MEMBER_SELF].share != MEMBER_SHARE_RESERVE;
    int64_t greeting_us = (greeted ? s->member_interval_us : s->advert_interval_us) + POOL_CROSSING_US;
    struct mono until = now, latest = mono_add(p->rejoined, 3 * s->member_interval_us);
    if (!u->unwatched || u->holder_kind != HOLDER_NONE) {
        return false;
    }
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        const struct member *m = &p->members.list[i];
        struct mono told = mono_add(mono_min(mono_max(m->since, p->rejoined), latest), greeting_us);
        if (member_is_alive(m) && !mono_after(m->last_heard, told)) {
            struct mono word = mono_add(told, m->interval_us);
            until = mono_max(until, mono_due(now, word) ? member_dead_deadline(m) : word);
        }
    }
    return unit_waits_until(u, until, now);
}

/* Timers of units that this host may not take are switched off when they fire, and on again when it may. */
static void pool_gate_timer(struct pool *p, struct unit *u, struct mono now)
{
    struct router *r = &u->router;
    if (r->state != ROUTER_BACKUP || r->phase != PHASE_SETTLED) {
        return;
    }
    if (mono_due(now, u->released_until)) {
        u->released_by = no_address; /* nobody wanted it */
        u->released_until = MONO_NEVER;
        p->changed |= p->leaving; /* and the next batch waits for it no longer */
    }
    bool candidate = pool_is_candidate(p, u), fires = mono_due(now, router_down_deadline(r));
    struct mono earliest = mono_max(u->quiet_until, u->elsewhere_until);
    if (fires && unit_waits_until(u, u->rank > 0 ? mono_max(earliest, u->patient_until) : earliest, now)) {
        return;
    }
    if (mono_is_never(r->down_base)) {
        if (candidate) {
            bool vacant = !mono_is_never(u->vacant_since) && u->holder_kind == HOLDER_NONE;
            router_wait(r, now, vacant ? 0 : router_silence_us(r));
            p->changed = true;
        }
    } else if (fires && !pool_owner_may_answer(p, u, now) && !pool_somebody_may_hold(p, u, now) && !candidate) {
        r->down_base = MONO_NEVER;
    }
}

static bool pool_advert_is_due(const struct pool *p, struct mono now)
{
    if (mono_due(now, p->member_adver)) {
        return true;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        if (mono_due(now, p->units[i].router.adver)) {
            return true;
        }
    }
    return false;
}

static void pool_send_member_advert(struct pool *p, struct mono now, struct effects *fx)
{
    effects_add(fx, EFFECT_SEND, p->index, EFFECT_NO_UNIT)->priority = pool_advertised_share(p, now);
    p->counters.member_adverts_sent++;
    p->lease_pending = now;
    p->member_adver = mono_add(p->member_adver, p->settings->member_interval_us);
    if (mono_due(now, p->member_adver)) {
        p->member_adver = mono_add(now, p->settings->member_interval_us);
    }
}

/*
 * A new owner says so again at the members' pace: a claim that was lost, or two claims on the two sides of a short
 * partition, are then settled within a member interval, not within the unit's own, slower one.
 */
static void pool_repeat_claim(struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    if (u->repeats_left == 0 || !mono_due(now, u->repeat_next)) {
        return;
    }
    u->repeats_left--;
    u->repeat_next = mono_add(now, p->settings->member_interval_us);
    if (router_is_settled_active(r) && members_count_alive(&p->members) > 1) {
        router_advertise(r, fx);
    } else {
        u->repeats_left = 0;
    }
}

/* Whoever holds it now may wait for our word. (Not when that one is gone: we may claim it again next.) */
static bool pool_word_is_due(const struct unit *u)
{
    const struct router *r = &u->router;
    return u->owes_word && u->holder_kind != HOLDER_NONE && r->state == ROUTER_BACKUP && r->phase == PHASE_SETTLED &&
           router_is_empty(r);
}

static void pool_tick_units(struct pool *p, struct mono now, int64_t slack_us, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        struct router *r = &u->router;
        bool was_claimed = r->phase == PHASE_CLAIMED;
        if (pool_word_is_due(u)) {
            pool_say_closed(p, u, now, fx);
        }
        pool_gate_timer(p, u, now);
        if (was_claimed) {
            router_hold(r, contest_open_after(p, u));
        }
        if (router_is_ready(r)) {
            pool_claim(p, u, now, fx);
            continue;
        }
        bool foreign = u->holder_kind == HOLDER_STRANGER;
        bool fresh = foreign && mono_diff_us(now, u->holder_heard) < 3 * u->holder_interval_us;
        u->counters.asserted += mono_due(now, r->assert_at);
        router_tick(r, now, slack_us, fx);
        if (r->phase == PHASE_TAKING && fresh && r->reason == REASON_TIMEOUT) {
            r->reason = REASON_PREEMPTED;
        }
        p->changed |= was_claimed && r->phase != PHASE_CLAIMED;
        pool_repeat_claim(p, u, now, fx);
    }
}

/* 2.4 e: the newcomer learns all owners, and contests end, without waiting for the units' slower intervals. */
static void pool_greet(struct pool *p, struct mono now, struct effects *fx)
{
    if (!p->greet || mono_diff_us(now, p->last_greeting) < p->settings->member_interval_us / 2) {
        return;
    }
    p->greet = false;
    p->last_greeting = now;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct router *r = &p->units[i].router;
        if (r->state == ROUTER_ACTIVE && r->phase != PHASE_EMPTIED) {
            router_advertise(r, fx);
        }
        /* Somebody is back whose side may have served it too: caches may point there. */
        if (p->greet_returned && r->level_done == LEVEL_ANSWERING && router_is_settled_active(r)) {
            effects_add(fx, EFFECT_ANNOUNCE, p->index, i);
        }
    }
    p->greet_returned = false;
}

static void pool_note_strangers(struct pool *p, struct mono now, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (u->holder_kind == HOLDER_STRANGER && !u->stranger_noted && !mono_is_never(u->stranger_since) &&
            mono_diff_us(now, u->stranger_since) > 4 * p->settings->member_interval_us) {
            u->stranger_noted = u->stranger_seen = true;
            pool_tune_timers(p, u);
            pool_note(p, u, NOTE_STRANGER, fx)->from = u->holder;
            pool_note_owner(p, u, HOLDER_STRANGER, &u->holder, REASON_HEARD, now, fx);
        }
    }
}

/* A changed share is said at once: the others plan with it. */
static void pool_refresh_share(struct pool *p, struct mono now)
{
    struct member *self = &p->members.list[MEMBER_SELF];
    uint8_t share = pool_advertised_share(p, now);
    if (self->share != share) {
        self->share = share;
        member_set_state(self, share == MEMBER_SHARE_RESERVE ? MEMBER_RESERVE : MEMBER_ACTIVE, now);
        p->member_adver = mono_is_never(p->member_adver) ? MONO_NEVER : now;
        p->changed = true;
        p->view_changed = now;
    }
}

void pool_tick(struct pool *p, struct mono now, struct effects *fx)
{
    if (p->left || !p->ready) {
        return;
    }
    p->heard_last = now;
    pool_say_gone(p, now, fx);
    pool_judge_members(p, now, fx); /* first: a new question would make void that the last one found nobody to ask */
    isolation_tick(p, now, fx);
    pool_refresh_share(p, now);
    pool_note_strangers(p, now, fx);
    if (p->changed || mono_due(now, p->balance_next)) {
        pool_replan(p, now, fx);
    }
    bool due = pool_advert_is_due(p, now);
    int64_t slack_us = p->settings->advert_interval_us / 25;
    slack_us = !due ? 0 : slack_us < COALESCE_MAX_US ? slack_us : COALESCE_MAX_US;
    if (mono_due(now, p->member_adver)) {
        pool_send_member_advert(p, now, fx);
    }
    pool_tick_units(p, now, slack_us, fx);
    pool_greet(p, now, fx);
    balance_claim_tick(p, now, fx);
}

static struct mono pool_unit_deadline(const struct pool *p, const struct unit *u)
{
    struct mono deadline = router_is_ready(&u->router) ? p->heard_last : router_deadline(&u->router);
    if (u->claiming) {
        deadline = mono_min(deadline, u->claim_next);
    }
    if (u->repeats_left > 0) {
        deadline = mono_min(deadline, u->repeat_next);
    }
    if (u->router.state == ROUTER_BACKUP && u->router.phase == PHASE_SETTLED && !addr_is_none(&u->released_by)) {
        deadline = mono_min(deadline, u->released_until);
    }
    if (u->holder_kind == HOLDER_STRANGER && !u->stranger_noted && !mono_is_never(u->stranger_since)) {
        deadline = mono_min(deadline, mono_add(u->stranger_since, 4 * p->settings->member_interval_us + 1));
    }
    return deadline;
}

struct mono pool_deadline(const struct pool *p)
{
    if (p->left || !p->ready) {
        return MONO_NEVER;
    }
    struct mono deadline = mono_min(p->member_adver, isolation_deadline(p));
    deadline = mono_min(mono_min(deadline, p->balance_next), p->leave_by);
    if (p->greet) {
        deadline = mono_min(deadline, mono_add(p->last_greeting, p->settings->member_interval_us / 2));
    }
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        if (member_is_alive(&p->members.list[i])) {
            deadline = mono_min(deadline, member_dead_deadline(&p->members.list[i]));
        }
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        deadline = mono_min(deadline, pool_unit_deadline(p, &p->units[i]));
    }
    return deadline;
}

void pool_check(const struct pool *p)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        router_check(&u->router);
        CHECK(p->ready || u->router.state == ROUTER_INITIALIZE || p->leaving);
        CHECK(u->holder_kind != HOLDER_SELF);
        CHECK((u->holder_kind == HOLDER_NONE) == addr_is_none(&u->holder));
        CHECK(!u->claiming || u->router.state == ROUTER_BACKUP);
    }
    CHECK(p->members.count <= PLAN_MEMBERS_MAX);
    CHECK(!p->ready || p->members.count >= 1);
}
