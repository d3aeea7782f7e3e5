/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of what dialect.h lists. */
#include "daemon/dialect.h"

#include <string.h>

#include "base/check.h"

static const char *const names[] = {
    [DAEMON_DUMP_DATA] = "data", [DAEMON_DUMP_STATS] = "stats", [DAEMON_DUMP_JSON] = "json"};
_Static_assert(ARRAY_LENGTH(names) == DAEMON_DUMP_COUNT, "a name for each");

const char *daemon_dump_name(enum daemon_dump dump)
{
    CHECK(dump < DAEMON_DUMP_COUNT);
    return names[dump];
}

enum daemon_dump daemon_dump_find(const char *name)
{
    unsigned dump = 0;

    while (dump < DAEMON_DUMP_COUNT && strcmp(names[dump], name) != 0)
        dump++;
    return (enum daemon_dump)dump;
}
