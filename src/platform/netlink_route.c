/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes: rtnetlink's RTM_*ROUTE messages (rtnetlink(7)). By libnl's messages and not by libnl-route's objects, since
 * these lack what is asked for here: gateways of the other family and locks of single metrics among it.
 *
 * A route is known again by all that the kernel keeps apart: family, table, destination, metric, type, TOS, protocol,
 * scope, source and next hops. Not by its metrics (mtu and so on), which the kernel rounds. See netlink_policy.h.
 */
#include <assert.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "platform/netlink_policy.h"

#define MESSAGE_BYTES 512 /* without next hops */
#define HOP_BYTES 64
#define IPV6_METRIC 1024 /* what the kernel takes when none is given */

static const uint8_t TYPES[] = {
    [NET_UNICAST] = RTN_UNICAST,         [NET_LOCAL] = RTN_LOCAL,         [NET_BROADCAST] = RTN_BROADCAST,
    [NET_ANYCAST] = RTN_ANYCAST,         [NET_MULTICAST] = RTN_MULTICAST, [NET_THROW] = RTN_THROW,
    [NET_UNREACHABLE] = RTN_UNREACHABLE, [NET_PROHIBIT] = RTN_PROHIBIT,   [NET_BLACKHOLE] = RTN_BLACKHOLE,
};

static const uint8_t METRICS[NET_METRICS] = {
    [NET_MTU] = RTAX_MTU,           [NET_ADVMSS] = RTAX_ADVMSS,         [NET_RTT] = RTAX_RTT,
    [NET_RTTVAR] = RTAX_RTTVAR,     [NET_REORDERING] = RTAX_REORDERING, [NET_CWND] = RTAX_CWND,
    [NET_SSTHRESH] = RTAX_SSTHRESH, [NET_RTO_MIN] = RTAX_RTO_MIN,       [NET_HOPLIMIT] = RTAX_HOPLIMIT,
    [NET_WINDOW] = RTAX_WINDOW,     [NET_INITCWND] = RTAX_INITCWND,     [NET_INITRWND] = RTAX_INITRWND,
    [NET_QUICKACK] = RTAX_QUICKACK,
};

