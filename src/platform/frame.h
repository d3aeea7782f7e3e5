/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames as bytes: pure functions, no sockets. Building: VRRP packets with their Ethernet header, gratuitous
 * ARP, unsolicited neighbour advertisements, ARP and neighbour solicitation probes. Reading: what arrived.
 */
#ifndef EVENKEEL_PLATFORM_FRAME_H
#define EVENKEEL_PLATFORM_FRAME_H

#include <stddef.h>

#include "base/addr.h"

#define FRAME_ETHERNET_HEADER 14
#define FRAME_MAX 1514

/* All builders return the frame's length, or 0 when it does not fit or the addresses are of the wrong family. */

/* Puts the Ethernet header in front of an IP packet to a multicast group (0 when its destination is none). */
size_t frame_vrrp(const uint8_t source_mac[6], const uint8_t *packet, size_t length, uint8_t *frame, size_t capacity);

/* The same in front of an IP packet whatever its destination, to the Ethernet address of all zeros, which nobody has.
 */
size_t frame_to_nobody(const uint8_t source_mac[6], const uint8_t *packet, size_t length, uint8_t *frame,
                       size_t capacity);

/* Gratuitous ARP: a broadcast request, sender = target = `address`, sender hardware `mac`, target hardware `mac` (RFC
 * 9568 6.4.1, erratum 7947), Ethernet source `mac`. */
size_t frame_gratuitous_arp(const uint8_t mac[6], const struct addr *address, uint8_t *frame, size_t capacity);

/* Unsolicited neighbour advertisement to ff02::1: source and target `address`, S=0, O=1, R=`router`, TLLA `mac`. */
size_t frame_unsolicited_na(const uint8_t mac[6], const struct addr *address, bool router, uint8_t *frame,
                            size_t capacity);

/* Who has `target`, asked from `source` at `mac`: a broadcast ARP request or a multicast neighbour solicitation. For
 * IPv4 `source` may be none: then it is the question of a host without an address (RFC 5227), answered like any other.
 */
size_t frame_probe(const uint8_t mac[6], const struct addr *source, const struct addr *target, uint8_t *frame,
                   size_t capacity);

enum frame_kind {
    FRAME_OTHER,       /* malformed or of no interest */
    FRAME_VRRP,        /* `packet`, `packet_length`: from the IP header on */
    FRAME_ARP_REQUEST, /* sender asks for target */
    FRAME_CLAIM,       /* ARP reply, gratuitous ARP, neighbour advertisement: `sender_mac` says it has `sender` */
};

struct frame_view {
    uint8_t kind;          /* enum frame_kind */
    bool to_us;            /* unicast to `own_mac` */
    uint8_t source_mac[6]; /* Ethernet */
    uint8_t sender_mac[6]; /* ARP sender hardware address or TLLA (else the Ethernet source) */
    struct addr sender;    /* ARP sender (none: 0.0.0.0, an address conflict probe), NA target */
    struct addr target;    /* ARP target */
    const uint8_t *packet;
    size_t packet_length;
};

/* Reads a frame. Any bytes whatever are safe. */
void frame_read(const uint8_t *frame, size_t length, const uint8_t own_mac[6], struct frame_view *out);

#endif
