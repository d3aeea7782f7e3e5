/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See track.h. Sources are in track_source.c; here are the targets and their sums (doc/keepalived.md, weights). */
#include "daemon/track.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "daemon/track_source.h"

#define PRODUCT_MAX 253 /* of a file's number and its weight; at -254 it is a fault */
#define SHARE_MIN 2
#define SHARE_MAX 254

struct target {
    struct track_change told;
    bool said; /* at all */
    bool no_source;
    bool goes_on; /* a pool that ran before a reload */
    unsigned count;
    const struct check_tracker *trackers;
    unsigned *sources; /* of each tracker; TRACK_NO_SOURCE: not defined */
    uint8_t base;      /* TRACK_POOL: the configured share */
};

struct track {
    struct track_sources sources;
    unsigned count;
    struct target *targets;
    bool dirty; /* a source changed */
};

/* --- making it --- */

static bool add_target(struct track *track, struct track_change which, unsigned count,
                       const struct check_tracker *trackers, uint8_t base, struct mono now)
{
    struct target *grown = realloc(track->targets, (track->count + 1) * sizeof(track->targets[0]));

    if (grown == NULL)
        return false;
    track->targets = grown;
    struct target *target = &grown[track->count++];

    *target = (struct target){.told = which, .count = count, .trackers = trackers, .base = base};
    target->sources = calloc(count + 1, sizeof(target->sources[0]));
    if (target->sources == NULL)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!track_sources_bind(&track->sources, &trackers[i], now, &target->sources[i]))
            return false;
    return true;
}

static bool add_instance(struct track *track, const struct config *config, unsigned pool, unsigned unit,
                         struct mono now)
{
    const struct config_router *router = config->pools[pool].units[unit].router;
    const struct instance_settings *settings = config->core.pools[pool].units[unit].instance;
    bool source = settings != NULL && settings->track_source && !addr_is_none(&settings->source);

    if (router == NULL || (router->tracker_count == 0 && !source))
        return true;
    return add_target(track,
                      (struct track_change){.kind = TRACK_INSTANCE, .pool = (uint8_t)pool, .unit = (uint16_t)unit},
                      router->tracker_count, router->trackers, 0, now);
}

static bool add_targets(struct track *track, const struct config *config, struct mono now)
{
    bool good = true;

    for (unsigned p = 0; p < settings_all_count(&config->core) && good; p++) {
        const struct config_watch *watch = config->watches != NULL ? &config->watches[p] : NULL;

        for (unsigned u = 0; u < config->core.pools[p].unit_count && good; u++)
            good = add_instance(track, config, p, u, now);
        if (watch != NULL && watch->tracker_count > 0 && good)
            good = add_target(track, (struct track_change){.kind = TRACK_POOL, .pool = (uint8_t)p},
                              watch->tracker_count, watch->trackers, config->core.pools[p].share, now);
    }
    for (unsigned g = 0; config->instances != NULL && g < config->instances->group_count && good; g++) {
        const struct config_group *group = &config->instances->groups[g];

        if (group->tracker_count > 0)
            good = add_target(track, (struct track_change){.kind = TRACK_GROUP, .unit = (uint16_t)g},
                              group->tracker_count, group->trackers, 0, now);
    }
    return good;
}

struct track *track_new(const struct config *config, struct mono now)
{
    struct track *track = calloc(1, sizeof(*track));

    if (track == NULL)
        return NULL;
    track->sources.instances = config->instances;
    track->dirty = true;
    if (add_targets(track, config, now))
        return track;
    track_free(track);
    return NULL;
}

void track_free(struct track *track)
{
    if (track == NULL)
        return;
    for (unsigned i = 0; i < track->count; i++)
        free(track->targets[i].sources);
    free(track->targets);
    free(track->sources.list);
    free(track);
}

void track_take_over(struct track *track, const struct track *old, uint32_t pools)
{
    track_sources_take_over(&track->sources, &old->sources);
    for (unsigned i = 0; i < track->count; i++) {
        struct target *target = &track->targets[i];

        target->goes_on = target->told.kind == TRACK_POOL && (pools >> target->told.pool & 1) != 0;
    }
    track->dirty = true;
}

/* --- sums --- */

struct effect_sum {
    bool hold, fault;
    int64_t weight;
};