static uint8_t af_of(uint8_t family)
{
    return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

int netlink_put_address(struct nl_msg *message, int type, const struct addr *address)
{
    if (addr_is_none(address))
        return 0;
    return nla_put(message, type, (int)addr_length(address), address->bytes);
}

bool netlink_is_prefix(const struct nlattr *attribute, const struct addr *address, uint8_t length)
{
    size_t whole = length / 8;
    uint8_t mask = (uint8_t)(0xff00 >> length % 8);

    if (!attribute)
        return length == 0 || addr_is_none(address);
    if (addr_is_none(address) || (size_t)nla_len(attribute) != addr_length(address))
        return false;
    const uint8_t *bytes = nla_data(attribute);

    return memcmp(bytes, address->bytes, whole) == 0 &&
           (mask == 0 || (bytes[whole] & mask) == (address->bytes[whole] & mask));
}

uint32_t netlink_number(const struct nlattr *attribute, uint32_t otherwise)
{
    if (attribute && nla_len(attribute) >= 4)
        return nla_get_u32(attribute);
    return attribute && nla_len(attribute) == 1 ? nla_get_u8(attribute) : otherwise;
}

/* As iproute2 has it; IPv6 knows no scopes. */
static uint8_t scope_of(const struct net_route *route)
{
    if (route->scope != NET_UNSET)
        return (uint8_t)route->scope;
    switch ((enum net_route_type)route->type) {
    case NET_LOCAL:
        return RT_SCOPE_HOST;
    case NET_BROADCAST:
    case NET_ANYCAST:
    case NET_MULTICAST:
        return RT_SCOPE_LINK;
    case NET_UNICAST:
        return route->hop_count == 1 && addr_is_none(&route->hops[0].via) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    case NET_THROW:
    case NET_UNREACHABLE:
    case NET_PROHIBIT:
    case NET_BLACKHOLE:
        break;
    }
    return RT_SCOPE_UNIVERSE;
}

/* An IPv4 route's gateway may have an IPv6 address. */
static int put_gateway(struct nl_msg *message, const struct net_route *route, const struct addr *via)
{
    struct {
        uint16_t family; /* as struct rtvia */
        uint8_t bytes[16];
    } other = {.family = af_of(via->family)};

    if (addr_is_none(via) || via->family == route->family)
        return netlink_put_address(message, RTA_GATEWAY, via);
    memcpy(other.bytes, via->bytes, addr_length(via));
    return nla_put(message, RTA_VIA, (int)(sizeof(other.family) + addr_length(via)), &other);
}

static int put_hops(struct nl_msg *message, const struct net_route *route, const int *ifindexes)
{
    struct nlattr *list = nla_nest_start(message, RTA_MULTIPATH);

    for (unsigned i = 0; list && i < route->hop_count; i++) {
        struct rtnexthop *hop = nlmsg_reserve(message, sizeof(*hop), NLMSG_ALIGNTO);

        if (!hop)
            return -1;
        *hop = (struct rtnexthop){
            .rtnh_flags = route->hops[i].onlink ? RTNH_F_ONLINK : 0,
            .rtnh_hops = (uint8_t)(route->hops[i].weight > 0 ? route->hops[i].weight - 1 : 0),
            .rtnh_ifindex = ifindexes[i],
        };
        if (put_gateway(message, route, &route->hops[i].via) < 0)
            return -1;
        hop->rtnh_len = (uint16_t)((const char *)nlmsg_tail(nlmsg_hdr(message)) - (const char *)hop);
    }
    if (!list)
        return -1;
    nla_nest_end(message, list);
    return 0;
}

static int put_metrics(struct nl_msg *message, const struct net_route *route)
{
    uint32_t locked = 0;
    bool any = false;

    for (unsigned i = 0; i < NET_METRICS; i++) {
        any = any || route->metrics[i] > 0;
        if (route->locked >> i & 1)
            locked |= UINT32_C(1) << METRICS[i];
    }
    struct nlattr *list = any ? nla_nest_start(message, RTA_METRICS) : NULL;

    if (!list)
        return any ? -1 : 0;
    if (locked && nla_put_u32(message, RTAX_LOCK, locked) < 0)
        return -1;
    for (unsigned i = 0; i < NET_METRICS; i++)
        if (route->metrics[i] > 0 && nla_put_u32(message, METRICS[i], (uint32_t)route->metrics[i]) < 0)
            return -1;
    nla_nest_end(message, list);
    return 0;
}

static bool fill(struct nl_msg *message, const struct netlink_change *change)
{
    const struct net_route *route = change->route;
    bool one = route->hop_count == 1;
    int error = route->to_length > 0 ? netlink_put_address(message, RTA_DST, &route->to) : 0;

    if (error == 0)
        error = nla_put_u32(message, RTA_TABLE, (uint32_t)route->table);
    if (error == 0 && route->metric > 0)
        error = nla_put_u32(message, RTA_PRIORITY, (uint32_t)route->metric);
    if (error == 0)
        error = netlink_put_address(message, RTA_PREFSRC, &route->source);
    if (error == 0 && one)
        error = put_gateway(message, route, &route->hops[0].via);
    if (error == 0 && one && change->hop_ifindexes[0] != 0)
        error = nla_put_u32(message, RTA_OIF, (uint32_t)change->hop_ifindexes[0]);
    if (error == 0 && route->hop_count > 1)
        error = put_hops(message, route, change->hop_ifindexes);
    if (error == 0 && change->kind == NETLINK_PUT_ROUTE)
        error = put_metrics(message, route);
    return error == 0;
}

struct nl_msg *netlink_route_message(const struct netlink_change *change)
{
    const struct net_route *route = change->route;
    bool put = change->kind == NETLINK_PUT_ROUTE;
    const struct rtmsg head = {
        .rtm_family = af_of(route->family),
        .rtm_dst_len = route->to_length,
        .rtm_tos = (uint8_t)route->tos,
        .rtm_protocol = (uint8_t)route->protocol,
        .rtm_scope = scope_of(route),
        .rtm_type = TYPES[route->type],
        .rtm_flags = route->hop_count == 1 && route->hops[0].onlink ? RTNH_F_ONLINK : 0,
    };
    struct nl_msg *message = nlmsg_alloc_size(MESSAGE_BYTES + (size_t)route->hop_count * HOP_BYTES);

    if (!message)
        return NULL;
    if (nlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, put ? RTM_NEWROUTE : RTM_DELROUTE, 0,
                  put ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK) &&
        nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) == 0 && fill(message, change))
        return message;
    nlmsg_free(message);
    return NULL;
}

