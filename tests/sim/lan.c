/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The segment: who reaches whom, and how late, how often and in which order packets arrive. Also the third party (the
 * gateway) that answers probes. Owns the packets in flight. Called by host.c and stranger.c to send, by fault.c to
 * break.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

#define GATEWAY_ROUND_TRIP_US 300
#define BACKGROUND_US US_PER_S

static void packets_grow(struct packets *p)
{
    uint32_t old = p->capacity;

    p->capacity = old == 0 ? 1024 : old * 2;
    p->list = realloc(p->list, p->capacity * sizeof(*p->list));
    CHECK(p->list != NULL);
    for (uint32_t i = old; i < p->capacity; i++) {
        p->list[i].next_free = i + 1 < p->capacity ? i + 1 : UINT32_MAX;
    }
    p->free_head = old;
}

static uint32_t packet_new(struct packets *p, const uint8_t *bytes, size_t length)
{
    CHECK(length <= SIM_PACKET_MAX);
    if (p->free_head == UINT32_MAX || p->capacity == 0) {
        packets_grow(p);
    }
    uint32_t index = p->free_head;
    struct packet *packet = &p->list[index];

    p->free_head = packet->next_free;
    packet->length = (uint16_t)length;
    packet->references = 1;
    memcpy(packet->bytes, bytes, length);
    return index;
}

void packet_release(struct packets *packets, uint32_t index)
{
    struct packet *packet = &packets->list[index];

    CHECK(packet->references > 0);
    if (--packet->references == 0) {
        packet->next_free = packets->free_head;
        packets->free_head = index;
    }
}

void lan_init(struct world *w)
{
    const struct profile *profile = w->profile;

    w->lan = (struct lan){
        .delay_min_us = profile->delay_min_us,
        .delay_max_us = profile->delay_max_us,
        .duplicate_ppm = profile->duplicate_ppm,
        .echo_ppm = profile->echo_ppm,
        .fifo = !profile->reorder,
        .gateway_up = true,
        .one_way_until_us = SIM_LONG_AGO,
    };
    for (unsigned a = 0; a < SIM_NODES_MAX; a++) {
        for (unsigned b = 0; b < SIM_NODES_MAX; b++) {
            w->lan.lost_us[a][b] = SIM_LONG_AGO;
            w->lan.mended_us[a][b] = SIM_LONG_AGO;
            w->lan.reach[a][b] = a != b;
        }
    }
}

static bool lan_is_attached(const struct world *w, unsigned node)
{
    return w->lan.cut[node] == 0 && (!world_is_host(node) || w->hosts[node].link_up[0]);
}

static bool lan_reaches(const struct world *w, unsigned from, unsigned to)
{
    const struct lan *lan = &w->lan;

    return from != to && lan_is_attached(w, from) && lan_is_attached(w, to) && lan->island[from] == lan->island[to] &&
           lan->mute[from] == 0 && lan->deaf[to] == 0 && lan->blocked[from][to] == 0;
}

void lan_refresh(struct world *w)
{
    struct lan *lan = &w->lan;
    bool one_way = false;

    for (unsigned a = 0; a < SIM_NODES_MAX; a++) {
        for (unsigned b = 0; b < SIM_NODES_MAX; b++) {
            bool before = lan->reach[a][b];
            lan->reach[a][b] = lan_reaches(w, a, b);
            if (lan->reach[a][b] && !before) {
                lan->mended_us[a][b] = w->now_us;
                lan->mended_us[b][a] = w->now_us;
            }
            one_way = one_way || lan_reaches(w, a, b) != lan_reaches(w, b, a);
        }
    }
    if (lan->one_way && !one_way) {
        lan->one_way_until_us = w->now_us;
    }
    lan->one_way = one_way;
    oracle_recheck(w);
}

static void lan_deliver(struct world *w, unsigned from, unsigned to, uint32_t packet)
{
    struct lan *lan = &w->lan;
    int64_t at_us = w->now_us + world_random(w, lan->delay_min_us, lan->delay_max_us);

    if (lan->fifo && at_us < lan->last_arrival_us[from][to]) {
        at_us = lan->last_arrival_us[from][to];
    }
    lan->last_arrival_us[from][to] = at_us;
    w->packet_store.list[packet].references++;
    world_at(w, at_us, SIM_ARRIVE, to, from, packet);
}

static bool lan_is_lost(struct world *w, unsigned from, unsigned to)
{
    if (w->lan.loss_ppm == 0 || !prng_chance_ppm(&w->prng, w->lan.loss_ppm)) {
        return false;
    }
    w->lan.lost_us[from][to] = w->now_us;
    trace_add(w, TRACE_DROP, from, EFFECT_NO_UNIT, to, 0);
    return true;
}

static bool lan_listens(const struct world *w, unsigned node)
{
    if (world_is_host(node)) {
        return node < w->host_count && w->hosts[node].state == HOST_RUNNING;
    }
    return w->strangers[node - SIM_STRANGER_FIRST].running;
}

void lan_send(struct world *w, unsigned from, const uint8_t *bytes, size_t length)
{
    uint32_t packet = packet_new(&w->packet_store, bytes, length);

    w->stats.packets++;
    for (unsigned to = 0; to < SIM_NODES_MAX; to++) {
        if (!w->lan.reach[from][to] || !lan_listens(w, to) || lan_is_lost(w, from, to)) {
            continue;
        }
        lan_deliver(w, from, to, packet);
        if (w->lan.duplicate_ppm != 0 && prng_chance_ppm(&w->prng, w->lan.duplicate_ppm)) {
            lan_deliver(w, from, to, packet);
        }
    }
    if (w->lan.echo_ppm != 0 && lan_is_attached(w, from) && prng_chance_ppm(&w->prng, w->lan.echo_ppm)) {
        lan_deliver(w, from, from, packet);
    }
    packet_release(&w->packet_store, packet);
}

void lan_arrive(struct world *w, const struct sim_event *event)
{
    uint32_t packet = event->value;

    if (world_is_host(event->node)) {
        host_receive(w, event->node, event->small, packet);
        return;
    }
    stranger_hear(w, event->node, w->packet_store.list[packet].bytes, w->packet_store.list[packet].length);
    packet_release(&w->packet_store, packet);
}

bool lan_hears_gateway(const struct world *w, unsigned node, bool both_ways)
{
    const struct lan *lan = &w->lan;

    return lan->gateway_up && lan_is_attached(w, node) && lan->island[node] == lan->gateway_island &&
           lan->deaf[node] == 0 && (!both_ways || lan->mute[node] == 0);
}

void lan_probe(struct world *w, unsigned node)
{
    if (!w->lan.gateway) {
        host_post(w, node, (struct item){.kind = ITEM_PROBE_IMPOSSIBLE});
    } else if (lan_hears_gateway(w, node, true)) {
        world_at(w, w->now_us + GATEWAY_ROUND_TRIP_US, SIM_HEARD, node, true, 0);
    }
}

void lan_background(struct world *w, unsigned node)
{
    if (w->hosts[node].state == HOST_RUNNING && lan_hears_gateway(w, node, false)) {
        host_post(w, node, (struct item){.kind = ITEM_HEARD, .received_us = w->now_us});
    }
    world_at(w, w->now_us + world_random(w, BACKGROUND_US / 2, BACKGROUND_US * 3 / 2), SIM_BACKGROUND, node, 0, 0);
}
