/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's language as an extension of ours (config.h): the outermost table, the start and the end of a load. What
 * keepalived does beside VRRP is known by name and skipped. Called by config.c.
 */
#include "compat.h"

#include <string.h>

#include "compat_rows.h"

#define NOT_OURS(word, why)                                                                                            \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_REFUSED, .common = 'C', .help = why                                              \
    }
#define IPVS "is not ours: IPVS and health checks of servers are not run"
#define NO_IPVS(word) NOT_OURS(word, IPVS)
#define NAMED(word, function, tier, text)                                                                              \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_BLOCK, .enter = function, .argument = "NAME { ... }", .repeatable = true,        \
        .named = true, .common = tier, .help = text                                                                    \
    }

#define ROW_TARGET struct compat_words
static const struct keyword root_rows[] = {
    {.name = "global_defs",
     .type = KEYWORD_BLOCK,
     .enter = compat_enter_global,
     .argument = "{ ... }",
     .repeatable = true,
     .common = 'A',
     .help = "What holds for the whole file."},
    NAMED("vrrp_instance", compat_enter_instance, 'A', "One virtual router with a fixed priority."),
    NAMED("vrrp_sync_group", compat_enter_group, 'B', "Instances that move together."),
    NAMED("vrrp_script", compat_enter_script, 'A', "A periodic check."),
    NAMED("track_file", compat_enter_file, 'B', "A number in a file."),
    NAMED("vrrp_track_file", compat_enter_file, 'B', "The same as track_file."),
    NAMED("vrrp_track_process", compat_enter_process, 'B', "The presence of processes."),
    ROW_LINES("static_ipaddress", compat_enter_addresses, static_addresses, "ADDRESS/LENGTH [OPTION...]", 'C',
              "Addresses that are kept while the daemon runs."),
    ROW_LINES("static_routes", compat_enter_routes, static_routes, "ROUTE", 'C', "Routes that are kept."),
    ROW_LINES("static_rules", compat_enter_rules, static_rules, "RULE", 'C', "Policy rules that are kept."),
    {.name = "garp_group",
     .type = KEYWORD_BLOCK,
     .enter = compat_enter_garp_group,
     .argument = "{ ... }",
     .repeatable = true,
     .common = 'C',
     .help = "Paces announcements on some interfaces."},
    NO_IPVS("virtual_server"),
    NO_IPVS("virtual_server_group"),
    NO_IPVS("SSL"),
    /* What is in a virtual_server whose { is missing. */
    NO_IPVS("delay_loop"),
    NO_IPVS("lb_algo"),
    NO_IPVS("lb_kind"),
    NO_IPVS("lvs_sched"),
    NO_IPVS("lvs_method"),
    NO_IPVS("nat_mask"),
    NO_IPVS("persistence_timeout"),
    NO_IPVS("protocol"),
    NO_IPVS("sorry_server"),
    NO_IPVS("real_server"),
    NO_IPVS("net_namespace_ipvs"),
    NO_IPVS("namespace_with_ipsets"),
    NOT_OURS("bfd_instance", "is not ours: BFD sessions are not run"),
    NOT_OURS("track_group", "has no effect: static entries do not move instances"),
    NOT_OURS("interface_up_down_delays", "has no effect: a link counts as the kernel says"),
    NOT_OURS("linkbeat_interfaces", "has no effect: the kernel tells of every change of a link"),
    NOT_OURS("linkbeat_use_polling", "has no effect: the kernel tells of every change of a link"),
    NOT_OURS("net_namespace", "has no effect: start the daemon in the network namespace (ip netns exec)"),
    NOT_OURS("instance", "has no effect: use --run-dir for several daemons on a host"),
    NOT_OURS("use_pid_dir", "has no effect: use --run-dir"),
    NOT_OURS("child_wait_time", "has no effect: nothing is left behind, however long it takes"),
};
#undef ROW_TARGET

const struct keyword_table compat_root_table = {.context = NULL, .rows = root_rows, .count = ARRAY_LENGTH(root_rows)};

