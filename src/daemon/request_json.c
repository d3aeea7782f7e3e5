/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front of the control protocol: text -> request object -> the command's row -> answer object -> text. Unknown
 * fields are refused, so that a misspelt "pool" never means "all pools". Called by control.c.
 */
#include "daemon/request_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "daemon/fields_json.h"

#define REAL_DIGITS 12 /* of fractional milliseconds; all 17 would show 12.345 as 12.345000000000001 */

enum effect_of_command {
    SHOWS,       /* what is at this moment */
    SHOWS_STATE, /* what costs much to say, and seldom changes without a note */
    SHOWS_FILE,  /* what stands in the configuration, commands with their arguments: needs permission */
    CHANGES,     /* needs permission */
};

struct command {
    const char *name;
    enum effect_of_command effect;
    const char *fields; /* allowed beside "command", each followed by a blank */
    enum request_outcome (*answer)(struct answer *a);
};

static const struct command commands[] = {
    {"status", SHOWS_STATE, "pool ", status_answer},
    {"members", SHOWS, "pool ", members_answer},
    {"list", SHOWS_STATE, "pool ", list_answer},
    {"plan", SHOWS, "pool with without ", plan_answer},
    {"explain", SHOWS, "pool unit ", explain_answer},
    {"counters", SHOWS, "pool ", counters_answer},
    {"snmp", SHOWS, "pool ", snmp_answer},
    {"history", SHOWS, "pool unit after limit ", history_answer},
    {"events", SHOWS, "pool unit after limit ", events_answer},
    {"dump", SHOWS_FILE, "what ", dump_answer},
    {"check-hash", SHOWS, "hash ", check_hash_answer},
    {"take", CHANGES, "pool unit ", take_answer},
    {"release", CHANGES, "pool unit ", release_answer},
    {"drain", CHANGES, "pool now ", drain_answer},
    {"undrain", CHANGES, "pool ", undrain_answer},
    {"rebalance", CHANGES, "pool ", rebalance_answer},
    {"reload", CHANGES, "", reload_answer},
    {"reload-result", CHANGES, "", reload_result_answer}, /* it quotes the file */
};

static bool is_field(const char *fields, const char *key)
{
    size_t length = strlen(key);

    for (const char *p = fields; *p != '\0'; p = strchr(p, ' ') + 1) {
        if (strncmp(p, key, length) == 0 && p[length] == ' ')
            return true;
    }
    return false;
}

static bool fields_known(struct answer *a, const struct command *command)
{
    const char *key;
    json_t *value;

    json_object_foreach(a->request, key, value)
    {
        if (strcmp(key, "command") != 0 && !is_field(command->fields, key)) {
            set_error(a, "bad_request", "'%s' has no field \"%.64s\"", command->name, key);
            return false;
        }
    }
    return true;
}

static enum request_outcome dispatch(struct answer *a, bool may_change)
{
    json_t *name = json_object_get(a->request, "command");

    if (!json_is_string(name)) {
        set_error(a, "bad_request", "a request is an object with a field \"command\", a string");
        return REQUEST_GARBAGE;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        const struct command *command = &commands[i];

        if (strcmp(json_string_value(name), command->name) != 0)
            continue;
        if (!fields_known(a, command))
            return REQUEST_REFUSED;
        if (command->effect >= SHOWS_FILE && !may_change) {
            set_error(a, "denied", "'%s' needs root or membership of group " CONTROL_GROUP, command->name);
            return REQUEST_DENIED;
        }
        enum request_outcome outcome = command->answer(a);

        if (outcome != REQUEST_DONE || command->effect == SHOWS || command->effect == SHOWS_FILE)
            return outcome;
        return command->effect == CHANGES ? REQUEST_CHANGED : REQUEST_LASTING;
    }
    set_error(a, "unknown_command", "there is no command '%.64s'", json_string_value(name));
    return REQUEST_REFUSED;
}

/* A text that grows as jansson hands over pieces. */
struct text {
    char *data;
    size_t length, capacity;
};

static int append_text(const char *piece, size_t size, void *context)
{
    struct text *text = context;

    if (text->capacity - text->length < size + 1) {
        size_t capacity = (text->length + size + 1) * 2;
        char *data = realloc(text->data, capacity);

        if (data == NULL)
            return -1;
        text->data = data;
        text->capacity = capacity;
    }
    memcpy(text->data + text->length, piece, size);
    text->length += size;
    text->data[text->length] = '\0';
    return 0;
}

static char *to_line(const json_t *root, size_t *length)
{
    struct text text = {.data = NULL};

    if (json_dump_callback(root, append_text, &text, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS)) != 0 ||
        append_text("\n", 1, &text) != 0) {
        free(text.data);
        return NULL;
    }
    *length = text.length;
    return text.data;
}

static enum request_outcome build(struct answer *a, const char *line, size_t line_length, bool may_change)
{
    json_error_t error;

    a->request = json_loadb(line, line_length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(a->request)) {
        if (a->request == NULL)
            set_error(a, "bad_request", "not a JSON object: %s (byte %d)", error.text, error.position);
        else
            set_error(a, "bad_request", "a request is a JSON object, on one line");
        return REQUEST_GARBAGE;
    }
    put_text(a, a->root, "schema", SCHEMA_NAME);
    put_wall(a, a->root, "time", a->view->wall_us);
    return dispatch(a, may_change);
}

enum request_outcome request_answer(const struct control_callbacks *callbacks, const char *line, size_t line_length,
                                    bool may_change, char **answer, size_t *length)
{
    struct answer a = {
        .callbacks = callbacks,
        .view = callbacks->view(callbacks->context),
        .root = json_object(),
    };
    enum request_outcome outcome = build(&a, line, line_length, may_change);

    *length = 0;
    *answer = a.failed || a.root == NULL ? NULL : to_line(a.root, length);
    json_decref(a.request);
    json_decref(a.root);
    answer_end(&a);
    return outcome;
}
