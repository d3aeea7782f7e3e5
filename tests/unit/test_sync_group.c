/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sync groups: Active together or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "instance_rig.h"

#define SECOND ((int64_t)US_PER_S)

/* `count` instances in one group. */
static struct rig *grouped(unsigned count)
{
    struct rig *rig = rig_new(count, 3, FAMILY_IPV4);

    rig->settings.group_count = 1;
    for (unsigned u = 0; u < count; u++) {
        rig->instances[u].group = 0;
    }
    return rig;
}

static struct rig *all_active(unsigned count)
{
    struct rig *rig = grouped(count);

    rig_start(rig);
    rig_run(rig, SECOND);
    assert_int_equal(rig_group(rig, 0).state, INSTANCE_ACTIVE);
    rig_mark(rig);
    return rig;
}

static void assert_all(const struct rig *rig, enum instance_state state)
{
    for (unsigned u = 0; u < rig->set.unit_count; u++) {
        assert_int_equal(rig_state(rig, u), state);
    }
    assert_int_equal(rig_group(rig, 0).state, state);
}

static void test_take__timers_differ__all_at_the_last_one(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->instances[0].priority = 200;
    rig->instances[1].priority = 10;
    rig_start(rig);
    int64_t skew_us = RIG_INTERVAL_US * 246 / 256;
    assert_int_equal(rig_until_active(rig, 0, SECOND), 3 * RIG_INTERVAL_US + skew_us);
    assert_all(rig, INSTANCE_ACTIVE);
    assert_int_equal(rig_notes(rig, NOTE_GROUP_STATE), 2); /* Initialize, Backup, Active */
    rig_free(rig);
}

static void test_start__checks_without_result__held_until_there_is_one(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);
    struct event hold = {.kind = EVENT_TRACK, .fault = true, .hold = true};

    rig->settings.startup_delay_us = SECOND;
    rig_start(rig);
    rig_event(rig, hold);
    rig_run(rig, 3 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_INITIALIZE);
    assert_int_equal(rig_state(rig, 1), INSTANCE_BACKUP);
    rig_track(rig, 0, false, 0);
    assert_int_equal(rig_until_active(rig, 1, SECOND), RIG_DOWN_US);
    rig_event(rig, hold); /* after a reload, say: who runs goes on */
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_start__tracked_before_its_link_is_known__nobody_is_in_fault(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);
    struct event hold = {.kind = EVENT_TRACK, .fault = true, .hold = true};

    rig->link_late = true;
    rig_start(rig);
    rig_event(rig, hold);
    rig_run(rig, 0);
    rig_link(rig, true, RIG_SELF);
    rig_run(rig, SECOND);
    rig_track(rig, 0, false, 0);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    for (unsigned k = 0; k < rig->logged; k++) {
        assert_int_not_equal(rig->log[k].effect.to_state, INSTANCE_FAULT);
    }
    rig_free(rig);
}

static void test_take__one_held_elsewhere__none(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig_start(rig);
    rig_feed(rig, 2, 1, 150, 2 * SECOND);
    assert_all(rig, INSTANCE_BACKUP);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_ACTIVE);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_take__weaker_elsewhere__all_preempt(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig_start(rig);
    for (unsigned i = 0; i < 5; i++) {
        rig_hear(rig, 2, 0, 50);
        rig_hear(rig, 2, 1, 50);
        rig_run(rig, RIG_INTERVAL_US);
    }
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_take__one_kernel_slow__nobody_says_anything_before(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->manual_kernel = true;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_level_done(rig, 0, 0);
    rig_run(rig, SECOND);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_level_done(rig, 1, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 0, 100), 1);
    assert_int_equal(rig_sends(rig, 1, 100), 1);
    rig_free(rig);
}

