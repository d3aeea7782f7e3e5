/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit of what this host holds: each address is asked for about every half minute, and whoever else answers is a
 * second owner that says nothing of itself (a host whose filter was switched off, a machine with the address configured
 * by hand). This file knows which address is next and when; the questions are background.c's, the answers intake.c's.
 * Pure: no clock, no socket; memory only at the start.
 *
 * Once a second a few addresses are due, in one burst: a wake-up for each would cost more than the frames.
 */
#ifndef EVENKEEL_DAEMON_AUDIT_H
#define EVENKEEL_DAEMON_AUDIT_H

#include "base/mono.h"
#include "config/config.h"

#define AUDIT_TURN_US US_PER_S
#define AUDIT_ROUND_TURNS 30                    /* in so many turns every address that is held is asked for */
#define AUDIT_BURST_MAX 10                      /* frames per turn: a host that holds more than 300 takes longer */
#define AUDIT_ANSWER_US ((int64_t)2 * US_PER_S) /* an answer must arrive within this */

struct audit;

struct audit *audit_new(const struct config *config, struct mono now); /* NULL: no memory */
void audit_free(struct audit *audit);                                  /* NULL is allowed */

/* Does this host hold the unit, so that nobody else may answer? */
typedef bool audit_holds(void *context, unsigned pool, unsigned unit);
/* Ask who has address `vip` of the unit. */
typedef void audit_ask(void *context, unsigned pool, unsigned unit, unsigned vip);

/* Asks for what is due. Returns when it is wanted next. */
struct mono audit_run(struct audit *audit, struct mono now, audit_holds *holds, audit_ask *ask, void *context);

/* Does a frame that was received then come in time to be an answer? `number` as in vip_index.h. */
bool audit_asked(const struct audit *audit, unsigned number, struct mono received);

#endif
