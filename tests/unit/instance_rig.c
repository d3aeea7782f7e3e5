/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rig of instance_rig.h. */
#include "instance_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_US (100 * (int64_t)US_PER_S)

struct addr rig_address(enum family family, unsigned last_byte)
{
    if (family == FAMILY_IPV4) {
        return addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){10, 77, 0, (uint8_t)last_byte});
    }
    return addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0xfe, 0x80, [15] = (uint8_t)last_byte});
}

static void rig_fill(struct rig *rig, unsigned u, unsigned version, enum family family)
{
    unsigned last = (49 + u + 1) % 256;
    unsigned count = 0;

    if (family == FAMILY_IPV6) {
        rig->addresses[u][count++] = rig_address(family, last);
        rig->addresses[u][count++] =
            addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)last});
    } else {
        rig->addresses[u][count++] = rig_address(family, last);
    }
    rig->instances[u] = (struct instance_settings){
        .priority = 100,
        .preempt = true,
        .down_adverts = 3,
        .group = INSTANCE_NO_GROUP,
        .lease_us = RIG_INTERVAL_US * 5 / 2,
        .track_link = true,
        .unicast_ttl = VRRP_TTL,
    };
    rig->units[u] = (struct unit_settings){
        .family = (uint8_t)family,
        .version = (uint8_t)version,
        .checksum = WIRE_CHECKSUM_AUTO,
        .advert_interval_us = version == 2 ? US_PER_S : RIG_INTERVAL_US,
        .instance = &rig->instances[u],
        .vrid = (uint8_t)(u + 1),
        .address_count = (uint8_t)count,
        .addresses = rig->addresses[u],
        .links = 1,
    };
    if (version == 2) {
        rig->instances[u].lease_us = US_PER_S * 5 / 2;
    }
}

struct rig *rig_new(unsigned count, unsigned version, enum family family)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->log = calloc(RIG_LOG, sizeof(*rig->log));
    assert_non_null(rig->log);
    rig->settings = (struct core_settings){.set_count = 1, .link_count = 1, .pools = &rig->set};
    rig->set = (struct pool_settings){.name = "routers", .unit_count = (uint16_t)count, .units = rig->units};
    for (unsigned u = 0; u < count; u++) {
        rig_fill(rig, u, version, family);
    }
    return rig;
}

void rig_free(struct rig *rig)
{
    free(rig->storage);
    free(rig->effects.list);
    free(rig->log);
    free(rig);
}

void rig_start(struct rig *rig)
{
    rig->now_us = START_US;
    rig->storage = malloc(core_storage_size(&rig->settings));
    rig->effects.capacity = effects_capacity(&rig->settings);
    rig->effects.list = calloc(rig->effects.capacity, sizeof(struct effect));
    assert_true(rig->storage != NULL && rig->effects.list != NULL);
    rig->core = core_init(rig->storage, &rig->settings, (struct mono){rig->now_us});
    core_check(rig->core);
    if (!rig->link_late) {
        rig_link(rig, true, RIG_SELF);
    }
    rig_run(rig, 0);
}

