/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `keelctl witness`: the loop. One thread waits for its timer, frames, signals and commands; a timer that is served
 * late is a stall of the witness itself and is recorded, since it may look like a gap.
 */
#include "ctl/witness.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/witness_probe.h"
#include "ctl/witness_report.h"
#include "platform/clock.h"

#define STALL_US (5 * US_PER_MS)
#define CATCH_UP_TICKS 4 /* more ticks than that are not made up for: a burst would distort the rest */
#define TABLE_US (500 * US_PER_MS)
#define DRAIN_US (150 * US_PER_MS) /* for the last answers */

enum wait_index {
    WAIT_TIMER,
    WAIT_SIGNAL,
    WAIT_INPUT,
    WAIT_PORTS,
};

struct loop {
    struct witness_probe probe;
    struct pollfd waits[WAIT_PORTS + WITNESS_PORTS_MAX];
    sigset_t old_signals;
    struct mono due;   /* of the next tick */
    struct mono table; /* when the live table is due; never: none is shown */
    bool ending;
    unsigned marks;
    size_t input_length;
    char input[128];
};

static void on_event(void *context, const struct witness_event *event)
{
    struct loop *loop = context;

    if (loop->probe.options->events)
        witness_report_event(&loop->probe, event, stdout);
}

static void mark(struct loop *loop, const char *name)
{
    witness_watch_mark(&loop->probe.watch, name, clock_now(), witness_probe_dropped(&loop->probe));
}

