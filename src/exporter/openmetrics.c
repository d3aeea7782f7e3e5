/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See openmetrics.h. Called by metrics.c. */
#include "exporter/openmetrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define NUMBER_TEXT_MAX 40

bool openmetrics_open(struct openmetrics *text, enum openmetrics_format format)
{
    *text = (struct openmetrics){.format = format};
    text->out = open_memstream(&text->data, &text->length);
    return text->out != NULL;
}

char *openmetrics_close(struct openmetrics *text, size_t *length)
{
    if (text->format == FORMAT_OPENMETRICS)
        fputs("# EOF\n", text->out);
    bool failed = ferror(text->out) != 0;

    if (fclose(text->out) != 0 || failed) {
        free(text->data);
        return NULL;
    }
    *length = text->length;
    return text->data;
}

void openmetrics_begin(struct openmetrics *text, const struct metric *metric)
{
    text->metric = metric;
    text->described = false;
}

static const char *sample_suffix(const struct metric *metric)
{
    switch (metric->type) {
    case METRIC_COUNTER:
        return "_total";
    case METRIC_INFO:
        return "_info";
    case METRIC_GAUGE:
    case METRIC_HISTOGRAM:
    case METRIC_STATESET:
        break;
    }
    return "";
}

static const char *type_name(enum metric_type type, enum openmetrics_format format)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_HISTOGRAM:
        return "histogram";
    case METRIC_INFO:
        return format == FORMAT_OPENMETRICS ? "info" : "gauge";
    case METRIC_STATESET:
        return format == FORMAT_OPENMETRICS ? "stateset" : "gauge";
    case METRIC_GAUGE:
        break;
    }
    return "gauge";
}

/* `quotes`: also the double quote, as label values want it; the older format has it bare in a help text. */
static void put_escaped(struct openmetrics *text, const char *value, bool quotes)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\n')
            fputs("\\n", text->out);
        else if (*p == '\\' || (*p == '"' && quotes))
            fprintf(text->out, "\\%c", *p);
        else
            fputc(*p, text->out);
    }
}

static void describe(struct openmetrics *text)
{
    const struct metric *metric = text->metric;
    bool open = text->format == FORMAT_OPENMETRICS;
    const char *suffix = open ? "" : sample_suffix(metric);

    if (text->described)
        return;
    text->described = true;
    fprintf(text->out, "# TYPE %s%s %s\n", metric->name, suffix, type_name(metric->type, text->format));
    if (open && metric->unit != NULL)
        fprintf(text->out, "# UNIT %s %s\n", metric->name, metric->unit);
    fprintf(text->out, "# HELP %s%s ", metric->name, suffix);
    put_escaped(text, metric->help, open);
    fputc('\n', text->out);
}

static void put_sample(struct openmetrics *text, const char *suffix, const struct metric_labels *labels,
                       const char *value)
{
    const char *before = "{";

    describe(text);
    fprintf(text->out, "%s%s", text->metric->name, suffix);
    for (unsigned i = 0; i < labels->count; i++) {
        if (labels->list[i].value == NULL)
            continue;
        fprintf(text->out, "%s%s=\"", before, labels->list[i].name);
        put_escaped(text, labels->list[i].value, true);
        fputc('"', text->out);
        before = ",";
    }
    fprintf(text->out, "%s %s\n", *before == ',' ? "}" : "", value);
}

static const char *real_text(double value, char text[static NUMBER_TEXT_MAX])
{
    snprintf(text, NUMBER_TEXT_MAX, "%.12g", value);
    return text;
}

void openmetrics_int(struct openmetrics *text, const struct metric_labels *labels, int64_t value)
{
    char number[NUMBER_TEXT_MAX];

    snprintf(number, sizeof(number), "%" PRId64, value);
    put_sample(text, sample_suffix(text->metric), labels, number);
}

void openmetrics_real(struct openmetrics *text, const struct metric_labels *labels, double value)
{
    char number[NUMBER_TEXT_MAX];

    put_sample(text, sample_suffix(text->metric), labels, real_text(value, number));
}

void openmetrics_info(struct openmetrics *text, const struct metric_labels *labels)
{
    openmetrics_int(text, labels, 1);
}

void openmetrics_states(struct openmetrics *text, const struct metric_labels *labels, const char *const *states,
                        unsigned count, const char *current)
{
    for (unsigned i = 0; i < count; i++) {
        struct metric_labels with = metric_labels_with(labels, text->metric->name, states[i]);

        openmetrics_int(text, &with, current != NULL && strcmp(states[i], current) == 0);
    }
}

void openmetrics_histogram(struct openmetrics *text, const struct metric_labels *labels, const double *bounds,
                           const uint64_t *counts, unsigned count, double sum)
{
    char number[NUMBER_TEXT_MAX], bound[NUMBER_TEXT_MAX];
    uint64_t total = 0;

    for (unsigned i = 0; i <= count; i++) {
        struct metric_labels with = metric_labels_with(labels, "le", "+Inf");

        if (i < count) {
            real_text(bounds[i], bound);
            /* OpenMetrics wants a bound to look like a float, so that it is the same text everywhere. */
            if (strpbrk(bound, ".e") == NULL)
                strcat(bound, ".0");
            with.list[with.count - 1].value = bound;
        }
        total += counts[i];
        snprintf(number, sizeof(number), "%" PRIu64, total);
        put_sample(text, "_bucket", &with, number);
    }
    put_sample(text, "_count", labels, number);
    put_sample(text, "_sum", labels, real_text(sum, number));
}

struct metric_labels metric_labels_with(const struct metric_labels *labels, const char *name, const char *value)
{
    struct metric_labels with = *labels;

    CHECK(with.count < OPENMETRICS_LABELS_MAX);
    with.list[with.count++] = (struct metric_label){.name = name, .value = value};
    return with;
}
