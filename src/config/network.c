/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See network.h. Called by the kernel's side of a reload. */
#include "config/network.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_range(const struct net_range *a, const struct net_range *b)
{
    return a->first == b->first && a->last == b->last;
}

bool net_same_address(const struct net_address *a, const struct net_address *b)
{
    return addr_equal(&a->address, &b->address) && a->prefix_length == b->prefix_length &&
           addr_equal(&a->broadcast, &b->broadcast) && a->broadcast_auto == b->broadcast_auto &&
           addr_equal(&a->peer, &b->peer) && same_text(a->label, b->label) && a->scope == b->scope &&
           a->preferred_lft_s == b->preferred_lft_s && a->home == b->home && a->no_dad == b->no_dad &&
           a->manage_temporary == b->manage_temporary && a->no_prefix_route == b->no_prefix_route &&
           a->autojoin == b->autojoin;
}

static bool same_hop(const struct net_next_hop *a, const struct net_next_hop *b)
{
    return addr_equal(&a->via, &b->via) && same_text(a->device, b->device) && a->weight == b->weight &&
           a->onlink == b->onlink;
}

bool net_same_route(const struct net_route *a, const struct net_route *b)
{
    if (a->type != b->type || a->family != b->family || !addr_equal(&a->to, &b->to) || a->to_length != b->to_length ||
        !addr_equal(&a->source, &b->source) || a->hop_count != b->hop_count || a->table != b->table ||
        a->metric != b->metric || a->protocol != b->protocol || a->scope != b->scope || a->tos != b->tos ||
        memcmp(a->metrics, b->metrics, sizeof(a->metrics)) != 0 || a->locked != b->locked)
        return false;
    for (unsigned i = 0; i < a->hop_count; i++)
        if (!same_hop(&a->hops[i], &b->hops[i]))
            return false;
    return true;
}

bool net_same_rule(const struct net_rule *a, const struct net_rule *b)
{
    return a->action == b->action && a->family == b->family && a->invert == b->invert &&
           addr_equal(&a->from, &b->from) && addr_equal(&a->to, &b->to) && a->from_length == b->from_length &&
           a->to_length == b->to_length && a->table == b->table && a->preference == b->preference &&
           a->goto_preference == b->goto_preference && a->tos == b->tos && a->mark == b->mark &&
           a->mark_mask == b->mark_mask && same_text(a->input, b->input) && same_text(a->output, b->output) &&
           a->suppress_prefix_length == b->suppress_prefix_length && a->suppress_group == b->suppress_group &&
           same_range(&a->uids, &b->uids) && same_range(&a->source_ports, &b->source_ports) &&
           same_range(&a->destination_ports, &b->destination_ports) && a->ip_protocol == b->ip_protocol &&
           a->protocol == b->protocol && a->l3mdev == b->l3mdev;
}
