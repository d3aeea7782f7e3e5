/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reloads through the control socket: `reload` begins one and says which number it will have when it is over,
 * `reload-result` says how the last one went. The client asks until the number is there: no answer waits for something
 * that may take as long as a stuck kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "daemon/fields_json.h"

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {
        [DAEMON_RELOAD_NONE] = "none",           [DAEMON_RELOAD_RUNNING] = "running", [DAEMON_RELOAD_DONE] = "done",
        [DAEMON_RELOAD_UNCHANGED] = "unchanged", [DAEMON_RELOAD_REFUSED] = "refused", [DAEMON_RELOAD_FAILED] = "failed",
    };
    _Static_assert(ARRAY_LENGTH(names) == DAEMON_RELOAD_STATE_COUNT, "a name for each state");
    CHECK(state < DAEMON_RELOAD_STATE_COUNT);
    return names[state];
}

static void put_lines(struct answer *a, json_t *object, const char *text)
{
    json_t *lines = new_array(a);

    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);

        append_new(a, lines, text_value(a, line));
        free(line);
        text += length + (text[length] == '\n');
    }
    put_new(a, object, "lines", lines);
}

enum request_outcome reload_result_answer(struct answer *a)
{
    const struct daemon_reload *reload = &a->view->reload;

    put_int(a, a->root, "number", (int64_t)reload->number);
    put_text(a, a->root, "state", state_name(reload->state));
    put_lines(a, a->root, reload->text);
    return REQUEST_DONE;
}

enum request_outcome reload_answer(struct answer *a)
{
    const struct daemon_reload *reload = &a->view->reload;
    /* One that runs has read the file already, perhaps before it was changed: this wish is for the next one. */
    int64_t number = (int64_t)reload->number + 1 + (reload->state == DAEMON_RELOAD_RUNNING);
    int error = a->callbacks->reload(a->callbacks->context);

    if (error < 0) {
        set_error(a, "not_ready", "the guard cannot be asked: errno %d", -error);
        return REQUEST_REFUSED;
    }
    put_int(a, a->root, "number", number);
    return REQUEST_DONE;
}
