/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's event loop: the one place, beside the control socket, that knows libevent. A turn is: sleep until a
 * descriptor is ready or the deadline has come, run the descriptors' callbacks (which only take in what there is),
 * then let the caller do everything that is due at once. So a burst of packets costs one wake-up.
 */
#ifndef EVENKEEL_DAEMON_LOOP_H
#define EVENKEEL_DAEMON_LOOP_H

#include <stdbool.h>

#include "base/mono.h"

struct event_base;
struct loop;
struct loop_watch;

/* Called in a turn when the descriptor is readable; again in the next turn while it still is. */
typedef void loop_readable(void *context);

struct loop_stats {
    uint64_t turns;
    uint64_t late_count; /* wake-ups more than LOOP_LATE_US after their deadline */
    int64_t late_max_us; /* the latest of all */
};

#define LOOP_LATE_US 10000

/* 0 or a negative errno. */
int loop_open(struct loop **out);
/* All watches must have been ended. */
void loop_close(struct loop *loop);

/* For modules that bring their own libevent code (control.h). */
struct event_base *loop_base(const struct loop *loop);

/* Watches `fd`, which stays the caller's. 0 or a negative errno. */
int loop_watch(struct loop *loop, int fd, loop_readable *readable, void *context, struct loop_watch **out);
/* NULL is allowed. */
void loop_unwatch(struct loop_watch *watch);

/*
 * One turn: returns after a callback has run or when `deadline` has come (MONO_NEVER: callbacks only). Negative errno
 * on failure.
 */
int loop_turn(struct loop *loop, struct mono deadline);

void loop_get_stats(const struct loop *loop, struct loop_stats *out);

#endif
