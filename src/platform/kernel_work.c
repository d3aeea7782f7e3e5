/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the kernel thread: read what changed, close, change addresses, open, report. Every cause - an order, an
 * address removed by hand, an interface that came back, a flushed ruleset, a lost message - ends in the same pass,
 * which compares wanted with actual. Called by kernel.c on the thread, and by kernel_clean.c.
 *
 * The order within a pass is break before make: what is given up is closed in the filter before its addresses go, and
 * nothing opens before all addresses of its unit are in place. A batch of orders costs one netlink batch and, for each
 * pool, one transaction; two when some units close and others must wait for their addresses. Routes
 * and rules come after the addresses and go before them.
 *
 * Addresses change in slices, one a pass. Linux walks all multicast groups of an interface, twice, for every IPv6
 * address that is put on it (ipv6_find_idev), so that 80 of them may cost tens of milliseconds: no unit waits for those
 * that come after it. What nobody waits for - an address behind a closed filter, or one that no client was told of -
 * comes last, and leaves pauses in which others get RTNL.
 */
#include "platform/kernel_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

#define BACKOFF_FIRST_US (100 * US_PER_MS)
#define BACKOFF_LAST_US (2 * US_PER_S)
#define QUIET_US (100 * US_PER_MS) /* somebody who undoes our changes cannot keep us busier than this */
#define LEAVE_TRIES 5
#define SLICE 16                 /* address changes in one pass */
#define PAUSE_US (2 * US_PER_MS) /* before a slice that nobody waits for */

static unsigned count_units(const struct config *config)
{
    unsigned count = 0;

    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        count += config->core.pools[p].unit_count;
    return count;
}

static int allocate(struct work *work)
{
    size_t vips = work->state.vip_count + 1;

    work->unit_count = count_units(work->config);
    work->units = calloc(work->unit_count + 1, sizeof(*work->units));
    work->pools = calloc(work_pool_count(work) + 1, sizeof(*work->pools));
    work->filter_units = calloc(work->unit_count + 1, sizeof(*work->filter_units));
    work->vips = calloc(vips, sizeof(*work->vips));
    work->changed_vips = calloc(vips, sizeof(*work->changed_vips));
    work->changes_capacity = (unsigned)(STATE_CHANGES_MAX * vips);
    work->changes = calloc(work->changes_capacity, sizeof(*work->changes));
    work->changes_of = calloc(work->changes_capacity, sizeof(*work->changes_of));
    work->mac_ifindexes = calloc(vips, sizeof(*work->mac_ifindexes));
    work->views = calloc(work->config->core.link_count + 1u, sizeof(*work->views));
    work->views_known = calloc(work->config->core.link_count + 1u, sizeof(*work->views_known));
    if (!work->units || !work->pools || !work->filter_units || !work->vips || !work->changed_vips || !work->changes ||
        !work->changes_of || !work->mac_ifindexes || !work->views || !work->views_known)
        return -ENOMEM;
    work_fill(work);
    return macvlan_init(work);
}

int work_prepare(struct work *work, const struct config *config)
{
    *work = (struct work){
        .config = config,
        .resync = true,
        .retry_at = MONO_NEVER,
        .backoff_us = BACKOFF_FIRST_US,
        .quiet_until = {INT64_MIN},
        .slice_at = MONO_NEVER,
    };
    int error = state_init(&work->state, config);

    if (error == 0)
        error = allocate(work);
    return error == 0 ? policy_init(work) : error;
}

int work_init(struct work *work, const struct config *config, unsigned number, const atomic_llong *spoke_us,
              const atomic_llong *unit_spoke_us, struct work_listener listener)
{
    int error = work_prepare(work, config);

    work->spoke_us = spoke_us;
    work->unit_spoke_us = unit_spoke_us;
    work->listener = listener;
    if (error == 0)
        error = netlink_open(&work->netlink);
    if (error == 0)
        error = policy_watch(work);
    if (error == 0)
        error = filter_open(number, &work->filter);
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
    free(work->filter_units);
    free(work->vips);
    free(work->changed_vips);
    free(work->changes);
    free(work->changes_of);
    free(work->mac_ifindexes);
    free(work->views);
    free(work->views_known);
    policy_free(&work->policy);
    macvlan_free(&work->macvlans);
    state_free(&work->state);
}

