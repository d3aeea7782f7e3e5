/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The announcer in virtual time: what is said when, in which order, and how much of it at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/announce.h"

#define MS US_PER_MS
#define UNITS 240
#define LOG_MAX 4096

struct said {
    int64_t at_ms;
    unsigned unit, address;
};

/* A pool whose clock stands where the test puts it, and all that it ever said. */
struct rig {
    struct announce *announce;
    struct mono now;
    unsigned count;
    struct said log[LOG_MAX];
};

static struct rig rig;

static void note_frame(void *context, unsigned unit, unsigned address)
{
    struct rig *r = context;

    CHECK(r->count < LOG_MAX);
    r->log[r->count++] = (struct said){.at_ms = r->now.us / MS, .unit = unit, .address = address};
}

/* As a pool's: one lane, and one round after the delay. */
struct pool_announces {
    unsigned repeat;
    int64_t delay_us, refresh_us, interval_us;
};

static struct announce_lane lanes[2];

static void set_up_units(const struct announce_unit_settings *unit, unsigned count)
{
    struct announce_unit_settings units[UNITS];

    for (unsigned i = 0; i < count; i++)
        units[i] = *unit;
    for (unsigned i = 0; i < ARRAY_LENGTH(lanes); i++)
        lanes[i].until = ANNOUNCE_LANE_FREE;
    rig = (struct rig){.announce = announce_new(units, count, lanes)};
    assert_non_null(rig.announce);
}

static void set_up(const struct pool_announces *pool, unsigned units, unsigned addresses)
{
    struct announce_plan plan = {.repeat = pool->repeat, .delay_us = pool->delay_us, .delayed_repeat = 1};

    lanes[0].interval_us = pool->interval_us;
    set_up_units(&(struct announce_unit_settings){.taken = plan,
                                                  .contested = plan,
                                                  .refresh_us = pool->refresh_us,
                                                  .refresh_repeat = 1,
                                                  .address_count = addresses},
                 units);
}

static int tear_down(void **state)
{
    (void)state;
    announce_free(rig.announce);
    rig.announce = NULL;
    return 0;
}

/* Lets time pass as the daemon's loop does: runs at each deadline, with `budget` each time. */
static void run_until(int64_t end_ms, unsigned budget)
{
    struct mono end = {end_ms * MS};

    for (unsigned turn = 0; mono_due(end, announce_deadline(rig.announce)); turn++) {
        assert_true(turn < 100000);
        rig.now = mono_max(rig.now, announce_deadline(rig.announce));
        announce_run(rig.announce, rig.now, budget, note_frame, &rig);
    }
    rig.now = end;
}

static void start_at(unsigned unit, int64_t at_ms)
{
    rig.now = (struct mono){at_ms * MS};
    announce_start(rig.announce, unit, false, rig.now);
}

static void contest_at(unsigned unit, int64_t at_ms)
{
    rig.now = (struct mono){at_ms * MS};
    announce_start(rig.announce, unit, true, rig.now);
}

/* What was said, as "ms:unit.address ms:unit.address ..." */
static void assert_said(const char *expected)
{
    char text[1024];
    size_t length = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < rig.count && length < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%lld:%u.%u", i > 0 ? " " : "",
                                   (long long)rig.log[i].at_ms, rig.log[i].unit, rig.log[i].address);
    assert_string_equal(text, expected);
}

static void test_start__all_addresses__at_once_then_in_rounds(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 3}, 1, 2);
    assert_true(mono_is_never(announce_deadline(rig.announce)));
    start_at(0, 1000);
    assert_int_equal(announce_deadline(rig.announce).us, 1000 * MS);
    run_until(60000, 100);
    assert_said("1000:0.0 1000:0.1 1100:0.0 1100:0.1 1200:0.0 1200:0.1");
    assert_true(mono_is_never(announce_deadline(rig.announce)));
}

static void test_start__delay_and_refresh__each_add_their_rounds(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 2, .delay_us = 5000 * MS, .refresh_us = 60000 * MS}, 1, 1);
    start_at(0, 0);
    run_until(130000, 100);
    assert_said("0:0.0 100:0.0 5000:0.0 65000:0.0 125000:0.0");
}

