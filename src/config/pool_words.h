/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vrrp_pool block says, as it says it: values with their places, nothing resolved. The keyword tables fill it in
 * (pool_keywords.c, pool_entries.c), pool_build.c makes the model of it. All of it lives in the load's arena.
 */
#ifndef EVENKEEL_CONFIG_POOL_WORDS_H
#define EVENKEEL_CONFIG_POOL_WORDS_H

#include "base/addr.h"
#include "config/checks.h"
#include "config/keyword.h"

/* One row each of the pool's table, in the manual's order. */
enum pool_keyword {
    POOL_INTERFACE,
    POOL_VIRTUAL_IPADDRESS,
    POOL_VIRTUAL_ROUTER_ID,
    POOL_VIPS_PER_VRID,
    POOL_VERSION,
    POOL_ADVERT_INT,
    POOL_CHECKSUM,
    POOL_MEMBER_ADVERT_INT,
    POOL_MEMBER_ROUTER_ID,
    POOL_PRIORITY,
    POOL_STARTUP_DELAY,
    POOL_MEMBERS,
    POOL_STRICT_MEMBERS,
    POOL_REBALANCE,
    POOL_REBALANCE_MOVES,
    POOL_REBALANCE_INTERVAL,
    POOL_ARP_FILTER,
    POOL_ADDRESS_MODE,
    POOL_USE_VMAC,
    POOL_VMAC_XMIT_BASE,
    POOL_GARP_MASTER_REPEAT,
    POOL_GARP_MASTER_DELAY,
    POOL_GARP_MASTER_REFRESH,
    POOL_GARP_INTERVAL,
    POOL_ISOLATION_TARGETS,
    POOL_ON_ISOLATION,
    POOL_TRACK_INTERFACE,
    POOL_TRACK_SCRIPT,
    POOL_TRACK_FILE,
    POOL_TRACK_PROCESS,
    POOL_NOTIFY,
    POOL_NOTIFY_MASTER,
    POOL_NOTIFY_BACKUP,
    POOL_NOTIFY_FAULT,
    POOL_NOTIFY_STOP,
    POOL_KEYWORD_COUNT,
};

/* Options of an address or a group. */
enum entry_keyword {
    ENTRY_DEV,
    ENTRY_VRID,
    ENTRY_PREFER,
    ENTRY_MEMBERS,
    ENTRY_KEYWORD_COUNT,
};

struct vip_words {
    struct word word; /* as written, with its length */
    struct addr address;
    uint8_t prefix_length;
    struct word device; /* text NULL: the pool's interface */
    unsigned chunk;     /* vips of one line have the same */
    struct vip_words *next;
};

struct entry_options {
    struct word device; /* of the address just read */
    int64_t vrid;       /* 0: not given */
    struct word_list prefer;
    struct word_list members;
    struct place given[ENTRY_KEYWORD_COUNT];
};

/* One address, or one group in braces. */
struct unit_words {
    struct place place;
    bool group;
    unsigned vip_count;
    struct vip_words *vips;
    struct vip_words **vips_tail;
    struct entry_options options;
    struct unit_words *next;
};

struct name_words {
    struct word name;
    struct word address;
    struct name_words *next;
};

struct track_words {
    struct check_tracker tracker;
    struct track_words *next;
};

struct pool_words {
    struct word name;
    struct place place;
    struct word interface;
    int64_t virtual_router_id; /* 0: not given */
    int64_t vips_per_vrid;
    int64_t version;
    int64_t advert_int_us;
    uint8_t checksum; /* enum wire_checksum */
    int64_t member_advert_int_us;
    int64_t member_router_id; /* 0: not given */
    int64_t priority;
    int64_t startup_delay_us;
    bool strict_members;
    bool rebalance;
    int64_t rebalance_moves;
    int64_t rebalance_interval_us;
    uint8_t arp_filter;   /* enum filter_mode */
    uint8_t address_mode; /* enum address_mode */
    bool use_vmac;
    bool vmac_xmit_base;
    int64_t garp_repeat;
    int64_t garp_delay_us;
    int64_t garp_refresh_us;
    int64_t garp_interval_us;
    struct word_list isolation_targets;
    uint8_t on_isolation; /* 1: drop */
    unsigned unit_count;
    struct unit_words *units; /* in the file's order */
    struct unit_words **units_tail;
    unsigned name_count;
    struct name_words *names;
    struct name_words **names_tail;
    unsigned tracker_count;
    struct track_words *trackers;
    struct track_words **trackers_tail;
    struct check_notify notify;
    struct place given[POOL_KEYWORD_COUNT];
    struct pool_words *next;
};

/* The whole file. */
struct file_words {
    unsigned pool_count;
    struct pool_words *pools;
    struct pool_words **pools_tail;
};

extern const struct keyword_table pool_keyword_root; /* enters vrrp_pool; the target is a struct file_words */
extern const struct keyword_table pool_keyword_pool;
extern const struct keyword_table pool_keyword_entry;

/* pool_entries.c: the blocks of entries. The target is a struct pool_words. */
keyword_enter pool_enter_addresses;
keyword_enter pool_enter_members;
/* pool_watch.c. row->minimum: enum check_tracker_kind. */
keyword_enter pool_enter_trackers;
keyword_read pool_take_command;

/* Why an address can be no host's own ("is a multicast address"), or NULL. */
const char *pool_address_fault(const struct addr *address);

#endif
