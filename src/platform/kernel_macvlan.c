/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual MACs by macvlan interfaces, for kernels on which nftables cannot do it (doc/design.md 7.2, 30). Each is in
 * private mode, named as keepalived names its own, gets no address by itself and is up from the start: to bring 250 of
 * them down takes the kernel 4 s. Packets for a virtual MAC pass the ingress hook of the link below before they reach
 * the macvlan, so the filter decides about them as about all others, and drops the frames to the MACs of what is not
 * held. Advertisements and announcements are sent on the link below, as ever.
 *
 * Settings. On a macvlan: arp_ignore, since every broadcast reaches all of them and each would answer for the others'
 * addresses; rp_filter loose where it is on, since the route back is the one over the link below (the kernel takes the
 * larger of all's and the interface's value, so loose wins over all's strict); IPv6 off where there is no IPv6 address,
 * else no autoconfiguration, addresses or routes. On the link below: arp_ignore, or it would answer for them with its
 * own MAC; arp_announce, or it would ask in their name, and who hears that takes its MAC for theirs.
 *
 * The mark. Each has an alias that names our table and what the link's settings were. By that a later run knows what a
 * killed one left, removes it and restores the settings. Whatever bears no such mark is somebody else's and is left
 * alone: then the addresses stand on the link itself, whose MAC answers, and that is reported.
 *
 * Removal is a group's: all at once costs what a single one does. Called by kernel_work.c and kernel_reload.c.
 */
#include "platform/kernel_macvlan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/kernel_work.h"

#define CHUNK 32  /* changes between two looks at the events, whose socket holds some 500 of them */
#define DOOMED 64 /* the same of removals, unless it is the end and nobody looks */
#define ROUNDS 3

enum { IGNORE_OTHERS = 1, IGNORE_OTHER_SUBNETS = 2, ANNOUNCE_BEST = 2, RP_LOOSE = 2 };

/* --- which there would be --- */

static bool is_name_taken(const struct work *work, const char *name)
{
    if (state_link_named(&work->state, name) < work->state.link_count)
        return true;
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        for (unsigned u = 0; u < work->config->core.pools[p].unit_count; u++) {
            const struct config_router *router = work->config->pools[p].units[u].router;

            if (router && router->use_vmac && router->vmac_name && strcmp(router->vmac_name, name) == 0)
                return true;
        }
    }
    return false;
}

/* An instance's on its own link has the name that the file gives it; the others get the first that is free. */
static void choose_name(const struct work *work, unsigned vip, struct macvlan *m)
{
    const struct state_vip *v = &work->state.vips[vip];
    const struct unit_settings *unit = &work->config->core.pools[v->pool].units[v->unit];
    const struct config_router *router = work->config->pools[v->pool].units[v->unit].router;

    if (router && router->vmac_name && v->link == unit->link) {
        snprintf(m->name, sizeof(m->name), "%s", router->vmac_name);
        return;
    }
    for (uint16_t attempt = 0; attempt == 0 || is_name_taken(work, m->name); attempt++)
        config_virtual_name(m->name, (enum family)v->address.family, unit->vrid, attempt);
}

static struct macvlan *find_macvlan(const struct macvlans *macvlans, unsigned parent, const uint8_t mac[static 6])
{
    /* A unit's addresses follow each other. */
    for (unsigned i = macvlans->count; i-- > 0;)
        if (macvlans->all[i].parent == parent && memcmp(macvlans->all[i].mac, mac, 6) == 0)
            return &macvlans->all[i];
    return NULL;
}

static unsigned add_vip(struct work *work, unsigned vip)
{
    struct macvlans *macvlans = &work->macvlans;
    const struct state_vip *v = &work->state.vips[vip];
    struct macvlan *m = find_macvlan(macvlans, v->link, work->vips[vip].mac);
    const struct instance_settings *instance = work->config->core.pools[v->pool].units[v->unit].instance;

    if (!m) {
        m = &macvlans->all[macvlans->count++];
        m->parent = v->link;
        memcpy(m->mac, work->vips[vip].mac, sizeof(m->mac));
        choose_name(work, vip, m);
        m->link = state_add_macvlan(&work->state, v->link, m->name);
        m->owner = instance && instance->priority == VRRP_PRIORITY_OWNER;
    }
    m->ipv6 = m->ipv6 || v->address.family == FAMILY_IPV6;
    return (unsigned)(m - macvlans->all);
}

