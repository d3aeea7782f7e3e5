/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader: text -> statements with places, as keepalived's grammar wants it. Links src/config/reader*.c, report.c,
 * xalloc.c and src/base.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/reader.h"

#define OUT_MAX 4096

/* What a text was read as: statements, then findings, in one line each. */
struct outcome {
    char tree[OUT_MAX];
    char findings[OUT_MAX];
};

static void append(char *out, const char *text)
{
    size_t used = strlen(out);

    snprintf(out + used, OUT_MAX - used, "%s", text);
}

/* "a b;" for a line, "{...}" for a block, "+" before what is joined; a quoted word is in <>. */
static void dump(const struct statement *statement, char *out)
{
    for (; statement != NULL; statement = statement->next) {
        if (statement->joined)
            append(out, "+");
        if (statement->kind == STATEMENT_BLOCK) {
            append(out, "{");
            dump(statement->first, out);
            append(out, "}");
            continue;
        }
        for (unsigned i = 0; i < statement->word_count; i++) {
            append(out, i > 0 ? " " : "");
            append(out, statement->words[i].quoted ? "<" : "");
            append(out, statement->words[i].text);
            append(out, statement->words[i].quoted ? ">" : "");
        }
        append(out, ";");
    }
}

static void collect(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                    const char *text)
{
    char entry[700];

    snprintf(entry, sizeof(entry), "%s:%u:%u: %s%s\n", file, line, column,
             severity == CONFIG_WARNING ? "warning: " : "", text);
    append(context, entry);
}

static const struct reader_options trusted = {.config_id = "alpha", .random_seed = 1};
static const struct reader_options untrusted = {.config_id = "alpha", .random_seed = 1, .untrusted = true};

static void finish(const struct statement *tree, struct arena *arena, struct report *report, struct outcome *out)
{
    memset(out, 0, sizeof(*out));
    dump(tree, out->tree);
    report_deliver(report, collect, out->findings);
    report_free(report);
    arena_free(arena);
}

static void read_bytes(const char *text, size_t length, const struct reader_options *options, struct outcome *out)
{
    struct arena arena = {0};
    struct report report = {0};
    const struct statement *tree = reader_read_text("t", text, length, options, &arena, &report);

    finish(tree, &arena, &report, out);
}

static void read_path(const char *path, struct outcome *out)
{
    struct arena arena = {0};
    struct report report = {0};
    const struct statement *tree = reader_read_file(path, &trusted, &arena, &report);

    finish(tree, &arena, &report, out);
}

static void expect(const char *text, const char *tree)
{
    struct outcome out;

    read_bytes(text, strlen(text), &trusted, &out);
    assert_string_equal(out.findings, "");
    assert_string_equal(out.tree, tree);
}

static void expect_finding(const char *text, const char *finding)
{
    struct outcome out;

    read_bytes(text, strlen(text), &trusted, &out);
    assert_string_equal(out.findings, finding);
}

/* --- lines, comments, quotes --- */

static void test_reader__lines__become_words(void **state)
{
    (void)state;
    expect("", "");
    expect("\n\n  \t\n", "");
    expect("a b  c\n\td\n", "a b c;d;");
    expect("a b", "a b;");
    expect("a b\r\nc\r\n", "a b;c;");
    expect("\xef\xbb\xbf"
           "a\n",
           "a;");
    expect("caf\xc3\xa9 x\n", "caf\xc3\xa9 x;");
}

static void test_reader__comments__are_dropped(void **state)
{
    (void)state;
    expect("# all\n! all\na # b\nc ! d\ne#f\n", "a;c;e;");
    expect("a \\# b \\! c\n", "a # b ! c;");
    expect("a \"# b ! c\" d # e\n", "a <# b ! c> d;");
    expect("a '# b'\n", "a ';");
    expect("a # latin \xe9\n", "a;");
    expect("# { } \"\nb\n", "b;");
}

