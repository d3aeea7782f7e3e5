/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From frames to events. It owns no state but the rate limits in worker.h; what a frame says is frame.h's business,
 * what it means the core's. Called by worker.c once a turn.
 *
 * Rule f of the design, packets before timers: everything that the kernel had received when the turn began is handed
 * over before EVENT_TICK. So reading goes on until the queue is empty or a frame's time stamp is as late as the turn
 * itself; a flood thus costs a turn no more than what was queued when it began.
 */
#include <string.h>

#include "daemon/log.h"
#include "daemon/worker.h"
#include "platform/frame.h"

#define HEARD_EVERY_US (50 * US_PER_MS)
#define CONFLICT_EVERY_US (100 * US_PER_MS)
#define CONFLICT_NOTED_US (60 * US_PER_S) /* after a silence so long it is news again */
#define IPV4_SOURCE_OFFSET 12
#define IPV6_SOURCE_OFFSET 8

/* Sent from this host's own address: it came back, or somebody else uses the address. It proves nothing. */
static bool is_own_packet(const struct worker *worker, unsigned link, const struct frame_view *view)
{
    const struct kernel_link *state = &worker->links[link].state;
    bool ipv4 = view->packet_length > 0 && view->packet[0] >> 4 == 4;
    const struct addr *own = ipv4 ? &state->primary_ipv4 : &state->primary_ipv6;
    size_t offset = ipv4 ? IPV4_SOURCE_OFFSET : IPV6_SOURCE_OFFSET;
    size_t length = ipv4 ? 4 : 16;

    return view->packet_length < offset + length || memcmp(view->packet + offset, own->bytes, length) == 0;
}

static void take_packet(struct worker *worker, unsigned link, const struct packet_in *in, const struct frame_view *view,
                        struct mono now)
{
    struct event event = {
        .kind = EVENT_PACKET,
        .link = (uint8_t)link,
        .now = now,
        .received = in->received,
        .packet = view->packet,
        .packet_length = view->packet_length,
    };

    if (!is_own_packet(worker, link, view))
        thirdparty_heard(worker->thirdparty, link, in->received);
    else if (view->packet[0] >> 4 == 4 && memcmp(view->source_mac, worker->links[link].state.mac, 6) != 0)
        rival_heard(&worker->links[link].rival, now);
    apply_step(worker, &event);
}

static void take_heard(struct worker *worker, unsigned link, enum thirdparty_verdict verdict, struct mono received,
                       struct mono now)
{
    struct worker_link *l = &worker->links[link];

    if (verdict == THIRDPARTY_HEARD && !mono_due(now, l->heard_next))
        return;
    l->heard_next = mono_add(now, HEARD_EVERY_US);
    struct event event = {
        .kind = EVENT_HEARD,
        .link = (uint8_t)link,
        .probe_answer = verdict == THIRDPARTY_ANSWER,
        .now = now,
        .received = received,
    };

    apply_step(worker, &event);
}

/* True when the address is that of a member, in any pool on this link. */
static bool is_member(const struct worker *worker, unsigned link, const struct addr *address, struct mono now)
{
    for (unsigned p = 0; p < worker->config->core.pool_count; p++) {
        struct pool_view pool;
        struct member_view member;

        if (worker->config->core.pools[p].link != link)
            continue;
        core_view_pool(worker->core, p, &pool);
        for (unsigned m = 0; m < pool.member_count; m++) {
            core_view_member(worker->core, p, m, now, &member);
            if (addr_equal(&member.address, address))
                return true;
        }
    }
    return false;
}

/* The unit's own virtual MAC of either family; an instance's may be chosen. */
static bool is_virtual_mac(const uint8_t mac[6], uint8_t vrid, const struct config_router *router)
{
    uint8_t virtual_mac[6];

    if (router != NULL)
        return memcmp(mac, router->vmac, sizeof(router->vmac)) == 0;
    wire_virtual_mac(FAMILY_IPV4, vrid, virtual_mac);
    if (memcmp(mac, virtual_mac, sizeof(virtual_mac)) == 0)
        return true;
    wire_virtual_mac(FAMILY_IPV6, vrid, virtual_mac);
    return memcmp(mac, virtual_mac, sizeof(virtual_mac)) == 0;
}

/*
 * With use_vmac a claim looks the same whoever makes it, and may be one of our own that came back. But this host never
 * answers itself: an answer to its own question is somebody else's.
 */
static bool may_be_own(const struct worker *worker, const struct vip_place *place, const struct frame_view *view,
                       struct mono received)
{
    const struct config_pool *pool = &worker->config->pools[place->pool];
    const struct config_router *router = pool->units[place->unit].router;

    return (router != NULL ? router->use_vmac : pool->use_vmac) &&
           is_virtual_mac(view->sender_mac, worker->config->core.pools[place->pool].units[place->unit].vrid, router) &&
           !(view->to_us && audit_asked(worker->audit, place->number, received));
}

