/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of tracker does to whoever tracks it: weights, faults, shares of pools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track_rig.h"

/* --- weights --- */

static void test_track__weights__as_the_table_says(void **state)
{
    static const struct {
        int weight;
        bool reverse, good;
        bool fault;
        int sum;
    } rows[] = {
        {20, false, true, false, 20},    {20, false, false, false, 0}, {-20, false, true, false, 0},
        {-20, false, false, false, -20}, {0, false, true, false, 0},   {0, false, false, true, 0},
        {20, true, true, false, 0},      {20, true, false, false, 20}, {-20, true, true, false, -20},
        {-20, true, false, false, 0},    {0, true, true, true, 0},     {0, true, false, false, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct check_tracker script = tracks(CHECK_TRACK_SCRIPT, rows[i].weight, rows[i].reverse);
        const struct check_tracker interface = tracks(CHECK_TRACK_INTERFACE, rows[i].weight, rows[i].reverse);
        const struct check_tracker process = tracks(CHECK_TRACK_PROCESS, rows[i].weight, rows[i].reverse);

        start(&script, 1);
        finish(0, rows[i].good ? TRACK_RAN_GOOD : TRACK_RAN_BAD);
        take();
        expect(false, rows[i].fault, rows[i].sum);
        start(&interface, 1);
        assert_int_equal(track_interface_count(track), 1);
        assert_string_equal(track_interface_name(track, 0), "eth9");
        track_interface(track, 0, rows[i].good, now);
        take();
        expect(false, rows[i].fault, rows[i].sum);
        start(&process, 1);
        track_process(track, 0, rows[i].good ? 2 : 1, now);
        take();
        expect(false, rows[i].fault, rows[i].sum);
    }
}

static void test_track__file__value_times_weight(void **state)
{
    static const struct {
        int weight;
        bool reverse;
        int64_t value;
        bool fault;
        int sum;
    } rows[] = {
        {1, false, 0, false, 0},
        {1, false, 7, false, 7},
        {-2, false, 7, false, -14},
        {2, true, 7, false, -14},
        {1, false, 254, false, 253},
        {1, false, 100000, false, 253},
        {1, false, -253, false, -253},
        {1, false, -254, true, 0},
        {-1, true, -254, true, 0},
        {0, false, 0, false, 0},
        {0, false, 1, true, 0},
        {0, true, -1, true, 0},
        {254, false, INT64_MAX, false, 253},
        {-254, false, INT64_MAX, true, 0},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct check_tracker tracker = tracks(CHECK_TRACK_FILE, rows[i].weight, rows[i].reverse);

        start(&tracker, 1);
        track_file(track, 0, rows[i].value, false, "", now);
        take();
        expect(false, rows[i].fault, rows[i].sum);
    }
}

static void test_track__file_without_a_number__is_a_fault_only_without_weight(void **state)
{
    const struct check_tracker plain = tracks(CHECK_TRACK_FILE, 0, false),
                               weighted = tracks(CHECK_TRACK_FILE, 5, false);

    (void)state;
    start(&plain, 1);
    track_file(track, 0, 0, true, "it holds no number", now);
    take();
    expect(false, true, 0);
    start(&weighted, 1);
    track_file(track, 0, 0, true, "it holds no number", now);
    take();
    expect(false, false, 0);
    assert_int_equal(view_of(0).state, TRACK_FAILED);
}

static void test_track__several__add_up_and_a_fault_beats_them(void **state)
{
    struct check_tracker list[] = {tracks(CHECK_TRACK_SCRIPT, 10, false), tracks(CHECK_TRACK_FILE, 1, false),
                                   tracks(CHECK_TRACK_INTERFACE, -30, false), tracks(CHECK_TRACK_PROCESS, 0, false)};
    struct track_effect_view effect;

    (void)state;
    start(list, ARRAY_LENGTH(list));
    finish(0, TRACK_RAN_GOOD);
    track_file(track, 0, 5, false, "", now);
    track_interface(track, 0, false, now);
    track_process(track, 0, 3, now);
    take();
    expect(false, false, -15);
    assert_true(track_effect(track, TRACK_INSTANCE, 1, 0, 2, &effect));
    assert_int_equal(effect.weight, -30);
    assert_ptr_equal(effect.tracker, &list[2]);
    assert_false(track_effect(track, TRACK_INSTANCE, 1, 0, 4, &effect));
    track_process(track, 0, 4, now); /* above quorum_max */
    take();
    expect(false, true, 0);
}

static void test_track__undefined__has_failed_for_ever(void **state)
{
    struct check_tracker tracker = {.kind = CHECK_TRACK_SCRIPT, .name = "nowhere"};

    (void)state;
    start(&tracker, 1);
    take();
    expect(false, true, 0);
    tracker.weight.reverse = true; /* not even the other way round is it good */
    start(&tracker, 1);
    take();
    expect(false, true, 0);
    tracker.weight = (struct check_weight){.value = -5};
    start(&tracker, 1);
    take();
    expect(false, false, -5);
    tracker.weight.value = 5;
    start(&tracker, 1);
    take();
    expect(false, false, 0);
}

static void test_track__ignored__has_no_effect(void **state)
{
    struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, -5, false);

    (void)state;
    tracker.ignored = true;
    start(&tracker, 1);
    finish(0, TRACK_RAN_BAD);
    take();
    expect(false, false, 0);
}

