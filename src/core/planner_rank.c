/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ranking of all members for each unit, from which every host takes its priority: rank 0 where the unit is placed,
 * rank 1 where it goes when that member dies, then the others. Called by planner.c, before moves: what is not yet
 * released has to be ranked by where it is.
 *
 * The death of a member is simulated by placing anew, without it, all that would then be orphans. So rank 1 is what a
 * plan without the dead member says, and a crash lands as evenly as the orphan rule can make it.
 */
#include <string.h>

#include "core/planner_work.h"

/* The groups of a ranking, the first to be asked first. The same order as planner_candidates()'s. */
enum tier {
    TIER_FIRST,  /* where the unit is placed, and who follows there */
    TIER_SERVES, /* eligible */
    TIER_RESERVE,
    TIER_EXCLUDED,
    TIER_EXCLUDED_RESERVE,
    TIER_NOT_ELIGIBLE,
};

/* Whether the death of `dead` makes an orphan of the unit, or finds it one. */
static bool is_orphaned(const struct work_unit *unit, int dead)
{
    switch ((enum unit_kind)unit->kind) {
    case UNIT_ORPHAN:
        return true;
    case UNIT_KEPT:
    case UNIT_STRAY:
        return unit->owner == dead;
    case UNIT_FOREIGN:
    case UNIT_HOMELESS:
        break;
    }
    return false;
}

static void place_heir(const struct work *w, unsigned u, int dead, uint16_t *load, int8_t *heir)
{
    int to = planner_choose(w, u, member_bit(dead), load);

    if (to != NOBODY)
        load[to]++;
    if (w->unit[u].place == dead)
        heir[u] = (int8_t)to;
}

/* heir[unit]: who gets the unit when the member that it is placed on dies; NOBODY: no one can. */
static void find_heirs(const struct work *w, int8_t *heir)
{
    uint16_t kept[PLAN_MEMBERS_MAX] = {0};

    for (unsigned u = 0; u < w->unit_count; u++) {
        heir[u] = NOBODY;
        if (w->unit[u].kind == UNIT_KEPT)
            kept[w->unit[u].place]++;
    }
    for (int dead = 0; dead < (int)w->member_count; dead++) {
        uint16_t load[PLAN_MEMBERS_MAX];

        if (w->load[dead] == 0)
            continue;
        memcpy(load, kept, sizeof(load));
        for (unsigned u = 0; u < w->unit_count; u++)
            if (is_orphaned(&w->unit[u], dead))
                place_heir(w, u, dead, load, heir);
        for (unsigned u = 0; u < w->unit_count; u++)
            if (w->unit[u].kind == UNIT_STRAY && w->unit[u].owner != dead)
                place_heir(w, u, dead, load, heir);
    }
}

/* Numbers the members by (load+1)/share, from 0; equal ones get the same number, so that the tie can decide. */
static void number_by_fill(const struct work *w, uint8_t *number)
{
    uint8_t order[PLAN_MEMBERS_MAX] = {0};

    for (unsigned m = 1; m < w->member_count; m++) {
        unsigned at = m;

        for (; at > 0 && compare_members(w, order[at - 1], (int)m) > 0; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)m;
    }
    number[order[0]] = 0;
    for (unsigned i = 1; i < w->member_count; i++) {
        uint8_t a = order[i - 1];
        uint8_t b = order[i];
        bool same = compare_members(w, a, b) == 0;

        number[b] = (uint8_t)(number[a] + (same ? 0 : 1));
    }
}

static enum tier tier_of(const struct work *w, const struct work_unit *unit, int member)
{
    bool reserve = (w->reserve & member_bit(member)) != 0;

    if ((unit->eligible & member_bit(member)) == 0)
        return TIER_NOT_ELIGIBLE;
    if (unit->excluded & member_bit(member))
        return reserve ? TIER_EXCLUDED_RESERVE : TIER_EXCLUDED;
    return reserve ? TIER_RESERVE : TIER_SERVES;
}

/* One number that orders the members for a unit: tier, then load, then the hash; distinct, as the ties are. */
static uint32_t rank_key(const struct work *w, unsigned u, int member, int heir, const uint8_t *fill)
{
    const struct work_unit *unit = &w->unit[u];
    /* A unit that nobody may hold is left alone: its owner stays first. */
    int first = unit->kind == UNIT_HOMELESS ? unit->owner : unit->place;

    if (member == first)
        return 0;
    if (member == heir)
        return 1;
    return (uint32_t)tier_of(w, unit, member) << 16 | (uint32_t)fill[member] << 8 | w->tie[u][member];
}

void planner_rank(const struct work *w, struct plan *out)
{
    int8_t heir[PLAN_UNITS_MAX];
    uint8_t fill[PLAN_MEMBERS_MAX];

    find_heirs(w, heir);
    number_by_fill(w, fill);
    for (unsigned u = 0; u < w->unit_count; u++) {
        uint32_t key[PLAN_MEMBERS_MAX];
        uint8_t order[PLAN_MEMBERS_MAX];

        for (unsigned m = 0; m < w->member_count; m++) {
            uint32_t k = rank_key(w, u, (int)m, heir[u], fill);
            unsigned at = m;

            for (; at > 0 && key[at - 1] > k; at--) {
                key[at] = key[at - 1];
                order[at] = order[at - 1];
            }
            key[at] = k;
            order[at] = (uint8_t)m;
        }
        for (unsigned i = 0; i < w->member_count; i++)
            out->rank[w->unit_index[u]][w->member_index[order[i]]] = (uint8_t)i;
    }
}
