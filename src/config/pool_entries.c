/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of vrrp_pool whose lines are entries instead of keywords: virtual_ipaddress with its groups and options,
 * and members. Called by the keyword engine through the pool's table.
 */
#include <stdio.h>
#include <string.h>

#include "config/pool_words.h"
#include "config/suggest.h"

#define ENTRY_TEXT_MAX 64

/* A virtual_ipaddress block under way. */
struct entries {
    struct keyword_run *run;
    struct pool_words *pool;
    struct unit_words *unit;  /* what options belong to; NULL: nothing on this line so far */
    struct unit_words *group; /* the group that is open */
    unsigned chunk;
};

const char *pool_address_fault(const struct addr *address)
{
    static const uint8_t zero[16] = {0};
    static const uint8_t loopback[16] = {[15] = 1};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *b = address->bytes;

    if (addr_is_multicast(address))
        return "is a multicast address";
    switch ((enum family)address->family) {
    case FAMILY_IPV4:
        return b[0] == 0     ? "is an unspecified address"
               : b[0] == 127 ? "is a loopback address"
               : b[0] >= 240 ? "is a reserved or broadcast address"
                             : NULL;
    case FAMILY_IPV6:
        return memcmp(b, zero, 16) == 0       ? "is the unspecified address"
               : memcmp(b, loopback, 16) == 0 ? "is the loopback address"
               : memcmp(b, mapped, 12) == 0   ? "is an IPv4 address in IPv6 form; write it as IPv4"
                                              : NULL;
    case FAMILY_NONE:
        break;
    }
    return "is no address";
}

/* The network's own address and its broadcast, which no host can have. */
static const char *entry_host_fault(const struct addr *address, unsigned length)
{
    if (address->family != FAMILY_IPV4 || length > 30)
        return NULL;
    uint32_t value = (uint32_t)address->bytes[0] << 24 | (uint32_t)address->bytes[1] << 16 |
                     (uint32_t)address->bytes[2] << 8 | address->bytes[3];
    uint32_t host = UINT32_MAX >> length;

    return (value & host) == 0      ? "is the address of its network, not of a host"
           : (value & host) == host ? "is the broadcast address of its network"
                                    : NULL;
}

/* 0..most, or -1. */
static int entry_prefix(const char *text, unsigned most)
{
    unsigned value = 0;
    size_t length = strlen(text);

    if (length == 0 || length > 3)
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (unsigned)(*text - '0');
    }
    return value >= 1 && value <= most ? (int)value : -1;
}

static void entry_report_word(struct keyword_run *run, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < pool_keyword_entry.count; i++)
        suggest_offer(&suggest, pool_keyword_entry.rows[i].name);
    report_error(run->report, word->place,
                 "%s is neither an address nor an option; expected ADDRESS/LENGTH, dev, vrid, prefer or "
                 "members%s%s%s",
                 report_quote(word->text, quote), suggest.best != NULL ? "; did you mean \"" : "",
                 suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
}

/* ADDRESS[/LENGTH] into *vip; false after an error. */
static bool entry_address(struct keyword_run *run, const struct word *word, struct vip_words *vip)
{
    char text[ENTRY_TEXT_MAX], quote[REPORT_QUOTE_MAX];
    const char *slash = strchr(word->text, '/');
    size_t length = slash == NULL ? strlen(word->text) : (size_t)(slash - word->text);

    snprintf(text, sizeof(text), "%.*s", (int)(length < sizeof(text) ? length : sizeof(text) - 1), word->text);
    if (length >= sizeof(text) || !addr_parse(text, &vip->address)) {
        entry_report_word(run, word);
        return false;
    }
    unsigned most = (unsigned)addr_length(&vip->address) * 8;
    int prefix = slash == NULL ? (int)most : entry_prefix(slash + 1, most);

    if (prefix < 0) {
        report_error(run->report, word->place, "%s has no valid prefix length; expected 1..%u",
                     report_quote(word->text, quote), most);
        return false;
    }
    const char *fault = pool_address_fault(&vip->address);

    if (fault == NULL)
        fault = entry_host_fault(&vip->address, (unsigned)prefix);
    if (fault != NULL) {
        report_error(run->report, word->place, "%s %s", report_quote(word->text, quote), fault);
        return false;
    }
    vip->prefix_length = (uint8_t)prefix;
    vip->word = *word;
    return true;
}

