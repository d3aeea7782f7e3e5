/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file and its thread (see history_file.h). The loop encodes an entry into `ring`, which has as many places as the
 * file, and moves `added`; the thread copies a place at a time out of it and writes it. When the thread cannot keep up,
 * it loses what the ring overwrites anyway. Called by worker.c and notes.c.
 */
#include "daemon/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/history_record.h"
#include "platform/thread.h"

#define STACK_BYTES (128 * 1024)
#define FILE_BYTES (HISTORY_HEAD_BYTES + (size_t)HISTORY_CAPACITY * HISTORY_RECORD_BYTES)

struct history_file {
    int fd;
    int wake_fd;
    pthread_t thread;
    atomic_uint_fast64_t failures;
    pthread_mutex_t mutex; /* guards the rest */
    uint64_t added;        /* sequence of the newest in `ring` */
    uint64_t written;      /* and in the file */
    bool ending;
    uint8_t ring[HISTORY_CAPACITY][HISTORY_RECORD_BYTES];
};

static off_t place_of(uint64_t sequence)
{
    return (off_t)(HISTORY_HEAD_BYTES + sequence % HISTORY_CAPACITY * HISTORY_RECORD_BYTES);
}

/* --- reading --- */

/* The whole file, to be freed; NULL with `problem`, or without one when there is none. */
static uint8_t *read_file(const char *path, char problem[static HISTORY_PROBLEM_MAX])
{
    /* Whoever may write in the directory shall not have us wait for a FIFO or read somebody else's file. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const char *fault = NULL;
    uint8_t *bytes = NULL;
    struct stat status;

    if (fd < 0) {
        if (errno != ENOENT)
            snprintf(problem, HISTORY_PROBLEM_MAX, "%.150s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        fault = "it is no regular file";
    else if (status.st_size != (off_t)FILE_BYTES)
        fault = "it has not the size of a history";
    else if ((bytes = malloc(FILE_BYTES)) == NULL || pread(fd, bytes, FILE_BYTES, 0) != (ssize_t)FILE_BYTES)
        fault = "it cannot be read";
    else
        fault = history_head_check(HISTORY_CAPACITY, bytes);
    close(fd);
    if (fault == NULL)
        return bytes;
    snprintf(problem, HISTORY_PROBLEM_MAX, "%.150s is not used and begun anew: %s", path, fault);
    free(bytes);
    return NULL;
}

static enum history_record_result decode(const uint8_t *bytes, uint64_t sequence, struct history_entry *out)
{
    enum history_record_result result = history_record_decode(bytes + place_of(sequence), out);

    if (result == HISTORY_RECORD_OK && out->sequence % HISTORY_CAPACITY != sequence % HISTORY_CAPACITY)
        return HISTORY_RECORD_DAMAGED;
    return result;
}

/* The newest entry and those before it, as far as they are there without a gap. */
static void restore(const uint8_t *bytes, struct history *history, const char *path,
                    char problem[static HISTORY_PROBLEM_MAX])
{
    struct history_entry entry;
    uint64_t newest = 0, oldest;
    unsigned damaged = 0;

    for (unsigned i = 0; i < HISTORY_CAPACITY; i++) {
        enum history_record_result result = decode(bytes, i, &entry);

        damaged += result == HISTORY_RECORD_DAMAGED;
        if (result == HISTORY_RECORD_OK && entry.sequence > newest)
            newest = entry.sequence;
    }
    for (oldest = newest; oldest > 1 && newest - oldest + 1 < HISTORY_CAPACITY; oldest--) {
        if (decode(bytes, oldest - 1, &entry) != HISTORY_RECORD_OK || entry.sequence != oldest - 1)
            break;
    }
    for (uint64_t sequence = oldest; newest > 0 && sequence <= newest; sequence++) {
        decode(bytes, sequence, &entry);
        history_restore(history, &entry);
    }
    if (damaged > 0)
        snprintf(problem, HISTORY_PROBLEM_MAX, "%.150s: %u of its entries are damaged and left out", path, damaged);
}

/* --- writing --- */

static int write_at(int fd, const uint8_t *bytes, size_t length, off_t where)
{
    while (length > 0) {
        ssize_t count = pwrite(fd, bytes, length, where);

        if (count < 0 && errno != EINTR)
            return -errno;
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
            where += count;
        }
    }
    return 0;
}

