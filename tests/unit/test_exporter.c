/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/exporter without its sockets: the text formats; the daemon's answers (over a real core) as metrics; answers that
 * are none; what the page gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>

#include "base/check.h"
#include "daemon_rig.h"
#include "exporter/http.h"
#include "exporter/listen.h"
#include "exporter/metrics.h"
#include "exporter/page.h"

#define UNITS 6
#define MEMBERS 3
#define DOC_MAX 65536

static struct rig rig;

static json_t *ask(const char *request)
{
    enum request_outcome outcome;
    json_t *object = rig_ask(&rig, request, false, &outcome);

    assert_in_range(outcome, REQUEST_DONE, REQUEST_LASTING);
    return object;
}

/* One family in a format, to be freed. */
static char *family(enum openmetrics_format format, const struct metric *metric, const struct metric_labels *labels,
                    int64_t value)
{
    struct openmetrics text;
    size_t length;

    assert_true(openmetrics_open(&text, format));
    openmetrics_begin(&text, metric);
    openmetrics_int(&text, labels, value);
    return openmetrics_close(&text, &length);
}

static char *metrics(const json_t *status, const json_t *counters, enum openmetrics_format format)
{
    struct metrics_input input = {.status = status, .counters = counters, .version = "1.2.3"};
    size_t length;
    char *text = metrics_text(&input, format, &length);

    assert_non_null(text);
    assert_int_equal(strlen(text), length);
    return text;
}

static char *live_metrics(void)
{
    json_t *status = ask("{\"command\":\"status\"}"), *counters = ask("{\"command\":\"counters\"}");
    char *text = metrics(status, counters, FORMAT_OPENMETRICS);

    json_decref(status);
    json_decref(counters);
    return text;
}

