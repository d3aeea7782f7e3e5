/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The send-only packet socket (see sender.h). It owns the descriptor's making; what is sent is the caller's business.
 */
#include "platform/sender.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

int sender_open(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

int sender_send(int fd, int ifindex, const uint8_t *frame, size_t length)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};

    if (sendto(fd, frame, length, MSG_DONTWAIT, (const struct sockaddr *)(const void *)&to, sizeof(to)) < 0)
        return -errno;
    return 0;
}

void sender_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
