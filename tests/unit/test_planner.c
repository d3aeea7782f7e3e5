/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner against its contract: single situations, then brute force over small pools, then random pools of any
 * size. Every plan goes through the checks of planner_pool.h, which hold the properties that are always due.
 */
#include <time.h>

#include "base/check.h"
#include "planner_pool.h"

/* ---- brute force over all assignments of a small pool; everything is held, and nothing but eligibility binds */

#define SHARE_MULTIPLE 600 /* a multiple of all shares used with brute force, so that costs are whole numbers */

struct optimum {
    uint64_t cost;    /* the sum over members of load(load+1)/share: the least is the most even (see planner_chain.c) */
    unsigned highest; /* the least possible highest load/share */
    unsigned moves;   /* the fewest units moved from their owners to reach the least cost */
};

static uint64_t cost_of(const struct pool *p, const uint16_t *load)
{
    uint64_t cost = 0;

    for (unsigned m = 0; m < p->member_count; m++)
        cost += (uint64_t)load[m] * (load[m] + 1u) * (SHARE_MULTIPLE / p->member[m].share);
    return cost;
}

static unsigned highest_of(const struct pool *p, const uint16_t *load)
{
    unsigned highest = 0;

    for (unsigned m = 0; m < p->member_count; m++) {
        unsigned here = (unsigned)load[m] * (SHARE_MULTIPLE / p->member[m].share);

        highest = here > highest ? here : highest;
    }
    return highest;
}

static void try_all(const struct pool *p, struct optimum *best)
{
    unsigned at[8] = {0};
    uint16_t load[PLAN_MEMBERS_MAX] = {0};
    unsigned moved = 0;
    unsigned depth = 0;

    /* Depth-first without recursion: at[depth] is the next member to try for unit `depth`. */
    for (;;) {
        if (depth == p->unit_count) {
            uint64_t cost = cost_of(p, load);
            unsigned highest = highest_of(p, load);

            if (cost < best->cost || (cost == best->cost && moved < best->moves)) {
                best->cost = cost;
                best->moves = moved;
            }
            best->highest = highest < best->highest ? highest : best->highest;
        } else if (at[depth] < p->member_count) {
            unsigned m = at[depth];

            if (p->unit[depth].eligible >> m & 1) {
                load[m]++;
                moved += p->unit[depth].owner != (int)m;
                depth++;
                at[depth] = 0;
            } else {
                at[depth]++;
            }
            continue;
        }
        if (depth == 0)
            return;
        depth--;
        load[at[depth]]--;
        moved -= p->unit[depth].owner != (int)at[depth];
        at[depth]++;
    }
}

static struct optimum find_optimum(const struct pool *p)
{
    struct optimum best = {.cost = UINT64_MAX, .highest = UINT32_MAX, .moves = UINT32_MAX};

    try_all(p, &best);
    return best;
}

/* All vectors of loads: what try_all() comes to when everybody may hold everything, but much faster. */
static void try_loads(const struct pool *p, uint16_t *load, unsigned member, unsigned left, struct optimum *best)
{
    if (member + 1 < p->member_count) {
        for (unsigned n = 0; n <= left; n++) {
            load[member] = (uint16_t)n;
            try_loads(p, load, member + 1, left - n, best);
        }
        return;
    }
    load[member] = (uint16_t)left;

    uint64_t cost = cost_of(p, load);
    unsigned moves = 0;

    for (unsigned m = 0; m < p->member_count; m++)
        moves += p->plan.load[m] > load[m] ? (unsigned)(p->plan.load[m] - load[m]) : 0;
    if (cost < best->cost || (cost == best->cost && moves < best->moves)) {
        best->cost = cost;
        best->moves = moves;
    }
}

