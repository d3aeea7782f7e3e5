/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See metrics_write.h: instances, sync groups and what they track. An instance's name is in the label `vrrp_instance`,
 * since Prometheus calls a host `instance`. Its VRID and first address are labels only where hosts are to be compared.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "exporter/metrics_walk.h"
#include "exporter/metrics_write.h"

#define VRID_TEXT_MAX 24

typedef void each_row(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *object);

static const char *const states[] = {"Initialize", "Backup", "Active", "Fault", "Stopped"};

/* Every object of `list` in the answer whose `key` is a text, which becomes the label `name`. */
static void each(struct openmetrics *text, const struct metrics_row *row, const json_t *answer, const char *list,
                 const char *name, each_row *write)
{
    const json_t *object;
    size_t i;

    json_array_foreach(json_object_get(answer, list), i, object)
    {
        struct metric_labels labels = {.list = {{name, walk_text(object, "name")}}, .count = 1};

        if (labels.list[0].value != NULL)
            write(text, row, &labels, object);
    }
}

static void each_instance(struct openmetrics *text, const struct metrics_row *row, const json_t *answer,
                          each_row *write)
{
    each(text, row, answer, "instances", "vrrp_instance", write);
}

static void put_field(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *object)
{
    walk_put_number(text, row, labels, json_object_get(object, row->key));
}

/* The states of which row->key says one. */
static void put_state(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *object)
{
    openmetrics_states(text, labels, states, ARRAY_LENGTH(states), walk_text(object, "state"));
    (void)row;
}

/* --- instances --- */

static const char *version_text(const json_t *instance)
{
    const json_t *version = json_object_get(instance, "version");

    return !json_is_integer(version) ? NULL : json_integer_value(version) == 2 ? "2" : "3";
}

static const char *vrid_text(const json_t *instance, char text[static VRID_TEXT_MAX])
{
    const json_t *vrid = json_object_get(instance, "vrid");

    if (!json_is_integer(vrid))
        return NULL;
    snprintf(text, VRID_TEXT_MAX, "%lld", (long long)json_integer_value(vrid));
    return text;
}

static void put_info(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                     const json_t *instance)
{
    struct metric_labels with = metric_labels_with(labels, "interface", walk_text(instance, "interface"));
    char vrid[VRID_TEXT_MAX];

    (void)row;
    with = metric_labels_with(&with, "vrid", vrid_text(instance, vrid));
    with = metric_labels_with(&with, "family", walk_text(instance, "family"));
    with = metric_labels_with(&with, "vrrp_version", version_text(instance));
    with = metric_labels_with(&with, "transport", walk_text(instance, "transport"));
    with = metric_labels_with(&with, "sync_group", walk_text(instance, "group"));
    with = metric_labels_with(&with, "address", walk_text(instance, "address"));
    openmetrics_info(text, &with);
}

METRICS_WRITER(write_instance_info)
{
    each_instance(text, row, in->status, put_info);
}

METRICS_WRITER(write_instance_state)
{
    each_instance(text, row, in->status, put_state);
}

METRICS_WRITER(write_instance_number)
{
    each_instance(text, row, in->status, put_field);
}

static void put_answering(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                          const json_t *instance)
{
    const char *level = walk_text(instance, "level_done");
    struct metric_labels with = *labels;
    char vrid[VRID_TEXT_MAX];

    (void)row;
    if (level == NULL)
        return;
    with = metric_labels_with(&with, "vrid", vrid_text(instance, vrid));
    with = metric_labels_with(&with, "address",
                              json_string_value(json_array_get(json_object_get(instance, "addresses"), 0)));
    openmetrics_int(text, &with, strcmp(level, "answering") == 0);
}

METRICS_WRITER(write_instance_answering)
{
    each_instance(text, row, in->status, put_answering);
}

static void put_holder(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                       const json_t *instance)
{
    struct metric_labels with = metric_labels_with(labels, "holder", walk_text(instance, "holder_kind"));

    (void)row;
    with = metric_labels_with(&with, "address", walk_text(instance, "holder"));
    openmetrics_info(text, &with);
}

METRICS_WRITER(write_instance_holder)
{
    each_instance(text, row, in->status, put_holder);
}

