/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading keepalived's words beyond the corpus: strict mode of the reader, untrusted text, the file against this host,
 * size, and the conversion of several hosts' files to a pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compat.h"
#include "convert.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

#define FINDINGS_MAX 16384
#define INSTANCE(lines)                                                                                                \
    "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n" lines "\n virtual_ipaddress {\n 192.0.2.1/24\n "      \
    "}\n}\n"

static void collect(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                    const char *text)
{
    char *out = context;
    size_t used = strlen(out);

    snprintf(out + used, FINDINGS_MAX - used, "%s:%u:%u: %s%s\n", file, line, column,
             severity == CONFIG_WARNING ? "warning: " : "", text);
}

static struct config *load(const char *text, unsigned flags, char findings[static FINDINGS_MAX])
{
    findings[0] = '\0';
    return compat_read(
        (struct config_request){
            .path = "f", .text = text, .length = strlen(text), .flags = flags, .config_id = "host1"},
        collect, findings);
}

static void test_compat__strict__makes_each_warning_an_error(void **state)
{
    char findings[FINDINGS_MAX];
    const char *text = "global_defs {\n smtp_server 192.0.2.25\n}\n" INSTANCE(" prioritty 5");

    (void)state;
    struct config *config = load(text, 0, findings);

    assert_non_null(config);
    config_free(config);
    assert_null(load(text, CONFIG_STRICT, findings));
    assert_string_equal(findings, "f:2:2: smtp_server has no effect: no mail is sent; it is skipped\n"
                                  "f:7:2: unknown keyword \"prioritty\" in vrrp_instance; did you mean \"priority\"?; "
                                  "it is skipped\n");
    assert_null(load("}\n" INSTANCE(""), CONFIG_STRICT, findings));
    assert_string_equal(findings, "f:1:1: this } closes nothing\n");
}

static void test_compat__untrusted_text__reads_nothing_else(void **state)
{
    char findings[FINDINGS_MAX];

    (void)state;
    assert_null(load("include /etc/passwd\n" INSTANCE(""), CONFIG_UNTRUSTED, findings));
    assert_string_equal(findings, "f:1:9: include is not allowed here\n");
}

static void collect_last(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                         const char *text)
{
    char *out = context;
    unsigned errors = strncmp(out, "errors ", 7) == 0 ? (unsigned)strtoul(out + 7, NULL, 10) : 0;

    (void)file;
    (void)line;
    (void)column;
    snprintf(out, FINDINGS_MAX, "errors %u: %s", errors + (severity == CONFIG_ERROR), text);
}

static void test_compat__many_warnings__leave_room_for_errors(void **state)
{
    static char text[65536];
    char findings[FINDINGS_MAX] = "";
    size_t used = 0;

    (void)state;
    for (unsigned i = 0; i < 700; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "unheard_of %u\n", i);
    snprintf(text + used, sizeof(text) - used, "vrrp_instance V {\n interface eth0\n}\n");
    /* Only the end can be seen: the first warnings fill the test's room. */
    struct config *config =
        compat_read((struct config_request){.path = "f", .text = text, .length = strlen(text)}, collect_last, findings);

    assert_null(config);
    assert_string_equal(findings, "errors 1: 201 more warnings are not shown");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_compat__scripts_on_this_host__are_judged_by_name(void **state)
{
    char directory[] = "/tmp/compat-test-XXXXXX", path[64], text[2048], findings[FINDINGS_MAX];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/open.sh", directory);
    write_file(path, "#!/bin/sh\n", 0777);
    snprintf(text, sizeof(text),
             "global_defs {\n enable_script_security\n script_user root\n dynamic_interfaces\n}\n"
             "vrrp_script good {\n script \"true --now\"\n}\nvrrp_script open {\n script %s\n}\n"
             "vrrp_script gone {\n script \"/no/such/thing -x\"\n}\n"
             "vrrp_script who {\n script \"/bin/true\"\n user nobody-of-that-name\n}\n" INSTANCE(""),
             path);
    struct config *config = load(text, COMPAT_CHECK_HOST, findings);

    unlink(path);
    rmdir(directory);
    assert_non_null(config);
    const struct check_script *scripts = compat_model(config)->scripts;

    assert_int_equal(scripts[0].command.permit, CHECK_RUNNABLE);
    assert_non_null(strstr(scripts[0].command.path, "/true"));
    assert_string_equal(scripts[0].command.arguments[1], "--now");
    assert_int_equal(scripts[1].command.permit, CHECK_INSECURE);
    assert_int_equal(scripts[2].command.permit, CHECK_MISSING);
    assert_string_equal(scripts[2].command.refusal,
                        "script \"/no/such/thing\" cannot be run: there is no such program on this host");
    assert_int_equal(scripts[3].command.permit, CHECK_NO_USER);
    config_free(config);
}

static void test_compat__255_instances__load_in_a_few_milliseconds(void **state)
{
    static char text[262144];
    char findings[FINDINGS_MAX];
    struct timespec start, end;
    size_t used = 0;

    (void)state;
    for (unsigned i = 1; i <= 255; i++)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used,
                             "vrrp_script chk%u {\n script \"/usr/bin/pidof p%u\"\n interval 2\n weight -5\n}\n"
                             "vrrp_instance VI_%u {\n state BACKUP\n interface eth0\n virtual_router_id %u\n"
                             " priority 100\n advert_int 1\n authentication {\n auth_type PASS\n auth_pass 1\n }\n"
                             " track_script {\n chk%u\n }\n virtual_ipaddress {\n 10.0.%u.1/24\n 10.1.%u.1/24\n }\n}\n",
                             i, i, i, i, i, i, i);
    /* Processor time, the best of a few: whoever else uses the machine has no part in it. */
    double best_ms = 1e9;
    for (unsigned run = 0; run < 5; run++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        struct config *config = load(text, 0, findings);

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        assert_non_null(config);
        assert_string_equal(findings, "");
        assert_int_equal(compat_model(config)->instance_count, 255);
        config_free(config);
        double ms = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;

        best_ms = ms < best_ms ? ms : best_ms;
    }
    print_message("255 instances: %.1f ms\n", best_ms);
    assert_true(best_ms < 50 || SANITIZED);
}

