/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances and their groups as JSON objects: the same fields wherever they appear (status, list, explain). Copies from
 * core/view.h and the configuration; the only words of its own are those for faults.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "daemon/fields_json.h"

#define FAULT_TEXT_MAX 512

const char *refusal_text(enum instance_refusal refusal)
{
    static const char *const texts[] = {
        [REFUSED_NONE] = "",
        [REFUSED_TTL] = "its TTL says that it comes from elsewhere",
        [REFUSED_LENGTH] = "its length is wrong",
        [REFUSED_VERSION] = "it is of another version of VRRP",
        [REFUSED_TYPE] = "it is no advertisement",
        [REFUSED_CHECKSUM] = "its checksum is wrong",
        [REFUSED_NO_ADDRESSES] = "it has no address",
        [REFUSED_IDLE] = "the instance does not run here",
        [REFUSED_LOOPED] = "it is our own",
        [REFUSED_DESTINATION] = "one of the two speaks unicast and the other does not",
        [REFUSED_SOURCE] = "its source is no peer, or not link-local",
        [REFUSED_AUTH_INVALID] = "its type of authentication does not exist",
        [REFUSED_AUTH_MISMATCH] = "its type of authentication is another one",
        [REFUSED_AUTH_FAILURE] = "its password is another one",
        [REFUSED_INTERVAL] = "its interval is another one",
        [REFUSED_OWNER] = "this host owns the addresses and ignores all",
    };

    static_assert(ARRAY_LENGTH(texts) == INSTANCE_REFUSAL_COUNT, "a text for each refusal");
    return texts[refusal];
}

static const char *holder_kind_of(const struct instance_view *i)
{
    if (addr_is_none(&i->holder))
        return "none";
    return i->state == INSTANCE_ACTIVE ? "self" : "other";
}

/* --- faults --- */

static const char *link_fault_text(const struct answer *a, uint8_t link, char text[static FAULT_TEXT_MAX])
{
    snprintf(text, FAULT_TEXT_MAX, "interface %s %s", a->view->config->links[link],
             a->view->links[link].present ? "is down" : "does not exist");
    return text;
}

/* An instance that spans links is cut by any of them. */
static void append_link_faults(struct answer *a, const struct unit_settings *unit, json_t *array)
{
    char text[FAULT_TEXT_MAX];
    uint32_t needed = unit->links | UINT32_C(1) << unit->link;

    for (unsigned link = 0; link < a->view->config->core.link_count; link++)
        if ((needed >> link & 1) != 0 && !(a->view->links[link].present && a->view->links[link].up))
            append_new(a, array, text_value(a, link_fault_text(a, (uint8_t)link, text)));
}

static void append_source_fault(struct answer *a, const struct unit_settings *unit, json_t *array)
{
    const char *interface = a->view->config->links[unit->link];
    char text[FAULT_TEXT_MAX], address[ADDR_TEXT_MAX], rival[RIVAL_TEXT_MAX];

    if (unit->family == FAMILY_IPV4 && rival_text(a->view, unit->link, rival))
        snprintf(text, sizeof(text), "%s", rival);
    else if (addr_is_none(&unit->instance->source))
        snprintf(text, sizeof(text), "interface %s has no %s address to speak from", interface,
                 unit->family == FAMILY_IPV6 ? "link-local" : "IPv4");
    else
        snprintf(text, sizeof(text), "its source address %s is not on %s",
                 addr_format(&unit->instance->source, address), interface);
    append_new(a, array, text_value(a, text));
}

/* A tracker without a result yet is none that failed. */
static void append_tracked_faults(struct answer *a, unsigned set, unsigned unit, json_t *array)
{
    struct tracker_finding tracker;

    for (unsigned i = 0; tracker_text(a, TRACK_INSTANCE, set, unit, i, &tracker); i++)
        if (tracker.fault)
            append_new(a, array, text_value(a, tracker.text));
}

