/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core is told at start and never changes by itself: pools, their units, intervals. The configuration reader
 * fills it in and owns the memory, which must outlive the core. Times are microseconds.
 */
#ifndef EVENKEEL_CORE_SETTINGS_H
#define EVENKEEL_CORE_SETTINGS_H

#include "base/addr.h"
#include "core/planner.h"
#include "core/wire.h"

#define SETTINGS_LINKS_MAX 32
#define SETTINGS_POOLS_MAX 16 /* pools and sets together */
#define SETTINGS_NAME_MAX 64

#define INSTANCE_PEERS_MAX 64
#define INSTANCE_NO_GROUP UINT16_MAX

struct peer_settings {
    struct addr address;
    uint8_t min_ttl, max_ttl; /* accepted from it */
};

/*
 * A virtual router with a fixed priority and no planner: RFC 9568 (RFC 3768 for version 2) to the letter, with the
 * deviations that people may ask for. Faults and weights come from outside (EVENT_TRACK).
 */
struct instance_settings {
    char name[SETTINGS_NAME_MAX];
    uint8_t priority;         /* 1..255; 255: the owner, which no tracker moves */
    bool starts_active;       /* not the owner: its first Active_Down_Timer is one interval and Skew_Time */
    bool preempt;             /* Preempt_Mode; true for the owner */
    uint8_t down_adverts;     /* 1..100 lost advertisements before take-over (RFC: 3) */
    uint16_t group;           /* index of its sync group; INSTANCE_NO_GROUP */
    int64_t preempt_delay_us; /* a weaker Active is preempted so long after it was first heard */
    /*
     * So long after its last own advertisement that has left it may answer; 0: for ever. The filter counts as the core
     * does: LEVEL_ANSWERING opens with what is left of it, and not while nothing is; each own advertisement that leaves
     * renews it while it lasts, and nothing revives it.
     */
    int64_t lease_us;
    int64_t late_us;   /* a Backup too when an advertisement is due for longer than this; 0: never */
    uint8_t auth_type; /* version 2: 0 none, 1 simple text; sent, and demanded of others */
    uint8_t auth[VRRP_AUTH_LENGTH];
    bool track_link;           /* the interface's own link counts */
    bool track_source;         /* fault while `source` is not on the interface */
    bool lower_no_advert;      /* a weaker advertisement is not answered */
    bool higher_advert;        /* one last advertisement when yielding */
    bool owner_ignores;        /* priority 255 drops all advertisements */
    bool check_unicast_source; /* unicast: accept from listed peers only */
    bool skip_check_addresses; /* no comparison of address lists with the same sender */
    bool unicast;              /* advertisements go to each peer instead of the group */
    bool fault_without_peer;   /* fault while peer_count is 0 */
    uint8_t unicast_ttl;       /* 0..255 */
    uint8_t peer_count;
    struct peer_settings *peers;
    struct addr group_address; /* multicast destination; FAMILY_NONE: RFC's */
    struct addr source;        /* FAMILY_NONE: the interface's primary address */
};

/* One unit: what moves as a whole, a virtual router of its own on its link. */
struct unit_settings {
    uint8_t link, family, version, checksum;  /* of its advertisements; in a pool the pool's */
    int64_t advert_interval_us;               /* in a pool the pool's */
    const struct instance_settings *instance; /* of a set; NULL in a pool */
    uint8_t vrid;                             /* 1..255, distinct within link and family */
    uint8_t address_count;                    /* of `addresses`, >= 1 */
    struct addr *addresses; /* advertised: those of the pool's family on the pool's link; IPv6: link-local first */
    uint32_t links;         /* bit l: the unit has addresses on link l; all of them must be up to hold it */
    uint8_t eligible_count; /* `members`: 0 = everybody may hold it */
    struct addr *eligible;
    uint8_t prefer_count; /* `prefer`: pinned to the first of these that lives */
    struct addr *prefer;
};

/*
 * What an instance speaks from, given its interface's primary address: that of the file before it, and an owner without
 * either from the address that it owns (RFC 9568 1.7: it is the interface's real one). FAMILY_NONE: nothing.
 */
