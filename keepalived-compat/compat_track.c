/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be tracked: vrrp_script, track_file, vrrp_track_process, and the blocks of lines that name them. Names are
 * bound later (compat_resolve.c), so a check may stand before or after its user. Called by the keyword engine.
 */
#include <string.h>

#include "compat_rows.h"
#include "config/suggest.h"

/* --- vrrp_script --- */

#define ROW_TARGET struct check_script
static const struct keyword script_rows[] = {
    {.name = "script",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_script,
     .argument = "COMMAND",
     .repeatable = true,
     ROW_FIELD(command),
     .common = 'A',
     .help = "The check. It is run without a shell; exit code 0 is success."},
    ROW_SECONDS("interval", interval_us, 0, ROW_US(86400), "1", 'A', "Between two runs."),
    ROW_SECONDS("timeout", timeout_us, 0, ROW_US(86400), "the interval", 'A',
                "How long a run may last. Then it is ended, and has failed."),
    ROW_WEIGHT(weight, CHECK_WEIGHT_MAX, "0", 'A',
               "Added to the priority while the check succeeds (above 0), or while it fails (below 0). With 0 a "
               "failure is FAULT."),
    ROW_INTEGER("rise", rise, 1, INT32_MAX, "runs", "1", 'A', "So many successes in a row are a success."),
    ROW_INTEGER("fall", fall, 1, INT32_MAX, "runs", "1", 'A', "So many failures in a row are a failure."),
    ROW_CUSTOM("user", compat_take_user, command.user, "USER [GROUP]", "script_user", 'B', "Who it runs as."),
    ROW_SET("init_fail", init_fail, 1, 'B', "It counts as failed until its first success."),
};
#undef ROW_TARGET
static const struct keyword_table script_table = {
    .context = "vrrp_script", .rows = script_rows, .count = ARRAY_LENGTH(script_rows)};

/* --- track_file --- */

/* init_file [VALUE] [overwrite] */
static unsigned take_init_file(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                               unsigned at, unsigned end, void *target)
{
    struct check_file *file = target;

    file->create = true;
    for (at++; at < end; at++) {
        const struct word *word = &line->words[at];

        if (strcmp(word->text, "overwrite") == 0)
            file->overwrite = true;
        else
            compat_read_integer(run, row->name, word, INT32_MIN, INT32_MAX, &file->init_value);
    }
    return end;
}

#define ROW_TARGET struct check_file
static const struct keyword file_rows[] = {
    ROW_TEXT("file", path, "PATH", "none", 'B', "The file that holds the number."),
    ROW_WEIGHT(weight, CHECK_VALUE_WEIGHT_MAX, "1", 'B',
               "The number times this is added to the priority. With 0 a number other than 0 is FAULT."),
    ROW_CUSTOM("init_file", take_init_file, path, "[VALUE] [overwrite]", "off", 'C',
               "Write the file at the start, if it is missing or overwrite is said."),
};
#undef ROW_TARGET
static const struct keyword_table file_table = {
    .context = "track_file", .rows = file_rows, .count = ARRAY_LENGTH(file_rows)};

/* --- vrrp_track_process --- */

static unsigned take_process(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                             unsigned at, unsigned end, void *target)
{
    struct check_process *process = target;
    struct check_command command = {0};
    const struct keyword inner = {.name = row->name, .argument = row->argument};
    unsigned next = compat_take_script(run, &inner, line, at, end, &command);

    if (command.argument_count > 0) {
        process->words = command.arguments;
        process->word_count = command.argument_count;
        if (process->match == CHECK_MATCH_NONE && process->word_count > 1)
            process->match = CHECK_MATCH_EXACT;
    }
    return next;
}

/* delay S: of appearing and of vanishing. */
static unsigned take_delay(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                           unsigned at, unsigned end, void *target)
{
    const struct keyword inner = {.name = row->name, .type = KEYWORD_SECONDS, .maximum = row->maximum};
    struct check_process *process = target;
    int64_t delay;

    if (end == at + 1) {
        COMPAT_WARN(run, line->words[at].place, "delay needs an argument: SECONDS; the line is ignored");
        return end;
    }
    if (keyword_value(run, &inner, &line->words[at + 1], &delay))
        process->fork_delay_us = process->terminate_delay_us = delay;
    return at + 2;
}

static const struct keyword_choice match_choices[] = {
    {"exact", CHECK_MATCH_EXACT}, {"initial", CHECK_MATCH_INITIAL}, {"partial", CHECK_MATCH_PARTIAL}, {NULL, 0}};

