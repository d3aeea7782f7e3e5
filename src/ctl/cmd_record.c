/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl history, events, counters: what happened, and how often; dump: all of it as a text. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "ctl/client.h"
#include "ctl/table.h"
#include "ctl/timeline.h"

#define FOLLOW_MS 300
#define ENTRIES_MOST 250 /* that the daemon gives at once */

static const struct column history_columns[] = {
    {"TIME", "time", CELL_TIME, true},       {"POOL", "pool", CELL_TEXT, true},
    {"VRID", "vrid", CELL_NUMBER, true},     {"UNIT", "address", CELL_TEXT, true},
    {"FROM", "from", CELL_TEXT, true},       {"TO", "to", CELL_TEXT, true},
    {"REASON", "reason", CELL_TEXT, true},   {"CAUSE", "cause", CELL_TEXT, false},
    {"GAP-MS", "gap_ms", CELL_NUMBER, true}, {"SEQUENCE", "sequence", CELL_NUMBER, false},
    {"KIND", "kind", CELL_TEXT, false},      {"TEXT", "text", CELL_TEXT, false},
};

static const struct column counter_columns[] = {
    {"SCOPE", "scope", CELL_TEXT, true},
    {"COUNTER", "name", CELL_TEXT, true},
    {"VALUE", "value", CELL_NUMBER, true},
};

static json_t *record_request(const struct ctl *ctl, const char *command, int argc, char **argv)
{
    json_t *request = client_request(ctl, command);

    if (argc > 0)
        json_object_set_new(request, "unit", json_string(argv[0]));
    if (ctl->limit > 0)
        json_object_set_new(request, "limit", json_integer(ctl->limit));
    return request;
}

/* An instance has no owner that moves, but states of its own: they stand in the same columns. */
static void show_as_owner(json_t *entry)
{
    json_object_set(entry, "pool", json_object_get(entry, "instance"));
    json_object_set(entry, "from", json_object_get(entry, "from_state"));
    json_object_set(entry, "to", json_object_get(entry, "to_state"));
}

int history_command(const struct ctl *ctl, int argc, char **argv)
{
    if (ctl->svg != NULL || ctl->timeline)
        return timeline_show(ctl, argc > 0 ? argv[0] : NULL);
    json_t *answer, *entry;
    size_t i;
    int code = client_ask(ctl, record_request(ctl, "history", argc, argv), &answer);
    struct table *table = NULL;

    if (code == EX_OK && ctl->json)
        code = client_print(answer);
    else if (code == EX_OK)
        table = table_new(ctl, history_columns, ARRAY_LENGTH(history_columns), &code);
    if (table != NULL) {
        json_array_foreach(reply_get(answer, "entries"), i, entry)
        {
            if (reply_get(entry, "instance") != NULL && *reply_text(entry, "instance") != '\0')
                show_as_owner(entry);
            table_add(table, answer, "", entry, COLOUR_NONE);
        }
        code = table_print(table);
    }
    json_decref(answer);
    return code;
}

static void show_events(const struct ctl *ctl, const json_t *answer)
{
    json_t *entry;
    size_t i;

    if (reply_int(answer, "missed") > 0)
        printf("(%lld events before these were not kept)\n", (long long)reply_int(answer, "missed"));
    json_array_foreach(reply_get(answer, "entries"), i, entry)
    {
        enum colour colour = reply_bool(entry, "warning") ? COLOUR_YELLOW : COLOUR_NONE;

        const char *time = reply_text(entry, "time");
        int indent = printf("%s ", ctl->term.height > 0 ? reply_short_time(answer, time) : time);

        fputs(term_begin(&ctl->term, colour), stdout);
        term_wrap(stdout, reply_text(entry, "text"), term_room(&ctl->term, (unsigned)indent), (unsigned)indent);
        printf("%s\n", term_end(&ctl->term, colour));
    }
    fflush(stdout);
}

/* One object per line, so that a program can read them as they come. */
static void print_entries(const json_t *answer)
{
    json_t *entry;
    size_t i;

    json_array_foreach(reply_get(answer, "entries"), i, entry)
    {
        json_dumpf(entry, stdout, JSON_COMPACT);
        putchar('\n');
    }
    fflush(stdout);
}

/* False: nobody reads any more what is printed. */
static bool rest(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return !ferror(stdout) && (poll(&out, 1, FOLLOW_MS) <= 0 || out.revents == 0);
}

/* Until a daemon listens again, however long that takes. False: nobody reads any more. */
static bool wait_for_daemon(const struct ctl *ctl)
{
    char problem[CLIENT_PROBLEM_MAX];
    int fd;

    while ((fd = client_connect(ctl, problem)) < 0) {
        if (!rest())
            return false;
    }
    close(fd);
    return true;
}

