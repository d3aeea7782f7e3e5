/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules in short form: the expressions that filter.c's layout is made of, by libnftnl. All work in register 1 (and
 * those after it, where a key has several parts), so each helper is complete in itself. Called by filter.c only;
 * declared with the rest of a transaction in filter_batch.h.
 */
#include "platform/filter_batch.h"

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define COMMENT_BYTES 128

struct nftnl_rule *batch_rule(struct filter_batch *batch, const char *chain, const char *comment)
{
    struct nftnl_rule *rule = nftnl_rule_alloc();
    struct nftnl_udata_buf *text = comment ? nftnl_udata_buf_alloc(COMMENT_BYTES) : NULL;

    /* Rules are built of dozens of small allocations; testing each would hide the layout, and this happens at start and
     * after foreign changes only. */
    CHECK(rule && (text || !comment));
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, batch->table);
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
    if (text) {
        nftnl_udata_put_strz(text, NFTNL_UDATA_RULE_COMMENT, comment);
        nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(text), nftnl_udata_buf_len(text));
        nftnl_udata_buf_free(text);
    }
    return rule;
}

static struct nftnl_expr *expression(struct nftnl_rule *rule, const char *name)
{
    struct nftnl_expr *e = nftnl_expr_alloc(name);

    CHECK(e != NULL);
    nftnl_rule_add_expr(rule, e);
    return e;
}

static void load_meta(struct nftnl_rule *rule, uint32_t key)
{
    struct nftnl_expr *e = expression(rule, "meta");

    nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void load_field_to(struct nftnl_rule *rule, struct batch_field field, uint32_t where)
{
    struct nftnl_expr *e = expression(rule, "payload");

    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, field.base);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, field.length);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, where);
}

static void load_field(struct nftnl_rule *rule, struct batch_field field)
{
    load_field_to(rule, field, NFT_REG_1);
}

/* Registers of four bytes each follow each other; the first four of them are register 1. */
static void load_key(struct nftnl_rule *rule, const struct batch_key *key)
{
    uint32_t word = 0;

    if (key->link != BATCH_NO_LINK) {
        load_meta(rule, key->link == BATCH_LINK_IN ? NFT_META_IIFNAME : NFT_META_OIFNAME);
        word = 4;
    }
    for (unsigned i = 0; i < key->field_count; i++) {
        load_field_to(rule, key->fields[i], word == 0 ? (uint32_t)NFT_REG_1 : NFT_REG32_00 + word);
        word += (key->fields[i].length + 3) / 4;
    }
}

static void load_constant(struct nftnl_rule *rule, const void *value, uint32_t length)
{
    struct nftnl_expr *e = expression(rule, "immediate");

    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
    nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, value, length);
}

static void compare(struct nftnl_rule *rule, bool equal, const void *value, uint32_t length)
{
    struct nftnl_expr *e = expression(rule, "cmp");

    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
    nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, length);
}

static struct nftnl_expr *look_up(struct nftnl_rule *rule, const char *set)
{
    struct nftnl_expr *e = expression(rule, "lookup");

    nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
    return e;
}

void rule_meta_is(struct nftnl_rule *rule, uint32_t key, bool equal, const void *value, uint32_t length)
{
    load_meta(rule, key);
    compare(rule, equal, value, length);
}

void rule_field_is(struct nftnl_rule *rule, struct batch_field field, bool equal, const void *value)
{
    load_field(rule, field);
    compare(rule, equal, value, field.length);
}

void rule_key_in(struct nftnl_rule *rule, const struct batch_key *key, bool in, const char *set)
{
    load_key(rule, key);
    struct nftnl_expr *e = look_up(rule, set);

    if (!in)
        nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void rule_go(struct nftnl_rule *rule, const struct batch_key *key, const char *map)
{
    load_key(rule, key);
    nftnl_expr_set_u32(look_up(rule, map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void rule_constant_in(struct nftnl_rule *rule, const void *value, uint32_t length, const char *set)
{
    load_constant(rule, value, length);
    look_up(rule, set);
}

void rule_renew(struct nftnl_rule *rule, const void *value, uint32_t length, const char *set, uint64_t timeout_ms)
{
    load_constant(rule, value, length);
    struct nftnl_expr *e = expression(rule, "dynset");

    nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
    nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, timeout_ms);
}

void rule_map_key(struct nftnl_rule *rule, const struct batch_key *key, const char *map)
{
    load_key(rule, key);
    nftnl_expr_set_u32(look_up(rule, map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
}

void rule_write_field(struct nftnl_rule *rule, struct batch_field field, int checksum_offset)
{
    struct nftnl_expr *e = expression(rule, "payload");

    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, field.base);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, field.length);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE,
                       checksum_offset < 0 ? NFT_PAYLOAD_CSUM_NONE : NFT_PAYLOAD_CSUM_INET);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, checksum_offset < 0 ? 0 : (uint32_t)checksum_offset);
}

void rule_meta_set(struct nftnl_rule *rule, uint32_t key, uint8_t value)
{
    load_constant(rule, &value, sizeof(value));
    struct nftnl_expr *e = expression(rule, "meta");

    nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

void rule_count(struct nftnl_rule *rule)
{
    expression(rule, "counter");
}

void rule_verdict(struct nftnl_rule *rule, int verdict, const char *chain)
{
    struct nftnl_expr *e = expression(rule, "immediate");

    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
    if (chain)
        nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}
