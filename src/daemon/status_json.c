/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answers that show what is: status (everything), members and list (the same objects, one kind of them). Their
 * schema is doc/status.schema.json. Nothing here is computed: fields come from core/view.h and the configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/fields_json.h"

#define STATUS_UNITS_MAX 600 /* in one answer: some 4 ms of the loop's time */
#define HASH_TEXT_MAX 17

const char *family_text(uint8_t family)
{
    switch ((enum family)family) {
    case FAMILY_IPV4:
        return "ipv4";
    case FAMILY_IPV6:
        return "ipv6";
    case FAMILY_NONE:
        break;
    }
    return NULL;
}

static json_t *daemon_object(struct answer *a)
{
    json_t *object = new_object(a);
    char hash[HASH_TEXT_MAX];

    snprintf(hash, sizeof(hash), "%016" PRIx64, a->view->config->hash);
    put_text(a, object, "version", a->view->version);
    put_int(a, object, "uptime_s", mono_diff_us(a->view->now, a->view->started) / US_PER_S);
    put_text(a, object, "config_hash", hash);
    return object;
}

static json_t *members_array(struct answer *a, unsigned pool, unsigned count)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < count; i++)
        append_new(a, array, member_object(a, pool, i));
    return array;
}

static json_t *units_array(struct answer *a, unsigned pool, bool with_vips)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < a->view->config->core.pools[pool].unit_count; i++) {
        json_t *unit = unit_object(a, pool, i);

        if (with_vips)
            put_new(a, unit, "vips", vips_array(a, pool, i));
        append_new(a, array, unit);
    }
    return array;
}

/* What members advertise and this host's configuration does not have. */
static json_t *unknown_array(struct answer *a, unsigned pool)
{
    struct unknown_view unknown[PLAN_UNITS_MAX];
    unsigned count = core_view_unknown(a->view->core, pool, a->view->now, unknown);
    json_t *array = new_array(a);

    for (unsigned i = 0; i < count; i++) {
        json_t *object = new_object(a);

        put_int(a, object, "vrid", unknown[i].vrid);
        put_address(a, object, "address", &unknown[i].address);
        put_member(a, object, "member", "member_name", pool, &unknown[i].member);
        append_new(a, array, object);
    }
    return array;
}

static json_t *filter_object(struct answer *a, unsigned pool)
{
    const struct daemon_pool_view *p = &a->view->pools[pool];
    json_t *object = new_object(a);

    put_text(a, object, "configured", filter_mode_name(a->view->config->pools[pool].filter_mode));
    put_text(a, object, "in_force", p->filter_mode == FILTER_AUTO ? NULL : filter_mode_name(p->filter_mode));
    put_text(a, object, "text", p->filter_text);
    return object;
}

static json_t *pool_object(struct answer *a, unsigned pool)
{
    const struct config *config = a->view->config;
    const struct pool_settings *settings = &config->core.pools[pool];
    struct pool_view p;
    json_t *object = new_object(a);

    core_view_pool(a->view->core, pool, &p);
    put_text(a, object, "name", settings->name);
    put_text(a, object, "interface", config->links[settings->link]);
    put_text(a, object, "family", family_text(settings->family));
    put_int(a, object, "version", settings->version);
    put_address(a, object, "address", &p.primary);
    put_bool(a, object, "ready", p.ready);
    put_bool(a, object, "drained", p.drained);
    put_bool(a, object, "leaving", p.leaving);
    put_text(a, object, "isolation", isolation_state_name(p.isolation));
    put_int(a, object, "share", p.share);
    put_int(a, object, "lost", p.lost_count);
    put_int(a, object, "advert_interval_ms", settings->advert_interval_us / US_PER_MS);
    put_int(a, object, "member_interval_ms", settings->member_interval_us / US_PER_MS);
    put_bool(a, object, "rebalance", settings->rebalance);
    put_text(a, object, "address_mode", config->pools[pool].address_mode == ADDRESS_RESIDENT ? "resident" : "add");
    put_bool(a, object, "use_vmac", config->pools[pool].use_vmac);
    put_text(a, object, "virtual_mac", vmac_text(a->view->pools[pool].vmac));
    put_new(a, object, "filter", filter_object(a, pool));
    put_new(a, object, "members", members_array(a, pool, p.member_count));
    put_new(a, object, "units", units_array(a, pool, false));
    put_new(a, object, "unknown_units", unknown_array(a, pool));
    put_new(a, object, "trackers", trackers_array(a, TRACK_POOL, pool, 0));
    return object;
}

