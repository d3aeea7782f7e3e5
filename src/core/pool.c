/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a pool: start and stop with its link, stalls, the kernel's answers, owners that come and go, leaving. */
#include "core/pool.h"

#include <string.h>

#include "base/check.h"

#define LEAVE_PATIENCE_US US_PER_S

static const struct addr no_address;

void pool_bind(struct pool *p, unsigned index, const struct core_settings *all, struct unit *units, struct plan *plan,
               struct plan_unit *plan_units)
{
    p->index = (uint8_t)index;
    p->all = all;
    p->pools = p - index;
    p->settings = &all->pools[index];
    p->units = units;
    p->plan = plan;
    p->plan_units = plan_units;
}

void pool_init(struct pool *p, unsigned index, const struct core_settings *all, struct unit *units, struct plan *plan,
               struct plan_unit *plan_units, struct mono now)
{
    const struct pool_settings *s = &all->pools[index];
    memset(p, 0, sizeof(*p));
    pool_bind(p, index, all, units, plan, plan_units);
    p->own_share = s->share;
    p->started = now;
    p->lease_us = settings_lease_us(s);
    p->member_adver = p->lease_base = p->lease_pending = p->balance_next = p->moves_wanted = p->leave_by = MONO_NEVER;
    p->view_changed = now;
    isolation_init(p, now);
    for (unsigned i = 0; i < s->unit_count; i++) {
        struct unit *u = &units[i];
        memset(u, 0, sizeof(*u));
        u->settings = &s->units[i];
        u->checksum_heard = WIRE_CHECKSUM_PLAIN;
        u->never_owned = true;
        u->made = now;
        u->stranger_since = u->vacant_since = u->released_until = MONO_NEVER;
        u->claim_next = u->last_change = MONO_NEVER;
        u->last_gap_us = -1;
        router_init(&u->router, index, i, u->settings->version, u->settings->advert_interval_us);
        pool_tune_timers(p, u);
        router_tune_opening(&u->router, s->advert_interval_us < s->member_interval_us ? s->advert_interval_us
                                                                                      : s->member_interval_us);
    }
}

unsigned pool_unit_index(const struct pool *p, const struct unit *u)
{
    return (unsigned)(u - p->units);
}

struct effect *pool_note(struct pool *p, struct unit *u, enum note_kind kind, struct effects *fx)
{
    struct effect *note = effects_add(fx, EFFECT_NOTE, p->index, u == NULL ? EFFECT_NO_UNIT : pool_unit_index(p, u));
    note->note = (uint8_t)kind;
    return note;
}

bool pool_is_on_same_wire(const struct pool *p, const struct pool *q)
{
    return p->settings->link == q->settings->link && p->settings->family == q->settings->family;
}

static bool pool_is_reserve(const struct pool *p, struct mono now)
{
    return p->drained || p->faulted || p->leaving || isolation_is_isolated(p) || p->own_share == MEMBER_SHARE_RESERVE ||
           contest_one_way(p, now) != NULL || mono_diff_us(now, p->started) < p->settings->startup_delay_us;
}

uint8_t pool_advertised_share(const struct pool *p, struct mono now)
{
    uint8_t share = p->own_share;
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        const struct pool *q = &p->pools[i];
        if (pool_is_on_same_wire(p, q)) {
            uint8_t its = pool_is_reserve(q, now) ? MEMBER_SHARE_RESERVE : q->own_share;
            share = its < share ? its : share;
        }
    }
    return share;
}

static bool pool_is_eligible(const struct unit *u, const struct addr *member)
{
    for (unsigned i = 0; i < u->settings->eligible_count; i++) {
        if (addr_equal(&u->settings->eligible[i], member)) {
            return true;
        }
    }
    return u->settings->eligible_count == 0;
}

bool pool_may_hold(const struct pool *p, const struct unit *u)
{
    return p->ready && p->armed && !p->leaving && !u->retired && !p->faulted && !isolation_is_isolated(p) &&
           (u->settings->links & ~p->links_up) == 0 && pool_is_eligible(u, &p->primary);
}

/*
 * Skew_Time between members comes from the shorter interval (2.4 c), and no silence is shorter than a member's, whose
 * lease may outlast its units' intervals. Towards a stranger both are the RFC's; until it is known for one, it may be a
 * member.
 */