static void check_unrestricted(const struct pool *p)
{
    struct optimum best = {.cost = UINT64_MAX, .moves = UINT32_MAX};
    uint16_t load[PLAN_MEMBERS_MAX];
    bool equal = true;
    unsigned low = UINT32_MAX;
    unsigned high = 0;

    try_loads(p, load, 0, p->unit_count, &best);
    assert_int_equal(cost_of(p, p->plan.final_load), best.cost);
    assert_int_equal(p->plan.move_count, best.moves);
    for (unsigned m = 0; m < p->member_count; m++) {
        equal = equal && p->member[m].share == p->member[0].share;
        low = p->plan.final_load[m] < low ? p->plan.final_load[m] : low;
        high = p->plan.final_load[m] > high ? p->plan.final_load[m] : high;
    }
    assert_true(!equal || high - low <= 1);
}

static void test_planner__all_ownerships_of_small_pools__even_with_fewest_moves(void **state)
{
    static const uint8_t shares[][4] = {
        {100, 100, 100, 100}, {50, 100, 150, 200}, {100, 100, 200, 100}, {25, 100, 75, 2}};
    struct pool p;
    unsigned cases = 0;

    (void)state;
    for (unsigned s = 0; s < ARRAY_LENGTH(shares); s++) {
        for (unsigned n = 1; n <= 4; n++) {
            for (unsigned k = 1; k <= 6; k++) {
                pool_init(&p, n, k);
                for (unsigned m = 0; m < n; m++)
                    p.member[m].share = shares[s][m];
                for (unsigned u = 0; u < k;) {
                    run(&p);
                    check_ranks(&p);
                    check_moves(&p);
                    check_unrestricted(&p);
                    check_even(&p);
                    if (cases++ % 4 == 0)
                        check_releases(&p, 6);
                    /* The next ownership: count up in base n + 1. */
                    for (u = 0; u < k && ++p.unit[u].owner == (int)n; u++)
                        p.unit[u].owner = PLAN_NONE;
                }
            }
        }
    }
    print_message("%u pools\n", cases);
}

static void random_eligibility(struct pool *p, struct prng *prng, bool orphans)
{
    for (unsigned u = 0; u < p->unit_count; u++) {
        struct plan_unit *unit = &p->unit[u];

        do
            unit->eligible = prng_next(prng) & members_mask(p);
        while (unit->eligible == 0);
        do
            unit->owner = (int16_t)prng_between(prng, orphans ? -1 : 0, (int)p->member_count - 1);
        while (unit->owner != PLAN_NONE && !(unit->eligible >> unit->owner & 1));
    }
}

static void test_planner__small_pools_of_restricted_eligibility__optimum_with_fewest_moves(void **state)
{
    static const uint8_t shares[] = {50, 100, 150, 200};
    struct prng prng = prng_seed(2);

    (void)state;
    for (unsigned i = 0; i < 40000; i++) {
        struct pool first;
        struct pool p;

        pool_init(&first, 2 + (unsigned)prng_below(&prng, 3), 1 + (unsigned)prng_below(&prng, 6));
        for (unsigned m = 0; m < first.member_count; m++)
            first.member[m].share = i % 2 ? shares[prng_below(&prng, 4)] : 100;
        random_eligibility(&first, &prng, i % 4 >= 2);
        plan(&first);
        /* Orphans have landed; what is left to do is counted from there. */
        pool_after(&first, 0, &p);
        plan(&p);
        check_even(&p);

        struct optimum best = find_optimum(&p);

        assert_int_equal(cost_of(&p, p.plan.final_load), best.cost);
        assert_int_equal(highest_of(&p, p.plan.final_load), best.highest);
        assert_int_equal(p.plan.move_count, best.moves);
    }
}

/* ---- random pools of any size */

static int16_t random_member(const struct pool *p, struct prng *prng)
{
    return (int16_t)prng_below(prng, p->member_count);
}

