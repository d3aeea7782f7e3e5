/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core: all of the protocol, pure. No clock, socket, allocation, global or random call: events with their time go
 * in, effects come out, and the next deadline is asked for.
 *
 *   core_step(core, &event, &effects);      apply the effects, in order
 *   core_deadline(core)                     when it wants EVENT_TICK at the latest
 *
 * The shell's loop: hand over every queued packet (EVENT_PACKET), then EVENT_TICK once, then apply. Packets only update
 * what is known; nobody is judged dead, nothing is planned and no timer fires except in EVENT_TICK. So packets that
 * were queued while this host slept are heard before anybody acts on silence (doc/design.md 2.4 f). After the packets
 * of a step are sent, EVENT_SENT for each pool whose member advertisement (EFFECT_SEND without a unit) was among them,
 * and for each set of which any advertisement was: only then is the lease known to be renewed. Time must not run
 * backwards between calls.
 *
 * Sets of instances follow the pools: index pool_count + s, unit = index in the set (settings.h). Of the events that
 * name a pool they understand LEVEL_DONE, SENT, CONFLICT and TRACK; the others are answered CORE_NOT_READY.
 */
#ifndef EVENKEEL_CORE_CORE_H
#define EVENKEEL_CORE_CORE_H

#include "base/mono.h"
#include "core/effect.h"
#include "core/settings.h"
#include "core/wire.h"

struct core;

enum event_kind {
    EVENT_TICK,       /* time passed, or a batch of other events is complete */
    EVENT_PACKET,     /* a VRRP packet, from its IP header on */
    EVENT_LINK,       /* an interface changed: up or down, primary addresses */
    EVENT_LEVEL_DONE, /* an EFFECT_LEVEL was carried out (error 0) or failed */
    EVENT_ARMED,      /* an EFFECT_ARM was carried out */
    /* The member advertisement of the last step has left; `now` is read after it was handed to the kernel. Of a set:
     * its advertisements since the last EVENT_SENT have, all (unit EFFECT_NO_UNIT) or those of `unit`; with `error`
     * they were refused. */
    EVENT_SENT,
    EVENT_HEARD, /* a frame from a third party arrived on the link: this host is not deaf; `probe_answer`: nor mute */
    EVENT_PROBE_IMPOSSIBLE, /* EFFECT_PROBE: no third party is known */
    EVENT_CONFLICT,         /* somebody else was seen answering for a unit (ARP/NA) that we hold */
    EVENT_SHARE, /* this host's share of the pool is now `share` (2..254), or 1: reserve, or 0: it may hold nothing */
    EVENT_DRAIN, /* give everything away, a few units at a time; `now`: all at once */
    EVENT_UNDRAIN,
    EVENT_TAKE,      /* pin a unit here */
    EVENT_RELEASE,   /* give a unit away, or unpin it */
    EVENT_REBALANCE, /* do not wait for penalties or for the round's time */
    EVENT_LEAVE,     /* release everything and say goodbye; ends with EFFECT_LEFT */
    /* What is tracked for an instance, or (unit EFFECT_NO_UNIT) a sync group: `fault`, `no_source`, `weight`. Levels,
     * all of them each time. */
    EVENT_TRACK,
    EVENT_RETIRE, /* a reload drops this unit, or with unit EFFECT_NO_UNIT the pool: see handover.h */
};

struct event {
    uint8_t kind;             /* enum event_kind */
    uint8_t link;             /* PACKET, LINK, HEARD */
    uint8_t pool;             /* LEVEL_DONE, ARMED, SENT, PROBE_IMPOSSIBLE, SHARE, DRAIN..REBALANCE: index */
    uint8_t share;            /* SHARE */
    uint16_t unit;            /* LEVEL_DONE, TAKE, RELEASE, CONFLICT, TRACK, SENT of a set: index */
    uint16_t group;           /* TRACK of a group (unit EFFECT_NO_UNIT): index */
    bool fault;               /* TRACK: something that must not fail has failed */
    bool hold;                /* TRACK, with `fault`: nothing is known yet; who has not started stays in Initialize */
    bool no_source;           /* TRACK: the configured `source` of the instance is not on its interface */
    int16_t weight;           /* TRACK: sum that is added to the instance's priority (held within 1..254) */
    bool up;                  /* LINK */
    bool closed;              /* LINK: taken down or not there, so nothing can be sent, with or without carrier */
    bool now_flag;            /* DRAIN: all at once */
    bool probe_answer;        /* HEARD: an answer to our own question, so we are heard too */
    int32_t error;            /* LEVEL_DONE, SENT of a set: 0 or a positive errno */
    uint32_t sequence;        /* LEVEL_DONE, ARMED: from the effect */
    struct mono now;          /* the time of this call */
    struct mono received;     /* PACKET, HEARD: when the kernel got it; <= now */
    struct addr primary_ipv4; /* LINK: what this host speaks from; ADDR_NONE when there is none */
    struct addr primary_ipv6; /* LINK: the link-local address */
    const uint8_t *packet;    /* PACKET */
    size_t packet_length;
};

/* What became of a command event (others answer CORE_OK). Texts for people: core_result_text(). */
enum core_result {
    CORE_OK,
    CORE_ALREADY,          /* nothing to change */
    CORE_NO_OTHER_MEMBER,  /* release, drain: nobody else could hold it (drain: still marked drained) */
    CORE_PINNED_ELSEWHERE, /* take: a stronger pin of another member; release it there first */
    CORE_NOT_ELIGIBLE,     /* take: `members` of the unit does not list this host, or a link of it is down */
    CORE_NOT_HELD,         /* release: this host neither holds nor pins it */
    CORE_NOT_READY,        /* the pool has no link or address at present, or is leaving or isolated */
    CORE_RESULT_COUNT,
};

const char *core_result_text(enum core_result result);

/* Bytes of storage that core_init needs, suitably aligned by malloc. */
size_t core_storage_size(const struct core_settings *settings);

/*
 * Makes a core in the caller's storage. `settings` stays the caller's and must outlive the core. `now` is the start;
 * all links are taken as down until EVENT_LINK says otherwise.
 */
struct core *core_init(void *storage, const struct core_settings *settings, struct mono now);

/* One event. Appends to `effects` (never resets it). Any packet whatever is safe; other events' indices must be valid.
 */
enum core_result core_step(struct core *core, const struct event *event, struct effects *effects);

/* When EVENT_TICK is wanted at the latest; MONO_NEVER: no timer runs. */
struct mono core_deadline(const struct core *core);

/* Encodes the packet of an EFFECT_SEND, right after the step that made it. Returns its length, 0 when it cannot be. */
size_t core_encode(const struct core *core, const struct effect *effect, uint8_t *packet, size_t capacity);

/* Checks all invariants (CHECK). For tests and the simulator; costs about as much as a step. */
void core_check(const struct core *core);

#endif
