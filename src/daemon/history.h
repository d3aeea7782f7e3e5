/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened lately: a ring of notes of fixed size, newest overwrite oldest. It owns its entries; sequences count up
 * from 1, so that a reader who polls knows what it missed. It outlives the process (history_file.h), which notes can,
 * since they name their pool and VRID themselves.
 */
#ifndef EVENKEEL_DAEMON_HISTORY_H
#define EVENKEEL_DAEMON_HISTORY_H

#include "base/mono.h"
#include "daemon/note.h"

#define HISTORY_CAPACITY 1024 /* about 190 KiB, touched only as it fills; a fail-over of 240 units makes some 500 */

struct history;

struct history_entry {
    uint64_t sequence;
    struct mono at;  /* MONO_NEVER: before this process */
    int64_t wall_us; /* microseconds since 1970 */
    struct note note;
};

struct history *history_new(unsigned capacity); /* NULL: no memory */
void history_free(struct history *history);     /* NULL is allowed */

void history_add(struct history *history, const struct note *note, struct mono at, int64_t wall_us);

/* Puts back an entry of an earlier process, oldest first: each sequence one higher than the last. */
void history_restore(struct history *history, const struct history_entry *entry);

/* Sequence of the newest entry; 0: none. */
uint64_t history_newest(const struct history *history);
/* Sequence of the oldest entry still held; 0: none. */
uint64_t history_oldest(const struct history *history);
/* The entry with this sequence, or NULL when it is not (or no longer) held. Valid until the next history_add. */
const struct history_entry *history_get(const struct history *history, uint64_t sequence);

#endif
