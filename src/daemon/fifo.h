/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A named pipe that gets a line for each change. Writing never waits: what the pipe does not take is kept, up to a
 * limit, and what goes beyond that is counted and said. Part of the guard, which makes it and takes it away again.
 */
#ifndef EVENKEEL_DAEMON_FIFO_H
#define EVENKEEL_DAEMON_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/checks.h"

#define FIFO_KEEP_MAX 65536 /* bytes beside those that the kernel keeps */
#define FIFO_PROBLEM_MAX 320

struct fifo;

/* Whom it is to belong to. */
struct fifo_owner {
    bool no_user, no_group; /* the one that the file names does not exist on this host */
    uid_t uid;
    gid_t gid;
};

/* Looks the names up, and so may wait for a directory service. */
struct fifo_owner fifo_find_owner(const struct check_fifo *settings);

/*
 * Makes or takes over the pipe: a FIFO that exists gets the owner and mode it should have. Nothing else is touched: a
 * file, or a symbolic link. NULL after *problem was filled in.
 */
struct fifo *fifo_open(const struct check_fifo *settings, const struct fifo_owner *owner,
                       char problem[static FIFO_PROBLEM_MAX]);
/* Whoever opens the name gets this very pipe. */
bool fifo_is_in_place(const struct fifo *fifo);
/* Closes it; removes it if it was made here. NULL is allowed. */
void fifo_close(struct fifo *fifo);
/* In a child: closes its descriptor and nothing else. */
void fifo_let_go(struct fifo *fifo);

/* All of the line, or nothing of it. False when it was dropped. */
bool fifo_write(struct fifo *fifo, const char *line, size_t length);
/* Writes on what is kept; when the descriptor takes more. */
void fifo_flush(struct fifo *fifo);
/* The descriptor to wait for (POLLOUT), or -1 when nothing is kept. */
int fifo_wants(const struct fifo *fifo);
const char *fifo_path(const struct fifo *fifo);
uint64_t fifo_dropped(const struct fifo *fifo);

#endif