static void assert_line(const char *text, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(text, wanted) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void test_counter__both_formats__described_as_each_wants(void **state)
{
    const struct metric metric = {"ek_sleep_seconds", METRIC_COUNTER, "seconds", "Slept \\ \"well\"\nor not."};
    const struct metric_labels none = {.count = 0};
    char *text = family(FORMAT_OPENMETRICS, &metric, &none, 7);

    (void)state;
    assert_string_equal(text,
                        "# TYPE ek_sleep_seconds counter\n# UNIT ek_sleep_seconds seconds\n"
                        "# HELP ek_sleep_seconds Slept \\\\ \\\"well\\\"\\nor not.\nek_sleep_seconds_total 7\n# EOF\n");
    free(text);
    text = family(FORMAT_PROMETHEUS, &metric, &none, 7);
    assert_string_equal(text,
                        "# TYPE ek_sleep_seconds_total counter\n"
                        "# HELP ek_sleep_seconds_total Slept \\\\ \"well\"\\nor not.\nek_sleep_seconds_total 7\n");
    free(text);
}

static void test_label__hostile_value__escaped_and_empty_left_out(void **state)
{
    const struct metric metric = {"ek_x", METRIC_GAUGE, NULL, "X."};
    const struct metric_labels labels = {.list = {{"a", NULL}, {"b", "\"}\\\n# EOF"}, {"c", "\xc3\xa9<b>"}},
                                         .count = 3};
    char *text = family(FORMAT_OPENMETRICS, &metric, &labels, -1);

    (void)state;
    assert_line(text, "ek_x{b=\"\\\"}\\\\\\n# EOF\",c=\"\xc3\xa9<b>\"} -1");
    free(text);
}

static void test_histogram__counts__added_up_with_bounds_as_floats(void **state)
{
    const struct metric metric = {"ek_gap_seconds", METRIC_HISTOGRAM, "seconds", "Gaps."};
    const struct metric_labels labels = {.list = {{"pool", "web"}}, .count = 1};
    const double bounds[] = {0.001, 1, 10};
    const uint64_t counts[] = {1, 0, 2, 4};
    struct openmetrics text;
    size_t length;

    (void)state;
    assert_true(openmetrics_open(&text, FORMAT_OPENMETRICS));
    openmetrics_begin(&text, &metric);
    openmetrics_histogram(&text, &labels, bounds, counts, 3, 61.5);
    char *out = openmetrics_close(&text, &length);

    assert_line(out, "ek_gap_seconds_bucket{pool=\"web\",le=\"0.001\"} 1\n"
                     "ek_gap_seconds_bucket{pool=\"web\",le=\"1.0\"} 1\n"
                     "ek_gap_seconds_bucket{pool=\"web\",le=\"10.0\"} 3\n"
                     "ek_gap_seconds_bucket{pool=\"web\",le=\"+Inf\"} 7\n"
                     "ek_gap_seconds_count{pool=\"web\"} 7\nek_gap_seconds_sum{pool=\"web\"} 61.5");
    free(out);
}

static void test_metrics__live_core__say_what_the_daemon_says(void **state)
{
    char *text = live_metrics();

    (void)state;
    assert_line(text, "evenkeel_configuration_info{hash=\"0123456789abcdef\"} 1");
    assert_line(text, "evenkeel_units{pool=\"web\",holder=\"self\"} 2");
    assert_line(text, "evenkeel_units{pool=\"web\",holder=\"member\"} 4");
    assert_line(text, "evenkeel_routers{pool=\"web\",state=\"Active\"} 2");
    assert_line(text, "evenkeel_member_load{pool=\"web\",member=\"alpha\",address=\"10.20.0.241\"} 2");
    assert_line(text, "evenkeel_member_fair_share{pool=\"web\",member=\"beta\",address=\"10.20.0.242\"} 2");
    assert_line(text, "evenkeel_member_state{pool=\"web\",member=\"10.20.0.243\",address=\"10.20.0.243\","
                      "evenkeel_member_state=\"active\"} 1");
    assert_line(text, "evenkeel_filter{pool=\"web\",evenkeel_filter=\"lease\"} 1");
    assert_line(text, "evenkeel_unit_answering{pool=\"web\",vrid=\"1\",address=\"10.20.0.1\"} 1");
    assert_line(text, "evenkeel_unit_answering{pool=\"web\",vrid=\"2\",address=\"10.20.0.2\"} 0");
    assert_line(text, "evenkeel_unit_became_active_total{pool=\"web\",vrid=\"1\",address=\"10.20.0.1\"} 1");
    assert_line(text, "evenkeel_attention{pool=\"web\",code=\"unowned\",severity=\"alarm\"} 0");
    assert_line(text, "evenkeel_frames_in_total 7");
    assert_non_null(strstr(text, "evenkeel_owner_gap_seconds_count{pool=\"web\"} "));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    free(text);
}

static void test_metrics__member_dies__its_units_change_owner_by_that_cause(void **state)
{
    (void)state;
    rig.alive[2] = false;
    rig_run(&rig, 5 * (int64_t)US_PER_S);
    char *text = live_metrics();

    assert_line(text, "evenkeel_attention{pool=\"web\",code=\"member_dead\",severity=\"warning\"} 1");
    assert_line(text, "evenkeel_member_fair_share{pool=\"web\",member=\"10.20.0.243\",address=\"10.20.0.243\"} 0");
    assert_null(strstr(text, "cause=\"member_dead\"} 0\n"));
    free(text);
    rig.alive[2] = true;
    rig_run(&rig, 30 * (int64_t)US_PER_S);
}

static void test_metrics__foreign_answer__a_condition_for_a_minute_and_counted_for_ever(void **state)
{
    (void)state;
    rig.conflicts[0] = (struct daemon_conflict){.last = rig.now, .count = 3, .mac = {2, 0, 0, 0, 0, 9}};
    char *text = live_metrics();

    assert_line(text, "evenkeel_units_in_condition{pool=\"web\",condition=\"conflict\"} 1");
    free(text);
    rig_run(&rig, 60 * (int64_t)US_PER_S);
    text = live_metrics();
    assert_line(text, "evenkeel_units_in_condition{pool=\"web\",condition=\"conflict\"} 0");
    assert_line(text, "evenkeel_conflicts_total{pool=\"web\"} 3");
    free(text);
    rig.conflicts[0] = (struct daemon_conflict){.last = MONO_NEVER};
}

/* Every line is a comment or NAME{LABELS} NUMBER. */
static void assert_well_formed(const char *text)
{
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');

        assert_non_null(end);
        if (line[0] == '#')
            continue;
        assert_int_equal(strncmp(line, "evenkeel_", 9), 0);
        assert_true(end[-1] >= '0' && end[-1] <= '9');
    }
}

