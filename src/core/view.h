/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the core: plain copies for status, history, SNMP and metrics, and questions to the planner. Nothing here
 * changes the core or keeps pointers into it.
 */
#ifndef EVENKEEL_CORE_VIEW_H
#define EVENKEEL_CORE_VIEW_H

#include "core/core.h"

enum member_state {
    MEMBER_ACTIVE,  /* heard, with a share */
    MEMBER_RESERVE, /* heard, priority 1 */
    MEMBER_DEAD,    /* not heard any more */
    MEMBER_LEFT,    /* said goodbye */
    MEMBER_STATE_COUNT,
};

const char *member_state_name(enum member_state state);

enum holder_kind {
    HOLDER_NONE,
    HOLDER_SELF,
    HOLDER_MEMBER,
    HOLDER_STRANGER,
    HOLDER_KIND_COUNT,
};

const char *holder_kind_name(enum holder_kind kind);

enum isolation_state {
    ISOLATION_NONE,
    ISOLATION_PROBING, /* others vanished at once; waiting for proof that we hear */
    ISOLATION_DEAF,    /* we hear nobody: we claim nothing */
    ISOLATION_MUTE,    /* nobody hears us: we hold nothing */
    ISOLATION_STATE_COUNT,
};

const char *isolation_state_name(enum isolation_state state);

struct member_view {
    struct addr address;
    uint8_t vrid;  /* of its own virtual router, 0 unknown */
    uint8_t share; /* as advertised; self: as it would be */
    uint8_t state; /* enum member_state */
    bool self;
    uint16_t load;          /* units it holds */
    int64_t interval_us;    /* of its member advertisements */
    struct mono last_heard; /* self: now */
    struct mono since;      /* of `state` */
};

/* What of an advertisement is not as this host is configured, but for its list of addresses. */
enum unit_difference {
    DIFFERS_VERSION,  /* refused */
    DIFFERS_AUTH,     /* refused */
    DIFFERS_INTERVAL, /* version 2: refused */
};

struct unit_view {
    uint8_t vrid;
    uint8_t state;           /* enum router_state of this host */
    uint8_t level;           /* enum unit_level wanted */
    uint8_t level_done;      /* enum unit_level reached */
    uint8_t priority;        /* of this host now */
    uint8_t holder_kind;     /* enum holder_kind */
    uint8_t holder_priority; /* as heard or sent; 0 when none */
    uint8_t rank;            /* of this host */
    bool pinned;             /* by take or prefer, here or there (holder advertises 254) */
    bool pinned_here;        /* by `take` on this host */
    bool retired;            /* given up for good: a reload has no successor for it */
    bool contested;          /* two claimants within the last Active_Down_Interval */
    bool address_list_differs;
    struct addr address_list_from;    /* who advertises the other list; valid while it differs, as the next two */
    struct addr address_list_extra;   /* the first address that only it has; none */
    struct addr address_list_missing; /* the first that only we have; none */
    uint8_t differs;                  /* enum unit_difference of the last advertisement that differed otherwise */
    struct addr differs_from;         /* who sent it; none: there was none */
    struct mono differs_at;           /* valid with it */
    struct mono made;                 /* its counters began: the start, or the reload that brought it */
    bool links_up;                    /* all its links are up here */
    struct addr holder;
    struct addr next;         /* who gets it if the holder dies now; none when nobody */
    struct addr planned;      /* where a planned move would bring it; none when it stays */
    struct addr contender;    /* the other claimant while contested */
    struct mono since;        /* when the holder got it, as seen here */
    struct mono vacant_since; /* nobody holds it since then; MONO_NEVER: it is held, or was never */
    struct mono still_until;  /* not moved before this */
    /* the last change of ownership */
    struct addr last_from, last_to;
    uint8_t last_reason;     /* enum reason */
    int64_t last_gap_us;     /* -1 unknown */
    struct mono last_change; /* MONO_NEVER: none yet */
};

struct unit_counters { /* inside the core the first and the third stay with the router */
    uint64_t adverts_sent, adverts_received, zero_sent, zero_received, became_active, asserted, interval_differs,
        address_list_differs, auth_mismatch, version_mismatch;
    uint8_t last_active_reason; /* enum reason */
};

