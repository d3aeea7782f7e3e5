/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where the time is read. */
#ifndef EVENKEEL_PLATFORM_CLOCK_H
#define EVENKEEL_PLATFORM_CLOCK_H

#include <time.h>

#include "base/mono.h"

struct mono clock_now(void); /* CLOCK_BOOTTIME */

/* A kernel's receive time stamp (CLOCK_REALTIME) on our clock, never later than `now`. */
struct mono clock_from_realtime(struct timespec stamp, struct mono now);

int64_t clock_wall_us(void); /* CLOCK_REALTIME, microseconds since 1970: for people only */

#endif
