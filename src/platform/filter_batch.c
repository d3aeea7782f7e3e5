/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables transactions by libnftnl and libmnl. It owns the buffer and the short forms of objects and expressions; the
 * layout of the table is filter.c's. Called by filter.c only.
 */
#include "platform/filter_batch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"

#define MESSAGE_ROOM (96 * 1024) /* a list of elements ends at an attribute's 64 KiB, nothing else is longer */
#define SEND_BUFFER_BYTES (4 << 20)

static uint8_t *batch_room(struct filter_batch *batch)
{
    if (batch->failed)
        return NULL;
    if (batch->capacity - batch->used < MESSAGE_ROOM) {
        size_t capacity = batch->capacity + 2 * MESSAGE_ROOM;
        uint8_t *data = realloc(batch->data, capacity);

        if (!data) {
            batch->failed = true;
            return NULL;
        }
        batch->data = data;
        batch->capacity = capacity;
    }
    return batch->data + batch->used;
}

static struct nlmsghdr *batch_message(struct filter_batch *batch, uint16_t type, uint16_t flags)
{
    uint8_t *room = batch_room(batch);

    if (!room)
        return NULL;
    batch->last_sequence = batch->sequence++;
    return nftnl_nlmsg_build_hdr((char *)room, type, NFPROTO_NETDEV, flags, batch->last_sequence);
}

static void batch_message_end(struct filter_batch *batch, const struct nlmsghdr *message)
{
    CHECK(message->nlmsg_len <= MESSAGE_ROOM);
    batch->used += NLMSG_ALIGN(message->nlmsg_len);
}

void batch_begin(struct filter_batch *batch, const char *table)
{
    *batch = (struct filter_batch){.table = table, .sequence = 1};
    uint8_t *room = batch_room(batch);

    if (room)
        batch_message_end(batch, nftnl_batch_begin((char *)room, batch->sequence++));
}

/* The kernel has handled the whole batch when sendmsg returns: every answer waits already. */
static int batch_verdict(struct mnl_socket *socket, uint32_t last_sequence)
{
    int result = -EPROTO;
    uint8_t answer[2048];

    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_length = sizeof(from);
        ssize_t length = recvfrom(mnl_socket_get_fd(socket), answer, sizeof(answer), MSG_DONTWAIT,
                                  (struct sockaddr *)&from, &from_length);

        if (length < 0)
            return errno == EAGAIN ? result : -errno;
        if (from.nl_pid != 0 || length < (ssize_t)(sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr)))
            continue;
        const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer;

        if (h->nlmsg_type != NLMSG_ERROR)
            continue;
        int error = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;

        /* The first error is the cause; later ones follow from it. */
        if (error < 0 && (result == -EPROTO || result == 0))
            result = error;
        else if (error == 0 && h->nlmsg_seq == last_sequence && result == -EPROTO)
            result = 0;
    }
}

static void batch_ask_for_verdict(struct filter_batch *batch)
{
    for (size_t at = 0; at < batch->used;) {
        struct nlmsghdr *h = (struct nlmsghdr *)(void *)(batch->data + at);

        if (h->nlmsg_seq == batch->last_sequence && h->nlmsg_type != NFNL_MSG_BATCH_END)
            h->nlmsg_flags |= NLM_F_ACK;
        at += NLMSG_ALIGN(h->nlmsg_len);
    }
}

static int batch_send(struct filter_batch *batch, struct mnl_socket *socket)
{
    uint8_t *room = batch_room(batch);
    int bytes = SEND_BUFFER_BYTES;

    if (!room)
        return -ENOMEM;
    batch_message_end(batch, nftnl_batch_end((char *)room, batch->sequence++));
    batch_ask_for_verdict(batch);
    /* A transaction is one datagram; thousands of VIPs do not fit the default buffer. */
    if (batch->used > 65536)
        (void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    if (mnl_socket_sendto(socket, batch->data, batch->used) < 0)
        return -errno;
    return batch_verdict(socket, batch->last_sequence);
}

int batch_commit(struct filter_batch *batch, struct mnl_socket *socket)
{
    int error = batch_send(batch, socket);

    free(batch->data);
    *batch = (struct filter_batch){0};
    return error;
}

void batch_table(struct filter_batch *batch, bool add)
{
    struct nftnl_table *table = nftnl_table_alloc();
    struct nlmsghdr *message = batch_message(batch, add ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE, add ? NLM_F_CREATE : 0);

    if (table && message) {
        nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->table);
        nftnl_table_nlmsg_build_payload(message, table);
        batch_message_end(batch, message);
    } else {
        batch->failed = true;
    }
    if (table)
        nftnl_table_free(table);
}

static void chain_put(struct filter_batch *batch, struct nftnl_chain *chain, const char *name)
{
    struct nlmsghdr *message = batch_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

    if (message) {
        nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, batch->table);
        nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
        nftnl_chain_nlmsg_build_payload(message, chain);
        batch_message_end(batch, message);
    }
    nftnl_chain_free(chain);
}

void batch_chain(struct filter_batch *batch, const char *name)
{
    struct nftnl_chain *chain = nftnl_chain_alloc();

    if (chain)
        chain_put(batch, chain, name);
    else
        batch->failed = true;
}

void batch_base_chain(struct filter_batch *batch, const char *name, const char *device, uint32_t hook, int32_t priority)
{
    struct nftnl_chain *chain = nftnl_chain_alloc();

    if (!chain) {
        batch->failed = true;
        return;
    }
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
    nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, device);
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    chain_put(batch, chain, name);
}

