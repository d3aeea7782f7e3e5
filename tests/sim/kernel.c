/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel of each host, as the daemon's second thread drives it (src/platform/kernel.h): wanted levels are
 * collected, one batch at a time is carried out late - closing first, then opening, then the arming of the lease - and
 * reported at its end. Levels that come meanwhile wait for the next batch; only the newest of a unit counts.
 *
 * The lease (doc/design.md 2.6): an element that ends by itself. Arming creates it, a member advertisement that leaves
 * renews it, but only while it has not ended. Whether a host answers is decided here and told to the oracle at every
 * change.
 */
#include <errno.h>

#include "sim.h"

bool kernel_answers(const struct world *w, unsigned node, unsigned unit)
{
    const struct kernel *k = &w->hosts[node].kernel;
    int64_t alive_until_us = w->routers ? k->units[unit].alive_until_us : k->alive_until_us;

    if (!w->lease) {
        return k->units[unit].level >= LEVEL_READY;
    }
    return k->units[unit].level == LEVEL_ANSWERING && alive_until_us > w->now_us;
}

static void kernel_tell_all(struct world *w, unsigned node)
{
    for (unsigned u = 0; u < w->unit_count; u++) {
        oracle_answer(w, node, u, kernel_answers(w, node, u));
    }
}

static void kernel_set_level(struct world *w, unsigned node, unsigned unit, uint8_t level, int error)
{
    trace_add(w, TRACE_KERNEL, node, unit, level, error);
    w->hosts[node].kernel.units[unit].level = level;
    oracle_answer(w, node, unit, kernel_answers(w, node, unit));
}

void kernel_want(struct world *w, unsigned node, unsigned unit, unsigned level, uint32_t sequence)
{
    struct kernel *k = &w->hosts[node].kernel;
    struct kernel_unit *u = &k->units[unit];

    u->wanted = (uint8_t)level;
    u->sequence = sequence;
    if (!u->dirty) {
        u->dirty = true;
        k->dirty[k->dirty_count++] = (uint8_t)unit;
    }
}

void kernel_arm(struct world *w, unsigned node, uint32_t sequence)
{
    w->hosts[node].kernel.arm_wanted = true;
    w->hosts[node].kernel.arm_sequence = sequence;
}

static int64_t kernel_batch_us(struct world *w)
{
    const struct kernel_profile *p = &w->kernel;

    if (p->stuck_ppm != 0 && prng_chance_ppm(&w->prng, p->stuck_ppm)) {
        return world_random(w, US_PER_MS, p->stuck_max_us);
    }
    if (p->slow_ppm != 0 && prng_chance_ppm(&w->prng, p->slow_ppm)) {
        return world_random(w, p->max_us, p->slow_max_us);
    }
    return world_random(w, p->min_us, p->max_us);
}

static void kernel_next_stage(struct world *w, unsigned node, enum kernel_stage stage, int64_t at_us)
{
    w->hosts[node].kernel.stage = (uint8_t)stage;
    world_at(w, at_us, SIM_KERNEL, node, 0, 0);
}

void kernel_commit(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct kernel *k = &h->kernel;

    if (k->stage != KERNEL_IDLE || (k->dirty_count == 0 && !k->arm_wanted)) {
        return;
    }
    k->batch_count = k->dirty_count;
    k->dirty_count = 0;
    for (unsigned i = 0; i < k->batch_count; i++) {
        struct kernel_unit *u = &k->units[k->dirty[i]];
        k->batch[i] = k->dirty[i];
        u->dirty = false;
        u->in_batch = true;
        u->batch_level = u->wanted;
        u->batch_sequence = u->sequence;
        u->failed = u->wanted > u->level &&
                    (k->broken || (w->kernel.fail_ppm != 0 && prng_chance_ppm(&w->prng, w->kernel.fail_ppm)));
    }
    k->batch_arm = k->arm_wanted;
    k->batch_arm_sequence = k->arm_sequence;
    k->arm_wanted = false;
    k->batch_generation = h->generation;

    int64_t total_us = kernel_batch_us(w) + k->batch_count * w->kernel.unit_us;
    int64_t opening_us = world_random(w, 0, total_us);
    k->stage_opening_us = w->now_us + opening_us;
    k->stage_end_us = w->now_us + total_us;
    kernel_next_stage(w, node, KERNEL_CLOSING, w->now_us + world_random(w, 0, opening_us));
}

static void kernel_watch_unit(struct world *w, unsigned node, unsigned unit)
{
    struct kernel_unit *u = &w->hosts[node].kernel.units[unit];

    if (!u->lease_watched) {
        u->lease_watched = true;
        world_at(w, u->alive_until_us, SIM_LEASE, node, unit, 0);
    }
}

/* An instance's filter opens with what is left of the lease since its last advertisement. */
static void kernel_open_router(struct world *w, unsigned node, unsigned unit)
{
    struct kernel_unit *u = &w->hosts[node].kernel.units[unit];
    int64_t until_us = u->spoke_us + w->lease_us;

    if (w->lease && until_us <= w->now_us) {
        u->failed = true;
        return;
    }
    u->alive_until_us = until_us;
    kernel_watch_unit(w, node, unit);
}

static void kernel_carry_out(struct world *w, unsigned node, bool opening)
{
    struct kernel *k = &w->hosts[node].kernel;

    for (unsigned i = 0; i < k->batch_count; i++) {
        struct kernel_unit *u = &k->units[k->batch[i]];
        bool changes = u->batch_level != u->level && (u->batch_level > u->level) == opening;
        if (changes && !u->failed && w->routers && u->batch_level == LEVEL_ANSWERING) {
            kernel_open_router(w, node, k->batch[i]);
        }
        if (changes && !u->failed) {
            kernel_set_level(w, node, k->batch[i], u->batch_level, 0);
        }
    }
}

