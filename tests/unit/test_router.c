/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state machine of RFC 9568 6.4 cell by cell, for version 3 and version 2, and the phases that we add to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/router.h"

#define SECOND ((int64_t)US_PER_S)

struct fixture {
    struct router router;
    struct effect list[64];
    struct effects fx;
};

static struct addr host(unsigned last_byte)
{
    return addr_from_bytes(FAMILY_IPV4, (const uint8_t[]){192, 0, 2, (uint8_t)last_byte});
}

static struct mono at(int64_t us)
{
    return (struct mono){us};
}

static void fixture_init(struct fixture *f, unsigned version)
{
    memset(f, 0, sizeof(*f));
    f->fx = (struct effects){.list = f->list, .capacity = 64};
    router_init(&f->router, 0, 0, version, SECOND);
    f->router.priority = 100;
}

static void fixture_backup(struct fixture *f, unsigned version)
{
    struct addr self = host(10);
    fixture_init(f, version);
    router_start(&f->router, &self, at(0), REASON_STARTUP, &f->fx);
    f->fx.count = 0;
}

/* The addresses are in place; the claim leaves when everything that was queued has been heard. */
static void claim(struct fixture *f, int64_t now_us)
{
    assert_true(router_level_done(&f->router, f->router.sequence, 0, at(now_us), &f->fx));
    assert_int_equal(f->router.state, ROUTER_BACKUP);
    assert_true(router_is_ready(&f->router));
    router_claim(&f->router, at(now_us), &f->fx);
    router_check(&f->router);
}

/* Active since `at(10 s)`, answering. */
static void fixture_active(struct fixture *f, unsigned version)
{
    fixture_backup(f, version);
    router_take(&f->router, REASON_TIMEOUT, &f->fx);
    claim(f, 10 * SECOND);
    assert_true(router_level_done(&f->router, f->router.sequence, 0, at(10 * SECOND), &f->fx));
    assert_int_equal(f->router.state, ROUTER_ACTIVE);
    assert_int_equal(f->router.phase, PHASE_SETTLED);
    f->fx.count = 0;
}

static enum router_verdict hear(struct fixture *f, unsigned source, unsigned priority, bool member, int64_t now_us)
{
    struct advert advert = {
        .source = host(source),
        .version = f->router.version,
        .priority = (uint8_t)priority,
        .interval_us = 500 * US_PER_MS,
    };
    enum router_verdict verdict = router_hear(&f->router, &advert, member, at(now_us), &f->fx);
    router_check(&f->router);
    return verdict;
}

static unsigned sends(const struct fixture *f, int priority)
{
    unsigned count = 0;
    for (unsigned i = 0; i < f->fx.count; i++) {
        count += f->list[i].kind == EFFECT_SEND && (priority < 0 || f->list[i].priority == priority);
    }
    return count;
}

static unsigned position(const struct fixture *f, enum effect_kind kind)
{
    for (unsigned i = 0; i < f->fx.count; i++) {
        if (f->list[i].kind == kind) {
            return i;
        }
    }
    return 64;
}

/* --- Initialize --- */

static void test_router__startup__backup_for_the_active_down_interval(void **state)
{
    struct fixture f;
    struct addr self = host(10);
    (void)state;
    fixture_init(&f, 3);
    router_start(&f.router, &self, at(SECOND), REASON_STARTUP, &f.fx);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
    assert_int_equal(router_down_deadline(&f.router).us, SECOND + 3 * SECOND + 156 * SECOND / 256);
    assert_int_equal(sends(&f, -1), 0);
}

static void test_router__initialize__hears_and_does_nothing(void **state)
{
    struct fixture f;
    (void)state;
    for (unsigned version = 2; version <= 3; version++) {
        fixture_init(&f, version);
        assert_int_equal(hear(&f, 20, 200, false, SECOND), VERDICT_IGNORED);
        assert_int_equal(hear(&f, 20, 0, false, SECOND), VERDICT_IGNORED);
        router_tick(&f.router, at(100 * SECOND), 0, &f.fx);
        assert_int_equal(f.fx.count, 0);
        assert_true(mono_is_never(router_deadline(&f.router)));
    }
}

/* --- Backup --- */

