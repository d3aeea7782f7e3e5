/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See brief.h. Pure text; called by status_view.c and watch_*.c. */
#include "ctl/brief.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX 128
#define MORE_MAX 8 /* " +65535" */

struct list {
    char *text;
    size_t used, room;
    unsigned left_out;
};

const char *brief_unit_name(const json_t *unit)
{
    const json_t *addresses = reply_get(unit, "addresses");
    json_t *address;
    size_t i;

    json_array_foreach(addresses, i, address)
    {
        if (!reply_is_link_local(json_string_value(address)))
            return json_string_value(address);
    }
    const char *first = json_string_value(json_array_get(addresses, 0));

    return first != NULL ? first : "-";
}

void brief_common(const json_t *units, char common[static BRIEF_COMMON_MAX])
{
    size_t length = 0, i;
    json_t *unit;

    json_array_foreach(units, i, unit)
    {
        const char *name = brief_unit_name(unit);

        if (i == 0) {
            snprintf(common, BRIEF_COMMON_MAX, "%s", name);
            length = strlen(common);
        }
        for (size_t k = 0; k < length; k++) {
            if (name[k] != common[k])
                length = k;
        }
    }
    while (length > 0 && common[length - 1] != '.' && common[length - 1] != ':')
        length--;
    common[length] = '\0';
}

/* Adds an item while there is room for it and for the count of those that will not fit. */
static void add_item(struct list *list, unsigned units, const char *item)
{
    size_t length = strlen(item) + (list->used > 0 ? 1 : 0);

    if (list->left_out > 0 || list->used + length + MORE_MAX > list->room) {
        list->left_out += units;
        return;
    }
    list->used += (size_t)sprintf(list->text + list->used, "%s%s", list->used > 0 ? " " : "", item);
}

/* A run of consecutive plain numbers, first to last. */
struct run {
    long first, last;
    unsigned count;
};

static void end_run(struct list *list, struct run *run)
{
    char item[ITEM_MAX];

    if (run->count == 2) {
        snprintf(item, sizeof(item), "%ld", run->first);
        add_item(list, 1, item);
    }
    if (run->count > 2)
        snprintf(item, sizeof(item), "%ld-%ld", run->first, run->last);
    else
        snprintf(item, sizeof(item), "%ld", run->last);
    if (run->count > 0)
        add_item(list, run->count == 2 ? 1 : run->count, item);
    run->count = 0;
}

/* The number that `rest` is, as a whole and in decimal; -1 when it is something else (as parts of IPv6 addresses are).
 */
static long plain_number(const char *name, const char *rest, const char *mark)
{
    char *end;
    long value = strtol(rest, &end, 10);

    return *mark == '\0' && *rest >= '0' && *rest <= '9' && *end == '\0' && strchr(name, ':') == NULL ? value : -1;
}

unsigned brief_units(const json_t *units, const char *holder, const char *common, size_t room, char *text, size_t size)
{
    struct list list = {.text = text, .room = room < size ? room : size - 1};
    struct run run = {.count = 0};
    unsigned count = 0;
    json_t *unit;
    size_t i;

    text[0] = '\0';
    json_array_foreach(units, i, unit)
    {
        const char *name = brief_unit_name(unit), *rest = name + strlen(common);
        const char *mark = reply_bool(unit, "contested") ? "!" : reply_bool(unit, "pinned") ? "*" : "";
        long number = plain_number(name, rest, mark);
        char item[ITEM_MAX];

        if (strcmp(reply_text(unit, "holder"), holder) != 0)
            continue;
        count++;
        if (number >= 0 && run.count > 0 && number == run.last + 1) {
            run.last = number;
            run.count++;
            continue;
        }
        end_run(&list, &run);
        if (number >= 0) {
            run = (struct run){.first = number, .last = number, .count = 1};
            continue;
        }
        snprintf(item, sizeof(item), "%s%s", rest, mark);
        add_item(&list, 1, item);
    }
    end_run(&list, &run);
    if (list.left_out > 0)
        snprintf(text + list.used, size - list.used, " +%u", list.left_out);
    return count;
}

static bool is_member(const json_t *pool, const char *address)
{
    json_t *member;
    size_t i;

    json_array_foreach(reply_get(pool, "members"), i, member)
    {
        if (strcmp(reply_text(member, "address"), address) == 0)
            return true;
    }
    return false;
}

json_t *brief_others(const json_t *pool)
{
    json_t *unit, *others = json_object();
    size_t i;

    json_array_foreach(reply_get(pool, "units"), i, unit)
    {
        const char *holder = reply_text(unit, "holder");

        if (*holder == '\0' || !is_member(pool, holder))
            json_object_set_new(others, holder, json_true());
    }
    return others;
}

const char *brief_filter(const json_t *pool)
{
    const char *filter = reply_text(reply_get(pool, "filter"), "in_force");

    return *filter != '\0' ? filter : "not known yet";
}

double brief_load_by_share(const json_t *member)
{
    int64_t share = reply_int(member, "share");

    return share > 0 ? (double)reply_int(member, "load") / (double)share : 0;
}

enum colour brief_state_colour(const char *state)
{
    if (strcmp(state, "active") == 0)
        return COLOUR_GREEN;
    if (strcmp(state, "reserve") == 0)
        return COLOUR_YELLOW;
    return strcmp(state, "dead") == 0 ? COLOUR_RED : COLOUR_DIM;
}
