/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/snmp: from the daemon's answer (over a real core) to objects in order, their OIDs, values and texts as net-snmp
 * writes them.
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

#include "base/check.h"
#include "daemon_rig.h"
#include "snmp/format.h"

#define UNITS 6
#define MEMBERS 3

static struct rig rig;
static json_t *answer;
static struct snapshot *snapshot;
static struct snmp_model *model;

static json_t *ask(void)
{
    enum request_outcome outcome;
    json_t *object = rig_ask(&rig, "{\"command\":\"snmp\"}", false, &outcome);

    assert_int_equal(outcome, REQUEST_DONE);
    return object;
}

static void take(int64_t start_cs)
{
    answer = ask();
    snapshot = snapshot_from_json(answer);
    assert_non_null(snapshot);
    model = snmp_model_new(snapshot, start_cs);
    assert_non_null(model);
}

static void give_back(void)
{
    snmp_model_free(model);
    snapshot_free(snapshot);
    json_decref(answer);
    model = NULL;
    snapshot = NULL;
    answer = NULL;
}

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, UNITS, MEMBERS);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    take(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    give_back();
    rig_close(&rig);
    return 0;
}

/* The value of `oid` as snmpget would print it; "" when there is none. Lives until the next call. */
static const char *get(const char *oid, bool names)
{
    static char text[SNMP_LINE_MAX];
    struct snmp_oid wanted;

    assert_true(snmp_read_oid(oid, &wanted));
    const struct snmp_entry *entry = snmp_model_get(model, wanted.arcs, wanted.length);

    if (entry == NULL)
        return "";
    struct snmp_value value = snmp_model_value(model, entry);

    return snmp_format_value(entry->column, &value, names, text);
}

static void test_model__all_objects__strictly_ascending(void **state)
{
    (void)state;
    assert_true(model->count > 300);
    for (unsigned i = 1; i < model->count; i++) {
        const struct snmp_entry *a = &model->entries[i - 1], *b = &model->entries[i];

        assert_true(snmp_arcs_compare(a->arcs, a->length, b->arcs, b->length) < 0);
    }
}

static void test_model__every_entry__found_by_its_oid_and_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < model->count; i++) {
        const struct snmp_entry *entry = &model->entries[i];
        const struct snmp_table *table;

        assert_ptr_equal(snmp_model_get(model, entry->arcs, entry->length), entry);
        assert_int_equal(snmp_model_lower_bound(model, entry->arcs, entry->length), i);
        assert_ptr_equal(snmp_column_find(entry->column->name, &table), entry->column);
        assert_ptr_equal(table, entry->table);
    }
}

static void test_model__columns__ascending_in_each_table(void **state)
{
    (void)state;
    for (unsigned m = 0; m < SNMP_MODULE_COUNT; m++) {
        for (unsigned t = 0; t < snmp_modules[m]->table_count; t++) {
            const struct snmp_table *table = &snmp_modules[m]->tables[t];

            assert_true(snmp_arcs_are_under(table->entry, table->entry_length, snmp_modules[m]->root,
                                            snmp_modules[m]->root_length));
            for (unsigned c = 1; c < table->column_count; c++)
                assert_true(table->columns[c - 1].arc < table->columns[c].arc);
        }
    }
}

static void test_rows__units_and_member_router__all_there(void **state)
{
    unsigned member_rows = 0;

    (void)state;
    assert_int_equal(snapshot->router_count, UNITS + 1);
    assert_int_equal(snapshot->unit_count, UNITS);
    assert_int_equal(snapshot->member_count, MEMBERS);
    for (unsigned i = 0; i < snapshot->router_count; i++)
        member_rows += snapshot->routers[i].is_member != 0;
    assert_int_equal(member_rows, 1);
}

