/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See orders.h. Both ends are the same program, so the structure itself is what is sent. */
#include "daemon/orders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX 8192 /* a fail-over of everything, thirty times over */

int orders_pair(int *guard_end, int *worker_end)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    *guard_end = ends[0];
    *worker_end = ends[1];
    return 0;
}

int orders_open(struct orders *orders, int fd, uint32_t connection)
{
    *orders = (struct orders){.fd = fd, .connection = connection};
    orders->queue = calloc(QUEUE_MAX, sizeof(orders->queue[0]));
    return orders->queue != NULL ? 0 : -ENOMEM;
}

void orders_close(struct orders *orders)
{
    if (orders->fd >= 0)
        close(orders->fd);
    free(orders->queue);
    *orders = (struct orders){.fd = -1};
}

void orders_add(struct orders *orders, const struct order *order)
{
    if (orders->fd < 0 || orders->count == QUEUE_MAX) {
        orders->dropped++;
        return;
    }
    struct order *place = &orders->queue[(orders->first + orders->count++) % QUEUE_MAX];

    *place = *order;
    place->connection = orders->connection;
}

/* How many of one connection stand in a row from the first on, at most a batch. */
static unsigned next_run(const struct orders *orders)
{
    unsigned to_end = QUEUE_MAX - orders->first;
    unsigned most = orders->count < to_end ? orders->count : to_end;
    unsigned run = 0;

    most = most < ORDERS_BATCH ? most : ORDERS_BATCH;
    while (run < most && orders->queue[orders->first + run].connection == orders->queue[orders->first].connection)
        run++;
    return run;
}

bool orders_flush(struct orders *orders)
{
    while (orders->count > 0) {
        unsigned run = next_run(orders);
        size_t length = run * sizeof(orders->queue[0]);

        if (send(orders->fd, &orders->queue[orders->first], length, MSG_NOSIGNAL) != (ssize_t)length)
            return false;
        orders->first = (orders->first + run) % QUEUE_MAX;
        orders->count -= run;
    }
    return true;
}

bool orders_is_ahead(const struct orders *orders)
{
    struct order first;

    return recv(orders->fd, &first, sizeof(first), MSG_PEEK) == (ssize_t)sizeof(first) &&
           first.connection == orders->connection + 1;
}

int orders_receive(struct orders *orders, struct order batch[static ORDERS_BATCH], uint64_t *refused)
{
    ssize_t got;
    int kept = 0;

    do
        got = recv(orders->fd, batch, ORDERS_BATCH * sizeof(batch[0]), 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 && errno == EAGAIN ? -EAGAIN : 0;
    for (size_t i = 0; i < (size_t)got / sizeof(batch[0]); i++) {
        if (batch[i].kind >= ORDER_KIND_COUNT || batch[i].connection != orders->connection)
            (*refused)++;
        else
            batch[kept++] = batch[i];
    }
    return kept > 0 ? kept : -EAGAIN;
}
