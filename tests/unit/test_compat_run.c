/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file with keepalived's words becomes for core and daemon: sets, links, leases, groups, pacing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mono.h"
#include "compat.h"

#define FINDINGS_MAX 8192
#define POOL "vrrp_pool instances {\n interface eth1\n virtual_ipaddress {\n 198.51.100.9/24\n }\n}\n"

static void collect(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                    const char *text)
{
    char *out = context;
    size_t used = strlen(out);

    (void)file;
    snprintf(out + used, FINDINGS_MAX - used, "%u:%u: %s%s\n", line, column,
             severity == CONFIG_WARNING ? "warning: " : "", text);
}

static struct config *load(const char *text, char findings[static FINDINGS_MAX])
{
    findings[0] = '\0';
    return compat_read((struct config_request){.path = "f", .text = text, .length = strlen(text), .config_id = "h"},
                       collect, findings);
}

static char *instance(char *out, const char *name, unsigned vrid, const char *lines)
{
    return out + sprintf(out,
                         "vrrp_instance %s {\n interface eth0\n virtual_router_id %u\n %s\n"
                         " virtual_ipaddress {\n 10.0.%u.1/24\n }\n}\n",
                         name, vrid, lines, vrid);
}

static const struct unit_settings *unit_named(const struct config *config, const char *name, unsigned *set)
{
    for (unsigned p = config->core.pool_count; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            if (strcmp(config->core.pools[p].units[u].instance->name, name) == 0) {
                *set = p;
                return &config->core.pools[p].units[u];
            }
    fail_msg("there is no instance %s", name);
    return NULL;
}

static void test_compat_run__sample__runs_without_a_finding(void **state)
{
    const char *srcdir = getenv("srcdir");
    char path[512], findings[FINDINGS_MAX] = "";

    (void)state;
    snprintf(path, sizeof(path), "%s/conf/instances.conf", srcdir != NULL ? srcdir : ".");
    struct config *config = compat_read((struct config_request){.path = path, .config_id = "h"}, collect, findings);

    assert_string_equal(findings, "");
    assert_int_equal(settings_instance_count(&config->core), 3);
    config_free(config);
}

static void test_compat_run__a_pool_of_the_sets_name__leaves_another_name_to_the_set(void **state)
{
    char text[4096], findings[FINDINGS_MAX], *end = text + sprintf(text, POOL);

    (void)state;
    instance(end, "V1", 1, "");
    struct config *config = load(text, findings);

    assert_string_equal(findings, "");
    assert_int_equal(config->core.pool_count, 1);
    assert_int_equal(config->core.set_count, 1);
    assert_string_equal(config->core.pools[0].name, "instances");
    assert_string_equal(config->core.pools[1].name, "instances2");
    assert_int_equal(config->core.link_count, 2);
    assert_string_equal(config->links[0], "eth1");
    assert_string_equal(config->links[1], "eth0");
    assert_int_equal(config->core.pools[1].units[0].link, 1);
    config_free(config);
}

/* A FIFO's reader knows MASTER_PRIORITY and BACKUP_PRIORITY only. */
static void test_compat_run__priority_in_fault__has_the_backups_word(void **state)
{
    char text[4096], findings[FINDINGS_MAX];

    (void)state;
    instance(text, "V", 1, "");
    struct config *config = load(text, findings);
    const struct config_words *words = config->extension->words;

    assert_string_equal(words->priorities[INSTANCE_ACTIVE], "MASTER_PRIORITY");
    assert_string_equal(words->priorities[INSTANCE_BACKUP], "BACKUP_PRIORITY");
    assert_string_equal(words->priorities[INSTANCE_FAULT], "BACKUP_PRIORITY");
    config_free(config);
}

static void test_compat_run__a_pool_alone__is_as_without_the_extension(void **state)
{
    char findings[FINDINGS_MAX];
    struct config *config = load(POOL, findings);

    (void)state;
    struct config *plain = config_load_text("f", POOL, strlen(POOL), 0, collect, findings);

    assert_string_equal(findings, "");
    assert_null(config->instances);
    assert_int_equal(config->core.set_count, 0);
    assert_non_null(plain);
    config_free(plain);
    config_free(config);
}

static void test_compat_run__filter_modes__make_sets_of_their_own(void **state)
{
    char text[8192] = "global_defs {\n arp_filter on\n}\n", findings[FINDINGS_MAX], *end = text + strlen(text);
    unsigned a, b, c, d;

    (void)state;
    end = instance(end, "A", 1, "");
    end = instance(end, "B", 2, "arp_filter off");
    end = instance(end, "C", 3, "arp_filter lease");
    instance(end, "D", 4, "arp_filter lease\n down_timer_adverts 1");
    struct config *config = load(text, findings);

    assert_string_equal(findings, "28:15: warning: vrrp_instance D: with down_timer_adverts 1 no time is left for "
                                  "arp_filter lease; on is used\n");
    unit_named(config, "A", &a);
    unit_named(config, "B", &b);
    unit_named(config, "C", &c);
    unit_named(config, "D", &d);
    assert_int_equal(config->pools[a].filter_mode, FILTER_ON);
    assert_int_equal(config->pools[b].filter_mode, FILTER_OFF);
    assert_int_equal(config->pools[c].filter_mode, FILTER_LEASE);
    assert_int_equal(d, a);
    assert_int_equal(config->core.set_count, 3);
    config_free(config);
}

static void test_compat_run__lease__ends_before_others_take_over(void **state)
{
    static const struct {
        const char *lines;
        int64_t lease_us;
    } rows[] = {
        {"", 2500 * US_PER_MS},
        {"down_timer_adverts 2", 1500 * US_PER_MS},
        {"down_timer_adverts 10", 2500 * US_PER_MS},
        {"version 3\n advert_int 0.1", 250 * US_PER_MS},
        {"down_timer_adverts 1", 1500 * US_PER_MS},
    };
    char text[4096], findings[FINDINGS_MAX];
    unsigned set;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        instance(text, "V", 1, rows[i].lines);
        struct config *config = load(text, findings);

        assert_int_equal(unit_named(config, "V", &set)->instance->lease_us, rows[i].lease_us);
        assert_int_equal(config->pools[set].units[0].router->lease_us, rows[i].lease_us);
        config_free(config);
    }
}

