/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The macvlan interfaces of virtual MACs (kernel_macvlan.c) within a pass: made, set up, removed, and where each VIP's
 * place is. Each is in private mode, gets no address by itself and is up from the start: to bring 250 of them down
 * takes the kernel 4 s. Packets for a virtual MAC pass the ingress hook of the link below before they reach the
 * macvlan, so the filter decides about them as about all others, and drops the frames to the MACs of what is not held.
 * Advertisements and announcements are sent on the link below, as ever.
 *
 * Settings. On a macvlan: arp_ignore, since every broadcast reaches all of them and each would answer for the others'
 * addresses; rp_filter loose where it is on, since the route back is the one over the link below (the kernel takes the
 * larger of all's and the interface's value, so loose wins over all's strict); IPv6 off where there is no IPv6 address,
 * else no autoconfiguration, addresses or routes. On the link below: arp_ignore, or it would answer for them with its
 * own MAC; arp_announce, or it would ask in their name, and who hears that takes its MAC for theirs.
 *
 * Removal is a group's: all at once costs what a single one does. Called by kernel_work.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "platform/kernel_work.h"

#define CHUNK 32  /* changes between two looks at the events, whose socket holds some 500 of them */
#define DOOMED 64 /* the same of removals, unless it is the end and nobody looks */
#define ROUNDS 3
#define BREATH_NS 50000

enum { IGNORE_OTHERS = 1, IGNORE_OTHER_SUBNETS = 2, ANNOUNCE_BEST = 2, RP_LOOSE = 2 };

/* --- changes --- */

static void apply(struct work *work, struct netlink_change *changes, unsigned count)
{
    int error = count == 0 ? 0 : netlink_apply(work->netlink, changes, count);

    for (unsigned i = 0; error < 0 && i < count; i++)
        changes[i].error = -error;
    work->resync = work->resync || error < 0;
    work->changed = work->changed || count > 0;
    work_read_links(work);
    work->failed = work->failed || work->resync;
}

/* Fills in the change that the macvlan needs next; false: none. */
typedef bool step(struct work *work, struct macvlan *m, struct netlink_change *change);

static void carry_out(struct work *work, step *next)
{
    struct macvlans *macvlans = &work->macvlans;
    struct netlink_change changes[CHUNK];
    struct macvlan *of[CHUNK];
    char texts[CHUNK][NETLINK_ALIAS_MAX];

    for (unsigned i = 0; i < macvlans->count;) {
        unsigned count = 0;

        for (; i < macvlans->count && count < CHUNK; i++) {
            of[count] = &macvlans->all[i];
            changes[count] = (struct netlink_change){.text = texts[count]};
            macvlan_mark_text(work, of[count], texts[count]);
            if (macvlan_is_due(of[count]) && next(work, of[count], &changes[count]))
                count++;
        }
        apply(work, changes, count);
        if (count == CHUNK) /* others' turn on RTNL; who never waits loses its priority (realtime.h) */
            nanosleep(&(struct timespec){.tv_nsec = BREATH_NS}, NULL);
        for (unsigned c = 0; c < count; c++) {
            /* Gone in between: the news of that say what is next. */
            of[c]->error = changes[c].error == ENODEV ? 0 : changes[c].error;
            work->failed = work->failed || changes[c].error != 0;
        }
    }
}

static bool make_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    change->kind = NETLINK_PUT_MACVLAN;
    change->ifindex = work->state.links[m->parent].ifindex;
    change->text = m->name;
    memcpy(change->mac, m->mac, sizeof(change->mac));
    return macvlan_link(work, m)->ifindex == 0 && change->ifindex != 0;
}

/* Not what rtnetlink can say. A refusal fails nothing: some containers cannot write there. */
static void write_setting(const char *family, const char *link, const char *setting, char value)
{
    char path[128];

    snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, setting);
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, &value, 1);
    close(fd);
}

