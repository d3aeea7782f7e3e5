/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explain answer: in every situation the fact that explains it is there, and those that do not hold are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon_rig.h"
#include "schema_check.h"

#define STRANGER 13 /* an index beyond the members': nobody introduces it */

static struct rig rig;
static json_t *answer;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 6, 3);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(answer);
    answer = NULL;
    rig_close(&rig);
    return 0;
}

static void explain(unsigned vrid)
{
    char request[64], where[SCHEMA_WHERE_MAX];

    snprintf(request, sizeof(request), "{\"command\":\"explain\",\"unit\":%u}", vrid);
    json_decref(answer);
    answer = rig_ask(&rig, request, true, NULL);
    if (!schema_check_answer("control.schema.json", "explain", answer, where))
        fail_msg("%s", where);
}

static void command(const char *request)
{
    json_decref(rig_ask(&rig, request, true, NULL));
}

static const char *fact_text(const char *topic, const char *code)
{
    json_t *fact;
    size_t i;

    json_array_foreach(json_object_get(answer, "facts"), i, fact)
    {
        if (strcmp(json_string_value(json_object_get(fact, "topic")), topic) == 0 &&
            strcmp(json_string_value(json_object_get(fact, "code")), code) == 0)
            return json_string_value(json_object_get(fact, "text"));
    }
    return NULL;
}

static void assert_fact(const char *topic, const char *code, const char *part)
{
    const char *text = fact_text(topic, code);

    if (text == NULL || strstr(text, part) == NULL) {
        char *all = json_dumps(json_object_get(answer, "facts"), JSON_INDENT(1));

        print_message("%s\n", all);
        free(all);
        fail_msg("no fact %s/%s with '%s'", topic, code, part);
    }
}

static void assert_no_fact(const char *topic, const char *code)
{
    const char *text = fact_text(topic, code);

    if (text != NULL)
        fail_msg("there is a fact %s/%s: %s", topic, code, text);
}

static void test_explain__held_here__says_so_and_who_is_next(void **state)
{
    (void)state;
    explain(1);
    assert_fact("held", "self", "This host, alpha (10.20.0.241), has held it for ");
    assert_fact("held", "last_change", "It went from nobody to alpha (10.20.0.241)");
    assert_fact("next", "member", "If alpha (10.20.0.241) goes away now, ");
    assert_fact("move", "stays", "the loads are even as they are");
    assert_fact("here", "state", "This host is Active for it, with priority 253 and rank 0.");
    assert_no_fact("here", "drained");
    assert_no_fact("here", "starting");
    assert_no_fact("here", "filter");
}

static void test_explain__held_by_a_member__this_host_is_backup(void **state)
{
    (void)state;
    explain(2);
    assert_fact("held", "member", "The member beta (10.20.0.242) has held it for ");
    assert_fact("here", "state", "This host is Backup for it, with priority ");
}

static void test_explain__drained__holds_only_what_nobody_else_can(void **state)
{
    (void)state;
    command("{\"command\":\"drain\"}");
    rig_run(&rig, 3 * (int64_t)US_PER_S);
    explain(2);
    assert_fact("here", "drained", "keelctl undrain ends it");
}

static void test_explain__pinned_here__release_ends_it(void **state)
{
    (void)state;
    command("{\"command\":\"take\",\"unit\":1}");
    rig_run(&rig, 3 * (int64_t)US_PER_S);
    explain(1);
    assert_fact("move", "pinned_here", "keelctl release ends that");
    assert_fact("here", "state", "with priority 254");
}

static void test_explain__pinned_elsewhere__by_its_owner(void **state)
{
    (void)state;
    rig_say(&rig, 1, 2, 254, &rig.addresses[1]);
    explain(2);
    assert_fact("move", "pinned", "It is pinned to its owner");
}

static void test_explain__starting__for_how_long(void **state)
{
    (void)state;
    rig.pool.startup_delay_us = 60 * (int64_t)US_PER_S;
    explain(1);
    assert_fact("here", "starting", "for another 50.0 s (startup_delay)");
}

