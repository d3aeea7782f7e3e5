/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec: advertisements measured from keepalived and FRR byte for byte, then each refusal by its name. The messages
 * of the goldens are captures (VRRP.md 1.2 and 1.3); their IP headers are written out here by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/check.h"
#include "core/wire.h"

#define IPV4 20 /* where the message starts */
#define IPV6 40

#define IPV4_HEADER(total, high, low) \
    0x45, 0xc0, 0x00, total, 0x00, 0x00, 0x00, 0x00, 0xff, 0x70, high, low, 10, 77, 0, 1, 224, 0, 0, 18

/* VRID 1, priority 100, 10.77.0.50 and .51, 1 s, from 10.77.0.1 */
static const uint8_t golden_v2[] = {
    IPV4_HEADER(44, 0xd0, 0x41), 0x21, 0x01, 0x64, 0x02, 0x00, 0x01, 0x65, 0xfc, 0x0a, 0x4d, 0x00, 0x32,
    0x0a, 0x4d, 0x00, 0x33, 0,    0,    0,    0,    0,    0,    0,    0,
};
static const uint8_t golden_v3_plain[] = {
    IPV4_HEADER(36, 0xd0, 0x49), 0x31, 0x01, 0x64, 0x02, 0x00, 0x64, 0x55, 0x99,
    0x0a, 0x4d, 0x00, 0x32, 0x0a, 0x4d, 0x00, 0x33,
};
static const uint8_t golden_v3_pseudo[] = {
    IPV4_HEADER(36, 0xd0, 0x49), 0x31, 0x01, 0x64, 0x02, 0x00, 0x64, 0x6a, 0xb8,
    0x0a, 0x4d, 0x00, 0x32, 0x0a, 0x4d, 0x00, 0x33,
};
/* From fe80::9061:cfff:fead:a992; fe80::50 and 2001:db8::50, 20 cs */
static const uint8_t golden_v3_ipv6[] = {
    0x6c, 0x00, 0x00, 0x00, 0x00, 40,   0x70, 0xff,
    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x90, 0x61, 0xcf, 0xff, 0xfe, 0xad, 0xa9, 0x92,
    0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12,
    0x31, 0x01, 0x64, 0x02, 0x00, 0x14, 0x37, 0x3e,
    0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50,
};

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

/* A packet under change, and what became of it. */
struct sample {
    uint8_t packet[WIRE_PACKET_MAX + 100];
    size_t length;
    struct advert advert;
    struct addr addresses[VRRP_ADDRESSES_MAX];
};

static void load(struct sample *s, const uint8_t *packet, size_t length)
{
    memset(s, 0xa5, sizeof(*s));
    memcpy(s->packet, packet, length);
    s->length = length;
}

#define LOAD(s, golden) load(s, golden, sizeof(golden))

static enum wire_result parse(struct sample *s)
{
    return wire_parse(s->packet, s->length, false, &s->advert, s->addresses);
}

static void assert_parse(struct sample *s, enum wire_result expected)
{
    assert_string_equal(wire_result_name(parse(s)), wire_result_name(expected));
}

/* Makes the message's plain checksum right again after a change. Version 2 and 3 over IPv4 without options. */
static void fix_checksum(struct sample *s, size_t message)
{
    uint8_t *m = s->packet + IPV4;

    m[6] = m[7] = 0;
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, m, message));

    m[6] = (uint8_t)(sum >> 8);
    m[7] = (uint8_t)sum;
}

/* Encoding what was parsed must give the golden back. */
static void assert_encodes_to(const struct advert *advert, const uint8_t *golden, size_t length)
{
    uint8_t packet[WIRE_PACKET_MAX];

    assert_int_equal(wire_encode(advert, packet, sizeof(packet)), length);
    assert_memory_equal(packet, golden, length);
    assert_int_equal(wire_encode(advert, packet, length - 1), 0);
}

