/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon leaves on the host when guard and worker are killed at once: its addresses, routes and tables. The next
 * one reconciles what its own configuration names; what only the old one named nobody would know of any more. So the
 * configuration in force stands in the run directory, which lasts as long as the kernel's state does, until everything
 * that it brought is gone. The worker keeps it, whose directory that is, and which has the rights to clean up. Called
 * by worker.c and worker_reload.c.
 */
#ifndef EVENKEEL_DAEMON_REST_H
#define EVENKEEL_DAEMON_REST_H

#include "daemon/dialect.h"

#define REST_FILE "running.conf"

/*
 * Before anything else is done to the kernel: removes what a daemon with another configuration than `config`, or with
 * another number (number.h), left behind, and says so. Only a file that is this user's own counts.
 */
void rest_clean(const char *run_dir, const struct daemon_dialect *dialect, const struct config *config,
                unsigned number);
/* `config` is in force now. That it cannot be written is logged. */
void rest_note(const char *run_dir, const struct config *config, unsigned number);
/* Nothing of it is left. */
void rest_forget(const char *run_dir);

#endif
