/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snmp answer: everything that src/snmp needs for its tables, in one snapshot. It has the raw values that status
 * shows rounded or as text: interface indices, and points in time as hundredths of a second since the daemon's start,
 * which do not flicker from one answer to the next. What becomes of them in a MIB is not known here.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/fields_json.h"
#include "daemon/note.h"

#define HASH_TEXT_MAX 17

/* Hundredths of a second from the daemon's start to `t`; null: never. What was before the start is at 0. */
static void put_stamp(struct answer *a, json_t *object, const char *key, struct mono t)
{
    int64_t us = mono_is_never(t) ? 0 : mono_diff_us(t, a->view->started);

    put_new(a, object, key, mono_is_never(t) ? json_null() : json_integer(us > 0 ? us / US_PER_CS : 0));
}

/*
 * Units are many, and most of what they have is the usual: what is 0, false or none is left out there, which halves the
 * loop's time for an answer.
 */
static void put_number(struct answer *a, json_t *object, const char *key, int64_t value)
{
    if (value != 0)
        put_int(a, object, key, value);
}

static void put_truth(struct answer *a, json_t *object, const char *key, bool value)
{
    if (value)
        put_bool(a, object, key, value);
}

static void put_known(struct answer *a, json_t *object, const char *key, const struct addr *address)
{
    if (!addr_is_none(address))
        put_address(a, object, key, address);
}

static json_t *snmp_daemon_object(struct answer *a)
{
    json_t *object = new_object(a);
    char hash[HASH_TEXT_MAX];

    snprintf(hash, sizeof(hash), "%016" PRIx64, a->view->config->hash);
    put_text(a, object, "version", a->view->version);
    put_text(a, object, "config_hash", hash);
    put_stamp(a, object, "uptime_cs", a->view->now);
    return object;
}

static json_t *snmp_links_array(struct answer *a)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < a->view->config->core.link_count; i++) {
        json_t *object = new_object(a);

        put_text(a, object, "interface", a->view->config->links[i]);
        put_int(a, object, "ifindex", a->view->links[i].ifindex);
        put_bool(a, object, "up", a->view->links[i].up);
        put_link_counters(a, object, i);
        append_new(a, array, object);
    }
    return array;
}

static json_t *snmp_member_object(struct answer *a, unsigned pool, unsigned member)
{
    struct member_view m;
    json_t *object = new_object(a);

    core_view_member(a->view->core, pool, member, a->view->now, &m);
    put_member_facts(a, object, pool, &m);
    put_int(a, object, "interval_cs", m.interval_us / US_PER_CS);
    put_stamp(a, object, "since_cs", m.since);
    return object;
}

static json_t *advertised_array(struct answer *a, const struct unit_settings *unit)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < unit->address_count; i++) {
        char text[ADDR_TEXT_MAX];

        append_new(a, array, text_value(a, addr_format(&unit->addresses[i], text)));
    }
    return array;
}

static void put_ownership(struct answer *a, json_t *object, const struct unit_view *u)
{
    put_known(a, object, "holder", &u->holder);
    put_text(a, object, "holder_kind", holder_kind_name(u->holder_kind));
    put_number(a, object, "holder_priority", u->holder_priority);
    put_truth(a, object, "pinned", u->pinned);
    put_truth(a, object, "pinned_here", u->pinned_here);
    put_truth(a, object, "contested", u->contested);
    put_truth(a, object, "address_list_differs", u->address_list_differs);
    put_known(a, object, "next", &u->next);
    put_known(a, object, "planned", &u->planned);
    put_stamp(a, object, "since_cs", u->holder_kind == HOLDER_NONE ? u->vacant_since : u->since);
    put_known(a, object, "last_from", &u->last_from);
    put_known(a, object, "last_to", &u->last_to);
    put_text(a, object, "last_reason", reason_name(u->last_reason));
    put_int(a, object, "last_gap_ms",
            mono_is_never(u->last_change) || u->last_gap_us < 0 ? -1 : u->last_gap_us / US_PER_MS);
    put_stamp(a, object, "last_change_cs", u->last_change);
}

static json_t *snmp_unit_object(struct answer *a, unsigned pool, unsigned unit)
{
    const struct daemon_conflict *conflicts = a->view->pools[pool].conflicts;
    struct addr name = note_unit_address(a->view->config, pool, unit);
    json_t *object = new_object(a), *counters = new_object(a);
    struct unit_view u;

    core_view_unit(a->view->core, pool, unit, &u);
    put_int(a, object, "vrid", u.vrid);
    put_known(a, object, "address", &name);
    put_text(a, object, "state", router_state_name(u.state));
    put_number(a, object, "priority", u.priority);
    put_number(a, object, "rank", u.rank);
    put_truth(a, object, "links_up", u.links_up);
    put_text(a, object, "level", level_name(u.level_done));
    put_ownership(a, object, &u);
    put_known(a, object, "differs_from", &u.differs_from);
    put_stamp(a, object, "counting_cs", u.made);
    put_number(a, object, "conflicts", conflicts == NULL ? 0 : (int64_t)conflicts[unit].count);
    put_new(a, object, "advertised", advertised_array(a, &a->view->config->core.pools[pool].units[unit]));
    put_new(a, object, "vips", vips_array(a, pool, unit));
    put_unit_counters(a, counters, pool, unit, false);
    put_new(a, object, "counters", counters);
    return object;
}

