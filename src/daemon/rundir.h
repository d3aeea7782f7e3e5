/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory: made when missing, and locked, so that there is one daemon per directory. The lock is a flock on
 * `evenkeeld.pid`, which the worker inherits: as long as either process lives no second daemon starts. It owns that
 * file only; the control socket is control.h's.
 */
#ifndef EVENKEEL_DAEMON_RUNDIR_H
#define EVENKEEL_DAEMON_RUNDIR_H

#include <sys/types.h>

#define RUNDIR_PID_FILE "evenkeeld.pid"

struct rundir;

/*
 * Makes the directory (mode 0755) when it is missing, and locks it. 0 or a negative errno; -EWOULDBLOCK: another
 * daemon runs there, *holder is its process id (0: unknown). When the daemon named in the file is gone and only its
 * worker is still leaving, waits for that for at most `wait_ms`.
 */
int rundir_open(const char *path, unsigned wait_ms, struct rundir **out, pid_t *holder);
/* Writes this process's id into the file: again after a fork. 0 or a negative errno. */
int rundir_write_pid(struct rundir *rundir);
/*
 * Gives the directory itself to the user that the worker runs as, so that it can remove its socket. 0 or a negative
 * errno.
 */
int rundir_give(struct rundir *rundir, uid_t uid, gid_t gid);
const char *rundir_path(const struct rundir *rundir);
/* Removes the file and gives up the lock. NULL is allowed. */
void rundir_close(struct rundir *rundir);

#endif
