/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See exchange.h. Called by client/control.c, ctl/client.c and ctl/watch_source.c. */
#include "client/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_NAME "control.sock" /* in the run directory, as doc/control.md promises */
#define ANSWER_MAX (32 * 1024 * 1024)
#define PIECE 65536

int64_t exchange_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel lets a connection wait for its place in the queue; there is nothing that could be polled for that. */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t until_ms)
{
    int64_t left_ms = until_ms - exchange_now_ms();
    const struct timeval wait = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
    int flags = fcntl(fd, F_GETFL);

    if (left_ms > 0 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
                        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0))
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return -errno;
    return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

int exchange_connect(const char *run_dir, int64_t until_ms, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/" SOCKET_NAME, run_dir);

    if (length < 0 || (size_t)length >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    int error = connect_until(fd, address, until_ms);

    if (error < 0)
        close(fd);
    return error < 0 ? error : fd;
}

/* 0: something may be done; -EAGAIN: it is too late. */
static int wait_for(int fd, short events, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - exchange_now_ms();
        struct pollfd one = {.fd = fd, .events = events};
        int ready = left_ms > 0 ? poll(&one, 1, (int)left_ms) : 0;

        if (ready > 0)
            return 0;
        if (ready == 0)
            return -EAGAIN;
        if (errno != EINTR)
            return -errno;
    }
}

static int send_all(int fd, const char *text, int64_t until_ms)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        int error = sent >= 0 || errno == EINTR ? 0 : errno == EAGAIN ? wait_for(fd, POLLOUT, until_ms) : -errno;

        if (error < 0)
            return error;
        if (sent > 0) {
            text += sent;
            length -= (size_t)sent;
        }
    }
    return 0;
}

int exchange_make_room(struct exchange_line *line)
{
    if (line->capacity - line->length >= PIECE)
        return 0;
    size_t capacity = line->capacity * 2 + 2 * PIECE;
    char *data = capacity <= ANSWER_MAX ? realloc(line->data, capacity) : NULL;

    if (data == NULL)
        return -ENOMEM;
    line->data = data;
    line->capacity = capacity;
    return 0;
}

static int receive_line(int fd, struct exchange_line *line, int64_t until_ms)
{
    line->length = 0;
    for (;;) {
        int error = exchange_make_room(line);

        if (error == 0)
            error = wait_for(fd, POLLIN, until_ms);
        if (error < 0)
            return error;
        ssize_t count = recv(fd, line->data + line->length, line->capacity - line->length, 0);

        if (count == 0)
            return -ECONNRESET;
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (count < 0)
            continue;
        line->length += (size_t)count;
        if (line->data[line->length - 1] == '\n')
            return 0;
    }
}

int exchange_ask(int fd, const char *request, struct exchange_line *answer, int64_t until_ms)
{
    int error = send_all(fd, request, until_ms);

    /* A daemon that is full answers without having read, so what it said counts even if sending failed. */
    return error == 0 || error == -EPIPE ? receive_line(fd, answer, until_ms) : error;
}
