/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of keywords that take a command, split like a shell's: 'single' and "double" quotes, joined pieces, and the
 * escapes of keepalived. No expansion of any kind. Called by keyword tables that hold commands.
 */
#include <stdlib.h>
#include <string.h>

#include "config/reader_internal.h"

struct shell {
    const char *text;
    size_t length, at;
    struct text word;
};

static unsigned shell_digits(struct shell *s, unsigned base, unsigned most)
{
    unsigned value = 0;

    for (; most > 0 && s->at < s->length; most--, s->at++) {
        char c = s->text[s->at];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;

        if (digit >= base)
            break;
        value = value * base + digit;
    }
    return value;
}

/* What stands after a backslash; s->at is behind it. */
static void shell_escape(struct shell *s)
{
    static const char names[] = "abEfnrtv", values[] = "\a\b\033\f\n\r\t\v";
    char c = s->text[s->at];
    const char *named = strchr(names, c);

    if (c >= '0' && c <= '7') {
        text_add(&s->word, (char)shell_digits(s, 8, 3), 0);
        return;
    }
    s->at++;
    if (named != NULL)
        text_add(&s->word, values[named - names], 0);
    else if (c == 'x')
        text_add(&s->word, (char)shell_digits(s, 16, 2), 0);
    else if (c == 'c' && s->at < s->length)
        text_add(&s->word, (char)(s->text[s->at++] & 0x1f), 0);
    else
        text_add(&s->word, c, 0);
}

/* One word into s->word; false when a quote is left open. */
static bool shell_word(struct shell *s)
{
    char quote = '\0';

    for (; s->at < s->length && (quote != '\0' || !reader_is_blank(s->text[s->at]));) {
        char c = s->text[s->at++];

        if (c == quote)
            quote = '\0';
        else if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (c == '\\' && quote != '\'' && s->at < s->length)
            shell_escape(s);
        else
            text_add(&s->word, c, 0);
    }
    return quote == '\0';
}

unsigned reader_shell_words(const struct statement *line, unsigned from, struct word **words, struct arena *arena,
                            struct report *report)
{
    unsigned count = 0, capacity = 0;
    struct word *list = NULL;
    struct shell s = {0};

    *words = NULL;
    if (from >= line->word_count)
        return 0;
    s.text = line->words[from].quoted && from + 1 == line->word_count ? line->words[from].text
                                                                      : line->raw + line->words[from].offset;
    s.length = strlen(s.text);
    for (;;) {
        while (s.at < s.length && reader_is_blank(s.text[s.at]))
            s.at++;
        if (s.at == s.length)
            break;
        bool closed = shell_word(&s);

        if (!closed)
            report_tolerable(report, line->words[from].place, "it ends with the line",
                             "a quote inside this command is not closed");
        if (count == capacity) {
            capacity = capacity * 2 + 8;
            list = xalloc_grow(list, capacity, sizeof(*list));
        }
        list[count++] = (struct word){
            .text = arena_text(arena, s.word.length > 0 ? s.word.bytes : "", s.word.length),
            .place = line->words[from].place,
        };
        text_free(&s.word);
    }
    *words = arena_array(arena, count, sizeof(**words));
    if (count > 0)
        memcpy(*words, list, count * sizeof(*list));
    free(list);
    return count;
}
