/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going into the background so that whoever started the daemon learns what came of it: the first process waits for the
 * daemon's word and exits with its code. Called by main.c.
 */
#ifndef EVENKEEL_DAEMON_DETACH_H
#define EVENKEEL_DAEMON_DETACH_H

/*
 * Forks. Returns in the child, a new session, with a descriptor for detach_up, or a negative errno. The parent never
 * returns: it exits 0 after detach_up, or with the child's own exit code.
 */
int detach_begin(void);

/* The daemon is up: lets the first process exit 0. The descriptor stays the caller's to close. */
void detach_up(int fd);

/*
 * Gives up the terminal: standard input, output and error become /dev/null. Each process of the daemon does it for
 * itself.
 */
void detach_silence(void);

#endif
