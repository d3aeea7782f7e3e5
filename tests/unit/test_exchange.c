/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line to the control socket and one back: no daemon, however it behaves, keeps the one who asks beyond the time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/exchange.h"

#define WAIT_MS 100
#define LATE_MS 2000 /* on a busy machine */

static char folder[] = "/tmp/evenkeel-exchange-XXXXXX";
static struct sockaddr_un address;
static int listener, client, server;
static struct exchange_line answer;

/* A daemon that has one place in its queue. */
static int setup(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", folder);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 0), 0);
    client = exchange_connect(folder, exchange_now_ms() + WAIT_MS, &address);
    assert_true(client >= 0);
    server = -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(answer.data);
    answer = (struct exchange_line){.data = NULL};
    close(client);
    close(listener);
    if (server >= 0)
        close(server);
    unlink(address.sun_path);
    rmdir(folder);
    return 0;
}

static void accept_and_say(const char *text)
{
    server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    assert_int_equal(send(server, text, strlen(text), 0), strlen(text));
}

static int ask(void)
{
    return exchange_ask(client, "{}\n", &answer, exchange_now_ms() + WAIT_MS);
}

static void test_exchange__answer__up_to_its_newline(void **state)
{
    (void)state;
    accept_and_say("{\"a\":1}\n");
    assert_int_equal(ask(), 0);
    assert_int_equal(answer.length, 8);
    assert_memory_equal(answer.data, "{\"a\":1}\n", 8);
}

static void test_exchange__half_an_answer__given_up_in_time(void **state)
{
    int64_t began = exchange_now_ms();

    (void)state;
    accept_and_say("{\"a\":");
    assert_int_equal(ask(), -EAGAIN);
    assert_in_range(exchange_now_ms() - began, WAIT_MS - 1, LATE_MS);
}

static void test_exchange__closed_before_the_end__said(void **state)
{
    (void)state;
    accept_and_say("{\"a\":");
    shutdown(server, SHUT_RDWR);
    assert_int_equal(ask(), -ECONNRESET);
}

static void test_exchange__closed_unread_but_answered__the_answer_counts(void **state)
{
    (void)state;
    accept_and_say("{\"error\":{\"code\":\"busy\"}}\n");
    shutdown(server, SHUT_RD);
    assert_int_equal(ask(), 0);
    assert_true(answer.length > 0);
}

static void test_exchange__queue_full__no_wait_and_a_wait_that_ends(void **state)
{
    int64_t began = exchange_now_ms();

    (void)state;
    assert_int_equal(exchange_connect(folder, 0, &address), -EAGAIN);
    assert_in_range(exchange_now_ms() - began, 0, LATE_MS / 2);
    began = exchange_now_ms();
    assert_int_equal(exchange_connect(folder, began + WAIT_MS, &address), -EAGAIN);
    assert_in_range(exchange_now_ms() - began, WAIT_MS - 10, LATE_MS);
}

static void test_exchange__no_daemon__which_path(void **state)
{
    char path[200];

    (void)state;
    assert_int_equal(exchange_connect("/nonexistent", 0, &address), -ENOENT);
    assert_string_equal(address.sun_path, "/nonexistent/control.sock");
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(exchange_connect(path, 0, &address), -ENAMETOOLONG);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", folder); /* for teardown */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exchange__answer__up_to_its_newline),
        TEST(test_exchange__half_an_answer__given_up_in_time),
        TEST(test_exchange__closed_before_the_end__said),
        TEST(test_exchange__closed_unread_but_answered__the_answer_counts),
        TEST(test_exchange__queue_full__no_wait_and_a_wait_that_ends),
        TEST(test_exchange__no_daemon__which_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