static void test_vrrpv3__unit_held_here__master(void **state)
{
    (void)state;
    assert_string_equal(get(".1.3.6.1.2.1.207.1.1.1.1.6.2.1.1", false), "INTEGER: 3");
    assert_string_equal(get(".1.3.6.1.2.1.207.1.1.1.1.6.2.1.1", true), "INTEGER: master(3)");
    assert_string_equal(get(".1.3.6.1.2.1.207.1.1.1.1.3.2.1.1", true), "Hex-STRING: 0A 14 00 F1 ");
    assert_string_equal(get("vrrpv3OperationsVirtualMacAddr.2.1.1", false), "Hex-STRING: 00 00 5E 00 01 01 ");
    assert_string_equal(get("vrrpv3OperationsVirtualMacAddr.2.1.1", true), "STRING: 0:0:5e:0:1:1");
    assert_string_equal(get("vrrpv3OperationsPriority.2.1.1", false), "Gauge32: 253");
    assert_string_equal(get("vrrpv3OperationsAdvInterval.2.1.1", true), "INTEGER: 100 centiseconds");
    assert_string_equal(get("vrrpv3OperationsAdvInterval.2.1.1", false), "INTEGER: 100");
    assert_string_equal(get("vrrpv3AssociatedIpAddrRowStatus.2.1.1.4.10.20.0.1", true), "INTEGER: active(1)");
    assert_string_equal(get("vrrpv3StatisticsMasterTransitions.2.1.1", false), "Counter32: 1");
}

static void test_vrrpv3__unit_held_elsewhere__backup_and_its_master(void **state)
{
    (void)state;
    assert_string_equal(get("vrrpv3OperationsStatus.2.2.1", true), "INTEGER: backup(2)");
    assert_string_equal(get("vrrpv3OperationsMasterIpAddr.2.2.1", true), "Hex-STRING: 0A 14 00 F2 ");
    assert_string_equal(get("vrrpv3StatisticsNewMasterReason.2.2.1", true), "INTEGER: notMaster(0)");
}

static void test_vrrpv3__own_member_router__master_with_its_own_address(void **state)
{
    (void)state;
    assert_string_equal(get("vrrpv3OperationsStatus.2.241.1", true), "INTEGER: master(3)");
    assert_string_equal(get("vrrpv3OperationsPriority.2.241.1", false), "Gauge32: 100");
    assert_string_equal(get("vrrpv3OperationsAdvInterval.2.241.1", false), "INTEGER: 25");
    assert_string_equal(get("vrrpv3AssociatedIpAddrRowStatus.2.241.1.4.10.20.0.241", false), "INTEGER: 1");
}

static void test_vrrp__no_version_2__nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < model->count; i++)
        assert_false(snmp_arcs_are_under(model->entries[i].arcs, model->entries[i].length, snmp_vrrp.root,
                                         snmp_vrrp.root_length));
}

static void test_vrrp__version_2__there_and_not_in_version_3(void **state)
{
    (void)state;
    give_back();
    rig.pool.version = 2;
    take(0);
    assert_string_equal(get("vrrpNodeVersion.0", false), "INTEGER: 2");
    assert_string_equal(get("vrrpOperState.2.1", true), "INTEGER: master(3)");
    assert_string_equal(get("vrrpOperMasterIpAddr.2.2", true), "IpAddress: 10.20.0.242");
    assert_string_equal(get("vrrpOperAuthKey.2.1", false), "\"\"");
    assert_string_equal(get("vrrpOperAdvertisementInterval.2.1", true), "INTEGER: 1 seconds");
    assert_string_equal(get("vrrpAssoIpAddrRowStatus.2.1.10.20.0.1", true), "INTEGER: active(1)");
    assert_string_equal(get("vrrpv3OperationsStatus.2.1.1", true), "");
    assert_string_equal(get("vrrpv3OperationsStatus.2.241.1", true), "INTEGER: master(3)");
    rig.pool.version = 3;
}

