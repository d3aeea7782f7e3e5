/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rig of core_rig.h. */
#include "core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_US (100 * (int64_t)US_PER_S)

struct addr rig_address(unsigned last_byte)
{
    return addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){192, 0, 2, (uint8_t)last_byte});
}

struct rig *rig_new(unsigned pool_count, unsigned unit_count)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->settings = (struct core_settings){.pool_count = (uint8_t)pool_count, .link_count = 2, .pools = rig->pools};
    for (unsigned p = 0; p < pool_count; p++) {
        rig->pools[p] = (struct pool_settings){
            .family = FAMILY_IPV4,
            .version = 3,
            .checksum = WIRE_CHECKSUM_PLAIN,
            .share = 100,
            .rebalance = true,
            .rebalance_moves = 1,
            .unit_count = (uint16_t)unit_count,
            .advert_interval_us = RIG_ADVERT_US,
            .member_interval_us = RIG_MEMBER_US,
            .rebalance_interval_us = US_PER_S,
            .units = rig->units[p],
        };
        unsigned first = unit_count > 200 ? 1 : RIG_FIRST_VRID + 100 * p;
        for (unsigned u = 0; u < unit_count; u++) {
            rig->addresses[p][u] = rig_address(first + u);
            rig->units[p][u] = (struct unit_settings){
                .vrid = (uint8_t)(first + u), .address_count = 1, .addresses = &rig->addresses[p][u], .links = 1};
        }
    }
    return rig;
}

void rig_free(struct rig *rig)
{
    free(rig->storage);
    free(rig->effects.list);
    free(rig);
}

/* What a pool says of its units' advertisements holds for each of them. */
void rig_fill_units(struct rig *rig)
{
    for (unsigned p = 0; p < rig->settings.pool_count; p++) {
        const struct pool_settings *pool = &rig->pools[p];
        for (unsigned u = 0; u < pool->unit_count; u++) {
            struct unit_settings *unit = &rig->units[p][u];
            unit->link = pool->link;
            unit->family = pool->family;
            unit->version = pool->version;
            unit->checksum = pool->checksum;
            unit->advert_interval_us = pool->advert_interval_us;
        }
    }
}

void rig_start(struct rig *rig, int64_t now_us)
{
    rig_fill_units(rig);
    rig->now_us = now_us;
    rig->storage = malloc(core_storage_size(&rig->settings));
    rig->effects.capacity = effects_capacity(&rig->settings);
    rig->effects.list = calloc(rig->effects.capacity, sizeof(struct effect));
    assert_true(rig->storage != NULL && rig->effects.list != NULL);
    rig->core = core_init(rig->storage, &rig->settings, (struct mono){now_us});
    rig_link(rig, 0, true, RIG_SELF);
    rig_run(rig, 0);
}

struct rig *rig_alone(unsigned unit_count)
{
    struct rig *rig = rig_new(1, unit_count);
    rig_start(rig, START_US);
    rig_run(rig, 5 * (int64_t)US_PER_S);
    assert_int_equal(rig_load(rig), unit_count);
    rig_mark(rig);
    return rig;
}

struct rig_peer *rig_find_peer(struct rig *rig, unsigned last_byte)
{
    for (unsigned i = 0; i < rig->peer_count; i++) {
        if (rig->peers[i].last_byte == last_byte) {
            return &rig->peers[i];
        }
    }
    return NULL;
}

struct rig_peer *rig_peer(struct rig *rig, unsigned last_byte, unsigned share)
{
    struct rig_peer *peer = rig_find_peer(rig, last_byte);
    if (peer == NULL) {
        assert_true(rig->peer_count < RIG_PEERS);
        peer = &rig->peers[rig->peer_count++];
        *peer = (struct rig_peer){.last_byte = (uint8_t)last_byte};
    }
    peer->share = (uint8_t)share;
    peer->member_next_us = rig->now_us;
    return peer;
}

void rig_peer_takes(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority)
{
    struct rig_peer *peer = rig_find_peer(rig, last_byte);
    assert_non_null(peer);
    peer->holds[unit] = (uint8_t)priority;
    peer->unit_next_us[unit] = rig->now_us;
}

/* --- the shell --- */

static void rig_answer_probe(struct rig *rig, unsigned pool)
{
    struct mono now = {rig->now_us};
    switch ((enum rig_third_party)rig->third_party) {
    case THIRD_PARTY_UNKNOWN:
        rig_event(rig, (struct event){.kind = EVENT_PROBE_IMPOSSIBLE, .pool = (uint8_t)pool});
        break;
    case THIRD_PARTY_ANSWERS:
        rig->now_us += 300;
        rig_event(rig, (struct event){.kind = EVENT_HEARD, .probe_answer = true, .received = {now.us + 300}});
        break;
    case THIRD_PARTY_SILENT:
        break;
    }
}

