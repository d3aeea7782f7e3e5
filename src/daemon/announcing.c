/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker announces and how: a schedule for each pool and set (announce.h) from the configuration's values, and
 * the frames that it asks for. A pool's frames share one lane; those of instances one for each link and kind. It owns
 * the schedules. Called by worker.c, worker_turn.c and apply.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker.h"
#include "platform/frame.h"

#define ANNOUNCE_BUDGET 128 /* frames per pool and turn: then advertisements have their turn again */

static struct announce_unit_settings pool_settings_of(const struct config_pool *pool, unsigned unit)
{
    struct announce_plan plan = {.repeat = pool->garp_repeat, .delay_us = pool->garp_delay_us, .delayed_repeat = 1};

    return (struct announce_unit_settings){.taken = plan,
                                           .contested = plan,
                                           .refresh_us = pool->garp_refresh_us,
                                           .refresh_repeat = 1,
                                           .address_count = pool->units[unit].vip_count};
}

/* A delayed burst is as long as the first one. */
static struct announce_unit_settings instance_settings_of(const struct config_unit *unit, const uint8_t *lanes)
{
    const struct config_garp *garp = &unit->router->garp;
    unsigned repeat = (unsigned)garp->repeat, lower = (unsigned)garp->lower_repeat;

    return (struct announce_unit_settings){
        .taken = {.repeat = repeat, .delay_us = garp->delay_us, .delayed_repeat = repeat},
        .contested = {.repeat = lower, .delay_us = garp->lower_delay_us, .delayed_repeat = lower},
        .refresh_us = garp->refresh_us,
        .refresh_repeat = (unsigned)garp->refresh_repeat,
        .paced = true,
        .address_count = unit->vip_count,
        .lanes = lanes,
    };
}

static uint8_t lane_number(const struct config_vip *vip)
{
    return (uint8_t)(2 * vip->link + (vip->address.family == FAMILY_IPV6));
}

static unsigned count_vips(const struct config_pool *pool, unsigned unit_count)
{
    unsigned count = 0;

    for (unsigned u = 0; u < unit_count; u++)
        count += pool->units[u].vip_count;
    return count;
}

/* What an announcer is made of. */
struct parts {
    struct announce_unit_settings units[PLAN_UNITS_MAX];
};

/* A set's lanes: ARP and neighbour discovery of each link. */
static int describe_set(const struct config *config, unsigned index, struct worker_pool *pool, struct parts *parts)
{
    const struct config_pool *set = &config->pools[index];
    unsigned unit_count = config->core.pools[index].unit_count;
    uint8_t *number = calloc(count_vips(set, unit_count) + 1, sizeof(*number));

    pool->lane_numbers = number;
    pool->lanes = calloc(2u * config->core.link_count, sizeof(pool->lanes[0]));
    if (number == NULL || pool->lanes == NULL)
        return -ENOMEM;
    for (unsigned link = 0; link < config->core.link_count; link++) {
        pool->lanes[2 * link].interval_us = config->instances->paces[link].arp_us;
        pool->lanes[2 * link + 1].interval_us = config->instances->paces[link].na_us;
        pool->lanes[2 * link].until = pool->lanes[2 * link + 1].until = ANNOUNCE_LANE_FREE;
    }
    for (unsigned u = 0; u < unit_count; u++) {
        parts->units[u] = instance_settings_of(&set->units[u], number);
        for (unsigned v = 0; v < set->units[u].vip_count; v++)
            *number++ = lane_number(&set->units[u].vips[v]);
    }
    return 0;
}

static int describe_pool(const struct config *config, unsigned index, struct worker_pool *pool, struct parts *parts)
{
    const struct config_pool *more = &config->pools[index];

    pool->lanes = calloc(1, sizeof(pool->lanes[0]));
    if (pool->lanes == NULL)
        return -ENOMEM;
    pool->lanes[0] = (struct announce_lane){.interval_us = more->garp_interval_us, .until = ANNOUNCE_LANE_FREE};
    for (unsigned u = 0; u < config->core.pools[index].unit_count; u++)
        parts->units[u] = pool_settings_of(more, u);
    return 0;
}

int announcing_make(const struct config *config, unsigned index, struct worker_pool *pool)
{
    struct parts *parts = calloc(1, sizeof(*parts));
    int error = -ENOMEM;

    if (parts == NULL)
        return -ENOMEM;
    if (index < config->core.pool_count)
        error = describe_pool(config, index, pool, parts);
    else
        error = describe_set(config, index, pool, parts);
    if (error == 0) {
        pool->announce = announce_new(parts->units, config->core.pools[index].unit_count, pool->lanes);
        error = pool->announce != NULL ? 0 : -ENOMEM;
    }
    free(parts);
    return error;
}

void announcing_free(struct worker_pool *pool)
{
    announce_free(pool->announce);
    free(pool->lane_numbers);
    free(pool->lanes);
}

struct mono announcing_deadline(const struct worker *worker)
{
    struct mono next = MONO_NEVER;

    for (unsigned p = 0; p < settings_all_count(&worker->config->core); p++)
        next = mono_min(next, announce_deadline(worker->pools[p].announce));
    return next;
}

/* --- frames --- */

struct announcing {
    struct worker *worker;
    unsigned pool;
    struct mono now;
};

/* The MAC that answers for the address. */
static void answering_mac(const struct worker *worker, unsigned pool, unsigned unit, const struct config_vip *vip,
                          uint8_t mac[static 6])
{
    const struct unit_settings *settings = &worker->config->core.pools[pool].units[unit];
    const struct config_router *router = worker->config->pools[pool].units[unit].router;
    bool everywhere = router == NULL || router->vmac_others || vip->link == settings->link ||
                      (vip->options != NULL && vip->options->use_vmac);

    memcpy(mac, worker->links[vip->link].state.mac, 6);
    if (worker->pools[pool].vmac == KERNEL_VMAC_NONE || worker->pools[pool].own_macs[unit].is ||
        (router != NULL && !router->use_vmac) || !everywhere)
        return;
    if (router != NULL)
        memcpy(mac, router->vmac, 6);
    else
        wire_virtual_mac((enum family)vip->address.family, settings->vrid, mac);
}

/* A frame for one address of a unit, on the link that has it. */
static void emit_announcement(void *context, unsigned unit, unsigned address)
{
    const struct announcing *announcing = context;
    struct worker *worker = announcing->worker;
    const struct config_vip *vip = &worker->config->pools[announcing->pool].units[unit].vips[address];
    struct worker_link *link = &worker->links[vip->link];
    uint8_t frame[FRAME_MAX];
    uint8_t mac[6];
    size_t length;

    if (link->port == NULL)
        return;
    answering_mac(worker, announcing->pool, unit, vip, mac);
    if (vip->address.family == FAMILY_IPV4)
        length = frame_gratuitous_arp(mac, &vip->address, frame, sizeof(frame));
    else
        length = frame_unsolicited_na(mac, &vip->address, true, frame, sizeof(frame));
    if (length == 0)
        return;
    packet_queue(link->port, frame, length);
    worker->queued_since = mono_min(worker->queued_since, announcing->now);
}

void announcing_run(struct worker *worker, struct mono now)
{
    for (unsigned p = 0; p < settings_all_count(&worker->config->core); p++) {
        struct announcing announcing = {.worker = worker, .pool = p, .now = now};

        if (mono_due(now, announce_deadline(worker->pools[p].announce)))
            announce_run(worker->pools[p].announce, now, ANNOUNCE_BUDGET, emit_announcement, &announcing);
    }
}
