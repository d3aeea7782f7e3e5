/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links as rtnetlink messages: what the kernel says of one, its settings, and macvlan interfaces. No sockets and no
 * state. Called by netlink_message.c and netlink.c.
 */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/netlink_message.h"

#define DOOMED_GROUP 0x56525250 /* the links' group; whoever is in it is about to go */

/* Kernels older than the headers send fewer attributes, newer ones more; unknown ones are skipped. */
static const struct nla_policy link_policy[IFLA_MAX + 1] = {
    [IFLA_IFNAME] = {.type = NLA_STRING, .maxlen = NETLINK_NAME_MAX},
    [IFLA_MTU] = {.type = NLA_U32},
    [IFLA_LINK] = {.type = NLA_U32},
    [IFLA_IFALIAS] = {.type = NLA_STRING},
    [IFLA_LINKINFO] = {.type = NLA_NESTED},
    [IFLA_AF_SPEC] = {.type = NLA_NESTED},
};
static const struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
    [IFLA_INFO_KIND] = {.type = NLA_STRING},
    [IFLA_INFO_DATA] = {.type = NLA_NESTED},
};
static const struct nla_policy macvlan_policy[IFLA_MACVLAN_MAX + 1] = {
    [IFLA_MACVLAN_MODE] = {.type = NLA_U32},
};

static void read_kind(struct nlattr *link_info, struct netlink_event *event)
{
    struct nlattr *info[IFLA_INFO_MAX + 1], *data[IFLA_MACVLAN_MAX + 1];

    if (nla_parse_nested(info, IFLA_INFO_MAX, link_info, info_policy) < 0 || !info[IFLA_INFO_KIND])
        return;
    event->macvlan = nla_strcmp(info[IFLA_INFO_KIND], "macvlan") == 0;
    event->private = event->macvlan && info[IFLA_INFO_DATA] &&
                     nla_parse_nested(data, IFLA_MACVLAN_MAX, info[IFLA_INFO_DATA], macvlan_policy) == 0 &&
                     data[IFLA_MACVLAN_MODE] && nla_get_u32(data[IFLA_MACVLAN_MODE]) == MACVLAN_MODE_PRIVATE;
}

/* The settings are numbered from 1, and their values come in that order. */
static struct netlink_arp read_arp(struct nlattr *families)
{
    struct nlattr *inet = nla_find(nla_data(families), nla_len(families), AF_INET);
    struct nlattr *values = inet ? nla_find(nla_data(inet), nla_len(inet), IFLA_INET_CONF) : NULL;
    uint32_t value[IPV4_DEVCONF_ARP_ANNOUNCE > IPV4_DEVCONF_ARP_IGNORE ? IPV4_DEVCONF_ARP_ANNOUNCE
                                                                       : IPV4_DEVCONF_ARP_IGNORE];

    if (!values || nla_len(values) < (int)sizeof(value))
        return (struct netlink_arp){0};
    memcpy(value, nla_data(values), sizeof(value));
    return (struct netlink_arp){
        .ignore = value[IPV4_DEVCONF_ARP_IGNORE - 1],
        .announce = value[IPV4_DEVCONF_ARP_ANNOUNCE - 1],
        .rp_filter = value[IPV4_DEVCONF_RP_FILTER - 1],
    };
}

void netlink_link_read(struct nlmsghdr *message, netlink_sink *sink, void *context)
{
    struct nlattr *attributes[IFLA_MAX + 1];
    struct netlink_event event = {.kind = message->nlmsg_type == RTM_NEWLINK ? NETLINK_LINK : NETLINK_LINK_GONE};

    if (nlmsg_parse(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX, link_policy) < 0)
        return;
    const struct ifinfomsg *info = nlmsg_data(message);

    /* A bridge reports its ports' leaving with the family AF_BRIDGE; the link itself stays. */
    if (info->ifi_family != AF_UNSPEC)
        return;
    event.ifindex = info->ifi_index;
    event.admin_up = (info->ifi_flags & IFF_UP) != 0;
    event.carrier = (info->ifi_flags & IFF_LOWER_UP) != 0;
    if (attributes[IFLA_IFNAME])
        nla_strlcpy(event.name, attributes[IFLA_IFNAME], sizeof(event.name));
    if (attributes[IFLA_MTU])
        event.mtu = nla_get_u32(attributes[IFLA_MTU]);
    if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(event.mac))
        memcpy(event.mac, nla_data(attributes[IFLA_ADDRESS]), sizeof(event.mac));
    if (attributes[IFLA_LINK] && !attributes[IFLA_LINK_NETNSID])
        event.lower = (int)nla_get_u32(attributes[IFLA_LINK]);
    if (attributes[IFLA_IFALIAS])
        nla_strlcpy(event.alias, attributes[IFLA_IFALIAS], sizeof(event.alias));
    if (attributes[IFLA_LINKINFO])
        read_kind(attributes[IFLA_LINKINFO], &event);
    if (attributes[IFLA_AF_SPEC])
        event.arp = read_arp(attributes[IFLA_AF_SPEC]);
    sink(context, &event);
}

static struct nl_msg *link_new(int type, int flags, const struct ifinfomsg *info)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, flags | NLM_F_ACK);

    if (message && nlmsg_append(message, (void *)(uintptr_t)info, sizeof(*info), NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        message = NULL;
    }
    return message;
}

static struct nl_msg *link_set(int ifindex)
{
    return link_new(RTM_SETLINK, 0, &(struct ifinfomsg){.ifi_family = AF_UNSPEC, .ifi_index = ifindex});
}

