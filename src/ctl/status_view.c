/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status as one screen of text. On a terminal it is made to fit: the pools' lines come first in the reckoning, what
 * needs attention gets at least a few lines, instances what is left. Where room is left over, members have more lines
 * for their units. Called by cmd_status.c and cmd_watch.c.
 */
#include "ctl/status_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/brief.h"
#include "ctl/instances.h"
#include "ctl/reply.h"

#define BAR_CELLS 10
#define BAR_TEXT_MAX (3 * BAR_CELLS + 1)
#define LINE_MAX_BYTES 4096
#define ATTENTION_LINES_MIN 5 /* on a terminal, however small; all of them elsewhere */
#define INSTANCES_MIN 4       /* the same of instances */
#define UNITS_ROOM_MIN 12
#define MARK_WIDTH 2 /* "! " */
#define UNLIMITED 100000

struct screen {
    FILE *out;
    const struct ctl *ctl;
    const json_t *answer;
    const json_t *pool, *units, *members;
    char common[BRIEF_COMMON_MAX];
    int member_width;
    unsigned unit_lines; /* that a member may have for its units */
    double highest;      /* load by share of the busiest member */
};

/* Lines that `text` takes after "! ". */
static unsigned lines_of(const struct ctl *ctl, const char *text)
{
    return term_wrap(NULL, text, term_room(&ctl->term, MARK_WIDTH), MARK_WIDTH);
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
        fprintf(out, "%s! ", term_begin(&ctl->term, colour));
        term_wrap(out, text, term_room(&ctl->term, MARK_WIDTH), MARK_WIDTH);
        fprintf(out, "%s\n", term_end(&ctl->term, colour));
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
                json_array_size(s->members), json_array_size(s->members) == 1 ? "" : "s", brief_filter(s->pool),
                reply_duration((double)reply_int(daemon, "uptime_s"), uptime));
}

/* What is printed before the addresses: marker, name, state, share, load, bar. */
#define STATE_WIDTH 8 /* "stranger" */
#define FIXED_WIDTH (2 + 1 + STATE_WIDTH + 1 + 5 + 1 + 4 + 1 + BAR_CELLS + 1)

static size_t room_for_units(const struct screen *s)
{
    int room = (int)s->ctl->term.width - s->member_width - FIXED_WIDTH;

    /* No terminal, nothing to fit into: everything is shown. */
    if (s->ctl->term.height == 0)
        return LINE_MAX_BYTES - 1;
    return room > UNITS_ROOM_MIN ? (size_t)room : UNITS_ROOM_MIN;
}

/* The units of a holder in at most as many lines as there are. Returns how many units. */
static unsigned take_units(const struct screen *s, const char *holder, char text[static LINE_MAX_BYTES])
{
    size_t width = room_for_units(s), room = width * s->unit_lines;

    for (;; room -= s->unit_lines) {
        unsigned count = brief_units(s->units, holder, s->common, room, text, LINE_MAX_BYTES);

        if (room <= width || term_wrap(NULL, text, width, 0) <= s->unit_lines)
            return count;
    }
}

static void put_units(const struct screen *s, const char *text)
{
    term_wrap(s->out, text, room_for_units(s), (unsigned)s->member_width + FIXED_WIDTH);
}

static void show_member(const struct screen *s, const json_t *member)
{
    const struct term *term = &s->ctl->term;
    const char *state = reply_text(member, "state");
    char bar[BAR_TEXT_MAX], units[LINE_MAX_BYTES];

    term_bar(term, brief_load_by_share(member), s->highest, BAR_CELLS, bar, sizeof(bar));
    take_units(s, reply_text(member, "address"), units);
    fprintf(s->out, "%s %-*.*s %s%-*s%s %5lld %4lld %s%s%s ", reply_bool(member, "self") ? ">" : " ", s->member_width,
            s->member_width, reply_member(member, "address", "name"), term_begin(term, brief_state_colour(state)),
            STATE_WIDTH, state, term_end(term, brief_state_colour(state)), (long long)reply_int(member, "share"),
            (long long)reply_int(member, "load"), term_begin(term, brief_state_colour(state)), bar,
            term_end(term, brief_state_colour(state)));
    put_units(s, units);
    fputc('\n', s->out);
}

static void show_others(const struct screen *s, const char *who, const char *holder, enum colour colour)
{
    const struct term *term = &s->ctl->term;
    char units[LINE_MAX_BYTES];
    unsigned count = take_units(s, holder, units);
    const char *state = *holder != '\0' ? "stranger" : reply_bool(s->pool, "ready") ? "unowned" : "";

    fprintf(s->out, "%s! %-*.*s %-*s %5s %4u %*s ", term_begin(term, colour), s->member_width, s->member_width, who,
            STATE_WIDTH, state, "", count, BAR_CELLS, "");
    put_units(s, units);
    fprintf(s->out, "%s\n", term_end(term, colour));
}

