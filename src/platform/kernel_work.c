/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the kernel thread: read what changed, close, change addresses, open, report. Every cause - an order, an
 * address removed by hand, an interface that came back, a flushed ruleset, a lost message - ends in the same pass,
 * which compares wanted with actual. Called by kernel.c on the thread, and by kernel_clean().
 *
 * The order within a pass is break before make: what is given up is closed in the filter before its addresses go, and
 * nothing opens before all addresses of its unit are in place. A batch of orders costs one netlink batch and, for each
 * pool, one transaction; two when some units close and others must wait for their addresses.
 */
#include "platform/kernel_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define BACKOFF_FIRST_US (100 * US_PER_MS)
#define BACKOFF_LAST_US (2 * US_PER_S)
#define QUIET_US (100 * US_PER_MS) /* somebody who undoes our changes cannot keep us busier than this */
#define LEAVE_TRIES 5

static void fill_unit(struct work *work, unsigned pool, unsigned index, unsigned *unit, unsigned *vip)
{
    const struct pool_settings *settings = &work->config->core.pools[pool];
    unsigned vip_count = work->config->pools[pool].units[index].vip_count;

    work->units[(*unit)++] = (struct work_unit){
        .wanted = LEVEL_ABSENT,
        .pool = (uint8_t)pool,
        .unit = (uint16_t)index,
        .first_vip = *vip,
        .vip_count = vip_count,
    };
    for (unsigned v = 0; v < vip_count; v++, (*vip)++) {
        work->vips[*vip].address = work->state.vips[*vip].address;
        wire_virtual_mac((enum family)work->vips[*vip].address.family, settings->units[index].vrid,
                         work->vips[*vip].mac);
    }
}

static void fill_pools(struct work *work)
{
    unsigned unit = 0, vip = 0;

    for (unsigned p = 0; p < work->config->core.pool_count; p++) {
        struct work_pool *pool = &work->pools[p];

        *pool = (struct work_pool){
            .mode = FILTER_AUTO,
            .first_unit = unit,
            .unit_count = work->config->core.pools[p].unit_count,
            .first_vip = vip,
        };
        for (unsigned u = 0; u < pool->unit_count; u++)
            fill_unit(work, p, u, &unit, &vip);
        pool->vip_count = vip - pool->first_vip;
    }
}

static unsigned count_units(const struct config *config)
{
    unsigned count = 0;

    for (unsigned p = 0; p < config->core.pool_count; p++)
        count += config->core.pools[p].unit_count;
    return count;
}

static int allocate(struct work *work)
{
    size_t vips = work->state.vip_count + 1;

    work->units = calloc(count_units(work->config) + 1, sizeof(*work->units));
    work->pools = calloc(work->config->core.pool_count + 1u, sizeof(*work->pools));
    work->vips = calloc(vips, sizeof(*work->vips));
    work->changed_vips = calloc(vips, sizeof(*work->changed_vips));
    work->changes = calloc(2 * vips, sizeof(*work->changes));
    work->changes_of = calloc(2 * vips, sizeof(*work->changes_of));
    work->mac_ifindexes = calloc(vips, sizeof(*work->mac_ifindexes));
    work->views = calloc(work->state.link_count + 1, sizeof(*work->views));
    work->views_known = calloc(work->state.link_count + 1, sizeof(*work->views_known));
    if (!work->units || !work->pools || !work->vips || !work->changed_vips || !work->changes || !work->changes_of ||
        !work->mac_ifindexes || !work->views || !work->views_known)
        return -ENOMEM;
    fill_pools(work);
    return 0;
}

int work_prepare(struct work *work, const struct config *config)
{
    *work = (struct work){
        .config = config,
        .resync = true,
        .retry_at = MONO_NEVER,
        .backoff_us = BACKOFF_FIRST_US,
        .quiet_until = {INT64_MIN},
    };
    int error = state_init(&work->state, config);

    return error == 0 ? allocate(work) : error;
}

int work_init(struct work *work, const struct config *config, const atomic_llong *spoke_us, work_report *report,
              void *context)
{
    int error = work_prepare(work, config);

    work->spoke_us = spoke_us;
    work->report = report;
    work->report_context = context;
    if (error == 0)
        error = netlink_open(&work->netlink);
    if (error == 0)
        error = filter_open(&work->filter);
    if (error == 0)
        error = filter_watch(work->filter);
    if (error < 0)
        work_free(work);
    return error;
}

