/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/kernel_state.c: what netlink says becomes a picture of links and VIPs, and what must change. No kernel is
 * asked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "platform/kernel_state.h"

struct picture {
    struct config_vip vips[3];
    struct config_unit units[2];
    struct config_pool pool;
    struct pool_settings settings;
    char links[2][CONFIG_INTERFACE_MAX];
    struct config config;
    struct state state;
    struct netlink_change changes[8];
    unsigned of[8];
};

static struct addr address(const char *text)
{
    struct addr a;

    assert_true(addr_parse(text, &a));
    return a;
}

/* Unit 0: 10.0.0.50/24 on eth0 and 10.1.0.50/24 on eth1; unit 1: 2001:db8::50/64 on eth0. */
static int make(void **out)
{
    struct picture *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->vips[0] = (struct config_vip){.address = address("10.0.0.50"), .prefix_length = 24, .link = 0};
    p->vips[1] = (struct config_vip){.address = address("10.1.0.50"), .prefix_length = 24, .link = 1};
    p->vips[2] = (struct config_vip){.address = address("2001:db8::50"), .prefix_length = 64, .link = 0};
    p->units[0] = (struct config_unit){.vip_count = 2, .vips = &p->vips[0]};
    p->units[1] = (struct config_unit){.vip_count = 1, .vips = &p->vips[2]};
    p->pool.units = p->units;
    p->settings.unit_count = 2;
    strcpy(p->links[0], "eth0");
    strcpy(p->links[1], "eth1");
    p->config = (struct config){
        .core = {.pool_count = 1, .link_count = 2, .pools = &p->settings},
        .pools = &p->pool,
        .links = p->links,
    };
    assert_int_equal(state_init(&p->state, &p->config), 0);
    *out = p;
    return 0;
}

static int unmake(void **out)
{
    struct picture *p = *out;

    state_check(&p->state);
    state_free(&p->state);
    free(p);
    return 0;
}

static void tell_link(struct picture *p, const char *name, int ifindex, bool up)
{
    struct netlink_event event = {.kind = NETLINK_LINK, .ifindex = ifindex, .mtu = 1500, .admin_up = up, .carrier = up};

    strcpy(event.name, name);
    state_event(&p->state, &event);
}

static void tell_address(struct picture *p, enum netlink_event_kind kind, int ifindex, const char *text, uint8_t prefix)
{
    const struct netlink_event event = {
        .kind = (uint8_t)kind,
        .ifindex = ifindex,
        .address = address(text),
        .prefix_length = prefix,
        .usable = true,
    };

    state_event(&p->state, &event);
}

static unsigned changes(struct picture *p)
{
    state_check(&p->state);
    return state_changes(&p->state, STATE_UNHURRIED, p->changes, p->of, ARRAY_LENGTH(p->changes));
}

static void test_changes__wanted_and_absent__are_put_on_their_own_links(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth1", 8, true);
    tell_link(p, "eth2", 9, true);
    p->state.vips[0].wanted = p->state.vips[1].wanted = true;
    assert_int_equal(changes(p), 2);
    assert_int_equal(p->changes[0].kind, NETLINK_PUT_ADDRESS);
    assert_int_equal(p->changes[0].ifindex, 7);
    assert_int_equal(p->changes[1].ifindex, 8);
    assert_int_equal(p->changes[1].prefix_length, 24);
    state_changed(&p->state, p->of[0], &p->changes[0]);
    p->changes[1].error = ENOBUFS;
    state_changed(&p->state, p->of[1], &p->changes[1]);
    assert_true(p->state.vips[0].present);
    assert_false(p->state.vips[1].present);
    assert_int_equal(p->state.vips[1].error, ENOBUFS);
    p->state.vips[1].held_back = true;
    assert_int_equal(changes(p), 0);
}

