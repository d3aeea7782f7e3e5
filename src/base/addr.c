/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses as values. It owns text conversion and order; sockaddr and interfaces belong to platform. Called by
 * everybody.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"

static_assert(ADDR_TEXT_MAX >= INET6_ADDRSTRLEN, "addr_format's buffer");

size_t addr_length(const struct addr *a)
{
    switch ((enum family)a->family) {
    case FAMILY_IPV4:
        return 4;
    case FAMILY_IPV6:
        return 16;
    case FAMILY_NONE:
        break;
    }
    return 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

struct addr addr_from_bytes(enum family family, const uint8_t *bytes)
{
    struct addr a = {.family = (uint8_t)family};

    memcpy(a.bytes, bytes, addr_length(&a));
    return a;
}

bool addr_parse(const char *text, struct addr *out)
{
    uint8_t bytes[16];

    *out = ADDR_NONE;
    if (inet_pton(AF_INET, text, bytes) == 1)
        *out = addr_from_bytes(FAMILY_IPV4, bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *out = addr_from_bytes(FAMILY_IPV6, bytes);
    return !addr_is_none(out);
}

const char *addr_format(const struct addr *a, char buffer[static ADDR_TEXT_MAX])
{
    if (addr_is_none(a)) {
        memcpy(buffer, "-", 2);
        return buffer;
    }
    const char *text = inet_ntop(a->family == FAMILY_IPV4 ? AF_INET : AF_INET6, a->bytes, buffer, ADDR_TEXT_MAX);

    CHECK(text != NULL);
    return text;
}

bool addr_is_link_local(const struct addr *a)
{
    return a->family == FAMILY_IPV6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
    if (a->family == FAMILY_IPV4)
        return (a->bytes[0] & 0xf0) == 0xe0;
    return a->family == FAMILY_IPV6 && a->bytes[0] == 0xff;
}

uint8_t addr_last_byte(const struct addr *a)
{
    size_t length = addr_length(a);

    return length == 0 ? 0 : a->bytes[length - 1];
}

struct addr addr_virtual_link_local(uint8_t vrid)
{
    /* The interface identifier is the virtual MAC 00:00:5e:00:02:VRID as modified EUI-64 (RFC 4291 appendix A, the
     * universal/local bit inverted). RFC 9568 7.4 (5798 7.4) leaves the choice to the implementation. */
    return (struct addr){
        .family = FAMILY_IPV6,
        .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0x5e, 0xff, 0xfe, 0x00, 0x02, vrid},
    };
}
