/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world: its clock, its queue, its hosts' settings; made from a profile and a seed, or by a scenario by hand. Also
 * the place where queued events go to whom they concern.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "sim.h"

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    w->trace.live_unit = -1;
    return w;
}

static void world_free_hosts(struct world *w)
{
    for (unsigned i = 0; i < SIM_HOSTS_MAX; i++) {
        free(w->hosts[i].storage);
        free(w->hosts[i].other_storage);
        free(w->hosts[i].effects.list);
        w->hosts[i] = (struct host){0};
    }
}

void world_free(struct world *w)
{
    world_free_hosts(w);
    queue_free(&w->queue);
    free(w->packet_store.list);
    free(w);
}

int64_t world_random(struct world *w, int64_t low, int64_t high)
{
    return low >= high ? low : prng_between(&w->prng, low, high);
}

bool world_chance(struct world *w, unsigned percent)
{
    return prng_below(&w->prng, 100) < percent;
}

struct stranger *world_stranger(struct world *w, unsigned node)
{
    return &w->strangers[node - SIM_STRANGER_FIRST];
}

uint8_t world_node_of(const struct world *w, const struct addr *a)
{
    for (unsigned i = 0; i < w->host_count; i++) {
        if (addr_equal(a, &w->hosts[i].ipv4) || addr_equal(a, &w->hosts[i].ipv6)) {
            return (uint8_t)i;
        }
    }
    for (unsigned i = 0; i < SIM_STRANGERS_MAX; i++) {
        if (w->strangers[i].present && addr_equal(a, &w->strangers[i].address)) {
            return (uint8_t)(SIM_STRANGER_FIRST + i);
        }
    }
    return SIM_NONE;
}

void world_at(struct world *w, int64_t at_us, enum sim_event_kind kind, unsigned node, unsigned small, uint32_t value)
{
    queue_push(
        &w->queue,
        (struct sim_event){
            .at_us = at_us, .kind = (uint8_t)kind, .node = (uint8_t)node, .small = (uint16_t)small, .value = value});
}

static void world_dispatch_host(struct world *w, const struct sim_event *e)
{
    struct host *h = &w->hosts[e->node];

    if (e->kind == SIM_LINK && h->state == HOST_RUNNING && h->generation == e->value) {
        host_post(w, e->node,
                  (struct item){.kind = ITEM_LINK, .link = (uint8_t)e->small, .flag = h->link_up[e->small]});
    } else if (e->kind == SIM_HEARD && h->state == HOST_RUNNING) {
        host_post(w, e->node, (struct item){.kind = ITEM_HEARD, .received_us = w->now_us, .flag = e->small != 0});
    } else if (e->kind == SIM_RESUME && h->generation == e->value && !h->out) {
        host_resume(w, e->node);
    }
}

static void world_dispatch(struct world *w, const struct sim_event *e)
{
    switch ((enum sim_event_kind)e->kind) {
    case SIM_WAKE:
        host_wake(w, e->node);
        break;
    case SIM_ARRIVE:
        lan_arrive(w, e);
        break;
    case SIM_KERNEL:
        kernel_stage(w, e->node);
        break;
    case SIM_LEASE:
        kernel_lease_event(w, e->node, e->small);
        break;
    case SIM_HEARD:
    case SIM_LINK:
    case SIM_RESUME:
        world_dispatch_host(w, e);
        break;
    case SIM_BACKGROUND:
        lan_background(w, e->node);
        break;
    case SIM_START:
        host_start(w, e->node);
        break;
    case SIM_CLEANED:
        host_cleaned(w, e->node, e->value);
        break;
    case SIM_STRANGER:
        stranger_timer(w, e->node, e->value);
        break;
    case SIM_DUAL_LIMIT:
        oracle_dual_limit(w, e->small);
        break;
    case SIM_FAULT:
        fault_next(w);
        break;
    case SIM_FAULT_END:
        fault_end(w, e->small);
        break;
    case SIM_STOP:
        w->stopped = true;
        break;
    case SIM_EVENT_KIND_COUNT:
        break;
    }
}

