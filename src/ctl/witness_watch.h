/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the witness knows of each address: the rounds of questions that are still open, the client's cache, and the
 * answers as they come in. Pure: time is an argument, sockets are the caller's. witness_judge turns rounds that are old
 * enough into results.
 *
 * Per address there are rounds. In each, the client's echo request goes to the MAC in its cache; in every
 * `listen_every`th an echo request goes to every known host's own MAC; in every `ask_every`th there is a broadcast ARP
 * request or a neighbour solicitation. A round is judged `lag_us` after it was sent: what has not answered by then did
 * not answer.
 */
#ifndef EVENKEEL_CTL_WITNESS_WATCH_H
#define EVENKEEL_CTL_WITNESS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mono.h"
#include "ctl/witness_frame.h"
#include "ctl/witness_window.h"

#define WITNESS_HOSTS_MAX 16
/* Behind the hosts: the first and a second answer from a virtual MAC, which names no host. */
#define WITNESS_VOICE_VIRTUAL WITNESS_HOSTS_MAX
#define WITNESS_VOICES (WITNESS_HOSTS_MAX + 2)

struct witness_settings {
    unsigned vip_count;
    int64_t interval_us;   /* between two rounds of one address */
    unsigned listen_every; /* >= 1 */
    unsigned ask_every;    /* >= 1 */
    int64_t retry_us;      /* a client without an answer for so long asks anew who has the address */
    int64_t lag_us;
};

/* Answers are kept as microseconds after the round was sent, plus one; 0: none. */
struct witness_round {
    uint32_t number;
    bool client_sent, listen, ask; /* what was asked; without a cache the client could not */
    struct mono sent;
    uint32_t client;
    uint32_t listened[WITNESS_HOSTS_MAX];
    uint32_t asked[WITNESS_VOICES];
};

/* Judgement of one way of asking (listen, or ask) for one address: the last round seen, not yet judged for doubles. */
struct witness_channel {
    bool any;
    struct mono sent;
    uint32_t answers[WITNESS_VOICES];
    struct mono run_start[WITNESS_VOICES]; /* first answer of the unbroken run that holds this round's; valid with it */
    bool dual;                             /* the round before was double */
};

struct witness_cache {
    bool known;
    uint8_t mac[6];
    struct mono updated;  /* last change or confirmation */
    struct mono answered; /* the client's last answer */
    bool asking;
    struct mono asked_at;
};

struct witness_vip {
    uint32_t next_round;
    uint32_t judged; /* rounds below are judged */
    unsigned window; /* that judgement has reached */
    struct witness_cache cache;
    struct witness_channel listen, ask;
    struct mono gap_since;        /* never: the client is served */
    struct mono stale_since;      /* never: not stale */
    int owner;                    /* host that was last seen answering alone */
    unsigned answering;           /* hosts that answered in the last judged listening round */
    struct witness_round *rounds; /* ring */
};

enum witness_event_kind {
    WITNESS_MOVE,   /* vip, at, hosts[0] -> hosts[1] */
    WITNESS_GAP,    /* vip, at, length_us: it has ended */
    WITNESS_DUAL,   /* vip, at, hosts: began */
    WITNESS_STALE,  /* vip, at, length_us: it has ended */
    WITNESS_WINDOW, /* window: judged completely */
};

struct witness_event {
    uint8_t kind; /* enum witness_event_kind */
    unsigned vip, window;
    struct mono at;
    int64_t length_us;
    int hosts[2];
};

typedef void witness_event_sink(void *context, const struct witness_event *event);

struct witness_watch {
    struct witness_settings settings;
    unsigned ring; /* rounds kept per address */
    struct witness_vip *vips;
    struct witness_record record;
    witness_event_sink *sink;
    void *context;
};

/* 0 or -ENOMEM. `sink` is called from witness_watch_plan and witness_watch_finish. */
int witness_watch_open(struct witness_watch *watch, const struct witness_settings *settings, witness_event_sink *sink,
                       void *context);
void witness_watch_close(struct witness_watch *watch);

struct witness_plan {
    uint32_t round;
    bool client, listen, ask;
    uint8_t client_mac[6];
};

/* Judges what is old enough, opens the next round of `vip` as sent at `now` and says what to send. */
void witness_watch_plan(struct witness_watch *watch, unsigned vip, struct mono now, struct witness_plan *plan);

/* An echo request came back; a tag that fits nothing open is ignored. */
void witness_watch_echo(struct witness_watch *watch, const struct witness_tag *tag, struct mono received);

/* A claim to `vip` was seen. `host`: whose MAC it is, WITNESS_VOICE_VIRTUAL, or WITNESS_HOST_NONE when unknown. */
void witness_watch_claim(struct witness_watch *watch, unsigned vip, const struct witness_seen *seen, int host,
                         struct mono received);

/* Begins a new measuring window at `now`. */
void witness_watch_mark(struct witness_watch *watch, const char *name, struct mono now, uint64_t dropped);

/* Judges everything that is open; nothing may be sent afterwards. */
void witness_watch_finish(struct witness_watch *watch, struct mono now);

#endif
