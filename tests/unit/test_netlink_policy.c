/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/netlink_route.c and netlink_rule.c: what is asked of the kernel is recognised when the kernel says it, and
 * nothing else is. The kernel's side is played by the request itself, since a dump has the same attributes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "base/check.h"
#include "platform/netlink_policy.h"

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

static struct net_route make_route(const char *to, uint8_t length, struct net_next_hop *hops, unsigned count)
{
    struct net_route route = {
        .to = address(to),
        .to_length = length,
        .hops = hops,
        .hop_count = count,
        .table = 254,
        .protocol = 18,
        .scope = NET_UNSET,
    };

    route.family = route.to.family;
    return route;
}

static struct net_rule make_rule(const char *from, uint8_t length)
{
    struct net_rule rule = {
        .from = address(from),
        .from_length = length,
        .table = 1000,
        .preference = 100,
        .suppress_prefix_length = NET_UNSET,
        .suppress_group = NET_UNSET,
        .uids = {NET_UNSET, NET_UNSET},
        .source_ports = {NET_UNSET, NET_UNSET},
        .destination_ports = {NET_UNSET, NET_UNSET},
        .protocol = 18,
    };

    rule.family = rule.from.family;
    return rule;
}

/* `asked` for, and seen in a dump: is it `wanted`? */
static bool route_is(const struct net_route *asked, const int *ifindexes, const struct net_route *wanted,
                     const int *wanted_ifindexes)
{
    const struct netlink_change change = {.kind = NETLINK_PUT_ROUTE, .route = asked, .hop_ifindexes = ifindexes};
    struct nl_msg *message = netlink_route_message(&change);
    struct netlink_policy policy = {0};

    assert_non_null(message);
    assert_true(netlink_route_read(nlmsg_hdr(message), &policy));
    bool is = netlink_is_route(&policy, wanted, wanted_ifindexes);

    nlmsg_free(message);
    return is;
}

static bool rule_is(const struct net_rule *asked, const struct net_rule *wanted)
{
    const struct netlink_change change = {.kind = NETLINK_PUT_RULE, .rule = asked};
    struct nl_msg *message = netlink_rule_message(&change);
    struct netlink_policy policy = {0};

    assert_non_null(message);
    assert_true(netlink_rule_read(nlmsg_hdr(message), &policy));
    bool is = netlink_is_rule(&policy, wanted);

    nlmsg_free(message);
    return is;
}

static void test_route__asked_for__is_recognised_and_others_are_not(void **state)
{
    struct net_next_hop hop = {.via = address("10.0.0.1"), .device = "eth0", .weight = 1};
    struct net_next_hop other_hop = {.via = address("10.0.0.2"), .device = "eth0", .weight = 1};
    const int eth0[] = {2}, eth1[] = {3};
    const struct net_route route = make_route("10.1.0.0", 16, &hop, 1);
    struct net_route others[11];

    (void)state;
    assert_true(route_is(&route, eth0, &route, eth0));
    assert_false(route_is(&route, eth0, &route, eth1));
    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++)
        others[i] = route;
    others[0].to = address("10.2.0.0");
    others[1].to_length = 17;
    others[2].table = 1000;
    others[3].metric = 5;
    others[4].tos = 0x10;
    others[5].protocol = 4;
    others[6].scope = 253;
    others[7].source = address("10.0.0.9");
    others[8].hops = &other_hop;
    others[9].type = NET_BLACKHOLE;
    others[10].hop_count = 0;
    others[10].type = NET_PROHIBIT;
    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++) {
        assert_false(route_is(&route, eth0, &others[i], eth0));
        assert_false(route_is(&others[i], eth0, &route, eth0));
        assert_true(route_is(&others[i], eth0, &others[i], eth0));
    }
}

static void test_route__with_many_next_hops__counts_each_with_its_weight(void **state)
{
    static struct net_next_hop hops[200], others[200];
    static int ifindexes[200];
    struct net_route route = make_route("2001:db8::", 32, hops, ARRAY_LENGTH(hops)), other = route;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(hops); i++) {
        hops[i] = (struct net_next_hop){.via = address("fe80::1"), .weight = (int32_t)(i % 256 + 1)};
        hops[i].via.bytes[15] = (uint8_t)i;
        others[i] = hops[i];
        ifindexes[i] = 2;
    }
    route.metric = 1024; /* what the kernel takes for none */
    other.hops = others;
    assert_true(route_is(&route, ifindexes, &route, ifindexes));
    route.metric = 0;
    other.metric = 1024;
    assert_true(route_is(&other, ifindexes, &route, ifindexes));
    others[150].weight = 7;
    assert_false(route_is(&other, ifindexes, &route, ifindexes));
    others[150] = hops[150];
    other.hop_count = 1;
    assert_false(route_is(&other, ifindexes, &route, ifindexes));
    assert_false(route_is(&route, ifindexes, &other, ifindexes));
}

