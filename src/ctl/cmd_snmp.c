/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl snmp: what evenkeel-snmp serves, walked without any SNMP: src/snmp's model over one answer of the daemon. */
#include <stdio.h>
#include <sysexits.h>

#include "ctl/client.h"
#include "snmp/format.h"

struct walk {
    const struct ctl *ctl;
    const struct snmp_model *model;
    struct snmp_oid root;
    bool everything; /* no OID was given: all modules */
};

static bool is_wanted(const struct walk *walk, const struct snmp_entry *entry)
{
    return walk->everything || snmp_arcs_are_under(entry->arcs, entry->length, walk->root.arcs, walk->root.length);
}

static void print_entry(const struct walk *walk, const struct snmp_entry *entry)
{
    struct snmp_value value = snmp_model_value(walk->model, entry);
    char name[SNMP_LINE_MAX], text[SNMP_LINE_MAX];

    printf("%s = %s\n",
           walk->ctl->names ? snmp_format_name(entry, name) : snmp_format_oid(entry->arcs, entry->length, name),
           snmp_format_value(entry->column, &value, walk->ctl->names, text));
}

static json_t *value_json(const struct snmp_value *value)
{
    char hex[2 * SNAPSHOT_NAME_MAX + 1] = "";

    if (value->bytes == NULL)
        return json_integer(value->number);
    if (value->type == SNMP_TEXT)
        return json_stringn((const char *)value->bytes, value->length);
    if (value->type == SNMP_IPADDRESS)
        return json_sprintf("%u.%u.%u.%u", value->bytes[0], value->bytes[1], value->bytes[2], value->bytes[3]);
    for (size_t i = 0; i < value->length; i++)
        snprintf(hex + 2 * i, 3, "%02x", value->bytes[i]);
    return json_string(hex);
}

static json_t *entry_json(const struct walk *walk, const struct snmp_entry *entry)
{
    struct snmp_value value = snmp_model_value(walk->model, entry);
    char oid[SNMP_LINE_MAX], name[SNMP_LINE_MAX];
    const char *label = entry->column->labels != NULL ? snmp_label_text(entry->column->labels, value.number) : NULL;

    return json_pack("{s:s, s:s, s:s, s:s?, s:o}", "oid", snmp_format_oid(entry->arcs, entry->length, oid), "name",
                     snmp_format_name(entry, name), "syntax", snmp_format_syntax(&value), "label", label, "value",
                     value_json(&value));
}

static int print_json(const struct walk *walk, const json_t *answer)
{
    json_t *objects = json_array();

    for (unsigned i = 0; i < walk->model->count; i++) {
        if (is_wanted(walk, &walk->model->entries[i]))
            json_array_append_new(objects, entry_json(walk, &walk->model->entries[i]));
    }
    json_t *out = json_pack("{s:s, s:s, s:o}", "schema", reply_text(answer, "schema"), "time",
                            reply_text(answer, "time"), "objects", objects);
    int code = out != NULL ? client_print(out) : EX_OSERR;

    json_decref(out);
    return code;
}

/* As snmpwalk of version 2c says it. */
static int print_lines(const struct walk *walk)
{
    char oid[SNMP_LINE_MAX];
    unsigned found = 0;

    for (unsigned i = 0; i < walk->model->count; i++) {
        if (is_wanted(walk, &walk->model->entries[i])) {
            print_entry(walk, &walk->model->entries[i]);
            found++;
        }
    }
    if (found == 0)
        printf("%s = No Such Object available on this agent at this OID\n",
               snmp_format_oid(walk->root.arcs, walk->root.length, oid));
    return EX_OK;
}

static int show_walk(struct walk *walk, const json_t *answer)
{
    struct snapshot *snapshot = snapshot_from_json(answer);
    struct snmp_model *model = snapshot != NULL ? snmp_model_new(snapshot, 0) : NULL;
    int code = EX_PROTOCOL;

    walk->model = model;
    if (model != NULL)
        code = walk->ctl->json ? print_json(walk, answer) : print_lines(walk);
    else
        ctl_complain("the daemon's answer is not one that SNMP tables can be made of");
    snmp_model_free(model);
    snapshot_free(snapshot);
    return code;
}

int snmp_command(const struct ctl *ctl, int argc, char **argv)
{
    struct walk walk = {.ctl = ctl, .everything = argc == 0};
    json_t *answer;

    if (argc > 0 && !snmp_read_oid(argv[0], &walk.root)) {
        ctl_complain("'%s' is no OID (.1.3.6.1.2.1.207), module (EVENKEEL-MIB) or object (ekUnitHolder) known here",
                     argv[0]);
        return EX_USAGE;
    }
    int code = client_ask_all_pools(ctl, "snmp", &answer);

    if (code == EX_OK)
        code = show_walk(&walk, answer);
    json_decref(answer);
    return code;
}
