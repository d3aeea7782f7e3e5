/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl plan, explain: what the planner says, and why. Everything is computed by the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/check.h"
#include "ctl/client.h"
#include "ctl/table.h"

static const struct column plan_columns[] = {
    {"MEMBER", "address", CELL_MEMBER, true},   {"ADDRESS", "address", CELL_TEXT, true},
    {"SHARE", "share", CELL_NUMBER, true},      {"LOAD", "load", CELL_NUMBER, true},
    {"AFTER", "final_load", CELL_NUMBER, true},
};

static const struct column ranking_columns[] = {
    {"RANK", "rank", CELL_NUMBER, true},     {"MEMBER", "address", CELL_MEMBER, true},
    {"ADDRESS", "address", CELL_TEXT, true}, {"SHARE", "share", CELL_NUMBER, true},
    {"LOAD", "load", CELL_NUMBER, true},
};

/* "--with 10.0.0.4=50" -> {"member": "10.0.0.4", "share": 50}; NULL after saying what is wrong. */
static json_t *with_object(const char *text)
{
    const char *equals = strrchr(text, '=');
    long share;
    char *end;

    if (equals == NULL)
        return json_pack("{s:s}", "member", text);
    share = strtol(equals + 1, &end, 10);
    if (equals[1] == '\0' || *end != '\0' || share < 1 || share > 254) {
        ctl_complain("--with %s: the share must be a number from 1 (reserve) to 254", text);
        return NULL;
    }
    return json_pack("{s:s%, s:I}", "member", text, (size_t)(equals - text), "share", (json_int_t)share);
}

static json_t *plan_request(const struct ctl *ctl)
{
    json_t *request = client_request(ctl, "plan"), *with = json_array(), *without = json_array();

    for (unsigned i = 0; i < ctl->with_count; i++) {
        json_t *object = with_object(ctl->with[i]);

        if (object == NULL) {
            json_decref(with);
            json_decref(without);
            json_decref(request);
            return NULL;
        }
        json_array_append_new(with, object);
    }
    for (unsigned i = 0; i < ctl->without_count; i++)
        json_array_append_new(without, json_string(ctl->without[i]));
    if (ctl->with_count > 0)
        json_object_set(request, "with", with);
    if (ctl->without_count > 0)
        json_object_set(request, "without", without);
    json_decref(with);
    json_decref(without);
    return request;
}

static void show_moves(const json_t *pool)
{
    const json_t *moves = reply_get(pool, "moves");
    json_t *move;
    size_t i;

    json_array_foreach(moves, i, move)
        printf("  move unit %lld (%s) from %s to %s\n", (long long)reply_int(move, "vrid"), reply_text(move, "address"),
               reply_member(move, "from", "from_name"), reply_member(move, "to", "to_name"));
}

/* Units whose owner is gone in this plan: they land at once, without a move. */
static void show_orphans(const json_t *pool)
{
    unsigned landing = 0, homeless = 0, strange = 0;
    json_t *unit;
    size_t i;

    json_array_foreach(reply_get(pool, "units"), i, unit)
    {
        if (strcmp(reply_text(unit, "holder_kind"), "stranger") == 0) {
            strange++;
            printf("  unit %lld (%s) stays with %s, which is no member\n", (long long)reply_int(unit, "vrid"),
                   reply_text(unit, "address"), reply_text(unit, "holder"));
        } else if (reply_is_null(unit, "placed")) {
            homeless++;
        } else if (strcmp(reply_text(unit, "placed"), reply_text(unit, "holder")) != 0) {
            landing++;
            printf("  unit %lld (%s): %s takes it over from %s\n", (long long)reply_int(unit, "vrid"),
                   reply_text(unit, "address"), reply_member(unit, "placed", "placed_name"),
                   reply_is_null(unit, "holder") ? "nobody" : reply_member(unit, "holder", "holder_name"));
        }
    }
    printf("%u taken over at once, %zu moved after that", landing, json_array_size(reply_get(pool, "moves")));
    if (strange > 0)
        printf(", %u left to a router that is no member", strange);
    if (homeless > 0)
        printf(", %u that nobody may hold", homeless);
    printf(".\n");
}

