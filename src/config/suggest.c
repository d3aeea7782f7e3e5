/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours cost 1 each. A word is
 * near enough when at most a third of it was mistyped. Pure; called by the keyword engine and the builder.
 */
#include "config/suggest.h"

#include <ctype.h>
#include <string.h>

#define SUGGEST_WORD_MAX 40 /* longer words are no keywords */

static unsigned suggest_min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][SUGGEST_WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        last[j] = (unsigned)j;
    memset(before, 0, sizeof(rows[0]));
    for (size_t i = 1; i <= a_length; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replace = last[j - 1] + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));

            now[j] = suggest_min(replace, suggest_min(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = suggest_min(now[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;

        before = last;
        last = now;
        now = free_row;
    }
    return last[b_length];
}

struct suggest suggest_start(const char *word)
{
    size_t length = strlen(word);

    return (struct suggest){.word = word, .distance = (unsigned)(length < 4 ? 1 : length / 3) + 1};
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t a = strlen(suggest->word), b = strlen(candidate);

    if (a == 0 || a > SUGGEST_WORD_MAX || b > SUGGEST_WORD_MAX)
        return;
    unsigned distance = suggest_distance(suggest->word, a, candidate, b);

    /* Nothing of a short candidate would be left: "ab" is not "on". */
    if (distance < suggest->distance && distance < b) {
        suggest->distance = distance;
        suggest->best = candidate;
    }
}