static void check_golden_ipv4(const uint8_t *golden, size_t length, uint8_t version, enum wire_checksum form)
{
    struct sample s;
    struct addr source = address("10.77.0.1");
    struct addr group = wire_group(FAMILY_IPV4);
    struct addr first = address("10.77.0.50");
    struct addr second = address("10.77.0.51");

    load(&s, golden, length);
    assert_int_equal(checksum_fold(checksum_add(0, golden, IPV4)), 0xffff); /* the header written above is right */
    assert_parse(&s, WIRE_OK);
    assert_true(addr_equal(&s.advert.source, &source));
    assert_true(addr_equal(&s.advert.destination, &group));
    assert_int_equal(s.advert.version, version);
    assert_int_equal(s.advert.vrid, 1);
    assert_int_equal(s.advert.priority, 100);
    assert_int_equal(s.advert.checksum, form);
    assert_int_equal(s.advert.interval_us, 1000000);
    assert_int_equal(s.advert.auth_type, 0);
    assert_int_equal(s.advert.address_count, 2);
    assert_ptr_equal(s.advert.addresses, s.addresses);
    assert_true(addr_equal(&s.addresses[0], &first));
    assert_true(addr_equal(&s.addresses[1], &second));
    assert_encodes_to(&s.advert, golden, length);
}

static void test_wire__captured_v2__parsed_and_made_again(void **state)
{
    (void)state;
    check_golden_ipv4(golden_v2, sizeof(golden_v2), 2, WIRE_CHECKSUM_PLAIN);
}

static void test_wire__captured_v3_ipv4_in_both_forms__parsed_and_made_again(void **state)
{
    (void)state;
    check_golden_ipv4(golden_v3_plain, sizeof(golden_v3_plain), 3, WIRE_CHECKSUM_PLAIN);
    check_golden_ipv4(golden_v3_pseudo, sizeof(golden_v3_pseudo), 3, WIRE_CHECKSUM_PSEUDO);
}

static void test_wire__captured_v3_ipv6__parsed_and_made_again(void **state)
{
    struct sample s;
    struct addr source = address("fe80::9061:cfff:fead:a992");
    struct addr second = address("2001:db8::50");

    (void)state;
    LOAD(&s, golden_v3_ipv6);
    assert_parse(&s, WIRE_OK);
    assert_true(addr_equal(&s.advert.source, &source));
    assert_int_equal(s.advert.version, 3);
    assert_int_equal(s.advert.checksum, WIRE_CHECKSUM_PSEUDO);
    assert_int_equal(s.advert.interval_us, 200000);
    assert_int_equal(s.advert.address_count, 2);
    assert_true(addr_equal(&s.addresses[1], &second));
    assert_encodes_to(&s.advert, golden_v3_ipv6, sizeof(golden_v3_ipv6));
}

static void test_wire__tolerated_oddities__accepted(void **state)
{
    struct sample s;

    (void)state;
    /* Ethernet padding beyond the IP length, of any content. */
    LOAD(&s, golden_v3_plain);
    s.length = 46;
    assert_parse(&s, WIRE_OK);
    LOAD(&s, golden_v3_ipv6);
    s.length += 6;
    assert_parse(&s, WIRE_OK);
    /* keepalived's HMAC trailer, inside the IP length: neither summed nor in the pseudo header's length. */
    LOAD(&s, golden_v3_pseudo);
    s.packet[3] = (uint8_t)(s.packet[3] + 28);
    s.length += 28;
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.checksum, WIRE_CHECKSUM_PSEUDO);
    LOAD(&s, golden_v3_ipv6);
    s.packet[5] = (uint8_t)(s.packet[5] + 28);
    s.length += 28;
    assert_parse(&s, WIRE_OK);
    /* The reserved nibble. */
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4 + 4] |= 0xf0;
    fix_checksum(&s, 16);
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.interval_us, 1000000);
    /* A wrong IP header checksum (offload), don't-fragment, another class. */
    LOAD(&s, golden_v3_plain);
    s.packet[10] ^= 0xff;
    s.packet[6] = 0x40;
    s.packet[1] = 0;
    assert_parse(&s, WIRE_OK);
}

