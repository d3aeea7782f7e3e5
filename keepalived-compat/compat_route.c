/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of routes (virtual_routes, static_routes), in iproute2's words. A route with an option that we cannot carry
 * out is left out as a whole, since it would lead elsewhere than its author meant. Called by the keyword engine.
 */
#include <string.h>

#include "compat_rows.h"
#include "config/suggest.h"

#define ROUTE_PROTOCOL 18 /* the number that iproute2 shows as keepalived */
#define ROUTE_TABLE_MAIN 254

/* What an option does with its argument. */
enum route_kind {
    ROUTE_TO,
    ROUTE_SOURCE,
    ROUTE_VIA,
    ROUTE_OR,
    ROUTE_DEVICE,
    ROUTE_TABLE,
    ROUTE_METRIC,
    ROUTE_PROTOCOL_OPTION,
    ROUTE_SCOPE,
    ROUTE_TOS,
    ROUTE_WEIGHT,
    ROUTE_NEXTHOP,
    ROUTE_ONLINK,
    ROUTE_NO_TRACK,
    ROUTE_FAMILY,
    ROUTE_TYPE,
    ROUTE_KERNEL_METRIC, /* value: enum net_metric */
    ROUTE_NOTHING,       /* add, prepend, append */
    ROUTE_SKIPPED,       /* has no effect here: named */
    ROUTE_FOREIGN,       /* the route cannot be made without it */
};

struct route_option {
    const char *name;
    enum route_kind kind;
    int value;
    bool argument;
};

static const struct route_option route_options[] = {
    {"to", ROUTE_TO, 0, true},
    {"src", ROUTE_SOURCE, 0, true},
    {"via", ROUTE_VIA, 0, true},
    {"gw", ROUTE_VIA, 0, true},
    {"or", ROUTE_OR, 0, true},
    {"dev", ROUTE_DEVICE, 0, true},
    {"oif", ROUTE_DEVICE, 0, true},
    {"table", ROUTE_TABLE, 0, true},
    {"metric", ROUTE_METRIC, 0, true},
    {"priority", ROUTE_METRIC, 0, true},
    {"preference", ROUTE_METRIC, 0, true},
    {"protocol", ROUTE_PROTOCOL_OPTION, 0, true},
    {"scope", ROUTE_SCOPE, 0, true},
    {"tos", ROUTE_TOS, 0, true},
    {"dsfield", ROUTE_TOS, 0, true},
    {"weight", ROUTE_WEIGHT, 0, true},
    {"nexthop", ROUTE_NEXTHOP, 0, false},
    {"onlink", ROUTE_ONLINK, 0, false},
    {"no_track", ROUTE_NO_TRACK, 0, false},
    {"inet", ROUTE_FAMILY, FAMILY_IPV4, false},
    {"inet6", ROUTE_FAMILY, FAMILY_IPV6, false},
    {"unicast", ROUTE_TYPE, NET_UNICAST, false},
    {"local", ROUTE_TYPE, NET_LOCAL, false},
    {"broadcast", ROUTE_TYPE, NET_BROADCAST, false},
    {"anycast", ROUTE_TYPE, NET_ANYCAST, false},
    {"multicast", ROUTE_TYPE, NET_MULTICAST, false},
    {"throw", ROUTE_TYPE, NET_THROW, false},
    {"unreachable", ROUTE_TYPE, NET_UNREACHABLE, false},
    {"prohibit", ROUTE_TYPE, NET_PROHIBIT, false},
    {"blackhole", ROUTE_TYPE, NET_BLACKHOLE, false},
    {"mtu", ROUTE_KERNEL_METRIC, NET_MTU, true},
    {"advmss", ROUTE_KERNEL_METRIC, NET_ADVMSS, true},
    {"rtt", ROUTE_KERNEL_METRIC, NET_RTT, true},
    {"rttvar", ROUTE_KERNEL_METRIC, NET_RTTVAR, true},
    {"reordering", ROUTE_KERNEL_METRIC, NET_REORDERING, true},
    {"cwnd", ROUTE_KERNEL_METRIC, NET_CWND, true},
    {"ssthresh", ROUTE_KERNEL_METRIC, NET_SSTHRESH, true},
    {"rto_min", ROUTE_KERNEL_METRIC, NET_RTO_MIN, true},
    {"hoplimit", ROUTE_KERNEL_METRIC, NET_HOPLIMIT, true},
    {"window", ROUTE_KERNEL_METRIC, NET_WINDOW, true},
    {"initcwnd", ROUTE_KERNEL_METRIC, NET_INITCWND, true},
    {"initrwnd", ROUTE_KERNEL_METRIC, NET_INITRWND, true},
    {"quickack", ROUTE_KERNEL_METRIC, NET_QUICKACK, true},
    {"add", ROUTE_NOTHING, 0, false},
    {"prepend", ROUTE_NOTHING, 0, false},
    {"append", ROUTE_NOTHING, 0, false},
    {"track_group", ROUTE_SKIPPED, 0, true},
    {"realms", ROUTE_SKIPPED, 0, true},
    {"realm", ROUTE_SKIPPED, 0, true},
    {"features", ROUTE_SKIPPED, 0, true},
    {"congctl", ROUTE_SKIPPED, 0, true},
    {"pref", ROUTE_SKIPPED, 0, true},
    {"expires", ROUTE_SKIPPED, 0, true},
    {"ttl-propagate", ROUTE_SKIPPED, 0, true},
    {"fastopen_no_cookie", ROUTE_SKIPPED, 0, true},
    {"encap", ROUTE_FOREIGN, 0, true},
    {"vrf", ROUTE_FOREIGN, 0, true},
};