int macvlan_init(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;

    macvlans->all = calloc(work->state.vip_count + 1, sizeof(*macvlans->all));
    macvlans->of = calloc(work->state.vip_count + 1, sizeof(*macvlans->of));
    if (!macvlans->all || !macvlans->of)
        return -ENOMEM;
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        bool virtual = work->state.vips[i].pool != STATE_STATIC && work->vips[i].vmac;

        macvlans->of[i] = virtual ? add_vip(work, i) : MACVLAN_NONE;
    }
    return 0;
}

void macvlan_free(struct macvlans *macvlans)
{
    free(macvlans->all);
    free(macvlans->of);
    free(macvlans->marks);
}

/* --- what is there --- */

static bool begins_with_table(const char *text, const char *pool)
{
    char table[SETTINGS_NAME_MAX + 16];

    filter_table_name(pool, table, sizeof(table));
    return strncmp(text, table, strlen(table)) == 0 && text[strlen(table)] == ':';
}

static bool is_our_mark(const struct work *work, const char *text)
{
    for (unsigned p = 0; p < work_pool_count(work); p++)
        if (begins_with_table(text, work->config->core.pools[p].name))
            return true;
    for (unsigned i = 0; i < work->stale_count; i++)
        if (begins_with_table(text, work->stale[i]))
            return true;
    return false;
}

static void mark_text(const struct work *work, const struct macvlan *m, char text[static NETLINK_ALIAS_MAX])
{
    const struct netlink_arp *before = &work->macvlans.parents[m->parent].before;
    char table[SETTINGS_NAME_MAX + 16];

    filter_table_name(work->config->core.pools[m->pool].name, table, sizeof(table));
    snprintf(text, NETLINK_ALIAS_MAX, "%s: %s had arp_ignore %u, arp_announce %u", table,
             work->state.links[m->parent].name, before->ignore, before->announce);
}

static struct macvlan_mark *mark_of(const struct macvlans *macvlans, int ifindex)
{
    for (unsigned i = 0; ifindex != 0 && i < macvlans->mark_count; i++)
        if (macvlans->marks[i].ifindex == ifindex)
            return &macvlans->marks[i];
    return NULL;
}

static void forget_mark(struct macvlans *macvlans, struct macvlan_mark *mark)
{
    *mark = macvlans->marks[--macvlans->mark_count];
}

static struct macvlan_mark *new_mark(struct macvlans *macvlans)
{
    if (macvlans->mark_count == macvlans->mark_capacity) {
        unsigned capacity = macvlans->mark_capacity * 2 + 16;
        struct macvlan_mark *grown = realloc(macvlans->marks, capacity * sizeof(*grown));

        if (!grown)
            return NULL; /* it counts as somebody else's */
        macvlans->marks = grown;
        macvlans->mark_capacity = capacity;
    }
    macvlans->marks[macvlans->mark_count] = (struct macvlan_mark){0};
    return &macvlans->marks[macvlans->mark_count++];
}

void macvlan_event(struct work *work, const struct netlink_event *event)
{
    struct macvlans *macvlans = &work->macvlans;
    struct macvlan_mark *mark =
        event->kind == NETLINK_LINK || event->kind == NETLINK_LINK_GONE ? mark_of(macvlans, event->ifindex) : NULL;
    work->macvlans.looked = work->macvlans.looked && event->kind != NETLINK_LINK && event->kind != NETLINK_LINK_GONE;
    bool ours =
        event->kind == NETLINK_LINK && event->private && ((mark && mark->ours) || is_our_mark(work, event->alias));

    if (!ours && !(event->kind == NETLINK_LINK && event->private && !event->admin_up && event->alias[0] == '\0')) {
        if (mark)
            forget_mark(macvlans, mark);
        return;
    }
    if (!mark)
        mark = new_mark(macvlans);
    if (!mark)
        return;
    mark->ifindex = event->ifindex;
    mark->lower = event->lower;
    memcpy(mark->mac, event->mac, sizeof(mark->mac));
    mark->ours = ours;
    mark->seen = true;
    memcpy(mark->text, event->alias, sizeof(mark->text));
}

void macvlan_dump_begin(struct work *work)
{
    for (unsigned i = 0; i < work->macvlans.mark_count; i++)
        work->macvlans.marks[i].seen = false;
}

void macvlan_dump_end(struct work *work)
{
    for (unsigned i = work->macvlans.mark_count; i-- > 0;)
        if (!work->macvlans.marks[i].seen)
            forget_mark(&work->macvlans, &work->macvlans.marks[i]);
}

/* --- what is wanted --- */

