/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's answers without waiting for them, so that keys work while a daemon does not. One question at a time: a
 * connection is made, some requests go out, their answers come in, the connection ends.
 */
#ifndef EVENKEEL_CTL_WATCH_SOURCE_H
#define EVENKEEL_CTL_WATCH_SOURCE_H

#include "client/exchange.h"
#include "ctl/client.h"

#define SOURCE_ANSWERS 2

enum source_state {
    SOURCE_IDLE,
    SOURCE_CONNECTING, /* the daemon takes in nobody: it is tried again by source_read */
    SOURCE_WAITING,
    SOURCE_DONE,   /* all answers are there */
    SOURCE_FAILED, /* `problem` says why */
};

struct source {
    const struct ctl *ctl;
    enum source_state state;
    int fd; /* -1: not connected */
    unsigned count;
    json_t *const *requests;         /* as many; the caller's */
    json_t *answers[SOURCE_ANSWERS]; /* valid in SOURCE_DONE, until the next question */
    char problem[CLIENT_PROBLEM_MAX];
    struct exchange_line text;
    int64_t until_ms; /* exchange_now_ms: no longer than until then for the question that is being asked */
};

struct source source_init(const struct ctl *ctl);
void source_end(struct source *source);

/* Asks: SOURCE_CONNECTING, SOURCE_WAITING or SOURCE_FAILED. `requests` must stay until the answers are there. */
void source_ask(struct source *source, json_t *const *requests, unsigned count);
/* Takes in what is there; call it when `fd` is readable, and now and then. */
void source_read(struct source *source);

#endif