static void test_router__backup_shut_down__initialize_without_a_word(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    router_stop(&f.router, REASON_SHUTDOWN, &f.fx);
    assert_int_equal(f.router.state, ROUTER_INITIALIZE);
    assert_int_equal(sends(&f, -1), 0);
    assert_true(mono_is_never(router_deadline(&f.router)));
}

static void test_router__active_down_timer__advert_before_the_filter_opens_and_the_announcement(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    int64_t due_us = router_down_deadline(&f.router).us;
    router_tick(&f.router, at(due_us - 1), 0, &f.fx);
    assert_int_equal(f.fx.count, 0);
    router_tick(&f.router, at(due_us), 0, &f.fx);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
    assert_int_equal(f.router.phase, PHASE_TAKING);
    assert_int_equal(f.list[position(&f, EFFECT_LEVEL)].level, LEVEL_READY);
    assert_int_equal(sends(&f, -1), 0);
    f.fx.count = 0;
    claim(&f, due_us + 500);
    assert_int_equal(f.router.state, ROUTER_ACTIVE);
    assert_int_equal(sends(&f, 100), 1);
    assert_true(position(&f, EFFECT_SEND) < position(&f, EFFECT_LEVEL));
    assert_int_equal(position(&f, EFFECT_ANNOUNCE), 64);
    f.fx.count = 0;
    assert_true(router_level_done(&f.router, f.router.sequence, 0, at(due_us + 900), &f.fx));
    assert_int_equal(position(&f, EFFECT_ANNOUNCE), 0);
    assert_int_equal(f.router.adver.us, due_us + 500 + SECOND);
}

static void test_router__backup_hears_priority_0__left_to_the_pool(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    int64_t interval_us = f.router.active_interval_us;
    assert_int_equal(hear(&f, 20, 0, false, SECOND), VERDICT_RELEASED);
    assert_int_equal(f.router.active_interval_us, interval_us); /* not learned */
    router_wait(&f.router, at(SECOND), 0);
    assert_int_equal(router_down_deadline(&f.router).us, SECOND + 156 * SECOND / 256);
}

static void test_router__backup_hears_stronger_or_equal__timer_restarts_and_interval_is_learned(void **state)
{
    static const unsigned priorities[] = {100, 101, 255};
    struct fixture f;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        fixture_backup(&f, 3);
        assert_int_equal(hear(&f, 5, priorities[i], false, 2 * SECOND), VERDICT_ACCEPTED);
        assert_int_equal(f.router.active_interval_us, SECOND / 2);
        f.router.skew_interval_us = f.router.active_interval_us;
        assert_int_equal(router_down_deadline(&f.router).us, 2 * SECOND + 3 * SECOND / 2 + 156 * SECOND / 512);
    }
}

static void test_router__version_2__interval_is_never_learned(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 2);
    assert_int_equal(hear(&f, 20, 200, false, 2 * SECOND), VERDICT_ACCEPTED);
    assert_int_equal(f.router.active_interval_us, SECOND);
    assert_int_equal(router_down_deadline(&f.router).us, 2 * SECOND + 3 * SECOND + 156 * SECOND / 256);
}

static void test_router__backup_hears_weaker__preempts_by_letting_its_timer_run(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    int64_t due_us = router_down_deadline(&f.router).us;
    assert_int_equal(hear(&f, 20, 99, false, 2 * SECOND), VERDICT_IGNORED);
    assert_int_equal(router_down_deadline(&f.router).us, due_us);
    assert_int_equal(f.router.active_interval_us, SECOND);
}

static void test_router__backup_hears_weaker_without_preempt_or_a_member__accepts(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    f.router.preempt = false;
    assert_int_equal(hear(&f, 20, 1, false, 2 * SECOND), VERDICT_ACCEPTED);
    fixture_backup(&f, 3);
    assert_int_equal(hear(&f, 20, 1, true, 2 * SECOND), VERDICT_ACCEPTED); /* doc/design.md 2.4 a */
    assert_int_equal(f.router.active_interval_us, SECOND / 2);
}

/* --- Active --- */

