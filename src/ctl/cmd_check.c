/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl check: reads a configuration with the daemon's own reader and prints every finding. Needs no daemon, unless
 * --running asks whether the running one has the same configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "config/config.h"
#include "ctl/client.h"
#include "ctl/dialect.h"

struct check {
    const struct ctl *ctl;
    json_t *findings; /* for --json, else NULL */
};

static void take_finding(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                         const char *text)
{
    const struct check *check = context;
    const char *kind = severity == CONFIG_ERROR ? "error" : "warning";

    if (check->findings != NULL) {
        json_array_append_new(check->findings,
                              json_pack("{s:s, s:I, s:I, s:s, s:s*}", "file", file, "line", (json_int_t)line, "column",
                                        (json_int_t)column, "severity", kind, "text", text));
        return;
    }
    config_print_finding(stderr, severity, file, line, column, text);
}

static unsigned count_units(const struct config *config)
{
    unsigned units = 0;

    for (unsigned p = 0; p < config->core.pool_count; p++)
        units += config->core.pools[p].unit_count;
    return units;
}

static int print_result(const struct check *check, const char *file, const struct config *config)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:O}", "schema", "evenkeel/1", "file", file, "ok", config != NULL,
                               "findings", check->findings);
    char hash[20];

    if (config != NULL) {
        snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
        json_object_set_new(object, "pools", json_integer(config->core.pool_count));
        json_object_set_new(object, "units", json_integer(count_units(config)));
        json_object_set_new(object, "instances", json_integer(ctl_dialect.instance_count(config)));
        json_object_set_new(object, "hash", json_string(hash));
    }
    int code = client_print(object);

    json_decref(object);
    return code;
}

static int compare_with_running(const struct ctl *ctl, const struct config *config)
{
    char hash[20];
    json_t *answer;

    snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
    int code = client_ask(ctl, json_pack("{s:s, s:s}", "command", "check-hash", "hash", hash), &answer);

    if (code != EX_OK)
        return code;
    if (reply_bool(answer, "match")) {
        printf("The running evenkeeld has the same configuration.\n");
    } else {
        ctl_complain("the running evenkeeld has another configuration, hash %s", reply_text(answer, "hash"));
        code = EX_TEMPFAIL;
    }
    json_decref(answer);
    return code;
}

static void print_summary(const char *file, const struct config *config)
{
    unsigned instances = ctl_dialect.instance_count(config);

    printf("%s: %u pool%s, %u units, ", file, config->core.pool_count, config->core.pool_count == 1 ? "" : "s",
           count_units(config));
    if (instances > 0)
        printf("%u instance%s, ", instances, instances == 1 ? "" : "s");
    printf("hash %016" PRIx64 "\n", config->hash);
}

int check_command(const struct ctl *ctl, int argc, char **argv)
{
    const char *file = argc > 0 ? argv[0] : EVENKEEL_CONF;
    struct check check = {.ctl = ctl, .findings = ctl->json ? json_array() : NULL};
    struct config *config = ctl_dialect.load(file, ctl->config_id, ctl->strict, take_finding, &check);
    int code = config != NULL ? EX_OK : EX_CONFIG;

    if (ctl->json && print_result(&check, file, config) != EX_OK)
        code = EX_IOERR;
    else if (config != NULL && ctl->print)
        config_print(config, stdout);
    else if (config != NULL && !ctl->json)
        print_summary(file, config);
    if (code == EX_OK && ctl->running)
        code = compare_with_running(ctl, config);
    json_decref(check.findings);
    config_free(config);
    return code;
}
