/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The explain answer: why is this unit where it is, who is next, what would move it; as data (unit, ranking) and as
 * facts in sentences, each with a topic (held, next, move, here) and a code. It judges nothing itself: the facts are
 * those of core/view.h and of the planner.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/fields_json.h"
#include "daemon/note.h"

#define TEXT_MAX 1024
#define DURATION_TEXT_MAX 32

/* What the sentences are about. */
struct subject {
    struct answer *a;
    json_t *facts;
    unsigned pool, unit;
    const struct pool_settings *pool_settings;
    const struct unit_settings *settings;
    struct pool_view p;
    struct unit_view u;
    char holder[MEMBER_TEXT_MAX];
};

static const char *duration_text(int64_t us, char text[static DURATION_TEXT_MAX])
{
    double seconds = (double)us / US_PER_S;

    if (seconds < 120)
        snprintf(text, DURATION_TEXT_MAX, "%.1f s", seconds);
    else if (seconds < 7200)
        snprintf(text, DURATION_TEXT_MAX, "%.0f min", seconds / 60);
    else
        snprintf(text, DURATION_TEXT_MAX, "%.1f h", seconds / 3600);
    return text;
}

/* "alpha (10.0.0.1), 10.0.0.2" */
static const char *list_text(const struct subject *s, const struct addr *list, unsigned count,
                             char text[static TEXT_MAX])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < count && used < TEXT_MAX / 2; i++) {
        char member[MEMBER_TEXT_MAX];

        used += (size_t)snprintf(text + used, TEXT_MAX - used, "%s%s", i == 0 ? "" : ", ",
                                 member_text(s->a->view, s->pool, &list[i], member));
    }
    return text;
}

static void explain_holder(struct subject *s)
{
    char age[DURATION_TEXT_MAX];

    switch ((enum holder_kind)s->u.holder_kind) {
    case HOLDER_NONE:
        if (!s->p.ready)
            append_fact(s->a, s->facts, "held", "not_heard",
                        "Who holds it is not known here: this host takes no part in the pool.");
        else if (mono_is_never(s->u.vacant_since))
            append_fact(s->a, s->facts, "held", "unowned", "Nobody holds it.");
        else
            append_fact(s->a, s->facts, "held", "unowned", "Nobody has held it for %s.",
                        duration_text(mono_diff_us(s->a->view->now, s->u.vacant_since), age));
        return;
    case HOLDER_SELF:
        append_fact(s->a, s->facts, "held", "self", "This host, %s, has held it for %s.", s->holder,
                    duration_text(mono_diff_us(s->a->view->now, s->u.since), age));
        return;
    case HOLDER_MEMBER:
        append_fact(s->a, s->facts, "held", "member", "The member %s has held it for %s, with priority %u.", s->holder,
                    duration_text(mono_diff_us(s->a->view->now, s->u.since), age), s->u.holder_priority);
        return;
    case HOLDER_STRANGER:
        append_fact(
            s->a, s->facts, "held", "stranger",
            "The router %s has held it for %s, with priority %u; it is no member of the pool, so the rules of RFC 9568 "
            "alone decide.",
            s->holder, duration_text(mono_diff_us(s->a->view->now, s->u.since), age), s->u.holder_priority);
        return;
    case HOLDER_KIND_COUNT:
        break;
    }
}

static void explain_last_change(struct subject *s)
{
    char from[MEMBER_TEXT_MAX], to[MEMBER_TEXT_MAX], age[DURATION_TEXT_MAX], gap[64] = "";
    const char *why = note_reason_text(s->u.last_reason);

    if (mono_is_never(s->u.last_change))
        return;
    if (s->u.last_gap_us >= 0 && s->u.last_gap_us < US_PER_MS / 10)
        snprintf(gap, sizeof(gap), "; without a gap");
    else if (s->u.last_gap_us >= 0)
        snprintf(gap, sizeof(gap), "; %.1f ms passed without an owner", (double)s->u.last_gap_us / US_PER_MS);
    append_fact(
        s->a, s->facts, "held", "last_change", "It went from %s to %s %s ago%s%s%s.",
        member_text(s->a->view, s->pool, &s->u.last_from, from), member_text(s->a->view, s->pool, &s->u.last_to, to),
        duration_text(mono_diff_us(s->a->view->now, s->u.last_change), age), *why == '\0' ? "" : ": ", why, gap);
}

