/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the socket of a port: options, filter. Part of packet.c; nobody else calls it. */
#ifndef EVENKEEL_PLATFORM_PACKET_SOCKET_H
#define EVENKEEL_PLATFORM_PACKET_SOCKET_H

/* The AF_PACKET socket, filtered and bound to `ifindex`, non-blocking. The descriptor or a negative errno. */
int packet_socket_open(int ifindex);

#endif
