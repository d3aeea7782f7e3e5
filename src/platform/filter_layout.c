/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet meets. Ingress: ARP requests, neighbour solicitations and IP packets for a VIP of the pool that this
 * host does not hold (or while it is not alive) are dropped. Egress: so are ARP messages whose sender is such a VIP,
 * neighbour advertisements about it, and IP packets from it. VRRP itself always passes both ways. Called by filter.c.
 *
 * Egress is not just a second lock. A host whose only address in a VIP's subnet is the VIP asks by ARP with the VIP as
 * the sender (arp_announce 0), and every host that hears it would redirect its cache; so no such request leaves from a
 * host that does not hold the VIP. And a gratuitous ARP of the VIP's owner may pass ingress, to mend our own neighbour
 * table, since an answer to it could not leave.
 *
 * The lease: the egress chain of the pool's own interface looks for this host's member advertisement - VRRP version 3,
 * TTL 255, a priority other than 0, one address, that address and the source both in `self` - and then gives `alive`
 * its time anew. The lookup before the renewal is what makes the lease end: a late advertisement finds no element and
 * must not make one.
 */
#include "platform/filter_layout.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "platform/filter_batch.h"

/* Before what others do with arriving packets, after what they do with leaving ones. */
#define INGRESS_PRIORITY (-200)
#define EGRESS_PRIORITY 200

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
static const struct batch_field vrrp_priority = {BATCH_TRANSPORT_HEADER, 2, 1};
static const struct batch_field vrrp_count = {BATCH_TRANSPORT_HEADER, 3, 1};
static const struct batch_field vrrp_ipv4 = {BATCH_TRANSPORT_HEADER, 8, 4};
static const struct batch_field vrrp_ipv6 = {BATCH_TRANSPORT_HEADER, 8, 16};

#define ICMP6_CHECKSUM_OFFSET 2

struct layout {
    struct filter_batch *batch;
    const struct filter_table *table;
    bool ipv4, ipv6; /* the pool has VIPs of this family */
};

void layout_lease_key(const struct filter_table *table, char key[static CONFIG_INTERFACE_MAX])
{
    memset(key, 0, CONFIG_INTERFACE_MAX);
    memcpy(key, table->pool_link, strnlen(table->pool_link, CONFIG_INTERFACE_MAX - 1));
}

void layout_sets(struct filter_batch *batch, const struct filter_table *table)
{
    /* Elements that one transaction takes out and puts in again count twice until it is done. */
    uint32_t room = 2 * table->vip_count + 8;

    batch_set(batch, "vips", BATCH_IPV4, 0, room, 0);
    batch_set(batch, "vips6", BATCH_IPV6, 0, room, 0);
    batch_set(batch, "held", BATCH_IPV4, 0, room, 0);
    batch_set(batch, "held6", BATCH_IPV6, 0, room, 0);
    if (table->mode == FILTER_LEASE) {
        batch_set(batch, "self", table->family == FAMILY_IPV4 ? BATCH_IPV4 : BATCH_IPV6, 0, 8, 0);
        batch_set(batch, "alive", BATCH_IFNAME, 0, 8, table->lease_ms);
    }
    if (table->use_vmac) {
        batch_set(batch, "vmacs", BATCH_MAC, 0, room, 0);
        batch_set(batch, "mac_of", BATCH_IPV4, BATCH_MAC, room, 0);
        batch_set(batch, "mac_of6", BATCH_IPV6, BATCH_MAC, room, 0);
    }
}

static void rule_alive(const struct layout *l, struct nftnl_rule *rule)
{
    char key[CONFIG_INTERFACE_MAX];

    if (l->table->mode != FILTER_LEASE)
        return;
    layout_lease_key(l->table, key);
    rule_constant_in(rule, key, sizeof(key), "alive");
}

static void rule_protocol_is(struct nftnl_rule *rule, bool equal, uint8_t protocol)
{
    rule_meta_is(rule, NFT_META_L4PROTO, equal, &protocol, sizeof(protocol));
}

/*
 * A chain sees packets of one protocol only. Its rules name it all the same before they look at a field: without that
 * `nft list` cannot tell what the field is, and an operator reads `@nh,128,32` where `ip daddr` is meant. A few
 * nanoseconds. Targets of neighbour discovery have no name in nft 1.0; the comment says it there.
 */
