/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host asks the LAN without being told to: who else has the addresses that it holds (audit.h), and whether
 * its third parties are still there (thirdparty.h), so that their silence means something when it counts, and who has
 * its own address when somebody speaks from it (rival.h). A few frames
 * a second, behind all advertisements of the turn. It owns no state but the times in worker.h. Called by worker_turn.c.
 */
#include "daemon/worker.h"
#include "platform/frame.h"

struct asking {
    struct worker *worker;
    struct packet_port *port;
    struct mono now;
};

static bool is_held(void *context, unsigned pool, unsigned unit)
{
    const struct asking *asking = context;

    return asking->worker->pools[pool].units[unit].level == LEVEL_ANSWERING;
}

static void queue_question(void *context, const uint8_t *frame, size_t length)
{
    const struct asking *asking = context;

    packet_queue(asking->port, frame, length);
    asking->worker->queued_since = mono_min(asking->worker->queued_since, asking->now);
}

static void ask_for_vip(void *context, unsigned pool, unsigned unit, unsigned index)
{
    struct asking *asking = context;
    const struct config_vip *vip = &asking->worker->config->pools[pool].units[unit].vips[index];
    const struct worker_link *link = &asking->worker->links[vip->link];
    bool ipv4 = vip->address.family == FAMILY_IPV4;
    uint8_t frame[FRAME_MAX];

    if (link->port == NULL)
        return;
    size_t length = frame_probe(link->state.mac, ipv4 ? &link->state.primary_ipv4 : &link->state.primary_ipv6,
                                &vip->address, frame, sizeof(frame));

    asking->port = link->port;
    if (length > 0)
        queue_question(asking, frame, length);
}

/* Once for each link, with the targets of the first pool on it that cares. */
static void ask_third_parties(struct worker *worker, struct mono now)
{
    uint32_t asked = 0;

    for (unsigned p = 0; p < worker->config->core.pool_count; p++) {
        const struct pool_settings *settings = &worker->config->core.pools[p];
        const struct config_pool *pool = &worker->config->pools[p];
        struct asking asking = {.worker = worker, .port = worker->links[settings->link].port, .now = now};

        if (!settings->isolation_check || asking.port == NULL || (asked >> settings->link & 1))
            continue;
        asked |= UINT32_C(1) << settings->link;
        (void)thirdparty_refresh(worker->thirdparty, settings->link, pool->targets, pool->target_count, now,
                                 queue_question, &asking);
    }
}

static void ask_for_rivals(struct worker *worker, struct mono now)
{
    uint8_t frame[FRAME_MAX];

    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        struct worker_link *link = &worker->links[i];
        struct asking asking = {.worker = worker, .port = link->port, .now = now};
        size_t length = link->port != NULL ? rival_ask(&link->rival, &link->state, now, frame) : 0;

        if (length > 0)
            queue_question(&asking, frame, length);
    }
}

struct mono background_ask(struct worker *worker, struct mono now)
{
    ask_for_rivals(worker, now);
    if (worker->leaving)
        return MONO_NEVER;
    struct asking asking = {.worker = worker, .now = now};
    struct mono next = audit_run(worker->audit, now, is_held, ask_for_vip, &asking);

    if (mono_due(now, worker->ask_next)) {
        bool late = mono_diff_us(now, worker->ask_next) > US_PER_S; /* a host that slept listens first */

        worker->ask_next = mono_add(now, late ? US_PER_S : THIRDPARTY_REFRESH_US);
        if (!late)
            ask_third_parties(worker, now);
    }
    return mono_min(next, worker->ask_next);
}
