/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events -> notifications. The rows of the snapshot are copied and then made to say what the event says, since a
 * snapshot is taken a little later than what it is asked for.
 */
#include "snmp/notice.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

static const uint32_t evenkeel_notifications[] = {SNMP_EVENKEEL_ROOT, 0};
static const uint32_t event_text[] = {SNMP_EVENKEEL_ROOT, 1, 9, 1, 0};
static const uint32_t vrrpv3_new_master[] = {SNMP_VRRPV3_ROOT, 0, 1};
static const uint32_t vrrpv3_proto_error[] = {SNMP_VRRPV3_ROOT, 0, 2};
static const uint32_t vrrp_new_master[] = {SNMP_VRRP_ROOT, 0, 1};
static const uint32_t vrrp_auth_failure[] = {SNMP_VRRP_ROOT, 0, 2};
static const uint32_t vrrp_packet_source[] = {SNMP_VRRP_ROOT, 1, 5, 0};
static const uint32_t vrrp_auth_error[] = {SNMP_VRRP_ROOT, 1, 6, 0};
static const uint32_t event_instance[] = {SNMP_EVENKEEL_ROOT, 1, 9, 2, 0};

/* Numbers of the module's own notifications, doc/EVENKEEL-MIB.txt. */
enum own_notification {
    OWN_UNIT_OWNER = 1,
    OWN_MEMBER_STATE,
    OWN_UNIT_CONTEST,
    OWN_ISOLATION,
    OWN_STALLED,
    OWN_UNIT_FAILED,
    OWN_UNIT_DIFFERS,
    OWN_INSTANCE_EVENT,
};

enum auth_error { /* vrrpTrapAuthErrorType */
                  AUTH_INVALID_TYPE = 1,
                  AUTH_TYPE_MISMATCH,
                  AUTH_FAILURE,
};

static const char *entry_text(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text != NULL ? text : "";
}

static int64_t entry_number(const json_t *entry, const char *key)
{
    return json_integer_value(json_object_get(entry, key));
}

static struct addr entry_address(const json_t *entry, const char *key)
{
    struct addr address;

    addr_parse(entry_text(entry, key), &address);
    return address;
}

static void set_oid(struct snmp_oid *oid, const uint32_t *arcs, size_t length)
{
    memcpy(oid->arcs, arcs, length * sizeof(arcs[0]));
    oid->length = (unsigned)length;
}

static void start_own(struct snmp_notice *notice, enum own_notification number)
{
    set_oid(&notice->trap, evenkeel_notifications, ARRAY_LENGTH(evenkeel_notifications));
    notice->trap.arcs[notice->trap.length++] = (uint32_t)number;
}

static void bind(struct snmp_notice *notice, const char *name, const void *row)
{
    const struct snmp_table *table;
    const struct snmp_column *column = snmp_column_find(name, &table);
    struct snmp_bind *out = &notice->binds[notice->bind_count++];

    CHECK(column != NULL && notice->bind_count <= SNMP_NOTICE_BINDS_MAX);
    snmp_instance_oid(table, column, row, &out->oid);
    out->value = snmp_column_value(column, row, 0);
}

