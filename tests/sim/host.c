/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each host's daemon, as far as the core can see it: an inbox, a loop that wakes up a little late, effects carried out
 * in order, and a life: start (what an earlier run left is removed first), crash (the kernel keeps everything), pause
 * in the style of SIGSTOP, also between two effects of one step, and orderly leave.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

#define STUCK_DEADLINES 3

bool host_is_up(const struct host *h)
{
    return h->state == HOST_RUNNING && !h->paused;
}

static void host_wake_at(struct world *w, unsigned node, int64_t at_us)
{
    struct host *h = &w->hosts[node];

    if (at_us < h->wake_us) {
        h->wake_us = at_us;
        world_at(w, at_us, SIM_WAKE, node, 0, 0);
    }
}

void host_wake_soon(struct world *w, unsigned node)
{
    if (w->hosts[node].wake_us > w->now_us) {
        host_wake_at(w, node, w->now_us + world_random(w, 0, w->jitter_us));
    }
}

static void host_wake_for_deadline(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct mono deadline = core_deadline(h->core);

    if (mono_is_never(deadline)) {
        return;
    }
    if (deadline.us == h->deadline_us && h->deadline_wake_us > w->now_us) {
        if (h->deadline_wake_us < h->wake_us) { /* its event is in the queue already */
            h->wake_us = h->deadline_wake_us;
        }
        return;
    }
    h->deadline_us = deadline.us;
    h->deadline_wake_us = (deadline.us > w->now_us ? deadline.us : w->now_us) + world_random(w, 0, w->jitter_us);
    if (h->deadline_wake_us < h->wake_us) {
        host_wake_at(w, node, h->deadline_wake_us);
    } else {
        world_at(w, h->deadline_wake_us, SIM_WAKE, node, 0, 0);
    }
}

void host_post(struct world *w, unsigned node, struct item item)
{
    struct host *h = &w->hosts[node];

    if (h->other_count == SIM_OTHER_MAX) {
        CHECK(item.kind == ITEM_HEARD); /* a sleeping host's frames of others may be dropped, nothing else */
        return;
    }
    h->others[h->other_count++] = item;
    if (!h->paused) {
        host_wake_soon(w, node);
    }
}

void host_receive(struct world *w, unsigned node, unsigned from, uint32_t packet)
{
    struct host *h = &w->hosts[node];

    if (h->state != HOST_RUNNING || h->packet_count >= w->receive_limit) {
        w->lan.lost_us[from][node] = w->now_us;
        packet_release(&w->packet_store, packet);
        return;
    }
    h->packets[h->packet_count++] = (struct item){.kind = ITEM_PACKET, .value = packet, .received_us = w->now_us};
    if (!h->paused) {
        host_wake_soon(w, node);
    }
}

static void host_forget_inbox(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    for (unsigned i = 0; i < h->packet_count; i++) {
        packet_release(&w->packet_store, h->packets[i].value);
    }
    h->packet_count = 0;
    h->other_count = 0;
}

static void host_end(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    host_forget_inbox(w, node);
    h->state = HOST_DOWN;
    h->core = NULL;
    h->generation++;
    h->wake_us = SIM_NEVER;
    h->deadline_us = SIM_NEVER;
    h->paused = false;
    h->pause_midway = false;
    h->member_sent = false;
    h->leaving = false;
    h->drained = false;
    h->effects.count = 0;
    h->applied = 0;
    reload_forget(h);
    kernel_crashed(w, node);
}

/* A segment that carries this much more than everybody's regular advertisements is a storm. */
static void host_check_storm(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (w->now_us - h->storm_window_us >= US_PER_S) {
        h->storm_window_us = w->now_us;
        h->storm_sent = 0;
    }
    int64_t regular = w->unit_count * (US_PER_S / w->advert_us + 1) + US_PER_S / w->member_us + 1;
    if (++h->storm_sent > 8 * regular + 200) {
        oracle_fail(w, "storm", SIM_UNITS_MAX, "host %u sent %u packets within a second", node, h->storm_sent);
    }
}

