/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AF_PACKET for the witness. Owns the socket and its send queue; what the frames mean is known to witness_frame.c.
 * Called by witness.c and witness_probe.c.
 */
#include "ctl/witness_port.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"

#define RECEIVE_BUFFER (16 * 1024 * 1024) /* a second of answers for 240 addresses while the witness does not run */
#define CONTROL_LENGTH 64

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* ARP, echo replies of both families, neighbour advertisements: tcpdump -d of that, less the rare headers. */
static int attach_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 12, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 0, 10),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, 14),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 129, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, WITNESS_FRAME_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = ARRAY_LENGTH(code), .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int set_options(int fd)
{
    const int one = 1;
    const int room = RECEIVE_BUFFER;

    if (attach_filter(fd) < 0)
        return -1;
    /* Forcing past net.core.rmem_max needs CAP_NET_ADMIN, which the witness can do without. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) < 0)
        return -1;
    return setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
}

static int find_mac(int fd, const char *name, uint8_t mac[6])
{
    struct ifreq request = {0};

    strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
    if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        return -1;
    if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        errno = ENODEV;
        return -1;
    }
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    return 0;
}

static void take_first(struct addr *slot, enum family family, const void *bytes)
{
    if (addr_is_none(slot))
        *slot = addr_from_bytes(family, bytes);
}

static void find_addresses(struct witness_port *port)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || strcmp(i->ifa_name, port->name) != 0)
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            take_first(&port->ipv4, FAMILY_IPV4, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr);
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr;

            take_first(IN6_IS_ADDR_LINKLOCAL(a) ? &port->link_local : &port->ipv6, FAMILY_IPV6, a->s6_addr);
        }
    }
    freeifaddrs(all);
}

static int open_socket(const char *name, uint8_t mac[6])
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(name),
    };
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error;

    if (fd < 0)
        return -errno;
    if (address.sll_ifindex == 0)
        errno = ENODEV;
    else if (find_mac(fd, name, mac) == 0 && set_options(fd) == 0 &&
             bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

int witness_port_open(struct witness_port *port, const char *name)
{
    *port = (struct witness_port){.fd = -1};
    if (strlen(name) >= sizeof(port->name))
        return -ENODEV;
    memcpy(port->name, name, strlen(name));
    const int fd = open_socket(name, port->mac);

    if (fd < 0)
        return fd;
    port->fd = fd;
    find_addresses(port);
    return 0;
}

void witness_port_close(struct witness_port *port)
{
    if (port->fd >= 0)
        close(port->fd);
    port->fd = -1;
}

uint8_t *witness_port_next(struct witness_port *port)
{
    if (port->queued == WITNESS_PORT_BATCH)
        witness_port_flush(port);
    return port->queue[port->queued];
}

void witness_port_queued(struct witness_port *port, size_t length)
{
    CHECK(length > 0 && length <= WITNESS_FRAME_MAX);
    port->queue_length[port->queued++] = length;
}

void witness_port_flush(struct witness_port *port)
{
    struct mmsghdr messages[WITNESS_PORT_BATCH] = {0};
    struct iovec pieces[WITNESS_PORT_BATCH];
    unsigned done = 0;

    for (unsigned i = 0; i < port->queued; i++) {
        pieces[i] = (struct iovec){.iov_base = port->queue[i], .iov_len = port->queue_length[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    while (done < port->queued) {
        const int sent = sendmmsg(port->fd, messages + done, port->queued - done, 0);

        if (sent <= 0) {
            /* The frame that was refused is given up, so that one bad frame does not hold up the rest. */
            port->send_errors++;
            done++;
            continue;
        }
        port->sent += (unsigned)sent;
        done += (unsigned)sent;
    }
    port->queued = 0;
}

static struct mono stamp_of(struct msghdr *header, struct mono now)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;

            memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
            return clock_from_realtime(stamp, now);
        }
    }
    return now;
}

static int receive_batch(struct witness_port *port, witness_port_frame *take, void *context)
{
    _Alignas(struct cmsghdr) uint8_t controls[WITNESS_PORT_BATCH][CONTROL_LENGTH];
    uint8_t frames[WITNESS_PORT_BATCH][WITNESS_FRAME_MAX];
    struct mmsghdr messages[WITNESS_PORT_BATCH] = {0};
    struct iovec pieces[WITNESS_PORT_BATCH];

    for (unsigned i = 0; i < WITNESS_PORT_BATCH; i++) {
        pieces[i] = (struct iovec){.iov_base = frames[i], .iov_len = sizeof(frames[i])};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &pieces[i], .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = sizeof(controls[i])};
    }
    const int count = recvmmsg(port->fd, messages, WITNESS_PORT_BATCH, MSG_DONTWAIT, NULL);
    const struct mono now = clock_now();

    for (int i = 0; i < count; i++)
        take(context, frames[i], messages[i].msg_len, stamp_of(&messages[i].msg_hdr, now));
    port->received += count > 0 ? (unsigned)count : 0;
    return count;
}

void witness_port_receive(struct witness_port *port, witness_port_frame *take, void *context)
{
    while (receive_batch(port, take, context) == WITNESS_PORT_BATCH)
        ;
}

void witness_port_count_drops(struct witness_port *port)
{
    struct tpacket_stats stats;
    socklen_t length = sizeof(stats);

    if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
        port->dropped += stats.tp_drops;
}
