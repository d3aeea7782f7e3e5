/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet meets. Ingress: ARP requests, neighbour solicitations and IP packets for a VIP that this
 * host does not hold (or while it is not alive) are dropped. Egress: so are ARP messages whose sender is such a VIP,
 * neighbour advertisements about it, and IP packets from it. VRRP itself always passes both ways. Called by
 * filter_layout.c.
 *
 * Egress is not just a second lock. A host whose only address in a VIP's subnet is the VIP asks by ARP with the VIP as
 * the sender (arp_announce 0), and every host that hears it would redirect its cache; so no such request leaves from a
 * host that does not hold the VIP. And a gratuitous ARP of the VIP's owner may pass ingress, to mend our own neighbour
 * table, since an answer to it could not leave.
 */
#include "platform/filter_judge.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "base/check.h"

#define ICMP6_CHECKSUM_OFFSET 2

struct batch_key judge_key(enum layout_class kind, struct batch_field field, bool out)
{
    bool by_link = kind == LAYOUT_IPV4_LINK || kind == LAYOUT_IPV6_LINK;

    return (struct batch_key){
        .link = !by_link ? BATCH_NO_LINK
                : out    ? BATCH_LINK_OUT
                         : BATCH_LINK_IN,
        .fields = {field},
        .field_count = 1,
    };
}

void judge_protocol(struct nftnl_rule *rule, bool equal, uint8_t protocol)
{
    rule_meta_is(rule, NFT_META_L4PROTO, equal, &protocol, sizeof(protocol));
}

void judge_for(struct nftnl_rule *rule, const char *chain, struct batch_field field)
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

void judge_held(const struct layout *l, struct nftnl_rule *rule, const struct batch_key *key, const char *set)
{
    char name[CONFIG_INTERFACE_MAX];

    rule_key_in(rule, key, true, set);
    if (l->table->mode != FILTER_LEASE)
        return;
    layout_lease_key(l->table, name);
    rule_constant_in(rule, name, sizeof(name), "alive");
}

void judge_drop_rest(const struct layout *l, const char *chain, const char *comment)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    rule_count(rule);
    rule_verdict(rule, NF_DROP, NULL);
    batch_rule_end(l->batch, rule);
}

/* The end of a chain about VIPs: held (and alive) passes; all else is dropped and counted. */
static void pass_if_held(const struct layout *l, const char *chain, struct judged judged)
{
    const struct batch_key key = judge_key(judged.kind, judged.field, judged.out);
    bool lease = l->table->mode == FILTER_LEASE, by_unit = layout_leases_units(l->table);
    struct nftnl_rule *rule =
        batch_rule(l->batch, chain, lease && !by_unit ? "held here, and this host is alive" : "held here");
    char held[LAYOUT_NAME_MAX];

    judge_for(rule, chain, judged.field);
    layout_set_name(held, "held", judged.kind);
    if (by_unit) {
        rule_go(rule, &key, held);
    } else {
        judge_held(l, rule, &key, held);
        rule_verdict(rule, NF_ACCEPT, NULL);
    }
    batch_rule_end(l->batch, rule);
    judge_drop_rest(l, chain, "a VIP that is not ours now");
}

/* The frame's source, or another field, becomes what the class's map has for the VIP. */
static void stamp(const struct layout *l, const char *chain, struct judged vip, struct batch_field field)
{
    const uint8_t target_link_layer[2] = {ND_OPT_TARGET_LINKADDR, 1};
    const struct batch_key key = judge_key(vip.kind, vip.field, true);
    bool option = field.base == BATCH_TRANSPORT_HEADER;

    if (!l->table->use_vmac)
        return;
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "frames of a VIP carry its virtual MAC");
    char map[LAYOUT_NAME_MAX];

    judge_for(rule, chain, vip.field);
    if (option)
        rule_field_is(rule, nd_option, true, target_link_layer);
    rule_map_key(rule, &key, layout_set_name(map, "mac_of", vip.kind));
    rule_write_field(rule, field, option ? ICMP6_CHECKSUM_OFFSET : -1);
    batch_rule_end(l->batch, rule);
}

/* `in` VIPs of the class, or not in them: go `to` a chain, or accept. */
static void vip_rule(const struct layout *l, const char *chain, struct judged judged, bool in, const char *to)
{
    const struct batch_key key = judge_key(judged.kind, judged.field, judged.out);
    struct nftnl_rule *rule = batch_rule(l->batch, chain, in ? NULL : "no VIP");
    char vips[LAYOUT_NAME_MAX];

    judge_for(rule, chain, judged.field);
    rule_key_in(rule, &key, in, layout_set_name(vips, "vips", judged.kind));
    rule_verdict(rule, to ? NFT_GOTO : NF_ACCEPT, to);
    batch_rule_end(l->batch, rule);
}

static void pass_protocol(const struct layout *l, const char *chain, bool equal, uint8_t protocol, const char *comment)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    judge_protocol(rule, equal, protocol);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

