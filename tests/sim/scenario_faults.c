/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories of single faults with exact outcomes: crash, hang, partition, deaf, mute, one way. */
#include "scenario.h"

static void test_crash__one_of_four__orphans_land_even_without_second_move(struct world *w)
{
    scenario_begin(w, 4, 21);
    uint64_t orphans = settle_load(w, 2);
    host_crash(w, 2);
    world_run_for(w, scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, w->oracle.changes == orphans);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_crash__of_240_units__all_within_the_bound(struct world *w)
{
    scenario_begin(w, 3, 240);
    host_crash(w, 0);
    world_run_for(w, scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    world_run_for(w, 5 * US_PER_S);
    EXPECT(w, w->oracle.changes == 80);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_crash__two_at_once__orphans_land_even_without_second_move(struct world *w)
{
    scenario_begin(w, 5, 25);
    uint64_t orphans = settle_load(w, 1) + settle_load(w, 3);
    host_crash(w, 1);
    host_crash(w, 3);
    world_run_for(w, scenario_death_bound_us(w) + w->member_us); /* their last words may be an interval apart */
    EXPECT(w, scenario_is_covered(w));
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, w->oracle.changes <=
                  orphans + 1); /* one died noticeably first: its orphans were dealt without the other's */
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_crash__restarted_within_the_lease__no_dual_and_all_served(struct world *w)
{
    scenario_begin(w, 3, 12);
    host_crash(w, 1);
    world_run_for(w, 20 * US_PER_MS);
    host_start(w, 1);
    world_run_for(w, 3 * w->member_us + scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_pause__five_seconds_while_another_crashes__nobody_is_blocked(struct world *w)
{
    scenario_begin(w, 4, 20);
    host_pause(w, 0, false);
    world_run_for(w, US_PER_S);
    host_crash(w, 1);
    world_run_for(w, scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w));
    world_run_for(w, 5 * US_PER_S - US_PER_S - scenario_death_bound_us(w));
    host_resume(w, 0);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_pause__shorter_than_the_lease__is_forgiven(struct world *w)
{
    scenario_begin(w, 3, 12);
    host_pause(w, 0, false);
    world_run_for(w, w->lease_us - w->member_us - 50 * US_PER_MS);
    host_resume(w, 0);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, w->oracle.changes == 0);
    EXPECT(w, scenario_worst_gap_us(w) == 0);
}

static void scenario_split(struct world *w, unsigned first_of_second)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        w->lan.island[node] = node >= first_of_second;
    }
    lan_refresh(w);
}

/* Whose units are whose among the first `hosts` nodes. */
static void scenario_note_owners(const struct world *w, unsigned hosts, unsigned *owners)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        owners[u] = SIM_NONE;
        for (unsigned node = 0; node < hosts; node++) {
            if ((oracle_holders(w, u) >> node & 1) != 0) {
                owners[u] = node;
            }
        }
    }
}

static void test_partition__three_and_two__each_serves_and_the_larger_side_keeps(struct world *w)
{
    unsigned owners[SIM_UNITS_MAX];

    scenario_begin(w, 5, 15);
    scenario_split(w, 3);
    world_run_for(w, 10 * US_PER_S);
    for (unsigned u = 0; u < w->unit_count; u++) {
        EXPECT(w, (oracle_holders(w, u) & 7) != 0 && (oracle_holders(w, u) & 24) != 0);
    }
    scenario_note_owners(w, 3, owners);
    scenario_split(w, 5);
    world_run_for(w, w->member_us + allowance_reaction_us(w));
    EXPECT(w, scenario_is_covered(w));
    for (unsigned u = 0; u < w->unit_count; u++) {
        EXPECT(w, (oracle_holders(w, u) >> owners[u] & 1) != 0);
    }
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
}

