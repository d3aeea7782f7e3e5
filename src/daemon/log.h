/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging of the process: one line per message, to standard error (text or JSON lines), to syslog, or to journald by
 * its native datagrams. It never blocks: what cannot be written at once is dropped and counted, and the count is said
 * when writing works again. Messages of one kind are limited to LOG_BURST per LOG_WINDOW_US; how many were held back is
 * said then.
 *
 * The log is the one resource that is the process's and not an object's (as standard error is), so there is no handle.
 * Before log_open (and after log_close) messages go to standard error as text, from notice on. One thread only.
 */
#ifndef EVENKEEL_DAEMON_LOG_H
#define EVENKEEL_DAEMON_LOG_H

#include "base/mono.h"

#define LOG_BURST 10
#define LOG_WINDOW_US ((int64_t)10 * US_PER_S)
#define LOG_MESSAGE_MAX 1024 /* longer messages are cut */
#define LOG_FIELDS_MAX 16

enum log_level {
    LOG_LEVEL_ERROR,   /* something does not work that should */
    LOG_LEVEL_WARNING, /* somebody should look at it */
    LOG_LEVEL_NOTICE,  /* normal, but important: ownership changed */
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_COUNT,
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON, /* one object per line, on standard error and syslog; journald gets fields in any case */
    LOG_FORMAT_COUNT,
};

enum log_target {
    LOG_TARGET_STDERR,
    LOG_TARGET_SYSLOG,
    LOG_TARGET_JOURNAL,
    LOG_TARGET_COUNT,
};

/* "error", "warning", ...; "text", "json". */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *text, enum log_level *out);
bool log_format_parse(const char *text, enum log_format *out);

/*
 * Opens the log: journald when standard error leads there ($JOURNAL_STREAM), else standard error when `foreground`,
 * else syslog. What cannot be opened falls back to standard error. Returns the target. Call it before privileges are
 * dropped and before standard error is closed.
 */
enum log_target log_open(enum log_level level, enum log_format format, bool foreground);
void log_close(void);

/* The same with everything said: for tests, and for programs other than the daemon. */
struct log_settings {
    enum log_level level;
    enum log_format format;
    enum log_target target;
    const char *identifier; /* the program's name; must outlive the log, like `path` */
    const char *path;       /* syslog's or journald's socket; NULL: the usual one */
    int fd;                 /* LOG_TARGET_STDERR, and where the others fall back to */
    struct mono (*clock)(void);
};
enum log_target log_open_with(const struct log_settings *settings);

void log_set_level(enum log_level level);

/* A detail for machines: `name` in lower case with underscores. NULL values are left out. */
struct log_field {
    const char *name;
    const char *value;
};

/*
 * One message, a sentence without full stop. `kind` names what is limited together: stable lower-case words, more
 * specific than the message's text where one kind must not hide another ("unit_state/web/50"); NULL: never held back.
 */
__attribute__((format(printf, 5, 6))) void log_write(enum log_level level, const char *kind,
                                                     const struct log_field *fields, unsigned field_count,
                                                     const char *format, ...);

#define LOG_TEXT_OF(line) #line
#define LOG_LINE(line) LOG_TEXT_OF(line)
#define LOG_CALL_SITE __FILE__ ":" LOG_LINE(__LINE__)

/* Messages without fields, limited per place in the source. */
#define log_error(...) log_write(LOG_LEVEL_ERROR, LOG_CALL_SITE, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, LOG_CALL_SITE, NULL, 0, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, LOG_CALL_SITE, NULL, 0, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, LOG_CALL_SITE, NULL, 0, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, LOG_CALL_SITE, NULL, 0, __VA_ARGS__)

/* Says what was held back and whose window is over. Returns when it wants to be called next; MONO_NEVER: not before the
 * next message. Without it the same is said with the next message of the kind. */
struct mono log_tick(void);

struct log_stats {
    uint64_t written;
    uint64_t held_back; /* by the limit */
    uint64_t dropped;   /* the target was not ready */
};

void log_get_stats(struct log_stats *out);

#endif
