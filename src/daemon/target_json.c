/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request is about: finds pools, units and members by the names and addresses in a request, and says in the
 * error what was not found. Called by the answers that take "pool", "unit", "with" or "without".
 */
#include <string.h>

#include "daemon/fields_json.h"

/* [*first, *end) of the first `count` pools and sets. */
static bool find_range(struct answer *a, unsigned count, unsigned *first, unsigned *end)
{
    const struct core_settings *core = &a->view->config->core;
    json_t *field = json_object_get(a->request, "pool");

    *first = 0;
    *end = count;
    if (field == NULL)
        return true;
    if (!json_is_string(field)) {
        set_error(a, "bad_request", "\"pool\" must be a string, the name of a pool");
        return false;
    }
    for (unsigned p = 0; p < count; p++) {
        if (strcmp(core->pools[p].name, json_string_value(field)) == 0) {
            *first = p;
            *end = p + 1;
            return true;
        }
    }
    set_error(a, "unknown_pool", "no pool is named '%.64s'", json_string_value(field));
    return false;
}

bool find_pools(struct answer *a, unsigned *first, unsigned *end)
{
    return find_range(a, a->view->config->core.pool_count, first, end);
}

bool find_all(struct answer *a, unsigned *first, unsigned *end)
{
    return find_range(a, settings_all_count(&a->view->config->core), first, end);
}

static bool unit_has_address(const struct config_unit *unit, const struct addr *address)
{
    for (unsigned i = 0; i < unit->vip_count; i++) {
        if (addr_equal(&unit->vips[i].address, address))
            return true;
    }
    return false;
}

/* What field "unit" names: an address, an instance, or (a number, or digits that are no instance's name) a VRID. */
struct unit_wanted {
    struct addr address; /* none: see the others */
    const char *name;    /* NULL: see vrid */
    long vrid;
};

static bool is_instance_name(const struct config *config, const char *text)
{
    for (unsigned p = config->core.pool_count; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            if (strcmp(config->core.pools[p].units[u].instance->name, text) == 0)
                return true;
    return false;
}

static bool read_unit_field(struct answer *a, struct unit_wanted *out)
{
    json_t *field = json_object_get(a->request, "unit");

    *out = (struct unit_wanted){.address = ADDR_NONE};
    if (json_is_integer(field) && json_integer_value(field) >= 1 && json_integer_value(field) <= 255) {
        out->vrid = (long)json_integer_value(field);
        return true;
    }
    if (json_is_string(field)) {
        const char *text = json_string_value(field);
        char *end;

        if (addr_parse(text, &out->address))
            return true;
        if (is_instance_name(a->view->config, text)) {
            out->name = text;
            return true;
        }
        out->vrid = strtol(text, &end, 10);
        if (*text >= '0' && *text <= '9' && *end == '\0' && out->vrid >= 1 && out->vrid <= 255)
            return true;
        set_error(a, "unknown_unit", "'%.64s' is neither an address nor an instance nor a VRID (1 to 255)", text);
        return false;
    }
    set_error(a, "bad_request",
              "\"unit\" must be an address or an instance's name (a string) or a VRID (a number from 1 to 255)");
    return false;
}

static bool is_wanted(const struct unit_wanted *wanted, const struct unit_settings *settings,
                      const struct config_unit *unit)
{
    if (!addr_is_none(&wanted->address))
        return unit_has_address(unit, &wanted->address);
    if (wanted->name != NULL)
        return settings->instance != NULL && strcmp(settings->instance->name, wanted->name) == 0;
    return settings->vrid == wanted->vrid;
}

static void set_unknown_unit(struct answer *a, const struct unit_wanted *wanted)
{
    char text[ADDR_TEXT_MAX];

    if (wanted->vrid != 0)
        set_error(a, "unknown_unit", "no unit has VRID %ld", wanted->vrid);
    else if (wanted->name != NULL)
        set_error(a, "unknown_unit", "'%.64s' is no unit of that pool", wanted->name);
    else
        set_error(a, "unknown_unit", "no unit has the address %s", addr_format(&wanted->address, text));
}

bool find_unit(struct answer *a, unsigned *pool, unsigned *unit)
{
    const struct config *config = a->view->config;
    unsigned first, end, found = 0;
    struct unit_wanted wanted;

    if (!find_all(a, &first, &end) || !read_unit_field(a, &wanted))
        return false;
    for (unsigned p = first; p < end; p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++) {
            if (!is_wanted(&wanted, &config->core.pools[p].units[u], &config->pools[p].units[u]))
                continue;
            if (found++ == 0) {
                *pool = p;
                *unit = u;
            }
        }
    }
    if (found == 1)
        return true;
    if (found > 1)
        set_error(a, "ambiguous_unit", "%u units match: name the pool too, or the instance", found);
    else
        set_unknown_unit(a, &wanted);
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
