/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual router: the state machine of RFC 9568 6.4 (and RFC 3768 6.4 for version 2), with two steps added that the
 * RFC leaves to the implementation, because the kernel takes its time:
 *
 *   Backup --Active_Down_Timer--> [taking: addresses are put in place] --> Active, advertisement, filter opens,
 * announce Active --release--> [releasing: still Active for others, addresses are removed] --> priority 0, Backup
 *
 * While taking, the router is a Backup for everybody: another router's acceptable advertisement ends the attempt. So a
 * host whose kernel is stuck says nothing, and the next rank serves. While releasing it goes on advertising, since it
 * may still answer: priority 0 leaves only after the addresses are gone (break before make).
 *
 * Not here: who has which priority (pool), what a packet looks like (wire), membership. The pool decides what the
 * sender of an advertisement is to us and calls router_hear.
 */
#ifndef EVENKEEL_CORE_ROUTER_H
#define EVENKEEL_CORE_ROUTER_H

#include "core/effect.h"
#include "core/wire.h"

#define ROUTER_PRIORITY_PINNED 254 /* pinned by the operator or by `prefer` (doc/design.md 2.4) */

enum router_phase {
    PHASE_SETTLED,
    PHASE_TAKING,    /* Backup; wants LEVEL_READY */
    PHASE_CLAIMED,   /* Active, and has said so; opens at open_at */
    PHASE_RELEASING, /* Active; wants LEVEL_ABSENT, then says priority 0 */
    PHASE_EMPTIED,   /* Active for others, but nothing is here any more; waits for router_say_released (leaving as a
                        whole) */
};

/*
 * Invariants (router_check): Initialize and Backup have no Adver_Timer; Active has one unless emptied; TAKING only in
 * Backup, CLAIMED, RELEASING and EMPTIED only in Active; level is ABSENT in Initialize and in Backup unless taking.
 */
struct router {
    uint8_t pool;    /* index, for effects */
    uint16_t unit;   /* index, for effects */
    uint8_t version; /* 2 or 3 */
    bool preempt;    /* Preempt_Mode */
    bool silent;     /* its changes of state are told by its owner (an instance) */
    bool unicast;    /* advertisements go to `peers` */
    uint8_t peer_count;
    uint8_t down_adverts; /* lost advertisements after which the Active counts as gone (RFC: 3) */
    const struct peer_settings *peers;
    uint8_t state;              /* enum router_state */
    uint8_t phase;              /* enum router_phase */
    uint8_t priority;           /* 1..254 (255: owner, instances only) */
    uint8_t level;              /* enum unit_level wanted */
    uint8_t level_done;         /* enum unit_level last confirmed */
    bool say_released;          /* releasing: send priority 0 as soon as emptied */
    uint8_t reason;             /* enum reason of the take-over or release under way */
    uint8_t state_reason;       /* ... of the last change of state */
    uint32_t sequence;          /* of the newest EFFECT_LEVEL */
    uint32_t sequence_done;     /* the newest one that the kernel has confirmed; equal: nothing is under way */
    struct addr primary;        /* what this host speaks from */
    int64_t advert_interval_us; /* our own Advertisement_Interval */
    int64_t active_interval_us; /* Active_Adver_Interval: the last accepted one */
    int64_t skew_interval_us;   /* Skew_Time is (256 - priority)/256 of this */
    struct mono adver;          /* Adver_Timer's deadline, or never */
    struct mono down_base;      /* Active_Down_Timer was started then; never: it does not run */
    int64_t down_wait_us;       /* it runs for this plus Skew_Time: router_silence_us, or 0 after priority 0 */
    int64_t down_wait_min_us;   /* no silence is shorter: a member's lease may outlast its units' intervals; 0: RFC */
    int64_t open_delay_us;      /* from the first advertisement to answering; router_tune_opening */
    struct mono claimed_at;     /* the last claim */
    struct mono open_at;        /* CLAIMED: when the filter is to be opened; else never */
    struct mono last_assert;    /* for the rate limit of re-assertions */
    struct mono assert_at;      /* one was held back, and follows then; else never */
    struct mono answer_next;    /* priority 0 from others is not answered before: a storm of it would be reflected */
    uint64_t adverts_sent;      /* counted once, however many peers */
    uint64_t zero_sent;
};

/* What an advertisement was to us. */
enum router_verdict {
    VERDICT_IGNORED,  /* Initialize; or a weaker router while we are Backup and preempt it */
    VERDICT_ACCEPTED, /* Backup: its sender is the Active one */
    VERDICT_YIELDED,  /* we were Active (or taking) and are Backup now: it is stronger */
    VERDICT_WEAKER,   /* we are Active and stay it; asserted unless held back by the rate limit */
    VERDICT_RELEASED, /* priority 0 */
    VERDICT_CLAIMED,  /* we are Active and hear the pinned claim of a member: the pool releases the unit to it */
};

void router_init(struct router *r, unsigned pool, unsigned unit, unsigned version, int64_t advert_interval_us);

