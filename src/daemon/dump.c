/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See dump.h. The worker writes, as the user that it has become: what somebody could make of a name that is known
 * beforehand ends where that user's rights end. A new file under a name that nobody can guess is filled and then takes
 * the place of the known name, so no link there is followed and no file there is opened.
 */
#include "daemon/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

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

static int write_all(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t written = write(fd, text, length);

        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* 0 or a negative errno. */
static int replace_file(const char *path, const char *text)
{
    char temporary[PATH_MAX + 8];
    int error, fd;

    snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC); /* exclusive, mode 0600 */
    if (fd < 0)
        return -errno;
    error = write_all(fd, text);
    if (close(fd) < 0 && error == 0)
        error = -errno;
    if (error == 0 && rename(temporary, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(temporary);
    return error;
}

void dump_write(const struct daemon_dialect *dialect, enum daemon_dump dump, const struct daemon_view *view,
                const char *config_id, const char *run_dir)
{
    char file[PATH_MAX], path[PATH_MAX];
    char *text = dump_text(dialect, dump, view);
    int error = -ENOMEM;

    dialect->dump_file(dump, view->config, config_id, file, sizeof(file));
    int length = snprintf(path, sizeof(path), "%s%s%s", file[0] == '/' ? "" : run_dir, file[0] == '/' ? "" : "/", file);

    if ((size_t)length >= sizeof(path))
        error = -ENAMETOOLONG;
    else if (text != NULL)
        error = replace_file(path, text);
    free(text);
    if (error < 0)
        log_error("%s could not be written: %s", path, strerror(-error));
    else
        log_info("%s was written", path);
}
