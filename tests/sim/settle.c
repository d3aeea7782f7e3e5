/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises that hold some time after the last fault: every unit has exactly one owner (P2), loads are even (P3),
 * and a host that left holds nothing (P7); with their time bounds. Judged from who answers, never from what the cores
 * believe, except for pins, which only the core that holds one knows.
 */
#include "sim.h"

int64_t settle_cover_bound_us(const struct world *w)
{
    /* The last fault's traces: a kernel batch still under way. A silent death is noticed after 3 member intervals and
     * skew (at most a fourth), and only then a unit's own Active_Down_Timer (4 of its intervals at most) need run, for
     * units whose owner was no member or who had none. A one-way fault that was judged last is yielded after 3
     * assertions. */
    int64_t batch_us =
        w->profile->kernel.stuck_ppm != 0 ? w->profile->kernel.stuck_max_us : w->profile->kernel.slow_max_us;

    /* What a reload has added is left to the first in rank for three seconds more. */
    int64_t added_us = w->profile->weight[FAULT_RELOAD] > 0 ? 3 * US_PER_S : 0;
    int64_t held_us = w->routers ? w->startup_us : 0; /* a pool's reserves serve when nobody else can */

    return added_us + held_us + 2 * batch_us + 4 * w->member_us + 4 * w->advert_us + 8 * allowance_reaction_us(w) +
           100 * US_PER_MS;
}

int64_t settle_move_gap_us(const struct world *w)
{
    /* Removal, priority 0, skew of rank 0 (or of rank 1 when rank 0 cannot), address in place, filter open. Where a
     * member takes nothing although it says so, who released the unit may be the only other one, and holds back for
     * four member intervals. */
    int64_t liar_us = 0;

    for (unsigned node = 0; node < w->host_count; node++) {
        liar_us = w->hosts[node].kernel.broken ? 5 * w->member_us : liar_us;
    }
    return 24 * w->member_us / 256 + 2 * allowance_reaction_us(w) + liar_us;
}

static bool settle_is_eligible(const struct world *w, unsigned node, unsigned unit)
{
    const struct unit_settings *s = &w->units[unit];

    for (unsigned i = 0; i < s->eligible_count; i++) {
        if (world_node_of(w, &s->eligible[i]) == node) {
            return true;
        }
    }
    return s->eligible_count == 0;
}

bool settle_can_hold(const struct world *w, unsigned node, unsigned unit)
{
    const struct host *h = &w->hosts[node];

    for (unsigned link = 0; link < w->link_count; link++) {
        if ((w->units[unit].links >> link & 1) != 0 && !h->link_up[link]) {
            return false;
        }
    }
    unsigned from = unit, end = unit + 1;
    if (w->routers) {
        routers_group_of(w, unit, &from, &end);
    }
    for (unsigned u = from; u < end; u++) {
        if (w->routers && h->router_fault[u]) {
            return false;
        }
    }
    return host_is_up(h) && !h->out && !h->leaving && h->share > 0 && settle_is_eligible(w, node, unit);
}

/* A planned move may be under way at the moment of the check: it gets its time. */
static void settle_await_moves(struct world *w)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        int64_t since_us = w->oracle.units[u].gap_since_us;
        if (since_us != SIM_NEVER && w->now_us - since_us < settle_move_gap_us(w)) {
            world_run_until(w, since_us + settle_move_gap_us(w));
        }
    }
}

void settle_check_covered(struct world *w)
{
    settle_await_moves(w);
    for (unsigned u = 0; u < w->unit_count; u++) {
        unsigned holders = oracle_holders(w, u);
        bool possible = false;
        for (unsigned node = 0; node < w->host_count; node++) {
            possible = possible || settle_can_hold(w, node, u);
        }
        if (possible && holders == 0) {
            oracle_fail(w, "P2 at least one", u, "nobody answers at the end of the bound");
            return;
        }
        if ((holders & (holders - 1)) != 0) {
            oracle_fail(w, "P1 at most one", u, "several answer (bits %x) at the end of the bound", holders);
            return;
        }
    }
}

unsigned settle_load(const struct world *w, unsigned node)
{
    unsigned load = 0;

    for (unsigned u = 0; u < w->unit_count; u++) {
        load += oracle_holders(w, u) >> node & 1;
    }
    return load;
}

