/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control protocol says of instances and groups: status by its schema, faults in words, requests by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/fields_json.h"
#include "daemon/track.h"
#include "file_rig.h"
#include "schema_check.h"
#include "snmp/snapshot.h"

static struct file_rig rig;

static int setup(void **state)
{
    (void)state;
    file_rig_open(&rig, file_rig_sample);
    file_rig_run(&rig, 2 * (int64_t)US_PER_S);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    file_rig_close(&rig);
    return 0;
}

static json_t *ask(const char *request)
{
    return file_rig_ask(&rig, request);
}

static json_t *named(const json_t *answer, const char *name)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "instances"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return item;
    }
    fail_msg("no instance %s", name);
    return NULL;
}

static const char *field(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value != NULL ? value : "";
}

static void assert_schema(const json_t *answer, const char *file, const char *definition)
{
    char where[SCHEMA_WHERE_MAX];

    if (!schema_check_answer(file, definition, answer, where))
        fail_msg("%s", where);
}

static void test_instances_json__every_answer__matches_its_schema(void **state)
{
    static const struct {
        const char *definition, *request;
    } cases[] = {
        {"list", "{\"command\":\"list\"}"},
        {"explain", "{\"command\":\"explain\",\"unit\":\"A\"}"},
        {"explain", "{\"command\":\"explain\",\"unit\":\"D\"}"},
        {"counters", "{\"command\":\"counters\"}"},
        {"snmp", "{\"command\":\"snmp\"}"},
        {"dump", "{\"command\":\"dump\",\"what\":\"data\"}"},
        {"reload-result", "{\"command\":\"reload-result\"}"},
        {"history", "{\"command\":\"history\"}"},
        {"events", "{\"command\":\"events\",\"limit\":250}"},
    };

    (void)state;
    file_rig_hear(&rig, 2, "10.0.0.9", 150, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *answer = ask(cases[i].request);

        assert_schema(answer, "control.schema.json", cases[i].definition);
        json_decref(answer);
    }
}

static void test_instances_json__status__schema_states_and_holders(void **state)
{
    (void)state;
    file_rig_hear(&rig, 2, "10.0.0.9", 150, true);
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer, "status.schema.json", NULL);
    assert_string_equal(field(named(answer, "A"), "state"), "Active");
    assert_string_equal(field(named(answer, "A"), "holder_kind"), "self");
    assert_string_equal(field(named(answer, "A"), "group"), "G");
    assert_string_equal(field(named(answer, "C"), "state"), "Backup");
    assert_string_equal(field(named(answer, "C"), "holder"), "10.0.0.9");
    assert_string_equal(field(named(answer, "C"), "holder_kind"), "other");
    assert_string_equal(field(json_array_get(json_object_get(answer, "groups"), 0), "state"), "Active");
    json_decref(answer);
}

static const json_t *with_code(const json_t *list, const char *code)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(field(item, "code"), code) == 0)
            return item;
    }
    fail_msg("nothing about %s", code);
    return NULL;
}

static void test_instances_json__refusal__told_with_its_sender_while_it_lasts(void **state)
{
    (void)state;
    file_rig_hear(&rig, 2, "10.0.0.9", 150, false);
    json_t *answer = ask("{\"command\":\"status\"}");

    assert_schema(answer, "status.schema.json", NULL);
    assert_string_equal(field(with_code(json_object_get(answer, "attention"), "refused"), "text"),
                        "instance C does not accept what 10.0.0.9 advertises for it: its password is another one");
    json_decref(answer);
    answer = ask("{\"command\":\"explain\",\"unit\":\"C\"}");
    assert_non_null(strstr(field(with_code(json_object_get(answer, "facts"), "refused"), "text"), "10.0.0.9"));
    json_decref(answer);
    file_rig_run(&rig, 20 * (int64_t)US_PER_S);
    answer = ask("{\"command\":\"status\"}");
    json_t *line;
    size_t i;

    json_array_foreach(json_object_get(answer, "attention"), i, line)
        assert_string_not_equal(field(line, "code"), "refused");
    json_decref(answer);
}

static void test_instances_json__in_fault__knows_no_holder(void **state)
{
    (void)state;
    json_t *answer = ask("{\"command\":\"explain\",\"unit\":\"D\"}");

    assert_string_equal(field(json_object_get(answer, "instance"), "holder_kind"), "none");
    assert_string_equal(field(with_code(json_object_get(answer, "facts"), "state"), "text"),
                        "This host has been in Fault for 2.0 s: a link of it is down.");
    with_code(json_object_get(answer, "facts"), "not_heard");
    json_decref(answer);
}

