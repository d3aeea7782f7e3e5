/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop over libevent (see loop.h). It owns the event base and the one timer. Called by worker.c.
 *
 * EVENT_BASE_FLAG_PRECISE_TIMER makes libevent use a timerfd: without it timers are 1 ms coarse at best, and its cached
 * clock 4 ms. Deadlines are on the clock that runs during suspend, libevent's timers are not; a host that was
 * suspended wakes up late either way, and the core judges that by its own clock.
 */
#include "daemon/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "platform/clock.h"

struct loop {
    struct event_base *base;
    struct event *timer;
    bool timed_out;
    struct loop_stats stats;
};

struct loop_watch {
    struct event *event;
    loop_readable *readable;
    void *context;
};

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    ((struct loop *)context)->timed_out = true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct loop_watch *watch = context;

    (void)fd;
    (void)what;
    watch->readable(watch->context);
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int loop_open(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return -ENOMEM;
    loop->base = new_base();
    if (loop->base != NULL)
        loop->timer = evtimer_new(loop->base, on_timer, loop);
    if (loop->timer == NULL) {
        loop_close(loop);
        return -ENOMEM;
    }
    *out = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->timer != NULL)
        event_free(loop->timer);
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(const struct loop *loop)
{
    return loop->base;
}

int loop_watch(struct loop *loop, int fd, loop_readable *readable, void *context, struct loop_watch **out)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return -ENOMEM;
    *watch = (struct loop_watch){.readable = readable, .context = context};
    watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_readable, watch);
    if (watch->event == NULL || event_add(watch->event, NULL) != 0) {
        loop_unwatch(watch);
        return -ENOMEM;
    }
    *out = watch;
    return 0;
}

void loop_unwatch(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->event != NULL)
        event_free(watch->event);
    free(watch);
}

static int set_timer(struct loop *loop, struct mono deadline)
{
    if (mono_is_never(deadline))
        return event_del(loop->timer);
    int64_t wait_us = mono_diff_us(deadline, clock_now());

    if (wait_us < 0)
        wait_us = 0;
    struct timeval wait = {.tv_sec = wait_us / US_PER_S, .tv_usec = wait_us % US_PER_S};

    return event_add(loop->timer, &wait);
}

static void note_lateness(struct loop_stats *stats, struct mono deadline)
{
    if (mono_is_never(deadline))
        return;
    int64_t late_us = mono_diff_us(clock_now(), deadline);

    if (late_us > LOOP_LATE_US)
        stats->late_count++;
    if (late_us > stats->late_max_us)
        stats->late_max_us = late_us;
}

int loop_turn(struct loop *loop, struct mono deadline)
{
    loop->timed_out = false;
    if (set_timer(loop, deadline) != 0)
        return -ENOMEM;
    if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
        return -EIO;
    loop->stats.turns++;
    if (loop->timed_out)
        note_lateness(&loop->stats, deadline);
    return 0;
}

void loop_get_stats(const struct loop *loop, struct loop_stats *out)
{
    *out = loop->stats;
}
