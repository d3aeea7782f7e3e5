/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The explain answer for an instance: who holds it and why, what this host is for it, what would change that. The same
 * form as for a unit (explain_json.c, which calls it). It judges nothing: the facts are those of core/view.h.
 */
#include <stdio.h>

#include "daemon/fields_json.h"
#include "daemon/note.h"

struct subject {
    struct answer *a;
    json_t *facts;
    unsigned set, unit;
    const struct unit_settings *settings;
    struct instance_view i;
};

static double seconds_since(const struct subject *s, struct mono t)
{
    return (double)mono_diff_us(s->a->view->now, t) / US_PER_S;
}

static void explain_holder(struct subject *s)
{
    char address[ADDR_TEXT_MAX];

    if (s->i.state != INSTANCE_ACTIVE && s->i.state != INSTANCE_BACKUP)
        append_fact(s->a, s->facts, "held", "not_heard",
                    "Who holds it is not known here: it does not run on this host.");
    else if (addr_is_none(&s->i.holder))
        append_fact(s->a, s->facts, "held", "unowned", "Nobody is known to hold it.");
    else if (s->i.state == INSTANCE_ACTIVE)
        append_fact(s->a, s->facts, "held", "self", "This host, %s, holds it with priority %u.",
                    addr_format(&s->i.holder, address), s->i.priority);
    else
        append_fact(
            s->a, s->facts, "held", "other", "The router %s holds it with priority %u; it advertises every %.2f s.",
            addr_format(&s->i.holder, address), s->i.holder_priority, (double)s->i.holder_interval_us / US_PER_S);
    const struct daemon_conflict *conflict = conflict_of(s->a, s->set, s->unit);
    char mac[MAC_TEXT_MAX], ago[AGO_TEXT_MAX];

    if (conflict_is_recent(s->a, conflict))
        append_fact(s->a, s->facts, "held", "conflict",
                    "%s answered for it %s ago, without VRRP: a host that is configured with the address.",
                    mac_text(conflict->mac, mac), ago_text(s->a, conflict->last, ago));
    if (s->i.address_list_differs)
        append_fact(s->a, s->facts, "held", "address_list",
                    "%s advertises another list of addresses than this host is configured with.",
                    addr_format(&s->i.address_list_from, address));
}

/* What it tracks and has failed, when that is not said as a fault. */
static void explain_trackers(struct subject *s)
{
    struct tracker_finding tracker;

    for (unsigned i = 0; tracker_text(s->a, TRACK_INSTANCE, s->set, s->unit, i, &tracker); i++)
        if (tracker.failed && !tracker.fault)
            append_fact(s->a, s->facts, "here", "tracker", "Tracked: %s.", tracker.text);
}

static void explain_refusals(struct subject *s)
{
    struct instance_counters counters;
    char address[ADDR_TEXT_MAX], ago[AGO_TEXT_MAX];

    core_view_instance_counters(s->a->view->core, s->set, s->unit, &counters);
    if (!addr_is_none(&s->i.refused_from))
        append_fact(s->a, s->facts, "held", "refused",
                    "What %s advertised for it %s ago was not accepted (%llu such so far): %s.",
                    addr_format(&s->i.refused_from, address), ago_text(s->a, s->i.refused_at, ago),
                    (unsigned long long)counters.refused[s->i.refused_why],
                    refusal_text((enum instance_refusal)s->i.refused_why));
}

static void explain_here(struct subject *s)
{
    const struct note change = {
        .kind = NOTE_INSTANCE_STATE, .reason = s->i.last_reason, .from_state = s->i.previous, .to_state = s->i.state};
    const char *why = note_cause(&change);
    char filter[FILTER_TEXT_MAX];

    append_fact(s->a, s->facts, "here", "state", "This host has been %s%s for %.1f s%s%s.",
                s->i.state == INSTANCE_FAULT ? "in " : "", instance_state_name((enum instance_state)s->i.state),
                seconds_since(s, s->i.since), *why == '\0' ? "" : ": ", why);
    if (s->i.priority != s->i.base_priority)
        append_fact(s->a, s->facts, "here", "priority",
                    "Its priority is %u: %u as configured, %+d from what it tracks.", s->i.priority, s->i.base_priority,
                    s->i.weight);
    else
        append_fact(s->a, s->facts, "here", "priority", "Its priority is %u.", s->i.priority);
    json_t *faults = instance_faults(s->a, s->set, s->unit, &s->i), *fault;
    size_t index;

    json_array_foreach(faults, index, fault)
        append_fact(s->a, s->facts, "here", "fault", "A fault: %s.", json_string_value(fault));
    json_decref(faults);
    explain_trackers(s);
    if (filter_text(s->a->view, s->set, filter))
        append_fact(s->a, s->facts, "here", "filter", "Weaker than configured: %s.", filter);
}

static void explain_waiting(struct subject *s)
{
    if (!mono_is_never(s->i.preempt_at))
        append_fact(s->a, s->facts, "move", "preempt_delay", "The weaker router is displaced in %.1f s.",
                    -seconds_since(s, s->i.preempt_at));
    if (!mono_is_never(s->i.down_deadline) && mono_after(s->i.down_deadline, s->a->view->now))
        append_fact(s->a, s->facts, "move", "silence",
                    "This host takes it when nothing acceptable is heard for another %.2f s.",
                    -seconds_since(s, s->i.down_deadline));
    if (!s->settings->instance->preempt)
        append_fact(s->a, s->facts, "move", "not_preempting",
                    "A weaker router keeps it while it is heard: preemption is off.");
}

static void explain_next(struct subject *s)
{
    const struct instance_settings *instance = s->settings->instance;

    switch ((enum instance_state)s->i.state) {
    case INSTANCE_ACTIVE:
        append_fact(s->a, s->facts, "move", "yields",
                    "A router with a higher priority takes it over; of equal ones that with the higher address.");
        break;
    case INSTANCE_BACKUP:
        explain_waiting(s);
        break;
    case INSTANCE_FAULT:
        append_fact(s->a, s->facts, "move", "fault", "This host takes part again when nothing of it is at fault.");
        break;
    case INSTANCE_INITIALIZE:
    case INSTANCE_STOPPED:
    case INSTANCE_STATE_COUNT:
        break;
    }
    if (instance->group != INSTANCE_NO_GROUP)
        append_fact(s->a, s->facts, "move", "group", "It moves together with its group %s.",
                    s->a->view->config->instances->groups[instance->group].name);
}

enum request_outcome explain_instance(struct answer *a, unsigned set, unsigned unit)
{
    struct subject s = {.a = a,
                        .facts = new_array(a),
                        .set = set,
                        .unit = unit,
                        .settings = &a->view->config->core.pools[set].units[unit]};

    core_view_instance(a->view->core, set, unit, &s.i);
    explain_holder(&s);
    explain_refusals(&s);
    explain_here(&s);
    explain_next(&s);
    json_t *instance = instance_object(a, set, unit);

    put_new(a, instance, "vips", vips_array(a, set, unit));
    put_new(a, a->root, "instance", instance);
    put_new(a, a->root, "facts", s.facts);
    return REQUEST_DONE;
}
