/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From words to the model: lists become arrays, names become pointers, global values reach those who are silent. A
 * name that leads nowhere stays in the model, unresolved, and is reported. Called by compat.c at the end of a load.
 */
#include <stdio.h>
#include <string.h>

#include "base/mono.h"
#include "compat_words.h"
#include "config/suggest.h"

/* --- global values --- */

static void resolve_globals(struct compat_global *global)
{
    struct compat_garp *garp = &global->garp;

    if (global->min_garp) {
        garp->repeat = garp->refresh_repeat = 1;
        garp->delay_us = 0;
    }
}

static void resolve_user(const struct compat_global *global, struct check_command *command)
{
    if (command->argument_count == 0 || command->user != NULL)
        return;
    command->user = global->script_user;
    command->group = global->script_group;
}

static void resolve_notify(const struct compat_global *global, struct check_notify *notify)
{
    struct check_command *const commands[] = {&notify->active, &notify->backup, &notify->fault,
                                              &notify->stop,   &notify->any,    &notify->rx_lower};

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        resolve_user(global, commands[i]);
    if (notify->priority_changes == NET_UNSET)
        notify->priority_changes = global->priority_changes;
}

static void resolve_commands(struct compat_words *words)
{
    struct compat_global *global = &words->model.global;
    struct check_command *const commands[] = {&global->startup, &global->shutdown, &global->fifo.script,
                                              &global->vrrp_fifo.script};

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        resolve_user(global, commands[i]);
    for (unsigned i = 0; i < words->model.script_count; i++)
        resolve_user(global, &words->model.scripts[i].command);
}

static void resolve_count(int32_t *value, int32_t global)
{
    if (*value == NET_UNSET)
        *value = global;
}

static void resolve_time(int64_t *value, int64_t global)
{
    if (*value == NET_UNSET)
        *value = global;
}

static void resolve_flag(int8_t *value, int8_t global)
{
    if (*value == NET_UNSET)
        *value = global;
}

static void resolve_instance_values(const struct compat_global *global, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    struct compat_garp *garp = &model->garp;
    const struct compat_garp *all = &global->garp;

    resolve_count(&garp->repeat, all->repeat);
    resolve_time(&garp->delay_us, all->delay_us);
    resolve_time(&garp->refresh_us, all->refresh_us);
    resolve_count(&garp->refresh_repeat, all->refresh_repeat);
    resolve_count(&garp->lower_repeat, all->lower_repeat);
    resolve_count(&garp->lower_repeat, garp->repeat);
    resolve_time(&garp->lower_delay_us, all->lower_delay_us);
    resolve_time(&garp->lower_delay_us, garp->delay_us);
    resolve_count(&model->down_adverts, global->down_adverts);
    resolve_flag(&model->lower_prio_no_advert, global->lower_prio_no_advert);
    resolve_flag(&model->higher_prio_send_advert, global->higher_prio_send_advert);
    resolve_flag(&model->owner_ignore_adverts, global->owner_ignore_adverts);
    resolve_flag(&model->checksum_as_v2, global->checksum_as_v2);
    resolve_flag(&model->check_unicast_source, global->check_unicast_source);
    resolve_flag(&model->skip_check_addresses, global->skip_check_addresses);
    resolve_flag(&instance->strict, global->strict);
    if (instance->given[INSTANCE_ARP_FILTER].file == NULL)
        model->filter_mode = global->filter_mode;
    model->strict = instance->strict != 0;
    resolve_notify(global, &model->notify);
}

/* --- trackers --- */

static bool tracker_bind(const struct compat_config *model, struct check_tracker *tracker,
                         const struct check_weight **own)
{
    switch ((enum check_tracker_kind)tracker->kind) {
    case CHECK_TRACK_INTERFACE:
        tracker->resolved = true;
        return true;
    case CHECK_TRACK_SCRIPT:
        for (unsigned i = 0; i < model->script_count && tracker->script == NULL; i++)
            if (strcmp(model->scripts[i].name, tracker->name) == 0)
                tracker->script = &model->scripts[i];
        if (tracker->script != NULL)
            *own = &tracker->script->weight;
        break;
    case CHECK_TRACK_FILE:
        for (unsigned i = 0; i < model->file_count && tracker->file == NULL; i++)
            if (strcmp(model->files[i].name, tracker->name) == 0)
                tracker->file = &model->files[i];
        if (tracker->file != NULL)
            *own = &tracker->file->weight;
        break;
    case CHECK_TRACK_PROCESS:
        for (unsigned i = 0; i < model->process_count && tracker->process == NULL; i++)
            if (strcmp(model->processes[i].name, tracker->name) == 0)
                tracker->process = &model->processes[i];
        if (tracker->process != NULL)
            *own = &tracker->process->weight;
        break;
    case CHECK_TRACK_KINDS:
        break;
    }
    tracker->resolved = *own != NULL;
    return tracker->resolved;
}

