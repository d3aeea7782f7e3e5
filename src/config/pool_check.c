/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no single row of the keyword table can say: values that depend on each other, and pools that share a wire.
 * Called by pool_build.c.
 */
#include <string.h>

#include "base/mono.h"
#include "config/pool_build.h"

static void check_name(struct build *build, const struct pool_words *words)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const char *name = words->name.text;
    char quote[REPORT_QUOTE_MAX];

    /* The name becomes part of an nftables table's, which people type. */
    if (name[0] == '\0' || strlen(name) >= SETTINGS_NAME_MAX || name[strspn(name, letters)] != '\0')
        report_error(build->report, words->name.place, "%s cannot be a pool's name (1 to %d letters, digits, or . _ -)",
                     report_quote(name, quote), SETTINGS_NAME_MAX - 1);
}

int64_t pool_member_interval_us(const struct pool_words *words)
{
    bool given = words->given[POOL_MEMBER_ADVERT_INT].file != NULL;

    return given || words->member_advert_int_us < words->advert_int_us ? words->member_advert_int_us
                                                                       : words->advert_int_us;
}

static void check_version(struct build *build, const struct build_pool *pool)
{
    const struct pool_words *words = pool->words;
    char text[32];

    keyword_seconds(words->advert_int_us, text);
    if (words->version == 3 && words->advert_int_us > 40950 * US_PER_MS)
        report_error(build->report, words->given[POOL_ADVERT_INT],
                     "advert_int \"%s\" is out of range; expected 0.01..40.95 s in "
                     "version 3",
                     text);
    if (words->version == 2 && words->advert_int_us % US_PER_S != 0)
        report_error(build->report, words->given[POOL_ADVERT_INT],
                     "advert_int \"%s\" needs version 3; expected whole seconds, 1..255 "
                     "s, in version 2",
                     text);
    if (pool_member_interval_us(words) > words->advert_int_us)
        report_error(build->report, words->given[POOL_MEMBER_ADVERT_INT],
                     "member_advert_int is longer than advert_int (%s s): an address could be taken over while its old "
                     "holder may still answer",
                     text);
    if (words->version == 2 && words->checksum == WIRE_CHECKSUM_PSEUDO)
        report_error(build->report, words->given[POOL_CHECKSUM],
                     "checksum pseudo needs version 3; version 2 has no pseudo header");
    if (!pool->usable || pool->family != FAMILY_IPV6)
        return;
    if (words->version == 2)
        report_error(build->report, words->given[POOL_VERSION],
                     "version 2 has no IPv6, and the pool's family is IPv6; expected "
                     "version 3");
    if (words->checksum == WIRE_CHECKSUM_PLAIN)
        report_error(build->report, words->given[POOL_CHECKSUM],
                     "checksum plain is for IPv4, and the pool's family is IPv6, which "
                     "always has a pseudo header");
}

static void check_target(struct build *build, const struct word *word)
{
    char quote[REPORT_QUOTE_MAX];
    struct addr address;
    const char *fault;

    if (!addr_parse(word->text, &address)) {
        report_error(build->report, word->place,
                     "isolation_targets %s is not an address; expected addresses, or none alone",
                     report_quote(word->text, quote));
        return;
    }
    fault = pool_address_fault(&address);
    if (fault != NULL)
        report_error(build->report, word->place, "isolation_targets %s %s", report_quote(word->text, quote), fault);
    for (unsigned p = 0; p < build->pool_count; p++)
        for (unsigned u = 0; u < build->pools[p].unit_count; u++)
            for (unsigned v = 0; v < build->pools[p].units[u].vip_count; v++)
                if (addr_equal(&build->pools[p].units[u].vips[v].address, &address)) {
                    report_error(build->report, word->place,
                                 "isolation_targets %s is one of the pool's own addresses; expected a "
                                 "third party",
                                 report_quote(word->text, quote));
                    return;
                }
}

void pool_check_values(struct build *build, const struct build_pool *pool)
{
    const struct pool_words *words = pool->words;
    const struct word_list *targets = &words->isolation_targets;

    check_name(build, words);
    check_version(build, pool);
    if (words->address_mode == ADDRESS_RESIDENT && words->arp_filter == FILTER_OFF)
        report_error(build->report, words->given[POOL_ADDRESS_MODE],
                     "address_mode resident needs arp_filter auto, on or lease: with "
                     "off, all hosts would answer for all addresses");
    if (targets->count == 1 && strcmp(targets->words[0].text, "none") == 0)
        return;
    for (unsigned i = 0; i < targets->count; i++)
        check_target(build, &targets->words[i]);
}

/* The later of the two in the file is to blame. */
static const struct pool_words *check_later(const struct pool_words *a, const struct pool_words *b)
{
    for (const struct pool_words *p = a; p != NULL; p = p->next)
        if (p == b)
            return b;
    return a;
}

/* Members are known by their addresses alone, so all pools of a wire see the same members with the same shares. */
static void check_same(struct build *build, const struct build_pool *a, const struct build_pool *b, const char *keyword,
                       enum pool_keyword row, bool same)
{
    const struct pool_words *later = check_later(a->words, b->words);
    const struct pool_words *first = later == a->words ? b->words : a->words;

    if (same)
        return;
    report_error(build->report, later->given[row].file != NULL ? later->given[row] : later->place,
                 "pools %s and %s (%s:%u) share interface %s and a family, so they must have the same %s",
                 later->name.text, first->name.text, first->place.file, first->place.line, later->interface.text,
                 keyword);
}

/* Of the 255 VRIDs of an interface and family, one must be left for the hosts' own virtual router. */
static void check_vrid_left(struct build *build, const struct build_pool *last)
{
    unsigned count = 0;

    for (const struct build_pool *p = build->pools; p <= last; p++)
        if (p->usable && p->link == last->link && p->family == last->family)
            count += p->unit_count;
    if (last->usable && count > PLAN_UNITS_MAX - 1 && count - last->unit_count <= PLAN_UNITS_MAX - 1)
        report_error(build->report, last->words->place,
                     "%u units on one interface leave no VRID for the members' own advertisements; expected at most "
                     "%d: move some together with { } or vips_per_vrid",
                     count, PLAN_UNITS_MAX - 1);
}

void pool_check_pools(struct build *build)
{
    for (unsigned i = 0; i < build->pool_count; i++)
        check_vrid_left(build, &build->pools[i]);
    for (unsigned i = 0; i < build->pool_count; i++)
        for (unsigned j = i + 1; j < build->pool_count; j++) {
            const struct build_pool *a = &build->pools[i], *b = &build->pools[j];
            const struct pool_words *x = a->words, *y = b->words;

            if (strcmp(x->name.text, y->name.text) == 0) {
                const struct pool_words *later = check_later(x, y), *first = later == x ? y : x;

                report_error(build->report, later->name.place, "pool %s is defined twice; the first is at %s:%u",
                             later->name.text, first->place.file, first->place.line);
            } else if (a->usable && b->usable && a->link == b->link && a->family == b->family) {
                check_same(build, a, b, "priority", POOL_PRIORITY, x->priority == y->priority);
                check_same(build, a, b, "member_advert_int", POOL_MEMBER_ADVERT_INT,
                           pool_member_interval_us(x) == pool_member_interval_us(y));
            }
        }
}
