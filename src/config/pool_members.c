/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members by name or address: the members block of a pool, and its use in prefer and members of a unit. Called by
 * pool_build.c. */
#include <stdlib.h>
#include <string.h>

#include "config/pool_build.h"
#include "config/suggest.h"

/* A member's address must be one that its advertisements can come from. */
static bool pool_members_address(struct build *build, const struct build_pool *pool, const struct word *word,
                                 const struct addr *address)
{
    char quote[REPORT_QUOTE_MAX];
    const char *fault = pool_address_fault(address);

    report_quote(word->text, quote);
    if (fault != NULL)
        report_error(build->report, word->place, "%s %s", quote, fault);
    else if (address->family != pool->family)
        report_error(build->report, word->place, "%s cannot be a member: the pool's family is %s", quote,
                     pool->family == FAMILY_IPV4 ? "IPv4" : "IPv6");
    else if (pool->family == FAMILY_IPV6 && !addr_is_link_local(address))
        report_error(build->report, word->place,
                     "%s cannot be a member: in an IPv6 pool members are known by their link-local "
                     "addresses (fe80::...)",
                     quote);
    else
        return true;
    return false;
}

static void pool_members_check_pair(struct build *build, const struct name_words *name, const struct addr *address,
                                    const struct name_words *other)
{
    struct addr other_address;
    char quote[REPORT_QUOTE_MAX];

    if (strcmp(name->name.text, other->name.text) == 0)
        report_error(build->report, name->name.place, "member %s is named twice; the first is at %s:%u",
                     report_quote(name->name.text, quote), other->name.place.file, other->name.place.line);
    if (addr_parse(other->address.text, &other_address) && addr_equal(address, &other_address))
        report_error(build->report, name->address.place, "address %s is that of member \"%.40s\" already (%s:%u)",
                     report_quote(name->address.text, quote), other->name.text, other->name.place.file,
                     other->name.place.line);
}

/* What moves from host to host cannot be what tells them apart. */
static void pool_members_check_vips(struct build *build, const struct build_pool *pool, const struct name_words *name,
                                    const struct addr *address)
{
    char quote[REPORT_QUOTE_MAX];

    for (unsigned u = 0; u < pool->unit_count; u++)
        for (unsigned v = 0; v < pool->units[u].vip_count; v++)
            if (addr_equal(&pool->units[u].vips[v].address, address))
                report_error(build->report, name->address.place, "address %s is a virtual one of this pool (%s:%u)",
                             report_quote(name->address.text, quote), pool->units[u].vips[v].word.place.file,
                             pool->units[u].vips[v].word.place.line);
}

static void pool_members_names(struct build *build, const struct build_pool *pool)
{
    const struct pool_words *words = pool->words;
    char quote[REPORT_QUOTE_MAX];
    struct addr address;

    if (words->strict_members && words->name_count == 0)
        report_error(build->report, words->given[POOL_STRICT_MEMBERS],
                     "strict_members needs a members block that lists the hosts");
    for (const struct name_words *name = words->names; name != NULL; name = name->next) {
        report_quote(name->name.text, quote);
        if (addr_parse(name->name.text, &address) || name->name.text[0] == '\0' ||
            strlen(name->name.text) >= SETTINGS_NAME_MAX || strpbrk(name->name.text, "/ \t\"#!{}$") != NULL)
            report_error(build->report, name->name.place,
                         "%s cannot be a member's name (1 to %d characters, no address, no blanks)", quote,
                         SETTINGS_NAME_MAX - 1);
        if (!addr_parse(name->address.text, &address)) {
            report_error(build->report, name->address.place, "%s is not an address; expected NAME ADDRESS",
                         report_quote(name->address.text, quote));
            continue;
        }
        pool_members_address(build, pool, &name->address, &address);
        pool_members_check_vips(build, pool, name, &address);
        for (const struct name_words *other = words->names; other != name; other = other->next)
            pool_members_check_pair(build, name, &address, other);
    }
}

