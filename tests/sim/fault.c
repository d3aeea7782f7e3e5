/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults at random, one after another and over each other, after the weights of the profile; each ends by itself, and
 * all end when the safety phase does. Called by run.c and by scenarios.
 */
#include "sim.h"

/* Short, about as long as a lease and a death, or seconds: what matters happens near the limits. */
static int64_t fault_duration(struct world *w)
{
    switch (prng_below(&w->prng, 4)) {
    case 0:
        return world_random(w, US_PER_MS, 50 * US_PER_MS);
    case 1:
        return world_random(w, w->member_us, 4 * w->member_us);
    case 2:
        return world_random(w, w->lease_us - 20 * US_PER_MS, 3 * w->member_us + 20 * US_PER_MS);
    default:
        return world_random(w, US_PER_S, 6 * US_PER_S);
    }
}

static int64_t fault_long_duration(struct world *w)
{
    return world_chance(w, 30) ? fault_duration(w) : world_random(w, US_PER_S, 10 * US_PER_S);
}

/* A host that is up, or SIM_NONE after some tries. */
static unsigned fault_pick_host(struct world *w)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        unsigned node = (unsigned)prng_below(&w->prng, w->host_count);
        if (host_is_up(&w->hosts[node]) && !w->hosts[node].leaving) {
            return node;
        }
    }
    return SIM_NONE;
}

static void fault_add(struct world *w, enum fault_kind kind, unsigned a, unsigned b, int64_t duration_us)
{
    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        if (!w->faults[i].active) {
            w->faults[i] = (struct fault){.active = true, .kind = (uint8_t)kind, .a = (uint8_t)a, .b = (uint8_t)b};
            world_at(w, w->now_us + duration_us, SIM_FAULT_END, SIM_NONE, i, 0);
            return;
        }
    }
}

static bool fault_has_room(const struct world *w)
{
    unsigned active = 0;

    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        active += w->faults[i].active ? 1 : 0;
    }
    return active < FAULTS_MAX;
}

static void fault_begin_pause(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    int64_t us = fault_duration(w);
    bool freeze = world_chance(w, 50);

    if (world_chance(w, 40)) { /* somewhere within its next step that does anything */
        h->pause_midway = true;
        h->pause_us = us;
        h->pause_freezes_kernel = freeze;
        return;
    }
    host_pause(w, node, freeze);
    world_at(w, w->now_us + us, SIM_RESUME, node, 0, h->generation);
}

static void fault_begin_partition(struct world *w)
{
    unsigned islands = world_chance(w, 70) ? 2 : 3;

    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        if (w->faults[i].active && w->faults[i].kind == FAULT_PARTITION) {
            return; /* one at a time */
        }
    }
    for (unsigned node = 0; node < SIM_NODES_MAX; node++) {
        w->lan.island[node] = (uint8_t)prng_below(&w->prng, islands);
    }
    w->lan.gateway_island = (uint8_t)prng_below(&w->prng, islands);
    trace_text(w, TRACE_FAULT, SIM_NONE, EFFECT_NO_UNIT, "partition, islands", islands, 0);
    fault_add(w, FAULT_PARTITION, 0, 0, fault_long_duration(w));
    lan_refresh(w);
}

static void fault_count(struct world *w, uint8_t *counter, const char *text, enum fault_kind kind, unsigned a,
                        unsigned b)
{
    (*counter)++;
    trace_text(w, TRACE_FAULT, a, EFFECT_NO_UNIT, text, b, 0);
    fault_add(w, kind, a, b, fault_long_duration(w));
    lan_refresh(w);
}

static void fault_begin_stranger(struct world *w)
{
    unsigned node = SIM_STRANGER_FIRST + (unsigned)prng_below(&w->prng, SIM_STRANGERS_MAX);

    if (world_stranger(w, node)->running) {
        stranger_stop(w, node, world_chance(w, 50));
    } else {
        stranger_start(w, node);
    }
}