static void test_explain__held_by_a_stranger__what_ends_it(void **state)
{
    (void)state;
    rig.holder[1] = STRANGER;
    rig.alive[STRANGER] = true;
    rig.member_count = 3; /* nobody advertises as that member */
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    explain(2);
    assert_fact("held", "stranger", "it is no member of the pool");
    assert_fact("move", "stranger", "when that router falls silent or advertises less");
    assert_no_fact("move", "stays");
}

static void test_explain__contested_by_a_stranger__named_as_one(void **state)
{
    (void)state;
    rig_say(&rig, STRANGER, 2, 200, &rig.addresses[1]);
    explain(2);
    assert_fact("held", "contested", ", which is no member of the pool, also claims it");
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    rig_say(&rig, 2, 2, 200, &rig.addresses[1]);
    explain(2);
    assert_fact("held", "contested", "10.20.0.243 also claims it");
}

static void test_explain__foreign_answer__told_for_a_minute(void **state)
{
    (void)state;
    rig.conflicts[0] = (struct daemon_conflict){.last = rig.now, .count = 1, .mac = {2, 0, 0, 0, 0, 9}};
    explain(1);
    assert_fact("held", "conflict", "02:00:00:00:00:09 answered for it 0.0 s ago");
    rig_run(&rig, 60 * (int64_t)US_PER_S);
    explain(1);
    assert_no_fact("held", "conflict");
}

static void test_explain__nobody_else_heard__isolated(void **state)
{
    (void)state;
    rig.pool.isolation_check = rig.pool.drop_when_isolated = rig.third_party = true;
    for (unsigned m = 1; m < 3; m++)
        rig.alive[m] = false;
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    explain(2);
    assert_fact("here", "isolated", "it hears nobody, so it claims nothing");
    assert_fact("held", "unowned", "Nobody has held it for ");
}

static void test_explain__link_down__nothing_is_known_of_others(void **state)
{
    struct event down = {.kind = EVENT_LINK, .now = rig.now};
    enum core_result result;

    (void)state;
    rig.callbacks.command(rig.callbacks.context, &down, &result);
    rig.link.up = false;
    explain(2);
    assert_fact("held", "not_heard", "Who holds it is not known here");
    assert_fact("here", "not_ready", "its link is down or has no address");
    assert_no_fact("held", "unowned");
    assert_no_fact("next", "nobody");
}

static void test_explain__filter_fell_back__which_and_why(void **state)
{
    (void)state;
    rig.pool_view.filter_mode = FILTER_ON;
    rig.pool_view.filter_text = "no timeouts in sets";
    explain(1);
    assert_fact("here", "filter",
                "Weaker than configured: arp_filter on is in force here, not lease: no timeouts in sets.");
}

static void test_explain__wishes_of_the_file__told(void **state)
{
    struct addr beta = rig_member(1);

    (void)state;
    rig.units[0].prefer = rig.units[0].eligible = &beta;
    rig.units[0].prefer_count = rig.units[0].eligible_count = 1;
    explain(1);
    assert_fact("move", "prefer", "beta (10.20.0.242).");
    assert_fact("move", "members", "Only these may hold it: beta (10.20.0.242).");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_explain__held_here__says_so_and_who_is_next),
        TEST(test_explain__held_by_a_member__this_host_is_backup),
        TEST(test_explain__drained__holds_only_what_nobody_else_can),
        TEST(test_explain__pinned_here__release_ends_it),
        TEST(test_explain__pinned_elsewhere__by_its_owner),
        TEST(test_explain__starting__for_how_long),
        TEST(test_explain__held_by_a_stranger__what_ends_it),
        TEST(test_explain__contested_by_a_stranger__named_as_one),
        TEST(test_explain__foreign_answer__told_for_a_minute),
        TEST(test_explain__nobody_else_heard__isolated),
        TEST(test_explain__link_down__nothing_is_known_of_others),
        TEST(test_explain__filter_fell_back__which_and_why),
        TEST(test_explain__wishes_of_the_file__told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