static const char *nobody(const struct screen *s)
{
    return reply_bool(s->pool, "ready") ? "nobody" : "not known";
}

static unsigned count_rest(const struct screen *s)
{
    json_t *others = brief_others(s->pool);
    unsigned count = (unsigned)json_object_size(others);

    json_decref(others);
    return count;
}

static void show_rest(const struct screen *s)
{
    json_t *others = brief_others(s->pool), *value;
    const char *holder;

    json_object_foreach(others, holder, value)
    {
        if (*holder != '\0')
            show_others(s, holder, holder, COLOUR_YELLOW);
    }
    if (json_object_get(others, "") != NULL)
        show_others(s, nobody(s), "", COLOUR_RED);
    json_decref(others);
}

static int longer(int width, const char *name)
{
    return (int)strlen(name) > width ? (int)strlen(name) : width;
}

static int name_width(const struct screen *s)
{
    int width = (int)strlen("MEMBER"), least = width, most = (int)s->ctl->term.width - FIXED_WIDTH - UNITS_ROOM_MIN;
    json_t *member, *others = brief_others(s->pool), *value;
    const char *holder;
    size_t i;

    json_array_foreach(s->members, i, member) width = longer(width, reply_member(member, "address", "name"));
    json_object_foreach(others, holder, value) width = longer(width, *holder != '\0' ? holder : nobody(s));
    json_decref(others);
    return s->ctl->term.height == 0 || width <= most ? width : most > least ? most : least;
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
        .unit_lines = 1,
    };
    json_t *member;
    size_t i;

    brief_common(s.units, s.common);
    json_array_foreach(s.members, i, member)
    {
        if (brief_load_by_share(member) > s.highest)
            s.highest = brief_load_by_share(member);
    }
    s.member_width = name_width(&s);
    return s;
}

static void show_pool(const struct screen *s)
{
    json_t *member;
    size_t i;

    show_heading(s);
    fprintf(s->out, "  %-*s %-*s %5s %4s %-*s %s%s\n", s->member_width, "MEMBER", STATE_WIDTH, "STATE", "SHARE", "LOAD",
            BAR_CELLS, "LOAD/SHARE", s->common, *s->common == '\0' ? "UNITS" : "*");
    json_array_foreach(s->members, i, member) show_member(s, member);
    show_rest(s);
}

/* --- what fits --- */

/* Lines, or rows of the table of instances. */
struct layout {
    unsigned attention, instances, unit_lines;
};

/* Lines of all pools, and how many of them list units. */
static unsigned lines_of_pools(const struct ctl *ctl, const json_t *answer, unsigned *holders)
{
    unsigned lines = 0;
    json_t *pool;
    size_t i;

    *holders = 0;
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        struct screen s = look_at(NULL, ctl, answer, pool);

        *holders += (unsigned)json_array_size(s.members) + count_rest(&s);
        lines += i > 0 ? 3 : 2;
    }
    return lines + *holders;
}

static unsigned lines_of_attention(const struct ctl *ctl, const json_t *answer)
{
    unsigned lines = 0;
    json_t *item;
    size_t i;

    json_array_foreach(reply_get(answer, "attention"), i, item) lines += lines_of(ctl, reply_text(item, "text"));
    return lines;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* What is left of `lines` behind `used`; at least `least`. */
static unsigned left_of(unsigned lines, unsigned used, unsigned least)
{
    return lines > used + least ? lines - used : least;
}

static struct layout lay_out(const struct ctl *ctl, const json_t *answer)
{
    unsigned holders, pools = lines_of_pools(ctl, answer, &holders), attention = lines_of_attention(ctl, answer);
    unsigned instances = (unsigned)json_array_size(reply_get(answer, "instances"));
    unsigned headings = instances == 0 ? 0 : pools > 0 ? 3 : 2, lines = ctl->term.height - 1; /* one for the prompt */
    struct layout layout = {.attention = UNLIMITED, .instances = UNLIMITED, .unit_lines = 1};

    if (ctl->term.height == 0)
        return layout;
    layout.instances =
        smaller(instances, left_of(lines, pools + headings + smaller(attention, ATTENTION_LINES_MIN), INSTANCES_MIN));
    unsigned used = pools + headings + layout.instances;

    layout.attention = left_of(lines, used, ATTENTION_LINES_MIN);
    used += smaller(attention, layout.attention);
    if (holders > 0)
        layout.unit_lines += left_of(lines, used, 0) / holders;
    return layout;
}

int status_show(FILE *out, const struct ctl *ctl, const json_t *answer)
{
    struct layout layout = lay_out(ctl, answer);
    json_t *pool;
    size_t i;

    show_attention(out, ctl, answer, layout.attention);
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        struct screen s = look_at(out, ctl, answer, pool);

        s.unit_lines = layout.unit_lines;
        if (i > 0)
            fputc('\n', out);
        show_pool(&s);
    }
    instances_heading(out, ctl, answer);
    return instances_show(out, ctl, answer, layout.instances);
}
