/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool listens: what an advertisement says about membership and about who holds what (doc/design.md 2.1, 2.4, 2.5a).
 */
#include "base/check.h"
#include "core/pool.h"

static const struct addr no_address;

static struct unit *pool_find_unit(struct pool *p, unsigned vrid)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        if (p->settings->units[i].vrid == vrid) {
            return &p->units[i];
        }
    }
    return NULL;
}

static bool pool_is_named(const struct pool *p, const struct addr *address)
{
    for (unsigned i = 0; i < p->settings->name_count; i++) {
        if (addr_equal(&p->settings->names[i].address, address)) {
            return true;
        }
    }
    return false;
}

/* --- members --- */

/* Units it was heard on before it introduced itself are a member's now. */
static void pool_adopt_units(struct pool *p, const struct addr *member)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (u->holder_kind == HOLDER_STRANGER && addr_equal(&u->holder, member)) {
            u->holder_kind = HOLDER_MEMBER;
            u->stranger_since = MONO_NEVER;
            u->stranger_noted = false;
            if (u->router.state == ROUTER_BACKUP && u->router.phase == PHASE_SETTLED) {
                router_wait(&u->router, u->holder_heard, router_silence_us(&u->router));
            }
        }
    }
}

/* Never sooner than it waits already: for the lease of another claimant, perhaps. */
static void pool_wait_at_least(struct router *r, struct mono now, int64_t wait_us)
{
    bool longer_already =
        !mono_is_never(r->down_base) && mono_after(mono_add(r->down_base, r->down_wait_us), mono_add(now, wait_us));
    if (!longer_already) {
        router_wait(r, now, wait_us);
    }
}

/* Cold start: whoever starts a little later shall have its part of the units that nobody holds yet, without a second
 * move. Everybody waits for the newcomer's listening time, but no longer than twice its own. */
static void pool_wait_for_newcomer(struct pool *p, struct mono now)
{
    if (mono_diff_us(now, p->ready_since) > router_silence_us(&p->units[0].router)) {
        return;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        struct router *r = &u->router;
        if (u->never_owned && u->holder_kind == HOLDER_NONE && r->state == ROUTER_BACKUP && r->phase == PHASE_SETTLED) {
            pool_wait_at_least(r, now, router_silence_us(r));
        }
    }
}

/* A member that we took for dead may well hold its units still (we were deaf): let it say so first. */
static void pool_wait_for_returned(struct pool *p, const struct member *m, bool returned, struct mono now)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        struct router *r = &u->router;
        bool its_own = u->owner_kind == HOLDER_MEMBER && addr_equal(&u->owner, &m->address);
        if (its_own && u->holder_kind == HOLDER_NONE && r->state == ROUTER_BACKUP && r->phase == PHASE_SETTLED) {
            pool_wait_at_least(r, now, p->settings->advert_interval_us);
            u->owner_returned = returned;
        }
    }
}

static void pool_member_joined(struct pool *p, struct member *m, bool returned, struct mono now, struct effects *fx)
{
    struct effect *note = pool_note(p, NULL, NOTE_MEMBER_JOINED, fx);
    note->to = m->address;
    note->value = m->share;
    p->greet = true;
    p->changed = true;
    p->view_changed = now;
    p->round_left = 0;
    pool_adopt_units(p, &m->address);
    p->greet_returned |= returned;
    pool_wait_for_returned(p, m, returned, now);
}

/* Any valid advertisement of a member proves that it lives; one that was only dead is back at once. */
static struct member *pool_touch_member(struct pool *p, const struct addr *source, struct mono received,
                                        struct mono now, struct effects *fx)
{
    struct member *m = members_find(&p->members, source);
    if (m == NULL || m->state == MEMBER_LEFT) {
        return NULL;
    }
    m->last_heard = mono_max(m->last_heard, received);
    p->heard_member = mono_max(p->heard_member, received);
    if (m->state == MEMBER_DEAD) {
        member_set_state(m, m->share == MEMBER_SHARE_RESERVE ? MEMBER_RESERVE : MEMBER_ACTIVE, now);
        pool_member_joined(p, m, true, now, fx);
    }
    return m;
}

