/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target of frame_read: any bytes as a frame; nothing is read past their end, and what comes out is complete
 * or nothing. With an odd first input byte the ICMPv6 checksum is mended, without which hardly any input would get past
 * it.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_frame.c src/platform/frame_read.c \
 *       src/base/addr.c src/base/bytes.c src/base/check.c
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "platform/frame.h"
#include "platform/frame_layout.h"

#define IPV6_HEADER 40

static const uint8_t OWN_MAC[6] = {0x02, 0, 0, 0, 0, 0x01};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *frame, size_t length)
{
    uint8_t *packet = frame + FRAME_ETHERNET_HEADER;

    if (length < FRAME_ETHERNET_HEADER + IPV6_HEADER + ND_MESSAGE || frame[12] != ETHERTYPE_IPV6 >> 8)
        return;

    size_t message = (size_t)packet[4] << 8 | packet[5];

    if (message < ND_MESSAGE || message > length - FRAME_ETHERNET_HEADER - IPV6_HEADER)
        return;
    packet[IPV6_HEADER + 2] = packet[IPV6_HEADER + 3] = 0;

    uint16_t sum = (uint16_t)~icmpv6_sum(packet + 8, packet + 24, packet + IPV6_HEADER, message);

    packet[IPV6_HEADER + 2] = (uint8_t)(sum >> 8);
    packet[IPV6_HEADER + 3] = (uint8_t)sum;
}

static void check_view(const struct frame_view *view, const uint8_t *frame, size_t length)
{
    switch ((enum frame_kind)view->kind) {
    case FRAME_OTHER:
        CHECK(addr_is_none(&view->sender) && addr_is_none(&view->target) && !view->packet && !view->to_us);
        return;
    case FRAME_VRRP:
        CHECK(view->packet == frame + FRAME_ETHERNET_HEADER && view->packet_length == length - FRAME_ETHERNET_HEADER);
        break;
    case FRAME_ARP_REQUEST:
        CHECK(view->sender.family != FAMILY_IPV6 && view->target.family != FAMILY_IPV6 && !view->packet);
        break;
    case FRAME_CLAIM:
        CHECK(!addr_is_none(&view->sender) && !view->packet);
        break;
    }
    CHECK(view->to_us == (memcmp(frame, OWN_MAC, sizeof(OWN_MAC)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_view view;

    if (size < 1)
        return 0;

    size_t length = size - 1;
    uint8_t *frame = malloc(length > 0 ? length : 1); /* of its own size, so that a read past its end is seen */

    CHECK(frame != NULL);
    memcpy(frame, data + 1, length);
    if (data[0] & 1)
        mend(frame, length);
    frame_read(frame, length, OWN_MAC, &view);
    check_view(&view, frame, length);
    free(frame);
    return 0;
}