/* --- conversion --- */

static char *convert(unsigned count, char *const *files, char findings[static FINDINGS_MAX])
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    findings[0] = '\0';
    bool good = convert_keepalived(count, files, out, collect, findings);

    fclose(out);
    if (good)
        return text;
    free(text);
    return NULL;
}

static void test_compat__rotated_priorities__become_one_pool(void **state)
{
    char *files[] = {"rotated-1.conf", "rotated-2.conf", "rotated-3.conf"}, findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(3, files, findings);

    assert_non_null(text);
    assert_non_null(
        strstr(text, "# 6 units on 3 hosts. Their priorities were set by hand: node1 2, node2 2, node3 2\n"));
    assert_non_null(strstr(text, "keeps them spread as evenly by itself"));
    struct config *config = config_load_text("c", text, strlen(text), 0, collect, findings);

    assert_string_equal(findings, "");
    assert_int_equal(config->core.pool_count, 1);
    assert_int_equal(config->core.pools[0].unit_count, 6);
    assert_int_equal(config->core.pools[0].units[0].vrid, 51);
    assert_int_equal(config->core.pools[0].units[0].prefer_count, 0);
    assert_int_equal(config->core.pools[0].version, 2);
    config_free(config);
    free(text);
}

static void test_compat__sync_group__becomes_one_unit_with_its_host(void **state)
{
    char *files[] = {"group-master.conf", "group-backup.conf"}, findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(2, files, findings);

    assert_non_null(text);
    struct config *config = config_load_text("c", text, strlen(text), 0, collect, findings);

    assert_non_null(config);
    assert_int_equal(config->core.pools[0].unit_count, 1);
    assert_int_equal(config->pools[0].units[0].vip_count, 4);
    assert_int_equal(config->core.pools[0].units[0].prefer_count, 1);
    assert_non_null(strstr(text, "group-master.conf:2: notify scripts"));
    config_free(config);
    free(text);
}

static void test_compat__nothing_to_convert__is_an_error(void **state)
{
    char *files[] = {"../13-only-ipvs.conf"}, findings[FINDINGS_MAX];

    (void)state;
    assert_null(convert(1, files, findings));
    assert_non_null(strstr(findings, "there is only IPVS in this file"));
}

static void test_compat__scripts_that_are_no_programs__are_told(void **state)
{
    char directory[] = "/tmp/compat-test-XXXXXX", bare[64], plain[64], text[1024], findings[FINDINGS_MAX];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(bare, sizeof(bare), "%s/bare.sh", directory);
    snprintf(plain, sizeof(plain), "%s/plain.sh", directory);
    write_file(bare, "exit 0\n", 0755);
    write_file(plain, "#!/bin/sh\n", 0644);
    snprintf(text, sizeof(text),
             "global_defs {\n script_user nobody\n dynamic_interfaces\n}\n"
             "vrrp_script bare {\n script %s\n}\nvrrp_script plain {\n script %s\n}\n" INSTANCE(""),
             bare, plain);
    struct config *config = load(text, COMPAT_CHECK_HOST, findings);

    unlink(bare);
    unlink(plain);
    rmdir(directory);
    assert_non_null(config);
    assert_int_equal(compat_model(config)->scripts[0].command.permit, CHECK_RUNNABLE);
    assert_int_equal(compat_model(config)->scripts[1].command.permit, CHECK_NO_PROGRAM);
    assert_non_null(strstr(findings, "bare.sh does not begin with #! and an interpreter"));
    assert_non_null(strstr(findings, "plain.sh\" cannot be run: it exists, but is no executable file"));
    config_free(config);
}

