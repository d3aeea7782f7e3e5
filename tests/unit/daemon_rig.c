/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See daemon_rig.h. Linked into the tests that ask a daemon with a pool, and into fuzz_request. */
#include "daemon_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/wire.h"

#define MEMBER_BYTE 241
#define WALL_US 1767225600000000 /* 2026-01-01T00:00:00Z */
#define START_US (100 * (int64_t)US_PER_S)
#define MEMBER_INTERVAL_US 250000

struct addr rig_member(unsigned member)
{
    return (struct addr){.family = FAMILY_IPV4, .bytes = {10, 20, 0, (uint8_t)(MEMBER_BYTE + member)}};
}

static const struct daemon_view *rig_view(void *context)
{
    struct rig *rig = context;

    rig->view.now = rig->now;
    rig->view.wall_us = WALL_US + rig->now.us - START_US;
    return &rig->view;
}

static void rig_step(struct rig *rig, const struct event *event, enum core_result *result);

/* A kernel that does everything at once. */
static void rig_apply(struct rig *rig, const struct effect *effect)
{
    struct event event = {.pool = effect->pool, .unit = effect->unit, .sequence = effect->sequence, .now = rig->now};
    struct note note;

    switch ((enum effect_kind)effect->kind) {
    case EFFECT_LEVEL:
        event.kind = EVENT_LEVEL_DONE;
        rig_step(rig, &event, NULL);
        return;
    case EFFECT_ARM:
        event.kind = EVENT_ARMED;
        rig_step(rig, &event, NULL);
        return;
    case EFFECT_SEND:
        event.kind = EVENT_SENT;
        if (effect->unit == EFFECT_NO_UNIT)
            rig_step(rig, &event, NULL);
        return;
    case EFFECT_PROBE:
        event.kind = EVENT_PROBE_IMPOSSIBLE;
        if (!rig->third_party)
            rig_step(rig, &event, NULL);
        return;
    case EFFECT_NOTE:
        note_from_effect(&rig->config, effect, &note);
        history_add(rig->history, &note, rig->now, rig_view(rig)->wall_us);
        if (note.kind == NOTE_UNIT_OWNER)
            owner_changes_count(&rig->changes, (enum reason)note.reason, note.value);
        return;
    case EFFECT_ANNOUNCE:
    case EFFECT_LEFT:
        return;
    }
}

static void rig_step(struct rig *rig, const struct event *event, enum core_result *result)
{
    unsigned first = rig->effects.count;
    enum core_result what = core_step((struct core *)rig->view.core, event, &rig->effects);
    unsigned end = rig->effects.count;

    if (result != NULL)
        *result = what;
    for (unsigned i = first; i < end; i++) {
        struct effect effect = rig->effects.list[i];

        rig_apply(rig, &effect);
    }
    rig->effects.count = first;
}

static int rig_command(void *context, const struct event *event, enum core_result *result)
{
    struct rig *rig = context;

    rig_step(rig, event, result);
    rig_step(rig, &(struct event){.kind = EVENT_TICK, .now = rig->now}, NULL);
    return rig->command_error;
}

static int rig_reload(void *context)
{
    struct rig *rig = context;

    rig->reloads_asked++;
    return rig->command_error;
}

static char *rig_dump(void *context, enum daemon_dump dump)
{
    (void)context;
    return strdup(daemon_dump_name(dump));
}

static void rig_hear(struct rig *rig, unsigned member, uint8_t vrid, uint8_t priority, const struct addr *address,
                     int64_t interval_us)
{
    uint8_t packet[WIRE_PACKET_MAX];
    struct advert advert = {
        .source = rig_member(member),
        .destination = wire_group(FAMILY_IPV4),
        .version = 3,
        .vrid = vrid,
        .priority = priority,
        .checksum = WIRE_CHECKSUM_PLAIN,
        .interval_us = (uint32_t)interval_us,
        .address_count = 1,
        .addresses = address,
    };
    struct event event = {.kind = EVENT_PACKET, .now = rig->now, .received = rig->now, .packet = packet};

    event.packet_length = wire_encode(&advert, packet, sizeof(packet));
    CHECK(event.packet_length > 0);
    rig_step(rig, &event, NULL);
}

void rig_say(struct rig *rig, unsigned member, uint8_t vrid, uint8_t priority, const struct addr *address)
{
    rig_hear(rig, member, vrid, priority, address, rig->say_interval_us > 0 ? rig->say_interval_us : US_PER_S);
    rig_step(rig, &(struct event){.kind = EVENT_TICK, .now = rig->now}, NULL);
}

static void rig_hear_members(struct rig *rig)
{
    for (unsigned m = 1; m < rig->member_count; m++) {
        struct addr address = rig_member(m);

        if (rig->alive[m])
            rig_hear(rig, m, addr_last_byte(&address), 100, &address, MEMBER_INTERVAL_US);
    }
}

static void rig_hear_units(struct rig *rig)
{
    for (unsigned u = 0; u < rig->pool.unit_count; u++) {
        if (rig->holder[u] != RIG_SELF && rig->alive[rig->holder[u]])
            rig_hear(rig, rig->holder[u], rig->units[u].vrid, 253, &rig->addresses[u], US_PER_S);
    }
}