static void pool_update_member(struct pool *p, struct member *m, const struct advert *advert, struct mono now,
                               struct effects *fx)
{
    enum member_state state = advert->priority == MEMBER_SHARE_RESERVE ? MEMBER_RESERVE : MEMBER_ACTIVE;
    bool was_alive = member_is_alive(m), was_dead = m->state == MEMBER_DEAD;
    bool same = was_alive && m->share == advert->priority;
    m->vrid = advert->vrid;
    m->share = advert->priority;
    m->interval_us = advert->interval_us;
    if (same) {
        return;
    }
    bool state_differs = m->state != state;
    member_set_state(m, state, now);
    p->changed = true;
    if (!was_alive) {
        pool_member_joined(p, m, was_dead, now, fx);
    } else if (state_differs) {
        if (state == MEMBER_ACTIVE) { /* if it was deaf, it is not any more, and knows nothing of the units */
            m->one_way_until = now;
            p->greet = true;
        }
        struct effect *note =
            pool_note(p, NULL, state == MEMBER_RESERVE ? NOTE_MEMBER_RESERVE : NOTE_MEMBER_ACTIVE, fx);
        note->to = m->address;
        note->value = m->share;
        p->view_changed = now;
    }
}

static void pool_hear_member(struct pool *p, const struct advert *advert, struct mono received, struct mono now,
                             struct effects *fx)
{
    struct member *m = members_find(&p->members, &advert->source);
    p->counters.member_adverts_received++;
    if (advert->priority == VRRP_PRIORITY_RELEASE) {
        if (m != NULL && member_is_alive(m)) {
            pool_member_gone(p, m, MEMBER_LEFT, now, fx);
        }
        return;
    }
    if (m == NULL) {
        m = members_add(&p->members, &advert->source, now);
        if (m == NULL) {
            if (p->counters.members_full++ == 0) {
                pool_note(p, NULL, NOTE_MEMBERS_FULL, fx)->from = advert->source;
            }
            return;
        }
    }
    m->last_heard = mono_max(m->last_heard, received);
    p->heard_member = mono_max(p->heard_member, received);
    pool_update_member(p, m, advert, now, fx);
}

/* Who has just started has not heard all members introduce themselves: a claim from an unknown address may be one's. So
 * may one's that has just left: it is back, and its goodbye was late, or its introduction is under way. */
static bool pool_may_be_member(const struct pool *p, const struct addr *source, struct mono now)
{
    const struct member *m = members_find_const(&p->members, source);
    struct mono since = m != NULL && m->state == MEMBER_LEFT ? mono_max(m->since, p->ready_since) : p->ready_since;
    return mono_diff_us(now, since) < 3 * p->settings->member_interval_us;
}

/* A VRID that is none of our units': a member introducing itself, or somebody else's router on the same LAN. */
static void pool_hear_other_vrid(struct pool *p, const struct advert *advert, struct mono received, struct mono now,
                                 struct effects *fx)
{
    bool member = member_is_announced_by(advert);
    struct vrid_heard *heard = &p->heard[advert->vrid];
    bool newcomer = heard->goodbye && addr_equal(&heard->from, &advert->source);
    *heard = (struct vrid_heard){
        .from = advert->source,
        .at = received,
        .goodbye = advert->priority == VRRP_PRIORITY_RELEASE,
        .unit = !member,
        .address = advert->address_count > 0 ? advert->addresses[0] : ADDR_NONE,
        .interval_us = advert->interval_us,
    };
    if (member) {
        pool_hear_member(p, advert, received, now, fx);
        if (newcomer && !heard->goodbye) {
            pool_wait_for_newcomer(p, now);
        }
    } else {
        p->counters.foreign_vrid++;
        if (pool_touch_member(p, &advert->source, received, now, fx) != NULL ||
            pool_may_be_member(p, &advert->source, now)) {
            struct addr named = elsewhere_named(advert);
            elsewhere_heard(p, advert, &named, received, now, fx);
        }
    }
    /* The higher address keeps a contested VRID; from a stranger we move away. */
    if (advert->vrid == p->member_vrid && (!member || addr_compare(&advert->source, &p->primary) > 0)) {
        pool_choose_member_vrid(p, now, fx);
    }
}

/* --- units --- */

/* The first of `list` that is not in `other`; ADDR_NONE when all are. */
static struct addr first_not_in(const struct addr *list, unsigned count, const struct addr *other, unsigned other_count)
{
    for (unsigned i = 0; i < count; i++) {
        bool found = false;
        for (unsigned k = 0; k < other_count && !found; k++) {
            found = addr_equal(&list[i], &other[k]);
        }
        if (!found) {
            return list[i];
        }
    }
    return ADDR_NONE;
}

