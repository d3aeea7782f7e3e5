/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's JSON. Reads the record and changes nothing. Times are milliseconds since the witness began.
 */
#include "ctl/witness_report.h"

#include <jansson.h>
#include <sys/resource.h>

#define SCHEMA "evenkeel-witness/1"

static const char *host_name(const struct witness_probe *probe, int host)
{
    if (host == WITNESS_HOST_NONE)
        return NULL;
    return host < WITNESS_HOSTS_MAX ? probe->options->hosts[host].name : "virtual";
}

/* Times to a microsecond: 17 digits of a double would only look more exact. */
static json_t *ms_of(int64_t us)
{
    return json_real((double)us / 1000.0);
}

static json_t *ms_since(const struct witness_probe *probe, struct mono at)
{
    return ms_of(mono_diff_us(at, probe->started));
}

/* json_pack's "s?" takes NULL as null. */
static json_t *host_of(const struct witness_probe *probe, int host)
{
    return json_pack("s?", host_name(probe, host));
}

static json_t *vip_of(const struct witness_probe *probe, unsigned vip)
{
    char text[ADDR_TEXT_MAX];

    return json_string(addr_format(&probe->options->vips[vip].address, text));
}

static json_t *pair_of(const struct witness_probe *probe, const int hosts[2])
{
    return hosts[0] == WITNESS_HOST_NONE ? json_array()
                                         : json_pack("[oo]", host_of(probe, hosts[0]), host_of(probe, hosts[1]));
}

static json_t *moves_of(const struct witness_probe *probe, unsigned vip, const struct witness_window *window)
{
    const struct witness_record *record = &probe->watch.record;
    json_t *moves = json_array();

    for (size_t i = 0; i < record->move_count; i++) {
        const struct witness_move *m = &record->moves[i];

        if (m->vip == vip && mono_due(m->at, window->start) && mono_after(window->end, m->at))
            json_array_append_new(moves, json_pack("{s:o, s:o, s:o}", "at_ms", ms_since(probe, m->at), "from",
                                                   host_of(probe, m->from), "to", host_of(probe, m->to)));
    }
    return moves;
}

static json_t *result_of(const struct witness_probe *probe, unsigned vip, const struct witness_window *window)
{
    const struct witness_result *r = &window->results[vip];

    return json_pack(
        "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "gap_ms", ms_of(r->gap_us),
        "gap_at_ms", r->gap_us ? ms_since(probe, r->gap_at) : json_null(), "gap_stall_ms", ms_of(r->gap_stall_us),
        "gap_open", r->gap_open, "down_ms", ms_of(r->down_us), "dual_ms", ms_of(witness_result_dual_us(r)),
        "dual_listen_ms", ms_of(r->dual_listen_us), "dual_claim_ms", ms_of(r->dual_claim_us), "dual_hosts",
        pair_of(probe, r->dual_hosts), "stale_ms", ms_of(r->stale_us), "slowest_ms", ms_of(r->slowest_us),
        "first_owner", host_of(probe, r->first_owner), "owner", host_of(probe, r->owner), "moves",
        moves_of(probe, vip, window), "probes", (json_int_t)r->probes, "unanswered", (json_int_t)r->unanswered);
}

/* Highest of each kind over all addresses, and whose it is. */
static json_t *worst_of(const struct witness_probe *probe, const struct witness_window *window)
{
    unsigned gap = 0, dual = 0, stale = 0, moves = 0;
    const struct witness_result *r = window->results;

    for (unsigned i = 0; i < probe->options->vip_count; i++) {
        gap = r[i].gap_us > r[gap].gap_us ? i : gap;
        dual = witness_result_dual_us(&r[i]) > witness_result_dual_us(&r[dual]) ? i : dual;
        stale = r[i].stale_us > r[stale].stale_us ? i : stale;
        moves += r[i].moves;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "gap_ms", ms_of(r[gap].gap_us), "gap_vip",
                     vip_of(probe, gap), "gap_stall_ms", ms_of(r[gap].gap_stall_us), "dual_ms",
                     ms_of(witness_result_dual_us(&r[dual])), "dual_vip", vip_of(probe, dual), "stale_ms",
                     ms_of(r[stale].stale_us), "stale_vip", vip_of(probe, stale), "moves", (int)moves);
}

static json_t *stalls_of(const struct witness_probe *probe, const struct witness_window *window)
{
    const struct witness_record *record = &probe->watch.record;
    int64_t longest_us = 0, sum_us = 0;
    int count = 0;

    for (size_t i = 0; i < record->stall_count; i++) {
        const struct witness_stall *s = &record->stalls[i];

        if (!mono_due(s->from, window->start) || !mono_after(window->end, s->from))
            continue;
        const int64_t us = mono_diff_us(s->to, s->from);

        count++;
        sum_us += us;
        longest_us = us > longest_us ? us : longest_us;
    }
    return json_pack("{s:i, s:o, s:o}", "count", count, "longest_ms", ms_of(longest_us), "total_ms", ms_of(sum_us));
}

