/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether interfaces of this host are up, by name, whatever they are otherwise used for, and whether it has an address:
 * a descriptor that wakes up when any link or address changes, and questions. Nothing that the kernel sends is read, so
 * nothing can be missed or forged.
 */
#ifndef EVENKEEL_PLATFORM_LINK_WATCH_H
#define EVENKEEL_PLATFORM_LINK_WATCH_H

#include <stdbool.h>

#include "base/addr.h"

/* The descriptor, or a negative errno; the caller closes it. */
int link_watch_open(void);
/* After it became readable. */
void link_watch_drain(int fd);
/* Whether the interface exists, is up and has a carrier. `fd`: as opened. */
bool link_watch_is_up(int fd, const char *name);
/* Whether packets can be sent from the address; a link-local one: on that interface. */
bool link_watch_has_address(const struct addr *address, const char *interface);
/* Whether any interface of this network namespace has this Ethernet address. */
bool link_watch_is_own_mac(const uint8_t mac[6]);

#endif
