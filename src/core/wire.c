/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of VRRP advertisements, IP header included. It owns the byte layouts and the order of the checks on
 * receive; it knows no virtual router, no socket and no counter. The pool calls it for every packet in and out; so do
 * the fuzzer and the simulator.
 *
 * RFC 9568 is version 3 (5.1 IP header, 5.2 message, 7.1 receiving, 7.2 sending); RFC 3768 is version 2.
 *
 * Departures from the RFCs on receive:
 *  - RFC 9568 5.2.8 has the checksum of version 3 over IPv4 without pseudo header; we also accept it with one, because
 *    RFC 5798 was read so by keepalived and FRR. Version 3 over IPv4 only: elsewhere all agree. To a unicast peer older
 *    ones sum a pseudo header with the group in it; that too is accepted.
 *  - bytes after the message are tolerated, because keepalived's auth_hmac appends a trailer that neither the checksum
 *    nor the length in the pseudo header covers. RFC 9568 7.1 asks for a complete packet only.
 *  - the source MAC address is never looked at: keepalived without use_vmac does not send from the virtual one.
 */
#include "core/wire.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/mono.h"

#define IPV4_HEADER_LENGTH 20 /* without options */
#define IPV6_HEADER_LENGTH 40
#define VRRP_HEADER_LENGTH 8
#define IPV4_PROTOCOL_OFFSET 9
#define IPV4_CHECKSUM_OFFSET 10
#define IPV6_NEXT_HEADER_OFFSET 6
#define IPV4_FRAGMENT_MASK 0x3fff /* more-fragments flag and fragment offset; don't-fragment is harmless */
#define VRRP_CHECKSUM_OFFSET 6
#define TYPE_ADVERTISEMENT 1
#define V3_INTERVAL_MASK 0x0fff /* the high four bits are reserved */
#define V2_INTERVAL_MAX_S 255

/* How CARP shows itself: an OpenBSD header of fixed length, its first byte equal to version 2's, seven words of counter
 * and HMAC announced where version 2 has its address count. Version 2 with seven addresses would be 44 bytes. */
#define CARP_LENGTH 36
#define CARP_VERSION_TYPE 0x21
#define CARP_AUTH_WORDS 7

/* What the IP header said. */
struct ip {
    enum family family;
    uint8_t ttl;
    struct addr source;
    struct addr destination;
    const uint8_t *payload;
    size_t payload_length; /* as the IP header says: Ethernet padding is outside */
};

static const char *const result_names[] = {
    [WIRE_OK] = "ok",
    [WIRE_NOT_VRRP] = "not_vrrp",
    [WIRE_BAD_IP_LENGTH] = "bad_ip_length",
    [WIRE_BAD_DESTINATION] = "bad_destination",
    [WIRE_BAD_TTL] = "bad_ttl",
    [WIRE_TOO_SHORT] = "too_short",
    [WIRE_BAD_VERSION] = "bad_version",
    [WIRE_BAD_TYPE] = "bad_type",
    [WIRE_BAD_CHECKSUM] = "bad_checksum",
    [WIRE_BAD_VRID] = "bad_vrid",
    [WIRE_NO_ADDRESSES] = "no_addresses",
    [WIRE_BAD_INTERVAL] = "bad_interval",
    [WIRE_BAD_SOURCE] = "bad_source",
    [WIRE_CARP] = "carp",
};
static_assert(ARRAY_LENGTH(result_names) == WIRE_RESULT_COUNT, "one name per result");

const char *wire_result_name(enum wire_result result)
{
    CHECK((unsigned)result < WIRE_RESULT_COUNT);
    return result_names[result];
}

struct addr wire_group(enum family family)
{
    /* RFC 9568 5.1.1.2 and 5.1.2.2 */
    static const uint8_t group_v4[4] = {224, 0, 0, 18};
    static const uint8_t group_v6[16] = {0xff, 0x02, [15] = 0x12};

    switch (family) {
    case FAMILY_IPV4:
        return addr_from_bytes(family, group_v4);
    case FAMILY_IPV6:
        return addr_from_bytes(family, group_v6);
    case FAMILY_NONE:
        break;
    }
    return ADDR_NONE;
}