static int follow_events(const struct ctl *ctl, int argc, char **argv, json_int_t after)
{
    json_t *answer;

    while (rest()) {
        json_t *request = record_request(ctl, "events", argc, argv);

        json_object_set_new(request, "after", json_integer(after));
        json_object_set_new(request, "limit", json_integer(ENTRIES_MOST)); /* --limit is about those before */
        int code = client_ask(ctl, request, &answer);

        if (code == EX_UNAVAILABLE && wait_for_daemon(ctl)) /* which was said; its history outlives it */
            continue;
        if (code != EX_OK)
            return code;
        /* A daemon that lost its history counts from 1 again. */
        after = reply_int(answer, "newest") < after ? 0 : reply_int(answer, "last");
        if (ctl->json)
            print_entries(answer);
        else
            show_events(ctl, answer);
        json_decref(answer);
    }
    return EX_IOERR;
}

int events_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = client_ask(ctl, record_request(ctl, "events", argc, argv), &answer);

    if (code != EX_OK)
        return code;
    json_int_t last = reply_int(answer, "last");

    if (ctl->json && !ctl->follow)
        code = client_print(answer);
    else if (ctl->json)
        print_entries(answer);
    else
        show_events(ctl, answer);
    json_decref(answer);
    return ctl->follow && code == EX_OK ? follow_events(ctl, argc, argv, last) : code;
}

/* Adds the numbers of `object` under `scope`; zeros only with --all. */
static void add_counters(const struct ctl *ctl, struct table *table, const json_t *answer, const char *scope,
                         json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (!json_is_integer(value) || strcmp(name, "vrid") == 0 || (json_integer_value(value) == 0 && !ctl->all))
            continue;
        json_t *row = json_pack("{s:s, s:s, s:O}", "scope", scope, "name", name, "value", value);

        table_add(table, answer, "", row, COLOUR_NONE);
        json_decref(row);
    }
}

static int show_counters(const struct ctl *ctl, const json_t *answer)
{
    char scope[128];
    json_t *link, *pool, *unit, *instance, *tracker;
    size_t i, j;
    int code;
    struct table *table = table_new(ctl, counter_columns, ARRAY_LENGTH(counter_columns), &code);

    if (table == NULL)
        return code;
    json_array_foreach(reply_get(answer, "links"), i, link)
    {
        snprintf(scope, sizeof(scope), "%s", reply_text(link, "interface"));
        add_counters(ctl, table, answer, scope, link);
        snprintf(scope, sizeof(scope), "%s refused", reply_text(link, "interface"));
        add_counters(ctl, table, answer, scope, json_object_get(link, "refused"));
    }
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        add_counters(ctl, table, answer, reply_text(pool, "name"), json_object_get(pool, "counters"));
        snprintf(scope, sizeof(scope), "%s owner changes", reply_text(pool, "name"));
        add_counters(ctl, table, answer, scope, json_object_get(pool, "owner_changes"));
        json_array_foreach(reply_get(pool, "units"), j, unit)
        {
            snprintf(scope, sizeof(scope), "%s %s", reply_text(pool, "name"), reply_text(unit, "address"));
            add_counters(ctl, table, answer, scope, unit);
        }
    }
    json_array_foreach(reply_get(answer, "instances"), i, instance)
    {
        snprintf(scope, sizeof(scope), "instance %s", reply_text(instance, "name"));
        add_counters(ctl, table, answer, scope, instance);
        snprintf(scope, sizeof(scope), "instance %s refused", reply_text(instance, "name"));
        add_counters(ctl, table, answer, scope, json_object_get(instance, "refused"));
    }
    json_array_foreach(reply_get(answer, "trackers"), i, tracker)
    {
        snprintf(scope, sizeof(scope), "%s %s", reply_text(tracker, "kind"), reply_text(tracker, "name"));
        add_counters(ctl, table, answer, scope, tracker);
    }
    add_counters(ctl, table, answer, "daemon", json_object_get(answer, "daemon"));
    return table_print(table);
}

int counters_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = client_ask(ctl, client_request(ctl, "counters"), &answer);

    (void)argc, (void)argv;
    if (code == EX_OK)
        code = ctl->json ? client_print(answer) : show_counters(ctl, answer);
    json_decref(answer);
    return code;
}

int dump_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *request = client_request(ctl, "dump"), *answer;

    (void)argc;
    json_object_set_new(request, "what", json_string(argv[0]));
    int code = client_ask(ctl, request, &answer);

    if (code == EX_OK)
        code = ctl->json ? client_print(answer) : fputs(reply_text(answer, "text"), stdout) == EOF ? EX_IOERR : EX_OK;
    json_decref(answer);
    return code;
}
