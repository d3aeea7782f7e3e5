/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose address is it: every VIP is found on its link, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/vip_index.h"

#define IPV4(a, b, c, d)                                                                                               \
    {                                                                                                                  \
        .family = FAMILY_IPV4, .bytes = { a, b, c, d }                                                                 \
    }

static struct config_vip vips_first[] = {{.address = IPV4(192, 0, 2, 53), .link = 0},
                                         {.address = IPV4(198, 51, 100, 53), .link = 1}};
static struct config_vip vips_second[] = {{.address = IPV4(192, 0, 2, 50), .link = 0}};
static struct config_vip vips_third[] = {{.address = IPV4(192, 0, 2, 50), .link = 1},
                                         {.address = {.family = FAMILY_IPV6, .bytes = {0x20, 1}}, .link = 1}};
static struct config_unit units_web[] = {{.vip_count = 2, .vips = vips_first}, {.vip_count = 1, .vips = vips_second}};
static struct config_unit units_mail[] = {{.vip_count = 2, .vips = vips_third}};
static struct config_pool config_pools[] = {{.units = units_web}, {.units = units_mail}};
static struct pool_settings pools[] = {{.unit_count = 2}, {.unit_count = 1}};
static const struct config config = {.core = {.pool_count = 2, .link_count = 2, .pools = pools}, .pools = config_pools};

static void expect(const struct vip_index *index, const struct config_vip *vip, unsigned pool, unsigned unit)
{
    struct vip_place place;

    assert_true(vip_index_find(index, vip->link, &vip->address, &place));
    assert_int_equal(place.pool, pool);
    assert_int_equal(place.unit, unit);
}

static void test_vip_index__every_vip__found_on_its_link(void **state)
{
    struct vip_index *index = vip_index_new(&config);

    (void)state;
    assert_non_null(index);
    expect(index, &vips_first[0], 0, 0);
    expect(index, &vips_first[1], 0, 0);
    expect(index, &vips_second[0], 0, 1);
    expect(index, &vips_third[0], 1, 0);
    expect(index, &vips_third[1], 1, 0);
    vip_index_free(index);
}

static void test_vip_index__others__not_found(void **state)
{
    static const struct addr others[] = {IPV4(192, 0, 2, 51), IPV4(0, 0, 0, 0), IPV4(255, 255, 255, 255), {0}};
    struct vip_index *index = vip_index_new(&config);
    struct vip_place place;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(vip_index_find(index, 0, &others[i], &place));
    assert_false(vip_index_find(index, 1, &vips_first[0].address, &place));
    assert_false(vip_index_find(index, 7, &vips_first[0].address, &place));
    vip_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vip_index__every_vip__found_on_its_link),
        cmocka_unit_test(test_vip_index__others__not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