static const struct state_link *link_of(const struct work *work, const struct macvlan *m)
{
    static const struct state_link none = {0};

    return m->link < work->state.link_count ? &work->state.links[m->link] : &none;
}

/* The macvlan as it is there and may be used, marked or not yet. */
static struct macvlan_mark *used_mark(const struct work *work, const struct macvlan *m)
{
    struct macvlan_mark *mark = mark_of(&work->macvlans, link_of(work, m)->ifindex);
    bool same =
        mark && mark->lower == work->state.links[m->parent].ifindex && memcmp(mark->mac, m->mac, sizeof(m->mac)) == 0;

    return same ? mark : NULL;
}

/* An owner's addresses that stand on the link when we come are its real ones. */
static void decide_owned(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;

    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct state_vip *vip = &work->state.vips[i];
        struct macvlan *m = macvlans->of[i] == MACVLAN_NONE ? NULL : &macvlans->all[macvlans->of[i]];

        if (m && m->owner && m->wanted && !m->decided)
            m->owned = m->owned || (vip->present && vip->place == vip->link);
    }
    for (unsigned i = 0; i < macvlans->count; i++)
        macvlans->all[i].decided = macvlans->all[i].decided || macvlans->all[i].wanted;
}

static bool note_wanted(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;
    bool any = false;

    for (unsigned i = 0; i < macvlans->count; i++)
        macvlans->all[i].wanted = false;
    for (unsigned i = 0; i < work->state.vip_count && !work->leaving; i++) {
        struct macvlan *m = macvlans->of[i] == MACVLAN_NONE ? NULL : &macvlans->all[macvlans->of[i]];

        if (!m || m->wanted || !work->pools[work->state.vips[i].pool].macvlan)
            continue;
        m->wanted = any = true;
        m->pool = work->state.vips[i].pool;
    }
    decide_owned(work);
    return any;
}

static int obstacle_of(const struct work *work, const struct macvlan *m)
{
    if (m->owned)
        return EADDRINUSE;
    /* The filter of a macvlan sees nothing of what one on the same interface gets. */
    if (work->state.links[m->parent].macvlan)
        return EOPNOTSUPP;
    bool taken = m->link >= work->state.link_count || (link_of(work, m)->ifindex != 0 && !used_mark(work, m));

    return taken ? EEXIST : 0;
}

static int failure_of(const struct macvlan *m)
{
    return m->obstacle != 0 ? m->obstacle : m->error;
}

static bool is_to_be_made(const struct macvlan *m)
{
    return m->wanted && failure_of(m) == 0;
}

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
            mark_text(work, of[count], texts[count]);
            if (is_to_be_made(of[count]) && next(work, of[count], &changes[count]))
                count++;
        }
        apply(work, changes, count);
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
    return link_of(work, m)->ifindex == 0 && change->ifindex != 0;
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
    const struct macvlan_mark *mark = used_mark(work, m);

    change->kind = NETLINK_MARK_MACVLAN;
    change->ifindex = link_of(work, m)->ifindex;
    change->arp.ignore = IGNORE_OTHERS;
    change->arp.rp_filter = reverse_path_is_checked(work, m->parent) ? RP_LOOSE : 0;
    m->fresh = mark && strcmp(mark->text, change->text) != 0;
    return m->fresh;
}

static bool settle_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    struct macvlan_mark *mark = used_mark(work, m);

    change->kind = NETLINK_NO_AUTOCONF;
    change->ifindex = link_of(work, m)->ifindex;
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

static bool open_it(struct work *work, struct macvlan *m, struct netlink_change *change)
{
    const struct macvlan_mark *mark = used_mark(work, m);

    change->kind = NETLINK_OPEN_LINK;
    change->ifindex = link_of(work, m)->ifindex;
    return mark && mark->ours && !link_of(work, m)->admin_up;
}

/* --- links below --- */

/* A killed run has written on its macvlans what was before. */
static void learn_before(struct work *work)
{
    for (unsigned i = 0; i < work->macvlans.mark_count; i++) {
        const struct macvlan_mark *mark = &work->macvlans.marks[i];
        const char *at = mark->ours ? strchr(mark->text, ':') : NULL;
        struct netlink_arp before = {.known = true};
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
        if (work->macvlans.all[i].parent == link && is_to_be_made(&work->macvlans.all[i]))
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
        if (!carrying)
            parent->ifindex = 0;
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
        struct macvlan_mark *mark = keep ? used_mark(work, &macvlans->all[i]) : NULL;

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
}

static bool may_carry(const struct work *work, const struct macvlan *m)
{
    const struct macvlan_mark *mark = used_mark(work, m);

    return mark ? mark->ours && link_of(work, m)->admin_up : work->state.links[m->parent].ifindex == 0;
}

/* Where it cannot be, the address stands on the link itself: better another MAC than no answer. */
static void place_vips(struct work *work)
{
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct macvlan *m =
            work->macvlans.of[i] == MACVLAN_NONE ? NULL : &work->macvlans.all[work->macvlans.of[i]];

        if (m && work->pools[work->state.vips[i].pool].macvlan && is_to_be_made(m) && may_carry(work, m))
            state_place(&work->state, i, m->link);
        else if (m && !is_to_be_made(m))
            state_place(&work->state, i, work->state.vips[i].link);
    }
}