static void host_send(struct world *w, unsigned node, const struct effect *effect)
{
    struct host *h = &w->hosts[node];
    uint8_t bytes[SIM_PACKET_MAX];
    size_t length = core_encode(h->core, effect, bytes, sizeof(bytes));

    trace_add(w, TRACE_SEND, node, host_world_unit(h, effect->unit), effect->priority, 0);
    if (length == 0) {
        oracle_fail(w, "encode", host_world_unit(h, effect->unit), "host %u cannot encode its advertisement", node);
        return;
    }
    host_check_storm(w, node);
    h->member_sent = h->member_sent || w->routers || effect->unit == EFFECT_NO_UNIT;
    if (!h->link_up[0]) {
        return;
    }
    if (w->routers && effect->priority > 0) {
        kernel_unit_sent(w, node, effect->unit);
    }
    if (effect->unit == EFFECT_NO_UNIT && effect->priority > 0) {
        kernel_member_sent(w, node);
    }
    lan_send(w, node, bytes, length);
}

static void host_note(struct world *w, unsigned node, const struct effect *e)
{
    uint64_t packed = e->note | (uint64_t)e->reason << 8 | (uint64_t)e->from_state << 16 | (uint64_t)e->to_state << 24 |
                      (uint64_t)world_node_of(w, &e->from) << 32 | (uint64_t)world_node_of(w, &e->to) << 40;

    trace_add(w, TRACE_NOTE, node, host_world_unit(&w->hosts[node], e->unit), (int64_t)packed, e->value);
}

static void host_apply_one(struct world *w, unsigned node, const struct effect *e)
{
    unsigned unit = host_world_unit(&w->hosts[node], e->unit);

    switch ((enum effect_kind)e->kind) {
    case EFFECT_LEVEL:
        trace_add(w, TRACE_WANT, node, unit, e->level, e->sequence);
        kernel_want(w, node, unit, e->level, e->sequence);
        break;
    case EFFECT_SEND:
        host_send(w, node, e);
        break;
    case EFFECT_ANNOUNCE:
        break;
    case EFFECT_PROBE:
        lan_probe(w, node);
        break;
    case EFFECT_ARM:
        trace_add(w, TRACE_ARM, node, EFFECT_NO_UNIT, 0, 0);
        kernel_arm(w, node, e->sequence);
        break;
    case EFFECT_NOTE:
        host_note(w, node, e);
        break;
    case EFFECT_LEFT:
        w->hosts[node].left = true;
        break;
    }
}

static void host_begin_midway_pause(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    h->pause_midway = false;
    host_pause(w, node, h->pause_freezes_kernel);
    world_at(w, w->now_us + h->pause_us, SIM_RESUME, node, 0, h->generation);
}

/* Carries out what is left of the last step. False: the process was stopped in the middle, or it is over. */
static bool host_apply(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    unsigned cut = UINT32_MAX;

    if (h->pause_midway && h->effects.count > h->applied) {
        cut = (unsigned)world_random(w, h->applied, h->effects.count - 1);
    }
    while (h->applied < h->effects.count) {
        if (h->applied == cut) {
            host_begin_midway_pause(w, node);
            return false;
        }
        host_apply_one(w, node, &h->effects.list[h->applied++]);
        if (w->oracle.failed) {
            return false;
        }
    }
    return !h->left;
}

static bool host_step(struct world *w, unsigned node, struct event *event);

bool host_complete(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (!host_apply(w, node)) {
        return false;
    }
    if (h->member_sent) {
        h->member_sent = false;
        struct event sent = {.kind = EVENT_SENT, .unit = EFFECT_NO_UNIT};
        return host_step(w, node, &sent);
    }
    return true;
}

static void host_trace_command(struct world *w, unsigned node, const struct event *event, enum core_result result)
{
    static const char *const names[] = {"share", "drain", "undrain", "take", "release", "rebalance", "leave", "track"};
    static_assert(EVENT_TRACK - EVENT_SHARE + 1 == ARRAY_LENGTH(names), "names of commands");

    if (event->kind >= EVENT_SHARE && event->kind <= EVENT_LEAVE) {
        trace_text(w, TRACE_COMMAND, node, host_world_unit(&w->hosts[node], event->unit),
                   names[event->kind - EVENT_SHARE], result, 0);
    }
}

