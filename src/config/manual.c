/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manual's keyword section, from the same rows that the parser runs on. Pure output; called by gen_keywords.c when
 * the manual page is built.
 */
#include "config/manual.h"

#include <assert.h>

#include "base/check.h"

static const char *const manual_reload[] = {
    [RELOAD_AT_ONCE] = "in force at once",
    [RELOAD_UNITS] = "only units whose own lines changed are affected",
    [RELOAD_POOL] = "the pool's units are released in order, and the pool starts anew",
};

static_assert(ARRAY_LENGTH(manual_reload) == RELOAD_COUNT, "one text for each of enum keyword_reload");

/* Text that roff must not take for requests or escapes. */
static void manual_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

/* Arguments: words in capitals are placeholders, the rest is typed as it stands. */
static void manual_argument(FILE *out, const char *text)
{
    while (*text != '\0') {
        bool upper = *text >= 'A' && *text <= 'Z';

        fputs(upper ? "\\fI" : "\\fR", out);
        do
            fputc(*text++, out);
        while (*text != '\0' && (*text >= 'A' && *text <= 'Z') == upper);
        fputs("\\fR", out);
    }
}

static void manual_facts(const struct keyword *row, FILE *out)
{
    char range[KEYWORD_RANGE_MAX];
    const char *preset = row->default_note != NULL ? row->default_note : row->default_text;

    keyword_range(row, range);
    fputs(".br\n", out);
    /* The usage already lists the words of the others. */
    if (row->type == KEYWORD_INTEGER || row->type == KEYWORD_SECONDS) {
        fputs("Range: ", out);
        manual_text(out, range);
        fputs(". ", out);
    }
    if (preset != NULL) {
        fputs("Default: ", out);
        manual_text(out, preset);
        fputs(". ", out);
    }
    fprintf(out, "Reload: %s.\n", manual_reload[row->reload]);
}

void manual_print_table(const struct keyword_table *table, FILE *out)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct keyword *row = &table->rows[i];

        if (row->type == KEYWORD_REFUSED)
            continue;
        fprintf(out, ".TP\n\\fB%s\\fR ", row->name);
        if (row->argument != NULL)
            manual_argument(out, row->argument);
        fputc('\n', out);
        manual_text(out, row->help);
        fputc('\n', out);
        manual_facts(row, out);
    }
}
