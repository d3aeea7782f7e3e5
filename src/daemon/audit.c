/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose turn it is (see audit.h): a list of all addresses and a place in it. Called by background.c and intake.c. */
#include "daemon/audit.h"

#include <stdlib.h>

#include "base/check.h"

struct entry {
    uint8_t pool;
    uint16_t unit;
    uint16_t vip;
    struct mono asked; /* MONO_NEVER: not yet */
};

struct audit {
    struct mono next;
    unsigned count;
    unsigned cursor;
    struct entry entries[];
};

static unsigned count_vips(const struct config *config)
{
    unsigned count = 0;

    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            count += config->pools[p].units[u].vip_count;
    return count;
}

static void add_pool(struct audit *audit, const struct config *config, unsigned pool)
{
    for (unsigned u = 0; u < config->core.pools[pool].unit_count; u++)
        for (unsigned v = 0; v < config->pools[pool].units[u].vip_count; v++)
            audit->entries[audit->count++] = (struct entry){
                .pool = (uint8_t)pool,
                .unit = (uint16_t)u,
                .vip = (uint16_t)v,
                .asked = MONO_NEVER,
            };
}

struct audit *audit_new(const struct config *config, struct mono now)
{
    struct audit *audit = calloc(1, sizeof(*audit) + count_vips(config) * sizeof(audit->entries[0]));

    if (audit == NULL)
        return NULL;
    audit->next = mono_add(now, AUDIT_TURN_US);
    for (unsigned p = 0; p < settings_all_count(&config->core); p++)
        add_pool(audit, config, p);
    return audit;
}

void audit_free(struct audit *audit)
{
    free(audit);
}

static unsigned burst(const struct audit *audit, audit_holds *holds, void *context)
{
    unsigned held = 0;

    for (unsigned i = 0; i < audit->count; i++)
        held += holds(context, audit->entries[i].pool, audit->entries[i].unit);
    unsigned wanted = (held + AUDIT_ROUND_TURNS - 1) / AUDIT_ROUND_TURNS;

    return wanted < AUDIT_BURST_MAX ? wanted : AUDIT_BURST_MAX;
}

static bool is_due(const struct entry *entry, struct mono now)
{
    return mono_is_never(entry->asked) || mono_diff_us(now, entry->asked) >= (AUDIT_ROUND_TURNS - 1) * AUDIT_TURN_US;
}

struct mono audit_run(struct audit *audit, struct mono now, audit_holds *holds, audit_ask *ask, void *context)
{
    if (!mono_due(now, audit->next))
        return audit->next;
    bool late = mono_diff_us(now, audit->next) > AUDIT_TURN_US;

    audit->next = mono_add(now, AUDIT_TURN_US);
    if (late) /* a host that slept listens first */
        return audit->next;
    unsigned left = burst(audit, holds, context);

    for (unsigned i = 0; i < audit->count && left > 0; i++) {
        struct entry *entry = &audit->entries[audit->cursor];

        audit->cursor = (audit->cursor + 1) % audit->count;
        if (!is_due(entry, now) || !holds(context, entry->pool, entry->unit))
            continue;
        entry->asked = now;
        ask(context, entry->pool, entry->unit, entry->vip);
        left--;
    }
    return audit->next;
}

bool audit_asked(const struct audit *audit, unsigned number, struct mono received)
{
    CHECK(number < audit->count);
    struct mono asked = audit->entries[number].asked;

    return !mono_is_never(asked) && !mono_after(asked, received) && mono_diff_us(received, asked) <= AUDIT_ANSWER_US;
}
