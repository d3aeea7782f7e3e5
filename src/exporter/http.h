/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTTP server, the one place that knows libevent. It owns the loop, the connections and their limits (size of a
 * request, time of a connection, number of connections: the oldest makes room), what every answer says to browsers, and
 * refusals. What there is to read is the caller's.
 */
#ifndef EVENKEEL_EXPORTER_HTTP_H
#define EVENKEEL_EXPORTER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/listen.h"

struct http;

struct http_answer {
    int status; /* 200, 503 */
    const char *type;
    char *body; /* freed by the server; NULL: no memory */
    size_t length;
};

/*
 * Answers a GET of `path`. `accept` is the client's header, "" without one. `nonce` is what marks a page's own scripts
 * and styles for the browser, new each time. False: there is no such page.
 */
typedef bool http_get(void *context, const char *path, const char *accept, const char *nonce, struct http_answer *out);

struct http_stats {
    uint64_t requests, refused;
    uint64_t connections_dropped; /* too many at once, or too slow */
    uint64_t connections_unread;  /* ended by either side before a request could be read: garbage, too long, too slow */
};

/* NULL: no memory. */
struct http *http_open(http_get *get, void *context);
/* Takes over the listening socket. 0 or a negative errno. */
int http_listen(struct http *http, const struct listen_socket *socket);
/* Until SIGTERM or SIGINT. 0 or a negative errno. */
int http_run(struct http *http);
struct http_stats http_get_stats(const struct http *http);
void http_close(struct http *http);

/* Whether a Host header names an address or localhost, so that no web page's name stands for this host. */
bool http_host_is_literal(const char *host);

#endif
