/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told what, in which words, how often: over restarts of the worker and reloads too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/notify.h"

static char *words[] = {(char *)(uintptr_t) "x", NULL};

#define COMMAND                                                                                                        \
    {                                                                                                                  \
        .argument_count = 1, .arguments = words                                                                        \
    }

static const struct config_words told = {
    .instance = "I",
    .group = "G",
    .unit = "U",
    .states =
        {[INSTANCE_BACKUP] = "back", [INSTANCE_ACTIVE] = "act", [INSTANCE_FAULT] = "bad", [INSTANCE_STOPPED] = "end"},
    .deleted = "gone",
    .rx_lower = "low",
    .priorities = {[INSTANCE_BACKUP] = "back-prio", [INSTANCE_ACTIVE] = "act-prio"},
};

static struct check_notify notify_of = {
    .active = COMMAND, .backup = COMMAND, .fault = COMMAND, .stop = COMMAND, .any = COMMAND, .rx_lower = COMMAND};
static const struct config_extension extension = {.words = &told};
static struct instance_settings names[2];
static struct unit_settings unit_settings[2], pool_units[1];
static struct config_router routers[2];
static struct config_vip vips[1];
static struct config_unit units[2], pool_unit[1];
static struct config_group group = {.name = "both", .notify = &notify_of};
static struct config_instances instances;
static struct config_watch watches[2];
static struct pool_settings settings[2];
static struct config_pool pools[2];
static struct config config;
static struct notify *notify;
static struct notify_news news;

static int set_up(void **state)
{
    (void)state;
    notify_of.call_deleted = 0;
    notify_of.priority_changes = 0;
    for (unsigned i = 0; i < 2; i++) {
        strcpy(names[i].name, i == 0 ? "V1" : "V2");
        unit_settings[i].instance = &names[i];
        routers[i] = (struct config_router){.notify = &notify_of};
        units[i].router = &routers[i];
    }
    assert_true(addr_parse("192.0.2.50", &vips[0].address));
    pool_unit[0] = (struct config_unit){.vip_count = 1, .vips = vips};
    settings[0] = (struct pool_settings){.name = "web", .unit_count = 1, .units = pool_units};
    settings[1] = (struct pool_settings){.name = "instances", .unit_count = 2, .units = unit_settings};
    pools[0].units = pool_unit;
    pools[1].units = units;
    watches[0].notify = &notify_of;
    instances = (struct config_instances){.group_count = 1, .groups = &group};
    config = (struct config){.core = {.pool_count = 1, .set_count = 1, .group_count = 1, .pools = settings},
                             .pools = pools,
                             .watches = watches,
                             .instances = &instances,
                             .extension = &extension};
    notify = notify_new(&config);
    return notify != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    notify_free(notify);
    return 0;
}

static bool take(enum order_kind kind, enum order_subject subject, unsigned index, enum instance_state state,
                 unsigned priority)
{
    const struct order order = {.kind = (uint8_t)kind,
                                .subject = (uint8_t)subject,
                                .pool = subject == ORDER_INSTANCE,
                                .index = (uint16_t)index,
                                .state = (uint8_t)state,
                                .priority = (uint8_t)priority};

    return notify_take(notify, &order, &news);
}

static void adopt(const struct config *next)
{
    assert_int_equal(notify_expect(notify, next), 0);
    notify_adopt(notify);
}

static void expect(const char *line, const struct check_command *first, const struct check_command *second)
{
    assert_string_equal(news.line, line);
    assert_int_equal(news.call_count, (first != NULL) + (second != NULL));
    if (first != NULL)
        assert_ptr_equal(news.calls[0].command, first);
    if (second != NULL)
        assert_ptr_equal(news.calls[1].command, second);
}

static void test_notify__instance__each_change_once_with_its_words(void **state)
{
    (void)state;
    assert_true(take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 100));
    expect("I \"V1\" back 100\n", &notify_of.backup, &notify_of.any);
    assert_int_equal(news.calls[0].extra_count, 0);
    assert_int_equal(news.calls[1].extra_count, NOTIFY_ARGUMENTS);
    assert_string_equal(news.extra[0], "I");
    assert_string_equal(news.extra[1], "V1");
    assert_string_equal(news.extra[2], "back");
    assert_string_equal(news.extra[3], "100");
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 100);
    expect("", NULL, NULL);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    expect("I \"V1\" act 100\n", &notify_of.active, &notify_of.any);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_FAULT, 90);
    expect("I \"V1\" bad 90\n", &notify_of.fault, &notify_of.any);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_INITIALIZE, 90);
    expect("", NULL, NULL);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_STOPPED, 90);
    expect("I \"V1\" end 90\n", &notify_of.stop, &notify_of.any);
}

