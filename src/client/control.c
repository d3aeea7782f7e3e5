/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See control.h. */
#include "client/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_NAME "control.sock"
#define WAIT_US 400000  /* for each step; snmpd gives up on an agent after a second */
#define QUESTION_MS 800 /* for all of them: a step that begins earlier is the last one */
#define ANSWER_MAX (16 * 1024 * 1024)
#define READ_ROOM 65536

void control_client_init(struct control_client *client, const char *run_dir)
{
    *client = (struct control_client){.run_dir = run_dir, .fd = -1};
}

static void disconnect(struct control_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->length = 0;
}

void control_client_close(struct control_client *client)
{
    disconnect(client);
    free(client->data);
    client->data = NULL;
    client->capacity = 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool fail(struct control_client *client, const char *what, int error)
{
    client->failure = error;
    snprintf(client->error, sizeof(client->error), "%s: %s", what,
             error == EAGAIN ? "no answer in time" : strerror(error));
    disconnect(client);
    return false;
}

static bool open_connection(struct control_client *client)
{
    const struct timeval wait = {.tv_usec = WAIT_US};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET_NAME, client->run_dir);

    if (client->fd >= 0)
        return true;
    if (length < 0 || (size_t)length >= sizeof(address.sun_path))
        return fail(client, client->run_dir, ENAMETOOLONG);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
        setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
        connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail(client, address.sun_path, errno);
    return true;
}

static bool send_line(struct control_client *client, const char *request)
{
    struct iovec parts[] = {{.iov_base = (char *)request, .iov_len = strlen(request)},
                            {.iov_base = (char *)"\n", .iov_len = 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = sendmsg(client->fd, &message, MSG_NOSIGNAL);

    /* A request is short, and the socket's buffer empty: it leaves in one piece or not at all. */
    if (sent == (ssize_t)(parts[0].iov_len + 1))
        return true;
    return fail(client, "asking the daemon", sent < 0 ? errno : EMSGSIZE);
}

static bool make_room(struct control_client *client)
{
    if (client->capacity - client->length >= READ_ROOM)
        return true;
    size_t capacity = client->capacity * 2 + 2 * READ_ROOM;
    char *data = capacity <= ANSWER_MAX ? realloc(client->data, capacity) : NULL;

    if (data == NULL)
        return fail(client, "reading the daemon's answer", ENOMEM);
    client->data = data;
    client->capacity = capacity;
    return true;
}

static bool receive_line(struct control_client *client)
{
    client->length = 0;
    for (;;) {
        if (!make_room(client))
            return false;
        if (now_ms() >= client->give_up_ms)
            return fail(client, "reading the daemon's answer", EAGAIN);
        ssize_t count = recv(client->fd, client->data + client->length, client->capacity - client->length, 0);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return fail(client, "reading the daemon's answer", count == 0 ? ECONNRESET : errno);
        client->length += (size_t)count;
        if (client->data[client->length - 1] == '\n')
            return true;
    }
}

static bool exchange(struct control_client *client, const char *request)
{
    bool was_open = client->fd >= 0;

    client->give_up_ms = now_ms() + QUESTION_MS;
    client->error[0] = '\0';
    if (!open_connection(client))
        return false;
    if (send_line(client, request) && receive_line(client))
        return true;
    /* A daemon that was started anew, or dropped an idle connection, is asked again on a new one; not one that hangs.
     */
    return was_open && client->failure != EAGAIN && now_ms() < client->give_up_ms && open_connection(client) &&
           send_line(client, request) && receive_line(client);
}

struct json_t *control_client_ask(struct control_client *client, const char *request)
{
    json_error_t error;

    if (!exchange(client, request))
        return NULL;
    json_t *answer = json_loadb(client->data, client->length, 0, &error);

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
