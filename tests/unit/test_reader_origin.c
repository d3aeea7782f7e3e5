/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files bring with them from where they come: web pages, editors of other systems, generators, other hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config/reader.h"

static const struct reader_options by_id = {.config_id = "alpha"}, by_name = {0};

static void collect(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                    const char *text)
{
    char *findings = context;
    size_t used = strlen(findings);

    snprintf(findings + used, 1024 - used, "%s:%u:%u: %s%s\n", file, line, column,
             severity == CONFIG_WARNING ? "warning: " : "", text);
}

/* The findings, and in words[] the number of words of each line. */
static const char *read_bytes(const char *text, size_t length, const struct reader_options *options, char words[16])
{
    static char findings[1024];
    struct arena arena = {0};
    struct report report = {0};
    unsigned count = 0;

    findings[0] = '\0';
    for (const struct statement *s = reader_read_text("t", text, length, options, &arena, &report); s != NULL;
         s = s->next)
        words[count++] = s->kind == STATEMENT_LINE ? (char)('0' + s->word_count) : '{';
    words[count] = '\0';
    report_deliver(&report, collect, findings);
    report_free(&report);
    arena_free(&arena);
    return findings;
}

static void test_origin__printed_quotes_and_blanks__are_read_and_named_once(void **state)
{
    const char text[] = "a \xe2\x80\x9c"
                        "b c\xe2\x80\x9d\nd\xc2\xa0"
                        "e\n";
    char words[16];

    (void)state;
    assert_string_equal(read_bytes(text, strlen(text), &by_id, words),
                        "t:1:1: this line holds the character \"\xe2\x80\x9c\", a quotation mark of a printed page, "
                        "where a plain \" must stand\n");
    assert_string_equal(words, "22");
}

static void test_origin__printed_quotes_inside_quotes__are_text(void **state)
{
    const char text[] = "a \"\xe2\x80\x9c \xc2\xa0\" # \xe2\x80\x9d\n";
    char words[16];

    (void)state;
    assert_string_equal(read_bytes(text, strlen(text), &by_id, words), "");
    assert_string_equal(words, "2");
}

static void test_origin__other_encoding__is_one_error(void **state)
{
    const char text[] = "\xff\xfe"
                        "a\0\n\0b\0\n";
    char words[16];

    (void)state;
    assert_string_equal(read_bytes(text, sizeof(text), &by_id, words),
                        "t:1:1: this is UTF-16; the file must be saved as UTF-8\n");
    assert_string_equal(words, "");
}

static void test_origin__template__is_named_once(void **state)
{
    const char text[] = "a {{ b }}\n{% if c %}\nd\n{% endif %}\n";
    char words[16];

    (void)state;
    assert_string_equal(read_bytes(text, strlen(text), &by_id, words),
                        "t:1:3: {{: this looks like a template that was not filled in\n");
}

static void test_origin__lines_for_other_hosts_only__are_told_unless_the_id_was_given(void **state)
{
    const char others[] = "@nobody-is-called-so a\n@nor-so b\nc\n", negated[] = "@^nobody-is-called-so a b\n";
    char words[16];

    (void)state;
    const char *findings = read_bytes(others, strlen(others), &by_name, words);

    assert_non_null(strstr(findings, "t:1:1: warning: no line with @ is for"));
    assert_non_null(strstr(findings, "nobody-is-called-so"));
    assert_string_equal(words, "1");
    assert_string_equal(read_bytes(others, strlen(others), &by_id, words), "");
    assert_string_equal(read_bytes(negated, strlen(negated), &by_name, words), "");
    assert_string_equal(words, "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origin__printed_quotes_and_blanks__are_read_and_named_once),
        cmocka_unit_test(test_origin__printed_quotes_inside_quotes__are_text),
        cmocka_unit_test(test_origin__other_encoding__is_one_error),
        cmocka_unit_test(test_origin__template__is_named_once),
        cmocka_unit_test(test_origin__lines_for_other_hosts_only__are_told_unless_the_id_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