/* As sets: some send them in another order. */
static bool unit_lists_differ(const struct unit *u, const struct advert *advert, struct addr *extra,
                              struct addr *missing)
{
    const struct unit_settings *s = u->settings;
    *extra = first_not_in(advert->addresses, advert->address_count, s->addresses, s->address_count);
    *missing = first_not_in(s->addresses, s->address_count, advert->addresses, advert->address_count);
    return advert->address_count != s->address_count || !addr_is_none(extra);
}

static void unit_note_difference(struct unit *u, enum unit_difference what, const struct advert *advert,
                                 struct mono now)
{
    u->differs = (uint8_t)what;
    u->differs_from = advert->source;
    u->differs_at = now;
}

/* RFC 3768 7.1 and RFC 9568 7.1: the checks that need the virtual router. False: the packet is dropped. */
static bool unit_check_advert(struct pool *p, struct unit *u, const struct advert *advert, struct mono now,
                              struct effects *fx)
{
    if (advert->version != u->router.version) {
        u->counters.version_mismatch++;
        unit_note_difference(u, DIFFERS_VERSION, advert, now);
        return false;
    }
    if (advert->version == 2 && advert->auth_type != 0) {
        u->counters.auth_mismatch++;
        unit_note_difference(u, DIFFERS_AUTH, advert, now);
        return false;
    }
    if (advert->interval_us != u->router.advert_interval_us) {
        u->counters.interval_differs++;
        unit_note_difference(u, DIFFERS_INTERVAL, advert, now);
        if (!u->interval_noted) {
            u->interval_noted = true;
            struct effect *note = pool_note(p, u, NOTE_INTERVAL_DIFFERS, fx);
            note->from = advert->source;
            note->value = advert->interval_us;
        }
        if (advert->version == 2) {
            return false; /* RFC 3768 7.1: MUST discard */
        }
    }
    /* RFC 3768 says drop another list unless from the owner; we accept, because dropping makes two owners (2.5a). */
    struct addr extra, missing;
    bool differs = unit_lists_differ(u, advert, &extra, &missing);
    if (differs) {
        u->counters.address_list_differs++;
        if (!u->address_list_differs || !addr_equal(&u->address_list_from, &advert->source)) {
            pool_note(p, u, NOTE_ADDRESS_LIST, fx)->from = advert->source;
        }
        u->address_list_from = advert->source;
        u->address_list_extra = extra;
        u->address_list_missing = missing;
        u->address_list_differs = true;
    } else if (addr_equal(&u->address_list_from, &advert->source)) {
        u->address_list_differs = false;
    }
    return true;
}

void pool_set_holder(struct pool *p, struct unit *u, const struct advert *advert, bool member, struct mono received,
                     enum reason reason, struct mono now, struct effects *fx)
{
    bool same = u->holder_kind != HOLDER_NONE && addr_equal(&u->holder, &advert->source);
    if (!same || u->holder_priority != advert->priority) {
        p->changed = true;
    }
    if (!same) {
        bool asked_for = advert->priority == ROUTER_PRIORITY_PINNED; /* then it is released, in order */
        if (u->holder_kind == HOLDER_MEMBER && !asked_for) { /* displaced: it yields when it hears that, if awake */
            contest_claim(p, u, &u->holder, &advert->source, u->holder_heard, fx);
        }
        if (u->holder_kind == HOLDER_MEMBER) {
            contest_remember(u, &u->holder, u->holder_heard, received);
        }
        contest_end(u, &advert->source);
        if (member) {
            balance_claimed(p, u, &advert->source, now);
        }
        u->stranger_since = member ? MONO_NEVER : now;
        u->stranger_noted = false;
        u->released_by = u->let_go_by = no_address;
        u->owner_returned = false;
    }
    if (member) {
        contest_hears_us_again(p, u, advert, now);
    }
    u->holder_kind = member ? HOLDER_MEMBER : HOLDER_STRANGER;
    u->holder = advert->source;
    u->holder_priority = advert->priority;
    u->holder_heard = received;
    u->holder_interval_us = advert->interval_us;
    pool_tune_timers(p, u);
    if (member) { /* a stranger's claim is told once it is clear that it does not introduce itself as a member */
        pool_note_owner(p, u, HOLDER_MEMBER, &advert->source, reason, now, fx);
        u->owner_since = mono_min(u->owner_since, received); /* who wakes up hears of it later, and of contests since */
    }
}

