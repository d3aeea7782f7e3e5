/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names and keys of a table's sets, as both the rules and the elements have them. Pure. Called by filter*.c. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "platform/filter_layout.h"

#define VRRP_ADVERTISEMENT 1 /* its type, in the byte with the version */

enum layout_class layout_class_of(const struct filter_vip *vip)
{
    if (vip->address.family == FAMILY_IPV4)
        return vip->by_link ? LAYOUT_IPV4_LINK : LAYOUT_IPV4;
    return vip->by_link ? LAYOUT_IPV6_LINK : LAYOUT_IPV6;
}

const char *layout_set_name(char name[static LAYOUT_NAME_MAX], const char *what, enum layout_class kind)
{
    static const char *const endings[LAYOUT_CLASSES] = {
        [LAYOUT_IPV4] = "", [LAYOUT_IPV6] = "6", [LAYOUT_IPV4_LINK] = "_link", [LAYOUT_IPV6_LINK] = "6_link"};

    snprintf(name, LAYOUT_NAME_MAX, "%s%s", what, endings[kind]);
    return name;
}

const char *layout_chain_name(char name[static LAYOUT_NAME_MAX], enum layout_unit_chain chain, unsigned unit)
{
    static const char *const names[] = {[LAYOUT_IF_ALIVE] = "alive", [LAYOUT_RENEW] = "renew", [LAYOUT_MAC] = "mac"};

    snprintf(name, LAYOUT_NAME_MAX, "%s_%u", names[chain], unit);
    return name;
}

/* Appends a part of a key, filled up to a multiple of four bytes. */
static uint32_t join(uint8_t *key, uint32_t used, const void *part, uint32_t length)
{
    CHECK(used + length <= LAYOUT_KEY_MAX);
    memcpy(key + used, part, length);
    return used + (length + 3) / 4 * 4;
}

static uint32_t join_link(uint8_t *key, const char *link)
{
    memset(key, 0, LAYOUT_KEY_MAX);
    memcpy(key, link, strnlen(link, CONFIG_INTERFACE_MAX - 1));
    return CONFIG_INTERFACE_MAX;
}

uint32_t layout_vip_key(const struct filter_vip *vip, uint8_t key[static LAYOUT_KEY_MAX])
{
    uint32_t used = vip->by_link ? join_link(key, vip->link) : 0;

    return join(key, used, vip->address.bytes, (uint32_t)addr_length(&vip->address));
}

uint32_t layout_mac_key(const struct filter_vip *vip, uint8_t key[static LAYOUT_KEY_MAX])
{
    uint32_t used = join_link(key, vip->link);

    return join(key, used, vip->mac, sizeof(vip->mac));
}

uint32_t layout_spoke_key(const struct filter_unit *unit, uint8_t key[static LAYOUT_KEY_MAX])
{
    const uint8_t head[2] = {(uint8_t)(unit->version << 4 | VRRP_ADVERTISEMENT), unit->vrid};
    uint32_t used = join_link(key, unit->link);

    used = join(key, used, unit->self.bytes, (uint32_t)addr_length(&unit->self));
    used = join(key, used, &unit->ttl, 1);
    return join(key, used, head, sizeof(head));
}

bool layout_leases_units(const struct filter_table *table)
{
    return table->set && table->mode == FILTER_LEASE;
}

void layout_lease_key(const struct filter_table *table, char key[static CONFIG_INTERFACE_MAX])
{
    memset(key, 0, CONFIG_INTERFACE_MAX);
    memcpy(key, table->pool_link, strnlen(table->pool_link, CONFIG_INTERFACE_MAX - 1));
}
