/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going on with other settings (see handover.h). It decides nothing about ownership: the state is copied, what depends
 * on the settings is derived anew, and a changed interval is said at once, because others judge us by what we said
 * last. Called by the daemon's reload and by the simulator.
 */
#include "core/handover.h"

#include <string.h>

#include "base/check.h"
#include "core/core_state.h"

/* Files are changed on one host after the other: who ranks first for a new unit may not have read of it yet. */
#define ADDED_PATIENCE_US (3 * (int64_t)US_PER_S)

static bool handover_same_name(const char *a, const char *b)
{
    unsigned i = 0;
    while (i + 1 < SETTINGS_NAME_MAX && a[i] != '\0' && a[i] == b[i]) {
        i++;
    }
    return a[i] == b[i];
}

static bool handover_same_wire(const struct handover *map, const struct pool_settings *old,
                               const struct pool_settings *new)
{
    return map->old_link[new->link] == old->link && old->family == new->family && old->version == new->version;
}

static unsigned handover_find_unit(const struct pool_settings *pool, unsigned vrid)
{
    for (unsigned i = 0; i < pool->unit_count; i++) {
        if (pool->units[i].vrid == vrid) {
            return i;
        }
    }
    return HANDOVER_NONE;
}

static bool handover_share_units(const struct pool_settings *old, const struct pool_settings *new)
{
    for (unsigned i = 0; i < new->unit_count; i++) {
        if (handover_find_unit(old, new->units[i].vrid) != HANDOVER_NONE) {
            return true;
        }
    }
    return false;
}

