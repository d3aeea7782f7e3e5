/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wackamole.conf -> vrrp_pool: what is carried over, what is said about the rest, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "config_rig.h"
#include "wackamole.h"

/* What is printed, the caller's to free; NULL when it is refused. */
static char *convert(unsigned count, const char *const *files, char findings[static FINDINGS_MAX])
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    findings[0] = '\0';
    bool good = convert_wackamole(count, (char *const *)files, out, collect, findings);

    fclose(out);
    if (good)
        return text;
    assert_int_equal(length, 0);
    free(text);
    return NULL;
}

static void check_refused(const char *content, const char *finding)
{
    char path[] = "/tmp/wackamole-test-XXXXXX", findings[FINDINGS_MAX];
    const char *const files[] = {path};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
    char *text = convert(1, files, findings);

    unlink(path);
    assert_null(text);
    const char *place = strstr(findings, path);

    assert_non_null(place);
    assert_string_equal(place + strlen(path), finding);
}

static void test_wackamole__one_file__becomes_a_pool_that_loads(void **state)
{
    const char *const files[] = {"plain.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(1, files, findings);

    assert_non_null(text);
    assert_string_equal(findings, "plain.conf:16:2: warning: 192.0.2.52 is listed before; it is left out here\n");
    struct config *config = config_load_text("c", text, strlen(text), 0, collect, findings);

    assert_non_null(config);
    assert_int_equal(config->core.pool_count, 1);
    const struct pool_settings *pool = &config->core.pools[0];

    assert_string_equal(pool->name, "web_farm");
    assert_int_equal(pool->unit_count, 4);
    assert_int_equal(pool->startup_delay_us, 7000000);
    assert_int_equal(pool->rebalance_interval_us, 60000000);
    assert_non_null(strstr(text, "        { 192.0.2.53/24 198.51.100.53/26 dev eth1 }\n"));
    assert_non_null(strstr(text, "        203.0.113.51/32 vrid 1\n"));
    assert_non_null(strstr(text, "    rebalance_moves all\n"));
    assert_null(strstr(text, "preferred"));
    config_free(config);
    free(text);
}

static void test_wackamole__what_is_lost__is_said_with_its_place_and_once(void **state)
{
    const char *const files[] = {"plain.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(1, files, findings);

    assert_non_null(text);
    assert_non_null(strstr(text, "# plain.conf:2: Spread, SpreadRetryInterval, Control - not needed"));
    assert_non_null(strstr(text, "# plain.conf:18: Arp-Cache, Notify - the whole LAN hears"));
    const char *run = strstr(text, "# plain.conf:9: RunDynamic - give the program");

    assert_non_null(run);
    assert_null(strstr(run + strlen("# plain.conf:9: RunDynamic"), "RunDynamic"));
    free(text);
}

static void test_wackamole__hosts_that_prefer__are_named_by_their_files(void **state)
{
    const char *const files[] = {"h1.conf", "h2.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(2, files, findings);

    assert_string_equal(findings, "");
    assert_non_null(text);
    assert_non_null(strstr(text, "        10.0.0.1/32\n"));
    assert_non_null(strstr(text, "        10.0.0.2/32  # preferred by h2.conf\n"));
    assert_non_null(strstr(text, "        10.0.1.1/32 vrid 3  # preferred by h1.conf\n"));
    assert_non_null(strstr(text, "# h2.conf calls the interface em1."));
    assert_non_null(strstr(text, "    rebalance_moves 1\n    rebalance_interval 4\n"));
    free(text);
}

static void test_wackamole__vrid__follows_the_first_address_on_the_pools_interface(void **state)
{
    const char *const files[] = {"two-interfaces.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(1, files, findings);

    assert_string_equal(findings, "");
    assert_non_null(text);
    assert_non_null(strstr(text, "        { 198.51.100.5/24 dev eth1 192.0.2.9/24 }\n"));
    assert_non_null(strstr(text, "        203.0.113.9/24 vrid 1\n"));
    free(text);
}

static void test_wackamole__no_acquisitions__is_rebalance_off(void **state)
{
    const char *const files[] = {"h2.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(1, files, findings);

    assert_non_null(text);
    assert_non_null(strstr(text, "    rebalance off"));
    assert_null(strstr(text, "rebalance_interval"));
    free(text);
}

static void test_wackamole__lists_that_differ__are_an_error_at_the_unit(void **state)
{
    const char *const files[] = {"h1.conf", "fewer.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    assert_null(convert(2, files, findings));
    assert_non_null(strstr(findings, "h1.conf:2:24: fewer.conf:1 has 10.0.0.2 together with other addresses"));
    assert_non_null(strstr(findings, "h1.conf:2:40: fewer.conf does not have 10.0.1.1"));
}

static void test_wackamole__faults__are_one_error_with_its_place(void **state)
{
    (void)state;
    check_refused("", ":0:0: there is no VirtualInterfaces block with an address to convert\n");
    check_refused("Matur = 5s\n", ":1:1: unknown word \"Matur\"; did you mean Mature\n");
    check_refused("Mature 5s\n", ":1:8: \"5s\" where = was expected\n");
    check_refused("Mature = 5y\n", ":1:10: \"5y\" where a time such as 5s or 2m, at most a day was expected\n");
    check_refused("vifs {\n  eth0:10.0.0.1\n}\n",
                  ":2:3: \"eth0:10.0.0.1\" where an address such as eth0:192.0.2.1/24 was expected\n");
    check_refused("vifs { eth0:10.0.0.1/33 }", ":1:8: \"eth0:10.0.0.1/33\" where an address such as "
                                               "eth0:192.0.2.1/24 was expected\n");
    check_refused("vifs { { } }", ":1:10: \"}\" where an address such as eth0:192.0.2.1/24 was expected\n");
    check_refused("vifs { eth0:10.0.0.1/24",
                  ":1:24: the file ends where an address such as eth0:192.0.2.1/24 was expected\n");
    check_refused("Balance { interval = 4s moves = 2 }",
                  ":1:25: \"moves\" where AcquisitionsPerRound, interval or } was expected\n");
    check_refused("Notify { eth0:10.0.0.1/32", ":1:26: the file ends where } was expected\n");
    check_refused("RunDynamic a:b up", ":1:16: \"up\" where \"on up\", \"on down\", \"post up\" or \"post down\" was "
                                       "expected\n");
    check_refused("vifs { 10.0.0.1/24 }",
                  ":1:8: no address names an interface; expected eth0:192.0.2.1/24 or the like\n");
}

static void test_wackamole__file_that_is_not_there__is_an_error(void **state)
{
    const char *const files[] = {"missing.conf"};
    char findings[FINDINGS_MAX];

    (void)state;
    assert_null(convert(1, files, findings));
    assert_string_equal(findings, "missing.conf:0:0: cannot be read: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wackamole__one_file__becomes_a_pool_that_loads),
        cmocka_unit_test(test_wackamole__what_is_lost__is_said_with_its_place_and_once),
        cmocka_unit_test(test_wackamole__hosts_that_prefer__are_named_by_their_files),
        cmocka_unit_test(test_wackamole__vrid__follows_the_first_address_on_the_pools_interface),
        cmocka_unit_test(test_wackamole__no_acquisitions__is_rebalance_off),
        cmocka_unit_test(test_wackamole__lists_that_differ__are_an_error_at_the_unit),
        cmocka_unit_test(test_wackamole__faults__are_one_error_with_its_place),
        cmocka_unit_test(test_wackamole__file_that_is_not_there__is_an_error),
    };

    if (chdir(EVENKEEL_SOURCE "/tests/compat/wackamole") != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
