/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker leaves to the guard: a shared page with, for every virtual router this host speaks for, a finished
 * frame of priority 0, and a count of the worker's wake-ups. So when the worker dies, the guard says goodbye for it
 * without knowing how an advertisement is made and without reading anything that came from the network.
 *
 * The worker writes, the guard reads after the worker's death. The layout is the guard's own memory, set before the
 * fork: a worker gone wrong can make the guard send a wrong frame, but not read or write outside the page.
 */
#ifndef EVENKEEL_DAEMON_GUARD_PAGE_H
#define EVENKEEL_DAEMON_GUARD_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"

struct guard_page;

struct guard_frame {
    int ifindex;
    bool routed; /* `bytes` begin with the IP header and go through the IP stack; ifindex 0: wherever it leads */
    const uint8_t *bytes; /* else from the Ethernet header; inside the page */
    size_t length;
};

/* The longest frame that guard_page_hold takes for this pool. */
size_t guard_page_frame_max(const struct pool_settings *pool);

/* Makes an empty page for these settings, shared with children forked later. 0 or a negative errno. */
int guard_page_open(const struct core_settings *settings, struct guard_page **out);
/* For a worker that runs already: its file (whose size nobody can change), and the same page from that. A worker that
 * is forked has the page without the file. */
int guard_page_file(const struct guard_page *page);
void guard_page_close_file(struct guard_page *page);
int guard_page_map(const struct core_settings *settings, int file, struct guard_page **out);
void guard_page_close(struct guard_page *page);

/*
 * Worker: this host speaks for `unit` (EFFECT_NO_UNIT: the member's own router) of `pool`; `frame` ends that. `peer`:
 * index of the unicast peer that is told, else 0. A frame that is too long is not kept.
 */
void guard_page_hold(struct guard_page *page, unsigned pool, unsigned unit, unsigned peer,
                     const struct guard_frame *frame);
/* Worker: it does not speak for it any more. */
void guard_page_drop(struct guard_page *page, unsigned pool, unsigned unit);
/* Worker, in a reload: what another page has for a unit, or with EFFECT_NO_UNIT for the member. */
void guard_page_take_over(struct guard_page *page, unsigned pool, unsigned unit, const struct guard_page *from,
                          unsigned old_pool, unsigned old_unit);
bool guard_page_holds(const struct guard_page *page, unsigned pool, unsigned unit);

/*
 * Guard: the frames to send, each pool's member first, then its units. *cursor starts as 0; false when there are no
 * more.
 */
bool guard_page_next(const struct guard_page *page, unsigned *cursor, struct guard_frame *out);
/* Guard: forgets everything, before a new worker starts. */
void guard_page_clear(struct guard_page *page);

/* Worker: alive. Guard: how often it was so far. */
void guard_page_beat(struct guard_page *page);
uint64_t guard_page_beats(const struct guard_page *page);

#endif