static void test_route__gateway_of_the_other_family__is_told_apart(void **state)
{
    struct net_next_hop hop = {.via = address("fe80::1"), .device = "eth0", .weight = 1}, plain = hop;
    const int eth0[] = {2};
    struct net_route route = make_route("10.1.0.0", 16, &hop, 1), other = route;

    (void)state;
    plain.via = address("10.0.0.1");
    other.hops = &plain;
    assert_true(route_is(&route, eth0, &route, eth0));
    assert_false(route_is(&route, eth0, &other, eth0));
    assert_false(route_is(&other, eth0, &route, eth0));
    plain.via = ADDR_NONE;
    assert_false(route_is(&route, eth0, &other, eth0));
    plain.via = address("fe80::2");
    assert_false(route_is(&route, eth0, &other, eth0));
}

static void test_rule__asked_for__is_recognised_and_others_are_not(void **state)
{
    const struct net_rule rule = make_rule("10.1.0.0", 16);
    struct net_rule others[16];

    (void)state;
    assert_true(rule_is(&rule, &rule));
    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++)
        others[i] = rule;
    others[0].from = address("10.2.0.0");
    others[1].to = address("10.2.0.0");
    others[1].to_length = 16;
    others[2].table = 1001;
    others[3].preference = 101;
    others[4].tos = 0x10;
    others[5].mark = others[5].mark_mask = 1;
    others[6].input = "eth0";
    others[7].output = "eth0";
    others[8].suppress_prefix_length = 0;
    others[9].suppress_group = 0;
    others[10].uids = (struct net_range){0, 0};
    others[11].source_ports = (struct net_range){1, 2};
    others[12].ip_protocol = 17;
    others[13].invert = true;
    others[14].action = NET_GOTO;
    others[14].goto_preference = 200;
    others[15].protocol = 4;
    for (unsigned i = 0; i < ARRAY_LENGTH(others); i++) {
        assert_false(rule_is(&rule, &others[i]));
        assert_false(rule_is(&others[i], &rule));
        assert_true(rule_is(&others[i], &others[i]));
    }
}

static void test_rule__without_a_preference__is_recognised_by_the_rest(void **state)
{
    struct net_rule asked = make_rule("2001:db8::", 32), wanted = asked;

    (void)state;
    wanted.preference = NET_UNSET;
    assert_true(rule_is(&asked, &wanted));
    wanted.from_length = 33;
    assert_false(rule_is(&asked, &wanted));
}

static void test_read__of_cut_messages__says_no_and_reads_nothing_behind_them(void **state)
{
    struct net_next_hop hops[2] = {{.via = address("10.0.0.1"), .weight = 1},
                                   {.via = address("10.0.0.2"), .weight = 1}};
    const int any[2] = {0};
    const struct net_route route = make_route("10.1.0.0", 16, hops, 2);
    const struct netlink_change change = {.kind = NETLINK_PUT_ROUTE, .route = &route, .hop_ifindexes = any};
    struct nl_msg *message = netlink_route_message(&change);
    uint32_t whole = nlmsg_hdr(message)->nlmsg_len;

    (void)state;
    for (uint32_t length = NLMSG_HDRLEN; length < whole; length++) {
        struct nlmsghdr *cut = malloc(length); /* so that a sanitizer sees a step too far */
        struct netlink_policy policy = {0};

        assert_non_null(cut);
        memcpy(cut, nlmsg_hdr(message), length);
        cut->nlmsg_len = length;
        if (netlink_route_read(cut, &policy))
            assert_false(netlink_is_route(&policy, &route, any));
        assert_false(netlink_rule_read(cut, &policy));
        free(cut);
    }
    nlmsg_free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route__asked_for__is_recognised_and_others_are_not),
        cmocka_unit_test(test_route__with_many_next_hops__counts_each_with_its_weight),
        cmocka_unit_test(test_route__gateway_of_the_other_family__is_told_apart),
        cmocka_unit_test(test_rule__asked_for__is_recognised_and_others_are_not),
        cmocka_unit_test(test_rule__without_a_preference__is_recognised_by_the_rest),
        cmocka_unit_test(test_read__of_cut_messages__says_no_and_reads_nothing_behind_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
