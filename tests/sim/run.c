/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One seed from start to verdict: start, a safety phase (any fault of the profile; nothing wrong may happen at any
 * instant), a liveness phase (faults stop; everything must be right within its bound, and stay so). Called by main.c.
 */
#include "sim.h"

#define ONE_WAY_MAX_US (60 * (int64_t)US_PER_S)

static void run_start(struct world *w)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        world_at(w, world_random(w, 0, US_PER_S), SIM_START, node, 0, 0);
    }
    if (w->profile->weight[FAULT_STRANGER] > 0 && world_chance(w, 50)) {
        stranger_start(w, SIM_STRANGER_FIRST);
    }
}

static void run_command_all(struct world *w, enum event_kind kind)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        if (host_is_up(&w->hosts[node]) && !w->hosts[node].leaving) {
            host_command(w, node, kind, 0, 0, false);
        }
    }
}

static bool run_rebalances(const struct world *w)
{
    return w->rebalance && !w->oracle.failed;
}

/* Evenness: rounds as paced, each after two member intervals of stillness; some moves may be passed over first, and
 * units that not everybody may hold, or that somebody prefers, may need a move more each. */
static int64_t run_even_bound_us(const struct world *w)
{
    int64_t round_us = (w->rebalance_us > 2 * w->member_us ? w->rebalance_us : 2 * w->member_us) + 100 * US_PER_MS;
    int64_t moves = settle_moves_needed(w) + 4;

    for (unsigned u = 0; u < w->unit_count; u++) {
        moves += w->units[u].eligible_count > 0 || w->units[u].prefer_count > 0 ? 1 : 0;
    }
    return w->startup_us + moves * round_us + 5 * US_PER_S;
}

/* A member that says it takes its part and never does is offered units now and then: each offer is a move. */
static bool run_has_liar(const struct world *w)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        if (w->hosts[node].kernel.broken) {
            return true;
        }
    }
    return false;
}

/* Who found out that another does not hear it is a reserve for a while, also when that is over (2.8: 10 s, or more). */
static bool run_waits_for_one_way(const struct world *w)
{
    for (unsigned node = 0; node < w->host_count; node++) {
        struct pool_view view;

        if (host_is_up(&w->hosts[node]) && settle_share(w, node) > 1) {
            core_view_pool(w->hosts[node].core, 0, &view);
            if (!addr_is_none(&view.one_way)) {
                return true;
            }
        }
    }
    return false;
}

static void run_until_even(struct world *w, bool hurry)
{
    unsigned from, to;
    unsigned rounds = 0;
    /* Hurrying makes everybody forget who takes nothing: then it is done seldom, and gets more time. */
    unsigned hurry_every = run_has_liar(w) ? 10 : 1;
    int64_t bound_us = run_even_bound_us(w) * (run_has_liar(w) ? 3 : 1);
    int64_t limit_us = w->now_us + bound_us, one_way_until_us = w->now_us + ONE_WAY_MAX_US;

    while (!settle_is_even(w, &from, &to) && !w->oracle.failed) {
        if (w->now_us < one_way_until_us && run_waits_for_one_way(w)) {
            limit_us = w->now_us + bound_us;
        }
        if (w->now_us > limit_us) {
            oracle_fail(w, "P3 even", SIM_UNITS_MAX,
                        "host %u (load %u, share %u) could give to host %u (load %u, share %u)", from,
                        settle_load(w, from), settle_share(w, from), to, settle_load(w, to), settle_share(w, to));
            settle_print_plans(w);
            return;
        }
        if (hurry && rounds++ % hurry_every == 0) {
            run_command_all(w, EVENT_REBALANCE);
        }
        world_run_for(w, 500 * US_PER_MS);
    }
}

static void run_check_still(struct world *w)
{
    oracle_reset_marks(w);
    world_run_for(w, 3 * w->rebalance_us + 3 * w->advert_us);
    settle_check_covered(w);
    if (w->oracle.changes != 0 && !run_has_liar(w) && !w->oracle.failed) {
        oracle_fail(w, "P4 few moves", SIM_UNITS_MAX, "%llu units changed hands with nothing wrong and loads even",
                    (unsigned long long)w->oracle.changes);
    }
}