static void random_unit(struct pool *p, struct plan_unit *unit, struct prng *prng, uint32_t strange_ppm)
{
    unit->owner = prng_chance_ppm(prng, 150000) ? PLAN_NONE : random_member(p, prng);
    if (prng_chance_ppm(prng, strange_ppm))
        unit->eligible = prng_next(prng); /* the owner may be missing, bits beyond the last member may be set */
    if (prng_chance_ppm(prng, strange_ppm / 20))
        unit->eligible = 0;
    if (prng_chance_ppm(prng, strange_ppm))
        unit->excluded = prng_next(prng) & prng_next(prng);
    if (prng_chance_ppm(prng, strange_ppm))
        unit->prefer = random_member(p, prng);
    unit->pinned = prng_chance_ppm(prng, strange_ppm / 3);
    unit->still = prng_chance_ppm(prng, strange_ppm / 3);
    unit->foreign = prng_chance_ppm(prng, strange_ppm / 5);
}

static void test_planner__random_pools__contract_holds(void **state)
{
    struct prng prng = prng_seed(3);

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        struct pool p;
        bool large = i % 100 == 0;
        uint32_t strange_ppm = (uint32_t)(i % 4) * 100000;

        pool_init(&p, 1 + (unsigned)prng_below(&prng, large ? 64 : 12), (unsigned)prng_below(&prng, large ? 256 : 50));
        p.rebalance = i % 8 != 0;
        for (unsigned m = 0; m < p.member_count; m++) {
            if (i % 3 == 0)
                p.member[m].share = (uint8_t)prng_between(&prng, 1, 254);
            else if (prng_chance_ppm(&prng, strange_ppm))
                p.member[m].share = 1;
        }
        for (unsigned u = 0; u < p.unit_count; u++)
            random_unit(&p, &p.unit[u], &prng, strange_ppm);
        plan(&p);
        if (p.rebalance)
            check_even(&p);
        check_order(&p, &prng);
        check_crash(&p, random_member(&p, &prng));
    }
}

static void test_planner__moves_carried_out_one_by_one__same_end_and_no_more_moves(void **state)
{
    struct prng prng = prng_seed(4);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct pool p;

        pool_init(&p, 2 + (unsigned)prng_below(&prng, 8), 1 + (unsigned)prng_below(&prng, 24));
        random_eligibility(&p, &prng, false);
        if (i % 2)
            for (unsigned u = 0; u < p.unit_count; u++)
                p.unit[u].eligible = ALL_MEMBERS;
        run(&p);
        for (unsigned left = p.plan.move_count; left > 0; left--) {
            struct pool after;

            assert_int_equal(p.plan.move_count, left);
            pool_after(&p, 1, &after);
            run(&after);
            p = after;
        }
        assert_int_equal(p.plan.move_count, 0);
    }
}

static void test_planner__owner_dies_in_even_pool__survivors_even(void **state)
{
    struct prng prng = prng_seed(5);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct pool p;

        pool_init(&p, 2 + (unsigned)prng_below(&prng, 10), (unsigned)prng_below(&prng, 100));
        run(&p);
        pool_after(&p, p.plan.move_count, &p);
        run(&p);
        assert_int_equal(p.plan.move_count, 0);
        for (int dead = 0; dead < (int)p.member_count; dead++) {
            unsigned load[PLAN_MEMBERS_MAX] = {0};
            unsigned low = UINT32_MAX;
            unsigned high = 0;

            for (unsigned u = 0; u < p.unit_count; u++)
                for (int m = 0; m < (int)p.member_count; m++)
                    load[m] += m != dead && p.plan.rank[u][m] == (p.unit[u].owner == dead ? 1 : 0);
            for (int m = 0; m < (int)p.member_count; m++) {
                low = m != dead && load[m] < low ? load[m] : low;
                high = m != dead && load[m] > high ? load[m] : high;
            }
            assert_true(high - low <= 1);
        }
    }
}

/* ---- single situations */

static void test_planner__orphans_only__same_places_in_every_release(void **state)
{
    static const int16_t golden[9] = {0, 1, 2, 0, 2, 1, 0, 1, 2};
    struct pool p;

    (void)state;
    pool_init(&p, 3, 9);
    plan(&p);
    assert_memory_equal(p.plan.placed, golden, sizeof(golden));
}

