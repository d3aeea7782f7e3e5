/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard's part of a reload: the file is read beside everything else, and whatever happens meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/channel.h"
#include "daemon/guard_script.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/reload_file.h"
#include "platform/clock.h"

#define PATIENCE_MS 10000
#define POOL(more) "vrrp_pool web {\n interface eth0\n " more "\n virtual_ipaddress {\n 192.0.2.50/24\n }\n}\n"

/* What the process that reads shares with the test. */
static struct shared {
    atomic_bool stuck; /* a directory service that does not answer */
    atomic_uint reads; /* of the file */
    _Atomic pid_t reader;
    char file[1024];
} * shared;

static struct config *read_text(struct config_request request, config_report *report, void *context)
{
    if (request.text == NULL) {
        atomic_fetch_add(&shared->reads, 1);
        atomic_store(&shared->reader, getpid());
        while (atomic_load(&shared->stuck))
            usleep(1000);
        request.text = shared->file;
        request.length = strlen(shared->file);
    } else
        assert_false(atomic_load(&shared->stuck)); /* whoever reads a text waits for nobody */
    return config_read(&request, report, context);
}

static const struct daemon_dialect dialect = {.read = read_text};
static struct ready ready;
static struct guard_start start;
static struct guard guard;
static int worker_end;

static int set_up(void **state)
{
    (void)state;
    shared->stuck = false;
    shared->reads = 0;
    strcpy(shared->file, POOL(""));
    ready = (struct ready){.fd = -1};
    start = (struct guard_start){.dialect = &dialect, .request = {.path = "test.conf"}, .ready = &ready};
    guard = (struct guard){.start = &start,
                           .config = read_text(start.request, NULL, NULL),
                           .pidfd = 0, /* any: there is a worker */
                           .up = true,
                           .worker_up = true,
                           .channel = -1,
                           .read_by = MONO_NEVER};
    shared->reads = 0;
    return guard_script_open(guard.config, &guard.script) == 0 && channel_open(&guard.channel, &worker_end) == 0 ? 0
                                                                                                                 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    reload_file_close(guard.reading);
    guard_script_close(guard.script);
    guard_page_close(guard.page);
    guard_page_close(guard.next_page);
    config_free(guard.next_config);
    config_free(guard.before);
    config_free(guard.config);
    close(guard.channel);
    close(worker_end);
    return 0;
}

/* As the guard's loop does: true when the file was read within the time. */
static bool wait_for_reading(int ms)
{
    struct pollfd fd = {.fd = reload_file_fd(guard.reading), .events = POLLIN};

    if (poll(&fd, 1, ms) != 1)
        return false;
    reload_read(&guard, clock_now());
    return true;
}

/* The next message to the worker, CHANNEL_MESSAGE_COUNT: none; with it the beginning of its last file. */
static enum channel_message next_message(char text[static 256])
{
    enum channel_message message = CHANNEL_MESSAGE_COUNT;
    int files[CHANNEL_FILES_MAX];
    unsigned count = 0;

    text[0] = '\0';
    do
        if (channel_receive_files(worker_end, &message, files, &count) != 1)
            return CHANNEL_MESSAGE_COUNT;
    while (message == CHANNEL_RELOAD_READING); /* once for each of shared->reads */
    if (count > 0) {
        ssize_t got = pread(files[count - 1], text, 255, 0);

        text[got > 0 ? got : 0] = '\0';
    }
    while (count > 0)
        close(files[--count]);
    return message;
}

static void expect_message(enum channel_message message, const char *part)
{
    char text[256];

    assert_int_equal(next_message(text), message);
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in '%s'", part, text);
}

static void expect_none(void)
{
    char text[256];

    assert_int_equal(next_message(text), CHANNEL_MESSAGE_COUNT);
}

static void finish_worker(void)
{
    assert_non_null(guard.next_config);
    reload_end(&guard, true, clock_now());
}

static void test_reload__changed_same_and_broken__each_is_answered(void **state)
{
    (void)state;
    reload_begin(&guard, clock_now());
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD_SAME, "");
    assert_int_not_equal(shared->reader, getpid());
    strcpy(shared->file, POOL("garp_master_repeat 7"));
    reload_begin(&guard, clock_now());
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD, "garp_master_repeat");
    assert_int_equal(guard.next_config->pools[0].garp_repeat, 7);
    finish_worker();
    assert_int_equal(guard.config->pools[0].garp_repeat, 7);
    strcpy(shared->file, POOL("garp_master_repeat 7\n intreface eth0"));
    reload_begin(&guard, clock_now());
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD_BAD, "test.conf:4:2: error: ");
    assert_null(guard.next_config);
    assert_null(guard.reading);
}

static void test_reload__lookup_is_stuck__the_guard_is_not_and_many_wishes_become_one(void **state)
{
    (void)state;
    shared->stuck = true;
    reload_begin(&guard, clock_now());
    assert_false(wait_for_reading(20));
    for (unsigned i = 0; i < 100; i++)
        reload_begin(&guard, clock_now());
    expect_none();
    strcpy(shared->file, POOL("garp_master_repeat 2")); /* whatever it has seen of the file */
    shared->stuck = false;
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD, "");
    strcpy(shared->file, POOL("garp_master_repeat 4"));
    finish_worker();
    assert_true(wait_for_reading(PATIENCE_MS)); /* the last wish came after the reading had begun */
    expect_message(CHANNEL_RELOAD, "2 -> 4");
    finish_worker();
    assert_null(guard.reading);
    assert_int_equal(shared->reads, 2);
    expect_none();
}

