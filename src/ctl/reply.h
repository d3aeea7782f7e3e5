/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the daemon's answers: fields that are missing or of another type read as empty, 0 or false, so that keelctl
 * works with a daemon that is a little older or newer. The one header of keelctl that brings in jansson.
 */
#ifndef EVENKEEL_CTL_REPLY_H
#define EVENKEEL_CTL_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REPLY_DURATION_MAX 24

const char *reply_text(const json_t *object, const char *key); /* "" when missing or null */
int64_t reply_int(const json_t *object, const char *key);
double reply_real(const json_t *object, const char *key, double missing);
bool reply_bool(const json_t *object, const char *key);
bool reply_is_null(const json_t *object, const char *key); /* or missing */
/* An array or object field, borrowed; NULL when missing, which json_array_foreach takes as empty. */
const json_t *reply_get(const json_t *object, const char *key);

/* "alpha", else "10.0.0.1", else "-". */
const char *reply_member(const json_t *object, const char *address_key, const char *name_key);

/* Whether it is an address that means something on its link only. */
bool reply_is_link_local(const char *text);

/* Seconds since 1970 of "2026-01-31T12:34:56.789Z"; negative when it is no such time. */
double reply_seconds(const char *text);
/* Seconds from the RFC 3339 time in `key` to the answer's own "time"; negative when either is missing. */
double reply_age_s(const json_t *answer, const json_t *object, const char *key);
/* "2026-01-31T12:34:56.789Z", or its part behind the date when the answer is of that day: a part of `time`. */
const char *reply_short_time(const json_t *answer, const char *time);
/* "12.3 s", "4 min", "5.1 h", "3 d"; "-" when negative. */
const char *reply_duration(double seconds, char text[static REPLY_DURATION_MAX]);

#endif