static struct nl_msg *finish(struct nl_msg *message, int error)
{
    if (message && error < 0) {
        nlmsg_free(message);
        message = NULL;
    }
    return message;
}

/* One of the interface's settings: net.ipv4.conf.IF.*, in the order of the kernel's numbers. */
struct setting {
    int number;
    uint32_t value;
};

static int put_settings(struct nl_msg *message, const struct setting *settings, unsigned count)
{
    struct nlattr *families = nla_nest_start(message, IFLA_AF_SPEC);
    struct nlattr *inet = families ? nla_nest_start(message, AF_INET) : NULL;
    struct nlattr *values = inet ? nla_nest_start(message, IFLA_INET_CONF) : NULL;
    int error = values ? 0 : -1;

    for (unsigned i = 0; error == 0 && i < count; i++)
        error = nla_put_u32(message, settings[i].number, settings[i].value);
    if (error < 0)
        return error;
    nla_nest_end(message, values);
    nla_nest_end(message, inet);
    nla_nest_end(message, families);
    return 0;
}

static struct nl_msg *set_one(int ifindex, int number, uint32_t value)
{
    struct nl_msg *message = link_set(ifindex);

    return message ? finish(message, put_settings(message, &(struct setting){number, value}, 1)) : NULL;
}

struct nl_msg *netlink_link_promote(int ifindex)
{
    return set_one(ifindex, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
}

static struct nl_msg *set_arp(const struct netlink_change *change)
{
    const struct setting settings[] = {
        {IPV4_DEVCONF_ARP_IGNORE, change->arp.ignore},
        {IPV4_DEVCONF_ARP_ANNOUNCE, change->arp.announce},
    };
    struct nl_msg *message = link_set(change->ifindex);

    return message ? finish(message, put_settings(message, settings, 2)) : NULL;
}

static struct nl_msg *put_macvlan(const struct netlink_change *change)
{
    struct nl_msg *message =
        link_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){.ifi_family = AF_UNSPEC});
    int error = message ? nla_put_string(message, IFLA_IFNAME, change->text) : -1;

    if (error == 0)
        error = nla_put_u32(message, IFLA_LINK, (uint32_t)change->ifindex);
    if (error == 0)
        error = nla_put(message, IFLA_ADDRESS, sizeof(change->mac), change->mac);
    struct nlattr *info = error == 0 ? nla_nest_start(message, IFLA_LINKINFO) : NULL;

    if (!info || nla_put_string(message, IFLA_INFO_KIND, "macvlan") < 0)
        return finish(message, -1);
    struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);

    if (!data || nla_put_u32(message, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE) < 0)
        return finish(message, -1);
    nla_nest_end(message, data);
    nla_nest_end(message, info);
    return message;
}

static struct nl_msg *mark_macvlan(const struct netlink_change *change)
{
    const struct setting settings[] = {
        {IPV4_DEVCONF_RP_FILTER, change->arp.rp_filter},
        {IPV4_DEVCONF_ARP_IGNORE, change->arp.ignore},
    };
    struct nl_msg *message = link_set(change->ifindex);
    int error = message ? nla_put_string(message, IFLA_IFALIAS, change->text) : -1;

    return finish(message, error == 0 ? put_settings(message, settings, 2) : error);
}

static struct nl_msg *no_autoconf(int ifindex)
{
    struct nl_msg *message = link_set(ifindex);
    struct nlattr *families = message ? nla_nest_start(message, IFLA_AF_SPEC) : NULL;
    struct nlattr *inet6 = families ? nla_nest_start(message, AF_INET6) : NULL;

    if (!inet6 || nla_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0)
        return finish(message, -1);
    nla_nest_end(message, inet6);
    nla_nest_end(message, families);
    return message;
}

static struct nl_msg *remove_doomed(void)
{
    struct nl_msg *message = link_new(RTM_DELLINK, 0, &(struct ifinfomsg){.ifi_family = AF_UNSPEC});

    return message ? finish(message, nla_put_u32(message, IFLA_GROUP, DOOMED_GROUP)) : NULL;
}

struct nl_msg *netlink_link_change(const struct netlink_change *change)
{
    struct nl_msg *message;

    switch ((enum netlink_change_kind)change->kind) {
    case NETLINK_ANNOUNCE_OWN:
        return set_one(change->ifindex, IPV4_DEVCONF_ARP_ANNOUNCE, 2);
    case NETLINK_PROMOTE:
        return netlink_link_promote(change->ifindex);
    case NETLINK_SET_ARP:
        return set_arp(change);
    case NETLINK_PUT_MACVLAN:
        return put_macvlan(change);
    case NETLINK_MARK_MACVLAN:
        return mark_macvlan(change);
    case NETLINK_NO_AUTOCONF:
        return no_autoconf(change->ifindex);
    case NETLINK_OPEN_LINK:
        return link_new(
            RTM_SETLINK, 0,
            &(struct ifinfomsg){
                .ifi_family = AF_UNSPEC, .ifi_index = change->ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP});
    case NETLINK_DOOM_LINK:
        message = link_set(change->ifindex);
        return message ? finish(message, nla_put_u32(message, IFLA_GROUP, DOOMED_GROUP)) : NULL;
    case NETLINK_REMOVE_DOOMED:
        return remove_doomed();
    case NETLINK_PUT_ADDRESS:
    case NETLINK_REMOVE_ADDRESS:
    case NETLINK_PUT_MAC:
    case NETLINK_REMOVE_MAC:
    case NETLINK_PUT_ROUTE:
    case NETLINK_REMOVE_ROUTE:
    case NETLINK_PUT_RULE:
    case NETLINK_REMOVE_RULE:
        break;
    }
    return NULL;
}
