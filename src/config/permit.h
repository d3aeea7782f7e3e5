/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a command may run on this host: its user, its file, and who could replace that file. Asked when a file is
 * checked, and again in the child before each start. It looks things up (users, files), so it may block.
 */
#ifndef EVENKEEL_CONFIG_PERMIT_H
#define EVENKEEL_CONFIG_PERMIT_H

#include <limits.h>

#include "config/checks.h"

#define PERMIT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" /* for commands without a slash */

struct permit {
    uint8_t verdict;  /* enum check_permit, never CHECK_UNKNOWN */
    bool replaceable; /* it runs as root, and others than root could replace it */
    uid_t uid;
    gid_t gid;
    char path[PATH_MAX]; /* CHECK_RUNNABLE: without symbolic links */
};

/* The ids of the command's user and group; false when one does not exist here. */
bool permit_find_user(const struct check_command *command, uid_t *uid, gid_t *gid);
/* The file that a command's first word means, by PERMIT_PATH when it has no slash; false when there is none. */
bool permit_find_file(const char *name, char path[static PATH_MAX]);
/* Whether others than root could replace the file: any part of its path that they own or may write to. */
bool permit_is_replaceable(const char *path);

/* All of it, with the user known. `security`: what runs as root must not be replaceable. */
void permit_judge(const struct check_command *command, uid_t uid, gid_t gid, bool security, struct permit *out);
/* All of it. */
void permit_look(const struct check_command *command, bool security, struct permit *out);

/* Why it may not run, as a clause: "its user does not exist on this host". */
const char *permit_refusal(const struct check_command *command, enum check_permit verdict);

#endif
