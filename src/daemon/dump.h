/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's state as a text in the words of another language (dialect.h): for the control socket, or as a file when
 * a signal asks for it. Called by the worker.
 */
#ifndef EVENKEEL_DAEMON_DUMP_H
#define EVENKEEL_DAEMON_DUMP_H

#include "daemon/dialect.h"

/* The text, to be freed; NULL: no memory. */
char *dump_text(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct daemon_view *view);

/*
 * Writes the file: where the configuration says, or else in `run_dir`. It is complete when it appears, and readable for
 * nobody else; whatever stands in its place is replaced, never written to. Logs what came of it.
 */
void dump_write(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct daemon_view *view,
                const char *config_id, const char *run_dir);

#endif
