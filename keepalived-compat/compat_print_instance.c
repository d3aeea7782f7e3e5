/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The printer's vrrp_instance. Called by compat_print.c. */
#include "compat_print.h"

static void put_set(FILE *out, const char *keyword, bool value)
{
    if (value)
        fprintf(out, "    %s\n", keyword);
}

/* In clear, as it stands in the file: what is printed must read back, and it goes over the wire in clear. */
static void print_password(FILE *out, const struct compat_instance *instance)
{
    fputs("    authentication {\n        auth_type PASS\n", out);
    fprintf(out, "        auth_pass \"%s\"\n    }\n", instance->password_text);
}

static void print_protocol(FILE *out, const struct compat_instance *instance)
{
    print_word(out, 1, "interface", instance->interface);
    print_number(out, 1, "virtual_router_id", instance->vrid);
    print_number(out, 1, "priority", instance->priority);
    print_word(out, 1, "state", instance->initial_state == COMPAT_MASTER ? "MASTER" : "BACKUP");
    print_number(out, 1, "version", instance->version);
    put_set(out, "native_ipv6", instance->family == FAMILY_IPV6);
    print_seconds(out, 1, "advert_int", instance->advert_us);
    print_number(out, 1, "down_timer_adverts", instance->down_adverts);
    put_set(out, "nopreempt", !instance->preempt);
    if (instance->preempt_delay_us > 0)
        print_seconds(out, 1, "preempt_delay", instance->preempt_delay_us);
    put_set(out, instance->accept ? "accept" : "no_accept", true);
    print_flag(out, 1, "strict_mode", instance->strict);
    if (instance->authentication == COMPAT_AUTH_PASS)
        print_password(out, instance);
    if (instance->late_backup > 0)
        print_number(out, 1, "timer_expired_backup", instance->late_backup);
}

static void print_transport(FILE *out, const struct compat_instance *instance)
{
    char text[ADDR_TEXT_MAX];

    print_addr(out, 1, instance->unicast ? "unicast_src_ip" : "mcast_src_ip", &instance->source);
    print_addr(out, 1, "mcast_dst_ip", &instance->multicast);
    put_set(out, "track_src_ip", instance->track_source);
    put_set(out, "dont_track_primary", !instance->track_primary);
    put_set(out, "unicast_fault_no_peer", instance->unicast_fault_no_peer);
    print_number(out, 1, "unicast_ttl", instance->unicast_ttl);
    if (!instance->unicast)
        return;
    fputs("    unicast_peer {\n", out);
    for (unsigned i = 0; i < instance->peer_count; i++)
        fprintf(out, "        %s min_ttl %d max_ttl %d\n", addr_format(&instance->peers[i].address, text),
                instance->peers[i].min_ttl, instance->peers[i].max_ttl);
    fputs("    }\n", out);
}

static void print_vmac(FILE *out, const struct compat_vmac *vmac)
{
    if (vmac->on)
        fprintf(out, "    use_vmac \"%s\" %02x:%02x:%02x:%02x:%02x:%02x\n", vmac->name, vmac->mac[0], vmac->mac[1],
                vmac->mac[2], vmac->mac[3], vmac->mac[4], vmac->mac[5]);
    put_set(out, "vmac_xmit_base", vmac->xmit_base);
    put_set(out, "use_vmac_addr", vmac->addresses);
}

static void print_garp(FILE *out, const struct compat_garp *garp)
{
    print_number(out, 1, "garp_master_repeat", garp->repeat);
    print_seconds(out, 1, "garp_master_delay", garp->delay_us);
    print_seconds(out, 1, "garp_master_refresh", garp->refresh_us);
    print_number(out, 1, "garp_master_refresh_repeat", garp->refresh_repeat);
    print_number(out, 1, "garp_lower_prio_repeat", garp->lower_repeat);
    print_seconds(out, 1, "garp_lower_prio_delay", garp->lower_delay_us);
}

static void print_flags(FILE *out, const struct compat_instance *instance)
{
    print_flag(out, 1, "lower_prio_no_advert", instance->lower_prio_no_advert);
    print_flag(out, 1, "higher_prio_send_advert", instance->higher_prio_send_advert);
    print_flag(out, 1, "owner_ignore_adverts", instance->owner_ignore_adverts);
    print_flag(out, 1, "v3_checksum_as_v2", instance->checksum_as_v2);
    print_flag(out, 1, "check_unicast_src", instance->check_unicast_source);
    print_flag(out, 1, "skip_check_adv_addr", instance->skip_check_addresses);
    put_set(out, "promote_secondaries", instance->promote_secondaries);
    put_set(out, "no_virtual_ipaddress", instance->no_addresses);
}

void print_instance(FILE *out, const struct compat_instance *instance)
{
    fputs("vrrp_instance", out);
    print_quoted(out, instance->name);
    fputs(" {\n", out);
    print_protocol(out, instance);
    print_transport(out, instance);
    print_vmac(out, &instance->vmac);
    print_filter_mode(out, instance->filter_mode);
    print_garp(out, &instance->garp);
    print_flags(out, instance);
    print_trackers(out, instance->trackers, instance->tracker_count);
    print_notify(out, &instance->notify, true);
    print_addresses(out, 1, "virtual_ipaddress", instance->addresses, instance->address_count);
    print_addresses(out, 1, "virtual_ipaddress_excluded", instance->excluded, instance->excluded_count);
    print_routes(out, 1, "virtual_routes", instance->routes, instance->route_count);
    print_rules(out, 1, "virtual_rules", instance->rules, instance->rule_count);
    fputs("}\n", out);
}
