/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vrrp_pool: good files to the model's values, the hash whatever the order of lines, what is printed reads back the
 * same, and speed. Bad files are test_config_errors.c's. Links src/config and src/base; the sample file is found by
 * $srcdir.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mono.h"
#include "config_rig.h"

static struct config *load(const char *text)
{
    char findings[FINDINGS_MAX] = "";
    struct config *config = config_load_text("f", text, strlen(text), 0, collect, findings);

    assert_string_equal(findings, "");
    assert_non_null(config);
    return config;
}

static char *print(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    config_print(config, out);
    fclose(out);
    return text;
}

static void expect_addr(const struct addr *address, const char *text)
{
    char buffer[ADDR_TEXT_MAX];

    assert_string_equal(addr_format(address, buffer), text);
}

/* --- good files --- */

static void test_config__smallest_file__gets_the_defaults(void **state)
{
    struct config *config = load(POOL(""));
    const struct pool_settings *pool = &config->core.pools[0];
    const struct config_pool *more = &config->pools[0];

    (void)state;
    assert_int_equal(config->core.pool_count, 1);
    assert_int_equal(config->core.link_count, 1);
    assert_string_equal(config->links[0], "eth0");
    assert_string_equal(pool->name, "web");
    assert_int_equal(pool->link, 0);
    assert_int_equal(pool->family, FAMILY_IPV4);
    assert_int_equal(pool->version, 3);
    assert_int_equal(pool->checksum, WIRE_CHECKSUM_AUTO);
    assert_int_equal(pool->share, 100);
    assert_int_equal(pool->member_vrid, 0);
    assert_false(pool->strict_members);
    assert_true(pool->rebalance);
    assert_true(pool->drop_when_isolated);
    assert_true(pool->isolation_check);
    assert_int_equal(pool->rebalance_moves, 1);
    assert_int_equal(pool->unit_count, 1);
    assert_int_equal(pool->name_count, 0);
    assert_int_equal(pool->advert_interval_us, US_PER_S);
    assert_int_equal(pool->member_interval_us, 250 * US_PER_MS);
    assert_int_equal(pool->startup_delay_us, 0);
    assert_int_equal(pool->rebalance_interval_us, US_PER_S);
    assert_int_equal(more->filter_mode, FILTER_AUTO);
    assert_int_equal(more->address_mode, ADDRESS_ADD);
    assert_false(more->use_vmac);
    assert_false(more->vmac_xmit_base);
    assert_int_equal(more->garp_repeat, 3);
    assert_int_equal(more->garp_delay_us, 5 * US_PER_S);
    assert_int_equal(more->garp_refresh_us, 0);
    assert_int_equal(more->garp_interval_us, US_PER_MS);
    assert_int_equal(more->target_count, 0);
    assert_int_equal(more->line, 1);
    assert_int_equal(more->units[0].line, 5);
    assert_int_equal(pool->units[0].vrid, 50);
    assert_int_equal(pool->units[0].links, 1);
    assert_int_equal(pool->units[0].address_count, 1);
    expect_addr(&pool->units[0].addresses[0], "192.0.2.50");
    assert_int_equal(more->units[0].vips[0].prefix_length, 24);
    config_free(config);
}

static void test_config__every_keyword__reaches_the_model(void **state)
{
    struct config *config =
        load(POOL(" version 2\n advert_int 2\n member_advert_int 0.1\n member_router_id 200\n priority 50\n"
                  " startup_delay 1.5\n rebalance off\n rebalance_moves all\n rebalance_interval 0.5\n"
                  " members { b 10.0.0.2\n a 10.0.0.1 }\n strict_members\n arp_filter lease\n"
                  " address_mode resident\n use_vmac\n vmac_xmit_base on\n checksum plain\n"
                  " garp_master_repeat 2\n garp_master_delay 0\n garp_master_refresh 60\n garp_interval 0\n"
                  " isolation_targets 10.0.0.254 2001:db8::1 10.0.0.254\n on_isolation hold"));
    const struct pool_settings *pool = &config->core.pools[0];
    const struct config_pool *more = &config->pools[0];

    (void)state;
    assert_int_equal(pool->version, 2);
    assert_int_equal(pool->advert_interval_us, 2 * US_PER_S);
    assert_int_equal(pool->member_interval_us, 100 * US_PER_MS);
    assert_int_equal(pool->member_vrid, 200);
    assert_int_equal(pool->share, 50);
    assert_int_equal(pool->startup_delay_us, 1500 * US_PER_MS);
    assert_false(pool->rebalance);
    assert_int_equal(pool->rebalance_moves, UINT16_MAX);
    assert_int_equal(pool->rebalance_interval_us, 500 * US_PER_MS);
    assert_int_equal(pool->name_count, 2);
    assert_string_equal(pool->names[0].name, "a");
    expect_addr(&pool->names[0].address, "10.0.0.1");
    assert_true(pool->strict_members);
    assert_int_equal(pool->checksum, WIRE_CHECKSUM_PLAIN);
    assert_false(pool->drop_when_isolated);
    assert_int_equal(more->filter_mode, FILTER_LEASE);
    assert_int_equal(more->address_mode, ADDRESS_RESIDENT);
    assert_true(more->use_vmac);
    assert_true(more->vmac_xmit_base);
    assert_int_equal(more->garp_repeat, 2);
    assert_int_equal(more->garp_delay_us, 0);
    assert_int_equal(more->garp_refresh_us, 60 * US_PER_S);
    assert_int_equal(more->garp_interval_us, 0);
    assert_int_equal(more->target_count, 2);
    expect_addr(&more->targets[0], "10.0.0.254");
    expect_addr(&more->targets[1], "2001:db8::1");
    config_free(config);
}

