/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instances against each other and against the pools of the same file: who shares a VRID, a MAC, an address. Called
 * by compat.c at the end of a load.
 */
#include <stdlib.h>
#include <string.h>

#include "compat_words.h"

/* --- VRIDs --- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool peers_meet(const struct compat_instance *a, const struct compat_instance *b)
{
    if (a->peer_count == 0 || b->peer_count == 0)
        return true;
    for (unsigned i = 0; i < a->peer_count; i++)
        for (unsigned j = 0; j < b->peer_count; j++)
            if (addr_equal(&a->peers[i].address, &b->peers[j].address))
                return true;
    return false;
}

/* Whether two instances of one VRID and family would hear each other. */
static bool vrids_clash(const struct compat_instance *a, const struct compat_instance *b)
{
    if (a->vrid != b->vrid || a->family != b->family || !same_text(a->interface, b->interface))
        return false;
    if (a->unicast != b->unicast)
        return false;
    return a->unicast ? peers_meet(a, b) : addr_equal(&a->multicast, &b->multicast);
}

struct vrid_index {
    unsigned *next;         /* by instance: the next one of its VRID, + 1 */
    unsigned first[2][256]; /* by family and VRID, + 1 */
};

static void check_vrids(struct compat_words *words)
{
    const struct compat_config *model = &words->model;
    struct vrid_index index = {.next = arena_array(words->run->arena, model->instance_count, sizeof(*index.next))};

    for (unsigned i = 0; i < model->instance_count; i++) {
        const struct compat_instance *instance = &model->instances[i];
        unsigned *first = &index.first[instance->family == FAMILY_IPV6][instance->vrid & 0xff];

        for (unsigned j = *first; j != 0 && instance->vrid != 0; j = index.next[j - 1]) {
            const struct compat_instance *other = &model->instances[j - 1];

            if (!vrids_clash(instance, other))
                continue;
            report_error(words->run->report, instance->place,
                         "vrrp_instance %s and %s (%s:%u) have the same virtual_router_id %d on %s", instance->name,
                         other->name, other->place.file, other->place.line, instance->vrid,
                         instance->interface != NULL ? instance->interface : "the same peers");
            break;
        }
        index.next[i] = *first;
        *first = i + 1;
    }
}

/* --- virtual MACs --- */

static bool macs_clash(const struct compat_instance *a, const struct compat_instance *b)
{
    return a->vmac.on && b->vmac.on && a->interface != NULL && same_text(a->interface, b->interface) &&
           memcmp(a->vmac.mac, b->vmac.mac, sizeof(a->vmac.mac)) == 0;
}

/* A frame to a MAC must belong to one of them: the filter gives it to the first, see platform/kernel_fill.c. */
static void check_macs(struct compat_words *words)
{
    const struct compat_config *model = &words->model;

    for (unsigned i = 0; i < model->instance_count; i++) {
        const struct compat_instance *instance = &model->instances[i];
        unsigned first = 0;

        while (first < i && !macs_clash(instance, &model->instances[first]))
            first++;
        if (first < i)
            COMPAT_WARN(words->run, instance->place,
                        "vrrp_instance %s has the virtual MAC of %s (%s:%u) on %s; it answers with the interface's own",
                        instance->name, model->instances[first].name, model->instances[first].place.file,
                        model->instances[first].place.line, instance->interface);
    }
}

static bool is_virtual_name(const struct compat_config *model, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (model->instances[i].vmac.on && model->instances[i].vmac.name != NULL &&
            strcmp(model->instances[i].vmac.name, name) == 0)
            return true;
    return false;
}

/* First those that the file names, then the others in its order. */
static void name_macs(struct compat_words *words)
{
    struct compat_config *model = &words->model;
    char name[CONFIG_INTERFACE_MAX];

    for (unsigned i = 0; i < model->instance_count; i++) {
        struct compat_instance *instance = &model->instances[i];

        if (!instance->vmac.on || instance->vmac.name == NULL || !is_virtual_name(model, i, instance->vmac.name))
            continue;
        COMPAT_WARN(words->run, instance->place,
                    "vrrp_instance %s: another one's virtual MAC has the name %s; it gets another name", instance->name,
                    instance->vmac.name);
        instance->vmac.name = NULL;
    }
    for (unsigned i = 0; i < model->instance_count; i++) {
        struct compat_vmac *vmac = &model->instances[i].vmac;
        uint16_t attempt = 0;

        if (vmac->name != NULL)
            continue;
        do
            config_virtual_name(name, (enum family)model->instances[i].family, (uint8_t)model->instances[i].vrid,
                                attempt++);
        while (vmac->on && is_virtual_name(model, model->instance_count, name));
        vmac->name = arena_text(words->run->arena, name, strlen(name));
    }
}

/* --- addresses --- */

struct address_use {
    const struct compat_instance *instance;
    struct net_address *address;
    unsigned order;
    bool excluded;
};

