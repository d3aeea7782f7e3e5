/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target of the codec. The first input byte chooses `unicast_to_us` and whether to mend the lengths,
 * checksum, TTL and destination, without which hardly any input would get past them. What parses must encode, and
 * parse to the same.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_wire.c src/core/wire.c \
 *       src/base/addr.c src/base/bytes.c src/base/check.c
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "core/wire.h"

#define INPUT_UNICAST 1
#define INPUT_MEND 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_ipv4(uint8_t *packet, size_t length)
{
    static const uint8_t group[4] = {224, 0, 0, 18};
    size_t header = (size_t)(packet[0] & 0x0f) * 4;

    packet[2] = (uint8_t)(length >> 8);
    packet[3] = (uint8_t)length;
    packet[6] = packet[7] = 0;
    packet[8] = VRRP_TTL;
    packet[9] = VRRP_PROTOCOL;
    memcpy(packet + 16, group, sizeof(group));
    if (header < 20 || header + 8 > length)
        return;

    uint8_t *m = packet + header;
    size_t message = 8 + (size_t)m[3] * 4 + (m[0] >> 4 == 2 ? VRRP_AUTH_LENGTH : 0);

    if (header + message > length)
        return;
    m[6] = m[7] = 0;
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, m, message));

    m[6] = (uint8_t)(sum >> 8);
    m[7] = (uint8_t)sum;
}

static void mend_ipv6(uint8_t *packet, size_t length)
{
    static const uint8_t group[16] = {0xff, 0x02, [15] = 0x12};
    size_t message = 8 + (size_t)packet[43] * 16;
    uint8_t *m = packet + 40;

    packet[4] = (uint8_t)((length - 40) >> 8);
    packet[5] = (uint8_t)(length - 40);
    packet[6] = VRRP_PROTOCOL;
    packet[7] = VRRP_TTL;
    packet[8] = 0xfe;
    packet[9] = 0x80;
    memcpy(packet + 24, group, sizeof(group));
    if (40 + message > length)
        return;
    m[6] = m[7] = 0;
    uint32_t pseudo = checksum_add((uint32_t)(message + VRRP_PROTOCOL), packet + 8, 32);
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(pseudo, m, message));

    m[6] = (uint8_t)(sum >> 8);
    m[7] = (uint8_t)sum;
}

static void check_same(const struct advert *a, const struct advert *b)
{
    CHECK(addr_equal(&a->source, &b->source) && addr_equal(&a->destination, &b->destination));
    CHECK(a->version == b->version && a->vrid == b->vrid && a->priority == b->priority);
    CHECK(a->checksum == b->checksum && a->interval_us == b->interval_us);
    CHECK(a->auth_type == b->auth_type && memcmp(a->auth, b->auth, sizeof(a->auth)) == 0);
    CHECK(a->address_count == b->address_count);
    for (unsigned i = 0; i < a->address_count; i++)
        CHECK(addr_equal(&a->addresses[i], &b->addresses[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t packet[4096];
    uint8_t again[WIRE_PACKET_MAX];
    struct advert first;
    struct advert second;
    struct addr first_addresses[VRRP_ADDRESSES_MAX];
    struct addr second_addresses[VRRP_ADDRESSES_MAX];

    if (size == 0 || size - 1 > sizeof(packet))
        return 0;

    uint8_t choice = data[0];
    size_t length = size - 1;

    memcpy(packet, data + 1, length);
    if (choice & INPUT_MEND && length >= 28 && packet[0] >> 4 == 4)
        mend_ipv4(packet, length);
    else if (choice & INPUT_MEND && length >= 48 && packet[0] >> 4 == 6)
        mend_ipv6(packet, length);

    enum wire_result result = wire_parse(packet, length, choice & INPUT_UNICAST, &first, first_addresses);

    CHECK(result < WIRE_RESULT_COUNT && wire_result_name(result)[0] != '\0');
    if (result != WIRE_OK)
        return 0;
    CHECK(first.vrid != 0 && first.address_count != 0 && first.interval_us != 0);

    size_t made = wire_encode(&first, again, sizeof(again));

    if (made == 0) {
        /* The only thing that parses but does not encode: more IPv6 addresses than a packet holds. */
        CHECK(first.source.family == FAMILY_IPV6 && first.address_count > WIRE_IPV6_ADDRESSES_MAX);
        return 0;
    }
    CHECK(wire_parse(again, made, true, &second, second_addresses) == WIRE_OK);
    check_same(&first, &second);
    return 0;
}