static void test_planner__no_units__empty_plan(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 64, 0);
    plan(&p);
    assert_int_equal(p.plan.move_count, 0);
}

static void test_planner__all_on_one_of_two__half_moves(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 9);
    for (unsigned u = 0; u < 9; u++)
        p.unit[u].owner = 0;
    plan(&p);
    assert_int_equal(p.plan.move_count, 4);
    p.rebalance = false;
    plan(&p);
    assert_int_equal(p.plan.move_count, 0);
}

static void test_planner__pinned_and_still_units__never_move(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 4);
    for (unsigned u = 0; u < 4; u++) {
        p.unit[u].owner = 0;
        p.unit[u].pinned = u < 2;
        p.unit[u].still = u == 2;
    }
    plan(&p);
    assert_int_equal(p.plan.move_count, 1);
    assert_int_equal(p.plan.moves[0].unit, 3);
}

static void test_planner__preferred_member__gets_unit_even_without_rebalance(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 4);
    p.rebalance = false;
    for (unsigned u = 0; u < 4; u++) {
        p.unit[u].owner = (int16_t)(u % 2);
        p.unit[u].prefer = 1;
    }
    plan(&p);
    assert_int_equal(p.plan.move_count, 2);
    assert_int_equal(p.plan.final_load[1], 4);
    /* Nor does balancing take any away. */
    p.rebalance = true;
    plan(&p);
    assert_int_equal(p.plan.final_load[1], 4);
    /* Tried in vain: as if there were no preference. */
    for (unsigned u = 0; u < 4; u++)
        p.unit[u].excluded = bit(1);
    plan(&p);
    assert_int_equal(p.plan.final_load[0], 2);
}

static void test_planner__reserve_member__emptied_unless_nobody_else_may(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 3, 4);
    p.rebalance = false;
    p.member[0].share = 1;
    for (unsigned u = 0; u < 4; u++)
        p.unit[u].owner = 0;
    p.unit[0].eligible = bit(0);
    p.unit[1].prefer = 0;
    plan(&p);
    assert_int_equal(p.plan.move_count, 3);
    assert_int_equal(p.plan.target[0], 0);
    assert_int_equal(p.plan.final_load[0], 1);
    assert_in_range(p.plan.final_load[1], 1, 2);
    /* All are reserves: the pool must be served. */
    p.member[1].share = p.member[2].share = 1;
    p.rebalance = true;
    plan(&p);
    assert_int_equal(p.plan.final_load[0], 2);
}

static void test_planner__foreign_unit__counts_for_nobody_and_is_ranked(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 4);
    for (unsigned u = 0; u < 4; u++)
        p.unit[u].foreign = true;
    plan(&p);
    assert_int_equal(p.plan.load[0] + p.plan.load[1], 0);
    assert_int_equal(p.plan.move_count, 0);
    assert_int_equal(p.plan.placed[0] + p.plan.placed[1] + p.plan.placed[2] + p.plan.placed[3], 2);
}

static void test_planner__owner_not_eligible__told_to_release(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 1);
    p.rebalance = false;
    p.unit[0].owner = 0;
    p.unit[0].eligible = bit(1);
    plan(&p);
    assert_int_equal(p.plan.placed[0], 1);
    assert_int_equal(p.plan.move_count, 1);
    assert_int_equal(p.plan.moves[0].from, 0);
    assert_int_equal(p.plan.moves[0].to, 1);
    p.unit[0].still = true;
    plan(&p);
    assert_int_equal(p.plan.placed[0], 0);
    assert_int_equal(p.plan.move_count, 0);
}

static void test_planner__nobody_eligible__left_alone(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 2);
    p.unit[0].owner = 1;
    p.unit[0].eligible = 0;
    p.unit[1].eligible = bit(2); /* no such member */
    plan(&p);
    assert_int_equal(p.plan.target[0], PLAN_NONE);
    assert_int_equal(p.plan.target[1], PLAN_NONE);
    assert_int_equal(p.plan.rank[0][1], 0);
    assert_int_equal(p.plan.load[0] + p.plan.load[1], 0);
}

