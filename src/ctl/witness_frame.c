/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and reading the witness's frames (RFC 792, 826, 4443, 4861). Owns no state. Called by witness_port's users.
 */
#include "ctl/witness_frame.h"

#include <string.h>

#include "base/bytes.h"

#define TAG_MAGIC 0x4b45454cu /* "KEEL" */
#define TAG_LENGTH 16
#define ECHO_LENGTH (8 + TAG_LENGTH)

enum {
    ETHER_IPV4 = 0x0800,
    ETHER_ARP = 0x0806,
    ETHER_IPV6 = 0x86dd,
    PROTOCOL_ICMP = 1,
    PROTOCOL_ICMPV6 = 58,
    ICMP_REPLY = 0,
    ICMP_REQUEST = 8,
    ICMPV6_REQUEST = 128,
    ICMPV6_REPLY = 129,
    ICMPV6_SOLICIT = 135,
    ICMPV6_ADVERT = 136,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    OPTION_SOURCE_MAC = 1,
    OPTION_TARGET_MAC = 2,
    ADVERT_SOLICITED = 0x40,
    ADVERT_OVERRIDE = 0x20,
};

static void write_ethernet(struct writer *w, const uint8_t target[6], const uint8_t source[6], uint16_t type)
{
    write_bytes(w, target, 6);
    write_bytes(w, source, 6);
    write_u16(w, type);
}

static void write_ipv4(struct writer *w, const struct witness_ends *ends, size_t payload)
{
    const size_t start = w->offset;

    write_u16(w, 0x45c0);
    write_u16(w, (uint16_t)(20 + payload));
    write_u32(w, 0);
    write_u8(w, 1); /* TTL */
    write_u8(w, PROTOCOL_ICMP);
    write_u16(w, 0);
    write_bytes(w, ends->source.bytes, 4);
    write_bytes(w, ends->target.bytes, 4);
    write_u16_at(w, start + 10, (uint16_t)~checksum_fold(checksum_add(0, w->data + start, 20)));
}

static void write_ipv6(struct writer *w, const struct addr *source, const uint8_t target[16], size_t payload,
                       uint8_t hops)
{
    write_u32(w, 0x6c000000);
    write_u16(w, (uint16_t)payload);
    write_u8(w, PROTOCOL_ICMPV6);
    write_u8(w, hops);
    write_bytes(w, source->bytes, 16);
    write_bytes(w, target, 16);
}

/* The ICMPv6 message starts right behind its IPv6 header, whose two addresses stand in the checksum's pseudo header. */
static void fill_checksum_ipv6(struct writer *w, size_t start)
{
    const size_t length = w->offset - start;
    const uint8_t tail[4] = {(uint8_t)(length >> 8), (uint8_t)length, 0, PROTOCOL_ICMPV6};
    uint32_t sum = checksum_add(0, w->data + start - 32, 32);

    sum = checksum_add(sum, tail, sizeof(tail));
    write_u16_at(w, start + 2, (uint16_t)~checksum_fold(checksum_add(sum, w->data + start, length)));
}

static void write_echo(struct writer *w, uint8_t type, const struct witness_tag *tag)
{
    write_u8(w, type);
    write_u8(w, 0);
    write_u16(w, 0);
    write_u16(w, (uint16_t)tag->nonce);
    write_u16(w, (uint16_t)tag->round);
    write_u32(w, TAG_MAGIC);
    write_u32(w, tag->nonce);
    write_u32(w, tag->round);
    write_u16(w, tag->vip);
    write_u8(w, tag->host);
    write_u8(w, 0);
}

size_t witness_frame_echo(uint8_t frame[static WITNESS_FRAME_MAX], const struct witness_ends *ends,
                          const struct witness_tag *tag)
{
    struct writer w = writer_init(frame, WITNESS_FRAME_MAX);

    if (ends->target.family == FAMILY_IPV4) {
        write_ethernet(&w, ends->target_mac, ends->source_mac, ETHER_IPV4);
        write_ipv4(&w, ends, ECHO_LENGTH);
        const size_t start = w.offset;

        write_echo(&w, ICMP_REQUEST, tag);
        write_u16_at(&w, start + 2, (uint16_t)~checksum_fold(checksum_add(0, frame + start, ECHO_LENGTH)));
    } else {
        write_ethernet(&w, ends->target_mac, ends->source_mac, ETHER_IPV6);
        write_ipv6(&w, &ends->source, ends->target.bytes, ECHO_LENGTH, 1);
        const size_t start = w.offset;

        write_echo(&w, ICMPV6_REQUEST, tag);
        fill_checksum_ipv6(&w, start);
    }
    return w.ok ? w.offset : 0;
}

static void write_arp_request(struct writer *w, const struct witness_ends *ends)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t unknown[6] = {0};

    write_ethernet(w, everybody, ends->source_mac, ETHER_ARP);
    write_u16(w, 1); /* Ethernet */
    write_u16(w, ETHER_IPV4);
    write_u8(w, 6);
    write_u8(w, 4);
    write_u16(w, ARP_REQUEST);
    write_bytes(w, ends->source_mac, 6);
    write_bytes(w, ends->source.bytes, 4);
    write_bytes(w, unknown, 6);
    write_bytes(w, ends->target.bytes, 4);
}

