/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port's traffic: batches in, batches out, and what was lost. The sockets are made by packet_socket.c; the daemon
 * opens one port per link, reads it when it is readable and flushes once per turn of its loop.
 *
 * Memory: the receive slots are touched only as far as bursts fill them; frames to be sent lie packed, since nearly all
 * of them are shorter than 60 bytes.
 */
#include "platform/packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/frame.h"
#include "platform/packet_group.h"
#include "platform/packet_socket.h"

#define QUEUE_FRAMES 256
#define QUEUE_BYTES (32 * 1024)
#define SLOT_BYTES                                                                                                     \
    1600 /* more than PACKET_FRAME_MAX: a longer frame (jumbo MTU) is noticed, not mistaken for a short one */

union stamp_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct timespec))];
};

struct packet_port {
    int fd;
    struct packet_groups groups;
    struct packet_stats stats;
    unsigned queued;     /* frames */
    size_t queued_bytes; /* of `queue` */
    uint16_t lengths[QUEUE_FRAMES];
    uint8_t queue[QUEUE_BYTES];
    union stamp_control stamps[PACKET_BATCH];
    uint8_t slots[PACKET_BATCH][SLOT_BYTES];
};

int packet_open(int ifindex, struct packet_port **out)
{
    struct packet_port *port = calloc(1, sizeof(*port));

    *out = NULL;
    if (!port)
        return -ENOMEM;
    packet_groups_init(&port->groups, ifindex);
    port->fd = packet_socket_open(ifindex);
    if (port->fd < 0) {
        int error = port->fd;

        free(port);
        return error;
    }
    packet_join(port, FAMILY_IPV4);
    packet_join(port, FAMILY_IPV6);
    *out = port;
    return 0;
}

static const struct addr VRRP_GROUPS[] = {
    {.family = FAMILY_IPV4, .bytes = {224, 0, 0, 18}},
    {.family = FAMILY_IPV6, .bytes = {0xff, 0x02, [15] = 0x12}},
};

int packet_join(struct packet_port *port, enum family family)
{
    CHECK(family != FAMILY_NONE);
    return packet_groups_join(&port->groups, &VRRP_GROUPS[family == FAMILY_IPV4 ? 0 : 1]);
}

int packet_join_group(struct packet_port *port, const struct addr *group)
{
    return packet_groups_join(&port->groups, group);
}

struct wanted {
    bool (*is_wanted)(void *context, const struct addr *group);
    void *context;
};

static bool is_wanted(void *context, const struct addr *group)
{
    const struct wanted *wanted = context;

    return addr_equal(group, &VRRP_GROUPS[0]) || addr_equal(group, &VRRP_GROUPS[1]) ||
           wanted->is_wanted(wanted->context, group);
}

void packet_leave_groups(struct packet_port *port, bool (*is_wanted_group)(void *context, const struct addr *group),
                         void *context)
{
    struct wanted wanted = {is_wanted_group, context};

    packet_groups_leave(&port->groups, is_wanted, &wanted);
}

void packet_close(struct packet_port *port)
{
    if (!port)
        return;
    packet_groups_close(&port->groups);
    close(port->fd);
    free(port);
}

int packet_fd(const struct packet_port *port)
{
    return port->fd;
}

static struct mono received_at(struct msghdr *header, struct mono now)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        struct timespec stamp;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS || c->cmsg_len < CMSG_LEN(sizeof(stamp)))
            continue;
        memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
        return clock_from_realtime(stamp, now);
    }
    return now;
}

static void prepare_slots(struct packet_port *port, struct mmsghdr *messages, struct iovec *pieces, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pieces[i] = (struct iovec){.iov_base = port->slots[i], .iov_len = SLOT_BYTES};
        messages[i] = (struct mmsghdr){.msg_hdr = {
                                           .msg_iov = &pieces[i],
                                           .msg_iovlen = 1,
                                           .msg_control = port->stamps[i].bytes,
                                           .msg_controllen = sizeof(port->stamps[i].bytes),
                                       }};
    }
}

