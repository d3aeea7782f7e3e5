/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Planned moves, pins, drain, and failures of the kernel (doc/design.md 2.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core_rig.h"

#define SECOND ((int64_t)US_PER_S)

/* We hold all of `unit_count` units; member 20 has just joined and holds nothing. */
static struct rig *rig_joined(unsigned unit_count)
{
    struct rig *rig = rig_alone(unit_count);
    rig_peer(rig, 20, 100);
    rig_run(rig, 0);
    return rig;
}

/* Time passes, and member 20 takes whatever we release, as soon as it may. Returns how many. */
static unsigned rig_run_with_taker(struct rig *rig, int64_t for_us)
{
    unsigned taken = 0;
    for (int64_t step_us = 0; step_us < for_us; step_us += 5 * US_PER_MS) {
        rig_mark(rig);
        rig_run(rig, 5 * US_PER_MS);
        for (unsigned u = 0; u < rig->pools[0].unit_count; u++) {
            if (rig_sends(rig, (int)u, 0) > 0) {
                rig_peer_takes(rig, 20, u, 253);
                taken++;
            }
        }
    }
    rig_run(rig, 0);
    return taken;
}

/* Member 20 has pinned the unit: it asks for it, we release it, it takes it. */
static void rig_pinned_by_peer(struct rig *rig, unsigned unit)
{
    rig_peer_takes(rig, 20, unit, 254);
    rig_run(rig, 0);
    rig_peer_takes(rig, 20, unit, 254);
    rig_run(rig, US_PER_MS);
    assert_int_equal(rig_unit(rig, unit).holder_kind, HOLDER_MEMBER);
}

/* Two units that nothing moves for evenness: the first is member 20's, the other ours. */
static struct rig *rig_shared(void)
{
    struct rig *rig = rig_joined(2);
    rig->pools[0].rebalance = false;
    rig_pinned_by_peer(rig, 0);
    rig_find_peer(rig, 20)->holds[0] = 250;
    rig_run(rig, SECOND);
    assert_false(rig_holds(rig, 0));
    rig_mark(rig);
    return rig;
}

/* Member 20 gives its unit away. */
static void rig_peer_releases(struct rig *rig)
{
    rig_find_peer(rig, 20)->holds[0] = 0;
    rig_hear(rig, 20, 0, 0);
}

/* ... and we take it, but the kernel is slow. */
static void rig_take_released(struct rig *rig)
{
    rig->manual_kernel = true;
    rig_peer_releases(rig);
    rig_run(rig, 100 * US_PER_MS);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_READY);
}

/* --- 2.5: releases --- */

/* All are reserves (starting up, say): evenness between them keeps to its rounds, and is no drain. */
static void test_move__among_reserves__one_per_round(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(6);
    rig_command(rig, EVENT_DRAIN, 0);
    rig_run(rig, SECOND);
    rig_peer(rig, 20, 1);
    assert_int_equal(rig_run_with_taker(rig, RIG_MEMBER_US), 0);
    assert_int_equal(rig_run_with_taker(rig, 2 * SECOND), 2);
    rig_free(rig);
}

static void test_move__newcomer__gets_its_part_one_per_round(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(6);
    rig_run(rig, 2 * RIG_MEMBER_US - US_PER_MS);
    assert_int_equal(rig_load(rig), 6); /* the view must be still */
    for (unsigned round = 1; round <= 3; round++) {
        assert_int_equal(rig_run_with_taker(rig, round == 1 ? 10 * US_PER_MS : SECOND), 1);
        assert_int_equal(rig_load(rig), 6 - round);
    }
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_load(rig), 3);
    assert_int_equal(rig_counters(rig).moves, 3);
    rig_free(rig);
}

static void test_move__break_before_make__addresses_go_before_priority_0(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(2);
    rig->manual_kernel = true;
    rig_run(rig, SECOND);
    unsigned moving = rig_unit(rig, 0).level == LEVEL_ABSENT ? 0 : 1;
    assert_int_equal(rig_unit(rig, moving).level, LEVEL_ABSENT);
    assert_int_equal(rig_unit(rig, moving).state, ROUTER_ACTIVE);
    assert_int_equal(rig_sends(rig, (int)moving, 0), 0);
    rig_level_done(rig, moving, 0);
    assert_int_equal(rig_sends(rig, (int)moving, 0), 1);
    rig_free(rig);
}

