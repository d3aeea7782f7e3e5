/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker as the guard sees it: a function that runs in the child and returns its exit code. Its inside is
 * worker.h.
 */
#ifndef EVENKEEL_DAEMON_WORKER_RUN_H
#define EVENKEEL_DAEMON_WORKER_RUN_H

#include "daemon/dialect.h"
#include "daemon/guard_page.h"
#include "daemon/rundir.h"

struct worker_start {
    const struct config *config;
    const struct daemon_dialect *dialect;
    const char *config_id; /* NULL: the host's name */
    struct guard_page *page;
    struct rundir *rundir;
    unsigned number;           /* of this daemon in its network namespace, see number.h */
    int channel;               /* the worker's end */
    int orders;                /* the worker's end, see orders.h */
    uint32_t connection;       /* its number */
    void (*up)(void *context); /* called when the worker is up */
    void *context;
};

/*
 * Starts, says CHANNEL_UP, runs until it is told to leave, and removes everything. 0 after an orderly leave;
 * otherwise a sysexits code after saying why, and the guard cleans up.
 */
int worker_run(const struct worker_start *start);

#endif
