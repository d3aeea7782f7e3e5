/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends what the watch plans and feeds it what arrives; knows which MAC is which host. Owns ports and watch. Called by
 * witness.c.
 */
#include "ctl/witness_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "platform/clock.h"

#define SLICE_FRAMES 48          /* about so many questions at once: bursts would fill the kernel's backlog */
#define LAG_US (120 * US_PER_MS) /* an answer that comes later does not count */

static int open_ports(struct witness_probe *probe)
{
    const struct witness_options *o = probe->options;

    for (; probe->port_open < o->port_count; probe->port_open++) {
        const unsigned i = probe->port_open;
        struct witness_port *port = &probe->ports[i];
        const int error = witness_port_open(port, o->ports[i].name);

        if (error < 0) {
            fprintf(stderr, "witness: cannot open interface %s: %s\n", o->ports[i].name,
                    error == -EPERM ? "CAP_NET_RAW is missing" : strerror(-error));
            return error == -EPERM ? EX_NOPERM : EX_NOINPUT;
        }
        if (!addr_is_none(&o->ports[i].source_ipv4))
            port->ipv4 = o->ports[i].source_ipv4;
        if (!addr_is_none(&o->ports[i].source_ipv6))
            port->ipv6 = o->ports[i].source_ipv6;
    }
    return EX_OK;
}

static const struct addr *source_for(const struct witness_port *port, const struct addr *target)
{
    if (target->family == FAMILY_IPV4)
        return &port->ipv4;
    return addr_is_link_local(target) || addr_is_none(&port->ipv6) ? &port->link_local : &port->ipv6;
}

static int check_sources(const struct witness_probe *probe)
{
    for (unsigned i = 0; i < probe->options->vip_count; i++) {
        const struct witness_target *vip = &probe->options->vips[i];
        const struct witness_port *port = &probe->ports[vip->port];

        if (addr_is_none(source_for(port, &vip->address))) {
            fprintf(stderr, "witness: interface %s has no %s address to ask from; give --source\n", port->name,
                    vip->address.family == FAMILY_IPV4 ? "IPv4" : "IPv6");
            return EX_NOINPUT;
        }
    }
    return EX_OK;
}

static void choose_slices(struct witness_probe *probe)
{
    const struct witness_options *o = probe->options;
    const unsigned frames = o->vip_count * (1 + o->host_count / o->listen_every);
    const unsigned most = (unsigned)(o->interval_us / US_PER_MS);

    probe->slices = frames / SLICE_FRAMES + 1;
    if (probe->slices > most)
        probe->slices = most;
    probe->tick_us = o->interval_us / probe->slices;
}

static int open_watch(struct witness_probe *probe, witness_event_sink *sink, void *context)
{
    const struct witness_options *o = probe->options;
    const struct witness_settings settings = {
        .vip_count = o->vip_count,
        .interval_us = o->interval_us,
        .listen_every = o->listen_every,
        .ask_every = o->ask_every,
        .retry_us = o->retry_us,
        .lag_us = LAG_US,
    };

    if (witness_watch_open(&probe->watch, &settings, sink, context) < 0) {
        fputs("witness: out of memory\n", stderr);
        return EX_OSERR;
    }
    witness_watch_mark(&probe->watch, "start", probe->started, 0);
    return EX_OK;
}

int witness_probe_open(struct witness_probe *probe, struct witness_options *options, witness_event_sink *sink,
                       void *context)
{
    *probe = (struct witness_probe){.options = options, .started = clock_now()};
    if (getrandom(&probe->nonce, sizeof(probe->nonce), GRND_NONBLOCK) != sizeof(probe->nonce))
        probe->nonce = (uint32_t)probe->started.us;
    choose_slices(probe);
    int code = open_ports(probe);

    if (code == EX_OK)
        code = check_sources(probe);
    if (code == EX_OK)
        code = open_watch(probe, sink, context);
    if (code != EX_OK)
        witness_probe_close(probe);
    return code;
}

void witness_probe_close(struct witness_probe *probe)
{
    for (unsigned i = 0; i < probe->port_open; i++)
        witness_port_close(&probe->ports[i]);
    probe->port_open = 0;
    witness_watch_close(&probe->watch);
}

