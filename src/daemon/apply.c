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

#define IPV4_HEADER 20 /* wire_encode makes no options */
#define IPV6_HEADER 40

/* Who speaks in an EFFECT_SEND: an instance or a unit, or the pool's member router. */
struct speaker {
    uint8_t link, family;
    bool own_mac;                       /* advertisements leave with the interface's own MAC */
    const struct config_router *router; /* of an instance; else NULL */
};

static struct speaker speaker_of(const struct worker *worker, const struct effect *effect)
{
    const struct pool_settings *pool = &worker->config->core.pools[effect->pool];
    const struct config_pool *more = &worker->config->pools[effect->pool];

    if (effect->unit == EFFECT_NO_UNIT)
        return (struct speaker){.link = pool->link, .family = pool->family, .own_mac = more->vmac_xmit_base};
    const struct unit_settings *unit = &pool->units[effect->unit];
    const struct config_router *router = more->units[effect->unit].router;

    return (struct speaker){.link = unit->link,
                            .family = unit->family,
                            .own_mac = router != NULL ? router->vmac_xmit_base : more->vmac_xmit_base,
                            .router = router};
}

/* The frame of `effect`'s advertisement; its length, 0 when it cannot be made. */
static size_t make_frame(const struct worker *worker, const struct effect *effect, uint8_t frame[static FRAME_MAX])
{
    struct speaker speaker = speaker_of(worker, effect);
    size_t header = speaker.family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    uint8_t packet[WIRE_PACKET_MAX];
    uint8_t mac[6];
    size_t length = core_encode(worker->core, effect, packet, sizeof(packet));

    if (length <= header + 1)
        return 0;
    if (speaker.own_mac)
        memcpy(mac, worker->links[speaker.link].state.mac, sizeof(mac));
    else if (speaker.router != NULL)
        memcpy(mac, speaker.router->vmac, sizeof(mac));
    else
        wire_virtual_mac((enum family)speaker.family, packet[header + 1], mac);
    return frame_vrrp(mac, packet, length, frame, FRAME_MAX);
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

    guard_page_hold(worker->page, effect->pool, effect->unit, 0,
                    &(struct guard_frame){.ifindex = ifindex, .bytes = frame, .length = length});
}

/* What EVENT_SENT is about: a pool's member advertisement, an instance's own. */
static void note_spoken(struct worker *worker, const struct effect *effect)
{
    struct worker_pool *pool = &worker->pools[effect->pool];
    bool set = effect->pool >= worker->config->core.pool_count;

    if (effect->priority == VRRP_PRIORITY_RELEASE || set == (effect->unit == EFFECT_NO_UNIT))
        return;
    pool->spoke = true;
    if (set)
        pool->units[effect->unit].spoke = true;
}

static unsigned peer_index(const struct instance_settings *instance, const struct addr *address)
{
    unsigned peer = 0;

    while (peer + 1 < instance->peer_count && !addr_equal(&instance->peers[peer].address, address))
        peer++;
    return peer;
}

static void keep_unicast_goodbye(struct worker *worker, const struct effect *effect, int ifindex)
{
    const struct instance_settings *instance = worker->config->core.pools[effect->pool].units[effect->unit].instance;
    uint8_t packet[WIRE_PACKET_MAX];
    struct effect goodbye = *effect;

    if (effect->priority == VRRP_PRIORITY_RELEASE) {
        guard_page_drop(worker->page, effect->pool, effect->unit);
        return;
    }
    goodbye.priority = VRRP_PRIORITY_RELEASE;
    size_t length = core_encode(worker->core, &goodbye, packet, sizeof(packet));

    guard_page_hold(worker->page, effect->pool, effect->unit, peer_index(instance, &effect->to),
                    &(struct guard_frame){.ifindex = ifindex, .routed = true, .bytes = packet, .length = length});
}

/* To one peer, through the IP stack. Only a link-local address needs to be told on which link it is. */
static void send_unicast(struct worker *worker, const struct effect *effect, struct mono now)
{
    const struct worker_link *link = &worker->links[speaker_of(worker, effect).link];
    int ifindex = addr_is_link_local(&effect->to) ? link->state.ifindex : 0;
    uint8_t packet[WIRE_PACKET_MAX];
    size_t length = link->port != NULL ? core_encode(worker->core, effect, packet, sizeof(packet)) : 0;

    if (length == 0 || !unicast_queue(worker->unicast, effect->pool, effect->unit, ifindex, packet, length)) {
        worker->counters.sends_without_link++;
        return;
    }
    worker->queued_since = mono_min(worker->queued_since, now);
    note_spoken(worker, effect);
    keep_unicast_goodbye(worker, effect, ifindex);
}

