/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker towards the control socket: the view that answers are built from, commands, and which pools are drained
 * over a restart. It owns nothing but the counters' table. Called by worker.c.
 */
#include "daemon/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "daemon/dump.h"
#include "daemon/dump_file.h"
#include "daemon/log.h"
#include "daemon/track.h"
#include "platform/clock.h"

#include "config.h"

static void add_counter(struct worker *worker, const char *name, uint64_t value)
{
    CHECK(worker->view.counter_count < ARRAY_LENGTH(worker->counter_views));
    worker->counter_views[worker->view.counter_count++] = (struct daemon_counter){.name = name, .value = value};
}

static void add_packet_counters(struct worker *worker)
{
    struct packet_stats sum = worker->past;

    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        if (worker->links[i].port != NULL)
            packet_add_stats(worker->links[i].port, &sum);
    }
    add_counter(worker, "frames_in", sum.frames_in);
    add_counter(worker, "frames_out", sum.frames_out);
    add_counter(worker, "frames_ignored", worker->counters.frames_ignored);
    add_counter(worker, "frames_stale", worker->counters.frames_stale);
    add_counter(worker, "frames_truncated", sum.truncated);
    add_counter(worker, "send_errors", sum.send_errors);
    add_counter(worker, "sends_without_link", worker->counters.sends_without_link);
    add_counter(worker, "unicast_sent", worker->counters.unicast_sent);
    add_counter(worker, "unicast_refused", worker->counters.unicast_refused);
    add_counter(worker, "receive_drops", sum.kernel_drops);
}

static void add_control_counters(struct worker *worker)
{
    struct control_counters control = {0};

    control_get_counters(worker->control, &control);
    add_counter(worker, "control_requests", control.requests);
    add_counter(worker, "control_refused", control.refused);
    add_counter(worker, "control_denied", control.denied);
    add_counter(worker, "control_dropped_clients", control.dropped_clients);
    add_counter(worker, "control_rejected_clients", control.rejected_clients);
}

static void add_check_counters(struct worker *worker)
{
    const struct track *track = tracking_track(worker->tracking);
    struct track_view view, sum = {0};

    for (unsigned i = 0; i < track_source_count(track); i++) {
        track_view(track, i, &view);
        sum.runs += view.runs;
        sum.failures += view.failures;
        sum.timeouts += view.timeouts;
        sum.not_run += view.not_run;
        sum.skipped += view.skipped;
    }
    add_counter(worker, "checks_run", sum.runs);
    add_counter(worker, "checks_failed", sum.failures);
    add_counter(worker, "checks_timed_out", sum.timeouts);
    add_counter(worker, "checks_not_run", sum.not_run);
    add_counter(worker, "checks_skipped", sum.skipped);
    add_counter(worker, "orders_dropped", worker->orders.dropped);
}

static void update_counters(struct worker *worker)
{
    struct loop_stats loop;
    struct log_stats log;

    worker->view.counter_count = 0;
    loop_get_stats(worker->loop, &loop);
    add_packet_counters(worker);
    add_counter(worker, "address_conflicts", worker->counters.conflicts);
    add_counter(worker, "duplicate_addresses", worker->counters.duplicates);
    add_counter(worker, "kernel_failures", worker->counters.kernel_failures);
    add_counter(worker, "kernel_restored", worker->counters.restored);
    add_counter(worker, "netlink_overruns", worker->counters.netlink_overruns);
    add_counter(worker, "loop_turns", loop.turns);
    add_counter(worker, "loop_late", loop.late_count);
    add_counter(worker, "loop_late_max_us", (uint64_t)loop.late_max_us);
    log_get_stats(&log);
    add_counter(worker, "log_written", log.written);
    add_counter(worker, "log_held_back", log.held_back);
    add_counter(worker, "log_dropped", log.dropped);
    add_counter(worker, "history_write_failures", history_file_failures(worker->history_file));
    add_check_counters(worker);
    add_control_counters(worker);
}

static const struct daemon_view *get_view(void *context)
{
    struct worker *worker = context;

    worker->view.now = clock_now();
    worker->view.track = worker->tracking != NULL ? tracking_track(worker->tracking) : NULL;
    worker->view.wall_us = clock_wall_us();
    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        worker->link_views[i] = worker->links[i].state;
        worker->rival_views[i] = worker->links[i].rival.seen;
    }
    update_counters(worker);
    return &worker->view;
}

