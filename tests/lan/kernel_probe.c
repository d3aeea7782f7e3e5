/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hand on platform/kernel.h for LAN tests: one pool with a configuration built here, commands on standard input,
 * reports and answers on standard output, one line each. Run by test_kernel.py inside a namespace of its own; it holds
 * no expectations.
 *
 *   kernel_probe INTERFACE [ipv4=N] [ipv6=N] [filter=auto|off|on|lease] [mode=add|resident] [member_ms=N] [vmac]
 *                [second=INTERFACE]
 *
 * Unit i < ipv4 is 10.66.1.1 + i (/16), the others fd66::1:1 + i (/64); with `second` unit 0 also has 10.67.1.1/16
 * there.
 *
 * With set=LEASE_MS the units are instances in a set: see kernel_probe_set.c for the words and what they mean.
 *
 *   kernel_probe INTERFACE send=N source=IPV4 target=IPV4: no pool; sends N small UDP frames, prints `cost NANOSECONDS`
 *
 *   want FIRST LAST LEVEL   orders (absent, ready, answering) for a range of units in one batch; `done COUNT MS ERRORS`
 *   arm                     prints `armed MS`
 *   beat MS                 sends the member's advertisement every MS from now on; 0: no more
 *   advert PRIORITY COUNT   sends one, with as many addresses (all our own); 0: with that of a unit
 *   uadvert UNIT PRIORITY, ubeat FIRST LAST MS: the same of instances
 *   pause | resume          for a reload that keeps unit 0 only, until `paused` comes | calls it off
 *   quit | close            leaves as it is | kernel_close; prints `closed ERROR`
 *
 * With the argument `clean` it only does kernel_clean_begin, _remove and _end, as the guard would: prints `cleaned
 * RESULT MS`. With `layouts` it tries all tables (kernel_probe_layouts.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "core/wire.h"
#include "kernel_probe.h"
#include "platform/clock.h"
#include "platform/frame.h"
#include "platform/kernel.h"
#include "platform/realtime.h"

#define WAIT_US (20 * US_PER_S)

struct probe {
    struct config config;
    struct config_pool pool;
    struct pool_settings settings;
    struct probe_units made;
    char links[2][CONFIG_INTERFACE_MAX];
    struct kernel *kernel;
    struct kernel_link states[2];   /* of both links */
    unsigned beat_first, beat_last; /* of a set */
    int packet_fd;
    int64_t beat_us;
    struct mono next_beat;
    uint32_t sequence;
    unsigned done, wanted_done, errors;
    uint32_t first_sequence;
    bool armed, paused;
};

static struct config_vip make_vip(enum family family, unsigned i, unsigned link)
{
    struct config_vip vip = {.address.family = (uint8_t)family, .link = (uint8_t)link};
    unsigned number = i + 1;

    if (family == FAMILY_IPV4) {
        const uint8_t ipv4[4] = {10, (uint8_t)(66 + link), 1, (uint8_t)number};

        memcpy(vip.address.bytes, ipv4, sizeof(ipv4));
        vip.prefix_length = 16;
    } else {
        const uint8_t ipv6[16] = {0xfd, 0x66, [13] = 1, [15] = (uint8_t)number};

        memcpy(vip.address.bytes, ipv6, sizeof(ipv6));
        vip.prefix_length = 64;
    }
    return vip;
}

static void make_units(struct probe *probe, unsigned ipv4, unsigned ipv6)
{
    struct config_vip *next = probe->made.vips;

    CHECK(ipv4 + ipv6 <= UNITS_MAX);
    for (unsigned i = 0; i < ipv4 + ipv6; i++) {
        probe->made.units[i].vips = next;
        *next++ = make_vip(i < ipv4 ? FAMILY_IPV4 : FAMILY_IPV6, i, 0);
        if (i == 0 && probe->config.core.link_count == 2 && !set_wanted())
            *next++ = make_vip(FAMILY_IPV4, 0, 1);
        probe->made.units[i].vip_count = (unsigned)(next - probe->made.units[i].vips);
        probe->made.settings[i] = (struct unit_settings){.vrid = (uint8_t)(i + 1)};
    }
    probe->settings.unit_count = (uint16_t)(ipv4 + ipv6);
    probe->settings.family = ipv4 > 0 ? FAMILY_IPV4 : FAMILY_IPV6;
}

static unsigned filter_of(const char *word)
{
    static const char *const names[] = {
        [FILTER_AUTO] = "auto", [FILTER_OFF] = "off", [FILTER_ON] = "on", [FILTER_LEASE] = "lease"};

    for (unsigned i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(word, names[i]) == 0)
            return i;
    return FILTER_AUTO;
}

static void make_config(struct probe *probe, int argc, char **argv)
{
    unsigned ipv4 = 3, ipv6 = 0;
    char word[32];

    probe->config = (struct config){.core = {.pool_count = 1, .link_count = 1, .pools = &probe->settings},
                                    .pools = &probe->pool,
                                    .links = probe->links};
    snprintf(probe->settings.name, sizeof(probe->settings.name), "probe");
    snprintf(probe->links[0], sizeof(probe->links[0]), "%s", argv[1]);
    probe->settings.member_interval_us = 250 * US_PER_MS;
    probe->pool.units = probe->made.units;
    probe->settings.units = probe->made.settings;
    for (int i = 2; i < argc; i++) {
        unsigned number;

        (void)set_take_word(argv[i]);
        if (sscanf(argv[i], "ipv4=%u", &number) == 1) {
            ipv4 = number;
        } else if (sscanf(argv[i], "ipv6=%u", &number) == 1) {
            ipv6 = number;
        } else if (sscanf(argv[i], "member_ms=%u", &number) == 1) {
            probe->settings.member_interval_us = (int64_t)number * US_PER_MS;
        } else if (sscanf(argv[i], "filter=%31s", word) == 1) {
            probe->pool.filter_mode = (uint8_t)filter_of(word);
        } else if (sscanf(argv[i], "mode=%31s", word) == 1) {
            probe->pool.address_mode = strcmp(word, "resident") == 0 ? ADDRESS_RESIDENT : ADDRESS_ADD;
        } else if (sscanf(argv[i], "second=%15s", probe->links[1]) == 1) {
            probe->config.core.link_count = 2;
        } else if (strcmp(argv[i], "vmac") == 0) {
            probe->pool.use_vmac = true;
        }
    }
    make_units(probe, ipv4, ipv6);
    if (set_wanted())
        set_make(&probe->config, &probe->made);
}

static void print_link(const struct kernel_report *report)
{
    char ipv4[ADDR_TEXT_MAX], ipv6[ADDR_TEXT_MAX], gateway[ADDR_TEXT_MAX];

    printf("link %u present=%d up=%d ifindex=%d mtu=%u ipv4=%s ipv6=%s gateway=%s\n", report->link,
           report->state.present, report->state.up, report->state.ifindex, report->state.mtu,
           addr_format(&report->state.primary_ipv4, ipv4), addr_format(&report->state.primary_ipv6, ipv6),
           addr_format(&report->state.gateway_ipv4, gateway));
}

static void take_report(struct probe *probe, const struct kernel_report *report)
{
    static const char *const modes[] = {
        [FILTER_AUTO] = "auto", [FILTER_OFF] = "off", [FILTER_ON] = "on", [FILTER_LEASE] = "lease"};

    switch ((enum kernel_report_kind)report->kind) {
    case KERNEL_LEVEL_DONE:
        if (report->sequence < probe->first_sequence || probe->done == probe->wanted_done)
            printf("late %u %s\n", report->unit, strerrorname_np(report->error) ? strerrorname_np(report->error) : "0");
        probe->done += report->sequence >= probe->first_sequence && probe->done < probe->wanted_done;
        probe->errors += report->error != 0;
        break;
    case KERNEL_ARMED:
        probe->armed = true;
        break;
    case KERNEL_LINK:
        probe->states[report->link] = report->state;
        print_link(report);
        break;
    case KERNEL_RESTORED:
        printf("restored %d\n", report->unit == EFFECT_NO_UNIT ? -1 : (int)report->unit);
        break;
    case KERNEL_OVERRUN:
        printf("overrun\n");
        break;
    case KERNEL_PAUSED: /* only reloads ask for it */
        probe->paused = true;
        printf("paused\n");
        break;
    case KERNEL_POLICY:
        printf("policy %s %s\n", report->error ? strerrorname_np(report->error) : "0", report->text);
        break;
    case KERNEL_VMAC:
        printf("vmac %s %s\n", report->error ? strerrorname_np(report->error) : "0", report->text);
        break;
    case KERNEL_FILTER:
        printf("filter %s: %s\n", modes[report->filter_mode], report->text);
        break;
    }
}

static void take_reports(struct probe *probe)
{
    struct kernel_report report;

    while (kernel_next(probe->kernel, &report))
        take_report(probe, &report);
    fflush(stdout);
}

static bool send_frame(const struct probe *probe, const struct kernel_link *state, const uint8_t *frame, size_t length)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = state->ifindex, .sll_halen = 6};

    /* ENOBUFS: the hook dropped it. */
    if (length > 0 &&
        (sendto(probe->packet_fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)) >= 0 || errno == ENOBUFS))
        return true;
    printf("unsent %s\n", strerrorname_np(errno));
    return false;
}

