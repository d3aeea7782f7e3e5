/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen's changes, judged by a terminal: a small one that knows only the sequences the screen may use, and fails
 * at any other. After every frame it must show what was drawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "ctl/screen.h"

#define WIDTH 20
#define HEIGHT 5

static struct screen *screen;
static size_t cost; /* bytes of the last frame */

/* The terminal: what stands where, in which colour, and the cursor. */
static char glass[HEIGHT][WIDTH][5];
static char pens[HEIGHT][WIDTH][8];
static unsigned cursor_row, cursor_column;
static char pen[8];

static void clear_from(unsigned row, unsigned column)
{
    for (; column < WIDTH; column++) {
        strcpy(glass[row][column], " ");
        strcpy(pens[row][column], pen);
    }
}

static void clear_glass(void)
{
    for (unsigned row = 0; row < HEIGHT; row++)
        clear_from(row, 0);
}

/* One sequence after "ESC [". */
static const char *obey(const char *p)
{
    unsigned numbers[2] = {0, 0}, count = 0;
    const char *begin = p;

    for (; (*p >= '0' && *p <= '9') || *p == ';'; p++) {
        if (*p == ';')
            count++;
        else
            numbers[count] = numbers[count] * 10 + (unsigned)(*p - '0');
    }
    switch (*p) {
    case 'H':
        cursor_row = numbers[0] > 0 ? numbers[0] - 1 : 0;
        cursor_column = numbers[1] > 0 ? numbers[1] - 1 : 0;
        assert_true(cursor_row < HEIGHT && cursor_column < WIDTH);
        break;
    case 'K':
        assert_string_equal(pen, "");
        clear_from(cursor_row, cursor_column);
        break;
    case 'J':
        assert_int_equal(numbers[0], 2);
        clear_glass();
        break;
    case 'm':
        snprintf(pen, sizeof(pen), "%.*s", numbers[0] == 0 ? 0 : (int)(p - begin), begin);
        break;
    default:
        fail_msg("an unexpected sequence ends in '%c'", *p);
    }
    return p + 1;
}

static void shine(const char *bytes, size_t length)
{
    for (const char *p = bytes; p < bytes + length;) {
        if (p[0] == '\033' && p[1] == '[') {
            p = obey(p + 2);
            continue;
        }
        size_t size = (unsigned char)*p < 0x80 ? 1 : (unsigned char)*p < 0xe0 ? 2 : (unsigned char)*p < 0xf0 ? 3 : 4;

        assert_true(cursor_row < HEIGHT &&
                    cursor_column < WIDTH); /* the cursor behind the edge is nobody's to rely on */
        snprintf(glass[cursor_row][cursor_column], 5, "%.*s", (int)size, p);
        strcpy(pens[cursor_row][cursor_column], pen);
        cursor_column++;
        p += size;
    }
}

static void show(void)
{
    const char *bytes = screen_changes(screen, true, &cost);

    cursor_row = HEIGHT;
    shine(bytes, cost);
    assert_string_equal(pen, "");
}

static const char *line(unsigned row)
{
    static char text[WIDTH * 4 + 1];

    text[0] = '\0';
    for (unsigned column = 0; column < WIDTH; column++)
        strcat(text, glass[row][column]);
    return text;
}

static int setup(void **state)
{
    (void)state;
    screen = screen_new(WIDTH, HEIGHT);
    pen[0] = '\0';
    for (unsigned row = 0; row < HEIGHT; row++)
        for (unsigned column = 0; column < WIDTH; column++)
            strcpy(glass[row][column], "x"); /* whatever was there before */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    screen_free(screen);
    return 0;
}

static void test_screen__first_frame__clears_and_shows_everything(void **state)
{
    (void)state;
    screen_put(screen, 1, 2, COLOUR_RED, "hello");
    show();
    assert_string_equal(line(0), "                    ");
    assert_string_equal(line(1), "  hello             ");
    assert_string_equal(pens[1][2], "31");
    assert_string_equal(pens[1][1], "");
}

static void test_screen__same_frame__costs_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        screen_begin(screen);
        screen_put(screen, 0, 0, COLOUR_BOLD, "the same");
        screen_put(screen, 4, WIDTH - 4, COLOUR_NONE, "edge");
        show();
    }
    assert_int_equal(cost, 0);
}

static void test_screen__one_cell_differs__only_that_is_written(void **state)
{
    (void)state;
    screen_put(screen, 2, 0, COLOUR_NONE, "load 10 of 240");
    show();
    screen_begin(screen);
    screen_put(screen, 2, 0, COLOUR_NONE, "load 11 of 240");
    show();
    assert_string_equal(line(2), "load 11 of 240      ");
    assert_int_equal(cost, strlen("\033[3;7H1"));
}

static void test_screen__only_the_colour_differs__is_drawn(void **state)
{
    (void)state;
    screen_put(screen, 0, 0, COLOUR_GREEN, "a");
    show();
    screen_begin(screen);
    screen_put(screen, 0, 0, COLOUR_RED, "a");
    show();
    assert_string_equal(pens[0][0], "31");
}

