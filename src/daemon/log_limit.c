/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small table of kinds; looking through all of it is cheaper than anything a message costs afterwards. Called by
 * log.c. */
#include "daemon/log_limit.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

/* The kind's entry, else a free one, else the one whose window ends first. */
static struct log_limit_entry *find_entry(struct log_limit *limit, uint64_t kind)
{
    struct log_limit_entry *best = &limit->entries[0];

    for (unsigned i = 0; i < ARRAY_LENGTH(limit->entries); i++) {
        struct log_limit_entry *entry = &limit->entries[i];

        if (entry->kind == kind)
            return entry;
        if (best->kind != 0 && (entry->kind == 0 || mono_after(best->window_end, entry->window_end)))
            best = entry;
    }
    return best;
}

static void hold(struct log_limit_entry *entry, enum log_level level, const char *message)
{
    entry->report.held++;
    entry->report.level = level;
    snprintf(entry->report.sample, sizeof(entry->report.sample), "%.*s", LOG_LIMIT_SAMPLE - 1, message);
}

bool log_limit_take(struct log_limit *limit, uint64_t kind, enum log_level level, const char *message, struct mono now,
                    struct log_limit_report *report)
{
    struct log_limit_entry *entry = find_entry(limit, kind);

    report->held = 0;
    if (entry->kind != kind || mono_due(now, entry->window_end)) {
        *report = entry->report;
        *entry = (struct log_limit_entry){.kind = kind, .window_end = mono_add(now, LOG_WINDOW_US)};
    }
    if (entry->written < LOG_BURST) {
        entry->written++;
        return true;
    }
    hold(entry, level, message);
    return false;
}

bool log_limit_expire(struct log_limit *limit, struct mono now, struct log_limit_report *report)
{
    for (unsigned i = 0; i < ARRAY_LENGTH(limit->entries); i++) {
        struct log_limit_entry *entry = &limit->entries[i];

        if (entry->report.held == 0 || !mono_due(now, entry->window_end))
            continue;
        *report = entry->report;
        *entry = (struct log_limit_entry){.kind = 0};
        return true;
    }
    return false;
}

struct mono log_limit_deadline(const struct log_limit *limit)
{
    struct mono deadline = MONO_NEVER;

    for (unsigned i = 0; i < ARRAY_LENGTH(limit->entries); i++)
        if (limit->entries[i].report.held > 0)
            deadline = mono_min(deadline, limit->entries[i].window_end);
    return deadline;
}
