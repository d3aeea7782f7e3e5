/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See guard_fifo.h. Called by guard_script.c; the owners are looked up by reload_file.c, too. */
#include "daemon/guard_fifo.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"

#define READER_AGAIN_US (5 * US_PER_S)
#define READER_LEAVES_US US_PER_S /* for what it has not read yet */

static const struct check_fifo *settings_of(const struct config *config, unsigned index)
{
    const struct config_instances *instances = config != NULL ? config->instances : NULL;
    const struct check_fifo *settings =
        instances != NULL && index < instances->fifo_count ? instances->fifos[index] : NULL;

    return settings != NULL && settings->path != NULL ? settings : NULL;
}

struct guard_fifo_owners guard_fifo_find_owners(const struct config *config)
{
    struct guard_fifo_owners owners = {0};

    for (unsigned i = 0; i < GUARD_FIFOS; i++)
        if (settings_of(config, i) != NULL)
            owners.list[i] = fifo_find_owner(settings_of(config, i));
    return owners;
}

void guard_fifos_init(struct guard_fifos *fifos, struct runner *runner)
{
    *fifos = (struct guard_fifos){.runner = runner};
    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        fifos->list[i].reader_at = MONO_NEVER;
        fifos->leaving[i].until = MONO_NEVER;
    }
}

/* --- a change of the configuration --- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_command(const struct check_command *a, const struct check_command *b)
{
    if (a->argument_count != b->argument_count || !same_text(a->user, b->user) || !same_text(a->group, b->group))
        return false;
    for (unsigned i = 0; i < a->argument_count; i++)
        if (strcmp(a->arguments[i], b->arguments[i]) != 0)
            return false;
    return true;
}

static bool same_fifo(const struct check_fifo *a, const struct check_fifo *b)
{
    return strcmp(a->path, b->path) == 0 && same_text(a->user, b->user) && same_text(a->group, b->group) &&
           same_command(&a->script, &b->script);
}

/* The one of before that goes on as this one, which it is moved to. */
static bool take_over(struct guard_fifo *fifo, struct guard_fifo before[static GUARD_FIFOS])
{
    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        if (before[i].fifo == NULL || !same_fifo(before[i].settings, fifo->settings) ||
            !fifo_is_in_place(before[i].fifo))
            continue;
        const struct check_fifo *settings = fifo->settings;

        *fifo = before[i];
        fifo->settings = settings;
        before[i] = (struct guard_fifo){.reader_at = MONO_NEVER};
        return true;
    }
    return false;
}

/* Its reader may still read what is in the pipe. */
static void close_fifo(struct guard_fifos *fifos, struct guard_fifo *fifo, unsigned index, struct mono now)
{
    if (fifo->fifo != NULL && fifo_wants(fifo->fifo) >= 0)
        log_warning("%s: nobody read what was written last", fifo_path(fifo->fifo));
    fifo_close(fifo->fifo);
    if (fifo->reader == 0)
        return;
    if (fifos->leaving[index].reader != 0)
        runner_end_one(fifos->runner, RUNNER_READER, fifos->leaving[index].reader);
    fifos->leaving[index].reader = fifo->reader;
    fifos->leaving[index].until = mono_add(now, READER_LEAVES_US);
}

static void open_fifo(struct guard_fifos *fifos, struct guard_fifo *fifo, const struct fifo_owner *owner,
                      struct mono now)
{
    char problem[FIFO_PROBLEM_MAX];

    fifo->fifo = fifo_open(fifo->settings, owner, problem);
    if (fifo->fifo == NULL) {
        log_error("the FIFO %s", problem);
    } else if (fifo->settings->script.argument_count > 0) {
        fifo->reader = ++fifos->readers;
        fifo->reader_at = now;
    }
}

void guard_fifos_change(struct guard_fifos *fifos, const struct config *config, const struct guard_fifo_owners *owners,
                        struct mono now)
{
    struct guard_fifo before[GUARD_FIFOS];
    bool security = config != NULL && config->instances != NULL && config->instances->script_security;
    bool kept[GUARD_FIFOS] = {false};