/* A sentence that is cut, is cut between characters. */
static void bind_text(struct snmp_notice *notice, const json_t *entry)
{
    struct snmp_bind *out = &notice->binds[notice->bind_count++];
    const char *text = entry_text(entry, "text");
    size_t length = strnlen(text, SNMP_NOTICE_TEXT_MAX - 1);

    while (text[length] != '\0' && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    memcpy(notice->text, text, length);
    notice->text[length] = '\0';
    set_oid(&out->oid, event_text, ARRAY_LENGTH(event_text));
    out->value = (struct snmp_value){.type = SNMP_TEXT, .bytes = (const uint8_t *)notice->text, .length = length};
}

/* What needs a person, of an instance: its name and the sentence. */
static bool instance_event(const json_t *entry, struct snmp_notice *notice)
{
    size_t length = strnlen(entry_text(entry, "instance"), sizeof(notice->name) - 1);
    struct snmp_bind *out = &notice->binds[0];

    start_own(notice, OWN_INSTANCE_EVENT);
    memcpy(notice->name, entry_text(entry, "instance"), length);
    notice->name[length] = '\0';
    notice->bind_count = 1;
    set_oid(&out->oid, event_instance, ARRAY_LENGTH(event_instance));
    out->value = (struct snmp_value){.type = SNMP_TEXT, .bytes = (const uint8_t *)notice->name, .length = length};
    bind_text(notice, entry);
    return true;
}

static bool is_of_instance(const json_t *entry)
{
    return *entry_text(entry, "instance") != '\0';
}

static bool take_pool(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    const struct snapshot_pool *pool = snapshot_find_pool(snapshot, entry_text(entry, "pool"));

    if (pool == NULL)
        return false;
    notice->pool = *pool;
    return true;
}

static bool take_unit(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    const struct snapshot_unit *unit =
        snapshot_find_unit(snapshot, entry_text(entry, "pool"), entry_number(entry, "vrid"));

    if (unit == NULL)
        return false;
    notice->unit = *unit;
    return true;
}

/* This host has become the Active router of a unit or an instance. */
static bool new_master(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    const struct snapshot_router *router =
        is_of_instance(entry) ? snapshot_find_instance(snapshot, entry_text(entry, "instance"))
                              : snapshot_find_router(snapshot, entry_text(entry, "pool"), entry_number(entry, "vrid"));

    if (router == NULL || strcmp(entry_text(entry, "to_state"), "Active") != 0)
        return false;
    notice->router = *router;
    notice->router.master = router->primary;
    if (router->version == 2) {
        set_oid(&notice->trap, vrrp_new_master, ARRAY_LENGTH(vrrp_new_master));
        bind(notice, "vrrpOperMasterIpAddr", &notice->router);
    } else {
        set_oid(&notice->trap, vrrpv3_new_master, ARRAY_LENGTH(vrrpv3_new_master));
        bind(notice, "vrrpv3OperationsMasterIpAddr", &notice->router);
        bind(notice, "vrrpv3StatisticsNewMasterReason", &notice->router);
    }
    return true;
}

static bool unit_owner(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    const json_t *gap = json_object_get(entry, "gap_ms");

    if (!take_unit(entry, snapshot, notice))
        return false;
    notice->unit.last_from = entry_address(entry, "from");
    notice->unit.last_to = entry_address(entry, "to");
    notice->unit.last_reason = snmp_label_value(snmp_reasons, entry_text(entry, "reason"));
    notice->unit.last_gap_ms = json_is_number(gap) ? (int64_t)json_number_value(gap) : -1;
    start_own(notice, OWN_UNIT_OWNER);
    bind(notice, "ekUnitAddress", &notice->unit);
    bind(notice, "ekUnitLastFrom", &notice->unit);
    bind(notice, "ekUnitLastTo", &notice->unit);
    bind(notice, "ekUnitLastReason", &notice->unit);
    bind(notice, "ekUnitLastGap", &notice->unit);
    bind_text(notice, entry);
    return true;
}

static bool member_event(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    static const struct snmp_label states[] = {
        {1, "member_active", NULL},
        {2, "member_reserve", NULL},
        {3, "member_dead", NULL},
        {4, "member_left", NULL},
        {0, NULL, NULL},
    };
    const char *pool = entry_text(entry, "pool");
    int state = snmp_label_value(states, entry_text(entry, "kind"));
    struct addr address = entry_address(entry, state >= 3 ? "from" : "to");
    const struct snapshot_member *member = snapshot_find_member(snapshot, pool, &address);

    if (!take_pool(entry, snapshot, notice) || addr_is_none(&address))
        return false;
    if (member != NULL)
        notice->member = *member;
    else
        notice->member = (struct snapshot_member){.address = address, .state = 1};
    notice->member.pool = &notice->pool;
    if (state != 0)
        notice->member.state = state;
    start_own(notice, OWN_MEMBER_STATE);
    bind(notice, "ekMemberName", &notice->member);
    bind(notice, "ekMemberState", &notice->member);
    bind_text(notice, entry);
    return true;
}

static bool isolation(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    bool over = strcmp(entry_text(entry, "kind"), "rejoined") == 0;
    const char *what = over ? "none" : entry_number(entry, "value") == 0 ? "deaf" : "mute";

    if (!take_pool(entry, snapshot, notice))
        return false;
    notice->pool.isolation = snmp_label_value(snmp_isolations, what);
    start_own(notice, OWN_ISOLATION);
    bind(notice, "ekPoolIsolation", &notice->pool);
    bind_text(notice, entry);
    return true;
}

/* Into Fault, and out of it; and this host's becoming the Active router. */
static bool instance_state(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    if (strcmp(entry_text(entry, "from_state"), "Fault") == 0 || strcmp(entry_text(entry, "to_state"), "Fault") == 0)
        return is_of_instance(entry) && instance_event(entry, notice);
    return new_master(entry, snapshot, notice);
}

static bool instance_trouble(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    (void)snapshot;
    return is_of_instance(entry) && instance_event(entry, notice);
}

static bool stalled(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    if (is_of_instance(entry))
        return instance_event(entry, notice);
    if (!take_pool(entry, snapshot, notice))
        return false;
    start_own(notice, OWN_STALLED);
    bind(notice, "ekPoolShare", &notice->pool);
    bind_text(notice, entry);
    return true;
}

static bool unit_event(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice,
                       enum own_notification number, const char *column)
{
    if (is_of_instance(entry))
        return instance_event(entry, notice);
    if (!take_unit(entry, snapshot, notice))
        return false;
    start_own(notice, number);
    bind(notice, "ekUnitAddress", &notice->unit);
    bind(notice, column, &notice->unit);
    bind_text(notice, entry);
    return true;
}

static bool contest(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    return unit_event(entry, snapshot, notice, OWN_UNIT_CONTEST, "ekUnitHolder");
}

static bool unit_failed(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    return unit_event(entry, snapshot, notice, OWN_UNIT_FAILED, "ekUnitLevel");
}

static bool unit_differs(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice)
{
    return unit_event(entry, snapshot, notice, OWN_UNIT_DIFFERS, "ekUnitHolder");
}

static const struct {
    const char *kind;
    bool (*make)(const json_t *entry, const struct snapshot *snapshot, struct snmp_notice *notice);
} makers[] = {
    {"unit_state", new_master},
    {"unit_owner", unit_owner},
    {"member_joined", member_event},
    {"member_left", member_event},
    {"member_dead", member_event},
    {"member_reserve", member_event},
    {"member_active", member_event},
    {"contest", contest},
    {"one_way", contest},
    {"isolated", isolation},
    {"rejoined", isolation},
    {"stalled", stalled},
    {"kernel_failed", unit_failed},
    {"address_list", unit_differs},
    {"interval_differs", unit_differs},
    {"stranger", unit_differs},
    {"instance_state", instance_state},
    {"weaker", instance_trouble},
    {"conflict", instance_trouble},
};

bool snmp_notice_from_event(const struct json_t *entry, const struct snapshot *snapshot, struct snmp_notice *out)
{
    const char *kind = entry_text(entry, "kind");

    out->bind_count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(makers); i++) {
        if (strcmp(makers[i].kind, kind) == 0)
            return makers[i].make(entry, snapshot, out);
    }
    return false;
}

