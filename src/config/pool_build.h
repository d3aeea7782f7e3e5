/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From words to the model: the pools with everything resolved, still with the places where it was said. The steps, in
 * order: pool_units_make (addresses, family, packing, VRIDs of each pool), pool_check_* (what concerns several units or
 * pools), then pool_build fills the model. All of it lives in the load's arena but the model.
 */
#ifndef EVENKEEL_CONFIG_POOL_BUILD_H
#define EVENKEEL_CONFIG_POOL_BUILD_H

#include "config/pool_words.h"

struct build_vip {
    struct addr address;
    uint8_t prefix_length;
    uint8_t link;
    bool added; /* the link-local address of the virtual MAC, which the file does not list */
    unsigned chunk;
    struct word word; /* as written; when added: that of the unit's first */
};

struct build_unit {
    const struct unit_words *words; /* of packed units the first in the file */
    struct build_vip *vips;         /* >= 1; in the model's order once pool_units_make is done */
    unsigned vip_count;
    unsigned advertised;    /* of the pool's family on the pool's link */
    uint8_t vrid;           /* 0: none can be derived */
    uint8_t eligible_count; /* members, sorted */
    uint8_t prefer_count;   /* in their order */
    struct addr *eligible;
    struct addr *prefer;
    unsigned position; /* in the file */
    bool packed;       /* by vips_per_vrid */
};

struct build_pool {
    const struct pool_words *words;
    struct build_unit *units; /* in the file's order, then by VRID once pool_check is done */
    unsigned unit_count;
    uint8_t link;
    uint8_t family;
    bool usable; /* complete enough for further checks */
};

struct build {
    struct arena *arena;
    struct report *report;
    struct build_pool *pools; /* by name */
    unsigned pool_count;
    char (*links)[CONFIG_INTERFACE_MAX]; /* sorted */
    unsigned link_count;
};

/* pool_links.c: every interface named in the file, and the index of one; false when its name is not usable. */
void pool_links_collect(struct build *build, const struct file_words *file);
bool pool_links_find(const struct build *build, const char *name, uint8_t *link);

/* pool_units.c */
void pool_units_make(struct build *build, struct build_pool *pool);

/* pool_vrids.c: called by pool_units_make, before and after the units' number was checked. */
void pool_vrids_pack(struct build *build, struct build_pool *pool);
void pool_vrids_number(struct build *build, struct build_pool *pool);

/* pool_check.c: one pool's values against each other, and pools against each other. */
void pool_check_values(struct build *build, const struct build_pool *pool);
void pool_check_pools(struct build *build);

/* The members' interval: as given, else the default or advert_int, whichever is shorter: no lease outlasts a unit's
 * timer. */
int64_t pool_member_interval_us(const struct pool_words *words);

/* pool_check_units.c: VRIDs and addresses that occur twice. */
void pool_check_units(struct build *build);

/* pool_members.c: the members block, and the units' prefer and members with their names resolved. */
void pool_members_check(struct build *build, struct build_pool *pool);

/* pool_build.c: the model, or NULL when errors were reported. */
struct config *pool_build(const struct file_words *file, struct arena *arena, struct report *report);

#endif