static void test_notify__no_command__no_call(void **state)
{
    const struct check_notify some = {.any = COMMAND};

    (void)state;
    routers[0].notify = &some;
    adopt(&config);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    expect("I \"V1\" act 100\n", &some.any, NULL);
    routers[0].notify = NULL;
    adopt(&config);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 100);
    expect("I \"V1\" back 100\n", NULL, NULL);
}

static void test_notify__group_and_unit__have_their_own_form(void **state)
{
    (void)state;
    take(ORDER_STATE, ORDER_GROUP, 0, INSTANCE_ACTIVE, 0);
    expect("G \"both\" act 0\n", &notify_of.active, &notify_of.any);
    assert_int_equal(news.calls[0].extra_count, 0);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_BACKUP, 250);
    expect("", NULL, NULL); /* this host had it not before either */
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_ACTIVE, 250);
    expect("U \"web/192.0.2.50\" act 250\n", &notify_of.active, &notify_of.any);
    assert_int_equal(news.calls[0].extra_count, NOTIFY_ARGUMENTS);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_FAULT, 250);
    expect("U \"web/192.0.2.50\" bad 250\n", &notify_of.fault, &notify_of.any);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_BACKUP, 250);
    expect("", NULL, NULL);
}

static void test_notify__new_worker__nothing_is_told_twice(void **state)
{
    (void)state;
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_BACKUP, 50);
    /* The worker dies; the next one begins as Backup. */
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 100);
    expect("I \"V1\" back 100\n", &notify_of.backup, &notify_of.any);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_BACKUP, 50);
    expect("", NULL, NULL);
}

static void test_notify__reload__tells_of_what_is_removed_only(void **state)
{
    struct config next = config;
    struct pool_settings fewer[2] = {settings[0], settings[1]};

    (void)state;
    fewer[1].unit_count = 1;
    next.core.pools = fewer;
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_ACTIVE, 100);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_ACTIVE, 250);
    assert_int_equal(notify_expect(notify, &next), 0);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_STOPPED, 100);
    expect("", NULL, NULL);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_STOPPED, 100);
    expect("I \"V2\" bad 100\n", &notify_of.fault, &notify_of.any);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_STOPPED, 250);
    expect("", NULL, NULL);
    notify_adopt(notify);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100); /* it was away: this is news */
    expect("I \"V1\" act 100\n", &notify_of.active, &notify_of.any);
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_BACKUP, 250);
    expect("U \"web/192.0.2.50\" back 250\n", &notify_of.backup, &notify_of.any);
    assert_false(take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_ACTIVE, 100));
}

/* Of a pool that has another name, say: nobody ends its units. */
static void test_notify__reload__what_nobody_ends_is_told_at_its_end(void **state)
{
    struct config next = config;
    struct pool_settings none[2] = {settings[0], settings[1]};
    unsigned cursor = 0;

    (void)state;
    none[0].unit_count = 0;
    none[1].unit_count = 1;
    next.core.pools = none;
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_ACTIVE, 250);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_ACTIVE, 100);
    assert_false(notify_removed_next(notify, &cursor, &news));
    assert_int_equal(notify_expect(notify, &next), 0);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_STOPPED, 100);
    assert_true(notify_removed_next(notify, &cursor, &news));
    expect("U \"web/192.0.2.50\" bad 250\n", &notify_of.fault, &notify_of.any);
    assert_false(notify_removed_next(notify, &cursor, &news));
}

static void test_notify__deleted__has_its_own_word_where_it_is_asked_for(void **state)
{
    struct config next = config;
    struct pool_settings none[2] = {settings[0], settings[1]};

    (void)state;
    none[1].unit_count = 0;
    next.core.pools = none;
    notify_of.call_deleted = 1;
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 100);
    assert_int_equal(notify_expect(notify, &next), 0);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_STOPPED, 100);
    expect("I \"V1\" gone 100\n", &notify_of.any, NULL);
}

