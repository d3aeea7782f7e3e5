/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One core with a set of instances, driven by hand: time, packets of scripted routers, and a kernel that obeys at once
 * or when told. Shared by test_instance*.c and test_sync_group.c. The host under test is 10.77.0.1 and fe80::1; others
 * are 10.77.0.N and fe80::N. Instances have VRID 1, 2, ..., priority 100, an interval of 20 cs and the address
 * 10.77.0.(49 + VRID), or fe80::(49 + VRID) and 2001:db8::(49 + VRID). With priority 100 Skew_Time is RIG_SKEW_US and
 * Active_Down_Interval RIG_DOWN_US. Every step is followed by core_check().
 */
#ifndef EVENKEEL_TESTS_INSTANCE_RIG_H
#define EVENKEEL_TESTS_INSTANCE_RIG_H

#include "core/core.h"
#include "core/view.h"

#define RIG_INSTANCES 255
#define RIG_GROUPS 4
#define RIG_LOG 32768
#define RIG_SELF 1
#define RIG_INTERVAL_US (200 * US_PER_MS)
#define RIG_SKEW_US (RIG_INTERVAL_US * 156 / 256)
#define RIG_DOWN_US (3 * RIG_INTERVAL_US + RIG_SKEW_US)

struct logged {
    struct effect effect;
    int64_t at_us;
    uint8_t packet[WIRE_PACKET_MAX]; /* EFFECT_SEND */
    uint16_t length;
};

struct rig {
    struct core_settings settings;
    struct pool_settings set;
    struct unit_settings units[RIG_INSTANCES];
    struct instance_settings instances[RIG_INSTANCES];
    struct addr addresses[RIG_INSTANCES][2];
    struct peer_settings peers[4];
    void *storage;
    struct core *core;
    struct effects effects;
    struct logged *log; /* since rig_mark() */
    unsigned logged;
    unsigned most_effects; /* of one step */
    unsigned steps;
    int64_t now_us;
    bool manual_kernel; /* levels are confirmed by rig_level_done only */
    bool link_late;     /* rig_start leaves the link unknown */
    bool mute;          /* nothing leaves: EVENT_SENT carries an error */
    bool sent;          /* in the step under way */
    bool left;          /* EFFECT_LEFT has come */
    int32_t kernel_error;
};

/* `count` instances, to be changed before rig_start. */
struct rig *rig_new(unsigned count, unsigned version, enum family family);
void rig_free(struct rig *rig);
void rig_start(struct rig *rig); /* at 100 s, the link up */
/* rig_new (version 3, IPv4), rig_start, and so long alone that all are Active. */
struct rig *rig_alone(unsigned count);

struct addr rig_address(enum family family, unsigned last_byte);
void rig_event(struct rig *rig, struct event event);
void rig_link(struct rig *rig, bool up, unsigned primary_last_byte);
void rig_track(struct rig *rig, unsigned unit, bool fault, int weight);
void rig_level_done(struct rig *rig, unsigned unit, int32_t error);
void rig_leave(struct rig *rig);
/* Time passes, timers fire. */
void rig_run(struct rig *rig, int64_t for_us);
/* Time passes for nobody: the next thing that the core sees is that late. */
void rig_sleep(struct rig *rig, int64_t for_us);

struct advert rig_advert(const struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority);
void rig_hear_advert(struct rig *rig, const struct advert *advert);
void rig_hear(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority);
void rig_hear_packet(struct rig *rig, const uint8_t *packet, size_t length);
/* 10.77.0.`last_byte` advertises each interval for so long. */
void rig_feed(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority, int64_t for_us);

void rig_mark(struct rig *rig);
unsigned rig_sends(const struct rig *rig, unsigned unit, int priority);  /* since the mark; -1: any */
int64_t rig_sent_at(const struct rig *rig, unsigned unit, unsigned nth); /* us since the epoch; -1: not sent */
const struct logged *rig_packet(const struct rig *rig, unsigned unit, unsigned nth);
unsigned rig_count(const struct rig *rig, enum effect_kind kind, unsigned unit);
unsigned rig_notes(const struct rig *rig, enum note_kind kind);
const struct effect *rig_note(const struct rig *rig, enum note_kind kind, unsigned nth);
/* Position in the log of the first such effect; `value`: level or priority, -1 any; RIG_LOG: none. */
unsigned rig_position(const struct rig *rig, enum effect_kind kind, unsigned unit, int value);

struct instance_view rig_view(const struct rig *rig, unsigned unit);
struct instance_counters rig_counters(const struct rig *rig, unsigned unit);
struct group_view rig_group(const struct rig *rig, unsigned group);
enum instance_state rig_state(const struct rig *rig, unsigned unit);
/* Runs until the instance becomes Active, for `limit_us` at most; the time that took, -1: it did not. */
int64_t rig_until_active(struct rig *rig, unsigned unit, int64_t limit_us);

#endif