void rig_run(struct rig *rig, int64_t us)
{
    struct mono end = mono_add(rig->now, us);

    for (;;) {
        struct mono next = mono_min(mono_min(rig->next_member, rig->next_unit), core_deadline(rig->view.core));

        if (!mono_due(end, next))
            break;
        rig->now = mono_max(rig->now, next);
        if (mono_due(rig->now, rig->next_member)) {
            rig_hear_members(rig);
            rig->next_member = mono_add(rig->now, MEMBER_INTERVAL_US);
        }
        if (mono_due(rig->now, rig->next_unit)) {
            rig_hear_units(rig);
            rig->next_unit = mono_add(rig->now, US_PER_S);
        }
        rig_step(rig, &(struct event){.kind = EVENT_TICK, .now = rig->now}, NULL);
    }
    rig->now = end;
}

static void rig_fill_units(struct rig *rig, unsigned units, unsigned members)
{
    for (unsigned u = 0; u < units; u++) {
        rig->addresses[u] = (struct addr){.family = FAMILY_IPV4, .bytes = {10, 20, 0, (uint8_t)(u + 1)}};
        rig->units[u] = (struct unit_settings){
            .family = FAMILY_IPV4,
            .version = 3,
            .advert_interval_us = US_PER_S,
            .vrid = (uint8_t)(u + 1),
            .address_count = 1,
            .addresses = &rig->addresses[u],
            .links = 1,
        };
        rig->vips[u] = (struct config_vip){.address = rig->addresses[u], .prefix_length = 24};
        rig->config_units[u] = (struct config_unit){.vip_count = 1, .vips = &rig->vips[u], .line = u + 1};
        rig->conflicts[u].last = MONO_NEVER;
        rig->holder[u] = u % members;
    }
}

static void rig_fill_pool(struct rig *rig, unsigned units, unsigned members)
{
    rig->pool = (struct pool_settings){
        .name = "web",
        .family = FAMILY_IPV4,
        .version = 3,
        .share = 100,
        .rebalance = true,
        .rebalance_moves = 1,
        .unit_count = (uint16_t)units,
        .name_count = (uint16_t)(members < 2 ? members : 2),
        .advert_interval_us = US_PER_S,
        .member_interval_us = MEMBER_INTERVAL_US,
        .rebalance_interval_us = US_PER_S,
        .units = rig->units,
        .names = rig->names,
    };
    rig->names[0] = (struct member_name){.name = "alpha", .address = rig_member(0)};
    rig->names[1] = (struct member_name){.name = "beta", .address = rig_member(1)};
    rig->config_pool = (struct config_pool){.filter_mode = FILTER_AUTO, .units = rig->config_units, .line = 1};
    strcpy(rig->links[0], "eth0");
    rig->config = (struct config){
        .core = {.pool_count = 1, .link_count = 1, .pools = &rig->pool},
        .pools = &rig->config_pool,
        .links = rig->links,
        .hash = 0x0123456789abcdef,
    };
}

static void rig_start_core(struct rig *rig)
{
    struct event up = {.kind = EVENT_LINK, .up = true, .now = rig->now, .primary_ipv4 = rig_member(RIG_SELF)};

    rig->effects.capacity = 4 * effects_capacity(&rig->config.core);
    rig->effects.list = calloc(rig->effects.capacity, sizeof(rig->effects.list[0]));
    rig->storage = malloc(core_storage_size(&rig->config.core));
    CHECK(rig->effects.list != NULL && rig->storage != NULL);
    rig->view.core = core_init(rig->storage, &rig->config.core, rig->now);
    rig_step(rig, &up, NULL);
    rig_step(rig, &(struct event){.kind = EVENT_TICK, .now = rig->now}, NULL);
}

void rig_open(struct rig *rig, unsigned units, unsigned members)
{
    memset(rig, 0, sizeof(*rig));
    rig->now = rig->next_member = rig->next_unit = (struct mono){START_US};
    rig->member_count = members;
    for (unsigned m = 1; m < members; m++)
        rig->alive[m] = true;
    rig_fill_units(rig, units, members);
    rig_fill_pool(rig, units, members);
    rig->history = history_new(64);
    rig->link = (struct kernel_link){.present = true, .up = true, .ifindex = 2, .primary_ipv4 = rig_member(RIG_SELF)};
    rig->pool_view =
        (struct daemon_pool_view){.filter_mode = FILTER_LEASE, .conflicts = rig->conflicts, .changes = &rig->changes};
    rig->counter = (struct daemon_counter){.name = "frames_in", .value = 7};
    rig->view = (struct daemon_view){
        .version = "1.0.0",
        .started = rig->now,
        .config = &rig->config,
        .links = &rig->link,
        .pools = &rig->pool_view,
        .history = rig->history,
        .counters = &rig->counter,
        .counter_count = 1,
    };
    rig->callbacks = (struct control_callbacks){
        .context = rig, .view = rig_view, .command = rig_command, .reload = rig_reload, .dump = rig_dump};
    rig_start_core(rig);
}

void rig_close(struct rig *rig)
{
    history_free(rig->history);
    free(rig->storage);
    free(rig->effects.list);
}

json_t *rig_ask(struct rig *rig, const char *request, bool may_change, enum request_outcome *outcome)
{
    char *text;
    size_t length;
    enum request_outcome what = request_answer(&rig->callbacks, request, strlen(request), may_change, &text, &length);
    json_t *answer = json_loadb(text, length, 0, NULL);

    CHECK(answer != NULL && text[length - 1] == '\n');
    free(text);
    if (outcome != NULL)
        *outcome = what;
    return answer;
}

struct rig the_rig;

int the_rig_setup(void **state)
{
    (void)state;
    rig_open(&the_rig, 6, 3);
    rig_run(&the_rig, 10 * (int64_t)US_PER_S);
    return 0;
}

int the_rig_teardown(void **state)
{
    (void)state;
    rig_close(&the_rig);
    return 0;
}
