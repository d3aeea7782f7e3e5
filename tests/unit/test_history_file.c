/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history's file: what was noted is there after an end of any kind; what cannot be used is told and begun anew. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/prng.h"
#include "daemon/history_file.h"
#include "daemon/history_record.h"

#define FILE_BYTES (HISTORY_HEAD_BYTES + HISTORY_CAPACITY * HISTORY_RECORD_BYTES)
#define KILLS 30

static char directory[64];
static char path[128];
static char problem[HISTORY_PROBLEM_MAX];
static struct history *history;
static struct history_file *file;

static int set_up(void **unused)
{
    (void)unused;
    snprintf(directory, sizeof(directory), "/tmp/test_history.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/%s", directory, HISTORY_FILE);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    unlink(path);
    return rmdir(directory); /* fails when anything else was left behind */
}

static void begin(void)
{
    history = history_new(HISTORY_CAPACITY);
    file = history_file_open(directory, history, problem);
    assert_non_null(file);
}

static void end(void)
{
    history_file_close(file, 5000);
    history_free(history);
}

/* Everything about an entry follows from its sequence, so that any that is read can be judged. */
static struct note note_number(uint64_t sequence)
{
    struct note note = {
        .name = "web",
        .kind = NOTE_UNIT_OWNER,
        .reason = (uint8_t)(sequence % REASON_COUNT),
        .to_state = (uint8_t)(sequence % ROUTER_STATE_COUNT),
        .vrid = (uint8_t)(sequence % 255 + 1),
        .unit = {.family = FAMILY_IPV4, .bytes = {192, 0, 2, (uint8_t)sequence}},
        .from = {.family = FAMILY_IPV6, .bytes = {0xfe, 0x80, [15] = (uint8_t)(sequence >> 8)}},
        .value = (int64_t)sequence * 1001,
    };

    return note;
}

static void add(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t sequence = history_newest(history) + 1;
        struct note note = note_number(sequence);

        history_add(history, &note, (struct mono){1}, (int64_t)sequence * 7);
        history_file_add(file, history_get(history, sequence));
    }
    history_file_wake(file);
}

static void assert_entry(uint64_t sequence)
{
    const struct history_entry *entry = history_get(history, sequence);
    struct note note = note_number(sequence);

    assert_non_null(entry);
    assert_int_equal(entry->sequence, sequence);
    assert_int_equal(entry->wall_us, (int64_t)sequence * 7);
    assert_string_equal(entry->note.name, note.name);
    assert_int_equal(entry->note.kind, note.kind);
    assert_int_equal(entry->note.reason, note.reason);
    assert_int_equal(entry->note.to_state, note.to_state);
    assert_int_equal(entry->note.vrid, note.vrid);
    assert_true(addr_equal(&entry->note.unit, &note.unit));
    assert_true(addr_equal(&entry->note.from, &note.from));
    assert_true(addr_is_none(&entry->note.to));
    assert_int_equal(entry->note.value, note.value);
}

static void assert_holds(uint64_t oldest, uint64_t newest)
{
    assert_int_equal(history_oldest(history), oldest);
    assert_int_equal(history_newest(history), newest);
    for (uint64_t sequence = oldest; sequence != 0 && sequence <= newest; sequence++)
        assert_entry(sequence);
}

static void put_bytes(const void *bytes, size_t length, off_t where)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, where), (ssize_t)length);
    close(fd);
}

static off_t place(uint64_t sequence)
{
    return (off_t)(HISTORY_HEAD_BYTES + sequence % HISTORY_CAPACITY * HISTORY_RECORD_BYTES);
}

static void test_open__no_file__empty_without_a_problem(void **unused)
{
    struct stat status;

    (void)unused;
    begin();
    assert_string_equal(problem, "");
    assert_holds(0, 0);
    end();
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, FILE_BYTES);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_open__after_an_orderly_end__everything_is_there_and_counts_on(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < 3; round++) {
        begin();
        assert_string_equal(problem, "");
        assert_holds(round == 0 ? 0 : 1, round * 100);
        add(100);
        end();
    }
}