void wire_virtual_mac(enum family family, uint8_t vrid, uint8_t mac[static 6])
{
    const uint8_t bytes[6] = {0x00, 0x00, 0x5e, 0x00, family == FAMILY_IPV6 ? 0x02 : 0x01, vrid};

    memcpy(mac, bytes, sizeof(bytes));
}

static size_t address_bytes(enum family family)
{
    return family == FAMILY_IPV6 ? 16 : 4;
}

/* The length of a whole message: RFC 9568 5.2 and RFC 3768 5.1 (which ends with the authentication data). */
static size_t message_length(uint8_t version, enum family family, size_t address_count)
{
    size_t trailer = version == 2 ? VRRP_AUTH_LENGTH : 0;

    return VRRP_HEADER_LENGTH + address_count * address_bytes(family) + trailer;
}

/* The sum over RFC 8200 8.1's pseudo header. Its IPv4 twin has the same fields in other widths: a sum serves both. */
static uint32_t pseudo_header_sum(const struct addr *source, const struct addr *destination, size_t length)
{
    const uint8_t rest[4] = {(uint8_t)(length >> 8), (uint8_t)length, 0, VRRP_PROTOCOL};
    uint32_t sum = checksum_add(0, source->bytes, addr_length(source));

    sum = checksum_add(sum, destination->bytes, addr_length(destination));
    return checksum_add(sum, rest, sizeof(rest));
}

static enum wire_result parse_ipv4(const uint8_t *packet, size_t length, struct ip *ip)
{
    /* The protocol comes first: what is not ours must not count against VRRP, however broken it is. */
    if (length <= IPV4_PROTOCOL_OFFSET || packet[IPV4_PROTOCOL_OFFSET] != VRRP_PROTOCOL) /* RFC 9568 5.1.1.4 */
        return WIRE_NOT_VRRP;

    struct reader r = reader_init(packet, length);
    size_t header_length = (size_t)(read_u8(&r) & 0x0f) * 4;

    read_u8(&r); /* type of service */
    size_t total_length = read_u16(&r);

    read_u16(&r); /* identification */
    uint16_t fragment = read_u16(&r);

    ip->ttl = read_u8(&r);
    read_u8(&r);  /* protocol, seen above */
    read_u16(&r); /* header checksum: the NIC or the kernel has verified it, or left it to offload */
    const uint8_t *source = read_bytes(&r, 4);
    const uint8_t *destination = read_bytes(&r, 4);

    if (!r.ok || header_length < IPV4_HEADER_LENGTH || total_length < header_length || total_length > length)
        return WIRE_BAD_IP_LENGTH; /* RFC 791 3.1 */
    if (fragment & IPV4_FRAGMENT_MASK)
        return WIRE_BAD_IP_LENGTH; /* an advertisement fits any link; RFC 9568 7.1 wants the complete packet */
    ip->family = FAMILY_IPV4;
    ip->source = addr_from_bytes(FAMILY_IPV4, source);
    ip->destination = addr_from_bytes(FAMILY_IPV4, destination);
    ip->payload = packet + header_length;
    ip->payload_length = total_length - header_length;
    return WIRE_OK;
}

static enum wire_result parse_ipv6(const uint8_t *packet, size_t length, struct ip *ip)
{
    /* RFC 9568 5.1.2.4; extension headers (fragments too) are not followed, since nobody sends any. */
    if (length <= IPV6_NEXT_HEADER_OFFSET || packet[IPV6_NEXT_HEADER_OFFSET] != VRRP_PROTOCOL)
        return WIRE_NOT_VRRP;

    struct reader r = reader_init(packet, length);

    read_u32(&r); /* version, traffic class, flow label */
    size_t payload_length = read_u16(&r);

    read_u8(&r); /* next header, seen above */
    ip->ttl = read_u8(&r);
    const uint8_t *source = read_bytes(&r, 16);
    const uint8_t *destination = read_bytes(&r, 16);

    if (!r.ok || payload_length > reader_left(&r))
        return WIRE_BAD_IP_LENGTH; /* RFC 8200 3 */
    ip->family = FAMILY_IPV6;
    ip->source = addr_from_bytes(FAMILY_IPV6, source);
    ip->destination = addr_from_bytes(FAMILY_IPV6, destination);
    ip->payload = packet + IPV6_HEADER_LENGTH;
    ip->payload_length = payload_length;
    return WIRE_OK;
}

