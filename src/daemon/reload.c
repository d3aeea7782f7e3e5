/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration again (see reload.h). Two configurations are the same when their canonical texts are: the
 * hash leaves out what hosts may differ in, such as the share. The worker gets the canonical text, not the file: it may
 * not read what the file includes, and both are sure to mean the same. Called by guard.c.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/channel.h"
#include "daemon/guard_script.h"
#include "daemon/log.h"
#include "daemon/reload_diff.h"
#include "daemon/reload_file.h"

#define READ_US                                                                                                        \
    (25 * (int64_t)US_PER_S)   /* less than keelctl waits; then users, groups or files are not found any more */
#define REPORT_MAX (48 * 1024) /* of errors or differences: an answer of the control socket has room for it */

static char *canonical_text(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    config_print(config, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

bool reload_same(const struct config *a, const struct config *b)
{
    char *text_a = canonical_text(a);
    char *text_b = canonical_text(b);
    bool same = text_a != NULL && text_b != NULL && strcmp(text_a, text_b) == 0;

    free(text_a);
    free(text_b);
    return same;
}

static void report_finding(void *context, enum config_severity severity, const char *file, unsigned line,
                           unsigned column, const char *text)
{
    FILE *report = context;

    if (severity == CONFIG_ERROR)
        log_error("%s:%u:%u: %s", file, line, column, text);
    else
        log_warning("%s:%u:%u: %s", file, line, column, text);
    if (report != NULL)
        fprintf(report, "%s:%u:%u: %s: %s\n", file, line, column, severity == CONFIG_ERROR ? "error" : "warning", text);
}

/* A file of that text in memory, to be handed over. */
static int text_file(const char *text)
{
    size_t length = strlen(text);
    int fd = memfd_create("evenkeel-reload", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, text, length) == (ssize_t)length)
        return fd;
    close(fd);
    return -ENOSPC;
}

static void say_reloading(const struct guard *guard)
{
    struct timespec now;
    char text[64];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * US_PER_S + now.tv_nsec / 1000);
    ready_say(guard->start->ready, text);
}

static void say_ready(const struct guard *guard)
{
    if (!guard->leaving) /* that was said last */
        ready_say(guard->start->ready, "READY=1");
}

static void answer(const struct guard *guard, enum channel_message message, const char *report)
{
    int file = report != NULL ? text_file(report) : -1;

    if (guard->channel >= 0)
        channel_send_files(guard->channel, message, &file, file >= 0 ? 1 : 0);
    if (file >= 0)
        close(file);
    say_ready(guard);
}

/* What it changes, as text; NULL when memory ran out. */
static char *describe(const char *old_text, const char *new_text)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool good = out != NULL && reload_diff(old_text, new_text, out);

    if (out == NULL || fclose(out) != 0 || !good) {
        free(text);
        return NULL;
    }
    if (length > REPORT_MAX)
        text[REPORT_MAX] = '\0';
    return text;
}

