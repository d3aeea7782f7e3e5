/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Third parties: who is asked, in which order, and what counts as an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/thirdparty.h"

#define S US_PER_S

static const uint8_t OUR_MAC[6] = {0x02, 0, 0, 0, 0, 0x01};

static struct thirdparty *thirdparty;
static char asked[512]; /* the targets of the last probe */

static struct addr parse(const char *text)
{
    struct addr address;

    assert_true(addr_parse(text, &address));
    return address;
}

static struct mono at(int64_t us)
{
    return (struct mono){us};
}

static struct kernel_link make_link(int ifindex)
{
    struct kernel_link link = {.present = true, .up = true, .ifindex = ifindex};

    memcpy(link.mac, OUR_MAC, sizeof(link.mac));
    link.primary_ipv4 = parse("192.0.2.1");
    link.primary_ipv6 = parse("fe80::1");
    return link;
}

static int set_up(void **state)
{
    struct kernel_link link = make_link(7);

    (void)state;
    thirdparty = thirdparty_new(2);
    assert_non_null(thirdparty);
    thirdparty_set_link(thirdparty, 0, &link);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    thirdparty_free(thirdparty);
    thirdparty = NULL;
    return 0;
}

/* Says whom a probe asks, and that it is one of ours. */
static void note_target(void *context, const uint8_t *frame, size_t length)
{
    struct addr target;
    char text[ADDR_TEXT_MAX];

    assert_null(context);
    assert_memory_equal(frame + 6, OUR_MAC, sizeof(OUR_MAC));
    if (length == 42)
        target = addr_from_bytes(FAMILY_IPV4, frame + 38);
    else
        target = addr_from_bytes(FAMILY_IPV6, frame + 62);
    if (asked[0])
        strcat(asked, " ");
    strcat(asked, addr_format(&target, text));
}

static const char *probe_with(const char *const *targets, unsigned count, int64_t now_us)
{
    struct addr list[8];

    CHECK(count <= ARRAY_LENGTH(list));
    for (unsigned i = 0; i < count; i++)
        list[i] = parse(targets[i]);
    asked[0] = '\0';
    thirdparty_probe(thirdparty, 0, list, count, at(now_us), note_target, NULL);
    return asked;
}

static const char *probe(int64_t now_us)
{
    return probe_with(NULL, 0, now_us);
}

static enum thirdparty_verdict take(uint8_t kind, bool to_us, const char *sender, bool outsider, int64_t received_us)
{
    struct frame_view view = {.kind = kind, .to_us = to_us, .sender = parse(sender)};

    return thirdparty_take(thirdparty, 0, &view, outsider, at(received_us));
}

static void hear(const char *sender, int64_t received_us)
{
    assert_int_equal(take(FRAME_ARP_REQUEST, false, sender, true, received_us), THIRDPARTY_HEARD);
}

static void test_probe__nobody_known__asks_nobody(void **state)
{
    (void)state;
    assert_int_equal(thirdparty_probe(thirdparty, 0, NULL, 0, at(0), note_target, NULL), 0);
}

static void test_probe__configured_gateways_neighbours__in_this_order(void **state)
{
    static const char *const targets[] = {"192.0.2.9"};
    struct kernel_link link = make_link(7);

    (void)state;
    link.gateway_ipv4 = parse("192.0.2.254");
    link.gateway_ipv6 = parse("fe80::fe");
    thirdparty_set_link(thirdparty, 0, &link);
    hear("192.0.2.20", 0);
    hear("192.0.2.21", 1);
    assert_string_equal(probe_with(targets, 1, 2), "192.0.2.9 192.0.2.254 fe80::fe 192.0.2.21");
}

static void test_probe__the_same_address_twice__is_asked_once(void **state)
{
    static const char *const targets[] = {"192.0.2.254"};
    struct kernel_link link = make_link(7);

    (void)state;
    link.gateway_ipv4 = parse("192.0.2.254");
    thirdparty_set_link(thirdparty, 0, &link);
    hear("192.0.2.254", 0);
    hear("192.0.2.20", 0);
    hear("192.0.2.20", 1);
    assert_string_equal(probe_with(targets, 1, 2), "192.0.2.254 192.0.2.20");
}

static void test_probe__no_address_of_the_family__asks_only_the_other(void **state)
{
    struct kernel_link link = make_link(7);

    (void)state;
    link.primary_ipv6 = ADDR_NONE;
    thirdparty_set_link(thirdparty, 0, &link);
    hear("fe80::20", 0);
    hear("192.0.2.20", 1);
    assert_string_equal(probe(2), "192.0.2.20");
    link.primary_ipv4 = ADDR_NONE;
    thirdparty_set_link(thirdparty, 0, &link);
    assert_string_equal(probe(3), "");
}

