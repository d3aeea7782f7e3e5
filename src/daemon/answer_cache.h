/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that are sent more than once: a program that asks for the status a hundred times a second gets the same text
 * for ANSWER_FRESH_US, unless something was noted meanwhile. Which answers may be is request_json.c's to say. Texts are
 * counted, so that slow readers keep theirs. Pure but for memory; used by control.c only.
 */
#ifndef EVENKEEL_DAEMON_ANSWER_CACHE_H
#define EVENKEEL_DAEMON_ANSWER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mono.h"

#define ANSWER_FRESH_US (200 * (int64_t)US_PER_MS)
#define ANSWER_CACHE_PLACES 4
#define ANSWER_REQUEST_MAX 128 /* longer requests are not remembered */

/* An answer's line with its newline. */
struct answer_text {
    unsigned users;
    size_t length;
    char *data;
};

/* Takes `data` (from malloc) over, also when it returns NULL: no memory, or `data` was NULL. One user: the caller. */
struct answer_text *answer_text_new(char *data, size_t length);
struct answer_text *answer_text_use(struct answer_text *text);
void answer_text_leave(struct answer_text *text); /* NULL is allowed */

struct answer_place {
    char request[ANSWER_REQUEST_MAX];
    size_t request_length;
    struct mono made;
    uint64_t newest;          /* of the history, when it was made */
    struct answer_text *text; /* NULL: free */
};

/* Zeroed is empty. */
struct answer_cache {
    struct answer_place places[ANSWER_CACHE_PLACES];
};

/* The text that answers this very request still, with one user more; NULL: it has to be made. */
struct answer_text *answer_cache_find(const struct answer_cache *cache, const char *request, size_t length,
                                      struct mono now, uint64_t newest);
/* Remembers it, in the place of the oldest. */
void answer_cache_put(struct answer_cache *cache, const char *request, size_t length, struct mono now, uint64_t newest,
                      struct answer_text *text);
void answer_cache_clear(struct answer_cache *cache);

#endif
