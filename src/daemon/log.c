/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process's log (see log.h): levels, the limit per kind (log_limit.c), the form (log_text.c), the target
 * (log_sink.c). `current` below is the only thing in the daemon that is not reached through an argument: a message must
 * be possible wherever an error is met. Called by everybody in daemon/; the core, the reader and the platform return
 * values instead.
 */
#include "daemon/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "daemon/log_limit.h"
#include "daemon/log_sink.h"
#include "daemon/log_text.h"
#include "daemon/message_id.h"
#include "platform/clock.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"

struct log_state {
    enum log_level level;
    enum log_format format;
    const char *identifier;
    struct mono (*clock)(void);
    struct log_sink sink;
    struct log_limit limit;
    struct log_stats stats;
    uint64_t lost; /* dropped and not yet said */
};

static const struct log_state CLOSED = {
    .level = LOG_LEVEL_NOTICE,
    .format = LOG_FORMAT_TEXT,
    .identifier = "evenkeel",
    .clock = clock_now,
    .sink = {.target = LOG_TARGET_STDERR, .way = LOG_SINK_POLL, .fd = STDERR_FILENO},
};

static struct log_state current; /* without a clock: not opened yet, the same as CLOSED */

static const char *const LEVEL_NAMES[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};
_Static_assert(ARRAY_LENGTH(LEVEL_NAMES) == LOG_LEVEL_COUNT, "a name for each level");

static const char *const FORMAT_NAMES[] = {[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json"};
_Static_assert(ARRAY_LENGTH(FORMAT_NAMES) == LOG_FORMAT_COUNT, "a name for each format");

const char *log_level_name(enum log_level level)
{
    CHECK(level < LOG_LEVEL_COUNT);
    return LEVEL_NAMES[level];
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(text, LEVEL_NAMES[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *text, enum log_format *out)
{
    for (unsigned i = 0; i < LOG_FORMAT_COUNT; i++) {
        if (strcmp(text, FORMAT_NAMES[i]) == 0) {
            *out = (enum log_format)i;
            return true;
        }
    }
    return false;
}

/* systemd.exec(5): the variable names the device and inode of the stream that leads to the journal. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;

    if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2 || fstat(STDERR_FILENO, &status) < 0)
        return false;
    return device == (uintmax_t)status.st_dev && inode == (uintmax_t)status.st_ino;
}

enum log_target log_open(enum log_level level, enum log_format format, bool foreground)
{
    enum log_target target = foreground ? LOG_TARGET_STDERR : LOG_TARGET_SYSLOG;

    return log_open_with(&(struct log_settings){
        .level = level,
        .format = format,
        .target = stderr_is_journal() ? LOG_TARGET_JOURNAL : target,
        .identifier = "evenkeeld",
        .fd = STDERR_FILENO,
        .clock = clock_now,
    });
}

static bool open_socket(const struct log_settings *settings)
{
    const char *usual = settings->target == LOG_TARGET_JOURNAL ? JOURNAL_SOCKET : SYSLOG_SOCKET;

    return log_sink_open_datagram(&current.sink, settings->target, settings->path ? settings->path : usual);
}

enum log_target log_open_with(const struct log_settings *settings)
{
    log_close();
    tzset(); /* now, while files can be read: later calls use what it found */
    current.level = settings->level;
    current.format = settings->format;
    current.identifier = settings->identifier;
    current.clock = settings->clock;
    if (settings->target == LOG_TARGET_STDERR || !open_socket(settings))
        log_sink_open_stderr(&current.sink, settings->fd);
    return current.sink.target;
}

void log_close(void)
{
    if (current.clock && current.sink.fd != STDERR_FILENO)
        log_sink_close(&current.sink);
    current = CLOSED;
}

void log_set_level(enum log_level level)
{
    if (!current.clock)
        current = CLOSED;
    current.level = level;
}

static size_t format_record(const struct log_record *record, char line[static LOG_LINE_MAX])
{
    bool json = current.format == LOG_FORMAT_JSON;

    switch (current.sink.target) {
    case LOG_TARGET_STDERR:
        return json ? log_text_json(record, line) : log_text_plain(record, current.sink.colour, line);
    case LOG_TARGET_SYSLOG:
        return log_text_syslog(record, json, current.identifier, (long)getpid(), line);
    case LOG_TARGET_JOURNAL:
        return log_text_journal(record, current.identifier, line);
    case LOG_TARGET_COUNT:
        break;
    }
    return 0;
}

static bool put_record(enum log_level level, const char *kind, const struct log_field *fields, unsigned field_count,
                       const char *message)
{
    struct log_record record = {
        .level = level,
        .kind = kind,
        .message_id = kind ? message_id(kind) : NULL,
        .message = message,
        .fields = fields,
        .field_count = field_count,
    };
    char line[LOG_LINE_MAX];

    clock_gettime(CLOCK_REALTIME, &record.wall);

    size_t length = format_record(&record, line);

    return log_sink_put(&current.sink, line, length);
}

static void say_lost(void)
{
    char count[24], message[80];

    if (current.lost == 0)
        return;
    snprintf(count, sizeof(count), "%" PRIu64, current.lost);
    snprintf(message, sizeof(message), "%s log messages were lost: the log's target was not ready", count);
    if (put_record(LOG_LEVEL_WARNING, "log_lost", &(struct log_field){"count", count}, 1, message))
        current.lost = 0;
}

static void write_message(enum log_level level, const char *kind, const struct log_field *fields, unsigned field_count,
                          const char *message)
{
    say_lost();
    if (current.lost == 0 && put_record(level, kind, fields, field_count, message)) {
        current.stats.written++;
        return;
    }
    current.stats.dropped++;
    current.lost++;
}

static void say_held_back(const struct log_limit_report *report)
{
    char count[24], message[LOG_LIMIT_SAMPLE + 64];

    if (report->held == 0)
        return;
    snprintf(count, sizeof(count), "%u", report->held);
    snprintf(message, sizeof(message), "%s messages held back, the last one: %s", count, report->sample);
    write_message(report->level, "log_held_back", &(struct log_field){"count", count}, 1, message);
}

static bool may_pass(enum log_level level, const char *kind, const char *message)
{
    struct log_limit_report report;

    if (!kind)
        return true;

    uint64_t hash = hash_finish(hash_add(HASH_START, kind, strlen(kind)));
    bool pass = log_limit_take(&current.limit, hash ? hash : 1, level, message, current.clock(), &report);

    say_held_back(&report);
    if (!pass)
        current.stats.held_back++;
    return pass;
}

void log_write(enum log_level level, const char *kind, const struct log_field *fields, unsigned field_count,
               const char *format, ...)
{
    char message[LOG_MESSAGE_MAX];
    va_list arguments;

    CHECK(level < LOG_LEVEL_COUNT && field_count <= LOG_FIELDS_MAX);
    if (!current.clock)
        current = CLOSED;
    if (level > current.level)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (may_pass(level, kind, message))
        write_message(level, kind, fields, field_count, message);
}

struct mono log_tick(void)
{
    struct log_limit_report report;

    if (!current.clock)
        return MONO_NEVER;

    struct mono now = current.clock();

    while (log_limit_expire(&current.limit, now, &report))
        say_held_back(&report);
    return log_limit_deadline(&current.limit);
}

void log_get_stats(struct log_stats *out)
{
    *out = current.stats;
}
