/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See instances.h. Called by cmd_status.c and cmd_show.c. */
#include "ctl/instances.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "ctl/table.h"

static const struct column instance_columns[] = {
    {"INSTANCE", "name", CELL_TEXT, true},         {"STATE", "state", CELL_TEXT, true},
    {"PRIORITY", "priority", CELL_NUMBER, true},   {"VRID", "vrid", CELL_NUMBER, true},
    {"INTERFACE", "interface", CELL_TEXT, true},   {"HOLDER", "holder", CELL_TEXT, true},
    {"SINCE", "since", CELL_SINCE, true},          {"GROUP", "group", CELL_TEXT, true},
    {"ADDRESSES", "addresses", CELL_LIST, true},   {"WANT", "want", CELL_TEXT, false},
    {"BASE", "base_priority", CELL_NUMBER, false}, {"WEIGHT", "weight", CELL_NUMBER, false},
    {"VERSION", "version", CELL_NUMBER, false},    {"FAMILY", "family", CELL_TEXT, false},
    {"ADDRESS", "address", CELL_TEXT, false},      {"TRANSPORT", "transport", CELL_TEXT, false},
    {"REASON", "reason", CELL_TEXT, false},        {"HOLDER-PRIORITY", "holder_priority", CELL_NUMBER, false},
    {"LEVEL", "level_done", CELL_TEXT, false},     {"FILTER", "filter", CELL_TEXT, false},
    {"VMAC", "virtual_mac", CELL_TEXT, false},     {"FAULTS", "faults", CELL_LIST, false},
};

static enum colour instance_colour(const json_t *instance)
{
    const char *state = reply_text(instance, "state");

    if (strcmp(state, "Fault") == 0)
        return COLOUR_RED;
    return strcmp(state, "Active") == 0 ? COLOUR_GREEN : COLOUR_NONE;
}

void instances_heading(FILE *out, const struct ctl *ctl, const json_t *answer)
{
    static const char *const states[] = {"Active", "Backup", "Fault", "Initialize", "Stopped"};
    const json_t *instances = reply_get(answer, "instances");
    const char *separator = ": ";
    char uptime[REPLY_DURATION_MAX];
    json_t *instance;
    size_t i;

    if (json_array_size(instances) == 0)
        return;
    if (json_array_size(reply_get(answer, "pools")) > 0)
        fputc('\n', out);
    fprintf(out, "%sinstances%s", term_begin(&ctl->term, COLOUR_BOLD), term_end(&ctl->term, COLOUR_BOLD));
    for (size_t s = 0; s < ARRAY_LENGTH(states); s++) {
        unsigned count = 0;

        json_array_foreach(instances, i, instance) count += strcmp(reply_text(instance, "state"), states[s]) == 0;
        if (count > 0)
            fprintf(out, "%s%u %s", separator, count, states[s]);
        separator = count > 0 ? ", " : separator;
    }
    fprintf(out, ", up %s\n", reply_duration((double)reply_int(reply_get(answer, "daemon"), "uptime_s"), uptime));
}

bool instances_have_columns(const struct ctl *ctl)
{
    return table_has_columns(instance_columns, ARRAY_LENGTH(instance_columns), ctl->columns);
}

/* Adds those that are in Fault, or those that are not, while there is room. */
static void add_rows(struct table *table, const json_t *answer, bool in_fault, unsigned *room)
{
    json_t *instance;
    size_t i;

    json_array_foreach(reply_get(answer, "instances"), i, instance)
    {
        if ((strcmp(reply_text(instance, "state"), "Fault") == 0) != in_fault || *room == 0)
            continue;
        table_add(table, answer, "", instance, instance_colour(instance));
        (*room)--;
    }
}

int instances_show(FILE *out, const struct ctl *ctl, const json_t *answer, unsigned most)
{
    const json_t *instances = reply_get(answer, "instances");
    unsigned count = (unsigned)json_array_size(instances), room = count > most ? most - 1 : count;
    struct table *table;
    json_t *instance;
    size_t i;
    int code;

    if (count == 0)
        return EX_OK;
    table = table_new(ctl, instance_columns, ARRAY_LENGTH(instance_columns), &code);
    if (table == NULL)
        return code;
    if (count <= most) {
        json_array_foreach(instances, i, instance) table_add(table, answer, "", instance, instance_colour(instance));
        return table_print_to(table, out);
    }
    add_rows(table, answer, true, &room);
    add_rows(table, answer, false, &room);
    code = table_print_to(table, out);
    fprintf(out, "and %u more: keelctl list\n", count - (most - 1));
    return code;
}
