/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's language for keelctl: how a configuration that may hold it is loaded, and from what it can be converted.
 * keelctl's own sources know this table only (ctl/dialect.h).
 */
#include "ctl/dialect.h"

#include "compat.h"
#include "convert.h"
#include "wackamole.h"

static struct config *dialect_load(const char *path, const char *config_id, bool strict, config_report *report,
                                   void *context)
{
    const struct config_request request = {
        .path = path, .config_id = config_id, .flags = COMPAT_CHECK_HOST | (strict ? CONFIG_STRICT : 0u)};

    return compat_read(request, report, context);
}

static unsigned dialect_count(const struct config *config)
{
    return compat_model(config)->instance_count;
}

static const struct ctl_converter converters[] = {
    {"keepalived", convert_keepalived},
    {"wackamole", convert_wackamole},
    {NULL, NULL},
};

const struct ctl_dialect ctl_dialect = {
    .load = dialect_load,
    .instance_count = dialect_count,
    .converters = converters,
};
