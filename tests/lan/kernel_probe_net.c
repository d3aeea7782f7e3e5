/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_probe's routes, rules and static addresses (the word `net`): one of each kind that a file can ask for. Unit 0
 * has the virtual ones; the static ones are on ve0 and on ve9, which no unit is on. The VIPs of units 0, 1 and 2 (the
 * last being of IPv6) have options.
 */
#include <string.h>

#include "base/check.h"
#include "kernel_probe.h"

#define PROTOCOL 18
#define MAIN 254

/* A route's parts in short. */
struct sample {
    const char *to;
    uint8_t length, type;
    const char *via[2], *device, *other_device, *source;
    int64_t table, metric;
    bool onlink;
};

static const struct sample ROUTES[] = {
    {.to = "10.200.0.0",
     .length = 16,
     .via = {"10.66.0.2"},
     .device = "ve0",
     .source = "10.66.1.1",
     .table = 1000,
     .metric = 7},
    {.to = "0.0.0.0", .via = {"10.66.0.2"}, .metric = 50},
    {.to = "10.201.0.0", .length = 24, .type = NET_BLACKHOLE},
    {.to = "10.202.0.0", .length = 16, .via = {"10.66.0.2", "10.66.0.3"}, .device = "ve0", .table = 300},
    {.to = "10.203.0.0", .length = 16, .via = {"172.31.0.1"}, .device = "ve0", .onlink = true},
    {.to = "10.204.0.0", .length = 16, .via = {"fe80::1"}, .device = "ve0"},
    {.to = "10.205.0.0", .length = 16, .device = "ve0"},
    {.to = "10.206.0.0", .length = 16, .via = {"192.0.2.1"}}, /* unreachable: refused */
    {.to = "10.207.0.0", .length = 16, .type = NET_PROHIBIT},
    {.to = "10.208.0.0", .length = 16, .type = NET_THROW, .table = 1000},
    {.to = "2001:db8:1::", .length = 48, .via = {"fd66::2"}, .device = "ve0", .metric = 5},
    {.to = "2001:db8:2::", .length = 48, .type = NET_UNREACHABLE},
    {.to = "2001:db8:3::",
     .length = 48,
     .via = {"fd66::2", "fd99::2"},
     .device = "ve0",
     .other_device = "ve9",
     .table = 100000},
};
static const struct sample STATIC_ROUTES[] = {
    {.to = "10.210.0.0", .length = 16, .via = {"10.66.0.2"}, .device = "ve0"},
    {.to = "10.211.0.0", .length = 16, .device = "ve9"},
};

static struct {
    struct net_route routes[ARRAY_LENGTH(ROUTES)], static_routes[ARRAY_LENGTH(STATIC_ROUTES)];
    struct net_next_hop hops[ARRAY_LENGTH(ROUTES) + ARRAY_LENGTH(STATIC_ROUTES)][2];
    unsigned hop_count;
    struct net_rule rules[4], static_rules[1];
    struct net_address vips[3], static_addresses[2];
    struct config_instances instances;
} net;

static struct addr address(const char *text)
{
    struct addr a = ADDR_NONE;

    CHECK(!text || addr_parse(text, &a));
    return a;
}

static void make_route(const struct sample *sample, unsigned line, struct net_route *out)
{
    struct net_next_hop *hops = net.hops[net.hop_count++];

    *out = (struct net_route){
        .place = {.file = "probe", .line = line},
        .type = sample->type,
        .to = address(sample->to),
        .to_length = sample->length,
        .source = address(sample->source),
        .hops = hops,
        .table = sample->table ? sample->table : MAIN,
        .metric = sample->metric,
        .protocol = PROTOCOL,
        .scope = NET_UNSET,
    };
    out->family = out->to.family;
    for (unsigned i = 0; i < 2 && (sample->via[i] || (i == 0 && sample->device)); i++)
        hops[out->hop_count++] =
            (struct net_next_hop){.via = address(sample->via[i]),
                                  .device = i > 0 && sample->other_device ? sample->other_device : sample->device,
                                  .weight = i == 0 ? 3 : 1,
                                  .onlink = sample->onlink};
    if (out->hop_count == 1)
        hops[0].weight = 1;
}

