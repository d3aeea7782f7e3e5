/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of a command, as its user, under a keeper.
 *
 * The keeper is a small process between us and the command. It owns the time limit: TERM to the command's process
 * group, KILL to whatever is left of it 2 s later. It also outlives us when we are killed, and then ends the group, or
 * lets it come to its end (`follows`). So whoever starts a command never waits for anything but the keeper's word.
 *
 * The command gets: its user, groups and no capability that its user has not; a session of its own; /dev/null for
 * input and output and no other descriptor; no blocked or ignored signal; ordinary scheduling, nice 0, the default OOM
 * score; umask 022; directory /; PATH, HOME, USER, LOGNAME and SHELL and nothing else of our environment. It may gain
 * privileges as its user may (sudo, setuid programs): no_new_privs is not set.
 */
#ifndef EVENKEEL_PLATFORM_SCRIPT_H
#define EVENKEEL_PLATFORM_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/checks.h"

#define SCRIPT_KILL_AFTER_US 2000000 /* from TERM to KILL */

struct script_start {
    /* Who and what: argument_count, arguments, user and group count. Its permission is looked up anew in the child,
     * which may block; here nothing does. */
    const struct check_command *command;
    char *const *arguments; /* what it gets, from arguments[0] on; NULL at the end */
    bool security;          /* refuse what runs as root and could be replaced by others */
    int64_t timeout_us;     /* 0: none */
    bool follows;           /* it is ended when this process is gone */
};

enum script_outcome {
    SCRIPT_EXITED,    /* value: exit code */
    SCRIPT_SIGNALLED, /* value: signal */
    SCRIPT_TIMED_OUT, /* said at the limit, while its end is still awaited */
    SCRIPT_REFUSED,   /* not started; value: enum check_permit */
    SCRIPT_FAILED,    /* not started; value: errno of what failed */
    SCRIPT_ENDED,     /* because we asked for it */
    SCRIPT_LOST,      /* its keeper was killed, and so was it */
    SCRIPT_OUTCOME_COUNT,
};

struct script_result {
    uint8_t outcome; /* enum script_outcome */
    int32_t value;
};

/* A command that runs. */
struct script {
    pid_t keeper;
    int fd;    /* readable: there is a result, or the keeper is gone */
    bool told; /* the result was read */
};

/* Starts a command; never blocks. 0 with *out, or a negative errno. The calling process must be single-threaded. */
int script_start(const struct script_start *start, struct script *out);
/*
 * 1 with *result, which comes once; -EAGAIN: nothing new; 0: the keeper is gone (call script_reap), and *result is
 * SCRIPT_LOST should none have come before.
 */
int script_read(struct script *script, struct script_result *result);
/* Asks the keeper to end it; the result follows. */
void script_end(const struct script *script);
/* After script_read said 0: true when everything of it is given back; false: not yet, SIGCHLD will come. */
bool script_reap(struct script *script);

/* "exit code 3", "killed by signal 9 (Killed)", "timed out", "cannot be run: ...". */
#define SCRIPT_TEXT_MAX 160
void script_result_text(const struct script_result *result, char text[static SCRIPT_TEXT_MAX]);

#endif
