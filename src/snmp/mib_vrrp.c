/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VRRP-MIB, RFC 2787: the virtual routers of version 2, which are units of pools with `version 2` and instances. There
 * is nothing of it while there are none: a manager then sees that this host speaks version 3 only. Read-only.
 */
#include "base/check.h"
#include "snmp/object.h"

#define ROUTER(field) offsetof(struct snapshot_router, field)
#define GLOBAL(field) offsetof(struct snapshot_global, field)

static const struct snmp_label notification_control[] = {{1, "enabled", NULL}, {2, "disabled", NULL}, {0, NULL, NULL}};
static const struct snmp_label admin_states[] = {{1, "up", NULL}, {2, "down", NULL}, {0, NULL, NULL}};
static const struct snmp_label auth_types[] = {{1, "noAuthentication", NULL},
                                               {2, "simpleTextPassword", NULL},
                                               {3, "ipAuthenticationHeader", NULL},
                                               {0, NULL, NULL}};
static const struct snmp_label protocols[] = {
    {1, "ip", NULL}, {2, "bridge", NULL}, {3, "decnet", NULL}, {4, "other", NULL}, {0, NULL, NULL}};

static const struct snmp_column node[] = {
    {1, SNMP_INTEGER, GLOBAL(node_version), "vrrpNodeVersion", NULL, NULL},
    {2, SNMP_INTEGER, GLOBAL(notifications), "vrrpNotificationCntl", notification_control, NULL},
};

static const struct snmp_column operations[] = {
    {2, SNMP_MAC, ROUTER(mac), "vrrpOperVirtualMacAddr", NULL, NULL},
    {3, SNMP_INTEGER, ROUTER(state), "vrrpOperState", snmp_router_states, NULL},
    {4, SNMP_INTEGER, ROUTER(admin_state), "vrrpOperAdminState", admin_states, NULL},
    {5, SNMP_INTEGER, ROUTER(priority), "vrrpOperPriority", NULL, NULL},
    {6, SNMP_INTEGER, ROUTER(address_count), "vrrpOperIpAddrCount", NULL, NULL},
    {7, SNMP_IPADDRESS, ROUTER(master), "vrrpOperMasterIpAddr", NULL, NULL},
    {8, SNMP_IPADDRESS, ROUTER(primary), "vrrpOperPrimaryIpAddr", NULL, NULL},
    {9, SNMP_INTEGER, ROUTER(auth_type), "vrrpOperAuthType", auth_types, NULL},
    {10, SNMP_SECRET, 0, "vrrpOperAuthKey", NULL, NULL},
    {11, SNMP_INTEGER, ROUTER(advert_interval_s), "vrrpOperAdvertisementInterval", NULL, "seconds"},
    {12, SNMP_INTEGER, ROUTER(preempt), "vrrpOperPreemptMode", snmp_truth, NULL},
    {13, SNMP_STAMP, ROUTER(up_since), "vrrpOperVirtualRouterUpTime", NULL, NULL},
    {14, SNMP_INTEGER, ROUTER(protocol), "vrrpOperProtocol", protocols, NULL},
    {15, SNMP_INTEGER, ROUTER(row_status), "vrrpOperRowStatus", snmp_row_status, NULL},
};

static const struct snmp_column addresses[] = {
    {2, SNMP_INTEGER, offsetof(struct snapshot_address, row_status), "vrrpAssoIpAddrRowStatus", snmp_row_status, NULL},
};

static const struct snmp_column scalars[] = {
    {1, SNMP_COUNTER32, GLOBAL(checksum_errors), "vrrpRouterChecksumErrors", NULL, NULL},
    {2, SNMP_COUNTER32, GLOBAL(version_errors), "vrrpRouterVersionErrors", NULL, NULL},
    {3, SNMP_COUNTER32, GLOBAL(vrid_errors), "vrrpRouterVrIdErrors", NULL, NULL},
};

/* A pool has no authentication: every other type than none counts as a mismatch there. */
static const struct snmp_column statistics[] = {
    {1, SNMP_COUNTER32, ROUTER(became_active), "vrrpStatsBecomeMaster", NULL, NULL},
    {2, SNMP_COUNTER32, ROUTER(adverts_received), "vrrpStatsAdvertiseRcvd", NULL, NULL},
    {3, SNMP_COUNTER32, ROUTER(interval_errors), "vrrpStatsAdvertiseIntervalErrors", NULL, NULL},
    {4, SNMP_COUNTER32, ROUTER(auth_failures), "vrrpStatsAuthFailures", NULL, NULL},
    {5, SNMP_COUNTER32, ROUTER(ttl_errors), "vrrpStatsIpTtlErrors", NULL, NULL},
    {6, SNMP_COUNTER32, ROUTER(zero_received), "vrrpStatsPriorityZeroPktsRcvd", NULL, NULL},
    {7, SNMP_COUNTER32, ROUTER(zero_sent), "vrrpStatsPriorityZeroPktsSent", NULL, NULL},
    {8, SNMP_COUNTER32, ROUTER(type_errors), "vrrpStatsInvalidTypePktsRcvd", NULL, NULL},
    {9, SNMP_COUNTER32, ROUTER(list_errors), "vrrpStatsAddressListErrors", NULL, NULL},
    {10, SNMP_COUNTER32, ROUTER(auth_invalid_errors), "vrrpStatsInvalidAuthType", NULL, NULL},
    {11, SNMP_COUNTER32, ROUTER(auth_type_errors), "vrrpStatsAuthTypeMismatch", NULL, NULL},
    {12, SNMP_COUNTER32, ROUTER(length_errors), "vrrpStatsPacketLengthErrors", NULL, NULL},
};

static const struct snmp_table tables[] = {
    {SNMP_ROWS_GLOBAL2, {SNMP_VRRP_ROOT, 1}, 8, node, ARRAY_LENGTH(node)},
    {SNMP_ROWS_ROUTER2, {SNMP_VRRP_ROOT, 1, 3, 1}, 10, operations, ARRAY_LENGTH(operations)},
    {SNMP_ROWS_ADDRESS2, {SNMP_VRRP_ROOT, 1, 4, 1}, 10, addresses, ARRAY_LENGTH(addresses)},
    {SNMP_ROWS_GLOBAL2, {SNMP_VRRP_ROOT, 2}, 8, scalars, ARRAY_LENGTH(scalars)},
    {SNMP_ROWS_ROUTER2, {SNMP_VRRP_ROOT, 2, 4, 1}, 10, statistics, ARRAY_LENGTH(statistics)},
};

const struct snmp_module snmp_vrrp = {"VRRP-MIB", {SNMP_VRRP_ROOT}, 7, tables, ARRAY_LENGTH(tables)};
