/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VRRP packets to single peers (unicast): these need a way through the IP stack, which knows routes and neighbours. One
 * raw socket per family sends whole packets from their IP header on, wherever the routes lead or over one interface
 * only. What comes from peers is received like all else, by the port (packet.h) of the link that it arrives on; an
 * instance without an interface of its own therefore needs one that is opened, the one that its source address is on.
 *
 * The sockets are of VRRP's protocol number, and drop what they receive: without them the kernel would answer each
 * peer's packet with "protocol unreachable".
 *
 * The lease (doc/design.md 2.6): while no neighbour answers for a peer's address the kernel sends nothing, and so
 * nothing meets the egress hook. packet_renew() is what renews the lease of a unicast instance.
 */
#ifndef EVENKEEL_PLATFORM_PACKET_IP_H
#define EVENKEEL_PLATFORM_PACKET_IP_H

#include <stddef.h>
#include <stdint.h>

struct packet_ip;

/* 0 or a negative errno (-EPERM: CAP_NET_RAW is missing). A kernel without IPv6 is none: sending says so. */
int packet_ip_open(struct packet_ip **out);
void packet_ip_close(struct packet_ip *ip);

/*
 * Sends one packet (IPv4 or IPv6, complete) to the destination in its header, never blocking; `ifindex` 0: by any
 * interface. (With one, the kernel takes an IPv4 destination that no route leads to for a neighbour there.) 0 or a
 * negative errno: -ENETUNREACH, -ENODEV, -EAFNOSUPPORT, -EINVAL when it is no IP packet, and so on.
 */
int packet_ip_send(const struct packet_ip *ip, int ifindex, const uint8_t *packet, size_t length);

#endif