static void test_metrics__answers_of_wrong_types__fewer_metrics_and_no_crash(void **state)
{
    static const char *const answers[] = {
        "{}",
        "{\"pools\":[],\"daemon\":{}}",
        "{\"pools\":{\"a\":1},\"daemon\":[1]}",
        "{\"pools\":[null,1,\"x\",[],{}],\"links\":[null,{}],\"attention\":[null,{}],\"daemon\":{\"frames_in\":\"7\"}}",
        "{\"pools\":[{\"name\":\"w\",\"members\":7,\"units\":{\"vrid\":1},\"counters\":[],\"owner_changes\":3,"
        "\"owner_gaps\":{\"bounds_ms\":[1,2],\"counts\":[1]}}]}",
        "{\"pools\":[{\"name\":\"w\",\"members\":[null,{\"address\":5,\"share\":\"x\",\"load\":-1}],"
        "\"units\":[3,{\"vrid\":\"z\",\"became_active\":1e99,\"state\":5,\"conflict\":\"y\"}],"
        "\"owner_gaps\":{\"bounds_ms\":[\"a\"],\"counts\":[null,{}]}}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(answers); j++) {
            json_t *status = json_loads(answers[i], 0, NULL), *counters = json_loads(answers[j], 0, NULL);
            char *text = metrics(status, counters, FORMAT_OPENMETRICS);

            assert_well_formed(text);
            free(text);
            json_decref(status);
            json_decref(counters);
        }
    }
}

static void test_metrics__unknown_attention__shown_once_with_its_count(void **state)
{
    json_t *status = json_loads("{\"pools\":[{\"name\":\"w\"}],\"attention\":["
                                "{\"pool\":\"w\",\"code\":\"new\",\"severity\":\"alarm\"},"
                                "{\"pool\":\"w\",\"code\":\"new\",\"severity\":\"alarm\"},"
                                "{\"pool\":\"w\",\"code\":\"filter\",\"severity\":\"warning\"}]}",
                                0, NULL);
    json_t *counters = json_object();
    char *text = metrics(status, counters, FORMAT_OPENMETRICS);
    const char *line = "evenkeel_attention{pool=\"w\",code=\"new\",severity=\"alarm\"} 2";

    (void)state;
    assert_line(text, line);
    assert_null(strstr(strstr(text, line) + strlen(line), "code=\"new\""));
    assert_line(text, "evenkeel_attention{pool=\"w\",code=\"filter\",severity=\"warning\"} 1");
    free(text);
    json_decref(status);
    json_decref(counters);
}

static void test_metrics__daemon_away__up_is_0_and_nothing_old_is_told(void **state)
{
    char *text = metrics(NULL, NULL, FORMAT_OPENMETRICS);

    (void)state;
    assert_line(text, "evenkeel_up 0");
    assert_line(text, "evenkeel_exporter_info{version=\"1.2.3\"} 1");
    assert_null(strstr(text, "evenkeel_unit"));
    assert_null(strstr(text, "evenkeel_member"));
    free(text);
}

/* Prometheus' naming rules, and OpenMetrics': the unit ends the name, nothing else ends in _total or _info. */
static void test_catalogue__every_row__named_and_explained(void **state)
{
    (void)state;
    for (unsigned i = 0; i < metrics_row_count; i++) {
        const struct metric *metric = &metrics_rows[i].metric;
        size_t length = strlen(metric->name);

        assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), length);
        assert_null(strstr(metric->name, "_total"));
        assert_null(strstr(metric->name, "_info"));
        assert_true(metric->unit == NULL || strcmp(metric->name + length - strlen(metric->unit), metric->unit) == 0);
        assert_int_equal(metric->help[strlen(metric->help) - 1], '.');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(metric->name, metrics_rows[j].metric.name);
    }
}

static void read_doc(char text[static DOC_MAX])
{
    FILE *file = fopen(EVENKEEL_SOURCE "/doc/metrics.md", "r");

    assert_non_null(file);
    text[fread(text, 1, DOC_MAX - 1, file)] = '\0';
    fclose(file);
}

static void test_catalogue__doc_metrics_md__has_every_metric_and_no_other(void **state)
{
    static char text[DOC_MAX];
    unsigned described = 0;

    (void)state;
    read_doc(text);
    for (unsigned i = 0; i < metrics_row_count; i++) {
        char cell[128];

        snprintf(cell, sizeof(cell), "\n| `%s` |", metrics_rows[i].metric.name);
        if (strstr(text, cell) == NULL)
            fail_msg("doc/metrics.md has no row for %s", metrics_rows[i].metric.name);
    }
    for (const char *row = text; (row = strstr(row, "\n| `evenkeel_")) != NULL; row++)
        described++;
    assert_int_equal(described, metrics_row_count);
}

