/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: what is built is what the RFCs say, byte by byte; read back it means the same; anything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/prng.h"
#include "platform/frame.h"

static const uint8_t OUR_MAC[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t VIRTUAL_MAC[6] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x07};

static struct addr parse(const char *text)
{
    struct addr address;

    assert_true(addr_parse(text, &address));
    return address;
}

static void assert_addr(const struct addr *address, const char *expected)
{
    char text[ADDR_TEXT_MAX];

    assert_string_equal(addr_format(address, text), expected);
}

/* Without an MMU's help a read past the end is not seen: the frame is put at the end of a block of its own size. */
static void read_exactly(const uint8_t *frame, size_t length, struct frame_view *out)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, frame, length);
    frame_read(copy, length, OUR_MAC, out);
    if (out->kind == FRAME_VRRP)
        assert_ptr_equal(out->packet, copy + FRAME_ETHERNET_HEADER);
    out->packet = NULL;
    free(copy);
}

static void test_gratuitous_arp__of_a_vip__has_the_rfcs_bytes(void **state)
{
    static const uint8_t expected[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 0x08, 0x06, /* Ethernet */
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,                                     /* request */
        0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 192,  0,    2,    50,                           /* sender */
        0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 192,  0,    2,    50,                           /* target */
    };
    struct addr vip = parse("192.0.2.50");
    uint8_t frame[FRAME_MAX];
    struct frame_view view;

    (void)state;
    assert_int_equal(frame_gratuitous_arp(VIRTUAL_MAC, &vip, frame, sizeof(frame)), sizeof(expected));
    assert_memory_equal(frame, expected, sizeof(expected));
    read_exactly(frame, sizeof(expected), &view);
    assert_int_equal(view.kind, FRAME_CLAIM);
    assert_false(view.to_us);
    assert_addr(&view.sender, "192.0.2.50");
    assert_memory_equal(view.sender_mac, VIRTUAL_MAC, 6);
}

static void test_unsolicited_na__of_a_vip__has_the_rfcs_bytes_and_checksum(void **state)
{
    /* As scapy makes it for 2001:db8::53 at 00:00:5e:00:01:07, R and O set. */
    static const uint8_t expected[] = {
        0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x07, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00,
        0x00, 0x20, 0x3a, 0xff, 0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
        0,    0x53, 0xff, 0x02, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x01,
        0x88, 0x00, 0x1b, 0x80, 0xa0, 0x00, 0x00, 0x00, 0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    0x53, 0x02, 0x01, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x07,
    };
    struct addr vip = parse("2001:db8::53");
    uint8_t frame[FRAME_MAX];
    struct frame_view view;

    (void)state;
    assert_int_equal(frame_unsolicited_na(VIRTUAL_MAC, &vip, true, frame, sizeof(frame)), sizeof(expected));
    assert_memory_equal(frame, expected, sizeof(expected));
    read_exactly(frame, sizeof(expected), &view);
    assert_int_equal(view.kind, FRAME_CLAIM);
    assert_addr(&view.sender, "2001:db8::53");
    assert_memory_equal(view.sender_mac, VIRTUAL_MAC, 6);
    assert_int_equal(frame_unsolicited_na(VIRTUAL_MAC, &vip, false, frame, sizeof(frame)), sizeof(expected));
    assert_int_equal(frame[58], 0x20);
}

static void test_vrrp__over_each_family__goes_to_the_groups_mac(void **state)
{
    uint8_t packet4[36] = {0x45, [9] = 112, [16] = 224, 0, 0, 18};
    uint8_t packet6[64] = {0x60, [6] = 112, [24] = 0xff, 0x02, [39] = 0x12};
    static const uint8_t mac4[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}, mac6[6] = {0x33, 0x33, 0x00, 0x00, 0x00, 0x12};
    uint8_t frame[FRAME_MAX];
    struct frame_view view;

    (void)state;
    assert_int_equal(frame_vrrp(VIRTUAL_MAC, packet4, sizeof(packet4), frame, sizeof(frame)), 14 + sizeof(packet4));
    assert_memory_equal(frame, mac4, 6);
    assert_memory_equal(frame + 6, VIRTUAL_MAC, 6);
    assert_memory_equal(frame + 14, packet4, sizeof(packet4));
    read_exactly(frame, 14 + sizeof(packet4), &view);
    assert_int_equal(view.kind, FRAME_VRRP);
    assert_int_equal(view.packet_length, sizeof(packet4));
    assert_int_equal(frame_vrrp(VIRTUAL_MAC, packet6, sizeof(packet6), frame, sizeof(frame)), 14 + sizeof(packet6));
    assert_memory_equal(frame, mac6, 6);
    read_exactly(frame, 14 + sizeof(packet6), &view);
    assert_int_equal(view.kind, FRAME_VRRP);
}