static enum wire_result parse_ip(const uint8_t *packet, size_t length, struct ip *ip)
{
    if (length == 0)
        return WIRE_NOT_VRRP;
    if (packet[0] >> 4 == 4)
        return parse_ipv4(packet, length, ip);
    if (packet[0] >> 4 == 6)
        return parse_ipv6(packet, length, ip);
    return WIRE_NOT_VRRP;
}

/* Finds which form of the checksum is right; false when none is. RFC 9568 5.2.8, RFC 3768 5.3.8. */
static bool find_checksum_form(const struct ip *ip, uint8_t version, size_t message, uint8_t *form)
{
    uint32_t sum = checksum_add(0, ip->payload, message);

    if (ip->family == FAMILY_IPV4 && checksum_fold(sum) == UINT16_MAX) {
        *form = WIRE_CHECKSUM_PLAIN;
        return true;
    }
    if (version == 2)
        return false;
    *form = WIRE_CHECKSUM_PSEUDO;
    if (checksum_fold(sum + pseudo_header_sum(&ip->source, &ip->destination, message)) == UINT16_MAX)
        return true;
    struct addr group = wire_group(FAMILY_IPV4);

    return ip->family == FAMILY_IPV4 && !addr_is_multicast(&ip->destination) &&
           checksum_fold(sum + pseudo_header_sum(&ip->source, &group, message)) == UINT16_MAX;
}

static bool source_is_acceptable(const struct addr *source, const struct addr *destination)
{
    static const uint8_t zero[4];
    static const uint8_t broadcast[4] = {255, 255, 255, 255};

    if (source->family == FAMILY_IPV6 && addr_is_multicast(destination))
        return addr_is_link_local(source); /* RFC 9568 5.1.2.1 */
    if (source->family == FAMILY_IPV6)
        return !addr_is_multicast(source); /* unicast peers may be routed to: no RFC */
    /* RFC 9568 5.1.1.1: the primary address of an interface, so one that a host can have (RFC 1122 3.2.1.3). */
    return !addr_is_multicast(source) && memcmp(source->bytes, zero, sizeof(zero)) != 0 &&
           memcmp(source->bytes, broadcast, sizeof(broadcast)) != 0;
}

/* The fields after the address count; everything is known to be there. */
static void parse_body(struct reader *r, enum family family, uint8_t address_count, struct advert *out,
                       struct addr addresses[static VRRP_ADDRESSES_MAX])
{
    if (out->version == 2) {
        out->auth_type = read_u8(r);
        out->interval_us = (uint32_t)read_u8(r) * US_PER_S; /* RFC 3768 5.3.7 */
    } else {
        out->interval_us = (uint32_t)(read_u16(r) & V3_INTERVAL_MASK) * US_PER_CS; /* RFC 9568 5.2.6: ignore Reserve */
    }
    read_u16(r); /* checksum, verified already */
    for (unsigned i = 0; i < address_count; i++)
        addresses[i] = addr_from_bytes(family, read_bytes(r, address_bytes(family)));
    out->address_count = address_count;
    if (out->version == 2)
        memcpy(out->auth, read_bytes(r, VRRP_AUTH_LENGTH), VRRP_AUTH_LENGTH);
    CHECK(r->ok);
}

/* From the VRRP header on. The order is RFC 9568 7.1's; the length comes in two steps, as it depends on the version. */
static enum wire_result parse_message(const struct ip *ip, struct advert *out,
                                      struct addr addresses[static VRRP_ADDRESSES_MAX])
{
    struct reader r = reader_init(ip->payload, ip->payload_length);
    uint8_t version_and_type = read_u8(&r);
    uint8_t vrid = read_u8(&r);
    uint8_t priority = read_u8(&r);
    uint8_t address_count = read_u8(&r);

    if (ip->payload_length < VRRP_HEADER_LENGTH)
        return WIRE_TOO_SHORT; /* RFC 9568 7.1, RFC 3768 7.1 */
    out->priority = priority;
    if (version_and_type == CARP_VERSION_TYPE && ip->payload_length == CARP_LENGTH && address_count == CARP_AUTH_WORDS)
        return WIRE_CARP;
    if (out->version != 3 && !(out->version == 2 && ip->family == FAMILY_IPV4))
        return WIRE_BAD_VERSION; /* RFC 9568 5.2.1, 7.1; RFC 3768 knows IPv4 only */
    if ((version_and_type & 0x0f) != TYPE_ADVERTISEMENT)
        return WIRE_BAD_TYPE; /* RFC 9568 5.2.2, RFC 3768 5.3.2 */

