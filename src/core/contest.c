/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contests: two routers claim one unit. The stronger asserts, the weaker yields when it hears that. One that goes on
 * after three assertions does not hear us, and then the question is who of the two is broken (doc/design.md 2.4
 * d, 2.8).
 */
#include "core/pool.h"

#define IGNORED_MAX 3
#define ONE_WAY_US (10 * (int64_t)US_PER_S)
#define ONE_WAY_DOUBLINGS_MAX 7
#define CONTEST_MEMORY_INTERVALS 10 /* then it is a new contest */

static struct contender *contest_find(struct unit *u, const struct addr *address)
{
    for (unsigned i = 0; i < UNIT_CONTENDERS_MAX; i++) {
        if (addr_equal(&u->contenders[i].address, address)) {
            return &u->contenders[i];
        }
    }
    return NULL;
}

static struct contender *contest_add(struct unit *u, const struct addr *address)
{
    struct contender *oldest = &u->contenders[0];
    for (unsigned i = 1; i < UNIT_CONTENDERS_MAX; i++) {
        if (mono_after(oldest->heard, u->contenders[i].heard)) {
            oldest = &u->contenders[i];
        }
    }
    *oldest = (struct contender){.address = *address};
    return oldest;
}

static struct contender *contest_heard(struct pool *p, struct unit *u, const struct addr *by,
                                       const struct addr *against, struct mono now, struct effects *fx)
{
    struct contender *c = contest_find(u, by);
    bool known = c != NULL && mono_diff_us(now, c->heard) < CONTEST_MEMORY_INTERVALS * u->router.advert_interval_us;
    if (!known) {
        c = c != NULL ? c : contest_add(u, by);
        *c = (struct contender){.address = *by, .since = now, .counted = now};
        p->counters.contests++;
        struct effect *note = pool_note(p, u, NOTE_CONTEST, fx);
        note->from = *by;
        note->to = *against;
    }
    return c;
}

void contest_remember(struct unit *u, const struct addr *by, struct mono heard, struct mono opposed)
{
    struct contender *c = contest_find(u, by);
    c = c != NULL ? c : contest_add(u, by);
    *c = (struct contender){.address = *by, .since = opposed, .counted = heard, .heard = heard};
}

void contest_claim(struct pool *p, struct unit *u, const struct addr *by, const struct addr *against, struct mono now,
                   struct effects *fx)
{
    contest_heard(p, u, by, against, now, fx)->heard = now;
}

/*
 * Whoever yields says so (2.4 l), so a claimant that has not may hold the unit: for as long as any owner's silence must
 * last, and if it may have died since its last claim, until it counts as dead.
 */
struct mono contest_claimed_until(const struct pool *p, const struct unit *u, struct mono now)
{
    struct mono until = now;
    for (unsigned i = 0; i < UNIT_CONTENDERS_MAX; i++) {
        const struct contender *c = &u->contenders[i];
        const struct member *m = members_find_const(&p->members, &c->address);
        if (m == NULL || !member_is_alive(m)) {
            continue;
        }
        bool spoke_without_it = mono_diff_us(m->last_heard, c->heard) > 3 * u->router.advert_interval_us;
        until = mono_max(until, mono_add(c->heard, router_silence_us(&u->router)));
        until = spoke_without_it ? until : mono_max(until, member_dead_deadline(m));
    }
    return until;
}

/* Whoever lives has heard our claim by then and given way; who was stopped before it could has no lease any more. */
struct mono contest_open_after(const struct pool *p, const struct unit *u)
{
    struct mono claimed = u->router.claimed_at, until = claimed;
    for (unsigned i = 0; i < UNIT_CONTENDERS_MAX; i++) {
        const struct contender *c = &u->contenders[i];
        if (c->awaited && !mono_after(claimed, c->heard)) {
            const struct member *m = members_find_const(&p->members, &c->address);
            int64_t interval_us = m != NULL && m->interval_us > 0 ? m->interval_us : p->settings->member_interval_us;
            until = mono_max(until, mono_add(claimed, 3 * interval_us));
        }
    }
    return until;
}

/* This host stays a reserve for a while, longer each time, and not only for this unit: each next one would be fought
 * over likewise. */
