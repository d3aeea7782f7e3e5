/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of interfaces (net.ipv4.conf.IF) that addresses on them need: set once for each interface that comes. A
 * refusal fails nothing. They stay when we leave, since others may have come to need them. Called by kernel_work.c.
 */
#include "platform/kernel_work.h"

/* The interface needs the setting and has not got it yet; notes that it gets it. */
static bool is_due(const struct work *work, unsigned link, int *done)
{
    int ifindex = work->state.links[link].ifindex;

    if (done[link] == ifindex)
        return false;
    done[link] = ifindex;
    return ifindex != 0;
}

static void add(struct work *work, unsigned *count, enum netlink_change_kind kind, unsigned link)
{
    work->changes[(*count)++] =
        (struct netlink_change){.kind = (uint8_t)kind, .ifindex = work->state.links[link].ifindex};
}

/*
 * Resident addresses are local on hosts that do not hold them, and programs may send from them there. The neighbour
 * such a packet goes to would be asked for with the VIP as the sender, which the filter drops - and with the question,
 * for seconds, the packets of all other programs to that neighbour wait.
 */
static void announce_own(struct work *work, unsigned *count)
{
    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct state_vip *vip = &work->state.vips[i];

        if (vip->pool != STATE_STATIC && work_pool_resident(work, vip->pool) && vip->address.family == FAMILY_IPV4 &&
            is_due(work, vip->link, work->announcing))
            add(work, count, NETLINK_ANNOUNCE_OWN, vip->link);
    }
}

static void promote_secondaries(struct work *work, unsigned *count)
{
    for (unsigned u = 0; u < work->unit_count; u++) {
        const struct work_unit *unit = &work->units[u];
        const struct config_router *router = work->config->pools[unit->pool].units[unit->unit].router;
        unsigned link = work->config->core.pools[unit->pool].units[unit->unit].link;

        if (router && router->promote_secondaries && is_due(work, link, work->promoting))
            add(work, count, NETLINK_PROMOTE, link);
    }
}

void work_link_settings(struct work *work)
{
    unsigned count = 0;

    announce_own(work, &count);
    promote_secondaries(work, &count);
    if (count > 0)
        (void)netlink_apply(work->netlink, work->changes, count);
}
