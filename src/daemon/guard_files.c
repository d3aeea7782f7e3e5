/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See guard_files.h. It owns nothing. Called by guard_script.c. */
#include "daemon/guard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

/* A new file, or one that may be written over; -1 with errno (EEXIST: it is there and stays as it is). */
static int open_file(const struct check_file *file, bool overwrite)
{
    struct stat status;
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd >= 0 || errno != EEXIST || !overwrite)
        return fd;
    fd = open(file->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 && ftruncate(fd, 0) == 0)
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

static int write_value(int fd, int64_t value)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%" PRId64 "\n", value);
    int error = write(fd, text, (size_t)length) == length ? 0 : -EIO;

    return close(fd) < 0 ? -errno : error;
}

void guard_files_init(const struct config_instances *instances, bool start)
{
    for (unsigned i = 0; i < instances->file_count; i++) {
        const struct check_file *file = &instances->files[i];

        if (!file->create || file->path == NULL)
            continue;
        int fd = open_file(file, start && file->overwrite);

        if (fd < 0 && errno == EEXIST)
            continue;
        int error = fd < 0 ? -errno : write_value(fd, file->init_value);

        if (error < 0)
            log_error("track_file %s: %s cannot be written: %s", file->name, file->path, strerror(-error));
    }
}
