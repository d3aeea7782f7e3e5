/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An instance's family and what follows from it: which addresses are advertised, which only move along, which peers,
 * source and group it can have. Called by compat_check.c.
 */
#include <string.h>

#include "compat_words.h"
#include "config/pool_words.h"
#include "core/wire.h"

static const char *family_text(uint8_t family)
{
    return family == FAMILY_IPV6 ? "IPv6" : "IPv4";
}

static enum instance_row source_row(const struct instance_words *instance)
{
    return instance->given[INSTANCE_SOURCE_UNICAST].file != NULL ? INSTANCE_SOURCE_UNICAST : INSTANCE_SOURCE_MULTICAST;
}

/* The address that stands first says the family; *first: the one so far, file NULL: none. */
static void family_from(const struct addr *address, const struct place *place, struct place *first, uint8_t *family)
{
    if (first->file != NULL && (strcmp(first->file, place->file) != 0 || first->line <= place->line))
        return;
    *first = *place;
    *family = address->family;
}

void compat_check_family(struct compat_words *words, struct instance_words *instance)
{
    const struct net_address *addresses = instance->addresses.items;
    const struct compat_peer *peers = instance->peers.items;
    struct compat_instance *model = &instance->model;
    const struct place *source = &instance->given[source_row(instance)];
    struct place first = {0};

    (void)words;
    model->family = FAMILY_IPV4;
    if (instance->addresses.count > 0)
        family_from(&addresses[0].address, &addresses[0].place, &first, &model->family);
    if (!addr_is_none(&model->source))
        family_from(&model->source, source, &first, &model->family);
    if (instance->peers.count > 0)
        family_from(&peers[0].address, &peers[0].place, &first, &model->family);
    if (instance->native_ipv6)
        model->family = FAMILY_IPV6;
}

/* --- addresses --- */

static bool address_same(const struct net_address *a, const struct net_address *b)
{
    return addr_equal(&a->address, &b->address) && strcmp(a->device, b->device) == 0;
}

static const struct net_address *address_find(const struct compat_list *list, unsigned count,
                                              const struct net_address *address)
{
    const struct net_address *items = list->items;

    for (unsigned i = 0; i < count; i++)
        if (address_same(&items[i], address))
            return &items[i];
    return NULL;
}

/* Fills in what the line leaves open; false when the address cannot be used. */
static bool address_complete(struct compat_words *words, struct net_address *address, const char *interface)
{
    const char *fault = pool_address_fault(&address->address);
    char text[ADDR_TEXT_MAX];

    if (fault != NULL) {
        COMPAT_WARN(words->run, address->place, "%s %s; it is left out", addr_format(&address->address, text), fault);
        return false;
    }
    if (address->device == NULL)
        address->device = interface != NULL ? interface : words->model.global.default_interface;
    if (address->label != NULL && strlen(address->label) >= CONFIG_INTERFACE_MAX) {
        COMPAT_WARN(words->run, address->place, "label %s has more than %d characters; it is ignored", address->label,
                    CONFIG_INTERFACE_MAX - 1);
        address->label = NULL;
    }
    if (!addr_is_none(&address->broadcast) && address->broadcast.family != address->address.family) {
        COMPAT_WARN(words->run, address->place, "brd is not of the address's family; it is ignored");
        address->broadcast = ADDR_NONE;
    }
    return true;
}

/* Completes a list and leaves out what is there twice. */
static void address_list(struct compat_words *words, struct compat_list *list, const char *interface)
{
    struct net_address *items = list->items;
    char text[ADDR_TEXT_MAX];
    unsigned kept = 0;

    for (unsigned i = 0; i < list->count; i++) {
        if (!address_complete(words, &items[i], interface))
            continue;
        const struct net_address *first = address_find(list, kept, &items[i]);

        if (first == NULL)
            items[kept++] = items[i];
        else
            COMPAT_WARN(
                words->run, items[i].place,
                "%s is listed twice; the first is at %s:%u, this one is left out (keepalived 2.2 advertises both, "
                "and does not hear a host that does not: take it out of all files)",
                addr_format(&items[i].address, text), first->place.file, first->place.line);
    }
    list->count = kept;
}

static unsigned addresses_most(const struct compat_instance *model)
{
    return model->family == FAMILY_IPV6 ? WIRE_IPV6_ADDRESSES_MAX : VRRP_ADDRESSES_MAX;
}

/* What cannot be advertised moves along without. */
static void addresses_exclude(struct compat_words *words, struct instance_words *instance)
{
    struct net_address *items = instance->addresses.items;
    struct compat_instance *model = &instance->model;
    unsigned kept = 0, most = addresses_most(model);
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < instance->addresses.count; i++) {
        const struct net_address *address = &items[i];
        bool foreign = address->address.family != model->family;

        if (!foreign && kept < most) {
            items[kept++] = *address;
            continue;
        }
        if (foreign)
            COMPAT_WARN(words->run, address->place,
                        "%s is not of the family of vrrp_instance %s, which is %s; it moves "
                        "along as if excluded",
                        addr_format(&address->address, text), model->name, family_text(model->family));
        else
            COMPAT_WARN(words->run, address->place,
                        "%s does not fit the advertisement, which holds %u; it moves along "
                        "as if excluded",
                        addr_format(&address->address, text), most);
        *(struct net_address *)compat_push(words->run->arena, &instance->excluded, sizeof(*items)) = *address;
    }
    instance->addresses.count = kept;
}

