/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vrrp_instance: its table, and the arguments that only it has. Values stay NET_UNSET where the file is silent; the
 * checks fill them from global_defs, which may stand anywhere. Called by the keyword engine.
 */
#include <stdio.h>
#include <string.h>

#include "compat_rows.h"

static const struct keyword_choice state_choices[] = {{"MASTER", COMPAT_MASTER}, {"BACKUP", COMPAT_BACKUP}, {NULL, 0}};
static const struct keyword_choice auth_choices[] = {{"PASS", COMPAT_AUTH_PASS}, {"AH", COMPAT_AUTH_AH}, {NULL, 0}};

/* --- authentication --- */

#define ROW_TARGET struct instance_words
static const struct keyword authentication_rows[] = {
    {.name = "auth_type",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_auth_type,
     .choices = auth_choices,
     .argument = "PASS|AH",
     .default_note = "none",
     ROW_FIELD(model.authentication),
     .common = 'A',
     .help = "PASS: a password in clear, of version 2."},
    {.name = "auth_pass",
     .type = KEYWORD_WORD,
     .argument = "PASSWORD",
     ROW_FIELD(password),
     .common = 'A',
     .help = "At most 8 characters go over the wire."},
};

static const struct keyword_table authentication_table = {
    .context = "authentication", .rows = authentication_rows, .count = ARRAY_LENGTH(authentication_rows)};

/* keepalived loses the second of them without a word, so that the hosts of a mixed cluster do not hear each other. */
static void warn_of_one_line(struct keyword_run *run, const struct statement *line)
{
    for (unsigned i = 1; line->kind == STATEMENT_LINE && i < line->word_count; i++) {
        const struct keyword *row = keyword_find(&authentication_table, line->words[i].text);

        if (row != NULL && !line->words[i].quoted && i + 1 < line->word_count)
            COMPAT_WARN(run, line->words[i].place,
                        "auth_type and auth_pass on one line: both are used here, but keepalived would not see the "
                        "second; until no host runs it any more, write two lines on all of them");
    }
}

static void enter_authentication(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                                 const struct word_list *words, const struct statement *first, void *target)
{
    struct place given[ARRAY_LENGTH(authentication_rows)] = {{0}};

    (void)row;
    (void)keyword;
    if (first == NULL && words->count > 0) {
        const struct statement bare = {.word_count = words->count, .words = words->words, .raw = ""};

        keyword_parse_line(&authentication_table, run, &bare, target, given);
    }
    keyword_parse(&authentication_table, run, first, target, given);
    for (const struct statement *s = first; s != NULL; s = s->next)
        warn_of_one_line(run, s);
}

/* --- arguments of their own --- */

/* use_vmac [[name] IF] [MAC] [netlink_notify_msg] [group G] */
static unsigned take_vmac(struct keyword_run *run, const struct keyword *row, const struct statement *line, unsigned at,
                          unsigned end, void *target)
{
    struct compat_vmac *vmac = &((struct instance_words *)target)->model.vmac;
    unsigned byte[6];
    char junk;

    vmac->on = true;
    for (at++; at < end; at++) {
        const struct word *word = &line->words[at];

        if (sscanf(word->text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5],
                   &junk) == 6) {
            vmac->mac_given = true;
            for (unsigned i = 0; i < 6; i++)
                vmac->mac[i] = (uint8_t)byte[i];
        } else if (strcmp(word->text, "group") == 0) {
            COMPAT_WARN(run, word->place, "%s group has no effect; it is ignored", row->name);
            at++;
        } else if (strcmp(word->text, "name") != 0 && strcmp(word->text, "netlink_notify_msg") != 0)
            vmac->name = compat_read_interface(run, row->name, word);
    }
    return end;
}

/* timer_expired_backup [1..254] */
static unsigned take_late_backup(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                                 unsigned at, unsigned end, void *target)
{
    struct compat_instance *model = &((struct instance_words *)target)->model;
    int64_t value = 1;

    if (at + 1 < end)
        compat_read_integer(run, row->name, &line->words[at + 1], 1, 254, &value);
    model->late_backup = (int32_t)value;
    return at + 1 < end ? at + 2 : end;
}

/* --- the table --- */

#define GARP(word, field, low, high, tier, text)                                                                       \
    ROW_SECONDS(word, model.garp.field, low, high, "global_defs'", tier, text)
