/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration from start to end: read (reader.h), parse by the tables (keyword.h, pool_keywords.c and those of a
 * second language), build and check the model (pool_build.h), hash it, and give it back. Called by the daemon, keelctl
 * and the tests.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "config/pool_build.h"
#include "config/pool_watch.h"
#include "config/suggest.h"

/* What one load has at hand. */
struct load {
    struct arena arena;
    struct report report;
    struct reader_options options;
};

static struct load load_start(const struct config_request *request)
{
    struct load load = {
        .report.strict = (request->flags & CONFIG_STRICT) != 0,
        .options = {.config_id = request->config_id, .untrusted = (request->flags & CONFIG_UNTRUSTED) != 0},
    };

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

/* Two languages in one file: each has its table, its run and its target. */
struct languages {
    const struct keyword_table *tables[2];
    struct keyword_run runs[2];
    void *targets[2];
    struct place *given[2];
    struct keyword_level levels[2];
    unsigned count;
};

static void languages_add(struct languages *languages, struct load *load, const struct keyword_table *table,
                          bool tolerant, void *target)
{
    unsigned at = languages->count++;

    languages->tables[at] = table;
    languages->targets[at] = target;
    languages->given[at] = arena_array(&load->arena, table->count, sizeof(struct place));
    languages->runs[at].tolerant = tolerant;
    languages->levels[at] = (struct keyword_level){table, target, languages->given[at], NULL};
    languages->runs[at].level = &languages->levels[at];
}

/*
 * Which language a line belongs to that begins with no keyword of either: a mistyped pool must not be skipped with a
 * warning.
 */
static unsigned languages_guess(const struct languages *languages, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);

    for (unsigned l = 0; l < languages->count; l++)
        for (unsigned i = 0; i < languages->tables[l]->count; i++)
            suggest_offer(&suggest, languages->tables[l]->rows[i].name);
    return suggest.best != NULL && keyword_find(languages->tables[0], suggest.best) != NULL ? 0 : languages->count - 1;
}

static void languages_parse(struct languages *languages, const struct statement *tree)
{
    for (const struct statement *s = tree; s != NULL; s = s->next) {
        unsigned l = languages->count - 1;

        if (s->kind == STATEMENT_BLOCK) {
            keyword_complain(&languages->runs[l], s->place, "the block is skipped",
                             "unexpected {: no keyword stands before it");
            continue;
        }
        for (l = 0; l < languages->count; l++)
            if (keyword_find(languages->tables[l], s->words[0].text) != NULL)
                break;
        if (l == languages->count || s->words[0].quoted)
            l = languages_guess(languages, &s->words[0]);
        s = keyword_parse_line(languages->tables[l], &languages->runs[l], s, languages->targets[l],
                               languages->given[l]);
    }
}

/* One that stands in another block is an error in any language: the host must not go on without its pool. */
static bool load_holds_pool(struct load *load, const struct statement *tree, bool outermost)
{
    bool found = false;

    for (const struct statement *s = tree; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_BLOCK)
            found = load_holds_pool(load, s->first, false) || found;
        if (s->kind != STATEMENT_LINE || s->words[0].quoted ||
            keyword_find(&pool_keyword_root, s->words[0].text) == NULL)
            continue;
        bool block = s->next != NULL && s->next->kind == STATEMENT_BLOCK;

        if (!outermost && block)
            report_error(&load->report, s->place, "%s inside another block: a } must be missing before it",
                         s->words[0].text);
        found = found || outermost || block;
    }
    return found;
}

/* The model of the pools; an empty one when there are none, which is for the caller to judge. */
static struct config *load_pools(struct load *load, const struct file_words *words)
{
    return words->pool_count > 0 ? pool_build(words, &load->arena, &load->report)
                                 : xalloc_array(1, sizeof(struct config));
}

static struct config *load_tree(struct load *load, const struct config_request *request, const struct statement *tree)
{
    static const struct config no_pools = {0};
    const struct config_extension *extension = request->extension;
    struct file_words words = {.pools_tail = &words.pools};
    struct languages languages = {
        .runs = {{.arena = &load->arena, .report = &load->report}, {.arena = &load->arena, .report = &load->report}}};
    void *model = extension != NULL ? extension->start(&languages.runs[1], request->flags) : NULL;

