/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The links and VIPs of a configuration, as kernel_state.h keeps them: all that pools, instances, static addresses and
 * routes name. Done once, called by kernel_work.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/kernel_state.h"

int state_compare(unsigned link_a, const struct addr *a, unsigned link_b, const struct addr *b)
{
    if (link_a != link_b)
        return link_a < link_b ? -1 : 1;
    return addr_compare(a, b);
}

static int compare_order(const void *a, const void *b, void *context)
{
    const struct state_vip *vips = context;
    const struct state_vip *x = &vips[*(const unsigned *)a], *y = &vips[*(const unsigned *)b];

    return state_compare(x->link, &x->address, y->link, &y->address);
}

static unsigned static_count(const struct config *config)
{
    return config->instances ? config->instances->static_address_count : 0;
}

static unsigned count_vips(const struct config *config)
{
    unsigned count = static_count(config);

    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            count += config->pools[p].units[u].vip_count;
    return count;
}

static unsigned count_hops(const struct net_route *routes, unsigned count)
{
    unsigned hops = 0;

    for (unsigned i = 0; i < count; i++)
        hops += routes[i].hop_count;
    return hops;
}

/* At most so many links are named beside the configuration's. */
static unsigned count_names(const struct config *config)
{
    unsigned count = static_count(config);

    if (config->instances)
        count += count_hops(config->instances->static_routes, config->instances->static_route_count);
    for (unsigned p = 0; p < settings_all_count(&config->core); p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            const struct config_router *router = config->pools[p].units[u].router;

            if (router)
                count += count_hops(router->routes, router->route_count);
        }
    }
    return count;
}

unsigned state_link_named(const struct state *state, const char *name)
{
    unsigned i = 0;

    while (i < state->link_count && strcmp(state->links[i].name, name) != 0)
        i++;
    return i;
}

static unsigned add_link(struct state *state, const char *name)
{
    unsigned link = state_link_named(state, name);

    if (link == state->link_count) {
        snprintf(state->links[link].name, sizeof(state->links[link].name), "%s", name);
        state->links[link].parent = link;
        state->link_count++;
    }
    return link;
}

unsigned state_add_macvlan(struct state *state, unsigned parent, const char *name)
{
    unsigned link = state_link_named(state, name);

    if (link < state->link_count)
        return STATE_NO_LINK;
    add_link(state, name);
    state->links[link].parent = parent;
    return link;
}

static void add_hops(struct state *state, const struct net_route *routes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned h = 0; h < routes[i].hop_count; h++)
            if (routes[i].hops[h].device)
                (void)add_link(state, routes[i].hops[h].device);
}

static void fill_links(struct state *state, const struct config *config)
{
    for (unsigned i = 0; i < config->core.link_count; i++)
        (void)add_link(state, config->links[i]);
    if (config->instances)
        add_hops(state, config->instances->static_routes, config->instances->static_route_count);
    for (unsigned p = 0; p < settings_all_count(&config->core); p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            const struct config_router *router = config->pools[p].units[u].router;

            if (router)
                add_hops(state, router->routes, router->route_count);
        }
    }
}

/* A static address that is a VIP too would be two things at once: it is the VIP. */
static bool is_there_already(const struct state *state, const struct state_vip *vip)
{
    for (unsigned i = 0; i < state->vip_count; i++)
        if (state_compare(state->vips[i].link, &state->vips[i].address, vip->link, &vip->address) == 0)
            return true;
    return false;
}

static void fill_statics(struct state *state, const struct config *config)
{
    for (unsigned i = 0; i < static_count(config); i++) {
        const struct net_address *options = &config->instances->static_addresses[i];
        unsigned link = add_link(state, options->device);
        const struct state_vip vip = {
            .address = options->address,
            .configured_prefix = options->prefix_length,
            .prefix_length = options->prefix_length,
            .stray_prefix = STATE_NO_PREFIX,
            .misplaced_prefix = STATE_NO_PREFIX,
            .link = (uint16_t)link,
            .place = (uint16_t)link,
            .pool = STATE_STATIC,
            .unit = (uint16_t)i,
            .options = options,
        };

        if (!is_there_already(state, &vip))
            state->vips[state->vip_count++] = vip;
    }
}

static void fill_unit(struct state *state, const struct config_unit *unit, unsigned pool, unsigned index)
{
    for (unsigned v = 0; v < unit->vip_count; v++)
        state->vips[state->vip_count++] = (struct state_vip){
            .address = unit->vips[v].address,
            .configured_prefix = unit->vips[v].prefix_length,
            .prefix_length = unit->vips[v].prefix_length,
            .stray_prefix = STATE_NO_PREFIX,
            .misplaced_prefix = STATE_NO_PREFIX,
            .link = unit->vips[v].link,
            .place = unit->vips[v].link,
            .pool = (uint8_t)pool,
            .unit = (uint16_t)index,
            .options = unit->vips[v].options,
        };
}

static void fill_vips(struct state *state, const struct config *config)
{
    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            fill_unit(state, &config->pools[p].units[u], p, u);
    fill_statics(state, config);
    for (unsigned i = 0; i < state->vip_count; i++)
        state->order[i] = i;
    qsort_r(state->order, state->vip_count, sizeof(*state->order), compare_order, state->vips);
}

int state_init(struct state *state, const struct config *config)
{
    unsigned vips = count_vips(config);

    *state = (struct state){.routes_changed = true};
    state->links = calloc(config->core.link_count + count_names(config) + vips + 1, sizeof(*state->links));
    state->vips = calloc(vips + 1, sizeof(*state->vips));
    state->order = calloc(vips + 1, sizeof(*state->order));
    state->seen = calloc(vips + 1, sizeof(*state->seen));
    if (!state->links || !state->vips || !state->order || !state->seen) {
        state_free(state);
        return -ENOMEM;
    }
    fill_links(state, config);
    fill_vips(state, config);
    return 0;
}

void state_free(struct state *state)
{
    for (unsigned i = 0; state->links && i < state->link_count; i++)
        free(state->links[i].own);
    free(state->links);
    free(state->vips);
    free(state->order);
    free(state->seen);
    *state = (struct state){0};
}
