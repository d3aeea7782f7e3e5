/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the status says first: each trouble is told, with the unit, the member and the addresses it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/note.h"
#include "daemon_rig.h"
#include "schema_check.h"

static json_t *ask(const char *request)
{
    return rig_ask(&the_rig, request, true, NULL);
}

static const json_t *attention_of(const json_t *answer, const char *code)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "attention"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "code")), code) == 0)
            return item;
    }
    fail_msg("attention does not speak of %s", code);
    return NULL;
}

/* Asks for the status, and looks for the sentence about `code`. */
static void assert_told(const char *code, const char *severity, const char *text)
{
    json_t *answer = ask("{\"command\":\"status\"}");
    const json_t *item = attention_of(answer, code);
    char where[SCHEMA_WHERE_MAX];

    if (!schema_check_answer("status.schema.json", NULL, answer, where))
        fail_msg("%s", where);
    assert_string_equal(json_string_value(json_object_get(item, "severity")), severity);
    if (strstr(json_string_value(json_object_get(item, "text")), text) == NULL)
        fail_msg("'%s' does not say '%s'", json_string_value(json_object_get(item, "text")), text);
    json_decref(answer);
}

static void assert_not_told(const char *code)
{
    json_t *answer = ask("{\"command\":\"status\"}"), *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "attention"), i, item)
        assert_string_not_equal(json_string_value(json_object_get(item, "code")), code);
    json_decref(answer);
}

static void test_attention__unowned__named(void **state)
{
    (void)state;
    for (unsigned m = 1; m < the_rig.member_count; m++)
        the_rig.alive[m] = false; /* and this host may not take what they had */
    the_rig.link.up = false;
    json_decref(ask("{\"command\":\"drain\",\"now\":true}"));
    the_rig.link.up = true;
    rig_run(&the_rig, 100 * US_PER_MS);
    rig_say(&the_rig, 1, 2, 0, &the_rig.addresses[1]);
    the_rig.now = mono_add(the_rig.now, 2 * (int64_t)US_PER_S);
    assert_told("unowned", "alarm", "10.20.0.2");
}

static void test_attention__contested__both_named(void **state)
{
    (void)state;
    rig_say(&the_rig, 2, 2, 253, &the_rig.addresses[1]);
    rig_say(&the_rig, 1, 2, 252, &the_rig.addresses[1]);
    assert_told("contested", "alarm", "10.20.0.2 by 10.20.0.243 and beta (10.20.0.242)");
}

static void test_attention__stranger__named(void **state)
{
    (void)state;
    the_rig.holder[1] = 9; /* who never introduces himself */
    the_rig.alive[9] = true;
    rig_run(&the_rig, 10 * (int64_t)US_PER_S);
    assert_told("stranger", "warning", "10.20.0.2 by 10.20.0.250");
}

static void test_attention__other_address_list__unit_member_and_addresses_named(void **state)
{
    struct addr other = {.family = FAMILY_IPV4, .bytes = {10, 20, 0, 99}};

    (void)state;
    rig_say(&the_rig, 1, 2, 253, &other);
    assert_told("address_list", "warning", "10.20.0.2 by beta (10.20.0.242) without 10.20.0.2 with 10.20.0.99 besides");
}

static void test_attention__unit_that_only_a_member_has__both_named(void **state)
{
    struct addr other = {.family = FAMILY_IPV4, .bytes = {10, 20, 0, 99}};

    (void)state;
    rig_say(&the_rig, 1, 99, 253, &other);
    assert_told("unknown_unit", "warning", "10.20.0.99 (VRID 99) by beta (10.20.0.242)");
}

static void test_attention__many_units_that_only_others_have__text_is_cut(void **state)
{
    (void)state;
    memset(the_rig.names[1].name, 'n', sizeof(the_rig.names[1].name) - 1);
    for (unsigned vrid = 100; vrid < 230; vrid++) {
        struct addr other = {.family = FAMILY_IPV4, .bytes = {10, 20, 1, (uint8_t)vrid}};

        rig_say(&the_rig, 1, (uint8_t)vrid, 253, &other);
    }
    assert_told("unknown_unit", "warning", "130 units that members advertise are not in this host's configuration");
}

static void test_attention__drained_member__named(void **state)
{
    struct addr beta = rig_member(1);

    (void)state;
    the_rig.alive[1] = false;
    rig_say(&the_rig, 1, addr_last_byte(&beta), 1, &beta);
    assert_told("member_reserve", "warning", "beta (10.20.0.242)");
}

static void test_attention__filter_that_fell_back__says_why(void **state)
{
    (void)state;
    the_rig.pool_view.filter_mode = FILTER_ON;
    the_rig.pool_view.filter_text = "no egress hook";
    assert_told("filter", "warning", "arp_filter on is in force here, not lease: no egress hook");
}

static void test_attention__own_address_elsewhere__names_the_mac_and_who_gives_way(void **state)
{
    struct daemon_rival rival = {.until = mono_add(the_rig.now, US_PER_S), .mac = {2, 0, 0, 0, 0, 7}};

    (void)state;
    the_rig.view.rivals = &rival;
    assert_told("duplicate_address", "alarm", "02:00:00:00:00:07 speaks from this host's own address");
    assert_told("duplicate_address", "alarm", "and it gives way");
    rival.yields = true;
    assert_told("duplicate_address", "alarm", "and this host gives way");
}

