/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another host that has this host's own IPv4 address and speaks VRRP from it: a mistake in a file, or a copied machine.
 * To everybody, and to the two themselves, their advertisements are those of one router, so neither of them would ever
 * yield. One of them has to take no part. (IPv6: duplicate address detection sees to link-local addresses.)
 *
 * When an advertisement from the own address comes back, which in a LAN without loops never happens, this host asks by
 * ARP who has the address. An answer from a MAC that is none of this host's is a rival. Who has said nothing yet since
 * it started gives way, of two that speak the one with the lower MAC, for as long as the other is heard and answers: to
 * the core it has no address then. A host that has the address but speaks no VRRP changes nothing here.
 */
#ifndef EVENKEEL_DAEMON_RIVAL_H
#define EVENKEEL_DAEMON_RIVAL_H

#include <stdbool.h>

#include "base/mono.h"
#include "daemon/daemon_view.h"
#include "platform/frame.h"

/* Of one link; all zeros at first. */
struct rival {
    struct mono echoed;   /* an advertisement from the own address arrived last; 0: never */
    struct mono ask_next; /* not before */
    bool asking;          /* the question is to be sent */
    bool spoken;          /* this host has advertised on the link since it last gave way */
    struct daemon_rival seen;
};

/* An advertisement from `link`'s own address arrived. */
void rival_heard(struct rival *rival, struct mono now);
/* The question to send, if one is due: its length, else 0. */
size_t rival_ask(struct rival *rival, const struct kernel_link *link, struct mono now, uint8_t frame[static FRAME_MAX]);
/* An ARP answer to this host, whose sender is the own address. True: it is a rival's. */
bool rival_answer(struct rival *rival, const struct kernel_link *link, const uint8_t mac[6], struct mono now);
/* True once after it began or ended that this host gives way. *next: when it wants to be asked again. */
bool rival_changed(struct rival *rival, struct mono now, struct mono *next);

#endif