static void on_signal(struct loop *loop)
{
    struct signalfd_siginfo info;
    char name[32];

    if (read(loop->waits[WAIT_SIGNAL].fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo != SIGUSR1) {
        loop->ending = true;
        return;
    }
    snprintf(name, sizeof(name), "mark %u", ++loop->marks);
    mark(loop, name);
}

static void on_command(struct loop *loop, char *line)
{
    line[strcspn(line, "\r")] = '\0';
    if (strncmp(line, "mark ", 5) == 0 && line[5])
        mark(loop, line + 5);
    else if (strcmp(line, "show") == 0)
        witness_report_state(&loop->probe, stdout);
    else if (strcmp(line, "quit") == 0)
        loop->ending = true;
    else if (line[0])
        fprintf(stderr, "witness: commands are: mark NAME, show, quit; not \"%s\"\n", line);
}

static void on_input(struct loop *loop)
{
    const size_t room = sizeof(loop->input) - 1 - loop->input_length;
    const ssize_t count = read(STDIN_FILENO, loop->input + loop->input_length, room);
    char *end;

    if (count <= 0) {
        loop->waits[WAIT_INPUT].fd = -1;
        return;
    }
    loop->input_length += (size_t)count;
    loop->input[loop->input_length] = '\0';
    while ((end = strchr(loop->input, '\n'))) {
        *end = '\0';
        on_command(loop, loop->input);
        loop->input_length -= (size_t)(end + 1 - loop->input);
        memmove(loop->input, end + 1, loop->input_length + 1);
    }
    if (loop->input_length == sizeof(loop->input) - 1)
        loop->input_length = 0; /* no command is that long */
}

static unsigned terminal_rows(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 8 ? size.ws_row - 4u : 20;
}

static void show_table(struct loop *loop, struct mono now)
{
    fputs("\033[H\033[2J", stdout);
    witness_report_table(&loop->probe, terminal_rows(), stdout);
    fflush(stdout);
    loop->table = mono_add(now, TABLE_US);
}

static void on_timer(struct loop *loop)
{
    uint64_t ticks = 0;
    const struct mono now = clock_now();

    if (read(loop->waits[WAIT_TIMER].fd, &ticks, sizeof(ticks)) != sizeof(ticks))
        return;
    if (mono_diff_us(now, loop->due) > STALL_US) {
        const struct witness_stall stall = {.from = loop->due, .to = now};

        witness_record_stall(&loop->probe.watch.record, stall.from, stall.to);
        if (loop->probe.options->events)
            witness_report_stall(&loop->probe, &stall, stdout);
    }
    loop->due = mono_add(loop->due, (int64_t)ticks * loop->probe.tick_us);
    for (uint64_t i = 0; i == 0 || (i < ticks && ticks <= CATCH_UP_TICKS); i++)
        witness_probe_tick(&loop->probe);
    if (mono_due(now, loop->table))
        show_table(loop, now);
}

static int open_timer(struct loop *loop)
{
    const int64_t tick_us = loop->probe.tick_us;
    const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    loop->due = mono_add(clock_now(), tick_us);
    const struct itimerspec spec = {
        .it_value = {.tv_sec = loop->due.us / US_PER_S, .tv_nsec = loop->due.us % US_PER_S * 1000},
        .it_interval = {.tv_sec = tick_us / US_PER_S, .tv_nsec = tick_us % US_PER_S * 1000},
    };

    return fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0 ? fd : -1;
}

static int open_signals(struct loop *loop)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, &loop->old_signals);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Reading from a terminal in the background would stop us. */
static bool input_is_ours(void)
{
    return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static bool open_waits(struct loop *loop)
{
    for (unsigned i = 0; i < sizeof(loop->waits) / sizeof(loop->waits[0]); i++)
        loop->waits[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    loop->waits[WAIT_TIMER].fd = open_timer(loop);
    loop->waits[WAIT_SIGNAL].fd = open_signals(loop);
    loop->waits[WAIT_INPUT].fd = input_is_ours() ? STDIN_FILENO : -1;
    for (unsigned i = 0; i < loop->probe.port_open; i++)
        loop->waits[WAIT_PORTS + i].fd = loop->probe.ports[i].fd;
    return loop->waits[WAIT_TIMER].fd >= 0 && loop->waits[WAIT_SIGNAL].fd >= 0;
}

static void close_waits(struct loop *loop)
{
    if (loop->waits[WAIT_TIMER].fd >= 0)
        close(loop->waits[WAIT_TIMER].fd);
    if (loop->waits[WAIT_SIGNAL].fd >= 0)
        close(loop->waits[WAIT_SIGNAL].fd);
    sigprocmask(SIG_SETMASK, &loop->old_signals, NULL);
}

static void wait_once(struct loop *loop, int timeout_ms)
{
    if (poll(loop->waits, WAIT_PORTS + loop->probe.port_open, timeout_ms) <= 0)
        return;
    /* Answers first: a late timer must not judge what already waits in a socket. */
    witness_probe_receive(&loop->probe);
    if (loop->waits[WAIT_SIGNAL].revents)
        on_signal(loop);
    if (loop->waits[WAIT_INPUT].revents)
        on_input(loop);
    if (loop->waits[WAIT_TIMER].revents)
        on_timer(loop);
}

static void run(struct loop *loop)
{
    const struct witness_options *o = loop->probe.options;
    const struct mono end = o->duration_us ? mono_add(loop->probe.started, o->duration_us) : MONO_NEVER;

    while (!loop->ending && !mono_due(clock_now(), end))
        wait_once(loop, -1);
    const struct mono stop = clock_now();

    close(loop->waits[WAIT_TIMER].fd);
    loop->waits[WAIT_TIMER].fd = -1;
    while (mono_diff_us(clock_now(), stop) < DRAIN_US)
        wait_once(loop, 10);
    witness_watch_finish(&loop->probe.watch, stop);
}

static void report(struct loop *loop)
{
    const struct witness_options *o = loop->probe.options;

    if (o->json)
        witness_report_json(&loop->probe, stdout);
    else if (!o->events)
        witness_report_table(&loop->probe, WITNESS_VIPS_MAX, stdout);
}

static void ask_for_priority(int priority)
{
    const struct sched_param parameter = {.sched_priority = priority};

    /* Not allowed is no error: the witness then has more stalls, and reports them. */
    if (priority > 0)
        (void)sched_setscheduler(0, SCHED_FIFO, &parameter);
}

int witness_main(int argc, char **argv)
{
    struct witness_options options;
    struct loop loop = {.table = MONO_NEVER};
    bool done;
    int code = witness_options_read(argc, argv, &options, &done);

    if (code != EX_OK || done)
        return code;
    code = witness_probe_open(&loop.probe, &options, on_event, &loop);
    if (code != EX_OK)
        return code;
    if (!options.json && !options.events && isatty(STDOUT_FILENO))
        loop.table = loop.probe.started;
    ask_for_priority(options.priority);
    if (options.events)
        witness_report_start(&loop.probe, stdout);
    if (open_waits(&loop)) {
        run(&loop);
        report(&loop);
    } else {
        fprintf(stderr, "witness: cannot start: %s\n", strerror(errno));
        code = EX_OSERR;
    }
    close_waits(&loop);
    witness_probe_close(&loop.probe);
    return code;
}
