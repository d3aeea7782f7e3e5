/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner's frame: brings the input into an order of its own, places owned units and orphans, decides the moves
 * that do not depend on evenness, and hands out the result. Moves for evenness are planner_chain.c's and
 * planner_fewest.c's, ranks planner_rank.c's. Called by the pool whenever its view has changed, by `keelctl plan` and
 * by the simulator. Pure: no storage but the stack and the caller's result.
 *
 * The orphan rule (planner_choose) is the only place that says who takes a unit. Placement, forced moves, the last
 * member of a chain, and ranks all ask it, which is why a released unit goes where its move said.
 *
 * Where the contract in planner.h is silent:
 *  - A unit whose owner is not eligible (a stray) is placed by the orphan rule, after the orphans, and the list tells
 *    its owner first of all to release it. Pinned or still, it stays with its owner until it is neither.
 *  - An orphan is on its way. It counts as held by the member that it is placed on, but is part of no move before it
 *    has been claimed, since nobody could release it.
 *  - `prefer` is obeyed by the orphan rule too (else a unit released for it would go elsewhere), unless the preferred
 *    member is excluded, or a reserve while others serve.
 *  - When all eligible members are excluded, exclusion is ignored: somebody must serve.
 *  - Foreign units are spread over the loads that the plan's other units leave, as if all strangers went at once.
 */
#include "core/planner.h"

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "core/planner_work.h"

static_assert(sizeof(struct work) < 48 * 1024, "planner_run() must get by with 64 KiB of stack");

static uint64_t tie_hash(const struct work *w, uint8_t vrid, int member)
{
    const struct addr *address = &w->member[member]->address;
    uint64_t hash = hash_add(HASH_START, &vrid, 1);

    return hash_finish(hash_add(hash, address->bytes, addr_length(address)));
}

static void order_members(struct work *w, const struct plan_member *members, unsigned count)
{
    w->member_count = count;
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;

        CHECK(members[i].share >= 1);
        for (; at > 0 && addr_compare(&w->member[at - 1]->address, &members[i].address) > 0; at--) {
            w->member[at] = w->member[at - 1];
            w->member_index[at] = w->member_index[at - 1];
        }
        w->member[at] = &members[i];
        w->member_index[at] = (uint8_t)i;
    }
    for (unsigned m = 0; m < count; m++) {
        CHECK(m == 0 || !addr_equal(&w->member[m - 1]->address, &w->member[m]->address));
        w->share[m] = w->member[m]->share;
        if (w->share[m] == 1)
            w->reserve |= member_bit((int)m);
    }
}

static void order_units(struct work *w, const struct plan_unit *units, unsigned count)
{
    w->unit_count = count;
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;

        for (; at > 0 && units[w->unit_index[at - 1]].vrid > units[i].vrid; at--)
            w->unit_index[at] = w->unit_index[at - 1];
        w->unit_index[at] = (uint8_t)i;
    }
    for (unsigned u = 1; u < count; u++)
        CHECK(units[w->unit_index[u - 1]].vrid != units[w->unit_index[u]].vrid);
}

/* The unit's order of members by hash; equal hashes (one in 2^64) fall back to the order of addresses. */
static void order_ties(struct work *w, unsigned unit)
{
    uint64_t hash[PLAN_MEMBERS_MAX];
    uint8_t order[PLAN_MEMBERS_MAX];

    for (unsigned m = 0; m < w->member_count; m++) {
        uint64_t h = tie_hash(w, w->unit[unit].vrid, (int)m);
        unsigned at = m;

        for (; at > 0 && hash[at - 1] > h; at--) {
            hash[at] = hash[at - 1];
            order[at] = order[at - 1];
        }
        hash[at] = h;
        order[at] = (uint8_t)m;
    }
    for (unsigned i = 0; i < w->member_count; i++)
        w->tie[unit][order[i]] = (uint8_t)i;
}

/* A set of the caller's member indexes as a set of ours; bits of members that do not exist fall away. */
static uint64_t import_set(const struct work *w, uint64_t set)
{
    uint64_t out = 0;

    for (unsigned m = 0; m < w->member_count; m++)
        out |= (set >> w->member_index[m] & 1) << m;
    return out;
}

