/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single rtnetlink messages to values and back; the attributes are taken apart by libnl's nlmsg_parse, which checks
 * their lengths. It knows no sockets and no wanted state. Called by netlink.c.
 */
#include "platform/netlink_message.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "platform/netlink_policy.h"

/* Kernels older than the headers send fewer attributes, newer ones more; unknown ones are skipped. */
static const struct nla_policy address_policy[IFA_MAX + 1] = {
    [IFA_FLAGS] = {.type = NLA_U32},
    [IFA_PROTO] = {.type = NLA_U8},
};
static const struct nla_policy route_policy[RTA_MAX + 1] = {
    [RTA_OIF] = {.type = NLA_U32},
    [RTA_PRIORITY] = {.type = NLA_U32},
    [RTA_TABLE] = {.type = NLA_U32},
};

static int family_of(uint8_t family)
{
    return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static struct addr address_of(uint8_t af, const struct nlattr *attribute)
{
    struct addr a = ADDR_NONE;

    if (!attribute)
        return a;
    if (af == AF_INET && nla_len(attribute) == 4)
        a = addr_from_bytes(FAMILY_IPV4, nla_data(attribute));
    else if (af == AF_INET6 && nla_len(attribute) == 16)
        a = addr_from_bytes(FAMILY_IPV6, nla_data(attribute));
    return a;
}

static void read_address(struct nlmsghdr *message, netlink_sink *sink, void *context)
{
    struct nlattr *attributes[IFA_MAX + 1];
    struct netlink_event event = {.kind = message->nlmsg_type == RTM_NEWADDR ? NETLINK_ADDRESS : NETLINK_ADDRESS_GONE};

    if (nlmsg_parse(message, sizeof(struct ifaddrmsg), attributes, IFA_MAX, address_policy) < 0)
        return;
    const struct ifaddrmsg *info = nlmsg_data(message);
    uint32_t flags = attributes[IFA_FLAGS] ? nla_get_u32(attributes[IFA_FLAGS]) : info->ifa_flags;

    /* On point-to-point links IFA_ADDRESS is the other end's. */
    event.address = address_of(info->ifa_family, attributes[attributes[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS]);
    if (addr_is_none(&event.address))
        return;
    event.peer = address_of(info->ifa_family, attributes[IFA_ADDRESS]);
    if (addr_equal(&event.peer, &event.address))
        event.peer = ADDR_NONE;
    if (attributes[IFA_PROTO])
        event.protocol = nla_get_u8(attributes[IFA_PROTO]);
    event.ifindex = (int)info->ifa_index;
    event.prefix_length = info->ifa_prefixlen;
    event.secondary = event.address.family == FAMILY_IPV4 && (flags & IFA_F_SECONDARY);
    event.usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
    sink(context, &event);
}

static void send_gateway(uint8_t af, uint32_t ifindex, const struct nlattr *gateway, uint32_t metric,
                         netlink_sink *sink, void *context)
{
    struct netlink_event event = {
        .kind = NETLINK_GATEWAY,
        .ifindex = (int)ifindex,
        .metric = metric,
        .address = address_of(af, gateway),
    };

    if (ifindex != 0 && !addr_is_none(&event.address))
        sink(context, &event);
}

static void read_next_hops(uint8_t af, const struct nlattr *list, uint32_t metric, netlink_sink *sink, void *context)
{
    const struct rtnexthop *hop = nla_data(list);
    int left = nla_len(list);

    while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
        const struct nlattr *head = (const struct nlattr *)(const void *)(hop + 1);
        int length = (int)(hop->rtnh_len - sizeof(*hop));

        send_gateway(af, (uint32_t)hop->rtnh_ifindex, nla_find(head, length, RTA_GATEWAY), metric, sink, context);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
        hop = (const struct rtnexthop *)(const void *)((const char *)hop + RTNH_ALIGN(hop->rtnh_len));
    }
}

static void read_route(struct nlmsghdr *message, netlink_sink *sink, void *context)
{
    struct nlattr *attributes[RTA_MAX + 1];

    if (nlmsg_parse(message, sizeof(struct rtmsg), attributes, RTA_MAX, route_policy) < 0)
        return;
    const struct rtmsg *route = nlmsg_data(message);
    uint32_t table = attributes[RTA_TABLE] ? nla_get_u32(attributes[RTA_TABLE]) : route->rtm_table;

    if (route->rtm_dst_len != 0 || table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST)
        return;
    if (!(message->nlmsg_flags & NLM_F_MULTI)) {
        const struct netlink_event event = {.kind = NETLINK_ROUTE_CHANGED};

        sink(context, &event);
        return;
    }
    uint32_t metric = attributes[RTA_PRIORITY] ? nla_get_u32(attributes[RTA_PRIORITY]) : 0;

    if (attributes[RTA_MULTIPATH])
        read_next_hops(route->rtm_family, attributes[RTA_MULTIPATH], metric, sink, context);
    else if (attributes[RTA_OIF])
        send_gateway(route->rtm_family, nla_get_u32(attributes[RTA_OIF]), attributes[RTA_GATEWAY], metric, sink,
                     context);
}

void netlink_message_read(struct nlmsghdr *message, netlink_sink *sink, void *context)
{
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        netlink_link_read(message, sink, context);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        read_address(message, sink, context);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        read_route(message, sink, context);
        break;
    default:
        break;
    }
}

