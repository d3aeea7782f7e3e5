/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker: the process that speaks VRRP. It ties the pure core to the kernel, the network, the clock and the control
 * socket. This header is its inside, shared by the files that each do one of its jobs:
 *
 *   worker.c       starting, leaving
 *   worker_turn.c  the turn of the loop
 *   link.c         what the kernel says of the interfaces -> packet ports, EVENT_LINK
 *   intake.c       frames -> EVENT_PACKET, EVENT_HEARD, EVENT_CONFLICT
 *   background.c   questions that nothing asked for: who else answers for what is held, is anybody there
 *   apply.c        effects -> kernel levels, frames, announcements, notes
 *   announcing.c   schedules of announcements -> frames
 *   tracking.c     checks, files, processes, interfaces -> EVENT_TRACK, EVENT_SHARE
 *   tell.c         the core's notes -> commands and FIFOs, by way of the guard
 *   notes.c        the core's notes -> history, its file and the log
 *   worker_view.c  what the control socket shows, commands, drained pools
 *   worker_reload.c  going on with another configuration
 *
 * Everything happens in turns. A turn takes in all that is there (kernel reports, frames, commands), steps the core
 * with each, once with EVENT_TICK, applies effects in their order, and then hands out what they queued at once: one
 * batch to the kernel's thread, one sendmmsg per link, announcements last.
 */
#ifndef EVENKEEL_DAEMON_WORKER_H
#define EVENKEEL_DAEMON_WORKER_H

#include <sys/types.h>

#include "core/core.h"
#include "daemon/announce.h"
#include "daemon/audit.h"
#include "daemon/changes.h"
#include "daemon/channel.h"
#include "daemon/control.h"
#include "daemon/daemon_view.h"
#include "daemon/dialect.h"
#include "daemon/guard_page.h"
#include "daemon/history.h"
#include "daemon/history_file.h"
#include "daemon/loop.h"
#include "daemon/orders.h"
#include "daemon/rival.h"
#include "daemon/rundir.h"
#include "daemon/state.h"
#include "daemon/thirdparty.h"
#include "daemon/unicast.h"
#include "daemon/vip_index.h"
#include "platform/frame.h"
#include "platform/kernel.h"
#include "platform/packet.h"

#define WORKER_COUNTERS_MAX 40 /* of worker_view.c's own */

struct worker_link {
    struct kernel_link state; /* as last reported */
    bool known;               /* reported at all */
    struct packet_port *port; /* NULL: not there, or could not be opened */
    struct loop_watch *watch; /* of the port */
    int port_ifindex;         /* what the port was opened on */
    uint64_t send_errors;     /* of the port, at the last flush */
    bool refused;             /* the last flush had some */
    bool readable;            /* frames wait, as the loop says */
    struct mono heard_next;   /* EVENT_HEARD is not wanted before this */
    struct mono open_next;    /* when to try again to open the port; MONO_NEVER: no need */
    bool open_failed;         /* said so already */
    struct rival rival;       /* another host that has our address */
};

struct worker_unit {
    uint8_t level; /* enum unit_level last asked of the kernel */
    bool spoke;    /* of an instance: an advertisement was queued since the last flush */
    bool refused;  /* of a unicast instance: the last flush sent none of it */
    struct mono answering_since;
    struct mono conflict_next; /* EVENT_CONFLICT is not wanted before this */
};

struct worker_pool {
    struct worker_unit *units;
    struct announce *announce;
    struct announce_lane *lanes; /* of its announcements; a set has two for each link */
    uint8_t *lane_numbers;       /* of a set: by address of all units; NULL: a pool has one lane */
    bool spoke;                  /* a member's or an instance's advertisement was queued since the last flush */
    uint8_t vmac;                /* enum kernel_vmac */
    bool probe_impossible;       /* EFFECT_PROBE found nobody to ask; the core is not told yet */
    struct daemon_conflict *conflicts;
    struct daemon_own_mac *own_macs;
    struct owner_changes changes;
    char filter_text[sizeof(((struct kernel_report *)0)->text)];
};

