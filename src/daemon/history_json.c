/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history answer (changes of ownership) and the events answer (everything that was noted), newest last. A reader
 * who follows gives "after", the last sequence it has seen, and learns from "missed" whether the ring was too short for
 * it.
 */
#include <string.h>

#include "daemon/fields_json.h"
#include "daemon/history.h"

#define ENTRIES_DEFAULT 100
#define ENTRIES_MAX 250 /* about 1.5 ms of the loop's time */

struct history_query {
    uint64_t after;
    unsigned limit;
    bool owners_only;
    const char *pool;     /* its name; NULL: all, and instances */
    unsigned vrid;        /* of the pool's unit; 0: all */
    const char *instance; /* only this one; NULL: see above */
};

static bool read_number(struct answer *a, const char *key, json_int_t low, json_int_t high, json_int_t *value)
{
    json_t *field = json_object_get(a->request, key);

    if (field == NULL)
        return true;
    *value = json_integer_value(field);
    if (json_is_integer(field) && *value >= low && *value <= high)
        return true;
    set_error(a, "bad_request", "\"%s\" must be a number from %lld to %lld", key, (long long)low, (long long)high);
    return false;
}

static bool read_query(struct answer *a, struct history_query *out)
{
    json_int_t after = -1, limit = ENTRIES_DEFAULT;
    unsigned first, end, pool, unit;

    if (!read_number(a, "after", 0, INT64_MAX, &after) || !read_number(a, "limit", 1, ENTRIES_MAX, &limit) ||
        !find_pools(a, &first, &end))
        return false;
    out->limit = (unsigned)limit;
    if (json_object_get(a->request, "pool") != NULL)
        out->pool = a->view->config->core.pools[first].name;
    if (json_object_get(a->request, "unit") != NULL) {
        if (!find_unit(a, &pool, &unit))
            return false;
        const struct unit_settings *found = &a->view->config->core.pools[pool].units[unit];

        out->instance = found->instance != NULL ? found->instance->name : NULL;
        out->pool = a->view->config->core.pools[pool].name;
        out->vrid = found->vrid;
    }
    out->after = after >= 0 ? (uint64_t)after : UINT64_MAX;
    return true;
}

static bool matches(const struct history_query *q, const struct note *note)
{
    if (q->owners_only && note->kind != NOTE_UNIT_OWNER && note->kind != NOTE_INSTANCE_STATE)
        return false;
    if (q->instance != NULL)
        return note->about == NOTE_ABOUT_INSTANCE && strcmp(q->instance, note->name) == 0;
    return q->pool == NULL || (note->about == NOTE_ABOUT_POOL && strcmp(q->pool, note->name) == 0 &&
                               (q->vrid == 0 || q->vrid == note->vrid));
}

static json_t *entry_object(struct answer *a, const struct history_entry *entry)
{
    const struct note *note = &entry->note;
    bool owner = note->kind == NOTE_UNIT_OWNER;
    char text[NOTE_TEXT_MAX];
    json_t *object = new_object(a);

    note_format(a->view->config, note, text);
    put_int(a, object, "sequence", (int64_t)entry->sequence);
    put_wall(a, object, "time", entry->wall_us);
    put_text(a, object, "kind", note_name(note));
    put_text(a, object, "pool", note->about == NOTE_ABOUT_POOL ? note->name : NULL);
    put_text(a, object, "instance", note->about == NOTE_ABOUT_INSTANCE ? note->name : NULL);
    put_text(a, object, "group", note->about == NOTE_ABOUT_GROUP ? note->name : NULL);
    put_new(a, object, "vrid", note->vrid == 0 ? json_null() : json_integer(note->vrid));
    put_address(a, object, "address", &note->unit);
    put_address(a, object, "from", &note->from);
    put_address(a, object, "to", &note->to);
    put_text(a, object, "from_state", note_state_name(note, note->from_state));
    put_text(a, object, "to_state", note_state_name(note, note->to_state));
    put_text(a, object, "reason", reason_name(note->reason));
    put_text(a, object, "cause", note_cause(note));
    put_ms(a, object, "gap_ms", owner ? note->value : -1);
    put_int(a, object, "value", note->value);
    put_bool(a, object, "warning", note_is_warning(note));
    put_text(a, object, "text", text);
    return object;
}

/* Where to begin so that the newest `limit` matching entries are shown. */
static uint64_t newest_start(const struct history *history, const struct history_query *q)
{
    uint64_t sequence = history_newest(history) + 1, start = sequence;

    for (unsigned found = 0; found < q->limit && sequence > history_oldest(history) && sequence > 1;) {
        sequence--;
        if (matches(q, &history_get(history, sequence)->note)) {
            found++;
            start = sequence;
        }
    }
    return start;
}

static enum request_outcome entries_answer(struct answer *a, bool owners_only)
{
    const struct history *history = a->view->history;
    struct history_query q = {.owners_only = owners_only};
    uint64_t oldest = history_oldest(history), newest = history_newest(history), sequence, last = newest, missed = 0;

    if (!read_query(a, &q))
        return REQUEST_REFUSED;
    if (q.after == UINT64_MAX) {
        sequence = newest_start(history, &q);
    } else {
        sequence = q.after + 1;
        missed = sequence < oldest ? oldest - sequence : 0;
        sequence = sequence < oldest ? oldest : sequence;
    }
    json_t *entries = new_array(a);

    for (; sequence != 0 && sequence <= newest; sequence++) {
        const struct history_entry *entry = history_get(history, sequence);

        if (!matches(&q, &entry->note))
            continue;
        if (json_array_size(entries) == q.limit) {
            last = sequence - 1;
            break;
        }
        append_new(a, entries, entry_object(a, entry));
    }
    put_int(a, a->root, "oldest", (int64_t)oldest);
    put_int(a, a->root, "newest", (int64_t)newest);
    put_int(a, a->root, "last", (int64_t)last);
    put_int(a, a->root, "missed", (int64_t)missed);
    put_new(a, a->root, "entries", entries);
    return REQUEST_DONE;
}

enum request_outcome history_answer(struct answer *a)
{
    return entries_answer(a, true);
}

enum request_outcome events_answer(struct answer *a)
{
    return entries_answer(a, false);
}