static void test_changes__present_and_unwanted__are_removed_first(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "2001:db8::50", 64);
    p->state.vips[0].wanted = true;
    assert_int_equal(changes(p), 2);
    assert_int_equal(p->changes[0].kind, NETLINK_REMOVE_ADDRESS);
    assert_int_equal(p->of[0], 2);
    assert_int_equal(p->changes[1].kind, NETLINK_PUT_ADDRESS);
}

static void test_changes__in_parts__awaited_ones_apart_and_no_more_than_asked_for(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth1", 8, true);
    for (unsigned i = 0; i < 3; i++)
        p->state.vips[i].wanted = true;
    p->state.vips[1].awaited = true;
    assert_int_equal(state_changes(&p->state, STATE_AWAITED, p->changes, p->of, 8), 1);
    assert_int_equal(p->of[0], 1);
    assert_int_equal(changes(p), 2);
    assert_int_equal(p->of[1], 2);
    assert_int_equal(state_changes(&p->state, STATE_UNHURRIED, p->changes, p->of, 1), 1);
    assert_int_equal(p->of[0], 0);
    tell_address(p, NETLINK_ADDRESS, 8, "10.1.0.50", 24);
    assert_int_equal(state_changes(&p->state, STATE_REMOVE_ALL, p->changes, p->of, 8), 1);
    assert_int_equal(p->of[0], 1);
}

static void test_changes__wrong_prefix_length__is_taken_away_before_the_right_one_comes(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "2001:db8::50", 128);
    p->state.vips[2].wanted = true;
    assert_int_equal(changes(p), 2);
    assert_int_equal(p->changes[0].kind, NETLINK_REMOVE_ADDRESS);
    assert_int_equal(p->changes[0].prefix_length, 128);
    assert_int_equal(p->changes[1].prefix_length, 64);
    state_changed(&p->state, 2, &p->changes[0]);
    state_changed(&p->state, 2, &p->changes[1]);
    assert_int_equal(changes(p), 0);
}

static void test_loss__of_a_wanted_vip__is_noted_once_and_of_an_unwanted_one_never(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    p->state.vips[0].wanted = true;
    tell_address(p, NETLINK_ADDRESS_GONE, 7, "10.0.0.50", 24);
    assert_true(p->state.vips[0].lost);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    assert_false(p->state.vips[0].lost);
    p->state.vips[0].wanted = false;
    tell_address(p, NETLINK_ADDRESS_GONE, 7, "10.0.0.50", 24);
    assert_false(p->state.vips[0].lost);
    assert_false(p->state.vips[0].present);
}

static void test_link__recreated__loses_its_addresses_and_nobody_took_them(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.1", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    p->state.vips[0].wanted = true;
    tell_link(p, "eth0", 12, true);
    assert_false(p->state.vips[0].present);
    assert_false(p->state.vips[0].lost);
    state_link_view(&p->state, 0, &view);
    assert_int_equal(view.ifindex, 12);
    assert_true(addr_is_none(&view.primary_ipv4));
    assert_int_equal(changes(p), 1);
    assert_int_equal(p->changes[0].ifindex, 12);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    assert_false(p->state.vips[0].present);
}

static void test_link__renamed_or_gone__is_no_longer_there(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;
    const struct netlink_event gone = {.kind = NETLINK_LINK_GONE, .ifindex = 8};

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth1", 8, true);
    tell_link(p, "wan", 7, true);
    state_event(&p->state, &gone);
    for (unsigned i = 0; i < 2; i++) {
        state_link_view(&p->state, i, &view);
        assert_false(view.present);
    }
    assert_int_equal(state_vip_obstacle(&p->state, &p->state.vips[0]), ENODEV);
}