static void test_reload__wish_while_reading_what_turns_out_the_same__is_not_lost(void **state)
{
    (void)state;
    shared->stuck = true;
    reload_begin(&guard, clock_now());
    reload_begin(&guard, clock_now());
    shared->stuck = false;
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD_SAME, "");
    strcpy(shared->file, POOL("garp_master_repeat 4"));
    assert_true(wait_for_reading(PATIENCE_MS));
    assert_int_equal(shared->reads, 2);
}

static void test_reload__never_answered__is_given_up_and_the_next_one_works(void **state)
{
    (void)state;
    shared->stuck = true;
    reload_begin(&guard, clock_now());
    while (shared->reads == 0)
        usleep(1000);
    assert_false(mono_is_never(guard.read_by));
    reload_read_timeout(&guard);
    expect_message(CHANNEL_RELOAD_BAD, "takes too long");
    shared->stuck = false;
    reload_begin(&guard, clock_now()); /* before it is gone */
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_none();
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD_SAME, "");
}

static void test_reload__reader_killed__told_and_nothing_changes(void **state)
{
    (void)state;
    shared->stuck = true;
    reload_begin(&guard, clock_now());
    while (shared->reads == 0)
        usleep(1000);
    kill(shared->reader, SIGKILL);
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_message(CHANNEL_RELOAD_BAD, "signal 9");
    assert_null(guard.next_config);
}

static void test_reload__worker_gone_or_not_up_yet__nothing_is_lost(void **state)
{
    (void)state;
    strcpy(shared->file, POOL("garp_master_repeat 5"));
    reload_begin(&guard, clock_now());
    guard.worker_up = false; /* it died, and the next one has been started with the old configuration */
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_none();
    assert_true(guard.reload_wanted);
    assert_null(guard.next_config);
    guard.worker_up = true;
    reload_begin(&guard, clock_now()); /* as guard.c does when it is up */
    guard.pidfd = -1;                  /* and now none is there */
    assert_true(wait_for_reading(PATIENCE_MS));
    assert_int_equal(guard.config->pools[0].garp_repeat, 5);
    assert_null(guard.next_config);
    assert_false(guard.reload_wanted);
    expect_none();
}

static void test_reload__worker_dies_before_anybody_has_seen_it__the_next_one_has_the_file(void **state)
{
    (void)state;
    strcpy(shared->file, POOL("garp_master_repeat 5"));
    reload_begin(&guard, clock_now());
    close(worker_end);
    worker_end = dup(0); /* for tear_down */
    assert_true(wait_for_reading(PATIENCE_MS));
    assert_non_null(guard.next_config);
    reload_lost(&guard);
    assert_int_equal(guard.config->pools[0].garp_repeat, 5);
    guard.cleaned = true; /* and one whose end was seen, but that is not reaped yet, is not waited for */
    close(guard.channel);
    guard.channel = -1;
    strcpy(shared->file, POOL("garp_master_repeat 6"));
    reload_begin(&guard, clock_now());
    assert_true(wait_for_reading(PATIENCE_MS));
    assert_int_equal(guard.config->pools[0].garp_repeat, 6);
    guard.channel = dup(0);
}

static void test_reload__told_to_stop_while_reading__ends_there(void **state)
{
    (void)state;
    strcpy(shared->file, POOL("garp_master_repeat 5"));
    reload_begin(&guard, clock_now());
    guard.leaving = true;
    assert_true(wait_for_reading(PATIENCE_MS));
    expect_none();
    assert_null(guard.next_config);
    assert_null(guard.reading);
}

static void test_reload__over_and_over__no_descriptor_and_no_process_is_left(void **state)
{
    int before = dup(0), after;

    (void)state;
    close(before);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(shared->file, sizeof(shared->file), POOL("garp_master_repeat %u"), 1 + i % 3);
        reload_begin(&guard, clock_now());
        assert_true(wait_for_reading(PATIENCE_MS));
        char text[256];

        next_message(text);
        if (guard.next_config != NULL)
            reload_end(&guard, i % 2 == 0, clock_now());
    }
    after = dup(0);
    close(after);
    assert_in_range(after, before, before + 1); /* the guard's page may be one more */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static struct mono no_time(void)
{
    return (struct mono){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reload__changed_same_and_broken__each_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__lookup_is_stuck__the_guard_is_not_and_many_wishes_become_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__wish_while_reading_what_turns_out_the_same__is_not_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reload__never_answered__is_given_up_and_the_next_one_works, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reload__reader_killed__told_and_nothing_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__worker_gone_or_not_up_yet__nothing_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__worker_dies_before_anybody_has_seen_it__the_next_one_has_the_file,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__told_to_stop_while_reading__ends_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload__over_and_over__no_descriptor_and_no_process_is_left, set_up,
                                        tear_down),
    };
    FILE *null = fopen("/dev/null", "we");

    log_open_with(&(struct log_settings){.level = LOG_LEVEL_ERROR,
                                         .target = LOG_TARGET_STDERR,
                                         .identifier = "test",
                                         .fd = fileno(null),
                                         .clock = no_time});
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 1 : cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
