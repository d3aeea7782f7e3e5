/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pools' filters within a pass: which table is wanted, whether it must be made anew or only changed. Everything
 * that is due for a pool goes into one transaction: what closes, the lease, and what may open already. Called by
 * kernel_work.c.
 *
 * A set's units have leases of their own, that begin when they open. Each counts from the unit's last advertisement, so
 * a unit whose last one is too old is not opened, and one that is open is closed when the table must be made anew; it
 * opens when the next advertisement has left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "platform/kernel_work.h"

bool work_unit_ready(const struct work *work, const struct work_unit *unit)
{
    for (unsigned i = 0; i < unit->vip_count; i++)
        if (work_vip_counts(work, unit, i) && !work->state.vips[unit->first_vip + i].present)
            return false;
    return true;
}

/* RFC 9568 wants that link-local address advertised, and so it is put in place; but no client was told of it. */
bool work_vip_counts(const struct work *work, const struct work_unit *unit, unsigned vip)
{
    const struct addr *address = &work->state.vips[unit->first_vip + vip].address;
    uint8_t vrid = work->config->core.pools[unit->pool].units[unit->unit].vrid;
    struct addr own = addr_virtual_link_local(vrid);

    return unit->vip_count == 1 || !addr_equal(address, &own);
}

bool work_unit_closed(const struct work *work, const struct work_unit *unit)
{
    const struct work_pool *pool = &work->pools[unit->pool];

    return unit->wanted == LEVEL_ABSENT && pool->mode != FILTER_OFF && pool->installed && !unit->open;
}

bool work_pool_resident(const struct work *work, unsigned pool)
{
    /* Without a filter nothing would decide between the hosts, so addresses come and go there. */
    return work->config->pools[pool].address_mode == ADDRESS_RESIDENT && work->pools[pool].mode != FILTER_OFF &&
           !work->leaving;
}

static bool units_have_leases(const struct work *work, unsigned pool)
{
    return work_is_set(work, pool) && work->pools[pool].mode == FILTER_LEASE;
}

/*
 * A unit that is open stays so while it is wanted, even when somebody takes an address away for a moment - but not in a
 * new table when its lease is over.
 */
static bool unit_shall_be_open(const struct work *work, const struct work_unit *unit)
{
    bool in_table = unit->open && work->pools[unit->pool].installed;

    if (unit->wanted != LEVEL_ANSWERING || !(unit->open || work_unit_ready(work, unit)))
        return false;
    return in_table || !units_have_leases(work, unit->pool) || work->filter_units[unit - work->units].alive_ms > 0;
}

static int64_t lease_in_force_us(const struct work_lease *before, struct mono spoke, int64_t lease_us)
{
    return before->set && before->spoke_us == spoke.us ? before->lease_us : lease_us;
}

/* What is left of the lease, for a table that is made anew. */
static uint32_t lease_left_ms(const struct work *work, unsigned pool, struct mono now)
{
    const struct work_pool *p = &work->pools[pool];
    int64_t lease_us = settings_lease_us(&work->config->core.pools[pool]);
    struct mono spoke = {atomic_load(&work->spoke_us[pool])};

    if (p->arm_owed || (p->armed && spoke.us == 0 && !p->before.set))
        return (uint32_t)(lease_us / US_PER_MS);
    if (!p->armed)
        return 0;
    lease_us = lease_in_force_us(&p->before, spoke, lease_us);
    int64_t since_us = mono_diff_us(now, mono_max(spoke, p->armed_at));
    int64_t left_us = lease_us - (since_us > 0 ? since_us : 0);

    return left_us > 0 ? (uint32_t)(left_us / US_PER_MS) : 0;
}

static struct addr primary_of(const struct work *work, unsigned link, uint8_t family)
{
    struct kernel_link view;

    state_link_view(&work->state, link, &view);
    return family == FAMILY_IPV4 ? view.primary_ipv4 : view.primary_ipv6;
}

/* The links that the pool's VIPs are on, and its own; of a set those of its units. */
static uint32_t pool_links(const struct work *work, unsigned pool)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];
    uint32_t links = work_is_set(work, pool) ? 0 : UINT32_C(1) << settings->link;

    for (unsigned u = 0; u < settings->unit_count && work_is_set(work, pool); u++)
        links |= UINT32_C(1) << settings->units[u].link;

    for (unsigned i = 0; i < work->pools[pool].vip_count; i++)
        links |= UINT32_C(1) << work->state.vips[work->pools[pool].first_vip + i].link;
    return links;
}

