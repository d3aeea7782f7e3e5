/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the daemon (see watch_source.h). Called by cmd_watch.c. */
#include "ctl/watch_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct source source_init(const struct ctl *ctl)
{
    return (struct source){.ctl = ctl, .state = SOURCE_IDLE, .fd = -1};
}

static void forget(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    source->text.length = 0;
    for (unsigned i = 0; i < SOURCE_ANSWERS; i++) {
        json_decref(source->answers[i]);
        source->answers[i] = NULL;
    }
}

void source_end(struct source *source)
{
    forget(source);
    free(source->text.data);
    source->text = (struct exchange_line){.data = NULL};
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

static bool is_late(const struct source *source)
{
    return exchange_now_ms() >= source->until_ms;
}

static void connect_and_send(struct source *source)
{
    char problem[CLIENT_PROBLEM_MAX];

    source->fd = client_connect(source->ctl, problem);
    if (source->fd == -EAGAIN && !is_late(source)) {
        source->state = SOURCE_CONNECTING;
        return;
    }
    if (source->fd < 0) {
        fail(source, "%s", problem);
        return;
    }
    source->state = SOURCE_WAITING;
    for (unsigned i = 0; i < source->count; i++) {
        int error = send_request(source->fd, source->requests[i]);

        if (error < 0 && error != -EPIPE) { /* a daemon that is full answers without having read */
            fail(source, "evenkeeld cannot be asked: %s", strerror(-error));
            return;
        }
    }
}

void source_ask(struct source *source, json_t *const *requests, unsigned count)
{
    forget(source);
    source->requests = requests;
    source->count = count;
    source->until_ms = exchange_now_ms() + CLIENT_PATIENCE_S * 1000;
    connect_and_send(source);
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
    const char *line = source->text.data, *end = line + source->text.length;
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

void source_read(struct source *source)
{
    if (source->state == SOURCE_CONNECTING)
        connect_and_send(source);
    while (source->state == SOURCE_WAITING) {
        if (exchange_make_room(&source->text) < 0) {
            fail(source, "the answer is too large");
            return;
        }
        char *end = source->text.data + source->text.length;
        ssize_t count = recv(source->fd, end, source->text.capacity - source->text.length, 0);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (is_late(source))
                fail(source, "evenkeeld has not answered for %d s: is it stopped?", CLIENT_PATIENCE_S);
            return;
        }
        if (count <= 0) {
            fail(source, "evenkeeld has closed the connection");
            return;
        }
        source->text.length += (size_t)count;
        if (memchr(end, '\n', (size_t)count) != NULL)
            take_answers(source);
    }
}
