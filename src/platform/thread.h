/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads beside the loop: whatever may have to wait. No signal is ever delivered to one, signals are the loop's. */
#ifndef EVENKEEL_PLATFORM_THREAD_H
#define EVENKEEL_PLATFORM_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Starts a thread of at most 15 characters' name. 0 or a negative errno. */
int thread_start(pthread_t *out, const char *name, size_t stack_bytes, void *(*run)(void *), void *context);

/*
 * Waits for its end, at most `timeout_ms`. False: it has not ended and now goes on by itself, with all that it works
 * with, which must not be freed.
 */
bool thread_join(pthread_t thread, unsigned timeout_ms);

/* A mutex that the loop, which may have real-time priority, shares with a thread that has none: its holder inherits it.
 */
void thread_mutex_init(pthread_mutex_t *mutex);

#endif
