/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an instance accepts and what it refuses, under which name: codec, version, authentication, peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "instance_rig.h"

#define SECOND ((int64_t)US_PER_S)

static struct rig *started(unsigned version, enum family family, unsigned priority)
{
    struct rig *rig = rig_new(1, version, family);

    rig->instances[0].priority = (uint8_t)priority;
    rig_start(rig);
    return rig;
}

/* The IP header's checksum does not matter to us; the message's does. */
static size_t encode(const struct advert *advert, uint8_t packet[static WIRE_PACKET_MAX])
{
    size_t length = wire_encode(advert, packet, WIRE_PACKET_MAX);

    assert_true(length > 0);
    return length;
}

static void sum_again(uint8_t *message, size_t length)
{
    uint32_t sum = 0;

    message[6] = message[7] = 0;
    for (size_t i = 0; i < length; i += 2) {
        sum += (uint32_t)message[i] << 8 | (i + 1 < length ? message[i + 1] : 0);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    message[6] = (uint8_t)(~sum >> 8);
    message[7] = (uint8_t)~sum;
}

/* --- 7 to 20: what is accepted and what is refused --- */

static void test_hear__both_checksum_forms__backup(void **state)
{
    (void)state;
    for (unsigned form = WIRE_CHECKSUM_PLAIN; form <= WIRE_CHECKSUM_PSEUDO; form++) {
        struct rig *rig = started(3, FAMILY_IPV4, 100);
        struct advert advert = rig_advert(rig, 2, 0, 200);
        advert.checksum = (uint8_t)form;
        for (unsigned i = 0; i < 10; i++) {
            rig_hear_advert(rig, &advert);
            rig_run(rig, RIG_INTERVAL_US);
        }
        assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
        assert_int_equal(rig_counters(rig, 0).adverts_received, 10);
        rig_free(rig);
    }
}

struct refusal_case {
    const char *name;
    unsigned version;
    enum family family;
    enum instance_refusal refusal;
    enum wire_result wire; /* WIRE_OK: refused by the instance alone */
    void (*spoil)(struct advert *advert);
    size_t at; /* byte of the packet that is changed, after encoding; 0: none */
    uint8_t value;
    bool sum; /* the message's checksum is made right again */
};

static void spoil_version_2(struct advert *advert)
{
    advert->version = 2;
    advert->interval_us = US_PER_S;
}

static void spoil_version_3(struct advert *advert)
{
    advert->version = 3;
}

static void spoil_interval(struct advert *advert)
{
    advert->interval_us = 2 * US_PER_S;
}

static void spoil_auth_type_1(struct advert *advert)
{
    advert->auth_type = 1;
}

static void spoil_auth_type_9(struct advert *advert)
{
    advert->auth_type = 9;
}

static void spoil_source(struct advert *advert)
{
    advert->source = rig_address((enum family)advert->source.family, RIG_SELF);
}

static void spoil_list_ipv6(struct advert *advert)
{
    advert->source = addr_from_bytes(FAMILY_IPV6, (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 2});
}

static const struct refusal_case refusal_cases[] = {
    {"checksum", 3, FAMILY_IPV4, REFUSED_CHECKSUM, WIRE_BAD_CHECKSUM, NULL, 27, 0x55, false},
    {"checksum v2", 2, FAMILY_IPV4, REFUSED_CHECKSUM, WIRE_BAD_CHECKSUM, NULL, 27, 0x55, false},
    {"checksum v6", 3, FAMILY_IPV6, REFUSED_CHECKSUM, WIRE_BAD_CHECKSUM, NULL, 47, 0x55, false},
    {"ttl", 3, FAMILY_IPV4, REFUSED_TTL, WIRE_BAD_TTL, NULL, 8, 254, false},
    {"hop limit", 3, FAMILY_IPV6, REFUSED_TTL, WIRE_BAD_TTL, NULL, 7, 254, false},
    {"type", 3, FAMILY_IPV4, REFUSED_TYPE, WIRE_BAD_TYPE, NULL, 20, 0x32, true},
    {"version 2 to 3", 3, FAMILY_IPV4, REFUSED_VERSION, WIRE_OK, spoil_version_2, 0, 0, false},
    {"version 3 to 2", 2, FAMILY_IPV4, REFUSED_VERSION, WIRE_OK, spoil_version_3, 0, 0, false},
    {"version 4", 3, FAMILY_IPV4, REFUSED_VERSION, WIRE_BAD_VERSION, NULL, 20, 0x41, true},
    {"more addresses than bytes", 3, FAMILY_IPV4, REFUSED_LENGTH, WIRE_TOO_SHORT, NULL, 23, 3, true},
    {"count 0", 3, FAMILY_IPV4, REFUSED_NO_ADDRESSES, WIRE_NO_ADDRESSES, NULL, 23, 0, true},
    {"interval 0", 3, FAMILY_IPV4, REFUSED_INTERVAL, WIRE_BAD_INTERVAL, NULL, 25, 0, true},
    {"interval 0 v2", 2, FAMILY_IPV4, REFUSED_INTERVAL, WIRE_BAD_INTERVAL, NULL, 25, 0, true},
    {"other interval v2", 2, FAMILY_IPV4, REFUSED_INTERVAL, WIRE_OK, spoil_interval, 0, 0, false},
    {"password where none is", 2, FAMILY_IPV4, REFUSED_AUTH_MISMATCH, WIRE_OK, spoil_auth_type_1, 0, 0, false},
    {"unknown authentication", 2, FAMILY_IPV4, REFUSED_AUTH_INVALID, WIRE_OK, spoil_auth_type_9, 0, 0, false},
    {"our own", 3, FAMILY_IPV4, REFUSED_LOOPED, WIRE_OK, spoil_source, 0, 0, false},
    {"our own v6", 3, FAMILY_IPV6, REFUSED_LOOPED, WIRE_OK, spoil_source, 0, 0, false},
    {"global source", 3, FAMILY_IPV6, REFUSED_SOURCE, WIRE_BAD_SOURCE, spoil_list_ipv6, 0, 0, false},
};

/* The message without what follows it. */
static size_t message_length(const struct refusal_case *c, size_t packet_length, size_t header)
{
    bool as_sent = c->at != 23;
    return as_sent ? packet_length - header : c->value == 0 ? 8 : packet_length - header;
}

static void check_refusal(const struct refusal_case *c)
{
    struct rig *rig = started(c->version, c->family, 100);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    uint8_t packet[WIRE_PACKET_MAX];
    struct link_counters link;
    size_t header = c->family == FAMILY_IPV4 ? 20 : 40;
    int64_t limit_us = 4 * rig->units[0].advert_interval_us;

    if (c->spoil != NULL) {
        c->spoil(&advert);
    }
    size_t length = encode(&advert, packet);
    if (c->at != 0) {
        packet[c->at] = c->value;
    }
    if (c->sum) {
        sum_again(packet + header, message_length(c, length, header));
    }
    rig_hear_packet(rig, packet, length);
    rig_hear_packet(rig, packet, length);
    struct instance_counters counters = rig_counters(rig, 0);
    core_view_link_counters(rig->core, 0, &link);
    for (unsigned r = 0; r < INSTANCE_REFUSAL_COUNT; r++) {
        if (counters.refused[r] != (r == c->refusal ? 2u : 0u)) {
            fail_msg("%s: %s counted %u", c->name, instance_refusal_name((enum instance_refusal)r),
                     (unsigned)counters.refused[r]);
        }
    }
    assert_int_equal(counters.last_refused, c->refusal);
    assert_int_equal(link.refused[c->wire], 2);
    assert_int_equal(counters.adverts_received, 0);
    if (rig_until_active(rig, 0, limit_us) < 0) { /* what was refused has moved no timer */
        fail_msg("%s: not Active after the Active_Down_Interval", c->name);
    }
    int64_t down_us = c->version == 2 ? 3609375 : RIG_DOWN_US;
    assert_int_equal(rig->now_us - 100 * SECOND, down_us);
    rig_free(rig);
}

static void test_hear__refused__counted_by_name_and_without_effect(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(refusal_cases) / sizeof(refusal_cases[0]); i++) {
        check_refusal(&refusal_cases[i]);
    }
}