static void fault_begin_command(struct world *w, enum fault_kind kind, unsigned node)
{
    unsigned unit = (unsigned)prng_below(&w->prng, w->unit_count);

    if (kind == FAULT_DRAIN) {
        host_command(w, node, EVENT_DRAIN, 0, 0, world_chance(w, 50));
        fault_add(w, FAULT_DRAIN, node, 0, fault_long_duration(w));
    } else if (kind == FAULT_TAKE) {
        host_command(w, node, EVENT_TAKE, unit, 0, false);
    } else if (kind == FAULT_RELEASE) {
        host_command(w, node, EVENT_RELEASE, unit, 0, false);
    } else if (kind == FAULT_TRACK) {
        bool fault = world_chance(w, 50);
        routers_track(w, node, unit, fault, fault ? 0 : (int)world_random(w, -60, 60));
        fault_add(w, FAULT_TRACK, node, unit, fault_long_duration(w));
    } else if (kind == FAULT_SHARE) {
        unsigned share = world_chance(w, 15) ? (unsigned)world_random(w, 0, 1) : (unsigned)world_random(w, 2, 254);
        host_command(w, node, EVENT_SHARE, 0, share, false);
    } else {
        host_command(w, node, EVENT_REBALANCE, 0, 0, false);
    }
}

/* Half the time back to the world's own, so that hosts agree now and then. */
static void fault_begin_reload(struct world *w, unsigned node)
{
    struct edition edition = {.skip = 0};

    if (world_chance(w, 50)) {
        edition.skip = (uint8_t)world_random(w, 0, 5);
        edition.fast_members = world_chance(w, 40);
        edition.fast_units = world_chance(w, 40);
        if (w->profile->renumbers) {
            edition.renumbered = (uint8_t)world_random(w, 0, 5);
        }
    }
    host_reload(w, node, &edition);
}

static void fault_begin_on_host(struct world *w, enum fault_kind kind, unsigned node)
{
    unsigned other = (node + 1 + (unsigned)prng_below(&w->prng, SIM_HOSTS_MAX)) % w->host_count;

    switch (kind) {
    case FAULT_CRASH:
        host_crash(w, node);
        fault_add(w, kind, node, 0, fault_duration(w));
        break;
    case FAULT_PAUSE:
        fault_begin_pause(w, node);
        break;
    case FAULT_CUT:
        fault_count(w, &w->lan.cut[node], "cut off", kind, node, 0);
        break;
    case FAULT_LINK:
    case FAULT_SECOND_LINK:
        host_set_link(w, node, kind == FAULT_LINK ? 0 : 1, false);
        fault_add(w, kind, node, 0, fault_long_duration(w));
        break;
    case FAULT_ONE_WAY:
        fault_count(w, &w->lan.blocked[node][other], "is not heard by", kind, node, other);
        break;
    case FAULT_DEAF:
        fault_count(w, &w->lan.deaf[node], "deaf", kind, node, 0);
        break;
    case FAULT_MUTE:
        fault_count(w, &w->lan.mute[node], "mute", kind, node, 0);
        break;
    case FAULT_LEAVE:
        host_command(w, node, EVENT_LEAVE, 0, 0, false);
        fault_add(w, kind, node, 0, fault_duration(w));
        break;
    case FAULT_DRAIN:
    case FAULT_TAKE:
    case FAULT_RELEASE:
    case FAULT_SHARE:
    case FAULT_REBALANCE:
    case FAULT_TRACK:
        fault_begin_command(w, kind, node);
        break;
    case FAULT_RELOAD:
        fault_begin_reload(w, node);
        break;
    case FAULT_PARTITION:
    case FAULT_STRANGER:
    case FAULT_GATEWAY:
    case FAULT_KIND_COUNT:
        break;
    }
}

void fault_begin(struct world *w, enum fault_kind kind)
{
    if (kind == FAULT_PARTITION) {
        fault_begin_partition(w);
    } else if (kind == FAULT_STRANGER) {
        fault_begin_stranger(w);
    } else if (kind == FAULT_GATEWAY) {
        w->lan.gateway_up = false;
        fault_add(w, kind, 0, 0, fault_long_duration(w));
    } else {
        unsigned node = fault_pick_host(w);
        if (node != SIM_NONE) {
            fault_begin_on_host(w, kind, node);
        }
    }
}

