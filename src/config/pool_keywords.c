/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyword tables of vrrp_pool: everything about a keyword stands in its row. What needs more than one keyword to be
 * judged is pool_build.c's. Read by the keyword engine, the printer and the generator of the manual.
 */
#include <assert.h>

#include "base/check.h"
#include "base/mono.h"
#include "config/config.h"
#include "config/pool_words.h"

#define POOL(field) .offset = offsetof(struct pool_words, field)
#define ENTRY(field) .offset = offsetof(struct entry_options, field)
#define MS(value) ((int64_t)(value)*US_PER_MS)
#define S(value) ((int64_t)(value)*US_PER_S)

static const struct keyword_choice pool_moves_choices[] = {{"all", UINT16_MAX}, {NULL, 0}};
static const struct keyword_choice pool_checksum_choices[] = {
    {"auto", WIRE_CHECKSUM_AUTO}, {"plain", WIRE_CHECKSUM_PLAIN}, {"pseudo", WIRE_CHECKSUM_PSEUDO}, {NULL, 0}};
static const struct keyword_choice pool_filter_choices[] = {
    {"auto", FILTER_AUTO}, {"off", FILTER_OFF}, {"on", FILTER_ON}, {"lease", FILTER_LEASE}, {NULL, 0}};
static const struct keyword_choice pool_mode_choices[] = {
    {"add", ADDRESS_ADD}, {"resident", ADDRESS_RESIDENT}, {NULL, 0}};
static const struct keyword_choice pool_isolation_choices[] = {{"hold", 0}, {"drop", 1}, {NULL, 0}};

