/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One-way faults (doc/design.md 2.8), contests and what they leave behind: who is believed, who yields, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core_rig.h"

#define SECOND ((int64_t)US_PER_S)
#define UNITS 8

/* We hold half of the units, each of the two others a quarter; the third party is as given. */
static struct rig *rig_three(enum rig_third_party third_party)
{
    struct rig *rig = rig_new(1, UNITS);
    rig->pools[0].isolation_check = true;
    rig->pools[0].rebalance = false;
    rig->third_party = (uint8_t)third_party;
    rig_start(rig, 100 * SECOND);
    rig_peer(rig, 20, 100);
    rig_run(rig, 100 * US_PER_MS);
    rig_peer(rig, 30, 100); /* its advertisements come at another time within the interval */
    for (unsigned u = 4; u < UNITS; u++) {
        rig_peer_takes(rig, u % 2 ? 20 : 30, u, 253);
    }
    rig_run(rig, 10 * SECOND + 640 * US_PER_MS); /* their last words were then not said in the same instant */
    assert_int_equal(rig_load(rig), 4);
    rig_mark(rig);
    return rig;
}

static void rig_cut(struct rig *rig)
{
    rig->peer_count = 0;
}

/* --- deaf --- */

static void test_isolation__all_fall_silent_and_nobody_answers__claims_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig_cut(rig);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_DEAF);
    assert_int_equal(rig_notes(rig, NOTE_ISOLATED), 1);
    assert_int_equal(rig_load(rig), 4); /* on_isolation hold: neither more nor less */
    for (unsigned u = 4; u < UNITS; u++) {
        assert_int_equal(rig_sends(rig, (int)u, -1), 0);
    }
    assert_true(rig_count(rig, EFFECT_PROBE) > 10);
    assert_int_equal(rig_pool(rig).share, 1);
    rig_free(rig);
}

static void test_isolation__drop_configured__gives_up_what_it_holds(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig->pools[0].drop_when_isolated = true;
    rig_cut(rig);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_load(rig), 0);
    rig_free(rig);
}

static void test_isolation__third_party_answers__takes_over_in_time(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_cut(rig);
    rig_run(rig, 3 * RIG_MEMBER_US + 20 * US_PER_MS);
    assert_int_equal(rig_load(rig), UNITS);
    assert_int_equal(rig_notes(rig, NOTE_ISOLATED), 0);
    rig_free(rig);
}

/* Nobody to ask is no proof either way: it serves, and the last question must not make it doubt again. */
static void test_isolation__two_hosts_without_third_party__serves_in_time(void **state)
{
    (void)state;
    for (int64_t phase_us = 0; phase_us < RIG_MEMBER_US; phase_us += RIG_MEMBER_US / 50) {
        struct rig *rig = rig_new(1, 2);
        rig->pools[0].isolation_check = true;
        rig_start(rig, 100 * SECOND);
        rig_run(rig, phase_us);
        rig_peer(rig, 20, 100);
        rig_peer_takes(rig, 20, 1, 253);
        rig_run(rig, 10 * SECOND);
        rig_mark(rig);
        rig_cut(rig);
        rig_run(rig, 3 * RIG_MEMBER_US + 10 * US_PER_MS);
        assert_int_equal(rig_load(rig), 2);
        assert_int_equal(rig_notes(rig, NOTE_ISOLATED), 0);
        rig_free(rig);
    }
}

static void test_isolation__deaf_host_hears_again__listens_first(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig_cut(rig);
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    rig_peer(rig, 20, 100);
    rig_run(rig, RIG_MEMBER_US);
    assert_int_equal(rig_notes(rig, NOTE_REJOINED), 1);
    assert_int_equal(rig_load(rig), 4);
    rig_run(rig, 3 * SECOND); /* it holds nothing */
    assert_int_equal(rig_load(rig), UNITS);
    rig_free(rig);
}

/* It is heard once, and hangs before it can say that it has taken what we had. */
static void test_isolation__deaf_host_hears_again_but_a_member_hangs__waits_for_its_death(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig->pools[0].drop_when_isolated = true;
    rig_cut(rig);
    rig_run(rig, 5 * SECOND);
    rig_mark(rig);
    rig_peer(rig, 30, 100);
    rig_hear(rig, 20, RIG_MEMBER, 100);
    rig_run(rig, 3 * RIG_MEMBER_US - 5 * US_PER_MS);
    assert_int_equal(rig_sends(rig, 0, -1), 0);
    rig_run(rig, 60 * US_PER_MS);
    assert_true(rig_holds(rig, 0));
    rig_free(rig);
}