void pool_tune_timers(const struct pool *p, struct unit *u)
{
    struct router *r = &u->router;
    bool stranger = u->holder_kind == HOLDER_STRANGER && u->stranger_noted;
    int64_t rfc_us = r->version == 2 ? US_PER_S : r->active_interval_us;
    int64_t member_us = p->settings->member_interval_us;
    r->skew_interval_us = stranger || rfc_us < member_us ? rfc_us : member_us;
    r->down_wait_min_us = stranger ? 0 : 3 * member_us;
}

void pool_note_owner(struct pool *p, struct unit *u, enum holder_kind kind, const struct addr *owner,
                     enum reason reason, struct mono now, struct effects *fx)
{
    if (u->owner_kind == kind && addr_equal(&u->owner, owner)) {
        u->vacant_since = MONO_NEVER;
        u->unwatched = false;
        return;
    }
    u->last_from = u->owner;
    u->last_to = *owner;
    u->last_reason = (uint8_t)reason;
    bool known = !u->never_owned && !u->unwatched;
    u->last_gap_us = !known ? -1 : mono_is_never(u->vacant_since) ? 0 : mono_diff_us(now, u->vacant_since);
    u->last_change = u->owner_since = now;
    u->owner = *owner;
    u->owner_kind = (uint8_t)kind;
    u->vacant_since = MONO_NEVER;
    u->never_owned = u->unwatched = false;
    p->changed = true;
    struct effect *note = pool_note(p, u, NOTE_UNIT_OWNER, fx);
    note->from = u->last_from;
    note->to = u->last_to;
    note->reason = (uint8_t)reason;
    note->value = u->last_gap_us;
}

/* Forgets who was heard holding the unit. */
static void pool_clear_holder(struct unit *u)
{
    u->holder_kind = HOLDER_NONE;
    u->holder = no_address;
    u->holder_priority = 0;
    u->stranger_since = MONO_NEVER;
}

void pool_unit_vacant(struct pool *p, struct unit *u, struct mono since, struct mono now, enum reason reason)
{
    pool_tune_timers(p, u);
    pool_clear_holder(u);
    u->owner_returned = false;
    u->vacant_since = since;
    u->router.reason = (uint8_t)reason;
    if (u->router.state == ROUTER_BACKUP && u->router.phase == PHASE_SETTLED) {
        router_wait(&u->router, contest_claimed_until(p, u, now), 0);
    }
    p->changed = true;
    p->view_changed = now;
}

int64_t pool_crossing_us(const struct pool *p)
{
    int64_t quarter_us = p->settings->member_interval_us / 4;
    return quarter_us < POOL_CROSSING_US ? quarter_us : POOL_CROSSING_US;
}

void pool_say_closed(const struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    u->owes_word = false;
    u->quiet_until = mono_add(now, pool_crossing_us(p) * 5 / 4);
    router_say_closed(&u->router, fx);
}

bool pool_unit_waits_for_rank(const struct unit *u)
{
    const struct router *r = &u->router;
    return u->holder_kind == HOLDER_NONE && r->state == ROUTER_BACKUP && r->phase == PHASE_SETTLED &&
           !mono_is_never(r->down_base) && r->down_wait_us == 0;
}

void pool_claimant_gone(const struct pool *p, struct unit *u, const struct addr *address, struct mono now)
{
    if (contest_end(u, address) && pool_unit_waits_for_rank(u)) {
        router_wait(&u->router, contest_claimed_until(p, u, now), 0);
    }
}

void pool_member_gone(struct pool *p, struct member *m, enum member_state state, struct mono now, struct effects *fx)
{
    struct effect *note = pool_note(p, NULL, state == MEMBER_LEFT ? NOTE_MEMBER_LEFT : NOTE_MEMBER_DEAD, fx);
    note->from = m->address;
    note->value = mono_diff_us(now, m->last_heard);
    member_set_state(m, state, now);
    p->changed = true;
    p->view_changed = now;
    p->round_left = 0;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (u->holder_kind == HOLDER_MEMBER && addr_equal(&u->holder, &m->address)) {
            pool_unit_vacant(p, u, state == MEMBER_LEFT ? now : m->last_heard, now,
                             state == MEMBER_LEFT ? REASON_RELEASED : REASON_MEMBER_DEAD);
        }
        elsewhere_member_gone(p, u, &m->address, now);
        pool_claimant_gone(p, u, &m->address, now);
    }
}

