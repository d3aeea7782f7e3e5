/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool: units spread evenly over members. Internal to the core.
 *
 *   pool.c       life: start and stop with the link, stalls, the kernel's answers, owners, leaving
 *   pool_tick.c  the tick: deaths, plan, timers, member advertisement, greetings
 *   pool_hear.c  packets: whose they are, what they change in membership and in who holds what
 *   pool_plan.c  the planner's view and what its ranks mean on the wire (priorities)
 *   contest.c    two routers claim one unit: who asserts, who is believed, who is broken
 *   elsewhere.c  an address of a unit is advertised under another VRID
 *   balance.c    planned moves: pacing, flap penalty, pairs tried in vain, drain, take and release
 *   isolation.c  deaf and mute hosts
 *   handover.c   going on with other settings
 *
 * Packets only change what is known (`changed` is set); everything that follows from it happens in pool_tick.
 */
#ifndef EVENKEEL_CORE_POOL_H
#define EVENKEEL_CORE_POOL_H

#include "core/core.h"
#include "core/member.h"
#include "core/router.h"

#define UNIT_CONTENDERS_MAX 3
#define POOL_CLAIM_REPEATS 3              /* of a new owner's claim, at the members' pace */
#define POOL_CROSSING_US (20 * US_PER_MS) /* later than this no packet is still under way that crossed another */

/* Another router that claims a unit while somebody else, we perhaps, holds it. */
struct contender {
    struct addr address; /* none: the slot is free */
    bool noted;          /* as a one-way fault */
    bool awaited;        /* it claimed while we did, and may answer until it says that it does not */
    uint8_t ignored;     /* intervals after whose assertions it still went on */
    struct mono since;   /* its first claim */
    struct mono heard;   /* its last claim */
    struct mono counted; /* its first claim, or the one that last counted as `ignored` */
};

struct unit {
    struct router router;
    const struct unit_settings *settings;
    struct unit_counters counters;
    struct contender contenders[UNIT_CONTENDERS_MAX];

    /* Times. */
    struct mono holder_heard; /* the holder's last advertisement */
    int64_t holder_interval_us;
    struct mono made;           /* its counters began */
    struct mono differs_at;     /* of `differs_from` */
    struct mono stranger_since; /* never: the holder is no stranger */
    bool unwatched; /* this host could not hear, or slept, since it last knew the owner: the gap is not known */
    struct mono vacant_since;   /* nobody holds it since then; never: it is held, or was never */
    struct mono released_until; /* of `released_by` */
    struct mono let_go_at;      /* of `let_go_by` */
    struct mono quiet_until;    /* we have let go: a claim before would count as overtaken by that word */
    struct mono conflict_noted; /* EVENT_CONFLICT's rate limit */
    struct mono patient_until;  /* added by a reload: the first in rank has so long to learn of the unit too */
    struct mono claim_next;
    struct mono still_until; /* no planned move before */
    struct mono moved_at;    /* the last planned move, for the penalty to be forgotten */
    struct mono vain_until;  /* of `vain_target` */
    struct mono owner_since;
    struct mono last_change;
    int64_t last_gap_us;

    /* Addresses and what is smaller, side by side: they need no alignment, and there are 240 units. */
    /* Who holds it, as heard (this host's own state is the router's). */
    uint8_t holder_kind; /* HOLDER_NONE, _MEMBER or _STRANGER */
    uint8_t holder_priority;
    struct addr holder;
    bool stranger_noted;
    bool stranger_seen;      /* ever: then a listening wait is the RFC's, not the members' */
    bool owner_returned;     /* its last owner was taken for dead and is back: it may hold the unit still */
    bool never_owned;        /* nobody has been seen holding it since the start: cold start rules */
    struct addr released_by; /* who said priority 0: no candidate until somebody has claimed the unit (2.4 i), or nobody
                                wants it */
    struct addr let_go_by;   /* who said priority 0 last, since anybody claimed the unit; holder or not */
    bool address_list_differs;
    struct addr address_list_from;
    struct addr address_list_extra, address_list_missing; /* the first that only it, only we have; none */
    uint8_t differs;                                      /* enum unit_difference */
    struct addr differs_from;                             /* none: nobody's did */
    uint8_t elsewhere_vrid; /* under which `elsewhere_from` may answer for an address of it (elsewhere.c) ... */
    struct addr elsewhere_from;
    struct mono elsewhere_until; /* ... so long */
    bool interval_noted;
    uint8_t checksum_heard; /* enum wire_checksum: the form last heard here (checksum auto) */