static void kernel_watch_lease(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    if (!k->lease_watched) {
        k->lease_watched = true;
        world_at(w, k->alive_until_us, SIM_LEASE, node, 0, 0);
    }
}

static void kernel_carry_out_arm(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    trace_add(w, TRACE_ARMED, node, EFFECT_NO_UNIT, 0, 0);
    k->alive_until_us = w->now_us + settings_lease_us(&host_file(&w->hosts[node])->pool);
    kernel_watch_lease(w, node);
    if (w->lease) {
        kernel_tell_all(w, node);
    }
}

static void kernel_report(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct kernel *k = &h->kernel;
    bool wanted = h->state == HOST_RUNNING && h->generation == k->batch_generation;

    for (unsigned i = 0; i < k->batch_count; i++) {
        struct kernel_unit *u = &k->units[k->batch[i]];
        u->in_batch = false;
        if (wanted && !u->dirty) { /* dirty: a newer level replaced it, and only that one will be answered */
            host_post(w, node,
                      (struct item){.kind = ITEM_LEVEL_DONE,
                                    .unit = k->batch[i],
                                    .value = u->batch_sequence,
                                    .error = u->failed ? EIO : 0});
        }
    }
    if (k->batch_arm && wanted) {
        host_post(w, node, (struct item){.kind = ITEM_ARMED, .value = k->batch_arm_sequence});
    }
    k->batch_count = 0;
    k->batch_arm = false;
}

void kernel_stage(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    if (k->frozen) {
        k->deferred = true;
        return;
    }
    switch ((enum kernel_stage)k->stage) {
    case KERNEL_CLOSING:
        kernel_carry_out(w, node, false);
        kernel_next_stage(w, node, KERNEL_OPENING, k->stage_opening_us > w->now_us ? k->stage_opening_us : w->now_us);
        break;
    case KERNEL_OPENING:
        kernel_carry_out(w, node, true);
        kernel_next_stage(w, node, KERNEL_ENDING, k->stage_end_us > w->now_us ? k->stage_end_us : w->now_us);
        break;
    case KERNEL_ENDING:
        if (k->batch_arm) {
            kernel_carry_out_arm(w, node);
        }
        kernel_report(w, node);
        k->stage = KERNEL_IDLE;
        if (w->hosts[node].state == HOST_RUNNING) {
            kernel_commit(w, node);
        }
        break;
    case KERNEL_IDLE:
        break;
    }
}

void kernel_freeze(struct world *w, unsigned node, bool frozen)
{
    struct kernel *k = &w->hosts[node].kernel;

    k->frozen = frozen;
    if (!frozen && k->deferred) {
        k->deferred = false;
        world_at(w, w->now_us, SIM_KERNEL, node, 0, 0);
    }
}

void kernel_member_sent(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    if (w->hosts[node].link_up[0] && k->alive_until_us > w->now_us) {
        int64_t until_us = w->now_us + settings_lease_us(&host_file(&w->hosts[node])->pool);
        if (until_us < k->alive_until_us) { /* a reload made it shorter: the watch is set for later */
            world_at(w, until_us, SIM_LEASE, node, 0, 0);
        }
        k->alive_until_us = until_us;
    }
}

void kernel_unit_sent(struct world *w, unsigned node, unsigned unit)
{
    struct kernel_unit *u = &w->hosts[node].kernel.units[unit];

    u->spoke_us = w->now_us;
    if (u->level == LEVEL_ANSWERING && u->alive_until_us > w->now_us) {
        u->alive_until_us = w->now_us + w->lease_us;
    }
}

static void kernel_unit_lease_event(struct world *w, unsigned node, unsigned unit)
{
    struct kernel_unit *u = &w->hosts[node].kernel.units[unit];

    u->lease_watched = false;
    if (u->alive_until_us > w->now_us) {
        kernel_watch_unit(w, node, unit);
    } else if (w->lease) {
        oracle_answer(w, node, unit, kernel_answers(w, node, unit));
    }
}

void kernel_lease_event(struct world *w, unsigned node, unsigned unit)
{
    struct kernel *k = &w->hosts[node].kernel;

    if (w->routers) {
        kernel_unit_lease_event(w, node, unit);
        return;
    }
    k->lease_watched = false;
    if (k->alive_until_us > w->now_us) {
        kernel_watch_lease(w, node);
        return;
    }
    trace_add(w, TRACE_LEASE_END, node, EFFECT_NO_UNIT, 0, 0);
    if (w->lease) {
        kernel_tell_all(w, node);
    }
}

void kernel_crashed(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    for (unsigned i = 0; i < k->dirty_count; i++) {
        k->units[k->dirty[i]].dirty = false;
    }
    k->dirty_count = 0;
    k->arm_wanted = false;
    kernel_freeze(w, node, false); /* a system call under way ends, whatever became of its caller */
    k->batch_arm = false;
}

void kernel_clean(struct world *w, unsigned node)
{
    struct kernel *k = &w->hosts[node].kernel;

    k->alive_until_us = w->now_us;
    for (unsigned u = 0; u < w->unit_count; u++) {
        if (k->units[u].level != LEVEL_ABSENT) {
            kernel_set_level(w, node, u, LEVEL_ABSENT, 0);
        }
        k->units[u] = (struct kernel_unit){.spoke_us = SIM_LONG_AGO, .lease_watched = k->units[u].lease_watched};
    }
    k->batch_count = 0;
    k->dirty_count = 0;
    k->arm_wanted = false;
    k->batch_arm = false;
}