static void test_reader__quotes__make_one_word(void **state)
{
    (void)state;
    expect("a \"b c\" d\n", "a <b c> d;");
    expect("a \"\" b\n", "a <> b;");
    expect("a\"b c\"d\n", "a <b c> d;");
    expect("a \"{ } \" b\n", "a <{ } > b;");
    expect_finding("a\nb \"c d\n", "t:2:3: the quote that opens here is not closed on its line\n");
}

static void test_reader__long_line__is_read_whole(void **state)
{
    size_t length = 200000;
    char *text = malloc(length + 1);
    struct arena arena = {0};
    struct report report = {0};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', length);
    text[100] = ' ';
    text[length] = '\0';
    const struct statement *tree = reader_read_text("t", text, length, &trusted, &arena, &report);

    assert_int_equal(tree->word_count, 2);
    assert_int_equal(strlen(tree->words[1].text), length - 101);
    assert_int_equal(tree->words[1].place.column, 102);
    assert_int_equal(report.error_count, 0);
    report_free(&report);
    arena_free(&arena);
    free(text);
}

static void test_reader__bytes_of_no_text__are_named(void **state)
{
    struct outcome out;

    (void)state;
    read_bytes("a {\nb\0c }\n", 10, &trusted, &out);
    assert_string_equal(out.findings, "t:2:2: NUL byte: this is no text file\n");
    expect_finding("a\xe9\n", "t:1:2: byte 0xe9 is not UTF-8 (other encodings may stand in comments only)\n");
    expect_finding("a\xc0\x80\n", "t:1:2: byte 0xc0 is not UTF-8 (other encodings may stand in comments only)\n");
    expect_finding("\xed\xa0\x80\n", "t:1:1: byte 0xed is not UTF-8 (other encodings may stand in comments only)\n");
}

/* --- blocks --- */

static void test_reader__braces__split_lines(void **state)
{
    (void)state;
    expect("kw { a b }\n", "kw;{a b;}");
    expect("kw{a b}\n", "kw;{a b;}");
    expect("kw\n{\na\nb\n}\n", "kw;{a;b;}");
    expect("kw {\na\n} kw2 {\nb }\n", "kw;{a;}+kw2;{b;}");
    expect("a { b { c } d }\n", "a;{b;{c;}+d;}");
    expect("{ x } y\nz\n", "{x;}+y;z;");
    expect("~LST(i,1,2) { x } y\n", "{x;}+y;{x;}+y;");
}

static void test_reader__braces__must_balance(void **state)
{
    (void)state;
    expect_finding("a {\n b {\n}\n", "t:1:3: the block that opens here is never closed: a } is missing\n");
    expect_finding("a { }\n}\n", "t:2:1: this } closes nothing\n");
}

static void test_reader__nesting__has_a_limit(void **state)
{
    char text[201];
    struct outcome out;

    (void)state;
    memset(text, '{', 200);
    read_bytes(text, 200, &trusted, &out);
    assert_string_equal(out.findings, "t:1:65: blocks nest more than 64 deep; nothing after this is read\n");
}

static void test_reader__words__know_their_places(void **state)
{
    struct arena arena = {0};
    struct report report = {0};
    static const char text[] = "\n  $A=xx\n ab\t$A  { \"q\" ${A}z\n";
    const struct statement *s = reader_read_text("dir/f", text, strlen(text), &trusted, &arena, &report);

    (void)state;
    assert_string_equal(s->words[0].place.file, "dir/f");
    assert_int_equal(s->words[0].place.line, 3);
    assert_int_equal(s->words[0].place.column, 2);
    assert_int_equal(s->words[1].place.column, 5);
    s = s->next;
    assert_int_equal(s->kind, STATEMENT_BLOCK);
    assert_int_equal(s->place.column, 9);
    assert_int_equal(s->first->words[0].place.column, 11);
    assert_int_equal(s->first->words[1].place.column, 15);
    report_free(&report);
    arena_free(&arena);
}

/* --- definitions --- */

