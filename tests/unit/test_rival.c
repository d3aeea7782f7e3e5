/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hosts with one address: when is asked, whose answer counts, who gives way, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/rival.h"

static const uint8_t LOWER[6] = {0x02, 0, 0, 0, 0, 1}, OWN[6] = {0x02, 0, 0, 0, 0, 2},
                     HIGHER[6] = {0x02, 0, 0, 0, 0, 3};
static const struct mono START = {1000 * (int64_t)US_PER_S};

static struct mono at(double s)
{
    return mono_add(START, (int64_t)(s * US_PER_S));
}

static struct kernel_link own_link(void)
{
    struct kernel_link link = {.present = true, .up = true};

    memcpy(link.mac, OWN, sizeof(OWN));
    assert_true(addr_parse("192.0.2.1", &link.primary_ipv4));
    return link;
}

static bool asks(struct rival *rival, struct mono now)
{
    struct kernel_link link = own_link();
    uint8_t frame[FRAME_MAX];

    return rival_ask(rival, &link, now, frame) > 0;
}

static bool answered(struct rival *rival, const uint8_t mac[6], struct mono now)
{
    struct kernel_link link = own_link();

    return rival_answer(rival, &link, mac, now);
}

static void test_rival__no_echo__nothing_is_asked_and_no_answer_counts(void **state)
{
    struct rival rival = {.spoken = true};
    struct mono next = MONO_NEVER;

    (void)state;
    assert_false(asks(&rival, at(0)));
    assert_false(answered(&rival, HIGHER, at(0)));
    assert_false(rival_changed(&rival, at(0), &next));
    assert_true(mono_is_never(next));
}

static void test_rival__echoes__asked_once_a_second(void **state)
{
    struct rival rival = {.spoken = true};
    unsigned asked = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        rival_heard(&rival, at(i * 0.03));
        asked += asks(&rival, at(i * 0.03));
    }
    assert_int_equal(asked, 3);
}

static void test_rival__both_speak__the_lower_mac_gives_way_while_the_other_answers(void **state)
{
    struct rival rival = {.spoken = true};
    struct mono next = MONO_NEVER;

    (void)state;
    rival_heard(&rival, at(0));
    assert_true(answered(&rival, LOWER, at(0.1)));
    assert_false(rival_changed(&rival, at(0.1), &next));
    assert_true(answered(&rival, HIGHER, at(0.2)));
    assert_true(rival_changed(&rival, at(0.2), &next));
    assert_true(rival.seen.yields);
    assert_false(answered(&rival, HIGHER, at(4))); /* it is silent now */
    assert_false(rival_changed(&rival, at(5), &next));
    assert_true(rival_changed(&rival, at(5.3), &next));
    assert_false(rival.seen.yields);
}

static void test_rival__nothing_said_yet__gives_way_whatever_the_mac(void **state)
{
    struct rival rival = {.spoken = false};
    struct mono next = MONO_NEVER;

    (void)state;
    rival_heard(&rival, at(0));
    assert_true(answered(&rival, LOWER, at(0)));
    assert_true(rival_changed(&rival, at(0), &next));
    assert_true(rival.seen.yields);
    assert_false(mono_is_never(next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rival__no_echo__nothing_is_asked_and_no_answer_counts),
        cmocka_unit_test(test_rival__echoes__asked_once_a_second),
        cmocka_unit_test(test_rival__both_speak__the_lower_mac_gives_way_while_the_other_answers),
        cmocka_unit_test(test_rival__nothing_said_yet__gives_way_whatever_the_mac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
