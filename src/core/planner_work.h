/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the planner share, and nobody else includes: the input in its own order (members by address,
 * units by VRID, so that results cannot depend on the caller's order), and the state that the steps hand on to each
 * other.
 *
 *   planner.c        order the input, place owned units and orphans, forced moves, hand out the result
 *   planner_rank.c   the ranking of all members for each unit
 *   planner_chain.c  moves for evenness: single ones and chains
 *   planner_fewest.c looks whether chains took a detour, and if so finds the way without it
 */
#ifndef EVENKEEL_CORE_PLANNER_WORK_H
#define EVENKEEL_CORE_PLANNER_WORK_H

#include "core/planner.h"

#define NOBODY (-1)

/* How the plan treats a unit. */
enum unit_kind {
    UNIT_KEPT,     /* stays placed with its owner, unless moved */
    UNIT_ORPHAN,   /* without an owner: placed by the orphan rule */
    UNIT_STRAY,    /* with an owner that may not hold it: placed likewise, after the orphans, and moved there */
    UNIT_FOREIGN,  /* held by a stranger: placed as an orphan, counted for nobody */
    UNIT_HOMELESS, /* nobody is eligible */
};

struct work_unit {
    uint64_t eligible; /* of known members */
    uint64_t excluded;
    uint64_t tie_source; /* hash of the unit and `place`: which of several equally good units moves first */
    uint8_t vrid;
    uint8_t kind;  /* enum unit_kind */
    int8_t owner;  /* or NOBODY */
    int8_t prefer; /* or NOBODY */
    int8_t place;  /* where it is at this point of the plan, or NOBODY */
    bool fixed;    /* not to be moved for evenness */
};

/*
 * All members are meant by their index in order of address, all units by their index in order of VRID.
 * Invariant: load[m] is the number of units that are not foreign with place == m.
 * About 35 KiB, on the stack of planner_run().
 */
struct work {
    unsigned member_count;
    unsigned unit_count;
    uint64_t reserve;                                   /* members of share 1 */
    const struct plan_member *member[PLAN_MEMBERS_MAX]; /* the caller's */
    uint8_t member_index[PLAN_MEMBERS_MAX];             /* the caller's index */
    uint8_t unit_index[PLAN_UNITS_MAX];                 /* the caller's index */
    uint8_t share[PLAN_MEMBERS_MAX];
    uint16_t load[PLAN_MEMBERS_MAX];
    struct work_unit unit[PLAN_UNITS_MAX];
    uint8_t tie[PLAN_UNITS_MAX][PLAN_MEMBERS_MAX]; /* place of a member in the unit's order by hash */
};

static inline uint64_t member_bit(int member)
{
    return (uint64_t)1 << member;
}

/* The lowest member of a set that is not empty. */
static inline int first_member(uint64_t set)
{
    return __builtin_ctzll(set);
}

/* (load_a + 1) / share_a against (load_b + 1) / share_b: <0, 0, >0. What one more unit would make of either. */
static inline int compare_fill(unsigned load_a, unsigned share_a, unsigned load_b, unsigned share_b)
{
    unsigned left = (load_a + 1) * share_b;
    unsigned right = (load_b + 1) * share_a;

    return (left > right) - (left < right);
}

static inline int compare_members(const struct work *w, int a, int b)
{
    return compare_fill(w->load[a], w->share[a], w->load[b], w->share[b]);
}

/*
 * Where an orphan may go: the best kind of member that there is for it without the members `without`. Members that
 * serve come before reserves; excluded members are asked only when there is nobody else, since an owner must be
 * found. 0: none.
 */
uint64_t planner_candidates(const struct work *w, const struct work_unit *unit, uint64_t without);

/* The orphan rule: who of planner_candidates() takes `unit` when the loads are `load`; NOBODY when there is none. */
int planner_choose(const struct work *w, unsigned unit, uint64_t without, const uint16_t *load);

/* To whom a kept unit may be moved from where it is. The orphan rule chooses among the same once it is released. */
uint64_t planner_move_targets(const struct work *w, const struct work_unit *unit);

/* Moves a kept unit and appends it to the plan's list. The caller has seen to it that the list has room. */
void planner_move(struct work *w, unsigned unit, int to, struct plan *out);

/* The same without the list. */
void planner_shift(struct work *w, unsigned unit, int to);

/* load_a/share_a - (load_b+1)/share_b as a fraction; what moving one unit from a to b would gain when positive. */
struct gain {
    int32_t numerator;
    int32_t denominator; /* > 0 */
};

static inline struct gain gain_between(const struct work *w, int a, int b)
{
    return (struct gain){
        .numerator = w->load[a] * w->share[b] - (w->load[b] + 1) * w->share[a],
        .denominator = w->share[a] * w->share[b],
    };
}

static inline int compare_gain(struct gain a, struct gain b)
{
    int64_t left = (int64_t)a.numerator * b.denominator;
    int64_t right = (int64_t)b.numerator * a.denominator;

    return (left > right) - (left < right);
}

/* planner_chain.c: appends chains of moves until no chain makes the loads more even. */
void planner_chains(struct work *w, struct plan *out);

/* planner_fewest.c: the same with as few moves as can be. */
void planner_balance(struct work *w, struct plan *out);

/* planner_rank.c: fills out->rank. To be called before any unit is moved. */
void planner_rank(const struct work *w, struct plan *out);

#endif
