/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the model to what runs: instances in sets after the pools, their links after the pools' links, groups, checks
 * and static entries under the names that src knows (config/instances.h). Instances with one arp_filter share a set,
 * since a set is one table of the filter. Everything is decided by now; nothing here can fail but for want of room,
 * which compat_run_check finds before. Called by compat.c at the end of a load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mono.h"
#include "compat_words.h"

#define SET_UNITS_MAX 255
#define SET_NAME "instances"

const struct keyword_choice compat_filter_choices[] = {
    {"auto", FILTER_AUTO}, {"off", FILTER_OFF}, {"on", FILTER_ON}, {"lease", FILTER_LEASE}, {NULL, 0}};

/*
 * A lease must outlast one advertisement and end before others take over. When one lost advertisement is enough for
 * that, there is no such time.
 */
enum filter_mode compat_run_mode(const struct compat_instance *instance)
{
    enum filter_mode mode = (enum filter_mode)instance->filter_mode;

    return instance->down_adverts == 1 && mode != FILTER_OFF ? FILTER_ON : mode;
}

static unsigned mode_count(const struct compat_config *model, enum filter_mode mode)
{
    unsigned count = 0;

    for (unsigned i = 0; i < model->instance_count; i++)
        count += compat_run_mode(&model->instances[i]) == mode;
    return count;
}

static unsigned set_count(const struct compat_config *model)
{
    unsigned count = 0;

    for (unsigned mode = FILTER_AUTO; mode <= FILTER_LEASE; mode++)
        count += (mode_count(model, (enum filter_mode)mode) + SET_UNITS_MAX - 1) / SET_UNITS_MAX;
    return count;
}

/* --- interfaces --- */

typedef void link_visit(void *context, const char *name, struct place place);

static const char *instance_interface(const struct compat_config *model, const struct compat_instance *instance)
{
    return instance->interface != NULL ? instance->interface : model->global.default_interface;
}

static void visit_addresses(const struct net_address *addresses, unsigned count, link_visit *visit, void *context)
{
    for (unsigned i = 0; i < count; i++)
        visit(context, addresses[i].device, addresses[i].place);
}

/* Every interface that is spoken on or gets addresses, in the file's order. */
static void visit_links(const struct compat_config *model, link_visit *visit, void *context)
{
    for (unsigned i = 0; i < model->instance_count; i++) {
        const struct compat_instance *instance = &model->instances[i];

        visit(context, instance_interface(model, instance), instance->place);
        visit_addresses(instance->addresses, instance->address_count, visit, context);
        visit_addresses(instance->excluded, instance->excluded_count, visit, context);
    }
}

/* --- is there room --- */

struct link_check {
    struct compat_words *words;
    const char *names[SETTINGS_LINKS_MAX];
    unsigned count;
    bool full; /* said so */
};

static void check_link(void *context, const char *name, struct place place)
{
    struct link_check *check = context;

    for (unsigned i = 0; i < check->count; i++)
        if (strcmp(check->names[i], name) == 0)
            return;
    if (check->count < SETTINGS_LINKS_MAX)
        check->names[check->count++] = name;
    else if (!check->full) {
        report_error(check->words->run->report, place, "interface %s is one too many; at most %d can be used", name,
                     SETTINGS_LINKS_MAX);
        check->full = true;
    }
}

static void check_size(struct compat_words *words, const struct compat_instance *instance)
{
    if (strlen(instance->name) >= SETTINGS_NAME_MAX)
        report_error(words->run->report, instance->place, "a vrrp_instance's name has at most %d characters",
                     SETTINGS_NAME_MAX - 1);
    if (instance->peer_count > INSTANCE_PEERS_MAX)
        report_error(words->run->report, instance->peers[INSTANCE_PEERS_MAX].place,
                     "vrrp_instance %s has %u peers; at most %d can be told one by one", instance->name,
                     instance->peer_count, INSTANCE_PEERS_MAX);
}