static void test_move__rebalance_off__nothing_moves(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 4);
    rig->pools[0].rebalance = false;
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 5 * SECOND);
    rig_peer(rig, 20, 100);
    rig_run(rig, 30 * SECOND);
    assert_int_equal(rig_load(rig), 4);
    rig_free(rig);
}

/* Another host's move that does not happen is passed over, so ours still do. */
static void test_move__others_move_does_not_happen__passed_over(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 8);
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    rig_run(rig, 100 * US_PER_MS);
    for (unsigned u = 0; u < 7; u++) {
        rig_peer_takes(rig, 20, u, 253);
    }
    rig_run(rig, 40 * SECOND);
    assert_true(rig_notes(rig, NOTE_MOVE_PASSED_OVER) >= 1);
    assert_int_equal(rig_load(rig), 1);
    rig_free(rig);
}

/* A host that comes and goes twice a second must not keep all others from balancing for ever (P5). */
static void test_move__flapping_member__does_not_hold_up_balancing(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(8);
    for (unsigned i = 0; i < 300; i++) {
        rig_hear(rig, 66, RIG_MEMBER, i % 2 ? 100 : 0);
        rig_run_with_taker(rig, 200 * US_PER_MS);
    }
    assert_true(rig_load(rig) < 8);
    rig_free(rig);
}

static void test_move__unit_that_just_moved__stays_put_for_a_while(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(2);
    assert_int_equal(rig_run_with_taker(rig, 550 * US_PER_MS), 1);
    unsigned moved = rig_holds(rig, 0) ? 1 : 0;
    assert_true(rig_unit(rig, moved).still_until.us > rig->now_us + 900 * US_PER_MS);
    rig_free(rig);
}

/* A member that the plan avoids takes a unit all the same: so it can, and whom the plan chose instead is not to blame.
 */
static void test_move__avoided_member_takes_it__nobody_is_blamed(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(9);
    unsigned astray = 1;
    rig_peer(rig, 30, 100);
    for (unsigned i = 0; i < 4000; i++) {
        rig_mark(rig);
        rig_run(rig, 5 * US_PER_MS);
        for (unsigned u = 0; u < 9; u++) {
            if (rig_sends(rig, (int)u, 0) > 0) { /* the first one goes astray, all others where they should */
                bool to_20 = rig_unit(rig, u).next.bytes[3] == 20;
                rig_peer_takes(rig, to_20 == (astray == 0) ? 20 : 30, u, 253);
                astray = 0;
            }
        }
    }
    assert_int_equal(rig_load(rig), 3);
    rig_free(rig);
}

/* --- drain --- */

static void test_drain__alone__holds_on(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(3);
    assert_int_equal(rig_command(rig, EVENT_DRAIN, 0), CORE_NO_OTHER_MEMBER);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_load(rig), 3);
    assert_int_equal(rig_pool(rig).share, 1);
    assert_true(rig_pool(rig).drained);
    assert_int_equal(rig_command(rig, EVENT_UNDRAIN, 0), CORE_OK);
    assert_int_equal(rig_command(rig, EVENT_UNDRAIN, 0), CORE_ALREADY);
    rig_run(rig, SECOND);
    assert_int_equal(rig_pool(rig).share, 100);
    rig_free(rig);
}

static void test_drain__batch_by_batch__or_all_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(20);
    rig_command(rig, EVENT_DRAIN, 0);
    rig_run(rig, 0);
    unsigned first = 20 - rig_load(rig);
    assert_in_range(first, 1, 8);
    rig_run(rig, 100 * US_PER_MS); /* nobody has taken them: wait */
    assert_int_equal(rig_load(rig), 20 - first);
    rig_run_with_taker(rig, 3 * SECOND); /* they come back, and go again */
    assert_int_equal(rig_load(rig), 0);
    rig_free(rig);

    rig = rig_joined(20);
    rig_event(rig, (struct event){.kind = EVENT_DRAIN, .now_flag = true});
    rig_run(rig, 0);
    assert_int_equal(rig_load(rig), 0);
    rig_free(rig);
}

