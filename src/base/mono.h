/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as a type of its own: a point on the host's monotonic clock that also runs during suspend (CLOCK_BOOTTIME).
 *
 * The struct refuses to be mixed with a bare number, and MONO_NEVER sorts after every real time, so that a minimum over
 * deadlines needs no special case. Durations are plain int64_t with `_us` in their names. Reading the clock is not
 * here: the core and its tests get time as an argument (see platform/clock.h for the reader).
 */
#ifndef EVENKEEL_BASE_MONO_H
#define EVENKEEL_BASE_MONO_H

#include <stdbool.h>
#include <stdint.h>

#define US_PER_MS 1000
#define US_PER_S 1000000
#define US_PER_CS 10000 /* a centisecond, the unit of version 3's Max Advertise Interval */

struct mono {
    int64_t us; /* microseconds since boot; INT64_MAX: never */
};

#define MONO_NEVER ((struct mono){INT64_MAX})

static inline bool mono_is_never(struct mono t)
{
    return t.us == INT64_MAX;
}

/* t + us; never stays never. */
static inline struct mono mono_add(struct mono t, int64_t us)
{
    return mono_is_never(t) ? t : (struct mono){t.us + us};
}

/* a - b in microseconds; both must be real times. */
static inline int64_t mono_diff_us(struct mono a, struct mono b)
{
    return a.us - b.us;
}

/* True when a is strictly later than b. */
static inline bool mono_after(struct mono a, struct mono b)
{
    return a.us > b.us;
}

/* True when the deadline has come: now >= deadline. */
static inline bool mono_due(struct mono now, struct mono deadline)
{
    return now.us >= deadline.us;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}

static inline struct mono mono_max(struct mono a, struct mono b)
{
    return a.us > b.us ? a : b;
}

#endif