static void rig_obey(struct rig *rig, const struct effect *effect)
{
    struct event event = {.pool = effect->pool, .sequence = effect->sequence};
    switch ((enum effect_kind)effect->kind) {
    case EFFECT_LEVEL:
        event.kind = EVENT_LEVEL_DONE;
        event.unit = effect->unit;
        event.error = effect->level == LEVEL_ANSWERING ? rig->kernel_error : 0;
        if (!rig->manual_kernel) {
            rig_event(rig, event);
        }
        break;
    case EFFECT_ARM:
        event.kind = EVENT_ARMED;
        rig_event(rig, event);
        break;
    case EFFECT_SEND:
        event.kind = EVENT_SENT;
        if (effect->unit == EFFECT_NO_UNIT) {
            rig_event(rig, event);
        }
        break;
    case EFFECT_PROBE:
        rig_answer_probe(rig, effect->pool);
        break;
    case EFFECT_ANNOUNCE:
    case EFFECT_NOTE:
    case EFFECT_LEFT:
        break;
    }
}

enum core_result rig_event(struct rig *rig, struct event event)
{
    uint8_t packet[WIRE_PACKET_MAX];
    event.now = (struct mono){rig->now_us};
    rig->effects.count = 0;
    enum core_result result = core_step(rig->core, &event, &rig->effects);
    unsigned from = rig->logged, count = rig->effects.count;
    rig->most_effects = count > rig->most_effects ? count : rig->most_effects;
    core_check(rig->core);
    for (unsigned i = 0; i < count; i++) {
        assert_true(rig->logged < RIG_LOG);
        rig->log[rig->logged++] = rig->effects.list[i];
        if (rig->effects.list[i].kind == EFFECT_SEND) {
            assert_true(core_encode(rig->core, &rig->effects.list[i], packet, sizeof(packet)) > 0);
        }
    }
    for (unsigned i = from; i < from + count; i++) {
        struct effect effect = rig->log[i];
        rig_obey(rig, &effect);
    }
    return result;
}

enum core_result rig_command(struct rig *rig, enum event_kind kind, unsigned unit)
{
    return rig_event(rig, (struct event){.kind = (uint8_t)kind, .unit = (uint16_t)unit});
}

void rig_link(struct rig *rig, unsigned link, bool up, unsigned primary_last_byte)
{
    struct event event = {.kind = EVENT_LINK, .link = (uint8_t)link, .up = up};
    event.primary_ipv4 = primary_last_byte != 0 ? rig_address(primary_last_byte) : ADDR_NONE;
    rig_event(rig, event);
}

void rig_level_done(struct rig *rig, unsigned unit, int32_t error)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        const struct effect *effect = &rig->log[i - 1];
        if (effect->kind == EFFECT_LEVEL && effect->unit == unit) {
            struct event event = {.kind = EVENT_LEVEL_DONE, .unit = (uint16_t)unit, .error = error};
            event.sequence = effect->sequence;
            event.pool = effect->pool;
            rig_event(rig, event);
            return;
        }
    }
    fail_msg("no level was asked for unit %u", unit);
}

/* --- packets and time --- */

struct advert rig_advert(const struct rig *rig, unsigned last_byte, int unit, unsigned priority)
{
    const struct pool_settings *pool = &rig->pools[0];
    bool member = unit == RIG_MEMBER;
    return (struct advert){
        .source = rig_address(last_byte),
        .destination = wire_group(FAMILY_IPV4),
        .version = member ? 3 : pool->version,
        .vrid = member ? (uint8_t)last_byte : pool->units[unit].vrid,
        .priority = (uint8_t)priority,
        .checksum = WIRE_CHECKSUM_PLAIN,
        .interval_us = (uint32_t)(member ? pool->member_interval_us : pool->advert_interval_us),
        .address_count = member ? 1 : pool->units[unit].address_count,
        .addresses = member ? NULL : pool->units[unit].addresses,
    };
}

void rig_hear_advert(struct rig *rig, const struct advert *advert)
{
    uint8_t packet[WIRE_PACKET_MAX];
    struct advert own = *advert;
    own.addresses = own.addresses == NULL ? &own.source : own.addresses;
    size_t length = wire_encode(&own, packet, sizeof(packet));
    assert_true(length > 0);
    rig_event(rig, (struct event){
                       .kind = EVENT_PACKET, .packet = packet, .packet_length = length, .received = {rig->now_us}});
}

void rig_hear(struct rig *rig, unsigned last_byte, int unit, unsigned priority)
{
    struct advert advert = rig_advert(rig, last_byte, unit, priority);
    rig_hear_advert(rig, &advert);
}