static void test_router__active_shut_down__silent_at_once_or_released_in_order(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    router_stop(&f.router, REASON_LINK_DOWN, &f.fx);
    assert_int_equal(sends(&f, -1), 0);
    assert_int_equal(f.router.state, ROUTER_INITIALIZE);
    assert_int_equal(f.router.level, LEVEL_ABSENT);

    fixture_active(&f, 3);
    router_release(&f.router, REASON_SHUTDOWN, true, &f.fx);
    assert_int_equal(sends(&f, -1), 0); /* break before make */
    assert_true(router_level_done(&f.router, f.router.sequence, 0, at(11 * SECOND), &f.fx));
    assert_int_equal(sends(&f, 0), 1);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
}

static void test_router__adver_timer__period_is_kept_however_late_the_tick(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    router_tick(&f.router, at(11 * SECOND + 3000), 0, &f.fx);
    assert_int_equal(sends(&f, 100), 1);
    assert_int_equal(f.router.adver.us, 12 * SECOND);
    router_tick(&f.router, at(12 * SECOND - 2000), 2000, &f.fx); /* leaves with others that are due */
    assert_int_equal(sends(&f, 100), 2);
    assert_int_equal(f.router.adver.us, 13 * SECOND);
    router_tick(&f.router, at(20 * SECOND + 5), 0, &f.fx);
    assert_int_equal(sends(&f, 100), 3); /* no burst */
    assert_int_equal(f.router.adver.us, 21 * SECOND + 5);
}

static void test_router__active_hears_priority_0__answers_and_resets_its_timer(void **state)
{
    struct fixture f;
    (void)state;
    for (unsigned version = 2; version <= 3; version++) {
        fixture_active(&f, version);
        assert_int_equal(hear(&f, 20, 0, false, 10 * SECOND + 400), VERDICT_RELEASED);
        assert_int_equal(sends(&f, 100), 1);
        assert_int_equal(f.router.adver.us, 11 * SECOND + 400);
    }
}

static void test_router__storm_of_priority_0__is_not_reflected_but_answered_in_time(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    f.fx.capacity = 64;
    for (unsigned i = 0; i < 40; i++) {
        hear(&f, 20, 0, false, 10 * SECOND + i * 10);
    }
    assert_int_equal(sends(&f, 100), 1);
    /* The last one is answered before the fastest Backup's Skew_Time, 2/256 of an interval, is over. */
    assert_true(f.router.adver.us <= 10 * SECOND + 390 + SECOND / 128);
    router_tick(&f.router, f.router.adver, 0, &f.fx);
    assert_int_equal(sends(&f, 100), 2);
}

static void test_router__active_hears_stronger__backup_without_a_word(void **state)
{
    static const struct {
        unsigned source, priority;
    } cases[] = {{5, 101}, {5, 255}, {11, 100}};
    struct fixture f;
    (void)state;
    for (unsigned version = 2; version <= 3; version++) {
        for (unsigned i = 0; i < 3; i++) {
            fixture_active(&f, version);
            assert_int_equal(hear(&f, cases[i].source, cases[i].priority, false, 11 * SECOND), VERDICT_YIELDED);
            assert_int_equal(f.router.state, ROUTER_BACKUP);
            assert_int_equal(f.router.level, LEVEL_ABSENT);
            assert_int_equal(sends(&f, -1), 0);
            assert_int_equal(f.router.down_wait_us, version == 3 ? 3 * SECOND / 2 : 3 * SECOND);
        }
    }
}

static void test_router__active_hears_weaker__asserts_without_resetting_its_timer(void **state)
{
    static const struct {
        unsigned source, priority;
    } cases[] = {{20, 99}, {20, 1}, {9, 100}};
    struct fixture f;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        fixture_active(&f, 3);
        assert_int_equal(hear(&f, cases[i].source, cases[i].priority, false, 10 * SECOND + 700), VERDICT_WEAKER);
        assert_true(router_assert(&f.router, at(10 * SECOND + 700), &f.fx));
        assert_int_equal(sends(&f, 100), 1);
        assert_true(position(&f, EFFECT_SEND) < position(&f, EFFECT_ANNOUNCE));
        assert_int_equal(f.router.adver.us, 11 * SECOND);
        assert_false(router_assert(&f.router, at(10 * SECOND + 1700), &f.fx));               /* an echo would storm */
        assert_int_equal(router_deadline(&f.router).us, 10 * SECOND + 700 + 50 * US_PER_MS); /* ... but it is made up */
        router_tick(&f.router, at(10 * SECOND + 700 + 50 * US_PER_MS), 0, &f.fx);
        assert_int_equal(sends(&f, 100), 2);
        assert_int_equal(router_deadline(&f.router).us, 11 * SECOND);
        assert_true(router_assert(&f.router, at(10 * SECOND + 101 * US_PER_MS), &f.fx));
    }
}

