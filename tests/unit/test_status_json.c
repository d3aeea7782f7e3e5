/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol's answers, built over a real core: the status answer against doc/status.schema.json, and what
 * the other commands say in good and bad cases.
 */
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

static json_t *ask_as(const char *request, bool may_change, enum request_outcome *outcome)
{
    return rig_ask(&the_rig, request, may_change, outcome);
}

static json_t *ask(const char *request)
{
    return ask_as(request, true, NULL);
}

static const char *error_code(const json_t *answer)
{
    const char *code = json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

    return code != NULL ? code : "";
}

static void assert_refused(const char *request, const char *code, enum request_outcome expected)
{
    enum request_outcome outcome;
    json_t *answer = ask_as(request, true, &outcome);

    assert_string_equal(error_code(answer), code);
    assert_int_equal(outcome, expected);
    assert_int_equal(json_object_size(answer), 1);
    json_decref(answer);
}

static void assert_answer(const json_t *answer, const char *file, const char *definition)
{
    char where[SCHEMA_WHERE_MAX];

    if (!schema_check_answer(file, definition, answer, where))
        fail_msg("%s", where);
}

static void assert_schema(const json_t *answer)
{
    assert_answer(answer, "status.schema.json", NULL);
}

static json_t *first_pool(const json_t *answer)
{
    return json_array_get(json_object_get(answer, "pools"), 0);
}

static json_t *unit_of(const json_t *answer, size_t index)
{
    return json_array_get(json_object_get(first_pool(answer), "units"), index);
}

static const char *attention_code(const json_t *answer, size_t index)
{
    json_t *item = json_array_get(json_object_get(answer, "attention"), index);
    const char *code = json_string_value(json_object_get(item, "code"));

    return code != NULL ? code : "";
}

static void test_status_json__even_pool__matches_schema(void **state)
{
    json_t *answer = ask("{\"command\":\"status\"}");

    (void)state;
    assert_schema(answer);
    assert_int_equal(json_array_size(json_object_get(answer, "attention")), 0);
    assert_int_equal(json_array_size(json_object_get(first_pool(answer), "members")), 3);
    assert_int_equal(json_array_size(json_object_get(first_pool(answer), "units")), 6);
    assert_string_equal(json_string_value(json_object_get(unit_of(answer, 0), "holder_name")), "alpha");
    assert_string_equal(json_string_value(json_object_get(unit_of(answer, 0), "state")), "Active");
    assert_string_equal(json_string_value(json_object_get(unit_of(answer, 1), "holder_kind")), "member");
    json_decref(answer);
}

static void test_status_json__time__rfc3339_in_utc(void **state)
{
    json_t *answer = ask("{\"command\":\"status\"}");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(answer, "time")), "2026-01-01T00:00:10.000Z");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "daemon"), "uptime_s")), 10);
    json_decref(answer);
}

static void test_status_json__member_dead__schema_and_attention(void **state)
{
    (void)state;
    the_rig.alive[2] = false;
    rig_run(&the_rig, 3 * (int64_t)US_PER_S);
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer);
    assert_string_equal(attention_code(answer, 0), "member_dead");
    assert_int_equal(json_array_size(json_object_get(answer, "attention")), 1);
    json_decref(answer);
}

static void test_status_json__everything_wrong__schema_and_alarms_first(void **state)
{
    (void)state;
    the_rig.conflicts[0] = (struct daemon_conflict){.last = the_rig.now, .count = 3, .mac = {2, 0, 0, 0, 0, 9}};
    the_rig.conflicts[0].address = the_rig.addresses[0];
    the_rig.pool_view.filter_mode = FILTER_ON;
    the_rig.pool_view.filter_text = "no egress hook";
    json_decref(ask("{\"command\":\"drain\"}"));
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer);
    assert_string_equal(attention_code(answer, 0), "conflict");
    assert_string_equal(attention_code(answer, 1), "drained");
    assert_string_equal(attention_code(answer, 2), "filter");
    json_decref(answer);
}

static void test_status_json__link_down__not_ready(void **state)
{
    struct event down = {.kind = EVENT_LINK, .now = the_rig.now};
    enum core_result result;

    (void)state;
    the_rig.callbacks.command(the_rig.callbacks.context, &down, &result);
    the_rig.link.up = false;
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer);
    assert_true(json_array_size(json_object_get(answer, "attention")) >= 1);
    assert_string_equal(attention_code(answer, 0), "not_ready");
    json_decref(answer);
}

