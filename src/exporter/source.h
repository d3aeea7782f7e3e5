/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the daemon: its answers, each kept for a moment, so that several readers at once cost it one
 * question. A failure is kept too: while the daemon is away, one question a second finds out that it is back, and
 * everybody else is told at once. It owns the connection and the answers.
 */
#ifndef EVENKEEL_EXPORTER_SOURCE_H
#define EVENKEEL_EXPORTER_SOURCE_H

#include <stdbool.h>

#include "client/control.h"

enum source_kind {
    SOURCE_STATUS,
    SOURCE_COUNTERS,
    SOURCE_EVENTS, /* the newest entries */
    SOURCE_KINDS,
};

struct source {
    struct control_client control;
    struct json_t *answers[SOURCE_KINDS]; /* NULL: none */
    int64_t fresh_until_ms[SOURCE_KINDS]; /* CLOCK_MONOTONIC; an answer is good until then */
    int64_t retry_ms;                     /* after a failure: not asked again before */
    bool reachable;                       /* the last question was answered */
    bool said;                            /* that it is, or is not */
    uint64_t failures;                    /* questions without a good answer */
    double answer_s;                      /* how long the last answer took */
    char error[CONTROL_ERROR_MAX];        /* why there is none */
};

void source_init(struct source *source, const char *run_dir);
void source_close(struct source *source);

/*
 * The answers of these kinds, each at most a second old; asks for those that are not there. False: one of them could
 * not be had, see `error`, and none may be used. They are valid until the next call.
 */
bool source_refresh(struct source *source, const enum source_kind *kinds, unsigned count);

#endif
