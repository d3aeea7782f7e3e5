/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket file outlives the process that made it. So one that nobody answers on is replaced, one that somebody answers
 * on is left alone, and anything that is no socket is never removed.
 */
#include "daemon/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control.h"

#define BACKLOG 64

/* Takes away what an earlier run left. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    /* EAGAIN: somebody listens whose queue is full. */
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN;

    close(fd);
    if (alive)
        return -EADDRINUSE;
    return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

/* The mode is set before listen(), so nobody connects while it is still the umask's. */
static int bind_and_listen(struct control_socket *control)
{
    const char *path = control->address.sun_path;
    struct stat status;

    /* Born with its mode: a chmod afterwards would follow whatever the directory's owner had put there meanwhile. */
    mode_t mask = umask(0111);
    int bound = bind(control->fd, (const struct sockaddr *)&control->address, sizeof(control->address));
    int bind_error = errno;

    umask(mask);
    if (bound != 0)
        return -bind_error;
    if (lstat(path, &status) != 0 || listen(control->fd, BACKLOG) != 0) {
        int error = -errno;

        unlink(path);
        return error;
    }
    control->device = status.st_dev;
    control->inode = status.st_ino;
    return 0;
}

int control_socket_open(const char *run_dir, struct control_socket *out)
{
    *out = (struct control_socket){.fd = -1, .address.sun_family = AF_UNIX};
    int length = snprintf(out->address.sun_path, sizeof(out->address.sun_path), "%s/" CONTROL_SOCKET_NAME, run_dir);

    if (length < 0 || (size_t)length >= sizeof(out->address.sun_path))
        return -ENAMETOOLONG;
    int error = remove_stale(&out->address);

    if (error != 0)
        return error;
    out->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out->fd < 0)
        return -errno;
    error = bind_and_listen(out);
    if (error != 0) {
        close(out->fd);
        out->fd = -1;
    }
    return error;
}

void control_socket_remove(const struct control_socket *control)
{
    struct stat status;

    if (lstat(control->address.sun_path, &status) == 0 && status.st_dev == control->device &&
        status.st_ino == control->inode)
        unlink(control->address.sun_path);
}
