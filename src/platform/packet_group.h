/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The multicast groups that a port is in. They need an ordinary socket, which nothing is ever delivered to, and of IPv4
 * groups a socket takes only so many (net.ipv4.igmp_max_memberships, 20): there is another one for the rest. packet.c's
 * other half; nobody else calls it.
 */
#ifndef EVENKEEL_PLATFORM_PACKET_GROUP_H
#define EVENKEEL_PLATFORM_PACKET_GROUP_H

#include <stdbool.h>

#include "base/addr.h"

struct packet_membership {
    struct addr group;
    int fd; /* shared with other groups of the family */
};

struct packet_groups {
    int ifindex;
    unsigned count;
    struct packet_membership *list;
};

void packet_groups_init(struct packet_groups *groups, int ifindex);
void packet_groups_close(struct packet_groups *groups);

/* 0 or a negative errno. That it is joined already is success. */
int packet_groups_join(struct packet_groups *groups, const struct addr *group);
/* Leaves those that are not wanted, and closes sockets that hold none any more. */
void packet_groups_leave(struct packet_groups *groups, bool (*is_wanted)(void *context, const struct addr *group),
                         void *context);

#endif