    /* Planning. */
    uint8_t rank;         /* of this host */
    bool pinned_here;     /* by `take` */
    bool owes_word;       /* we claimed it, and yielded: priority 0 is due once nothing answers here (2.4 l) */
    bool claiming;        /* we ask its owner for it by advertising 254 */
    bool retired;         /* the file does not have it any more: released, and not taken again */
    uint8_t repeats_left; /* of our new claim */
    struct mono repeat_next;
    uint8_t claims_left;
    uint8_t move_penalty;    /* doublings */
    struct addr next;        /* rank 1 of the plan: who gets it if its holder dies */
    struct addr planned;     /* target of a planned move */
    struct addr expected;    /* who should take the released unit */
    struct addr vain_target; /* the pair (unit, member) was tried in vain */

    /* The last change of ownership. */
    struct addr owner;  /* as last noted; ADDR_NONE: nobody */
    uint8_t owner_kind; /* enum holder_kind */
    uint8_t last_reason;
    struct addr last_from, last_to;
};

/* A move at the head of the plan, watched so that nobody holds up the others. */
struct watched_move {
    uint8_t vrid; /* 0: none */
    struct addr to;
    struct mono since;
};

struct vrid_heard {
    struct addr from;
    bool goodbye;        /* it was priority 0: what follows is a new start */
    bool unit;           /* no member's own router, but what looks like a unit */
    struct addr address; /* the first it advertised */
    int64_t interval_us;
    struct mono at;
};

struct pool {
    uint8_t index;
    const struct core_settings *all;
    struct pool *pools; /* of the core, all->pool_count; this one is pools[index] */
    const struct pool_settings *settings;
    struct unit *units; /* settings->unit_count */
    struct members members;
    struct pool_counters counters;
    struct plan *plan; /* scratch shared by all pools; valid only inside pool_plan.c */
    struct plan_unit *plan_units;

    bool link_up;      /* of the pool's own link */
    uint32_t links_up; /* all links */
    bool ready;        /* started: link up and a primary address */
    bool leaving, left;
    bool retired; /* the file does not have the pool any more */
    bool shed;    /* leaving: nobody is left to give a unit to, or no unit */
    bool going;   /* leaving: the rest is being removed, goodbye follows */
    bool drained, drain_now;
    bool faulted;      /* share 0: may hold nothing */
    bool changed;      /* the view changed: plan anew in the next tick */
    bool hurry;        /* EVENT_REBALANCE: the next round waits for nothing */
    uint8_t own_share; /* configured or set by EVENT_SHARE */
    uint8_t member_vrid;
    struct addr primary;
    struct mono started;       /* of the daemon */
    struct mono ready_since;   /* of the last start of the routers */
    struct mono member_adver;  /* next member advertisement; never while not ready */
    struct mono lease_base;    /* the lease was last known to begin then */
    int64_t lease_us;          /* ... and lasts so long: what others were told last may differ from the settings */
    struct mono lease_pending; /* a member advertisement went out with this time; never: none is unconfirmed */
    struct mono view_changed;  /* membership changed, or a unit lost its owner */
    struct mono last_move;     /* planned move, by anybody */
    struct mono leave_by;      /* leaving: goodbye then, whoever has not taken over; else never */
    struct mono last_greeting; /* all units advertised for a newcomer (2.4 e) */
    struct mono rejoined;      /* the last isolation ended */
    bool greet;
    bool greet_returned; /* ... somebody who was lost: announce too */
    bool say_gone;       /* once nothing is here: goodbye for what this host was before it started or stalled */
    struct watched_move watched;
    uint16_t round_left; /* moves of the round under way; 0: none is */
    uint32_t arm_sequence;
    struct mono arm_asked;    /* the newest EFFECT_ARM */
    bool armed;               /* the lease is in place: units may be taken */
    struct mono balance_next; /* when balancing wants a look again */
    struct mono moves_wanted; /* moves wait since then for the view to be still; never: none do */
    struct mono duplicate_noted;

    /* isolation.c */
    uint8_t isolation;        /* enum isolation_state */
    bool third_party_unknown; /* the last probe found nobody to ask */
    bool mute_suspected;      /* our assertions are ignored: probing */
    bool mute_evident;        /* ... three times */
    struct mono probe_next;
    struct mono probe_started; /* of the suspicion */
    struct mono heard_any;     /* a frame from a third party */
    struct mono heard_answer;  /* an answer to a probe */
    struct mono heard_member;  /* any member */
    struct mono heard_last;    /* any packet at all, or the last tick: what `contested` in a view is measured against */

    struct vrid_heard heard[256]; /* VRIDs in use by others than our pools' units */
};

/* pool.c */
void pool_init(struct pool *p, unsigned index, const struct core_settings *all, struct unit *units, struct plan *plan,
               struct plan_unit *plan_units, struct mono now);
