/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual MACs where nftables cannot be their mechanism (no egress hook, or no filter): one macvlan interface for each
 * virtual MAC on each link, and the addresses live on it. kernel_macvlan.c has the whole story. Private to kernel*.c.
 */
#ifndef EVENKEEL_PLATFORM_KERNEL_MACVLAN_H
#define EVENKEEL_PLATFORM_KERNEL_MACVLAN_H

#include "platform/kernel_state.h"

struct work;

/* One virtual MAC on one link. */
struct macvlan {
    char name[CONFIG_INTERFACE_MAX];
    uint8_t mac[6];
    uint8_t pool;    /* of the first VIP that wants it */
    uint16_t parent; /* link */
    unsigned link;   /* of its own, in work.state; STATE_NO_LINK: some other link has the name */
    bool ipv6;       /* of some VIP on it */
    bool owner;      /* of an instance of priority 255 */
    bool decided;    /* `owned` is known */
    bool owned;      /* its addresses are the interface's own, and stay there: others, and routes, hang on them */
    bool wanted;
    bool fresh;   /* just marked, its settings are due */
    int obstacle; /* what keeps us from making it, whatever we try: 0 or a positive errno */
    int error;    /* of the last try: 0 or a positive errno */
    int reported; /* obstacle or error as the loop knows it; -1: not at all */
};

/* A macvlan interface that may be ours: it bears our mark, or none and is down, as one is that was just made. */
struct macvlan_mark {
    int ifindex, lower;
    uint8_t mac[6];
    bool ours; /* the mark is there, or was */
    bool used; /* by a macvlan that is wanted */
    bool seen; /* in the dump that is under way */
    char text[NETLINK_ALIAS_MAX];
};

/* A link that carries macvlans of ours. */
struct macvlan_parent {
    int ifindex; /* 0: it carries none */
    bool set;
    struct netlink_arp before; /* its settings, to be restored */
};

struct macvlans {
    struct macvlan *all;
    unsigned count;
    unsigned *of; /* in step with work.state.vips; MACVLAN_NONE: its unit has no virtual MAC there */
    struct macvlan_mark *marks;
    unsigned mark_count, mark_capacity;
    struct macvlan_parent parents[SETTINGS_LINKS_MAX];
    bool begun;  /* what an earlier run left is gone */
    bool looked; /* all is as wanted, or was tried, and nothing has changed since */
};

#define MACVLAN_NONE UINT32_MAX

/* Which there would be, after work_fill(). 0 or -ENOMEM. */
int macvlan_init(struct work *work);
void macvlan_free(struct macvlans *macvlans);

/* Part of the work's netlink_sink; around a dump. */
void macvlan_event(struct work *work, const struct netlink_event *event);
void macvlan_dump_begin(struct work *work);
void macvlan_dump_end(struct work *work);

void macvlan_hold_back(struct work *work, bool back);
void macvlan_report(struct work *work);
/* Reload: after the state was taken over. */
void macvlan_take_over(struct work *to, struct work *from, const struct handover *map);

/* --- for kernel_macvlan_make.c --- */

/* Says of each whether it is wanted; true when any is. */
bool macvlan_note_wanted(struct work *work);
/* Its own link in work.state; never NULL. */
const struct state_link *macvlan_link(const struct work *work, const struct macvlan *m);
/* Its interface as it is there and may be used, marked or not yet; or NULL. */
struct macvlan_mark *macvlan_used_mark(const struct work *work, const struct macvlan *m);
/* What is to be written on it. */
void macvlan_mark_text(const struct work *work, const struct macvlan *m, char text[static NETLINK_ALIAS_MAX]);
int macvlan_obstacle(const struct work *work, const struct macvlan *m);
int macvlan_failure(const struct macvlan *m); /* its obstacle or error */
bool macvlan_is_due(const struct macvlan *m); /* it is wanted and nothing has failed */

/* --- kernel_macvlan_make.c --- */

/* Makes those that are wanted, removes all others that are ours, and says where each VIP's place is. */
void macvlan_reconcile(struct work *work);
/* Removes all that are ours, and restores their links' settings. False: some are still there, as far as is known. */
bool macvlan_leave(struct work *work);
#endif
