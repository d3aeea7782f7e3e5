/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The languages that a configuration file may hold beside ours, as the daemon sees them. The table is defined where
 * those languages are known, outside of src/, and handed in by main.c; nothing in here knows their words.
 */
#ifndef EVENKEEL_DAEMON_DIALECT_H
#define EVENKEEL_DAEMON_DIALECT_H

#include <stdio.h>

#include "daemon/daemon_view.h"
#include "daemon/options.h"

/* Pictures of the daemon for programs that read them in that language. */
enum daemon_dump {
    DAEMON_DUMP_DATA,
    DAEMON_DUMP_STATS,
    DAEMON_DUMP_JSON,
    DAEMON_DUMP_COUNT,
};

/* "data", "stats", "json"; the value of that name, or DAEMON_DUMP_COUNT. */
const char *daemon_dump_name(enum daemon_dump dump);
enum daemon_dump daemon_dump_find(const char *name);

struct daemon_dialect {
    /* As config_read, of files in any of the languages; also holds the file against this host. */
    struct config *(*read)(struct config_request request, config_report *report, void *context);
    void (*dump)(enum daemon_dump dump, const struct daemon_view *view, FILE *out);
    /* Where it belongs: an absolute path, or a name in the run directory. */
    void (*dump_file)(enum daemon_dump dump, const struct config *config, const char *config_id, char *file,
                      size_t size);
    /* The command line of the program that the language comes from. */
    const struct options_other *options;
};

extern const struct daemon_dialect daemon_dialect;

#endif
