/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See read_config.h. Called by main.c, by the guard's reload.c and by worker_reload.c. */
#include "daemon/read_config.h"

struct config *read_config_file(const char *path, config_report *report, void *context)
{
    return config_load(path, report, context);
}

static void ignore_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text)
{
    (void)context, (void)severity, (void)file, (void)line, (void)column, (void)text;
}

struct config *read_config_text(const char *text, size_t length)
{
    return config_load_text("reload", text, length, 0, ignore_finding, NULL);
}
