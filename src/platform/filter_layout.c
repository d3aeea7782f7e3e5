/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table's sets and chains, the virtual MAC that leaving frames get, and the lease. What becomes of a packet is
 * filter_judge.c's. Called by filter.c.
 *
 * The lease: the egress chain of the pool's own interface looks for this host's member advertisement - VRRP version 3,
 * TTL 255, a priority other than 0, one address, that address and the source both in `self` - and then gives `alive`
 * its time anew. The lookup before the renewal is what makes the lease end: a late advertisement finds no element and
 * must not make one. In a set of instances the egress chain of every link does so for single units: `held` says whose
 * element in `alive` a VIP needs, and a map from what only that unit's own advertisement has - link, source, TTL,
 * version and VRID - says whose it renews. So a packet costs the same for 1 unit and for 255.
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

#include "base/check.h"
#include "platform/filter_judge.h"

/* Before what others do with arriving packets, after what they do with leaving ones. */
#define INGRESS_PRIORITY (-200)
#define EGRESS_PRIORITY 200

#define ICMP6_CHECKSUM_OFFSET 2

static struct layout layout_of(struct filter_batch *batch, const struct filter_table *table)
{
    struct layout l = {.batch = batch, .table = table};

    for (unsigned i = 0; i < table->vip_count; i++) {
        enum layout_class class = layout_class_of(&table->vips[i]);

        l.has[class] = true;
        l.no_accept[class] = l.no_accept[class] || table->vips[i].no_accept;
    }
    l.ipv4 = l.has[LAYOUT_IPV4] || l.has[LAYOUT_IPV4_LINK];
    l.ipv6 = l.has[LAYOUT_IPV6] || l.has[LAYOUT_IPV6_LINK];
    return l;
}

static void class_sets(const struct layout *l, enum layout_class class, uint32_t room)
{
    static const uint32_t types[LAYOUT_CLASSES] = {
        [LAYOUT_IPV4] = BATCH_IPV4,
        [LAYOUT_IPV6] = BATCH_IPV6,
        [LAYOUT_IPV4_LINK] = BATCH_JOIN(BATCH_IFNAME, BATCH_IPV4),
        [LAYOUT_IPV6_LINK] = BATCH_JOIN(BATCH_IFNAME, BATCH_IPV6),
    };
    char name[LAYOUT_NAME_MAX];

    batch_set(l->batch, layout_set_name(name, "vips", class), types[class], 0, room, 0);
    batch_set(l->batch, layout_set_name(name, "held", class), types[class],
              layout_leases_units(l->table) ? BATCH_IFNAME : 0, room, 0);
    if (l->no_accept[class])
        batch_set(l->batch, layout_set_name(name, "no_accept", class), types[class], 0, room, 0);
    if (l->table->use_vmac)
        batch_set(l->batch, layout_set_name(name, "mac_of", class), types[class], BATCH_MAC, room, 0);
}

/* The maps of the units' own advertisements; returns the longest lease. */
static uint32_t spoke_sets(const struct layout *l, uint32_t room)
{
    uint32_t longest = 1;

    for (unsigned i = 0; i < l->table->unit_count; i++) {
        const struct filter_unit *unit = &l->table->units[i];
        uint32_t source = BATCH_JOIN(BATCH_IFNAME, unit->family == FAMILY_IPV4 ? BATCH_IPV4 : BATCH_IPV6);
        char name[LAYOUT_NAME_MAX];

        longest = unit->lease_ms > longest ? unit->lease_ms : longest;
        if (!layout_spoke_named_before(l->table, i))
            batch_set(l->batch, layout_spoke_name(name, unit->family, unit->lease_ms),
                      BATCH_JOIN(BATCH_JOIN(source, BATCH_NUMBER8), BATCH_NUMBER16), BATCH_IFNAME, room, 0);
    }
    return longest;
}

void layout_sets(struct filter_batch *batch, const struct filter_table *table)
{
    const struct layout l = layout_of(batch, table);
    /* Elements that one transaction takes out and puts in again count twice until it is done. */
    uint32_t room = 2 * table->vip_count + 8, unit_room = 3 * table->unit_count + 8;

    class_sets(&l, LAYOUT_IPV4, room);
    class_sets(&l, LAYOUT_IPV6, room);
    if (l.has[LAYOUT_IPV4_LINK] || l.has[LAYOUT_IPV6_LINK]) {
        class_sets(&l, LAYOUT_IPV4_LINK, room);
        class_sets(&l, LAYOUT_IPV6_LINK, room);
    }
    if (layout_leases_units(table)) {
        batch_set(batch, "alive", BATCH_IFNAME, 0, unit_room, spoke_sets(&l, unit_room));
    } else if (table->mode == FILTER_LEASE) {
        batch_set(batch, "self", table->family == FAMILY_IPV4 ? BATCH_IPV4 : BATCH_IPV6, 0, 8, 0);
        batch_set(batch, "alive", BATCH_IFNAME, 0, 8, table->lease_ms);
    }
    if (table->use_vmac)
        batch_set(batch, "vmacs", BATCH_JOIN(BATCH_IFNAME, BATCH_MAC),
                  layout_leases_units(table) ? BATCH_IFNAME : 0, room, 0);
}

