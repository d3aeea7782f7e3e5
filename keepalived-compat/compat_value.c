/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of one word that the keyword engine has no type for: addresses, prefixes, interfaces, numbers with names.
 * Findings say what is left out. Called by the tables' custom readers and by the blocks of lines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat_words.h"

#define VALUE_TEXT_MAX 64

void *compat_push(struct arena *arena, struct compat_list *list, size_t size)
{
    if (list->count == list->capacity) {
        unsigned capacity = list->capacity * 2 + 4;
        void *items = arena_array(arena, capacity, size);

        if (list->count > 0)
            memcpy(items, list->items, list->count * size);
        list->items = items;
        list->capacity = capacity;
    }
    return (unsigned char *)list->items + list->count++ * size;
}

/* "192.0.2.1;" or "192.0.2.1,": what people write who come from other files. */
static size_t value_length(struct keyword_run *run, const struct word *word)
{
    size_t length = strlen(word->text);
    char quote[REPORT_QUOTE_MAX];

    if (length < 2 || strchr(";,", word->text[length - 1]) == NULL)
        return length;
    COMPAT_WARN(run, word->place, "%s ends in a %s; read without it", report_quote(word->text, quote),
                word->text[length - 1] == ';' ? "semicolon" : "comma");
    return length - 1;
}

static bool value_address(const char *text, size_t length, struct addr *out)
{
    char copy[VALUE_TEXT_MAX];

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return addr_parse(copy, out);
}

bool compat_read_address(struct keyword_run *run, const char *keyword, const struct word *word, struct addr *out)
{
    size_t total = value_length(run, word);
    const char *slash = memchr(word->text, '/', total);
    char quote[REPORT_QUOTE_MAX];

    if (value_address(word->text, slash == NULL ? total : (size_t)(slash - word->text), out)) {
        if (slash != NULL)
            report_kind(run->report, word->place, "prefix length", "%s takes no prefix length; %.*s is ignored",
                        keyword, (int)(word->text + total - slash), slash);
        return true;
    }
    COMPAT_WARN(run, word->place, "%s %s is not an address; it is ignored", keyword, report_quote(word->text, quote));
    return false;
}

/* 0..most, or -1. */
static int value_prefix_length(const char *text, size_t length, unsigned most)
{
    unsigned value = 0;

    if (length == 0 || length > 3)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value <= most ? (int)value : -1;
}

/* "255.255.255.0": the length that such a mask means, or -1. */
static int value_mask_length(const char *text, size_t length)
{
    struct addr mask;
    uint32_t bits = 0;

    if (!value_address(text, length, &mask) || mask.family != FAMILY_IPV4)
        return -1;
    for (unsigned i = 0; i < 4; i++)
        bits = bits << 8 | mask.bytes[i];
    int ones = bits == 0 ? 0 : 32 - __builtin_ctz(bits);

    return ones > 0 && bits == UINT32_MAX << (32 - ones) ? ones : -1;
}

bool compat_read_prefix(struct keyword_run *run, const char *keyword, const struct word *word, struct addr *out,
                        uint8_t *length)
{
    size_t total = value_length(run, word);
    const char *slash = memchr(word->text, '/', total);
    size_t address = slash == NULL ? total : (size_t)(slash - word->text);
    char quote[REPORT_QUOTE_MAX];

    if (!value_address(word->text, address, out)) {
        COMPAT_WARN(run, word->place, "%s %s is not an address; it is ignored", keyword,
                    report_quote(word->text, quote));
        return false;
    }
    unsigned most = (unsigned)addr_length(out) * 8;
    int prefix = slash == NULL ? (int)most : value_prefix_length(slash + 1, total - address - 1, most);

    if (prefix < 0) {
        prefix = most == 32 ? value_mask_length(slash + 1, total - address - 1) : -1;
        prefix = prefix < 0 ? (int)most : prefix;
        COMPAT_WARN(run, word->place, "%s %s has no prefix length of 0..%u; read as %.*s/%d", keyword,
                    report_quote(word->text, quote), most, (int)address, word->text, prefix);
    }
    *length = (uint8_t)prefix;
    return true;
}

const char *compat_read_interface(struct keyword_run *run, const char *keyword, const struct word *word)
{
    size_t length = value_length(run, word);
    char quote[REPORT_QUOTE_MAX];

    if (length == 0 || length >= CONFIG_INTERFACE_MAX || strcspn(word->text, "/ \t") < length) {
        COMPAT_WARN(run, word->place,
                    "%s %s cannot be an interface's name (1 to %d characters, no / and no blank); it is ignored",
                    keyword, report_quote(word->text, quote), CONFIG_INTERFACE_MAX - 1);
        return NULL;
    }
    return arena_text(run->arena, word->text, length);
}

bool compat_read_integer(struct keyword_run *run, const char *keyword, const struct word *word, int64_t low,
                         int64_t high, int64_t *out)
{
    const struct keyword row = {.name = keyword, .type = KEYWORD_INTEGER, .minimum = low, .maximum = high};

    return keyword_value(run, &row, word, out);
}

/* One line "NUMBER NAME" of iproute2's files. */
static bool named_line(const char *line, const char *name, int64_t *out)
{
    char *end, found[VALUE_TEXT_MAX];
    long long value = strtoll(line, &end, 0);

    if (end == line || sscanf(end, " %63s", found) != 1 || strcmp(found, name) != 0)
        return false;
    *out = value;
    return true;
}

static bool named_file(const char *file, const char *name, int64_t *out)
{
    static const char *const directories[] = {"/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"};
    char line[256];

    for (unsigned i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        snprintf(line, sizeof(line), "%s/%s", directories[i], file);
        FILE *in = fopen(line, "re");
        bool found = false;

        while (in != NULL && !found && fgets(line, sizeof(line), in) != NULL)
            found = named_line(line, name, out);
        if (in != NULL)
            fclose(in);
        if (found)
            return true;
    }
    return false;
}

bool compat_read_named(struct keyword_run *run, const char *keyword, const struct word *word, const char *file,
                       const struct keyword_choice *known, int64_t high, int64_t *out)
{
    const struct compat_words *words = run->context;
    char quote[REPORT_QUOTE_MAX];

    if (word->text[0] >= '0' && word->text[0] <= '9')
        return compat_read_integer(run, keyword, word, 0, high, out);
    for (; known->name != NULL; known++)
        if (strcmp(known->name, word->text) == 0) {
            *out = known->value;
            return true;
        }
    if ((words->flags & CONFIG_UNTRUSTED) == 0 && named_file(file, word->text, out))
        return true;
    COMPAT_WARN(run, word->place, "%s %s is neither a number nor a name of /etc/iproute2/%s; it is ignored", keyword,
                report_quote(word->text, quote), file);
    return false;
}
