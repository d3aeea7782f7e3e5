/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/router.h"

#include <string.h>

#include "base/check.h"

#define ASSERT_SPACING_MAX_US (50 * US_PER_MS)
#define DOWN_ADVERTS 3 /* RFC 9568 6.1: Active_Down_Interval */

/* Longer than a packet needs to cross a LAN: two hosts that claim in the same instant then know it before either of
 * them answers. */
#define OPEN_DELAY_MAX_US (2 * US_PER_MS)
#define OPEN_DELAY_SHARE 16 /* of the interval, when that is very short */

void router_init(struct router *r, unsigned pool, unsigned unit, unsigned version, int64_t advert_interval_us)
{
    *r = (struct router){
        .pool = (uint8_t)pool,
        .unit = (uint16_t)unit,
        .version = (uint8_t)version,
        .preempt = true,
        .down_adverts = DOWN_ADVERTS,
        .priority = 1,
        .advert_interval_us = advert_interval_us,
        .active_interval_us = advert_interval_us,
        .skew_interval_us = advert_interval_us,
        .adver = MONO_NEVER,
        .assert_at = MONO_NEVER,
        .open_at = MONO_NEVER,
        .down_base = MONO_NEVER,
    };
}

/* Every change of state goes through here. */
static void router_set_state(struct router *r, enum router_state to, enum reason reason, struct effects *fx)
{
    if (r->state == to) {
        return;
    }
    if (!r->silent) {
        struct effect *note = effects_add(fx, EFFECT_NOTE, r->pool, r->unit);
        note->note = NOTE_UNIT_STATE;
        note->reason = (uint8_t)reason;
        note->from_state = r->state;
        note->to_state = (uint8_t)to;
    }
    r->state = (uint8_t)to;
    r->state_reason = (uint8_t)reason;
}

static void router_want(struct router *r, enum unit_level level, struct effects *fx)
{
    if (r->level == level) {
        return;
    }
    r->level = (uint8_t)level;
    r->sequence++;
    struct effect *effect = effects_add(fx, EFFECT_LEVEL, r->pool, r->unit);
    effect->level = (uint8_t)level;
    effect->sequence = r->sequence;
}

void router_ask_again(const struct router *r, struct effects *fx)
{
    if (r->sequence_done != r->sequence) {
        struct effect *effect = effects_add(fx, EFFECT_LEVEL, r->pool, r->unit);
        effect->level = r->level;
        effect->sequence = r->sequence;
    }
}

static void router_send(struct router *r, uint8_t priority, struct effects *fx)
{
    uint64_t *count = priority == VRRP_PRIORITY_RELEASE ? &r->zero_sent : &r->adverts_sent;
    ++*count;
    for (unsigned i = 0; i < (r->unicast ? r->peer_count : 1u); i++) {
        struct effect *send = effects_add(fx, EFFECT_SEND, r->pool, r->unit);
        send->priority = priority;
        send->to = r->unicast ? r->peers[i].address : ADDR_NONE;
    }
}

void router_advertise(struct router *r, struct effects *fx)
{
    CHECK(r->state == ROUTER_ACTIVE);
    if (r->phase != PHASE_EMPTIED) {
        router_send(r, r->priority, fx);
    }
}

void router_request(struct router *r, struct effects *fx)
{
    CHECK(r->state == ROUTER_BACKUP);
    router_send(r, ROUTER_PRIORITY_PINNED, fx);
}

void router_say_closed(struct router *r, struct effects *fx)
{
    CHECK(r->state == ROUTER_BACKUP);
    router_send(r, VRRP_PRIORITY_RELEASE, fx);
}

void router_tune_opening(struct router *r, int64_t interval_us)
{
    int64_t delay_us = interval_us / OPEN_DELAY_SHARE;
    r->open_delay_us = delay_us < OPEN_DELAY_MAX_US ? delay_us : OPEN_DELAY_MAX_US;
}

void router_start(struct router *r, const struct addr *primary, struct mono now, enum reason reason, struct effects *fx)
{
    CHECK(r->state == ROUTER_INITIALIZE);
    r->primary = *primary;
    r->active_interval_us = r->advert_interval_us;
    router_set_state(r, ROUTER_BACKUP, reason, fx);
    router_wait(r, now, router_silence_us(r));
}

