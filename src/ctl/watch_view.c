/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing a frame (see watch_view.h). The body is made of lines that are counted whether they are seen or not: that is
 * all there is to scrolling.
 */
#include "ctl/watch_view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ctl/brief.h"

#define LINE_BYTES 1024
#define BAR_CELLS 20
#define BAR_TEXT_MAX (3 * BAR_CELLS + 1)
#define NAME_CELLS_MAX 24
#define ADDRESS_CELLS_MAX 39 /* of an IPv6 address */
#define STATE_CELLS 8        /* "stranger" */
#define ATTENTION_ROWS 2     /* of one sentence */
#define CHANGES_MAX 6        /* lines of the last changes, with their heading; more where the body leaves room */
#define TIME_BEGIN 11        /* of "2026-01-31T12:34:56.789Z" */

/* Where the next line goes. Lines before `skip` and after `end` are only counted. */
struct page {
    struct screen *screen;
    const struct ctl *ctl;
    unsigned row, end; /* of the screen */
    unsigned skip, lines;
};

__attribute__((format(printf, 4, 5))) static unsigned put(struct screen *screen, unsigned row, unsigned column,
                                                          const char *format, ...)
{
    char text[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return screen_put(screen, row, column, COLOUR_NONE, text);
}

/* True when the page's next line is seen; *row is its place then. */
static bool next_line(struct page *page, unsigned *row)
{
    if (page->lines++ < page->skip || page->row >= page->end)
        return false;
    *row = page->row++;
    return true;
}

__attribute__((format(printf, 3, 4))) static void add_line(struct page *page, enum colour colour, const char *format,
                                                           ...)
{
    char text[LINE_BYTES];
    va_list arguments;
    unsigned row;

    if (!next_line(page, &row))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    screen_put(page->screen, row, 0, colour, text);
}

/* --- the frame around the body --- */

static void draw_title(const struct watch_state *state, const struct watch_answers *answers, struct screen *screen)
{
    const char *time = reply_text(answers->status, "time");
    char uptime[REPLY_DURATION_MAX], text[LINE_BYTES];
    const json_t *daemon = reply_get(answers->status, "daemon");

    snprintf(text, sizeof(text), " evenkeel %.8s UTC, up %s",
             strlen(time) > TIME_BEGIN ? time + TIME_BEGIN : "--:--:--",
             reply_duration(daemon != NULL ? (double)reply_int(daemon, "uptime_s") : -1, uptime));
    unsigned column = screen_put(screen, 0, 0, COLOUR_REVERSE, text);

    if (state->page == WATCH_UNITS) {
        snprintf(text, sizeof(text), "   by %s%s%s%s", watch_sort_name(state->sort),
                 state->reversed ? ", reversed" : "", state->filter[0] != '\0' || state->typing ? "   only: " : "",
                 state->filter);
        column = screen_put(screen, 0, column, COLOUR_REVERSE, text);
        if (state->typing)
            column = screen_put(screen, 0, column, COLOUR_REVERSE, "_");
    }
    if (state->paused)
        column = screen_put(screen, 0, column, COLOUR_REVERSE, "   PAUSED");
    screen_fill(screen, 0, column, COLOUR_REVERSE);
}

static void draw_keys(const struct watch_state *state, struct screen *screen)
{
    const char *text = " Tab units/members  s sort  r reverse  / filter  p pause  h help  q quit";
    unsigned row = screen_height(screen) - 1;

    if (state->typing)
        text = " type a part of an address or a name; Enter keeps it, Esc drops it";
    screen_fill(screen, row, screen_put(screen, row, 0, COLOUR_REVERSE, text), COLOUR_REVERSE);
}

/* How much of `text` goes into a row of `room`: up to a space, if there is one that is not far from the end. */
static size_t fitting(const char *text, size_t room)
{
    size_t length = strnlen(text, room), space = length;

    if (text[length] == '\0')
        return length;
    while (space > room / 2 && text[space] != ' ')
        space--;
    return text[space] == ' ' ? space : length;
}

/* A sentence in as many rows as it needs, at most ATTENTION_ROWS. Returns the row behind. */
static unsigned put_sentence(struct screen *screen, unsigned row, enum colour colour, const char *text)
{
    unsigned room = screen_width(screen) > 10 ? screen_width(screen) - 2 : 8;
    const char *mark = "! ";

    for (unsigned i = 0; i < ATTENTION_ROWS && (i == 0 || *text != '\0'); i++, row++) {
        size_t length = fitting(text, room);
        char piece[LINE_BYTES];

        snprintf(piece, sizeof(piece), "%s%.*s", mark, (int)length, text);
        screen_put(screen, row, 0, colour, piece);
        text += length + (text[length] == ' ');
        mark = "  ";
    }
    return row;
}

/* Returns the row behind. */
static unsigned draw_attention(const struct watch_answers *answers, struct screen *screen, unsigned row)
{
    const json_t *list = reply_get(answers->status, "attention");
    unsigned most = screen_height(screen) / 8 + 1;
    size_t count = json_array_size(list), i;
    json_t *item;

    if (answers->problem[0] != '\0')
        row = put_sentence(screen, row, COLOUR_RED, answers->problem);
    json_array_foreach(list, i, item)
    {
        bool alarm = strcmp(reply_text(item, "severity"), "alarm") == 0;

        if (i + 1 == most && count > most) {
            put(screen, row++, 0, "! and %zu more", count - i);
            break;
        }
        row = put_sentence(screen, row, alarm ? COLOUR_RED : COLOUR_YELLOW, reply_text(item, "text"));
    }
    return row;
}

/* The name of a member of any pool; else its address; "nobody". */
static const char *name_of(const json_t *status, const char *address)
{
    json_t *pool, *member;
    size_t i, k;

    json_array_foreach(reply_get(status, "pools"), i, pool)
    {
        json_array_foreach(reply_get(pool, "members"), k, member)
        {
            if (strcmp(reply_text(member, "address"), address) == 0)
                return reply_member(member, "address", "name");
        }
    }
    return *address != '\0' ? address : "nobody";
}

/* What changed: who had the unit, or the state of an instance. */
static void put_change(const json_t *status, const json_t *entry, struct screen *screen, unsigned row)
{
    const char *time = reply_text(entry, "time"), *instance = reply_text(entry, "instance");
    double gap_ms = reply_real(entry, "gap_ms", -1);
    unsigned column = put(screen, row, 0, "%.12s  ", strlen(time) > TIME_BEGIN ? time + TIME_BEGIN : "-");

    if (*instance != '\0')
        column = put(screen, row, column, "%s  %s -> %s  %s", instance, reply_text(entry, "from_state"),
                     reply_text(entry, "to_state"), reply_text(entry, "reason"));
    else
        column = put(screen, row, column, "%s  %s -> %s  %s", reply_text(entry, "address"),
                     name_of(status, reply_text(entry, "from")), name_of(status, reply_text(entry, "to")),
                     reply_text(entry, "reason"));
    if (gap_ms >= 0)
        put(screen, row, column, ", gap %.1f ms", gap_ms);
}

/* The newest first, in the rows from `row` to `end`. */
static void draw_changes(const struct watch_answers *answers, struct screen *screen, unsigned row, unsigned end)
{
    const json_t *entries = reply_get(answers->history, "entries");

    if (row + 1 >= end || json_array_size(entries) == 0)
        return;
    screen_put(screen, row++, 0, COLOUR_BOLD, "LAST CHANGES");
    for (size_t i = json_array_size(entries); i > 0 && row < end; i--, row++)
        put_change(answers->status, json_array_get(entries, i - 1), screen, row);
}

/* --- the page of members --- */

/* What the lines of one pool's members have in common. */
struct columns {
    char common[BRIEF_COMMON_MAX];
    unsigned name;
    double highest;
};

static unsigned longer(unsigned cells, const char *text, unsigned most)
{
    unsigned length = (unsigned)strlen(text);

    length = length < most ? length : most;
    return length > cells ? length : cells;
}

static struct columns measure(const json_t *pool)
{
    struct columns columns = {.name = 6};
    json_t *member, *others = brief_others(pool), *value;
    const char *holder;
    size_t i;

    brief_common(reply_get(pool, "units"), columns.common);
    json_array_foreach(reply_get(pool, "members"), i, member)
    {
        columns.name = longer(columns.name, reply_member(member, "address", "name"), NAME_CELLS_MAX);
        if (brief_load_by_share(member) > columns.highest)
            columns.highest = brief_load_by_share(member);
    }
    json_object_foreach(others, holder, value) columns.name = longer(columns.name, holder, NAME_CELLS_MAX);
    json_decref(others);
    return columns;
}

/* The units of a holder, shortened to the rest of the row. */
static void put_units(struct page *page, unsigned row, unsigned column, enum colour colour, const json_t *pool,
                      const char *holder, const struct columns *columns)
{
    char units[LINE_BYTES];
    unsigned width = screen_width(page->screen);

    brief_units(reply_get(pool, "units"), holder, columns->common, width > column + 12 ? width - column : 12, units,
                sizeof(units));
    screen_put(page->screen, row, column, colour, units);
}

static void add_member(struct page *page, const json_t *pool, const json_t *member, const struct columns *columns)
{
    const char *state = reply_text(member, "state");
    enum colour colour = brief_state_colour(state);
    char bar[BAR_TEXT_MAX];
    unsigned row, column, cells = screen_width(page->screen) >= 100 ? BAR_CELLS : BAR_CELLS / 2;

    if (!next_line(page, &row))
        return;
    term_bar(&page->ctl->term, brief_load_by_share(member), columns->highest, cells, bar, sizeof(bar));
    column = put(page->screen, row, 0, "%s %-*.*s ", reply_bool(member, "self") ? ">" : " ", (int)columns->name,
                 (int)columns->name, reply_member(member, "address", "name"));
    screen_put(page->screen, row, column, colour, state);
    column = put(page->screen, row, column + STATE_CELLS + 1, "%5lld %4lld ", (long long)reply_int(member, "share"),
                 (long long)reply_int(member, "load"));
    screen_put(page->screen, row, column, colour, bar);
    put_units(page, row, column + cells + 1, COLOUR_NONE, pool, reply_text(member, "address"), columns);
}

/* Units that no member holds: by whom, or that nobody does. */
static void add_others(struct page *page, const json_t *pool, const struct columns *columns)
{
    json_t *others = brief_others(pool), *value;
    const char *holder;
    unsigned row;

    json_object_foreach(others, holder, value)
    {
        enum colour colour = *holder != '\0' ? COLOUR_YELLOW : COLOUR_RED;
        char text[LINE_BYTES] = "! nobody holds ";

        if (!next_line(page, &row))
            continue;
        if (*holder != '\0')
            snprintf(text, sizeof(text), "! %-*.*s %s ", (int)columns->name, (int)columns->name, holder, "stranger");
        put_units(page, row, screen_put(page->screen, row, 0, colour, text), colour, pool, holder, columns);
    }
    json_decref(others);
}

static enum colour instance_colour(const char *state)
{
    if (strcmp(state, "Active") == 0)
        return COLOUR_GREEN;
    return strcmp(state, "Fault") == 0 ? COLOUR_RED : COLOUR_NONE;
}

/* Who is Active for it, as far as this host knows. */
static const char *active_router(const json_t *instance)
{
    const char *holder = reply_text(instance, "holder");

    if (*holder != '\0')
        return holder;
    return strcmp(reply_text(instance, "state"), "Backup") == 0 ? "nobody" : "-"; /* it listens */
}

/* keepalived's instances, which have a state of this host instead of members. */
static void draw_instances(struct page *page, const json_t *instances)
{
    int name = (int)strlen("INSTANCE"), router = (int)strlen("ACTIVE ROUTER");
    json_t *instance;
    size_t i;

    json_array_foreach(instances, i, instance)
    {
        name = (int)longer((unsigned)name, reply_text(instance, "name"), NAME_CELLS_MAX);
        router = (int)longer((unsigned)router, active_router(instance), NAME_CELLS_MAX);
    }
    if (json_array_size(instances) > 0)
        add_line(page, COLOUR_DIM, "  %-*s %-10s %8s  %-*s %s", name, "INSTANCE", "STATE", "PRIORITY", router,
                 "ACTIVE ROUTER", "ADDRESSES");
    json_array_foreach(instances, i, instance)
    {
        const json_t *addresses = reply_get(instance, "addresses");
        size_t more = json_array_size(addresses);
        char rest[32] = "";

        if (more > 1)
            snprintf(rest, sizeof(rest), " +%zu", more - 1);
        add_line(page, instance_colour(reply_text(instance, "state")), "  %-*.*s %-10s %8lld  %-*s %s%s", name, name,
                 reply_text(instance, "name"), reply_text(instance, "state"),
                 (long long)reply_int(instance, "priority"), router, active_router(instance),
                 more > 0 ? json_string_value(json_array_get(addresses, 0)) : "-", rest);
    }
}

static void draw_members(struct page *page, const json_t *status)
{
    json_t *pool, *member;
    size_t i, k;

    json_array_foreach(reply_get(status, "pools"), i, pool)
    {
        struct columns columns = measure(pool);

        add_line(page, COLOUR_BOLD, "%s on %s: %zu units, %zu members, arp_filter %s", reply_text(pool, "name"),
                 reply_text(pool, "interface"), json_array_size(reply_get(pool, "units")),
                 json_array_size(reply_get(pool, "members")), brief_filter(pool));
        add_line(page, COLOUR_DIM, "  %-*s %-*s %5s %4s LOAD/SHARE, UNITS %s%s", (int)columns.name, "MEMBER",
                 STATE_CELLS, "STATE", "SHARE", "LOAD", columns.common, columns.common[0] != '\0' ? "*" : "");
        json_array_foreach(reply_get(pool, "members"), k, member) add_member(page, pool, member, &columns);
        add_others(page, pool, &columns);
    }
    draw_instances(page, reply_get(status, "instances"));
}

/* --- the page of units --- */

static enum colour unit_colour(const json_t *unit)
{
    switch (watch_trouble(unit)) {
    case 3:
        return COLOUR_RED;
    case 2:
    case 1:
        return COLOUR_YELLOW;
    default:
        return COLOUR_NONE;
    }
}

static const char *remark(const json_t *status, const json_t *unit, char text[static LINE_BYTES])
{
    if (reply_bool(unit, "contested"))
        snprintf(text, LINE_BYTES, "also claimed by %s", name_of(status, reply_text(unit, "contender")));
    else if (strcmp(reply_text(unit, "holder_kind"), "stranger") == 0)
        snprintf(text, LINE_BYTES, "held by a stranger");
    else if (reply_bool(unit, "address_list_differs"))
        snprintf(text, LINE_BYTES, "another address list");
    else if (reply_bool(reply_get(unit, "conflict"), "recent"))
        snprintf(text, LINE_BYTES, "also at %s", reply_text(reply_get(unit, "conflict"), "mac"));
    else if (!reply_is_null(unit, "planned"))
        snprintf(text, LINE_BYTES, "moves to %s", name_of(status, reply_text(unit, "planned")));
    else
        snprintf(text, LINE_BYTES, "%s", reply_bool(unit, "pinned") ? "pinned" : "");
    return text;
}

/* How wide the columns of units are: as their widest cell, so that the remarks have room. */
struct unit_cells {
    int unit, holder, next;
};

static struct unit_cells measure_units(const json_t *status, const struct watch_row *rows, unsigned count)
{
    unsigned unit = (unsigned)strlen("UNIT"), holder = (unsigned)strlen("HOLDER"), next = (unsigned)strlen("NEXT");

    for (unsigned i = 0; i < count; i++) {
        unit = longer(unit, brief_unit_name(rows[i].unit), ADDRESS_CELLS_MAX);
        holder = longer(holder, name_of(status, reply_text(rows[i].unit, "holder")), NAME_CELLS_MAX);
        next = longer(next, name_of(status, reply_text(rows[i].unit, "next")), NAME_CELLS_MAX);
    }
    return (struct unit_cells){.unit = (int)unit, .holder = (int)holder, .next = (int)next};
}

static void add_unit(struct page *page, const json_t *status, const struct watch_row *unit, struct unit_cells cells)
{
    char since[REPLY_DURATION_MAX], text[LINE_BYTES];

    add_line(page, unit_colour(unit->unit), "  %-*s %-*.*s %9s  %-*.*s  %s", cells.unit, brief_unit_name(unit->unit),
             cells.holder, cells.holder, name_of(status, reply_text(unit->unit, "holder")),
             reply_duration(reply_age_s(status, unit->unit, "since"), since), cells.next, cells.next,
             name_of(status, reply_text(unit->unit, "next")), remark(status, unit->unit, text));
}

/* "beta: 20 units" before the first of each holder. */
static void add_group(struct page *page, const json_t *status, const struct watch_row *rows, unsigned count,
                      unsigned first)
{
    unsigned units = 0;

    while (first + units < count && rows[first + units].pool == rows[first].pool &&
           rows[first + units].group == rows[first].group)
        units++;
    add_line(page, COLOUR_BOLD, "%s: %u unit%s", name_of(status, reply_text(rows[first].unit, "holder")), units,
             units == 1 ? "" : "s");
}

static void draw_units(const struct watch_state *state, struct page *page, const json_t *status)
{
    struct watch_row *rows = calloc(WATCH_ROWS_MAX, sizeof(*rows));
    unsigned count = rows != NULL ? watch_pick(state, status, rows) : 0;
    bool pools = json_array_size(reply_get(status, "pools")) > 1;

    struct unit_cells cells = measure_units(status, rows, count);

    add_line(page, COLOUR_DIM, "  %-*s %-*s %9s  NEXT", cells.unit, "UNIT", cells.holder, "HOLDER", "SINCE");
    for (unsigned i = 0; i < count; i++) {
        bool new_pool = i == 0 || rows[i].pool != rows[i - 1].pool;

        if (new_pool && pools)
            add_line(page, COLOUR_BOLD, "%s", reply_text(rows[i].pool, "name"));
        if (state->sort == WATCH_BY_HOLDER && (new_pool || rows[i].group != rows[i - 1].group))
            add_group(page, status, rows, count, i);
        add_unit(page, status, &rows[i], cells);
    }
    if (count == 0)
        add_line(page, COLOUR_NONE, state->filter[0] != '\0' ? "  no unit matches" : "  there is no unit");
    free(rows);
}

static void draw_help(struct page *page)
{
    static const char *const lines[] = {
        "Tab, u        members and units in turn",
        "s             next order: by holder, by address, by last change, by trouble",
        "r             the order reversed",
        "/, f          only units with this in address, holder or pool; Esc: all again",
        "p, space      stop the picture, and go on",
        "arrows, j, k  a line down or up; Page Up, Page Down, Home, End",
        "h, ?          this",
        "q             leave",
        "",
        "What needs attention comes first, alarms in red.",
        "'>' is this host, '*' a pinned unit, '!' a contested one.",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
        add_line(page, COLOUR_NONE, "  %s", lines[i]);
}

static void draw_body(struct watch_state *state, struct page *page, const json_t *status)
{
    if (status == NULL && state->page != WATCH_HELP) {
        add_line(page, COLOUR_DIM, "  waiting for evenkeeld's first answer");
        return;
    }
    switch (state->page) {
    case WATCH_MEMBERS:
        draw_members(page, status);
        return;
    case WATCH_UNITS:
        draw_units(state, page, status);
        return;
    case WATCH_HELP:
        draw_help(page);
        return;
    }
}

/* Lines for the last changes at the bottom of `room`. */
static unsigned changes_lines(enum watch_page page, unsigned room)
{
    unsigned most = page == WATCH_MEMBERS ? CHANGES_MAX : page == WATCH_UNITS ? CHANGES_MAX / 2 : 0;

    return room / 3 < most ? room / 3 : most;
}

void watch_draw(struct watch_state *state, const struct ctl *ctl, const struct watch_answers *answers,
                struct screen *screen)
{
    unsigned first = draw_attention(answers, screen, 1), keys = screen_height(screen) - 1;
    unsigned room = keys > first ? keys - first : 0, changes = changes_lines(state->page, room);
    struct page page = {.screen = screen, .ctl = ctl, .row = first, .end = first + room - changes, .skip = state->top};

    draw_title(state, answers, screen);
    draw_body(state, &page, answers->status);
    state->body_lines = page.lines;
    state->page_lines = room - changes;
    if (state->top > 0 && state->top + state->page_lines > state->body_lines) /* the next frame is right again */
        state->top = state->body_lines > state->page_lines ? state->body_lines - state->page_lines : 0;
    if (state->page == WATCH_MEMBERS && page.row < page.end)
        page.end = page.row; /* what the members leave is the changes' */
    if (changes > 0)
        draw_changes(answers, screen, page.end, keys);
    draw_keys(state, screen);
}