static void log_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        log_notice("reload: %.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

/* 0 when the worker has all that it needs. */
static int hand_over(struct guard *guard, const char *text, const char *difference)
{
    int files[] = {text_file(text), -1, text_file(difference)};
    int error = guard_page_open(&guard->next_config->core, &guard->next_page);

    if (error == 0)
        files[1] = guard_page_file(guard->next_page);
    if (error == 0 && (files[0] < 0 || files[2] < 0))
        error = -ENOSPC;
    if (error == 0)
        error = channel_send_files(guard->channel, CHANNEL_RELOAD, files, ARRAY_LENGTH(files));
    if (files[0] >= 0)
        close(files[0]);
    if (files[2] >= 0)
        close(files[2]);
    return error;
}

static void forget_next(struct guard *guard)
{
    guard_script_expect(guard->script, NULL);
    guard_page_close(guard->next_page);
    config_free(guard->next_config);
    guard->next_page = NULL;
    guard->next_config = NULL;
}

static void refuse(struct guard *guard, const char *why)
{
    log_error("reload: going on unchanged: %s", why);
    forget_next(guard);
    answer(guard, CHANNEL_RELOAD_BAD, why);
}

/* From the same text as the worker's, so that every index means the same to both. Nothing is looked up for it. */
static int read_again(struct guard *guard, const char *text)
{
    struct config_request request = guard->start->request;

    request.text = text;
    request.length = strlen(text);
    struct config *config = guard->start->dialect->read(request, config_ignore_finding, NULL);

    if (config == NULL)
        return -EINVAL;
    guard->next_config = config;
    return 0;
}

static bool has_worker(const struct guard *guard)
{
    return guard->pidfd >= 0 && !guard->cleaned;
}

static void begin_with(struct guard *guard, const char *old_text, const char *new_text)
{
    char *difference = describe(old_text, new_text);
    int error = difference == NULL ? -ENOMEM : guard_script_expect(guard->script, guard->next_config);

    log_notice("reload: %s has changed (hash %016" PRIx64 " -> %016" PRIx64 ")", guard->start->request.path,
               guard->config->hash, guard->next_config->hash);
    if (difference != NULL)
        log_lines(difference);
    if (error == 0 && has_worker(guard)) {
        error = hand_over(guard, new_text, difference);
        if (error == -EPIPE || error == -ECONNRESET)
            error = 0; /* it has just died: reload_lost follows */
    } else if (error == 0)
        guard_worker_adopt_config(guard);
    free(difference);
    if (error < 0) {
        refuse(guard, strerror(-error));
        return;
    }
    if (guard->next_config == NULL)
        say_ready(guard);
}

static void begin_if_changed(struct guard *guard, const char *new_text)
{
    char *old_text = canonical_text(guard->config);

    if (old_text != NULL && strcmp(old_text, new_text) == 0) {
        log_info("reload: %s says what it said before (hash %016" PRIx64 ")", guard->start->request.path,
                 guard->config->hash);
        answer(guard, CHANNEL_RELOAD_SAME, NULL);
    } else {
        int error = old_text == NULL ? -ENOMEM : read_again(guard, new_text);

        if (error == 0)
            begin_with(guard, old_text, new_text);
        else
            refuse(guard, strerror(-error));
    }
    free(old_text);
}

/* A worker that is starting, or just ending, has to be waited for; but not one that is as good as gone. */
static bool is_between_workers(const struct guard *guard)
{
    return has_worker(guard) && (!guard->worker_up || guard->channel < 0);
}

void reload_begin(struct guard *guard, struct mono now)
{
    if (guard->leaving) {
        log_warning("reload: not now, the worker is just leaving");
        return;
    }
    guard->reload_wanted = guard->reading != NULL || guard->next_config != NULL || is_between_workers(guard);
    if (guard->reload_wanted) /* one at a time: when that one is done, or the worker is up */
        return;
    say_reloading(guard);
    channel_send(guard->channel, CHANNEL_RELOAD_READING);
    guard->reload_began = now;
    int error = reload_file_open(guard->start->dialect, &guard->start->request, &guard->reading);

    if (error < 0)
        refuse(guard, strerror(-error));
    else
        guard->read_by = mono_add(now, READ_US);
}

static void take_file(struct guard *guard)
{
    char *findings = NULL, *text = NULL, problem[RELOAD_FILE_PROBLEM_MAX];
    size_t length = 0;
    FILE *report = open_memstream(&findings, &length);
    bool read = reload_file_take(guard->reading, report_finding, report, &text, &guard->next_owners, problem);

    if (report != NULL)
        fclose(report);
    if (is_between_workers(guard)) {
        guard->reload_wanted = true; /* the next one is told */
    } else if (!read) {
        refuse(guard, problem);
    } else if (text != NULL) {
        begin_if_changed(guard, text);
    } else {
        log_error("reload: %s is not usable, going on unchanged", guard->start->request.path);
        answer(guard, CHANNEL_RELOAD_BAD, findings != NULL ? findings : "out of memory");
    }
    free(findings);
    free(text);
}

void reload_read(struct guard *guard, struct mono now)
{
    if (!mono_is_never(guard->read_by) && !guard->leaving)
        take_file(guard);
    reload_file_close(guard->reading);
    guard->reading = NULL;
    guard->read_by = MONO_NEVER;
    if (guard->reload_wanted && guard->next_config == NULL)
        reload_begin(guard, now);
}

void reload_read_timeout(struct guard *guard)
{
    guard->read_by = MONO_NEVER;
    reload_file_end(guard->reading);
    refuse(guard, "reading the file takes too long: users, groups or files that it names cannot be looked up");
}

void reload_end(struct guard *guard, bool done, struct mono now)
{
    if (guard->next_config == NULL)
        return;
    if (done)
        guard_worker_adopt_config(guard);
    else
        forget_next(guard);
    say_ready(guard);
    log_notice("reload: %s after %.3f ms", done ? "done" : "not possible, going on unchanged,",
               (double)mono_diff_us(now, guard->reload_began) / US_PER_MS);
    if (guard->reload_wanted)
        reload_begin(guard, now);
}

void reload_lost(struct guard *guard)
{
    if (guard->next_config == NULL)
        return;
    guard_worker_adopt_config(guard);
    say_ready(guard);
}
