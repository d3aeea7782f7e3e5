/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's frames as bytes: echo requests framed to a chosen MAC, ARP requests and neighbour solicitations, and
 * the reading of what comes back. Pure functions; sockets are witness_port's.
 */
#ifndef EVENKEEL_CTL_WITNESS_FRAME_H
#define EVENKEEL_CTL_WITNESS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define WITNESS_FRAME_MAX 96 /* the longest frame that is built or needs to be seen */

/* What an echo request carries and its answer brings back. */
struct witness_tag {
    uint32_t nonce; /* of this process, so that two witnesses on one LAN do not take each other's answers */
    uint32_t round; /* of the VIP */
    uint16_t vip;   /* index */
    uint8_t host;   /* index of the host that was addressed, or WITNESS_TAG_CLIENT */
};

#define WITNESS_TAG_CLIENT 0xff /* framed to the MAC of the client's cache */

struct witness_ends {
    uint8_t source_mac[6];
    uint8_t target_mac[6]; /* not used by witness_frame_ask */
    struct addr source;
    struct addr target; /* the VIP; of the same family */
};

/* An echo request. TTL 1, so that a host that forwards does not answer with another host's voice. Returns its length.
 */
size_t witness_frame_echo(uint8_t frame[static WITNESS_FRAME_MAX], const struct witness_ends *ends,
                          const struct witness_tag *tag);

/* A broadcast ARP request or multicast neighbour solicitation for ends->target. Returns its length. */
size_t witness_frame_ask(uint8_t frame[static WITNESS_FRAME_MAX], const struct witness_ends *ends);

enum witness_seen_kind {
    WITNESS_SEEN_OTHER,    /* malformed or of no interest */
    WITNESS_SEEN_ECHO,     /* `tag` came back */
    WITNESS_SEEN_REPLY,    /* answer to somebody's question: `mac` says that it has `address` */
    WITNESS_SEEN_ANNOUNCE, /* gratuitous ARP or unsolicited neighbour advertisement with override */
    WITNESS_SEEN_MENTION,  /* an ordinary ARP request of `address`, which makes Linux update its entry after a while */
};

struct witness_seen {
    uint8_t kind; /* enum witness_seen_kind */
    struct witness_tag tag;
    struct addr address;
    uint8_t mac[6];
};

/* Reads a frame. Any bytes whatever are safe. */
void witness_frame_read(const uint8_t *frame, size_t length, struct witness_seen *out);

/* True for the virtual MACs of VRRP (RFC 9568 7.3), which name no host. */
bool witness_frame_mac_is_virtual(const uint8_t mac[6]);

#endif
