/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table's sets and chains, the virtual MAC that leaving frames get, and the lease. What becomes of a packet is
 * filter_judge.c's. Called by filter.c.
 *
 * The lease: the egress chain of the pool's own interface looks for this host's member advertisement - VRRP version 3,
 * TTL 255, a priority other than 0, one address, that address and the source both in `self` - and then gives `alive`
 * its time anew. The lookup before the renewal is what makes the lease end: a late advertisement finds no element and
 * must not make one. In a set of instances each unit has an element in `alive` and chains of its own, and maps say to
 * which of them a packet goes: `held` by its VIP, to where that unit must be alive, and `spoke` by what only that
 * unit's own advertisements have - link, source, TTL, version and VRID - to where its lease is renewed. So a packet
 * costs the same for 1 unit and for 255. (Shorter would be a map from VIP to the key in `alive`; nft 1.0.6 cannot list
 * such a rule.)
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

static struct layout layout_of(struct filter_batch *batch, const struct filter_table *table)
{
    struct layout l = {.batch = batch, .table = table};

    for (unsigned i = 0; i < table->vip_count; i++) {
        enum layout_class kind = layout_class_of(&table->vips[i]);

        l.has[kind] = true;
        l.no_accept[kind] = l.no_accept[kind] || table->vips[i].no_accept;
    }
    l.ipv4 = l.has[LAYOUT_IPV4] || l.has[LAYOUT_IPV4_LINK];
    l.ipv6 = l.has[LAYOUT_IPV6] || l.has[LAYOUT_IPV6_LINK];
    return l;
}

static void class_sets(const struct layout *l, enum layout_class kind, uint32_t room)
{
    static const uint32_t types[LAYOUT_CLASSES] = {
        [LAYOUT_IPV4] = BATCH_IPV4,
        [LAYOUT_IPV6] = BATCH_IPV6,
        [LAYOUT_IPV4_LINK] = BATCH_JOIN(BATCH_IFNAME, BATCH_IPV4),
        [LAYOUT_IPV6_LINK] = BATCH_JOIN(BATCH_IFNAME, BATCH_IPV6),
    };
    char name[LAYOUT_NAME_MAX];

    batch_set(l->batch, layout_set_name(name, "vips", kind), types[kind], 0, room, 0);
    batch_set(l->batch, layout_set_name(name, "held", kind), types[kind], layout_leases_units(l->table) ? BATCH_GO : 0,
              room, 0);
    if (l->no_accept[kind])
        batch_set(l->batch, layout_set_name(name, "no_accept", kind), types[kind], 0, room, 0);
    if (l->table->use_vmac)
        batch_set(l->batch, layout_set_name(name, "mac_of", kind), types[kind], BATCH_MAC, room, 0);
}

/* Which advertisements are the units' own, and who is alive. */
static void unit_sets(const struct layout *l, uint32_t room)
{
    uint32_t longest_ms = 1;

    for (unsigned i = 0; i < l->table->unit_count; i++)
        longest_ms = l->table->units[i].lease_ms > longest_ms ? l->table->units[i].lease_ms : longest_ms;
    batch_set(l->batch, "alive", BATCH_IFNAME, 0, room, longest_ms);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t source = BATCH_JOIN(BATCH_IFNAME, i == 0 ? BATCH_IPV4 : BATCH_IPV6);

        batch_set(l->batch, i == 0 ? "spoke" : "spoke6", BATCH_JOIN(BATCH_JOIN(source, BATCH_NUMBER8), BATCH_NUMBER16),
                  BATCH_GO, room, 0);
    }
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
        unit_sets(&l, unit_room);
    } else if (table->mode == FILTER_LEASE) {
        batch_set(batch, "self", table->family == FAMILY_IPV4 ? BATCH_IPV4 : BATCH_IPV6, 0, 8, 0);
        batch_set(batch, "alive", BATCH_IFNAME, 0, 8, table->lease_ms);
    }
    if (table->macvlan)
        batch_set(batch, "macvlans", BATCH_JOIN(BATCH_IFNAME, BATCH_MAC), 0, room, 0);
    if (table->use_vmac || table->macvlan)
        batch_set(batch, "vmacs", BATCH_JOIN(BATCH_IFNAME, BATCH_MAC), layout_leases_units(table) ? BATCH_GO : 0, room,
                  0);
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

