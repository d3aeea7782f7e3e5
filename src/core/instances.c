/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All instances: their sets, the index by VRID, links, the tick, leaving, and the packets they send. */
#include "base/check.h"
#include "core/instance.h"

#define COALESCE_MAX_US (4 * US_PER_MS)
#define COALESCE_SHARE 25 /* of an interval: advertisements due so close together leave together */

/* By insertion: a file is mostly in the order of its VRIDs. */
static void instances_add_key(struct instances *all, struct instance *i)
{
    uint32_t key = instance_key(i->unit->link, i->unit->family, i->unit->vrid);
    unsigned at = all->count++;
    for (; at > 0 && all->keys[at - 1].key > key; at--) {
        all->keys[at] = all->keys[at - 1];
    }
    all->keys[at] = (struct instance_key){.key = key, .instance = i};
}

static void instances_init_set(struct instances *all, unsigned s, struct instance *list, struct mono now)
{
    struct instance_set *set = &all->sets[s];
    unsigned index = all->settings->pool_count + s;
    *set = (struct instance_set){
        .index = (uint8_t)index,
        .count = all->settings->pools[index].unit_count,
        .list = list,
        .all = all,
        .deadline = MONO_NEVER,
        .stall_bound = MONO_NEVER,
    };
    for (unsigned k = 0; k < set->count; k++) {
        struct instance *i = &list[k];
        instance_init(i, set, k, now);
        instances_add_key(all, i);
        if (i->settings->group != INSTANCE_NO_GROUP) {
            CHECK(i->settings->group < all->group_count);
            i->group = &all->groups[i->settings->group];
            i->group->member_count++;
        }
        bool elsewhere = i->settings->unicast || !addr_is_none(&i->settings->group_address);
        all->any_destination = all->any_destination || elsewhere;
    }
}

/* The members of all groups, one group after the other. */
static void instances_init_groups(struct instances *all, struct instance **members, struct mono now)
{
    for (unsigned g = 0; g < all->group_count; g++) {
        struct group *group = &all->groups[g];
        group->index = (uint16_t)g;
        group->members = members;
        group->since = now;
        for (unsigned s = 0; s < all->set_count; s++) {
            for (unsigned k = 0; k < all->sets[s].count; k++) {
                if (all->sets[s].list[k].group == group) {
                    *members++ = &all->sets[s].list[k];
                }
            }
        }
    }
}

void instances_init(struct instances *all, const struct core_settings *settings,
                    const struct instances_storage *storage, struct mono now)
{
    struct instance *list = storage->list;
    *all = (struct instances){
        .settings = settings,
        .set_count = settings->set_count,
        .group_count = settings->group_count,
        .sets = storage->sets,
        .groups = storage->groups,
        .keys = storage->keys,
        .start_at = mono_add(now, settings->startup_delay_us),
        .stepped = now,
    };
    for (unsigned s = 0; s < all->set_count; s++) {
        instances_init_set(all, s, list, now);
        list += all->sets[s].count;
    }
    instances_init_groups(all, storage->members, now);
}

struct instance *instances_get(const struct instances *all, unsigned set, unsigned unit)
{
    CHECK(set >= all->settings->pool_count && set < settings_all_count(all->settings));
    const struct instance_set *s = &all->sets[set - all->settings->pool_count];
    CHECK(unit < s->count);
    return &s->list[unit];
}

/* --- events --- */

void instances_link(struct instances *all, const struct event *event, struct effects *fx)
{
    all->links[event->link] = (struct instance_link){
        .known = true,
        .up = event->up,
        .closed = event->closed,
        .primary_ipv4 = event->primary_ipv4,
        .primary_ipv6 = event->primary_ipv6,
    };
    for (unsigned k = 0; k < all->count; k++) {
        if (all->keys[k].instance->unit->link == event->link) {
            instance_link_changed(all->keys[k].instance, event->now, fx);
        }
    }
}

