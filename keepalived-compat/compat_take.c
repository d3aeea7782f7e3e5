/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments that are more than one value: commands with their user, weights with their sense, users with their group.
 * Called by the keyword engine through the tables.
 */
#include <pwd.h>
#include <string.h>

#include "base/check.h"
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

/* Text split as a shell would; `place` becomes that of all the words. */
static unsigned take_split(struct keyword_run *run, const char *text, struct place place, struct word **out)
{
    struct word whole = {.text = text, .place = place, .quoted = true};
    const struct statement line = {.kind = STATEMENT_LINE, .words = &whole, .word_count = 1};

    return reader_shell_words(&line, 0, out, run->arena, run->report);
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

/* --- what only a shell would understand --- */

/*
 * "</dev/tcp/127.0.0.1/80": no program, but the shortest way to say "this can be opened". keepalived hands it to
 * system(3); only bash knows /dev/tcp and /dev/udp.
 */
static bool take_redirection(struct keyword_run *run, struct check_command *command, const char *text)
{
    bool network = strstr(text, "/dev/tcp/") != NULL || strstr(text, "/dev/udp/") != NULL;
    const struct word words[] = {{.text = network ? "/bin/bash" : "/bin/sh"}, {.text = "-c"}, {.text = text}};
    char quote[REPORT_QUOTE_MAX];

    if (text[0] != '<' || text[1 + strspn(text + 1, " \t")] != '/')
        return false;
    COMPAT_WARN(run, command->place, "%s is text for a shell; it is run as %s -c", report_quote(text, quote),
                words[0].text);
    take_arguments(run, command, words, ARRAY_LENGTH(words));
    return true;
}

static bool take_is_for_shell(const char *text)
{
    static const char *const operators[] = {"&&", "||", "|", "&", ";", NULL};
    size_t length = strlen(text), digits = strspn(text, "0123456789&");

    for (unsigned i = 0; operators[i] != NULL; i++)
        if (strcmp(text, operators[i]) == 0)
            return true;
    if (length == 0 || strpbrk(text, " \t\n") != NULL)
        return false; /* it was quoted, and may be a shell's own text */
    return text[digits] == '>' || text[digits] == '<' || text[0] == '`' || strncmp(text, "$(", 2) == 0 ||
           text[length - 1] == ';';
}

/* keepalived hands these on as well, and never says so: many a check is green because of it. */
static void take_warn_of_shell(struct keyword_run *run, const struct check_command *command)
{
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < command->argument_count; i++)
        if (take_is_for_shell(command->arguments[i])) {
            COMPAT_WARN(run, command->place,
                        "%s is for a shell, and none is used: it is handed to %s as it stands; write \"sh -c '...'\"",
                        report_quote(command->arguments[i], quote), i == 0 ? "nobody" : command->arguments[0]);
            return;
        }
}

/* --- which words are the command --- */

static bool take_ends_word(char c)
{
    return c == '\0' || c == ' ' || c == '\t';
}

/* raw[1, close), the quotes of which are the outermost; *end: the first word after them. */
static const char *take_between(struct keyword_run *run, const struct statement *line, unsigned at, const char *raw,
                                const char *close, unsigned *end)
{
    for (*end = at + 1; *end < line->word_count && line->raw + line->words[*end].offset <= close;)
        ++*end;
    return arena_text(run->arena, raw + 1, (size_t)(close - raw) - 1);
}

/* "sh -c \"x\"": what a shell makes of the outer quotes. */
static const char *take_unescaped(struct keyword_run *run, const char *raw, const char *close, struct place place)
{
    const char *text = arena_text(run->arena, raw, (size_t)(close - raw) + (*close != '\0'));
    struct word whole = {.text = text, .place = place};
    const struct statement line = {.kind = STATEMENT_LINE, .words = &whole, .word_count = 1, .raw = text};
    struct word *words;

    return reader_shell_words(&line, 0, &words, run->arena, run->report) > 0 ? words[0].text : "";
}

/*
 * The text of the command at words[at] without the quotes around all of it, and in *end the index of the first word
 * that is not its own. Where a quote stands inside the quotes ("bash -c "x"", or \"), the line has cut it in the wrong
 * places: then the last quote that ends a word is the outer one.
 */
