/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/core.h"

#include <string.h>

#include "base/check.h"
#include "core/core_state.h"

struct core_layout {
    size_t pools, links, units, plan, plan_units, sets, instances, groups, members, keys, total;
};

static size_t layout_place(size_t *offset, size_t size)
{
    size_t at = (*offset + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    *offset = at + size;
    return at;
}

static struct core_layout layout_of(const struct core_settings *settings)
{
    struct core_layout layout = {0};
    size_t offset = sizeof(struct core);
    size_t units = 0, instances = settings_instance_count(settings);
    for (unsigned i = 0; i < settings->pool_count; i++) {
        units += settings->pools[i].unit_count;
    }
    layout.pools = layout_place(&offset, settings->pool_count * sizeof(struct pool));
    layout.links = layout_place(&offset, settings->link_count * sizeof(struct link_counters));
    layout.units = layout_place(&offset, units * sizeof(struct unit));
    layout.plan = layout_place(&offset, sizeof(struct plan));
    layout.plan_units = layout_place(&offset, PLAN_UNITS_MAX * sizeof(struct plan_unit));
    layout.sets = layout_place(&offset, settings->set_count * sizeof(struct instance_set));
    layout.instances = layout_place(&offset, instances * sizeof(struct instance));
    layout.groups = layout_place(&offset, settings->group_count * sizeof(struct group));
    layout.members = layout_place(&offset, instances * sizeof(struct instance *));
    layout.keys = layout_place(&offset, instances * sizeof(struct instance_key));
    layout.total = offset;
    return layout;
}

size_t core_storage_size(const struct core_settings *settings)
{
    return layout_of(settings).total;
}

struct core *core_init(void *storage, const struct core_settings *settings, struct mono now)
{
    struct core_layout layout = layout_of(settings);
    uint8_t *base = storage;
    struct core *core = storage;
    memset(storage, 0, layout.total);
    core->settings = settings;
    core->pools = (struct pool *)(void *)(base + layout.pools);
    core->links = (struct link_counters *)(void *)(base + layout.links);
    struct unit *units = (struct unit *)(void *)(base + layout.units);
    for (unsigned i = 0; i < settings->pool_count; i++) {
        CHECK(settings->pools[i].unit_count >= 1 && settings->pools[i].unit_count <= PLAN_UNITS_MAX);
        pool_init(&core->pools[i], i, settings, units, (struct plan *)(void *)(base + layout.plan),
                  (struct plan_unit *)(void *)(base + layout.plan_units), now);
        units += settings->pools[i].unit_count;
    }
    struct instances_storage instances = {
        .sets = (struct instance_set *)(void *)(base + layout.sets),
        .list = (struct instance *)(void *)(base + layout.instances),
        .groups = (struct group *)(void *)(base + layout.groups),
        .members = (struct instance **)(void *)(base + layout.members),
        .keys = (struct instance_key *)(void *)(base + layout.keys),
    };
    instances_init(&core->instances, settings, &instances, now);
    return core;
}

/* The codec's verdict; a packet to another destination than the group is for unicast peers and the like, or refused. */
static enum wire_result core_parse(const struct core *core, const struct event *event, struct advert *advert,
                                   struct addr addresses[static VRRP_ADDRESSES_MAX], bool *group)
{
    const struct instances *instances = &core->instances;
    enum wire_result result =
        wire_parse(event->packet, event->packet_length, instances->any_destination, advert, addresses);
    struct addr usual = wire_group((enum family)advert->destination.family);
    *group = addr_equal(&advert->destination, &usual);
    bool expected =
        *group || addr_is_none(&advert->destination) || instances_expect(instances, event->link, &advert->destination);
    return expected ? result : WIRE_BAD_DESTINATION;
}

static void core_hear(struct core *core, const struct event *event, struct effects *fx)
{
    struct addr addresses[VRRP_ADDRESSES_MAX];
    struct advert advert;
    struct link_counters *counters = &core->links[event->link];
    bool group;
    enum wire_result result = core_parse(core, event, &advert, addresses, &group);
    if (result == WIRE_NO_ADDRESSES && instances_want_none(&core->instances, event->link, &advert)) {
        result = WIRE_OK;
        group = false; /* no pool's */
    }
    counters->refused[result]++;
    if (result != WIRE_OK) {
        counters->last_refused = (uint8_t)result;
        instances_refused(&core->instances, event->link, &advert, result);
        return;
    }
    bool known = instances_hear(&core->instances, event->link, &advert, event->received, event->now, fx);
    for (unsigned i = 0; group && i < core->settings->pool_count; i++) {
        struct pool *p = &core->pools[i];
        if (p->settings->link == event->link && p->settings->family == advert.source.family) {
            known |= pool_hear(p, &advert, event->received, event->now, fx);
        }
    }
    counters->unknown_vrid += !known;
}

static void core_link(struct core *core, const struct event *event, struct effects *fx)
{
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        struct pool *p = &core->pools[i];
        const struct addr *primary = p->settings->family == FAMILY_IPV4 ? &event->primary_ipv4 : &event->primary_ipv6;
        pool_link(p, event->link, event->up, primary, event->now, fx);
    }
    instances_link(&core->instances, event, fx);
}

