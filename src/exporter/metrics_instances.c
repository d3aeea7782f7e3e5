/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See metrics_write.h: what is shown of vrrp_instance and vrrp_sync_group. (Prometheus calls a scraped host `instance`,
 * hence the label's name.) */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "exporter/metrics_walk.h"
#include "exporter/metrics_write.h"

#define NUMBER_TEXT_MAX 24

static const char *const states[] = {"Initialize", "Backup", "Active", "Fault", "Stopped"};

static const json_t *instances_of(const json_t *answer)
{
    return json_object_get(answer, "instances");
}

static struct metric_labels instance_labels(const json_t *instance)
{
    return (struct metric_labels){.list = {{"vrrp_instance", walk_text(instance, "name")}}, .count = 1};
}

METRICS_WRITER(write_instance_info)
{
    static const char *const texts[] = {"group", "interface", "family", "transport", "address"};
    static const char *const numbers[][2] = {{"vrid", "vrid"}, {"vrrp_version", "version"}};
    const json_t *instance;
    size_t i;

    (void)row;
    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);
        char number[ARRAY_LENGTH(numbers)][NUMBER_TEXT_MAX];

        for (size_t k = 0; k < ARRAY_LENGTH(texts); k++)
            labels = metric_labels_with(&labels, texts[k], walk_text(instance, texts[k]));
        for (size_t k = 0; k < ARRAY_LENGTH(numbers); k++) {
            snprintf(number[k], NUMBER_TEXT_MAX, "%lld",
                     (long long)json_integer_value(json_object_get(instance, numbers[k][1])));
            labels = metric_labels_with(&labels, numbers[k][0], number[k]);
        }
        openmetrics_info(text, &labels);
    }
}

METRICS_WRITER(write_instance_state)
{
    const json_t *instance;
    size_t i;

    (void)row;
    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);

        openmetrics_states(text, &labels, states, ARRAY_LENGTH(states), walk_text(instance, "state"));
    }
}

METRICS_WRITER(write_group_state)
{
    const json_t *group;
    size_t i;

    (void)row;
    json_array_foreach(json_object_get(in->status, "groups"), i, group)
    {
        struct metric_labels labels = {.list = {{"group", walk_text(group, "name")}}, .count = 1};

        openmetrics_states(text, &labels, states, ARRAY_LENGTH(states), walk_text(group, "state"));
    }
}

METRICS_WRITER(write_instance_number)
{
    const json_t *instance;
    size_t i;

    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);

        walk_put_number(text, row, &labels, json_object_get(instance, row->key));
    }
}

METRICS_WRITER(write_instance_length)
{
    const json_t *instance;
    size_t i;

    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);

        openmetrics_int(text, &labels, (int64_t)json_array_size(json_object_get(instance, row->key)));
    }
}

METRICS_WRITER(write_instance_answering)
{
    const json_t *instance;
    size_t i;

    (void)row;
    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);
        const char *level = walk_text(instance, "level_done");

        openmetrics_int(text, &labels, level != NULL && strcmp(level, "answering") == 0);
    }
}

METRICS_WRITER(write_trackers_failed)
{
    const json_t *instance, *tracker;
    size_t i, t;

    (void)row;
    json_array_foreach(instances_of(in->status), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);
        int64_t count = 0;

        json_array_foreach(json_object_get(instance, "trackers"), t, tracker)
        {
            const char *state = walk_text(tracker, "state");

            count += state != NULL && (strcmp(state, "failed") == 0 || strcmp(state, "undefined") == 0);
        }
        openmetrics_int(text, &labels, count);
    }
}

METRICS_WRITER(write_instance_counter)
{
    const json_t *instance;
    size_t i;

    json_array_foreach(instances_of(in->counters), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);

        walk_put_number(text, row, &labels, json_object_get(instance, row->key));
    }
}

METRICS_WRITER(write_instance_refused)
{
    const json_t *instance;
    size_t i;

    (void)row;
    json_array_foreach(instances_of(in->counters), i, instance)
    {
        struct metric_labels labels = instance_labels(instance);
        int64_t count = 0;
        const char *reason;
        json_t *value;

        json_object_foreach(json_object_get(instance, "refused"), reason, value) count += json_integer_value(value);
        openmetrics_int(text, &labels, count);
    }
}