static void test_router__skew__is_not_rounded_away(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f, 3);
    f.router.skew_interval_us = 10 * US_PER_MS;
    f.router.priority = 254;
    assert_int_equal(router_skew_us(&f.router), 78);
    f.router.priority = 1;
    assert_int_equal(router_skew_us(&f.router), 9960);
}

/* --- the phases that we add --- */

static void test_router__taking__ends_when_somebody_acceptable_is_heard(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    uint32_t sequence = f.router.sequence;
    assert_int_equal(hear(&f, 20, 99, false, 4 * SECOND), VERDICT_IGNORED);
    assert_int_equal(f.router.phase, PHASE_TAKING);
    assert_int_equal(hear(&f, 20, 100, false, 4 * SECOND), VERDICT_YIELDED);
    assert_int_equal(f.router.phase, PHASE_SETTLED);
    assert_int_equal(f.router.level, LEVEL_ABSENT);
    f.fx.count = 0;
    assert_false(router_level_done(&f.router, sequence, 0, at(5 * SECOND), &f.fx)); /* the kernel was slow */
    assert_int_equal(f.fx.count, 0);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
}

static void test_router__ready_but_not_claimed__still_yields(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    router_level_done(&f.router, f.router.sequence, 0, at(4 * SECOND), &f.fx);
    assert_int_equal(hear(&f, 20, 100, false, 4 * SECOND), VERDICT_YIELDED);
    assert_false(router_is_ready(&f.router));
    assert_int_equal(sends(&f, -1), 0);
}

static void test_router__taken_again_before_the_kernel_closed__not_ready_by_what_was_reached_before(void **state)
{
    (void)state;
    struct fixture f;
    fixture_backup(&f, 3);
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    claim(&f, 10 * SECOND);                                                  /* READY is reached */
    router_give_up(&f.router, at(11 * SECOND), SECOND, REASON_STALL, &f.fx); /* ABSENT is asked for, and never done */
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    assert_false(router_is_ready(&f.router));
    router_level_done(&f.router, f.router.sequence, 0, at(12 * SECOND), &f.fx);
    assert_true(router_is_ready(&f.router));
}

static void test_router__taking_fails__next_rank_serves_and_we_try_again(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    assert_true(router_level_done(&f.router, f.router.sequence, 28, at(4 * SECOND), &f.fx));
    assert_int_equal(sends(&f, -1), 0);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
    assert_int_equal(f.router.level, LEVEL_ABSENT);
    assert_true(router_down_deadline(&f.router).us > 7 * SECOND);
}

static void test_router__claimed__opens_after_the_delay_and_yields_before_it_answered(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    f.router.open_delay_us = US_PER_MS;
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    f.fx.count = 0;
    claim(&f, 4 * SECOND);
    assert_int_equal(f.router.phase, PHASE_CLAIMED);
    assert_int_equal(f.router.level, LEVEL_READY);
    assert_int_equal(router_deadline(&f.router).us, 4 * SECOND + US_PER_MS);
    struct fixture rival = f;
    rival.fx.list = rival.list;
    assert_int_equal(hear(&rival, 20, 200, true, 4 * SECOND + 500), VERDICT_YIELDED);
    assert_true(mono_is_never(rival.router.open_at));
    router_tick(&f.router, at(4 * SECOND + US_PER_MS), 0, &f.fx);
    assert_int_equal(f.router.level, LEVEL_ANSWERING);
}

static void test_router__opening_fails__released_in_order(void **state)
{
    struct fixture f;
    (void)state;
    fixture_backup(&f, 3);
    router_take(&f.router, REASON_TIMEOUT, &f.fx);
    claim(&f, 4 * SECOND);
    f.fx.count = 0;
    router_level_done(&f.router, f.router.sequence, 12, at(4 * SECOND), &f.fx);
    assert_int_equal(f.router.phase, PHASE_RELEASING);
    assert_int_equal(sends(&f, 0), 0);
    router_level_done(&f.router, f.router.sequence, 0, at(4 * SECOND), &f.fx);
    assert_int_equal(sends(&f, 0), 1);
}

