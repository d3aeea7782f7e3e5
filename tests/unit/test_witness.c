/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's judgement: what counts as a gap, a double, a stale cache, a move; and its frames. Links
 * witness_watch.c, witness_judge.c, witness_window.c, witness_frame.c and base only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "ctl/witness_watch.h"

#define INTERVAL_US 5000
#define TRIP_US 300 /* more than what counts as tight */

struct scene {
    struct witness_watch watch;
    struct mono now;
    uint32_t round;
    unsigned windows_done;
};

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 2};

static void count_windows(void *context, const struct witness_event *event)
{
    struct scene *s = context;

    s->windows_done += event->kind == WITNESS_WINDOW;
}

static int setup(void **state)
{
    static struct scene scene;
    const struct witness_settings settings = {
        .vip_count = 1,
        .interval_us = INTERVAL_US,
        .listen_every = 1,
        .ask_every = 4,
        .retry_us = US_PER_S,
        .lag_us = 50 * US_PER_MS,
    };

    scene = (struct scene){.now = {10 * (int64_t)US_PER_S}};
    assert_int_equal(witness_watch_open(&scene.watch, &settings, count_windows, &scene), 0);
    witness_watch_mark(&scene.watch, "start", scene.now, 0);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    witness_watch_close(&((struct scene *)*state)->watch);
    return 0;
}

static void announce(struct scene *s, const uint8_t mac[6])
{
    struct witness_seen seen = {.kind = WITNESS_SEEN_ANNOUNCE};

    memcpy(seen.mac, mac, 6);
    witness_watch_claim(&s->watch, 0, &seen, mac[5] - 1, s->now);
}

static void answer(struct scene *s, uint8_t host, int64_t trip_us)
{
    const struct witness_tag tag = {.round = s->round, .vip = 0, .host = host};

    witness_watch_echo(&s->watch, &tag, mono_add(s->now, trip_us));
}

/* One round; each of `trips` (host 0, host 1) that is not negative is an answer after so long. The client is answered
 * when its cache names a host that answers. */
static void round_with(struct scene *s, int64_t trip_a, int64_t trip_b)
{
    struct witness_plan plan;

    s->now = mono_add(s->now, INTERVAL_US);
    witness_watch_plan(&s->watch, 0, s->now, &plan);
    s->round = plan.round;
    if (trip_a >= 0)
        answer(s, 0, trip_a);
    if (trip_b >= 0)
        answer(s, 1, trip_b);
    if (plan.client &&
        ((trip_a >= 0 && !memcmp(plan.client_mac, mac_a, 6)) || (trip_b >= 0 && !memcmp(plan.client_mac, mac_b, 6))))
        answer(s, WITNESS_TAG_CLIENT, TRIP_US);
}

static void rounds_with(struct scene *s, unsigned count, int64_t trip_a, int64_t trip_b)
{
    for (unsigned i = 0; i < count; i++)
        round_with(s, trip_a, trip_b);
}

static const struct witness_result *finish(struct scene *s)
{
    s->now = mono_add(s->now, INTERVAL_US);
    witness_watch_finish(&s->watch, s->now);
    return &s->watch.record.windows[s->watch.record.window_count - 1].results[0];
}

/* Host a answers and the client knows it, from the first round of the window on. */
static void begin_served_by_a(struct scene *s)
{
    round_with(s, TRIP_US, -1);
    announce(s, mac_a);
    round_with(s, TRIP_US, -1);
    witness_watch_mark(&s->watch, "measured", mono_add(s->now, 1), 0);
    rounds_with(s, 10, TRIP_US, -1);
}

static void test_witness_judge__one_host_answers__all_is_well(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    const struct witness_result *r = finish(s);

    assert_int_equal(r->gap_us, 0);
    assert_int_equal(witness_result_dual_us(r), 0);
    assert_int_equal(r->stale_us, 0);
    assert_int_equal(r->moves, 0);
    assert_int_equal(r->owner, 0);
    assert_int_equal(s->windows_done, 2);
}

