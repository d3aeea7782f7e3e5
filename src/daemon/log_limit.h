/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limit per kind of message: LOG_BURST in LOG_WINDOW_US, and a count of the rest. Pure; used by log.c only. */
#ifndef EVENKEEL_DAEMON_LOG_LIMIT_H
#define EVENKEEL_DAEMON_LOG_LIMIT_H

#include "daemon/log.h"

#define LOG_LIMIT_KINDS 64
#define LOG_LIMIT_SAMPLE 96

/* What was held back of one kind in a window that is over. */
struct log_limit_report {
    unsigned held; /* 0: nothing to say */
    enum log_level level;
    char sample[LOG_LIMIT_SAMPLE]; /* the beginning of the last one */
};

struct log_limit_entry {
    uint64_t kind; /* hash; 0: free */
    struct mono window_end;
    unsigned written;
    struct log_limit_report report;
};

/* Zeroed is empty. */
struct log_limit {
    struct log_limit_entry entries[LOG_LIMIT_KINDS];
};

/*
 * A message of this kind wants to be written: true when it may. *report gets what is to be said before it: this kind's
 * last window, or that of another kind which had to make room.
 */
bool log_limit_take(struct log_limit *limit, uint64_t kind, enum log_level level, const char *message, struct mono now,
                    struct log_limit_report *report);

/* Takes the next report of a window that is over; false when there is none. */
bool log_limit_expire(struct log_limit *limit, struct mono now, struct log_limit_report *report);

/* When log_limit_expire will have something; MONO_NEVER: nothing is held back. */
struct mono log_limit_deadline(const struct log_limit *limit);

#endif
