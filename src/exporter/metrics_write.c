/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See metrics_write.h. jansson's getters take NULL and other types as "nothing", so a walk over an answer that is not
 * as expected finds nothing.
 */
#include "exporter/metrics_write.h"

#include <string.h>

#include "base/check.h"
#include "exporter/metrics_walk.h"

#define BOUNDS_MAX 64
#define MS_PER_S 1e3

typedef void each_row(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *object);

static struct metric_labels label(const char *name, const char *value)
{
    return (struct metric_labels){.list = {{name, value}}, .count = 1};
}

static void put_flag(struct openmetrics *text, const struct metric_labels *labels, const json_t *value)
{
    if (json_is_boolean(value))
        openmetrics_int(text, labels, json_is_true(value));
}

/* Every pool of an answer that has a name. */
static void each_pool(struct openmetrics *text, const struct metrics_row *row, const json_t *answer, each_row *write)
{
    const json_t *pool;
    size_t i;

    json_array_foreach(json_object_get(answer, "pools"), i, pool)
    {
        struct metric_labels labels = label("pool", walk_text(pool, "name"));

        if (labels.list[0].value != NULL)
            write(text, row, &labels, pool);
    }
}

METRICS_WRITER(write_up)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, in->status != NULL);
}

METRICS_WRITER(write_exporter)
{
    struct metric_labels labels = label("version", in->version);

    (void)row;
    openmetrics_info(text, &labels);
}

METRICS_WRITER(write_answer_time)
{
    (void)row;
    openmetrics_real(text, &(struct metric_labels){.count = 0}, in->stats.answer_s);
}

METRICS_WRITER(write_requests)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, (int64_t)in->stats.requests);
}

METRICS_WRITER(write_requests_refused)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, (int64_t)in->stats.requests_refused);
}

METRICS_WRITER(write_connections_unread)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, (int64_t)in->stats.connections_unread);
}

METRICS_WRITER(write_connections_dropped)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, (int64_t)in->stats.connections_dropped);
}

METRICS_WRITER(write_daemon_failures)
{
    (void)row;
    openmetrics_int(text, &(struct metric_labels){.count = 0}, (int64_t)in->stats.daemon_failures);
}

METRICS_WRITER(write_daemon_info)
{
    const char *name = strcmp(row->key, "config_hash") == 0 ? "hash" : row->key;
    struct metric_labels labels = label(name, walk_text(json_object_get(in->status, "daemon"), row->key));

    if (labels.list[0].value != NULL)
        openmetrics_info(text, &labels);
}

METRICS_WRITER(write_daemon_number)
{
    const struct metric_labels none = {.count = 0};

    walk_put_number(text, row, &none, json_object_get(json_object_get(in->status, "daemon"), row->key));
}

METRICS_WRITER(write_daemon_counter)
{
    const struct metric_labels none = {.count = 0};

    walk_put_number(text, row, &none, json_object_get(json_object_get(in->counters, "daemon"), row->key));
}

METRICS_WRITER(write_link_counter)
{
    const json_t *link;
    size_t i;

    json_array_foreach(json_object_get(in->counters, "links"), i, link)
    {
        struct metric_labels labels = label("interface", walk_text(link, "interface"));

        walk_put_number(text, row, &labels, json_object_get(link, row->key));
    }
}

/* One sample per field of `object`: the field's name is the value of label `name`. */
static void put_each_field(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                           const char *name, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        struct metric_labels with = metric_labels_with(labels, name, key);

        walk_put_number(text, row, &with, value);
    }
}

METRICS_WRITER(write_refused)
{
    const json_t *link;
    size_t i;

    json_array_foreach(json_object_get(in->counters, "links"), i, link)
    {
        struct metric_labels labels = label("interface", walk_text(link, "interface"));

        put_each_field(text, row, &labels, "reason", json_object_get(link, "refused"));
    }
}

static void pool_info(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *pool)
{
    const json_t *version = json_object_get(pool, "version");
    struct metric_labels with = metric_labels_with(labels, "interface", walk_text(pool, "interface"));

    (void)row;
    with = metric_labels_with(&with, "family", walk_text(pool, "family"));
    with = metric_labels_with(&with, "address", walk_text(pool, "address"));
    with = metric_labels_with(&with, "address_mode", walk_text(pool, "address_mode"));
    with = metric_labels_with(&with, "arp_filter", walk_text(json_object_get(pool, "filter"), "configured"));
    if (json_is_integer(version))
        with = metric_labels_with(&with, "vrrp_version", json_integer_value(version) == 2 ? "2" : "3");
    openmetrics_info(text, &with);
}

