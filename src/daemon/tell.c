/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's notes on their way to the guard, which calls commands and writes FIFOs for them (orders.h, notify.h). They
 * are queued here and sent when the turn's packets have left. It owns nothing. Called by apply.c.
 */
#include "core/view.h"
#include "daemon/worker.h"

static uint8_t held_in(int64_t priority)
{
    return priority < 0 ? 0 : priority > UINT8_MAX ? UINT8_MAX : (uint8_t)priority;
}

static struct order about_instance(const struct effect *effect, enum order_kind kind)
{
    return (struct order){
        .kind = (uint8_t)kind,
        .subject = ORDER_INSTANCE,
        .state = effect->to_state,
        .priority = held_in(effect->value),
        .pool = effect->pool,
        .index = effect->unit,
    };
}

/* How a pool's unit looks to commands: what is lost while the daemon leaves, or a reload ends the unit, is lost to
 * that. */
static enum instance_state unit_state(bool ends, enum router_state state)
{
    if (ends && state != ROUTER_ACTIVE)
        return INSTANCE_STOPPED;
    switch (state) {
    case ROUTER_ACTIVE:
        return INSTANCE_ACTIVE;
    case ROUTER_BACKUP:
        return INSTANCE_BACKUP;
    case ROUTER_INITIALIZE:
    case ROUTER_STATE_COUNT:
        break;
    }
    return INSTANCE_FAULT;
}

static struct order about_unit(const struct worker *worker, unsigned pool, unsigned unit, enum router_state state)
{
    struct unit_view view;

    core_view_unit(worker->core, pool, unit, &view);
    return (struct order){
        .kind = ORDER_STATE,
        .subject = ORDER_UNIT,
        .state = (uint8_t)unit_state(worker->leaving || view.retired, state),
        .priority = view.priority,
        .pool = (uint8_t)pool,
        .index = (uint16_t)unit,
    };
}

static struct order about_group(const struct effect *effect)
{
    return (struct order){
        .kind = ORDER_STATE,
        .subject = ORDER_GROUP,
        .state = effect->to_state,
        .index = (uint16_t)effect->value,
    };
}

void tell_note(struct worker *worker, const struct effect *effect)
{
    bool pool = effect->pool < worker->config->core.pool_count;
    struct order order;

    if (effect->note == NOTE_UNIT_STATE && pool)
        order = about_unit(worker, effect->pool, effect->unit, (enum router_state)effect->to_state);
    else if (effect->note == NOTE_INSTANCE_STATE)
        order = about_instance(effect, ORDER_STATE);
    else if (effect->note == NOTE_GROUP_STATE)
        order = about_group(effect);
    else if (effect->note == NOTE_PRIORITY)
        order = about_instance(effect, ORDER_PRIORITY);
    else if (effect->note == NOTE_WEAKER)
        order = about_instance(effect, ORDER_WEAKER);
    else
        return; /* for people only */
    orders_add(&worker->orders, &order);
}

void tell_renamed(struct worker *worker, unsigned pool)
{
    for (unsigned u = 0; u < worker->config->core.pools[pool].unit_count; u++) {
        struct unit_view view;

        core_view_unit(worker->core, pool, u, &view);
        if (view.state != ROUTER_ACTIVE)
            continue;
        struct order order = about_unit(worker, pool, u, ROUTER_ACTIVE);

        orders_add(&worker->orders, &order);
    }
}
