/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See file_watch.h. It owns nothing. Called by tracking.c. */
#include "platform/file_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)
#define BLANKS " \t\r\n"
#define READ_MAX 64

int file_watch_open(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int file_watch_add(int fd, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    if (slash == NULL)
        return inotify_add_watch(fd, ".", WATCHED) < 0 ? -errno : 0;
    if (slash - path >= PATH_MAX - 1)
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - path), path);
    return inotify_add_watch(fd, folder, WATCHED) < 0 ? -errno : 0;
}

void file_watch_drain(int fd)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    while (read(fd, buffer, sizeof(buffer)) > 0)
        ;
}

/* A regular file, opened without waiting for anything; -1 with errno. */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = EISDIR;
    return -1;
}

static enum file_state bad(char text[static FILE_TEXT_MAX], const char *why)
{
    snprintf(text, FILE_TEXT_MAX, "%s", why);
    return FILE_BAD;
}

static enum file_state parse(const char *bytes, int64_t *number, char text[static FILE_TEXT_MAX])
{
    const char *start = bytes + strspn(bytes, BLANKS);
    const char *digits = start + (*start == '-' || *start == '+');
    size_t length = strspn(digits, "0123456789");

    if (*start == '\0') {
        snprintf(text, FILE_TEXT_MAX, "it is empty");
        return FILE_EMPTY;
    }
    if (length == 0 || digits[length + strspn(digits + length, BLANKS)] != '\0')
        return bad(text, "it holds no number");
    if (length > 10)
        return bad(text, "its number is too large");
    int64_t value = strtoll(start, NULL, 10);

    if (value > FILE_NUMBER_MAX || value < -FILE_NUMBER_MAX)
        return bad(text, "its number is too large");
    *number = value;
    return FILE_NUMBER;
}

enum file_state file_read_number(const char *path, int64_t *number, char text[static FILE_TEXT_MAX])
{
    char bytes[READ_MAX + 1];
    int fd = open_regular(path);

    *number = 0;
    text[0] = '\0';
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        snprintf(text, FILE_TEXT_MAX, "there is no such file");
        return FILE_MISSING;
    }
    if (fd < 0)
        return bad(text, errno == EISDIR ? "it is no file" : strerror(errno));
    ssize_t got = read(fd, bytes, READ_MAX);
    int error = errno;

    close(fd);
    if (got < 0)
        return bad(text, strerror(error));
    bytes[got] = '\0';
    if (strlen(bytes) != (size_t)got || got == READ_MAX)
        return bad(text, "it holds no number");
    return parse(bytes, number, text);
}