/* clang-format off */
static const struct keyword pool_rows[] = {
    [POOL_INTERFACE] = {
        .name = "interface", .type = KEYWORD_WORD, .argument = "IF", POOL(interface), .reload = RELOAD_POOL,
        .help = "The interface that the pool's advertisements use, and where its addresses go unless they say "
                "dev. Must be given.",
    },
    [POOL_VIRTUAL_IPADDRESS] = {
        .name = "virtual_ipaddress", .type = KEYWORD_BLOCK, .argument = "{ ADDRESS ... }",
        .enter = pool_enter_addresses, .repeatable = true, .reload = RELOAD_UNITS,
        .help = "The pool's addresses, see ADDRESSES. Must be given; several such blocks add up.",
    },
    [POOL_VIRTUAL_ROUTER_ID] = {
        .name = "virtual_router_id", .type = KEYWORD_INTEGER, .argument = "N", .minimum = 1, .maximum = 255,
        POOL(virtual_router_id), .default_note = "each address's last byte", .reload = RELOAD_UNITS,
        .help = "Units without a vrid of their own get N, N+1, and so on, in the order in which they stand in "
                "the file. The order of lines then matters and must be the same on all hosts.",
    },
    [POOL_VIPS_PER_VRID] = {
        .name = "vips_per_vrid", .type = KEYWORD_INTEGER, .argument = "N", .minimum = 1, .maximum = 255,
        .default_text = "1", POOL(vips_per_vrid), .reload = RELOAD_UNITS,
        .help = "Up to N addresses that follow each other in number share one virtual router and move "
                "together, so that a pool can have more than 255 addresses. Which ones share does not change "
                "when others are added. Groups and addresses with options stay as they are.",
    },
    [POOL_VERSION] = {
        .name = "version", .type = KEYWORD_INTEGER, .argument = "2|3", .minimum = 2, .maximum = 3,
        .default_text = "3", POOL(version), .reload = RELOAD_POOL,
        .help = "The VRRP version of the units' advertisements. Members always advertise themselves in "
                "version 3. Version 2 has no IPv6.",
    },
    [POOL_ADVERT_INT] = {
        .name = "advert_int", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = MS(10),
        .maximum = S(255), .step = MS(10), .default_text = "1", POOL(advert_int_us), .reload = RELOAD_AT_ONCE,
        .help = "Time between two advertisements of a unit: 0.01 to 40.95 in version 3, whole seconds in "
                "version 2. It does not decide how fast a dead host is noticed; member_advert_int does.",
    },
    [POOL_CHECKSUM] = {
        .name = "checksum", .type = KEYWORD_CHOICE, .argument = "auto|plain|pseudo", .default_text = "auto",
        POOL(checksum), .choices = pool_checksum_choices, .reload = RELOAD_AT_ONCE,
        .help = "How version 3 over IPv4 is summed: plain as RFC 9568 says, pseudo with a pseudo header as "
                "other programs do, auto as last heard on that VRID. Both are accepted.",
    },
    [POOL_MEMBER_ADVERT_INT] = {
        .name = "member_advert_int", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = MS(10),
        .maximum = MS(40950), .step = MS(10), .default_text = "0.25", POOL(member_advert_int_us),
        .reload = RELOAD_AT_ONCE,
        .help = "Time between two advertisements of the host itself. A dead host is noticed after three of "
                "them and its lease ends after two and a half. Not longer than advert_int; if not given, the shorter "
                "of the two.",
    },
    [POOL_MEMBER_ROUTER_ID] = {
        .name = "member_router_id", .type = KEYWORD_INTEGER, .argument = "N", .minimum = 1, .maximum = 255,
        POOL(member_router_id), .default_note = "the last byte of the host's address",
        .reload = RELOAD_AT_ONCE,
        .help = "First try for the VRID of the host's own virtual router. The next free one is taken when it "
                "is in use.",
    },
    [POOL_PRIORITY] = {
        .name = "priority", .type = KEYWORD_INTEGER, .argument = "SHARE", .minimum = 2, .maximum = 254,
        .default_text = "100", POOL(priority), .reload = RELOAD_AT_ONCE,
        .help = "This host's share of the load: hosts with 100 and 50 hold two thirds and one third of the "
                "units.",
    },
    [POOL_STARTUP_DELAY] = {
        .name = "startup_delay", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = 0,
        .maximum = S(86400), .default_text = "0", POOL(startup_delay_us), .reload = RELOAD_AT_ONCE,
        .help = "After its start a host is a reserve for so long: it holds only what nobody else can.",
    },
    [POOL_MEMBERS] = {
        .name = "members", .type = KEYWORD_BLOCK, .argument = "{ NAME ADDRESS ... }",
        .enter = pool_enter_members, .repeatable = true,
        .default_note = "members are shown by their addresses", .reload = RELOAD_AT_ONCE,
        .help = "Names for hosts, for people and for prefer and members of an address. ADDRESS is what the "
                "host's advertisements come from: its first IPv4 address on the interface; in an IPv6 pool "
                "its link-local address.",
    },
    [POOL_STRICT_MEMBERS] = {
        .name = "strict_members", .type = KEYWORD_FLAG, .argument = "[on|off]", .default_text = "off",
        POOL(strict_members), .reload = RELOAD_AT_ONCE,
        .help = "Only the hosts listed under members take part; everybody else's advertisements are counted "
                "and ignored.",
    },
    [POOL_REBALANCE] = {
        .name = "rebalance", .type = KEYWORD_BOOL, .argument = "on|off", .default_text = "on", POOL(rebalance),
        .reload = RELOAD_AT_ONCE,
        .help = "Whether units are moved to keep the load even. With off, only units whose host left are "
                "placed anew.",
    },
    [POOL_REBALANCE_MOVES] = {
        .name = "rebalance_moves", .type = KEYWORD_INTEGER, .argument = "N|all", .minimum = 1, .maximum = 255,
        .default_text = "1", POOL(rebalance_moves), .choices = pool_moves_choices, .reload = RELOAD_AT_ONCE,
        .help = "So many units are moved at a time.",
    },
    [POOL_REBALANCE_INTERVAL] = {
        .name = "rebalance_interval", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = MS(10),
        .maximum = S(86400), .default_text = "1", POOL(rebalance_interval_us), .reload = RELOAD_AT_ONCE,
        .help = "Time between two rounds of moves.",
    },
    [POOL_ARP_FILTER] = {
        .name = "arp_filter", .type = KEYWORD_CHOICE, .argument = "auto|off|on|lease", .default_text = "auto",
        POOL(arp_filter), .choices = pool_filter_choices, .reload = RELOAD_AT_ONCE,
        .help = "Whether the kernel lets this host answer for an address: on, only while the host holds it; "
                "lease, only while its own advertisements leave in time as well; auto, lease where the kernel "
                "can do it, else on.",
    },
    [POOL_ADDRESS_MODE] = {
        .name = "address_mode", .type = KEYWORD_CHOICE, .argument = "add|resident", .default_text = "add",
        POOL(address_mode), .choices = pool_mode_choices, .reload = RELOAD_AT_ONCE,
        .help = "With add, an address is on the interface while this host holds it. With resident, all "
                "addresses are always there, so that services can bind to them, and the filter alone decides "
                "who answers; that needs arp_filter.",
    },
    [POOL_USE_VMAC] = {
        .name = "use_vmac", .type = KEYWORD_FLAG, .argument = "[on|off]", .default_text = "off",
        POOL(use_vmac), .reload = RELOAD_AT_ONCE,
        .help = "Answer and send with the virtual router's MAC address, so that no neighbour's cache changes "
                "at a take-over. Where nftables cannot do it (before Linux 5.16, or with arp_filter off), each such "
                "address is on a macvlan interface, vrrp.VRID.",
    },
    [POOL_VMAC_XMIT_BASE] = {
        .name = "vmac_xmit_base", .type = KEYWORD_FLAG, .argument = "[on|off]", .default_text = "off",
        POOL(vmac_xmit_base), .reload = RELOAD_AT_ONCE,
        .help = "Send advertisements with the interface's own MAC address instead of the virtual one.",
    },
    [POOL_GARP_MASTER_REPEAT] = {
        .name = "garp_master_repeat", .type = KEYWORD_INTEGER, .argument = "N", .minimum = 1, .maximum = 100,
        .unit = "rounds", .default_text = "3", POOL(garp_repeat), .reload = RELOAD_AT_ONCE,
        .help = "How often a taken address is announced (gratuitous ARP, unsolicited neighbour "
                "advertisement).",
    },
    [POOL_GARP_MASTER_DELAY] = {
        .name = "garp_master_delay", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = 0,
        .maximum = S(86400), .default_text = "5", POOL(garp_delay_us), .reload = RELOAD_AT_ONCE,
        .help = "Announce once more so long after the take-over; 0: do not.",
    },
    [POOL_GARP_MASTER_REFRESH] = {
        .name = "garp_master_refresh", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = 0,
        .maximum = S(86400), .default_text = "0", POOL(garp_refresh_us), .reload = RELOAD_AT_ONCE,
        .help = "Announce held addresses again every so long; 0: do not.",
    },
    [POOL_GARP_INTERVAL] = {
        .name = "garp_interval", .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = 0, .maximum = S(1),
        .default_text = "0.001", POOL(garp_interval_us), .reload = RELOAD_AT_ONCE,
        .help = "Shortest time between two announcements after the first round, which is never held back.",
    },
    [POOL_ISOLATION_TARGETS] = {
        .name = "isolation_targets", .type = KEYWORD_WORDS, .argument = "ADDRESS...|none",
        POOL(isolation_targets), .default_note = "the gateway, and neighbours heard lately",
        .reload = RELOAD_AT_ONCE,
        .help = "Who is asked for an answer when all other members vanish at once, to learn whether this host "
                "still hears and is heard. With none nobody is asked, and the host serves without proof.",
    },
    [POOL_ON_ISOLATION] = {
        .name = "on_isolation", .type = KEYWORD_CHOICE, .argument = "hold|drop", .default_text = "drop",
        POOL(on_isolation), .choices = pool_isolation_choices, .reload = RELOAD_AT_ONCE,
        .help = "What a host does with the units it holds when it hears nobody: release them, or keep them. It "
                "claims no others.",
    },
    [POOL_TRACK_INTERFACE] = {
        .name = "track_interface", .type = KEYWORD_BLOCK, .argument = "{ IF [weight N [reverse]] ... }",
        .enter = pool_enter_trackers, .minimum = CHECK_TRACK_INTERFACE, .repeatable = true,
        .default_note = "none; the pool's own interfaces count in any case", .reload = RELOAD_AT_ONCE,
        .help = "While one of these interfaces is down this host holds nothing of the pool. With a weight its share "
                "changes instead: weights above 0 are added while the interface is up, those below 0 while it is "
                "down. The share stays within 2 and 254. reverse turns the sense.",
    },
    [POOL_TRACK_SCRIPT] = {
        .name = "track_script", .type = KEYWORD_BLOCK, .argument = "{ NAME [weight N [reverse]] ... }",
        .enter = pool_enter_trackers, .minimum = CHECK_TRACK_SCRIPT, .repeatable = true,
        .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The same for checks that the file defines, see CHECKS. Without a weight here or there a "
                "failed check means that this host holds nothing of the pool.",
    },
    [POOL_TRACK_FILE] = {
        .name = "track_file", .type = KEYWORD_BLOCK, .argument = "{ NAME [weight N [reverse]] ... }",
        .enter = pool_enter_trackers, .minimum = CHECK_TRACK_FILE, .repeatable = true,
        .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The number in a file, times the weight, is added to the share. With weight 0 a number other "
                "than 0 means that this host holds nothing of the pool.",
    },
    [POOL_TRACK_PROCESS] = {
        .name = "track_process", .type = KEYWORD_BLOCK, .argument = "{ NAME [weight N [reverse]] ... }",
        .enter = pool_enter_trackers, .minimum = CHECK_TRACK_PROCESS, .repeatable = true,
        .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "As track_script, for processes that have to run.",
    },
    [POOL_NOTIFY] = {
        .name = "notify", .type = KEYWORD_CUSTOM, .argument = "COMMAND [USER [GROUP]]", .take = pool_take_command,
        POOL(notify.any), .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "Called when this host becomes the owner of a unit and when it is no longer, with four more "
                "arguments, see COMMANDS: which unit, and what has become of it. A command that has arguments of its "
                "own is quoted as a whole.",
    },
    [POOL_NOTIFY_MASTER] = {
        .name = "notify_master", .type = KEYWORD_CUSTOM, .argument = "COMMAND [USER [GROUP]]",
        .take = pool_take_command, POOL(notify.active), .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The same, when this host becomes the owner of a unit.",
    },
    [POOL_NOTIFY_BACKUP] = {
        .name = "notify_backup", .type = KEYWORD_CUSTOM, .argument = "COMMAND [USER [GROUP]]",
        .take = pool_take_command, POOL(notify.backup), .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The same, when another host takes a unit over from this one.",
    },
    [POOL_NOTIFY_FAULT] = {
        .name = "notify_fault", .type = KEYWORD_CUSTOM, .argument = "COMMAND [USER [GROUP]]",
        .take = pool_take_command, POOL(notify.fault), .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The same, when this host loses a unit because a link or an address is missing.",
    },
    [POOL_NOTIFY_STOP] = {
        .name = "notify_stop", .type = KEYWORD_CUSTOM, .argument = "COMMAND [USER [GROUP]]",
        .take = pool_take_command, POOL(notify.stop), .default_note = "none", .reload = RELOAD_AT_ONCE,
        .help = "The same, for units that this host held when the daemon was stopped.",
    },
};
/* clang-format on */