void pool_link(struct pool *p, unsigned link, bool up, const struct addr *primary, struct mono now, struct effects *fx);
void pool_tick(struct pool *p, struct mono now, struct effects *fx);
bool pool_check_stall(struct pool *p, struct mono now, struct effects *fx);
void pool_level_done(struct pool *p, unsigned unit, uint32_t sequence, int error, struct mono now, struct effects *fx);
void pool_armed(struct pool *p, uint32_t sequence, struct mono now, struct effects *fx);
void pool_sent(struct pool *p, struct mono now, struct effects *fx);
void pool_leave(struct pool *p, struct mono now);
struct mono pool_deadline(const struct pool *p);
void pool_check(const struct pool *p);

/* After the ticks of all pools: leaving goes on. */
void pool_leave_tick(struct pool *p, struct mono now, struct effects *fx);

/* pool.c, for pool_tick.c: the addresses are in place, so the claim may leave; all pools of one interface and family
 * share what this host says of itself. */
void pool_claim(struct pool *p, struct unit *u, struct mono now, struct effects *fx);
/* pool.c, for handover.c: where the pool stands in its core; repeats an Active's word at the members' pace; the own
 * VRID when a unit has it now, or another one is configured; releases what is left, goodbye follows. */
void pool_bind(struct pool *p, unsigned index, const struct core_settings *all, struct unit *units, struct plan *plan,
               struct plan_unit *plan_units);
void pool_repeat_soon(const struct pool *p, struct unit *u, struct mono now);
void pool_recheck_member_vrid(struct pool *p, bool configured_anew, struct mono now, struct effects *fx);
void pool_go(struct pool *p, enum reason reason, struct effects *fx);

void pool_arm(struct pool *p, struct mono now, struct effects *fx);
/* A lease that was asked for so long ago and never renewed may have ended. */
bool pool_slept_since_arming(const struct pool *p, struct mono now);
bool pool_is_on_same_wire(const struct pool *p, const struct pool *q);
bool pool_is_wire_emptied(const struct pool *p);

/* What this host is for others: reserve while starting, drained, isolated or faulted. Others know a host by its address
 * alone, so the pools of one wire (link and family) share one membership: they advertise the smallest of their shares,
 * and goodbye only when nothing of any of them is here. */
uint8_t pool_advertised_share(const struct pool *p, struct mono now);
/* May this host hold the unit at all: links up, not isolated, not leaving, eligible. */
bool pool_may_hold(const struct pool *p, const struct unit *u);
void pool_tune_timers(const struct pool *p, struct unit *u);
unsigned pool_unit_index(const struct pool *p, const struct unit *u);

/* The one place where a change of owner is recorded and told. */
void pool_note_owner(struct pool *p, struct unit *u, enum holder_kind kind, const struct addr *owner,
                     enum reason reason, struct mono now, struct effects *fx);
struct effect *pool_note(struct pool *p, struct unit *u, enum note_kind kind, struct effects *fx); /* u may be NULL */
/* The unit has no holder any more: timers to skew, waiting for ranks. `since`: the last moment it was served. */
void pool_unit_vacant(struct pool *p, struct unit *u, struct mono since, struct mono now, enum reason reason);
/* It has no holder, and its timer runs to this host's turn. */
bool pool_unit_waits_for_rank(const struct unit *u);
/* `address` claims it no longer: nobody waits for that one. */
void pool_claimant_gone(const struct pool *p, struct unit *u, const struct addr *address, struct mono now);
void pool_member_gone(struct pool *p, struct member *m, enum member_state state, struct mono now, struct effects *fx);
/* Nothing of the unit answers here, and somebody waits to hear that (2.4 l). */
void pool_say_closed(const struct pool *p, struct unit *u, struct mono now, struct effects *fx);
/* A claim that arrives so soon after its sender's priority 0 was sent before it. */
int64_t pool_crossing_us(const struct pool *p);
/* A unit of any pool on this one's interface and family has the VRID. */
bool pool_vrid_is_a_units(const struct pool *p, unsigned vrid);
/* Chooses the VRID for this host's own advertisements; counts on `heard`, the pool's units and the members. */
void pool_choose_member_vrid(struct pool *p, struct mono now, struct effects *fx);

/* pool_hear.c: a parsed packet of this link and family. False: it was none of this pool's business. */
bool pool_hear(struct pool *p, const struct advert *advert, struct mono received, struct mono now, struct effects *fx);

void pool_set_holder(struct pool *p, struct unit *u, const struct advert *advert, bool member, struct mono received,
                     enum reason reason, struct mono now, struct effects *fx);

/* elsewhere.c: a member advertises this address under the advertisement's VRID; which one it is known by. */
void elsewhere_heard(struct pool *p, const struct advert *advert, const struct addr *address, struct mono received,
                     struct mono now, struct effects *fx);