static void queue_echo(struct witness_port *port, struct witness_ends *ends, const uint8_t mac[6],
                       const struct witness_tag *tag)
{
    memcpy(ends->target_mac, mac, 6);
    witness_port_queued(port, witness_frame_echo(witness_port_next(port), ends, tag));
}

static void send_round(struct witness_probe *probe, unsigned vip)
{
    const struct witness_options *o = probe->options;
    const struct witness_target *target = &o->vips[vip];
    struct witness_port *port = &probe->ports[target->port];
    struct witness_ends ends = {.source = *source_for(port, &target->address), .target = target->address};
    struct witness_plan plan;

    memcpy(ends.source_mac, port->mac, 6);
    witness_watch_plan(&probe->watch, vip, clock_now(), &plan);
    struct witness_tag tag = {
        .nonce = probe->nonce, .round = plan.round, .vip = (uint16_t)vip, .host = WITNESS_TAG_CLIENT};

    if (plan.client)
        queue_echo(port, &ends, plan.client_mac, &tag);
    for (unsigned i = 0; plan.listen && i < o->host_count; i++) {
        tag.host = (uint8_t)i;
        if (o->hosts[i].known[target->port])
            queue_echo(port, &ends, o->hosts[i].mac[target->port], &tag);
    }
    if (plan.ask)
        witness_port_queued(port, witness_frame_ask(witness_port_next(port), &ends));
    witness_port_flush(port);
}

void witness_probe_tick(struct witness_probe *probe)
{
    for (unsigned i = probe->slice; i < probe->options->vip_count; i += probe->slices)
        send_round(probe, i);
    probe->slice = (probe->slice + 1) % probe->slices;
    witness_probe_receive(probe);
}

static int learn_host(struct witness_options *o, unsigned port, const uint8_t mac[6])
{
    if (o->ports[port].hosts_given || o->host_count == WITNESS_HOSTS_MAX)
        return WITNESS_HOST_NONE;
    struct witness_host *host = &o->hosts[o->host_count];

    snprintf(host->name, sizeof(host->name), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    host->known[port] = true;
    memcpy(host->mac[port], mac, 6);
    return (int)o->host_count++;
}

static int find_host(struct witness_options *o, unsigned port, const uint8_t mac[6])
{
    if (witness_frame_mac_is_virtual(mac))
        return WITNESS_VOICE_VIRTUAL;
    for (unsigned i = 0; i < o->host_count; i++) {
        if (o->hosts[i].known[port] && memcmp(o->hosts[i].mac[port], mac, 6) == 0)
            return (int)i;
    }
    return learn_host(o, port, mac);
}

struct arrival {
    struct witness_probe *probe;
    unsigned port;
};

static void take_claim(struct witness_probe *probe, unsigned port, const struct witness_seen *seen,
                       struct mono received)
{
    struct witness_options *o = probe->options;

    for (unsigned i = 0; i < o->vip_count; i++) {
        if (o->vips[i].port == port && addr_equal(&o->vips[i].address, &seen->address)) {
            witness_watch_claim(&probe->watch, i, seen, find_host(o, port, seen->mac), received);
            return;
        }
    }
}

static void take_frame(void *context, const uint8_t *frame, size_t length, struct mono received)
{
    const struct arrival *arrival = context;
    struct witness_seen seen;

    witness_frame_read(frame, length, &seen);
    if (seen.kind == WITNESS_SEEN_ECHO) {
        if (seen.tag.nonce == arrival->probe->nonce)
            witness_watch_echo(&arrival->probe->watch, &seen.tag, received);
    } else if (seen.kind != WITNESS_SEEN_OTHER) {
        take_claim(arrival->probe, arrival->port, &seen, received);
    }
}

void witness_probe_receive(struct witness_probe *probe)
{
    for (unsigned i = 0; i < probe->port_open; i++)
        witness_port_receive(&probe->ports[i], take_frame, &(struct arrival){.probe = probe, .port = i});
}

uint64_t witness_probe_dropped(struct witness_probe *probe)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < probe->port_open; i++) {
        witness_port_count_drops(&probe->ports[i]);
        sum += probe->ports[i].dropped;
    }
    return sum;
}
