/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events into spans (see record.h). Called by cmd_record.c. */
#include "ctl/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mono.h"
#include "ctl/brief.h"

#define MARGIN_PART 50               /* of the whole time, at each end */
#define MARGIN_MIN_US 100000         /* of them */
#define SUCCESSION_US (2 * US_PER_S) /* faults of a kind that are one */

static const char *const fault_kinds[] = {"member_dead",  "contest",           "one_way",     "isolated",
                                          "stalled",      "stranger",          "conflict",    "kernel_failed",
                                          "members_full", "duplicate_address", "address_list"};

static int64_t time_of(const json_t *object)
{
    double seconds = reply_seconds(reply_text(object, "time"));

    return seconds > 0 ? (int64_t)(seconds * 1000 + 0.5) * 1000 : 0;
}

/* --- the parts, each grown one by one --- */

static void *grow(void *list, unsigned count, size_t size)
{
    /* Powers of two, so that it seldom has to move. */
    if (count > 0 && (count & (count - 1)) != 0)
        return list;
    return realloc(list, (count == 0 ? 1 : 2 * (size_t)count) * size);
}

static bool add_lane(struct record *r, const struct record_lane *lane)
{
    struct record_lane *lanes = grow(r->lanes, r->lane_count, sizeof(*lanes));

    if (lanes == NULL)
        return false;
    r->lanes = lanes;
    r->lanes[r->lane_count++] = *lane;
    return true;
}

/* The lane of an address; RECORD_NO_LANE: none yet. */
static unsigned find_lane(const struct record *r, const char *address)
{
    for (unsigned i = 0; i < r->lane_count; i++) {
        if (strcmp(r->lanes[i].address, address) == 0)
            return i;
    }
    return RECORD_NO_LANE;
}

static bool lane_of(struct record *r, const char *address, bool state, unsigned *lane)
{
    *lane = find_lane(r, address);
    if (*lane != RECORD_NO_LANE)
        return true;
    *lane = r->lane_count;
    return add_lane(
        r, &(struct record_lane){.address = address, .name = *address != '\0' ? address : "nobody", .state = state});
}

static bool add_span(struct record_unit *unit, const struct record_span *span)
{
    struct record_span *spans = grow(unit->spans, unit->span_count, sizeof(*spans));

    if (spans == NULL)
        return false;
    unit->spans = spans;
    unit->spans[unit->span_count++] = *span;
    return true;
}

static bool add_unit(struct record *r, const char *pool, int64_t vrid, const char *address)
{
    struct record_unit *units = grow(r->units, r->unit_count, sizeof(*units));

    if (units == NULL)
        return false;
    r->units = units;
    r->units[r->unit_count++] = (struct record_unit){.pool = pool, .address = address, .vrid = vrid};
    return true;
}

/* NULL: no memory. */
static struct record_unit *unit_of(struct record *r, const char *pool, int64_t vrid, const char *address)
{
    for (unsigned i = 0; i < r->unit_count; i++) {
        if (r->units[i].vrid == vrid && strcmp(r->units[i].pool, pool) == 0)
            return &r->units[i];
    }
    return add_unit(r, pool, vrid, address) ? &r->units[r->unit_count - 1] : NULL;
}

/* --- from the answers --- */

static bool is_chosen(const struct record_choice *only, const char *pool, int64_t vrid)
{
    return only->pool == NULL || (only->vrid == vrid && strcmp(only->pool, pool) == 0);
}

static bool take_members(struct record *r, const json_t *pool)
{
    json_t *member;
    size_t i;

    json_array_foreach(reply_get(pool, "members"), i, member)
    {
        struct record_lane lane = {
            .address = reply_text(member, "address"),
            .name = reply_member(member, "address", "name"),
            .member = true,
            .self = reply_bool(member, "self"),
        };

        if (find_lane(r, lane.address) == RECORD_NO_LANE && !add_lane(r, &lane))
            return false;
    }
    return true;
}

static bool take_units(struct record *r, const json_t *pool, const struct record_choice *only)
{
    const char *name = reply_text(pool, "name");
    json_t *unit;
    size_t i;

    json_array_foreach(reply_get(pool, "units"), i, unit)
    {
        int64_t vrid = reply_int(unit, "vrid");

        if (is_chosen(only, name, vrid) && !add_unit(r, name, vrid, brief_unit_name(unit)))
            return false;
    }
    return true;
}

