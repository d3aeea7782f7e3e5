/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What needs a person's attention about instances: their part of `attention` (see attention_json.c, which calls it).
 * Every instance has a sentence of its own, since people know them by name.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/fields_json.h"

#define TEXT_MAX 512
#define REFUSAL_RECENT_S 10

static json_t *add(struct answer *a, json_t *list, const char *severity, const char *code, const char *instance,
                   const char *format, ...) __attribute__((format(printf, 6, 7)));

static json_t *add(struct answer *a, json_t *list, const char *severity, const char *code, const char *instance,
                   const char *format, ...)
{
    char text[TEXT_MAX];
    json_t *object = new_object(a);
    va_list arguments;
    int used = snprintf(text, sizeof(text), "instance %s ", instance);

    va_start(arguments, format);
    vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
    va_end(arguments);
    put_text(a, object, "code", code);
    put_text(a, object, "severity", severity);
    put_new(a, object, "pool", json_null());
    put_text(a, object, "instance", instance);
    put_text(a, object, "text", text);
    append_new(a, list, object);
    return object;
}

/* All of them as one clause: "interface eth0 is down; its group G is in Fault". */
static const char *join_faults(struct answer *a, unsigned set, unsigned unit, const struct instance_view *i,
                               char text[static TEXT_MAX])
{
    json_t *faults = instance_faults(a, set, unit, i), *fault;
    size_t index, used = 0;

    text[0] = '\0';
    json_array_foreach(faults, index, fault)
    {
        int length = snprintf(text + used, TEXT_MAX - used, "%s%s", index > 0 ? "; " : "", json_string_value(fault));

        used += (size_t)length < TEXT_MAX - used ? (size_t)length : TEXT_MAX - used - 1;
    }
    json_decref(faults);
    return text;
}

static void add_state(struct answer *a, json_t *alarms, unsigned set, unsigned unit, const struct instance_view *i)
{
    const char *name = a->view->config->core.pools[set].units[unit].instance->name;
    char text[TEXT_MAX];

    if (i->state == INSTANCE_FAULT)
        add(a, alarms, "alarm", "fault", name, "is in Fault: %s", join_faults(a, set, unit, i, text));
    else if ((i->faults & INSTANCE_FAULT_KERNEL) != 0)
        add(a, alarms, "alarm", "kernel", name, "cannot be taken: %s", join_faults(a, set, unit, i, text));
}

static void add_conflict(struct answer *a, json_t *alarms, unsigned set, unsigned unit)
{
    const struct daemon_conflict *c = conflict_of(a, set, unit);
    char address[ADDR_TEXT_MAX], ago[AGO_TEXT_MAX], mac[MAC_TEXT_MAX];

    if (!conflict_is_recent(a, c))
        return;
    add(a, alarms, "alarm", "conflict", a->view->config->core.pools[set].units[unit].instance->name,
        "was answered for by somebody else: %s by %s, %s ago", addr_format(&c->address, address), mac_text(c->mac, mac),
        ago_text(a, c->last, ago));
}

static void add_list(struct answer *a, json_t *warnings, unsigned set, unsigned unit, const struct instance_view *i)
{
    char address[ADDR_TEXT_MAX];

    if (i->address_list_differs)
        add(a, warnings, "warning", "address_list", a->view->config->core.pools[set].units[unit].instance->name,
            "is advertised by %s with another list of addresses than this host has",
            addr_format(&i->address_list_from, address));
}

static void add_own_mac(struct answer *a, json_t *warnings, unsigned set, unsigned unit)
{
    const struct daemon_own_mac *own_macs = a->view->pools[set].own_macs;

    if (own_macs != NULL && own_macs[unit].is)
        add(a, warnings, "warning", "vmac", a->view->config->core.pools[set].units[unit].instance->name,
            "answers with its interface's own MAC: %s", own_macs[unit].text);
}

/* Another password or interval: each of the two takes itself for alone, and both are Active. */
static void add_refusals(struct answer *a, json_t *warnings, unsigned set, unsigned unit, const struct instance_view *i)
{
    const struct unit_settings *settings = &a->view->config->core.pools[set].units[unit];
    int64_t recent_us = REFUSAL_RECENT_S * (int64_t)US_PER_S + 2 * settings->advert_interval_us;
    char address[ADDR_TEXT_MAX];

    if (!addr_is_none(&i->refused_from) && mono_diff_us(a->view->now, i->refused_at) < recent_us)
        add(a, warnings, "warning", "refused", settings->instance->name,
            "does not accept what %s advertises for it: %s", addr_format(&i->refused_from, address),
            refusal_text((enum instance_refusal)i->refused_why));
}

/* Who gives way is in Fault, and says it there. */
static void add_rival(struct answer *a, json_t *alarms, const struct unit_settings *unit)
{
    char text[RIVAL_TEXT_MAX];

    if (unit->family == FAMILY_IPV4 && rival_text(a->view, unit->link, text) && !a->view->rivals[unit->link].yields)
        add(a, alarms, "alarm", "duplicate_address", unit->instance->name, "has another: %s", text);
}

/* What makes it fail is said with that. */
static void add_trackers(struct answer *a, json_t *warnings, unsigned set, unsigned unit, const struct instance_view *i)
{
    const char *name = a->view->config->core.pools[set].units[unit].instance->name;
    struct tracker_finding tracker;
    char configured[32];

    snprintf(configured, sizeof(configured), " (%u is configured)", i->base_priority);
    for (unsigned k = 0; tracker_text(a, TRACK_INSTANCE, set, unit, k, &tracker); k++)
        if (tracker.failed && !tracker.fault)
            add(a, warnings, "warning", "tracker", name, "has priority %u%s: %s", i->priority,
                i->priority != i->base_priority ? configured : "", tracker.text);
}

void instance_attention(struct answer *a, unsigned set, json_t *alarms, json_t *warnings)
{
    const struct pool_settings *settings = &a->view->config->core.pools[set];

    for (unsigned u = 0; u < settings->unit_count; u++) {
        struct instance_view i;

        core_view_instance(a->view->core, set, u, &i);
        add_state(a, alarms, set, u, &i);
        add_conflict(a, alarms, set, u);
        add_rival(a, alarms, &settings->units[u]);
        add_list(a, warnings, set, u, &i);
        add_own_mac(a, warnings, set, u);
        add_refusals(a, warnings, set, u, &i);
        add_trackers(a, warnings, set, u, &i);
    }
}

/* What a group tracks and weighs; what makes it fail is said with its members. */
void group_attention(struct answer *a, json_t *warnings)
{
    for (unsigned g = 0; g < a->view->config->core.group_count; g++) {
        struct tracker_finding tracker;

        for (unsigned i = 0; tracker_text(a, TRACK_GROUP, 0, g, i, &tracker); i++) {
            char text[TEXT_MAX];

            if (!tracker.failed || tracker.fault)
                continue;
            snprintf(text, sizeof(text), "group %s: %s", a->view->config->instances->groups[g].name, tracker.text);
            json_t *object = new_object(a);

            put_text(a, object, "code", "tracker");
            put_text(a, object, "severity", "warning");
            put_new(a, object, "pool", json_null());
            put_text(a, object, "text", text);
            append_new(a, warnings, object);
        }
    }
}
