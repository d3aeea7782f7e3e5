/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See thread.h. It owns nothing. Called by kernel.c, process_watch.c and the daemon's writers of files. */
#include "platform/thread.h"

#include <signal.h>
#include <time.h>

#define NS_PER_S 1000000000L

int thread_start(pthread_t *out, const char *name, size_t stack_bytes, void *(*run)(void *), void *context)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);

    if (error)
        return -error;
    error = pthread_attr_setstacksize(&attributes, stack_bytes);
    sigfillset(&all);
    /* A thread is born with its maker's mask. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!error)
        error = pthread_create(out, &attributes, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!error)
        (void)pthread_setname_np(*out, name);
    return -error;
}

bool thread_join(pthread_t thread, unsigned timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_S;
    }
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        return true;
    pthread_detach(thread);
    return false;
}

void thread_mutex_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}
