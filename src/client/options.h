/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of a process that only reads: what evenkeel-snmp and evenkeel-exporter have in common, and --help,
 * made of one table. */
#ifndef EVENKEEL_CLIENT_OPTIONS_H
#define EVENKEEL_CLIENT_OPTIONS_H

#include <stdbool.h>

#define OPTIONS_OWN_MAX 4

/* An option that only this program has. */
struct options_row {
    const char *name;     /* without the dashes */
    const char *argument; /* as --help shows it; NULL: it takes none */
    const char *help;
    const char **value; /* gets the argument */
    bool *given;        /* becomes true; for those without argument */
};

struct options_program {
    const char *name, *about; /* about: one line */
    const struct options_row *own;
    unsigned own_count; /* at most OPTIONS_OWN_MAX */
};

struct options_common {
    const char *run_dir, *user; /* the defaults, or what was given */
};

/* True: go on; else *code is what to exit with, and --help, --version or what is wrong has been printed. */
bool options_read(const struct options_program *program, int argc, char **argv, struct options_common *common,
                  int *code);

#endif
