/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances beyond the RFC: faults, trackers, delays, stalls, the kernel's answers, many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "instance_rig.h"

#define SECOND ((int64_t)US_PER_S)
#define MS ((int64_t)US_PER_MS)

/* Two notes of state in a row, the last one's reason. */
static void assert_states(const struct rig *rig, unsigned nth, enum instance_state from, enum instance_state to,
                          enum reason reason)
{
    const struct effect *note = rig_note(rig, NOTE_INSTANCE_STATE, nth);

    assert_non_null(note);
    assert_int_equal(note->from_state, from);
    assert_int_equal(note->to_state, to);
    assert_int_equal(note->reason, reason);
}

/* --- start --- */

static void test_start__starts_active__one_interval_and_skew_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].starts_active = true;
    rig_start(rig);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_INTERVAL_US + RIG_SKEW_US);
    rig_track(rig, 0, true, 0);
    rig_run(rig, 0);
    rig_track(rig, 0, false, 0);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US); /* like any other from then on */
    rig_free(rig);
}

static void test_start__startup_delay__held(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->settings.startup_delay_us = 5 * SECOND;
    rig_start(rig);
    rig_run(rig, 4 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_INITIALIZE);
    rig_hear(rig, 2, 0, 200);
    assert_int_equal(rig_counters(rig, 0).refused[REFUSED_IDLE], 1);
    assert_int_equal(rig_until_active(rig, 0, 3 * SECOND), SECOND + RIG_DOWN_US);
    rig_free(rig);
}

static void test_start__down_adverts__that_many(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].down_adverts = 7;
    rig_start(rig);
    assert_int_equal(rig_until_active(rig, 0, 3 * SECOND), 7 * RIG_INTERVAL_US + RIG_SKEW_US);
    rig_free(rig);
}

/* --- faults --- */

static void test_fault__tracked__released_in_order_then_fault_then_backup(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig->manual_kernel = true;
    rig_track(rig, 0, true, 0);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_FAULT);
    rig_run(rig, RIG_INTERVAL_US); /* it may still answer, so it goes on saying so */
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_sends(rig, 0, 0), 0);
    assert_in_range(rig_sends(rig, 0, 100), 1, 2);
    rig_level_done(rig, 0, 0);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_FAULT, REASON_TRACKED);
    assert_int_equal(rig_view(rig, 0).faults, INSTANCE_FAULT_TRACKED);
    rig_mark(rig);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig->logged, 0);
    rig_track(rig, 0, false, 0);
    assert_states(rig, 0, INSTANCE_FAULT, INSTANCE_BACKUP, REASON_TRACKED);
    rig_free(rig);
}

static void test_fault__cleared_while_releasing__backup(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig->manual_kernel = true;
    rig_track(rig, 0, true, 0);
    rig_track(rig, 0, false, 0);
    rig_level_done(rig, 0, 0);
    assert_int_equal(rig_sends(rig, 0, 0), 1);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig->manual_kernel = false;
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_fault__stronger_heard_while_releasing__still_fault(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig->manual_kernel = true;
    rig_track(rig, 0, true, 0);
    rig_hear(rig, 2, 0, 200);
    assert_int_equal(rig_state(rig, 0), INSTANCE_FAULT);
    assert_int_equal(rig_sends(rig, 0, 0), 0); /* the stronger one is Active already */
    rig_level_done(rig, 0, 0);
    rig_run(rig, 3 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_FAULT);
    rig_free(rig);
}

static void test_fault__link__silent_and_back_as_backup(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_link(rig, false, RIG_SELF);
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_FAULT, REASON_LINK_DOWN);
    assert_int_equal(rig_sends(rig, 0, 0), 0);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    rig_link(rig, true, RIG_SELF);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_fault__link_not_tracked__goes_on(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].track_link = false;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_link(rig, false, RIG_SELF);
    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    struct event closed = {.kind = EVENT_LINK, .closed = true, .primary_ipv4 = rig_address(FAMILY_IPV4, RIG_SELF)};
    rig_mark(rig);
    rig_event(rig, closed); /* nothing can be sent there: its lease would end, again and again */
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_FAULT, REASON_LINK_DOWN);
    rig_free(rig);
}

