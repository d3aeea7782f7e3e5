/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an address on a link to the pool and unit it belongs to: sorted once, searched for every ARP and neighbour
 * advertisement that arrives. It owns its table; the configuration must outlive it.
 */
#ifndef EVENKEEL_DAEMON_VIP_INDEX_H
#define EVENKEEL_DAEMON_VIP_INDEX_H

#include "config/config.h"

struct vip_index;

struct vip_place {
    uint8_t pool;
    uint16_t unit;
    unsigned number; /* of all VIPs of the configuration, in the order of pools, units and addresses */
};

struct vip_index *vip_index_new(const struct config *config); /* NULL: no memory */
void vip_index_free(struct vip_index *index);                 /* NULL is allowed */

unsigned vip_index_count(const struct vip_index *index);

/* True when `address` is a VIP on `link`; *place says whose. */
bool vip_index_find(const struct vip_index *index, unsigned link, const struct addr *address, struct vip_place *place);

#endif