static void test_page__nonce__marks_script_and_style_and_nothing_is_left(void **state)
{
    size_t length;
    char *text = page_html("abc123", &length);

    (void)state;
    assert_int_equal(strlen(text), length);
    assert_non_null(strstr(text, "<style nonce=\"abc123\">"));
    assert_non_null(strstr(text, "<script nonce=\"abc123\">"));
    assert_null(strstr(text, "@NONCE@"));
    assert_null(strstr(text, "@STYLE@"));
    assert_null(strstr(text, "@SCRIPT@"));
    assert_non_null(strstr(text, "'use strict'"));
    assert_null(strstr(text, "innerHTML"));
    assert_null(strstr(text, "http://"));
    assert_null(strstr(text, "https://"));
    free(text);
}

static void test_page_json__with_and_without_daemon__says_which(void **state)
{
    json_t *status = json_pack("{s:s}", "time", "t"), *events = json_pack("{s:[i]}", "entries", 4);
    size_t length;
    char *text = page_json("1.2.3", status, events, NULL, &length);

    (void)state;
    assert_string_equal(
        text, "{\"up\":true,\"error\":null,\"exporter\":\"1.2.3\",\"status\":{\"time\":\"t\"},\"events\":[4]}");
    assert_int_equal(strlen(text), length);
    free(text);
    text = page_json("1.2.3", NULL, NULL, "gone", &length);
    assert_string_equal(text,
                        "{\"up\":false,\"error\":\"gone\",\"exporter\":\"1.2.3\",\"status\":null,\"events\":null}");
    free(text);
    json_decref(status);
    json_decref(events);
}

static void test_host_header__names__only_addresses_and_localhost_pass(void **state)
{
    static const char *const good[] = {"localhost", "LOCALHOST:9568", "127.0.0.1:9568", "[::1]:9568", "192.0.2.1"};
    static const char *const bad[] = {
        "",    "evil.example", "localhost.evil.example:9568", "127.0.0.1.evil.example", "[::1", "[evil.example]:9568",
        "::1", "127.0.0.1x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(http_host_is_literal(good[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(http_host_is_literal(bad[i]));
}

static void test_listen__no_address__refused_with_the_form_that_is_wanted(void **state)
{
    static const char *const bad[] = {"",
                                      "9568",
                                      ":9568",
                                      "localhost:9568",
                                      "127.0.0.1:",
                                      "127.0.0.1:http",
                                      "::1:9568",
                                      "127.0.0.1:99999",
                                      "[127.0.0.1:9568"};
    struct listen_socket socket;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(listen_tcp(bad[i], &socket), -EINVAL);
        assert_non_null(strstr(socket.text, "ADDRESS:PORT"));
    }
}

static int start(void **state)
{
    (void)state;
    rig_open(&rig, UNITS, MEMBERS);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_counter__both_formats__described_as_each_wants),
        TEST(test_label__hostile_value__escaped_and_empty_left_out),
        TEST(test_histogram__counts__added_up_with_bounds_as_floats),
        TEST(test_metrics__live_core__say_what_the_daemon_says),
        TEST(test_metrics__member_dies__its_units_change_owner_by_that_cause),
        TEST(test_metrics__foreign_answer__a_condition_for_a_minute_and_counted_for_ever),
        TEST(test_metrics__answers_of_wrong_types__fewer_metrics_and_no_crash),
        TEST(test_metrics__unknown_attention__shown_once_with_its_count),
        TEST(test_metrics__daemon_away__up_is_0_and_nothing_old_is_told),
        TEST(test_catalogue__every_row__named_and_explained),
        TEST(test_catalogue__doc_metrics_md__has_every_metric_and_no_other),
        TEST(test_page__nonce__marks_script_and_style_and_nothing_is_left),
        TEST(test_page_json__with_and_without_daemon__says_which),
        TEST(test_host_header__names__only_addresses_and_localhost_pass),
        TEST(test_listen__no_address__refused_with_the_form_that_is_wanted),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
