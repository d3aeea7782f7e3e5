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

enum burst {
    BURST_FIRST,   /* plan->repeat rounds */
    BURST_DELAYED, /* plan->delayed_repeat */
    BURST_REFRESH, /* settings.refresh_repeat, for ever */
};

struct announce_unit {
    struct announce_unit_settings settings;
    const struct announce_plan *plan; /* one of the settings' */
    struct mono due;                  /* of the current round; MONO_NEVER: none is planned */
    struct mono started;              /* when the last first round was due; long ago when the unit was not announced */
    struct mono began;                /* first frame of the current round; valid when cursor > 0 */
    enum burst burst;
    unsigned left;   /* rounds of the burst, the current one included */
    unsigned cursor; /* next address of the current round */
    bool again;      /* a contest came during the first round: another one follows */
};

struct announce {
    struct announce_lane *lanes;
    struct mono next; /* what announce_deadline says */
    unsigned unit_count;
    struct announce_unit units[];
};

static const struct mono LONG_AGO = {INT64_MIN};

struct announce *announce_new(const struct announce_unit_settings *units, unsigned unit_count,
                              struct announce_lane *lanes)
{
    struct announce *announce = calloc(1, sizeof(*announce) + unit_count * sizeof(announce->units[0]));

    if (!announce)
        return NULL;
    announce->lanes = lanes;
    announce->next = MONO_NEVER;
    announce->unit_count = unit_count;
    for (unsigned i = 0; i < unit_count; i++) {
        CHECK(units[i].taken.repeat >= 1 && units[i].refresh_us >= 0);
        announce->units[i] = (struct announce_unit){.settings = units[i], .due = MONO_NEVER, .started = LONG_AGO};
        announce->units[i].plan = &announce->units[i].settings.taken;
    }
    return announce;
}

void announce_free(struct announce *announce)
{
    free(announce);
}

/* First rounds wait for nothing, unless they are told to; later ones keep the distance between frames. */
static bool is_first(const struct announce_unit *unit)
{
    return unit->burst == BURST_FIRST && unit->left == unit->plan->repeat;
}

static struct announce_lane *next_lane(const struct announce *announce, const struct announce_unit *unit)
{
    return &announce->lanes[unit->settings.lanes != NULL ? unit->settings.lanes[unit->cursor] : 0];
}

static bool is_free(const struct announce_unit *unit)
{
    return is_first(unit) && !unit->settings.paced;
}

/* When the unit's next frame may go. */
static struct mono unit_next(const struct announce *announce, const struct announce_unit *unit)
{
    if (mono_is_never(unit->due) || is_free(unit))
        return unit->due;
    return mono_max(unit->due, next_lane(announce, unit)->until);
}

static void update_next(struct announce *announce)
{
    announce->next = MONO_NEVER;
    for (unsigned i = 0; i < announce->unit_count; i++)
        announce->next = mono_min(announce->next, unit_next(announce, &announce->units[i]));
}

static void begin_anew(struct announce_unit *unit, struct mono now)
{
    unit->started = mono_max(now, mono_add(unit->started, ANNOUNCE_ROUND_US));
    unit->due = unit->started;
    unit->burst = BURST_FIRST;
    unit->left = unit->plan->repeat;
    unit->cursor = 0;
    unit->again = false;
}

/* What a contest adds must not cut short what a take-over still has to say. */
static const struct announce_plan *choose_plan(const struct announce_unit *unit, bool contested)
{
    bool under_way = !mono_is_never(unit->due) && unit->burst == BURST_FIRST;

    if (!contested || (under_way && unit->plan == &unit->settings.taken))
        return &unit->settings.taken;
    return &unit->settings.contested;
}

void announce_start(struct announce *announce, unsigned unit_index, bool contested, struct mono now)
{
    CHECK(unit_index < announce->unit_count);
    struct announce_unit *unit = &announce->units[unit_index];
    bool under_way = !mono_is_never(unit->due) && is_first(unit);

    if ((contested && unit->settings.contested.repeat == 0) || unit->settings.address_count == 0)
        return;
    unit->plan = choose_plan(unit, contested);
    if (under_way && unit->left == unit->plan->repeat)
        unit->again = unit->cursor > 0;
    else
        begin_anew(unit, now);
    announce->next = mono_min(announce->next, unit_next(announce, unit));
}

