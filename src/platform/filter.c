/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool's table: its sets and what changes in them, the probe of the kernel's abilities, and the watch over what
 * others do to it. The rules themselves are filter_layout.c's. Called by the kernel thread and kernel_clean.c; it keeps
 * no state but sockets. Together with filter_layout.c, filter_batch.c and filter_rule.c the only place that knows
 * nftables.
 */
#include "platform/filter.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/filter_batch.h"
#include "platform/filter_layout.h"

#define WATCH_BUFFER_BYTES (1 << 20)
#define WATCH_READ_BYTES 16384

struct filter {
    unsigned number;
    struct mnl_socket *ask;
    struct mnl_socket *watch; /* NULL until filter_watch */
};

void filter_table_name(const struct filter *filter, const char *pool, char name[static FILTER_NAME_MAX])
{
    if (filter->number > 1)
        snprintf(name, FILTER_NAME_MAX, "evenkeel%u_%s", filter->number, pool);
    else
        snprintf(name, FILTER_NAME_MAX, "evenkeel_%s", pool);
}

int filter_open(unsigned number, struct filter **out)
{
    struct filter *filter = calloc(1, sizeof(*filter));
    const int on = 1;

    if (!filter)
        return -ENOMEM;
    filter->number = number;
    filter->ask = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!filter->ask || mnl_socket_bind(filter->ask, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = -errno;

        filter_close(filter);
        return error;
    }
    /* An error need not bring the refused message back. */
    (void)setsockopt(mnl_socket_get_fd(filter->ask), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    *out = filter;
    return 0;
}

void filter_close(struct filter *filter)
{
    if (!filter)
        return;
    if (filter->watch)
        mnl_socket_close(filter->watch);
    if (filter->ask)
        mnl_socket_close(filter->ask);
    free(filter);
}

/* What is said of a VIP to a set. */
enum about {
    ABOUT_ALL,    /* of all VIPs */
    ABOUT_HELD,   /* of those whose `held` is as wanted; to whose lease they belong where units have one */
    ABOUT_MAC,    /* of those with a virtual MAC: which */
    ABOUT_REFUSE, /* of those that take no data */
};

static bool concerns(const struct filter_vip *vip, enum about about, bool put)
{
    switch (about) {
    case ABOUT_ALL:
        return true;
    case ABOUT_HELD:
        return vip->held == put;
    case ABOUT_MAC:
        return vip->vmac;
    case ABOUT_REFUSE:
        return vip->no_accept;
    }
    return false;
}

static void add_go(struct filter_batch *batch, struct nftnl_set *elements, const struct filter_table *table,
                   const uint8_t *key, uint32_t length, int verdict, enum layout_unit_chain chain,
                   const struct filter_unit *unit)
{
    char name[LAYOUT_NAME_MAX];

    batch_element_go(batch, elements, key, length, verdict,
                     layout_chain_name(name, chain, (unsigned)(unit - table->units)));
}

static void add_element(struct filter_batch *batch, struct nftnl_set *elements, const struct filter_table *table,
                        const struct filter_vip *vip, enum about about)
{
    uint8_t key[LAYOUT_KEY_MAX];
    uint32_t length = layout_vip_key(vip, key);

    if (about == ABOUT_MAC)
        batch_element(batch, elements, key, length, vip->mac, sizeof(vip->mac));
    else if (about == ABOUT_HELD && layout_leases_units(table))
        add_go(batch, elements, table, key, length, NFT_GOTO, LAYOUT_IF_ALIVE, vip->unit);
    else
        batch_element(batch, elements, key, length, NULL, 0);
}

static void finish(struct filter_batch *batch, struct nftnl_set *elements, bool put)
{
    if (elements && put)
        batch_put(batch, elements);
    else if (elements)
        batch_take(batch, elements);
}

/* Puts into (or takes from) the sets called `what` of all classes. */
static void add_vips(struct filter_batch *batch, const struct filter_table *table, const struct filter_vip *vips,
                     unsigned count, const char *what, enum about about, bool put)
{
    for (unsigned kind = 0; kind < LAYOUT_CLASSES; kind++) {
        struct nftnl_set *elements = NULL;
        char name[LAYOUT_NAME_MAX];

        for (unsigned i = 0; i < count; i++) {
            if (layout_class_of(&vips[i]) != kind || !concerns(&vips[i], about, put))
                continue;
            if (!elements)
                elements = batch_elements(batch, layout_set_name(name, what, (enum layout_class)kind));
            add_element(batch, elements, table, &vips[i], about);
        }
        finish(batch, elements, put);
    }
}

/* The VIPs of a unit stand together: one before this one may have named its MAC on that link. */
static bool mac_named_before(const struct filter_vip *vips, unsigned index)
{
    for (unsigned i = index; i-- > 0;) {
        if (vips[i].unit != vips[index].unit || memcmp(vips[i].mac, vips[index].mac, sizeof(vips[i].mac)) != 0)
            return false;
        if (vips[i].vmac && vips[i].held == vips[index].held && strcmp(vips[i].link, vips[index].link) == 0)
            return true;
    }
    return false;
}

/* `all`: the virtual MACs of all VIPs, else of those whose `held` is as `put`. */
static void add_macs(struct filter_batch *batch, const struct filter_table *table, const struct filter_vip *vips,
                     unsigned count, bool all, bool put)
{
    struct nftnl_set *elements = NULL;
    uint8_t key[LAYOUT_KEY_MAX];

    for (unsigned i = 0; i < count; i++) {
        if (!vips[i].vmac || (!all && vips[i].held != put) || mac_named_before(vips, i))
            continue;
        if (!elements)
            elements = batch_elements(batch, all ? "macvlans" : "vmacs");
        uint32_t length = layout_mac_key(&vips[i], key);

        if (layout_leases_units(table))
            add_go(batch, elements, table, key, length, NFT_JUMP, LAYOUT_MAC, vips[i].unit);
        else
            batch_element(batch, elements, key, length, NULL, 0);
    }
    finish(batch, elements, put);
}

/* The elements in `alive` of the units of these VIPs; left: with what is left of their leases. */
static void add_units(struct filter_batch *batch, const struct filter_vip *vips, unsigned count, bool held, bool left,
                      bool put)
{
    struct nftnl_set *elements = NULL;

    for (unsigned i = 0; i < count; i++) {
        const struct filter_unit *unit = vips[i].unit;

        if (vips[i].held != held || (i > 0 && vips[i - 1].unit == unit) || (left && unit->alive_ms == 0))
            continue;
        if (!elements)
            elements = batch_elements(batch, "alive");
        if (put)
            batch_element_lease(batch, elements, unit->key, sizeof(unit->key),
                                left && unit->alive_ms > unit->lease_ms ? unit->alive_ms : unit->lease_ms,
                                left ? unit->alive_ms : unit->lease_ms);
        else
            batch_element(batch, elements, unit->key, sizeof(unit->key), NULL, 0);
    }
    finish(batch, elements, put);
}

/*
 * The units' leases end or begin. An element may have run out by itself, and what is not there cannot be taken out;
 * what is there keeps its time when it is put in again. So it is put in, taken out and, at a beginning, put in anew.
 */
static void change_units(struct filter_batch *batch, const struct filter_vip *vips, unsigned count, bool begin)
{
    add_units(batch, vips, count, begin, false, true);
    add_units(batch, vips, count, begin, false, false);
    if (begin)
        add_units(batch, vips, count, true, true, true);
}

static void change_held(struct filter_batch *batch, const struct filter_table *table, const struct filter_vip *vips,
                        unsigned count, bool put)
{
    if (layout_leases_units(table))
        change_units(batch, vips, count, put);
    add_vips(batch, table, vips, count, "held", ABOUT_HELD, put);
    if (table->use_vmac || table->macvlan)
        add_macs(batch, table, vips, count, false, put);
}

/* Which advertisements renew which unit's lease. */
static void change_spoke(struct filter_batch *batch, const struct filter_table *table)
{
    for (unsigned family = FAMILY_IPV4; family <= FAMILY_IPV6; family += FAMILY_IPV6 - FAMILY_IPV4) {
        const char *name = family == FAMILY_IPV4 ? "spoke" : "spoke6";
        struct nftnl_set *elements = NULL;
        uint8_t key[LAYOUT_KEY_MAX];

        batch_flush(batch, name);
        for (unsigned i = 0; i < table->unit_count; i++) {
            const struct filter_unit *unit = &table->units[i];

            if (unit->family != family || unit->self.family != family)
                continue;
            if (!elements)
                elements = batch_elements(batch, name);
            uint32_t length = layout_spoke_key(unit, key);

            add_go(batch, elements, table, key, length, NFT_JUMP, LAYOUT_RENEW, unit);
        }
        finish(batch, elements, true);
    }
}

static void add_self(struct filter_batch *batch, const struct filter_table *table)
{
    if (table->self.family != table->family)
        return;
    struct nftnl_set *elements = batch_elements(batch, "self");

    batch_element(batch, elements, table->self.bytes, addr_length(&table->self), NULL, 0);
    batch_put(batch, elements);
}

static void add_lease(struct filter_batch *batch, const struct filter_table *table, uint32_t left_ms)
{
    if (left_ms == 0)
        return;
    struct nftnl_set *elements = batch_elements(batch, "alive");
    char key[CONFIG_INTERFACE_MAX];

    layout_lease_key(table, key);
    /* What a longer lease has left of it stays: the next advertisement grants the new one. */
    batch_element_lease(batch, elements, key, sizeof(key), left_ms > table->lease_ms ? left_ms : table->lease_ms,
                        left_ms);
    batch_put(batch, elements);
}

static void add_everything(struct filter_batch *batch, const struct filter_table *table)
{
    layout_sets(batch, table);
    layout_rules(batch, table);
    add_vips(batch, table, table->vips, table->vip_count, "vips", ABOUT_ALL, true);
    add_vips(batch, table, table->vips, table->vip_count, "no_accept", ABOUT_REFUSE, true);
    if (table->use_vmac)
        add_vips(batch, table, table->vips, table->vip_count, "mac_of", ABOUT_MAC, true);
    if (table->macvlan)
        add_macs(batch, table, table->vips, table->vip_count, true, true);
    change_held(batch, table, table->vips, table->vip_count, true);
    if (layout_leases_units(table)) {
        change_spoke(batch, table);
    } else if (table->mode == FILTER_LEASE) {
        add_self(batch, table);
        add_lease(batch, table, table->alive_ms);
    }
}

int filter_install(struct filter *filter, const struct filter_table *table)
{
    struct filter_batch batch;
    char name[FILTER_NAME_MAX];

    filter_table_name(filter, table->pool, name);
    batch_begin(&batch, name);
    /* Adding first makes the removal valid when there is no table. */
    batch_table(&batch, true);
    batch_table(&batch, false);
    batch_table(&batch, true);
    add_everything(&batch, table);
    return batch_commit(&batch, filter->ask);
}

int filter_change(struct filter *filter, const struct filter_table *table, const struct filter_change *change)
{
    struct filter_batch batch;
    char name[FILTER_NAME_MAX];

    filter_table_name(filter, table->pool, name);
    batch_begin(&batch, name);
    change_held(&batch, table, change->vips, change->vip_count, false);
    if (change->self && layout_leases_units(table)) {
        change_spoke(&batch, table);
    } else if (change->self && table->mode == FILTER_LEASE) {
        batch_flush(&batch, "self");
        add_self(&batch, table);
    }
    if (table->mode == FILTER_LEASE && change->arm) {
        /* Adding alone would leave what is left of an old lease as it is. */
        batch_flush(&batch, "alive");
        add_lease(&batch, table, table->lease_ms);
    }
    change_held(&batch, table, change->vips, change->vip_count, true);
    return batch_commit(&batch, filter->ask);
}

int filter_close_table(struct filter *filter, const char *pool, bool by_link)
{
    struct filter_batch batch;
    char name[FILTER_NAME_MAX];

    filter_table_name(filter, pool, name);
    batch_begin(&batch, name);
    batch_flush(&batch, "held");
    batch_flush(&batch, "held6");
    if (by_link) {
        batch_flush(&batch, "held_link");
        batch_flush(&batch, "held6_link");
    }
    int error = batch_commit(&batch, filter->ask);

    if (error == -ENOENT)
        return 0;
    return error < 0 ? error : 1;
}

int filter_remove_table(struct filter *filter, const char *pool)
{
    struct filter_batch batch;
    char name[FILTER_NAME_MAX];

    filter_table_name(filter, pool, name);
    batch_begin(&batch, name);
    batch_table(&batch, false);
    int error = batch_commit(&batch, filter->ask);

    return error == -ENOENT ? 0 : error;
}

/* Made and removed in one transaction: the kernel checks every hook, set and rule, and no packet sees any of it. */
static int probe_once(struct filter *filter, enum filter_mode mode, bool egress)
{
    const struct filter_vip vip = {
        .address = {.family = FAMILY_IPV4, .bytes = {192, 0, 2, 1}}, .link = "lo", .held = true};
    const struct filter_table table = {
        .mode = mode,
        .egress = egress,
        .family = FAMILY_IPV4,
        .pool_link = "lo",
        .links = {"lo"},
        .link_count = 1,
        .lease_ms = 1000,
        .alive_ms = 1000,
        .self = vip.address,
        .vips = &vip,
        .vip_count = 1,
    };
    struct filter_batch batch;
    char name[FILTER_NAME_MAX];

    /* Two daemons may probe at once; a colon is in no pool's name. */
    snprintf(name, sizeof(name), "evenkeel:probe:%ld", (long)getpid());
    batch_begin(&batch, name);
    batch_table(&batch, true);
    add_everything(&batch, &table);
    batch_table(&batch, false);
    return batch_commit(&batch, filter->ask);
}

void filter_probe(struct filter *filter, struct filter_ability *out)
{
    int lease = probe_once(filter, FILTER_LEASE, true);
    int on = lease == 0 ? 0 : probe_once(filter, FILTER_ON, true);
    int ingress = on == 0 ? 0 : probe_once(filter, FILTER_ON, false);

    *out = (struct filter_ability){.best = FILTER_LEASE, .egress = on == 0};
    if (lease == 0) {
        snprintf(out->reason, sizeof(out->reason), "the kernel has egress hooks and renewable timeouts");
    } else if (on == 0) {
        out->best = FILTER_ON;
        snprintf(out->reason, sizeof(out->reason), "no lease: renewable timeouts: %s", strerrordesc_np(-lease));
    } else if (ingress == 0) {
        out->best = FILTER_ON;
        snprintf(out->reason, sizeof(out->reason), "no lease: egress hook (Linux 5.16): %s", strerrordesc_np(-on));
    } else {
        out->best = FILTER_OFF;
        snprintf(out->reason, sizeof(out->reason), "no filter: nftables' netdev family: %s", strerrordesc_np(-ingress));
    }
}

int filter_watch(struct filter *filter)
{
    int group = NFNLGRP_NFTABLES;
    int bytes = WATCH_BUFFER_BYTES;

    filter->watch = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!filter->watch || mnl_socket_bind(filter->watch, 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_setsockopt(filter->watch, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
        return -errno;
    (void)setsockopt(mnl_socket_get_fd(filter->watch), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    return 0;
}

int filter_watch_fd(const struct filter *filter)
{
    return mnl_socket_get_fd(filter->watch);
}

static int find_table(const struct nlattr *attribute, void *name)
{
    if (mnl_attr_get_type(attribute) != NFTA_TABLE_NAME)
        return MNL_CB_OK;
    if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
        *(const char **)name = mnl_attr_get_str(attribute);
    return MNL_CB_STOP;
}

/* In every nftables message attribute 1 is its table's name, but in those about generations, which have none. */
static const char *message_table(const struct nlmsghdr *h)
{
    const char *name = NULL;

    if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES || NFNL_MSG_TYPE(h->nlmsg_type) == NFT_MSG_NEWGEN)
        return NULL;
    if (h->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
        return NULL;
    if (((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family != NFPROTO_NETDEV)
        return NULL;
    mnl_attr_parse(h, sizeof(struct nfgenmsg), find_table, &name);
    return name;
}

static void watch_datagram(const struct filter *filter, const void *data, int length, filter_touched *touched,
                           void *context)
{
    for (const struct nlmsghdr *h = data; mnl_nlmsg_ok(h, length); h = mnl_nlmsg_next(h, &length)) {
        const char *table = message_table(h);

        if (table && h->nlmsg_pid != mnl_socket_get_portid(filter->ask))
            touched(context, table);
    }
}

int filter_watch_read(struct filter *filter, filter_touched *touched, void *context)
{
    void *data = malloc(WATCH_READ_BYTES);
    int error = data ? 0 : -ENOMEM;

    while (error == 0) {
        struct sockaddr_nl from = {0};
        socklen_t from_length = sizeof(from);
        ssize_t length = recvfrom(filter_watch_fd(filter), data, WATCH_READ_BYTES, MSG_TRUNC, (struct sockaddr *)&from,
                                  &from_length);

        if (length < 0)
            error = -errno;
        else if (length > WATCH_READ_BYTES)
            error = -ENOBUFS;
        else if (from.nl_pid == 0)
            watch_datagram(filter, data, (int)length, touched, context);
    }
    free(data);
    return error == -EAGAIN ? 0 : error;
}