static void tracker_suggest(const struct compat_config *model, const struct check_tracker *tracker,
                            struct suggest *suggest)
{
    for (unsigned i = 0; tracker->kind == CHECK_TRACK_SCRIPT && i < model->script_count; i++)
        suggest_offer(suggest, model->scripts[i].name);
    for (unsigned i = 0; tracker->kind == CHECK_TRACK_FILE && i < model->file_count; i++)
        suggest_offer(suggest, model->files[i].name);
    for (unsigned i = 0; tracker->kind == CHECK_TRACK_PROCESS && i < model->process_count; i++)
        suggest_offer(suggest, model->processes[i].name);
}

/* A line without a weight of its own has its block's. */
static void tracker_inherit(struct check_tracker *tracker, const struct check_weight *own)
{
    bool reverse = tracker->weight.reverse != own->reverse;

    if (tracker->weight.given)
        return;
    tracker->weight = *own;
    tracker->weight.given = false;
    tracker->weight.reverse = reverse;
}

bool compat_bind(struct compat_words *words, struct check_tracker *tracker, struct suggest *suggest)
{
    const struct check_weight *own = NULL;

    if (!tracker_bind(&words->model, tracker, &own)) {
        tracker_suggest(&words->model, tracker, suggest);
        return false;
    }
    if (own != NULL)
        tracker_inherit(tracker, own);
    return true;
}

void compat_complete_command(struct compat_words *words, struct check_command *command)
{
    resolve_user(&words->model.global, command);
}

