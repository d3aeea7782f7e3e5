/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text formats of metrics: OpenMetrics 1.0, and Prometheus' text format 0.0.4 for who asks for that. It knows
 * names, types, escaping and numbers; what there is to say is metrics.h's. A family is begun, then has its samples, and
 * is written only when it has some. Errors of memory are sticky and show at the end.
 */
#ifndef EVENKEEL_EXPORTER_OPENMETRICS_H
#define EVENKEEL_EXPORTER_OPENMETRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPENMETRICS_LABELS_MAX 8

enum openmetrics_format {
    FORMAT_OPENMETRICS,
    FORMAT_PROMETHEUS, /* no units, no end mark, and neither info nor stateset: they are gauges */
};

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER,
    METRIC_HISTOGRAM,
    METRIC_INFO,
    METRIC_STATESET,
};

/* `name` without "_total" or "_info"; it ends with "_" and the unit, when there is one. */
struct metric {
    const char *name;
    enum metric_type type;
    const char *unit; /* NULL: a plain number */
    const char *help;
};

struct openmetrics {
    enum openmetrics_format format;
    FILE *out;
    char *data;
    size_t length;
    const struct metric *metric; /* the family that was begun */
    bool described;              /* and has a sample already */
};

struct metric_label {
    const char *name, *value; /* value NULL: left out */
};

struct metric_labels {
    struct metric_label list[OPENMETRICS_LABELS_MAX];
    unsigned count;
};

/* False: no memory. */
bool openmetrics_open(struct openmetrics *text, enum openmetrics_format format);
/* The whole text, to be freed, and its length without the 0 at its end; NULL: memory ran out somewhere. */
char *openmetrics_close(struct openmetrics *text, size_t *length);

void openmetrics_begin(struct openmetrics *text, const struct metric *metric);
/* A sample of a gauge, a counter or a stateset's state. */
void openmetrics_int(struct openmetrics *text, const struct metric_labels *labels, int64_t value);
void openmetrics_real(struct openmetrics *text, const struct metric_labels *labels, double value);
/* The labels of an info metric. */
void openmetrics_info(struct openmetrics *text, const struct metric_labels *labels);
/* One sample for each of `states`, whose label is called as the metric: 1 for `current` (NULL: none), 0 for the others.
 */
void openmetrics_states(struct openmetrics *text, const struct metric_labels *labels, const char *const *states,
                        unsigned count, const char *current);
/*
 * A histogram from counts that are not added up: `count` bounds, inclusive, growing, and count + 1 counts, the last one
 * for what lies above all bounds.
 */
void openmetrics_histogram(struct openmetrics *text, const struct metric_labels *labels, const double *bounds,
                           const uint64_t *counts, unsigned count, double sum);

struct metric_labels metric_labels_with(const struct metric_labels *labels, const char *name, const char *value);

#endif
