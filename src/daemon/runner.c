/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See runner.h: a list of jobs in the order in which they came. Called by guard_script.c. */
#include "daemon/runner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STARTS_PER_TURN 8 /* then the caller looks at what else there is */

static const unsigned RUNNING_MAX[RUNNER_CLASS_COUNT] = {
    [RUNNER_CHECK] = 64,
    [RUNNER_NOTIFY] = 32,
    [RUNNER_READER] = 4,
    [RUNNER_HOOK] = 1,
};

struct job {
    struct job *next;
    struct runner_order order;    /* its pointers are into this job's memory */
    struct check_command command; /* its arguments end with the extra ones */
    struct script script;
    bool started;
    bool told;
};

struct runner {
    struct job *jobs; /* oldest first */
    struct job **tail;
    unsigned count[RUNNER_CLASS_COUNT];
    unsigned running[RUNNER_CLASS_COUNT];
    runner_done *done;
    void *context;
    struct runner_stats stats;
};

struct runner *runner_new(runner_done *done, void *context)
{
    struct runner *runner = calloc(1, sizeof(*runner));

    if (runner == NULL)
        return NULL;
    runner->tail = &runner->jobs;
    runner->done = done;
    runner->context = context;
    return runner;
}

/* --- jobs --- */

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **room, const char *text)
{
    size_t size = text_size(text);
    char *copy = *room;

    if (text == NULL)
        return NULL;
    memcpy(copy, text, size);
    *room += size;
    return copy;
}

/* One block of memory: the job, the argument vector, the texts. */
static struct job *new_job(const struct runner_order *order)
{
    const struct check_command *from = order->command;
    unsigned count = from->argument_count + order->extra_count;
    size_t size = sizeof(struct job) + (count + 1) * sizeof(char *) + text_size(from->user) + text_size(from->group) +
                  text_size(order->what);

    for (unsigned i = 0; i < count; i++)
        size += text_size(i < from->argument_count ? from->arguments[i] : order->extra[i - from->argument_count]);
    struct job *job = calloc(1, size);

    if (job == NULL)
        return NULL;
    char **arguments = (char **)(void *)(job + 1);
    char *room = (char *)(arguments + count + 1);

    for (unsigned i = 0; i < count; i++)
        arguments[i] = (char *)(uintptr_t)copy_text(
            &room, i < from->argument_count ? from->arguments[i] : order->extra[i - from->argument_count]);
    job->command = (struct check_command){.argument_count = from->argument_count,
                                          .arguments = arguments,
                                          .user = copy_text(&room, from->user),
                                          .group = copy_text(&room, from->group)};
    job->order = *order;
    job->order.command = &job->command;
    job->order.extra = (const char *const *)(arguments + from->argument_count);
    job->order.what = copy_text(&room, order->what);
    job->script = (struct script){.fd = -1};
    return job;
}

static void append(struct runner *runner, struct job *job)
{
    *runner->tail = job;
    runner->tail = &job->next;
    runner->count[job->order.class]++;
}

/* Takes *link out of the list. */
static void drop(struct runner *runner, struct job **link)
{
    struct job *job = *link;

    *link = job->next;
    if (runner->tail == &job->next)
        runner->tail = link;
    runner->count[job->order.class]--;
    free(job);
}

static bool same_queue(const struct job *job, const struct runner_order *order)
{
    return job->order.class == order->class && job->order.key == order->key;
}

static void tell(struct runner *runner, struct job *job, struct script_result result)
{
    if (!job->told)
        runner->done(runner->context, &job->order, &result);
    job->told = true;
}

static void give_up(struct runner *runner, struct job **link)
{
    runner->stats.given_up++;
    tell(runner, *link, (struct script_result){.outcome = SCRIPT_FAILED, .value = EAGAIN});
    drop(runner, link);
}

/* Makes room for one more: of its own queue's, else of all that wait, the oldest is given up. */
static void make_room(struct runner *runner, const struct runner_order *order)
{
    struct job **oldest = NULL, **own = NULL;
    unsigned total = 0, queued = 0;

    for (struct job **link = &runner->jobs; *link != NULL; link = &(*link)->next) {
        total++;
        if (!(*link)->started && oldest == NULL)
            oldest = link;
        if (!same_queue(*link, order))
            continue;
        queued++;
        if (!(*link)->started && own == NULL)
            own = link;
    }
    if (queued >= RUNNER_QUEUE_MAX && own != NULL)
        give_up(runner, own);
    else if (total >= RUNNER_JOBS_MAX && oldest != NULL)
        give_up(runner, oldest);
}

