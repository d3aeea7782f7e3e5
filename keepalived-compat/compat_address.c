/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of addresses (virtual_ipaddress, virtual_ipaddress_excluded, static_ipaddress) with their options, and of
 * unicast peers. Several addresses on one line are as many addresses. Called by the keyword engine.
 */
#include <string.h>

#include "compat_rows.h"
#include "config/suggest.h"

static const struct keyword_choice scope_names[] = {{"global", 0}, {"universe", 0}, {"nowhere", 255}, {"host", 254},
                                                    {"link", 253}, {"site", 200},   {NULL, 0}};

/* brd ADDRESS|+|- */
static unsigned take_broadcast(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                               unsigned at, unsigned end, void *target)
{
    struct net_address *address = target;

    if (end == at + 1)
        return compat_take_address(run, row, line, at, end, target);
    const struct word *word = &line->words[at + 1];

    address->broadcast_auto = strcmp(word->text, "+") == 0;
    if (!address->broadcast_auto && strcmp(word->text, "-") != 0)
        compat_read_address(run, row->name, word, &address->broadcast);
    return at + 2;
}

static unsigned take_peer(struct keyword_run *run, const struct keyword *row, const struct statement *line, unsigned at,
                          unsigned end, void *target)
{
    struct net_address *address = target;
    uint8_t length;

    if (end == at + 1)
        return compat_take_address(run, row, line, at, end, target);
    if (compat_read_prefix(run, row->name, &line->words[at + 1], &address->peer, &length))
        address->prefix_length = length;
    return at + 2;
}

static unsigned take_scope(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                           unsigned at, unsigned end, void *target)
{
    int64_t scope;

    if (end == at + 1)
        return compat_take_address(run, row, line, at, end, target);
    if (compat_read_named(run, row->name, &line->words[at + 1], "rt_scopes", scope_names, 255, &scope))
        ((struct net_address *)target)->scope = (int32_t)scope;
    return at + 2;
}

static unsigned take_lifetime(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                              unsigned at, unsigned end, void *target)
{
    struct net_address *address = target;

    if (end == at + 1)
        return compat_take_address(run, row, line, at, end, target);
    if (strcmp(line->words[at + 1].text, "forever") == 0)
        address->preferred_lft_s = NET_LIFETIME_FOREVER;
    else
        compat_read_integer(run, row->name, &line->words[at + 1], 0, UINT32_MAX - 1, &address->preferred_lft_s);
    return at + 2;
}

#define ROW_TARGET struct net_address
static const struct keyword address_rows[] = {
    ROW_CUSTOM("dev", compat_take_interface, device, "IF", "the instance's interface", 'A',
               "Where the address is put."),
    ROW_CUSTOM("brd", take_broadcast, broadcast, "ADDRESS|+|-", "none", 'B', "Its broadcast address."),
    ROW_CUSTOM("broadcast", take_broadcast, broadcast, "ADDRESS|+|-", "none", 'C', "The same as brd."),
    ROW_CUSTOM("scope", take_scope, scope, "SCOPE", "global", 'B', "Its scope."),
    ROW_TEXT("label", label, "TEXT", "none", 'B', "Its label."),
    ROW_CUSTOM("peer", take_peer, peer, "ADDRESS[/LENGTH]", "none", 'C', "The other end of a point-to-point link."),
    ROW_SET("home", home, 1, 'C', "IFA_F_HOMEADDRESS."),
    ROW_SET("-nodad", no_dad, 1, 'C', "No duplicate address detection."),
    ROW_SET("nodad", no_dad, 1, 'C', "The same as -nodad."),
    ROW_SET("mngtmpaddr", manage_temporary, 1, 'C', "IFA_F_MANAGETEMPADDR."),
    ROW_SET("noprefixroute", no_prefix_route, 1, 'C', "No route to its network."),
    ROW_SET("autojoin", autojoin, 1, 'C', "IFA_F_MCAUTOJOIN."),
    ROW_SET("use_vmac", use_vmac, 1, 'C', "On the virtual MAC's interface."),
    ROW_SET("no_track", no_track, 1, 'C', "Its loss does not matter."),
    ROW_CUSTOM("preferred_lft", take_lifetime, preferred_lft_s, "SECONDS|forever", "forever", 'C',
               "How long it is preferred."),
    ROW_IGNORED("track_group", 'C', "has no effect: static entries do not move instances"),
};
#undef ROW_TARGET
static const struct keyword_table address_table = {
    .context = "addresses", .rows = address_rows, .count = ARRAY_LENGTH(address_rows)};