static void test_start__refresh_without_delay__follows_the_last_round(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1, .refresh_us = 1000 * MS}, 1, 1);
    start_at(0, 0);
    run_until(2500, 100);
    assert_said("0:0.0 1000:0.0 2000:0.0");
}

static void test_start__delay_shorter_than_the_rounds__comes_after_them(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 3, .delay_us = 50 * MS}, 1, 1);
    start_at(0, 0);
    run_until(10000, 100);
    assert_said("0:0.0 100:0.0 200:0.0 300:0.0");
}

static void test_stop__in_any_round__ends_it(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 5, .delay_us = 1000 * MS, .refresh_us = 1000 * MS}, 2, 1);
    start_at(0, 0);
    start_at(1, 0);
    run_until(150, 100);
    announce_stop(rig.announce, 0);
    run_until(250, 100);
    announce_stop(rig.announce, 1);
    run_until(60000, 100);
    assert_said("0:0.0 0:1.0 100:0.0 100:1.0 200:1.0");
    assert_true(mono_is_never(announce_deadline(rig.announce)));
}

static void test_stop__then_start_again__does_not_wait(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 1, 1);
    start_at(0, 0);
    run_until(10, 100);
    announce_stop(rig.announce, 0);
    start_at(0, 20);
    run_until(1000, 100);
    assert_said("0:0.0 20:0.0");
}

static void test_contest__starts_anew_at_once(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 2, .delay_us = 5000 * MS}, 1, 1);
    start_at(0, 0);
    run_until(3000, 100);
    start_at(0, 3000);
    run_until(20000, 100);
    assert_said("0:0.0 100:0.0 3000:0.0 3100:0.0 8000:0.0");
}

static void test_contest__storm__one_first_round_per_100_ms(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 1, 1);
    for (int64_t ms = 0; ms < 250; ms++) {
        start_at(0, ms);
        run_until(ms, 100);
    }
    run_until(10000, 100);
    assert_said("0:0.0 100:0.0 200:0.0 300:0.0"); /* the last one was put off, not lost */
}

static void test_contest__during_the_first_round__finishes_it_and_adds_another(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 1, 3);
    start_at(0, 0);
    announce_run(rig.announce, rig.now, 1, note_frame, &rig);
    start_at(0, 1);
    run_until(10000, 100);
    assert_said("0:0.0 1:0.1 1:0.2 100:0.0 100:0.1 100:0.2");
}

static void test_budget__limits_each_run__and_loses_nothing(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 3, 2);
    for (unsigned unit = 0; unit < 3; unit++)
        start_at(unit, 0);
    for (unsigned turn = 1; turn <= 3; turn++) {
        struct mono next = announce_run(rig.announce, rig.now, 2, note_frame, &rig);

        assert_int_equal(rig.count, 2 * turn);
        assert_true(turn == 3 ? mono_is_never(next) : mono_due(rig.now, next));
    }
    assert_said("0:0.0 0:0.1 0:1.0 0:1.1 0:2.0 0:2.1");
}

static void test_pacing__later_rounds_only__and_first_rounds_overtake(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 2, .interval_us = 10 * MS}, 4, 1);
    for (unsigned unit = 0; unit < 3; unit++)
        start_at(unit, 0);
    run_until(105, 100);
    start_at(3, 105);
    run_until(1000, 100);
    assert_said("0:0.0 0:1.0 0:2.0 100:0.0 105:3.0 110:1.0 120:2.0 205:3.0");
}

static void test_pacing__more_than_fits_between_rounds__gives_all_their_turn(void **state)
{
    unsigned counts[UNITS] = {0};

    (void)state;
    set_up(&(struct pool_announces){.repeat = 5, .interval_us = 1 * MS}, UNITS, 1);
    for (unsigned unit = 0; unit < UNITS; unit++)
        start_at(unit, 0);
    run_until(60000, 64);
    assert_int_equal(rig.count, 5 * UNITS);
    for (unsigned i = 0; i < rig.count; i++) {
        counts[rig.log[i].unit]++;
        if (i >= UNITS)
            assert_true(rig.log[i].at_ms > rig.log[i - 1].at_ms);
        /* nobody is a whole round ahead of another */
        assert_true(counts[rig.log[i].unit] <= i / UNITS + 1);
    }
    assert_int_equal(rig.log[rig.count - 1].at_ms, 100 + 4 * UNITS - 1);
}