/* A file that was copied to another host: that one's address is not here. */
static void test_compat__unicast_source_of_another_host__is_told_and_a_fault(void **state)
{
    char findings[FINDINGS_MAX];

    (void)state;
    struct config *config = load("vrrp_instance V {\n virtual_router_id 1\n interface lo\n unicast_src_ip 192.0.2.7\n"
                                 " unicast_peer {\n  192.0.2.8\n }\n virtual_ipaddress {\n  192.0.2.9\n }\n}\n"
                                 "vrrp_instance W {\n virtual_router_id 2\n unicast_src_ip 127.0.0.1\n"
                                 " unicast_peer {\n  192.0.2.8\n }\n virtual_ipaddress {\n  192.0.2.10\n }\n}\n",
                                 COMPAT_CHECK_HOST, findings);

    assert_non_null(config);
    assert_string_equal(findings,
                        "f:1:15: warning: unicast_src_ip 192.0.2.7 of V is not on this host; the instance is in Fault "
                        "until it is\n");
    assert_string_equal(compat_model(config)->instances[1].interface, "lo");
    assert_true(config->core.pools[0].units[0].instance->track_source);
    assert_true(config->core.pools[0].units[1].instance->track_source);
    config_free(config);
}

static void test_compat__addresses_elsewhere__stay_an_instance(void **state)
{
    char *files[] = {"elsewhere.conf"}, findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(1, files, findings);

    assert_non_null(text);
    assert_non_null(strstr(text, "vrrp_pool eth0-ipv4-v2 {"));
    assert_non_null(strstr(text, "192.0.2.51/24 vrid 51"));
    assert_null(strstr(text, "198.51.100.1"));
    assert_non_null(strstr(text, "elsewhere.conf:9: vrrp_instance ROUTER has no address on its own interface"));
    assert_non_null(strstr(text, "elsewhere.conf:17: vrrp_instance ELECTION has no address"));
    free(text);
}

static void test_compat__unicast__members_are_named_where_the_source_can_be_one(void **state)
{
    char *files[] = {"unicast-1.conf", "unicast-2.conf"}, findings[FINDINGS_MAX];

    (void)state;
    char *text = convert(2, files, findings);

    assert_non_null(text);
    struct config *config = config_load_text("c", text, strlen(text), 0, collect, findings);

    assert_non_null(config);
    assert_int_equal(config->core.pool_count, 2);
    assert_int_equal(config->core.pools[0].name_count, 2);
    assert_int_equal(config->core.pools[1].name_count, 0); /* global addresses: IPv6 members are link-local */
    config_free(config);
    free(text);
}

static void test_compat__same_host_twice__is_an_error_that_names_both_files(void **state)
{
    char *files[] = {"unicast-1.conf", "unicast-1.conf"}, findings[FINDINGS_MAX];

    (void)state;
    assert_null(convert(2, files, findings));
    assert_non_null(strstr(findings, "it sends from 192.0.2.11, and so does unicast-1.conf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compat__strict__makes_each_warning_an_error),
        cmocka_unit_test(test_compat__untrusted_text__reads_nothing_else),
        cmocka_unit_test(test_compat__many_warnings__leave_room_for_errors),
        cmocka_unit_test(test_compat__scripts_on_this_host__are_judged_by_name),
        cmocka_unit_test(test_compat__255_instances__load_in_a_few_milliseconds),
        cmocka_unit_test(test_compat__rotated_priorities__become_one_pool),
        cmocka_unit_test(test_compat__sync_group__becomes_one_unit_with_its_host),
        cmocka_unit_test(test_compat__nothing_to_convert__is_an_error),
        cmocka_unit_test(test_compat__scripts_that_are_no_programs__are_told),
        cmocka_unit_test(test_compat__unicast_source_of_another_host__is_told_and_a_fault),
        cmocka_unit_test(test_compat__addresses_elsewhere__stay_an_instance),
        cmocka_unit_test(test_compat__unicast__members_are_named_where_the_source_can_be_one),
        cmocka_unit_test(test_compat__same_host_twice__is_an_error_that_names_both_files),
    };

    if (chdir(EVENKEEL_SOURCE "/tests/compat/convert") != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