void fault_next(struct world *w)
{
    unsigned total = 0;

    if (!w->safety) {
        return;
    }
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        total += w->profile->weight[kind];
    }
    unsigned pick = (unsigned)prng_below(&w->prng, total);
    unsigned kind = 0;
    while (pick >= w->profile->weight[kind]) {
        pick -= w->profile->weight[kind++];
    }
    if (fault_has_room(w)) {
        fault_begin(w, (enum fault_kind)kind);
    }
    int64_t mean_us = w->profile->fault_every_us;
    world_at(w, w->now_us + world_random(w, mean_us / 5, mean_us * 9 / 5), SIM_FAULT, SIM_NONE, 0, 0);
}

static void fault_end_leave(struct world *w, unsigned node)
{
    if (w->hosts[node].state == HOST_RUNNING) { /* still leaving: people get impatient */
        host_crash(w, node);
    }
    host_start(w, node);
}

static void fault_end_partition(struct world *w)
{
    for (unsigned node = 0; node < SIM_NODES_MAX; node++) {
        w->lan.island[node] = 0;
    }
    w->lan.gateway_island = 0;
}

void fault_end(struct world *w, unsigned index)
{
    struct fault f = w->faults[index];

    if (!f.active) {
        return;
    }
    w->faults[index].active = false;
    trace_text(w, TRACE_FAULT, f.a, EFFECT_NO_UNIT, "fault ends, kind", f.kind, f.b);
    switch ((enum fault_kind)f.kind) {
    case FAULT_CRASH:
        host_start(w, f.a);
        break;
    case FAULT_LEAVE:
        fault_end_leave(w, f.a);
        break;
    case FAULT_PARTITION:
        fault_end_partition(w);
        break;
    case FAULT_CUT:
        w->lan.cut[f.a]--;
        break;
    case FAULT_LINK:
    case FAULT_SECOND_LINK:
        host_set_link(w, f.a, f.kind == FAULT_LINK ? 0 : 1, true);
        break;
    case FAULT_ONE_WAY:
        w->lan.blocked[f.a][f.b]--;
        break;
    case FAULT_DEAF:
        w->lan.deaf[f.a]--;
        break;
    case FAULT_MUTE:
        w->lan.mute[f.a]--;
        break;
    case FAULT_DRAIN:
        host_command(w, f.a, EVENT_UNDRAIN, 0, 0, false);
        break;
    case FAULT_GATEWAY:
        w->lan.gateway_up = true;
        break;
    case FAULT_TRACK:
        routers_track(w, f.a, f.b, false, 0);
        break;
    case FAULT_PAUSE:
    case FAULT_TAKE:
    case FAULT_RELEASE:
    case FAULT_SHARE:
    case FAULT_REBALANCE:
    case FAULT_STRANGER:
    case FAULT_RELOAD:
    case FAULT_KIND_COUNT:
        break;
    }
    lan_refresh(w);
}

static const struct edition the_worlds_own;

void fault_stop_all(struct world *w)
{
    w->safety = false;
    w->lan.loss_ppm = 0;
    w->kernel.slow_ppm = 0;
    w->kernel.stuck_ppm = 0;
    w->kernel.fail_ppm = 0;
    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        fault_end(w, i);
    }
    for (unsigned node = 0; node < w->host_count; node++) {
        host_resume(w, node);
        if (w->profile->weight[FAULT_RELOAD] > 0) {
            host_reload(w, node, &the_worlds_own);
        }
        host_start(w, node);
        if (w->hosts[node].share == 0) {
            host_command(w, node, EVENT_SHARE, 0, 100, false);
        }
    }
    w->faults_over_us = w->now_us;
    trace_text(w, TRACE_FAULT, SIM_NONE, EFFECT_NO_UNIT, "all faults are over", 0, 0);
}

void fault_leave_one_broken(struct world *w)
{
    unsigned node = fault_pick_host(w);

    if (node == SIM_NONE || w->host_count < 3) {
        return;
    }
    w->hosts[node].out = true;
    uint64_t kind = prng_below(&w->prng, 4);
    trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "stays broken, kind", (int64_t)kind, 0);
    if (kind == 0) {
        host_crash(w, node);
        oracle_ignore(w, node);
    } else if (kind == 1) {
        host_pause(w, node, false);
        oracle_ignore(w, node);
    } else if (kind == 2) {
        w->lan.cut[node]++;
        oracle_ignore(w, node);
        lan_refresh(w);
    } else {
        w->hosts[node].kernel.broken = true;
    }
}
