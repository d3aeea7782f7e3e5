/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration from start to end: read (reader.h), parse by the tables (keyword.h, pool_keywords.c), build and check
 * the model (pool_build.h), hash it, and give it back. Called by the daemon, keelctl and the tests.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "config/pool_build.h"

/* What one load has at hand. */
struct load {
    struct arena arena;
    struct report report;
    struct reader_options options;
};

static struct load load_start(unsigned flags)
{
    struct load load = {.options.untrusted = (flags & CONFIG_UNTRUSTED) != 0};

    /* Only ${_RANDOM} uses it: without a seed the numbers are merely the same each time. */
    if (!load.options.untrusted &&
        getrandom(&load.options.random_seed, sizeof(load.options.random_seed), GRND_NONBLOCK) < 0)
        load.options.random_seed = 0;
    return load;
}

/* Of the printed text: it is the same whatever the order of lines, and it holds everything. */
static uint64_t config_hash(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        abort();
    config_print(config, out);
    if (fclose(out) != 0)
        abort();
    uint64_t hash = hash_finish(hash_add(HASH_START, text, length));

    free(text);
    return hash;
}

static struct config *load_end(struct load *load, const char *name, const struct statement *tree, config_report *report,
                               void *context)
{
    struct keyword_run run = {.arena = &load->arena, .report = &load->report};
    struct file_words words = {.pools_tail = &words.pools};
    struct place *given = arena_array(&load->arena, pool_keyword_root.count, sizeof(*given));

    keyword_parse(&pool_keyword_root, &run, tree, &words, given);
    if (words.pool_count == 0 && load->report.error_count == 0)
        report_error(&load->report, (struct place){name, 0, 0},
                     "the file defines no pool; expected vrrp_pool NAME { ... }");
    struct config *config = pool_build(&words, &load->arena, &load->report);

    if (!report_deliver(&load->report, report, context)) {
        config_free(config);
        config = NULL;
    }
    report_free(&load->report);
    arena_free(&load->arena);
    if (config != NULL)
        config->hash = config_hash(config);
    return config;
}

struct config *config_load(const char *path, config_report *report, void *context)
{
    struct load load = load_start(0);
    const struct statement *tree = reader_read_file(path, &load.options, &load.arena, &load.report);

    return load_end(&load, path, tree, report, context);
}

struct config *config_load_text(const char *name, const char *text, size_t length, unsigned flags,
                                config_report *report, void *context)
{
    struct load load = load_start(flags);
    const struct statement *tree = reader_read_text(name, text, length, &load.options, &load.arena, &load.report);

    return load_end(&load, name, tree, report, context);
}

static void config_free_pool(struct pool_settings *pool, struct config_pool *more)
{
    for (unsigned i = 0; i < pool->unit_count; i++) {
        free(pool->units[i].addresses);
        free(pool->units[i].eligible);
        free(pool->units[i].prefer);
        free(more->units[i].vips);
    }
    free(pool->units);
    free(pool->names);
    free(more->units);
    free(more->targets);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (unsigned i = 0; i < config->core.pool_count; i++)
        config_free_pool(&config->core.pools[i], &config->pools[i]);
    free(config->core.pools);
    free(config->pools);
    free(config->links);
    free(config);
}
