/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration again (see reload.h). Called by guard.c, which then has the worker replaced. Two
 * configurations are the same when their canonical texts are: the hash leaves out what hosts may differ in, such as
 * the share.
 */
#include "daemon/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

static char *canonical_text(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    config_print(config, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

bool reload_same(const struct config *a, const struct config *b)
{
    char *text_a = canonical_text(a);
    char *text_b = canonical_text(b);
    bool same = text_a != NULL && text_b != NULL && strcmp(text_a, text_b) == 0;

    free(text_a);
    free(text_b);
    return same;
}

static void report_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text)
{
    (void)context;
    if (severity == CONFIG_ERROR)
        log_error("%s:%u:%u: %s", file, line, column, text);
    else
        log_warning("%s:%u:%u: %s", file, line, column, text);
}

struct config *reload_config(const struct daemon_dialect *dialect, const struct config_request *request,
                             const struct config *current)
{
    struct config *config = dialect->read(*request, report_finding, NULL);
    const char *path = request->path;

    if (config == NULL) {
        log_error("reload: %s is not usable, going on unchanged", path);
        return NULL;
    }
    if (reload_same(config, current)) {
        log_info("reload: %s says what it said before (hash %016" PRIx64 ")", path, config->hash);
        config_free(config);
        return NULL;
    }
    log_info("reload: %s has changed (hash %016" PRIx64 " -> %016" PRIx64
             "): the worker leaves in order and starts anew",
             path, current->hash, config->hash);
    return config;
}