static bool host_step(struct world *w, unsigned node, struct event *event)
{
    struct host *h = &w->hosts[node];

    event->now = (struct mono){w->now_us};
    h->effects.count = 0;
    h->applied = 0;
    enum core_result result = core_step(h->core, event, &h->effects);
    core_check(h->core);
    w->stats.events++;
    host_trace_command(w, node, event, result);
    return host_complete(w, node);
}

static bool item_is_about_unit(const struct item *item)
{
    return item->kind == ITEM_LEVEL_DONE ||
           (item->kind == ITEM_COMMAND &&
            (item->command == EVENT_TAKE || item->command == EVENT_RELEASE || item->command == EVENT_RETIRE));
}

static struct event host_event_of(const struct world *w, unsigned node, const struct item *item)
{
    static const uint8_t kinds[] = {
        [ITEM_PACKET] = EVENT_PACKET,
        [ITEM_LEVEL_DONE] = EVENT_LEVEL_DONE,
        [ITEM_ARMED] = EVENT_ARMED,
        [ITEM_HEARD] = EVENT_HEARD,
        [ITEM_PROBE_IMPOSSIBLE] = EVENT_PROBE_IMPOSSIBLE,
        [ITEM_LINK] = EVENT_LINK,
    };
    const struct host *h = &w->hosts[node];

    return (struct event){
        .kind = item->kind == ITEM_COMMAND ? item->command : kinds[item->kind],
        .link = item->link,
        .unit = item_is_about_unit(item) ? h->files[h->file].file_unit[item->unit] : item->unit,
        .up = item->flag,
        .now_flag = item->flag,
        .probe_answer = item->flag,
        .share = item->share,
        .fault = item->flag,
        .weight = (int16_t)item->error,
        .error = item->error,
        .sequence = item->value,
        .received = {item->received_us},
        .primary_ipv4 = h->ipv4,
        .primary_ipv6 = h->ipv6,
    };
}

/* Hands over one of the two inboxes; what is left when the process is stopped midway stays for later. */
static bool host_drain(struct world *w, unsigned node, struct item *items, unsigned *count)
{
    unsigned done = 0;
    bool goes_on = true;

    while (goes_on && done < *count) {
        struct item item = items[done++];
        struct event event = host_event_of(w, node, &item);
        if (item.kind == ITEM_PACKET) {
            const struct packet *packet = &w->packet_store.list[item.value];
            uint8_t bytes[SIM_PACKET_MAX];
            memcpy(bytes, packet->bytes, packet->length);
            event.packet = bytes;
            event.packet_length = packet->length;
            packet_release(&w->packet_store, item.value);
            goes_on = host_step(w, node, &event);
        } else if (!item_is_about_unit(&item) ||
                   event.unit != SIM_UNITS_MAX) { /* else: a command for what is not there */
            goes_on = host_step(w, node, &event);
        }
    }
    memmove(items, items + done, (*count - done) * sizeof(*items));
    *count -= done;
    return goes_on;
}

static void host_check_deadline(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (core_deadline(h->core).us > w->now_us) {
        h->stuck_deadlines = 0;
    } else if (++h->stuck_deadlines >= STUCK_DEADLINES) {
        oracle_fail(w, "busy loop", SIM_UNITS_MAX, "host %u: %u ticks in a row left a deadline in the past", node,
                    h->stuck_deadlines);
    }
}

static void host_finish_leaving(struct world *w, unsigned node)
{
    trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "has left", 0, 0);
    settle_check_nothing_left(w, node);
    host_end(w, node);
    kernel_clean(w, node);
}

static bool host_loop(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];
    struct event tick = {.kind = EVENT_TICK};
    bool packets_first = (prng_next(&w->prng) & 1) != 0;

    if (!host_complete(w, node)) { /* what a pause in the middle left */
        return false;
    }
    if (packets_first && !host_drain(w, node, h->packets, &h->packet_count)) {
        return false;
    }
    if (!host_drain(w, node, h->others, &h->other_count)) {
        return false;
    }
    if (!packets_first && !host_drain(w, node, h->packets, &h->packet_count)) {
        return false;
    }
    if (!host_step(w, node, &tick)) {
        return false;
    }
    reload_turn(w, node);
    return true;
}

