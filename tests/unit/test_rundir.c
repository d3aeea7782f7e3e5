/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One daemon per run directory, whoever holds the lock and however it ended; and the channel between guard and
 * worker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/channel.h"
#include "daemon/rundir.h"

#define PATH_SIZE 256

static char base[PATH_SIZE];
static char path[PATH_SIZE + 16];
static char file[PATH_SIZE + 64];

static int setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(base, sizeof(base), "%s/evenkeel-rundir-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/deep/run", base);
    snprintf(file, sizeof(file), "%s/%s", path, RUNDIR_PID_FILE);
    return 0;
}

static int teardown(void **state)
{
    char deep[PATH_SIZE + 8];

    (void)state;
    snprintf(deep, sizeof(deep), "%s/deep", base);
    unlink(file);
    rmdir(path);
    rmdir(deep);
    return rmdir(base);
}

static void test_rundir__missing__made_locked_and_left_empty(void **state)
{
    struct rundir *rundir = NULL;
    struct rundir *second = NULL;
    pid_t holder;

    (void)state;
    assert_int_equal(rundir_open(path, 0, &rundir, &holder), 0);
    assert_string_equal(rundir_path(rundir), path);
    assert_int_equal(rundir_write_pid(rundir), 0);
    assert_int_equal(rundir_open(path, 5000, &second, &holder), -EWOULDBLOCK); /* at once: the holder lives */
    assert_int_equal(holder, getpid());
    rundir_close(rundir);
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(rundir_open(path, 0, &rundir, &holder), 0);
    rundir_close(rundir);
}

static void test_rundir__not_a_directory__errno(void **state)
{
    struct rundir *rundir = NULL;
    pid_t holder;

    (void)state;
    assert_int_equal(rundir_open("/dev/null/run", 0, &rundir, &holder), -ENOTDIR);
    assert_null(rundir);
}

/* A guard that was killed while its worker still leaves: the worker's copy of the lock counts, and is waited for. */
static void test_rundir__holder_gone_lock_inherited__waits(void **state)
{
    struct rundir *rundir = NULL;
    pid_t holder;
    int ready[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t guard = fork();

    if (guard == 0) {
        if (rundir_open(path, 0, &rundir, &holder) != 0 || rundir_write_pid(rundir) != 0)
            _exit(1);
        if (fork() == 0) {
            (void)!write(ready[1], "r", 1);
            usleep(200000);
        }
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(waitpid(guard, NULL, 0), guard);
    assert_int_equal(rundir_open(path, 0, &rundir, &holder), -EWOULDBLOCK);
    assert_int_equal(holder, guard);
    assert_int_equal(rundir_open(path, 5000, &rundir, &holder), 0);
    rundir_close(rundir);
    close(ready[0]);
    close(ready[1]);
}

static void test_channel__messages_then_end__received_in_order(void **state)
{
    enum channel_message message;
    int guard;
    int worker;

    (void)state;
    assert_int_equal(channel_open(&guard, &worker), 0);
    worker = channel_raise(worker);
    assert_int_equal(channel_receive(guard, &message), -EAGAIN);
    assert_int_equal(channel_send(worker, CHANNEL_UP), 0);
    assert_int_equal(channel_send(worker, CHANNEL_LEFT), 0);
    assert_int_equal(write(worker, "\xff", 1), 1); /* a message nobody knows */
    assert_int_equal(channel_send(guard, CHANNEL_LEAVE), 0);
    assert_int_equal(channel_receive(worker, &message), 1);
    assert_int_equal(message, CHANNEL_LEAVE);
    close(worker);
    assert_int_equal(channel_receive(guard, &message), 1);
    assert_int_equal(message, CHANNEL_UP);
    assert_int_equal(channel_receive(guard, &message), 1);
    assert_int_equal(message, CHANNEL_LEFT);
    assert_int_equal(channel_receive(guard, &message), 0);
    assert_true(channel_send(guard, CHANNEL_LEAVE) < 0); /* and no SIGPIPE */
    close(guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rundir__missing__made_locked_and_left_empty, setup, teardown),
        cmocka_unit_test(test_rundir__not_a_directory__errno),
        cmocka_unit_test_setup_teardown(test_rundir__holder_gone_lock_inherited__waits, setup, teardown),
        cmocka_unit_test(test_channel__messages_then_end__received_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