static int show_plan(const struct ctl *ctl, const json_t *answer)
{
    json_t *pool, *member;
    size_t i, j;
    int code = EX_OK;

    if (json_array_size(reply_get(answer, "pools")) == 0)
        fputs("There is no pool: instances have fixed priorities, and nothing is planned (keelctl explain NAME).\n",
              stderr);
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        struct table *table = table_new(ctl, plan_columns, ARRAY_LENGTH(plan_columns), &code);

        if (table == NULL)
            return code;
        printf("%s%s%s\n", term_begin(&ctl->term, COLOUR_BOLD), reply_text(pool, "name"),
               term_end(&ctl->term, COLOUR_BOLD));
        json_array_foreach(reply_get(pool, "members"), j, member)
            table_add(table, answer, reply_text(pool, "name"), member, COLOUR_NONE);
        code = table_print(table);
        show_orphans(pool);
        show_moves(pool);
    }
    return code;
}

int plan_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *request = plan_request(ctl), *answer;

    (void)argc, (void)argv;
    if (request == NULL)
        return EX_USAGE;
    int code = client_ask(ctl, request, &answer);

    if (code == EX_OK)
        code = ctl->json ? client_print(answer) : show_plan(ctl, answer);
    json_decref(answer);
    return code;
}

static void show_facts(const struct ctl *ctl, const json_t *answer)
{
    static const struct {
        const char *topic, *heading;
    } topics[] = {
        {"held", "Why it is where it is"},
        {"next", "Who is next"},
        {"move", "What would move it"},
        {"here", "This host"},
    };
    json_t *fact;
    size_t i;

    for (size_t t = 0; t < ARRAY_LENGTH(topics); t++) {
        bool any = false;

        json_array_foreach(reply_get(answer, "facts"), i, fact)
        {
            if (strcmp(reply_text(fact, "topic"), topics[t].topic) != 0)
                continue;
            if (!any)
                printf("%s%s%s\n", term_begin(&ctl->term, COLOUR_BOLD), topics[t].heading,
                       term_end(&ctl->term, COLOUR_BOLD));
            any = true;
            printf("  ");
            term_wrap(stdout, reply_text(fact, "text"), term_room(&ctl->term, 2), 2);
            putchar('\n');
        }
    }
}

static void show_vips(const json_t *unit)
{
    json_t *vip;
    size_t i;

    json_array_foreach(reply_get(unit, "vips"), i, vip)
        printf(" %s/%lld on %s", reply_text(vip, "address"), (long long)reply_int(vip, "prefix_length"),
               reply_text(vip, "interface"));
    printf("\n");
}

static int show_instance(const struct ctl *ctl, const json_t *answer)
{
    const json_t *instance = reply_get(answer, "instance");

    printf("Instance %s, VRID %lld:", reply_text(instance, "name"), (long long)reply_int(instance, "vrid"));
    show_vips(instance);
    show_facts(ctl, answer);
    return EX_OK;
}

static int show_explanation(const struct ctl *ctl, const json_t *answer)
{
    const json_t *unit = reply_get(answer, "unit");
    json_t *rank;
    size_t i;
    int code;
    struct table *table = table_new(ctl, ranking_columns, ARRAY_LENGTH(ranking_columns), &code);

    if (table == NULL)
        return code;
    printf("Unit %lld of pool %s:", (long long)reply_int(unit, "vrid"), reply_text(answer, "pool"));
    show_vips(unit);
    show_facts(ctl, answer);
    printf("%sRanking%s\n", term_begin(&ctl->term, COLOUR_BOLD), term_end(&ctl->term, COLOUR_BOLD));
    json_array_foreach(reply_get(answer, "ranking"), i, rank) table_add(table, answer, "", rank, COLOUR_NONE);
    return table_print(table);
}

int explain_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *request = client_request(ctl, "explain"), *answer;

    (void)argc;
    json_object_set_new(request, "unit", json_string(argv[0]));
    int code = client_ask(ctl, request, &answer);

    if (code == EX_OK)
        code = ctl->json                               ? client_print(answer)
               : reply_get(answer, "instance") != NULL ? show_instance(ctl, answer)
                                                       : show_explanation(ctl, answer);
    json_decref(answer);
    return code;
}