static bool reverse_path_is_checked(const struct work *work, unsigned parent)
{
    int fd = open("/proc/sys/net/ipv4/conf/all/rp_filter", O_RDONLY | O_CLOEXEC);
    char all = '1';

    if (fd >= 0) {
        (void)!read(fd, &all, 1);
        close(fd);
    }
    return all != '0' || work->state.links[parent].arp.rp_filter != 0;
}

static bool mark_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    const struct macvlan_mark *mark = macvlan_used_mark(work, m);

    change->kind = NETLINK_MARK_MACVLAN;
    change->ifindex = macvlan_link(work, m)->ifindex;
    change->arp.ignore = IGNORE_OTHERS;
    change->arp.rp_filter = reverse_path_is_checked(work, m->parent) ? RP_LOOSE : 0;
    m->fresh = mark && strcmp(mark->text, change->text) != 0;
    return m->fresh;
}

static bool settle_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    struct macvlan_mark *mark = macvlan_used_mark(work, m);

    change->kind = NETLINK_NO_AUTOCONF;
    change->ifindex = macvlan_link(work, m)->ifindex;
    if (!m->fresh || !mark)
        return false;
    /* Of what changes on an interface that is down the kernel tells nobody. */
    mark->ours = true;
    snprintf(mark->text, sizeof(mark->text), "%s", change->text);
    if (m->ipv6)
        write_setting("ipv6", m->name, "accept_ra", '0');
    else
        write_setting("ipv6", m->name, "disable_ipv6", '1');
    m->fresh = false;
    return true;
}

/* While somebody else holds RTNL the kernel has the writing of some settings tried again and again. */
static void settle(struct work *work)
{
    bool realtime = realtime_is_on(), any = false;

    for (unsigned i = 0; i < work->macvlans.count; i++)
        any = any || work->macvlans.all[i].fresh;
    if (!any)
        return;
    if (realtime)
        (void)realtime_thread(0);
    carry_out(work, settle_it);
    if (realtime)
        (void)realtime_thread(WORK_PRIORITY);
}

static bool open_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    const struct macvlan_mark *mark = macvlan_used_mark(work, m);

    change->kind = NETLINK_OPEN_LINK;
    change->ifindex = macvlan_link(work, m)->ifindex;
    return mark && mark->ours && !macvlan_link(work, m)->admin_up;
}

/* --- links below --- */

/* A killed run has written on its macvlans what was before. */
static void learn_before(struct work *work)
{
    for (unsigned i = 0; i < work->macvlans.mark_count; i++) {
        const struct macvlan_mark *mark = &work->macvlans.marks[i];
        const char *at = mark->ours ? strchr(mark->text, ':') : NULL;
        struct netlink_arp before = {0};
        char name[CONFIG_INTERFACE_MAX];

        if (!at || sscanf(at, ": %15s had arp_ignore %u, arp_announce %u", name, &before.ignore, &before.announce) != 3)
            continue;
        unsigned link = state_link_named(&work->state, name);
        bool known = link < work->config->core.link_count && work->state.links[link].ifindex == mark->lower;

        if (known && work->macvlans.parents[link].ifindex != mark->lower)
            work->macvlans.parents[link] = (struct macvlan_parent){.ifindex = mark->lower, .before = before};
    }
}

static bool carries_any(const struct work *work, unsigned link)
{
    for (unsigned i = 0; i < work->macvlans.count; i++)
        if (work->macvlans.all[i].parent == link && macvlan_is_due(&work->macvlans.all[i]))
            return true;
    return false;
}

/* `carrying`: those links that are to carry macvlans get what that needs; else the others get back what they had. */
static void set_parents(struct work *work, bool carrying)
{
    struct netlink_change changes[SETTINGS_LINKS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < work->config->core.link_count; i++) {
        struct macvlan_parent *parent = &work->macvlans.parents[i];
        const struct state_link *link = &work->state.links[i];
        bool known = link->ifindex != 0 && parent->ifindex == link->ifindex;

        if (link->ifindex == 0 || carries_any(work, i) != carrying || (carrying ? known && parent->set : !known))
            continue;
        if (!known)
            *parent = (struct macvlan_parent){.ifindex = link->ifindex, .before = link->arp};
        parent->set = true;
        struct netlink_arp arp = parent->before;

        if (carrying && arp.ignore != IGNORE_OTHER_SUBNETS)
            arp.ignore = IGNORE_OTHERS;
        if (carrying)
            arp.announce = ANNOUNCE_BEST;
        changes[count++] = (struct netlink_change){.kind = NETLINK_SET_ARP, .ifindex = link->ifindex, .arp = arp};
        if (!carrying) {
            parent->ifindex = 0;
            work->announcing[i] = 0; /* kernel_link.c sets it again where it is needed */
        }
    }
    if (count > 0)
        apply(work, changes, count);
}

