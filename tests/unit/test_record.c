/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events into spans, and spans into text and SVG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mono.h"
#include "ctl/record.h"
#include "ctl/record_svg.h"
#include "ctl/record_text.h"

#define NOON_US (INT64_C(1769860800) * US_PER_S) /* 2026-01-31T12:00:00Z */

static json_t *status, *entries;
static struct record record;
static char *text;
static size_t text_size;

__attribute__((format(printf, 1, 2))) static json_t *load(const char *format, ...)
{
    char source[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(source, sizeof(source), format, arguments);
    va_end(arguments);
    for (char *c = source; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *object = json_loads(source, 0, NULL);

    assert_non_null(object);
    return object;
}

/* Three members; unit 1 and 2 are alpha's now, and 3 is nobody's. */
static int setup(void **unused)
{
    (void)unused;
    status = load("{'time':'2026-01-31T12:01:00.000Z','pools':[{'name':'web','members':["
                  "{'address':'10.0.0.1','name':'alpha','self':true},{'address':'10.0.0.2','name':'beta'},"
                  "{'address':'10.0.0.3','name':null}],'units':["
                  "{'vrid':1,'addresses':['10.0.1.1'],'holder':'10.0.0.1'},"
                  "{'vrid':2,'addresses':['10.0.1.2'],'holder':'10.0.0.1'},"
                  "{'vrid':3,'addresses':['10.0.1.3'],'holder':null}]}]}");
    entries = json_array();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    record_free(&record);
    json_decref(status);
    json_decref(entries);
    free(text);
    text = NULL;
    return 0;
}

/* A change of a unit's owner, `second` seconds after noon; "" for null. */
static void change(const char *second, unsigned vrid, const char *from, const char *to, const char *gap_ms)
{
    json_t *entry = load("{'kind':'unit_owner','time':'2026-01-31T12:00:%s.000Z','pool':'web','vrid':%u,"
                         "'address':'10.0.1.%u','from':%s%s%s,'to':%s%s%s,'gap_ms':%s,'text':'unit %u'}",
                         second, vrid, vrid, *from ? "'" : "null", from, *from ? "'" : "", *to ? "'" : "null", to,
                         *to ? "'" : "", gap_ms, vrid);

    json_array_append_new(entries, entry);
}

static void fault(const char *second, const char *kind, const char *from, const char *words)
{
    json_array_append_new(entries, load("{'kind':'%s','time':'2026-01-31T12:00:%s.000Z','pool':'web','vrid':null,"
                                        "'from':'%s','text':'%s'}",
                                        kind, second, from, words));
}

static void make(void)
{
    assert_true(record_make(status, entries, &(struct record_choice){.pool = NULL}, &record));
}

static void assert_span(unsigned unit, unsigned index, const char *owner, double begin_s, double end_s)
{
    const struct record_span *span = &record.units[unit].spans[index];

    assert_true(index < record.units[unit].span_count);
    assert_string_equal(record.lanes[span->lane].name, owner);
    assert_int_equal(span->begin_us, NOON_US + (int64_t)(begin_s * US_PER_S));
    assert_int_equal(span->end_us, NOON_US + (int64_t)(end_s * US_PER_S));
}

static void test_record__change__ends_one_span_before_the_gap_and_begins_another(void **unused)
{
    (void)unused;
    change("10", 1, "10.0.0.2", "10.0.0.1", "750.0");
    make();
    assert_int_equal(record.units[0].span_count, 2);
    /* From 12:00:10 to 12:01:00, and a fiftieth of that at each end. */
    assert_span(0, 0, "beta", 9, 9.25);
    assert_span(0, 1, "alpha", 10, 61);
    assert_true(record.units[0].spans[1].gap_ms == 750);
}

static void test_record__no_change__has_been_where_it_is(void **unused)
{
    (void)unused;
    change("10", 1, "10.0.0.2", "10.0.0.1", "null");
    make();
    assert_int_equal(record.unit_count, 3);
    assert_int_equal(record.units[1].span_count, 1);
    assert_span(1, 0, "alpha", 9, 61);
    assert_span(2, 0, "nobody", 9, 61);
}

static void test_record__first_heard__nothing_is_known_before(void **unused)
{
    (void)unused;
    change("10", 1, "", "10.0.0.2", "null");
    change("20", 1, "10.0.0.2", "", "null");
    change("30", 1, "", "10.0.0.9", "10000.0");
    make();
    assert_int_equal(record.units[0].span_count, 3);
    assert_span(0, 0, "beta", 10, 20);
    assert_span(0, 1, "nobody", 20, 20);
    assert_span(0, 2, "10.0.0.9", 30, 61);
    assert_false(record.lanes[record.units[0].spans[2].lane].member);
}

static void test_record__lanes__members_then_strangers_nobody_and_states(void **unused)
{
    static const char *const names[] = {"alpha", "beta", "10.0.0.3", "10.0.0.9", "nobody", "Active", "Backup"};

    (void)unused;
    json_object_set_new(status, "instances", load("[{'name':'VI_1','vrid':51,'state':'Active'}]"));
    json_array_append_new(entries, load("{'kind':'instance_state','time':'2026-01-31T12:00:10.000Z','pool':null,"
                                        "'instance':'VI_1','vrid':51,'address':'10.0.1.51','from_state':'Backup',"
                                        "'to_state':'Active','text':'x'}"));
    change("11", 1, "10.0.0.9", "", "null");
    fault("12", "stranger", "10.0.0.9", "a stranger");
    make();
    assert_int_equal(record.lane_count, 7);
    for (unsigned lane = 0; lane < 7; lane++)
        assert_string_equal(record.lanes[lane].name, names[lane]);
    assert_span(0, 0, "10.0.0.9", 9, 11);
    assert_span(3, 1, "Active", 10, 61);
    assert_int_equal(record.faults[0].lane, 3);
}

static void test_record__one_unit_chosen__only_that(void **unused)
{
    (void)unused;
    change("10", 1, "10.0.0.2", "10.0.0.1", "1.0");
    change("11", 2, "10.0.0.2", "10.0.0.1", "1.0");
    fault("12", "member_dead", "10.0.0.2", "dead");
    assert_true(record_make(status, entries, &(struct record_choice){.pool = "web", .vrid = 2}, &record));
    assert_int_equal(record.unit_count, 1);
    assert_string_equal(record.units[0].address, "10.0.1.2");
    assert_int_equal(record.units[0].span_count, 2);
    assert_int_equal(record.fault_count, 1); /* of a member: it concerns all */
}

static void test_record__faults__those_of_a_kind_at_once_are_one(void **unused)
{
    (void)unused;
    fault("10", "member_dead", "10.0.0.2", "beta is dead");
    fault("11", "member_dead", "10.0.0.3", "gamma is dead");
    fault("20", "member_dead", "10.0.0.2", "beta is dead again");
    fault("20", "rejoined", "10.0.0.2", "no fault");
    make();
    assert_int_equal(record.fault_count, 2);
    assert_int_equal(record.faults[0].count, 2);
    assert_int_equal(record.faults[0].lane, 1);
    assert_int_equal(record.faults[1].count, 1);
}

static void test_record__instance__lanes_are_its_states(void **unused)
{
    (void)unused;
    json_object_set_new(status, "instances",
                        load("[{'name':'VI_1','vrid':51,'state':'Fault'},"
                             "{'name':'VI_2','vrid':61,'state':'Backup'}]"));
    json_array_append_new(entries, load("{'kind':'instance_state','time':'2026-01-31T12:00:10.000Z','pool':null,"
                                        "'instance':'VI_1','vrid':51,'address':'10.0.1.51','from_state':'Active',"
                                        "'to_state':'Fault','text':'x'}"));
    make();
    assert_int_equal(record.unit_count, 5);
    assert_string_equal(record.units[3].address, "VI_1");
    assert_span(3, 0, "Active", 9, 10);
    assert_span(3, 1, "Fault", 10, 61);
    assert_span(4, 0, "Backup", 9, 61);
    assert_true(record.lanes[record.units[3].spans[0].lane].state);
    record_free(&record);
    assert_true(record_make(status, entries, &(struct record_choice){.pool = "VI_1", .vrid = 51}, &record));
    assert_int_equal(record.unit_count, 1);
}

static void test_record__no_events__is_a_picture_all_the_same(void **unused)
{
    (void)unused;
    make();
    assert_true(record.begin_us < record.end_us);
    assert_int_equal(record.unit_count, 3);
}

static void test_record__clock_set_back__still_in_order(void **unused)
{
    (void)unused;
    change("50", 1, "10.0.0.2", "10.0.0.1", "1.0");
    change("40", 1, "10.0.0.1", "10.0.0.2", "1.0");
    make();
    for (unsigned i = 0; i < record.units[0].span_count; i++)
        assert_true(record.units[0].spans[i].end_us >= record.units[0].spans[i].begin_us);
}

static void draw_text(unsigned width, bool all)
{
    FILE *out = open_memstream(&text, &text_size);

    record_text(out, &(struct term){.width = width}, &record, all);
    fclose(out);
}

static void assert_drawn(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in\n%s", part, text);
}

static void test_text__timeline__letters_gaps_and_faults(void **unused)
{
    (void)unused;
    change("10", 1, "10.0.0.2", "10.0.0.1", "750.0");
    change("35", 1, "10.0.0.1", "10.0.0.3", "null");
    fault("35", "member_dead", "10.0.0.1", "web: member alpha is taken for dead");
    make();
    draw_text(49, false);
    assert_drawn("2026-01-31 12:00:09.000 to 2026-01-31 12:01:01.000 UTC\n");
    assert_drawn("10.0.1.1 !AAAAAAAAAAAAAAAAAAACCCCCCCCCCCCCCCCCCCC\n");
    assert_drawn("faults                       ^");
    assert_drawn("2 units stayed where they were.");
    assert_drawn("B beta, 10.0.0.2\n");
    assert_drawn("^ 12:00:35.000 web: member alpha is taken for dead\n");
    free(text);
    draw_text(1, true);
    assert_drawn("10.0.1.3 !!!!!!!!!!!!!!!!!!!!\n");
}

/* Every tag that is opened is closed, in order, and no text has a bare '<' or '&'. */
static void assert_well_formed(void)
{
    char open[16][16];
    unsigned depth = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '&' && strncmp(p, "&amp;", 5) != 0 && strncmp(p, "&lt;", 4) != 0 && strncmp(p, "&gt;", 4) != 0 &&
            strncmp(p, "&quot;", 6) != 0 && strncmp(p, "&#160;", 6) != 0)
            fail_msg("a bare '&' at '%.40s'", p);
        if (*p != '<' || p[1] == '?')
            continue;
        const char *end = strchr(p, '>');

        assert_non_null(end);
        if (p[1] == '/') {
            size_t length = (size_t)(end - p - 2);

            assert_true(depth > 0);
            depth--;
            if (strlen(open[depth]) != length || strncmp(open[depth], p + 2, length) != 0)
                fail_msg("</%.*s> ends <%s>", (int)length, p + 2, open[depth]);
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            snprintf(open[depth++], sizeof(open[0]), "%.*s", (int)strcspn(p + 1, " >"), p + 1);
        }
        p = end;
    }
    assert_int_equal(depth, 0);
}

