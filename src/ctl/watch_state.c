/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys, order and filter of keelctl watch (see watch_state.h). It keeps nothing. */
#include "ctl/watch_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/check.h"
#include "ctl/brief.h"

#define KEY_BACKSPACE 0x7f
#define KEY_CONTROL_H 0x08
#define KEY_CONTROL_U 0x15

static const char *const sort_names[] = {
    [WATCH_BY_HOLDER] = "holder",
    [WATCH_BY_ADDRESS] = "address",
    [WATCH_BY_CHANGE] = "last change",
    [WATCH_BY_TROUBLE] = "trouble",
};
static_assert(ARRAY_LENGTH(sort_names) == WATCH_SORT_COUNT, "a name for each order");

const char *watch_sort_name(enum watch_sort sort)
{
    return sort_names[sort];
}

/* --- keys --- */

/* What follows "ESC [" or "ESC O". */
static int read_sequence(const char *bytes, size_t length, size_t *used)
{
    static const struct {
        const char *text;
        int key;
    } sequences[] = {
        {"A", WATCH_KEY_UP},    {"B", WATCH_KEY_DOWN}, {"5~", WATCH_KEY_PAGE_UP}, {"6~", WATCH_KEY_PAGE_DOWN},
        {"H", WATCH_KEY_HOME},  {"F", WATCH_KEY_END},  {"1~", WATCH_KEY_HOME},    {"4~", WATCH_KEY_END},
        {"7~", WATCH_KEY_HOME}, {"8~", WATCH_KEY_END},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(sequences); i++) {
        size_t size = strlen(sequences[i].text);

        if (length >= size && memcmp(bytes, sequences[i].text, size) == 0) {
            *used += size;
            return sequences[i].key;
        }
    }
    /* Any other: parameters and one final byte, passed over as a whole. */
    size_t end = 0;

    while (end < length && (unsigned char)bytes[end] < 0x40)
        end++;
    *used += end < length ? end + 1 : end;
    return WATCH_KEY_NONE;
}

int watch_read_key(const char *bytes, size_t length, size_t *used)
{
    *used = 1;
    if (bytes[0] != '\033')
        return (unsigned char)bytes[0];
    if (length < 2 || (bytes[1] != '[' && bytes[1] != 'O'))
        return WATCH_KEY_ESCAPE;
    *used = 2;
    return read_sequence(bytes + 2, length - 2, used);
}

static void type(struct watch_state *state, int key)
{
    size_t length = strlen(state->filter);

    if (key == '\r' || key == '\n' || key == WATCH_KEY_ESCAPE) {
        state->typing = false;
        if (key == WATCH_KEY_ESCAPE)
            state->filter[0] = '\0';
    } else if (key == KEY_BACKSPACE || key == KEY_CONTROL_H) {
        state->filter[length > 0 ? length - 1 : 0] = '\0';
    } else if (key == KEY_CONTROL_U) {
        state->filter[0] = '\0';
    } else if (key >= ' ' && key < KEY_BACKSPACE && length + 1 < sizeof(state->filter)) {
        state->filter[length] = (char)key;
        state->filter[length + 1] = '\0';
    }
    state->top = 0;
}

static void move(struct watch_state *state, int64_t lines)
{
    int64_t top = (int64_t)state->top + lines;
    int64_t last = (int64_t)state->body_lines - (int64_t)state->page_lines;

    top = top > last ? last : top;
    state->top = top > 0 ? (unsigned)top : 0;
}

static void show(struct watch_state *state, enum watch_page page)
{
    state->page = page;
    state->top = 0;
}

static bool take_letter(struct watch_state *state, int key)
{
    switch (key) {
    case 'q':
        return state->page == WATCH_HELP ? show(state, WATCH_MEMBERS), true : false;
    case '\t':
    case 'u':
        show(state, state->page == WATCH_MEMBERS ? WATCH_UNITS : WATCH_MEMBERS);
        return true;
    case 's':
        state->sort = (enum watch_sort)((state->sort + 1) % WATCH_SORT_COUNT);
        show(state, WATCH_UNITS); /* where it can be seen */
        return true;
    case 'r':
        state->reversed = !state->reversed;
        show(state, WATCH_UNITS);
        return true;
    case '/':
    case 'f':
        state->typing = true;
        show(state, WATCH_UNITS);
        return true;
    case 'p':
    case ' ':
        state->paused = !state->paused;
        return true;
    case 'h':
    case '?':
        show(state, state->page == WATCH_HELP ? WATCH_MEMBERS : WATCH_HELP);
        return true;
    case 'j':
        move(state, 1);
        return true;
    case 'k':
        move(state, -1);
        return true;
    default: /* any other key of the keyboard */
        return true;
    }
}

