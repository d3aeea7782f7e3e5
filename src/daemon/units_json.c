/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members and units as JSON objects: the same fields wherever they appear (status, members, list, explain). Copies from
 * core/view.h; decides nothing.
 */
#include <stdio.h>

#include "daemon/fields_json.h"

#define CONFLICT_RECENT_S 60 /* somebody else's answer needs attention for so long */

const char *level_name(uint8_t level)
{
    switch ((enum unit_level)level) {
    case LEVEL_ABSENT:
        return "absent";
    case LEVEL_READY:
        return "ready";
    case LEVEL_ANSWERING:
        return "answering";
    }
    return NULL;
}

bool look_up_member(const struct daemon_view *view, unsigned pool, const struct addr *address, struct member_view *out)
{
    struct pool_view p;

    core_view_pool(view->core, pool, &p);
    for (unsigned i = 0; i < p.member_count; i++) {
        core_view_member(view->core, pool, i, view->now, out);
        if (addr_equal(&out->address, address))
            return true;
    }
    return false;
}

void put_member_facts(struct answer *a, json_t *object, unsigned pool, const struct member_view *m)
{
    put_member(a, object, "address", "name", pool, &m->address);
    put_int(a, object, "vrid", m->vrid);
    put_int(a, object, "share", m->share);
    put_text(a, object, "state", member_state_name(m->state));
    put_bool(a, object, "self", m->self);
    put_int(a, object, "age_ms",
            mono_is_never(m->last_heard) ? 0 : mono_diff_us(a->view->now, m->last_heard) / US_PER_MS);
    put_int(a, object, "load", m->load);
}

json_t *member_object(struct answer *a, unsigned pool, unsigned member)
{
    struct member_view m;
    json_t *object = new_object(a);

    core_view_member(a->view->core, pool, member, a->view->now, &m);
    put_member_facts(a, object, pool, &m);
    put_int(a, object, "interval_ms", m.interval_us / US_PER_MS);
    put_time(a, object, "since", m.since);
    return object;
}

json_t *vips_array(struct answer *a, unsigned pool, unsigned unit)
{
    const struct config *config = a->view->config;
    const struct config_unit *u = &config->pools[pool].units[unit];
    json_t *array = new_array(a);

    for (unsigned i = 0; i < u->vip_count; i++) {
        json_t *vip = new_object(a);

        put_address(a, vip, "address", &u->vips[i].address);
        put_int(a, vip, "prefix_length", u->vips[i].prefix_length);
        put_text(a, vip, "interface", config->links[u->vips[i].link]);
        append_new(a, array, vip);
    }
    return array;
}

json_t *addresses_array(struct answer *a, unsigned pool, unsigned unit)
{
    const struct config_unit *u = &a->view->config->pools[pool].units[unit];
    json_t *array = new_array(a);

    for (unsigned i = 0; i < u->vip_count; i++) {
        char text[ADDR_TEXT_MAX];

        append_new(a, array, text_value(a, addr_format(&u->vips[i].address, text)));
    }
    return array;
}

static json_t *last_change_object(struct answer *a, const struct unit_view *u)
{
    if (mono_is_never(u->last_change))
        return json_null();
    json_t *object = new_object(a);

    put_time(a, object, "time", u->last_change);
    put_address(a, object, "from", &u->last_from);
    put_address(a, object, "to", &u->last_to);
    put_text(a, object, "reason", reason_name(u->last_reason));
    put_ms(a, object, "gap_ms", u->last_gap_us);
    return object;
}

const struct daemon_conflict *conflict_of(const struct answer *a, unsigned pool, unsigned unit)
{
    const struct daemon_conflict *conflicts = a->view->pools[pool].conflicts;

    return conflicts != NULL && conflicts[unit].count > 0 ? &conflicts[unit] : NULL;
}

bool conflict_is_recent(const struct answer *a, const struct daemon_conflict *conflict)
{
    return conflict != NULL && !mono_is_never(conflict->last) &&
           mono_diff_us(a->view->now, conflict->last) < (int64_t)CONFLICT_RECENT_S * US_PER_S;
}

json_t *conflict_object(struct answer *a, unsigned pool, unsigned unit)
{
    const struct daemon_conflict *c = conflict_of(a, pool, unit);
    char mac[MAC_TEXT_MAX];

    if (c == NULL)
        return json_null();
    json_t *object = new_object(a);

    put_address(a, object, "address", &c->address);
    put_text(a, object, "mac", mac_text(c->mac, mac));
    put_time(a, object, "time", c->last);
    put_int(a, object, "count", (int64_t)c->count);
    put_bool(a, object, "recent", conflict_is_recent(a, c));
    return object;
}

/* Whose list differs, and by which addresses; null when it does not. */
static json_t *difference_object(struct answer *a, unsigned pool, const struct unit_view *u)
{
    if (!u->address_list_differs)
        return json_null();
    json_t *object = new_object(a);

    put_member(a, object, "from", "from_name", pool, &u->address_list_from);
    put_address(a, object, "only_there", &u->address_list_extra);
    put_address(a, object, "only_here", &u->address_list_missing);
    return object;
}

json_t *unit_object(struct answer *a, unsigned pool, unsigned unit)
{
    struct unit_view u;
    json_t *object = new_object(a);

    core_view_unit(a->view->core, pool, unit, &u);
    put_int(a, object, "vrid", u.vrid);
    put_new(a, object, "addresses", addresses_array(a, pool, unit));
    put_text(a, object, "state", router_state_name(u.state));
    put_int(a, object, "priority", u.priority);
    put_member(a, object, "holder", "holder_name", pool, &u.holder);
    put_text(a, object, "holder_kind", holder_kind_name(u.holder_kind));
    put_int(a, object, "holder_priority", u.holder_priority);
    put_int(a, object, "rank", u.rank);
    put_bool(a, object, "pinned", u.pinned);
    put_bool(a, object, "pinned_here", u.pinned_here);
    put_bool(a, object, "contested", u.contested);
    put_address(a, object, "contender", &u.contender);
    put_bool(a, object, "address_list_differs", u.address_list_differs);
    put_new(a, object, "address_list", difference_object(a, pool, &u));
    put_bool(a, object, "links_up", u.links_up);
    put_text(a, object, "level", level_name(u.level));
    put_text(a, object, "level_done", level_name(u.level_done));
    put_member(a, object, "next", "next_name", pool, &u.next);
    put_member(a, object, "planned", "planned_name", pool, &u.planned);
    put_time(a, object, "since", u.holder_kind == HOLDER_NONE ? u.vacant_since : u.since);
    put_new(a, object, "last_change", last_change_object(a, &u));
    put_new(a, object, "conflict", conflict_object(a, pool, unit));
    return object;
}
