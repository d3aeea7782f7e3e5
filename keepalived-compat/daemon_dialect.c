/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepalived's language for the daemon: how a file that may hold it is read. The daemon's own sources know this table
 * only (daemon/dialect.h).
 */
#include "daemon/dialect.h"

#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "dump.h"

static struct config *dialect_read(struct config_request request, config_report *report, void *context)
{
    /* A text was printed from a file that was held against this host already. That asks for users and files, which may
     * take long, and is nothing for the worker's loop, which reads it at a reload. */
    if (request.text == NULL)
        request.flags |= COMPAT_CHECK_HOST;
    return compat_read(request, report, context);
}

static void dialect_dump(enum daemon_dump dump, const struct daemon_view *view, FILE *out)
{
    switch (dump) {
    case DAEMON_DUMP_DATA:
        dump_data(view, out);
        return;
    case DAEMON_DUMP_STATS:
        dump_stats(view, out);
        return;
    case DAEMON_DUMP_JSON:
        dump_json(view, out);
        return;
    case DAEMON_DUMP_COUNT:
        return;
    }
}

/* The config id, as data_use_instance wants it in the name; its own text must not lead elsewhere. */
static void name_with_id(const char *config_id, const char *kind, char *file, size_t size)
{
    char host[256] = "";

    if (config_id == NULL) {
        gethostname(host, sizeof(host) - 1);
        host[strcspn(host, ".")] = '\0';
        config_id = host;
    }
    int length = snprintf(file, size, "keepalived_%s.%s", config_id, kind);

    for (int i = 0; i < length && (size_t)i < size; i++)
        if (file[i] == '/')
            file[i] = '_';
}

static void dialect_dump_file(enum daemon_dump dump, const struct config *config, const char *config_id, char *file,
                              size_t size)
{
    const struct compat_global *global = &compat_model(config)->global;
    const char *kind = daemon_dump_name(dump);

    if (dump == DAEMON_DUMP_DATA && global->state_dump_file != NULL)
        snprintf(file, size, "%s", global->state_dump_file);
    else if (global->data_use_instance)
        name_with_id(config_id, kind, file, size);
    else
        snprintf(file, size, "keepalived.%s", kind);
}

const struct daemon_dialect daemon_dialect = {
    .read = dialect_read, .dump = dialect_dump, .dump_file = dialect_dump_file};
