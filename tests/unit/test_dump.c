/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keepalived's files, made of a daemon that runs two instances: layout, numbers, masked secrets, and how they are
 * written. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/dump.h"
#include "daemon/dump_file.h"
#include "file_rig.h"

static const char text[] =
    "global_defs {\n router_id rig\n %s\n}\n"
    "vrrp_instance V1 {\n interface eth0\n virtual_router_id 51\n version 3\n priority 100\n advert_int 0.1\n"
    " virtual_ipaddress {\n 10.0.1.1/24 label eth0:1\n }\n virtual_ipaddress_excluded {\n 10.0.2.1/24\n }\n}\n"
    "vrrp_instance V2 {\n interface eth0\n virtual_router_id 52\n state BACKUP\n priority 90\n"
    " authentication {\n auth_type PASS\n auth_pass secret\n }\n virtual_ipaddress {\n 10.0.3.1\n }\n"
    " notify_master \"/bin/echo \\\"a b\\\"\"\n}\n";

static struct file_rig rig;

static void open_with(const char *global)
{
    char file[2048];

    snprintf(file, sizeof(file), text, global);
    file_rig_open(&rig, file);
    file_rig_run(&rig, US_PER_S);
    file_rig_hear(&rig, 1, "10.0.0.9", 150, true);
}

static int teardown(void **state)
{
    (void)state;
    file_rig_close(&rig);
    return 0;
}

static char *dump(enum daemon_dump what)
{
    char *made = dump_text(&daemon_dialect, what, rig.callbacks.view(&rig));

    assert_non_null(made);
    return made;
}

static void test_dump__stats__the_layout_that_exporters_read(void **state)
{
    (void)state;
    open_with("");
    char *made = dump(DAEMON_DUMP_STATS);
    const char *second = strstr(made, "VRRP Instance: V2\n");

    assert_non_null(second);
    assert_string_equal(second, "VRRP Instance: V2\n  Advertisements:\n    Received: 1\n    Sent: 0\n"
                                "  Became master: 0\n  Released master: 0\n  Packet Errors:\n    Length: 0\n"
                                "    TTL: 0\n    Invalid Type: 0\n    Advertisement Interval: 0\n"
                                "    Address List: 0\n  Authentication Errors:\n    Invalid Type: 0\n"
                                "    Type Mismatch: 0\n    Failure: 0\n  Priority Zero:\n    Received: 0\n"
                                "    Sent: 0\n");
    free(made);
}

static void assert_has(const char *made, const char *part)
{
    if (strstr(made, part) == NULL)
        fail_msg("no '%s' in:\n%s", part, made);
}

static void test_dump__data__states_addresses_and_no_secret(void **state)
{
    (void)state;
    open_with("");
    char *made = dump(DAEMON_DUMP_DATA);

    assert_has(made, "------< Global definitions >------\n Router ID = rig\n");
    assert_has(made, "------< VRRP Topology >------\n VRRP Instance = V1\n   VRRP Version = 3\n   State = MASTER\n");
    assert_has(made, "   Virtual IP (1):\n     10.0.1.1/24 dev eth0 scope global label eth0:1 set\n"
                     "   Virtual IP Excluded :\n     10.0.2.1/24 dev eth0 scope global set\n");
    assert_has(made, " VRRP Instance = V2\n   VRRP Version = 2\n   State = BACKUP\n   Master router = 10.0.0.9\n"
                     "   Master priority = 150\n");
    assert_has(made, "   Authentication type = SIMPLE_PASSWORD\n   Password = ********\n");
    assert_has(made, "   Master state transition script = '/bin/echo' 'a b', uid:gid ");
    assert_null(strstr(made, "secret"));
    free(made);
}

static json_t *load(const char *made)
{
    json_error_t error;
    json_t *value = json_loads(made, 0, &error);

    if (value == NULL)
        fail_msg("%s at byte %d of %s", error.text, error.position, made);
    return value;
}

static void test_dump__json__numbers_of_states_in_both_forms(void **state)
{
    (void)state;
    open_with("json_version 1");
    char *made = dump(DAEMON_DUMP_JSON);
    json_t *value = load(made);
    const json_t *data = json_object_get(json_array_get(value, 1), "data");

    assert_int_equal(json_array_size(value), 2);
    assert_string_equal(json_string_value(json_object_get(data, "iname")), "V2");
    assert_int_equal(json_integer_value(json_object_get(data, "state")), 1);
    assert_int_equal(json_integer_value(json_object_get(data, "master_priority")), 150);
    assert_string_equal(json_string_value(json_object_get(data, "auth_data")), "********");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json_array_get(value, 0), "stats"), "become_master")), 1);
    json_decref(value);
    free(made);
    file_rig_close(&rig);
    open_with("json_version 2");
    made = dump(DAEMON_DUMP_JSON);
    value = load(made);
    assert_int_equal(json_array_size(json_object_get(value, "vrrp")), 2);
    assert_true(json_is_array(json_object_get(value, "track_process")));
    json_decref(value);
    free(made);
}

/* --- files --- */

static atomic_bool stuck; /* the disk does not answer */
static atomic_uint writes;
int __real_mkostemp(char *path, int flags);
int __wrap_mkostemp(char *path, int flags);

int __wrap_mkostemp(char *path, int flags)
{
    atomic_fetch_add(&writes, 1);
    while (atomic_load(&stuck))
        usleep(1000);
    return __real_mkostemp(path, flags);
}