/* The only other member, which has held units before, takes nothing any more: it is asked less and less often. */
static void test_drain__nobody_takes_them__not_given_away_over_and_over(void **state)
{
    (void)state;
    struct rig *rig = rig_shared();
    rig_command(rig, EVENT_DRAIN, 0);
    rig_run(rig, 60 * SECOND);
    assert_in_range(rig_sends(rig, 1, 0), 4, 7);
    assert_int_equal(rig_load(rig), 1);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_run_with_taker(rig, 65 * SECOND), 1);
    rig_free(rig);
}

static void test_startup_delay__reserve_until_it_is_over__but_serves_what_nobody_else_can(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2);
    rig->pools[0].startup_delay_us = 10 * SECOND;
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_pool(rig).share, 1);
    assert_int_equal(rig_load(rig), 2);
    rig_run(rig, 6 * SECOND);
    assert_int_equal(rig_pool(rig).share, 100);
    rig_free(rig);
}

/* --- share 0: the host is unfit --- */

static void test_share_0__in_every_phase__holds_nothing_and_returns(void **state)
{
    (void)state;
    for (unsigned phase = 0; phase < 3; phase++) {
        struct rig *rig = rig_shared();
        if (phase >= 1) { /* while it takes a unit */
            rig_take_released(rig);
        } else {
            rig_peer_releases(rig);
            rig_run(rig, SECOND);
        }
        if (phase == 2) { /* ready, and the claim would leave with the next tick */
            rig_level_done(rig, 0, 0);
        }
        rig_event(rig, (struct event){.kind = EVENT_SHARE, .share = 0});
        if (phase == 1) {
            rig_level_done(rig, 0, 0);
        }
        if (phase >= 1) {
            rig_level_done(rig, 1, 0);
        }
        rig_run(rig, SECOND);
        assert_int_equal(rig_load(rig), 0);
        assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
        assert_int_equal(rig_unit(rig, 1).state, ROUTER_BACKUP);
        assert_int_equal(rig_pool(rig).share, 1);
        rig->manual_kernel = false;
        rig_event(rig, (struct event){.kind = EVENT_SHARE, .share = 100});
        rig_run(rig, 10 * SECOND);
        assert_int_equal(rig_load(rig), 2);
        rig_free(rig);
    }
}

/* --- pins --- */

static void test_take__from_its_owner__asked_for_released_and_pinned(void **state)
{
    (void)state;
    struct rig *rig = rig_shared();
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_OK);
    rig_run(rig, 10 * US_PER_MS);
    assert_int_equal(rig_sends(rig, 0, 254), 1);
    assert_false(rig_holds(rig, 0)); /* it asks, and does not answer */
    rig_peer_releases(rig);
    rig_run(rig, 10 * US_PER_MS);
    assert_true(rig_holds(rig, 0));
    assert_true(rig_unit(rig, 0).pinned);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_ALREADY);
    rig_free(rig);
}

static void test_take__owner_does_not_listen__given_up_and_told(void **state)
{
    (void)state;
    struct rig *rig = rig_shared();
    rig_command(rig, EVENT_TAKE, 0);
    rig_run(rig, 5 * SECOND);
    assert_false(rig_unit(rig, 0).pinned_here);
    assert_true(rig_notes(rig, NOTE_MOVE_PASSED_OVER) >= 1);
    rig_free(rig);
}

static void test_take__whose_link_goes_down_meanwhile__stops_asking(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2);
    rig->pools[0].rebalance = false;
    rig->units[0][0].links = 3;
    rig_start(rig, 100 * SECOND);
    rig_link(rig, 1, true, RIG_SELF);
    rig_peer(rig, 20, 100);
    rig_peer_takes(rig, 20, 0, 250);
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_OK);
    rig_run(rig, 0);
    rig_link(rig, 1, false, 0);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_sends(rig, 0, 254), 1);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_NOT_ELIGIBLE);
    rig_free(rig);
}

