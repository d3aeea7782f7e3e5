/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that run, and those that wait for their turn: what runs beside what, and how many at once. Nothing here
 * waits: runner_turn() starts what may start and takes in what has ended. Part of the guard.
 *
 * Jobs of one class and key run one after the other, in the order in which they were given; the next one starts when
 * everything of the one before is gone. Different keys run side by side.
 */
#ifndef EVENKEEL_DAEMON_RUNNER_H
#define EVENKEEL_DAEMON_RUNNER_H

#include "base/mono.h"
#include "platform/script.h"

#define RUNNER_QUEUE_MAX 64  /* jobs of one key; of more the oldest that waits is given up */
#define RUNNER_JOBS_MAX 4096 /* all together */

struct pollfd;
struct runner;

enum runner_class {
    RUNNER_CHECK,  /* ended with the worker */
    RUNNER_NOTIFY, /* goes on without worker and guard, up to its time limit */
    RUNNER_READER, /* of a FIFO: no time limit, ended with the FIFO */
    RUNNER_HOOK,   /* at start and stop */
    RUNNER_CLASS_COUNT,
};

struct runner_order {
    uint8_t class; /* enum runner_class */
    uint64_t key;
    uint32_t tag;                        /* for the caller: comes back with the result */
    const struct check_command *command; /* copied */
    const char *const *extra;            /* arguments after the command's own; copied */
    unsigned extra_count;
    const char *what; /* for messages: "notify of instance V1"; copied */
    bool security;
    int64_t timeout_us; /* 0: none */
};

/* Called once for each job that was started or given up, also of one that cannot be started. It must not call the
 * runner. */
typedef void runner_done(void *context, const struct runner_order *order, const struct script_result *result);

struct runner_stats {
    uint64_t started, given_up; /* given up: the queue was full */
};

/* NULL: no memory. */
struct runner *runner_new(runner_done *done, void *context);
/* Asks what runs to end, and forgets it: the keepers see to the rest. */
void runner_free(struct runner *runner);
/* In a child that shares nothing with the runner: closes its descriptors, and nothing else. */
void runner_let_go(struct runner *runner);

/* 0, -EBUSY: a check of this key is not over yet, or -ENOMEM. */
int runner_add(struct runner *runner, const struct runner_order *order);
/* Gives up what waits, without a result, and asks what runs to end. */
void runner_end(struct runner *runner, enum runner_class class);
/* The same for one key. */
void runner_end_one(struct runner *runner, enum runner_class class, uint64_t key);
/* How many wait or run. */
unsigned runner_count(const struct runner *runner, enum runner_class class);

/* Appends the descriptors to wait for; how many. Beside them SIGCHLD has to wake the caller. */
unsigned runner_poll(const struct runner *runner, struct pollfd *fds, unsigned capacity);
/* Takes in what has ended and starts what may start; true when more could start at once. */
bool runner_turn(struct runner *runner);
void runner_get_stats(const struct runner *runner, struct runner_stats *out);

#endif