static void router_settle(struct router *r, enum router_state to, enum reason reason, struct effects *fx)
{
    r->phase = PHASE_SETTLED;
    r->adver = r->assert_at = MONO_NEVER;
    r->open_at = MONO_NEVER;
    r->down_base = MONO_NEVER;
    router_set_state(r, to, reason, fx);
    router_want(r, LEVEL_ABSENT, fx);
}

void router_stop(struct router *r, enum reason reason, struct effects *fx)
{
    router_settle(r, ROUTER_INITIALIZE, reason, fx);
}

void router_give_up(struct router *r, struct mono now, int64_t wait_us, enum reason reason, struct effects *fx)
{
    router_settle(r, ROUTER_BACKUP, reason, fx);
    router_wait(r, now, wait_us);
}

void router_take(struct router *r, enum reason reason, struct effects *fx)
{
    CHECK(r->state == ROUTER_BACKUP);
    r->phase = PHASE_TAKING;
    r->reason = (uint8_t)reason;
    r->down_base = MONO_NEVER;
    router_want(r, LEVEL_READY, fx);
}

void router_release(struct router *r, enum reason reason, bool say_released, struct effects *fx)
{
    CHECK(r->state == ROUTER_ACTIVE);
    if (r->phase == PHASE_SETTLED || r->phase == PHASE_CLAIMED) {
        r->phase = PHASE_RELEASING;
        r->open_at = MONO_NEVER;
        r->reason = (uint8_t)reason;
        r->say_released = say_released;
#if EVENKEEL_CANARY == 1 /* a planted bug that the simulator must find: priority 0 before the addresses are gone */
        router_send(r, VRRP_PRIORITY_RELEASE, fx);
#endif
        router_want(r, LEVEL_ABSENT, fx);
    } else {
        r->say_released = r->say_released && say_released;
    }
}

void router_say_released(struct router *r, struct effects *fx)
{
    CHECK(r->phase == PHASE_EMPTIED);
    router_send(r, VRRP_PRIORITY_RELEASE, fx);
    router_settle(r, ROUTER_BACKUP, (enum reason)r->reason, fx);
}

int64_t router_skew_us(const struct router *r)
{
    return (256 - (int64_t)r->priority) * r->skew_interval_us / 256;
}

void router_wait(struct router *r, struct mono base, int64_t wait_us)
{
    r->down_base = base;
    r->down_wait_us = wait_us;
}

void router_postpone(struct router *r, struct mono until)
{
    router_wait(r, mono_add(until, -r->down_wait_us), r->down_wait_us);
}

struct mono router_down_deadline(const struct router *r)
{
    if (r->state != ROUTER_BACKUP || r->phase != PHASE_SETTLED) {
        return MONO_NEVER;
    }
    return mono_add(r->down_base, r->down_wait_us + router_skew_us(r));
}

struct mono router_deadline(const struct router *r)
{
    return mono_min(mono_min(r->adver, r->assert_at), mono_min(r->open_at, router_down_deadline(r)));
}

static void router_open(struct router *r, struct effects *fx)
{
    r->phase = PHASE_SETTLED;
    r->open_at = MONO_NEVER;
    router_want(r, LEVEL_ANSWERING, fx);
}

void router_tick(struct router *r, struct mono now, int64_t slack_us, struct effects *fx)
{
    if (mono_due(mono_add(now, slack_us), r->adver)) {
        router_advertise(r, fx);
        r->adver = mono_add(r->adver, r->advert_interval_us);
        if (mono_due(now, r->adver)) { /* a whole interval late: do not catch up with a burst */
            r->adver = mono_add(now, r->advert_interval_us);
        }
    }
    if (mono_due(now, r->assert_at)) {
        router_assert(r, now, fx);
    }
    if (mono_due(now, r->open_at)) {
        router_open(r, fx);
    }
    if (mono_due(now, router_down_deadline(r))) {
        router_take(r, r->down_wait_us == 0 ? (enum reason)r->reason : REASON_TIMEOUT, fx);
    }
}

