/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What instances and groups track, as JSON: what it is, what it counts. Called by instances_json.c and its attention.
 */
#include "daemon/fields_json.h"

static const char *kind_text(uint8_t kind)
{
    switch ((enum check_tracker_kind)kind) {
    case CHECK_TRACK_INTERFACE:
        return "interface";
    case CHECK_TRACK_SCRIPT:
        return "script";
    case CHECK_TRACK_FILE:
        return "file";
    case CHECK_TRACK_PROCESS:
        return "process";
    case CHECK_TRACK_KINDS:
        break;
    }
    return NULL;
}

static json_t *tracker_object(struct answer *a, const struct check_tracker *tracker)
{
    json_t *object = new_object(a);

    put_text(a, object, "kind", kind_text(tracker->kind));
    put_text(a, object, "name", tracker->name);
    put_int(a, object, "weight", tracker->weight.value);
    put_bool(a, object, "reverse", tracker->weight.reverse);
    put_bool(a, object, "counts", !tracker->ignored);
    return object;
}

json_t *trackers_array(struct answer *a, const struct check_tracker *trackers, unsigned count)
{
    json_t *array = new_array(a);

    for (unsigned i = 0; i < count; i++)
        append_new(a, array, tracker_object(a, &trackers[i]));
    return array;
}