static int use_compare_address(const struct address_use *a, const struct address_use *b)
{
    int order = addr_compare(&a->address->address, &b->address->address);

    return order != 0 ? order : strcmp(a->address->device, b->address->device);
}

static int use_compare(const void *a, const void *b)
{
    const struct address_use *x = a, *y = b;
    int order = use_compare_address(x, y);

    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

static unsigned uses_collect(struct compat_config *model, struct address_use *uses)
{
    unsigned count = 0;

    for (unsigned i = 0; i < model->instance_count; i++) {
        struct compat_instance *instance = &model->instances[i];

        for (unsigned a = 0; a < instance->address_count; a++, count++)
            uses[count] = (struct address_use){instance, &instance->addresses[a], count, false};
        for (unsigned a = 0; a < instance->excluded_count; a++, count++)
            uses[count] = (struct address_use){instance, &instance->excluded[a], count, true};
    }
    return count;
}

/* Two instances may serve one address only when nobody else would see both: never, so the second goes without. */
static void check_use(struct compat_words *words, const struct address_use *first, const struct address_use *second)
{
    char text[ADDR_TEXT_MAX];

    /* Link-local addresses are advertised by every IPv6 instance of a host, often the same one. */
    if (addr_is_link_local(&second->address->address))
        return;
    COMPAT_WARN(words->run, second->address->place,
                "%s is an address of vrrp_instance %s already (%s:%u); it is left "
                "out of %s",
                addr_format(&second->address->address, text), first->instance->name, first->address->place.file,
                first->address->place.line, second->instance->name);
    second->address->address = ADDR_NONE;
}

static void addresses_compact(struct net_address *addresses, unsigned *count)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < *count; i++)
        if (!addr_is_none(&addresses[i].address))
            addresses[kept++] = addresses[i];
    *count = kept;
}

static void check_addresses(struct compat_words *words)
{
    struct compat_config *model = &words->model;
    unsigned count = 0;

    for (unsigned i = 0; i < model->instance_count; i++)
        count += model->instances[i].address_count + model->instances[i].excluded_count;
    struct address_use *uses = arena_array(words->run->arena, count, sizeof(*uses));

    uses_collect(model, uses);
    qsort(uses, count, sizeof(*uses), use_compare);
    for (unsigned i = 1, first = 0; i < count; i++) {
        if (use_compare_address(&uses[first], &uses[i]) == 0)
            check_use(words, &uses[first], &uses[i]);
        else
            first = i;
    }
    for (unsigned i = 0; i < model->instance_count; i++) {
        struct compat_instance *instance = &model->instances[i];

        addresses_compact(instance->addresses, &instance->address_count);
        addresses_compact(instance->excluded, &instance->excluded_count);
        instance->no_addresses = instance->no_addresses || instance->address_count == 0;
    }
}

/* --- pools --- */

static void check_pool_vrids(struct compat_words *words, const struct config *config, const struct pool_settings *pool,
                             const struct compat_instance *instance)
{
    if (instance->interface == NULL || instance->unicast || instance->family != pool->family ||
        strcmp(config->links[pool->link], instance->interface) != 0)
        return;
    for (unsigned u = 0; u < pool->unit_count; u++)
        if (pool->units[u].vrid == instance->vrid)
            report_error(words->run->report, instance->place,
                         "vrrp_instance %s has virtual_router_id %d, which is a unit's of vrrp_pool %s on %s",
                         instance->name, instance->vrid, pool->name, instance->interface);
}

static void check_pool_addresses(struct compat_words *words, const struct config_pool *pool, const char *name,
                                 unsigned unit_count, const struct net_address *addresses, unsigned count)
{
    char text[ADDR_TEXT_MAX];

    for (unsigned a = 0; a < count; a++)
        for (unsigned u = 0; u < unit_count; u++)
            for (unsigned v = 0; v < pool->units[u].vip_count; v++)
                if (addr_equal(&pool->units[u].vips[v].address, &addresses[a].address) &&
                    !addr_is_link_local(&addresses[a].address))
                    report_error(words->run->report, addresses[a].place, "%s is an address of vrrp_pool %s as well",
                                 addr_format(&addresses[a].address, text), name);
}

static void check_pool(struct compat_words *words, const struct config *config, unsigned at)
{
    const struct pool_settings *pool = &config->core.pools[at];
    const struct compat_config *model = &words->model;

    for (unsigned i = 0; i < model->instance_count; i++) {
        const struct compat_instance *instance = &model->instances[i];

        check_pool_vrids(words, config, pool, instance);
        check_pool_addresses(words, &config->pools[at], pool->name, pool->unit_count, instance->addresses,
                             instance->address_count);
        check_pool_addresses(words, &config->pools[at], pool->name, pool->unit_count, instance->excluded,
                             instance->excluded_count);
    }
}

void compat_check_all(struct compat_words *words, const struct config *config)
{
    check_vrids(words);
    check_macs(words);
    name_macs(words);
    check_addresses(words);
    for (unsigned p = 0; p < config->core.pool_count; p++)
        check_pool(words, config, p);
}