static void test_fault__no_address__until_there_is_one(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_link(rig, true, 0);
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_FAULT, REASON_NO_ADDRESS);
    rig_link(rig, true, 7);
    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    struct addr primary = rig_address(FAMILY_IPV4, 7), seen = rig_view(rig, 0).primary;
    assert_true(addr_equal(&seen, &primary));
    rig_free(rig);
}

static void test_source__configured__spoken_from_and_tracked(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].source = rig_address(FAMILY_IPV4, 33);
    rig->instances[0].track_source = true;
    rig_start(rig);
    rig_link(rig, true, 0); /* the interface needs no other address then */
    rig_run(rig, SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->packet[15], 33);
    rig_mark(rig);
    rig_event(rig, (struct event){.kind = EVENT_TRACK, .no_source = true});
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_FAULT, REASON_NO_ADDRESS);
    assert_int_equal(rig_view(rig, 0).faults, INSTANCE_FAULT_SOURCE);
    rig_track(rig, 0, false, 0);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_source__owner_without_another_address__the_one_it_owns(void **state)
{
    (void)state;
    struct rig *rig = rig_new(2, 3, FAMILY_IPV4);

    rig->instances[0].priority = VRRP_PRIORITY_OWNER;
    rig_start(rig);
    rig_link(rig, true, 0);
    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_state(rig, 1), INSTANCE_FAULT); /* who owns nothing has nothing to speak from */
    rig_mark(rig);
    rig_run(rig, SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->packet[15], 50);
    rig_link(rig, true, 7);
    rig_run(rig, SECOND);
    rig_mark(rig);
    rig_run(rig, SECOND);
    assert_int_equal(rig_packet(rig, 0, 0)->packet[15], 7);
    rig_free(rig);
}

/* --- priorities --- */

static void test_weight__changed__effective_priority_within_its_limits(void **state)
{
    static const struct {
        uint8_t base;
        int16_t weight;
        uint8_t effective;
    } cases[] = {{100, 20, 120}, {100, -20, 80}, {100, 300, 254}, {100, -300, 1}, {255, -100, 255}, {254, 1, 254}};
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_new(1, 3, FAMILY_IPV4);
        rig->instances[0].priority = cases[i].base;
        rig_start(rig);
        rig_track(rig, 0, false, cases[i].weight);
        rig_run(rig, 2 * MS);
        assert_int_equal(rig_view(rig, 0).priority, cases[i].effective);
        assert_int_equal(rig_view(rig, 0).base_priority, cases[i].base);
        assert_int_equal(rig_notes(rig, NOTE_PRIORITY), cases[i].base != cases[i].effective);
        rig_free(rig);
    }
}

static void test_weight__active__said_at_once_when_it_changed(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_track(rig, 0, false, -10);
    assert_int_equal(rig_sends(rig, 0, 90), 1);
    rig_track(rig, 0, false, -10);
    assert_int_equal(rig_sends(rig, 0, 90), 1);
    rig_free(rig);
}

static void test_weight__while_claiming__as_claimed_until_it_is_open(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    assert_true(rig_until_active(rig, 0, SECOND) > 0);
    rig_track(rig, 0, false, -10);
    assert_int_equal(rig_view(rig, 0).priority, 100);
    rig_run(rig, 2 * MS);
    assert_int_equal(rig_view(rig, 0).priority, 90);
    assert_int_equal(rig_sends(rig, 0, 90), 1);
    rig_free(rig);
}

static void test_preempt_delay__weaker_active__waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].preempt_delay_us = 5 * SECOND;
    rig_start(rig);
    rig_feed(rig, 2, 0, 50, 5 * SECOND); /* the first of these starts the delay */
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_feed(rig, 2, 0, 50, RIG_DOWN_US);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_counters(rig, 0).last_active_reason, REASON_PREEMPTED);
    rig_free(rig);
}

static void test_preempt_delay__weaker_active_dies__not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].preempt_delay_us = 60 * SECOND;
    rig_start(rig);
    rig_feed(rig, 2, 0, 50, 2 * SECOND);
    rig_hear(rig, 2, 0, 50);
    assert_int_equal(rig_until_active(rig, 0, 2 * SECOND), RIG_DOWN_US);
    assert_int_equal(rig_counters(rig, 0).last_active_reason, REASON_TIMEOUT);
    rig_free(rig);
}

