/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The deterministic simulator: N real cores on one virtual clock and one seeded queue of events. Internal to tests/sim.
 *
 *   queue.c      the queue of events, a binary heap ordered by time, then by order of insertion
 *   trace.c      what happened, as records in a ring; printed when a promise is broken
 *   lan.c        the segment: delay, loss, duplication, partitions, deaf and mute hosts, who answers probes
 *   kernel.c     each host's kernel: levels carried out late, the lease and the filter of doc/design.md 2.6
 *   host.c       each host's daemon: inbox, wake-ups, effects; start, crash, pause, leave
 *   reload.c     other files, and how a host takes them over while it runs
 *   routers.c    hosts that run instances
 *   stranger.c   a router of another make, after RFC 9568 or RFC 3768
 *   oracle.c     the promises, judged at every change; allowance.c: what is excused, how long, and why
 *   settle.c     the promises that hold some time after the faults: covered, even
 *   world.c      a world made from a profile and a seed; profile.c: the profiles
 *   fault.c      faults at random; run.c: one seed from start to verdict
 *   scenario*.c  hand-made stories with exact outcomes
 *   main.c       the command line
 *
 * All times are microseconds of virtual time. Nodes 0..host_count-1 are hosts with a core; strangers follow at
 * SIM_STRANGER_FIRST. Nothing is drawn from anywhere but world.prng, so a profile and a seed replay exactly.
 */
#ifndef EVENKEEL_SIM_H
#define EVENKEEL_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/prng.h"
#include "core/core.h"
#include "core/handover.h"
#include "core/view.h"

#define SIM_HOSTS_MAX 12
#define SIM_STRANGERS_MAX 2
#define SIM_STRANGER_FIRST SIM_HOSTS_MAX
#define SIM_NODES_MAX (SIM_HOSTS_MAX + SIM_STRANGERS_MAX)
#define SIM_UNITS_MAX 255
#define SIM_ROUTERS_MAX 32 /* units of a world whose hosts run instances */
#define SIM_LINKS 2
#define SIM_PACKET_MAX 384
#define SIM_RECEIVE_MAX 2048 /* packets a host's receive queue can hold at most */
#define SIM_OTHER_MAX 1024   /* other things in a host's inbox: kernel reports, commands */
#define SIM_NONE 0xff
#define SIM_NEVER INT64_MAX
#define SIM_LONG_AGO (-3600ll * US_PER_S) /* before any window that is looked at */

/* ---- queue.c ---- */
enum sim_event_kind {
    SIM_WAKE,       /* node: its loop runs */
    SIM_ARRIVE,     /* node, packet */
    SIM_KERNEL,     /* node: the next stage of the batch under way */
    SIM_LEASE,      /* node, small: unit (instances): look whether the lease has ended */
    SIM_HEARD,      /* node; small: probe answer */
    SIM_BACKGROUND, /* node: frames of others pass by */
    SIM_START,      /* node: the daemon is started */
    SIM_CLEANED,    /* node, generation: what an earlier run left is gone; the core begins */
    SIM_LINK,       /* node, generation; small: link; value: up */
    SIM_RESUME,     /* node */
    SIM_STRANGER,   /* node, generation: its timer */
    SIM_DUAL_LIMIT, /* small: unit */
    SIM_FAULT,      /* the next fault of the safety phase */
    SIM_FAULT_END,  /* small: index into world.faults */
    SIM_STOP,       /* the run's next milestone: world_run_until ends */
    SIM_EVENT_KIND_COUNT,
};

struct sim_event {
    int64_t at_us;
    uint64_t order;
    uint8_t kind; /* enum sim_event_kind */
    uint8_t node;
    uint16_t small;
    uint32_t value; /* packet index, or generation */
};

struct queue {
    struct sim_event *heap;
    unsigned count, capacity;
    uint64_t next_order;
};

void queue_push(struct queue *q, struct sim_event event);
bool queue_pop(struct queue *q, struct sim_event *out);
void queue_clear(struct queue *q);
void queue_free(struct queue *q);

