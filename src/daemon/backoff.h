/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long to wait before a dead worker is started again: not at all the first time, then 100 ms, doubling to 10 s. */
#ifndef EVENKEEL_DAEMON_BACKOFF_H
#define EVENKEEL_DAEMON_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_US 100000
#define BACKOFF_MAX_US 10000000
#define BACKOFF_FORGET_US 60000000 /* a worker that ran so long is a good one: start over */

/*
 * `before_us` is the last answer (0 at first), `ran_us` how long the worker ran; *deaths counts them. The wait in us.
 */
static inline int64_t backoff_next_us(int64_t before_us, int64_t ran_us, unsigned *deaths)
{
    if (ran_us >= BACKOFF_FORGET_US)
        *deaths = 0;
    if ((*deaths)++ == 0)
        return 0;
    if (before_us < BACKOFF_FIRST_US)
        return BACKOFF_FIRST_US;
    return before_us * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : before_us * 2;
}

#endif
