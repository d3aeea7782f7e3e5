/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pools' filters within a pass: which table is wanted, whether it must be made anew or only changed. Everything
 * that is due for a pool goes into one transaction: what closes, the lease, and what may open already. Called by
 * kernel_work.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "platform/kernel_work.h"

bool work_unit_ready(const struct work *work, const struct work_unit *unit)
{
    for (unsigned i = 0; i < unit->vip_count; i++)
        if (!work->state.vips[unit->first_vip + i].present)
            return false;
    return true;
}

bool work_pool_resident(const struct work *work, unsigned pool)
{
    /* Without a filter nothing would decide between the hosts, so addresses come and go there. */
    return work->config->pools[pool].address_mode == ADDRESS_RESIDENT && work->pools[pool].mode != FILTER_OFF &&
           !work->leaving;
}

/* A unit that is open stays so while it is wanted, even when somebody takes an address away for a moment. */
static bool unit_shall_be_open(const struct work *work, const struct work_unit *unit)
{
    return unit->wanted == LEVEL_ANSWERING && (unit->open || work_unit_ready(work, unit));
}

/* What is left of the lease, for a table that is made anew. */
static uint32_t lease_left_ms(const struct work *work, unsigned pool, struct mono now)
{
    const struct work_pool *p = &work->pools[pool];
    int64_t lease_us = settings_lease_us(&work->config->core.pools[pool]);
    struct mono spoke = {atomic_load(&work->spoke_us[pool])};

    if (p->arm_owed || (p->armed && spoke.us == 0 && !p->taken_over))
        return (uint32_t)(lease_us / US_PER_MS);
    if (!p->armed)
        return 0;
    if (p->taken_over && spoke.us == p->spoke_before_us)
        lease_us = p->lease_before_us;
    int64_t since_us = mono_diff_us(now, mono_max(spoke, p->armed_at));
    int64_t left_us = lease_us - (since_us > 0 ? since_us : 0);

    return left_us > 0 ? (uint32_t)(left_us / US_PER_MS) : 0;
}

static struct addr pool_primary(const struct work *work, unsigned pool)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];
    struct kernel_link view;

    state_link_view(&work->state, settings->link, &view);
    return settings->family == FAMILY_IPV4 ? view.primary_ipv4 : view.primary_ipv6;
}

/* The links that the pool's VIPs are on, and its own. */
static uint32_t pool_links(const struct work *work, unsigned pool)
{
    uint32_t links = UINT32_C(1) << work->config->core.pools[pool].link;

    for (unsigned i = 0; i < work->pools[pool].vip_count; i++)
        links |= UINT32_C(1) << work->state.vips[work->pools[pool].first_vip + i].link;
    return links;
}

static bool links_changed(const struct work *work, unsigned pool)
{
    uint32_t links = pool_links(work, pool);

    for (unsigned i = 0; i < work->state.link_count; i++)
        if ((links >> i & 1) && work->state.links[i].ifindex != work->pools[pool].ifindexes[i])
            return true;
    return false;
}

static void describe(const struct work *work, unsigned pool, struct mono now, struct filter_table *table)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];
    const struct work_pool *p = &work->pools[pool];
    uint32_t links = pool_links(work, pool);

    *table = (struct filter_table){
        .pool = settings->name,
        .mode = p->mode,
        .egress = work->ability.egress,
        .use_vmac = work->config->pools[pool].use_vmac && work->ability.egress,
        .family = settings->family,
        .pool_link = work->config->links[settings->link],
        .lease_ms = (uint32_t)(settings_lease_us(settings) / US_PER_MS),
        .alive_ms = lease_left_ms(work, pool, now),
        .self = pool_primary(work, pool),
        .vips = work->vips + p->first_vip,
        .vip_count = p->vip_count,
    };
    for (unsigned i = 0; i < work->state.link_count; i++)
        if ((links >> i & 1) && work->state.links[i].ifindex != 0)
            table->links[table->link_count++] = work->state.links[i].name;
}

/* Also without a lease: a reload may bring one. */
static void note_armed(struct work_pool *p, struct mono now)
{
    if (!p->arm_owed)
        return;
    p->arm_owed = false;
    p->armed_owed = true;
    p->armed = true;
    p->armed_at = now;
}

/* After a transaction the table is as `shall be` says. */
static void note_success(struct work *work, unsigned pool, const struct filter_table *table, struct mono now)
{
    struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < p->unit_count; i++) {
        struct work_unit *unit = &work->units[p->first_unit + i];

        unit->open = unit_shall_be_open(work, unit);
    }
    p->self = table->self;
    p->error = 0;
    note_armed(p, now);
    work->changed = true;
}