static void put_faults(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                       const json_t *instance)
{
    static const char *const kinds[] = {"link", "source", "tracked", "peers", "group", "kernel"};
    const json_t *present = json_object_get(instance, "fault_kinds"), *kind;
    size_t i;

    (void)row;
    if (!json_is_array(present))
        return;
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        struct metric_labels with = metric_labels_with(labels, "kind", kinds[k]);
        int64_t count = 0;

        json_array_foreach(present, i, kind) count +=
            json_is_string(kind) && strcmp(json_string_value(kind), kinds[k]) == 0;
        openmetrics_int(text, &with, count > 0);
    }
}

METRICS_WRITER(write_instance_faults)
{
    each_instance(text, row, in->status, put_faults);
}

static void put_conflicts(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                          const json_t *instance)
{
    (void)row;
    openmetrics_int(text, labels, json_integer_value(json_object_get(json_object_get(instance, "conflict"), "count")));
}

METRICS_WRITER(write_instance_conflicts)
{
    each_instance(text, row, in->status, put_conflicts);
}

METRICS_WRITER(write_instance_counter)
{
    each_instance(text, row, in->counters, put_field);
}

static void put_refused(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                        const json_t *instance)
{
    json_t *refused = json_object_get(instance, "refused"), *value;
    const char *reason;

    json_object_foreach(refused, reason, value)
    {
        struct metric_labels with = metric_labels_with(labels, "reason", reason);

        walk_put_number(text, row, &with, value);
    }
}

METRICS_WRITER(write_instance_refused)
{
    each_instance(text, row, in->counters, put_refused);
}

static void put_differing(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                          const json_t *instance)
{
    struct metric_labels list = metric_labels_with(labels, "what", "address_list");
    struct metric_labels interval = metric_labels_with(labels, "what", "interval");

    walk_put_number(text, row, &list, json_object_get(instance, "address_list_differs"));
    walk_put_number(text, row, &interval, json_object_get(instance, "interval_differs"));
}

METRICS_WRITER(write_instance_differing)
{
    each_instance(text, row, in->counters, put_differing);
}

/* --- groups --- */

METRICS_WRITER(write_group_state)
{
    each(text, row, in->status, "groups", "sync_group", put_state);
}

/* --- what is tracked --- */

static void each_tracker(struct openmetrics *text, const struct metrics_row *row, const struct metrics_input *in,
                         each_row *write)
{
    const json_t *tracker;
    size_t i;

    json_array_foreach(json_object_get(in->counters, "trackers"), i, tracker)
    {
        const struct metric_labels labels = {
            .list = {{"kind", walk_text(tracker, "kind")}, {"tracker", walk_text(tracker, "name")}}, .count = 2};

        if (labels.list[0].value != NULL && labels.list[1].value != NULL)
            write(text, row, &labels, tracker);
    }
}

static void put_tracker_state(struct openmetrics *text, const struct metrics_row *row,
                              const struct metric_labels *labels, const json_t *tracker)
{
    static const char *const names[] = {"waiting", "good", "failed"};

    (void)row;
    openmetrics_states(text, labels, names, ARRAY_LENGTH(names), walk_text(tracker, "state"));
}

METRICS_WRITER(write_tracker_state)
{
    each_tracker(text, row, in, put_tracker_state);
}

/* Only scripts have results: the field is missing elsewhere. */
static void put_result(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                       const json_t *tracker)
{
    static const char *const names[] = {"good", "bad", "timeout", "not_run"};

    (void)row;
    if (json_object_get(tracker, "last_result") != NULL)
        openmetrics_states(text, labels, names, ARRAY_LENGTH(names), walk_text(tracker, "last_result"));
}

METRICS_WRITER(write_tracker_result)
{
    each_tracker(text, row, in, put_result);
}

METRICS_WRITER(write_tracker_number)
{
    each_tracker(text, row, in, put_field);
}

static void put_value(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *tracker)
{
    if (strcmp(labels->list[0].value, "file") == 0 || strcmp(labels->list[0].value, "process") == 0)
        put_field(text, row, labels, tracker);
}

METRICS_WRITER(write_tracker_value)
{
    each_tracker(text, row, in, put_value);
}