static void test_probe__no_answer__asks_the_next_ones_and_comes_round(void **state)
{
    (void)state;
    hear("192.0.2.6", 1);
    hear("192.0.2.5", 2);
    hear("192.0.2.4", 3);
    hear("192.0.2.3", 4);
    hear("192.0.2.2", 5);
    assert_string_equal(probe(6), "192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5");
    assert_string_equal(probe(7), "192.0.2.6 192.0.2.2 192.0.2.3 192.0.2.4");
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.6", true, 8), THIRDPARTY_ANSWER);
    assert_string_equal(probe(9), "192.0.2.6 192.0.2.2 192.0.2.3 192.0.2.4"); /* the one heard last first, as ever */
}

static void test_neighbours__more_than_fit__the_most_recent_stay(void **state)
{
    char sender[ADDR_TEXT_MAX];

    (void)state;
    hear("192.0.2.100", 0);
    for (int i = 1; i <= 8; i++) {
        snprintf(sender, sizeof(sender), "192.0.2.%d", 100 + i);
        hear(sender, i);
        hear("192.0.2.100", i); /* heard again and again: it stays */
    }
    assert_string_equal(probe(10), "192.0.2.100 192.0.2.108 192.0.2.107 192.0.2.106");
    assert_string_equal(probe(10), "192.0.2.105 192.0.2.104 192.0.2.103 192.0.2.102"); /* .101 had to go */
    assert_string_equal(probe(10), "192.0.2.100 192.0.2.108 192.0.2.107 192.0.2.106");
}

static void test_neighbours__not_heard_for_10_minutes__expire(void **state)
{
    (void)state;
    hear("192.0.2.20", 0);
    hear("192.0.2.21", 60 * S);
    assert_string_equal(probe(600 * S - 1), "192.0.2.21 192.0.2.20");
    assert_string_equal(probe(600 * S), "192.0.2.21");
    assert_string_equal(probe(660 * S), "");
}

static unsigned count_probe(int64_t now_us)
{
    asked[0] = '\0';
    return thirdparty_probe(thirdparty, 0, NULL, 0, at(now_us), note_target, NULL);
}

static void test_evidence__nobody_heard_lately__asked_but_proves_nothing(void **state)
{
    (void)state;
    hear("192.0.2.20", 0);
    thirdparty_heard(thirdparty, 0, at(THIRDPARTY_FRESH_US));
    assert_int_equal(count_probe(THIRDPARTY_FRESH_US), 1);
    thirdparty_heard(thirdparty, 0, at(THIRDPARTY_FRESH_US + 1));
    assert_int_equal(count_probe(THIRDPARTY_FRESH_US + 1), 0);
    assert_string_equal(asked, "192.0.2.20");
    hear("192.0.2.20", 100 * S);
    assert_int_equal(count_probe(100 * S), 1);
}

/* A deaf host hears nothing new: what its silence proves does not fade with time. */
static void test_evidence__deaf_for_minutes__is_as_good_as_at_first(void **state)
{
    (void)state;
    hear("192.0.2.20", 0);
    thirdparty_heard(thirdparty, 0, at(20 * S));
    assert_int_equal(count_probe(21 * S), 1);
    assert_int_equal(count_probe(300 * S), 1);
}

static void test_evidence__gateway_never_heard__proves_nothing(void **state)
{
    struct kernel_link link = make_link(7);

    (void)state;
    link.gateway_ipv4 = parse("192.0.2.254");
    thirdparty_set_link(thirdparty, 0, &link);
    assert_int_equal(count_probe(1), 0);
    assert_string_equal(asked, "192.0.2.254");
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.254", true, 2), THIRDPARTY_ANSWER);
    assert_int_equal(count_probe(3), 1);
}

static void test_evidence__configured_target__always_counts(void **state)
{
    const struct addr target = parse("192.0.2.9"), unreachable = parse("fe80::9");
    struct kernel_link link = make_link(7);

    (void)state;
    assert_int_equal(thirdparty_probe(thirdparty, 0, &target, 1, at(900 * S), note_target, NULL), 1);
    link.primary_ipv6 = ADDR_NONE;
    thirdparty_set_link(thirdparty, 0, &link);
    assert_int_equal(thirdparty_probe(thirdparty, 0, &unreachable, 1, at(901 * S), note_target, NULL), 0);
}

static const char *refresh(int64_t now_us)
{
    asked[0] = '\0';
    (void)thirdparty_refresh(thirdparty, 0, NULL, 0, at(now_us), note_target, NULL);
    return asked;
}