int runner_add(struct runner *runner, const struct runner_order *order)
{
    for (const struct job *job = runner->jobs; job != NULL && order->class == RUNNER_CHECK; job = job->next)
        if (same_queue(job, order))
            return -EBUSY;
    struct job *job = new_job(order);

    if (job == NULL)
        return -ENOMEM;
    make_room(runner, order);
    append(runner, job);
    return 0;
}

/* --- a turn --- */

static void finish(struct runner *runner, struct job **link)
{
    runner->running[(*link)->order.class]--;
    drop(runner, link);
}

/* True when the job is over and gone. */
static bool collect(struct runner *runner, struct job **link)
{
    struct job *job = *link;
    struct script_result result;
    int got = script_read(&job->script, &result);

    if (got >= 0)
        tell(runner, job, result);
    if (got == 1)
        got = script_read(&job->script, &result);
    if (got != 0 || !script_reap(&job->script))
        return false;
    finish(runner, link);
    return true;
}

static bool may_start(const struct runner *runner, const struct job *job)
{
    if (job->started || runner->running[job->order.class] >= RUNNING_MAX[job->order.class])
        return false;
    for (const struct job *other = runner->jobs; other != job; other = other->next)
        if (same_queue(other, &job->order))
            return false;
    return true;
}

/* True when the job is gone, since it could not be started. */
static bool start(struct runner *runner, struct job **link)
{
    struct job *job = *link;
    const struct script_start how = {
        .command = &job->command,
        .arguments = job->command.arguments,
        .security = job->order.security,
        .timeout_us = job->order.timeout_us,
        .follows = job->order.class != RUNNER_NOTIFY,
    };
    int error = script_start(&how, &job->script);

    if (error < 0) {
        tell(runner, job, (struct script_result){.outcome = SCRIPT_FAILED, .value = -error});
        drop(runner, link);
        return true;
    }
    job->started = true;
    runner->running[job->order.class]++;
    runner->stats.started++;
    return false;
}

bool runner_turn(struct runner *runner)
{
    unsigned starts = 0;

    for (struct job **link = &runner->jobs; *link != NULL;)
        if (!(*link)->started || !collect(runner, link))
            link = &(*link)->next;
    for (struct job **link = &runner->jobs; *link != NULL;) {
        bool gone = false;

        if (may_start(runner, *link)) {
            if (starts++ == STARTS_PER_TURN)
                return true;
            gone = start(runner, link);
        }
        if (!gone)
            link = &(*link)->next;
    }
    return false;
}

unsigned runner_poll(const struct runner *runner, struct pollfd *fds, unsigned capacity)
{
    unsigned count = 0;

    for (const struct job *job = runner->jobs; job != NULL && count < capacity; job = job->next)
        if (job->started && !job->told)
            fds[count++] = (struct pollfd){.fd = job->script.fd, .events = POLLIN};
    return count;
}

/* --- ends --- */

static void end_jobs(struct runner *runner, enum runner_class class, const uint64_t *key)
{
    for (struct job **link = &runner->jobs; *link != NULL;) {
        struct job *job = *link;

        if (job->order.class != class || (key != NULL && job->order.key != *key)) {
            link = &job->next;
        } else if (job->started) {
            script_end(&job->script);
            link = &job->next;
        } else
            drop(runner, link);
    }
}

void runner_end(struct runner *runner, enum runner_class class)
{
    end_jobs(runner, class, NULL);
}

void runner_end_one(struct runner *runner, enum runner_class class, uint64_t key)
{
    end_jobs(runner, class, &key);
}

unsigned runner_count(const struct runner *runner, enum runner_class class)
{
    return runner->count[class];
}

void runner_let_go(struct runner *runner)
{
    if (runner == NULL)
        return;
    for (struct job *job = runner->jobs; job != NULL; job = job->next)
        if (job->script.fd >= 0)
            close(job->script.fd);
}

void runner_free(struct runner *runner)
{
    if (runner == NULL)
        return;
    for (unsigned class = 0; class < RUNNER_CLASS_COUNT; class ++)
        runner_end(runner, (enum runner_class) class);
    runner_let_go(runner);
    while (runner->jobs != NULL)
        drop(runner, &runner->jobs);
    free(runner);
}

void runner_get_stats(const struct runner *runner, struct runner_stats *out)
{
    *out = runner->stats;
}
