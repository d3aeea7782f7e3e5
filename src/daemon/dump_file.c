/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See dump_file.h. A new file under a name that nobody can guess is filled and then takes the place of the known name,
 * so no link there is followed and no file there is opened. The thread begins with the first file. Called by worker.c
 * and worker_view.c.
 */
#include "daemon/dump_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/thread.h"

#define STACK_BYTES (128 * 1024)

struct file {
    char *path; /* NULL: none */
    char *text;
};

struct dump_files {
    int done_fd;
    bool started;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    bool ending;
    struct file waiting[DAEMON_DUMP_COUNT];
    struct dump_result done[DAEMON_DUMP_COUNT];
};

/* --- writing --- */

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

/* A device or a pipe of that name was not meant to be lost. */
static bool may_be_replaced(const char *path)
{
    struct stat status;

    return lstat(path, &status) < 0 || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
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

static void write_file(const struct file *file, char problem[static DUMP_FILE_PROBLEM_MAX])
{
    if (!may_be_replaced(file->path)) {
        snprintf(problem, DUMP_FILE_PROBLEM_MAX, "something that is no regular file has this name");
        return;
    }
    int error = replace_file(file->path, file->text);

    snprintf(problem, DUMP_FILE_PROBLEM_MAX, "%s", error < 0 ? strerrordesc_np(-error) : "");
}

/* --- the thread --- */

/* Under the mutex: the next one, or DAEMON_DUMP_COUNT at the end. */
static unsigned wait_for_file(struct dump_files *files)
{
    for (;;) {
        for (unsigned i = 0; i < DAEMON_DUMP_COUNT; i++)
            if (files->waiting[i].path != NULL)
                return i;
        if (files->ending)
            return DAEMON_DUMP_COUNT;
        pthread_cond_wait(&files->changed, &files->mutex);
    }
}

static void *thread_main(void *context)
{
    struct dump_files *files = context;
    unsigned index;

    pthread_mutex_lock(&files->mutex);
    while ((index = wait_for_file(files)) < DAEMON_DUMP_COUNT) {
        struct file file = files->waiting[index];
        struct dump_result result = {.path = file.path};

        files->waiting[index].path = NULL;
        pthread_mutex_unlock(&files->mutex);
        write_file(&file, result.problem);
        free(file.text);
        pthread_mutex_lock(&files->mutex);
        free(files->done[index].path);
        files->done[index] = result;
        (void)!write(files->done_fd, &(uint64_t){1}, sizeof(uint64_t));
    }
    pthread_mutex_unlock(&files->mutex);
    return NULL;
}

/* --- the loop's side --- */

struct dump_files *dump_files_open(void)
{
    struct dump_files *files = calloc(1, sizeof(*files));

    if (files == NULL)
        return NULL;
    files->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_mutex_init(&files->mutex);
    pthread_cond_init(&files->changed, NULL);
    if (files->done_fd >= 0)
        return files;
    dump_files_close(files, 0);
    return NULL;
}

static void forget(struct file *file)
{
    if (file->path == NULL)
        return;
    free(file->path);
    free(file->text);
    file->path = NULL;
}

void dump_files_close(struct dump_files *files, unsigned timeout_ms)
{
    if (files == NULL)
        return;
    pthread_mutex_lock(&files->mutex);
    files->ending = true;
    pthread_cond_signal(&files->changed);
    pthread_mutex_unlock(&files->mutex);
    if (files->started && !thread_join(files->thread, timeout_ms))
        return; /* it goes on; the process is about to end */
    for (unsigned i = 0; i < DAEMON_DUMP_COUNT; i++) {
        forget(&files->waiting[i]);
        free(files->done[i].path);
    }
    if (files->done_fd >= 0)
        close(files->done_fd);
    pthread_cond_destroy(&files->changed);
    pthread_mutex_destroy(&files->mutex);
    free(files);
}

int dump_files_add(struct dump_files *files, enum daemon_dump dump, char *path, char *text)
{
    struct file file = {.path = path, .text = text};
    int error = files->started ? 0 : thread_start(&files->thread, "dump", STACK_BYTES, thread_main, files);

    if (error < 0) {
        forget(&file);
        return error;
    }
    files->started = true;
    pthread_mutex_lock(&files->mutex);
    forget(&files->waiting[dump]);
    files->waiting[dump] = file;
    pthread_cond_signal(&files->changed);
    pthread_mutex_unlock(&files->mutex);
    return 0;
}

int dump_files_fd(const struct dump_files *files)
{
    return files->done_fd;
}

bool dump_files_next(struct dump_files *files, struct dump_result *out)
{
    uint64_t count;
    bool found = false;

    (void)!read(files->done_fd, &count, sizeof(count));
    pthread_mutex_lock(&files->mutex);
    for (unsigned i = 0; i < DAEMON_DUMP_COUNT && !found; i++) {
        found = files->done[i].path != NULL;
        if (found) {
            *out = files->done[i];
            files->done[i].path = NULL;
        }
    }
    pthread_mutex_unlock(&files->mutex);
    return found;
}
