/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of metrics share: reading fields of the daemon's answers, where nothing is also an answer. */
#ifndef EVENKEEL_EXPORTER_METRICS_WALK_H
#define EVENKEEL_EXPORTER_METRICS_WALK_H

#include <jansson.h>

#include "exporter/metrics.h"

/* NULL: there is no such text. */
static inline const char *walk_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A sample of the row, unless `value` is no number. */
static inline void walk_put_number(struct openmetrics *text, const struct metrics_row *row,
                                   const struct metric_labels *labels, const json_t *value)
{
    if (!json_is_number(value))
        return;
    if (row->divisor > 0)
        openmetrics_real(text, labels, json_number_value(value) / row->divisor);
    else
        openmetrics_int(text, labels, json_integer_value(value));
}

#endif