static void test_link__renamed_while_it_has_vips__they_are_removed_from_it(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    p->state.vips[0].wanted = p->state.vips[0].awaited = true;
    tell_link(p, "wan", 7, true);
    assert_int_equal(state_changes(&p->state, STATE_AWAITED, p->changes, p->of, ARRAY_LENGTH(p->changes)), 1);
    assert_int_equal(p->changes[0].kind, NETLINK_REMOVE_ADDRESS);
    assert_int_equal(p->changes[0].ifindex, 7);
    tell_link(p, "eth0", 9, true);
    assert_true(p->state.link_came);
    assert_int_equal(state_changes(&p->state, STATE_AWAITED, p->changes, p->of, ARRAY_LENGTH(p->changes)), 2);
    assert_int_equal(p->changes[1].kind, NETLINK_PUT_ADDRESS);
    assert_int_equal(p->changes[1].ifindex, 9);
    state_changed(&p->state, p->of[1], &p->changes[1]);
    state_changed(&p->state, p->of[0], &p->changes[0]);
    assert_true(p->state.vips[0].present);
    assert_int_equal(state_changes(&p->state, STATE_REMOVE_ALL, p->changes, p->of, ARRAY_LENGTH(p->changes)), 1);
    assert_int_equal(p->changes[0].ifindex, 9);
}

static void test_link__renamed_and_back__nothing_is_removed(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    state_dump_end(&p->state);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    tell_link(p, "wan", 7, true);
    tell_link(p, "eth0", 7, true);
    assert_true(p->state.link_came);
    assert_int_equal(state_changes(&p->state, STATE_REMOVE_ALL, p->changes, p->of, ARRAY_LENGTH(p->changes)), 0);
}

static void test_obstacle__interface_down__keeps_only_ipv6_back(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, false);
    assert_int_equal(state_vip_obstacle(&p->state, &p->state.vips[0]), 0);
    assert_int_equal(state_vip_obstacle(&p->state, &p->state.vips[2]), ENETDOWN);
    p->state.vips[2].wanted = true;
    assert_int_equal(changes(p), 0);
}

static void test_primary__is_no_vip_no_secondary_and_usable(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;
    struct netlink_event event = {.kind = NETLINK_ADDRESS, .ifindex = 7, .prefix_length = 24, .secondary = true};
    const struct addr first = address("10.0.0.1"), second = address("10.0.0.2"), link_local = address("fe80::2");

    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    event.address = second;
    state_event(&p->state, &event);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.primary_ipv4, &second));
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.1", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "2001:db8::1", 64);
    event.address = address("fe80::1");
    state_event(&p->state, &event); /* tentative */
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.primary_ipv4, &first));
    assert_true(addr_is_none(&view.primary_ipv6));
    tell_address(p, NETLINK_ADDRESS, 7, "fe80::2", 64);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.primary_ipv6, &link_local));
}

static void test_dump__what_it_does_not_name__is_gone(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;
    const struct addr own = address("10.0.0.2");

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth1", 8, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.1", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.2", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "2001:db8::50", 64);
    p->state.vips[0].wanted = p->state.vips[2].wanted = true;
    state_dump_begin(&p->state);
    tell_link(p, "eth0", 7, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.2", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "2001:db8::50", 64);
    state_dump_end(&p->state);
    assert_true(p->state.vips[0].lost);
    assert_true(p->state.vips[2].present);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.primary_ipv4, &own));
    state_link_view(&p->state, 1, &view);
    assert_false(view.present);
}

static void test_gateway__of_the_lowest_metric__counts(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;
    struct netlink_event event = {.kind = NETLINK_GATEWAY, .ifindex = 7, .metric = 100};
    const struct addr better = address("10.0.0.253");

    tell_link(p, "eth0", 7, true);
    event.address = address("10.0.0.254");
    state_event(&p->state, &event);
    event.metric = 10;
    event.address = better;
    state_event(&p->state, &event);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.gateway_ipv4, &better));
    state_forget_gateways(&p->state);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_is_none(&view.gateway_ipv4));
}