    size_t message = message_length(out->version, ip->family, address_count);

    if (ip->payload_length < message)
        return WIRE_TOO_SHORT; /* RFC 9568 7.1: the complete packet, counting the addresses that it announces */
    if (!find_checksum_form(ip, out->version, message, &out->checksum))
        return WIRE_BAD_CHECKSUM; /* RFC 9568 7.1, 5.2.8 */
    if (vrid == 0)
        return WIRE_BAD_VRID; /* RFC 9568 5.2.3: 1..255 */
    parse_body(&r, ip->family, address_count, out, addresses);
    if (out->interval_us == 0)
        return WIRE_BAD_INTERVAL; /* RFC 9568 5.2.7, erratum 8301: it would make the router Active at once */
    if (!source_is_acceptable(&ip->source, &ip->destination))
        return WIRE_BAD_SOURCE;
    /* RFC 9568 5.2.5, erratum 8299. Looked at last: it is all that may be wrong where a router has none on purpose. */
    return address_count == 0 ? WIRE_NO_ADDRESSES : WIRE_OK;
}

/* Version and VRID: known as soon as they are there, whatever is wrong with the rest. */
static void peek_router(const struct ip *ip, struct advert *out)
{
    struct reader r = reader_init(ip->payload, ip->payload_length);
    uint8_t version_and_type = read_u8(&r);
    uint8_t vrid = read_u8(&r);

    if (r.ok) {
        out->version = version_and_type >> 4;
        out->vrid = vrid;
    }
}

enum wire_result wire_parse(const uint8_t *packet, size_t length, bool any_destination, struct advert *out,
                            struct addr addresses[static VRRP_ADDRESSES_MAX])
{
    struct ip ip = {.family = FAMILY_NONE};

    memset(out, 0, sizeof(*out));
    out->addresses = addresses;

    enum wire_result result = parse_ip(packet, length, &ip);

    if (result != WIRE_OK)
        return result;
    out->source = ip.source;
    out->destination = ip.destination;
    out->ttl = ip.ttl;
    peek_router(&ip, out);

    struct addr group = wire_group(ip.family);

    if (!any_destination && !addr_equal(&ip.destination, &group))
        return WIRE_BAD_DESTINATION; /* RFC 9568 5.1.1.2, 5.1.2.2 */
    if (ip.ttl != VRRP_TTL && addr_is_multicast(&ip.destination))
        return WIRE_BAD_TTL; /* RFC 9568 7.1, 5.1.1.3, 5.1.2.3: proof that it comes from this link */
    return parse_message(&ip, out, addresses);
}

bool wire_lists_same(const struct advert *advert, const struct addr *addresses, unsigned count)
{
    if (advert->address_count != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        bool found = addr_equal(&advert->addresses[i], &addresses[i]); /* mostly */

        for (unsigned k = 0; k < count && !found; k++)
            found = addr_equal(&advert->addresses[i], &addresses[k]);
        if (!found)
            return false;
    }
    return true;
}

/* A group is on this link: RFC 9568 5.1.1.3, 5.1.2.3. A unicast peer may be further away. */
static uint8_t sent_ttl(const struct advert *advert)
{
    return addr_is_multicast(&advert->destination) ? VRRP_TTL : advert->ttl;
}

/* The value of the interval field, or 0 when it cannot say interval_us exactly: rounding would be another promise. */
static uint16_t interval_field(const struct advert *advert)
{
    uint32_t unit_us = advert->version == 2 ? US_PER_S : US_PER_CS;
    uint32_t most = advert->version == 2 ? V2_INTERVAL_MAX_S : V3_INTERVAL_MASK;

    if (advert->interval_us % unit_us != 0 || advert->interval_us / unit_us > most)
        return 0;
    return (uint16_t)(advert->interval_us / unit_us);
}

