/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port from the command line, for test_packet.py: sends frames of one kind, or receives and tells what came. Results
 * are one JSON object on standard output.
 *
 *   packet_probe send LINK COUNT vrrp|vrrp6|garp|na|arp-probe|ns-probe|vrrp-and-garp
 *   packet_probe receive LINK COUNT TIMEOUT_MS PAUSE_MS
 *       with packet_ip's sockets open prints "ready", sleeps PAUSE_MS, then reads until COUNT frames or the timeout
 *   packet_probe unicast LINK COUNT DESTINATION [any]
 *       by packet_ip_send() over the link, or any; prints its result
 *   packet_probe groups LINK [GROUP COUNT]
 *       prints "ready" and keeps the port open until standard input ends
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/frame.h"
#include "platform/packet.h"
#include "platform/packet_ip.h"

/* Version 3, VRID 1, priority 100, 10.77.0.50 and .51 from 10.77.0.1, both checksums right. */
static const uint8_t VRRP_IPV4[] = {
    0x45, 0xc0, 0x00, 0x24, 0x00, 0x00, 0x00, 0x00, 0xff, 0x70, 0xd0, 0x49, 10, 77, 0,  1,  224, 0,
    0,    18,   0x31, 0x01, 0x64, 0x02, 0x00, 0x64, 0x55, 0x99, 10,   77,   0,  50, 10, 77, 0,   51,
};

/* Version 3 over IPv6, fe80::50 from fe80::1; its checksum is left out, ports do not look at it. */
static const uint8_t VRRP_IPV6[] = {
    0x6c, 0x00, 0x00, 0x00, 0x00, 0x18, 0x70, 0xff, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0,
    0,    1,    0xff, 0x02, 0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0x12, 0x31, 0x01, 0x64, 0x01,
    0x00, 0x64, 0x00, 0x00, 0xfe, 0x80, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0,    0,    0x50,
};

static const char *const KIND_NAMES[] = {
    [FRAME_OTHER] = "other",
    [FRAME_VRRP] = "vrrp",
    [FRAME_ARP_REQUEST] = "arp_request",
    [FRAME_CLAIM] = "claim",
};

static int fail(const char *what, int error)
{
    fprintf(stderr, "packet_probe: %s: %s\n", what, strerror(-error));
    return 1;
}

static void read_mac(const char *link, uint8_t mac[6])
{
    struct ifreq request = {.ifr_ifru = {.ifru_flags = 0}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memset(mac, 0, 6);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
    if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &request) == 0)
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    if (fd >= 0)
        close(fd);
}

static struct addr parse(const char *text)
{
    struct addr address;

    CHECK(addr_parse(text, &address));
    return address;
}

static size_t make_frame(const char *kind, const uint8_t mac[6], uint8_t *frame)
{
    struct addr own4 = parse("10.77.0.1"), vip4 = parse("10.77.0.50"), other4 = parse("10.77.0.2");
    struct addr own6 = parse("fe80::1"), vip6 = parse("2001:db8::50"), other6 = parse("fe80::2");

    if (strcmp(kind, "vrrp") == 0)
        return frame_vrrp(mac, VRRP_IPV4, sizeof(VRRP_IPV4), frame, FRAME_MAX);
    if (strcmp(kind, "vrrp6") == 0)
        return frame_vrrp(mac, VRRP_IPV6, sizeof(VRRP_IPV6), frame, FRAME_MAX);
    if (strcmp(kind, "garp") == 0)
        return frame_gratuitous_arp(mac, &vip4, frame, FRAME_MAX);
    if (strcmp(kind, "na") == 0)
        return frame_unsolicited_na(mac, &vip6, true, frame, FRAME_MAX);
    if (strcmp(kind, "arp-probe") == 0)
        return frame_probe(mac, &own4, &other4, frame, FRAME_MAX);
    if (strcmp(kind, "ns-probe") == 0)
        return frame_probe(mac, &own6, &other6, frame, FRAME_MAX);
    return 0;
}

static void print_stats(struct packet_port *port)
{
    struct packet_stats stats;

    packet_get_stats(port, &stats);
    printf("\"frames_in\": %" PRIu64 ", \"frames_out\": %" PRIu64 ", \"send_errors\": %" PRIu64
           ", \"kernel_drops\": %" PRIu64 ", \"truncated\": %" PRIu64 "}\n",
           stats.frames_in, stats.frames_out, stats.send_errors, stats.kernel_drops, stats.truncated);
}

static int run_send(struct packet_port *port, const uint8_t mac[6], long count, const char *kind)
{
    bool alternate = strcmp(kind, "vrrp-and-garp") == 0;

    for (long i = 0; i < count; i++) {
        uint8_t frame[FRAME_MAX];
        size_t length = make_frame(alternate ? (i % 2 ? "vrrp" : "garp") : kind, mac, frame);

        packet_queue(port, frame, length);
    }
    packet_flush(port);
    printf("{");
    print_stats(port);
    return 0;
}

