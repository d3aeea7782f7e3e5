/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What instances, groups and pools track, as JSON and as sentences: what it is, how it stands, what it does to the
 * priority. Copies from track.h. Called by instances_json.c and its attention.
 */
#include <stdio.h>

#include "daemon/fields_json.h"
#include "daemon/track.h"

static void put_source(struct answer *a, json_t *object, unsigned source)
{
    struct track_view view;

    if (source == TRACK_NO_SOURCE) {
        put_text(a, object, "state", "undefined");
        put_text(a, object, "text", "it is not defined in the file");
        put_new(a, object, "since", json_null());
        put_int(a, object, "value", 0);
        return;
    }
    track_view(a->view->track, source, &view);
    put_text(a, object, "state", track_state_name((enum track_state)view.state));
    put_text(a, object, "text", view.text);
    put_time(a, object, "since", view.since);
    put_int(a, object, "value", view.value);
}

static json_t *tracker_object(struct answer *a, const struct track_effect_view *effect)
{
    const struct check_tracker *tracker = effect->tracker;
    json_t *object = new_object(a);

    put_text(a, object, "kind", track_kind_name((enum check_tracker_kind)tracker->kind));
    put_text(a, object, "name", tracker->name);
    put_int(a, object, "weight", tracker->weight.value);
    put_bool(a, object, "reverse", tracker->weight.reverse);
    put_bool(a, object, "counts", !tracker->ignored);
    put_bool(a, object, "fault", effect->fault);
    put_int(a, object, "effect", effect->weight);
    put_source(a, object, effect->source);
    return object;
}

json_t *trackers_array(struct answer *a, enum track_target_kind kind, unsigned pool, unsigned unit)
{
    json_t *array = new_array(a);
    struct track_effect_view effect;

    for (unsigned i = 0; a->view->track != NULL && track_effect(a->view->track, kind, pool, unit, i, &effect); i++)
        append_new(a, array, tracker_object(a, &effect));
    return array;
}

/* Runs are counted for scripts only; the rest is known without. */
static void put_runs(struct answer *a, json_t *object, const struct track_view *view)
{
    put_int(a, object, "runs", (int64_t)view->runs);
    put_int(a, object, "failures", (int64_t)view->failures);
    put_int(a, object, "timeouts", (int64_t)view->timeouts);
    put_int(a, object, "not_run", (int64_t)view->not_run);
    put_int(a, object, "skipped", (int64_t)view->skipped);
    put_text(a, object, "last_result", view->ended ? track_outcome_name((enum track_outcome)view->last_outcome) : NULL);
    if (view->ended)
        put_ms(a, object, "last_took_ms", view->last_took_us);
    else
        put_new(a, object, "last_took_ms", json_null());
}

json_t *tracker_counters_array(struct answer *a)
{
    json_t *array = new_array(a);
    unsigned count = a->view->track != NULL ? track_source_count(a->view->track) : 0;

    for (unsigned i = 0; i < count; i++) {
        json_t *object = new_object(a);
        struct track_view view;

        track_view(a->view->track, i, &view);
        put_text(a, object, "kind", track_kind_name((enum check_tracker_kind)view.kind));
        put_text(a, object, "name", view.name);
        put_text(a, object, "state", track_state_name((enum track_state)view.state));
        put_int(a, object, "value", view.value);
        if (view.kind == CHECK_TRACK_SCRIPT)
            put_runs(a, object, &view);
        append_new(a, array, object);
    }
    return array;
}

/* How it stands, and why that is a fault when it does not look like one. */
static void format_finding(char *text, size_t size, const struct track_effect_view *effect,
                           const struct track_view *view)
{
    const struct check_tracker *tracker = effect->tracker;
    const char *kind = track_kind_name((enum check_tracker_kind)tracker->kind),
               *separator = *view->text != '\0' ? ": " : "";

    if (view->state == TRACK_FAILED)
        snprintf(text, size, "%s %s has failed%s%s", kind, tracker->name, separator, view->text);
    else if (view->state != TRACK_GOOD)
        snprintf(text, size, "%s %s has no result yet%s%s", kind, tracker->name, separator, view->text);
    else if (tracker->kind == CHECK_TRACK_FILE)
        snprintf(text, size, "file %s says %lld%s", tracker->name, (long long)view->value,
                 !effect->fault               ? ""
                 : tracker->weight.value == 0 ? ", and all but 0 is a fault"
                                              : ", which its weight makes a fault");
    else
        snprintf(text, size, "%s %s is good%s", kind, tracker->name,
                 effect->fault ? ", and must not be (reverse)" : "");
}

bool tracker_text(struct answer *a, enum track_target_kind kind, unsigned pool, unsigned unit, unsigned index,
                  struct tracker_finding *out)
{
    struct track_effect_view effect;
    struct track_view view = {.state = TRACK_FAILED, .text = "it is not defined in the file"};

    if (a->view->track == NULL || !track_effect(a->view->track, kind, pool, unit, index, &effect))
        return false;
    if (effect.source != TRACK_NO_SOURCE)
        track_view(a->view->track, effect.source, &view);
    out->failed = view.state == TRACK_FAILED;
    out->fault = effect.fault;
    format_finding(out->text, sizeof(out->text), &effect, &view);
    return true;
}