void work_free(struct work *work)
{
    netlink_close(work->netlink);
    filter_close(work->filter);
    free(work->units);
    free(work->pools);
    free(work->vips);
    free(work->changed_vips);
    free(work->changes);
    free(work->changes_of);
    free(work->mac_ifindexes);
    free(work->views);
    free(work->views_known);
    state_free(&work->state);
}

void work_order(struct work *work, unsigned index, enum unit_level level, uint32_t sequence)
{
    struct work_unit *unit = &work->units[index];

    unit->wanted = (uint8_t)level;
    unit->sequence = sequence;
    unit->owed = true;
    unit->reported = 0;
    work->pools[unit->pool].held_back = false;
    for (unsigned i = 0; i < unit->vip_count; i++)
        work->state.vips[unit->first_vip + i].held_back = false;
    work->orders = true;
}

void work_arm(struct work *work, unsigned pool, uint32_t sequence)
{
    work->pools[pool].arm_owed = true;
    work->pools[pool].arm_sequence = sequence;
    work->pools[pool].held_back = false;
    work->orders = true;
}

static void touched(void *context, const char *table)
{
    struct work *work = context;
    char name[SETTINGS_NAME_MAX + 16];

    for (unsigned p = 0; p < work->config->core.pool_count; p++) {
        filter_table_name(work->config->core.pools[p].name, name, sizeof(name));
        if (strcmp(name, table) == 0)
            work->pools[p].touched = true;
    }
}

static void read_filter_news(struct work *work)
{
    if (filter_watch_read(work->filter, touched, work) == 0)
        return;
    /* Which tables were meant is unknown; making ours anew harms nobody. */
    for (unsigned p = 0; p < work->config->core.pool_count; p++)
        work->pools[p].installed = false;
    work->overrun = true;
}

static void resync(struct work *work)
{
    state_dump_begin(&work->state);
    if (netlink_dump(work->netlink, state_event, &work->state) < 0) {
        work->failed = true;
        return;
    }
    state_dump_end(&work->state);
    work->resync = false;
}

static void read_news(struct work *work)
{
    read_filter_news(work);
    if (netlink_read(work->netlink, state_event, &work->state) < 0) {
        work->resync = true;
        work->overrun = true;
    }
    if (work->resync)
        resync(work);
    if (!work->state.routes_changed)
        return;
    state_forget_gateways(&work->state);
    if (netlink_dump_gateways(work->netlink, state_event, &work->state) < 0) {
        work->state.routes_changed = true;
        work->failed = true;
    }
}

static void choose_filters(struct work *work, struct mono now)
{
    for (unsigned p = 0; p < work->config->core.pool_count; p++) {
        struct work_pool *pool = &work->pools[p];
        struct kernel_report report = {.kind = KERNEL_FILTER, .pool = (uint8_t)p, .unit = EFFECT_NO_UNIT};

        if (pool->mode != FILTER_AUTO)
            continue;
        if (work->ability.reason[0] == '\0')
            filter_probe(work->filter, &work->ability);
        work_filter_choose(work, p, now);
        report.filter_mode = (uint8_t)pool->mode;
        report.vmac = work->config->pools[p].use_vmac && work->ability.egress && pool->mode != FILTER_OFF;
        snprintf(report.text, sizeof(report.text), "%s", pool->reason);
        (void)work->report(work->report_context, &report);
    }
}

static void want_addresses(struct work *work)
{
    for (unsigned p = 0; p < work->config->core.pool_count; p++) {
        bool resident = work_pool_resident(work, p);

        for (unsigned i = 0; i < work->pools[p].unit_count; i++) {
            const struct work_unit *unit = &work->units[work->pools[p].first_unit + i];

            for (unsigned v = 0; v < unit->vip_count; v++)
                work->state.vips[unit->first_vip + v].wanted =
                    (resident || unit->wanted >= LEVEL_READY) && !work->state.vips[unit->first_vip + v].dropped;
        }
    }
}

/*
 * Resident addresses are local on hosts that do not hold them, and programs may send from them there. The neighbour
 * such a packet goes to would be asked for with the VIP as the sender, which the filter drops - and with the question,
 * for seconds, the packets of all other programs to that neighbour wait. A refusal fails nothing.
 */
