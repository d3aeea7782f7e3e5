/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * global_defs: its table. What is here holds for the whole file, wherever the block stands. Called by the keyword
 * engine.
 */
#include <string.h>

#include "compat_rows.h"

/* dynamic_interfaces [allow_if_changes] */
static unsigned take_dynamic(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                             unsigned at, unsigned end, void *target)
{
    char quote[REPORT_QUOTE_MAX];

    ((struct compat_global *)target)->dynamic_interfaces = true;
    for (at++; at < end; at++)
        if (strcmp(line->words[at].text, "allow_if_changes") != 0)
            COMPAT_WARN(run, line->words[at].place, "unexpected %s after %s; it is ignored",
                        report_quote(line->words[at].text, quote), row->name);
    return end;
}

/* The multicast group of the family row->minimum. */
static unsigned take_group(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                           unsigned at, unsigned end, void *target)
{
    struct addr *group = (struct addr *)(void *)((unsigned char *)target + row->offset);
    struct addr before = *group;
    char quote[REPORT_QUOTE_MAX];

    compat_take_address(run, row, line, at, end, target);
    if (end > at + 1 && (group->family != row->minimum || !addr_is_multicast(group))) {
        COMPAT_WARN(run, line->words[at + 1].place, "%s %s is no multicast address of its family; it is ignored",
                    row->name, report_quote(line->words[at + 1].text, quote));
        *group = before;
    }
    return end > at + 1 ? at + 2 : end;
}

/* notify_fifo PATH [USER [GROUP]] */
static unsigned take_fifo(struct keyword_run *run, const struct keyword *row, const struct statement *line, unsigned at,
                          unsigned end, void *target)
{
    struct check_fifo *fifo = (struct check_fifo *)(void *)((unsigned char *)target + row->offset);

    if (end == at + 1) {
        COMPAT_WARN(run, line->words[at].place, "%s needs an argument: %s; the line is ignored", row->name,
                    row->argument);
        return end;
    }
    fifo->place = line->words[at + 1].place;
    fifo->path = line->words[at + 1].text;
    if (end > at + 2)
        fifo->user = line->words[at + 2].text;
    if (end > at + 3)
        fifo->group = line->words[at + 3].text;
    return end;
}

#define GARP(word, field, preset, tier, text) ROW_SECONDS(word, garp.field, 0, ROW_US(86400), preset, tier, text)
#define GARP_COUNT(word, field, low, preset, tier, text)                                                               \
    ROW_INTEGER(word, garp.field, low, 1000, "rounds", preset, tier, text)
#define NO_EXTRA(word) ROW_IGNORED(word, 'C', "has no effect: announcements leave on the interface itself in any case")
#define NO_MAIL(word, tier) ROW_IGNORED(word, tier, "has no effect: no mail is sent")
#define NO_IPVS(word) ROW_IGNORED(word, 'C', "has no effect: IPVS is not managed")
#define NO_SNMP(word) ROW_IGNORED(word, 'C', "has no effect: evenkeel-snmp serves these objects")
#define NO_DBUS(word) ROW_IGNORED(word, 'C', "has no effect: keelctl and the control socket do this")
#define NO_PROCESS(word, tier)                                                                                         \
    ROW_IGNORED(word, tier,                                                                                            \
                "has no effect: the daemon has one loop that never waits, and the service manager sets this")
#define NO_BUFFER(word)                                                                                                \
    ROW_IGNORED(word, 'C', "has no effect: buffers are sized by what is configured, and a loss is made good")
#define NO_FIREWALL(word) ROW_IGNORED(word, 'C', "has no effect: the filter is an nftables table of our own")