static bool is_representable(const struct advert *advert)
{
    uint8_t family = advert->source.family;

    if (family == FAMILY_NONE || advert->destination.family != family)
        return false;
    if (advert->version != 3 && !(advert->version == 2 && family == FAMILY_IPV4))
        return false;
    if (advert->vrid == 0 || interval_field(advert) == 0)
        return false;
    if (advert->version == 3 && family == FAMILY_IPV4 && advert->checksum != WIRE_CHECKSUM_PLAIN &&
        advert->checksum != WIRE_CHECKSUM_PSEUDO)
        return false;
    for (unsigned i = 0; i < advert->address_count; i++)
        if (advert->addresses[i].family != family)
            return false;
    return true;
}

static void write_ipv4_header(struct writer *w, const struct advert *advert, size_t message)
{
    size_t start = w->offset;

    write_u8(w, 0x45); /* version 4, no options */
    write_u8(w, VRRP_TRAFFIC_CLASS);
    write_u16(w, (uint16_t)(IPV4_HEADER_LENGTH + message));
    write_u16(w, 0); /* identification: never fragmented */
    write_u16(w, 0); /* DF clear, as all implementations send it */
    write_u8(w, sent_ttl(advert));
    write_u8(w, VRRP_PROTOCOL); /* RFC 9568 5.1.1.4 */
    write_u16(w, 0);
    write_bytes(w, advert->source.bytes, 4);
    write_bytes(w, advert->destination.bytes, 4);
    if (w->ok) {
        uint32_t sum = checksum_add(0, w->data + start, IPV4_HEADER_LENGTH);

        write_u16_at(w, start + IPV4_CHECKSUM_OFFSET, (uint16_t)~checksum_fold(sum)); /* RFC 791 3.1 */
    }
}

static void write_ipv6_header(struct writer *w, const struct advert *advert, size_t message)
{
    write_u32(w, 6u << 28 | (uint32_t)VRRP_TRAFFIC_CLASS << 20);
    write_u16(w, (uint16_t)message);
    write_u8(w, VRRP_PROTOCOL); /* RFC 9568 5.1.2.4 */
    write_u8(w, sent_ttl(advert));
    write_bytes(w, advert->source.bytes, 16);
    write_bytes(w, advert->destination.bytes, 16);
}

static void write_message(struct writer *w, const struct advert *advert, size_t message)
{
    size_t start = w->offset;
    size_t each = addr_length(&advert->source);

    write_u8(w, (uint8_t)(advert->version << 4 | TYPE_ADVERTISEMENT));
    write_u8(w, advert->vrid);
    write_u8(w, advert->priority);
    write_u8(w, advert->address_count);
    if (advert->version == 2) {
        write_u8(w, advert->auth_type);
        write_u8(w, (uint8_t)interval_field(advert));
    } else {
        write_u16(w, interval_field(advert)); /* RFC 9568 5.2.6: Reserve is zero */
    }
    write_u16(w, 0);
    for (unsigned i = 0; i < advert->address_count; i++)
        write_bytes(w, advert->addresses[i].bytes, each);
    if (advert->version == 2)
        write_bytes(w, advert->auth, VRRP_AUTH_LENGTH);
    if (!w->ok)
        return;

    /* The configured form is a choice for version 3 over IPv4 only; version 2 and IPv6 have one form each. */
    bool pseudo =
        advert->source.family == FAMILY_IPV6 || (advert->version == 3 && advert->checksum == WIRE_CHECKSUM_PSEUDO);
    uint32_t sum = pseudo ? pseudo_header_sum(&advert->source, &advert->destination, message) : 0;

    sum = checksum_add(sum, w->data + start, message);
    write_u16_at(w, start + VRRP_CHECKSUM_OFFSET, (uint16_t)~checksum_fold(sum)); /* RFC 9568 5.2.8, RFC 3768 5.3.8 */
}

size_t wire_encode(const struct advert *advert, uint8_t *packet, size_t capacity)
{
    if (!is_representable(advert))
        return 0;

    struct writer w = writer_init(packet, capacity < WIRE_PACKET_MAX ? capacity : WIRE_PACKET_MAX);
    size_t message = message_length(advert->version, (enum family)advert->source.family, advert->address_count);

    if (advert->source.family == FAMILY_IPV4)
        write_ipv4_header(&w, advert, message);
    else
        write_ipv6_header(&w, advert, message);
    write_message(&w, advert, message);
    return w.ok ? w.offset : 0;
}