static void rule_for(struct nftnl_rule *rule, const char *chain, struct batch_field field)
{
    uint16_t protocol = htons(ETH_P_IP);

    if (field.base != BATCH_NETWORK_HEADER)
        return;
    if (strstr(chain, "arp"))
        protocol = htons(ETH_P_ARP);
    else if (strstr(chain, "ip6"))
        protocol = htons(ETH_P_IPV6);
    rule_meta_is(rule, NFT_META_PROTOCOL, true, &protocol, sizeof(protocol));
}

/* The end of a chain about VIPs: held (and alive) passes, or goes on to `stamp`; all else is dropped and counted. */
static void pass_if_held(const struct layout *l, const char *chain, struct batch_field field, const char *held,
                         const char *stamp)
{
    bool lease = l->table->mode == FILTER_LEASE;
    struct nftnl_rule *rule = batch_rule(l->batch, chain, lease ? "held here, and this host is alive" : "held here");

    rule_for(rule, chain, field);
    rule_field_in(rule, field, true, held);
    rule_alive(l, rule);
    rule_verdict(rule, l->table->use_vmac && stamp ? NFT_GOTO : NF_ACCEPT, l->table->use_vmac ? stamp : NULL);
    batch_rule_end(l->batch, rule);
    rule = batch_rule(l->batch, chain, "a VIP that is not ours now");
    rule_count(rule);
    rule_verdict(rule, NF_DROP, NULL);
    batch_rule_end(l->batch, rule);
}

/* What does not concern a VIP leaves the chain here, by one lookup. */
static void pass_unless_vip(const struct layout *l, const char *chain, struct batch_field field, const char *vips)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "no VIP");

    rule_for(rule, chain, field);
    rule_field_in(rule, field, false, vips);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void pass_protocol(const struct layout *l, const char *chain, bool equal, uint8_t protocol, const char *comment)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    rule_protocol_is(rule, equal, protocol);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void pass_field(const struct layout *l, const char *chain, struct batch_field field, bool equal,
                       const void *value, const char *comment)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    rule_for(rule, chain, field);
    rule_field_is(rule, field, equal, value);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void ipv4_rules(const struct layout *l)
{
    const uint16_t request = htons(1);

    pass_unless_vip(l, "in_ip", ipv4_destination, "vips");
    pass_protocol(l, "in_ip", true, VRRP_PROTOCOL, "VRRP always passes");
    pass_if_held(l, "in_ip", ipv4_destination, "held", NULL);

    pass_field(l, "in_arp", arp_operation, false, &request, "only requests ask for an answer");
    pass_unless_vip(l, "in_arp", arp_target, "vips");
    if (l->table->egress) {
        struct nftnl_rule *rule = batch_rule(l->batch, "in_arp", "the owner's announcements");

        rule_for(rule, "in_arp", arp_sender);
        rule_field_in(rule, arp_sender, true, "vips");
        rule_verdict(rule, NF_ACCEPT, NULL);
        batch_rule_end(l->batch, rule);
    }
    pass_if_held(l, "in_arp", arp_target, "held", NULL);
    if (!l->table->egress)
        return;
    pass_unless_vip(l, "out_ip", ipv4_source, "vips");
    pass_if_held(l, "out_ip", ipv4_source, "held", "stamp_ip");
    pass_unless_vip(l, "out_arp", arp_sender, "vips");
    pass_if_held(l, "out_arp", arp_sender, "held", "stamp_arp");
}

/* Packets of this chain's direction to or from a VIP itself go to `vip_chain`; then only messages of neighbour
 * discovery (ICMPv6 type `type`) are left to be judged, by their target. */
