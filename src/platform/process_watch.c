/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See process_watch.h. The kernel can tell of every fork and exec (the process connector), but only in the initial
 * namespaces and to those with privilege, and it then tells of all of them: on a busy host that is far more work than
 * one look a second. What must be seen at once is the end of a process that is known, and that a pidfd tells for
 * nothing.
 */
#include "platform/process_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/process_match.h"
#include "platform/thread.h"

#define LINE_MAX_BYTES 4096
#define FOUND_MAX 256 /* whose end is seen at once; of others within a second */
#define STACK_BYTES (64 * 1024)
#define SCAN_MS (PROCESS_SCAN_US / 1000)

struct found {
    pid_t pid;
    unsigned process; /* index: one that matches two is found twice */
    int pidfd;
    bool seen; /* in this scan */
};

struct process_watch {
    struct check_process *processes; /* a copy, in one piece */
    unsigned count;
    pthread_mutex_t mutex;
    atomic_bool ending;
    int news; /* eventfd: for the caller */
    int stop; /* eventfd: for the thread */
    /* under the mutex */
    unsigned *counts;
    bool fresh;
    /* the thread's own */
    unsigned *scanned;
    unsigned *told;
    bool any_line; /* command lines have to be read */
    unsigned found_count;
    struct found found[FOUND_MAX];
};

/* --- a scan --- */

static size_t read_of(int folder, const char *name, char *out, size_t size)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

    if (fd >= 0)
        close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void remember(struct process_watch *watch, pid_t pid, unsigned process)
{
    for (unsigned i = 0; i < watch->found_count; i++)
        if (watch->found[i].pid == pid && watch->found[i].process == process) {
            watch->found[i].seen = true;
            return;
        }
    int pidfd = watch->found_count < FOUND_MAX ? pidfd_open(pid, 0) : -1;

    if (pidfd >= 0)
        watch->found[watch->found_count++] =
            (struct found){.pid = pid, .process = process, .pidfd = pidfd, .seen = true};
}

