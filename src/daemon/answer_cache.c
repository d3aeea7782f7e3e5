/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few places, searched one by one. Called by control.c. */
#include "daemon/answer_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct answer_text *answer_text_new(char *data, size_t length)
{
    struct answer_text *text = data != NULL ? malloc(sizeof(*text)) : NULL;

    if (text == NULL) {
        free(data);
        return NULL;
    }
    *text = (struct answer_text){.users = 1, .length = length, .data = data};
    return text;
}

struct answer_text *answer_text_use(struct answer_text *text)
{
    text->users++;
    return text;
}

void answer_text_leave(struct answer_text *text)
{
    if (text == NULL || --text->users > 0)
        return;
    free(text->data);
    free(text);
}

static bool is_fresh(const struct answer_place *place, struct mono now, uint64_t newest)
{
    return place->text != NULL && place->newest == newest && mono_diff_us(now, place->made) < ANSWER_FRESH_US;
}

struct answer_text *answer_cache_find(const struct answer_cache *cache, const char *request, size_t length,
                                      struct mono now, uint64_t newest)
{
    for (unsigned i = 0; i < ARRAY_LENGTH(cache->places); i++) {
        const struct answer_place *place = &cache->places[i];

        if (is_fresh(place, now, newest) && place->request_length == length &&
            memcmp(place->request, request, length) == 0)
            return answer_text_use(place->text);
    }
    return NULL;
}

void answer_cache_put(struct answer_cache *cache, const char *request, size_t length, struct mono now, uint64_t newest,
                      struct answer_text *text)
{
    struct answer_place *oldest = &cache->places[0];

    if (length > ANSWER_REQUEST_MAX)
        return;
    for (unsigned i = 1; i < ARRAY_LENGTH(cache->places) && oldest->text != NULL; i++) {
        struct answer_place *place = &cache->places[i];

        if (place->text == NULL || mono_after(oldest->made, place->made))
            oldest = place;
    }
    answer_text_leave(oldest->text);
    *oldest =
        (struct answer_place){.request_length = length, .made = now, .newest = newest, .text = answer_text_use(text)};
    memcpy(oldest->request, request, length);
}

void answer_cache_clear(struct answer_cache *cache)
{
    for (unsigned i = 0; i < ARRAY_LENGTH(cache->places); i++)
        answer_text_leave(cache->places[i].text);
    *cache = (struct answer_cache){0};
}
