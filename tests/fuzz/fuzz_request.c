/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any line whatever as a control request, with permission to change. Every answer must be one JSON object
 * on one line, and the core's invariants must hold after it. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/check.h"
#include "daemon_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    static bool started;
    char *answer;
    size_t length;

    if (!started) {
        rig_open(&rig, 8, 3);
        rig_run(&rig, 10 * (int64_t)US_PER_S);
        started = true;
    }
    if (memchr(data, '\n', size) != NULL || size > CONTROL_REQUEST_MAX)
        return 0;
    request_answer(&rig.callbacks, (const char *)data, size, true, &answer, &length);
    CHECK(answer != NULL && memchr(answer, '\n', length) == answer + length - 1);
    json_t *object = json_loadb(answer, length, 0, NULL);

    CHECK(json_is_object(object));
    json_decref(object);
    free(answer);
    rig_run(&rig, 1000);
    core_check(rig.view.core);
    return 0;
}
