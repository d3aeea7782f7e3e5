/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See http.h. A connection serves one request. libevent 2.1 neither counts a server's connections nor bounds their
 * whole time (its timeout starts anew with every byte), so this file makes their bufferevents and holds a reference to
 * each: one whose callbacks are gone was let go by evhttp, and one that must go has its socket shut down, upon which
 * evhttp lets it go.
 */
#include "exporter/http.h"
#include "client/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define HEADERS_MAX 8192
#define IDLE_S 5
#define LIFETIME_MS 10000
#define CONNECTIONS_MAX 64
#define LISTENERS_MAX 2
#define NONCE_BYTES 16
#define NONCE_TEXT_MAX (2 * NONCE_BYTES + 1)
#define HOST_MAX 64

struct connection {
    TAILQ_ENTRY(connection) all;
    struct bufferevent *stream;
    int64_t since_ms;
    bool asked;   /* a request of it could be read */
    bool dropped; /* its socket was shut down */
};

struct http_server {
    struct http *http;
    struct evhttp *evhttp;
    struct evconnlistener *listener;
    bool loopback;
};

struct http {
    http_get *get;
    void *context;
    struct event_base *base;
    struct event *tick, *terminate, *interrupt;
    struct http_server servers[LISTENERS_MAX];
    unsigned server_count;
    TAILQ_HEAD(connections, connection) connections; /* oldest first */
    unsigned connection_count;
    struct http_stats stats;
};

static bool is_gone(const struct connection *connection)
{
    bufferevent_data_cb on_read, on_write;
    bufferevent_event_cb on_event;
    void *context;

    bufferevent_getcb(connection->stream, &on_read, &on_write, &on_event, &context);
    return on_event == NULL;
}

static void forget(struct http *http, struct connection *connection)
{
    TAILQ_REMOVE(&http->connections, connection, all);
    http->connection_count--;
    bufferevent_decref(connection->stream);
    free(connection);
}

static void drop(struct http *http, struct connection *connection)
{
    connection->dropped = true;
    http->stats.connections_dropped++;
    shutdown(bufferevent_getfd(connection->stream), SHUT_RDWR);
}

/* Forgets who is gone, drops who took too long. What is no request evhttp refuses by itself, and tells nobody. */
static void sweep(struct http *http)
{
    int64_t now = exchange_now_ms();

    for (struct connection *c = TAILQ_FIRST(&http->connections), *next; c != NULL; c = next) {
        next = TAILQ_NEXT(c, all);
        if (is_gone(c)) {
            http->stats.connections_unread += !c->asked && !c->dropped;
            forget(http, c);
        } else if (!c->dropped && now - c->since_ms > LIFETIME_MS) {
            drop(http, c);
        }
    }
}

static void drop_oldest(struct http *http)
{
    struct connection *c;

    TAILQ_FOREACH(c, &http->connections, all)
    {
        if (!c->dropped) {
            drop(http, c);
            return;
        }
    }
}

/* evhttp asks for the bufferevent of a connection that it has just accepted. NULL: it makes one of its own. */
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http *http = context;
    struct connection *connection = calloc(1, sizeof(*connection));
    struct bufferevent *stream = connection != NULL ? bufferevent_socket_new(base, -1, 0) : NULL;

    if (stream == NULL) {
        free(connection);
        return NULL;
    }
    sweep(http);
    if (http->connection_count >= CONNECTIONS_MAX)
        drop_oldest(http);
    bufferevent_incref(stream);
    *connection = (struct connection){.stream = stream, .since_ms = exchange_now_ms()};
    TAILQ_INSERT_TAIL(&http->connections, connection, all);
    http->connection_count++;
    return stream;
}

/* Out of descriptors, say: the listener would be readable for ever, so it rests until the next tick. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)context;
    evconnlistener_disable(listener);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct http *http = context;

    (void)fd, (void)what;
    sweep(http);
    for (unsigned i = 0; i < http->server_count; i++)
        evconnlistener_enable(http->servers[i].listener);
}

static void on_stop(evutil_socket_t number, short what, void *context)
{
    struct http *http = context;

    (void)number, (void)what;
    event_base_loopbreak(http->base);
}

bool http_host_is_literal(const char *host)
{
    char name[HOST_MAX];
    unsigned char address[sizeof(struct in6_addr)];
    bool bracketed = host[0] == '[';
    size_t length = bracketed ? strcspn(host, "]") : strcspn(host, ":");

    if (bracketed) {
        host++;
        length--;
    }
    if (length >= sizeof(name) || (bracketed && host[length] != ']'))
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (bracketed)
        return inet_pton(AF_INET6, name, address) == 1;
    return inet_pton(AF_INET, name, address) == 1 || strcasecmp(name, "localhost") == 0;
}

static void make_nonce(char text[static NONCE_TEXT_MAX])
{
    unsigned char bytes[NONCE_BYTES];

    CHECK(getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes));
    for (unsigned i = 0; i < NONCE_BYTES; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
}

/* What every answer says: it is of this moment, it is what its type says, and a page of it may do nothing but what it
 * brings with it. `nonce` NULL: it brings nothing. */
