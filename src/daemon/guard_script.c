/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See guard_script.h. What is told to whom is notify.c, what runs beside what is runner.c; here orders become jobs and
 * lines, and ends become results. Called by guard.c and guard_worker.c.
 */
#include "daemon/guard_script.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/guard_fifo.h"
#include "daemon/guard_files.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/orders.h"
#include "daemon/runner.h"
#include "platform/clock.h"

#define FINISH_US (10 * (int64_t)US_PER_S)
#define HOOK_END_US (3 * (int64_t)US_PER_S)
#define READER_END_US (4 * (int64_t)US_PER_S) /* to read what is left, to end, to be killed */
#define RETRY_US (10 * US_PER_MS)
#define BATCHES_PER_TURN 512 /* more than a socket holds: a worker that never stops does not keep the guard */

enum hook {
    HOOK_STARTUP,
    HOOK_SHUTDOWN,
};

struct guard_script {
    const struct config *config;
    struct runner *runner;
    struct notify *notify;
    struct orders worker;
    uint32_t connection; /* counts workers: an answer to one that is gone is for nobody */
    uint64_t refused;
    struct guard_fifos fifos;
    bool starting;  /* the startup command runs */
    bool expecting; /* a reload is under way */
    bool ahead;     /* ... and the worker has gone on: its orders wait for guard_script_adopt */
    bool finishing;
    bool hurry; /* finishing, and told so again */
};

static bool has_security(const struct guard_script *script)
{
    return script->config->instances != NULL && script->config->instances->script_security;
}

/* --- ends --- */

static void end_check(struct guard_script *script, const struct runner_order *order, const struct script_result *result)
{
    const struct order answer = {
        .kind = ORDER_RESULT,
        .index = (uint16_t)order->key,
        .run = order->tag,
        .outcome = result->outcome,
        .value = result->value,
    };

    if (order->key >> 16 == script->connection)
        orders_add(&script->worker, &answer);
}

static void on_done(void *context, const struct runner_order *order, const struct script_result *result)
{
    struct guard_script *script = context;
    bool good = result->outcome == SCRIPT_EXITED && result->value == 0;
    char text[SCRIPT_TEXT_MAX];

    if (order->class == RUNNER_CHECK) {
        end_check(script, order, result);
        return;
    }
    script_result_text(result, text);
    if (order->class == RUNNER_READER && !script->finishing)
        guard_fifos_reader_ended(&script->fifos, order->key, clock_now());
    if (order->class == RUNNER_HOOK)
        script->starting = false;
    if (result->outcome == SCRIPT_FAILED && result->value == EAGAIN)
        log_warning("%s: not called, too many calls wait before it", order->what);
    else if (good || result->outcome == SCRIPT_ENDED)
        log_debug("%s: %s", order->what, text);
    else
        log_warning("%s: %s", order->what, text);
}

/* --- jobs --- */

static void add_job(struct guard_script *script, const struct runner_order *order)
{
    int error = runner_add(script->runner, order);

    if (error < 0)
        log_error("%s: not called: %s", order->what, strerror(-error));
}

static void run_hook(struct guard_script *script, enum hook which)
{
    const struct config_instances *instances = script->config->instances;
    const struct config_hook *hook = which == HOOK_STARTUP ? &instances->startup : &instances->shutdown;
    const struct runner_order order = {
        .class = RUNNER_HOOK,
        .command = hook->command,
        .what = which == HOOK_STARTUP ? "the startup command" : "the shutdown command",
        .security = instances->script_security,
        .timeout_us = hook->timeout_us,
    };

    if (hook->command == NULL || hook->command->argument_count == 0)
        return;
    script->starting = true;
    if (runner_add(script->runner, &order) < 0)
        script->starting = false;
}

static void start_check(struct guard_script *script, const struct order *request)
{
    const struct config_instances *instances = script->config->instances;

    if (instances == NULL || request->index >= instances->script_count) {
        script->refused++;
        return;
    }
    const struct check_script *check = &instances->scripts[request->index];
    const struct runner_order order = {
        .class = RUNNER_CHECK,
        .key = (uint64_t)script->connection << 16 | request->index,
        .tag = request->run,
        .command = &check->command,
        .what = check->name,
        .security = instances->script_security,
        .timeout_us = check->timeout_us,
    };
    int error = runner_add(script->runner, &order);

    if (error < 0)
        end_check(script, &order, &(struct script_result){.outcome = SCRIPT_FAILED, .value = -error});
}

