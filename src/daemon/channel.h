/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socketpair between guard and worker: one-byte messages, and the end of file that tells either of them that the
 * other is gone. It owns no state.
 */
#ifndef EVENKEEL_DAEMON_CHANNEL_H
#define EVENKEEL_DAEMON_CHANNEL_H

enum channel_message {
    CHANNEL_UP,    /* worker: it runs; the daemon has started */
    CHANNEL_LEFT,  /* worker: it left in order and is about to exit; without this word the channel's end is a crash */
    CHANNEL_LEAVE, /* guard: leave in order and exit */
    CHANNEL_DUMP,  /* guard: write the files of enum daemon_dump; this one and the next two in its order */
    CHANNEL_DUMP_STATS,
    CHANNEL_DUMP_JSON,
    CHANNEL_MESSAGE_COUNT,
};

/* Makes both ends, non-blocking and closed on exec. 0 or a negative errno. */
int channel_open(int *guard_end, int *worker_end);

/*
 * In the worker, when nothing else is open yet: moves its end to a high descriptor number, which is returned (or `fd`
 * itself when that cannot be). A dying process closes its files from the highest down, and closing packet and netlink
 * sockets takes tens of milliseconds; this way the guard sees the end of the channel before all that.
 */
int channel_raise(int fd);
/* 0 or a negative errno. */
int channel_send(int fd, enum channel_message message);
/* 1 with *message, 0: the other side is gone, -EAGAIN: nothing waits (a message nobody knows is skipped). */
int channel_receive(int fd, enum channel_message *message);

#endif
