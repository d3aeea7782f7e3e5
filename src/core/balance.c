/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planned moves: a unit moves by being released by its owner (doc/design.md 2.5). All hosts compute the same list of
 * moves and carry out only its first few per round; each owner its own. What does not happen in time is passed over.
 */
#include "base/check.h"
#include "core/pool.h"

#define PENALTY_DOUBLINGS_MAX 6
#define PENALTY_MEMORY_US (3600 * (int64_t)US_PER_S)
#define VAIN_US (60 * (int64_t)US_PER_S)
#define VAIN_DOUBLINGS_MAX 3
#define FOREIGN_DOUBLINGS_MAX 6 /* an hour */
#define SHED_AGAIN_US (2 * (int64_t)US_PER_S)
#define SHED_DOUBLINGS_MAX 5
#define BATCH                                                                                                          \
    8 /* units on their way at a time: few enough that each unit's gap stays as small as that of a single move */
#define CLAIMS_MAX 6
#define PATIENCE_ROUNDS 10

static const struct addr no_address;

/* One pair in vain may be the unit's fault; a second one in a row is the member's. */
static void balance_tried_in_vain(struct pool *p, struct unit *u, const struct addr *to, struct mono now)
{
    struct member *m = members_find(&p->members, to);
    u->vain_target = *to;
    u->vain_until = mono_add(now, VAIN_US);
    if (m == NULL) {
        return;
    }
    /* Never seen holding one of our units, so a host of another pool, most likely: it rests longer in the end. Not
     * sooner: who has just started has seen nobody hold anything, and all must plan alike. */
    unsigned doublings = m->proven ? VAIN_DOUBLINGS_MAX : FOREIGN_DOUBLINGS_MAX, tried = m->vain_count++;
    m->vain_last = now;
    if (tried > 0) {
        m->vain_until = mono_add(now, VAIN_US << (tried - 1 < doublings ? tried - 1 : doublings));
    }
}

/* When a reserve tries `m` again that did not take what it was given. */
static struct mono balance_shed_again(const struct member *m)
{
    unsigned doublings = m->vain_count - 1 < SHED_DOUBLINGS_MAX ? m->vain_count - 1 : SHED_DOUBLINGS_MAX;
    return m->vain_count == 0 ? m->vain_last : mono_add(m->vain_last, SHED_AGAIN_US << doublings);
}

bool balance_avoids(const struct member *m, bool shedding, struct mono now)
{
    return !mono_due(now, shedding && m->proven ? balance_shed_again(m) : m->vain_until);
}

/* With several units on their way at once, each goes to somebody who is short of one: no matter which. */
static bool balance_is_only_one(const struct pool *p, const struct unit *only)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        if (&p->units[i] != only && !addr_is_none(&p->units[i].expected)) {
            return false;
        }
    }
    return true;
}

/* Whoever takes a unit can: it is avoided no longer. True: it was. */
static bool balance_prove(struct unit *u, struct member *m, struct mono now)
{
    bool pair = addr_equal(&u->vain_target, &m->address) && !mono_due(now, u->vain_until);
    bool all = !mono_due(now, m->vain_until);
    u->vain_until = pair ? now : u->vain_until;
    m->vain_until = all ? now : m->vain_until;
    m->vain_count = 0;
    m->proven = true;
    return pair || all;
}

void balance_claimed(struct pool *p, struct unit *u, const struct addr *by, struct mono now)
{
    struct member *claimant = members_find(&p->members, by);
    bool avoided = claimant != NULL && balance_prove(u, claimant, now);
    if (addr_is_none(&u->expected)) {
        return;
    }
    if (addr_equal(&u->expected, by)) {
        bool again = u->moved_at.us != 0 && mono_diff_us(now, u->moved_at) < PENALTY_MEMORY_US;
        u->move_penalty = (uint8_t)(again ? u->move_penalty + (u->move_penalty < PENALTY_DOUBLINGS_MAX) : 0);
        u->moved_at = now;
        u->still_until = mono_add(now, p->settings->rebalance_interval_us << u->move_penalty);
    } else if (!avoided && balance_is_only_one(p, u)) { /* else the one that the plan chose is not to blame */
        balance_tried_in_vain(p, u, &u->expected, now);
    }
    u->expected = no_address;
    p->last_move = now;
}

