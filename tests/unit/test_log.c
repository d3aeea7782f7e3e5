/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: forms, targets, limits, and that it never waits. Time is virtual; pipes and sockets are our own. */
#include <fcntl.h>
#include <jansson.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/log.h"
#include "daemon/message_id.h"
#include "daemon/note.h"

static struct mono now;
static int pipe_fds[2];
static int server; /* of the datagram targets */
static char directory[64];
static char socket_path[100];
static char text[128 * 1024]; /* what came out since the last read */

static struct mono virtual_clock(void)
{
    return now;
}

static int set_up(void **state)
{
    (void)state;
    now = (struct mono){1000 * US_PER_S};
    server = -1;
    snprintf(directory, sizeof(directory), "/tmp/test_log.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
    return pipe(pipe_fds);
}

static int tear_down(void **state)
{
    (void)state;
    log_close();
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    if (server >= 0)
        close(server);
    unlink(socket_path);
    return rmdir(directory);
}

static enum log_target open_log(enum log_target target, enum log_format format, int fd)
{
    return log_open_with(&(struct log_settings){
        .level = LOG_LEVEL_INFO,
        .format = format,
        .target = target,
        .identifier = "evenkeeld",
        .path = socket_path,
        .fd = fd,
        .clock = virtual_clock,
    });
}

static const char *read_fd(int fd)
{
    size_t length = 0;
    ssize_t count;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (length < sizeof(text) - 1 && (count = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)count;
    text[length] = '\0';
    return text;
}

static const char *read_pipe(void)
{
    return read_fd(pipe_fds[0]);
}

static void listen_at_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    unlink(socket_path);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(server >= 0);
    assert_int_equal(bind(server, (struct sockaddr *)(void *)&address, sizeof(address)), 0);
}

static unsigned count_lines(const char *lines)
{
    unsigned count = 0;

    for (; *lines; lines++)
        count += *lines == '\n';
    return count;
}

static void test_text__line__has_time_level_and_message(void **state)
{
    int year, month, day, hour, minute, second, ms;
    char level[16], message[32];

    (void)state;
    assert_int_equal(open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]), LOG_TARGET_STDERR);
    log_warning("unit %d: Backup", 50);
    assert_int_equal(sscanf(read_pipe(), "%4d-%2d-%2d %2d:%2d:%2d.%3d %15[a-z]: %31[^\n]", &year, &month, &day, &hour,
                            &minute, &second, &ms, level, message),
                     9);
    assert_string_equal(level, "warning");
    assert_string_equal(message, "unit 50: Backup");
    assert_int_equal(count_lines(text), 1);
}

static void test_level__below_the_wanted__is_not_written(void **state)
{
    enum log_level level;

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    log_debug("not now");
    assert_string_equal(read_pipe(), "");
    assert_true(log_level_parse("debug", &level));
    log_set_level(level);
    log_debug("now");
    assert_non_null(strstr(read_pipe(), "debug: now\n"));
    assert_true(log_level_parse("error", &level));
    log_set_level(level);
    log_warning("no");
    assert_string_equal(read_pipe(), "");
    assert_false(log_level_parse("Error", &level));
    assert_false(log_level_parse("", &level));
}

static void test_text__hostile_bytes__cannot_forge_lines_or_speak_to_terminals(void **state)
{
    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    log_info("%s", "a\nb\r\033[2J\x7f \xc3\xa4 \xc2\x9b \xff \xe2\x82 \xed\xa0\x80 \xf0\x9f\x98\x80 \xc0\xaf \xe2");
    assert_non_null(strstr(read_pipe(), "info: a?b??[2J? \xc3\xa4 ?? ? ?? ??? \xf0\x9f\x98\x80 ?? ?\n"));
    assert_int_equal(count_lines(text), 1);
}

static void test_text__longer_than_fits__is_cut(void **state)
{
    char longest[3 * LOG_MESSAGE_MAX];

    (void)state;
    memset(longest, '"', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    log_info("%s", longest);
    assert_in_range(strlen(read_pipe()), LOG_MESSAGE_MAX, LOG_MESSAGE_MAX + 40);
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_JSON, pipe_fds[1]);
    log_info("%s", longest);
    json_t *object = json_loads(read_pipe(), 0, NULL);

    assert_int_equal(json_string_length(json_object_get(object, "message")), LOG_MESSAGE_MAX - 1);
    json_decref(object);
}