static void apply_send(struct worker *worker, const struct effect *effect, struct mono now)
{
    if (!addr_is_none(&effect->to)) {
        send_unicast(worker, effect, now);
        return;
    }
    struct worker_link *link = &worker->links[speaker_of(worker, effect).link];
    uint8_t frame[FRAME_MAX];
    size_t length = link->port != NULL ? make_frame(worker, effect, frame) : 0;

    if (length == 0) {
        worker->counters.sends_without_link++;
        return;
    }
    packet_queue(link->port, frame, length);
    link->rival.spoken = true;
    worker->queued_since = mono_min(worker->queued_since, now);
    note_spoken(worker, effect);
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
    bool unit = effect->note == NOTE_UNIT_STATE && effect->from_state == ROUTER_ACTIVE;
    bool instance = effect->note == NOTE_INSTANCE_STATE && effect->from_state == INSTANCE_ACTIVE;

    if ((unit && effect->to_state != ROUTER_ACTIVE) || (instance && effect->to_state != INSTANCE_ACTIVE))
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
        announce_start(worker->pools[effect->pool].announce, effect->unit, effect->value == ANNOUNCE_AGAIN, now);
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

/* Where the kernel has a lease for it, that counts from what the egress hook has seen, not from what peers got. */
static void unicast_sent(void *context, unsigned pool, unsigned index, unsigned sent, bool said, const uint8_t *packet,
                         size_t length)
{
    struct worker *worker = context;
    struct worker_unit *unit = &worker->pools[pool].units[index];
    const struct worker_link *link = &worker->links[worker->config->core.pools[pool].units[index].link];

    worker->counters.unicast_sent += sent;
    unit->refused = !said || link->port == NULL;
    if (!unit->refused && unit->spoke && worker->pool_views[pool].filter_mode == FILTER_LEASE)
        unit->refused = packet_renew(link->port, link->state.mac, packet, length) < 0;
}

/* Commits the levels and sends the frames that are queued. */
static void hand_out(struct worker *worker)
{
    bool stale = is_stale(worker);

    if (worker->kernel_dirty)
        kernel_commit(worker->kernel);
    worker->kernel_dirty = false;
    worker->counters.unicast_refused += unicast_flush(worker->unicast, stale, unicast_sent, worker);
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

static void say_sent(struct worker *worker, unsigned pool, unsigned unit)
{
    struct event sent = {.kind = EVENT_SENT, .pool = (uint8_t)pool, .unit = (uint16_t)unit, .now = clock_now()};

    apply_step(worker, &sent);
}

static bool was_refused(const struct worker *worker, unsigned pool, unsigned unit)
{
    const struct unit_settings *settings = &worker->config->core.pools[pool].units[unit];

    return settings->instance->unicast ? worker->pools[pool].units[unit].refused
                                       : worker->links[settings->link].refused;
}

/* All at once where nothing was refused, which is nearly always; else one by one those that were not. */
static void tell_set_sent(struct worker *worker, unsigned pool, struct mono now)
{
    const struct pool_settings *set = &worker->config->core.pools[pool];
    bool refused = false;

    for (unsigned u = 0; u < set->unit_count; u++)
        refused |= worker->pools[pool].units[u].spoke && was_refused(worker, pool, u);
    for (unsigned u = 0; u < set->unit_count; u++) {
        struct worker_unit *unit = &worker->pools[pool].units[u];

        if (unit->spoke && !was_refused(worker, pool, u)) {
            kernel_unit_spoke(worker->kernel, pool, u, now);
            if (refused)
                say_sent(worker, pool, u);
        }
        unit->spoke = false;
    }
    if (!refused)
        say_sent(worker, pool, EFFECT_NO_UNIT);
}

/*
 * The core counts its lease from advertisements that have left. When frames were refused or thrown away just now, ours
 * may be among them, and nothing is said: the lease then runs on from the one before.
 */
static void tell_sent(struct worker *worker, struct mono now)
{
    const struct core_settings *settings = &worker->config->core;

    for (unsigned p = 0; p < settings_all_count(settings); p++) {
        if (!worker->pools[p].spoke)
            continue;
        worker->pools[p].spoke = false;
        if (p >= settings->pool_count) {
            tell_set_sent(worker, p, now);
        } else if (!worker->links[settings->pools[p].link].refused) {
            kernel_spoke(worker->kernel, p, now);
            say_sent(worker, p, 0);
        }
    }
}

void apply_flush(struct worker *worker, struct mono now)
{
    hand_out(worker);
    tell_sent(worker, now);
    announcing_run(worker, now);
    hand_out(worker);
    orders_flush(&worker->orders);
    notes_log(worker);
}