/* --- news --- */

static void carry_out(struct guard_script *script, const struct notify_news *news)
{
    if (news->line[0] != '\0')
        guard_fifos_write(&script->fifos, news->line);
    for (unsigned i = 0; i < news->call_count; i++) {
        const struct runner_order order = {
            .class = RUNNER_NOTIFY,
            .key = news->key,
            .command = news->calls[i].command,
            .extra = news->extra,
            .extra_count = news->calls[i].extra_count,
            .what = news->what,
            .security = has_security(script),
            .timeout_us = GUARD_SCRIPT_NOTIFY_US,
        };

        add_job(script, &order);
    }
}

static void take_order(struct guard_script *script, const struct order *order)
{
    struct notify_news news;

    if (order->kind == ORDER_CHECK)
        start_check(script, order);
    else if (notify_take(script->notify, order, &news))
        carry_out(script, &news);
    else
        script->refused++;
}

static void take_orders(struct guard_script *script)
{
    struct order batch[ORDERS_BATCH];
    uint64_t refused = script->refused;
    unsigned batches = 0;
    int got = -EAGAIN;

    while (script->worker.fd >= 0 && batches++ < BATCHES_PER_TURN) {
        script->ahead = script->expecting && orders_is_ahead(&script->worker);
        if (script->ahead || (got = orders_receive(&script->worker, batch, &script->refused)) <= 0)
            break;
        for (int i = 0; i < got; i++)
            take_order(script, &batch[i]);
    }
    if (got == 0) /* hung up: it would be readable for ever */
        orders_close(&script->worker);
    if (script->refused > refused)
        log_warning("the worker asked for %" PRIu64 " things that the configuration does not have",
                    script->refused - refused);
}

/* --- a configuration's own --- */

int guard_script_open(const struct config *config, struct guard_script **out)
{
    struct guard_script *script = calloc(1, sizeof(*script));
    const struct guard_fifo_owners owners = guard_fifo_find_owners(config);

    if (script == NULL)
        return -ENOMEM;
    script->config = config;
    script->worker.fd = -1;
    script->runner = runner_new(on_done, script);
    script->notify = notify_new(config);
    guard_fifos_init(&script->fifos, script->runner);
    if (script->runner == NULL || script->notify == NULL) {
        guard_script_close(script);
        return -ENOMEM;
    }
    guard_fifos_change(&script->fifos, config, &owners, clock_now());
    if (config->instances != NULL) {
        guard_files_init(config->instances, true);
        run_hook(script, HOOK_STARTUP);
    }
    *out = script;
    return 0;
}

void guard_script_close(struct guard_script *script)
{
    if (script == NULL)
        return;
    orders_close(&script->worker);
    guard_fifos_change(&script->fifos, NULL, NULL, clock_now());
    notify_free(script->notify);
    runner_free(script->runner);
    free(script);
}

void guard_script_let_go(struct guard_script *script)
{
    orders_close(&script->worker);
    guard_fifos_let_go(&script->fifos);
    runner_let_go(script->runner);
}

bool guard_script_is_ready(const struct guard_script *script)
{
    return !script->starting;
}

/* --- the worker --- */

int guard_script_connect(struct guard_script *script, int *worker_end)
{
    int own;

    orders_close(&script->worker);
    int error = orders_pair(&own, worker_end);

    if (error < 0)
        return error;
    error = orders_open(&script->worker, own, ++script->connection);
    if (error < 0) {
        orders_close(&script->worker);
        close(*worker_end);
    }
    return error;
}

uint32_t guard_script_connection(const struct guard_script *script)
{
    return script->connection;
}

void guard_script_disconnect(struct guard_script *script)
{
    take_orders(script);
    orders_close(&script->worker);
    runner_end(script->runner, RUNNER_CHECK);
}

