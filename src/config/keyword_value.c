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
    case KEYWORD_SET:
    case KEYWORD_WORD:
    case KEYWORD_TEXT:
    case KEYWORD_WORDS:
    case KEYWORD_CUSTOM:
    case KEYWORD_BLOCK:
    case KEYWORD_REFUSED:
        break;
    }
    return buffer;
}

/*
 * Decimal text scaled by 10^decimals. False: no number. More digits after the point than `decimals` set *fine. What
 * follows the number is left at *end.
 */
static bool keyword_decimal(const char *text, unsigned decimals, int64_t *out, bool *fine, const char **end)
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
            break;
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
    *end = text;
    return digit;
}

/* What a tolerant run does with a value it cannot use. */
static const char *keyword_instead(const struct keyword *row, char buffer[static KEYWORD_RANGE_MAX])
{
    const char *preset = row->default_note != NULL ? row->default_note : row->default_text;

    snprintf(buffer, KEYWORD_RANGE_MAX, preset != NULL ? "it is ignored (default: %s)" : "it is ignored", preset);
    return buffer;
}

static void keyword_error(struct keyword_run *run, const struct keyword *row, const struct word *word, const char *what)
{
    char quote[REPORT_QUOTE_MAX], range[KEYWORD_RANGE_MAX], instead[KEYWORD_RANGE_MAX];

    keyword_complain(run, word->place, keyword_instead(row, instead), "%s %s %s; expected %s", row->name,
                     report_quote(word->text, quote), what, keyword_range(row, range));
}

/* Junk behind a number ("100;"): a tolerant run reads the number. */
static bool keyword_accepts_rest(struct keyword_run *run, const struct word *word, const char *rest)
{
    char quote[REPORT_QUOTE_MAX], number[REPORT_QUOTE_MAX];
    size_t length = (size_t)(rest - word->text);

    if (*rest == '\0')
        return true;
    if (!run->tolerant || length >= sizeof(number))
        return false;
    memcpy(number, word->text, length);
    number[length] = '\0';
    report_warning(run->report, word->place, "%s is no plain number; read as %s", report_quote(word->text, quote),
                   number);
    return true;
}

static bool keyword_number(struct keyword_run *run, const struct keyword *row, const struct word *word, int64_t *out)
{
    bool seconds = row->type == KEYWORD_SECONDS, fine = false;
    char text[32], quote[REPORT_QUOTE_MAX];
    const char *rest;

    if (!keyword_decimal(word->text, seconds ? 6 : 0, out, &fine, &rest) || !keyword_accepts_rest(run, word, rest)) {
        keyword_error(run, row, word, "is not a number");
        return false;
    }
    if (*out < row->minimum || *out > row->maximum) {
        keyword_error(run, row, word, "is out of range");
        return false;
    }
    int64_t step = seconds && row->step > 0 ? row->step : 1;

    if (!fine && *out % step == 0)
        return true;
    keyword_complain(run, word->place, "it is rounded down", "%s %s is too fine; expected steps of %s s", row->name,
                     report_quote(word->text, quote), keyword_seconds(step, text));
    *out -= *out % step;
    return run->tolerant && *out >= row->minimum;
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
    char quote[REPORT_QUOTE_MAX], range[KEYWORD_RANGE_MAX], instead[KEYWORD_RANGE_MAX];

    for (const struct keyword_choice *c = keyword_choices(row); c->name != NULL; c++)
        suggest_offer(&suggest, c->name);
    keyword_complain(run, word->place, keyword_instead(row, instead), "%s cannot be %s; expected %s%s%s%s", row->name,
                     report_quote(word->text, quote), keyword_range(row, range),
                     suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                     suggest.best != NULL ? "\"?" : "");
}

/* A tolerant run takes "MASTER;" for what it must have been. */
static bool keyword_choose_word(struct keyword_run *run, const struct keyword *row, const struct word *word,
                                int64_t *out)
{
    char text[REPORT_QUOTE_MAX], quote[REPORT_QUOTE_MAX];
    size_t length = strlen(word->text);

    if (keyword_choose(keyword_choices(row), word->text, out))
        return true;
    if (run->tolerant && length > 1 && length < sizeof(text) && word->text[length - 1] == ';') {
        memcpy(text, word->text, length);
        text[length - 1] = '\0';
        if (keyword_choose(keyword_choices(row), text, out)) {
            report_warning(run->report, word->place, "%s ends in a semicolon; read as %s",
                           report_quote(word->text, quote), text);
            return true;
        }
    }
    keyword_report_choice(run, row, word);
    return false;
}

static void keyword_store_integer(unsigned char *place, size_t size, int64_t value)
{
    switch (size) {
    case 1:
        memcpy(place, &(int8_t){(int8_t)value}, 1);
        return;
    case 2:
        memcpy(place, &(int16_t){(int16_t)value}, 2);
        return;
    case 4:
        memcpy(place, &(int32_t){(int32_t)value}, 4);
        return;
    }
    memcpy(place, &value, sizeof(value));
}

bool keyword_value(struct keyword_run *run, const struct keyword *row, const struct word *word, void *target)
{
    unsigned char *place = (unsigned char *)target + row->offset;
    int64_t value = 0;

    switch (row->type) {
    case KEYWORD_FLAG:
    case KEYWORD_BOOL:
    case KEYWORD_CHOICE:
        if (!keyword_choose_word(run, row, word, &value))
            return false;
        if (row->type == KEYWORD_CHOICE)
            *place = (uint8_t)value;
        else
            memcpy(place, &(bool){value != 0}, sizeof(bool));
        return true;
    case KEYWORD_INTEGER:
    case KEYWORD_SECONDS:
        if (!keyword_choose(row->choices, word->text, &value) && !keyword_number(run, row, word, &value))
            return false;
        keyword_store_integer(place, row->type == KEYWORD_INTEGER ? row->size : 0, value);
        return true;
    case KEYWORD_SET:
        memcpy(place, &(bool){row->minimum != 0}, sizeof(bool));
        return true;
    case KEYWORD_TEXT:
        memcpy(place, &word->text, sizeof(word->text));
        return true;
    case KEYWORD_WORD:
        memcpy(place, word, sizeof(*word));
        return true;
    case KEYWORD_WORDS:
    case KEYWORD_CUSTOM:
    case KEYWORD_BLOCK:
    case KEYWORD_REFUSED:
        break;
    }
    return false; /* these have no value of one word */
}