static void resolve_tracker(struct compat_words *words, struct check_tracker *tracker, const char *owner)
{
    const char *word = compat_track_word((enum check_tracker_kind)tracker->kind);
    struct suggest suggest = suggest_start(tracker->name);
    char quote[REPORT_QUOTE_MAX];

    if (!compat_bind(words, tracker, &suggest))
        COMPAT_WARN(words->run, tracker->place, "%s %s of %s is not defined; it counts as failed%s%s%s", word,
                    report_quote(tracker->name, quote), owner, suggest.best != NULL ? "; did you mean \"" : "",
                    suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
}

/* Binds all of a list; a second line for the same is left out. */
static void resolve_trackers(struct compat_words *words, struct compat_list *list, const char *owner, unsigned *count,
                             struct check_tracker **out)
{
    struct check_tracker *trackers = list->items;
    unsigned kept = 0;

    for (unsigned i = 0; i < list->count; i++) {
        unsigned j = 0;

        while (j < kept && (trackers[j].kind != trackers[i].kind || strcmp(trackers[j].name, trackers[i].name) != 0))
            j++;
        if (j < kept) {
            COMPAT_WARN(words->run, trackers[i].place, "%s %s is listed twice in %s; the first, at %s:%u, counts",
                        compat_track_word((enum check_tracker_kind)trackers[i].kind), trackers[i].name, owner,
                        trackers[j].place.file, trackers[j].place.line);
            continue;
        }
        trackers[kept] = trackers[i];
        resolve_tracker(words, &trackers[kept++], owner);
    }
    *count = kept;
    *out = trackers;
}

/* --- instances --- */

static void resolve_own_interface(struct compat_words *words, struct compat_instance *model)
{
    static const char kind[] = "own interface";
    unsigned kept = 0;

    for (unsigned i = 0; i < model->tracker_count; i++) {
        const struct check_tracker *tracker = &model->trackers[i];

        if (tracker->kind == CHECK_TRACK_INTERFACE && model->interface != NULL && model->track_primary &&
            strcmp(tracker->name, model->interface) == 0) {
            report_kind(words->run->report, tracker->place, kind,
                        "%s is %s's own interface, which is tracked anyway; the line is ignored", tracker->name,
                        model->name);
            continue;
        }
        if (model->priority == 255 && tracker->weight.value != 0)
            COMPAT_WARN(words->run, tracker->place, "the weight of %s has no effect: priority 255 never changes",
                        tracker->name);
        model->trackers[kept++] = *tracker;
    }
    model->tracker_count = kept;
}

static void resolve_instance(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    char owner[128], quote[REPORT_QUOTE_MAX];

    snprintf(owner, sizeof(owner), "vrrp_instance %s", report_quote(model->name, quote));
    resolve_instance_values(&words->model.global, instance);
    compat_check_instance(words, instance);
    model->address_count = instance->addresses.count;
    model->addresses = instance->addresses.items;
    model->excluded_count = instance->excluded.count;
    model->excluded = instance->excluded.items;
    model->route_count = instance->routes.count;
    model->routes = instance->routes.items;
    model->rule_count = instance->rules.count;
    model->rules = instance->rules.items;
    model->peer_count = instance->peers.count;
    model->peers = instance->peers.items;
    resolve_trackers(words, &instance->trackers, owner, &model->tracker_count, &model->trackers);
    resolve_own_interface(words, model);
}

static void resolve_instances(struct compat_words *words)
{
    struct instance_words **list = words->instances.items;
    struct compat_config *model = &words->model;

    model->instances = arena_array(words->run->arena, words->instances.count, sizeof(*model->instances));
    for (unsigned i = 0; i < words->instances.count; i++) {
        resolve_instance(words, list[i]);
        model->instances[model->instance_count++] = list[i]->model;
    }
}

/* --- groups --- */

static void resolve_member(struct compat_words *words, struct compat_group *group, const struct word *name)
{
    struct compat_config *model = &words->model;
    struct suggest suggest = suggest_start(name->text);
    struct compat_instance *found = NULL;
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < model->instance_count && found == NULL; i++) {
        suggest_offer(&suggest, model->instances[i].name);
        if (strcmp(model->instances[i].name, name->text) == 0)
            found = &model->instances[i];
    }
    if (found == NULL)
        COMPAT_WARN(words->run, name->place, "vrrp_sync_group %s: there is no vrrp_instance %s; it is ignored%s%s%s",
                    group->name, report_quote(name->text, quote), suggest.best != NULL ? "; did you mean \"" : "",
                    suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
    else if (found->group != NULL)
        COMPAT_WARN(words->run, name->place, "vrrp_instance %s is in vrrp_sync_group %s already; it is ignored here",
                    found->name, found->group->name);
    else {
        found->group = group;
        group->members[group->member_count++] = found;
    }
}

/* Members move together, so what moves one alone has no effect. */
static void resolve_member_weights(struct compat_words *words, const struct compat_group *group)
{
    for (unsigned m = 0; m < group->member_count && !group->tracking_weight; m++)
        for (unsigned i = 0; i < group->members[m]->tracker_count; i++) {
            struct check_tracker *tracker = &group->members[m]->trackers[i];

            if (tracker->weight.value == 0 && (tracker->kind != CHECK_TRACK_FILE || tracker->resolved))
                continue;
            tracker->ignored = tracker->resolved;
            if (tracker->ignored)
                COMPAT_WARN(words->run, tracker->place,
                            "%s has a weight and %s is in vrrp_sync_group %s; it has no effect unless the group says "
                            "sync_group_tracking_weight",
                            tracker->name, group->members[m]->name, group->name);
        }
}

static void resolve_groups(struct compat_words *words)
{
    struct group_words **list = words->groups.items;
    struct compat_config *model = &words->model;
    char owner[128], quote[REPORT_QUOTE_MAX];

    model->groups = arena_array(words->run->arena, words->groups.count, sizeof(*model->groups));
    for (unsigned i = 0; i < words->groups.count; i++) {
        struct compat_group *group = &model->groups[model->group_count];
        const struct word *names = list[i]->members.items;

        *group = list[i]->model;
        group->members = arena_array(words->run->arena, list[i]->members.count, sizeof(group->members[0]));
        for (unsigned m = 0; m < list[i]->members.count; m++)
            resolve_member(words, group, &names[m]);
        snprintf(owner, sizeof(owner), "vrrp_sync_group %s", report_quote(group->name, quote));
        resolve_trackers(words, &list[i]->trackers, owner, &group->tracker_count, &group->trackers);
        resolve_notify(&model->global, &group->notify);
        if (group->member_count == 0) {
            COMPAT_WARN(words->run, group->place,
                        "vrrp_sync_group %s has no members; expected group { INSTANCE ... }; "
                        "it is left out",
                        group->name);
            continue;
        }
        if (group->member_count == 1)
            COMPAT_WARN(words->run, group->place,
                        "vrrp_sync_group %s has one member only, %s; it has no effect beyond "
                        "its own trackers and scripts",
                        group->name, group->members[0]->name);
        resolve_member_weights(words, group);
        model->group_count++;
    }
}

void compat_resolve(struct compat_words *words)
{
    struct compat_config *model = &words->model;

    resolve_globals(&model->global);
    model->script_count = words->scripts.count;
    model->scripts = words->scripts.items;
    model->file_count = words->files.count;
    model->files = words->files.items;
    model->process_count = words->processes.count;
    model->processes = words->processes.items;
    model->garp_group_count = words->garp_groups.count;
    model->garp_groups = words->garp_groups.items;
    resolve_commands(words);
    compat_replace_vmacs(words);
    resolve_instances(words);
    resolve_groups(words);
    compat_check_static(words);
    if (model->global.garp.lower_repeat == NET_UNSET)
        model->global.garp.lower_repeat = model->global.garp.repeat;
    if (model->global.garp.lower_delay_us == NET_UNSET)
        model->global.garp.lower_delay_us = model->global.garp.delay_us;
}
