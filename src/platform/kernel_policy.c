/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes and rules in the kernel thread's pass, see kernel_policy.h. Called by kernel_work.c and kernel_report.c. */
#include "platform/kernel_policy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "platform/kernel_work.h"

struct counts {
    unsigned routes, rules, hops;
};

static void count_routes(struct counts *counts, const struct net_route *routes, unsigned count)
{
    counts->routes += count;
    for (unsigned i = 0; i < count; i++)
        counts->hops += routes[i].hop_count;
}

static const struct config_router *router_of(const struct work *work, unsigned unit)
{
    return work->config->pools[work->units[unit].pool].units[work->units[unit].unit].router;
}

static struct counts count_all(const struct work *work)
{
    const struct config_instances *instances = work->config->instances;
    struct counts counts = {0};

    if (instances) {
        count_routes(&counts, instances->static_routes, instances->static_route_count);
        counts.rules += instances->static_rule_count;
    }
    for (unsigned u = 0; u < work->unit_count; u++) {
        const struct config_router *router = router_of(work, u);

        if (!router)
            continue;
        count_routes(&counts, router->routes, router->route_count);
        counts.rules += router->rule_count;
    }
    return counts;
}

static void add_protocol(struct policy_state *policy, int32_t protocol)
{
    for (unsigned i = 0; i < policy->protocol_count; i++)
        if (policy->protocols[i] == (uint8_t)protocol)
            return;
    policy->protocols[policy->protocol_count++] = (uint8_t)protocol;
}

static void add_routes(struct work *work, const struct net_route *routes, unsigned count, unsigned unit)
{
    struct policy_state *policy = &work->policy;

    for (unsigned i = 0; i < count; i++) {
        policy->items[policy->count++] =
            (struct policy_item){.route = &routes[i], .unit = unit, .first_hop = policy->hop_count};
        add_protocol(policy, routes[i].protocol);
        for (unsigned h = 0; h < routes[i].hop_count; h++)
            policy->hop_links[policy->hop_count++] = routes[i].hops[h].device
                                                         ? state_link_named(&work->state, routes[i].hops[h].device)
                                                         : work->state.link_count;
    }
}

static void add_rules(struct work *work, const struct net_rule *rules, unsigned count, unsigned unit)
{
    for (unsigned i = 0; i < count; i++)
        work->policy.items[work->policy.count++] = (struct policy_item){.rule = &rules[i], .unit = unit};
    work->policy.rules = work->policy.rules || count > 0;
}

static void fill(struct work *work)
{
    const struct config_instances *instances = work->config->instances;

    if (instances)
        add_routes(work, instances->static_routes, instances->static_route_count, POLICY_STATIC);
    for (unsigned u = 0; u < work->unit_count; u++)
        if (router_of(work, u))
            add_routes(work, router_of(work, u)->routes, router_of(work, u)->route_count, u);
    if (instances)
        add_rules(work, instances->static_rules, instances->static_rule_count, POLICY_STATIC);
    for (unsigned u = 0; u < work->unit_count; u++)
        if (router_of(work, u))
            add_rules(work, router_of(work, u)->rules, router_of(work, u)->rule_count, u);
}

int policy_init(struct work *work)
{
    struct policy_state *policy = &work->policy;
    struct counts counts = count_all(work);
    unsigned count = counts.routes + counts.rules;

    policy->items = calloc(count + 1, sizeof(*policy->items));
    policy->hop_links = calloc(counts.hops + 1, sizeof(*policy->hop_links));
    policy->hop_ifindexes = calloc(counts.hops + 1, sizeof(*policy->hop_ifindexes));
    policy->changes = calloc(count + 1, sizeof(*policy->changes));
    policy->changes_of = calloc(count + 1, sizeof(*policy->changes_of));
    if (!policy->items || !policy->hop_links || !policy->hop_ifindexes || !policy->changes || !policy->changes_of)
        return -ENOMEM;
    fill(work);
    policy->dirty = policy->count > 0;
    return 0;
}

int policy_watch(struct work *work)
{
    const struct policy_state *policy = &work->policy;

    return policy->count > 0 ? netlink_watch_policy(work->netlink, policy->protocols, policy->protocol_count) : 0;
}