/* --- the pass --- */

static void remove_unused(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;
    struct netlink_change *changes = work->changes;
    unsigned most = work->leaving || work->changes_capacity <= DOOMED ? work->changes_capacity - 1 : DOOMED, count;

    for (unsigned i = 0; i < macvlans->mark_count; i++)
        macvlans->marks[i].used = false;
    for (unsigned i = 0; i < macvlans->count; i++) {
        bool keep = macvlans->begun && macvlans->all[i].wanted;
        struct macvlan_mark *mark = keep ? macvlan_used_mark(work, &macvlans->all[i]) : NULL;

        if (mark)
            mark->used = true;
    }
    do {
        count = 0;
        for (unsigned i = 0; i < macvlans->mark_count && count < most; i++) {
            struct macvlan_mark *mark = &macvlans->marks[i];

            if (mark->ours && !mark->used)
                changes[count++] = (struct netlink_change){.kind = NETLINK_DOOM_LINK, .ifindex = mark->ifindex};
        }
        macvlans->begun = macvlans->begun || count == 0;
        if (count == 0)
            return;
        changes[count] = (struct netlink_change){.kind = NETLINK_REMOVE_DOOMED};
        apply(work, changes, count + 1);
    } while (changes[count].error == 0 && !work->resync);
    work->failed = true;
    macvlans->looked = false;
}

static bool may_carry(const struct work *work, const struct macvlan *m)
{
    const struct macvlan_mark *mark = macvlan_used_mark(work, m);

    return mark ? mark->ours && macvlan_link(work, m)->admin_up : work->state.links[m->parent].ifindex == 0;
}

/* Where it cannot be, the address stands on the link itself: better another MAC than no answer. */
static void place_vips(struct work *work)
{
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct macvlan *m =
            work->macvlans.of[i] == MACVLAN_NONE ? NULL : &work->macvlans.all[work->macvlans.of[i]];

        if (m && work->pools[work->state.vips[i].pool].macvlan && macvlan_is_due(m) && may_carry(work, m))
            state_place(&work->state, i, m->link);
        else if (m && !macvlan_is_due(m))
            state_place(&work->state, i, work->state.vips[i].link);
    }
}

static void reconcile(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;

    learn_before(work);
    remove_unused(work);
    for (unsigned i = 0; i < macvlans->count; i++)
        macvlans->all[i].obstacle = macvlans->all[i].wanted ? macvlan_obstacle(work, &macvlans->all[i]) : 0;
    set_parents(work, true);
    carry_out(work, make_it);
    carry_out(work, mark_it);
    settle(work);
    carry_out(work, open_it);
    set_parents(work, false);
}

void macvlan_reconcile(struct work *work)
{
    if (work->macvlans.looked)
        return;
    bool wanted = macvlan_note_wanted(work);

    /* Our own changes bring events, too: the last round finds nothing to do. */
    for (unsigned i = 0; !work->macvlans.looked && i < ROUNDS; i++) {
        work->macvlans.looked = true;
        if (wanted || work->macvlans.mark_count > 0)
            reconcile(work);
    }
    place_vips(work);
}

bool macvlan_leave(struct work *work)
{
    bool gone = true;

    (void)macvlan_note_wanted(work);
    learn_before(work);
    remove_unused(work);
    set_parents(work, false);
    for (unsigned i = 0; i < work->macvlans.mark_count; i++)
        gone = gone && !work->macvlans.marks[i].ours;
    return gone;
}
