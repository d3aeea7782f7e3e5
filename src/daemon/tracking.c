/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is tracked, in the worker: where results come from (the guard, files, /proc, the kernel's links) and where what
 * follows goes (EVENT_TRACK, EVENT_SHARE, the log). What follows is decided by track.h. Called by worker.c and
 * worker_turn.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/log.h"
#include "daemon/track.h"
#include "daemon/worker.h"
#include "platform/clock.h"
#include "platform/file_watch.h"
#include "platform/link_watch.h"
#include "platform/process_watch.h"
#include "platform/script.h"

#define LOOK_US (5 * (int64_t)US_PER_S) /* at files, whatever inotify says */
#define RETRY_US (20 * US_PER_MS)       /* when the guard did not take all orders */

struct tracking {
    struct worker *worker;
    struct track *track;
    const struct config_instances *instances; /* NULL: no blocks, interfaces only */
    struct process_watch *processes;
    unsigned *counts; /* of processes */
    int files, links; /* descriptors; -1: not needed */
    struct loop_watch *orders_watch, *files_watch, *links_watch, *processes_watch;
    struct mono look_next; /* at files */
    bool files_changed, links_changed, processes_changed;
    uint64_t refused;
};

/* --- scripts --- */

static void take_result(struct tracking *tracking, const struct order *order, struct mono now)
{
    const struct script_result result = {.outcome = order->outcome, .value = order->value};
    enum track_outcome outcome = TRACK_RAN_BAD;
    char text[SCRIPT_TEXT_MAX];

    if (result.outcome == SCRIPT_EXITED && result.value == 0)
        outcome = TRACK_RAN_GOOD;
    else if (result.outcome == SCRIPT_TIMED_OUT)
        outcome = TRACK_RAN_OVER;
    else if (result.outcome == SCRIPT_FAILED && result.value == EBUSY)
        outcome = TRACK_BUSY;
    else if (result.outcome == SCRIPT_REFUSED || result.outcome == SCRIPT_FAILED)
        outcome = TRACK_NOT_RUN;
    script_result_text(&result, text);
    track_script_done(tracking->track, order->index, order->run, outcome, text, now);
}

static void on_orders(void *context)
{
    struct tracking *tracking = context;
    struct worker *worker = tracking->worker;
    struct order batch[ORDERS_BATCH];
    int got;

    while ((got = orders_receive(&worker->orders, batch, &tracking->refused)) > 0)
        for (int i = 0; i < got; i++)
            if (batch[i].kind == ORDER_RESULT)
                take_result(tracking, &batch[i], clock_now());
    if (got != 0)
        return;
    loop_unwatch(tracking->orders_watch); /* the guard is gone; its channel says so, too */
    tracking->orders_watch = NULL;
}

static void start_scripts(struct tracking *tracking, struct mono now)
{
    struct track_run run;

    while (!tracking->worker->leaving && track_next_run(tracking->track, now, &run)) {
        const struct order order = {.kind = ORDER_CHECK, .index = (uint16_t)run.script, .run = run.run};

        orders_add(&tracking->worker->orders, &order);
    }
}

/* --- files --- */

static void look_at_file(struct tracking *tracking, unsigned index, struct mono now)
{
    const struct check_file *file = &tracking->instances->files[index];
    char text[FILE_TEXT_MAX];
    int64_t number;
    enum file_state state;

    if (file->path == NULL)
        return;
    state = file_read_number(file->path, &number, text);
    if (state == FILE_EMPTY && !mono_is_never(tracking->look_next))
        return; /* somebody is writing it: what was there counts until it is done */
    track_file(tracking->track, index, number, state == FILE_BAD, text, now);
}

static void look_at_files(struct tracking *tracking, struct mono now)
{
    if (tracking->files < 0 || tracking->instances == NULL)
        return;
    for (unsigned i = 0; i < tracking->instances->file_count; i++) {
        if (tracking->instances->files[i].path != NULL)
            file_watch_add(tracking->files, tracking->instances->files[i].path);
        look_at_file(tracking, i, now);
    }
    tracking->look_next = mono_add(now, LOOK_US);
}

static void on_files(void *context)
{
    struct tracking *tracking = context;

    file_watch_drain(tracking->files);
    tracking->files_changed = true;
}

/* --- interfaces and processes --- */

static bool tracks_source(const struct unit_settings *unit)
{
    return unit->instance != NULL && unit->instance->track_source && !addr_is_none(&unit->instance->source);
}

/* Whether any instance must speak from an address that it does not bring itself. */
static bool any_source(const struct config *config)
{
    for (unsigned p = config->core.pool_count; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            if (tracks_source(&config->core.pools[p].units[u]))
                return true;
    return false;
}

static void look_at_sources(struct tracking *tracking)
{
    const struct config *config = tracking->worker->config;

    for (unsigned p = config->core.pool_count; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            const struct unit_settings *unit = &config->core.pools[p].units[u];

            if (tracks_source(unit))
                track_source_address(tracking->track, p, u,
                                     link_watch_has_address(&unit->instance->source, config->links[unit->link]));
        }
}

static void look_at_links(struct tracking *tracking, struct mono now)
{
    if (tracking->links < 0)
        return;
    look_at_sources(tracking);
    for (unsigned i = 0; i < track_interface_count(tracking->track); i++) {
        const char *name = track_interface_name(tracking->track, i);

        track_interface(tracking->track, i, link_watch_is_up(tracking->links, name), now);
    }
}

static void on_links(void *context)
{
    struct tracking *tracking = context;

    link_watch_drain(tracking->links);
    tracking->links_changed = true;
}

static void take_processes(struct tracking *tracking, struct mono now)
{
    if (tracking->processes == NULL || !process_watch_take(tracking->processes, tracking->counts))
        return;
    for (unsigned i = 0; i < tracking->instances->process_count; i++)
        if (tracking->instances->processes[i].words != NULL)
            track_process(tracking->track, i, tracking->counts[i], now);
}

static void on_processes(void *context)
{
    ((struct tracking *)context)->processes_changed = true;
}

/* --- what follows --- */

static void log_news(const struct tracking *tracking, unsigned source)
{
    struct track_view view;

    track_view(tracking->track, source, &view);
    log_write(view.state == TRACK_FAILED ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, view.name, NULL, 0, "%s %s: %s%s%s%s",
              track_kind_name((enum check_tracker_kind)view.kind), view.name,
              track_state_name((enum track_state)view.state), view.text[0] != '\0' ? " (" : "", view.text,
              view.text[0] != '\0' ? ")" : "");
}

static void tell_core(struct tracking *tracking, const struct track_change *change, struct mono now)
{
    struct event event = {
        .kind = change->kind == TRACK_POOL ? EVENT_SHARE : EVENT_TRACK,
        .pool = change->pool,
        .unit = change->kind == TRACK_GROUP ? EFFECT_NO_UNIT : change->unit,
        .group = change->unit,
        .share = change->share,
        .hold = change->hold,
        .fault = change->fault,
        .no_source = change->no_source,
        .weight = change->weight,
        .now = now,
    };

    apply_step(tracking->worker, &event);
}

struct mono tracking_run(struct tracking *tracking, struct mono now)
{
    struct track_change change;
    unsigned source;

    if (tracking->files_changed || mono_due(now, tracking->look_next))
        look_at_files(tracking, now);
    if (tracking->links_changed)
        look_at_links(tracking, now);
    if (tracking->processes_changed)
        take_processes(tracking, now);
    tracking->files_changed = tracking->links_changed = tracking->processes_changed = false;
    start_scripts(tracking, now);
    while (!tracking->worker->leaving && track_next_change(tracking->track, now, &change))
        tell_core(tracking, &change, now);
    while (track_next_news(tracking->track, &source))
        log_news(tracking, source);
    if (tracking->worker->leaving)
        return MONO_NEVER;
    struct mono next = mono_min(track_deadline(tracking->track), tracking->look_next);

    return orders_flush(&tracking->worker->orders) ? next : mono_min(next, mono_add(now, RETRY_US));
}

const struct track *tracking_track(const struct tracking *tracking)
{
    return tracking->track;
}

/* --- life --- */

/* All that depends on the configuration, made for the next one. */
struct tracking_next {
    struct track *track;
    struct process_watch *processes; /* NULL: none are tracked */
    unsigned *counts;
};

static bool is_tracked(const struct track *track, enum check_tracker_kind kind)
{
    struct track_view view;

    for (unsigned i = 0; i < track_source_count(track); i++) {
        track_view(track, i, &view);
        if (view.kind == kind)
            return true;
    }
    return false;
}

/* Takes a descriptor, or a negative errno, into *fd and watches it. 0 or a negative errno. */
static int keep_watched(struct tracking *tracking, int opened, loop_readable *readable, int *fd,
                        struct loop_watch **watch)
{
    int error = opened < 0 ? opened : loop_watch(tracking->worker->loop, opened, readable, tracking, watch);

    if (error == 0)
        *fd = opened;
    else if (opened >= 0)
        close(opened);
    return error;
}

/* What was needed once stays open: files and interfaces that nobody tracks any more cost nothing. */
static int open_watches(struct tracking *tracking, const struct config *config, const struct track *track)
{
    bool links = track_interface_count(track) > 0 || any_source(config);
    int error = 0;

    if (tracking->files < 0 && is_tracked(track, CHECK_TRACK_FILE))
        error = keep_watched(tracking, file_watch_open(), on_files, &tracking->files, &tracking->files_watch);
    if (error == 0 && tracking->links < 0 && links)
        error = keep_watched(tracking, link_watch_open(), on_links, &tracking->links, &tracking->links_watch);
    return error;
}

static int open_processes(struct tracking_next *next, const struct config *config)
{
    if (!is_tracked(next->track, CHECK_TRACK_PROCESS))
        return 0;
    next->counts = calloc(config->instances->process_count, sizeof(next->counts[0]));
    return next->counts == NULL
               ? -ENOMEM
               : process_watch_open(config->instances->processes, config->instances->process_count, &next->processes);
}

int tracking_prepare(struct tracking *tracking, const struct config *config, struct tracking_next **out)
{
    struct tracking_next *next = calloc(1, sizeof(*next));

    if (next == NULL)
        return -ENOMEM;
    next->track = track_new(config, clock_now());
    int error = next->track == NULL ? -ENOMEM : open_watches(tracking, config, next->track);

    if (error == 0)
        error = open_processes(next, config);
    if (error == 0)
        *out = next;
    else
        tracking_unprepare(next);
    return error;
}

void tracking_unprepare(struct tracking_next *next)
{
    if (next == NULL)
        return;
    process_watch_close(next->processes);
    free(next->counts);
    track_free(next->track);
    free(next);
}

/* What it has made for a configuration becomes what is in use; *next has what was. */
static int begin(struct tracking *tracking, struct tracking_next *next)
{
    const struct tracking_next before = {tracking->track, tracking->processes, tracking->counts};

    loop_unwatch(tracking->processes_watch);
    tracking->processes_watch = NULL;
    tracking->track = next->track;
    tracking->processes = next->processes;
    tracking->counts = next->counts;
    tracking->instances = tracking->worker->config->instances;
    tracking->files_changed = tracking->links_changed = true;
    *next = before;
    if (tracking->processes == NULL)
        return 0;
    return loop_watch(tracking->worker->loop, process_watch_fd(tracking->processes), on_processes, tracking,
                      &tracking->processes_watch);
}

int tracking_open(struct worker *worker, int orders, uint32_t connection, struct tracking **out)
{
    struct tracking *tracking = calloc(1, sizeof(*tracking));
    struct tracking_next *first = NULL;
    int error = orders_open(&worker->orders, orders, connection);

    if (tracking == NULL)
        return -ENOMEM;
    *out = tracking;
    *tracking = (struct tracking){.worker = worker, .files = -1, .links = -1, .look_next = MONO_NEVER};
    if (error == 0)
        error = loop_watch(worker->loop, orders, on_orders, tracking, &tracking->orders_watch);
    if (error == 0)
        error = tracking_prepare(tracking, worker->config, &first);
    if (error == 0)
        error = begin(tracking, first);
    tracking_unprepare(first);
    return error;
}

void tracking_go_on(struct tracking *tracking, struct tracking_next *next, uint32_t pools)
{
    track_take_over(next->track, tracking->track, pools);
    int error = begin(tracking, next);

    if (error < 0)
        log_error("reload: processes that are tracked are not looked at: %s", strerror(-error));
    tracking_unprepare(next);
    tracking->worker->orders.connection++;
    tracking->worker->tracking_next = clock_now();
}

void tracking_close(struct tracking *tracking)
{
    if (tracking == NULL)
        return;
    loop_unwatch(tracking->orders_watch);
    loop_unwatch(tracking->files_watch);
    loop_unwatch(tracking->links_watch);
    loop_unwatch(tracking->processes_watch);
    process_watch_close(tracking->processes);
    free(tracking->counts);
    if (tracking->files >= 0)
        close(tracking->files);
    if (tracking->links >= 0)
        close(tracking->links);
    orders_flush(&tracking->worker->orders); /* what was said last */
    orders_close(&tracking->worker->orders);
    track_free(tracking->track);
    free(tracking);
}
