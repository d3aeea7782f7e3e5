/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that the guard runs for its worker: checks, notify commands, the FIFOs and their readers, the commands at start
 * and stop. It hears orders.h from the worker and runs what the configuration says for them, and nothing else.
 *
 * Notify commands go on while a worker is replaced, and what they were told is remembered. Checks belong to a worker
 * and end with it.
 */
#ifndef EVENKEEL_DAEMON_GUARD_SCRIPT_H
#define EVENKEEL_DAEMON_GUARD_SCRIPT_H

#include "base/mono.h"
#include "config/config.h"

#define GUARD_SCRIPT_FDS_MAX 128
#define GUARD_SCRIPT_NOTIFY_US (120 * (int64_t)US_PER_S) /* a notify command's time limit */

struct pollfd;
struct guard_fifo_owners;
struct guard_script;

/*
 * Makes the FIFOs and their readers, writes init files and starts the startup command. `config` stays the guard's and
 * must live until guard_script_adopt or guard_script_close. 0 or a negative errno.
 */
int guard_script_open(const struct config *config, struct guard_script **out);
/* Ends what still runs. NULL is allowed. */
void guard_script_close(struct guard_script *script);
/* In a worker: closes the guard's descriptors. */
void guard_script_let_go(struct guard_script *script);

/* False while the startup command runs: no worker may be started yet. */
bool guard_script_is_ready(const struct guard_script *script);

/* A worker is about to be forked: its end of the orders. 0 or a negative errno. */
int guard_script_connect(struct guard_script *script, int *worker_end);
/* The number of that connection, which its orders carry. */
uint32_t guard_script_connection(const struct guard_script *script);
/* The worker is gone: takes in its last orders, and ends its checks. */
void guard_script_disconnect(struct guard_script *script);

/* A reload is under way; NULL: not any more. 0, or -ENOMEM: then none is. */
int guard_script_expect(struct guard_script *script, const struct config *next);
/*
 * The expected configuration, `config`, is in force from now on; `owners` are those of its FIFOs. It cannot fail. A
 * worker that goes on with it counts its connection up by one when it changes over, as happens here.
 */
void guard_script_adopt(struct guard_script *script, const struct config *config,
                        const struct guard_fifo_owners *owners);

/* Descriptors to wait for; how many. SIGCHLD has to wake the guard, too. */
unsigned guard_script_poll(const struct guard_script *script, struct pollfd *fds, unsigned capacity);
/* After every wake-up. When it wants the next one at the latest. */
struct mono guard_script_turn(struct guard_script *script, struct mono now);

/*
 * The daemon ends, the worker is gone: tells those who were not told, waits for notify commands up to 10 s, runs the
 * shutdown command. Another SIGTERM or SIGINT on `signals`, a signalfd with SIGCHLD, cuts the waiting short.
 */
void guard_script_finish(struct guard_script *script, int signals);
/* What follows shall wait for nothing. */
void guard_script_hurry(struct guard_script *script);

#endif