static void test_evenkeel__pool_and_members__named(void **state)
{
    char name[SNMP_LINE_MAX];
    struct snmp_oid oid;

    (void)state;
    assert_string_equal(get("ekPoolUnits.3.119.101.98", false), "Gauge32: 6");
    assert_string_equal(get("ekPoolUnitsHeld.3.119.101.98", false), "Gauge32: 2");
    assert_string_equal(get("ekPoolFilter.3.119.101.98", true), "INTEGER: lease(3)");
    assert_string_equal(get("ekMemberName.3.119.101.98.1.4.10.20.0.241", false), "STRING: \"alpha\"");
    assert_string_equal(get("ekMemberName.3.119.101.98.1.4.10.20.0.241", true), "STRING: alpha");
    assert_string_equal(get("ekMemberName.3.119.101.98.1.4.10.20.0.243", false), "\"\"");
    assert_string_equal(get("ekMemberName.3.119.101.98.1.4.10.20.0.243", true), "STRING: ");
    assert_true(snmp_read_oid("ekMemberName.3.119.101.98.1.4.10.20.0.241", &oid));
    assert_string_equal(snmp_format_name(snmp_model_get(model, oid.arcs, oid.length), name),
                        "EVENKEEL-MIB::ekMemberName.\"web\".ipv4.\"10.20.0.241\"");
    assert_true(snmp_read_oid("ekVipPrefixLength.3.119.101.98.1.1.4.10.20.0.1", &oid));
    assert_string_equal(snmp_format_oid(oid.arcs, oid.length, name),
                        ".1.3.6.1.4.1.8072.9999.9999.112.1.7.1.3.3.119.101.98.1.1.4.10.20.0.1");
    assert_string_equal(get("ekVipPrefixLength.3.119.101.98.1.1.4.10.20.0.1", true), "Gauge32: 24");
}

static void test_names__octets_that_are_no_address_to_net_snmp__as_it_prints_them(void **state)
{
    char name[SNMP_LINE_MAX];
    struct snmp_oid oid;

    (void)state;
    assert_true(snmp_read_oid("vrrpv3AssociatedIpAddrRowStatus.2.1.1.4.10.20.0.1", &oid));
    assert_string_equal(snmp_format_name(snmp_model_get(model, oid.arcs, oid.length), name),
                        "VRRPV3-MIB::vrrpv3AssociatedIpAddrRowStatus.2.1.ipv4.\"....\"");
}

static void test_stamp__agent_older_or_younger__sys_up_time_or_zero(void **state)
{
    char daemon_start[SNMP_LINE_MAX];

    (void)state;
    snprintf(daemon_start, sizeof(daemon_start), "%s", get("vrrpv3StatisticsRowDiscontinuityTime.2.1.1", false));
    assert_string_equal(daemon_start, "Timeticks: (0) 0:00:00.00");
    give_back();
    take(8640000 + 360000);
    assert_string_equal(get("vrrpv3StatisticsRowDiscontinuityTime.2.1.1", false),
                        "Timeticks: (9000000) 1 day, 1:00:00.00");
    give_back();
    take(-1000000);
    assert_string_equal(get("vrrpv3StatisticsRowDiscontinuityTime.2.1.1", false), "Timeticks: (0) 0:00:00.00");
    assert_string_equal(get("ekUnitLastChange.3.119.101.98.1", false), "Timeticks: (0) 0:00:00.00");
}

static void test_stamp__two_answers__the_same(void **state)
{
    char before[SNMP_LINE_MAX];

    (void)state;
    snprintf(before, sizeof(before), "%s", get("ekMemberSince.3.119.101.98.1.4.10.20.0.242", false));
    give_back();
    rig_run(&rig, 3 * (int64_t)US_PER_S + 123);
    take(0);
    assert_string_equal(get("ekMemberSince.3.119.101.98.1.4.10.20.0.242", false), before);
}

static void test_link__refused_packet__counted_for_every_router_of_it(void **state)
{
    uint8_t packet[40] = {0x45, 0, 0, 40, 0, 0, 0, 0, 254, 112, 0, 0, 10, 20, 0, 9, 224, 0, 0, 18, 0x31, 1, 100, 1};
    struct event event = {.kind = EVENT_PACKET, .packet = packet, .packet_length = sizeof(packet)};
    struct effects effects = {.list = NULL};

    (void)state;
    give_back();
    event.now = event.received = rig.now;
    core_step((struct core *)rig.view.core, &event, &effects);
    take(0);
    assert_string_equal(get("ekLinkBadTtl.4.101.116.104.48", false), "Counter64: 1");
    assert_string_equal(get("vrrpv3StatisticsIpTtlErrors.2.1.1", false), "Counter64: 1");
    assert_string_equal(get("vrrpv3StatisticsIpTtlErrors.2.241.1", false), "Counter64: 1");
    assert_string_equal(get("vrrpv3StatisticsProtoErrReason.2.1.1", true), "INTEGER: ipTtlError(1)");
}

