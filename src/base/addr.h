/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses of both families as one value type. No sockets: `family` is our own enum, and text is converted by
 * inet_pton/inet_ntop only in addr.c.
 */
#ifndef EVENKEEL_BASE_ADDR_H
#define EVENKEEL_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family {
    FAMILY_NONE = 0, /* no address; all bytes are zero */
    FAMILY_IPV4 = 4,
    FAMILY_IPV6 = 6,
};

struct addr {
    uint8_t family;    /* enum family */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

#define ADDR_TEXT_MAX 46 /* longest text of an address with its NUL (INET6_ADDRSTRLEN) */

#define ADDR_NONE ((struct addr){.family = FAMILY_NONE})

/* 4 or 16; 0 for FAMILY_NONE. */
size_t addr_length(const struct addr *a);

/* Total order: by family, then byte-wise unsigned (RFC 9568 6.4.3 compares primary addresses so). <0, 0, >0. */
int addr_compare(const struct addr *a, const struct addr *b);

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_compare(a, b) == 0;
}

static inline bool addr_is_none(const struct addr *a)
{
    return a->family == FAMILY_NONE;
}

/* From `length` (4 or 16) network-order bytes. */
struct addr addr_from_bytes(enum family family, const uint8_t *bytes);

/* Parses the whole of `text`; false when it is not an address. *out is then ADDR_NONE. */
bool addr_parse(const char *text, struct addr *out);

/* Writes the text of `a` ("-" for none) and returns `buffer`, which must hold ADDR_TEXT_MAX bytes. */
const char *addr_format(const struct addr *a, char buffer[static ADDR_TEXT_MAX]);

bool addr_is_link_local(const struct addr *a); /* fe80::/10; never true for IPv4 */
bool addr_is_multicast(const struct addr *a);

/* The last byte of the address: the default VRID of a unit and the first try for a member's VRID. */
uint8_t addr_last_byte(const struct addr *a);

/* The link-local address formed from the virtual MAC of an IPv6 virtual router: fe80::200:5eff:fe00:2XX (RFC 9568 7.3).
 */
struct addr addr_virtual_link_local(uint8_t vrid);

#endif