METRICS_WRITER(write_pool_info)
{
    each_pool(text, row, in->status, pool_info);
}

static void pool_number(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                        const json_t *pool)
{
    walk_put_number(text, row, labels, json_object_get(pool, row->key));
}

METRICS_WRITER(write_pool_number)
{
    each_pool(text, row, in->status, pool_number);
}

static void pool_flag(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *pool)
{
    put_flag(text, labels, json_object_get(pool, row->key));
}

METRICS_WRITER(write_pool_flag)
{
    each_pool(text, row, in->status, pool_flag);
}

static void isolation(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *pool)
{
    static const char *const states[] = {"none", "probing", "deaf", "mute"};

    (void)row;
    openmetrics_states(text, labels, states, ARRAY_LENGTH(states), walk_text(pool, "isolation"));
}

METRICS_WRITER(write_isolation)
{
    each_pool(text, row, in->status, isolation);
}

static void filter(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                   const json_t *pool)
{
    static const char *const modes[] = {"off", "on", "lease"};

    (void)row;
    openmetrics_states(text, labels, modes, ARRAY_LENGTH(modes),
                       walk_text(json_object_get(pool, "filter"), "in_force"));
}

METRICS_WRITER(write_filter)
{
    each_pool(text, row, in->status, filter);
}

static void pool_counter(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                         const json_t *pool)
{
    walk_put_number(text, row, labels, json_object_get(json_object_get(pool, "counters"), row->key));
}

METRICS_WRITER(write_pool_counter)
{
    each_pool(text, row, in->counters, pool_counter);
}

static int64_t sum_over_units(const json_t *pool, const char *key)
{
    const json_t *unit;
    int64_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(pool, "units"), i, unit) sum += json_integer_value(json_object_get(unit, key));
    return sum;
}

static void unit_sum(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                     const json_t *pool)
{
    openmetrics_int(text, labels, sum_over_units(pool, row->key));
}

METRICS_WRITER(write_unit_sum)
{
    each_pool(text, row, in->counters, unit_sum);
}

static void differing(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *pool)
{
    static const struct {
        const char *what, *key;
    } kinds[] = {
        {"address_list", "address_list_differs"},
        {"interval", "interval_differs"},
        {"version", "version_mismatch"},
        {"authentication", "auth_mismatch"},
    };

    (void)row;
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        struct metric_labels with = metric_labels_with(labels, "what", kinds[k].what);

        openmetrics_int(text, &with, sum_over_units(pool, kinds[k].key));
    }
}

METRICS_WRITER(write_differing)
{
    each_pool(text, row, in->counters, differing);
}

static void conflicts(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                      const json_t *pool)
{
    const json_t *unit;
    int64_t sum = 0;
    size_t i;

    (void)row;
    json_array_foreach(json_object_get(pool, "units"), i, unit) sum +=
        json_integer_value(json_object_get(json_object_get(unit, "conflict"), "count"));
    openmetrics_int(text, labels, sum);
}

METRICS_WRITER(write_conflicts)
{
    each_pool(text, row, in->status, conflicts);
}

static void owner_changes(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                          const json_t *pool)
{
    put_each_field(text, row, labels, "cause", json_object_get(pool, "owner_changes"));
}

METRICS_WRITER(write_owner_changes)
{
    each_pool(text, row, in->counters, owner_changes);
}

static void owner_gaps(struct openmetrics *text, const struct metrics_row *row, const struct metric_labels *labels,
                       const json_t *pool)
{
    const json_t *gaps = json_object_get(pool, "owner_gaps");
    const json_t *bounds = json_object_get(gaps, "bounds_ms"), *counts = json_object_get(gaps, "counts");
    size_t count = json_array_size(bounds);
    double bounds_s[BOUNDS_MAX];
    uint64_t numbers[BOUNDS_MAX + 1];

    (void)row;
    if (count == 0 || count > BOUNDS_MAX || json_array_size(counts) != count + 1)
        return;
    for (size_t i = 0; i < count; i++)
        bounds_s[i] = json_number_value(json_array_get(bounds, i)) / MS_PER_S;
    for (size_t i = 0; i <= count; i++)
        numbers[i] = (uint64_t)json_integer_value(json_array_get(counts, i));
    openmetrics_histogram(text, labels, bounds_s, numbers, (unsigned)count,
                          json_number_value(json_object_get(gaps, "sum_ms")) / MS_PER_S);
}

METRICS_WRITER(write_owner_gaps)
{
    each_pool(text, row, in->counters, owner_gaps);
}