#define ROW_TARGET struct check_process
static const struct keyword process_rows[] = {
    ROW_CUSTOM("process", take_process, words, "COMMAND [PARAMETER...]", "none", 'B', "Which processes are counted."),
    ROW_CHOICE("param_match", match, match_choices, "initial|partial|exact", "exact when there are parameters", 'C',
               "How much of a process' parameters must be as given."),
    ROW_WEIGHT(weight, CHECK_VALUE_WEIGHT_MAX, "0", 'B', "As of a check: success is a number within the quorum."),
    ROW_INTEGER("quorum", quorum, 1, 65535, "processes", "1", 'B', "At least so many must run."),
    ROW_INTEGER("quorum_max", quorum_max, 0, 65535, "processes", "no limit", 'C', "At most so many may run."),
    {.name = "delay",
     .type = KEYWORD_CUSTOM,
     .take = take_delay,
     .argument = "SECONDS",
     .maximum = ROW_US(3600),
     .default_note = "0",
     .common = 'B',
     .help = "fork_delay and terminate_delay."},
    ROW_SECONDS("fork_delay", fork_delay_us, 0, ROW_US(3600), "0", 'C', "A process counts when it has lived so long."),
    ROW_SECONDS("terminate_delay", terminate_delay_us, 0, ROW_US(3600), "0", 'C', "It counts so long after its end."),
    ROW_SET("full_command", full_command, 1, 'C', "Compare the whole command, not its last part."),
};
#undef ROW_TARGET
static const struct keyword_table process_table = {
    .context = "vrrp_track_process", .rows = process_rows, .count = ARRAY_LENGTH(process_rows)};

/* --- their blocks --- */

const struct word *compat_block_name(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                                     const struct word_list *words)
{
    char quote[REPORT_QUOTE_MAX];

    if (words->count == 0) {
        COMPAT_WARN(run, keyword->place, "%s needs a name: %s %s; the block is skipped", row->name, row->name,
                    row->argument);
        return NULL;
    }
    if (words->count > 1)
        COMPAT_WARN(run, words->words[1].place, "unexpected %s after %s's name; it is ignored",
                    report_quote(words->words[1].text, quote), row->name);
    return &words->words[0];
}

void compat_report_twice(struct keyword_run *run, const struct keyword *row, const struct word *name,
                         struct place first)
{
    char quote[REPORT_QUOTE_MAX];

    COMPAT_WARN(run, name->place, "%s %s is defined twice; the first, at %s:%u, counts and this one is left out",
                row->name, report_quote(name->text, quote), first.file, first.line);
}

static void parse_block(const struct keyword_table *table, struct keyword_run *run, const struct statement *first,
                        void *target)
{
    keyword_parse(table, run, first, target, arena_array(run->arena, table->count, sizeof(struct place)));
}

void compat_enter_script(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                         const struct word_list *words, const struct statement *first, void *target)
{
    const struct word *name = compat_block_name(run, row, keyword, words);
    struct check_script script = {
        .interval_us = US_PER_S, .timeout_us = NET_UNSET, .rise = 1, .fall = 1, .place = keyword->place};
    struct compat_words *all = target;
    const struct check_script *known;

    parse_block(&script_table, run, first, &script);
    known = all->scripts.items;
    for (unsigned i = 0; name != NULL && i < all->scripts.count; i++)
        if (strcmp(known[i].name, name->text) == 0) {
            compat_report_twice(run, row, name, known[i].place);
            return;
        }
    if (name == NULL)
        return;
    script.name = name->text;
    if (script.interval_us == 0)
        script.interval_us = US_PER_S;
    if (script.timeout_us <= 0)
        script.timeout_us = script.interval_us;
    if (script.command.argument_count == 0)
        COMPAT_WARN(run, keyword->place, "vrrp_script %s has no script; it counts as failed", name->text);
    *(struct check_script *)compat_push(run->arena, &all->scripts, sizeof(script)) = script;
}

void compat_enter_file(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                       const struct word_list *words, const struct statement *first, void *target)
{
    const struct word *name = compat_block_name(run, row, keyword, words);
    struct check_file file = {.weight.value = 1, .place = keyword->place};
    struct compat_words *all = target;
    const struct check_file *known;

    parse_block(&file_table, run, first, &file);
    known = all->files.items;
    for (unsigned i = 0; name != NULL && i < all->files.count; i++)
        if (strcmp(known[i].name, name->text) == 0) {
            compat_report_twice(run, row, name, known[i].place);
            return;
        }
    if (name == NULL)
        return;
    file.name = name->text;
    if (file.path == NULL)
        COMPAT_WARN(run, keyword->place, "track_file %s has no file; it counts as failed", name->text);
    *(struct check_file *)compat_push(run->arena, &all->files, sizeof(file)) = file;
}