bool elsewhere_is_of(const struct unit *u, const struct addr *address);
struct addr elsewhere_named(const struct advert *advert);
void elsewhere_member_gone(const struct pool *p, struct unit *u, const struct addr *member, struct mono now);

/* contest.c */
/* `by` claims the unit that `against` holds: counted, told once. */
void contest_claim(struct pool *p, struct unit *u, const struct addr *by, const struct addr *against, struct mono now,
                   struct effects *fx);
/* `by`, whose claim was heard last at `heard`, has had a reason to yield or release since `opposed`. */
void contest_remember(struct unit *u, const struct addr *by, struct mono heard, struct mono opposed);
/* We are Active, and somebody weaker claims the unit too. `known`: it is, was or may be a member. */
void contest_weaker(struct pool *p, struct unit *u, const struct advert *advert, bool member, bool known,
                    struct mono received, struct mono now, struct effects *fx);
/* Its holder is gone: until when another claimant may hold the unit nevertheless (2.4 j). `now`: none does. */
struct mono contest_claimed_until(const struct pool *p, const struct unit *u, struct mono now);
/* We have claimed it: until when another claimant that is weaker may answer, unless it says before that it does not
 * (2.4 l). */
struct mono contest_open_after(const struct pool *p, const struct unit *u);
/* A member that does not hear us, as shown a short while ago, or NULL. This host is a reserve meanwhile: what it took,
 * that member would take too. */
const struct member *contest_one_way(const struct pool *p, struct mono now);
/* A member's claim, sooner than its interval says: it greets a newcomer (2.4 e), and if that is nobody else, it hears
 * us. A new owner's says nothing of that, since it is repeated whoever hears it. */
void contest_hears_us_again(struct pool *p, const struct unit *u, const struct advert *advert, struct mono now);
/* `address` claims it no longer. Returns true when it did. */
bool contest_end(struct unit *u, const struct addr *address);
/* The latest contender heard after `since`, or NULL. */
const struct contender *contest_latest(const struct unit *u, struct mono since);

/* pool_plan.c */
void pool_replan(struct pool *p, struct mono now, struct effects *fx);
unsigned pool_plan_members(const struct pool *p, struct plan_member *out);
void pool_plan_input(const struct pool *p, const struct plan_member *members, unsigned member_count, struct mono now,
                     struct plan_unit *units);
/* The plan as it would be with the changes; units[] and *plan are the caller's. Returns the number of members. */
unsigned pool_plan_what_if(const struct pool *p, struct mono now, const struct plan_change *changes,
                           unsigned change_count, struct plan_member *members, struct plan_unit *units,
                           struct plan *plan);
/* Members lost without goodbye and not yet forgotten at `now`: q of 2.4, before its limit. */
unsigned pool_count_lost(const struct pool *p, struct mono now);

/* balance.c */
void balance_tick(struct pool *p, const struct plan_member *members, const struct plan *plan, struct mono now,
                  struct effects *fx);
/* Planned moves to `m` are not tried now; who must shed its units tries sooner again, unless `m` never held any. */
bool balance_avoids(const struct member *m, bool shedding, struct mono now);
void balance_claimed(struct pool *p, struct unit *u, const struct addr *by, struct mono now);
void balance_claim_tick(struct pool *p, struct mono now, struct effects *fx);
enum core_result balance_take(struct pool *p, struct unit *u, struct mono now);
enum core_result balance_give(struct pool *p, struct unit *u, struct mono now, struct effects *fx);
enum core_result balance_drain(struct pool *p, bool at_once);
enum core_result balance_undrain(struct pool *p);
void balance_hurry(struct pool *p, struct mono now);

/* isolation.c */
void isolation_init(struct pool *p, struct mono now);
void isolation_tick(struct pool *p, struct mono now, struct effects *fx);
bool isolation_is_isolated(const struct pool *p); /* deaf or mute: claims nothing */
/* No member was heard for so long that it may be us who is deaf. */
bool isolation_is_silent(const struct pool *p, struct mono now);
/* A member is about to be judged dead, and no other one is heard: is it us who is deaf? Then we claim nothing. */
void isolation_judge(struct pool *p, struct mono now, struct effects *fx);
/* Somebody ignores our assertions in a contest that lasts since `since`. `evident`: often enough to conclude something,
 * should nobody answer our probes. */
void isolation_suspect_mute(struct pool *p, bool evident, struct mono since, struct mono now, struct effects *fx);
/* We are not mute: a third party answered after `since`, or there is none to ask. */
bool isolation_is_answered(const struct pool *p, struct mono since);
void isolation_heard(struct pool *p, struct mono received, bool answer, struct mono now, struct effects *fx);
void isolation_probe_impossible(struct pool *p, struct mono now, struct effects *fx);
struct mono isolation_deadline(const struct pool *p);

#endif