static void test_instances_json__fault__in_words_and_as_an_alarm(void **state)
{
    (void)state;
    json_t *answer = ask("{\"command\":\"status\"}");
    json_t *faults = json_object_get(named(answer, "D"), "faults");
    const json_t *line = json_array_get(json_object_get(answer, "attention"), 0);

    assert_int_equal(json_array_size(faults), 1);
    assert_string_equal(json_string_value(json_array_get(faults, 0)), "interface down0 is down");
    assert_string_equal(field(line, "code"), "fault");
    assert_string_equal(field(line, "text"), "instance D is in Fault: interface down0 is down");
    json_decref(answer);
}

static void test_instances_json__by_name__explain_and_history_but_no_take(void **state)
{
    (void)state;
    json_t *answer = ask("{\"command\":\"explain\",\"unit\":\"A\"}");

    assert_string_equal(field(json_object_get(answer, "instance"), "name"), "A");
    assert_true(json_array_size(json_object_get(answer, "facts")) > 2);
    json_decref(answer);
    answer = ask("{\"command\":\"history\",\"unit\":\"A\"}");
    const json_t *entries = json_object_get(answer, "entries");
    const json_t *last = json_array_get(entries, json_array_size(entries) - 1);

    assert_string_equal(field(last, "text"), "instance A: Backup -> Active: nobody was heard for it");
    assert_string_equal(field(last, "instance"), "A");
    assert_string_equal(field(last, "to_state"), "Active");
    json_decref(answer);
    answer = ask("{\"command\":\"take\",\"unit\":\"A\"}");
    assert_string_equal(field(json_object_get(answer, "error"), "code"), "not_possible");
    json_decref(answer);
}

static void test_instances_json__set_by_name__its_instances_only(void **state)
{
    (void)state;
    json_t *answer = ask("{\"command\":\"list\",\"pool\":\"instances\"}");

    assert_int_equal(json_array_size(json_object_get(answer, "instances")), 4);
    assert_int_equal(json_array_size(json_object_get(answer, "pools")), 0);
    assert_int_equal(json_array_size(json_object_get(named(answer, "B"), "vips")), 2);
    json_decref(answer);
    answer = ask("{\"command\":\"drain\",\"pool\":\"instances\"}");
    assert_string_equal(field(json_object_get(answer, "error"), "code"), "unknown_pool");
    json_decref(answer);
}

static void test_instances_json__refusals__counted_by_reason(void **state)
{
    (void)state;
    file_rig_hear(&rig, 2, "10.0.0.9", 150, false);
    json_t *answer = ask("{\"command\":\"counters\"}");
    const json_t *refused = json_object_get(named(answer, "C"), "refused");

    assert_int_equal(json_integer_value(json_object_get(refused, "auth_failure")), 1);
    json_decref(answer);
}

static const struct snapshot_router *router_of(const struct snapshot *snapshot, const char *name)
{
    const struct snapshot_router *router = snapshot_find_instance(snapshot, name);

    assert_non_null(router);
    return router;
}

static void test_instances_json__snmp__rows_of_both_versions(void **state)
{
    (void)state;
    file_rig_run(&rig, 3 * (int64_t)US_PER_S);
    file_rig_hear(&rig, 2, "10.0.0.9", 50, false);
    json_t *answer = ask("{\"command\":\"snmp\"}");
    struct snapshot *snapshot = snapshot_from_json(answer);

    json_decref(answer);
    assert_non_null(snapshot);
    const struct snapshot_router *a = router_of(snapshot, "A"), *c = router_of(snapshot, "C");

    assert_int_equal(snapshot->router_count, 4);
    assert_int_equal(a->state, SNMP_ROUTER_MASTER);
    assert_int_equal(a->version, 3);
    assert_int_equal(a->advert_interval_cs, 10);
    assert_int_equal(a->active_reason, 3); /* masterNoResponse */
    assert_int_equal(a->mac[5], 1);
    assert_int_equal(c->version, 2);
    assert_int_equal(c->auth_type, 2);
    assert_int_equal(c->auth_failures, 1);
    assert_int_equal(router_of(snapshot, "B")->address_count, 2);
    assert_int_equal(router_of(snapshot, "D")->state, SNMP_ROUTER_INITIALIZE);
    snapshot_free(snapshot);
}