static void test_status_json__240_units__matches_schema(void **state)
{
    (void)state;
    rig_close(&the_rig);
    rig_open(&the_rig, 240, 12);
    rig_run(&the_rig, 10 * (int64_t)US_PER_S);
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer);
    json_decref(answer);
}

static void test_status_json__name_not_utf8__still_answers(void **state)
{
    (void)state;
    the_rig.names[0].name[0] = (char)0xff;
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer);
    assert_string_equal(json_string_value(json_object_get(unit_of(answer, 0), "holder_name")), "?lpha");
    json_decref(answer);
}

static void test_request__garbage__one_error_and_close(void **state)
{
    (void)state;
    assert_refused("", "bad_request", REQUEST_GARBAGE);
    assert_refused("hello", "bad_request", REQUEST_GARBAGE);
    assert_refused("[]", "bad_request", REQUEST_GARBAGE);
    assert_refused("{}", "bad_request", REQUEST_GARBAGE);
    assert_refused("{\"command\":7}", "bad_request", REQUEST_GARBAGE);
    assert_refused("{\"command\":\"status\",\"command\":\"drain\"}", "bad_request", REQUEST_GARBAGE);
    assert_refused("{\"command\":\"status\"} {}", "bad_request", REQUEST_GARBAGE);
}

static void test_request__wrong_words__named(void **state)
{
    (void)state;
    assert_refused("{\"command\":\"stat\"}", "unknown_command", REQUEST_REFUSED);
    assert_refused("{\"command\":\"status\",\"pol\":\"web\"}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"status\",\"pool\":\"nope\"}", "unknown_pool", REQUEST_REFUSED);
    assert_refused("{\"command\":\"status\",\"pool\":3}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"explain\"}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"explain\",\"unit\":\"10.20.0.99\"}", "unknown_unit", REQUEST_REFUSED);
    assert_refused("{\"command\":\"explain\",\"unit\":\"300\"}", "unknown_unit", REQUEST_REFUSED);
    assert_refused("{\"command\":\"explain\",\"unit\":300}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"explain\",\"unit\":200}", "unknown_unit", REQUEST_REFUSED);
    assert_refused("{\"command\":\"plan\",\"without\":[\"gamma\"]}", "unknown_member", REQUEST_REFUSED);
    assert_refused("{\"command\":\"plan\",\"without\":\"beta\"}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"plan\",\"with\":[{\"member\":\"10.20.0.9\",\"share\":255}]}", "bad_request",
                   REQUEST_REFUSED);
    assert_refused("{\"command\":\"drain\",\"now\":1}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"history\",\"limit\":0}", "bad_request", REQUEST_REFUSED);
    assert_refused("{\"command\":\"check-hash\"}", "bad_request", REQUEST_REFUSED);
}

static void test_request__change_without_permission__denied_and_unchanged(void **state)
{
    static const char *const requests[] = {
        "{\"command\":\"take\",\"unit\":2}",    "{\"command\":\"release\",\"unit\":1}",
        "{\"command\":\"drain\",\"now\":true}", "{\"command\":\"undrain\"}",
        "{\"command\":\"rebalance\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        enum request_outcome outcome;
        json_t *answer = ask_as(requests[i], false, &outcome);

        assert_string_equal(error_code(answer), "denied");
        assert_int_equal(outcome, REQUEST_DENIED);
        json_decref(answer);
    }
    json_t *answer = ask_as("{\"command\":\"status\"}", false, NULL);

    assert_true(json_is_false(json_object_get(first_pool(answer), "drained")));
    assert_true(json_is_false(json_object_get(unit_of(answer, 1), "pinned_here")));
    json_decref(answer);
}

static void test_request__take_and_release__pins_and_gives_away(void **state)
{
    (void)state;
    json_decref(ask("{\"command\":\"take\",\"unit\":\"10.20.0.1\"}"));
    json_t *answer = ask("{\"command\":\"take\",\"unit\":1}");

    assert_string_equal(json_string_value(json_object_get(answer, "result")), "already");
    json_decref(answer);
    answer = ask("{\"command\":\"release\",\"unit\":\"1\"}");
    assert_string_equal(json_string_value(json_object_get(answer, "result")), "ok");
    json_decref(answer);
    answer = ask("{\"command\":\"explain\",\"unit\":1}");
    assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "unit"), "state")), "Backup");
    json_decref(answer);
    assert_refused("{\"command\":\"release\",\"unit\":2}", "not_held", REQUEST_REFUSED);
}

