/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the frame layouts, shared by frame.c, which builds, and frame_read.c, which reads. */
#ifndef EVENKEEL_PLATFORM_FRAME_LAYOUT_H
#define EVENKEEL_PLATFORM_FRAME_LAYOUT_H

#include "base/bytes.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd

#define PROTOCOL_VRRP 112
#define PROTOCOL_ICMPV6 58

#define ARP_REQUEST 1
#define ARP_REPLY 2

#define ND_HOP_LIMIT 255 /* RFC 4861: anything else was forwarded, so it is not from this link */
#define ND_SOLICIT 135
#define ND_ADVERT 136
#define ND_MESSAGE 24 /* type, code, checksum, flags, target: an advertisement's or solicitation's shortest length */
#define ND_FLAG_ROUTER 0x80000000u
#define ND_FLAG_SOLICITED 0x40000000u
#define ND_FLAG_OVERRIDE 0x20000000u
#define ND_OPTION_SOURCE_MAC 1
#define ND_OPTION_TARGET_MAC 2
#define ND_OPTION_UNIT 8 /* option lengths count in these */

/* The checksum over ICMPv6's pseudo header (RFC 8200 8.1) and message; a message that holds its own folds to 0xffff. */
static inline uint16_t icmpv6_sum(const uint8_t *source, const uint8_t *destination, const uint8_t *message,
                                  size_t length)
{
    uint32_t sum = checksum_add((uint32_t)length + PROTOCOL_ICMPV6, source, 16);

    sum = checksum_add(sum, destination, 16);
    return checksum_fold(checksum_add(sum, message, length));
}

#endif
