/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single rtnetlink messages: building requests, reading what the kernel says. No sockets. Used by netlink.c, and by its
 * unit test, which feeds it bytes.
 */
#ifndef EVENKEEL_PLATFORM_NETLINK_MESSAGE_H
#define EVENKEEL_PLATFORM_NETLINK_MESSAGE_H

#include "platform/netlink.h"

struct nl_msg;
struct nlmsghdr;

enum netlink_request {
    NETLINK_GET_LINKS,
    NETLINK_GET_ADDRESSES,
    NETLINK_GET_ROUTES_IPV4, /* of the main table */
    NETLINK_GET_ROUTES_IPV6,
    /* of one protocol in all tables; of all where the kernel cannot be asked for less (NETLINK_GET_STRICT_CHK) */
    NETLINK_GET_PROTOCOL_IPV4,
    NETLINK_GET_PROTOCOL_IPV6,
    NETLINK_GET_RULES_IPV4,
    NETLINK_GET_RULES_IPV6,
};

/* The caller frees them with nlmsg_free(); NULL when there is no memory. */
struct nl_msg *netlink_message_request(enum netlink_request kind, uint8_t protocol);
struct nl_msg *netlink_message_change(const struct netlink_change *change);

/* netlink_link.c: links and their settings. */
struct nl_msg *netlink_link_change(const struct netlink_change *change);
struct nl_msg *netlink_link_promote(int ifindex); /* promote_secondaries = 1 on the interface */
void netlink_link_read(struct nlmsghdr *message, netlink_sink *sink, void *context);

/* Hands the event in `message` to the sink, if it is one. The whole message must be in memory; its content may be
 * anything. */
void netlink_message_read(struct nlmsghdr *message, netlink_sink *sink, void *context);

/* The error of an NLMSG_ERROR message: 0 or a negative errno. */
int netlink_message_error(struct nlmsghdr *message);

/* What a positive errno means for the change: 0 when what was wanted is so anyway. */
int netlink_message_verdict(const struct netlink_change *change, int error);

#endif
