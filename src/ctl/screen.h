/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen of character cells, drawn frame by frame: screen_changes() gives the bytes that bring a terminal from the
 * last frame to this one, and nothing else, so that a screen that is the same costs nothing on a slow line and never
 * flickers. Pure: it knows no terminal. The sequences are those of ECMA-48 that every terminal in use knows.
 */
#ifndef EVENKEEL_CTL_SCREEN_H
#define EVENKEEL_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/term.h"

#define SCREEN_SIDE_MAX 1000 /* larger terminals are used up to here */

struct screen;

/* Sides are taken as 1 to SCREEN_SIDE_MAX. NULL: no memory. */
struct screen *screen_new(unsigned width, unsigned height);
void screen_free(struct screen *screen); /* NULL is allowed */
unsigned screen_width(const struct screen *screen);
unsigned screen_height(const struct screen *screen);

/* What the terminal shows is not known (any more): the next changes clear it and draw everything. */
void screen_forget(struct screen *screen);

/* Begins an empty frame. */
void screen_begin(struct screen *screen);
/*
 * Puts UTF-8 text at a place, cut at the right edge; nothing happens outside of the screen. Control characters and what
 * is not UTF-8 become '?'; every character takes one cell. Returns the column behind it.
 */
unsigned screen_put(struct screen *screen, unsigned row, unsigned column, enum colour colour, const char *text);
/* Gives the cells from `column` to the edge that colour, as blanks where nothing is. */
void screen_fill(struct screen *screen, unsigned row, unsigned column, enum colour colour);

/* The frame is complete. The bytes, valid until the next call; *length 0: nothing has changed. */
const char *screen_changes(struct screen *screen, bool colours, size_t *length);

#endif
