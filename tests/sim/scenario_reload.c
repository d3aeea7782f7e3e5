/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories of reloads: what the file still says notices nothing. Called by scenario.c. */
#include "scenario.h"

static void reload_all(struct world *w, struct edition edition, int64_t apart_us)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        host_reload(w, node, &edition);
        world_run_for(w, apart_us);
    }
}

/* Of the units that every edition has: changes of owner and gaps since the marks. */
static bool untouched(const struct world *w, unsigned skip)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        const struct unit_watch *watch = &w->oracle.units[u];
        bool stays = skip == 0 || w->units[u].vrid % 5 != skip - 1;
        if (stays && (watch->changes != 0 || watch->worst_gap_us != 0 || watch->gap_since_us != SIM_NEVER)) {
            return false;
        }
    }
    return true;
}

static unsigned count_served(const struct world *w, unsigned skip)
{
    unsigned count = 0;

    for (unsigned u = 0; u < w->unit_count; u++) {
        count += w->units[u].vrid % 5 == skip - 1 && oracle_holders(w, u) != 0;
    }
    return count;
}

static void test_reload__nothing_changed__nobody_notices(struct world *w)
{
    scenario_begin(w, 3, 12);
    reload_all(w, (struct edition){.skip = 0}, 30 * US_PER_MS);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, untouched(w, 0) && scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_reload__intervals_there_and_back__no_gap_and_no_move(struct world *w)
{
    scenario_begin(w, 4, 16);
    reload_all(w, (struct edition){.fast_members = true, .fast_units = true}, 700 * US_PER_MS);
    world_run_for(w, 20 * US_PER_S);
    reload_all(w, (struct edition){.fast_members = true}, 10 * US_PER_MS);
    world_run_for(w, 20 * US_PER_S);
    reload_all(w, (struct edition){.skip = 0}, 2 * US_PER_S);
    world_run_for(w, 20 * US_PER_S);
    EXPECT(w, untouched(w, 0) && scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

/* A pool of one host: nobody to take what it gives away, and nothing to move. */
static void test_reload__units_removed_and_back__the_others_stay(struct world *w)
{
    scenario_begin(w, 3, 40);
    reload_all(w, (struct edition){.skip = 2}, 20 * US_PER_MS);
    world_run_for(w, US_PER_S);
    EXPECT(w, count_served(w, 2) == 0);
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    world_run_for(w, 30 * US_PER_S);
    oracle_reset_marks(w); /* evenness without them may have cost moves */
    reload_all(w, (struct edition){.skip = 0}, 20 * US_PER_MS);
    world_run_for(w, 30 * US_PER_S);
    EXPECT(w, untouched(w, 2) && scenario_is_covered(w) && scenario_is_even(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

static void test_reload__while_others_crash__covered_in_time(struct world *w)
{
    scenario_begin(w, 4, 16);
    host_crash(w, 1);
    reload_all(w, (struct edition){.fast_members = true}, 5 * US_PER_MS);
    world_run_for(w, 2 * scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_worst_gap_us(w) <= scenario_death_bound_us(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

/* Whoever has read of the other VRID waits until the last one that has not gives the address up. */
static void test_reload__other_vrids_one_host_after_the_other__nobody_answers_twice(struct world *w)
{
    const struct edition renumbered = {.renumbered = 2};

    scenario_begin(w, 4, 20);
    for (unsigned node = 0; node < w->host_count; node++) {
        host_reload(w, node, &renumbered);
        world_run_for(w, 20 * US_PER_S);
        EXPECT(w, scenario_is_covered(w));
    }
    EXPECT(w, scenario_worst_dual_us(w) == 0);
    EXPECT(w, scenario_worst_gap_us(w) <= 4 * w->member_us); /* the member's own VRID may be a new one of a unit's */
    host_crash(w, w->host_count - 1); /* who was the last, and its units are like any other from here on */
    world_run_for(w, scenario_death_bound_us(w));
    EXPECT(w, scenario_is_covered(w));
}

/* The hosts that have the new file are the fewer, and one that has the old one dies with what it holds. */
static void test_reload__other_vrids_and_a_crash_half_way__nobody_answers_twice(struct world *w)
{
    const struct edition renumbered = {.renumbered = 2};

    scenario_begin(w, 4, 20);
    host_reload(w, 0, &renumbered);
    world_run_for(w, 10 * US_PER_S);
    host_crash(w, 1);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    host_reload(w, 2, &renumbered);
    host_crash(w, 3);
    world_run_for(w, 10 * US_PER_S);
    EXPECT(w, scenario_is_covered(w));
    EXPECT(w, scenario_worst_dual_us(w) == 0);
}

#define STORY(name)                                                                                                    \
    {                                                                                                                  \
#name, name                                                                                                    \
    }

const struct scenario scenarios_reload[] = {
    STORY(test_reload__nothing_changed__nobody_notices),
    STORY(test_reload__intervals_there_and_back__no_gap_and_no_move),
    STORY(test_reload__units_removed_and_back__the_others_stay),
    STORY(test_reload__while_others_crash__covered_in_time),
    STORY(test_reload__other_vrids_one_host_after_the_other__nobody_answers_twice),
    STORY(test_reload__other_vrids_and_a_crash_half_way__nobody_answers_twice),
};

const unsigned scenarios_reload_count = sizeof(scenarios_reload) / sizeof(scenarios_reload[0]);