static void test_wire__ipv4_options__message_found_behind_them(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_pseudo);
    memmove(s.packet + 24, s.packet + 20, 16);
    s.packet[0] = 0x46;
    s.packet[3] = 40;
    s.length = 40;
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.address_count, 2);
}

static void test_wire__v2_authentication__handed_through(void **state)
{
    struct sample s;
    uint8_t packet[WIRE_PACKET_MAX];

    (void)state;
    LOAD(&s, golden_v2);
    s.packet[IPV4 + 4] = 1;
    memcpy(s.packet + IPV4 + 16, "secret\0\0", 8);
    fix_checksum(&s, 24);
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.auth_type, 1);
    assert_memory_equal(s.advert.auth, "secret\0\0", 8);
    assert_int_equal(wire_encode(&s.advert, packet, sizeof(packet)), s.length);
    assert_memory_equal(packet, s.packet, s.length);
}

static void test_wire__not_ours__not_vrrp(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.length = 0;
    assert_parse(&s, WIRE_NOT_VRRP);
    s.length = 9; /* ends before the protocol */
    assert_parse(&s, WIRE_NOT_VRRP);
    LOAD(&s, golden_v3_plain);
    s.packet[9] = 17;
    assert_parse(&s, WIRE_NOT_VRRP);
    LOAD(&s, golden_v3_plain);
    s.packet[0] = 0x55;
    assert_parse(&s, WIRE_NOT_VRRP);
    LOAD(&s, golden_v3_ipv6);
    s.packet[6] = 0; /* hop-by-hop options */
    assert_parse(&s, WIRE_NOT_VRRP);
    assert_true(addr_is_none(&s.advert.source));
}

static void test_wire__ip_lengths_and_fragments__bad_ip_length(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.length = 19;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.length--;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.packet[0] = 0x44;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.packet[0] = 0x4f; /* 60 bytes of header in a packet of 36 */
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.packet[3] = 19;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.packet[6] = 0x20; /* more fragments */
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_plain);
    s.packet[7] = 1; /* not the first */
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    LOAD(&s, golden_v3_ipv6);
    s.length--;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
    s.length = 39;
    assert_parse(&s, WIRE_BAD_IP_LENGTH);
}

static void test_wire__destination__group_or_ours(void **state)
{
    struct sample s;
    struct addr addresses[VRRP_ADDRESSES_MAX];

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.packet[19] = 19;
    assert_parse(&s, WIRE_BAD_DESTINATION);
    assert_int_equal(wire_parse(s.packet, s.length, true, &s.advert, addresses), WIRE_OK);
    s.packet[8] = 64;
    assert_int_equal(wire_parse(s.packet, s.length, true, &s.advert, addresses), WIRE_BAD_TTL);
    /* The pseudo header holds the real destination: with another one that form no longer matches. */
    LOAD(&s, golden_v3_pseudo);
    s.packet[19] = 19;
    assert_int_equal(wire_parse(s.packet, s.length, true, &s.advert, addresses), WIRE_BAD_CHECKSUM);
    LOAD(&s, golden_v3_ipv6);
    s.packet[39] = 0x13;
    assert_parse(&s, WIRE_BAD_DESTINATION);
}

static void test_wire__ttl_254__refused_with_source_known(void **state)
{
    struct sample s;
    struct addr source = address("10.77.0.1");

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.packet[8] = 254;
    assert_parse(&s, WIRE_BAD_TTL);
    assert_true(addr_equal(&s.advert.source, &source));
    LOAD(&s, golden_v3_ipv6);
    s.packet[7] = 254;
    assert_parse(&s, WIRE_BAD_TTL);
}

