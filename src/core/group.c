/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sync groups: Active together or not at all. One member's Fault is everybody's; when one falls back to Backup the
 * others are released; and nobody takes before all are ready to. An owner's priority (255) does not change that.
 */
#include "core/instance.h"

void group_mark(struct instance *i)
{
    if (i->group != NULL) {
        i->group->changed = true;
        i->set->all->groups_changed = true;
    }
}

static bool group_is_up(const struct instance *i)
{
    return router_is_settled_active(&i->router);
}

/* Everybody's addresses are in place, or it is Active already. */
static bool group_may_claim(const struct group *g)
{
    for (unsigned k = 0; k < g->member_count; k++) {
        if (!group_is_up(g->members[k]) && !router_is_ready(&g->members[k]->router)) {
            return false;
        }
    }
    return true;
}

/* One of those that are about to claim has to wait after all: then nobody claims. */
static bool group_defers(const struct group *g, struct mono now, struct effects *fx)
{
    bool any = false;
    for (unsigned k = 0; k < g->member_count; k++) {
        struct instance *i = g->members[k];
        any = (router_is_ready(&i->router) && instance_defers(i, now, fx)) || any;
    }
    return any;
}

/* Nobody else is known to be Active for it, or somebody weaker; or this host is, or is about to be. */
static bool group_is_ready(const struct instance *i)
{
    return i->wants_active || group_is_up(i) || i->router.phase == PHASE_TAKING;
}

static bool group_all_ready(const struct group *g)
{
    for (unsigned k = 0; k < g->member_count; k++) {
        if (!group_is_ready(g->members[k])) {
            return false;
        }
    }
    return true;
}

/* Its members' own faults; what is only the group's does not keep it up. */
static void group_share_faults(struct group *g, struct mono now, struct effects *fx)
{
    unsigned faulty = 0;
    for (unsigned k = 0; k < g->member_count; k++) {
        faulty += (g->members[k]->faults & INSTANCE_FAULTS_FATAL & ~INSTANCE_FAULT_GROUP) != 0;
    }
    for (unsigned k = 0; k < g->member_count; k++) {
        struct instance *i = g->members[k];
        bool own = (i->faults & INSTANCE_FAULTS_FATAL & ~INSTANCE_FAULT_GROUP) != 0;
        instance_group_fault(i, g->fault || faulty > own, now, fx);
    }
}

static void group_move(struct instance *i, bool all_ready, bool may_claim, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    if (may_claim && router_is_ready(r)) {
        instance_claim(i, now, fx);
    } else if (all_ready && r->state == ROUTER_BACKUP && r->phase == PHASE_SETTLED) {
        i->wants_active = false;
        instance_take(i, now, fx);
    } else if (!all_ready && r->phase == PHASE_TAKING) {
        instance_give_up(i, REASON_GROUP, now, fx);
    } else if (!all_ready && group_is_up(i)) {
        router_release(r, REASON_GROUP, true, fx);
        instance_settle(i, now, fx);
    }
}

static enum instance_state group_visible_state(const struct group *g)
{
    unsigned in[INSTANCE_STATE_COUNT] = {0};
    for (unsigned k = 0; k < g->member_count; k++) {
        in[g->members[k]->state]++;
    }
    for (unsigned state = 0; state < INSTANCE_STATE_COUNT; state++) {
        if (in[state] == g->member_count) {
            return (enum instance_state)state;
        }
    }
    if (in[INSTANCE_FAULT] > 0) {
        return INSTANCE_FAULT;
    }
    bool in_between = in[INSTANCE_STOPPED] > 0 || in[INSTANCE_INITIALIZE] > 0; /* stopping, starting */
    return in_between ? (enum instance_state)g->state : INSTANCE_BACKUP;
}

static void group_tell(struct group *g, struct mono now, struct effects *fx)
{
    enum instance_state to = group_visible_state(g);
    if (to == (enum instance_state)g->state) {
        return;
    }
    struct effect *note = instance_note(g->members[0], NOTE_GROUP_STATE, fx);
    note->unit = EFFECT_NO_UNIT;
    note->reason = g->members[0]->last_reason;
    note->from_state = g->state;
    note->to_state = (uint8_t)to;
    note->value = g->index;
    g->state = (uint8_t)to;
    g->since = now;
}

/* Whoever took one of them by mistake took them all: say again where they are. (One says so twice; that is cheap.) */
static void group_announce(const struct group *g, struct effects *fx)
{
    for (unsigned k = 0; k < g->member_count; k++) {
        const struct router *r = &g->members[k]->router;
        if (group_is_up(g->members[k]) && r->level == LEVEL_ANSWERING && router_is_done(r)) {
            effects_add(fx, EFFECT_ANNOUNCE, r->pool, r->unit)->value = ANNOUNCE_AGAIN;
        }
    }
}

void group_tick(struct group *g, struct mono now, struct effects *fx)
{
    g->changed = false;
    if (g->member_count == 0) { /* all of them are retired */
        return;
    }
    group_share_faults(g, now, fx);
    if (!g->members[0]->set->all->leaving) {
        bool may_claim = group_may_claim(g) && !group_defers(g, now, fx), all_ready = group_all_ready(g);
        for (unsigned k = 0; k < g->member_count; k++) {
            group_move(g->members[k], all_ready, may_claim, now, fx);
        }
    }
    if (g->claimed) {
        group_announce(g, fx);
    }
    group_tell(g, now, fx);
    g->changed = g->claimed = false;
}