static void test_hear__unknown_vrid__counted_for_the_link(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    struct link_counters link;

    advert.vrid = 9;
    rig_hear_advert(rig, &advert);
    core_view_link_counters(rig->core, 0, &link);
    assert_int_equal(link.unknown_vrid, 1);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 0);
    rig_free(rig);
}

/* Every length, every first byte of the message: nothing crashes, and each packet is counted once. */
static void test_hear__any_bytes__exactly_one_counter(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 50);
    uint8_t whole[WIRE_PACKET_MAX] = {0}, packet[WIRE_PACKET_MAX];
    uint64_t counted = 0;

    encode(&advert, whole);
    for (unsigned length = 0; length <= 80; length++) {
        for (unsigned first = 0; first < 256; first++) {
            memcpy(packet, whole, sizeof(packet));
            packet[3] = (uint8_t)length;
            packet[20] = (uint8_t)first;
            rig_hear_packet(rig, packet, length);
            rig_mark(rig);
        }
    }
    struct link_counters link;
    core_view_link_counters(rig->core, 0, &link);
    for (unsigned result = 0; result < WIRE_RESULT_COUNT; result++) {
        counted += link.refused[result];
    }
    assert_int_equal(counted, 81 * 256);
    struct instance_counters counters = rig_counters(rig, 0);
    assert_int_equal(counters.refused[REFUSED_VERSION] + counters.refused[REFUSED_TYPE] +
                         counters.refused[REFUSED_LENGTH] + counters.refused[REFUSED_CHECKSUM] +
                         counters.adverts_received,
                     counted - link.refused[WIRE_NOT_VRRP] - link.refused[WIRE_BAD_IP_LENGTH] - 2u * 256u);
    rig_free(rig);
}

