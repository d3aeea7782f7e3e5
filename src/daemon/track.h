/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is tracked, and what follows from it: from results of checks, numbers in files, counts of processes and states
 * of interfaces to the fault and the weight of every instance, sync group and pool that tracks them. Pure: time goes in
 * as an argument, results come from tracking.c, changes are asked for. Part of the worker.
 *
 *   sources   a script, file, process or interface, once each, however many track it
 *   targets   an instance, group or pool with its list of trackers
 */
#ifndef EVENKEEL_DAEMON_TRACK_H
#define EVENKEEL_DAEMON_TRACK_H

#include "base/mono.h"
#include "config/config.h"

#define TRACK_TEXT_MAX 160

enum track_state {
    TRACK_WAITING, /* no result yet */
    TRACK_GOOD,
    TRACK_FAILED,
    TRACK_STATE_COUNT,
};

enum track_target_kind {
    TRACK_INSTANCE, /* `pool` is the set, `unit` the instance */
    TRACK_GROUP,    /* `unit` is its index */
    TRACK_POOL,     /* `pool` */
};

/* What is true of a target now. */
struct track_change {
    uint8_t kind; /* enum track_target_kind */
    uint8_t pool;
    uint16_t unit;
    bool hold;      /* a result that may be a fault is awaited; then `fault` too */
    bool fault;     /* something that must not fail has failed */
    bool no_source; /* TRACK_INSTANCE: the address that it must speak from is not here */
    int16_t weight; /* sum for the priority; 0 when it cannot matter (fault) */
    uint8_t share;  /* TRACK_POOL: 2..254, 0: it may hold nothing */
};

/* A script that is to be run now. */
struct track_run {
    unsigned script; /* index in config_instances.scripts */
    uint32_t run;    /* to be handed back with the result */
};

enum track_outcome {
    TRACK_RAN_GOOD,
    TRACK_RAN_BAD,
    TRACK_RAN_OVER, /* timed out, which is bad */
    TRACK_NOT_RUN,  /* cannot be run, which is bad */
    TRACK_BUSY,     /* the one before is not gone: no result */
    TRACK_OUTCOME_COUNT,
};

/* A source as people see it. */
struct track_view {
    uint8_t kind; /* enum check_tracker_kind */
    const char *name;
    uint8_t state;     /* enum track_state */
    const char *text;  /* the last result, as a clause; "": none yet */
    struct mono since; /* of the state */
    int64_t value;     /* files: the number; processes: how many count; else 0 */
    /* scripts: */
    bool running;
    struct mono last_run; /* MONO_NEVER: none was */
    bool ended;           /* one did: the next two are valid */
    uint8_t last_outcome; /* enum track_outcome, but TRACK_BUSY */
    int64_t last_took_us; /* from the order to the result */
    uint64_t runs, failures, timeouts, not_run;
    uint64_t skipped; /* not started, since the one before still ran */
};

/* What one tracker of a target does to it now. */
struct track_effect_view {
    const struct check_tracker *tracker;
    unsigned source; /* index for track_view; TRACK_NO_SOURCE: it is not defined */
    bool fault;
    int16_t weight;
};

#define TRACK_NO_SOURCE UINT32_MAX

struct track;

/* NULL: no memory. `config` must outlive it. */
struct track *track_new(const struct config *config, struct mono now);
void track_free(struct track *track);
/*
 * A reload: sources of the same kind and name go on as they stood in `old`, without a new first result. What runs is
 * forgotten and started anew in its rhythm; every target is told again. `pools`: bit p: pool p ran before, and gives
 * nothing up for a result that is only awaited (instances see to that themselves).
 */
void track_take_over(struct track *track, const struct track *old, uint32_t pools);

/* Results. `text` is a clause for people: "exit code 3". */
void track_script_done(struct track *track, unsigned script, uint32_t run, enum track_outcome outcome, const char *text,
                       struct mono now);
/* The file's number; text "" or why there is none (`failed`, and then the value is 0). */
void track_file(struct track *track, unsigned file, int64_t value, bool failed, const char *text, struct mono now);
/* So many processes match now. */
void track_process(struct track *track, unsigned process, unsigned count, struct mono now);
/* Interfaces count from 0 to track_interface_count() - 1. */
unsigned track_interface_count(const struct track *track);
const char *track_interface_name(const struct track *track, unsigned interface);
void track_interface(struct track *track, unsigned interface, bool up, struct mono now);

/* Of an instance with track_source: whether its source address is here. */
void track_source_address(struct track *track, unsigned pool, unsigned unit, bool here);

/* The next script that is due; false: none is. */
bool track_next_run(struct track *track, struct mono now, struct track_run *out);
/* When track_next_run or track_next_change is wanted at the latest. */
struct mono track_deadline(const struct track *track);
/* The next target that is not as it was told last (each is told once after the start); false: all are told. */
bool track_next_change(struct track *track, struct mono now, struct track_change *out);
/* The next source whose state changed; false: none has. */
bool track_next_news(struct track *track, unsigned *source);

unsigned track_source_count(const struct track *track);
void track_view(const struct track *track, unsigned source, struct track_view *out);
/* `tracker` counts from 0; false: there are no more. Targets as in track_change. */
bool track_effect(const struct track *track, enum track_target_kind kind, unsigned pool, unsigned unit,
                  unsigned tracker, struct track_effect_view *out);

const char *track_state_name(enum track_state state);      /* "good" */
const char *track_outcome_name(enum track_outcome outcome); /* "timeout" */
const char *track_kind_name(enum check_tracker_kind kind); /* "script" */

#endif
