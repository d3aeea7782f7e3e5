/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of policy rules (virtual_rules, static_rules), in iproute2's words. A rule with an option that we cannot carry
 * out is left out as a whole. Called by the keyword engine.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compat_rows.h"

static const struct keyword_choice table_names[] = {{"main", 254}, {"local", 255}, {"default", 253}, {NULL, 0}};
static const struct keyword_choice protocol_names[] = {
    {"keepalived", 18}, {"static", 4}, {"boot", 3}, {"kernel", 2}, {NULL, 0}};
static const struct keyword_choice ip_protocol_names[] = {{"icmp", 1},       {"tcp", 6},    {"udp", 17}, {"dccp", 33},
                                                          {"ipv6-icmp", 58}, {"sctp", 132}, {NULL, 0}};

enum rule_kind {
    RULE_FROM,
    RULE_TO,
    RULE_TABLE,
    RULE_PREFERENCE,
    RULE_GOTO,
    RULE_TOS,
    RULE_MARK,
    RULE_INPUT,
    RULE_OUTPUT,
    RULE_SUPPRESS_PREFIX,
    RULE_SUPPRESS_GROUP,
    RULE_UIDS,
    RULE_SOURCE_PORTS,
    RULE_DESTINATION_PORTS,
    RULE_IP_PROTOCOL,
    RULE_PROTOCOL,
    RULE_SKIPPED,
    RULE_FOREIGN,
    RULE_FAMILY, /* from here on: no argument */
    RULE_NOT,
    RULE_L3MDEV,
    RULE_NO_TRACK,
    RULE_ACTION,
};

static const struct rule_option {
    const char *name;
    enum rule_kind kind;
    int value;
} rule_options[] = {
    {"from", RULE_FROM, 0},
    {"to", RULE_TO, 0},
    {"table", RULE_TABLE, 0},
    {"lookup", RULE_TABLE, 0},
    {"preference", RULE_PREFERENCE, 0},
    {"order", RULE_PREFERENCE, 0},
    {"priority", RULE_PREFERENCE, 0},
    {"pref", RULE_PREFERENCE, 0},
    {"goto", RULE_GOTO, 0},
    {"tos", RULE_TOS, 0},
    {"dsfield", RULE_TOS, 0},
    {"fwmark", RULE_MARK, 0},
    {"dev", RULE_INPUT, 0},
    {"iif", RULE_INPUT, 0},
    {"oif", RULE_OUTPUT, 0},
    {"suppress_prefixlength", RULE_SUPPRESS_PREFIX, 0},
    {"suppress_ifgroup", RULE_SUPPRESS_GROUP, 0},
    {"uidrange", RULE_UIDS, 0},
    {"sport", RULE_SOURCE_PORTS, 0},
    {"dport", RULE_DESTINATION_PORTS, 0},
    {"ipproto", RULE_IP_PROTOCOL, 0},
    {"ip_proto", RULE_IP_PROTOCOL, 0},
    {"protocol", RULE_PROTOCOL, 0},
    {"track_group", RULE_SKIPPED, 0},
    {"realms", RULE_SKIPPED, 0},
    {"tunnel-id", RULE_FOREIGN, 0},
    {"inet", RULE_FAMILY, FAMILY_IPV4},
    {"inet6", RULE_FAMILY, FAMILY_IPV6},
    {"not", RULE_NOT, 0},
    {"l3mdev", RULE_L3MDEV, 0},
    {"no_track", RULE_NO_TRACK, 0},
    {"nop", RULE_ACTION, NET_NOP},
    {"blackhole", RULE_ACTION, NET_RULE_BLACKHOLE},
    {"unreachable", RULE_ACTION, NET_RULE_UNREACHABLE},
    {"prohibit", RULE_ACTION, NET_RULE_PROHIBIT},
};

#define RULE_FIRST_PREFERENCE 16384

struct rule_line {
    struct keyword_run *run;
    const char *where;
    struct net_rule rule;
    bool bad;
};

static bool rule_prefix(struct rule_line *r, const struct rule_option *option, const struct word *word,
                        struct addr *out, uint8_t *length)
{
    if (strcmp(word->text, "all") == 0 || strcmp(word->text, "any") == 0 || strcmp(word->text, "default") == 0) {
        *out = ADDR_NONE;
        return true;
    }
    return compat_read_prefix(r->run, option->name, word, out, length);
}

