/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities and users: the one file that knows libcap-ng. The worker keeps CAP_NET_ADMIN and CAP_NET_RAW (and
 * CAP_SYS_NICE when asked), and nothing else. All calls concern the calling thread: make them before other threads are
 * started.
 */
#ifndef EVENKEEL_PLATFORM_PRIVILEGE_H
#define EVENKEEL_PLATFORM_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#define PRIVILEGE_TEXT_MAX 256

/* The user's ids. 0, -ENOENT when there is no such user, or another negative errno. */
int privilege_find_user(const char *user, uid_t *uid, gid_t *gid);

/*
 * Names those of CAP_NET_ADMIN, CAP_NET_RAW (and CAP_SYS_NICE with `nice`) that this process does not have:
 * "CAP_NET_RAW", or "" . Returns how many. For a container or user namespace that does not grant them: better said at
 * the start than as EPERM.
 */
unsigned privilege_missing(bool nice, char text[static PRIVILEGE_TEXT_MAX]);

/* Why this process can never become that user - a capability is missing, a user namespace does not know it -, or NULL.
 */
const char *privilege_obstacle(uid_t uid, gid_t gid);

/*
 * Becomes `user` (NULL: stays who it is) with exactly those capabilities, and can never gain any again (no_new_privs).
 * CAP_SYS_NICE is kept when `nice` and it is there. 0, or a negative errno with the reason in `text`: -ENOENT no such
 * user, -EPERM CAP_NET_ADMIN or CAP_NET_RAW is missing. After an error the process may be neither here nor there: it
 * must end.
 */
int privilege_drop(const char *user, bool nice, char text[static PRIVILEGE_TEXT_MAX]);

/*
 * Nothing is handed on to what this process executes: inheritable and ambient capabilities are empty afterwards. For
 * children that go on as another user. 0 or a negative errno.
 */
int privilege_shed(void);

/*
 * Has the kernel send `signal` to this process when its parent ends. After privilege_drop, which would undo it. -ESRCH
 * when the parent is no longer `parent`, that is when it ended before.
 */
int privilege_follow_parent(pid_t parent, int signal);

#endif
