/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of evenkeeld: defaults, every option, and one clear line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <getopt.h>

#include "base/check.h"
#include "daemon/options.h"

#define WORDS_MAX 12

static const struct options_other others[] = {
    {"silent", 'P', 0, no_argument, false, NULL},
    {"use-file", 0, 'f', required_argument, false, NULL},
    {"facility", 'S', 0, required_argument, false, "it is always the same"},
    {"pattern", 'M', 0, optional_argument, false, "nobody asks for it"},
    {"check", 'C', 0, no_argument, true, "there is nothing to check"},
    {"namespace", 's', 0, required_argument, true, "start it there"},
    {0},
};

static char error[OPTIONS_ERROR_MAX];

/* Parses "evenkeeld" and the words up to NULL. */
static bool parse(const char *const *words, struct options *out)
{
    char *argv[WORDS_MAX + 2] = {(char[]){"evenkeeld"}};
    int argc = 1;

    while (words[argc - 1] != NULL && argc <= WORDS_MAX) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    error[0] = '\0';
    return options_parse(argc, argv, "/etc/default.conf", "/run/default", others, out, error);
}

#define PARSE(out, ...) parse((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, out)

static void test_options__none__defaults(void **state)
{
    struct options options;

    (void)state;
    assert_true(PARSE(&options));
    assert_int_equal(options.action, OPTIONS_RUN);
    assert_string_equal(options.config_path, "/etc/default.conf");
    assert_string_equal(options.run_dir, "/run/default");
    assert_false(options.foreground);
    assert_int_equal(options.log_level, LOG_LEVEL_INFO);
    assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
}

static void test_options__all__taken(void **state)
{
    struct options options;

    (void)state;
    assert_true(
        PARSE(&options, "-n", "-f", "a.conf", "--run-dir", "/tmp/x", "--log-level=debug", "--log-format", "json"));
    assert_int_equal(options.action, OPTIONS_RUN);
    assert_true(options.foreground);
    assert_string_equal(options.config_path, "a.conf");
    assert_string_equal(options.run_dir, "/tmp/x");
    assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(options.log_format, LOG_FORMAT_JSON);
}

static void test_options__actions__recognised(void **state)
{
    struct options options;

    (void)state;
    assert_true(PARSE(&options, "-t", "--file", "b.conf"));
    assert_int_equal(options.action, OPTIONS_CHECK);
    assert_string_equal(options.config_path, "b.conf");
    assert_true(PARSE(&options, "-t", "c.conf"));
    assert_string_equal(options.config_path, "c.conf");
    assert_true(PARSE(&options, "-i", "left", "-t", "c.conf"));
    assert_string_equal(options.config_id, "left");
    assert_false(PARSE(&options, "-t", "c.conf", "d.conf"));
    assert_string_equal(error, "unexpected argument 'd.conf'");
    assert_true(PARSE(&options, "--check"));
    assert_int_equal(options.action, OPTIONS_CHECK);
    assert_true(PARSE(&options, "--help"));
    assert_int_equal(options.action, OPTIONS_HELP);
    assert_true(PARSE(&options, "--version"));
    assert_int_equal(options.action, OPTIONS_VERSION);
}

static void test_options__mistakes__one_line_naming_them(void **state)
{
    struct options options;

    (void)state;
    assert_false(PARSE(&options, "-x"));
    assert_string_equal(error, "unknown option '-x'");
    assert_false(PARSE(&options, "-nx"));
    assert_string_equal(error, "unknown option '-x'");
    assert_false(PARSE(&options, "--colour"));
    assert_string_equal(error, "unknown option '--colour'");
    assert_false(PARSE(&options, "-f"));
    assert_string_equal(error, "a value is missing after '-f'");
    assert_false(PARSE(&options, "--run-dir"));
    assert_string_equal(error, "a value is missing after '--run-dir'");
    assert_false(PARSE(&options, "--check=yes"));
    assert_non_null(strstr(error, "'--check=yes'"));
    assert_false(PARSE(&options, "web.conf"));
    assert_string_equal(error, "unexpected argument 'web.conf'");
    assert_false(PARSE(&options, "-n", "--", "-t"));
    assert_string_equal(error, "unexpected argument '-t'");
    assert_false(PARSE(&options, "--log-level", "loud"));
    assert_non_null(strstr(error, "not 'loud'"));
    assert_false(PARSE(&options, "--log-format", "xml"));
    assert_non_null(strstr(error, "not 'xml'"));
    assert_false(PARSE(&options, "-f", ""));
    assert_string_not_equal(error, "");
}

static void test_options__those_of_another_program__taken_told_or_refused(void **state)
{
    struct options options;
    char text[64];

    (void)state;
    assert_true(
        PARSE(&options, "-PnS", "3", "-Mx", "--use-file=k.conf", "--pattern", "-p", "/run/k.pid", "--facility", "4"));
    assert_true(options.foreground);
    assert_string_equal(options.config_path, "k.conf");
    assert_string_equal(options.pid_file, "/run/k.pid");
    assert_int_equal(options.told_count, 4);
    assert_string_equal(options_other_text(options.told[0], text), "-S");
    assert_string_equal(options_other_text(options.told[1], text), "-M");
    assert_string_equal(options.told[2]->name, "pattern");
    assert_true(PARSE(&options, "--silent"));
    assert_int_equal(options.told_count, 0);
    assert_null(options.pid_file);
    assert_false(PARSE(&options, "-s", "blue"));
    assert_string_equal(error, "-s: start it there");
    assert_false(PARSE(&options, "-C"));
    assert_string_equal(error, "-C: there is nothing to check");
    assert_true(PARSE(&options, "--check")); /* the name is ours */
    assert_int_equal(options.action, OPTIONS_CHECK);
    assert_false(PARSE(&options, "-S"));
    assert_string_equal(error, "a value is missing after '-S'");
    /* More than are kept. */
    assert_true(PARSE(&options, "-Ma", "-Mb", "-Mc", "-Md", "-Me", "-Mf", "-Mg", "-Mh", "-Mi", "-Mj"));
    assert_int_equal(options.told_count, OPTIONS_TOLD_MAX);
}

static void test_options__long_word__cut_not_overrun(void **state)
{
    struct options options;
    char word[2 * OPTIONS_ERROR_MAX];

    (void)state;
    memset(word, 'w', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    assert_false(PARSE(&options, word));
    assert_true(strlen(error) < OPTIONS_ERROR_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options__none__defaults),
        cmocka_unit_test(test_options__all__taken),
        cmocka_unit_test(test_options__actions__recognised),
        cmocka_unit_test(test_options__mistakes__one_line_naming_them),
        cmocka_unit_test(test_options__those_of_another_program__taken_told_or_refused),
        cmocka_unit_test(test_options__long_word__cut_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
