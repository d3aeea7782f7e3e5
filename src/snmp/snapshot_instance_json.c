/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances of the `snmp` answer -> rows of virtual routers. They count their refusals themselves, so that every column
 * is the router's own. Called by snapshot_json.c.
 */
#include <stdio.h>
#include <string.h>

#include "snmp/snapshot_fields_json.h"

static const struct snmp_label states[] = {
    {SNMP_ROUTER_INITIALIZE, "Initialize", NULL}, {SNMP_ROUTER_INITIALIZE, "Fault", NULL},
    {SNMP_ROUTER_INITIALIZE, "Stopped", NULL},    {SNMP_ROUTER_BACKUP, "Backup", NULL},
    {SNMP_ROUTER_MASTER, "Active", NULL},         {0, NULL, NULL},
};

static const struct snmp_label proto_errors[] = {
    {SNMP_PROTO_TTL, "ttl", NULL},
    {SNMP_PROTO_VERSION, "version", NULL},
    {SNMP_PROTO_CHECKSUM, "checksum", NULL},
    {0, NULL, NULL},
};

static void read_mac(const json_t *object, uint8_t mac[static 6])
{
    const char *text = json_string_value(json_object_get(object, "mac"));
    unsigned byte[6];

    if (text == NULL ||
        sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5]) != 6)
        return;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
}

static void read_counters(const json_t *counters, struct snapshot_router *r)
{
    const json_t *refused = json_object_get(counters, "refused");

    r->became_active = get_number(counters, "became_active");
    r->active_reason = r->became_active > 0 ? get_word(counters, "last_active_reason", snapshot_active_reasons) : 0;
    r->adverts_received = get_number(counters, "adverts_received");
    r->zero_received = get_number(counters, "zero_received");
    r->zero_sent = get_number(counters, "zero_sent");
    r->interval_errors = get_number(counters, "interval_differs") + get_number(refused, "interval");
    r->list_errors = get_number(counters, "address_list_differs") + get_number(refused, "no_addresses");
    r->ttl_errors = get_number(refused, "ttl");
    r->version_errors = get_number(refused, "version");
    r->checksum_errors = get_number(refused, "checksum");
    r->type_errors = get_number(refused, "type");
    r->length_errors = get_number(refused, "length");
    r->auth_invalid_errors = get_number(refused, "auth_invalid");
    r->auth_type_errors = get_number(refused, "auth_mismatch");
    r->auth_failures = get_number(refused, "auth_failure");
    r->proto_error = get_word(counters, "last_protocol_error", proto_errors);
}

static void read_operation(const json_t *object, const struct snapshot *s, struct snapshot_router *r)
{
    struct addr primary = get_address(object, "address"), holder = get_address(object, "holder");

    get_text(object, "name", r->instance);
    r->version = get_number(object, "version");
    r->state = get_word(object, "state", states);
    r->primary = of_family(&primary, r->family);
    r->master = r->state == SNMP_ROUTER_MASTER ? r->primary : of_family(&holder, r->family);
    r->admin_state = 1;
    r->priority = get_number(object, "priority");
    r->advert_interval_cs = get_number(object, "advert_interval_cs");
    r->advert_interval_s = r->advert_interval_cs / 100;
    r->preempt = get_truth(object, "preempt");
    r->accept = get_truth(object, "accept");
    r->row_status = 1;
    r->auth_type = get_number(object, "auth_type") + 1;
    r->protocol = 1;
    r->refresh_ms = SNAPSHOT_REFRESH_MS;
    r->discontinuity = get_stamp(object, "counting_cs");
    r->up_since = r->state == SNMP_ROUTER_INITIALIZE ? -1 : get_stamp(object, "running_cs");
    r->up_cs = r->up_since >= 0 ? s->global.uptime_cs - r->up_since : 0;
    r->refused_from = get_address(object, "refused_from");
    read_mac(object, r->mac);
}

void read_instance(const json_t *object, struct snapshot *s)
{
    const struct snapshot_link *link = find_link(s, json_string_value(json_object_get(object, "interface")));
    const char *family_name = json_string_value(json_object_get(object, "family"));
    int64_t family = family_name != NULL && strcmp(family_name, "ipv6") == 0 ? SNMP_IPV6 : SNMP_IPV4;

    if (link->ifindex == 0)
        return;
    struct snapshot_router *r = &s->routers[s->router_count++];

    *r = (struct snapshot_router){.ifindex = link->ifindex, .vrid = get_number(object, "vrid"), .family = family};
    read_operation(object, s, r);
    read_counters(json_object_get(object, "counters"), r);
    add_advertised(s, r, json_object_get(object, "advertised"));
}
