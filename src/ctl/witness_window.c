/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's record: windows, moves and its own stalls. Owns their memory; grows while the witness runs.
 */
#include "ctl/witness_window.h"

#include <stdio.h>
#include <stdlib.h>

/* For a tool that runs for minutes, being out of memory is the end; there is nothing that could be saved. */
static void *grow(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count, size);

    if (!memory) {
        fputs("witness: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

void witness_record_init(struct witness_record *record, unsigned vip_count)
{
    *record = (struct witness_record){.vip_count = vip_count};
}

void witness_record_free(struct witness_record *record)
{
    for (unsigned i = 0; i < record->window_count; i++)
        free(record->windows[i].results);
    free(record->windows);
    free(record->moves);
    free(record->stalls);
    *record = (struct witness_record){0};
}

void witness_record_begin(struct witness_record *record, const char *name, struct mono start, uint64_t dropped)
{
    record->windows = grow(record->windows, record->window_count + 1, sizeof(*record->windows));
    struct witness_window *window = &record->windows[record->window_count++];

    if (record->window_count > 1)
        window[-1].end = start;
    *window = (struct witness_window){.start = start, .end = MONO_NEVER, .open = record->vip_count, .dropped = dropped};
    snprintf(window->name, sizeof(window->name), "%s", name);
    window->results = grow(NULL, record->vip_count, sizeof(*window->results));
    for (unsigned i = 0; i < record->vip_count; i++)
        window->results[i] = (struct witness_result){
            .dual_hosts = {WITNESS_HOST_NONE, WITNESS_HOST_NONE},
            .first_owner = WITNESS_HOST_NONE,
            .owner = WITNESS_HOST_NONE,
        };
}

void witness_record_move(struct witness_record *record, const struct witness_move *move)
{
    record->moves = grow(record->moves, record->move_count + 1, sizeof(*record->moves));
    record->moves[record->move_count++] = *move;
}

void witness_record_stall(struct witness_record *record, struct mono from, struct mono to)
{
    record->stalls = grow(record->stalls, record->stall_count + 1, sizeof(*record->stalls));
    record->stalls[record->stall_count++] = (struct witness_stall){.from = from, .to = to};
}

int64_t witness_record_stalled_us(const struct witness_record *record, struct mono from, struct mono to)
{
    int64_t sum = 0;

    for (size_t i = record->stall_count; i-- > 0 && mono_after(record->stalls[i].to, from);) {
        const struct mono start = mono_max(record->stalls[i].from, from);
        const struct mono end = mono_min(record->stalls[i].to, to);

        sum += mono_after(end, start) ? mono_diff_us(end, start) : 0;
    }
    return sum;
}
