/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rounds, answers and the client's cache. Owns the memory of struct witness_watch. Called by witness_probe.c and tests.
 *
 * The cache behaves as Linux' does: gratuitous ARP and unsolicited advertisements change an existing entry at once,
 * other ARP traffic of the address after a second without change, a reply to its own question completes it; and while
 * nobody answers it asks anew every retry_us. The replies to the witness's regular questions are not shown to it: they
 * would heal every stale entry.
 */
#include "ctl/witness_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ctl/witness_judge.h"

#define LOCK_TIME_US (1 * US_PER_S)     /* Linux: net.ipv4.neigh.default.locktime */
#define REPLY_TIME_US (100 * US_PER_MS) /* later replies belong to a regular question */
#define RINGS_SPARE 4

int witness_watch_open(struct witness_watch *watch, const struct witness_settings *settings, witness_event_sink *sink,
                       void *context)
{
    *watch = (struct witness_watch){.settings = *settings, .sink = sink, .context = context};
    watch->ring = (unsigned)(settings->lag_us / settings->interval_us) + RINGS_SPARE;
    watch->vips = calloc(settings->vip_count, sizeof(*watch->vips));
    struct witness_round *rounds = calloc((size_t)settings->vip_count * watch->ring, sizeof(*rounds));

    if (!watch->vips || !rounds) {
        free(rounds);
        free(watch->vips);
        return -ENOMEM;
    }
    witness_record_init(&watch->record, settings->vip_count);
    for (unsigned i = 0; i < settings->vip_count; i++) {
        struct witness_vip *v = &watch->vips[i];

        v->rounds = rounds + (size_t)i * watch->ring;
        v->owner = WITNESS_HOST_NONE;
        v->gap_since = v->stale_since = MONO_NEVER;
    }
    return 0;
}

void witness_watch_close(struct witness_watch *watch)
{
    if (watch->vips)
        free(watch->vips[0].rounds);
    free(watch->vips);
    witness_record_free(&watch->record);
    *watch = (struct witness_watch){0};
}

static void judge_until(struct witness_watch *watch, unsigned vip, uint32_t end)
{
    struct witness_vip *v = &watch->vips[vip];

    for (; v->judged != end; v->judged++)
        witness_judge_round(watch, vip, &v->rounds[v->judged % watch->ring]);
}

/* Rounds sent before `now` - lag are judged, and in any case the one whose place in the ring is needed. */
static void judge_old(struct witness_watch *watch, unsigned vip, struct mono now)
{
    struct witness_vip *v = &watch->vips[vip];
    const struct mono border = mono_add(now, -watch->settings.lag_us);

    while (v->judged != v->next_round &&
           (!mono_after(v->rounds[v->judged % watch->ring].sent, border) || v->next_round - v->judged >= watch->ring))
        judge_until(watch, vip, v->judged + 1);
}

static void plan_asking(const struct witness_watch *watch, struct witness_cache *cache, struct mono now, bool *ask)
{
    const struct mono good = mono_max(cache->updated, cache->answered);
    const bool failing = !cache->known || mono_diff_us(now, good) >= watch->settings.retry_us;

    if (!failing) {
        cache->asking = false;
    } else if (!cache->asking || mono_diff_us(now, cache->asked_at) >= watch->settings.retry_us) {
        cache->asking = true;
        cache->asked_at = now;
        *ask = true;
    }
}

void witness_watch_plan(struct witness_watch *watch, unsigned vip, struct mono now, struct witness_plan *plan)
{
    struct witness_vip *v = &watch->vips[vip];
    const struct witness_settings *s = &watch->settings;

    CHECK(watch->record.window_count > 0);
    judge_old(watch, vip, now);
    const uint32_t number = v->next_round++;

    /* Shifted by address, so that not all of them are asked for in the same round. */
    *plan = (struct witness_plan){
        .round = number,
        .client = v->cache.known,
        .listen = (number + vip) % s->listen_every == 0,
        .ask = (number + vip) % s->ask_every == 0,
    };
    memcpy(plan->client_mac, v->cache.mac, 6);
    plan_asking(watch, &v->cache, now, &plan->ask);
    v->rounds[number % watch->ring] = (struct witness_round){
        .number = number, .client_sent = plan->client, .listen = plan->listen, .ask = plan->ask, .sent = now};
}

