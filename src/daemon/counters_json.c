/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters answer: every packet refused, by interface and reason; what units and pools did; what the daemon counts
 * of itself. Names come from one table per struct, so that a new counter needs one line here. */
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "daemon/changes.h"
#include "daemon/fields_json.h"
#include "daemon/note.h"

struct counter_field {
    const char *name;
    size_t offset;
};

#define UNIT_COUNTER(name)                                                                                             \
    {                                                                                                                  \
#name, offsetof(struct unit_counters, name)                                                                    \
    }
static const struct counter_field unit_fields[] = {
    UNIT_COUNTER(adverts_sent),     UNIT_COUNTER(adverts_received),     UNIT_COUNTER(zero_sent),
    UNIT_COUNTER(zero_received),    UNIT_COUNTER(became_active),        UNIT_COUNTER(asserted),
    UNIT_COUNTER(interval_differs), UNIT_COUNTER(address_list_differs), UNIT_COUNTER(auth_mismatch),
    UNIT_COUNTER(version_mismatch),
};

#define POOL_COUNTER(name)                                                                                             \
    {                                                                                                                  \
#name, offsetof(struct pool_counters, name)                                                                    \
    }
static const struct counter_field pool_fields[] = {
    POOL_COUNTER(member_adverts_sent),
    POOL_COUNTER(member_adverts_received),
    POOL_COUNTER(looped),
    POOL_COUNTER(foreign_vrid),
    POOL_COUNTER(not_member),
    POOL_COUNTER(members_full),
    POOL_COUNTER(stalls),
    POOL_COUNTER(moves),
    POOL_COUNTER(contests),
    POOL_COUNTER(one_way),
    POOL_COUNTER(deaf),
    POOL_COUNTER(mute),
    POOL_COUNTER(assertions_held_back),
};

#define INSTANCE_COUNTER(name)                                                                                         \
    {                                                                                                                  \
#name, offsetof(struct instance_counters, name)                                                                \
    }
static const struct counter_field instance_fields[] = {
    INSTANCE_COUNTER(adverts_sent),     INSTANCE_COUNTER(adverts_received),     INSTANCE_COUNTER(zero_sent),
    INSTANCE_COUNTER(zero_received),    INSTANCE_COUNTER(became_active),        INSTANCE_COUNTER(released),
    INSTANCE_COUNTER(asserted),         INSTANCE_COUNTER(assertions_held_back), INSTANCE_COUNTER(stalls),
    INSTANCE_COUNTER(interval_differs), INSTANCE_COUNTER(address_list_differs),
};

static void put_counters(struct answer *a, json_t *object, const void *counters, const struct counter_field *fields,
                         size_t count, bool zeros)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;

        memcpy(&value, (const char *)counters + fields[i].offset, sizeof(value));
        if (value != 0 || zeros)
            put_int(a, object, fields[i].name, (int64_t)value);
    }
}

void put_unit_counters(struct answer *a, json_t *object, unsigned pool, unsigned unit, bool zeros)
{
    struct unit_counters counters;

    core_view_unit_counters(a->view->core, pool, unit, &counters);
    put_counters(a, object, &counters, unit_fields, ARRAY_LENGTH(unit_fields), zeros);
    put_text(a, object, "last_active_reason", reason_name(counters.last_active_reason));
}

/* What it refused is a part of its own, by reason. */
void put_instance_counters(struct answer *a, json_t *object, unsigned set, unsigned unit, bool zeros)
{
    struct instance_counters counters;
    json_t *refused = new_object(a);

    core_view_instance_counters(a->view->core, set, unit, &counters);
    put_counters(a, object, &counters, instance_fields, ARRAY_LENGTH(instance_fields), zeros);
    for (unsigned r = REFUSED_NONE + 1; r < INSTANCE_REFUSAL_COUNT; r++)
        if (counters.refused[r] != 0 || zeros)
            put_int(a, refused, instance_refusal_name((enum instance_refusal)r), (int64_t)counters.refused[r]);
    put_new(a, object, "refused", refused);
    put_text(a, object, "last_active_reason", reason_name((enum reason)counters.last_active_reason));
    put_text(a, object, "last_protocol_error",
             counters.last_protocol == REFUSED_NONE
                 ? NULL
                 : instance_refusal_name((enum instance_refusal)counters.last_protocol));
}

void put_pool_counters(struct answer *a, json_t *object, unsigned pool)
{
    struct pool_counters counters;

    core_view_pool_counters(a->view->core, pool, &counters);
    put_counters(a, object, &counters, pool_fields, ARRAY_LENGTH(pool_fields), true);
}