static uint32_t part_length(enum batch_type type)
{
    switch (type) {
    case BATCH_NUMBER8:
        return 1;
    case BATCH_NUMBER16:
        return 2;
    case BATCH_IPV4:
        return 4;
    case BATCH_MAC:
        return 6;
    case BATCH_IPV6:
    case BATCH_IFNAME:
        return 16;
    case BATCH_GO:
        return sizeof(uint32_t); /* as libnftnl and nft say it; the kernel knows better */
    }
    return 0;
}

static uint32_t type_length(uint32_t type)
{
    uint32_t length = 0;

    if (type < 1U << 6)
        return part_length((enum batch_type)type);
    for (; type != 0; type >>= 6)
        length += (part_length((enum batch_type)(type & 63)) + 3) / 4 * 4;
    return length;
}

struct nftnl_set *batch_elements(struct filter_batch *batch, const char *name)
{
    struct nftnl_set *set = nftnl_set_alloc();

    if (!set) {
        batch->failed = true;
        return NULL;
    }
    nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->table);
    nftnl_set_set_str(set, NFTNL_SET_NAME, name);
    return set;
}

/* nft shows names only of keys that are marked so. */
static void set_host_order(struct filter_batch *batch, struct nftnl_set *set)
{
    const uint32_t host_order = 1;
    struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(64);

    if (!data) {
        batch->failed = true;
        return;
    }
    nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER, host_order);
    nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data), nftnl_udata_buf_len(data));
    nftnl_udata_buf_free(data);
}

void batch_set(struct filter_batch *batch, const char *name, uint32_t type, uint32_t data_type, uint32_t size,
               uint64_t lease_ms)
{
    struct nftnl_set *set = batch_elements(batch, name);
    struct nlmsghdr *message = set ? batch_message(batch, NFT_MSG_NEWSET, NLM_F_CREATE) : NULL;

    if (!message) {
        if (set)
            nftnl_set_free(set);
        return;
    }
    nftnl_set_set_u32(set, NFTNL_SET_ID, ++batch->set_id);
    nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_NETDEV);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, type_length(type));
    nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, size);
    nftnl_set_set_u32(set, NFTNL_SET_FLAGS,
                      (data_type ? NFT_SET_MAP : 0u) |
                          (lease_ms ? (unsigned)NFT_SET_TIMEOUT | (unsigned)NFT_SET_EVAL : 0u));
    if (data_type) {
        nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, data_type == BATCH_GO ? (uint32_t)NFT_DATA_VERDICT : data_type);
        nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, type_length(data_type));
    }
    if (type == BATCH_IFNAME)
        set_host_order(batch, set);
    if (lease_ms)
        nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, lease_ms);
    nftnl_set_nlmsg_build_payload(message, set);
    batch_message_end(batch, message);
    nftnl_set_free(set);
}

static struct nftnl_set_elem *element_new(struct filter_batch *batch, struct nftnl_set *elements, const void *key,
                                          size_t key_length)
{
    struct nftnl_set_elem *element = elements ? nftnl_set_elem_alloc() : NULL;

    if (!element) {
        batch->failed = true;
        return NULL;
    }
    nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, (uint32_t)key_length);
    nftnl_set_elem_add(elements, element);
    return element;
}

void batch_element(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                   const void *data, size_t data_length)
{
    struct nftnl_set_elem *element = element_new(batch, elements, key, key_length);

    if (element && data)
        nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, data, (uint32_t)data_length);
}

void batch_element_go(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                      int verdict, const char *chain)
{
    struct nftnl_set_elem *element = element_new(batch, elements, key, key_length);

    if (!element)
        return;
    nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)verdict);
    nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
}

void batch_element_lease(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                         uint32_t timeout_ms, uint32_t left_ms)
{
    struct nftnl_set_elem *element = element_new(batch, elements, key, key_length);

    if (!element)
        return;
    nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
    nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_EXPIRATION, left_ms);
}

/* The list of a large set is sent in parts: a netlink attribute ends at 64 KiB. */
static void elements_send(struct filter_batch *batch, struct nftnl_set *elements, uint16_t type, uint16_t flags)
{
    struct nftnl_set_elems_iter *rest = elements ? nftnl_set_elems_iter_create(elements) : NULL;
    int more = 1;

    if (!rest)
        batch->failed = true;
    while (rest && more > 0) {
        struct nlmsghdr *message = batch_message(batch, type, flags);

        if (!message)
            break;
        more = nftnl_set_elems_nlmsg_build_payload_iter(message, rest);
        batch_message_end(batch, message);
    }
    if (rest)
        nftnl_set_elems_iter_destroy(rest);
    if (elements)
        nftnl_set_free(elements);
}

void batch_put(struct filter_batch *batch, struct nftnl_set *elements)
{
    elements_send(batch, elements, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
}

void batch_take(struct filter_batch *batch, struct nftnl_set *elements)
{
    elements_send(batch, elements, NFT_MSG_DELSETELEM, 0);
}

void batch_flush(struct filter_batch *batch, const char *name)
{
    struct nftnl_set *all = batch_elements(batch, name);
    struct nlmsghdr *message = all ? batch_message(batch, NFT_MSG_DELSETELEM, 0) : NULL;

    if (message) {
        nftnl_set_elems_nlmsg_build_payload(message, all);
        batch_message_end(batch, message);
    }
    if (all)
        nftnl_set_free(all);
}

void batch_rule_end(struct filter_batch *batch, struct nftnl_rule *rule)
{
    struct nlmsghdr *message = batch_message(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

    if (message) {
        nftnl_rule_nlmsg_build_payload(message, rule);
        batch_message_end(batch, message);
    }
    nftnl_rule_free(rule);
}
