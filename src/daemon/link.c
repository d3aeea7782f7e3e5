/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces as the kernel reports them: a packet port while the interface is there, and EVENT_LINK for the core. It
 * owns the ports. An interface that is deleted and made again has another index: the old port is dead then and a new
 * one is opened. Called by worker.c.
 */
#include <errno.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/worker.h"

#define OPEN_AGAIN_US US_PER_S

static void on_readable(void *context)
{
    struct worker_link *link = context;

    link->readable = true;
}

static void close_port(struct worker *worker, struct worker_link *link)
{
    loop_unwatch(link->watch);
    link->watch = NULL;
    if (link->port != NULL) {
        packet_add_stats(link->port, &worker->past); /* counters never go back */
        packet_close(link->port);
    }
    link->port = NULL;
    link->port_ifindex = 0;
    link->send_errors = 0;
    link->readable = false;
}

static int open_port(struct worker *worker, struct worker_link *link)
{
    int error = packet_open(link->state.ifindex, &link->port);

    if (error < 0) {
        link->port = NULL;
        return error;
    }
    error = loop_watch(worker->loop, packet_fd(link->port), on_readable, link, &link->watch);
    if (error < 0) {
        close_port(worker, link);
        return error;
    }
    link->port_ifindex = link->state.ifindex;
    return 0;
}

/* Of an instance that listens on the link to a group of its own: that group; else ADDR_NONE. */
static struct addr group_of(const struct unit_settings *unit, unsigned link)
{
    return unit->link == link && !unit->instance->unicast ? unit->instance->group_address : ADDR_NONE;
}

struct wanted_groups {
    const struct core_settings *core;
    unsigned link;
};

static bool is_group_wanted(void *context, const struct addr *group)
{
    const struct wanted_groups *wanted = context;

    for (unsigned p = wanted->core->pool_count; p < settings_all_count(wanted->core); p++)
        for (unsigned u = 0; u < wanted->core->pools[p].unit_count; u++) {
            const struct addr other = group_of(&wanted->core->pools[p].units[u], wanted->link);

            if (addr_equal(&other, group))
                return true;
        }
    return false;
}

/* Groups of instances that have one of their own; those of instances that are gone are left. */
static void join_groups(const struct worker *worker, unsigned index)
{
    struct wanted_groups wanted = {.core = &worker->config->core, .link = index};
    const struct worker_link *link = &worker->links[index];
    char text[ADDR_TEXT_MAX];

    packet_leave_groups(link->port, is_group_wanted, &wanted);
    for (unsigned p = wanted.core->pool_count; p < settings_all_count(wanted.core); p++) {
        for (unsigned u = 0; u < wanted.core->pools[p].unit_count; u++) {
            const struct unit_settings *unit = &wanted.core->pools[p].units[u];
            const struct addr group = group_of(unit, index);
            int error = addr_is_none(&group) ? 0 : packet_join_group(link->port, &group);

            if (error < 0)
                log_error("%s: %s cannot be joined, instance %s hears nobody: %s", worker->config->links[index],
                          addr_format(&group, text), unit->instance->name, strerror(-error));
        }
    }
}

/* Brings the port in step with the interface; what could not be joined is tried again. */
static void update_port(struct worker *worker, unsigned index, struct mono now)
{
    struct worker_link *link = &worker->links[index];
    int error;

    link->open_next = MONO_NEVER;
    if (link->port != NULL && (!link->state.present || link->state.ifindex != link->port_ifindex))
        close_port(worker, link);
    if (link->port != NULL) {
        packet_join(link->port, FAMILY_IPV4);
        packet_join(link->port, FAMILY_IPV6);
        join_groups(worker, index);
    }
    if (link->port != NULL || !link->state.present)
        return;
    error = open_port(worker, link);
    if (error == 0) {
        link->open_failed = false;
        join_groups(worker, index);
        return;
    }
    link->open_next = mono_add(now, OPEN_AGAIN_US);
    if (!link->open_failed)
        log_error("%s: no packet socket: %s%s; trying again every second", worker->config->links[index],
                  strerror(-error), error == -EPERM ? " (CAP_NET_RAW is missing)" : "");
    link->open_failed = true;
}

