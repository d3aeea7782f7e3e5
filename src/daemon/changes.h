/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often units of a pool changed their owner, why, and how long they had none: counters that only grow, for the
 * `counters` answer. They are kept here and not by whoever reads them, so that nothing is lost between two readings.
 */
#ifndef EVENKEEL_DAEMON_CHANGES_H
#define EVENKEEL_DAEMON_CHANGES_H

#include <stdint.h>

#include "core/effect.h"

#define GAP_BOUND_COUNT 13

/* Upper bounds of the classes of gaps, inclusive, milliseconds, growing. One more class has all that is longer. */
extern const uint16_t gap_bounds_ms[GAP_BOUND_COUNT];

struct owner_changes {
    uint64_t by_reason[REASON_COUNT];
    uint64_t gaps[GAP_BOUND_COUNT + 1]; /* by class; a change whose gap is not known is in none of them */
    uint64_t gap_sum_us;
};

/* One change of ownership; `gap_us`: without owner, as this host saw it, negative: not known. */
void owner_changes_count(struct owner_changes *changes, enum reason reason, int64_t gap_us);

#endif