static void test_open__more_than_the_ring__the_newest_are_there_and_the_file_has_not_grown(void **unused)
{
    struct stat status;

    (void)unused;
    begin();
    for (unsigned i = 0; i < 5; i++)
        add(900);
    end();
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, FILE_BYTES);
    begin();
    assert_string_equal(problem, "");
    assert_holds(4500 - HISTORY_CAPACITY + 1, 4500);
    add(10);
    assert_holds(4510 - HISTORY_CAPACITY + 1, 4510);
    end();
}

static void assert_begun_anew(const char *why)
{
    begin();
    if (strstr(problem, why) == NULL)
        fail_msg("'%s' does not say '%s'", problem, why);
    assert_null(strchr(problem, '\n'));
    assert_holds(0, 0);
    add(3);
    end();
    begin();
    assert_string_equal(problem, "");
    assert_holds(1, 3);
    end();
}

static void test_open__truncated__told_and_begun_anew(void **unused)
{
    static const off_t sizes[] = {0, 1, HISTORY_HEAD_BYTES - 1, HISTORY_HEAD_BYTES, FILE_BYTES - 1, FILE_BYTES + 1};

    (void)unused;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        begin();
        add(5);
        end();
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_begun_anew("size");
    }
}

static void test_open__foreign__told_and_begun_anew(void **unused)
{
    (void)unused;
    put_bytes("#!/bin/sh\n", 10, 0);
    put_bytes("", 1, FILE_BYTES - 1);
    assert_begun_anew("no history of evenkeeld");
}

static void test_open__head_damaged__told_and_begun_anew(void **unused)
{
    (void)unused;
    begin();
    end();
    put_bytes("\xff", 1, 12);
    assert_begun_anew("head is damaged");
}

static void test_open__other_release__told_and_begun_anew(void **unused)
{
    uint8_t head[HISTORY_HEAD_BYTES];

    (void)unused;
    begin();
    end();
    history_head_encode(HISTORY_CAPACITY / 2, head);
    put_bytes(head, sizeof(head), 0);
    assert_begun_anew("another release");
}

static void test_open__not_a_file__told_and_begun_anew(void **unused)
{
    (void)unused;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_begun_anew("no regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_begun_anew("no regular file");
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_begun_anew("cannot be read");
}

static void test_open__no_directory__told_and_goes_on_without(void **unused)
{
    struct history *empty = history_new(HISTORY_CAPACITY);

    (void)unused;
    assert_null(history_file_open("/nonexistent", empty, problem));
    assert_non_null(strstr(problem, "not kept"));
    history_file_add(NULL, NULL);
    history_file_wake(NULL);
    history_file_close(NULL, 0);
    history_free(empty);
}

static void test_open__records_damaged__those_after_them_are_there(void **unused)
{
    (void)unused;
    begin();
    add(50);
    end();
    put_bytes("\xff\xff", 2, place(20) + 30);
    begin();
    assert_non_null(strstr(problem, "1 of its entries"));
    assert_holds(21, 50);
    end();
}

static void test_open__newest_record_torn__those_before_it_are_there(void **unused)
{
    static const uint8_t zeros[HISTORY_RECORD_BYTES / 2];

    (void)unused;
    begin();
    add(50);
    end();
    put_bytes(zeros, sizeof(zeros), place(50) + HISTORY_RECORD_BYTES / 2);
    begin();
    assert_holds(1, 49);
    add(1);
    end();
    begin();
    assert_string_equal(problem, "");
    assert_holds(1, 50);
    end();
}

static void test_open__record_in_another_place__is_not_believed(void **unused)
{
    uint8_t record[HISTORY_RECORD_BYTES];
    struct history_entry entry = {.sequence = 5000, .note = note_number(5000)};

    (void)unused;
    begin();
    add(10);
    end();
    history_record_encode(&entry, record);
    put_bytes(record, sizeof(record), place(5001));
    begin();
    assert_holds(1, 10);
    end();
}

static void test_record_decode__out_of_range__damaged(void **unused)
{
    uint8_t record[HISTORY_RECORD_BYTES];
    struct history_entry out;
    const struct history_entry entries[] = {
        {.sequence = 1, .note = {.kind = NOTE_KINDS}},
        {.sequence = 1, .note = {.reason = REASON_COUNT}},
        {.sequence = 1, .note = {.kind = NOTE_UNIT_STATE, .to_state = INSTANCE_FAULT}},
        {.sequence = 1, .note = {.from = {.family = 5}}},
        {.sequence = 0, .note = {.vrid = 1}},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LENGTH(entries); i++) {
        history_record_encode(&entries[i], record);
        assert_int_equal(history_record_decode(record, &out), HISTORY_RECORD_DAMAGED);
    }
}

static void test_record_decode__states_of_an_instance__are_more_than_a_units(void **unused)
{
    struct history_entry entry = {.sequence = 1,
                                  .note = {.kind = NOTE_INSTANCE_STATE,
                                           .about = NOTE_ABOUT_INSTANCE,
                                           .to_state = INSTANCE_STOPPED}},
                         out;
    uint8_t record[HISTORY_RECORD_BYTES];

    (void)unused;
    history_record_encode(&entry, record);
    assert_int_equal(history_record_decode(record, &out), HISTORY_RECORD_OK);
    assert_int_equal(out.note.to_state, INSTANCE_STOPPED);
}

static void test_open__random_bytes__never_more_than_a_problem(void **unused)
{
    static uint8_t bytes[FILE_BYTES];
    struct prng random = prng_seed(7);

    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)prng_next(&random);
        history_head_encode(HISTORY_CAPACITY, bytes);
        put_bytes(bytes, sizeof(bytes), 0);
        begin();
        assert_non_null(strstr(problem, "1024 of its entries are damaged"));
        assert_holds(0, 0);
        end();
    }
}