static void look_at(struct process_watch *watch, int proc, const char *entry)
{
    char name[32], line[LINE_MAX_BYTES];
    int folder = openat(proc, entry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    name[read_of(folder, "comm", name, sizeof(name))] = '\0';
    name[strcspn(name, "\n")] = '\0';
    size_t length = watch->any_line ? read_of(folder, "cmdline", line, sizeof(line)) : 0;

    while (length > 0 && line[length - 1] != '\0')
        length--; /* of one that is too long the whole words */
    close(folder);
    for (unsigned i = 0; i < watch->count; i++) {
        if (watch->processes[i].words == NULL || !process_matches(&watch->processes[i], name, line, length))
            continue;
        watch->scanned[i]++;
        remember(watch, (pid_t)strtol(entry, NULL, 10), i);
    }
}

static void forget(struct process_watch *watch, unsigned index)
{
    close(watch->found[index].pidfd);
    watch->found[index] = watch->found[--watch->found_count];
}

static void scan(struct process_watch *watch)
{
    DIR *proc = opendir("/proc");

    if (proc == NULL)
        return;
    memset(watch->scanned, 0, watch->count * sizeof(watch->scanned[0]));
    for (unsigned i = 0; i < watch->found_count; i++)
        watch->found[i].seen = false;
    for (const struct dirent *entry = readdir(proc); entry != NULL && !atomic_load(&watch->ending);
         entry = readdir(proc))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            look_at(watch, dirfd(proc), entry->d_name);
    closedir(proc);
    for (unsigned i = watch->found_count; i-- > 0;)
        if (!watch->found[i].seen)
            forget(watch, i);
}

/* --- the thread --- */

static void tell(struct process_watch *watch, bool first)
{
    const uint64_t one = 1;
    size_t size = watch->count * sizeof(watch->counts[0]);

    if (!first && memcmp(watch->told, watch->scanned, size) == 0)
        return;
    memcpy(watch->told, watch->scanned, size);
    pthread_mutex_lock(&watch->mutex);
    memcpy(watch->counts, watch->scanned, size);
    watch->fresh = true;
    pthread_mutex_unlock(&watch->mutex);
    ssize_t written = write(watch->news, &one, sizeof(one));

    (void)written; /* it cannot be full */
}

/* Those that have ended since the scan. */
static void take_ends(struct process_watch *watch, const struct pollfd *fds)
{
    for (unsigned i = watch->found_count; i-- > 0;) {
        unsigned process = watch->found[i].process;

        if (fds[i].revents == 0)
            continue;
        watch->scanned[process] -= watch->scanned[process] > 0;
        forget(watch, i);
    }
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void look(struct process_watch *watch)
{
    struct pollfd fds[1 + FOUND_MAX];
    int64_t next = now_ms();
    bool first = true;

    while (!atomic_load(&watch->ending)) {
        if (now_ms() >= next) {
            scan(watch);
            next = now_ms() + SCAN_MS;
        }
        if (atomic_load(&watch->ending))
            return; /* in the midst of a scan */
        tell(watch, first);
        first = false;
        fds[0] = (struct pollfd){.fd = watch->stop, .events = POLLIN};
        for (unsigned i = 0; i < watch->found_count; i++)
            fds[1 + i] = (struct pollfd){.fd = watch->found[i].pidfd, .events = POLLIN};
        int64_t wait = next - now_ms();

        if (poll(fds, 1 + watch->found_count, wait > 0 ? (int)wait : 0) >= 0)
            take_ends(watch, fds + 1);
    }
}

static void give_back(struct process_watch *watch)
{
    while (watch->found_count > 0)
        forget(watch, 0);
    if (watch->news >= 0)
        close(watch->news);
    if (watch->stop >= 0)
        close(watch->stop);
    pthread_mutex_destroy(&watch->mutex);
    free(watch->processes);
    free(watch->counts);
    free(watch->scanned);
    free(watch->told);
    free(watch);
}

static void *thread_main(void *context)
{
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
    look(context);
    give_back(context);
    return NULL;
}

/* --- the caller's side --- */

static size_t text_size(const struct check_process *process)
{
    size_t size = 0;

    for (unsigned i = 0; process->words != NULL && i < process->word_count; i++)
        size += strlen(process->words[i]) + 1;
    return size;
}

/* With the words that are looked for, behind it; NULL: no memory. */
static struct check_process *copy_processes(const struct check_process *processes, unsigned count)
{
    size_t words = 0, text = 0;

    for (unsigned i = 0; i < count; i++) {
        words += processes[i].word_count + 1;
        text += text_size(&processes[i]);
    }
    struct check_process *copy = malloc((count + 1) * sizeof(copy[0]) + words * sizeof(char *) + text);

    if (copy == NULL)
        return NULL;
    char **word = (char **)(void *)(copy + count + 1);
    char *room = (char *)(word + words);

    for (unsigned i = 0; i < count; i++) {
        copy[i] = processes[i];
        copy[i].name = NULL; /* not ours, and not needed */
        if (processes[i].words == NULL)
            continue;
        copy[i].words = word;
        for (unsigned k = 0; k < processes[i].word_count; k++) {
            *word++ = strcpy(room, processes[i].words[k]);
            room += strlen(room) + 1;
        }
        *word++ = NULL;
    }
    return copy;
}

static int make_parts(struct process_watch *watch, const struct check_process *processes, unsigned count)
{
    watch->count = count;
    thread_mutex_init(&watch->mutex);
    watch->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->processes = copy_processes(processes, count);
    watch->counts = calloc(count + 1, sizeof(watch->counts[0]));
    watch->scanned = calloc(count + 1, sizeof(watch->scanned[0]));
    watch->told = calloc(count + 1, sizeof(watch->told[0]));
    for (unsigned i = 0; i < count; i++)
        watch->any_line = watch->any_line || (processes[i].words != NULL && process_match_needs_line(&processes[i]));
    if (watch->news < 0 || watch->stop < 0)
        return -EMFILE;
    return watch->processes != NULL && watch->counts != NULL && watch->scanned != NULL && watch->told != NULL ? 0
                                                                                                              : -ENOMEM;
}

int process_watch_open(const struct check_process *processes, unsigned count, struct process_watch **out)
{
    struct process_watch *watch = calloc(1, sizeof(*watch));
    int error = watch != NULL ? make_parts(watch, processes, count) : -ENOMEM;
    pthread_t thread;

    if (error == 0)
        error = thread_start(&thread, "processes", STACK_BYTES, thread_main, watch);
    if (error == 0) {
        pthread_detach(thread);
        *out = watch;
    } else if (watch != NULL)
        give_back(watch);
    return error;
}

void process_watch_close(struct process_watch *watch)
{
    if (watch == NULL)
        return;
    (void)!write(watch->stop, &(uint64_t){1}, sizeof(uint64_t));
    atomic_store(&watch->ending, true); /* from here on it is the thread's alone */
}

int process_watch_fd(const struct process_watch *watch)
{
    return watch->news;
}

bool process_watch_take(struct process_watch *watch, unsigned *counts)
{
    uint64_t ignored;
    ssize_t got = read(watch->news, &ignored, sizeof(ignored));

    (void)got; /* whether there is something is said by `fresh` */
    pthread_mutex_lock(&watch->mutex);
    bool fresh = watch->fresh;

    watch->fresh = false;
    memcpy(counts, watch->counts, watch->count * sizeof(counts[0]));
    pthread_mutex_unlock(&watch->mutex);
    return fresh;
}