static void test_instances_json__file_at_fault__says_what_stands_in_it(void **state)
{
    static const char tracking[] =
        "vrrp_track_file plain {\n file /etc/evenkeel/plain\n weight 0\n}\n"
        "vrrp_track_file heavy {\n file /etc/evenkeel/heavy\n weight 100\n}\n"
        "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n track_file {\n plain\n heavy\n }\n"
        " virtual_ipaddress {\n 10.0.1.1/24\n }\n}\n";
    static const struct {
        unsigned file;
        int64_t value;
        bool fault;
        const char *text;
    } cases[] = {
        {0, 0, false, "file plain says 0"},
        {0, 1, true, "file plain says 1, and all but 0 is a fault"},
        {1, 2, false, "file heavy says 2"},
        {1, -3, true, "file heavy says -3, which its weight makes a fault"},
    };

    (void)state;
    file_rig_open(&rig, tracking);
    struct track *track = track_new(rig.config, rig.now);
    struct answer a = {.view = &rig.view};

    rig.view.track = track;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tracker_finding finding;

        track_file(track, cases[i].file, cases[i].value, false, "", rig.now);
        assert_true(tracker_text(&a, TRACK_INSTANCE, rig.config->core.pool_count, 0, cases[i].file, &finding));
        assert_string_equal(finding.text, cases[i].text);
        assert_int_equal(finding.fault, cases[i].fault);
    }
    rig.view.track = NULL;
    track_free(track);
    file_rig_close(&rig);
}

static void test_instances_json__trackers__once_each_with_how_their_runs_went(void **state)
{
    static const char tracking[] =
        "vrrp_script web {\n script \"/bin/true x\"\n interval 2\n weight -20\n}\n"
        "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n track_script {\n web\n }\n"
        " track_interface {\n up1\n }\n virtual_ipaddress {\n 10.0.1.1/24\n }\n}\n"
        "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n track_script {\n web\n }\n"
        " virtual_ipaddress {\n 10.0.2.1/24\n }\n}\n";
    struct track_run run;

    (void)state;
    file_rig_open(&rig, tracking);
    struct track *track = track_new(rig.config, rig.now);

    assert_non_null(track);
    rig.view.track = track;
    assert_true(track_next_run(track, rig.now, &run));
    track_script_done(track, run.script, run.run, TRACK_RAN_OVER, "it took too long",
                      mono_add(rig.now, 1500 * US_PER_MS));
    json_t *answer = ask("{\"command\":\"counters\"}");
    const json_t *trackers = json_object_get(answer, "trackers"), *script = json_array_get(trackers, 0);

    assert_schema(answer, "control.schema.json", "counters");
    assert_int_equal(json_array_size(trackers), 2);
    assert_string_equal(field(script, "name"), "web");
    assert_string_equal(field(script, "last_result"), "timeout");
    assert_int_equal(json_integer_value(json_object_get(script, "timeouts")), 1);
    assert_float_equal(json_number_value(json_object_get(script, "last_took_ms")), 1500, 0.01);
    assert_string_equal(field(json_array_get(trackers, 1), "kind"), "interface");
    assert_null(json_object_get(json_array_get(trackers, 1), "runs"));
    json_decref(answer);
    rig.view.track = NULL;
    track_free(track);
    file_rig_close(&rig);
}

static void test_instances_json__group_in_fault__says_whose_fault_it_is(void **state)
{
    static const char grouped[] =
        "vrrp_sync_group H {\n group {\n E\n F\n }\n}\n"
        "vrrp_instance E {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.1.1/24\n }\n}\n"
        "vrrp_instance F {\n interface down0\n virtual_router_id 2\n virtual_ipaddress {\n 10.0.2.1/24\n }\n}\n";

    (void)state;
    file_rig_open(&rig, grouped);
    file_rig_run(&rig, US_PER_S);
    json_t *answer = ask("{\"command\":\"status\"}");
    const json_t *e = json_object_get(named(answer, "E"), "faults"), *f = json_object_get(named(answer, "F"), "faults");

    assert_string_equal(json_string_value(json_array_get(e, 0)), "F of its group H is in Fault");
    assert_string_equal(json_string_value(json_array_get(f, 0)), "interface down0 is down");
    assert_int_equal(json_array_size(f), 1);
    json_decref(answer);
    file_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_instances_json__every_answer__matches_its_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__status__schema_states_and_holders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__refusal__told_with_its_sender_while_it_lasts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__in_fault__knows_no_holder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__fault__in_words_and_as_an_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__by_name__explain_and_history_but_no_take, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__set_by_name__its_instances_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__refusals__counted_by_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instances_json__snmp__rows_of_both_versions, setup, teardown),
        cmocka_unit_test(test_instances_json__group_in_fault__says_whose_fault_it_is),
        cmocka_unit_test(test_instances_json__file_at_fault__says_what_stands_in_it),
        cmocka_unit_test(test_instances_json__trackers__once_each_with_how_their_runs_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