static bool is_news(const struct daemon_conflict *conflict, const struct frame_view *view, struct mono now)
{
    return conflict->count == 0 || mono_diff_us(now, conflict->last) > CONFLICT_NOTED_US ||
           memcmp(conflict->mac, view->sender_mac, sizeof(conflict->mac)) != 0;
}

static void take_claim(struct worker *worker, const struct vip_place *place, const struct frame_view *view,
                       struct mono received, struct mono now)
{
    struct worker_pool *pool = &worker->pools[place->pool];
    struct worker_unit *unit = &pool->units[place->unit];
    struct daemon_conflict *conflict = &pool->conflicts[place->unit];

    /* What was said before the unit was held here, it was said rightly. */
    if (unit->level != LEVEL_ANSWERING || mono_after(unit->answering_since, received) ||
        may_be_own(worker, place, view, received))
        return;
    if (is_news(conflict, view, now))
        notes_take_conflict(worker, place, view, now);
    worker->counters.conflicts++;
    conflict->count++;
    conflict->last = now;
    conflict->address = view->sender;
    memcpy(conflict->mac, view->sender_mac, sizeof(conflict->mac));
    if (!mono_due(now, unit->conflict_next))
        return;
    unit->conflict_next = mono_add(now, CONFLICT_EVERY_US);
    struct event event = {.kind = EVENT_CONFLICT, .pool = place->pool, .unit = place->unit, .now = now};

    apply_step(worker, &event);
}

static void take_answer_for_own(struct worker *worker, unsigned link, const struct frame_view *view, struct mono now)
{
    struct worker_link *l = &worker->links[link];
    const uint8_t *mac = view->sender_mac;
    bool known = !mono_due(now, l->rival.seen.until);
    char text[ADDR_TEXT_MAX];

    if (view->kind != FRAME_CLAIM || !view->to_us || !addr_equal(&view->sender, &l->state.primary_ipv4) ||
        !rival_answer(&l->rival, &l->state, mac, now))
        return;
    worker->counters.duplicates++;
    if (!known && !l->rival.seen.stronger)
        log_write(LOG_LEVEL_ERROR, "duplicate_address", NULL, 0,
                  "%s: %02x:%02x:%02x:%02x:%02x:%02x speaks VRRP from this host's own address %s; it should give way",
                  worker->config->links[link], mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
                  addr_format(&l->state.primary_ipv4, text));
}

/* ARP and neighbour discovery: that we hear somebody, that somebody answered us, that somebody claims what we hold. */
static void take_neighbour(struct worker *worker, unsigned link, const struct packet_in *in,
                           const struct frame_view *view, struct mono now)
{
    const uint8_t *own_mac = worker->links[link].state.mac;
    bool from_us = memcmp(view->source_mac, own_mac, sizeof(view->source_mac)) == 0;
    bool names_us = memcmp(view->sender_mac, own_mac, sizeof(view->sender_mac)) == 0;
    struct vip_place place;
    bool vip = vip_index_find(worker->vips, link, &view->sender, &place);

    /* Who names our own MAC sends everybody to us. Else it does not count whom the frame says to come from. */
    if (view->kind == FRAME_CLAIM && vip && !names_us)
        take_claim(worker, &place, view, in->received, now);
    if (from_us)
        return; /* an echo of our own proves nothing */
    take_answer_for_own(worker, link, view, now);
    bool outsider = !vip && !is_member(worker, link, &view->sender, now);

    take_heard(worker, link, thirdparty_take(worker->thirdparty, link, view, outsider, in->received), in->received,
               now);
}

static void take_frame(struct worker *worker, unsigned link, const struct packet_in *in, struct mono now)
{
    struct frame_view view;

    frame_read(in->frame, in->length, worker->links[link].state.mac, &view);
    switch ((enum frame_kind)view.kind) {
    case FRAME_VRRP:
        take_packet(worker, link, in, &view, now);
        return;
    case FRAME_ARP_REQUEST:
    case FRAME_CLAIM:
        take_neighbour(worker, link, in, &view, now);
        return;
    case FRAME_OTHER:
        worker->counters.frames_ignored++;
        return;
    }
}

static void read_port(struct worker *worker, unsigned link, struct mono now)
{
    struct worker_link *l = &worker->links[link];
    struct packet_in in[PACKET_BATCH];

    l->readable = false;
    for (;;) {
        int count = packet_receive(l->port, now, in, PACKET_BATCH);

        if (count <= 0)
            return;
        for (int i = 0; i < count; i++)
            take_frame(worker, link, &in[i], now);
        if (count < PACKET_BATCH || mono_due(in[count - 1].received, now))
            return;
    }
}

void intake_run(struct worker *worker, bool all, struct mono now)
{
    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        struct worker_link *link = &worker->links[i];

        if (link->port != NULL && (all || link->readable))
            read_port(worker, i, now);
    }
}