static void test_preempt_delay__stronger_in_between__starts_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].preempt_delay_us = 3 * SECOND;
    rig_start(rig);
    rig_feed(rig, 2, 0, 50, 2 * SECOND);
    rig_hear(rig, 3, 0, 150);
    assert_true(mono_is_never(rig_view(rig, 0).preempt_at));
    rig_feed(rig, 2, 0, 50, 3 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_lower_no_advert__weaker__told_and_not_answered(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].lower_no_advert = true;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_mark(rig);
    rig_hear(rig, 2, 0, 50);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_int_equal(rig_notes(rig, NOTE_WEAKER), 1);
    rig_free(rig);
}

static void test_higher_advert__stronger__one_last_word(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].higher_advert = true;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_mark(rig);
    rig_hear(rig, 2, 0, 200);
    assert_int_equal(rig_sends(rig, 0, 100), 1);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

/* --- stalls --- */

static void test_stall__slept_longer_than_the_lease__backup_first(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_sleep(rig, RIG_INTERVAL_US * 3);
    rig_event(rig, (struct event){.kind = EVENT_TICK});
    assert_states(rig, 0, INSTANCE_ACTIVE, INSTANCE_BACKUP, REASON_STALL);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    assert_int_equal(rig_counters(rig, 0).stalls, 1);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
}

static void test_stall__late_but_within_the_lease__goes_on(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_run(rig, RIG_INTERVAL_US);
    rig_sleep(rig, RIG_INTERVAL_US);
    rig_run(rig, 0);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    rig_free(rig);
}

static void test_stall__nothing_leaves__gives_up(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig->mute = true;
    rig_run(rig, RIG_INTERVAL_US * 3);
    assert_int_equal(rig_counters(rig, 0).stalls, 1);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_stall__late_us_without_a_lease__backup(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->instances[0].lease_us = 0;
    rig->instances[0].late_us = 100 * MS;
    rig_start(rig);
    rig_run(rig, SECOND);
    rig_sleep(rig, RIG_INTERVAL_US + 101 * MS);
    rig_run(rig, 0);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_stall__backup_slept__listens_before_it_takes(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_sleep(rig, 10 * SECOND);
    rig_run(rig, 0);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_until_active(rig, 0, SECOND), RIG_DOWN_US);
    rig_free(rig);
}

/* --- the kernel --- */

static void test_kernel__slow__says_nothing_before_the_addresses_are_there(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->manual_kernel = true;
    rig_start(rig);
    rig_run(rig, 2 * SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_ACTIVE);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_hear(rig, 2, 0, 100);
    assert_int_equal(rig_view(rig, 0).level, LEVEL_ABSENT);
    assert_int_equal(rig_view(rig, 0).want, INSTANCE_BACKUP);
    rig_free(rig);
}

static void test_kernel__refuses__told_and_tried_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig->kernel_error = 12;
    rig_start(rig);
    rig_run(rig, SECOND);
    assert_int_equal(rig_notes(rig, NOTE_KERNEL_FAILED), 1);
    assert_int_equal(rig_view(rig, 0).faults, INSTANCE_FAULT_KERNEL);
    assert_int_equal(rig_view(rig, 0).kernel_error, 12);
    assert_int_equal(rig_state(rig, 0), INSTANCE_BACKUP);
    rig->kernel_error = 0;
    rig_run(rig, SECOND);
    assert_int_equal(rig_state(rig, 0), INSTANCE_ACTIVE);
    assert_int_equal(rig_view(rig, 0).faults, 0);
    rig_free(rig);
}

static void test_conflict__active__asserted(void **state)
{
    (void)state;
    struct rig *rig = rig_alone(1);

    rig_event(rig, (struct event){.kind = EVENT_CONFLICT});
    assert_int_equal(rig_sends(rig, 0, 100), 1);
    assert_int_equal(rig_count(rig, EFFECT_ANNOUNCE, 0), 1);
    assert_int_equal(rig->log[1].effect.value, ANNOUNCE_AGAIN);
    rig_free(rig);
}

