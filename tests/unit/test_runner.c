/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs beside what: order per subject, checks that still run, full queues; the FIFO's and the orders' limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/fifo.h"
#include "daemon/orders.h"
#include "daemon/runner.h"

#define PATIENCE 20000

static char sh[] = "/bin/sh", minus_c[] = "-c";
static char folder[] = "/tmp/evenkeel-runner-XXXXXX";

/* Results in the order in which they came. */
static struct {
    unsigned count;
    uint32_t tags[256];
    struct script_result results[256];
} seen;

static void on_done(void *context, const struct runner_order *order, const struct script_result *result)
{
    (void)context;
    assert_true(seen.count < 256);
    seen.tags[seen.count] = order->tag;
    seen.results[seen.count++] = *result;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static int add(struct runner *runner, enum runner_class class, uint64_t key, uint32_t tag, const char *shell)
{
    char *arguments[] = {sh, minus_c, (char *)(uintptr_t)shell, NULL};
    const struct check_command command = {.argument_count = 3, .arguments = arguments, .user = "root"};
    const char *const extra[] = {"sh", "one", "two"};
    const struct runner_order order = {.class = (uint8_t) class,
                                       .key = key,
                                       .tag = tag,
                                       .command = &command,
                                       .extra = extra,
                                       .extra_count = 3,
                                       .what = "test",
                                       .timeout_us = 10000000};

    return runner_add(runner, &order);
}

static void run_until(struct runner *runner, unsigned count)
{
    seen.count = 0;
    for (unsigned i = 0; i < PATIENCE && seen.count < count; i++) {
        struct pollfd fds[64];

        runner_turn(runner);
        poll(fds, runner_poll(runner, fds, 64), 1);
    }
    assert_int_equal(seen.count, count);
}

static void test_runner__one_subject__one_after_the_other(void **state)
{
    struct runner *runner = runner_new(on_done, NULL);
    char shell[200], path[64], text[64] = "";

    (void)state;
    snprintf(path, sizeof(path), "%s/order", folder);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(shell, sizeof(shell), "%s echo \"$1$2%u\" >>%s", i == 0 ? "sleep 0.3;" : "", i, path);
        assert_int_equal(add(runner, RUNNER_NOTIFY, 1, i, shell), 0);
    }
    assert_int_equal(add(runner, RUNNER_NOTIFY, 2, 9, "exit 3"), 0);
    run_until(runner, 4);
    assert_int_equal(seen.tags[0], 9); /* another subject does not wait */
    assert_int_equal(seen.results[0].value, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(seen.tags[1 + i], i);
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, "onetwo0\nonetwo1\nonetwo2\n");
    runner_free(runner);
}

static void test_runner__check_that_still_runs__is_not_started_again(void **state)
{
    struct runner *runner = runner_new(on_done, NULL);

    (void)state;
    assert_int_equal(add(runner, RUNNER_CHECK, 1, 1, "sleep 100"), 0);
    runner_turn(runner);
    assert_int_equal(add(runner, RUNNER_CHECK, 1, 2, "exit 0"), -EBUSY);
    runner_end(runner, RUNNER_CHECK);
    run_until(runner, 1);
    assert_int_equal(seen.results[0].outcome, SCRIPT_ENDED);
    for (unsigned i = 0; i < PATIENCE && runner_count(runner, RUNNER_CHECK) > 0; i++) {
        usleep(1000);
        runner_turn(runner);
    }
    assert_int_equal(add(runner, RUNNER_CHECK, 1, 3, "exit 0"), 0);
    run_until(runner, 1);
    runner_free(runner);
}

static void test_runner__full_queue__gives_up_the_oldest_that_waits(void **state)
{
    struct runner *runner = runner_new(on_done, NULL);
    struct runner_stats stats;

    (void)state;
    seen.count = 0;
    assert_int_equal(add(runner, RUNNER_NOTIFY, 1, 0, "sleep 100"), 0);
    runner_turn(runner);
    for (uint32_t i = 1; i < RUNNER_QUEUE_MAX + 2; i++)
        assert_int_equal(add(runner, RUNNER_NOTIFY, 1, i, "exit 0"), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.tags[0], 1); /* not 0, which runs */
    assert_int_equal(seen.tags[1], 2);
    assert_int_equal(seen.results[0].value, EAGAIN);
    assert_int_equal(runner_count(runner, RUNNER_NOTIFY), RUNNER_QUEUE_MAX);
    runner_get_stats(runner, &stats);
    assert_int_equal(stats.given_up, 2);
    assert_int_equal(stats.started, 1);
    runner_free(runner);
}

static void test_runner__many_subjects__a_bounded_number_at_once(void **state)
{
    struct runner *runner = runner_new(on_done, NULL);
    struct runner_stats stats;

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(add(runner, RUNNER_NOTIFY, i, i, "sleep 100"), 0);
    for (unsigned i = 0; i < 50; i++)
        runner_turn(runner);
    runner_get_stats(runner, &stats);
    assert_int_equal(stats.started, 32);
    runner_free(runner);
}

