/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See metrics_write.h: what is counted and shown of a pool's units and members, and what needs attention. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "exporter/metrics_walk.h"
#include "exporter/metrics_write.h"

#define VRID_TEXT_MAX 24

static bool is_word(const json_t *object, const char *key, const char *word)
{
    const char *text = walk_text(object, key);

    return text != NULL && strcmp(text, word) == 0;
}

static const json_t *pools_of(const json_t *answer)
{
    return json_object_get(answer, "pools");
}

static struct metric_labels pool_labels(const json_t *pool)
{
    return (struct metric_labels){.list = {{"pool", walk_text(pool, "name")}}, .count = 1};
}

/* Per pool and word: how many of its units have that word in `key`. */
static void count_words(struct openmetrics *text, const struct metrics_input *in, const char *key, const char *label,
                        const char *const *words, unsigned word_count)
{
    const json_t *pool, *unit;
    size_t p, u;

    json_array_foreach(pools_of(in->status), p, pool)
    {
        struct metric_labels labels = pool_labels(pool);

        for (unsigned w = 0; w < word_count; w++) {
            struct metric_labels with = metric_labels_with(&labels, label, words[w]);
            int64_t count = 0;

            json_array_foreach(json_object_get(pool, "units"), u, unit) count += is_word(unit, key, words[w]);
            openmetrics_int(text, &with, count);
        }
    }
}

METRICS_WRITER(write_holders)
{
    static const char *const kinds[] = {"self", "member", "stranger", "none"};

    (void)row;
    count_words(text, in, "holder_kind", "holder", kinds, ARRAY_LENGTH(kinds));
}

METRICS_WRITER(write_router_states)
{
    static const char *const states[] = {"Initialize", "Backup", "Active"};

    (void)row;
    count_words(text, in, "state", "state", states, ARRAY_LENGTH(states));
}

/* A condition holds when the field is there and not false; for links_up, when it is false; for a conflict, while it is
 * recent. */
static bool has_condition(const json_t *unit, const char *key)
{
    const json_t *field = json_object_get(unit, key);

    if (strcmp(key, "links_up") == 0)
        return json_is_false(field);
    if (strcmp(key, "conflict") == 0)
        return json_is_true(json_object_get(field, "recent"));
    return field != NULL && !json_is_null(field) && !json_is_false(field);
}

METRICS_WRITER(write_conditions)
{
    static const struct {
        const char *name, *key;
    } conditions[] = {
        {"contested", "contested"}, {"conflict", "conflict"}, {"address_list", "address_list_differs"},
        {"link_down", "links_up"},  {"pinned", "pinned"},     {"move_planned", "planned"},
    };
    const json_t *pool, *unit;
    size_t p, u;

    (void)row;
    json_array_foreach(pools_of(in->status), p, pool)
    {
        struct metric_labels labels = pool_labels(pool);

        for (size_t c = 0; c < ARRAY_LENGTH(conditions); c++) {
            struct metric_labels with = metric_labels_with(&labels, "condition", conditions[c].name);
            int64_t count = 0;

            json_array_foreach(json_object_get(pool, "units"), u, unit) count += has_condition(unit, conditions[c].key);
            openmetrics_int(text, &with, count);
        }
    }
}

/* `vrid` has room for the number's text and must outlive the labels. The address is the one that counters name it by.
 */
static struct metric_labels unit_labels(const json_t *pool, const json_t *unit, const char *address,
                                        char vrid[static VRID_TEXT_MAX])
{
    struct metric_labels labels = pool_labels(pool);

    snprintf(vrid, VRID_TEXT_MAX, "%lld", (long long)json_integer_value(json_object_get(unit, "vrid")));
    labels = metric_labels_with(&labels, "vrid", vrid);
    return metric_labels_with(&labels, "address", address);
}

/* The same unit in the counters answer; both answers list pools and units in the same order. */
static const json_t *same_unit(const struct metrics_input *in, size_t pool_index, size_t unit_index, const json_t *unit)
{
    const json_t *pool = json_array_get(pools_of(in->counters), pool_index);
    const json_t *other = json_array_get(json_object_get(pool, "units"), unit_index);

    return json_equal(json_object_get(unit, "vrid"), json_object_get(other, "vrid")) ? other : NULL;
}

METRICS_WRITER(write_answering)
{
    const json_t *pool, *unit;
    char vrid[VRID_TEXT_MAX];
    size_t p, u;

    (void)row;
    json_array_foreach(pools_of(in->status), p, pool)
    {
        json_array_foreach(json_object_get(pool, "units"), u, unit)
        {
            struct metric_labels labels =
                unit_labels(pool, unit, walk_text(same_unit(in, p, u, unit), "address"), vrid);

            openmetrics_int(text, &labels, is_word(unit, "level_done", "answering"));
        }
    }
}

METRICS_WRITER(write_unit_counter)
{
    const json_t *pool, *unit;
    char vrid[VRID_TEXT_MAX];
    size_t p, u;

    json_array_foreach(pools_of(in->counters), p, pool)
    {
        json_array_foreach(json_object_get(pool, "units"), u, unit)
        {
            struct metric_labels labels = unit_labels(pool, unit, walk_text(unit, "address"), vrid);

            walk_put_number(text, row, &labels, json_object_get(unit, row->key));
        }
    }
}

static struct metric_labels member_labels(const json_t *pool, const json_t *member)
{
    struct metric_labels labels = pool_labels(pool);
    const char *name = walk_text(member, "name"), *address = walk_text(member, "address");

    labels = metric_labels_with(&labels, "member", name != NULL ? name : address);
    return metric_labels_with(&labels, "address", address);
}