static enum unit_kind kind_of(const struct plan_unit *unit, const struct work_unit *own)
{
    if (unit->foreign)
        return UNIT_FOREIGN;
    if (own->eligible == 0)
        return UNIT_HOMELESS;
    if (own->owner == NOBODY)
        return UNIT_ORPHAN;
    if ((own->eligible & member_bit(own->owner)) == 0 && !unit->pinned && !unit->still)
        return UNIT_STRAY;
    return UNIT_KEPT;
}

static void import_unit(struct work *w, unsigned u, const struct plan_unit *unit, const int8_t *own_index)
{
    struct work_unit *own = &w->unit[u];

    CHECK(unit->owner >= PLAN_NONE && unit->owner < (int)w->member_count);
    CHECK(unit->prefer >= PLAN_NONE && unit->prefer < (int)w->member_count);
    own->vrid = unit->vrid;
    own->eligible = import_set(w, unit->eligible);
    own->excluded = import_set(w, unit->excluded);
    own->owner = unit->owner == PLAN_NONE ? NOBODY : own_index[unit->owner];
    own->prefer = unit->prefer == PLAN_NONE ? NOBODY : own_index[unit->prefer];
    own->kind = (uint8_t)kind_of(unit, own);
    own->fixed = own->kind != UNIT_KEPT || unit->pinned || unit->still;
    own->place = NOBODY;
    order_ties(w, u);
}

static void import(struct work *w, const struct plan_member *members, unsigned member_count,
                   const struct plan_unit *units, unsigned unit_count)
{
    int8_t own_index[PLAN_MEMBERS_MAX]; /* by the caller's index */

    order_members(w, members, member_count);
    for (unsigned m = 0; m < member_count; m++)
        own_index[w->member_index[m]] = (int8_t)m;
    order_units(w, units, unit_count);
    for (unsigned u = 0; u < unit_count; u++)
        import_unit(w, u, &units[w->unit_index[u]], own_index);
}

uint64_t planner_candidates(const struct work *w, const struct work_unit *unit, uint64_t without)
{
    uint64_t eligible = unit->eligible & ~without;
    uint64_t willing = eligible & ~unit->excluded;

    if (willing & ~w->reserve)
        return willing & ~w->reserve;
    if (willing)
        return willing;
    return eligible & ~w->reserve ? eligible & ~w->reserve : eligible;
}

int planner_choose(const struct work *w, unsigned unit, uint64_t without, const uint16_t *load)
{
    const struct work_unit *own = &w->unit[unit];
    const uint8_t *tie = w->tie[unit];
    uint64_t left = planner_candidates(w, own, without);

    if (left == 0)
        return NOBODY;
    if (own->prefer != NOBODY && left & member_bit(own->prefer))
        return own->prefer;

    int best = first_member(left);

    for (left &= left - 1; left != 0; left &= left - 1) {
        int m = first_member(left);
        int order = compare_fill(load[m], w->share[m], load[best], w->share[best]);

        if (order < 0 || (order == 0 && tie[m] < tie[best]))
            best = m;
    }
    return best;
}

uint64_t planner_move_targets(const struct work *w, const struct work_unit *unit)
{
    uint64_t willing = unit->eligible & ~unit->excluded & ~member_bit(unit->place);

    if (willing & ~w->reserve)
        return willing & ~w->reserve;
    /* From one reserve to another, but never to a reserve from a member that serves. */
    return w->reserve & member_bit(unit->place) ? willing : 0;
}

static void put(struct work *w, unsigned unit, int member)
{
    w->unit[unit].place = (int8_t)member;
    w->unit[unit].tie_source = tie_hash(w, w->unit[unit].vrid, member);
}

static void place_orphans(struct work *w, enum unit_kind kind)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        if (w->unit[u].kind == kind) {
            put(w, u, planner_choose(w, u, 0, w->load));
            w->load[w->unit[u].place]++;
        }
    }
}