/* The open round of that number, or NULL. */
static struct witness_round *round_find(struct witness_watch *watch, unsigned vip, uint32_t number)
{
    struct witness_vip *v = &watch->vips[vip];
    struct witness_round *round = &v->rounds[number % watch->ring];

    if (number - v->judged >= v->next_round - v->judged || round->number != number)
        return NULL;
    return round;
}

static uint32_t answer_time(const struct witness_round *round, struct mono received)
{
    /* The kernel's stamp and our clock are read one after the other, so an answer may seem to come before its question.
     */
    const int64_t us = mono_diff_us(received, round->sent);

    return us < 0 ? 1 : (uint32_t)us + 1;
}

void witness_watch_echo(struct witness_watch *watch, const struct witness_tag *tag, struct mono received)
{
    if (tag->vip >= watch->settings.vip_count)
        return;
    struct witness_round *round = round_find(watch, tag->vip, tag->round);

    if (!round)
        return;
    if (tag->host == WITNESS_TAG_CLIENT) {
        struct witness_cache *cache = &watch->vips[tag->vip].cache;

        round->client = answer_time(round, received);
        cache->answered = mono_max(cache->answered, received);
    } else if (tag->host < WITNESS_HOSTS_MAX && round->listened[tag->host] == 0) {
        round->listened[tag->host] = answer_time(round, received);
    }
}

/* ARP has no sequence number: a reply answers the youngest question that is older than itself. */
static void note_reply(struct witness_watch *watch, unsigned vip, int host, struct mono received)
{
    struct witness_vip *v = &watch->vips[vip];

    if (host == WITNESS_HOST_NONE)
        return;
    for (uint32_t n = v->next_round; n != v->judged; n--) {
        struct witness_round *round = &v->rounds[(n - 1) % watch->ring];

        if (!round->ask || mono_after(round->sent, received))
            continue;
        if (round->asked[host] == 0)
            round->asked[host] = answer_time(round, received);
        else if (host == WITNESS_VOICE_VIRTUAL)
            round->asked[host + 1] = answer_time(round, received);
        return;
    }
}

static bool cache_takes(const struct witness_cache *cache, const struct witness_seen *seen, struct mono received)
{
    switch ((enum witness_seen_kind)seen->kind) {
    case WITNESS_SEEN_ANNOUNCE:
        return cache->known || cache->asking;
    case WITNESS_SEEN_MENTION:
        return cache->known && mono_diff_us(received, cache->updated) > LOCK_TIME_US;
    case WITNESS_SEEN_REPLY:
        return cache->asking && mono_due(received, cache->asked_at) &&
               mono_diff_us(received, cache->asked_at) <= REPLY_TIME_US;
    case WITNESS_SEEN_OTHER:
    case WITNESS_SEEN_ECHO:
        break;
    }
    return false;
}

void witness_watch_claim(struct witness_watch *watch, unsigned vip, const struct witness_seen *seen, int host,
                         struct mono received)
{
    struct witness_cache *cache = &watch->vips[vip].cache;

    if (seen->kind == WITNESS_SEEN_REPLY)
        note_reply(watch, vip, host, received);
    if (!cache_takes(cache, seen, received))
        return;
    cache->known = true;
    cache->asking = false;
    cache->updated = received;
    memcpy(cache->mac, seen->mac, 6);
}

void witness_watch_mark(struct witness_watch *watch, const char *name, struct mono now, uint64_t dropped)
{
    witness_record_begin(&watch->record, name, now, dropped);
}

void witness_watch_finish(struct witness_watch *watch, struct mono now)
{
    for (unsigned i = 0; i < watch->settings.vip_count; i++) {
        judge_until(watch, i, watch->vips[i].next_round);
        witness_judge_end(watch, i, now);
    }
}
