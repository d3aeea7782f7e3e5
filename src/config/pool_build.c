/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model from the words: runs the steps of pool_build.h in order and copies the result into memory of its own.
 * Called by config.c.
 */
#include "config/pool_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* --- one unit --- */

static int build_addr_compare(const void *a, const void *b)
{
    return addr_compare(a, b);
}

/* A copy with memory of its own. */
static struct addr *build_addresses(const struct addr *from, uint8_t count)
{
    struct addr *copy = xalloc_array(count, sizeof(*copy));

    if (count > 0)
        memcpy(copy, from, count * sizeof(*copy));
    return copy;
}

static void build_unit(const struct build_pool *pool, const struct build_unit *from, struct unit_settings *unit,
                       struct config_unit *more)
{
    unit->vrid = from->vrid;
    unit->addresses = xalloc_array(from->advertised, sizeof(*unit->addresses));
    more->vip_count = from->vip_count;
    more->vips = xalloc_array(from->vip_count, sizeof(*more->vips));
    more->line = from->words->place.line;
    for (unsigned i = 0; i < from->vip_count; i++) {
        const struct build_vip *vip = &from->vips[i];

        more->vips[i] = (struct config_vip){
            .address = vip->address, .prefix_length = vip->prefix_length, .link = vip->link};
        unit->links |= 1u << vip->link;
        if (vip->link == pool->link && vip->address.family == pool->family)
            unit->addresses[unit->address_count++] = vip->address;
    }
    unit->eligible_count = from->eligible_count;
    unit->eligible = build_addresses(from->eligible, from->eligible_count);
    unit->prefer_count = from->prefer_count;
    unit->prefer = build_addresses(from->prefer, from->prefer_count);
}

/* --- one pool --- */

static int build_unit_compare(const void *a, const void *b)
{
    const struct build_unit *x = a, *y = b;

    return (int)x->vrid - (int)y->vrid;
}

static int build_name_compare(const void *a, const void *b)
{
    const struct member_name *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void build_text(char *out, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);

    memcpy(out, text, length);
    out[length] = '\0';
}

static void build_names(const struct pool_words *words, struct pool_settings *pool)
{
    pool->names = xalloc_array(words->name_count, sizeof(*pool->names));
    for (const struct name_words *name = words->names; name != NULL; name = name->next) {
        struct member_name *out = &pool->names[pool->name_count++];

        build_text(out->name, sizeof(out->name), name->name.text);
        addr_parse(name->address.text, &out->address);
    }
    qsort(pool->names, pool->name_count, sizeof(*pool->names), build_name_compare);
}

static void build_targets(const struct pool_words *words, struct pool_settings *pool, struct config_pool *more)
{
    const struct word_list *list = &words->isolation_targets;

    pool->isolation_check = list->count != 1 || strcmp(list->words[0].text, "none") != 0;
    more->targets = xalloc_array(list->count, sizeof(*more->targets));
    if (!pool->isolation_check)
        return;
    for (unsigned i = 0; i < list->count; i++)
        addr_parse(list->words[i].text, &more->targets[more->target_count++]);
    qsort(more->targets, more->target_count, sizeof(*more->targets), build_addr_compare);
    unsigned kept = 0;

    for (unsigned i = 0; i < more->target_count; i++)
        if (i == 0 || !addr_equal(&more->targets[i], &more->targets[kept - 1]))
            more->targets[kept++] = more->targets[i];
    more->target_count = kept;
}

static void build_values(const struct build_pool *from, struct pool_settings *pool, struct config_pool *more)
{
    const struct pool_words *words = from->words;

    build_text(pool->name, sizeof(pool->name), words->name.text);
    pool->link = from->link;
    pool->family = from->family;
    pool->version = (uint8_t)words->version;
    pool->checksum = words->checksum;
    pool->share = (uint8_t)words->priority;
    pool->member_vrid = (uint8_t)words->member_router_id;
    pool->strict_members = words->strict_members;
    pool->rebalance = words->rebalance;
    pool->drop_when_isolated = words->on_isolation != 0;
    pool->rebalance_moves = (uint16_t)words->rebalance_moves;
    pool->advert_interval_us = words->advert_int_us;
    pool->member_interval_us = pool_member_interval_us(words);
    pool->startup_delay_us = words->startup_delay_us;
    pool->rebalance_interval_us = words->rebalance_interval_us;
    more->filter_mode = words->arp_filter;
    more->address_mode = words->address_mode;
    more->use_vmac = words->use_vmac;
    more->vmac_xmit_base = words->vmac_xmit_base;
    more->garp_repeat = (unsigned)words->garp_repeat;
    more->garp_delay_us = words->garp_delay_us;
    more->garp_refresh_us = words->garp_refresh_us;
    more->garp_interval_us = words->garp_interval_us;
    more->line = words->place.line;
}