static void check_filter(struct compat_words *words, const struct compat_instance *instance)
{
    if (instance->filter_mode == FILTER_LEASE && compat_run_mode(instance) != FILTER_LEASE)
        COMPAT_WARN(words->run, instance->place,
                    "vrrp_instance %s: with down_timer_adverts 1 no time is left for arp_filter lease; on is used",
                    instance->name);
    if (instance->filter_mode != FILTER_OFF)
        return;
    if (!instance->accept && instance->priority != 255)
        COMPAT_WARN(words->run, instance->place,
                    "vrrp_instance %s: no_accept needs arp_filter; with off packets to the addresses are taken",
                    instance->name);
}

void compat_run_check(struct compat_words *words, const struct config *config)
{
    const struct compat_config *model = &words->model;
    struct link_check check = {.words = words};
    unsigned sets = set_count(model);

    for (unsigned i = 0; i < config->core.link_count; i++)
        check.names[check.count++] = config->links[i];
    visit_links(model, check_link, &check);
    if (config->core.pool_count + sets > SETTINGS_POOLS_MAX)
        report_error(words->run->report, model->instances[0].place,
                     "%u instances and %u pools are too many: pools, and instances in sets of %d, can be %d in all",
                     model->instance_count, config->core.pool_count, SET_UNITS_MAX, SETTINGS_POOLS_MAX);
    for (unsigned i = 0; i < model->instance_count; i++) {
        check_size(words, &model->instances[i]);
        check_filter(words, &model->instances[i]);
    }
}

/* --- links --- */

static uint8_t find_link(const struct config *config, const char *name)
{
    unsigned link = 0;

    while (link < config->core.link_count && strcmp(config->links[link], name) != 0)
        link++;
    return (uint8_t)link;
}

static void add_link(void *context, const char *name, struct place place)
{
    struct config *config = context;
    unsigned link = find_link(config, name);

    (void)place;
    if (link < config->core.link_count)
        return;
    CHECK(link < SETTINGS_LINKS_MAX && strlen(name) < CONFIG_INTERFACE_MAX);
    config->links = xalloc_grow(config->links, link + 1, sizeof(*config->links));
    memset(config->links[link], 0, sizeof(config->links[link]));
    memcpy(config->links[link], name, strlen(name));
    config->core.link_count++;
}

/* --- one unit --- */

static void add_vips(const struct config *config, const struct net_address *addresses, unsigned count,
                     struct unit_settings *unit, struct config_unit *more)
{
    for (unsigned i = 0; i < count; i++) {
        struct config_vip *vip = &more->vips[more->vip_count++];

        *vip = (struct config_vip){.address = addresses[i].address,
                                   .prefix_length = addresses[i].prefix_length,
                                   .link = find_link(config, addresses[i].device),
                                   .options = &addresses[i]};
        if (!addresses[i].no_track)
            unit->links |= UINT32_C(1) << vip->link;
    }
}

static void add_unit(const struct compat_config *model, const struct compat_instance *instance, struct config *config,
                     struct unit_settings *unit, struct config_unit *more)
{
    struct instance_settings *settings = arena_new(&config->arena, struct instance_settings);
    struct config_router *router = arena_new(&config->arena, struct config_router);

    *settings = compat_run_instance(model, instance, &config->arena);
    *router = compat_run_router(instance);
    *unit = (struct unit_settings){
        .link = find_link(config, instance_interface(model, instance)),
        .family = instance->family,
        .version = (uint8_t)instance->version,
        .checksum = instance->checksum_as_v2 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .advert_interval_us = instance->advert_us,
        .instance = settings,
        .vrid = (uint8_t)instance->vrid,
        .address_count = (uint8_t)instance->address_count,
        .addresses = xalloc_array(instance->address_count, sizeof(*unit->addresses)),
    };
    for (unsigned i = 0; i < instance->address_count; i++)
        unit->addresses[i] = instance->addresses[i].address;
    *more = (struct config_unit){
        .vips = xalloc_array(instance->address_count + instance->excluded_count, sizeof(*more->vips)),
        .line = instance->place.line,
        .router = router,
    };
    add_vips(config, instance->addresses, instance->address_count, unit, more);
    add_vips(config, instance->excluded, instance->excluded_count, unit, more);
}

