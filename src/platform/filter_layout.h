/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed part of a table: its sets, chains and rules, and how the sets' keys are made. Used by filter.c. */
#ifndef EVENKEEL_PLATFORM_FILTER_LAYOUT_H
#define EVENKEEL_PLATFORM_FILTER_LAYOUT_H

#include "platform/filter.h"

struct filter_batch;

/* VIPs that share sets. */
enum layout_class {
    LAYOUT_IPV4,
    LAYOUT_IPV6,
    LAYOUT_IPV4_LINK, /* keyed by link and address */
    LAYOUT_IPV6_LINK,
    LAYOUT_CLASSES,
};

#define LAYOUT_NAME_MAX 32
#define LAYOUT_KEY_MAX 64

enum layout_class layout_class_of(const struct filter_vip *vip);
/* The name of a class's set: "vips", "vips6", "vips_link", "vips6_link". Returns `name`. */
const char *layout_set_name(char name[static LAYOUT_NAME_MAX], const char *what, enum layout_class kind);
/* A VIP's key in the sets of its class, its MAC's key in `vmacs`; their lengths. */
uint32_t layout_vip_key(const struct filter_vip *vip, uint8_t key[static LAYOUT_KEY_MAX]);
uint32_t layout_mac_key(const struct filter_vip *vip, uint8_t key[static LAYOUT_KEY_MAX]);
/* The key of the unit's own advertisements in `spoke` or `spoke6`. */
uint32_t layout_spoke_key(const struct filter_unit *unit, uint8_t key[static LAYOUT_KEY_MAX]);
/* The table is a set's and each of its units has a lease. */
bool layout_leases_units(const struct filter_table *table);
/* The chains of each such unit. */
enum layout_unit_chain {
    LAYOUT_IF_ALIVE, /* packets of its VIPs pass while it is alive */
    LAYOUT_RENEW,    /* its own advertisement makes it live on */
    LAYOUT_MAC,      /* frames to its virtual MAC are for this host while it is alive */
};
const char *layout_chain_name(char name[static LAYOUT_NAME_MAX], enum layout_unit_chain chain, unsigned unit);

void layout_sets(struct filter_batch *batch, const struct filter_table *table);
void layout_rules(struct filter_batch *batch, const struct filter_table *table);

/* The key of the one element of a pool's `alive`. */
void layout_lease_key(const struct filter_table *table, char key[static CONFIG_INTERFACE_MAX]);

#endif
