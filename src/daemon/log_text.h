/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log record as bytes, for each target. Control characters and what is not UTF-8 become '?', so that nothing that
 * came from the network or a file can forge a line or speak to a terminal. Pure; used by log.c only.
 */
#ifndef EVENKEEL_DAEMON_LOG_TEXT_H
#define EVENKEEL_DAEMON_LOG_TEXT_H

#include <stddef.h>
#include <time.h>

#include "daemon/log.h"

#define LOG_LINE_MAX 4096 /* one write to a pipe is whole up to here (PIPE_BUF) */

struct log_record {
    enum log_level level;
    const char *kind;       /* NULL; or a call site, with a colon: shown to journald only, as CODE_FILE and CODE_LINE */
    const char *message_id; /* NULL: none */
    struct timespec wall;
    const char *message;
    const struct log_field *fields;
    unsigned field_count;
};

/* All return the length written to `line`, which is not terminated by NUL. Fields that do not fit are left out. */

/* "2026-01-31 13:05:07.123 warning: MESSAGE\n", local time. */
size_t log_text_plain(const struct log_record *record, bool colour, char line[static LOG_LINE_MAX]);
/* One JSON object and a newline; time in UTC. */
size_t log_text_json(const struct log_record *record, char line[static LOG_LINE_MAX]);
/* A datagram for /dev/log: "<28>Jan 31 13:05:07 evenkeeld[123]: MESSAGE", or the JSON object in its place. */
size_t log_text_syslog(const struct log_record *record, bool json, const char *identifier, long pid,
                       char line[static LOG_LINE_MAX]);
/* A datagram in journald's native protocol; the fields' names in upper case. */
size_t log_text_journal(const struct log_record *record, const char *identifier, char line[static LOG_LINE_MAX]);

#endif
