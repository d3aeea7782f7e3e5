/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the modules' tables share: enumerations, indices, and finding a column by its name. */
#include "snmp/object.h"

#include <string.h>

#include "base/check.h"

const struct snmp_module *const snmp_modules[SNMP_MODULE_COUNT] = {&snmp_vrrp, &snmp_vrrpv3, &snmp_evenkeel};

const struct snmp_label snmp_truth[] = {{SNMP_TRUE, "true", NULL}, {SNMP_FALSE, "false", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_row_status[] = {{1, "active", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_family[] = {
    {0, "unknown", NULL}, {SNMP_IPV4, "ipv4", NULL}, {SNMP_IPV6, "ipv6", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_router_states[] = {{SNMP_ROUTER_INITIALIZE, "Initialize", "initialize"},
                                                {SNMP_ROUTER_BACKUP, "Backup", "backup"},
                                                {SNMP_ROUTER_MASTER, "Active", "master"},
                                                {0, NULL, NULL}};
const struct snmp_label snmp_unit_levels[] = {
    {1, "absent", NULL}, {2, "ready", NULL}, {3, "answering", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_holder_kinds[] = {
    {1, "none", NULL}, {2, "self", NULL}, {3, "member", NULL}, {4, "stranger", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_member_states[] = {
    {1, "active", NULL}, {2, "reserve", NULL}, {3, "dead", NULL}, {4, "left", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_isolations[] = {
    {1, "none", NULL}, {2, "probing", NULL}, {3, "deaf", NULL}, {4, "mute", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_filters[] = {
    {0, "unknown", NULL}, {1, "off", NULL}, {2, "on", NULL}, {3, "lease", NULL}, {0, NULL, NULL}};
const struct snmp_label snmp_reasons[] = {
    {0, "unknown", NULL},
    {1, "none", NULL},
    {2, "startup", NULL},
    {3, "timeout", NULL},
    {4, "member_dead", "memberDead"},
    {5, "released", NULL},
    {6, "stronger", NULL},
    {7, "preempted", NULL},
    {8, "rebalance", NULL},
    {9, "preferred", NULL},
    {10, "operator", NULL},
    {11, "drain", NULL},
    {12, "shutdown", NULL},
    {13, "link_down", "linkDown"},
    {14, "no_address", "noAddress"},
    {15, "stall", NULL},
    {16, "isolated", NULL},
    {17, "one_way", "oneWay"},
    {18, "kernel", NULL},
    {19, "heard", NULL},
    {20, "tracked", NULL},
    {21, "group", NULL},
    {0, NULL, NULL},
};

int snmp_label_value(const struct snmp_label *labels, const char *word)
{
    for (; word != NULL && labels->word != NULL; labels++) {
        if (strcmp(labels->word, word) == 0)
            return labels->value;
    }
    return 0;
}

const char *snmp_label_text(const struct snmp_label *labels, int64_t value)
{
    for (; labels->word != NULL; labels++) {
        if (labels->value == value)
            return labels->label != NULL ? labels->label : labels->word;
    }
    return NULL;
}

static struct snmp_part part_number(int64_t number)
{
    return (struct snmp_part){.kind = SNMP_PART_NUMBER, .number = number};
}

static struct snmp_part part_family(int64_t family)
{
    return (struct snmp_part){.kind = SNMP_PART_FAMILY, .number = family};
}

static struct snmp_part part_text(const char *text)
{
    return (struct snmp_part){.kind = SNMP_PART_TEXT, .text = text};
}

static struct snmp_part part_address(enum snmp_part_kind kind, const struct addr *address)
{
    return (struct snmp_part){.kind = kind, .address = address};
}

static int64_t type_of(const struct addr *address)
{
    return address->family == FAMILY_IPV6 ? SNMP_IPV6 : SNMP_IPV4;
}

static unsigned router_index(const struct snapshot_router *router, bool family,
                             struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    parts[0] = part_number(router->ifindex);
    parts[1] = part_number(router->vrid);
    if (!family)
        return 2;
    parts[2] = part_family(router->family);
    return 3;
}

static unsigned address_index(const struct snapshot_address *row, bool family,
                              struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    unsigned count = router_index(row->router, family, parts);

    parts[count] = part_address(family ? SNMP_PART_OCTETS : SNMP_PART_IPV4, &row->address);
    return count + 1;
}

static unsigned member_index(const struct snapshot_member *row, struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    parts[0] = part_text(row->pool->name);
    parts[1] = part_family(type_of(&row->address));
    parts[2] = part_address(SNMP_PART_INET, &row->address);
    return 3;
}

static unsigned vip_index(const struct snapshot_vip *row, struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    parts[0] = part_text(row->pool->name);
    parts[1] = part_number(row->vrid);
    parts[2] = part_family(type_of(&row->address));
    parts[3] = part_address(SNMP_PART_INET, &row->address);
    return 4;
}

static unsigned unit_index(const struct snapshot_unit *row, struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    parts[0] = part_text(row->pool->name);
    parts[1] = part_number(row->vrid);
    return 2;
}

unsigned snmp_row_index(enum snmp_rows rows, const void *row, struct snmp_part parts[static SNMP_INDEX_PARTS_MAX])
{
    switch (rows) {
    case SNMP_ROWS_GLOBAL:
    case SNMP_ROWS_GLOBAL2:
        return 0;
    case SNMP_ROWS_LINK:
        parts[0] = part_text(((const struct snapshot_link *)row)->name);
        return 1;
    case SNMP_ROWS_POOL:
        parts[0] = part_text(((const struct snapshot_pool *)row)->name);
        return 1;
    case SNMP_ROWS_MEMBER:
        return member_index(row, parts);
    case SNMP_ROWS_UNIT:
        return unit_index(row, parts);
    case SNMP_ROWS_VIP:
        return vip_index(row, parts);
    case SNMP_ROWS_ROUTER3:
        return router_index(row, true, parts);
    case SNMP_ROWS_ADDRESS3:
        return address_index(row, true, parts);
    case SNMP_ROWS_ROUTER2:
        return router_index(row, false, parts);
    case SNMP_ROWS_ADDRESS2:
        return address_index(row, false, parts);
    }
    return 0;
}

static unsigned append_bytes(const uint8_t *bytes, size_t count, bool with_length, uint32_t *arcs, unsigned length)
{
    CHECK(length + count + 1 <= SNMP_OID_MAX); /* the longest index: a pool's name, a VRID and an IPv6 address */
    if (with_length)
        arcs[length++] = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        arcs[length++] = bytes[i];
    return length;
}

unsigned snmp_index_arcs(const struct snmp_part *parts, unsigned count, uint32_t *arcs, unsigned length)
{
    if (count == 0)
        arcs[length++] = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct snmp_part *part = &parts[i];

        switch (part->kind) {
        case SNMP_PART_NUMBER:
        case SNMP_PART_FAMILY:
            CHECK(length < SNMP_OID_MAX);
            arcs[length++] = (uint32_t)part->number;
            break;
        case SNMP_PART_TEXT:
            length = append_bytes((const uint8_t *)part->text, strlen(part->text), true, arcs, length);
            break;
        case SNMP_PART_INET:
        case SNMP_PART_OCTETS:
            length = append_bytes(part->address->bytes, addr_length(part->address), true, arcs, length);
            break;
        case SNMP_PART_IPV4:
            length = append_bytes(part->address->bytes, 4, false, arcs, length);
            break;
        }
    }
    return length;
}

const struct snmp_column *snmp_column_find(const char *name, const struct snmp_table **table)
{
    for (unsigned m = 0; m < SNMP_MODULE_COUNT; m++) {
        for (unsigned t = 0; t < snmp_modules[m]->table_count; t++) {
            *table = &snmp_modules[m]->tables[t];
            for (unsigned c = 0; c < (*table)->column_count; c++) {
                if (strcmp((*table)->columns[c].name, name) == 0)
                    return &(*table)->columns[c];
            }
        }
    }
    *table = NULL;
    return NULL;
}