struct pool_counters {
    uint64_t member_adverts_sent, member_adverts_received, looped, foreign_vrid, not_member, members_full, stalls,
        moves, contests, one_way, deaf, mute, assertions_held_back;
};

struct link_counters {
    uint64_t refused[WIRE_RESULT_COUNT]; /* by the codec, by reason; [WIRE_OK] counts the accepted */
    uint64_t unknown_vrid;               /* accepted by the codec, but of no pool's business */
    uint8_t last_refused;                /* enum wire_result of the last one refused; WIRE_OK: none yet */
};

/* Why an instance is in Fault; bits. */
enum instance_fault {
    INSTANCE_FAULT_LINK = 1 << 0,    /* its interface is down or missing */
    INSTANCE_FAULT_SOURCE = 1 << 1,  /* no address to speak from */
    INSTANCE_FAULT_TRACKED = 1 << 2, /* something it tracks has failed */
    INSTANCE_FAULT_PEERS = 1 << 3,   /* unicast, and no peer */
    INSTANCE_FAULT_GROUP = 1 << 4,   /* another member of its group is in Fault, or what the group tracks has failed */
    INSTANCE_FAULT_KERNEL = 1 << 5,  /* the kernel refused it: no Fault by itself, it is tried again as Backup */
};

/* Why an instance refused an advertisement for its VRID on its link, in the order of the checks. */
enum instance_refusal {
    REFUSED_NONE,
    REFUSED_TTL,
    REFUSED_LENGTH,
    REFUSED_VERSION, /* neither 2 nor 3, or not its own */
    REFUSED_TYPE,
    REFUSED_CHECKSUM,
    REFUSED_NO_ADDRESSES,  /* count 0 */
    REFUSED_IDLE,          /* it does not run: Initialize or Fault */
    REFUSED_LOOPED,        /* our own packet, come back */
    REFUSED_DESTINATION,   /* multicast although it speaks unicast, or the reverse */
    REFUSED_SOURCE,        /* not link-local (IPv6), or no listed peer */
    REFUSED_AUTH_INVALID,  /* version 2: an authentication type that there is not */
    REFUSED_AUTH_MISMATCH, /* ... another type than ours */
    REFUSED_AUTH_FAILURE,  /* ... the wrong password */
    REFUSED_INTERVAL,      /* 0, or version 2: another one than ours */
    REFUSED_OWNER,         /* it is the owner, and told to ignore all */
    INSTANCE_REFUSAL_COUNT,
};

const char *instance_refusal_name(enum instance_refusal refusal); /* "auth_failure" */

/*
 * What the codec refused (TTL to count 0, interval 0) is in link_counters too; the rest only here. Advertisements that
 * differ in interval (version 3) or list are counted and processed.
 */
struct instance_counters {
    uint64_t adverts_sent, adverts_received, zero_sent,
        zero_received;                /* accepted ones, zero is among them; sent: not */
    uint64_t became_active, released; /* entered and left Active */
    uint64_t asserted, assertions_held_back, stalls;
    uint64_t interval_differs, address_list_differs;
    uint64_t refused[INSTANCE_REFUSAL_COUNT];
    uint8_t last_refused;       /* enum instance_refusal */
    uint8_t last_protocol;      /* the last of TTL, version and checksum (RFC 6527 ProtoErrReason) */
    uint8_t last_active_reason; /* enum reason: of the last time it became Active */
};