/* What the child says of how far it is: so large that it is never far ahead of its reader. */
struct progress {
    uint64_t newest;
    uint8_t room[504];
};

/* Notes as fast as it may until it is killed. */
static void note_until_killed(int out)
{
    alarm(20);
    begin();
    for (;;) {
        add(3);
        struct progress progress = {.newest = history_newest(history)};

        if (write(out, &progress, sizeof(progress)) < 0)
            _exit(1);
    }
}

static void test_open__killed_at_any_time__whole_entries_in_a_row(void **unused)
{
    struct prng random = prng_seed(11);
    uint64_t before = 0;

    (void)unused;
    for (unsigned round = 0; round < KILLS; round++) {
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
        pid_t child = fork();

        if (child == 0)
            note_until_killed(ends[1]);
        close(ends[1]);
        struct progress said;

        for (uint64_t reads = prng_below(&random, 200) + 1; reads > 0; reads--)
            assert_int_equal(read(ends[0], &said, sizeof(said)), sizeof(said));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        begin();
        uint64_t newest = history_newest(history), oldest = history_oldest(history);

        assert_true(newest >= before);
        assert_true(newest - oldest < HISTORY_CAPACITY); /* fewer when the thread was left far behind */
        assert_holds(oldest, newest);
        before = newest;
        end();
    }
    assert_true(before > 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open__no_file__empty_without_a_problem),
        TEST(test_open__after_an_orderly_end__everything_is_there_and_counts_on),
        TEST(test_open__more_than_the_ring__the_newest_are_there_and_the_file_has_not_grown),
        TEST(test_open__truncated__told_and_begun_anew),
        TEST(test_open__foreign__told_and_begun_anew),
        TEST(test_open__head_damaged__told_and_begun_anew),
        TEST(test_open__other_release__told_and_begun_anew),
        TEST(test_open__not_a_file__told_and_begun_anew),
        TEST(test_open__no_directory__told_and_goes_on_without),
        TEST(test_open__records_damaged__those_after_them_are_there),
        TEST(test_open__newest_record_torn__those_before_it_are_there),
        TEST(test_open__record_in_another_place__is_not_believed),
        TEST(test_record_decode__out_of_range__damaged),
        TEST(test_record_decode__states_of_an_instance__are_more_than_a_units),
        TEST(test_open__random_bytes__never_more_than_a_problem),
        TEST(test_open__killed_at_any_time__whole_entries_in_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