static void test_hear__an_instance_without_addresses__elects_like_any_other(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);
    rig->units[0].address_count = 0;
    rig_start(rig);
    assert_true(rig_until_active(rig, 0, 2 * SECOND) > 0);
    rig_mark(rig);
    rig_run(rig, SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->length, 20 + 8);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    advert.address_count = 0;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 1);
    assert_int_equal(rig_counters(rig, 0).address_list_differs, 0);
    rig_free(rig);
}

static void test_hear__reserved_bits_set__ignored(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    uint8_t packet[WIRE_PACKET_MAX];
    size_t length = encode(&advert, packet);

    packet[24] |= 0xf0;
    sum_again(packet + 20, length - 20);
    rig_hear_packet(rig, packet, length);
    assert_int_equal(rig_view(rig, 0).holder_interval_us, RIG_INTERVAL_US);
    assert_int_equal(rig_counters(rig, 0).interval_differs, 0);
    rig_free(rig);
}

static void test_hear__trailing_bytes_and_ip_options__accepted(void **state)
{
    (void)state;
    struct rig *rig = started(3, FAMILY_IPV4, 100);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    uint8_t packet[WIRE_PACKET_MAX], options[WIRE_PACKET_MAX] = {0};
    size_t length = encode(&advert, packet);

    memset(packet + length, 0xee, 28);
    packet[3] = (uint8_t)(length + 28);
    rig_hear_packet(rig, packet, length + 28);
    packet[3] = (uint8_t)(length + 8);
    rig_hear_packet(rig, packet, length + 8);
    memcpy(options, packet, 20);
    memcpy(options + 24, packet + 20, length - 20);
    options[0] = 0x46;
    options[3] = (uint8_t)(length + 4);
    rig_hear_packet(rig, options, length + 4);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 3);
    rig_free(rig);
}

