/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pass owes to the loop: links before levels, restored addresses, then each order's end. A report that finds no
 * memory stays owed. Called by kernel_work.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/kernel_work.h"

static bool send(struct work *work, const struct kernel_report *report)
{
    return work->listener.report(work->listener.context, report);
}

static void report_links(struct work *work)
{
    for (unsigned i = 0; i < work->config->core.link_count; i++) {
        struct kernel_report report = {.kind = KERNEL_LINK, .link = (uint8_t)i, .unit = EFFECT_NO_UNIT};

        state_link_view(&work->state, i, &report.state);
        if (work->views_known[i] && memcmp(&report.state, &work->views[i], sizeof(report.state)) == 0)
            continue;
        if (!send(work, &report))
            continue;
        memcpy(&work->views[i], &report.state, sizeof(report.state));
        work->views_known[i] = true;
    }
}

static void report_restored(struct work *work)
{
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        const struct kernel_report report = {.kind = KERNEL_RESTORED, .pool = (uint8_t)p, .unit = EFFECT_NO_UNIT};

        if (work->pools[p].restored_owed)
            work->pools[p].restored_owed = !send(work, &report);
    }
}

static void report_restored_unit(struct work *work, const struct work_unit *unit)
{
    const struct kernel_report report = {.kind = KERNEL_RESTORED, .pool = unit->pool, .unit = unit->unit};
    bool restored = false;

    for (unsigned i = 0; i < unit->vip_count; i++) {
        struct state_vip *vip = &work->state.vips[unit->first_vip + i];

        restored = restored || (vip->lost && vip->present);
        vip->lost = vip->lost && !vip->present && vip->wanted;
    }
    if (restored)
        (void)send(work, &report);
}

/* 0 when the unit is where it is wanted, else a positive errno. */
static int unit_error(const struct work *work, const struct work_unit *unit)
{
    const struct work_pool *pool = &work->pools[unit->pool];
    bool addresses = unit->wanted >= LEVEL_READY || work_pool_resident(work, unit->pool);

    if (work_unit_closed(work, unit))
        return 0;
    for (unsigned i = 0; i < unit->vip_count; i++) {
        const struct state_vip *vip = &work->state.vips[unit->first_vip + i];
        int obstacle = state_vip_obstacle(&work->state, vip);

        if (vip->present == addresses || (addresses && !work_vip_counts(work, unit, i)))
            continue;
        return obstacle ? obstacle : vip->error ? vip->error : pool->error ? pool->error : EAGAIN;
    }
    /* Without an address nothing answers, whatever the filter is like. */
    if (addresses && pool->mode != FILTER_OFF && unit->open != (unit->wanted == LEVEL_ANSWERING))
        return pool->error ? pool->error : EAGAIN;
    return 0;
}

static void report_unit(struct work *work, struct work_unit *unit)
{
    int error = unit_error(work, unit);
    const struct kernel_report report = {
        .kind = KERNEL_LEVEL_DONE,
        .pool = unit->pool,
        .unit = unit->unit,
        .sequence = unit->sequence,
        .error = error,
    };

    /* A failure is said once for each cause; the order stands, and its late success is said too. */
    if (error != 0 && (error == unit->reported || error == EAGAIN))
        return;
    if (!send(work, &report))
        return;
    unit->reported = error;
    unit->owed = error != 0;
}

void work_report_closed(struct work *work)
{
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        for (unsigned i = 0; i < work->pools[p].unit_count; i++) {
            struct work_unit *unit = &work->units[work->pools[p].first_unit + i];

            if (unit->owed && work_unit_closed(work, unit))
                report_unit(work, unit);
        }
    }
    work->listener.told(work->listener.context);
}

static void report_units(struct work *work)
{
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        struct work_pool *pool = &work->pools[p];
        const struct kernel_report armed = {
            .kind = KERNEL_ARMED,
            .pool = (uint8_t)p,
            .unit = EFFECT_NO_UNIT,
            .sequence = pool->arm_sequence,
        };

        for (unsigned i = 0; i < pool->unit_count; i++) {
            struct work_unit *unit = &work->units[pool->first_unit + i];

            report_restored_unit(work, unit);
            if (unit->owed)
                report_unit(work, unit);
        }
        if (pool->armed_owed)
            pool->armed_owed = !send(work, &armed);
    }
}

static void report_statics(struct work *work)
{
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        struct state_vip *vip = &work->state.vips[i];
        int obstacle = vip->pool != STATE_STATIC || vip->present ? 0 : state_vip_obstacle(&work->state, vip);
        struct kernel_report report = {
            .kind = KERNEL_POLICY,
            .unit = EFFECT_NO_UNIT,
            .error = vip->present ? 0
                     : obstacle   ? obstacle
                                  : vip->error,
        };
        char address[ADDR_TEXT_MAX];

        if (vip->pool != STATE_STATIC || (report.error == vip->reported && !(vip->lost && vip->present)))
            continue;
        snprintf(report.text, sizeof(report.text), "%s:%u: the address %s",
                 vip->options->place.file ? vip->options->place.file : "-", vip->options->place.line,
                 addr_format(&vip->address, address));
        if (!send(work, &report))
            continue;
        vip->reported = report.error;
        vip->lost = vip->lost && !vip->present;
    }
}

void work_reports(struct work *work)
{
    const struct kernel_report overrun = {.kind = KERNEL_OVERRUN, .unit = EFFECT_NO_UNIT};

    if (work->overrun)
        work->overrun = !send(work, &overrun);
    report_links(work);
    report_restored(work);
    report_units(work);
    report_statics(work);
    policy_report(work);
    macvlan_report(work);
    work->listener.told(work->listener.context);
}
