/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The membership of one pool, learned from plain VRRP (doc/design.md 2.1): a member is the Active router of a virtual
 * router of its own, whose only address is its own primary address. Entry 0 is this host. Who is dead is judged by the
 * pool, in its tick; this file only keeps the table.
 */
#ifndef EVENKEEL_CORE_MEMBER_H
#define EVENKEEL_CORE_MEMBER_H

#include "core/view.h"

#define MEMBER_SHARE_RESERVE 1
#define MEMBER_SHARE_MAX 254

struct member {
    struct addr address;       /* identity: the source of its advertisements */
    uint8_t vrid;              /* of its own virtual router; 0: this host, before it has an address */
    uint8_t share;             /* 1 reserve, 2..254 */
    uint8_t state;             /* enum member_state */
    int64_t interval_us;       /* of its member advertisements */
    struct mono last_heard;    /* any valid advertisement from it */
    struct mono since;         /* when `state` began */
    struct mono quiet_until;   /* back from the dead: counts as lost until contests with its side have ended */
    bool proven;               /* seen holding one of our units, so it is of this pool */
    struct mono one_way_until; /* it does not hear us: we hold nothing before (2.8) */
    uint8_t one_way_count;     /* so often in a row */
    unsigned vain_count;       /* planned moves to it, in a row, that somebody else had to take */
    struct mono vain_until;    /* no planned move to it before */
    struct mono vain_last;     /* the last of `vain_count` */
};

struct members {
    struct member list[PLAN_MEMBERS_MAX];
    unsigned count; /* >= 1 */
};

#define MEMBER_SELF 0

static inline bool member_is_alive(const struct member *m)
{
    return m->state == MEMBER_ACTIVE || m->state == MEMBER_RESERVE;
}

/* True when `advert` is of the form that announces a member: version 3, one address, which is its own source, below
 * 255. */
bool member_is_announced_by(const struct advert *advert);

void members_init(struct members *members, const struct addr *self, int64_t interval_us, uint8_t share,
                  struct mono now);

/* NULL when unknown. Never entry 0 unless asked for this host's own address. */
struct member *members_find(struct members *members, const struct addr *address);
const struct member *members_find_const(const struct members *members, const struct addr *address);

/* A new entry, alive; when the table is full the one dead or gone for longest makes room, else NULL. */
struct member *members_add(struct members *members, const struct addr *address, struct mono now);

void member_set_state(struct member *m, enum member_state state, struct mono now);

/* When `m` is dead if nothing more is heard from it: 3 of its intervals. */
struct mono member_dead_deadline(const struct member *m);

/* Living members, this host included. */
unsigned members_count_alive(const struct members *members);

/* Members that went without goodbye after `since_limit` and did not return, or only just did: they make us speak more
 * quietly (2.4). */
unsigned members_count_lost(const struct members *members, struct mono since_limit, struct mono now);

#endif
