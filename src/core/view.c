/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/view.h"

#include <string.h>

#include "base/check.h"
#include "core/core_state.h"

static const struct pool *view_pool(const struct core *core, unsigned pool)
{
    CHECK(pool < core->settings->pool_count);
    return &core->pools[pool];
}

static const struct unit *view_unit(const struct core *core, unsigned pool, unsigned unit)
{
    CHECK(unit < view_pool(core, pool)->settings->unit_count);
    return &core->pools[pool].units[unit];
}

const char *member_state_name(enum member_state state)
{
    static const char *const names[] = {
        [MEMBER_ACTIVE] = "active",
        [MEMBER_RESERVE] = "reserve",
        [MEMBER_DEAD] = "dead",
        [MEMBER_LEFT] = "left",
    };
    _Static_assert(ARRAY_LENGTH(names) == MEMBER_STATE_COUNT, "a name for each state");
    CHECK(state < MEMBER_STATE_COUNT);
    return names[state];
}

const char *holder_kind_name(enum holder_kind kind)
{
    static const char *const names[] = {
        [HOLDER_NONE] = "none",
        [HOLDER_SELF] = "self",
        [HOLDER_MEMBER] = "member",
        [HOLDER_STRANGER] = "stranger",
    };
    _Static_assert(ARRAY_LENGTH(names) == HOLDER_KIND_COUNT, "a name for each kind");
    CHECK(kind < HOLDER_KIND_COUNT);
    return names[kind];
}

const char *isolation_state_name(enum isolation_state state)
{
    static const char *const names[] = {
        [ISOLATION_NONE] = "none",
        [ISOLATION_PROBING] = "probing",
        [ISOLATION_DEAF] = "deaf",
        [ISOLATION_MUTE] = "mute",
    };
    _Static_assert(ARRAY_LENGTH(names) == ISOLATION_STATE_COUNT, "a name for each state");
    CHECK(state < ISOLATION_STATE_COUNT);
    return names[state];
}

void core_view_pool(const struct core *core, unsigned pool, struct pool_view *out)
{
    const struct pool *p = view_pool(core, pool);
    const struct member *one_way = contest_one_way(p, p->heard_last);
    *out = (struct pool_view){
        .ready = p->ready,
        .drained = p->drained,
        .leaving = p->leaving,
        .isolation = p->isolation,
        .member_vrid = p->member_vrid,
        .share = p->members.list[MEMBER_SELF].share,
        .one_way = one_way != NULL ? one_way->address : ADDR_NONE,
        .lost_count = (uint8_t)pool_count_lost(p, p->heard_last),
        .primary = p->primary,
        .started = p->started,
        .ready_since = p->ready_since,
        .member_count = (uint16_t)p->members.count,
        .unit_count = p->settings->unit_count,
    };
}

static bool view_is_held(const struct unit *u)
{
    return u->router.state == ROUTER_ACTIVE;
}

/* Entry 0 is this host, the others in the order of their addresses. */
static const struct member *view_nth_member(const struct pool *p, unsigned nth)
{
    const struct member *previous = NULL;
    if (nth == MEMBER_SELF) {
        return &p->members.list[MEMBER_SELF];
    }
    for (unsigned k = 0; k < nth; k++) {
        const struct member *best = NULL;
        for (unsigned i = MEMBER_SELF + 1; i < p->members.count; i++) {
            const struct member *m = &p->members.list[i];
            bool after = previous == NULL || addr_compare(&m->address, &previous->address) > 0;
            if (after && (best == NULL || addr_compare(&m->address, &best->address) < 0)) {
                best = m;
            }
        }
        CHECK(best != NULL);
        previous = best;
    }
    return previous;
}

void core_view_member(const struct core *core, unsigned pool, unsigned member, struct mono now, struct member_view *out)
{
    const struct pool *p = view_pool(core, pool);
    CHECK(member < p->members.count);
    const struct member *m = view_nth_member(p, member);
    bool self = member == MEMBER_SELF;
    *out = (struct member_view){
        .address = m->address,
        .vrid = m->vrid,
        .share = m->share,
        .state = m->state,
        .self = self,
        .interval_us = m->interval_us,
        .last_heard = self ? now : m->last_heard,
        .since = m->since,
    };
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        bool holds = self ? view_is_held(u)
                          : !view_is_held(u) && u->holder_kind == HOLDER_MEMBER && addr_equal(&u->holder, &m->address);
        out->load = (uint16_t)(out->load + holds);
    }
}

void core_view_unit(const struct core *core, unsigned pool, unsigned unit, struct unit_view *out)
{
    const struct pool *p = view_pool(core, pool);
    const struct unit *u = view_unit(core, pool, unit);
    const struct router *r = &u->router;
    bool held = view_is_held(u);
    const struct contender *contender = contest_latest(u, mono_add(p->heard_last, -4 * r->advert_interval_us));
    *out = (struct unit_view){
        .vrid = u->settings->vrid,
        .state = r->state,
        .level = r->level,
        .level_done = r->level_done,
        .priority = r->priority,
        .holder_kind = held ? HOLDER_SELF : u->holder_kind,
        .holder_priority = held ? r->priority : u->holder_priority,
        .rank = u->rank,
        .pinned = held ? r->priority == ROUTER_PRIORITY_PINNED
                       : u->holder_kind == HOLDER_MEMBER && u->holder_priority == ROUTER_PRIORITY_PINNED,
        .pinned_here = u->pinned_here,
        .retired = u->retired,
        .contested = contender != NULL,
        .address_list_differs = u->address_list_differs,
        .address_list_from = u->address_list_from,
        .address_list_extra = u->address_list_extra,
        .address_list_missing = u->address_list_missing,
        .differs = u->differs,
        .differs_from = u->differs_from,
        .differs_at = u->differs_at,
        .made = u->made,
        .links_up = (u->settings->links & ~p->links_up) == 0,
        .holder = held ? p->primary : u->holder,
        .next = u->next,
        .planned = u->planned,
        .contender = contender != NULL ? contender->address : ADDR_NONE,
        .since = u->owner_since,
        .vacant_since = u->vacant_since,
        .still_until = u->still_until,
        .last_from = u->last_from,
        .last_to = u->last_to,
        .last_reason = u->last_reason,
        .last_gap_us = u->last_gap_us,
        .last_change = u->last_change,
    };
}