static void explain_troubles(struct subject *s)
{
    const struct daemon_conflict *conflict = conflict_of(s->a, s->pool, s->unit);
    char other[MEMBER_TEXT_MAX], mac[MAC_TEXT_MAX], ago[AGO_TEXT_MAX];
    struct member_view member;

    if (s->u.contested)
        append_fact(
            s->a, s->facts, "held", "contested",
            "%s%s also claims it: VRRP's own rule (priority, then address) decides.",
            member_text(s->a->view, s->pool, &s->u.contender, other),
            look_up_member(s->a->view, s->pool, &s->u.contender, &member) ? "" : ", which is no member of the pool,");
    if (conflict_is_recent(s->a, conflict))
        append_fact(s->a, s->facts, "held", "conflict",
                    "%s answered for it %s ago, without VRRP: a host that is configured with the address.",
                    mac_text(conflict->mac, mac), ago_text(s->a, conflict->last, ago));
    if (s->u.address_list_differs)
        append_fact(s->a, s->facts, "held", "address_list",
                    "%s advertises another list of addresses than this host is configured with: compare the files.",
                    member_text(s->a->view, s->pool, &s->u.address_list_from, other));
}

static void explain_next(struct subject *s)
{
    char next[MEMBER_TEXT_MAX];

    if (!s->p.ready)
        return;
    if (addr_is_none(&s->u.next))
        append_fact(s->a, s->facts, "next", "nobody", "Nobody else could take it over now.");
    else if (s->u.holder_kind == HOLDER_NONE)
        append_fact(s->a, s->facts, "next", "orphan", "%s is the one to take it now.",
                    member_text(s->a->view, s->pool, &s->u.next, next));
    else
        append_fact(s->a, s->facts, "next", "member", "If %s goes away now, %s takes it over.", s->holder,
                    member_text(s->a->view, s->pool, &s->u.next, next));
}

static void explain_wishes(struct subject *s)
{
    char list[TEXT_MAX];

    if (s->settings->prefer_count > 0)
        append_fact(s->a, s->facts, "move", "prefer",
                    "The configuration prefers, in this order and while they live: %s.",
                    list_text(s, s->settings->prefer, s->settings->prefer_count, list));
    if (s->settings->eligible_count > 0)
        append_fact(s->a, s->facts, "move", "members", "Only these may hold it: %s.",
                    list_text(s, s->settings->eligible, s->settings->eligible_count, list));
}

static void explain_moves(struct subject *s)
{
    char planned[MEMBER_TEXT_MAX], wait[DURATION_TEXT_MAX];

    if (s->u.pinned_here)
        append_fact(s->a, s->facts, "move", "pinned_here",
                    "It is pinned to this host (keelctl take): balancing never moves it; keelctl release ends that.");
    else if (s->u.pinned)
        append_fact(
            s->a, s->facts, "move", "pinned",
            "It is pinned to its owner (by prefer in the file, or keelctl take there): balancing never moves it.");
    else if (!addr_is_none(&s->u.planned))
        append_fact(s->a, s->facts, "move", "planned", "A move to %s is planned.",
                    member_text(s->a->view, s->pool, &s->u.planned, planned));
    else if (s->u.holder_kind == HOLDER_STRANGER)
        append_fact(s->a, s->facts, "move", "stranger",
                    "A member takes it over when that router falls silent or advertises less than the member's "
                    "priority; balancing counts it for nobody.");
    else if (s->u.holder_kind == HOLDER_SELF || s->u.holder_kind == HOLDER_MEMBER)
        append_fact(s->a, s->facts, "move", "stays",
                    s->pool_settings->rebalance
                        ? "No move is planned: the loads are even as they are, or other units move first."
                        : "No move is planned: rebalance is off in the configuration.");
    if (!mono_is_never(s->u.still_until) && mono_after(s->u.still_until, s->a->view->now))
        append_fact(s->a, s->facts, "move", "still",
                    "It moved a short while ago, so balancing leaves it alone for another %s.",
                    duration_text(mono_diff_us(s->u.still_until, s->a->view->now), wait));
}

