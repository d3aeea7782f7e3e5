/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reloads as the daemon makes them (doc/design.md 2.11): what the new file does not have is retired, and when that is
 * gone, the kernel rests and all its reports are read, a new core takes over. Files differ from the world's by an
 * edition; units keep the world's numbers everywhere but inside a core.
 */
#include <string.h>

#include "base/check.h"
#include "sim.h"

unsigned host_world_unit(const struct host *h, unsigned unit)
{
    return unit < SIM_UNITS_MAX ? h->files[h->file].world_unit[unit] : unit;
}

static bool edition_has(const struct edition *edition, const struct unit_settings *unit)
{
    return edition->skip == 0 || unit->vrid % 5 != edition->skip - 1;
}

/* One that no unit of the world has: another one for each unit, the same in every edition. */
static uint8_t other_vrid(const struct world *w, unsigned unit)
{
    unsigned vrid = 0;

    for (unsigned skip = unit + 1; skip > 0;) {
        vrid++;
        skip -= w->vrid_unit[vrid] >= w->unit_count;
    }
    CHECK(vrid < 256);
    return (uint8_t)vrid;
}

/* In the whole hundredths that an advertisement can say. */
static int64_t half_us(int64_t us)
{
    return us / 2 / (10 * US_PER_MS) * (10 * US_PER_MS);
}

void reload_write(struct world *w, struct host *h, unsigned file, const struct edition *edition)
{
    struct host_file *f = &h->files[file];
    struct edition all = *edition;
    unsigned count = 0;

    for (unsigned u = 0; u < w->unit_count; u++) {
        count += edition_has(&all, &w->units[u]);
    }
    all.skip = count == 0 ? 0 : all.skip; /* a file has at least one unit */
    count = 0;
    for (unsigned u = 0; u < w->unit_count; u++) {
        f->file_unit[u] = SIM_UNITS_MAX;
        if (!edition_has(&all, &w->units[u])) {
            continue;
        }
        f->units[count] = w->units[u];
        if (all.renumbered != 0 && w->units[u].vrid % 5 == all.renumbered - 1) {
            f->units[count].vrid = other_vrid(w, u);
        }
        if (all.prefer != NULL && w->units[u].prefer_count > 0) {
            f->units[count].prefer = all.prefer;
        }
        f->world_unit[count] = (uint16_t)u;
        f->file_unit[u] = (uint16_t)count++;
    }
    f->pool.units = f->units;
    f->pool.unit_count = (uint16_t)count;
    /* Version 2 knows whole seconds only, and hosts that differ do not hear each other; shorter than 50 ms is a choice
     * that this world's LAN is not made for. */
    bool units = all.fast_units && w->version == 3 && w->advert_us >= 200 * US_PER_MS;
    f->pool.advert_interval_us = units ? half_us(w->advert_us) : w->advert_us;
    bool members = all.fast_members && w->member_us >= 100 * US_PER_MS;
    f->pool.member_interval_us = members ? half_us(w->member_us) : w->member_us;
    if (f->pool.member_interval_us > f->pool.advert_interval_us) {
        f->pool.member_interval_us = f->pool.advert_interval_us;
    }
    for (unsigned u = 0; u < count; u++) {
        f->units[u].advert_interval_us = f->pool.advert_interval_us;
    }
}

void reload_forget(struct host *h)
{
    h->reload_wanted = h->retiring = false;
}

void host_reload(struct world *w, unsigned node, const struct edition *edition)
{
    struct host *h = &w->hosts[node];

    trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "reload; without VRID % 5, fast", edition->skip - 1,
               edition->fast_members + 2 * edition->fast_units);
    h->edition = *edition;
    h->reload_wanted = h->state == HOST_RUNNING;
    if (host_is_up(h)) {
        host_wake_soon(w, node);
    }
}

static void reload_begin(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct host_file *old = host_file(h), *new = &h->files[1 - h->file];

    h->reload_wanted = false;
    h->retiring = true;
    reload_write(w, h, 1 - h->file, &h->edition);
    for (unsigned link = 0; link < w->link_count; link++) {
        h->handover.old_link[link] = (uint16_t)link;
    }
    handover_match(&old->settings, &new->settings, &h->handover);
    for (unsigned u = 0; u < old->pool.unit_count; u++) {
        if (handover_unit_heir(&h->handover, &new->settings, 0, u) == HANDOVER_NONE) {
            host_post(w, node,
                      (struct item){.kind = ITEM_COMMAND, .command = EVENT_RETIRE, .unit = old->world_unit[u]});
        }
    }
    host_wake_soon(w, node);
}

static bool kernel_rests(const struct host *h)
{
    return h->kernel.stage == KERNEL_IDLE && h->kernel.dirty_count == 0 && !h->kernel.arm_wanted;
}

static void reload_change_over(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct mono now = {w->now_us};
    void *storage = h->storage;
    const struct core *old = h->core;

    h->retiring = false;
    h->file = 1 - h->file;
    h->storage = h->other_storage;
    h->other_storage = storage;
    h->core = core_init(h->storage, &host_file(h)->settings, now);
    h->effects.count = 0;
    h->applied = 0;
    core_take_over(h->core, old, &h->handover, now, &h->effects);
    core_ask_again(h->core, &h->effects);
    core_check(h->core);
    h->deadline_us = SIM_NEVER;
    trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "has changed over", 0, 0);
    host_complete(w, node);
    host_wake_soon(w, node);
}

void reload_turn(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (h->leaving || w->oracle.failed) {
        return;
    }
    if (h->reload_wanted && !h->retiring) {
        reload_begin(w, node);
    }
    if (h->retiring && h->other_count == 0 && kernel_rests(h) && core_is_retired(h->core)) {
        reload_change_over(w, node);
    }
}
