/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the witness found, by measuring window and address. Storage and sums only: witness_judge fills it,
 * witness_report prints it.
 */
#ifndef EVENKEEL_CTL_WITNESS_WINDOW_H
#define EVENKEEL_CTL_WITNESS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mono.h"

#define WITNESS_HOST_NONE (-1)
#define WITNESS_WINDOW_NAME 64

struct witness_move {
    unsigned vip;
    struct mono at;
    int from, to; /* host indices */
};

struct witness_stall {
    struct mono from, to; /* the witness itself did not run */
};

/* One address in one window. */
struct witness_result {
    uint64_t probes, unanswered; /* of the client */
    int64_t gap_us;              /* longest time the client got no answer */
    struct mono gap_at;          /* when it began */
    int64_t gap_stall_us;        /* how much of it the witness itself stalled */
    bool gap_open;               /* it had not ended when the window did */
    int64_t down_us;             /* sum of all such times */
    int64_t dual_listen_us;      /* two hosts answered echo requests framed to them */
    int64_t dual_claim_us;       /* two hosts answered one ARP request or neighbour solicitation */
    int dual_hosts[2];           /* the first such pair */
    int64_t stale_us;            /* longest time in which one host answered and the client's cache pointed elsewhere */
    int64_t slowest_us;          /* slowest answer to the client */
    int first_owner, owner;      /* host indices at the window's begin and end, as far as known */
    unsigned moves;
};

struct witness_window {
    char name[WITNESS_WINDOW_NAME];
    struct mono start, end; /* end: never while it is the last */
    unsigned open;          /* addresses whose judgement has not yet left this window */
    uint64_t dropped;       /* frames dropped by the kernel for want of room, all windows, when this one began */
    struct witness_result *results; /* one per address */
};

struct witness_record {
    unsigned vip_count;
    unsigned window_count;
    struct witness_window *windows;
    size_t move_count;
    struct witness_move *moves;
    size_t stall_count;
    struct witness_stall *stalls;
};

void witness_record_init(struct witness_record *record, unsigned vip_count);
void witness_record_free(struct witness_record *record);

/* Ends the last window at `start` and begins a new one. `name` is cut to WITNESS_WINDOW_NAME - 1. */
void witness_record_begin(struct witness_record *record, const char *name, struct mono start, uint64_t dropped);
void witness_record_move(struct witness_record *record, const struct witness_move *move);
void witness_record_stall(struct witness_record *record, struct mono from, struct mono to);

/* How much of [from, to) the witness stalled, in microseconds. */
int64_t witness_record_stalled_us(const struct witness_record *record, struct mono from, struct mono to);

static inline int64_t witness_result_dual_us(const struct witness_result *r)
{
    return r->dual_listen_us > r->dual_claim_us ? r->dual_listen_us : r->dual_claim_us;
}

#endif