void compat_enter_process(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                          const struct word_list *words, const struct statement *first, void *target)
{
    const struct word *name = compat_block_name(run, row, keyword, words);
    struct check_process process = {.quorum = 1, .place = keyword->place};
    struct compat_words *all = target;
    const struct check_process *known;

    parse_block(&process_table, run, first, &process);
    known = all->processes.items;
    for (unsigned i = 0; name != NULL && i < all->processes.count; i++)
        if (strcmp(known[i].name, name->text) == 0) {
            compat_report_twice(run, row, name, known[i].place);
            return;
        }
    if (name == NULL)
        return;
    process.name = name->text;
    if (process.word_count == 0)
        COMPAT_WARN(run, keyword->place, "vrrp_track_process %s has no process; it counts as failed", name->text);
    if (process.quorum_max > 0 && process.quorum_max < process.quorum) {
        COMPAT_WARN(run, keyword->place, "vrrp_track_process %s: quorum_max %d is below quorum %d; it is ignored",
                    name->text, process.quorum_max, process.quorum);
        process.quorum_max = 0;
    }
    *(struct check_process *)compat_push(run->arena, &all->processes, sizeof(process)) = process;
}

/* --- lines that name them --- */

void compat_each_line(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                      const struct word_list *words, const struct statement *first, compat_line *line, void *context)
{
    char quote[REPORT_QUOTE_MAX];

    if (words->count > 0 && first != NULL)
        COMPAT_WARN(run, words->words[0].place, "unexpected %s between %s and {; it is ignored",
                    report_quote(words->words[0].text, quote), row->name);
    else if (words->count > 0) {
        const struct statement bare = {.place = keyword->place, .word_count = words->count, .words = words->words};

        line(run, row, &bare, context);
    }
    for (const struct statement *s = first; s != NULL; s = s->next) {
        const struct statement *other = s->kind == STATEMENT_LINE ? keyword_outer_line(run, s) : NULL;

        if (other != NULL)
            s = other;
        else if (s->kind == STATEMENT_LINE)
            line(run, row, s, context);
        else
            COMPAT_WARN(run, s->place, "unexpected { in %s; the block is skipped", row->name);
    }
}

static const int tracker_weight_max[] = {
    [CHECK_TRACK_INTERFACE] = CHECK_WEIGHT_MAX,
    [CHECK_TRACK_SCRIPT] = CHECK_WEIGHT_MAX,
    [CHECK_TRACK_FILE] = CHECK_VALUE_WEIGHT_MAX,
    [CHECK_TRACK_PROCESS] = CHECK_VALUE_WEIGHT_MAX,
};

/*
 * A word after the name that is no option: a weight without its keyword, or an option that is misspelt. False: it must
 * be another name.
 */
static bool tracker_stray(struct keyword_run *run, const struct keyword *row, const struct keyword *weight,
                          const struct word *word, struct check_tracker *tracker)
{
    struct suggest suggest = suggest_start(word->text);
    bool number = word->text[strspn(word->text, "+-0123456789")] == '\0';
    char quote[REPORT_QUOTE_MAX];
    int64_t value;

    suggest_offer(&suggest, "weight");
    suggest_offer(&suggest, "reverse");
    suggest_offer(&suggest, "noreverse");
    if (number && !tracker->weight.given &&
        compat_read_integer(run, weight->name, word, -weight->maximum, weight->maximum, &value)) {
        tracker->weight.value = (int16_t)value;
        tracker->weight.given = true;
        COMPAT_WARN(run, word->place, "%s stands in %s without the word weight; read as %s's weight",
                    report_quote(word->text, quote), row->name, tracker->name);
        return true;
    }
    if (!number && suggest.best == NULL && strpbrk(word->text, ";,=") == NULL)
        return false;
    COMPAT_WARN(run, word->place, "unexpected %s in %s%s%s%s; it is ignored", report_quote(word->text, quote),
                row->name, suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                suggest.best != NULL ? "\"?" : "");
    return true;
}

static void tracker_line(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                         void *context)
{
    uint8_t kind = (uint8_t)row->minimum;
    const struct keyword weight = {
        .name = "weight", .argument = "N [reverse|noreverse]", .maximum = tracker_weight_max[kind]};
    struct check_tracker nothing = {.name = ""}, *last = &nothing;

    for (unsigned at = 0; at < line->word_count;) {
        const struct word *word = &line->words[at];

        if (at > 0 && tracker_stray(run, row, &weight, word, last)) {
            at++;
            continue;
        }
        const char *name = kind == CHECK_TRACK_INTERFACE ? compat_read_interface(run, row->name, word) : word->text;
        struct check_tracker tracker = {.place = word->place, .kind = kind, .name = name};

        at++;
        if (at < line->word_count && strcmp(line->words[at].text, "weight") == 0)
            at = compat_take_weight(run, &weight, line, at, line->word_count, &tracker.weight);
        if (at < line->word_count && strcmp(line->words[at].text, "reverse") == 0) {
            tracker.weight.reverse = true;
            at++;
        }
        last = &nothing;
        if (name == NULL)
            continue;
        last = compat_push(run->arena, context, sizeof(tracker));
        *last = tracker;
    }
}

void compat_enter_trackers(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                           const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, tracker_line, (unsigned char *)target + row->offset);
}
