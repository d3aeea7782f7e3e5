/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service manager's protocol: datagrams arrive, abstract names work, and nothing happens when nobody asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/ready.h"

static int listen_abstract(char *name, size_t size)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(name, size, "@evenkeel-test-ready-%ld", (long)getpid());
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)(void *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
        0);
    return fd;
}

static void test_ready__manager_listens__told(void **state)
{
    char name[64];
    char text[64] = "";
    int fd = listen_abstract(name, sizeof(name));

    (void)state;
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "3000000", 1);
    unsetenv("WATCHDOG_PID");
    struct ready ready = ready_open();

    assert_true(ready.fd >= 0);
    assert_true(ready.watchdog_us == 1500000);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    ready_say(&ready, "READY=1");
    assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 7);
    assert_string_equal(text, "READY=1");
    close(fd);
    ready_say(&ready, "WATCHDOG=1"); /* gone meanwhile: no harm */
    ready_close(&ready);
    ready_close(&ready);
}

static void test_ready__watchdog_of_another_process__ignored(void **state)
{
    char name[64];
    int fd = listen_abstract(name, sizeof(name));

    (void)state;
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "3000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    struct ready ready = ready_open();

    assert_true(ready.watchdog_us == 0);
    ready_close(&ready);
    close(fd);
}

static void test_ready__nobody_or_nonsense__silent(void **state)
{
    static const char *const values[] = {"", "relative", "/nonexistent/socket", "@"};

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    struct ready ready = ready_open();

    assert_int_equal(ready.fd, -1);
    ready_say(&ready, "READY=1");
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        setenv("NOTIFY_SOCKET", values[i], 1);
        ready = ready_open();
        assert_int_equal(ready.fd, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready__manager_listens__told),
        cmocka_unit_test(test_ready__watchdog_of_another_process__ignored),
        cmocka_unit_test(test_ready__nobody_or_nonsense__silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