static_assert(ARRAY_LENGTH(pool_rows) == POOL_KEYWORD_COUNT, "one row for each of enum pool_keyword");

const struct keyword_table pool_keyword_pool = {.context = "vrrp_pool", .rows = pool_rows, .count = POOL_KEYWORD_COUNT};

/* clang-format off */
static const struct keyword entry_rows[] = {
    [ENTRY_DEV] = {
        .name = "dev", .type = KEYWORD_WORD, .argument = "IF", ENTRY(device),
        .default_note = "the pool's interface", .reload = RELOAD_UNITS,
        .help = "The interface of this one address. It is moved with its unit, and not advertised.",
    },
    [ENTRY_VRID] = {
        .name = "vrid", .type = KEYWORD_INTEGER, .argument = "N", .minimum = 1, .maximum = 255, ENTRY(vrid),
        .default_note = "the last byte of the unit's first address of the pool's family on the pool's interface",
        .reload = RELOAD_UNITS,
        .help = "The unit's VRID. It must differ from those of all units on this interface.",
    },
    [ENTRY_PREFER] = {
        .name = "prefer", .type = KEYWORD_WORDS, .argument = "MEMBER...", ENTRY(prefer), .stop = '/',
        .default_note = "no preference", .reload = RELOAD_UNITS,
        .help = "The unit is held by the first of these that lives, whatever the load. A MEMBER is a name "
                "listed under members, or an address.",
    },
    [ENTRY_MEMBERS] = {
        .name = "members", .type = KEYWORD_WORDS, .argument = "MEMBER...", ENTRY(members), .stop = '/',
        .default_note = "everybody", .reload = RELOAD_UNITS,
        .help = "Only these may hold the unit. When none of them lives, nobody serves it.",
    },
};
/* clang-format on */

