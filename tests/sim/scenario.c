/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the hand-made stories, and what they share: a plain world, waiting, and what can be asked of it. Called by
 * main.c. */
#include "scenario.h"

#include <string.h>

#include "base/check.h"

static const struct profile scenario_profile = {
    .name = "scenario",
    .about = "hand-made",
    .hosts_min = 1,
    .hosts_max = SIM_HOSTS_MAX,
    .units_min = 1,
    .units_max = SIM_UNITS_MAX,
    .delay_min_us = 20,
    .delay_max_us = 300,
    .jitter_us = 200,
    .kernel = {.min_us = 50, .max_us = 500},
};

void scenario_prepare(struct world *w, unsigned hosts, unsigned units)
{
    world_clear(w, &scenario_profile, w->seed);
    w->host_count = hosts;
    w->unit_count = units;
    w->lan.gateway = true;
    world_make_hosts(w);
    world_make_units(w, false);
}

void scenario_settle(struct world *w)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        world_at(w, world_random(w, 0, US_PER_S), SIM_START, node, 0, 0);
    }
    world_run_for(w, US_PER_S + w->startup_us + settle_cover_bound_us(w));
    for (unsigned second = 0; second < 200 && !scenario_is_even(w); second++) {
        world_run_for(w, US_PER_S);
    }
    world_run_for(w, 5 * US_PER_S);
    settle_check_covered(w);
    EXPECT(w, scenario_is_even(w));
    oracle_reset_marks(w);
}

void scenario_begin(struct world *w, unsigned hosts, unsigned units)
{
    scenario_prepare(w, hosts, units);
    world_configure(w);
    scenario_settle(w);
}

int64_t scenario_worst_gap_us(const struct world *w)
{
    int64_t worst_us = 0;

    for (unsigned u = 0; u < w->unit_count; u++) {
        worst_us = w->oracle.units[u].worst_gap_us > worst_us ? w->oracle.units[u].worst_gap_us : worst_us;
    }
    return worst_us;
}

int64_t scenario_worst_dual_us(const struct world *w)
{
    int64_t worst_us = 0;

    for (unsigned u = 0; u < w->unit_count; u++) {
        worst_us = w->oracle.units[u].worst_dual_us > worst_us ? w->oracle.units[u].worst_dual_us : worst_us;
    }
    return worst_us;
}

bool scenario_is_even(const struct world *w)
{
    unsigned from, to;

    return settle_is_even(w, &from, &to);
}

bool scenario_is_covered(const struct world *w)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        unsigned holders = oracle_holders(w, u);
        if (holders == 0 || (holders & (holders - 1)) != 0) {
            return false;
        }
    }
    return true;
}

int64_t scenario_death_bound_us(const struct world *w)
{
    return 3 * w->member_us + 16 * w->member_us / 256 + allowance_reaction_us(w);
}

/* Each story is told with several seeds: the LAN's and the kernels' delays differ, the outcome must not. */
static bool scenario_run(struct world *w, const struct scenario *s, uint64_t from, uint64_t to)
{
    for (uint64_t seed = from; seed <= to; seed++) {
        w->seed = seed;
        s->run(w);
        if (w->oracle.failed) {
            printf("scenario %s failed\n", s->name);
            return false;
        }
    }
    return true;
}

unsigned scenario_run_all(struct world *w, const char *filter, uint64_t from, uint64_t to, unsigned *count)
{
    const struct {
        const struct scenario *list;
        unsigned length;
    } books[] = {
        {scenarios_leaving, scenarios_leaving_count},
        {scenarios_planned, scenarios_planned_count},
        {scenarios_reload, scenarios_reload_count},
        {scenarios_faults, scenarios_faults_count},
    };
    unsigned failed = 0;

    for (unsigned b = 0; b < ARRAY_LENGTH(books); b++) {
        for (unsigned i = 0; i < books[b].length; i++) {
            if (filter == NULL || strstr(books[b].list[i].name, filter) != NULL) {
                (*count)++;
                failed += scenario_run(w, &books[b].list[i], from, to) ? 0 : 1;
            }
        }
    }
    return failed;
}
