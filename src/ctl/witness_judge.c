/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gaps, doubles, stale caches and moves out of rounds of answers. Owns no memory: state stands in struct witness_vip,
 * results in the record's windows.
 */
#include "ctl/witness_judge.h"

#include "base/check.h"

static struct witness_result *result_of(struct witness_watch *watch, unsigned vip)
{
    return &watch->record.windows[watch->vips[vip].window].results[vip];
}

static void tell(struct witness_watch *watch, const struct witness_event *event)
{
    if (watch->sink)
        watch->sink(watch->context, event);
}

static void add_gap(struct witness_watch *watch, unsigned vip, struct mono end, bool open)
{
    const struct witness_vip *v = &watch->vips[vip];
    struct witness_result *result = result_of(watch, vip);
    const int64_t length_us = mono_diff_us(end, v->gap_since);

    result->down_us += length_us;
    if (length_us > result->gap_us) {
        result->gap_us = length_us;
        result->gap_at = v->gap_since;
        result->gap_stall_us = witness_record_stalled_us(&watch->record, v->gap_since, end);
        result->gap_open = open;
    }
    if (!open)
        tell(watch,
             &(struct witness_event){.kind = WITNESS_GAP, .vip = vip, .at = v->gap_since, .length_us = length_us});
}

static void add_stale(struct witness_watch *watch, unsigned vip, struct mono end, bool open)
{
    const struct witness_vip *v = &watch->vips[vip];
    struct witness_result *result = result_of(watch, vip);
    const int64_t length_us = mono_diff_us(end, v->stale_since);

    if (length_us > result->stale_us)
        result->stale_us = length_us;
    if (!open)
        tell(watch,
             &(struct witness_event){.kind = WITNESS_STALE, .vip = vip, .at = v->stale_since, .length_us = length_us});
}

static void judge_client(struct witness_watch *watch, unsigned vip, const struct witness_round *round)
{
    struct witness_vip *v = &watch->vips[vip];
    struct witness_result *result = result_of(watch, vip);

    result->probes++;
    if (round->client == 0) {
        result->unanswered++;
        if (mono_is_never(v->gap_since))
            v->gap_since = round->sent;
        return;
    }
    if ((int64_t)round->client - 1 > result->slowest_us)
        result->slowest_us = (int64_t)round->client - 1;
    if (mono_is_never(v->gap_since))
        return;
    add_gap(watch, vip, round->sent, false);
    v->gap_since = MONO_NEVER;
}

static unsigned count_answers(const uint32_t *answers, unsigned count, int *first)
{
    unsigned found = 0;

    for (unsigned i = count; i-- > 0;) {
        if (answers[i]) {
            *first = (int)i;
            found++;
        }
    }
    return found;
}

static void judge_owner(struct witness_watch *watch, unsigned vip, const struct witness_round *round, int host)
{
    struct witness_vip *v = &watch->vips[vip];
    struct witness_result *result = result_of(watch, vip);

    if (result->first_owner == WITNESS_HOST_NONE)
        result->first_owner = host;
    result->owner = host;
    if (v->owner == host)
        return;
    if (v->owner != WITNESS_HOST_NONE) {
        const struct witness_move move = {.vip = vip, .at = round->sent, .from = v->owner, .to = host};

        result->moves++;
        witness_record_move(&watch->record, &move);
        tell(watch,
             &(struct witness_event){.kind = WITNESS_MOVE, .vip = vip, .at = round->sent, .hosts = {v->owner, host}});
    }
    v->owner = host;
}

static void judge_stale(struct witness_watch *watch, unsigned vip, const struct witness_round *round,
                        unsigned answering)
{
    struct witness_vip *v = &watch->vips[vip];
    const bool wrong = round->listen ? answering == 1 : !mono_is_never(v->stale_since);
    const bool stale = round->client_sent && round->client == 0 && wrong;

    if (stale && mono_is_never(v->stale_since)) {
        v->stale_since = round->sent;
    } else if (!stale && !mono_is_never(v->stale_since)) {
        add_stale(watch, vip, round->sent, false);
        v->stale_since = MONO_NEVER;
    }
}

static struct mono arrival(struct mono sent, uint32_t answer)
{
    return mono_add(sent, (int64_t)answer - 1);
}

/* Did `a` answer without a break from before the channel's round until after `b`'s answer to it was here? */
static bool surrounds(const struct witness_channel *channel, unsigned a, unsigned b, struct mono sent,
                      const uint32_t *next)
{
    return next[a] && !mono_after(channel->run_start[a], channel->sent) &&
           !mono_after(arrival(channel->sent, channel->answers[b]), sent);
}