bool pool_vrid_is_a_units(const struct pool *p, unsigned vrid)
{
    for (unsigned i = 0; i < settings_all_count(p->all); i++) { /* instances' too */
        const struct pool_settings *s = &p->all->pools[i];
        for (unsigned k = 0; k < s->unit_count; k++) {
            const struct unit_settings *u = &s->units[k];
            if (u->vrid == vrid && u->link == p->settings->link && u->family == p->settings->family) {
                return true;
            }
        }
    }
    return false;
}

static bool pool_vrid_is_free(const struct pool *p, unsigned vrid, struct mono now)
{
    if (pool_vrid_is_a_units(p, vrid)) {
        return false;
    }
    const struct vrid_heard *heard = &p->heard[vrid];
    bool recent = !addr_is_none(&heard->from) && mono_diff_us(now, heard->at) < 60 * (int64_t)US_PER_S;
    return !recent || addr_equal(&heard->from, &p->primary);
}

void pool_choose_member_vrid(struct pool *p, struct mono now, struct effects *fx)
{
    unsigned first = p->settings->member_vrid != 0 ? p->settings->member_vrid : addr_last_byte(&p->primary);
    unsigned chosen = 0;
    for (unsigned tries = 0; tries < 2 * 255; tries++) { /* when all are in use, rather a stranger's than a unit's */
        unsigned vrid = (first + tries - (first != 0)) % 255 + 1;
        if (tries < 255 ? pool_vrid_is_free(p, vrid, now) : !pool_vrid_is_a_units(p, vrid)) {
            chosen = vrid;
            break;
        }
    }
    CHECK(chosen != 0);
    if (chosen != p->member_vrid) {
        p->member_vrid = (uint8_t)chosen;
        pool_note(p, NULL, NOTE_MEMBER_VRID, fx)->value = chosen;
    }
    p->members.list[MEMBER_SELF].vrid = p->member_vrid;
}

void pool_recheck_member_vrid(struct pool *p, bool configured_anew, struct mono now, struct effects *fx)
{
    if (configured_anew || pool_vrid_is_a_units(p, p->member_vrid)) {
        pool_choose_member_vrid(p, now, fx);
    }
}

void pool_arm(struct pool *p, struct mono now, struct effects *fx)
{
    p->armed = false;
    p->lease_base = p->arm_asked = now;
    p->lease_us = settings_lease_us(p->settings);
    p->lease_pending = MONO_NEVER;
    effects_add(fx, EFFECT_ARM, p->index, EFFECT_NO_UNIT)->sequence = ++p->arm_sequence;
}

/* Another pool speaks for this host on that wire already: it is no newcomer there. */
static bool pool_wire_is_running(const struct pool *p, const struct addr *primary)
{
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        const struct pool *q = &p->pools[i];
        if (q != p && pool_is_on_same_wire(p, q) && q->ready && addr_equal(&q->primary, primary) && !q->say_gone &&
            !mono_is_never(q->member_adver)) {
            return true;
        }
    }
    return false;
}

static void pool_start(struct pool *p, const struct addr *primary, struct mono now, struct effects *fx)
{
    if (addr_equal(&p->primary, primary)) { /* back again: whoever lived then gets the time to be heard */
        for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
            p->members.list[i].last_heard = now;
        }
    } else {
        p->primary = *primary;
        members_init(&p->members, primary, p->settings->member_interval_us, p->own_share, now);
    }
    p->ready = true;
    p->ready_since = p->view_changed = p->heard_member = now;
    p->changed = true;
    p->say_gone = !pool_wire_is_running(p, primary);
    p->member_adver = p->say_gone ? MONO_NEVER : now;
    pool_choose_member_vrid(p, now, fx);
    pool_arm(p, now, fx);
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        pool_clear_holder(u);
        pool_tune_timers(p, u);
        router_start(&u->router, primary, now, REASON_STARTUP, fx);
    }
}

static void pool_stop(struct pool *p, enum reason reason, struct mono now, struct effects *fx)
{
    p->ready = false;
    p->member_adver = p->lease_pending = MONO_NEVER;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        bool held = u->router.state == ROUTER_ACTIVE;
        router_stop(&u->router, reason, fx);
        u->claiming = u->owes_word = false;
        pool_clear_holder(u); /* whoever it is, we do not hear it any more */
        u->unwatched = true;
        if (held) {
            u->vacant_since = now;
        }
    }
}

/* A unit that needs a link which is down must go: it never splits. */
static void pool_drop_unserved(struct pool *p, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (u->router.state == ROUTER_ACTIVE && (u->settings->links & ~p->links_up) != 0) {
            router_release(&u->router, REASON_LINK_DOWN, true, fx);
        }
    }
}