static int64_t rig_peers_next_us(const struct rig *rig)
{
    int64_t next = INT64_MAX;
    for (unsigned i = 0; i < rig->peer_count; i++) {
        const struct rig_peer *peer = &rig->peers[i];
        next = peer->share != 0 && peer->member_next_us < next ? peer->member_next_us : next;
        for (unsigned u = 0; u < rig->pools[0].unit_count; u++) {
            next = peer->holds[u] != 0 && peer->unit_next_us[u] < next ? peer->unit_next_us[u] : next;
        }
    }
    return next;
}

static void rig_peers_speak(struct rig *rig)
{
    for (unsigned i = 0; i < rig->peer_count; i++) {
        struct rig_peer *peer = &rig->peers[i];
        if (peer->share != 0 && peer->member_next_us <= rig->now_us) {
            peer->member_next_us = rig->now_us + rig->pools[0].member_interval_us;
            rig_hear(rig, peer->last_byte, RIG_MEMBER, peer->share);
        }
        for (unsigned u = 0; u < rig->pools[0].unit_count; u++) {
            if (peer->holds[u] != 0 && peer->unit_next_us[u] <= rig->now_us) {
                peer->unit_next_us[u] = rig->now_us + rig->pools[0].advert_interval_us;
                rig_hear(rig, peer->last_byte, (int)u, peer->holds[u]);
            }
        }
    }
}

/* As the shell does: packets first, then one tick, and again while something is due at this very moment. */
void rig_run(struct rig *rig, int64_t for_us)
{
    int64_t until_us = rig->now_us + for_us;
    unsigned idle_ticks = 0;
    for (;;) {
        int64_t before_us = rig->now_us;
        rig_peers_speak(rig);
        unsigned logged_before = rig->logged;
        rig_event(rig, (struct event){.kind = EVENT_TICK});
        if (rig->logged != logged_before) { /* the shell's answers were events too */
            rig_event(rig, (struct event){.kind = EVENT_TICK});
        }
        int64_t deadline_us = core_deadline(rig->core).us;
        int64_t next_us = rig_peers_next_us(rig);
        next_us = deadline_us < next_us ? deadline_us : next_us;
        if (next_us > until_us) {
            break;
        }
        rig->now_us = next_us > rig->now_us ? next_us : rig->now_us;
        idle_ticks = rig->now_us == before_us ? idle_ticks + 1 : 0;
        assert_true(idle_ticks < 8); /* a deadline that is always due would spin the daemon */
        rig->logged = rig->logged > RIG_LOG * 3 / 4 ? 0 : rig->logged; /* a long run: only its end is kept */
    }
    rig->now_us = until_us > rig->now_us ? until_us : rig->now_us;
}

void rig_sleep(struct rig *rig, int64_t for_us)
{
    rig->now_us += for_us;
}

/* --- what came of it --- */

void rig_mark(struct rig *rig)
{
    rig->logged = 0;
}

static bool rig_is_unit(const struct effect *effect, int unit)
{
    return effect->unit == (unit == RIG_MEMBER ? EFFECT_NO_UNIT : (uint16_t)unit);
}

unsigned rig_sends(const struct rig *rig, int unit, int priority)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct effect *effect = &rig->log[i];
        count +=
            effect->kind == EFFECT_SEND && rig_is_unit(effect, unit) && (priority < 0 || effect->priority == priority);
    }
    return count;
}

unsigned rig_count(const struct rig *rig, enum effect_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        count += rig->log[i].kind == kind;
    }
    return count;
}

unsigned rig_notes(const struct rig *rig, enum note_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        count += rig->log[i].kind == EFFECT_NOTE && rig->log[i].note == kind;
    }
    return count;
}

unsigned rig_position(const struct rig *rig, enum effect_kind kind, int unit, int value)
{
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct effect *effect = &rig->log[i];
        int its = effect->kind == EFFECT_SEND ? effect->priority : effect->level;
        if (effect->kind == kind && rig_is_unit(effect, unit) && (value < 0 || its == value)) {
            return i;
        }
    }
    return RIG_LOG;
}

struct unit_view rig_unit(const struct rig *rig, unsigned unit)
{
    struct unit_view view;
    core_view_unit(rig->core, 0, unit, &view);
    return view;
}

struct pool_view rig_pool(const struct rig *rig)
{
    struct pool_view view;
    core_view_pool(rig->core, 0, &view);
    return view;
}

struct pool_counters rig_counters(const struct rig *rig)
{
    struct pool_counters counters;
    core_view_pool_counters(rig->core, 0, &counters);
    return counters;
}

bool rig_holds(const struct rig *rig, unsigned unit)
{
    struct unit_view view = rig_unit(rig, unit);
    return view.state == ROUTER_ACTIVE && view.level == LEVEL_ANSWERING && view.level_done == LEVEL_ANSWERING;
}

unsigned rig_load(const struct rig *rig)
{
    unsigned load = 0;
    for (unsigned u = 0; u < rig->pools[0].unit_count; u++) {
        load += rig_holds(rig, u);
    }
    return load;
}