static void test_contest__has_a_plan_of_its_own(void **state)
{
    (void)state;
    set_up_units(
        &(struct announce_unit_settings){.taken = {2, 1000 * MS, 2}, .contested = {1, 500 * MS, 1}, .address_count = 1},
        1);
    start_at(0, 0);
    run_until(5000, 100);
    contest_at(0, 5000);
    run_until(20000, 100);
    assert_said("0:0.0 100:0.0 1000:0.0 1100:0.0 5000:0.0 5500:0.0");
}

static void test_contest__during_a_take_over__repeats_all_of_it(void **state)
{
    (void)state;
    set_up_units(&(struct announce_unit_settings){.taken = {3, 0, 0}, .contested = {1, 0, 0}, .address_count = 1}, 1);
    start_at(0, 0);
    run_until(50, 100);
    contest_at(0, 50);
    run_until(20000, 100);
    assert_said("0:0.0 100:0.0 200:0.0 300:0.0");
}

static void test_contest__without_rounds__says_nothing(void **state)
{
    (void)state;
    set_up_units(&(struct announce_unit_settings){.taken = {1, 0, 0}, .address_count = 1}, 1);
    start_at(0, 0);
    run_until(1000, 100);
    contest_at(0, 1000);
    run_until(20000, 100);
    assert_said("0:0.0");
}

static void test_refresh__of_several_rounds(void **state)
{
    (void)state;
    set_up_units(
        &(struct announce_unit_settings){
            .taken = {1, 0, 0}, .refresh_us = 1000 * MS, .refresh_repeat = 2, .address_count = 1},
        1);
    start_at(0, 0);
    run_until(2500, 100);
    assert_said("0:0.0 1000:0.0 1100:0.0 2100:0.0 2200:0.0");
}

static void test_lanes__keep_apart_what_is_in_them__and_nothing_else(void **state)
{
    static const uint8_t numbers[] = {0, 0, 1};

    (void)state;
    lanes[0].interval_us = 20 * MS;
    lanes[1].interval_us = 0;
    set_up_units(
        &(struct announce_unit_settings){.taken = {1, 0, 0}, .paced = true, .address_count = 3, .lanes = numbers}, 2);
    start_at(0, 0);
    start_at(1, 0);
    run_until(20000, 100);
    assert_said("0:0.0 20:0.1 20:0.2 40:1.0 60:1.1 60:1.2");
}

static void test_take_over__goes_on_where_the_other_stood(void **state)
{
    struct announce *old;

    (void)state;
    set_up(&(struct pool_announces){.repeat = 3, .delay_us = 1000 * MS}, 2, 1);
    old = rig.announce;
    start_at(0, 0);
    run_until(150, 100);
    set_up(&(struct pool_announces){.repeat = 3, .refresh_us = 5000 * MS}, 2, 1);
    announce_take_over(rig.announce, 1, old, 0, true, (struct mono){150 * MS});
    announce_take_over(rig.announce, 0, old, 1, false, (struct mono){150 * MS});
    announce_free(old);
    run_until(6000, 100);
    assert_said("200:1.0 5200:1.0");
}

static void test_take_over__of_what_was_said__only_refreshes(void **state)
{
    struct announce *old;

    (void)state;
    set_up(&(struct pool_announces){.repeat = 1, .refresh_us = 3000 * MS}, 1, 1);
    old = rig.announce;
    start_at(0, 0);
    run_until(1000, 100);
    set_up(&(struct pool_announces){.repeat = 1, .refresh_us = 9000 * MS}, 1, 1);
    announce_take_over(rig.announce, 0, old, 0, true, (struct mono){1000 * MS});
    announce_free(old);
    run_until(13000, 100);
    assert_said("3000:0.0 12000:0.0");
}

static void test_run__before_the_deadline__says_nothing(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 2}, 1, 1);
    start_at(0, 0);
    announce_run(rig.announce, rig.now, 10, note_frame, &rig);
    assert_int_equal(announce_run(rig.announce, (struct mono){99 * MS}, 10, note_frame, &rig).us, 100 * MS);
    assert_int_equal(rig.count, 1);
}