/* It may have been deaf: it must know what we hold before it takes anything. */
static void test_isolation__another_is_no_reserve_any_more__told_what_we_hold(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_peer(rig, 30, 1);
    rig_run(rig, 300 * US_PER_MS);
    rig_mark(rig);
    rig_hear(rig, 30, RIG_MEMBER, 100);
    rig_run(rig, 0);
    for (int u = 0; u < 4; u++) {
        assert_int_equal(rig_sends(rig, u, -1), 1);
    }
    rig_free(rig);
}

/* While its kernel was still at work for a unit, the host became isolated: it must not end up holding it. */
static void test_isolation__deaf_while_taking__gives_the_attempt_up(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig->manual_kernel = true;
    rig_hear(rig, 20, 5, 0);
    rig_find_peer(rig, 20)->holds[5] = 0;
    rig_run(rig, 100 * US_PER_MS);
    assert_int_equal(rig_unit(rig, 5).level, LEVEL_READY);
    rig_cut(rig);
    rig_run(rig, 5 * SECOND);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_DEAF);
    rig_level_done(rig, 5, 0);
    assert_int_equal(rig_unit(rig, 5).state, ROUTER_BACKUP);
    assert_int_equal(rig_sends(rig, 5, -1), 0);
    assert_int_equal(rig_unit(rig, 5).level, LEVEL_ABSENT);
    rig_free(rig);
}

/* --- mute, and one-way pairs --- */

/* `last_byte` goes on claiming unit 0, which we hold, whatever we say. */
static void rig_ignored_by(struct rig *rig, unsigned last_byte, unsigned intervals)
{
    rig_peer_takes(rig, last_byte, 0, 100);
    rig_run(rig, intervals * RIG_ADVERT_US + 5 * US_PER_MS);
}

static void test_isolation__ignored_three_times_and_no_answer__mute_and_gives_all(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig_ignored_by(rig, 20, 4);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_MUTE);
    assert_int_equal(rig_load(rig), 0);
    assert_int_equal(rig_sends(rig, 1, 0), 1);
    rig_free(rig);
}

static void test_isolation__ignored_three_times_but_answered__yields_and_is_a_reserve(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_ignored_by(rig, 20, 3);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_NONE);
    assert_int_equal(rig_notes(rig, NOTE_ONE_WAY), 1);
    assert_false(rig_holds(rig, 0));
    assert_int_equal(rig_unit(rig, 0).holder.bytes[3], 20);
    assert_int_equal(rig_pool(rig).share, 1); /* each next unit would be fought over likewise */
    rig_free(rig);
}

/* A new owner repeats its claim whoever hears it; what it says early later is said to us. */
static void test_isolation__new_owner_repeats_its_claim__no_sign_that_it_hears_us(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_ignored_by(rig, 20, 3);
    for (unsigned u = 1; u < 4; u++) {
        rig_peer_takes(rig, 30, u, 253);
    }
    for (unsigned i = 0; i < 3; i++) {
        rig_run(rig, RIG_MEMBER_US);
        rig_hear(rig, 20, 0, 100);
        assert_int_equal(rig_pool(rig).share, 1);
    }
    rig_run(rig, 3 * RIG_ADVERT_US);
    assert_int_equal(rig_pool(rig).share, 1);
    rig_hear(rig, 20, 0, 100);
    rig_run(rig, RIG_MEMBER_US);
    rig_hear(rig, 20, 0, 100);
    rig_run(rig, RIG_MEMBER_US);
    assert_int_equal(rig_pool(rig).share, 100);
    rig_free(rig);
}

/* A second contest some time later must be decided as fast as the first one. */
static void test_isolation__one_contest_after_another__each_decided_after_three_assertions(void **state)
{
    (void)state;
    for (int64_t pause_us = 0; pause_us < 12 * SECOND; pause_us += SECOND / 2) {
        struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
        rig_ignored_by(rig, 20, 3);
        rig_run(rig, pause_us);
        rig_peer_takes(rig, 30, 1, 100);
        rig_run(rig, 3 * RIG_ADVERT_US + 5 * US_PER_MS);
        assert_false(rig_holds(rig, 1));
        assert_int_equal(rig_pool(rig).isolation, ISOLATION_NONE);
        rig_free(rig);
    }
}

/* One claim that nobody answered for: the question is dropped in the end, and not held against us a day later. */
static void test_isolation__suspicion_that_led_nowhere__is_forgotten(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig_peer_takes(rig, 20, 0, 100);
    rig_run(rig, RIG_ADVERT_US + 5 * US_PER_MS);
    rig_find_peer(rig, 20)->holds[0] = 0;
    rig_run(rig, 20 * SECOND);
    rig_mark(rig);
    rig_run(rig, 20 * SECOND);
    assert_int_equal(rig_count(rig, EFFECT_PROBE), 0);
    rig->third_party = THIRD_PARTY_ANSWERS;
    rig_ignored_by(rig, 20, 4);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_NONE);
    rig_free(rig);
}

