/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keelctl history --timeline and --svg: everything the daemon still knows, as one picture. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/client.h"
#include "ctl/record.h"
#include "ctl/record_svg.h"
#include "ctl/record_text.h"
#include "ctl/timeline.h"

#define PIECE 250 /* events in one answer */

/* All events that the daemon holds, oldest first; a daemon that notes while we ask is followed until we have caught up.
 */
static int ask_events(const struct ctl *ctl, json_t **entries)
{
    json_int_t after = 0;

    *entries = json_array();
    for (;;) {
        json_t *request = client_request(ctl, "events"), *answer;

        json_object_set_new(request, "after", json_integer(after));
        json_object_set_new(request, "limit", json_integer(PIECE));
        int code = client_ask(ctl, request, &answer);

        if (code != EX_OK)
            return code;
        json_array_extend(*entries, json_object_get(answer, "entries"));
        bool more = reply_int(answer, "last") > after && reply_int(answer, "last") < reply_int(answer, "newest");

        after = reply_int(answer, "last");
        json_decref(answer);
        if (!more)
            return EX_OK;
    }
}

/* The unit or instance that was named; the names belong to *answer. */
static int choose(const struct ctl *ctl, const char *unit, json_t **answer, struct record_choice *out)
{
    json_t *request = client_request(ctl, "explain");

    json_object_set_new(request, "unit", json_string(unit));
    int code = client_ask(ctl, request, answer);

    const json_t *instance = reply_get(*answer, "instance");

    if (instance != NULL)
        *out = (struct record_choice){.pool = reply_text(instance, "name"), .vrid = reply_int(instance, "vrid")};
    else
        *out = (struct record_choice){.pool = reply_text(*answer, "pool"),
                                      .vrid = reply_int(reply_get(*answer, "unit"), "vrid")};
    return code;
}

/* Only the newest --limit of them. */
static void cut(const struct ctl *ctl, json_t *entries)
{
    while (ctl->limit > 0 && json_array_size(entries) > (size_t)ctl->limit)
        json_array_remove(entries, 0);
}

static int write_svg(const char *path, const struct record *record)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int code = EX_OK;

    if (out == NULL) {
        ctl_complain("%s cannot be written: %s", path, strerror(errno));
        return EX_CANTCREAT;
    }
    if (!record_svg(out, record))
        code = EX_OSERR;
    if (ferror(out) != 0 || (out != stdout && fclose(out) != 0)) {
        ctl_complain("%s cannot be written: %s", path, strerror(errno));
        code = EX_IOERR;
    }
    return code;
}

static int show(const struct ctl *ctl, const json_t *status, const json_t *entries, const struct record_choice *only)
{
    struct record record;
    int code = EX_OK;

    if (!record_make(status, entries, only, &record)) {
        ctl_complain("out of memory");
        return EX_OSERR;
    }
    if (ctl->svg != NULL)
        code = write_svg(ctl->svg, &record);
    else
        record_text(stdout, &ctl->term, &record, ctl->all || only->pool != NULL);
    record_free(&record);
    return code;
}

int timeline_show(const struct ctl *ctl, const char *unit)
{
    json_t *status = NULL, *entries = NULL, *chosen = NULL;
    struct record_choice only = {.pool = NULL};

    if (ctl->json) {
        ctl_complain("--json does not go with --timeline and --svg; 'keelctl --json events' has what they are made of");
        return EX_USAGE;
    }
    int code = unit != NULL ? choose(ctl, unit, &chosen, &only) : EX_OK;

    if (code == EX_OK)
        code = ask_events(ctl, &entries);
    if (code == EX_OK)
        code = client_ask_all_pools(ctl, "status", &status);
    if (code == EX_OK) {
        cut(ctl, entries);
        code = show(ctl, status, entries, &only);
    }
    json_decref(status);
    json_decref(entries);
    json_decref(chosen);
    return code;
}
