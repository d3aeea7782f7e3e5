/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/snmp/notice.c: which notification an event or a counter becomes, and what it carries. */
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
#include "snmp/format.h"
#include "snmp/notice.h"

#define OWN ".1.3.6.1.4.1.8072.9999.9999.112.0."

static struct snmp_notice notices[SNMP_PROTO_NOTICES_MAX];

static json_t *ask(const char *request)
{
    return rig_ask(&the_rig, request, false, NULL);
}

static struct snapshot *take(void)
{
    json_t *answer = ask("{\"command\":\"snmp\"}");
    struct snapshot *snapshot = snapshot_from_json(answer);

    assert_non_null(snapshot);
    json_decref(answer);
    return snapshot;
}

static const char *trap_of(const struct snmp_notice *notice)
{
    static char text[SNMP_LINE_MAX];

    return snmp_format_oid(notice->trap.arcs, notice->trap.length, text);
}

/* Number `i` of what the notice carries: "OID = value". */
static const char *bind_of(const struct snmp_notice *notice, unsigned i)
{
    static const struct snmp_column bare = {.labels = NULL};
    static char text[2 * SNMP_LINE_MAX];
    char oid[SNMP_LINE_MAX], value[SNMP_LINE_MAX];

    assert_true(i < notice->bind_count);
    snprintf(text, sizeof(text), "%s = %s",
             snmp_format_oid(notice->binds[i].oid.arcs, notice->binds[i].oid.length, oid),
             snmp_format_value(&bare, &notice->binds[i].value, false, value));
    return text;
}

static bool make(const char *event)
{
    json_t *entry = json_loads(event, 0, NULL);
    struct snapshot *snapshot = take();

    assert_non_null(entry);
    bool made = snmp_notice_from_event(entry, snapshot, &notices[0]);

    snapshot_free(snapshot);
    json_decref(entry);
    return made;
}

static void test_event__became_active__vrrpv3_new_master(void **state)
{
    (void)state;
    assert_true(make("{\"kind\":\"unit_state\",\"pool\":\"web\",\"vrid\":2,\"to_state\":\"Active\"}"));
    assert_string_equal(trap_of(&notices[0]), ".1.3.6.1.2.1.207.0.1");
    assert_int_equal(notices[0].bind_count, 2);
    /* The unit is held by another host in the snapshot, but the event says that this one has become Active. */
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.207.1.1.1.1.3.2.2.1 = Hex-STRING: 0A 14 00 F1 ");
    assert_string_equal(bind_of(&notices[0], 1), ".1.3.6.1.2.1.207.1.2.5.1.2.2.2.1 = INTEGER: 0");
}

static void test_event__became_active_in_version_2__vrrp_trap_new_master(void **state)
{
    (void)state;
    the_rig.pool.version = 2;
    assert_true(make("{\"kind\":\"unit_state\",\"pool\":\"web\",\"vrid\":1,\"to_state\":\"Active\"}"));
    the_rig.pool.version = 3;
    assert_string_equal(trap_of(&notices[0]), ".1.3.6.1.2.1.68.0.1");
    assert_int_equal(notices[0].bind_count, 1);
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.68.1.3.1.7.2.1 = IpAddress: 10.20.0.241");
}

static void test_event__became_backup__none(void **state)
{
    (void)state;
    assert_false(make("{\"kind\":\"unit_state\",\"pool\":\"web\",\"vrid\":1,\"to_state\":\"Backup\"}"));
}