void pool_link(struct pool *p, unsigned link, bool up, const struct addr *primary, struct mono now, struct effects *fx)
{
    uint32_t bit = UINT32_C(1) << link;
    bool was_up = (p->links_up & bit) != 0;
    p->links_up = up ? p->links_up | bit : p->links_up & ~bit;
    if (p->left) {
        return;
    }
    if (link == p->settings->link) {
        bool may_run = up && !addr_is_none(primary);
        if (p->ready && (!may_run || !addr_equal(&p->primary, primary))) {
            pool_stop(p, up ? REASON_NO_ADDRESS : REASON_LINK_DOWN, now, fx);
        }
        if (!p->ready && may_run && !p->leaving) {
            pool_start(p, primary, now, fx);
        }
    }
    if (was_up != up) {
        p->changed = true;
        pool_drop_unserved(p, fx);
    }
}

/* Everything that this host believed before it slept is void; what others said meanwhile is heard first. */
static void pool_stalled(struct pool *p, struct mono now, struct effects *fx)
{
    pool_note(p, NULL, NOTE_STALLED, fx)->value = mono_diff_us(now, p->lease_base);
    p->counters.stalls++;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        struct router *r = &u->router;
        u->claiming = u->owes_word = false; /* goodbye is for all of them */
        u->unwatched = true;
        if (r->state == ROUTER_ACTIVE || r->phase == PHASE_TAKING) {
            int64_t wait_us = u->stranger_seen ? router_silence_us(r) : r->down_wait_min_us;
            pool_clear_holder(u);
            u->vacant_since = p->lease_base;
            router_give_up(r, now, wait_us, REASON_STALL, fx);
        } else if (r->state == ROUTER_BACKUP) {
            router_wait(r, now, router_silence_us(r));
        }
    }
    for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
        p->members.list[i].last_heard = now;
    }
    p->changed = true;
    p->view_changed = p->heard_member = now;
    p->say_gone = true;
    p->member_adver = MONO_NEVER;
    pool_arm(p, now, fx);
}

static bool pool_may_stall(const struct pool *p)
{
    return p->ready && !mono_is_never(p->member_adver);
}

bool pool_check_stall(struct pool *p, struct mono now, struct effects *fx)
{
#if EVENKEEL_CANARY == 3 /* a planted bug: whoever slept goes on as if nothing had happened */
    return false;
#endif
    if (!pool_may_stall(p) || mono_diff_us(now, p->lease_base) <= p->lease_us) {
        return false;
    }
    for (unsigned i = 0; i < p->all->pool_count; i++) { /* the goodbye that follows is for all of them */
        struct pool *q = &p->pools[i];
        if (pool_is_on_same_wire(p, q) && pool_may_stall(q)) {
            pool_stalled(q, now, fx);
        }
    }
    return true;
}

void pool_sent(struct pool *p, struct mono now, struct effects *fx)
{
    if (!mono_is_never(p->lease_pending) && !pool_check_stall(p, now, fx)) {
        p->lease_base = p->lease_pending;
        p->lease_us = settings_lease_us(p->settings);
        p->lease_pending = MONO_NEVER;
    }
}

bool pool_slept_since_arming(const struct pool *p, struct mono now)
{
    return mono_diff_us(now, p->arm_asked) > p->lease_us;
}

void pool_armed(struct pool *p, uint32_t sequence, struct mono now, struct effects *fx)
{
    if (sequence != p->arm_sequence) {
        return;
    }
    if (pool_slept_since_arming(p, now)) { /* what was armed has ended, and no advertisement can revive it */
        pool_arm(p, now, fx);
        return;
    }
    p->armed = true;
    p->changed = true;
}

void pool_level_done(struct pool *p, unsigned unit, uint32_t sequence, int error, struct mono now, struct effects *fx)
{
    struct unit *u = &p->units[unit];
    struct router *r = &u->router;
    enum router_state before = (enum router_state)r->state;
    if (r->phase == PHASE_TAKING &&
        !pool_may_hold(p, u)) { /* a link went down meanwhile, or we are isolated or faulted */
        router_give_up(r, now, router_silence_us(r), r->reason, fx);
        p->changed = true;
        return;
    }
    if (!router_level_done(r, sequence, error, now, fx)) {
        return;
    }
    if (before == ROUTER_ACTIVE && r->state == ROUTER_BACKUP) { /* released, and said so */
        /* What did not work here is not tried again at once, should nobody else want it. */
        int64_t excluded_us = r->reason == REASON_KERNEL ? router_silence_us(r) : p->settings->member_interval_us;
        pool_unit_vacant(p, u, now, now, REASON_RELEASED);
        u->released_by = p->primary;
        u->released_until = mono_add(now, excluded_us);
        p->last_move = now;
    }
    p->changed = true;
}

