/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as a file that reads back to the same model: every effective value, also the defaults, in one fixed order.
 * What a reload compares, and what people are shown. Called by config_print().
 */
#include "compat_print.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "compat_words.h"

static void print_start(FILE *out, unsigned depth, const char *keyword)
{
    fprintf(out, "%*s%s", (int)(4 * depth), "", keyword);
}

void print_quoted(FILE *out, const char *text)
{
    bool plain = *text != '\0' &&
                 text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/+")] == '\0';

    fprintf(out, plain ? " %s" : " \"%s\"", text);
}

void print_number(FILE *out, unsigned depth, const char *keyword, int64_t value)
{
    print_start(out, depth, keyword);
    fprintf(out, " %" PRId64 "\n", value);
}

void print_seconds(FILE *out, unsigned depth, const char *keyword, int64_t us)
{
    char text[32];

    print_start(out, depth, keyword);
    fprintf(out, " %s\n", keyword_seconds(us, text));
}

void print_flag(FILE *out, unsigned depth, const char *keyword, bool value)
{
    print_start(out, depth, keyword);
    fputs(value ? " on\n" : " off\n", out);
}

void print_word(FILE *out, unsigned depth, const char *keyword, const char *text)
{
    if (text == NULL)
        return;
    print_start(out, depth, keyword);
    print_quoted(out, text);
    fputc('\n', out);
}

void print_filter_mode(FILE *out, uint8_t mode)
{
    const struct keyword_choice *choice = compat_filter_choices;

    while (choice->value != mode)
        choice++;
    print_word(out, 1, "arp_filter", choice->name);
}

void print_addr(FILE *out, unsigned depth, const char *keyword, const struct addr *address)
{
    char text[ADDR_TEXT_MAX];

    if (address->family != FAMILY_NONE)
        print_word(out, depth, keyword, addr_format(address, text));
}

/* An argument inside the quotes of a whole command: what could mean something is written as its number. */
static void print_argument(FILE *out, const char *text)
{
    if (*text == '\0')
        fputs("''", out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("_-./:=,+@%^", c) != NULL || c >= 0x80)
            fputc(c, out);
        else
            fprintf(out, "\\%03o", c);
    }
}

static void print_words(FILE *out, char *const *words, unsigned count)
{
    fputs(" \"", out);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            fputc(' ', out);
        print_argument(out, words[i]);
    }
    fputc('"', out);
}

static void print_user(FILE *out, const char *user, const char *group)
{
    if (user != NULL)
        print_quoted(out, user);
    if (user != NULL && group != NULL)
        print_quoted(out, group);
    fputc('\n', out);
}

void print_command(FILE *out, unsigned depth, const char *keyword, const struct check_command *command)
{
    if (command->argument_count == 0)
        return;
    print_start(out, depth, keyword);
    print_words(out, command->arguments, command->argument_count);
    print_user(out, command->user, command->group);
}

void print_notify(FILE *out, const struct check_notify *notify, bool instance)
{
    print_command(out, 1, "notify_master", &notify->active);
    print_command(out, 1, "notify_backup", &notify->backup);
    print_command(out, 1, "notify_fault", &notify->fault);
    print_command(out, 1, "notify_stop", &notify->stop);
    print_command(out, 1, "notify", &notify->any);
    if (instance)
        print_command(out, 1, "notify_master_rx_lower_pri", &notify->rx_lower);
    if (instance && notify->call_deleted)
        print_start(out, 1, "notify_deleted\n");
    print_flag(out, 1, "notify_priority_changes", notify->priority_changes);
}

/* --- blocks --- */

static void print_fifo(FILE *out, const char *keyword, const struct check_fifo *fifo)
{
    char script[64];

    if (fifo->path != NULL) {
        print_start(out, 1, keyword);
        print_quoted(out, fifo->path);
        print_user(out, fifo->user, fifo->group);
    }
    snprintf(script, sizeof(script), "%s_script", keyword);
    print_command(out, 1, script, &fifo->script);
}