/* ---- trace.c ---- */
enum trace_kind {
    TRACE_SEND,    /* unit or none, a: priority */
    TRACE_HEAR,    /* unit or none, a: priority, b: sender */
    TRACE_DROP,    /* packet lost: a: receiver */
    TRACE_WANT,    /* unit, a: level */
    TRACE_KERNEL,  /* unit, a: level reached, b: errno */
    TRACE_ANSWERS, /* unit, a: answers now */
    TRACE_ARM,
    TRACE_ARMED,
    TRACE_LEASE_END,
    TRACE_NOTE,    /* unit or none, a: note | reason << 8 | from_state << 16 | to_state << 24, b: value */
    TRACE_FAULT,   /* text, a, b */
    TRACE_COMMAND, /* text, unit or none, a: result */
    TRACE_KIND_COUNT,
};

struct trace_record {
    int64_t at_us;
    const char *text; /* static storage */
    int64_t a, b;
    uint16_t unit;
    uint8_t kind;
    uint8_t node;
};

#define TRACE_RING 16384 /* a power of two */

struct trace {
    struct trace_record ring[TRACE_RING];
    uint64_t count;
    bool live;     /* print as it happens */
    int live_unit; /* only this unit's, or -1 */
};

struct world;
void trace_add(struct world *w, enum trace_kind kind, unsigned node, unsigned unit, int64_t a, int64_t b);
void trace_text(struct world *w, enum trace_kind kind, unsigned node, unsigned unit, const char *text, int64_t a,
                int64_t b);
/* The last `lines` records that concern `unit` (SIM_UNITS_MAX: any). */
void trace_print(const struct world *w, FILE *out, unsigned unit, unsigned lines);

/* ---- lan.c ---- */
struct packet {
    uint16_t length;
    uint16_t references;
    uint32_t next_free;
    uint8_t bytes[SIM_PACKET_MAX];
};

struct packets {
    struct packet *list;
    uint32_t capacity;
    uint32_t free_head; /* UINT32_MAX: none */
};

struct lan {
    int64_t delay_min_us, delay_max_us;
    uint32_t loss_ppm, duplicate_ppm, echo_ppm;
    bool fifo;    /* packets of one sender to one receiver stay in order */
    bool gateway; /* a third party that answers probes is configured and known */
    bool gateway_up;
    bool background; /* hosts hear a frame of somebody about every second */
    uint8_t island[SIM_NODES_MAX];
    uint8_t gateway_island;
    uint8_t cut[SIM_NODES_MAX], deaf[SIM_NODES_MAX], mute[SIM_NODES_MAX]; /* counts of the faults in force */
    uint8_t blocked[SIM_NODES_MAX][SIM_NODES_MAX];                        /* [from][to] */
    bool reach[SIM_NODES_MAX][SIM_NODES_MAX];                             /* [from][to], derived from the above */
    int64_t last_arrival_us[SIM_NODES_MAX][SIM_NODES_MAX];
    int64_t lost_us[SIM_NODES_MAX][SIM_NODES_MAX];   /* a packet was last lost by chance */
    int64_t mended_us[SIM_NODES_MAX][SIM_NODES_MAX]; /* [a][b], symmetric: a way between the two last opened */
    bool one_way;                                    /* some pair is reachable one way only */
    int64_t one_way_until_us;                        /* when that was last so, while it is not */
};

void lan_init(struct world *w);
void lan_refresh(struct world *w); /* after any change of islands, cuts, links ... */
void lan_send(struct world *w, unsigned from, const uint8_t *bytes, size_t length);
void lan_arrive(struct world *w, const struct sim_event *event);
void lan_probe(struct world *w, unsigned node);
void lan_background(struct world *w, unsigned node);
bool lan_hears_gateway(const struct world *w, unsigned node, bool both_ways);
void packet_release(struct packets *packets, uint32_t index);

/* ---- kernel.c ---- */
struct kernel_unit {
    uint8_t level; /* enum unit_level in force */
    uint8_t wanted;
    uint8_t batch_level;
    bool dirty; /* wanted is newer than the batch */
    bool in_batch;
    bool failed; /* in the batch: it will not work */
    uint32_t sequence, batch_sequence;
    int64_t spoke_us;       /* instances: the last own advertisement left then */
    int64_t alive_until_us; /* ... and the lease of the unit's element */
    bool lease_watched;     /* a SIM_LEASE event is queued */
};

