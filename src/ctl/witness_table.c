/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's table for people: one line per address of the last window, the worst first. Reads the record and
 * changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/witness_report.h"

struct row {
    unsigned vip;
    const struct witness_result *result;
};

static int compare_i64(int64_t a, int64_t b)
{
    return (a < b) - (a > b);
}

/* Doubles first, then gaps. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    const int dual = compare_i64(witness_result_dual_us(x->result), witness_result_dual_us(y->result));
    const int gap = compare_i64(x->result->gap_us, y->result->gap_us);

    if (dual)
        return dual;
    return gap ? gap : (x->vip > y->vip) - (x->vip < y->vip);
}

static void print_answering(const struct witness_probe *probe, unsigned vip, FILE *out)
{
    const unsigned answering = probe->watch.vips[vip].answering;
    bool first = true;

    for (unsigned h = 0; h < probe->options->host_count; h++) {
        if (answering >> h & 1) {
            fprintf(out, "%s%s", first ? "" : ", ", probe->options->hosts[h].name);
            first = false;
        }
    }
    fputs(first ? "nobody\n" : "\n", out);
}

void witness_report_table(const struct witness_probe *probe, unsigned rows, FILE *out)
{
    const struct witness_record *record = &probe->watch.record;
    const struct witness_window *window = &record->windows[record->window_count - 1];
    const unsigned count = probe->options->vip_count;
    struct row sorted[WITNESS_VIPS_MAX];
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < count; i++)
        sorted[i] = (struct row){.vip = i, .result = &window->results[i]};
    if (count > rows)
        qsort(sorted, count, sizeof(sorted[0]), compare_rows);
    fprintf(out, "%-39s %9s %9s %9s %6s  %s\n", "address", "gap ms", "dual ms", "stale ms", "moves", "answers");
    for (unsigned i = 0; i < count && i < rows; i++) {
        const struct witness_result *r = sorted[i].result;

        fprintf(out, "%-39s %9.1f %9.1f %9.1f %6u  ", addr_format(&probe->options->vips[sorted[i].vip].address, text),
                (double)r->gap_us / 1000.0, (double)witness_result_dual_us(r) / 1000.0, (double)r->stale_us / 1000.0,
                r->moves);
        print_answering(probe, sorted[i].vip, out);
    }
    if (count > rows)
        fprintf(out, "and %u more\n", count - rows);
}
