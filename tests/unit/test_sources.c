/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where tracked things are read: numbers in files, processes by name and parameters, interfaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/file_watch.h"
#include "platform/link_watch.h"
#include "platform/process_match.h"
#include "platform/process_watch.h"

#define PATIENCE_MS 20000

static char folder[] = "/tmp/evenkeel-sources-XXXXXX";

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

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void test_file__number__is_read_strictly(void **state)
{
    static const struct {
        const char *text;
        enum file_state state;
        int64_t number;
    } rows[] = {
        {"5", FILE_NUMBER, 5},
        {" -7\n", FILE_NUMBER, -7},
        {"+12 \r\n", FILE_NUMBER, 12},
        {"2147483647", FILE_NUMBER, 2147483647},
        {"2147483648", FILE_BAD, 0},
        {"-2147483647\n", FILE_NUMBER, -2147483647},
        {"99999999999999999999999", FILE_BAD, 0},
        {"", FILE_EMPTY, 0},
        {" \n", FILE_EMPTY, 0},
        {"5x", FILE_BAD, 0},
        {"0x5", FILE_BAD, 0},
        {"5 6", FILE_BAD, 0},
        {"-", FILE_BAD, 0},
        {"1.5", FILE_BAD, 0},
    };
    char path[64], text[FILE_TEXT_MAX];
    int64_t number;

    (void)state;
    snprintf(path, sizeof(path), "%s/number", folder);
    assert_int_equal(file_read_number(path, &number, text), FILE_MISSING);
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        write_file(path, rows[i].text, strlen(rows[i].text));
        assert_int_equal(file_read_number(path, &number, text), rows[i].state);
        assert_int_equal(number, rows[i].number);
        assert_int_equal(text[0] == '\0', rows[i].state == FILE_NUMBER);
    }
    write_file(path, "5\0006", 3);
    assert_int_equal(file_read_number(path, &number, text), FILE_BAD);
}

static void test_file__that_could_wait__is_not_read(void **state)
{
    char path[64], text[FILE_TEXT_MAX];
    int64_t number;

    (void)state;
    snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read_number(path, &number, text), FILE_BAD);
    assert_int_equal(file_read_number(folder, &number, text), FILE_BAD);
    assert_int_equal(file_read_number("/dev/zero", &number, text), FILE_BAD);
}

static bool wakes(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    bool woken = poll(&poll_fd, 1, timeout_ms) == 1;

    file_watch_drain(fd);
    return woken;
}