static void ipv6_direction(const struct layout *l, const char *chain, const char *vip_chain, struct batch_field field,
                           uint8_t type, const char *stamp, const char *stamp_nd)
{
    struct nftnl_rule *rule =
        batch_rule(l->batch, chain, type == ND_NEIGHBOR_ADVERT ? "advertisements are judged by target" : NULL);

    /* A neighbour advertisement's source is mostly the VIP too; it needs the stamp for both. */
    if (type == ND_NEIGHBOR_ADVERT) {
        rule_protocol_is(rule, true, IPPROTO_ICMPV6);
        rule_field_is(rule, icmp6_type, true, &type);
        rule_field_in(rule, nd_target, true, "vips6");
        rule_verdict(rule, NFT_GOTO, "out_na");
        batch_rule_end(l->batch, rule);
        rule = batch_rule(l->batch, chain, NULL);
    }
    rule_for(rule, chain, field);
    rule_field_in(rule, field, true, "vips6");
    rule_verdict(rule, NFT_GOTO, vip_chain);
    batch_rule_end(l->batch, rule);
    if (type == ND_NEIGHBOR_SOLICIT)
        pass_protocol(l, vip_chain, true, VRRP_PROTOCOL, "VRRP always passes");
    pass_if_held(l, vip_chain, field, "held6", stamp);
    if (type == ND_NEIGHBOR_ADVERT) {
        pass_if_held(l, "out_na", nd_target, "held6", stamp_nd);
        return;
    }
    pass_protocol(l, chain, false, IPPROTO_ICMPV6, NULL);
    pass_field(l, chain, icmp6_type, false, &type, "only solicitations ask for an answer");
    pass_unless_vip(l, chain, nd_target, "vips6");
    pass_if_held(l, chain, nd_target, "held6", NULL);
}

static void ipv6_rules(const struct layout *l)
{
    ipv6_direction(l, "in_ip6", "in_vip6", ipv6_destination, ND_NEIGHBOR_SOLICIT, NULL, NULL);
    if (l->table->egress)
        ipv6_direction(l, "out_ip6", "out_vip6", ipv6_source, ND_NEIGHBOR_ADVERT, "stamp_ip6", "stamp_na");
}

/* The member's own advertisement renews the lease. */
static void renew_rule(const struct layout *l)
{
    const uint8_t version_type = 0x31, release = VRRP_PRIORITY_RELEASE, one = 1, ttl = VRRP_TTL;
    bool ipv4 = l->table->family == FAMILY_IPV4;
    const uint16_t protocol = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
    struct nftnl_rule *rule =
        batch_rule(l->batch, "renew", "our own member advertisement renews what is left of the lease");
    char key[CONFIG_INTERFACE_MAX];

    layout_lease_key(l->table, key);
    rule_meta_is(rule, NFT_META_PROTOCOL, true, &protocol, sizeof(protocol));
    rule_field_is(rule, vrrp_version_type, true, &version_type);
    rule_field_is(rule, vrrp_count, true, &one);
    rule_field_is(rule, vrrp_priority, false, &release);
    rule_field_is(rule, ipv4 ? ipv4_ttl : ipv6_hop_limit, true, &ttl);
    rule_field_in(rule, ipv4 ? ipv4_source : ipv6_source, true, "self");
    rule_field_in(rule, ipv4 ? vrrp_ipv4 : vrrp_ipv6, true, "self");
    rule_constant_in(rule, key, sizeof(key), "alive");
    rule_renew(rule, key, sizeof(key), "alive", l->table->lease_ms);
    rule_count(rule);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void stamp_frame(const struct layout *l, const char *chain, struct batch_field key, const char *map)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "frames of a VIP carry its virtual MAC");

    rule_for(rule, chain, key);
    rule_map_field(rule, key, map);
    rule_write_field(rule, link_source, -1);
    batch_rule_end(l->batch, rule);
}

/* The virtual MAC in frames, and where ARP and neighbour advertisements name it. The kernel fills in the interface's
 * own. */
static void stamp_rules(const struct layout *l)
{
    const uint8_t target_link_layer[2] = {ND_OPT_TARGET_LINKADDR, 1};
    struct nftnl_rule *rule;

    if (l->ipv4) {
        stamp_frame(l, "stamp_ip", ipv4_source, "mac_of");
        stamp_frame(l, "stamp_arp", arp_sender, "mac_of");
        rule = batch_rule(l->batch, "stamp_arp", NULL);
        rule_for(rule, "stamp_arp", arp_sender);
        rule_map_field(rule, arp_sender, "mac_of");
        rule_write_field(rule, arp_sender_mac, -1);
        batch_rule_end(l->batch, rule);
    }
    if (l->ipv6) {
        stamp_frame(l, "stamp_ip6", ipv6_source, "mac_of6");
        stamp_frame(l, "stamp_na", nd_target, "mac_of6");
        rule = batch_rule(l->batch, "stamp_na", NULL);
        rule_field_is(rule, nd_option, true, target_link_layer);
        rule_map_field(rule, nd_target, "mac_of6");
        rule_write_field(rule, nd_option_mac, ICMP6_CHECKSUM_OFFSET);
        batch_rule_end(l->batch, rule);
    }
}

