/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps the loop punctual on a busy host: a low real-time priority, locked memory, exact timers, and a smaller
 * chance to be the one that the kernel kills for memory. All of it is optional; containers refuse most.
 */
#ifndef EVENKEEL_PLATFORM_REALTIME_H
#define EVENKEEL_PLATFORM_REALTIME_H

#include <stdbool.h>

#define REALTIME_PRIORITY 10 /* of SCHED_RR: above all ordinary work, below the kernel's threaded interrupts (50) */
#define REALTIME_TEXT_MAX 512

/*
 * Takes every step for the calling process, and `priority` (0: none) for the calling thread; threads started later have
 * to call realtime_thread themselves. Before privileges are dropped: most steps need some that are not kept. Returns
 * how many steps were refused; `refused` (else "") names them with the reasons, for one line in the log.
 *
 * Handles SIGXCPU: a thread that runs for half a second without ever waiting loses its real-time priority, so that a
 * flood or an endless loop cannot take the host's processor for itself.
 */
unsigned realtime_enter(int priority, char refused[static REALTIME_TEXT_MAX]);

/* Gives back what the start needed and nothing needs any more; some tenths of a millisecond. */
void realtime_settle(void);

/* SCHED_RR with `priority` for the calling thread, 0: none any more; what it forks or starts gets none. 0 or a negative
 * errno. */
int realtime_thread(int priority);

/* False when the calling thread never had, or lost, its real-time priority. */
bool realtime_is_on(void);

#endif
