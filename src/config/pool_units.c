/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units of one pool: which addresses they hold, in which order, and the pool's family. None of it depends on the
 * order of lines. VRIDs are pool_vrids.c's. Called by pool_build.c.
 */
#include <stdlib.h>
#include <string.h>

#include "config/pool_build.h"

/* --- addresses --- */

static int unit_vip_compare(const void *a, const void *b)
{
    const struct build_vip *x = a, *y = b;
    int order = addr_compare(&x->address, &y->address);

    return order != 0 ? order : (int)x->link - (int)y->link;
}

static int unit_chunk_compare(const void *a, const void *b)
{
    return unit_vip_compare(*(struct build_vip *const *)a, *(struct build_vip *const *)b);
}

/*
 * Within a line the written order counts, so that an operator can say which address is the first; the lines of a group
 * are ordered by their first addresses.
 */
static void unit_sort_lines(struct build *build, struct build_unit *unit)
{
    struct build_vip **lines = arena_array(build->arena, unit->vip_count, sizeof(struct build_vip *));
    struct build_vip *sorted = arena_array(build->arena, unit->vip_count, sizeof(*sorted));
    struct build_vip *end = unit->vips + unit->vip_count;
    unsigned line_count = 0, count = 0;

    for (struct build_vip *vip = unit->vips; vip < end; vip++)
        if (vip == unit->vips || vip[-1].chunk != vip->chunk)
            lines[line_count++] = vip;
    qsort(lines, line_count, sizeof(struct build_vip *), unit_chunk_compare);
    for (unsigned i = 0; i < line_count; i++)
        for (struct build_vip *vip = lines[i]; vip < end && vip->chunk == lines[i]->chunk; vip++)
            sorted[count++] = *vip;
    unit->vips = sorted;
}

static bool unit_collect(struct build *build, const struct build_pool *pool, const struct unit_words *words,
                         struct build_unit *unit)
{
    *unit = (struct build_unit){.words = words, .position = pool->unit_count};
    if (words->vip_count == 0) {
        report_error(build->report, words->place, "this group holds no address");
        return false;
    }
    unit->vips = arena_array(build->arena, words->vip_count, sizeof(*unit->vips));
    for (const struct vip_words *vip = words->vips; vip != NULL; vip = vip->next) {
        struct build_vip *out = &unit->vips[unit->vip_count++];

        *out = (struct build_vip){.address = vip->address,
                                  .prefix_length = vip->prefix_length,
                                  .link = pool->link,
                                  .chunk = vip->chunk,
                                  .word = vip->word};
        if (vip->device.text != NULL && !pool_links_find(build, vip->device.text, &out->link))
            return false; /* reported when the links were collected */
    }
    if (unit->vip_count > 1)
        unit_sort_lines(build, unit);
    return true;
}

/* --- family --- */

static bool unit_has_family(const struct build_pool *pool, const struct build_unit *unit, uint8_t family)
{
    for (unsigned i = 0; i < unit->vip_count; i++)
        if (unit->vips[i].link == pool->link && unit->vips[i].address.family == family)
            return true;
    return false;
}

static const struct build_unit *units_without(const struct build_pool *pool, uint8_t family)
{
    for (unsigned i = 0; i < pool->unit_count; i++)
        if (!unit_has_family(pool, &pool->units[i], family))
            return &pool->units[i];
    return NULL;
}

/* The first unit that has neither family on the pool's link. */
static const struct build_unit *units_elsewhere(const struct build_pool *pool)
{
    for (unsigned i = 0; i < pool->unit_count; i++)
        if (!unit_has_family(pool, &pool->units[i], FAMILY_IPV4) &&
            !unit_has_family(pool, &pool->units[i], FAMILY_IPV6))
            return &pool->units[i];
    return NULL;
}

