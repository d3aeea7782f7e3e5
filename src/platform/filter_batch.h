/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and sending one nftables transaction: the buffer of messages, and objects and expressions of libnftnl in
 * short form. It knows nothing of VIPs; filter.c does. Memory that cannot be had makes the batch fail when it is sent.
 */
#ifndef EVENKEEL_PLATFORM_FILTER_BATCH_H
#define EVENKEEL_PLATFORM_FILTER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mnl_socket;
struct nftnl_rule;
struct nftnl_set;

struct filter_batch {
    uint8_t *data;
    size_t used, capacity;
    uint32_t sequence;      /* of the next message */
    uint32_t last_sequence; /* of the last one that changes something */
    uint32_t set_id;
    const char *table;
    bool failed; /* no memory */
};

void batch_begin(struct filter_batch *batch, const char *table);
/* Sends, waits for the verdict, frees. 0, or the first error as a negative errno: then nothing was changed. */
int batch_commit(struct filter_batch *batch, struct mnl_socket *socket);

void batch_table(struct filter_batch *batch, bool add);

/* A chain that others jump to; a base chain at `hook` (NF_NETDEV_*) of `device`, policy accept. */
void batch_chain(struct filter_batch *batch, const char *name);
void batch_base_chain(struct filter_batch *batch, const char *name, const char *device, uint32_t hook,
                      int32_t priority);

/* nft's numbers of data types: they make `nft list` print keys readably, the kernel does not look at them. */
enum batch_type {
    BATCH_IPV4 = 7,
    BATCH_IPV6 = 8,
    BATCH_MAC = 9,
    BATCH_NUMBER16 = 10, /* Ethernet types: shown in hexadecimal */
    BATCH_NUMBER8 = 12,  /* protocols */
    BATCH_IFNAME = 41,   /* any text of up to 15 bytes */
    BATCH_GO = 63,       /* data only: where the packet goes on (batch_element_go) */
};

/* Keys of several parts, each filled up to a multiple of four bytes. */
#define BATCH_JOIN(first, next) ((uint32_t)(first) << 6 | (uint32_t)(next))

/*
 * `type`: a batch_type or several joined. `data_type` 0: a set, else a map. `size`: the most elements it can hold; the
 * kernel chooses its fastest table only for sets of a known size. `lease_ms` != 0: elements time out and rules may
 * renew them.
 */
void batch_set(struct filter_batch *batch, const char *name, uint32_t type, uint32_t data_type, uint32_t size,
               uint64_t lease_ms);

/* Elements of one set: begin, add, then put or take. */
struct nftnl_set *batch_elements(struct filter_batch *batch, const char *name);
void batch_element(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                   const void *data, size_t data_length);
/* `verdict`: NFT_JUMP or NFT_GOTO, to a chain of the table. */
void batch_element_go(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                      int verdict, const char *chain);
void batch_element_lease(struct filter_batch *batch, struct nftnl_set *elements, const void *key, size_t key_length,
                         uint32_t timeout_ms, uint32_t left_ms);
void batch_put(struct filter_batch *batch, struct nftnl_set *elements);
void batch_take(struct filter_batch *batch, struct nftnl_set *elements);
/* Takes all elements out; that there is none is no error. */
void batch_flush(struct filter_batch *batch, const char *name);

/* Rules: begin, expressions, end. Values of expressions are in network order. */
struct nftnl_rule *batch_rule(struct filter_batch *batch, const char *chain, const char *comment);
void batch_rule_end(struct filter_batch *batch, struct nftnl_rule *rule);

enum batch_base {
    BATCH_LINK_HEADER = 0, /* NFT_PAYLOAD_* */
    BATCH_NETWORK_HEADER = 1,
    BATCH_TRANSPORT_HEADER = 2,
};

struct batch_field {
    enum batch_base base;
    uint32_t offset, length;
};

enum batch_link {
    BATCH_NO_LINK,
    BATCH_LINK_IN, /* at ingress */
    BATCH_LINK_OUT,
};

#define BATCH_KEY_FIELDS 3

/* A key of several parts: the interface's name, then fields. */
struct batch_key {
    enum batch_link link;
    struct batch_field fields[BATCH_KEY_FIELDS];
    unsigned field_count;
};

void rule_meta_is(struct nftnl_rule *rule, uint32_t key, bool equal, const void *value, uint32_t length);
void rule_field_is(struct nftnl_rule *rule, struct batch_field field, bool equal, const void *value);
void rule_key_in(struct nftnl_rule *rule, const struct batch_key *key, bool in, const char *set);
/* Goes where the map of verdicts says for the key; on, when it says nothing. */
void rule_go(struct nftnl_rule *rule, const struct batch_key *key, const char *map);
/* The constant is in the set. */
void rule_constant_in(struct nftnl_rule *rule, const void *value, uint32_t length, const char *set);
/* The constant's element gets its time anew (it is made when it is not there). */
void rule_renew(struct nftnl_rule *rule, const void *value, uint32_t length, const char *set, uint64_t timeout_ms);
/* Loads the map's value for a key; rule_write_field then writes it. */
void rule_map_key(struct nftnl_rule *rule, const struct batch_key *key, const char *map);
/* `checksum_offset` < 0: none to be mended; else that of the transport header. */
void rule_write_field(struct nftnl_rule *rule, struct batch_field field, int checksum_offset);
void rule_meta_set(struct nftnl_rule *rule, uint32_t key, uint8_t value);
void rule_count(struct nftnl_rule *rule);
/* NF_ACCEPT, NF_DROP, NFT_RETURN; or a chain with NFT_GOTO or NFT_JUMP. */
void rule_verdict(struct nftnl_rule *rule, int verdict, const char *chain);

#endif
