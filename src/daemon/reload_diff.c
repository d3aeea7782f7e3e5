/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference of two canonical texts (see reload_diff.h). Both have a fixed order, so equal lines are found a few
 * lines from the last ones that were equal, and the whole costs little more than reading both.
 */
#include "daemon/reload_diff.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

struct line {
    const char *text; /* without blanks at either end */
    size_t length;
    size_t blocks[DEPTH_MAX]; /* lines that open the blocks it is in */
    unsigned depth;
    bool opens;
    bool settled; /* has its partner, or was told with its block */
};

struct lines {
    struct line *list;
    size_t count;
};

static size_t count_lines(const char *text)
{
    size_t count = 1;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* `head {` opens a block; `{ a b } vrid 3` is a line. */
static bool opens_block(const char *text, size_t length)
{
    return length > 1 && text[length - 1] == '{';
}

static bool split(const char *text, struct lines *out)
{
    size_t blocks[DEPTH_MAX];
    unsigned depth = 0;

    out->list = calloc(count_lines(text), sizeof(out->list[0]));
    out->count = 0;
    while (out->list != NULL && *text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *next = text + length + (text[length] == '\n');
        size_t indent = strspn(text, " ");
        struct line *line = &out->list[out->count];

        indent = indent < length ? indent : length;
        *line = (struct line){.text = text + indent, .length = length - indent, .depth = depth};
        memcpy(line->blocks, blocks, sizeof(blocks[0]) * depth);
        text = next;
        if (line->length == 1 && line->text[0] == '}') {
            depth -= depth > 0;
            continue;
        }
        if (line->length == 0)
            continue;
        line->opens = opens_block(line->text, line->length) && depth < DEPTH_MAX;
        if (line->opens) {
            line->length--; /* the brace */
            while (line->length > 0 && line->text[line->length - 1] == ' ')
                line->length--;
            blocks[depth++] = out->count;
        }
        out->count++;
    }
    return out->list != NULL;
}

static bool same_text(const struct line *a, const struct line *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static bool same_place(const struct lines *x, const struct line *a, const struct lines *y, const struct line *b)
{
    if (a->depth != b->depth || a->opens != b->opens)
        return false;
    for (unsigned i = 0; i < a->depth; i++)
        if (!same_text(&x->list[a->blocks[i]], &y->list[b->blocks[i]]))
            return false;
    return true;
}

static void pair_equal(struct lines *old, struct lines *new)
{
    size_t start = 0;

    for (size_t i = 0; i < new->count; i++) {
        struct line *b = &new->list[i];

        for (size_t k = 0; k < old->count; k++) {
            size_t at = (start + k) % old->count;
            struct line *a = &old->list[at];

            if (a->settled || !same_text(a, b) || !same_place(old, a, new, b))
                continue;
            a->settled = b->settled = true;
            start = at + 1;
            break;
        }
    }
}

/* The first word, or of a braced unit the first one inside. */
static struct line key_of(const struct line *line)
{
    struct line key = {.text = line->text, .length = line->length};
    size_t skip = 0;

    while (skip < line->length && (line->text[skip] == '{' || line->text[skip] == ' '))
        skip++;
    key.text += skip;
    key.length -= skip;
    for (size_t i = 0; i < key.length; i++)
        if (key.text[i] == ' ')
            key.length = i;
    return key;
}

/* The log and whoever reads it have no business with a password. */
static bool is_secret(const struct line *key)
{
    static const char word[] = "auth_pass";

    return key->length == sizeof(word) - 1 && memcmp(key->text, word, key->length) == 0;
}

static void print_place(const struct lines *lines, const struct line *line, char sign, FILE *out)
{
    fprintf(out, "%c ", sign);
    for (unsigned i = 0; i < line->depth; i++) {
        const struct line *block = &lines->list[line->blocks[i]];

        fprintf(out, "%.*s%s", (int)block->length, block->text, i == 0 ? ": " : " ");
    }
}

static void print_changed(struct lines *old, struct lines *new, FILE *out)
{
    for (size_t i = 0; i < new->count; i++) {
        struct line *b = &new->list[i];
        struct line key = key_of(b);

        for (size_t k = 0; k < old->count && !b->settled && !b->opens; k++) {
            struct line *a = &old->list[k];
            struct line other = key_of(a);

            if (a->settled || !same_place(old, a, new, b) || !same_text(&key, &other))
                continue;
            size_t same = (size_t)(key.text - b->text) + key.length;
            bool option = key.text == b->text && same < b->length && same < a->length;
            size_t skip = option ? same + 1 : 0; /* then the key is said once */

            print_place(new, b, '~', out);
            if (skip > 0)
                fprintf(out, "%.*s ", (int)same, b->text);
            if (is_secret(&key))
                fputs("changed\n", out);
            else
                fprintf(out, "%.*s -> %.*s\n", (int)(a->length - skip), a->text + skip, (int)(b->length - skip),
                        b->text + skip);
            a->settled = b->settled = true;
        }
    }
}

static bool is_inside(const struct line *line, size_t block)
{
    for (unsigned i = 0; i < line->depth; i++)
        if (line->blocks[i] == block)
            return true;
    return false;
}

/* What is on one side only; a block as a whole. */
static void print_single(struct lines *lines, char sign, FILE *out)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->list[i];
        unsigned inside = 0;

        if (line->settled)
            continue;
        for (size_t k = i + 1; line->opens && k < lines->count && is_inside(&lines->list[k], i); k++) {
            lines->list[k].settled = true;
            inside += !lines->list[k].opens;
        }
        struct line key = key_of(line);

        print_place(lines, line, sign, out);
        fprintf(out, "%.*s", (int)(is_secret(&key) ? key.length : line->length), line->text);
        if (line->opens)
            fprintf(out, " (%u lines)", inside);
        fputc('\n', out);
    }
}

bool reload_diff(const char *old_text, const char *new_text, FILE *out)
{
    struct lines old = {0}, new = {0};
    bool good = split(old_text, &old) && split(new_text, &new);

    if (good) {
        pair_equal(&old, &new);
        print_changed(&old, &new, out);
        print_single(&old, '-', out);
        print_single(&new, '+', out);
    }
    free(old.list);
    free(new.list);
    return good;
}
