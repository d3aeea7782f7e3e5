/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot x object table -> sorted instances. All of them are made at once: a whole walk costs one pass and one sort,
 * a GETNEXT one binary search.
 */
#include "snmp/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* The rows of a table: where they stand, how many, how large. */
struct row_list {
    const void *first;
    unsigned count;
    size_t size;
};

static unsigned count_version2(const struct snapshot *s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < s->router_count; i++)
        count += s->routers[i].version == 2;
    return count;
}

static struct row_list rows_of(const struct snapshot *s, enum snmp_rows rows)
{
    switch (rows) {
    case SNMP_ROWS_GLOBAL:
        return (struct row_list){&s->global, 1, sizeof(s->global)};
    case SNMP_ROWS_GLOBAL2:
        return (struct row_list){&s->global, count_version2(s) > 0, sizeof(s->global)};
    case SNMP_ROWS_LINK:
        return (struct row_list){s->links, s->link_count, sizeof(s->links[0])};
    case SNMP_ROWS_POOL:
        return (struct row_list){s->pools, s->pool_count, sizeof(s->pools[0])};
    case SNMP_ROWS_MEMBER:
        return (struct row_list){s->members, s->member_count, sizeof(s->members[0])};
    case SNMP_ROWS_UNIT:
        return (struct row_list){s->units, s->unit_count, sizeof(s->units[0])};
    case SNMP_ROWS_VIP:
        return (struct row_list){s->vips, s->vip_count, sizeof(s->vips[0])};
    case SNMP_ROWS_ROUTER2:
    case SNMP_ROWS_ROUTER3:
        return (struct row_list){s->routers, s->router_count, sizeof(s->routers[0])};
    case SNMP_ROWS_ADDRESS2:
    case SNMP_ROWS_ADDRESS3:
        return (struct row_list){s->addresses, s->address_count, sizeof(s->addresses[0])};
    }
    return (struct row_list){NULL, 0, 0};
}

/* Is the row in this table at all: routers of one version are in one MIB, and who has no address yet has no row by it.
 */
static bool row_belongs(enum snmp_rows rows, const void *row)
{
    switch (rows) {
    case SNMP_ROWS_ROUTER2:
        return ((const struct snapshot_router *)row)->version == 2;
    case SNMP_ROWS_ROUTER3:
        return ((const struct snapshot_router *)row)->version == 3;
    case SNMP_ROWS_ADDRESS2:
        return ((const struct snapshot_address *)row)->router->version == 2;
    case SNMP_ROWS_ADDRESS3:
        return ((const struct snapshot_address *)row)->router->version == 3;
    case SNMP_ROWS_MEMBER:
        return !addr_is_none(&((const struct snapshot_member *)row)->address);
    case SNMP_ROWS_GLOBAL:
    case SNMP_ROWS_GLOBAL2:
    case SNMP_ROWS_LINK:
    case SNMP_ROWS_POOL:
    case SNMP_ROWS_UNIT:
    case SNMP_ROWS_VIP:
        return true;
    }
    return false;
}

void snmp_instance_oid(const struct snmp_table *table, const struct snmp_column *column, const void *row,
                       struct snmp_oid *out)
{
    struct snmp_part parts[SNMP_INDEX_PARTS_MAX];
    unsigned count = snmp_row_index(table->rows, row, parts);

    memcpy(out->arcs, table->entry, table->entry_length * sizeof(out->arcs[0]));
    out->arcs[table->entry_length] = column->arc;
    out->length = snmp_index_arcs(parts, count, out->arcs, table->entry_length + 1);
}

/* Where the instances go; without room for them (`model` NULL) they are only counted. */
struct sink {
    struct snmp_model *model;
    size_t entries, arcs;
};

static void add_row(struct sink *sink, const struct snmp_table *table, const void *row)
{
    struct snmp_oid oid;

    snmp_instance_oid(table, &table->columns[0], row, &oid);
    for (unsigned c = 0; c < table->column_count; c++) {
        if (sink->model != NULL) {
            uint32_t *arcs = sink->model->arcs + sink->arcs;

            memcpy(arcs, oid.arcs, oid.length * sizeof(arcs[0]));
            arcs[table->entry_length] = table->columns[c].arc;
            sink->model->entries[sink->entries] = (struct snmp_entry){
                .arcs = arcs, .length = oid.length, .table = table, .column = &table->columns[c], .row = row};
        }
        sink->entries++;
        sink->arcs += oid.length;
    }
}

static void add_all(struct sink *sink, const struct snapshot *snapshot)
{
    for (unsigned m = 0; m < SNMP_MODULE_COUNT; m++) {
        for (unsigned t = 0; t < snmp_modules[m]->table_count; t++) {
            const struct snmp_table *table = &snmp_modules[m]->tables[t];
            struct row_list list = rows_of(snapshot, table->rows);

            for (unsigned r = 0; r < list.count; r++) {
                const void *row = (const char *)list.first + r * list.size;

                if (row_belongs(table->rows, row))
                    add_row(sink, table, row);
            }
        }
    }
}

