/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sources of track.h: their states, and when what is due. Used by track.c only. Pure. */
#ifndef EVENKEEL_DAEMON_TRACK_SOURCE_H
#define EVENKEEL_DAEMON_TRACK_SOURCE_H

#include "daemon/track.h"

struct track_source {
    uint8_t kind;   /* enum check_tracker_kind */
    unsigned index; /* in the configuration's array; interfaces: in the order of their first mention */
    const char *name;
    const struct check_script *script; /* one of these, or none */
    const struct check_process *process;
    uint8_t state; /* enum track_state */
    bool news;
    struct mono since;
    char text[TRACK_TEXT_MAX];
    int64_t value; /* file: the number; process: what counts */
    /* Scripts: 0..rise + fall - 1; from `rise` on it is good. */
    int64_t counter;
    bool running;
    uint32_t run;
    struct mono next;    /* the next start */
    struct mono last;    /* the last one */
    bool ended;          /* one did, with this outcome, after so long */
    uint8_t outcome;
    int64_t took_us;
    struct mono give_up; /* no result so long after: it is lost */
    uint64_t runs, failures, timeouts, not_run, skipped;
    /* Processes: what was seen last, and when it counts. */
    int64_t pending;
    struct mono pending_at; /* MONO_NEVER: it counts */
};

struct track_sources {
    const struct config_instances *instances;
    unsigned count;
    struct track_source *list;
    unsigned interface_count;
};

/* The tracker's source, made if it is the first to name it; TRACK_NO_SOURCE when the tracker is not resolved. False: no
 * memory. */
bool track_sources_bind(struct track_sources *sources, const struct check_tracker *tracker, struct mono now,
                        unsigned *out);
/* NULL: nobody tracks it. */
struct track_source *track_sources_find(struct track_sources *sources, enum check_tracker_kind kind, unsigned index);

/* Those of the same kind and name go on as they stood. */
void track_sources_take_over(struct track_sources *sources, const struct track_sources *old);

/* Results; true when something changed for those who track it. */
bool track_source_script(struct track_source *source, uint32_t run, enum track_outcome outcome, const char *text,
                         struct mono now);
bool track_source_file(struct track_source *source, int64_t value, bool failed, const char *text, struct mono now);
bool track_source_process(struct track_source *source, unsigned count, struct mono now);
bool track_source_interface(struct track_source *source, bool up, struct mono now);

/* What time alone changes: delays of processes, lost results. True when something changed. */
bool track_sources_settle(struct track_sources *sources, struct mono now);
bool track_sources_next_run(struct track_sources *sources, struct mono now, struct track_run *out);
struct mono track_sources_deadline(const struct track_sources *sources);

void track_source_view(const struct track_source *source, struct track_view *out);

#endif
