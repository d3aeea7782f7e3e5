/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual MACs by macvlan interfaces, for kernels on which nftables cannot do it (doc/design.md 7.2, 30): which there
 * are to be, which are there and whose they are, and what is told of them. They are made and removed by
 * kernel_macvlan_make.c.
 *
 * The mark. Each has an alias that names our table and what its link's ARP settings were. By that a later run knows
 * what a killed one left, removes it and restores the settings. Whatever bears no such mark is somebody else's and is
 * left alone: then the addresses stand on the link itself, whose MAC answers, and that is reported.
 *
 * Called by kernel_work.c and kernel_reload.c.
 */
#include "platform/kernel_macvlan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "platform/kernel_work.h"

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

static bool begins_with_table(const struct work *work, const char *text, const char *pool)
{
    char table[FILTER_NAME_MAX];

    filter_table_name(work->filter, pool, table);
    return strncmp(text, table, strlen(table)) == 0 && text[strlen(table)] == ':';
}

static bool is_our_mark(const struct work *work, const char *text)
{
    for (unsigned p = 0; p < work_pool_count(work); p++)
        if (begins_with_table(work, text, work->config->core.pools[p].name))
            return true;
    for (unsigned i = 0; i < work->stale_count; i++)
        if (begins_with_table(work, text, work->stale[i]))
            return true;
    return false;
}

void macvlan_mark_text(const struct work *work, const struct macvlan *m, char text[static NETLINK_ALIAS_MAX])
{
    const struct netlink_arp *before = &work->macvlans.parents[m->parent].before;
    char table[FILTER_NAME_MAX];

    filter_table_name(work->filter, work->config->core.pools[m->pool].name, table);
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
    bool there = event->kind == NETLINK_LINK;

    if (!there && event->kind != NETLINK_LINK_GONE)
        return;
    macvlans->looked = false;
    struct macvlan_mark *mark = mark_of(macvlans, event->ifindex);
    bool ours = there && event->private && ((mark && mark->ours) || is_our_mark(work, event->alias));

    if (!ours && !(there && event->private && !event->admin_up && event->alias[0] == '\0')) {
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

const struct state_link *macvlan_link(const struct work *work, const struct macvlan *m)
{
    static const struct state_link none = {0};

    return m->link < work->state.link_count ? &work->state.links[m->link] : &none;
}

/* The macvlan as it is there and may be used, marked or not yet. */
struct macvlan_mark *macvlan_used_mark(const struct work *work, const struct macvlan *m)
{
    struct macvlan_mark *mark = mark_of(&work->macvlans, macvlan_link(work, m)->ifindex);
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

bool macvlan_note_wanted(struct work *work)
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

int macvlan_obstacle(const struct work *work, const struct macvlan *m)
{
    if (m->owned)
        return EADDRINUSE;
    /* The filter of a macvlan sees nothing of what one on the same interface gets. */
    if (work->state.links[m->parent].macvlan)
        return EOPNOTSUPP;
    bool taken =
        m->link >= work->state.link_count || (macvlan_link(work, m)->ifindex != 0 && !macvlan_used_mark(work, m));

    return taken ? EEXIST : 0;
}

int macvlan_failure(const struct macvlan *m)
{
    return m->obstacle != 0 ? m->obstacle : m->error;
}

bool macvlan_is_due(const struct macvlan *m)
{
    return m->wanted && macvlan_failure(m) == 0;
}

/* --- what is told, and a reload --- */

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
        return "the latter is a macvlan interface itself";
    if (macvlan_failure(m) == EEXIST)
        return "an interface of this name is there that is not ours";
    return m->error == EADDRINUSE ? "another interface there has its MAC" : strerrordesc_np(m->error);
}

static bool report_unit(struct work *work, const struct macvlan *m, const struct state_vip *vip)
{
    struct kernel_report report = {
        .kind = KERNEL_VMAC, .pool = vip->pool, .unit = vip->unit, .error = macvlan_failure(m)};

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

        if (!m->wanted || macvlan_failure(m) == m->reported)
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
            m->reported = macvlan_failure(m);
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
