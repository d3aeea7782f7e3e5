/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See listen.h. Called by main.c. */
#include "exporter/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define HOST_TEXT_MAX 64

static int fail(struct listen_socket *out, const char *where, int error)
{
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    snprintf(out->text, sizeof(out->text), "cannot listen on %s: %s", where, strerror(error));
    return -error;
}

static int make(struct listen_socket *out, int family, const struct sockaddr *address, socklen_t length)
{
    const int on = 1;

    out->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out->fd < 0)
        return errno;
    if (family != AF_UNIX && setsockopt(out->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return errno;
    return bind(out->fd, address, length) != 0 || listen(out->fd, BACKLOG) != 0 ? errno : 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool is_port(const char *text)
{
    unsigned long number = strtoul(text, NULL, 10);

    return strspn(text, "0123456789") == strlen(text) && number > 0 && number <= UINT16_MAX;
}

/* ADDRESS:PORT or [ADDRESS]:PORT into its two parts. */
static bool split(const char *where, char host[static HOST_TEXT_MAX], const char **port)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon != NULL ? (size_t)(colon - where) : 0;

    if (length == 0 || length >= HOST_TEXT_MAX || !is_port(colon + 1))
        return false;
    *port = colon + 1;
    if (where[0] == '[' && where[length - 1] == ']') {
        where++;
        length -= 2;
    } else if (memchr(where, ':', length) != NULL) {
        return false;
    }
    memcpy(host, where, length);
    host[length] = '\0';
    return true;
}

int listen_tcp(const char *where, struct listen_socket *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    char host[HOST_TEXT_MAX];
    const char *port;
    struct addrinfo *list;

    *out = (struct listen_socket){.fd = -1};
    if (!split(where, host, &port) || getaddrinfo(host, port, &hints, &list) != 0) {
        snprintf(out->text, sizeof(out->text), "'%.64s' is no ADDRESS:PORT (IPv6: [ADDRESS]:PORT)", where);
        return -EINVAL;
    }
    int error = make(out, list->ai_family, list->ai_addr, list->ai_addrlen);

    out->loopback = is_loopback(list->ai_addr);
    freeaddrinfo(list);
    if (error != 0)
        return fail(out, where, error);
    snprintf(out->text, sizeof(out->text), "http://%s/", where);
    return 0;
}

/* Whether somebody listens on the socket that is there. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered =
        fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return answered;
}

int listen_unix(const char *path, struct listen_socket *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat there;

    *out = (struct listen_socket){.fd = -1};
    if (strlen(path) >= sizeof(address.sun_path))
        return fail(out, path, ENAMETOOLONG);
    strcpy(address.sun_path, path);
    if (lstat(path, &there) == 0 && S_ISSOCK(there.st_mode)) {
        if (is_answered(&address))
            return fail(out, path, EADDRINUSE);
        unlink(path);
    }
    int error = make(out, AF_UNIX, (const struct sockaddr *)&address, sizeof(address));

    if (error == 0 && chmod(path, 0666) != 0)
        error = errno;
    if (error != 0)
        return fail(out, path, error);
    snprintf(out->text, sizeof(out->text), "%s", path);
    return 0;
}
