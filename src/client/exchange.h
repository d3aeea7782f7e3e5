/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line to the daemon's control socket, one line back, none of it longer than the caller can wait: the transport
 * below keelctl, evenkeel-snmp and evenkeel-exporter. What the lines say is theirs.
 */
#ifndef EVENKEEL_CLIENT_EXCHANGE_H
#define EVENKEEL_CLIENT_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

/* An answer, which grows as it comes; `data` is the caller's to free. */
struct exchange_line {
    char *data;
    size_t length, capacity; /* bytes */
};

/* CLOCK_MONOTONIC in milliseconds: what the points in time below are of. */
int64_t exchange_now_ms(void);

/*
 * A connected socket that never blocks, to be closed; or a negative errno: -EAGAIN when the daemon takes in nobody, and
 * has not until `until_ms`; -ENAMETOOLONG. `until_ms` 0: without waiting. `address` gets the socket's path, for
 * messages.
 */
int exchange_connect(const char *run_dir, int64_t until_ms, struct sockaddr_un *address);

/*
 * Sends `request`, which ends with a newline, and reads the line that answers it. 0, or a negative errno; -EAGAIN: not
 * until `until_ms`; -ECONNRESET: closed before the answer's end.
 */
int exchange_ask(int fd, const char *request, struct exchange_line *answer, int64_t until_ms);

/* Room for another piece of what comes. 0 or -ENOMEM, also when the answer grows beyond what any daemon says. */
int exchange_make_room(struct exchange_line *line);

#endif
