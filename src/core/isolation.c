/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One-way faults (doc/design.md 2.8). VRRP alone keeps two owners for ever when packets pass one way only; the evidence
 * that decides is a round trip of one's own with a third party. Deaf: all other members fell silent at once, and nobody
 * else is heard either. Mute: weaker routers ignore what we say, and nobody answers our questions.
 */
#include "base/check.h"
#include "core/pool.h"

#define PROBES_BEFORE_MUTE 4

void isolation_init(struct pool *p, struct mono now)
{
    p->isolation = ISOLATION_NONE;
    p->probe_next = MONO_NEVER;
    p->probe_started = now;
}

bool isolation_is_isolated(const struct pool *p)
{
    return p->isolation == ISOLATION_DEAF || p->isolation == ISOLATION_MUTE;
}

static bool isolation_others_live(const struct pool *p)
{
    return members_count_alive(&p->members) > 1;
}

/* Half-way to judging the others dead we begin to ask, so that the answer is there in time. */
static struct mono isolation_silence_deadline(const struct pool *p)
{
    return mono_add(p->heard_member, p->settings->member_interval_us * 3 / 2);
}

static void isolation_probe(struct pool *p, int64_t again_us, struct mono now, struct effects *fx)
{
    if (mono_due(now, p->probe_next) || mono_is_never(p->probe_next)) {
        p->probe_next = mono_add(now, again_us);
        p->third_party_unknown = false; /* until the shell says so again */
        effects_add(fx, EFFECT_PROBE, p->index, EFFECT_NO_UNIT);
    }
}

static void isolation_give_all(struct pool *p, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct router *r = &p->units[i].router;
        p->units[i].claiming = false;
        if (r->state == ROUTER_ACTIVE) {
            router_release(r, REASON_ISOLATED, true, fx);
        }
    }
}

static void isolation_set(struct pool *p, enum isolation_state to, struct mono now, struct effects *fx)
{
    enum isolation_state from = (enum isolation_state)p->isolation;
    bool was = isolation_is_isolated(p);
    p->isolation = (uint8_t)to;
    if (from == to || was == isolation_is_isolated(p)) {
        return;
    }
    p->changed = true;
    p->view_changed = now;
    p->mute_suspected = false;
    struct effect *note = pool_note(p, NULL, was ? NOTE_REJOINED : NOTE_ISOLATED, fx);
    note->value = to == ISOLATION_MUTE;
    if (to == ISOLATION_DEAF) {
        p->counters.deaf++;
    } else if (to == ISOLATION_MUTE) {
        p->counters.mute++;
    }
    if (to == ISOLATION_MUTE || (to == ISOLATION_DEAF && p->settings->drop_when_isolated)) {
        isolation_give_all(p, fx);
    }
    if (was) { /* listen first: whoever lives is heard within an interval */
        p->rejoined = now;
        for (unsigned i = 0; i < p->settings->unit_count; i++) {
            struct unit *u = &p->units[i];
            u->unwatched = u->unwatched || (from == ISOLATION_DEAF && u->router.state != ROUTER_ACTIVE);
            if (u->router.state == ROUTER_BACKUP && u->router.phase == PHASE_SETTLED) {
                router_wait(&u->router, now, 2 * p->settings->member_interval_us);
            }
        }
    }
}

static void isolation_tick_mute(struct pool *p, struct mono now, struct effects *fx)
{
    int64_t interval_us = p->settings->member_interval_us;
    int64_t asked_us = mono_diff_us(now, p->probe_started);
    bool answered = isolation_is_answered(p, p->probe_started);
    if ((answered || !p->mute_evident) && asked_us > 10 * p->settings->advert_interval_us) {
        p->mute_suspected = false; /* the contest is long over */
    } else if (answered) {
        return;
    } else if (p->mute_evident && asked_us > PROBES_BEFORE_MUTE * interval_us / 2) {
        isolation_set(p, ISOLATION_MUTE, now, fx);
    } else {
        isolation_probe(p, interval_us / 2, now, fx);
    }
}

void isolation_tick(struct pool *p, struct mono now, struct effects *fx)
{
    int64_t interval_us = p->settings->member_interval_us;
    if (!p->settings->isolation_check || p->leaving) {
        return;
    }
    if (isolation_is_isolated(p)) {
        isolation_probe(p, interval_us, now, fx);
        return;
    }
    if (p->mute_suspected) {
        isolation_tick_mute(p, now, fx);
    }
    bool silent = isolation_others_live(p) && mono_due(now, isolation_silence_deadline(p));
    if (silent) {
        p->isolation = ISOLATION_PROBING;
        isolation_probe(p, interval_us / 2, now, fx);
    } else if (p->isolation == ISOLATION_PROBING) {
        p->isolation = ISOLATION_NONE;
        p->probe_next = MONO_NEVER;
    }
}

/* Nobody at all for longer than one lost advertisement explains. Deaf since some instant, a host hears the first of the
 * others die after two intervals, since their last words were up to one interval apart. */
bool isolation_is_silent(const struct pool *p, struct mono now)
{
    return mono_diff_us(now, p->heard_member) >= p->settings->member_interval_us * 7 / 4;
}

void isolation_judge(struct pool *p, struct mono now, struct effects *fx)
{
    bool proof = mono_after(p->heard_any, mono_add(p->heard_member, p->settings->member_interval_us));
    if (p->settings->isolation_check && !p->third_party_unknown && !proof && !isolation_is_isolated(p)) {
        isolation_set(p, ISOLATION_DEAF, now, fx);
    }
}

bool isolation_is_answered(const struct pool *p, struct mono since)
{
    return !p->settings->isolation_check || p->third_party_unknown || mono_after(p->heard_answer, since);
}

void isolation_suspect_mute(struct pool *p, bool evident, struct mono since, struct mono now, struct effects *fx)
{
    bool other_question = !isolation_is_answered(p, since) && isolation_is_answered(p, p->probe_started);
    p->mute_evident |= evident;
    if (p->settings->isolation_check && (!p->mute_suspected || other_question) && !isolation_is_isolated(p)) {
        p->mute_suspected = true;
        p->mute_evident = evident;
        p->probe_started = now;
        p->probe_next = MONO_NEVER;
        isolation_probe(p, p->settings->member_interval_us / 2, now, fx);
    }
}

void isolation_heard(struct pool *p, struct mono received, bool answer, struct mono now, struct effects *fx)
{
    p->heard_any = mono_max(p->heard_any, received);
    if (answer) {
        p->heard_answer = mono_max(p->heard_answer, received);
        p->third_party_unknown = false;
    }
    if (p->isolation == ISOLATION_DEAF || (p->isolation == ISOLATION_MUTE && answer)) {
        isolation_set(p, ISOLATION_NONE, now, fx);
    }
}

void isolation_probe_impossible(struct pool *p, struct mono now, struct effects *fx)
{
    p->third_party_unknown = true;
    /* Mute, and nobody left who could serve instead: no proof either way. */
    if (p->isolation == ISOLATION_DEAF || (p->isolation == ISOLATION_MUTE && !isolation_others_live(p))) {
        isolation_set(p, ISOLATION_NONE, now, fx);
    }
}

struct mono isolation_deadline(const struct pool *p)
{
    if (!p->settings->isolation_check || p->leaving) {
        return MONO_NEVER;
    }
    bool asking = isolation_is_isolated(p) || p->isolation == ISOLATION_PROBING ||
                  (p->mute_suspected && !isolation_is_answered(p, p->probe_started));
    if (asking) {
        return p->probe_next;
    }
    return isolation_others_live(p) ? isolation_silence_deadline(p) : MONO_NEVER;
}