static void test_building__what_does_not_fit_or_belong__is_refused(void **state)
{
    uint8_t unicast[20] = {0x45, [9] = 112, [16] = 192, 0, 2, 1}, short_packet[19] = {0x45, [16] = 224};
    struct addr ipv4 = parse("192.0.2.1"), ipv6 = parse("2001:db8::1"), none = ADDR_NONE;
    uint8_t frame[FRAME_MAX];

    (void)state;
    assert_int_equal(frame_vrrp(OUR_MAC, unicast, sizeof(unicast), frame, sizeof(frame)), 0);
    assert_int_equal(frame_vrrp(OUR_MAC, short_packet, sizeof(short_packet), frame, sizeof(frame)), 0);
    unicast[16] = 224;
    assert_int_equal(frame_vrrp(OUR_MAC, unicast, sizeof(unicast), frame, 33), 0);
    assert_int_equal(frame_vrrp(OUR_MAC, unicast, sizeof(unicast), frame, 34), 34);
    assert_int_equal(frame_gratuitous_arp(OUR_MAC, &ipv6, frame, sizeof(frame)), 0);
    assert_int_equal(frame_gratuitous_arp(OUR_MAC, &ipv4, frame, 41), 0);
    assert_int_equal(frame_unsolicited_na(OUR_MAC, &ipv4, true, frame, sizeof(frame)), 0);
    assert_int_equal(frame_unsolicited_na(OUR_MAC, &ipv6, true, frame, 85), 0);
    assert_int_equal(frame_probe(OUR_MAC, &ipv4, &ipv6, frame, sizeof(frame)), 0);
    assert_int_equal(frame_probe(OUR_MAC, &none, &none, frame, sizeof(frame)), 0);
}

/* The question of a host without an address (RFC 5227): sender 0.0.0.0. IPv6 has none: it would be duplicate detection.
 */
static void test_probe__no_source__asks_from_nobody_in_ipv4_only(void **state)
{
    struct addr ipv4 = parse("192.0.2.51"), ipv6 = parse("2001:db8::51"), none = ADDR_NONE;
    static const uint8_t nobody[4] = {0};
    uint8_t frame[FRAME_MAX];

    (void)state;
    assert_int_equal(frame_probe(OUR_MAC, &none, &ipv4, frame, sizeof(frame)), 42);
    assert_memory_equal(frame + 28, nobody, sizeof(nobody));
    assert_memory_equal(frame + 38, ipv4.bytes, 4);
    assert_int_equal(frame_probe(OUR_MAC, &none, &ipv6, frame, sizeof(frame)), 0);
}

static void test_probe__ipv4__is_an_ordinary_request(void **state)
{
    struct addr source = parse("192.0.2.1"), target = parse("192.0.2.254");
    uint8_t frame[FRAME_MAX];
    struct frame_view view;
    size_t length = frame_probe(OUR_MAC, &source, &target, frame, sizeof(frame));

    (void)state;
    assert_int_equal(length, 42);
    read_exactly(frame, length, &view);
    assert_int_equal(view.kind, FRAME_ARP_REQUEST);
    assert_addr(&view.sender, "192.0.2.1");
    assert_addr(&view.target, "192.0.2.254");
    assert_memory_equal(frame + 32, "\0\0\0\0\0\0", 6);
}

static void test_probe__ipv6__goes_to_the_solicited_node_group(void **state)
{
    static const uint8_t mac[6] = {0x33, 0x33, 0xff, 0x34, 0x56, 0x78};
    struct addr source = parse("fe80::1"), target = parse("2001:db8::1234:5678");
    uint8_t frame[FRAME_MAX];
    struct frame_view view;
    size_t length = frame_probe(OUR_MAC, &source, &target, frame, sizeof(frame));

    (void)state;
    assert_int_equal(length, 86);
    assert_memory_equal(frame, mac, 6);
    assert_int_equal(frame[54], 135);
    read_exactly(frame, length, &view);
    assert_int_equal(view.kind, FRAME_OTHER); /* questions of others are not ours to answer */
}

