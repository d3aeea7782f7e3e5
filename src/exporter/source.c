/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See source.h. Called by main.c. */
#include "exporter/source.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRESH_MS 1000
#define RETRY_MS 1000
#define EVENTS_REQUEST "{\"command\":\"events\",\"limit\":120}"

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void source_init(struct source *source, const char *run_dir)
{
    *source = (struct source){.retry_ms = 0};
    control_client_init(&source->control, run_dir);
}

static void forget(struct source *source)
{
    for (unsigned kind = 0; kind < SOURCE_KINDS; kind++) {
        json_decref(source->answers[kind]);
        source->answers[kind] = NULL;
        source->fresh_until_ms[kind] = 0;
    }
}

void source_close(struct source *source)
{
    forget(source);
    control_client_close(&source->control);
}

static void note_reachable(struct source *source, bool reachable)
{
    if (source->said && source->reachable == reachable)
        return;
    source->said = true;
    source->reachable = reachable;
    if (reachable)
        fprintf(stderr, "evenkeel-exporter: evenkeeld answers\n");
    else
        fprintf(stderr, "evenkeel-exporter: evenkeeld does not answer, evenkeel_up is 0 until it does: %s\n",
                source->error);
}

static json_t *ask(struct source *source, enum source_kind kind)
{
    switch (kind) {
    case SOURCE_STATUS:
        return control_client_ask_all(&source->control, "status");
    case SOURCE_COUNTERS:
        return control_client_ask_all(&source->control, "counters");
    case SOURCE_EVENTS:
        return control_client_ask(&source->control, EVENTS_REQUEST);
    case SOURCE_KINDS:
        break;
    }
    return NULL;
}

/* What every good answer of this kind has. */
static bool is_answer(const json_t *answer, enum source_kind kind)
{
    const json_t *list = json_object_get(answer, kind == SOURCE_EVENTS ? "entries" : "pools");

    return json_is_array(list) && (kind == SOURCE_EVENTS || json_is_object(json_object_get(answer, "daemon")));
}

static bool fetch(struct source *source, enum source_kind kind)
{
    int64_t before = now_us();
    json_t *answer = ask(source, kind);
    bool good = is_answer(answer, kind);

    if (!good) {
        snprintf(source->error, sizeof(source->error), "%s",
                 answer != NULL ? "the daemon's answer is not what was asked for" : source->control.error);
        json_decref(answer);
        forget(source);
        source->failures++;
        source->retry_ms = now_us() / 1000 + RETRY_MS;
    } else {
        json_decref(source->answers[kind]);
        source->answers[kind] = answer;
        source->answer_s = (double)(now_us() - before) / 1e6;
        source->fresh_until_ms[kind] = now_us() / 1000 + FRESH_MS;
    }
    note_reachable(source, good);
    return good;
}

bool source_refresh(struct source *source, const enum source_kind *kinds, unsigned count)
{
    int64_t now_ms = now_us() / 1000;

    if (now_ms < source->retry_ms)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (now_ms >= source->fresh_until_ms[kinds[i]] && !fetch(source, kinds[i]))
            return false;
    }
    source->error[0] = '\0';
    return true;
}
