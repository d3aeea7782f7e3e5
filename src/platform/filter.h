/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of a pool: one nftables table of the netdev family, evenkeel_POOL, with base chains at ingress and egress
 * of each of the pool's links (doc/design.md 2.6). It decides for which VIPs this host may be heard and spoken to.
 * Every call is one transaction, touches no other table, and keeps no state: what is held is the caller's. Used by the
 * kernel thread and by kernel_clean().
 *
 * Sets, all readable by `nft list table netdev evenkeel_POOL`:
 *   vips, vips6   all VIPs of the pool
 *   held, held6   those this host holds
 *   alive         lease only: one element, the name of the pool's interface, with a timeout. One for the host and not
 *                 one for each interface, since a unit over several interfaces must not be answered on one of them and
 *                 refused on another; the name and not the index, since it survives re-creation of the interface.
 *   self          lease only: the address that this host's member advertisements come from and carry
 *   vmacs         use_vmac only: the virtual MACs of the held units; mac_of, mac_of6: VIP to virtual MAC
 */
#ifndef EVENKEEL_PLATFORM_FILTER_H
#define EVENKEEL_PLATFORM_FILTER_H

#include "config/config.h"

struct filter;

struct filter_vip {
    struct addr address;
    uint8_t mac[6]; /* use_vmac: the virtual MAC of its unit and family; all VIPs of a unit follow each other */
    bool held;
};

struct filter_table {
    const char *pool;
    enum filter_mode mode;      /* FILTER_ON or FILTER_LEASE */
    bool egress;                /* the kernel has the egress hook (always with FILTER_LEASE) */
    bool use_vmac;
    uint8_t family;             /* of the member's advertisements */
    const char *pool_link;      /* their interface, present or not */
    const char *links[SETTINGS_LINKS_MAX]; /* the pool's interfaces that are present */
    unsigned link_count;
    uint32_t lease_ms;
    uint32_t alive_ms;          /* FILTER_LEASE: what is left of the lease; 0: not alive */
    struct addr self;           /* FILTER_LEASE: or none */
    const struct filter_vip *vips;
    unsigned vip_count;
};

/* What may be the case in this network namespace. */
struct filter_ability {
    enum filter_mode best; /* FILTER_LEASE, FILTER_ON or FILTER_OFF */
    bool egress;
    char reason[96];       /* why not better, or that all is there */
};

/* 0 or a negative errno. */
int filter_open(struct filter **out);
void filter_close(struct filter *filter);

/* Tries tables that are made and removed within one transaction, so that no packet ever meets them. */
void filter_probe(struct filter *filter, struct filter_ability *out);

/* Installs the table, or replaces it whatever it is like now. 0 or a negative errno. */
int filter_install(struct filter *filter, const struct filter_table *table);

struct filter_change {
    const struct filter_vip *vips; /* held: to be put in; else to be taken out. Each must change something */
    unsigned vip_count;
    bool arm;                      /* the lease begins anew, table->lease_ms long */
    bool self;                     /* table->self has changed */
};

/* Changes the sets of an installed table. -ENOENT: the table or an element is not as the caller thought; install it
 * anew. */
int filter_change(struct filter *filter, const struct filter_table *table, const struct filter_change *change);

/* Closes a pool's table for all VIPs: 1, or 0 when it is not there. */
int filter_close_table(struct filter *filter, const char *pool);
/* Removes it. That it is not there is success. */
int filter_remove_table(struct filter *filter, const char *pool);

/* Readable while news of foreign changes wait. Opened apart, since kernel_clean() needs none. */
int filter_watch(struct filter *filter);
int filter_watch_fd(const struct filter *filter);

typedef void filter_touched(void *context, const char *table);

/* Names each table that somebody else touched, perhaps more than once. 0, or -ENOBUFS: some news were lost. */
int filter_watch_read(struct filter *filter, filter_touched *touched, void *context);

/* The name of a pool's table. */
void filter_table_name(const char *pool, char *name, size_t capacity);

#endif