static void test_config__one_line__is_split_by_the_table(void **state)
{
    struct config *config =
        load("vrrp_pool web { interface eth0  advert_int 2 use_vmac rebalance off isolation_targets none priority 7 "
             "virtual_ipaddress { 192.0.2.1/24 192.0.2.2/24 vrid 9 { 192.0.2.4 192.0.2.5 dev eth1 } vrid 8 192.0.2.6 } "
             "members { a 10.0.0.1 b 10.0.0.2 } on_isolation drop }");
    const struct pool_settings *pool = &config->core.pools[0];

    (void)state;
    assert_int_equal(pool->advert_interval_us, 2 * US_PER_S);
    assert_true(config->pools[0].use_vmac);
    assert_false(pool->rebalance);
    assert_false(pool->isolation_check);
    assert_int_equal(pool->share, 7);
    assert_int_equal(pool->name_count, 2);
    assert_true(pool->drop_when_isolated);
    assert_int_equal(pool->unit_count, 4);
    assert_int_equal(pool->units[0].vrid, 1);
    assert_int_equal(pool->units[1].vrid, 6);
    assert_int_equal(pool->units[2].vrid, 8);
    assert_int_equal(pool->units[2].links, 3);
    assert_int_equal(pool->units[3].vrid, 9);
    config_free(config);
}

static void test_config__units__get_addresses_links_and_vrids(void **state)
{
    struct config *config = load(VIPS(" 192.0.2.52/24 vrid 7\n"
                                      " 192.0.2.51\n"
                                      " { 192.0.2.53/24  198.51.100.53/24 dev eth1  2001:db8::53/64 }\n"
                                      " {\n  192.0.2.55/24 dev eth0\n  192.0.2.54/24 prefer 10.0.0.2 10.0.0.1\n }\n"));
    const struct pool_settings *pool = &config->core.pools[0];
    const struct config_pool *more = &config->pools[0];

    (void)state;
    assert_int_equal(pool->unit_count, 4);
    assert_int_equal(config->core.link_count, 2);
    assert_string_equal(config->links[1], "eth1");
    assert_int_equal(pool->units[0].vrid, 7);
    assert_int_equal(pool->units[1].vrid, 51);
    assert_int_equal(more->units[1].vips[0].prefix_length, 32);
    assert_int_equal(pool->units[2].vrid, 53);
    assert_int_equal(pool->units[2].links, 3);
    assert_int_equal(pool->units[2].address_count, 1);
    assert_int_equal(more->units[2].vip_count, 3);
    assert_int_equal(more->units[2].vips[1].link, 1);
    expect_addr(&more->units[2].vips[2].address, "2001:db8::53");
    assert_int_equal(pool->units[3].vrid, 54); /* the line with the lowest address is the first */
    assert_int_equal(pool->units[3].address_count, 2);
    expect_addr(&pool->units[3].addresses[0], "192.0.2.54");
    assert_int_equal(pool->units[3].prefer_count, 2);
    expect_addr(&pool->units[3].prefer[0], "10.0.0.2");
    config_free(config);
}

static void test_config__first_address_of_a_line__gives_the_vrid(void **state)
{
    struct config *config = load(VIPS(" { 192.0.2.60/24 192.0.2.53/24 }\n"));

    (void)state;
    assert_int_equal(config->core.pools[0].units[0].vrid, 60);
    expect_addr(&config->core.pools[0].units[0].addresses[0], "192.0.2.60");
    config_free(config);
}

