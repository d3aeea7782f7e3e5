/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's life as the guard sees it. What follows when a worker is gone, by how it went:
 *   exit 0                        it left in order: the guard ends too
 *   another exit code, before it  it cannot start, and said why: the guard ends with that code
 *   was ever up
 *   anything else                 clean up, say goodbye for it, start it again
 * Called by guard.c.
 */
#include "daemon/guard_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/backoff.h"
#include "daemon/channel.h"
#include "daemon/guard_script.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/reload_file.h"
#include "daemon/worker_run.h"
#include "platform/clock.h"
#include "platform/kernel.h"
#include "platform/packet_ip.h"
#include "platform/realtime.h"
#include "platform/sender.h"

#define LEAVE_TIMEOUT_US (5 * US_PER_S)
#define TABLES_US (10 * (int64_t)US_PER_S) /* after a reload the worker has removed tables without a pool */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child: nothing of the guard's stays open but the lock of the run directory. */
static _Noreturn void worker_main(struct guard *guard, int channel, int orders)
{
    struct worker_start start = {
        .config = guard->config,
        .dialect = guard->start->dialect,
        .config_id = guard->start->request.config_id,
        .page = guard->page,
        .rundir = guard->start->rundir,
        .number = guard->number,
        .channel = channel,
        .orders = orders,
        .connection = guard_script_connection(guard->script),
        .up = guard->start->worker_up,
        .context = guard->start->context,
    };

    close_fd(&guard->signals);
    close_fd(&guard->channel);
    close_fd(&guard->number_claim);
    guard_page_close_file(guard->page);
    guard_script_let_go(guard->script);
    reload_file_let_go(guard->reading);
    start.channel = channel_raise(channel);
    sender_close(guard->sender);
    packet_ip_close(guard->ip);
    ready_close(guard->start->ready);
    exit(worker_run(&start));
}

/* No worker could be made: as if one had died, so that the back-off applies. */
static void spawn_failed(struct guard *guard, const char *what, int error, struct mono now)
{
    log_error("the worker cannot be started: %s: %s", what, strerror(error));
    close_fd(&guard->channel);
    if (!guard->up) {
        guard->exit_code = EX_OSERR;
        guard->done = true;
        return;
    }
    guard->backoff_us = backoff_next_us(guard->backoff_us, 0, &guard->deaths);
    guard->restart_at = mono_add(now, guard->backoff_us);
}

void guard_worker_start(struct guard *guard, struct mono now)
{
    int channel = -1, orders = -1;
    int error = channel_open(&guard->channel, &channel);

    if (error == 0) {
        error = guard_script_connect(guard->script, &orders);
        if (error < 0)
            close_fd(&channel);
    }
    guard->restart_at = MONO_NEVER;
    guard->worker_started = now;
    guard->worker_up = false;
    guard->worker_left = false;
    guard->cleaned = false;
    guard_page_clear(guard->page);
    if (error < 0) {
        spawn_failed(guard, "socketpair", -error, now);
        return;
    }
    guard->worker = fork();
    if (guard->worker == 0)
        worker_main(guard, channel, orders);
    error = errno;
    close(channel);
    close(orders);
    if (guard->worker < 0) {
        spawn_failed(guard, "fork", error, now);
        return;
    }
    guard->pidfd = pidfd_open(guard->worker, 0);
    if (guard->pidfd < 0) {
        error = errno;
        kill(guard->worker, SIGKILL);
        waitpid(guard->worker, NULL, 0);
        spawn_failed(guard, "pidfd_open", error, now);
    }
}

static unsigned say_goodbye(struct guard *guard)
{
    struct guard_frame frame;
    unsigned cursor = 0;
    unsigned frames = 0;

    while (guard_page_next(guard->page, &cursor, &frame)) {
        int error = frame.routed ? packet_ip_send(guard->ip, frame.ifindex, frame.bytes, frame.length)
                                 : sender_send(guard->sender, frame.ifindex, frame.bytes, frame.length);

        frames += error == 0;
    }
    guard_page_clear(guard->page);
    return frames;
}

/* A name that is free for longer may be somebody else's. */
static void clean_up_before(struct guard *guard, struct mono now)
{
    int error = guard->before != NULL && mono_diff_us(now, guard->reloaded) < TABLES_US
                    ? kernel_clean_tables(guard->before, guard->config, guard->number)
                    : 0;

    if (error < 0)
        log_error("filter tables of the configuration before the reload could not be removed: %s", strerror(-error));
    config_free(guard->before);
    guard->before = NULL;
}

/*
 * Only when nobody here answers any more may others be told to take over. Where there is a filter that is so when it is
 * closed, and the addresses can go afterwards: hundreds of them take longer than all the rest.
 */
