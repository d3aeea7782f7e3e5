/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The printer's blocks of lines: addresses, routes, rules, trackers. Called by compat_print.c. */
#include <inttypes.h>

#include "compat_print.h"

static void line_start(FILE *out, unsigned depth)
{
    fprintf(out, "%*s", (int)(4 * depth) - 1, "");
}

static void block_start(FILE *out, unsigned depth, const char *keyword)
{
    fprintf(out, "%*s%s {\n", (int)(4 * depth), "", keyword);
}

static void block_end(FILE *out, unsigned depth)
{
    fprintf(out, "%*s}\n", (int)(4 * depth), "");
}

static void put_addr(FILE *out, const char *keyword, const struct addr *address)
{
    char text[ADDR_TEXT_MAX];

    if (address->family != FAMILY_NONE)
        fprintf(out, " %s %s", keyword, addr_format(address, text));
}

static void put_prefix(FILE *out, const char *keyword, const struct addr *address, unsigned length)
{
    put_addr(out, keyword, address);
    if (address->family != FAMILY_NONE)
        fprintf(out, "/%u", length);
}

static void put_word(FILE *out, const char *keyword, const char *text)
{
    if (text == NULL)
        return;
    fprintf(out, " %s", keyword);
    print_quoted(out, text);
}

static void put_number(FILE *out, const char *keyword, int64_t value, int64_t silent)
{
    if (value != silent)
        fprintf(out, " %s %" PRId64, keyword, value);
}

static void put_flag(FILE *out, const char *keyword, bool value)
{
    if (value)
        fprintf(out, " %s", keyword);
}

static void print_address(FILE *out, unsigned depth, const struct net_address *address)
{
    char text[ADDR_TEXT_MAX];

    line_start(out, depth);
    fprintf(out, " %s/%u", addr_format(&address->address, text), address->prefix_length);
    put_word(out, "dev", address->device);
    put_prefix(out, "peer", &address->peer, address->prefix_length);
    put_addr(out, "brd", &address->broadcast);
    put_flag(out, "brd +", address->broadcast_auto);
    put_number(out, "scope", address->scope, addr_is_link_local(&address->address) ? 253 : 0);
    put_word(out, "label", address->label);
    put_number(out, "preferred_lft", address->preferred_lft_s, NET_LIFETIME_FOREVER);
    put_flag(out, "home", address->home);
    put_flag(out, "-nodad", address->no_dad);
    put_flag(out, "mngtmpaddr", address->manage_temporary);
    put_flag(out, "noprefixroute", address->no_prefix_route);
    put_flag(out, "autojoin", address->autojoin);
    put_flag(out, "use_vmac", address->use_vmac);
    put_flag(out, "no_track", address->no_track);
    fputc('\n', out);
}

void print_addresses(FILE *out, unsigned depth, const char *keyword, const struct net_address *addresses,
                     unsigned count)
{
    if (count == 0)
        return;
    block_start(out, depth, keyword);
    for (unsigned i = 0; i < count; i++)
        print_address(out, depth + 1, &addresses[i]);
    block_end(out, depth);
}

/* --- routes --- */

static void print_hop(FILE *out, const struct net_next_hop *hop, bool several)
{
    put_flag(out, "nexthop", several);
    put_addr(out, "via", &hop->via);
    put_word(out, "dev", hop->device);
    put_number(out, "weight", hop->weight, 1);
    put_flag(out, "onlink", hop->onlink);
}

static void print_metrics(FILE *out, const struct net_route *route)
{
    static const char *const names[] = {
        [NET_MTU] = "mtu",           [NET_ADVMSS] = "advmss",         [NET_RTT] = "rtt",
        [NET_RTTVAR] = "rttvar",     [NET_REORDERING] = "reordering", [NET_CWND] = "cwnd",
        [NET_SSTHRESH] = "ssthresh", [NET_RTO_MIN] = "rto_min",       [NET_HOPLIMIT] = "hoplimit",
        [NET_WINDOW] = "window",     [NET_INITCWND] = "initcwnd",     [NET_INITRWND] = "initrwnd",
        [NET_QUICKACK] = "quickack",
    };

    for (unsigned m = 0; m < NET_METRICS; m++) {
        bool locked = (route->locked & 1u << m) != 0;

        if (route->metrics[m] != 0 || locked)
            fprintf(out, " %s%s %" PRId64, names[m], locked ? " lock" : "", route->metrics[m]);
    }
}

