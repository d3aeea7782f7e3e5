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

/*
 * An option of the program whose place this one takes, as its users' unit files have it. A table ends with a row
 * without a name.
 */
struct options_other {
    const char *name; /* without the dashes */
    char letter;      /* 0: it has a long form only */
    char as;          /* the letter of our option that it is; 0: none */
    int argument;     /* getopt's: no_argument, required_argument, optional_argument */
    bool refused;     /* not without it: it would run otherwise than meant */
    const char *why;  /* what comes of it here; NULL: it asks for what is so anyway */
};

#define OPTIONS_TOLD_MAX 8

struct options {
    enum options_action action;
    const char *config_path;
    const char *config_id; /* of @id lines; NULL: the host's name up to its first dot */
    const char *run_dir;
    const char *pid_file; /* NULL: only the one in the run directory */
    bool foreground;
    enum log_level log_level;
    enum log_format log_format;
    /* Options of others without effect, in their order. */
    unsigned told_count;
    const struct options_other *told[OPTIONS_TOLD_MAX];
};

#define OPTIONS_ERROR_MAX 256

/*
 * Reads argv[1..] into *out, which gets the defaults first. `others` also are options; where a name or a letter is one
 * of ours, ours counts. False when an option is wrong: `error` is then one line that names it. The paths in *out point
 * into argv.
 */
bool options_parse(int argc, char *const argv[], const char *default_config, const char *default_run_dir,
                   const struct options_other *others, struct options *out, char error[static OPTIONS_ERROR_MAX]);

/* "-x", or "--name" when it has no letter. */
const char *options_other_text(const struct options_other *other, char text[static 64]);

/* The text of --help. */
const char *options_help(void);

#endif
