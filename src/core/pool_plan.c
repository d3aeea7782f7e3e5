/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a pool: what this host knows goes into the planner, its ranks come out as VRRP priorities (2.3, 2.4). */
#include "base/check.h"
#include "core/pool.h"

#define PRIORITY_FIRST 253     /* rank 0, less q */
#define PRIORITY_QUIETER_MAX 3 /* q's limit */
#define PRIORITY_OTHERS 249    /* rank r > 0 is r steps below */
#define PRIORITY_LAST 2
#define RANK_STEP_MAX 12
#define RANK_RANGE 240
#define LOST_MEMORY_US (24 * 3600 * (int64_t)US_PER_S) /* a partition may last long, and q must outlast it */

static const struct addr no_address;

/* This host first, then every living member. Returns their number. */
unsigned pool_plan_members(const struct pool *p, struct plan_member *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < p->members.count; i++) {
        const struct member *m = &p->members.list[i];
        if (i == MEMBER_SELF || member_is_alive(m)) {
            out[count++] = (struct plan_member){.address = m->address, .share = m->share};
        }
    }
    return count;
}

static int16_t plan_index(const struct plan_member *members, unsigned count, const struct addr *address)
{
    for (unsigned i = 0; i < count; i++) {
        if (addr_equal(&members[i].address, address)) {
            return (int16_t)i;
        }
    }
    return PLAN_NONE;
}

static uint64_t plan_bit(int16_t index)
{
    return index == PLAN_NONE ? 0 : UINT64_C(1) << index;
}

static uint64_t plan_eligible(const struct pool *p, const struct unit *u, const struct plan_member *members,
                              unsigned count)
{
    uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    uint64_t eligible = u->settings->eligible_count == 0 ? all : 0;
    for (unsigned i = 0; i < u->settings->eligible_count; i++) {
        eligible |= plan_bit(plan_index(members, count, &u->settings->eligible[i]));
    }
    return pool_may_hold(p, u) ? eligible : eligible & ~plan_bit(plan_index(members, count, &p->primary));
}

static bool unit_is_ours(const struct unit *u)
{
    return u->router.state == ROUTER_ACTIVE && u->router.phase != PHASE_CLAIMED;
}

/* It counts as ours, so that the others' claims, heard one after the other, do not shift what is still to be taken. But
 * until it is open, the priority with which it was claimed decides between two claimants, and it does not move. */
static bool unit_is_coming(const struct unit *u)
{
    return u->router.phase == PHASE_TAKING || u->router.phase == PHASE_CLAIMED;
}

/* The first preferred member that lives and counts. What somebody else has pinned stays there: that was an operator,
 * or another file, and its owner knows which. */
static int16_t plan_prefer(const struct unit *u, const struct plan_unit *unit, const struct plan_member *members,
                           unsigned count)
{
    for (unsigned i = 0; i < u->settings->prefer_count; i++) {
        int16_t index = plan_index(members, count, &u->settings->prefer[i]);
        if ((plan_bit(index) & unit->eligible) == 0 || members[index].share == MEMBER_SHARE_RESERVE) {
            continue;
        }
        bool pinned_elsewhere = unit->pinned && unit->owner != index;
        return pinned_elsewhere ? PLAN_NONE : index;
    }
    return PLAN_NONE;
}

/* Members that planned moves of this unit need not be tried with for a while. */
static uint64_t plan_vain(const struct pool *p, const struct unit *u, bool shedding, const struct plan_member *members,
                          unsigned count, struct mono now)
{
    uint64_t vain = 0;
    if (!shedding && !mono_due(now, u->vain_until)) {
        vain |= plan_bit(plan_index(members, count, &u->vain_target));
    }
    for (unsigned i = 0; i < p->members.count; i++) {
        const struct member *m = &p->members.list[i];
        if (balance_avoids(m, shedding, now)) {
            vain |= plan_bit(plan_index(members, count, &m->address));
        }
    }
    return vain;
}

