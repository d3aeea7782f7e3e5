/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use_vmac makes no interface here where nftables does it, but files name keepalived's: vrrp.51, or the name after
 * use_vmac. Addresses, routes, rules and trackers that do so mean the instance's interface, which has the virtual MAC.
 * Called by compat_resolve.c before it looks at any of them.
 */
#include <string.h>

#include "compat_words.h"

#define NAME_MAX_LENGTH 24

static bool is_vmac_of(const struct compat_instance *instance, const char *name)
{
    char usual[2][NAME_MAX_LENGTH];

    if (!instance->vmac.on || instance->interface == NULL)
        return false;
    if (instance->vmac.name != NULL)
        return strcmp(instance->vmac.name, name) == 0;
    snprintf(usual[0], sizeof(usual[0]), "vrrp.%d", instance->vrid);
    snprintf(usual[1], sizeof(usual[1]), "vrrp6.%d", instance->vrid);
    return strcmp(usual[0], name) == 0 || strcmp(usual[1], name) == 0;
}

/* The interface that has the virtual MAC, when *device is the name of one. */
static void replace(const struct compat_words *words, const char **device)
{
    struct instance_words *const *list = words->instances.items;

    for (unsigned i = 0; *device != NULL && i < words->instances.count; i++)
        if (is_vmac_of(&list[i]->model, *device)) {
            *device = list[i]->model.interface;
            return;
        }
}

static void replace_in_addresses(const struct compat_words *words, const struct compat_list *list)
{
    struct net_address *addresses = list->items;

    for (unsigned i = 0; i < list->count; i++)
        replace(words, &addresses[i].device);
}

static void replace_in_routes(const struct compat_words *words, const struct compat_list *list)
{
    struct net_route *routes = list->items;

    for (unsigned i = 0; i < list->count; i++)
        for (unsigned hop = 0; hop < routes[i].hop_count; hop++)
            replace(words, &routes[i].hops[hop].device);
}

static void replace_in_rules(const struct compat_words *words, const struct compat_list *list)
{
    struct net_rule *rules = list->items;

    for (unsigned i = 0; i < list->count; i++) {
        replace(words, &rules[i].input);
        replace(words, &rules[i].output);
    }
}

static void replace_in_trackers(const struct compat_words *words, const struct compat_list *list)
{
    struct check_tracker *trackers = list->items;

    for (unsigned i = 0; i < list->count; i++)
        if (trackers[i].kind == CHECK_TRACK_INTERFACE)
            replace(words, &trackers[i].name);
}

static bool has_vmac(const struct compat_words *words)
{
    struct instance_words *const *list = words->instances.items;

    for (unsigned i = 0; i < words->instances.count; i++)
        if (list[i]->model.vmac.on)
            return true;
    return false;
}

void compat_replace_vmacs(struct compat_words *words)
{
    struct instance_words **instances = words->instances.items;
    struct group_words **groups = words->groups.items;

    if (!has_vmac(words))
        return;
    for (unsigned i = 0; i < words->instances.count; i++) {
        replace_in_addresses(words, &instances[i]->addresses);
        replace_in_addresses(words, &instances[i]->excluded);
        replace_in_routes(words, &instances[i]->routes);
        replace_in_rules(words, &instances[i]->rules);
        replace_in_trackers(words, &instances[i]->trackers);
    }
    for (unsigned i = 0; i < words->groups.count; i++)
        replace_in_trackers(words, &groups[i]->trackers);
    replace_in_addresses(words, &words->static_addresses);
    replace_in_routes(words, &words->static_routes);
    replace_in_rules(words, &words->static_rules);
}
