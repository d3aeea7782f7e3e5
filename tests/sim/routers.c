/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worlds whose hosts run instances with fixed priorities instead of a pool: how they are configured, what is tracked,
 * and who must have each unit in the end: one with the highest priority. Called by world.c, fault.c, run.c and
 * allowance.c.
 */
#include "base/check.h"
#include "sim.h"

#define PRIORITY_LOWEST 100
#define PRIORITY_STEP 20 /* of Skew_Time at 100 ms: 8 ms, longer than a packet and a loop take */

void routers_pick(struct world *w)
{
    static const int64_t adverts[] = {US_PER_S, 500 * US_PER_MS, 200 * US_PER_MS, 100 * US_PER_MS};

    w->routers = true;
    w->link_count = 1;
    w->unit_count = w->unit_count > SIM_ROUTERS_MAX ? SIM_ROUTERS_MAX : w->unit_count;
    w->advert_us = w->version == 2 ? US_PER_S : adverts[prng_below(&w->prng, sizeof(adverts) / sizeof(adverts[0]))];
    w->member_us = w->advert_us;
    w->weighted = false;
    w->rules.preempt = world_chance(w, 70);
    w->rules.ties = world_chance(w, 20);
    w->rules.owner = world_chance(w, 15);
    w->rules.preempt_delay_us = world_chance(w, 25) ? world_random(w, US_PER_S, 3 * US_PER_S) : 0;
    bool grouped = w->profile->weight[FAULT_STRANGER] == 0 && world_chance(w, 40);
    w->rules.group_size = grouped ? (unsigned)world_random(w, 2, 3) : 0;
}

static unsigned routers_group(const struct world *w, unsigned unit)
{
    return w->rules.group_size == 0 ? unit : unit / w->rules.group_size;
}

void routers_group_of(const struct world *w, unsigned unit, unsigned *from, unsigned *end)
{
    unsigned size = w->rules.group_size == 0 ? 1 : w->rules.group_size;

    *from = unit / size * size;
    *end = *from + size < w->unit_count ? *from + size : w->unit_count;
}

/* Rotated, as people do it by hand: each host is first for some units. */
static uint8_t routers_priority(const struct world *w, unsigned node, unsigned unit)
{
    unsigned rank = (node + routers_group(w, unit)) % w->host_count;

    if (w->rules.ties) {
        return PRIORITY_LOWEST;
    }
    return w->rules.owner && rank + 1 == w->host_count ? VRRP_PRIORITY_OWNER
                                                       : (uint8_t)(PRIORITY_LOWEST + PRIORITY_STEP * rank);
}

void routers_configure_host(struct world *w, unsigned node)
{
    struct host *h = &w->hosts[node];

    CHECK(w->unit_count <= SIM_ROUTERS_MAX);
    for (unsigned u = 0; u < w->unit_count; u++) {
        uint8_t priority = routers_priority(w, node, u);
        h->instances[u] = (struct instance_settings){
            .priority = priority,
            .preempt = w->rules.preempt || priority == VRRP_PRIORITY_OWNER,
            .down_adverts = 3,
            .group = w->rules.group_size == 0 ? INSTANCE_NO_GROUP : (uint16_t)routers_group(w, u),
            .preempt_delay_us = priority == VRRP_PRIORITY_OWNER ? 0 : w->rules.preempt_delay_us,
            .lease_us = w->advert_us * 5 / 2,
            .track_link = true,
        };
        h->routers[u] = w->units[u];
        h->routers[u].instance = &h->instances[u];
    }
    h->files[0].pool.units = h->routers;
    h->files[0].settings = (struct core_settings){
        .set_count = 1,
        .link_count = 1,
        .group_count = w->rules.group_size == 0 ? 0 : (uint16_t)(routers_group(w, w->unit_count - 1) + 1),
        .startup_delay_us = w->startup_us,
        .pools = &h->files[0].pool,
    };
}