/* Why this host holds nothing, or only what nobody else can. */
static void explain_reserve(struct subject *s)
{
    struct mono started = mono_add(s->p.started, s->pool_settings->startup_delay_us);
    char text[MEMBER_TEXT_MAX], wait[DURATION_TEXT_MAX];
    struct tracker_finding tracker;

    if (s->p.isolation == ISOLATION_DEAF)
        append_fact(s->a, s->facts, "here", "isolated",
                    "This host is isolated: it hears nobody, so it claims nothing.");
    if (s->p.isolation == ISOLATION_MUTE)
        append_fact(s->a, s->facts, "here", "isolated", "This host is isolated: nobody hears it, so it holds nothing.");
    if (!addr_is_none(&s->p.one_way))
        append_fact(s->a, s->facts, "here", "one_way", "%s does not hear this host, which holds nothing therefore.",
                    member_text(s->a->view, s->pool, &s->p.one_way, text));
    for (unsigned i = 0; tracker_text(s->a, TRACK_POOL, s->pool, 0, i, &tracker); i++)
        if (tracker.failed || tracker.fault)
            append_fact(s->a, s->facts, "here", "tracker", "Tracked: %s%s.", tracker.text,
                        tracker.fault ? "; this host holds nothing until that is over" : "");
    if (s->p.leaving)
        append_fact(s->a, s->facts, "here", "leaving", "This host is leaving: it gives everything away.");
    else if (s->p.drained)
        append_fact(s->a, s->facts, "here", "drained",
                    "This host is drained: it holds only what nobody else can (keelctl undrain ends it).");
    if (mono_after(started, s->a->view->now))
        append_fact(s->a, s->facts, "here", "starting",
                    "This host is starting: for another %s (startup_delay) it holds only what nobody else can.",
                    duration_text(mono_diff_us(started, s->a->view->now), wait));
}

static void explain_here(struct subject *s)
{
    char filter[FILTER_TEXT_MAX];

    append_fact(s->a, s->facts, "here", "state", "This host is %s for it, with priority %u and rank %u.",
                router_state_name(s->u.state), s->u.priority, s->u.rank);
    if (!s->p.ready)
        append_fact(s->a, s->facts, "here", "not_ready",
                    "This host takes no part in pool %s: its link is down or has no address.", s->pool_settings->name);
    else if (!s->u.links_up)
        append_fact(s->a, s->facts, "here", "link_down", "This host cannot hold it now: a link that it needs is down.");
    explain_reserve(s);
    if (filter_text(s->a->view, s->pool, filter))
        append_fact(s->a, s->facts, "here", "filter", "Weaker than configured: %s.", filter);
}

static json_t *ranking_array(struct answer *a, unsigned pool, unsigned unit)
{
    struct plan_member members[PLAN_MEMBERS_MAX];
    struct plan plan;
    unsigned count = core_view_plan(a->view->core, pool, a->view->now, NULL, 0, members, &plan);
    json_t *array = new_array(a);

    for (unsigned rank = 0; rank < count; rank++) {
        for (unsigned m = 0; m < count; m++) {
            if (plan.rank[unit][m] != rank)
                continue;
            json_t *object = new_object(a);

            put_int(a, object, "rank", rank);
            put_member(a, object, "address", "name", pool, &members[m].address);
            put_int(a, object, "share", members[m].share);
            put_int(a, object, "load", plan.load[m]);
            append_new(a, array, object);
        }
    }
    return array;
}

enum request_outcome explain_answer(struct answer *a)
{
    struct subject s = {.a = a};
    json_t *unit;

    if (!find_unit(a, &s.pool, &s.unit))
        return REQUEST_REFUSED;
    if (s.pool >= a->view->config->core.pool_count)
        return explain_instance(a, s.pool, s.unit);
    s.facts = new_array(a);
    s.pool_settings = &a->view->config->core.pools[s.pool];
    s.settings = &s.pool_settings->units[s.unit];
    core_view_pool(a->view->core, s.pool, &s.p);
    core_view_unit(a->view->core, s.pool, s.unit, &s.u);
    member_text(a->view, s.pool, &s.u.holder, s.holder);
    explain_holder(&s);
    explain_last_change(&s);
    explain_troubles(&s);
    explain_next(&s);
    explain_wishes(&s);
    explain_moves(&s);
    explain_here(&s);
    unit = unit_object(a, s.pool, s.unit);
    put_new(a, unit, "vips", vips_array(a, s.pool, s.unit));
    put_text(a, a->root, "pool", s.pool_settings->name);
    put_new(a, a->root, "unit", unit);
    put_new(a, a->root, "ranking", ranking_array(a, s.pool, s.unit));
    put_new(a, a->root, "facts", s.facts);
    return REQUEST_DONE;
}
