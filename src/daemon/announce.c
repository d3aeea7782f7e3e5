/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The announcer. It owns the schedule only: which address is to be announced when. Called by the daemon's loop after
 * each flush of advertisements.
 *
 * Invariants: a unit that is not announced has due == never; cursor < address_count. A round that has begun keeps its
 * due time, and so goes on before rounds that were due later. Looking at all units costs about a microsecond and
 * happens only when something is due, so there is no heap.
 */
#include "daemon/announce.h"

#include <stdlib.h>

#include "base/check.h"

struct announce_unit {
    struct mono due;     /* of the current round; MONO_NEVER: none is planned */
    struct mono started; /* when the last first round was due; long ago when the unit was not announced */
    struct mono began;   /* first frame of the current round; valid when cursor > 0 */
    unsigned round;  /* 0: the first; below `repeat`: its repetitions; `repeat`: the delayed one; above: refreshes */
    unsigned cursor; /* next address of the current round */
    unsigned address_count;
    bool again; /* a contest came during the first round: another one follows */
};

struct announce {
    struct announce_settings settings;
    struct mono paced_until; /* no frame of a later round before this */
    struct mono next;        /* what announce_deadline says */
    unsigned unit_count;
    struct announce_unit units[];
};

static const struct mono LONG_AGO = {INT64_MIN};

struct announce *announce_new(const struct announce_settings *settings, unsigned unit_count,
                              const unsigned *address_counts)
{
    CHECK(settings->repeat >= 1 && settings->delay_us >= 0 && settings->refresh_us >= 0 && settings->interval_us >= 0);
    struct announce *announce = calloc(1, sizeof(*announce) + unit_count * sizeof(announce->units[0]));

    if (!announce)
        return NULL;
    announce->settings = *settings;
    announce->paced_until = LONG_AGO;
    announce->next = MONO_NEVER;
    announce->unit_count = unit_count;
    for (unsigned i = 0; i < unit_count; i++) {
        CHECK(address_counts[i] >= 1);
        announce->units[i] = (struct announce_unit){
            .due = MONO_NEVER,
            .started = LONG_AGO,
            .address_count = address_counts[i],
        };
    }
    return announce;
}

void announce_free(struct announce *announce)
{
    free(announce);
}

/* First rounds wait for nothing; later ones keep the distance between frames. */
static bool is_first(const struct announce_unit *unit)
{
    return unit->round == 0;
}

static void update_next(struct announce *announce)
{
    announce->next = MONO_NEVER;
    for (unsigned i = 0; i < announce->unit_count; i++) {
        const struct announce_unit *unit = &announce->units[i];
        struct mono due = is_first(unit) ? unit->due : mono_max(unit->due, announce->paced_until);

        announce->next = mono_min(announce->next, due);
    }
}

static void begin_anew(struct announce_unit *unit, struct mono now)
{
    unit->started = mono_max(now, mono_add(unit->started, ANNOUNCE_ROUND_US));
    unit->due = unit->started;
    unit->round = 0;
    unit->cursor = 0;
    unit->again = false;
}

void announce_start(struct announce *announce, unsigned unit_index, struct mono now)
{
    CHECK(unit_index < announce->unit_count);
    struct announce_unit *unit = &announce->units[unit_index];

    if (is_first(unit) && !mono_is_never(unit->due))
        unit->again = unit->cursor > 0;
    else
        begin_anew(unit, now);
    announce->next = mono_min(announce->next, unit->due);
}

void announce_stop(struct announce *announce, unsigned unit_index)
{
    CHECK(unit_index < announce->unit_count);
    struct announce_unit *unit = &announce->units[unit_index];

    *unit = (struct announce_unit){.due = MONO_NEVER, .started = LONG_AGO, .address_count = unit->address_count};
    update_next(announce);
}

