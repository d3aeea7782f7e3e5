/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw sockets for unicast, see packet_ip.h. Called by the daemon. */
#include "platform/packet_ip.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/frame_layout.h"

struct packet_ip {
    int ipv4, ipv6; /* or a negative errno */
};

static int configure(int fd, int level, int header_included)
{
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {.len = ARRAY_LENGTH(nothing), .filter = nothing};
    const int on = 1, priority = TC_PRIO_CONTROL;

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
        setsockopt(fd, level, header_included, &on, sizeof(on)) < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
    return 0;
}

/* The socket or a negative errno. */
static int socket_open(int af)
{
    int fd = socket(af, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, PROTOCOL_VRRP);

    if (fd < 0)
        return -errno;
    int error = af == AF_INET ? configure(fd, IPPROTO_IP, IP_HDRINCL) : configure(fd, IPPROTO_IPV6, IPV6_HDRINCL);

    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int packet_ip_open(struct packet_ip **out)
{
    struct packet_ip *ip = calloc(1, sizeof(*ip));

    *out = NULL;
    if (!ip)
        return -ENOMEM;
    ip->ipv4 = socket_open(AF_INET);
    ip->ipv6 = socket_open(AF_INET6);
    if (ip->ipv4 < 0 && ip->ipv6 < 0) {
        int error = ip->ipv4;

        free(ip);
        return error;
    }
    *out = ip;
    return 0;
}

void packet_ip_close(struct packet_ip *ip)
{
    if (!ip)
        return;
    if (ip->ipv4 >= 0)
        close(ip->ipv4);
    if (ip->ipv6 >= 0)
        close(ip->ipv6);
    free(ip);
}

/* One message; where `info` says by which interface it shall go. */
static int send_by(int fd, void *to, socklen_t to_length, const uint8_t *packet, size_t length, struct cmsghdr *info,
                   size_t info_length)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)packet, .iov_len = length};
    const struct msghdr message = {
        .msg_name = to,
        .msg_namelen = to_length,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = info,
        .msg_controllen = info_length,
    };

    if (fd < 0)
        return fd;
    return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_ipv4(const struct packet_ip *ip, int ifindex, const uint8_t *packet, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const struct in_pktinfo by = {.ipi_ifindex = ifindex};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(by))];
    } info = {.head = {.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(by))}};

    memcpy(&to.sin_addr, packet + offsetof(struct iphdr, daddr), sizeof(to.sin_addr));
    memcpy(CMSG_DATA(&info.head), &by, sizeof(by));
    return send_by(ip->ipv4, &to, sizeof(to), packet, length, &info.head, ifindex ? sizeof(info) : 0);
}

static int send_ipv6(const struct packet_ip *ip, int ifindex, const uint8_t *packet, size_t length)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex};
    const struct in6_pktinfo by = {.ipi6_ifindex = (unsigned)ifindex};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(by))];
    } info = {.head = {.cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(by))}};

    memcpy(&to.sin6_addr, packet + offsetof(struct ip6_hdr, ip6_dst), sizeof(to.sin6_addr));
    memcpy(CMSG_DATA(&info.head), &by, sizeof(by));
    return send_by(ip->ipv6, &to, sizeof(to), packet, length, &info.head, ifindex ? sizeof(info) : 0);
}

int packet_ip_send(const struct packet_ip *ip, int ifindex, const uint8_t *packet, size_t length)
{
    if (length >= sizeof(struct iphdr) && packet[0] >> 4 == 4)
        return send_ipv4(ip, ifindex, packet, length);
    if (length >= sizeof(struct ip6_hdr) && packet[0] >> 4 == 6)
        return send_ipv6(ip, ifindex, packet, length);
    return -EINVAL;
}