/*
 * A drain is remembered before it is carried out, an undrain afterwards: a crash in between then leaves the pool
 * drained.
 */
static int remember(struct worker *worker, const struct event *event)
{
    const char *pool = worker->config->core.pools[event->pool].name;

    if (event->kind != EVENT_DRAIN && event->kind != EVENT_UNDRAIN)
        return 0;
    return state_set_drained(worker->state, pool, event->kind == EVENT_DRAIN);
}

static int take_command(void *context, const struct event *event, enum core_result *result)
{
    struct worker *worker = context;
    struct event command = *event;
    int error = event->kind == EVENT_DRAIN ? remember(worker, event) : 0;

    command.now = clock_now();
    *result = apply_step(worker, &command);
    if (event->kind != EVENT_DRAIN)
        error = remember(worker, event);
    if (error < 0)
        log_warning("pool %s: it could not be written down whether it is drained: %s",
                    worker->config->core.pools[event->pool].name, strerror(-error));
    return error;
}

static char *make_dump(void *context, enum daemon_dump dump)
{
    const struct worker *worker = context;

    return dump_text(worker->dialect, dump, get_view(context));
}

void worker_view_dump(struct worker *worker, enum daemon_dump dump)
{
    char *text = dump_text(worker->dialect, dump, get_view(worker));
    char *path = dump_path(worker->dialect, dump, worker->config, worker->config_id, worker->run_dir);
    int error = -ENOMEM;

    if (text != NULL && path != NULL) {
        error = dump_files_add(worker->dumps, dump, path, text);
    } else {
        free(text);
        free(path);
    }
    if (error < 0)
        log_error("the file that a signal asked for cannot be written: %s", strerror(-error));
}

void worker_view_dumped(struct worker *worker)
{
    struct dump_result result;

    while (dump_files_next(worker->dumps, &result)) {
        if (result.problem[0] != '\0')
            log_error("%s could not be written: %s", result.path, result.problem);
        else
            log_info("%s was written", result.path);
        free(result.path);
    }
}

static int64_t spare_us(void *context)
{
    struct worker *worker = context;
    struct mono deadline = core_deadline(worker->core);

    return mono_is_never(deadline) ? INT64_MAX : mono_diff_us(deadline, clock_now());
}

struct control_callbacks worker_view_callbacks(struct worker *worker)
{
    return (struct control_callbacks){
        .context = worker,
        .view = get_view,
        .command = take_command,
        .reload = worker_reload_ask,
        .dump = make_dump,
        .spare_us = spare_us,
    };
}

void worker_view_init(struct worker *worker)
{
    for (unsigned p = 0; p < settings_all_count(&worker->config->core); p++) {
        worker->pool_views[p] = (struct daemon_pool_view){
            .filter_mode = FILTER_AUTO,
            .own_macs = worker->pools[p].own_macs,
            .conflicts = worker->pools[p].conflicts,
            .changes = &worker->pools[p].changes,
        };
    }
    worker->view = (struct daemon_view){
        .version = PACKAGE_VERSION,
        .started = worker->started,
        .config = worker->config,
        .core = worker->core,
        .links = worker->link_views,
        .rivals = worker->rival_views,
        .pools = worker->pool_views,
        .history = worker->history,
        .counters = worker->counter_views,
    };
}

void worker_view_restore_pool(struct worker *worker, unsigned pool, bool new, struct mono now)
{
    struct event drain = {.kind = EVENT_DRAIN, .pool = (uint8_t)pool, .now = now};
    const char *name = worker->config->core.pools[pool].name;
    bool written = state_is_drained(worker->state, name);
    struct pool_view view;

    core_view_pool(worker->core, pool, &view);
    if (!new &&view.drained != written) { /* it had another name */
        if (state_set_drained(worker->state, name, view.drained) < 0)
            log_warning("pool %s: it could not be written down whether it is drained", name);
    } else if (new &&written) {
        log_notice("pool %s: drained before the restart, so it is drained again", name);
        apply_step(worker, &drain);
    }
}
