/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened in a run: fixed-size records in a ring, made into text only when somebody reads them. Called from
 * everywhere in the simulator.
 */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "sim.h"

static void trace_print_node(FILE *out, unsigned node)
{
    if (node == SIM_NONE) {
        fprintf(out, "   ");
    } else if (world_is_host(node)) {
        fprintf(out, "h%-2u", node);
    } else {
        fprintf(out, "s%-2u", node - SIM_STRANGER_FIRST);
    }
}

static const char *trace_level_name(int64_t level)
{
    static const char *const names[] = {"absent", "ready", "answering"};
    return level >= 0 && level <= 2 ? names[level] : "?";
}

static void trace_print_note(FILE *out, const struct trace_record *r)
{
    fprintf(out, "note %s (%s)", note_kind_name((enum note_kind)(r->a & 0xff)),
            reason_name((enum reason)(r->a >> 8 & 0xff)));
    if ((r->a & 0xff) == NOTE_UNIT_STATE) {
        fprintf(out, " %s -> %s", router_state_name((enum router_state)(r->a >> 16 & 0xff)),
                router_state_name((enum router_state)(r->a >> 24 & 0xff)));
    }
    unsigned from = (unsigned)(r->a >> 32 & 0xff);
    unsigned to = (unsigned)(r->a >> 40 & 0xff);
    if (from != SIM_NONE) {
        fprintf(out, " from n%u", from);
    }
    if (to != SIM_NONE) {
        fprintf(out, " to n%u", to);
    }
    fprintf(out, " value %" PRId64, r->b);
}

static void trace_print_what(FILE *out, const struct trace_record *r)
{
    switch ((enum trace_kind)r->kind) {
    case TRACE_SEND:
        fprintf(out, "sends %" PRId64, r->a);
        break;
    case TRACE_HEAR:
        fprintf(out, "hears %" PRId64 " from n%" PRId64, r->a, r->b);
        break;
    case TRACE_DROP:
        fprintf(out, "packet to n%" PRId64 " lost", r->a);
        break;
    case TRACE_WANT:
        fprintf(out, "wants %s, sequence %" PRId64, trace_level_name(r->a), r->b);
        break;
    case TRACE_KERNEL:
        fprintf(out, "kernel: %s, errno %" PRId64, trace_level_name(r->a), r->b);
        break;
    case TRACE_ANSWERS:
        fprintf(out, r->a != 0 ? "ANSWERS" : "is silent now");
        break;
    case TRACE_ARM:
        fprintf(out, "wants its lease armed");
        break;
    case TRACE_ARMED:
        fprintf(out, "lease armed");
        break;
    case TRACE_LEASE_END:
        fprintf(out, "LEASE ENDS");
        break;
    case TRACE_NOTE:
        trace_print_note(out, r);
        break;
    case TRACE_FAULT:
        fprintf(out, "** %s %" PRId64 " %" PRId64, r->text, r->a, r->b);
        break;
    case TRACE_COMMAND:
        fprintf(out, "command %s: %s", r->text, core_result_text((enum core_result)r->a));
        break;
    case TRACE_KIND_COUNT:
        break;
    }
}

static void trace_print_record(const struct world *w, FILE *out, const struct trace_record *r)
{
    fprintf(out, "%4" PRId64 ".%06" PRId64 " ", r->at_us / US_PER_S, r->at_us % US_PER_S);
    trace_print_node(out, r->node);
    if (r->unit < w->unit_count) {
        fprintf(out, " u%-3u ", r->unit);
    } else {
        fprintf(out, "      ");
    }
    trace_print_what(out, r);
    fputc('\n', out);
}

void trace_text(struct world *w, enum trace_kind kind, unsigned node, unsigned unit, const char *text, int64_t a,
                int64_t b)
{
    struct trace *t = &w->trace;
    struct trace_record *r = &t->ring[t->count++ % TRACE_RING];

    *r = (struct trace_record){.at_us = w->now_us,
                               .text = text,
                               .a = a,
                               .b = b,
                               .unit = (uint16_t)unit,
                               .kind = (uint8_t)kind,
                               .node = (uint8_t)node};
    if (t->live && (t->live_unit < 0 || unit >= w->unit_count || unit == (unsigned)t->live_unit)) {
        trace_print_record(w, stdout, r);
    }
}

void trace_add(struct world *w, enum trace_kind kind, unsigned node, unsigned unit, int64_t a, int64_t b)
{
    trace_text(w, kind, node, unit, NULL, a, b);
}

/* Members' own advertisements are in the ring, but say little about one unit. */
static bool trace_concerns(const struct world *w, const struct trace_record *r, unsigned unit)
{
    if (unit >= w->unit_count) {
        return true;
    }
    if (r->unit >= w->unit_count) {
        return r->kind != TRACE_SEND && r->kind != TRACE_HEAR && r->kind != TRACE_DROP;
    }
    return r->unit == unit;
}

void trace_print(const struct world *w, FILE *out, unsigned unit, unsigned lines)
{
    const struct trace *t = &w->trace;
    uint64_t oldest = t->count > TRACE_RING ? t->count - TRACE_RING : 0;
    uint64_t first = t->count;

    for (unsigned found = 0; first > oldest && found < lines;) {
        first--;
        found += trace_concerns(w, &t->ring[first % TRACE_RING], unit) ? 1 : 0;
    }
    for (uint64_t i = first; i < t->count; i++) {
        if (trace_concerns(w, &t->ring[i % TRACE_RING], unit)) {
            trace_print_record(w, out, &t->ring[i % TRACE_RING]);
        }
    }
}