static void send_advert(struct probe *probe, unsigned priority, unsigned count)
{
    enum family family = (enum family)probe->settings.family;
    const struct kernel_link *state = &probe->states[0];
    const struct addr *self = family == FAMILY_IPV4 ? &state->primary_ipv4 : &state->primary_ipv6;
    const struct addr addresses[2] = {count > 0 ? *self : probe->made.vips[0].address, *self};
    const struct advert advert = {
        .source = *self,
        .destination = wire_group(family),
        .version = 3,
        .vrid = 251,
        .priority = (uint8_t)priority,
        .checksum = family == FAMILY_IPV4 ? WIRE_CHECKSUM_PLAIN : WIRE_CHECKSUM_PSEUDO,
        .interval_us = (uint32_t)probe->settings.member_interval_us,
        .address_count = (uint8_t)(count > 0 ? count : 1),
        .addresses = addresses,
    };
    uint8_t packet[WIRE_PACKET_MAX], frame[FRAME_MAX];
    size_t length = wire_encode(&advert, packet, sizeof(packet));

    CHECK(count <= ARRAY_LENGTH(addresses));
    length = length == 0 ? 0 : frame_vrrp(state->mac, packet, length, frame, sizeof(frame));
    if (send_frame(probe, state, frame, length))
        kernel_spoke(probe->kernel, 0, clock_now());
}