static json_t *window_of(struct witness_probe *probe, unsigned index)
{
    const struct witness_window *window = &probe->watch.record.windows[index];
    const uint64_t dropped_at_end =
        index + 1 < probe->watch.record.window_count ? window[1].dropped : witness_probe_dropped(probe);
    json_t *vips = json_object();
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < probe->options->vip_count; i++)
        json_object_set_new(vips, addr_format(&probe->options->vips[i].address, text), result_of(probe, i, window));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "name", window->name, "start_ms",
                     ms_since(probe, window->start), "duration_ms", ms_of(mono_diff_us(window->end, window->start)),
                     "worst", worst_of(probe, window), "stalls", stalls_of(probe, window), "dropped",
                     (json_int_t)(dropped_at_end - window->dropped), "vips", vips);
}

static json_t *settings_of(const struct witness_probe *probe)
{
    const struct witness_options *o = probe->options;
    json_t *hosts = json_array();
    json_t *interfaces = json_array();
    uint64_t sent = 0, errors = 0, received = 0;

    for (unsigned i = 0; i < o->host_count; i++)
        json_array_append_new(hosts, json_string(o->hosts[i].name));
    for (unsigned i = 0; i < o->port_count; i++) {
        json_array_append_new(interfaces, json_string(o->ports[i].name));
        sent += probe->ports[i].sent;
        errors += probe->ports[i].send_errors;
        received += probe->ports[i].received;
    }
    return json_pack("{s:s, s:o, s:o, s:i, s:o, s:i, s:i, s:I, s:I, s:I, s:I}", "schema", SCHEMA, "interfaces",
                     interfaces, "hosts", hosts, "vip_count", (int)o->vip_count, "interval_ms", ms_of(o->interval_us),
                     "listen_every", (int)o->listen_every, "ask_every", (int)o->ask_every, "started_us",
                     (json_int_t)probe->started.us, "sent", (json_int_t)sent, "send_errors", (json_int_t)errors,
                     "received", (json_int_t)received);
}

static void print(json_t *value, size_t flags, FILE *out)
{
    json_dumpf(value, out, flags | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    fflush(out);
    json_decref(value);
}

void witness_report_json(struct witness_probe *probe, FILE *out)
{
    json_t *windows = json_array();
    json_t *all = settings_of(probe);
    struct rusage usage = {0};

    for (unsigned i = 0; i < probe->watch.record.window_count; i++)
        json_array_append_new(windows, window_of(probe, i));
    getrusage(RUSAGE_SELF, &usage);
    json_object_set_new(all, "cpu_ms",
                        ms_of((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (int64_t)US_PER_S +
                              usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    json_object_set_new(all, "windows", windows);
    print(all, JSON_COMPACT, out);
}

void witness_report_start(const struct witness_probe *probe, FILE *out)
{
    json_t *line = settings_of(probe);

    json_object_set_new(line, "event", json_string("start"));
    print(line, JSON_COMPACT, out);
}

void witness_report_event(struct witness_probe *probe, const struct witness_event *event, FILE *out)
{
    static const char *const names[] = {
        [WITNESS_MOVE] = "move",   [WITNESS_GAP] = "gap",       [WITNESS_DUAL] = "dual",
        [WITNESS_STALE] = "stale", [WITNESS_WINDOW] = "window",
    };
    json_t *line = json_pack("{s:s, s:o}", "event", names[event->kind], "at_ms", ms_since(probe, event->at));

    if (event->kind != WITNESS_WINDOW)
        json_object_set_new(line, "vip", vip_of(probe, event->vip));
    switch ((enum witness_event_kind)event->kind) {
    case WITNESS_MOVE:
        json_object_set_new(line, "from", host_of(probe, event->hosts[0]));
        json_object_set_new(line, "to", host_of(probe, event->hosts[1]));
        break;
    case WITNESS_DUAL:
        json_object_set_new(line, "hosts", pair_of(probe, event->hosts));
        break;
    case WITNESS_GAP:
    case WITNESS_STALE:
        json_object_set_new(line, "ms", ms_of(event->length_us));
        break;
    case WITNESS_WINDOW:
        json_object_set_new(line, "window", window_of(probe, event->window));
        break;
    }
    print(line, JSON_COMPACT, out);
}

void witness_report_stall(const struct witness_probe *probe, const struct witness_stall *stall, FILE *out)
{
    print(json_pack("{s:s, s:o, s:o}", "event", "stall", "at_ms", ms_since(probe, stall->from), "ms",
                    ms_of(mono_diff_us(stall->to, stall->from))),
          JSON_COMPACT, out);
}

void witness_report_state(const struct witness_probe *probe, FILE *out)
{
    json_t *vips = json_object();
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < probe->options->vip_count; i++) {
        const struct witness_vip *v = &probe->watch.vips[i];
        json_t *hosts = json_array();

        for (unsigned h = 0; h < probe->options->host_count; h++) {
            if (v->answering >> h & 1)
                json_array_append_new(hosts, host_of(probe, (int)h));
        }
        json_object_set_new(vips, addr_format(&probe->options->vips[i].address, text),
                            json_pack("{s:o, s:b}", "answering", hosts, "served", mono_is_never(v->gap_since)));
    }
    print(json_pack("{s:s, s:o}", "event", "state", "vips", vips), JSON_COMPACT, out);
}
