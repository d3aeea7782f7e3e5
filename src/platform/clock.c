/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where the time is read. CLOCK_BOOTTIME also runs while the host sleeps, so a host that wakes up sees at
 * once how late it is. Called by the daemon, packet.c and the kernel thread; the core gets time as an argument.
 */
#include "platform/clock.h"

#include "base/check.h"

static int64_t timespec_us(struct timespec t)
{
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static int64_t clock_read_us(clockid_t id)
{
    struct timespec t;

    CHECK(clock_gettime(id, &t) == 0);
    return timespec_us(t);
}

struct mono clock_now(void)
{
    return (struct mono){clock_read_us(CLOCK_BOOTTIME)};
}

struct mono clock_from_realtime(struct timespec stamp, struct mono now)
{
    /* The offset is read anew each time: CLOCK_REALTIME is stepped and slewed by others, and a kept offset would make
     * an old packet look fresh (or every packet old) until somebody noticed. */
    int64_t offset_us = clock_read_us(CLOCK_BOOTTIME) - clock_read_us(CLOCK_REALTIME);
    struct mono when = {timespec_us(stamp) + offset_us};

    return mono_min(when, now);
}

int64_t clock_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}
