/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser over keyword tables: which words belong to which keyword, which block to which line. Owns no state and no
 * keyword. Called by config.c with the pool's tables, and with those of a second language.
 */
#include "config/keyword.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "config/keyword_internal.h"
#include "config/suggest.h"

#define COMPLAINT_MAX 480

const struct keyword *keyword_find(const struct keyword_table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (table->rows[i].name[0] == name[0] && strcmp(table->rows[i].name, name) == 0)
            return &table->rows[i];
    return NULL;
}

static const struct keyword *keyword_of(const struct keyword_table *table, const struct word *word)
{
    return word->quoted ? NULL : keyword_find(table, word->text);
}

void keyword_complain(struct keyword_run *run, struct place place, const char *instead, const char *format, ...)
{
    char text[COMPLAINT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (run->tolerant)
        report_warning(run->report, place, "%s; %s", text, instead);
    else
        report_error(run->report, place, "%s", text);
}

/* Of other languages' files. */
static bool keyword_looks_like_comment(const struct word *word)
{
    return word->text[0] == ';' || strncmp(word->text, "//", 2) == 0 || strncmp(word->text, "/*", 2) == 0 ||
           strncmp(word->text, "--", 2) == 0;
}

void keyword_report_unknown(const struct keyword_table *table, struct keyword_run *run, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < table->count; i++)
        suggest_offer(&suggest, table->rows[i].name);
    keyword_complain(run, word->place, "it is skipped", "unknown keyword %s%s%s%s%s%s", report_quote(word->text, quote),
                     table->context != NULL ? " in " : "", table->context != NULL ? table->context : "",
                     suggest.best != NULL               ? "; did you mean \""
                     : keyword_looks_like_comment(word) ? "; a comment begins with # or !"
                                                        : "",
                     suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
}

void keyword_defaults(const struct keyword_table *table, struct keyword_run *run, void *target)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct keyword *row = &table->rows[i];
        struct word word = {.text = row->default_text};

        if (row->default_text != NULL)
            CHECK(keyword_value(run, row, &word, target));
    }
}

/* A keyword given twice would make the order of lines matter. */
static void keyword_mark(const struct keyword_table *table, const struct keyword *row, struct keyword_run *run,
                         const struct word *word, struct place *given)
{
    struct place *place = &given[row - table->rows];
    struct place first = *place;

    if (place->file == NULL || run->tolerant)
        *place = word->place;
    if (first.file != NULL && !row->repeatable)
        keyword_complain(run, word->place, "this one counts", "%s is given twice; the first is at %s:%u", row->name,
                         first.file, first.line);
}

static void keyword_missing(struct keyword_run *run, const struct keyword *row, const struct word *keyword)
{
    char range[KEYWORD_RANGE_MAX];

    keyword_range(row, range);
    keyword_complain(run, keyword->place, "the line is ignored", "%s needs an argument: %s%s%s%s", row->name,
                     row->argument, range[0] != '\0' ? " (" : "", range, range[0] != '\0' ? ")" : "");
}

/* --- one keyword's arguments --- */

static unsigned keyword_take_words(const struct keyword_table *table, const struct keyword *row,
                                   struct keyword_run *run, const struct statement *line, unsigned at, void *target)
{
    const struct word *words = line->words;
    unsigned end = at + 1, count = line->word_count;

    while (end < count && keyword_of(table, &words[end]) == NULL &&
           (row->stop == '\0' || strchr(words[end].text, row->stop) == NULL))
        end++;
    struct word_list list = {end - at - 1, NULL};

    if (list.count == 0) {
        keyword_missing(run, row, &words[at]);
        return end;
    }
    list.words = arena_array(run->arena, list.count, sizeof(*list.words));
    memcpy(list.words, words + at + 1, list.count * sizeof(*list.words));
    memcpy((unsigned char *)target + row->offset, &list, sizeof(list));
    return end;
}

/* A flag may stand alone: the word after it is its own only when it is a boolean. */
static unsigned keyword_take_flag(const struct keyword *row, struct keyword_run *run, const struct statement *line,
                                  unsigned at, void *target)
{
    const struct word on = {.text = "on"};

    if (at + 1 < line->word_count && row->type == KEYWORD_FLAG)
        for (const struct keyword_choice *c = keyword_choices(row); c->name != NULL; c++)
            if (strcmp(c->name, line->words[at + 1].text) == 0) {
                keyword_value(run, row, &line->words[at + 1], target);
                return at + 2;
            }
    keyword_value(run, row, &on, target);
    return at + 1;
}