static void set_payload_length(struct sample *s, size_t length)
{
    s->length = IPV4 + length;
    s->packet[3] = (uint8_t)s->length;
}

static void test_wire__incomplete_message__too_short(void **state)
{
    struct sample s;

    (void)state;
    for (size_t length = 0; length < 16; length++) {
        LOAD(&s, golden_v3_plain);
        set_payload_length(&s, length);
        assert_parse(&s, WIRE_TOO_SHORT);
    }
    for (size_t length = 0; length < 24; length++) {
        LOAD(&s, golden_v2);
        set_payload_length(&s, length);
        assert_parse(&s, WIRE_TOO_SHORT);
    }
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4 + 3] = 3;
    assert_parse(&s, WIRE_TOO_SHORT);
    LOAD(&s, golden_v3_ipv6);
    s.packet[IPV6 + 3] = 255;
    assert_parse(&s, WIRE_TOO_SHORT);
    assert_int_equal(s.advert.vrid, 1);
    assert_int_equal(s.advert.address_count, 0); /* none were read */
}

static void test_wire__version_and_type__refused_in_that_order(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4] = 0x42;
    assert_parse(&s, WIRE_BAD_VERSION);
    LOAD(&s, golden_v3_ipv6);
    s.packet[IPV6] = 0x21;
    assert_parse(&s, WIRE_BAD_VERSION);
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4] = 0x32;
    assert_parse(&s, WIRE_BAD_TYPE);
    assert_int_equal(s.advert.version, 3);
    assert_int_equal(s.advert.vrid, 1);
}

static void test_wire__any_flipped_bit_of_the_message__bad_checksum(void **state)
{
    struct sample s;

    (void)state;
    /* From the priority on, without the count and the fields that are judged before the checksum. */
    for (size_t bit = 8 * 4; bit < 8 * 16; bit++) {
        LOAD(&s, golden_v3_plain);
        s.packet[IPV4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_parse(&s, WIRE_BAD_CHECKSUM);
        LOAD(&s, golden_v3_ipv6);
        s.packet[IPV6 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_parse(&s, WIRE_BAD_CHECKSUM);
    }
    for (size_t bit = 8 * 4; bit < 8 * 24; bit++) {
        LOAD(&s, golden_v2);
        s.packet[IPV4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_parse(&s, WIRE_BAD_CHECKSUM);
    }
    /* IPv6 knows the pseudo header only, version 2 none: the other form is refused. */
    LOAD(&s, golden_v3_ipv6);
    uint8_t *m = s.packet + IPV6;

    m[6] = m[7] = 0;
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, m, 40));

    m[6] = (uint8_t)(sum >> 8);
    m[7] = (uint8_t)sum;
    assert_parse(&s, WIRE_BAD_CHECKSUM);
    LOAD(&s, golden_v2);
    sum = (uint16_t)~checksum_fold((uint16_t)~0x65fc + checksum_add(0, s.packet + 12, 8) + 112 + 24);
    s.packet[IPV4 + 6] = (uint8_t)(sum >> 8);
    s.packet[IPV4 + 7] = (uint8_t)sum;
    assert_parse(&s, WIRE_BAD_CHECKSUM);
}

static void test_wire__vrid_0_or_count_0__refused_by_name(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4 + 1] = 0;
    fix_checksum(&s, 16);
    assert_parse(&s, WIRE_BAD_VRID);
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4 + 3] = 0;
    fix_checksum(&s, 8);
    assert_parse(&s, WIRE_NO_ADDRESSES);
}

static void test_wire__interval_0__bad_interval(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    s.packet[IPV4 + 4] = 0xf0;
    s.packet[IPV4 + 5] = 0;
    fix_checksum(&s, 16);
    assert_parse(&s, WIRE_BAD_INTERVAL);
    LOAD(&s, golden_v2);
    s.packet[IPV4 + 5] = 0;
    fix_checksum(&s, 24);
    assert_parse(&s, WIRE_BAD_INTERVAL);
}