static void go_if_protocol(const struct layout *l, const char *chain, uint16_t ether_type, const char *to)
{
    const uint16_t protocol = htons(ether_type);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, NULL);

    rule_meta_is(rule, NFT_META_PROTOCOL, true, &protocol, sizeof(protocol));
    rule_verdict(rule, NFT_GOTO, to);
    batch_rule_end(l->batch, rule);
}

static void dispatch(const struct layout *l, const char *chain, bool out)
{
    if (l->ipv4)
        go_if_protocol(l, chain, ETH_P_IP, out ? "out_ip" : "in_ip");
    if (l->ipv6)
        go_if_protocol(l, chain, ETH_P_IPV6, out ? "out_ip6" : "in_ip6");
    if (l->ipv4)
        go_if_protocol(l, chain, ETH_P_ARP, out ? "out_arp" : "in_arp");
}

static void ingress_chain(const struct layout *l, const char *device)
{
    char chain[32];

    snprintf(chain, sizeof(chain), "ingress_%s", device);
    batch_base_chain(l->batch, chain, device, NF_NETDEV_INGRESS, INGRESS_PRIORITY);
    if (l->table->use_vmac) {
        struct nftnl_rule *rule = batch_rule(l->batch, chain, "the virtual MACs of what is held are ours");

        rule_field_in(rule, link_destination, true, "vmacs");
        rule_alive(l, rule);
        rule_meta_set(rule, NFT_META_PKTTYPE, PACKET_HOST);
        batch_rule_end(l->batch, rule);
    }
    dispatch(l, chain, false);
}

static void egress_chain(const struct layout *l, const char *device)
{
    bool renews = l->table->mode == FILTER_LEASE && strcmp(device, l->table->pool_link) == 0;
    char chain[32];

    snprintf(chain, sizeof(chain), "egress_%s", device);
    batch_base_chain(l->batch, chain, device, NF_NETDEV_EGRESS, EGRESS_PRIORITY);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "VRRP always passes");

    rule_protocol_is(rule, true, VRRP_PROTOCOL);
    rule_verdict(rule, renews ? NFT_GOTO : NF_ACCEPT, renews ? "renew" : NULL);
    batch_rule_end(l->batch, rule);
    dispatch(l, chain, true);
}

static void chains(const struct layout *l)
{
    static const char *const ipv4_chains[] = {"in_ip", "in_arp", "out_ip", "out_arp", "stamp_ip", "stamp_arp"};
    static const char *const ipv6_chains[] = {"in_ip6", "in_vip6",   "out_ip6", "out_vip6",
                                              "out_na", "stamp_ip6", "stamp_na"};
    const unsigned plain_ipv4 = l->table->egress ? 4 : 2, plain_ipv6 = l->table->egress ? 5 : 2;

    for (unsigned i = 0; l->ipv4 && i < plain_ipv4 + (l->table->use_vmac ? 2u : 0u); i++)
        batch_chain(l->batch, ipv4_chains[i]);
    for (unsigned i = 0; l->ipv6 && i < plain_ipv6 + (l->table->use_vmac ? 2u : 0u); i++)
        batch_chain(l->batch, ipv6_chains[i]);
    if (l->table->mode == FILTER_LEASE)
        batch_chain(l->batch, "renew");
}

void layout_rules(struct filter_batch *batch, const struct filter_table *table)
{
    struct layout l = {.batch = batch, .table = table};

    for (unsigned i = 0; i < table->vip_count; i++) {
        l.ipv4 = l.ipv4 || table->vips[i].address.family == FAMILY_IPV4;
        l.ipv6 = l.ipv6 || table->vips[i].address.family == FAMILY_IPV6;
    }
    chains(&l);
    if (l.ipv4)
        ipv4_rules(&l);
    if (l.ipv6)
        ipv6_rules(&l);
    if (table->use_vmac)
        stamp_rules(&l);
    if (table->mode == FILTER_LEASE)
        renew_rule(&l);
    for (unsigned i = 0; i < table->link_count; i++) {
        ingress_chain(&l, table->links[i]);
        if (table->egress)
            egress_chain(&l, table->links[i]);
    }
}