/* Where the arguments of words[at] must end: at the next keyword. A lone word is an argument, whatever it is. */
static unsigned keyword_arguments_end(const struct keyword_table *table, const struct statement *line, unsigned at)
{
    unsigned end = at + 1;

    if (at == 0 && line->word_count == 2)
        return 2;
    while (end < line->word_count && keyword_of(table, &line->words[end]) == NULL)
        end++;
    return end;
}

static bool keyword_lacks_argument(const struct keyword_table *table, const struct keyword_run *run,
                                   const struct statement *line, unsigned at)
{
    if (run->tolerant)
        return keyword_arguments_end(table, line, at) == at + 1;
    return at + 1 == line->word_count || keyword_of(table, &line->words[at + 1]) != NULL;
}

unsigned keyword_take(const struct keyword_table *table, const struct keyword *row, struct keyword_run *run,
                      const struct statement *line, unsigned at, void *target, struct place *given)
{
    keyword_mark(table, row, run, &line->words[at], given);
    if (row->type == KEYWORD_FLAG || row->type == KEYWORD_SET)
        return keyword_take_flag(row, run, line, at, target);
    if (row->type == KEYWORD_WORDS)
        return keyword_take_words(table, row, run, line, at, target);
    if (row->type == KEYWORD_CUSTOM)
        return row->take(run, row, line, at, keyword_arguments_end(table, line, at), target);
    if (keyword_lacks_argument(table, run, line, at)) {
        keyword_missing(run, row, &line->words[at]);
        return at + 1;
    }
    keyword_value(run, row, &line->words[at + 1], target);
    return at + 2;
}

/* --- lines and blocks --- */

static const struct statement *keyword_block_of(const struct statement *line)
{
    return line->next != NULL && line->next->kind == STATEMENT_BLOCK ? line->next : NULL;
}

static void keyword_refuse(const struct keyword *row, struct keyword_run *run, const struct word *word)
{
    if (run->tolerant)
        report_kind(run->report, word->place, row->help, "%s %s; it is skipped", row->name, row->help);
    else
        report_error(run->report, word->place, "%s %s", row->name, row->help);
}

/*
 * The lines after `line` that must be its block's, whose opening brace is missing: up to the next keyword of `table`.
 * *last becomes the last of them.
 */
static struct statement *keyword_gather(const struct keyword_table *table, struct keyword_run *run,
                                        const struct statement *line, const struct statement **last)
{
    struct statement *first = NULL, **tail = &first;

    for (const struct statement *s = line->next; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_LINE && keyword_of(table, &s->words[0]) != NULL)
            break;
        struct statement *copy = arena_new(run->arena, struct statement);

        *copy = *s;
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
        *last = s;
    }
    return first;
}

/* A block without braces, in a tolerant run; returns the statement that was used last. */
static const struct statement *keyword_bare_block(const struct keyword_table *table, const struct keyword *row,
                                                  struct keyword_run *run, const struct statement *line, unsigned at,
                                                  const struct word_list *words, void *target, struct place *given)
{
    const struct statement *last = line, *first = NULL;

    if (row->named || words->count == 0)
        first = keyword_gather(table, run, line, &last);
    if (first == NULL && words->count == 0) {
        given[row - table->rows] = (struct place){0};
        keyword_complain(run, line->words[at].place, "the line is ignored", "%s must be followed by a block: %s %s",
                         row->name, row->name, row->argument);
        return line;
    }
    keyword_complain(run, line->words[at].place, "read as if they were there", "%s has no braces: %s %s", row->name,
                     row->name, row->argument);
    row->enter(run, row, &line->words[at], words, first, target);
    return last;
}

static const struct statement *keyword_block(const struct keyword_table *table, const struct keyword *row,
                                             struct keyword_run *run, const struct statement *line, unsigned at,
                                             void *target, struct place *given)
{
    const struct statement *block = keyword_block_of(line);
    const struct word_list words = {line->word_count - at - 1, line->words + at + 1};

    keyword_mark(table, row, run, &line->words[at], given);
    if (block == NULL && run->tolerant)
        return keyword_bare_block(table, row, run, line, at, &words, target, given);
    if (block == NULL) {
        report_error(run->report, line->words[at].place, "%s must be followed by a block: %s %s", row->name, row->name,
                     row->argument);
        return line;
    }
    row->enter(run, row, &line->words[at], &words, block->first, target);
    return block;
}