/* RFC 9568 5.2.9: the link-local address stands first. */
static void addresses_lead(struct instance_words *instance)
{
    struct net_address *items = instance->addresses.items;
    unsigned at = 0;

    while (at < instance->addresses.count && !addr_is_link_local(&items[at].address))
        at++;
    if (at == instance->addresses.count || instance->model.family != FAMILY_IPV6)
        return;
    struct net_address first = items[at];

    memmove(items + 1, items, at * sizeof(*items));
    items[0] = first;
}

static void addresses_both(struct compat_words *words, struct instance_words *instance)
{
    struct net_address *items = instance->excluded.items;
    unsigned kept = 0;
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < instance->excluded.count; i++) {
        if (address_find(&instance->addresses, instance->addresses.count, &items[i]) == NULL)
            items[kept++] = items[i];
        else
            COMPAT_WARN(words->run, items[i].place, "%s is advertised as well; it is left out here",
                        addr_format(&items[i].address, text));
    }
    instance->excluded.count = kept;
}

/* --- where advertisements go --- */

static void check_peers(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    struct compat_peer *peers = instance->peers.items;
    char text[ADDR_TEXT_MAX];
    unsigned kept = 0;

    for (unsigned i = 0; i < instance->peers.count; i++) {
        bool own = addr_equal(&peers[i].address, &model->source);
        unsigned j = 0;

        while (j < kept && !addr_equal(&peers[j].address, &peers[i].address))
            j++;
        if (peers[i].address.family != model->family || own || j < kept) {
            COMPAT_WARN(words->run, peers[i].place, "unicast_peer %s is %s; it is left out",
                        addr_format(&peers[i].address, text),
                        own        ? "this host's own source address"
                        : j < kept ? "listed twice"
                                   : "not of the instance's family");
            continue;
        }
        peers[kept++] = peers[i];
    }
    bool asked = instance->given[INSTANCE_UNICAST_PEER].file != NULL;

    instance->peers.count = kept;
    model->unicast = kept > 0 || model->unicast_fault_no_peer;
    if (asked && !model->unicast)
        COMPAT_WARN(words->run, instance->given[INSTANCE_UNICAST_PEER],
                    "vrrp_instance %s has no usable unicast_peer; "
                    "its advertisements are multicast",
                    model->name);
}

static void check_source(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    enum instance_row row = source_row(instance);

    if (addr_is_none(&model->source))
        return;
    if (model->source.family != model->family)
        COMPAT_WARN(words->run, instance->given[row],
                    "the source address is not of the family of vrrp_instance %s, which is "
                    "%s; it is ignored",
                    model->name, family_text(model->family));
    else if (addr_is_multicast(&model->source))
        COMPAT_WARN(words->run, instance->given[row],
                    "a multicast address cannot be the source of anything; it is ignored (mcast_dst_ip is the group)");
    else
        return;
    model->source = ADDR_NONE;
}

static void check_multicast(struct compat_words *words, struct instance_words *instance)
{
    struct compat_instance *model = &instance->model;
    const struct compat_global *global = &words->model.global;
    char text[ADDR_TEXT_MAX];

    if (model->unicast) {
        model->multicast = ADDR_NONE;
        return;
    }
    if (!addr_is_none(&model->multicast) &&
        (model->multicast.family != model->family || !addr_is_multicast(&model->multicast))) {
        COMPAT_WARN(words->run, model->place,
                    "vrrp_instance %s: mcast_dst_ip %s is no %s multicast address; it is "
                    "ignored",
                    model->name, addr_format(&model->multicast, text), family_text(model->family));
        model->multicast = ADDR_NONE;
    }
    if (addr_is_none(&model->multicast))
        model->multicast = model->family == FAMILY_IPV6 ? global->multicast6 : global->multicast4;
}

void compat_check_addresses(struct compat_words *words, struct instance_words *instance)
{
    address_list(words, &instance->addresses, instance->model.interface);
    addresses_exclude(words, instance);
    address_list(words, &instance->excluded, instance->model.interface);
    addresses_both(words, instance);
    addresses_lead(instance);
    check_source(words, instance);
    check_peers(words, instance);
    check_multicast(words, instance);
}

void compat_check_static(struct compat_words *words)
{
    struct compat_config *model = &words->model;

    address_list(words, &words->static_addresses, NULL);
    model->static_address_count = words->static_addresses.count;
    model->static_addresses = words->static_addresses.items;
    model->static_route_count = words->static_routes.count;
    model->static_routes = words->static_routes.items;
    model->static_rule_count = words->static_rules.count;
    model->static_rules = words->static_rules.items;
}
