/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing a record (see record_svg.h). Bars of a lane are laid into as few rows as they need, each into the first row
 * that is free at its time; how high a row is follows from how many there are, so that 9 units have their names in the
 * bars and 240 fit a page. Called by cmd_record.c.
 */
#include "ctl/record_svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mono.h"
#include "ctl/record_text.h"

#define WIDTH 1200
#define LEFT 170
#define RIGHT 20
#define TOP 70
#define LANE_GAP 8
#define AXIS_HEIGHT 26
#define LEGEND_LINE 16
#define NAMED_ROW 12   /* a row at least so high has the units' names in it */
#define MIN_BAR 1.5    /* pixels: what is shorter is drawn so long, or nobody would see it */
#define LETTER 6.2     /* width of a letter of a bar's name */
#define TEXT_CELLS 175 /* of a line of the legend */
#define FAULTS_MAX 40  /* in the legend; all have their lines */
#define TICKS_MAX 10

struct bar {
    const struct record_unit *unit;
    const struct record_span *span;
    unsigned index; /* of the unit: its colour */
    unsigned row;   /* within its lane */
};

struct picture {
    FILE *out;
    const struct record *record;
    struct bar *bars; /* by lane, then time, then unit */
    unsigned bar_count;
    unsigned *rows; /* per lane */
    double *lane_y; /* per lane: its upper edge */
    double row_height, bottom;
    size_t common; /* letters that all units' addresses begin with */
};

/* --- pieces --- */

static void put_byte(FILE *out, unsigned char byte)
{
    switch (byte) {
    case '&':
        fputs("&amp;", out);
        return;
    case '<':
        fputs("&lt;", out);
        return;
    case '>':
        fputs("&gt;", out);
        return;
    case '"':
        fputs("&quot;", out);
        return;
    default:
        fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, out);
    }
}

/* At most `most` characters of it. */
static void put_text(FILE *out, const char *text, size_t most)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t cells = 0;

    for (; *s != '\0'; s++) {
        bool begins = (*s & 0xc0) != 0x80;

        if (begins && cells++ == most) {
            fputs("…", out);
            return;
        }
        put_byte(out, *s);
    }
}

