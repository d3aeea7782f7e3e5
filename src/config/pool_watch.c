/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pool_watch.h. Called by the keyword engine through the pool's table, by config.c and by print.c. */
#include "config/pool_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/suggest.h"

static const char *const KIND_WORDS[CHECK_TRACK_KINDS] = {
    [CHECK_TRACK_INTERFACE] = "track_interface",
    [CHECK_TRACK_SCRIPT] = "track_script",
    [CHECK_TRACK_FILE] = "track_file",
    [CHECK_TRACK_PROCESS] = "track_process",
};

/* --- words: trackers --- */

/* weight N [reverse] at words[at]; the index after it, or the end of the line after an error. */
static unsigned take_weight(struct keyword_run *run, const struct statement *line, unsigned at,
                            struct check_weight *weight)
{
    static const struct keyword row = {.name = "weight",
                                       .type = KEYWORD_INTEGER,
                                       .argument = "N",
                                       .minimum = -CHECK_VALUE_WEIGHT_MAX,
                                       .maximum = CHECK_VALUE_WEIGHT_MAX,
                                       .size = sizeof(int16_t)};

    if (at + 1 == line->word_count) {
        report_error(run->report, line->words[at].place, "weight needs a number: weight N [reverse]");
        return line->word_count;
    }
    if (!keyword_value(run, &row, &line->words[at + 1], &weight->value))
        return line->word_count;
    weight->given = true;
    at += 2;
    if (at < line->word_count && strcmp(line->words[at].text, "reverse") == 0) {
        weight->reverse = true;
        at++;
    }
    return at;
}

static void add_tracker(struct pool_words *pool, struct keyword_run *run, const struct check_tracker *tracker)
{
    struct track_words *words = arena_new(run->arena, struct track_words);

    for (const struct track_words *other = pool->trackers; other != NULL; other = other->next)
        if (other->tracker.kind == tracker->kind && strcmp(other->tracker.name, tracker->name) == 0) {
            report_error(run->report, tracker->place, "%s %s is listed twice; the first is at %s:%u",
                         KIND_WORDS[tracker->kind], tracker->name, other->tracker.place.file,
                         other->tracker.place.line);
            return;
        }
    words->tracker = *tracker;
    *pool->trackers_tail = words;
    pool->trackers_tail = &words->next;
    pool->tracker_count++;
}

static void track_line(struct keyword_run *run, enum check_tracker_kind kind, const struct statement *line,
                       struct pool_words *pool)
{
    for (unsigned at = 0; at < line->word_count;) {
        const struct word *word = &line->words[at++];
        struct check_tracker tracker = {.place = word->place, .kind = (uint8_t)kind, .name = word->text};
        char quote[REPORT_QUOTE_MAX];

        if (kind == CHECK_TRACK_INTERFACE && (word->text[0] == '\0' || strlen(word->text) >= CONFIG_INTERFACE_MAX))
            report_error(run->report, word->place, "%s is no interface name", report_quote(word->text, quote));
        if (at < line->word_count && strcmp(line->words[at].text, "weight") == 0)
            at = take_weight(run, line, at, &tracker.weight);
        add_tracker(pool, run, &tracker);
    }
}

void pool_enter_trackers(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                         const struct word_list *words, const struct statement *first, void *target)
{
    char quote[REPORT_QUOTE_MAX];

    (void)keyword;
    if (words->count > 0)
        report_error(run->report, words->words[0].place, "unexpected %s between %s and {",
                     report_quote(words->words[0].text, quote), row->name);
    for (const struct statement *s = first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_LINE)
            track_line(run, (enum check_tracker_kind)row->minimum, s, target);
        else
            report_error(run->report, s->place, "unexpected {: %s holds lines of NAME [weight N [reverse]]", row->name);
    }
}

/* --- words: commands --- */

static void take_arguments(struct keyword_run *run, const struct word *word, struct check_command *command)
{
    struct word inner = *word, *words = &inner;
    const struct statement line = {.kind = STATEMENT_LINE, .words = words, .word_count = 1};
    unsigned count = word->quoted ? reader_shell_words(&line, 0, &words, run->arena, run->report) : 1;

    command->place = word->place;
    if (count == 0 || words[0].text[0] == '\0') {
        report_error(run->report, word->place, "the command is empty");
        return;
    }
    command->argument_count = count;
    command->arguments = arena_array(run->arena, count + 1, sizeof(char *));
    for (unsigned i = 0; i < count; i++)
        command->arguments[i] = arena_text(run->arena, words[i].text, strlen(words[i].text));
}

unsigned pool_take_command(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                           unsigned at, unsigned end, void *target)
{
    struct check_command *command = (void *)((unsigned char *)target + row->offset);
    char quote[REPORT_QUOTE_MAX];

    if (end == at + 1) {
        report_error(run->report, line->words[at].place, "%s needs an argument: %s", row->name, row->argument);
        return end;
    }
    take_arguments(run, &line->words[at + 1], command);
    if (end > at + 2)
        command->user = line->words[at + 2].text;
    if (end > at + 3)
        command->group = line->words[at + 3].text;
    if (end > at + 4)
        report_error(run->report, line->words[at + 4].place,
                     "unexpected %s after %s COMMAND USER GROUP; a command with arguments is quoted as a whole",
                     report_quote(line->words[at + 4].text, quote), row->name);
    return end;
}