static bool take_status(struct record *r, const json_t *status, const struct record_choice *only)
{
    json_t *pool, *instance;
    size_t i;

    json_array_foreach(reply_get(status, "pools"), i, pool)
    {
        if (!take_members(r, pool) || !take_units(r, pool, only))
            return false;
    }
    json_array_foreach(reply_get(status, "instances"), i, instance)
    {
        const char *name = reply_text(instance, "name");
        int64_t vrid = reply_int(instance, "vrid");

        if (is_chosen(only, name, vrid) && !add_unit(r, name, vrid, name))
            return false;
    }
    return true;
}

/* A change ends the unit's last span, when the gap began, and begins another. */
static bool take_change(struct record *r, struct record_unit *unit, const json_t *entry, int64_t at_us)
{
    bool state = *reply_text(entry, "instance") != '\0';
    const char *from = reply_text(entry, state ? "from_state" : "from");
    const char *to = reply_text(entry, state ? "to_state" : "to");
    double gap_ms = reply_real(entry, "gap_ms", -1);
    int64_t gap_us = gap_ms > 0 ? (int64_t)(gap_ms * US_PER_MS) : 0;
    unsigned lane;

    if (unit->span_count == 0 && *from != '\0') {
        if (!lane_of(r, from, state, &lane) ||
            !add_span(unit, &(struct record_span){.begin_us = r->begin_us, .lane = lane, .gap_ms = -1}))
            return false;
    }
    if (unit->span_count > 0) {
        struct record_span *last = &unit->spans[unit->span_count - 1];

        last->end_us = at_us - gap_us > last->begin_us ? at_us - gap_us : last->begin_us;
    }
    return lane_of(r, to, state, &lane) &&
           add_span(unit, &(struct record_span){.begin_us = at_us, .lane = lane, .gap_ms = gap_ms, .entry = entry});
}

static bool is_fault(const json_t *entry)
{
    for (size_t i = 0; i < ARRAY_LENGTH(fault_kinds); i++) {
        if (strcmp(reply_text(entry, "kind"), fault_kinds[i]) == 0)
            return true;
    }
    return false;
}

static bool take_fault(struct record *r, const json_t *entry, int64_t at_us)
{
    struct record_fault *last = r->fault_count > 0 ? &r->faults[r->fault_count - 1] : NULL;

    if (last != NULL && at_us - last->at_us < SUCCESSION_US &&
        strcmp(reply_text(last->entry, "kind"), reply_text(entry, "kind")) == 0) {
        last->count++;
        return true;
    }
    struct record_fault *faults = grow(r->faults, r->fault_count, sizeof(*faults));

    if (faults == NULL)
        return false;
    r->faults = faults;
    r->faults[r->fault_count++] = (struct record_fault){
        .at_us = at_us, .entry = entry, .count = 1, .lane = find_lane(r, reply_text(entry, "from"))};
    return true;
}

/* The unit or instance that the entry is about; NULL: no memory. */
static struct record_unit *subject_of(struct record *r, const json_t *entry, const char *owner)
{
    bool instance = *reply_text(entry, "instance") != '\0';

    return unit_of(r, owner, reply_int(entry, "vrid"), instance ? owner : reply_text(entry, "address"));
}

static bool take_entries(struct record *r, const json_t *entries, const struct record_choice *only)
{
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        const char *kind = reply_text(entry, "kind"), *instance = reply_text(entry, "instance");
        const char *owner = *instance != '\0' ? instance : reply_text(entry, "pool");
        int64_t at_us = time_of(entry), vrid = reply_int(entry, "vrid");

        if (vrid != 0 && !is_chosen(only, owner, vrid))
            continue;
        if (is_fault(entry)) {
            if (!take_fault(r, entry, at_us))
                return false;
        } else if (strcmp(kind, "unit_owner") == 0 || strcmp(kind, "instance_state") == 0) {
            struct record_unit *unit = subject_of(r, entry, owner);

            if (unit == NULL || !take_change(r, unit, entry, at_us))
                return false;
        }
    }
    return true;
}

