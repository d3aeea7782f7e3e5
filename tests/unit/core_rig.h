/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One core, driven by hand: time, packets of scripted peers, and a kernel that obeys at once or when told. Shared by
 * test_pool_*.c. The host under test is 192.0.2.10; peers are 192.0.2.N. Units have VRID 51, 52, ... and the address
 * 192.0.2.VRID. Every step is followed by core_check().
 */
#ifndef EVENKEEL_TESTS_CORE_RIG_H
#define EVENKEEL_TESTS_CORE_RIG_H

#include "core/core.h"
#include "core/view.h"

#define RIG_POOLS 2
#define RIG_UNITS 255
#define RIG_PEERS 70
#define RIG_LOG 16384
#define RIG_SELF 10
#define RIG_MEMBER (-1)   /* in place of a unit: the member's own virtual router */
#define RIG_FIRST_VRID 51 /* of unit 0 of pool 0; a second pool starts at 151 */
#define RIG_MEMBER_US (250 * US_PER_MS)
#define RIG_ADVERT_US (1000 * US_PER_MS)

enum rig_third_party { THIRD_PARTY_UNKNOWN, THIRD_PARTY_SILENT, THIRD_PARTY_ANSWERS };

/* A host that sends its member advertisement each interval, and those of the units it holds. */
struct rig_peer {
    uint8_t last_byte;
    uint8_t share; /* 0: it says nothing */
    int64_t member_next_us;
    uint8_t holds[RIG_UNITS]; /* priority per unit, 0: not its */
    int64_t unit_next_us[RIG_UNITS];
};

struct rig {
    struct core_settings settings;
    struct pool_settings pools[RIG_POOLS];
    struct unit_settings units[RIG_POOLS][RIG_UNITS];
    struct addr addresses[RIG_POOLS][RIG_UNITS];
    void *storage;
    struct core *core;
    struct effects effects;
    struct effect log[RIG_LOG]; /* all effects since rig_mark() */
    unsigned logged;
    unsigned most_effects; /* of one step */
    int64_t now_us;
    uint8_t third_party;  /* enum rig_third_party */
    bool manual_kernel;   /* levels are confirmed by rig_level_done only */
    int32_t kernel_error; /* what LEVEL_ANSWERING is answered with */
    struct rig_peer peers[RIG_PEERS];
    unsigned peer_count;
};

/* Settings for `unit_count` units per pool, to be changed before rig_start. */
struct rig *rig_new(unsigned pool_count, unsigned unit_count);
void rig_free(struct rig *rig);
/* What units repeat of their pool's settings; rig_start does it too. */
void rig_fill_units(struct rig *rig);
/* The core begins at `now_us`, with its link up. */
void rig_start(struct rig *rig, int64_t now_us);
/* rig_new, rig_start at 100 s, and so long alone that all units are ours. */
struct rig *rig_alone(unsigned unit_count);

struct addr rig_address(unsigned last_byte);
struct rig_peer *rig_peer(struct rig *rig, unsigned last_byte, unsigned share);
struct rig_peer *rig_find_peer(struct rig *rig, unsigned last_byte);
void rig_peer_takes(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority);

enum core_result rig_event(struct rig *rig, struct event event);
enum core_result rig_command(struct rig *rig, enum event_kind kind, unsigned unit);
void rig_link(struct rig *rig, unsigned link, bool up, unsigned primary_last_byte);
void rig_level_done(struct rig *rig, unsigned unit, int32_t error); /* the newest level asked for */
/* Time passes: peers speak, timers fire. */
void rig_run(struct rig *rig, int64_t for_us);
/* One advertisement from 192.0.2.`last_byte`, heard now. */
void rig_hear(struct rig *rig, unsigned last_byte, int unit, unsigned priority);
void rig_hear_advert(struct rig *rig, const struct advert *advert);
struct advert rig_advert(const struct rig *rig, unsigned last_byte, int unit, unsigned priority);
/* Time passes for nobody else: the next thing the core sees is a tick that late. */
void rig_sleep(struct rig *rig, int64_t for_us);

void rig_mark(struct rig *rig);
/* Effects since the mark. `priority`: of EFFECT_SEND, -1 any; unit RIG_MEMBER: the member's. */
unsigned rig_sends(const struct rig *rig, int unit, int priority);
unsigned rig_count(const struct rig *rig, enum effect_kind kind);
unsigned rig_notes(const struct rig *rig, enum note_kind kind);
/* The position in the log of the first such effect; RIG_LOG: none. */
unsigned rig_position(const struct rig *rig, enum effect_kind kind, int unit, int value);

struct unit_view rig_unit(const struct rig *rig, unsigned unit);
struct pool_view rig_pool(const struct rig *rig);
struct pool_counters rig_counters(const struct rig *rig);
bool rig_holds(const struct rig *rig, unsigned unit); /* Active and answering */
unsigned rig_load(const struct rig *rig);

#endif