static bool handover_is_named(const struct core_settings *settings, const char *name)
{
    for (unsigned i = 0; i < settings->pool_count; i++) {
        if (handover_same_name(settings->pools[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Instances are known by their names, which have to mean the same router. */
static unsigned handover_find_instance(const struct handover *map, const struct pool_settings *old,
                                       const struct unit_settings *new)
{
    for (unsigned i = 0; i < old->unit_count; i++) {
        const struct unit_settings *o = &old->units[i];
        if (handover_same_name(o->instance->name, new->instance->name)) {
            bool same = map->old_link[new->link] == o->link && o->family == new->family && o->version == new->version &&
                        o->vrid == new->vrid;
            return same ? i : HANDOVER_NONE;
        }
    }
    return HANDOVER_NONE;
}

static unsigned handover_find_set(const struct core_settings *old, const char *name)
{
    for (unsigned s = old->pool_count; s < settings_all_count(old); s++) {
        if (handover_same_name(old->pools[s].name, name)) {
            return s;
        }
    }
    return HANDOVER_NONE;
}

static void handover_match_set(const struct core_settings *old, const struct core_settings *new, unsigned set,
                               struct handover *map)
{
    unsigned from = handover_find_set(old, new->pools[set].name);
    map->old_pool[set] = (uint16_t)from;
    for (unsigned u = 0; from != HANDOVER_NONE && u < new->pools[set].unit_count; u++) {
        map->old_unit[set][u] = (uint16_t)handover_find_instance(map, &old->pools[from], &new->pools[set].units[u]);
    }
}

static unsigned handover_find_pool(const struct core_settings *old, const struct core_settings *new, unsigned pool,
                                   const struct handover *map)
{
    const struct pool_settings *s = &new->pools[pool];
    for (unsigned i = 0; i < old->pool_count; i++) {
        if (handover_same_name(old->pools[i].name, s->name)) {
            return handover_same_wire(map, &old->pools[i], s) ? i : HANDOVER_NONE;
        }
    }
    for (unsigned i = 0; i < old->pool_count; i++) { /* renamed: its old name and its new one are on one side only */
        const struct pool_settings *o = &old->pools[i];
        if (!handover_is_named(new, o->name) && handover_same_wire(map, o, s) && handover_share_units(o, s) &&
            handover_pool_heir(map, new, i) == HANDOVER_NONE) {
            return i;
        }
    }
    return HANDOVER_NONE;
}

void handover_match(const struct core_settings *old, const struct core_settings *new, struct handover *map)
{
    memset(map->old_pool, 0xff, sizeof(map->old_pool));
    memset(map->old_unit, 0xff, sizeof(map->old_unit));
    for (unsigned p = 0; p < new->pool_count; p++) {
        unsigned from = handover_find_pool(old, new, p, map);
        map->old_pool[p] = (uint16_t)from;
        for (unsigned u = 0; from != HANDOVER_NONE && u < new->pools[p].unit_count; u++) {
            map->old_unit[p][u] = (uint16_t)handover_find_unit(&old->pools[from], new->pools[p].units[u].vrid);
        }
    }
    for (unsigned s = new->pool_count; s < settings_all_count(new); s++) {
        handover_match_set(old, new, s, map);
    }
}

void handover_forget(struct handover *map, unsigned new_pool, unsigned new_unit)
{
    map->old_unit[new_pool][new_unit] = HANDOVER_NONE;
}

unsigned handover_pool_heir(const struct handover *map, const struct core_settings *new, unsigned old_pool)
{
    for (unsigned p = 0; p < settings_all_count(new); p++) {
        if (map->old_pool[p] == old_pool) {
            return p;
        }
    }
    return HANDOVER_NONE;
}

unsigned handover_unit_heir(const struct handover *map, const struct core_settings *new, unsigned old_pool,
                            unsigned old_unit)
{
    unsigned heir = handover_pool_heir(map, new, old_pool);
    for (unsigned u = 0; heir != HANDOVER_NONE && u < new->pools[heir].unit_count; u++) {
        if (map->old_unit[heir][u] == old_unit) {
            return u;
        }
    }
    return HANDOVER_NONE;
}

/* --- what has no successor goes first --- */

static void unit_retire(struct pool *p, struct unit *u, struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    u->retired = true;
    u->claiming = u->pinned_here = false;
    p->changed = true;
    if (r->state == ROUTER_ACTIVE) {
        router_release(r, REASON_OPERATOR, true, fx);
    } else if (r->phase == PHASE_TAKING) {
        router_give_up(r, now, router_silence_us(r), REASON_OPERATOR, fx);
    }
}

/* While another pool of its wire stays, this host stays a member there, and only the units go. With the last one the
 * host leaves the wire as it does when the daemon ends. */
static void pool_retire(struct pool *p, struct mono now, struct effects *fx)
{
    bool wire_goes_on = false;
    p->retired = true;
    for (unsigned i = 0; i < p->all->pool_count; i++) {
        wire_goes_on |= pool_is_on_same_wire(p, &p->pools[i]) && !p->pools[i].retired;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        unit_retire(p, &p->units[i], now, fx);
    }
    for (unsigned i = 0; !wire_goes_on && i < p->all->pool_count; i++) {
        if (pool_is_on_same_wire(p, &p->pools[i])) {
            p->pools[i].leaving = true;
            pool_go(&p->pools[i], REASON_OPERATOR, fx);
        }
    }
}

void core_retire(struct core *core, const struct event *event, struct effects *fx)
{
    struct pool *p = &core->pools[event->pool];
    if (event->unit == EFFECT_NO_UNIT) {
        pool_retire(p, event->now, fx);
    } else {
        unit_retire(p, &p->units[event->unit], event->now, fx);
    }
}

static bool pool_is_retired(const struct pool *p)
{
    if (p->leaving && !p->left) {
        return false;
    }
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        const struct unit *u = &p->units[i];
        if (u->retired && !router_is_gone(&u->router)) {
            return false;
        }
    }
    return true;
}

bool core_is_retired(const struct core *core)
{
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        if (!pool_is_retired(&core->pools[i])) {
            return false;
        }
    }
    return instances_are_retired(&core->instances);
}

/* --- what stays goes on --- */

static void unit_take_over(struct pool *p, struct unit *u, const struct unit *from, struct mono now)
{
    struct unit fresh = *u; /* as pool_init made it */
    struct router *r = &u->router;
    *u = *from;
    u->settings = fresh.settings;
    r->pool = fresh.router.pool;
    r->unit = fresh.router.unit;
    r->open_delay_us = fresh.router.open_delay_us;
    u->address_list_differs = false; /* told anew with the next advertisement */
    u->address_list_from = u->differs_from = ADDR_NONE;
    if (r->advert_interval_us != u->settings->advert_interval_us) {
        r->advert_interval_us = u->settings->advert_interval_us;
        u->interval_noted = false;
        if (r->state == ROUTER_ACTIVE && r->phase != PHASE_EMPTIED) {
            r->active_interval_us = r->advert_interval_us;
            r->adver = now;
            pool_repeat_soon(p, u, now);
        } else if (u->holder_kind == HOLDER_NONE) {
            r->active_interval_us = r->advert_interval_us;
        }
    }
    pool_tune_timers(p, u);
}

static void pool_take_over_units(struct pool *p, const struct pool *from, const uint16_t *old_unit, struct mono now,
                                 struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (old_unit[i] != HANDOVER_NONE) {
            unit_take_over(p, u, &from->units[old_unit[i]], now);
        } else if (p->ready) {
            router_start(&u->router, &p->primary, now, REASON_OPERATOR, fx);
            u->patient_until = mono_add(now, router_silence_us(&u->router) + ADDED_PATIENCE_US);
        }
    }
}

static uint32_t handover_links_up(const struct handover *map, unsigned link_count, uint32_t old)
{
    uint32_t up = 0;
    for (unsigned i = 0; i < link_count; i++) {
        if (map->old_link[i] != HANDOVER_NONE && (old >> map->old_link[i] & 1) != 0) {
            up |= UINT32_C(1) << i;
        }
    }
    return up;
}

/* Before the units: what the pool itself goes on with. */
static void pool_take_over(struct pool *p, const struct pool *from, const struct handover *map, struct mono now)
{
    const struct pool_settings *s = p->settings;
    bool share_was_set = from->own_share != from->settings->share;
    struct unit *units = p->units;
    struct plan_unit *plan_units = p->plan_units;
    const struct core_settings *all = p->all;
    struct plan *plan = p->plan;
    unsigned index = p->index;
    *p = *from;
    pool_bind(p, index, all, units, plan, plan_units);
    if (!share_was_set) {
        p->own_share = s->share;
    }
    p->links_up = handover_links_up(map, all->link_count, from->links_up);
    p->lease_pending = MONO_NEVER;
    p->changed = true;
    p->view_changed = now; /* nothing moves before everybody had the time to say what is so now */
    p->round_left = 0;
    p->watched.vrid = 0;
    p->moves_wanted = MONO_NEVER;
    if (!s->isolation_check) {
        p->isolation = ISOLATION_NONE;
        p->mute_suspected = false;
    }
    if (s->member_interval_us != from->settings->member_interval_us) {
        p->members.list[MEMBER_SELF].interval_us = s->member_interval_us;
        p->member_adver = mono_is_never(p->member_adver) ? MONO_NEVER : now;
    }
}

void core_take_over(struct core *to, const struct core *from, const struct handover *map, struct mono now,
                    struct effects *fx)
{
    for (unsigned l = 0; l < to->settings->link_count; l++) {
        if (map->old_link[l] != HANDOVER_NONE) {
            to->links[l] = from->links[map->old_link[l]];
        }
    }
    for (unsigned i = 0; i < to->settings->pool_count; i++) {
        if (map->old_pool[i] != HANDOVER_NONE) {
            struct pool *p = &to->pools[i];
            const struct pool *q = &from->pools[map->old_pool[i]];
            pool_take_over(p, q, map, now);
            pool_take_over_units(p, q, map->old_unit[i], now, fx);
            if (p->ready) {
                pool_recheck_member_vrid(p, q->settings->member_vrid != p->settings->member_vrid, now, fx);
            }
        }
    }
    instances_take_over(&to->instances, &from->instances, map, now, fx);
}

void core_ask_again(const struct core *core, struct effects *fx)
{
    for (unsigned i = 0; i < core->settings->pool_count; i++) {
        const struct pool *p = &core->pools[i];
        if (p->ready && !p->armed) {
            effects_add(fx, EFFECT_ARM, i, EFFECT_NO_UNIT)->sequence = p->arm_sequence;
        }
        for (unsigned u = 0; u < p->settings->unit_count; u++) {
            router_ask_again(&p->units[u].router, fx);
        }
    }
    instances_ask_again(&core->instances, fx);
}