static bool pair_is_dual(const struct witness_channel *channel, unsigned a, unsigned b, struct mono sent,
                         const uint32_t *next, bool tight_counts)
{
    const uint32_t later = channel->answers[a] > channel->answers[b] ? channel->answers[a] : channel->answers[b];

    if (tight_counts && later - 1 <= WITNESS_TIGHT_US)
        return true;
    if (next[a] && next[b] && !mono_after(arrival(channel->sent, later), sent))
        return true;
    return surrounds(channel, a, b, sent, next) || surrounds(channel, b, a, sent, next);
}

/* One host may answer with its own and with a virtual MAC, so such a pair proves nothing. */
static bool comparable(unsigned a, unsigned b)
{
    return (a >= WITNESS_VOICE_VIRTUAL) == (b >= WITNESS_VOICE_VIRTUAL);
}

static bool find_dual(const struct witness_channel *channel, unsigned count, struct mono sent, const uint32_t *next,
                      bool tight_counts, int hosts[2])
{
    for (unsigned a = 0; a < count; a++) {
        for (unsigned b = a + 1; channel->answers[a] && b < count; b++) {
            if (channel->answers[b] && comparable(a, b) && pair_is_dual(channel, a, b, sent, next, tight_counts)) {
                hosts[0] = (int)a;
                hosts[1] = (int)b;
                return true;
            }
        }
    }
    return false;
}

static void advance_channel(struct witness_channel *channel, unsigned count, struct mono sent, const uint32_t *next)
{
    for (unsigned i = 0; i < count; i++) {
        if (next[i] && !(channel->any && channel->answers[i]))
            channel->run_start[i] = arrival(sent, next[i]);
        channel->answers[i] = next[i];
    }
    channel->sent = sent;
    channel->any = true;
}

/* Judges the channel's last round for doubles, now that the one after it is known, and steps on. Returns microseconds.
 */
static int64_t judge_channel(struct witness_watch *watch, unsigned vip, struct witness_channel *channel, unsigned count,
                             struct mono sent, const uint32_t *next, bool tight_counts)
{
    struct witness_result *result = result_of(watch, vip);
    int hosts[2];
    int64_t length_us = 0;
    const bool dual = channel->any && find_dual(channel, count, sent, next, tight_counts, hosts);

    if (dual) {
        length_us = mono_diff_us(sent, channel->sent);
        if (result->dual_hosts[0] == WITNESS_HOST_NONE) {
            result->dual_hosts[0] = hosts[0];
            result->dual_hosts[1] = hosts[1];
        }
        if (!channel->dual)
            tell(watch, &(struct witness_event){
                            .kind = WITNESS_DUAL, .vip = vip, .at = channel->sent, .hosts = {hosts[0], hosts[1]}});
    }
    channel->dual = dual;
    advance_channel(channel, count, sent, next);
    return length_us;
}

/* What spans the border of two windows is cut there. */
static void leave_window(struct witness_watch *watch, unsigned vip)
{
    struct witness_vip *v = &watch->vips[vip];
    struct witness_window *window = &watch->record.windows[v->window];

    if (!mono_is_never(v->gap_since)) {
        add_gap(watch, vip, window->end, true);
        v->gap_since = window->end;
    }
    if (!mono_is_never(v->stale_since)) {
        add_stale(watch, vip, window->end, true);
        v->stale_since = window->end;
    }
    v->window++;
    if (--window->open == 0)
        tell(watch, &(struct witness_event){.kind = WITNESS_WINDOW, .window = v->window - 1, .at = window->end});
}

void witness_judge_round(struct witness_watch *watch, unsigned vip, const struct witness_round *round)
{
    struct witness_vip *v = &watch->vips[vip];
    int host = WITNESS_HOST_NONE;
    unsigned answering = 0;

    while (mono_due(round->sent, watch->record.windows[v->window].end))
        leave_window(watch, vip);
    judge_client(watch, vip, round);
    if (round->listen) {
        answering = count_answers(round->listened, WITNESS_HOSTS_MAX, &host);
        v->answering = 0;
        for (unsigned i = 0; i < WITNESS_HOSTS_MAX; i++)
            v->answering |= (round->listened[i] ? 1u : 0u) << i;
        const int64_t dual_us =
            judge_channel(watch, vip, &v->listen, WITNESS_HOSTS_MAX, round->sent, round->listened, true);

        result_of(watch, vip)->dual_listen_us += dual_us;
        if (answering == 1)
            judge_owner(watch, vip, round, host);
    }
    judge_stale(watch, vip, round, answering);
    if (round->ask) {
        const int64_t dual_us = judge_channel(watch, vip, &v->ask, WITNESS_VOICES, round->sent, round->asked, false);

        result_of(watch, vip)->dual_claim_us += dual_us;
    }
}

void witness_judge_end(struct witness_watch *watch, unsigned vip, struct mono end)
{
    struct witness_vip *v = &watch->vips[vip];

    while (v->window + 1 < watch->record.window_count)
        leave_window(watch, vip);
    CHECK(watch->record.windows[v->window].open > 0);
    watch->record.windows[v->window].end = end;
    leave_window(watch, vip);
}
