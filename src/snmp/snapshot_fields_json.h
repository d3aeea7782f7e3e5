/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of a snapshot share: fields of an answer as the MIBs' values. snapshot*_json.c only. */
#ifndef EVENKEEL_SNMP_SNAPSHOT_FIELDS_JSON_H
#define EVENKEEL_SNMP_SNAPSHOT_FIELDS_JSON_H

#include <jansson.h>

#include "snmp/object.h"
#include "snmp/snapshot.h"

/* How often it is worth asking: the agent keeps an answer so long. */
#define SNAPSHOT_REFRESH_MS 1000

int64_t get_number(const json_t *object, const char *key);
int64_t get_truth(const json_t *object, const char *key); /* a missing field is false */
int64_t get_stamp(const json_t *object, const char *key); /* -1 for null or missing */
void get_text(const json_t *object, const char *key, char text[static SNAPSHOT_NAME_MAX]);
struct addr get_address(const json_t *object, const char *key);
int64_t get_word(const json_t *object, const char *key, const struct snmp_label *labels);
/* 0.0.0.0 or :: instead of none, where a MIB wants an address of the family. */
struct addr of_family(const struct addr *address, int64_t family);
/* The link of that name, or one that is not there. */
const struct snapshot_link *find_link(const struct snapshot *s, const char *name);
void add_address(struct snapshot *s, struct snapshot_router *router, const struct addr *address);
void add_advertised(struct snapshot *s, struct snapshot_router *router, const json_t *advertised);

/* The RFC's reasons for having become the Active router, by the daemon's. */
extern const struct snmp_label snapshot_active_reasons[];

/* snapshot_instance_json.c: one of the answer's `instances`. */
void read_instance(const json_t *object, struct snapshot *s);

#endif
