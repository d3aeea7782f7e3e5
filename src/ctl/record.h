/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened, as a picture needs it: lanes (members, strangers, nobody; for instances the states of this host), for
 * each unit or instance the spans of time in which it was in one of them, and faults. Made of the daemon's events and
 * status; pure but for memory. Used by record_svg.c and record_text.c.
 *
 * Everything is as the host that was asked has seen it. Its history may begin anew with its daemon: where an entry has
 * no "from" and no gap, nobody knows what was before, and there is no span.
 */
#ifndef EVENKEEL_CTL_RECORD_H
#define EVENKEEL_CTL_RECORD_H

#include "ctl/reply.h"

#define RECORD_NO_LANE UINT32_MAX

struct record_lane {
    const char *address; /* "": nobody; a state's name */
    const char *name;    /* to be shown */
    bool member, self;
    bool state; /* of an instance on this host, not a router */
};

struct record_span {
    int64_t begin_us, end_us; /* since 1970; begin < end, or equal when another change came at once */
    unsigned lane;
    double gap_ms;       /* nobody had it for so long before `begin_us`; negative: not known, or nobody's lane */
    const json_t *entry; /* the change that began it; NULL: it was so from the beginning */
};

struct record_unit {
    const char *pool, *address; /* both the name, of an instance */
    int64_t vrid;
    struct record_span *spans; /* in the order of time; may be none */
    unsigned span_count;
};

/* Faults of one kind in quick succession are one. */
struct record_fault {
    int64_t at_us;
    const json_t *entry; /* the first */
    unsigned count;
    unsigned lane; /* of whom it is about; RECORD_NO_LANE: nobody's */
};

/* Texts and entries belong to the answers, which must outlive it. */
struct record {
    int64_t begin_us, end_us; /* begin < end */
    struct record_lane *lanes; /* members, strangers, nobody, states of instances */
    struct record_unit *units; /* in the order of pools and VRIDs */
    struct record_fault *faults;
    unsigned lane_count, unit_count, fault_count;
};

/* Which unit alone: its pool (an instance: its name) and VRID. */
struct record_choice {
    const char *pool; /* NULL: all units */
    int64_t vrid;
};

/*
 * From a status answer and an array of events, oldest first. False: no memory; *out is then empty. The present is the
 * status answer's time.
 */
bool record_make(const json_t *status, const json_t *entries, const struct record_choice *only, struct record *out);
void record_free(struct record *record);

#endif