void pool_plan_input(const struct pool *p, const struct plan_member *members, unsigned member_count, struct mono now,
                     struct plan_unit *units)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        bool coming = unit_is_coming(u), ours = unit_is_ours(u) || coming;
        struct plan_unit *unit = &units[i];
        *unit = (struct plan_unit){
            .vrid = u->settings->vrid,
            .still = coming || !mono_due(now, u->still_until),
            .foreign = !ours && u->holder_kind == HOLDER_STRANGER,
            .owner = PLAN_NONE,
            .eligible = plan_eligible(p, u, members, member_count),
        };
        if (ours || u->holder_kind == HOLDER_MEMBER) {
            unit->owner = plan_index(members, member_count, ours ? &p->primary : &u->holder);
        }
        if (!addr_is_none(&u->released_by) && !mono_due(now, u->released_until)) {
            unit->excluded |= plan_bit(plan_index(members, member_count, &u->released_by));
        }
        if (unit->owner !=
            PLAN_NONE) { /* penalties are for balancing: an orphan is open to all, and a reserve must shed */
            bool shedding = members[unit->owner].share == MEMBER_SHARE_RESERVE;
            unit->still &= coming || !shedding;
            unit->excluded |= plan_vain(p, u, shedding, members, member_count, now);
            unit->excluded &= ~plan_bit(unit->owner);
        } else if (!addr_is_none(&u->expected)) { /* released for a move, which counted on nobody to be avoided */
            unit->excluded |= plan_vain(p, u, false, members, member_count, now);
        }
        unit->pinned = ours ? u->pinned_here : unit->owner != PLAN_NONE && u->holder_priority == ROUTER_PRIORITY_PINNED;
        unit->prefer = plan_prefer(u, unit, members, member_count);
        int16_t self = plan_index(members, member_count, &p->primary);
        if (u->pinned_here && (plan_bit(self) & unit->eligible) != 0) {
            unit->prefer = self;
        }
        if (unit->prefer != PLAN_NONE && unit->prefer != unit->owner) {
            unit->pinned = false; /* it may be moved: to where it is preferred */
        }
    }
}

unsigned pool_count_lost(const struct pool *p, struct mono now)
{
    return members_count_lost(&p->members, mono_add(now, -LOST_MEMORY_US), now);
}

static uint8_t plan_priority(const struct pool *p, unsigned rank, unsigned member_count, struct mono now)
{
    if (rank == 0) {
        unsigned lost = pool_count_lost(p, now);
        return (uint8_t)(PRIORITY_FIRST - (lost < PRIORITY_QUIETER_MAX ? lost : PRIORITY_QUIETER_MAX));
    }
    unsigned step = RANK_RANGE / member_count;
    step = step > RANK_STEP_MAX ? RANK_STEP_MAX : step < 1 ? 1 : step;
    unsigned below = rank * step;
    return below > PRIORITY_OTHERS - PRIORITY_LAST ? PRIORITY_LAST : (uint8_t)(PRIORITY_OTHERS - below);
}

static void plan_apply(struct pool *p, const struct plan_member *members, unsigned member_count, struct mono now)
{
    const struct plan *plan = p->plan;
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        bool pinned = (u->pinned_here || p->plan_units[i].prefer == 0) &&
                      (unit_is_ours(u) || u->holder_kind != HOLDER_MEMBER); /* a member is asked for it instead */
        u->rank = plan->rank[i][0];
        if (u->router.phase != PHASE_CLAIMED) {
            u->router.priority = pinned ? ROUTER_PRIORITY_PINNED : plan_priority(p, u->rank, member_count, now);
        }
        u->next = no_address;
        u->planned = no_address;
        unsigned next_rank = p->plan_units[i].owner == PLAN_NONE ? 0 : 1;
        for (unsigned m = 0; m < member_count; m++) {
            if (plan->rank[i][m] == next_rank && (p->plan_units[i].eligible & UINT64_C(1) << m) != 0) {
                u->next = members[m].address;
            }
        }
    }
    for (unsigned k = 0; k < plan->move_count; k++) {
        p->units[plan->moves[k].unit].planned = members[plan->moves[k].to].address;
    }
}

void pool_replan(struct pool *p, struct mono now, struct effects *fx)
{
    struct plan_member members[PLAN_MEMBERS_MAX];
    unsigned member_count = pool_plan_members(p, members);
    p->changed = false;
    pool_plan_input(p, members, member_count, now, p->plan_units);
    planner_run(members, member_count, p->plan_units, p->settings->unit_count, p->settings->rebalance, p->plan);
    plan_apply(p, members, member_count, now);
    balance_tick(p, members, p->plan, now, fx);
}

static unsigned what_if_members(const struct pool *p, const struct plan_change *changes, unsigned change_count,
                                struct plan_member *members)
{
    unsigned count = pool_plan_members(p, members);
    for (unsigned c = 0; c < change_count; c++) {
        int16_t index = plan_index(members, count, &changes[c].member);
        if (changes[c].remove && index != PLAN_NONE) {
            members[index] = members[--count];
        } else if (!changes[c].remove && index != PLAN_NONE) {
            members[index].share = changes[c].share;
        } else if (!changes[c].remove && count < PLAN_MEMBERS_MAX) {
            members[count++] = (struct plan_member){.address = changes[c].member, .share = changes[c].share};
        }
    }
    return count;
}

unsigned pool_plan_what_if(const struct pool *p, struct mono now, const struct plan_change *changes,
                           unsigned change_count, struct plan_member *members, struct plan_unit *units,
                           struct plan *plan)
{
    unsigned count = what_if_members(p, changes, change_count, members);
    if (count == 0) {
        return 0;
    }
    pool_plan_input(p, members, count, now, units);
    planner_run(members, count, units, p->settings->unit_count, p->settings->rebalance, plan);
    return count;
}
