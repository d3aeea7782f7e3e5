/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of notes. The entry with sequence s lies at index s % capacity, so lookup needs no search. Called by
 * notes.c, history_file.c and history_json.c. */
#include "daemon/history.h"

#include <stdlib.h>

#include "base/check.h"

struct history {
    unsigned capacity;
    uint64_t first;  /* the oldest ever held */
    uint64_t newest; /* 0: none yet */
    struct history_entry entries[];
};

struct history *history_new(unsigned capacity)
{
    CHECK(capacity > 0);
    struct history *history = calloc(1, sizeof(*history) + capacity * sizeof(history->entries[0]));

    if (history != NULL)
        *history = (struct history){.capacity = capacity, .first = 1};
    return history;
}

void history_free(struct history *history)
{
    free(history);
}

void history_add(struct history *history, const struct note *note, struct mono at, int64_t wall_us)
{
    history->newest++;
    history->entries[history->newest % history->capacity] = (struct history_entry){
        .sequence = history->newest,
        .at = at,
        .wall_us = wall_us,
        .note = *note,
    };
}

void history_restore(struct history *history, const struct history_entry *entry)
{
    if (history->newest == 0)
        history->first = entry->sequence;
    CHECK(entry->sequence == (history->newest == 0 ? history->first : history->newest + 1));
    history->newest = entry->sequence;
    history->entries[entry->sequence % history->capacity] = *entry;
}

uint64_t history_newest(const struct history *history)
{
    return history->newest;
}

uint64_t history_oldest(const struct history *history)
{
    if (history->newest == 0)
        return 0;
    if (history->newest - history->first < history->capacity)
        return history->first;
    return history->newest - history->capacity + 1;
}

const struct history_entry *history_get(const struct history *history, uint64_t sequence)
{
    if (sequence == 0 || sequence > history->newest || sequence < history_oldest(history))
        return NULL;
    return &history->entries[sequence % history->capacity];
}
