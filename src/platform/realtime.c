/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of realtime.h, each on its own. It owns the handler of SIGXCPU and the process's limits; called once by the
 * worker, before it drops its privileges. */
#include "platform/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"

#define BUSY_SOFT_US 500000  /* SIGXCPU: back to ordinary priority */
#define BUSY_HARD_US 5000000 /* SIGKILL: should that have failed */
#define OOM_ADJUST (-500)

int realtime_thread(int priority)
{
    struct sched_param parameter = {.sched_priority = priority};
    int policy = priority > 0 ? SCHED_RR : SCHED_OTHER;

    return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &parameter) < 0 ? -errno : 0;
}

bool realtime_is_on(void)
{
    return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR;
}

/* Only system calls here. To keep "reset on fork" is needed: giving that up is a privilege. */
static void on_busy(int signal)
{
    struct sched_param parameter = {.sched_priority = 0};
    int saved = errno;

    (void)signal;
    sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &parameter);
    errno = saved;
}

static int guard_against_busy_loop(void)
{
    struct sigaction action = {.sa_handler = on_busy, .sa_flags = SA_RESTART};
    struct rlimit limit = {.rlim_cur = BUSY_SOFT_US, .rlim_max = BUSY_HARD_US};

    if (sigaction(SIGXCPU, &action, NULL) < 0 || setrlimit(RLIMIT_RTTIME, &limit) < 0)
        return -errno;
    return 0;
}

static int set_priority(int priority)
{
    if (priority == 0)
        return 0;

    int error = guard_against_busy_loop();

    return error < 0 ? error : realtime_thread(priority);
}

static int lock_memory(int unused)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    (void)unused;
    /* Without CAP_IPC_LOCK, which is dropped later, the limit counts the address space of what is locked, thread stacks
     * and all: a finite one would make allocations fail some day, which is worse than memory that is not locked. */
    if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return -errno;
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 0;
}

/* One heap for all threads, and memory that was used once is not given back only to be faulted in again. */
static int tame_heap(int unused)
{
    (void)unused;
    return mallopt(M_ARENA_MAX, 1) && mallopt(M_TRIM_THRESHOLD, -1) ? 0 : -EINVAL;
}

void realtime_settle(void)
{
    malloc_trim(0);
}

static int sharpen_timers(int unused)
{
    (void)unused;
    return prctl(PR_SET_TIMERSLACK, 1) < 0 ? -errno : 0;
}

static int spare_from_oom(int unused)
{
    char text[16];
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    int error = 0;

    (void)unused;
    if (fd < 0)
        return -errno;

    ssize_t length = read(fd, text, sizeof(text) - 1);

    text[length > 0 ? length : 0] = '\0';
    if (length <= 0 || strtol(text, NULL, 10) > OOM_ADJUST) { /* the service manager may have asked for less already */
        length = snprintf(text, sizeof(text), "%d", OOM_ADJUST);
        if (pwrite(fd, text, (size_t)length, 0) != length)
            error = -errno;
    }
    close(fd);
    return error;
}

struct step {
    int (*take)(int priority);
    const char *name;
    const char *needs;
};

static const struct step STEPS[] = {
    {tame_heap, "one heap", "glibc"},
    {sharpen_timers, "exact timers", "PR_SET_TIMERSLACK"},
    {spare_from_oom, "OOM score", "CAP_SYS_RESOURCE"},
    {lock_memory, "locked memory", "RLIMIT_MEMLOCK infinity, or CAP_SYS_RESOURCE and CAP_IPC_LOCK"},
    {set_priority, "real-time priority", "CAP_SYS_NICE or RLIMIT_RTPRIO"},
};

unsigned realtime_enter(int priority, char refused[static REALTIME_TEXT_MAX])
{
    unsigned count = 0;
    size_t length = 0;

    refused[0] = '\0';
    for (unsigned i = 0; i < ARRAY_LENGTH(STEPS); i++) {
        int error = STEPS[i].take(priority);

        if (error == 0)
            continue;
        if (length < REALTIME_TEXT_MAX)
            length += (size_t)snprintf(refused + length, REALTIME_TEXT_MAX - length, "%s%s: %s (needs %s)",
                                       count > 0 ? "; " : "", STEPS[i].name, strerror(-error), STEPS[i].needs);
        count++;
    }
    return count;
}