/* Somebody else answers for what we hold: caches may point there, so say again who holds it (2.4 d), and to whom it
 * matters. */
static void core_conflict(struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    if (router_is_settled_active(&u->router) && router_assert(&u->router, now, fx)) {
        p->counters.contests++;
        u->counters.asserted++;
    }
}

static void core_share(struct pool *p, const struct event *event, struct effects *fx)
{
    p->faulted = event->share == 0;
    p->own_share = event->share == 0 ? MEMBER_SHARE_RESERVE : event->share;
    p->changed = true;
    for (unsigned i = 0; p->faulted && i < p->settings->unit_count; i++) {
        if (p->units[i].router.state == ROUTER_ACTIVE) {
            router_release(&p->units[i].router, REASON_OPERATOR, true, fx);
        }
    }
}

static void core_heard(struct core *core, const struct event *event, struct effects *fx)
{
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        if (core->pools[i].settings->link == event->link) {
            isolation_heard(&core->pools[i], event->received, event->probe_answer, event->now, fx);
        }
    }
}

static void core_leave(struct core *core, struct mono now, struct effects *fx)
{
    for (unsigned i = 0; i < core->settings->pool_count && !core->leaving; i++) {
        pool_leave(&core->pools[i], now);
    }
    if (!core->leaving) {
        instances_leave(&core->instances, now, fx);
    }
    core->leaving = true;
}

static void core_tick(struct core *core, struct mono now, struct effects *fx)
{
    bool left = true;
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        pool_tick(&core->pools[i], now, fx);
    }
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        pool_leave_tick(&core->pools[i], now, fx);
        left = left && core->pools[i].left;
    }
    instances_tick(&core->instances, now, fx);
    left = left && instances_have_left(&core->instances);
    if (core->leaving && left && !core->left) { /* all pools and sets: the shell exits now */
        core->left = true;
        effects_add(fx, EFFECT_LEFT, 0, EFFECT_NO_UNIT);
    }
}

/* Events that concern one pool. */
static enum core_result core_dispatch_pool(struct core *core, const struct event *event, struct effects *fx)
{
    CHECK(event->pool < core->settings->pool_count);
    struct pool *p = &core->pools[event->pool];
    struct unit *u = event->unit < p->settings->unit_count ? &p->units[event->unit] : NULL;
    switch ((enum event_kind)event->kind) {
    case EVENT_LEVEL_DONE:
        CHECK(u != NULL);
        pool_level_done(p, event->unit, event->sequence, event->error, event->now, fx);
        break;
    case EVENT_ARMED:
        pool_armed(p, event->sequence, event->now, fx);
        break;
    case EVENT_SENT:
        pool_sent(p, event->now, fx);
        break;
    case EVENT_PROBE_IMPOSSIBLE:
        isolation_probe_impossible(p, event->now, fx);
        break;
    case EVENT_CONFLICT:
        CHECK(u != NULL);
        core_conflict(p, u, event->now, fx);
        break;
    case EVENT_SHARE:
        core_share(p, event, fx);
        break;
    case EVENT_DRAIN:
        return balance_drain(p, event->now_flag);
    case EVENT_UNDRAIN:
        return balance_undrain(p);
    case EVENT_TAKE:
        CHECK(u != NULL);
        return balance_take(p, u, event->now);
    case EVENT_RELEASE:
        CHECK(u != NULL);
        return balance_give(p, u, event->now, fx);
    case EVENT_REBALANCE:
        balance_hurry(p, event->now);
        break;
    case EVENT_RETIRE:
        CHECK(u != NULL || event->unit == EFFECT_NO_UNIT);
        core_retire(core, event, fx);
        break;
    case EVENT_TICK:
    case EVENT_PACKET:
    case EVENT_LINK:
    case EVENT_HEARD:
    case EVENT_LEAVE:
    case EVENT_TRACK:
        break;
    }
    return CORE_OK;
}

