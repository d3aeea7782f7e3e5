/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories of hosts that leave in order (doc/design.md 2.4 h) while something else happens. */
#include "scenario.h"

#define MOVE_GAP_MAX_US (10 * US_PER_MS) /* of a planned move, kernels as fast as real ones are when idle */
#define PATIENCE_US (1100 * US_PER_MS)   /* who leaves is gone by then, whatever the others do */

static void leave(struct world *w, unsigned node)
{
    host_command(w, node, EVENT_LEAVE, 0, 0, false);
}

static bool is_gone(const struct world *w, unsigned node)
{
    return w->hosts[node].state == HOST_DOWN;
}

static void test_leave__two_of_four_at_once__orphans_only(struct world *w)
{
    scenario_begin(w, 4, 40);
    uint64_t orphans = settle_load(w, 1) + settle_load(w, 2);
    leave(w, 1);
    leave(w, 2);
    world_run_for(w, 200 * US_PER_MS);
    EXPECT(w, is_gone(w, 1) && is_gone(w, 2));
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, w->oracle.changes == orphans);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= 2 * MOVE_GAP_MAX_US);
}

static void test_leave__everybody_at_once__nothing_is_left_within_their_patience(struct world *w)
{
    scenario_begin(w, 4, 60);
    for (unsigned node = 0; node < 4; node++) {
        leave(w, node);
    }
    world_run_for(w, PATIENCE_US);
    for (unsigned node = 0; node < 4; node++) {
        EXPECT(w, is_gone(w, node));
        settle_check_nothing_left(w, node);
    }
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_leave__the_only_other_dies_meanwhile__gone_within_its_patience(struct world *w)
{
    scenario_begin(w, 2, 80);
    leave(w, 0);
    world_run_for(w, 8 * US_PER_MS);
    host_crash(w, 1);
    world_run_for(w, PATIENCE_US);
    EXPECT(w, is_gone(w, 0));
    settle_check_nothing_left(w, 0);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_leave__another_starts_meanwhile__all_served_and_even(struct world *w)
{
    scenario_begin(w, 3, 60);
    host_crash(w, 2);
    world_run_for(w, 30 * US_PER_S);
    oracle_reset_marks(w);
    host_start(w, 2);
    world_run_for(w, w->member_us);
    leave(w, 0);
    world_run_for(w, 300 * US_PER_MS);
    EXPECT(w, is_gone(w, 0) && scenario_is_covered(w));
    world_run_for(w, 60 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= 2 * MOVE_GAP_MAX_US);
}

static void test_leave__cut_off__gone_within_its_patience(struct world *w)
{
    scenario_begin(w, 3, 30);
    w->lan.island[0] = 1;
    lan_refresh(w);
    world_run_for(w, 3 * US_PER_S);
    leave(w, 0);
    world_run_for(w, PATIENCE_US);
    EXPECT(w, is_gone(w, 0));
    settle_check_nothing_left(w, 0);
}

static void test_leave__with_pinned_units__they_move_as_fast_as_the_others(struct world *w)
{
    scenario_begin(w, 3, 30);
    for (unsigned unit = 0; unit < 30; unit += 3) {
        host_command(w, 1, EVENT_TAKE, unit, 0, false);
    }
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_even(w) && scenario_is_covered(w));
    oracle_reset_marks(w);
    leave(w, 1);
    world_run_for(w, 300 * US_PER_MS);
    EXPECT(w, is_gone(w, 1) && scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US + 4 * US_PER_MS);
}

static void test_leave__rebalance_off__in_batches_all_the_same(struct world *w)
{
    scenario_prepare(w, 3, 240);
    w->rebalance = false;
    world_configure(w);
    scenario_settle(w);
    w->kernel.unit_us = 400;
    uint64_t orphans = settle_load(w, 2);
    leave(w, 2);
    world_run_for(w, 400 * US_PER_MS);
    EXPECT(w, is_gone(w, 2) && scenario_is_covered(w));
    EXPECT(w, w->oracle.changes == orphans);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US + 4 * US_PER_MS);
}

/* To reserves, when nobody else is there: in batches too. */
static void test_leave__the_others_are_drained__they_take_it(struct world *w)
{
    scenario_begin(w, 3, 60);
    host_command(w, 1, EVENT_DRAIN, 0, 0, true);
    host_command(w, 2, EVENT_DRAIN, 0, 0, true);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, settle_load(w, 0) == 60);
    oracle_reset_marks(w);
    leave(w, 0);
    world_run_for(w, PATIENCE_US);
    EXPECT(w, is_gone(w, 0) && scenario_is_covered(w));
    EXPECT(w, w->oracle.changes == 60);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= 2 * MOVE_GAP_MAX_US);
}

#define STORY(name)                                                                                                    \
    {                                                                                                                  \
#name, name                                                                                                    \
    }

const struct scenario scenarios_leaving[] = {
    STORY(test_leave__two_of_four_at_once__orphans_only),
    STORY(test_leave__everybody_at_once__nothing_is_left_within_their_patience),
    STORY(test_leave__the_only_other_dies_meanwhile__gone_within_its_patience),
    STORY(test_leave__another_starts_meanwhile__all_served_and_even),
    STORY(test_leave__cut_off__gone_within_its_patience),
    STORY(test_leave__with_pinned_units__they_move_as_fast_as_the_others),
    STORY(test_leave__rebalance_off__in_batches_all_the_same),
    STORY(test_leave__the_others_are_drained__they_take_it),
};

const unsigned scenarios_leaving_count = sizeof(scenarios_leaving) / sizeof(scenarios_leaving[0]);
