/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of keywords: text -> number, time, choice, and back to text for messages and the manual. Errors name the
 * keyword, the word and what was expected. Called by keyword.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mono.h"
#include "config/keyword_internal.h"
#include "config/suggest.h"

static const struct keyword_choice keyword_bool_choices[] = {{"on", 1},   {"off", 0},   {"yes", 1}, {"no", 0},
                                                             {"true", 1}, {"false", 0}, {NULL, 0}};

const struct keyword_choice *keyword_choices(const struct keyword *row)
{
    return row->type == KEYWORD_FLAG || row->type == KEYWORD_BOOL ? keyword_bool_choices : row->choices;
}

const char *keyword_seconds(int64_t us, char buffer[static 32])
{
    snprintf(buffer, 32, "%" PRId64 ".%06" PRId64, us / US_PER_S, us % US_PER_S);
    for (size_t end = strlen(buffer) - 1; buffer[end] == '0' || buffer[end] == '.'; end--) {
        bool point = buffer[end] == '.';

        buffer[end] = '\0';
        if (point)
            break;
    }
    return buffer;
}

static size_t keyword_append(char *buffer, size_t used, const char *separator, const char *text)
{
    int length = snprintf(buffer + used, KEYWORD_RANGE_MAX - used, "%s%s", separator, text);

    CHECK(length >= 0 && (size_t)length < KEYWORD_RANGE_MAX - used);
    return used + (size_t)length;
}

const char *keyword_range(const struct keyword *row, char buffer[static KEYWORD_RANGE_MAX])
{
    char low[32], high[32];
    size_t used = 0;

    buffer[0] = '\0';
    switch (row->type) {
    case KEYWORD_INTEGER:
        used = (size_t)snprintf(buffer, KEYWORD_RANGE_MAX, "%" PRId64 "..%" PRId64, row->minimum, row->maximum);
        if (row->unit != NULL)
            used = keyword_append(buffer, used, " ", row->unit);
        for (const struct keyword_choice *c = row->choices; c != NULL && c->name != NULL; c++)
            used = keyword_append(buffer, used, " or ", c->name);
        break;
    case KEYWORD_SECONDS:
        snprintf(buffer, KEYWORD_RANGE_MAX, "%s..%s s", keyword_seconds(row->minimum, low),
                 keyword_seconds(row->maximum, high));
        break;
    case KEYWORD_FLAG:
    case KEYWORD_BOOL:
        keyword_append(buffer, 0, "", "on or off");
        break;
    case KEYWORD_CHOICE:
        for (const struct keyword_choice *c = row->choices; c->name != NULL; c++)
            used = keyword_append(buffer, used, c == row->choices ? "" : c[1].name == NULL ? " or " : ", ", c->name);
        break;
    case KEYWORD_WORD:
    case KEYWORD_WORDS:
    case KEYWORD_BLOCK:
    case KEYWORD_REFUSED:
        break;
    }
    return buffer;
}

/* Decimal text scaled by 10^decimals. False: no number. More digits after the point than `decimals` set *fine. */
static bool keyword_decimal(const char *text, unsigned decimals, int64_t *out, bool *fine)
{
    const int64_t most = INT64_MAX / 100;
    bool negative = *text == '-', point = false, digit = false;
    unsigned after = 0;
    int64_t value = 0;

    text += *text == '-' || *text == '+';
    for (; *text != '\0'; text++) {
        if (*text == '.' && decimals > 0 && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        digit = true;
        if (point && after == decimals) {
            *fine = *fine || *text != '0';
            continue;
        }
        after += point;
        value = value > most ? most : value * 10 + (*text - '0');
    }
    for (; after < decimals; after++)
        value = value > most ? most : value * 10;
    *out = negative ? -value : value;
    return digit;
}

static void keyword_error(struct keyword_run *run, const struct keyword *row, const struct word *word, const char *what)
{
    char quote[REPORT_QUOTE_MAX], range[KEYWORD_RANGE_MAX];

    report_error(run->report, word->place, "%s %s %s; expected %s", row->name, report_quote(word->text, quote), what,
                 keyword_range(row, range));
}

static bool keyword_number(struct keyword_run *run, const struct keyword *row, const struct word *word, int64_t *out)
{
    bool seconds = row->type == KEYWORD_SECONDS, fine = false;
    char text[32], quote[REPORT_QUOTE_MAX];

    if (!keyword_decimal(word->text, seconds ? 6 : 0, out, &fine)) {
        keyword_error(run, row, word, "is not a number");
        return false;
    }
    if (*out < row->minimum || *out > row->maximum) {
        keyword_error(run, row, word, "is out of range");
        return false;
    }
    int64_t step = seconds && row->step > 0 ? row->step : 1;

    if (fine || *out % step != 0) {
        report_error(run->report, word->place, "%s %s is too fine; expected steps of %s s", row->name,
                     report_quote(word->text, quote), keyword_seconds(step, text));
        return false;
    }
    return true;
}

static bool keyword_choose(const struct keyword_choice *choices, const char *text, int64_t *out)
{
    for (; choices != NULL && choices->name != NULL; choices++)
        if (strcmp(choices->name, text) == 0) {
            *out = choices->value;
            return true;
        }
    return false;
}

static void keyword_report_choice(struct keyword_run *run, const struct keyword *row, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX], range[KEYWORD_RANGE_MAX];

    for (const struct keyword_choice *c = keyword_choices(row); c->name != NULL; c++)
        suggest_offer(&suggest, c->name);
    report_error(run->report, word->place, "%s cannot be %s; expected %s%s%s%s", row->name,
                 report_quote(word->text, quote), keyword_range(row, range),
                 suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                 suggest.best != NULL ? "\"?" : "");
}

bool keyword_value(struct keyword_run *run, const struct keyword *row, const struct word *word, void *target)
{
    unsigned char *place = (unsigned char *)target + row->offset;
    int64_t value = 0;

    switch (row->type) {
    case KEYWORD_FLAG:
    case KEYWORD_BOOL:
    case KEYWORD_CHOICE:
        if (!keyword_choose(keyword_choices(row), word->text, &value)) {
            keyword_report_choice(run, row, word);
            return false;
        }
        if (row->type == KEYWORD_CHOICE)
            *place = (uint8_t)value;
        else
            memcpy(place, &(bool){value != 0}, sizeof(bool));
        return true;
    case KEYWORD_INTEGER:
    case KEYWORD_SECONDS:
        if (!keyword_choose(row->choices, word->text, &value) && !keyword_number(run, row, word, &value))
            return false;
        memcpy(place, &value, sizeof(value));
        return true;
    case KEYWORD_WORD:
        memcpy(place, word, sizeof(*word));
        return true;
    case KEYWORD_WORDS:
    case KEYWORD_BLOCK:
    case KEYWORD_REFUSED:
        break;
    }
    return false; /* these have no value of one word */
}
