/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes and policy rules as messages: built from what a configuration says, and compared with what a dump holds. No
 * sockets and no state. Used by netlink.c (building) and kernel_policy.c (comparing), by way of netlink.h.
 */
#ifndef EVENKEEL_PLATFORM_NETLINK_POLICY_H
#define EVENKEEL_PLATFORM_NETLINK_POLICY_H

#include "platform/netlink.h"

struct nl_msg;
struct nlattr;
struct nlmsghdr;
struct rtmsg;
struct fib_rule_hdr;

/* The caller frees it with nlmsg_free(); NULL when there is no memory. */
struct nl_msg *netlink_route_message(const struct netlink_change *change);
struct nl_msg *netlink_rule_message(const struct netlink_change *change);

/* Takes a dumped message apart; false when it is none of that kind, or malformed. `out` points into it. */
bool netlink_route_read(struct nlmsghdr *message, struct netlink_policy *out);
bool netlink_rule_read(struct nlmsghdr *message, struct netlink_policy *out);

/* 0, or -1 when there is no room: an address as an attribute. Without an address nothing is put. */
int netlink_put_address(struct nl_msg *message, int type, const struct addr *address);
/* The attribute is the address's first `length` bits, or is not there and there are none. */
bool netlink_is_prefix(const struct nlattr *attribute, const struct addr *address, uint8_t length);
/* The attribute's number, or what it is when there is none. */
uint32_t netlink_number(const struct nlattr *attribute, uint32_t otherwise);

#endif
