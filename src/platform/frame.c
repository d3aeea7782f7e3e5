/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames that this host sends: VRRP with its Ethernet header, announcements and probes (ARP: RFC 826, RFC
 * 5227; neighbour discovery: RFC 4861). VRRP packets come from core/wire.h, sockets are packet.h's, reading is
 * frame_read.c. Pure functions, called by the daemon for every frame that it makes.
 */
#include "platform/frame.h"

#include <string.h>

#include "platform/frame_layout.h"

#define IPV4_HEADER 20
#define IPV4_DESTINATION_OFFSET 16
#define IPV6_HEADER 40
#define IPV6_DESTINATION_OFFSET 24
#define ND_WITH_OPTION (ND_MESSAGE + ND_OPTION_UNIT)

static const uint8_t BROADCAST_MAC[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t ZERO[6] = {0};
static const uint8_t ALL_NODES[16] = {0xff, 0x02, [15] = 1};

static void write_ethernet(struct writer *w, const uint8_t *destination, const uint8_t *source, uint16_t ethertype)
{
    write_bytes(w, destination, 6);
    write_bytes(w, source, 6);
    write_u16(w, ethertype);
}

static size_t written(const struct writer *w)
{
    return w->ok ? w->offset : 0;
}

static void multicast_mac_ipv6(const uint8_t group[16], uint8_t mac[6])
{
    mac[0] = 0x33;
    mac[1] = 0x33;
    memcpy(mac + 2, group + 12, 4);
}

/* False when the packet's destination is no multicast group: its MAC cannot be told from the packet then. */
static bool multicast_mac(const uint8_t *packet, size_t length, uint8_t mac[6], uint16_t *ethertype)
{
    if (length >= IPV4_HEADER && packet[0] >> 4 == 4) {
        const uint8_t *group = packet + IPV4_DESTINATION_OFFSET;

        *ethertype = ETHERTYPE_IPV4;
        mac[0] = 0x01;
        mac[1] = 0x00;
        mac[2] = 0x5e;
        mac[3] = group[1] & 0x7f;
        mac[4] = group[2];
        mac[5] = group[3];
        return (group[0] & 0xf0) == 0xe0;
    }
    if (length >= IPV6_HEADER && packet[0] >> 4 == 6) {
        const uint8_t *group = packet + IPV6_DESTINATION_OFFSET;

        *ethertype = ETHERTYPE_IPV6;
        multicast_mac_ipv6(group, mac);
        return group[0] == 0xff;
    }
    return false;
}

size_t frame_vrrp(const uint8_t source_mac[6], const uint8_t *packet, size_t length, uint8_t *frame, size_t capacity)
{
    struct writer w = writer_init(frame, capacity);
    uint8_t destination[6];
    uint16_t ethertype;

    if (!multicast_mac(packet, length, destination, &ethertype))
        return 0;
    write_ethernet(&w, destination, source_mac, ethertype);
    write_bytes(&w, packet, length);
    return written(&w);
}

static size_t write_arp_request(struct writer *w, const uint8_t mac[6], const uint8_t *sender,
                                const uint8_t *target_mac, const uint8_t *target)
{
    write_ethernet(w, BROADCAST_MAC, mac, ETHERTYPE_ARP);
    write_u16(w, 1); /* Ethernet */
    write_u16(w, ETHERTYPE_IPV4);
    write_u8(w, 6);
    write_u8(w, 4);
    write_u16(w, ARP_REQUEST);
    write_bytes(w, mac, 6);
    write_bytes(w, sender, 4);
    write_bytes(w, target_mac, 6);
    write_bytes(w, target, 4);
    return written(w);
}

size_t frame_to_nobody(const uint8_t source_mac[6], const uint8_t *packet, size_t length, uint8_t *frame,
                       size_t capacity)
{
    struct writer w = writer_init(frame, capacity);

    if (length == 0 || (packet[0] >> 4 != 4 && packet[0] >> 4 != 6))
        return 0;
    write_ethernet(&w, ZERO, source_mac, packet[0] >> 4 == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
    write_bytes(&w, packet, length);
    return written(&w);
}

size_t frame_gratuitous_arp(const uint8_t mac[6], const struct addr *address, uint8_t *frame, size_t capacity)
{
    struct writer w = writer_init(frame, capacity);

    if (address->family != FAMILY_IPV4)
        return 0;
    return write_arp_request(&w, mac, address->bytes, mac, address->bytes);
}

/* One neighbour discovery message of ours: a solicitation or an advertisement with one link-layer address option. */
struct nd_message {
    uint8_t type;
    uint8_t option;
    uint32_t flags;
    const uint8_t *mac;
    const uint8_t *source;
    const uint8_t *destination;
    const uint8_t *target;
};

static size_t write_nd(struct writer *w, const struct nd_message *m)
{
    uint8_t destination_mac[6];

    multicast_mac_ipv6(m->destination, destination_mac);
    write_ethernet(w, destination_mac, m->mac, ETHERTYPE_IPV6);
    write_u32(w, 0x60000000u);
    write_u16(w, ND_WITH_OPTION);
    write_u8(w, PROTOCOL_ICMPV6);
    write_u8(w, ND_HOP_LIMIT);
    write_bytes(w, m->source, 16);
    write_bytes(w, m->destination, 16);

    size_t start = w->offset;

    write_u8(w, m->type);
    write_u8(w, 0);
    write_u16(w, 0);
    write_u32(w, m->flags);
    write_bytes(w, m->target, 16);
    write_u8(w, m->option);
    write_u8(w, 1);
    write_bytes(w, m->mac, 6);
    if (!w->ok)
        return 0;
    write_u16_at(w, start + 2, (uint16_t)~icmpv6_sum(m->source, m->destination, w->data + start, ND_WITH_OPTION));
    return written(w);
}

size_t frame_unsolicited_na(const uint8_t mac[6], const struct addr *address, bool router, uint8_t *frame,
                            size_t capacity)
{
    struct writer w = writer_init(frame, capacity);

    if (address->family != FAMILY_IPV6)
        return 0;
    return write_nd(&w, &(struct nd_message){
                            .type = ND_ADVERT,
                            .option = ND_OPTION_TARGET_MAC,
                            .flags = ND_FLAG_OVERRIDE | (router ? ND_FLAG_ROUTER : 0),
                            .mac = mac,
                            .source = address->bytes,
                            .destination = ALL_NODES,
                            .target = address->bytes,
                        });
}

static size_t write_solicitation(struct writer *w, const uint8_t mac[6], const struct addr *source,
                                 const struct addr *target)
{
    uint8_t group[16] = {0xff, 0x02, [11] = 0x01, [12] = 0xff}; /* solicited-node, RFC 4291 2.7.1 */

    memcpy(group + 13, target->bytes + 13, 3);
    return write_nd(w, &(struct nd_message){
                           .type = ND_SOLICIT,
                           .option = ND_OPTION_SOURCE_MAC,
                           .mac = mac,
                           .source = source->bytes,
                           .destination = group,
                           .target = target->bytes,
                       });
}

size_t frame_probe(const uint8_t mac[6], const struct addr *source, const struct addr *target, uint8_t *frame,
                   size_t capacity)
{
    struct writer w = writer_init(frame, capacity);

    if (addr_is_none(source) && target->family == FAMILY_IPV4)
        return write_arp_request(&w, mac, ZERO, ZERO, target->bytes);
    if (source->family != target->family)
        return 0;
    switch ((enum family)target->family) {
    case FAMILY_IPV4:
        return write_arp_request(&w, mac, source->bytes, ZERO, target->bytes);
    case FAMILY_IPV6:
        return write_solicitation(&w, mac, source, target);
    case FAMILY_NONE:
        break;
    }
    return 0;
}