void work_order(struct work *work, unsigned index, enum unit_level level, uint32_t sequence)
{
    struct work_unit *unit = &work->units[index];

    unit->wanted = (uint8_t)level;
    unit->sequence = sequence;
    unit->ordered = unit->owed = true;
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
    char name[FILTER_NAME_MAX];

    for (unsigned p = 0; p < work_pool_count(work); p++) {
        filter_table_name(work->filter, work->config->core.pools[p].name, name);
        if (strcmp(name, table) == 0)
            work->pools[p].touched = true;
    }
}

static void read_filter_news(struct work *work)
{
    if (filter_watch_read(work->filter, touched, work) == 0)
        return;
    /* Which tables were meant is unknown; making ours anew harms nobody. */
    for (unsigned p = 0; p < work_pool_count(work); p++)
        work->pools[p].installed = false;
    work->overrun = true;
}

/* A netlink_sink. */
static void take_event(void *context, const struct netlink_event *event)
{
    struct work *work = context;

    state_event(&work->state, event);
    policy_event(&work->policy, event);
    macvlan_event(work, event);
}

static void resync(struct work *work)
{
    state_dump_begin(&work->state);
    macvlan_dump_begin(work);
    if (netlink_dump(work->netlink, take_event, work) < 0) {
        work->failed = true;
        return;
    }
    state_dump_end(&work->state);
    macvlan_dump_end(work);
    work->resync = false;
}

void work_read_links(struct work *work)
{
    if (netlink_read(work->netlink, take_event, work) < 0) {
        work->resync = true;
        work->overrun = true;
    }
}

void work_read_news(struct work *work)
{
    read_filter_news(work);
    work_read_links(work);
    if (work->resync || work->state.link_came)
        resync(work);
    if (!work->state.routes_changed)
        return;
    state_forget_gateways(&work->state);
    if (netlink_dump_gateways(work->netlink, take_event, work) < 0) {
        work->state.routes_changed = true;
        work->failed = true;
    }
}

static void choose_filters(struct work *work, struct mono now)
{
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        struct work_pool *pool = &work->pools[p];
        struct kernel_report report = {.kind = KERNEL_FILTER, .pool = (uint8_t)p, .unit = EFFECT_NO_UNIT};

        if (pool->mode != FILTER_AUTO)
            continue;
        if (work->ability.reason[0] == '\0')
            filter_probe(work->filter, &work->ability);
        work_filter_choose(work, p, now);
        work->macvlans.looked = false;
        report.filter_mode = (uint8_t)pool->mode;
        report.vmac = (uint8_t)work_vmac(work, p);
        snprintf(report.text, sizeof(report.text), "%s", pool->reason);
        (void)work->listener.report(work->listener.context, &report);
    }
}

/*
 * An owner (255) is Active as soon as it starts, and its addresses may be the interface's only ones: were they taken
 * away first, the routes that hang on them would be gone. What it may answer is the filter's to say.
 */
static bool is_left_to_its_owner(const struct work *work, const struct work_unit *unit)
{
    const struct instance_settings *instance = work->config->core.pools[unit->pool].units[unit->unit].instance;

    return !unit->ordered && instance && instance->priority == VRRP_PRIORITY_OWNER;
}

/* The kernel did not let us close the filter for it: then its addresses may not come, nor stay. */
static bool cannot_be_closed(const struct work *work, const struct work_unit *unit)
{
    const struct work_pool *pool = &work->pools[unit->pool];

    return pool->mode != FILTER_OFF && unit->wanted != LEVEL_ANSWERING && (unit->open || !pool->installed);
}

static void want_addresses(struct work *work)
{
    for (unsigned i = 0; i < work->state.vip_count; i++)
        if (work->state.vips[i].pool == STATE_STATIC) {
            work->state.vips[i].wanted = !work->state.vips[i].dropped;
            work->state.vips[i].awaited = true;
        }
    for (unsigned p = 0; p < work_pool_count(work); p++) {
        bool resident = work_pool_resident(work, p);

        for (unsigned i = 0; i < work->pools[p].unit_count; i++) {
            const struct work_unit *unit = &work->units[work->pools[p].first_unit + i];
            bool held = unit->wanted >= LEVEL_READY && !cannot_be_closed(work, unit),
                 left = is_left_to_its_owner(work, unit);

            for (unsigned v = 0; v < unit->vip_count; v++) {
                struct state_vip *vip = &work->state.vips[unit->first_vip + v];

                vip->wanted = (resident || held || (left && vip->present)) && !vip->dropped;
                vip->awaited = vip->dropped || (held ? work_vip_counts(work, unit, v) : !work_unit_closed(work, unit));
            }
        }
    }
}

