/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments that are more than one value: commands with their user, weights with their sense, users with their group.
 * Called by the keyword engine through the tables.
 */
#include <pwd.h>
#include <string.h>

#include "compat_words.h"

static void *take_target(const struct keyword *row, void *target)
{
    return (unsigned char *)target + row->offset;
}

static unsigned take_missing(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                             unsigned at)
{
    COMPAT_WARN(run, line->words[at].place, "%s needs an argument: %s; the line is ignored", row->name, row->argument);
    return at + 1;
}

/* --- users --- */

static void take_user_words(struct keyword_run *run, const struct keyword *row, const struct word *words,
                            unsigned count, const char **user, const char **group)
{
    const char *colon = strchr(words[0].text, ':');
    char quote[REPORT_QUOTE_MAX];

    *user = colon == NULL ? words[0].text : arena_text(run->arena, words[0].text, (size_t)(colon - words[0].text));
    *group = colon != NULL && colon[1] != '\0' ? colon + 1 : count > 1 && colon == NULL ? words[1].text : NULL;
    for (unsigned i = colon == NULL ? 2 : 1; i < count; i++)
        COMPAT_WARN(run, words[i].place, "unexpected %s after %s's user; it is ignored",
                    report_quote(words[i].text, quote), row->name);
}

unsigned compat_take_user(struct keyword_run *run, const struct keyword *row, const struct statement *line, unsigned at,
                          unsigned end, void *target)
{
    const char **names = take_target(row, target);

    if (end == at + 1)
        return take_missing(run, row, line, at);
    take_user_words(run, row, line->words + at + 1, end - at - 1, &names[0], &names[1]);
    return end;
}

/* --- commands --- */

/* words[from, to) of a line, split as a shell would. */
static unsigned take_split(struct keyword_run *run, const struct statement *line, unsigned from, unsigned to,
                           struct word **out)
{
    const char *raw = line->raw + line->words[from].offset;
    size_t length = to < line->word_count ? (size_t)(line->words[to].offset - line->words[from].offset) : strlen(raw);
    struct word *words = arena_array(run->arena, to - from, sizeof(*words));
    struct statement part = {.kind = STATEMENT_LINE, .words = words, .word_count = to - from};

    memcpy(words, line->words + from, (to - from) * sizeof(*words));
    for (unsigned i = 0; i < part.word_count; i++)
        words[i].offset -= line->words[from].offset;
    part.raw = arena_text(run->arena, raw, length);
    return reader_shell_words(&part, 0, out, run->arena, run->report);
}

static void take_arguments(struct keyword_run *run, struct check_command *command, const struct word *words,
                           unsigned count)
{
    command->argument_count = count;
    command->arguments = arena_array(run->arena, count + 1, sizeof(char *));
    for (unsigned i = 0; i < count; i++)
        command->arguments[i] = arena_text(run->arena, words[i].text, strlen(words[i].text));
}

/* The first of two counts, as with keepalived; false after a finding. */
static bool take_first(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                       const struct check_command *command)
{
    if (command->argument_count == 0)
        return true;
    COMPAT_WARN(run, keyword->place, "%s is given twice; the first, at %s:%u, counts", row->name, command->place.file,
                command->place.line);
    return false;
}

/*
 * The command of words[at], up to *end; what follows a quoted command is left to the caller. A backslash before the
 * closing quote means that the line's idea of the word is wrong: then all of the line is looked at.
 */
static bool take_command(struct keyword_run *run, const struct statement *line, unsigned at, unsigned *end,
                         struct check_command *command)
{
    const struct word *first = &line->words[at + 1];
    struct word *words;
    size_t length = strlen(first->text);
    bool escaped = first->quoted && length > 0 && first->text[length - 1] == '\\';
    unsigned count;

    if (escaped) {
        *end = line->word_count;
        count = take_split(run, line, at + 1, *end, &words);
        struct statement inner = {.kind = STATEMENT_LINE, .words = words, .word_count = 1};

        words[0].quoted = true;
        count = count > 0 ? reader_shell_words(&inner, 0, &words, run->arena, run->report) : 0;
    } else {
        *end = first->quoted ? at + 2 : *end;
        count = take_split(run, line, at + 1, *end, &words);
    }
    command->place = first->place;
    if (count > 0 && words[0].text[0] != '\0')
        take_arguments(run, command, words, count);
    else
        COMPAT_WARN(run, first->place, "the command is empty; it is ignored");
    return command->argument_count > 0;
}

