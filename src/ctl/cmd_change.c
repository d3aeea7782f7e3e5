/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl take, release, drain, undrain, rebalance. The daemon answers at once that it has begun; take, release and
 * drain then watch until it is done and say what came of it in a sentence, unless --no-wait.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ctl/client.h"

#define POLL_MS 100
#define UNIT_WAIT_S 15
#define DRAIN_WAIT_S 120
#define PROGRESS_MAX 160

/* What a wait looks at: returns true when it is over, and says how it stands meanwhile. */
struct wait {
    const struct ctl *ctl;
    const char *unit; /* take, release: as the operator wrote it */
    json_t *answer;   /* the last one; owned */
    char progress[PROGRESS_MAX];
    double waited_s;
};

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show_progress(const struct wait *wait, bool last)
{
    if (wait->ctl->json || isatty(STDERR_FILENO) != 1)
        return;
    if (last)
        fprintf(stderr, "\r\033[K");
    else
        fprintf(stderr, "\r\033[K%s ...", wait->progress);
}

/* Asks `command` again and again until `done`. EX_OK, EX_TEMPFAIL when the time is over, or client_ask's code. */
static int wait_until(struct wait *wait, const char *command, int default_timeout_s, bool (*done)(struct wait *wait))
{
    int timeout_s = wait->ctl->timeout_s > 0 ? wait->ctl->timeout_s : default_timeout_s;
    double start = seconds_now();

    for (;;) {
        json_t *request = client_request(wait->ctl, command);

        if (wait->unit != NULL)
            json_object_set_new(request, "unit", json_string(wait->unit));
        json_decref(wait->answer);
        int code = client_ask(wait->ctl, request, &wait->answer);
        bool over = code != EX_OK || done(wait);

        wait->waited_s = seconds_now() - start;
        if (!over && wait->waited_s >= timeout_s) {
            over = true;
            code = EX_TEMPFAIL;
        }
        show_progress(wait, over);
        if (over)
            return code;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

static const json_t *waited_unit(const struct wait *wait)
{
    return reply_get(wait->answer, "unit");
}

static bool is_taken(struct wait *wait)
{
    const json_t *unit = waited_unit(wait);

    snprintf(wait->progress, sizeof(wait->progress), "held by %.100s",
             reply_is_null(unit, "holder") ? "nobody" : reply_member(unit, "holder", "holder_name"));
    return strcmp(reply_text(unit, "holder_kind"), "self") == 0 &&
           strcmp(reply_text(unit, "level_done"), "answering") == 0;
}

static bool is_released(struct wait *wait)
{
    const json_t *unit = waited_unit(wait);
    const char *kind = reply_text(unit, "holder_kind");

    snprintf(wait->progress, sizeof(wait->progress), "held by %.100s",
             *kind == 'n' ? "nobody" : reply_member(unit, "holder", "holder_name"));
    return strcmp(kind, "self") != 0 && strcmp(kind, "none") != 0;
}

/* "; it had no owner for 1.2 ms" when that is known and belongs to what was just done. */
static void print_gap(const json_t *unit)
{
    const json_t *change = reply_get(unit, "last_change");
    double gap_ms = reply_real(change, "gap_ms", -1);

    if (gap_ms >= 0 && strcmp(reply_text(change, "to"), reply_text(unit, "holder")) == 0)
        printf("; it had no owner for %.1f ms", gap_ms);
    printf(".\n");
}

/* Sends the change of one unit; *answer is what the daemon said. */
static int change_unit(const struct ctl *ctl, const char *command, const char *unit, json_t **answer)
{
    json_t *request = client_request(ctl, command);

    json_object_set_new(request, "unit", json_string(unit));
    int code = client_ask(ctl, request, answer);

    if (code == EX_OK && ctl->json)
        client_print(*answer);
    return code;
}

int take_command(const struct ctl *ctl, int argc, char **argv)
{
    struct wait wait = {.ctl = ctl, .unit = argv[0]};
    json_t *answer;
    int code = change_unit(ctl, "take", argv[0], &answer);

    (void)argc;
    if (code == EX_OK && ctl->no_wait) {
        if (!ctl->json)
            printf("%s: pinned to this host from now on.\n", reply_text(answer, "address"));
    } else if (code == EX_OK) {
        code = wait_until(&wait, "explain", UNIT_WAIT_S, is_taken);
        if (code == EX_OK && !ctl->json) {
            printf("%s is held by this host and pinned to it, after %.1f s", reply_text(answer, "address"),
                   wait.waited_s);
            print_gap(waited_unit(&wait));
        } else if (code == EX_TEMPFAIL) {
            ctl_complain("%s is pinned to this host, but after %.0f s it is still %s", reply_text(answer, "address"),
                         wait.waited_s, wait.progress);
        }
    }
    json_decref(wait.answer);
    json_decref(answer);
    return code;
}

int release_command(const struct ctl *ctl, int argc, char **argv)
{
    struct wait wait = {.ctl = ctl, .unit = argv[0]};
    json_t *answer;
    int code = change_unit(ctl, "release", argv[0], &answer);

    (void)argc;
    if (code == EX_OK && ctl->no_wait) {
        if (!ctl->json)
            printf("%s: given away.\n", reply_text(answer, "address"));
    } else if (code == EX_OK) {
        code = wait_until(&wait, "explain", UNIT_WAIT_S, is_released);
        if (code == EX_OK && !ctl->json) {
            printf("%s is %s now, after %.1f s", reply_text(answer, "address"), wait.progress, wait.waited_s);
            print_gap(waited_unit(&wait));
        } else if (code == EX_TEMPFAIL) {
            ctl_complain("%s was released, but after %.0f s it is still %s", reply_text(answer, "address"),
                         wait.waited_s, wait.progress);
        }
    }
    json_decref(wait.answer);
    json_decref(answer);
    return code;
}

/* Units that this host holds, over all pools of an answer to "members". */
static int64_t own_load(const json_t *answer)
{
    json_t *pool, *member;
    int64_t load = 0;
    size_t i, j;

    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        json_array_foreach(reply_get(pool, "members"), j, member)
        {
            if (reply_bool(member, "self"))
                load += reply_int(member, "load");
        }
    }
    return load;
}

static bool is_drained(struct wait *wait)
{
    int64_t load = own_load(wait->answer);

    snprintf(wait->progress, sizeof(wait->progress), "%lld units still held here", (long long)load);
    return load == 0;
}

/* Sends a change of whole pools. Prints it for --json; says what was refused by the state of a pool. */
static int change_pools(const struct ctl *ctl, json_t *request, json_t **answer)
{
    json_t *pool;
    size_t i;
    int code = client_ask(ctl, request, answer);

    if (code != EX_OK)
        return code;
    if (ctl->json)
        return client_print(*answer);
    json_array_foreach(reply_get(*answer, "pools"), i, pool)
    {
        if (strcmp(reply_text(pool, "result"), "ok") != 0)
            printf("%s: %s\n", reply_text(pool, "name"), reply_text(pool, "text"));
    }
    return EX_OK;
}

/* True when at least one pool has somebody who could take what this host holds. */
static bool somebody_takes(const json_t *answer)
{
    json_t *pool;
    size_t i;

    json_array_foreach(reply_get(answer, "pools"), i, pool)
    {
        if (strcmp(reply_text(pool, "result"), "no_other_member") != 0)
            return true;
    }
    return false;
}

int drain_command(const struct ctl *ctl, int argc, char **argv)
{
    struct wait wait = {.ctl = ctl};
    json_t *request = client_request(ctl, "drain"), *answer;

    (void)argc, (void)argv;
    if (ctl->now)
        json_object_set_new(request, "now", json_true());
    int code = change_pools(ctl, request, &answer);

    if (code == EX_OK && !ctl->no_wait && somebody_takes(answer)) {
        code = wait_until(&wait, "members", DRAIN_WAIT_S, is_drained);
        if (code == EX_OK && !ctl->json)
            printf("This host is drained, after %.1f s: it holds nothing, and stays so until keelctl undrain.\n",
                   wait.waited_s);
        else if (code == EX_TEMPFAIL)
            ctl_complain("this host is marked as drained, but after %.0f s there are %s", wait.waited_s, wait.progress);
    } else if (code == EX_OK && !ctl->json) {
        printf("This host is marked as drained, until keelctl undrain.\n");
    }
    json_decref(wait.answer);
    json_decref(answer);
    return code;
}

int undrain_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = change_pools(ctl, client_request(ctl, "undrain"), &answer);

    (void)argc, (void)argv;
    if (code == EX_OK && !ctl->json)
        printf("This host takes its part again; units come back as rebalancing moves them.\n");
    json_decref(answer);
    return code;
}

int rebalance_command(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer;
    int code = change_pools(ctl, client_request(ctl, "rebalance"), &answer);

    (void)argc, (void)argv;
    if (code == EX_OK && !ctl->json)
        printf("The moves that are due are made without waiting; 'keelctl plan' shows them.\n");
    json_decref(answer);
    return code;
}