/* --- the model --- */

static void resolve(const struct config_extension *extension, void *model, struct keyword_run *run,
                    struct check_tracker *tracker)
{
    struct suggest suggest = suggest_start(tracker->name);
    char quote[REPORT_QUOTE_MAX];

    if (tracker->kind == CHECK_TRACK_INTERFACE) {
        tracker->resolved = true;
        return;
    }
    if (extension != NULL && extension->bind != NULL && extension->bind(model, tracker, &suggest))
        return;
    report_error(run->report, tracker->place, "%s %s is not defined in this file%s%s%s", KIND_WORDS[tracker->kind],
                 report_quote(tracker->name, quote), suggest.best != NULL ? "; did you mean \"" : "",
                 suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
}

static int compare_trackers(const void *a, const void *b)
{
    const struct check_tracker *x = a, *y = b;

    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static void complete_command(const struct config_extension *extension, void *model, struct keyword_run *run,
                             struct check_command *command, const char *what)
{
    if (command->argument_count > 0 && extension != NULL && extension->command != NULL)
        extension->command(model, run, command, what);
}

static struct config_watch make_watch(const struct pool_words *words, const struct config_extension *extension,
                                      void *model, struct keyword_run *run)
{
    struct check_tracker *trackers = arena_array(run->arena, words->tracker_count, sizeof(*trackers));
    struct check_notify *notify = arena_new(run->arena, struct check_notify);
    unsigned count = 0;

    for (const struct track_words *track = words->trackers; track != NULL; track = track->next) {
        trackers[count] = track->tracker;
        resolve(extension, model, run, &trackers[count++]);
    }
    qsort(trackers, count, sizeof(*trackers), compare_trackers);
    *notify = words->notify;
    complete_command(extension, model, run, &notify->active, "notify_master");
    complete_command(extension, model, run, &notify->backup, "notify_backup");
    complete_command(extension, model, run, &notify->fault, "notify_fault");
    complete_command(extension, model, run, &notify->stop, "notify_stop");
    complete_command(extension, model, run, &notify->any, "notify");
    return (struct config_watch){.tracker_count = count, .trackers = trackers, .notify = notify};
}

static bool has_some(const struct pool_words *words)
{
    return words->tracker_count > 0 || words->given[POOL_NOTIFY].file != NULL ||
           words->given[POOL_NOTIFY_MASTER].file != NULL || words->given[POOL_NOTIFY_BACKUP].file != NULL ||
           words->given[POOL_NOTIFY_FAULT].file != NULL || words->given[POOL_NOTIFY_STOP].file != NULL;
}

void pool_watch_make(const struct file_words *file, const struct config_extension *extension, void *model,
                     struct keyword_run *run, struct config *config)
{
    struct config_watch *watches = NULL;

    for (const struct pool_words *words = file->pools; words != NULL; words = words->next) {
        unsigned pool = 0;

        if (!has_some(words))
            continue;
        struct config_watch watch = make_watch(words, extension, model, run);

        while (config != NULL && strcmp(config->core.pools[pool].name, words->name.text) != 0)
            pool++;
        if (config == NULL)
            continue; /* the pools have errors; now those of these names are told, too */
        if (watches == NULL)
            watches = arena_array(run->arena, config->core.pool_count, sizeof(*watches));
        watches[pool] = watch;
    }
    if (config != NULL)
        config->watches = watches;
}

/* --- printing --- */

/* Bytes that mean nothing to the reader stand for themselves; the others are escaped. */
static void print_argument(const char *text, FILE *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";

    if (*text == '\0')
        fputs("''", out);
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            fputc(*text, out);
        else
            fprintf(out, "\\x%02x", (unsigned char)*text);
    }
}

static void print_command(const char *keyword, const struct check_command *command, FILE *out)
{
    if (command->argument_count == 0)
        return;
    fprintf(out, "    %s \"", keyword);
    for (unsigned i = 0; i < command->argument_count; i++) {
        if (i > 0)
            fputc(' ', out);
        print_argument(command->arguments[i], out);
    }
    fputc('"', out);
    if (command->user != NULL)
        fprintf(out, " \"%s\"", command->user);
    if (command->user != NULL && command->group != NULL)
        fprintf(out, " \"%s\"", command->group);
    fputc('\n', out);
}

void pool_watch_print(const struct config_watch *watch, FILE *out)
{
    for (unsigned i = 0; i < watch->tracker_count; i++) {
        const struct check_tracker *tracker = &watch->trackers[i];

        fprintf(out, "    %s { \"%s\" weight %d%s }\n", KIND_WORDS[tracker->kind], tracker->name, tracker->weight.value,
                tracker->weight.reverse ? " reverse" : "");
    }
    if (watch->notify == NULL)
        return;
    print_command("notify", &watch->notify->any, out);
    print_command("notify_master", &watch->notify->active, out);
    print_command("notify_backup", &watch->notify->backup, out);
    print_command("notify_fault", &watch->notify->fault, out);
    print_command("notify_stop", &watch->notify->stop, out);
}
