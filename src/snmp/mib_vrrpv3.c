/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VRRPV3-MIB, RFC 6527: all virtual routers of version 3, this host's member routers among them. Read-only
 * (vrrpv3ReadOnlyCompliance).
 *
 * RFC 6527 wants some errors counted per virtual router that are found before a packet's VRID is known (TTL, type,
 * length): they count for every unit of the interface. Instances count by VRID.
 */
#include "base/check.h"
#include "snmp/object.h"

#define ROUTER(field) offsetof(struct snapshot_router, field)
#define GLOBAL(field) offsetof(struct snapshot_global, field)
#define PREFIX "vrrpv3Operations"
#define STATISTICS "vrrpv3Statistics"

static const struct snmp_label new_master_reasons[] = {{0, "notMaster", NULL},
                                                       {1, "priority", NULL},
                                                       {2, "preempted", NULL},
                                                       {3, "masterNoResponse", NULL},
                                                       {0, NULL, NULL}};
static const struct snmp_label proto_error_reasons[] = {{SNMP_PROTO_NONE, "noError", NULL},
                                                        {SNMP_PROTO_TTL, "ipTtlError", NULL},
                                                        {SNMP_PROTO_VERSION, "versionError", NULL},
                                                        {SNMP_PROTO_CHECKSUM, "checksumError", NULL},
                                                        {4, "vrIdError", NULL},
                                                        {0, NULL, NULL}};

static const struct snmp_column operations[] = {
    {3, SNMP_INET, ROUTER(master), PREFIX "MasterIpAddr", NULL, NULL},
    {4, SNMP_INET, ROUTER(primary), PREFIX "PrimaryIpAddr", NULL, NULL},
    {5, SNMP_MAC, ROUTER(mac), PREFIX "VirtualMacAddr", NULL, NULL},
    {6, SNMP_INTEGER, ROUTER(state), PREFIX "Status", snmp_router_states, NULL},
    {7, SNMP_UNSIGNED, ROUTER(priority), PREFIX "Priority", NULL, NULL},
    {8, SNMP_INTEGER, ROUTER(address_count), PREFIX "AddrCount", NULL, NULL},
    {9, SNMP_INTEGER, ROUTER(advert_interval_cs), PREFIX "AdvInterval", NULL, "centiseconds"},
    {10, SNMP_INTEGER, ROUTER(preempt), PREFIX "PreemptMode", snmp_truth, NULL},
    {11, SNMP_INTEGER, ROUTER(accept), PREFIX "AcceptMode", snmp_truth, NULL},
    {12, SNMP_TICKS, ROUTER(up_cs), PREFIX "UpTime", NULL, NULL},
    {13, SNMP_INTEGER, ROUTER(row_status), PREFIX "RowStatus", snmp_row_status, NULL},
};

static const struct snmp_column addresses[] = {
    {2, SNMP_INTEGER, offsetof(struct snapshot_address, row_status), "vrrpv3AssociatedIpAddrRowStatus", snmp_row_status,
     NULL},
};

static const struct snmp_column scalars[] = {
    {1, SNMP_COUNTER64, GLOBAL(checksum_errors), "vrrpv3RouterChecksumErrors", NULL, NULL},
    {2, SNMP_COUNTER64, GLOBAL(version_errors), "vrrpv3RouterVersionErrors", NULL, NULL},
    {3, SNMP_COUNTER64, GLOBAL(vrid_errors), "vrrpv3RouterVrIdErrors", NULL, NULL},
    {4, SNMP_STAMP, GLOBAL(start), "vrrpv3GlobalStatisticsDiscontinuityTime", NULL, NULL},
};

static const struct snmp_column statistics[] = {
    {1, SNMP_COUNTER32, ROUTER(became_active), STATISTICS "MasterTransitions", NULL, NULL},
    {2, SNMP_INTEGER, ROUTER(active_reason), STATISTICS "NewMasterReason", new_master_reasons, NULL},
    {3, SNMP_COUNTER64, ROUTER(adverts_received), STATISTICS "RcvdAdvertisements", NULL, NULL},
    {4, SNMP_COUNTER64, ROUTER(interval_errors), STATISTICS "AdvIntervalErrors", NULL, NULL},
    {5, SNMP_COUNTER64, ROUTER(ttl_errors), STATISTICS "IpTtlErrors", NULL, NULL},
    {6, SNMP_INTEGER, ROUTER(proto_error), STATISTICS "ProtoErrReason", proto_error_reasons, NULL},
    {7, SNMP_COUNTER64, ROUTER(zero_received), STATISTICS "RcvdPriZeroPackets", NULL, NULL},
    {8, SNMP_COUNTER64, ROUTER(zero_sent), STATISTICS "SentPriZeroPackets", NULL, NULL},
    {9, SNMP_COUNTER64, ROUTER(type_errors), STATISTICS "RcvdInvalidTypePackets", NULL, NULL},
    {10, SNMP_COUNTER64, ROUTER(list_errors), STATISTICS "AddressListErrors", NULL, NULL},
    {11, SNMP_COUNTER64, ROUTER(length_errors), STATISTICS "PacketLengthErrors", NULL, NULL},
    {12, SNMP_STAMP, ROUTER(discontinuity), STATISTICS "RowDiscontinuityTime", NULL, NULL},
    {13, SNMP_UNSIGNED, ROUTER(refresh_ms), STATISTICS "RefreshRate", NULL, "milliseconds"},
};

static const struct snmp_table tables[] = {
    {SNMP_ROWS_ROUTER3, {SNMP_VRRPV3_ROOT, 1, 1, 1, 1}, 11, operations, ARRAY_LENGTH(operations)},
    {SNMP_ROWS_ADDRESS3, {SNMP_VRRPV3_ROOT, 1, 1, 2, 1}, 11, addresses, ARRAY_LENGTH(addresses)},
    {SNMP_ROWS_GLOBAL, {SNMP_VRRPV3_ROOT, 1, 2}, 9, scalars, ARRAY_LENGTH(scalars)},
    {SNMP_ROWS_ROUTER3, {SNMP_VRRPV3_ROOT, 1, 2, 5, 1}, 11, statistics, ARRAY_LENGTH(statistics)},
};

const struct snmp_module snmp_vrrpv3 = {"VRRPV3-MIB", {SNMP_VRRPV3_ROOT}, 7, tables, ARRAY_LENGTH(tables)};