/* Who gives way to a host that has the same address has none, as far as the core knows. */
static void tell_core(struct worker *worker, unsigned index, struct mono now)
{
    const struct worker_link *link = &worker->links[index];
    struct event event = {
        .kind = EVENT_LINK,
        .link = (uint8_t)index,
        .up = link->state.present && link->state.up && link->port != NULL,
        .closed = !link->state.present || !link->state.opened || link->port == NULL,
        .primary_ipv4 = link->rival.seen.yields ? ADDR_NONE : link->state.primary_ipv4,
        .primary_ipv6 = link->state.primary_ipv6,
        .now = now,
    };

    apply_step(worker, &event);
}

static void log_link(const struct worker *worker, unsigned index)
{
    const struct kernel_link *state = &worker->links[index].state;
    char ipv4[ADDR_TEXT_MAX];
    char ipv6[ADDR_TEXT_MAX];

    log_info("%s: %s, primary addresses %s and %s", worker->config->links[index],
             !state->present ? "not there"
             : state->up     ? "up"
                             : "down",
             addr_format(&state->primary_ipv4, ipv4), addr_format(&state->primary_ipv6, ipv6));
}

static bool same_state(const struct kernel_link *a, const struct kernel_link *b)
{
    return a->present == b->present && a->up == b->up && a->opened == b->opened && a->ifindex == b->ifindex &&
           memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && addr_equal(&a->primary_ipv4, &b->primary_ipv4) &&
           addr_equal(&a->primary_ipv6, &b->primary_ipv6);
}

void link_report(struct worker *worker, const struct kernel_report *report, struct mono now)
{
    struct worker_link *link = &worker->links[report->link];
    bool same = link->known && same_state(&link->state, &report->state);

    link->state = report->state;
    link->known = true;
    thirdparty_set_link(worker->thirdparty, report->link, &link->state);
    if (same)
        return;
    log_link(worker, report->link);
    update_port(worker, report->link, now);
    tell_core(worker, report->link, now);
}

static void log_rival(const struct worker *worker, unsigned index)
{
    const struct worker_link *link = &worker->links[index];
    const uint8_t *mac = link->rival.seen.mac;
    const char *name = worker->config->links[index];
    char text[ADDR_TEXT_MAX];

    addr_format(&link->state.primary_ipv4, text);
    if (link->rival.seen.yields)
        log_write(LOG_LEVEL_ERROR, "duplicate_address", NULL, 0,
                  "%s: %02x:%02x:%02x:%02x:%02x:%02x speaks VRRP from this host's own address %s: this host gives way, "
                  "it takes no part there until the other is gone",
                  name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], text);
    else
        log_notice("%s: nobody else speaks from %s any more, this host takes part again", name, text);
}

struct mono link_retry(struct worker *worker, struct mono now)
{
    struct mono next = MONO_NEVER;

    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        struct worker_link *link = &worker->links[i];

        if (mono_due(now, link->open_next)) {
            update_port(worker, i, now);
            if (link->port != NULL)
                tell_core(worker, i, now);
        }
        if (rival_changed(&link->rival, now, &next)) {
            log_rival(worker, i);
            tell_core(worker, i, now);
        }
        next = mono_min(next, link->open_next);
    }
    return next;
}

void link_close_all(struct worker *worker)
{
    for (unsigned i = 0; i < worker->config->core.link_count; i++)
        close_port(worker, &worker->links[i]);
}

void link_take_over(struct worker *worker, const struct handover *map, unsigned link_count)
{
    struct worker_link old[SETTINGS_LINKS_MAX];

    memcpy(old, worker->links, sizeof(old));
    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        loop_unwatch(old[i].watch);
        old[i].watch = NULL;
    }
    for (unsigned i = 0; i < SETTINGS_LINKS_MAX; i++) {
        struct worker_link *link = &worker->links[i];

        *link = (struct worker_link){.open_next = MONO_NEVER};
        if (i >= link_count || map->old_link[i] == HANDOVER_NONE)
            continue;
        *link = old[map->old_link[i]];
        old[map->old_link[i]].port = NULL;
        link->readable = true; /* as far as anybody knows */
        if (link->port != NULL &&
            loop_watch(worker->loop, packet_fd(link->port), on_readable, link, &link->watch) < 0) {
            close_port(worker, link);
            link->open_next = (struct mono){0};
        }
    }
    for (unsigned i = 0; i < worker->config->core.link_count; i++)
        close_port(worker, &old[i]);
}

void link_tell_all(struct worker *worker, struct mono now)
{
    for (unsigned i = 0; i < worker->config->core.link_count; i++) {
        if (worker->links[i].port != NULL)
            join_groups(worker, i); /* an instance may be new */
        if (worker->links[i].known)
            tell_core(worker, i, now);
    }
}