struct instance_view {
    uint8_t state;             /* enum instance_state */
    uint8_t want;              /* enum instance_state that it is on its way to */
    uint8_t faults;            /* enum instance_fault, bits */
    uint8_t level, level_done; /* enum unit_level wanted and reached */
    uint8_t base_priority;     /* configured */
    uint8_t priority;          /* effective */
    uint8_t checksum;          /* enum wire_checksum that it sends (version 3 over IPv4) */
    uint8_t holder_priority;   /* as heard or sent; 0: no holder */
    uint8_t highest_other;     /* highest priority heard since the last change of state; 0: none */
    uint8_t last_reason;       /* enum reason of the last change of state */
    uint8_t previous;          /* enum instance_state before it */
    bool address_list_differs; /* between us and address_list_from */
    int16_t weight;            /* sum of its own and its group's trackers */
    int32_t kernel_error;      /* errno with INSTANCE_FAULT_KERNEL */
    struct addr primary;       /* what it speaks from; none */
    struct addr holder;        /* the Active router, this host perhaps; none */
    struct addr address_list_from;
    uint8_t refused_why;        /* enum instance_refusal of the last one that shows a difference between hosts */
    struct addr refused_from;   /* who sent it; none: there was none */
    struct mono refused_at;     /* valid with it */
    struct mono made;           /* its counters began: the start, or the reload that brought it */
    int64_t holder_interval_us; /* as heard; own when Active */
    struct mono holder_heard;   /* MONO_NEVER: not heard, or it is us */
    struct mono since;          /* the last change of state */
    struct mono running_since;  /* it last left Initialize; MONO_NEVER: it has not */
    struct mono down_deadline;  /* Active_Down_Timer; MONO_NEVER */
    struct mono last_sent;      /* own advertisement; MONO_NEVER */
    struct mono preempt_at;     /* preempt_delay: not before; MONO_NEVER */
};

struct group_view {
    uint8_t state;  /* enum instance_state */
    bool fault;     /* what it tracks itself has failed */
    int16_t weight; /* of what it tracks */
    uint16_t member_count;
    struct mono since;
};

struct pool_view {
    bool ready; /* link up and a primary address */
    bool drained, leaving;
    uint8_t isolation; /* enum isolation_state */
    uint8_t member_vrid;
    uint8_t share;       /* advertised now: 1 while starting or drained */
    struct addr one_way; /* a member that does not hear this host, which is a reserve therefore; none */
    uint8_t lost_count;  /* members lost without goodbye and not forgotten */
    struct addr primary; /* identity of this host in the pool */
    struct mono started;
    struct mono ready_since; /* when the virtual routers last left Initialize; valid while ready */
    uint16_t member_count, unit_count;
};

void core_view_pool(const struct core *core, unsigned pool, struct pool_view *out);
/* `member` counts from 0 (self first, then by address). */
void core_view_member(const struct core *core, unsigned pool, unsigned member, struct mono now,
                      struct member_view *out);
void core_view_unit(const struct core *core, unsigned pool, unsigned unit, struct unit_view *out);
void core_view_unit_counters(const struct core *core, unsigned pool, unsigned unit, struct unit_counters *out);
void core_view_pool_counters(const struct core *core, unsigned pool, struct pool_counters *out);
/* `set` is the index of events and effects: pool_count + s. */
void core_view_instance(const struct core *core, unsigned set, unsigned unit, struct instance_view *out);
void core_view_instance_counters(const struct core *core, unsigned set, unsigned unit, struct instance_counters *out);
void core_view_group(const struct core *core, unsigned group, struct group_view *out);
void core_view_link_counters(const struct core *core, unsigned link, struct link_counters *out);

/* What a member advertises on a VRID where this pool has no unit: its configuration is another one (2.5a). */
struct unknown_view {
    uint8_t vrid;
    struct addr address; /* the first that is advertised */
    struct addr member;
};

/* Those heard within four of their intervals, by VRID, into `out` (255 of them at most). Returns how many. */
unsigned core_view_unknown(const struct core *core, unsigned pool, struct mono now, struct unknown_view *out);

/* One member more or less, or with another share, for `keelctl plan --with/--without`. */
struct plan_change {
    struct addr member;
    bool remove;
    uint8_t share; /* when not removed */
};

/*
 * What the planner says now, with the changes applied: fills `members` (PLAN_MEMBERS_MAX) and `*plan`, whose indices
 * refer to them and to the pool's units. Returns the number of members.
 */
unsigned core_view_plan(const struct core *core, unsigned pool, struct mono now, const struct plan_change *changes,
                        unsigned change_count, struct plan_member *members, struct plan *plan);

#endif