static void test_config__address_on_another_link_first__does_not_give_the_vrid(void **state)
{
    struct config *config = load(VIPS(" { 198.51.100.9/24 dev eth1 192.0.2.53/24 }\n"));

    (void)state;
    assert_int_equal(config->core.pools[0].units[0].vrid, 53);
    assert_int_equal(config->core.pools[0].units[0].address_count, 1);
    config_free(config);
}

static void test_config__ipv6_pool__leads_with_a_link_local(void **state)
{
    struct config *config =
        load(VIPS(" 2001:db8::5/64\n { 2001:db8::6 fe80::77/64 } vrid 6\n { 192.0.2.1 2001:db8::7 }\n"));
    const struct pool_settings *pool = &config->core.pools[0];
    const struct config_pool *more = &config->pools[0];

    (void)state;
    assert_int_equal(pool->family, FAMILY_IPV6);
    assert_int_equal(pool->units[0].vrid, 5);
    assert_int_equal(pool->units[0].address_count, 2);
    expect_addr(&pool->units[0].addresses[0], "fe80::200:5eff:fe00:205");
    assert_int_equal(more->units[0].vip_count, 2);
    assert_int_equal(more->units[0].vips[0].prefix_length, 64);
    expect_addr(&pool->units[1].addresses[0], "fe80::77");
    assert_int_equal(pool->units[1].address_count, 2);
    assert_int_equal(pool->units[2].vrid, 7);
    assert_int_equal(pool->units[2].address_count, 2);
    assert_int_equal(more->units[2].vip_count, 3);
    config_free(config);
}

static void test_config__virtual_router_id__counts_in_the_files_order(void **state)
{
    struct config *config = load(POOL(" virtual_router_id 10\n virtual_ipaddress { 10.0.0.0/31 10.0.0.9/24 vrid 3 }"));
    const struct pool_settings *pool = &config->core.pools[0];

    (void)state;
    assert_int_equal(pool->units[0].vrid, 3);
    assert_int_equal(pool->units[1].vrid, 10);
    expect_addr(&pool->units[1].addresses[0], "10.0.0.0");
    assert_int_equal(pool->units[2].vrid, 11);
    expect_addr(&pool->units[2].addresses[0], "192.0.2.50");
    config_free(config);
}

static void test_config__vips_per_vrid__packs_neighbours_stably(void **state)
{
    static const char all[] =
        "vrrp_pool p {\n interface eth0\n vips_per_vrid 4\n virtual_ipaddress {\n"
        " ~SEQ(a,0,1) ~SEQ(b,1,250) 10.0.${a}.${b}/16\n { 10.1.0.1/16 10.1.0.2/16 } vrid 200\n }\n}\n";
    struct config *config = load(all), *less, *more;
    const struct pool_settings *pool = &config->core.pools[0];
    unsigned addresses = 0;

    (void)state;
    for (unsigned i = 0; i < pool->unit_count; i++) {
        assert_in_range(pool->units[i].address_count, 1, 4);
        addresses += pool->units[i].address_count;
    }
    assert_int_equal(addresses, 502);
    assert_in_range(pool->unit_count, 126, 130);
    config_free(config);

    less = load(POOL(" vips_per_vrid 4\n virtual_ipaddress { 192.0.2.53/24 }"));
    more = load(POOL(" vips_per_vrid 4\n virtual_ipaddress { 192.0.2.53/24 192.0.2.49/24 192.0.2.200/24 }"));
    assert_int_equal(less->core.pools[0].unit_count, 2);
    assert_int_equal(more->core.pools[0].unit_count, 3);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 3; j++)
            if (addr_equal(&less->core.pools[0].units[i].addresses[0], &more->core.pools[0].units[j].addresses[0]))
                assert_int_equal(less->core.pools[0].units[i].vrid, more->core.pools[0].units[j].vrid);
    config_free(less);
    config_free(more);
}

static void test_config__members_and_prefer__are_resolved(void **state)
{
    struct config *config =
        load(POOL(" members { a 10.0.0.1 b 10.0.0.2 c 10.0.0.3 }\n"
                  " virtual_ipaddress { 192.0.2.1/24 prefer b 10.0.0.9 192.0.2.2/24 members c a prefer c }"));
    const struct pool_settings *pool = &config->core.pools[0];

    (void)state;
    assert_int_equal(pool->units[0].prefer_count, 2);
    expect_addr(&pool->units[0].prefer[0], "10.0.0.2");
    expect_addr(&pool->units[0].prefer[1], "10.0.0.9");
    assert_int_equal(pool->units[0].eligible_count, 0);
    assert_int_equal(pool->units[1].eligible_count, 2);
    expect_addr(&pool->units[1].eligible[0], "10.0.0.1");
    expect_addr(&pool->units[1].prefer[0], "10.0.0.3");
    config_free(config);
}