/* FIRST[-LAST] */
static bool rule_range(struct rule_line *r, const struct rule_option *option, const struct word *word, int64_t most,
                       struct net_range *out)
{
    char quote[REPORT_QUOTE_MAX], *end;
    long long first = strtoll(word->text, &end, 10), last = first;

    if (end != word->text && *end == '-')
        last = strtoll(end + 1, &end, 10);
    if (end == word->text || *end != '\0' || first < 0 || last < first || last > most) {
        COMPAT_WARN(r->run, word->place, "%s %s is no range; expected FIRST[-LAST]; the rule is left out", option->name,
                    report_quote(word->text, quote));
        return false;
    }
    *out = (struct net_range){first, last};
    return true;
}

/* VALUE[/MASK], also in hexadecimal. */
static bool rule_mark(struct rule_line *r, const struct word *word)
{
    char quote[REPORT_QUOTE_MAX], *end;
    long long mark = strtoll(word->text, &end, 0), mask = UINT32_MAX;

    if (end != word->text && *end == '/')
        mask = strtoll(end + 1, &end, 0);
    if (end == word->text || *end != '\0' || mark < 0 || mark > UINT32_MAX || mask < 1 || mask > UINT32_MAX) {
        COMPAT_WARN(r->run, word->place, "fwmark %s is no mark; expected MARK[/MASK]; the rule is left out",
                    report_quote(word->text, quote));
        return false;
    }
    r->rule.mark = mark;
    r->rule.mark_mask = mask;
    return true;
}

static bool rule_small(struct rule_line *r, const struct rule_option *option, const struct word *word, int32_t *out)
{
    int64_t value;

    if (!compat_read_integer(r->run, option->name, word, 0, 255, &value))
        return false;
    *out = (int32_t)value;
    return true;
}

static bool rule_named(struct rule_line *r, const struct rule_option *option, const struct word *word, const char *file,
                       const struct keyword_choice *known, int32_t *out)
{
    int64_t value;

    if (!compat_read_named(r->run, option->name, word, file, known, 255, &value))
        return false;
    *out = (int32_t)value;
    return true;
}

static bool rule_interface(struct rule_line *r, const struct rule_option *option, const struct word *word,
                           const char **out)
{
    *out = compat_read_interface(r->run, option->name, word);
    return *out != NULL;
}

/* False: the rule must be left out. */
static bool rule_value(struct rule_line *r, const struct rule_option *option, const struct word *word)
{
    struct net_rule *rule = &r->rule;

    switch (option->kind) {
    case RULE_FROM:
        return rule_prefix(r, option, word, &rule->from, &rule->from_length);
    case RULE_TO:
        return rule_prefix(r, option, word, &rule->to, &rule->to_length);
    case RULE_TABLE:
        rule->action = NET_LOOKUP;
        return compat_read_named(r->run, option->name, word, "rt_tables", table_names, UINT32_MAX, &rule->table);
    case RULE_PREFERENCE:
        return compat_read_integer(r->run, option->name, word, 0, UINT32_MAX, &rule->preference);
    case RULE_GOTO:
        rule->action = NET_GOTO;
        return compat_read_integer(r->run, option->name, word, 0, UINT32_MAX, &rule->goto_preference);
    case RULE_TOS:
        return rule_small(r, option, word, &rule->tos);
    case RULE_MARK:
        return rule_mark(r, word);
    case RULE_INPUT:
        return rule_interface(r, option, word, &rule->input);
    case RULE_OUTPUT:
        return rule_interface(r, option, word, &rule->output);
    case RULE_SUPPRESS_PREFIX:
        return compat_read_integer(r->run, option->name, word, 0, 128, &rule->suppress_prefix_length);
    case RULE_SUPPRESS_GROUP:
        return compat_read_integer(r->run, option->name, word, 0, INT32_MAX, &rule->suppress_group);
    case RULE_UIDS:
        return rule_range(r, option, word, UINT32_MAX, &rule->uids);
    case RULE_SOURCE_PORTS:
        return rule_range(r, option, word, 65535, &rule->source_ports);
    case RULE_DESTINATION_PORTS:
        return rule_range(r, option, word, 65535, &rule->destination_ports);
    case RULE_IP_PROTOCOL:
        return rule_named(r, option, word, "rt_ipprotos", ip_protocol_names, &rule->ip_protocol);
    case RULE_PROTOCOL:
        return rule_named(r, option, word, "rt_protos", protocol_names, &rule->protocol);
    case RULE_SKIPPED:
        COMPAT_WARN(r->run, word->place, "%s has no effect in %s; it is ignored", option->name, r->where);
        return true;
    case RULE_FOREIGN:
        COMPAT_WARN(r->run, word->place, "%s is not supported in %s", option->name, r->where);
        return false;
    case RULE_FAMILY:
    case RULE_NOT:
    case RULE_L3MDEV:
    case RULE_NO_TRACK:
    case RULE_ACTION:
        break;
    }
    return true;
}