int netlink_message_error(struct nlmsghdr *message)
{
    if (nlmsg_datalen(message) < (int)sizeof(struct nlmsgerr))
        return -EPROTO;
    return ((const struct nlmsgerr *)nlmsg_data(message))->error;
}

int netlink_message_verdict(const struct netlink_change *change, int error)
{
    switch ((enum netlink_change_kind)change->kind) {
    case NETLINK_PUT_ADDRESS:
    case NETLINK_PUT_MAC:
        return error == EEXIST ? 0 : error;
    case NETLINK_REMOVE_ADDRESS:
        /* ENODEV: the interface is gone, and its addresses with it. */
        return error == EADDRNOTAVAIL || error == ENODEV ? 0 : error;
    case NETLINK_REMOVE_MAC:
        return error == ENOENT || error == ENODEV ? 0 : error;
    case NETLINK_REMOVE_ROUTE:
    case NETLINK_REMOVE_RULE:
        return error == ESRCH || error == ENOENT || error == ENODEV ? 0 : error;
    case NETLINK_DOOM_LINK:
    case NETLINK_REMOVE_DOOMED:
        return error == ENODEV ? 0 : error;
    case NETLINK_NO_AUTOCONF:
        /* A kernel without IPv6 has no such setting. */
        return error == EAFNOSUPPORT || error == EOPNOTSUPP ? 0 : error;
    case NETLINK_PUT_ROUTE:
    case NETLINK_PUT_RULE:
    case NETLINK_ANNOUNCE_OWN:
    case NETLINK_PROMOTE:
    case NETLINK_PUT_MACVLAN:
    case NETLINK_MARK_MACVLAN:
    case NETLINK_OPEN_LINK:
    case NETLINK_SET_ARP:
        break;
    }
    return error;
}

static struct nl_msg *message_new(int type, int flags, const void *header, size_t length)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);

    if (message && nlmsg_append(message, (void *)(uintptr_t)header, length, NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        message = NULL;
    }
    return message;
}

static struct nl_msg *message_finish(struct nl_msg *message, int error)
{
    if (error < 0) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

struct nl_msg *netlink_message_request(enum netlink_request kind, uint8_t protocol)
{
    const struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
    const struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
    struct rtmsg routes = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};
    struct rtmsg all = {.rtm_family = AF_INET, .rtm_protocol = protocol};
    struct fib_rule_hdr rules = {.family = AF_INET};