/* --- sets --- */

static bool name_is_taken(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < settings_all_count(&config->core); i++)
        if (strcmp(config->core.pools[i].name, name) == 0)
            return true;
    return false;
}

/* "instances", "instances_on", ...: by its filter, so that a set keeps its name, and at a reload its instances,
 * whatever other sets come and go; with a number behind it where a pool has that name. */
static void name_set(const struct config *config, enum filter_mode mode, char name[static SETTINGS_NAME_MAX])
{
    static const char *const names[] = {
        [FILTER_AUTO] = SET_NAME,
        [FILTER_OFF] = SET_NAME "_off",
        [FILTER_ON] = SET_NAME "_on",
        [FILTER_LEASE] = SET_NAME "_lease",
    };

    snprintf(name, SETTINGS_NAME_MAX, "%s", names[mode]);
    for (unsigned n = 2; name_is_taken(config, name); n++)
        snprintf(name, SETTINGS_NAME_MAX, "%s%u", names[mode], n);
}

static unsigned add_set(struct config *config, enum filter_mode mode, unsigned room)
{
    unsigned at = settings_all_count(&config->core);
    struct pool_settings set = {.units = xalloc_array(room, sizeof(*set.units))};
    struct config_pool more = {.filter_mode = (uint8_t)mode,
                               .address_mode = ADDRESS_ADD,
                               .garp_repeat = 1,
                               .units = xalloc_array(room, sizeof(*more.units))};

    name_set(config, mode, set.name);
    config->core.pools[at] = set;
    config->pools[at] = more;
    config->core.set_count++;
    return at;
}

static void add_mode(const struct compat_config *model, struct config *config, enum filter_mode mode)
{
    unsigned left = mode_count(model, mode), at = 0, room = 0;

    for (unsigned i = 0; i < model->instance_count; i++) {
        const struct compat_instance *instance = &model->instances[i];

        if (compat_run_mode(instance) != mode)
            continue;
        if (room == 0) {
            room = left < SET_UNITS_MAX ? left : SET_UNITS_MAX;
            at = add_set(config, mode, room);
        }
        unsigned unit = config->core.pools[at].unit_count++;

        add_unit(model, instance, config, &config->core.pools[at].units[unit], &config->pools[at].units[unit]);
        room--;
        left--;
    }
}

static void add_sets(const struct compat_config *model, struct config *config)
{
    unsigned count = config->core.pool_count + set_count(model);

    config->core.pools = xalloc_grow(config->core.pools, count, sizeof(*config->core.pools));
    config->pools = xalloc_grow(config->pools, count, sizeof(*config->pools));
    for (unsigned mode = FILTER_AUTO; mode <= FILTER_LEASE; mode++)
        add_mode(model, config, (enum filter_mode)mode);
    config->core.group_count = (uint16_t)model->group_count;
}

/* --- what belongs to instances --- */

static const struct config_group *make_groups(const struct compat_config *model, struct arena *arena)
{
    struct config_group *groups = arena_array(arena, model->group_count, sizeof(*groups));

    for (unsigned i = 0; i < model->group_count; i++)
        groups[i] = (struct config_group){.name = model->groups[i].name,
                                          .tracker_count = model->groups[i].tracker_count,
                                          .trackers = model->groups[i].trackers,
                                          .notify = &model->groups[i].notify,
                                          .tracking_weight = model->groups[i].tracking_weight};
    return groups;
}