static void test_json__fields__are_keys_of_one_object_per_line(void **state)
{
    struct log_field fields[] = {{"pool", "web \"1\"\\\n\xff"}, {"unit", NULL}, {"member", "10.0.0.2"}};

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_JSON, pipe_fds[1]);
    log_write(LOG_LEVEL_NOTICE, "member_dead", fields, 3, "member %s not heard", "10.0.0.2");
    json_t *object = json_loads(read_pipe(), JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(object);
    assert_int_equal(json_object_size(object), 7);
    assert_string_equal(json_string_value(json_object_get(object, "level")), "notice");
    assert_string_equal(json_string_value(json_object_get(object, "kind")), "member_dead");
    assert_string_equal(json_string_value(json_object_get(object, "message")), "member 10.0.0.2 not heard");
    assert_string_equal(json_string_value(json_object_get(object, "pool")), "web \"1\"\\??");
    assert_string_equal(json_string_value(json_object_get(object, "member")), "10.0.0.2");
    assert_int_equal(json_string_length(json_object_get(object, "time")), strlen("2026-01-31T13:05:07.123456Z"));
    json_decref(object);
}

static void test_json__fields_that_do_not_fit__are_left_out_whole(void **state)
{
    static char huge[5000];
    struct log_field fields[] = {{"before", "1"}, {"huge", huge}, {"after", "2"}};

    (void)state;
    memset(huge, 'x', sizeof(huge) - 1);
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_JSON, pipe_fds[1]);
    log_write(LOG_LEVEL_INFO, NULL, fields, 3, "m");
    for (unsigned length = 3900; length < 4096; length++) {
        huge[length] = '\0';
        log_write(LOG_LEVEL_INFO, NULL, fields, 3, "m");
        huge[length] = 'x';
        json_t *object = json_loads(strtok((char *)(uintptr_t)read_pipe(), "\n"), 0, NULL);

        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "before")), "1");
        json_decref(object);
    }
}

static void test_limit__more_than_ten__are_held_back_and_counted(void **state)
{
    struct log_stats stats;

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (int i = 0; i < 25; i++)
        log_write(LOG_LEVEL_INFO, "flood", NULL, 0, "flood %d", i);
    log_write(LOG_LEVEL_INFO, "other", NULL, 0, "something else");
    assert_int_equal(count_lines(read_pipe()), LOG_BURST + 1);
    now = mono_add(now, LOG_WINDOW_US - 1);
    assert_int_equal(log_tick().us, now.us + 1);
    assert_string_equal(read_pipe(), "");
    now = mono_add(now, 1);
    assert_true(mono_is_never(log_tick()));
    assert_non_null(strstr(read_pipe(), "info: 15 messages held back, the last one: flood 24\n"));
    log_get_stats(&stats);
    assert_int_equal(stats.held_back, 15);
    assert_int_equal(stats.written, LOG_BURST + 2);
}

static void test_limit__next_message_of_the_kind__says_it_without_a_tick(void **state)
{
    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (int i = 0; i < 12; i++)
        log_write(LOG_LEVEL_WARNING, "flood", NULL, 0, "flood %d", i);
    read_pipe();
    now = mono_add(now, LOG_WINDOW_US);
    log_write(LOG_LEVEL_INFO, "flood", NULL, 0, "anew");
    assert_non_null(strstr(read_pipe(), "warning: 2 messages held back, the last one: flood 11\n"));
    assert_non_null(strstr(text, "info: anew\n"));
    assert_int_equal(count_lines(text), 2);
}

static void test_limit__call_sites__are_kinds_of_their_own(void **state)
{
    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (int i = 0; i < 20; i++) {
        log_info("one");
        log_info("two");
        log_write(LOG_LEVEL_INFO, NULL, NULL, 0, "never held back");
    }
    assert_int_equal(count_lines(read_pipe()), 2 * LOG_BURST + 20);
}

/* How many messages the lines that came out since the last read say were held back. */
static unsigned read_held_back(void)
{
    unsigned said = 0, held;

    read_pipe();
    for (const char *at = text; (at = strstr(at, "info: ")) != NULL; at++)
        if (sscanf(at, "info: %u messages held back", &held) == 1)
            said += held;
    return said;
}

static void test_limit__more_kinds_than_fit__lose_no_count(void **state)
{
    struct log_stats stats;
    unsigned said = 0;

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (int kind = 0; kind < 200; kind++) {
        char name[32];

        snprintf(name, sizeof(name), "kind_%d", kind);
        for (int i = 0; i < 11; i++)
            log_write(LOG_LEVEL_INFO, name, NULL, 0, "m");
        now = mono_add(now, 1);
        said += read_held_back();
    }
    now = mono_add(now, LOG_WINDOW_US);
    log_tick();
    said += read_held_back();
    log_get_stats(&stats);
    assert_int_equal(stats.held_back, 200);
    assert_int_equal(said, 200);
}

