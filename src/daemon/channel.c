/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between guard and worker (see channel.h): a SOCK_SEQPACKET pair, so that a message is never cut. */
#include "daemon/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define HIGH_FD 250 /* above all that a worker ever opens, below the smallest limit in use (256) */

int channel_open(int *guard_end, int *worker_end)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    *guard_end = ends[0];
    *worker_end = ends[1];
    return 0;
}

int channel_raise(int fd)
{
    int raised = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

    if (raised < 0)
        return fd;
    close(fd);
    return raised;
}

int channel_send(int fd, enum channel_message message)
{
    uint8_t byte = (uint8_t)message;

    return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int channel_receive(int fd, enum channel_message *message)
{
    uint8_t byte;

    for (;;) {
        ssize_t got = recv(fd, &byte, 1, 0);

        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? -EAGAIN : 0;
        if (byte >= CHANNEL_MESSAGE_COUNT)
            continue;
        *message = (enum channel_message)byte;
        return 1;
    }
}