static bool links_changed(const struct work *work, unsigned pool)
{
    uint32_t links = pool_links(work, pool);

    for (unsigned i = 0; i < work->config->core.link_count; i++)
        if ((links >> i & 1) && work->state.links[i].ifindex != work->pools[pool].ifindexes[i])
            return true;
    return false;
}

static uint32_t unit_lease_left_ms(const struct work *work, unsigned unit, struct mono now)
{
    struct mono spoke = {work->unit_spoke_us ? atomic_load(&work->unit_spoke_us[unit]) : 0};
    int64_t lease_us = work->filter_units[unit].lease_ms * US_PER_MS;
    uint32_t lease_ms = (uint32_t)(lease_in_force_us(&work->units[unit].before, spoke, lease_us) / US_PER_MS);

    if (spoke.us == 0)
        return lease_ms;
    int64_t left_ms = lease_ms - mono_diff_us(now, spoke) / US_PER_MS;

    return left_ms <= 0 ? 0 : left_ms < lease_ms ? (uint32_t)left_ms : lease_ms;
}

static void describe_units(struct work *work, unsigned pool, struct mono now)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];

    for (unsigned u = 0; u < settings->unit_count; u++) {
        const struct unit_settings *unit = &settings->units[u];
        unsigned index = work->pools[pool].first_unit + u;
        struct filter_unit *out = &work->filter_units[index];

        struct addr primary = primary_of(work, unit->link, unit->family);

        out->self = *unit_source(unit, &primary);
        out->alive_ms = unit_lease_left_ms(work, index, now);
    }
}

static void describe_set(struct work *work, unsigned pool, struct mono now, struct filter_table *table)
{
    describe_units(work, pool, now);
    table->set = true;
    table->units = work->filter_units + work->pools[pool].first_unit;
    table->unit_count = work->pools[pool].unit_count;
}

static void describe_pool(const struct work *work, unsigned pool, struct mono now, struct filter_table *table)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];

    table->family = settings->family;
    table->pool_link = work->config->links[settings->link];
    table->lease_ms = (uint32_t)(settings_lease_us(settings) / US_PER_MS);
    table->alive_ms = lease_left_ms(work, pool, now);
    table->self = primary_of(work, settings->link, settings->family);
}

static void describe(struct work *work, unsigned pool, struct mono now, struct filter_table *table)
{
    const struct work_pool *p = &work->pools[pool];
    uint32_t links = pool_links(work, pool);

    *table = (struct filter_table){
        .pool = work->config->core.pools[pool].name,
        .mode = p->mode,
        .egress = work->ability.egress,
        .use_vmac = work_wants_macs(work, pool) && !p->macvlan,
        .macvlan = p->macvlan,
        .vips = work->vips + p->first_vip,
        .vip_count = p->vip_count,
    };
    if (work_is_set(work, pool))
        describe_set(work, pool, now, table);
    else
        describe_pool(work, pool, now, table);
    for (unsigned i = 0; i < work->config->core.link_count; i++)
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

static void note_success(struct work *work, unsigned pool, const struct filter_table *table, struct mono now)
{
    struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < p->unit_count; i++) {
        struct work_unit *unit = &work->units[p->first_unit + i];

        unit->open = unit->opens;
        unit->self = work->filter_units[p->first_unit + i].self;
    }
    p->self = table->self;
    p->error = 0;
    note_armed(p, now);
}

static int install(struct work *work, unsigned pool, const struct filter_table *table)
{
    struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < p->unit_count; i++) {
        struct work_unit *unit = &work->units[p->first_unit + i];

        unit->opens = unit_shall_be_open(work, unit);
        for (unsigned v = 0; v < unit->vip_count; v++)
            work->vips[unit->first_vip + v].held = unit->opens;
    }
    int error = filter_install(work->filter, table);

    if (error < 0)
        return error;
    p->installed = true;
    p->restored_owed = p->restored_owed || p->touched;
    p->touched = false;
    for (unsigned i = 0; i < work->config->core.link_count; i++)
        p->ifindexes[i] = (pool_links(work, pool) >> i & 1) ? work->state.links[i].ifindex : 0;
    return 0;
}

