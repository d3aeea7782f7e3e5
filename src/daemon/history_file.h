/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history's file: the ring of history.h in the run directory, so that it survives a restart, an orderly one or
 * kill -9. It has the ring's size from the beginning and never grows. Records go to a thread of its own, which writes
 * them in place: the loop never waits for a file system. No fsync: what it protects from, the loss of power, ends the
 * run directory's life anyway, and torn records are known by their checksums.
 */
#ifndef EVENKEEL_DAEMON_HISTORY_FILE_H
#define EVENKEEL_DAEMON_HISTORY_FILE_H

#include "daemon/history.h"

#define HISTORY_FILE "history.ring"
#define HISTORY_PROBLEM_MAX 256

struct history_file;

/*
 * Reads the file in `directory` into `history`, which must be empty, and begins to write. A file that cannot be used is
 * replaced, and `problem` (else "") says why in one line. NULL, with `problem`, when the history cannot be kept: the
 * daemon goes on without. Call it as the user that is to own the file.
 */
struct history_file *history_file_open(const char *directory, struct history *history,
                                       char problem[static HISTORY_PROBLEM_MAX]);
/* Hands over an entry; it is written some time later. Never waits. NULL is allowed, here and below. */
void history_file_add(struct history_file *file, const struct history_entry *entry);
/* Lets the thread know of what was added since the last time. */
void history_file_wake(struct history_file *file);
/* Records that could not be written. */
uint64_t history_file_failures(const struct history_file *file);
/* Writes what is left, for at most `timeout_ms`. */
void history_file_close(struct history_file *file, unsigned timeout_ms);

#endif