static struct unit_words *entry_add_unit(struct entries *e, struct place place, bool group)
{
    struct unit_words *unit = arena_new(e->run->arena, struct unit_words);

    unit->place = place;
    unit->group = group;
    unit->vips_tail = &unit->vips;
    *e->pool->units_tail = unit;
    e->pool->units_tail = &unit->next;
    e->pool->unit_count++;
    return unit;
}

static struct vip_words *entry_add_vip(struct entries *e, const struct word *word)
{
    struct vip_words found = {.chunk = e->chunk};

    if (!entry_address(e->run, word, &found))
        return NULL;
    if (e->group == NULL)
        e->unit = entry_add_unit(e, word->place, false);
    struct vip_words *vip = arena_new(e->run->arena, struct vip_words);

    *vip = found;
    *e->unit->vips_tail = vip;
    e->unit->vips_tail = &vip->next;
    e->unit->vip_count++;
    return vip;
}

/* An option at words[at]; returns the index after it. */
static unsigned entry_option(struct entries *e, const struct keyword *row, const struct statement *line, unsigned at,
                             struct vip_words *vip)
{
    struct entry_options nowhere = {0};
    struct entry_options *options = e->unit != NULL ? &e->unit->options : &nowhere;
    bool device = row == &pool_keyword_entry.rows[ENTRY_DEV];

    if (e->unit == NULL || (device && vip == NULL))
        report_error(e->run->report, line->words[at].place, "%s must follow %s on its line", row->name,
                     device ? "an address" : "an address or a group");
    if (device)
        options->given[ENTRY_DEV] = vip != NULL && vip->device.text != NULL ? vip->device.place : (struct place){0};
    unsigned next = keyword_take(&pool_keyword_entry, row, e->run, line, at, options, options->given);

    if (device && vip != NULL)
        vip->device = options->device;
    return next;
}

static void entry_line(struct entries *e, const struct statement *line)
{
    struct vip_words *vip = NULL;

    e->chunk++;
    for (unsigned at = 0; at < line->word_count;) {
        const struct word *word = &line->words[at];
        const struct keyword *row = word->quoted ? NULL : keyword_find(&pool_keyword_entry, word->text);

        if (row != NULL) {
            at = entry_option(e, row, line, at, vip);
            continue;
        }
        vip = entry_add_vip(e, word);
        if (vip == NULL)
            return;
        at++;
    }
}

static void entry_group(struct entries *e, const struct statement *block)
{
    e->group = e->unit = entry_add_unit(e, block->place, true);
    for (const struct statement *s = block->first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_LINE)
            entry_line(e, s);
        else
            report_error(e->run->report, s->place, "a group of addresses cannot hold another group");
    }
    e->group = NULL;
}

void pool_enter_addresses(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                          const struct word_list *words, const struct statement *first, void *target)
{
    struct entries e = {.run = run, .pool = target};
    char quote[REPORT_QUOTE_MAX];

    (void)keyword;
    if (words->count > 0)
        report_error(run->report, words->words[0].place, "unexpected %s between %s and {",
                     report_quote(words->words[0].text, quote), row->name);
    for (const struct statement *s = first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_BLOCK) {
            entry_group(&e, s);
            continue;
        }
        if (!s->joined)
            e.unit = NULL;
        entry_line(&e, s);
    }
}

void pool_enter_members(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                        const struct word_list *words, const struct statement *first, void *target)
{
    struct pool_words *pool = target;
    char quote[REPORT_QUOTE_MAX];

    (void)keyword;
    if (words->count > 0)
        report_error(run->report, words->words[0].place, "unexpected %s between %s and {",
                     report_quote(words->words[0].text, quote), row->name);
    for (const struct statement *s = first; s != NULL; s = s->next) {
        if (s->kind == STATEMENT_BLOCK) {
            report_error(run->report, s->place, "unexpected {: members holds lines of NAME ADDRESS");
            continue;
        }
        for (unsigned at = 0; at < s->word_count; at += 2) {
            if (at + 1 == s->word_count) {
                report_error(run->report, s->words[at].place, "member %s needs an address after its name",
                             report_quote(s->words[at].text, quote));
                break;
            }
            struct name_words *name = arena_new(run->arena, struct name_words);

            name->name = s->words[at];
            name->address = s->words[at + 1];
            *pool->names_tail = name;
            pool->names_tail = &name->next;
            pool->name_count++;
        }
    }
}