static void test_witness_judge__hand_over_between_rounds__is_a_move_and_no_double(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    announce(s, mac_b);
    rounds_with(s, 5, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_int_equal(r->moves, 1);
    assert_int_equal(witness_result_dual_us(r), 0);
    assert_int_equal(r->gap_us, 0);
}

static void test_witness_judge__hand_over_within_a_round__is_no_double(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    round_with(s, TRIP_US, 3000); /* b answers the same round, but so late that a may have let go in between */
    announce(s, mac_b);
    rounds_with(s, 5, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_int_equal(witness_result_dual_us(r), 0);
    assert_int_equal(r->moves, 1);
}

static void test_witness_judge__old_owner_answers_on__counts_each_round(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    rounds_with(s, 6, TRIP_US, TRIP_US);
    rounds_with(s, 5, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_int_equal(witness_result_dual_us(r), 6 * INTERVAL_US);
    assert_int_equal(r->dual_hosts[0], 0);
    assert_int_equal(r->dual_hosts[1], 1);
    assert_int_equal(r->moves, 1);
}

static void test_witness_judge__single_intruding_answer__is_double_when_owner_answers_after_it(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    round_with(s, TRIP_US, 3000);
    rounds_with(s, 5, TRIP_US, -1);
    assert_int_equal(witness_result_dual_us(finish(s)), INTERVAL_US);
}

static void test_witness_judge__both_answer_at_once__is_double_by_itself(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    round_with(s, 50, 60);
    rounds_with(s, 5, -1, TRIP_US);
    assert_int_equal(witness_result_dual_us(finish(s)), INTERVAL_US);
}

static void test_witness_judge__nobody_answers__gap_from_first_lost_to_first_answered(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    const struct mono last_good = s->now;

    rounds_with(s, 20, -1, -1);
    announce(s, mac_b);
    rounds_with(s, 5, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_int_equal(r->gap_us, 20 * INTERVAL_US);
    assert_int_equal(mono_diff_us(r->gap_at, last_good), INTERVAL_US);
    assert_false(r->gap_open);
    assert_int_equal(r->stale_us, 0);
    assert_int_equal(r->unanswered, 20);
}

static void test_witness_judge__cache_names_old_owner__is_stale_until_asked_anew(void **state)
{
    struct scene *s = *state;
    struct witness_plan plan;

    begin_served_by_a(s);
    rounds_with(s, 100, -1, TRIP_US); /* no announcement came */
    assert_true(s->watch.vips[0].cache.known);
    do {
        s->now = mono_add(s->now, INTERVAL_US);
        witness_watch_plan(&s->watch, 0, s->now, &plan);
        s->round = plan.round;
        answer(s, 1, TRIP_US);
    } while (!s->watch.vips[0].cache.asking);
    struct witness_seen reply = {.kind = WITNESS_SEEN_REPLY};

    memcpy(reply.mac, mac_b, 6);
    assert_true(plan.ask);
    witness_watch_claim(&s->watch, 0, &reply, 1, mono_add(s->now, TRIP_US));
    rounds_with(s, 5, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_in_range(r->stale_us, 990 * US_PER_MS, 1020 * US_PER_MS);
    assert_int_equal(r->stale_us, r->gap_us);
}

static void test_witness_watch__reply_to_a_regular_question__does_not_heal_the_cache(void **state)
{
    struct scene *s = *state;
    struct witness_seen reply = {.kind = WITNESS_SEEN_REPLY};

    begin_served_by_a(s);
    memcpy(reply.mac, mac_b, 6);
    witness_watch_claim(&s->watch, 0, &reply, 1, s->now);
    assert_memory_equal(s->watch.vips[0].cache.mac, mac_a, 6);
    finish(s);
}

static void test_witness_watch__mark_during_a_gap__splits_it(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    rounds_with(s, 10, -1, -1);
    witness_watch_mark(&s->watch, "second", mono_add(s->now, INTERVAL_US), 0);
    rounds_with(s, 8, -1, -1);
    announce(s, mac_b);
    round_with(s, -1, TRIP_US);
    const struct witness_result *r = finish(s);

    assert_int_equal(r->gap_us, 8 * INTERVAL_US);
    assert_true(s->watch.record.windows[1].results[0].gap_open);
    assert_int_equal(s->watch.record.windows[1].results[0].gap_us, 10 * INTERVAL_US);
}

static void test_witness_watch__own_stall__is_known_of_the_gap(void **state)
{
    struct scene *s = *state;

    begin_served_by_a(s);
    rounds_with(s, 2, -1, -1);
    witness_record_stall(&s->watch.record, s->now, mono_add(s->now, 30000));
    s->now = mono_add(s->now, 30000);
    round_with(s, TRIP_US, -1);
    const struct witness_result *r = finish(s);

    assert_int_equal(r->gap_us, 2 * INTERVAL_US + 30000);
    assert_int_equal(r->gap_stall_us, 30000);
}

static void test_witness_frame__arp_claims__are_told_apart(void **state)
{
    uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0, 0, 0,  1, 8, 6, 0, 1, 8, 0,   6, 4, 0,
                         1,    2,    0,    0,    0,    0,    1, 192, 0, 2, 51, 0, 0, 0, 0, 0, 0, 192, 0, 2, 51};
    struct witness_seen seen;

    (void)state;
    witness_frame_read(frame, sizeof(frame), &seen);
    assert_int_equal(seen.kind, WITNESS_SEEN_ANNOUNCE);
    frame[41] = 1;
    witness_frame_read(frame, sizeof(frame), &seen);
    assert_int_equal(seen.kind, WITNESS_SEEN_MENTION);
    frame[21] = 2;
    witness_frame_read(frame, sizeof(frame), &seen);
    assert_int_equal(seen.kind, WITNESS_SEEN_REPLY);
    for (size_t length = 0; length < sizeof(frame); length++) {
        witness_frame_read(frame, length, &seen);
        assert_int_equal(seen.kind, WITNESS_SEEN_OTHER);
    }
}

/* What a host's kernel does with a request: same payload back, type of the reply. */
static void test_witness_frame__echo__comes_back_with_its_tag(void **state)
{
    static const char *const targets[] = {"192.0.2.51", "2001:db8::51"};
    static const char *const sources[] = {"192.0.2.1", "2001:db8::1"};
    const struct witness_tag tag = {.nonce = 0xdeadbeef, .round = 70000, .vip = 239, .host = 2};
    struct witness_seen seen;
    uint8_t frame[WITNESS_FRAME_MAX];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct witness_ends ends = {.source_mac = {2}, .target_mac = {4}};

        assert_true(addr_parse(targets[i], &ends.target) && addr_parse(sources[i], &ends.source));
        const size_t length = witness_frame_echo(frame, &ends, &tag);

        witness_frame_read(frame, length, &seen);
        assert_int_equal(seen.kind, WITNESS_SEEN_OTHER);
        if (i == 0)
            assert_int_equal(checksum_fold(checksum_add(0, frame + 34, length - 34)), 0xffff);
        frame[i ? 54 : 34] = i ? 129 : 0;
        witness_frame_read(frame, length, &seen);
        assert_int_equal(seen.kind, WITNESS_SEEN_ECHO);
        assert_int_equal(seen.tag.nonce, tag.nonce);
        assert_int_equal(seen.tag.round, tag.round);
        assert_int_equal(seen.tag.vip, tag.vip);
        assert_int_equal(seen.tag.host, tag.host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_witness_judge__one_host_answers__all_is_well, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__hand_over_between_rounds__is_a_move_and_no_double, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__hand_over_within_a_round__is_no_double, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__old_owner_answers_on__counts_each_round, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_witness_judge__single_intruding_answer__is_double_when_owner_answers_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__both_answer_at_once__is_double_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__nobody_answers__gap_from_first_lost_to_first_answered,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_judge__cache_names_old_owner__is_stale_until_asked_anew, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_witness_watch__reply_to_a_regular_question__does_not_heal_the_cache, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_witness_watch__mark_during_a_gap__splits_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness_watch__own_stall__is_known_of_the_gap, setup, teardown),
        cmocka_unit_test(test_witness_frame__arp_claims__are_told_apart),
        cmocka_unit_test(test_witness_frame__echo__comes_back_with_its_tag),
    };

    return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
