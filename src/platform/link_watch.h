/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether interfaces of this host are up, by name, whatever they are otherwise used for: a descriptor that wakes up
 * when any link changes, and a question. Nothing that the kernel sends is read, so nothing can be missed or forged.
 */
#ifndef EVENKEEL_PLATFORM_LINK_WATCH_H
#define EVENKEEL_PLATFORM_LINK_WATCH_H

#include <stdbool.h>

/* The descriptor, or a negative errno; the caller closes it. */
int link_watch_open(void);
/* After it became readable. */
void link_watch_drain(int fd);
/* Whether the interface exists, is up and has a carrier. `fd`: as opened. */
bool link_watch_is_up(int fd, const char *name);

#endif