static void reconcile(struct work *work)
{
    struct macvlans *macvlans = &work->macvlans;

    learn_before(work);
    remove_unused(work);
    for (unsigned i = 0; i < macvlans->count; i++)
        macvlans->all[i].obstacle = macvlans->all[i].wanted ? obstacle_of(work, &macvlans->all[i]) : 0;
    set_parents(work, true);
    carry_out(work, make_it);
    carry_out(work, mark_it);
    carry_out(work, settle_it);
    carry_out(work, open_it);
    set_parents(work, false);
}

void macvlan_reconcile(struct work *work)
{
    bool wanted = note_wanted(work);

    /* Our own changes bring events, too: the last round finds nothing to do. */
    for (unsigned i = 0; !work->macvlans.looked && i < ROUNDS; i++) {
        work->macvlans.looked = true;
        if (wanted || work->macvlans.mark_count > 0)
            reconcile(work);
    }
    place_vips(work);
}

void macvlan_leave(struct work *work)
{
    (void)note_wanted(work);
    learn_before(work);
    remove_unused(work);
    set_parents(work, false);
}

void macvlan_hold_back(struct work *work, bool back)
{
    for (unsigned i = 0; i < work->macvlans.count && !back; i++) {
        work->macvlans.looked = work->macvlans.looked && work->macvlans.all[i].error == 0;
        work->macvlans.all[i].error = 0;
    }
}

static const char *reason_of(const struct macvlan *m)
{
    if (m->owned)
        return "its addresses are the interface's own (priority 255)";
    if (m->obstacle == EOPNOTSUPP)
        return "that is a macvlan interface itself";
    if (m->obstacle == EEXIST)
        return "an interface of this name is there that is not ours";
    return m->error == EADDRINUSE ? "another interface there has its MAC" : strerrordesc_np(m->error);
}

static bool report_unit(struct work *work, const struct macvlan *m, const struct state_vip *vip)
{
    struct kernel_report report = {.kind = KERNEL_VMAC, .pool = vip->pool, .unit = vip->unit, .error = failure_of(m)};

    snprintf(report.text, sizeof(report.text), "%s on %s%s%s", m->name, work->state.links[m->parent].name,
             report.error ? ": " : "", report.error ? reason_of(m) : "");
    return work->listener.report(work->listener.context, &report);
}

void macvlan_report(struct work *work)
{
    for (unsigned e = 0; e < work->macvlans.count; e++) {
        struct macvlan *m = &work->macvlans.all[e];
        unsigned pool = STATE_STATIC, unit = 0;
        bool told = true;

        if (!m->wanted || failure_of(m) == m->reported)
            continue;
        for (unsigned i = 0; i < work->state.vip_count; i++) {
            const struct state_vip *vip = &work->state.vips[i];

            if (work->macvlans.of[i] != e || (vip->pool == pool && vip->unit == unit))
                continue;
            pool = vip->pool;
            unit = vip->unit;
            told = report_unit(work, m, vip) && told;
        }
        if (told)
            m->reported = failure_of(m);
    }
}

void macvlan_take_over(struct work *to, struct work *from, const struct handover *map)
{
    free(to->macvlans.marks);
    to->macvlans.begun = from->macvlans.begun;
    to->macvlans.marks = from->macvlans.marks;
    to->macvlans.mark_count = from->macvlans.mark_count;
    to->macvlans.mark_capacity = from->macvlans.mark_capacity;
    from->macvlans.marks = NULL;
    from->macvlans.mark_count = from->macvlans.mark_capacity = 0;
    for (unsigned i = 0; i < to->config->core.link_count; i++)
        if (map->old_link[i] != HANDOVER_NONE)
            to->macvlans.parents[i] = from->macvlans.parents[map->old_link[i]];
    for (unsigned i = 0; i < to->macvlans.count; i++)
        to->macvlans.all[i].reported = -1;
}