struct rig *rig_alone(unsigned count)
{
    struct rig *rig = rig_new(count, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_run(rig, US_PER_S);
    for (unsigned u = 0; u < count; u++) {
        assert_int_equal(rig_state(rig, u), INSTANCE_ACTIVE);
    }
    rig_mark(rig);
    return rig;
}

/* --- the shell --- */

static void rig_obey(struct rig *rig, const struct effect *effect)
{
    struct event event = {
        .kind = EVENT_LEVEL_DONE, .pool = effect->pool, .unit = effect->unit, .sequence = effect->sequence};

    if (effect->kind == EFFECT_LEFT) {
        rig->left = true;
    }
    if (effect->kind != EFFECT_LEVEL || rig->manual_kernel) {
        return;
    }
    event.error = effect->level == LEVEL_ABSENT ? 0 : rig->kernel_error;
    rig_event(rig, event);
}

/* After a step: what it sent has left. */
static void rig_tell_sent(struct rig *rig)
{
    if (rig->sent) {
        rig->sent = false;
        rig_event(rig, (struct event){.kind = EVENT_SENT, .unit = EFFECT_NO_UNIT, .error = rig->mute ? 105 : 0});
    }
}

static void rig_log(struct rig *rig, const struct effect *effect)
{
    assert_true(rig->logged < RIG_LOG);
    struct logged *entry = &rig->log[rig->logged++];

    entry->effect = *effect;
    entry->at_us = rig->now_us;
    if (effect->kind == EFFECT_SEND) {
        entry->length = (uint16_t)core_encode(rig->core, effect, entry->packet, sizeof(entry->packet));
        assert_true(entry->length > 0);
        rig->sent = true;
    }
}

void rig_event(struct rig *rig, struct event event)
{
    event.now = (struct mono){rig->now_us};
    rig->effects.count = 0;
    core_step(rig->core, &event, &rig->effects);
    core_check(rig->core);
    rig->steps++;
    unsigned from = rig->logged, count = rig->effects.count;
    rig->most_effects = count > rig->most_effects ? count : rig->most_effects;
    for (unsigned i = 0; i < count; i++) {
        rig_log(rig, &rig->effects.list[i]);
    }
    for (unsigned i = from; i < from + count; i++) {
        struct effect effect = rig->log[i].effect;
        rig_obey(rig, &effect);
    }
    rig_tell_sent(rig);
}

void rig_link(struct rig *rig, bool up, unsigned primary_last_byte)
{
    struct event event = {.kind = EVENT_LINK, .up = up};

    if (primary_last_byte != 0) {
        event.primary_ipv4 = rig_address(FAMILY_IPV4, primary_last_byte);
        event.primary_ipv6 = rig_address(FAMILY_IPV6, primary_last_byte);
    }
    rig_event(rig, event);
}

void rig_track(struct rig *rig, unsigned unit, bool fault, int weight)
{
    rig_event(rig,
              (struct event){.kind = EVENT_TRACK, .unit = (uint16_t)unit, .fault = fault, .weight = (int16_t)weight});
}

void rig_level_done(struct rig *rig, unsigned unit, int32_t error)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        const struct effect *effect = &rig->log[i - 1].effect;
        if (effect->kind == EFFECT_LEVEL && effect->unit == unit) {
            rig_event(rig, (struct event){.kind = EVENT_LEVEL_DONE,
                                          .unit = (uint16_t)unit,
                                          .error = error,
                                          .sequence = effect->sequence});
            return;
        }
    }
    fail_msg("no level was asked for instance %u", unit);
}

void rig_leave(struct rig *rig)
{
    rig_event(rig, (struct event){.kind = EVENT_LEAVE});
    rig_run(rig, 0);
}

/* --- time and packets --- */

void rig_run(struct rig *rig, int64_t for_us)
{
    int64_t until_us = rig->now_us + for_us;
    unsigned idle_ticks = 0;

    for (;;) {
        int64_t before_us = rig->now_us;
        rig_event(rig, (struct event){.kind = EVENT_TICK});
        int64_t deadline_us = core_deadline(rig->core).us;
        if (deadline_us > until_us) {
            break;
        }
        rig->now_us = deadline_us > rig->now_us ? deadline_us : rig->now_us;
        idle_ticks = rig->now_us == before_us ? idle_ticks + 1 : 0;
        assert_true(idle_ticks < 6); /* a deadline that is always due would spin the daemon */
    }
    rig->now_us = until_us;
}

void rig_sleep(struct rig *rig, int64_t for_us)
{
    rig->now_us += for_us;
}

struct advert rig_advert(const struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority)
{
    const struct unit_settings *u = &rig->units[unit];
    const struct instance_settings *s = &rig->instances[unit];
    enum family family = (enum family)u->family;
    struct advert advert = {
        .source = rig_address(family, last_byte),
        .destination = s->unicast ? rig_address(family, RIG_SELF) : wire_group(family),
        .ttl = VRRP_TTL,
        .version = u->version,
        .vrid = u->vrid,
        .priority = (uint8_t)priority,
        .checksum = family == FAMILY_IPV4 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .auth_type = s->auth_type,
        .interval_us = (uint32_t)u->advert_interval_us,
        .address_count = u->address_count,
        .addresses = u->addresses,
    };

    memcpy(advert.auth, s->auth, sizeof(advert.auth));
    return advert;
}

void rig_hear_packet(struct rig *rig, const uint8_t *packet, size_t length)
{
    rig_event(rig, (struct event){
                       .kind = EVENT_PACKET, .packet = packet, .packet_length = length, .received = {rig->now_us}});
    rig_event(rig, (struct event){.kind = EVENT_TICK});
}