static bool balance_is_settled(const struct pool *p, struct mono now, struct mono *when)
{
    *when = mono_add(p->view_changed, 2 * p->settings->member_interval_us);
    if (p->last_move.us != 0) {
        *when = mono_max(*when, mono_add(p->last_move, p->settings->rebalance_interval_us));
    }
    /* ... but a host that flaps for ever must not hold up everybody's moves. */
    *when = mono_min(*when, mono_add(p->moves_wanted, PATIENCE_ROUNDS * (p->settings->rebalance_interval_us +
                                                                         2 * p->settings->member_interval_us)));
    return p->hurry || mono_due(now, *when);
}

static void balance_release(struct pool *p, struct unit *u, const struct addr *to, enum reason reason, struct mono now,
                            struct effects *fx)
{
    if (router_is_settled_active(&u->router)) {
        u->expected = *to;
        p->counters.moves++;
        p->last_move = now;
        router_release(&u->router, reason, true, fx);
    }
}

/* Units of ours that are on their way: being released, or released and not yet claimed. */
static unsigned balance_in_flight(const struct pool *p, struct mono now)
{
    unsigned count = 0;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        bool waiting = addr_equal(&u->released_by, &p->primary) && u->holder_kind == HOLDER_NONE &&
                       !mono_due(now, u->released_until) && u->router.state == ROUTER_BACKUP;
        count += waiting || u->router.phase == PHASE_RELEASING;
    }
    return count;
}

/* Off a reserve, to somebody who serves; who leaves takes whom it gets. Between reserves it is a move as any other. */
static bool balance_is_shed(const struct pool *p, const struct plan_member *members, const struct plan_move *move)
{
    bool leaves = p->leaving && move->from == MEMBER_SELF;
    return members[move->from].share == MEMBER_SHARE_RESERVE &&
           (leaves || members[move->to].share != MEMBER_SHARE_RESERVE);
}

/* A reserve (drained, leaving, or weighed down to nothing) gives its units away batch by batch: the next one when all
 * of the last have found an owner. True: nothing is on its way, and nothing is left that somebody would take. */
static bool balance_shed(struct pool *p, const struct plan_member *members, const struct plan *plan, struct mono now,
                         struct effects *fx)
{
    unsigned in_flight = balance_in_flight(p, now);
    if (!p->drain_now && in_flight > 0) {
        return false;
    }
    enum reason reason = p->leaving ? REASON_SHUTDOWN : REASON_DRAIN;
    bool done = in_flight == 0;
    unsigned batch = p->drain_now ? PLAN_UNITS_MAX : BATCH;
    for (unsigned k = 0; k < plan->move_count && batch > 0; k++) {
        if (plan->moves[k].from == MEMBER_SELF && balance_is_shed(p, members, &plan->moves[k])) {
            balance_release(p, &p->units[plan->moves[k].unit], &members[plan->moves[k].to].address, reason, now, fx);
            batch--;
            done = false;
        }
    }
    return done;
}

static void balance_start_claim(struct unit *u, struct mono now)
{
    u->claiming = true;
    u->claims_left = CLAIMS_MAX;
    u->claim_next = now;
}

/* Asks the member that holds the unit for it (2.4 a), unless this has begun already. */
static void balance_ask(struct unit *u, struct mono now)
{
    if (!u->claiming && u->router.state == ROUTER_BACKUP && u->holder_kind == HOLDER_MEMBER) {
        balance_start_claim(u, now);
    }
}