#define GARP_COUNT(word, field, low, tier, text)                                                                       \
    ROW_INTEGER(word, model.garp.field, low, 1000, "rounds", "global_defs'", tier, text)
#define GLOBAL_FLAG(word, field, text) ROW_FLAG(word, model.field, "global_defs'", 'C', text)
#define SOURCE(word, tier, text)                                                                                       \
    ROW_CUSTOM(word, compat_take_address, model.source, "ADDRESS", "the interface's first", tier, text)

static const struct keyword instance_rows[] = {
    [INSTANCE_STATE] = ROW_CHOICE("state", model.initial_state, state_choices, "MASTER|BACKUP", "BACKUP", 'A',
                                  "How it starts; after that priorities decide."),
    [INSTANCE_INTERFACE] = ROW_CUSTOM("interface", compat_take_interface, model.interface, "IF", "none", 'A',
                                      "Where advertisements are sent and addresses are put."),
    [INSTANCE_VRID] = ROW_INTEGER("virtual_router_id", model.vrid, 1, 255, NULL, "none", 'A',
                                  "The VRID; equal on all hosts of this virtual router."),
    [INSTANCE_PRIORITY] = ROW_INTEGER("priority", model.priority, 1, 255, NULL, "100", 'A',
                                      "The highest becomes Active; 255 is the addresses' owner."),
    [INSTANCE_ADVERT_INT] = ROW_SECONDS("advert_int", model.advert_us, 10 * US_PER_MS, ROW_US(255), "1", 'A',
                                        "Between advertisements; whole seconds in version 2."),
    [INSTANCE_VERSION] = ROW_INTEGER("version", model.version, 2, 3, NULL, "vrrp_version", 'B', "Of the protocol."),
    [INSTANCE_ACCEPT] = ROW_SET("accept", model.accept, 1, 'B', "Take packets to the addresses also when not owner."),
    [INSTANCE_NO_ACCEPT] = ROW_SET("no_accept", model.accept, 0, 'B', "Drop packets to the addresses when not owner."),
    [INSTANCE_PREEMPT_DELAY] = ROW_SECONDS("preempt_delay", model.preempt_delay_us, 0, ROW_US(1000), "0", 'B',
                                           "Wait so long before a lower master is preempted."),
    [INSTANCE_AUTHENTICATION] = {.name = "authentication",
                                 .type = KEYWORD_BLOCK,
                                 .enter = enter_authentication,
                                 .argument = "{ auth_type PASS; auth_pass PASSWORD }",
                                 .common = 'A',
                                 .help = "Of version 2."},
    [INSTANCE_SOURCE_MULTICAST] = SOURCE("mcast_src_ip", 'C', "The source of advertisements."),
    [INSTANCE_SOURCE_UNICAST] = SOURCE("unicast_src_ip", 'A', "The source of unicast advertisements."),
    [INSTANCE_UNICAST_PEER] = ROW_LINES("unicast_peer", compat_enter_peers, peers, "ADDRESS", 'A',
                                        "Advertise to these addresses instead of the multicast group."),
    [INSTANCE_NOPREEMPT] = ROW_SET("nopreempt", model.preempt, 0, 'A', "A lower master stays."),
    [INSTANCE_NATIVE_IPV6] = ROW_SET("native_ipv6", native_ipv6, 1, 'B', "Advertise over IPv6."),
    [INSTANCE_DOWN_ADVERTS] = ROW_INTEGER("down_timer_adverts", model.down_adverts, 1, 100, "advertisements",
                                          "vrrp_down_timer_adverts", 'C', "So many lost ones make a take-over."),
    [INSTANCE_ARP_FILTER] = ROW_CHOICE("arp_filter", model.filter_mode, compat_filter_choices, "auto|off|on|lease",
                                       "global_defs'", 'C', "As in vrrp_pool: who answers is held by the kernel."),
    ROW_SET("preempt", model.preempt, 1, 'C', "The default."),
    ROW_LINES("virtual_ipaddress", compat_enter_addresses, addresses, "ADDRESS/LENGTH [OPTION...]", 'A',
              "The addresses it answers for."),
    ROW_LINES("virtual_ipaddress_excluded", compat_enter_addresses, excluded, "ADDRESS/LENGTH [OPTION...]", 'B',
              "Addresses that move with it and are not advertised."),
    ROW_LINES("virtual_routes", compat_enter_routes, routes, "ROUTE", 'B', "Routes of the Active."),
    ROW_LINES("virtual_rules", compat_enter_rules, rules, "RULE", 'B', "Policy rules of the Active."),
    ROW_TRACK("track_interface", CHECK_TRACK_INTERFACE, trackers, 'B'),
    ROW_TRACK("track_script", CHECK_TRACK_SCRIPT, trackers, 'A'),
    ROW_TRACK("track_file", CHECK_TRACK_FILE, trackers, 'B'),
    ROW_TRACK("track_process", CHECK_TRACK_PROCESS, trackers, 'B'),
    ROW_IGNORED("track_bfd", 'C', "is not supported: BFD sessions are not run, and the instance does without them"),
    ROW_CUSTOM("mcast_dst_ip", compat_take_address, model.multicast, "ADDRESS", "224.0.0.18, ff02::12", 'C',
               "The multicast group."),
    ROW_SET("track_src_ip", model.track_source, 1, 'C', "FAULT while the source address is absent."),
    ROW_INTEGER("unicast_ttl", model.unicast_ttl, 0, 255, NULL, "255", 'C', "TTL of unicast advertisements."),
    ROW_SET("unicast_fault_no_peer", model.unicast_fault_no_peer, 1, 'C', "FAULT while there is no peer."),
    GLOBAL_FLAG("check_unicast_src", check_unicast_source, "Accept advertisements of listed peers only."),
    {.name = "old_unicast_checksum",
     .type = KEYWORD_CUSTOM,
     .take = compat_take_skip,
     .repeatable = true,
     .common = 'C',
     .help = "Nothing to do: every known form of the checksum is accepted."},
    {.name = "use_vmac",
     .type = KEYWORD_CUSTOM,
     .take = take_vmac,
     .argument = "[NAME] [MAC]",
     .common = 'B',
     .help = "Answer with the virtual MAC; NAME is its interface's, where it needs one (default: vrrp.VRID)."},
    ROW_SET("vmac_xmit_base", model.vmac.xmit_base, 1, 'B', "Advertise with the interface's own MAC."),
    ROW_SET("use_vmac_addr", model.vmac.addresses, 1, 'C', "Virtual MAC also for addresses of other interfaces."),
    ROW_IGNORED("use_ipvlan", 'C', "is not supported: no ipvlan is made"),
    GLOBAL_FLAG("v3_checksum_as_v2", checksum_as_v2, "Send no pseudo header in checksums of version 3 over IPv4."),
    ROW_SET("dont_track_primary", model.track_primary, 0, 'B', "The interface's own link does not matter."),
    GARP("garp_master_delay", delay_us, 0, ROW_US(86400), 'B', "A second burst of announcements after so long."),
    GARP_COUNT("garp_master_repeat", repeat, 1, 'B', "Announcements of each address in a burst."),
    GARP("garp_master_refresh", refresh_us, 0, ROW_US(86400), 'B', "Announce again every so long."),
    GARP_COUNT("garp_master_refresh_repeat", refresh_repeat, 1, 'B', "Announcements in a refresh."),
    GARP("garp_lower_prio_delay", lower_delay_us, 0, ROW_US(86400), 'C',
         "As garp_master_delay, after a lower priority."),
    GARP_COUNT("garp_lower_prio_repeat", lower_repeat, 0, 'C', "As garp_master_repeat, after a lower priority."),
    ROW_IGNORED("garp_extra_if", 'C', "has no effect: announcements leave on the interface itself in any case"),
    ROW_COMMAND("notify_master", model.notify.active, 'A', "Run when it becomes MASTER."),
    ROW_COMMAND("notify_backup", model.notify.backup, 'A', "Run when it becomes BACKUP."),
    ROW_COMMAND("notify_fault", model.notify.fault, 'A', "Run when it becomes FAULT."),
    ROW_COMMAND("notify_stop", model.notify.stop, 'B', "Run at shutdown."),
    ROW_COMMAND("notify", model.notify.any, 'B', "Run at every change with TYPE NAME STATE PRIORITY."),
    ROW_SET("notify_deleted", model.notify.call_deleted, 1, 'C', "DELETED instead of FAULT when a reload removes it."),
    ROW_COMMAND("notify_master_rx_lower_pri", model.notify.rx_lower, 'C', "Run when it hears a lower priority."),
    GLOBAL_FLAG("notify_priority_changes", notify.priority_changes, "FIFO lines for changes of priority."),
    ROW_IGNORED("smtp_alert", 'B', "has no effect: no mail is sent"),
    ROW_SET("promote_secondaries", model.promote_secondaries, 1, 'C', "The interface's sysctl."),
    GLOBAL_FLAG("lower_prio_no_advert", lower_prio_no_advert, "Do not answer a lower priority."),
    GLOBAL_FLAG("higher_prio_send_advert", higher_prio_send_advert, "A last advertisement when yielding."),
    GLOBAL_FLAG("owner_ignore_adverts", owner_ignore_adverts, "With priority 255, drop all advertisements."),
    GLOBAL_FLAG("skip_check_adv_addr", skip_check_addresses, "Do not compare address lists."),
    ROW_FLAG("strict_mode", strict, "vrrp_strict", 'C', "Hold to the RFC, see doc/keepalived.md."),
    {.name = "timer_expired_backup",
     .type = KEYWORD_CUSTOM,
     .take = take_late_backup,
     .argument = "[N]",
     .common = 'C',
     .help = "A late timer makes it Backup."},
    {.name = "thread_timer_expired",
     .type = KEYWORD_CUSTOM,
     .take = take_late_backup,
     .argument = "[N]",
     .common = 'C',
     .help = "The same as timer_expired_backup."},
    ROW_IGNORED("auth_hmac", 'C', "is not supported: advertisements are sent and accepted without it"),
    ROW_SET("no_virtual_ipaddress", model.no_addresses, 1, 'C', "It has no address on purpose."),
    ROW_IGNORED("vrf", 'C', "has no effect: name the interface in it"),
    ROW_IGNORED("kernel_rx_buf_size", 'C', "has no effect: one socket with a filter serves all instances"),
    ROW_IGNORED("debug", 'C', "has no effect; use --log-level"),
    ROW_IGNORED("lvs_sync_daemon_interface", 'C', "has no effect: IPVS is not managed"),
    ROW_IGNORED("lvs_sync_daemon", 'C', "has no effect: IPVS is not managed"),
    ROW_IGNORED("linkbeat_use_polling", 'C', "has no effect: the kernel tells of every change of a link"),
};
#undef ROW_TARGET

