/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl members, list: the same facts as status, as tables with columns to choose. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "ctl/client.h"
#include "ctl/instances.h"
#include "ctl/table.h"

static const struct column member_columns[] = {
    {"POOL", "pool", CELL_TEXT, true},
    {"MEMBER", "address", CELL_MEMBER, true},
    {"ADDRESS", "address", CELL_TEXT, true},
    {"STATE", "state", CELL_TEXT, true},
    {"SHARE", "share", CELL_NUMBER, true},
    {"LOAD", "load", CELL_NUMBER, true},
    {"HEARD", "age_ms", CELL_AGE_MS, true},
    {"SINCE", "since", CELL_SINCE, true},
    {"SELF", "self", CELL_YES, true},
    {"VRID", "vrid", CELL_NUMBER, false},
    {"INTERVAL-MS", "interval_ms", CELL_NUMBER, false},
};

static const struct column unit_columns[] = {
    {"POOL", "pool", CELL_TEXT, true},
    {"VRID", "vrid", CELL_NUMBER, true},
    {"ADDRESSES", "addresses", CELL_LIST, true},
    {"HOLDER", "holder", CELL_MEMBER, true},
    {"KIND", "holder_kind", CELL_TEXT, true},
    {"SINCE", "since", CELL_SINCE, true},
    {"NEXT", "next", CELL_MEMBER, true},
    {"PINNED", "pinned", CELL_YES, true},
    {"STATE", "state", CELL_TEXT, false},
    {"PRIORITY", "priority", CELL_NUMBER, false},
    {"RANK", "rank", CELL_NUMBER, false},
    {"HOLDER-ADDRESS", "holder", CELL_TEXT, false},
    {"HOLDER-PRIORITY", "holder_priority", CELL_NUMBER, false},
    {"PLANNED", "planned", CELL_MEMBER, false},
    {"CONTESTED", "contested", CELL_YES, false},
    {"CONTENDER", "contender", CELL_TEXT, false},
    {"LEVEL", "level_done", CELL_TEXT, false},
};

static enum colour member_colour(const json_t *member)
{
    const char *state = reply_text(member, "state");

    if (strcmp(state, "dead") == 0)
        return COLOUR_RED;
    if (strcmp(state, "active") == 0)
        return COLOUR_NONE;
    return strcmp(state, "reserve") == 0 ? COLOUR_YELLOW : COLOUR_DIM;
}

static enum colour unit_colour(const json_t *unit)
{
    const char *kind = reply_text(unit, "holder_kind");

    if (strcmp(kind, "none") == 0 || reply_bool(unit, "contested"))
        return COLOUR_RED;
    return strcmp(kind, "stranger") == 0 ? COLOUR_YELLOW : COLOUR_NONE;
}

/* All rows of `key` in all pools, as one table. */
static int show_table(const struct ctl *ctl, const json_t *answer, const char *key, const struct column *columns,
                      unsigned count, enum colour (*colour)(const json_t *row))
{
    json_t *pool, *row;
    size_t i, j;
    int code;
    struct table *table = table_new(ctl, columns, count, &code);

    if (table == NULL)
        return code;
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        json_array_foreach(reply_get(pool, key), j, row)
            table_add(table, answer, reply_text(pool, "name"), row, colour(row));
    }
    return table_print(table);
}

int members_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = client_ask(ctl, client_request(ctl, "members"), &answer);

    (void)argc, (void)argv;
    if (code == EX_OK && ctl->json)
        code = client_print(answer);
    else if (code == EX_OK && json_array_size(reply_get(answer, "pools")) == 0)
        fputs("There is no pool, so there are no members: instances know others only by who is Active.\n", stderr);
    else if (code == EX_OK)
        code = show_table(ctl, answer, "members", member_columns, ARRAY_LENGTH(member_columns), member_colour);
    json_decref(answer);
    return code;
}

/* Columns that were asked for may be those of units, of instances or of both; of none, the complaint is the first's. */
static int show_list(const struct ctl *ctl, const json_t *answer)
{
    bool has_pools = json_array_size(reply_get(answer, "pools")) > 0;
    bool has_instances = json_array_size(reply_get(answer, "instances")) > 0;
    bool instances = has_instances && (!has_pools || instances_have_columns(ctl));
    bool units = !instances || (has_pools && table_has_columns(unit_columns, ARRAY_LENGTH(unit_columns), ctl->columns));
    int code = EX_OK;

    if (units)
        code = show_table(ctl, answer, "units", unit_columns, ARRAY_LENGTH(unit_columns), unit_colour);
    if (code != EX_OK || !instances)
        return code;
    if (units && !ctl->no_headings)
        putchar('\n');
    return instances_show(stdout, ctl, answer, UINT_MAX);
}

int list_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = client_ask_all_pools(ctl, "list", &answer);

    (void)argc, (void)argv;
    if (code == EX_OK && ctl->json)
        code = client_print(answer);
    else if (code == EX_OK)
        code = show_list(ctl, answer);
    json_decref(answer);
    return code;
}