static void add_undefined(const struct check_tracker *tracker, struct effect_sum *sum)
{
    if (tracker->weight.value == 0)
        sum->fault = true;
    else if (tracker->weight.value < 0 && tracker->kind != CHECK_TRACK_FILE)
        sum->weight += tracker->weight.value;
}

static void add_file(const struct check_tracker *tracker, const struct track_source *source, struct effect_sum *sum)
{
    int64_t weight = tracker->weight.reverse ? -tracker->weight.value : tracker->weight.value;
    int64_t product;

    if (weight == 0) {
        sum->fault = sum->fault || source->state == TRACK_FAILED || source->value != 0;
        return;
    }
    if (__builtin_mul_overflow(source->value, weight, &product))
        product = (source->value < 0) == (weight < 0) ? INT64_MAX : INT64_MIN;
    sum->fault = sum->fault || product < -PRODUCT_MAX;
    sum->weight += product > PRODUCT_MAX ? PRODUCT_MAX : product < -PRODUCT_MAX ? -PRODUCT_MAX : product;
}

static void add_state(const struct check_tracker *tracker, const struct track_source *source, struct effect_sum *sum)
{
    bool counts = (source->state == TRACK_GOOD) != tracker->weight.reverse;

    if (tracker->weight.value == 0) {
        bool waiting = source->state == TRACK_WAITING;

        sum->hold = sum->hold || waiting;
        sum->fault = sum->fault || (!waiting && !counts);
    } else if ((tracker->weight.value > 0) == counts)
        sum->weight += tracker->weight.value;
}

static void add_effect(const struct track *track, const struct target *target, unsigned index, struct effect_sum *sum)
{
    const struct check_tracker *tracker = &target->trackers[index];

    if (tracker->ignored)
        return;
    if (target->sources[index] == TRACK_NO_SOURCE)
        add_undefined(tracker, sum);
    else if (tracker->kind == CHECK_TRACK_FILE)
        add_file(tracker, &track->sources.list[target->sources[index]], sum);
    else
        add_state(tracker, &track->sources.list[target->sources[index]], sum);
}

static int16_t held_in(int64_t weight)
{
    return (int16_t)(weight < INT16_MIN ? INT16_MIN : weight > INT16_MAX ? INT16_MAX : weight);
}

static struct track_change judge(const struct track *track, const struct target *target)
{
    struct effect_sum sum = {0};
    struct track_change change = {.kind = target->told.kind, .pool = target->told.pool, .unit = target->told.unit};

    for (unsigned i = 0; i < target->count; i++)
        add_effect(track, target, i, &sum);
    change.fault = sum.fault || sum.hold;
    change.no_source = target->no_source;
    change.hold = sum.hold && !sum.fault; /* what has failed has failed, whatever else is still to come */
    change.weight = sum.fault ? 0 : held_in(sum.weight);
    if (change.kind == TRACK_POOL && !change.fault) {
        int share = target->base + change.weight;

        change.share = (uint8_t)(share < SHARE_MIN ? SHARE_MIN : share > SHARE_MAX ? SHARE_MAX : share);
    }
    return change;
}

static bool same(const struct track_change *a, const struct track_change *b)
{
    return a->hold == b->hold && a->fault == b->fault && a->no_source == b->no_source && a->weight == b->weight &&
           a->share == b->share;
}

bool track_next_change(struct track *track, struct mono now, struct track_change *out)
{
    if (track_sources_settle(&track->sources, now))
        track->dirty = true;
    for (unsigned i = 0; track->dirty && i < track->count; i++) {
        struct target *target = &track->targets[i];
        struct track_change change = judge(track, target);

        if ((target->said && same(&change, &target->told)) || (target->goes_on && change.hold))
            continue;
        target->said = true;
        *out = target->told = change;
        return true;
    }
    track->dirty = false;
    return false;
}

/* --- results --- */

static void note_change(struct track *track, bool changed)
{
    track->dirty = track->dirty || changed;
}

void track_script_done(struct track *track, unsigned script, uint32_t run, enum track_outcome outcome, const char *text,
                       struct mono now)
{
    struct track_source *source = track_sources_find(&track->sources, CHECK_TRACK_SCRIPT, script);