static void test_partition__one_alone__others_serve_and_it_returns(struct world *w)
{
    scenario_begin(w, 4, 12);
    w->lan.cut[3]++;
    lan_refresh(w);
    world_run_for(w, scenario_death_bound_us(w) + w->member_us);
    for (unsigned u = 0; u < w->unit_count; u++) {
        EXPECT(w, (oracle_holders(w, u) & 7) != 0);
    }
    w->lan.cut[3]--;
    lan_refresh(w);
    world_run_for(w, w->member_us + allowance_reaction_us(w));
    EXPECT(w, scenario_is_covered(w));
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
}

static void test_link__carrier_lost_and_back__no_dual_and_even_again(struct world *w)
{
    scenario_begin(w, 3, 12);
    host_set_link(w, 1, 0, false);
    world_run_for(w, scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w) && settle_load(w, 1) == 0);
    host_set_link(w, 1, 0, true);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_deaf__claims_nothing(struct world *w)
{
    scenario_begin(w, 4, 12);
    unsigned before = settle_load(w, 0);
    w->lan.deaf[0]++;
    lan_refresh(w);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && settle_load(w, 0) <= before);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    w->lan.deaf[0]--;
    lan_refresh(w);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
}

static void test_mute__gives_everything_up(struct world *w)
{
    scenario_begin(w, 4, 12);
    w->lan.mute[0]++;
    lan_refresh(w);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && settle_load(w, 0) == 0);
    EXPECT(w, scenario_worst_dual_us(w) <= 3 * w->advert_us + 3 * w->member_us + allowance_reaction_us(w));
    w->lan.mute[0]--;
    lan_refresh(w);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
}

static void test_one_way__between_a_pair__each_unit_has_one_owner(struct world *w)
{
    scenario_begin(w, 4, 12);
    w->lan.blocked[0][1]++;
    lan_refresh(w);
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) <= 3 * w->advert_us + 3 * w->member_us + allowance_reaction_us(w));
    w->lan.blocked[0][1]--;
    lan_refresh(w);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, scenario_is_covered(w) && scenario_is_even(w));
}

static void test_group__over_two_links__goes_when_either_is_lost(struct world *w)
{
    scenario_prepare(w, 3, 6);
    w->link_count = 2;
    for (unsigned node = 0; node < w->host_count; node++) {
        w->hosts[node].link_up[1] = true;
    }
    w->units[2].links = 3;
    world_configure(w);
    scenario_settle(w);
    unsigned owner = w->oracle.units[2].owner;
    host_set_link(w, owner, 1, false);
    world_run_for(w, 100 * US_PER_MS);
    EXPECT(w, scenario_is_covered(w) && w->oracle.units[2].owner != owner);
    EXPECT(w, w->oracle.changes == 1);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

#define STORY(name)                                                                                                    \
    {                                                                                                                  \
#name, name                                                                                                    \
    }

const struct scenario scenarios_faults[] = {
    STORY(test_crash__one_of_four__orphans_land_even_without_second_move),
    STORY(test_crash__of_240_units__all_within_the_bound),
    STORY(test_crash__two_at_once__orphans_land_even_without_second_move),
    STORY(test_crash__restarted_within_the_lease__no_dual_and_all_served),
    STORY(test_pause__five_seconds_while_another_crashes__nobody_is_blocked),
    STORY(test_pause__shorter_than_the_lease__is_forgiven),
    STORY(test_partition__three_and_two__each_serves_and_the_larger_side_keeps),
    STORY(test_partition__one_alone__others_serve_and_it_returns),
    STORY(test_link__carrier_lost_and_back__no_dual_and_even_again),
    STORY(test_deaf__claims_nothing),
    STORY(test_mute__gives_everything_up),
    STORY(test_one_way__between_a_pair__each_unit_has_one_owner),
    STORY(test_group__over_two_links__goes_when_either_is_lost),
};

const unsigned scenarios_faults_count = sizeof(scenarios_faults) / sizeof(scenarios_faults[0]);