static inline const struct addr *unit_source(const struct unit_settings *unit, const struct addr *primary)
{
    const struct instance_settings *instance = unit->instance;
    bool owner = instance->priority == VRRP_PRIORITY_OWNER && unit->address_count > 0;

    if (!addr_is_none(&instance->source)) {
        return &instance->source;
    }
    return owner && addr_is_none(primary) ? &unit->addresses[0] : primary;
}

/* The form of the checksum of the unit's advertisements; `heard`: the form last heard on its VRID, for `auto`. */
static inline uint8_t unit_checksum(const struct unit_settings *unit, uint8_t heard)
{
    if (unit->family != FAMILY_IPV4) {
        return WIRE_CHECKSUM_PSEUDO;
    }
    return unit->version == 2 ? WIRE_CHECKSUM_PLAIN : unit->checksum == WIRE_CHECKSUM_AUTO ? heard : unit->checksum;
}

struct member_name {
    char name[SETTINGS_NAME_MAX];
    struct addr address;
};

struct pool_settings {
    char name[SETTINGS_NAME_MAX];
    uint8_t link;        /* index of the pool's interface in core_settings.links */
    uint8_t family;      /* enum family of its advertisements */
    uint8_t version;     /* 2 or 3, of the units' advertisements; the member's are always 3 */
    uint8_t checksum;    /* enum wire_checksum for version 3 over IPv4 */
    uint8_t share;       /* 2..254 */
    uint8_t member_vrid; /* first try for the member's own VRID; 0: last byte of its address */
    bool strict_members; /* only those in `names` count as members */
    bool rebalance;
    bool drop_when_isolated;  /* on_isolation drop */
    bool isolation_check;     /* false: serve without proof of hearing (isolation_targets none) */
    uint16_t rebalance_moves; /* per round; UINT16_MAX: all */
    uint16_t unit_count;      /* 1..255 */
    uint16_t name_count;
    int64_t advert_interval_us; /* of the units: version 3 10 ms..40.95 s, version 2 whole seconds */
    int64_t member_interval_us; /* 10 ms..40.95 s */
    int64_t startup_delay_us;   /* reserve for so long after the start */
    int64_t rebalance_interval_us;
    struct unit_settings *units; /* ordered by VRID */
    struct member_name *names;
};

/*
 * After the pools stand the sets: instances, up to 255 together so that they share a filter table, an announcement
 * schedule and indices with what pools have. Of a set's pool_settings only name, unit_count and units count.
 */
struct core_settings {
    uint8_t pool_count;       /* pools[0..pool_count-1]: pools */
    uint8_t set_count;        /* pools[pool_count..pool_count+set_count-1]: sets of instances */
    uint8_t link_count;       /* links are named by the daemon; the core knows indices only */
    uint16_t group_count;     /* sync groups of instances */
    int64_t startup_delay_us; /* instances are held so long after the start */
    struct pool_settings *pools;
};

/* Pools and sets. */
static inline unsigned settings_all_count(const struct core_settings *settings)
{
    return (unsigned)settings->pool_count + settings->set_count;
}

static inline unsigned settings_instance_count(const struct core_settings *settings)
{
    unsigned count = 0;

    for (unsigned p = settings->pool_count; p < settings_all_count(settings); p++)
        count += settings->pools[p].unit_count;
    return count;
}

#define HANDOVER_NONE UINT16_MAX

/* A reload (core/handover.h): for each part of the new settings the index of the part of the old ones that goes on as
 * it, or HANDOVER_NONE. */
struct handover {
    uint16_t old_link[SETTINGS_LINKS_MAX];
    uint16_t old_pool[SETTINGS_POOLS_MAX];
    uint16_t old_unit[SETTINGS_POOLS_MAX][PLAN_UNITS_MAX];
};

/*
 * The lease (doc/design.md 2.6): so long after its last own member advertisement a host may still answer; whoever
 * wakes up later than that is no longer an owner. Others take over after 3 intervals.
 */
static inline int64_t settings_lease_us(const struct pool_settings *pool)
{
    return pool->member_interval_us * 5 / 2;
}

#endif
