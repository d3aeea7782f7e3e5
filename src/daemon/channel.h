/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socketpair between guard and worker: one-byte messages, some with files, and the end of file that tells either of
 * them that the other is gone. It owns no state.
 */
#ifndef EVENKEEL_DAEMON_CHANNEL_H
#define EVENKEEL_DAEMON_CHANNEL_H

enum channel_message {
    CHANNEL_UP,    /* worker: it runs; the daemon has started */
    CHANNEL_LEFT,  /* worker: it left in order and is about to exit; without this word the channel's end is a crash */
    CHANNEL_LEAVE, /* guard: leave in order and exit */
    CHANNEL_RELOAD_ASKED,   /* worker: an operator asks for a reload */
    CHANNEL_RELOAD_READING, /* guard: the file is being read; one of the next three follows */
    CHANNEL_RELOAD,         /* guard: go on with another configuration; three files: its canonical text, the new page
                               (guard_page.h), what is different */
    CHANNEL_RELOAD_SAME,    /* guard: the file says what it said before */
    CHANNEL_RELOAD_BAD,     /* guard: the file has errors; one file: which */
    CHANNEL_RELOADED,       /* worker: it goes on with the other configuration from here on */
    CHANNEL_RELOAD_KEPT,    /* worker: it could not, and goes on as before */
    CHANNEL_DUMP,           /* guard: write the files of enum daemon_dump; this one and the next two in its order */
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
/* The same with files (descriptors that the other side may read), which stay the caller's. */
#define CHANNEL_FILES_MAX 3
int channel_send_files(int fd, enum channel_message message, const int *files, unsigned count);
/* channel_receive with the files that came along: *count of them in `files`, the caller's from then on. */
int channel_receive_files(int fd, enum channel_message *message, int files[static CHANNEL_FILES_MAX], unsigned *count);

/* 1 with *message, 0: the other side is gone, -EAGAIN: nothing waits (a message nobody knows is skipped). */
int channel_receive(int fd, enum channel_message *message);

#endif
