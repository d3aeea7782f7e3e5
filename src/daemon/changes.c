/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See changes.h. Called by notes.c. */
#include "daemon/changes.h"

/* From a planned move (a few ms) over the death of a member (600 ms by default) to a unit that waits for its own slow
 * timer. */
const uint16_t gap_bounds_ms[GAP_BOUND_COUNT] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

void owner_changes_count(struct owner_changes *changes, enum reason reason, int64_t gap_us)
{
    unsigned class = 0;

    changes->by_reason[reason]++;
    if (gap_us < 0)
        return;
    while (class < GAP_BOUND_COUNT && gap_us > gap_bounds_ms[class] * (int64_t)US_PER_MS)
        class ++;
    changes->gaps[class]++;
    changes->gap_sum_us += (uint64_t)gap_us;
}