static bool units_choose_family(struct build *build, struct build_pool *pool)
{
    const struct build_unit *no_ipv4 = units_without(pool, FAMILY_IPV4), *no_ipv6 = units_without(pool, FAMILY_IPV6);
    const struct build_unit *elsewhere = units_elsewhere(pool);
    const char *interface = pool->words->interface.text;
    char quote4[REPORT_QUOTE_MAX], quote6[REPORT_QUOTE_MAX];

    pool->family = no_ipv4 == NULL ? FAMILY_IPV4 : FAMILY_IPV6;
    if (no_ipv4 == NULL || no_ipv6 == NULL)
        return true;
    if (elsewhere != NULL)
        report_error(build->report, elsewhere->words->place, "unit %s has no address on the pool's interface %s",
                     report_quote(elsewhere->vips[0].word.text, quote4), interface);
    else
        report_error(build->report, no_ipv4->words->place,
                     "the units of a pool must all have an IPv4 address, or all an IPv6 address, on its interface %s: "
                     "unit %s has "
                     "no IPv4 there, unit %s at %s:%u no IPv6",
                     interface, report_quote(no_ipv4->vips[0].word.text, quote4),
                     report_quote(no_ipv6->vips[0].word.text, quote6), no_ipv6->words->place.file,
                     no_ipv6->words->place.line);
    return false;
}

/* --- what is advertised --- */

/* Brings the first link-local address to the front, or adds that of the virtual MAC (RFC 9568 5.2.9). */
static void unit_lead_with_link_local(struct build *build, const struct build_pool *pool, struct build_unit *unit)
{
    unsigned at = 0;

    while (at < unit->vip_count && (unit->vips[at].link != pool->link || !addr_is_link_local(&unit->vips[at].address)))
        at++;
    bool found = at < unit->vip_count;
    struct build_vip *vips = arena_array(build->arena, unit->vip_count + 1, sizeof(*vips));

    vips[0] = found ? unit->vips[at]
                    : (struct build_vip){
                          .address = addr_virtual_link_local(unit->vrid),
                          .prefix_length = 64,
                          .link = pool->link,
                          .added = true,
                          .word = unit->vips[0].word,
                      };
    for (unsigned i = 0, out = 1; i < unit->vip_count; i++)
        if (i != at)
            vips[out++] = unit->vips[i];
    unit->vips = vips;
    unit->vip_count += !found;
}

static void unit_count_advertised(struct build *build, struct build_pool *pool, struct build_unit *unit)
{
    unsigned most = pool->family == FAMILY_IPV6 ? WIRE_IPV6_ADDRESSES_MAX : VRRP_ADDRESSES_MAX;
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < unit->vip_count; i++)
        unit->advertised += unit->vips[i].link == pool->link && unit->vips[i].address.family == pool->family;
    if (unit->advertised <= most)
        return;
    report_error(
        build->report, unit->words->place,
        "unit %s has %u addresses to advertise, but at most %u fit one advertisement; make several units of it",
        report_quote(unit->vips[0].word.text, quote), unit->advertised, most);
    pool->usable = false;
}

static bool units_fit(struct build *build, const struct build_pool *pool)
{
    unsigned per = (unsigned)pool->words->vips_per_vrid, count = pool->unit_count;
    struct place place = pool->words->given[POOL_VIRTUAL_IPADDRESS];

    if (count <= PLAN_UNITS_MAX)
        return true;
    if (per == 1)
        report_error(build->report, place,
                     "%u units, but a pool can have only %d; let addresses share a VRID with "
                     "\"vips_per_vrid %u\", or put them into groups",
                     count, PLAN_UNITS_MAX, (count + PLAN_UNITS_MAX - 1) / PLAN_UNITS_MAX);
    else
        report_error(build->report, place,
                     "%u units even with vips_per_vrid %u, but a pool can have only %d; raise vips_per_vrid, "
                     "or put addresses into groups",
                     count, per, PLAN_UNITS_MAX);
    return false;
}

void pool_units_make(struct build *build, struct build_pool *pool)
{
    pool->units = arena_array(build->arena, pool->words->unit_count, sizeof(*pool->units));
    for (const struct unit_words *words = pool->words->units; words != NULL; words = words->next) {
        if (unit_collect(build, pool, words, &pool->units[pool->unit_count]))
            pool->unit_count++;
        else
            pool->usable = false;
    }
    if (pool->unit_count == 0 || !pool->usable)
        return;
    pool->usable = units_choose_family(build, pool);
    if (pool->usable && pool->words->vips_per_vrid > 1)
        pool_vrids_pack(build, pool);
    pool->usable = pool->usable && units_fit(build, pool);
    if (!pool->usable)
        return;
    pool_vrids_number(build, pool);
    if (!pool->usable)
        return;
    for (unsigned i = 0; i < pool->unit_count; i++) {
        if (pool->family == FAMILY_IPV6)
            unit_lead_with_link_local(build, pool, &pool->units[i]);
        unit_count_advertised(build, pool, &pool->units[i]);
    }
}