void host_wake(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (h->wake_us != w->now_us || !host_is_up(h)) {
        return; /* replaced by an earlier one */
    }
    h->wake_us = SIM_NEVER;
    bool complete = host_loop(w, node);
    if (w->oracle.failed) {
        return;
    }
    if (h->left) {
        host_finish_leaving(w, node);
        return;
    }
    kernel_commit(w, node);
    if (complete) {
        host_check_deadline(w, node);
        host_wake_for_deadline(w, node);
    }
}

void host_pause(struct world *w, unsigned node, bool freeze_kernel)
{
    struct host *h = &w->hosts[node];

    if (host_is_up(h)) {
        h->paused = true;
        h->wake_us = SIM_NEVER;
        kernel_freeze(w, node, freeze_kernel);
        trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "pause", freeze_kernel, 0);
    }
}

void host_resume(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    h->pause_midway = false;
    if (h->state == HOST_RUNNING && h->paused) {
        h->paused = false;
        h->resumed_us = w->now_us;
        kernel_freeze(w, node, false);
        trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "resume", 0, 0);
        host_wake_soon(w, node);
    }
}

void host_start(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    if (h->state != HOST_DOWN) {
        return;
    }
    h->state = HOST_CLEANING;
    h->generation++;
    h->left = false;
    trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "start", 0, 0);
    world_at(w, w->now_us + world_random(w, w->kernel.min_us, w->kernel.max_us), SIM_CLEANED, node, 0, h->generation);
}

static void host_notify_link(struct world *w, unsigned node, unsigned link)
{
    int64_t at_us = w->now_us + world_random(w, 100, 5 * US_PER_MS);

    world_at(w, at_us, SIM_LINK, node, link, w->hosts[node].generation);
}

void host_cleaned(struct world *w, unsigned node, uint32_t generation)
{
    struct host *h = &w->hosts[node];

    if (h->state != HOST_CLEANING || h->generation != generation) {
        return;
    }
    kernel_clean(w, node);
    h->state = HOST_RUNNING;
    if (!w->routers) {
        reload_write(w, h, h->file, &h->edition);
    }
    h->core = core_init(h->storage, &host_file(h)->settings, (struct mono){w->now_us});
    core_check(h->core);
    h->effects.count = 0;
    h->applied = 0;
    h->share = host_file(h)->pool.share; /* what a script or an operator had set is gone */
    memset(h->router_fault, 0, sizeof(h->router_fault));
    h->stuck_deadlines = 0;
    h->wake_us = SIM_NEVER;
    h->deadline_us = SIM_NEVER;
    for (unsigned link = 0; link < w->link_count; link++) {
        host_notify_link(w, node, link);
    }
}

void host_crash(struct world *w, unsigned node)
{
    if (w->hosts[node].state != HOST_DOWN) {
        trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, "crash", 0, 0);
        host_end(w, node);
    }
}

void host_set_link(struct world *w, unsigned node, unsigned link, bool up)
{
    struct host *h = &w->hosts[node];

    if (h->link_up[link] != up) {
        h->link_up[link] = up;
        trace_text(w, TRACE_FAULT, node, EFFECT_NO_UNIT, up ? "link up" : "link down", link, 0);
        lan_refresh(w);
        host_notify_link(w, node, link);
    }
}

void host_command(struct world *w, unsigned node, enum event_kind kind, unsigned unit, unsigned share, bool at_once)
{
    struct host *h = &w->hosts[node];

    if (h->state != HOST_RUNNING) {
        return;
    }
    h->leaving = h->leaving || kind == EVENT_LEAVE;
    h->share = kind == EVENT_SHARE ? (uint8_t)share : h->share;
    h->drained = kind == EVENT_DRAIN || (h->drained && kind != EVENT_UNDRAIN);
    host_post(w, node,
              (struct item){.kind = ITEM_COMMAND,
                            .command = (uint8_t)kind,
                            .unit = (uint16_t)unit,
                            .share = (uint8_t)share,
                            .flag = at_once});
}
