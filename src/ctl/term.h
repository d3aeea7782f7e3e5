/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What standard output is: a terminal or not, how large, with colours or not, with Unicode or not. */
#ifndef EVENKEEL_CTL_TERM_H
#define EVENKEEL_CTL_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct term {
    bool colour;     /* a terminal, and NO_COLOR is not set */
    bool unicode;    /* the locale's characters are UTF-8 */
    unsigned width;  /* columns; 80 when it is no terminal */
    unsigned height; /* lines; 0: unlimited, no terminal */
};

enum colour {
    COLOUR_NONE,
    COLOUR_RED,
    COLOUR_YELLOW,
    COLOUR_GREEN,
    COLOUR_DIM,
    COLOUR_BOLD,
    COLOUR_REVERSE,
    COLOUR_COUNT,
};

struct term term_look(void);
/* For --color: "auto" (as term_look found), "always", "never". False: something else. */
bool term_choose_colour(struct term *term, const char *when);

/* Escape sequences to begin and end a colour; empty when there are no colours. */
const char *term_begin(const struct term *term, enum colour colour);
const char *term_end(const struct term *term, enum colour colour);
/* The escape sequence itself, whatever the terminal. */
const char *term_escape(enum colour colour);
/* The name libsmartcols knows the colour by; NULL for COLOUR_NONE. */
const char *term_colour_name(enum colour colour);

/* Columns behind the first `indent`; as many as there are letters when it is no terminal. */
size_t term_room(const struct term *term, unsigned indent);
/*
 * Writes `text`, broken at spaces into lines of `width` columns, each but the first with `indent` spaces before it;
 * `out` NULL: only counts. Returns how many lines.
 */
unsigned term_wrap(FILE *out, const char *text, size_t width, unsigned indent);

/* A bar of `cells` columns, filled to part/whole, into `text` (size bytes, at least 3 x cells + 1). */
void term_bar(const struct term *term, double part, double whole, unsigned cells, char *text, size_t size);

#endif
