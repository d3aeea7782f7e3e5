/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peer credentials. SO_PEERGROUPS (Linux 4.13) gives the supplementary groups as the kernel checks them for files,
 * which makes getgrouplist, and with it a name service that may hang on the network, unnecessary. The group's number is
 * read from /etc/group at each request, so that a group made later is honoured. Called by control.c.
 */
#include "daemon/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

static bool find_group(const char *name, gid_t *gid)
{
    FILE *file = fopen("/etc/group", "re");
    struct group *entry;
    bool found = false;

    if (file == NULL)
        return false;
    while (!found && (entry = fgetgrent(file)) != NULL) {
        found = strcmp(entry->gr_name, name) == 0;
        if (found)
            *gid = entry->gr_gid;
    }
    fclose(file);
    return found;
}

static bool has_supplementary_group(int fd, gid_t gid)
{
    socklen_t size = 0;
    bool found = false;

    /* With no room the kernel says how much it needs (ERANGE). */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE ||
        size > GROUPS_MAX * sizeof(gid_t))
        return false;
    gid_t *groups = malloc(size);

    if (groups == NULL)
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof(gid_t) && !found; i++)
            found = groups[i] == gid;
    }
    free(groups);
    return found;
}

bool peer_may_change(int fd, const char *group_name)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    gid_t gid;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    if (credentials.uid == 0 || credentials.uid == geteuid())
        return true;
    return find_group(group_name, &gid) && (credentials.gid == gid || has_supplementary_group(fd, gid));
}
