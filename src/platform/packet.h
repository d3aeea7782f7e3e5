/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames in and out of one interface: an AF_PACKET socket with a BPF filter (VRRP, ARP, neighbour advertisements;
 * PACKET_IGNORE_OUTGOING), and ordinary sockets that join the VRRP groups. Sending goes over AF_PACKET,
 * so that source MAC and egress hook are ours to choose. Frames are built and read by frame.h; meaning is not known
 * here.
 */
#ifndef EVENKEEL_PLATFORM_PACKET_H
#define EVENKEEL_PLATFORM_PACKET_H

#include <stddef.h>

#include "base/addr.h"
#include "base/mono.h"

#define PACKET_FRAME_MAX 1514 /* Ethernet header and an MTU of 1500 */
#define PACKET_BATCH 64       /* frames per system call */

struct packet_port;

struct packet_in {
    const uint8_t *frame; /* from the Ethernet header; valid until the next packet_receive on this port */
    size_t length;
    struct mono received; /* the kernel's time stamp */
};

struct packet_stats {
    uint64_t frames_in, frames_out;
    uint64_t send_errors;  /* refused by the kernel: link down, queue full, too long, or dropped by the egress hook */
    uint64_t kernel_drops; /* arrived, but the receive buffer was full */
    uint64_t truncated;    /* longer than a receive slot; the beginning was handed on */
};

/* Opens a port on `ifindex`. 0 or a negative errno (-EPERM: CAP_NET_RAW is missing). */
int packet_open(int ifindex, struct packet_port **out);
/*
 * Joins the family's VRRP group where packet_open could not (IPv6 was still disabled, say). No effect when it is
 * joined. 0 or a negative errno. Call it again whenever the link's state changed.
 */
int packet_join(struct packet_port *port, enum family family);
/*
 * Joins another multicast group (an instance's own), any number of them. 0 or a negative errno. No effect when it is
 * joined.
 */
int packet_join_group(struct packet_port *port, const struct addr *group);
/* Leaves those that are not wanted (any more), but never the VRRP groups. */
void packet_leave_groups(struct packet_port *port, bool (*is_wanted_group)(void *context, const struct addr *group),
                         void *context);
void packet_close(struct packet_port *port);
int packet_fd(const struct packet_port *port);

/*
 * Up to `max` (<= PACKET_BATCH) frames by one recvmmsg, without blocking. Returns their number, 0 when none waits, or a
 * negative errno. -ENETDOWN tells once that the link went down; the port works again when the link is up.
 */
int packet_receive(struct packet_port *port, struct mono now, struct packet_in *in, unsigned max);

/* Queues one frame (copied). When the queue (256 frames) is full it is flushed first. */
void packet_queue(struct packet_port *port, const uint8_t *frame, size_t length);
/* Sends what is queued by sendmmsg. What the kernel refuses is counted and dropped: nothing is ever sent late. */
void packet_flush(struct packet_port *port);
/* Forgets what is queued, since it was true too long ago. Returns the number of frames. */
unsigned packet_discard(struct packet_port *port);

/*
 * Shows the packet (from its IP header on) to the egress hook, where a unicast instance's own advertisement renews its
 * lease (platform/packet_ip.h): a frame to nobody, which the instances' filter drops. To be called only where that
 * filter's mode is FILTER_LEASE, after the packet itself was sent. 0 or a negative errno, as -ENETDOWN: the lease was
 * not renewed.
 */
int packet_renew(struct packet_port *port, const uint8_t mac[6], const uint8_t *packet, size_t length);

void packet_get_stats(struct packet_port *port, struct packet_stats *out);
/* The same, on top of what *sum has. */
void packet_add_stats(struct packet_port *port, struct packet_stats *sum);
/* Of these the one that every turn wants, without a system call. */
uint64_t packet_send_errors(const struct packet_port *port);

#endif
