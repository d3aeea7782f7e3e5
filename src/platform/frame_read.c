/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what arrived: tells VRRP, ARP requests and claims (ARP and neighbour advertisements) apart. It decides
 * nothing: VRRP packets are checked by core/wire.h, claims are judged by the daemon. Called for every frame that
 * packet.h delivers; any bytes whatever are safe (tests/fuzz/fuzz_frame.c).
 */
#include "platform/frame.h"

#include <string.h>

#include "platform/frame_layout.h"

#define IPV4_PROTOCOL_OFFSET 9
#define IPV6_NEXT_HEADER_OFFSET 6

static const uint8_t ANY[4] = {0};

static struct addr read_ipv4(struct reader *r)
{
    const uint8_t *bytes = read_bytes(r, 4);

    /* 0.0.0.0 asks on behalf of nobody (an address conflict probe, RFC 5227). */
    return bytes && memcmp(bytes, ANY, 4) != 0 ? addr_from_bytes(FAMILY_IPV4, bytes) : ADDR_NONE;
}

static enum frame_kind read_arp(struct reader *r, struct frame_view *out)
{
    bool ethernet_ipv4 = read_u16(r) == 1;

    ethernet_ipv4 &= read_u16(r) == ETHERTYPE_IPV4;
    ethernet_ipv4 &= read_u8(r) == 6;
    ethernet_ipv4 &= read_u8(r) == 4;

    uint16_t operation = read_u16(r);
    const uint8_t *sender_mac = read_bytes(r, 6);
    struct addr sender = read_ipv4(r);

    read_bytes(r, 6);

    struct addr target = read_ipv4(r);

    if (!r->ok || !ethernet_ipv4 || (operation != ARP_REQUEST && operation != ARP_REPLY))
        return FRAME_OTHER;
    memcpy(out->sender_mac, sender_mac, 6);
    out->sender = sender;
    out->target = target;
    if (operation == ARP_REPLY || addr_equal(&sender, &target))
        return addr_is_none(&sender) ? FRAME_OTHER : FRAME_CLAIM;
    return FRAME_ARP_REQUEST;
}

/* Finds the TLLA option. False when an option is malformed: all of the message is to be discarded (RFC 4861 7.1.2). */
static bool read_nd_options(struct reader *r, struct frame_view *out)
{
    while (reader_left(r) > 0) {
        uint8_t type = read_u8(r);
        uint8_t units = read_u8(r);

        if (!r->ok || units == 0)
            return false;

        const uint8_t *body = read_bytes(r, (size_t)units * ND_OPTION_UNIT - 2);

        if (!body)
            return false;
        if (type == ND_OPTION_TARGET_MAC && units == 1)
            memcpy(out->sender_mac, body, 6);
    }
    return true;
}

static enum frame_kind read_advert_message(const uint8_t *message, size_t length, bool multicast,
                                           struct frame_view *out)
{
    struct reader r = reader_init(message, length);
    uint8_t type = read_u8(&r);
    uint8_t code = read_u8(&r);

    read_u16(&r); /* the checksum, already verified */

    uint32_t flags = read_u32(&r);
    const uint8_t *target = read_bytes(&r, 16);

    if (!target || type != ND_ADVERT || code != 0 || target[0] == 0xff || (multicast && (flags & ND_FLAG_SOLICITED)))
        return FRAME_OTHER;
    out->sender = addr_from_bytes(FAMILY_IPV6, target);
    memcpy(out->sender_mac, out->source_mac, 6);
    return read_nd_options(&r, out) ? FRAME_CLAIM : FRAME_OTHER;
}

static enum frame_kind read_neighbour_advert(struct reader *r, struct frame_view *out)
{
    read_u32(r);

    uint16_t length = read_u16(r);

    read_u8(r);

    uint8_t hop_limit = read_u8(r);
    const uint8_t *source = read_bytes(r, 16);
    const uint8_t *destination = read_bytes(r, 16);
    const uint8_t *message = read_bytes(r, length);

    if (!r->ok || hop_limit != ND_HOP_LIMIT || length < ND_MESSAGE)
        return FRAME_OTHER;
    if (icmpv6_sum(source, destination, message, length) != 0xffff)
        return FRAME_OTHER;
    return read_advert_message(message, length, destination[0] == 0xff, out);
}

/* Headers that are cut off or lie about their lengths still go to the codec: it is the one that counts the refusal. */
static enum frame_kind vrrp_packet(const uint8_t *packet, size_t length, struct frame_view *out)
{
    out->packet = packet;
    out->packet_length = length;
    return FRAME_VRRP;
}

static enum frame_kind read_payload(uint16_t ethertype, const uint8_t *packet, size_t length, struct frame_view *out)
{
    struct reader r = reader_init(packet, length);

    if (ethertype == ETHERTYPE_ARP)
        return read_arp(&r, out);
    if (ethertype == ETHERTYPE_IPV4 && length > IPV4_PROTOCOL_OFFSET)
        return packet[IPV4_PROTOCOL_OFFSET] == PROTOCOL_VRRP ? vrrp_packet(packet, length, out) : FRAME_OTHER;
    if (ethertype != ETHERTYPE_IPV6 || length <= IPV6_NEXT_HEADER_OFFSET)
        return FRAME_OTHER;
    if (packet[IPV6_NEXT_HEADER_OFFSET] == PROTOCOL_VRRP)
        return vrrp_packet(packet, length, out);
    return packet[IPV6_NEXT_HEADER_OFFSET] == PROTOCOL_ICMPV6 ? read_neighbour_advert(&r, out) : FRAME_OTHER;
}

void frame_read(const uint8_t *frame, size_t length, const uint8_t own_mac[6], struct frame_view *out)
{
    struct reader r = reader_init(frame, length);
    struct frame_view view = {.kind = FRAME_OTHER};
    const uint8_t *destination = read_bytes(&r, 6);
    const uint8_t *source = read_bytes(&r, 6);
    uint16_t ethertype = read_u16(&r);

    *out = view;
    if (!r.ok)
        return;
    view.to_us = memcmp(destination, own_mac, 6) == 0;
    memcpy(view.source_mac, source, 6);

    enum frame_kind kind = read_payload(ethertype, frame + r.offset, reader_left(&r), &view);

    if (kind == FRAME_OTHER)
        return; /* nothing half read gets out */
    *out = view;
    out->kind = (uint8_t)kind;
}