bool router_is_stronger(uint8_t priority, const struct addr *source, const struct router *r)
{
    if (priority != r->priority) {
        return priority > r->priority;
    }
    return addr_compare(source, &r->primary) > 0;
}

int64_t router_assert_spacing_us(const struct router *r)
{
    int64_t quarter_us = r->advert_interval_us / 4;
    return quarter_us < ASSERT_SPACING_MAX_US ? quarter_us : ASSERT_SPACING_MAX_US;
}

bool router_assert(struct router *r, struct mono now, struct effects *fx)
{
    if (r->last_assert.us != 0 && mono_diff_us(now, r->last_assert) < router_assert_spacing_us(r)) {
        if (r->phase != PHASE_EMPTIED) {
            r->assert_at = mono_add(r->last_assert, router_assert_spacing_us(r));
        }
        return false;
    }
    r->last_assert = now;
    r->assert_at = MONO_NEVER;
    router_advertise(r, fx);
    if (r->level == LEVEL_ANSWERING && router_is_done(r)) { /* caches may point to the other claimant */
        effects_add(fx, EFFECT_ANNOUNCE, r->pool, r->unit)->value = ANNOUNCE_AGAIN;
    }
    return true;
}

int64_t router_silence_us(const struct router *r)
{
    int64_t rfc_us = r->down_adverts * r->active_interval_us;
    return rfc_us < r->down_wait_min_us ? r->down_wait_min_us : rfc_us;
}

/* RFC 9568 6.4.2: learn the interval, restart Active_Down_Timer. */
static void router_accept(struct router *r, const struct advert *advert, struct mono now)
{
    r->active_interval_us = r->version == 3 ? advert->interval_us : r->advert_interval_us;
    router_wait(r, now, router_silence_us(r));
}

static enum router_verdict router_hear_backup(struct router *r, const struct advert *advert, bool member,
                                              struct mono now, struct effects *fx)
{
    if (advert->priority == VRRP_PRIORITY_RELEASE) {
        return VERDICT_RELEASED; /* the pool knows whose word counts, and restarts the timer with router_wait */
    }
    bool preempts = r->preempt && advert->priority < r->priority;
    if (preempts && !member) {
        return VERDICT_IGNORED;
    }
    bool was_taking = r->phase == PHASE_TAKING;
    if (was_taking) {
        router_settle(r, ROUTER_BACKUP, REASON_STRONGER, fx);
    }
    router_accept(r, advert, now);
    return was_taking ? VERDICT_YIELDED : VERDICT_ACCEPTED;
}

/* RFC 9568 6.4.3: answer, and reset Adver_Timer. No Backup's Skew_Time is shorter than the spacing of the answers. */
static void router_answer_release(struct router *r, struct mono now, struct effects *fx)
{
    if (r->phase == PHASE_EMPTIED) {
        return;
    }
    if (!mono_due(now, r->answer_next)) {
        r->adver = mono_min(r->adver, r->answer_next);
        return;
    }
    r->answer_next = mono_add(now, r->skew_interval_us / 256);
    r->adver = mono_add(now, r->advert_interval_us);
    router_advertise(r, fx);
}

static enum router_verdict router_hear_active(struct router *r, const struct advert *advert, bool member,
                                              struct mono now, struct effects *fx)
{
    if (advert->priority == VRRP_PRIORITY_RELEASE) {
        router_answer_release(r, now, fx);
        return VERDICT_RELEASED;
    }
    if (!router_is_stronger(advert->priority, &advert->source, r)) {
        return VERDICT_WEAKER; /* the pool asserts, once it has counted */
    }
    if (member && advert->priority == ROUTER_PRIORITY_PINNED && r->phase != PHASE_EMPTIED) {
        return VERDICT_CLAIMED; /* break before make: the claimant waits for our priority 0 */
    }
    router_settle(r, ROUTER_BACKUP, REASON_STRONGER, fx);
    router_accept(r, advert, now);
    return VERDICT_YIELDED;
}

enum router_verdict router_hear(struct router *r, const struct advert *advert, bool member, struct mono now,
                                struct effects *fx)
{
    switch ((enum router_state)r->state) {
    case ROUTER_BACKUP:
        return router_hear_backup(r, advert, member, now, fx);
    case ROUTER_ACTIVE:
        return router_hear_active(r, advert, member, now, fx);
    case ROUTER_INITIALIZE:
    case ROUTER_STATE_COUNT:
        break;
    }
    return VERDICT_IGNORED;
}

