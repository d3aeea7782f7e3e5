/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of findings. Owns their texts until report_free; knows nothing of what was wrong. Filled by the reader, the
 * keyword engine and the builder, delivered by config.c.
 */
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_TEXT_MAX 512
#define REPORT_ALSO_MAX 80 /* of the list of further lines */
#define REPORT_PLACES (REPORT_FINDINGS_MAX + REPORT_ERRORS_MAX)

struct finding {
    enum config_severity severity;
    const char *instead; /* tolerable, and not settled so far; else NULL */
    struct place place;
    unsigned file_order; /* files in the order in which they first had a finding */
    unsigned sequence;   /* keeps qsort stable */
    const char *text;
    const char *kind;  /* what others of its kind have, too; NULL: it stands for itself */
    struct place last; /* of its kind in that file */
    const char *also;  /* "7, 8"; NULL: there is no other */
    bool also_many;    /* more than one of them */
    bool unlisted;     /* and more, for which there is no room */
};

static unsigned report_file_order(const struct report *report, const char *file)
{
    for (unsigned i = 0; i < report->finding_count; i++) {
        const struct finding *f = &report->findings[i];

        if (file == NULL ? f->place.file == NULL : f->place.file != NULL && strcmp(f->place.file, file) == 0)
            return f->file_order;
    }
    return report->finding_count;
}

__attribute__((format(printf, 4, 0))) static void report_add(struct report *report, enum config_severity severity,
                                                             struct place place, const char *format, va_list arguments)
{
    char text[REPORT_TEXT_MAX];

    if (report->strict)
        severity = CONFIG_ERROR;
    if (severity == CONFIG_ERROR)
        report->error_count++;
    if (severity == CONFIG_WARNING && report->finding_count >= REPORT_FINDINGS_MAX) {
        report->unkept_count++;
        return;
    }
    if (report->finding_count == REPORT_PLACES)
        return;
    if (report->findings == NULL)
        report->findings = xalloc_array(REPORT_PLACES, sizeof(*report->findings));
    vsnprintf(text, sizeof(text), format, arguments);

    struct finding *finding = &report->findings[report->finding_count];

    *finding = (struct finding){
        .severity = severity,
        .place = place,
        .file_order = report_file_order(report, place.file),
        .sequence = report->finding_count,
        .text = arena_text(&report->arena, text, strlen(text)),
    };
    if (place.file != NULL)
        finding->place.file = arena_text(&report->arena, place.file, strlen(place.file));
    report->finding_count++;
}

/* "; it is skipped" -> "; it is skipped (lines 7, 8 too)", the end of which is added when it is told. */
static void report_add_line(struct report *report, struct finding *finding, struct place place)
{
    char text[REPORT_ALSO_MAX];
    size_t used = finding->also != NULL ? strlen(finding->also) : 0;

    if (place.line == finding->last.line || used + 16 > sizeof(text)) {
        finding->unlisted = finding->unlisted || place.line != finding->last.line;
        return;
    }
    finding->last = place;
    finding->also_many = finding->also != NULL;
    snprintf(text, sizeof(text), "%s%s%u", used > 0 ? finding->also : "", used > 0 ? ", " : "", place.line);
    finding->also = arena_text(&report->arena, text, strlen(text));
}

void report_kind(struct report *report, struct place place, const char *kind, const char *format, ...)
{
    unsigned before = report->finding_count;
    va_list arguments;

    for (unsigned i = 0; i < before; i++) {
        struct finding *f = &report->findings[i];

        if (f->kind != NULL && strcmp(f->kind, kind) == 0 && strcmp(f->place.file, place.file) == 0) {
            report_add_line(report, f, place);
            return;
        }
    }
    va_start(arguments, format);
    report_add(report, CONFIG_WARNING, place, format, arguments);
    va_end(arguments);
    if (report->finding_count == before)
        return;
    report->findings[before].kind = kind;
    report->findings[before].last = place;
}

const struct place *report_first_of_kind(const struct report *report, const char *kind)
{
    for (unsigned i = 0; i < report->finding_count; i++)
        if (report->findings[i].kind != NULL && strcmp(report->findings[i].kind, kind) == 0)
            return &report->findings[i].place;
    return NULL;
}

