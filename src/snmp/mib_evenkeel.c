/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVENKEEL-MIB, doc/EVENKEEL-MIB.txt: what VRRP's own MIBs cannot say of pools, members and units. Read-only. */
#include "base/check.h"
#include "snmp/object.h"

#define GLOBAL(field) offsetof(struct snapshot_global, field)
#define POOL(field) offsetof(struct snapshot_pool, field)
#define MEMBER(field) offsetof(struct snapshot_member, field)
#define UNIT(field) offsetof(struct snapshot_unit, field)
#define VIP(field) offsetof(struct snapshot_vip, field)
#define LINK(field) offsetof(struct snapshot_link, field)
#define REFUSED(index) (offsetof(struct snapshot_link, refused) + (index) * sizeof(int64_t))

/* Here a virtual router's states have RFC 9568's names. */
static const struct snmp_label states[] = {{SNMP_ROUTER_INITIALIZE, "initialize", NULL},
                                           {SNMP_ROUTER_BACKUP, "backup", NULL},
                                           {SNMP_ROUTER_MASTER, "active", NULL},
                                           {0, NULL, NULL}};

static const struct snmp_column scalars[] = {
    {1, SNMP_TEXT, GLOBAL(version), "ekVersion", NULL, NULL},
    {2, SNMP_TEXT, GLOBAL(config_hash), "ekConfigHash", NULL, NULL},
    {3, SNMP_TICKS, GLOBAL(uptime_cs), "ekUpTime", NULL, NULL},
    {4, SNMP_STAMP, GLOBAL(start), "ekCounterDiscontinuityTime", NULL, NULL},
};

static const struct snmp_column pool[] = {
    {2, SNMP_INTEGER, POOL(ifindex), "ekPoolInterface", NULL, NULL},
    {3, SNMP_INTEGER, POOL(family), "ekPoolAddressType", snmp_family, NULL},
    {4, SNMP_INET, POOL(address), "ekPoolAddress", NULL, NULL},
    {5, SNMP_UNSIGNED, POOL(version), "ekPoolVersion", NULL, NULL},
    {6, SNMP_INTEGER, POOL(ready), "ekPoolReady", snmp_truth, NULL},
    {7, SNMP_INTEGER, POOL(drained), "ekPoolDrained", snmp_truth, NULL},
    {8, SNMP_INTEGER, POOL(isolation), "ekPoolIsolation", snmp_isolations, NULL},
    {9, SNMP_UNSIGNED, POOL(share), "ekPoolShare", NULL, NULL},
    {10, SNMP_UNSIGNED, POOL(member_vrid), "ekPoolMemberVrid", NULL, NULL},
    {11, SNMP_UNSIGNED, POOL(alive), "ekPoolMembersAlive", NULL, NULL},
    {12, SNMP_UNSIGNED, POOL(lost), "ekPoolMembersLost", NULL, NULL},
    {13, SNMP_UNSIGNED, POOL(units), "ekPoolUnits", NULL, NULL},
    {14, SNMP_UNSIGNED, POOL(held), "ekPoolUnitsHeld", NULL, NULL},
    {15, SNMP_UNSIGNED, POOL(unowned), "ekPoolUnitsUnowned", NULL, NULL},
    {16, SNMP_UNSIGNED, POOL(contested), "ekPoolUnitsContested", NULL, NULL},
    {17, SNMP_INTEGER, POOL(filter), "ekPoolFilter", snmp_filters, NULL},
    {18, SNMP_UNSIGNED, POOL(advert_interval_cs), "ekPoolAdvertInterval", NULL, "centiseconds"},
    {19, SNMP_UNSIGNED, POOL(member_interval_cs), "ekPoolMemberInterval", NULL, "centiseconds"},
    {20, SNMP_INTEGER, POOL(rebalance), "ekPoolRebalance", snmp_truth, NULL},
};

static const struct snmp_column pool_counters[] = {
    {1, SNMP_COUNTER64, POOL(member_adverts_sent), "ekPoolMemberAdvertsSent", NULL, NULL},
    {2, SNMP_COUNTER64, POOL(member_adverts_received), "ekPoolMemberAdvertsReceived", NULL, NULL},
    {3, SNMP_COUNTER64, POOL(looped), "ekPoolLooped", NULL, NULL},
    {4, SNMP_COUNTER64, POOL(foreign_vrid), "ekPoolForeignVrid", NULL, NULL},
    {5, SNMP_COUNTER64, POOL(not_member), "ekPoolNotMember", NULL, NULL},
    {6, SNMP_COUNTER64, POOL(members_full), "ekPoolMembersFull", NULL, NULL},
    {7, SNMP_COUNTER64, POOL(stalls), "ekPoolStalls", NULL, NULL},
    {8, SNMP_COUNTER64, POOL(moves), "ekPoolMoves", NULL, NULL},
    {9, SNMP_COUNTER64, POOL(contests), "ekPoolContests", NULL, NULL},
    {10, SNMP_COUNTER64, POOL(one_way), "ekPoolOneWayFaults", NULL, NULL},
    {11, SNMP_COUNTER64, POOL(deaf), "ekPoolDeaf", NULL, NULL},
    {12, SNMP_COUNTER64, POOL(mute), "ekPoolMute", NULL, NULL},
    {13, SNMP_COUNTER64, POOL(assertions_held_back), "ekPoolAssertionsHeldBack", NULL, NULL},
};