static void proto_error(struct snmp_notice *notice, const struct snapshot_router *router, int64_t reason)
{
    notice->bind_count = 0;
    notice->router = *router;
    notice->router.proto_error = reason;
    set_oid(&notice->trap, vrrpv3_proto_error, ARRAY_LENGTH(vrrpv3_proto_error));
    bind(notice, "vrrpv3StatisticsProtoErrReason", &notice->router);
}

/* The row that stands for an interface: this host's member router there, else any of a pool; instances count for
 * themselves. */
static const struct snapshot_router *router_on(const struct snapshot *snapshot, int64_t ifindex)
{
    const struct snapshot_router *found = NULL;

    for (unsigned i = 0; i < snapshot->router_count; i++) {
        const struct snapshot_router *router = &snapshot->routers[i];

        if (router->ifindex == ifindex && router->version == 3 && router->pool != NULL &&
            (found == NULL || router->is_member))
            found = router;
    }
    return found;
}

static int64_t refused_more(const struct snapshot_link *before, const struct snapshot_link *now, const char *reason)
{
    for (unsigned i = 0; i < snapshot_refusal_count; i++) {
        if (strcmp(snapshot_refusals[i], reason) == 0)
            return now->refused[i] - before->refused[i];
    }
    return 0;
}

/* The reason that is new; of several the one that the last refused packet had. */
static int64_t link_error(const struct snapshot_link *before, const struct snapshot_link *now)
{
    static const struct snmp_label reasons[] = {{SNMP_PROTO_TTL, "bad_ttl", NULL},
                                                {SNMP_PROTO_VERSION, "bad_version", NULL},
                                                {SNMP_PROTO_CHECKSUM, "bad_checksum", NULL},
                                                {0, NULL, NULL}};
    int64_t found = SNMP_PROTO_NONE;

    for (const struct snmp_label *reason = reasons; reason->word != NULL; reason++) {
        if (refused_more(before, now, reason->word) > 0 && found != now->proto_error)
            found = reason->value;
    }
    return found;
}

