/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's life: starting, running until it is told to leave, leaving (see worker.h). Called by guard.c in the
 * child.
 *
 * It starts with the guard's privileges, opens what needs them, and drops to what it needs. From then on only the
 * channel, two signals and the control socket tell it anything besides the network.
 */
#include "daemon/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/channel.h"
#include "daemon/dump_file.h"
#include "daemon/log.h"
#include "daemon/rest.h"
#include "daemon/worker_run.h"
#include "platform/clock.h"
#include "platform/privilege.h"
#include "platform/realtime.h"

#include "config.h"

#define LEAVE_TIMEOUT_US (4500 * US_PER_MS) /* a little less than the guard's patience */
#define KERNEL_CLOSE_TIMEOUT_MS 2000
#define SETTLE_US (5 * US_PER_S)
#define FILE_CLOSE_TIMEOUT_MS 500

static void on_kernel(void *context)
{
    ((struct worker *)context)->kernel_readable = true;
}

static void begin_leaving(struct worker *worker, const char *why)
{
    struct mono now = clock_now();
    struct event event = {.kind = EVENT_LEAVE, .now = now};

    if (worker->leaving)
        return;
    log_info("leaving in order: %s", why);
    worker->leaving = true;
    worker->leave_by = mono_add(now, LEAVE_TIMEOUT_US);
    apply_step(worker, &event);
}

static void on_channel(void *context)
{
    struct worker *worker = context;
    enum channel_message message;
    int files[CHANNEL_FILES_MAX];
    unsigned count;
    int result;

    while ((result = channel_receive_files(worker->channel, &message, files, &count)) == 1) {
        if (message == CHANNEL_LEAVE)
            begin_leaving(worker, "the guard said so");
        else if (message >= CHANNEL_DUMP && message <= CHANNEL_DUMP_JSON)
            worker_view_dump(worker, (enum daemon_dump)(message - CHANNEL_DUMP));
        else
            worker_reload_take(worker, message, files, count);
        while (count > 0)
            close(files[--count]);
    }
    if (result != 0)
        return;
    loop_unwatch(worker->channel_watch);
    worker->channel_watch = NULL;
    begin_leaving(worker, "the guard is gone");
}