    switch (kind) {
    case NETLINK_GET_LINKS:
        return message_new(RTM_GETLINK, NLM_F_DUMP, &links, sizeof(links));
    case NETLINK_GET_ADDRESSES:
        return message_new(RTM_GETADDR, NLM_F_DUMP, &addresses, sizeof(addresses));
    case NETLINK_GET_ROUTES_IPV4:
        return message_new(RTM_GETROUTE, NLM_F_DUMP, &routes, sizeof(routes));
    case NETLINK_GET_ROUTES_IPV6:
        routes.rtm_family = AF_INET6;
        return message_new(RTM_GETROUTE, NLM_F_DUMP, &routes, sizeof(routes));
    case NETLINK_GET_PROTOCOL_IPV4:
        return message_new(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
    case NETLINK_GET_PROTOCOL_IPV6:
        all.rtm_family = AF_INET6;
        return message_new(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
    case NETLINK_GET_RULES_IPV4:
        return message_new(RTM_GETRULE, NLM_F_DUMP, &rules, sizeof(rules));
    case NETLINK_GET_RULES_IPV6:
        rules.family = AF_INET6;
        return message_new(RTM_GETRULE, NLM_F_DUMP, &rules, sizeof(rules));
    }
    return NULL;
}

/* `ip addr add` leaves the prefix route to the kernel; for a host address there is no prefix to route. */
static uint32_t address_flags(const struct netlink_change *change)
{
    static const struct net_address none = {0};
    const struct net_address *options = change->options ? change->options : &none;
    bool ipv6 = change->address.family == FAMILY_IPV6;

    return (options->home ? (uint32_t)IFA_F_HOMEADDRESS : 0) | (options->no_dad || ipv6 ? (uint32_t)IFA_F_NODAD : 0) |
           (options->manage_temporary ? (uint32_t)IFA_F_MANAGETEMPADDR : 0) |
           (options->autojoin ? (uint32_t)IFA_F_MCAUTOJOIN : 0) |
           (options->no_prefix_route || (ipv6 && change->prefix_length == 128) ? (uint32_t)IFA_F_NOPREFIXROUTE : 0);
}

static uint8_t address_scope(const struct netlink_change *change)
{
    if (change->options)
        return (uint8_t)change->options->scope;
    return addr_is_link_local(&change->address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/* The highest of the address's network; networks of less than four addresses have none. */
static struct addr broadcast_of(const struct netlink_change *change)
{
    struct addr broadcast = change->options->broadcast;

    if (!change->options->broadcast_auto || change->address.family != FAMILY_IPV4 || change->prefix_length > 30)
        return broadcast;
    broadcast = change->address;
    for (unsigned bit = change->prefix_length; bit < 32; bit++)
        broadcast.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return broadcast;
}

/* For how long the address is preferred, in seconds; UINT32_MAX: for ever. */
static uint32_t preferred_s(const struct netlink_change *change)
{
    bool ipv6 = change->address.family == FAMILY_IPV6;

    if (!change->options)
        return ipv6 ? 0 : UINT32_MAX;
    if (change->options->preferred_lft_s != NET_LIFETIME_FOREVER)
        return (uint32_t)change->options->preferred_lft_s;
    return ipv6 && change->prefix_length == 128 ? 0 : UINT32_MAX;
}

static int put_options(struct nl_msg *message, const struct netlink_change *change)
{
    const struct ifa_cacheinfo lifetime = {.ifa_prefered = preferred_s(change), .ifa_valid = UINT32_MAX};
    int error = 0;

    if (lifetime.ifa_prefered != UINT32_MAX)
        error = nla_put(message, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
    if (error == 0 && address_flags(change) != 0)
        error = nla_put_u32(message, IFA_FLAGS, address_flags(change));
    if (error == 0) /* so that the next daemon, or an operator, can tell whose it is (Linux 5.18; ignored before) */
        error = nla_put_u8(message, IFA_PROTO, NETLINK_PROTOCOL);
    if (error < 0 || !change->options)
        return error;
    const struct addr broadcast = broadcast_of(change);

    if (!addr_is_none(&broadcast))
        error = nla_put(message, IFA_BROADCAST, (int)addr_length(&broadcast), broadcast.bytes);
    if (error == 0 && change->options->label && change->address.family == FAMILY_IPV4)
        error = nla_put_string(message, IFA_LABEL, change->options->label);
    return error;
}

static struct nl_msg *change_address(const struct netlink_change *change)
{
    bool put = change->kind == NETLINK_PUT_ADDRESS;
    const struct ifaddrmsg info = {
        .ifa_family = (uint8_t)family_of(change->address.family),
        .ifa_prefixlen = change->prefix_length,
        .ifa_scope = address_scope(change),
        .ifa_index = (uint32_t)change->ifindex,
    };
    const struct addr *peer = put && change->options ? &change->options->peer : &change->peer;
    const struct addr *far_end = addr_is_none(peer) ? &change->address : peer;
    struct nl_msg *message = put ? message_new(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info))
                                 : message_new(RTM_DELADDR, NLM_F_ACK, &info, sizeof(info));

    if (!message)
        return NULL;
    int error = nla_put(message, IFA_LOCAL, (int)addr_length(&change->address), change->address.bytes);

    if (error == 0)
        error = nla_put(message, IFA_ADDRESS, (int)addr_length(far_end), far_end->bytes);
    if (error == 0 && put)
        error = put_options(message, change);
    return message_finish(message, error);
}

static struct nl_msg *change_mac(const struct netlink_change *change)
{
    bool put = change->kind == NETLINK_PUT_MAC;
    const struct ndmsg info = {
        .ndm_family = AF_BRIDGE,
        .ndm_ifindex = change->ifindex,
        .ndm_state = NUD_PERMANENT,
        .ndm_flags = NTF_SELF,
    };
    struct nl_msg *message = put ? message_new(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info))
                                 : message_new(RTM_DELNEIGH, NLM_F_ACK, &info, sizeof(info));

    return message ? message_finish(message, nla_put(message, NDA_LLADDR, sizeof(change->mac), change->mac)) : NULL;
}

struct nl_msg *netlink_message_change(const struct netlink_change *change)
{
    switch ((enum netlink_change_kind)change->kind) {
    case NETLINK_PUT_ADDRESS:
    case NETLINK_REMOVE_ADDRESS:
        return change_address(change);
    case NETLINK_PUT_MAC:
    case NETLINK_REMOVE_MAC:
        return change_mac(change);
    case NETLINK_PUT_ROUTE:
    case NETLINK_REMOVE_ROUTE:
        return netlink_route_message(change);
    case NETLINK_PUT_RULE:
    case NETLINK_REMOVE_RULE:
        return netlink_rule_message(change);
    case NETLINK_ANNOUNCE_OWN:
    case NETLINK_PROMOTE:
    case NETLINK_PUT_MACVLAN:
    case NETLINK_MARK_MACVLAN:
    case NETLINK_NO_AUTOCONF:
    case NETLINK_OPEN_LINK:
    case NETLINK_SET_ARP:
    case NETLINK_DOOM_LINK:
    case NETLINK_REMOVE_DOOMED:
        return netlink_link_change(change);
    }
    return NULL;
}