static void test_compat_run__excluded_addresses__move_along_and_are_not_advertised(void **state)
{
    const char *text =
        "vrrp_instance V {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.0.0.1/24\n }\n"
        " virtual_ipaddress_excluded {\n 10.1.0.1/24 dev eth2\n 2001:db8::1/64 dev eth3 no_track\n }\n}\n";
    char findings[FINDINGS_MAX];
    struct config *config = load(text, findings);

    (void)state;
    const struct unit_settings *unit = &config->core.pools[0].units[0];
    const struct config_unit *more = &config->pools[0].units[0];

    assert_int_equal(unit->address_count, 1);
    assert_int_equal(more->vip_count, 3);
    assert_int_equal(more->vips[1].link, 1);
    assert_int_equal(more->vips[2].link, 2);
    assert_int_equal(unit->links, 3); /* the one that is not tracked may be down */
    assert_true(more->vips[2].options->no_track);
    assert_false(more->router->use_vmac);
    assert_true(more->router->vmac_xmit_base);
    config_free(config);
}

static void test_compat_run__groups__are_named_by_index(void **state)
{
    char text[8192] = "vrrp_sync_group none {\n group {\n X\n }\n}\nvrrp_sync_group G {\n group {\n V2\n V3\n }\n}\n";
    char findings[FINDINGS_MAX], *end = text + strlen(text);
    unsigned set;

    (void)state;
    end = instance(end, "V1", 1, "");
    end = instance(end, "V2", 2, "");
    instance(end, "V3", 3, "");
    struct config *config = load(text, findings);

    assert_int_equal(config->core.group_count, 1);
    assert_string_equal(config->instances->groups[0].name, "G");
    assert_int_equal(unit_named(config, "V1", &set)->instance->group, INSTANCE_NO_GROUP);
    assert_int_equal(unit_named(config, "V2", &set)->instance->group, 0);
    assert_int_equal(unit_named(config, "V3", &set)->instance->group, 0);
    config_free(config);
}

static void test_compat_run__pace__is_the_groups_own_or_that_for_all(void **state)
{
    char text[4096] =
        "global_defs {\n vrrp_garp_interval 0.01\n}\ngarp_group {\n garp_interval 0.2\n interface eth0\n}\n";
    char findings[FINDINGS_MAX];

    (void)state;
    char *end = instance(text + strlen(text), "V", 1, "");

    sprintf(end, "vrrp_instance W {\n interface eth9\n virtual_router_id 1\n virtual_ipaddress {\n 10.9.0.1\n }\n}\n");
    struct config *config = load(text, findings);

    assert_int_equal(config->core.link_count, 2);
    assert_int_equal(config->instances->paces[0].arp_us, 200 * US_PER_MS);
    assert_int_equal(config->instances->paces[1].arp_us, 10 * US_PER_MS);
    config_free(config);
}

static void test_compat_run__more_interfaces_than_there_is_room_for__is_an_error(void **state)
{
    char text[8192], findings[FINDINGS_MAX], *end = text;

    (void)state;
    for (unsigned i = 0; i < 33; i++)
        end += sprintf(end,
                       "vrrp_instance V%u {\n interface eth%u\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.%u.1\n"
                       " }\n}\n",
                       i, i, i);
    assert_null(load(text, findings));
    assert_string_equal(findings, "225:15: interface eth32 is one too many; at most 32 can be used\n");
}

static void test_compat_run__300_instances__are_two_sets(void **state)
{
    static char text[262144];
    char findings[FINDINGS_MAX], *end = text;

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        end += sprintf(end,
                       "vrrp_instance V%u {\n interface eth%u\n virtual_router_id %u\n virtual_ipaddress {\n"
                       " 10.%u.%u.1/24\n }\n}\n",
                       i, i / 200, 1 + i % 200, i / 200, i % 200);
    struct config *config = load(text, findings);

    assert_string_equal(findings, "");
    assert_int_equal(config->core.set_count, 2);
    assert_int_equal(config->core.pools[0].unit_count, 255);
    assert_int_equal(config->core.pools[1].unit_count, 45);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compat_run__sample__runs_without_a_finding),
        cmocka_unit_test(test_compat_run__a_pool_of_the_sets_name__leaves_another_name_to_the_set),
        cmocka_unit_test(test_compat_run__priority_in_fault__has_the_backups_word),
        cmocka_unit_test(test_compat_run__a_pool_alone__is_as_without_the_extension),
        cmocka_unit_test(test_compat_run__filter_modes__make_sets_of_their_own),
        cmocka_unit_test(test_compat_run__lease__ends_before_others_take_over),
        cmocka_unit_test(test_compat_run__excluded_addresses__move_along_and_are_not_advertised),
        cmocka_unit_test(test_compat_run__groups__are_named_by_index),
        cmocka_unit_test(test_compat_run__pace__is_the_groups_own_or_that_for_all),
        cmocka_unit_test(test_compat_run__more_interfaces_than_there_is_room_for__is_an_error),
        cmocka_unit_test(test_compat_run__300_instances__are_two_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