/* The IPv4 header's checksum is the kernel's. */
static int run_unicast(int ifindex, long count, const char *destination)
{
    struct addr to = parse(destination);
    bool ipv4 = to.family == FAMILY_IPV4;
    uint8_t packet[sizeof(VRRP_IPV6)];
    size_t length = ipv4 ? sizeof(VRRP_IPV4) : sizeof(VRRP_IPV6);
    struct packet_ip *ip;
    int error = packet_ip_open(&ip);

    memcpy(packet, ipv4 ? VRRP_IPV4 : VRRP_IPV6, length);
    memcpy(packet + (ipv4 ? 16 : 24), to.bytes, addr_length(&to));
    for (long i = 0; i < count && error == 0; i++)
        error = packet_ip_send(ip, ifindex, packet, length);
    printf("{\"error\": %d}\n", -error);
    packet_ip_close(ip);
    return 0;
}

struct tally {
    long total, to_us;
    long kinds[ARRAY_LENGTH(KIND_NAMES)];
    int64_t age_min_us, age_max_us;
};

static void count_frame(struct tally *tally, const struct packet_in *in, const uint8_t mac[6], struct mono now)
{
    struct frame_view view;
    int64_t age_us = mono_diff_us(now, in->received);

    frame_read(in->frame, in->length, mac, &view);
    tally->kinds[view.kind]++;
    tally->to_us += view.to_us;
    tally->total++;
    tally->age_min_us = age_us < tally->age_min_us ? age_us : tally->age_min_us;
    tally->age_max_us = age_us > tally->age_max_us ? age_us : tally->age_max_us;
}

static int run_receive(struct packet_port *port, const uint8_t mac[6], long count, long timeout_ms, long pause_ms)
{
    struct tally tally = {.age_min_us = INT64_MAX};
    struct mono end = mono_add(clock_now(), (timeout_ms + pause_ms) * US_PER_MS);
    struct pollfd waiting = {.fd = packet_fd(port), .events = POLLIN};
    struct packet_ip *ip;
    int error = packet_ip_open(&ip);

    if (error < 0)
        return fail("packet_ip_open", error);
    puts("ready");
    fflush(stdout);
    usleep((useconds_t)pause_ms * 1000);
    while (tally.total < count && !mono_due(clock_now(), end)) {
        struct packet_in in[PACKET_BATCH];

        poll(&waiting, 1, 10);

        struct mono now = clock_now();
        int received = packet_receive(port, now, in, PACKET_BATCH);

        for (int i = 0; i < received; i++)
            count_frame(&tally, &in[i], mac, now);
        if (received < 0)
            error = -received;
    }
    printf("{\"total\": %ld, \"to_us\": %ld, \"error\": %d, \"age_min_us\": %" PRId64 ", \"age_max_us\": %" PRId64 ", ",
           tally.total, tally.to_us, error, tally.age_min_us, tally.age_max_us);
    for (unsigned i = 0; i < ARRAY_LENGTH(KIND_NAMES); i++)
        printf("\"%s\": %ld, ", KIND_NAMES[i], tally.kinds[i]);
    print_stats(port);
    packet_ip_close(ip);
    return 0;
}

/* The nth group after this one; they differ in the last byte. */
static struct addr nth_group(const char *first, unsigned n)
{
    struct addr group = parse(first);

    group.bytes[addr_length(&group) - 1] = (uint8_t)(group.bytes[addr_length(&group) - 1] + n);
    return group;
}

struct kept {
    const char *first;
    unsigned count;
};

static bool is_kept(void *context, const struct addr *group)
{
    const struct kept *kept = context;
    bool found = false;

    for (unsigned i = 0; i < kept->count && !found; i++) {
        struct addr other = nth_group(kept->first, i);

        found = addr_equal(group, &other);
    }
    return found;
}

/* Joins COUNT of them; each line on standard input is how many of them are kept. */
static int run_groups(struct packet_port *port, const char *first, unsigned count)
{
    struct kept kept = {first, count};

    for (unsigned i = 0; i < 2 * count; i++) {
        struct addr group = nth_group(first, i % count);
        int error = packet_join_group(port, &group);

        if (error < 0)
            return fail("packet_join_group", error);
    }
    do {
        puts("ready");
        fflush(stdout);
    } while (scanf("%u", &kept.count) == 1 && (packet_leave_groups(port, is_kept, &kept), true));
    return 0;
}

int main(int argc, char **argv)
{
    struct packet_port *port;
    uint8_t mac[6];

    if (argc < 3)
        return 2;
    read_mac(argv[2], mac);

    int error = packet_open((int)if_nametoindex(argv[2]), &port);
    int status = 2;

    if (error < 0)
        return fail("packet_open", error);
    if (argc == 5 && strcmp(argv[1], "send") == 0)
        status = run_send(port, mac, atol(argv[3]), argv[4]);
    else if (argc == 6 && strcmp(argv[1], "receive") == 0)
        status = run_receive(port, mac, atol(argv[3]), atol(argv[4]), atol(argv[5]));
    else if (strcmp(argv[1], "groups") == 0)
        status = run_groups(port, argv[3], argc > 4 ? (unsigned)atol(argv[4]) : 0);
    else if (argc >= 5 && strcmp(argv[1], "unicast") == 0)
        status = run_unicast(argc > 5 ? 0 : (int)if_nametoindex(argv[2]), atol(argv[3]), argv[4]);
    packet_close(port);
    return status;
}
