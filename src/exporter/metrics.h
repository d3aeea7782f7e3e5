/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is served as metrics: a table of rows, each a metric with its meaning and the field of the daemon's answers
 * that it comes from (doc/control.md, doc/metrics.md). A field that is missing or of another type has no sample, so an
 * older daemon's answers, or wrong ones, give fewer metrics and no false ones.
 */
#ifndef EVENKEEL_EXPORTER_METRICS_H
#define EVENKEEL_EXPORTER_METRICS_H

#include "exporter/openmetrics.h"

struct json_t; /* jansson's */

/* What the exporter knows of itself; counters since its start. */
struct exporter_stats {
    uint64_t requests;            /* over HTTP */
    uint64_t requests_refused;    /* of these: not GET or HEAD, not found, meant for another host */
    uint64_t connections_dropped; /* too many at once, or too slow */
    uint64_t connections_unread;  /* ended before a request could be read */
    uint64_t daemon_failures;     /* questions that the daemon did not answer */
    double answer_s;              /* how long the daemon took the last time */
};

struct metrics_input {
    const struct json_t *status, *counters; /* of one moment; both NULL: the daemon does not answer */
    const char *version;                    /* of this program */
    struct exporter_stats stats;
};

struct metrics_row {
    struct metric metric;
    void (*write)(struct openmetrics *text, const struct metrics_row *row, const struct metrics_input *in);
    const char *key; /* of the field, where `write` serves several rows */
    double divisor;  /* the field's unit in the metric's; 0: it is a plain whole number */
    bool always;     /* also without an answer of the daemon */
};

extern const struct metrics_row metrics_rows[];
extern const unsigned metrics_row_count;

/* The whole text, to be freed; NULL: no memory. */
char *metrics_text(const struct metrics_input *in, enum openmetrics_format format, size_t *length);

#endif