/* Watches the first move of the list. Returns true when it was passed over. */
static bool balance_watch(struct pool *p, struct unit *u, const struct addr *to, struct mono now, struct effects *fx)
{
    struct watched_move *w = &p->watched;
    if (w->vrid != u->settings->vrid || !addr_equal(&w->to, to)) {
        *w = (struct watched_move){.vrid = u->settings->vrid, .to = *to, .since = now};
    }
    struct mono limit =
        mono_add(w->since, 2 * p->settings->rebalance_interval_us + 4 * p->settings->member_interval_us);
    if (!mono_due(now, limit)) {
        p->balance_next = mono_min(p->balance_next, limit);
        return false;
    }
    w->vrid = 0;
    if (addr_equal(to, &p->primary) && u->settings->prefer_count > 0) { /* its owner has another file: ask for it */
        balance_ask(u, now);
    }
    balance_tried_in_vain(p, u, to, now);
    p->changed = true;
    p->balance_next = now;
    struct effect *note = pool_note(p, u, NOTE_MOVE_PASSED_OVER, fx);
    note->to = *to;
    return true;
}

/* The next moment at which a penalty ends, so that the plan is looked at again. */
static struct mono balance_next_penalty(const struct pool *p, struct mono now)
{
    struct mono next = MONO_NEVER;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        if (!mono_due(now, u->still_until)) {
            next = mono_min(next, u->still_until);
        }
        if (!mono_due(now, u->vain_until)) {
            next = mono_min(next, u->vain_until);
        }
    }
    for (unsigned i = 0; i < p->members.count; i++) {
        const struct member *m = &p->members.list[i];
        if (!mono_due(now, m->vain_until)) {
            next = mono_min(next, m->vain_until);
        }
        if (!mono_due(now, balance_shed_again(m))) {
            next = mono_min(next, balance_shed_again(m));
        }
        if (!mono_due(now, m->quiet_until)) {
            next = mono_min(next, m->quiet_until);
        }
    }
    return next;
}

static void balance_carry_out(struct pool *p, const struct plan_member *members, const struct plan *plan,
                              struct mono now, struct effects *fx)
{
    unsigned left = p->round_left, in_flight = balance_in_flight(p, now);
    bool first = true, done = true;
    for (unsigned k = 0; k < plan->move_count && left > 0; k++) {
        const struct plan_move *move = &plan->moves[k];
        struct unit *u = &p->units[move->unit];
        if (balance_is_shed(p, members, move)) {
            continue; /* it sheds its units at its own pace */
        }
        if (move->to == MEMBER_SELF && u->pinned_here) { /* lost while we could not hold it: only we know of the pin */
            balance_ask(u, now);
            left--;
            continue;
        }
        if (first && balance_watch(p, u, &members[move->to].address, now, fx)) {
            return;
        }
        first = false;
        left--;
        if (move->from != MEMBER_SELF || !router_is_settled_active(&u->router)) {
            continue;
        }
        if (in_flight++ >= BATCH) { /* the round goes on when these have found an owner */
            done = false;
        } else {
            p->round_left = (uint16_t)(p->round_left - (p->round_left < UINT16_MAX)); /* UINT16_MAX: all */
            enum reason reason = p->plan_units[move->unit].prefer == move->to ? REASON_PREFERRED : REASON_REBALANCE;
            balance_release(p, u, &members[move->to].address, reason, now, fx);
        }
    }
    p->hurry = false;
    if (done) {
        p->round_left = 0;
    }
}

void balance_tick(struct pool *p, const struct plan_member *members, const struct plan *plan, struct mono now,
                  struct effects *fx)
{
    struct mono settled;
    p->balance_next = balance_next_penalty(p, now);
    if (p->leaving) {
        p->shed = isolation_is_isolated(p) || (!p->going && balance_shed(p, members, plan, now, fx));
        return;
    }
    if (isolation_is_isolated(p)) {
        return;
    }
    if (members[MEMBER_SELF].share == MEMBER_SHARE_RESERVE) {
        (void)balance_shed(p, members, plan, now, fx);
    }
    if (plan->move_count == 0) {
        p->watched.vrid = 0;
        p->hurry = false;
        p->moves_wanted = MONO_NEVER;
        p->round_left = 0;
        return;
    }
    p->moves_wanted = mono_min(p->moves_wanted, now);
    if (p->round_left == 0 && !balance_is_settled(p, now, &settled)) {
        p->balance_next = mono_min(p->balance_next, settled);
        return;
    }
    if (p->round_left == 0) {
        p->round_left = p->settings->rebalance_moves;
    }
    p->moves_wanted = MONO_NEVER;
    balance_carry_out(p, members, plan, now, fx);
}

