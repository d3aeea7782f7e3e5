/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/effect.h"

#include <string.h>

#include "base/check.h"

/* Per unit and step at most: state note, owner note, level twice, send twice, announce, contest, one-way, list,
 * failure. */
#define EFFECTS_PER_UNIT 12
#define EFFECTS_PER_POOL 64     /* the pool's own; members' notes come on top */
#define EFFECTS_PER_INSTANCE 20 /* notes of state, priority and what was heard, levels, announcements */
#define SENDS_PER_INSTANCE 4    /* regular, claim, changed priority, answer; to each unicast peer */

static unsigned effects_of_set(const struct pool_settings *set)
{
    unsigned count = 0;
    for (unsigned i = 0; i < set->unit_count; i++) {
        unsigned peers = set->units[i].instance->unicast ? set->units[i].instance->peer_count : 1u;
        count += EFFECTS_PER_INSTANCE + SENDS_PER_INSTANCE * peers;
    }
    return count;
}

unsigned effects_capacity(const struct core_settings *settings)
{
    unsigned capacity = 16u + settings->group_count;
    for (unsigned p = 0; p < settings->pool_count; p++) {
        capacity +=
            EFFECTS_PER_POOL + 2u * PLAN_MEMBERS_MAX + (unsigned)EFFECTS_PER_UNIT * settings->pools[p].unit_count;
    }
    for (unsigned s = settings->pool_count; s < settings_all_count(settings); s++) {
        capacity += effects_of_set(&settings->pools[s]);
    }
    return capacity;
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind, unsigned pool, unsigned unit)
{
    CHECK(effects->count < effects->capacity);
    struct effect *effect = &effects->list[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->kind = (uint8_t)kind;
    effect->pool = (uint8_t)pool;
    effect->unit = (uint16_t)unit;
    return effect;
}

const char *note_kind_name(enum note_kind kind)
{
    static const char *const names[] = {
        [NOTE_UNIT_STATE] = "unit_state",
        [NOTE_UNIT_OWNER] = "unit_owner",
        [NOTE_MEMBER_JOINED] = "member_joined",
        [NOTE_MEMBER_LEFT] = "member_left",
        [NOTE_MEMBER_DEAD] = "member_dead",
        [NOTE_MEMBER_RESERVE] = "member_reserve",
        [NOTE_MEMBER_ACTIVE] = "member_active",
        [NOTE_MEMBERS_FULL] = "members_full",
        [NOTE_MEMBER_VRID] = "member_vrid",
        [NOTE_CONTEST] = "contest",
        [NOTE_ONE_WAY] = "one_way",
        [NOTE_ISOLATED] = "isolated",
        [NOTE_REJOINED] = "rejoined",
        [NOTE_STALLED] = "stalled",
        [NOTE_STRANGER] = "stranger",
        [NOTE_ADDRESS_LIST] = "address_list",
        [NOTE_MOVE_PASSED_OVER] = "move_passed_over",
        [NOTE_KERNEL_FAILED] = "kernel_failed",
        [NOTE_INTERVAL_DIFFERS] = "interval_differs",
        [NOTE_DUPLICATE_ADDRESS] = "duplicate_address",
        [NOTE_INSTANCE_STATE] = "instance_state",
        [NOTE_GROUP_STATE] = "group_state",
        [NOTE_PRIORITY] = "priority",
        [NOTE_WEAKER] = "weaker",
    };
    _Static_assert(ARRAY_LENGTH(names) == NOTE_KIND_COUNT, "a name for each kind");
    CHECK(kind < NOTE_KIND_COUNT);
    return names[kind];
}

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
        [REASON_NONE] = "none",           [REASON_STARTUP] = "startup",
        [REASON_TIMEOUT] = "timeout",     [REASON_MEMBER_DEAD] = "member_dead",
        [REASON_RELEASED] = "released",   [REASON_STRONGER] = "stronger",
        [REASON_PREEMPTED] = "preempted", [REASON_REBALANCE] = "rebalance",
        [REASON_PREFERRED] = "preferred", [REASON_OPERATOR] = "operator",
        [REASON_DRAIN] = "drain",         [REASON_SHUTDOWN] = "shutdown",
        [REASON_LINK_DOWN] = "link_down", [REASON_NO_ADDRESS] = "no_address",
        [REASON_STALL] = "stall",         [REASON_ISOLATED] = "isolated",
        [REASON_ONE_WAY] = "one_way",     [REASON_KERNEL] = "kernel",
        [REASON_HEARD] = "heard",         [REASON_TRACKED] = "tracked",
        [REASON_GROUP] = "group",
    };
    _Static_assert(ARRAY_LENGTH(names) == REASON_COUNT, "a name for each reason");
    CHECK(reason < REASON_COUNT);
    return names[reason];
}

const char *router_state_name(enum router_state state)
{
    static const char *const names[] = {
        [ROUTER_INITIALIZE] = "Initialize",
        [ROUTER_BACKUP] = "Backup",
        [ROUTER_ACTIVE] = "Active",
    };
    _Static_assert(ARRAY_LENGTH(names) == ROUTER_STATE_COUNT, "a name for each state");
    CHECK(state < ROUTER_STATE_COUNT);
    return names[state];
}

const char *instance_state_name(enum instance_state state)
{
    static const char *const names[] = {
        [INSTANCE_INITIALIZE] = "Initialize", [INSTANCE_BACKUP] = "Backup",   [INSTANCE_ACTIVE] = "Active",
        [INSTANCE_FAULT] = "Fault",           [INSTANCE_STOPPED] = "Stopped",
    };
    _Static_assert(ARRAY_LENGTH(names) == INSTANCE_STATE_COUNT, "a name for each state");
    CHECK(state < INSTANCE_STATE_COUNT);
    return names[state];
}