/* A unit of which no change is known has been where it is. */
static bool stay(struct record *r, const char *owner, int64_t vrid, const char *where, bool state)
{
    for (unsigned u = 0; u < r->unit_count; u++) {
        struct record_span span = {.begin_us = r->begin_us, .gap_ms = -1};

        if (r->units[u].span_count > 0 || r->units[u].vrid != vrid || strcmp(r->units[u].pool, owner) != 0)
            continue;
        if (!lane_of(r, where, state, &span.lane) || !add_span(&r->units[u], &span))
            return false;
    }
    return true;
}

static bool finish(struct record *r, const json_t *status)
{
    json_t *pool, *unit, *instance;
    size_t i, k;

    json_array_foreach(reply_get(status, "pools"), i, pool)
    {
        json_array_foreach(reply_get(pool, "units"), k, unit)
        {
            if (!stay(r, reply_text(pool, "name"), reply_int(unit, "vrid"), reply_text(unit, "holder"), false))
                return false;
        }
    }
    json_array_foreach(reply_get(status, "instances"), i, instance)
    {
        if (!stay(r, reply_text(instance, "name"), reply_int(instance, "vrid"), reply_text(instance, "state"), true))
            return false;
    }
    for (unsigned u = 0; u < r->unit_count; u++) {
        if (r->units[u].span_count > 0)
            r->units[u].spans[r->units[u].span_count - 1].end_us = r->end_us;
    }
    return true;
}

static void set_times(struct record *r, const json_t *status, const json_t *entries)
{
    int64_t first = time_of(json_array_get(entries, 0)), last = time_of(status);
    int64_t newest = time_of(json_array_get(entries, json_array_size(entries) - 1));

    last = newest > last ? newest : last; /* a clock that was set back */
    first = first > 0 && first < last ? first : last;
    int64_t margin = (last - first) / MARGIN_PART;

    margin = margin > MARGIN_MIN_US ? margin : MARGIN_MIN_US;
    r->begin_us = first - margin;
    r->end_us = last + margin;
}

/* Members as they came, then strangers, nobody, and the states of instances by name. */
static bool goes_before(const struct record *r, unsigned a, unsigned b)
{
    const struct record_lane *lanes[] = {&r->lanes[a], &r->lanes[b]};
    int rank[2];

    for (unsigned i = 0; i < 2; i++)
        rank[i] = lanes[i]->member ? 0 : lanes[i]->state ? 3 : lanes[i]->address[0] != '\0' ? 1 : 2;
    if (rank[0] != rank[1])
        return rank[0] < rank[1];
    return lanes[0]->state ? strcmp(lanes[0]->name, lanes[1]->name) < 0 : a < b;
}

static void move_to_lanes(struct record *r, const unsigned *place)
{
    for (unsigned u = 0; u < r->unit_count; u++) {
        for (unsigned s = 0; s < r->units[u].span_count; s++)
            r->units[u].spans[s].lane = place[r->units[u].spans[s].lane];
    }
    for (unsigned f = 0; f < r->fault_count; f++) {
        if (r->faults[f].lane != RECORD_NO_LANE)
            r->faults[f].lane = place[r->faults[f].lane];
    }
}

/* Lanes came as they were met. */
static bool order_lanes(struct record *r)
{
    unsigned *place = calloc((size_t)r->lane_count + 1, sizeof(*place));
    struct record_lane *lanes = calloc((size_t)r->lane_count + 1, sizeof(*lanes));
    bool made = place != NULL && lanes != NULL;

    if (made) {
        for (unsigned lane = 0; lane < r->lane_count; lane++) {
            for (unsigned other = 0; other < r->lane_count; other++)
                place[lane] += other != lane && goes_before(r, other, lane);
            lanes[place[lane]] = r->lanes[lane];
        }
        move_to_lanes(r, place);
        free(r->lanes);
        r->lanes = lanes;
    } else {
        free(lanes);
    }
    free(place);
    return made;
}

bool record_make(const json_t *status, const json_t *entries, const struct record_choice *only, struct record *out)
{
    *out = (struct record){.lanes = NULL};
    set_times(out, status, entries);
    if (take_status(out, status, only) && take_entries(out, entries, only) && finish(out, status) && order_lanes(out))
        return true;
    record_free(out);
    return false;
}

void record_free(struct record *record)
{
    for (unsigned u = 0; u < record->unit_count; u++)
        free(record->units[u].spans);
    free(record->units);
    free(record->lanes);
    free(record->faults);
    *record = (struct record){.lanes = NULL};
}
