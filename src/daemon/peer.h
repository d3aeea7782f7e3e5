/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is on the other end of a Unix socket, and whether that is enough to command the daemon. */
#ifndef EVENKEEL_DAEMON_PEER_H
#define EVENKEEL_DAEMON_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * True when the process that connected `fd` ran as root or as this process's own user, or had the group `group_name`
 * (main or supplementary) when it connected. Everything is asked of the kernel and of /etc/group: no name service that
 * could block is involved, so groups from a directory service count only if /etc/group lists the group too.
 */
bool peer_may_change(int fd, const char *group_name);

#endif
