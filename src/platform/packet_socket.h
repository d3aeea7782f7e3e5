/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the sockets of a port: options, filter, groups. packet.c's other half; nobody else calls it. */
#ifndef EVENKEEL_PLATFORM_PACKET_SOCKET_H
#define EVENKEEL_PLATFORM_PACKET_SOCKET_H

#include "base/addr.h"

/* The AF_PACKET socket, filtered and bound to `ifindex`, non-blocking. The descriptor or a negative errno. */
int packet_socket_open(int ifindex);

/* A socket that holds the membership of the VRRP group of `family` on `ifindex` and receives nothing. Likewise. */
int packet_socket_join(enum family family, int ifindex);
/* Joins another group on such a socket. 0 or a negative errno; that it is joined already is success. */
int packet_socket_join_group(int fd, int ifindex, const struct addr *group);

#endif