int snmp_arcs_compare(const uint32_t *a, unsigned a_length, const uint32_t *b, unsigned b_length)
{
    for (unsigned i = 0; i < a_length && i < b_length; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return a_length == b_length ? 0 : a_length < b_length ? -1 : 1;
}

bool snmp_arcs_are_under(const uint32_t *oid, unsigned length, const uint32_t *root, unsigned root_length)
{
    return length >= root_length && snmp_arcs_compare(oid, root_length, root, root_length) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct snmp_entry *x = a, *y = b;
    int order = snmp_arcs_compare(x->arcs, x->length, y->arcs, y->length);

    /* Of two with one OID the one whose row was read first stays. */
    return order != 0 ? order : x->row < y->row ? -1 : x->row > y->row;
}

/* Two pools on one interface may have a member router with the same VRID: a table has one row for it. */
static void remove_doubles(struct snmp_model *model)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < model->count; i++) {
        const struct snmp_entry *entry = &model->entries[i], *last = &model->entries[kept > 0 ? kept - 1 : 0];

        if (kept == 0 || snmp_arcs_compare(last->arcs, last->length, entry->arcs, entry->length) != 0)
            model->entries[kept++] = *entry;
    }
    model->count = kept;
}

struct snmp_model *snmp_model_new(const struct snapshot *snapshot, int64_t start_cs)
{
    struct sink counted = {.model = NULL}, filled = {.model = NULL};
    struct snmp_model *model = calloc(1, sizeof(*model));

    if (model == NULL)
        return NULL;
    add_all(&counted, snapshot);
    *model = (struct snmp_model){
        .snapshot = snapshot,
        .entries = calloc(counted.entries + 1, sizeof(model->entries[0])),
        .arcs = calloc(counted.arcs + 1, sizeof(model->arcs[0])),
        .count = (unsigned)counted.entries,
        .start_cs = start_cs,
    };
    if (model->entries == NULL || model->arcs == NULL) {
        snmp_model_free(model);
        return NULL;
    }
    filled.model = model;
    add_all(&filled, snapshot);
    CHECK(filled.entries == counted.entries && filled.arcs == counted.arcs);
    qsort(model->entries, model->count, sizeof(model->entries[0]), compare_entries);
    remove_doubles(model);
    return model;
}

void snmp_model_free(struct snmp_model *model)
{
    if (model == NULL)
        return;
    free(model->entries);
    free(model->arcs);
    free(model);
}

unsigned snmp_model_lower_bound(const struct snmp_model *model, const uint32_t *arcs, unsigned length)
{
    unsigned low = 0, high = model->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const struct snmp_entry *entry = &model->entries[middle];

        if (snmp_arcs_compare(entry->arcs, entry->length, arcs, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct snmp_entry *snmp_model_get(const struct snmp_model *model, const uint32_t *arcs, unsigned length)
{
    unsigned i = snmp_model_lower_bound(model, arcs, length);
    const struct snmp_entry *entry = &model->entries[i];

    return i < model->count && snmp_arcs_compare(entry->arcs, entry->length, arcs, length) == 0 ? entry : NULL;
}

static int64_t number_at(const void *field)
{
    int64_t number;

    memcpy(&number, field, sizeof(number));
    return number;
}

/* A stamp since the daemon's start, as sysUpTime: 0 for never, and for what was before the agent. */
static int64_t stamp_ticks(int64_t stamp, int64_t start_cs)
{
    return stamp < 0 || stamp + start_cs < 0 ? 0 : (int64_t)(uint32_t)(stamp + start_cs);
}

static struct snmp_value bytes_value(enum snmp_type type, const void *bytes, size_t length)
{
    return (struct snmp_value){.type = (uint8_t)type, .bytes = bytes, .length = length};
}

struct snmp_value snmp_column_value(const struct snmp_column *column, const void *row, int64_t start_cs)
{
    static const uint8_t no_address[4] = {0};
    const void *field = (const char *)row + column->offset;
    const struct addr *address = field;
    enum snmp_type type = (enum snmp_type)column->type;

    switch (type) {
    case SNMP_INTEGER:
        return (struct snmp_value){.type = column->type, .number = (int32_t)number_at(field)};
    case SNMP_UNSIGNED:
    case SNMP_COUNTER32:
    case SNMP_TICKS:
        return (struct snmp_value){.type = column->type, .number = (uint32_t)number_at(field)};
    case SNMP_COUNTER64:
        return (struct snmp_value){.type = column->type, .number = number_at(field)};
    case SNMP_STAMP:
        return (struct snmp_value){.type = SNMP_TICKS, .number = stamp_ticks(number_at(field), start_cs)};
    case SNMP_IPADDRESS:
        return bytes_value(type, address->family == FAMILY_IPV4 ? address->bytes : no_address, 4);
    case SNMP_INET:
        return bytes_value(type, address->bytes, addr_length(address));
    case SNMP_MAC:
        return bytes_value(type, field, 6);
    case SNMP_TEXT:
        return bytes_value(type, field, strlen(field));
    case SNMP_SECRET:
        return bytes_value(type, "", 0);
    }
    return bytes_value(SNMP_SECRET, "", 0);
}

struct snmp_value snmp_model_value(const struct snmp_model *model, const struct snmp_entry *entry)
{
    return snmp_column_value(entry->column, entry->row, model->start_cs);
}
