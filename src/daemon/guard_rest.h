/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon leaves on the host when guard and worker are killed at once: its addresses, routes and tables. The next
 * one reconciles what its own configuration names; what only the old one named nobody would know of any more. So the
 * configuration in force stands in the run directory, which lasts as long as the kernel's state does, until everything
 * that it brought is gone. Called by guard.c, guard_worker.c and worker.c.
 */
#ifndef EVENKEEL_DAEMON_GUARD_REST_H
#define EVENKEEL_DAEMON_GUARD_REST_H

#include "daemon/dialect.h"

#define GUARD_REST_FILE "running.conf"

/*
 * Before the first worker: removes what a daemon with another configuration than `config`, or with another number
 * (number.h), left behind, and says so. Only a file counts that this user wrote himself, since the directory is the
 * worker's.
 */
void guard_rest_clean(const char *run_dir, const struct daemon_dialect *dialect, const struct config *config,
                      unsigned number);
/* `config` is in force now. That it cannot be written is logged. */
void guard_rest_note(const char *run_dir, const struct config *config, unsigned number);
/* Nothing of it is left. */
void guard_rest_forget(const char *run_dir);

#endif