static void test_hear__another_list__accepted_and_counted(void **state)
{
    (void)state;
    for (unsigned version = 2; version <= 3; version++) {
        struct rig *rig = started(version, FAMILY_IPV4, 100);
        struct advert advert = rig_advert(rig, 2, 0, 200);
        struct addr other[2] = {rig_address(FAMILY_IPV4, 90), rig_address(FAMILY_IPV4, 50)};
        advert.addresses = other;
        rig_hear_advert(rig, &advert);
        advert.address_count = 2;
        rig_hear_advert(rig, &advert);
        struct instance_counters counters = rig_counters(rig, 0);
        assert_int_equal(counters.address_list_differs, 2);
        assert_int_equal(counters.adverts_received, 2);
        assert_int_equal(rig_notes(rig, NOTE_ADDRESS_LIST), 1); /* told once */
        assert_true(rig_view(rig, 0).address_list_differs);
        rig_hear(rig, 2, 0, 200);
        assert_false(rig_view(rig, 0).address_list_differs);
        rig_free(rig);
    }
}

static void test_hear__skip_check_addresses__compared_once_per_sender(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);
    struct addr other = rig_address(FAMILY_IPV4, 90);

    rig->instances[0].skip_check_addresses = true;
    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    advert.addresses = &other;
    rig_hear_advert(rig, &advert);
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_counters(rig, 0).address_list_differs, 1);
    rig_free(rig);
}

/* --- authentication --- */

static void test_auth__demanded__wrong_and_missing_counted_apart(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2, FAMILY_IPV4);

    rig->instances[0].auth_type = 1;
    memcpy(rig->instances[0].auth, "secret", 6);
    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    rig_hear_advert(rig, &advert);
    advert.auth[7] = 'x';
    rig_hear_advert(rig, &advert);
    advert.auth_type = 0;
    rig_hear_advert(rig, &advert);
    advert.auth_type = 2; /* an authentication header */
    rig_hear_advert(rig, &advert);
    advert.auth_type = 3;
    rig_hear_advert(rig, &advert);
    struct instance_counters counters = rig_counters(rig, 0);
    assert_int_equal(counters.adverts_received, 1);
    assert_int_equal(counters.refused[REFUSED_AUTH_FAILURE], 1);
    assert_int_equal(counters.refused[REFUSED_AUTH_MISMATCH], 2);
    assert_int_equal(counters.refused[REFUSED_AUTH_INVALID], 1);
    rig_free(rig);
}

/* --- unicast --- */

static struct rig *unicast(void)
{
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->peers[0] = (struct peer_settings){rig_address(FAMILY_IPV4, 2), 0, 255};
    rig->peers[1] = (struct peer_settings){rig_address(FAMILY_IPV4, 3), 250, 254};
    rig->instances[0].unicast = true;
    rig->instances[0].unicast_ttl = 64;
    rig->instances[0].peers = rig->peers;
    rig->instances[0].peer_count = 2;
    return rig;
}

static void test_unicast__active__one_packet_per_peer(void **state)
{
    (void)state;
    struct rig *rig = unicast();

    rig->units[0].checksum = WIRE_CHECKSUM_PSEUDO;
    rig_start(rig);
    assert_true(rig_until_active(rig, 0, SECOND) > 0);
    assert_int_equal(rig_sends(rig, 0, 100), 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct logged *sent = rig_packet(rig, 0, i);
        struct addr addresses[VRRP_ADDRESSES_MAX];
        struct advert advert;
        assert_int_equal(wire_parse(sent->packet, sent->length, true, &advert, addresses), WIRE_OK);
        assert_true(addr_equal(&advert.destination, &rig->peers[i].address));
        assert_int_equal(advert.ttl, 64);
        assert_int_equal(advert.checksum, WIRE_CHECKSUM_PSEUDO);
    }
    assert_int_equal(rig_counters(rig, 0).adverts_sent, 1);
    rig_free(rig);
}