/* --- view --- */

static void test_view__backup__who_is_active(void **state)
{
    (void)state;
    struct rig *rig = rig_new(1, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_feed(rig, 3, 0, 150, RIG_INTERVAL_US);
    rig_hear(rig, 2, 0, 200);
    rig_hear(rig, 3, 0, 150); /* not yet gone, but it will be */
    struct instance_view view = rig_view(rig, 0);
    struct addr strongest = rig_address(FAMILY_IPV4, 2);
    assert_true(addr_equal(&view.holder, &strongest));
    assert_int_equal(view.holder_priority, 200);
    assert_int_equal(view.highest_other, 200);
    assert_int_equal(view.down_deadline.us, rig->now_us + RIG_DOWN_US);
    assert_int_equal(view.running_since.us, 100 * SECOND);
    rig_free(rig);
}

/* --- many --- */

static void test_many__255__leave_together_and_cost_little(void **state)
{
    (void)state;
    struct rig *rig = rig_new(255, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_run(rig, SECOND);
    rig_mark(rig);
    rig->steps = 0;
    rig_run(rig, RIG_INTERVAL_US);
    assert_int_equal(rig->logged, 255);
    assert_in_range(rig->steps, 1, 4); /* one tick, one word that they have left */
    assert_true(rig->most_effects <= effects_capacity(&rig->settings));
    rig_leave(rig);
    assert_true(rig->left);
    rig_free(rig);
}

static void test_leave__backups__at_once_and_silent(void **state)
{
    (void)state;
    struct rig *rig = rig_new(3, 3, FAMILY_IPV4);

    rig_start(rig);
    rig_mark(rig);
    rig_leave(rig);
    assert_true(rig->left);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    assert_int_equal(rig_notes(rig, NOTE_INSTANCE_STATE), 3);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start__starts_active__one_interval_and_skew_once),
        cmocka_unit_test(test_start__startup_delay__held),
        cmocka_unit_test(test_start__down_adverts__that_many),
        cmocka_unit_test(test_fault__tracked__released_in_order_then_fault_then_backup),
        cmocka_unit_test(test_fault__cleared_while_releasing__backup),
        cmocka_unit_test(test_fault__stronger_heard_while_releasing__still_fault),
        cmocka_unit_test(test_fault__link__silent_and_back_as_backup),
        cmocka_unit_test(test_fault__link_not_tracked__goes_on),
        cmocka_unit_test(test_fault__no_address__until_there_is_one),
        cmocka_unit_test(test_source__configured__spoken_from_and_tracked),
        cmocka_unit_test(test_source__owner_without_another_address__the_one_it_owns),
        cmocka_unit_test(test_weight__changed__effective_priority_within_its_limits),
        cmocka_unit_test(test_weight__active__said_at_once_when_it_changed),
        cmocka_unit_test(test_weight__while_claiming__as_claimed_until_it_is_open),
        cmocka_unit_test(test_preempt_delay__weaker_active__waited_for),
        cmocka_unit_test(test_preempt_delay__weaker_active_dies__not_waited_for),
        cmocka_unit_test(test_preempt_delay__stronger_in_between__starts_anew),
        cmocka_unit_test(test_lower_no_advert__weaker__told_and_not_answered),
        cmocka_unit_test(test_higher_advert__stronger__one_last_word),
        cmocka_unit_test(test_stall__slept_longer_than_the_lease__backup_first),
        cmocka_unit_test(test_stall__late_but_within_the_lease__goes_on),
        cmocka_unit_test(test_stall__nothing_leaves__gives_up),
        cmocka_unit_test(test_stall__late_us_without_a_lease__backup),
        cmocka_unit_test(test_stall__backup_slept__listens_before_it_takes),
        cmocka_unit_test(test_kernel__slow__says_nothing_before_the_addresses_are_there),
        cmocka_unit_test(test_kernel__refuses__told_and_tried_again),
        cmocka_unit_test(test_conflict__active__asserted),
        cmocka_unit_test(test_view__backup__who_is_active),
        cmocka_unit_test(test_many__255__leave_together_and_cost_little),
        cmocka_unit_test(test_leave__backups__at_once_and_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
