/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claim, wait, open (doc/design.md 2.4 l): two hosts claim a unit at once, and the stronger one answers last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core_rig.h"

#define SECOND ((int64_t)US_PER_S)
#define MS ((int64_t)US_PER_MS)
#define WAIT_US (2 * MS)
#define WEAKER 30
#define WEAKER_PRIORITY 200
#define STRONGER_PRIORITY 253

/* Members 20 and 30 are there, and 20 has the only unit. */
static struct rig *rig_held_by_20(void)
{
    struct rig *rig = rig_new(1, 1);
    rig->pools[0].rebalance = false;
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    rig_peer(rig, WEAKER, 100);
    rig_peer_takes(rig, 20, 0, 253);
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    return rig;
}

/* 20 has just released it, and we have said that it is ours. */
static struct rig *rig_claimed(void)
{
    struct rig *rig = rig_held_by_20();
    rig_find_peer(rig, 20)->holds[0] = 0;
    rig_hear(rig, 20, 0, 0);
    while (rig_unit(rig, 0).state != ROUTER_ACTIVE) {
        rig_run(rig, 100);
    }
    assert_int_equal(rig_sends(rig, 0, -1), 1);
    assert_true(rig_unit(rig, 0).priority > WEAKER_PRIORITY);
    return rig;
}

/* We take the only unit, which nobody had; our kernel is slow, so nothing is said yet. */
static struct rig *rig_taking(void)
{
    struct rig *rig = rig_new(1, 1);
    rig->manual_kernel = true;
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    rig_run(rig, 4 * SECOND);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_READY);
    return rig;
}

static void test_claim__nobody_else__opens_after_the_wait(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_run(rig, WAIT_US - 100);
    assert_false(rig_holds(rig, 0));
    rig_run(rig, 100);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_claim__a_weaker_one_too__opens_when_that_has_let_go(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_run(rig, MS);
    rig_hear(rig, WEAKER, 0, WEAKER_PRIORITY);
    assert_int_equal(rig_sends(rig, 0, -1), 2); /* the assertion */
    rig_run(rig, 10 * WAIT_US);
    assert_false(rig_holds(rig, 0));
    rig_hear(rig, WEAKER, 0, 0);
    rig_run(rig, 0);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_claim__a_weaker_one_has_let_go_within_the_wait__it_is_not_longer(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_hear(rig, WEAKER, 0, WEAKER_PRIORITY);
    rig_run(rig, MS);
    rig_hear(rig, WEAKER, 0, 0);
    rig_run(rig, MS - 100);
    assert_false(rig_holds(rig, 0));
    rig_run(rig, 100);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

/* It hangs, or its word was lost: no lease lasts longer. */
static void test_claim__the_weaker_one_says_nothing__opens_after_three_member_intervals(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_hear(rig, WEAKER, 0, WEAKER_PRIORITY);
    rig_run(rig, 3 * RIG_MEMBER_US - MS);
    assert_false(rig_holds(rig, 0));
    rig_run(rig, MS);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_claim__the_weaker_one_leaves__not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_hear(rig, WEAKER, 0, WEAKER_PRIORITY);
    rig_run(rig, 3 * MS);
    assert_false(rig_holds(rig, 0));
    rig_find_peer(rig, WEAKER)->share = 0;
    rig_hear(rig, WEAKER, RIG_MEMBER, 0);
    rig_run(rig, 0);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

static void test_claim__the_weaker_ones_word_overtook_its_claim__not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_hear(rig, WEAKER, 0, 0);
    rig_hear(rig, WEAKER, 0, WEAKER_PRIORITY);
    rig_run(rig, WAIT_US);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

/* It would never say so. */
static void test_claim__a_weaker_stranger__not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_hear(rig, 40, 0, WEAKER_PRIORITY);
    rig_run(rig, WAIT_US);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

/* It is back already, and its goodbye came late. */
static void test_claim__from_one_that_has_just_left__is_a_members(void **state)
{
    (void)state;
    struct rig *rig = rig_taking();
    rig_find_peer(rig, 20)->share = 0;
    rig_hear(rig, 20, RIG_MEMBER, 0);
    rig_hear(rig, 20, 0, WEAKER_PRIORITY);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_ABSENT);
    rig_free(rig);
}

static void test_yield__not_open_yet__says_so_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_mark(rig);
    rig_hear(rig, 20, 0, STRONGER_PRIORITY);
    assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    rig_free(rig);
}

static void test_yield__open__says_so_when_it_is_closed(void **state)
{
    (void)state;
    struct rig *rig = rig_claimed();
    rig_run(rig, WAIT_US);
    assert_true(rig_holds(rig, 0));
    rig->manual_kernel = true;
    rig_mark(rig);
    rig_hear(rig, WEAKER, 0, STRONGER_PRIORITY);
    rig_run(rig, 10 * MS);
    assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_level_done(rig, 0, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    rig_run(rig, SECOND / 2);
    assert_int_equal(rig_sends(rig, 0, -1), 1);
    rig_free(rig);
}

static void test_yield__had_said_nothing__says_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_taking();
    rig_hear(rig, 20, 0, WEAKER_PRIORITY);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_ABSENT);
    rig_level_done(rig, 0, 0);
    rig_run(rig, MS);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_free(rig);
}

/* What was asked for may look like a claim to the one that has pinned it meanwhile. */
static void test_take__pinned_by_a_stronger_one_meanwhile__taken_back(void **state)
{
    (void)state;
    struct rig *rig = rig_held_by_20();
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_OK);
    rig_run(rig, MS);
    assert_int_equal(rig_sends(rig, 0, 254), 1);
    rig_find_peer(rig, 20)->holds[0] = 0;
    rig_peer_takes(rig, 30, 0, 254);
    rig_run(rig, MS);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    rig_run(rig, SECOND);
    assert_int_equal(rig_sends(rig, 0, -1), 2);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim__nobody_else__opens_after_the_wait),
        cmocka_unit_test(test_claim__a_weaker_one_too__opens_when_that_has_let_go),
        cmocka_unit_test(test_claim__a_weaker_one_has_let_go_within_the_wait__it_is_not_longer),
        cmocka_unit_test(test_claim__the_weaker_one_says_nothing__opens_after_three_member_intervals),
        cmocka_unit_test(test_claim__the_weaker_one_leaves__not_waited_for),
        cmocka_unit_test(test_claim__the_weaker_ones_word_overtook_its_claim__not_waited_for),
        cmocka_unit_test(test_claim__a_weaker_stranger__not_waited_for),
        cmocka_unit_test(test_claim__from_one_that_has_just_left__is_a_members),
        cmocka_unit_test(test_yield__not_open_yet__says_so_at_once),
        cmocka_unit_test(test_yield__open__says_so_when_it_is_closed),
        cmocka_unit_test(test_yield__had_said_nothing__says_nothing),
        cmocka_unit_test(test_take__pinned_by_a_stronger_one_meanwhile__taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
