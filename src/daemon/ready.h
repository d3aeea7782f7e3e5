/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling systemd what the daemon does: the documented datagrams to $NOTIFY_SOCKET (sd_notify(3)), without
 * libsystemd. Called by the guard only; everything is a no-op when nobody asked for it.
 */
#ifndef EVENKEEL_DAEMON_READY_H
#define EVENKEEL_DAEMON_READY_H

#include <stdint.h>

struct ready {
    int fd;              /* -1: nobody listens */
    int64_t watchdog_us; /* how often WATCHDOG=1 is wanted at the latest; 0: not at all */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment: scripts must not speak
 * for us.
 */
struct ready ready_open(void);
/* Sends e.g. "READY=1". Never blocks; what cannot be sent is dropped. */
void ready_say(const struct ready *ready, const char *text);
void ready_close(struct ready *ready);

#endif
