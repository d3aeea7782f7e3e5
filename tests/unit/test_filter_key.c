/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/filter_key.c: the keys of the filter's sets, and the sets' names. No kernel is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/filter_layout.h"

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

/* The bytes of the keys are the kernel's contract: parts filled up to four bytes, the link's name first. */
static void test_filter_keys__are_as_the_rules_load_them(void **state)
{
    struct filter_vip vip = {.address = address("10.0.0.50"), .link = "eth0", .mac = {1, 2, 3, 4, 5, 6}};
    const struct filter_unit unit = {
        .link = "eth0", .self = address("10.0.0.1"), .family = FAMILY_IPV4, .version = 2, .vrid = 51, .ttl = 64};
    const uint8_t spoke[28] = {'e', 't', 'h', '0', [16] = 10, 0, 0, 1, 64, 0, 0, 0, 0x21, 51, 0, 0};
    uint8_t key[LAYOUT_KEY_MAX];
    char name[LAYOUT_NAME_MAX];

    (void)state;
    assert_int_equal(layout_vip_key(&vip, key), 4);
    assert_memory_equal(key, vip.address.bytes, 4);
    assert_string_equal(layout_set_name(name, "held", layout_class_of(&vip)), "held");
    vip.by_link = true;
    assert_int_equal(layout_vip_key(&vip, key), 20);
    assert_string_equal((const char *)key, "eth0");
    assert_memory_equal(key + 16, vip.address.bytes, 4);
    assert_string_equal(layout_set_name(name, "held", layout_class_of(&vip)), "held_link");
    vip.address = address("fe80::1");
    assert_int_equal(layout_vip_key(&vip, key), 32);
    assert_string_equal(layout_set_name(name, "vips", layout_class_of(&vip)), "vips6_link");
    assert_int_equal(layout_mac_key(&vip, key), 24);
    assert_memory_equal(key + 16, vip.mac, 6);
    assert_int_equal(layout_spoke_key(&unit, key), sizeof(spoke));
    assert_memory_equal(key, spoke, sizeof(spoke));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_keys__are_as_the_rules_load_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
