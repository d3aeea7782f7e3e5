/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to tell the LAN where an address is (gratuitous ARP, unsolicited neighbour advertisements): a queue with
 * deadlines, one per pool. It knows units and numbers of addresses only; frames are made and sent by the caller's
 * callback. Pure: no clock, no socket; memory only at the start.
 *
 * A unit that begins to be announced gets a first round at once for all its addresses, then rounds 100 ms apart up to
 * `repeat` in all, one more `delay_us` after the start, then one every `refresh_us`. Frames of later rounds keep
 * `interval_us` between any two of the pool; those of first rounds wait for nothing. Advertisements come before
 * announcements: the caller flushes the former, then calls announce_run.
 */
#ifndef EVENKEEL_DAEMON_ANNOUNCE_H
#define EVENKEEL_DAEMON_ANNOUNCE_H

#include <stdbool.h>

#include "base/mono.h"

#define ANNOUNCE_ROUND_US (100 * US_PER_MS)

struct announce;

struct announce_settings {
    unsigned repeat;     /* rounds, >= 1, the first included */
    int64_t delay_us;    /* one more round so long after the start; 0: none */
    int64_t refresh_us;  /* one more round every so long; 0: never */
    int64_t interval_us; /* shortest time between two frames of later rounds, >= 0 */
};

/* One frame is due: address number `address` (from 0) of the unit. Must not call announce_* itself. */
typedef void announce_emit(void *context, unsigned unit, unsigned address);

/* For units 0..unit_count-1; unit u has address_counts[u] >= 1 addresses. Copies what it needs. NULL: out of memory. */
struct announce *announce_new(const struct announce_settings *settings, unsigned unit_count,
                              const unsigned *address_counts);
void announce_free(struct announce *announce);

/*
 * The unit is held from now on, or its ownership was contested: start anew. The first round is at once, but a unit that
 * is being announced gets at most one first round per 100 ms: what comes in between is put off, not lost.
 */
void announce_start(struct announce *announce, unsigned unit, struct mono now);

/* The unit is no longer held: nothing more is said for it. */
void announce_stop(struct announce *announce, unsigned unit);

/*
 * A reload: what was planned for unit `old_unit` goes on as that of `unit`, after this announcer's settings. `held`: it
 * is answered for. Addresses that it did not have are announced with all others at once.
 */
void announce_take_over(struct announce *announce, unsigned unit, const struct announce *from, unsigned old_unit,
                        bool held, struct mono now);

/* Emits what is due, first rounds first, at most `budget` frames. Returns announce_deadline(). */
struct mono announce_run(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                         void *context);

/* When announce_run is wanted next (in the past when it left something for want of budget); MONO_NEVER: nothing is
 * planned. */
struct mono announce_deadline(const struct announce *announce);

#endif