static unsigned count_of(const char *part)
{
    unsigned count = 0;

    for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
        count++;
    return count;
}

static void draw_svg(void)
{
    FILE *out = open_memstream(&text, &text_size);

    assert_true(record_svg(out, &record));
    fclose(out);
    assert_well_formed();
}

static void test_svg__lanes_bars_gaps_and_faults__are_there(void **unused)
{
    (void)unused;
    change("10", 1, "10.0.0.2", "10.0.0.1", "750.0");
    change("35", 1, "10.0.0.1", "10.0.0.9", "null");
    fault("35", "member_dead", "10.0.0.2", "web: member beta is taken for dead");
    make();
    draw_svg();
    assert_drawn(">alpha</text>");
    assert_drawn(">beta</text>");
    assert_drawn(">10.0.0.3</text>");
    assert_drawn(">10.0.0.9</text>");
    assert_drawn("no member");
    assert_int_equal(count_of("<g><rect"), 5);         /* three spans of unit 1, one of each other */
    assert_int_equal(count_of("fill=\"#d32f2f\""), 2); /* the gap, and unit 3's bar in nobody's lane */
    assert_int_equal(count_of("stroke-dasharray"), 1);
    assert_drawn("12:00:35.000&#160; web: member beta is taken for dead");
    assert_drawn("names are what follows 10.0.1.");
}

