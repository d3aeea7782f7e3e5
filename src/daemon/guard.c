/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's loop (see guard.h): poll() over a signalfd, the worker's pidfd, the channel and what it runs. It owns the
 * configuration and the shared page; the worker's life is guard_worker.c. Called by main.c.
 */
#include "daemon/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/channel.h"
#include "daemon/guard_script.h"
#include "daemon/guard_worker.h"
#include "daemon/log.h"
#include "daemon/number.h"
#include "daemon/reload.h"
#include "daemon/reload_file.h"
#include "platform/clock.h"
#include "platform/kernel.h"
#include "platform/packet_ip.h"
#include "platform/realtime.h"
#include "platform/sender.h"

#define MESSAGES_PER_TURN 64
#define LOOK_US US_PER_S /* the worker's loop turns at least so often */
#define HUNG_US (5 * US_PER_S)
#define OWN_FDS 4 /* of poll(): the worker's end, signals, the channel, the reading of the file */

static void stop(struct guard *guard, struct mono now)
{
    if (guard->leaving) {
        log_warning("told to stop again: not waiting for an orderly leave");
        guard_script_hurry(guard->script);
        guard_worker_kill(guard);
        return;
    }
    guard->leaving = true;
    ready_say(guard->start->ready, "STOPPING=1");
    if (guard->pidfd < 0)
        guard_finish(guard, 0);
    else
        guard_worker_ask_to_leave(guard, now);
}

/* The worker has what is asked for, and the rights to write it. One that does not run has nothing to tell. */
static void ask_for_dump(struct guard *guard, int number)
{
    enum channel_message message = CHANNEL_DUMP;

    if (number == SIGUSR2 || number == SIGRTMAX - 1)
        message = CHANNEL_DUMP_STATS;
    else if (number == SIGRTMIN + 2)
        message = CHANNEL_DUMP_JSON;
    if (number == SIGRTMAX - 1)
        log_notice("counters are not cleared: they would go backwards for whoever reads them");
    if (guard->pidfd >= 0)
        channel_send(guard->channel, message);
}

