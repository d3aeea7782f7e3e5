/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our side of a run, and its keeper (see script.h). What the command itself goes through before it is executed is
 * script_child.c. Called by daemon/runner.c.
 */
#include "platform/script.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mono.h"
#include "config/permit.h"
#include "platform/script_child.h"

#define KEEPER_FD 3 /* the first beside the standard ones */

/* --- the keeper --- */

/* Time that stands still while the host sleeps, as the command does. */
static int64_t keeper_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static void keeper_say(enum script_outcome outcome, int value)
{
    const struct script_result result = {.outcome = (uint8_t)outcome, .value = value};
    ssize_t written = write(KEEPER_FD, &result, sizeof(result));

    (void)written; /* whoever wanted to know is gone then */
}

enum keeper_phase {
    KEEPER_RUNNING,
    KEEPER_TERM, /* it was asked to end */
    KEEPER_KILL, /* and then made to */
};

struct keeper {
    pid_t child; /* and its process group */
    enum keeper_phase phase;
    int64_t limit_us; /* of the phase; INT64_MAX: none */
    bool told;
};

/* The next signal, 0 at the limit. */
static int keeper_wait(const struct keeper *keeper, const sigset_t *signals)
{
    int64_t wait_us = keeper->limit_us == INT64_MAX ? 0 : keeper->limit_us - keeper_now_us();
    struct timespec wait = {0};
    int signal;

    if (wait_us > 0)
        wait = (struct timespec){.tv_sec = wait_us / US_PER_S, .tv_nsec = wait_us % US_PER_S * 1000};
    do
        signal = sigtimedwait(signals, NULL, keeper->limit_us == INT64_MAX ? NULL : &wait);
    while (signal < 0 && errno == EINTR);
    return signal < 0 ? 0 : signal;
}

static void keeper_tell(struct keeper *keeper, enum script_outcome outcome, int value)
{
    if (!keeper->told)
        keeper_say(outcome, value);
    keeper->told = true;
}

static void keeper_next_phase(struct keeper *keeper)
{
    keeper->phase = keeper->phase == KEEPER_RUNNING ? KEEPER_TERM : KEEPER_KILL;
    keeper->limit_us = keeper->phase == KEEPER_TERM ? keeper_now_us() + SCRIPT_KILL_AFTER_US : INT64_MAX;
    int signal = keeper->phase == KEEPER_TERM ? SIGTERM : SIGKILL;

    if (kill(-keeper->child, signal) < 0)
        kill(keeper->child, signal); /* it has not come as far as a group of its own */
}

/* True when the command has ended. Before it is reaped its number stays taken, so that the signal meets its group. */
static bool keeper_collect(struct keeper *keeper)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)keeper->child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return false;
    if (keeper->phase != KEEPER_RUNNING)
        kill(-keeper->child, SIGKILL);
    waitpid(keeper->child, NULL, 0);
    if (info.si_code == CLD_EXITED)
        keeper_tell(keeper, SCRIPT_EXITED, info.si_status);
    else
        keeper_tell(keeper, SCRIPT_SIGNALLED, info.si_status);
    return true;
}

static void keeper_watch(struct keeper *keeper, const sigset_t *signals)
{
    while (!keeper_collect(keeper)) {
        int signal = keeper_wait(keeper, signals);

        if (signal == SIGCHLD)
            continue;
        if (keeper->phase == KEEPER_RUNNING)
            keeper_tell(keeper, signal == SIGTERM ? SCRIPT_ENDED : SCRIPT_TIMED_OUT, 0);
        else if (signal == SIGTERM)
            continue; /* we know */
        keeper_next_phase(keeper);
    }
}

/* Nothing of ours stays open: our ends of channels and locks must close when we do. */
static void keeper_let_go(int result_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd < KEEPER_FD; fd++)
        dup2(null, fd);
    if (result_fd != KEEPER_FD) /* only now: `null` may have that number */
        dup3(result_fd, KEEPER_FD, O_CLOEXEC);
    closefrom(KEEPER_FD + 1);
}

