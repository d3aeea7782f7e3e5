/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves for evenness. Called by planner_fewest.c once all units are placed and the forced moves are decided.
 *
 * Members are the nodes of a graph; an edge leads from a to c when some unit on a may be moved to c. A path from a to
 * b is a chain: each member on it hands one unit to the next, so that in the end only a is one unit lighter and only
 * b one heavier. It improves when load_a/share_a > (load_b+1)/share_b. Paths of one edge are the plain moves; longer
 * ones are needed only when not every member may hold every unit. When no path improves, the loads are as even as
 * they can be (Harvey, Ladner, Lovasz, Tamir, "Semi-matchings for bipartite graphs and load balancing", 2006; with
 * shares, because the sum of load(load+1)/share over members is separable convex and the load vectors are the bases
 * of a polymatroid).
 *
 * The step taken is always a shortest improving path, of these one with the largest difference, and its last move comes
 * first in the list. This is what makes every single move of a chain agree with the orphan rule at its turn:
 *  - the last edge's target is the rule's choice, by construction;
 *  - an inner member m has just handed a unit on, so one more unit costs it load_m/share_m. Were another target c of
 *    the unit as cheap, then either the path that ends at c, or the one that starts at m, would improve and be
 *    shorter.
 */
#include "base/check.h"
#include "core/planner_work.h"

/* A search from one member, level by level: level k holds those that k moves lead to, and no fewer. */
struct search {
    uint64_t seen;   /* all levels so far */
    uint64_t before; /* the level before the last */
    uint64_t level;  /* the last level */
};

/* The best paths of the shortest length that has any. */
struct found {
    struct gain gain;
    unsigned length;                   /* moves in the path; 0: none found */
    uint64_t sources;                  /* all members from which a path gains as much */
    uint64_t last[PLAN_MEMBERS_MAX];   /* by source: members that may make the last move */
    uint64_t target[PLAN_MEMBERS_MAX]; /* by source: equally good ends of the path */
};

struct graph {
    uint64_t edges[PLAN_MEMBERS_MAX];  /* by member: to whom it could hand a unit */
    uint64_t targets[PLAN_UNITS_MAX];  /* by unit: planner_move_targets(), 0 when it may not be moved */
    uint8_t by_fill[PLAN_MEMBERS_MAX]; /* members in order of (load+1)/share */
};

static void graph_init(struct graph *g, const struct work *w)
{
    for (unsigned m = 0; m < w->member_count; m++) {
        g->edges[m] = 0;
        g->by_fill[m] = (uint8_t)m;
    }
    for (unsigned u = 0; u < w->unit_count; u++) {
        const struct work_unit *unit = &w->unit[u];

        g->targets[u] = unit->fixed ? 0 : planner_move_targets(w, unit);
        if (g->targets[u] != 0)
            g->edges[unit->place] |= g->targets[u];
    }
}

/* Two loads change per chain, so the order is nearly right and the insertion sort nearly free. */
static void graph_sort(struct graph *g, const struct work *w)
{
    for (unsigned i = 1; i < w->member_count; i++) {
        uint8_t m = g->by_fill[i];
        unsigned at = i;

        for (; at > 0 && compare_members(w, g->by_fill[at - 1], m) > 0; at--)
            g->by_fill[at] = g->by_fill[at - 1];
        g->by_fill[at] = m;
    }
}

/* After moves: the edges of the members that they touched. */
static void graph_update(struct graph *g, const struct work *w, uint64_t touched)
{
    for (uint64_t left = touched; left != 0; left &= left - 1)
        g->edges[first_member(left)] = 0;
    for (unsigned u = 0; u < w->unit_count; u++) {
        const struct work_unit *unit = &w->unit[u];

        if (!unit->fixed && touched & member_bit(unit->place)) {
            g->targets[u] = planner_move_targets(w, unit);
            g->edges[unit->place] |= g->targets[u];
        }
    }
}

/* Those of `set`, not empty, that one more unit would fill the least. */
static uint64_t least_filled(const struct graph *g, const struct work *w, uint64_t set)
{
    unsigned i = 0;

    while ((set & member_bit(g->by_fill[i])) == 0)
        i++;

    int best = g->by_fill[i];
    uint64_t equal = member_bit(best);

    for (i++; i < w->member_count && compare_members(w, g->by_fill[i], best) == 0; i++)
        equal |= set & member_bit(g->by_fill[i]);
    return equal;
}

static uint64_t next_level(const struct graph *g, const struct search *s)
{
    uint64_t next = 0;

    for (uint64_t left = s->level; left != 0; left &= left - 1)
        next |= g->edges[first_member(left)];
    return next & ~s->seen;
}