struct worker_counters {
    uint64_t frames_ignored;                /* neither VRRP nor ARP/ND that can be read */
    uint64_t sends_without_link;            /* advertisements that had no port to leave by */
    uint64_t unicast_sent, unicast_refused; /* packets to single peers */
    uint64_t frames_stale;                  /* thrown away: this process was stopped between deciding and sending */
    uint64_t conflicts;                     /* somebody else was seen answering for a unit held here */
    uint64_t duplicates;                    /* ... for this host's own address, and speaks VRRP from it */
    uint64_t restored;                      /* addresses or tables put back after somebody removed them */
    uint64_t netlink_overruns;
    uint64_t kernel_failures; /* levels that the kernel refused */
};

struct dump_files;
struct worker_next;

struct worker {
    const struct config *config;
    struct config *reloaded;   /* the same, when a reload has made it; NULL: it is the guard's */
    struct worker_next *next;  /* of the reload under way */
    char *reload_text;         /* of the last one's result */
    bool kernel_paused;        /* ... the kernel's thread waits for the change-over */
    enum channel_message owed; /* to the guard, about the last one; CHANNEL_MESSAGE_COUNT: nothing */
    const struct daemon_dialect *dialect;
    const char *config_id, *run_dir; /* for dumps */
    struct dump_files *dumps;
    unsigned number; /* number.h */
    struct guard_page *page;
    void *storage; /* of the core */
    struct core *core;
    struct effects effects;
    struct loop *loop;
    struct kernel *kernel;
    struct control *control;
    struct history *history;
    struct history_file *history_file; /* NULL: not kept */
    uint64_t logged;                   /* sequence of the newest entry that is in the log and went to the file */
    struct state *state;
    struct thirdparty *thirdparty;
    struct unicast *unicast;
    struct vip_index *vips;
    struct audit *audit;
    struct worker_link links[SETTINGS_LINKS_MAX];
    struct worker_pool pools[SETTINGS_POOLS_MAX]; /* pools, then sets */
    struct worker_counters counters;
    struct packet_stats past; /* of ports that are closed */
    struct mono started;
    int channel;          /* to the guard */
    struct orders orders; /* to the guard, about commands */
    struct tracking *tracking;
    int signals;
    int64_t patience_us;      /* the shortest interval after which others act: frames older than this are not sent */
    struct mono queued_since; /* the oldest decision behind a queued frame; MONO_NEVER: none */
    bool kernel_readable;
    bool kernel_dirty;           /* levels were queued since the last commit */
    bool leaving;                /* EVENT_LEAVE was given to the core */
    bool signalled;              /* a first signal came; a second one forces */
    bool forced;                 /* leave without waiting for the core */
    bool left;                   /* EFFECT_LEFT came */
    struct mono retry_next;      /* when link_retry is wanted */
    struct mono background_next; /* when background_ask is wanted */
    struct mono settle_at;       /* when the start is over: its memory is given back */
    struct mono tracking_next;   /* when tracking_run is wanted */
    struct mono log_next;        /* when log_tick is wanted */
    struct mono ask_next;        /* when third parties are asked in the background; audit.h keeps its own time */
    struct mono leave_by;        /* after this, leave without waiting */
    struct loop_watch *kernel_watch, *channel_watch, *signal_watch, *dump_watch;
    /* what worker_view.c builds for readers */
    struct daemon_view view;
    struct daemon_pool_view pool_views[SETTINGS_POOLS_MAX];
    struct kernel_link link_views[SETTINGS_LINKS_MAX];
    struct daemon_rival rival_views[SETTINGS_LINKS_MAX];
    struct daemon_counter counter_views[WORKER_COUNTERS_MAX];
};

/* worker.c: what a pool or set of `config` needs. 0 or -ENOMEM; to be freed in either case. */
int worker_make_pool(const struct config *config, unsigned index, struct worker_pool *pool);
void worker_free_pool(struct worker_pool *pool);
/* Sets patience_us by the configuration. */
void worker_set_patience(struct worker *worker);

/* worker_turn.c: sleeps until something is due or there, and deals with all of it. 0 or a negative errno. */
int worker_turn(struct worker *worker);