/* The address of a member given by name or address; false after an error was reported. */
static bool pool_members_find(struct build *build, const struct build_pool *pool, const struct word *word,
                              struct addr *out)
{
    struct suggest suggest = suggest_start(word->text);
    bool is_address = addr_parse(word->text, out);
    char quote[REPORT_QUOTE_MAX];
    struct addr address;

    for (const struct name_words *name = pool->words->names; name != NULL; name = name->next) {
        bool parsed = addr_parse(name->address.text, &address);

        if (is_address ? parsed && addr_equal(&address, out) : strcmp(name->name.text, word->text) == 0) {
            *out = address;
            return parsed;
        }
        if (!is_address)
            suggest_offer(&suggest, name->name.text);
    }
    if (is_address && !pool->words->strict_members)
        return pool_members_address(build, pool, word, out);
    report_error(build->report, word->place, "%s is no member%s%s%s%s", report_quote(word->text, quote),
                 is_address ? " listed under members, as strict_members wants"
                            : " listed under members, and no address",
                 suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                 suggest.best != NULL ? "\"?" : "");
    return false;
}

static int pool_members_compare(const void *a, const void *b)
{
    return addr_compare(a, b);
}

/* The addresses of a list, each once. */
static struct addr *pool_members_list(struct build *build, const struct build_pool *pool, const struct word_list *words,
                                      uint8_t *count)
{
    struct addr *list = arena_array(build->arena, words->count, sizeof(*list));
    char quote[REPORT_QUOTE_MAX];

    if (words->count > PLAN_MEMBERS_MAX) {
        report_error(build->report, words->words[PLAN_MEMBERS_MAX].place, "more than %d members are listed here",
                     PLAN_MEMBERS_MAX);
        return list;
    }
    for (unsigned i = 0; i < words->count; i++) {
        bool twice = false;

        if (!pool_members_find(build, pool, &words->words[i], &list[*count]))
            continue;
        for (unsigned j = 0; j < *count; j++)
            twice = twice || addr_equal(&list[j], &list[*count]);
        if (twice)
            report_error(build->report, words->words[i].place, "member %s is listed twice",
                         report_quote(words->words[i].text, quote));
        else
            ++*count;
    }
    return list;
}

static void pool_members_unit(struct build *build, const struct build_pool *pool, struct build_unit *unit)
{
    const struct entry_options *options = &unit->words->options;
    char quote[REPORT_QUOTE_MAX];

    unit->eligible = pool_members_list(build, pool, &options->members, &unit->eligible_count);
    unit->prefer = pool_members_list(build, pool, &options->prefer, &unit->prefer_count);
    qsort(unit->eligible, unit->eligible_count, sizeof(*unit->eligible), pool_members_compare);
    /* Only when every word was good is the list in step with its words. */
    if (unit->eligible_count == 0 || unit->eligible_count != options->members.count ||
        unit->prefer_count != options->prefer.count)
        return;
    for (unsigned i = 0; i < unit->prefer_count; i++)
        if (bsearch(&unit->prefer[i], unit->eligible, unit->eligible_count, sizeof(*unit->eligible),
                    pool_members_compare) == NULL)
            report_error(build->report, options->prefer.words[i].place,
                         "%s is preferred, but not among the unit's members",
                         report_quote(options->prefer.words[i].text, quote));
}

void pool_members_check(struct build *build, struct build_pool *pool)
{
    if (pool->words->name_count > PLAN_MEMBERS_MAX) {
        report_error(build->report, pool->words->given[POOL_MEMBERS], "%u members, but a pool can have at most %d",
                     pool->words->name_count, PLAN_MEMBERS_MAX);
        return;
    }
    pool_members_names(build, pool);
    for (unsigned i = 0; i < pool->unit_count; i++)
        if (!pool->units[i].packed)
            pool_members_unit(build, pool, &pool->units[i]);
}