static void test_request__drain_not_saved__says_so(void **state)
{
    (void)state;
    the_rig.command_error = -28;
    assert_refused("{\"command\":\"drain\"}", "not_saved", REQUEST_REFUSED);
}

static void test_plan__without_member__its_units_land_evenly(void **state)
{
    json_t *answer = ask("{\"command\":\"plan\",\"without\":[\"beta\"]}"), *member;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(first_pool(answer), "members")), 2);
    json_array_foreach(json_object_get(first_pool(answer), "members"), i, member)
        assert_int_equal(json_integer_value(json_object_get(member, "final_load")), 3);
    json_decref(answer);
}

static void test_plan__with_member__moves_its_fair_share(void **state)
{
    json_t *answer = ask("{\"command\":\"plan\",\"with\":[{\"member\":\"10.20.0.99\"}]}");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(first_pool(answer), "members")), 4);
    assert_int_equal(json_array_size(json_object_get(first_pool(answer), "moves")), 1);
    json_decref(answer);
}

static void test_plan__held_by_a_stranger__stays_there(void **state)
{
    (void)state;
    the_rig.holder[1] = 13;
    the_rig.alive[13] = true;
    rig_run(&the_rig, 10 * (int64_t)US_PER_S);
    json_t *answer = ask("{\"command\":\"plan\"}");
    const json_t *unit = unit_of(answer, 1);

    assert_answer(answer, "control.schema.json", "plan");
    assert_string_equal(json_string_value(json_object_get(unit, "holder_kind")), "stranger");
    assert_string_equal(json_string_value(json_object_get(unit, "placed")), "10.20.0.254");
    assert_string_equal(json_string_value(json_object_get(unit, "target")), "10.20.0.254");
    assert_string_equal(json_string_value(json_object_get(unit_of(answer, 0), "placed_name")), "alpha");
    json_decref(answer);
}

static void test_explain__held_unit__facts_on_every_topic(void **state)
{
    static const char *const topics[] = {"held", "next", "move", "here"};
    json_t *answer = ask("{\"command\":\"explain\",\"unit\":2}"), *fact;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(answer, "ranking")), 3);
    for (size_t t = 0; t < sizeof(topics) / sizeof(topics[0]); t++) {
        unsigned found = 0;

        json_array_foreach(json_object_get(answer, "facts"), i, fact) found +=
            strcmp(json_string_value(json_object_get(fact, "topic")), topics[t]) == 0;
        assert_true(found > 0);
    }
    json_decref(answer);
}

static void test_counters__every_refusal__has_a_name(void **state)
{
    json_t *answer = ask("{\"command\":\"counters\"}");
    json_t *link = json_array_get(json_object_get(answer, "links"), 0);

    (void)state;
    assert_int_equal(json_object_size(json_object_get(link, "refused")), WIRE_RESULT_COUNT - 1);
    assert_true(json_integer_value(json_object_get(link, "accepted")) > 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "daemon"), "frames_in")), 7);
    json_decref(answer);
}

static void test_counters__owner_changes__each_in_one_reason_and_class(void **state)
{
    struct owner_changes saved = the_rig.changes;

    (void)state;
    memset(&the_rig.changes, 0, sizeof(the_rig.changes));
    owner_changes_count(&the_rig.changes, REASON_RELEASED, 1000); /* a bound belongs to its class */
    owner_changes_count(&the_rig.changes, REASON_RELEASED, 1001);
    owner_changes_count(&the_rig.changes, REASON_MEMBER_DEAD, 10000001);
    owner_changes_count(&the_rig.changes, REASON_HEARD, -1);
    json_t *answer = ask("{\"command\":\"counters\"}");
    const json_t *pool = json_array_get(json_object_get(answer, "pools"), 0);
    const json_t *changes = json_object_get(pool, "owner_changes"), *gaps = json_object_get(pool, "owner_gaps");
    const json_t *counts = json_object_get(gaps, "counts");

    assert_int_equal(json_object_size(changes), REASON_COUNT);
    assert_int_equal(json_integer_value(json_object_get(changes, "released")), 2);
    assert_int_equal(json_integer_value(json_object_get(changes, "member_dead")), 1);
    assert_int_equal(json_integer_value(json_object_get(changes, "heard")), 1);
    assert_int_equal(json_array_size(counts), json_array_size(json_object_get(gaps, "bounds_ms")) + 1);
    assert_int_equal(json_integer_value(json_array_get(counts, 0)), 1);
    assert_int_equal(json_integer_value(json_array_get(counts, 1)), 1);
    assert_int_equal(json_integer_value(json_array_get(counts, GAP_BOUND_COUNT)), 1);
    assert_float_equal(json_real_value(json_object_get(gaps, "sum_ms")), 10002.002, 1e-6);
    json_decref(answer);
    the_rig.changes = saved;
}