struct kernel_profile {
    int64_t min_us, max_us;
    int64_t slow_max_us;  /* of a slow batch */
    int64_t stuck_max_us; /* of a stuck one */
    int64_t unit_us;      /* more for each unit of any batch */
    uint32_t slow_ppm, stuck_ppm, fail_ppm;
};

enum kernel_stage { KERNEL_IDLE, KERNEL_CLOSING, KERNEL_OPENING, KERNEL_ENDING };

struct kernel {
    struct kernel_unit units[SIM_UNITS_MAX];
    uint8_t dirty[SIM_UNITS_MAX], batch[SIM_UNITS_MAX];
    unsigned dirty_count, batch_count;
    bool arm_wanted, batch_arm;
    uint32_t arm_sequence, batch_arm_sequence;
    uint16_t batch_generation; /* of the daemon that asked; another one gets no answer */
    uint8_t stage;             /* enum kernel_stage */
    int64_t stage_opening_us, stage_end_us;
    bool frozen, deferred;  /* the whole process is stopped; a stage came due meanwhile */
    bool broken;            /* every opening fails from now on */
    int64_t alive_until_us; /* of the lease's element */
    bool lease_watched;     /* a SIM_LEASE event is queued */
};

void kernel_want(struct world *w, unsigned node, unsigned unit, unsigned level, uint32_t sequence);
void kernel_arm(struct world *w, unsigned node, uint32_t sequence);
void kernel_commit(struct world *w, unsigned node);
void kernel_stage(struct world *w, unsigned node);
void kernel_freeze(struct world *w, unsigned node, bool frozen);
void kernel_member_sent(struct world *w, unsigned node);
void kernel_unit_sent(struct world *w, unsigned node, unsigned unit);
void kernel_lease_event(struct world *w, unsigned node, unsigned unit);
void kernel_crashed(struct world *w, unsigned node); /* the daemon is gone: what it had queued is dropped */
void kernel_clean(struct world *w, unsigned node);
bool kernel_answers(const struct world *w, unsigned node, unsigned unit);

/* ---- host.c ---- */
enum host_state { HOST_DOWN, HOST_CLEANING, HOST_RUNNING };

enum item_kind { ITEM_PACKET, ITEM_LEVEL_DONE, ITEM_ARMED, ITEM_HEARD, ITEM_PROBE_IMPOSSIBLE, ITEM_LINK, ITEM_COMMAND };

struct item {
    int64_t received_us;
    uint32_t value; /* packet index, or sequence */
    int32_t error;
    uint16_t unit;
    uint8_t kind;    /* enum item_kind */
    uint8_t command; /* ITEM_COMMAND: enum event_kind */
    uint8_t link;
    uint8_t share;
    bool flag; /* up, now, probe answer */
};

/* What a host's file says, as it differs from the world's. */
struct edition {
    uint8_t skip;                  /* units whose VRID % 5 is skip - 1 are not in it; 0: all are */
    uint8_t renumbered;            /* those have another VRID in it; 0: none has */
    bool fast_members, fast_units; /* half the interval */
    struct addr *prefer;           /* of units that prefer somebody: another one; NULL: the world's */
};

struct host_file {
    struct core_settings settings;
    struct pool_settings pool; /* or the set */
    struct unit_settings units[SIM_UNITS_MAX];
    uint16_t world_unit[SIM_UNITS_MAX]; /* of each unit of the file */
    uint16_t file_unit[SIM_UNITS_MAX];  /* of each unit of the world; SIM_UNITS_MAX: not in it */
};