METRICS_WRITER(write_member_state)
{
    static const char *const states[] = {"active", "reserve", "dead", "left"};
    const json_t *pool, *member;
    size_t p, m;

    (void)row;
    json_array_foreach(pools_of(in->status), p, pool)
    {
        json_array_foreach(json_object_get(pool, "members"), m, member)
        {
            struct metric_labels labels = member_labels(pool, member);

            openmetrics_states(text, &labels, states, ARRAY_LENGTH(states), walk_text(member, "state"));
        }
    }
}

METRICS_WRITER(write_member_number)
{
    const json_t *pool, *member;
    size_t p, m;

    json_array_foreach(pools_of(in->status), p, pool)
    {
        json_array_foreach(json_object_get(pool, "members"), m, member)
        {
            struct metric_labels labels = member_labels(pool, member);

            walk_put_number(text, row, &labels, json_object_get(member, row->key));
        }
    }
}

/* What counts for the shares: only who is active asks for a part of the load. */
static double share_of(const json_t *member)
{
    return is_word(member, "state", "active") ? json_number_value(json_object_get(member, "share")) : 0;
}

METRICS_WRITER(write_fair_share)
{
    const json_t *pool, *member;
    size_t p, m;

    (void)row;
    json_array_foreach(pools_of(in->status), p, pool)
    {
        const json_t *members = json_object_get(pool, "members");
        double load = 0, shares = 0;

        json_array_foreach(members, m, member)
        {
            load += json_number_value(json_object_get(member, "load"));
            shares += share_of(member);
        }
        json_array_foreach(members, m, member)
        {
            struct metric_labels labels = member_labels(pool, member);

            if (shares > 0)
                openmetrics_real(text, &labels, load * share_of(member) / shares);
        }
    }
}

struct attention_kind {
    const char *code, *severity;
};

static const struct attention_kind attention_kinds[] = {
    {"unowned", "alarm"},
    {"contested", "alarm"},
    {"conflict", "alarm"},
    {"not_ready", "alarm"},
    {"duplicate_address", "alarm"},
    {"isolated", "alarm"},
    {"one_way", "alarm"},
    {"stranger", "warning"},
    {"address_list", "warning"},
    {"link_down", "warning"},
    {"member_dead", "warning"},
    {"member_reserve", "warning"},
    {"drained", "warning"},
    {"leaving", "warning"},
    {"filter", "warning"},
    {"unknown_unit", "warning"},
    {"configuration", "warning"},
    {"stalled", "warning"},
    {"tracker", "warning"},
    {"fault", "alarm"},
    {"vmac", "warning"},
};
/* The same of instances, whose lines name no pool. */
static const struct attention_kind instance_kinds[] = {
    {"fault", "alarm"},          {"kernel", "alarm"},    {"conflict", "alarm"},
    {"address_list", "warning"}, {"tracker", "warning"}, {"refused", "warning"},
    {"filter", "warning"},       {"stalled", "warning"}, {"vmac", "warning"},
};

/* Where `attention` has lines of its own: a pool, or (name NULL) all that is in none. */
struct attention_part {
    const char *name;
    const struct attention_kind *kinds;
    size_t kind_count;
};

static bool is_of_part(const json_t *line, const char *pool)
{
    return pool != NULL ? is_word(line, "pool", pool) : walk_text(line, "pool") == NULL;
}

static bool is_kind(const json_t *line, const char *pool, const struct attention_kind *kind)
{
    return is_of_part(line, pool) && is_word(line, "code", kind->code) && is_word(line, "severity", kind->severity);
}

static void put_kind(struct openmetrics *text, const json_t *attention, const char *pool,
                     const struct attention_kind *kind)
{
    const struct metric_labels labels = {.list = {{"pool", pool}, {"code", kind->code}, {"severity", kind->severity}},
                                         .count = 3};
    const json_t *line;
    int64_t count = 0;
    size_t i;

    json_array_foreach(attention, i, line) count += is_kind(line, pool, kind);
    openmetrics_int(text, &labels, count);
}

/* Whether line `index` is the first of a kind that the part's table has not: a newer daemon's. */
static bool is_new_kind(const json_t *attention, size_t index, const struct attention_part *part,
                        const struct attention_kind *kind)
{
    if (kind->code == NULL || kind->severity == NULL || !is_of_part(json_array_get(attention, index), part->name))
        return false;
    for (size_t k = 0; k < part->kind_count; k++) {
        if (strcmp(kind->code, part->kinds[k].code) == 0 && strcmp(kind->severity, part->kinds[k].severity) == 0)
            return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (is_kind(json_array_get(attention, i), part->name, kind))
            return false;
    }
    return true;
}

static void put_part(struct openmetrics *text, const json_t *attention, const struct attention_part *part)
{
    const json_t *line;
    size_t i;

    for (size_t k = 0; k < part->kind_count; k++)
        put_kind(text, attention, part->name, &part->kinds[k]);
    json_array_foreach(attention, i, line)
    {
        struct attention_kind kind = {walk_text(line, "code"), walk_text(line, "severity")};

        if (is_new_kind(attention, i, part, &kind))
            put_kind(text, attention, part->name, &kind);
    }
}

/* Every code that doc/control.md names has its sample, so that a rule can tell "none" from "not known". */
METRICS_WRITER(write_attention)
{
    const struct attention_part instances = {NULL, instance_kinds, ARRAY_LENGTH(instance_kinds)};
    const json_t *attention = json_object_get(in->status, "attention"), *pool;
    size_t p;

    (void)row;
    json_array_foreach(pools_of(in->status), p, pool)
    {
        const struct attention_part part = {walk_text(pool, "name"), attention_kinds, ARRAY_LENGTH(attention_kinds)};

        if (part.name != NULL)
            put_part(text, attention, &part);
    }
    if (json_array_size(json_object_get(in->status, "instances")) > 0)
        put_part(text, attention, &instances);
}
