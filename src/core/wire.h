/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of VRRP advertisements: version 2 (RFC 3768) and version 3 (RFC 9568) over IPv4 and IPv6, from the first
 * byte of the IP header on. It owns the order of the checks on receive (RFC 9568 7.1) and gives each refusal a name;
 * checks that need the state of a virtual router (VRID known, version, interval, address list) are router.h's.
 */
#ifndef EVENKEEL_CORE_WIRE_H
#define EVENKEEL_CORE_WIRE_H

#include <stddef.h>

#include "base/addr.h"

#define VRRP_PROTOCOL 112
#define VRRP_TTL 255
#define VRRP_TRAFFIC_CLASS 0xc0 /* CS6, as keepalived and FRR send it */
#define VRRP_PRIORITY_OWNER 255
#define VRRP_PRIORITY_RELEASE 0
#define VRRP_ADDRESSES_MAX 255
#define VRRP_AUTH_LENGTH 8         /* version 2's trailer */
#define WIRE_PACKET_MAX 1500       /* an Ethernet MTU: what fits one packet is what wire_encode makes */
#define WIRE_IPV6_ADDRESSES_MAX 90 /* (1500 - 40 - 8) / 16 */

/* Why a packet was refused. Every value has a counter (counters[] of the link) and a test. RFC sections in wire.c. */
enum wire_result {
    WIRE_OK,
    WIRE_NOT_VRRP,        /* not IP protocol 112, or an IP header that cannot be followed: not counted against VRRP */
    WIRE_BAD_IP_LENGTH,   /* IP header or total length does not fit the frame, or a fragment */
    WIRE_BAD_DESTINATION, /* neither the VRRP group nor one of ours */
    WIRE_BAD_TTL,         /* TTL or hop limit other than 255, of a multicast packet */
    WIRE_TOO_SHORT,       /* fewer bytes than the header and the address count demand */
    WIRE_BAD_VERSION,     /* neither 2 nor 3, or 2 over IPv6 */
    WIRE_BAD_TYPE,        /* not ADVERTISEMENT (1) */
    WIRE_BAD_CHECKSUM,    /* neither accepted form */
    WIRE_BAD_VRID,        /* VRID 0 */
    WIRE_NO_ADDRESSES,    /* count 0 (RFC 9568 erratum 8299) */
    WIRE_BAD_INTERVAL,    /* interval 0 (erratum 8301) */
    WIRE_BAD_SOURCE,      /* IPv6: not link-local; IPv4: multicast, zero or broadcast */
    WIRE_CARP,            /* OpenBSD's CARP on the same protocol number: counted apart, since its VHID may clash */
    WIRE_RESULT_COUNT,
};

/* Stable lower-case name of a result, as used in counters and logs ("bad_ttl"). */
const char *wire_result_name(enum wire_result result);

enum wire_checksum {
    WIRE_CHECKSUM_AUTO,   /* configuration only: the form last heard on this VRID, at first plain */
    WIRE_CHECKSUM_PLAIN,  /* over the message alone: RFC 9568 for IPv4, and version 2 */
    WIRE_CHECKSUM_PSEUDO, /* with a pseudo header: IPv6 always; keepalived's and FRR's default for version 3 over IPv4
                           */
};

/* One advertisement as a value. */
struct advert {
    struct addr source;             /* IP source */
    struct addr destination;        /* IP destination */
    uint8_t ttl;                    /* TTL or hop limit: as received; to be sent to a unicast peer (a group: 255) */
    uint8_t version;                /* 2 or 3 */
    uint8_t vrid;                   /* 1..255 */
    uint8_t priority;               /* 0..255 */
    uint8_t checksum;               /* enum wire_checksum: the form that was found, or is to be sent (never AUTO) */
    uint8_t auth_type;              /* version 2 only, else 0 */
    uint8_t auth[VRRP_AUTH_LENGTH]; /* version 2 only: as received or to be sent */
    uint32_t
        interval_us; /* Max Advertise Interval: version 3 multiples of 10 ms up to 40.95 s; version 2 whole seconds */
    uint8_t address_count;        /* 1..255 */
    const struct addr *addresses; /* address_count of them; parse: the caller's array; encode: the caller's */
};

/* The multicast group of a family: 224.0.0.18 or ff02::12. */
struct addr wire_group(enum family family);

/*
 * Parses one packet that starts at its IP header. `any_destination`: another destination than the group is the caller's
 * to judge, and so is the TTL of a unicast packet. Fills *out and `addresses` (VRRP_ADDRESSES_MAX entries, owned by the
 * caller, must outlive *out). Bytes after the message (Ethernet padding, an HMAC trailer) are tolerated. On any result
 * but WIRE_OK, *out holds what was read before the refusal: source, destination, ttl, version and vrid are there from
 * WIRE_BAD_DESTINATION on (vrid 0: the packet ends before it), so that a refusal can be told to whom it concerns.
 */
enum wire_result wire_parse(const uint8_t *packet, size_t length, bool any_destination, struct advert *out,
                            struct addr addresses[static VRRP_ADDRESSES_MAX]);

/* True when the packet's addresses are these, in whatever order (some send them in another one). */
bool wire_lists_same(const struct advert *advert, const struct addr *addresses, unsigned count);

/*
 * Encodes an advertisement with its IP header (class CS6, checksums filled in). Returns its length, or 0 when
 * it does not fit `capacity` or the fields are not representable (version 2 with IPv6, interval out of range).
 */
size_t wire_encode(const struct advert *advert, uint8_t *packet, size_t capacity);

/* The virtual router MAC: 00:00:5e:00:01:VRID or 00:00:5e:00:02:VRID (RFC 9568 7.3). */
void wire_virtual_mac(enum family family, uint8_t vrid, uint8_t mac[static 6]);

#endif