static void test_take__one_kernel_refuses__the_others_fall_back(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->manual_kernel = true;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_level_done(rig, 0, 0);
    rig_level_done(rig, 1, 12);
    rig_run(rig, 0);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    assert_all(rig, INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_take__one_fell_silent_meanwhile__nobody_claims(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->manual_kernel = true;
    rig_start(rig);
    for (unsigned i = 0; i < 4; i++) {
        rig_hear(rig, 2, 0, 50);
        rig_hear(rig, 2, 1, 50);
        rig_run(rig, RIG_INTERVAL_US);
    }
    assert_int_equal(rig_view(rig, 0).level, LEVEL_READY);
    rig_hear(rig, 2, 0, 50);
    rig_run(rig, RIG_INTERVAL_US / 2);
    rig_level_done(rig, 0, 0);
    rig_level_done(rig, 1, 0);
    rig_run(rig, 0);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_int_equal(rig_sends(rig, 1, -1), 0);
    assert_all(rig, INSTANCE_BACKUP);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    rig_free(rig);
}

static void test_yield__one__the_others_are_released(void **state)
{
    (void)state;
    struct rig *rig = all_active(3);

    rig_hear(rig, 2, 1, 150);
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_BACKUP);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    assert_int_equal(rig_sends(rig, 1, 0), 0);
    assert_int_equal(rig_sends(rig, 2, 0), 1);
    assert_true(rig_position(rig, EFFECT_LEVEL, 0, LEVEL_ABSENT) < rig_position(rig, EFFECT_SEND, 0, 0));
    assert_int_equal(rig_notes(rig, NOTE_GROUP_STATE), 1);
    rig_free(rig);
}

static void test_weaker_heard__of_one__all_are_announced(void **state)
{
    (void)state;
    struct rig *rig = all_active(3);

    rig_hear(rig, 2, 1, 50);
    rig_run(rig, 0);
    for (unsigned u = 0; u < 3; u++) {
        assert_true(rig_count(rig, EFFECT_ANNOUNCE, u) > 0);
        assert_int_equal(rig_sends(rig, u, 100), u == 1);
    }
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_fault__one__all_and_back_together(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_track(rig, 0, true, 0);
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_FAULT);
    assert_int_equal(rig_view(rig, 1).faults, INSTANCE_FAULT_GROUP);
    assert_int_equal(rig_view(rig, 0).faults, INSTANCE_FAULT_TRACKED);
    rig_track(rig, 0, false, 0);
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_BACKUP);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_fault__two_and_one_recovers__still_all(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_track(rig, 0, true, 0);
    rig_track(rig, 1, true, 0);
    rig_run(rig, 0);
    rig_track(rig, 0, false, 0);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_FAULT);
    rig_track(rig, 1, false, 0);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_fault__the_groups_own__all(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_event(rig, (struct event){.kind = EVENT_TRACK, .unit = EFFECT_NO_UNIT, .fault = true});
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_FAULT);
    assert_true(rig_group(rig, 0).fault);
    rig_event(rig, (struct event){.kind = EVENT_TRACK, .unit = EFFECT_NO_UNIT});
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_weight__the_groups__moves_all_priorities(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_track(rig, 0, false, 5);
    rig_event(rig, (struct event){.kind = EVENT_TRACK, .unit = EFFECT_NO_UNIT, .weight = -30});
    assert_int_equal(rig_view(rig, 0).priority, 75);
    assert_int_equal(rig_view(rig, 1).priority, 70);
    assert_int_equal(rig_sends(rig, 1, 70), 1);
    rig_free(rig);
}

static void test_owner__in_a_group__waits_like_the_others(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->instances[0].priority = 255;
    rig_start(rig);
    assert_all(rig, INSTANCE_BACKUP);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_stall__all_give_up__together_again(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_sleep(rig, SECOND);
    rig_run(rig, 0);
    assert_all(rig, INSTANCE_BACKUP);
    rig_run(rig, SECOND);
    assert_all(rig, INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_leave__group__stopped_once(void **state)
{
    (void)state;
    struct rig *rig = all_active(2);

    rig_leave(rig);
    assert_all(rig, INSTANCE_STOPPED);
    assert_int_equal(rig_notes(rig, NOTE_GROUP_STATE), 1);
    assert_true(rig->left);
    rig_free(rig);
}

static void test_mixed_priorities__two_hosts__stable(void **state)
{
    (void)state;
    struct rig *rig = grouped(2);

    rig->instances[0].priority = 150;
    rig->instances[1].priority = 50;
    rig_start(rig);
    for (unsigned i = 0; i < 30; i++) { /* the other host has both, with 100 each */
        rig_hear(rig, 2, 0, 100);
        rig_hear(rig, 2, 1, 100);
        rig_run(rig, RIG_INTERVAL_US);
    }
    assert_all(rig, INSTANCE_BACKUP);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take__timers_differ__all_at_the_last_one),
        cmocka_unit_test(test_start__checks_without_result__held_until_there_is_one),
        cmocka_unit_test(test_start__tracked_before_its_link_is_known__nobody_is_in_fault),
        cmocka_unit_test(test_take__one_held_elsewhere__none),
        cmocka_unit_test(test_take__weaker_elsewhere__all_preempt),
        cmocka_unit_test(test_take__one_kernel_slow__nobody_says_anything_before),
        cmocka_unit_test(test_take__one_kernel_refuses__the_others_fall_back),
        cmocka_unit_test(test_take__one_fell_silent_meanwhile__nobody_claims),
        cmocka_unit_test(test_yield__one__the_others_are_released),
        cmocka_unit_test(test_weaker_heard__of_one__all_are_announced),
        cmocka_unit_test(test_fault__one__all_and_back_together),
        cmocka_unit_test(test_fault__two_and_one_recovers__still_all),
        cmocka_unit_test(test_fault__the_groups_own__all),
        cmocka_unit_test(test_weight__the_groups__moves_all_priorities),
        cmocka_unit_test(test_owner__in_a_group__waits_like_the_others),
        cmocka_unit_test(test_stall__all_give_up__together_again),
        cmocka_unit_test(test_leave__group__stopped_once),
        cmocka_unit_test(test_mixed_priorities__two_hosts__stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
