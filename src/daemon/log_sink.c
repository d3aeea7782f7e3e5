/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing without waiting. Standard error is shared with whoever started us, and O_NONBLOCK belongs to the shared
 * description: to set it there would break others. So a terminal or pipe is opened anew through /proc; where that is
 * not possible, poll() is asked before each write. syslog(3) and sd_journal_send(3) are not used since both block.
 * Called by log.c.
 */
#include "daemon/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool wants_colour(int fd)
{
    const char *terminal = getenv("TERM");

    return isatty(fd) && !getenv("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0;
}

static int open_anew(int fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void log_sink_open_stderr(struct log_sink *sink, int fd)
{
    struct stat status;

    *sink = (struct log_sink){.target = LOG_TARGET_STDERR, .way = LOG_SINK_POLL, .fd = -1, .colour = wants_colour(fd)};
    if (fstat(fd, &status) < 0)
        return;
    if (S_ISSOCK(status.st_mode)) {
        sink->way = LOG_SINK_SEND;
    } else if (S_ISREG(status.st_mode)) {
        sink->way = LOG_SINK_WRITE; /* not opened anew: others write through the same description, at the same place */
    } else {
        sink->fd = open_anew(fd);
        if (sink->fd >= 0) {
            sink->way = LOG_SINK_WRITE;
            return;
        }
    }
    sink->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int connect_datagram(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool log_sink_open_datagram(struct log_sink *sink, enum log_target target, const char *path)
{
    *sink = (struct log_sink){.target = target, .way = LOG_SINK_DATAGRAM, .fd = connect_datagram(path), .path = path};
    return sink->fd >= 0;
}

void log_sink_close(struct log_sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
}

static bool put_datagram(struct log_sink *sink, const char *line, size_t length)
{
    if (sink->fd >= 0 && send(sink->fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return true;
    if (sink->fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
        return false;
    log_sink_close(sink);
    sink->fd = connect_datagram(sink->path);
    return sink->fd >= 0 && send(sink->fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static ssize_t write_some(const struct log_sink *sink, const char *data, size_t length)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};

    if (sink->way == LOG_SINK_SEND)
        return send(sink->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sink->way == LOG_SINK_POLL && (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)))
        return -1;
    return write(sink->fd, data, length);
}

static bool put_line(struct log_sink *sink, const char *line, size_t length)
{
    ssize_t written;

    if (sink->fd < 0 || (sink->torn && write_some(sink, "\n", 1) != 1))
        return false;
    sink->torn = false;
    written = write_some(sink, line, length);
    sink->torn = written > 0 && (size_t)written < length;
    return written == (ssize_t)length;
}

bool log_sink_put(struct log_sink *sink, const char *line, size_t length)
{
    return sink->way == LOG_SINK_DATAGRAM ? put_datagram(sink, line, length) : put_line(sink, line, length);
}
