/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory and its lock (see rundir.h). Called by main.c and guard.c.
 *
 * The file is removed at the end, so a lock may be won on a file that has no name any more: after locking, the name is
 * looked up again and must lead to the locked file.
 */
#include "daemon/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 20

struct rundir {
    char *path;
    char *file;
    int fd;
};

/* Every missing directory of the path, as `mkdir -p` does. */
static int make_directories(const char *path)
{
    char *copy = strdup(path);
    int error = 0;

    if (copy == NULL)
        return -ENOMEM;
    for (char *slash = copy + 1; error == 0 && slash != NULL && *copy != '\0'; slash++) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            error = -errno;
        if (slash == NULL)
            break;
        *slash = '/';
    }
    free(copy);
    return error;
}

static pid_t read_holder(int fd)
{
    char text[32] = "";
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

    if (got <= 0)
        return 0;
    long pid = strtol(text, NULL, 10);

    return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* One attempt. 0 with rundir->fd locked; -EWOULDBLOCK; -ESTALE: the file was replaced meanwhile, try again. */
static int lock_file(struct rundir *rundir, pid_t *holder)
{
    struct stat opened;
    struct stat named;
    int fd = open(rundir->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;

        *holder = read_holder(fd);
        close(fd);
        return -error;
    }
    if (fstat(fd, &opened) < 0 || stat(rundir->file, &named) < 0 || opened.st_ino != named.st_ino) {
        close(fd);
        return -ESTALE;
    }
    rundir->fd = fd;
    return 0;
}

/* The same in a directory that a worker before was given, by a root that may not write everywhere. No daemon runs
 * there, else its file would be there. */
static int lock_or_take(struct rundir *rundir, pid_t *holder)
{
    int error = lock_file(rundir, holder);

    return error == -EACCES && chown(rundir->path, geteuid(), getegid()) == 0 ? lock_file(rundir, holder) : error;
}

static int lock_patiently(struct rundir *rundir, unsigned wait_ms, pid_t *holder)
{
    struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};

    for (unsigned waited = 0;; waited += RETRY_MS) {
        int error = lock_or_take(rundir, holder);
        bool leaving = error == -EWOULDBLOCK && *holder > 0 && kill(*holder, 0) < 0 && errno == ESRCH;

        if (error == 0 || waited >= wait_ms || (error != -ESTALE && !leaving))
            return error == -ESTALE ? -EWOULDBLOCK : error;
        nanosleep(&pause, NULL);
    }
}

int rundir_open(const char *path, unsigned wait_ms, struct rundir **out, pid_t *holder)
{
    struct rundir *rundir = calloc(1, sizeof(*rundir));
    int error;

    *holder = 0;
    if (rundir == NULL)
        return -ENOMEM;
    rundir->fd = -1;
    rundir->path = strdup(path);
    if (rundir->path == NULL || asprintf(&rundir->file, "%s/%s", path, RUNDIR_PID_FILE) < 0) {
        rundir->file = NULL;
        error = -ENOMEM;
    } else {
        error = make_directories(path);
        if (error == 0)
            error = lock_patiently(rundir, wait_ms, holder);
    }
    if (error == 0) {
        *out = rundir;
        return 0;
    }
    free(rundir->file);
    free(rundir->path);
    free(rundir);
    return error;
}

int rundir_write_pid(struct rundir *rundir)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(rundir->fd, 0) < 0)
        return -errno;
    if (pwrite(rundir->fd, text, (size_t)length, 0) != length)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

int rundir_give(struct rundir *rundir, uid_t uid, gid_t gid)
{
    return chown(rundir->path, uid, gid) < 0 ? -errno : 0;
}

const char *rundir_path(const struct rundir *rundir)
{
    return rundir->path;
}

void rundir_close(struct rundir *rundir)
{
    if (rundir == NULL)
        return;
    unlink(rundir->file);
    close(rundir->fd);
    free(rundir->file);
    free(rundir->path);
    free(rundir);
}
