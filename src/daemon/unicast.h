/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advertisements to single peers: packets that wait for the end of a turn and then go through the IP stack, all of a
 * unit's one after the other. What renews the kernel's lease is said to the egress hook beside it
 * (platform/packet_ip.h). Called by apply.c.
 */
#ifndef EVENKEEL_DAEMON_UNICAST_H
#define EVENKEEL_DAEMON_UNICAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unicast;

/* 0 or a negative errno. */
int unicast_open(struct unicast **out);
void unicast_close(struct unicast *unicast); /* NULL is allowed */

/* Queues one packet of a unit (copied), from its IP header on. `ifindex` 0: wherever routing leads. False: no memory.
 */
bool unicast_queue(struct unicast *unicast, unsigned pool, unsigned unit, int ifindex, const uint8_t *packet,
                   size_t length);

/*
 * All packets of one unit are sent: `sent` of them were taken. One of them is shown. `said`: it counts as said, since
 * one was taken, or all were refused because no peer can be reached: whoever is alone goes on serving.
 */
typedef void unicast_done(void *context, unsigned pool, unsigned unit, unsigned sent, bool said, const uint8_t *packet,
                          size_t length);
/* Sends what is queued; `stale`: forgets it instead, and none was taken. How many were not. */
unsigned unicast_flush(struct unicast *unicast, bool stale, unicast_done *done, void *context);

#endif
