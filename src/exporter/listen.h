/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that HTTP clients connect to: made before root's rights are given up, then handed to http.h. */
#ifndef EVENKEEL_EXPORTER_LISTEN_H
#define EVENKEEL_EXPORTER_LISTEN_H

#include <stdbool.h>

#define LISTEN_TEXT_MAX 192

struct listen_socket {
    int fd;                     /* -1: none */
    bool loopback;              /* TCP that only this host reaches */
    char text[LISTEN_TEXT_MAX]; /* where, for people; on failure why not */
};

/*
 * `where` is ADDRESS:PORT, an IPv6 address in brackets; no names, since who listens where must not depend on DNS. 0; or
 * a negative errno with the reason in `text`, -EINVAL for what is no address.
 */
int listen_tcp(const char *where, struct listen_socket *out);
/*
 * A Unix socket that everybody may open who can reach it, as the daemon's own; what a process that is gone has left
 * there is replaced. 0; or a negative errno with the reason in `text`.
 */
int listen_unix(const char *path, struct listen_socket *out);

#endif
