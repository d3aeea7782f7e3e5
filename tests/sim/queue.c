/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's queue of events: a binary heap ordered by time, ties by order of insertion, so that a run never
 * depends on how the heap happens to be laid out. It grows when it must and is reused from run to run. Called by
 * world.c.
 */
#include <stdlib.h>

#include "base/check.h"
#include "sim.h"

static bool queue_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void queue_grow(struct queue *q)
{
    q->capacity = q->capacity == 0 ? 4096 : q->capacity * 2;
    q->heap = realloc(q->heap, q->capacity * sizeof(*q->heap));
    CHECK(q->heap != NULL);
}

void queue_push(struct queue *q, struct sim_event event)
{
    if (q->count == q->capacity) {
        queue_grow(q);
    }
    event.order = q->next_order++;
    unsigned i = q->count++;

    while (i > 0) {
        unsigned parent = (i - 1) / 2;
        if (!queue_before(&event, &q->heap[parent])) {
            break;
        }
        q->heap[i] = q->heap[parent];
        i = parent;
    }
    q->heap[i] = event;
}

bool queue_pop(struct queue *q, struct sim_event *out)
{
    if (q->count == 0) {
        return false;
    }
    *out = q->heap[0];
    struct sim_event last = q->heap[--q->count];
    unsigned i = 0;

    for (;;) {
        unsigned child = 2 * i + 1;
        if (child >= q->count) {
            break;
        }
        if (child + 1 < q->count && queue_before(&q->heap[child + 1], &q->heap[child])) {
            child++;
        }
        if (!queue_before(&q->heap[child], &last)) {
            break;
        }
        q->heap[i] = q->heap[child];
        i = child;
    }
    q->heap[i] = last;
    return true;
}

void queue_clear(struct queue *q)
{
    q->count = 0;
    q->next_order = 0;
}

void queue_free(struct queue *q)
{
    free(q->heap);
    *q = (struct queue){0};
}
