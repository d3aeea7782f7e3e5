/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all objects: for each its OID, name, syntax and where its value stands in a row of the snapshot.
 * Everything else (walks, texts, the agent, notifications) is made from it. VRRPV3-MIB (RFC 6527) stands in
 * mib_vrrpv3.c, VRRP-MIB (RFC 2787) in mib_vrrp.c, EVENKEEL-MIB (doc/EVENKEEL-MIB.txt) in mib_evenkeel.c.
 */
#ifndef EVENKEEL_SNMP_OBJECT_H
#define EVENKEEL_SNMP_OBJECT_H

#include "snmp/snapshot.h"

#define SNMP_TRUE 1
#define SNMP_FALSE 2
#define SNMP_OID_MAX 128
#define SNMP_ENTRY_MAX 16 /* arcs of a table's entry */
#define SNMP_INDEX_PARTS_MAX 4

/*
 * EVENKEEL-MIB's root: netSnmpPlaypen.112 (112: VRRP's protocol number). netSnmpPlaypen is the range that net-snmp
 * gives to everybody for private use and tests. No enterprise number is assigned to this project yet; when one is, this
 * line and doc/EVENKEEL-MIB.txt change, and nothing else.
 */
#define SNMP_EVENKEEL_ROOT 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 112
#define SNMP_VRRP_ROOT 1, 3, 6, 1, 2, 1, 68
#define SNMP_VRRPV3_ROOT 1, 3, 6, 1, 2, 1, 207

enum snmp_type {
    SNMP_INTEGER,
    SNMP_UNSIGNED, /* Unsigned32 and Gauge32 are the same on the wire */
    SNMP_COUNTER32,
    SNMP_COUNTER64,
    SNMP_TICKS,
    SNMP_STAMP,     /* TimeStamp: a stamp of the snapshot as the agent's sysUpTime */
    SNMP_IPADDRESS, /* struct addr, IPv4 */
    SNMP_INET,      /* struct addr as InetAddress */
    SNMP_MAC,       /* uint8_t[6] as MacAddress */
    SNMP_TEXT,      /* char[] as SnmpAdminString or DisplayString */
    SNMP_SECRET,    /* an OCTET STRING that reads as empty */
};

/* A number, the word the daemon has for it, and the MIB's label where that is another. Ends with word NULL. */
struct snmp_label {
    int value;
    const char *word;
    const char *label;
};

extern const struct snmp_label snmp_truth[], snmp_row_status[], snmp_family[], snmp_router_states[], snmp_unit_levels[],
    snmp_holder_kinds[], snmp_reasons[], snmp_member_states[], snmp_isolations[], snmp_filters[];

/* The number of a daemon's word; 0 for NULL and unknown words. */
int snmp_label_value(const struct snmp_label *labels, const char *word);
/* The MIB's label of a number, or NULL. */
const char *snmp_label_text(const struct snmp_label *labels, int64_t value);

struct snmp_column {
    uint32_t arc;
    uint8_t type; /* enum snmp_type */
    size_t offset;
    const char *name;
    const struct snmp_label *labels; /* of an enumeration, else NULL */
    const char *units;               /* or NULL */
};

/* What the rows of a table are, and so what their index is. */
enum snmp_rows {
    SNMP_ROWS_GLOBAL,   /* scalars: .0 */
    SNMP_ROWS_LINK,     /* { name } */
    SNMP_ROWS_POOL,     /* { name } */
    SNMP_ROWS_MEMBER,   /* { pool's name, InetAddressType, InetAddress } */
    SNMP_ROWS_UNIT,     /* { pool's name, VRID } */
    SNMP_ROWS_VIP,      /* { pool's name, VRID, InetAddressType, InetAddress } */
    SNMP_ROWS_ROUTER3,  /* { ifIndex, VRID, InetAddressType }; routers of version 3 */
    SNMP_ROWS_ADDRESS3, /* { ifIndex, VRID, InetAddressType, InetAddress } */
    SNMP_ROWS_GLOBAL2,  /* scalars: .0, while there is a router of version 2 */
    SNMP_ROWS_ROUTER2,  /* { ifIndex, VRID } */
    SNMP_ROWS_ADDRESS2, /* { ifIndex, VRID, IpAddress } */
};

struct snmp_table {
    enum snmp_rows rows;
    uint32_t entry[SNMP_ENTRY_MAX]; /* the column's arc follows, then the index */
    unsigned entry_length;
    const struct snmp_column *columns;
    unsigned column_count;
};

struct snmp_module {
    const char *name;
    uint32_t root[SNMP_ENTRY_MAX];
    unsigned root_length;
    const struct snmp_table *tables;
    unsigned table_count;
};

extern const struct snmp_module snmp_vrrp, snmp_vrrpv3, snmp_evenkeel;

/* All modules in the order of their roots. */
#define SNMP_MODULE_COUNT 3
extern const struct snmp_module *const snmp_modules[SNMP_MODULE_COUNT];

/* One part of an index. */
enum snmp_part_kind {
    SNMP_PART_NUMBER,
    SNMP_PART_FAMILY, /* InetAddressType */
    SNMP_PART_TEXT,   /* with its length in front */
    SNMP_PART_INET,   /* the same; net-snmp knows that it is an address when its type's column stands beside it */
    SNMP_PART_OCTETS, /* the same; where it does not know */
    SNMP_PART_IPV4,   /* IpAddress: four arcs */
};

struct snmp_part {
    enum snmp_part_kind kind;
    int64_t number;
    const char *text;
    const struct addr *address;
};

/* The index of a row of such a table. Returns the number of parts; 0: a scalar. */
unsigned snmp_row_index(enum snmp_rows rows, const void *row, struct snmp_part parts[static SNMP_INDEX_PARTS_MAX]);
/* Appends the arcs of an index to `arcs`, which has room for SNMP_OID_MAX. Returns the new length. */
unsigned snmp_index_arcs(const struct snmp_part *parts, unsigned count, uint32_t *arcs, unsigned length);

/* The column of that name ("ekUnitState"), or NULL; *table is its table. */
const struct snmp_column *snmp_column_find(const char *name, const struct snmp_table **table);

#endif
