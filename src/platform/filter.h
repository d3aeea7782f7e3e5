/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of a pool or of a set of instances: one nftables table of the netdev family, evenkeel_NAME (of the second
 * daemon in a network namespace evenkeel2_NAME, and so on), with base chains at ingress and egress of each of its links
 * (doc/design.md 2.6). It decides for which VIPs this host may be heard and spoken to. Every call is one transaction,
 * touches no other table, and keeps no state: what is held is the caller's. Used by the kernel thread and by
 * kernel_clean.c.
 *
 * Sets, all readable by `nft list table netdev evenkeel_NAME`:
 *   vips, vips6   all VIPs
 *   held, held6   those this host holds; a set's lease: with the chain that asks whether their unit is alive
 *   alive         lease only. A pool: one element, the name of the pool's interface, with a timeout. One for the host
 *                 and not one for each interface, since a unit over several interfaces must not be answered on one of
 *                 them and refused on another; the name and not the index, since it survives re-creation of the
 *                 interface. A set: one element for each unit that is open, with that unit's timeout
 *   self          a pool's lease: the address that this host's member advertisements come from and carry
 *   spoke         a set's lease: interface, source, TTL, version (0x3100 or 0x2100) and VRID of the units' own
 *                 advertisements, with the chain that renews the unit's lease; spoke6
 *   no_accept     VIPs of which only ARP and neighbour discovery are answered; no_accept6
 *   vmacs         virtual MACs only: those of the held units, each on its interface; mac_of, mac_of6: VIP to virtual
 *                 MAC; macvlans: where those are interfaces of their own, all virtual MACs
 * Addresses that mean different VIPs on different links (link-local ones, mostly) are in sets of their own whose
 * names end in _link and whose keys begin with the interface.
 */
#ifndef EVENKEEL_PLATFORM_FILTER_H
#define EVENKEEL_PLATFORM_FILTER_H

#include "config/config.h"

struct filter;

#define FILTER_KEY_MAX 16

/* A unit of a set: its own lease. */
struct filter_unit {
    char key[FILTER_KEY_MAX]; /* its element in `alive`: text, filled up with zeros; distinct within the set */
    const char *link;         /* its advertisements leave here */
    struct addr self;         /* and come from here; or none */
    uint8_t family, version, vrid, ttl; /* and have these */
    uint32_t lease_ms;                  /* > 0 */
    uint32_t alive_ms;                  /* what is left of it; 0: not alive */
};

struct filter_vip {
    struct addr address;
    const char *link;               /* its interface */
    const struct filter_unit *unit; /* of a set; NULL in a pool */
    uint8_t mac[6];                 /* the virtual MAC of its unit; all VIPs of a unit follow each other */
    bool vmac;                      /* `mac` answers for it, where the table has virtual MACs */
    bool by_link;                   /* counts on its own link only */
    bool no_accept;                 /* data for it is dropped even when it is held */
    bool held;
};

struct filter_table {
    const char *pool;      /* or the set's name */
    enum filter_mode mode; /* FILTER_ON or FILTER_LEASE */
    bool egress;           /* the kernel has the egress hook (always with FILTER_LEASE) */
    bool use_vmac;         /* by this table */
    bool macvlan;          /* by macvlan interfaces: frames to the virtual MACs of what is not held are dropped */
    bool set;              /* of instances: no member, each unit has a lease of its own */
    uint8_t family;        /* of the member's advertisements */
    const char *pool_link; /* their interface, present or not */
    const char *links[SETTINGS_LINKS_MAX]; /* the table's interfaces that are present */
    unsigned link_count;
    uint32_t lease_ms;               /* a pool's */
    uint32_t alive_ms;               /* FILTER_LEASE, a pool: what is left of the lease; 0: not alive */
    struct addr self;                /* FILTER_LEASE, a pool: or none */
    const struct filter_unit *units; /* a set's */
    unsigned unit_count;
    const struct filter_vip *vips;
    unsigned vip_count;
};

/* What may be the case in this network namespace. */
struct filter_ability {
    enum filter_mode best; /* FILTER_LEASE, FILTER_ON or FILTER_OFF */
    bool egress;
    char reason[96]; /* why not better, or that all is there */
};

/* `number`: the daemon's in this network namespace, from 1. 0 or a negative errno. */
int filter_open(unsigned number, struct filter **out);
void filter_close(struct filter *filter);

/* Tries tables that are made and removed within one transaction, so that no packet ever meets them. */
void filter_probe(struct filter *filter, struct filter_ability *out);

/* Installs the table, or replaces it whatever it is like now. 0 or a negative errno. */
int filter_install(struct filter *filter, const struct filter_table *table);

struct filter_change {
    const struct filter_vip *vips; /* held: to be put in; else to be taken out. Each must change something */
    unsigned vip_count;
    bool arm;  /* a pool: the lease begins anew, table->lease_ms long */
    bool self; /* table->self, or that of some unit, has changed */
};

/* Changes the sets of an installed table. A set's unit that opens gets its `alive_ms`. -ENOENT: the table or an element
 * is not as the caller thought; install it anew. */
int filter_change(struct filter *filter, const struct filter_table *table, const struct filter_change *change);

/* Closes a table for all VIPs: 1, or 0 when it is not there. `by_link`: some of its VIPs are. */
int filter_close_table(struct filter *filter, const char *pool, bool by_link);
/* Removes it. That it is not there is success. */
int filter_remove_table(struct filter *filter, const char *pool);

/* Readable while news of foreign changes wait. Opened apart, since kernel_clean.c needs none. */
int filter_watch(struct filter *filter);
int filter_watch_fd(const struct filter *filter);

typedef void filter_touched(void *context, const char *table);

/* Names each table that somebody else touched, perhaps more than once. 0, or -ENOBUFS: some news were lost. */
int filter_watch_read(struct filter *filter, filter_touched *touched, void *context);

#define FILTER_NAME_MAX (SETTINGS_NAME_MAX + 16)

/* The name of a pool's or set's table. */
void filter_table_name(const struct filter *filter, const char *pool, char name[static FILTER_NAME_MAX]);

#endif