static void test_fifo__no_reader__keeps_then_drops_and_counts(void **state)
{
    char path[64], problem[FIFO_PROBLEM_MAX], line[128], got[128];
    const struct check_fifo settings = {.path = path};
    struct fifo_owner owner = fifo_find_owner(&settings);
    struct fifo *fifo;
    struct stat status;
    unsigned written = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/fifo", folder);
    fifo = fifo_open(&settings, &owner, problem);
    assert_non_null(fifo);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    while (fifo_write(fifo, line, sizeof(line)))
        written++;
    assert_int_equal(fifo_dropped(fifo), 1);
    assert_int_equal(written, (65536 + FIFO_KEEP_MAX) / sizeof(line));
    assert_true(fifo_wants(fifo) >= 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    unsigned lines = 0;

    for (ssize_t length = read(reader, got, sizeof(got)); length == (ssize_t)sizeof(got);
         length = read(reader, got, sizeof(got))) {
        assert_memory_equal(got, line, sizeof(line));
        lines++;
        fifo_flush(fifo);
    }
    assert_int_equal(lines, written);
    assert_int_equal(fifo_wants(fifo), -1);
    fifo_close(fifo);
    close(reader);
    assert_int_equal(stat(path, &status), -1);
}

static void test_fifo__something_else_of_that_name__is_left_alone(void **state)
{
    char path[64], link[64], problem[FIFO_PROBLEM_MAX];
    struct check_fifo settings = {.path = path};
    struct fifo_owner owner = fifo_find_owner(&settings);
    struct stat status;

    (void)state;
    snprintf(path, sizeof(path), "%s/file", folder);
    snprintf(link, sizeof(link), "%s/link", folder);
    close(open(path, O_CREAT | O_WRONLY, 0644));
    assert_null(fifo_open(&settings, &owner, problem));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_int_equal(symlink(path, link), 0);
    settings.path = link;
    assert_null(fifo_open(&settings, &owner, problem));
    assert_non_null(strstr(problem, "symbolic link"));
    settings.user = "nobody-of-this-name";
    owner = fifo_find_owner(&settings);
    assert_null(fifo_open(&settings, &owner, problem));
    /* One that was there stays there. */
    snprintf(path, sizeof(path), "%s/old", folder);
    settings = (struct check_fifo){.path = path};
    owner = fifo_find_owner(&settings);
    assert_int_equal(mkfifo(path, 0666), 0);
    struct fifo *fifo = fifo_open(&settings, &owner, problem);

    assert_non_null(fifo);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    fifo_close(fifo);
    assert_int_equal(stat(path, &status), 0);
}

static void test_orders__many__arrive_in_order_and_others_are_refused(void **state)
{
    struct orders guard, worker;
    struct order batch[ORDERS_BATCH];
    uint64_t refused = 0;
    uint32_t next = 0;
    int ends[2], got;

    (void)state;
    assert_int_equal(orders_pair(&ends[0], &ends[1]), 0);
    assert_int_equal(orders_open(&guard, ends[0], 7), 0);
    assert_int_equal(orders_open(&worker, ends[1], 7), 0);
    for (uint32_t i = 0; i < 9000; i++)
        orders_add(&worker, &(struct order){.kind = ORDER_STATE, .run = i});
    assert_int_equal(worker.dropped, 9000 - 8192);
    assert_false(orders_flush(&worker)); /* more than the socket takes */
    while (next < 8192) {
        while ((got = orders_receive(&guard, batch, &refused)) > 0)
            for (int i = 0; i < got; i++)
                assert_int_equal(batch[i].run, next++);
        assert_int_equal(got, -EAGAIN);
        orders_flush(&worker);
    }
    assert_int_equal(refused, 0);
    orders_add(&worker, &(struct order){.kind = 200});
    worker.connection = 6; /* what it says is about another configuration */
    orders_add(&worker, &(struct order){.kind = ORDER_CHECK});
    assert_true(orders_flush(&worker));
    assert_int_equal(orders_receive(&guard, batch, &refused), -EAGAIN);
    assert_false(orders_is_ahead(&guard));
    assert_int_equal(orders_receive(&guard, batch, &refused), -EAGAIN);
    assert_int_equal(refused, 2);
    worker.connection = 8; /* it has gone on with another configuration already: that waits */
    orders_add(&worker, &(struct order){.kind = ORDER_CHECK});
    assert_true(orders_flush(&worker));
    assert_true(orders_is_ahead(&guard));
    guard.connection = 8;
    assert_false(orders_is_ahead(&guard));
    assert_int_equal(orders_receive(&guard, batch, &refused), 1);
    orders_close(&worker);
    assert_int_equal(orders_receive(&guard, batch, &refused), 0);
    orders_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runner__one_subject__one_after_the_other),
        cmocka_unit_test(test_runner__check_that_still_runs__is_not_started_again),
        cmocka_unit_test(test_runner__full_queue__gives_up_the_oldest_that_waits),
        cmocka_unit_test(test_runner__many_subjects__a_bounded_number_at_once),
        cmocka_unit_test(test_fifo__no_reader__keeps_then_drops_and_counts),
        cmocka_unit_test(test_fifo__something_else_of_that_name__is_left_alone),
        cmocka_unit_test(test_orders__many__arrive_in_order_and_others_are_refused),
    };

    return cmocka_run_group_tests_name("runner", tests, set_up, tear_down);
}