static void test_planner__all_eligible_excluded__somebody_serves(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, 2, 1);
    p.unit[0].excluded = bit(0) | bit(1);
    p.unit[0].eligible = bit(1);
    plan(&p);
    assert_int_equal(p.plan.placed[0], 1);
}

static void test_planner__chain_needed__its_last_move_comes_first(void **state)
{
    struct pool p;

    (void)state;
    /* 0 holds two units that only 0 and 1 may hold; 1 holds one that only 1 and 2 may hold; 2 is idle. */
    pool_init(&p, 3, 3);
    p.unit[0].owner = p.unit[1].owner = 0;
    p.unit[0].eligible = p.unit[1].eligible = bit(0) | bit(1);
    p.unit[2].owner = 1;
    p.unit[2].eligible = bit(1) | bit(2);
    plan(&p);
    assert_int_equal(p.plan.move_count, 2);
    assert_int_equal(p.plan.moves[0].unit, 2);
    assert_int_equal(p.plan.moves[1].to, 1);
    /* A link of the chain is held: nothing can be done. */
    p.unit[2].still = true;
    plan(&p);
    assert_int_equal(p.plan.move_count, 0);
}

/* Not an assertion: machines differ. Expected are well under 1 ms for the first pool, under 10 ms for the second. */
static void report_time(const char *what, unsigned members, unsigned units, bool restricted)
{
    struct prng prng = prng_seed(6);
    struct timespec from;
    struct timespec to;
    struct pool p;

    pool_init(&p, members, units);
    for (unsigned u = 0; u < units; u++) {
        p.unit[u].owner = 0;
        if (restricted)
            p.unit[u].eligible = (prng_next(&prng) & prng_next(&prng)) | bit(0);
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < 10; i++)
        run(&p);
    clock_gettime(CLOCK_MONOTONIC, &to);

    double us = (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;

    print_message("%s%s: %.0f us, %u moves\n", what, restricted ? ", restricted" : "", us / 10, p.plan.move_count);
}

static void test_planner__large_pools__time_is_printed(void **state)
{
    (void)state;
    for (int restricted = 0; restricted < 2; restricted++) {
        report_time("240 units x 12 members, all on one", 12, 240, restricted);
        report_time("255 units x 64 members, all on one", 64, 255, restricted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planner__orphans_only__same_places_in_every_release),
        cmocka_unit_test(test_planner__no_units__empty_plan),
        cmocka_unit_test(test_planner__all_on_one_of_two__half_moves),
        cmocka_unit_test(test_planner__pinned_and_still_units__never_move),
        cmocka_unit_test(test_planner__preferred_member__gets_unit_even_without_rebalance),
        cmocka_unit_test(test_planner__reserve_member__emptied_unless_nobody_else_may),
        cmocka_unit_test(test_planner__foreign_unit__counts_for_nobody_and_is_ranked),
        cmocka_unit_test(test_planner__owner_not_eligible__told_to_release),
        cmocka_unit_test(test_planner__nobody_eligible__left_alone),
        cmocka_unit_test(test_planner__all_eligible_excluded__somebody_serves),
        cmocka_unit_test(test_planner__chain_needed__its_last_move_comes_first),
        cmocka_unit_test(test_planner__all_ownerships_of_small_pools__even_with_fewest_moves),
        cmocka_unit_test(test_planner__small_pools_of_restricted_eligibility__optimum_with_fewest_moves),
        cmocka_unit_test(test_planner__random_pools__contract_holds),
        cmocka_unit_test(test_planner__moves_carried_out_one_by_one__same_end_and_no_more_moves),
        cmocka_unit_test(test_planner__owner_dies_in_even_pool__survivors_even),
        cmocka_unit_test(test_planner__large_pools__time_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
