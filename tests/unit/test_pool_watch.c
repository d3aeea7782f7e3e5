/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a pool tracks and whom it tells: words, names that lead somewhere or nowhere, defaults, the printed form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "compat.h"
#include "config_rig.h"

#define CHECKS                                                                                                         \
    "vrrp_script web_ok {\n script \"/bin/true -v\"\n weight -30 reverse\n}\ntrack_file load {\n file /run/load\n}\n"  \
    "vrrp_track_process httpd {\n process httpd\n}\n"

static struct config *load(const char *text, char findings[static FINDINGS_MAX])
{
    findings[0] = '\0';
    return compat_read((struct config_request){.path = "f", .text = text, .length = strlen(text)}, collect, findings);
}

static void test_watch__names__are_bound_with_their_blocks_weights(void **state)
{
    char findings[FINDINGS_MAX];
    struct config *config = load(POOL(" track_script { web_ok }\n track_file {\n load weight 3 reverse\n }\n"
                                      " track_process { httpd }\n track_interface { eth7 weight -10\n eth8 }") CHECKS,
                                 findings);

    (void)state;
    assert_string_equal(findings, "");
    const struct config_watch *watch = &config->watches[0];

    assert_int_equal(watch->tracker_count, 5);
    assert_string_equal(watch->trackers[0].name, "eth7"); /* by kind, then by name */
    assert_int_equal(watch->trackers[0].weight.value, -10);
    assert_int_equal(watch->trackers[2].kind, CHECK_TRACK_SCRIPT);
    assert_string_equal(watch->trackers[2].script->name, "web_ok");
    assert_int_equal(watch->trackers[2].weight.value, -30);
    assert_true(watch->trackers[2].weight.reverse);
    assert_int_equal(watch->trackers[3].weight.value, 3);
    assert_true(watch->trackers[3].weight.reverse);
    assert_int_equal(watch->trackers[4].weight.value, 0);
    for (unsigned i = 0; i < 5; i++)
        assert_true(watch->trackers[i].resolved);
    config_free(config);
}

static void test_watch__commands__are_split_and_get_their_user(void **state)
{
    char findings[FINDINGS_MAX];
    struct config *config = load("global_defs {\n script_user nobody\n}\n" POOL(
                                     " notify \"/bin/echo 'a b' c\" root staff\n notify_master /bin/true"),
                                 findings);

    (void)state;
    assert_string_equal(findings, "");
    const struct check_notify *notify = config->watches[0].notify;

    assert_int_equal(notify->any.argument_count, 3);
    assert_string_equal(notify->any.arguments[1], "a b");
    assert_null(notify->any.arguments[3]);
    assert_string_equal(notify->any.user, "root");
    assert_string_equal(notify->any.group, "staff");
    assert_int_equal(notify->active.argument_count, 1);
    assert_string_equal(notify->active.user, "nobody");
    assert_int_equal(notify->fault.argument_count, 0);
    config_free(config);
}

static void refuse(const char *text, const char *expected)
{
    char findings[FINDINGS_MAX];

    assert_null(load(text, findings));
    assert_string_equal(findings, expected);
}

static void test_watch__mistakes__are_errors_with_their_place(void **state)
{
    char findings[FINDINGS_MAX] = "";

    (void)state;
    refuse(POOL(" track_script {\n  web_okk\n }") CHECKS,
           "f:4:3: track_script \"web_okk\" is not defined in this file; did you mean \"web_ok\"?\n");
    refuse(POOL(" track_process { nowhere }") CHECKS,
           "f:3:18: track_process \"nowhere\" is not defined in this file\n");
    refuse(POOL(" track_file { load weight }") CHECKS, "f:3:20: weight needs a number: weight N [reverse]\n");
    refuse(POOL(" track_file { load weight 255 }") CHECKS,
           "f:3:27: weight \"255\" is out of range; expected -254..254\n");
    refuse(POOL(" track_interface { eth1 }\n track_interface { eth1 }"),
           "f:4:20: track_interface eth1 is listed twice; the first is at f:3\n");
    refuse(POOL(" track_interface { an-interface-name-too-long }"),
           "f:3:20: \"an-interface-name-too-long\" is no interface name\n");
    refuse(POOL(" notify"), "f:3:2: notify needs an argument: COMMAND [USER [GROUP]]\n");
    refuse(POOL(" notify \"\""), "f:3:9: the command is empty\n");
    refuse(POOL(" notify /bin/a b c d"), "f:3:20: unexpected \"d\" after notify COMMAND USER GROUP; a command with "
                                         "arguments is quoted as a whole\n");
    refuse(POOL(" notify /bin/a\n notify /bin/b"), "f:4:2: notify is given twice; the first is at f:3\n");
    /* Without the second language there are no blocks to name. */
    assert_null(
        config_load_text("f", POOL(" track_script { x }"), strlen(POOL(" track_script { x }")), 0, collect, findings));
    assert_string_equal(findings, "f:3:17: track_script \"x\" is not defined in this file\n");
}

static char *printed(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    config_print(config, out);
    fclose(out);
    return text;
}

static void test_watch__printed__reads_back_the_same(void **state)
{
    char findings[FINDINGS_MAX];
    struct config *config = load(POOL(" track_script { web_ok }\n track_interface { eth7 weight -10 }\n"
                                      " notify \"/bin/echo 'a b' \\x24{HOME} '' #x\" nobody\n"
                                      " notify_stop '/bin/true'") CHECKS,
                                 findings);

    (void)state;
    assert_string_equal(findings, "");
    char *first = printed(config);
    struct config *again = load(first, findings);

    assert_string_equal(findings, "");
    char *second = printed(again);

    assert_string_equal(first, second);
    assert_int_equal(config->hash, again->hash);
    assert_string_equal(again->watches[0].notify->any.arguments[2], "${HOME}");
    assert_string_equal(again->watches[0].notify->any.arguments[3], "");
    free(first);
    free(second);
    config_free(config);
    config_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch__names__are_bound_with_their_blocks_weights),
        cmocka_unit_test(test_watch__commands__are_split_and_get_their_user),
        cmocka_unit_test(test_watch__mistakes__are_errors_with_their_place),
        cmocka_unit_test(test_watch__printed__reads_back_the_same),
    };

    return cmocka_run_group_tests_name("pool_watch", tests, NULL, NULL);
}