static void test_events__followed__nothing_twice_and_loss_counted(void **state)
{
    json_t *answer = ask("{\"command\":\"events\",\"after\":0,\"limit\":5}");
    json_int_t last = json_integer_value(json_object_get(answer, "last"));

    (void)state;
    assert_int_equal(json_array_size(json_object_get(answer, "entries")), 5);
    assert_int_equal(last, 5);
    json_decref(answer);
    for (unsigned i = 0; i < 100; i++) {
        struct note note = {.kind = NOTE_REJOINED, .name = "web"};

        history_add(the_rig.history, &note, the_rig.now, 0);
    }
    answer = ask("{\"command\":\"events\",\"after\":5}");
    assert_true(json_integer_value(json_object_get(answer, "missed")) > 0);
    assert_int_equal(json_array_size(json_object_get(answer, "entries")), 64);
    json_decref(answer);
}

static void test_history__one_unit__only_its_owners(void **state)
{
    json_t *answer = ask("{\"command\":\"history\",\"unit\":\"10.20.0.3\"}"), *entry;
    size_t i;

    (void)state;
    assert_true(json_array_size(json_object_get(answer, "entries")) >= 1);
    json_array_foreach(json_object_get(answer, "entries"), i, entry)
    {
        assert_string_equal(json_string_value(json_object_get(entry, "kind")), "unit_owner");
        assert_int_equal(json_integer_value(json_object_get(entry, "vrid")), 3);
    }
    json_decref(answer);
}

static void test_answers__of_every_command__match_their_schema(void **state)
{
    static const struct {
        const char *definition, *request;
    } cases[] = {
        {"members", "{\"command\":\"members\"}"},
        {"list", "{\"command\":\"list\"}"},
        {"plan", "{\"command\":\"plan\"}"},
        {"plan", "{\"command\":\"plan\",\"without\":[\"beta\"]}"},
        {"plan", "{\"command\":\"plan\",\"with\":[{\"member\":\"10.20.0.99\"}]}"},
        {"explain", "{\"command\":\"explain\",\"unit\":2}"},
        {"counters", "{\"command\":\"counters\"}"},
        {"snmp", "{\"command\":\"snmp\"}"},
        {"history", "{\"command\":\"history\"}"},
        {"events", "{\"command\":\"events\",\"limit\":250}"},
        {"check-hash", "{\"command\":\"check-hash\",\"hash\":\"0123456789abcdef\"}"},
        {"take", "{\"command\":\"take\",\"unit\":2}"},
        {"release", "{\"command\":\"release\",\"unit\":1}"},
        {"drain", "{\"command\":\"drain\"}"},
        {"drain", "{\"command\":\"drain\"}"},
        {"rebalance", "{\"command\":\"rebalance\"}"},
        {"undrain", "{\"command\":\"undrain\"}"},
        {"reload", "{\"command\":\"reload\"}"},
        {"reload-result", "{\"command\":\"reload-result\"}"},
        {"error", "{\"command\":\"nope\"}"},
    };

    (void)state;
    the_rig.alive[2] = false;
    rig_run(&the_rig, 3 * (int64_t)US_PER_S);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *answer = ask(cases[i].request);

        assert_answer(answer, "control.schema.json", cases[i].definition);
        json_decref(answer);
    }
}

static bool is_in_enum(const json_t *list, const char *word)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
            return true;
    }
    return false;
}

