/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of a reload (doc/design.md 2.11). First, on the thread and under the old configuration, the
 * addresses go that the next one has no place for: while their table still stands, so that a resident address is never
 * without one. Then, between two passes, the next work takes the place of this one: sockets, what is known of the
 * kernel, what is open, how much of the lease is left. Its first pass makes every table anew in one transaction each,
 * with what is held in it, and removes the tables that nobody needs any more. Called by kernel.c.
 */
#include <stdio.h>
#include <string.h>

#include "platform/kernel_work.h"

/* The same address means the same to the kernel under both configurations. */
static bool is_same_address(const struct state_vip *a, const struct state_vip *b)
{
    return a->options && b->options ? net_same_address(a->options, b->options) : a->options == b->options;
}

/* The old VIP that goes on as VIP `vip` of the next work: of the unit that goes on; vip_count: none. */
static unsigned old_vip(const struct work *old, const struct work *next, const struct handover *map, unsigned vip)
{
    const struct state_vip *v = &next->state.vips[vip];
    bool is_static = v->pool == STATE_STATIC;
    unsigned pool = is_static ? STATE_STATIC : map->old_pool[v->pool];
    unsigned unit = is_static ? 0 : map->old_unit[v->pool][v->unit];
    unsigned link = state_link_named(&old->state, next->state.links[v->link].name);

    if (pool == HANDOVER_NONE || unit == HANDOVER_NONE || link == old->state.link_count)
        return old->state.vip_count;
    unsigned found = state_find(&old->state, pool, unit, link, &v->address);

    return found < old->state.vip_count && is_same_address(v, &old->state.vips[found]) ? found : old->state.vip_count;
}

static struct work_unit *unit_of(const struct work *work, unsigned vip)
{
    const struct state_vip *v = &work->state.vips[vip];

    return v->pool == STATE_STATIC ? NULL : &work->units[work->pools[v->pool].first_unit + v->unit];
}

/* A unit whose virtual MACs do not all go on loses them, and gets the next ones anew. */
static void drop_macs(struct work *work, const struct work *next, unsigned vip, unsigned old)
{
    const struct filter_vip *before = &work->vips[old], *now = &next->vips[vip];
    struct work_unit *unit = unit_of(work, old);

    if (unit && before->vmac && (!now->vmac || memcmp(before->mac, now->mac, sizeof(now->mac)) != 0))
        unit->macs_end = true;
}

void work_drop(struct work *work, const struct work *next, const struct handover *map)
{
    for (unsigned i = 0; i < work->state.vip_count; i++)
        work->state.vips[i].dropped = true;
    for (unsigned i = 0; i < next->state.vip_count; i++) {
        unsigned old = old_vip(work, next, map, i);

        if (old < work->state.vip_count) {
            work->state.vips[old].dropped = false;
            drop_macs(work, next, i, old);
        }
    }
    policy_drop(work, next, map);
    work->orders = true;
}

bool work_is_dropped(const struct work *work)
{
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct state_vip *vip = &work->state.vips[i];

        /* A static address that somebody else put there stays. */
        if (vip->dropped && vip->present && (vip->pool != STATE_STATIC || vip->ours))
            return false;
    }
    return policy_is_dropped(work);
}

/* The last word before this reload granted `lease_us`, or it is older than the reload before. */
static struct work_lease lease_granted(const struct work_lease *before, int64_t spoke_us, int64_t lease_us)
{
    struct work_lease granted = {.set = true, .spoke_us = spoke_us, .lease_us = lease_us};

    return before->set && before->spoke_us == spoke_us ? *before : granted;
}

static void take_over_pool(struct work *to, const struct work *from, unsigned pool, unsigned old_pool)
{
    const struct config_pool *now = &to->config->pools[pool], *before = &from->config->pools[old_pool];
    const struct work_pool *old = &from->pools[old_pool];
    struct work_pool *p = &to->pools[pool];

    if (now->filter_mode == before->filter_mode && work_wants_macs(to, pool) == work_wants_macs(from, old_pool)) {
        p->mode = old->mode; /* else it is chosen, and told, anew */
        p->macvlan = old->macvlan;
        snprintf(p->reason, sizeof(p->reason), "%s", old->reason);
    }
    p->armed = old->armed;
    p->armed_at = old->armed_at;
    p->before = lease_granted(&old->before, atomic_load(&from->spoke_us[old_pool]),
                              settings_lease_us(&from->config->core.pools[old_pool]));
}

