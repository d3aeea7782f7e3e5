/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy rules: rtnetlink's RTM_*RULE messages. A rule is known again by everything that it says; its preference, when
 * the kernel chose it, is remembered by who asks. See netlink_policy.h.
 */
#include <assert.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "platform/netlink_policy.h"

static const uint8_t ACTIONS[] = {
    [NET_LOOKUP] = FR_ACT_TO_TBL,
    [NET_GOTO] = FR_ACT_GOTO,
    [NET_NOP] = FR_ACT_NOP,
    [NET_RULE_BLACKHOLE] = FR_ACT_BLACKHOLE,
    [NET_RULE_UNREACHABLE] = FR_ACT_UNREACHABLE,
    [NET_RULE_PROHIBIT] = FR_ACT_PROHIBIT,
};

/* A number of a rule: its attribute, and whether it is given. */
struct number {
    int type;
    bool given;
    uint32_t value;
};

#define NUMBERS 7

static void numbers_of(const struct net_rule *rule, struct number out[static NUMBERS])
{
    const struct number numbers[NUMBERS] = {
        {FRA_TABLE, rule->action == NET_LOOKUP && !rule->l3mdev, (uint32_t)rule->table},
        {FRA_GOTO, rule->action == NET_GOTO, (uint32_t)rule->goto_preference},
        {FRA_FWMARK, rule->mark_mask != 0, (uint32_t)rule->mark},
        {FRA_FWMASK, rule->mark_mask != 0, (uint32_t)rule->mark_mask},
        {FRA_SUPPRESS_PREFIXLEN, rule->suppress_prefix_length != NET_UNSET, (uint32_t)rule->suppress_prefix_length},
        {FRA_SUPPRESS_IFGROUP, rule->suppress_group != NET_UNSET, (uint32_t)rule->suppress_group},
        {FRA_PRIORITY, rule->preference != NET_UNSET, (uint32_t)rule->preference},
    };

    memcpy(out, numbers, sizeof(numbers));
}

static int put_numbers(struct nl_msg *message, const struct netlink_change *change)
{
    struct number numbers[NUMBERS];
    int error = 0;

    numbers_of(change->rule, numbers);
    for (unsigned i = 0; i < NUMBERS && error == 0; i++) {
        /* What the kernel chose is asked for when the rule goes. */
        if (numbers[i].type == FRA_PRIORITY && !numbers[i].given && change->kind == NETLINK_REMOVE_RULE)
            error = nla_put_u32(message, FRA_PRIORITY, change->preference);
        else if (numbers[i].given)
            error = nla_put_u32(message, numbers[i].type, numbers[i].value);
    }
    return error;
}

static struct fib_rule_port_range ports_of(const struct net_range *range)
{
    return (struct fib_rule_port_range){.start = (uint16_t)range->first, .end = (uint16_t)range->last};
}

static int put_ranges(struct nl_msg *message, const struct net_rule *rule)
{
    const struct fib_rule_uid_range uids = {.start = (uint32_t)rule->uids.first, .end = (uint32_t)rule->uids.last};
    const struct fib_rule_port_range source = ports_of(&rule->source_ports);
    const struct fib_rule_port_range destination = ports_of(&rule->destination_ports);
    int error = 0;

    if (rule->uids.first != NET_UNSET)
        error = nla_put(message, FRA_UID_RANGE, sizeof(uids), &uids);
    if (error == 0 && rule->source_ports.first != NET_UNSET)
        error = nla_put(message, FRA_SPORT_RANGE, sizeof(source), &source);
    if (error == 0 && rule->destination_ports.first != NET_UNSET)
        error = nla_put(message, FRA_DPORT_RANGE, sizeof(destination), &destination);
    return error;
}

static bool fill(struct nl_msg *message, const struct netlink_change *change)
{
    const struct net_rule *rule = change->rule;
    int error = netlink_put_address(message, FRA_SRC, &rule->from);

    if (error == 0)
        error = netlink_put_address(message, FRA_DST, &rule->to);
    if (error == 0)
        error = put_numbers(message, change);
    if (error == 0)
        error = put_ranges(message, rule);
    if (error == 0 && rule->input)
        error = nla_put_string(message, FRA_IIFNAME, rule->input);
    if (error == 0 && rule->output)
        error = nla_put_string(message, FRA_OIFNAME, rule->output);
    if (error == 0 && rule->l3mdev)
        error = nla_put_u8(message, FRA_L3MDEV, 1);
    if (error == 0 && rule->ip_protocol != 0)
        error = nla_put_u8(message, FRA_IP_PROTO, (uint8_t)rule->ip_protocol);
    if (error == 0)
        error = nla_put_u8(message, FRA_PROTOCOL, (uint8_t)rule->protocol);
    return error == 0;
}

