/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a file with keepalived's words in it: either refused with at least one error, or a model whose values
 * are in their ranges and that prints to a file which reads back to the same. Reads and writes no file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mono.h"
#include "compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_errors(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                         const char *text)
{
    (void)line;
    (void)column;
    CHECK(file != NULL && text[0] != '\0');
    *(unsigned *)context += severity == CONFIG_ERROR;
}

static struct config *load(const char *name, const char *text, size_t length, unsigned *errors)
{
    return compat_read(
        (struct config_request){
            .path = name, .text = text, .length = length, .flags = CONFIG_UNTRUSTED, .config_id = "host1"},
        count_errors, errors);
}

static void check_garp(const struct compat_garp *garp)
{
    CHECK(garp->repeat >= 1 && garp->refresh_repeat >= 1 && garp->lower_repeat >= 0);
    CHECK(garp->delay_us >= 0 && garp->refresh_us >= 0 && garp->lower_delay_us >= 0);
}

static void check_trackers(const struct check_tracker *trackers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct check_tracker *tracker = &trackers[i];
        bool bound = tracker->script != NULL || tracker->file != NULL || tracker->process != NULL;

        CHECK(tracker->kind < CHECK_TRACK_KINDS && tracker->name != NULL);
        CHECK(tracker->resolved == (bound || tracker->kind == CHECK_TRACK_INTERFACE));
        CHECK(tracker->weight.value >= -CHECK_VALUE_WEIGHT_MAX && tracker->weight.value <= CHECK_VALUE_WEIGHT_MAX);
    }
}

static void check_addresses(const struct net_address *addresses, unsigned count, uint8_t family)
{
    for (unsigned i = 0; i < count; i++) {
        CHECK(family == FAMILY_NONE || addresses[i].address.family == family);
        CHECK(addresses[i].device != NULL && !addr_is_none(&addresses[i].address));
    }
}

static void check_instance(const struct compat_instance *instance)
{
    CHECK(instance->vrid >= 1 && instance->vrid <= 255 && instance->priority >= 1 && instance->priority <= 255);
    CHECK(instance->version == 2 || instance->version == 3);
    CHECK(instance->family == FAMILY_IPV4 || (instance->family == FAMILY_IPV6 && instance->version == 3));
    CHECK(instance->advert_us >= 10 * US_PER_MS && instance->advert_us % (10 * US_PER_MS) == 0);
    CHECK(instance->version == 3 ? instance->advert_us <= 40950 * US_PER_MS : instance->advert_us % US_PER_S == 0);
    CHECK(instance->down_adverts >= 1 && instance->address_count <= 255);
    CHECK(instance->interface != NULL || (instance->unicast && !addr_is_none(&instance->source)));
    CHECK(instance->unicast == addr_is_none(&instance->multicast));
    CHECK(instance->authentication <= COMPAT_AUTH_PASS && (instance->version == 2 || instance->authentication == 0));
    CHECK(instance->priority != 255 || (instance->initial_state == COMPAT_MASTER && instance->preempt));
    check_garp(&instance->garp);
    check_trackers(instance->trackers, instance->tracker_count);
    check_addresses(instance->addresses, instance->address_count, instance->family);
    check_addresses(instance->excluded, instance->excluded_count, FAMILY_NONE);
}

static void check_model(const struct compat_config *model)
{
    check_garp(&model->global.garp);
    for (unsigned i = 0; i < model->instance_count; i++)
        check_instance(&model->instances[i]);
    for (unsigned i = 0; i < model->group_count; i++) {
        CHECK(model->groups[i].member_count >= 1);
        for (unsigned m = 0; m < model->groups[i].member_count; m++)
            CHECK(model->groups[i].members[m]->group == &model->groups[i]);
        check_trackers(model->groups[i].trackers, model->groups[i].tracker_count);
    }
    for (unsigned i = 0; i < model->script_count; i++)
        CHECK(model->scripts[i].interval_us > 0 && model->scripts[i].timeout_us > 0 && model->scripts[i].rise >= 1);
    check_addresses(model->static_addresses, model->static_address_count, FAMILY_NONE);
}

static void check_unit(const struct config *config, const struct unit_settings *unit, const struct config_unit *more)
{
    CHECK(unit->instance != NULL && more->router != NULL && unit->link < config->core.link_count);
    CHECK(unit->instance->lease_us > unit->advert_interval_us && more->router->lease_us == unit->instance->lease_us);
    CHECK(unit->instance->group == INSTANCE_NO_GROUP || unit->instance->group < config->core.group_count);
    CHECK(unit->instance->name[SETTINGS_NAME_MAX - 1] == '\0' && more->vip_count >= unit->address_count);
    for (unsigned i = 0; i < more->vip_count; i++)
        CHECK(more->vips[i].link < config->core.link_count && more->vips[i].options != NULL);
}

/* What runs is the model: each instance in one set, and every index in its range. */
static void check_run(const struct config *config)
{
    unsigned units = 0, all = settings_all_count(&config->core);

    CHECK(all <= SETTINGS_POOLS_MAX && config->core.link_count <= SETTINGS_LINKS_MAX);
    for (unsigned p = config->core.pool_count; p < all; p++) {
        CHECK(config->core.pools[p].unit_count >= 1 && config->core.pools[p].unit_count <= 255);
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            check_unit(config, &config->core.pools[p].units[u], &config->pools[p].units[u]);
        units += config->core.pools[p].unit_count;
    }
    CHECK(units == compat_model(config)->instance_count);
}

static char *print(const struct config *config, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    CHECK(out != NULL);
    config_print(config, out);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned errors = 0;
    struct config *config = load("fuzz", (const char *)data, size, &errors);
    size_t length, again_length;

    CHECK((config == NULL) == (errors > 0));
    if (config == NULL)
        return 0;
    check_model(compat_model(config));
    check_run(config);
    char *text = print(config, &length);

    /* What is printed may be longer than what an untrusted file may have. */
    if (length < ((size_t)1 << 18)) {
        struct config *again = load("printed", text, length, &errors);

        CHECK(again != NULL);
        char *again_text = print(again, &again_length);

        CHECK(strcmp(text, again_text) == 0);
        free(again_text);
        config_free(again);
    }
    free(text);
    config_free(config);
    return 0;
}