/* While its owner holds on to a unit that is pinned here: advertise 254, without answering, until it has let go. */
void balance_claim_tick(struct pool *p, struct mono now, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (!u->claiming || !mono_due(now, u->claim_next)) {
            continue;
        }
        if (u->router.state != ROUTER_BACKUP || u->holder_kind != HOLDER_MEMBER || u->claims_left == 0 ||
            !pool_may_hold(p, u)) {
            bool in_vain = u->router.state == ROUTER_BACKUP && u->holder_kind == HOLDER_MEMBER;
            u->claiming = false;
            u->pinned_here = u->pinned_here && !in_vain;
            if (in_vain) {
                pool_note(p, u, NOTE_MOVE_PASSED_OVER, fx)->to = p->primary;
            }
            p->changed = true;
            continue;
        }
        u->claims_left--;
        u->claim_next = mono_add(now, p->settings->member_interval_us);
        router_request(&u->router, fx);
    }
}

/* --- the operator --- */

static bool balance_has_other(const struct pool *p)
{
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        if (p->members.list[i].state == MEMBER_ACTIVE) {
            return true;
        }
    }
    return false;
}

static bool balance_is_ready(const struct pool *p)
{
    return p->ready && !p->leaving && !isolation_is_isolated(p);
}

enum core_result balance_take(struct pool *p, struct unit *u, struct mono now)
{
    if (!balance_is_ready(p) || pool_advertised_share(p, now) == MEMBER_SHARE_RESERVE) {
        return CORE_NOT_READY;
    }
    if (!pool_may_hold(p, u)) {
        return CORE_NOT_ELIGIBLE;
    }
    bool held = u->router.state == ROUTER_ACTIVE;
    if (held && u->pinned_here) {
        return CORE_ALREADY;
    }
    if (!held && u->holder_kind == HOLDER_MEMBER && u->holder_priority == ROUTER_PRIORITY_PINNED &&
        addr_compare(&u->holder, &p->primary) > 0) {
        return CORE_PINNED_ELSEWHERE;
    }
    u->pinned_here = true;
    p->changed = true;
    if (!held && u->holder_kind == HOLDER_MEMBER) {
        balance_start_claim(u, now);
    }
    return CORE_OK;
}

enum core_result balance_give(struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    if (!balance_is_ready(p)) {
        return CORE_NOT_READY;
    }
    bool pinned = u->pinned_here;
    u->pinned_here = u->claiming = false;
    p->changed = true;
    if (u->router.state != ROUTER_ACTIVE) {
        return pinned ? CORE_OK : CORE_NOT_HELD;
    }
    if (!balance_has_other(p) || addr_is_none(&u->next)) {
        return CORE_NO_OTHER_MEMBER;
    }
    balance_release(p, u, &no_address, REASON_OPERATOR, now, fx); /* to whoever ranks first then */
    return CORE_OK;
}

enum core_result balance_drain(struct pool *p, bool at_once)
{
    bool already = p->drained && (p->drain_now || !at_once);
    p->drained = true;
    p->drain_now = p->drain_now || at_once;
    p->changed = true;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        p->units[i].pinned_here = p->units[i].claiming = false;
    }
    return already ? CORE_ALREADY : balance_has_other(p) ? CORE_OK : CORE_NO_OTHER_MEMBER;
}

enum core_result balance_undrain(struct pool *p)
{
    bool was = p->drained;
    p->drained = p->drain_now = false;
    p->changed = true;
    return was ? CORE_OK : CORE_ALREADY;
}

void balance_hurry(struct pool *p, struct mono now)
{
    p->hurry = p->changed = true;
    for (unsigned i = 0; i < p->members.count; i++) {
        p->members.list[i].vain_until = now;
        p->members.list[i].vain_count = 0;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        p->units[i].still_until = p->units[i].vain_until = now;
        p->units[i].move_penalty = 0;
    }
}
