/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See track_source.h. */
#include "daemon/track_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOST_US (15 * (int64_t)US_PER_S) /* after the time limit: then the result will not come */

/* --- making them --- */

static struct track_source *named_interface(struct track_sources *sources, const char *name)
{
    for (unsigned i = 0; i < sources->count; i++)
        if (sources->list[i].kind == CHECK_TRACK_INTERFACE && strcmp(sources->list[i].name, name) == 0)
            return &sources->list[i];
    return NULL;
}

struct track_source *track_sources_find(struct track_sources *sources, enum check_tracker_kind kind, unsigned index)
{
    for (unsigned i = 0; i < sources->count; i++)
        if (sources->list[i].kind == kind && sources->list[i].index == index)
            return &sources->list[i];
    return NULL;
}

static unsigned block_index(const struct track_sources *sources, const struct check_tracker *tracker)
{
    switch ((enum check_tracker_kind)tracker->kind) {
    case CHECK_TRACK_SCRIPT:
        return (unsigned)(tracker->script - sources->instances->scripts);
    case CHECK_TRACK_FILE:
        return (unsigned)(tracker->file - sources->instances->files);
    case CHECK_TRACK_PROCESS:
        return (unsigned)(tracker->process - sources->instances->processes);
    case CHECK_TRACK_INTERFACE:
    case CHECK_TRACK_KINDS:
        break;
    }
    return sources->interface_count;
}

static void set_text(struct track_source *source, const char *text)
{
    snprintf(source->text, sizeof(source->text), "%s", text);
}

static void begin_script(struct track_source *source, const struct check_script *script, struct mono now)
{
    source->script = script;
    source->state = script->init_fail ? TRACK_FAILED : TRACK_WAITING;
    source->counter = script->init_fail ? 0 : script->rise - 1; /* the first success is enough */
    source->next = now;
    if (script->command.argument_count > 0)
        return;
    source->state = TRACK_FAILED;
    source->next = MONO_NEVER;
    set_text(source, "no command is given");
}

static void begin_source(struct track_source *source, const struct check_tracker *tracker, struct mono now)
{
    if (tracker->kind == CHECK_TRACK_SCRIPT)
        begin_script(source, tracker->script, now);
    source->process = tracker->process;
    if (tracker->kind == CHECK_TRACK_PROCESS && tracker->process->words == NULL) {
        source->state = TRACK_FAILED;
        set_text(source, "no process is given");
    }
    if (tracker->kind == CHECK_TRACK_FILE && tracker->file->path == NULL) {
        source->state = TRACK_FAILED;
        set_text(source, "no file is given");
    }
}

bool track_sources_bind(struct track_sources *sources, const struct check_tracker *tracker, struct mono now,
                        unsigned *out)
{
    enum check_tracker_kind kind = (enum check_tracker_kind)tracker->kind;
    bool interface = kind == CHECK_TRACK_INTERFACE;

    *out = TRACK_NO_SOURCE;
    if (!interface && !tracker->resolved)
        return true;
    unsigned index = block_index(sources, tracker);
    struct track_source *source =
        interface ? named_interface(sources, tracker->name) : track_sources_find(sources, kind, index);

    if (source == NULL) {
        source = realloc(sources->list, (sources->count + 1) * sizeof(sources->list[0]));
        if (source == NULL)
            return false;
        sources->list = source;
        source = &sources->list[sources->count++];
        *source = (struct track_source){.kind = tracker->kind,
                                        .index = index,
                                        .name = tracker->name,
                                        .since = now,
                                        .next = MONO_NEVER,
                                        .last = MONO_NEVER,
                                        .give_up = MONO_NEVER,
                                        .pending_at = MONO_NEVER};
        begin_source(source, tracker, now);
        sources->interface_count += interface;
    }
    *out = (unsigned)(source - sources->list);
    return true;
}

static const struct track_source *named_source(const struct track_sources *sources, const struct track_source *like)
{
    for (unsigned i = 0; i < sources->count; i++)
        if (sources->list[i].kind == like->kind && strcmp(sources->list[i].name, like->name) == 0)
            return &sources->list[i];
    return NULL;
}

/* Its rise and fall may be others now: what counts is how it stands. */
static int64_t fitting_counter(const struct track_source *source)
{
    const struct check_script *script = source->script;
    int64_t most = (int64_t)script->rise + script->fall - 1;

    if (source->state == TRACK_GOOD)
        return source->counter < script->rise || source->counter > most ? most : source->counter;
    return source->counter >= script->rise ? script->rise - 1 : source->counter;
}

void track_sources_take_over(struct track_sources *sources, const struct track_sources *old)
{
    for (unsigned i = 0; i < sources->count; i++) {
        struct track_source *source = &sources->list[i];
        const struct track_source *from = named_source(old, source);
        bool script = source->kind == CHECK_TRACK_SCRIPT;

        if (from == NULL || from->state == TRACK_WAITING || (script && mono_is_never(source->next)))
            continue;
        source->state = from->state;
        source->since = from->since;
        source->value = from->value;
        source->last = from->last;
        source->run = from->run;
        source->runs = from->runs;
        source->failures = from->failures;
        source->timeouts = from->timeouts;
        source->not_run = from->not_run;
        source->skipped = from->skipped;
        source->ended = from->ended;
        source->outcome = from->outcome;
        source->took_us = from->took_us;
        set_text(source, from->text);
        if (!script)
            continue;
        source->counter = from->counter;
        source->counter = fitting_counter(source);
    }
}

/* --- states --- */

