/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All instances of all objects of one snapshot, in the lexicographic order of their OIDs: what keelctl walks and the
 * agent answers from. It owns the list and borrows the snapshot, which must outlive it.
 */
#ifndef EVENKEEL_SNMP_MODEL_H
#define EVENKEEL_SNMP_MODEL_H

#include "snmp/object.h"

struct snmp_oid {
    uint32_t arcs[SNMP_OID_MAX];
    unsigned length;
};

/* One instance. */
struct snmp_entry {
    const uint32_t *arcs; /* the model's */
    unsigned length;
    const struct snmp_table *table;
    const struct snmp_column *column;
    const void *row; /* of the snapshot, as table->rows says */
};

struct snmp_value {
    uint8_t type;   /* enum snmp_type; SNMP_STAMP has become SNMP_TICKS */
    int64_t number; /* of the number types; unsigned ones fit their size */
    const uint8_t *bytes;
    size_t length;
};

struct snmp_model {
    const struct snapshot *snapshot;
    struct snmp_entry *entries;
    unsigned count;
    uint32_t *arcs;
    /*
     * What sysUpTime was at the daemon's start, in hundredths of a second: 0 for keelctl, for which the two are the
     * same; negative when the agent is younger. A stamp before the agent's start is 0 (RFC 2579, TimeStamp).
     */
    int64_t start_cs;
};

/* NULL when memory ran out. */
struct snmp_model *snmp_model_new(const struct snapshot *snapshot, int64_t start_cs);
void snmp_model_free(struct snmp_model *model); /* NULL is allowed; not the snapshot */

/* <0, 0, >0: the order of OIDs, where a prefix comes before what it begins. */
int snmp_arcs_compare(const uint32_t *a, unsigned a_length, const uint32_t *b, unsigned b_length);
/* True when `oid` is in the subtree `root`, `root` itself included. */
bool snmp_arcs_are_under(const uint32_t *oid, unsigned length, const uint32_t *root, unsigned root_length);

/* The first entry that is not before the OID, or `count`. */
unsigned snmp_model_lower_bound(const struct snmp_model *model, const uint32_t *arcs, unsigned length);
/* The entry with exactly this OID, or NULL. */
const struct snmp_entry *snmp_model_get(const struct snmp_model *model, const uint32_t *arcs, unsigned length);

struct snmp_value snmp_model_value(const struct snmp_model *model, const struct snmp_entry *entry);
/* The value of a column in a row, as above; `start_cs` as in the model. */
struct snmp_value snmp_column_value(const struct snmp_column *column, const void *row, int64_t start_cs);

/* The instance of a column for a row. */
void snmp_instance_oid(const struct snmp_table *table, const struct snmp_column *column, const void *row,
                       struct snmp_oid *out);

#endif
