/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The corpus of tests/compat: each NAME.conf is loaded, and what comes of it (good or refused, the findings, and the
 * values to run by as far as they differ from those of the smallest file) must be what NAME.expect says. Whatever loads
 * must print to a file that reads back to the same. EVENKEEL_COMPAT_WRITE=1 writes the .expect files anew, to be read
 * before they are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

#define TEXT_MAX 262144
#define BASELINE                                                                                                       \
    "vrrp_instance V {\n interface eth0\n virtual_router_id 254\n virtual_ipaddress {\n 203.0.113.254\n }\n}\n"

struct text {
    char bytes[TEXT_MAX];
    size_t length;
};

static struct text *text_new(void)
{
    struct text *text = calloc(1, sizeof(*text));

    assert_non_null(text);
    return text;
}

__attribute__((format(printf, 2, 3))) static void text_put(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, TEXT_MAX - text->length, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < TEXT_MAX - text->length);
    text->length += (size_t)length;
}

static void collect(void *context, enum config_severity severity, const char *file, unsigned line, unsigned column,
                    const char *finding)
{
    assert_non_null(file);
    text_put(context, "%s:%u:%u: %s: %s\n", file, line, column, severity == CONFIG_ERROR ? "error" : "warning",
             finding);
}

static struct config *load_text(const char *text, size_t length, unsigned flags, struct text *findings)
{
    return compat_read(
        (struct config_request){.path = "text", .text = text, .length = length, .flags = flags, .config_id = "host1"},
        collect, findings);
}

static char *print(const struct config *config, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    assert_non_null(out);
    config_print(config, out);
    fclose(out);
    return text;
}

/* What every file gets: a line that is in here says nothing about the file. */
static bool in_baseline(const char *baseline, const char *line, size_t length)
{
    for (const char *at = baseline; (at = memmem(at, strlen(at), line, length)) != NULL; at++)
        if ((at == baseline || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void put_difference(struct text *out, const char *printed, const char *baseline)
{
    for (const char *line = printed; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        bool brace = length > 0 && (line[length - 1] == '}' || line[length - 1] == '{');

        if (brace || !in_baseline(baseline, line, length))
            text_put(out, "%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void check_reads_back(const struct config *config, const char *printed, size_t length)
{
    struct text *findings = text_new();
    struct config *again = load_text(printed, length, 0, findings);
    size_t again_length;

    if (again == NULL)
        fail_msg("what was printed does not load:\n%s%s", printed, findings->bytes);
    char *again_printed = print(again, &again_length);

    assert_string_equal(again_printed, printed);
    assert_int_equal(again->hash, config->hash);
    free(again_printed);
    free(findings);
    config_free(again);
}

static void describe(const char *path, struct text *out)
{
    struct text *findings = text_new();
    struct config *config = compat_read((struct config_request){.path = path, .config_id = "host1"}, collect, findings);
    struct config *smallest = load_text(BASELINE, strlen(BASELINE), 0, findings);
    size_t length;

    assert_non_null(smallest);
    char *baseline = print(smallest, &length);

    text_put(out, "%s\n%s", config != NULL ? "loads" : "refused", findings->bytes);
    if (config != NULL) {
        char *printed = print(config, &length);

        text_put(out, "---\n");
        put_difference(out, printed, baseline);
        check_reads_back(config, printed, length);
        free(printed);
    }
    config_free(config);
    config_free(smallest);
    free(baseline);
    free(findings);
}

static bool read_file(const char *path, struct text *out)
{
    FILE *in = fopen(path, "re");

    if (in == NULL)
        return false;
    out->length = fread(out->bytes, 1, TEXT_MAX - 1, in);
    out->bytes[out->length] = '\0';
    fclose(in);
    return true;
}

static void test_compat__file__does_what_its_author_meant(void **state)
{
    const char *path = *state;
    struct text *got = text_new(), *wanted = text_new();
    char expect[4096];

    snprintf(expect, sizeof(expect), "%.*s.expect", (int)(strlen(path) - strlen(".conf")), path);
    describe(path, got);
    if (getenv("EVENKEEL_COMPAT_WRITE") != NULL) {
        FILE *out = fopen(expect, "we");

        assert_non_null(out);
        fwrite(got->bytes, 1, got->length, out);
        fclose(out);
    }
    if (!read_file(expect, wanted))
        fail_msg("%s is missing", expect);
    assert_string_equal(got->bytes, wanted->bytes);
    free(got);
    free(wanted);
}

/*
 * What keepalived's package brings as samples, where it is installed: whatever holds an instance runs and reads back to
 * the same, the others are refused for having none.
 */
static void test_compat__samples_of_keepalived__run_when_they_hold_an_instance(void **state)
{
    glob_t found;

    (void)state;
    if (glob("/usr/share/doc/keepalived/samples/keepalived.conf.*", 0, NULL, &found) != 0)
        skip();
    glob("/etc/keepalived/keepalived.conf.sample", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        struct text *findings = text_new(), *file = text_new();
        struct config *config =
            compat_read((struct config_request){.path = path, .config_id = "high"}, collect, findings);
        bool gz = strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".gz") == 0;
        size_t length;

        assert_true(read_file(path, file));
        if (!gz && (config != NULL) != (strstr(file->bytes, "\nvrrp_instance ") != NULL))
            fail_msg("%s %s:\n%s", path, config != NULL ? "runs" : "is refused", findings->bytes);
        if (config == NULL)
            assert_non_null(strstr(findings->bytes, gz ? "error" : "there is only IPVS in this file"));
        else {
            char *printed = print(config, &length);

            check_reads_back(config, printed, length);
            free(printed);
        }
        config_free(config);
        free(findings);
        free(file);
    }
    globfree(&found);
}

int main(void)
{
    glob_t found;

    /* The places in findings are as the file was named. */
    if (chdir(EVENKEEL_SOURCE "/tests/compat") != 0 || glob("*.conf", 0, NULL, &found) != 0 || found.gl_pathc < 40) {
        fprintf(stderr, "the corpus in tests/compat is missing or too small\n");
        return 1;
    }
    struct CMUnitTest *tests = calloc(found.gl_pathc + 1, sizeof(*tests));

    for (size_t i = 0; tests != NULL && i < found.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){.name = found.gl_pathv[i],
                                       .test_func = test_compat__file__does_what_its_author_meant,
                                       .initial_state = found.gl_pathv[i]};
    if (tests != NULL)
        tests[found.gl_pathc] =
            (struct CMUnitTest)cmocka_unit_test(test_compat__samples_of_keepalived__run_when_they_hold_an_instance);
    int failed = _cmocka_run_group_tests("compat corpus", tests, found.gl_pathc + 1, NULL, NULL);

    free(tests);
    globfree(&found);
    return failed;
}