bool fits_one_answer(struct answer *a, unsigned first, unsigned end)
{
    unsigned units = 0;

    for (unsigned p = first; p < end; p++)
        units += a->view->config->core.pools[p].unit_count;
    if (units <= STATUS_UNITS_MAX || end - first == 1)
        return true;
    set_error(a, "too_large", "%u units in %u pools are too many for one answer: ask pool by pool", units, end - first);
    json_t *names = new_array(a);

    for (unsigned p = first; p < end; p++)
        append_new(a, names, text_value(a, a->view->config->core.pools[p].name));
    put_new(a, json_object_get(a->root, "error"), "pools", names);
    return false;
}

enum request_outcome status_answer(struct answer *a)
{
    unsigned first, end;
    json_t *pools;

    if (!find_all(a, &first, &end) || !fits_one_answer(a, first, end))
        return REQUEST_REFUSED;
    put_new(a, a->root, "daemon", daemon_object(a));
    put_new(a, a->root, "attention", attention_array(a, first, end));
    pools = new_array(a);
    for (unsigned p = first; p < end && p < a->view->config->core.pool_count; p++)
        append_new(a, pools, pool_object(a, p));
    put_new(a, a->root, "pools", pools);
    put_new(a, a->root, "instances", instances_array(a, first, end, false));
    put_new(a, a->root, "groups", groups_array(a));
    return REQUEST_DONE;
}

enum request_outcome members_answer(struct answer *a)
{
    unsigned first, end;
    json_t *pools;

    if (!find_pools(a, &first, &end))
        return REQUEST_REFUSED;
    pools = new_array(a);
    for (unsigned p = first; p < end; p++) {
        json_t *object = new_object(a);
        struct pool_view view;

        core_view_pool(a->view->core, p, &view);
        put_text(a, object, "name", a->view->config->core.pools[p].name);
        put_new(a, object, "members", members_array(a, p, view.member_count));
        append_new(a, pools, object);
    }
    put_new(a, a->root, "pools", pools);
    return REQUEST_DONE;
}

enum request_outcome list_answer(struct answer *a)
{
    unsigned first, end;
    json_t *pools;

    if (!find_all(a, &first, &end) || !fits_one_answer(a, first, end))
        return REQUEST_REFUSED;
    pools = new_array(a);
    for (unsigned p = first; p < end && p < a->view->config->core.pool_count; p++) {
        json_t *object = new_object(a);

        put_text(a, object, "name", a->view->config->core.pools[p].name);
        put_new(a, object, "units", units_array(a, p, true));
        append_new(a, pools, object);
    }
    put_new(a, a->root, "pools", pools);
    put_new(a, a->root, "instances", instances_array(a, first, end, true));
    return REQUEST_DONE;
}

enum request_outcome dump_answer(struct answer *a)
{
    json_t *what = json_object_get(a->request, "what");
    enum daemon_dump dump = json_is_string(what) ? daemon_dump_find(json_string_value(what)) : DAEMON_DUMP_COUNT;

    if (dump == DAEMON_DUMP_COUNT) {
        set_error(a, "bad_request", "\"what\" must be \"data\", \"stats\" or \"json\"");
        return REQUEST_REFUSED;
    }
    char *text = a->callbacks->dump(a->callbacks->context, dump);

    a->failed |= text == NULL;
    put_text(a, a->root, "what", daemon_dump_name(dump));
    put_text(a, a->root, "text", text != NULL ? text : "");
    free(text);
    return REQUEST_DONE;
}

static bool is_hash(const char *text)
{
    return strlen(text) == HASH_TEXT_MAX - 1 && strspn(text, "0123456789abcdef") == HASH_TEXT_MAX - 1;
}

enum request_outcome check_hash_answer(struct answer *a)
{
    json_t *field = json_object_get(a->request, "hash");
    char hash[HASH_TEXT_MAX];

    if (!json_is_string(field) || !is_hash(json_string_value(field))) {
        set_error(a, "bad_request", "\"hash\" must be a configuration's hash, a string of 16 hexadecimal digits");
        return REQUEST_REFUSED;
    }
    snprintf(hash, sizeof(hash), "%016" PRIx64, a->view->config->hash);
    put_text(a, a->root, "hash", hash);
    put_bool(a, a->root, "match", strcmp(hash, json_string_value(field)) == 0);
    return REQUEST_DONE;
}