/* True when it is another one than before. */
static bool set_state(struct track_source *source, enum track_state state, struct mono now)
{
    if (source->state == state)
        return false;
    source->state = (uint8_t)state;
    source->since = now;
    source->news = true;
    return true;
}

/* --- scripts --- */

static bool count_success(struct track_source *source, struct mono now)
{
    const struct check_script *script = source->script;

    if (source->counter < script->rise - 1) {
        source->counter++;
        return false;
    }
    source->counter = (int64_t)script->rise + script->fall - 1;
    return set_state(source, TRACK_GOOD, now);
}

static bool count_failure(struct track_source *source, struct mono now)
{
    source->failures++;
    if (source->counter > source->script->rise) {
        source->counter--;
        return false;
    }
    source->counter = 0;
    return set_state(source, TRACK_FAILED, now);
}

bool track_source_script(struct track_source *source, uint32_t run, enum track_outcome outcome, const char *text,
                         struct mono now)
{
    if (!source->running || source->run != run)
        return false; /* it was given up */
    source->running = false;
    source->give_up = MONO_NEVER;
    if (outcome == TRACK_BUSY) {
        source->skipped++;
        return false;
    }
    source->ended = true;
    source->outcome = (uint8_t)outcome;
    source->took_us = mono_diff_us(now, source->last);
    source->runs += outcome != TRACK_NOT_RUN;
    source->not_run += outcome == TRACK_NOT_RUN;
    source->timeouts += outcome == TRACK_RAN_OVER;
    set_text(source, text);
    return outcome == TRACK_RAN_GOOD ? count_success(source, now) : count_failure(source, now);
}

/* The next start in the rhythm; what a host slept through is not made up for. */
static void schedule(struct track_source *source, struct mono now)
{
    source->next = mono_add(source->next, source->script->interval_us);
    if (mono_due(now, source->next))
        source->next = mono_add(now, source->script->interval_us);
}

bool track_sources_next_run(struct track_sources *sources, struct mono now, struct track_run *out)
{
    for (unsigned i = 0; i < sources->count; i++) {
        struct track_source *source = &sources->list[i];

        if (source->kind != CHECK_TRACK_SCRIPT || !mono_due(now, source->next))
            continue;
        schedule(source, now);
        if (source->running) {
            source->skipped++;
            continue;
        }
        source->running = true;
        source->last = now;
        source->give_up = mono_add(now, source->script->timeout_us + LOST_US);
        *out = (struct track_run){.script = source->index, .run = ++source->run};
        return true;
    }
    return false;
}

/* --- the others --- */

bool track_source_file(struct track_source *source, int64_t value, bool failed, const char *text, struct mono now)
{
    bool changed = source->value != value;

    source->value = value;
    set_text(source, text);
    return set_state(source, failed ? TRACK_FAILED : TRACK_GOOD, now) || changed;
}

static bool count_processes(struct track_source *source, int64_t count, struct mono now)
{
    const struct check_process *process = source->process;
    bool good = count >= process->quorum && (process->quorum_max == 0 || count <= process->quorum_max);

    source->value = count;
    source->pending_at = MONO_NEVER;
    snprintf(source->text, sizeof(source->text), "%" PRId64 " %s", count, count == 1 ? "process" : "processes");
    return set_state(source, good ? TRACK_GOOD : TRACK_FAILED, now);
}

bool track_source_process(struct track_source *source, unsigned count, struct mono now)
{
    if (source->state == TRACK_WAITING)
        return count_processes(source, count, now);
    if (count == source->value) {
        source->pending_at = MONO_NEVER;
        return false;
    }
    int64_t delay_us = count > source->value ? source->process->fork_delay_us : source->process->terminate_delay_us;

    if (delay_us == 0)
        return count_processes(source, count, now);
    /* More than counts now is one wait, less is another; within one the clock runs on. */
    bool same_way = !mono_is_never(source->pending_at) && (count > source->value) == (source->pending > source->value);

    source->pending = count;
    if (!same_way)
        source->pending_at = mono_add(now, delay_us);
    return false;
}

bool track_source_interface(struct track_source *source, bool up, struct mono now)
{
    set_text(source, up ? "up" : "down");
    return set_state(source, up ? TRACK_GOOD : TRACK_FAILED, now);
}

/* --- time --- */

bool track_sources_settle(struct track_sources *sources, struct mono now)
{
    bool changed = false;

    for (unsigned i = 0; i < sources->count; i++) {
        struct track_source *source = &sources->list[i];

        if (mono_due(now, source->pending_at))
            changed = count_processes(source, source->pending, now) || changed;
        if (mono_due(now, source->give_up))
            changed = track_source_script(source, source->run, TRACK_NOT_RUN, "its result never came", now) || changed;
    }
    return changed;
}

struct mono track_sources_deadline(const struct track_sources *sources)
{
    struct mono next = MONO_NEVER;

    for (unsigned i = 0; i < sources->count; i++) {
        const struct track_source *source = &sources->list[i];

        next = mono_min(mono_min(next, source->next), mono_min(source->pending_at, source->give_up));
    }
    return next;
}

void track_source_view(const struct track_source *source, struct track_view *out)
{
    *out = (struct track_view){
        .kind = source->kind,
        .name = source->name,
        .state = source->state,
        .text = source->text,
        .since = source->since,
        .value = source->value,
        .running = source->running,
        .last_run = source->last,
        .ended = source->ended,
        .last_outcome = source->outcome,
        .last_took_us = source->took_us,
        .runs = source->runs,
        .failures = source->failures,
        .timeouts = source->timeouts,
        .not_run = source->not_run,
        .skipped = source->skipped,
    };
}
