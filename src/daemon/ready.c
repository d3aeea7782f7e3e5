/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd's readiness protocol (see ready.h): one connected datagram socket. */
#include "daemon/ready.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof(to.sun_path))
        return -1;
    memcpy(to.sun_path, path, length);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)(const void *)&to,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* WATCHDOG_USEC, when it is meant for this process. */
static int64_t watchdog_us(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    long long value = strtoll(usec, NULL, 10);

    return value > 0 && value < INT64_MAX / 2 ? value : 0;
}

struct ready ready_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct ready ready = {.fd = -1};

    if (path != NULL)
        ready.fd = connect_to(path);
    if (ready.fd >= 0)
        ready.watchdog_us = watchdog_us() / 2; /* sd_watchdog_enabled(3): send at half the time */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return ready;
}

void ready_say(const struct ready *ready, const char *text)
{
    if (ready->fd >= 0)
        (void)!send(ready->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ready_close(struct ready *ready)
{
    if (ready->fd >= 0)
        close(ready->fd);
    ready->fd = -1;
}
