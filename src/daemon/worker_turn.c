/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The turn of the worker's loop: what is taken in, in which order, before the core is asked what is due (see
 * worker.h). It owns no state. Called by worker.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "daemon/log.h"
#include "daemon/worker.h"
#include "platform/clock.h"
#include "platform/realtime.h"

#define POOL_TEXT_MAX (SETTINGS_NAME_MAX + 8)
#define BEAT_US US_PER_S /* at least so often the loop turns, for the guard's watchdog */

static void take_done(struct worker *worker, const struct kernel_report *report, enum event_kind kind, struct mono now)
{
    struct event event = {
        .kind = (uint8_t)kind,
        .pool = report->pool,
        .unit = report->unit,
        .sequence = report->sequence,
        .error = report->error,
        .now = now,
    };

    apply_step(worker, &event);
}

/* Neighbours must learn the other MAC. */
static void announce_held(const struct worker *worker, unsigned pool, unsigned unit, struct mono now)
{
    if (worker->pools[pool].units[unit].level == LEVEL_ANSWERING)
        announce_start(worker->pools[pool].announce, unit, false, now);
}

static void take_link(struct worker *worker, const struct kernel_report *report, struct mono now)
{
    const struct kernel_link *before = &worker->links[report->link].state;
    bool other_mac = before->present && before->ifindex == report->state.ifindex &&
                     memcmp(before->mac, report->state.mac, sizeof(before->mac)) != 0;

    link_report(worker, report, now);
    for (unsigned p = 0; other_mac && p < settings_all_count(&worker->config->core); p++)
        for (unsigned u = 0; u < worker->config->core.pools[p].unit_count; u++)
            announce_held(worker, p, u, now);
}

/* "pool web", or for a set "instances". */
static const char *pool_text(const struct worker *worker, unsigned pool, char text[static POOL_TEXT_MAX])
{
    snprintf(text, POOL_TEXT_MAX, "%s%s", pool < worker->config->core.pool_count ? "pool " : "",
             worker->config->core.pools[pool].name);
    return text;
}

static void take_filter(struct worker *worker, const struct kernel_report *report, struct mono now)
{
    struct worker_pool *pool = &worker->pools[report->pool];
    char name[POOL_TEXT_MAX];
    const char *mode = filter_mode_name(report->filter_mode);

    memcpy(pool->filter_text, report->text, sizeof(pool->filter_text));
    worker->pool_views[report->pool].filter_mode = report->filter_mode;
    worker->pool_views[report->pool].filter_text = report->text[0] != '\0' ? pool->filter_text : NULL;
    for (unsigned u = 0; report->vmac != KERNEL_VMAC_MACVLAN && u < worker->config->core.pools[report->pool].unit_count;
         u++)
        pool->own_macs[u].is = false;
    for (unsigned u = 0; pool->vmac != report->vmac && u < worker->config->core.pools[report->pool].unit_count; u++)
        announce_held(worker, report->pool, u, now);
    pool->vmac = worker->pool_views[report->pool].vmac = report->vmac;
    pool_text(worker, report->pool, name);
    log_info("%s: arp_filter %s%s%s", name, mode, report->text[0] != '\0' ? ": " : "", report->text);
}

/* "instance web", or "pool web: unit 50". */
static void unit_text(const struct worker *worker, const struct kernel_report *report,
                      char text[static POOL_TEXT_MAX + 16])
{
    const struct unit_settings *unit = &worker->config->core.pools[report->pool].units[report->unit];
    char pool[POOL_TEXT_MAX];

    if (unit->instance != NULL)
        snprintf(text, POOL_TEXT_MAX + 16, "instance %s", unit->instance->name);
    else
        snprintf(text, POOL_TEXT_MAX + 16, "%s: unit %u", pool_text(worker, report->pool, pool), unit->vrid);
}

static void take_vmac(struct worker *worker, const struct kernel_report *report, struct mono now)
{
    struct daemon_own_mac *own = &worker->pools[report->pool].own_macs[report->unit];
    bool was = own->is;
    char unit[POOL_TEXT_MAX + 16];

    own->is = report->error != 0;
    snprintf(own->text, sizeof(own->text), "%.*s", (int)sizeof(own->text) - 1, report->text);
    unit_text(worker, report, unit);
    if (own->is)
        log_warning("%s answers with its interface's own MAC: %s", unit, report->text);
    else if (was)
        log_info("%s answers with its virtual MAC again: %s", unit, report->text);
    if (own->is != was)
        announce_held(worker, report->pool, report->unit, now);
}

