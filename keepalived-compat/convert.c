/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which virtual routers the files of all hosts describe, which move together, and who was meant to hold each. Printing
 * is convert_print.c's.
 */
#include "convert.h"

#include <stdlib.h>
#include <string.h>

#include "convert_out.h"
#include "convert_work.h"

/* --- hosts --- */

struct findings {
    config_report *report;
    void *context;
};

static bool name_usable(const char *name)
{
    return *name != '\0' && strlen(name) < CONVERT_NAME_MAX &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == '\0';
}

static void name_part(struct convert_host *host, const char *start, size_t length)
{
    snprintf(host->name, sizeof(host->name), "%.*s", (int)length, start);
}

/* The name that source `which` gives: router_id, the file's name, its directory's; empty when there is none. */
static void name_try(struct convert_host *host, unsigned which)
{
    const char *slash = strrchr(host->file, '/'), *base = slash == NULL ? host->file : slash + 1, *start = slash;

    host->name[0] = '\0';
    if (which == 0 && host->model->global.router_id != NULL)
        name_part(host, host->model->global.router_id, strlen(host->model->global.router_id));
    else if (which == 1)
        name_part(host, base, strcspn(base, "."));
    else if (which == 2 && slash != NULL) {
        while (start > host->file && start[-1] != '/')
            start--;
        name_part(host, start, (size_t)(slash - start));
    }
}

static bool names_differ(const struct convert *convert)
{
    for (unsigned i = 0; i < convert->host_count; i++) {
        if (!name_usable(convert->hosts[i].name))
            return false;
        for (unsigned j = 0; j < i; j++)
            if (strcmp(convert->hosts[i].name, convert->hosts[j].name) == 0)
                return false;
    }
    return true;
}

static void convert_names(struct convert *convert)
{
    for (unsigned which = 0; which < 3; which++) {
        for (unsigned i = 0; i < convert->host_count; i++)
            name_try(&convert->hosts[i], which);
        if (names_differ(convert))
            return;
    }
    for (unsigned i = 0; i < convert->host_count; i++)
        snprintf(convert->hosts[i].name, sizeof(convert->hosts[i].name), "host%u", i + 1);
}

static void convert_address(struct convert_host *host)
{
    for (unsigned i = 0; i < host->model->instance_count; i++) {
        const struct compat_instance *instance = &host->model->instances[i];
        struct addr *address = &host->address[instance->family == FAMILY_IPV6];

        /* In an IPv6 pool members are known by the link-local address that they advertise from. */
        if (addr_is_none(address) && (instance->family != FAMILY_IPV6 || addr_is_link_local(&instance->source)))
            *address = instance->source;
    }
}

/* The same file twice, or one that was copied to another host and not changed. */
static bool convert_hosts_differ(const struct convert *convert, config_report *report, void *context)
{
    char address[ADDR_TEXT_MAX], text[512];

    for (unsigned i = 0; i < 2 * convert->host_count; i++)
        for (unsigned j = 0; j < i / 2; j++) {
            const struct convert_host *host = &convert->hosts[i / 2], *other = &convert->hosts[j];

            if (addr_is_none(&host->address[i % 2]) || !addr_equal(&host->address[i % 2], &other->address[i % 2]))
                continue;
            snprintf(text, sizeof(text), "it sends from %s, and so does %s: these are not the files of two hosts",
                     addr_format(&host->address[i % 2], address), other->file);
            report(context, CONFIG_ERROR, host->file, 0, 0, text);
            return false;
        }
    return true;
}

static bool convert_load(struct convert *convert, unsigned count, char *const *files, config_report *report,
                         void *context)
{
    for (unsigned i = 0; i < count; i++) {
        struct convert_host *host = &convert->hosts[i];

        host->file = files[i];
        host->config = compat_load(files[i], 0, report, context);
        if (host->config == NULL)
            return false;
        convert->host_count++;
        host->model = compat_model(host->config);
        convert_address(host);
    }
    convert_names(convert);
    return true;
}

/* --- routers --- */

static bool share_address(const struct compat_instance *a, const struct compat_instance *b)
{
    for (unsigned i = 0; i < a->address_count; i++)
        for (unsigned j = 0; j < b->address_count; j++)
            if (addr_equal(&a->addresses[i].address, &b->addresses[j].address))
                return true;
    return false;
}

static bool same_interface(const struct compat_instance *a, const struct compat_instance *b)
{
    return a->interface != NULL && b->interface != NULL && strcmp(a->interface, b->interface) == 0;
}

/* The router that `instance` of host `h` is part of. */
static struct convert_router *router_find(struct convert *convert, unsigned h, const struct compat_instance *instance)
{
    for (unsigned r = 0; r < convert->router_count; r++) {
        struct convert_router *router = &convert->routers[r];

        if (router->on[h] == NULL && router->first->vrid == instance->vrid &&
            router->first->family == instance->family &&
            (share_address(router->first, instance) ||
             (same_interface(router->first, instance) && instance->address_count == 0)))
            return router;
    }
    return NULL;
}