static void print_global_garp(const struct compat_global *global, FILE *out)
{
    const struct compat_garp *garp = &global->garp;

    print_number(out, 1, "vrrp_garp_master_repeat", garp->repeat);
    print_seconds(out, 1, "vrrp_garp_master_delay", garp->delay_us);
    print_seconds(out, 1, "vrrp_garp_master_refresh", garp->refresh_us);
    print_number(out, 1, "vrrp_garp_master_refresh_repeat", garp->refresh_repeat);
    print_number(out, 1, "vrrp_garp_lower_prio_repeat", garp->lower_repeat);
    print_seconds(out, 1, "vrrp_garp_lower_prio_delay", garp->lower_delay_us);
    print_seconds(out, 1, "vrrp_garp_interval", global->arp_us);
    print_seconds(out, 1, "vrrp_gna_interval", global->na_us);
}

static void print_global_scripts(const struct compat_global *global, FILE *out)
{
    if (global->script_security)
        print_start(out, 1, "enable_script_security\n");
    if (global->script_user != NULL) {
        print_start(out, 1, "script_user");
        print_user(out, global->script_user, global->script_group);
    }
    print_fifo(out, "notify_fifo", &global->fifo);
    print_fifo(out, "vrrp_notify_fifo", &global->vrrp_fifo);
    print_flag(out, 1, "fifo_write_vrrp_states_on_reload", global->fifo_states_on_reload);
    print_command(out, 1, "startup_script", &global->startup);
    print_command(out, 1, "shutdown_script", &global->shutdown);
    print_seconds(out, 1, "startup_script_timeout", global->startup_timeout_us);
    print_seconds(out, 1, "shutdown_script_timeout", global->shutdown_timeout_us);
}

static void print_global_flags(const struct compat_global *global, FILE *out)
{
    print_flag(out, 1, "vrrp_lower_prio_no_advert", global->lower_prio_no_advert);
    print_flag(out, 1, "vrrp_higher_prio_send_advert", global->higher_prio_send_advert);
    print_flag(out, 1, "vrrp_owner_ignore_adverts", global->owner_ignore_adverts);
    print_flag(out, 1, "v3_checksum_as_v2", global->checksum_as_v2);
    print_flag(out, 1, "vrrp_check_unicast_src", global->check_unicast_source);
    print_flag(out, 1, "vrrp_skip_check_adv_addr", global->skip_check_addresses);
    print_flag(out, 1, "vrrp_strict", global->strict);
    print_flag(out, 1, "vrrp_notify_priority_changes", global->priority_changes);
    print_flag(out, 1, "log_unknown_vrids", global->log_unknown_vrids);
}

static void print_global(const struct compat_global *global, FILE *out)
{
    fputs("global_defs {\n", out);
    print_word(out, 1, "router_id", global->router_id);
    print_global_scripts(global, out);
    if (global->dynamic_interfaces)
        print_start(out, 1, "dynamic_interfaces\n");
    print_word(out, 1, "default_interface", global->default_interface);
    print_number(out, 1, "vrrp_version", global->version);
    print_addr(out, 1, "vrrp_mcast_group4", &global->multicast4);
    print_addr(out, 1, "vrrp_mcast_group6", &global->multicast6);
    print_global_garp(global, out);
    print_filter_mode(out, global->filter_mode);
    print_number(out, 1, "vrrp_down_timer_adverts", global->down_adverts);
    print_global_flags(global, out);
    print_seconds(out, 1, "vrrp_startup_delay", global->startup_delay_us);
    print_seconds(out, 1, "vrrp_delay_after_boot", global->delay_after_boot_us);
    print_word(out, 1, "state_dump_file", global->state_dump_file);
    if (global->data_use_instance)
        print_start(out, 1, "data_use_instance\n");
    print_number(out, 1, "json_version", global->json_version);
    if (global->rt_priority > 0)
        print_number(out, 1, "vrrp_rt_priority", global->rt_priority);
    fputs("}\n", out);
}

static void print_name(FILE *out, const char *keyword, const char *name)
{
    fputs(keyword, out);
    print_quoted(out, name);
    fputs(" {\n", out);
}

static void print_weight(FILE *out, const struct check_weight *weight)
{
    print_start(out, 1, "weight");
    fprintf(out, " %d%s\n", weight->value, weight->reverse ? " reverse" : "");
}

