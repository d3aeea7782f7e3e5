/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the daemon's events as SNMP notifications: vrrpv3NewMaster, vrrpv3ProtoError (RFC 6527),
 * vrrpTrapNewMaster and vrrpTrapAuthFailure (RFC 2787), and EVENKEEL-MIB's own. Pure: an event and a snapshot in,
 * values out; sending is agent.h's.
 */
#ifndef EVENKEEL_SNMP_NOTICE_H
#define EVENKEEL_SNMP_NOTICE_H

#include "snmp/model.h"

#define SNMP_NOTICE_BINDS_MAX 6
#define SNMP_NOTICE_TEXT_MAX 256  /* SnmpAdminString has at most 255 bytes */
#define SNMP_PROTO_NOTICES_MAX 16 /* of one comparison: a flood of bad packets must not become a flood of traps */

struct snmp_bind {
    struct snmp_oid oid;
    struct snmp_value value; /* its bytes are in the notice */
};

/* One notification. Values point into it: it must not be copied. */
struct snmp_notice {
    struct snmp_oid trap;
    struct snmp_bind binds[SNMP_NOTICE_BINDS_MAX];
    unsigned bind_count;
    /* the rows it is about, as they were at the event */
    struct snapshot_pool pool;
    struct snapshot_unit unit;
    struct snapshot_member member;
    struct snapshot_router router;
    struct addr packet_source;
    char name[SNAPSHOT_NAME_MAX];
    char text[SNMP_NOTICE_TEXT_MAX];
};

/* One entry of an `events` answer. False: it is none of the notifications, or is about what the snapshot does not have.
 */
bool snmp_notice_from_event(const struct json_t *entry, const struct snapshot *snapshot, struct snmp_notice *out);

/*
 * vrrpv3ProtoError for every interface and virtual router that has met packets with a wrong TTL, version or checksum
 * since `before`, vrrpTrapAuthFailure for those of version 2 that refused an authentication. Returns how many; nothing
 * when the daemon was started anew in between.
 */
unsigned snmp_notices_from_errors(const struct snapshot *before, const struct snapshot *now,
                                  struct snmp_notice out[static SNMP_PROTO_NOTICES_MAX]);

#endif