static void send_unit_advert(struct probe *probe, unsigned unit, unsigned priority)
{
    const struct kernel_link *state = &probe->states[probe->made.settings[unit].link];
    uint8_t frame[FRAME_MAX];
    size_t length = set_advert(&probe->config, unit, state, priority, frame, sizeof(frame));

    if (send_frame(probe, state, frame, length) && priority > 0)
        kernel_unit_spoke(probe->kernel, 0, unit, clock_now());
}

static void beat(struct probe *probe)
{
    if (!set_wanted())
        send_advert(probe, 100, 1);
    for (unsigned i = probe->beat_first; set_wanted() && i <= probe->beat_last; i++)
        send_unit_advert(probe, i, 100);
}

/* Beats and takes reports until `fd` is readable or `until` has come. */
static void run(struct probe *probe, int fd, struct mono until, const bool *flag)
{
    struct pollfd fds[] = {{.fd = kernel_fd(probe->kernel), .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    for (;;) {
        struct mono now = clock_now();

        if (mono_due(now, probe->next_beat)) {
            beat(probe);
            probe->next_beat = mono_add(now, probe->beat_us);
        }
        if (mono_due(now, until) || (flag && *flag) || (!flag && fd < 0 && probe->done == probe->wanted_done))
            return;
        struct mono next = mono_min(until, probe->next_beat);
        int64_t left_us = mono_is_never(next) ? US_PER_S : mono_diff_us(next, now);

        poll(fds, 2, (int)(left_us / US_PER_MS) + (left_us > 0));
        if (fds[0].revents)
            take_reports(probe);
        if (fds[1].revents)
            return;
    }
}

static void want(struct probe *probe, unsigned first, unsigned last, const char *word)
{
    enum unit_level level = strcmp(word, "answering") == 0 ? LEVEL_ANSWERING
                            : strcmp(word, "ready") == 0   ? LEVEL_READY
                                                           : LEVEL_ABSENT;
    struct mono start = clock_now();

    probe->first_sequence = probe->sequence + 1;
    probe->done = probe->errors = 0;
    probe->wanted_done = last - first + 1;
    for (unsigned i = first; i <= last; i++)
        kernel_want(probe->kernel, 0, i, level, ++probe->sequence);
    kernel_commit(probe->kernel);
    run(probe, -1, mono_add(start, WAIT_US), NULL);
    printf("done %u %.3f %u\n", probe->done, (double)mono_diff_us(clock_now(), start) / US_PER_MS, probe->errors);
}

static void arm(struct probe *probe)
{
    struct mono start = clock_now();

    probe->armed = false;
    kernel_arm(probe->kernel, 0, ++probe->sequence);
    kernel_commit(probe->kernel);
    run(probe, -1, mono_add(start, WAIT_US), &probe->armed);
    printf("armed %.3f\n", (double)mono_diff_us(clock_now(), start) / US_PER_MS);
}

static void pause_kernel(struct probe *probe)
{
    struct kernel_next *next;
    struct handover map;

    memset(&map, 0xff, sizeof(map)); /* HANDOVER_NONE */
    map.old_pool[0] = map.old_unit[0][0] = 0;
    CHECK(kernel_prepare(&probe->config, &map, &next) == 0);
    kernel_pause(probe->kernel, next);
    run(probe, -1, mono_add(clock_now(), WAIT_US), &probe->paused);
}

static void clean(const struct probe *probe)
{
    struct mono start = clock_now();
    struct kernel_rest *rest;
    int removed = kernel_clean_begin(&probe->config, 1, &rest);

    if (rest)
        removed = kernel_clean_remove(rest);
    printf("cleaned %d %.3f\n", removed, (double)mono_diff_us(clock_now(), start) / US_PER_MS);
    kernel_clean_end(rest);
}

/* False at the end. */
static bool command(struct probe *probe, const char *line)
{
    unsigned first, last, ms;
    char word[16];

    if (sscanf(line, "want %u %u %15s", &first, &last, word) == 3) {
        want(probe, first, last, word);
    } else if (strncmp(line, "arm", 3) == 0) {
        arm(probe);
    } else if (sscanf(line, "beat %u", &first) == 1) {
        probe->beat_us = (int64_t)first * US_PER_MS;
        probe->next_beat = first ? clock_now() : MONO_NEVER;
    } else if (sscanf(line, "ubeat %u %u %u", &first, &last, &ms) == 3) {
        probe->beat_first = first;
        probe->beat_last = last;
        probe->beat_us = (int64_t)ms * US_PER_MS;
        probe->next_beat = ms ? clock_now() : MONO_NEVER;
    } else if (sscanf(line, "uadvert %u %u", &first, &last) == 2) {
        send_unit_advert(probe, first, last);
    } else if (sscanf(line, "advert %u %u", &first, &last) == 2) {
        send_advert(probe, first, last);
    } else if (strncmp(line, "pause", 5) == 0) {
        pause_kernel(probe);
    } else if (strncmp(line, "resume", 6) == 0) {
        kernel_resume(probe->kernel);
    } else if (strncmp(line, "close", 5) == 0) {
        printf("closed %d\n", kernel_close(probe->kernel, 5000));
        return false;
    } else if (strncmp(line, "quit", 4) == 0) {
        return false;
    }
    fflush(stdout);
    return true;
}

/* An Ethernet frame to nobody's MAC: it passes the hooks of both ends and is dropped right after them. */
static size_t make_frame(const char *source, const char *target, uint8_t *frame)
{
    static const uint8_t head[] = {2, 0,    0, 0, 0,  99, 2, 0, 0, 0,  0,  98, 8,
                                   0, 0x45, 0, 0, 46, 0,  0, 0, 0, 64, 17, 0,  0};

    memset(frame, 0, 60);
    memcpy(frame, head, sizeof(head));
    CHECK(inet_pton(AF_INET, source, frame + 26) == 1 && inet_pton(AF_INET, target, frame + 30) == 1);
    return 60;
}

static void send_many(int fd, const char *interface, unsigned count, const char *source, const char *target)
{
    uint8_t frame[64];
    struct iovec part = {.iov_base = frame, .iov_len = make_frame(source, target, frame)};
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface), .sll_protocol = htons(ETH_P_IP)};
    struct mmsghdr messages[64];
    struct timespec before, after;

    for (unsigned i = 0; i < ARRAY_LENGTH(messages); i++)
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &part, .msg_iovlen = 1};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned sent = 0; sent < count; sent += ARRAY_LENGTH(messages))
        CHECK(sendmmsg(fd, messages, ARRAY_LENGTH(messages), 0) > 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    printf("cost %.1f\n",
           ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec)) / count);
}