static void test_notify__end_of_the_daemon__tells_those_whose_worker_could_not(void **state)
{
    unsigned cursor = 0;

    (void)state;
    take(ORDER_STATE, ORDER_UNIT, 0, INSTANCE_ACTIVE, 250);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_BACKUP, 100);
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_STOPPED, 100);
    assert_true(notify_stop_next(notify, &cursor, &news));
    expect("U \"web/192.0.2.50\" end 250\n", &notify_of.stop, &notify_of.any);
    assert_true(notify_stop_next(notify, &cursor, &news));
    expect("I \"V1\" end 100\n", &notify_of.stop, &notify_of.any);
    assert_false(notify_stop_next(notify, &cursor, &news));
}

static void test_notify__priorities_and_weaker__are_told_to_those_who_asked(void **state)
{
    (void)state;
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 100);
    take(ORDER_PRIORITY, ORDER_INSTANCE, 0, INSTANCE_INITIALIZE, 80);
    expect("", NULL, NULL);
    notify_of.priority_changes = 1;
    take(ORDER_PRIORITY, ORDER_INSTANCE, 0, INSTANCE_INITIALIZE, 90);
    expect("I \"V1\" act-prio 90\n", NULL, NULL);
    take(ORDER_WEAKER, ORDER_INSTANCE, 0, INSTANCE_INITIALIZE, 0);
    expect("I \"V1\" low 90\n", &notify_of.rx_lower, NULL);
}

static void test_notify__states_for_a_new_reader__are_the_last_ones(void **state)
{
    unsigned cursor = 0;

    (void)state;
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_BACKUP, 70);
    take(ORDER_STATE, ORDER_GROUP, 0, INSTANCE_ACTIVE, 0);
    assert_true(notify_line_next(notify, &cursor, &news));
    assert_string_equal(news.line, "I \"V2\" back 70\n");
    assert_true(notify_line_next(notify, &cursor, &news));
    assert_string_equal(news.line, "G \"both\" act 0\n");
    assert_false(notify_line_next(notify, &cursor, &news));
}

static void test_notify__what_is_not_there__is_refused(void **state)
{
    (void)state;
    assert_false(take(ORDER_STATE, ORDER_INSTANCE, 2, INSTANCE_ACTIVE, 1));
    assert_false(take(ORDER_STATE, ORDER_GROUP, 1, INSTANCE_ACTIVE, 1));
    assert_false(take(ORDER_STATE, ORDER_UNIT, 1, INSTANCE_ACTIVE, 1));
    assert_false(take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_STATE_COUNT, 1));
    assert_false(take(ORDER_RESULT, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 1));
    const struct order elsewhere = {.kind = ORDER_STATE, .subject = ORDER_INSTANCE, .pool = 2};
    const struct order wrong = {.kind = ORDER_STATE, .subject = ORDER_INSTANCE, .pool = 0};

    assert_false(notify_take(notify, &elsewhere, &news));
    assert_false(notify_take(notify, &wrong, &news));
}

static void test_notify__key__is_the_subjects_own_and_outlives_a_reload(void **state)
{
    uint64_t first, second;

    (void)state;
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_ACTIVE, 1);
    first = news.key;
    take(ORDER_STATE, ORDER_INSTANCE, 1, INSTANCE_ACTIVE, 1);
    second = news.key;
    assert_true(first != second);
    adopt(&config);
    take(ORDER_STATE, ORDER_INSTANCE, 0, INSTANCE_BACKUP, 1);
    assert_true(news.key == first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_notify__instance__each_change_once_with_its_words),
        TEST(test_notify__no_command__no_call),
        TEST(test_notify__group_and_unit__have_their_own_form),
        TEST(test_notify__new_worker__nothing_is_told_twice),
        TEST(test_notify__reload__tells_of_what_is_removed_only),
        TEST(test_notify__reload__what_nobody_ends_is_told_at_its_end),
        TEST(test_notify__deleted__has_its_own_word_where_it_is_asked_for),
        TEST(test_notify__end_of_the_daemon__tells_those_whose_worker_could_not),
        TEST(test_notify__priorities_and_weaker__are_told_to_those_who_asked),
        TEST(test_notify__states_for_a_new_reader__are_the_last_ones),
        TEST(test_notify__what_is_not_there__is_refused),
        TEST(test_notify__key__is_the_subjects_own_and_outlives_a_reload),
    };

    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