/* The holder we know, if it still counts: a member that lives, a stranger that is not overdue. */
static bool unit_holder_is_fresh(const struct unit *u, struct mono now)
{
    return u->holder_kind != HOLDER_NONE && mono_diff_us(now, u->holder_heard) < 3 * u->holder_interval_us;
}

/* Backup: the sender claims the unit while a stronger router holds it: the stronger claimant counts (2.3), the other
 * one is remembered. */
static bool unit_holder_prevails(struct pool *p, struct unit *u, const struct advert *advert, struct mono received,
                                 struct mono now, struct effects *fx)
{
    bool other = u->holder_kind != HOLDER_NONE && !addr_equal(&u->holder, &advert->source);
    bool holder_stronger = advert->priority < u->holder_priority ||
                           (advert->priority == u->holder_priority && addr_compare(&u->holder, &advert->source) > 0);
    if (!other || !holder_stronger || !unit_holder_is_fresh(u, now)) {
        return false;
    }
    contest_claim(p, u, &advert->source, &u->holder, received, fx);
    return true;
}

/* Backup, and the sender is an acceptable Active. */
static void unit_accepted(struct pool *p, struct unit *u, const struct advert *advert, bool member,
                          struct mono received, struct mono now, struct effects *fx)
{
    if (unit_holder_prevails(p, u, advert, received, now, fx)) {
        return;
    }
    bool pinned_there = member && advert->priority == ROUTER_PRIORITY_PINNED;
    if (u->claiming && u->claims_left > 0 && pinned_there && addr_compare(&advert->source, &p->primary) > 0) {
        u->claims_left = 0; /* to ask on would look like a contest, and so may what was asked */
        pool_say_closed(p, u, now, fx);
    }
    bool unknown = u->owner_kind == HOLDER_NONE || u->unwatched; /* it may have had it for long */
    enum reason reason = unknown                           ? REASON_HEARD
                         : !mono_is_never(u->vacant_since) ? (enum reason)u->router.reason
                                                           : REASON_STRONGER;
    pool_set_holder(p, u, advert, member, received, reason, now, fx);
}

/* Priority 0 on a unit (RFC 9568 6.4.2). */
static void unit_released(struct pool *p, struct unit *u, const struct advert *advert, const struct member *m,
                          struct mono received, struct mono now)
{
    bool nobodys = u->holder_kind == HOLDER_NONE;
    bool vacant = pool_unit_waits_for_rank(u) || (nobodys && u->router.phase == PHASE_TAKING);
    bool by_holder = nobodys || addr_equal(&u->holder, &advert->source);
    bool counts = u->router.state == ROUTER_BACKUP && !vacant && (by_holder || !unit_holder_is_fresh(u, now));
    u->counters.zero_received++;
    pool_claimant_gone(p, u, &advert->source, now);
    if (counts || u->router.state == ROUTER_ACTIVE) {
        u->let_go_by = advert->source;
        u->let_go_at = received;
    }
    if (!counts) { /* RFC 9568 restarts the timer whoever says 0; the one who holds it has not said so, or has before */
        return;
    }
    if (m != NULL && m->state == MEMBER_ACTIVE) { /* it stays and gives this one away: a planned move */
        u->expected = u->planned;
        p->last_move = now;
    }
    pool_unit_vacant(p, u, received, now, REASON_RELEASED);
    u->released_by = advert->source;
    u->released_until = mono_add(now, p->settings->member_interval_us);
}

/* Overtaken by the priority 0 after it: who has let go of a unit that nobody has claimed since takes it again a member
 * interval later at the earliest. By the time of arrival: who has slept hears both at once. */
static bool unit_is_overtaken(const struct pool *p, const struct unit *u, const struct advert *advert,
                              struct mono received)
{
    return addr_equal(&u->let_go_by, &advert->source) && advert->priority != VRRP_PRIORITY_RELEASE &&
           mono_diff_us(received, u->let_go_at) < pool_crossing_us(p);
}

/* We yielded. The stronger one may have heard our claim, and waits until it knows that nothing answers here (2.4 l). */
static void unit_give_word(const struct pool *p, struct unit *u, enum router_phase phase, struct mono now,
                           struct effects *fx)
{
    u->owes_word = true;
    if (phase == PHASE_CLAIMED || phase == PHASE_EMPTIED) { /* it was closed all the time */
        pool_say_closed(p, u, now, fx);
    }
}