#define ROW_TARGET struct compat_global
static const struct keyword global_rows[] = {
    ROW_TEXT("router_id", router_id, "TEXT", "the host's name", 'A', "This host's name in reports."),
    ROW_SET("enable_script_security", script_security, 1, 'A',
            "Do not run a script that somebody else than root could replace."),
    ROW_CUSTOM("script_user", compat_take_user, script_user, "USER [GROUP]", "root", 'A',
               "Who scripts run as, unless they say so themselves."),
    ROW_CUSTOM("dynamic_interfaces", take_dynamic, dynamic_interfaces, "[allow_if_changes]", "off", 'B',
               "Interfaces may come later."),
    ROW_CUSTOM("default_interface", compat_take_interface, default_interface, "IF", "eth0", 'B',
               "For addresses that name none."),
    ROW_INTEGER("vrrp_version", version, 2, 3, NULL, "2", 'B', "Of instances that do not say."),
    {.name = "vrrp_mcast_group4",
     .type = KEYWORD_CUSTOM,
     .take = take_group,
     .minimum = FAMILY_IPV4,
     .argument = "ADDRESS",
     .default_note = "224.0.0.18",
     ROW_FIELD(multicast4),
     .common = 'C',
     .help = "Where advertisements over IPv4 go."},
    {.name = "vrrp_mcast_group6",
     .type = KEYWORD_CUSTOM,
     .take = take_group,
     .minimum = FAMILY_IPV6,
     .argument = "ADDRESS",
     .default_note = "ff02::12",
     ROW_FIELD(multicast6),
     .common = 'C',
     .help = "Where advertisements over IPv6 go."},
    GARP("vrrp_garp_master_delay", delay_us, "5", 'B', "A second burst of announcements after so long; 0: none."),
    GARP_COUNT("vrrp_garp_master_repeat", repeat, 1, "5", 'B', "Announcements of each address in a burst."),
    GARP("vrrp_garp_master_refresh", refresh_us, "0", 'B', "Announce again every so long; 0: never."),
    GARP_COUNT("vrrp_garp_master_refresh_repeat", refresh_repeat, 1, "1", 'B', "Announcements in a refresh."),
    GARP("vrrp_garp_lower_prio_delay", lower_delay_us, "vrrp_garp_master_delay", 'B',
         "As vrrp_garp_master_delay, after a lower priority was heard."),
    GARP_COUNT("vrrp_garp_lower_prio_repeat", lower_repeat, 0, "vrrp_garp_master_repeat", 'B',
               "As vrrp_garp_master_repeat, after a lower priority was heard."),
    ROW_SECONDS("vrrp_garp_interval", arp_us, 0, ROW_US(4294), "0", 'B', "Between two gratuitous ARPs; 0: no pause."),
    ROW_SECONDS("vrrp_gna_interval", na_us, 0, ROW_US(4294), "0", 'B',
                "Between neighbour advertisements; 0: no pause."),
    ROW_CHOICE("arp_filter", filter_mode, compat_filter_choices, "auto|off|on|lease", "auto", 'C',
               "As in vrrp_pool, for instances that do not say."),
    ROW_FLAG("vrrp_min_garp", min_garp, "off", 'C', "One announcement, no second burst."),
    NO_EXTRA("vrrp_garp_extra_if"),
    NO_EXTRA("vrrp_vmac_garp_intvl"),
    ROW_INTEGER("vrrp_down_timer_adverts", down_adverts, 1, 100, "advertisements", "3", 'B',
                "So many lost ones make a take-over."),
    ROW_FLAG("vrrp_lower_prio_no_advert", lower_prio_no_advert, "off", 'B', "Do not answer a lower priority."),
    ROW_FLAG("vrrp_higher_prio_send_advert", higher_prio_send_advert, "off", 'C',
             "A last advertisement when yielding."),
    ROW_FLAG("vrrp_owner_ignore_adverts", owner_ignore_adverts, "off", 'C',
             "With priority 255, drop all advertisements."),
    ROW_FLAG("v3_checksum_as_v2", checksum_as_v2, "off", 'C',
             "Send no pseudo header in checksums of version 3 over IPv4; both forms are accepted."),
    ROW_FLAG("vrrp_check_unicast_src", check_unicast_source, "off", 'B', "Accept advertisements of listed peers only."),
    ROW_FLAG("vrrp_skip_check_adv_addr", skip_check_addresses, "off", 'B', "Do not compare address lists."),
    ROW_FLAG("vrrp_strict", strict, "off", 'B', "Hold to the RFC, see doc/keepalived.md."),
    ROW_FLAG("vrrp_notify_priority_changes", priority_changes, "off", 'C', "FIFO lines for changes of priority."),
    ROW_CUSTOM("notify_fifo", take_fifo, fifo, "PATH [USER [GROUP]]", "none", 'B', "A FIFO for events."),
    ROW_CUSTOM("vrrp_notify_fifo", take_fifo, vrrp_fifo, "PATH [USER [GROUP]]", "none", 'B',
               "A FIFO for VRRP's events."),
    ROW_COMMAND("notify_fifo_script", fifo.script, 'B', "Reads notify_fifo."),
    ROW_COMMAND("vrrp_notify_fifo_script", vrrp_fifo.script, 'B', "Reads vrrp_notify_fifo."),
    ROW_FLAG("fifo_write_vrrp_states_on_reload", fifo_states_on_reload, "off", 'C', "All states again after a reload."),
    ROW_COMMAND("startup_script", startup, 'C', "Run before anything else."),
    ROW_COMMAND("shutdown_script", shutdown, 'C', "Run after everything else."),
    ROW_SECONDS("startup_script_timeout", startup_timeout_us, ROW_US(1), ROW_US(1000), "10", 'C',
                "How long it may run."),
    ROW_SECONDS("shutdown_script_timeout", shutdown_timeout_us, ROW_US(1), ROW_US(1000), "10", 'C',
                "How long it may run."),
    ROW_SECONDS("vrrp_startup_delay", startup_delay_us, 0, ROW_US(86400), "0", 'B', "Hold instances after the start."),
    ROW_SECONDS("vrrp_delay_after_boot", delay_after_boot_us, 0, ROW_US(86400), "0", 'C', "Hold instances after boot."),
    ROW_FLAG("log_unknown_vrids", log_unknown_vrids, "off", 'C', "Log advertisements of VRIDs that nobody has here."),
    ROW_TEXT("state_dump_file", state_dump_file, "PATH", "keepalived.data in the run directory", 'C',
             "Where SIGUSR1 writes."),
    ROW_SET("data_use_instance", data_use_instance, 1, 'C', "The config id in the names of dump files."),
    ROW_INTEGER("json_version", json_version, 1, 2, NULL, "1", 'C', "The form of the JSON dump."),
    ROW_INTEGER("vrrp_rt_priority", rt_priority, 1, 99, NULL, "the daemon's choice", 'B', "Real-time priority."),
    /* The reader itself has obeyed these two. */
    {.name = "include_check",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_skip,
     .repeatable = true,
     .common = 'C',
     .help = "What an include must find."},
    {.name = "random_seed",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_skip,
     .repeatable = true,
     .common = 'C',
     .help = "Makes ${_RANDOM} repeatable."},
    {.name = "reload_check_config",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_skip,
     .repeatable = true,
     .common = 'C',
     .help = "Nothing to do: a reload never takes a bad file."},
    NO_MAIL("notification_email", 'B'),
    NO_MAIL("notification_email_from", 'B'),
    NO_MAIL("smtp_server", 'B'),
    NO_MAIL("smtp_connect_timeout", 'B'),
    NO_MAIL("smtp_helo_name", 'C'),
    NO_MAIL("no_email_faults", 'C'),
    NO_MAIL("no_checker_emails", 'C'),
    NO_MAIL("smtp_alert", 'C'),
    NO_MAIL("smtp_alert_vrrp", 'C'),
    NO_MAIL("smtp_alert_checker", 'C'),
    NO_PROCESS("max_auto_priority", 'B'),
    NO_PROCESS("min_auto_priority_delay", 'C'),
    NO_PROCESS("vrrp_priority", 'C'),
    NO_PROCESS("vrrp_rlimit_rttime", 'C'),
    NO_PROCESS("vrrp_rlimit_rtime", 'C'),
    NO_PROCESS("vrrp_no_swap", 'B'),
    NO_PROCESS("vrrp_cpu_affinity", 'C'),
    NO_PROCESS("checker_priority", 'C'),
    NO_PROCESS("checker_rt_priority", 'C'),
    NO_PROCESS("checker_no_swap", 'C'),
    NO_PROCESS("checker_cpu_affinity", 'C'),
    NO_PROCESS("checker_rlimit_rttime", 'C'),
    NO_PROCESS("checker_process_name", 'C'),
    NO_PROCESS("bfd_priority", 'C'),
    NO_PROCESS("bfd_rt_priority", 'C'),
    NO_PROCESS("bfd_no_swap", 'C'),
    NO_PROCESS("bfd_cpu_affinity", 'C'),
    NO_PROCESS("bfd_rlimit_rttime", 'C'),
    NO_PROCESS("bfd_process_name", 'C'),
    NO_PROCESS("umask", 'C'),
    NO_PROCESS("process_names", 'C'),
    NO_PROCESS("process_name", 'C'),
    NO_PROCESS("vrrp_process_name", 'C'),
    NO_PROCESS("set_supplementary_groups", 'C'),
    NO_BUFFER("vrrp_netlink_cmd_rcv_bufs"),
    NO_BUFFER("vrrp_netlink_cmd_rcv_bufs_force"),
    NO_BUFFER("vrrp_netlink_monitor_rcv_bufs"),
    NO_BUFFER("vrrp_netlink_monitor_rcv_bufs_force"),
    NO_BUFFER("process_monitor_rcv_bufs"),
    NO_BUFFER("process_monitor_rcv_bufs_force"),
    NO_BUFFER("vrrp_rx_bufs_policy"),
    NO_BUFFER("vrrp_rx_bufs_multiplier"),
    NO_FIREWALL("vrrp_iptables"),
    NO_FIREWALL("vrrp_ipsets"),
    NO_FIREWALL("nftables"),
    NO_FIREWALL("nftables_priority"),
    NO_FIREWALL("nftables_counters"),
    NO_FIREWALL("nftables_ifindex"),
    NO_SNMP("enable_snmp_vrrp"),
    NO_SNMP("enable_snmp_keepalived"),
    NO_SNMP("enable_snmp_checker"),
    NO_SNMP("enable_snmp_rfc"),
    NO_SNMP("enable_snmp_rfcv2"),
    NO_SNMP("enable_snmp_rfcv3"),
    NO_SNMP("enable_traps"),
    NO_SNMP("snmp_socket"),
    NO_DBUS("enable_dbus"),
    NO_DBUS("dbus_service_name"),
    NO_DBUS("dbus_no_interface_name"),
    NO_IPVS("lvs_sync_daemon"),
    NO_IPVS("lvs_flush"),
    NO_IPVS("lvs_flush_on_stop"),
    NO_IPVS("lvs_flush_onstop"),
    NO_IPVS("lvs_notify_fifo"),
    NO_IPVS("lvs_notify_fifo_script"),
    NO_IPVS("lvs_netlink_cmd_rcv_bufs"),
    NO_IPVS("lvs_netlink_cmd_rcv_bufs_force"),
    NO_IPVS("lvs_netlink_monitor_rcv_bufs"),
    NO_IPVS("lvs_netlink_monitor_rcv_bufs_force"),
    NO_IPVS("nftables_ipvs"),
    NO_IPVS("nftables_ipvs_priority"),
    NO_IPVS("nftables_ipvs_start_fwmark"),
    NO_IPVS("rs_init_notifies"),
    NO_IPVS("checker_log_all_failures"),
    NO_IPVS("lvs_timeouts"),
    NO_IPVS("lvs_id"),
    ROW_IGNORED("disable_local_igmp", 'C', "has no effect: groups are joined as usual"),
    ROW_IGNORED("vmac_prefix", 'C', "has no effect: a virtual MAC that needs an interface gets vrrp.VRID"),
    ROW_IGNORED("vmac_addr_prefix", 'C', "has no effect: a virtual MAC that needs an interface gets vrrp.VRID"),
    ROW_IGNORED("use_symlink_paths", 'C', "has no effect: scripts are run by the path that the file gives"),
    ROW_IGNORED("reload_time_file", 'C', "has no effect: use systemd's timers"),
    ROW_IGNORED("reload_repeat", 'C', "has no effect: use systemd's timers"),
    ROW_IGNORED("reload_file", 'C', "has no effect: a reload happens when it is asked for"),
    ROW_IGNORED("config_save_dir", 'C', "has no effect"),
    ROW_IGNORED("tmp_config_directory", 'C', "has no effect: no copy of the file is made"),
    ROW_IGNORED("stats_dump_file", 'C', "has no effect, as with keepalived"),
    ROW_IGNORED("json_dump_file", 'C', "has no effect, as with keepalived"),
};
#undef ROW_TARGET

const struct keyword_table compat_global_table = {
    .context = "global_defs", .rows = global_rows, .count = ARRAY_LENGTH(global_rows)};

void compat_enter_global(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                         const struct word_list *words, const struct statement *first, void *target)
{
    struct compat_words *all = target;
    char quote[REPORT_QUOTE_MAX];

    (void)keyword;
    if (words->count > 0)
        COMPAT_WARN(run, words->words[0].place, "unexpected %s after %s; it is ignored",
                    report_quote(words->words[0].text, quote), row->name);
    keyword_parse(&compat_global_table, run, first, &all->model.global,
                  arena_array(run->arena, compat_global_table.count, sizeof(struct place)));
}
