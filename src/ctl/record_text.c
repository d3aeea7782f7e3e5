/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline as text (see record_text.h). A column is a piece of time: it shows who had the unit at its end, or '!'
 * when nobody had it for some of it. Called by cmd_record.c.
 */
#include "ctl/record_text.h"

#include <string.h>
#include <time.h>

#include "base/mono.h"

#define FAULTS "faults"
#define CELLS_MIN 20
#define REMARK_MAX 64
#define CELLS_MAX 400
#define NOBODY '!'
#define UNKNOWN ' '

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const char *record_time(int64_t at_us, bool date, char text[static RECORD_TIME_MAX])
{
    time_t seconds = at_us / US_PER_S;
    char clock[RECORD_TIME_MAX - 8];
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(clock, sizeof(clock), date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm) == 0)
        clock[0] = '\0';
    snprintf(text, RECORD_TIME_MAX, "%s.%03u", clock, (unsigned)(at_us % US_PER_S / US_PER_MS));
    return text;
}

static char letter_of(const struct record *r, unsigned lane)
{
    if (r->lanes[lane].address[0] == '\0')
        return NOBODY;
    return lane < sizeof(letters) - 1 ? letters[lane] : '?';
}

/* What stands for the piece of time from `begin` to `end`. */
static char cell_of(const struct record *r, const struct record_unit *unit, int64_t begin_us, int64_t end_us)
{
    char cell = UNKNOWN;

    for (unsigned i = 0; i < unit->span_count; i++) {
        const struct record_span *span = &unit->spans[i];
        int64_t gap_us = span->gap_ms > 0 ? (int64_t)(span->gap_ms * US_PER_MS) : 0;

        if (gap_us > 0 && span->begin_us - gap_us < end_us && span->begin_us >= begin_us)
            return NOBODY;
        if (span->begin_us < end_us && span->end_us > begin_us)
            cell = letter_of(r, span->lane);
        if (cell == NOBODY)
            return cell;
    }
    return cell;
}

/* How wide the column of names is. */
static int name_width(const struct record *r)
{
    size_t width = strlen(FAULTS);

    for (unsigned u = 0; u < r->unit_count; u++)
        width = strlen(r->units[u].address) > width ? strlen(r->units[u].address) : width;
    return (int)width;
}

static void show_unit(FILE *out, const struct term *term, const struct record *r, const struct record_unit *unit,
                      int name, unsigned cells)
{
    int64_t whole = r->end_us - r->begin_us;

    fprintf(out, "%-*s ", name, unit->address);
    for (unsigned c = 0; c < cells; c++) {
        char cell = cell_of(r, unit, r->begin_us + whole * c / cells, r->begin_us + whole * (c + 1) / cells);
        enum colour colour = cell == NOBODY ? COLOUR_RED : COLOUR_NONE;

        fprintf(out, "%s%c%s", term_begin(term, colour), cell, term_end(term, colour));
    }
    fputc('\n', out);
}

/* '^' under each fault. */
static void show_faults(FILE *out, const struct term *term, const struct record *r, int name, unsigned cells)
{
    char marks[CELLS_MAX + 1];

    if (r->fault_count == 0)
        return;
    memset(marks, ' ', cells);
    marks[cells] = '\0';
    for (unsigned i = 0; i < r->fault_count; i++) {
        int64_t cell = (r->faults[i].at_us - r->begin_us) * cells / (r->end_us - r->begin_us);

        marks[cell < 0 ? 0 : cell < (int64_t)cells ? cell : (int64_t)cells - 1] = '^';
    }
    fprintf(out, "%-*s %s%s%s\n", name, FAULTS, term_begin(term, COLOUR_YELLOW), marks, term_end(term, COLOUR_YELLOW));
}

/* Behind the lane's name: its address when it has a name too, else what it is. */
static const char *lane_remark(const struct record_lane *lane, char text[static REMARK_MAX])
{
    if (lane->state)
        return ", on this host";
    if (!lane->member)
        return ", no member";
    if (strcmp(lane->name, lane->address) == 0)
        return "";
    snprintf(text, REMARK_MAX, ", %s", lane->address);
    return text;
}

static void show_legend(FILE *out, const struct record *r)
{
    char time[RECORD_TIME_MAX], remark[REMARK_MAX];

    for (unsigned i = 0; i < r->lane_count; i++) {
        const struct record_lane *lane = &r->lanes[i];

        if (lane->address[0] != '\0')
            fprintf(out, "%c %s%s\n", letter_of(r, i), lane->name, lane_remark(lane, remark));
    }
    fprintf(out, "%c nobody\n", NOBODY);
    for (unsigned i = 0; i < r->fault_count; i++) {
        fprintf(out, "^ %s %s", record_time(r->faults[i].at_us, false, time), reply_text(r->faults[i].entry, "text"));
        if (r->faults[i].count > 1)
            fprintf(out, " (and %u more)", r->faults[i].count - 1);
        fputc('\n', out);
    }
}

void record_text(FILE *out, const struct term *term, const struct record *record, bool all)
{
    int name = name_width(record), room = (int)term->width - name - 1;
    unsigned cells = room > CELLS_MIN ? (unsigned)room : CELLS_MIN;
    char begin[RECORD_TIME_MAX], end[RECORD_TIME_MAX];
    unsigned still = 0;

    cells = cells < CELLS_MAX ? cells : CELLS_MAX;
    fprintf(out, "%s to %s UTC\n", record_time(record->begin_us, true, begin), record_time(record->end_us, true, end));
    for (unsigned u = 0; u < record->unit_count; u++) {
        if (record->units[u].span_count > 1 || all)
            show_unit(out, term, record, &record->units[u], name, cells);
        else
            still++;
    }
    show_faults(out, term, record, name, cells);
    if (still > 0)
        fprintf(out, "%u unit%s stayed where %s.\n", still, still == 1 ? "" : "s", still == 1 ? "it was" : "they were");
    show_legend(out, record);
}