static void rule_not_released(struct nftnl_rule *rule, bool ipv4)
{
    const uint16_t protocol = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
    const uint8_t release = VRRP_PRIORITY_RELEASE;

    rule_meta_is(rule, NFT_META_PROTOCOL, true, &protocol, sizeof(protocol));
    rule_field_is(rule, vrrp_priority, false, &release);
}

/* The member's own advertisement renews the lease. */
static void renew_pool(const struct layout *l)
{
    const uint8_t version_type = 0x31, one = 1, ttl = VRRP_TTL;
    bool ipv4 = l->table->family == FAMILY_IPV4;
    const struct batch_key source = {.fields = {ipv4 ? ipv4_source : ipv6_source}, .field_count = 1};
    const struct batch_key address = {.fields = {ipv4 ? vrrp_ipv4 : vrrp_ipv6}, .field_count = 1};
    struct nftnl_rule *rule =
        batch_rule(l->batch, "renew", "our own member advertisement renews what is left of the lease");
    char key[CONFIG_INTERFACE_MAX];

    layout_lease_key(l->table, key);
    rule_not_released(rule, ipv4);
    rule_field_is(rule, vrrp_version_type, true, &version_type);
    rule_field_is(rule, vrrp_count, true, &one);
    rule_field_is(rule, ipv4 ? ipv4_ttl : ipv6_hop_limit, true, &ttl);
    rule_key_in(rule, &source, true, "self");
    rule_key_in(rule, &address, true, "self");
    rule_constant_in(rule, key, sizeof(key), "alive");
    rule_renew(rule, key, sizeof(key), "alive", l->table->lease_ms);
    rule_count(rule);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

/* A unit's own advertisement renews the unit's lease: one rule for each length of a lease. */
static void renew_unit(const struct layout *l, const struct filter_unit *unit)
{
    bool ipv4 = unit->family == FAMILY_IPV4;
    const struct batch_key key = {
        .link = BATCH_LINK_OUT,
        .fields = {ipv4 ? ipv4_source : ipv6_source, ipv4 ? ipv4_ttl : ipv6_hop_limit, vrrp_version_to_vrid},
        .field_count = 3,
    };
    struct nftnl_rule *rule =
        batch_rule(l->batch, "renew", "a router's own advertisement renews what is left of its lease");
    char spoke[LAYOUT_NAME_MAX];

    rule_not_released(rule, ipv4);
    rule_map_key(rule, &key, layout_spoke_name(spoke, unit->family, unit->lease_ms));
    rule_mapped_in(rule, "alive");
    rule_renew_mapped(rule, "alive", unit->lease_ms);
    rule_count(rule);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void renew_rules(const struct layout *l)
{
    if (l->table->mode == FILTER_LEASE && !l->table->set)
        renew_pool(l);
    for (unsigned i = 0; layout_leases_units(l->table) && i < l->table->unit_count; i++)
        if (!layout_spoke_named_before(l->table, i))
            renew_unit(l, &l->table->units[i]);
}

/* The frame's source, or another field, becomes what the class's map has for the VIP in `key`. */
static void stamp(const struct layout *l, const char *chain, struct judged vip, struct batch_field field, bool option)
{
    const uint8_t target_link_layer[2] = {ND_OPT_TARGET_LINKADDR, 1};
    const struct batch_key key = judge_key(vip.class, vip.field, true);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "frames of a VIP carry its virtual MAC");
    char map[LAYOUT_NAME_MAX];

    judge_for(rule, chain, vip.field);
    if (option)
        rule_field_is(rule, nd_option, true, target_link_layer);
    rule_map_key(rule, &key, layout_set_name(map, "mac_of", vip.class));
    rule_write_field(rule, field, option ? ICMP6_CHECKSUM_OFFSET : -1);
    batch_rule_end(l->batch, rule);
}

/* The virtual MAC in frames, and where ARP and neighbour advertisements name it. The kernel fills in the interface's
 * own. */
static void stamp_rules(const struct layout *l)
{
    static const enum layout_class ipv4[] = {LAYOUT_IPV4, LAYOUT_IPV4_LINK}, ipv6[] = {LAYOUT_IPV6, LAYOUT_IPV6_LINK};

    for (unsigned i = 0; i < ARRAY_LENGTH(ipv4); i++) {
        if (!l->has[ipv4[i]])
            continue;
        stamp(l, "stamp_ip", (struct judged){ipv4[i], ipv4_source, true}, link_source, false);
        stamp(l, "stamp_arp", (struct judged){ipv4[i], arp_sender, true}, link_source, false);
        stamp(l, "stamp_arp", (struct judged){ipv4[i], arp_sender, true}, arp_sender_mac, false);
    }
    for (unsigned i = 0; i < ARRAY_LENGTH(ipv6); i++) {
        if (!l->has[ipv6[i]])
            continue;
        stamp(l, "stamp_ip6", (struct judged){ipv6[i], ipv6_source, true}, link_source, false);
        stamp(l, "stamp_na", (struct judged){ipv6[i], nd_target, true}, link_source, false);
        stamp(l, "stamp_na", (struct judged){ipv6[i], nd_target, true}, nd_option_mac, true);
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
    const struct batch_key key = {.link = BATCH_LINK_IN, .fields = {link_destination}, .field_count = 1};
    char chain[32];

    snprintf(chain, sizeof(chain), "ingress_%s", device);
    batch_base_chain(l->batch, chain, device, NF_NETDEV_INGRESS, INGRESS_PRIORITY);
    if (l->table->use_vmac) {
        struct nftnl_rule *rule = batch_rule(l->batch, chain, "the virtual MACs of what is held are ours");

        judge_held(l, rule, &key, "vmacs");
        rule_meta_set(rule, NFT_META_PKTTYPE, PACKET_HOST);
        batch_rule_end(l->batch, rule);
    }
    dispatch(l, chain, false);
}

static void egress_chain(const struct layout *l, const char *device)
{
    bool renews = l->table->mode == FILTER_LEASE && (l->table->set || strcmp(device, l->table->pool_link) == 0);
    char chain[32];

    snprintf(chain, sizeof(chain), "egress_%s", device);
    batch_base_chain(l->batch, chain, device, NF_NETDEV_EGRESS, EGRESS_PRIORITY);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "VRRP always passes");

    judge_protocol(rule, true, VRRP_PROTOCOL);
    rule_verdict(rule, renews ? NFT_GOTO : NF_ACCEPT, renews ? "renew" : NULL);
    batch_rule_end(l->batch, rule);
    dispatch(l, chain, true);
}

static void chains(const struct layout *l)
{
    const bool egress = l->table->egress, vmac = l->table->use_vmac;
    const bool link4 = l->has[LAYOUT_IPV4_LINK], link6 = l->has[LAYOUT_IPV6_LINK];
    const struct {
        const char *name;
        bool there;
    } all[] = {
        {"in_ip", l->ipv4},
        {"in_arp", l->ipv4},
        {"in_ip_link", link4},
        {"in_arp_link", link4},
        {"out_ip", l->ipv4 && egress},
        {"out_arp", l->ipv4 && egress},
        {"out_ip_link", link4 && egress},
        {"out_arp_link", link4 && egress},
        {"stamp_ip", l->ipv4 && vmac},
        {"stamp_arp", l->ipv4 && vmac},
        {"in_ip6", l->ipv6},
        {"in_vip6", l->ipv6},
        {"in_vip6_link", link6},
        {"in_ns6_link", link6},
        {"nd_only6", l->no_accept[LAYOUT_IPV6] || l->no_accept[LAYOUT_IPV6_LINK]},
        {"out_ip6", l->ipv6 && egress},
        {"out_vip6", l->ipv6 && egress},
        {"out_na", l->ipv6 && egress},
        {"out_vip6_link", link6 && egress},
        {"out_na_link", link6 && egress},
        {"stamp_ip6", l->ipv6 && vmac},
        {"stamp_na", l->ipv6 && vmac},
        {"renew", l->table->mode == FILTER_LEASE},
    };

    for (unsigned i = 0; i < ARRAY_LENGTH(all); i++)
        if (all[i].there)
            batch_chain(l->batch, all[i].name);
}

void layout_rules(struct filter_batch *batch, const struct filter_table *table)
{
    const struct layout l = layout_of(batch, table);

    chains(&l);
    judge_rules(&l);
    if (table->use_vmac)
        stamp_rules(&l);
    renew_rules(&l);
    for (unsigned i = 0; i < table->link_count; i++) {
        ingress_chain(&l, table->links[i]);
        if (table->egress)
            egress_chain(&l, table->links[i]);
    }
}
