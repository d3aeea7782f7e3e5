/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a fork of the daemon to the command (see script.h for what it gets). It runs as root until the last steps, in a
 * process of its own: here looking up users and files may block, and the time limit counts already.
 */
#include "platform/script_child.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/permit.h"
#include "platform/privilege.h"

static _Noreturn void give_up(int result_fd, enum script_outcome outcome, int value)
{
    const struct script_result result = {.outcome = (uint8_t)outcome, .value = value};
    ssize_t written = write(result_fd, &result, sizeof(result));

    (void)written;
    _exit(1);
}

/* --- who --- */

static int become(const struct permit *permit, const struct passwd *entry)
{
    uid_t uids[3];
    gid_t gids[3];
    bool same = geteuid() == permit->uid && getegid() == permit->gid;

    int error = privilege_shed();

    if (error < 0)
        return error;
    /* A daemon that may not change groups can run commands as itself, with the groups that it has. */
    int groups = entry != NULL ? initgroups(entry->pw_name, permit->gid) : setgroups(1, &permit->gid);

    if (groups < 0 && (errno != EPERM || !same))
        return -errno;
    if (setresgid(permit->gid, permit->gid, permit->gid) < 0 || setresuid(permit->uid, permit->uid, permit->uid) < 0)
        return -errno;
    if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 || getresgid(&gids[0], &gids[1], &gids[2]) < 0)
        return -errno;
    for (unsigned i = 0; i < 3; i++)
        if (uids[i] != permit->uid || gids[i] != permit->gid)
            return -EPERM;
    /* Having been root must not be a way back to it. */
    return permit->uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

/* --- with what --- */

enum {
    ENVIRONMENT_COUNT = 5,
};

static char *variable(const char *name, const char *value)
{
    char *text = NULL;

    return asprintf(&text, "%s=%s", name, value) < 0 ? NULL : text;
}

static bool make_environment(const struct passwd *entry, char *out[static ENVIRONMENT_COUNT + 1])
{
    const char *user = entry != NULL ? entry->pw_name : "root";

    out[0] = variable("PATH", PERMIT_PATH);
    out[1] = variable("HOME", entry != NULL && entry->pw_dir[0] == '/' ? entry->pw_dir : "/");
    out[2] = variable("USER", user);
    out[3] = variable("LOGNAME", user);
    out[4] = variable("SHELL", "/bin/sh");
    out[ENVIRONMENT_COUNT] = NULL;
    for (unsigned i = 0; i < ENVIRONMENT_COUNT; i++)
        if (out[i] == NULL)
            return false;
    return true;
}

/* Handlers are gone after exec, but what is ignored or blocked would stay so. */
static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void script_child_main(const struct script_start *start, int result_fd)
{
    pid_t keeper = getppid();
    char *environment[ENVIRONMENT_COUNT + 1];
    struct permit permit;

    setsid();
    umask(022);
    if (chdir("/") < 0)
        give_up(result_fd, SCRIPT_FAILED, errno);
    permit_look(start->command, start->security, &permit);
    if (permit.verdict != CHECK_RUNNABLE)
        give_up(result_fd, SCRIPT_REFUSED, permit.verdict);
    const struct passwd *entry = getpwuid(permit.uid);

    if (!make_environment(entry, environment))
        give_up(result_fd, SCRIPT_FAILED, ENOMEM);
    int error = become(&permit, entry);

    if (error < 0)
        give_up(result_fd, SCRIPT_FAILED, -error);
    /* After the change of user, which would undo it. */
    if (privilege_follow_parent(keeper, SIGKILL) < 0)
        _exit(1);
    reset_signals();
    execve(permit.path, start->arguments, environment);
    give_up(result_fd, SCRIPT_FAILED, errno);
}