static_assert(RTA_MAX < NETLINK_ATTRIBUTES, "what is read has room");

bool netlink_route_read(struct nlmsghdr *message, struct netlink_policy *out)
{
    if (message->nlmsg_type != RTM_NEWROUTE ||
        nlmsg_parse(message, sizeof(struct rtmsg), out->attributes, RTA_MAX, NULL) < 0)
        return false;
    out->route = nlmsg_data(message);
    /* What the kernel keeps of packets on their way. */
    return !(out->route->rtm_flags & RTM_F_CLONED);
}

static bool is_gateway(const struct net_route *route, const struct addr *via, const struct nlattr *gateway,
                       const struct nlattr *other)
{
    if (addr_is_none(via))
        return !gateway && !other;
    if (via->family == route->family)
        return gateway && netlink_is_prefix(gateway, via, (uint8_t)(8 * addr_length(via)));
    if (!other || (size_t)nla_len(other) < sizeof(struct rtvia) + addr_length(via))
        return false;
    const struct rtvia *there = nla_data(other);

    return there->rtvia_family == af_of(via->family) && memcmp(there->rtvia_addr, via->bytes, addr_length(via)) == 0;
}

/* One of the dumped next hops is the wanted one. */
static bool has_hop(const struct nlattr *list, const struct net_route *route, unsigned index, int ifindex)
{
    const struct net_next_hop *wanted = &route->hops[index];
    const struct rtnexthop *hop = nla_data(list);
    int left = nla_len(list);

    while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
        const struct nlattr *head = (const struct nlattr *)(const void *)(hop + 1);
        int length = (int)(hop->rtnh_len - sizeof(*hop));

        if ((ifindex == 0 || hop->rtnh_ifindex == ifindex) &&
            hop->rtnh_hops == (wanted->weight > 0 ? wanted->weight - 1 : 0) &&
            is_gateway(route, &wanted->via, nla_find(head, length, RTA_GATEWAY), nla_find(head, length, RTA_VIA)))
            return true;
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = (const struct rtnexthop *)(const void *)((const char *)hop + RTNH_ALIGN(hop->rtnh_len));
    }
    return false;
}

static bool are_hops(struct nlattr *const *attributes, const struct net_route *route, const int *ifindexes)
{
    if (route->hop_count == 0)
        return true;
    if (route->hop_count == 1)
        return !attributes[RTA_MULTIPATH] &&
               (ifindexes[0] == 0 || netlink_number(attributes[RTA_OIF], 0) == (uint32_t)ifindexes[0]) &&
               is_gateway(route, &route->hops[0].via, attributes[RTA_GATEWAY], attributes[RTA_VIA]);
    for (unsigned i = 0; i < route->hop_count; i++)
        if (!attributes[RTA_MULTIPATH] || !has_hop(attributes[RTA_MULTIPATH], route, i, ifindexes[i]))
            return false;
    return true;
}

bool netlink_is_route(const struct netlink_policy *policy, const struct net_route *route, const int *hop_ifindexes)
{
    const struct rtmsg *head = policy->route;
    struct nlattr *const *attributes = policy->attributes;
    bool ipv4 = route->family == FAMILY_IPV4;
    uint32_t metric = route->metric == 0 && !ipv4 ? IPV6_METRIC : (uint32_t)route->metric;

    return head && head->rtm_family == af_of(route->family) && head->rtm_dst_len == route->to_length &&
           head->rtm_protocol == (uint8_t)route->protocol && head->rtm_type == TYPES[route->type] &&
           (!ipv4 || (head->rtm_tos == (uint8_t)route->tos && head->rtm_scope == scope_of(route))) &&
           netlink_number(attributes[RTA_TABLE], head->rtm_table) == (uint32_t)route->table &&
           netlink_number(attributes[RTA_PRIORITY], 0) == metric &&
           netlink_is_prefix(attributes[RTA_DST], &route->to, route->to_length) &&
           netlink_is_prefix(attributes[RTA_PREFSRC], &route->source, (uint8_t)(8 * addr_length(&route->source))) &&
           are_hops(attributes, route, hop_ifindexes);
}
