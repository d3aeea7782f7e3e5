/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See dump.h. Called by worker_view.c. */
#include "daemon/dump.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

char *dump_text(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct daemon_view *view)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    dialect->dump(dump, view, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *dump_path(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct config *config,
                const char *config_id, const char *run_dir)
{
    char file[PATH_MAX];
    char *path = NULL;

    dialect->dump_file(dump, config, config_id, file, sizeof(file));
    if (file[0] == '/')
        return strdup(file);
    return asprintf(&path, "%s/%s", run_dir, file) < 0 ? NULL : path;
}
