/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between guard and worker (see channel.h): a SOCK_SEQPACKET pair, so that a message is never cut. */
#include "daemon/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HIGH_FD 250    /* above all that a worker ever opens, below the smallest limit in use (256) */
#define SKIPPED_MAX 64 /* messages nobody knows, at a time: the other side must not keep us here */

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

int channel_send_files(int fd, enum channel_message message, const int *files, unsigned count)
{
    uint8_t byte = (uint8_t)message;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(CHANNEL_FILES_MAX * sizeof(int))] = {0};
    struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};

    if (count > 0) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(rights), files, count * sizeof(int));
    }
    return sendmsg(fd, &header, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int channel_send(int fd, enum channel_message message)
{
    return channel_send_files(fd, message, NULL, 0);
}

static void close_files(int *files, unsigned *count)
{
    while (*count > 0)
        close(files[--*count]);
}

static void take_files(struct msghdr *header, int *files, unsigned *count)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        *count = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(files, CMSG_DATA(part), *count * sizeof(int));
    }
}

int channel_receive_files(int fd, enum channel_message *message, int files[static CHANNEL_FILES_MAX], unsigned *count)
{
    for (unsigned skipped = 0; skipped < SKIPPED_MAX;) {
        uint8_t byte;
        struct iovec data = {.iov_base = &byte, .iov_len = 1};
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(CHANNEL_FILES_MAX * sizeof(int))];
        struct msghdr header = {
            .msg_iov = &data,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof(control), /* the kernel closes files that find no room */
        };
        ssize_t got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

        *count = 0;
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? -EAGAIN : 0;
        take_files(&header, files, count);
        if (byte >= CHANNEL_MESSAGE_COUNT) {
            close_files(files, count);
            skipped++;
            continue;
        }
        *message = (enum channel_message)byte;
        return 1;
    }
    return -EAGAIN;
}

int channel_receive(int fd, enum channel_message *message)
{
    int files[CHANNEL_FILES_MAX];
    unsigned count;
    int result = channel_receive_files(fd, message, files, &count);

    close_files(files, &count);
    return result;
}