struct host {
    struct core *core;
    void *storage, *other_storage; /* of the core; for the next one */
    struct host_file files[2];
    uint8_t file;           /* the one that is in force */
    struct edition edition; /* what is on the disk */
    bool reload_wanted;
    bool retiring; /* the other file is about to be in force */
    struct handover handover;
    struct unit_settings routers[SIM_ROUTERS_MAX]; /* instances: each host has its own */
    struct instance_settings instances[SIM_ROUTERS_MAX];
    bool router_fault[SIM_ROUTERS_MAX]; /* told by EVENT_TRACK */
    struct effects effects;
    unsigned applied; /* effects of the last step that were carried out; the rest waits while paused midway */
    uint8_t state;    /* enum host_state */
    bool member_sent; /* among the effects carried out (instances: any advertisement): EVENT_SENT is due */
    bool paused, pause_midway, pause_freezes_kernel;
    int64_t pause_us;   /* how long the pause that begins midway will last */
    int64_t resumed_us; /* the last pause ended */
    bool leaving, left, drained;
    bool out;            /* left broken on purpose: no promise is made about this host */
    uint8_t share;       /* configured, or as an operator's or a script's EVENT_SHARE set it */
    uint16_t generation; /* counts the lives of the daemon */
    struct addr ipv4, ipv6;
    bool link_up[SIM_LINKS];
    struct item packets[SIM_RECEIVE_MAX];
    struct item others[SIM_OTHER_MAX];
    unsigned packet_count, other_count;
    int64_t wake_us;     /* of the SIM_WAKE that counts */
    int64_t deadline_us; /* the core's, and when the loop will notice it; that SIM_WAKE is queued */
    int64_t deadline_wake_us;
    uint8_t stuck_deadlines; /* ticks in a row after which the deadline lay in the past */
    int64_t storm_window_us;
    uint32_t storm_sent;
    struct kernel kernel;
};

void host_start(struct world *w, unsigned node);
void host_cleaned(struct world *w, unsigned node, uint32_t generation);
void host_crash(struct world *w, unsigned node);
void host_pause(struct world *w, unsigned node, bool freeze_kernel);
void host_resume(struct world *w, unsigned node);
void host_set_link(struct world *w, unsigned node, unsigned link, bool up);
void host_wake(struct world *w, unsigned node);
void host_wake_soon(struct world *w, unsigned node);
void host_receive(struct world *w, unsigned node, unsigned from, uint32_t packet);
void host_post(struct world *w, unsigned node, struct item item);
/* EVENT_SENT and all else that follows from the effects of the last step. */
bool host_complete(struct world *w, unsigned node);
/* An operator's or script's command; `unit` and `share` where the kind wants them. */
void host_command(struct world *w, unsigned node, enum event_kind kind, unsigned unit, unsigned share, bool at_once);
bool host_is_up(const struct host *h); /* running and not paused */

/* ---- reload.c ---- */
static inline struct host_file *host_file(struct host *h)
{
    return &h->files[h->file];
}

/* A unit of the host's core as a unit of the world; what is no unit stays as it is. */
unsigned host_world_unit(const struct host *h, unsigned unit);
void reload_write(struct world *w, struct host *h, unsigned file, const struct edition *edition);
/* The file on the disk is another one from now on; a daemon that runs is told to reload. */
void host_reload(struct world *w, unsigned node, const struct edition *edition);
/* What is due of a reload at the end of a loop. */
void reload_turn(struct world *w, unsigned node);
void reload_forget(struct host *h); /* the daemon has ended */

/* ---- stranger.c ---- */
struct stranger {
    bool present, running;
    bool preempt;
    bool asserts;  /* RFC 9568: answers a weaker advertisement at once; RFC 3768 does not */
    uint8_t state; /* enum router_state */
    uint8_t priority;
    uint16_t unit;
    uint32_t generation; /* of its timer */
    struct addr address;
    int64_t interval_us, active_interval_us;
};

void stranger_start(struct world *w, unsigned node);
void stranger_stop(struct world *w, unsigned node, bool goodbye);
void stranger_hear(struct world *w, unsigned node, const uint8_t *bytes, size_t length);
void stranger_timer(struct world *w, unsigned node, uint32_t generation);

/* ---- oracle.c, allowance.c ---- */
struct stats {
    uint64_t virtual_us, events, owner_changes, packets, duals_excused;
    int64_t worst_gap_us; /* of a unit while nothing is wrong (planned moves), and in scenarios */
    int64_t worst_dual_us;
};

struct unit_watch {
    uint16_t answering; /* bit per node */
    uint8_t owner;      /* last node that began to answer; SIM_NONE */
    bool limit_queued;
    int64_t gap_since_us;                                /* nobody answers since, or SIM_NEVER */
    int64_t dual_since_us;                               /* or SIM_NEVER */
    int64_t pair_since_us[SIM_NODES_MAX][SIM_NODES_MAX]; /* [a][b], a < b: since when these two; 0: not now */
    uint32_t changes;                                    /* of owner */
    int64_t worst_gap_us, worst_dual_us;                 /* since oracle_reset_marks */
};