/* An ARP frame with each of its fields replaceable. */
static size_t make_arp(uint8_t *frame, uint8_t operation, const char *sender, const char *target)
{
    struct addr s = parse(sender), t = parse(target);
    size_t length = frame_probe(VIRTUAL_MAC, &s, &t, frame, FRAME_MAX);

    assert_int_equal(length, 42);
    frame[21] = operation;
    return length;
}

static void test_read_arp__reply_to_us__is_a_claim_to_us(void **state)
{
    uint8_t frame[FRAME_MAX];
    struct frame_view view;
    size_t length = make_arp(frame, 2, "192.0.2.254", "192.0.2.1");

    (void)state;
    memcpy(frame, OUR_MAC, 6);
    read_exactly(frame, length, &view);
    assert_int_equal(view.kind, FRAME_CLAIM);
    assert_true(view.to_us);
    assert_addr(&view.sender, "192.0.2.254");
    assert_addr(&view.target, "192.0.2.1");
    assert_memory_equal(view.source_mac, VIRTUAL_MAC, 6);
}

static void test_read_arp__conflict_probe__asks_for_nobody(void **state)
{
    uint8_t frame[FRAME_MAX];
    struct frame_view view;
    size_t length = make_arp(frame, 1, "0.0.0.0", "192.0.2.1");

    (void)state;
    read_exactly(frame, length, &view);
    assert_int_equal(view.kind, FRAME_ARP_REQUEST);
    assert_true(addr_is_none(&view.sender));
    length = make_arp(frame, 2, "0.0.0.0", "0.0.0.0");
    read_exactly(frame, length, &view);
    assert_int_equal(view.kind, FRAME_OTHER);
}

static void test_read_arp__wrong_field__is_of_no_interest(void **state)
{
    static const unsigned offsets[] = {12, 14, 15, 16, 18, 19, 20, 21};
    uint8_t frame[FRAME_MAX];
    struct frame_view view;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(offsets); i++) {
        size_t length = make_arp(frame, 1, "192.0.2.254", "192.0.2.1");

        frame[offsets[i]] ^= 0x40;
        read_exactly(frame, length, &view);
        assert_int_equal(view.kind, FRAME_OTHER);
        assert_true(addr_is_none(&view.sender));
    }
}

static size_t make_na(uint8_t *frame)
{
    struct addr vip = parse("2001:db8::53");

    return frame_unsolicited_na(VIRTUAL_MAC, &vip, false, frame, FRAME_MAX);
}

static void fix_checksum(uint8_t *frame)
{
    size_t payload = (size_t)frame[18] << 8 | frame[19];
    uint32_t sum = 58 + (uint32_t)payload;

    frame[56] = frame[57] = 0;
    for (size_t i = 22; i + 1 < 54 + payload + (payload & 1); i += 2)
        sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    frame[56] = (uint8_t)(~sum >> 8);
    frame[57] = (uint8_t)~sum;
}

static enum frame_kind kind_of_na(uint8_t *frame, size_t length)
{
    struct frame_view view;

    read_exactly(frame, length, &view);
    return (enum frame_kind)view.kind;
}

static void test_read_na__what_rfc_4861_7_1_2_refuses__is_of_no_interest(void **state)
{
    static const struct {
        unsigned offset;
        uint8_t value;
    } faults[] = {
        {20, 43},   /* an extension header */
        {21, 254},  /* hop limit */
        {54, 135},  /* type */
        {55, 1},    /* code */
        {58, 0x60}, /* solicited, to a multicast group */
        {62, 0xff}, /* multicast target */
        {79, 0},    /* option of length 0 */
        {79, 2},    /* option longer than the message */
    };
    uint8_t frame[FRAME_MAX];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(faults); i++) {
        size_t length = make_na(frame);

        fix_checksum(frame);
        assert_int_equal(kind_of_na(frame, length), FRAME_CLAIM);
        frame[faults[i].offset] = faults[i].value;
        fix_checksum(frame);
        assert_int_equal(kind_of_na(frame, length), FRAME_OTHER);
    }
}

