/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status as one screen of text. On a terminal it is made to fit: the pools' lines come first in the reckoning, and
 * what needs attention gets the rest, at least a few lines. Called by cmd_status.c and cmd_watch.c.
 */
#include "ctl/status_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/brief.h"
#include "ctl/reply.h"

#define BAR_CELLS 10
#define BAR_TEXT_MAX (3 * BAR_CELLS + 1)
#define LINE_MAX_BYTES 4096
#define ATTENTION_LINES_MIN 5 /* on a terminal, however small; all of them elsewhere */
#define UNITS_ROOM_MIN 12
#define UNLIMITED 100000

struct screen {
    FILE *out;
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

/* Lines that `text` takes after "! " on a terminal. */
static unsigned lines_of(const struct ctl *ctl, const char *text)
{
    unsigned width = ctl->term.height > 0 && ctl->term.width > 0 ? ctl->term.width : UNLIMITED;

    return ((unsigned)strlen(text) + 2 + width - 1) / width;
}

/* At most `room` lines: whole sentences, and at the end how many more there are. */
static void show_attention(FILE *out, const struct ctl *ctl, const json_t *answer, unsigned room)
{
    const json_t *list = reply_get(answer, "attention");
    size_t count = json_array_size(list), i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *text = reply_text(item, "text");
        enum colour colour = strcmp(reply_text(item, "severity"), "alarm") == 0 ? COLOUR_RED : COLOUR_YELLOW;
        unsigned lines = lines_of(ctl, text), kept = i + 1 < count ? 1 : 0; /* for "and more" */

        if (lines + kept > room && i > 0) {
            fprintf(out, "! and %zu more: keelctl --json status\n", count - i);
            return;
        }
        fprintf(out, "%s! %s%s\n", term_begin(&ctl->term, colour), text, term_end(&ctl->term, colour));
        room -= lines < room ? lines : room;
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
    fprintf(s->out, "%s%s%s on %s: ", term_begin(term, COLOUR_BOLD), reply_text(s->pool, "name"),
            term_end(term, COLOUR_BOLD), reply_text(s->pool, "interface"));
    if (!reply_bool(s->pool, "ready"))
        fprintf(s->out, "not ready, so who holds its %zu units is not known here, up %s\n", json_array_size(s->units),
                reply_duration((double)reply_int(daemon, "uptime_s"), uptime));
    else
        fprintf(s->out, "%u of %zu units held, %zu member%s, arp_filter %s, up %s\n", held, json_array_size(s->units),
                json_array_size(s->members), json_array_size(s->members) == 1 ? "" : "s",
                reply_text(reply_get(s->pool, "filter"), "in_force"),
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
    fprintf(s->out, "%s %-*.*s %s%-7s%s %5lld %4lld %s%s%s %s\n", reply_bool(member, "self") ? ">" : " ",
            s->member_width, s->member_width, reply_member(member, "address", "name"),
            term_begin(term, state_colour(state)), state, term_end(term, state_colour(state)),
            (long long)reply_int(member, "share"), (long long)reply_int(member, "load"),
            term_begin(term, state_colour(state)), bar, term_end(term, state_colour(state)), units);
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

    fprintf(s->out, "%s! %-*.*s %-7s %5s %4u %*s %s%s\n", term_begin(term, colour), s->member_width, s->member_width,
            who,
            *holder != '\0'                ? "strange"
            : reply_bool(s->pool, "ready") ? "unowned"
                                           : "",
            "", count, BAR_CELLS, "", units, term_end(term, colour));
}

/* Routers that hold units and are no members, each once, and "" when units are held by nobody, as keys. */
static json_t *find_others(const struct screen *s)
{
    json_t *unit, *others = json_object();
    size_t i;

    json_array_foreach(s->units, i, unit)
    {
        const char *holder = reply_text(unit, "holder");

        if (*holder == '\0' || !is_listed_member(s, holder))
            json_object_set_new(others, holder, json_true());
    }
    return others;
}

static unsigned count_rest(const struct screen *s)
{
    json_t *others = find_others(s);
    unsigned count = (unsigned)json_object_size(others);

    json_decref(others);
    return count;
}

static void show_rest(const struct screen *s)
{
    json_t *others = find_others(s), *value;
    const char *holder;

    json_object_foreach(others, holder, value)
    {
        if (*holder != '\0')
            show_others(s, holder, holder, COLOUR_YELLOW);
    }
    if (json_object_get(others, "") != NULL)
        show_others(s, reply_bool(s->pool, "ready") ? "nobody" : "not known", "", COLOUR_RED);
    json_decref(others);
}

static int name_width(const struct screen *s)
{
    int width = 6, most = (int)s->ctl->term.width - FIXED_WIDTH - UNITS_ROOM_MIN;
    json_t *member;
    size_t i;

    json_array_foreach(s->members, i, member)
    {
        int length = (int)strlen(reply_member(member, "address", "name"));

        width = length > width ? length : width;
    }
    return s->ctl->term.height == 0 || width <= most ? width : most > 6 ? most : 6;
}

static struct screen look_at(FILE *out, const struct ctl *ctl, const json_t *answer, const json_t *pool)
{
    struct screen s = {
        .out = out,
        .ctl = ctl,
        .answer = answer,
        .pool = pool,
        .units = reply_get(pool, "units"),
        .members = reply_get(pool, "members"),
    };
    json_t *member;
    size_t i;

    brief_common(s.units, s.common);
    json_array_foreach(s.members, i, member)
    {
        if (load_by_share(member) > s.highest)
            s.highest = load_by_share(member);
    }
    s.member_width = name_width(&s);
    return s;
}

static void show_pool(const struct screen *s)
{
    json_t *member;
    size_t i;

    show_heading(s);
    fprintf(s->out, "  %-*s %-7s %5s %4s %-*s %s%s\n", s->member_width, "MEMBER", "STATE", "SHARE", "LOAD", BAR_CELLS,
            "LOAD/SHARE", s->common, *s->common == '\0' ? "UNITS" : "*");
    json_array_foreach(s->members, i, member) show_member(s, member);
    show_rest(s);
}

/* Lines of everything but the attention. */
static unsigned lines_of_pools(const struct ctl *ctl, const json_t *answer)
{
    unsigned lines = 0;
    json_t *pool;
    size_t i;

    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        struct screen s = look_at(NULL, ctl, answer, pool);

        lines += (i > 0 ? 3 : 2) + (unsigned)json_array_size(s.members) + count_rest(&s);
    }
    return lines;
}

void status_show(FILE *out, const struct ctl *ctl, const json_t *answer)
{
    unsigned room = UNLIMITED, pools = lines_of_pools(ctl, answer);
    json_t *pool;
    size_t i;

    if (ctl->term.height > 0) /* a line is the next prompt's */
        room = ctl->term.height > pools + 1 + ATTENTION_LINES_MIN ? ctl->term.height - pools - 1 : ATTENTION_LINES_MIN;
    show_attention(out, ctl, answer, room);
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        struct screen s = look_at(out, ctl, answer, pool);

        if (i > 0)
            fputc('\n', out);
        show_pool(&s);
    }
}
