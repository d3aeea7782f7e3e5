/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the background (see detach.h). A pipe carries the one byte "up"; its end without one means that the start
 * failed.
 */
#include "daemon/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static _Noreturn void wait_for_child(int fd, pid_t child)
{
    char byte;
    ssize_t got;
    int status = 0;

    do {
        got = read(fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(0);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

int detach_begin(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();

    if (child < 0) {
        int error = errno;

        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0], child);
    }
    close(ends[0]);
    setsid();
    (void)!chdir("/");
    return ends[1];
}

void detach_up(int fd)
{
    (void)!write(fd, "u", 1);
}

void detach_silence(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}
