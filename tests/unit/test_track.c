/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from results in time: rise and fall, first results, runs that are late, delays, reloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track_rig.h"

/* --- scripts --- */

static void test_track__unweighted_script__holds_until_its_first_result(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);

    (void)state;
    scripts[0].rise = 3;
    start(&tracker, 1);
    assert_true(take());
    expect(true, true, 0);
    assert_false(take());
    finish(0, TRACK_RAN_GOOD); /* one is enough at the start, whatever rise says */
    assert_true(take());
    expect(false, false, 0);
}

static void test_track__unweighted_script__first_failure_is_a_fault(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);

    (void)state;
    scripts[0].fall = 3;
    start(&tracker, 1);
    finish(0, TRACK_RAN_BAD);
    take();
    expect(false, true, 0);
}

static void test_track__init_fail__needs_all_of_rise(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);

    (void)state;
    scripts[0].rise = 2;
    scripts[0].init_fail = true;
    start(&tracker, 1);
    take();
    expect(false, true, 0);
    finish(0, TRACK_RAN_GOOD);
    assert_false(take());
    finish(0, TRACK_RAN_GOOD);
    take();
    expect(false, false, 0);
}

static void test_track__rise_and_fall__count_results_in_a_row(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, -20, false);

    (void)state;
    scripts[0].rise = 2;
    scripts[0].fall = 3;
    start(&tracker, 1);
    take();
    expect(false, false, -20);
    finish(0, TRACK_RAN_GOOD);
    take();
    expect(false, false, 0);
    for (unsigned i = 0; i < 2; i++)
        finish(0, TRACK_RAN_BAD);
    finish(0, TRACK_RAN_GOOD); /* two and one are not three */
    for (unsigned i = 0; i < 2; i++)
        finish(0, TRACK_RAN_BAD);
    assert_false(take());
    finish(0, TRACK_RAN_OVER);
    take();
    expect(false, false, -20);
    finish(0, TRACK_RAN_GOOD);
    finish(0, TRACK_RAN_BAD);
    finish(0, TRACK_RAN_GOOD);
    assert_false(take());
    finish(0, TRACK_RAN_GOOD);
    take();
    expect(false, false, 0);
    assert_int_equal(view_of(0).timeouts, 1);
    assert_int_equal(view_of(0).failures, 6);
    assert_int_equal(view_of(0).runs, 11);
}

static void test_track__cannot_be_run__is_a_failed_check(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);

    (void)state;
    start(&tracker, 1);
    finish(0, TRACK_NOT_RUN);
    take();
    expect(false, true, 0);
    assert_int_equal(view_of(0).not_run, 1);
    assert_int_equal(view_of(0).runs, 0);
    assert_string_equal(view_of(0).text, "said");
}

static void test_track__still_running_at_the_next_interval__is_skipped(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_run first, second;

    (void)state;
    scripts[0].timeout_us = 3 * S;
    start(&tracker, 1);
    first = run_of(0);
    assert_int_equal(track_deadline(track).us, 0); /* the start is not told yet */
    take();
    assert_int_equal(track_deadline(track).us, now.us + S);
    now.us += S;
    assert_false(track_next_run(track, now, &second));
    now.us += S;
    assert_false(track_next_run(track, now, &second));
    assert_int_equal(view_of(0).skipped, 2);
    track_script_done(track, 0, first.run, TRACK_RAN_GOOD, "", now);
    now.us += S;
    assert_true(track_next_run(track, now, &second));
    track_script_done(track, 0, second.run, TRACK_BUSY, "", now);
    assert_int_equal(view_of(0).skipped, 3);
    take();
    expect(false, false, 0);
}

static void test_track__host_that_slept__makes_up_for_no_run(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_run run;

    (void)state;
    start(&tracker, 1);
    finish(0, TRACK_RAN_GOOD);
    now.us += 1000 * S;
    finish(0, TRACK_RAN_GOOD);
    now.us -= S;
    assert_false(track_next_run(track, now, &run));
}

static void test_track__result_that_never_comes__is_a_failure_and_a_late_one_is_none(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_run lost, next;

    (void)state;
    start(&tracker, 1);
    lost = run_of(0);
    now.us += 17 * S;
    take();
    expect(false, true, 0);
    assert_true(track_next_run(track, now, &next));
    track_script_done(track, 0, lost.run, TRACK_RAN_GOOD, "", now);
    assert_false(take());
    track_script_done(track, 0, next.run, TRACK_RAN_GOOD, "", now);
    assert_true(take());
}