    report_settle(&load->report, extension != NULL && !load_holds_pool(load, tree, true));
    languages_add(&languages, load, &pool_keyword_root, false, &words);
    if (extension != NULL)
        languages_add(&languages, load, extension->root, true, model);
    languages_parse(&languages, tree);
    struct config *config = load_pools(load, &words);
    bool some = words.pool_count > 0;

    if (extension != NULL)
        some = extension->finish(model, &languages.runs[1], config != NULL ? config : &no_pools) || some;
    pool_watch_make(&words, extension, model, &languages.runs[0], words.pool_count > 0 ? config : NULL);
    report_settle(&load->report, true);
    if (!some && load->report.error_count == 0)
        report_error(&load->report, (struct place){request->path, 0, 0}, "the file defines %s; expected %s%s%s",
                     extension == NULL ? "no pool" : "nothing that can be run", "vrrp_pool NAME { ... }",
                     extension == NULL ? "" : " or ", extension == NULL ? "" : extension->expected);
    if (config != NULL) {
        config->extension = extension;
        config->model = model;
    }
    return config;
}

struct config *config_read(const struct config_request *request, config_report *report, void *context)
{
    struct load load = load_start(request);
    const struct statement *tree =
        request->text == NULL
            ? reader_read_file(request->path, &load.options, &load.arena, &load.report)
            : reader_read_text(request->path, request->text, request->length, &load.options, &load.arena, &load.report);
    struct config *config = load_tree(&load, request, tree);

    if (!report_deliver(&load.report, report, context)) {
        config_free(config);
        config = NULL;
    }
    report_free(&load.report);
    if (config != NULL && (config->model != NULL || config->watches != NULL))
        config->arena = load.arena;
    else
        arena_free(&load.arena);
    if (config != NULL && config->extension != NULL && config->extension->add != NULL)
        config->extension->add(config->model, config);
    if (config != NULL)
        config->hash = config_hash(config);
    return config;
}

void config_ignore_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text)
{
    (void)context, (void)severity, (void)file, (void)line, (void)column, (void)text;
}

void config_print_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                          unsigned column, const char *text)
{
    const char *kind = severity == CONFIG_ERROR ? "error" : "warning";

    if (line > 0)
        fprintf(context, "%s:%u:%u: %s: %s\n", file, line, column, kind, text);
    else
        fprintf(context, "%s: %s: %s\n", file, kind, text);
}

struct config *config_load(const char *path, config_report *report, void *context)
{
    return config_read(&(struct config_request){.path = path}, report, context);
}

struct config *config_load_text(const char *name, const char *text, size_t length, unsigned flags,
                                config_report *report, void *context)
{
    return config_read(&(struct config_request){.path = name, .text = text, .length = length, .flags = flags}, report,
                       context);
}

const struct config_words *config_words(const struct config *config)
{
    static const struct config_words ours = {
        .instance = "instance",
        .group = "group",
        .unit = "unit",
        .states = {[INSTANCE_BACKUP] = "Backup",
                   [INSTANCE_ACTIVE] = "Active",
                   [INSTANCE_FAULT] = "Fault",
                   [INSTANCE_STOPPED] = "Stopped"},
    };

    return config->extension != NULL && config->extension->words != NULL ? config->extension->words : &ours;
}

void config_virtual_name(char name[static CONFIG_INTERFACE_MAX], enum family family, uint8_t vrid, uint16_t attempt)
{
    uint16_t number = attempt;

    if (family == FAMILY_IPV6)
        number = attempt == 1 ? 6 : (uint16_t)(attempt - 1);
    if (attempt == 0)
        snprintf(name, CONFIG_INTERFACE_MAX, "vrrp.%u", vrid);
    else
        snprintf(name, CONFIG_INTERFACE_MAX, "vrrp%u.%u", number, vrid);
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
    for (unsigned i = 0; i < settings_all_count(&config->core); i++)
        config_free_pool(&config->core.pools[i], &config->pools[i]);
    free(config->core.pools);
    free(config->pools);
    free(config->links);
    arena_free(&config->arena);
    free(config);
}