static void place_all(struct work *w)
{
    uint16_t scratch[PLAN_MEMBERS_MAX];

    for (unsigned u = 0; u < w->unit_count; u++) {
        if (w->unit[u].kind == UNIT_KEPT) {
            put(w, u, w->unit[u].owner);
            w->load[w->unit[u].owner]++;
        }
    }
    place_orphans(w, UNIT_ORPHAN);
    place_orphans(w, UNIT_STRAY);
    memcpy(scratch, w->load, sizeof(scratch));
    for (unsigned u = 0; u < w->unit_count; u++) {
        if (w->unit[u].kind == UNIT_FOREIGN && w->unit[u].eligible != 0) {
            put(w, u, planner_choose(w, u, 0, scratch));
            scratch[w->unit[u].place]++;
        }
    }
}

static void append_move(const struct work *w, unsigned unit, int from, int to, struct plan *out)
{
    CHECK(out->move_count < PLAN_UNITS_MAX);
    out->moves[out->move_count++] = (struct plan_move){
        .unit = w->unit_index[unit],
        .from = (int8_t)w->member_index[from],
        .to = (int8_t)w->member_index[to],
    };
}

void planner_shift(struct work *w, unsigned unit, int to)
{
    w->load[w->unit[unit].place]--;
    w->load[to]++;
    put(w, unit, to);
}

void planner_move(struct work *w, unsigned unit, int to, struct plan *out)
{
    append_move(w, unit, w->unit[unit].place, to, out);
    planner_shift(w, unit, to);
}

/* A unit on its preferred member, or due to go there, is not balancing's to move. A reserve is left all the same. */
static bool obeys_preference(const struct work *w, const struct work_unit *unit)
{
    if (unit->prefer == NOBODY)
        return false;

    uint64_t targets = planner_move_targets(w, unit);

    if (unit->prefer == unit->place)
        return (w->reserve & member_bit(unit->place)) == 0 || (targets & ~w->reserve) == 0;
    return (targets & member_bit(unit->prefer)) != 0;
}

/* Moves that are due whatever the loads: off members that may not hold the unit, to preferred members, off reserves. */
static void force_moves(struct work *w, struct plan *out)
{
    for (unsigned u = 0; u < w->unit_count; u++)
        if (w->unit[u].kind == UNIT_STRAY)
            append_move(w, u, w->unit[u].owner, w->unit[u].place, out);
    for (unsigned u = 0; u < w->unit_count; u++) {
        struct work_unit *unit = &w->unit[u];

        if (unit->fixed || !obeys_preference(w, unit))
            continue;
        unit->fixed = true;
        if (unit->place != unit->prefer)
            planner_move(w, u, unit->prefer, out);
    }
    for (unsigned u = 0; u < w->unit_count; u++) {
        struct work_unit *unit = &w->unit[u];

        if (unit->fixed || (w->reserve & member_bit(unit->place)) == 0)
            continue;
        if (planner_move_targets(w, unit) & ~w->reserve)
            planner_move(w, u, planner_choose(w, u, member_bit(unit->place), w->load), out);
    }
}

static void export_places(const struct work *w, int16_t *places)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        int place = w->unit[u].place;

        places[w->unit_index[u]] = place == NOBODY ? PLAN_NONE : w->member_index[place];
    }
}

static void export_loads(const struct work *w, uint16_t *loads)
{
    for (unsigned m = 0; m < w->member_count; m++)
        loads[w->member_index[m]] = w->load[m];
}

void planner_run(const struct plan_member *members, unsigned member_count, const struct plan_unit *units,
                 unsigned unit_count, bool rebalance, struct plan *out)
{
    struct work w;

    CHECK(member_count >= 1 && member_count <= PLAN_MEMBERS_MAX);
    CHECK(unit_count <= PLAN_UNITS_MAX);
    memset(&w, 0, sizeof(w));
    memset(out, 0, sizeof(*out));
    import(&w, members, member_count, units, unit_count);
    place_all(&w);
    export_places(&w, out->placed);
    export_loads(&w, out->load);
    planner_rank(&w, out);

    force_moves(&w, out);
    if (rebalance)
        planner_balance(&w, out);
    export_places(&w, out->target);
    export_loads(&w, out->final_load);
}