static void on_signal(void *context)
{
    struct worker *worker = context;
    struct signalfd_siginfo info;

    while (read(worker->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (worker->signalled)
            worker->forced = true;
        worker->signalled = true;
        begin_leaving(worker, strsignal((int)info.ssi_signo));
    }
}

static void on_dumped(void *context)
{
    worker_view_dumped(context);
}

static int run(struct worker *worker)
{
    while (!worker->left && !worker->forced) {
        int error = worker_turn(worker);

        if (error < 0) {
            log_error("the event loop failed: %s", strerror(-error));
            return EX_SOFTWARE;
        }
        if (mono_due(clock_now(), worker->leave_by)) {
            log_error("leaving in order took too long");
            worker->forced = true;
        }
    }
    return 0;
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int worker_make_pool(const struct config *config, unsigned index, struct worker_pool *pool)
{
    unsigned unit_count = config->core.pools[index].unit_count;

    pool->units = calloc(unit_count, sizeof(pool->units[0]));
    pool->conflicts = calloc(unit_count, sizeof(pool->conflicts[0]));
    pool->own_macs = calloc(unit_count, sizeof(pool->own_macs[0]));
    if (pool->units == NULL || pool->conflicts == NULL || pool->own_macs == NULL ||
        announcing_make(config, index, pool) < 0)
        return -ENOMEM;
    for (unsigned u = 0; u < unit_count; u++)
        pool->conflicts[u].last = MONO_NEVER;
    return 0;
}

void worker_free_pool(struct worker_pool *pool)
{
    announcing_free(pool);
    free(pool->conflicts);
    free(pool->own_macs);
    free(pool->units);
    *pool = (struct worker_pool){.units = NULL};
}

/* After so long a silence nobody has taken over yet: members die after three of theirs, instances after one at least.
 */
static int64_t shortest_interval_us(const struct core_settings *settings, unsigned pool)
{
    int64_t shortest_us = INT64_MAX;

    if (pool < settings->pool_count)
        return settings->pools[pool].member_interval_us;
    for (unsigned u = 0; u < settings->pools[pool].unit_count; u++)
        if (settings->pools[pool].units[u].advert_interval_us < shortest_us)
            shortest_us = settings->pools[pool].units[u].advert_interval_us;
    return shortest_us;
}

void worker_set_patience(struct worker *worker)
{
    const struct core_settings *settings = &worker->config->core;

    worker->patience_us = INT64_MAX;
    for (unsigned p = 0; p < settings_all_count(settings); p++) {
        int64_t interval_us = shortest_interval_us(settings, p);

        if (interval_us < worker->patience_us)
            worker->patience_us = interval_us;
    }
}

/* Everything that only needs memory. */
static int make_parts(struct worker *worker)
{
    const struct core_settings *settings = &worker->config->core;
    void *storage = malloc(core_storage_size(settings));

    worker->storage = storage;
    worker->effects.capacity = effects_capacity(settings);
    worker->effects.list = calloc(worker->effects.capacity, sizeof(worker->effects.list[0]));
    worker->history = history_new(HISTORY_CAPACITY);
    worker->thirdparty = thirdparty_new(settings->link_count);
    worker->vips = vip_index_new(worker->config);
    worker->audit = audit_new(worker->config, worker->started);
    worker->dumps = dump_files_open();
    if (storage == NULL || worker->effects.list == NULL || worker->history == NULL || worker->thirdparty == NULL ||
        worker->vips == NULL || worker->audit == NULL || worker->dumps == NULL)
        return -ENOMEM;
    worker_set_patience(worker);
    worker->queued_since = MONO_NEVER;
    for (unsigned p = 0; p < settings_all_count(settings); p++)
        if (worker_make_pool(worker->config, p, &worker->pools[p]) < 0)
            return -ENOMEM;
    for (unsigned i = 0; i < settings->link_count; i++)
        worker->links[i].open_next = MONO_NEVER;
    worker->core = core_init(storage, settings, worker->started);
    return loop_open(&worker->loop);
}

static int failed(const char *what, int error, int code)
{
    log_error("%s: %s", what, strerror(-error));
    return code;
}

/* The user to become, or NULL: then the worker stays who it is. Gives that user the run directory. */
static const char *prepare_user(const struct worker_start *start)
{
    uid_t uid;
    gid_t gid;
    int error = privilege_find_user(EVENKEEL_USER, &uid, &gid);

    if (geteuid() != 0)
        return NULL;
    if (error < 0) {
        log_notice("there is no user %s: the worker stays root, with fewer capabilities", EVENKEEL_USER);
        return NULL;
    }
    const char *obstacle = privilege_obstacle(uid, gid);

    if (obstacle != NULL) {
        log_notice("the worker cannot become user %s and stays root, with fewer capabilities: %s", EVENKEEL_USER,
                   obstacle);
        return NULL;
    }
    error = rundir_give(start->rundir, uid, gid);
    if (error < 0) {
        log_warning("%s cannot be given to user %s (%s): the worker stays root, with fewer capabilities",
                    rundir_path(start->rundir), EVENKEEL_USER, strerror(-error));
        return NULL;
    }
    return EVENKEEL_USER;
}

static int open_control(struct worker *worker, const char *run_dir)
{
    struct control_callbacks callbacks = worker_view_callbacks(worker);
    char problem[STATE_PROBLEM_MAX];
    int error = control_open(loop_base(worker->loop), run_dir, &callbacks, &worker->control);

    if (error < 0)
        return failed("the control socket", error, EX_CANTCREAT);
    worker->state = state_open(run_dir, problem);
    if (worker->state == NULL)
        return failed("the state file", -ENOMEM, EX_OSERR);
    if (problem[0] != '\0')
        log_warning("%s", problem);
    return 0;
}

static int drop_privileges(const struct worker_start *start)
{
    char refused[REALTIME_TEXT_MAX];
    char text[PRIVILEGE_TEXT_MAX];
    const char *user = prepare_user(start);

    if (realtime_enter(REALTIME_PRIORITY, refused) > 0)
        log_notice("not all that keeps the daemon punctual is allowed here: %s", refused);
    int error = privilege_drop(user, realtime_is_on(), text);

    if (error < 0) {
        log_error("privileges: %s", text[0] != '\0' ? text : strerror(-error));
        return error == -EPERM ? EX_NOPERM : EX_OSERR;
    }
    return 0;
}

/* As the user that the worker has become, so that it can write the file the next time too. */
static void open_history(struct worker *worker, const char *run_dir)
{
    char problem[HISTORY_PROBLEM_MAX];

    worker->history_file = history_file_open(run_dir, worker->history, problem);
    worker->logged = history_newest(worker->history);
    if (problem[0] != '\0')
        log_warning("%s", problem);
}

static int watch(struct worker *worker)
{
    int error = loop_watch(worker->loop, worker->channel, on_channel, worker, &worker->channel_watch);

    if (error == 0)
        error = loop_watch(worker->loop, worker->signals, on_signal, worker, &worker->signal_watch);
    if (error == 0)
        error = loop_watch(worker->loop, kernel_fd(worker->kernel), on_kernel, worker, &worker->kernel_watch);
    if (error == 0)
        error = loop_watch(worker->loop, dump_files_fd(worker->dumps), on_dumped, worker, &worker->dump_watch);
    return error;
}

/* 0, or an exit code after saying why. */
static int begin(struct worker *worker, const struct worker_start *start)
{
    int code;
    int error = make_parts(worker);

    if (error < 0)
        return failed("memory for the worker", error, EX_OSERR);
    worker->signals = open_signals();
    if (worker->signals < 0)
        return failed("signals", worker->signals, EX_OSERR);
    worker_view_init(worker);
    error = unicast_open(&worker->unicast);
    if (error < 0)
        return failed("a raw socket", error, error == -EPERM ? EX_NOPERM : EX_OSERR);
    /* A worker before this one was given it, and the service's root has no right to write everywhere. */
    (void)rundir_give(start->rundir, geteuid(), getegid());
    code = open_control(worker, rundir_path(start->rundir));
    if (code == 0)
        code = drop_privileges(start);
    if (code != 0)
        return code;
    rest_clean(worker->run_dir, worker->dialect, worker->config, worker->number);
    rest_note(worker->run_dir, worker->config, worker->number);
    open_history(worker, rundir_path(start->rundir));
    error = kernel_open(worker->config, worker->number, &worker->kernel);
    if (error == -EAGAIN)
        return failed("a thread for addresses and filter (RLIMIT_NPROC may be too low)", error, EX_OSERR);
    if (error < 0)
        return failed("addresses and filter", error, error == -EPERM ? EX_NOPERM : EX_OSERR);
    error = watch(worker);
    if (error < 0)
        return failed("the event loop", error, EX_OSERR);
    error = tracking_open(worker, start->orders, start->connection, &worker->tracking);
    if (error < 0)
        return failed("what is tracked", error, EX_OSERR);
    worker->tracking_next = tracking_run(worker->tracking, clock_now());
    for (unsigned p = 0; p < worker->config->core.pool_count; p++)
        worker_view_restore_pool(worker, p, true, clock_now());
    return 0;
}

/* Addresses and filter first, and only then everything else. */
static int end(struct worker *worker, int code)
{
    loop_unwatch(worker->kernel_watch);
    if (worker->kernel != NULL) {
        int error = kernel_close(worker->kernel, KERNEL_CLOSE_TIMEOUT_MS);

        if (error < 0)
            code = failed("removing addresses and filter", error, EX_SOFTWARE);
        if (error == -ETIMEDOUT)
            worker->reloaded = NULL; /* the thread is stuck with it, and the process about to end */
    }
    tracking_close(worker->tracking);
    loop_unwatch(worker->channel_watch);
    loop_unwatch(worker->signal_watch);
    loop_unwatch(worker->dump_watch);
    link_close_all(worker);
    control_close(worker->control);
    history_file_close(worker->history_file, FILE_CLOSE_TIMEOUT_MS);
    dump_files_close(worker->dumps, FILE_CLOSE_TIMEOUT_MS);
    state_close(worker->state);
    loop_close(worker->loop);
    if (worker->signals >= 0)
        close(worker->signals);
    worker_reload_free(worker->next);
    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++)
        worker_free_pool(&worker->pools[p]);
    audit_free(worker->audit);
    vip_index_free(worker->vips);
    thirdparty_free(worker->thirdparty);
    unicast_close(worker->unicast);
    history_free(worker->history);
    free(worker->effects.list);
    free(worker->storage);
    free(worker->reload_text);
    if (worker->reloaded != NULL)
        guard_page_close(worker->page); /* came with it */
    config_free(worker->reloaded);
    return code;
}

int worker_run(const struct worker_start *start)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int code;

    if (worker == NULL)
        return failed("memory for the worker", -ENOMEM, EX_OSERR);
    worker->config = start->config;
    worker->dialect = start->dialect;
    worker->config_id = start->config_id;
    worker->run_dir = rundir_path(start->rundir);
    worker->number = start->number;
    worker->page = start->page;
    worker->channel = start->channel;
    worker->owed = CHANNEL_MESSAGE_COUNT;
    worker->signals = -1;
    worker->orders.fd = -1;
    worker->started = clock_now();
    worker->leave_by = MONO_NEVER;
    worker->log_next = worker->started;
    worker->retry_next = MONO_NEVER;
    worker->background_next = worker->started;
    worker->settle_at = mono_add(worker->started, SETTLE_US);
    worker->ask_next = worker->started;
    code = begin(worker, start);
    if (code == 0) {
        log_notice("evenkeeld %s is up: %u pools, %u instances, configuration %016" PRIx64, PACKAGE_VERSION,
                   worker->config->core.pool_count, settings_instance_count(&worker->config->core),
                   worker->config->hash);
        channel_send(worker->channel, CHANNEL_UP);
        start->up(start->context);
        code = run(worker);
    }
    if (code == 0 && worker->forced)
        code = EX_SOFTWARE;
    code = end(worker, code);
    if (code == 0) {
        rest_forget(worker->run_dir);
        channel_send(worker->channel, CHANNEL_LEFT);
    }
    free(worker);
    return code;
}
