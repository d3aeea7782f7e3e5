/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the control socket: making it, and removing it only if it is still ours. Called by control.c. */
#ifndef EVENKEEL_DAEMON_CONTROL_SOCKET_H
#define EVENKEEL_DAEMON_CONTROL_SOCKET_H

#include <sys/stat.h>
#include <sys/un.h>

struct control_socket {
    int fd; /* listening, non-blocking, close-on-exec */
    struct sockaddr_un address;
    dev_t device; /* of the file we made */
    ino_t inode;
};

/* Makes RUN_DIR/control.sock (0666) and listens. 0; -EADDRINUSE: somebody listens there; or another negative errno. */
int control_socket_open(const char *run_dir, struct control_socket *out);
/* Removes the file if it is the one we made. Does not close `fd`. */
void control_socket_remove(const struct control_socket *control);

#endif
