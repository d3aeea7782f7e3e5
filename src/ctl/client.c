/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talks to the daemon: connect, one line out, one line in, each bounded in time. A connection serves one request, since
 * the daemon drops idle clients. Errors become a sentence here, once, with what to do about them. Called by all
 * commands but check.
 */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "client/exchange.h"
#include "config/suggest.h"

#define REAL_DIGITS 12

static int tell_unreachable(const char *path, int error, char problem[static CLIENT_PROBLEM_MAX])
{
    if (error == EACCES || error == EPERM) {
        snprintf(problem, CLIENT_PROBLEM_MAX, "%s may not be opened: %s", path, strerror(error));
        return EX_NOPERM;
    }
    if (error == EAGAIN || error == EWOULDBLOCK || error == ETIMEDOUT)
        snprintf(problem, CLIENT_PROBLEM_MAX, "evenkeeld has not answered on %s for %d s: is it stopped?", path,
                 CLIENT_PATIENCE_S);
    else
        snprintf(problem, CLIENT_PROBLEM_MAX, "no evenkeeld answers on %s: %s\n%s", path, strerror(error),
                 "Start it ('systemctl start evenkeel'), or name its directory with --run-dir DIR.");
    return EX_UNAVAILABLE;
}

/* The exit code for an error of the daemon, by its code. */
static int exit_code_of(const char *code)
{
    static const struct {
        const char *code;
        int exit_code;
    } table[] = {
        {"denied", EX_NOPERM},        {"bad_request", EX_USAGE},  {"unknown_command", EX_USAGE},
        {"unknown_pool", EX_USAGE},   {"unknown_unit", EX_USAGE}, {"unknown_member", EX_USAGE},
        {"ambiguous_unit", EX_USAGE}, {"not_possible", EX_USAGE},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        if (strcmp(table[i].code, code) == 0)
            return table[i].exit_code;
    }
    return EX_TEMPFAIL;
}

int client_connect(const struct ctl *ctl, char problem[static CLIENT_PROBLEM_MAX])
{
    struct sockaddr_un address;
    int fd = exchange_connect(ctl->run_dir, 0, &address);

    if (fd < 0)
        tell_unreachable(address.sun_path, -fd, problem);
    return fd;
}

/* Asks `request` with its newline. */
static int exchange(const struct ctl *ctl, const char *request, struct exchange_line *answer,
                    char problem[static CLIENT_PROBLEM_MAX])
{
    int64_t until_ms = exchange_now_ms() + CLIENT_PATIENCE_S * 1000;
    struct sockaddr_un address;
    int fd = exchange_connect(ctl->run_dir, until_ms, &address), error = fd;

    if (fd >= 0) {
        error = exchange_ask(fd, request, answer, until_ms);
        close(fd);
    }
    return error < 0 ? tell_unreachable(address.sun_path, -error, problem) : EX_OK;
}

/* One exchange; *answer may be an error object. */
static int ask(const struct ctl *ctl, json_t *request, json_t **answer)
{
    char *text = json_dumps(request, JSON_COMPACT), *with_newline = NULL;
    struct exchange_line line = {.data = NULL};
    char problem[CLIENT_PROBLEM_MAX] = "out of memory";
    json_error_t error;
    int code = EX_OSERR;

    *answer = NULL;
    if (text != NULL && asprintf(&with_newline, "%s\n", text) > 0)
        code = exchange(ctl, with_newline, &line, problem);
    if (code != EX_OK) {
        ctl_complain("%s", problem);
    } else {
        *answer = json_loadb(line.data, line.length, 0, &error);
        if (!json_is_object(*answer)) {
            ctl_complain("evenkeeld's answer is no JSON object: %s", error.text);
            json_decref(*answer);
            *answer = NULL;
            code = EX_PROTOCOL;
        }
    }
    free(line.data);
    free(with_newline);
    free(text);
    return code;
}

