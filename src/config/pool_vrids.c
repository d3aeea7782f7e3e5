/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which VRID a unit gets, and which addresses share one (vips_per_vrid). Stable: a line more or less does not change
 * what the others get, unless virtual_router_id asks for counting. Clashes are pool_check_units.c's. Called by
 * pool_units.c.
 */
#include <stdlib.h>
#include <string.h>

#include "config/pool_build.h"

/* --- packing --- */

struct packed {
    struct build_vip vip;
    const struct unit_words *words;
    unsigned position; /* in the file */
};

static int packed_compare(const void *a, const void *b)
{
    const struct packed *x = a, *y = b;

    if (x->vip.link != y->vip.link)
        return (int)x->vip.link - (int)y->vip.link;
    return addr_compare(&x->vip.address, &y->vip.address);
}

static uint32_t packed_low(const struct addr *address)
{
    const uint8_t *b = address->bytes + addr_length(address) - 4;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Same multiple of `per` in the last four bytes and the same in the rest: which addresses share is theirs alone to say.
 */
static bool packed_together(const struct packed *a, const struct packed *b, uint32_t per)
{
    size_t high = addr_length(&a->vip.address) - 4;

    return a->vip.address.family == b->vip.address.family && a->vip.link == b->vip.link &&
           memcmp(a->vip.address.bytes, b->vip.address.bytes, high) == 0 &&
           packed_low(&a->vip.address) / per == packed_low(&b->vip.address) / per;
}

static bool unit_is_packable(const struct build_unit *unit)
{
    for (unsigned i = ENTRY_VRID; i < ENTRY_KEYWORD_COUNT; i++)
        if (unit->words->options.given[i].file != NULL)
            return false;
    return !unit->words->group;
}

static int unit_position_compare(const void *a, const void *b)
{
    const struct build_unit *x = a, *y = b;

    return x->position < y->position ? -1 : x->position > y->position;
}

void pool_vrids_pack(struct build *build, struct build_pool *pool)
{
    struct packed *list = arena_array(build->arena, pool->unit_count, sizeof(*list));
    uint32_t per = (uint32_t)pool->words->vips_per_vrid;
    unsigned count = 0, units = 0;

    for (unsigned i = 0; i < pool->unit_count; i++) {
        if (unit_is_packable(&pool->units[i]))
            list[count++] = (struct packed){pool->units[i].vips[0], pool->units[i].words, pool->units[i].position};
        else
            pool->units[units++] = pool->units[i];
    }
    qsort(list, count, sizeof(*list), packed_compare);
    for (unsigned start = 0, end; start < count; start = end) {
        struct build_unit unit = {.words = list[start].words, .packed = true, .position = list[start].position};

        for (end = start; end < count && packed_together(&list[start], &list[end], per); end++)
            if (list[end].position < unit.position) {
                unit.position = list[end].position;
                unit.words = list[end].words;
            }
        unit.vip_count = end - start;
        unit.vips = arena_array(build->arena, unit.vip_count, sizeof(*unit.vips));
        for (unsigned i = 0; i < unit.vip_count; i++)
            unit.vips[i] = list[start + i].vip;
        pool->units[units++] = unit;
    }
    pool->unit_count = units;
    if (pool->words->virtual_router_id != 0)
        qsort(pool->units, units, sizeof(*pool->units), unit_position_compare);
}

/* --- VRIDs --- */

static uint8_t unit_default_vrid(const struct build_pool *pool, const struct build_unit *unit)
{
    for (unsigned i = 0; i < unit->vip_count; i++)
        if (unit->vips[i].link == pool->link && unit->vips[i].address.family == pool->family)
            return addr_last_byte(&unit->vips[i].address);
    return 0;
}

static void units_number_given(struct build *build, struct build_pool *pool)
{
    int64_t next = pool->words->virtual_router_id;

    for (unsigned i = 0; i < pool->unit_count; i++) {
        struct build_unit *unit = &pool->units[i];
        char quote[REPORT_QUOTE_MAX];

        if (unit->words->options.vrid != 0)
            unit->vrid = (uint8_t)unit->words->options.vrid;
        else if (pool->words->virtual_router_id == 0)
            unit->vrid = unit->packed ? 0 : unit_default_vrid(pool, unit);
        else if (next > 255) {
            report_error(build->report, unit->words->place,
                         "counting from virtual_router_id %d gives unit %s a VRID above 255; start lower",
                         (int)pool->words->virtual_router_id, report_quote(unit->vips[0].word.text, quote));
            pool->usable = false;
            return;
        } else
            unit->vrid = (uint8_t)next++;
    }
}

/* Packed units take the number of their block of addresses, or the next that is free; in the order of addresses. */
static void units_number_packed(struct build_pool *pool)
{
    bool used[256] = {[0] = true};
    unsigned free_count = 255;

    for (unsigned i = 0; i < pool->unit_count; i++)
        if (!used[pool->units[i].vrid]) {
            used[pool->units[i].vrid] = true;
            free_count--;
        }
    for (unsigned i = 0; i < pool->unit_count && free_count > 0; i++) {
        struct build_unit *unit = &pool->units[i];

        if (!unit->packed || unit->vrid != 0)
            continue;
        unsigned vrid = packed_low(&unit->vips[0].address) / (unsigned)pool->words->vips_per_vrid % 255 + 1;

        while (used[vrid])
            vrid = vrid % 255 + 1;
        used[vrid] = true;
        free_count--;
        unit->vrid = (uint8_t)vrid;
    }
}

void pool_vrids_number(struct build *build, struct build_pool *pool)
{
    units_number_given(build, pool);
    if (pool->usable)
        units_number_packed(pool);
}
