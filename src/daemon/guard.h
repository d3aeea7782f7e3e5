/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard: the daemon's first process, which stays root and small. It starts the worker, and when that dies for any
 * reason but an orderly leave, it removes the addresses and the filter at once, says goodbye for the worker, and
 * starts it again. It reads signals, the worker's channel and the configuration file, never the network.
 */
#ifndef EVENKEEL_DAEMON_GUARD_H
#define EVENKEEL_DAEMON_GUARD_H

#include "daemon/dialect.h"
#include "daemon/ready.h"
#include "daemon/rundir.h"

struct guard_start {
    const struct daemon_dialect *dialect;
    struct config_request request; /* of the configuration, to read it again */
    struct config *config;         /* becomes the guard's */
    struct rundir *rundir;
    struct ready *ready;
    void (*up)(void *context);        /* called once, in the guard, when the daemon has started */
    void (*worker_up)(void *context); /* called in each worker when it is up */
    void *context;
};

/* Runs the daemon to its end. Its exit code (sysexits). */
int guard_run(const struct guard_start *start);

#endif