void world_run_until(struct world *w, int64_t until_us)
{
    struct sim_event event;

    if (w->oracle.failed) {
        return;
    }
    w->stopped = false;
    world_at(w, until_us, SIM_STOP, SIM_NONE, 0, 0);
    while (!w->stopped && !w->oracle.failed && queue_pop(&w->queue, &event)) {
        w->stats.virtual_us += (uint64_t)(event.at_us - w->now_us);
        w->now_us = event.at_us;
        world_dispatch(w, &event);
    }
}

void world_run_for(struct world *w, int64_t us)
{
    world_run_until(w, w->now_us + us);
}

/* ---- making one ---- */

static int64_t world_pick(struct world *w, const int64_t *choices, unsigned count)
{
    return choices[prng_below(&w->prng, count)];
}

/* `count` distinct numbers of 1..255 in random order; */
static void world_draw_bytes(struct world *w, uint8_t *out, unsigned count, unsigned highest)
{
    uint8_t all[255];

    for (unsigned i = 0; i < highest; i++) {
        all[i] = (uint8_t)(i + 1);
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned j = i + (unsigned)prng_below(&w->prng, highest - i);
        uint8_t swap = all[i];
        all[i] = all[j];
        all[j] = swap;
        out[i] = all[i];
    }
}

static struct addr world_address(const struct world *w, uint8_t subnet, uint8_t last)
{
    if (w->family == FAMILY_IPV4) {
        return addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){10, 77, subnet, last});
    }
    return addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [13] = subnet, [15] = last});
}

static int world_compare_vrid(const void *a, const void *b)
{
    return (int)*(const uint8_t *)a - (int)*(const uint8_t *)b;
}

static void world_make_fancy(struct world *w, unsigned unit)
{
    struct unit_settings *s = &w->units[unit];

    if (world_chance(w, 30) && w->host_count > 2) {
        uint8_t order[255];
        s->eligible_count = (uint8_t)world_random(w, 2, w->host_count);
        world_draw_bytes(w, order, s->eligible_count, w->host_count);
        for (unsigned i = 0; i < s->eligible_count; i++) {
            const struct host *h = &w->hosts[order[i] - 1];
            w->eligible[unit][i] = w->family == FAMILY_IPV4 ? h->ipv4 : h->ipv6;
        }
    } else if (world_chance(w, 20)) {
        s->prefer_count = 1;
        const struct host *h = &w->hosts[prng_below(&w->prng, w->host_count)];
        w->prefer[unit][0] = w->family == FAMILY_IPV4 ? h->ipv4 : h->ipv6;
    }
    if (w->link_count > 1 && world_chance(w, 30)) {
        s->links = 3;
    }
}

void world_make_units(struct world *w, bool fancy)
{
    uint8_t vrids[255];

    world_draw_bytes(w, vrids, w->unit_count, 255);
    qsort(vrids, w->unit_count, 1, world_compare_vrid);
    memset(w->vrid_unit, 0xff, sizeof(w->vrid_unit));
    for (unsigned u = 0; u < w->unit_count; u++) {
        unsigned count = 0;
        if (w->family == FAMILY_IPV6) {
            w->unit_addresses[u][count++] = addr_virtual_link_local(vrids[u]);
        }
        w->unit_addresses[u][count++] = world_address(w, 1, vrids[u]);
        w->units[u] = (struct unit_settings){
            .vrid = vrids[u],
            .address_count = (uint8_t)count,
            .addresses = w->unit_addresses[u],
            .links = 1,
            .eligible = w->eligible[u],
            .prefer = w->prefer[u],
        };
        w->vrid_unit[vrids[u]] = (uint16_t)u;
        if (fancy) {
            world_make_fancy(w, u);
        }
    }
}

static void world_make_host(struct world *w, unsigned node, uint8_t last)
{
    struct host *h = &w->hosts[node];

    h->ipv4 = addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){10, 77, 0, last});
    h->ipv6 = addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0xfe, 0x80, [8] = 0x02, [15] = last});
    h->share = w->weighted ? (uint8_t)world_random(w, 20, 200) : 100;
    h->wake_us = SIM_NEVER;
    h->deadline_us = SIM_NEVER;
    for (unsigned link = 0; link < w->link_count; link++) {
        h->link_up[link] = true;
    }
}