struct nl_msg *netlink_rule_message(const struct netlink_change *change)
{
    const struct net_rule *rule = change->rule;
    bool put = change->kind == NETLINK_PUT_RULE;
    const struct fib_rule_hdr head = {
        .family = rule->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
        .src_len = rule->from_length,
        .dst_len = rule->to_length,
        .tos = (uint8_t)rule->tos,
        .action = ACTIONS[rule->action],
        .flags = rule->invert ? FIB_RULE_INVERT : 0,
    };
    struct nl_msg *message =
        nlmsg_alloc_simple(put ? RTM_NEWRULE : RTM_DELRULE, put ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK);

    if (!message)
        return NULL;
    if (nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) == 0 && fill(message, change))
        return message;
    nlmsg_free(message);
    return NULL;
}

static_assert(FRA_MAX < NETLINK_ATTRIBUTES, "what is read has room");

bool netlink_rule_read(struct nlmsghdr *message, struct netlink_policy *out)
{
    if (message->nlmsg_type != RTM_NEWRULE ||
        nlmsg_parse(message, sizeof(struct fib_rule_hdr), out->attributes, FRA_MAX, NULL) < 0)
        return false;
    out->rule = nlmsg_data(message);
    out->preference = netlink_number(out->attributes[FRA_PRIORITY], 0);
    return true;
}

static bool is_text(const struct nlattr *attribute, const char *text)
{
    if (!attribute || !text)
        return !attribute && !text;
    return (size_t)nla_len(attribute) == strlen(text) + 1 && memcmp(nla_data(attribute), text, strlen(text)) == 0;
}

static bool is_range(const struct nlattr *attribute, bool given, const void *range, size_t length)
{
    if (!attribute || !given)
        return !attribute && !given;
    return (size_t)nla_len(attribute) == length && memcmp(nla_data(attribute), range, length) == 0;
}

static bool are_ranges(struct nlattr *const *attributes, const struct net_rule *rule)
{
    const struct fib_rule_uid_range uids = {.start = (uint32_t)rule->uids.first, .end = (uint32_t)rule->uids.last};
    const struct fib_rule_port_range source = ports_of(&rule->source_ports);
    const struct fib_rule_port_range destination = ports_of(&rule->destination_ports);

    return is_range(attributes[FRA_UID_RANGE], rule->uids.first != NET_UNSET, &uids, sizeof(uids)) &&
           is_range(attributes[FRA_SPORT_RANGE], rule->source_ports.first != NET_UNSET, &source, sizeof(source)) &&
           is_range(attributes[FRA_DPORT_RANGE], rule->destination_ports.first != NET_UNSET, &destination,
                    sizeof(destination));
}

/* Of those that are not given the kernel may say nothing, or its default: no table, no mark, whatever preference. */
static bool are_numbers(struct nlattr *const *attributes, const struct net_rule *rule)
{
    struct number numbers[NUMBERS];

    numbers_of(rule, numbers);
    for (unsigned i = 0; i < NUMBERS; i++) {
        const struct nlattr *attribute = attributes[numbers[i].type];
        uint32_t otherwise =
            numbers[i].type == FRA_SUPPRESS_PREFIXLEN || numbers[i].type == FRA_SUPPRESS_IFGROUP ? UINT32_MAX : 0;

        if (!numbers[i].given && numbers[i].type == FRA_PRIORITY)
            continue;
        if (netlink_number(attribute, otherwise) != (numbers[i].given ? numbers[i].value : otherwise))
            return false;
    }
    return true;
}

bool netlink_is_rule(const struct netlink_policy *policy, const struct net_rule *rule)
{
    const struct fib_rule_hdr *head = policy->rule;
    struct nlattr *const *attributes = policy->attributes;

    return head && head->family == (rule->family == FAMILY_IPV4 ? AF_INET : AF_INET6) &&
           head->action == ACTIONS[rule->action] && head->tos == (uint8_t)rule->tos &&
           !(head->flags & FIB_RULE_INVERT) == !rule->invert && head->src_len == rule->from_length &&
           head->dst_len == rule->to_length && netlink_is_prefix(attributes[FRA_SRC], &rule->from, rule->from_length) &&
           netlink_is_prefix(attributes[FRA_DST], &rule->to, rule->to_length) && are_numbers(attributes, rule) &&
           are_ranges(attributes, rule) && is_text(attributes[FRA_IIFNAME], rule->input) &&
           is_text(attributes[FRA_OIFNAME], rule->output) &&
           netlink_number(attributes[FRA_L3MDEV], 0) == (rule->l3mdev ? 1 : 0) &&
           netlink_number(attributes[FRA_IP_PROTO], 0) == (uint32_t)rule->ip_protocol &&
           netlink_number(attributes[FRA_PROTOCOL], 0) == (uint32_t)(uint8_t)rule->protocol;
}
