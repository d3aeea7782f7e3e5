/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One moment of a daemon, as the rows of SNMP tables: what the control socket's `snmp` answer says (doc/control.md),
 * with numbers already as the MIBs count them. It owns all of its memory; nothing in it changes after it was made. It
 * knows no OID and no JSON library (snapshot_json.c does).
 *
 * Numbers are int64_t throughout, so that a column is a name and an offset. Truth is 1 (true) or 2 (false). A stamp is
 * in hundredths of a second since the daemon's start; -1: never.
 */
#ifndef EVENKEEL_SNMP_SNAPSHOT_H
#define EVENKEEL_SNMP_SNAPSHOT_H

#include <stddef.h>

#include "base/addr.h"

#define SNAPSHOT_NAME_MAX 64
#define SNAPSHOT_REFUSALS_MAX 16

struct json_t; /* jansson's */

/* InetAddressType */
#define SNMP_IPV4 1
#define SNMP_IPV6 2

enum snmp_router_state { /* vrrpv3OperationsStatus, vrrpOperState */
                         SNMP_ROUTER_INITIALIZE = 1,
                         SNMP_ROUTER_BACKUP = 2,
                         SNMP_ROUTER_MASTER = 3,
};

enum snmp_proto_error { /* vrrpv3StatisticsProtoErrReason */
                        SNMP_PROTO_NONE = 0,
                        SNMP_PROTO_TTL = 1,
                        SNMP_PROTO_VERSION = 2,
                        SNMP_PROTO_CHECKSUM = 3,
};

/* What exists once. */
struct snapshot_global {
    char version[SNAPSHOT_NAME_MAX];
    char config_hash[SNAPSHOT_NAME_MAX];
    int64_t uptime_cs;
    int64_t start; /* stamp 0: when all counters began */
    int64_t checksum_errors, version_errors, vrid_errors;
    int64_t node_version, notifications; /* vrrpNodeVersion, vrrpNotificationCntl */
};

struct snapshot_link {
    char name[SNAPSHOT_NAME_MAX];
    int64_t ifindex; /* 0: not there */
    int64_t up;      /* truth */
    int64_t accepted, unknown_vrid;
    int64_t proto_error;                    /* enum snmp_proto_error of the last packet refused */
    int64_t refused[SNAPSHOT_REFUSALS_MAX]; /* in the order of snapshot_refusals */
};

struct snapshot_pool {
    char name[SNAPSHOT_NAME_MAX];
    int64_t ifindex, family, version;
    struct addr address;
    int64_t ready, drained, isolation, share, member_vrid, lost, rebalance, filter;
    int64_t advert_interval_cs, member_interval_cs;
    int64_t ready_since; /* stamp */
    int64_t alive, units, held, unowned, contested;
    int64_t member_adverts_sent, member_adverts_received, looped, foreign_vrid, not_member, members_full, stalls, moves,
        contests, one_way, deaf, mute, assertions_held_back;
};

struct snapshot_member {
    const struct snapshot_pool *pool;
    struct addr address;
    char name[SNAPSHOT_NAME_MAX];
    int64_t vrid, share, state, self, load, interval_cs, age_ms;
    int64_t since; /* stamp */
};

struct snapshot_unit {
    const struct snapshot_pool *pool;
    int64_t vrid;
    struct addr address; /* by which people know it */
    int64_t family;      /* of `address` */
    int64_t state, priority, rank, links_up, level;
    int64_t holder_kind, holder_priority, pinned, pinned_here, contested, address_list_differs, conflicts;
    struct addr holder, next, planned, last_from, last_to;
    int64_t last_reason, last_gap_ms;
    int64_t since, last_change, counting_since; /* stamps */
    struct addr differs_from;   /* who sent the last advertisement that differed */
    int64_t adverts_sent, adverts_received, zero_sent, zero_received, became_active, asserted, interval_differs,
        list_differs, auth_mismatch, version_mismatch;
    int64_t active_reason; /* vrrpv3StatisticsNewMasterReason */
};

struct snapshot_vip {
    const struct snapshot_pool *pool;
    int64_t vrid, ifindex, prefix_length;
    struct addr address;
};

/* A virtual router as RFC 6527 and RFC 2787 see it: a unit, this host's own member router, or an instance. */
struct snapshot_router {
    int64_t ifindex, vrid, family, version;
    const struct snapshot_pool *pool; /* NULL: an instance */
    char instance[SNAPSHOT_NAME_MAX]; /* its name; empty: of a pool */
    int64_t is_member;                /* not 0: the member router */
    struct addr master, primary;
    uint8_t mac[6];
    int64_t state, admin_state, priority, address_count, advert_interval_cs, advert_interval_s, preempt, accept,
        row_status;
    int64_t up_cs;    /* since it left Initialize; 0 in Initialize */
    int64_t up_since; /* stamp */
    int64_t became_active, active_reason, adverts_received, interval_errors, ttl_errors, proto_error, zero_received,
        zero_sent, type_errors, list_errors, length_errors, auth_type_errors, auth_invalid_errors, auth_failures,
        refresh_ms;
    int64_t version_errors, checksum_errors; /* an instance's */
    struct addr refused_from;                /* who sent the last that an instance refused for a difference */
    int64_t discontinuity;                   /* stamp */
    int64_t auth_type, protocol;             /* noAuthentication(1) or simpleTextPassword(2), ip(1) */
};

/* An address that a router advertises. */
struct snapshot_address {
    const struct snapshot_router *router;
    struct addr address;
    int64_t row_status;
};

struct snapshot {
    struct snapshot_global global;
    struct snapshot_link *links;
    struct snapshot_pool *pools;
    struct snapshot_member *members;
    struct snapshot_unit *units;
    struct snapshot_vip *vips;
    struct snapshot_router *routers;
    struct snapshot_address *addresses;
    unsigned link_count, pool_count, member_count, unit_count, vip_count, router_count, address_count;
};

/* The codec's reasons for refusing a packet, as the daemon names them ("bad_ttl"), in the order of `refused`. */
extern const char *const snapshot_refusals[];
extern const unsigned snapshot_refusal_count;

/* Reads an `snmp` answer (or several put together). NULL when it is none, or memory ran out. The caller frees it. */
struct snapshot *snapshot_from_json(const struct json_t *answer);
void snapshot_free(struct snapshot *snapshot); /* NULL is allowed */

/* By what an event names: a pool, a unit or member of it, the router of a unit. NULL: not there (any more). */
const struct snapshot_pool *snapshot_find_pool(const struct snapshot *snapshot, const char *name);
const struct snapshot_unit *snapshot_find_unit(const struct snapshot *snapshot, const char *pool, int64_t vrid);
const struct snapshot_member *snapshot_find_member(const struct snapshot *snapshot, const char *pool,
                                                   const struct addr *address);
const struct snapshot_router *snapshot_find_router(const struct snapshot *snapshot, const char *pool, int64_t vrid);
const struct snapshot_router *snapshot_find_instance(const struct snapshot *snapshot, const char *name);

#endif
