/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rest.h. It owns the file, and nothing in memory. */
#include "daemon/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/number.h"
#include "daemon/reload.h"
#include "platform/kernel.h"

#define PATH_MAX_TEXT 4096
#define REST_BYTES_MAX (16 << 20)
#define HEADING "# what daemon %u of this network namespace runs"

static bool name_file(const char *run_dir, const char *suffix, char path[static PATH_MAX_TEXT])
{
    int length = snprintf(path, PATH_MAX_TEXT, "%s/" REST_FILE "%s", run_dir, suffix);

    return length > 0 && length < PATH_MAX_TEXT;
}

/* The file's text, or NULL: there is none, or not one that we wrote. */
static char *read_own(const char *path, size_t *length)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = NULL;

    *length = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1 &&
        status.st_size > 0 && status.st_size <= REST_BYTES_MAX)
        text = malloc((size_t)status.st_size + 1);
    if (text != NULL && read(fd, text, (size_t)status.st_size) == status.st_size) {
        *length = (size_t)status.st_size;
        text[*length] = '\0';
    } else {
        free(text);
        text = NULL;
    }
    close(fd);
    return text;
}

static void clean(const struct config *before, unsigned number)
{
    int removed = kernel_clean_marked(before, number);

    if (removed < 0)
        log_error("what an earlier daemon left behind could not be removed: %s", strerror(-removed));
    else if (removed > 0)
        log_notice("an earlier daemon had been killed: %d addresses of its configuration removed", removed);
}

/* A comment at the top. */
static unsigned read_number(const char *text)
{
    unsigned number = 0;

    return sscanf(text, HEADING, &number) == 1 && number >= 1 ? number : 1;
}

void rest_clean(const char *run_dir, const struct daemon_dialect *dialect, const struct config *config, unsigned number)
{
    char path[PATH_MAX_TEXT];
    size_t length = 0;
    char *text = name_file(run_dir, "", path) ? read_own(path, &length) : NULL;

    if (text == NULL)
        return;
    unsigned then = read_number(text);
    struct config_request request = {.path = path, .text = text, .length = length};
    struct config *before = dialect->read(request, config_ignore_finding, NULL);

    if (before == NULL)
        log_warning("%s cannot be read: if an earlier daemon was killed, its addresses may still be here", path);
    else if (then != number || !reload_same(before, config))
        clean(before, then == number || number_is_free(then) ? then : number); /* a living daemon's tables stay */
    config_free(before);
    free(text);
}

/* 0 or a negative errno. */
static int write_new(const char *path, const struct config *config, unsigned number)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (file == NULL) {
        int error = -errno;

        if (fd >= 0)
            close(fd);
        return error;
    }
    fprintf(file, HEADING "\n", number);
    config_print(config, file);
    errno = 0;
    bool failed = fflush(file) != 0 || ferror(file) != 0;
    int error = !failed ? 0 : errno != 0 ? -errno : -EIO;

    return fclose(file) != 0 && error == 0 ? -errno : error;
}

void rest_note(const char *run_dir, const struct config *config, unsigned number)
{
    char path[PATH_MAX_TEXT], new_path[PATH_MAX_TEXT];
    int error = -ENAMETOOLONG;

    if (name_file(run_dir, "", path) && name_file(run_dir, ".new", new_path)) {
        error = write_new(new_path, config, number);
        if (error == 0 && rename(new_path, path) < 0)
            error = -errno;
        if (error < 0)
            unlink(new_path);
    }
    if (error < 0)
        log_warning("%s/" REST_FILE " cannot be written (%s): should all of this daemon be killed at once, the "
                    "next one will not know of addresses that its own configuration does not name",
                    run_dir, strerror(-error));
}

void rest_forget(const char *run_dir)
{
    char path[PATH_MAX_TEXT];

    if (name_file(run_dir, "", path))
        unlink(path);
}