static void pass_field(const struct layout *l, const char *chain, struct batch_field field, bool equal,
                       const void *value, const char *comment)
{
    struct nftnl_rule *rule = batch_rule(l->batch, chain, comment);

    judge_for(rule, chain, field);
    rule_field_is(rule, field, equal, value);
    rule_verdict(rule, NF_ACCEPT, NULL);
    batch_rule_end(l->batch, rule);
}

/* A packet to a VIP that takes no data is dropped, or, `to` a chain, judged there. */
static void refuse_data(const struct layout *l, const char *chain, struct judged judged, const char *to)
{
    const struct batch_key key = judge_key(judged.kind, judged.field, judged.out);
    char set[LAYOUT_NAME_MAX];

    if (!l->no_accept[judged.kind])
        return;
    struct nftnl_rule *rule = batch_rule(l->batch, chain, "takes no data");

    judge_for(rule, chain, judged.field);
    rule_key_in(rule, &key, true, layout_set_name(set, "no_accept", judged.kind));
    if (!to)
        rule_count(rule);
    rule_verdict(rule, to ? NFT_JUMP : NF_DROP, to);
    batch_rule_end(l->batch, rule);
}

static void in_ip(const struct layout *l, const char *chain, enum layout_class kind)
{
    const struct judged destination = {kind, ipv4_destination, false};

    pass_protocol(l, chain, true, VRRP_PROTOCOL, "VRRP always passes");
    refuse_data(l, chain, destination, NULL);
    pass_if_held(l, chain, destination);
}

static void in_arp(const struct layout *l, const char *chain, enum layout_class kind)
{
    const struct batch_key sender = judge_key(kind, arp_sender, false);
    char vips[LAYOUT_NAME_MAX];

    if (l->table->egress) {
        struct nftnl_rule *rule = batch_rule(l->batch, chain, "the owner's announcements");

        judge_for(rule, chain, arp_sender);
        rule_key_in(rule, &sender, true, layout_set_name(vips, "vips", kind));
        rule_verdict(rule, NF_ACCEPT, NULL);
        batch_rule_end(l->batch, rule);
    }
    pass_if_held(l, chain, (struct judged){kind, arp_target, false});
}

/* First those VIPs that are keyed by link, in a chain of their own; then the others. */
static void ipv4_in(const struct layout *l)
{
    const uint16_t request = htons(1);
    bool by_link = l->has[LAYOUT_IPV4_LINK];

    if (by_link)
        vip_rule(l, "in_ip", (struct judged){LAYOUT_IPV4_LINK, ipv4_destination, false}, true, "in_ip_link");
    vip_rule(l, "in_ip", (struct judged){LAYOUT_IPV4, ipv4_destination, false}, false, NULL);
    in_ip(l, "in_ip", LAYOUT_IPV4);
    pass_field(l, "in_arp", arp_operation, false, &request, "only requests ask for an answer");
    if (by_link)
        vip_rule(l, "in_arp", (struct judged){LAYOUT_IPV4_LINK, arp_target, false}, true, "in_arp_link");
    vip_rule(l, "in_arp", (struct judged){LAYOUT_IPV4, arp_target, false}, false, NULL);
    in_arp(l, "in_arp", LAYOUT_IPV4);
    if (by_link) {
        in_ip(l, "in_ip_link", LAYOUT_IPV4_LINK);
        in_arp(l, "in_arp_link", LAYOUT_IPV4_LINK);
    }
}

/* What leaves gets its virtual MAC first, in the frame and where ARP names it: the kernel fills in the interface's. */
static void out_ip(const struct layout *l, const char *chain, enum layout_class kind)
{
    const struct judged source = {kind, ipv4_source, true};

    stamp(l, chain, source, link_source);
    pass_if_held(l, chain, source);
}

static void out_arp(const struct layout *l, const char *chain, enum layout_class kind)
{
    const struct judged sender = {kind, arp_sender, true};

    stamp(l, chain, sender, link_source);
    stamp(l, chain, sender, arp_sender_mac);
    pass_if_held(l, chain, sender);
}

static void ipv4_out(const struct layout *l)
{
    if (l->has[LAYOUT_IPV4_LINK]) {
        vip_rule(l, "out_ip", (struct judged){LAYOUT_IPV4_LINK, ipv4_source, true}, true, "out_ip_link");
        vip_rule(l, "out_arp", (struct judged){LAYOUT_IPV4_LINK, arp_sender, true}, true, "out_arp_link");
        out_ip(l, "out_ip_link", LAYOUT_IPV4_LINK);
        out_arp(l, "out_arp_link", LAYOUT_IPV4_LINK);
    }
    vip_rule(l, "out_ip", (struct judged){LAYOUT_IPV4, ipv4_source, true}, false, NULL);
    out_ip(l, "out_ip", LAYOUT_IPV4);
    vip_rule(l, "out_arp", (struct judged){LAYOUT_IPV4, arp_sender, true}, false, NULL);
    out_arp(l, "out_arp", LAYOUT_IPV4);
}