static const struct keyword_choice table_names[] = {{"main", 254}, {"local", 255}, {"default", 253}, {NULL, 0}};
static const struct keyword_choice protocol_names[] = {
    {"keepalived", ROUTE_PROTOCOL}, {"static", 4}, {"boot", 3}, {"kernel", 2}, {"redirect", 1}, {NULL, 0}};
static const struct keyword_choice scope_names[] = {{"global", 0}, {"universe", 0}, {"nowhere", 255}, {"host", 254},
                                                    {"link", 253}, {"site", 200},   {NULL, 0}};

struct route_line {
    struct keyword_run *run;
    const char *where;
    const struct statement *line;
    struct net_route route;
    struct compat_list hops;
    bool default_given, bad;
};

static struct net_next_hop *route_hop(struct route_line *r, bool another)
{
    struct net_next_hop *hops = r->hops.items;

    if (r->hops.count > 0 && !another)
        return &hops[r->hops.count - 1];
    struct net_next_hop *hop = compat_push(r->run->arena, &r->hops, sizeof(*hop));

    hop->weight = 1;
    return hop;
}

static bool route_named(struct route_line *r, const struct route_option *option, const struct word *word,
                        const char *file, const struct keyword_choice *known, int64_t most, int64_t *out)
{
    if (compat_read_named(r->run, option->name, word, file, known, most, out))
        return true;
    r->bad = true;
    return false;
}

static void route_to(struct route_line *r, const struct word *word)
{
    if (strcmp(word->text, "default") == 0 || strcmp(word->text, "any") == 0 || strcmp(word->text, "all") == 0)
        r->default_given = true;
    else if (!compat_read_prefix(r->run, r->where, word, &r->route.to, &r->route.to_length))
        r->bad = true;
    else if (r->route.to_length == 0) {
        r->route.family = r->route.to.family;
        r->route.to = ADDR_NONE;
        r->default_given = true;
    }
}

static void route_value(struct route_line *r, const struct route_option *option, const struct word *word)
{
    int64_t value = 0;

    switch (option->kind) {
    case ROUTE_TO:
        route_to(r, word);
        return;
    case ROUTE_SOURCE:
        r->bad |= !compat_read_address(r->run, option->name, word, &r->route.source);
        return;
    case ROUTE_VIA:
    case ROUTE_OR:
        r->bad |= !compat_read_address(r->run, option->name, word, &route_hop(r, option->kind == ROUTE_OR)->via);
        return;
    case ROUTE_DEVICE:
        route_hop(r, false)->device = compat_read_interface(r->run, option->name, word);
        r->bad |= route_hop(r, false)->device == NULL;
        return;
    case ROUTE_TABLE:
        route_named(r, option, word, "rt_tables", table_names, UINT32_MAX, &r->route.table);
        return;
    case ROUTE_METRIC:
        compat_read_integer(r->run, option->name, word, 0, UINT32_MAX, &r->route.metric);
        return;
    case ROUTE_PROTOCOL_OPTION:
        if (route_named(r, option, word, "rt_protos", protocol_names, 255, &value))
            r->route.protocol = (int32_t)value;
        return;
    case ROUTE_SCOPE:
        if (route_named(r, option, word, "rt_scopes", scope_names, 255, &value))
            r->route.scope = (int32_t)value;
        return;
    case ROUTE_TOS:
        if (compat_read_integer(r->run, option->name, word, 0, 255, &value))
            r->route.tos = (int32_t)value;
        return;
    case ROUTE_WEIGHT:
        if (compat_read_integer(r->run, option->name, word, 1, 256, &value))
            route_hop(r, false)->weight = (int32_t)value;
        return;
    case ROUTE_KERNEL_METRIC:
        compat_read_integer(r->run, option->name, word, 0, UINT32_MAX, &r->route.metrics[option->value]);
        return;
    case ROUTE_SKIPPED:
        COMPAT_WARN(r->run, word->place, "%s has no effect in %s; it is ignored", option->name, r->where);
        return;
    case ROUTE_FOREIGN:
        COMPAT_WARN(r->run, word->place, "%s is not supported in %s; the whole route is left out", option->name,
                    r->where);
        r->bad = true;
        return;
    case ROUTE_NEXTHOP:
    case ROUTE_ONLINK:
    case ROUTE_NO_TRACK:
    case ROUTE_FAMILY:
    case ROUTE_TYPE:
    case ROUTE_NOTHING:
        return; /* have no argument */
    }
}