/* A group's own value, else that for all. */
static const struct config_pace *make_paces(const struct compat_config *model, struct config *config)
{
    struct config_pace *paces = arena_array(&config->arena, config->core.link_count, sizeof(*paces));

    for (unsigned link = 0; link < config->core.link_count; link++)
        paces[link] = (struct config_pace){.arp_us = model->global.arp_us, .na_us = model->global.na_us};
    for (unsigned i = 0; i < model->garp_group_count; i++) {
        const struct compat_garp_group *group = &model->garp_groups[i];

        for (unsigned n = 0; n < group->interface_count; n++) {
            uint8_t link = find_link(config, group->interfaces[n]);

            if (link < config->core.link_count)
                paces[link] = (struct config_pace){.arp_us = group->arp_us, .na_us = group->na_us};
        }
    }
    return paces;
}

static void add_fifos(const struct compat_global *global, struct config_instances *out)
{
    if (global->fifo.path != NULL)
        out->fifos[out->fifo_count++] = &global->fifo;
    if (global->vrrp_fifo.path != NULL &&
        (global->fifo.path == NULL || strcmp(global->fifo.path, global->vrrp_fifo.path) != 0))
        out->fifos[out->fifo_count++] = &global->vrrp_fifo;
    out->fifo_states_on_reload = global->fifo_states_on_reload;
}

static struct config_hook make_hook(const struct check_command *command, int64_t timeout_us)
{
    return (struct config_hook){.command = command->argument_count > 0 ? command : NULL, .timeout_us = timeout_us};
}

static void add_instances(const struct compat_config *model, struct config *config)
{
    struct config_instances *out = arena_new(&config->arena, struct config_instances);

    *out = (struct config_instances){
        .group_count = model->group_count,
        .groups = make_groups(model, &config->arena),
        .script_count = model->script_count,
        .scripts = model->scripts,
        .file_count = model->file_count,
        .files = model->files,
        .process_count = model->process_count,
        .processes = model->processes,
        .static_address_count = model->static_address_count,
        .static_addresses = model->static_addresses,
        .static_route_count = model->static_route_count,
        .static_routes = model->static_routes,
        .static_rule_count = model->static_rule_count,
        .static_rules = model->static_rules,
        .startup = make_hook(&model->global.startup, model->global.startup_timeout_us),
        .shutdown = make_hook(&model->global.shutdown, model->global.shutdown_timeout_us),
        .paces = make_paces(model, config),
        .script_security = model->global.script_security,
    };
    add_fifos(&model->global, out);
    config->instances = out;
}

/* Those of the pools, and nothing yet for the sets. */
static void extend_watches(struct config *config)
{
    struct config_watch *watches;

    if (config->watches == NULL)
        return;
    watches = arena_array(&config->arena, settings_all_count(&config->core), sizeof(*watches));
    memcpy(watches, config->watches, config->core.pool_count * sizeof(*watches));
    config->watches = watches;
}

static int64_t startup_delay_us(const struct compat_global *global)
{
    struct timespec boot;

    if (global->delay_after_boot_us == 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
        return global->startup_delay_us;
    int64_t left_us = global->delay_after_boot_us - (int64_t)boot.tv_sec * US_PER_S;

    return left_us > global->startup_delay_us ? left_us : global->startup_delay_us;
}

static bool has_anything(const struct compat_config *model)
{
    const struct compat_global *global = &model->global;

    return model->instance_count + model->group_count + model->script_count + model->file_count + model->process_count +
                   model->static_address_count + model->static_route_count + model->static_rule_count >
               0 ||
           global->fifo.path != NULL || global->vrrp_fifo.path != NULL || global->startup.argument_count > 0 ||
           global->shutdown.argument_count > 0;
}

void compat_run_add(const struct compat_config *model, struct config *config)
{
    if (!has_anything(model))
        return;
    visit_links(model, add_link, config);
    add_sets(model, config);
    add_instances(model, config);
    extend_watches(config);
    config->core.startup_delay_us = startup_delay_us(&model->global);
}