/* Neighbour discovery is answered for a VIP that takes no data, too (RFC 9568 6.4.3). */
static void nd_only(const struct layout *l)
{
    const uint8_t types[] = {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};

    for (unsigned i = 0; i < ARRAY_LENGTH(types); i++) {
        struct nftnl_rule *rule = batch_rule(l->batch, "nd_only6", NULL);

        judge_protocol(rule, true, IPPROTO_ICMPV6);
        rule_field_is(rule, icmp6_type, true, &types[i]);
        rule_verdict(rule, NFT_RETURN, NULL);
        batch_rule_end(l->batch, rule);
    }
    judge_drop_rest(l, "nd_only6", "takes no data");
}

static void in_vip6(const struct layout *l, const char *chain, enum layout_class kind)
{
    const struct judged destination = {kind, ipv6_destination, false};

    pass_protocol(l, chain, true, VRRP_PROTOCOL, "VRRP always passes");
    refuse_data(l, chain, destination, "nd_only6");
    pass_if_held(l, chain, destination);
}

/* Packets to a VIP itself go to a chain about it; of the others only solicitations are judged, by their target. */
static void ipv6_in(const struct layout *l)
{
    const struct judged target = {LAYOUT_IPV6, nd_target, false}, link_target = {LAYOUT_IPV6_LINK, nd_target, false};
    const uint8_t solicitation = ND_NEIGHBOR_SOLICIT;
    bool by_link = l->has[LAYOUT_IPV6_LINK];

    if (by_link)
        vip_rule(l, "in_ip6", (struct judged){LAYOUT_IPV6_LINK, ipv6_destination, false}, true, "in_vip6_link");
    vip_rule(l, "in_ip6", (struct judged){LAYOUT_IPV6, ipv6_destination, false}, true, "in_vip6");
    pass_protocol(l, "in_ip6", false, IPPROTO_ICMPV6, NULL);
    pass_field(l, "in_ip6", icmp6_type, false, &solicitation, "only solicitations ask for an answer");
    if (by_link)
        vip_rule(l, "in_ip6", link_target, true, "in_ns6_link");
    vip_rule(l, "in_ip6", target, false, NULL);
    pass_if_held(l, "in_ip6", target);
    in_vip6(l, "in_vip6", LAYOUT_IPV6);
    if (by_link) {
        in_vip6(l, "in_vip6_link", LAYOUT_IPV6_LINK);
        pass_if_held(l, "in_ns6_link", link_target);
    }
    if (l->no_accept[LAYOUT_IPV6] || l->no_accept[LAYOUT_IPV6_LINK])
        nd_only(l);
}

/* Advertisements are judged by their target; their source is mostly the VIP too. */
static void out_na(const struct layout *l, enum layout_class kind, const char *chain)
{
    const struct batch_key target = judge_key(kind, nd_target, true);
    const uint8_t advertisement = ND_NEIGHBOR_ADVERT;
    struct nftnl_rule *rule = batch_rule(l->batch, "out_ip6", "advertisements are judged by target");
    char vips[LAYOUT_NAME_MAX];

    judge_protocol(rule, true, IPPROTO_ICMPV6);
    rule_field_is(rule, icmp6_type, true, &advertisement);
    rule_key_in(rule, &target, true, layout_set_name(vips, "vips", kind));
    rule_verdict(rule, NFT_GOTO, chain);
    batch_rule_end(l->batch, rule);
    stamp(l, chain, (struct judged){kind, nd_target, true}, link_source);
    stamp(l, chain, (struct judged){kind, nd_target, true}, nd_option_mac);
    pass_if_held(l, chain, (struct judged){kind, nd_target, true});
}

static void out_vip6(const struct layout *l, enum layout_class kind, const char *chain)
{
    const struct judged source = {kind, ipv6_source, true};

    vip_rule(l, "out_ip6", source, true, chain);
    stamp(l, chain, source, link_source);
    pass_if_held(l, chain, source);
}

static void ipv6_out(const struct layout *l)
{
    if (l->has[LAYOUT_IPV6_LINK])
        out_na(l, LAYOUT_IPV6_LINK, "out_na_link");
    out_na(l, LAYOUT_IPV6, "out_na");
    if (l->has[LAYOUT_IPV6_LINK])
        out_vip6(l, LAYOUT_IPV6_LINK, "out_vip6_link");
    out_vip6(l, LAYOUT_IPV6, "out_vip6");
}

void judge_rules(const struct layout *l)
{
    if (l->ipv4)
        ipv4_in(l);
    if (l->ipv4 && l->table->egress)
        ipv4_out(l);
    if (l->ipv6)
        ipv6_in(l);
    if (l->ipv6 && l->table->egress)
        ipv6_out(l);
}