static void test_router__releasing__still_advertises_and_yields(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    router_release(&f.router, REASON_REBALANCE, true, &f.fx);
    router_tick(&f.router, at(11 * SECOND), 0, &f.fx);
    assert_int_equal(sends(&f, 100), 1);
    uint32_t sequence = f.router.sequence;
    assert_int_equal(hear(&f, 20, 200, true, 11 * SECOND), VERDICT_YIELDED);
    router_level_done(&f.router, sequence, 0, at(11 * SECOND), &f.fx);
    assert_int_equal(sends(&f, 0), 0); /* it is the other one's now */
}

static void test_router__leaving__emptied_is_silent_until_told(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    router_release(&f.router, REASON_REBALANCE, true, &f.fx);
    router_release(&f.router, REASON_SHUTDOWN, false, &f.fx); /* the host leaves while a move is under way */
    router_level_done(&f.router, f.router.sequence, 0, at(11 * SECOND), &f.fx);
    assert_int_equal(f.router.phase, PHASE_EMPTIED);
    hear(&f, 20, 0, false, 12 * SECOND);
    router_tick(&f.router, at(20 * SECOND), 0, &f.fx);
    assert_int_equal(sends(&f, -1), 0);
    router_say_released(&f.router, &f.fx);
    assert_int_equal(sends(&f, 0), 1);
    assert_int_equal(f.router.state, ROUTER_BACKUP);
}

static void test_router__pinned_claim_of_a_member__is_for_the_pool_to_release(void **state)
{
    struct fixture f;
    (void)state;
    fixture_active(&f, 3);
    assert_int_equal(hear(&f, 20, 254, true, 11 * SECOND), VERDICT_CLAIMED);
    assert_int_equal(f.router.state, ROUTER_ACTIVE);
    assert_int_equal(hear(&f, 20, 254, false, 11 * SECOND), VERDICT_YIELDED); /* a stranger's is the RFC's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_router__startup__backup_for_the_active_down_interval),
        cmocka_unit_test(test_router__initialize__hears_and_does_nothing),
        cmocka_unit_test(test_router__backup_shut_down__initialize_without_a_word),
        cmocka_unit_test(test_router__active_down_timer__advert_before_the_filter_opens_and_the_announcement),
        cmocka_unit_test(test_router__backup_hears_priority_0__left_to_the_pool),
        cmocka_unit_test(test_router__backup_hears_stronger_or_equal__timer_restarts_and_interval_is_learned),
        cmocka_unit_test(test_router__version_2__interval_is_never_learned),
        cmocka_unit_test(test_router__backup_hears_weaker__preempts_by_letting_its_timer_run),
        cmocka_unit_test(test_router__backup_hears_weaker_without_preempt_or_a_member__accepts),
        cmocka_unit_test(test_router__active_shut_down__silent_at_once_or_released_in_order),
        cmocka_unit_test(test_router__adver_timer__period_is_kept_however_late_the_tick),
        cmocka_unit_test(test_router__active_hears_priority_0__answers_and_resets_its_timer),
        cmocka_unit_test(test_router__storm_of_priority_0__is_not_reflected_but_answered_in_time),
        cmocka_unit_test(test_router__active_hears_stronger__backup_without_a_word),
        cmocka_unit_test(test_router__active_hears_weaker__asserts_without_resetting_its_timer),
        cmocka_unit_test(test_router__skew__is_not_rounded_away),
        cmocka_unit_test(test_router__taking__ends_when_somebody_acceptable_is_heard),
        cmocka_unit_test(test_router__ready_but_not_claimed__still_yields),
        cmocka_unit_test(test_router__taken_again_before_the_kernel_closed__not_ready_by_what_was_reached_before),
        cmocka_unit_test(test_router__taking_fails__next_rank_serves_and_we_try_again),
        cmocka_unit_test(test_router__claimed__opens_after_the_delay_and_yields_before_it_answered),
        cmocka_unit_test(test_router__opening_fails__released_in_order),
        cmocka_unit_test(test_router__releasing__still_advertises_and_yields),
        cmocka_unit_test(test_router__leaving__emptied_is_silent_until_told),
        cmocka_unit_test(test_router__pinned_claim_of_a_member__is_for_the_pool_to_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
