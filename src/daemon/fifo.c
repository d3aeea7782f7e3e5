/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fifo.h. Called by guard_fifo.c. */
#include "daemon/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fifo {
    int fd;
    bool made;
    dev_t device; /* of what was opened: something else of that name is not ours to remove */
    ino_t inode;
    char *path;
    size_t kept;
    uint64_t dropped;
    char keep[FIFO_KEEP_MAX]; /* whole lines, but for the first of which a part may be written */
};

struct fifo_owner fifo_find_owner(const struct check_fifo *settings)
{
    const struct passwd *user = settings->user != NULL ? getpwnam(settings->user) : NULL;
    const struct group *group = settings->group != NULL ? getgrnam(settings->group) : NULL;

    return (struct fifo_owner){
        .no_user = settings->user != NULL && user == NULL,
        .no_group = settings->group != NULL && group == NULL,
        .uid = user != NULL ? user->pw_uid : geteuid(),
        .gid = group != NULL  ? group->gr_gid
               : user != NULL ? user->pw_gid
                              : getegid(),
    };
}

/* Both ends, so that it opens without a reader, and lines wait for one. NULL, or what is wrong. */
static const char *take(struct fifo *fifo, const struct fifo_owner *owner, mode_t mode)
{
    struct stat status;

    fifo->made = mkfifo(fifo->path, 0600) == 0;
    if (!fifo->made && errno != EEXIST)
        return strerror(errno);
    fifo->fd = open(fifo->path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fifo->fd < 0)
        return errno == ELOOP ? "it is a symbolic link" : strerror(errno);
    if (fstat(fifo->fd, &status) < 0 || !S_ISFIFO(status.st_mode))
        return "something else has this name";
    fifo->device = status.st_dev;
    fifo->inode = status.st_ino;
    if (status.st_uid != geteuid() && status.st_uid != owner->uid)
        return "somebody else owns it";
    /* The mode first: to change that of somebody else's file is another privilege. */
    if ((status.st_mode & 07777) != mode && fchmod(fifo->fd, mode) < 0)
        return strerror(errno);
    if ((status.st_uid != owner->uid || status.st_gid != owner->gid) && fchown(fifo->fd, owner->uid, owner->gid) < 0)
        return strerror(errno);
    return NULL;
}

struct fifo *fifo_open(const struct check_fifo *settings, const struct fifo_owner *owner,
                       char problem[static FIFO_PROBLEM_MAX])
{
    struct fifo *fifo = calloc(1, sizeof(*fifo));

    if (fifo != NULL)
        fifo->fd = -1;
    if (fifo == NULL || (fifo->path = strdup(settings->path)) == NULL) {
        snprintf(problem, FIFO_PROBLEM_MAX, "%.200s: no memory", settings->path);
        fifo_close(fifo);
        return NULL;
    }
    const char *fault = owner->no_user    ? "its user does not exist on this host"
                        : owner->no_group ? "its group does not exist on this host"
                                          : take(fifo, owner, settings->group != NULL ? 0640 : 0600);

    if (fault == NULL)
        return fifo;
    snprintf(problem, FIFO_PROBLEM_MAX, "%.200s: %s", settings->path, fault);
    fifo_close(fifo);
    return NULL;
}

void fifo_let_go(struct fifo *fifo)
{
    if (fifo != NULL && fifo->fd >= 0)
        close(fifo->fd);
}

bool fifo_is_in_place(const struct fifo *fifo)
{
    struct stat status;

    return lstat(fifo->path, &status) == 0 && status.st_dev == fifo->device && status.st_ino == fifo->inode;
}

void fifo_close(struct fifo *fifo)
{
    if (fifo == NULL)
        return;
    if (fifo->made && fifo_is_in_place(fifo))
        unlink(fifo->path);
    fifo_let_go(fifo);
    free(fifo->path);
    free(fifo);
}

void fifo_flush(struct fifo *fifo)
{
    while (fifo->kept > 0) {
        ssize_t written = write(fifo->fd, fifo->keep, fifo->kept);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        fifo->kept -= (size_t)written;
        memmove(fifo->keep, fifo->keep + written, fifo->kept);
    }
}

bool fifo_write(struct fifo *fifo, const char *line, size_t length)
{
    fifo_flush(fifo);
    if (length > sizeof(fifo->keep) - fifo->kept) {
        fifo->dropped++;
        return false;
    }
    memcpy(fifo->keep + fifo->kept, line, length);
    fifo->kept += length;
    fifo_flush(fifo);
    return true;
}

int fifo_wants(const struct fifo *fifo)
{
    return fifo != NULL && fifo->kept > 0 ? fifo->fd : -1;
}

const char *fifo_path(const struct fifo *fifo)
{
    return fifo->path;
}

uint64_t fifo_dropped(const struct fifo *fifo)
{
    return fifo->dropped;
}
