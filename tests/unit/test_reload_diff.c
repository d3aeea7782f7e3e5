/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload changes, as people read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/reload_diff.h"

static void expect(const char *old_text, const char *new_text, const char *difference)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    assert_true(reload_diff(old_text, new_text, out));
    fclose(out);
    assert_string_equal(text, difference);
    free(text);
}

#define WEB(inside) "vrrp_pool web {\n    version 3\n" inside "}\n"

static void test_diff__same__nothing(void **state)
{
    (void)state;
    expect("", "", "");
    expect(WEB("    advert_int 1\n"), WEB("    advert_int 1\n"), "");
}

static void test_diff__option__old_and_new(void **state)
{
    (void)state;
    expect(WEB("    advert_int 1\n"), WEB("    advert_int 2.5\n"), "~ vrrp_pool web: advert_int 1 -> 2.5\n");
    expect(WEB(""), WEB("    isolation_targets none\n"), "+ vrrp_pool web: isolation_targets none\n");
}

static void test_diff__units__added_removed_changed(void **state)
{
    (void)state;
    expect(WEB("    virtual_ipaddress {\n        192.0.2.1/24 vrid 1\n        192.0.2.2/24 vrid 2\n"
               "        { 192.0.2.3/24 192.0.2.4/24 } vrid 3\n    }\n"),
           WEB("    virtual_ipaddress {\n        192.0.2.2/24 vrid 7\n        { 192.0.2.3/24 192.0.2.5/24 } vrid 3\n"
               "        192.0.2.6/24 vrid 6\n    }\n"),
           "~ vrrp_pool web: virtual_ipaddress 192.0.2.2/24 vrid 2 -> vrid 7\n"
           "~ vrrp_pool web: virtual_ipaddress { 192.0.2.3/24 192.0.2.4/24 } vrid 3 -> { 192.0.2.3/24 192.0.2.5/24 } "
           "vrid 3\n"
           "- vrrp_pool web: virtual_ipaddress 192.0.2.1/24 vrid 1\n"
           "+ vrrp_pool web: virtual_ipaddress 192.0.2.6/24 vrid 6\n");
}

static void test_diff__blocks__told_as_a_whole(void **state)
{
    (void)state;
    expect(WEB("    a 1\n    b {\n        c\n    }\n") "other x {\n    d 1\n}\n", "third {\n    e\n}\n",
           "- vrrp_pool web (3 lines)\n- other x (1 lines)\n+ third (1 lines)\n");
}

static void test_diff__same_line_in_two_blocks__told_apart(void **state)
{
    (void)state;
    expect("a {\n    x 1\n}\nb {\n    x 2\n}\n", "a {\n    x 2\n}\nb {\n    x 1\n}\n",
           "~ a: x 1 -> 2\n~ b: x 2 -> 1\n");
}

static void test_diff__password__not_shown(void **state)
{
    (void)state;
    expect("a {\n    auth_pass 1234\n}\n", "a {\n    auth_pass 5678\n}\n", "~ a: auth_pass changed\n");
    expect("a {\n    x\n}\n", "a {\n    auth_pass 5678\n    x\n}\n", "+ a: auth_pass\n");
}

static void test_diff__unbalanced_or_deep__no_harm(void **state)
{
    (void)state;
    expect("}\n}\n{\n", "{", "");
    expect("a {\nb {\nc {\nd {\ne {\nf {\ng {\nh {\ni {\nj {\n", "", "- a (2 lines)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff__same__nothing),
        cmocka_unit_test(test_diff__option__old_and_new),
        cmocka_unit_test(test_diff__units__added_removed_changed),
        cmocka_unit_test(test_diff__blocks__told_as_a_whole),
        cmocka_unit_test(test_diff__same_line_in_two_blocks__told_apart),
        cmocka_unit_test(test_diff__password__not_shown),
        cmocka_unit_test(test_diff__unbalanced_or_deep__no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
