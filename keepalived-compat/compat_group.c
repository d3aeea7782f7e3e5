/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vrrp_sync_group and garp_group. Members' names are bound by compat_resolve.c. Called by the keyword engine.
 */
#include <string.h>

#include "compat_rows.h"
#include "config/suggest.h"

/* All words of all lines. */
static void word_line(struct keyword_run *run, const struct keyword *row, const struct statement *line, void *context)
{
    (void)row;
    for (unsigned i = 0; i < line->word_count; i++)
        *(struct word *)compat_push(run->arena, context, sizeof(struct word)) = line->words[i];
}

static void enter_words(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                        const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, word_line, (unsigned char *)target + row->offset);
}

#define ROW_TARGET struct group_words
static const struct keyword group_rows[] = {
    ROW_LINES("group", enter_words, members, "INSTANCE", 'A', "The instances that move together."),
    ROW_TRACK("track_interface", CHECK_TRACK_INTERFACE, trackers, 'B'),
    ROW_TRACK("track_script", CHECK_TRACK_SCRIPT, trackers, 'B'),
    ROW_TRACK("track_file", CHECK_TRACK_FILE, trackers, 'B'),
    ROW_TRACK("track_process", CHECK_TRACK_PROCESS, trackers, 'B'),
    ROW_IGNORED("track_bfd", 'C', "is not supported: BFD sessions are not run, and the group does without them"),
    ROW_COMMAND("notify_master", model.notify.active, 'B', "Run when it becomes MASTER."),
    ROW_COMMAND("notify_backup", model.notify.backup, 'B', "Run when it becomes BACKUP."),
    ROW_COMMAND("notify_fault", model.notify.fault, 'B', "Run when it becomes FAULT."),
    ROW_COMMAND("notify_stop", model.notify.stop, 'B', "Run at shutdown."),
    ROW_COMMAND("notify", model.notify.any, 'B', "Run at every change with TYPE NAME STATE PRIORITY."),
    ROW_FLAG("notify_priority_changes", model.notify.priority_changes, "global_defs'", 'C',
             "FIFO lines for changes of priority."),
    ROW_IGNORED("smtp_alert", 'B', "has no effect: no mail is sent"),
    ROW_SET("sync_group_tracking_weight", model.tracking_weight, 1, 'C', "Weighted trackers of members count."),
    ROW_SET("global_tracking", model.tracking_weight, 1, 'C', "The same as sync_group_tracking_weight."),
};
#undef ROW_TARGET
/* Names of instances that stand in the block itself, without group { }. */
static bool bare_members(struct keyword_run *run, const struct statement *line, void *target)
{
    struct group_words *group = target;
    struct suggest suggest = suggest_start(line->words[0].text);
    char quote[REPORT_QUOTE_MAX];

    for (size_t i = 0; i < ARRAY_LENGTH(group_rows); i++)
        suggest_offer(&suggest, group_rows[i].name);
    if (suggest.best != NULL)
        return false;
    COMPAT_WARN(run, line->words[0].place, "%s stands in vrrp_sync_group without group { }; read as a member",
                report_quote(line->words[0].text, quote));
    word_line(run, NULL, line, &group->members);
    return true;
}

static const struct keyword_table group_table = {
    .context = "vrrp_sync_group", .rows = group_rows, .count = ARRAY_LENGTH(group_rows), .other = bare_members};

void compat_enter_group(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                        const struct word_list *words, const struct statement *first, void *target)
{
    const struct word *name = compat_block_name(run, row, keyword, words);
    struct group_words *group = arena_new(run->arena, struct group_words);
    struct compat_words *all = target;
    struct group_words **known;

    all->something = true;
    group->model.notify.priority_changes = NET_UNSET;
    keyword_parse(&group_table, run, first, group, arena_array(run->arena, group_table.count, sizeof(struct place)));
    if (name == NULL)
        return;
    group->model.name = name->text;
    group->model.place = name->place;
    known = all->groups.items;
    for (unsigned i = 0; i < all->groups.count; i++)
        if (strcmp(known[i]->model.name, name->text) == 0) {
            compat_report_twice(run, row, name, known[i]->model.place);
            return;
        }
    *(struct group_words **)compat_push(run->arena, &all->groups, sizeof(group)) = group;
}

/* --- garp_group --- */

struct garp_words {
    struct compat_garp_group model;
    struct compat_list interfaces; /* struct word */
};

static unsigned take_interface(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                               unsigned at, unsigned end, void *target)
{
    struct garp_words *group = target;

    if (end == at + 1) {
        COMPAT_WARN(run, line->words[at].place, "%s needs an argument: IF; the line is ignored", row->name);
        return end;
    }
    *(struct word *)compat_push(run->arena, &group->interfaces, sizeof(struct word)) = line->words[at + 1];
    return at + 2;
}

#define ROW_TARGET struct garp_words
static const struct keyword garp_rows[] = {
    ROW_SECONDS("garp_interval", model.arp_us, 0, ROW_US(4294), "none", 'C', "Between two gratuitous ARPs."),
    ROW_SECONDS("gna_interval", model.na_us, 0, ROW_US(4294), "none", 'C', "Between two neighbour advertisements."),
    {.name = "interface",
     .type = KEYWORD_CUSTOM,
     .take = take_interface,
     .argument = "IF",
     .repeatable = true,
     .common = 'C',
     .help = "An interface of the group."},
    ROW_LINES("interfaces", enter_words, interfaces, "IF", 'C', "Interfaces of the group."),
};
#undef ROW_TARGET
static const struct keyword_table garp_table = {
    .context = "garp_group", .rows = garp_rows, .count = ARRAY_LENGTH(garp_rows)};

void compat_enter_garp_group(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                             const struct word_list *words, const struct statement *first, void *target)
{
    struct garp_words group = {.model.place = keyword->place};
    struct compat_garp_group *model = &group.model;
    struct compat_words *all = target;

    (void)words;
    all->something = true;
    keyword_parse(&garp_table, run, first, &group, arena_array(run->arena, garp_table.count, sizeof(struct place)));
    model->interfaces = arena_array(run->arena, group.interfaces.count, sizeof(char *));
    for (unsigned i = 0; i < group.interfaces.count; i++) {
        const struct word *word = &((const struct word *)group.interfaces.items)[i];
        const char *name = compat_read_interface(run, row->name, word);

        if (name != NULL)
            model->interfaces[model->interface_count++] = name;
    }
    if (model->interface_count == 0)
        COMPAT_WARN(run, keyword->place, "garp_group names no interface; it has no effect");
    else
        *(struct compat_garp_group *)compat_push(run->arena, &all->garp_groups, sizeof(*model)) = *model;
}