/* Up to a slice of that part's changes; their number. */
static unsigned change_part(struct work *work, enum state_part part)
{
    unsigned count = state_changes(&work->state, part, work->changes, work->changes_of, SLICE);
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
    return count;
}

/* What nobody waits for is not done in a pass that somebody waits for. */
static void change_addresses(struct work *work, bool ordered, struct mono now)
{
    unsigned awaited = change_part(work, STATE_AWAITED);

    if (awaited == 0 && !ordered)
        (void)change_part(work, STATE_UNHURRIED);
    if (awaited == SLICE)
        work->slice_at = now;
    else if (state_changes(&work->state, STATE_UNHURRIED, work->changes, work->changes_of, 1) > 0)
        work->slice_at = mono_add(now, PAUSE_US);
    else
        work->slice_at = MONO_NEVER;
}

static void all_filters(struct work *work, struct mono now)
{
    for (unsigned p = 0; p < work_pool_count(work); p++)
        work_filter_pool(work, p, now);
}

/* What failed now is tried again later; in between, news about other things must not bring it up each time. */
static void hold_failures_back(struct work *work, bool back)
{
    for (unsigned i = 0; i < work->state.vip_count; i++)
        work->state.vips[i].held_back = back && work->state.vips[i].error != 0;
    for (unsigned p = 0; p < work_pool_count(work); p++)
        work->pools[p].held_back = back && work->pools[p].error != 0;
    policy_hold_back(work, back);
    macvlan_hold_back(work, back);
}

static void reconcile(struct work *work, bool ordered, struct mono now)
{
    if (mono_due(now, work->retry_at)) {
        hold_failures_back(work, false);
        work->retry_at = MONO_NEVER;
    }
    choose_filters(work, now);
    all_filters(work, now);
    work_report_closed(work);
    macvlan_reconcile(work);
    want_addresses(work);
    work_macs(work, false);
    work_link_settings(work);
    policy_look(work);
    policy_remove(work);
    change_addresses(work, ordered, now);
    policy_put(work);
    all_filters(work, now);
    work_remove_stale(work);
    state_check(&work->state);
    if (work->failed)
        hold_failures_back(work, true);
    if (work->failed && mono_is_never(work->retry_at)) {
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
    work_read_news(work);
    bool quiet = mono_after(work->quiet_until, now);

    if (!work->orders && !mono_due(now, work->slice_at) && (quiet || !mono_is_never(work->slice_at)))
        return mono_min(work->slice_at, quiet ? work->quiet_until : MONO_NEVER);
    bool ordered = work->orders;

    work->orders = false;
    reconcile(work, ordered, now);
    work_reports(work);
    if (!ordered && work->changed && mono_is_never(work->slice_at))
        work->quiet_until = mono_add(now, QUIET_US);
    return mono_min(work->retry_at, work->slice_at);
}

/* `closed`: nobody waits, the addresses answer nothing. */
static int remove_addresses(struct work *work, bool closed)
{
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
    unsigned tries = LEAVE_TRIES + STATE_CHANGES_MAX * work->state.vip_count / SLICE;

    while (tries-- > 0) {
        work_read_news(work);
        if (work->resync)
            continue;
        unsigned count = state_changes(&work->state, STATE_REMOVE_ALL, work->changes, work->changes_of, SLICE);

        if (count == 0)
            return 0;
        if (closed)
            nanosleep(&pause, NULL);
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

    for (unsigned p = 0; p < work_pool_count(work); p++)
        closed &= filter_close_table(work->filter, work->config->core.pools[p].name, work_by_link(work, p)) == 1;
    return closed;
}

int work_leave(struct work *work)
{
    work->leaving = true;
    bool closed = work_close(work) == 1;

    for (unsigned i = 0; i < work->state.vip_count; i++)
        work->state.vips[i].wanted = false;
    /* The first pass may not have been: links must be known before routes. */
    work_read_news(work);
    policy_look(work);
    policy_remove(work);
    for (unsigned tries = LEAVE_TRIES; tries > 0 && !macvlan_leave(work); tries--)
        work_read_news(work);
    int error = remove_addresses(work, closed);

    work_macs(work, true);
    /* Better a closed filter that is left than an address that answers. */
    for (unsigned p = 0; p < work_pool_count(work) && error == 0; p++)
        error = filter_remove_table(work->filter, work->config->core.pools[p].name);
    for (unsigned i = 0; i < work->stale_count && error == 0; i++) /* of a reload a moment ago */
        error = filter_remove_table(work->filter, work->stale[i]);
    return error;
}
