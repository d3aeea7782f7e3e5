/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines -> statements: words with their quotes taken off, a line split at every brace outside quotes. Two words act on
 * the reading itself and are obeyed here: random_seed and include_check.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/reader_internal.h"

#define TREE_DEPTH_MAX 64

struct open_block {
    struct statement *block;
    struct statement **tail; /* where what follows the block goes */
    struct open_block *outer;
    unsigned depth;
};

static struct statement *tree_append(struct file_reader *r, enum statement_kind kind, struct place place)
{
    struct statement *statement = arena_array(r->arena, 1, sizeof(*statement));

    statement->kind = kind;
    statement->place = place;
    statement->joined = r->closed_line == r->line_count;
    *r->tail = statement;
    r->tail = &statement->next;
    r->closed_line = 0;
    return statement;
}

static void tree_open(struct file_reader *r, struct place place)
{
    unsigned depth = r->open == NULL ? 1 : r->open->depth + 1;

    if (depth > TREE_DEPTH_MAX) {
        report_error(r->report, place, "blocks nest more than %d deep; nothing after this is read", TREE_DEPTH_MAX);
        r->stopped = true;
        return;
    }
    struct open_block *open = arena_array(r->arena, 1, sizeof(*open));

    open->block = tree_append(r, STATEMENT_BLOCK, place);
    open->tail = r->tail;
    open->outer = r->open;
    open->depth = depth;
    r->open = open;
    r->tail = &open->block->first;
}

static void tree_close(struct file_reader *r, struct place place)
{
    if (r->open == NULL) {
        if (!r->damaged)
            report_tolerable(r->report, place, "it is ignored", "this } closes nothing");
        return;
    }
    r->tail = r->open->tail;
    r->open = r->open->outer;
    r->closed_line = r->line_count;
}

void reader_tree_end(struct file_reader *r)
{
    /* When not all of the file was read, nothing can be said about its braces. */
    for (; r->open != NULL && !r->stopped && !r->damaged; r->open = r->open->outer)
        report_tolerable(r->report, r->open->block->place, "it ends with the file",
                         "the block that opens here is never closed: a } is missing");
}

/* ${NAME} without a definition: its braces are no block. */
static size_t tree_undefined(const struct text *line, size_t at)
{
    if (line->bytes[at] != '$' || line->bytes[at + 1] != '{')
        return 0;
    const char *close = memchr(line->bytes + at, '}', line->length - at);

    return close == NULL ? 0 : (size_t)(close - (line->bytes + at)) + 1;
}

/* {{ name }}, {{{ name }}} or {% if %}: what a template has left. Its length; 0: this is none. */
static size_t tree_template(const struct text *line, size_t at)
{
    const char *start = line->bytes + at;
    size_t braces = strspn(start, "{");

    if (braces != 2 && braces != 3 && strncmp(start, "{%", 2) != 0)
        return 0;
    const char *close = strstr(start, braces == 3 ? "}}}" : braces == 2 ? "}}" : "%}");

    return close == NULL ? 0 : (size_t)(close - start) + (braces == 3 ? 3 : 2);
}

static size_t tree_take_template(struct file_reader *r, const struct text *line, size_t at)
{
    size_t length = tree_template(line, at);

    if (length > 0 && !r->templated)
        report_tolerable(r->report, reader_place(r, line->columns[at]), "it is read as a word",
                         "%.2s: this looks like a template that was not filled in", line->bytes + at);
    r->templated |= length > 0;
    return length;
}