void report_error(struct report *report, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_add(report, CONFIG_ERROR, place, format, arguments);
    va_end(arguments);
}

void report_warning(struct report *report, struct place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_add(report, CONFIG_WARNING, place, format, arguments);
    va_end(arguments);
}

void report_tolerable(struct report *report, struct place place, const char *instead, const char *format, ...)
{
    unsigned before = report->finding_count, errors = report->error_count;
    va_list arguments;

    va_start(arguments, format);
    report_add(report, CONFIG_ERROR, place, format, arguments);
    va_end(arguments);
    /* With so many of them it stays an error: such a file is beyond repair anyhow. */
    if (report->finding_count > before && before < REPORT_FINDINGS_MAX) {
        report->findings[before].instead = instead;
        report->error_count = errors;
    }
}

void report_settle(struct report *report, bool tolerate)
{
    char text[2 * REPORT_TEXT_MAX];

    for (unsigned i = 0; i < report->finding_count; i++) {
        struct finding *finding = &report->findings[i];

        if (finding->instead == NULL)
            continue;
        if (tolerate && !report->strict) {
            finding->severity = CONFIG_WARNING;
            snprintf(text, sizeof(text), "%s; %s", finding->text, finding->instead);
            finding->text = arena_text(&report->arena, text, strlen(text));
        } else
            report->error_count++;
        finding->instead = NULL;
    }
}

const char *report_quote(const char *text, char buffer[static REPORT_QUOTE_MAX])
{
    static const char dots[] = "...\"";
    size_t used = 0;

    buffer[used++] = '"';
    for (; *text != '\0' && used < REPORT_QUOTE_MAX - 4 - sizeof(dots); text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(buffer + used, 5, "\\x%02x", c);
        else
            buffer[used++] = *text;
    }
    /* Do not cut a UTF-8 sequence in two. */
    if (*text != '\0')
        while (used > 1 && ((unsigned char)*text & 0xc0) == 0x80) {
            text--;
            used--;
        }
    memcpy(buffer + used, *text == '\0' ? "\"" : dots, *text == '\0' ? 2 : sizeof(dots));
    return buffer;
}

static int report_compare(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->file_order != y->file_order)
        return x->file_order < y->file_order ? -1 : 1;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column)
        return x->place.column < y->place.column ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void report_whole_text(const struct finding *finding, char *text, size_t size)
{
    if (finding->also == NULL)
        snprintf(text, size, "%s", finding->text);
    else
        snprintf(text, size, "%s (line%s %s%s too)", finding->text, finding->also_many ? "s" : "", finding->also,
                 finding->unlisted ? " and more" : "");
}

bool report_deliver(struct report *report, config_report *sink, void *context)
{
    unsigned shown = 0;
    char text[REPORT_TEXT_MAX + REPORT_ALSO_MAX + 32];

    report_settle(report, false);
    if (report->finding_count > 0)
        qsort(report->findings, report->finding_count, sizeof(*report->findings), report_compare);
    for (unsigned i = 0; i < report->finding_count; i++) {
        const struct finding *f = &report->findings[i];

        if (f->severity == CONFIG_ERROR && ++shown > REPORT_ERRORS_MAX)
            continue;
        report_whole_text(f, text, sizeof(text));
        sink(context, f->severity, f->place.file, f->place.line, f->place.column, text);
    }
    if (report->unkept_count > 0) {
        snprintf(text, sizeof(text), "%u more warnings are not shown", report->unkept_count);
        sink(context, CONFIG_WARNING, report->findings[0].place.file, 0, 0, text);
    }
    if (report->error_count > REPORT_ERRORS_MAX) {
        snprintf(text, sizeof(text), "%u more errors are not shown", report->error_count - REPORT_ERRORS_MAX);
        sink(context, CONFIG_WARNING, report->findings[0].place.file, 0, 0, text);
    }
    return report->error_count == 0;
}

void report_free(struct report *report)
{
    free(report->findings);
    arena_free(&report->arena);
    *report = (struct report){0};
}
