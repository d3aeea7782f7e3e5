/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history as bytes: a head that says what the file is, and records of fixed size. Numbers are big-endian. Kinds,
 * reasons and states are numbers that mean something only together with the names they had: a hash of all names stands
 * in the head, so that a file of another release is refused and never misread. Each record has a checksum, since its
 * writer may be killed at any time. Pure; used by history_file.c.
 */
#ifndef EVENKEEL_DAEMON_HISTORY_RECORD_H
#define EVENKEEL_DAEMON_HISTORY_RECORD_H

#include "daemon/history.h"

#define HISTORY_HEAD_BYTES 64
#define HISTORY_RECORD_BYTES 160

void history_head_encode(unsigned capacity, uint8_t bytes[static HISTORY_HEAD_BYTES]);
/* NULL when the head is that of a file with `capacity` records of this release, else what is wrong with it. */
const char *history_head_check(unsigned capacity, const uint8_t bytes[static HISTORY_HEAD_BYTES]);

void history_record_encode(const struct history_entry *entry, uint8_t bytes[static HISTORY_RECORD_BYTES]);

enum history_record_result {
    HISTORY_RECORD_OK,
    HISTORY_RECORD_EMPTY,   /* never written */
    HISTORY_RECORD_DAMAGED, /* torn, or not ours */
};

/* *out is valid when the result is HISTORY_RECORD_OK: every field within its range, sequence not 0, `at` never. */
enum history_record_result history_record_decode(const uint8_t bytes[static HISTORY_RECORD_BYTES],
                                                 struct history_entry *out);

#endif
