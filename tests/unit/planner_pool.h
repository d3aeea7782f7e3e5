/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools for test_planner.c, and the checks of the properties that every plan must have. Included by that program only.
 */
#ifndef EVENKEEL_TESTS_PLANNER_POOL_H
#define EVENKEEL_TESTS_PLANNER_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "core/planner.h"

#define ALL_MEMBERS UINT64_MAX

/* One pool and its plan. */
struct pool {
    struct plan_member member[PLAN_MEMBERS_MAX];
    struct plan_unit unit[PLAN_UNITS_MAX];
    unsigned member_count;
    unsigned unit_count;
    bool rebalance;
    struct plan plan;
};

static uint64_t bit(int member)
{
    return (uint64_t)1 << member;
}

static struct addr test_address(unsigned i)
{
    return (struct addr){.family = FAMILY_IPV4, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
}

/* Members 10.0.0.1.. of share 100, units with VRID 50.. that nobody holds and everybody may hold. */
static void pool_init(struct pool *p, unsigned member_count, unsigned unit_count)
{
    memset(p, 0, sizeof(*p));
    p->member_count = member_count;
    p->unit_count = unit_count;
    p->rebalance = true;
    for (unsigned m = 0; m < member_count; m++)
        p->member[m] = (struct plan_member){.address = test_address(m), .share = 100};
    for (unsigned u = 0; u < unit_count; u++)
        p->unit[u] = (struct plan_unit){
            .vrid = (uint8_t)((u + 49) % 255 + 1), .owner = PLAN_NONE, .prefer = PLAN_NONE, .eligible = ALL_MEMBERS};
}

static void run(struct pool *p)
{
    planner_run(p->member, p->member_count, p->unit, p->unit_count, p->rebalance, &p->plan);
}

static bool is_reserve(const struct pool *p, int m)
{
    return p->member[m].share == 1;
}

static bool is_held(const struct plan_unit *unit)
{
    return !unit->foreign && unit->owner != PLAN_NONE;
}

static uint64_t members_mask(const struct pool *p)
{
    return p->member_count == 64 ? UINT64_MAX : bit((int)p->member_count) - 1;
}

/* The pool after the first `moves` moves of its plan, with all orphans claimed by those that they were placed on. */
static void pool_after(const struct pool *p, unsigned moves, struct pool *after)
{
    *after = *p;
    for (unsigned u = 0; u < p->unit_count; u++)
        if (!p->unit[u].foreign && p->unit[u].owner == PLAN_NONE)
            after->unit[u].owner = p->plan.placed[u];
    for (unsigned i = 0; i < moves; i++)
        after->unit[p->plan.moves[i].unit].owner = p->plan.moves[i].to;
}

static void check_ranks(const struct pool *p)
{
    for (unsigned u = 0; u < p->unit_count; u++) {
        uint64_t seen = 0;

        for (unsigned m = 0; m < p->member_count; m++)
            seen |= bit(p->plan.rank[u][m]);
        assert_true(seen == members_mask(p));
        if (p->plan.placed[u] != PLAN_NONE)
            assert_int_equal(p->plan.rank[u][p->plan.placed[u]], 0);
        if (p->plan.placed[u] == PLAN_NONE)
            continue;

        /* Beyond the first two: who serves, reserves, excluded or not eligible. */
        unsigned at_rank[PLAN_MEMBERS_MAX];
        unsigned last_tier = 0;

        for (unsigned m = 0; m < p->member_count; m++)
            at_rank[p->plan.rank[u][m]] = m;
        for (unsigned r = 1; r < p->member_count; r++) {
            uint64_t b = bit((int)at_rank[r]);
            bool out = !(p->unit[u].eligible & b) || (p->unit[u].excluded & b);
            unsigned tier = out ? 2 : is_reserve(p, (int)at_rank[r]) ? 1 : 0;

            assert_true(tier >= last_tier);
            last_tier = tier;
        }
    }
}

/* Moves lead from placed to target, loads add up, and what may not move does not. */
static void check_moves(const struct pool *p)
{
    int16_t at[PLAN_UNITS_MAX];
    uint16_t load[PLAN_MEMBERS_MAX] = {0};
    uint16_t final_load[PLAN_MEMBERS_MAX] = {0};

    for (unsigned u = 0; u < p->unit_count; u++) {
        const struct plan_unit *unit = &p->unit[u];

        at[u] = p->plan.placed[u];
        if (at[u] != PLAN_NONE && !unit->foreign)
            load[at[u]]++;
        if (is_held(unit) && (unit->eligible & members_mask(p)) && (unit->eligible >> unit->owner & 1))
            assert_int_equal(at[u], unit->owner);
        if (!(unit->eligible & members_mask(p)))
            assert_int_equal(at[u], PLAN_NONE);
    }
    for (unsigned i = 0; i < p->plan.move_count; i++) {
        const struct plan_move *move = &p->plan.moves[i];
        const struct plan_unit *unit = &p->unit[move->unit];

        assert_true(is_held(unit) && !unit->pinned && !unit->still);
        assert_true(move->from != move->to);
        assert_true(unit->eligible >> move->to & 1);
        if (unit->eligible >> unit->owner & 1)
            assert_int_equal(at[move->unit], move->from);
        else
            assert_int_equal(unit->owner, move->from);
        at[move->unit] = move->to;
    }
    for (unsigned u = 0; u < p->unit_count; u++) {
        assert_int_equal(at[u], p->plan.target[u]);
        if (at[u] != PLAN_NONE && !p->unit[u].foreign)
            final_load[at[u]]++;
    }
    assert_memory_equal(load, p->plan.load, sizeof(load));
    assert_memory_equal(final_load, p->plan.final_load, sizeof(final_load));
}

/* Each move's unit, released by its owner when its turn has come, goes where the move says. */
static void check_releases(const struct pool *p, unsigned most)
{
    struct pool after;

    for (unsigned i = 0; i < p->plan.move_count && i < most; i++) {
        const struct plan_move *move = &p->plan.moves[i];

        pool_after(p, i, &after);
        after.unit[move->unit].owner = PLAN_NONE;
        after.unit[move->unit].excluded |= bit(move->from);
        run(&after);
        assert_int_equal(after.plan.placed[move->unit], move->to);
    }
}

/* Rank 1 is where a plan without the dead member places its units. */
static void check_crash(const struct pool *p, int dead)
{
    struct pool after = *p;
    int last = (int)p->member_count - 1;

    if (p->member_count == 1)
        return;
    /* Held by somebody who may not hold it, and now nobody may: such a unit drops out of the plan and its load. */
    for (unsigned u = 0; u < p->unit_count; u++)
        if ((p->unit[u].eligible & members_mask(p)) == bit(dead) && p->plan.placed[u] != dead)
            return;
    after.member[dead] = after.member[last];
    after.member_count--;
    for (unsigned u = 0; u < p->unit_count; u++) {
        struct plan_unit *unit = &after.unit[u];
        uint64_t moved = unit->eligible >> last & 1;
        uint64_t moved_excluded = unit->excluded >> last & 1;

        unit->eligible = (unit->eligible & ~bit(dead) & ~bit(last)) | (last != dead ? moved << dead : 0);
        unit->excluded = (unit->excluded & ~bit(dead) & ~bit(last)) | (last != dead ? moved_excluded << dead : 0);
        unit->owner = unit->owner == dead ? PLAN_NONE : unit->owner == last ? (int16_t)dead : unit->owner;
        unit->prefer = unit->prefer == dead ? PLAN_NONE : unit->prefer == last ? (int16_t)dead : unit->prefer;
    }
    run(&after);
    for (unsigned u = 0; u < p->unit_count; u++) {
        if (p->plan.placed[u] != dead || p->unit[u].foreign || after.plan.placed[u] == PLAN_NONE)
            continue;

        int heir = after.plan.placed[u] == dead ? last : after.plan.placed[u];

        assert_int_equal(p->plan.rank[u][heir], 1);
    }
}

/* The same pool with both arrays shuffled has the same plan. */
static void check_order(const struct pool *p, struct prng *prng)
{
    struct pool other = *p;
    int16_t member_to[PLAN_MEMBERS_MAX]; /* our index -> the other's */
    uint8_t unit_to[PLAN_UNITS_MAX];

    for (unsigned i = 0; i < p->member_count; i++)
        member_to[i] = (int16_t)i;
    for (unsigned i = 0; i < p->unit_count; i++)
        unit_to[i] = (uint8_t)i;
    for (unsigned i = p->member_count; i > 1; i--) {
        uint64_t j = prng_below(prng, i);
        int16_t swap = member_to[i - 1];

        member_to[i - 1] = member_to[j];
        member_to[j] = swap;
    }
    for (unsigned i = p->unit_count; i > 1; i--) {
        uint64_t j = prng_below(prng, i);
        uint8_t swap = unit_to[i - 1];

        unit_to[i - 1] = unit_to[j];
        unit_to[j] = swap;
    }
    for (unsigned m = 0; m < p->member_count; m++)
        other.member[member_to[m]] = p->member[m];
    for (unsigned u = 0; u < p->unit_count; u++) {
        struct plan_unit *unit = &other.unit[unit_to[u]];

        *unit = p->unit[u];
        unit->eligible = unit->excluded = 0;
        for (unsigned m = 0; m < p->member_count; m++) {
            unit->eligible |= (p->unit[u].eligible >> m & 1) << member_to[m];
            unit->excluded |= (p->unit[u].excluded >> m & 1) << member_to[m];
        }
        unit->owner = unit->owner == PLAN_NONE ? PLAN_NONE : member_to[unit->owner];
        unit->prefer = unit->prefer == PLAN_NONE ? PLAN_NONE : member_to[unit->prefer];
    }
    run(&other);
    assert_int_equal(other.plan.move_count, p->plan.move_count);
    for (unsigned i = 0; i < p->plan.move_count; i++) {
        assert_int_equal(other.plan.moves[i].unit, unit_to[p->plan.moves[i].unit]);
        assert_int_equal(other.plan.moves[i].from, member_to[p->plan.moves[i].from]);
        assert_int_equal(other.plan.moves[i].to, member_to[p->plan.moves[i].to]);
    }
    for (unsigned u = 0; u < p->unit_count; u++)
        for (unsigned m = 0; m < p->member_count; m++)
            assert_int_equal(other.plan.rank[unit_to[u]][member_to[m]], p->plan.rank[u][m]);
}

static void check_plan(const struct pool *p)
{
    check_ranks(p);
    check_moves(p);
    check_releases(p, 6);
}

static void plan(struct pool *p)
{
    run(p);
    check_plan(p);
}

/* A unit that balancing may move, at the end of the plan. */
static bool is_movable(const struct pool *p, unsigned u)
{
    const struct plan_unit *unit = &p->unit[u];

    return is_held(unit) && !unit->pinned && !unit->still && unit->prefer == PLAN_NONE &&
           (unit->eligible >> unit->owner & 1);
}

/* No chain of moves of movable units between serving members could lower the higher of two loads. */
static void check_even(const struct pool *p)
{
    uint64_t reach[PLAN_MEMBERS_MAX] = {0};
    unsigned n = p->member_count;

    for (unsigned u = 0; u < p->unit_count; u++)
        if (is_movable(p, u))
            reach[p->plan.target[u]] |= p->unit[u].eligible & ~p->unit[u].excluded & members_mask(p);
    for (unsigned k = 0; k < n; k++)
        for (unsigned a = 0; a < n; a++)
            if (!is_reserve(p, (int)k) && (reach[a] >> k & 1))
                reach[a] |= reach[k];
    for (unsigned a = 0; a < n; a++) {
        for (unsigned b = 0; b < n; b++) {
            if (!(reach[a] >> b & 1) || is_reserve(p, (int)a) || is_reserve(p, (int)b))
                continue;
            assert_true(p->plan.final_load[a] * p->member[b].share <= (p->plan.final_load[b] + 1) * p->member[a].share);
        }
    }
}

#endif