static void test_unicast__received__by_destination_peer_and_ttl(void **state)
{
    (void)state;
    struct rig *rig = unicast();
    struct link_counters link;

    rig->instances[0].check_unicast_source = true;
    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    advert.ttl = 3;
    rig_hear_advert(rig, &advert); /* any TTL from this one */
    advert.source = rig_address(FAMILY_IPV4, 3);
    rig_hear_advert(rig, &advert);
    advert.ttl = 252;
    rig_hear_advert(rig, &advert);
    advert.source = rig_address(FAMILY_IPV4, 4);
    rig_hear_advert(rig, &advert);
    advert.source = rig_address(FAMILY_IPV4, 2);
    advert.destination = wire_group(FAMILY_IPV4);
    rig_hear_advert(rig, &advert);
    advert.destination = rig_address(FAMILY_IPV4, 77);
    rig_hear_advert(rig, &advert);
    struct instance_counters counters = rig_counters(rig, 0);
    assert_int_equal(counters.adverts_received, 2);
    assert_int_equal(counters.refused[REFUSED_TTL], 1);
    assert_int_equal(counters.refused[REFUSED_SOURCE], 1);
    assert_int_equal(counters.refused[REFUSED_DESTINATION], 1);
    core_view_link_counters(rig->core, 0, &link);
    assert_int_equal(link.refused[WIRE_BAD_DESTINATION], 1);
    rig_free(rig);
}

static void test_unicast__multicast_instance__refuses_unicast(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);
    struct link_counters link;

    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    advert.destination = rig_address(FAMILY_IPV4, RIG_SELF);
    rig_hear_advert(rig, &advert);
    core_view_link_counters(rig->core, 0, &link);
    assert_int_equal(link.refused[WIRE_BAD_DESTINATION], 1);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 0);
    rig_free(rig);
}

static void test_unicast__no_peer__fault_when_asked_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].unicast = true;
    rig->instances[0].fault_without_peer = true;
    rig_start(rig);
    assert_int_equal(rig_state(rig, 0), INSTANCE_FAULT);
    assert_int_equal(rig_view(rig, 0).faults, INSTANCE_FAULT_PEERS);
    rig_free(rig);
}

static void test_unicast__old_checksum_of_the_peer__accepted(void **state)
{
    (void)state;
    struct rig *rig = unicast();
    uint8_t packet[WIRE_PACKET_MAX];

    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    advert.checksum = WIRE_CHECKSUM_PSEUDO;
    advert.destination = wire_group(FAMILY_IPV4); /* summed with the group, sent to us */
    size_t length = wire_encode(&advert, packet, sizeof(packet));
    memcpy(packet + 16, rig_address(FAMILY_IPV4, RIG_SELF).bytes, 4);
    rig_hear_packet(rig, packet, length);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 1);
    rig_free(rig);
}

static void test_group_address__configured__sent_to_and_heard(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].group_address = addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){224, 0, 0, 99});
    rig_start(rig);
    struct advert advert = rig_advert(rig, 2, 0, 200);
    rig_hear_advert(rig, &advert);
    advert.destination = rig->instances[0].group_address;
    rig_hear_advert(rig, &advert);
    assert_int_equal(rig_counters(rig, 0).refused[REFUSED_DESTINATION], 1);
    assert_int_equal(rig_counters(rig, 0).adverts_received, 1);
    rig_run(rig, SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->packet[19], 99);
    assert_int_equal(rig_packet(rig, 0, 0)->packet[8], 255);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hear__both_checksum_forms__backup),
        cmocka_unit_test(test_hear__refused__counted_by_name_and_without_effect),
        cmocka_unit_test(test_hear__unknown_vrid__counted_for_the_link),
        cmocka_unit_test(test_hear__any_bytes__exactly_one_counter),
        cmocka_unit_test(test_hear__an_instance_without_addresses__elects_like_any_other),
        cmocka_unit_test(test_hear__reserved_bits_set__ignored),
        cmocka_unit_test(test_hear__trailing_bytes_and_ip_options__accepted),
        cmocka_unit_test(test_hear__another_list__accepted_and_counted),
        cmocka_unit_test(test_hear__skip_check_addresses__compared_once_per_sender),
        cmocka_unit_test(test_auth__demanded__wrong_and_missing_counted_apart),
        cmocka_unit_test(test_unicast__active__one_packet_per_peer),
        cmocka_unit_test(test_unicast__received__by_destination_peer_and_ttl),
        cmocka_unit_test(test_unicast__multicast_instance__refuses_unicast),
        cmocka_unit_test(test_unicast__no_peer__fault_when_asked_for),
        cmocka_unit_test(test_unicast__old_checksum_of_the_peer__accepted),
        cmocka_unit_test(test_group_address__configured__sent_to_and_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
