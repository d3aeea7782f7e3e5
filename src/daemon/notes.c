/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's notes on their way to the history and the log. The history is the queue: notes go there at once, and are
 * written to the log when the turn's packets have left, since a fail-over makes hundreds of them and each costs a
 * system call. Called by apply.c.
 */
#include <stdio.h>

#include "base/check.h"
#include "daemon/log.h"
#include "daemon/note.h"
#include "daemon/worker.h"
#include "platform/clock.h"

static const char *address_text(const struct addr *address, char text[static ADDR_TEXT_MAX])
{
    return addr_is_none(address) ? NULL : addr_format(address, text);
}

static void log_note(const struct worker *worker, const struct note *note)
{
    static const char *const abouts[] = {
        [NOTE_ABOUT_POOL] = "pool", [NOTE_ABOUT_INSTANCE] = "instance", [NOTE_ABOUT_GROUP] = "group"};
    bool owner = note->kind == NOTE_UNIT_OWNER;
    char text[NOTE_TEXT_MAX], vip[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    char vrid[8], gap_ms[24];
    char kind[SETTINGS_NAME_MAX + 48];
    struct log_field fields[] = {
        {"note", note_name(note)},
        {abouts[note->about], note->name},
        {"vip", note->vrid != 0 ? addr_format(&note->unit, vip) : NULL},
        {"vrid", note->vrid != 0 ? vrid : NULL},
        {"from", address_text(&note->from, from)},
        {"to", address_text(&note->to, to)},
        {"from_state", note_state_name(note, note->from_state)},
        {"to_state", note_state_name(note, note->to_state)},
        {"reason", note->reason != REASON_NONE ? reason_name((enum reason)note->reason) : NULL},
        {"gap_ms", owner && note->value >= 0 ? gap_ms : NULL},
    };

    snprintf(vrid, sizeof(vrid), "%u", note->vrid);
    snprintf(gap_ms, sizeof(gap_ms), "%.3f", (double)note->value / US_PER_MS);
    snprintf(kind, sizeof(kind), "%s/%s/%u", note_name(note), note->name, note->vrid);
    note_format(worker->config, note, text);
    log_write(note_is_warning(note) ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, kind, fields, ARRAY_LENGTH(fields), "%s",
              text);
}

void notes_log(struct worker *worker)
{
    uint64_t newest = history_newest(worker->history);

    for (uint64_t sequence = worker->logged + 1; sequence <= newest; sequence++) {
        const struct history_entry *entry = history_get(worker->history, sequence);

        if (entry == NULL)
            continue;
        log_note(worker, &entry->note);
        history_file_add(worker->history_file, entry);
    }
    if (worker->logged < newest)
        history_file_wake(worker->history_file);
    worker->logged = newest;
}

static void add(struct worker *worker, const struct note *note, struct mono now)
{
    if (history_newest(worker->history) - worker->logged >= HISTORY_CAPACITY)
        notes_log(worker); /* or the oldest would be overwritten before it was written out */
    history_add(worker->history, note, now, clock_wall_us());
}

void notes_take(struct worker *worker, const struct effect *effect, struct mono now)
{
    struct note note;

    note_from_effect(worker->config, effect, &note);
    if (effect->note == NOTE_UNIT_OWNER)
        owner_changes_count(&worker->pools[effect->pool].changes, (enum reason)effect->reason, effect->value);
    if (effect->note == NOTE_STALLED) {
        worker->pool_views[effect->pool].stalled_at = now;
        worker->pool_views[effect->pool].stalled_us = effect->value;
    }
    add(worker, &note, now);
}

void notes_take_conflict(struct worker *worker, const struct vip_place *place, const struct frame_view *view,
                         struct mono now)
{
    struct note note;

    note_conflict(worker->config, place->pool, place->unit, &view->sender, view->sender_mac, &note);
    add(worker, &note, now);
}
