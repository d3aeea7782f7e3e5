/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From effects to the world. It owns nothing but the order: effects are carried out in the order in which the core gave
 * them, and what can be batched (levels, frames, announcements) is queued here and handed out by apply_flush at the
 * end of the turn. What must precede a send, the core has already ordered by a round trip (EVENT_LEVEL_DONE), so
 * batching reorders nothing that matters. A packet is encoded at once, since only now the core's state is the one it
 * speaks of.
 */
#include <string.h>

#include "daemon/worker.h"
#include "platform/clock.h"
#include "platform/frame.h"

#define ANNOUNCE_BUDGET 128 /* frames per pool and turn: then advertisements have their turn again */
#define IPV4_HEADER 20      /* wire_encode makes no options */
#define IPV6_HEADER 40

/* The frame of `effect`'s advertisement; its length, 0 when it cannot be made. */
static size_t make_frame(const struct worker *worker, const struct effect *effect, uint8_t frame[static FRAME_MAX])
{
    const struct pool_settings *settings = &worker->config->core.pools[effect->pool];
    const struct worker_link *link = &worker->links[settings->link];
    size_t header = settings->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    uint8_t packet[WIRE_PACKET_MAX];
    uint8_t virtual_mac[6];
    size_t length = core_encode(worker->core, effect, packet, sizeof(packet));

    if (length <= header + 1)
        return 0;
    if (worker->config->pools[effect->pool].vmac_xmit_base)
        return frame_vrrp(link->state.mac, packet, length, frame, FRAME_MAX);
    wire_virtual_mac((enum family)settings->family, packet[header + 1], virtual_mac);
    return frame_vrrp(virtual_mac, packet, length, frame, FRAME_MAX);
}

/* Keeps the guard's goodbye in step with what was last said. */
static void keep_goodbye(struct worker *worker, const struct effect *effect, int ifindex)
{
    uint8_t frame[FRAME_MAX];
    struct effect goodbye = *effect;

    if (effect->priority == VRRP_PRIORITY_RELEASE) {
        guard_page_drop(worker->page, effect->pool, effect->unit);
        return;
    }
    /* A pinned claim of a Backup (2.4 a): there is nothing to give back yet. */
    if (effect->unit != EFFECT_NO_UNIT && worker->pools[effect->pool].units[effect->unit].level == LEVEL_ABSENT)
        return;
    goodbye.priority = VRRP_PRIORITY_RELEASE;
    size_t length = make_frame(worker, &goodbye, frame);

    guard_page_hold(worker->page, effect->pool, effect->unit, ifindex, frame, length);
}

void apply_keep_goodbye(struct worker *worker, unsigned pool, unsigned unit)
{
    const struct worker_link *link = &worker->links[worker->config->core.pools[pool].link];
    const struct effect spoken = {.kind = EFFECT_SEND, .pool = (uint8_t)pool, .unit = (uint16_t)unit, .priority = 1};

    if (link->port != NULL)
        keep_goodbye(worker, &spoken, link->port_ifindex);
}

static void apply_send(struct worker *worker, const struct effect *effect, struct mono now)
{
    struct worker_link *link = &worker->links[worker->config->core.pools[effect->pool].link];
    uint8_t frame[FRAME_MAX];
    size_t length = link->port != NULL ? make_frame(worker, effect, frame) : 0;

    if (length == 0) {
        worker->counters.sends_without_link++;
        return;
    }
    packet_queue(link->port, frame, length);
    worker->queued_since = mono_min(worker->queued_since, now);
    worker->pools[effect->pool].member_sent |= effect->unit == EFFECT_NO_UNIT && effect->priority > 0;
    keep_goodbye(worker, effect, link->port_ifindex);
}

static void apply_level(struct worker *worker, const struct effect *effect, struct mono now)
{
    struct worker_unit *unit = &worker->pools[effect->pool].units[effect->unit];

    if (effect->level == LEVEL_ANSWERING && unit->level != LEVEL_ANSWERING)
        unit->answering_since = now;
    unit->level = effect->level;
    kernel_want(worker->kernel, effect->pool, effect->unit, (enum unit_level)effect->level, effect->sequence);
    worker->kernel_dirty = true;
    if (effect->level != LEVEL_ANSWERING)
        announce_stop(worker->pools[effect->pool].announce, effect->unit);
}

static void apply_arm(struct worker *worker, const struct effect *effect)
{
    kernel_arm(worker->kernel, effect->pool, effect->sequence);
    worker->kernel_dirty = true;
}

static void queue_frame(void *context, const uint8_t *frame, size_t length)
{
    packet_queue(context, frame, length);
}

/* The core must not be stepped while its effects are being carried out: that nobody can be asked is told afterwards. */
static void apply_probe(struct worker *worker, const struct effect *effect, struct mono now)
{
    const struct config_pool *pool = &worker->config->pools[effect->pool];
    unsigned link = worker->config->core.pools[effect->pool].link;
    struct packet_port *port = worker->links[link].port;

    if (port == NULL ||
        thirdparty_probe(worker->thirdparty, link, pool->targets, pool->target_count, now, queue_frame, port) == 0)
        worker->pools[effect->pool].probe_impossible = true;
}

static void apply_note(struct worker *worker, const struct effect *effect, struct mono now)
{
    if (effect->note == NOTE_UNIT_STATE && effect->from_state == ROUTER_ACTIVE && effect->to_state != ROUTER_ACTIVE)
        guard_page_drop(worker->page, effect->pool, effect->unit);
    if (effect->note == NOTE_KERNEL_FAILED)
        worker->counters.kernel_failures++;
    notes_take(worker, effect, now);
    tell_note(worker, effect);
}

