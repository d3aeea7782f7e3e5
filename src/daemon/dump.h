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

/* Where the configuration has its file, or else in `run_dir`; to be freed; NULL: no memory. dump_file.h writes it. */
char *dump_path(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct config *config,
                const char *config_id, const char *run_dir);

#endif