static void router_note_failure(const struct router *r, int error, struct effects *fx)
{
    struct effect *note = effects_add(fx, EFFECT_NOTE, r->pool, r->unit);
    note->note = NOTE_KERNEL_FAILED;
    note->reason = REASON_KERNEL;
    note->value = error;
}

/* Ready: say so first, then open. From here on the next rank stays quiet. */
void router_claim(struct router *r, struct mono now, struct effects *fx)
{
    r->phase = PHASE_CLAIMED;
    r->claimed_at = now;
    r->open_at = mono_add(now, r->open_delay_us);
    r->active_interval_us = r->advert_interval_us;
    router_set_state(r, ROUTER_ACTIVE, (enum reason)r->reason, fx);
    router_send(r, r->priority, fx);
    r->adver = mono_add(now, r->advert_interval_us);
    if (r->open_delay_us == 0) {
        router_open(r, fx);
    }
#if EVENKEEL_CANARY == 2 /* a planted bug: whoever claims does not wait */
    router_open(r, fx);
#endif
}

void router_hold(struct router *r, struct mono until)
{
    CHECK(r->phase == PHASE_CLAIMED);
    r->open_at = mono_max(mono_add(r->claimed_at, r->open_delay_us), until);
}

static void router_failed(struct router *r, int error, struct mono now, struct effects *fx)
{
    router_note_failure(r, error, fx);
    if (r->phase == PHASE_TAKING) { /* the next rank serves; we try again when nobody did */
        router_settle(r, ROUTER_BACKUP, REASON_KERNEL, fx);
        router_wait(r, now, router_silence_us(r));
    } else if (r->state == ROUTER_ACTIVE && r->phase == PHASE_SETTLED) { /* the filter would not open */
        router_release(r, REASON_KERNEL, true, fx);
    }
    /* A removal that failed is tried again by the platform, which then reports the same sequence anew. */
}

bool router_level_done(struct router *r, uint32_t sequence, int error, struct mono now, struct effects *fx)
{
    if (sequence != r->sequence) {
        return false; /* of a level that is no longer wanted */
    }
    if (error != 0) {
        router_failed(r, error, now, fx);
        return true;
    }
    r->level_done = r->level;
    r->sequence_done = sequence;
    if (r->phase == PHASE_TAKING && r->level == LEVEL_READY) {
        return true; /* the claim leaves in the tick, when everything that was queued has been heard */
    }
    if (r->phase == PHASE_RELEASING && r->level == LEVEL_ABSENT) {
        r->phase = PHASE_EMPTIED;
        r->adver = r->assert_at = MONO_NEVER;
        if (r->say_released) {
            router_say_released(r, fx);
        }
        return true;
    }
    if (r->state == ROUTER_ACTIVE && r->level == LEVEL_ANSWERING) {
        effects_add(fx, EFFECT_ANNOUNCE, r->pool, r->unit);
        return true;
    }
    return false;
}

void router_check(const struct router *r)
{
    CHECK(r->state < ROUTER_STATE_COUNT);
    CHECK(r->priority >= 1);
    CHECK(r->state == ROUTER_ACTIVE || mono_is_never(r->adver));
    CHECK(r->state != ROUTER_ACTIVE || (r->phase == PHASE_EMPTIED) == mono_is_never(r->adver));
    CHECK(mono_is_never(r->assert_at) || !mono_is_never(r->adver));
    CHECK(r->phase != PHASE_TAKING || r->state == ROUTER_BACKUP);
    CHECK((r->phase == PHASE_SETTLED || r->phase == PHASE_TAKING) || r->state == ROUTER_ACTIVE);
    CHECK((r->phase == PHASE_CLAIMED) != mono_is_never(r->open_at));
    CHECK(r->level == LEVEL_ABSENT || r->state == ROUTER_ACTIVE || r->phase == PHASE_TAKING);
    CHECK(r->active_interval_us > 0 && r->skew_interval_us > 0);
}
