/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from results: rise and fall, first results, delays, weights of every kind of tracker, shares of pools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/track.h"

#define S US_PER_S

static char *words[] = {(char *)(uintptr_t) "x", NULL};

/* A configuration with one set of two instances, a group and a pool; tests fill in who tracks what. */
static struct check_script scripts[2];
static struct check_file files[1];
static struct check_process processes[1];
static struct config_instances instances;
static struct config_group group;
static struct config_router routers[2];
static struct config_unit units[2];
static struct config_pool pools[2];
static struct pool_settings settings[2];
static struct config_watch watches[2];
static struct config config;
static struct track *track;
static struct mono now;

static int set_up(void **state)
{
    (void)state;
    now = (struct mono){100 * S};
    for (unsigned i = 0; i < 2; i++)
        scripts[i] = (struct check_script){.name = i == 0 ? "a" : "b",
                                           .interval_us = S,
                                           .timeout_us = S,
                                           .rise = 1,
                                           .fall = 1,
                                           .command = {.argument_count = 1, .arguments = words}};
    files[0] = (struct check_file){.name = "f", .path = "/f"};
    processes[0] = (struct check_process){.name = "p", .words = words, .word_count = 1, .quorum = 2, .quorum_max = 3};
    instances = (struct config_instances){.group_count = 1,
                                          .groups = &group,
                                          .script_count = 2,
                                          .scripts = scripts,
                                          .file_count = 1,
                                          .files = files,
                                          .process_count = 1,
                                          .processes = processes};
    group = (struct config_group){.name = "g"};
    for (unsigned i = 0; i < 2; i++) {
        routers[i] = (struct config_router){0};
        units[i] = (struct config_unit){.router = &routers[i]};
        watches[i] = (struct config_watch){0};
    }
    settings[0] = (struct pool_settings){.share = 100};
    settings[1] = (struct pool_settings){.unit_count = 2};
    pools[1].units = units;
    config = (struct config){.core = {.pool_count = 1, .set_count = 1, .pools = settings},
                             .pools = pools,
                             .watches = watches,
                             .instances = &instances};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    track_free(track);
    track = NULL;
    return 0;
}

static struct check_tracker tracks(enum check_tracker_kind kind, int weight, bool reverse)
{
    return (struct check_tracker){
        .kind = (uint8_t)kind,
        .name = kind == CHECK_TRACK_INTERFACE ? "eth9" : "x",
        .resolved = true,
        .script = kind == CHECK_TRACK_SCRIPT ? &scripts[0] : NULL,
        .file = kind == CHECK_TRACK_FILE ? &files[0] : NULL,
        .process = kind == CHECK_TRACK_PROCESS ? &processes[0] : NULL,
        .weight = {.value = (int16_t)weight, .reverse = reverse},
    };
}

static void start(const struct check_tracker *trackers, unsigned count)
{
    routers[0].trackers = trackers;
    routers[0].tracker_count = count;
    track_free(track);
    track = track_new(&config, now);
    assert_non_null(track);
}

/* The newest word about instance 0; what is told twice without a change is a fault. */
static struct track_change last;

static bool take(void)
{
    struct track_change change;
    bool any = false;

    while (track_next_change(track, now, &change)) {
        if (change.kind != TRACK_INSTANCE || change.unit != 0)
            continue;
        last = change;
        any = true;
    }
    return any;
}

static void expect(bool hold, bool fault, int weight)
{
    assert_int_equal(last.hold, hold);
    assert_int_equal(last.fault, fault);
    assert_int_equal(last.weight, weight);
}

static struct track_run run_of(unsigned script)
{
    struct track_run run;

    while (track_next_run(track, now, &run))
        if (run.script == script)
            return run;
    fail_msg("script %u is not due", script);
    return run;
}

static void finish(unsigned script, enum track_outcome outcome)
{
    track_script_done(track, script, run_of(script).run, outcome, "said", now);
    now.us += S;
}

static struct track_view view_of(unsigned source)
{
    struct track_view view;