static void route_flag(struct route_line *r, const struct route_option *option)
{
    switch (option->kind) {
    case ROUTE_NEXTHOP:
        route_hop(r, true);
        return;
    case ROUTE_ONLINK:
        route_hop(r, false)->onlink = true;
        return;
    case ROUTE_NO_TRACK:
        r->route.no_track = true;
        return;
    case ROUTE_FAMILY:
        r->route.family = (uint8_t)option->value;
        return;
    case ROUTE_TYPE:
        r->route.type = (uint8_t)option->value;
        return;
    case ROUTE_NOTHING:
    case ROUTE_TO:
    case ROUTE_SOURCE:
    case ROUTE_VIA:
    case ROUTE_OR:
    case ROUTE_DEVICE:
    case ROUTE_TABLE:
    case ROUTE_METRIC:
    case ROUTE_PROTOCOL_OPTION:
    case ROUTE_SCOPE:
    case ROUTE_TOS:
    case ROUTE_WEIGHT:
    case ROUTE_KERNEL_METRIC:
    case ROUTE_SKIPPED:
    case ROUTE_FOREIGN:
        return;
    }
}

static const struct route_option *route_find(const struct word *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(route_options); i++)
        if (strcmp(route_options[i].name, word->text) == 0)
            return &route_options[i];
    return NULL;
}

/* The option at words[at]; returns the index after it. */
static unsigned route_option(struct route_line *r, const struct route_option *option, unsigned at)
{
    const struct word *words = r->line->words;

    if (!option->argument) {
        route_flag(r, option);
        return at + 1;
    }
    if (option->kind == ROUTE_KERNEL_METRIC && at + 1 < r->line->word_count &&
        strcmp(words[at + 1].text, "lock") == 0) {
        r->route.locked |= 1u << option->value;
        at++;
    }
    /* via inet6 ADDRESS: the address says its family itself. */
    if (option->kind == ROUTE_VIA && at + 2 < r->line->word_count &&
        (strcmp(words[at + 1].text, "inet") == 0 || strcmp(words[at + 1].text, "inet6") == 0))
        at++;
    if (at + 1 >= r->line->word_count) {
        COMPAT_WARN(r->run, words[at].place, "%s needs an argument in %s; it is ignored", option->name, r->where);
        return at + 1;
    }
    route_value(r, option, &words[at + 1]);
    return option->kind == ROUTE_FOREIGN ? r->line->word_count : at + 2;
}

/* A word that is no option: the destination, if there is none so far. */
static void route_word(struct route_line *r, const struct word *word)
{
    struct suggest suggest = suggest_start(word->text);
    char quote[REPORT_QUOTE_MAX];

    if (r->route.to.family == FAMILY_NONE && !r->default_given) {
        route_to(r, word);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(route_options); i++)
        suggest_offer(&suggest, route_options[i].name);
    COMPAT_WARN(r->run, word->place, "%s is no option of %s; it is ignored%s%s%s", report_quote(word->text, quote),
                r->where, suggest.best != NULL ? "; did you mean \"" : "", suggest.best != NULL ? suggest.best : "",
                suggest.best != NULL ? "\"?" : "");
}

static void route_finish(struct route_line *r, struct compat_list *list)
{
    struct net_route *route = &r->route;
    const struct net_next_hop *hops = r->hops.items;
    bool none = route->to.family == FAMILY_NONE && !r->default_given;

    for (unsigned i = 0; i < r->hops.count && route->family == FAMILY_NONE; i++)
        route->family = hops[i].via.family;
    if (route->to.family != FAMILY_NONE)
        route->family = route->to.family;
    if (route->family == FAMILY_NONE)
        route->family = route->source.family != FAMILY_NONE ? route->source.family : FAMILY_IPV4;
    if (r->bad || none) {
        COMPAT_WARN(r->run, r->line->place, "the route is left out as a whole: %s",
                    none ? "it has no destination" : "one of its options is of no use");
        return;
    }
    route->hops = r->hops.items;
    route->hop_count = r->hops.count;
    if (route->hop_count == 0 && route->type == NET_UNICAST)
        COMPAT_WARN(r->run, r->line->place,
                    "the route has neither via nor dev; it leads out of the instance's interface");
    *(struct net_route *)compat_push(r->run->arena, list, sizeof(*route)) = *route;
}

static void route_line(struct keyword_run *run, const struct keyword *row, const struct statement *line, void *context)
{
    struct route_line r = {
        .run = run,
        .where = row->name,
        .line = line,
        .route = {.place = line->place, .table = ROUTE_TABLE_MAIN, .protocol = ROUTE_PROTOCOL, .scope = NET_UNSET}};

    for (unsigned at = 0; at < line->word_count;) {
        const struct route_option *option = route_find(&line->words[at]);

        if (option != NULL)
            at = route_option(&r, option, at);
        else
            route_word(&r, &line->words[at++]);
    }
    route_finish(&r, context);
}

void compat_enter_routes(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                         const struct word_list *words, const struct statement *first, void *target)
{
    compat_each_line(run, row, keyword, words, first, route_line, (unsigned char *)target + row->offset);
}