unsigned compat_take_script(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                            unsigned at, unsigned end, void *target)
{
    struct check_command *command = take_target(row, target), other = {0};
    unsigned used = end;
    char quote[REPORT_QUOTE_MAX];

    if (end == at + 1)
        return take_missing(run, row, line, at);
    if (!take_first(run, row, &line->words[at], command))
        command = &other;
    take_command(run, line, at, &used, command);
    if (used < end)
        COMPAT_WARN(run, line->words[used].place, "unexpected %s after a quoted command; it is ignored",
                    report_quote(line->words[used].text, quote));
    return used > end ? used : end;
}

/* Whether the second word of an unquoted command is its user. keepalived says always; most files mean an argument. */
static bool take_is_user(const struct compat_words *words, const char *text)
{
    char name[64];
    size_t length = strcspn(text, ":");

    if (strcmp(text, "root") == 0)
        return true;
    if (length == 0 || length >= sizeof(name) || (words->flags & CONFIG_UNTRUSTED) != 0)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    return getpwnam(name) != NULL;
}

/* An unquoted command: PATH [USER [GROUP]], or a path with its arguments. */
static void take_bare_user(struct keyword_run *run, struct check_command *command)
{
    char **arguments = command->arguments;
    char quote[REPORT_QUOTE_MAX];

    if (command->argument_count < 2)
        return;
    if (command->argument_count > 3 || !take_is_user(run->context, arguments[1])) {
        COMPAT_WARN(run, command->place,
                    "%s is no user here; read as an argument of the command, which should be quoted with its arguments",
                    report_quote(arguments[1], quote));
        return;
    }
    struct word words[2] = {{.text = arguments[1], .place = command->place},
                            {.text = arguments[2], .place = command->place}};
    const struct keyword row = {.name = "command"};

    take_user_words(run, &row, words, command->argument_count - 1, &command->user, &command->group);
    command->argument_count = 1;
    arguments[1] = NULL;
}

unsigned compat_take_command(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                             unsigned at, unsigned end, void *target)
{
    struct check_command *command = take_target(row, target), other = {0};
    unsigned limit = at == 0 && line->word_count > 1 && !line->words[1].quoted ? line->word_count : end;
    unsigned used = limit;

    if (limit == at + 1)
        return take_missing(run, row, line, at);
    if (!take_first(run, row, &line->words[at], command))
        command = &other;
    if (!take_command(run, line, at, &used, command))
        return limit;
    if (!line->words[at + 1].quoted)
        take_bare_user(run, command);
    else if (used < limit)
        take_user_words(run, row, line->words + used, limit - used, &command->user, &command->group);
    return used > limit ? used : limit;
}

/* --- the rest --- */

unsigned compat_take_weight(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                            unsigned at, unsigned end, void *target)
{
    struct check_weight *weight = take_target(row, target);
    int64_t value;

    if (end == at + 1)
        return take_missing(run, row, line, at);
    unsigned used = at + 2;

    if (compat_read_integer(run, row->name, &line->words[at + 1], -row->maximum, row->maximum, &value))
        *weight = (struct check_weight){.value = (int16_t)value, .given = true};
    if (used < line->word_count && strcmp(line->words[used].text, "reverse") == 0) {
        weight->reverse = true;
        used++;
    } else if (used < line->word_count && strcmp(line->words[used].text, "noreverse") == 0) {
        weight->reverse = false;
        used++;
    }
    return used;
}

unsigned compat_take_address(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                             unsigned at, unsigned end, void *target)
{
    struct addr address;

    if (end == at + 1)
        return take_missing(run, row, line, at);
    if (compat_read_address(run, row->name, &line->words[at + 1], &address))
        *(struct addr *)take_target(row, target) = address;
    return at + 2;
}

unsigned compat_take_interface(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                               unsigned at, unsigned end, void *target)
{
    if (end == at + 1)
        return take_missing(run, row, line, at);
    const char *name = compat_read_interface(run, row->name, &line->words[at + 1]);

    if (name != NULL)
        *(const char **)take_target(row, target) = name;
    return at + 2;
}

unsigned compat_take_skip(struct keyword_run *run, const struct keyword *row, const struct statement *line, unsigned at,
                          unsigned end, void *target)
{
    (void)run;
    (void)row;
    (void)line;
    (void)at;
    (void)target;
    return end;
}