static void test_file__written_moved_removed__wakes(void **state)
{
    char path[64], other[64];
    int fd = file_watch_open();

    (void)state;
    snprintf(path, sizeof(path), "%s/watched", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_true(fd >= 0);
    assert_int_equal(file_watch_add(fd, path), 0);
    write_file(path, "1", 1);
    assert_true(wakes(fd, PATIENCE_MS));
    write_file(other, "2", 1);
    assert_int_equal(rename(other, path), 0);
    assert_true(wakes(fd, PATIENCE_MS));
    assert_int_equal(unlink(path), 0);
    assert_true(wakes(fd, PATIENCE_MS));
    assert_false(wakes(fd, 0));
    assert_true(file_watch_add(fd, "/nonexistent/folder/file") < 0);
    close(fd);
}

#define LINE(text) text, sizeof(text)

static void test_process__name_and_parameters__as_the_manual_says(void **state)
{
    char *name[] = {(char *)(uintptr_t) "/usr/sbin/httpd", NULL};
    char *long_name[] = {(char *)(uintptr_t) "a-name-longer-than-15", NULL};
    char *all[] = {(char *)(uintptr_t) "/usr/bin/java", (char *)(uintptr_t) "-jar", (char *)(uintptr_t) "app", NULL};
    struct check_process plain = {.words = name, .word_count = 1};
    struct check_process lengthy = {.words = long_name, .word_count = 1};
    struct check_process exact = {.words = all, .word_count = 3, .match = CHECK_MATCH_EXACT};

    (void)state;
    assert_false(process_match_needs_line(&plain));
    assert_true(process_matches(&plain, "httpd", "", 0));
    assert_false(process_matches(&plain, "httpd2", "", 0));
    assert_true(process_match_needs_line(&lengthy));
    assert_true(process_matches(&lengthy, "a-name-longer-t", LINE("/opt/a-name-longer-than-15\0--fast")));
    assert_false(process_matches(&lengthy, "a-name-longer-t", LINE("/opt/a-name-longer-than-16")));
    assert_true(process_matches(&exact, "java", LINE("java\0-jar\0app")));
    assert_false(process_matches(&exact, "java", LINE("java\0-jar\0app\0more")));
    assert_false(process_matches(&exact, "java", LINE("java\0-jar")));
    assert_false(process_matches(&exact, "java", LINE("java\0-jar\0apple")));
    assert_false(process_matches(&exact, "java", "", 0));
    exact.match = CHECK_MATCH_INITIAL;
    assert_true(process_matches(&exact, "java", LINE("java\0-jar\0app\0more")));
    assert_false(process_matches(&exact, "java", LINE("java\0-jar\0apple")));
    exact.match = CHECK_MATCH_PARTIAL;
    assert_true(process_matches(&exact, "java", LINE("java\0-jar\0apple\0more")));
    assert_false(process_matches(&exact, "java", LINE("java\0-jarx\0apple")));
    exact.full_command = true;
    assert_false(process_matches(&exact, "java", LINE("java\0-jar\0app")));
    assert_true(process_matches(&exact, "java", LINE("/usr/bin/java\0-jar\0app")));
}

static pid_t named_process(const char *name)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    return pid;
}

static unsigned next_count(struct process_watch *watch)
{
    struct pollfd fd = {.fd = process_watch_fd(watch), .events = POLLIN};
    unsigned count = 0;

    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_true(process_watch_take(watch, &count));
    return count;
}

static void test_process__that_runs_and_ends__is_counted(void **state)
{
    char name[16], *words[] = {name, NULL};
    const struct check_process process = {.words = words, .word_count = 1};
    struct process_watch *watch = NULL;

    (void)state;
    snprintf(name, sizeof(name), "keel-%d", (int)getpid() % 1000000); /* nobody else's */
    assert_int_equal(process_watch_open(&process, 1, &watch), 0);
    assert_int_equal(next_count(watch), 0); /* the first count is told, whatever it is */
    pid_t first = named_process(name), second = named_process(name);
    unsigned count;

    do
        count = next_count(watch);
    while (count == 1);
    assert_int_equal(count, 2);
    kill(first, SIGKILL);
    assert_int_equal(waitpid(first, NULL, 0), first);
    assert_int_equal(next_count(watch), 1);
    kill(second, SIGKILL);
    assert_int_equal(waitpid(second, NULL, 0), second);
    assert_int_equal(next_count(watch), 0);
    assert_false(process_watch_take(watch, &count));
    process_watch_close(watch);
}

static void test_link__missing__is_down(void **state)
{
    int fd = link_watch_open();
    struct addr address;

    (void)state;
    assert_true(fd >= 0);
    assert_false(link_watch_is_up(fd, "no-such-link"));
    assert_true(addr_parse("192.0.2.199", &address));
    assert_false(link_watch_has_address(&address, "lo"));
    assert_true(addr_parse("127.0.0.1", &address));
    assert_true(link_watch_has_address(&address, "lo"));
    link_watch_drain(fd);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file__number__is_read_strictly),
        cmocka_unit_test(test_file__that_could_wait__is_not_read),
        cmocka_unit_test(test_file__written_moved_removed__wakes),
        cmocka_unit_test(test_process__name_and_parameters__as_the_manual_says),
        cmocka_unit_test(test_process__that_runs_and_ends__is_counted),
        cmocka_unit_test(test_link__missing__is_down),
    };

    return cmocka_run_group_tests_name("sources", tests, set_up, tear_down);
}
