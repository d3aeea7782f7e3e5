/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner: from members with shares and units with owners, a pure function computes who should hold what, the list
 * of moves that gets there, and for every unit a ranking of all members. All hosts with the same view compute the same
 * result; nothing depends on the order of the input arrays (members and units are ordered by address and VRID inside).
 *
 * The rules are those of doc/design.md 2.3: keep, orphans to the least loaded, single moves (and, with restricted
 * eligibility, chains of moves: cost-reducing paths of Harvey, Ladner, Lovasz, Tamir, "Semi-matchings for bipartite
 * graphs and load balancing", 2003/2006) until no move lowers the highest load/share.
 */
#ifndef EVENKEEL_CORE_PLANNER_H
#define EVENKEEL_CORE_PLANNER_H

#include "base/addr.h"

#define PLAN_MEMBERS_MAX 64
#define PLAN_UNITS_MAX 255
#define PLAN_NONE (-1)

struct plan_member {
    struct addr address; /* identity; distinct */
    uint8_t share;       /* 2..254 weight of the load; 1: reserve, gets only what nobody else may hold */
};

struct plan_unit {
    uint8_t vrid;   /* identity; distinct, 1..255 */
    bool pinned;    /* stays with its owner whatever the loads */
    bool still;     /* may not be moved now (it moved a short while ago), though its owner may of course lose it */
    bool foreign;   /* held by a stranger: counts for nobody; it is placed as an orphan would be, in case the stranger
                       goes */
    int16_t owner;  /* index of the member that holds it, or PLAN_NONE */
    int16_t prefer; /* index of the living member the configuration prefers, or PLAN_NONE */
    uint64_t eligible; /* bit i: member i may hold it. 0: nobody may (then it is left alone) */
    uint64_t
        excluded; /* bit i: member i is no target now (it has just released the unit, or the pair was tried in vain) */
};

struct plan_move {
    uint8_t unit; /* index into units */
    int8_t from;  /* index into members */
    int8_t to;
};

struct plan {
    int16_t target[PLAN_UNITS_MAX]; /* member index per unit, PLAN_NONE when nobody is eligible */
    int16_t placed[PLAN_UNITS_MAX]; /* target without the moves: owner, or where the orphan goes now */
    uint8_t rank[PLAN_UNITS_MAX]
                [PLAN_MEMBERS_MAX];         /* rank of each member for each unit: a permutation of 0..members-1 */
    uint16_t load[PLAN_MEMBERS_MAX];        /* units placed per member, before moves */
    uint16_t final_load[PLAN_MEMBERS_MAX];  /* after all moves */
    struct plan_move moves[PLAN_UNITS_MAX]; /* in the order in which they should be carried out */
    uint16_t move_count;
};

/*
 * Computes *out. member_count 1..PLAN_MEMBERS_MAX, unit_count 0..PLAN_UNITS_MAX. `rebalance` false: no moves except
 * those that `prefer` and reserve members demand.
 *
 * The contract, tested against brute force:
 *  - Without moves: every owned unit whose owner is in `eligible` stays placed with it; orphans, in VRID order, go to
 * the eligible member, not excluded, with the smallest (load+1)/share, ties by hash(vrid, address).
 *  - Moves of preferred units and of units on reserve members come first. Then: while moving one unit from a to b
 * lowers the maximum of the two, load_a/share_a > (load_b+1)/share_b, the pair with the largest difference, the unit by
 * hash; with restricted eligibility a chain of moves counts as one step. Pinned and still units never move.
 *  - If a move's unit were released by its owner (owner PLAN_NONE, excluded the old owner) and everything else stayed,
 * the orphan rule must choose that same move's target, so that every host agrees who takes it.
 *  - Rank 0 is `placed` (for an owned unit: its owner; for an orphan: where it goes). Rank 1 of an owned unit is where
 * it goes if its owner died now (each owner's death is simulated with the orphan rule, over all its units). Then by
 *    (load+1)/share. Reserve members come after all others, members that are not eligible or are excluded last.
 */
void planner_run(const struct plan_member *members, unsigned member_count, const struct plan_unit *units,
                 unsigned unit_count, bool rebalance, struct plan *out);

#endif