static void test_wire__impossible_source__bad_source(void **state)
{
    static const char *const sources[] = {"0.0.0.0", "224.0.0.18", "255.255.255.255", "fec0::1", "2001:db8::1", "::",
                                          "ff02::1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++) {
        struct sample s;
        struct addr source = address(sources[i]);
        bool ipv6 = source.family == FAMILY_IPV6;

        load(&s, ipv6 ? golden_v3_ipv6 : golden_v3_plain, ipv6 ? sizeof(golden_v3_ipv6) : sizeof(golden_v3_plain));
        assert_parse(&s, WIRE_OK);
        s.advert.source = source;
        s.length = wire_encode(&s.advert, s.packet, sizeof(s.packet));
        assert_parse(&s, WIRE_BAD_SOURCE);
    }
}

static void test_wire__carp__counted_apart_with_its_vhid(void **state)
{
    struct sample s;

    (void)state;
    LOAD(&s, golden_v3_plain);
    memcpy(s.packet + IPV4, (const uint8_t[]){0x21, 9, 0, 7, 0, 1, 0x12, 0x34}, 8);
    set_payload_length(&s, 36);
    assert_parse(&s, WIRE_CARP);
    assert_int_equal(s.advert.vrid, 9);
    set_payload_length(&s, 35);
    assert_parse(&s, WIRE_TOO_SHORT);
    LOAD(&s, golden_v3_ipv6);
    memcpy(s.packet + IPV6, (const uint8_t[]){0x21, 9, 0, 7}, 4);
    s.packet[5] = 36;
    assert_parse(&s, WIRE_CARP);
}

static void test_wire__most_addresses__fit_or_are_refused(void **state)
{
    struct sample s;
    struct addr many[VRRP_ADDRESSES_MAX];
    struct advert advert = {.source = address("192.0.2.1"), .destination = wire_group(FAMILY_IPV4), .version = 2,
                            .vrid = 255, .priority = 255, .interval_us = 255000000, .address_count = 255,
                            .addresses = many};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(many); i++)
        many[i] = (struct addr){.family = FAMILY_IPV4, .bytes = {198, 51, 100, (uint8_t)i}};
    s.length = wire_encode(&advert, s.packet, sizeof(s.packet));
    assert_int_equal(s.length, 1056);
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.address_count, 255);
    assert_memory_equal(s.addresses, many, sizeof(many));
    assert_int_equal(s.advert.interval_us, 255000000);

    for (unsigned i = 0; i < ARRAY_LENGTH(many); i++)
        many[i] = addr_virtual_link_local((uint8_t)i);
    advert.version = 3;
    advert.source = address("fe80::1");
    advert.destination = wire_group(FAMILY_IPV6);
    advert.interval_us = 40950000;
    advert.address_count = WIRE_IPV6_ADDRESSES_MAX;
    s.length = wire_encode(&advert, s.packet, sizeof(s.packet));
    assert_int_equal(s.length, 1488);
    assert_parse(&s, WIRE_OK);
    assert_int_equal(s.advert.interval_us, 40950000);
    advert.address_count++;
    assert_int_equal(wire_encode(&advert, s.packet, sizeof(s.packet)), 0);
}

