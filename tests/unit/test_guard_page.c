/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared page: what a worker leaves behind is what the guard finds, whenever the worker dies; and the back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/prng.h"
#include "core/effect.h"
#include "daemon/backoff.h"
#include "daemon/guard_page.h"

static struct addr one_address = {.family = FAMILY_IPV4, .bytes = {192, 0, 2, 50}};
static struct unit_settings units_web[] = {
    {.vrid = 50, .address_count = 1, .addresses = &one_address},
    {.vrid = 51, .address_count = 1, .addresses = &one_address},
    {.vrid = 52, .address_count = 3, .addresses = &one_address},
};
static struct unit_settings units_six[] = {{.vrid = 1, .address_count = 2}};
static struct pool_settings pools[] = {
    {.name = "web", .family = FAMILY_IPV4, .unit_count = 3, .units = units_web},
    {.name = "six", .family = FAMILY_IPV6, .unit_count = 1, .units = units_six},
};
static const struct core_settings settings = {.pool_count = 2, .link_count = 1, .pools = pools};

/* On `ifindex`, or with 0 wherever routing leads. */
static void hold(struct guard_page *page, unsigned pool, unsigned unit, unsigned peer, int ifindex,
                 const uint8_t *bytes, size_t length)
{
    guard_page_hold(
        page, pool, unit, peer,
        &(struct guard_frame){.ifindex = ifindex, .routed = ifindex == 0, .bytes = bytes, .length = length});
}

static int setup(void **state)
{
    struct guard_page *page = NULL;

    if (guard_page_open(&settings, &page) != 0)
        return -1;
    *state = page;
    return 0;
}

static int teardown(void **state)
{
    guard_page_close(*state);
    return 0;
}

static unsigned count(const struct guard_page *page)
{
    struct guard_frame frame;
    unsigned cursor = 0;
    unsigned frames = 0;

    while (guard_page_next(page, &cursor, &frame))
        frames++;
    return frames;
}

static void test_guard_page__new__empty(void **state)
{
    assert_int_equal(count(*state), 0);
    assert_false(guard_page_holds(*state, 0, 0));
    assert_false(guard_page_holds(*state, 1, EFFECT_NO_UNIT));
}

static void test_guard_page__held__member_before_units(void **state)
{
    struct guard_page *page = *state;
    struct guard_frame frame;
    unsigned cursor = 0;
    const char *const expected[] = {"member", "unit 2", "six"};
    const int ifindexes[] = {7, 8, 9};

    hold(page, 1, 0, 0, 9, (const uint8_t *)"six", 3);
    hold(page, 0, 2, 0, 8, (const uint8_t *)"unit 2", 6);
    hold(page, 0, EFFECT_NO_UNIT, 0, 7, (const uint8_t *)"member", 6);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(guard_page_next(page, &cursor, &frame));
        assert_int_equal(frame.ifindex, ifindexes[i]);
        assert_int_equal(frame.length, strlen(expected[i]));
        assert_memory_equal(frame.bytes, expected[i], frame.length);
    }
    assert_false(guard_page_next(page, &cursor, &frame));
    assert_true(guard_page_holds(page, 0, 2));
    guard_page_drop(page, 0, 2);
    assert_false(guard_page_holds(page, 0, 2));
    assert_int_equal(count(page), 2);
    guard_page_clear(page);
    assert_int_equal(count(page), 0);
}

static void test_guard_page__longest_frame__fits_and_no_longer(void **state)
{
    struct guard_page *page = *state;
    uint8_t frame[256] = {0};
    size_t longest = guard_page_frame_max(&pools[0]);

    assert_int_equal(longest, 14 + 20 + 8 + 3 * 4 + 8);
    hold(page, 0, 1, 0, 1, frame, longest);
    assert_true(guard_page_holds(page, 0, 1));
    hold(page, 0, 1, 0, 1, frame, sizeof(frame));
    assert_false(guard_page_holds(page, 0, 1)); /* and the old one is not kept: it would be wrong */
    hold(page, 0, 1, 0, 1, frame, 0);
    assert_false(guard_page_holds(page, 0, 1));
}