static void announce_own(struct work *work)
{
    unsigned count = 0;

    for (unsigned i = 0; i < work->state.vip_count; i++) {
        const struct state_vip *vip = &work->state.vips[i];
        int ifindex = work->state.links[vip->link].ifindex;

        if (!work_pool_resident(work, vip->pool) || vip->address.family != FAMILY_IPV4 ||
            work->announcing[vip->link] == ifindex)
            continue;
        work->announcing[vip->link] = ifindex;
        if (ifindex != 0)
            work->changes[count++] = (struct netlink_change){.kind = NETLINK_ANNOUNCE_OWN, .ifindex = ifindex};
    }
    if (count > 0)
        (void)netlink_apply(work->netlink, work->changes, count);
}

static void change_addresses(struct work *work)
{
    unsigned count = state_changes(&work->state, false, work->changes, work->changes_of);
    int error = count == 0 ? 0 : netlink_apply(work->netlink, work->changes, count);

    if (error < 0)
        work->resync = true; /* some answers are lost: what is in place is unknown */
    for (unsigned i = 0; i < count; i++) {
        if (error < 0)
            work->changes[i].error = -error;
        state_changed(&work->state, work->changes_of[i], &work->changes[i]);
        work->failed = work->failed || work->changes[i].error != 0;
    }
    work->changed = work->changed || count > 0;
}

static void all_filters(struct work *work, struct mono now)
{
    for (unsigned p = 0; p < work->config->core.pool_count; p++)
        work_filter_pool(work, p, now);
}

/* What failed now is tried again later; in between, news about other things must not bring it up each time. */
static void hold_failures_back(struct work *work, bool back)
{
    for (unsigned i = 0; i < work->state.vip_count; i++)
        work->state.vips[i].held_back = back && work->state.vips[i].error != 0;
    for (unsigned p = 0; p < work->config->core.pool_count; p++)
        work->pools[p].held_back = back && work->pools[p].error != 0;
}

static void reconcile(struct work *work, struct mono now)
{
    if (mono_due(now, work->retry_at)) {
        hold_failures_back(work, false);
        work->retry_at = MONO_NEVER;
    }
    choose_filters(work, now);
    want_addresses(work);
    all_filters(work, now);
    work_report_closed(work);
    work_macs(work, false);
    announce_own(work);
    change_addresses(work);
    all_filters(work, now);
    work_remove_stale(work);
    state_check(&work->state);
    if (work->failed) {
        hold_failures_back(work, true);
        work->retry_at = mono_add(now, work->backoff_us);
        work->backoff_us = work->backoff_us * 2 < BACKOFF_LAST_US ? work->backoff_us * 2 : BACKOFF_LAST_US;
    } else if (mono_is_never(work->retry_at)) {
        work->backoff_us = BACKOFF_FIRST_US;
    }
}

struct mono work_pass(struct work *work, struct mono now)
{
    work->failed = false;
    work->changed = false;
    read_news(work);
    if (!work->orders && mono_after(work->quiet_until, now))
        return mono_min(work->retry_at, work->quiet_until);
    bool ordered = work->orders;

    work->orders = false;
    reconcile(work, now);
    work_reports(work);
    if (!ordered && work->changed)
        work->quiet_until = mono_add(now, QUIET_US);
    return work->retry_at;
}

static int remove_addresses(struct work *work)
{
    for (unsigned i = 0; i < LEAVE_TRIES; i++) {
        read_news(work);
        if (work->resync)
            continue;
        unsigned count = state_changes(&work->state, true, work->changes, work->changes_of);

        if (count == 0)
            return 0;
        int error = netlink_apply(work->netlink, work->changes, count);

        for (unsigned c = 0; c < count; c++) {
            if (error < 0)
                work->changes[c].error = -error;
            state_changed(&work->state, work->changes_of[c], &work->changes[c]);
            work->removed_count += work->changes[c].error == 0;
        }
    }
    return -EAGAIN;
}

int work_close(struct work *work)
{
    int closed = 1;

    for (unsigned p = 0; p < work->config->core.pool_count; p++)
        closed &= filter_close_table(work->filter, work->config->core.pools[p].name) == 1;
    return closed;
}

int work_leave(struct work *work)
{
    work->leaving = true;
    (void)work_close(work);
    for (unsigned i = 0; i < work->state.vip_count; i++)
        work->state.vips[i].wanted = false;
    int error = remove_addresses(work);

    work_macs(work, true);
    /* Better a closed filter that is left than an address that answers. */
    for (unsigned p = 0; p < work->config->core.pool_count && error == 0; p++)
        error = filter_remove_table(work->filter, work->config->core.pools[p].name);
    return error;
}
