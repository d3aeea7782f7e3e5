/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the daemon (see watch_source.h). Called by cmd_watch.c. */
#include "ctl/watch_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE 65536
#define ANSWERS_MAX (32 * 1024 * 1024)

struct source source_init(const struct ctl *ctl)
{
    return (struct source){.ctl = ctl, .state = SOURCE_IDLE, .fd = -1};
}

static void forget(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    source->length = 0;
    for (unsigned i = 0; i < SOURCE_ANSWERS; i++) {
        json_decref(source->answers[i]);
        source->answers[i] = NULL;
    }
}

void source_end(struct source *source)
{
    forget(source);
    free(source->text);
    source->text = NULL;
}

__attribute__((format(printf, 2, 3))) static void fail(struct source *source, const char *format, ...)
{
    va_list arguments;

    forget(source);
    va_start(arguments, format);
    vsnprintf(source->problem, sizeof(source->problem), format, arguments);
    va_end(arguments);
    source->problem[strcspn(source->problem, "\n")] = '\0'; /* one line: what to do about it is another */
    source->state = SOURCE_FAILED;
}

static int send_request(int fd, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
    int error = 0, length = text != NULL ? asprintf(&line, "%s\n", text) : -1;

    if (length < 0)
        error = -ENOMEM;
    else if (send(fd, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) != length)
        error = errno != 0 ? -errno : -EAGAIN;
    if (length >= 0)
        free(line);
    free(text);
    return error;
}

void source_ask(struct source *source, json_t *const *requests, unsigned count)
{
    char problem[CLIENT_PROBLEM_MAX];

    forget(source);
    source->count = count;
    source->state = SOURCE_WAITING;
    clock_gettime(CLOCK_MONOTONIC, &source->asked);
    source->fd = client_connect(source->ctl, problem);
    if (source->fd < 0) {
        fail(source, "%s", problem);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        int error = send_request(source->fd, requests[i]);

        if (error < 0 && error != -EPIPE) { /* a daemon that is full answers without having read */
            fail(source, "evenkeeld cannot be asked: %s", strerror(-error));
            return;
        }
    }
}

static bool make_room(struct source *source)
{
    if (source->capacity - source->length >= PIECE)
        return true;
    size_t capacity = source->capacity * 2 + 2 * PIECE;
    char *text = capacity <= ANSWERS_MAX ? realloc(source->text, capacity) : NULL;

    if (text == NULL)
        return false;
    source->text = text;
    source->capacity = capacity;
    return true;
}

/* One line of the text as answer `number`. False after saying what is wrong. */
static bool take_answer(struct source *source, unsigned number, const char *line, size_t length)
{
    json_error_t error;
    json_t *answer = json_loadb(line, length, 0, &error);
    const json_t *refusal = reply_get(answer, "error");
    char text[CLIENT_PROBLEM_MAX];

    source->answers[number] = answer;
    if (json_is_object(answer) && refusal == NULL)
        return true;
    snprintf(text, sizeof(text), "%s%s", refusal != NULL ? reply_text(refusal, "text") : error.text,
             strcmp(reply_text(refusal, "code"), "too_large") == 0 ? " (--pool NAME)" : "");
    fail(source, "%s", text);
    return false;
}

/* The answers, once there are as many lines as requests. */
static void take_answers(struct source *source)
{
    const char *line = source->text, *end = source->text + source->length;
    unsigned lines = 0;

    for (const char *p = line; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    /* An error may be the last that is said on a connection. */
    if (lines < source->count && strncmp(line, "{\"error\"", 8) != 0)
        return;
    for (unsigned i = 0; i < lines && i < source->count; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));

        if (!take_answer(source, i, line, (size_t)(newline - line)))
            return;
        line = newline + 1;
    }
    close(source->fd);
    source->fd = -1;
    source->state = SOURCE_DONE;
}

static bool is_late(const struct source *source)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - source->asked.tv_sec > SOURCE_PATIENCE_S;
}

void source_read(struct source *source)
{
    while (source->state == SOURCE_WAITING) {
        if (!make_room(source)) {
            fail(source, "the answer is too large");
            return;
        }
        ssize_t count = recv(source->fd, source->text + source->length, PIECE, MSG_DONTWAIT);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (is_late(source))
                fail(source, "evenkeeld has not answered for %d s: is it stopped?", SOURCE_PATIENCE_S);
            return;
        }
        if (count <= 0) {
            fail(source, "evenkeeld has closed the connection");
            return;
        }
        source->length += (size_t)count;
        if (memchr(source->text + source->length - count, '\n', (size_t)count) != NULL)
            take_answers(source);
    }
}
