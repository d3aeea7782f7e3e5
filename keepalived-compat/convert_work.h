/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversion under way: hosts, the virtual routers found on them, and what moves together. Included by convert*.c.
 *
 * A router is one VRID of one family, as the hosts' files have it; a bundle is what becomes one unit: a router, or the
 * routers of one sync group. Bundles of one interface and family become one pool.
 */
#ifndef EVENKEEL_COMPAT_CONVERT_WORK_H
#define EVENKEEL_COMPAT_CONVERT_WORK_H

#include "compat.h"
#include "convert.h"

#define CONVERT_NAME_MAX 64

struct convert_host {
    const char *file;
    struct config *config;
    const struct compat_config *model;
    char name[CONVERT_NAME_MAX];
    struct addr address[2]; /* IPv4, IPv6: the source of its advertisements; FAMILY_NONE: the files do not say */
};

struct convert_router {
    const struct compat_instance *on[CONVERT_HOSTS_MAX]; /* by host; NULL: not there */
    const struct compat_instance *first;                 /* of the first host that has it */
    unsigned bundle;
};

#define CONVERT_NO_POOL UINT32_MAX

struct convert_bundle {
    unsigned pool;  /* the first bundle of its pool; CONVERT_NO_POOL: it can be in none */
    int preferred;  /* the host with the highest priority; -1: several, or unknown */
    unsigned hosts; /* how many have it */
};

struct convert {
    struct arena arena;
    unsigned host_count;
    struct convert_host hosts[CONVERT_HOSTS_MAX];
    unsigned router_count, router_capacity;
    struct convert_router *routers;
    struct convert_bundle *bundles; /* bundle b exists when routers[b].bundle == b */
};

#define EACH_OF_POOL(convert, r, pool_of)                                                                              \
    for (unsigned r = 0; r < (convert)->router_count; r++)                                                             \
        if ((convert)->bundles[(convert)->routers[r].bundle].pool == (pool_of))

/* Every host's instances of a pool, one after the other. */
struct convert_cursor {
    const struct convert *convert;
    unsigned pool, router, host;
};

/* The next one, or NULL. Start with {.convert, .pool}. */
const struct compat_instance *convert_next(struct convert_cursor *cursor);

/* convert_print.c: the pools of a struct convert. */
void convert_print(const void *work, FILE *out);

/* convert_lost.c: comments before a pool, and after all of them. */
void convert_print_lost(const struct convert *convert, unsigned pool, FILE *out);
void convert_print_differences(const struct convert *convert, unsigned pool, FILE *out);
void convert_print_left_out(const struct convert *convert, FILE *out);

#endif