static void test_refresh__who_answers__is_asked_again(void **state)
{
    struct kernel_link link = make_link(7);

    (void)state;
    assert_string_equal(refresh(0), "");
    link.gateway_ipv4 = parse("192.0.2.254");
    thirdparty_set_link(thirdparty, 0, &link);
    hear("192.0.2.20", 1);
    hear("192.0.2.21", 2);
    assert_string_equal(refresh(3), "192.0.2.254");
    assert_string_equal(refresh(4), "192.0.2.21");
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.21", true, 5), THIRDPARTY_ANSWER);
    assert_string_equal(refresh(6), "192.0.2.21");
    assert_string_equal(refresh(7), "192.0.2.20"); /* .21 was silent this time */
    assert_string_equal(refresh(8), "192.0.2.254");
}

static void test_refresh__answers__keep_the_evidence_fresh(void **state)
{
    (void)state;
    hear("192.0.2.20", 0);
    for (int64_t now_us = 0; now_us < 600 * S; now_us += THIRDPARTY_REFRESH_US) {
        assert_string_equal(refresh(now_us), "192.0.2.20");
        assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.20", true, now_us + 1), THIRDPARTY_ANSWER);
        thirdparty_heard(thirdparty, 0, at(now_us + 2));
        assert_int_equal(count_probe(now_us + 3), 1);
    }
}

static void test_neighbours__members_and_vips_and_ourselves__are_none(void **state)
{
    struct frame_view nobody = {.kind = FRAME_ARP_REQUEST};

    (void)state;
    assert_int_equal(take(FRAME_ARP_REQUEST, false, "192.0.2.2", false, 0), THIRDPARTY_HEARD);
    hear("192.0.2.1", 0);
    hear("fe80::1", 0);
    assert_int_equal(thirdparty_take(thirdparty, 0, &nobody, true, at(0)), THIRDPARTY_HEARD);
    assert_string_equal(probe(1), "");
}

static void test_neighbours__one_that_became_a_member__is_forgotten(void **state)
{
    (void)state;
    hear("192.0.2.2", 0);
    hear("192.0.2.3", 1);
    hear("192.0.2.4", 2);
    take(FRAME_ARP_REQUEST, false, "192.0.2.3", false, 3);
    assert_string_equal(probe(4), "192.0.2.4 192.0.2.2");
}

static void test_neighbours__another_interface__starts_without_any(void **state)
{
    struct kernel_link link = make_link(8);

    (void)state;
    hear("192.0.2.20", 0);
    thirdparty_set_link(thirdparty, 0, &link);
    assert_string_equal(probe(1), "");
}

static void test_answer__claim_of_a_target_to_us__is_one(void **state)
{
    (void)state;
    hear("fe80::20", 0);
    hear("192.0.2.20", 0);
    probe(100);
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.20", true, 100), THIRDPARTY_ANSWER);
    assert_int_equal(take(FRAME_CLAIM, true, "fe80::20", true, 101), THIRDPARTY_ANSWER);
}

static void test_answer__anything_else__is_only_heard(void **state)
{
    (void)state;
    hear("192.0.2.20", 0);
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.20", true, 1), THIRDPARTY_HEARD); /* nobody asked */
    probe(100);
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.20", true, 99), THIRDPARTY_HEARD);   /* before the question */
    assert_int_equal(take(FRAME_CLAIM, false, "192.0.2.20", true, 101), THIRDPARTY_HEARD); /* to all */
    assert_int_equal(take(FRAME_ARP_REQUEST, true, "192.0.2.20", true, 101), THIRDPARTY_HEARD);
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.21", true, 101), THIRDPARTY_HEARD); /* not asked */
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.20", true, 100 + THIRDPARTY_ANSWER_US + 1), THIRDPARTY_HEARD);
}

static void test_answer__to_the_probe_before__counts_too(void **state)
{
    static const char *const first[] = {"192.0.2.9"}, *const second[] = {"192.0.2.10"};

    (void)state;
    probe_with(first, 1, 0);
    probe_with(second, 1, 200);
    assert_int_equal(take(FRAME_CLAIM, true, "192.0.2.9", true, 300), THIRDPARTY_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_probe__nobody_known__asks_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe__configured_gateways_neighbours__in_this_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe__the_same_address_twice__is_asked_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe__no_address_of_the_family__asks_only_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_probe__no_answer__asks_the_next_ones_and_comes_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours__more_than_fit__the_most_recent_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours__not_heard_for_10_minutes__expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evidence__nobody_heard_lately__asked_but_proves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_evidence__deaf_for_minutes__is_as_good_as_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evidence__gateway_never_heard__proves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evidence__configured_target__always_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refresh__who_answers__is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refresh__answers__keep_the_evidence_fresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours__members_and_vips_and_ourselves__are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours__one_that_became_a_member__is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours__another_interface__starts_without_any, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer__claim_of_a_target_to_us__is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer__anything_else__is_only_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answer__to_the_probe_before__counts_too, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
