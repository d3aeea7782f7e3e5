/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See control.h. */
#include "client/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUESTION_MS 600 /* snmpd gives up on an agent after a second */

void control_client_init(struct control_client *client, const char *run_dir)
{
    *client = (struct control_client){.run_dir = run_dir, .fd = -1};
}

static void disconnect(struct control_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

void control_client_close(struct control_client *client)
{
    disconnect(client);
    free(client->line.data);
    client->line = (struct exchange_line){.data = NULL};
}

static bool fail(struct control_client *client, const char *what, int error)
{
    client->failure = error;
    snprintf(client->error, sizeof(client->error), "%s: %s", what,
             error == EAGAIN ? "no answer in time" : strerror(error));
    disconnect(client);
    return false;
}

static bool open_connection(struct control_client *client, int64_t until_ms)
{
    struct sockaddr_un address;

    if (client->fd < 0)
        client->fd = exchange_connect(client->run_dir, until_ms, &address);
    return client->fd >= 0 || fail(client, address.sun_path, -client->fd);
}

static bool exchange(struct control_client *client, const char *line, int64_t until_ms)
{
    if (!open_connection(client, until_ms))
        return false;
    int error = exchange_ask(client->fd, line, &client->line, until_ms);

    return error == 0 || fail(client, "asking the daemon", -error);
}

/* A daemon that was started anew, or dropped an idle connection, is asked again on a new one; not one that hangs. */
static bool exchange_twice(struct control_client *client, const char *line)
{
    int64_t until_ms = exchange_now_ms() + QUESTION_MS;
    bool was_open = client->fd >= 0;

    client->error[0] = '\0';
    return exchange(client, line, until_ms) ||
           (was_open && client->failure != EAGAIN && exchange(client, line, until_ms));
}

struct json_t *control_client_ask(struct control_client *client, const char *request)
{
    json_error_t error;
    char *line;

    if (asprintf(&line, "%s\n", request) < 0)
        return fail(client, "asking the daemon", ENOMEM), NULL;
    bool answered = exchange_twice(client, line);

    free(line);
    if (!answered)
        return NULL;
    json_t *answer = json_loadb(client->line.data, client->line.length, 0, &error);

    if (json_is_object(answer))
        return answer;
    json_decref(answer);
    fail(client, "the daemon's answer is no JSON object", EPROTO);
    return NULL;
}

static json_t *ask_command(struct control_client *client, const char *command, const json_t *pool)
{
    json_t *request = json_pack("{s:s, s:O*}", "command", command, "pool", pool);
    char *line = json_dumps(request, JSON_COMPACT);
    json_t *answer = line != NULL ? control_client_ask(client, line) : NULL;

    free(line);
    json_decref(request);
    return answer;
}

/* The daemon's code of refusal, NULL: it is a good answer, or none. */
static const char *refusal(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));

    return error != NULL && code == NULL ? "?" : code;
}

/* `answer`, which is released and NULL when the daemon refuses. */
static json_t *unless_refused(struct control_client *client, json_t *answer)
{
    const char *code = refusal(answer);

    if (code == NULL)
        return answer;
    snprintf(client->error, sizeof(client->error), "the daemon refuses: %s", code);
    json_decref(answer);
    return NULL;
}

static void append(json_t *whole, const json_t *part, const char *key)
{
    json_array_extend(json_object_get(whole, key), json_object_get(part, key));
}

/* Puts the pools' answers together; one that fails makes the whole fail. */
static json_t *ask_pools(struct control_client *client, const char *command, const json_t *names)
{
    json_t *whole = NULL, *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        json_t *part = unless_refused(client, ask_command(client, command, name));

        if (whole == NULL || part == NULL) {
            json_decref(whole);
            whole = part;
            if (part == NULL)
                return NULL;
            continue;
        }
        append(whole, part, "pools");
        append(whole, part, "instances");
        append(whole, part, "attention");
        json_decref(part);
    }
    return whole;
}

struct json_t *control_client_ask_all(struct control_client *client, const char *command)
{
    json_t *answer = ask_command(client, command, NULL);
    const char *code = refusal(answer);

    if (code == NULL || strcmp(code, "too_large") != 0)
        return unless_refused(client, answer);
    json_t *whole = ask_pools(client, command, json_object_get(json_object_get(answer, "error"), "pools"));

    if (whole == NULL && client->error[0] == '\0')
        snprintf(client->error, sizeof(client->error), "the daemon names no pools");
    json_decref(answer);
    return whole;
}