static void test_wire__not_representable__not_encoded(void **state)
{
    static const struct {
        uint8_t version;
        uint32_t interval_us;
    } bad[] = {{2, 0},       {2, 500000},   {2, 256000000}, {3, 0},      {3, 5000},
               {3, 1005000}, {3, 40960000}, {1, 1000000},   {4, 1000000}};
    struct sample s;
    struct advert advert;
    uint8_t packet[WIRE_PACKET_MAX];

    (void)state;
    LOAD(&s, golden_v3_plain);
    assert_parse(&s, WIRE_OK);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        advert = s.advert;
        advert.version = bad[i].version;
        advert.interval_us = bad[i].interval_us;
        assert_int_equal(wire_encode(&advert, packet, sizeof(packet)), 0);
    }
    for (int field = 0; field < 4; field++) {
        advert = s.advert;
        advert.vrid = field == 0 ? 0 : advert.vrid;
        advert.checksum = field == 1 ? WIRE_CHECKSUM_AUTO : advert.checksum;
        advert.destination = field == 2 ? wire_group(FAMILY_IPV6) : advert.destination;
        advert.source = field == 3 ? ADDR_NONE : advert.source;
        assert_int_equal(wire_encode(&advert, packet, sizeof(packet)), 0);
    }
    s.addresses[1] = address("fe80::1");
    assert_int_equal(wire_encode(&s.advert, packet, sizeof(packet)), 0);
    LOAD(&s, golden_v3_ipv6);
    assert_parse(&s, WIRE_OK);
    s.advert.version = 2;
    s.advert.interval_us = 1000000;
    assert_int_equal(wire_encode(&s.advert, packet, sizeof(packet)), 0);
}

static void test_wire__all_lengths_and_first_bytes__one_result_each(void **state)
{
    struct sample s;

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (size_t length = 0; length <= 80; length++) {
            LOAD(&s, golden_v3_plain);
            set_payload_length(&s, length);
            s.packet[IPV4] = (uint8_t)first;
            assert_in_range(parse(&s), WIRE_OK, WIRE_RESULT_COUNT - 1);
        }
    }
}

static void test_wire__names_and_macs__as_documented(void **state)
{
    uint8_t mac[6];

    (void)state;
    for (int i = 0; i < WIRE_RESULT_COUNT; i++)
        assert_non_null(wire_result_name((enum wire_result)i));
    assert_string_equal(wire_result_name(WIRE_BAD_TTL), "bad_ttl");
    wire_virtual_mac(FAMILY_IPV4, 0x32, mac);
    assert_memory_equal(mac, ((const uint8_t[]){0, 0, 0x5e, 0, 1, 0x32}), 6);
    wire_virtual_mac(FAMILY_IPV6, 0x32, mac);
    assert_memory_equal(mac, ((const uint8_t[]){0, 0, 0x5e, 0, 2, 0x32}), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__captured_v2__parsed_and_made_again),
        cmocka_unit_test(test_wire__captured_v3_ipv4_in_both_forms__parsed_and_made_again),
        cmocka_unit_test(test_wire__captured_v3_ipv6__parsed_and_made_again),
        cmocka_unit_test(test_wire__tolerated_oddities__accepted),
        cmocka_unit_test(test_wire__ipv4_options__message_found_behind_them),
        cmocka_unit_test(test_wire__v2_authentication__handed_through),
        cmocka_unit_test(test_wire__not_ours__not_vrrp),
        cmocka_unit_test(test_wire__ip_lengths_and_fragments__bad_ip_length),
        cmocka_unit_test(test_wire__destination__group_or_ours),
        cmocka_unit_test(test_wire__ttl_254__refused_with_source_known),
        cmocka_unit_test(test_wire__incomplete_message__too_short),
        cmocka_unit_test(test_wire__version_and_type__refused_in_that_order),
        cmocka_unit_test(test_wire__any_flipped_bit_of_the_message__bad_checksum),
        cmocka_unit_test(test_wire__vrid_0_or_count_0__refused_by_name),
        cmocka_unit_test(test_wire__interval_0__bad_interval),
        cmocka_unit_test(test_wire__impossible_source__bad_source),
        cmocka_unit_test(test_wire__carp__counted_apart_with_its_vhid),
        cmocka_unit_test(test_wire__most_addresses__fit_or_are_refused),
        cmocka_unit_test(test_wire__not_representable__not_encoded),
        cmocka_unit_test(test_wire__all_lengths_and_first_bytes__one_result_each),
        cmocka_unit_test(test_wire__names_and_macs__as_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