/* The VIPs whose being held changes. */
static unsigned collect_changes(struct work *work, unsigned pool)
{
    const struct work_pool *p = &work->pools[pool];
    unsigned count = 0;

    for (unsigned i = 0; i < p->unit_count; i++) {
        struct work_unit *unit = &work->units[p->first_unit + i];

        unit->opens = unit_shall_be_open(work, unit);
        for (unsigned v = 0; unit->opens != unit->open && v < unit->vip_count; v++) {
            work->changed_vips[count] = work->vips[unit->first_vip + v];
            work->changed_vips[count++].held = unit->opens;
        }
    }
    return count;
}

static bool self_changed(const struct work *work, unsigned pool, const struct filter_table *table)
{
    const struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; i < table->unit_count; i++)
        if (!addr_equal(&work->units[p->first_unit + i].self, &table->units[i].self))
            return true;
    return !addr_equal(&p->self, &table->self);
}

static int change(struct work *work, unsigned pool, const struct filter_table *table, bool *nothing)
{
    const struct work_pool *p = &work->pools[pool];
    const struct filter_change change = {
        .vips = work->changed_vips,
        .vip_count = collect_changes(work, pool),
        .arm = p->arm_owed && p->mode == FILTER_LEASE,
        .self = p->mode == FILTER_LEASE && self_changed(work, pool, table),
    };

    *nothing = change.vip_count == 0 && !change.arm && !change.self;
    return *nothing ? 0 : filter_change(work->filter, table, &change);
}

/* Some unit waits for nothing but an advertisement of its own. */
static bool lease_awaited(const struct work *work, unsigned pool)
{
    const struct work_pool *p = &work->pools[pool];

    for (unsigned i = 0; units_have_leases(work, pool) && i < p->unit_count; i++) {
        const struct work_unit *unit = &work->units[p->first_unit + i];

        if (unit->wanted == LEVEL_ANSWERING && !unit->open && work_unit_ready(work, unit))
            return true;
    }
    return false;
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
    /* Whatever the table is like that refused a change: the next one is made whole. */
    if (!p->installed || p->touched || links_changed(work, pool) || change(work, pool, &table, &nothing) < 0) {
        p->installed = nothing = false;
        error = install(work, pool, &table);
    }
    if (error < 0) {
        p->installed = false;
        p->error = -error;
        work->failed = true;
    } else {
        note_success(work, pool, &table, now);
        work->changed = work->changed || !nothing;
    }
    work->failed = work->failed || lease_awaited(work, pool);
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

/* What is not by the filter, and what a set's file asks for and only a filter can do. */
static void note_shortcomings(struct work *work, unsigned pool)
{
    struct work_pool *p = &work->pools[pool];
    bool off = p->mode == FILTER_OFF, refuses = false;

    for (unsigned i = 0; i < p->vip_count; i++)
        refuses = refuses || work->vips[p->first_vip + i].no_accept;
    size_t used = strlen(p->reason);

    snprintf(p->reason + used, sizeof(p->reason) - used, "%s%s",
             off && refuses ? "; data to all addresses is accepted" : "",
             p->macvlan ? "; virtual MACs have macvlan interfaces" : "");
}

enum kernel_vmac work_vmac(const struct work *work, unsigned pool)
{
    if (!work_wants_macs(work, pool))
        return KERNEL_VMAC_NONE;
    return work->pools[pool].macvlan ? KERNEL_VMAC_MACVLAN : KERNEL_VMAC_FILTER;
}

/* Makes the pool's table, closed. Falls back until one works: a probe on lo says nothing of the rest. */
static void make_first_table(struct work *work, unsigned pool, struct mono now)
{
    struct work_pool *p = &work->pools[pool];

    while (p->mode != FILTER_OFF) {
        work_filter_pool(work, pool, now);
        if (p->error == 0)
            return;
        snprintf(p->reason, sizeof(p->reason), "the kernel refused the table: %s", strerrordesc_np(p->error));
        p->mode = p->mode == FILTER_LEASE ? FILTER_ON : FILTER_OFF;
    }
    p->macvlan = work_wants_macs(work, pool);
    (void)filter_remove_table(work->filter, work->config->core.pools[pool].name);
}

void work_filter_choose(struct work *work, unsigned pool, struct mono now)
{
    struct work_pool *p = &work->pools[pool];
    bool as_wished = work->config->pools[pool].filter_mode == wanted_mode(work, pool);

    p->mode = wanted_mode(work, pool);
    p->macvlan = work_wants_macs(work, pool) && (p->mode == FILTER_OFF || !work->ability.egress);
    snprintf(p->reason, sizeof(p->reason), "%s", as_wished ? "as configured" : work->ability.reason);
    make_first_table(work, pool, now);
    note_shortcomings(work, pool);
}