static void test_pipe__full__drops_counts_and_says_so_later(void **state)
{
    struct log_stats stats;
    unsigned dropped;

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (unsigned i = 0; i < 10000; i++)
        log_write(LOG_LEVEL_INFO, NULL, NULL, 0, "message %u", i);
    log_get_stats(&stats);
    assert_true(stats.dropped > 0);
    assert_int_equal(stats.written + stats.dropped, 10000);
    assert_int_equal(count_lines(read_pipe()), stats.written);
    log_write(LOG_LEVEL_INFO, NULL, NULL, 0, "again");
    assert_int_equal(sscanf(read_pipe(), "%*s %*s warning: %u log messages were lost", &dropped), 1);
    assert_int_equal(dropped, stats.dropped);
    assert_non_null(strstr(text, "info: again\n"));
    assert_int_equal(fcntl(pipe_fds[1], F_GETFL) & O_NONBLOCK, 0); /* what is shared with others stays as it was */
}

static void test_stderr__closed__drops(void **state)
{
    struct log_stats stats;

    (void)state;
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, -1);
    log_info("to nobody");
    log_get_stats(&stats);
    assert_int_equal(stats.dropped, 1);
}

static void test_stderr__file__is_appended_to_where_others_write_too(void **state)
{
    char *file;
    int fd;

    (void)state;
    assert_true(asprintf(&file, "%s/file", directory) > 0);
    fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "first\n", 6), 6);
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, fd);
    log_info("second");
    assert_int_equal(write(fd, "third\n", 6), 6);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    read_fd(fd);
    assert_int_equal(count_lines(text), 3);
    assert_memory_equal(text, "first\n", 6);
    assert_non_null(strstr(text, "info: second\nthird\n"));
    close(fd);
    unlink(file);
    free(file);
}

static void test_terminal__colour__unless_told_otherwise(void **state)
{
    int master, terminal;

    (void)state;
    assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, terminal);
    log_error("red");
    assert_non_null(strstr(read_fd(master), "\033[31;1merror: red\033[0m"));
    setenv("NO_COLOR", "1", 1);
    open_log(LOG_TARGET_STDERR, LOG_FORMAT_TEXT, terminal);
    log_error("plain");
    assert_null(strchr(read_fd(master), '\033'));
    unsetenv("NO_COLOR");
    close(master);
    close(terminal);
}

static void test_syslog__datagram__has_priority_and_process(void **state)
{
    char expected[64];

    (void)state;
    listen_at_path();
    assert_int_equal(open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT, pipe_fds[1]), LOG_TARGET_SYSLOG);
    log_error("it broke\n");
    read_fd(server);
    assert_memory_equal(text, "<27>", 4);
    snprintf(expected, sizeof(expected), " evenkeeld[%ld]: it broke?", (long)getpid());
    assert_string_equal(text + strlen("<27>Jan 31 13:05:07"), expected);
}

static void test_syslog__json__is_the_message(void **state)
{
    (void)state;
    listen_at_path();
    open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_JSON, pipe_fds[1]);
    log_info("m");
    json_t *object = json_loads(strchr(read_fd(server), '{'), 0, NULL);

    assert_string_equal(json_string_value(json_object_get(object, "message")), "m");
    json_decref(object);
}

static void test_journal__fields__are_key_value_lines(void **state)
{
    struct log_field fields[] = {{"pool", "web\nPRIORITY=0"}, {"member-name", "a"}};

    (void)state;
    listen_at_path();
    assert_int_equal(open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_JSON, pipe_fds[1]), LOG_TARGET_JOURNAL);
    log_write(LOG_LEVEL_WARNING, "contest", fields, 2, "two owners");
    assert_string_equal(read_fd(server), "PRIORITY=4\nSYSLOG_IDENTIFIER=evenkeeld\nMESSAGE=two owners\n"
                                         "MESSAGE_ID=c1d3ec091bd444c0bbecfd294dcfaea0\nKIND=contest\n"
                                         "POOL=web?PRIORITY=0\nMEMBER_NAME=a\n");
}

static void test_journal__message_of_the_process__has_its_place_in_the_source(void **state)
{
    (void)state;
    listen_at_path();
    open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT, pipe_fds[1]);
    log_warning("line %d\nMESSAGE_ID=0", 1);
    assert_non_null(strstr(read_fd(server), "MESSAGE=line 1?MESSAGE_ID=0\nCODE_FILE="));
    assert_non_null(strstr(text, "test_log.c\nCODE_LINE="));
    assert_null(strstr(text, "\nMESSAGE_ID="));
}

