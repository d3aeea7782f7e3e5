/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where log lines go: a descriptor that is written to without ever waiting. Used by log.c only. */
#ifndef EVENKEEL_DAEMON_LOG_SINK_H
#define EVENKEEL_DAEMON_LOG_SINK_H

#include <stddef.h>

#include "daemon/log.h"

enum log_sink_way {
    LOG_SINK_WRITE,    /* a regular file, or a description of our own that is non-blocking */
    LOG_SINK_POLL,     /* shared with others, so its flags are not ours to change: ask first, then write */
    LOG_SINK_SEND,     /* a connected socket */
    LOG_SINK_DATAGRAM, /* to `path`; connected anew when the other side was restarted */
};

struct log_sink {
    enum log_target target;
    enum log_sink_way way;
    int fd; /* -1: nowhere */
    bool colour;
    bool torn;        /* a line was written in part: the next one begins with a newline */
    const char *path; /* LOG_SINK_DATAGRAM; the caller's */
};

/* Standard error as `fd`. It is duplicated or opened anew; log_sink_close does not touch `fd` itself. */
void log_sink_open_stderr(struct log_sink *sink, int fd);
/* A datagram socket to `path`. False when nobody listens there. */
bool log_sink_open_datagram(struct log_sink *sink, enum log_target target, const char *path);
void log_sink_close(struct log_sink *sink);

/* Writes one line or datagram. False when it was dropped. Never blocks. */
bool log_sink_put(struct log_sink *sink, const char *line, size_t length);

#endif