static void test_reader__definitions__are_replaced_at_use(void **state)
{
    (void)state;
    expect("$A=foo # c\nx${A}z $A\n", "xfooz foo;");
    expect("$A=1\n$B=${A}2\n$A=3\n$B\n", "32;");
    expect("$A=1\nx$A.1 ($A) a$A,\n", "x$A.1 (1) a1,;");
    expect("$A=b c\n\"x ${A}\" $A\n", "<x b c> b c;");
    expect("$A=\nx $A y\n", "x y;");
    expect("$Q = 5\n", "$Q = 5;");
    expect("a $UNDEFINED b\n", "a $UNDEFINED b;");
    expect("a \"${UNDEFINED}\" b\n", "a <${UNDEFINED}> b;");
}

static void test_reader__definition_of_several_lines__stands_for_lines(void **state)
{
    (void)state;
    expect("$A=\\\n  one \\\n\n  # c\n two { \\\n x\n$A\ny }\n", "one;two;{x;y;}");
    expect("$A=x \\\n y\np ${A} q\n", "p x;y q;");
    expect("$L=\\\n ~SEQ(i,1,2) a${i}\n$L\n", "a1;a2;");
}

static void test_reader__undefined_in_braces__is_an_error_and_no_block(void **state)
{
    struct outcome out;

    (void)state;
    read_bytes("a x${B}y {\n}\n", 13, &trusted, &out);
    assert_string_equal(out.findings, "t:1:4: \"${B}\" is not defined\n");
    assert_string_equal(out.tree, "a x${B}y;{}");
}

static void test_reader__definitions_without_end__are_stopped(void **state)
{
    (void)state;
    expect_finding("$A=${A}\n$A\n", "t:2:1: definition $A refers to itself\n");
    expect_finding("$A=${B}x\n$B=${A}\n${A}\n", "t:3:1: definition $A refers to itself\n");
    expect_finding("$A=b \\\n", "t:1:1: the file ends inside the definition of $A (its last line ends in \\)\n");
    expect_finding(
        "$A=\n$B=${A}${A}${A}${A}${A}${A}${A}${A}\n$C=${B}${B}${B}${B}${B}${B}${B}${B}\n$D=${C}${C}${C}${C}${C}${C}${C}"
        "\n"
        "$E=${D}${D}${D}${D}${D}${D}${D}\n$F=${E}${E}${E}${E}${E}${E}${E}\n$G=${F}${F}${F}${F}${F}${F}${F}\n"
        "$H=${G}${G}${G}${G}${G}${G}${G}\n$I=${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}${H}\n$I\n",
        "t:10:1: definitions that use each other make this line grow without bound\n");
}

static void test_reader__standard_definitions(void **state)
{
    struct outcome out;

    (void)state;
    setenv("READER_TEST", "v1", 1);
    unsetenv("READER_NONE");
    expect("${_HASH} ${_BANG} ${_INSTANCE} ${_ENV READER_TEST}\n", "# ! alpha v1;");
    expect("${_RANDOM 7 7}\n", "7;");
    expect_finding("a ${_ENV READER_NONE}\n",
                   "t:1:3: ${_ENV READER_NONE}: the environment has no variable \"READER_NONE\"\n");
    expect_finding("a ${_RANDOM 9 1}\n", "t:1:3: ${_RANDOM} takes at most a smallest and a largest number\n");
    read_bytes("${_ENV READER_TEST}\n", 20, &untrusted, &out);
    assert_string_equal(out.findings, "t:1:1: ${_ENV READER_TEST}: the environment has no variable \"READER_TEST\"\n");
}

static void test_reader__random_seed__makes_random_repeatable(void **state)
{
    struct outcome one, two;
    static const char text[] = "random_seed 5\n${_RANDOM} ${_RANDOM 1 1000000}\n";
    struct reader_options other = trusted;

    (void)state;
    other.random_seed = 99;
    read_bytes(text, strlen(text), &trusted, &one);
    read_bytes(text, strlen(text), &other, &two);
    assert_string_equal(one.tree, two.tree);
}