static void test_config__isolation_targets_none__switches_the_check_off(void **state)
{
    struct config *config = load(POOL(" isolation_targets none"));

    (void)state;
    assert_false(config->core.pools[0].isolation_check);
    assert_int_equal(config->pools[0].target_count, 0);
    config_free(config);
}

static void test_config__same_vrid_on_other_wires__is_fine(void **state)
{
    struct config *config =
        load(POOL("") "vrrp_pool six { interface eth0 virtual_ipaddress { 2001:db8::32/64 } }\n"
                      "vrrp_pool other { interface eth1 priority 7 virtual_ipaddress { 10.0.0.50/24 } }\n");

    (void)state;
    assert_int_equal(config->core.pool_count, 3);
    assert_string_equal(config->core.pools[0].name, "other");
    assert_string_equal(config->core.pools[1].name, "six");
    config_free(config);
}

static void test_config__sample__has_nine_addresses_and_all_defaults(void **state)
{
    char path[512], findings[FINDINGS_MAX] = "";
    const char *srcdir = getenv("srcdir");
    struct config *plain, *config;
    FILE *in;
    char *text = calloc(1, 65536), *uncommented = calloc(1, 65536);

    (void)state;
    snprintf(path, sizeof(path), "%s/conf/evenkeel.conf", srcdir != NULL ? srcdir : ".");
    config = config_load(path, collect, findings);
    assert_string_equal(findings, "");
    assert_int_equal(config->core.pools[0].unit_count, 9);
    expect_addr(&config->core.pools[0].units[8].addresses[0], "192.0.2.59");

    /* A comment that shows a default must not lie: taken out of its comment it changes nothing. */
    in = fopen(path, "r");
    assert_non_null(in);
    assert_true(fread(text, 1, 65535, in) > 0);
    fclose(in);
    for (char *from = text, *to = uncommented; *from != '\0'; from++) {
        bool shown = strncmp(from, "\n    #", 6) == 0 && from[6] != ' ' && strncmp(from + 6, "members", 7) != 0 &&
                     strncmp(from + 6, "}", 1) != 0 && strncmp(from + 6, "member_router_id", 16) != 0 &&
                     strncmp(from + 6, "isolation_targets", 17) != 0;

        *to++ = *from;
        if (shown)
            from += 5;
    }
    plain = load(uncommented);
    assert_true(strstr(uncommented, "\ngarp_interval 0.001") != NULL);
    assert_true(plain->hash == config->hash);
    config_free(plain);
    config_free(config);
    free(text);
    free(uncommented);
}

/* --- hash and print --- */

static void expect_print_round_trip(const char *text)
{
    struct config *config = load(text), *again;
    char *printed = print(config), *printed_again;

    again = load(printed);
    printed_again = print(again);
    assert_string_equal(printed, printed_again);
    assert_true(config->hash == again->hash);
    free(printed);
    free(printed_again);
    config_free(config);
    config_free(again);
}

static void test_config__printed__reads_back_the_same(void **state)
{
    (void)state;
    expect_print_round_trip(POOL(""));
    expect_print_round_trip(
        VIPS(" 192.0.2.1\n { 192.0.2.53/24  198.51.100.53/24 dev eth1  2001:db8::53/64 } prefer 10.0.0.2\n"
             " {\n 192.0.2.7/24\n 192.0.2.6/24\n }\n"));
    expect_print_round_trip(VIPS(" 2001:db8::5/64\n { 2001:db8::6 fe80::77/64 } vrid 6\n { 192.0.2.1 2001:db8::7 }\n"));
    expect_print_round_trip(POOL(" version 2\n member_router_id 9\n rebalance_moves all\n isolation_targets none\n"
                                 " members { a 10.0.0.1 }\n strict_members\n address_mode resident\n arp_filter on\n"
                                 " virtual_router_id 77"));
    expect_print_round_trip(
        POOL(" isolation_targets 10.9.9.9\n garp_interval 0.000001\n vips_per_vrid 8\n"
             " virtual_ipaddress { 192.0.2.51 192.0.2.52 { 10.0.0.1 192.0.2.98 dev eth9 } 192.0.2.99 vrid 2 }"));
}

#define POOL_A_VALUES                                                                                                  \
    " interface eth1\n", " priority 9\n", " members {\n x 10.9.0.1\n y 10.9.0.2\n }\n",                                \
        " isolation_targets 10.9.0.7 10.9.0.8\n"
