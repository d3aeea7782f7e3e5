/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel thread's tables as the configuration has them: units, pools, and what the filter knows of each VIP. Done
 * once, called by kernel_work.c.
 *
 * A pool's VIPs all have virtual MACs or none. Of a set each instance says so for itself, and with a MAC of its own: on
 * its own link, on others only where that is asked for. Of two units with one MAC on one link (that of a VRID on
 * another link, say) the first has it, since a frame to it must belong to one of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "platform/kernel_work.h"

#define DEFAULT_TTL 255

unsigned work_pool_count(const struct work *work)
{
    return settings_all_count(&work->config->core);
}

bool work_is_set(const struct work *work, unsigned pool)
{
    return pool >= work->config->core.pool_count;
}

bool work_by_link(const struct work *work, unsigned pool)
{
    for (unsigned i = 0; i < work->pools[pool].vip_count; i++)
        if (work->vips[work->pools[pool].first_vip + i].by_link)
            return true;
    return false;
}

bool work_wants_macs(const struct work *work, unsigned pool)
{
    for (unsigned i = 0; i < work->pools[pool].vip_count; i++)
        if (work->vips[work->pools[pool].first_vip + i].vmac)
            return true;
    return false;
}

/*
 * The text that names the unit's lease: its name where that fits and is plain. Another ends in the unit's number, after
 * a `~`, so that no two are the same; what nft's own language would stumble over is not in it.
 */
static void fill_key(const char *name, unsigned index, char key[static FILTER_KEY_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/";

    memset(key, 0, FILTER_KEY_MAX);
    if (strlen(name) < FILTER_KEY_MAX && name[strspn(name, plain)] == '\0')
        memcpy(key, name, strlen(name));
    else
        snprintf(key, FILTER_KEY_MAX, "%.*s~%u", (int)(strspn(name, plain) < 11 ? strspn(name, plain) : 11), name,
                 index % 256);
}

static void fill_filter_unit(struct work *work, unsigned pool, unsigned index, struct filter_unit *out)
{
    const struct unit_settings *settings = &work->config->core.pools[pool].units[index];
    const struct config_router *router = work->config->pools[pool].units[index].router;
    const struct instance_settings *instance = settings->instance;

    *out = (struct filter_unit){
        .link = work->config->links[settings->link],
        .family = settings->family,
        .version = settings->version,
        .vrid = settings->vrid,
        .ttl = instance->unicast ? instance->unicast_ttl : DEFAULT_TTL,
        .lease_ms = router->lease_us < US_PER_MS ? 1 : (uint32_t)(router->lease_us / US_PER_MS),
    };
    fill_key(instance->name, index, out->key);
}

/* Links on which an earlier unit of the set has this MAC. */
static uint32_t links_taken(const struct work *work, const struct work_unit *unit, const uint8_t mac[static 6])
{
    uint32_t links = 0;

    for (unsigned i = work->pools[unit->pool].first_vip; i < unit->first_vip; i++)
        if (work->vips[i].vmac && memcmp(work->vips[i].mac, mac, sizeof(work->vips[i].mac)) == 0)
            links |= UINT32_C(1) << work->state.vips[i].link;
    return links;
}

static void fill_instance_vips(struct work *work, const struct work_unit *unit)
{
    const struct config_unit *config = &work->config->pools[unit->pool].units[unit->unit];
    const struct config_router *router = config->router;
    unsigned own_link = work->config->core.pools[unit->pool].units[unit->unit].link;
    uint32_t taken = router->use_vmac ? links_taken(work, unit, router->vmac) : 0;

    for (unsigned v = 0; v < unit->vip_count; v++) {
        struct filter_vip *vip = &work->vips[unit->first_vip + v];
        const struct net_address *options = config->vips[v].options;
        unsigned link = config->vips[v].link;

        vip->unit = &work->filter_units[unit - work->units];
        memcpy(vip->mac, router->vmac, sizeof(vip->mac));
        vip->vmac = router->use_vmac && (link == own_link || router->vmac_others || (options && options->use_vmac)) &&
                    !(taken >> link & 1);
        vip->by_link = addr_is_link_local(&vip->address) || state_elsewhere(&work->state, unit->first_vip + v);
        vip->no_accept = !router->accept;
    }
}

static void fill_unit(struct work *work, unsigned pool, unsigned index, unsigned *unit, unsigned *vip)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];
    unsigned vip_count = work->config->pools[pool].units[index].vip_count;
    struct work_unit *out = &work->units[*unit];

    *out = (struct work_unit){
        .wanted = LEVEL_ABSENT,
        .pool = (uint8_t)pool,
        .unit = (uint16_t)index,
        .first_vip = *vip,
        .vip_count = vip_count,
    };
    for (unsigned v = 0; v < vip_count; v++, (*vip)++) {
        const struct state_vip *from = &work->state.vips[*vip];
        struct filter_vip *to = &work->vips[*vip];

        *to = (struct filter_vip){
            .address = from->address,
            .link = work->config->links[from->link],
            .vmac = work->config->pools[pool].use_vmac,
        };
        wire_virtual_mac((enum family)from->address.family, settings->units[index].vrid, to->mac);
    }
    if (work_is_set(work, pool)) {
        fill_filter_unit(work, pool, index, &work->filter_units[*unit]);
        fill_instance_vips(work, out);
    }
    ++*unit;
}

void work_fill(struct work *work)
{
    unsigned unit = 0, vip = 0;

    for (unsigned p = 0; p < work_pool_count(work); p++) {
        struct work_pool *pool = &work->pools[p];

        *pool = (struct work_pool){
            .mode = FILTER_AUTO,
            .first_unit = unit,
            .unit_count = work->config->core.pools[p].unit_count,
            .first_vip = vip,
        };
        for (unsigned u = 0; u < pool->unit_count; u++)
            fill_unit(work, p, u, &unit, &vip);
        pool->vip_count = vip - pool->first_vip;
    }
}