static void log_restored(struct worker *worker, const struct kernel_report *report)
{
    const struct pool_settings *settings = &worker->config->core.pools[report->pool];
    char pool[POOL_TEXT_MAX];

    worker->counters.restored++;
    pool_text(worker, report->pool, pool);
    if (report->unit == EFFECT_NO_UNIT)
        log_warning("%s: somebody removed the filter's table, it was put back", pool);
    else if (settings->units[report->unit].instance != NULL)
        log_warning("instance %s: somebody removed an address of it, it was put back",
                    settings->units[report->unit].instance->name);
    else
        log_warning("%s: somebody removed an address of unit %u, it was put back", pool,
                    settings->units[report->unit].vrid);
}

static void take_report(struct worker *worker, const struct kernel_report *report, struct mono now)
{
    switch ((enum kernel_report_kind)report->kind) {
    case KERNEL_LEVEL_DONE:
        take_done(worker, report, EVENT_LEVEL_DONE, now);
        return;
    case KERNEL_ARMED:
        take_done(worker, report, EVENT_ARMED, now);
        return;
    case KERNEL_LINK:
        take_link(worker, report, now);
        return;
    case KERNEL_RESTORED:
        log_restored(worker, report);
        return;
    case KERNEL_OVERRUN:
        worker->counters.netlink_overruns++;
        log_warning("the kernel dropped netlink messages; everything was read anew");
        return;
    case KERNEL_FILTER:
        take_filter(worker, report, now);
        return;
    case KERNEL_PAUSED:
        worker->kernel_paused = true;
        return;
    case KERNEL_VMAC:
        take_vmac(worker, report, now);
        return;
    case KERNEL_POLICY:
        if (report->error != 0)
            log_warning("%s cannot be set: %s; it is tried again", report->text, strerrordesc_np(report->error));
        else
            log_warning("%s is in place again", report->text);
        return;
    }
}

static void take_reports(struct worker *worker, struct mono now)
{
    struct kernel_report report;

    worker->kernel_readable = false;
    while (kernel_next(worker->kernel, &report))
        take_report(worker, &report, now);
}

static struct mono next_deadline(const struct worker *worker)
{
    struct mono next = mono_min(mono_min(core_deadline(worker->core), worker->retry_next),
                                mono_min(worker->background_next, worker->settle_at));

    next = mono_min(next, announcing_deadline(worker));
    next = mono_min(next, worker->tracking_next);
    return mono_min(mono_min(next, worker->leave_by), mono_min(worker->log_next, mono_add(clock_now(), BEAT_US)));
}

/*
 * One turn. Frames come before everything else that is new: before the tick, so that nobody is judged dead whose
 * packet is queued, and before the kernel's reports, since a unit that is ready at last must not be taken over when
 * somebody else was heard to have it meanwhile. For the same reason every port is read, whatever the loop said, when
 * one of these is about to be acted on: a packet may have arrived between the loop's look and now.
 */
int worker_turn(struct worker *worker)
{
    struct event tick = {.kind = EVENT_TICK};
    int error = loop_turn(worker->loop, next_deadline(worker));

    if (error < 0)
        return error;
    struct mono now = clock_now();
    bool due = mono_due(now, core_deadline(worker->core));

    guard_page_beat(worker->page);
    intake_run(worker, due || worker->kernel_readable, now);
    if (due || worker->kernel_readable)
        take_reports(worker, now);
    worker->retry_next = link_retry(worker, now);
    worker->tracking_next = tracking_run(worker->tracking, now);
    tick.now = now;
    apply_step(worker, &tick);
    worker->background_next = background_ask(worker, now);
    apply_flush(worker, now);
    worker_reload_turn(worker);
    if (mono_due(now, worker->settle_at)) {
        worker->settle_at = MONO_NEVER;
        realtime_settle();
    }
    if (mono_due(now, worker->log_next))
        worker->log_next = mono_min(log_tick(), mono_add(now, BEAT_US));
    return 0;
}