static void test_screen__shorter_line__tail_is_erased(void **state)
{
    (void)state;
    screen_put(screen, 0, 0, COLOUR_NONE, "a long line of text");
    show();
    screen_begin(screen);
    screen_put(screen, 0, 0, COLOUR_NONE, "a");
    show();
    assert_string_equal(line(0), "a                   ");
    assert_true(cost < 12);
}

static void test_screen__text_beyond_the_edges__is_cut(void **state)
{
    (void)state;
    assert_int_equal(screen_put(screen, 0, WIDTH - 2, COLOUR_NONE, "abcdef"), WIDTH);
    screen_put(screen, HEIGHT, 0, COLOUR_NONE, "below");
    screen_put(screen, 1, WIDTH, COLOUR_NONE, "beside");
    screen_fill(screen, HEIGHT, 0, COLOUR_REVERSE);
    show();
    assert_string_equal(line(0), "                  ab");
    assert_string_equal(line(1), "                    ");
}

static void test_screen__hostile_text__cannot_speak_to_the_terminal(void **state)
{
    (void)state;
    screen_put(screen, 0, 0, COLOUR_NONE,
               "a\033[2Jb\nc\xc2\x9b"
               "d\xff\x80\xe2\x96");
    show();
    assert_string_equal(line(0), "a?[2Jb?c??d????     ");
}

static void test_screen__utf8__one_cell_each(void **state)
{
    (void)state;
    assert_int_equal(screen_put(screen, 0, 0, COLOUR_NONE, "█▌é"), 3);
    show();
    assert_string_equal(glass[0][1], "▌");
}

static void test_screen__forgotten__drawn_anew(void **state)
{
    (void)state;
    screen_put(screen, 0, 0, COLOUR_NONE, "hello");
    show();
    strcpy(glass[3][3], "x"); /* somebody else wrote there */
    screen_forget(screen);
    screen_begin(screen);
    screen_put(screen, 0, 0, COLOUR_NONE, "hello");
    show();
    assert_string_equal(line(0), "hello               ");
    assert_string_equal(line(3), "                    ");
}

static void test_screen__filled__to_the_edge(void **state)
{
    (void)state;
    screen_fill(screen, 0, screen_put(screen, 0, 0, COLOUR_REVERSE, "title"), COLOUR_REVERSE);
    show();
    assert_string_equal(pens[0][WIDTH - 1], "7");
    screen_begin(screen);
    show();
    assert_string_equal(pens[0][WIDTH - 1], "");
}

/* Two screens draw the same; one of them always from nothing, and what that one shows is right. */
static void test_screen__any_frames__the_terminal_shows_the_last(void **state)
{
    static const char *const texts[] = {"", "a", "ab cd", "█▌", "                   z", "0123456789012345678901"};
    struct screen *from_change = screen, *from_nothing = screen_new(WIDTH, HEIGHT);
    struct prng random = prng_seed(5);
    char shown[sizeof(glass)], shown_pens[sizeof(pens)];

    (void)state;
    for (unsigned frame = 0; frame < 500; frame++) {
        screen_begin(from_change);
        screen_begin(from_nothing);
        for (unsigned i = 0; i < 12; i++) {
            unsigned row = (unsigned)prng_below(&random, HEIGHT), column = (unsigned)prng_below(&random, WIDTH);
            enum colour colour = (enum colour)prng_below(&random, COLOUR_COUNT);
            const char *text = texts[prng_below(&random, 6)];

            screen_put(from_change, row, column, colour, text);
            screen_put(from_nothing, row, column, colour, text);
        }
        screen = from_change;
        show();
        memcpy(shown, glass, sizeof(glass));
        memcpy(shown_pens, pens, sizeof(pens));
        clear_glass();
        screen_forget(from_nothing);
        screen = from_nothing;
        show();
        for (unsigned row = 0; row < HEIGHT; row++)
            for (unsigned column = 0; column < WIDTH; column++) {
                size_t place = (size_t)row * WIDTH + column;

                assert_string_equal(glass[row][column], shown + place * sizeof(glass[0][0]));
                assert_string_equal(pens[row][column], shown_pens + place * sizeof(pens[0][0]));
            }
    }
    screen_free(from_nothing);
    screen = from_change;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_screen__first_frame__clears_and_shows_everything),
        TEST(test_screen__same_frame__costs_nothing),
        TEST(test_screen__one_cell_differs__only_that_is_written),
        TEST(test_screen__only_the_colour_differs__is_drawn),
        TEST(test_screen__shorter_line__tail_is_erased),
        TEST(test_screen__text_beyond_the_edges__is_cut),
        TEST(test_screen__hostile_text__cannot_speak_to_the_terminal),
        TEST(test_screen__utf8__one_cell_each),
        TEST(test_screen__forgotten__drawn_anew),
        TEST(test_screen__filled__to_the_edge),
        TEST(test_screen__any_frames__the_terminal_shows_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
