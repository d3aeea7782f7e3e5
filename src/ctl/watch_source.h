/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's answers without waiting for them, so that keys work while a daemon does not. One question at a time: a
 * connection is made, some requests go out, their answers come in, the connection ends.
 */
#ifndef EVENKEEL_CTL_WATCH_SOURCE_H
#define EVENKEEL_CTL_WATCH_SOURCE_H

#include "ctl/client.h"

#define SOURCE_ANSWERS 2
#define SOURCE_PATIENCE_S 5

enum source_state {
    SOURCE_IDLE,
    SOURCE_WAITING,
    SOURCE_DONE,   /* all answers are there */
    SOURCE_FAILED, /* `problem` says why */
};

struct source {
    const struct ctl *ctl;
    enum source_state state;
    int fd; /* -1: not connected */
    unsigned count;
    json_t *answers[SOURCE_ANSWERS]; /* valid in SOURCE_DONE, until the next question */
    char problem[CLIENT_PROBLEM_MAX];
    char *text;
    size_t length, capacity;
    struct timespec asked; /* CLOCK_MONOTONIC */
};

struct source source_init(const struct ctl *ctl);
void source_end(struct source *source);

/* Asks: SOURCE_WAITING or SOURCE_FAILED. */
void source_ask(struct source *source, json_t *const *requests, unsigned count);
/* Takes in what is there; call it when `fd` is readable, and now and then. */
void source_read(struct source *source);

#endif
