/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `snmp` answer -> struct snapshot. Fields that are missing read as 0, false or none, so that a daemon that is a
 * little older or newer is still shown; an answer without pools or links is no `snmp` answer. Words become the numbers
 * that the MIBs give them here (snmp/object.h has the tables).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "snmp/snapshot_fields_json.h"

struct number_field {
    const char *key;
    size_t offset;
};

int64_t get_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

int64_t get_truth(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? SNMP_TRUE : SNMP_FALSE;
}

int64_t get_stamp(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

void get_text(const json_t *object, const char *key, char text[static SNAPSHOT_NAME_MAX])
{
    const char *value = json_string_value(json_object_get(object, key));

    snprintf(text, SNAPSHOT_NAME_MAX, "%s", value != NULL ? value : "");
}

struct addr get_address(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    struct addr address = ADDR_NONE;

    if (text != NULL)
        addr_parse(text, &address);
    return address;
}

int64_t get_word(const json_t *object, const char *key, const struct snmp_label *labels)
{
    return snmp_label_value(labels, json_string_value(json_object_get(object, key)));
}

static void get_numbers(const json_t *object, void *row, const struct number_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = get_number(object, fields[i].key);

        memcpy((char *)row + fields[i].offset, &value, sizeof(value));
    }
}

/* A member's counter is called as the field that counts it, or as a name of its own. */
#define POOL_COUNTER(name)                                                                                             \
    {                                                                                                                  \
#name, offsetof(struct snapshot_pool, name)                                                                    \
    }
#define UNIT_COUNTER(name)                                                                                             \
    {                                                                                                                  \
#name, offsetof(struct snapshot_unit, name)                                                                    \
    }