static void test_attention__member_dead__says_for_how_long(void **state)
{
    (void)state;
    the_rig.alive[1] = false;
    rig_run(&the_rig, 3 * (int64_t)US_PER_S);
    assert_told("member_dead", "warning", "member beta (10.20.0.242) is dead, not heard for 3.");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, the_rig_setup, the_rig_teardown)

static void test_attention__other_interval__unit_and_member_named_while_it_is_so(void **state)
{
    (void)state;
    the_rig.say_interval_us = 2 * (int64_t)US_PER_S;
    rig_say(&the_rig, 1, 2, 253, &the_rig.addresses[1]);
    assert_told("configuration", "warning", "10.20.0.2 by beta (10.20.0.242) with another interval");
    rig_run(&the_rig, 20 * (int64_t)US_PER_S);
    assert_not_told("configuration");
}

static void test_attention__stall__told_for_ten_minutes(void **state)
{
    (void)state;
    the_rig.pool_view.stalled_at = the_rig.now;
    the_rig.pool_view.stalled_us = 3200 * US_PER_MS;
    rig_run(&the_rig, 4 * (int64_t)US_PER_S);
    assert_told("stalled", "warning",
                "this host slept for 3.2 s, longer than its lease, and gave up what it held 4.0 s");
    the_rig.now = mono_add(the_rig.now, 600 * (int64_t)US_PER_S);
    assert_not_told("stalled");
}

/* Who slept does not know how long nobody, or somebody, had the unit. */
static void test_owner__changed_while_this_host_slept__gap_is_not_known(void **state)
{
    (void)state;
    the_rig.now = mono_add(the_rig.now, 5 * (int64_t)US_PER_S);
    rig_say(&the_rig, 1, 1, 253, &the_rig.addresses[0]);
    json_t *answer = ask("{\"command\":\"list\"}");
    const json_t *unit =
        json_array_get(json_object_get(json_array_get(json_object_get(answer, "pools"), 0), "units"), 0);
    const json_t *change = json_object_get(unit, "last_change");

    assert_string_equal(json_string_value(json_object_get(change, "to")), "10.20.0.242");
    assert_string_equal(json_string_value(json_object_get(change, "reason")), "heard");
    assert_true(json_is_null(json_object_get(change, "gap_ms")));
    json_decref(answer);
}

static const char *sentence(struct note note)
{
    static char text[NOTE_TEXT_MAX];

    note.about = note.kind == NOTE_GROUP_STATE ? NOTE_ABOUT_GROUP : NOTE_ABOUT_INSTANCE;
    memcpy(note.name, "N", 2);
    note_format(&the_rig.config, &note, text);
    return text;
}

static void test_note__gap_and_causes__as_they_are(void **state)
{
    const struct note owner = {.kind = NOTE_UNIT_OWNER, .reason = REASON_RELEASED};
    const struct note fault = {.kind = NOTE_INSTANCE_STATE,
                               .reason = REASON_TRACKED,
                               .from_state = INSTANCE_ACTIVE,
                               .to_state = INSTANCE_FAULT};
    const struct note over = {.kind = NOTE_INSTANCE_STATE,
                              .reason = REASON_TRACKED,
                              .from_state = INSTANCE_FAULT,
                              .to_state = INSTANCE_BACKUP};
    const struct note group = {
        .kind = NOTE_GROUP_STATE, .reason = REASON_GROUP, .from_state = INSTANCE_ACTIVE, .to_state = INSTANCE_FAULT};
    struct note gap = owner;

    (void)state;
    gap.value = 0;
    assert_non_null(strstr(sentence(gap), "released it, without a gap"));
    gap.value = 3200;
    assert_non_null(strstr(sentence(gap), ", 3.2 ms without owner"));
    gap.value = -1;
    assert_null(strstr(sentence(gap), "owner,"));
    assert_string_equal(sentence(fault), "instance N: Active -> Fault: what it tracks has failed");
    assert_string_equal(sentence(over), "instance N: Fault -> Backup: what it tracks is good again");
    assert_string_equal(sentence(group), "group N: Active -> Fault: a member of it is in Fault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attention__unowned__named),
        TEST(test_attention__contested__both_named),
        TEST(test_attention__stranger__named),
        TEST(test_attention__other_address_list__unit_member_and_addresses_named),
        TEST(test_attention__unit_that_only_a_member_has__both_named),
        TEST(test_attention__many_units_that_only_others_have__text_is_cut),
        TEST(test_attention__drained_member__named),
        TEST(test_attention__filter_that_fell_back__says_why),
        TEST(test_attention__own_address_elsewhere__names_the_mac_and_who_gives_way),
        TEST(test_attention__member_dead__says_for_how_long),
        TEST(test_attention__other_interval__unit_and_member_named_while_it_is_so),
        TEST(test_attention__stall__told_for_ten_minutes),
        TEST(test_owner__changed_while_this_host_slept__gap_is_not_known),
        TEST(test_note__gap_and_causes__as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
