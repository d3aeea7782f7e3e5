/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_probe's sets: each unit is an instance. Words of the command line:
 *
 *   set=LEASE_MS        there is a set; with leases=N unit i's lease is LEASE_MS * (1 + i % N)
 *   version=2|3 ttl=N   of all advertisements; a TTL other than 255 makes them unicast ones, sent as packet_renew()
 * does vmac                each has a virtual MAC, as a pool's unit would; own_mac: unit i has 02:00:00:00:00:i
 *   noaccept            none takes data
 *   spread              every other unit is on the second interface
 *   source=ADDRESS      where their advertisements come from; promote: promote_secondaries
 *   net                 with routes, rules and static addresses, see kernel_probe_net.c
 *   local               all have the one VIP fe80::66, each on its own interface
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "core/wire.h"
#include "kernel_probe.h"
#include "platform/frame.h"

#define DEFAULT_TTL 255

static struct {
    unsigned lease_ms, leases, version, ttl;
    bool vmac, own_mac, no_accept, spread, local, net, promote;
    struct addr source;
    struct instance_settings instances[UNITS_MAX];
    struct config_router routers[UNITS_MAX];
} set = {.leases = 1, .version = 3, .ttl = DEFAULT_TTL};

static bool take_flag(const char *word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"vmac", &set.vmac}, {"own_mac", &set.own_mac}, {"noaccept", &set.no_accept}, {"spread", &set.spread},
                 {"net", &set.net},   {"promote", &set.promote}, {"local", &set.local}};

    for (unsigned i = 0; i < ARRAY_LENGTH(flags); i++) {
        if (strcmp(word, flags[i].name) != 0)
            continue;
        *flags[i].flag = true;
        return true;
    }
    return false;
}

bool set_take_word(const char *word)
{
    return take_flag(word) || (strncmp(word, "source=", 7) == 0 && addr_parse(word + 7, &set.source)) ||
           sscanf(word, "set=%u", &set.lease_ms) == 1 || sscanf(word, "leases=%u", &set.leases) == 1 ||
           sscanf(word, "version=%u", &set.version) == 1 || sscanf(word, "ttl=%u", &set.ttl) == 1;
}

bool set_wanted(void)
{
    return set.lease_ms > 0;
}

static void make_router(struct config_router *router, unsigned i, const struct unit_settings *unit)
{
    const uint8_t own_mac[6] = {2, 0, 0, 0, 0, (uint8_t)i};

    *router = (struct config_router){
        .accept = !set.no_accept,
        .promote_secondaries = set.promote,
        .use_vmac = set.vmac || set.own_mac,
        .lease_us = (int64_t)set.lease_ms * (1 + i % set.leases) * US_PER_MS,
    };
    wire_virtual_mac((enum family)unit->family, unit->vrid, router->vmac);
    if (set.own_mac)
        memcpy(router->vmac, own_mac, sizeof(own_mac));
}

static void make_unit(struct probe_units *units, unsigned i)
{
    static const uint8_t link_local[16] = {0xfe, 0x80, [15] = 0x66};
    struct instance_settings *instance = &set.instances[i];
    struct config_vip *vip = &units->units[i].vips[0];

    if (set.spread)
        vip->link = (uint8_t)(i % 2);
    if (set.local)
        vip->address = addr_from_bytes(FAMILY_IPV6, link_local);
    snprintf(instance->name, sizeof(instance->name), i == 0 ? "a_name_that_does_not_fit" : "VI_%u", i);
    instance->source = set.source;
    instance->unicast = set.ttl != DEFAULT_TTL;
    instance->unicast_ttl = (uint8_t)set.ttl;
    units->settings[i] = (struct unit_settings){
        .link = vip->link,
        .family = vip->address.family,
        .version = (uint8_t)(vip->address.family == FAMILY_IPV6 ? 3 : set.version),
        .instance = instance,
        .vrid = (uint8_t)(i % 250 + 1),
    };
    make_router(&set.routers[i], i, &units->settings[i]);
    units->units[i].router = &set.routers[i];
}

void set_make(struct config *config, struct probe_units *units)
{
    config->core.pool_count = 0;
    config->core.set_count = 1;
    for (unsigned i = 0; i < config->core.pools[0].unit_count; i++)
        make_unit(units, i);
    config->pools[0].use_vmac = false;
    if (set.net)
        net_make(config, units, &set.routers[0]);
}

size_t set_advert(const struct config *config, unsigned unit, const struct kernel_link *state, unsigned priority,
                  uint8_t *frame, size_t capacity)
{
    const struct unit_settings *settings = &config->core.pools[0].units[unit];
    const struct config_vip *vip = &config->pools[0].units[unit].vips[0];
    bool ipv4 = settings->family == FAMILY_IPV4;
    const struct advert advert = {
        .source = !addr_is_none(&set.source) ? set.source
                  : ipv4                     ? state->primary_ipv4
                                             : state->primary_ipv6,
        .destination = wire_group((enum family)settings->family),
        .version = settings->version,
        .vrid = settings->vrid,
        .priority = (uint8_t)priority,
        .checksum = ipv4 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .interval_us = US_PER_S,
        .address_count = 1,
        .addresses = &vip->address,
    };
    uint8_t packet[WIRE_PACKET_MAX];
    size_t length = wire_encode(&advert, packet, sizeof(packet));

    if (length > 0)
        packet[ipv4 ? 8 : 7] = (uint8_t)set.ttl; /* nobody looks at the checksum of the IP header */
    if (length > 0 && set.ttl != DEFAULT_TTL)
        return frame_to_nobody(state->mac, packet, length, frame, capacity);
    return length == 0 ? 0 : frame_vrrp(state->mac, packet, length, frame, capacity);
}