static const struct number_field pool_counters[] = {
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

static const struct number_field unit_counters[] = {
    UNIT_COUNTER(adverts_sent),     UNIT_COUNTER(adverts_received),
    UNIT_COUNTER(zero_sent),        UNIT_COUNTER(zero_received),
    UNIT_COUNTER(became_active),    UNIT_COUNTER(asserted),
    UNIT_COUNTER(interval_differs), {"address_list_differs", offsetof(struct snapshot_unit, list_differs)},
    UNIT_COUNTER(auth_mismatch),    UNIT_COUNTER(version_mismatch),
};

static const struct snmp_label proto_errors[] = {
    {SNMP_PROTO_TTL, "bad_ttl", NULL},
    {SNMP_PROTO_VERSION, "bad_version", NULL},
    {SNMP_PROTO_CHECKSUM, "bad_checksum", NULL},
    {0, NULL, NULL},
};

/* The RFC's three reasons from the daemon's many: silence, a goodbye, or the stronger priority. */
const struct snmp_label snapshot_active_reasons[] = {
    {3, "startup", NULL},    {3, "timeout", NULL},   {3, "member_dead", NULL}, {3, "link_down", NULL},
    {1, "released", NULL},   {1, "rebalance", NULL}, {1, "preferred", NULL},   {1, "operator", NULL},
    {1, "drain", NULL},      {1, "shutdown", NULL},  {2, "stronger", NULL},    {2, "preempted", NULL},
    {3, "no_address", NULL}, {3, "stall", NULL},     {3, "isolated", NULL},    {3, "one_way", NULL},
    {3, "kernel", NULL},     {0, NULL, NULL},
};
#define ACTIVE_REASON_PREEMPTED 2

static int64_t family_of(const struct addr *address)
{
    return address->family == FAMILY_IPV6 ? SNMP_IPV6 : address->family == FAMILY_IPV4 ? SNMP_IPV4 : 0;
}

struct addr of_family(const struct addr *address, int64_t family)
{
    if (!addr_is_none(address))
        return *address;
    return (struct addr){.family = family == SNMP_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4};
}

static void read_link(const json_t *object, struct snapshot_link *link)
{
    const json_t *refused = json_object_get(object, "refused");

    get_text(object, "interface", link->name);
    link->ifindex = get_number(object, "ifindex");
    link->up = get_truth(object, "up");
    link->accepted = get_number(object, "accepted");
    link->unknown_vrid = get_number(object, "unknown_vrid");
    link->proto_error = get_word(object, "last_refused", proto_errors);
    for (unsigned i = 0; i < snapshot_refusal_count; i++)
        link->refused[i] = get_number(refused, snapshot_refusals[i]);
}

const struct snapshot_link *find_link(const struct snapshot *s, const char *name)
{
    static const struct snapshot_link missing = {.ifindex = 0};

    for (unsigned i = 0; name != NULL && i < s->link_count; i++) {
        if (strcmp(s->links[i].name, name) == 0)
            return &s->links[i];
    }
    return &missing;
}

static int64_t refused_as(const struct snapshot_link *link, const char *reason)
{
    for (unsigned i = 0; i < snapshot_refusal_count; i++) {
        if (strcmp(snapshot_refusals[i], reason) == 0)
            return link->refused[i];
    }
    return 0;
}

/* What all virtual routers of a pool share. Packets that are refused before their VRID is known count for all of them.
 */
static struct snapshot_router *add_router(struct snapshot *s, const struct snapshot_pool *pool,
                                          const struct snapshot_link *link, int64_t vrid)
{
    struct snapshot_router *r = &s->routers[s->router_count++];

    *r = (struct snapshot_router){
        .ifindex = pool->ifindex,
        .vrid = vrid,
        .family = pool->family,
        .version = pool->version,
        .pool = pool,
        .primary = of_family(&pool->address, pool->family),
        .mac = {0x00, 0x00, 0x5e, 0x00, pool->family == SNMP_IPV6 ? 0x02 : 0x01, (uint8_t)vrid},
        .admin_state = 1,
        .preempt = SNMP_TRUE,
        .accept = SNMP_TRUE,
        .row_status = 1,
        .ttl_errors = refused_as(link, "bad_ttl"),
        .type_errors = refused_as(link, "bad_type"),
        .length_errors = refused_as(link, "too_short"),
        .proto_error = link->proto_error,
        .refresh_ms = SNAPSHOT_REFRESH_MS,
        .discontinuity = s->global.start,
        .auth_type = 1,
        .protocol = 1,
        .up_since = pool->ready_since,
        .up_cs = pool->ready_since >= 0 ? s->global.uptime_cs - pool->ready_since : 0,
    };
    return r;
}

void add_address(struct snapshot *s, struct snapshot_router *router, const struct addr *address)
{
    if (addr_is_none(address))
        return;
    s->addresses[s->address_count++] =
        (struct snapshot_address){.router = router, .address = *address, .row_status = 1};
    router->address_count++;
}

void add_advertised(struct snapshot *s, struct snapshot_router *router, const json_t *advertised)
{
    const json_t *text;
    size_t i;

    json_array_foreach(advertised, i, text)
    {
        struct addr address;

        if (addr_parse(json_string_value(text) != NULL ? json_string_value(text) : "", &address))
            add_address(s, router, &address);
    }
}

/* This host's own virtual router: Active whenever the pool runs. Its VRID is chosen when it starts, so it has no row
 * before. */
static void add_member_router(struct snapshot *s, const struct snapshot_pool *pool, const struct snapshot_link *link)
{
    if (pool->ifindex == 0 || pool->ready != SNMP_TRUE || pool->member_vrid == 0)
        return;
    struct snapshot_router *r = add_router(s, pool, link, pool->member_vrid);

    r->is_member = 1;
    r->version = 3;
    r->state = SNMP_ROUTER_MASTER;
    r->master = r->primary;
    r->priority = pool->share;
    r->advert_interval_cs = pool->member_interval_cs;
    r->became_active = 1;
    r->active_reason = ACTIVE_REASON_PREEMPTED; /* the owner of an address starts by claiming it */
    r->discontinuity = pool->ready_since;
    add_address(s, r, &pool->address);
}

static void add_unit_router(struct snapshot *s, const struct snapshot_unit *unit, const struct snapshot_link *link,
                            const json_t *advertised)
{
    if (unit->pool->ifindex == 0)
        return;
    struct snapshot_router *r = add_router(s, unit->pool, link, unit->vrid);

    r->discontinuity = unit->counting_since;
    r->state = unit->state;
    r->master = unit->state == SNMP_ROUTER_MASTER ? r->primary : of_family(&unit->holder, r->family);
    r->priority = unit->priority;
    r->advert_interval_cs = unit->pool->advert_interval_cs;
    r->advert_interval_s = unit->pool->advert_interval_cs / 100;
    r->became_active = unit->became_active;
    r->active_reason = unit->became_active > 0 ? unit->active_reason : 0;
    r->adverts_received = unit->adverts_received;
    r->interval_errors = unit->interval_differs;
    r->zero_received = unit->zero_received;
    r->zero_sent = unit->zero_sent;
    r->list_errors = unit->list_differs;
    r->auth_type_errors = unit->auth_mismatch;
    if (r->proto_error == SNMP_PROTO_NONE && unit->version_mismatch > 0)
        r->proto_error = SNMP_PROTO_VERSION;
    if (r->state == SNMP_ROUTER_INITIALIZE) {
        r->up_cs = 0;
        r->up_since = -1;
    }
    add_advertised(s, r, advertised);
}

static void read_vips(const json_t *array, struct snapshot *s, const struct snapshot_unit *unit)
{
    size_t i;
    const json_t *object;

    json_array_foreach(array, i, object)
    {
        s->vips[s->vip_count++] = (struct snapshot_vip){
            .pool = unit->pool,
            .vrid = unit->vrid,
            .address = get_address(object, "address"),
            .prefix_length = get_number(object, "prefix_length"),
            .ifindex = find_link(s, json_string_value(json_object_get(object, "interface")))->ifindex,
        };
    }
}

static void read_unit(const json_t *object, struct snapshot_unit *unit)
{
    const json_t *counters = json_object_get(object, "counters");

    unit->vrid = get_number(object, "vrid");
    unit->address = get_address(object, "address");
    unit->family = family_of(&unit->address);
    unit->state = get_word(object, "state", snmp_router_states);
    unit->priority = get_number(object, "priority");
    unit->rank = get_number(object, "rank");
    unit->links_up = get_truth(object, "links_up");
    unit->level = get_word(object, "level", snmp_unit_levels);
    unit->holder = get_address(object, "holder");
    unit->holder_kind = get_word(object, "holder_kind", snmp_holder_kinds);
    unit->holder_priority = get_number(object, "holder_priority");
    unit->pinned = get_truth(object, "pinned");
    unit->pinned_here = get_truth(object, "pinned_here");
    unit->contested = get_truth(object, "contested");
    unit->address_list_differs = get_truth(object, "address_list_differs");
    unit->conflicts = get_number(object, "conflicts");
    unit->differs_from = get_address(object, "differs_from");
    unit->counting_since = get_stamp(object, "counting_cs");
    unit->next = get_address(object, "next");
    unit->planned = get_address(object, "planned");
    unit->since = get_stamp(object, "since_cs");
    unit->last_from = get_address(object, "last_from");
    unit->last_to = get_address(object, "last_to");
    unit->last_reason = get_word(object, "last_reason", snmp_reasons);
    unit->last_gap_ms = get_stamp(object, "last_gap_ms");
    unit->last_change = get_stamp(object, "last_change_cs");
    get_numbers(counters, unit, unit_counters, ARRAY_LENGTH(unit_counters));
    unit->active_reason = get_word(counters, "last_active_reason", snapshot_active_reasons);
}

static void read_member(const json_t *object, struct snapshot_member *member)
{
    member->address = get_address(object, "address");
    get_text(object, "name", member->name);
    member->vrid = get_number(object, "vrid");
    member->share = get_number(object, "share");
    member->state = get_word(object, "state", snmp_member_states);
    member->self = get_truth(object, "self");
    member->load = get_number(object, "load");
    member->interval_cs = get_number(object, "interval_cs");
    member->age_ms = get_number(object, "age_ms");
    member->since = get_stamp(object, "since_cs");
}

static void read_pool_fields(const json_t *object, const struct snapshot *s, struct snapshot_pool *pool)
{
    const char *family = json_string_value(json_object_get(object, "family"));

    get_text(object, "name", pool->name);
    pool->ifindex = find_link(s, json_string_value(json_object_get(object, "interface")))->ifindex;
    pool->family = family != NULL && strcmp(family, "ipv6") == 0 ? SNMP_IPV6 : SNMP_IPV4;
    pool->version = get_number(object, "version");
    pool->address = get_address(object, "address");
    pool->ready = get_truth(object, "ready");
    pool->ready_since = get_stamp(object, "ready_cs");
    pool->drained = get_truth(object, "drained");
    pool->isolation = get_word(object, "isolation", snmp_isolations);
    pool->share = get_number(object, "share");
    pool->member_vrid = get_number(object, "member_vrid");
    pool->lost = get_number(object, "lost");
    pool->rebalance = get_truth(object, "rebalance");
    pool->filter = get_word(object, "filter", snmp_filters);
    pool->advert_interval_cs = get_number(object, "advert_interval_cs");
    pool->member_interval_cs = get_number(object, "member_interval_cs");
    get_numbers(json_object_get(object, "counters"), pool, pool_counters, ARRAY_LENGTH(pool_counters));
}

static void count_unit(struct snapshot_pool *pool, const struct snapshot_unit *unit)
{
    pool->units++;
    pool->held += unit->state == SNMP_ROUTER_MASTER;
    pool->unowned += unit->holder_kind == snmp_label_value(snmp_holder_kinds, "none");
    pool->contested += unit->contested == SNMP_TRUE;
}

static void read_pool(const json_t *object, struct snapshot *s)
{
    struct snapshot_pool *pool = &s->pools[s->pool_count++];
    const struct snapshot_link *link = find_link(s, json_string_value(json_object_get(object, "interface")));
    const json_t *item;
    size_t i;

    read_pool_fields(object, s, pool);
    add_member_router(s, pool, link);
    json_array_foreach(json_object_get(object, "members"), i, item)
    {
        struct snapshot_member *member = &s->members[s->member_count++];

        member->pool = pool;
        read_member(item, member);
        pool->alive += member->state == snmp_label_value(snmp_member_states, "active") ||
                       member->state == snmp_label_value(snmp_member_states, "reserve");
    }
    json_array_foreach(json_object_get(object, "units"), i, item)
    {
        struct snapshot_unit *unit = &s->units[s->unit_count++];

        unit->pool = pool;
        read_unit(item, unit);
        count_unit(pool, unit);
        read_vips(json_object_get(item, "vips"), s, unit);
        add_unit_router(s, unit, link, json_object_get(item, "advertised"));
        s->global.version_errors += unit->version_mismatch;
    }
}

/* Room for everything, before anything is read: rows point at each other. False: no memory. */
static bool allocate(struct snapshot *s, const json_t *links, const json_t *pools, const json_t *instances)
{
    size_t members = 0, units = 0, vips = 0, addresses = 0, i, j;
    const json_t *pool, *unit, *instance;

    json_array_foreach(pools, i, pool)
    {
        members += json_array_size(json_object_get(pool, "members"));
        units += json_array_size(json_object_get(pool, "units"));
        addresses++;
        json_array_foreach(json_object_get(pool, "units"), j, unit)
        {
            vips += json_array_size(json_object_get(unit, "vips"));
            addresses += json_array_size(json_object_get(unit, "advertised"));
        }
    }
    json_array_foreach(instances, i, instance) addresses += json_array_size(json_object_get(instance, "advertised"));
    s->links = calloc(json_array_size(links) + 1, sizeof(s->links[0]));
    s->pools = calloc(json_array_size(pools) + 1, sizeof(s->pools[0]));
    s->members = calloc(members + 1, sizeof(s->members[0]));
    s->units = calloc(units + 1, sizeof(s->units[0]));
    s->vips = calloc(vips + 1, sizeof(s->vips[0]));
    s->routers = calloc(units + json_array_size(pools) + json_array_size(instances) + 1, sizeof(s->routers[0]));
    s->addresses = calloc(addresses + 1, sizeof(s->addresses[0]));
    return s->links != NULL && s->pools != NULL && s->members != NULL && s->units != NULL && s->vips != NULL &&
           s->routers != NULL && s->addresses != NULL;
}

static void read_global(const json_t *daemon, struct snapshot_global *global)
{
    get_text(daemon, "version", global->version);
    get_text(daemon, "config_hash", global->config_hash);
    global->uptime_cs = get_number(daemon, "uptime_cs");
    global->node_version = 2;
    global->notifications = 1;
}

struct snapshot *snapshot_from_json(const struct json_t *answer)
{
    const json_t *links = json_object_get(answer, "links"), *pools = json_object_get(answer, "pools");
    const json_t *instances = json_object_get(answer, "instances"), *item;
    struct snapshot *s;
    size_t i;

    if (!json_is_array(links) || !json_is_array(pools) || (s = calloc(1, sizeof(*s))) == NULL)
        return NULL;
    if (!allocate(s, links, pools, instances)) {
        snapshot_free(s);
        return NULL;
    }
    read_global(json_object_get(answer, "daemon"), &s->global);
    json_array_foreach(links, i, item)
    {
        struct snapshot_link *link = &s->links[s->link_count++];

        read_link(item, link);
        s->global.checksum_errors += refused_as(link, "bad_checksum");
        s->global.version_errors += refused_as(link, "bad_version");
        s->global.vrid_errors += link->unknown_vrid;
    }
    json_array_foreach(pools, i, item) read_pool(item, s);
    json_array_foreach(instances, i, item) read_instance(item, s);
    return s;
}
