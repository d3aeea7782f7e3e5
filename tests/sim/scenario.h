/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hand-made stories share. Internal to scenario*.c. */
#ifndef EVENKEEL_SIM_SCENARIO_H
#define EVENKEEL_SIM_SCENARIO_H

#include "sim.h"

struct scenario {
    const char *name;
    void (*run)(struct world *w);
};

extern const struct scenario scenarios_faults[];
extern const unsigned scenarios_faults_count;
extern const struct scenario scenarios_leaving[];
extern const unsigned scenarios_leaving_count;
extern const struct scenario scenarios_reload[];
extern const unsigned scenarios_reload_count;
extern const struct scenario scenarios_planned[];
extern const unsigned scenarios_planned_count;

/* A world of equal hosts with the default intervals, nobody started. */
void scenario_prepare(struct world *w, unsigned hosts, unsigned units);
/* Starts everybody and waits until the pool is even and still. */
void scenario_settle(struct world *w);
/* Both at once. */
void scenario_begin(struct world *w, unsigned hosts, unsigned units);

#define EXPECT(w, condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            oracle_fail(w, "scenario", SIM_UNITS_MAX, "%s: %s", __func__, #condition);                                 \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

int64_t scenario_worst_gap_us(const struct world *w);
int64_t scenario_worst_dual_us(const struct world *w);
bool scenario_is_even(const struct world *w);
bool scenario_is_covered(const struct world *w); /* every unit by exactly one */
/* From a silent death to the last unit's new owner: 3 member intervals, skew of rank 0 and of the ranks' distance,
 * reaction. */
int64_t scenario_death_bound_us(const struct world *w);

#endif
