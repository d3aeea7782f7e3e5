/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of answers as plain values. Keeps nothing; what it returns lives as long as the answer. */
#include "ctl/reply.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"

#define DATE_LENGTH 11 /* of "2026-01-31T" */

const char *reply_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

int64_t reply_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

double reply_real(const json_t *object, const char *key, double missing)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : missing;
}

bool reply_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool reply_is_null(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value == NULL || json_is_null(value);
}

const json_t *reply_get(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

const char *reply_member(const json_t *object, const char *address_key, const char *name_key)
{
    const char *name = reply_text(object, name_key), *address = reply_text(object, address_key);

    return *name != '\0' ? name : *address != '\0' ? address : "-";
}

bool reply_is_link_local(const char *text)
{
    struct addr address;

    return addr_parse(text, &address) && addr_is_link_local(&address);
}

double reply_seconds(const char *text)
{
    struct tm tm = {0};
    double seconds;

    if (sscanf(text, "%d-%d-%dT%d:%d:%lfZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &seconds) !=
        6)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (double)timegm(&tm) + seconds;
}

double reply_age_s(const json_t *answer, const json_t *object, const char *key)
{
    double now = reply_seconds(reply_text(answer, "time")), then = reply_seconds(reply_text(object, key));

    if (now < 0 || then < 0)
        return -1;
    return now > then ? now - then : 0;
}

const char *reply_short_time(const json_t *answer, const char *time)
{
    const char *now = reply_text(answer, "time");

    return strlen(time) > DATE_LENGTH && strncmp(time, now, DATE_LENGTH) == 0 ? time + DATE_LENGTH : time;
}

const char *reply_duration(double seconds, char text[static REPLY_DURATION_MAX])
{
    if (seconds < 0)
        snprintf(text, REPLY_DURATION_MAX, "-");
    else if (seconds < 120)
        snprintf(text, REPLY_DURATION_MAX, "%.1f s", seconds);
    else if (seconds < 7200)
        snprintf(text, REPLY_DURATION_MAX, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, REPLY_DURATION_MAX, "%.1f h", seconds / 3600);
    else
        snprintf(text, REPLY_DURATION_MAX, "%.0f d", seconds / 86400);
    return text;
}