/* Beyond the rounds of a take-over: only refreshes. */
static void plan_refresh(const struct announce_settings *settings, struct announce_unit *unit, struct mono now)
{
    unit->cursor = 0;
    unit->round = settings->repeat + 1;
    unit->due = settings->refresh_us > 0 ? mono_min(unit->due, mono_add(now, settings->refresh_us)) : MONO_NEVER;
}

void announce_take_over(struct announce *announce, unsigned unit_index, const struct announce *from, unsigned old_unit,
                        bool held, struct mono now)
{
    CHECK(unit_index < announce->unit_count && old_unit < from->unit_count);
    const struct announce_settings *settings = &announce->settings;
    const struct announce_unit *old = &from->units[old_unit];
    struct announce_unit *unit = &announce->units[unit_index];
    unsigned address_count = unit->address_count;

    if (!held)
        return;
    *unit = *old;
    unit->address_count = address_count;
    if (address_count != old->address_count)
        begin_anew(unit, now);
    else if (old->round > from->settings.repeat || mono_is_never(old->due))
        plan_refresh(settings, unit, now);
    else if (unit->round > settings->repeat)
        unit->round = settings->repeat;
    announce->paced_until = mono_max(announce->paced_until, from->paced_until);
    update_next(announce);
}

static void plan_next_round(const struct announce_settings *settings, struct announce_unit *unit)
{
    struct mono soon = mono_add(unit->began, ANNOUNCE_ROUND_US);

    unit->cursor = 0;
    if (unit->round < settings->repeat)
        unit->round++;
    else
        unit->round = settings->repeat + 1;
    if (unit->round == settings->repeat && settings->delay_us == 0)
        unit->round++;
    if (unit->round < settings->repeat)
        unit->due = soon;
    else if (unit->round == settings->repeat)
        unit->due = mono_max(soon, mono_add(unit->started, settings->delay_us));
    else
        unit->due = settings->refresh_us > 0 ? mono_add(unit->began, settings->refresh_us) : MONO_NEVER;
}

static void emit_one(struct announce *announce, unsigned unit_index, struct mono now, announce_emit *emit,
                     void *context)
{
    struct announce_unit *unit = &announce->units[unit_index];

    emit(context, unit_index, unit->cursor);
    if (unit->cursor == 0)
        unit->began = now;
    if (++unit->cursor < unit->address_count)
        return;
    if (unit->again)
        begin_anew(unit, now);
    else
        plan_next_round(&announce->settings, unit);
}

static unsigned run_first_rounds(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                                 void *context)
{
    for (unsigned i = 0; i < announce->unit_count && budget > 0; i++) {
        const struct announce_unit *unit = &announce->units[i];

        for (; budget > 0 && is_first(unit) && mono_due(now, unit->due); budget--)
            emit_one(announce, i, now, emit, context);
    }
    return budget;
}

/* The unit whose later round has been due for longest, so that all get their turn; unit_count: none. */
static unsigned find_later_round(const struct announce *announce, struct mono now)
{
    unsigned found = announce->unit_count;
    struct mono earliest = MONO_NEVER;

    for (unsigned i = 0; i < announce->unit_count; i++) {
        const struct announce_unit *unit = &announce->units[i];

        if (!is_first(unit) && mono_due(now, unit->due) && mono_after(earliest, unit->due)) {
            earliest = unit->due;
            found = i;
        }
    }
    return found;
}

static void run_later_rounds(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                             void *context)
{
    for (; budget > 0 && mono_due(now, announce->paced_until); budget--) {
        unsigned unit = find_later_round(announce, now);

        if (unit == announce->unit_count)
            return;
        emit_one(announce, unit, now, emit, context);
        if (announce->settings.interval_us > 0)
            announce->paced_until = mono_add(now, announce->settings.interval_us);
    }
}

struct mono announce_run(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                         void *context)
{
    if (mono_due(now, announce->next)) {
        unsigned left = run_first_rounds(announce, now, budget, emit, context);

        run_later_rounds(announce, now, left, emit, context);
        update_next(announce);
    }
    return announce->next;
}

struct mono announce_deadline(const struct announce *announce)
{
    return announce->next;
}