static void print_route(FILE *out, unsigned depth, const struct net_route *route)
{
    static const char *const types[] = {
        [NET_UNICAST] = "unicast",         [NET_LOCAL] = "local",         [NET_BROADCAST] = "broadcast",
        [NET_ANYCAST] = "anycast",         [NET_MULTICAST] = "multicast", [NET_THROW] = "throw",
        [NET_UNREACHABLE] = "unreachable", [NET_PROHIBIT] = "prohibit",   [NET_BLACKHOLE] = "blackhole",
    };

    line_start(out, depth);
    fprintf(out, " %s %s", route->family == FAMILY_IPV6 ? "inet6" : "inet", types[route->type]);
    put_addr(out, "src", &route->source);
    put_prefix(out, "to", &route->to, route->to_length);
    put_flag(out, "to default", route->to.family == FAMILY_NONE);
    put_number(out, "table", route->table, 254);
    put_number(out, "metric", route->metric, 0);
    put_number(out, "protocol", route->protocol, 18);
    put_number(out, "scope", route->scope, NET_UNSET);
    put_number(out, "tos", route->tos, 0);
    print_metrics(out, route);
    put_flag(out, "no_track", route->no_track);
    for (unsigned i = 0; i < route->hop_count; i++)
        print_hop(out, &route->hops[i], route->hop_count > 1);
    fputc('\n', out);
}

void print_routes(FILE *out, unsigned depth, const char *keyword, const struct net_route *routes, unsigned count)
{
    if (count == 0)
        return;
    block_start(out, depth, keyword);
    for (unsigned i = 0; i < count; i++)
        print_route(out, depth + 1, &routes[i]);
    block_end(out, depth);
}

/* --- rules --- */

static void put_range(FILE *out, const char *keyword, const struct net_range *range)
{
    if (range->first != NET_UNSET)
        fprintf(out, " %s %" PRId64 "-%" PRId64, keyword, range->first, range->last);
}

static void put_action(FILE *out, const struct net_rule *rule)
{
    switch ((enum net_rule_action)rule->action) {
    case NET_LOOKUP:
        fprintf(out, " table %" PRId64, rule->table);
        return;
    case NET_GOTO:
        fprintf(out, " goto %" PRId64, rule->goto_preference);
        return;
    case NET_NOP:
        fputs(" nop", out);
        return;
    case NET_RULE_BLACKHOLE:
        fputs(" blackhole", out);
        return;
    case NET_RULE_UNREACHABLE:
        fputs(" unreachable", out);
        return;
    case NET_RULE_PROHIBIT:
        fputs(" prohibit", out);
        return;
    }
}

static void print_rule(FILE *out, unsigned depth, const struct net_rule *rule)
{
    line_start(out, depth);
    fprintf(out, " %s", rule->family == FAMILY_IPV6 ? "inet6" : "inet");
    put_flag(out, "not", rule->invert);
    put_prefix(out, "from", &rule->from, rule->from_length);
    put_prefix(out, "to", &rule->to, rule->to_length);
    put_action(out, rule);
    put_number(out, "preference", rule->preference, NET_UNSET);
    put_number(out, "tos", rule->tos, 0);
    if (rule->mark_mask != 0)
        fprintf(out, " fwmark %" PRId64 "/%" PRId64, rule->mark, rule->mark_mask);
    put_word(out, "iif", rule->input);
    put_word(out, "oif", rule->output);
    put_number(out, "suppress_prefixlength", rule->suppress_prefix_length, NET_UNSET);
    put_number(out, "suppress_ifgroup", rule->suppress_group, NET_UNSET);
    put_range(out, "uidrange", &rule->uids);
    put_range(out, "sport", &rule->source_ports);
    put_range(out, "dport", &rule->destination_ports);
    put_number(out, "ipproto", rule->ip_protocol, 0);
    put_number(out, "protocol", rule->protocol, 18);
    put_flag(out, "l3mdev", rule->l3mdev);
    put_flag(out, "no_track", rule->no_track);
    fputc('\n', out);
}

void print_rules(FILE *out, unsigned depth, const char *keyword, const struct net_rule *rules, unsigned count)
{
    if (count == 0)
        return;
    block_start(out, depth, keyword);
    for (unsigned i = 0; i < count; i++)
        print_rule(out, depth + 1, &rules[i]);
    block_end(out, depth);
}

/* --- trackers --- */

static bool put_kind(FILE *out, const struct check_tracker *trackers, unsigned count, enum check_tracker_kind kind,
                     bool started)
{
    for (unsigned i = 0; i < count; i++) {
        const struct check_tracker *tracker = &trackers[i];

        if (tracker->kind != kind)
            continue;
        if (!started)
            block_start(out, 1, compat_track_word(kind));
        started = true;
        line_start(out, 2);
        print_quoted(out, tracker->name);
        fprintf(out, " weight %d%s\n", tracker->weight.value, tracker->weight.reverse ? " reverse" : " noreverse");
    }
    return started;
}

void print_trackers(FILE *out, const struct check_tracker *trackers, unsigned count)
{
    for (unsigned kind = 0; kind < CHECK_TRACK_KINDS; kind++)
        if (put_kind(out, trackers, count, (enum check_tracker_kind)kind, false))
            block_end(out, 1);
}
