/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: looked at once, at the start. Called by main.c and everything that prints. */
#include "ctl/term.h"

#include <assert.h>
#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"

#define WIDTH_DEFAULT 80
#define ROOM_MIN 20

static const struct {
    const char *escape, *name;
} colours[] = {
    [COLOUR_NONE] = {"", NULL},
    [COLOUR_RED] = {"\033[31m", "red"},
    [COLOUR_YELLOW] = {"\033[33m", "brown"},
    [COLOUR_GREEN] = {"\033[32m", "green"},
    [COLOUR_DIM] = {"\033[2m", "halfbright"},
    [COLOUR_BOLD] = {"\033[1m", "bold"},
    [COLOUR_REVERSE] = {"\033[7m", "reverse"},
};
static_assert(ARRAY_LENGTH(colours) == COLOUR_COUNT, "an escape for each colour");

static unsigned environment_number(const char *name)
{
    const char *text = getenv(name);
    long value = text != NULL ? strtol(text, NULL, 10) : 0;

    return value > 0 && value < 10000 ? (unsigned)value : 0;
}

struct term term_look(void)
{
    const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    unsigned width = environment_number("COLUMNS"), height = environment_number("LINES");
    struct winsize size;

    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
        height = size.ws_row;
    }
    return (struct term){
        .colour = terminal && (no_colour == NULL || *no_colour == '\0') && kind != NULL && *kind != '\0' &&
                  strcmp(kind, "dumb") != 0,
        .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .width = width > 0 ? width : WIDTH_DEFAULT,
        .height = terminal ? height : 0,
    };
}

bool term_choose_colour(struct term *term, const char *when)
{
    if (strcmp(when, "always") == 0)
        term->colour = true;
    else if (strcmp(when, "never") == 0)
        term->colour = false;
    else
        return strcmp(when, "auto") == 0;
    return true;
}

const char *term_escape(enum colour colour)
{
    return colours[colour].escape;
}

const char *term_begin(const struct term *term, enum colour colour)
{
    return term->colour ? colours[colour].escape : "";
}

const char *term_end(const struct term *term, enum colour colour)
{
    return term->colour && colour != COLOUR_NONE ? "\033[0m" : "";
}

const char *term_colour_name(enum colour colour)
{
    return colours[colour].name;
}

void term_bar(const struct term *term, double part, double whole, unsigned cells, char *text, size_t size)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double filled = whole > 0 ? part / whole * cells : 0;
    unsigned full = filled >= cells ? cells : (unsigned)filled;
    unsigned rest = filled >= cells ? 0 : (unsigned)((filled - full) * 8);
    unsigned used = full;

    CHECK(size > 3 * cells);
    text[0] = '\0';
    for (unsigned i = 0; i < full; i++)
        strcat(text, term->unicode ? "█" : "#");
    if (term->unicode && rest > 0) {
        strcat(text, eighths[rest]);
        used++;
    }
    for (; used < cells; used++)
        strcat(text, " ");
}

size_t term_room(const struct term *term, unsigned indent)
{
    if (term->height == 0)
        return SIZE_MAX;
    return term->width > indent + ROOM_MIN ? term->width - indent : ROOM_MIN;
}

unsigned term_wrap(FILE *out, const char *text, size_t width, unsigned indent)
{
    unsigned lines = 1;
    size_t used = 0;

    for (size_t length; *text != '\0'; text += length + strspn(text + length, " ")) {
        length = strcspn(text, " ");
        if (used > 0 && used + 1 + length > width) {
            lines++;
            used = 0;
            if (out != NULL)
                fprintf(out, "\n%*s", (int)indent, "");
        }
        if (out != NULL)
            fprintf(out, "%s%.*s", used > 0 ? " " : "", (int)length, text);
        used += (used > 0) + length;
    }
    return lines;
}