static const struct snapshot_link *same_link(const struct snapshot *snapshot, const char *name)
{
    for (unsigned i = 0; i < snapshot->link_count; i++) {
        if (strcmp(snapshot->links[i].name, name) == 0)
            return &snapshot->links[i];
    }
    return NULL;
}

static void auth_failure(struct snmp_notice *notice, const struct addr *source, enum auth_error error)
{
    static const uint8_t nobody[4];

    notice->packet_source = *source;
    notice->bind_count = 2;
    set_oid(&notice->trap, vrrp_auth_failure, ARRAY_LENGTH(vrrp_auth_failure));
    set_oid(&notice->binds[0].oid, vrrp_packet_source, ARRAY_LENGTH(vrrp_packet_source));
    notice->binds[0].value =
        (struct snmp_value){.type = SNMP_IPADDRESS,
                            .bytes = source->family == FAMILY_IPV4 ? notice->packet_source.bytes : nobody,
                            .length = sizeof(nobody)};
    set_oid(&notice->binds[1].oid, vrrp_auth_error, ARRAY_LENGTH(vrrp_auth_error));
    notice->binds[1].value = (struct snmp_value){.type = SNMP_INTEGER, .number = error};
}

/* An instance's counters are its own. Returns how many notices were made: 0 or 1. */
static unsigned instance_errors(const struct snapshot_router *old, const struct snapshot_router *now,
                                struct snmp_notice *out)
{
    int64_t reason = now->ttl_errors > old->ttl_errors             ? SNMP_PROTO_TTL
                     : now->version_errors > old->version_errors   ? SNMP_PROTO_VERSION
                     : now->checksum_errors > old->checksum_errors ? SNMP_PROTO_CHECKSUM
                                                                   : SNMP_PROTO_NONE;

    if (now->version == 3 && reason != SNMP_PROTO_NONE) {
        proto_error(out, now, reason);
        return 1;
    }
    if (now->version != 2)
        return 0;
    if (now->auth_failures > old->auth_failures)
        auth_failure(out, &now->refused_from, AUTH_FAILURE);
    else if (now->auth_type_errors > old->auth_type_errors)
        auth_failure(out, &now->refused_from, AUTH_TYPE_MISMATCH);
    else if (now->auth_invalid_errors > old->auth_invalid_errors)
        auth_failure(out, &now->refused_from, AUTH_INVALID_TYPE);
    else
        return 0;
    return 1;
}

static unsigned unit_errors(const struct snapshot *snapshot, const struct snapshot_unit *old,
                            const struct snapshot_unit *now, struct snmp_notice *out)
{
    const struct snapshot_router *router = snapshot_find_router(snapshot, now->pool->name, now->vrid);

    if (router != NULL && router->version == 3 && now->version_mismatch > old->version_mismatch)
        proto_error(out, router, SNMP_PROTO_VERSION);
    else if (router != NULL && router->version == 2 && now->auth_mismatch > old->auth_mismatch)
        auth_failure(out, &now->differs_from, AUTH_TYPE_MISMATCH);
    else
        return 0;
    return 1;
}

unsigned snmp_notices_from_errors(const struct snapshot *before, const struct snapshot *now,
                                  struct snmp_notice out[static SNMP_PROTO_NOTICES_MAX])
{
    unsigned count = 0;

    if (now->global.uptime_cs < before->global.uptime_cs)
        return 0;
    for (unsigned i = 0; i < now->link_count && count < SNMP_PROTO_NOTICES_MAX; i++) {
        const struct snapshot_link *link = &now->links[i], *old = same_link(before, link->name);
        const struct snapshot_router *router = router_on(now, link->ifindex);
        int64_t reason = old != NULL ? link_error(old, link) : SNMP_PROTO_NONE;

        if (reason != SNMP_PROTO_NONE && router != NULL)
            proto_error(&out[count++], router, reason);
    }
    for (unsigned i = 0; i < now->unit_count && count < SNMP_PROTO_NOTICES_MAX; i++) {
        const struct snapshot_unit *unit = &now->units[i];
        const struct snapshot_unit *old = snapshot_find_unit(before, unit->pool->name, unit->vrid);

        if (old != NULL)
            count += unit_errors(now, old, unit, &out[count]);
    }
    for (unsigned i = 0; i < now->router_count && count < SNMP_PROTO_NOTICES_MAX; i++) {
        const struct snapshot_router *router = &now->routers[i];
        const struct snapshot_router *old =
            router->pool == NULL ? snapshot_find_instance(before, router->instance) : NULL;

        if (old != NULL)
            count += instance_errors(old, router, &out[count]);
    }
    return count;
}
