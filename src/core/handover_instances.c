/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances go on with other settings (see handover.h). What depends on the settings is derived anew, what was learned
 * or told is kept; a sync group is known by its members. Called by handover.c.
 */
#include "base/check.h"
#include "core/handover.h"
#include "core/instance.h"

/* --- what has no successor goes first --- */

/* The others of its group go on without it. */
static void instance_leave_group(struct instance *i)
{
    struct group *g = i->group;
    unsigned kept = 0;
    for (unsigned k = 0; g != NULL && k < g->member_count; k++) {
        if (g->members[k] != i) {
            g->members[kept++] = g->members[k];
        }
    }
    if (g != NULL) {
        g->member_count = (uint16_t)kept;
        group_mark(i);
        i->group = NULL;
    }
}

static void instance_retire(struct instance *i, struct mono now, struct effects *fx)
{
    i->retired = true;
    i->wants_active = false;
    instance_leave_group(i);
    instance_refresh(i, REASON_OPERATOR, now, fx);
}

void instances_retire(struct instances *all, const struct event *event, struct effects *fx)
{
    struct instance_set *set = &all->sets[event->pool - all->settings->pool_count];
    for (unsigned k = 0; k < set->count; k++) {
        if (event->unit == EFFECT_NO_UNIT || event->unit == k) {
            instance_retire(&set->list[k], event->now, fx);
        }
    }
}

bool instances_are_retired(const struct instances *all)
{
    for (unsigned k = 0; k < all->count; k++) {
        const struct instance *i = all->keys[k].instance;
        if (i->retired && (!router_is_gone(&i->router) || i->router.state != ROUTER_INITIALIZE)) {
            return false;
        }
    }
    return true;
}

/* --- what stays goes on --- */

static void instance_take_over_router(struct router *r, const struct router *from, const struct router *made)
{
    bool preempts = from->preempt;
    *r = *from;
    r->pool = made->pool;
    r->unit = made->unit;
    r->preempt = made->preempt && preempts;
    r->unicast = made->unicast;
    r->peer_count = made->peer_count;
    r->peers = made->peers;
    r->down_adverts = made->down_adverts;
    r->open_delay_us = made->open_delay_us;
    r->advert_interval_us = made->advert_interval_us;
}

static void instance_take_over(struct instance *i, const struct instance *from, struct mono now)
{
    struct instance made = *i; /* as instance_init made it */
    struct router *r = &i->router;
    *i = *from;
    i->set = made.set;
    i->group = made.group;
    i->unit = made.unit;
    i->settings = made.settings;
    i->faults = (uint8_t)((from->faults & ~(unsigned)INSTANCE_FAULT_PEERS) | made.faults);
    i->address_list_differs = false; /* told anew with the next advertisement */
    i->address_list_from = i->list_checked = i->refused_from = ADDR_NONE;
    i->lease_pending = MONO_NEVER;
    instance_take_over_router(r, &from->router, &made.router);
    if (from->settings->preempt != i->settings->preempt) {
        r->preempt = i->settings->preempt;
        i->preempt_at = MONO_NEVER;
    }
    if (from->unit->advert_interval_us != i->unit->advert_interval_us) {
        i->interval_noted_us = 0;
        if (r->state == ROUTER_ACTIVE && r->phase != PHASE_EMPTIED) { /* said at once: others count by it */
            r->active_interval_us = i->unit->advert_interval_us;
            r->adver = now;
        } else if (i->holder.priority == 0) {
            r->active_interval_us = i->unit->advert_interval_us;
        }
    }
}

/* The group is the one that its first member that goes on was in. */
static void group_take_over(struct group *g, const struct group *from)
{
    if (g->changed || from == NULL) {
        return;
    }
    g->changed = true; /* also: it is known */
    g->fault = from->fault;
    g->held = from->held;
    g->weight = from->weight;
    g->state = from->state;
    g->since = from->since;
}

static void instances_take_over_set(struct instance_set *set, const struct instance_set *from, const uint16_t *old_unit,
                                    struct mono now)
{
    for (unsigned k = 0; k < set->count; k++) {
        struct instance *i = &set->list[k];
        if (old_unit[k] != HANDOVER_NONE) {
            const struct instance *old = &from->list[old_unit[k]];
            instance_take_over(i, old, now);
            if (i->group != NULL) {
                group_take_over(i->group, old->group);
            }
        }
    }
}

void instances_take_over(struct instances *to, const struct instances *from, const struct handover *map,
                         struct mono now, struct effects *fx)
{
    unsigned first = to->settings->pool_count, old_first = from->settings->pool_count;
    to->start_at = from->start_at;
    to->stepped = now;
    to->groups_changed = to->group_count > 0;
    for (unsigned l = 0; l < to->settings->link_count; l++) {
        if (map->old_link[l] != HANDOVER_NONE) {
            to->links[l] = from->links[map->old_link[l]];
        }
    }
    for (unsigned s = 0; s < to->set_count; s++) {
        unsigned old = map->old_pool[first + s];
        if (old != HANDOVER_NONE) {
            instances_take_over_set(&to->sets[s], &from->sets[old - old_first], map->old_unit[first + s], now);
        }
    }
    for (unsigned g = 0; g < to->group_count; g++) {
        to->groups[g].changed = true;
    }
    /* A changed priority is said at once; whatever moved a timer ends here. */
    for (unsigned k = 0; k < to->count; k++) {
        instance_apply_priority(to->keys[k].instance, now, fx);
        instance_settle(to->keys[k].instance, now, fx);
    }
}

void instances_ask_again(const struct instances *all, struct effects *fx)
{
    for (unsigned k = 0; k < all->count; k++) {
        router_ask_again(&all->keys[k].instance->router, fx);
    }
}