static void world_configure_host(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    h->files[0].pool = (struct pool_settings){
        .name = "sim",
        .family = w->family,
        .version = w->version,
        .checksum = WIRE_CHECKSUM_AUTO,
        .share = h->share,
        .rebalance = w->rebalance,
        .isolation_check = true,
        .drop_when_isolated = w->profile->drop_isolated,
        .rebalance_moves = (uint16_t)w->rebalance_moves,
        .unit_count = (uint16_t)w->unit_count,
        .advert_interval_us = w->advert_us,
        .member_interval_us = w->member_us,
        .startup_delay_us = w->startup_us,
        .rebalance_interval_us = w->rebalance_us,
        .units = w->units,
    };
    h->files[0].settings =
        (struct core_settings){.pool_count = 1, .link_count = (uint8_t)w->link_count, .pools = &h->files[0].pool};
    if (w->routers) {
        routers_configure_host(w, node);
    }
    for (unsigned u = 0; u < SIM_UNITS_MAX; u++) {
        h->files[0].world_unit[u] = h->files[0].file_unit[u] = (uint16_t)u;
    }
    h->files[1] = h->files[0];
    h->files[1].settings.pools = &h->files[1].pool;
    w->lease_us = settings_lease_us(&h->files[0].pool);
    h->storage = malloc(core_storage_size(&h->files[0].settings));
    h->other_storage = malloc(core_storage_size(&h->files[0].settings));
    h->effects.capacity = effects_capacity(&h->files[0].settings);
    h->effects.list = calloc(h->effects.capacity, sizeof(*h->effects.list));
    CHECK(h->storage != NULL && h->other_storage != NULL && h->effects.list != NULL);
}

/* Addresses first, since units name hosts; then units; then settings, since they point to units. */
void world_make_hosts(struct world *w)
{
    uint8_t last[255];

    world_draw_bytes(w, last, w->host_count + SIM_STRANGERS_MAX, 254);
    for (unsigned i = 0; i < w->host_count; i++) {
        world_make_host(w, i, last[i]);
    }
    for (unsigned i = 0; i < SIM_STRANGERS_MAX; i++) {
        struct addr *a = &w->strangers[i].address;
        uint8_t byte = last[w->host_count + i];
        *a = w->family == FAMILY_IPV4
                 ? addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){10, 77, 0, byte})
                 : addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0xfe, 0x80, [8] = 0x02, [15] = byte});
        w->strangers[i].interval_us = w->advert_us;
    }
}

void world_configure(struct world *w)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        w->units[u].family = w->family;
        w->units[u].version = w->version;
        w->units[u].checksum = WIRE_CHECKSUM_AUTO;
        w->units[u].advert_interval_us = w->advert_us;
    }
    for (unsigned i = 0; i < w->host_count; i++) {
        world_configure_host(w, i);
    }
}

void world_clear(struct world *w, const struct profile *profile, uint64_t seed)
{
    struct queue queue = w->queue;
    struct packets packets = w->packet_store;
    struct stats stats = w->stats;
    FILE *report = w->report;
    bool live = w->trace.live;
    int live_unit = w->trace.live_unit;

    world_free_hosts(w);
    free(packets.list);
    memset(w, 0, sizeof(*w));
    queue_clear(&queue);
    w->queue = queue;
    w->packet_store.free_head = UINT32_MAX;
    w->stats = stats;
    w->report = report;
    w->trace.live = live;
    w->trace.live_unit = live_unit;
    w->profile = profile;
    w->seed = seed;
    w->prng = prng_seed(
        hash_finish(hash_add(hash_add(HASH_START, profile->name, strlen(profile->name)), &seed, sizeof(seed))));
    w->kernel = profile->kernel;
    w->jitter_us = profile->jitter_us;
    w->lease = !profile->lease_off;
    w->receive_limit = SIM_RECEIVE_MAX;
    w->link_count = 1;
    w->family = FAMILY_IPV4;
    w->version = 3;
    w->advert_us = US_PER_S;
    w->member_us = 250 * US_PER_MS;
    w->rebalance = true;
    w->rebalance_moves = 1;
    w->rebalance_us = US_PER_S;
    lan_init(w);
    oracle_init(w);
}

