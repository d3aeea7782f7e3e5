/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories without faults: starting, leaving, joining, draining, pinning; and strangers, who keep the RFC's rules. */
#include "scenario.h"

#define MOVE_GAP_MAX_US (10 * US_PER_MS) /* kernels as fast as real ones are when idle */

static void test_start__all_within_a_second__each_unit_once_and_even(struct world *w)
{
    scenario_prepare(w, 5, 23);
    world_configure(w);
    for (unsigned node = 0; node < w->host_count; node++) {
        world_at(w, world_random(w, 0, US_PER_S), SIM_START, node, 0, 0);
    }
    world_run_until(w, US_PER_S + w->startup_us + 3 * w->advert_us + w->member_us);
    settle_check_covered(w);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_leave__one_of_four__orphans_only_and_no_second_move(struct world *w)
{
    scenario_begin(w, 4, 21);
    uint64_t orphans = settle_load(w, 1);
    host_command(w, 1, EVENT_LEAVE, 0, 0, false);
    world_run_for(w, 100 * US_PER_MS);
    EXPECT(w, w->hosts[1].state == HOST_DOWN);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, w->oracle.changes == orphans);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US + 8 * US_PER_MS);
}

/* A kernel that puts one address in place in 0.4 ms needs 16 ms for its part of 80, and rank 1 comes after 12 ms. */
static void test_leave__with_many_units_and_slow_addresses__each_gap_that_of_a_small_batch(struct world *w)
{
    scenario_begin(w, 3, 240);
    w->kernel.unit_us = 400;
    host_command(w, 2, EVENT_LEAVE, 0, 0, false);
    world_run_for(w, 300 * US_PER_MS);
    EXPECT(w, w->hosts[2].state == HOST_DOWN);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    world_run_for(w, 5 * US_PER_S);
    EXPECT(w, w->oracle.changes == 80);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US + 4 * US_PER_MS);
}

static void test_leave__and_nobody_takes_over__gone_within_its_patience(struct world *w)
{
    scenario_begin(w, 2, 40);
    w->hosts[1].kernel.broken = true;
    host_command(w, 0, EVENT_LEAVE, 0, 0, false);
    world_run_for(w, 1100 * US_PER_MS);
    EXPECT(w, w->hosts[0].state == HOST_DOWN);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_leave__the_last_host__nothing_is_left(struct world *w)
{
    scenario_begin(w, 1, 5);
    host_command(w, 0, EVENT_LEAVE, 0, 0, false);
    world_run_for(w, US_PER_S);
    EXPECT(w, w->hosts[0].state == HOST_DOWN);
    for (unsigned u = 0; u < w->unit_count; u++) {
        EXPECT(w, oracle_holders(w, u) == 0);
    }
}

static void test_drain__and_undrain__gives_all_and_gets_its_part_back(struct world *w)
{
    scenario_begin(w, 3, 18);
    host_command(w, 0, EVENT_DRAIN, 0, 0, false);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, settle_load(w, 0) == 0);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, w->oracle.changes == 6);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US);
    host_command(w, 0, EVENT_UNDRAIN, 0, 0, false);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, settle_load(w, 0) == 6);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_drain__at_once__gives_all_in_a_moment(struct world *w)
{
    scenario_begin(w, 3, 60);
    host_command(w, 2, EVENT_DRAIN, 0, 0, true);
    world_run_for(w, 300 * US_PER_MS);
    EXPECT(w, settle_load(w, 2) == 0);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_drain__everybody__the_reserves_hold_what_nobody_else_can(struct world *w)
{
    scenario_begin(w, 2, 6);
    host_command(w, 0, EVENT_DRAIN, 0, 0, false);
    host_command(w, 1, EVENT_DRAIN, 0, 0, false);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_join__one_move_per_round__takes_its_fair_share(struct world *w)
{
    scenario_prepare(w, 4, 24);
    world_configure(w);
    w->hosts[3].state = HOST_CLEANING; /* keeps it from starting with the others */
    scenario_settle(w);
    w->hosts[3].state = HOST_DOWN;
    host_start(w, 3);
    for (unsigned round = 0; round < 12; round++) {
        uint64_t before = w->oracle.changes;
        world_run_for(w, w->rebalance_us);
        EXPECT(w, w->oracle.changes - before <= 2); /* windows of ours may cut two rounds of theirs */
    }
    EXPECT(w, w->oracle.changes == 6);
    EXPECT(w, settle_load(w, 3) == 6);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US);
}

static unsigned scenario_owner(const struct world *w, unsigned unit)
{
    return w->oracle.units[unit].owner;
}

static void test_take__and_release__pins_and_returns(struct world *w)
{
    scenario_begin(w, 3, 9);
    unsigned taker = (scenario_owner(w, 4) + 1) % 3;
    host_command(w, taker, EVENT_TAKE, 4, 0, false);
    world_run_for(w, 200 * US_PER_MS);
    EXPECT(w, scenario_owner(w, 4) == taker && scenario_is_covered(w));
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, scenario_owner(w, 4) == taker && scenario_is_even(w));
    host_command(w, taker, EVENT_RELEASE, 4, 0, false);
    world_run_for(w, 200 * US_PER_MS);
    EXPECT(w, scenario_owner(w, 4) != taker && scenario_is_covered(w));
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, scenario_is_even(w) && scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= MOVE_GAP_MAX_US);
}

