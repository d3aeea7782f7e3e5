/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's configuration as a model: what a file says in keepalived's words, complete, resolved and with effective
 * values. compat_load() is the only way in, compat_model() finds the model in the configuration, config_free() gives
 * everything back. Pure data: whoever runs it (instances, trackers, scripts, dumps) reads it and never writes it.
 *
 * After a load every value is the one to run by: defaults, global defaults, version and family rules, strict mode, the
 * owner's rules and references between blocks are all applied, in whatever order the file has them. Times are
 * microseconds. `place` is where the file says it; place.file is NULL for what it does not say. Texts and arrays live
 * as long as the configuration.
 */
#ifndef EVENKEEL_COMPAT_COMPAT_H
#define EVENKEEL_COMPAT_COMPAT_H

#include "config/checks.h"
#include "config/config.h"
#include "config/network.h"

/* Beside those of config.h. */
enum compat_flags {
    COMPAT_CHECK_HOST = CONFIG_EXTENSION, /* resolve users and look at script files on this host */
};

/* --- instances --- */

enum compat_state {
    COMPAT_BACKUP,
    COMPAT_MASTER,
};

enum compat_authentication {
    COMPAT_AUTH_NONE,
    COMPAT_AUTH_PASS,
    COMPAT_AUTH_AH, /* while a file is read; never after a load */
};

/* Announcements at take-over (gratuitous ARP, unsolicited neighbour advertisements). */
struct compat_garp {
    int32_t repeat;         /* >= 1 rounds at once; default 5 */
    int64_t delay_us;       /* a second burst so long after; 0: none; default 5 s */
    int64_t refresh_us;     /* again every so long; 0: never; default 0 */
    int32_t refresh_repeat; /* >= 1; default 1 */
    int32_t lower_repeat;   /* after a lower priority was heard; 0: none; default: repeat */
    int64_t lower_delay_us; /* default: delay */
};

struct compat_peer {
    struct place place;
    struct addr address;
    int32_t min_ttl, max_ttl; /* 0..255 accepted from it; default 0 and 255 */
};

struct compat_vmac {
    bool on;          /* use_vmac */
    bool xmit_base;   /* advertisements from the base interface, with its MAC */
    bool addresses;   /* use_vmac_addr: also for addresses with another dev */
    const char *name; /* of a macvlan, should one be needed; default vrrp.VRID */
    bool mac_given;
    uint8_t mac[6]; /* default 00:00:5e:00:01:VRID, IPv6 :02: */
};

struct compat_group;

struct compat_instance {
    struct place place;
    const char *name;
    const struct compat_group *group; /* the sync group that it is a member of, or NULL */
    uint8_t initial_state;     /* enum compat_state; owner: MASTER. A MASTER that is no owner waits one interval. */
    const char *interface;     /* NULL: unicast only, then `source` is set */
    int32_t vrid;              /* 1..255 */
    int32_t priority;          /* 1..255; 255 is the owner; trackers never move 255 */
    int32_t version;           /* 2 or 3 */
    uint8_t family;            /* enum family of its advertisements */
    int64_t advert_us;         /* version 2 whole seconds 1..255; version 3 10 ms..40.95 s in steps of 10 ms */
    int32_t down_adverts;      /* 1..100: adverts lost before take-over; default 3 (RFC 9568) */
    bool preempt;              /* false: nopreempt; true for the owner */
    int64_t preempt_delay_us;  /* 0..1000 s after a lower master was heard; 0 unless preempt and BACKUP */
    bool accept;               /* false: packets to the addresses are dropped while priority is below 255 */
    bool strict;               /* what strict mode changes is applied already */
    uint8_t authentication;    /* enum compat_authentication; version 2 only */
    uint8_t password[8];       /* zero-padded; COMPAT_AUTH_PASS */
    const char *password_text; /* what prints and reads back as that: its last character is whole */
    bool track_primary;        /* the interface's own link counts; false: dont_track_primary */
    bool track_source;         /* FAULT while the source address is absent */
    struct addr source;        /* mcast_src_ip or unicast_src_ip; FAMILY_NONE: the interface's first */
    struct addr multicast;     /* where adverts go; FAMILY_NONE in unicast */
    bool unicast;
    bool unicast_fault_no_peer; /* FAULT while peer_count is 0 */
    int32_t unicast_ttl;        /* 0..255; default 255 */
    unsigned peer_count;
    struct compat_peer *peers;
    unsigned
        address_count; /* advertised, all of `family`; 1..255 (IPv6: 90); 0 in version 2, or as no_addresses says */
    struct net_address *addresses;
    unsigned excluded_count; /* moved with it, not advertised; any family */
    struct net_address *excluded;
    unsigned route_count;
    struct net_route *routes;
    unsigned rule_count;
    struct net_rule *rules;
    unsigned tracker_count;
    struct check_tracker *trackers;
    struct compat_garp garp;
    struct compat_vmac vmac;
    uint8_t filter_mode; /* enum filter_mode: arp_filter, a word of ours */
    struct check_notify notify;
    /* Each 0 or 1: */
    int8_t lower_prio_no_advert;    /* do not answer a lower priority */
    int8_t higher_prio_send_advert; /* one last advert when yielding */
    int8_t owner_ignore_adverts;    /* 255 drops all adverts */
    int8_t checksum_as_v2;          /* version 3 over IPv4 without pseudo header (RFC 9568) */
    int8_t check_unicast_source;    /* accept from listed peers only */
    int8_t skip_check_addresses;    /* no comparison of address lists with the same sender */
    bool promote_secondaries;       /* sysctl of the interface */
    bool no_addresses;              /* no_virtual_ipaddress, or all were left out */
    int32_t
        late_backup; /* timer_expired_backup: 1..254; 0: off. Woken so late, in 1/256 intervals, it becomes Backup */
};