static void test_message_id__every_kind_of_note__has_one_of_its_own_that_the_manual_lists(void **state)
{
    const char *ids[NOTE_KINDS + 2] = {[NOTE_KINDS] = message_id("log_lost"), message_id("log_held_back")};
    FILE *file = fopen(EVENKEEL_SOURCE "/doc/control.md", "r");
    static char manual[65536];

    (void)state;
    assert_non_null(file);
    assert_true(fread(manual, 1, sizeof(manual) - 1, file) > 0);
    fclose(file);
    for (unsigned kind = 0; kind < ARRAY_LENGTH(ids); kind++) {
        if (kind < NOTE_KINDS)
            ids[kind] = message_id(note_name(&(struct note){.kind = (uint8_t)kind}));
        if (ids[kind] == NULL)
            fail_msg("kind %u has no message identity: add a row to message_id.c and to doc/control.md", kind);
        assert_int_equal(strlen(ids[kind]), 32);
        assert_int_equal(strspn(ids[kind], "0123456789abcdef"), 32);
        if (strstr(manual, ids[kind]) == NULL)
            fail_msg("doc/control.md does not list %s", ids[kind]);
        for (unsigned other = 0; other < kind; other++)
            assert_string_not_equal(ids[kind], ids[other]);
    }
    assert_string_equal(message_id("contest/web/50"), message_id("contest"));
    assert_null(message_id("src/daemon/worker.c:1"));
    assert_null(message_id("contes"));
}

static void test_datagram__server_restarted__is_connected_anew(void **state)
{
    struct log_stats stats;

    (void)state;
    listen_at_path();
    open_log(LOG_TARGET_SYSLOG, LOG_FORMAT_TEXT, pipe_fds[1]);
    close(server);
    log_info("to nobody");
    log_get_stats(&stats);
    assert_int_equal(stats.dropped, 1);
    listen_at_path();
    log_info("back");
    assert_non_null(strstr(read_fd(server), "1 log messages were lost"));
    assert_non_null(strstr(text, "back"));
}

static void test_datagram__server_that_does_not_read__never_blocks(void **state)
{
    struct log_stats stats;

    (void)state;
    listen_at_path();
    open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT, pipe_fds[1]);
    for (unsigned i = 0; i < 5000; i++)
        log_write(LOG_LEVEL_INFO, NULL, NULL, 0, "message %u", i);
    log_get_stats(&stats);
    assert_true(stats.written > 0 && stats.dropped > 0);
}

static void test_target__not_there__falls_back_to_stderr(void **state)
{
    (void)state;
    assert_int_equal(open_log(LOG_TARGET_JOURNAL, LOG_FORMAT_TEXT, pipe_fds[1]), LOG_TARGET_STDERR);
    log_info("here");
    assert_non_null(strstr(read_pipe(), "info: here\n"));
}

static void test_open__journal_stream__decides_for_the_journal_only_when_it_is_stderr(void **state)
{
    struct stat status;
    char stream[64];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_int_equal(log_open(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, true), LOG_TARGET_STDERR);
    setenv("JOURNAL_STREAM", "nonsense", 1);
    assert_int_equal(log_open(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, true), LOG_TARGET_STDERR);
    unsetenv("JOURNAL_STREAM");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_text__line__has_time_level_and_message),
        TEST(test_level__below_the_wanted__is_not_written),
        TEST(test_text__hostile_bytes__cannot_forge_lines_or_speak_to_terminals),
        TEST(test_text__longer_than_fits__is_cut),
        TEST(test_json__fields__are_keys_of_one_object_per_line),
        TEST(test_json__fields_that_do_not_fit__are_left_out_whole),
        TEST(test_limit__more_than_ten__are_held_back_and_counted),
        TEST(test_limit__next_message_of_the_kind__says_it_without_a_tick),
        TEST(test_limit__call_sites__are_kinds_of_their_own),
        TEST(test_limit__more_kinds_than_fit__lose_no_count),
        TEST(test_pipe__full__drops_counts_and_says_so_later),
        TEST(test_stderr__closed__drops),
        TEST(test_stderr__file__is_appended_to_where_others_write_too),
        TEST(test_terminal__colour__unless_told_otherwise),
        TEST(test_syslog__datagram__has_priority_and_process),
        TEST(test_syslog__json__is_the_message),
        TEST(test_journal__fields__are_key_value_lines),
        TEST(test_journal__message_of_the_process__has_its_place_in_the_source),
        TEST(test_message_id__every_kind_of_note__has_one_of_its_own_that_the_manual_lists),
        TEST(test_datagram__server_restarted__is_connected_anew),
        TEST(test_datagram__server_that_does_not_read__never_blocks),
        TEST(test_target__not_there__falls_back_to_stderr),
        TEST(test_open__journal_stream__decides_for_the_journal_only_when_it_is_stderr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
