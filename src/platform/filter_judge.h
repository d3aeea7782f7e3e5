/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that judge packets, and what they share with the rest of a table: fields of packets, keys, and how a VIP is
 * known to be held. Private to filter_layout.c and filter_judge.c.
 */
#ifndef EVENKEEL_PLATFORM_FILTER_JUDGE_H
#define EVENKEEL_PLATFORM_FILTER_JUDGE_H

#include "platform/filter_batch.h"
#include "platform/filter_layout.h"

static const struct batch_field link_source = {BATCH_LINK_HEADER, 6, 6};
static const struct batch_field link_destination = {BATCH_LINK_HEADER, 0, 6};
static const struct batch_field ipv4_ttl = {BATCH_NETWORK_HEADER, 8, 1};
static const struct batch_field ipv4_source = {BATCH_NETWORK_HEADER, 12, 4};
static const struct batch_field ipv4_destination = {BATCH_NETWORK_HEADER, 16, 4};
static const struct batch_field ipv6_hop_limit = {BATCH_NETWORK_HEADER, 7, 1};
static const struct batch_field ipv6_source = {BATCH_NETWORK_HEADER, 8, 16};
static const struct batch_field ipv6_destination = {BATCH_NETWORK_HEADER, 24, 16};
static const struct batch_field arp_operation = {BATCH_NETWORK_HEADER, 6, 2};
static const struct batch_field arp_sender_mac = {BATCH_NETWORK_HEADER, 8, 6};
static const struct batch_field arp_sender = {BATCH_NETWORK_HEADER, 14, 4};
static const struct batch_field arp_target = {BATCH_NETWORK_HEADER, 24, 4};
static const struct batch_field icmp6_type = {BATCH_TRANSPORT_HEADER, 0, 1};
static const struct batch_field nd_target = {BATCH_TRANSPORT_HEADER, 8, 16};
static const struct batch_field nd_option = {BATCH_TRANSPORT_HEADER, 24, 2};
static const struct batch_field nd_option_mac = {BATCH_TRANSPORT_HEADER, 26, 6};
static const struct batch_field vrrp_version_type = {BATCH_TRANSPORT_HEADER, 0, 1};
static const struct batch_field vrrp_version_to_vrid = {BATCH_TRANSPORT_HEADER, 0, 2};
static const struct batch_field vrrp_priority = {BATCH_TRANSPORT_HEADER, 2, 1};
static const struct batch_field vrrp_count = {BATCH_TRANSPORT_HEADER, 3, 1};
static const struct batch_field vrrp_ipv4 = {BATCH_TRANSPORT_HEADER, 8, 4};
static const struct batch_field vrrp_ipv6 = {BATCH_TRANSPORT_HEADER, 8, 16};

struct layout {
    struct filter_batch *batch;
    const struct filter_table *table;
    bool has[LAYOUT_CLASSES];       /* there are VIPs of this class */
    bool no_accept[LAYOUT_CLASSES]; /* ... of which some take no data */
    bool ipv4, ipv6;
};

/* Of a class of VIPs: where in a packet the address stands, and the way that the packet goes. */
struct judged {
    enum layout_class kind;
    struct batch_field field;
    bool out;
};

void judge_rules(const struct layout *l);

/* The key of a VIP of the class, whose address stands in `field` of a packet that goes `out` or comes in. */
struct batch_key judge_key(enum layout_class kind, struct batch_field field, bool out);
/* The key is in `set`, and this host is alive. Not where units have leases of their own. */
void judge_held(const struct layout *l, struct nftnl_rule *rule, const struct batch_key *key, const char *set);
void judge_drop_rest(const struct layout *l, const char *chain, const char *comment);
void judge_protocol(struct nftnl_rule *rule, bool equal, uint8_t protocol);
/*
 * A chain sees packets of one protocol only. Its rules name it all the same before they look at a field: without that
 * `nft list` cannot tell what the field is, and an operator reads `@nh,128,32` where `ip daddr` is meant. A few
 * nanoseconds. Targets of neighbour discovery have no name in nft 1.0; the comment says it there.
 */
void judge_for(struct nftnl_rule *rule, const char *chain, struct batch_field field);

#endif
