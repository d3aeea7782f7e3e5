/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl status as text: what needs attention comes first, and 240 units on 12 hosts fit one screen whatever happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/status_view.h"
#include "daemon_rig.h"

static struct rig rig;
static char *text;
static size_t text_size;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 240, 12);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    rig_close(&rig);
    return 0;
}

static const struct ctl terminal = {.term = {.width = 80, .height = 24, .unicode = false}};
static const struct ctl file = {.term = {.width = 80}};

/* What is shown of an answer, in `text`. */
static void show_answer(const struct ctl *ctl, const json_t *answer)
{
    free(text);
    FILE *out = open_memstream(&text, &text_size);

    assert_int_equal(status_show(out, ctl, answer), 0);
    fclose(out);
}

static void show(const struct ctl *ctl)
{
    json_t *answer = rig_ask(&rig, "{\"command\":\"status\"}", true, NULL);

    show_answer(ctl, answer);
    json_decref(answer);
}

/* Lines that a terminal of `width` columns needs; no colours are in the text. */
static unsigned lines_on_screen(unsigned width)
{
    unsigned lines = 0;

    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        unsigned length = (unsigned)strcspn(line, "\n");

        lines += length == 0 ? 1 : (length + width - 1) / width;
    }
    return lines;
}

static void assert_shows(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in\n%s", part, text);
}

static void test_status_view__240_units_on_12_hosts__one_screen(void **state)
{
    (void)state;
    show(&terminal);
    assert_true(lines_on_screen(80) <= 23);
    assert_shows("240 of 240 units held, 12 members");
    assert_shows("> alpha");
    assert_shows("10.20.0.*");
    for (unsigned m = 2; m < 12; m++) {
        char address[32];

        snprintf(address, sizeof(address), "10.20.0.%u", 241 + m);
        assert_shows(address);
    }
}

static void test_status_view__everything_wrong__alarms_first_and_still_one_screen(void **state)
{
    struct addr other = {.family = FAMILY_IPV4, .bytes = {10, 20, 9, 9}};

    (void)state;
    rig.holder[30] = 13; /* a stranger holds unit 31 */
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    rig.alive[13] = true;
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    rig_say(&rig, 2, 2, 253, &rig.addresses[1]);
    rig_say(&rig, 1, 2, 252, &rig.addresses[1]); /* two claim unit 2 */
    rig_say(&rig, 1, 250, 253, &other);          /* one that is not ours */
    rig_say(&rig, 3, 4, 253, &other);            /* another list */
    rig.alive[5] = rig.alive[6] = false;
    rig.conflicts[0] = (struct daemon_conflict){.last = rig.now, .count = 3, .mac = {2, 0, 0, 0, 0, 9}};
    rig.pool_view.filter_mode = FILTER_ON;
    rig.pool_view.filter_text = "the kernel has no egress hook, which was removed from it in this test";
    show(&terminal);
    assert_true(lines_on_screen(80) <= 24);
    assert_int_equal(strncmp(text, "! web: one unit has two owners", 30), 0);
    assert_shows("more: keelctl --json status");
    show(&file);
    assert_shows("two owners");
    assert_shows("somebody else");
    assert_shows("another list");
    assert_shows("configuration");
    assert_shows("arp_filter on is in force here, not lease");
}

static void test_status_view__room_left__more_lines_for_units(void **state)
{
    static const struct ctl tall = {.term = {.width = 80, .height = 60}};

    (void)state;
    show(&terminal);
    assert_shows(" +");
    show(&tall);
    assert_null(strstr(text, " +"));
    assert_shows("229"); /* the last of alpha, in another line */
    assert_true(lines_on_screen(80) <= 59);
}

static void test_status_view__stranger__whole_address_and_what_it_holds(void **state)
{
    (void)state;
    rig.holder[30] = 13;
    rig.alive[13] = true;
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    show(&terminal);
    assert_shows("! 10.20.0.254 stranger");
    assert_true(lines_on_screen(80) <= 23);
}

/* As many as a file of keepalived's may have. */
static void test_status_view__240_instances__the_worst_and_how_many_more(void **state)
{
    json_t *answer = json_pack("{s:{s:i},s:[],s:[],s:[]}", "daemon", "uptime_s", 7, "attention", "pools", "instances");
    json_t *list = json_object_get(answer, "instances");

    (void)state;
    for (int i = 0; i < 240; i++) {
        char name[16];

        snprintf(name, sizeof(name), "VI_%d", i);
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:i}", "name", name, "state", i == 200 ? "Fault" : "Backup", "priority", 100));
    }
    show_answer(&terminal, answer);
    assert_true(lines_on_screen(80) <= 23);
    assert_shows("instances: 239 Backup, 1 Fault");
    assert_shows("\nVI_200   Fault");
    assert_shows("\nand 220 more: keelctl list\n");
    show_answer(&file, answer);
    assert_shows("VI_239");
    json_decref(answer);
}

static void test_status_view__no_terminal__nothing_is_cut(void **state)
{
    (void)state;
    memset(rig.names[1].name, 'n', 60);
    for (unsigned i = 0; i < 240; i += 2)
        rig.addresses[i] = (struct addr){.family = FAMILY_IPV4, .bytes = {10, (uint8_t)i, (uint8_t)(7 * i), 1}};
    show(&file);
    assert_shows("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    assert_null(strstr(text, " +"));
}

static void test_status_view__long_names__cut_to_the_terminal(void **state)
{
    (void)state;
    memset(rig.names[1].name, 'n', 60);
    show(&terminal);
    assert_true(lines_on_screen(80) <= 23);
}

static void test_term__colour__as_chosen(void **state)
{
    struct term term = {.colour = false};

    (void)state;
    assert_true(term_choose_colour(&term, "always") && term.colour);
    assert_true(term_choose_colour(&term, "auto") && term.colour);
    assert_true(term_choose_colour(&term, "never") && !term.colour);
    assert_false(term_choose_colour(&term, "sometimes"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_view__240_units_on_12_hosts__one_screen),
        TEST(test_status_view__everything_wrong__alarms_first_and_still_one_screen),
        TEST(test_status_view__room_left__more_lines_for_units),
        TEST(test_status_view__stranger__whole_address_and_what_it_holds),
        TEST(test_status_view__240_instances__the_worst_and_how_many_more),
        TEST(test_status_view__no_terminal__nothing_is_cut),
        TEST(test_status_view__long_names__cut_to_the_terminal),
        TEST(test_term__colour__as_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
