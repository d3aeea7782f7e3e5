/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ~SEQ(NAME, [START, [STEP,]] END) text, ~SEQx (the same in hexadecimal), ~LST(NAME, A, B, ...) text and
 * ~LST({A, B}, {1, 2}, {3, 4}) text: the text once for every value, with $NAME set to it. Several on one line nest.
 * What a name meant before counts again afterwards.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader_internal.h"

#define REPEAT_VALUES_MAX 64 /* names of one ~LST */
#define REPEAT_NUMBER_MAX 1000000000000LL

/* A piece of the arguments, without blanks around it. */
struct piece {
    const char *text;
    size_t length;
};

struct repeat {
    struct file_reader *r;
    struct place place;
    const struct text *rest; /* to be repeated */
};

static struct piece repeat_trim(const char *text, size_t length)
{
    while (length > 0 && reader_is_blank(text[0])) {
        text++;
        length--;
    }
    while (length > 0 && reader_is_blank(text[length - 1]))
        length--;
    return (struct piece){text, length};
}

/* Takes the next piece up to a comma outside braces; false at the end. *cursor is NULL after the last. */
static bool repeat_next(const char **cursor, struct piece *piece)
{
    const char *start = *cursor, *end = start;
    bool braced = false;

    if (start == NULL)
        return false;
    for (; *end != '\0' && (braced || *end != ','); end++)
        braced = *end == '{' ? true : *end == '}' ? false : braced;
    *piece = repeat_trim(start, (size_t)(end - start));
    *cursor = *end == ',' ? end + 1 : NULL;
    return true;
}

/* "{a, b}" -> its pieces, anything else is one piece. Returns how many; more than REPEAT_VALUES_MAX are not stored. */
static unsigned repeat_tuple(struct piece piece, struct piece *values)
{
    bool braced = piece.length >= 2 && piece.text[0] == '{' && piece.text[piece.length - 1] == '}';
    unsigned count = 0;

    if (!braced) {
        values[0] = piece;
        return 1;
    }
    for (size_t start = 1; start < piece.length;) {
        size_t end = start;

        while (end < piece.length - 1 && piece.text[end] != ',')
            end++;
        if (count < REPEAT_VALUES_MAX)
            values[count] = repeat_trim(piece.text + start, end - start);
        count++;
        start = end + 1;
    }
    return count;
}

static bool repeat_is_name(struct piece piece)
{
    return piece.length > 0 && reader_name_length(piece.text) == piece.length;
}

/* Runs the text with the names set; restores them. `values` may be fewer: the rest is empty. */
static void repeat_once(struct repeat *repeat, const struct piece *names, const struct piece *values, unsigned count)
{
    struct file_reader *r = repeat->r;
    char *before[REPEAT_VALUES_MAX];

    for (unsigned i = 0; i < count; i++) {
        const char *old = reader_defined(r, names[i].text, names[i].length);

        before[i] = old == NULL ? NULL : strcpy(xalloc_array(strlen(old) + 1, 1), old);
        reader_define(r, names[i].text, names[i].length, values[i].text, values[i].length);
    }
    reader_line(r, repeat->rest);
    for (unsigned i = count; i-- > 0;) {
        if (before[i] != NULL)
            reader_define(r, names[i].text, names[i].length, before[i], strlen(before[i]));
        else
            reader_undefine(r, names[i].text, names[i].length);
        free(before[i]);
    }
}