static void test_take__by_two__one_keeps_it(struct world *w)
{
    scenario_begin(w, 3, 6);
    host_command(w, 0, EVENT_TAKE, 2, 0, false);
    host_command(w, 1, EVENT_TAKE, 2, 0, false);
    world_run_for(w, 10 * US_PER_S);
    oracle_reset_marks(w);
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, w->oracle.units[2].changes == 0);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_prefer__its_host_dies_and_returns__there_when_it_lives(struct world *w)
{
    scenario_prepare(w, 3, 9);
    w->units[5].prefer_count = 1;
    w->prefer[5][0] = w->hosts[2].ipv4;
    world_configure(w);
    scenario_settle(w);
    EXPECT(w, scenario_owner(w, 5) == 2);
    host_crash(w, 2);
    world_run_for(w, 3 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_owner(w, 5) != 2);
    host_start(w, 2);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_owner(w, 5) == 2 && scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

/* Two hosts with different files: each believes the unit is preferred on itself. */
static void test_prefer__two_hosts_prefer_one_unit__one_keeps_it(struct world *w)
{
    struct addr other_prefer[1];

    scenario_prepare(w, 3, 9);
    w->units[5].prefer_count = 1;
    w->prefer[5][0] = w->hosts[1].ipv4;
    world_configure(w);
    other_prefer[0] = w->hosts[2].ipv4;
    w->hosts[2].edition.prefer = other_prefer;
    for (unsigned node = 0; node < w->host_count; node++) {
        world_at(w, world_random(w, 0, US_PER_S), SIM_START, node, 0, 0);
    }
    world_run_for(w, 90 * US_PER_S);
    oracle_reset_marks(w);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, w->oracle.changes == 0);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void scenario_add_stranger(struct world *w, unsigned unit, uint8_t priority, bool asserts)
{
    w->strangers[0].present = true;
    w->strangers[0].unit = (uint16_t)unit;
    w->strangers[0].priority = priority;
    w->strangers[0].preempt = true;
    w->strangers[0].asserts = asserts;
}

static void test_stranger__stronger_than_all__owns_its_unit_and_the_rest_is_even(struct world *w)
{
    scenario_begin(w, 3, 10);
    scenario_add_stranger(w, 7, 255, true);
    stranger_start(w, SIM_STRANGER_FIRST);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_owner(w, 7) == SIM_STRANGER_FIRST);
    EXPECT(w, scenario_worst_dual_us(w) <= allowance_reaction_us(w));
    stranger_stop(w, SIM_STRANGER_FIRST, true);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w) && scenario_owner(w, 7) < 3);
}

static void test_stranger__weaker_and_first__is_preempted(struct world *w)
{
    scenario_prepare(w, 2, 4);
    world_configure(w);
    scenario_add_stranger(w, 1, 50, false);
    stranger_start(w, SIM_STRANGER_FIRST);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_owner(w, 1) == SIM_STRANGER_FIRST);
    scenario_settle(w);
    EXPECT(w, scenario_owner(w, 1) < 2 && scenario_is_covered(w));
}

static void test_stranger__weaker_backup__takes_over_when_all_members_die(struct world *w)
{
    scenario_begin(w, 2, 4);
    scenario_add_stranger(w, 1, 50, true);
    stranger_start(w, SIM_STRANGER_FIRST);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_owner(w, 1) < 2 && w->oracle.changes == 0);
    host_crash(w, 0);
    host_crash(w, 1);
    world_run_for(w, 3 * w->advert_us + w->advert_us);
    EXPECT(w, scenario_owner(w, 1) == SIM_STRANGER_FIRST);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

#define STORY(name)                                                                                                    \
    {                                                                                                                  \
#name, name                                                                                                    \
    }

const struct scenario scenarios_planned[] = {
    STORY(test_start__all_within_a_second__each_unit_once_and_even),
    STORY(test_leave__one_of_four__orphans_only_and_no_second_move),
    STORY(test_leave__with_many_units_and_slow_addresses__each_gap_that_of_a_small_batch),
    STORY(test_leave__and_nobody_takes_over__gone_within_its_patience),
    STORY(test_leave__the_last_host__nothing_is_left),
    STORY(test_drain__and_undrain__gives_all_and_gets_its_part_back),
    STORY(test_drain__at_once__gives_all_in_a_moment),
    STORY(test_drain__everybody__the_reserves_hold_what_nobody_else_can),
    STORY(test_join__one_move_per_round__takes_its_fair_share),
    STORY(test_take__and_release__pins_and_returns),
    STORY(test_take__by_two__one_keeps_it),
    STORY(test_prefer__its_host_dies_and_returns__there_when_it_lives),
    STORY(test_prefer__two_hosts_prefer_one_unit__one_keeps_it),
    STORY(test_stranger__stronger_than_all__owns_its_unit_and_the_rest_is_even),
    STORY(test_stranger__weaker_and_first__is_preempted),
    STORY(test_stranger__weaker_backup__takes_over_when_all_members_die),
};

const unsigned scenarios_planned_count = sizeof(scenarios_planned) / sizeof(scenarios_planned[0]);
