/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contests: two routers claim one unit. The stronger asserts, the weaker yields when it hears that. One that goes on
 * after three assertions does not hear us, and then the question is who of the two is broken (doc/design.md 2.4
 * d, 2.8).
 */
#include "core/pool.h"

#define IGNORED_MAX 3
#define IGNORED_SPACING_US                                                                                             \
    (10 * US_PER_MS)                /* what was sent sooner after our assertion may have crossed it on the wire */
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
        *c = (struct contender){.address = *by};
        p->counters.contests++;
        struct effect *note = pool_note(p, u, NOTE_CONTEST, fx);
        note->from = *by;
        note->to = *against;
    }
    return c;
}

void contest_claim(struct pool *p, struct unit *u, const struct addr *by, const struct addr *against, struct mono now,
                   struct effects *fx)
{
    contest_heard(p, u, by, against, now, fx)->heard = now;
}

/* Who does not hear the other? True: we gave the unit up to `advert`'s sender. */
static bool contest_conclude(struct pool *p, struct unit *u, struct contender *c, const struct advert *advert,
                             bool member, struct mono received, struct mono now, struct effects *fx)
{
    if (!router_is_settled_active(&u->router) || (member && !isolation_is_answered(p))) {
        return false;
    }
    if (!c->noted) { /* we are heard by others: it is this one pair that is broken */
        c->noted = true;
        p->counters.one_way++;
        pool_note(p, u, NOTE_ONE_WAY, fx)->from = advert->source;
    }
    if (member) { /* only this host can see it, so this host yields */
        router_give_up(&u->router, now, router_silence_us(&u->router, true), REASON_ONE_WAY, fx);
        pool_set_holder(p, u, advert, member, received, REASON_ONE_WAY, now, fx);
    }
    return member;
}

void contest_weaker(struct pool *p, struct unit *u, const struct advert *advert, bool member, struct mono received,
                    struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    struct contender *c = contest_heard(p, u, &advert->source, &p->primary, now, fx);
    bool asserted = c->heard.us != 0 && r->last_assert.us != 0 && !mono_after(c->heard, r->last_assert);
    if (asserted && mono_diff_us(received, r->last_assert) > IGNORED_SPACING_US && c->ignored < UINT8_MAX) {
        c->ignored++;
    }
    c->heard = now;
    if (member && c->ignored > 0) {
        isolation_suspect_mute(p, c->ignored >= IGNORED_MAX, now, fx);
    }
    if (c->ignored >= IGNORED_MAX && contest_conclude(p, u, c, advert, member, received, now, fx)) {
        return;
    }
    if (router_assert(r, now, fx)) {
        u->counters.asserted++;
        u->counters.adverts_sent++;
    } else {
        p->counters.assertions_held_back++;
    }
}

void contest_end(struct unit *u, const struct addr *address)
{
    struct contender *c = contest_find(u, address);
    if (c != NULL) {
        *c = (struct contender){0};
    }
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
