/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl status: one screen. First what needs attention, then per pool a line for each member: how much it carries, as
 * a bar of load by share, and which addresses. A pool of 240 addresses on 12 hosts fits 24 lines of 80 columns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/brief.h"
#include "ctl/client.h"
#include "ctl/instances.h"

#define BAR_CELLS 10
#define BAR_TEXT_MAX (3 * BAR_CELLS + 1)
#define LINE_MAX_BYTES 4096
#define ATTENTION_LINES_MAX 6 /* on a terminal; all of them with --json */

struct screen {
    const struct ctl *ctl;
    const json_t *answer;
    const json_t *pool, *units, *members;
    char common[BRIEF_COMMON_MAX];
    int member_width;
    double highest; /* load by share of the busiest member */
};

static double load_by_share(const json_t *member)
{
    int64_t share = reply_int(member, "share");

    return share > 0 ? (double)reply_int(member, "load") / (double)share : 0;
}

static void show_attention(const struct ctl *ctl, const json_t *answer)
{
    const json_t *list = reply_get(answer, "attention");
    size_t count = json_array_size(list), i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        enum colour colour = strcmp(reply_text(item, "severity"), "alarm") == 0 ? COLOUR_RED : COLOUR_YELLOW;

        if (ctl->term.height > 0 && i == ATTENTION_LINES_MAX && count > ATTENTION_LINES_MAX + 1) {
            printf("! and %zu more: keelctl --json status\n", count - i);
            return;
        }
        printf("%s! %s%s\n", term_begin(&ctl->term, colour), reply_text(item, "text"), term_end(&ctl->term, colour));
    }
}

static void show_heading(const struct screen *s)
{
    const struct term *term = &s->ctl->term;
    const json_t *daemon = reply_get(s->answer, "daemon");
    char uptime[REPLY_DURATION_MAX];
    unsigned held = 0;
    json_t *unit;
    size_t i;

    json_array_foreach(s->units, i, unit) held += strcmp(reply_text(unit, "holder_kind"), "none") != 0;
    printf("%s%s%s on %s: ", term_begin(term, COLOUR_BOLD), reply_text(s->pool, "name"), term_end(term, COLOUR_BOLD),
           reply_text(s->pool, "interface"));
    printf("%u of %zu units held, %zu members, arp_filter %s, up %s\n", held, json_array_size(s->units),
           json_array_size(s->members), reply_text(reply_get(s->pool, "filter"), "in_force"),
           reply_duration((double)reply_int(daemon, "uptime_s"), uptime));
}

static enum colour state_colour(const char *state)
{
    if (strcmp(state, "active") == 0)
        return COLOUR_GREEN;
    if (strcmp(state, "reserve") == 0)
        return COLOUR_YELLOW;
    return strcmp(state, "dead") == 0 ? COLOUR_RED : COLOUR_DIM;
}

/* What is printed before the addresses: marker, name, state, share, load, bar. */
#define FIXED_WIDTH (2 + 1 + 7 + 1 + 5 + 1 + 4 + 1 + BAR_CELLS + 1)

static size_t room_for_units(const struct screen *s)
{
    int room = (int)s->ctl->term.width - s->member_width - FIXED_WIDTH;

    /* No terminal, nothing to fit into: everything is shown. */
    if (s->ctl->term.height == 0)
        return LINE_MAX_BYTES - 1;
    return room > 12 ? (size_t)room : 12;
}

static void show_member(const struct screen *s, const json_t *member)
{
    const struct term *term = &s->ctl->term;
    const char *state = reply_text(member, "state");
    char bar[BAR_TEXT_MAX], units[LINE_MAX_BYTES];

    term_bar(term, load_by_share(member), s->highest, BAR_CELLS, bar, sizeof(bar));
    brief_units(s->units, reply_text(member, "address"), s->common, room_for_units(s), units, sizeof(units));
    printf("%s %-*s %s%-7s%s %5lld %4lld %s%s%s %s\n", reply_bool(member, "self") ? ">" : " ", s->member_width,
           reply_member(member, "address", "name"), term_begin(term, state_colour(state)), state,
           term_end(term, state_colour(state)), (long long)reply_int(member, "share"),
           (long long)reply_int(member, "load"), term_begin(term, state_colour(state)), bar,
           term_end(term, state_colour(state)), units);
}

static bool is_listed_member(const struct screen *s, const char *address)
{
    json_t *member;
    size_t i;

    json_array_foreach(s->members, i, member)
    {
        if (strcmp(reply_text(member, "address"), address) == 0)
            return true;
    }
    return false;
}

static void show_others(const struct screen *s, const char *who, const char *holder, enum colour colour)
{
    const struct term *term = &s->ctl->term;
    char units[LINE_MAX_BYTES];
    unsigned count = brief_units(s->units, holder, s->common, room_for_units(s), units, sizeof(units));

    if (count > 0)
        printf("%s! %-*s %-7s %5s %4u %*s %s%s\n", term_begin(term, colour), s->member_width, who,
               *holder == '\0' ? "unowned" : "strange", "", count, BAR_CELLS, "", units, term_end(term, colour));
}

/* Units that are held by routers that are no members, each router once, and those that nobody holds. */
static void show_rest(const struct screen *s)
{
    json_t *unit, *seen = json_object();
    size_t i;

    json_array_foreach(s->units, i, unit)
    {
        const char *holder = reply_text(unit, "holder");

        if (*holder == '\0' || is_listed_member(s, holder) || json_object_get(seen, holder) != NULL)
            continue;
        json_object_set_new(seen, holder, json_true());
        show_others(s, holder, holder, COLOUR_YELLOW);
    }
    json_decref(seen);
    show_others(s, "nobody", "", COLOUR_RED);
}

static void show_pool(const struct ctl *ctl, const json_t *answer, const json_t *pool)
{
    struct screen s = {
        .ctl = ctl,
        .answer = answer,
        .pool = pool,
        .units = reply_get(pool, "units"),
        .members = reply_get(pool, "members"),
        .member_width = 6,
    };
    json_t *member;
    size_t i;

    brief_common(s.units, s.common);
    json_array_foreach(s.members, i, member)
    {
        int width = (int)strlen(reply_member(member, "address", "name"));

        s.member_width = width > s.member_width ? width : s.member_width;
        if (load_by_share(member) > s.highest)
            s.highest = load_by_share(member);
    }
    show_heading(&s);
    printf("  %-*s %-7s %5s %4s %-*s %s%s\n", s.member_width, "MEMBER", "STATE", "SHARE", "LOAD", BAR_CELLS,
           "LOAD/SHARE", s.common, *s.common == '\0' ? "UNITS" : "*");
    json_array_foreach(s.members, i, member) show_member(&s, member);
    show_rest(&s);
}

int status_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer, *pool;
    size_t i;
    int code = client_ask_all_pools(ctl, "status", &answer);

    (void)argc, (void)argv;
    if (code != EX_OK)
        return code;
    if (ctl->json) {
        code = client_print(answer);
    } else {
        show_attention(ctl, answer);
        json_array_foreach(reply_get(answer, "pools"), i, pool)
        {
            if (i > 0)
                putchar('\n');
            show_pool(ctl, answer, pool);
        }
        if (i > 0 && json_array_size(reply_get(answer, "instances")) > 0)
            putchar('\n');
        code = instances_show(ctl, answer);
    }
    json_decref(answer);
    return code;
}