void policy_free(struct policy_state *policy)
{
    free(policy->items);
    free(policy->hop_links);
    free(policy->hop_ifindexes);
    free(policy->changes);
    free(policy->changes_of);
}

void policy_event(struct policy_state *policy, const struct netlink_event *event)
{
    switch ((enum netlink_event_kind)event->kind) {
    case NETLINK_LINK:
    case NETLINK_LINK_GONE:
    case NETLINK_ADDRESS_GONE:
    case NETLINK_POLICY_CHANGED:
        policy->dirty = policy->count > 0;
        break;
    case NETLINK_ADDRESS:
    case NETLINK_GATEWAY:
    case NETLINK_ROUTE_CHANGED:
        break;
    }
}

/* The interfaces of a route's next hops as they are now; false when one is not there. */
static bool resolve(const struct work *work, const struct policy_item *item)
{
    const struct policy_state *policy = &work->policy;
    bool all = true;

    for (unsigned i = 0; item->route && i < item->route->hop_count; i++) {
        unsigned link = policy->hop_links[item->first_hop + i];
        bool named = link < work->state.link_count;

        policy->hop_ifindexes[item->first_hop + i] = named ? work->state.links[link].ifindex : 0;
        all = all && (!named || work->state.links[link].ifindex != 0);
    }
    return all;
}

/* Several instances may want one route or rule, which is there once. */
static bool same_item(const struct policy_item *a, const struct policy_item *b)
{
    return a->route ? b->route && net_same_route(a->route, b->route) : b->rule && net_same_rule(a->rule, b->rule);
}

static bool is_item(const struct work *work, const struct policy_item *item, const struct netlink_policy *there)
{
    return item->route ? netlink_is_route(there, item->route, work->policy.hop_ifindexes + item->first_hop)
                       : netlink_is_rule(there, item->rule);
}

/* A netlink_policy_sink: it is the first item that is like it, and all that say the same as that one. */
static void take(void *context, const struct netlink_policy *there)
{
    struct work *work = context;
    const struct policy_item *first = NULL;

    for (unsigned i = 0; i < work->policy.count; i++) {
        struct policy_item *item = &work->policy.items[i];

        if (item->present || (first ? !same_item(first, item) : !is_item(work, item, there)))
            continue;
        item->present = true;
        item->error = 0;
        item->preference = there->preference;
        first = first ? first : item;
    }
}

static void dump(struct work *work)
{
    struct policy_state *policy = &work->policy;
    int error = 0;

    for (unsigned i = 0; i < policy->count; i++) {
        struct policy_item *item = &policy->items[i];

        item->lost = item->lost || (item->present && item->wanted);
        item->present = false;
        (void)resolve(work, item);
    }
    for (unsigned i = 0; i < policy->protocol_count && error == 0; i++)
        error = netlink_dump_routes(work->netlink, policy->protocols[i], take, work);
    if (error == 0 && policy->rules)
        error = netlink_dump_rules(work->netlink, take, work);
    policy->dirty = error < 0;
    work->failed = work->failed || error < 0;
    for (unsigned i = 0; i < policy->count; i++)
        policy->items[i].lost = policy->items[i].lost && !policy->items[i].present;
}

void policy_look(struct work *work)
{
    struct policy_state *policy = &work->policy;

    if (policy->dirty)
        dump(work);
    for (unsigned i = 0; i < policy->count; i++) {
        struct policy_item *item = &policy->items[i];

        item->wanted = !work->leaving && !item->dropped &&
                       (item->unit == POLICY_STATIC || work->units[item->unit].wanted >= LEVEL_READY);
        item->lost = item->lost && item->wanted;
        if (!item->wanted)
            item->reported = item->error = 0;
    }
}

static void add_change(struct work *work, unsigned index, unsigned *count)
{
    struct policy_state *policy = &work->policy;
    const struct policy_item *item = &policy->items[index];
    bool put = item->wanted;

    policy->changes_of[*count] = index;
    policy->changes[(*count)++] = (struct netlink_change){
        .kind = (uint8_t)(item->route ? (put ? NETLINK_PUT_ROUTE : NETLINK_REMOVE_ROUTE)
                                      : (put ? NETLINK_PUT_RULE : NETLINK_REMOVE_RULE)),
        .route = item->route,
        .hop_ifindexes = policy->hop_ifindexes + item->first_hop,
        .rule = item->rule,
        .preference = item->preference,
    };
}

