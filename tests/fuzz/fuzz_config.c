/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a configuration: either refused with at least one error, or a model that keeps its promises and that
 * prints to a file which reads back with the same hash. Reads and writes no file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_errors(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                         const char *text)
{
    (void)line;
    (void)column;
    CHECK(file != NULL && text[0] != '\0');
    *(unsigned *)context += severity == CONFIG_ERROR;
}

static void check_unit(const struct config *config, const struct pool_settings *pool, unsigned at)
{
    const struct unit_settings *unit = &pool->units[at];

    CHECK(unit->vrid != 0 && unit->address_count > 0);
    CHECK(at == 0 || pool->units[at - 1].vrid < unit->vrid);
    CHECK((unit->links >> config->core.link_count) == 0 && (unit->links & 1u << pool->link) != 0);
    CHECK(pool->family != FAMILY_IPV6 || addr_is_link_local(&unit->addresses[0]));
    for (unsigned i = 0; i < unit->address_count; i++)
        CHECK(unit->addresses[i].family == pool->family);
}

static void check_model(const struct config *config)
{
    CHECK(config->core.pool_count >= 1 && config->core.pool_count <= SETTINGS_POOLS_MAX);
    CHECK(config->core.link_count >= 1 && config->core.link_count <= SETTINGS_LINKS_MAX);
    for (unsigned i = 0; i < config->core.pool_count; i++) {
        const struct pool_settings *pool = &config->core.pools[i];

        CHECK(pool->unit_count >= 1 && pool->unit_count <= PLAN_UNITS_MAX && pool->share >= 2 && pool->share <= 254);
        CHECK(pool->advert_interval_us >= 10000 && pool->member_interval_us >= 10000);
        for (unsigned u = 0; u < pool->unit_count; u++)
            check_unit(config, pool, u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned errors = 0;
    struct config *config = config_load_text("fuzz", (const char *)data, size, CONFIG_UNTRUSTED, count_errors, &errors);

    CHECK((config == NULL) == (errors > 0));
    if (config == NULL)
        return 0;
    check_model(config);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    CHECK(out != NULL);
    config_print(config, out);
    fclose(out);
    struct config *again = config_load_text("printed", text, length, CONFIG_UNTRUSTED, count_errors, &errors);

    CHECK(again != NULL && again->hash == config->hash);
    free(text);
    config_free(config);
    config_free(again);
    return 0;
}
