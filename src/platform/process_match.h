/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process is one that is looked for, by what /proc says of it. Pure. */
#ifndef EVENKEEL_PLATFORM_PROCESS_MATCH_H
#define EVENKEEL_PLATFORM_PROCESS_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "config/checks.h"

/* Whether the process' command line has to be read; else its name (comm) is enough. */
bool process_match_needs_line(const struct check_process *process);
/*
 * `name`: of the process, at most 15 bytes as the kernel keeps it. `line`: its arguments, each ended by a NUL, `length`
 * bytes with the last NUL; looked at when process_match_needs_line.
 */
bool process_matches(const struct check_process *process, const char *name, const char *line, size_t length);

#endif