static void rule_flag(struct net_rule *rule, const struct rule_option *option)
{
    rule->invert |= option->kind == RULE_NOT;
    rule->l3mdev |= option->kind == RULE_L3MDEV;
    rule->no_track |= option->kind == RULE_NO_TRACK;
    if (option->kind == RULE_FAMILY)
        rule->family = (uint8_t)option->value;
    if (option->kind == RULE_ACTION)
        rule->action = (uint8_t)option->value;
}

/* The option at words[at], returns the index after it. */
static unsigned rule_option(struct rule_line *r, const struct statement *line, unsigned at)
{
    const struct word *word = &line->words[at];
    const struct rule_option *option = NULL;
    char quote[REPORT_QUOTE_MAX];

    for (size_t i = 0; i < ARRAY_LENGTH(rule_options) && option == NULL; i++)
        if (strcmp(rule_options[i].name, word->text) == 0)
            option = &rule_options[i];
    if (option == NULL) {
        COMPAT_WARN(r->run, word->place, "%s is no option of %s", report_quote(word->text, quote), r->where);
        r->bad = true;
        return line->word_count;
    }
    if (option->kind >= RULE_FAMILY) {
        rule_flag(&r->rule, option);
        return at + 1;
    }
    if (at + 1 == line->word_count) {
        COMPAT_WARN(r->run, word->place, "%s needs an argument in %s", option->name, r->where);
        r->bad = true;
        return at + 1;
    }
    if (!rule_value(r, option, &line->words[at + 1]))
        r->bad = true;
    return at + 2;
}

static void rule_line(struct keyword_run *run, const struct keyword *row, const struct statement *line, void *context)
{
    const struct net_range unset = {NET_UNSET, NET_UNSET};
    struct rule_line r = {
        .run = run,
        .where = row->name,
        .rule = {.place = line->place,
                 .table = 254,
                 .protocol = 18,
                 .preference = NET_UNSET,
                 .suppress_prefix_length = NET_UNSET,
                 .suppress_group = NET_UNSET,
                 .uids = unset,
                 .source_ports = unset,
                 .destination_ports = unset},
    };
    struct net_rule *rule = &r.rule;

    for (unsigned at = 0; at < line->word_count;)
        at = rule_option(&r, line, at);
    if (rule->from.family != FAMILY_NONE || rule->to.family != FAMILY_NONE)
        rule->family = rule->from.family != FAMILY_NONE ? rule->from.family : rule->to.family;
    if (rule->family == FAMILY_NONE)
        rule->family = FAMILY_IPV4;
    if (r.bad) {
        COMPAT_WARN(run, line->place, "the rule is left out as a whole: one of its options is of no use");
        return;
    }
    if (rule->preference == NET_UNSET) {
        struct compat_words *words = run->context;

        /* As keepalived numbers them; the kernel's choice would be another one each time the rule is put again. */
        rule->preference = RULE_FIRST_PREFERENCE - words->numbered_rules++;
        COMPAT_WARN(run, line->place, "the rule has no preference; %" PRId64 " is used", rule->preference);
    }
    *(struct net_rule *)compat_push(run->arena, context, sizeof(*rule)) = *rule;
}

void compat_enter_rules(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                        const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, rule_line, (unsigned char *)target + row->offset);
}