static void build_pool(struct build_pool *from, struct pool_settings *pool, struct config_pool *more)
{
    qsort(from->units, from->unit_count, sizeof(*from->units), build_unit_compare);
    build_values(from, pool, more);
    build_names(from->words, pool);
    build_targets(from->words, pool, more);
    pool->units = xalloc_array(from->unit_count, sizeof(*pool->units));
    more->units = xalloc_array(from->unit_count, sizeof(*more->units));
    pool->unit_count = (uint16_t)from->unit_count;
    for (unsigned i = 0; i < from->unit_count; i++) {
        build_unit(from, &from->units[i], &pool->units[i], &more->units[i]);
        pool->units[i].link = pool->link;
        pool->units[i].family = pool->family;
        pool->units[i].version = pool->version;
        pool->units[i].checksum = pool->checksum;
        pool->units[i].advert_interval_us = pool->advert_interval_us;
    }
}

/* --- the whole --- */

static int build_pool_compare(const void *a, const void *b)
{
    const struct build_pool *x = a, *y = b;

    return strcmp(x->words->name.text, y->words->name.text);
}

/* What was given, but badly, was reported already. */
static void build_check_complete(struct build *build, const struct pool_words *words)
{
    if (words->given[POOL_INTERFACE].file == NULL)
        report_error(build->report, words->place, "pool %s has no interface; add \"interface IF\"", words->name.text);
    if (words->given[POOL_VIRTUAL_IPADDRESS].file == NULL)
        report_error(build->report, words->place,
                     "pool %s has no address; add virtual_ipaddress { ADDRESS/LENGTH ... }", words->name.text);
    else if (words->unit_count == 0 && build->report->error_count == 0)
        report_error(build->report, words->given[POOL_VIRTUAL_IPADDRESS],
                     "virtual_ipaddress holds no address; expected ADDRESS/LENGTH "
                     "...");
}

static void build_pools(struct build *build, const struct file_words *file)
{
    build->pools = arena_array(build->arena, file->pool_count, sizeof(*build->pools));
    for (const struct pool_words *words = file->pools; words != NULL; words = words->next) {
        struct build_pool *pool = &build->pools[build->pool_count++];

        *pool = (struct build_pool){.words = words, .usable = true};
        build_check_complete(build, words);
        pool->usable = words->unit_count > 0 && words->interface.text != NULL &&
                       pool_links_find(build, words->interface.text, &pool->link);
        if (pool->usable)
            pool_units_make(build, pool);
    }
    qsort(build->pools, build->pool_count, sizeof(*build->pools), build_pool_compare);
}

static void build_check(struct build *build)
{
    for (unsigned i = 0; i < build->pool_count; i++) {
        pool_check_values(build, &build->pools[i]);
        if (build->pools[i].usable)
            pool_members_check(build, &build->pools[i]);
    }
    pool_check_pools(build);
    pool_check_units(build);
}

static struct config *build_model(struct build *build)
{
    struct config *config = xalloc_array(1, sizeof(*config));

    config->core.pool_count = (uint8_t)build->pool_count;
    config->core.link_count = (uint8_t)build->link_count;
    config->core.pools = xalloc_array(build->pool_count, sizeof(*config->core.pools));
    config->pools = xalloc_array(build->pool_count, sizeof(*config->pools));
    config->links = xalloc_array(build->link_count, sizeof(*config->links));
    memcpy(config->links, build->links, build->link_count * sizeof(*config->links));
    for (unsigned i = 0; i < build->pool_count; i++)
        build_pool(&build->pools[i], &config->core.pools[i], &config->pools[i]);
    return config;
}

struct config *pool_build(const struct file_words *file, struct arena *arena, struct report *report)
{
    struct build build = {.arena = arena, .report = report};
    const struct pool_words *extra = file->pools;

    for (unsigned i = 0; extra != NULL && i < SETTINGS_POOLS_MAX; i++)
        extra = extra->next;
    if (extra != NULL) {
        report_error(report, extra->place, "%u pools, but there can be at most %d", file->pool_count,
                     SETTINGS_POOLS_MAX);
        return NULL;
    }
    pool_links_collect(&build, file);
    build_pools(&build, file);
    build_check(&build);
    for (unsigned i = 0; i < build.pool_count; i++)
        if (!build.pools[i].usable)
            CHECK(report->error_count > 0);
    return build.pool_count > 0 && report->error_count == 0 ? build_model(&build) : NULL;
}
