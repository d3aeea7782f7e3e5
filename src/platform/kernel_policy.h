/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes and rules: those of instances, that are there while their unit is at LEVEL_READY or above, and the static
 * ones. Which of them are in place is known by a dump and from our own changes; events only say that it is to be dumped
 * again, since the kernel is silent about IPv4 routes that go with a link or an address. Only what is like one of ours
 * in all that the kernel keeps apart is ever removed. Part of kernel_work.h's work; private to kernel*.c.
 */
#ifndef EVENKEEL_PLATFORM_KERNEL_POLICY_H
#define EVENKEEL_PLATFORM_KERNEL_POLICY_H

#include "config/config.h"
#include "platform/netlink.h"

#define POLICY_STATIC UINT_MAX /* for a unit: it belongs to none */

struct policy_item {
    const struct net_route *route; /* or: */
    const struct net_rule *rule;
    unsigned unit; /* index into work.units, or POLICY_STATIC */
    bool wanted, present;
    bool dropped;        /* a reload has no place for it, it shall go for good */
    bool lost;           /* it was not there in a dump while wanted */
    bool held_back;      /* not to be tried now, since it failed a moment ago */
    int error;           /* of the last change: 0 or a positive errno */
    int reported;        /* the last error that was reported */
    uint32_t preference; /* of a rule that is there */
    unsigned first_hop;  /* of a route: in hop_links */
};

struct policy_state {
    struct policy_item *items; /* routes first; of each kind the static ones first */
    unsigned count;
    unsigned *hop_links; /* each next hop's device as a link of the state; state.link_count: none named */
    int *hop_ifindexes;  /* of one item, while it is looked at or changed: in step with hop_links */
    unsigned hop_count;
    struct netlink_change *changes;
    unsigned *changes_of;
    uint8_t protocols[256]; /* of the routes */
    unsigned protocol_count;
    bool dirty; /* what is in place must be dumped */
    bool rules; /* there are rules */
};

struct work;

/* 0 or a negative errno. The work's units and state are filled in. policy_watch: its sockets are open, too. */
int policy_init(struct work *work);
int policy_watch(struct work *work);
void policy_free(struct policy_state *policy);

/* An event that may mean that something of ours is gone. */
void policy_event(struct policy_state *policy, const struct netlink_event *event);

/* kernel_reload.c: the items of `work` that those of `next` do not have go; they are gone; `to` goes on for `from`. */
void policy_drop(struct work *work, const struct work *next, const struct handover *map);
bool policy_is_dropped(const struct work *work);
void policy_take_over(struct work *to, const struct work *from, const struct handover *map);

/* In a pass: what is there and what is wanted; what is not wanted goes, before the addresses; what is wanted comes,
 * after them. */
void policy_look(struct work *work);
void policy_remove(struct work *work);
void policy_put(struct work *work);
/* What failed in this pass is (not) tried in the next ones. */
void policy_hold_back(struct work *work, bool back);
/* What changed for the worse or the better. */
void policy_report(struct work *work);

#endif