/* The same units under other link indices, one address with another prefix length, one of another unit. */
static void test_take_over__links_change_places__what_is_there_is_known(void **out)
{
    struct picture *p = *out;
    struct picture next = *p;
    char links[2][CONFIG_INTERFACE_MAX] = {"eth1", "eth0"};

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth1", 8, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    tell_address(p, NETLINK_ADDRESS, 8, "10.1.0.50", 24);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.1", 24);
    for (unsigned i = 0; i < 3; i++)
        next.vips[i].link = 1 - p->vips[i].link;
    next.vips[0].prefix_length = 25;
    next.units[0].vips = &next.vips[0];
    next.units[1].vips = &next.vips[2];
    next.pool.units = next.units;
    next.config.core.pools = &next.settings;
    next.config.pools = &next.pool;
    next.config.links = links;
    assert_int_equal(state_init(&next.state, &next.config), 0);
    state_take_over(&next.state, &p->state);
    assert_int_equal(next.state.links[1].ifindex, 7);
    assert_int_equal(next.state.links[1].own_count, 1);
    assert_int_equal(p->state.links[0].own_count, 0);
    assert_false(next.state.vips[0].present);
    assert_int_equal(next.state.vips[0].stray_prefix, 24);
    assert_true(next.state.vips[1].present);
    assert_false(next.state.vips[2].present);
    assert_int_equal(state_find(&next.state, 0, 0, 0, &next.vips[1].address), 1);
    assert_int_equal(state_find(&next.state, 0, 1, 0, &next.vips[1].address), next.state.vip_count);
    state_check(&next.state);
    state_free(&next.state);
}

/* The same, and 10.0.0.60/32 on eth0 and fd00::1/64 on eth7 as static addresses; a route over eth8. */
static int make_with_statics(void **out)
{
    static struct net_next_hop hop = {.device = "eth8"};
    static const struct net_route route = {.hops = &hop, .hop_count = 1};
    static struct net_address statics[3];
    static const struct config_instances instances = {
        .static_address_count = 3, .static_addresses = statics, .static_route_count = 1, .static_routes = &route};

    statics[0] = (struct net_address){.address = address("10.0.0.60"), .prefix_length = 32, .device = "eth0"};
    statics[1] = (struct net_address){.address = address("fd00::1"), .prefix_length = 64, .device = "eth7"};
    statics[2] = (struct net_address){.address = address("10.0.0.50"), .prefix_length = 32, .device = "eth0"};
    make(out);
    struct picture *p = *out;

    state_free(&p->state);
    p->config.instances = &instances;
    assert_int_equal(state_init(&p->state, &p->config), 0);
    return 0;
}

static void test_statics__are_the_hosts_own_too_and_the_links_they_name_are_known(void **out)
{
    struct picture *p = *out;
    struct kernel_link view;
    const struct addr own = address("10.0.0.60");

    assert_int_equal(p->state.vip_count, 5); /* the one that is a VIP of a unit is that VIP */
    assert_int_equal(p->state.link_count, 4);
    assert_int_equal(state_link_named(&p->state, "eth7"), p->state.vips[4].link);
    assert_true(state_link_named(&p->state, "eth8") < p->state.link_count);
    assert_int_equal(state_link_named(&p->state, "eth9"), p->state.link_count);
    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth7", 9, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.60", 32);
    assert_true(p->state.vips[3].present);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_equal(&view.primary_ipv4, &own));
    tell_address(p, NETLINK_ADDRESS_GONE, 7, "10.0.0.60", 32);
    state_link_view(&p->state, 0, &view);
    assert_true(addr_is_none(&view.primary_ipv4));
}

static void test_statics__that_somebody_else_put__are_never_removed(void **out)
{
    struct picture *p = *out;

    tell_link(p, "eth0", 7, true);
    tell_link(p, "eth7", 9, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.60", 32);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.60", 24);
    p->state.vips[4].wanted = true;
    assert_int_equal(changes(p), 1);
    assert_int_equal(p->changes[0].ifindex, 9);
    state_changed(&p->state, p->of[0], &p->changes[0]);
    assert_int_equal(state_changes(&p->state, STATE_REMOVE_ALL, p->changes, p->of, ARRAY_LENGTH(p->changes)), 1);
    assert_int_equal(p->of[0], 4);
}

