/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl reload: has the daemon read its file again, waits until that is over, and says what changed. Errors of the
 * file are printed as `keelctl check` prints them, with the same exit code.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "ctl/client.h"

#define POLL_MS 20
#define RELOAD_WAIT_S 30

/* Asks until the reload with this number is over. EX_OK, EX_TEMPFAIL, or client_ask's code; *answer is the last one. */
static int wait_for(const struct ctl *ctl, int64_t number, json_t **answer)
{
    int64_t left_ms = 1000 * (int64_t)(ctl->timeout_s > 0 ? ctl->timeout_s : RELOAD_WAIT_S);

    for (;; left_ms -= POLL_MS) {
        json_decref(*answer);
        *answer = NULL;
        int code = client_ask(ctl, client_request(ctl, "reload-result"), answer);

        if (code != EX_OK)
            return code;
        if (reply_int(*answer, "number") >= number && strcmp(reply_text(*answer, "state"), "running") != 0)
            return EX_OK;
        if (left_ms <= 0)
            return EX_TEMPFAIL;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

static void print_lines(const json_t *answer, FILE *out)
{
    size_t index;
    json_t *line;

    json_array_foreach(reply_get(answer, "lines"), index, line) fprintf(out, "%s\n", json_string_value(line));
}

static void print_result(const json_t *answer)
{
    const char *state = reply_text(answer, "state");

    if (strcmp(state, "done") == 0) {
        print_lines(answer, stdout);
    } else if (strcmp(state, "unchanged") == 0) {
        puts("The file says what it said before.");
    } else {
        print_lines(answer, stderr);
        ctl_complain("%s; the daemon goes on unchanged",
                     strcmp(state, "refused") == 0 ? "the file has errors" : "the reload was not possible");
    }
}

static int result_code(const json_t *answer)
{
    const char *state = reply_text(answer, "state");

    if (strcmp(state, "done") == 0 || strcmp(state, "unchanged") == 0)
        return EX_OK;
    return strcmp(state, "refused") == 0 ? EX_CONFIG : EX_OSERR;
}

int reload_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *begun = NULL, *answer = NULL;
    int code = client_ask(ctl, client_request(ctl, "reload"), &begun);

    (void)argc, (void)argv;
    if (code == EX_OK && ctl->no_wait) {
        if (ctl->json)
            code = client_print(begun);
    } else if (code == EX_OK) {
        code = wait_for(ctl, reply_int(begun, "number"), &answer);
        if (code == EX_TEMPFAIL)
            ctl_complain("the reload is not over yet; the daemon goes on with it");
        if (code == EX_OK && ctl->json)
            code = client_print(answer);
        else if (code == EX_OK)
            print_result(answer);
        if (code == EX_OK)
            code = result_code(answer);
    }
    json_decref(begun);
    json_decref(answer);
    return code;
}