void pool_repeat_soon(const struct pool *p, struct unit *u, struct mono now)
{
    u->repeats_left = POOL_CLAIM_REPEATS;
    u->repeat_next = mono_add(now, p->settings->member_interval_us);
}

/* The addresses are in place. Who speaks with a lower priority than a stranger that it meant to preempt does not. */
void pool_claim(struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    bool fresh = u->holder_kind == HOLDER_STRANGER && mono_diff_us(now, u->holder_heard) < 3 * u->holder_interval_us;
    p->changed = true;
    if (!pool_may_hold(p, u)) { /* a link went down, or we became isolated or faulted, since it was ready */
        router_give_up(r, now, router_silence_us(r), (enum reason)r->reason, fx);
        return;
    }
    if (fresh && router_is_stronger(u->holder_priority, &u->holder, r)) {
        router_give_up(r, now, router_silence_us(r), REASON_STRONGER, fx);
        return;
    }
    router_claim(r, now, fx);
    pool_repeat_soon(p, u, now);
    u->counters.became_active++;
    u->counters.last_active_reason = r->reason;
    u->claiming = u->owes_word = false;
    u->released_by = u->let_go_by = no_address;
    u->owner_returned = false;
    balance_claimed(p, u, &p->primary, now);
    pool_clear_holder(u);
    pool_note_owner(p, u, HOLDER_SELF, &p->primary, (enum reason)r->reason, now, fx);
}

/* --- leaving (2.4 h) --- */

/* First this host is a reserve and gives its units away batch by batch (balance.c), so that each is taken over as fast
 * as in a planned move. What nobody has taken within LEAVE_PATIENCE_US goes all at once. */
void pool_leave(struct pool *p, struct mono now)
{
    if (p->going) { /* a reload has no place for it any more */
        return;
    }
    p->leaving = true;
    p->leave_by = mono_add(now, LEAVE_PATIENCE_US);
    p->changed = true;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        p->units[i].claiming = p->units[i].pinned_here = false;
    }
}

void pool_go(struct pool *p, enum reason reason, struct effects *fx)
{
    p->going = true;
    p->leave_by = MONO_NEVER;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct router *r = &p->units[i].router;
        if (r->state == ROUTER_ACTIVE) {
            router_release(r, reason, false, fx);
        } else if (r->state == ROUTER_BACKUP) {
            router_stop(r, reason, fx);
        }
    }
}

static bool pool_is_emptied(const struct pool *p)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        if (!router_is_empty(&p->units[i].router)) {
            return false;
        }
    }
    return true;
}

bool pool_is_wire_emptied(const struct pool *p)
{
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        if (pool_is_on_same_wire(p, &p->pools[i]) && !pool_is_emptied(&p->pools[i])) {
            return false;
        }
    }
    return true;
}

/* Goodbye is for all pools of the wire, so they go together. */
static bool pool_may_go(const struct pool *p, struct mono now)
{
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        const struct pool *q = &p->pools[i];
        if (pool_is_on_same_wire(p, q) && q->ready && !q->going && !q->shed && !mono_due(now, q->leave_by)) {
            return false;
        }
    }
    return true;
}

void pool_leave_tick(struct pool *p, struct mono now, struct effects *fx)
{
    if (!p->leaving || p->left) {
        return;
    }
    if (!p->going && pool_may_go(p, now)) {
        pool_go(p, REASON_SHUTDOWN, fx);
    }
    if (!p->going || !pool_is_wire_emptied(p)) {
        return;
    }
    if (p->ready) {
        effects_add(fx, EFFECT_SEND, p->index, EFFECT_NO_UNIT)->priority = VRRP_PRIORITY_RELEASE;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct router *r = &p->units[i].router;
        if (r->phase == PHASE_EMPTIED) {
            router_say_released(r, fx);
        }
        if (r->state != ROUTER_INITIALIZE) {
            router_stop(r, REASON_SHUTDOWN, fx);
        }
    }
    p->left = true;
    p->ready = false;
    p->member_adver = p->lease_pending = MONO_NEVER;
}