void rig_hear_advert(struct rig *rig, const struct advert *advert)
{
    uint8_t packet[WIRE_PACKET_MAX];
    size_t length = wire_encode(advert, packet, sizeof(packet));

    assert_true(length > 0);
    rig_hear_packet(rig, packet, length);
}

void rig_hear(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority)
{
    struct advert advert = rig_advert(rig, last_byte, unit, priority);

    rig_hear_advert(rig, &advert);
}

void rig_feed(struct rig *rig, unsigned last_byte, unsigned unit, unsigned priority, int64_t for_us)
{
    int64_t interval_us = rig->units[unit].advert_interval_us;

    for (int64_t done_us = 0; done_us < for_us; done_us += interval_us) {
        rig_hear(rig, last_byte, unit, priority);
        rig_run(rig, interval_us);
    }
}

/* --- what came of it --- */

void rig_mark(struct rig *rig)
{
    rig->logged = 0;
}

static bool rig_is_send(const struct logged *entry, unsigned unit, int priority)
{
    return entry->effect.kind == EFFECT_SEND && entry->effect.unit == unit &&
           (priority < 0 || entry->effect.priority == priority);
}

unsigned rig_sends(const struct rig *rig, unsigned unit, int priority)
{
    unsigned count = 0;

    for (unsigned i = 0; i < rig->logged; i++) {
        count += rig_is_send(&rig->log[i], unit, priority);
    }
    return count;
}

const struct logged *rig_packet(const struct rig *rig, unsigned unit, unsigned nth)
{
    for (unsigned i = 0; i < rig->logged; i++) {
        if (rig_is_send(&rig->log[i], unit, -1) && nth-- == 0) {
            return &rig->log[i];
        }
    }
    return NULL;
}

int64_t rig_sent_at(const struct rig *rig, unsigned unit, unsigned nth)
{
    const struct logged *entry = rig_packet(rig, unit, nth);

    return entry != NULL ? entry->at_us : -1;
}

unsigned rig_count(const struct rig *rig, enum effect_kind kind, unsigned unit)
{
    unsigned count = 0;

    for (unsigned i = 0; i < rig->logged; i++) {
        count += rig->log[i].effect.kind == kind && rig->log[i].effect.unit == unit;
    }
    return count;
}

const struct effect *rig_note(const struct rig *rig, enum note_kind kind, unsigned nth)
{
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct effect *effect = &rig->log[i].effect;
        if (effect->kind == EFFECT_NOTE && effect->note == kind && nth-- == 0) {
            return effect;
        }
    }
    return NULL;
}

unsigned rig_notes(const struct rig *rig, enum note_kind kind)
{
    unsigned count = 0;

    while (rig_note(rig, kind, count) != NULL) {
        count++;
    }
    return count;
}

unsigned rig_position(const struct rig *rig, enum effect_kind kind, unsigned unit, int value)
{
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct effect *effect = &rig->log[i].effect;
        int its = effect->kind == EFFECT_SEND ? effect->priority : effect->level;
        if (effect->kind == kind && effect->unit == unit && (value < 0 || its == value)) {
            return i;
        }
    }
    return RIG_LOG;
}

struct instance_view rig_view(const struct rig *rig, unsigned unit)
{
    struct instance_view view;

    core_view_instance(rig->core, 0, unit, &view);
    return view;
}

struct instance_counters rig_counters(const struct rig *rig, unsigned unit)
{
    struct instance_counters counters;

    core_view_instance_counters(rig->core, 0, unit, &counters);
    return counters;
}

struct group_view rig_group(const struct rig *rig, unsigned group)
{
    struct group_view view;

    core_view_group(rig->core, group, &view);
    return view;
}

enum instance_state rig_state(const struct rig *rig, unsigned unit)
{
    return (enum instance_state)rig_view(rig, unit).state;
}

int64_t rig_until_active(struct rig *rig, unsigned unit, int64_t limit_us)
{
    int64_t from_us = rig->now_us;

    while (rig_state(rig, unit) != INSTANCE_ACTIVE) {
        rig_event(rig, (struct event){.kind = EVENT_TICK});
        if (rig_state(rig, unit) == INSTANCE_ACTIVE) {
            break;
        }
        int64_t deadline_us = core_deadline(rig->core).us;
        if (deadline_us > from_us + limit_us) {
            rig->now_us = from_us + limit_us;
            return -1;
        }
        rig->now_us = deadline_us > rig->now_us ? deadline_us : rig->now_us;
    }
    return rig->now_us - from_us;
}