/* worker_reload.c: a message of the guard about a reload; what is due of it at the end of a turn; what it has made. */
void worker_reload_take(struct worker *worker, enum channel_message message, const int *files, unsigned count);
void worker_reload_turn(struct worker *worker);
void worker_reload_free(struct worker_next *next); /* NULL is allowed */
/* A control callback. */
int worker_reload_ask(void *context);

/* link.c */
void link_report(struct worker *worker, const struct kernel_report *report, struct mono now);
/* Opens ports whose time for another try has come, and tells the core who gives way to a rival; when it is wanted next.
 */
struct mono link_retry(struct worker *worker, struct mono now);
void link_close_all(struct worker *worker);
/* A reload: links change their places, ports stay open; those that no pool needs any more are closed. Then the new core
 * hears of all that are known. */
void link_take_over(struct worker *worker, const struct handover *map, unsigned link_count);
void link_tell_all(struct worker *worker, struct mono now);

/* intake.c: takes in every frame that was there at `now`; `all`: on every link, else only on those that have some. */
void intake_run(struct worker *worker, bool all, struct mono now);

/* background.c: queues the questions that are due; when it is wanted next. */
struct mono background_ask(struct worker *worker, struct mono now);

/* tracking.c: `orders` becomes the worker's end. 0 or a negative errno; close it in either case. */
struct tracking;
struct track;
int tracking_open(struct worker *worker, int orders, uint32_t connection, struct tracking **out);
void tracking_close(struct tracking *tracking);
/* Starts checks that are due, steps the core with what changed; when it is wanted next. */
struct mono tracking_run(struct tracking *tracking, struct mono now);
/*
 * A reload: what the next configuration needs, which runs beside what is (0 or a negative errno; tracking_unprepare if
 * it comes to nothing), and the change to it, after worker->config has become that one and all orders about the old one
 * were flushed. `pools`: track_take_over.
 */
struct tracking_next;
int tracking_prepare(struct tracking *tracking, const struct config *config, struct tracking_next **out);
void tracking_unprepare(struct tracking_next *next); /* NULL is allowed */
void tracking_go_on(struct tracking *tracking, struct tracking_next *next, uint32_t pools);
/* For readers (track.h). */
const struct track *tracking_track(const struct tracking *tracking);

/* apply.c: steps the core and carries out what comes of it; sending waits for apply_flush. */
enum core_result apply_step(struct worker *worker, const struct event *event);
/* Carries out what is in worker->effects; apply_step does so by itself. */
void apply_effects(struct worker *worker, struct mono now);
/* Hands out what the steps of this turn queued. */
void apply_flush(struct worker *worker, struct mono now);

/* announcing.c: the schedule of a pool or set. 0 or -ENOMEM; to be freed in either case. */
int announcing_make(const struct config *config, unsigned index, struct worker_pool *pool);
void announcing_free(struct worker_pool *pool);
struct mono announcing_deadline(const struct worker *worker);
/* Queues the frames that are due. */
void announcing_run(struct worker *worker, struct mono now);

/* notes.c: an EFFECT_NOTE into the history (changes of ownership are counted, too); everything that is not logged yet
 * into the log. */
void notes_take(struct worker *worker, const struct effect *effect, struct mono now);
void notes_take_conflict(struct worker *worker, const struct vip_place *place, const struct frame_view *view,
                         struct mono now);
void notes_log(struct worker *worker);

/* tell.c: what of an EFFECT_NOTE commands are told. */
void tell_note(struct worker *worker, const struct effect *effect);
/* A reload has given the pool another name, under which nothing was told yet. */
void tell_renamed(struct worker *worker, unsigned pool);

/* worker_view.c */
void worker_view_init(struct worker *worker);
struct control_callbacks worker_view_callbacks(struct worker *worker);
/* Has the file written; what came of those that were. */
void worker_view_dump(struct worker *worker, enum daemon_dump dump);
void worker_view_dumped(struct worker *worker);
/* Before a pool's first advertisement: one that was drained when the daemon last ran is drained again. A pool that is
 * not `new` goes on as it was, and that is written down under its name. */
void worker_view_restore_pool(struct worker *worker, unsigned pool, bool new, struct mono now);

#endif