static struct net_rule make_rule(const char *from, uint8_t length, int64_t preference)
{
    struct net_rule rule = {
        .place = {.file = "probe", .line = 100},
        .from = address(from),
        .from_length = length,
        .table = MAIN,
        .preference = preference,
        .suppress_prefix_length = NET_UNSET,
        .suppress_group = NET_UNSET,
        .uids = {NET_UNSET, NET_UNSET},
        .source_ports = {NET_UNSET, NET_UNSET},
        .destination_ports = {NET_UNSET, NET_UNSET},
        .protocol = PROTOCOL,
    };

    rule.family = rule.from.family;
    return rule;
}

static void make_rules(void)
{
    net.rules[0] = make_rule("10.66.1.1", 32, 100);
    net.rules[0].table = 1000;
    net.rules[1] = make_rule("10.66.0.0", 16, 101);
    net.rules[1].to = address("10.200.0.0");
    net.rules[1].to_length = 16;
    net.rules[1].input = "ve0";
    net.rules[1].output = "ve9";
    net.rules[1].mark = 0x10;
    net.rules[1].mark_mask = 0xff;
    net.rules[1].tos = 0x10;
    net.rules[1].ip_protocol = 6;
    net.rules[1].uids = (struct net_range){0, 99};
    net.rules[1].source_ports = (struct net_range){1000, 2000};
    net.rules[1].destination_ports = (struct net_range){80, 80};
    net.rules[1].suppress_prefix_length = 0;
    net.rules[2] = make_rule("10.9.0.0", 16, 102);
    net.rules[2].invert = true;
    net.rules[2].action = NET_GOTO;
    net.rules[2].goto_preference = 32766;
    net.rules[3] = make_rule("2001:db8::", 32, NET_UNSET);
    net.rules[3].action = NET_RULE_BLACKHOLE;
    net.static_rules[0] = make_rule("10.66.5.0", 24, 500);
    net.static_rules[0].table = 1000;
}

static void make_addresses(void)
{
    net.vips[0] =
        (struct net_address){.label = "ve0:vip", .broadcast_auto = true, .preferred_lft_s = NET_LIFETIME_FOREVER};
    net.vips[1] = (struct net_address){.peer = address("10.66.9.9"), .preferred_lft_s = 1000, .no_prefix_route = true};
    net.vips[2] = (struct net_address){.preferred_lft_s = NET_LIFETIME_FOREVER, .home = true, .manage_temporary = true};
    net.static_addresses[0] = (struct net_address){.address = address("10.66.7.7"),
                                                   .prefix_length = 32,
                                                   .device = "ve0",
                                                   .scope = 253,
                                                   .preferred_lft_s = NET_LIFETIME_FOREVER};
    net.static_addresses[1] = (struct net_address){
        .address = address("fd99::7"), .prefix_length = 64, .device = "ve9", .preferred_lft_s = NET_LIFETIME_FOREVER};
}

void net_make(struct config *config, struct probe_units *units, struct config_router *router)
{
    for (unsigned i = 0; i < ARRAY_LENGTH(ROUTES); i++)
        make_route(&ROUTES[i], i, &net.routes[i]);
    net.routes[0].metrics[NET_MTU] = 1300;
    net.routes[0].metrics[NET_ADVMSS] = 1200;
    net.routes[0].locked = 1U << NET_MTU;
    for (unsigned i = 0; i < ARRAY_LENGTH(STATIC_ROUTES); i++)
        make_route(&STATIC_ROUTES[i], 50 + i, &net.static_routes[i]);
    make_rules();
    make_addresses();
    for (unsigned i = 0; i < ARRAY_LENGTH(net.vips) && i < config->core.pools[0].unit_count; i++)
        units->units[i].vips[0].options = &net.vips[i];
    router->routes = net.routes;
    router->route_count = ARRAY_LENGTH(net.routes);
    router->rules = net.rules;
    router->rule_count = ARRAY_LENGTH(net.rules);
    net.instances = (struct config_instances){
        .static_address_count = ARRAY_LENGTH(net.static_addresses),
        .static_addresses = net.static_addresses,
        .static_route_count = ARRAY_LENGTH(net.static_routes),
        .static_routes = net.static_routes,
        .static_rule_count = ARRAY_LENGTH(net.static_rules),
        .static_rules = net.static_rules,
    };
    config->instances = &net.instances;
}
