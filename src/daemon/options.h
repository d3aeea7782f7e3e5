/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of evenkeeld: text to values, nothing else. Called by main.c. */
#ifndef EVENKEEL_DAEMON_OPTIONS_H
#define EVENKEEL_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/log.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK,   /* -t */
    OPTIONS_HELP,    /* --help */
    OPTIONS_VERSION, /* --version */
};

struct options {
    enum options_action action;
    const char *config_path;
    const char *config_id; /* of @id lines; NULL: the host's name up to its first dot */
    const char *run_dir;
    bool foreground;
    enum log_level log_level;
    enum log_format log_format;
};

#define OPTIONS_ERROR_MAX 256

/*
 * Reads argv[1..] into *out, which gets the defaults first. False when an option is wrong: `error` is then one line
 * that names it. The paths in *out point into argv.
 */
bool options_parse(int argc, char *const argv[], const char *default_config, const char *default_run_dir,
                   struct options *out, char error[static OPTIONS_ERROR_MAX]);

/* The text of --help. */
const char *options_help(void);

#endif