/* A new file of full size under the name; O_EXCL so that nothing laid in our way is followed or overwritten. */
static int make_file(const char *path)
{
    uint8_t head[HISTORY_HEAD_BYTES];
    int fd = -1, error;

    if (unlink(path) < 0 && errno != ENOENT && (errno != EISDIR || rmdir(path) < 0))
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    history_head_encode(HISTORY_CAPACITY, head);
    error = ftruncate(fd, (off_t)FILE_BYTES) < 0 ? -errno : write_at(fd, head, sizeof(head), 0);
    if (error == 0)
        return fd;
    close(fd);
    unlink(path);
    return error;
}

/* The next record that is not in the file yet; false when there is none. */
static bool take_record(struct history_file *file, uint64_t *sequence, uint8_t record[static HISTORY_RECORD_BYTES])
{
    pthread_mutex_lock(&file->mutex);
    bool found = file->written < file->added;

    if (found) {
        if (file->added - file->written > HISTORY_CAPACITY)
            file->written = file->added - HISTORY_CAPACITY;
        *sequence = ++file->written;
        memcpy(record, file->ring[*sequence % HISTORY_CAPACITY], HISTORY_RECORD_BYTES);
    }
    pthread_mutex_unlock(&file->mutex);
    return found;
}

static bool is_ending(struct history_file *file)
{
    pthread_mutex_lock(&file->mutex);
    bool ending = file->ending;
    pthread_mutex_unlock(&file->mutex);
    return ending;
}

static void *thread_main(void *context)
{
    struct history_file *file = context;
    uint8_t record[HISTORY_RECORD_BYTES];
    uint64_t sequence, count;

    for (;;) {
        bool ending = is_ending(file); /* before the last look, so that nothing added earlier is left */

        while (take_record(file, &sequence, record)) {
            if (write_at(file->fd, record, sizeof(record), place_of(sequence)) < 0)
                atomic_fetch_add(&file->failures, 1);
        }
        if (ending)
            return NULL;
        if (read(file->wake_fd, &count, sizeof(count)) < 0 && errno != EINTR)
            return NULL;
    }
}

static void file_free(struct history_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->wake_fd >= 0)
        close(file->wake_fd);
    pthread_mutex_destroy(&file->mutex);
    free(file);
}

/* The file to write to: the one that was read, else a new one. A descriptor or a negative errno. */
static int open_to_write(const char *path, bool good)
{
    int fd = good ? open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

    return fd >= 0 ? fd : make_file(path);
}

struct history_file *history_file_open(const char *directory, struct history *history,
                                       char problem[static HISTORY_PROBLEM_MAX])
{
    struct history_file *file = calloc(1, sizeof(*file));
    char path[PATH_MAX];
    int error = -ENOMEM;

    problem[0] = '\0';
    CHECK(history_newest(history) == 0);
    snprintf(path, sizeof(path), "%s/%s", directory, HISTORY_FILE);
    if (file != NULL) {
        uint8_t *bytes = read_file(path, problem);

        if (bytes != NULL)
            restore(bytes, history, path, problem);
        thread_mutex_init(&file->mutex);
        file->added = file->written = history_newest(history);
        file->wake_fd = eventfd(0, EFD_CLOEXEC);
        file->fd = open_to_write(path, bytes != NULL);
        error = file->fd < 0        ? file->fd
                : file->wake_fd < 0 ? -EMFILE
                                    : thread_start(&file->thread, "history", STACK_BYTES, thread_main, file);
        free(bytes);
    }
    if (error == 0)
        return file;
    snprintf(problem, HISTORY_PROBLEM_MAX, "the history is not kept over a restart: %.150s: %s", path,
             strerror(-error));
    if (file != NULL)
        file_free(file);
    return NULL;
}

void history_file_add(struct history_file *file, const struct history_entry *entry)
{
    uint8_t record[HISTORY_RECORD_BYTES];

    if (file == NULL)
        return;
    history_record_encode(entry, record);
    pthread_mutex_lock(&file->mutex);
    memcpy(file->ring[entry->sequence % HISTORY_CAPACITY], record, sizeof(record));
    file->added = entry->sequence;
    pthread_mutex_unlock(&file->mutex);
}

void history_file_wake(struct history_file *file)
{
    if (file != NULL)
        (void)!write(file->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
}

uint64_t history_file_failures(const struct history_file *file)
{
    return file != NULL ? atomic_load(&file->failures) : 0;
}

void history_file_close(struct history_file *file, unsigned timeout_ms)
{
    if (file == NULL)
        return;
    pthread_mutex_lock(&file->mutex);
    file->ending = true;
    pthread_mutex_unlock(&file->mutex);
    history_file_wake(file);
    if (thread_join(file->thread, timeout_ms)) /* else the process is about to end */
        file_free(file);
}