static const char *const shuffled_values[] = {POOL_A_VALUES};
static const char *const shuffled_vips[] = {" 10.0.0.50/24 members x y\n", " 10.0.0.51/24 vrid 3\n",
                                            " 10.0.0.52/24 prefer y\n",
                                            " { 10.0.0.53/24 10.0.0.9/24\n 10.0.1.1/24 dev eth0 }\n",
                                            " {\n 10.0.0.60/24\n 10.0.0.70/24\n 10.0.0.65/24 dev eth2\n }\n"};
static const char *const shuffled_group[] = {" { 10.0.0.53/24 10.0.0.9/24\n 10.0.1.1/24 dev eth0 }\n",
                                             " {\n 10.0.1.1/24 dev eth0\n 10.0.0.53/24 10.0.0.9/24\n }\n"};

/* The same pools with everything turned round `turn` times. */
static struct config *load_shuffled(unsigned turn)
{
    char text[4096] = "";
    const char *b = "vrrp_pool b { interface eth0 virtual_ipaddress { 10.1.0.1/24 10.1.0.2/24 } }\n";
    const char *b2 = "vrrp_pool b {\n virtual_ipaddress {\n 10.1.0.2/24\n 10.1.0.1/24\n }\n interface eth0\n}\n";

    if (turn % 2 == 0)
        strcat(text, b);
    strcat(text, "vrrp_pool a {\n");
    for (unsigned i = 0; i < 4; i++)
        strcat(text, shuffled_values[(i + turn) % 4]);
    strcat(text, " virtual_ipaddress {\n");
    for (unsigned i = 0; i < 5; i++) {
        unsigned at = (i * 2 + turn) % 5;

        strcat(text, at == 3 ? shuffled_group[turn % 2] : shuffled_vips[at]);
    }
    strcat(text, " }\n}\n");
    if (turn % 2 != 0)
        strcat(text, b2);
    return load(text);
}

static void test_config__order_of_lines__does_not_matter(void **state)
{
    struct config *first = load_shuffled(0), *other;
    char *printed = print(first), *other_printed;

    (void)state;
    for (unsigned turn = 1; turn < 20; turn++) {
        other = load_shuffled(turn);
        other_printed = print(other);
        assert_string_equal(printed, other_printed);
        assert_true(first->hash == other->hash);
        free(other_printed);
        config_free(other);
    }
    other = load(POOL(""));
    assert_true(first->hash != other->hash);
    config_free(other);
    config_free(first);
    free(printed);
}

/* --- speed --- */

static void test_config__500_lines__are_read_in_milliseconds(void **state)
{
    char *text = calloc(1, 65536);
    struct timespec before, after;
    size_t used = (size_t)sprintf(text, "vrrp_pool web {\n interface eth0\n vips_per_vrid 2\n virtual_ipaddress {\n");

    (void)state;
    for (unsigned i = 0; i < 494; i++)
        used += (size_t)sprintf(text + used, "  10.0.%u.%u/16 # comment\n", i / 250, i % 250 + 1);
    sprintf(text + used, " }\n}\n");
    clock_gettime(CLOCK_MONOTONIC, &before);
    config_free(load(text));
    clock_gettime(CLOCK_MONOTONIC, &after);
    print_message("500 lines: %.2f ms\n",
                  (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__smallest_file__gets_the_defaults),
        cmocka_unit_test(test_config__every_keyword__reaches_the_model),
        cmocka_unit_test(test_config__one_line__is_split_by_the_table),
        cmocka_unit_test(test_config__units__get_addresses_links_and_vrids),
        cmocka_unit_test(test_config__first_address_of_a_line__gives_the_vrid),
        cmocka_unit_test(test_config__address_on_another_link_first__does_not_give_the_vrid),
        cmocka_unit_test(test_config__ipv6_pool__leads_with_a_link_local),
        cmocka_unit_test(test_config__virtual_router_id__counts_in_the_files_order),
        cmocka_unit_test(test_config__vips_per_vrid__packs_neighbours_stably),
        cmocka_unit_test(test_config__members_and_prefer__are_resolved),
        cmocka_unit_test(test_config__isolation_targets_none__switches_the_check_off),
        cmocka_unit_test(test_config__same_vrid_on_other_wires__is_fine),
        cmocka_unit_test(test_config__sample__has_nine_addresses_and_all_defaults),
        cmocka_unit_test(test_config__printed__reads_back_the_same),
        cmocka_unit_test(test_config__order_of_lines__does_not_matter),
        cmocka_unit_test(test_config__500_lines__are_read_in_milliseconds),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