unsigned settle_share(const struct world *w, unsigned node)
{
    const struct host *h = &w->hosts[node];

    if (!host_is_up(h) || h->out || h->leaving) {
        return 0;
    }
    return h->drained && h->share > 1 ? 1 : h->share;
}

static bool settle_is_pinned(const struct world *w, unsigned node, unsigned unit)
{
    struct unit_view view;

    core_view_unit(w->hosts[node].core, 0, w->hosts[node].files[w->hosts[node].file].file_unit[unit], &view);
    return view.pinned;
}

static bool settle_may_move(const struct world *w, unsigned unit, unsigned from, unsigned to)
{
    return (oracle_holders(w, unit) >> from & 1) != 0 && settle_can_hold(w, to, unit) &&
           !settle_is_pinned(w, from, unit);
}

/* Would moving one unit from a to b lower the higher of their loads per share? A reserve gives away all it can to those
 * who serve, and shares the rest with other reserves. */
static bool settle_is_pair_uneven(const struct world *w, const unsigned *loads, unsigned a, unsigned b)
{
    unsigned share_a = settle_share(w, a);
    unsigned share_b = settle_share(w, b);

    if (share_b == 0 || share_a == 0 || loads[a] == 0 || (share_b == 1 && share_a > 1)) {
        return false;
    }
    return (share_a == 1 && share_b > 1) || loads[a] * share_b > (loads[b] + 1) * share_a;
}

/* A unit that an operator has pinned belongs to that host, also when it has lost it meanwhile. */
static bool settle_is_pin_missed(const struct world *w, unsigned *from, unsigned *to)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        for (*to = 0; *to < w->host_count; (*to)++) {
            unsigned holders = oracle_holders(w, u);
            struct unit_view view;

            if (!settle_can_hold(w, *to, u) || settle_share(w, *to) < 2 || (holders >> *to & 1) != 0) {
                continue;
            }
            core_view_unit(w->hosts[*to].core, 0, u, &view);
            *from = holders == 0 ? w->host_count : (unsigned)__builtin_ctz(holders);
            if (view.pinned_here && *from < w->host_count && settle_share(w, *from) > 0) {
                return true;
            }
        }
    }
    return false;
}

/* Preferred units belong to whom the file prefers, while that one lives and counts, unless an operator has pinned them.
 */
static bool settle_is_misplaced(const struct world *w, unsigned *from, unsigned *to)
{
    if (settle_is_pin_missed(w, from, to)) {
        return true;
    }
    for (unsigned u = 0; u < w->unit_count; u++) {
        *to = w->units[u].prefer_count > 0 ? world_node_of(w, &w->units[u].prefer[0]) : SIM_NONE;
        if (*to == SIM_NONE || !settle_can_hold(w, *to, u) || settle_share(w, *to) < 2) {
            continue;
        }
        for (*from = 0; *from < w->host_count; (*from)++) {
            if (*from != *to && settle_share(w, *from) > 0 && settle_may_move(w, u, *from, *to)) {
                return true;
            }
        }
    }
    return false;
}

/* To whom each host can give a unit, over others too: what one hands on makes room for what it is given. */
static void settle_reach(const struct world *w, unsigned *reach)
{
    for (unsigned a = 0; a < w->host_count; a++) {
        reach[a] = 0;
        for (unsigned b = 0; b < w->host_count; b++) {
            bool takes = settle_share(w, b) > 1 || settle_share(w, a) == 1;
            for (unsigned u = 0; u < w->unit_count && a != b && takes; u++) {
                reach[a] |= (unsigned)settle_may_move(w, u, a, b) << b;
            }
        }
    }
    for (unsigned via = 0; via < w->host_count; via++) {
        for (unsigned a = 0; a < w->host_count; a++) {
            reach[a] |= (reach[a] >> via & 1) != 0 ? reach[via] : 0;
        }
    }
}

static unsigned settle_priority(const struct world *w, unsigned node, unsigned unit)
{
    struct unit_view view;

    core_view_unit(w->hosts[node].core, 0, w->hosts[node].files[w->hosts[node].file].file_unit[unit], &view);
    return view.priority;
}