const struct keyword_table compat_instance_table = {
    .context = "vrrp_instance", .rows = instance_rows, .count = ARRAY_LENGTH(instance_rows)};

static struct instance_words *new_instance(struct keyword_run *run, const struct word *name)
{
    struct instance_words *instance = arena_new(run->arena, struct instance_words);
    struct compat_instance *model = &instance->model;

    instance->given = arena_array(run->arena, compat_instance_table.count, sizeof(struct place));
    instance->strict = NET_UNSET;
    model->name = name->text;
    model->place = name->place;
    model->advert_us = US_PER_S;
    model->down_adverts = NET_UNSET;
    model->preempt = model->accept = model->track_primary = true;
    model->unicast_ttl = 255;
    model->garp = (struct compat_garp){.repeat = NET_UNSET,
                                       .delay_us = NET_UNSET,
                                       .refresh_us = NET_UNSET,
                                       .refresh_repeat = NET_UNSET,
                                       .lower_repeat = NET_UNSET,
                                       .lower_delay_us = NET_UNSET};
    model->lower_prio_no_advert = model->higher_prio_send_advert = model->owner_ignore_adverts = NET_UNSET;
    model->checksum_as_v2 = model->check_unicast_source = model->skip_check_addresses = NET_UNSET;
    model->notify.priority_changes = NET_UNSET;
    return instance;
}

void compat_enter_instance(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                           const struct word_list *words, const struct statement *first, void *target)
{
    const struct word nameless = {.text = "", .place = keyword->place};
    const struct word *name = compat_block_name(run, row, keyword, words);
    struct instance_words *instance = new_instance(run, name != NULL ? name : &nameless);
    struct compat_words *all = target;
    struct instance_words **known;

    all->something = true;
    keyword_parse(&compat_instance_table, run, first, instance, instance->given);
    known = all->instances.items;
    for (unsigned i = 0; name != NULL && i < all->instances.count; i++)
        if (strcmp(known[i]->model.name, name->text) == 0) {
            compat_report_twice(run, row, name, known[i]->model.place);
            return;
        }
    if (name != NULL)
        *(struct instance_words **)compat_push(run->arena, &all->instances, sizeof(instance)) = instance;
}