static void take_signals(struct guard *guard, struct mono now)
{
    struct signalfd_siginfo info;

    while (read(guard->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            reload_begin(guard, now);
        else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(guard, now);
        else if (info.ssi_signo != SIGCHLD) /* that one only wakes us, for guard_script.h */
            ask_for_dump(guard, (int)info.ssi_signo);
    }
}

static void take_up(struct guard *guard)
{
    guard->worker_up = true;
    guard->silent_looks = 0; /* its loop did not turn until now */
    if (guard->reload_wanted)
        reload_begin(guard, clock_now());
    if (guard->up)
        return;
    guard->up = true;
    realtime_settle();
    ready_say(guard->start->ready, "READY=1");
    guard->start->up(guard->start->context);
}

static void take_messages(struct guard *guard)
{
    enum channel_message message;
    unsigned taken = 0;
    int result = -EAGAIN;

    /* So many a turn: a worker gone wrong must not keep the guard from its signals. */
    while (taken++ < MESSAGES_PER_TURN && (result = channel_receive(guard->channel, &message)) == 1) {
        switch (message) {
        case CHANNEL_UP:
            take_up(guard);
            break;
        case CHANNEL_LEFT:
            guard->worker_left = true;
            break;
        case CHANNEL_RELOAD_ASKED:
            reload_begin(guard, clock_now());
            break;
        case CHANNEL_RELOADED:
            reload_end(guard, true, clock_now());
            break;
        case CHANNEL_RELOAD_KEPT:
            reload_end(guard, false, clock_now());
            break;
        case CHANNEL_LEAVE: /* ours to say, not to hear */
        case CHANNEL_RELOAD_READING:
        case CHANNEL_RELOAD:
        case CHANNEL_RELOAD_SAME:
        case CHANNEL_RELOAD_BAD:
        case CHANNEL_DUMP:
        case CHANNEL_DUMP_STATS:
        case CHANNEL_DUMP_JSON:
        case CHANNEL_MESSAGE_COUNT:
            break;
        }
    }
    if (result == 0)
        guard_worker_hung_up(guard);
}

static int64_t look_every_us(const struct guard *guard)
{
    int64_t watchdog_us = guard->start->ready->watchdog_us;

    return watchdog_us > 0 && watchdog_us < LOOK_US ? watchdog_us : LOOK_US;
}

/*
 * Does the worker's loop turn? systemd hears from us only while it does: a hang of either is a hang of the daemon. One
 * that hangs for long is ended, since nothing else would ever bring this host back, and without the lease it goes on
 * answering. What counts is how often we looked: when all of the daemon was stopped, nobody did.
 */
static void look_after_worker(struct guard *guard, struct mono now)
{
    uint64_t beats = guard_page_beats(guard->page);

    if (!mono_due(now, guard->look_at))
        return;
    guard->look_at = mono_add(now, look_every_us(guard));
    guard->silent_looks = guard->pidfd < 0 || beats != guard->beats ? 0 : guard->silent_looks + 1;
    guard->beats = beats;
    if (guard->silent_looks == 0 && mono_due(now, guard->watchdog_at)) {
        guard->watchdog_at = mono_add(now, guard->start->ready->watchdog_us);
        ready_say(guard->start->ready, "WATCHDOG=1");
    }
    if (!guard->worker_up || guard->silent_looks * look_every_us(guard) < HUNG_US)
        return;
    log_error("the worker hangs: its loop has not turned for %.0f s; it is ended", (double)HUNG_US / US_PER_S);
    guard->silent_looks = 0;
    guard_worker_kill(guard);
}

static void run_timers(struct guard *guard, struct mono now)
{
    look_after_worker(guard, now);
    if (mono_due(now, guard->read_by))
        reload_read_timeout(guard);
    if (mono_due(now, guard->restart_at) && guard_script_is_ready(guard->script))
        guard_worker_start(guard, now);
    if (mono_due(now, guard->leave_by)) {
        log_error("the worker did not leave in time and is ended");
        guard->leave_by = MONO_NEVER;
        guard_worker_kill(guard);
    }
}

static int poll_timeout_ms(const struct guard *guard, struct mono now)
{
    struct mono next = mono_min(mono_min(guard->script_at, guard->leave_by), mono_min(guard->look_at, guard->read_by));

    if (guard_script_is_ready(guard->script))
        next = mono_min(next, guard->restart_at);
    if (mono_is_never(next))
        return -1;
    int64_t wait_us = mono_diff_us(next, now);

    return wait_us <= 0 ? 0 : (int)((wait_us + US_PER_MS - 1) / US_PER_MS);
}

static void turn(struct guard *guard)
{
    struct pollfd fds[OWN_FDS + GUARD_SCRIPT_FDS_MAX] = {
        {.fd = guard->pidfd, .events = POLLIN},
        {.fd = guard->signals, .events = POLLIN},
        {.fd = guard->channel, .events = POLLIN},
        {.fd = guard->reading != NULL ? reload_file_fd(guard->reading) : -1, .events = POLLIN},
    };
    unsigned count = guard_script_poll(guard->script, fds + OWN_FDS, GUARD_SCRIPT_FDS_MAX);

    if (poll(fds, OWN_FDS + count, poll_timeout_ms(guard, clock_now())) < 0 && errno != EINTR) {
        log_error("poll: %s", strerror(errno));
        guard_worker_kill(guard);
        guard->leaving = true;
    }
    if (guard->channel >= 0)
        take_messages(guard);
    if (fds[0].revents != 0)
        guard_worker_ended(guard);
    if (fds[1].revents != 0 && !guard->done)
        take_signals(guard, clock_now());
    if (fds[3].revents != 0 && !guard->done)
        reload_read(guard, clock_now());
    if (!guard->done)
        run_timers(guard, clock_now());
    guard->script_at = guard_script_turn(guard->script, clock_now());
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 2);
    sigaddset(&set, SIGRTMAX - 1);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* Its first act would be to cut this host off. That the kernel cannot be asked the worker will say. */
static bool takes_own_address(const struct guard *guard)
{
    char text[ADDR_TEXT_MAX];
    struct addr address;
    const char *link;

    if (kernel_find_own(guard->config, &address, &link) <= 0)
        return false;
    log_error("%s is this host's own address, the only one on %s: it cannot be a pool's", addr_format(&address, text),
              link);
    return true;
}

/* Everything that can fail and needs no worker. 0 or an exit code, after saying why. */
static int prepare(struct guard *guard)
{
    int error;

    if (takes_own_address(guard))
        return EX_CONFIG;
    guard->signals = open_signals();
    if (guard->signals < 0) {
        log_error("signals: %s", strerror(-guard->signals));
        return EX_OSERR;
    }
    guard->sender = sender_open();
    if (guard->sender < 0) {
        log_error("a packet socket cannot be opened: %s", strerror(-guard->sender));
        return EX_OSERR;
    }
    error = packet_ip_open(&guard->ip);
    if (error < 0) {
        log_error("a raw socket cannot be opened: %s", strerror(-error));
        return EX_OSERR;
    }
    error = guard_page_open(&guard->config->core, &guard->page);
    if (error < 0) {
        log_error("shared memory: %s", strerror(-error));
        return EX_OSERR;
    }
    error = guard_script_open(guard->config, &guard->script);
    if (error < 0) {
        log_error("commands: %s", strerror(-error));
        return EX_OSERR;
    }
    guard->number = number_claim(&guard->number_claim);
    if (guard->number > 1)
        log_notice("another daemon runs in this network namespace: tables in nftables are named evenkeel%u_...",
                   guard->number);
    /* On a busy host, too, a dead worker's addresses have to go within milliseconds. Not allowed in containers, and
     * then not missed but under load. */
    realtime_thread(REALTIME_PRIORITY);
    return 0;
}

int guard_run(const struct guard_start *start)
{
    struct guard guard = {
        .start = start,
        .config = start->config,
        .sender = -1,
        .signals = -1,
        .number_claim = -1,
        .pidfd = -1,
        .channel = -1,
        .restart_at = clock_now(),
        .script_at = clock_now(),
        .leave_by = MONO_NEVER,
        .read_by = MONO_NEVER,
        .look_at = clock_now(),
        .watchdog_at = start->ready->watchdog_us > 0 ? clock_now() : MONO_NEVER,
    };

    guard.exit_code = prepare(&guard);
    guard.done = guard.exit_code != 0;
    while (!guard.done)
        turn(&guard);
    if (guard.script != NULL)
        guard_script_finish(guard.script, guard.signals);
    guard_script_close(guard.script);
    if (guard.channel >= 0)
        close(guard.channel);
    if (guard.signals >= 0)
        close(guard.signals);
    if (guard.number_claim >= 0)
        close(guard.number_claim);
    sender_close(guard.sender);
    packet_ip_close(guard.ip);
    guard_page_close(guard.page);
    reload_file_close(guard.reading);
    guard_page_close(guard.next_page);
    config_free(guard.next_config);
    config_free(guard.before);
    config_free(guard.config);
    return guard.exit_code;
}