/* --- sequences and conditions --- */

static void test_reader__seq__counts(void **state)
{
    (void)state;
    expect("~SEQ(v,3) k$v ${v}x\n", "k1 1x;k2 2x;k3 3x;");
    expect("~SEQ(v, 2, 4) k${v}\n", "k2;k3;k4;");
    expect("~SEQ(v,2,3,10) k${v}\n", "k2;k5;k8;");
    expect("~SEQ(v,5,2) k${v}\n", "k5;k4;k3;k2;");
    expect("~SEQ(v,5,-2,1) k${v}\n", "k5;k3;k1;");
    expect("~SEQx(v,8,12) k${v}\n", "k8;k9;ka;kb;kc;");
    expect("$N=2\n~SEQ(v,1,$N) k${v}\n", "k1;k2;");
    expect("~SEQ(v,1,2) ~SEQ(w,1,2) ${v}-${w}\n", "1-1;1-2;2-1;2-2;");
    expect("$v=old\n~SEQ(v,1,1) a$v\nb$v\n", "a1;bold;");
    expect("~SEQ(v,1,1) a ${v}\nb \"${v}\"\n", "a 1;b <${v}>;");
    expect("~SEQ(v,7,7) a { $v }\n", "a;{7;}");
}

static void test_reader__lst__goes_through_values(void **state)
{
    (void)state;
    expect("~LST(v,a,b c,) x $v\n", "x a;x b c;x;");
    expect("~LST({v,w},{a,b},{c,d}) $v ${w}\n", "a b;c d;");
    expect("~LST(v,a,b) ~SEQ(w,1,2) ${v}${w}\n", "a1;a2;b1;b2;");
}

static void test_reader__bad_sequences__are_named(void **state)
{
    (void)state;
    expect_finding("~SEQ(v,1,0,5) x\n", "t:1:1: ~SEQ never gets from 1 to 5 in steps of 0\n");
    expect_finding("~SEQ(v,1,-1,5) x\n", "t:1:1: ~SEQ never gets from 1 to 5 in steps of -1\n");
    expect_finding("~SEQ(v) x\n",
                   "t:1:1: expected ~SEQ(NAME, END) text, (NAME, START, END) or (NAME, START, STEP, END)\n");
    expect_finding("~SEQ(v,1z) x\n",
                   "t:1:1: expected ~SEQ(NAME, END) text, (NAME, START, END) or (NAME, START, STEP, END)\n");
    expect_finding("~SEQ(v,3)\n", "t:1:1: ~SEQ has no text to repeat\n");
    expect_finding("~SEQ v\n", "t:1:1: ~SEQ must be followed by its arguments in parentheses\n");
    expect_finding("~LST({a,b},{1}) x\n", "t:1:1: ~LST has 2 names, but \"{1}\" has 1 values\n");
    expect_finding("~LST(1,2) x\n",
                   "t:1:1: ~LST must begin with a name, or with names in braces: ~LST(NAME, A, B) text\n");
}

static void test_reader__giant_sequences__are_stopped(void **state)
{
    struct arena arena = {0};
    struct report report = {0};
    static const char text[] = "~SEQ(a,1,2000) ~SEQ(b,1,2000) x\n";
    struct outcome out;

    (void)state;
    finish(reader_read_text("t", text, strlen(text), &trusted, &arena, &report), &arena, &report, &out);
    assert_string_equal(out.findings, "t:1:1: more than 1000000 lines after expansion; nothing after this is read\n");
    finish(reader_read_text("t", text, strlen(text), &untrusted, &arena, &report), &arena, &report, &out);
    assert_string_equal(out.findings, "t:1:1: more than 5000 lines after expansion; nothing after this is read\n");
}

