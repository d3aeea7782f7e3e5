/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net-snmp's text forms, as its snmplib/mib.c writes them. tests/lan/test_snmp.py holds both against each other, line
 * by line.
 */
#include "snmp/format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_LINE 16 /* bytes on one line of a Hex-STRING */

struct text {
    char *at;
    size_t room; /* with the NUL */
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What does not fit is left out; SNMP_LINE_MAX is long enough for everything that a snapshot can hold. */
static void put(struct text *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    int length = vsnprintf(text->at, text->room, format, list);

    va_end(list);
    if (length > 0 && (size_t)length < text->room) {
        text->at += length;
        text->room -= (size_t)length;
    }
}

const char *snmp_format_oid(const uint32_t *arcs, unsigned length, char text[static SNMP_LINE_MAX])
{
    struct text out = {text, SNMP_LINE_MAX};

    *text = '\0';
    for (unsigned i = 0; i < length; i++)
        put(&out, ".%" PRIu32, arcs[i]);
    return text;
}

static void put_inet(struct text *out, const struct addr *address)
{
    const char *separator = address->family == FAMILY_IPV6 ? ":" : ".";

    for (size_t i = 0; i < addr_length(address); i++) {
        put(out, "%s", i > 0 ? separator : "");
        if (address->family == FAMILY_IPV6)
            put(out, "%02x", address->bytes[i]);
        else
            put(out, "%u", address->bytes[i]);
    }
}

/* An index of octets: quoted, nothing escaped, a dot for what cannot be printed. */
static void put_octet_index(struct text *out, const uint8_t *bytes, size_t length)
{
    put(out, ".\"");
    for (size_t i = 0; i < length; i++)
        put(out, "%c", isprint(bytes[i]) ? bytes[i] : '.');
    put(out, "\"");
}

static void put_part(struct text *out, const struct snmp_part *part)
{
    const char *label;

    switch (part->kind) {
    case SNMP_PART_NUMBER:
        put(out, ".%" PRId64, part->number);
        return;
    case SNMP_PART_FAMILY:
        label = snmp_label_text(snmp_family, part->number);
        if (label != NULL)
            put(out, ".%s", label);
        else
            put(out, ".%" PRId64, part->number);
        return;
    case SNMP_PART_TEXT:
        put_octet_index(out, (const uint8_t *)part->text, strlen(part->text));
        return;
    case SNMP_PART_OCTETS:
        put_octet_index(out, part->address->bytes, addr_length(part->address));
        return;
    case SNMP_PART_INET:
        put(out, ".\"");
        put_inet(out, part->address);
        put(out, "\"");
        return;
    case SNMP_PART_IPV4:
        put(out, ".");
        put_inet(out, part->address);
        return;
    }
}

static const char *module_name(const struct snmp_table *table)
{
    for (unsigned m = 0; m < SNMP_MODULE_COUNT; m++) {
        if (table >= snmp_modules[m]->tables && table < snmp_modules[m]->tables + snmp_modules[m]->table_count)
            return snmp_modules[m]->name;
    }
    return "";
}

const char *snmp_format_name(const struct snmp_entry *entry, char text[static SNMP_LINE_MAX])
{
    struct snmp_part parts[SNMP_INDEX_PARTS_MAX];
    struct text out = {text, SNMP_LINE_MAX};
    unsigned count = snmp_row_index(entry->table->rows, entry->row, parts);

    put(&out, "%s::%s", module_name(entry->table), entry->column->name);
    if (count == 0)
        put(&out, ".0");
    for (unsigned i = 0; i < count; i++)
        put_part(&out, &parts[i]);
    return text;
}

static void put_ticks(struct text *out, int64_t ticks)
{
    int64_t days = ticks / 8640000, hours = ticks / 360000 % 24, minutes = ticks / 6000 % 60;

    put(out, "(%" PRId64 ") ", ticks);
    if (days > 0)
        put(out, days == 1 ? "%" PRId64 " day, " : "%" PRId64 " days, ", days);
    put(out, "%" PRId64 ":%02" PRId64 ":%02" PRId64 ".%02" PRId64, hours, minutes, ticks / 100 % 60, ticks % 100);
}

static bool is_printable(const struct snmp_value *value)
{
    for (size_t i = 0; i < value->length; i++) {
        if (!isprint(value->bytes[i]) && !isspace(value->bytes[i]))
            return false;
    }
    return true;
}

static void put_quoted(struct text *out, const struct snmp_value *value)
{
    put(out, "STRING: \"");
    for (size_t i = 0; i < value->length; i++)
        put(out, value->bytes[i] == '"' || value->bytes[i] == '\\' ? "\\%c" : "%c", value->bytes[i]);
    put(out, "\"");
}

static void put_hex(struct text *out, const struct snmp_value *value)
{
    put(out, "Hex-STRING: ");
    for (size_t i = 0; i < value->length; i++)
        put(out, "%s%02X ", i > 0 && i % HEX_LINE == 0 ? "\n" : "", value->bytes[i]);
}

/* Without knowing what it means: text if it looks like one. */
static void put_octets(struct text *out, const struct snmp_value *value)
{
    if (value->length == 0)
        put(out, "\"\"");
    else if (is_printable(value))
        put_quoted(out, value);
    else
        put_hex(out, value);
}

static void put_mac(struct text *out, const struct snmp_value *value)
{
    put(out, "STRING: ");
    for (size_t i = 0; i < value->length; i++)
        put(out, "%s%x", i > 0 ? ":" : "", value->bytes[i]);
}

static void put_integer(struct text *out, const struct snmp_column *column, const struct snmp_value *value, bool names)
{
    const char *label = names && column->labels != NULL ? snmp_label_text(column->labels, value->number) : NULL;

    if (label != NULL)
        put(out, "INTEGER: %s(%" PRId64 ")", label, value->number);
    else
        put(out, "INTEGER: %" PRId64, value->number);
}

const char *snmp_format_syntax(const struct snmp_value *value)
{
    switch ((enum snmp_type)value->type) {
    case SNMP_INTEGER:
        return "INTEGER";
    case SNMP_UNSIGNED:
        return "Gauge32";
    case SNMP_COUNTER32:
        return "Counter32";
    case SNMP_COUNTER64:
        return "Counter64";
    case SNMP_TICKS:
    case SNMP_STAMP:
        return "Timeticks";
    case SNMP_IPADDRESS:
        return "IpAddress";
    case SNMP_INET:
    case SNMP_MAC:
    case SNMP_TEXT:
    case SNMP_SECRET:
        return "STRING";
    }
    return "";
}

const char *snmp_format_value(const struct snmp_column *column, const struct snmp_value *value, bool names,
                              char text[static SNMP_LINE_MAX])
{
    struct text out = {text, SNMP_LINE_MAX};

    *text = '\0';
    switch ((enum snmp_type)value->type) {
    case SNMP_INTEGER:
        put_integer(&out, column, value, names);
        break;
    case SNMP_UNSIGNED:
    case SNMP_COUNTER32:
    case SNMP_COUNTER64:
        put(&out, "%s: %" PRIu64, snmp_format_syntax(value), (uint64_t)value->number);
        break;
    case SNMP_TICKS:
    case SNMP_STAMP:
        put(&out, "Timeticks: ");
        put_ticks(&out, value->number);
        break;
    case SNMP_IPADDRESS:
        put(&out, "IpAddress: %u.%u.%u.%u", value->bytes[0], value->bytes[1], value->bytes[2], value->bytes[3]);
        break;
    case SNMP_MAC:
        if (names)
            put_mac(&out, value);
        else
            put_octets(&out, value);
        break;
    case SNMP_TEXT:
        if (names)
            put(&out, "STRING: %.*s", (int)value->length, (const char *)value->bytes);
        else
            put_octets(&out, value);
        break;
    case SNMP_INET:
    case SNMP_SECRET:
        put_octets(&out, value);
        break;
    }
    if (names && column->units != NULL)
        put(&out, " %s", column->units);
    return text;
}

/* ".1.3.6" after `out->length` arcs that are there already; an empty text is nothing more. */
static bool read_arcs(const char *text, struct snmp_oid *out)
{
    while (*text != '\0') {
        char *end;

        if (*text == '.')
            text++;
        if (!isdigit((unsigned char)*text) || out->length == SNMP_OID_MAX)
            return false;
        unsigned long arc = strtoul(text, &end, 10);

        if (arc > UINT32_MAX || (*end != '\0' && *end != '.'))
            return false;
        out->arcs[out->length++] = (uint32_t)arc;
        text = end;
    }
    return true;
}

static bool read_module(const char *text, size_t length, struct snmp_oid *out)
{
    for (unsigned m = 0; m < SNMP_MODULE_COUNT; m++) {
        const struct snmp_module *module = snmp_modules[m];

        if (strlen(module->name) == length && strncmp(module->name, text, length) == 0) {
            memcpy(out->arcs, module->root, module->root_length * sizeof(out->arcs[0]));
            out->length = module->root_length;
            return true;
        }
    }
    return false;
}

bool snmp_read_oid(const char *text, struct snmp_oid *out)
{
    const char *colons = strstr(text, "::"), *name = colons != NULL ? colons + 2 : text;
    char column_name[SNAPSHOT_NAME_MAX];
    const struct snmp_table *table;

    out->length = 0;
    if (isdigit((unsigned char)*text) || *text == '.')
        return read_arcs(text, out) && out->length > 0;
    if (colons != NULL && !read_module(text, (size_t)(colons - text), out))
        return false;
    if (colons == NULL && read_module(text, strlen(text), out))
        return true;
    size_t length = strcspn(name, ".");

    snprintf(column_name, sizeof(column_name), "%.*s", length < sizeof(column_name) ? (int)length : 0, name);
    const struct snmp_column *column = snmp_column_find(column_name, &table);

    if (column == NULL ||
        (out->length > 0 && !snmp_arcs_are_under(table->entry, table->entry_length, out->arcs, out->length)))
        return false;
    memcpy(out->arcs, table->entry, table->entry_length * sizeof(out->arcs[0]));
    out->arcs[table->entry_length] = column->arc;
    out->length = table->entry_length + 1;
    return read_arcs(name + length, out);
}