void instances_check_stall(struct instances *all, struct mono now, struct effects *fx)
{
    all->stepped = now;
    for (unsigned s = 0; s < all->set_count; s++) {
        struct instance_set *set = &all->sets[s];
        if (!mono_after(now, set->stall_bound)) {
            continue;
        }
        set->stall_bound = MONO_NEVER;
        for (unsigned k = 0; k < set->count; k++) {
            if (instance_is_stalled(&set->list[k], now)) {
                instance_stalled(&set->list[k], now, fx);
            }
            set->stall_bound = mono_min(set->stall_bound, instance_lease_end(&set->list[k]));
        }
    }
}

/* What left is known to have left in time: whoever is stalled by `now` has been found out before (core_step). */
static void instances_sent(struct instance_set *set, const struct event *event)
{
    unsigned first = event->unit == EFFECT_NO_UNIT ? 0 : event->unit;
    unsigned end = event->unit == EFFECT_NO_UNIT ? set->count : first + 1u;
    for (unsigned k = first; k < end; k++) {
        struct instance *i = &set->list[k];
        if (!mono_is_never(i->lease_pending) && event->error == 0) {
            i->lease_base = i->lease_pending;
            i->lease_us = i->settings->lease_us;
        }
        i->lease_pending = MONO_NEVER;
    }
}

static void instances_track_group(struct instances *all, const struct event *event, struct effects *fx)
{
    CHECK(event->group < all->group_count);
    struct group *g = &all->groups[event->group];
    g->fault = event->fault && !event->hold;
    g->held = event->hold;
    g->weight = event->weight;
    g->changed = all->groups_changed = true;
    for (unsigned k = 0; k < g->member_count; k++) {
        instance_refresh(g->members[k], REASON_TRACKED, event->now, fx);
        instance_apply_priority(g->members[k], event->now, fx);
    }
}

/* Somebody else answers for it: caches may point there, so say again who holds it. */
static void instances_conflict(struct instance *i, struct mono now, struct effects *fx)
{
    if (router_is_settled_active(&i->router)) {
        bool answered = router_assert(&i->router, now, fx);
        i->counters.asserted += answered;
        i->counters.assertions_held_back += !answered;
        instance_settle(i, now, fx);
    }
}

enum core_result instances_dispatch(struct instances *all, const struct event *event, struct effects *fx)
{
    if (event->kind == EVENT_RETIRE) {
        instances_retire(all, event, fx);
        return CORE_OK;
    }
    if (event->kind == EVENT_TRACK && event->unit == EFFECT_NO_UNIT) {
        instances_track_group(all, event, fx);
        return CORE_OK;
    }
    bool whole_set = event->kind == EVENT_SENT && event->unit == EFFECT_NO_UNIT;
    struct instance *i = instances_get(all, event->pool, whole_set ? 0 : event->unit);
    switch ((enum event_kind)event->kind) {
    case EVENT_LEVEL_DONE:
        instance_level_done(i, event->sequence, event->error, event->now, fx);
        return CORE_OK;
    case EVENT_SENT:
        instances_sent(i->set, event);
        return CORE_OK;
    case EVENT_CONFLICT:
        instances_conflict(i, event->now, fx);
        return CORE_OK;
    case EVENT_TRACK:
        instance_track(i, event, fx);
        return CORE_OK;
    case EVENT_TICK:
    case EVENT_PACKET:
    case EVENT_LINK:
    case EVENT_ARMED:
    case EVENT_HEARD:
    case EVENT_PROBE_IMPOSSIBLE:
    case EVENT_SHARE:
    case EVENT_DRAIN:
    case EVENT_UNDRAIN:
    case EVENT_TAKE:
    case EVENT_RELEASE:
    case EVENT_REBALANCE:
    case EVENT_LEAVE:
    case EVENT_RETIRE:
        break;
    }
    return CORE_NOT_READY;
}

void instances_leave(struct instances *all, struct mono now, struct effects *fx)
{
    all->leaving = true;
    for (unsigned k = 0; k < all->count; k++) {
        instance_refresh(all->keys[k].instance, REASON_SHUTDOWN, now, fx);
    }
}