static void test_isolation__mute_host_left_alone_with_nobody_to_ask__serves(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_SILENT);
    rig_ignored_by(rig, 20, 4);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_MUTE);
    rig->third_party = THIRD_PARTY_UNKNOWN;
    rig_run(rig, 2 * SECOND);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_MUTE); /* the others serve */
    rig_cut(rig);
    rig_run(rig, 10 * SECOND);
    assert_int_equal(rig_pool(rig).isolation, ISOLATION_NONE);
    assert_int_equal(rig_load(rig), UNITS);
    rig_free(rig);
}

/* --- contests that others have --- */

/* Member 20, which holds 5 and 7, says nothing any more; until just before it counts as dead. */
static void rig_nearly_dead(struct rig *rig)
{
    struct member_view view;
    struct addr address = rig_address(20);
    memset(rig_find_peer(rig, 20), 0, sizeof(struct rig_peer));
    for (unsigned i = 0; i < rig_pool(rig).member_count; i++) {
        core_view_member(rig->core, 0, i, (struct mono){rig->now_us}, &view);
        if (addr_equal(&view.address, &address)) {
            break;
        }
    }
    rig_run(rig, view.last_heard.us + 3 * RIG_MEMBER_US - 5 * US_PER_MS - rig->now_us);
}

/* An owner dies; another member claimed the unit after the owner's last word: nobody was there to yield to. */
static void test_contest__claim_after_the_owners_last_word__is_believed(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_nearly_dead(rig);
    rig_peer_takes(rig, 30, 5, 237); /* it judged a moment before us */
    rig_run(rig, RIG_ADVERT_US / 2);
    assert_false(rig_holds(rig, 5));
    assert_int_equal(rig_sends(rig, 5, -1), 0);
    rig_run(rig, RIG_ADVERT_US);
    assert_false(rig_holds(rig, 5));
    rig_free(rig);
}

static void test_contest__claimant_dies_too__not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_nearly_dead(rig);
    rig_hear(rig, 30, 5, 237);
    rig_cut(rig);
    rig_run(rig, 4 * RIG_MEMBER_US + 30 * US_PER_MS);
    assert_int_equal(rig_load(rig), UNITS);
    rig_free(rig);
}

/* The loser's last word crossed the winner's first: it yielded, says so, and is no claimant when the winner releases
 * the unit. */
static void test_contest__loser_whose_word_crossed__does_not_delay_a_planned_move(void **state)
{
    (void)state;
    struct rig *rig = rig_three(THIRD_PARTY_ANSWERS);
    rig_find_peer(rig, 30)->holds[4] = 0;
    rig_hear(rig, 30, 4, 252);
    rig_run(rig, 400 * US_PER_MS);
    rig_hear(rig, 20, 4, 253);
    rig_run(rig, 200);
    rig_hear(rig, 30, 4, 252);
    rig_run(rig, US_PER_MS);
    rig_hear(rig, 30, 4, 0);
    rig_run(rig, 600 * US_PER_MS);
    assert_int_equal(rig_unit(rig, 4).holder.bytes[3], 20);
    rig_hear(rig, 20, 4, 0);
    rig_run(rig, 100 * US_PER_MS); /* whatever our rank */
    assert_true(rig_holds(rig, 4));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolation__all_fall_silent_and_nobody_answers__claims_nothing),
        cmocka_unit_test(test_isolation__drop_configured__gives_up_what_it_holds),
        cmocka_unit_test(test_isolation__third_party_answers__takes_over_in_time),
        cmocka_unit_test(test_isolation__two_hosts_without_third_party__serves_in_time),
        cmocka_unit_test(test_isolation__deaf_host_hears_again__listens_first),
        cmocka_unit_test(test_isolation__deaf_host_hears_again_but_a_member_hangs__waits_for_its_death),
        cmocka_unit_test(test_isolation__another_is_no_reserve_any_more__told_what_we_hold),
        cmocka_unit_test(test_isolation__deaf_while_taking__gives_the_attempt_up),
        cmocka_unit_test(test_isolation__ignored_three_times_and_no_answer__mute_and_gives_all),
        cmocka_unit_test(test_isolation__ignored_three_times_but_answered__yields_and_is_a_reserve),
        cmocka_unit_test(test_isolation__new_owner_repeats_its_claim__no_sign_that_it_hears_us),
        cmocka_unit_test(test_isolation__one_contest_after_another__each_decided_after_three_assertions),
        cmocka_unit_test(test_isolation__suspicion_that_led_nowhere__is_forgotten),
        cmocka_unit_test(test_isolation__mute_host_left_alone_with_nobody_to_ask__serves),
        cmocka_unit_test(test_contest__claim_after_the_owners_last_word__is_believed),
        cmocka_unit_test(test_contest__claimant_dies_too__not_waited_for),
        cmocka_unit_test(test_contest__loser_whose_word_crossed__does_not_delay_a_planned_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