static void apply_effect(struct worker *worker, const struct effect *effect, struct mono now)
{
    switch ((enum effect_kind)effect->kind) {
    case EFFECT_LEVEL:
        apply_level(worker, effect, now);
        return;
    case EFFECT_SEND:
        apply_send(worker, effect, now);
        return;
    case EFFECT_ANNOUNCE:
        announce_start(worker->pools[effect->pool].announce, effect->unit, now);
        return;
    case EFFECT_PROBE:
        apply_probe(worker, effect, now);
        return;
    case EFFECT_ARM:
        apply_arm(worker, effect);
        return;
    case EFFECT_NOTE:
        apply_note(worker, effect, now);
        return;
    case EFFECT_LEFT:
        worker->left = true;
        return;
    }
}

void apply_effects(struct worker *worker, struct mono now)
{
    for (unsigned i = 0; i < worker->effects.count; i++)
        apply_effect(worker, &worker->effects.list[i], now);
}

static enum core_result step_once(struct worker *worker, const struct event *event)
{
    worker->effects.count = 0;
    enum core_result result = core_step(worker->core, event, &worker->effects);

    apply_effects(worker, event->now);
    return result;
}

enum core_result apply_step(struct worker *worker, const struct event *event)
{
    enum core_result result = step_once(worker, event);

    for (unsigned p = 0; p < worker->config->core.pool_count; p++) {
        struct event impossible = {.kind = EVENT_PROBE_IMPOSSIBLE, .pool = (uint8_t)p, .now = event->now};

        if (!worker->pools[p].probe_impossible)
            continue;
        worker->pools[p].probe_impossible = false;
        step_once(worker, &impossible);
    }
    return result;
}

struct announcing {
    struct worker *worker;
    unsigned pool;
    struct mono now;
};

/* A frame for one address of a unit, on the link that has it. The MAC is the one that answers for the address. */
static void emit_announcement(void *context, unsigned unit, unsigned address)
{
    const struct announcing *announcing = context;
    struct worker *worker = announcing->worker;
    const struct config_pool *pool = &worker->config->pools[announcing->pool];
    const struct config_vip *vip = &pool->units[unit].vips[address];
    struct worker_link *link = &worker->links[vip->link];
    uint8_t frame[FRAME_MAX];
    uint8_t mac[6];
    size_t length;

    if (link->port == NULL)
        return;
    memcpy(mac, link->state.mac, sizeof(mac));
    if (worker->pools[announcing->pool].vmac)
        wire_virtual_mac((enum family)vip->address.family,
                         worker->config->core.pools[announcing->pool].units[unit].vrid, mac);
    if (vip->address.family == FAMILY_IPV4)
        length = frame_gratuitous_arp(mac, &vip->address, frame, sizeof(frame));
    else
        length = frame_unsolicited_na(mac, &vip->address, true, frame, sizeof(frame));
    if (length == 0)
        return;
    packet_queue(link->port, frame, length);
    worker->queued_since = mono_min(worker->queued_since, announcing->now);
}

/*
 * What was decided before this process was stopped, or starved, for longer than a member interval must not be said
 * after it: others may have taken over meanwhile. The core finds out by itself, with its next event.
 */
static bool is_stale(struct worker *worker)
{
    struct mono since = worker->queued_since;

    worker->queued_since = MONO_NEVER;
    return !mono_is_never(since) && mono_diff_us(clock_now(), since) > worker->patience_us;
}

/* Commits the levels and sends the frames that are queued. */
static void hand_out(struct worker *worker)
{
    bool stale = is_stale(worker);

    if (worker->kernel_dirty)
        kernel_commit(worker->kernel);
    worker->kernel_dirty = false;
    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        struct worker_link *link = &worker->links[i];

        if (link->port == NULL)
            continue;
        if (stale)
            worker->counters.frames_stale += packet_discard(link->port);
        packet_flush(link->port);
        uint64_t errors = packet_send_errors(link->port);

        link->refused = stale || errors != link->send_errors;
        link->send_errors = errors;
    }
}

/*
 * The core counts its lease from member advertisements that have left. When frames were refused or thrown away just
 * now, ours may be among them, and nothing is said: the lease then runs on from the one before.
 */
static void tell_sent(struct worker *worker, struct mono now)
{
    for (unsigned p = 0; p < worker->config->core.pool_count; p++) {
        struct event sent = {.kind = EVENT_SENT, .pool = (uint8_t)p};

        if (!worker->pools[p].member_sent)
            continue;
        worker->pools[p].member_sent = false;
        if (worker->links[worker->config->core.pools[p].link].refused)
            continue;
        kernel_spoke(worker->kernel, p, now);
        sent.now = clock_now();
        apply_step(worker, &sent);
    }
}

void apply_flush(struct worker *worker, struct mono now)
{
    hand_out(worker);
    tell_sent(worker, now);
    for (unsigned p = 0; p < worker->config->core.pool_count; p++) {
        struct announcing announcing = {.worker = worker, .pool = p, .now = now};

        if (mono_due(now, announce_deadline(worker->pools[p].announce)))
            announce_run(worker->pools[p].announce, now, ANNOUNCE_BUDGET, emit_announcement, &announcing);
    }
    hand_out(worker);
    orders_flush(&worker->orders);
    notes_log(worker);
}
