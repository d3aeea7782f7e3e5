/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser over keyword tables: which words belong to which keyword, which block to which line. Owns no state and no
 * keyword. Called by config.c with the pool's tables.
 */
#include "config/keyword.h"

#include <string.h>

#include "base/check.h"
#include "config/keyword_internal.h"
#include "config/suggest.h"

const struct keyword *keyword_find(const struct keyword_table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].name, name) == 0)
            return &table->rows[i];
    return NULL;
}

static const struct keyword *keyword_of(const struct keyword_table *table, const struct word *word)
{
    return word->quoted ? NULL : keyword_find(table, word->text);
}

void keyword_report_unknown(const struct keyword_table *table, struct keyword_run *run, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < table->count; i++)
        suggest_offer(&suggest, table->rows[i].name);
    report_error(run->report, word->place, "unknown keyword %s%s%s%s%s%s", report_quote(word->text, quote),
                 table->context != NULL ? " in " : "", table->context != NULL ? table->context : "",
                 suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                 suggest.best != NULL ? "\"?" : "");
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

    if (place->file == NULL)
        *place = word->place;
    else if (!row->repeatable)
        report_error(run->report, word->place, "%s is given twice; the first is at %s:%u", row->name, place->file,
                     place->line);
}

static void keyword_missing(struct keyword_run *run, const struct keyword *row, const struct word *keyword)
{
    char range[KEYWORD_RANGE_MAX];

    keyword_range(row, range);
    report_error(run->report, keyword->place, "%s needs an argument: %s%s%s%s", row->name, row->argument,
                 range[0] != '\0' ? " (" : "", range, range[0] != '\0' ? ")" : "");
}

static unsigned keyword_take_words(const struct keyword_table *table, const struct keyword *row,
                                   struct keyword_run *run, const struct word *words, unsigned count, unsigned at,
                                   void *target)
{
    unsigned end = at + 1;

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
static unsigned keyword_take_flag(const struct keyword *row, struct keyword_run *run, const struct word *words,
                                  unsigned count, unsigned at, void *target)
{
    const struct word on = {.text = "on"};

    if (at + 1 < count)
        for (const struct keyword_choice *c = keyword_choices(row); c->name != NULL; c++)
            if (strcmp(c->name, words[at + 1].text) == 0) {
                keyword_value(run, row, &words[at + 1], target);
                return at + 2;
            }
    keyword_value(run, row, &on, target);
    return at + 1;
}

unsigned keyword_take(const struct keyword_table *table, const struct keyword *row, struct keyword_run *run,
                      const struct word *words, unsigned count, unsigned at, void *target, struct place *given)
{
    keyword_mark(table, row, run, &words[at], given);
    if (row->type == KEYWORD_FLAG)
        return keyword_take_flag(row, run, words, count, at, target);
    if (row->type == KEYWORD_WORDS)
        return keyword_take_words(table, row, run, words, count, at, target);
    if (at + 1 == count || keyword_of(table, &words[at + 1]) != NULL) {
        keyword_missing(run, row, &words[at]);
        return at + 1;
    }
    keyword_value(run, row, &words[at + 1], target);
    return at + 2;
}

static void keyword_refuse(const struct keyword *row, struct keyword_run *run, const struct word *word)
{
    report_error(run->report, word->place, "%s %s", row->name, row->help);
}

/* The block of words[at]: returns the statement that was last used. */
static const struct statement *keyword_block(const struct keyword_table *table, const struct keyword *row,
                                             struct keyword_run *run, const struct statement *line, unsigned at,
                                             void *target, struct place *given)
{
    const struct statement *block = line->next;
    const struct word_list words = {line->word_count - at - 1, line->words + at + 1};

    if (row->type == KEYWORD_BLOCK)
        keyword_mark(table, row, run, &line->words[at], given);
    else
        keyword_refuse(row, run, &line->words[at]);
    bool has_block = block != NULL && block->kind == STATEMENT_BLOCK;

    if (row->type == KEYWORD_BLOCK && has_block)
        row->enter(run, row, &line->words[at], &words, block->first, target);
    else if (row->type == KEYWORD_BLOCK)
        report_error(run->report, line->words[at].place, "%s must be followed by a block: %s %s", row->name, row->name,
                     row->argument);
    return has_block ? block : line;
}

/* One line, with the block that belongs to it; returns the statement that was last used. */
static const struct statement *keyword_line(const struct keyword_table *table, struct keyword_run *run,
                                            const struct statement *line, void *target, struct place *given)
{
    const struct keyword *last = NULL;
    char quote[REPORT_QUOTE_MAX];

    for (unsigned at = 0; at < line->word_count;) {
        const struct keyword *row = keyword_of(table, &line->words[at]);

        if (row == NULL && last != NULL) {
            report_error(run->report, line->words[at].place, "unexpected %s after %s",
                         report_quote(line->words[at].text, quote), last->name);
            break;
        }
        if (row == NULL) {
            keyword_report_unknown(table, run, &line->words[0]);
            return line->next != NULL && line->next->kind == STATEMENT_BLOCK ? line->next : line;
        }
        if (row->type == KEYWORD_BLOCK || row->type == KEYWORD_REFUSED)
            return keyword_block(table, row, run, line, at, target, given);
        at = keyword_take(table, row, run, line->words, line->word_count, at, target, given);
        last = row;
    }
    if (line->next != NULL && line->next->kind == STATEMENT_BLOCK && last != NULL) {
        report_error(run->report, line->next->place, "unexpected { after %s, which takes no block", last->name);
        return line->next;
    }
    return line;
}

void keyword_parse(const struct keyword_table *table, struct keyword_run *run, const struct statement *first,
                   void *target, struct place *given)
{
    for (const struct statement *s = first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_LINE)
            s = keyword_line(table, run, s, target, given);
        else
            report_error(run->report, s->place, "unexpected {: no keyword stands before it");
    }
}
