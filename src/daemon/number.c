/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See number.h. It owns nothing. */
#include "daemon/number.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0 or -1 with errno; nobody listens there: it is a name and no more. */
static int bind_number(int fd, unsigned number)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "evenkeeld/%u", number);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);

    return bind(fd, (const struct sockaddr *)&name, size);
}

unsigned number_claim(int *claim)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    for (unsigned number = 1; fd >= 0 && number <= NUMBER_MAX; number++) {
        if (bind_number(fd, number) == 0) {
            *claim = fd;
            return number;
        }
        if (errno != EADDRINUSE)
            break;
    }
    if (fd >= 0)
        close(fd);
    *claim = -1;
    return 1;
}

bool number_is_free(unsigned number)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free = fd >= 0 && bind_number(fd, number) == 0;

    if (fd >= 0)
        close(fd);
    return is_free;
}
