/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of a port. ETH_P_ALL, because it alone sees advertisements however macvlans sit on the interface, and
 * sees them before any filter table does; a BPF program lets through only what frame_read() knows. Options that make
 * things better but are not needed are tried and not insisted on: containers refuse some of them.
 */
#include "platform/packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/frame_layout.h"

/* Room for 500 advertisements at once, also where the driver hands up every frame in 4 KiB of memory; doubled by the
 * kernel. */
#define RECEIVE_BUFFER (2 << 20)
/* A flush of 256 frames, which count about 800 bytes each until the driver has sent them. */
#define SEND_BUFFER (1 << 20)

#define ACCEPT 18
#define DROP 19
/* A jump's offset counts from the next instruction. */
#define TO(label, here) ((uint8_t)((label) - (here)-1))
#define LOAD_BYTE(offset) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(offset))
#define LOAD_HALF(offset) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)(offset))
#define LOAD_WORD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define IF_EQUAL(here, value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), TO(yes, here), TO(no, here))

/*
 * VRRP over either family, ARP, and neighbour advertisements; nothing that we sent, nothing of a VLAN on top (a tag
 * with VLAN 0 is only a priority). A load past the frame's end drops it. ICMPv6 behind extension headers is not looked
 * for: no neighbour advertisement has any.
 */
static const struct sock_filter FILTER[] = {
    [0] = LOAD_WORD(SKF_AD_OFF + SKF_AD_PKTTYPE),
    [1] = IF_EQUAL(1, PACKET_OUTGOING, DROP, 2),
    [2] = LOAD_WORD(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
    [3] = IF_EQUAL(3, 0, 7, 4),
    [4] = LOAD_WORD(SKF_AD_OFF + SKF_AD_VLAN_TAG),
    [5] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
    [6] = IF_EQUAL(6, 0, 7, DROP),
    [7] = LOAD_HALF(12),
    [8] = IF_EQUAL(8, ETH_P_ARP, ACCEPT, 9),
    [9] = IF_EQUAL(9, ETH_P_IP, 10, 12),
    [10] = LOAD_BYTE(ETH_HLEN + 9), /* protocol */
    [11] = IF_EQUAL(11, PROTOCOL_VRRP, ACCEPT, DROP),
    [12] = IF_EQUAL(12, ETH_P_IPV6, 13, DROP),
    [13] = LOAD_BYTE(ETH_HLEN + 6), /* next header */
    [14] = IF_EQUAL(14, PROTOCOL_VRRP, ACCEPT, 15),
    [15] = IF_EQUAL(15, PROTOCOL_ICMPV6, 16, DROP),
    [16] = LOAD_BYTE(ETH_HLEN + 40), /* ICMPv6 type */
    [17] = IF_EQUAL(17, ND_ADVERT, ACCEPT, DROP),
    [ACCEPT] = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    [DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
};

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static void set_buffer(int fd, int force_option, int option, int bytes)
{
    if (set_option(fd, SOL_SOCKET, force_option, bytes) < 0)
        set_option(fd, SOL_SOCKET, option, bytes); /* as far as net.core.[rw]mem_max lets us */
}

static int bind_to_link(int fd, int ifindex)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};

    return bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int configure(int fd, int ifindex)
{
    struct sock_fprog program = {.len = ARRAY_LENGTH(FILTER), .filter = (struct sock_filter *)(uintptr_t)FILTER};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
        return -errno;

    int error = set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);

    if (error < 0)
        return error;
    /* The filter drops our own frames as well, but this saves the kernel a copy of each (Linux 4.20). */
    set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
    /* Ahead of bulk traffic in the interface's queue. PACKET_QDISC_BYPASS would be ahead of it too, but would then lose
     * frames when the driver's ring is full instead of queueing them. */
    set_option(fd, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL);
    return bind_to_link(fd, ifindex);
}

int packet_socket_open(int ifindex)
{
    /* Protocol 0: nothing is received before the filter is in place and bind() names the protocol. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;

    int error = configure(fd, ifindex);

    if (error < 0) {
        close(fd);
        return error;
    }
    return fd;
}