/* Whose lease an advertisement renews; that of priority 0 renews none. */
static void renew_set(const struct layout *l, bool ipv4)
{
    const struct batch_key key = {
        .link = BATCH_LINK_OUT,
        .fields = {ipv4 ? ipv4_source : ipv6_source, ipv4 ? ipv4_ttl : ipv6_hop_limit, vrrp_version_to_vrid},
        .field_count = 3,
    };
    struct nftnl_rule *rule =
        batch_rule(l->batch, "renew", "a router's own advertisement renews what is left of its lease");

    rule_not_released(rule, ipv4);
    rule_go(rule, &key, ipv4 ? "spoke" : "spoke6");
    batch_rule_end(l->batch, rule);
}

/* What was shown to this hook only (packet_renew). */
static void drop_renewals(const struct layout *l)
{
    const uint8_t nobody[6] = {0};
    struct nftnl_rule *rule = batch_rule(l->batch, "renew", "renews a lease and goes nowhere");

    rule_field_is(rule, link_destination, true, nobody);
    rule_verdict(rule, NF_DROP, NULL);
    batch_rule_end(l->batch, rule);
}

/* A chain that begins by asking whether the unit is alive. */
static struct nftnl_rule *unit_chain(const struct layout *l, unsigned index, enum layout_unit_chain which,
                                     const char *what, char chain[static LAYOUT_NAME_MAX])
{
    const struct filter_unit *unit = &l->table->units[index];
    char comment[LAYOUT_NAME_MAX + 64];

    layout_chain_name(chain, which, index);
    batch_chain(l->batch, chain);
    snprintf(comment, sizeof(comment), "%.*s is alive: %s", FILTER_KEY_MAX, unit->key, what);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    rule_constant_in(rule, unit->key, sizeof(unit->key), "alive");
    return rule;
}

static void unit_rules(const struct layout *l, unsigned index)
{
    const struct filter_unit *unit = &l->table->units[index];
    char chain[LAYOUT_NAME_MAX];
    struct nftnl_rule *rule = unit_chain(l, index, LAYOUT_IF_ALIVE, "what it holds is answered", chain);

    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
    judge_drop_rest(l, chain, "a VIP that is not ours now");
    rule = unit_chain(l, index, LAYOUT_RENEW, "its advertisement renews the lease", chain);
    rule_renew(rule, unit->key, sizeof(unit->key), "alive", unit->lease_ms);
    rule_count(rule);
    batch_rule_end(l->batch, rule);
    if (!l->table->use_vmac)
        return;
    rule = unit_chain(l, index, LAYOUT_MAC, "its virtual MAC is ours", chain);
    rule_meta_set(rule, NFT_META_PKTTYPE, PACKET_HOST);
    batch_rule_end(l->batch, rule);
}

static void renew_rules(const struct layout *l)
{
    if (layout_leases_units(l->table)) {
        renew_set(l, true);
        renew_set(l, false);
        drop_renewals(l);
    } else if (l->table->mode == FILTER_LEASE) {
        renew_pool(l);
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

        if (layout_leases_units(l->table)) {
            rule_go(rule, &key, "vmacs");
        } else {
            judge_held(l, rule, &key, "vmacs");
            rule_meta_set(rule, NFT_META_PKTTYPE, PACKET_HOST);
        }
        batch_rule_end(l->batch, rule);
    }
    if (l->table->macvlan) {
        /* RFC 9568 6.4.2: they are the other router's, which may have the switch flood them. */
        struct nftnl_rule *rule = batch_rule(l->batch, chain, "a virtual MAC that is not ours now");

        rule_key_in(rule, &key, true, "macvlans");
        rule_key_in(rule, &key, false, "vmacs");
        rule_count(rule);
        rule_verdict(rule, NF_DROP, NULL);
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
    const bool egress = l->table->egress;
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
    renew_rules(&l);
    for (unsigned i = 0; layout_leases_units(table) && i < table->unit_count; i++)
        unit_rules(&l, i);
    for (unsigned i = 0; i < table->link_count; i++) {
        ingress_chain(&l, table->links[i]);
        if (table->egress)
            egress_chain(&l, table->links[i]);
    }
}
