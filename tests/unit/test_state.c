/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file: what is written is read again; what cannot be used is reported, ignored and replaced. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "daemon/state.h"

static char directory[64];
static char path[128];
static char problem[STATE_PROBLEM_MAX];

static int set_up(void **unused)
{
    (void)unused;
    snprintf(directory, sizeof(directory), "/tmp/test_state.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/%s", directory, STATE_FILE);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    if (unlink(path) < 0)
        rmdir(path);
    return rmdir(directory); /* fails when a temporary file was left behind */
}

static struct state *open_state(void)
{
    struct state *state = state_open(directory, problem);

    assert_non_null(state);
    return state;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_open__no_file__is_empty_without_a_problem(void **unused)
{
    struct state *state = open_state();

    (void)unused;
    assert_string_equal(problem, "");
    assert_false(state_is_drained(state, "web"));
    state_close(state);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_set_drained__after_a_restart__is_still_known(void **unused)
{
    struct state *state = open_state();

    (void)unused;
    assert_int_equal(state_set_drained(state, "web", true), 0);
    assert_int_equal(state_set_drained(state, "mail", true), 0);
    assert_int_equal(state_set_drained(state, "web", true), 0);
    assert_int_equal(state_set_drained(state, "mail", false), 0);
    state_close(state);
    state = open_state();
    assert_string_equal(problem, "");
    assert_true(state_is_drained(state, "web"));
    assert_false(state_is_drained(state, "mail"));
    assert_false(state_is_drained(state, "we"));
    assert_int_equal(state_set_drained(state, "web", false), 0);
    state_close(state);
    state = open_state();
    assert_false(state_is_drained(state, "web"));
    state_close(state);
}

static void test_set_drained__file__is_readable_by_its_owner_only(void **unused)
{
    struct state *state = open_state();
    struct stat status;

    (void)unused;
    umask(0);
    assert_int_equal(state_set_drained(state, "web", true), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    state_close(state);
}

static void test_open__content_that_cannot_be_used__is_reported_and_replaced(void **unused)
{
    static const char *const contents[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"schema\": 2, \"drained\": []}",
        "{\"schema\": \"1\"}",
        "{\"schema\": 1, \"drained\": \"web\"}",
        "{\"schema\": 1, \"drained\": [\"web\", 7]}",
        "{\"schema\": 1, \"drained\": []} rest",
        "{\"schema\": 1, \"schema\": 1}",
        "{\"schema\": 1, \"drained\": [\"\\u0000\"]}",
        "\xff\xfe",
    };

    (void)unused;
    for (unsigned i = 0; i < ARRAY_LENGTH(contents); i++) {
        write_file(contents[i]);
        struct state *state = open_state();

        assert_non_null(strstr(problem, path));
        assert_null(strchr(problem, '\n'));
        assert_false(state_is_drained(state, "web"));
        assert_int_equal(state_set_drained(state, "web", true), 0);
        state_close(state);
        state = open_state();
        assert_string_equal(problem, "");
        assert_true(state_is_drained(state, "web"));
        state_close(state);
    }
}

static void test_open__not_a_file_of_its_own__is_reported_and_not_followed(void **unused)
{
    struct state *state;
    char other[sizeof(path) + 8];

    (void)unused;
    snprintf(other, sizeof(other), "%s.other", path);
    assert_int_equal(mkdir(path, 0700), 0);
    state = open_state();
    assert_string_not_equal(problem, "");
    assert_true(state_set_drained(state, "web", true) < 0);
    assert_true(state_is_drained(state, "web")); /* at least until the restart */
    state_close(state);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    state_close(open_state());
    assert_string_not_equal(problem, "");
    assert_int_equal(unlink(path), 0);
    state = open_state();
    assert_int_equal(state_set_drained(state, "web", true), 0); /* a good one, by its content */
    state_close(state);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    state = open_state();
    assert_string_not_equal(problem, "");
    assert_false(state_is_drained(state, "web"));
    state_close(state);
    assert_int_equal(unlink(other), 0);
}

static void test_open__huge_file__is_reported(void **unused)
{
    (void)unused;
    write_file("");
    assert_int_equal(truncate(path, 1 << 20), 0);
    state_close(open_state());
    assert_non_null(strstr(problem, "File too large"));
}

static void test_set_drained__unknown_keys__are_kept(void **unused)
{
    char text[512];
    struct state *state;
    FILE *file;

    (void)unused;
    write_file("{\"schema\": 1, \"pins\": {\"web\": [50]}}");
    state = open_state();
    assert_string_equal(problem, "");
    assert_int_equal(state_set_drained(state, "web", true), 0);
    state_close(state);
    file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(text, "\"pins\""));
    assert_non_null(strstr(text, "\"drained\""));
}

static void test_set_drained__directory_gone__fails_with_the_reason(void **unused)
{
    char gone[PATH_MAX + 8];

    (void)unused;
    struct state *state = state_open("/nonexistent/evenkeel", problem);

    assert_non_null(state);
    assert_string_equal(problem, "");
    assert_true(state_set_drained(state, "web", true) < 0);
    state_close(state);
    memset(gone, 'x', sizeof(gone));
    gone[sizeof(gone) - 1] = '\0';
    state = state_open(gone, problem);
    assert_non_null(state);
    assert_string_not_equal(problem, "");
    assert_true(state_set_drained(state, "web", true) < 0);
    state_close(state);
}

static void test_set_drained__stale_temporary_file__is_in_nobodys_way(void **unused)
{
    char temporary[160];
    struct state *state = open_state();

    (void)unused;
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    assert_int_equal(symlink("/nonexistent/elsewhere", temporary), 0);
    assert_int_equal(state_set_drained(state, "web", true), 0);
    state_close(state);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open__no_file__is_empty_without_a_problem, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_drained__after_a_restart__is_still_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_drained__file__is_readable_by_its_owner_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open__content_that_cannot_be_used__is_reported_and_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_open__not_a_file_of_its_own__is_reported_and_not_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_open__huge_file__is_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_drained__unknown_keys__are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_drained__directory_gone__fails_with_the_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_drained__stale_temporary_file__is_in_nobodys_way, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