static void convert_routers(struct convert *convert)
{
    for (unsigned h = 0; h < convert->host_count; h++)
        convert->router_capacity += convert->hosts[h].model->instance_count;
    convert->routers = arena_array(&convert->arena, convert->router_capacity, sizeof(*convert->routers));
    convert->bundles = arena_array(&convert->arena, convert->router_capacity, sizeof(*convert->bundles));
    for (unsigned h = 0; h < convert->host_count; h++)
        for (unsigned i = 0; i < convert->hosts[h].model->instance_count; i++) {
            const struct compat_instance *instance = &convert->hosts[h].model->instances[i];
            struct convert_router *router = router_find(convert, h, instance);

            if (router == NULL) {
                router = &convert->routers[convert->router_count];
                router->bundle = convert->router_count++;
                router->first = instance;
            }
            router->on[h] = instance;
        }
}

/* --- bundles --- */

static void bundle_join(struct convert *convert, unsigned a, unsigned b)
{
    unsigned low = a < b ? a : b, high = a < b ? b : a;

    for (unsigned r = 0; r < convert->router_count && a != b; r++)
        if (convert->routers[r].bundle == high)
            convert->routers[r].bundle = low;
}

static void convert_bundles(struct convert *convert)
{
    for (unsigned h = 0; h < convert->host_count; h++)
        for (unsigned a = 0; a < convert->router_count; a++)
            for (unsigned b = 0; b < a; b++) {
                const struct compat_instance *x = convert->routers[a].on[h], *y = convert->routers[b].on[h];

                if (x != NULL && y != NULL && x->group != NULL && x->group == y->group)
                    bundle_join(convert, convert->routers[a].bundle, convert->routers[b].bundle);
            }
}

/* What a host would say when nothing had happened so far; the owner and a MASTER of equal priority come first. */
static int bundle_strength(const struct compat_instance *instance)
{
    return instance->priority * 2 + (instance->initial_state == COMPAT_MASTER);
}

static bool lists_own(const struct net_address *addresses, unsigned count, const struct compat_instance *first)
{
    for (unsigned a = 0; a < count; a++)
        if (addresses[a].address.family == first->family &&
            (first->interface == NULL || strcmp(addresses[a].device, first->interface) == 0))
            return true;
    return false;
}

/* Whether it has what a unit needs: an address of the pool's family on the pool's interface. */
static bool bundle_fits(const struct convert *convert, unsigned b)
{
    const struct compat_instance *first = convert->routers[b].first;

    for (unsigned r = 0; r < convert->router_count; r++) {
        const struct compat_instance *instance = convert->routers[r].first;

        if (convert->routers[r].bundle == b && (lists_own(instance->addresses, instance->address_count, first) ||
                                                lists_own(instance->excluded, instance->excluded_count, first)))
            return true;
    }
    return false;
}

static void bundle_judge(struct convert *convert, unsigned b)
{
    struct convert_bundle *bundle = &convert->bundles[b];
    int best = 0;

    bundle->preferred = -1;
    for (unsigned h = 0; h < convert->host_count; h++) {
        const struct compat_instance *instance = convert->routers[b].on[h];
        int strength = instance == NULL ? 0 : bundle_strength(instance);

        bundle->hosts += instance != NULL;
        if (strength > best)
            bundle->preferred = (int)h;
        else if (strength == best && strength > 0)
            bundle->preferred = -1;
        best = strength > best ? strength : best;
    }
    bundle->pool = bundle_fits(convert, b) ? b : CONVERT_NO_POOL;
    for (unsigned other = 0; other < b && bundle->pool == b; other++) {
        const struct compat_instance *x = convert->routers[b].first, *y = convert->routers[other].first;

        if (convert->routers[other].bundle == other && convert->bundles[other].pool != CONVERT_NO_POOL &&
            x->family == y->family && x->version == y->version && same_interface(x, y)) {
            bundle->pool = convert->bundles[other].pool;
            return;
        }
    }
}

/* --- the whole --- */

static bool convert_possible(const struct convert *convert, config_report *report, void *context)
{
    for (unsigned r = 0; r < convert->router_count; r++)
        if (convert->bundles[convert->routers[r].bundle].pool != CONVERT_NO_POOL)
            return true;
    report(context, CONFIG_ERROR, convert->hosts[0].file, 0, 0,
           "there is nothing to convert: no vrrp_instance has an address on its own interface");
    return false;
}

bool convert_keepalived(unsigned count, char *const *files, FILE *out, config_report *report, void *context)
{
    struct convert *convert = xalloc_array(1, sizeof(*convert));
    bool good = false;

    if (count > CONVERT_HOSTS_MAX)
        report(context, CONFIG_ERROR, files[CONVERT_HOSTS_MAX], 0, 0, "too many files; there can be 32 hosts");
    else if (count > 0 && convert_load(convert, count, files, report, context)) {
        convert_routers(convert);
        convert_bundles(convert);
        for (unsigned r = 0; r < convert->router_count; r++)
            if (convert->routers[r].bundle == r)
                bundle_judge(convert, r);
        good = convert_possible(convert, report, context) && convert_hosts_differ(convert, report, context) &&
               convert_out(convert_print, convert, out, report, context);
    }
    for (unsigned i = 0; i < convert->host_count; i++)
        config_free(convert->hosts[i].config);
    arena_free(&convert->arena);
    free(convert);
    return good;
}
