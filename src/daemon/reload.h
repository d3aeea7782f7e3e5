/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's part of a reload (doc/design.md 2.11): it alone may read the file. What comes of that goes to the worker,
 * which goes on with it and says so; only then is it the guard's own configuration. A broken file changes nothing.
 */
#ifndef EVENKEEL_DAEMON_RELOAD_H
#define EVENKEEL_DAEMON_RELOAD_H

#include "daemon/guard_worker.h"

/* SIGHUP, or an operator's wish that the worker passed on. One reload at a time: another one follows it. */
void reload_begin(struct guard *guard, struct mono now);
/* guard->reading is done; guard->read_by has come. */
void reload_read(struct guard *guard, struct mono now);
void reload_read_timeout(struct guard *guard);
/* CHANNEL_RELOADED or CHANNEL_RELOAD_KEPT. */
void reload_end(struct guard *guard, bool done, struct mono now);
/* The worker is gone: the next one starts with what was about to be. */
void reload_lost(struct guard *guard);

/* True when both say the same, in whatever order of lines. */
bool reload_same(const struct config *a, const struct config *b);

#endif