static int install(struct work *work, unsigned pool, const struct filter_table *table)
{
    struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < p->unit_count; i++) {
        const struct work_unit *unit = &work->units[p->first_unit + i];
        bool held = unit_shall_be_open(work, unit);

        for (unsigned v = 0; v < unit->vip_count; v++)
            work->vips[unit->first_vip + v].held = held;
    }
    int error = filter_install(work->filter, table);

    if (error < 0)
        return error;
    p->installed = true;
    p->restored_owed = p->restored_owed || p->touched;
    p->touched = false;
    for (unsigned i = 0; i < work->state.link_count; i++)
        p->ifindexes[i] = (pool_links(work, pool) >> i & 1) ? work->state.links[i].ifindex : 0;
    return 0;
}

/* The VIPs whose being held changes. */
static unsigned collect_changes(struct work *work, unsigned pool)
{
    const struct work_pool *p = &work->pools[pool];
    unsigned count = 0;

    for (unsigned i = 0; i < p->unit_count; i++) {
        const struct work_unit *unit = &work->units[p->first_unit + i];
        bool held = unit_shall_be_open(work, unit);

        for (unsigned v = 0; held != unit->open && v < unit->vip_count; v++) {
            work->changed_vips[count] = work->vips[unit->first_vip + v];
            work->changed_vips[count++].held = held;
        }
    }
    return count;
}

static int change(struct work *work, unsigned pool, const struct filter_table *table, bool *nothing)
{
    const struct work_pool *p = &work->pools[pool];
    const struct filter_change change = {
        .vips = work->changed_vips,
        .vip_count = collect_changes(work, pool),
        .arm = p->arm_owed && p->mode == FILTER_LEASE,
        .self = p->mode == FILTER_LEASE && !addr_equal(&p->self, &table->self),
    };

    *nothing = change.vip_count == 0 && !change.arm && !change.self;
    return *nothing ? 0 : filter_change(work->filter, table, &change);
}

static void without_filter(struct work *work, unsigned pool, struct mono now)
{
    struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < p->unit_count; i++)
        work->units[p->first_unit + i].open = false;
    note_armed(p, now);
}

void work_filter_pool(struct work *work, unsigned pool, struct mono now)
{
    struct work_pool *p = &work->pools[pool];
    struct filter_table table;
    bool nothing = false;
    int error = 0;

    if (p->mode == FILTER_OFF) {
        without_filter(work, pool, now);
        return;
    }
    if (p->held_back)
        return;
    describe(work, pool, now, &table);
    if (p->installed && !p->touched && !links_changed(work, pool))
        error = change(work, pool, &table, &nothing);
    else
        p->installed = false;
    /* Whatever the table is like that refused the change: the next one is made whole. */
    if (!p->installed || error < 0)
        error = install(work, pool, &table);
    if (error < 0) {
        p->installed = false;
        p->error = -error;
        work->failed = true;
    } else if (!nothing) {
        note_success(work, pool, &table, now);
    } else {
        note_armed(p, now);
    }
}

static enum filter_mode wanted_mode(const struct work *work, unsigned pool)
{
    enum filter_mode configured = (enum filter_mode)work->config->pools[pool].filter_mode;

    switch (configured) {
    case FILTER_OFF:
        return FILTER_OFF;
    case FILTER_ON:
        return work->ability.best == FILTER_OFF ? FILTER_OFF : FILTER_ON;
    case FILTER_AUTO:
    case FILTER_LEASE:
        break;
    }
    return work->ability.best;
}

/* Chooses the pool's mode and makes its table, closed. Falls back until one works: a probe on lo says nothing of the
 * rest. */
void work_filter_choose(struct work *work, unsigned pool, struct mono now)
{
    struct work_pool *p = &work->pools[pool];
    bool as_wished = work->config->pools[pool].filter_mode == wanted_mode(work, pool);

    p->mode = wanted_mode(work, pool);
    snprintf(p->reason, sizeof(p->reason), "%s", as_wished ? "as configured" : work->ability.reason);
    while (p->mode != FILTER_OFF) {
        work_filter_pool(work, pool, now);
        if (p->error == 0)
            return;
        snprintf(p->reason, sizeof(p->reason), "the kernel refused the table: %s", strerrordesc_np(p->error));
        p->mode = p->mode == FILTER_LEASE ? FILTER_ON : FILTER_OFF;
    }
    (void)filter_remove_table(work->filter, work->config->core.pools[pool].name);
}
