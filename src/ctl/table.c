/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of an answer -> cells of a libsmartcols table. Called by the commands that list something. */
#include "ctl/table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define COLUMNS_MAX 32
#define CELL_TEXT_MAX 2048

struct table {
    const struct column *columns;
    unsigned shown[COLUMNS_MAX]; /* indices into columns */
    unsigned shown_count;
    bool terminal;
    struct libscols_table *table;
    bool failed;
};

static int find_column(const struct column *columns, unsigned count, const char *name, size_t length)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(columns[i].name) == length && strncasecmp(columns[i].name, name, length) == 0)
            return (int)i;
    }
    return -1;
}

static void complain_column(const struct column *columns, unsigned count, const char *name, size_t length)
{
    ctl_complain("there is no column '%.*s'. Columns:", (int)length, name);
    for (unsigned i = 0; i < count; i++)
        fprintf(stderr, "%s%s", i == 0 ? "  " : ",", columns[i].name);
    fputc('\n', stderr);
}

bool table_has_columns(const struct column *columns, unsigned count, const char *names)
{
    while (names != NULL) {
        size_t length = strcspn(names, ",");

        if (find_column(columns, count, names, length) < 0)
            return false;
        names = names[length] == ',' ? names + length + 1 : NULL;
    }
    return true;
}

/* Fills t->shown from "name,holder" or with the usual ones. */
static bool choose_columns(struct table *t, const char *names, unsigned count)
{
    for (unsigned i = 0; i < count && names == NULL; i++) {
        if (t->columns[i].usual)
            t->shown[t->shown_count++] = i;
    }
    while (names != NULL) {
        const char *comma = strchr(names, ',');
        size_t length = comma != NULL ? (size_t)(comma - names) : strlen(names);
        int column = find_column(t->columns, count, names, length);

        if (column < 0 || t->shown_count == COLUMNS_MAX) {
            complain_column(t->columns, count, names, length);
            return false;
        }
        t->shown[t->shown_count++] = (unsigned)column;
        names = comma != NULL ? comma + 1 : NULL;
    }
    return true;
}

static bool make_columns(struct table *t, const struct ctl *ctl)
{
    t->table = scols_new_table();
    if (t->table == NULL)
        return false;
    for (unsigned i = 0; i < t->shown_count; i++) {
        const struct column *column = &t->columns[t->shown[i]];
        bool right = column->format == CELL_NUMBER || column->format == CELL_AGE_MS || column->format == CELL_SINCE;

        if (scols_table_new_column(t->table, column->name, 0, right ? SCOLS_FL_RIGHT : 0) == NULL)
            return false;
    }
    scols_table_enable_colors(t->table, ctl->term.colour);
    scols_table_enable_noheadings(t->table, ctl->no_headings);
    /* Nothing is cut: a script reads whole values, and a terminal wraps. */
    scols_table_enable_nowrap(t->table, 0);
    scols_table_set_termforce(t->table, SCOLS_TERMFORCE_NEVER);
    return true;
}

struct table *table_new(const struct ctl *ctl, const struct column *columns, unsigned count, int *code)
{
    struct table *t = calloc(1, sizeof(*t));

    *code = EX_OSERR;
    if (t == NULL)
        return NULL;
    t->columns = columns;
    t->terminal = ctl->term.height > 0;
    if (!choose_columns(t, ctl->columns, count)) {
        *code = EX_USAGE;
    } else if (make_columns(t, ctl)) {
        *code = EX_OK;
        return t;
    }
    if (t->table != NULL)
        scols_unref_table(t->table);
    free(t);
    return NULL;
}

static void list_text(const json_t *list, char *text, size_t size)
{
    size_t i, used = 0;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ",", json_string_value(item));
        if (used >= size)
            return;
    }
}

static void member_text(const json_t *row, const char *field, char *text, size_t size)
{
    char name[64];

    if (strcmp(field, "address") == 0)
        snprintf(name, sizeof(name), "name");
    else
        snprintf(name, sizeof(name), "%s_name", field);
    snprintf(text, size, "%s", reply_member(row, field, name));
}

static void cell_text(const struct table *table, const struct column *column, const json_t *answer, const char *pool,
                      const json_t *row, char *text, size_t size)
{
    const json_t *value = reply_get(row, column->field);
    char duration[REPLY_DURATION_MAX];

    text[0] = '\0';
    switch (column->format) {
    case CELL_TEXT:
        if (value == NULL && strcmp(column->field, "pool") == 0)
            snprintf(text, size, "%s", pool);
        else
            snprintf(text, size, "%s", json_is_string(value) ? json_string_value(value) : "-");
        return;
    case CELL_NUMBER:
        if (json_is_integer(value))
            snprintf(text, size, "%lld", (long long)json_integer_value(value));
        else
            snprintf(text, size, json_is_real(value) ? "%.1f" : "-", json_real_value(value));
        return;
    case CELL_YES:
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "-");
        return;
    case CELL_AGE_MS:
        snprintf(text, size, "%s",
                 reply_duration(json_is_number(value) ? json_number_value(value) / 1000 : -1, duration));
        return;
    case CELL_SINCE:
        snprintf(text, size, "%s", reply_duration(reply_age_s(answer, row, column->field), duration));
        return;
    case CELL_TIME:
        if (!json_is_string(value))
            snprintf(text, size, "-");
        else
            snprintf(text, size, "%s",
                     table->terminal ? reply_short_time(answer, json_string_value(value)) : json_string_value(value));
        return;
    case CELL_LIST:
        list_text(value, text, size);
        return;
    case CELL_MEMBER:
        member_text(row, column->field, text, size);
        return;
    }
}

void table_add(struct table *table, const json_t *answer, const char *pool, const json_t *row, enum colour colour)
{
    struct libscols_line *line = scols_table_new_line(table->table, NULL);
    char text[CELL_TEXT_MAX];

    if (line == NULL) {
        table->failed = true;
        return;
    }
    for (unsigned i = 0; i < table->shown_count; i++) {
        cell_text(table, &table->columns[table->shown[i]], answer, pool, row, text, sizeof(text));
        if (scols_line_set_data(line, i, text) != 0)
            table->failed = true;
    }
    if (colour != COLOUR_NONE)
        scols_line_set_color(line, term_colour_name(colour));
}

int table_print_to(struct table *table, FILE *out)
{
    scols_table_set_stream(table->table, out);
    bool failed = table->failed || scols_print_table(table->table) != 0;

    scols_unref_table(table->table);
    free(table);
    return failed ? EX_IOERR : EX_OK;
}

int table_print(struct table *table)
{
    return table_print_to(table, stdout);
}
