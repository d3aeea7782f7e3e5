/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request is about: finds pools, units and members by the names and addresses in a request, and says in the
 * error what was not found. Called by the answers that take "pool", "unit", "with" or "without".
 */
#include <string.h>

#include "daemon/fields_json.h"

bool find_pools(struct answer *a, unsigned *first, unsigned *end)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *field = json_object_get(a->request, "pool");

    *first = 0;
    *end = core->pool_count;
    if (field == NULL)
        return true;
    if (!json_is_string(field)) {
        set_error(a, "bad_request", "\"pool\" must be a string, the name of a pool");
        return false;
    }
    for (unsigned p = 0; p < core->pool_count; p++) {
        if (strcmp(core->pools[p].name, json_string_value(field)) == 0) {
            *first = p;
            *end = p + 1;
            return true;
        }
    }
    set_error(a, "unknown_pool", "no pool is named '%.64s'", json_string_value(field));
    return false;
}

static bool unit_has_address(const struct config_unit *unit, const struct addr *address)
{
    for (unsigned i = 0; i < unit->vip_count; i++) {
        if (addr_equal(&unit->vips[i].address, address))
            return true;
    }
    return false;
}

/* "unit": an address as a string, or a VRID as a number or a string of digits. vrid 0: it is an address. */
static bool read_unit_field(struct answer *a, struct addr *address, long *vrid)
{
    json_t *field = json_object_get(a->request, "unit");

    *address = ADDR_NONE;
    *vrid = 0;
    if (json_is_integer(field) && json_integer_value(field) >= 1 && json_integer_value(field) <= 255) {
        *vrid = (long)json_integer_value(field);
        return true;
    }
    if (json_is_string(field)) {
        const char *text = json_string_value(field);
        char *end;

        if (addr_parse(text, address))
            return true;
        *vrid = strtol(text, &end, 10);
        if (*text >= '0' && *text <= '9' && *end == '\0' && *vrid >= 1 && *vrid <= 255)
            return true;
        set_error(a, "unknown_unit", "'%.64s' is neither an address nor a VRID (1 to 255)", text);
        return false;
    }
    set_error(a, "bad_request", "\"unit\" must be an address (a string) or a VRID (a number from 1 to 255)");
    return false;
}

bool find_unit(struct answer *a, unsigned *pool, unsigned *unit)
{
    const struct config *config = a->view->config;
    unsigned first, end, found = 0;
    struct addr address;
    long vrid;

    if (!find_pools(a, &first, &end) || !read_unit_field(a, &address, &vrid))
        return false;
    for (unsigned p = first; p < end; p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            if (vrid != 0 ? config->core.pools[p].units[u].vrid != vrid
                          : !unit_has_address(&config->pools[p].units[u], &address))
                continue;
            if (found++ == 0) {
                *pool = p;
                *unit = u;
            }
        }
    }
    if (found == 1)
        return true;
    char text[ADDR_TEXT_MAX];

    if (found > 1)
        set_error(a, "ambiguous_unit", "%u units in several pools match: name the pool too", found);
    else if (vrid != 0)
        set_error(a, "unknown_unit", "no unit has VRID %ld", vrid);
    else
        set_error(a, "unknown_unit", "no unit has the address %s", addr_format(&address, text));
    return false;
}

bool find_member(struct answer *a, unsigned pool, const char *text, struct addr *out)
{
    const struct pool_settings *settings = &a->view->config->core.pools[pool];

    for (unsigned i = 0; i < settings->name_count; i++) {
        if (strcmp(settings->names[i].name, text) == 0) {
            *out = settings->names[i].address;
            return true;
        }
    }
    if (addr_parse(text, out))
        return true;
    set_error(a, "unknown_member", "'%.64s' is neither a member's name in pool %s nor an address", text,
              settings->name);
    return false;
}