void core_view_unit_counters(const struct core *core, unsigned pool, unsigned unit, struct unit_counters *out)
{
    const struct unit *u = view_unit(core, pool, unit);
    *out = u->counters;
    out->adverts_sent = u->router.adverts_sent;
    out->zero_sent = u->router.zero_sent;
}

void core_view_pool_counters(const struct core *core, unsigned pool, struct pool_counters *out)
{
    *out = view_pool(core, pool)->counters;
}

/* --- instances --- */

static enum instance_state view_want(const struct instance *i)
{
    const struct router *r = &i->router;
    if (i->set->all->leaving) {
        return INSTANCE_STOPPED;
    }
    if ((i->faults & INSTANCE_FAULTS_FATAL) != 0) {
        return INSTANCE_FAULT;
    }
    bool up = i->wants_active || r->phase == PHASE_TAKING || router_is_settled_active(r);
    return up ? INSTANCE_ACTIVE : INSTANCE_BACKUP;
}

/* Who is Active: this host, or whoever was heard. */
static void view_holder(const struct instance *i, struct instance_view *out)
{
    bool held = i->router.state == ROUTER_ACTIVE;
    out->holder = held ? i->router.primary : i->holder.address;
    out->holder_priority = held ? i->router.priority : i->holder.priority;
    out->holder_interval_us = held ? i->unit->advert_interval_us : i->holder.interval_us;
    out->holder_heard = held ? MONO_NEVER : i->holder.heard;
}

void core_view_instance(const struct core *core, unsigned set, unsigned unit, struct instance_view *out)
{
    const struct instance *i = instances_get(&core->instances, set, unit);
    const struct router *r = &i->router;
    *out = (struct instance_view){
        .state = i->state,
        .want = (uint8_t)view_want(i),
        .faults = i->faults,
        .level = r->level,
        .level_done = r->level_done,
        .base_priority = i->settings->priority,
        .priority = r->priority,
        .checksum = unit_checksum(i->unit, i->checksum_heard),
        .highest_other = i->highest_other,
        .last_reason = i->last_reason,
        .previous = i->previous,
        .address_list_differs = i->address_list_differs,
        .weight = (int16_t)(i->weight + (i->group != NULL ? i->group->weight : 0)),
        .kernel_error = i->kernel_error,
        .primary = r->primary,
        .address_list_from = i->address_list_from,
        .refused_why = i->refused_why,
        .refused_from = i->refused_from,
        .refused_at = i->refused_at,
        .made = i->made,
        .since = i->since,
        .running_since = i->running_since,
        .down_deadline = router_down_deadline(r),
        .last_sent = i->last_sent,
        .preempt_at = i->preempt_at,
    };
    view_holder(i, out);
}

void core_view_instance_counters(const struct core *core, unsigned set, unsigned unit, struct instance_counters *out)
{
    const struct instance *i = instances_get(&core->instances, set, unit);
    *out = i->counters;
    out->adverts_sent = i->router.adverts_sent;
    out->zero_sent = i->router.zero_sent;
}

void core_view_group(const struct core *core, unsigned group, struct group_view *out)
{
    CHECK(group < core->instances.group_count);
    const struct group *g = &core->instances.groups[group];
    *out = (struct group_view){
        .state = g->state, .fault = g->fault, .weight = g->weight, .member_count = g->member_count, .since = g->since};
}

void core_view_link_counters(const struct core *core, unsigned link, struct link_counters *out)
{
    CHECK(link < core->settings->link_count);
    *out = core->links[link];
}

unsigned core_view_unknown(const struct core *core, unsigned pool, struct mono now, struct unknown_view *out)
{
    const struct pool *p = view_pool(core, pool);
    unsigned count = 0;
    for (unsigned vrid = 1; vrid < ARRAY_LENGTH(p->heard); vrid++) {
        const struct vrid_heard *heard = &p->heard[vrid];
        if (!heard->unit || heard->goodbye || mono_diff_us(now, heard->at) > 4 * heard->interval_us ||
            pool_vrid_is_a_units(p, vrid)) {
            continue;
        }
        const struct member *m = members_find_const(&p->members, &heard->from);
        if (m == NULL || !member_is_alive(m)) {
            continue;
        }
        out[count++] = (struct unknown_view){.vrid = (uint8_t)vrid, .address = heard->address, .member = heard->from};
    }
    return count;
}

unsigned core_view_plan(const struct core *core, unsigned pool, struct mono now, const struct plan_change *changes,
                        unsigned change_count, struct plan_member *members, struct plan *plan)
{
    const struct pool *p = view_pool(core, pool);
    struct plan_unit units[PLAN_UNITS_MAX];
    return pool_plan_what_if(p, now, changes, change_count, members, units, plan);
}