static void pool_hear_unit(struct pool *p, struct unit *u, const struct advert *advert, struct mono received,
                           struct mono now, struct effects *fx)
{
    u->counters.adverts_received++;
    if (!unit_check_advert(p, u, advert, now, fx)) {
        return;
    }
    u->checksum_heard = advert->checksum;
    const struct member *m = pool_touch_member(p, &advert->source, received, now, fx);
    bool member = m != NULL;
    if (member && unit_is_overtaken(p, u, advert, received)) {
        return;
    }
    if (member && u->address_list_differs && addr_equal(&u->address_list_from, &advert->source) &&
        !addr_is_none(&u->address_list_extra)) {
        elsewhere_heard(p, advert, &u->address_list_extra, received, now, fx);
    }
    bool as_member = member || pool_may_be_member(p, &advert->source, now);
    bool was_active = u->router.state == ROUTER_ACTIVE;
    enum router_phase phase = (enum router_phase)u->router.phase;
    switch (router_hear(&u->router, advert, as_member, now, fx)) {
    case VERDICT_RELEASED:
        unit_released(p, u, advert, m, received, now);
        break;
    case VERDICT_ACCEPTED:
        unit_accepted(p, u, advert, member, received, now, fx);
        break;
    case VERDICT_YIELDED:
        u->claiming = false;
        if (as_member && was_active) {
            unit_give_word(p, u, phase, now, fx);
        }
        pool_set_holder(p, u, advert, member, received, member ? REASON_STRONGER : REASON_PREEMPTED, now, fx);
        if (!member) {
            pool_note_owner(p, u, HOLDER_STRANGER, &advert->source, REASON_PREEMPTED, now, fx);
        }
        break;
    case VERDICT_IGNORED: /* a weaker stranger, which we preempt unless somebody else holds the unit */
        if (u->router.state == ROUTER_BACKUP && !unit_holder_prevails(p, u, advert, received, now, fx)) {
            pool_set_holder(p, u, advert, member, received, REASON_HEARD, now, fx);
        }
        break;
    case VERDICT_WEAKER:
        contest_weaker(p, u, advert, member, as_member || members_find(&p->members, &advert->source) != NULL, received,
                       now, fx);
        break;
    case VERDICT_CLAIMED:
        u->expected = advert->source;
        u->pinned_here = false; /* its pin is the stronger one */
        router_release(&u->router, REASON_OPERATOR, true, fx);
        break;
    }
}

/* Our own source address: an echo of what we sent, or a second host with our address. */
static void pool_hear_self(struct pool *p, const struct unit *u, const struct advert *advert, struct mono now,
                           struct effects *fx)
{
    p->counters.looped++;
    bool echo = u != NULL ? u->router.state == ROUTER_ACTIVE || u->router.adverts_sent > 0
                          : advert->vrid == p->member_vrid || !member_is_announced_by(advert);
    if (!echo && (p->duplicate_noted.us == 0 || mono_diff_us(now, p->duplicate_noted) > 60 * (int64_t)US_PER_S)) {
        p->duplicate_noted = now;
        pool_note(p, NULL, NOTE_DUPLICATE_ADDRESS, fx)->from = advert->source;
    }
}

bool pool_hear(struct pool *p, const struct advert *advert, struct mono received, struct mono now, struct effects *fx)
{
    if (!p->ready) {
        return false;
    }
    struct unit *u = pool_find_unit(p, advert->vrid);
    if (u != NULL && member_is_announced_by(advert) && !elsewhere_is_of(u, &advert->source)) {
        u = NULL; /* a member's own router, by a VRID that is a unit's in our file only */
    }
    if (addr_equal(&advert->source, &p->primary)) {
        pool_hear_self(p, u, advert, now, fx);
        return true;
    }
    isolation_heard(p, received, false, now, fx);
    if (p->settings->strict_members && !pool_is_named(p, &advert->source)) {
        p->counters.not_member++;
        if (u == NULL) {
            p->heard[advert->vrid] = (struct vrid_heard){.from = advert->source, .at = received};
        }
        if (advert->vrid == p->member_vrid) {
            pool_choose_member_vrid(p, now, fx);
        }
        return u != NULL;
    }
    if (u == NULL) {
        pool_hear_other_vrid(p, advert, received, now, fx);
        return member_is_announced_by(advert);
    }
    pool_hear_unit(p, u, advert, received, now, fx);
    return true;
}