/* Initialize -> Backup (RFC 9568 6.4.1). The Active_Down_Timer starts at `now`. */
void router_start(struct router *r, const struct addr *primary, struct mono now, enum reason reason,
                  struct effects *fx);
/* -> Initialize at once and without a word: the link is gone, or nothing more may be sent. */
void router_stop(struct router *r, enum reason reason, struct effects *fx);
/* -> Backup at once and without a word: the stall rule. The timer starts anew and waits `wait_us` plus Skew_Time. */
void router_give_up(struct router *r, struct mono now, int64_t wait_us, enum reason reason, struct effects *fx);

/* Starts the take-over now, as if the Active_Down_Timer had fired. Only in Backup. */
void router_take(struct router *r, enum reason reason, struct effects *fx);
/* Starts a release. With `say_released` priority 0 follows as soon as nothing is here any more, else the router stays
 * emptied until router_say_released. Only when Active; does nothing when it is releasing already. */
void router_release(struct router *r, enum reason reason, bool say_released, struct effects *fx);
/* Emptied: sends priority 0, -> Backup with its timer off. */
void router_say_released(struct router *r, struct effects *fx);

/* The level that is wanted has been reached: level_done alone may be of an earlier time. */
static inline bool router_is_done(const struct router *r)
{
    return r->sequence_done == r->sequence;
}

/* Taking, and the addresses are in place: router_claim is due. */
static inline bool router_is_ready(const struct router *r)
{
    return r->phase == PHASE_TAKING && r->level == LEVEL_READY && router_is_done(r);
}

/* Nothing of it is here, and the kernel has nothing under way. */
static inline bool router_is_empty(const struct router *r)
{
    return r->level == LEVEL_ABSENT && r->sequence_done == r->sequence;
}

/* ... and nothing is left to be said. */
static inline bool router_is_gone(const struct router *r)
{
    return router_is_empty(r) && r->state != ROUTER_ACTIVE && r->phase == PHASE_SETTLED;
}

/* The newest level once more, when the kernel has not confirmed it: the order may be lost. */
void router_ask_again(const struct router *r, struct effects *fx);

/* -> Active: says so first, and opens open_delay_us later. Only when router_is_ready. */
void router_claim(struct router *r, struct mono now, struct effects *fx);
/* CLAIMED: not opened before `until`, nor before open_delay_us have passed; the last word counts. */
void router_hold(struct router *r, struct mono until);

/* Timers of the Active_Down kind, all derived so that a changed priority moves a running timer by the change of skew.
 */
int64_t router_skew_us(const struct router *r);
struct mono router_down_deadline(const struct router *r); /* Active_Down_Timer; never unless Backup and settled */
/* How long silence must last, before skew, until the Active counts as gone: down_adverts x its interval, but not less
 * than down_wait_min_us. */
int64_t router_silence_us(const struct router *r);
void router_wait(struct router *r, struct mono base, int64_t wait_us);
/* Its turn comes later, and stays what it was: the end of a silence, or this host's rank. */
void router_postpone(struct router *r, struct mono until); /* (re)starts Active_Down_Timer */
struct mono router_deadline(const struct router *r);

/* Fires what is due. Adver_Timers due within `slack_us` fire too, so that a host's adverts leave together. */
void router_tick(struct router *r, struct mono now, int64_t slack_us, struct effects *fx);

/* An advertisement that passed all checks. `member`: the sender is a living member of our pool, so 2.4 a holds. */
enum router_verdict router_hear(struct router *r, const struct advert *advert, bool member, struct mono now,
                                struct effects *fx);

/* The answer to an EFFECT_LEVEL. Returns true when it completed a step (state or phase changed). */
bool router_level_done(struct router *r, uint32_t sequence, int error, struct mono now, struct effects *fx);

/* Sends an advertisement now without touching Adver_Timer. Only when Active. */
void router_advertise(struct router *r, struct effects *fx);
/* Backup: asks the unit's owner for it, as the pinned one (doc/design.md 2.4 a). */
void router_request(struct router *r, struct effects *fx);
/* Backup: priority 0 all the same, since somebody waits to hear that nothing answers here. */
void router_say_closed(struct router *r, struct effects *fx);
/* A router that claims waits before it opens, so that of two that claim in the same instant each knows of the other
 * first: 2 ms, or less when `interval_us`, the shortest one that matters, is very short. */
void router_tune_opening(struct router *r, int64_t interval_us);
/* Asserts against a weaker claim: advertisement and announcement, rate-limited. Returns false when held back: it
 * follows at the end of the spacing. */
int64_t router_assert_spacing_us(const struct router *r);
bool router_assert(struct router *r, struct mono now, struct effects *fx);

/* True when `a` would win the election against this router (RFC 9568 6.4.3: priority, then primary address). */
bool router_is_stronger(uint8_t priority, const struct addr *source, const struct router *r);

/* Active, and neither coming nor going. */
static inline bool router_is_settled_active(const struct router *r)
{
    return r->state == ROUTER_ACTIVE && (r->phase == PHASE_SETTLED || r->phase == PHASE_CLAIMED);
}

void router_check(const struct router *r);

#endif