    track_view(track, source, &view);
    return view;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The file is read again; it says the same, unless a test has changed it. */
static void read_again(void)
{
    struct handover map = {.old_pool = {0, 1}, .old_unit = {{0}, {0, 1}}};
    struct track *next = track_new(&config, now);

    assert_non_null(next);
    track_take_over(next, track, &map);
    track_free(track);
    track = next;
}

static void run_once(enum track_outcome outcome)
{
    struct track_run run;

    assert_true(track_next_run(track, now, &run));
    track_script_done(track, run.script, run.run, outcome, "", now);
}

static void test_take_over__result_known__nothing_is_told_and_the_rhythm_stays(void **state)
{
    struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct track_run run;

    (void)state;
    start(&tracker, 1);
    assert_true(take());
    run_once(TRACK_RAN_BAD);
    assert_true(take());
    expect(false, true, 0);
    now = mono_add(now, S / 2);
    read_again();
    assert_false(take());
    assert_false(track_next_run(track, now, &run));
    now = mono_add(now, S / 2);
    run_once(TRACK_RAN_GOOD);
    assert_true(take());
    expect(false, false, 0);
}

static void test_take_over__weight_changed__told_at_once(void **state)
{
    struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, -20, false);

    (void)state;
    start(&tracker, 1);
    run_once(TRACK_RAN_BAD);
    assert_true(take());
    expect(false, false, -20);
    tracker.weight.value = -50;
    read_again();
    assert_true(take());
    expect(false, false, -50);
}

static void test_take_over__script_added__nothing_is_held_back_for_its_first_result(void **state)
{
    struct check_tracker trackers[] = {tracks(CHECK_TRACK_SCRIPT, 0, false), tracks(CHECK_TRACK_SCRIPT, 0, false)};

    (void)state;
    trackers[1].script = &scripts[1];
    trackers[1].name = "b";
    start(trackers, 1);
    run_once(TRACK_RAN_GOOD);
    assert_true(take());
    expect(false, false, 0);
    routers[0].tracker_count = 2;
    read_again();
    assert_false(take());
    run_once(TRACK_RAN_BAD); /* the new one is due at once */
    assert_true(take());
    expect(false, true, 0);
}

static void test_take_over__another_command__starts_anew(void **state)
{
    static char *others[] = {(char *)(uintptr_t) "y", NULL};
    struct check_tracker tracker = tracks(CHECK_TRACK_SCRIPT, 0, false);
    struct check_script old[2];

    (void)state;
    start(&tracker, 1);
    run_once(TRACK_RAN_BAD);
    assert_true(take());
    memcpy(old, scripts, sizeof(old));
    tracker.script = &old[0];
    instances.scripts = old;
    start(&tracker, 1);
    run_once(TRACK_RAN_BAD);
    assert_true(take());
    scripts[0].command.arguments = others;
    tracker.script = &scripts[0];
    instances.scripts = scripts;
    read_again();
    assert_false(take()); /* what was told stands until there is a result */
    run_once(TRACK_RAN_GOOD);
    assert_true(take());
    expect(false, false, 0);
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
        TEST(test_track__weights__as_the_table_says),
        TEST(test_track__file__value_times_weight),
        TEST(test_track__file_without_a_number__is_a_fault_only_without_weight),
        TEST(test_track__several__add_up_and_a_fault_beats_them),
        TEST(test_track__undefined__has_failed_for_ever),
        TEST(test_track__ignored__has_no_effect),
        TEST(test_track__process_delays__are_waited_for_and_forgotten_when_it_turns_back),
        TEST(test_track__one_source__moves_all_who_track_it),
        TEST(test_track__share_of_a_pool__is_held_within_its_range_and_a_fault_is_0),
        TEST(test_track__changes_of_state__are_news_once),
        TEST(test_take_over__result_known__nothing_is_told_and_the_rhythm_stays),
        TEST(test_take_over__weight_changed__told_at_once),
        TEST(test_take_over__script_added__nothing_is_held_back_for_its_first_result),
        TEST(test_take_over__another_command__starts_anew),
    };

    return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
