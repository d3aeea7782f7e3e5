/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl watch but for its terminal: keys, order, filter, and what a frame shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/brief.h"
#include "ctl/watch_state.h"
#include "ctl/watch_view.h"
#include "daemon_rig.h"

#define TEXT_MAX 65536

static struct rig rig;
static struct watch_state state;
static struct watch_row rows[WATCH_ROWS_MAX];
static json_t *status, *history;
static char text[TEXT_MAX]; /* the last frame, a newline before each row */

static json_t *ask(const char *request)
{
    return rig_ask(&rig, request, true, NULL);
}

static void look(void)
{
    json_decref(status);
    json_decref(history);
    status = ask("{\"command\":\"status\"}");
    history = ask("{\"command\":\"history\"}");
}

static int setup(void **unused)
{
    (void)unused;
    state = (struct watch_state){.page = WATCH_MEMBERS};
    rig_open(&rig, 24, 4);
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    look();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    json_decref(status);
    json_decref(history);
    status = history = NULL;
    rig_close(&rig);
    return 0;
}

static void press(const char *keys)
{
    for (size_t at = 0, used; keys[at] != '\0'; at += used)
        assert_true(watch_take_key(&state, watch_read_key(keys + at, strlen(keys + at), &used)));
}

/* The frame's text: sequences are left out, but a jump to another row is a newline. */
static void draw(unsigned width, unsigned height, const char *problem)
{
    const struct ctl ctl = {.term = {.unicode = false}};
    const struct watch_answers answers = {.status = status, .history = history, .problem = problem};
    struct screen *screen = screen_new(width, height);
    size_t length, used = 0;

    watch_draw(&state, &ctl, &answers, screen);
    const char *bytes = screen_changes(screen, false, &length);

    for (const char *p = bytes; p < bytes + length; p++) {
        if (*p != '\033') {
            text[used++] = *p;
            continue;
        }
        p += 2 + strspn(p + 2, "0123456789;");
        if (*p == 'H')
            text[used++] = '\n';
    }
    text[used] = '\0';
    screen_free(screen);
}

static void assert_shows(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in\n%s", part, text);
}

static void assert_hides(const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("'%s' is in\n%s", part, text);
}

/* --- keys --- */

static void test_keys__sequences__are_one_key_each(void **unused)
{
    static const struct {
        const char *bytes;
        size_t used;
        int key;
    } cases[] = {
        {"q", 1, 'q'},
        {"\033[A", 3, WATCH_KEY_UP},
        {"\033OB", 3, WATCH_KEY_DOWN},
        {"\033[6~", 4, WATCH_KEY_PAGE_DOWN},
        {"\033[1~x", 4, WATCH_KEY_HOME},
        {"\033", 1, WATCH_KEY_ESCAPE},
        {"\033q", 1, WATCH_KEY_ESCAPE},
        {"\033[1;5C", 6, WATCH_KEY_NONE}, /* passed over whole, not typed as ";5C" */
        {"\033[", 2, WATCH_KEY_NONE},
        {"\033[200", 5, WATCH_KEY_NONE},
        {"\xc3\xa9", 1, 0xc3},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t used;

        assert_int_equal(watch_read_key(cases[i].bytes, strlen(cases[i].bytes), &used), cases[i].key);
        assert_int_equal(used, cases[i].used);
    }
}

static void test_keys__q__leaves_but_from_the_help_only_that(void **unused)
{
    (void)unused;
    press("h");
    assert_int_equal(state.page, WATCH_HELP);
    assert_true(watch_take_key(&state, 'q'));
    assert_int_equal(state.page, WATCH_MEMBERS);
    assert_false(watch_take_key(&state, 'q'));
}

static void test_keys__while_typing__letters_are_the_filter(void **unused)
{
    (void)unused;
    press("/qsp");
    assert_true(state.typing);
    assert_string_equal(state.filter, "qsp");
    press("\x7f\x7f\x7f\x7f"
          "a\033[A\xc3\xa9");
    assert_string_equal(state.filter, "a");
    press("\r");
    assert_false(state.typing);
    assert_string_equal(state.filter, "a");
    press("/bc\033");
    assert_string_equal(state.filter, "");
    assert_false(state.typing);
    for (unsigned i = 0; i < 2 * WATCH_FILTER_MAX; i++)
        press(i == 0 ? "/" : "x");
    assert_int_equal(strlen(state.filter), WATCH_FILTER_MAX - 1);
}

static void test_keys__pause_and_sort__turn(void **unused)
{
    (void)unused;
    press("p");
    assert_true(state.paused);
    press(" ");
    assert_false(state.paused);
    press("s");
    assert_int_equal(state.page, WATCH_UNITS);
    assert_int_equal(state.sort, WATCH_BY_ADDRESS);
    press("sss");
    assert_int_equal(state.sort, WATCH_BY_HOLDER);
    press("r");
    assert_true(state.reversed);
    press("\t");
    assert_int_equal(state.page, WATCH_MEMBERS);
}

