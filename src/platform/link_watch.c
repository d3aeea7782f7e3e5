/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See link_watch.h. The kernel's messages only wake; the state is asked for, under no lock. Called by tracking.c and
 * rival.c. */
#include "platform/link_watch.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int link_watch_open(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
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

/* Only what is there, and no longer tentative, can be bound to. */
bool link_watch_has_address(const struct addr *address, const char *interface)
{
    bool ipv4 = address->family == FAMILY_IPV4;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex(interface)};
    int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return true; /* nobody knows */
    memcpy(&in.sin_addr, address->bytes, sizeof(in.sin_addr));
    memcpy(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr));
    int error = ipv4 ? bind(fd, (const struct sockaddr *)(const void *)&in, sizeof(in))
                     : bind(fd, (const struct sockaddr *)(const void *)&in6, sizeof(in6));
    bool there = error == 0 || errno != EADDRNOTAVAIL;

    close(fd);
    return there;
}

bool link_watch_is_own_mac(const uint8_t mac[6])
{
    struct ifaddrs *all;
    bool found = false;

    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *one = all; one != NULL && !found; one = one->ifa_next) {
        const struct sockaddr_ll *address = (const struct sockaddr_ll *)(const void *)one->ifa_addr;

        found = address != NULL && address->sll_family == AF_PACKET && address->sll_halen == 6 &&
                memcmp(address->sll_addr, mac, 6) == 0;
    }
    freeifaddrs(all);
    return found;
}