static enum core_result core_dispatch(struct core *core, const struct event *event, struct effects *fx)
{
    bool of_group = event->kind == EVENT_TRACK && event->unit == EFFECT_NO_UNIT;
    if (event->kind == EVENT_TICK) {
        core_tick(core, event->now, fx);
    } else if (event->kind == EVENT_PACKET) {
        core_hear(core, event, fx);
    } else if (event->kind == EVENT_LINK) {
        core_link(core, event, fx);
    } else if (event->kind == EVENT_HEARD) {
        core_heard(core, event, fx);
    } else if (event->kind == EVENT_LEAVE) {
        core_leave(core, event->now, fx);
    } else if (of_group || event->pool >= core->settings->pool_count) {
        return instances_dispatch(&core->instances, event, fx);
    } else {
        return core_dispatch_pool(core, event, fx);
    }
    return CORE_OK;
}

enum core_result core_step(struct core *core, const struct event *event, struct effects *fx)
{
    CHECK(event->link < core->settings->link_count || core->settings->link_count == 0);
    /* Whoever slept longer than its lease is no owner any more, whatever the event: before anything else (2.4 g). */
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        pool_check_stall(&core->pools[i], event->now, fx);
    }
    instances_check_stall(&core->instances, event->now, fx);
    return core_dispatch(core, event, fx);
}

struct mono core_deadline(const struct core *core)
{
    struct mono deadline = instances_deadline(&core->instances);
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        deadline = mono_min(deadline, pool_deadline(&core->pools[i]));
    }
    return deadline;
}

size_t core_encode(const struct core *core, const struct effect *effect, uint8_t *packet, size_t capacity)
{
    CHECK(effect->kind == EFFECT_SEND);
    if (effect->pool >= core->settings->pool_count) {
        return instances_encode(&core->instances, effect, packet, capacity);
    }
    const struct pool *p = &core->pools[effect->pool];
    const struct pool_settings *s = p->settings;
    bool ipv4 = s->family == FAMILY_IPV4;
    struct advert advert = {
        .source = p->primary,
        .destination = wire_group((enum family)s->family),
        .priority = effect->priority,
    };
    if (effect->unit == EFFECT_NO_UNIT) {
        advert.version = 3;
        advert.vrid = p->member_vrid;
        advert.interval_us = (uint32_t)s->member_interval_us;
        advert.checksum = ipv4 ? (s->checksum == WIRE_CHECKSUM_PSEUDO ? WIRE_CHECKSUM_PSEUDO : WIRE_CHECKSUM_PLAIN)
                               : WIRE_CHECKSUM_PSEUDO;
        advert.address_count = 1;
        advert.addresses = &p->primary;
    } else {
        const struct unit *u = &p->units[effect->unit];
        advert.version = u->settings->version;
        advert.vrid = u->settings->vrid;
        advert.interval_us = (uint32_t)u->settings->advert_interval_us;
        advert.checksum = unit_checksum(u->settings, u->checksum_heard);
        advert.address_count = u->settings->address_count;
        advert.addresses = u->settings->addresses;
    }
    return wire_encode(&advert, packet, capacity);
}

void core_check(const struct core *core)
{
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        pool_check(&core->pools[i]);
    }
    instances_check(&core->instances);
}

const char *core_result_text(enum core_result result)
{
    static const char *const texts[] = {
        [CORE_OK] = "done",
        [CORE_ALREADY] = "it is so already",
        [CORE_NO_OTHER_MEMBER] = "no other member could hold it",
        [CORE_PINNED_ELSEWHERE] = "another member with a higher address has pinned it; release it there first",
        [CORE_NOT_ELIGIBLE] = "this host is not among the unit's members, or an interface the unit needs is down",
        [CORE_NOT_HELD] = "this host neither holds nor pins it",
        [CORE_NOT_READY] = "the pool is not running here: no link, no address, drained, isolated or leaving",
    };
    _Static_assert(ARRAY_LENGTH(texts) == CORE_RESULT_COUNT, "a text for each result");
    CHECK(result < CORE_RESULT_COUNT);
    return texts[result];
}
