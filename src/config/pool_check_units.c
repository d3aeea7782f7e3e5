/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must not occur twice: a VRID on one interface and family, an address anywhere. Both messages name both places.
 * Called by pool_build.c once all pools have their units.
 */
#include <stdlib.h>
#include <string.h>

#include "config/pool_build.h"

struct claim {
    const struct build_pool *pool;
    const struct build_unit *unit;
    const struct build_vip *vip; /* of address claims */
    const struct word *word;     /* to name it by */
};

static int place_compare(const struct place *a, const struct place *b)
{
    int order = strcmp(a->file, b->file);

    if (order != 0)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* --- VRIDs --- */

static int claim_vrid_compare(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;

    if (x->pool->link != y->pool->link)
        return x->pool->link < y->pool->link ? -1 : 1;
    if (x->pool->family != y->pool->family)
        return x->pool->family < y->pool->family ? -1 : 1;
    if (x->unit->vrid != y->unit->vrid)
        return x->unit->vrid < y->unit->vrid ? -1 : 1;
    return place_compare(&x->word->place, &y->word->place);
}

static bool claim_same_wire(const struct claim *a, const struct claim *b)
{
    return a->pool->link == b->pool->link && a->pool->family == b->pool->family;
}

/* The smallest VRID that is not in use, and marks it as used, so that each message proposes another; 0: there is none.
 */
static unsigned claim_free_vrid(bool used[static 256])
{
    for (unsigned vrid = 1; vrid < 256; vrid++)
        if (!used[vrid]) {
            used[vrid] = true;
            return vrid;
        }
    return 0;
}

static void check_vrid(struct build *build, const struct claim *claim, const struct claim *first, bool used[static 256])
{
    char quote[REPORT_QUOTE_MAX], first_quote[REPORT_QUOTE_MAX];
    unsigned free_vrid = claim_free_vrid(used);

    report_quote(claim->word->text, quote);
    if (claim->unit->vrid == 0)
        report_error(build->report, claim->word->place,
                     "unit %s has no VRID, since its first address ends in 0; give it one: "
                     "\"vrid %u\" is free",
                     quote, free_vrid);
    else
        report_error(build->report, claim->word->place,
                     "unit %s has VRID %u, and so has unit %s at %s:%u; give one of them another: "
                     "\"vrid %u\" is free",
                     quote, claim->unit->vrid, report_quote(first->word->text, first_quote), first->word->place.file,
                     first->word->place.line, free_vrid);
}

/* The same address written twice is reported as that, see check_vips. */
static bool claim_same_first(const struct claim *a, const struct claim *b)
{
    return a->unit->words->options.vrid == 0 && b->unit->words->options.vrid == 0 &&
           addr_equal(&a->unit->words->vips->address, &b->unit->words->vips->address);
}

static void check_vrids(struct build *build, const struct claim *list, unsigned count)
{
    for (unsigned start = 0, end; start < count; start = end) {
        bool used[256] = {[0] = true};
        unsigned first = start;

        for (end = start; end < count && claim_same_wire(&list[start], &list[end]); end++)
            used[list[end].unit->vrid] = true;
        for (unsigned i = start; i < end; i++) {
            if (i == start || list[i].unit->vrid != list[first].unit->vrid)
                first = i;
            if (list[i].unit->vrid == 0 || (i != first && !claim_same_first(&list[i], &list[first])))
                check_vrid(build, &list[i], &list[first], used);
        }
    }
}

static const struct build_unit *claim_holder(const struct claim *list, unsigned count, const struct build_pool *pool,
                                             unsigned vrid)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].pool->link == pool->link && list[i].pool->family == pool->family && list[i].unit->vrid == vrid)
            return list[i].unit;
    return NULL;
}

static void check_member_vrids(struct build *build, const struct claim *list, unsigned count)
{
    for (unsigned p = 0; p < build->pool_count; p++) {
        const struct build_pool *pool = &build->pools[p];
        const struct build_unit *unit = pool->usable && pool->words->member_router_id != 0
                                            ? claim_holder(list, count, pool, (unsigned)pool->words->member_router_id)
                                            : NULL;
        char quote[REPORT_QUOTE_MAX];

        if (unit != NULL)
            report_error(build->report, pool->words->given[POOL_MEMBER_ROUTER_ID],
                         "member_router_id %u is the VRID of unit %s at %s:%u; expected one that no unit has",
                         unit->vrid, report_quote(unit->vips[0].word.text, quote), unit->words->place.file,
                         unit->words->place.line);
    }
}

/* --- addresses --- */

static int claim_vip_compare(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = addr_compare(&x->vip->address, &y->vip->address);

    /* The same link-local address may live on two interfaces. */
    if (order == 0 && addr_is_link_local(&x->vip->address))
        order = (int)x->vip->link - (int)y->vip->link;
    return order != 0 ? order : place_compare(&x->word->place, &y->word->place);
}

static bool claim_same_vip(const struct claim *a, const struct claim *b)
{
    return addr_equal(&a->vip->address, &b->vip->address) &&
           (!addr_is_link_local(&a->vip->address) || a->vip->link == b->vip->link);
}

static void check_vips(struct build *build, struct claim *list, unsigned count)
{
    char text[ADDR_TEXT_MAX];

    qsort(list, count, sizeof(*list), claim_vip_compare);
    for (unsigned i = 1; i < count; i++) {
        const struct claim *first = &list[i - 1], *second = &list[i];

        if (!claim_same_vip(first, second))
            continue;
        /* An added address that occurs twice follows from a VRID that does. */
        if (first->vip->added && second->vip->added)
            continue;
        addr_format(&second->vip->address, text);
        report_error(build->report, second->word->place, "address %s occurs twice; the first is at %s:%u", text,
                     first->word->place.file, first->word->place.line);
    }
}

void pool_check_units(struct build *build)
{
    unsigned unit_count = 0, vip_count = 0, units = 0, vips = 0;

    for (unsigned p = 0; p < build->pool_count; p++)
        for (unsigned u = 0; u < build->pools[p].unit_count; u++) {
            unit_count++;
            vip_count += build->pools[p].units[u].vip_count;
        }
    struct claim *by_vrid = arena_array(build->arena, unit_count, sizeof(*by_vrid));
    struct claim *by_vip = arena_array(build->arena, vip_count, sizeof(*by_vip));

    for (unsigned p = 0; p < build->pool_count; p++) {
        const struct build_pool *pool = &build->pools[p];

        for (unsigned u = 0; u < pool->unit_count; u++) {
            const struct build_unit *unit = &pool->units[u];

            for (unsigned v = 0; v < unit->vip_count; v++)
                by_vip[vips++] = (struct claim){pool, unit, &unit->vips[v], &unit->vips[v].word};
            if (pool->usable)
                by_vrid[units++] = (struct claim){pool, unit, NULL, &unit->vips[0].word};
        }
    }
    qsort(by_vrid, units, sizeof(*by_vrid), claim_vrid_compare);
    check_vrids(build, by_vrid, units);
    check_member_vrids(build, by_vrid, units);
    check_vips(build, by_vip, vips);
}
