/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl watch: a live picture of the pools. On a terminal it has the whole screen and obeys keys; elsewhere, with
 * TERM=dumb and with --json it prints the status again and again.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client/exchange.h"
#include "ctl/client.h"
#include "ctl/screen.h"
#include "ctl/status_view.h"
#include "ctl/watch_source.h"
#include "ctl/watch_state.h"
#include "ctl/watch_term.h"
#include "ctl/watch_view.h"

#define INTERVAL_MS 1000
#define CHANGES_ASKED 60 /* as many as any screen has lines for */
#define KEYS_BYTES 256

struct watch {
    struct ctl ctl; /* `term` follows the window */
    struct watch_state state;
    struct source source;
    struct screen *screen;
    json_t *requests[SOURCE_ANSWERS];
    json_t *status, *history; /* as last drawn */
    char problem[CLIENT_PROBLEM_MAX];
    int64_t interval_ms, ask_next_ms;
    int signals;
    int ended_by; /* signal; 0: none */
    bool over;
};

/* --- elsewhere than on a terminal --- */

static int print_plainly(const struct ctl *ctl, int64_t interval_ms)
{
    const struct timespec rest = {.tv_sec = interval_ms / 1000, .tv_nsec = (long)(interval_ms % 1000) * 1000000};

    for (;;) {
        json_t *answer;
        int code = client_ask_all_pools(ctl, "status", &answer);

        if (code != EX_OK)
            return code;
        if (ctl->json) {
            json_dumpf(answer, stdout, JSON_COMPACT);
            putchar('\n');
        } else {
            printf("%s\n", reply_text(answer, "time"));
            status_show(stdout, ctl, answer);
            putchar('\n');
        }
        json_decref(answer);
        if (fflush(stdout) != 0)
            return EX_IOERR;
        nanosleep(&rest, NULL);
    }
}

/* --- on a terminal --- */

static bool draw(struct watch *w)
{
    const struct watch_answers answers = {.status = w->status, .history = w->history, .problem = w->problem};
    size_t length;

    screen_begin(w->screen);
    watch_draw(&w->state, &w->ctl, &answers, w->screen);
    const char *bytes = screen_changes(w->screen, w->ctl.term.colour, &length);

    return watch_term_write(bytes, length);
}

/* The window has another size, or something else was shown on it. */
static bool begin_anew(struct watch *w)
{
    bool colour = w->ctl.term.colour; /* as chosen */
    struct term term = term_look();
    struct screen *screen = screen_new(term.width, term.height > 0 ? term.height : 24);

    if (screen == NULL)
        return false;
    w->ctl.term = term;
    w->ctl.term.colour = colour;
    screen_free(w->screen);
    w->screen = screen;
    return true;
}

static void take_answers(struct watch *w)
{
    source_read(&w->source);
    if (w->source.state == SOURCE_FAILED) {
        snprintf(w->problem, sizeof(w->problem), "%s", w->source.problem);
    } else if (w->source.state == SOURCE_DONE) {
        json_decref(w->status);
        json_decref(w->history);
        w->status = json_incref(w->source.answers[0]);
        w->history = json_incref(w->source.answers[1]);
        w->problem[0] = '\0';
    } else {
        return;
    }
    w->source.state = SOURCE_IDLE;
}

static void take_keys(struct watch *w)
{
    char bytes[KEYS_BYTES];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
        w->over = true; /* the terminal is gone */
        return;
    }
    for (size_t at = 0, used; count > 0 && at < (size_t)count && !w->over; at += used) {
        int key = watch_read_key(bytes + at, (size_t)count - at, &used);

        w->over = !watch_take_key(&w->state, key);
    }
}

static void take_signals(struct watch *w)
{
    switch (watch_term_signal(w->signals, &w->ended_by)) {
    case WATCH_TERM_NOTHING:
        return;
    case WATCH_TERM_RESIZED:
        w->over = !begin_anew(w);
        return;
    case WATCH_TERM_END:
        w->over = true;
        return;
    }
}

/* Asks when it is time to; how long to sleep at most. */
static int ask(struct watch *w)
{
    int64_t now = exchange_now_ms();

    if (w->source.state == SOURCE_WAITING || w->source.state == SOURCE_CONNECTING)
        return 200; /* source_read watches the time */
    if (w->state.paused)
        return -1;
    if (now >= w->ask_next_ms) {
        w->ask_next_ms = now + w->interval_ms;
        source_ask(&w->source, w->requests, SOURCE_ANSWERS);
        take_answers(w);
        return 200;
    }
    return (int)(w->ask_next_ms - now);
}

static int run(struct watch *w)
{
    while (!w->over) {
        int wait_ms = ask(w);
        struct pollfd fds[] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = w->signals, .events = POLLIN},
            {.fd = w->source.fd, .events = POLLIN},
        };

        if (!draw(w))
            return EX_IOERR;
        if (poll(fds, 3, wait_ms) < 0 && errno != EINTR)
            return EX_OSERR;
        if (fds[1].revents != 0)
            take_signals(w);
        if (fds[0].revents != 0 && !w->over)
            take_keys(w);
        take_answers(w);
    }
    return EX_OK;
}

static int watch_on_terminal(struct watch *w)
{
    int code = EX_OSERR;

    w->signals = watch_term_open();
    if (w->signals < 0) {
        ctl_complain("the terminal cannot be used: %s", strerror(-w->signals));
        return EX_OSERR;
    }
    w->source = source_init(&w->ctl);
    if (begin_anew(w))
        code = run(w);
    watch_term_close();
    source_end(&w->source);
    screen_free(w->screen);
    json_decref(w->status);
    json_decref(w->history);
    close(w->signals);
    return code;
}

/* Whoever started us shall see by which signal we ended. */
static void end_by(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int watch_command(const struct ctl *ctl, int argc, char **argv)
{
    struct watch w = {.ctl = *ctl, .interval_ms = ctl->interval_ms > 0 ? ctl->interval_ms : INTERVAL_MS};

    (void)argc, (void)argv;
    if (ctl->json || !watch_term_is_usable())
        return print_plainly(ctl, w.interval_ms);
    w.requests[0] = client_request(ctl, "status");
    w.requests[1] = client_request(ctl, "history");
    json_object_set_new(w.requests[1], "limit", json_integer(CHANGES_ASKED));
    int code = watch_on_terminal(&w);

    for (unsigned i = 0; i < SOURCE_ANSWERS; i++)
        json_decref(w.requests[i]);
    if (w.ended_by != 0)
        end_by(w.ended_by);
    return code;
}