/* Lost to another member while we slept: it comes back to where the operator pinned it. */
static void test_take__pin_lost_to_a_stall__claimed_again(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(2);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_OK);
    rig_run(rig, SECOND);
    assert_int_equal(rig_unit(rig, 0).priority, 254);
    rig_sleep(rig, 3 * RIG_MEMBER_US);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    rig_peer_takes(rig, 20, 0, 253);
    rig_peer_takes(rig, 20, 1, 253);
    rig_run(rig, 100 * US_PER_MS);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_MEMBER);
    rig_mark(rig);
    rig_run(rig, 10 * SECOND);
    assert_true(rig_sends(rig, 0, 254) > 0);
    rig_free(rig);
}

/* An operator's pin outranks the file, whichever address is the higher; a unit that is not pinned is asked for. */
static void test_prefer__here_but_pinned_elsewhere__left_there(void **state)
{
    (void)state;
    struct addr self = rig_address(RIG_SELF);
    for (unsigned priority = 253; priority <= 254; priority++) {
        struct rig *rig = rig_new(1, 2);
        rig->units[0][0].prefer = &self;
        rig->units[0][0].prefer_count = 1;
        rig_start(rig, 100 * SECOND);
        rig_peer(rig, 5, 100);
        rig_peer_takes(rig, 5, 0, priority);
        rig_run(rig, 30 * SECOND);
        assert_int_equal(rig_sends(rig, 0, 254) == 0, priority == 254);
        rig_free(rig);
    }
}

static void test_release__alone_or_not_held__says_so(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);
    assert_int_equal(rig_command(rig, EVENT_RELEASE, 0), CORE_NO_OTHER_MEMBER);
    rig_peer(rig, 20, 100);
    rig_pinned_by_peer(rig, 0);
    assert_int_equal(rig_command(rig, EVENT_RELEASE, 0), CORE_NOT_HELD);
    rig_link(rig, 0, false, 0);
    assert_int_equal(rig_command(rig, EVENT_RELEASE, 0), CORE_NOT_READY);
    assert_int_equal(rig_command(rig, EVENT_TAKE, 0), CORE_NOT_READY);
    assert_int_equal(rig_unit(rig, 0).holder_kind, HOLDER_NONE); /* it hears nobody: it knows of nobody */
    rig_free(rig);
}

/* --- links --- */

static void test_link__down_in_each_phase__nothing_is_left_and_it_returns(void **state)
{
    (void)state;
    for (unsigned phase = 0; phase < 3; phase++) {
        struct rig *rig = phase == 2 ? rig_shared() : rig_joined(2);
        rig->manual_kernel = phase != 0;
        if (phase == 1) { /* releasing */
            rig_command(rig, EVENT_RELEASE, 0);
        } else if (phase == 2) { /* claimed, not open yet */
            rig_take_released(rig);
            rig_level_done(rig, 0, 0);
            rig_event(rig, (struct event){.kind = EVENT_TICK});
            assert_int_equal(rig_unit(rig, 0).state, ROUTER_ACTIVE);
        }
        rig_mark(rig);
        rig_link(rig, 0, false, 0);
        assert_int_equal(rig_sends(rig, 0, -1) + rig_sends(rig, 1, -1), 0);
        assert_int_equal(rig_unit(rig, 0).level, LEVEL_ABSENT);
        assert_int_equal(rig_unit(rig, 1).level, LEVEL_ABSENT);
        assert_int_equal(rig_unit(rig, 0).state, ROUTER_INITIALIZE);
        assert_true(core_deadline(rig->core).us == INT64_MAX);
        if (phase != 0) {
            rig->manual_kernel = false;
            struct event done = {.kind = EVENT_LEVEL_DONE};
            for (unsigned sequence = 0; sequence < 20; sequence++) {
                done.sequence = sequence;
                for (done.unit = 0; done.unit < 2; done.unit++) {
                    rig_event(rig, done);
                }
            }
        }
        rig_link(rig, 0, true, RIG_SELF);
        rig_run(rig, 10 * SECOND);
        assert_int_equal(rig_load(rig), 2);
        rig_free(rig);
    }
}

