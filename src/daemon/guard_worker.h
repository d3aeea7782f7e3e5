/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the guard: its state, and what it does about its worker. Shared by guard.c (the loop, signals,
 * timers) and guard_worker.c (start, death, orderly end).
 */
#ifndef EVENKEEL_DAEMON_GUARD_WORKER_H
#define EVENKEEL_DAEMON_GUARD_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/mono.h"
#include "daemon/guard.h"
#include "daemon/guard_fifo.h"
#include "daemon/guard_page.h"

struct packet_ip;
struct reload_file;

struct guard {
    const struct guard_start *start;
    struct config *config;
    struct config *before;        /* the last reload; NULL: none */
    struct mono reloaded;         /* when that was */
    struct reload_file *reading;  /* of a reload: the file is being read */
    struct mono read_by;          /* MONO_NEVER: nobody waits for it (any more) */
    struct config *next_config;   /* then, until the worker has it */
    struct guard_page *next_page; /* for that; NULL: not made yet */
    struct guard_fifo_owners next_owners;
    bool reload_wanted; /* another one, when this one is done */
    struct mono reload_began;
    struct guard_page *page;
    struct guard_script *script;
    struct mono script_at; /* when guard_script_turn is wanted */
    int sender;
    struct packet_ip *ip; /* sends to unicast peers */
    int signals;
    unsigned number;  /* see number.h */
    int number_claim; /* or -1 */
    /* the worker; pidfd is -1 while none runs */
    pid_t worker;
    int pidfd;
    int channel;
    struct mono worker_started;
    struct mono restart_at; /* MONO_NEVER: not waiting for that */
    int64_t backoff_us;
    unsigned deaths;
    bool up;          /* a worker was up: from then on a worker that dies is started again */
    bool worker_up;   /* ... and this one is */
    bool worker_left; /* this worker said that it left in order */
    bool cleaned;     /* this worker's end was seen and cleaned up after, it only has not been reaped yet */
    bool leaving;
    struct mono leave_by;    /* MONO_NEVER: nobody was asked to leave */
    struct mono look_at;     /* at the worker's beats */
    struct mono watchdog_at; /* MONO_NEVER: nobody wants to hear of it */
    uint64_t beats;          /* when we last looked */
    int64_t silent_looks;    /* since they last changed */
    bool done;
    int exit_code;
};

/* Forks a worker. What fails is logged and tried again later, or ends the guard when no worker was ever up. */
void guard_worker_start(struct guard *guard, struct mono now);
/* Asks it to leave in order, if there is one. */
void guard_worker_ask_to_leave(struct guard *guard, struct mono now);
/* Ends it at once, if there is one; guard_worker_ended follows. */
void guard_worker_kill(struct guard *guard);
/* Its channel ended: unless it had left in order it is dying, and every millisecond counts. */
void guard_worker_hung_up(struct guard *guard);
/* Its pidfd became readable: it is gone. Cleans up after it and does what follows. */
void guard_worker_ended(struct guard *guard);
/* After a reload: the new configuration is the configuration. */
void guard_worker_adopt_config(struct guard *guard);
/* The guard's loop ends with this exit code. */
void guard_finish(struct guard *guard, int exit_code);

#endif