/* Notes the best path from `source` that ends in the last level of its search, if it gains at least what others do. */
static void consider(struct found *f, const struct graph *g, const struct work *w, int source, const struct search *s)
{
    uint64_t ends = least_filled(g, w, s->level);
    struct gain gain = gain_between(w, source, first_member(ends));

    if (gain.numerator <= 0)
        return;

    int order = f->sources == 0 ? 1 : compare_gain(gain, f->gain);

    if (order < 0)
        return;
    if (order > 0)
        f->sources = 0;
    f->gain = gain;
    f->sources |= member_bit(source);
    f->last[source] = s->before;
    f->target[source] = ends;
}

/* All searches advance together, so that the first length that gains anything is the shortest. */
static void find_paths(struct found *f, const struct graph *g, const struct work *w)
{
    struct search search[PLAN_MEMBERS_MAX];
    uint64_t active = 0;

    f->sources = 0;
    f->length = 0;
    for (unsigned m = 0; m < w->member_count; m++) {
        search[m] = (struct search){.seen = member_bit((int)m), .level = member_bit((int)m)};
        if (g->edges[m] != 0)
            active |= member_bit((int)m);
    }
    for (unsigned length = 1; active != 0; length++) {
        for (uint64_t left = active; left != 0; left &= left - 1) {
            int source = first_member(left);
            struct search *s = &search[source];
            uint64_t next = next_level(g, s);

            s->before = s->level;
            s->level = next;
            s->seen |= next;
            if (next != 0)
                consider(f, g, w, source, s);
            else
                active &= ~member_bit(source);
        }
        if (f->sources != 0) {
            f->length = length;
            return;
        }
    }
}

/* The unit that moves first among those on `places` that may go to one of `targets`; NOBODY when there is none. */
static int first_unit(const struct graph *g, const struct work *w, uint64_t places, uint64_t targets, int best)
{
    for (int u = 0; u < (int)w->unit_count; u++) {
        const struct work_unit *unit = &w->unit[u];

        if ((g->targets[u] & targets) == 0 || (places & member_bit(unit->place)) == 0)
            continue;
        if (best == NOBODY || unit->tie_source < w->unit[best].tie_source)
            best = u;
    }
    return best;
}

/* Chooses one of the best paths by its last unit; *source becomes its start. */
static int choose_last_unit(const struct found *f, const struct graph *g, const struct work *w, int *source)
{
    int best = NOBODY;

    for (uint64_t left = f->sources; left != 0; left &= left - 1) {
        int a = first_member(left);
        int unit = first_unit(g, w, f->last[a], f->target[a], best);

        if (unit != best)
            *source = a;
        best = unit;
    }
    CHECK(best != NOBODY);
    return best;
}

/* levels[k] for k < length, from `source`. */
static void find_levels(const struct graph *g, int source, unsigned length, uint64_t *levels)
{
    struct search s = {.seen = member_bit(source), .level = member_bit(source)};

    for (unsigned k = 0; k < length; k++) {
        levels[k] = s.level;
        s.level = next_level(g, &s);
        s.seen |= s.level;
    }
}

/* Carries out one chain, its last move first. Returns the members that it touched. */
static uint64_t move_chain(struct work *w, const struct graph *g, const struct found *f, struct plan *out)
{
    uint64_t levels[PLAN_MEMBERS_MAX];
    int source = NOBODY;
    int unit = choose_last_unit(f, g, w, &source);
    int to = planner_choose(w, (unsigned)unit, member_bit(w->unit[unit].place), w->load);
    uint64_t touched = member_bit(to);

    find_levels(g, source, f->length, levels);
    for (unsigned k = f->length; k-- > 0;) {
        if (k + 1 < f->length)
            unit = first_unit(g, w, levels[k], member_bit(to), NOBODY);
        CHECK(unit != NOBODY);

        int from = w->unit[unit].place;

        planner_move(w, (unsigned)unit, to, out);
        touched |= member_bit(from);
        to = from;
    }
    return touched;
}

void planner_chains(struct work *w, struct plan *out)
{
    struct graph g;
    struct found f;

    graph_init(&g, w);
    for (;;) {
        graph_sort(&g, w);
        find_paths(&f, &g, w);
        /* Each chain lowers the convex sum, so this ends; the list's length is the limit should units move twice. */
        if (f.length == 0 || out->move_count + f.length > PLAN_UNITS_MAX)
            return;
        graph_update(&g, w, move_chain(w, &g, &f, out));
    }
}