bool watch_take_key(struct watch_state *state, int key)
{
    if (state->typing && key != WATCH_KEY_NONE && (key < WATCH_KEY_UP || key == WATCH_KEY_ESCAPE)) {
        type(state, key);
        return true;
    }
    switch (key) {
    case WATCH_KEY_UP:
        move(state, -1);
        return true;
    case WATCH_KEY_DOWN:
        move(state, 1);
        return true;
    case WATCH_KEY_PAGE_UP:
        move(state, -(int64_t)state->page_lines);
        return true;
    case WATCH_KEY_PAGE_DOWN:
        move(state, state->page_lines);
        return true;
    case WATCH_KEY_HOME:
        move(state, -(int64_t)state->body_lines);
        return true;
    case WATCH_KEY_END:
        move(state, state->body_lines);
        return true;
    case WATCH_KEY_ESCAPE:
        state->filter[0] = '\0';
        show(state, WATCH_MEMBERS);
        return true;
    default:
        return take_letter(state, key);
    }
}

/* --- which units, in which order --- */

static bool contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

bool watch_matches(const struct watch_state *state, const json_t *pool, const json_t *unit)
{
    json_t *address;
    size_t i;

    json_array_foreach(reply_get(unit, "addresses"), i, address)
    {
        if (contains(json_string_value(address), state->filter))
            return true;
    }
    return contains(reply_text(unit, "holder_name"), state->filter) ||
           contains(reply_text(unit, "holder"), state->filter) || contains(reply_text(pool, "name"), state->filter);
}

unsigned watch_trouble(const json_t *unit)
{
    const char *kind = reply_text(unit, "holder_kind");

    if (strcmp(kind, "none") == 0 || reply_bool(unit, "contested"))
        return 3;
    if (strcmp(kind, "stranger") == 0)
        return 2;
    return reply_bool(unit, "address_list_differs") || reply_bool(reply_get(unit, "conflict"), "recent");
}

/* Where the unit's holder stands among the members; behind them strangers, and then nobody. */
static unsigned group_of(const json_t *pool, const json_t *unit)
{
    const json_t *members = reply_get(pool, "members");
    const char *holder = reply_text(unit, "holder");
    unsigned count = (unsigned)json_array_size(members);
    json_t *member;
    size_t i;

    json_array_foreach(members, i, member)
    {
        if (strcmp(reply_text(member, "address"), holder) == 0)
            return (unsigned)i;
    }
    return *holder != '\0' ? count : count + 1;
}

static int compare_addresses(const struct watch_row *a, const struct watch_row *b)
{
    const char *name_a = brief_unit_name(a->unit), *name_b = brief_unit_name(b->unit);
    struct addr address_a, address_b;

    if (!addr_parse(name_a, &address_a) || !addr_parse(name_b, &address_b))
        return strcmp(name_a, name_b);
    return addr_compare(&address_a, &address_b);
}

static const char *changed(const json_t *unit)
{
    return reply_text(reply_get(unit, "last_change"), "time");
}

static int compare(const struct watch_row *a, const struct watch_row *b, enum watch_sort sort)
{
    int order = 0;

    switch (sort) {
    case WATCH_BY_HOLDER:
        order = a->group < b->group ? -1 : a->group > b->group;
        break;
    case WATCH_BY_CHANGE:
        order = strcmp(changed(b->unit), changed(a->unit)); /* RFC 3339 in UTC: as text, and the latest first */
        break;
    case WATCH_BY_TROUBLE:
        order = (int)watch_trouble(b->unit) - (int)watch_trouble(a->unit);
        break;
    case WATCH_BY_ADDRESS:
    case WATCH_SORT_COUNT:
        break;
    }
    return order != 0 ? order : compare_addresses(a, b);
}

struct order {
    enum watch_sort sort;
    bool reversed;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    int result = compare(a, b, order->sort);

    return order->reversed ? -result : result;
}

unsigned watch_pick(const struct watch_state *state, const json_t *status, struct watch_row rows[static WATCH_ROWS_MAX])
{
    struct order order = {.sort = state->sort, .reversed = state->reversed};
    unsigned count = 0;
    json_t *pool, *unit;
    size_t i, k;

    json_array_foreach(reply_get(status, "pools"), i, pool)
    {
        unsigned first = count;

        json_array_foreach(reply_get(pool, "units"), k, unit)
        {
            if (count < WATCH_ROWS_MAX && watch_matches(state, pool, unit))
                rows[count++] = (struct watch_row){.pool = pool, .unit = unit, .group = group_of(pool, unit)};
        }
        qsort_r(rows + first, count - first, sizeof(rows[0]), compare_rows, &order);
    }
    return count;
}