static double x_of(const struct picture *p, int64_t at_us)
{
    const struct record *r = p->record;
    double part = (double)(at_us - r->begin_us) / (double)(r->end_us - r->begin_us);

    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

/* Neighbouring units get hues that lie far apart (the golden angle). */
static void put_colour(FILE *out, unsigned index)
{
    double hue = fmod(index * 137.508, 360) / 60, saturation = index % 2 == 0 ? 0.45 : 0.6, light = 0.72;
    double chroma = (1 - fabs(2 * light - 1)) * saturation, middle = chroma * (1 - fabs(fmod(hue, 2) - 1));
    double base = light - chroma / 2;
    const double parts[6][3] = {{chroma, middle, 0}, {middle, chroma, 0}, {0, chroma, middle},
                                {0, middle, chroma}, {middle, 0, chroma}, {chroma, 0, middle}};
    const double *rgb = parts[(unsigned)hue % 6];

    fprintf(out, "#%02x%02x%02x", (unsigned)((rgb[0] + base) * 255), (unsigned)((rgb[1] + base) * 255),
            (unsigned)((rgb[2] + base) * 255));
}

static bool is_nobody(const struct record *r, unsigned lane)
{
    return r->lanes[lane].address[0] == '\0';
}

/* --- layout --- */

static int compare_bars(const void *left, const void *right)
{
    const struct bar *a = left, *b = right;

    if (a->span->lane != b->span->lane)
        return a->span->lane < b->span->lane ? -1 : 1;
    if (a->span->begin_us != b->span->begin_us)
        return a->span->begin_us < b->span->begin_us ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static unsigned count_spans(const struct record *r)
{
    unsigned count = 0;

    for (unsigned u = 0; u < r->unit_count; u++)
        count += r->units[u].span_count;
    return count;
}

static void collect_bars(struct picture *p)
{
    const struct record *r = p->record;

    for (unsigned u = 0; u < r->unit_count; u++) {
        for (unsigned s = 0; s < r->units[u].span_count; s++)
            p->bars[p->bar_count++] = (struct bar){.unit = &r->units[u], .span = &r->units[u].spans[s], .index = u};
    }
    qsort(p->bars, p->bar_count, sizeof(p->bars[0]), compare_bars);
}

/* Where a bar really ends: what is too short to be seen takes more room. */
static int64_t drawn_end(const struct picture *p, const struct record_span *span)
{
    const struct record *r = p->record;
    int64_t least = (int64_t)((double)(r->end_us - r->begin_us) * MIN_BAR / (WIDTH - LEFT - RIGHT));

    return span->end_us - span->begin_us > least ? span->end_us : span->begin_us + least;
}

/* Where it begins with the gap before it. */
static int64_t drawn_begin(const struct record_span *span)
{
    return span->begin_us - (span->gap_ms > 0 ? (int64_t)(span->gap_ms * US_PER_MS) : 0);
}

/* Each bar into the first row of its lane that is free. `free_at` has room for all bars. */
static void lay_rows(struct picture *p, int64_t *free_at)
{
    for (unsigned i = 0; i < p->bar_count; i++) {
        struct bar *bar = &p->bars[i];
        unsigned *rows = &p->rows[bar->span->lane];

        if (i == 0 || p->bars[i - 1].span->lane != bar->span->lane)
            *rows = 0;
        for (bar->row = 0; bar->row < *rows && free_at[bar->row] > drawn_begin(bar->span);)
            bar->row++;
        if (bar->row == *rows)
            (*rows)++;
        free_at[bar->row] = drawn_end(p, bar->span);
    }
}

static void lay_lanes(struct picture *p)
{
    unsigned rows = 0;
    double y = TOP;

    for (unsigned lane = 0; lane < p->record->lane_count; lane++) {
        if (p->rows[lane] == 0)
            p->rows[lane] = 1; /* a member that had nothing is there all the same */
        rows += p->rows[lane];
    }
    p->row_height = rows <= 50 ? 18 : rows <= 90 ? NAMED_ROW : rows <= 200 ? 7 : rows <= 500 ? 5 : 3;
    for (unsigned lane = 0; lane < p->record->lane_count; lane++) {
        double height = p->rows[lane] * p->row_height;

        p->lane_y[lane] = y;
        y += (height > 18 ? height : 18) + LANE_GAP;
    }
    p->bottom = y;
}

/* As far as a '.' or ':', so that what is left is a whole part of the address. */
static void find_common(struct picture *p)
{
    const struct record *r = p->record;

    if (r->unit_count < 2)
        return;
    p->common = strlen(r->units[0].address);
    for (unsigned u = 1; u < r->unit_count; u++) {
        size_t same = 0;

        while (same < p->common && r->units[u].address[same] == r->units[0].address[same])
            same++;
        p->common = same;
    }
    while (p->common > 0 && strchr(".:", r->units[0].address[p->common - 1]) == NULL)
        p->common--;
}

/* --- drawing --- */

static void put_begin(const struct picture *p)
{
    unsigned legend = p->record->fault_count < FAULTS_MAX ? p->record->fault_count : FAULTS_MAX + 1;
    double height = p->bottom + AXIS_HEIGHT + 20 + legend * LEGEND_LINE + 10;
    char begin[RECORD_TIME_MAX], end[RECORD_TIME_MAX];

    fprintf(p->out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<title>Who had which address</title>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            WIDTH, height, WIDTH, height);
    fprintf(p->out, "<text x=\"12\" y=\"24\" font-size=\"16\" font-weight=\"bold\">Who had which address</text>\n");
    fprintf(p->out, "<text x=\"12\" y=\"42\" fill=\"#555555\">%u unit%s, %u fault%s, %s to %s UTC",
            p->record->unit_count, p->record->unit_count == 1 ? "" : "s", p->record->fault_count,
            p->record->fault_count == 1 ? "" : "s", record_time(p->record->begin_us, true, begin),
            record_time(p->record->end_us, true, end));
    if (p->common > 0) {
        fputs("; names are what follows ", p->out);
        for (size_t i = 0; i < p->common; i++)
            put_byte(p->out, (unsigned char)p->record->units[0].address[i]);
    }
    fputs("</text>\n", p->out);
}

static void put_lane(const struct picture *p, unsigned lane)
{
    const struct record_lane *l = &p->record->lanes[lane];
    double y = p->lane_y[lane], height = p->rows[lane] * p->row_height;

    height = height > 18 ? height : 18;
    fprintf(p->out, "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n", LEFT, y,
            WIDTH - LEFT - RIGHT, height, l->member || l->state ? "#f3f4f6" : "#fdecea");
    fprintf(p->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\"%s>", LEFT - 8, y + 13,
            l->self ? " font-weight=\"bold\"" : "");
    put_text(p->out, l->name, 24);
    fputs("</text>\n", p->out);
    if (!l->member && l->address[0] != '\0')
        fprintf(p->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"%s\" font-size=\"9\">%s</text>\n",
                LEFT - 8, y + 24, l->state ? "#555555" : "#b3261e", l->state ? "on this host" : "no member");
}

/* What a pointer that rests on the bar is told. */
static void put_bar_title(const struct picture *p, const struct bar *bar)
{
    const struct record_lane *lane = &p->record->lanes[bar->span->lane];
    char begin[RECORD_TIME_MAX], end[RECORD_TIME_MAX];

    fputs("<title>", p->out);
    put_text(p->out, bar->unit->address, TEXT_CELLS);
    fputs(": ", p->out);
    put_text(p->out, lane->name, TEXT_CELLS);
    fprintf(p->out, ", %s to %s", record_time(bar->span->begin_us, false, begin),
            record_time(bar->span->end_us, false, end));
    if (bar->span->entry != NULL) {
        fputs(": ", p->out);
        put_text(p->out, reply_text(bar->span->entry, "text"), 2 * TEXT_CELLS);
    }
    fputs("</title>", p->out);
}

static void put_gap(const struct picture *p, const struct bar *bar, double y)
{
    double end = x_of(p, bar->span->begin_us);
    double begin = x_of(p, drawn_begin(bar->span));

    if (end - begin < MIN_BAR)
        begin = end - MIN_BAR;
    fprintf(p->out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"#d32f2f\"/>\n", begin, y,
            end - begin, p->row_height - 1);
}

static void put_bar(const struct picture *p, const struct bar *bar)
{
    double begin = x_of(p, bar->span->begin_us), end = x_of(p, drawn_end(p, bar->span));
    double y = p->lane_y[bar->span->lane] + bar->row * p->row_height;
    const char *name = bar->unit->address + p->common;
    bool named = p->row_height >= NAMED_ROW && end - begin > (double)strlen(name) * LETTER + 4;

    fprintf(p->out, "<g><rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"", begin, y, end - begin,
            p->row_height - 1);
    if (is_nobody(p->record, bar->span->lane))
        fputs("#d32f2f", p->out);
    else
        put_colour(p->out, bar->index);
    fputs("\"/>", p->out);
    if (named) {
        fprintf(p->out, "<text x=\"%.2f\" y=\"%.1f\" font-size=\"%d\">", begin + 3, y + p->row_height - 4,
                p->row_height > NAMED_ROW ? 11 : 9);
        put_text(p->out, name, TEXT_CELLS);
        fputs("</text>", p->out);
    }
    put_bar_title(p, bar);
    fputs("</g>\n", p->out);
    if (bar->span->gap_ms > 0)
        put_gap(p, bar, y);
}

/* A line through all lanes, and its number above them; three heights, so that neighbours can be told apart. */
static void put_fault(const struct picture *p, unsigned number)
{
    const struct record_fault *fault = &p->record->faults[number];
    double x = x_of(p, fault->at_us), top = TOP - 6 - 9 * (number % 3);

    fprintf(p->out,
            "<g><line x1=\"%.2f\" x2=\"%.2f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#b3261e\" stroke-dasharray=\"4 3\"/>", x,
            x, top, p->bottom - LANE_GAP);
    fprintf(p->out, "<text x=\"%.2f\" y=\"%.1f\" fill=\"#b3261e\" font-size=\"9\">%u</text>", x + 2, top + 6,
            number + 1);
    if (fault->lane != RECORD_NO_LANE)
        fprintf(p->out, "<circle cx=\"%.2f\" cy=\"%.1f\" r=\"4\" fill=\"#b3261e\"/>", x, p->lane_y[fault->lane] + 6);
    fputs("<title>", p->out);
    put_text(p->out, reply_text(fault->entry, "text"), 2 * TEXT_CELLS);
    fputs("</title></g>\n", p->out);
}

static void put_legend(const struct picture *p)
{
    double y = p->bottom + AXIS_HEIGHT + 20;
    char time[RECORD_TIME_MAX];

    for (unsigned i = 0; i < p->record->fault_count; i++, y += LEGEND_LINE) {
        const struct record_fault *fault = &p->record->faults[i];

        if (i == FAULTS_MAX) {
            fprintf(p->out, "<text x=\"12\" y=\"%.1f\">and %u more</text>\n", y, p->record->fault_count - i);
            return;
        }
        fprintf(p->out, "<text x=\"12\" y=\"%.1f\"><tspan fill=\"#b3261e\">%u</tspan>&#160; %s&#160; ", y, i + 1,
                record_time(fault->at_us, false, time));
        put_text(p->out, reply_text(fault->entry, "text"), TEXT_CELLS - 30);
        if (fault->count > 1)
            fprintf(p->out, " (and %u more)", fault->count - 1);
        fputs("</text>\n", p->out);
    }
}

/* The smallest step of a clock that makes at most TICKS_MAX of the whole time. */
static int64_t tick_step(int64_t whole_us)
{
    static const int64_t steps_ms[] = {1,       2,       5,        10,       20,       50,      100,
                                       200,     500,     1000,     2000,     5000,     10000,   15000,
                                       30000,   60000,   120000,   300000,   600000,   900000,  1800000,
                                       3600000, 7200000, 10800000, 21600000, 43200000, 86400000};

    for (size_t i = 0; i < ARRAY_LENGTH(steps_ms); i++) {
        if (whole_us / (steps_ms[i] * US_PER_MS) <= TICKS_MAX)
            return steps_ms[i] * US_PER_MS;
    }
    int64_t days = whole_us / (86400 * (int64_t)US_PER_S) / TICKS_MAX + 1;

    return days * 86400 * US_PER_S;
}

static void put_axis(const struct picture *p)
{
    const struct record *r = p->record;
    int64_t step = tick_step(r->end_us - r->begin_us);
    size_t length = step < US_PER_S ? strlen("00:00:00.000") : strlen("00:00:00");
    char time[RECORD_TIME_MAX];

    for (int64_t at = (r->begin_us / step + 1) * step; at < r->end_us; at += step) {
        double x = x_of(p, at);
        bool date = step >= 86400 * (int64_t)US_PER_S;

        record_time(at, date, time);
        fprintf(p->out,
                "<line x1=\"%.2f\" x2=\"%.2f\" y1=\"%d\" y2=\"%.1f\" stroke=\"#000000\" stroke-opacity=\"0.12\"/>"
                "<text x=\"%.2f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#555555\">%.*s</text>\n",
                x, x, TOP, p->bottom, x, p->bottom + 14, date ? 10 : (int)length, time);
    }
}

static void put_picture(const struct picture *p)
{
    put_begin(p);
    for (unsigned lane = 0; lane < p->record->lane_count; lane++)
        put_lane(p, lane);
    put_axis(p);
    for (unsigned i = 0; i < p->bar_count; i++)
        put_bar(p, &p->bars[i]);
    for (unsigned i = 0; i < p->record->fault_count; i++)
        put_fault(p, i);
    put_legend(p);
    fputs("</svg>\n", p->out);
}

bool record_svg(FILE *out, const struct record *record)
{
    size_t spans = (size_t)count_spans(record) + 1, lanes = (size_t)record->lane_count + 1;
    struct picture p = {
        .out = out,
        .record = record,
        .bars = calloc(spans, sizeof(struct bar)),
        .rows = calloc(lanes, sizeof(unsigned)),
        .lane_y = calloc(lanes, sizeof(double)),
    };
    int64_t *free_at = calloc(spans, sizeof(*free_at));
    bool made = p.bars != NULL && p.rows != NULL && p.lane_y != NULL && free_at != NULL;

    if (made) {
        collect_bars(&p);
        lay_rows(&p, free_at);
        lay_lanes(&p);
        find_common(&p);
        put_picture(&p);
    }
    free(free_at);
    free(p.lane_y);
    free(p.rows);
    free(p.bars);
    return made;
}