static void print_script(const struct check_script *script, FILE *out)
{
    print_name(out, "vrrp_script", script->name);
    if (script->command.argument_count > 0) {
        print_start(out, 1, "script");
        print_words(out, script->command.arguments, script->command.argument_count);
        fputc('\n', out);
    }
    if (script->command.user != NULL) {
        print_start(out, 1, "user");
        print_user(out, script->command.user, script->command.group);
    }
    print_seconds(out, 1, "interval", script->interval_us);
    print_seconds(out, 1, "timeout", script->timeout_us);
    print_weight(out, &script->weight);
    print_number(out, 1, "rise", script->rise);
    print_number(out, 1, "fall", script->fall);
    fputs(script->init_fail ? "    init_fail\n}\n" : "}\n", out);
}

static void print_file(const struct check_file *file, FILE *out)
{
    print_name(out, "track_file", file->name);
    print_word(out, 1, "file", file->path);
    print_weight(out, &file->weight);
    if (file->create) {
        print_start(out, 1, "init_file");
        fprintf(out, " %" PRId64 "%s\n", file->init_value, file->overwrite ? " overwrite" : "");
    }
    fputs("}\n", out);
}

static void print_process(const struct check_process *process, FILE *out)
{
    static const char *const matches[] = {NULL, "exact", "initial", "partial"};

    print_name(out, "vrrp_track_process", process->name);
    if (process->word_count > 0) {
        print_start(out, 1, "process");
        print_words(out, process->words, process->word_count);
        fputc('\n', out);
    }
    print_word(out, 1, "param_match", matches[process->match]);
    print_weight(out, &process->weight);
    print_number(out, 1, "quorum", process->quorum);
    if (process->quorum_max > 0)
        print_number(out, 1, "quorum_max", process->quorum_max);
    print_seconds(out, 1, "fork_delay", process->fork_delay_us);
    print_seconds(out, 1, "terminate_delay", process->terminate_delay_us);
    fputs(process->full_command ? "    full_command\n}\n" : "}\n", out);
}

static void print_group(const struct compat_group *group, FILE *out)
{
    print_name(out, "vrrp_sync_group", group->name);
    fputs("    group {\n", out);
    for (unsigned i = 0; i < group->member_count; i++) {
        fputs("       ", out);
        print_quoted(out, group->members[i]->name);
        fputc('\n', out);
    }
    fputs("    }\n", out);
    print_trackers(out, group->trackers, group->tracker_count);
    print_notify(out, &group->notify, false);
    fputs(group->tracking_weight ? "    sync_group_tracking_weight\n}\n" : "}\n", out);
}

static void print_garp_group(const struct compat_garp_group *group, FILE *out)
{
    fputs("garp_group {\n", out);
    print_seconds(out, 1, "garp_interval", group->arp_us);
    print_seconds(out, 1, "gna_interval", group->na_us);
    for (unsigned i = 0; i < group->interface_count; i++)
        print_word(out, 1, "interface", group->interfaces[i]);
    fputs("}\n", out);
}

void compat_print(const struct compat_config *model, FILE *out)
{
    print_global(&model->global, out);
    for (unsigned i = 0; i < model->script_count; i++)
        print_script(&model->scripts[i], out);
    for (unsigned i = 0; i < model->file_count; i++)
        print_file(&model->files[i], out);
    for (unsigned i = 0; i < model->process_count; i++)
        print_process(&model->processes[i], out);
    for (unsigned i = 0; i < model->garp_group_count; i++)
        print_garp_group(&model->garp_groups[i], out);
    print_addresses(out, 0, "static_ipaddress", model->static_addresses, model->static_address_count);
    print_routes(out, 0, "static_routes", model->static_routes, model->static_route_count);
    print_rules(out, 0, "static_rules", model->static_rules, model->static_rule_count);
    for (unsigned i = 0; i < model->instance_count; i++)
        print_instance(out, &model->instances[i]);
    for (unsigned i = 0; i < model->group_count; i++)
        print_group(&model->groups[i], out);
}