static void contest_note_one_way(struct pool *p, const struct advert *advert, struct mono now)
{
    struct member *m = members_find(&p->members, &advert->source);
    if (mono_due(now, m->one_way_until)) {
        m->one_way_until = mono_add(now, ONE_WAY_US << m->one_way_count);
        m->one_way_count =
            (uint8_t)(m->one_way_count < ONE_WAY_DOUBLINGS_MAX ? m->one_way_count + 1 : m->one_way_count);
    }
}

const struct member *contest_one_way(const struct pool *p, struct mono now)
{
    for (unsigned i = 0; i < p->members.count; i++) {
        const struct member *m = &p->members.list[i];
        if (member_is_alive(m) && !mono_due(now, m->one_way_until)) {
            return m;
        }
    }
    return NULL;
}

void contest_hears_us_again(struct pool *p, const struct unit *u, const struct advert *advert, struct mono now)
{
    struct member *m = members_find(&p->members, &advert->source);
    bool early =
        addr_equal(&u->holder, &advert->source) && mono_diff_us(now, u->holder_heard) < u->holder_interval_us / 2;
    bool for_another = mono_diff_us(now, p->view_changed) < 2 * p->settings->member_interval_us;
    bool repeated = mono_diff_us(now, u->owner_since) <= (POOL_CLAIM_REPEATS + 1) * p->settings->member_interval_us;
    if (m != NULL && !mono_due(now, m->one_way_until) && early && !for_another && !repeated) {
        m->one_way_until = now;
        m->one_way_count = 0;
    }
}

/* Who does not hear the other? True: we gave the unit up to `advert`'s sender. */
static bool contest_conclude(struct pool *p, struct unit *u, struct contender *c, const struct advert *advert,
                             bool member, struct mono received, struct mono now, struct effects *fx)
{
    if (!router_is_settled_active(&u->router)) {
        return false;
    }
    if (!c->noted) { /* we are heard by others: it is this one pair that is broken */
        c->noted = true;
        p->counters.one_way++;
        pool_note(p, u, NOTE_ONE_WAY, fx)->from = advert->source;
    }
    if (member) { /* only this host can see it, so this host yields */
        contest_note_one_way(p, advert, now);
        router_give_up(&u->router, now, router_silence_us(&u->router), REASON_ONE_WAY, fx);
        u->owes_word = true;
        pool_set_holder(p, u, advert, member, received, REASON_ONE_WAY, now, fx);
    }
    return member;
}

void contest_weaker(struct pool *p, struct unit *u, const struct advert *advert, bool member, bool known,
                    struct mono received, struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    struct contender *c = contest_heard(p, u, &advert->source, &p->primary, now, fx);
    if (mono_diff_us(now, c->counted) >= p->settings->member_interval_us * 3 / 4) { /* it must have heard us since */
        c->counted = now;
        c->ignored = (uint8_t)(c->ignored < UINT8_MAX ? c->ignored + 1 : c->ignored);
    }
    c->heard = now;
    c->awaited = known;
    bool answered = isolation_is_answered(p, c->since); /* before a new question makes it void */
    if (member && c->ignored > 0) {
        isolation_suspect_mute(p, c->ignored >= IGNORED_MAX, c->since, now, fx);
    }
    answered = answered || isolation_is_answered(p, c->since);
    if (c->ignored >= IGNORED_MAX && (answered || !member) &&
        contest_conclude(p, u, c, advert, member, received, now, fx)) {
        return;
    }
    if (router_assert(r, now, fx)) {
        u->counters.asserted++;
    } else {
        p->counters.assertions_held_back++;
    }
}

bool contest_end(struct unit *u, const struct addr *address)
{
    struct contender *c = contest_find(u, address);
    if (c != NULL) {
        *c = (struct contender){0};
    }
    return c != NULL;
}

const struct contender *contest_latest(const struct unit *u, struct mono since)
{
    const struct contender *latest = NULL;
    for (unsigned i = 0; i < UNIT_CONTENDERS_MAX; i++) {
        const struct contender *c = &u->contenders[i];
        bool counts = !addr_is_none(&c->address) && mono_after(c->heard, since);
        if (counts && (latest == NULL || mono_after(c->heard, latest->heard))) {
            latest = c;
        }
    }
    return latest;
}