static void put_lists(struct answer *a, json_t *object, unsigned pool, const struct pool_view *p)
{
    json_t *members = new_array(a), *units = new_array(a), *counters = new_object(a);

    put_pool_counters(a, counters, pool);
    for (unsigned i = 0; i < p->member_count; i++)
        append_new(a, members, snmp_member_object(a, pool, i));
    for (unsigned i = 0; i < p->unit_count; i++)
        append_new(a, units, snmp_unit_object(a, pool, i));
    put_new(a, object, "counters", counters);
    put_new(a, object, "members", members);
    put_new(a, object, "units", units);
}

static json_t *snmp_pool_object(struct answer *a, unsigned pool)
{
    const struct pool_settings *settings = &a->view->config->core.pools[pool];
    uint8_t filter = a->view->pools[pool].filter_mode;
    struct pool_view p;
    json_t *object = new_object(a);

    core_view_pool(a->view->core, pool, &p);
    put_text(a, object, "name", settings->name);
    put_text(a, object, "interface", a->view->config->links[settings->link]);
    put_text(a, object, "family", family_text(settings->family));
    put_int(a, object, "version", settings->version);
    put_address(a, object, "address", &p.primary);
    put_bool(a, object, "ready", p.ready);
    put_stamp(a, object, "ready_cs", p.ready ? p.ready_since : MONO_NEVER);
    put_bool(a, object, "drained", p.drained);
    put_text(a, object, "isolation", isolation_state_name(p.isolation));
    put_int(a, object, "share", p.share);
    put_int(a, object, "member_vrid", p.member_vrid);
    put_int(a, object, "lost", p.lost_count);
    put_bool(a, object, "rebalance", settings->rebalance);
    put_text(a, object, "filter", filter == FILTER_AUTO ? NULL : filter_mode_name(filter));
    put_int(a, object, "advert_interval_cs", settings->advert_interval_us / US_PER_CS);
    put_int(a, object, "member_interval_cs", settings->member_interval_us / US_PER_CS);
    put_lists(a, object, pool, &p);
    return object;
}

/* What a MIB's row of a virtual router needs. */
static json_t *snmp_instance_object(struct answer *a, unsigned set, unsigned unit)
{
    const struct config *config = a->view->config;
    const struct unit_settings *settings = &config->core.pools[set].units[unit];
    const uint8_t *mac = config->pools[set].units[unit].router->vmac;
    json_t *object = new_object(a), *counters = new_object(a);
    struct instance_view i;
    char text[MAC_TEXT_MAX];

    core_view_instance(a->view->core, set, unit, &i);
    put_text(a, object, "name", settings->instance->name);
    put_int(a, object, "vrid", settings->vrid);
    put_text(a, object, "interface", config->links[settings->link]);
    put_text(a, object, "family", family_text(settings->family));
    put_int(a, object, "version", settings->version);
    put_text(a, object, "state", instance_state_name((enum instance_state)i.state));
    put_number(a, object, "priority", i.priority);
    put_known(a, object, "address", &i.primary);
    put_known(a, object, "holder", &i.holder);
    put_text(a, object, "mac", mac_text(mac, text));
    put_int(a, object, "advert_interval_cs", settings->advert_interval_us / US_PER_CS);
    put_truth(a, object, "preempt", settings->instance->preempt);
    put_truth(a, object, "accept", config->pools[set].units[unit].router->accept);
    put_number(a, object, "auth_type", settings->instance->auth_type);
    put_stamp(a, object, "running_cs", i.running_since);
    put_known(a, object, "refused_from", &i.refused_from);
    put_stamp(a, object, "counting_cs", i.made);
    put_new(a, object, "advertised", advertised_array(a, settings));
    put_instance_counters(a, counters, set, unit, false);
    put_new(a, object, "counters", counters);
    return object;
}

static json_t *snmp_instances_array(struct answer *a, unsigned first, unsigned end)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *array = new_array(a);

    for (unsigned p = first < core->pool_count ? core->pool_count : first; p < end; p++)
        for (unsigned u = 0; u < core->pools[p].unit_count; u++)
            append_new(a, array, snmp_instance_object(a, p, u));
    return array;
}

enum request_outcome snmp_answer(struct answer *a)
{
    unsigned first, end;

    if (!find_all(a, &first, &end) || !fits_one_answer(a, first, end))
        return REQUEST_REFUSED;
    json_t *pools = new_array(a);

    put_new(a, a->root, "daemon", snmp_daemon_object(a));
    put_new(a, a->root, "links", snmp_links_array(a));
    for (unsigned p = first; p < end && p < a->view->config->core.pool_count; p++)
        append_new(a, pools, snmp_pool_object(a, p));
    put_new(a, a->root, "pools", pools);
    put_new(a, a->root, "instances", snmp_instances_array(a, first, end));
    return REQUEST_DONE;
}