static void test_schema__kinds_and_reasons__are_all_listed(void **state)
{
    json_t *schema = schema_load("control.schema.json"), *entry, *kinds, *reasons;

    (void)state;
    assert_non_null(schema);
    entry = json_object_get(json_object_get(json_object_get(schema, "$defs"), "entry"), "properties");
    kinds = json_object_get(json_object_get(entry, "kind"), "enum");
    reasons = json_object_get(json_object_get(entry, "reason"), "enum");
    for (unsigned kind = 0; kind < NOTE_KINDS; kind++) {
        struct note note = {.kind = (uint8_t)kind};

        if (!is_in_enum(kinds, note_name(&note)))
            fail_msg("control.schema.json: entry.kind does not list %s", note_name(&note));
    }
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        if (!is_in_enum(reasons, reason_name((enum reason)reason)))
            fail_msg("control.schema.json: entry.reason does not list %s", reason_name((enum reason)reason));
    }
    json_decref(schema);
}

static void test_check_hash__same_and_other__told_apart(void **state)
{
    json_t *same = ask("{\"command\":\"check-hash\",\"hash\":\"0123456789abcdef\"}");
    json_t *other = ask("{\"command\":\"check-hash\",\"hash\":\"0123456789abcdee\"}");

    (void)state;
    assert_true(json_is_true(json_object_get(same, "match")));
    assert_true(json_is_false(json_object_get(other, "match")));
    json_decref(same);
    json_decref(other);
}

static int64_t number_of(const json_t *answer)
{
    return json_integer_value(json_object_get(answer, "number"));
}

static void test_reload_json__asked__says_which_one_to_wait_for(void **state)
{
    enum request_outcome outcome;
    json_t *answer = ask_as("{\"command\":\"reload\"}", false, &outcome);

    (void)state;
    assert_int_equal(outcome, REQUEST_DENIED);
    json_decref(answer);
    the_rig.view.reload = (struct daemon_reload){.number = 4, .state = DAEMON_RELOAD_DONE};
    answer = ask_as("{\"command\":\"reload\"}", true, &outcome);
    assert_int_equal(number_of(answer), 5);
    assert_int_equal(the_rig.reloads_asked, 1);
    json_decref(answer);
    the_rig.view.reload.state = DAEMON_RELOAD_RUNNING; /* that one may have read the file before it was changed */
    answer = ask_as("{\"command\":\"reload\"}", true, &outcome);
    assert_int_equal(number_of(answer), 6);
    json_decref(answer);
}

static void test_reload_json__result__state_and_lines(void **state)
{
    json_t *answer = ask("{\"command\":\"reload-result\"}");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(answer, "state")), "none");
    assert_int_equal(json_array_size(json_object_get(answer, "lines")), 0);
    json_decref(answer);
    the_rig.view.reload = (struct daemon_reload){.number = 1, .state = DAEMON_RELOAD_REFUSED, .text = "a:1:2: b\nc\n"};
    answer = ask("{\"command\":\"reload-result\"}");
    assert_string_equal(json_string_value(json_object_get(answer, "state")), "refused");
    assert_int_equal(json_array_size(json_object_get(answer, "lines")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "lines"), 1)), "c");
    json_decref(answer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, the_rig_setup, the_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_json__even_pool__matches_schema),
        TEST(test_status_json__time__rfc3339_in_utc),
        TEST(test_status_json__member_dead__schema_and_attention),
        TEST(test_status_json__everything_wrong__schema_and_alarms_first),
        TEST(test_status_json__link_down__not_ready),
        TEST(test_status_json__240_units__matches_schema),
        TEST(test_status_json__name_not_utf8__still_answers),
        TEST(test_request__garbage__one_error_and_close),
        TEST(test_request__wrong_words__named),
        TEST(test_request__change_without_permission__denied_and_unchanged),
        TEST(test_request__take_and_release__pins_and_gives_away),
        TEST(test_request__drain_not_saved__says_so),
        TEST(test_plan__without_member__its_units_land_evenly),
        TEST(test_plan__with_member__moves_its_fair_share),
        TEST(test_plan__held_by_a_stranger__stays_there),
        TEST(test_explain__held_unit__facts_on_every_topic),
        TEST(test_counters__every_refusal__has_a_name),
        TEST(test_counters__owner_changes__each_in_one_reason_and_class),
        TEST(test_events__followed__nothing_twice_and_loss_counted),
        TEST(test_history__one_unit__only_its_owners),
        TEST(test_answers__of_every_command__match_their_schema),
        TEST(test_schema__kinds_and_reasons__are_all_listed),
        TEST(test_check_hash__same_and_other__told_apart),
        TEST(test_reload_json__asked__says_which_one_to_wait_for),
        TEST(test_reload_json__result__state_and_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
