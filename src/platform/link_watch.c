/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See link_watch.h. The kernel's messages only wake; the state is asked for, under no lock. Called by tracking.c. */
#include "platform/link_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int link_watch_open(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0)
        return fd;
    int error = errno;

    close(fd);
    return -error;
}

void link_watch_drain(int fd)
{
    uint8_t buffer[4096];

    while (recv(fd, buffer, sizeof(buffer), MSG_TRUNC) > 0 || errno == ENOBUFS || errno == EINTR)
        ;
}

bool link_watch_is_up(int fd, const char *name)
{
    struct ifreq request = {0};

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0 &&
           (request.ifr_flags & IFF_RUNNING) != 0;
}