static void clean_up(struct guard *guard)
{
    struct mono begin = clock_now();
    struct kernel_rest *rest = NULL;
    int closed = kernel_clean_begin(guard->config, guard->number, &rest);
    int removed = closed == 0 ? kernel_clean_remove(rest) : closed;

    if (removed < 0) {
        kernel_clean_end(rest);
        log_error("the addresses and the filter could not be removed: %s", strerror(-removed));
        return;
    }
    unsigned frames = say_goodbye(guard);
    struct mono said = clock_now();

    if (closed > 0) {
        realtime_thread(0); /* not urgent any more, and the host has other work to do */
        removed = kernel_clean_remove(rest);
    }
    struct mono gone = clock_now();

    kernel_clean_end(rest);
    clean_up_before(guard, gone);
    realtime_thread(REALTIME_PRIORITY); /* or as guard.c was refused */
    guard->cleaned = removed >= 0;
    if (removed < 0)
        log_error("some addresses could not be removed; they answer nothing, the filter is closed: %s",
                  strerror(-removed));
    else
        log_info("cleaned up for the worker: %u releases sent after %.3f ms, %d addresses removed after %.3f ms",
                 frames, (double)mono_diff_us(said, begin) / US_PER_MS, removed,
                 (double)mono_diff_us(gone, begin) / US_PER_MS);
}

void guard_finish(struct guard *guard, int exit_code)
{
    guard->done = true;
    guard->exit_code = exit_code;
}

void guard_worker_adopt_config(struct guard *guard)
{
    int error = guard->next_page == NULL ? guard_page_open(&guard->next_config->core, &guard->next_page) : 0;

    if (error < 0) {
        log_error("reload: going on with the old configuration: %s", strerror(-error));
        config_free(guard->next_config);
        guard->next_config = NULL;
        guard_script_expect(guard->script, NULL);
        return;
    }
    guard_script_adopt(guard->script, guard->next_config, &guard->next_owners);
    guard_page_close(guard->page);
    config_free(guard->before);
    guard->before = guard->config;
    guard->reloaded = clock_now();
    guard->page = guard->next_page;
    guard->config = guard->next_config;
    guard->next_page = NULL;
    guard->next_config = NULL;
}

static void log_death(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        log_error("the worker (process %ld) ended with code %d", (long)info->si_pid, info->si_status);
    else
        log_error("the worker (process %ld) was ended by signal %d (%s)", (long)info->si_pid, info->si_status,
                  strsignal(info->si_status));
}

static void worker_died(struct guard *guard, const siginfo_t *info, struct mono now)
{
    if (!guard->cleaned)
        clean_up(guard);
    log_death(info);
    if (guard->leaving) {
        guard_finish(guard, guard->cleaned ? 0 : EX_OSERR);
        return;
    }
    if (!guard->up && info->si_code == CLD_EXITED) {
        guard_finish(guard, info->si_status);
        return;
    }
    reload_lost(guard);
    guard->backoff_us = backoff_next_us(guard->backoff_us, mono_diff_us(now, guard->worker_started), &guard->deaths);
    guard->restart_at = mono_add(now, guard->backoff_us);
    log_warning("the worker is started again in %.1f s", (double)guard->backoff_us / US_PER_S);
}

/*
 * The channel ends when the last of the worker's threads is past its last system call, long before the process can be
 * reaped. Should a worker live on without a channel, it is ended: two may not act.
 */
void guard_worker_hung_up(struct guard *guard)
{
    close_fd(&guard->channel);
    if (guard->worker_left)
        return;
    guard_worker_kill(guard);
    clean_up(guard);
}

void guard_worker_ended(struct guard *guard)
{
    siginfo_t info = {0};
    struct mono now = clock_now();

    if (waitid(P_PIDFD, (id_t)guard->pidfd, &info, WEXITED) < 0)
        return;
    close_fd(&guard->pidfd);
    close_fd(&guard->channel);
    guard_script_disconnect(guard->script);
    guard->leave_by = MONO_NEVER;
    if (info.si_code == CLD_EXITED && info.si_status == 0)
        guard_finish(guard, 0);
    else
        worker_died(guard, &info, now);
}

void guard_worker_ask_to_leave(struct guard *guard, struct mono now)
{
    if (guard->pidfd < 0)
        return;
    if (channel_send(guard->channel, CHANNEL_LEAVE) < 0)
        shutdown(guard->channel, SHUT_WR); /* it is full: the end behind what is in it says the same */
    guard->leave_by = mono_add(now, LEAVE_TIMEOUT_US);
}

void guard_worker_kill(struct guard *guard)
{
    if (guard->pidfd >= 0)
        pidfd_send_signal(guard->pidfd, SIGKILL, NULL, 0);
}
