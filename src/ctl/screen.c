/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two frames of cells and the difference between them. In a row only the cells that differ are written; a gap of equal
 * cells is jumped over when that is shorter, and a tail of blanks is erased. Called by watch_view.c and cmd_watch.c.
 */
#include "ctl/screen.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define CELL_BYTES 4    /* of one UTF-8 character */
#define CELL_OUT_MAX 32 /* bytes that one cell can cost: a jump, a colour, the character */
#define GAP_MAX 6       /* equal cells that are written again rather than jumped over */
#define NOWHERE UINT32_MAX

struct cell {
    char text[CELL_BYTES]; /* not terminated when full */
    uint8_t colour;
};

struct screen {
    unsigned width, height;
    bool known; /* `shown` is what the terminal shows */
    struct cell *shown, *next;
    char *out;
    size_t used, capacity;
    unsigned row, column; /* of the terminal's cursor; NOWHERE: not known */
    uint8_t colour;       /* of the terminal's pen */
};

static const struct cell blank = {.text = " ", .colour = COLOUR_NONE};

static unsigned side(unsigned wanted)
{
    return wanted < 1 ? 1 : wanted > SCREEN_SIDE_MAX ? SCREEN_SIDE_MAX : wanted;
}

struct screen *screen_new(unsigned width, unsigned height)
{
    struct screen *screen = calloc(1, sizeof(*screen));

    if (screen == NULL)
        return NULL;
    screen->width = side(width);
    screen->height = side(height);
    size_t cells = (size_t)screen->width * screen->height;

    screen->shown = calloc(cells, sizeof(struct cell));
    screen->next = calloc(cells, sizeof(struct cell));
    screen->capacity = (cells + 4) * CELL_OUT_MAX;
    screen->out = malloc(screen->capacity);
    if (screen->shown == NULL || screen->next == NULL || screen->out == NULL) {
        screen_free(screen);
        return NULL;
    }
    screen_begin(screen);
    return screen;
}

void screen_free(struct screen *screen)
{
    if (screen == NULL)
        return;
    free(screen->shown);
    free(screen->next);
    free(screen->out);
    free(screen);
}

unsigned screen_width(const struct screen *screen)
{
    return screen->width;
}

unsigned screen_height(const struct screen *screen)
{
    return screen->height;
}

void screen_forget(struct screen *screen)
{
    screen->known = false;
}

static void make_blank(struct cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cells[i] = blank;
}

void screen_begin(struct screen *screen)
{
    make_blank(screen->next, (size_t)screen->width * screen->height);
}

/* Length of the printable character at `s`, at most CELL_BYTES; 0: none. */
static size_t character_length(const unsigned char *s)
{
    size_t length = s[0] < 0x80                    ? 1
                    : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
                    : s[0] >= 0xe0 && s[0] <= 0xef ? 3
                    : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                   : 0;

    if (length == 1)
        return s[0] >= 0x20 && s[0] != 0x7f;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : length; /* U+0080 to U+009F are control characters too */
}

unsigned screen_put(struct screen *screen, unsigned row, unsigned column, enum colour colour, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    for (; *s != '\0' && row < screen->height && column < screen->width; column++) {
        struct cell cell = {.text = "?", .colour = (uint8_t)colour};
        size_t length = character_length(s);

        if (length > 0)
            memcpy(cell.text, s, length);
        screen->next[(size_t)row * screen->width + column] = cell;
        s += length > 0 ? length : 1;
    }
    return column;
}

void screen_fill(struct screen *screen, unsigned row, unsigned column, enum colour colour)
{
    for (; row < screen->height && column < screen->width; column++)
        screen->next[(size_t)row * screen->width + column].colour = (uint8_t)colour;
}

static void out_bytes(struct screen *screen, const char *bytes, size_t length)
{
    CHECK(screen->capacity - screen->used >= length);
    memcpy(screen->out + screen->used, bytes, length);
    screen->used += length;
}

__attribute__((format(printf, 2, 3))) static void out_format(struct screen *screen, const char *format, ...)
{
    char text[CELL_OUT_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    out_bytes(screen, text, (size_t)length);
}

static void out_move(struct screen *screen, unsigned row, unsigned column)
{
    if (screen->row == row && screen->column == column)
        return;
    if (column == 0)
        out_format(screen, "\033[%uH", row + 1);
    else
        out_format(screen, "\033[%u;%uH", row + 1, column + 1);
    screen->row = row;
    screen->column = column;
}

static void out_colour(struct screen *screen, uint8_t colour, bool colours)
{
    if (!colours || screen->colour == colour)
        return;
    out_format(screen, "\033[0m%s", term_escape((enum colour)colour));
    screen->colour = colour;
}

static void out_cell(struct screen *screen, unsigned row, unsigned column, const struct cell *cell, bool colours)
{
    out_move(screen, row, column);
    out_colour(screen, cell->colour, colours);
    out_bytes(screen, cell->text, strnlen(cell->text, CELL_BYTES));
    /* Behind the last column terminals differ in where the cursor is. */
    screen->column = column + 1 < screen->width ? column + 1 : NOWHERE;
}

static bool same(const struct cell *a, const struct cell *b, bool colours)
{
    return memcmp(a->text, b->text, CELL_BYTES) == 0 && (!colours || a->colour == b->colour);
}

/* The column from which the row is blank. */
static unsigned tail_of(const struct cell *row, unsigned width, bool colours)
{
    while (width > 0 && same(&row[width - 1], &blank, colours))
        width--;
    return width;
}

static void out_row(struct screen *screen, unsigned row, bool colours)
{
    const struct cell *next = screen->next + (size_t)row * screen->width;
    const struct cell *shown = screen->shown + (size_t)row * screen->width;
    unsigned next_end = tail_of(next, screen->width, colours), shown_end = tail_of(shown, screen->width, colours);
    unsigned last = NOWHERE; /* the last cell that was written */

    for (unsigned column = 0; column < next_end; column++) {
        if (same(&next[column], &shown[column], colours))
            continue;
        if (last != NOWHERE && column - last <= GAP_MAX) {
            for (unsigned gap = last + 1; gap < column; gap++)
                out_cell(screen, row, gap, &next[gap], colours);
        }
        out_cell(screen, row, column, &next[column], colours);
        last = column;
    }
    if (next_end >= shown_end)
        return;
    out_move(screen, row, next_end);
    out_colour(screen, COLOUR_NONE, colours);
    out_format(screen, "\033[K");
}

const char *screen_changes(struct screen *screen, bool colours, size_t *length)
{
    struct cell *shown = screen->shown;

    screen->used = 0;
    screen->row = screen->column = NOWHERE;
    if (!screen->known) {
        out_format(screen, "\033[0m\033[2J");
        screen->colour = COLOUR_NONE;
        make_blank(shown, (size_t)screen->width * screen->height);
    }
    for (unsigned row = 0; row < screen->height; row++)
        out_row(screen, row, colours);
    out_colour(screen, COLOUR_NONE, colours);
    screen->known = true;
    screen->shown = screen->next;
    screen->next = shown;
    *length = screen->used;
    return screen->out;
}