struct oracle {
    struct unit_watch units[SIM_UNITS_MAX];
    bool judging_gaps; /* the faults are long over: every gap must be that of a planned move */
    int64_t gap_limit_us;
    uint16_t ignored; /* nodes on their own, beyond anybody's reach: neither cover nor gap counts there */
    bool failed;
    uint64_t changes; /* of owner, all units, since oracle_reset_marks */
};

void oracle_init(struct world *w);
void oracle_answer(struct world *w, unsigned node, unsigned unit, bool answers);
void oracle_recheck(struct world *w); /* reachability changed */
void oracle_dual_limit(struct world *w, unsigned unit);
void oracle_finish(struct world *w);
void oracle_reset_marks(struct world *w);
void oracle_ignore(struct world *w, unsigned node);
unsigned oracle_holders(const struct world *w, unsigned unit); /* bits of the nodes that answer and count */
/* A promise is broken: prints everything needed to replay; the run ends. */
void oracle_fail(struct world *w, const char *promise, unsigned unit, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Until when nodes `a` and `b` may both answer for `unit`, having begun at `since_us`; below now: not at all. */
int64_t allowance_limit(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us,
                        const char **reason);
void allowance_print(FILE *out);
/* Network, loop and kernel delays that one reaction may cost in this world. */
int64_t allowance_reaction_us(const struct world *w);
/* The same, where a batch that was under way when the faults ended may take as long as any did before. */
int64_t allowance_closing_us(const struct world *w);

/* ---- settle.c ---- */
int64_t settle_cover_bound_us(const struct world *w);
int64_t settle_move_gap_us(const struct world *w);
bool settle_can_hold(const struct world *w, unsigned node, unsigned unit);
void settle_check_covered(struct world *w);
bool settle_is_even(const struct world *w, unsigned *from, unsigned *to);
unsigned settle_load(const struct world *w, unsigned node);
unsigned settle_share(const struct world *w, unsigned node);
unsigned settle_moves_needed(const struct world *w);
void settle_print_plans(const struct world *w);
void settle_check_nothing_left(struct world *w, unsigned node);

/* ---- profile.c ---- */
enum fault_kind {
    FAULT_CRASH,
    FAULT_PAUSE,
    FAULT_PARTITION,
    FAULT_CUT,
    FAULT_LINK,
    FAULT_ONE_WAY,
    FAULT_DEAF,
    FAULT_MUTE,
    FAULT_LEAVE,
    FAULT_DRAIN,
    FAULT_TAKE,
    FAULT_RELEASE,
    FAULT_SHARE,
    FAULT_REBALANCE,
    FAULT_STRANGER,
    FAULT_SECOND_LINK,
    FAULT_GATEWAY,
    FAULT_TRACK,
    FAULT_RELOAD,
    FAULT_KIND_COUNT,
};

struct profile {
    const char *name;
    const char *about;
    uint8_t hosts_min, hosts_max;
    uint16_t units_min, units_max;
    int64_t delay_min_us, delay_max_us;
    uint32_t loss_ppm_max, duplicate_ppm, echo_ppm;
    bool reorder, lease_off, ipv6_only;
    bool drop_isolated; /* on_isolation drop, which is the daemon's default */
    bool routers;      /* hosts run instances instead of a pool */
    bool quiet;        /* no faults but at most one: moves are counted exactly */
    int64_t jitter_us; /* the loop's lateness */
    struct kernel_profile kernel;
    int64_t fault_every_us; /* mean time between faults; 0: none */
    uint8_t weight[FAULT_KIND_COUNT];
    uint8_t seeds_percent; /* of the asked number of seeds, for costly profiles; 0: 100 */
    bool renumbers; /* FAULT_RELOAD gives units other VRIDs, too */
};

extern const struct profile profiles[];
extern const unsigned profile_count;
const struct profile *profile_find(const char *name);

/* ---- routers.c ---- */
/* What an EVENT_TRACK says of a unit's instance. */
void routers_track(struct world *w, unsigned node, unsigned unit, bool fault, int weight);
void routers_configure_host(struct world *w, unsigned node);
void routers_pick(struct world *w);
/* The units of its group, or itself alone: from..end-1. */
void routers_group_of(const struct world *w, unsigned unit, unsigned *from, unsigned *end);
int64_t routers_converge_us(const struct world *w);
void routers_check_winners(struct world *w);
/* Two hosts claim the unit, and the stronger one means to have it: the RFC's election is under way. */
bool routers_elect(const struct world *w, unsigned a, unsigned b, unsigned unit);

/* ---- world.c ---- */
#define FAULTS_MAX 64
struct fault {
    bool active;
    uint8_t kind; /* enum fault_kind */
    uint8_t a, b; /* nodes; FAULT_TRACK: node and unit */
};

struct world {
    struct prng prng;
    int64_t now_us;
    struct queue queue;
    struct packets packet_store;
    const struct profile *profile;
    uint64_t seed;
    unsigned host_count, unit_count, link_count;
    bool lease; /* arp_filter lease, else off */
    uint8_t family;
    uint8_t version;
    int64_t advert_us, member_us, lease_us, startup_us, rebalance_us;
    unsigned rebalance_moves;
    bool rebalance, weighted;
    bool routers; /* hosts run instances; member_us is advert_us then */
    struct {
        bool preempt, ties, owner; /* all priorities equal; the strongest has 255 */
        unsigned group_size;       /* units that move together; 0: each alone */
        int64_t preempt_delay_us;
    } rules; /* of instances */
    int64_t jitter_us;
    unsigned receive_limit; /* packets a host's queue holds; more are lost */
    struct kernel_profile kernel;
    struct lan lan;
    struct host hosts[SIM_HOSTS_MAX];
    struct stranger strangers[SIM_STRANGERS_MAX];
    struct unit_settings units[SIM_UNITS_MAX];
    struct addr unit_addresses[SIM_UNITS_MAX][3];
    struct addr eligible[SIM_UNITS_MAX][SIM_HOSTS_MAX];
    struct addr prefer[SIM_UNITS_MAX][2];
    uint16_t vrid_unit[256]; /* unit by VRID, SIM_UNITS_MAX: none */
    bool safety;             /* faults may begin */
    bool stopped;            /* world_run_until: the milestone was reached */
    struct fault faults[FAULTS_MAX];
    int64_t faults_over_us;
    struct oracle oracle;
    struct stats stats;
    FILE *report; /* where a broken promise is described; NULL: nowhere */
    struct trace trace;
};

struct world *world_new(void);
void world_free(struct world *w);
/* Empties the world and makes it anew: settings, hosts (all down), strangers. */
void world_init(struct world *w, const struct profile *profile, uint64_t seed);
/* The part of world_init that scenarios share: after they have set counts and intervals. */
void world_clear(struct world *w, const struct profile *profile, uint64_t seed);
void world_make_units(struct world *w, bool fancy);
void world_make_hosts(struct world *w);
void world_configure(struct world *w);
void world_at(struct world *w, int64_t at_us, enum sim_event_kind kind, unsigned node, unsigned small, uint32_t value);
void world_run_until(struct world *w, int64_t until_us);
void world_run_for(struct world *w, int64_t us);
int64_t world_random(struct world *w, int64_t low, int64_t high);
bool world_chance(struct world *w, unsigned percent);
struct stranger *world_stranger(struct world *w, unsigned node);
uint8_t world_node_of(const struct world *w, const struct addr *a); /* SIM_NONE: nobody's */
static inline bool world_is_host(unsigned node)
{
    return node < SIM_STRANGER_FIRST;
}

/* ---- fault.c ---- */
void fault_next(struct world *w); /* SIM_FAULT */
void fault_end(struct world *w, unsigned index);
void fault_begin(struct world *w, enum fault_kind kind);
void fault_stop_all(struct world *w); /* everything mended; every host runs */
void fault_leave_one_broken(struct world *w);

/* ---- run.c ---- */
void run_seed(struct world *w, const struct profile *profile, uint64_t seed);

/* ---- scenario.c ---- */
/* Runs all scenarios whose name contains `filter` (NULL: all), each with these seeds; returns the number that failed.
 */
unsigned scenario_run_all(struct world *w, const char *filter, uint64_t from, uint64_t to, unsigned *count);

#endif