/* Unit 1 goes on as unit 0 of an announcer with other settings. */
static void hand_over(const struct pool_announces *pool, unsigned addresses, bool held)
{
    struct announce *old = rig.announce;
    struct mono now = rig.now;

    set_up(pool, 1, addresses);
    rig.now = now;
    announce_take_over(rig.announce, 0, old, 1, held, rig.now);
    announce_free(old);
}

static void test_take_over__rounds_under_way__go_on(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 3, .delay_us = 5000 * MS}, 2, 1);
    start_at(1, 1000);
    run_until(1050, 10);
    hand_over(&(struct pool_announces){.repeat = 5}, 1, true);
    run_until(20000, 10);
    assert_said("1100:0.0 1200:0.0");
}

static void test_take_over__all_said__only_what_is_new_is_said(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 2, 1);
    start_at(1, 1000);
    run_until(5000, 10);
    hand_over(&(struct pool_announces){.repeat = 3, .refresh_us = 10000 * MS}, 1, true);
    run_until(26000, 10);
    assert_said("15000:0.0 25000:0.0");
}

static void test_take_over__address_added__all_are_announced(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 2, 1);
    start_at(1, 1000);
    run_until(5000, 10);
    hand_over(&(struct pool_announces){.repeat = 1}, 2, true);
    run_until(6000, 10);
    assert_said("5000:0.0 5000:0.1");
}

static void test_take_over__not_held__nothing_is_said(void **state)
{
    (void)state;
    set_up(&(struct pool_announces){.repeat = 1}, 2, 1);
    hand_over(&(struct pool_announces){.repeat = 1, .refresh_us = 1000 * MS}, 1, false);
    assert_true(mono_is_never(announce_deadline(rig.announce)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_start__all_addresses__at_once_then_in_rounds, tear_down),
        cmocka_unit_test_teardown(test_start__delay_and_refresh__each_add_their_rounds, tear_down),
        cmocka_unit_test_teardown(test_start__refresh_without_delay__follows_the_last_round, tear_down),
        cmocka_unit_test_teardown(test_start__delay_shorter_than_the_rounds__comes_after_them, tear_down),
        cmocka_unit_test_teardown(test_stop__in_any_round__ends_it, tear_down),
        cmocka_unit_test_teardown(test_stop__then_start_again__does_not_wait, tear_down),
        cmocka_unit_test_teardown(test_contest__starts_anew_at_once, tear_down),
        cmocka_unit_test_teardown(test_contest__storm__one_first_round_per_100_ms, tear_down),
        cmocka_unit_test_teardown(test_contest__during_the_first_round__finishes_it_and_adds_another, tear_down),
        cmocka_unit_test_teardown(test_budget__limits_each_run__and_loses_nothing, tear_down),
        cmocka_unit_test_teardown(test_pacing__later_rounds_only__and_first_rounds_overtake, tear_down),
        cmocka_unit_test_teardown(test_pacing__more_than_fits_between_rounds__gives_all_their_turn, tear_down),
        cmocka_unit_test_teardown(test_contest__has_a_plan_of_its_own, tear_down),
        cmocka_unit_test_teardown(test_contest__during_a_take_over__repeats_all_of_it, tear_down),
        cmocka_unit_test_teardown(test_contest__without_rounds__says_nothing, tear_down),
        cmocka_unit_test_teardown(test_refresh__of_several_rounds, tear_down),
        cmocka_unit_test_teardown(test_lanes__keep_apart_what_is_in_them__and_nothing_else, tear_down),
        cmocka_unit_test_teardown(test_take_over__goes_on_where_the_other_stood, tear_down),
        cmocka_unit_test_teardown(test_take_over__of_what_was_said__only_refreshes, tear_down),
        cmocka_unit_test_teardown(test_run__before_the_deadline__says_nothing, tear_down),
        cmocka_unit_test_teardown(test_take_over__rounds_under_way__go_on, tear_down),
        cmocka_unit_test_teardown(test_take_over__all_said__only_what_is_new_is_said, tear_down),
        cmocka_unit_test_teardown(test_take_over__address_added__all_are_announced, tear_down),
        cmocka_unit_test_teardown(test_take_over__not_held__nothing_is_said, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
