/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge: told at every change who answers for what, it holds P1 (at most one) at every instant, measures gaps and
 * doubles, and counts moves. What is excused, and for how long, is allowance.c's table; nothing is excused here.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "sim.h"

#define TRACE_LINES 60

void oracle_init(struct world *w)
{
    w->oracle = (struct oracle){0};
    for (unsigned u = 0; u < SIM_UNITS_MAX; u++) {
        w->oracle.units[u] = (struct unit_watch){.owner = SIM_NONE, .gap_since_us = 0, .dual_since_us = SIM_NEVER};
    }
}

void oracle_fail(struct world *w, const char *promise, unsigned unit, const char *format, ...)
{
    va_list arguments;

    if (w->oracle.failed) {
        return; /* the first broken promise is the cause, the others are its consequences */
    }
    w->oracle.failed = true;
    if (w->report == NULL) {
        return;
    }
    fprintf(w->report, "\nFAILED %s: profile %s seed %" PRIu64 " at %" PRId64 ".%06" PRId64 " s", promise,
            w->profile->name, w->seed, w->now_us / US_PER_S, w->now_us % US_PER_S);
    if (unit < w->unit_count) {
        fprintf(w->report, ", unit u%u (VRID %u)", unit, w->units[unit].vrid);
    }
    fprintf(w->report, ": ");
    va_start(arguments, format);
    vfprintf(w->report, format, arguments);
    va_end(arguments);
    fprintf(w->report,
            "\n  %u hosts, %u units, %s, version %u, IPv%u, advert %" PRId64 " ms, member %" PRId64
            " ms, startup %" PRId64 " ms, rebalance %s %u per %" PRId64 " ms, gateway %d, background %d\n",
            w->host_count, w->unit_count, w->lease ? "lease" : "no filter", w->version, w->family,
            w->advert_us / US_PER_MS, w->member_us / US_PER_MS, w->startup_us / US_PER_MS, w->rebalance ? "on" : "off",
            w->rebalance_moves, w->rebalance_us / US_PER_MS, w->lan.gateway, w->lan.background);
    trace_print(w, w->report, unit, TRACE_LINES);
    fflush(w->report);
}

unsigned oracle_holders(const struct world *w, unsigned unit)
{
    return w->oracle.units[unit].answering & (unsigned)~w->oracle.ignored;
}

static bool oracle_share_segment(const struct world *w, unsigned a, unsigned b)
{
    return w->lan.reach[a][b] || w->lan.reach[b][a];
}

/* One pair: do both answer and share the segment, since when, and until when may they? Fails when no row excuses it. */
static bool oracle_judge_pair(struct world *w, unsigned unit, unsigned a, unsigned b, int64_t *limit_us)
{
    struct unit_watch *watch = &w->oracle.units[unit];
    int64_t *since_us = &watch->pair_since_us[a][b];
    bool both = (watch->answering >> a & 1) != 0 && (watch->answering >> b & 1) != 0;
    bool ours = world_is_host(a) || world_is_host(b); /* what two strangers do to each other is theirs */

    if (!both || !ours || !oracle_share_segment(w, a, b)) {
        *since_us = 0;
        return false;
    }
    *since_us = *since_us == 0 ? w->now_us : *since_us;
    const char *reason = "nothing excuses this";
    int64_t limit = allowance_limit(w, a, b, unit, *since_us, &reason);
    if (limit <= w->now_us) {
        oracle_fail(w, "P1 at most one", unit, "n%u and n%u both answer, for %" PRId64 " us now; %s", a, b,
                    w->now_us - *since_us, reason);
    }
    *limit_us = limit < *limit_us ? limit : *limit_us;
    return true;
}

static bool oracle_judge_pairs(struct world *w, unsigned unit, int64_t *limit_us)
{
    bool dual = false;

    for (unsigned a = 0; a < SIM_NODES_MAX; a++) {
        for (unsigned b = a + 1; b < SIM_NODES_MAX; b++) {
            dual = oracle_judge_pair(w, unit, a, b, limit_us) || dual;
        }
    }
    return dual;
}

