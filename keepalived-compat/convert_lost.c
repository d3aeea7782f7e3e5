/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pool cannot say of what its hosts' instances said: one comment for each kind, with the first place. Called by
 * convert_print.c.
 */
#include <stdio.h>
#include <string.h>

#include "convert_work.h"

const struct compat_instance *convert_next(struct convert_cursor *cursor)
{
    const struct convert *convert = cursor->convert;

    for (; cursor->router < convert->router_count; cursor->router++, cursor->host = 0) {
        const struct convert_router *router = &convert->routers[cursor->router];

        if (convert->bundles[router->bundle].pool != cursor->pool)
            continue;
        while (cursor->host < convert->host_count)
            if (router->on[cursor->host++] != NULL)
                return router->on[cursor->host - 1];
    }
    return NULL;
}

static void print_place(FILE *out, const struct place *place, const char *what)
{
    fprintf(out, "#   %s:%u: %s\n", place->file, place->line, what);
}

static bool has_notify(const struct check_notify *notify)
{
    return notify->active.argument_count + notify->backup.argument_count + notify->fault.argument_count +
               notify->stop.argument_count + notify->any.argument_count + notify->rx_lower.argument_count >
           0;
}

static bool has_foreign_options(const struct compat_instance *instance)
{
    for (unsigned a = 0; a < instance->address_count; a++) {
        const struct net_address *address = &instance->addresses[a];

        if (address->label != NULL || !addr_is_none(&address->broadcast) || address->broadcast_auto ||
            !addr_is_none(&address->peer))
            return true;
    }
    return false;
}

/* Counts the instances of the pool that have something; the first is where people are sent. */
static void print_lost(const struct convert *convert, unsigned pool, FILE *out, const char *what,
                       bool (*has)(const struct compat_instance *))
{
    struct convert_cursor cursor = {.convert = convert, .pool = pool};
    const struct compat_instance *instance, *first = NULL;
    unsigned count = 0;
    char text[256];

    while ((instance = convert_next(&cursor)) != NULL)
        if (has(instance)) {
            first = first == NULL ? instance : first;
            count++;
        }
    if (first == NULL)
        return;
    snprintf(text, sizeof(text), "%s%s", what, count > 1 ? " (and others)" : "");
    print_place(out, &first->place, text);
}

static bool lost_authentication(const struct compat_instance *i)
{
    return i->authentication != COMPAT_AUTH_NONE;
}

static bool lost_trackers(const struct compat_instance *i)
{
    return i->tracker_count > 0 || (i->group != NULL && i->group->tracker_count > 0);
}

static bool lost_notify(const struct compat_instance *i)
{
    return has_notify(&i->notify) || (i->group != NULL && has_notify(&i->group->notify));
}

static bool lost_unicast(const struct compat_instance *i)
{
    return i->unicast;
}

static bool lost_routes(const struct compat_instance *i)
{
    return i->route_count + i->rule_count > 0;
}

static bool lost_excluded(const struct compat_instance *i)
{
    return i->excluded_count > 0;
}

static bool lost_accept(const struct compat_instance *i)
{
    return !i->accept;
}

static bool lost_owner(const struct compat_instance *i)
{
    return i->priority == 255;
}

void convert_print_lost(const struct convert *convert, unsigned pool, FILE *out)
{
    static const struct {
        const char *what;
        bool (*has)(const struct compat_instance *);
    } lost[] = {
        {"authentication: a pool has none; who may take part is said by members and strict_members",
         lost_authentication},
        {"trackers: what the host as a whole depends on can be said by track_script and the like in the pool",
         lost_trackers},
        {"notify scripts: notify in the pool is told of each unit", lost_notify},
        {"unicast_peer: the pool's advertisements are multicast", lost_unicast},
        {"virtual_routes and virtual_rules", lost_routes},
        {"virtual_ipaddress_excluded: now part of the unit, and advertised where interface and family are the pool's",
         lost_excluded},
        {"no_accept, strict mode", lost_accept},
        {"priority 255 (the addresses' owner): nobody owns an address of a pool", lost_owner},
        {"options of addresses: brd, label, peer", has_foreign_options},
    };

    fputs("# Not carried over:\n", out);
    long before = ftell(out);

    for (unsigned i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        print_lost(convert, pool, out, lost[i].what, lost[i].has);
    if (ftell(out) == before)
        fputs("#   nothing\n", out);
}

/* What stays a vrrp_instance. */
void convert_print_left_out(const struct convert *convert, FILE *out)
{
    bool said = false;
    char text[2 * CONVERT_NAME_MAX];

    for (unsigned r = 0; r < convert->router_count; r++) {
        const struct compat_instance *first = convert->routers[r].first;

        if (convert->bundles[convert->routers[r].bundle].pool != CONVERT_NO_POOL)
            continue;
        if (!said)
            fputs("\n# Not converted; these lines can stay beside the pools as they are:\n", out);
        said = true;
        snprintf(text, sizeof(text), "vrrp_instance %.48s has no address%s", first->name,
                 first->address_count > 0 ? " on its own interface" : "");
        print_place(out, &first->place, text);
    }
}

static bool lists_address(const struct compat_instance *instance, const struct net_address *wanted)
{
    for (unsigned a = 0; a < instance->address_count; a++)
        if (addr_equal(&instance->addresses[a].address, &wanted->address) &&
            instance->addresses[a].prefix_length == wanted->prefix_length)
            return true;
    return false;
}

/* Hosts whose lists are not the first's. */
void convert_print_differences(const struct convert *convert, unsigned pool, FILE *out)
{
    EACH_OF_POOL(convert, r, pool)
    for (unsigned h = 0; h < convert->host_count; h++) {
        const struct compat_instance *here = convert->routers[r].on[h], *first = convert->routers[r].first;
        bool same = here == NULL || here->address_count == first->address_count;

        for (unsigned a = 0; same && here != NULL && a < first->address_count; a++)
            same = lists_address(here, &first->addresses[a]);
        if (!same)
            print_place(out, &here->place,
                        "other addresses or prefix lengths than the first host's; the first's are used");
        if (here != NULL && first->interface != NULL && here->interface != NULL &&
            strcmp(here->interface, first->interface) != 0)
            print_place(out, &here->place,
                        "another interface than the first host's; pools need the same name on all hosts");
    }
}