static void test_guard_page__unicast_peers__each_have_a_frame(void **state)
{
    static const struct instance_settings alone = {.name = "alone"};
    static const struct instance_settings three = {.name = "three", .unicast = true, .peer_count = 3};
    struct unit_settings units[] = {
        {.vrid = 1, .family = FAMILY_IPV6, .address_count = 2, .instance = &three},
        {.vrid = 1, .family = FAMILY_IPV4, .address_count = 1, .instance = &alone},
    };
    struct pool_settings sets[] = {{.name = "instances", .unit_count = 2, .units = units}};
    const struct core_settings all = {.set_count = 1, .link_count = 1, .pools = sets};
    struct guard_page *page = NULL;
    struct guard_frame frame;
    unsigned cursor = 0;

    (void)state;
    assert_int_equal(guard_page_frame_max(&sets[0]), 14 + 40 + 8 + 2 * 16 + 8);
    assert_int_equal(guard_page_open(&all, &page), 0);
    hold(page, 0, 1, 0, 5, (const uint8_t *)"v4", 2);
    hold(page, 0, 0, 2, 0, (const uint8_t *)"third", 5);
    assert_true(guard_page_next(page, &cursor, &frame));
    assert_true(frame.routed);
    assert_memory_equal(frame.bytes, "third", 5);
    assert_true(guard_page_next(page, &cursor, &frame));
    assert_int_equal(frame.ifindex, 5);
    assert_false(frame.routed);
    assert_false(guard_page_next(page, &cursor, &frame));
    guard_page_drop(page, 0, 0);
    assert_false(guard_page_holds(page, 0, 0));
    assert_true(guard_page_holds(page, 0, 1));
    guard_page_close(page);
}

static void test_guard_page__worker_killed__guard_finds_its_frames(void **state)
{
    struct guard_page *page = *state;
    pid_t child = fork();

    if (child == 0) {
        hold(page, 0, 0, 0, 3, (const uint8_t *)"goodbye", 7);
        guard_page_beat(page);
        _exit(1);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(count(page), 1);
    assert_true(guard_page_beats(page) == 1);
}

static void test_guard_page__mapped_from_its_file__the_same_page(void **state)
{
    struct guard_page *page = *state, *other = NULL;
    const uint8_t frame[] = {1, 2, 3};

    assert_int_equal(guard_page_map(&settings, guard_page_file(page), &other), 0);
    hold(other, 0, 1, 0, 7, frame, sizeof(frame));
    assert_true(guard_page_holds(page, 0, 1));
    guard_page_close(other);
    assert_true(guard_page_holds(page, 0, 1));
}

static void test_guard_page__file_of_another_size__refused_and_not_to_be_cut(void **state)
{
    struct guard_page *page = *state, *other = NULL;
    struct pool_settings fewer = pools[0];
    const struct core_settings others = {.pool_count = 1, .link_count = 1, .pools = &fewer};

    assert_true(guard_page_map(&others, guard_page_file(page), &other) < 0);
    assert_null(other);
    assert_int_equal(ftruncate(guard_page_file(page), 0), -1);
}

static void test_backoff__deaths__doubles_to_ten_seconds_and_forgets(void **state)
{
    static const int64_t expected_ms[] = {0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    int64_t wait_us = 0;
    unsigned deaths = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
        wait_us = backoff_next_us(wait_us, 1000, &deaths);
        assert_int_equal(wait_us, expected_ms[i] * 1000);
    }
    wait_us = backoff_next_us(wait_us, BACKOFF_FORGET_US, &deaths);
    assert_int_equal(wait_us, 0);
    assert_int_equal(backoff_next_us(wait_us, 0, &deaths), BACKOFF_FIRST_US);
}

/* Whatever a worker gone wrong has written there: no more frames than places, none longer than its place. */
static void test_guard_page__filled_with_nonsense__nothing_outside_is_read(void **state)
{
    struct guard_page *page = *state;
    struct stat file;
    struct prng prng = prng_seed(1);
    uint64_t sum = 0;
    size_t longest = guard_page_frame_max(&pools[0]) > guard_page_frame_max(&pools[1])
                         ? guard_page_frame_max(&pools[0])
                         : guard_page_frame_max(&pools[1]);

    assert_int_equal(fstat(guard_page_file(page), &file), 0);
    uint8_t *bytes = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, guard_page_file(page), 0);

    assert_ptr_not_equal(bytes, MAP_FAILED);
    for (unsigned round = 0; round < 2000; round++) {
        struct guard_frame frame;
        unsigned cursor = 0, frames = 0;

        for (off_t i = 0; i < file.st_size; i++)
            bytes[i] = round == 0 ? 0xff : prng_below(&prng, 4) == 0 ? (uint8_t)prng_below(&prng, 256) : 0;
        while (guard_page_next(page, &cursor, &frame)) {
            assert_in_range(frame.length, 1, longest + sizeof(uint64_t));
            for (size_t i = 0; i < frame.length; i++)
                sum += frame.bytes[i];
            frames++;
        }
        assert_in_range(frames, 0, 6);
    }
    assert_true(sum > 0);
    munmap(bytes, (size_t)file.st_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_guard_page__new__empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_page__held__member_before_units, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_page__longest_frame__fits_and_no_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_page__filled_with_nonsense__nothing_outside_is_read, setup,
                                        teardown),
        cmocka_unit_test(test_guard_page__unicast_peers__each_have_a_frame),
        cmocka_unit_test_setup_teardown(test_guard_page__worker_killed__guard_finds_its_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_page__mapped_from_its_file__the_same_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_page__file_of_another_size__refused_and_not_to_be_cut, setup,
                                        teardown),
        cmocka_unit_test(test_backoff__deaths__doubles_to_ten_seconds_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
