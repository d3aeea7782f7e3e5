/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to tell the LAN where an address is (gratuitous ARP, unsolicited neighbour advertisements): a queue with
 * deadlines, one per pool or set. It knows units and numbers of addresses only; frames are made and sent by the
 * caller's callback. Pure: no clock, no socket; memory only at the start.
 *
 * A unit that begins to be announced gets a first round at once for all its addresses, then rounds 100 ms apart up to
 * `repeat` in all, `delayed_repeat` more from `delay_us` after the start on, then `refresh_repeat` every `refresh_us`.
 * Every address has a lane, which keeps a distance between any two of its frames; where `paced` is not set, first
 * rounds wait for nothing. Advertisements come before announcements: the caller flushes the former, then calls
 * announce_run.
 */
#ifndef EVENKEEL_DAEMON_ANNOUNCE_H
#define EVENKEEL_DAEMON_ANNOUNCE_H

#include "base/mono.h"

#define ANNOUNCE_ROUND_US (100 * US_PER_MS)

struct announce;

/* What keeps frames apart: those of a pool, or of a kind on a link. The caller's, of all announcers that share it. */
struct announce_lane {
    int64_t interval_us; /* shortest time between two frames, >= 0 */
    struct mono until;   /* no frame before this; the announcers' business. Starts in the past: ANNOUNCE_LANE_FREE */
};

#define ANNOUNCE_LANE_FREE ((struct mono){INT64_MIN})

struct announce_plan {
    unsigned repeat;         /* rounds, the first included; 0: nothing is said */
    int64_t delay_us;        /* more rounds so long after the start; 0: none */
    unsigned delayed_repeat; /* of those; >= 1 when delay_us is not 0 */
};

struct announce_unit_settings {
    struct announce_plan taken;     /* the unit is held from now on; repeat >= 1 */
    struct announce_plan contested; /* somebody else claimed it */
    int64_t refresh_us;             /* again every so long; 0: never */
    unsigned refresh_repeat;        /* >= 1 when refresh_us is not 0 */
    bool paced;                     /* first rounds wait for their lanes too */
    unsigned address_count;
    const uint8_t *lanes; /* by address, numbers of the caller's lanes; NULL: all have lane 0 */
};

/* One frame is due: address number `address` (from 0) of the unit. Must not call announce_* itself. */
typedef void announce_emit(void *context, unsigned unit, unsigned address);

/* For units 0..unit_count-1. `lanes` and the units' arrays must outlive it. NULL: out of memory. */
struct announce *announce_new(const struct announce_unit_settings *units, unsigned unit_count,
                              struct announce_lane *lanes);
void announce_free(struct announce *announce);

/*
 * The unit is held from now on, or (`contested`) somebody else claimed it: start anew. The first round is at once, but
 * a unit that is being announced gets at most one first round per 100 ms: what comes in between is put off, not lost.
 */
void announce_start(struct announce *announce, unsigned unit, bool contested, struct mono now);

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