static void test_link__second_one_down_while_taking__unit_never_splits(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 2);
    rig->units[0][0].links = 3;
    rig_start(rig, 100 * SECOND);
    rig_link(rig, 1, true, RIG_SELF);
    rig->manual_kernel = true;
    rig_run(rig, 4 * SECOND);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_READY);
    rig_link(rig, 1, false, 0);
    rig_level_done(rig, 0, 0);
    rig_run(rig, SECOND);
    assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_ABSENT);
    rig_free(rig);
}

static void test_link__address_changes_while_active__another_identity_that_listens_first(void **state)
{
    (void)state;
    struct rig *rig = rig_joined(2);
    rig_link(rig, 0, true, 11);
    assert_int_equal(rig_unit(rig, 0).state, ROUTER_BACKUP);
    assert_int_equal(rig_pool(rig).primary.bytes[3], 11);
    assert_int_equal(rig_pool(rig).member_count, 1);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_load(rig), 2);
    rig_free(rig);
}

/* --- the kernel fails --- */

static void test_kernel__opening_never_works__released_and_tried_again_without_a_storm(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig->kernel_error = 12;
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 4 * SECOND);
    rig_mark(rig);
    rig_run(rig, 20 * SECOND);
    assert_int_equal(rig_load(rig), 0);
    assert_in_range(rig_notes(rig, NOTE_KERNEL_FAILED), 5, 25);
    rig->kernel_error = 0;
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_load(rig), 1);
    rig_free(rig);
}

static void test_kernel__stuck__says_nothing_and_holds_up_nobody(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 1);
    rig->manual_kernel = true;
    rig_start(rig, 100 * SECOND);
    rig_run(rig, 60 * SECOND);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_peer(rig, 20, 100);
    rig_peer_takes(rig, 20, 0, 237);
    rig_run(rig, SECOND);
    assert_int_equal(rig_unit(rig, 0).level, LEVEL_ABSENT);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_move__among_reserves__one_per_round),
        cmocka_unit_test(test_move__newcomer__gets_its_part_one_per_round),
        cmocka_unit_test(test_move__break_before_make__addresses_go_before_priority_0),
        cmocka_unit_test(test_move__rebalance_off__nothing_moves),
        cmocka_unit_test(test_move__others_move_does_not_happen__passed_over),
        cmocka_unit_test(test_move__flapping_member__does_not_hold_up_balancing),
        cmocka_unit_test(test_move__unit_that_just_moved__stays_put_for_a_while),
        cmocka_unit_test(test_move__avoided_member_takes_it__nobody_is_blamed),
        cmocka_unit_test(test_drain__alone__holds_on),
        cmocka_unit_test(test_drain__batch_by_batch__or_all_at_once),
        cmocka_unit_test(test_drain__nobody_takes_them__not_given_away_over_and_over),
        cmocka_unit_test(test_startup_delay__reserve_until_it_is_over__but_serves_what_nobody_else_can),
        cmocka_unit_test(test_share_0__in_every_phase__holds_nothing_and_returns),
        cmocka_unit_test(test_take__from_its_owner__asked_for_released_and_pinned),
        cmocka_unit_test(test_take__owner_does_not_listen__given_up_and_told),
        cmocka_unit_test(test_take__whose_link_goes_down_meanwhile__stops_asking),
        cmocka_unit_test(test_take__pin_lost_to_a_stall__claimed_again),
        cmocka_unit_test(test_prefer__here_but_pinned_elsewhere__left_there),
        cmocka_unit_test(test_release__alone_or_not_held__says_so),
        cmocka_unit_test(test_link__down_in_each_phase__nothing_is_left_and_it_returns),
        cmocka_unit_test(test_link__second_one_down_while_taking__unit_never_splits),
        cmocka_unit_test(test_link__address_changes_while_active__another_identity_that_listens_first),
        cmocka_unit_test(test_kernel__opening_never_works__released_and_tried_again_without_a_storm),
        cmocka_unit_test(test_kernel__stuck__says_nothing_and_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