struct compat_group {
    struct place place;
    const char *name;
    unsigned member_count; /* >= 1 */
    const struct compat_instance **members;
    unsigned tracker_count;
    struct check_tracker *trackers;
    struct check_notify notify;
    bool tracking_weight; /* members' weighted trackers count */
};

/* Pacing of announcements on some interfaces. */
struct compat_garp_group {
    struct place place;
    int64_t arp_us; /* between two gratuitous ARPs; 0: as fast as we do */
    int64_t na_us;
    unsigned interface_count;
    const char **interfaces;
};

/* --- the whole --- */

struct compat_global {
    const char *router_id;                  /* NULL: the host's name */
    bool script_security;                   /* enable_script_security */
    const char *script_user, *script_group; /* NULL: root */
    bool dynamic_interfaces;                /* interfaces may appear later; else a missing one is an error at start */
    const char *default_interface;          /* eth0 */
    int32_t version;                        /* 2 or 3 */
    struct addr multicast4, multicast6;
    uint8_t filter_mode;     /* enum filter_mode of instances that do not say */
    struct compat_garp garp; /* what instances start from */
    int64_t arp_us, na_us;   /* pacing everywhere; 0: as fast as we do */
    int32_t down_adverts;
    int8_t lower_prio_no_advert, higher_prio_send_advert, owner_ignore_adverts, checksum_as_v2; /* 0 or 1 each */
    int8_t check_unicast_source, skip_check_addresses, strict, priority_changes;
    bool min_garp;
    struct check_fifo fifo;      /* notify_fifo */
    struct check_fifo vrrp_fifo; /* vrrp_notify_fifo */
    bool fifo_states_on_reload;
    struct check_command startup, shutdown; /* run once, before the first and after the last advert */
    int64_t startup_timeout_us, shutdown_timeout_us;
    int64_t startup_delay_us;    /* instances are held so long after the start */
    int64_t delay_after_boot_us; /* and so long after boot */
    bool log_unknown_vrids;
    const char *state_dump_file; /* NULL: keepalived.data in the run directory */
    bool data_use_instance;      /* config id in the names of dump files */
    int32_t json_version;        /* 1 or 2 */
    int32_t rt_priority;         /* vrrp_rt_priority; 0: the daemon's own choice */
};

struct compat_config {
    struct compat_global global;
    unsigned instance_count;
    struct compat_instance *instances; /* in the file's order */
    unsigned group_count;
    struct compat_group *groups;
    unsigned script_count;
    struct check_script *scripts;
    unsigned file_count;
    struct check_file *files;
    unsigned process_count;
    struct check_process *processes;
    unsigned static_address_count; /* static_*: kept while the daemon runs, added again when removed */
    struct net_address *static_addresses;
    unsigned static_route_count;
    struct net_route *static_routes;
    unsigned static_rule_count;
    struct net_rule *static_rules;
    unsigned garp_group_count;
    struct compat_garp_group *garp_groups;
};

/*
 * Reads a file that may hold pools and keepalived's blocks, both or either. As config_load; flags: enum config_flags
 * and compat_flags. What keepalived tolerates is a warning that says what is done about it.
 */
struct config *compat_load(const char *path, unsigned flags, config_report *report, void *context);
/* The same with everything config_request has to say; its `extension` is set here. */
struct config *compat_read(struct config_request request, config_report *report, void *context);

/* The model of a configuration that compat_load has read. */
const struct compat_config *compat_model(const struct config *config);

/* How a tracker's kind is called in files: "track_script". */
const char *compat_track_word(enum check_tracker_kind kind);

/* compat_print.c: the model as a file that reads back to the same model. */
void compat_print(const struct compat_config *model, FILE *out);

#endif