/* Whose fault it is: what the group tracks, or a member with a fault of its own. */
static void append_group_fault(struct answer *a, unsigned set, unsigned unit, json_t *array)
{
    const struct core_settings *core = &a->view->config->core;
    uint16_t group = core->pools[set].units[unit].instance->group;
    const char *name = a->view->config->instances->groups[group].name;
    struct tracker_finding tracker;
    char text[FAULT_TEXT_MAX] = "";

    for (unsigned i = 0; text[0] == '\0' && tracker_text(a, TRACK_GROUP, 0, group, i, &tracker); i++)
        if (tracker.fault)
            snprintf(text, sizeof(text), "its group %s is in Fault: %s", name, tracker.text);
    for (unsigned p = core->pool_count; p < settings_all_count(core) && text[0] == '\0'; p++) {
        for (unsigned u = 0; u < core->pools[p].unit_count; u++) {
            const struct instance_settings *other = core->pools[p].units[u].instance;
            struct instance_view view;

            core_view_instance(a->view->core, p, u, &view);
            if (other->group != group || (p == set && u == unit) ||
                (view.faults & ~(INSTANCE_FAULT_GROUP | INSTANCE_FAULT_KERNEL)) == 0)
                continue;
            snprintf(text, sizeof(text), "%s of its group %s is in Fault", other->name, name);
            break;
        }
    }
    if (text[0] == '\0')
        snprintf(text, sizeof(text), "its group %s is in Fault", name);
    append_new(a, array, text_value(a, text));
}

json_t *instance_faults(struct answer *a, unsigned set, unsigned unit, const struct instance_view *i)
{
    const struct unit_settings *settings = &a->view->config->core.pools[set].units[unit];
    json_t *array = new_array(a);
    char text[FAULT_TEXT_MAX];

    if ((i->faults & INSTANCE_FAULT_LINK) != 0)
        append_link_faults(a, settings, array);
    else if ((i->faults & INSTANCE_FAULT_SOURCE) != 0) /* without a link there is no address either */
        append_source_fault(a, settings, array);
    if ((i->faults & INSTANCE_FAULT_TRACKED) != 0)
        append_tracked_faults(a, set, unit, array);
    if ((i->faults & INSTANCE_FAULT_PEERS) != 0)
        append_new(a, array, text_value(a, "it speaks unicast and has no peer"));
    if ((i->faults & INSTANCE_FAULT_GROUP) != 0)
        append_group_fault(a, set, unit, array);
    if ((i->faults & INSTANCE_FAULT_KERNEL) != 0) {
        snprintf(text, sizeof(text), "the kernel refused its addresses: %s", strerror(i->kernel_error));
        append_new(a, array, text_value(a, text));
    }
    return array;
}

static json_t *fault_kinds(struct answer *a, uint8_t faults)
{
    static const char *const names[] = {"link", "source", "tracked", "peers", "group", "kernel"};
    json_t *array = new_array(a);

    static_assert(INSTANCE_FAULT_KERNEL == 1 << (ARRAY_LENGTH(names) - 1), "a name for each bit");
    for (unsigned i = 0; i < ARRAY_LENGTH(names); i++)
        if ((faults >> i & 1) != 0)
            append_new(a, array, text_value(a, names[i]));
    return array;
}

/* --- instances --- */

static void put_identity(struct answer *a, json_t *object, const struct unit_settings *unit)
{
    const struct instance_settings *instance = unit->instance;
    const struct config *config = a->view->config;

    put_text(a, object, "name", instance->name);
    put_text(a, object, "group",
             instance->group == INSTANCE_NO_GROUP ? NULL : config->instances->groups[instance->group].name);
    put_int(a, object, "vrid", unit->vrid);
    put_text(a, object, "interface", config->links[unit->link]);
    put_text(a, object, "family", family_text(unit->family));
    put_int(a, object, "version", unit->version);
    put_text(a, object, "transport", instance->unicast ? "unicast" : "multicast");
    put_bool(a, object, "preempt", instance->preempt);
    put_int(a, object, "advert_interval_ms", unit->advert_interval_us / US_PER_MS);
}