int main(int argc, char **argv)
{
    static struct probe probe = {.next_beat = {INT64_MAX}};
    char line[128];
    unsigned count;

    if (argc < 2)
        return 64;
    if (argc == 5 && sscanf(argv[2], "send=%u", &count) == 1) {
        send_many(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), argv[1], count, strchr(argv[3], '=') + 1,
                  strchr(argv[4], '=') + 1);
        return 0;
    }
    if (strcmp(argv[argc - 1], "layouts") == 0) {
        layouts_try();
        return 0;
    }
    make_config(&probe, argc, argv);
    if (strcmp(argv[argc - 1], "clean") == 0) {
        clean(&probe);
        return 0;
    }
    realtime_thread(REALTIME_PRIORITY); /* its beats come at their time, as the daemon's do */
    probe.packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    int error = probe.packet_fd < 0 ? -errno : kernel_open(&probe.config, 1, &probe.kernel);

    if (error < 0) {
        printf("failed %s\n", strerrorname_np(-error));
        return 1;
    }
    /* Unbuffered, or poll() would not see the lines that stdio already took. */
    setvbuf(stdin, NULL, _IONBF, 0);
    do
        run(&probe, STDIN_FILENO, MONO_NEVER, NULL);
    while (fgets(line, sizeof(line), stdin) && command(&probe, line));
    fflush(stdout);
    return 0;
}