static void test_reader__conditions__keep_or_drop(void **state)
{
    (void)state;
    expect("@alpha a\n@beta b\n@^alpha c\n@^beta d\n", "a;d;");
    expect("@beta {\nx\n@alpha y {\n@alpha }\n", "x;y;{}");
    expect("@alpha $A=1\n@beta $A=2\nx $A\n", "x 1;");
    expect("@alpha @^beta x\n@alpha @beta y\n", "x;");
    expect("@alpha\n@alphabet x\n", "");
    expect_finding("@ x\n", "t:1:1: @ must be followed by a host's name: @id or @^id\n");
}

/* --- files --- */

static char directory[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
    FILE *out = fopen(path_of(name), "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/test_reader.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    if (mkdir(path_of("d"), 0755) != 0 || mkdir(path_of("empty"), 0755) != 0)
        return -1;
    return mkfifo(path_of("fifo"), 0644);
}

static int remove_directory(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

static void expect_file(const char *text, const char *tree, const char *findings)
{
    struct outcome out;
    char wanted[OUT_MAX];

    put("main", text, 0644);
    read_path(path_of("main"), &out);
    wanted[0] = '\0';
    if (findings[0] != '\0')
        snprintf(wanted, sizeof(wanted), "%s:%s\n", path_of("main"), findings);
    assert_string_equal(out.findings, wanted);
    assert_string_equal(out.tree, tree);
}

static void test_reader__include__reads_files_in_order(void **state)
{
    (void)state;
    put("one", "$N=x\na1\n", 0644);
    put("d/2.conf", "b2\ninclude 4.inc\n", 0644);
    put("d/1.conf", "b1\n", 0644);
    put("d/4.inc", "deep\n", 0644);
    expect_file("include one\nc $N\n", "a1;c x;", "");
    expect_file("include d/*.conf\n", "b1;b2;deep;", "");
    expect_file("x {\n include \"one\"\n}\n", "x;{a1;}", "");
    expect_file("include d/{2,1}.conf\n", "b2;deep;b1;", "");
    expect_file("$F=one\ninclude $F\n", "a1;", "");
    expect_file("~LST(f,1,2) include d/${f}.conf\n", "b1;b2;deep;", "");
    expect_file("includea d/{1,2}.conf\nincluder one\n", "b1;b2;deep;a1;", "");
    expect_file("included x\n", "included x;", "");
}

static void test_reader__pwd__is_the_files_directory(void **state)
{
    char wanted[256];

    (void)state;
    put("d/pwd", "in ${_PWD}\n", 0644);
    snprintf(wanted, sizeof(wanted), "in %s/d;at %s;", directory, directory);
    expect_file("include d/pwd\nat ${_PWD}\n", wanted, "");
}

static void test_reader__include_that_fails__is_named(void **state)
{
    char finding[256];

    (void)state;
    put("run", "x\n", 0755);
    snprintf(finding, sizeof(finding), "1:9: cannot include \"%s/none\": No such file or directory", directory);
    expect_file("include none\n", "", finding);
    snprintf(finding, sizeof(finding), "1:9: cannot include \"%s/run\": it is executable, so it is no configuration",
             directory);
    expect_file("include run\n", "", finding);
    snprintf(finding, sizeof(finding), "1:9: cannot include \"%s/d\": it is a directory", directory);
    expect_file("include d\n", "", finding);
    snprintf(finding, sizeof(finding), "1:9: cannot include \"%s/fifo\": it is not a regular file", directory);
    expect_file("include fifo\n", "", finding);
    snprintf(finding, sizeof(finding), "1:9: warning: no file matches \"%s/empty/*\"", directory);
    expect_file("include empty/*\n", "", finding);
    snprintf(finding, sizeof(finding), "1:10: no file matches \"%s/empty/*\"", directory);
    expect_file("includem empty/*\n", "", finding);
    snprintf(finding, sizeof(finding), "1:10: no file matches \"%s/none\"", directory);
    expect_file("includeb {one,none}\n", "a1;", finding);
    expect_file("include\n", "", "1:1: include needs a file's name or a pattern");
}

static void test_reader__include_loop__ends(void **state)
{
    (void)state;
    expect_file("include main\n", "", "1:9: includes nest more than 16 deep; does a file include itself?");
}

static void test_reader__include_in_untrusted_text__is_refused(void **state)
{
    struct outcome out;

    (void)state;
    read_bytes("include /etc/passwd\n", 20, &untrusted, &out);
    assert_string_equal(out.findings, "t:1:9: include is not allowed here\n");
}

static void test_reader__file_that_cannot_be_read__is_named(void **state)
{
    struct outcome out;

    (void)state;
    read_path("/nonexistent/file", &out);
    assert_string_equal(out.findings,
                        "/nonexistent/file:0:0: cannot read the configuration: No such file or directory\n");
    read_path("/tmp", &out);
    assert_string_equal(out.findings, "/tmp:0:0: cannot read the configuration: it is a directory\n");
}

/* --- commands --- */

static void expect_shell(const char *text, const char *words)
{
    struct arena arena = {0};
    struct report report = {0};
    const struct statement *line = reader_read_text("t", text, strlen(text), &trusted, &arena, &report);
    struct word *list;
    unsigned count = reader_shell_words(line, 1, &list, &arena, &report);
    char out[OUT_MAX] = "";

    for (unsigned i = 0; i < count; i++) {
        append(out, "[");
        append(out, list[i].text);
        append(out, "]");
    }
    assert_string_equal(out, words);
    assert_int_equal(report.error_count, 0);
    report_free(&report);
    arena_free(&arena);
}

static void test_reader__shell_words__are_split_like_a_shells(void **state)
{
    (void)state;
    expect_shell("script /bin/a b  c\n", "[/bin/a][b][c]");
    expect_shell("script \"/bin/a 'b c' d\"\n", "[/bin/a][b c][d]");
    expect_shell("script /bin/a \"b c\"'d e'f\n", "[/bin/a][b cd ef]");
    expect_shell("script \"a\\tb \\x41\\102 c\\ d\"\n", "[a\tb][AB][c d]");
    expect_shell("script ''\n", "[]");
    expect_shell("script\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader__lines__become_words),
        cmocka_unit_test(test_reader__comments__are_dropped),
        cmocka_unit_test(test_reader__quotes__make_one_word),
        cmocka_unit_test(test_reader__long_line__is_read_whole),
        cmocka_unit_test(test_reader__bytes_of_no_text__are_named),
        cmocka_unit_test(test_reader__braces__split_lines),
        cmocka_unit_test(test_reader__braces__must_balance),
        cmocka_unit_test(test_reader__nesting__has_a_limit),
        cmocka_unit_test(test_reader__words__know_their_places),
        cmocka_unit_test(test_reader__definitions__are_replaced_at_use),
        cmocka_unit_test(test_reader__definition_of_several_lines__stands_for_lines),
        cmocka_unit_test(test_reader__undefined_in_braces__is_an_error_and_no_block),
        cmocka_unit_test(test_reader__definitions_without_end__are_stopped),
        cmocka_unit_test(test_reader__standard_definitions),
        cmocka_unit_test(test_reader__random_seed__makes_random_repeatable),
        cmocka_unit_test(test_reader__seq__counts),
        cmocka_unit_test(test_reader__lst__goes_through_values),
        cmocka_unit_test(test_reader__bad_sequences__are_named),
        cmocka_unit_test(test_reader__giant_sequences__are_stopped),
        cmocka_unit_test(test_reader__conditions__keep_or_drop),
        cmocka_unit_test(test_reader__include__reads_files_in_order),
        cmocka_unit_test(test_reader__pwd__is_the_files_directory),
        cmocka_unit_test(test_reader__include_that_fails__is_named),
        cmocka_unit_test(test_reader__include_loop__ends),
        cmocka_unit_test(test_reader__include_in_untrusted_text__is_refused),
        cmocka_unit_test(test_reader__file_that_cannot_be_read__is_named),
        cmocka_unit_test(test_reader__shell_words__are_split_like_a_shells),
    };

    return cmocka_run_group_tests_name("reader", tests, make_directory, remove_directory);
}