static void test_svg__hostile_texts__are_escaped(void **unused)
{
    (void)unused;
    json_t *member = json_array_get(json_object_get(json_array_get(json_object_get(status, "pools"), 0), "members"), 0);

    json_object_set_new(member, "name", json_string("<script>alert(\"x\")</script>&\x01"));
    fault("35", "member_dead", "10.0.0.2", "</text></svg><b>&amp");
    make();
    draw_svg();
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<b>"));
    assert_null(strchr(text, '\x01'));
    assert_drawn("&lt;script&gt;alert(");
}

static void test_svg__240_units_and_many_faults__fit_a_page(void **unused)
{
    json_t *units = json_object_get(json_array_get(json_object_get(status, "pools"), 0), "units");
    unsigned height = 0;

    (void)unused;
    for (unsigned vrid = 4; vrid <= 240; vrid++)
        json_array_append_new(
            units, load("{'vrid':%u,'addresses':['10.0.1.%u'],'holder':'10.0.0.%u'}", vrid, vrid, vrid % 3 + 1));
    for (unsigned i = 0; i < 59; i++) {
        char second[8];

        snprintf(second, sizeof(second), "%02u", i);
        fault(second, i % 2 == 0 ? "contest" : "isolated", "10.0.0.2", "trouble");
    }
    make();
    draw_svg();
    assert_int_equal(count_of("<g><rect"), 240);
    assert_drawn("and 19 more</text>");
    const char *written = strstr(text, " height=\"");

    assert_non_null(written);
    assert_int_equal(sscanf(written, " height=\"%u", &height), 1);
    assert_true(height < 2500);
}

static void test_svg__no_members_and_no_units__is_whole(void **unused)
{
    (void)unused;
    json_decref(status);
    status = load("{'time':'2026-01-31T12:01:00.000Z','pools':[]}");
    make();
    draw_svg();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_record__change__ends_one_span_before_the_gap_and_begins_another),
        TEST(test_record__no_change__has_been_where_it_is),
        TEST(test_record__first_heard__nothing_is_known_before),
        TEST(test_record__one_unit_chosen__only_that),
        TEST(test_record__faults__those_of_a_kind_at_once_are_one),
        TEST(test_record__lanes__members_then_strangers_nobody_and_states),
        TEST(test_record__instance__lanes_are_its_states),
        TEST(test_record__no_events__is_a_picture_all_the_same),
        TEST(test_record__clock_set_back__still_in_order),
        TEST(test_text__timeline__letters_gaps_and_faults),
        TEST(test_svg__lanes_bars_gaps_and_faults__are_there),
        TEST(test_svg__hostile_texts__are_escaped),
        TEST(test_svg__240_units_and_many_faults__fit_a_page),
        TEST(test_svg__no_members_and_no_units__is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