/* --- order and filter --- */

static unsigned pick(void)
{
    return watch_pick(&state, status, rows);
}

static const char *name_at(unsigned i)
{
    return brief_unit_name(rows[i].unit);
}

static void test_pick__by_address__numerically(void **unused)
{
    (void)unused;
    state.sort = WATCH_BY_ADDRESS;
    assert_int_equal(pick(), 24);
    assert_string_equal(name_at(0), "10.20.0.1");
    assert_string_equal(name_at(1), "10.20.0.2");
    assert_string_equal(name_at(9), "10.20.0.10");
    state.reversed = true;
    pick();
    assert_string_equal(name_at(0), "10.20.0.24");
}

static void test_pick__by_holder__groups_in_the_members_order(void **unused)
{
    (void)unused;
    rig_say(&rig, 2, 3, 0, &rig.addresses[2]); /* given up, and not yet taken */
    look();
    pick();
    assert_string_equal(reply_text(rows[0].unit, "holder_name"), "alpha");
    for (unsigned i = 1; i < 24; i++)
        assert_true(rows[i].group >= rows[i - 1].group);
    assert_string_equal(reply_text(rows[23].unit, "holder_kind"), "none");
}

static void test_pick__by_change__the_latest_first(void **unused)
{
    (void)unused;
    rig.holder[6] = 1;
    rig_say(&rig, 2, 7, 0, &rig.addresses[6]);
    rig_say(&rig, 1, 7, 253, &rig.addresses[6]);
    look();
    state.sort = WATCH_BY_CHANGE;
    pick();
    assert_string_equal(name_at(0), "10.20.0.7");
}

static void test_pick__by_trouble__the_worst_first(void **unused)
{
    struct addr other = {.family = FAMILY_IPV4, .bytes = {10, 20, 0, 99}};

    (void)unused;
    rig_say(&rig, 1, 10, 253, &other);
    rig_say(&rig, 2, 19, 0, &rig.addresses[18]);
    look();
    state.sort = WATCH_BY_TROUBLE;
    pick();
    assert_string_equal(name_at(0), "10.20.0.19");
    assert_int_equal(watch_trouble(rows[0].unit), 3);
    assert_string_equal(name_at(1), "10.20.0.10");
    assert_int_equal(watch_trouble(rows[1].unit), 1);
    assert_int_equal(watch_trouble(rows[2].unit), 0);
}

static void test_trouble__foreign_answer__only_while_it_is_recent(void **unused)
{
    (void)unused;
    rig.conflicts[0] = (struct daemon_conflict){.last = rig.now, .count = 1, .mac = {2, 0, 0, 0, 0, 9}};
    look();
    pick();
    assert_int_equal(watch_trouble(rows[0].unit), 1);
    state.page = WATCH_UNITS;
    draw(80, 40, "");
    assert_shows("also at 02:00:00:00:00:09");
    rig_run(&rig, 60 * (int64_t)US_PER_S);
    look();
    pick();
    assert_int_equal(watch_trouble(rows[0].unit), 0);
    draw(100, 40, "");
    assert_hides("02:00:00:00:00:09");
}

static void test_pick__filter__address_holder_or_pool_in_any_case(void **unused)
{
    static const struct {
        const char *filter;
        unsigned count;
    } cases[] = {{"", 24}, {"10.20.0.1", 11}, {"BETA", 6}, {"10.20.0.243", 6}, {"Web", 24}, {"nothing", 0}};

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(state.filter, sizeof(state.filter), "%s", cases[i].filter);
        assert_int_equal(pick(), cases[i].count);
    }
}

/* --- frames --- */

static void test_draw__members__attention_first_then_bars_then_changes(void **unused)
{
    (void)unused;
    rig.alive[2] = false;
    rig_run(&rig, 2 * (int64_t)US_PER_S);
    look();
    draw(80, 24, "");
    assert_shows("evenkeel 00:00:12 UTC");
    assert_shows("member 10.20.0.243 is dead");
    assert_true(strstr(text, "is dead") < strstr(text, "web on eth0"));
    assert_shows("> alpha");
    assert_shows("##########");
    assert_shows("LAST CHANGES");
    assert_shows("10.20.0.243 -> ");
    assert_shows("member_dead");
    assert_shows("q quit");
}

static void test_draw__stranger_and_vacancy__a_row_of_their_own(void **unused)
{
    (void)unused;
    rig.holder[4] = 13;
    rig.alive[13] = true;
    rig_run(&rig, 10 * (int64_t)US_PER_S);
    rig_say(&rig, 13, 5, 253, &rig.addresses[4]);
    rig_say(&rig, 1, 6, 0, &rig.addresses[5]);
    look();
    draw(80, 24, "");
    assert_shows("10.20.0.254 stranger 5");
    assert_shows("! nobody holds 6");
}