/* "Did you mean": the nearest address of a unit, or name or address of a member. */
static void suggest_from(const struct ctl *ctl, const char *list_command, const char *list_key, const char *word)
{
    json_t *request = json_pack("{s:s}", "command", list_command), *answer, *pool, *item, *address;
    struct suggest search = suggest_start(word);
    size_t i, j, k;
    int code = ask(ctl, request, &answer);

    json_decref(request);
    if (code != EX_OK)
        return;
    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        json_array_foreach(reply_get(pool, list_key), j, item)
        {
            suggest_offer(&search, reply_text(item, "address"));
            suggest_offer(&search, reply_text(item, "name"));
            json_array_foreach(reply_get(item, "addresses"), k, address)
                suggest_offer(&search, json_string_value(address));
        }
    }
    json_array_foreach(reply_get(answer, "instances"), i, item) suggest_offer(&search, reply_text(item, "name"));
    if (search.best != NULL)
        fprintf(stderr, "Did you mean %s?\n", search.best);
    json_decref(answer);
}

static int complain_refused(const struct ctl *ctl, const json_t *request, const json_t *answer)
{
    const json_t *error = reply_get(answer, "error");
    const char *code = reply_text(error, "code"), *unit = reply_text(request, "unit");

    if (ctl->json)
        client_print(answer);
    ctl_complain("%s", reply_text(error, "text"));
    if (strcmp(code, "unknown_unit") == 0 && *unit != '\0')
        suggest_from(ctl, "list", "units", unit);
    return exit_code_of(code);
}

json_t *client_request(const struct ctl *ctl, const char *command)
{
    json_t *request = json_pack("{s:s}", "command", command);

    if (ctl->pool != NULL)
        json_object_set_new(request, "pool", json_string(ctl->pool));
    return request;
}

int client_ask(const struct ctl *ctl, json_t *request, json_t **answer)
{
    int code = ask(ctl, request, answer);

    if (code == EX_OK && reply_get(*answer, "error") != NULL) {
        code = complain_refused(ctl, request, *answer);
        json_decref(*answer);
        *answer = NULL;
    }
    json_decref(request);
    return code;
}

static int ask_each_pool(const struct ctl *ctl, const char *command, const json_t *names, json_t **answer)
{
    json_t *name, *part;
    size_t i;

    *answer = NULL;
    json_array_foreach(names, i, name)
    {
        int code = client_ask(ctl, json_pack("{s:s, s:O}", "command", command, "pool", name), &part);

        if (code != EX_OK) {
            json_decref(*answer);
            *answer = NULL;
            return code;
        }
        if (*answer == NULL) {
            *answer = part;
            continue;
        }
        json_array_extend(json_object_get(*answer, "pools"), json_object_get(part, "pools"));
        json_array_extend(json_object_get(*answer, "instances"), json_object_get(part, "instances"));
        json_array_extend(json_object_get(*answer, "attention"), json_object_get(part, "attention"));
        json_decref(part);
    }
    return *answer != NULL ? EX_OK : EX_PROTOCOL;
}

int client_ask_all_pools(const struct ctl *ctl, const char *command, json_t **answer)
{
    json_t *request = client_request(ctl, command);
    int code = ask(ctl, request, answer);
    const json_t *error = reply_get(*answer, "error");

    if (code == EX_OK && strcmp(reply_text(error, "code"), "too_large") == 0) {
        json_t *first = *answer;

        code = ask_each_pool(ctl, command, reply_get(error, "pools"), answer);
        json_decref(first);
    } else if (code == EX_OK && error != NULL) {
        code = complain_refused(ctl, request, *answer);
        json_decref(*answer);
        *answer = NULL;
    }
    json_decref(request);
    return code;
}

int client_print(const json_t *answer)
{
    if (json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS)) != 0 || putchar('\n') == EOF)
        return EX_IOERR;
    return EX_OK;
}
