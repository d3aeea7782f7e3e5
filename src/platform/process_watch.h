/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many processes run that are looked for. A thread of its own looks through /proc every second, off the protocol's
 * time; of processes that it has found the end is seen at once, by their pidfds. Needs no privilege, so it sees what
 * the user it runs as may see (hidepid).
 */
#ifndef EVENKEEL_PLATFORM_PROCESS_WATCH_H
#define EVENKEEL_PLATFORM_PROCESS_WATCH_H

#include "config/checks.h"

#define PROCESS_SCAN_US 1000000

struct process_watch;

/* `processes` is copied; those without words are not looked for. 0 or a negative errno. */
int process_watch_open(const struct check_process *processes, unsigned count, struct process_watch **out);
/* Never waits: its thread, which reading of a stuck process may hold up, ends by itself. NULL is allowed. */
void process_watch_close(struct process_watch *watch);
/* Readable when there are new counts. */
int process_watch_fd(const struct process_watch *watch);
/* The newest counts, one for each of `processes`; false: none since the last call. */
bool process_watch_take(struct process_watch *watch, unsigned *counts);

#endif