static_assert(ARRAY_LENGTH(entry_rows) == ENTRY_KEYWORD_COUNT, "one row for each of enum entry_keyword");

const struct keyword_table pool_keyword_entry = {
    .context = "virtual_ipaddress", .rows = entry_rows, .count = ENTRY_KEYWORD_COUNT};

static void pool_enter(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                       const struct word_list *words, const struct statement *first, void *target)
{
    struct file_words *file = target;
    struct pool_words *pool = arena_new(run->arena, struct pool_words);
    char quote[REPORT_QUOTE_MAX];

    pool->place = keyword->place;
    pool->units_tail = &pool->units;
    pool->names_tail = &pool->names;
    pool->trackers_tail = &pool->trackers;
    keyword_defaults(&pool_keyword_pool, run, pool);
    if (words->count == 0)
        report_error(run->report, keyword->place, "%s needs a name: %s %s", row->name, row->name, row->argument);
    else if (words->count > 1)
        report_error(run->report, words->words[1].place, "unexpected %s after %s's name",
                     report_quote(words->words[1].text, quote), row->name);
    keyword_parse(&pool_keyword_pool, run, first, pool, pool->given);
    if (words->count == 0)
        return;
    pool->name = words->words[0];
    *file->pools_tail = pool;
    file->pools_tail = &pool->next;
    file->pool_count++;
}

static const struct keyword root_rows[] = {
    {.name = "vrrp_pool",
     .type = KEYWORD_BLOCK,
     .argument = "NAME { ... }",
     .enter = pool_enter,
     .repeatable = true,
     .reload = RELOAD_POOL,
     .help = "A pool of addresses that is spread over the hosts of a LAN."},
};

const struct keyword_table pool_keyword_root = {.context = NULL, .rows = root_rows, .count = ARRAY_LENGTH(root_rows)};