void announce_stop(struct announce *announce, unsigned unit_index)
{
    CHECK(unit_index < announce->unit_count);
    struct announce_unit *unit = &announce->units[unit_index];

    unit->plan = &unit->settings.taken;
    unit->due = MONO_NEVER;
    unit->started = LONG_AGO;
    unit->burst = BURST_FIRST;
    unit->left = unit->cursor = 0;
    unit->again = false;
    update_next(announce);
}

static void plan_refresh(struct announce_unit *unit)
{
    unit->burst = BURST_REFRESH;
    unit->left = unit->settings.refresh_repeat;
    unit->due = unit->settings.refresh_us > 0 ? mono_add(unit->began, unit->settings.refresh_us) : MONO_NEVER;
}

static void plan_next_round(struct announce_unit *unit)
{
    struct mono soon = mono_add(unit->began, ANNOUNCE_ROUND_US);

    unit->cursor = 0;
    if (unit->left > 1) {
        unit->left--;
        unit->due = soon;
    } else if (unit->burst == BURST_FIRST && unit->plan->delay_us > 0) {
        unit->burst = BURST_DELAYED;
        unit->left = unit->plan->delayed_repeat;
        unit->due = mono_max(soon, mono_add(unit->started, unit->plan->delay_us));
    } else {
        plan_refresh(unit);
    }
}

/* Rounds that are left under the new settings. */
static void limit_rounds(struct announce_unit *unit)
{
    unsigned most = unit->burst == BURST_FIRST ? unit->plan->repeat : unit->plan->delayed_repeat;

    if (unit->left > most)
        unit->left = most > 0 ? most : 1;
}

void announce_take_over(struct announce *announce, unsigned unit_index, const struct announce *from, unsigned old_unit,
                        bool held, struct mono now)
{
    CHECK(unit_index < announce->unit_count && old_unit < from->unit_count);
    const struct announce_unit *old = &from->units[old_unit];
    struct announce_unit *unit = &announce->units[unit_index];
    const struct announce_unit_settings settings = unit->settings;
    bool contested = old->plan == &old->settings.contested && settings.contested.repeat > 0;

    if (!held || settings.address_count == 0)
        return;
    *unit = *old;
    unit->settings = settings;
    unit->plan = contested ? &unit->settings.contested : &unit->settings.taken;
    if (settings.address_count != old->settings.address_count) {
        begin_anew(unit, now);
    } else if (old->burst == BURST_REFRESH || mono_is_never(old->due)) {
        unit->cursor = 0;
        unit->began = now;
        plan_refresh(unit);
        unit->due = mono_is_never(unit->due) ? unit->due : mono_min(unit->due, old->due);
    } else {
        limit_rounds(unit);
    }
    update_next(announce);
}

static void emit_one(struct announce *announce, unsigned unit_index, struct mono now, announce_emit *emit,
                     void *context)
{
    struct announce_unit *unit = &announce->units[unit_index];
    struct announce_lane *lane = next_lane(announce, unit);

    emit(context, unit_index, unit->cursor);
    if (lane->interval_us > 0 && !is_free(unit))
        lane->until = mono_add(now, lane->interval_us);
    if (unit->cursor == 0)
        unit->began = now;
    if (++unit->cursor < unit->settings.address_count)
        return;
    if (unit->again)
        begin_anew(unit, now);
    else
        plan_next_round(unit);
}

static unsigned run_first_rounds(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                                 void *context)
{
    for (unsigned i = 0; i < announce->unit_count && budget > 0; i++) {
        const struct announce_unit *unit = &announce->units[i];

        for (; budget > 0 && is_first(unit) && mono_due(now, unit_next(announce, unit)); budget--)
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

        if (!is_first(unit) && mono_after(earliest, unit->due) && mono_due(now, unit_next(announce, unit))) {
            earliest = unit->due;
            found = i;
        }
    }
    return found;
}

static void run_later_rounds(struct announce *announce, struct mono now, unsigned budget, announce_emit *emit,
                             void *context)
{
    for (; budget > 0; budget--) {
        unsigned unit = find_later_round(announce, now);

        if (unit == announce->unit_count)
            return;
        emit_one(announce, unit, now, emit, context);
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