static void test_removal__of_an_address_with_a_peer__names_it(void **out)
{
    struct picture *p = *out;
    struct netlink_event event = {.kind = NETLINK_ADDRESS, .ifindex = 7, .prefix_length = 24, .usable = true};

    tell_link(p, "eth0", 7, true);
    event.address = address("10.0.0.50");
    event.peer = address("10.9.9.9");
    state_event(&p->state, &event);
    assert_int_equal(changes(p), 1);
    assert_true(addr_equal(&p->changes[0].peer, &event.peer));
}

static void test_elsewhere__the_same_address_on_another_link__is_found(void **out)
{
    struct picture *p = *out;

    assert_false(state_elsewhere(&p->state, 0));
    p->vips[1].address = p->vips[0].address;
    state_free(&p->state);
    assert_int_equal(state_init(&p->state, &p->config), 0);
    assert_true(state_elsewhere(&p->state, 0) && state_elsewhere(&p->state, 1));
    assert_false(state_elsewhere(&p->state, 2));
}

/* VIP 0 stands on eth0 (7); its virtual MAC has an interface of its own there (20). */
static unsigned place_on_macvlan(struct picture *p)
{
    unsigned link = state_add_macvlan(&p->state, 0, "vrrp.50");

    tell_link(p, "eth0", 7, true);
    tell_link(p, "vrrp.50", 20, true);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 24);
    state_place(&p->state, 0, link);
    p->state.vips[0].wanted = true;
    return link;
}

static void test_place__macvlan__what_stands_on_the_link_itself_is_removed_first(void **out)
{
    struct picture *p = *out;

    assert_int_equal(place_on_macvlan(p), 2);
    assert_int_equal(changes(p), 2);
    assert_int_equal(p->changes[0].kind, NETLINK_REMOVE_ADDRESS);
    assert_int_equal(p->changes[0].ifindex, 7);
    assert_int_equal(p->changes[1].kind, NETLINK_PUT_ADDRESS);
    assert_int_equal(p->changes[1].ifindex, 20);
    state_changed(&p->state, 0, &p->changes[0]);
    state_changed(&p->state, 0, &p->changes[1]);
    assert_true(p->state.vips[0].present);
    assert_int_equal(changes(p), 0);
    tell_address(p, NETLINK_ADDRESS, 7, "10.0.0.50", 32);
    assert_int_equal(changes(p), 1);
    assert_int_equal(p->changes[0].prefix_length, 32);
    tell_address(p, NETLINK_ADDRESS_GONE, 7, "10.0.0.50", 32);
    assert_int_equal(changes(p), 0);
    assert_int_equal(p->state.links[0].own_count, 0);
}

static void test_place__macvlan_removed_by_hand__the_address_is_lost_and_with_the_link_it_is_not(void **out)
{
    struct picture *p = *out;
    const struct netlink_event gone[] = {{.kind = NETLINK_LINK_GONE, .ifindex = 20},
                                         {.kind = NETLINK_LINK_GONE, .ifindex = 7}};

    place_on_macvlan(p);
    tell_address(p, NETLINK_ADDRESS, 20, "10.0.0.50", 24);
    assert_true(p->state.vips[0].present);
    state_event(&p->state, &gone[0]);
    assert_false(p->state.vips[0].present);
    assert_true(p->state.vips[0].lost);
    assert_int_equal(state_vip_obstacle(&p->state, &p->state.vips[0]), ENODEV);
    state_event(&p->state, &gone[1]);
    assert_false(p->state.vips[0].lost);
}