int packet_receive(struct packet_port *port, struct mono now, struct packet_in *in, unsigned max)
{
    struct mmsghdr messages[PACKET_BATCH];
    struct iovec pieces[PACKET_BATCH];
    unsigned wanted = max < PACKET_BATCH ? max : PACKET_BATCH;

    prepare_slots(port, messages, pieces, wanted);

    int count = recvmmsg(port->fd, messages, wanted, MSG_DONTWAIT, NULL);

    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        size_t length = messages[i].msg_len;

        /* Of a frame that is too long the beginning is still handed on: VRRP and ARP are complete in it. */
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            port->stats.truncated++;
        in[i] = (struct packet_in){
            .frame = port->slots[i],
            .length = length < SLOT_BYTES ? length : SLOT_BYTES,
            .received = received_at(&messages[i].msg_hdr, now),
        };
    }
    port->stats.frames_in += (unsigned)count;
    return count;
}

void packet_queue(struct packet_port *port, const uint8_t *frame, size_t length)
{
    if (length == 0 || length > PACKET_FRAME_MAX) {
        port->stats.send_errors++;
        return;
    }
    if (port->queued == QUEUE_FRAMES || length > QUEUE_BYTES - port->queued_bytes)
        packet_flush(port);
    memcpy(port->queue + port->queued_bytes, frame, length);
    port->lengths[port->queued++] = (uint16_t)length;
    port->queued_bytes += length;
}

/* Errors of one frame only; every other one (ENETDOWN, ENXIO, EAGAIN: the buffer is full) meets the following frames
 * too. */
static bool concerns_one_frame(int error)
{
    /* A drop by the egress hook or the queue shows as ENOBUFS. */
    return error == ENOBUFS || error == EMSGSIZE;
}

/* Sends `count` messages. Returns how many are dealt with: sent, or refused one by one; fewer when the rest is
 * hopeless. */
static unsigned send_batch(struct packet_port *port, struct mmsghdr *messages, unsigned count)
{
    unsigned done = 0;

    while (done < count) {
        int sent = sendmmsg(port->fd, messages + done, count - done, MSG_DONTWAIT);

        if (sent > 0) {
            port->stats.frames_out += (unsigned)sent;
            done += (unsigned)sent;
        } else if (sent < 0 && errno == EINTR) {
            continue;
        } else if (sent < 0 && concerns_one_frame(errno)) {
            port->stats.send_errors++;
            done++;
        } else {
            break;
        }
    }
    return done;
}

void packet_flush(struct packet_port *port)
{
    struct mmsghdr messages[PACKET_BATCH];
    struct iovec pieces[PACKET_BATCH];
    size_t offset = 0;

    for (unsigned done = 0; done < port->queued;) {
        unsigned count = 0;

        for (; count < PACKET_BATCH && done + count < port->queued; count++) {
            pieces[count] = (struct iovec){.iov_base = port->queue + offset, .iov_len = port->lengths[done + count]};
            messages[count] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[count], .msg_iovlen = 1}};
            offset += port->lengths[done + count];
        }

        unsigned handled = send_batch(port, messages, count);

        done += handled;
        if (handled < count) {
            port->stats.send_errors += port->queued - done;
            break;
        }
    }
    port->queued = 0;
    port->queued_bytes = 0;
}

int packet_renew(struct packet_port *port, const uint8_t mac[6], const uint8_t *packet, size_t length)
{
    uint8_t frame[FRAME_MAX];
    size_t frame_length = frame_to_nobody(mac, packet, length, frame, sizeof(frame));

    if (frame_length == 0)
        return -EMSGSIZE;
    /* The hook's drop shows as ENOBUFS. */
    if (send(port->fd, frame, frame_length, MSG_DONTWAIT) < 0 && errno != ENOBUFS)
        return -errno;
    return 0;
}

unsigned packet_discard(struct packet_port *port)
{
    unsigned count = port->queued;

    port->queued = 0;
    port->queued_bytes = 0;
    return count;
}

uint64_t packet_send_errors(const struct packet_port *port)
{
    return port->stats.send_errors;
}

void packet_get_stats(struct packet_port *port, struct packet_stats *out)
{
    struct tpacket_stats kernel;
    socklen_t length = sizeof(kernel);

    /* The kernel's counters start over each time they are read. */
    if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length) == 0)
        port->stats.kernel_drops += kernel.tp_drops;
    *out = port->stats;
}

void packet_add_stats(struct packet_port *port, struct packet_stats *sum)
{
    struct packet_stats stats;

    packet_get_stats(port, &stats);
    sum->frames_in += stats.frames_in;
    sum->frames_out += stats.frames_out;
    sum->send_errors += stats.send_errors;
    sum->kernel_drops += stats.kernel_drops;
    sum->truncated += stats.truncated;
}
