/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use_vmac: the virtual MACs in the interfaces' own filters, as `bridge fdb add MAC dev IF self permanent` would, from
 * LEVEL_READY on, so that they are there before the filter opens. An interface that has no such filter sees all frames,
 * or is told so by its driver; a refusal therefore fails nothing. Called by kernel_work.c.
 */
#include <string.h>

#include "platform/kernel_work.h"

/* Of the VIPs of a unit that share link and MAC, the first stands for all. */
static bool is_first(const struct work *work, const struct work_unit *unit, unsigned vip)
{
    for (unsigned i = unit->first_vip; i < vip; i++)
        if (work->vips[i].vmac && work->state.vips[i].link == work->state.vips[vip].link &&
            memcmp(work->vips[i].mac, work->vips[vip].mac, 6) == 0)
            return false;
    return true;
}

static unsigned add_change(struct work *work, unsigned count, enum netlink_change_kind kind, unsigned vip, int ifindex)
{
    struct netlink_change *change = &work->changes[count];

    *change = (struct netlink_change){.kind = (uint8_t)kind, .ifindex = ifindex};
    memcpy(change->mac, work->vips[vip].mac, sizeof(change->mac));
    return count + 1;
}

static unsigned collect_unit(struct work *work, const struct work_unit *unit, bool remove_all, unsigned count)
{
    for (unsigned v = unit->first_vip; v < unit->first_vip + unit->vip_count; v++) {
        int now = work->state.links[work->state.vips[v].link].ifindex;
        int wanted = !remove_all && unit->wanted >= LEVEL_READY ? now : 0;
        int *has = &work->mac_ifindexes[v];

        if (!work->vips[v].vmac || !is_first(work, unit, v))
            continue;
        /* An entry of an interface that is gone went with it. */
        if (now != 0 && (remove_all || (*has == now && wanted == 0)))
            count = add_change(work, count, NETLINK_REMOVE_MAC, v, now);
        if (wanted != 0 && *has != wanted)
            count = add_change(work, count, NETLINK_PUT_MAC, v, wanted);
        *has = wanted;
    }
    return count;
}

void work_macs(struct work *work, bool remove_all)
{
    unsigned count = 0;

    for (unsigned p = 0; p < work_pool_count(work); p++) {
        const struct work_pool *pool = &work->pools[p];

        if (!work_wants_macs(work, p))
            continue;
        for (unsigned i = 0; i < pool->unit_count; i++) {
            const struct work_unit *unit = &work->units[pool->first_unit + i];
            bool all = remove_all || unit->macs_end;

            if ((pool->mode != FILTER_OFF && !pool->macvlan) || all)
                count = collect_unit(work, unit, all, count);
        }
    }
    if (count > 0)
        (void)netlink_apply(work->netlink, work->changes, count);
}