static void test_place__back_on_the_link__what_stands_there_is_right(void **out)
{
    struct picture *p = *out;

    place_on_macvlan(p);
    tell_address(p, NETLINK_ADDRESS, 20, "10.0.0.50", 24);
    state_place(&p->state, 0, 0);
    assert_true(p->state.vips[0].present);
    assert_int_equal(changes(p), 0);
}

/* Answers to link-local neighbours need a route, which only such an address brings there. */
static void test_place__link_local_host_address__gets_the_prefix_of_all_of_them(void **out)
{
    struct picture *p = *out;
    struct state_vip *vip = &p->state.vips[2];

    vip->address = address("fe80::50");
    vip->prefix_length = vip->configured_prefix = 128;
    state_place(&p->state, 2, state_add_macvlan(&p->state, 0, "vrrp.50"));
    assert_int_equal(vip->prefix_length, 64);
    state_place(&p->state, 2, 0);
    assert_int_equal(vip->prefix_length, 128);
    vip->address = address("2001:db8::50");
}

static void test_macvlan__name_of_another_link__is_taken(void **out)
{
    struct picture *p = *out;

    assert_int_equal(state_add_macvlan(&p->state, 0, "eth1"), STATE_NO_LINK);
    assert_int_equal(p->state.link_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_statics__are_the_hosts_own_too_and_the_links_they_name_are_known,
                                        make_with_statics, unmake),
        cmocka_unit_test_setup_teardown(test_statics__that_somebody_else_put__are_never_removed, make_with_statics,
                                        unmake),
        cmocka_unit_test_setup_teardown(test_removal__of_an_address_with_a_peer__names_it, make, unmake),
        cmocka_unit_test_setup_teardown(test_elsewhere__the_same_address_on_another_link__is_found, make, unmake),
        cmocka_unit_test_setup_teardown(test_place__macvlan__what_stands_on_the_link_itself_is_removed_first, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(
            test_place__macvlan_removed_by_hand__the_address_is_lost_and_with_the_link_it_is_not, make, unmake),
        cmocka_unit_test_setup_teardown(test_place__back_on_the_link__what_stands_there_is_right, make, unmake),
        cmocka_unit_test_setup_teardown(test_place__link_local_host_address__gets_the_prefix_of_all_of_them, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(test_macvlan__name_of_another_link__is_taken, make, unmake),
        cmocka_unit_test_setup_teardown(test_changes__wanted_and_absent__are_put_on_their_own_links, make, unmake),
        cmocka_unit_test_setup_teardown(test_changes__present_and_unwanted__are_removed_first, make, unmake),
        cmocka_unit_test_setup_teardown(test_changes__in_parts__awaited_ones_apart_and_no_more_than_asked_for, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(test_changes__wrong_prefix_length__is_taken_away_before_the_right_one_comes,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(test_loss__of_a_wanted_vip__is_noted_once_and_of_an_unwanted_one_never, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(test_link__recreated__loses_its_addresses_and_nobody_took_them, make, unmake),
        cmocka_unit_test_setup_teardown(test_link__renamed_or_gone__is_no_longer_there, make, unmake),
        cmocka_unit_test_setup_teardown(test_link__renamed_while_it_has_vips__they_are_removed_from_it, make, unmake),
        cmocka_unit_test_setup_teardown(test_link__renamed_and_back__nothing_is_removed, make, unmake),
        cmocka_unit_test_setup_teardown(test_obstacle__interface_down__keeps_only_ipv6_back, make, unmake),
        cmocka_unit_test_setup_teardown(test_primary__is_no_vip_no_secondary_and_usable, make, unmake),
        cmocka_unit_test_setup_teardown(test_dump__what_it_does_not_name__is_gone, make, unmake),
        cmocka_unit_test_setup_teardown(test_take_over__links_change_places__what_is_there_is_known, make, unmake),
        cmocka_unit_test_setup_teardown(test_gateway__of_the_lowest_metric__counts, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
