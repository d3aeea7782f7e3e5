/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See number.h. It owns nothing. */
#include "daemon/number.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

unsigned number_claim(int *claim)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    for (unsigned number = 1; fd >= 0 && number <= NUMBER_MAX; number++) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        int length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "evenkeeld/%u", number);
        socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);

        if (bind(fd, (const struct sockaddr *)&name, size) == 0) { /* nobody listens: it is a name and no more */
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
