/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of JSON rows for people, and for scripts (--columns, --no-headings). The one place that knows libsmartcols. A
 * table is described by its columns: which field of the row, and how it reads.
 */
#ifndef EVENKEEL_CTL_TABLE_H
#define EVENKEEL_CTL_TABLE_H

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/reply.h"

enum cell_format {
    CELL_TEXT,   /* string; "-" when null */
    CELL_NUMBER, /* integer or real, to the right; "-" when null */
    CELL_YES,    /* true: "yes" */
    CELL_AGE_MS, /* milliseconds, as a duration */
    CELL_SINCE,  /* a time, as the duration since */
    CELL_TIME,   /* a time; on a terminal without the date when that is the answer's */
    CELL_LIST,   /* array of strings: separated by commas */
    CELL_MEMBER, /* `field` with "_name" appended if there is one, else `field`; "name" for "address" */
};

struct column {
    const char *name;  /* in the heading; --columns takes it in any case */
    const char *field; /* of the row */
    enum cell_format format;
    bool usual; /* shown without --columns */
};

struct table;

/* NULL after saying why: --columns names an unknown column (then *code is EX_USAGE), or no memory. */
struct table *table_new(const struct ctl *ctl, const struct column *columns, unsigned count, int *code);
/* Whether all of --columns (NULL: the usual ones) are among these. */
bool table_has_columns(const struct column *columns, unsigned count, const char *names);
/* One line. `answer` is where ages are counted from; `pool` is what the field "pool" shows when the row has none. */
void table_add(struct table *table, const json_t *answer, const char *pool, const json_t *row, enum colour colour);
/* Prints and frees; table_print to standard output. EX_OK or EX_IOERR. */
int table_print_to(struct table *table, FILE *out);
int table_print(struct table *table);

#endif