bool instances_have_left(const struct instances *all)
{
    for (unsigned k = 0; k < all->count; k++) {
        if (!instance_has_left(all->keys[k].instance)) {
            return false;
        }
    }
    return true;
}

/* --- the tick --- */

static int64_t instances_slack_us(const struct instance *i)
{
    int64_t share_us = i->unit->advert_interval_us / COALESCE_SHARE;
    return share_us < COALESCE_MAX_US ? share_us : COALESCE_MAX_US;
}

static void instances_tick_set(struct instance_set *set, struct mono now, struct effects *fx)
{
    set->deadline = MONO_NEVER;
    for (unsigned k = 0; k < set->count; k++) {
        struct instance *i = &set->list[k];
        int64_t slack_us = instances_slack_us(i);
        if (mono_due(mono_add(now, slack_us), instance_deadline(i))) {
            instance_tick(i, now, slack_us, fx);
        }
        set->deadline = mono_min(set->deadline, instance_deadline(i));
    }
}

void instances_tick(struct instances *all, struct mono now, struct effects *fx)
{
    for (unsigned s = 0; s < all->set_count; s++) {
        if (mono_due(now, all->sets[s].deadline)) {
            instances_tick_set(&all->sets[s], now, fx);
        }
    }
    if (!all->groups_changed) {
        return;
    }
    for (unsigned g = 0; g < all->group_count; g++) {
        if (all->groups[g].changed) {
            group_tick(&all->groups[g], now, fx);
        }
    }
    all->groups_changed = false; /* what it did to its members it has seen */
}

struct mono instances_deadline(const struct instances *all)
{
    struct mono deadline = all->groups_changed ? all->stepped : MONO_NEVER;
    for (unsigned s = 0; s < all->set_count; s++) {
        deadline = mono_min(deadline, all->sets[s].deadline);
    }
    return deadline;
}

/* --- packets --- */

static struct addr instances_destination(const struct instance *i, const struct effect *effect)
{
    return !addr_is_none(&effect->to)                   ? effect->to
           : !addr_is_none(&i->settings->group_address) ? i->settings->group_address
                                                        : wire_group((enum family)i->unit->family);
}

size_t instances_encode(const struct instances *all, const struct effect *effect, uint8_t *packet, size_t capacity)
{
    const struct instance *i = instances_get(all, effect->pool, effect->unit);
    const struct unit_settings *u = i->unit;
    struct advert advert = {
        .source = i->router.primary,
        .destination = instances_destination(i, effect),
        .ttl = i->settings->unicast_ttl,
        .version = u->version,
        .vrid = u->vrid,
        .priority = effect->priority,
        .checksum = unit_checksum(u, i->checksum_heard),
        .interval_us = (uint32_t)u->advert_interval_us,
        .address_count = u->address_count,
        .addresses = u->addresses,
    };
    if (u->version == 2 && i->settings->auth_type != 0) {
        advert.auth_type = i->settings->auth_type;
        for (unsigned k = 0; k < VRRP_AUTH_LENGTH; k++) {
            advert.auth[k] = i->settings->auth[k];
        }
    }
    return wire_encode(&advert, packet, capacity);
}

void instances_check(const struct instances *all)
{
    for (unsigned k = 0; k < all->count; k++) {
        const struct instance *i = all->keys[k].instance;
        router_check(&i->router);
        CHECK(k == 0 || all->keys[k - 1].key <= all->keys[k].key);
        CHECK(!mono_after(i->set->deadline, instance_deadline(i)));
        CHECK(!mono_after(i->set->stall_bound, instance_lease_end(i)));
        CHECK((i->faults & INSTANCE_FAULTS_FATAL) == 0 || i->router.state != ROUTER_BACKUP ||
              i->router.phase != PHASE_TAKING);
        CHECK(!i->wants_active || (i->group != NULL && i->router.state == ROUTER_BACKUP));
        CHECK((i->holder.priority == 0) == addr_is_none(&i->holder.address));
    }
}