static void put_state(struct answer *a, json_t *object, const struct instance_view *i)
{
    put_address(a, object, "address", &i->primary);
    put_text(a, object, "state", instance_state_name((enum instance_state)i->state));
    put_text(a, object, "want", instance_state_name((enum instance_state)i->want));
    put_time(a, object, "since", i->since);
    put_text(a, object, "reason", reason_name((enum reason)i->last_reason));
    put_int(a, object, "priority", i->priority);
    put_int(a, object, "base_priority", i->base_priority);
    put_int(a, object, "weight", i->weight);
    put_address(a, object, "holder", &i->holder);
    put_text(a, object, "holder_kind", holder_kind_of(i));
    put_int(a, object, "holder_priority", i->holder_priority);
    put_int(a, object, "holder_interval_ms", addr_is_none(&i->holder) ? 0 : i->holder_interval_us / US_PER_MS);
    put_text(a, object, "level", level_name(i->level));
    put_text(a, object, "level_done", level_name(i->level_done));
    put_bool(a, object, "address_list_differs", i->address_list_differs);
}

static const char *virtual_mac_text(const struct answer *a, unsigned set, unsigned unit)
{
    const struct daemon_pool_view *p = &a->view->pools[set];

    if (!a->view->config->pools[set].units[unit].router->use_vmac)
        return NULL;
    return p->own_macs != NULL && p->own_macs[unit].is ? "interface" : vmac_text(p->vmac);
}

json_t *instance_object(struct answer *a, unsigned set, unsigned unit)
{
    const struct config *config = a->view->config;
    const struct config_router *router = config->pools[set].units[unit].router;
    uint8_t filter = a->view->pools[set].filter_mode;
    struct instance_view i;
    json_t *object = new_object(a);

    core_view_instance(a->view->core, set, unit, &i);
    put_identity(a, object, &config->core.pools[set].units[unit]);
    put_state(a, object, &i);
    put_new(a, object, "addresses", addresses_array(a, set, unit));
    put_bool(a, object, "use_vmac", router->use_vmac);
    put_text(a, object, "virtual_mac", virtual_mac_text(a, set, unit));
    put_bool(a, object, "accept", router->accept);
    put_text(a, object, "filter", filter == FILTER_AUTO ? NULL : filter_mode_name(filter));
    put_new(a, object, "faults", instance_faults(a, set, unit, &i));
    put_new(a, object, "fault_kinds", fault_kinds(a, i.faults));
    put_new(a, object, "trackers", trackers_array(a, TRACK_INSTANCE, set, unit));
    put_new(a, object, "conflict", conflict_object(a, set, unit));
    return object;
}

json_t *instances_array(struct answer *a, unsigned first, unsigned end, bool with_vips)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *array = new_array(a);

    for (unsigned p = first < core->pool_count ? core->pool_count : first; p < end; p++) {
        for (unsigned u = 0; u < core->pools[p].unit_count; u++) {
            json_t *object = instance_object(a, p, u);

            if (with_vips)
                put_new(a, object, "vips", vips_array(a, p, u));
            append_new(a, array, object);
        }
    }
    return array;
}

/* --- groups --- */

static json_t *group_members(struct answer *a, unsigned group)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *array = new_array(a);

    for (unsigned p = core->pool_count; p < settings_all_count(core); p++)
        for (unsigned u = 0; u < core->pools[p].unit_count; u++)
            if (core->pools[p].units[u].instance->group == group)
                append_new(a, array, text_value(a, core->pools[p].units[u].instance->name));
    return array;
}

json_t *groups_array(struct answer *a)
{
    const struct config *config = a->view->config;
    json_t *array = new_array(a);

    for (unsigned g = 0; g < config->core.group_count; g++) {
        const struct config_group *group = &config->instances->groups[g];
        struct group_view view;
        json_t *object = new_object(a);

        core_view_group(a->view->core, g, &view);
        put_text(a, object, "name", group->name);
        put_text(a, object, "state", instance_state_name((enum instance_state)view.state));
        put_time(a, object, "since", view.since);
        put_bool(a, object, "fault", view.fault);
        put_int(a, object, "weight", view.weight);
        put_new(a, object, "members", group_members(a, g));
        put_new(a, object, "trackers", trackers_array(a, TRACK_GROUP, 0, g));
        append_new(a, array, object);
    }
    return array;
}