static const struct snmp_column member[] = {
    {3, SNMP_TEXT, MEMBER(name), "ekMemberName", NULL, NULL},
    {4, SNMP_UNSIGNED, MEMBER(vrid), "ekMemberVrid", NULL, NULL},
    {5, SNMP_UNSIGNED, MEMBER(share), "ekMemberShare", NULL, NULL},
    {6, SNMP_INTEGER, MEMBER(state), "ekMemberState", snmp_member_states, NULL},
    {7, SNMP_INTEGER, MEMBER(self), "ekMemberSelf", snmp_truth, NULL},
    {8, SNMP_UNSIGNED, MEMBER(load), "ekMemberLoad", NULL, NULL},
    {9, SNMP_UNSIGNED, MEMBER(interval_cs), "ekMemberInterval", NULL, "centiseconds"},
    {10, SNMP_UNSIGNED, MEMBER(age_ms), "ekMemberAge", NULL, "milliseconds"},
    {11, SNMP_STAMP, MEMBER(since), "ekMemberSince", NULL, NULL},
};

static const struct snmp_column unit[] = {
    {2, SNMP_INTEGER, UNIT(family), "ekUnitAddressType", snmp_family, NULL},
    {3, SNMP_INET, UNIT(address), "ekUnitAddress", NULL, NULL},
    {4, SNMP_INTEGER, UNIT(state), "ekUnitState", states, NULL},
    {5, SNMP_UNSIGNED, UNIT(priority), "ekUnitPriority", NULL, NULL},
    {6, SNMP_UNSIGNED, UNIT(rank), "ekUnitRank", NULL, NULL},
    {7, SNMP_INTEGER, UNIT(holder_kind), "ekUnitHolderKind", snmp_holder_kinds, NULL},
    {8, SNMP_INET, UNIT(holder), "ekUnitHolder", NULL, NULL},
    {9, SNMP_UNSIGNED, UNIT(holder_priority), "ekUnitHolderPriority", NULL, NULL},
    {10, SNMP_INTEGER, UNIT(pinned), "ekUnitPinned", snmp_truth, NULL},
    {11, SNMP_INTEGER, UNIT(pinned_here), "ekUnitPinnedHere", snmp_truth, NULL},
    {12, SNMP_INTEGER, UNIT(contested), "ekUnitContested", snmp_truth, NULL},
    {13, SNMP_INTEGER, UNIT(address_list_differs), "ekUnitAddressListDiffers", snmp_truth, NULL},
    {14, SNMP_INTEGER, UNIT(links_up), "ekUnitLinksUp", snmp_truth, NULL},
    {15, SNMP_INTEGER, UNIT(level), "ekUnitLevel", snmp_unit_levels, NULL},
    {16, SNMP_INET, UNIT(next), "ekUnitNext", NULL, NULL},
    {17, SNMP_INET, UNIT(planned), "ekUnitPlanned", NULL, NULL},
    {18, SNMP_STAMP, UNIT(since), "ekUnitSince", NULL, NULL},
    {19, SNMP_INET, UNIT(last_from), "ekUnitLastFrom", NULL, NULL},
    {20, SNMP_INET, UNIT(last_to), "ekUnitLastTo", NULL, NULL},
    {21, SNMP_INTEGER, UNIT(last_reason), "ekUnitLastReason", snmp_reasons, NULL},
    {22, SNMP_INTEGER, UNIT(last_gap_ms), "ekUnitLastGap", NULL, "milliseconds"},
    {23, SNMP_STAMP, UNIT(last_change), "ekUnitLastChange", NULL, NULL},
};

