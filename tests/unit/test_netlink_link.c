/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/netlink_link.c: what the kernel says of a link is read as it is, whatever is missing or malformed; and what
 * is asked of it is what the kernel reads, whose side the reader plays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "base/check.h"
#include "platform/netlink_message.h"

struct heard {
    unsigned count;
    struct netlink_event event;
};

static void hear(void *context, const struct netlink_event *event)
{
    struct heard *heard = context;

    heard->count++;
    heard->event = *event;
}

static struct netlink_event read_back(struct nl_msg *message)
{
    struct heard heard = {0};

    assert_non_null(message);
    nlmsg_hdr(message)->nlmsg_type = RTM_NEWLINK;
    netlink_message_read(nlmsg_hdr(message), hear, &heard);
    nlmsg_free(message);
    assert_int_equal(heard.count, 1);
    return heard.event;
}

static void test_macvlan__as_it_is_asked_for__is_private_on_its_link_and_down(void **state)
{
    const struct netlink_change change = {
        .kind = NETLINK_PUT_MACVLAN, .ifindex = 7, .text = "vrrp.51", .mac = {0, 0, 0x5e, 0, 1, 51}};
    const struct netlink_event event = read_back(netlink_message_change(&change));

    (void)state;
    assert_string_equal(event.name, "vrrp.51");
    assert_memory_equal(event.mac, change.mac, sizeof(change.mac));
    assert_int_equal(event.lower, 7);
    assert_true(event.macvlan && event.private);
    assert_false(event.admin_up || event.arp.ignore != 0);
    assert_string_equal(event.alias, "");
}

static void test_macvlan__marked__bears_the_mark(void **state)
{
    const struct netlink_change change = {.kind = NETLINK_MARK_MACVLAN, .ifindex = 9, .text = "evenkeel_web: eth0"};
    const struct netlink_event event = read_back(netlink_message_change(&change));

    (void)state;
    assert_int_equal(event.ifindex, 9);
    assert_string_equal(event.alias, "evenkeel_web: eth0");
}

/* In a dump the settings are one array; in a request, as the one above, they are attributes. */
static struct nl_msg *link_with_settings(unsigned count)
{
    const struct ifinfomsg info = {.ifi_index = 7, .ifi_flags = IFF_UP | IFF_LOWER_UP};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    uint32_t values[64];

    for (unsigned i = 0; i < ARRAY_LENGTH(values); i++)
        values[i] = 100 + i;
    assert_non_null(message);
    assert_int_equal(nlmsg_append(message, (void *)(uintptr_t)&info, sizeof(info), NLMSG_ALIGNTO), 0);
    struct nlattr *families = nla_nest_start(message, IFLA_AF_SPEC), *inet = nla_nest_start(message, AF_INET);

    assert_int_equal(nla_put(message, IFLA_INET_CONF, (int)(count * sizeof(values[0])), values), 0);
    nla_nest_end(message, inet);
    nla_nest_end(message, families);
    return message;
}

static void test_settings__are_read_by_their_numbers_and_not_from_a_short_array(void **state)
{
    struct netlink_event event = read_back(link_with_settings(40));

    (void)state;
    assert_true(event.admin_up && event.carrier);
    assert_int_equal(event.arp.ignore, 100 + IPV4_DEVCONF_ARP_IGNORE - 1);
    assert_int_equal(event.arp.announce, 100 + IPV4_DEVCONF_ARP_ANNOUNCE - 1);
    assert_int_equal(event.arp.rp_filter, 100 + IPV4_DEVCONF_RP_FILTER - 1);
    event = read_back(link_with_settings(10));
    assert_int_equal(event.arp.ignore + event.arp.announce + event.arp.rp_filter, 0);
}

/* Any cut of a message is no crash; what is whole before the cut may be told. */
static void test_link__cut_short__is_survived(void **state)
{
    const struct netlink_change change = {.kind = NETLINK_PUT_MACVLAN, .ifindex = 7, .text = "vrrp.51"};
    struct nl_msg *message = netlink_message_change(&change);
    struct heard heard = {0};

    (void)state;
    assert_non_null(message);
    nlmsg_hdr(message)->nlmsg_type = RTM_NEWLINK;
    for (uint32_t length = nlmsg_hdr(message)->nlmsg_len; length >= NLMSG_HDRLEN; length--) {
        struct nlmsghdr *copy = malloc(length);

        assert_non_null(copy);
        memcpy(copy, nlmsg_hdr(message), length);
        copy->nlmsg_len = length;
        netlink_message_read(copy, hear, &heard);
        free(copy);
    }
    nlmsg_free(message);
    assert_true(heard.count > 0);
}

static void test_verdict__gone_already__is_success_where_it_was_to_go(void **state)
{
    (void)state;
    assert_int_equal(netlink_message_verdict(&(struct netlink_change){.kind = NETLINK_DOOM_LINK}, ENODEV), 0);
    assert_int_equal(netlink_message_verdict(&(struct netlink_change){.kind = NETLINK_REMOVE_DOOMED}, ENODEV), 0);
    assert_int_equal(netlink_message_verdict(&(struct netlink_change){.kind = NETLINK_PUT_MACVLAN}, EEXIST), EEXIST);
    assert_int_equal(netlink_message_verdict(&(struct netlink_change){.kind = NETLINK_NO_AUTOCONF}, EAFNOSUPPORT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macvlan__as_it_is_asked_for__is_private_on_its_link_and_down),
        cmocka_unit_test(test_macvlan__marked__bears_the_mark),
        cmocka_unit_test(test_settings__are_read_by_their_numbers_and_not_from_a_short_array),
        cmocka_unit_test(test_link__cut_short__is_survived),
        cmocka_unit_test(test_verdict__gone_already__is_success_where_it_was_to_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
