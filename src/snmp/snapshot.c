/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding rows in a snapshot, and giving its memory back. Made by snapshot_json.c. */
#include "snmp/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

const char *const snapshot_refusals[] = {
    "not_vrrp",     "bad_ip_length", "bad_destination", "bad_ttl",      "too_short",  "bad_version", "bad_type",
    "bad_checksum", "bad_vrid",      "no_addresses",    "bad_interval", "bad_source", "carp",
};
const unsigned snapshot_refusal_count = ARRAY_LENGTH(snapshot_refusals);
_Static_assert(ARRAY_LENGTH(snapshot_refusals) <= SNAPSHOT_REFUSALS_MAX, "room for every reason");

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    free(snapshot->links);
    free(snapshot->pools);
    free(snapshot->members);
    free(snapshot->units);
    free(snapshot->vips);
    free(snapshot->routers);
    free(snapshot->addresses);
    free(snapshot);
}

const struct snapshot_pool *snapshot_find_pool(const struct snapshot *snapshot, const char *name)
{
    for (unsigned i = 0; i < snapshot->pool_count; i++) {
        if (strcmp(snapshot->pools[i].name, name) == 0)
            return &snapshot->pools[i];
    }
    return NULL;
}

const struct snapshot_unit *snapshot_find_unit(const struct snapshot *snapshot, const char *pool, int64_t vrid)
{
    for (unsigned i = 0; i < snapshot->unit_count; i++) {
        const struct snapshot_unit *unit = &snapshot->units[i];

        if (unit->vrid == vrid && strcmp(unit->pool->name, pool) == 0)
            return unit;
    }
    return NULL;
}

const struct snapshot_member *snapshot_find_member(const struct snapshot *snapshot, const char *pool,
                                                   const struct addr *address)
{
    for (unsigned i = 0; i < snapshot->member_count; i++) {
        const struct snapshot_member *member = &snapshot->members[i];

        if (addr_equal(&member->address, address) && strcmp(member->pool->name, pool) == 0)
            return member;
    }
    return NULL;
}

const struct snapshot_router *snapshot_find_router(const struct snapshot *snapshot, const char *pool, int64_t vrid)
{
    for (unsigned i = 0; i < snapshot->router_count; i++) {
        const struct snapshot_router *router = &snapshot->routers[i];

        if (router->pool != NULL && !router->is_member && router->vrid == vrid && strcmp(router->pool->name, pool) == 0)
            return router;
    }
    return NULL;
}

const struct snapshot_router *snapshot_find_instance(const struct snapshot *snapshot, const char *name)
{
    for (unsigned i = 0; i < snapshot->router_count; i++) {
        if (snapshot->routers[i].pool == NULL && strcmp(snapshot->routers[i].instance, name) == 0)
            return &snapshot->routers[i];
    }
    return NULL;
}