static void write_solicitation(struct writer *w, const struct witness_ends *ends)
{
    const uint8_t *t = ends->target.bytes;
    const uint8_t group[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, t[13], t[14], t[15]};
    const uint8_t group_mac[6] = {0x33, 0x33, 0xff, t[13], t[14], t[15]};

    write_ethernet(w, group_mac, ends->source_mac, ETHER_IPV6);
    write_ipv6(w, &ends->source, group, 32, 255);
    const size_t start = w->offset;

    write_u8(w, ICMPV6_SOLICIT);
    write_u8(w, 0);
    write_u16(w, 0);
    write_u32(w, 0);
    write_bytes(w, t, 16);
    write_u8(w, OPTION_SOURCE_MAC);
    write_u8(w, 1);
    write_bytes(w, ends->source_mac, 6);
    fill_checksum_ipv6(w, start);
}

size_t witness_frame_ask(uint8_t frame[static WITNESS_FRAME_MAX], const struct witness_ends *ends)
{
    struct writer w = writer_init(frame, WITNESS_FRAME_MAX);

    if (ends->target.family == FAMILY_IPV4)
        write_arp_request(&w, ends);
    else
        write_solicitation(&w, ends);
    return w.ok ? w.offset : 0;
}

static void read_arp(struct reader *r, struct witness_seen *out)
{
    const uint16_t hardware = read_u16(r);
    const uint16_t protocol = read_u16(r);
    const uint16_t lengths = read_u16(r);
    const uint16_t operation = read_u16(r);
    const uint8_t *mac = read_bytes(r, 6);
    const uint8_t *sender = read_bytes(r, 4);
    const uint8_t *ignored = read_bytes(r, 6);
    const uint8_t *target = read_bytes(r, 4);

    (void)ignored;
    if (!r->ok || hardware != 1 || protocol != ETHER_IPV4 || lengths != 0x0604)
        return;
    out->address = addr_from_bytes(FAMILY_IPV4, sender);
    memcpy(out->mac, mac, 6);
    if (memcmp(sender, target, 4) == 0)
        out->kind = WITNESS_SEEN_ANNOUNCE;
    else if (operation == ARP_REPLY)
        out->kind = WITNESS_SEEN_REPLY;
    else if (operation == ARP_REQUEST)
        out->kind = WITNESS_SEEN_MENTION;
}

/* From the echo message's identifier on. */
static void read_tag(struct reader *r, struct witness_seen *out)
{
    read_u32(r);
    const uint32_t magic = read_u32(r);

    out->tag.nonce = read_u32(r);
    out->tag.round = read_u32(r);
    out->tag.vip = read_u16(r);
    out->tag.host = read_u8(r);
    if (r->ok && magic == TAG_MAGIC)
        out->kind = WITNESS_SEEN_ECHO;
}

/* From the flags on. `mac` holds the frame's source, which stands when the option is missing (RFC 4861 4.4). */
static void read_advertisement(struct reader *r, struct witness_seen *out)
{
    const uint8_t flags = read_u8(r);

    read_bytes(r, 3);
    const uint8_t *address = read_bytes(r, 16);

    if (!address)
        return;
    out->address = addr_from_bytes(FAMILY_IPV6, address);
    if (reader_left(r) >= 8) {
        const uint8_t type = read_u8(r);
        const uint8_t length = read_u8(r);
        const uint8_t *mac = read_bytes(r, 6);

        if (mac && type == OPTION_TARGET_MAC && length == 1)
            memcpy(out->mac, mac, 6);
    }
    if (flags & ADVERT_SOLICITED)
        out->kind = WITNESS_SEEN_REPLY;
    else if (flags & ADVERT_OVERRIDE)
        out->kind = WITNESS_SEEN_ANNOUNCE;
}

static void read_ipv4(struct reader *r, struct witness_seen *out)
{
    const uint8_t first = read_u8(r);

    read_bytes(r, 8);
    const uint8_t protocol = read_u8(r);

    read_bytes(r, (size_t)(first & 15) * 4 >= 20 ? (size_t)(first & 15) * 4 - 10 : 0);
    const uint8_t type = read_u8(r);

    read_bytes(r, 3);
    if (r->ok && first >> 4 == 4 && protocol == PROTOCOL_ICMP && type == ICMP_REPLY)
        read_tag(r, out);
}

static void read_ipv6(struct reader *r, struct witness_seen *out)
{
    read_bytes(r, 6);
    const uint8_t protocol = read_u8(r);

    read_bytes(r, 33);
    const uint8_t type = read_u8(r);

    read_bytes(r, 3);
    if (!r->ok || protocol != PROTOCOL_ICMPV6)
        return;
    if (type == ICMPV6_REPLY)
        read_tag(r, out);
    else if (type == ICMPV6_ADVERT)
        read_advertisement(r, out);
}

void witness_frame_read(const uint8_t *frame, size_t length, struct witness_seen *out)
{
    struct reader r = reader_init(frame, length);

    *out = (struct witness_seen){.kind = WITNESS_SEEN_OTHER};
    read_bytes(&r, 6);
    const uint8_t *source = read_bytes(&r, 6);
    const uint16_t type = read_u16(&r);

    if (!r.ok)
        return;
    memcpy(out->mac, source, 6);
    if (type == ETHER_ARP)
        read_arp(&r, out);
    else if (type == ETHER_IPV4)
        read_ipv4(&r, out);
    else if (type == ETHER_IPV6)
        read_ipv6(&r, out);
}

bool witness_frame_mac_is_virtual(const uint8_t mac[6])
{
    static const uint8_t prefix[4] = {0x00, 0x00, 0x5e, 0x00};

    return memcmp(mac, prefix, sizeof(prefix)) == 0 && (mac[4] == 1 || mac[4] == 2);
}
