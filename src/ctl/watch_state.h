/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the one who watches has chosen: page, order, filter, pause, place; changed by keys. And what follows from it:
 * which units are shown, in which order. Pure; used by watch_view.c and cmd_watch.c.
 */
#ifndef EVENKEEL_CTL_WATCH_STATE_H
#define EVENKEEL_CTL_WATCH_STATE_H

#include "ctl/reply.h"

#define WATCH_FILTER_MAX 64
#define WATCH_ROWS_MAX 4096 /* 16 pools of 255 units */

enum watch_key {
    WATCH_KEY_NONE,
    WATCH_KEY_UP = 256, /* below: the character itself */
    WATCH_KEY_DOWN,
    WATCH_KEY_PAGE_UP,
    WATCH_KEY_PAGE_DOWN,
    WATCH_KEY_HOME,
    WATCH_KEY_END,
    WATCH_KEY_ESCAPE,
};

enum watch_sort {
    WATCH_BY_HOLDER,  /* grouped: members in the answer's order, then strangers, then nobody */
    WATCH_BY_ADDRESS, /* numerically */
    WATCH_BY_CHANGE,  /* the latest change first */
    WATCH_BY_TROUBLE, /* what is unowned, contested or strange first */
    WATCH_SORT_COUNT,
};

enum watch_page {
    WATCH_MEMBERS, /* a line for each member, its units in it */
    WATCH_UNITS,   /* a line for each unit */
    WATCH_HELP,
};

struct watch_state {
    enum watch_page page;
    enum watch_sort sort;
    bool reversed;
    bool paused;
    bool typing;                   /* keys go into the filter */
    char filter[WATCH_FILTER_MAX]; /* "": all */
    unsigned top;                  /* the first line of the page's body that is shown */
    unsigned page_lines;           /* of the body, as last drawn */
    unsigned body_lines;           /* as many as there are, as last drawn */
};

struct watch_row {
    const json_t *pool, *unit;
    unsigned group; /* of its holder: the member's place in the pool; strangers and nobody come behind */
};

const char *watch_sort_name(enum watch_sort sort);

/* The next key in `bytes`; *used gets how many bytes it took. WATCH_KEY_NONE: none that means anything. */
int watch_read_key(const char *bytes, size_t length, size_t *used);
/* False: the one who watches wants to go. */
bool watch_take_key(struct watch_state *state, int key);

/* The filter is part of one of its addresses, its holder's name or address, or its pool's name; in any case of letters.
 */
bool watch_matches(const struct watch_state *state, const json_t *pool, const json_t *unit);
/* The units to show, in order. Returns how many. */
unsigned watch_pick(const struct watch_state *state, const json_t *status,
                    struct watch_row rows[static WATCH_ROWS_MAX]);

/* How bad it is for a unit: 3 unowned or contested, 2 held by a stranger, 1 a difference or conflict, 0 well. */
unsigned watch_trouble(const json_t *unit);

#endif