/* --- lines with options --- */

static void report_option(struct keyword_run *run, const char *where, const struct keyword_table *table,
                          const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < table->count; i++)
        suggest_offer(&suggest, table->rows[i].name);
    COMPAT_WARN(run, word->place, "%s is neither an address nor an option of %s; it is ignored%s%s%s",
                report_quote(word->text, quote), where, suggest.best != NULL ? "; did you mean \"" : "",
                suggest.best != NULL ? suggest.best : "", suggest.best != NULL ? "\"?" : "");
}

/* The option at words[at]; returns the index after it. */
static unsigned take_option(struct keyword_run *run, const struct keyword_table *table, const struct keyword *row,
                            const struct statement *line, unsigned at, void *target)
{
    struct place given[32] = {{0}};

    CHECK(table->count <= ARRAY_LENGTH(given));
    if (row->type != KEYWORD_REFUSED)
        return keyword_take(table, row, run, line, at, target, given);
    COMPAT_WARN(run, line->words[at].place, "%s %s; it is skipped", row->name, row->help);
    return at + 2 < line->word_count ? at + 2 : line->word_count;
}

static bool looks_like_address(const char *text)
{
    return strpbrk(text, ".:") != NULL && text[strspn(text, "0123456789abcdefABCDEF.:/;")] == '\0';
}

static void address_line(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                         void *context)
{
    struct net_address nowhere, *address = &nowhere;

    for (unsigned at = 0; at < line->word_count;) {
        const struct word *word = &line->words[at];
        const struct keyword *option = keyword_find(&address_table, word->text);

        if (option != NULL) {
            at = take_option(run, &address_table, option, line, at, address);
            continue;
        }
        struct net_address found = {.place = word->place, .preferred_lft_s = NET_LIFETIME_FOREVER};

        at++;
        if (address != &nowhere && !looks_like_address(word->text)) {
            report_option(run, row->name, &address_table, word);
        } else if (compat_read_prefix(run, row->name, word, &found.address, &found.prefix_length)) {
            found.scope = addr_is_link_local(&found.address) ? 253 : 0;
            address = compat_push(run->arena, context, sizeof(found));
            *address = found;
        } else
            address = &nowhere;
    }
}

void compat_enter_addresses(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                            const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, address_line, (unsigned char *)target + row->offset);
}

/* --- unicast_peer --- */

#define ROW_TARGET struct compat_peer
static const struct keyword peer_rows[] = {
    ROW_INTEGER("min_ttl", min_ttl, 0, 255, NULL, "0", 'C', "The smallest TTL accepted from it."),
    ROW_INTEGER("max_ttl", max_ttl, 0, 255, NULL, "255", 'C', "The largest TTL accepted from it."),
};
#undef ROW_TARGET
static const struct keyword_table peer_table = {
    .context = "unicast_peer", .rows = peer_rows, .count = ARRAY_LENGTH(peer_rows)};

static void peer_line(struct keyword_run *run, const struct keyword *row, const struct statement *line, void *context)
{
    struct compat_peer nobody, *peer = &nobody;

    for (unsigned at = 0; at < line->word_count;) {
        const struct word *word = &line->words[at];
        const struct keyword *option = keyword_find(&peer_table, word->text);
        struct compat_peer found = {.place = word->place, .max_ttl = 255};

        if (option != NULL) {
            at = take_option(run, &peer_table, option, line, at, peer);
            continue;
        }
        at++;
        if (peer != &nobody && !looks_like_address(word->text)) {
            report_option(run, row->name, &peer_table, word);
        } else if (compat_read_address(run, row->name, word, &found.address)) {
            peer = compat_push(run->arena, context, sizeof(found));
            *peer = found;
        } else
            peer = &nobody;
    }
}

void compat_enter_peers(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                        const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, peer_line, (unsigned char *)target + row->offset);
}