/* --- targets --- */

static void test_track__one_source__moves_all_who_track_it(void **state)
{
    const struct check_tracker weighted = tracks(CHECK_TRACK_SCRIPT, -40, false);
    const struct check_tracker plain = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_change change;
    unsigned seen = 0;

    (void)state;
    group.trackers = &plain;
    group.tracker_count = 1;
    watches[0] = (struct config_watch){.trackers = &weighted, .tracker_count = 1};
    start(&plain, 1);
    assert_int_equal(track_source_count(track), 1);
    finish(0, TRACK_RAN_BAD);
    while (track_next_change(track, now, &change)) {
        seen |= 1u << change.kind;
        assert_int_equal(change.fault, change.kind != TRACK_POOL);
        if (change.kind == TRACK_POOL)
            assert_int_equal(change.share, 60);
    }
    assert_int_equal(seen, 1u << TRACK_INSTANCE | 1u << TRACK_GROUP | 1u << TRACK_POOL);
}

static void test_track__share_of_a_pool__is_held_within_its_range_and_a_fault_is_0(void **state)
{
    struct check_tracker list[] = {tracks(CHECK_TRACK_FILE, 1, false), tracks(CHECK_TRACK_INTERFACE, 0, false)};
    struct track_change change;

    (void)state;
    watches[0] = (struct config_watch){.trackers = list, .tracker_count = 2};
    start(NULL, 0);
    track_file(track, 0, 253, false, "", now);
    track_interface(track, 0, true, now);
    assert_true(track_next_change(track, now, &change));
    assert_int_equal(change.share, 254);
    track_file(track, 0, -200, false, "", now);
    assert_true(track_next_change(track, now, &change));
    assert_int_equal(change.share, 2);
    track_interface(track, 0, false, now);
    assert_true(track_next_change(track, now, &change));
    assert_int_equal(change.share, 0);
    assert_false(track_next_change(track, now, &change));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_track__weights__as_the_table_says),
        TEST(test_track__file__value_times_weight),
        TEST(test_track__file_without_a_number__is_a_fault_only_without_weight),
        TEST(test_track__several__add_up_and_a_fault_beats_them),
        TEST(test_track__undefined__has_failed_for_ever),
        TEST(test_track__ignored__has_no_effect),
        TEST(test_track__one_source__moves_all_who_track_it),
        TEST(test_track__share_of_a_pool__is_held_within_its_range_and_a_fault_is_0),
    };

    return cmocka_run_group_tests_name("track_weights", tests, NULL, NULL);
}