static void test_read_na__any_flipped_bit__is_noticed_by_the_checksum(void **state)
{
    uint8_t frame[FRAME_MAX];
    size_t length = make_na(frame);

    (void)state;
    for (size_t bit = 22 * 8; bit < length * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(kind_of_na(frame, length), FRAME_OTHER);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_read_na__without_option__names_the_ethernet_source(void **state)
{
    uint8_t frame[FRAME_MAX];
    struct frame_view view;
    size_t length = make_na(frame);

    (void)state;
    frame[19] = 24;
    memcpy(frame + 6, OUR_MAC, 6);
    fix_checksum(frame);
    read_exactly(frame, length, &view); /* what follows the message is padding */
    assert_int_equal(view.kind, FRAME_CLAIM);
    assert_memory_equal(view.sender_mac, OUR_MAC, 6);
}

static void test_read__every_truncation__is_safe_and_never_half_read(void **state)
{
    uint8_t frame[FRAME_MAX];
    struct frame_view view;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        size_t full = kind == 0 ? make_na(frame) : make_arp(frame, 2, "192.0.2.254", "192.0.2.1");

        for (size_t length = 0; length < full; length++) {
            read_exactly(frame, length, &view);
            assert_int_equal(view.kind, FRAME_OTHER);
            assert_true(addr_is_none(&view.sender));
        }
    }
}

static void test_read__cut_off_vrrp__goes_to_the_codec_that_counts_it(void **state)
{
    uint8_t frame[24] = {[12] = 0x08, [13] = 0x00, [14] = 0x45, [23] = 112};
    struct frame_view view;

    (void)state;
    read_exactly(frame, sizeof(frame), &view);
    assert_int_equal(view.kind, FRAME_VRRP);
    assert_int_equal(view.packet_length, 10);
    read_exactly(frame, sizeof(frame) - 1, &view);
    assert_int_equal(view.kind, FRAME_OTHER);
    frame[23] = 17;
    read_exactly(frame, sizeof(frame), &view);
    assert_int_equal(view.kind, FRAME_OTHER);
}

static void test_read__vlan_tag_in_the_frame__is_of_no_interest(void **state)
{
    uint8_t frame[46] = {[12] = 0x81, [13] = 0x00, [15] = 5, [16] = 0x08, [17] = 0x06};
    struct frame_view view;

    (void)state;
    read_exactly(frame, sizeof(frame), &view);
    assert_int_equal(view.kind, FRAME_OTHER);
}

static void test_read__random_bytes_behind_a_valid_header__are_safe(void **state)
{
    static const uint8_t types[][2] = {{0x08, 0x00}, {0x08, 0x06}, {0x86, 0xdd}};
    struct prng random = prng_seed(4861);
    uint8_t frame[160];
    struct frame_view view;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        for (size_t i = 0; i < sizeof(frame); i++)
            frame[i] = (uint8_t)prng_next(&random);
        memcpy(frame + 12, types[round % ARRAY_LENGTH(types)], 2);
        frame[20] = prng_below(&random, 2) ? 58 : frame[20];
        read_exactly(frame, (size_t)prng_below(&random, sizeof(frame) + 1), &view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gratuitous_arp__of_a_vip__has_the_rfcs_bytes),
        cmocka_unit_test(test_unsolicited_na__of_a_vip__has_the_rfcs_bytes_and_checksum),
        cmocka_unit_test(test_vrrp__over_each_family__goes_to_the_groups_mac),
        cmocka_unit_test(test_building__what_does_not_fit_or_belong__is_refused),
        cmocka_unit_test(test_probe__ipv4__is_an_ordinary_request),
        cmocka_unit_test(test_probe__ipv6__goes_to_the_solicited_node_group),
        cmocka_unit_test(test_probe__no_source__asks_from_nobody_in_ipv4_only),
        cmocka_unit_test(test_read_arp__reply_to_us__is_a_claim_to_us),
        cmocka_unit_test(test_read_arp__conflict_probe__asks_for_nobody),
        cmocka_unit_test(test_read_arp__wrong_field__is_of_no_interest),
        cmocka_unit_test(test_read_na__what_rfc_4861_7_1_2_refuses__is_of_no_interest),
        cmocka_unit_test(test_read_na__any_flipped_bit__is_noticed_by_the_checksum),
        cmocka_unit_test(test_read_na__without_option__names_the_ethernet_source),
        cmocka_unit_test(test_read__every_truncation__is_safe_and_never_half_read),
        cmocka_unit_test(test_read__cut_off_vrrp__goes_to_the_codec_that_counts_it),
        cmocka_unit_test(test_read__vlan_tag_in_the_frame__is_of_no_interest),
        cmocka_unit_test(test_read__random_bytes_behind_a_valid_header__are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
