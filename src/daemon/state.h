/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives a restart of the daemon: a small JSON file in the run directory, today the names of drained pools.
 * Every change is written at once and as a whole (temporary file, rename). Keys that this version does not know are
 * kept.
 */
#ifndef EVENKEEL_DAEMON_STATE_H
#define EVENKEEL_DAEMON_STATE_H

#include <stdbool.h>
#include <stddef.h>

#define STATE_FILE "state.json"
#define STATE_PROBLEM_MAX 256

struct state;

/*
 * Reads the file in `directory`. No file is an empty state. A file that cannot be used is one too, and `problem` (else
 * "") says why in one line; it is replaced by the next change. NULL only when there is no memory.
 */
struct state *state_open(const char *directory, char problem[static STATE_PROBLEM_MAX]);
void state_close(struct state *state); /* NULL is allowed */

bool state_is_drained(const struct state *state, const char *pool);

/* Sets it and writes the file. 0 or a negative errno: it is then set in memory only. */
int state_set_drained(struct state *state, const char *pool, bool drained);

#endif
