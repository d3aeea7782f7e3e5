/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl's inside: what main.c has read from the command line, and the commands it can run. Every command gets the
 * same const value and its own words, and returns a sysexits code.
 */
#ifndef EVENKEEL_CTL_CTL_H
#define EVENKEEL_CTL_CTL_H

#include <stdbool.h>

#include "ctl/term.h"

#define CTL_MEMBERS_MAX 32 /* of each --with and --without */

struct ctl {
    const char *run_dir;
    bool json;
    struct term term;
    /* options of commands; which command takes which stands in its row (main.c) */
    const char *columns; /* NULL: the usual ones */
    bool no_headings;
    const char *pool; /* NULL: all */
    const char *with[CTL_MEMBERS_MAX], *without[CTL_MEMBERS_MAX];
    unsigned with_count, without_count;
    const char *config_id; /* of @id lines; NULL: this host's name */
    const char *svg;       /* where to write the picture; "-": standard output; NULL: no picture */
    bool timeline;
    bool now, no_wait, follow, print, running, all, names, strict;
    int timeout_s;   /* how long to wait for the result; 0: the command's own time */
    int limit;       /* entries; 0: the daemon's choice */
    int interval_ms; /* between two looks; 0: the command's own */
};

/* "keelctl: TEXT" to standard error. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

int status_command(const struct ctl *ctl, int argc, char **argv);
int members_command(const struct ctl *ctl, int argc, char **argv);
int list_command(const struct ctl *ctl, int argc, char **argv);
int plan_command(const struct ctl *ctl, int argc, char **argv);
int explain_command(const struct ctl *ctl, int argc, char **argv);
int take_command(const struct ctl *ctl, int argc, char **argv);
int release_command(const struct ctl *ctl, int argc, char **argv);
int drain_command(const struct ctl *ctl, int argc, char **argv);
int undrain_command(const struct ctl *ctl, int argc, char **argv);
int rebalance_command(const struct ctl *ctl, int argc, char **argv);
int reload_command(const struct ctl *ctl, int argc, char **argv);
int counters_command(const struct ctl *ctl, int argc, char **argv);
int snmp_command(const struct ctl *ctl, int argc, char **argv);
int history_command(const struct ctl *ctl, int argc, char **argv);
int events_command(const struct ctl *ctl, int argc, char **argv);
int dump_command(const struct ctl *ctl, int argc, char **argv);
int watch_command(const struct ctl *ctl, int argc, char **argv);
int check_command(const struct ctl *ctl, int argc, char **argv);
int convert_command(const struct ctl *ctl, int argc, char **argv);
int dns_command(const struct ctl *ctl, int argc, char **argv);

#endif
