/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of instances, groups and what is tracked: over a real core that runs a file, and over answers made by hand.
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

#include "exporter/metrics.h"
#include "file_rig.h"

static struct file_rig rig;
static char *text;

static char *metrics(const json_t *status, const json_t *counters)
{
    const struct metrics_input input = {.status = status, .counters = counters, .version = "1.2.3"};
    size_t length;

    return metrics_text(&input, FORMAT_OPENMETRICS, &length);
}

static json_t *ask(const char *request)
{
    return file_rig_ask(&rig, request);
}

static int setup(void **state)
{
    (void)state;
    file_rig_open(&rig, file_rig_sample);
    file_rig_run(&rig, 2 * (int64_t)US_PER_S);
    file_rig_hear(&rig, 2, "10.0.0.9", 150, true);
    file_rig_hear(&rig, 2, "10.0.0.9", 150, false);
    json_t *status = ask("{\"command\":\"status\"}"), *counters = ask("{\"command\":\"counters\"}");

    text = metrics(status, counters);
    assert_non_null(text);
    json_decref(status);
    json_decref(counters);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    file_rig_close(&rig);
    return 0;
}

static void assert_line_of(const char *all, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(all, wanted) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, all);
}

static void assert_line(const char *line)
{
    assert_line_of(text, line);
}

static void test_instances__live_core__say_what_the_daemon_says(void **state)
{
    (void)state;
    assert_line("evenkeel_instance_info{vrrp_instance=\"A\",interface=\"eth0\",vrid=\"1\",family=\"ipv4\","
                "vrrp_version=\"3\",transport=\"multicast\",sync_group=\"G\",address=\"10.0.0.1\"} 1");
    assert_line("evenkeel_instance_state{vrrp_instance=\"A\",evenkeel_instance_state=\"Active\"} 1");
    assert_line("evenkeel_instance_state{vrrp_instance=\"A\",evenkeel_instance_state=\"Fault\"} 0");
    assert_line("evenkeel_instance_state{vrrp_instance=\"D\",evenkeel_instance_state=\"Fault\"} 1");
    assert_line("evenkeel_instance_answering{vrrp_instance=\"A\",vrid=\"1\",address=\"10.0.1.1\"} 1");
    assert_line("evenkeel_instance_answering{vrrp_instance=\"C\",vrid=\"3\",address=\"10.0.3.1\"} 0");
    assert_line("evenkeel_instance_priority{vrrp_instance=\"A\"} 200");
    assert_line("evenkeel_instance_base_priority{vrrp_instance=\"C\"} 100");
    assert_line("evenkeel_instance_holder_info{vrrp_instance=\"C\",holder=\"other\",address=\"10.0.0.9\"} 1");
    assert_line("evenkeel_instance_holder_info{vrrp_instance=\"D\",holder=\"none\"} 1");
    assert_line("evenkeel_instance_holder_priority{vrrp_instance=\"C\"} 150");
    assert_line("evenkeel_group_state{sync_group=\"G\",evenkeel_group_state=\"Active\"} 1");
}

static void test_instances__faults_and_attention__by_kind(void **state)
{
    (void)state;
    assert_line("evenkeel_instance_fault{vrrp_instance=\"D\",kind=\"link\"} 1");
    assert_line("evenkeel_instance_fault{vrrp_instance=\"D\",kind=\"kernel\"} 0");
    assert_line("evenkeel_instance_fault{vrrp_instance=\"A\",kind=\"link\"} 0");
    assert_line("evenkeel_attention{code=\"fault\",severity=\"alarm\"} 1");
    assert_line("evenkeel_attention{code=\"conflict\",severity=\"alarm\"} 0");
}

static void test_instances__counters__refusals_by_reason(void **state)
{
    (void)state;
    assert_line("evenkeel_instance_became_active_total{vrrp_instance=\"A\"} 1");
    assert_line("evenkeel_instance_adverts_received_total{vrrp_instance=\"C\"} 1");
    assert_line("evenkeel_instance_refused_total{vrrp_instance=\"C\",reason=\"auth_failure\"} 1");
    assert_line("evenkeel_instance_refused_total{vrrp_instance=\"C\",reason=\"ttl\"} 0");
    assert_line("evenkeel_instance_adverts_differing_total{vrrp_instance=\"C\",what=\"interval\"} 0");
    assert_line("evenkeel_instance_conflicts_total{vrrp_instance=\"A\"} 0");
}

static void test_trackers__scripts_files_interfaces__each_has_what_it_can_have(void **state)
{
    json_t *status = json_object();
    json_t *counters = json_loads("{\"trackers\":["
                                  "{\"kind\":\"script\",\"name\":\"web\",\"state\":\"failed\",\"value\":0,\"runs\":7,"
                                  "\"failures\":2,\"timeouts\":1,\"not_run\":0,\"skipped\":3,"
                                  "\"last_result\":\"timeout\",\"last_took_ms\":1500.5},"
                                  "{\"kind\":\"file\",\"name\":\"n\",\"state\":\"good\",\"value\":-4},"
                                  "{\"kind\":\"interface\",\"name\":\"eth1\",\"state\":\"waiting\",\"value\":0},"
                                  "{\"kind\":7},null]}",
                                  0, NULL);
    char *all = metrics(status, counters);

    (void)state;
    assert_line_of(all, "evenkeel_tracker_state{kind=\"script\",tracker=\"web\",evenkeel_tracker_state=\"failed\"} 1");
    assert_line_of(all,
                   "evenkeel_tracker_state{kind=\"interface\",tracker=\"eth1\",evenkeel_tracker_state=\"waiting\"} 1");
    assert_line_of(all,
                   "evenkeel_tracker_result{kind=\"script\",tracker=\"web\",evenkeel_tracker_result=\"timeout\"} 1");
    assert_line_of(all, "evenkeel_tracker_duration_seconds{kind=\"script\",tracker=\"web\"} 1.5005");
    assert_line_of(all, "evenkeel_tracker_value{kind=\"file\",tracker=\"n\"} -4");
    assert_line_of(all, "evenkeel_tracker_runs_total{kind=\"script\",tracker=\"web\"} 7");
    assert_null(strstr(all, "evenkeel_tracker_value{kind=\"script\""));
    assert_null(strstr(all, "evenkeel_tracker_runs_total{kind=\"file\""));
    assert_null(strstr(all, "evenkeel_tracker_result{kind=\"interface\""));
    free(all);
    json_decref(status);
    json_decref(counters);
}

static void test_instances__answers_of_wrong_types__no_crash(void **state)
{
    static const char *const answers[] = {
        "{\"instances\":7,\"groups\":[1],\"trackers\":{}}",
        "{\"instances\":[null,{},{\"name\":3},{\"name\":\"x\",\"vrid\":\"1\",\"version\":[],\"addresses\":{},"
        "\"fault_kinds\":[1,\"link\"],\"refused\":[2],\"conflict\":5,\"level_done\":9}],\"groups\":[{\"name\":\"g\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        json_t *answer = json_loads(answers[i], 0, NULL);
        char *all = metrics(answer, answer);

        assert_non_null(all);
        free(all);
        json_decref(answer);
    }
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_instances__live_core__say_what_the_daemon_says),
        TEST(test_instances__faults_and_attention__by_kind),
        TEST(test_instances__counters__refusals_by_reason),
        TEST(test_trackers__scripts_files_interfaces__each_has_what_it_can_have),
        TEST(test_instances__answers_of_wrong_types__no_crash),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