static void test_event__owner_changed__what_the_event_says(void **state)
{
    (void)state;
    assert_true(make("{\"kind\":\"unit_owner\",\"pool\":\"web\",\"vrid\":3,\"from\":\"10.20.0.243\",\"to\":null,"
                     "\"reason\":\"member_dead\",\"gap_ms\":12.7,\"text\":\"a sentence\"}"));
    assert_string_equal(trap_of(&notices[0]), OWN "1");
    assert_int_equal(notices[0].bind_count, 6);
    assert_string_equal(bind_of(&notices[0], 1),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.5.1.19.3.119.101.98.3 = Hex-STRING: 0A 14 00 F3 ");
    assert_string_equal(bind_of(&notices[0], 2), ".1.3.6.1.4.1.8072.9999.9999.112.1.5.1.20.3.119.101.98.3 = \"\"");
    assert_string_equal(bind_of(&notices[0], 3),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.5.1.21.3.119.101.98.3 = INTEGER: 4");
    assert_string_equal(bind_of(&notices[0], 4),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.5.1.22.3.119.101.98.3 = INTEGER: 12");
    assert_string_equal(bind_of(&notices[0], 5), ".1.3.6.1.4.1.8072.9999.9999.112.1.9.1.0 = STRING: \"a sentence\"");
}

static void test_event__member_dead__its_state(void **state)
{
    (void)state;
    assert_true(make("{\"kind\":\"member_dead\",\"pool\":\"web\",\"from\":\"10.20.0.242\",\"text\":\"\"}"));
    assert_string_equal(trap_of(&notices[0]), OWN "2");
    assert_string_equal(bind_of(&notices[0], 0),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.4.1.3.3.119.101.98.1.4.10.20.0.242 = STRING: \"beta\"");
    assert_string_equal(bind_of(&notices[0], 1),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.4.1.6.3.119.101.98.1.4.10.20.0.242 = INTEGER: 3");
}

static void test_event__isolated__which_way(void **state)
{
    (void)state;
    assert_true(make("{\"kind\":\"isolated\",\"pool\":\"web\",\"value\":1,\"text\":\"\"}"));
    assert_string_equal(trap_of(&notices[0]), OWN "4");
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.4.1.8072.9999.9999.112.1.2.1.8.3.119.101.98 = INTEGER: 4");
    assert_true(make("{\"kind\":\"rejoined\",\"pool\":\"web\",\"value\":0,\"text\":\"\"}"));
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.4.1.8072.9999.9999.112.1.2.1.8.3.119.101.98 = INTEGER: 1");
}

static void test_event__about_what_is_not_there__none(void **state)
{
    (void)state;
    assert_false(make("{\"kind\":\"unit_owner\",\"pool\":\"web\",\"vrid\":99}"));
    assert_false(make("{\"kind\":\"unit_owner\",\"pool\":\"other\",\"vrid\":1}"));
    assert_false(make("{\"kind\":\"member_dead\",\"pool\":\"web\",\"from\":null}"));
    assert_false(make("{\"kind\":\"nothing_known\",\"pool\":\"web\"}"));
    assert_false(make("{}"));
}

static void test_event__long_text__cut_between_characters(void **state)
{
    char event[1024] = "{\"kind\":\"stalled\",\"pool\":\"web\",\"text\":\"";

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        strcat(event, "\xc3\xa4");
    strcat(event, "\"}");
    assert_true(make(event));
    assert_int_equal(notices[0].binds[1].value.length, 254);
}

static void hear_bad_packet(uint8_t ttl)
{
    uint8_t packet[40] = {0x45, 0, 0, 40, 0, 0, 0, 0, ttl, 112, 0, 0, 10, 20, 0, 9, 224, 0, 0, 18, 0x31, 1, 100, 1};
    struct event event = {.kind = EVENT_PACKET, .packet = packet, .packet_length = sizeof(packet)};
    struct effects effects = {.list = NULL};

    event.now = event.received = the_rig.now;
    core_step((struct core *)the_rig.view.core, &event, &effects);
}

static void test_errors__bad_ttl__proto_error_once(void **state)
{
    struct snapshot *before = take();

    (void)state;
    hear_bad_packet(254);
    struct snapshot *after = take();

    assert_int_equal(snmp_notices_from_errors(before, after, notices), 1);
    assert_string_equal(trap_of(&notices[0]), ".1.3.6.1.2.1.207.0.2");
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.207.1.2.5.1.6.2.241.1 = INTEGER: 1");
    assert_int_equal(snmp_notices_from_errors(after, after, notices), 0);
    snapshot_free(before);
    snapshot_free(after);
}

static void test_errors__bad_checksum__its_reason(void **state)
{
    struct snapshot *before = take();

    (void)state;
    hear_bad_packet(255);
    struct snapshot *after = take();

    assert_int_equal(snmp_notices_from_errors(before, after, notices), 1);
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.207.1.2.5.1.6.2.241.1 = INTEGER: 3");
    snapshot_free(before);
    snapshot_free(after);
}

static void test_errors__daemon_started_anew__none(void **state)
{
    struct snapshot *before = take();

    (void)state;
    hear_bad_packet(254);
    struct snapshot *after = take();

    before->global.uptime_cs = after->global.uptime_cs + 1;
    assert_int_equal(snmp_notices_from_errors(before, after, notices), 0);
    snapshot_free(before);
    snapshot_free(after);
}

static void test_event__instance_in_fault_stalled_contested__its_name_and_the_sentence(void **state)
{
    static const char *const events[] = {
        "{\"kind\":\"instance_state\",\"pool\":null,\"instance\":\"V1\",\"from_state\":\"Active\","
        "\"to_state\":\"Fault\",\"text\":\"a sentence\"}",
        "{\"kind\":\"instance_state\",\"instance\":\"V1\",\"from_state\":\"Fault\",\"to_state\":\"Backup\","
        "\"text\":\"a sentence\"}",
        "{\"kind\":\"stalled\",\"instance\":\"V1\",\"text\":\"a sentence\"}",
        "{\"kind\":\"weaker\",\"instance\":\"V1\",\"text\":\"a sentence\"}",
        "{\"kind\":\"conflict\",\"instance\":\"V1\",\"text\":\"a sentence\"}",
        "{\"kind\":\"kernel_failed\",\"instance\":\"V1\",\"text\":\"a sentence\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        assert_true(make(events[i]));
        assert_string_equal(trap_of(&notices[0]), OWN "8");
        assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.4.1.8072.9999.9999.112.1.9.2.0 = STRING: \"V1\"");
        assert_string_equal(bind_of(&notices[0], 1),
                            ".1.3.6.1.4.1.8072.9999.9999.112.1.9.1.0 = STRING: \"a sentence\"");
    }
    assert_false(make("{\"kind\":\"conflict\",\"pool\":\"web\",\"vrid\":1}"));
    assert_false(make("{\"kind\":\"instance_state\",\"instance\":\"V1\",\"from_state\":\"Active\","
                      "\"to_state\":\"Backup\"}"));
}

/* A snapshot of one instance, by hand. */
static struct snapshot *instance_snapshot(const char *version, const char *refused)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "{\"daemon\":{\"uptime_cs\":100},\"links\":[{\"interface\":\"e\",\"ifindex\":2,\"up\":true}],"
             "\"pools\":[],\"instances\":[{\"name\":\"V\",\"vrid\":7,\"interface\":\"e\",\"family\":\"ipv4\","
             "\"version\":%s,\"state\":\"Backup\",\"refused_from\":\"10.0.0.9\",\"counters\":{\"refused\":{%s}}}]}",
             version, refused);
    json_t *answer = json_loads(text, 0, NULL);
    struct snapshot *snapshot = snapshot_from_json(answer);

    assert_non_null(snapshot);
    json_decref(answer);
    return snapshot;
}

static unsigned errors_of(const char *version, const char *refused)
{
    struct snapshot *before = instance_snapshot(version, ""), *after = instance_snapshot(version, refused);
    unsigned count = snmp_notices_from_errors(before, after, notices);

    snapshot_free(before);
    snapshot_free(after);
    return count;
}

static void test_errors__instances__protocol_errors_of_version_3_and_authentication_of_2(void **state)
{
    (void)state;
    assert_int_equal(errors_of("3", "\"checksum\":2"), 1);
    assert_string_equal(trap_of(&notices[0]), ".1.3.6.1.2.1.207.0.2");
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.207.1.2.5.1.6.2.7.1 = INTEGER: 3");
    assert_int_equal(errors_of("3", "\"version\":1"), 1);
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.207.1.2.5.1.6.2.7.1 = INTEGER: 2");
    assert_int_equal(errors_of("2", "\"auth_failure\":1"), 1);
    assert_string_equal(trap_of(&notices[0]), ".1.3.6.1.2.1.68.0.2");
    assert_string_equal(bind_of(&notices[0], 0), ".1.3.6.1.2.1.68.1.5.0 = IpAddress: 10.0.0.9");
    assert_string_equal(bind_of(&notices[0], 1), ".1.3.6.1.2.1.68.1.6.0 = INTEGER: 3");
    assert_int_equal(errors_of("2", "\"auth_mismatch\":1"), 1);
    assert_string_equal(bind_of(&notices[0], 1), ".1.3.6.1.2.1.68.1.6.0 = INTEGER: 2");
    assert_int_equal(errors_of("2", "\"auth_invalid\":1"), 1);
    assert_string_equal(bind_of(&notices[0], 1), ".1.3.6.1.2.1.68.1.6.0 = INTEGER: 1");
    assert_int_equal(errors_of("2", "\"looped\":9"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, the_rig_setup, the_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_event__became_active__vrrpv3_new_master),
        TEST(test_event__became_active_in_version_2__vrrp_trap_new_master),
        TEST(test_event__became_backup__none),
        TEST(test_event__owner_changed__what_the_event_says),
        TEST(test_event__member_dead__its_state),
        TEST(test_event__isolated__which_way),
        TEST(test_event__about_what_is_not_there__none),
        TEST(test_event__long_text__cut_between_characters),
        TEST(test_event__instance_in_fault_stalled_contested__its_name_and_the_sentence),
        cmocka_unit_test(test_errors__instances__protocol_errors_of_version_3_and_authentication_of_2),
        TEST(test_errors__bad_ttl__proto_error_once),
        TEST(test_errors__bad_checksum__its_reason),
        TEST(test_errors__daemon_started_anew__none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
