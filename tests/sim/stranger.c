/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router of another make on one VRID of the pool: written from the RFCs' tables (RFC 9568 6.4, RFC 3768 6.4), not
 * from our core, so that the two can disagree. Its kernel and its loop take no time. It answers exactly while it is
 * Active.
 */
#include "base/check.h"
#include "sim.h"

static struct stranger *stranger_get(struct world *w, unsigned node)
{
    return &w->strangers[node - SIM_STRANGER_FIRST];
}

static void stranger_set_timer(struct world *w, unsigned node, int64_t us)
{
    struct stranger *s = stranger_get(w, node);

    s->generation++;
    world_at(w, w->now_us + us, SIM_STRANGER, node, 0, s->generation);
}

static int64_t stranger_skew_us(const struct world *w, const struct stranger *s)
{
    int64_t of_us =
        w->version == 2 ? US_PER_S : s->active_interval_us; /* RFC 3768 6.1: (256 - Priority) / 256 seconds */

    return (256 - s->priority) * of_us / 256;
}

static void stranger_wait_for_silence(struct world *w, unsigned node)
{
    struct stranger *s = stranger_get(w, node);

    stranger_set_timer(w, node, 3 * s->active_interval_us + stranger_skew_us(w, s));
}

static void stranger_send(struct world *w, unsigned node, uint8_t priority)
{
    const struct stranger *s = stranger_get(w, node);
    const struct unit_settings *unit = &w->units[s->unit];
    struct advert advert = {
        .source = s->address,
        .destination = wire_group((enum family)w->family),
        .version = w->version,
        .vrid = unit->vrid,
        .priority = priority,
        .checksum = w->family == FAMILY_IPV4 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .interval_us = (uint32_t)s->interval_us,
        .address_count = unit->address_count,
        .addresses = unit->addresses,
    };
    uint8_t bytes[SIM_PACKET_MAX];
    size_t length = wire_encode(&advert, bytes, sizeof(bytes));

    CHECK(length > 0);
    trace_add(w, TRACE_SEND, node, s->unit, priority, 0);
    lan_send(w, node, bytes, length);
}

static void stranger_become(struct world *w, unsigned node, enum router_state state)
{
    struct stranger *s = stranger_get(w, node);

    s->state = (uint8_t)state;
    oracle_answer(w, node, s->unit, state == ROUTER_ACTIVE);
    if (state == ROUTER_ACTIVE) {
        stranger_send(w, node, s->priority);
        stranger_set_timer(w, node, s->interval_us);
    }
}

void stranger_start(struct world *w, unsigned node)
{
    struct stranger *s = stranger_get(w, node);

    s->running = true;
    s->active_interval_us = s->interval_us;
    trace_text(w, TRACE_FAULT, node, s->unit, "stranger starts, priority", s->priority, s->asserts);
    if (s->priority == VRRP_PRIORITY_OWNER) {
        stranger_become(w, node, ROUTER_ACTIVE);
        return;
    }
    s->state = ROUTER_BACKUP;
    stranger_wait_for_silence(w, node);
}

void stranger_stop(struct world *w, unsigned node, bool goodbye)
{
    struct stranger *s = stranger_get(w, node);

    if (!s->running) {
        return;
    }
    trace_text(w, TRACE_FAULT, node, s->unit, "stranger stops, goodbye", goodbye, 0);
    bool was_active = s->state == ROUTER_ACTIVE;
    s->state = ROUTER_INITIALIZE;
    s->running = false;
    s->generation++;
    oracle_answer(w, node, s->unit, false);
    if (goodbye && was_active) {
        stranger_send(w, node, VRRP_PRIORITY_RELEASE);
    }
}

void stranger_timer(struct world *w, unsigned node, uint32_t generation)
{
    struct stranger *s = stranger_get(w, node);

    if (!s->running || generation != s->generation) {
        return;
    }
    if (s->state == ROUTER_ACTIVE) {
        stranger_send(w, node, s->priority);
        stranger_set_timer(w, node, s->interval_us);
    } else {
        stranger_become(w, node, ROUTER_ACTIVE);
    }
}

static void stranger_learn(struct world *w, unsigned node, const struct advert *advert)
{
    if (w->version == 3) {
        stranger_get(w, node)->active_interval_us = advert->interval_us;
    }
    stranger_wait_for_silence(w, node);
}

static void stranger_hear_backup(struct world *w, unsigned node, const struct advert *advert)
{
    struct stranger *s = stranger_get(w, node);

    if (advert->priority == VRRP_PRIORITY_RELEASE) {
        stranger_set_timer(w, node, stranger_skew_us(w, s));
    } else if (!s->preempt || advert->priority >= s->priority) {
        stranger_learn(w, node, advert);
    }
}

static void stranger_hear_active(struct world *w, unsigned node, const struct advert *advert)
{
    struct stranger *s = stranger_get(w, node);
    bool stronger = advert->priority > s->priority ||
                    (advert->priority == s->priority && addr_compare(&advert->source, &s->address) > 0);

    if (advert->priority == VRRP_PRIORITY_RELEASE) {
        stranger_send(w, node, s->priority);
        stranger_set_timer(w, node, s->interval_us);
    } else if (stronger) {
        stranger_become(w, node, ROUTER_BACKUP);
        stranger_learn(w, node, advert);
    } else if (s->asserts) {
        stranger_send(w, node, s->priority);
    }
}

void stranger_hear(struct world *w, unsigned node, const uint8_t *bytes, size_t length)
{
    struct stranger *s = stranger_get(w, node);
    struct addr addresses[VRRP_ADDRESSES_MAX];
    struct advert advert;

    if (!s->running || wire_parse(bytes, length, false, &advert, addresses) != WIRE_OK) {
        return;
    }
    if (advert.vrid != w->units[s->unit].vrid || advert.version != w->version ||
        addr_equal(&advert.source, &s->address)) {
        return;
    }
    trace_add(w, TRACE_HEAR, node, s->unit, advert.priority, world_node_of(w, &advert.source));
    if (s->state == ROUTER_ACTIVE) {
        stranger_hear_active(w, node, &advert);
    } else {
        stranger_hear_backup(w, node, &advert);
    }
}