int guard_script_expect(struct guard_script *script, const struct config *next)
{
    int error = notify_expect(script->notify, next);

    script->expecting = error == 0 && next != NULL;
    script->ahead = false;
    return error;
}

void guard_script_adopt(struct guard_script *script, const struct config *config,
                        const struct guard_fifo_owners *owners)
{
    const struct config_instances *instances = config->instances;
    struct notify_news news;
    unsigned cursor = 0;

    take_orders(script); /* they are about the configuration until now */
    while (notify_removed_next(script->notify, &cursor, &news))
        carry_out(script, &news);
    cursor = 0;
    script->worker.connection = ++script->connection;
    script->expecting = script->ahead = false;
    runner_end(script->runner, RUNNER_CHECK);
    notify_adopt(script->notify);
    guard_fifos_change(&script->fifos, config, owners, clock_now());
    script->config = config;
    if (instances == NULL)
        return;
    guard_files_init(instances, false);
    while (instances->fifo_states_on_reload && notify_line_next(script->notify, &cursor, &news))
        guard_fifos_write(&script->fifos, news.line);
}

/* --- the guard's loop --- */

unsigned guard_script_poll(const struct guard_script *script, struct pollfd *fds, unsigned capacity)
{
    unsigned count = 0;

    if (script->worker.fd >= 0 && !script->ahead)
        fds[count++] = (struct pollfd){.fd = script->worker.fd, .events = POLLIN};
    count += guard_fifos_poll(&script->fifos, fds + count);
    return count + runner_poll(script->runner, fds + count, capacity - count);
}

struct mono guard_script_turn(struct guard_script *script, struct mono now)
{
    take_orders(script);
    struct mono next = guard_fifos_turn(&script->fifos, now);

    if (runner_turn(script->runner))
        next = now;
    if (script->worker.fd >= 0 && !orders_flush(&script->worker))
        next = mono_min(next, mono_add(now, RETRY_US));
    return next;
}

/* Another signal: whoever sent it does not want to wait. */
static void take_signals(struct guard_script *script, int signals)
{
    struct signalfd_siginfo info;

    while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        script->hurry = script->hurry || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
}

/* Until no job of the class is left, or the time is over; true: none is left. */
static bool wait_for(struct guard_script *script, enum runner_class class, int64_t patience_us, int signals)
{
    struct mono until = mono_add(clock_now(), patience_us);

    for (;;) {
        struct pollfd fds[1 + GUARD_SCRIPT_FDS_MAX] = {{.fd = signals, .events = POLLIN}};
        struct mono next = mono_min(guard_script_turn(script, clock_now()), until);
        unsigned count = guard_script_poll(script, fds + 1, GUARD_SCRIPT_FDS_MAX);
        int64_t wait_us = mono_diff_us(next, clock_now());

        if (runner_count(script->runner, class) == 0)
            return true;
        if (script->hurry || mono_due(clock_now(), until))
            return false;
        if (poll(fds, count + 1, wait_us <= 0 ? 0 : (int)((wait_us + US_PER_MS - 1) / US_PER_MS)) < 0 && errno != EINTR)
            return false;
        take_signals(script, signals);
    }
}

void guard_script_hurry(struct guard_script *script)
{
    script->hurry = true;
}

void guard_script_finish(struct guard_script *script, int signals)
{
    struct notify_news news;
    unsigned cursor = 0;

    script->finishing = true;
    runner_end(script->runner, RUNNER_HOOK);
    while (notify_stop_next(script->notify, &cursor, &news))
        carry_out(script, &news);
    if (!wait_for(script, RUNNER_NOTIFY, FINISH_US, signals))
        log_warning("%u notify commands are not over; they are ended", runner_count(script->runner, RUNNER_NOTIFY));
    runner_end(script->runner, RUNNER_NOTIFY);
    if (script->config->instances != NULL) {
        run_hook(script, HOOK_SHUTDOWN);
        wait_for(script, RUNNER_HOOK, script->config->instances->shutdown.timeout_us + HOOK_END_US, signals);
    }
    guard_fifos_change(&script->fifos, NULL, NULL, clock_now());
    wait_for(script, RUNNER_READER, READER_END_US, signals);
}