    if (source != NULL)
        note_change(track, track_source_script(source, run, outcome, text, now));
}

void track_file(struct track *track, unsigned file, int64_t value, bool failed, const char *text, struct mono now)
{
    struct track_source *source = track_sources_find(&track->sources, CHECK_TRACK_FILE, file);

    if (source != NULL)
        note_change(track, track_source_file(source, value, failed, text, now));
}

void track_process(struct track *track, unsigned process, unsigned count, struct mono now)
{
    struct track_source *source = track_sources_find(&track->sources, CHECK_TRACK_PROCESS, process);

    if (source != NULL)
        note_change(track, track_source_process(source, count, now));
}

void track_source_address(struct track *track, unsigned pool, unsigned unit, bool here)
{
    for (unsigned i = 0; i < track->count; i++) {
        struct target *target = &track->targets[i];

        if (target->told.kind != TRACK_INSTANCE || target->told.pool != pool || target->told.unit != unit)
            continue;
        note_change(track, target->no_source == here);
        target->no_source = !here;
    }
}

unsigned track_interface_count(const struct track *track)
{
    return track->sources.interface_count;
}

const char *track_interface_name(const struct track *track, unsigned interface)
{
    return track_sources_find((struct track_sources *)(uintptr_t)&track->sources, CHECK_TRACK_INTERFACE, interface)
        ->name;
}

void track_interface(struct track *track, unsigned interface, bool up, struct mono now)
{
    struct track_source *source = track_sources_find(&track->sources, CHECK_TRACK_INTERFACE, interface);

    if (source != NULL)
        note_change(track, track_source_interface(source, up, now));
}

bool track_next_run(struct track *track, struct mono now, struct track_run *out)
{
    return track_sources_next_run(&track->sources, now, out);
}

struct mono track_deadline(const struct track *track)
{
    return track->dirty ? (struct mono){0} : track_sources_deadline(&track->sources);
}

bool track_next_news(struct track *track, unsigned *source)
{
    for (unsigned i = 0; i < track->sources.count; i++) {
        if (!track->sources.list[i].news)
            continue;
        track->sources.list[i].news = false;
        *source = i;
        return true;
    }
    return false;
}

/* --- views --- */

unsigned track_source_count(const struct track *track)
{
    return track->sources.count;
}

void track_view(const struct track *track, unsigned source, struct track_view *out)
{
    CHECK(source < track->sources.count);
    track_source_view(&track->sources.list[source], out);
}

bool track_effect(const struct track *track, enum track_target_kind kind, unsigned pool, unsigned unit,
                  unsigned tracker, struct track_effect_view *out)
{
    for (unsigned i = 0; i < track->count; i++) {
        const struct target *target = &track->targets[i];
        struct effect_sum sum = {0};

        if (target->told.kind != kind || target->told.pool != pool || target->told.unit != unit)
            continue;
        if (tracker >= target->count)
            return false;
        add_effect(track, target, tracker, &sum);
        *out = (struct track_effect_view){.tracker = &target->trackers[tracker],
                                          .source = target->sources[tracker],
                                          .fault = sum.fault || sum.hold,
                                          .weight = held_in(sum.weight)};
        return true;
    }
    return false;
}

const char *track_state_name(enum track_state state)
{
    static const char *const names[] = {[TRACK_WAITING] = "waiting", [TRACK_GOOD] = "good", [TRACK_FAILED] = "failed"};

    return names[state];
}

const char *track_outcome_name(enum track_outcome outcome)
{
    static const char *const names[] = {
        [TRACK_RAN_GOOD] = "good",   [TRACK_RAN_BAD] = "bad",  [TRACK_RAN_OVER] = "timeout",
        [TRACK_NOT_RUN] = "not_run", [TRACK_BUSY] = "skipped",
    };

    static_assert(ARRAY_LENGTH(names) == TRACK_OUTCOME_COUNT, "a name for each");
    return names[outcome];
}

const char *track_kind_name(enum check_tracker_kind kind)
{
    static const char *const names[] = {
        [CHECK_TRACK_INTERFACE] = "interface",
        [CHECK_TRACK_SCRIPT] = "script",
        [CHECK_TRACK_FILE] = "file",
        [CHECK_TRACK_PROCESS] = "process",
    };

    return names[kind];
}
