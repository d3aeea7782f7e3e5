/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes of the core as values that outlive a reload, and as sentences: "unit 50 (192.0.2.50): Backup -> Active: ...".
 * The one place where these sentences are made: the log, the history and keelctl all show the same.
 */
#ifndef EVENKEEL_DAEMON_NOTE_H
#define EVENKEEL_DAEMON_NOTE_H

#include "config/config.h"
#include "core/effect.h"

#define NOTE_TEXT_MAX 320

/* What the daemon itself notes, beside the core: these go on where enum note_kind ends. */
enum daemon_note_kind {
    NOTE_CONFLICT = NOTE_KIND_COUNT, /* somebody answers for `to`, which this host holds; value: his MAC, as a number */
    NOTE_KINDS,
};

/* What a note is about; its name stands in the note. */
enum note_about {
    NOTE_ABOUT_POOL, /* or a unit of it */
    NOTE_ABOUT_INSTANCE,
    NOTE_ABOUT_GROUP,
};

struct note {
    char name[SETTINGS_NAME_MAX];
    uint8_t about;      /* enum note_about */
    uint8_t kind;       /* enum note_kind or enum daemon_note_kind */
    uint8_t reason;     /* enum reason */
    uint8_t from_state; /* NOTE_UNIT_STATE: enum router_state; of an instance or group: enum instance_state */
    uint8_t to_state;
    uint8_t vrid;     /* 0: not about a unit */
    struct addr unit; /* the unit's name: its first address that is not link-local; ADDR_NONE: not about a unit */
    struct addr from;
    struct addr to;
    int64_t value; /* as in struct effect */
};

/* From an EFFECT_NOTE; `config` is the one the core runs with. */
void note_from_effect(const struct config *config, const struct effect *effect, struct note *out);

/* NOTE_CONFLICT: the unit of `config` that is answered for, the address that is, and by whom. */
void note_conflict(const struct config *config, unsigned pool, unsigned unit, const struct addr *address,
                   const uint8_t mac[6], struct note *out);

/* Of any kind of note: "unit_state", "conflict". */
const char *note_name(const struct note *note);

/* Of a change of state: "Backup"; NULL for other kinds. */
const char *note_state_name(const struct note *note, uint8_t state);

/* The sentence, without a full stop. Members are named as `config` names them in the note's pool, else by address. */
void note_format(const struct config *config, const struct note *note, char text[static NOTE_TEXT_MAX]);

/* Why, as a clause: "its owner was not heard any more"; empty for REASON_NONE. */
const char *note_reason_text(enum reason reason);
/* The note's reason in words that fit the change: what ended a fault is not what made it. "": none. */
const char *note_cause(const struct note *note);

/* Notes that an operator should act on, or know of when they come unexpected. */
bool note_is_warning(const struct note *note);

/* The name `config` has for the member in the named pool, or NULL. */
const char *note_member_name(const struct config *config, const char *pool, const struct addr *member);

/* The address by which people know a unit: its first that is not link-local, else its first. */
struct addr note_unit_address(const struct config *config, unsigned pool, unsigned unit);

#endif