const struct statement *keyword_outer_line(struct keyword_run *run, const struct statement *line)
{
    struct keyword_level *inner = run->level;

    if (!run->tolerant || keyword_block_of(line) == NULL)
        return NULL;
    for (struct keyword_level *outer = inner; outer != NULL; outer = outer->outer) {
        const struct keyword *row = keyword_of(outer->table, &line->words[0]);

        if (row == NULL || row->type != KEYWORD_BLOCK)
            continue;
        report_warning(run->report, line->words[0].place,
                       "%s inside another block: a } must be missing before it; read as if it were there", row->name);
        run->level = outer;
        line = keyword_parse_line(outer->table, run, line, outer->target, outer->given);
        run->level = inner;
        return line;
    }
    return NULL;
}

/* What the file's outermost table refuses, and somebody wrote into another block. */
static const struct keyword *keyword_refused_outside(const struct keyword_run *run, const struct word *word)
{
    const struct keyword_level *level = run->level;

    while (level != NULL && level->outer != NULL)
        level = level->outer;
    const struct keyword *row = level != NULL ? keyword_of(level->table, word) : NULL;

    return row != NULL && row->type == KEYWORD_REFUSED ? row : NULL;
}

/* "nopreempt;": the line without the semicolon, or NULL when it is no keyword then either. */
static const struct statement *keyword_without_semicolon(const struct keyword_table *table, struct keyword_run *run,
                                                         const struct statement *line)
{
    const char *text = line->words[0].text;
    size_t length = strlen(text);
    char quote[REPORT_QUOTE_MAX];

    if (!run->tolerant || length < 2 || text[length - 1] != ';')
        return NULL;
    struct statement *copy = arena_new(run->arena, struct statement);
    struct word *words = arena_array(run->arena, line->word_count, sizeof(*words));

    *copy = *line;
    copy->words = words;
    memcpy(words, line->words, line->word_count * sizeof(*words));
    words[0].text = arena_text(run->arena, text, length - 1);
    if (keyword_of(table, &words[0]) == NULL)
        return NULL;
    report_warning(run->report, words[0].place, "%s ends in a semicolon; read without it", report_quote(text, quote));
    return copy;
}

/* What no keyword of the table begins with; returns the statement that was used last. */
static const struct statement *keyword_unknown(const struct keyword_table *table, struct keyword_run *run,
                                               const struct statement *line, void *target, struct place *given)
{
    const struct statement *block = keyword_block_of(line), *other = keyword_outer_line(run, line);

    if (other != NULL)
        return other;
    other = keyword_without_semicolon(table, run, line);
    if (other != NULL)
        return keyword_parse_line(table, run, other, target, given);
    if (block == NULL && table->other != NULL && table->other(run, line, target))
        return line;
    const struct keyword *refused = keyword_refused_outside(run, &line->words[0]);

    if (refused != NULL)
        keyword_refuse(refused, run, &line->words[0]);
    else
        keyword_report_unknown(table, run, &line->words[0]);
    return block != NULL ? block : line;
}

const struct statement *keyword_parse_line(const struct keyword_table *table, struct keyword_run *run,
                                           const struct statement *line, void *target, struct place *given)
{
    const struct keyword *last = NULL;
    char quote[REPORT_QUOTE_MAX];

    for (unsigned at = 0; at < line->word_count;) {
        const struct keyword *row = keyword_of(table, &line->words[at]);

        if (row == NULL && last == NULL)
            return keyword_unknown(table, run, line, target, given);
        if (row == NULL) {
            keyword_complain(run, line->words[at].place, "it is ignored", "unexpected %s after %s",
                             report_quote(line->words[at].text, quote), last->name);
            if (!run->tolerant)
                break;
            at = keyword_arguments_end(table, line, at);
            continue;
        }
        if (row->type == KEYWORD_BLOCK)
            return keyword_block(table, row, run, line, at, target, given);
        if (row->type == KEYWORD_REFUSED) {
            keyword_refuse(row, run, &line->words[at]);
            at = run->tolerant ? keyword_arguments_end(table, line, at) : line->word_count;
            if (at == line->word_count && keyword_block_of(line) != NULL)
                return line->next;
        } else
            at = keyword_take(table, row, run, line, at, target, given);
        last = row;
    }
    if (keyword_block_of(line) != NULL && last != NULL) {
        keyword_complain(run, line->next->place, "the block is skipped", "unexpected { after %s, which takes no block",
                         last->name);
        return line->next;
    }
    return line;
}

void keyword_parse(const struct keyword_table *table, struct keyword_run *run, const struct statement *first,
                   void *target, struct place *given)
{
    struct keyword_level level = {table, target, given, run->level};

    run->level = &level;
    for (const struct statement *s = first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_LINE)
            s = keyword_parse_line(table, run, s, target, given);
        else
            keyword_complain(run, s->place, "the block is skipped", "unexpected {: no keyword stands before it");
    }
    run->level = level.outer;
}