void put_link_counters(struct answer *a, json_t *object, unsigned link)
{
    struct link_counters counters;
    json_t *refused = new_object(a);

    core_view_link_counters(a->view->core, link, &counters);
    put_int(a, object, "accepted", (int64_t)counters.refused[WIRE_OK]);
    for (unsigned r = WIRE_OK + 1; r < WIRE_RESULT_COUNT; r++)
        put_int(a, refused, wire_result_name(r), (int64_t)counters.refused[r]);
    put_int(a, object, "unknown_vrid", (int64_t)counters.unknown_vrid);
    put_text(a, object, "last_refused",
             counters.last_refused == WIRE_OK ? NULL : wire_result_name(counters.last_refused));
    put_new(a, object, "refused", refused);
}

static json_t *unit_counters_array(struct answer *a, unsigned pool)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < a->view->config->core.pools[pool].unit_count; i++) {
        struct addr address = note_unit_address(a->view->config, pool, i);
        json_t *object = new_object(a);

        put_int(a, object, "vrid", a->view->config->core.pools[pool].units[i].vrid);
        put_address(a, object, "address", &address);
        put_unit_counters(a, object, pool, i, true);
        append_new(a, array, object);
    }
    return array;
}

static json_t *changes_object(struct answer *a, const struct owner_changes *changes)
{
    json_t *object = new_object(a);

    for (unsigned r = 0; r < REASON_COUNT; r++)
        put_int(a, object, reason_name(r), (int64_t)changes->by_reason[r]);
    return object;
}

static json_t *gaps_object(struct answer *a, const struct owner_changes *changes)
{
    json_t *object = new_object(a), *bounds = new_array(a), *counts = new_array(a);

    for (unsigned i = 0; i < GAP_BOUND_COUNT; i++)
        append_new(a, bounds, json_integer(gap_bounds_ms[i]));
    for (unsigned i = 0; i <= GAP_BOUND_COUNT; i++)
        append_new(a, counts, json_integer((json_int_t)changes->gaps[i]));
    put_new(a, object, "bounds_ms", bounds);
    put_new(a, object, "counts", counts);
    put_ms(a, object, "sum_ms", (int64_t)changes->gap_sum_us);
    return object;
}

static json_t *pool_counters_object(struct answer *a, unsigned pool)
{
    json_t *object = new_object(a), *own = new_object(a);

    put_pool_counters(a, own, pool);
    put_text(a, object, "name", a->view->config->core.pools[pool].name);
    put_new(a, object, "counters", own);
    put_new(a, object, "owner_changes", changes_object(a, a->view->pools[pool].changes));
    put_new(a, object, "owner_gaps", gaps_object(a, a->view->pools[pool].changes));
    put_new(a, object, "units", unit_counters_array(a, pool));
    return object;
}

static json_t *links_array(struct answer *a)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < a->view->config->core.link_count; i++) {
        json_t *object = new_object(a);

        put_text(a, object, "interface", a->view->config->links[i]);
        put_link_counters(a, object, i);
        append_new(a, array, object);
    }
    return array;
}

static json_t *instance_counters_array(struct answer *a, unsigned first, unsigned end)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *array = new_array(a);

    for (unsigned p = first < core->pool_count ? core->pool_count : first; p < end; p++) {
        for (unsigned u = 0; u < core->pools[p].unit_count; u++) {
            json_t *object = new_object(a);

            put_text(a, object, "name", core->pools[p].units[u].instance->name);
            put_int(a, object, "vrid", core->pools[p].units[u].vrid);
            put_instance_counters(a, object, p, u, true);
            append_new(a, array, object);
        }
    }
    return array;
}

enum request_outcome counters_answer(struct answer *a)
{
    unsigned first, end;
    json_t *pools, *own;

    if (!find_all(a, &first, &end))
        return REQUEST_REFUSED;
    put_new(a, a->root, "links", links_array(a));
    pools = new_array(a);
    for (unsigned p = first; p < end && p < a->view->config->core.pool_count; p++)
        append_new(a, pools, pool_counters_object(a, p));
    put_new(a, a->root, "pools", pools);
    put_new(a, a->root, "instances", instance_counters_array(a, first, end));
    put_new(a, a->root, "trackers", tracker_counters_array(a));
    own = new_object(a);
    for (unsigned i = 0; i < a->view->counter_count; i++)
        put_int(a, own, a->view->counters[i].name, (int64_t)a->view->counters[i].value);
    put_new(a, a->root, "daemon", own);
    return REQUEST_DONE;
}