static void test_draw__80_columns__help_and_instances_are_whole(void **unused)
{
    (void)unused;
    json_object_set_new(status, "instances",
                        json_pack("[{s:s,s:s,s:i,s:s,s:[s]}]", "name", "GATEWAY_INSIDE", "state", "Active", "priority",
                                  150, "holder", "192.168.100.101", "addresses", "192.168.100.200"));
    draw(80, 24, "");
    assert_shows("192.168.100.200");
    press("h");
    draw(80, 24, "");
    assert_shows("Esc: all again");
    assert_shows("'!' a contested one.");
}

static void test_draw__instances__state_and_active_router(void **unused)
{
    (void)unused;
    json_object_set_new(status, "instances",
                        json_pack("[{s:s,s:s,s:i,s:s,s:[s,s]},{s:s,s:s,s:i,s:n,s:[]}]", "name", "VI_1", "state",
                                  "Backup", "priority", 150, "holder", "10.20.0.77", "addresses", "10.20.0.200",
                                  "10.20.0.201", "name", "VI_2", "state", "Fault", "priority", 100, "holder",
                                  "addresses"));
    json_array_append_new(json_object_get(history, "entries"),
                          json_pack("{s:s,s:s,s:s,s:s,s:s}", "time", "2026-01-01T00:00:11.500Z", "instance", "VI_1",
                                    "from_state", "Active", "to_state", "Backup", "reason", "stronger"));
    draw(100, 30, "");
    assert_shows("00:00:11.500  VI_1  Active -> Backup  stronger");
    assert_shows("10.20.0.77");
    assert_shows("10.20.0.200 +1");
    assert_shows("Fault");
    assert_shows("nobody");
}

static void test_draw__units__grouped_and_scrolled(void **unused)
{
    (void)unused;
    press("u");
    draw(80, 24, "");
    assert_shows("alpha: 6 units");
    assert_shows("10.20.0.1  alpha");
    assert_int_equal(state.body_lines, 1 + 24 + 4);
    press("\033[F");
    draw(80, 24, "");
    assert_hides("alpha: 6 units");
    assert_shows("10.20.0.24");
    press("\033[H");
    assert_int_equal(state.top, 0);
    press("/0.17");
    draw(80, 24, "");
    assert_shows("only: 0.17_");
    assert_shows("10.20.0.17");
    assert_hides("10.20.0.13\n");
    press("x");
    draw(80, 24, "");
    assert_shows("no unit matches");
}

static void test_draw__list_got_shorter__never_past_its_end(void **unused)
{
    (void)unused;
    press("u");
    draw(80, 24, "");
    press("\033[F");
    snprintf(state.filter, sizeof(state.filter), "10.20.0.17");
    draw(80, 24, "");
    draw(80, 24, "");
    assert_int_equal(state.top, 0);
    assert_shows("10.20.0.17");
}

static void test_draw__no_answer_yet_or_none_any_more__says_so(void **unused)
{
    (void)unused;
    draw(80, 24, "evenkeeld has not answered for 5 s: is it stopped?");
    assert_shows("has not answered");
    assert_shows("> alpha"); /* what was last known stays */
    json_decref(status);
    json_decref(history);
    status = history = NULL;
    draw(80, 24, "no evenkeeld answers");
    assert_shows("no evenkeeld answers");
}

static void test_draw__any_size__stays_inside(void **unused)
{
    static const char *const keys[] = {"", "u", "s", "h", "\033[6~", "/1", "\r"};

    (void)unused;
    rig.alive[2] = false;
    rig_run(&rig, 2 * (int64_t)US_PER_S);
    look();
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        press(keys[k]);
        for (unsigned width = 1; width < 90; width += 7)
            for (unsigned height = 1; height < 30; height++)
                draw(width, height, height % 2 == 0 ? "a problem" : "");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys__sequences__are_one_key_each),
        TEST(test_keys__q__leaves_but_from_the_help_only_that),
        TEST(test_keys__while_typing__letters_are_the_filter),
        TEST(test_keys__pause_and_sort__turn),
        TEST(test_pick__by_address__numerically),
        TEST(test_pick__by_holder__groups_in_the_members_order),
        TEST(test_pick__by_change__the_latest_first),
        TEST(test_pick__by_trouble__the_worst_first),
        TEST(test_trouble__foreign_answer__only_while_it_is_recent),
        TEST(test_pick__filter__address_holder_or_pool_in_any_case),
        TEST(test_draw__members__attention_first_then_bars_then_changes),
        TEST(test_draw__stranger_and_vacancy__a_row_of_their_own),
        TEST(test_draw__80_columns__help_and_instances_are_whole),
        TEST(test_draw__instances__state_and_active_router),
        TEST(test_draw__units__grouped_and_scrolled),
        TEST(test_draw__list_got_shorter__never_past_its_end),
        TEST(test_draw__no_answer_yet_or_none_any_more__says_so),
        TEST(test_draw__any_size__stays_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
