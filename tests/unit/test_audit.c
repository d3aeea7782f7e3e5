/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit's turns: which addresses are asked for, how often, and what counts as an answer in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/audit.h"

#define UNITS 250
#define PER_UNIT 2
#define S US_PER_S

static struct config_unit units[UNITS];
static struct config_pool pools[1];
static struct pool_settings settings[1];
static struct config config;

/* What was asked in the turns so far. */
struct turns {
    struct audit *audit;
    unsigned held; /* units 0..held-1 are */
    unsigned asked[UNITS][PER_UNIT];
    unsigned count; /* in this turn */
    unsigned most;  /* in any turn */
};

static struct turns turns;

static bool holds(void *context, unsigned pool, unsigned unit)
{
    assert_int_equal(pool, 0);
    return unit < ((struct turns *)context)->held;
}

static void ask(void *context, unsigned pool, unsigned unit, unsigned vip)
{
    struct turns *t = context;

    assert_int_equal(pool, 0);
    assert_true(unit < t->held);
    t->asked[unit][vip]++;
    t->count++;
}

static void run(int64_t at_us)
{
    turns.count = 0;
    audit_run(turns.audit, (struct mono){at_us}, holds, ask, &turns);
    turns.most = turns.count > turns.most ? turns.count : turns.most;
}

static int set_up(void **state)
{
    (void)state;
    for (unsigned u = 0; u < UNITS; u++)
        units[u].vip_count = PER_UNIT;
    pools[0].units = units;
    settings[0].unit_count = UNITS;
    config.pools = pools;
    config.core.pools = settings;
    config.core.pool_count = 1;
    memset(&turns, 0, sizeof(turns));
    turns.audit = audit_new(&config, (struct mono){0});
    assert_non_null(turns.audit);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    audit_free(turns.audit);
    return 0;
}

static void test_audit__half_a_minute__every_held_address_once(void **state)
{
    (void)state;
    turns.held = 30;
    for (int64_t s = 1; s <= 30; s++)
        run(s * S);
    for (unsigned u = 0; u < UNITS; u++)
        for (unsigned v = 0; v < PER_UNIT; v++)
            assert_int_equal(turns.asked[u][v], u < 30);
    assert_int_equal(turns.most, 2);
}

static void test_audit__very_many__are_paced(void **state)
{
    (void)state;
    turns.held = UNITS;
    for (int64_t s = 1; s <= 50; s++)
        run(s * S);
    for (unsigned u = 0; u < UNITS; u++)
        assert_int_equal(turns.asked[u][1], 1);
    assert_int_equal(turns.most, AUDIT_BURST_MAX);
}

static void test_audit__nothing_held__asks_nothing(void **state)
{
    (void)state;
    run(1 * S);
    assert_int_equal(turns.most, 0);
}

static void test_audit__before_its_time__asks_nothing(void **state)
{
    (void)state;
    turns.held = 1;
    run(S - 1);
    assert_int_equal(turns.count, 0);
    run(S);
    assert_int_equal(turns.count, 1);
    run(S + 1);
    assert_int_equal(turns.count, 0);
    for (int64_t s = 2; s < 30; s++) {
        run(s * S);
        assert_int_equal(turns.count, s == 2); /* the unit's other address */
    }
    run(30 * S);
    assert_int_equal(turns.count, 1);
}

static void test_audit__host_that_slept__listens_first(void **state)
{
    (void)state;
    turns.held = 1;
    run(S);
    run(90 * S);
    assert_int_equal(turns.count, 0);
    run(91 * S);
    assert_int_equal(turns.count, 1);
}

static void test_audit__answer__only_after_the_question_and_soon(void **state)
{
    (void)state;
    turns.held = 1;
    assert_false(audit_asked(turns.audit, 0, (struct mono){S}));
    run(S);
    assert_false(audit_asked(turns.audit, 0, (struct mono){S - 1}));
    assert_true(audit_asked(turns.audit, 0, (struct mono){S}));
    assert_true(audit_asked(turns.audit, 0, (struct mono){S + AUDIT_ANSWER_US}));
    assert_false(audit_asked(turns.audit, 0, (struct mono){S + AUDIT_ANSWER_US + 1}));
    assert_false(audit_asked(turns.audit, 1, (struct mono){S}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_audit__half_a_minute__every_held_address_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audit__very_many__are_paced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audit__nothing_held__asks_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audit__before_its_time__asks_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audit__host_that_slept__listens_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audit__answer__only_after_the_question_and_soon, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
