/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes sure that evenness costs as few moves as can be. Called by planner.c for all moves that balancing makes.
 *
 * Where every member may hold every unit, the chains of planner_chain.c are single moves and already the fewest. With
 * restricted eligibility they now and then (one small random pool in 200) take a detour: a flexible unit goes where a
 * less flexible one has to go later. So after them we look for exchanges of units that leave the loads as even as
 * they are and bring units back to where they came from. These are the negative cycles of a graph whose nodes are the
 * members:
 *  - an edge from a to c for a unit on a that may be moved to c. It costs 1 when it takes the unit from its origin,
 *    -1 when it takes it back there, 0 otherwise;
 *  - an edge from b to a at no cost where one unit fewer on a and one more on b would be just as even.
 * Without negative cycles the assignment is one with the fewest units moved (Klein 1967, for minimum cost flows). If
 * any was found, the list is made anew, towards that assignment.
 */
#include <string.h>

#include "core/planner_work.h"

#define NO_UNIT (-1) /* an edge of the second kind */
#define NO_EDGE 2    /* a cost above all costs */

struct exchange {
    int8_t cost[PLAN_MEMBERS_MAX][PLAN_MEMBERS_MAX];
    int16_t unit[PLAN_MEMBERS_MAX][PLAN_MEMBERS_MAX]; /* the unit that makes the cost, or NO_UNIT */
};

/* Whether a and b could swap loads: a with one unit fewer, b with one more. */
static bool could_swap(const struct work *w, int a, int b)
{
    return w->load[a] > 0 && gain_between(w, a, b).numerator == 0;
}

static void exchange_init(struct exchange *x, const struct work *w, const int8_t *origin)
{
    memset(x->cost, NO_EDGE, sizeof(x->cost));
    for (unsigned u = 0; u < w->unit_count; u++) {
        const struct work_unit *unit = &w->unit[u];
        uint64_t targets = unit->fixed ? 0 : planner_move_targets(w, unit);

        for (; targets != 0; targets &= targets - 1) {
            int to = first_member(targets);
            int8_t cost = unit->place == origin[u] ? 1 : to == origin[u] ? -1 : 0;

            if (cost < x->cost[unit->place][to]) {
                x->cost[unit->place][to] = cost;
                x->unit[unit->place][to] = (int16_t)u;
            }
        }
    }
    for (int a = 0; a < (int)w->member_count; a++) {
        for (int b = 0; b < (int)w->member_count; b++) {
            if (a != b && x->cost[b][a] > 0 && could_swap(w, a, b)) {
                x->cost[b][a] = 0;
                x->unit[b][a] = NO_UNIT;
            }
        }
    }
}

/* One round of Bellman and Ford's search. Returns a member whose distance it lowered, or NOBODY. */
static int relax(const struct exchange *x, unsigned members, int *distance, int *before)
{
    int lowered = NOBODY;

    for (int a = 0; a < (int)members; a++) {
        for (int c = 0; c < (int)members; c++) {
            if (x->cost[a][c] == NO_EDGE || distance[a] + x->cost[a][c] >= distance[c])
                continue;
            distance[c] = distance[a] + x->cost[a][c];
            before[c] = a;
            lowered = c;
        }
    }
    return lowered;
}

/* Finds a negative cycle and returns one of its members, with before[] leading round it backwards; NOBODY: none. */
static int find_cycle(const struct exchange *x, unsigned members, int *before)
{
    int distance[PLAN_MEMBERS_MAX] = {0};
    int lowered = NOBODY;

    for (unsigned m = 0; m < PLAN_MEMBERS_MAX; m++)
        before[m] = NOBODY;
    for (unsigned round = 0; round < members; round++) {
        lowered = relax(x, members, distance, before);
        if (lowered == NOBODY)
            return NOBODY;
    }
    /* Still falling after as many rounds as there are members: going back as often must end up on the cycle. */
    for (unsigned i = 0; i < members; i++)
        lowered = before[lowered];
    return lowered;
}

/* Exchanges units until no exchange brings more of them back to their origin than it takes away. */
static void bring_back(struct work *w, const int8_t *origin)
{
    struct exchange x;
    int before[PLAN_MEMBERS_MAX];

    for (;;) {
        exchange_init(&x, w, origin);

        int start = find_cycle(&x, w->member_count, before);
        int m = start;

        if (start == NOBODY)
            return;
        do {
            int from = before[m];

            if (x.unit[from][m] != NO_UNIT)
                planner_shift(w, (unsigned)x.unit[from][m], m);
            m = from;
        } while (m != start);
    }
}

/* The next unit on its way to `target` whose release would take it there: the one that gains most, then by hash. */
static int next_unit(const struct work *w, const int8_t *target)
{
    struct gain best_gain = {0, 1};
    int best = NOBODY;

    for (int u = 0; u < (int)w->unit_count; u++) {
        const struct work_unit *unit = &w->unit[u];

        if (unit->place == target[u] || planner_choose(w, (unsigned)u, member_bit(unit->place), w->load) != target[u])
            continue;

        struct gain gain = gain_between(w, unit->place, target[u]);
        int order = best == NOBODY ? 1 : compare_gain(gain, best_gain);

        if (order > 0 || (order == 0 && unit->tie_source < w->unit[best].tie_source)) {
            best = u;
            best_gain = gain;
        }
    }
    return best;
}

void planner_balance(struct work *w, struct plan *out)
{
    int8_t origin[PLAN_UNITS_MAX];
    int8_t target[PLAN_UNITS_MAX];
    uint16_t first = out->move_count;
    unsigned moved = 0;

    for (unsigned u = 0; u < w->unit_count; u++)
        origin[u] = w->unit[u].place;
    planner_chains(w, out);
    bring_back(w, origin);
    for (unsigned u = 0; u < w->unit_count; u++) {
        target[u] = w->unit[u].place;
        moved += target[u] != origin[u];
    }
    if (moved == (unsigned)(out->move_count - first))
        return; /* the chains made no detour, and nothing was exchanged */

    out->move_count = first;
    for (unsigned u = 0; u < w->unit_count; u++)
        if (target[u] != origin[u])
            planner_shift(w, u, origin[u]);
    for (int u = next_unit(w, target); u != NOBODY; u = next_unit(w, target))
        planner_move(w, (unsigned)u, target[u], out);
    /* Ties can go another way than the target supposes; chains then find an end that is as even. */
    planner_chains(w, out);
}
