/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatting of log records (see log_text.h). JSON is written by hand here, since a log must not allocate; what is
 * written is so plain (one level, strings only) that its escaping is two characters. Called by log.c.
 */
#include "daemon/log_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

#define SYSLOG_DAEMON (3 << 3)

/* Priorities as in syslog(3). */
static const unsigned PRIORITIES[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_NOTICE] = 5, [LOG_LEVEL_INFO] = 6, [LOG_LEVEL_DEBUG] = 7,
};

static const char *const COLOURS[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_ERROR] = "31;1", [LOG_LEVEL_WARNING] = "33", [LOG_LEVEL_NOTICE] = "1",
    [LOG_LEVEL_INFO] = "0",     [LOG_LEVEL_DEBUG] = "2",
};

static void put(struct writer *w, const char *text)
{
    write_bytes(w, text, strlen(text));
}

/* Length of the well-formed, printable UTF-8 sequence at `s` (Unicode 15, table 3-7; C1 controls left out), or 0. */
static size_t sequence_length(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        length = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        length = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (s[0] == 0xc2 || s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static void put_clean(struct writer *w, const char *text, bool json)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        size_t length = sequence_length(s);

        if (length == 0) {
            put(w, "?");
            s++;
            continue;
        }
        if (json && (*s == '"' || *s == '\\'))
            put(w, "\\");
        write_bytes(w, s, length);
        s += length;
    }
}

enum time_form {
    TIME_TERMINAL, /* 2026-01-31 23:59:59, local */
    TIME_JSON,     /* 2026-01-31T23:59:59, UTC */
    TIME_SYSLOG,   /* Jan 31 23:59:59, local */
};

static void put_time(struct writer *w, const struct log_record *record, enum time_form form)
{
    char text[64];
    size_t length = 0;
    struct tm parts;

    memset(&parts, 0, sizeof(parts));
    if (form == TIME_JSON)
        gmtime_r(&record->wall.tv_sec, &parts);
    else
        localtime_r(&record->wall.tv_sec, &parts);
    switch (form) {
    case TIME_TERMINAL:
        length = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
        break;
    case TIME_JSON:
        length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
        break;
    case TIME_SYSLOG:
        length = strftime(text, sizeof(text), "%b %e %H:%M:%S ", &parts);
        break;
    }
    write_bytes(w, text, length);
}

__attribute__((format(printf, 2, 3))) static void put_format(struct writer *w, const char *format, ...)
{
    char text[32];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(w, text);
}

size_t log_text_plain(const struct log_record *record, bool colour, char line[static LOG_LINE_MAX])
{
    struct writer w = writer_init((uint8_t *)line, LOG_LINE_MAX);

    put_time(&w, record, TIME_TERMINAL);
    put_format(&w, ".%03ld ", record->wall.tv_nsec / 1000000);
    if (colour) {
        put(&w, "\033[");
        put(&w, COLOURS[record->level]);
        put(&w, "m");
    }
    put(&w, log_level_name(record->level));
    put(&w, ": ");
    put_clean(&w, record->message, false);
    put(&w, colour ? "\033[0m\n" : "\n");
    CHECK(w.ok); /* a message has at most LOG_MESSAGE_MAX bytes, and no byte becomes more than two */
    return w.offset;
}

static bool is_shown(const char *kind)
{
    return kind && !strchr(kind, ':');
}

static void put_pair(struct writer *w, const char *name, const char *value)
{
    put(w, ",\"");
    put_clean(w, name, true);
    put(w, "\":\"");
    put_clean(w, value, true);
    put(w, "\"");
}

/* Nothing when there is no value, or no room for it and what ends the object. */
static void put_optional_pair(struct writer *w, const char *name, const char *value)
{
    struct writer before = *w;

    if (value)
        put_pair(w, name, value);
    if (!w->ok || w->capacity - w->offset < sizeof("}\n"))
        *w = before;
}

static void put_object(struct writer *w, const struct log_record *record)
{
    put(w, "{\"time\":\"");
    put_time(w, record, TIME_JSON);
    put_format(w, ".%06ldZ\"", record->wall.tv_nsec / 1000);
    put_pair(w, "level", log_level_name(record->level));
    put_pair(w, "message", record->message);
    CHECK(w->ok);
    put_optional_pair(w, "kind", is_shown(record->kind) ? record->kind : NULL);
    put_optional_pair(w, "message_id", record->message_id);
    for (unsigned i = 0; i < record->field_count; i++)
        put_optional_pair(w, record->fields[i].name, record->fields[i].value);
    put(w, "}");
}

size_t log_text_json(const struct log_record *record, char line[static LOG_LINE_MAX])
{
    struct writer w = writer_init((uint8_t *)line, LOG_LINE_MAX);

    put_object(&w, record);
    put(&w, "\n");
    return w.offset;
}

size_t log_text_syslog(const struct log_record *record, bool json, const char *identifier, long pid,
                       char line[static LOG_LINE_MAX])
{
    struct writer w = writer_init((uint8_t *)line, LOG_LINE_MAX);

    put_format(&w, "<%ld>", (long)(SYSLOG_DAEMON | PRIORITIES[record->level]));
    put_time(&w, record, TIME_SYSLOG);
    put(&w, identifier);
    put_format(&w, "[%ld]: ", pid);
    if (json)
        put_object(&w, record);
    else
        put_clean(&w, record->message, false);
    return w.offset;
}

/* Values hold no newline once they are clean, so the protocol's simple form does for all. */
static void put_journal_field(struct writer *w, const char *name, const char *value)
{
    struct writer before = *w;

    for (const char *c = name; *c; c++) {
        char upper = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';

        write_bytes(w, &upper, 1);
    }
    put(w, "=");
    put_clean(w, value, false);
    put(w, "\n");
    if (!w->ok)
        *w = before;
}

/* "src/daemon/worker.c:120" */
static void put_call_site(struct writer *w, const char *site)
{
    const char *colon = strchr(site, ':');
    char file[128];

    snprintf(file, sizeof(file), "%.*s", (int)(colon - site), site);
    put_journal_field(w, "CODE_FILE", file);
    put_journal_field(w, "CODE_LINE", colon + 1);
}

size_t log_text_journal(const struct log_record *record, const char *identifier, char line[static LOG_LINE_MAX])
{
    struct writer w = writer_init((uint8_t *)line, LOG_LINE_MAX);

    put_format(&w, "PRIORITY=%ld\n", (long)PRIORITIES[record->level]);
    put_journal_field(&w, "SYSLOG_IDENTIFIER", identifier);
    put_journal_field(&w, "MESSAGE", record->message);
    if (record->message_id)
        put_journal_field(&w, "MESSAGE_ID", record->message_id);
    if (is_shown(record->kind))
        put_journal_field(&w, "KIND", record->kind);
    else if (record->kind)
        put_call_site(&w, record->kind);
    for (unsigned i = 0; i < record->field_count; i++)
        if (record->fields[i].value)
            put_journal_field(&w, record->fields[i].name, record->fields[i].value);
    return w.offset;
}
