/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's end of one interface: an AF_PACKET socket with a BPF filter (ARP, echo replies, neighbour
 * advertisements), the kernel's receive times, and sendmmsg. Frames are bytes here; witness_frame knows what they mean.
 */
#ifndef EVENKEEL_CTL_WITNESS_PORT_H
#define EVENKEEL_CTL_WITNESS_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mono.h"
#include "ctl/witness_frame.h"

#define WITNESS_PORT_BATCH 64 /* frames per system call */

struct witness_port {
    char name[16];
    int fd;
    uint8_t mac[6];
    struct addr ipv4;                              /* first address of the interface, or none */
    struct addr ipv6;                              /* first global address, or none */
    struct addr link_local;                        /* or none */
    uint64_t sent, send_errors, received, dropped; /* frames; dropped: by the kernel, for want of room */
    unsigned queued;
    size_t queue_length[WITNESS_PORT_BATCH];
    uint8_t queue[WITNESS_PORT_BATCH][WITNESS_FRAME_MAX];
};

/* Opens `name`. 0 or a negative errno (-EPERM: CAP_NET_RAW is missing; -ENODEV: no such Ethernet interface). */
int witness_port_open(struct witness_port *port, const char *name);
void witness_port_close(struct witness_port *port);

/* Room for the next frame; sends the queue first when it is full. Fill it, then witness_port_queued(its length). */
uint8_t *witness_port_next(struct witness_port *port);
void witness_port_queued(struct witness_port *port, size_t length);
void witness_port_flush(struct witness_port *port);

typedef void witness_port_frame(void *context, const uint8_t *frame, size_t length, struct mono received);

/* Hands every waiting frame to `take`, without blocking. */
void witness_port_receive(struct witness_port *port, witness_port_frame *take, void *context);

/* Adds what the kernel has dropped since the last call to port->dropped. */
void witness_port_count_drops(struct witness_port *port);

#endif