static const struct snmp_column unit_counters[] = {
    {1, SNMP_COUNTER64, UNIT(adverts_sent), "ekUnitAdvertsSent", NULL, NULL},
    {2, SNMP_COUNTER64, UNIT(adverts_received), "ekUnitAdvertsReceived", NULL, NULL},
    {3, SNMP_COUNTER64, UNIT(zero_sent), "ekUnitReleasesSent", NULL, NULL},
    {4, SNMP_COUNTER64, UNIT(zero_received), "ekUnitReleasesReceived", NULL, NULL},
    {5, SNMP_COUNTER64, UNIT(became_active), "ekUnitBecameActive", NULL, NULL},
    {6, SNMP_COUNTER64, UNIT(asserted), "ekUnitAsserted", NULL, NULL},
    {7, SNMP_COUNTER64, UNIT(interval_differs), "ekUnitIntervalDiffers", NULL, NULL},
    {8, SNMP_COUNTER64, UNIT(list_differs), "ekUnitAddressListErrors", NULL, NULL},
    {9, SNMP_COUNTER64, UNIT(auth_mismatch), "ekUnitAuthMismatch", NULL, NULL},
    {10, SNMP_COUNTER64, UNIT(version_mismatch), "ekUnitVersionMismatch", NULL, NULL},
    {11, SNMP_COUNTER64, UNIT(conflicts), "ekUnitConflicts", NULL, NULL},
};

static const struct snmp_column vip[] = {
    {3, SNMP_UNSIGNED, VIP(prefix_length), "ekVipPrefixLength", NULL, NULL},
    {4, SNMP_INTEGER, VIP(ifindex), "ekVipInterface", NULL, NULL},
};

static const struct snmp_column link[] = {
    {2, SNMP_INTEGER, LINK(ifindex), "ekLinkInterface", NULL, NULL},
    {3, SNMP_INTEGER, LINK(up), "ekLinkUp", snmp_truth, NULL},
    {4, SNMP_COUNTER64, LINK(accepted), "ekLinkAccepted", NULL, NULL},
    {5, SNMP_COUNTER64, LINK(unknown_vrid), "ekLinkUnknownVrid", NULL, NULL},
    {6, SNMP_COUNTER64, REFUSED(0), "ekLinkNotVrrp", NULL, NULL},
    {7, SNMP_COUNTER64, REFUSED(1), "ekLinkBadIpLength", NULL, NULL},
    {8, SNMP_COUNTER64, REFUSED(2), "ekLinkBadDestination", NULL, NULL},
    {9, SNMP_COUNTER64, REFUSED(3), "ekLinkBadTtl", NULL, NULL},
    {10, SNMP_COUNTER64, REFUSED(4), "ekLinkTooShort", NULL, NULL},
    {11, SNMP_COUNTER64, REFUSED(5), "ekLinkBadVersion", NULL, NULL},
    {12, SNMP_COUNTER64, REFUSED(6), "ekLinkBadType", NULL, NULL},
    {13, SNMP_COUNTER64, REFUSED(7), "ekLinkBadChecksum", NULL, NULL},
    {14, SNMP_COUNTER64, REFUSED(8), "ekLinkBadVrid", NULL, NULL},
    {15, SNMP_COUNTER64, REFUSED(9), "ekLinkNoAddresses", NULL, NULL},
    {16, SNMP_COUNTER64, REFUSED(10), "ekLinkBadInterval", NULL, NULL},
    {17, SNMP_COUNTER64, REFUSED(11), "ekLinkBadSource", NULL, NULL},
    {18, SNMP_COUNTER64, REFUSED(12), "ekLinkCarp", NULL, NULL},
};

static const struct snmp_table tables[] = {
    {SNMP_ROWS_GLOBAL, {SNMP_EVENKEEL_ROOT, 1, 1}, 12, scalars, ARRAY_LENGTH(scalars)},
    {SNMP_ROWS_POOL, {SNMP_EVENKEEL_ROOT, 1, 2, 1}, 13, pool, ARRAY_LENGTH(pool)},
    {SNMP_ROWS_POOL, {SNMP_EVENKEEL_ROOT, 1, 3, 1}, 13, pool_counters, ARRAY_LENGTH(pool_counters)},
    {SNMP_ROWS_MEMBER, {SNMP_EVENKEEL_ROOT, 1, 4, 1}, 13, member, ARRAY_LENGTH(member)},
    {SNMP_ROWS_UNIT, {SNMP_EVENKEEL_ROOT, 1, 5, 1}, 13, unit, ARRAY_LENGTH(unit)},
    {SNMP_ROWS_UNIT, {SNMP_EVENKEEL_ROOT, 1, 6, 1}, 13, unit_counters, ARRAY_LENGTH(unit_counters)},
    {SNMP_ROWS_VIP, {SNMP_EVENKEEL_ROOT, 1, 7, 1}, 13, vip, ARRAY_LENGTH(vip)},
    {SNMP_ROWS_LINK, {SNMP_EVENKEEL_ROOT, 1, 8, 1}, 13, link, ARRAY_LENGTH(link)},
};

const struct snmp_module snmp_evenkeel = {"EVENKEEL-MIB", {SNMP_EVENKEEL_ROOT}, 10, tables, ARRAY_LENGTH(tables)};
