/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page that people look at, and the JSON that it fetches. */
#ifndef EVENKEEL_EXPORTER_PAGE_H
#define EVENKEEL_EXPORTER_PAGE_H

#include <stddef.h>

struct json_t; /* jansson's */

/* The page with its scripts and styles marked by `nonce`; to be freed. NULL: no memory. */
char *page_html(const char *nonce, size_t *length);

/*
 * {"up", "error", "exporter", "status", "events"}: the daemon's answers as they came, or, with both of them NULL, the
 * `error` why there are none. To be freed. NULL: no memory.
 */
char *page_json(const char *version, const struct json_t *status, const struct json_t *events, const char *error,
                size_t *length);

#endif