/*
 * Of an IPv6 route over several links the kernel takes away single next hops with their links, and then refuses the
 * whole, since some of it is there. What is left of ours goes, and the whole comes. 0 or a positive errno.
 */
static int put_whole(struct work *work, const struct netlink_change *put)
{
    unsigned hops = put->route->hop_count;
    struct net_route *parts = calloc(hops, sizeof(*parts));
    struct netlink_change *changes = calloc(hops + 1, sizeof(*changes));
    int error = parts && changes ? 0 : -ENOMEM;

    for (unsigned i = 0; i < hops && error == 0; i++) {
        parts[i] = *put->route;
        parts[i].hops = &put->route->hops[i];
        parts[i].hop_count = 1;
        changes[i] = (struct netlink_change){
            .kind = NETLINK_REMOVE_ROUTE, .route = &parts[i], .hop_ifindexes = &put->hop_ifindexes[i]};
    }
    if (error == 0) {
        changes[hops] = *put;
        error = netlink_apply(work->netlink, changes, hops + 1);
    }
    int result = error < 0 ? -error : changes[hops].error;

    free(parts);
    free(changes);
    return result;
}

static bool may_be_there_in_part(const struct netlink_change *change)
{
    return change->kind == NETLINK_PUT_ROUTE && change->error == EEXIST && change->route->family == FAMILY_IPV6 &&
           change->route->hop_count > 1;
}

/* Another item that says the same, is wanted and in place. */
static const struct policy_item *find_twin(const struct policy_state *policy, const struct policy_item *of)
{
    for (unsigned i = 0; i < policy->count; i++) {
        const struct policy_item *item = &policy->items[i];

        if (item != of && item->wanted && item->present && same_item(item, of))
            return item;
    }
    return NULL;
}

static void carry_out(struct work *work, unsigned count)
{
    struct policy_state *policy = &work->policy;
    int error = count == 0 ? 0 : netlink_apply(work->netlink, policy->changes, count);

    for (unsigned c = 0; c < count; c++) {
        struct policy_item *item = &policy->items[policy->changes_of[c]];

        if (error == 0 && may_be_there_in_part(&policy->changes[c]))
            policy->changes[c].error = put_whole(work, &policy->changes[c]);
        item->error = error < 0 ? -error : policy->changes[c].error;
        if (item->error == EEXIST && find_twin(policy, item))
            item->error = 0;
        if (item->error == 0)
            item->present = item->wanted;
        work->failed = work->failed || item->error != 0;
        /* A rule's preference is the kernel's choice, and another route with this key may be ours after all. */
        policy->dirty = policy->dirty || error < 0 || item->error == EEXIST ||
                        (item->rule && item->present && item->rule->preference == NET_UNSET);
    }
    work->changed = work->changed || count > 0;
}

void policy_remove(struct work *work)
{
    struct policy_state *policy = &work->policy;
    unsigned count = 0;

    for (unsigned i = policy->count; i-- > 0;) {
        struct policy_item *item = &policy->items[i];

        if (item->present && !item->wanted && find_twin(policy, item)) {
            item->present = false;
        } else if (item->present && !item->wanted && (!item->held_back || work->leaving)) {
            (void)resolve(work, item);
            add_change(work, i, &count);
        }
    }
    carry_out(work, count);
}

static bool is_pending(const struct work *work, const struct state_vip *vip)
{
    return vip->wanted && !vip->present && vip->error == 0 && state_vip_obstacle(&work->state, vip) == 0;
}

/*
 * Addresses come in slices, and a route may need one that a later pass brings: its unit's; for a static one those
 * static ones that will come.
 */
static bool addresses_are_there(const struct work *work, const struct policy_item *item)
{
    if (item->unit != POLICY_STATIC)
        return work_unit_ready(work, &work->units[item->unit]);
    for (unsigned i = 0; i < work->state.vip_count; i++)
        if (work->state.vips[i].pool == STATE_STATIC && is_pending(work, &work->state.vips[i]))
            return false;
    return true;
}

