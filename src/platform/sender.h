/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that can only send: finished Ethernet frames on any interface. For the guard, which must never read from the
 * network; protocol 0 means that the kernel hands it nothing. The worker's ports are packet.h's.
 */
#ifndef EVENKEEL_PLATFORM_SENDER_H
#define EVENKEEL_PLATFORM_SENDER_H

#include <stddef.h>
#include <stdint.h>

/* Opens it. The descriptor or a negative errno (-EPERM: CAP_NET_RAW is missing). */
int sender_open(void);

/* Sends one frame, from its Ethernet header on, without blocking. 0 or a negative errno. */
int sender_send(int fd, int ifindex, const uint8_t *frame, size_t length);

void sender_close(int fd);

#endif