/* The end of the word that begins at `at`. */
static size_t tree_word_end(struct file_reader *r, const struct text *line, size_t at)
{
    size_t end = at;
    char quote[REPORT_QUOTE_MAX];

    if (line->bytes[at] == '"') {
        for (end = at + 1; end < line->length && line->bytes[end] != '"';)
            end++;
        return end < line->length ? end + 1 : end;
    }
    for (;;) {
        size_t template = tree_take_template(r, line, end);

        if (template == 0 && (end >= line->length || strchr(" \t\v\f\r\"{}", line->bytes[end]) != NULL))
            return end;
        size_t undefined = tree_undefined(line, end);

        if (undefined > 0) {
            struct text name = text_slice(line, end, end + undefined);

            report_tolerable(r->report, reader_place(r, line->columns[end]), "it stays as it stands",
                             "%s is not defined", report_quote(name.bytes, quote));
            text_free(&name);
            end += undefined;
        } else
            end += template > 0 ? template : 1;
    }
}

static size_t tree_skip_blanks(const struct text *line, size_t at)
{
    while (at < line->length && reader_is_blank(line->bytes[at]))
        at++;
    return at;
}

/* Commands to the reader itself. Both are also left in the tree. */
static void tree_obey(struct file_reader *r, const struct statement *line)
{
    if (line->words[0].quoted)
        return;
    if (strcmp(line->words[0].text, "random_seed") == 0 && line->word_count > 1)
        r->random = prng_seed(strtoull(line->words[1].text, NULL, 10));
    if (strcmp(line->words[0].text, "include_check") == 0)
        reader_include_check(r, line->words + 1, line->word_count - 1);
}

/* The words from `at` to the next brace or the end, as one LINE; returns where it ends. */
static size_t tree_words(struct file_reader *r, const struct text *line, size_t at)
{
    size_t start = at;
    unsigned count = 0, capacity = 0;
    struct word *words = NULL;

    while (at < line->length && line->bytes[at] != '}' && (line->bytes[at] != '{' || tree_template(line, at) > 0)) {
        size_t end = tree_word_end(r, line, at);
        bool quoted = line->bytes[at] == '"';
        size_t inner = quoted ? at + 1 : at;
        size_t inner_end = quoted && end > inner && line->bytes[end - 1] == '"' ? end - 1 : end;

        if (count == capacity) {
            capacity = capacity * 2 + 8;
            words = xalloc_grow(words, capacity, sizeof(*words));
        }
        words[count++] = (struct word){
            .text = arena_text(r->arena, line->bytes + inner, inner_end - inner),
            .place = reader_place(r, line->columns[at]),
            .quoted = quoted,
            .offset = (unsigned)(at - start),
        };
        at = tree_skip_blanks(line, end);
    }
    struct statement *statement = tree_append(r, STATEMENT_LINE, words[0].place);

    statement->words = arena_array(r->arena, count, sizeof(*words));
    memcpy(statement->words, words, count * sizeof(*words));
    statement->word_count = count;
    statement->raw = arena_text(r->arena, line->bytes + start, at - start);
    free(words);
    tree_obey(r, statement);
    return at;
}

/* What a merge leaves around the two sides of a conflict. */
static bool tree_skip_conflict(struct file_reader *r, const struct text *line)
{
    static const char *const marks[] = {"<<<<<<<", "|||||||", "=======", ">>>>>>>"};

    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        if (strncmp(line->bytes, marks[i], strlen(marks[i])) != 0)
            continue;
        if (!r->conflicted)
            report_tolerable(r->report, reader_place(r, line->columns[0]), "both sides are read",
                             "%s: this is a merge conflict that nobody resolved", marks[i]);
        r->conflicted = true;
        return true;
    }
    return false;
}

void reader_tree_add(struct file_reader *r, const struct text *line)
{
    if (line->length > 0 && tree_skip_conflict(r, line))
        return;
    for (size_t at = tree_skip_blanks(line, 0); at < line->length && !r->stopped; at = tree_skip_blanks(line, at)) {
        struct place place = reader_place(r, line->columns[at]);

        if (line->bytes[at] == '{' && tree_template(line, at) == 0) {
            tree_open(r, place);
            at++;
        } else if (line->bytes[at] == '}') {
            tree_close(r, place);
            at++;
        } else
            at = tree_words(r, line, at);
    }
}