static void repeat_list(struct repeat *repeat, const char *arguments)
{
    struct file_reader *r = repeat->r;
    struct piece piece, names[REPEAT_VALUES_MAX], values[REPEAT_VALUES_MAX];

    repeat_next(&arguments, &piece);
    unsigned count = repeat_tuple(piece, names);

    for (unsigned i = 0; i < count; i++)
        if (count > REPEAT_VALUES_MAX || !repeat_is_name(names[i])) {
            report_error(r->report, repeat->place,
                         "~LST must begin with a name, or with names in braces: ~LST(NAME, A, B) text");
            return;
        }
    while (!r->stopped && repeat_next(&arguments, &piece)) {
        unsigned found = count == 1 ? 1 : repeat_tuple(piece, values);

        if (count == 1)
            values[0] = piece;
        if (found != count) {
            report_error(r->report, repeat->place, "~LST has %u names, but \"%.*s\" has %u values", count,
                         (int)(piece.length < 60 ? piece.length : 60), piece.text, found);
            return;
        }
        repeat_once(repeat, names, values, count);
    }
}

static bool repeat_number(struct piece piece, long long *out)
{
    char digits[24], *end;

    if (piece.length == 0 || piece.length >= sizeof(digits))
        return false;
    memcpy(digits, piece.text, piece.length);
    digits[piece.length] = '\0';
    *out = strtoll(digits, &end, 10);
    return *end == '\0' && *out <= REPEAT_NUMBER_MAX && *out >= -REPEAT_NUMBER_MAX;
}

static void repeat_sequence(struct repeat *repeat, const char *arguments, bool hexadecimal)
{
    struct file_reader *r = repeat->r;
    struct piece name, piece;
    long long numbers[3];
    unsigned count = 0;
    bool good = repeat_next(&arguments, &name) && repeat_is_name(name);

    while (good && repeat_next(&arguments, &piece))
        good = count < 3 && repeat_number(piece, &numbers[count++]);
    if (!good || count == 0) {
        report_error(r->report, repeat->place,
                     "expected ~SEQ(NAME, END) text, (NAME, START, END) or (NAME, START, STEP, END)");
        return;
    }
    long long first = count == 1 ? 1 : numbers[0], last = numbers[count - 1];
    long long step = count == 3 ? numbers[1] : first <= last ? 1 : -1;

    if (step == 0 || (first != last && (step > 0) != (first < last))) {
        report_error(r->report, repeat->place, "~SEQ never gets from %lld to %lld in steps of %lld", first, last, step);
        return;
    }
    for (long long value = first; !r->stopped && (step > 0 ? value <= last : value >= last); value += step) {
        char text[24];
        int length = snprintf(text, sizeof(text), hexadecimal ? "%llx" : "%lld", value);

        repeat_once(repeat, &name, &(struct piece){text, (size_t)length}, 1);
    }
}

bool reader_repeat(struct file_reader *r, const struct text *line)
{
    bool sequence = strncmp(line->bytes, "~SEQ", 4) == 0, list = strncmp(line->bytes, "~LST", 4) == 0;

    if (!sequence && !list)
        return false;
    bool hexadecimal = sequence && line->bytes[4] == 'x';
    size_t open = hexadecimal ? 5 : 4;
    struct repeat repeat = {.r = r, .place = reader_place(r, line->columns[0])};
    const char *close = memchr(line->bytes, ')', line->length);

    if (line->bytes[open] != '(' || close == NULL) {
        report_error(r->report, repeat.place, "%.*s must be followed by its arguments in parentheses", (int)open,
                     line->bytes);
        return true;
    }
    struct text arguments = text_slice(line, open + 1, (size_t)(close - line->bytes));
    struct text rest = text_slice(line, (size_t)(close - line->bytes) + 1, line->length), expanded = {0};
    bool changed = reader_expand(r, &arguments, &expanded);
    const char *text = changed ? expanded.bytes != NULL ? expanded.bytes : "" : arguments.bytes;

    repeat.rest = &rest;
    if (rest.length == 0)
        report_error(r->report, repeat.place, "%.*s has no text to repeat", (int)open, line->bytes);
    else if (sequence)
        repeat_sequence(&repeat, text, hexadecimal);
    else
        repeat_list(&repeat, text);
    text_free(&arguments);
    text_free(&rest);
    text_free(&expanded);
    return true;
}