static const char *take_text(struct keyword_run *run, const struct statement *line, unsigned at, unsigned *end,
                             bool *whole)
{
    const struct word *first = &line->words[at];
    const char *raw = line->raw + first->offset;
    size_t length = strlen(first->text), raw_length = strlen(raw);

    while (raw_length > 0 && take_ends_word(raw[raw_length - 1]))
        raw_length--;
    *whole = first->quoted || raw[0] == '\'';
    if (first->quoted && take_ends_word(raw[length + 2 <= raw_length ? length + 2 : raw_length])) {
        *end = at + 1;
        return first->text;
    }
    if (first->quoted) {
        const char *close = raw + raw_length;

        while (close > raw + 1 && (close[-1] != '"' || !take_ends_word(*close)))
            close--;
        close = close > raw + 1 ? close - 1 : raw + raw_length;
        const char *inner = take_between(run, line, at, raw, close, end);

        if (length > 0 && first->text[length - 1] == '\\')
            return take_unescaped(run, raw, close, first->place);
        COMPAT_WARN(run, first->place, "quotes inside quotes; the outermost are taken off, use ' for the inner ones");
        return inner;
    }
    const char *close = raw[0] == '\'' ? memchr(raw + 1, '\'', raw_length - 1) : NULL;

    if (close != NULL && take_ends_word(close[1]))
        return take_between(run, line, at, raw, close, end);
    *whole = false;
    return *end == line->word_count ? raw : arena_text(run->arena, raw, line->words[*end].offset - first->offset);
}

/* The command at words[at], up to *end. What follows a quoted command is left to the caller. */
static bool take_command(struct keyword_run *run, const struct statement *line, unsigned at, unsigned *end,
                         struct check_command *command, bool *whole)
{
    const char *text = take_text(run, line, at, end, whole);
    struct word *words;

    command->place = line->words[at].place;
    if (take_redirection(run, command, text))
        return true;
    unsigned count = take_split(run, text, command->place, &words);

    if (count > 0 && words[0].text[0] != '\0')
        take_arguments(run, command, words, count);
    else
        COMPAT_WARN(run, command->place, "the command is empty; it is ignored");
    take_warn_of_shell(run, command);
    return command->argument_count > 0;
}

/* "pgrep" "-x" "etcd": nothing else can stand here, so these are arguments. Returns the index after the last. */
static unsigned take_more_arguments(struct keyword_run *run, const struct statement *line, unsigned at, unsigned end,
                                    struct check_command *command)
{
    unsigned last = at, count = command->argument_count;

    while (last < end && line->words[last].quoted)
        last++;
    if (last == at || count == 0)
        return at;
    struct word *words = arena_array(run->arena, count + last - at, sizeof(*words));

    for (unsigned i = 0; i < count; i++)
        words[i].text = command->arguments[i];
    memcpy(words + count, line->words + at, (last - at) * sizeof(*words));
    take_arguments(run, command, words, count + last - at);
    COMPAT_WARN(run, line->words[at].place,
                "words after a quoted command are read as its arguments; they should stand inside its quotes");
    return last;
}

unsigned compat_take_script(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                            unsigned at, unsigned end, void *target)
{
    struct check_command *command = take_target(row, target), other = {0};
    unsigned used = end;
    char quote[REPORT_QUOTE_MAX];
    bool whole;

    if (end == at + 1)
        return take_missing(run, row, line, at);
    if (!take_first(run, row, &line->words[at], command))
        command = &other;
    take_command(run, line, at + 1, &used, command, &whole);
    used = take_more_arguments(run, line, used, end, command);
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
    bool whole;

    if (limit == at + 1)
        return take_missing(run, row, line, at);
    if (!take_first(run, row, &line->words[at], command))
        command = &other;
    if (!take_command(run, line, at + 1, &used, command, &whole))
        return limit;
    if (!whole)
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

/* What goes over the wire must be what keepalived's hosts send: to them PASS; is nothing that they know. */
unsigned compat_take_auth_type(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                               unsigned at, unsigned end, void *target)
{
    struct keyword choice = *row;

    choice.type = KEYWORD_CHOICE;
    if (end == at + 1)
        return take_missing(run, row, line, at);
    if (strcmp(line->words[at + 1].text, "PASS;") == 0)
        COMPAT_WARN(run, line->words[at + 1].place,
                    "PASS; is not known to keepalived's hosts, which run without authentication; so does this one");
    else
        keyword_value(run, &choice, &line->words[at + 1], target);
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