void policy_put(struct work *work)
{
    struct policy_state *policy = &work->policy;
    unsigned count = 0;

    for (unsigned i = 0; i < policy->count; i++) {
        struct policy_item *item = &policy->items[i];

        if (item->present || !item->wanted)
            continue;
        const struct policy_item *twin = find_twin(policy, item);

        if (twin) {
            item->present = true;
            item->error = 0;
            item->preference = twin->preference;
            continue;
        }
        if (item->held_back || !addresses_are_there(work, item))
            continue;
        if (resolve(work, item))
            add_change(work, i, &count);
        else
            item->error = ENODEV; /* its coming is news, and no reason to try again before */
    }
    carry_out(work, count);
}

void policy_hold_back(struct work *work, bool back)
{
    for (unsigned i = 0; i < work->policy.count; i++)
        work->policy.items[i].held_back = back && work->policy.items[i].error != 0;
}

static void describe(const struct policy_item *item, char *text, size_t capacity)
{
    const struct place *place = item->route ? &item->route->place : &item->rule->place;
    const struct addr *to = item->route ? &item->route->to : &item->rule->to;
    uint8_t length = item->route ? item->route->to_length : item->rule->to_length;
    char address[ADDR_TEXT_MAX];

    if (addr_is_none(to) || length == 0)
        snprintf(text, capacity, "%s:%u: %s", place->file ? place->file : "-", place->line,
                 item->route ? "the default route" : "the rule");
    else
        snprintf(text, capacity, "%s:%u: the %s to %s/%u", place->file ? place->file : "-", place->line,
                 item->route ? "route" : "rule", addr_format(to, address), length);
}

/* What the item of `next` was under `work`'s configuration, or NULL. */
static struct policy_item *old_item(const struct work *work, const struct work *next, const struct handover *map,
                                    const struct policy_item *item)
{
    unsigned unit = POLICY_STATIC;

    if (item->unit != POLICY_STATIC) {
        const struct work_unit *u = &next->units[item->unit];
        unsigned pool = map->old_pool[u->pool], old = map->old_unit[u->pool][u->unit];

        if (pool == HANDOVER_NONE || old == HANDOVER_NONE)
            return NULL;
        unit = work->pools[pool].first_unit + old;
    }
    for (unsigned i = 0; i < work->policy.count; i++) {
        struct policy_item *old = &work->policy.items[i];

        if (old->unit == unit && (old->route ? item->route && net_same_route(old->route, item->route)
                                             : item->rule && net_same_rule(old->rule, item->rule)))
            return old;
    }
    return NULL;
}

void policy_drop(struct work *work, const struct work *next, const struct handover *map)
{
    for (unsigned i = 0; i < work->policy.count; i++)
        work->policy.items[i].dropped = true;
    for (unsigned i = 0; i < next->policy.count; i++) {
        struct policy_item *old = old_item(work, next, map, &next->policy.items[i]);

        if (old)
            old->dropped = false;
    }
}

bool policy_is_dropped(const struct work *work)
{
    for (unsigned i = 0; i < work->policy.count; i++)
        if (work->policy.items[i].dropped && (work->policy.dirty || work->policy.items[i].present))
            return false;
    return true;
}

void policy_take_over(struct work *to, const struct work *from, const struct handover *map)
{
    for (unsigned i = 0; i < to->policy.count; i++) {
        struct policy_item *item = &to->policy.items[i];
        const struct policy_item *old = old_item(from, to, map, item);

        if (!old)
            continue;
        item->wanted = old->wanted;
        item->present = old->present;
        item->error = old->error;
        item->reported = old->reported;
        item->preference = old->preference;
    }
    /* Without it what others do to ours is noticed late: no reason to fail here. The first pass dumps all. */
    (void)policy_watch(to);
}

void policy_report(struct work *work)
{
    for (unsigned i = 0; i < work->policy.count; i++) {
        struct policy_item *item = &work->policy.items[i];
        bool unit = item->unit != POLICY_STATIC;
        int error = item->present ? 0 : item->error;
        struct kernel_report report = {
            .kind = KERNEL_POLICY,
            .pool = unit ? work->units[item->unit].pool : 0,
            .unit = unit ? work->units[item->unit].unit : EFFECT_NO_UNIT,
            .error = error,
        };

        if (!item->wanted || (error == item->reported && !(item->lost && item->present)))
            continue;
        describe(item, report.text, sizeof(report.text));
        if (!work->listener.report(work->listener.context, &report))
            continue;
        item->reported = error;
        item->lost = item->lost && !item->present;
    }
}