/* A member interval whose ranks are further apart than the LAN and the loops are late: a choice the manual explains. */
static int64_t world_pick_member_interval(struct world *w)
{
    static const int64_t choices[] = {250 * US_PER_MS, 250 * US_PER_MS, 250 * US_PER_MS, 250 * US_PER_MS,
                                      100 * US_PER_MS, 100 * US_PER_MS, 50 * US_PER_MS};
    int64_t us = world_pick(w, choices, sizeof(choices) / sizeof(choices[0]));

    return w->profile->delay_max_us + w->profile->jitter_us > US_PER_MS ? 250 * US_PER_MS : us;
}

static void world_pick_intervals(struct world *w)
{
    static const int64_t adverts[] = {US_PER_S, US_PER_S, US_PER_S, 500 * US_PER_MS, 200 * US_PER_MS, 100 * US_PER_MS};
    static const int64_t startups[] = {0, 0, 0, 500 * US_PER_MS, 2 * US_PER_S};
    static const int64_t rebalances[] = {200 * US_PER_MS, US_PER_S, US_PER_S};
    static const int64_t moves[] = {1, 1, 2, UINT16_MAX};
    bool only_second = w->version == 2 || w->unit_count > 100;

    w->advert_us = world_pick(w, adverts, only_second ? 1 : sizeof(adverts) / sizeof(adverts[0]));
    w->member_us = world_pick_member_interval(w);
    w->member_us = w->member_us < w->advert_us ? w->member_us : w->advert_us; /* as the configuration demands */
    w->startup_us = world_pick(w, startups, sizeof(startups) / sizeof(startups[0]));
    if (w->profile->quiet) { /* exact moves are promised where ranks are further apart than a kernel is late */
        w->advert_us = US_PER_S;
        w->member_us = 250 * US_PER_MS;
    }
    w->rebalance_us = world_pick(w, rebalances, sizeof(rebalances) / sizeof(rebalances[0]));
    w->rebalance_moves = (unsigned)world_pick(w, moves, sizeof(moves) / sizeof(moves[0]));
}

static void world_pick_strangers(struct world *w)
{
    for (unsigned i = 0; i < SIM_STRANGERS_MAX; i++) {
        struct stranger *s = &w->strangers[i];
        s->present = true;
        s->unit = (uint16_t)prng_below(&w->prng, w->unit_count);
        s->preempt = world_chance(w, 80);
        s->asserts = world_chance(w, 50);
        s->priority = (uint8_t)(!w->routers && world_chance(w, 10) ? 255 : world_random(w, 1, 254));
    }
}

void world_init(struct world *w, const struct profile *profile, uint64_t seed)
{
    world_clear(w, profile, seed);
    w->host_count = (unsigned)world_random(w, profile->hosts_min, profile->hosts_max);
    w->unit_count = (unsigned)world_random(w, profile->units_min, profile->units_max);
    w->family = profile->ipv6_only || world_chance(w, 20) ? FAMILY_IPV6 : FAMILY_IPV4;
    w->version = w->family == FAMILY_IPV4 && world_chance(w, 20) ? 2 : 3;
    w->link_count = profile->weight[FAULT_SECOND_LINK] > 0 ? 2 : 1;
    w->weighted = !profile->quiet && world_chance(w, 25);
    w->rebalance = profile->quiet || world_chance(w, 90);
    w->receive_limit = world_chance(w, 20) ? 64 : SIM_RECEIVE_MAX;
    w->lan.gateway = world_chance(w, 70);
    w->lan.background = world_chance(w, 50);
    w->lan.loss_ppm = (uint32_t)world_random(w, 0, profile->loss_ppm_max);
    world_pick_intervals(w);
    if (profile->routers) {
        routers_pick(w);
    }
    world_make_hosts(w);
    world_make_units(w, !profile->quiet && !profile->routers && world_chance(w, 30));
    world_configure(w);
    if (profile->weight[FAULT_STRANGER] > 0) {
        world_pick_strangers(w);
    }
    if (w->lan.background) {
        for (unsigned i = 0; i < w->host_count; i++) {
            world_at(w, world_random(w, 0, US_PER_S), SIM_BACKGROUND, i, 0, 0);
        }
    }
}