static void put_headers(struct evhttp_request *request, const char *type, const char *nonce, size_t length)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char text[320];

    evhttp_add_header(headers, "Content-Type", type);
    snprintf(text, sizeof(text), "%zu", length);
    evhttp_add_header(headers, "Content-Length", text);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
    evhttp_add_header(headers, "Cross-Origin-Resource-Policy", "same-origin");
    if (nonce != NULL)
        snprintf(text, sizeof(text),
                 "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; img-src data:; connect-src 'self'; "
                 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                 nonce, nonce);
    evhttp_add_header(headers, "Content-Security-Policy", nonce != NULL ? text : "default-src 'none'");
}

/* `body` is copied. */
static void reply(struct evhttp_request *request, int status, const char *body, size_t length)
{
    struct evbuffer *buffer = evhttp_request_get_output_buffer(request);

    if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
        evbuffer_add(buffer, body, length);
    evhttp_send_reply(request, status, NULL, NULL);
}

static void refuse(struct http *http, struct evhttp_request *request, int status, const char *text)
{
    http->stats.refused++;
    put_headers(request, "text/plain; charset=utf-8", NULL, strlen(text));
    if (status == HTTP_BADMETHOD)
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
    reply(request, status, text, strlen(text));
}

/* A name that a web page's owner points to 127.0.0.1 must not let that page read what is here (DNS rebinding). */
static bool is_for_this_host(const struct http_server *server, struct evhttp_request *request)
{
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");

    return !server->loopback || host == NULL || http_host_is_literal(host);
}

static void serve(struct http *http, struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    const char *accept = evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
    struct http_answer answer = {.status = HTTP_OK};
    char nonce[NONCE_TEXT_MAX];

    make_nonce(nonce);
    if (path == NULL || !http->get(http->context, path, accept != NULL ? accept : "", nonce, &answer)) {
        refuse(http, request, HTTP_NOTFOUND, "There are /, /status.json and /metrics.\n");
        return;
    }
    if (answer.body == NULL) {
        refuse(http, request, HTTP_SERVUNAVAIL, "Out of memory.\n");
        return;
    }
    put_headers(request, answer.type, nonce, answer.length);
    reply(request, answer.status, answer.body, answer.length);
    free(answer.body);
}

static void note_asked(struct http *http, struct evhttp_request *request)
{
    const struct bufferevent *stream = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
    struct connection *c;

    TAILQ_FOREACH(c, &http->connections, all)
    {
        if (c->stream == stream)
            c->asked = true;
    }
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct http_server *server = context;
    struct http *http = server->http;
    enum evhttp_cmd_type command = evhttp_request_get_command(request);

    note_asked(http, request);
    http->stats.requests++;
    if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD)
        refuse(http, request, HTTP_BADMETHOD, "Nothing can be changed here: GET or HEAD.\n");
    else if (!is_for_this_host(server, request))
        refuse(http, request, 421, "Ask for this host by its address, or as localhost.\n");
    else
        serve(http, request);
}

struct http *http_open(http_get *get, void *context)
{
    const struct timeval second = {.tv_sec = 1};
    struct http *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return NULL;
    http->get = get;
    http->context = context;
    TAILQ_INIT(&http->connections);
    http->base = event_base_new();
    if (http->base != NULL) {
        http->tick = event_new(http->base, -1, EV_PERSIST, on_tick, http);
        http->terminate = evsignal_new(http->base, SIGTERM, on_stop, http);
        http->interrupt = evsignal_new(http->base, SIGINT, on_stop, http);
    }
    if (http->tick == NULL || http->terminate == NULL || http->interrupt == NULL ||
        event_add(http->tick, &second) != 0 || event_add(http->terminate, NULL) != 0 ||
        event_add(http->interrupt, NULL) != 0) {
        http_close(http);
        return NULL;
    }
    return http;
}

int http_listen(struct http *http, const struct listen_socket *socket)
{
    struct http_server *server = &http->servers[http->server_count];

    CHECK(http->server_count < LISTENERS_MAX);
    *server = (struct http_server){.http = http, .loopback = socket->loopback, .evhttp = evhttp_new(http->base)};
    if (server->evhttp == NULL)
        return -ENOMEM;
    http->server_count++;
    /* Every method comes to on_request, which says what is allowed; a body comes to nobody. */
    evhttp_set_allowed_methods(server->evhttp, UINT16_MAX);
    evhttp_set_max_headers_size(server->evhttp, HEADERS_MAX);
    evhttp_set_max_body_size(server->evhttp, 0);
    evhttp_set_timeout(server->evhttp, IDLE_S);
    evhttp_set_bevcb(server->evhttp, on_connection, http);
    evhttp_set_gencb(server->evhttp, on_request, server);
    struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(server->evhttp, socket->fd);

    if (bound == NULL) {
        close(socket->fd);
        http->server_count--;
        evhttp_free(server->evhttp);
        return -ENOMEM;
    }
    server->listener = evhttp_bound_socket_get_listener(bound);
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return 0;
}

int http_run(struct http *http)
{
    return event_base_dispatch(http->base) < 0 ? -EIO : 0;
}

struct http_stats http_get_stats(const struct http *http)
{
    return http->stats;
}

void http_close(struct http *http)
{
    for (unsigned i = 0; i < http->server_count; i++)
        evhttp_free(http->servers[i].evhttp);
    while (!TAILQ_EMPTY(&http->connections))
        forget(http, TAILQ_FIRST(&http->connections));
    if (http->tick != NULL)
        event_free(http->tick);
    if (http->terminate != NULL)
        event_free(http->terminate);
    if (http->interrupt != NULL)
        event_free(http->interrupt);
    if (http->base != NULL)
        event_base_free(http->base);
    free(http);
}