static void test_track__script_without_command__has_failed_and_is_never_run(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_run run;

    (void)state;
    scripts[0].command.argument_count = 0;
    start(&tracker, 1);
    take();
    expect(false, true, 0);
    assert_false(track_next_run(track, now, &run));
}

/* --- processes --- */

static void test_track__process_delays__are_waited_for_and_forgotten_when_it_turns_back(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_PROCESS, 0, false);

    (void)state;
    processes[0].fork_delay_us = 2 * S;
    processes[0].terminate_delay_us = 5 * S;
    start(&tracker, 1);
    take();
    expect(true, true, 0);
    track_process(track, 0, 2, now); /* the first count counts at once */
    take();
    expect(false, false, 0);
    track_process(track, 0, 1, now);
    assert_false(take());
    assert_int_equal(track_deadline(track).us, now.us + 5 * S);
    now.us += 4 * S;
    track_process(track, 0, 2, now); /* it was only restarted */
    now.us += 4 * S;
    assert_false(take());
    track_process(track, 0, 0, now);
    now.us += 5 * S;
    take();
    expect(false, true, 0);
    track_process(track, 0, 2, now);
    now.us += S;
    assert_false(take());
    now.us += S;
    take();
    expect(false, false, 0);
}

static void test_track__source_address__is_told_beside_the_rest(void **state)
{
    struct instance_settings *own = &instance_settings[0];

    (void)state;
    own->track_source = true;
    assert_true(addr_parse("192.0.2.1", &own->source));
    start(NULL, 0);
    take();
    expect(false, false, 0);
    track_source_address(track, 1, 0, true);
    assert_false(take());
    track_source_address(track, 1, 0, false);
    assert_true(take());
    assert_true(last.no_source);
    track_source_address(track, 1, 0, true);
    assert_true(take());
    assert_false(last.no_source);
}

static void test_track__changes_of_state__are_news_once(void **state)
{
    const struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    unsigned source;

    (void)state;
    start(&tracker, 1);
    assert_false(track_next_news(track, &source));
    finish(0, TRACK_RAN_GOOD);
    assert_true(track_next_news(track, &source));
    assert_false(track_next_news(track, &source));
    finish(0, TRACK_RAN_GOOD);
    assert_false(track_next_news(track, &source));
    assert_int_equal(view_of(source).since.us, 100 * S);
}

static void test_track__reload__goes_on_as_it_stood(void **state)
{
    struct check_tracker list[] = {tracks(CHECK_TRACK_SCRIPT, 0, false), tracks(CHECK_TRACK_FILE, 1, false)};
    struct track *old;

    (void)state;
    scripts[0].fall = 3;
    start(list, 2);
    finish(0, TRACK_RAN_GOOD);
    finish(0, TRACK_RAN_BAD);
    track_file(track, 0, 7, false, "", now);
    old = track;
    track = NULL;
    scripts[0].fall = 2; /* the one failure has no place any more */
    start(list, 2);
    track_take_over(track, old, 0);
    track_free(old);
    take();
    expect(false, false, 7); /* no hold, no fault, no first result */
    assert_int_equal(view_of(0).runs, 2);
    finish(0, TRACK_RAN_BAD);
    assert_false(take());
    finish(0, TRACK_RAN_BAD);
    take();
    expect(false, true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_track__unweighted_script__holds_until_its_first_result),
        TEST(test_track__unweighted_script__first_failure_is_a_fault),
        TEST(test_track__init_fail__needs_all_of_rise),
        TEST(test_track__rise_and_fall__count_results_in_a_row),
        TEST(test_track__cannot_be_run__is_a_failed_check),
        TEST(test_track__still_running_at_the_next_interval__is_skipped),
        TEST(test_track__host_that_slept__makes_up_for_no_run),
        TEST(test_track__result_that_never_comes__is_a_failure_and_a_late_one_is_none),
        TEST(test_track__script_without_command__has_failed_and_is_never_run),
        TEST(test_track__process_delays__are_waited_for_and_forgotten_when_it_turns_back),
        TEST(test_track__source_address__is_told_beside_the_rest),
        TEST(test_track__changes_of_state__are_news_once),
        TEST(test_track__reload__goes_on_as_it_stood),
    };

    return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
