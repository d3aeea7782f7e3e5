/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See packet_group.h. */
#include "platform/packet_group.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void packet_groups_init(struct packet_groups *groups, int ifindex)
{
    *groups = (struct packet_groups){.ifindex = ifindex};
}

static int change_ipv4(int fd, int ifindex, const struct addr *group, bool join)
{
    struct ip_mreqn request = {.imr_ifindex = ifindex};

    memcpy(&request.imr_multiaddr, group->bytes, sizeof(request.imr_multiaddr));
    return setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof(request));
}

static int change_ipv6(int fd, int ifindex, const struct addr *group, bool join)
{
    struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)ifindex};

    memcpy(&request.ipv6mr_multiaddr, group->bytes, sizeof(request.ipv6mr_multiaddr));
    return setsockopt(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request, sizeof(request));
}

/* 0 or a negative errno. */
static int change(const struct packet_groups *groups, int fd, const struct addr *group, bool join)
{
    int result = group->family == FAMILY_IPV4 ? change_ipv4(fd, groups->ifindex, group, join)
                                              : change_ipv6(fd, groups->ifindex, group, join);

    return result < 0 ? -errno : 0;
}

/* On a new socket, bound to no port: nothing can ever be delivered to it. The descriptor or a negative errno. */
static int join_anew(const struct packet_groups *groups, const struct addr *group)
{
    int fd = socket(group->family == FAMILY_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? -errno : change(groups, fd, group, true);

    if (error < 0 && fd >= 0)
        close(fd);
    return error < 0 ? error : fd;
}

/* On the newest socket that has room for it, else on another one. Likewise. */
static int join(const struct packet_groups *groups, const struct addr *group)
{
    int tried = -1;

    for (unsigned i = groups->count; i-- > 0;) {
        const struct packet_membership *other = &groups->list[i];

        if (other->group.family != group->family || other->fd == tried)
            continue;
        tried = other->fd;
        int error = change(groups, tried, group, true);

        if (error != -ENOBUFS && error != -ENOMEM)
            return error < 0 ? error : tried;
    }
    return join_anew(groups, group);
}

int packet_groups_join(struct packet_groups *groups, const struct addr *group)
{
    for (unsigned i = 0; i < groups->count; i++)
        if (addr_equal(&groups->list[i].group, group))
            return 0;
    struct packet_membership *grown = realloc(groups->list, (groups->count + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    groups->list = grown;
    int fd = join(groups, group);

    if (fd < 0)
        return fd;
    grown[groups->count++] = (struct packet_membership){.group = *group, .fd = fd};
    return 0;
}

static bool is_used(const struct packet_groups *groups, int fd)
{
    for (unsigned i = 0; i < groups->count; i++)
        if (groups->list[i].fd == fd)
            return true;
    return false;
}

/* Takes the last one of the list; its socket goes with the last of its groups. */
static void drop_last(struct packet_groups *groups)
{
    const struct packet_membership *last = &groups->list[--groups->count];

    if (is_used(groups, last->fd))
        (void)change(groups, last->fd, &last->group,
                     false); /* fails when the interface is gone, and the group with it */
    else
        close(last->fd);
}

void packet_groups_leave(struct packet_groups *groups, bool (*is_wanted)(void *context, const struct addr *group),
                         void *context)
{
    for (unsigned i = groups->count; i-- > 0;) {
        struct packet_membership unwanted = groups->list[i];

        if (is_wanted(context, &unwanted.group))
            continue;
        memmove(&groups->list[i], &groups->list[i + 1], (groups->count - 1 - i) * sizeof(unwanted));
        groups->list[groups->count - 1] = unwanted;
        drop_last(groups);
    }
}

void packet_groups_close(struct packet_groups *groups)
{
    while (groups->count > 0)
        drop_last(groups);
    free(groups->list);
    groups->list = NULL;
}