/* A stranger that is weaker than some host means to be holds what it will be preempted from. */
static bool settle_is_usurped(const struct world *w)
{
    for (unsigned k = 0; k < SIM_STRANGERS_MAX; k++) {
        const struct stranger *s = &w->strangers[k];
        bool holds = s->running && (oracle_holders(w, s->unit) >> (SIM_STRANGER_FIRST + k) & 1) != 0;

        for (unsigned node = 0; node < w->host_count && holds; node++) {
            if (settle_can_hold(w, node, s->unit) && settle_share(w, node) > 1 &&
                settle_priority(w, node, s->unit) > s->priority) {
                return true;
            }
        }
    }
    return false;
}

/* On its way from one to another, or lost: long gone ones are nobody's. */
static bool settle_is_moving(const struct world *w)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        int64_t since_us = w->oracle.units[u].gap_since_us;
        if (since_us != SIM_NEVER && w->now_us - since_us < settle_move_gap_us(w)) {
            return true;
        }
    }
    return false;
}

bool settle_is_even(const struct world *w, unsigned *from, unsigned *to)
{
    unsigned loads[SIM_HOSTS_MAX];
    unsigned reach[SIM_HOSTS_MAX];

    *from = *to = 0;
    if (settle_is_moving(w) || settle_is_usurped(w) || settle_is_misplaced(w, from, to)) {
        return false;
    }
    settle_reach(w, reach);
    for (unsigned node = 0; node < w->host_count; node++) {
        loads[node] = settle_load(w, node);
    }
    for (*from = 0; *from < w->host_count; (*from)++) {
        for (*to = 0; *to < w->host_count; (*to)++) {
            if (*from != *to && (reach[*from] >> *to & 1) != 0 && settle_is_pair_uneven(w, loads, *from, *to)) {
                return false;
            }
        }
    }
    return true;
}

/* The pair with the largest difference of load per share that a move would lower; false: there is none. */
static bool settle_worst_pair(const struct world *w, const unsigned *loads, unsigned *from, unsigned *to)
{
    double worst = -1;

    for (unsigned a = 0; a < w->host_count; a++) {
        for (unsigned b = 0; b < w->host_count; b++) {
            if (a == b || !settle_is_pair_uneven(w, loads, a, b)) {
                continue;
            }
            double difference = (double)loads[a] / settle_share(w, a) - (double)(loads[b] + 1) / settle_share(w, b);
            if (difference > worst || settle_share(w, a) == 1) {
                worst = difference;
                *from = a;
                *to = b;
            }
        }
    }
    return worst > -1;
}

/* Moves that evenness needs, with everybody eligible for everything: restricted units only make it fewer. */
unsigned settle_moves_needed(const struct world *w)
{
    unsigned loads[SIM_HOSTS_MAX];
    unsigned moves = 0;
    unsigned from, to;

    for (unsigned node = 0; node < w->host_count; node++) {
        loads[node] = settle_load(w, node);
    }
    while (moves < w->unit_count && settle_worst_pair(w, loads, &from, &to)) {
        loads[from]--;
        loads[to]++;
        moves++;
    }
    return moves;
}

/* What each core would move first: for the report of a pool that does not become even. */
void settle_print_plans(const struct world *w)
{
    struct plan_member members[PLAN_MEMBERS_MAX];
    struct plan plan;

    for (unsigned node = 0; node < w->host_count && w->report != NULL; node++) {
        const struct host *h = &w->hosts[node];
        if (!host_is_up(h)) {
            continue;
        }
        unsigned count = core_view_plan(h->core, 0, (struct mono){w->now_us}, NULL, 0, members, &plan);
        fprintf(w->report, "  h%u knows %u members and would move", node, count);
        for (unsigned k = 0; k < plan.move_count && k < 5; k++) {
            fprintf(w->report, " u%u n%u->n%u", plan.moves[k].unit,
                    world_node_of(w, &members[plan.moves[k].from].address),
                    world_node_of(w, &members[plan.moves[k].to].address));
        }
        fprintf(w->report, "%s\n", plan.move_count == 0 ? " nothing" : "");
    }
}

void settle_check_nothing_left(struct world *w, unsigned node)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        if (w->hosts[node].kernel.units[u].level != LEVEL_ABSENT) {
            oracle_fail(w, "P7 nothing left behind", u, "host %u has left, its kernel still has level %u", node,
                        w->hosts[node].kernel.units[u].level);
            return;
        }
    }
}