static void oracle_judge(struct world *w, unsigned unit)
{
    struct unit_watch *watch = &w->oracle.units[unit];
    int64_t limit_us = SIM_NEVER;
    bool several = (watch->answering & (watch->answering - 1)) != 0;
    bool was_dual = watch->dual_since_us != SIM_NEVER;
    bool dual = (several || was_dual) && oracle_judge_pairs(w, unit, &limit_us);

    if (dual && watch->dual_since_us == SIM_NEVER) {
        watch->dual_since_us = w->now_us;
        w->stats.duals_excused++;
    }
    if (dual && !watch->limit_queued && limit_us != SIM_NEVER) {
        watch->limit_queued = true;
        world_at(w, limit_us, SIM_DUAL_LIMIT, SIM_NONE, unit, 0);
    }
    if (!dual && watch->dual_since_us != SIM_NEVER) {
        int64_t dual_us = w->now_us - watch->dual_since_us;
        watch->dual_since_us = SIM_NEVER;
        watch->worst_dual_us = dual_us > watch->worst_dual_us ? dual_us : watch->worst_dual_us;
        w->stats.worst_dual_us = dual_us > w->stats.worst_dual_us ? dual_us : w->stats.worst_dual_us;
    }
}

void oracle_dual_limit(struct world *w, unsigned unit)
{
    w->oracle.units[unit].limit_queued = false;
    oracle_judge(w, unit);
}

static void oracle_judge_gap(struct world *w, unsigned unit, int64_t gap_us)
{
    struct unit_watch *watch = &w->oracle.units[unit];

    watch->worst_gap_us = gap_us > watch->worst_gap_us ? gap_us : watch->worst_gap_us;
    if (!w->oracle.judging_gaps) {
        return;
    }
    w->stats.worst_gap_us = gap_us > w->stats.worst_gap_us ? gap_us : w->stats.worst_gap_us;
    if (gap_us > w->oracle.gap_limit_us) {
        oracle_fail(w, "P2 at least one", unit,
                    "nobody answered for %" PRId64 " us long after the faults; a move may cost %" PRId64, gap_us,
                    w->oracle.gap_limit_us);
    }
}

static void oracle_track_gap(struct world *w, unsigned unit)
{
    struct unit_watch *watch = &w->oracle.units[unit];
    bool held = oracle_holders(w, unit) != 0;

    if (!held && watch->gap_since_us == SIM_NEVER) {
        watch->gap_since_us = w->now_us;
    } else if (held && watch->gap_since_us != SIM_NEVER) {
        int64_t gap_us = w->now_us - watch->gap_since_us;
        watch->gap_since_us = SIM_NEVER;
        oracle_judge_gap(w, unit, gap_us);
    }
}

void oracle_answer(struct world *w, unsigned node, unsigned unit, bool answers)
{
    struct unit_watch *watch = &w->oracle.units[unit];
    uint16_t bit = (uint16_t)(1u << node);

    if (((watch->answering & bit) != 0) == answers) {
        return;
    }
    trace_add(w, TRACE_ANSWERS, node, unit, answers, 0);
    watch->answering = answers ? watch->answering | bit : watch->answering & (uint16_t)~bit;
    if (answers && watch->owner != node) {
        if (watch->owner != SIM_NONE) {
            watch->changes++;
            w->oracle.changes++;
            w->stats.owner_changes++;
        }
        watch->owner = (uint8_t)node;
    }
    oracle_track_gap(w, unit);
    oracle_judge(w, unit);
}

void oracle_recheck(struct world *w)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        oracle_judge(w, u);
    }
}

void oracle_ignore(struct world *w, unsigned node)
{
    w->oracle.ignored |= (uint16_t)(1u << node);
    for (unsigned u = 0; u < w->unit_count; u++) {
        oracle_track_gap(w, u);
    }
}

void oracle_reset_marks(struct world *w)
{
    w->oracle.changes = 0;
    for (unsigned u = 0; u < w->unit_count; u++) {
        w->oracle.units[u].changes = 0;
        w->oracle.units[u].worst_gap_us = 0;
        w->oracle.units[u].worst_dual_us = 0;
    }
}

void oracle_finish(struct world *w)
{
    for (unsigned u = 0; u < w->unit_count && !w->oracle.failed; u++) {
        oracle_judge(w, u);
        if (w->oracle.judging_gaps && w->oracle.units[u].gap_since_us != SIM_NEVER) {
            oracle_judge_gap(w, u, w->now_us - w->oracle.units[u].gap_since_us);
        }
    }
}