static void global_defaults(struct compat_global *global)
{
    global->default_interface = "eth0";
    global->version = 2;
    addr_parse("224.0.0.18", &global->multicast4);
    addr_parse("ff02::12", &global->multicast6);
    global->garp = (struct compat_garp){.repeat = 5,
                                        .delay_us = 5 * US_PER_S,
                                        .refresh_repeat = 1,
                                        .lower_repeat = NET_UNSET,
                                        .lower_delay_us = NET_UNSET};
    global->down_adverts = 3;
    global->startup_timeout_us = global->shutdown_timeout_us = 10 * US_PER_S;
    global->json_version = 1;
}

static void *compat_start(struct keyword_run *run, unsigned flags)
{
    struct compat_words *words = arena_new(run->arena, struct compat_words);

    words->run = run;
    words->flags = flags;
    run->context = words;
    global_defaults(&words->model.global);
    return words;
}

static bool compat_has_something(const struct compat_config *model)
{
    return model->instance_count > 0 || model->static_address_count > 0 || model->static_route_count > 0 ||
           model->static_rule_count > 0;
}

static bool compat_finish(void *model, struct keyword_run *run, const struct config *config)
{
    struct compat_words *words = model;

    compat_resolve(words);
    compat_check_all(words, config);
    compat_run_check(words, config);
    if ((words->flags & COMPAT_CHECK_HOST) != 0)
        compat_check_host(words);
    words->run = NULL; /* it ends with the load */
    if (compat_has_something(&words->model))
        return true;
    const struct place *ipvs = report_first_of_kind(run->report, IPVS);

    if (ipvs != NULL && config->core.pool_count == 0)
        report_error(run->report, *ipvs,
                     "there is only IPVS in this file, which keepalived must go on running, and no vrrp_instance");
    return false;
}

static bool bind_tracker(void *model, struct check_tracker *tracker, struct suggest *suggest)
{
    return compat_bind(model, tracker, suggest);
}

static void complete_command(void *model, struct keyword_run *run, struct check_command *command, const char *what)
{
    struct compat_words *words = model;

    compat_complete_command(words, command);
    words->run = run;
    if ((words->flags & COMPAT_CHECK_HOST) != 0)
        compat_check_host_command(words, command, what);
    words->run = NULL;
}

static void print_model(const void *model, FILE *out)
{
    compat_print(&((const struct compat_words *)model)->model, out);
}

static void add_model(void *model, struct config *config)
{
    compat_run_add(&((const struct compat_words *)model)->model, config);
}

/* As keepalived's scripts know them; UNIT is ours. */
static const struct config_words told_words = {
    .instance = "INSTANCE",
    .group = "GROUP",
    .unit = "UNIT",
    .states = {[INSTANCE_BACKUP] = "BACKUP",
               [INSTANCE_ACTIVE] = "MASTER",
               [INSTANCE_FAULT] = "FAULT",
               [INSTANCE_STOPPED] = "STOP"},
    .deleted = "DELETED",
    .rx_lower = "MASTER_RX_LOWER_PRI",
    .priorities = {[INSTANCE_BACKUP] = "BACKUP_PRIORITY",
                   [INSTANCE_ACTIVE] = "MASTER_PRIORITY",
                   [INSTANCE_FAULT] = "BACKUP_PRIORITY"},
};

static const struct config_extension compat_extension = {
    .root = &compat_root_table,
    .expected = "vrrp_instance NAME { ... }",
    .words = &told_words,
    .start = compat_start,
    .finish = compat_finish,
    .add = add_model,
    .bind = bind_tracker,
    .command = complete_command,
    .print = print_model,
};

struct config *compat_read(struct config_request request, config_report *report, void *context)
{
    request.extension = &compat_extension;
    return config_read(&request, report, context);
}

struct config *compat_load(const char *path, unsigned flags, config_report *report, void *context)
{
    return compat_read((struct config_request){.path = path, .flags = flags}, report, context);
}

const struct compat_config *compat_model(const struct config *config)
{
    CHECK(config->extension == &compat_extension);
    return &((const struct compat_words *)config->model)->model;
}

const char *compat_track_word(enum check_tracker_kind kind)
{
    static const char *const words[] = {
        [CHECK_TRACK_INTERFACE] = "track_interface",
        [CHECK_TRACK_SCRIPT] = "track_script",
        [CHECK_TRACK_FILE] = "track_file",
        [CHECK_TRACK_PROCESS] = "track_process",
    };

    return words[kind];
}
