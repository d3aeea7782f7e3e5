/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See page.h. The page itself is page.html, page.css and page.js, put together and made a C string when building. */
#include "exporter/page.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NONCE_MARK "@NONCE@"
#define REAL_DIGITS 12

static const char page[] =
#include "page_text.h"
    ;

char *page_html(const char *nonce, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    if (out == NULL)
        return NULL;
    for (const char *rest = page, *mark; *rest != '\0';) {
        mark = strstr(rest, NONCE_MARK);
        if (mark == NULL) {
            fputs(rest, out);
            break;
        }
        fwrite(rest, 1, (size_t)(mark - rest), out);
        fputs(nonce, out);
        rest = mark + strlen(NONCE_MARK);
    }
    return fclose(out) == 0 ? text : NULL;
}

char *page_json(const char *version, const struct json_t *status, const struct json_t *events, const char *error,
                size_t *length)
{
    json_t *root = json_pack("{s:b, s:s?, s:s, s:O?, s:O?}", "up", status != NULL, "error", error, "exporter", version,
                             "status", status, "events", json_object_get(events, "entries"));
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));

    json_decref(root);
    *length = text != NULL ? strlen(text) : 0;
    return text;
}