static void test_interface__missing__no_virtual_routers(void **state)
{
    (void)state;
    give_back();
    rig.link.ifindex = 0;
    take(0);
    assert_int_equal(snapshot->router_count, 0);
    assert_string_equal(get("ekPoolInterface.3.119.101.98", false), "INTEGER: 0");
    rig.link.ifindex = 2;
}

static void test_snapshot__not_an_snmp_answer__refused(void **state)
{
    static const char *const texts[] = {"{}", "[]", "{\"pools\":[]}", "{\"links\":[],\"pools\":7}", "null", "\"snmp\""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        json_t *object = json_loads(texts[i], JSON_DECODE_ANY, NULL);

        assert_null(snapshot_from_json(object));
        json_decref(object);
    }
}

/* Fields missing, of other types, or out of any range: still a snapshot, still sorted, nothing read out of bounds. */
static void test_snapshot__nonsense_in_fields__still_a_model(void **state)
{
    static const char text[] =
        "{\"links\":[{\"interface\":5,\"ifindex\":\"x\"},7,null],\"pools\":[{\"name\":null,\"ready\":true,"
        "\"interface\":\"eth0\",\"members\":[3,{\"address\":\"not one\"},{\"address\":\"::1\"}],\"units\":[[],"
        "{\"vrid\":99999999999999,\"vips\":[{},1],\"advertised\":[1,\"x\",\"10.0.0.1\"],\"state\":\"Sleeping\"}]},{}]}";
    json_t *object = json_loads(text, 0, NULL);
    struct snapshot *odd = snapshot_from_json(object);

    (void)state;
    assert_non_null(odd);
    struct snmp_model *odd_model = snmp_model_new(odd, 0);

    assert_non_null(odd_model);
    for (unsigned i = 0; i < odd_model->count; i++) {
        struct snmp_value value = snmp_model_value(odd_model, &odd_model->entries[i]);
        char line[SNMP_LINE_MAX];

        snmp_format_value(odd_model->entries[i].column, &value, true, line);
        snmp_format_name(&odd_model->entries[i], line);
    }
    snmp_model_free(odd_model);
    snapshot_free(odd);
    json_decref(object);
}

static void test_read_oid__good_and_bad__told_apart(void **state)
{
    static const char *const good[] = {".1.3.6",
                                       "1.3.6.1.2.1.207",
                                       "VRRPV3-MIB",
                                       "EVENKEEL-MIB",
                                       "EVENKEEL-MIB::ekVersion",
                                       "ekVersion.0",
                                       "VRRP-MIB::vrrpOperState.2.51"};
    static const char *const bad[] = {"",
                                      ".",
                                      "1..3",
                                      "1.x",
                                      ".1.3.4294967296",
                                      "ekNothing",
                                      "VRRP-MIB::ekVersion",
                                      "IF-MIB::ifIndex",
                                      "ekVersion.x",
                                      "1.3.-1",
                                      "ekVersion."};
    struct snmp_oid oid;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(snmp_read_oid(good[i], &oid));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(snmp_read_oid(bad[i], &oid));
}

static void test_large_pool__240_units__every_object_once(void **state)
{
    (void)state;
    give_back();
    rig_close(&rig);
    rig_open(&rig, 240, 12);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    take(0);
    assert_int_equal(snapshot->unit_count, 240);
    /* 4 tables of routers and addresses with 24 + 1 columns, 3 of units with 22 + 11 + 2 */
    assert_true(model->count > 240 * 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model__all_objects__strictly_ascending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_model__every_entry__found_by_its_oid_and_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_model__columns__ascending_in_each_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows__units_and_member_router__all_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrrpv3__unit_held_here__master, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrrpv3__unit_held_elsewhere__backup_and_its_master, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrrpv3__own_member_router__master_with_its_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrrp__no_version_2__nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrrp__version_2__there_and_not_in_version_3, setup, teardown),
        cmocka_unit_test_setup_teardown(test_evenkeel__pool_and_members__named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names__octets_that_are_no_address_to_net_snmp__as_it_prints_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_stamp__agent_older_or_younger__sys_up_time_or_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamp__two_answers__the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link__refused_packet__counted_for_every_router_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interface__missing__no_virtual_routers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot__not_an_snmp_answer__refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot__nonsense_in_fields__still_a_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_oid__good_and_bad__told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_pool__240_units__every_object_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