/* Instances: the RFC's winner has each unit in the end, and nothing moves any more. */
static void run_routers(struct world *w)
{
    world_run_for(w, routers_converge_us(w));
    settle_check_covered(w);
    routers_check_winners(w);
    run_check_still(w);
    oracle_finish(w);
}

static void run_liveness(struct world *w)
{
    fault_stop_all(w);
    if (world_chance(w, 40)) {
        fault_leave_one_broken(w);
    }
    world_run_for(w, settle_cover_bound_us(w));
    settle_check_covered(w);
    if (w->routers) {
        run_routers(w);
        return;
    }
    w->oracle.gap_limit_us = settle_move_gap_us(w);
    w->oracle.judging_gaps = true;
    if (run_rebalances(w)) {
        world_run_for(w, w->startup_us);
        run_until_even(w, true);
        run_check_still(w);
    } else {
        world_run_for(w, 3 * US_PER_S);
        settle_check_covered(w);
    }
    oracle_finish(w);
}

static void run_check_moves(struct world *w, uint64_t expected, const char *story)
{
    unsigned from, to;

    settle_check_covered(w);
    if (!settle_is_even(w, &from, &to)) {
        oracle_fail(w, "P3 even", SIM_UNITS_MAX, "host %u has %u units, host %u has %u", from, settle_load(w, from), to,
                    settle_load(w, to));
    }
    if (w->oracle.changes != expected) {
        oracle_fail(w, "P4 few moves", SIM_UNITS_MAX, "%llu units changed hands in one %s, %llu had to",
                    (unsigned long long)w->oracle.changes, story, (unsigned long long)expected);
    }
}

static void run_quiet_loss(struct world *w, unsigned node, bool crash)
{
    uint64_t orphans = settle_load(w, node);
    int64_t bound_us =
        crash ? 4 * w->member_us + 2 * allowance_reaction_us(w) : settle_move_gap_us(w) + allowance_reaction_us(w);

    w->oracle.gap_limit_us = bound_us;
    if (crash) {
        host_crash(w, node);
    } else {
        host_command(w, node, EVENT_LEAVE, 0, 0, false);
    }
    world_run_for(w, bound_us);
    settle_check_covered(w);
    world_run_for(w, 20 * US_PER_S);
    run_check_moves(w, orphans, crash ? "crash" : "leave");
}

static void run_quiet_join(struct world *w, unsigned node)
{
    host_command(w, node, EVENT_LEAVE, 0, 0, false);
    world_run_for(w, 4 * w->member_us + 4 * w->advert_us);
    run_until_even(w, false);
    world_run_for(w, 4 * US_PER_S); /* forgotten, and still */
    oracle_reset_marks(w);
    w->oracle.gap_limit_us = settle_move_gap_us(w);
    host_start(w, node);
    world_run_for(w, w->startup_us + w->advert_us);
    uint64_t expected = w->oracle.changes + settle_moves_needed(w);
    run_until_even(w, false);
    world_run_for(w, 20 * US_PER_S);
    run_check_moves(w, expected, "join");
}

/* A single fault on a still and even pool: only what had to move may have moved. */
static void run_quiet(struct world *w)
{
    unsigned node = (unsigned)prng_below(&w->prng, w->host_count);
    uint64_t story = prng_below(&w->prng, 3);

    run_until_even(w, false);
    run_check_still(w);
    oracle_reset_marks(w);
    w->oracle.judging_gaps = true;
    w->oracle.gap_limit_us = settle_move_gap_us(w);
    if (story == 0) {
        run_quiet_join(w, node);
    } else {
        run_quiet_loss(w, node, story == 1);
    }
    oracle_finish(w);
}

void run_seed(struct world *w, const struct profile *profile, uint64_t seed)
{
    world_init(w, profile, seed);
    run_start(w);
    world_run_until(w, US_PER_S + settle_cover_bound_us(w) + w->startup_us);
    bool sure = profile->loss_ppm_max == 0 && profile->kernel.stuck_ppm == 0 &&
                (!profile->routers || profile->kernel.fail_ppm == 0); /* an instance tries again after its interval */
    if (sure) {
        settle_check_covered(w);
    }
    if (profile->quiet) {
        run_quiet(w);
        return;
    }
    w->safety = true;
    world_at(w, w->now_us, SIM_FAULT, SIM_NONE, 0, 0);
    world_run_for(w, world_random(w, 10 * US_PER_S, 25 * US_PER_S));
    run_liveness(w);
}