/* The scheduling of those who start us is not for commands. */
static void keeper_be_ordinary(void)
{
    const struct sched_param none = {.sched_priority = 0};
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    sched_setscheduler(0, SCHED_OTHER, &none);
    setpriority(PRIO_PROCESS, 0, 0);
    if (fd >= 0) {
        ssize_t written = write(fd, "0", 1);

        (void)written; /* where it cannot be, it stays as it was given to us */
        close(fd);
    }
}

static _Noreturn void keeper_main(const struct script_start *start, pid_t parent, int result_fd)
{
    struct keeper keeper = {.limit_us = INT64_MAX};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    keeper_let_go(result_fd);
    keeper_be_ordinary();
    prctl(PR_SET_NAME, "evenkeel-keeper");
    if (start->follows && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent))
        _exit(0);
    keeper.child = fork();
    if (keeper.child == 0)
        script_child_main(start, KEEPER_FD);
    if (keeper.child < 0) {
        keeper_say(SCRIPT_FAILED, errno);
        _exit(0);
    }
    if (start->timeout_us > 0)
        keeper.limit_us = keeper_now_us() + start->timeout_us;
    keeper_watch(&keeper, &signals);
    _exit(0);
}

/* --- our side --- */

int script_start(const struct script_start *start, struct script *out)
{
    pid_t self = getpid();
    sigset_t all, before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* script_end may come before the keeper has said what it wants of it */
    pid_t keeper = fork();

    if (keeper == 0)
        keeper_main(start, self, ends[1]);
    int error = errno;

    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (keeper < 0) {
        close(ends[0]);
        return -error;
    }
    *out = (struct script){.keeper = keeper, .fd = ends[0]};
    return 0;
}

int script_read(struct script *script, struct script_result *result)
{
    ssize_t got;

    do
        got = read(script->fd, result, sizeof(*result));
    while ((got < 0 && errno == EINTR) || (got > 0 && script->told));
    if (got == (ssize_t)sizeof(*result) && result->outcome < SCRIPT_OUTCOME_COUNT) {
        script->told = true;
        return 1;
    }
    if (got < 0 && errno == EAGAIN)
        return -EAGAIN;
    *result = (struct script_result){.outcome = SCRIPT_LOST};
    return 0;
}

void script_end(const struct script *script)
{
    if (script->keeper > 0)
        kill(script->keeper, SIGTERM);
}

bool script_reap(struct script *script)
{
    if (script->keeper > 0 && waitpid(script->keeper, NULL, WNOHANG) == 0)
        return false;
    script->keeper = 0;
    if (script->fd >= 0)
        close(script->fd);
    script->fd = -1;
    return true;
}

static const char *failure_text(int error)
{
    return error == ENOEXEC ? "it does not begin with #! and an interpreter"
           : error == EPERM ? "not allowed to become the user it is to run as (needs CAP_SETUID and CAP_SETGID)"
                            : strerror(error);
}

void script_result_text(const struct script_result *result, char text[static SCRIPT_TEXT_MAX])
{
    static char *words[] = {(char *)(uintptr_t) "", NULL};
    static const struct check_command some = {.arguments = words, .argument_count = 1}; /* one without is not run */

    switch ((enum script_outcome)result->outcome) {
    case SCRIPT_EXITED:
        snprintf(text, SCRIPT_TEXT_MAX, "exit code %d", result->value);
        return;
    case SCRIPT_SIGNALLED:
        snprintf(text, SCRIPT_TEXT_MAX, "killed by signal %d (%s)", result->value, strsignal(result->value));
        return;
    case SCRIPT_TIMED_OUT:
        snprintf(text, SCRIPT_TEXT_MAX, "timed out");
        return;
    case SCRIPT_REFUSED:
        snprintf(text, SCRIPT_TEXT_MAX, "cannot be run: %s", permit_refusal(&some, (enum check_permit)result->value));
        return;
    case SCRIPT_FAILED:
        snprintf(text, SCRIPT_TEXT_MAX, "cannot be run: %s", failure_text(result->value));
        return;
    case SCRIPT_ENDED:
        snprintf(text, SCRIPT_TEXT_MAX, "ended by the daemon");
        return;
    case SCRIPT_LOST:
        snprintf(text, SCRIPT_TEXT_MAX, "killed together with its keeper");
        return;
    case SCRIPT_OUTCOME_COUNT:
        break;
    }
    snprintf(text, SCRIPT_TEXT_MAX, "unknown");
}
