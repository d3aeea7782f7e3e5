/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OIDs and values as net-snmp's snmpwalk writes them: numeric (-On without MIB files, Debian's default), or with names
 * as it does when it has read the MIB files. And reading an OID as its user may write it.
 */
#ifndef EVENKEEL_SNMP_FORMAT_H
#define EVENKEEL_SNMP_FORMAT_H

#include "snmp/model.h"

/* The longest line: an OID of 128 arcs of 10 digits, or a text of 63 bytes in hexadecimal. */
#define SNMP_LINE_MAX 2048

/* ".1.3.6.1", or ".iso.3" is not made. Returns `text`. */
const char *snmp_format_oid(const uint32_t *arcs, unsigned length, char text[static SNMP_LINE_MAX]);
/* "VRRPV3-MIB::vrrpv3OperationsStatus.2.51.ipv4". Returns `text`. */
const char *snmp_format_name(const struct snmp_entry *entry, char text[static SNMP_LINE_MAX]);
/* "INTEGER: 3", or with names "INTEGER: master(3)". Returns `text`. */
const char *snmp_format_value(const struct snmp_column *column, const struct snmp_value *value, bool names,
                              char text[static SNMP_LINE_MAX]);
/* The name of the value's syntax alone: "INTEGER", "STRING", ... */
const char *snmp_format_syntax(const struct snmp_value *value);

/*
 * Reads ".1.3.6", "1.3.6", a module ("VRRPV3-MIB"), an object ("vrrpv3OperationsStatus", also with its module in front
 * and with numeric arcs after it). False when it is none of them.
 */
bool snmp_read_oid(const char *text, struct snmp_oid *out);

#endif