static void take_over_units(struct work *to, const struct work *from, unsigned pool, unsigned old_pool,
                            const uint16_t *old_unit)
{
    for (unsigned u = 0; u < to->pools[pool].unit_count; u++) {
        struct work_unit *unit = &to->units[to->pools[pool].first_unit + u];

        if (old_unit[u] == HANDOVER_NONE)
            continue;
        const struct work_unit *old = &from->units[from->pools[old_pool].first_unit + old_unit[u]];

        unit->wanted = old->wanted;
        unit->sequence = old->sequence;
        unit->ordered = old->ordered;
        unit->open = old->open;
        if (work_is_set(to, pool) && from->unit_spoke_us)
            unit->before = lease_granted(&old->before, atomic_load(&from->unit_spoke_us[old - from->units]),
                                         from->filter_units[old - from->units].lease_ms * US_PER_MS);
    }
}

static void add_stale(struct work *work, const char *pool)
{
    if (work->stale_count < sizeof(work->stale) / sizeof(work->stale[0]))
        snprintf(work->stale[work->stale_count++], sizeof(work->stale[0]), "%s", pool);
}

static bool has_pool(const struct config *config, const char *name)
{
    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        if (strcmp(config->core.pools[p].name, name) == 0)
            return true;
    return false;
}

void work_take_over(struct work *to, struct work *from, const struct handover *map)
{
    to->netlink = from->netlink;
    to->filter = from->filter;
    from->netlink = NULL;
    from->filter = NULL;
    to->ability = from->ability;
    to->spoke_us = from->spoke_us;
    to->listener = from->listener;
    to->orders = true;
    for (unsigned i = 0; i < to->state.vip_count; i++) {
        unsigned old = old_vip(from, to, map, i);

        if (old < from->state.vip_count && unit_of(from, old) && !unit_of(from, old)->macs_end)
            to->mac_ifindexes[i] = from->mac_ifindexes[old];
    }
    for (unsigned p = 0; p < work_pool_count(to); p++) {
        if (map->old_pool[p] == HANDOVER_NONE)
            continue;
        take_over_pool(to, from, p, map->old_pool[p]);
        take_over_units(to, from, p, map->old_pool[p], map->old_unit[p]);
    }
    for (unsigned i = 0; i < to->config->core.link_count; i++) {
        if (map->old_link[i] == HANDOVER_NONE)
            continue;
        to->announcing[i] = from->announcing[map->old_link[i]];
        to->promoting[i] = from->promoting[map->old_link[i]];
    }
    for (unsigned i = 0; i < from->stale_count; i++)
        add_stale(to, from->stale[i]);
    for (unsigned p = 0; p < work_pool_count(from); p++)
        if (!has_pool(to->config, from->config->core.pools[p].name))
            add_stale(to, from->config->core.pools[p].name);
    state_take_over(&to->state, &from->state);
    policy_take_over(to, from, map);
    macvlan_take_over(to, from, map);
}

/* All that may replace a table is in place. */
static bool is_all_installed(const struct work *work)
{
    for (unsigned p = 0; p < work_pool_count(work); p++)
        if (work->pools[p].mode != FILTER_OFF && !work->pools[p].installed)
            return false;
    return true;
}

void work_remove_stale(struct work *work)
{
    unsigned kept = 0;

    if (work->stale_count == 0 || !is_all_installed(work))
        return;
    for (unsigned i = 0; i < work->stale_count; i++) {
        if (has_pool(work->config, work->stale[i]) || filter_remove_table(work->filter, work->stale[i]) == 0)
            continue;
        memmove(work->stale[kept++], work->stale[i], sizeof(work->stale[0]));
        work->failed = true;
    }
    work->stale_count = kept;
}

int kernel_clean_tables(const struct config *before, const struct config *now, unsigned number)
{
    struct filter *filter;
    int error = filter_open(number, &filter), result;

    if (error < 0)
        return error;
    for (unsigned p = 0; p < settings_all_count(&before->core); p++) {
        result =
            has_pool(now, before->core.pools[p].name) ? 0 : filter_remove_table(filter, before->core.pools[p].name);
        error = error < 0 ? error : result;
    }
    filter_close(filter);
    return error;
}