void routers_track(struct world *w, unsigned node, unsigned unit, bool fault, int weight)
{
    struct host *h = &w->hosts[node];

    if (h->state != HOST_RUNNING) {
        return;
    }
    h->router_fault[unit] = fault;
    trace_text(w, TRACE_FAULT, node, unit, fault ? "tracked fault, weight" : "tracked, weight", weight, 0);
    host_post(
        w, node,
        (struct item){
            .kind = ITEM_COMMAND, .command = EVENT_TRACK, .unit = (uint16_t)unit, .flag = fault, .error = weight});
}

int64_t routers_converge_us(const struct world *w)
{
    /* A delay may have begun at the very end, and then a preemption takes an Active_Down_Interval; a group gets both
     * once more, as it waits for its last member. */
    return w->startup_us + 2 * w->rules.preempt_delay_us + 10 * w->advert_us + US_PER_S;
}

static bool routers_is_stronger(const struct world *w, unsigned a, unsigned b, unsigned priority_a, unsigned priority_b)
{
    const struct host *x = &w->hosts[a], *y = &w->hosts[b];

    if (priority_a != priority_b) {
        return priority_a > priority_b;
    }
    return (w->family == FAMILY_IPV4 ? addr_compare(&x->ipv4, &y->ipv4) : addr_compare(&x->ipv6, &y->ipv6)) > 0;
}

static bool routers_is_undecided(const struct world *w, unsigned unit)
{
    for (unsigned i = 0; i < SIM_STRANGERS_MAX; i++) {
        if (w->strangers[i].running && w->strangers[i].unit == unit) {
            return true; /* its own rules may differ */
        }
    }
    for (unsigned node = 0; node < w->host_count; node++) {
        if (w->hosts[node].kernel.broken) {
            return true; /* it is the strongest, perhaps, and never succeeds */
        }
    }
    return false;
}

/* No priority is higher than the holder's. (Of equals whoever was first stays: RFC 9568 6.4.2.) */
void routers_check_winners(struct world *w)
{
    for (unsigned u = 0; u < w->unit_count && w->rules.preempt; u++) {
        unsigned highest = 0, held_with = 0;
        for (unsigned node = 0; node < w->host_count; node++) {
            unsigned priority = settle_can_hold(w, node, u) ? routers_priority(w, node, u) : 0;
            highest = priority > highest ? priority : highest;
            held_with = oracle_holders(w, u) == 1u << node ? priority : held_with;
        }
        if (held_with < highest && !routers_is_undecided(w, u)) {
            oracle_fail(w, "election", u, "held (bits %x) with priority %u, and %u is there", oracle_holders(w, u),
                        held_with, highest);
            return;
        }
    }
}

/* It has yielded this very moment, and may not have closed yet. */
static bool routers_has_yielded(const struct world *w, const struct instance_view *view)
{
    return view->last_reason == REASON_STRONGER && w->now_us - view->since.us < allowance_closing_us(w);
}

/* It has displaced somebody weaker, who hangs since; or a third one had, and has left. */
static bool routers_has_preempted(const struct world *w, const struct instance_view *view)
{
    bool by_right = view->last_reason == REASON_PREEMPTED || view->last_reason == REASON_RELEASED ||
                    view->priority == VRRP_PRIORITY_OWNER;

    return (view->want == INSTANCE_ACTIVE && by_right) || routers_has_yielded(w, view);
}

bool routers_elect(const struct world *w, unsigned a, unsigned b, unsigned unit)
{
    struct instance_view x, y;

    if (!w->routers || !world_is_host(a) || !world_is_host(b)) {
        return false;
    }
    bool up_a = host_is_up(&w->hosts[a]), up_b = host_is_up(&w->hosts[b]);
    if (up_a) {
        core_view_instance(w->hosts[a].core, 0, unit, &x);
    }
    if (up_b) {
        core_view_instance(w->hosts[b].core, 0, unit, &y);
    }
    if (!up_a || !up_b) { /* both hang by now: it was judged when it began */
        return up_a ? routers_has_preempted(w, &x) : up_b ? routers_has_preempted(w, &y) : true;
    }
    const struct instance_view *stronger = routers_is_stronger(w, a, b, x.priority, y.priority) ? &x : &y;
    return stronger->want == INSTANCE_ACTIVE || routers_has_yielded(w, stronger);
}