    memcpy(before, fifos->list, sizeof(before));
    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        fifos->list[i] = (struct guard_fifo){.settings = settings_of(config, i), .reader_at = MONO_NEVER};
        kept[i] = fifos->list[i].settings != NULL && security == fifos->security && take_over(&fifos->list[i], before);
    }
    fifos->security = security;
    for (unsigned i = 0; i < GUARD_FIFOS; i++) /* first: another may have its name */
        close_fifo(fifos, &before[i], i, now);
    for (unsigned i = 0; i < GUARD_FIFOS; i++)
        if (fifos->list[i].settings != NULL && !kept[i])
            open_fifo(fifos, &fifos->list[i], &owners->list[i], now);
}

void guard_fifos_let_go(const struct guard_fifos *fifos)
{
    for (unsigned i = 0; i < GUARD_FIFOS; i++)
        fifo_let_go(fifos->list[i].fifo);
}

/* --- lines and readers --- */

void guard_fifos_write(const struct guard_fifos *fifos, const char *line)
{
    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        struct fifo *fifo = fifos->list[i].fifo;

        if (fifo != NULL && !fifo_write(fifo, line, strlen(line)))
            log_warning("%s: nobody reads it: %" PRIu64 " lines dropped so far", fifo_path(fifo), fifo_dropped(fifo));
    }
}

static void start_reader(const struct guard_fifos *fifos, struct guard_fifo *fifo, struct mono now)
{
    const char *const extra[] = {fifo->settings->path};
    char what[FIFO_PROBLEM_MAX];
    const struct runner_order order = {
        .class = RUNNER_READER,
        .key = fifo->reader,
        .command = &fifo->settings->script,
        .extra = extra,
        .extra_count = 1,
        .what = what,
        .security = fifos->security,
    };

    snprintf(what, sizeof(what), "the reader of %.200s", fifo->settings->path);
    int error = runner_add(fifos->runner, &order);

    if (error == 0)
        return;
    log_error("%s: not called: %s", what, strerror(-error));
    fifo->reader_at = mono_add(now, READER_AGAIN_US);
}

void guard_fifos_reader_ended(struct guard_fifos *fifos, uint64_t key, struct mono now)
{
    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        if (fifos->list[i].reader == key)
            fifos->list[i].reader_at = mono_add(now, READER_AGAIN_US);
        if (fifos->leaving[i].reader == key) {
            fifos->leaving[i].reader = 0;
            fifos->leaving[i].until = MONO_NEVER;
        }
    }
}

unsigned guard_fifos_poll(const struct guard_fifos *fifos, struct pollfd *fds)
{
    unsigned count = 0;

    for (unsigned i = 0; i < GUARD_FIFOS; i++)
        if (fifo_wants(fifos->list[i].fifo) >= 0)
            fds[count++] = (struct pollfd){.fd = fifo_wants(fifos->list[i].fifo), .events = POLLOUT};
    return count;
}

struct mono guard_fifos_turn(struct guard_fifos *fifos, struct mono now)
{
    struct mono next = MONO_NEVER;

    for (unsigned i = 0; i < GUARD_FIFOS; i++) {
        struct guard_fifo *fifo = &fifos->list[i];

        if (fifo->fifo != NULL)
            fifo_flush(fifo->fifo);
        if (mono_due(now, fifo->reader_at)) {
            fifo->reader_at = MONO_NEVER;
            start_reader(fifos, fifo, now);
        }
        if (mono_due(now, fifos->leaving[i].until)) {
            fifos->leaving[i].until = MONO_NEVER;
            runner_end_one(fifos->runner, RUNNER_READER, fifos->leaving[i].reader);
            fifos->leaving[i].reader = 0;
        }
        next = mono_min(next, mono_min(fifo->reader_at, fifos->leaving[i].until));
    }
    return next;
}