static struct dump_result wait_for_result(struct dump_files *files)
{
    struct pollfd fd = {.fd = dump_files_fd(files), .events = POLLIN};
    struct dump_result result = {.path = NULL};

    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_true(dump_files_next(files, &result));
    return result;
}

static void expect_result(struct dump_files *files, const char *path, const char *problem)
{
    struct dump_result result = wait_for_result(files);

    assert_string_equal(result.path, path);
    assert_non_null(strstr(result.problem, problem));
    assert_int_equal(result.problem[0] == '\0', problem[0] == '\0');
    free(result.path);
}

static void test_dump__written__replaces_a_link_and_is_private(void **state)
{
    char directory[] = "/tmp/evenkeel-dump-XXXXXX", path[64], victim[64], global[96];
    struct dump_files *files = dump_files_open();
    struct stat status;

    (void)state;
    assert_non_null(files);
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/asked.data", directory);
    snprintf(victim, sizeof(victim), "%s/victim", directory);
    snprintf(global, sizeof(global), "state_dump_file %s", path);
    assert_int_equal(symlink(victim, path), 0);
    open_with(global);
    char *asked = dump_path(&daemon_dialect, DAEMON_DUMP_DATA, rig.config, "host1", "/nowhere");

    assert_string_equal(asked, path);
    assert_int_equal(dump_files_add(files, DAEMON_DUMP_DATA, asked, dump(DAEMON_DUMP_DATA)), 0);
    expect_result(files, path, "");
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_not_equal(lstat(victim, &status), 0);
    unlink(path);
    assert_int_equal(mkfifo(path, 0666), 0); /* nobody reads it */
    assert_int_equal(dump_files_add(files, DAEMON_DUMP_DATA, strdup(path), dump(DAEMON_DUMP_DATA)), 0);
    expect_result(files, path, "no regular file");
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    unlink(path);
    assert_int_equal(rmdir(directory), 0); /* and nothing else is left in it */
    assert_int_equal(dump_files_add(files, DAEMON_DUMP_DATA, strdup(path), dump(DAEMON_DUMP_DATA)), 0);
    expect_result(files, path, "No such file");
    dump_files_close(files, 1000);
}

static void add(struct dump_files *files, enum daemon_dump dump, const char *path, const char *made)
{
    assert_int_equal(dump_files_add(files, dump, strdup(path), strdup(made)), 0);
}

static void expect_file(const char *path, const char *expected)
{
    char made[64];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    made[fread(made, 1, sizeof(made) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(made, expected);
}

static void test_dump__stuck_disk__nobody_waits_and_the_newest_of_each_is_written(void **state)
{
    char directory[] = "/tmp/evenkeel-dump-XXXXXX", data[64], stats[64];
    struct dump_files *files = dump_files_open();
    struct dump_result result;

    (void)state;
    assert_non_null(files);
    assert_non_null(mkdtemp(directory));
    snprintf(data, sizeof(data), "%s/data", directory);
    snprintf(stats, sizeof(stats), "%s/stats", directory);
    stuck = true;
    writes = 0;
    add(files, DAEMON_DUMP_DATA, data, "1");
    while (writes == 0)
        usleep(1000);
    add(files, DAEMON_DUMP_DATA, data, "2"); /* all these return, and wait */
    add(files, DAEMON_DUMP_STATS, stats, "a");
    add(files, DAEMON_DUMP_DATA, data, "3");
    assert_false(dump_files_next(files, &result));
    stuck = false;
    dump_files_close(files, 10000); /* which also waits for what is there */
    assert_int_equal(writes, 3);
    expect_file(data, "3");
    expect_file(stats, "a");
    unlink(data);
    unlink(stats);
    assert_int_equal(rmdir(directory), 0);
}

static void test_dump__config_id__in_the_name_and_leads_nowhere_else(void **state)
{
    char file[128];

    (void)state;
    open_with("data_use_instance");
    daemon_dialect.dump_file(DAEMON_DUMP_STATS, rig.config, "../left", file, sizeof(file));
    assert_string_equal(file, "keepalived_.._left.stats");
}

/* The configuration file may be readable for root only. */
static void test_dump__request__of_those_with_permission_only(void **state)
{
    static const char request[] = "{\"command\":\"dump\",\"what\":\"data\"}";
    char *answer;
    size_t length;

    (void)state;
    open_with("");
    request_answer(&rig.callbacks, request, strlen(request), false, &answer, &length);
    assert_non_null(strstr(answer, "\"denied\""));
    free(answer);
    json_t *allowed = file_rig_ask(&rig, request);

    assert_null(json_object_get(allowed, "error"));
    json_decref(allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_dump__stats__the_layout_that_exporters_read, teardown),
        cmocka_unit_test_teardown(test_dump__data__states_addresses_and_no_secret, teardown),
        cmocka_unit_test_teardown(test_dump__json__numbers_of_states_in_both_forms, teardown),
        cmocka_unit_test_teardown(test_dump__written__replaces_a_link_and_is_private, teardown),
        cmocka_unit_test(test_dump__stuck_disk__nobody_waits_and_the_newest_of_each_is_written),
        cmocka_unit_test_teardown(test_dump__request__of_those_with_permission_only, teardown),
        cmocka_unit_test_teardown(test_dump__config_id__in_the_name_and_leads_nowhere_else, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
