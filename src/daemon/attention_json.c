/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What needs a person's attention, most urgent first, as sentences: `attention` of the status answer. It judges by the
 * view alone and keeps nothing, so a line is gone as soon as its cause is. Units with the same trouble share a
 * sentence.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "daemon/fields_json.h"
#include "daemon/note.h"

#define TEXT_MAX 768
#define NAMED_UNITS_MAX 3 /* in a sentence; all of them are in "vrids" */
#define UNOWNED_INTERVALS 4
#define DIFFERENCE_RECENT_S 15
#define STALL_RECENT_S 600

enum severity {
    ALARM,   /* somebody may get no answer, or two */
    WARNING, /* something is not as it should be */
};

/* What was found so far: alarms go before warnings. */
struct findings {
    struct answer *a;
    unsigned pool;   /* that is being looked at */
    json_t *list[2]; /* by severity */
    bool stall_told;
};

static json_t *add(struct findings *f, enum severity severity, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static json_t *add(struct findings *f, enum severity severity, const char *code, const char *format, ...)
{
    const char *pool = f->a->view->config->core.pools[f->pool].name;
    char text[TEXT_MAX];
    va_list arguments;
    json_t *object = new_object(f->a);
    int used = snprintf(text, sizeof(text), "%s: ", pool);

    va_start(arguments, format);
    vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
    va_end(arguments);
    put_text(f->a, object, "code", code);
    put_text(f->a, object, "severity", severity == ALARM ? "alarm" : "warning");
    put_text(f->a, object, "pool", f->pool < f->a->view->config->core.pool_count ? pool : NULL); /* a set is none */
    put_text(f->a, object, "text", text);
    append_new(f->a, f->list[severity], object);
    return object;
}

/* Appends to `text`, cut to what fits. */
__attribute__((format(printf, 4, 5))) static void append(char *text, size_t size, size_t *used, const char *format, ...)
{
    size_t room = size - *used;
    va_list arguments;

    va_start(arguments, format);
    int written = vsnprintf(text + *used, room, format, arguments);
    va_end(arguments);
    *used += (size_t)written < room ? (size_t)written : room - 1;
}

const char *ago_text(struct answer *a, struct mono then, char text[static AGO_TEXT_MAX])
{
    double seconds = (double)mono_diff_us(a->view->now, then) / US_PER_S;

    if (seconds < 120)
        snprintf(text, AGO_TEXT_MAX, "%.1f s", seconds);
    else
        snprintf(text, AGO_TEXT_MAX, "%.0f min", seconds / 60);
    return text;
}

/* One kind of trouble that a unit can have. `detail` adds what is special to this unit, like " (10.0.0.9)". */
struct unit_trouble {
    enum severity severity;
    const char *code;
    const char *one, *many; /* "has no owner", "have no owner" */
    bool (*present)(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u);
    void (*detail)(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text, size_t size);
};

/* A unit that moves has no owner for a moment, and one that nobody has claimed since the start may still be: neither is
 * news before the time in which an owner must be found (P2). */
static bool is_unowned(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    const struct pool_settings *settings = &a->view->config->core.pools[pool];
    bool lost = !mono_is_never(u->vacant_since);
    int64_t limit_us = UNOWNED_INTERVALS * (lost ? settings->member_interval_us : settings->advert_interval_us);

    (void)unit;
    return u->holder_kind == HOLDER_NONE &&
           mono_diff_us(a->view->now, lost ? u->vacant_since : a->view->started) > limit_us;
}

static bool is_contested(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)a, (void)pool, (void)unit;
    return u->contested;
}

static void contest_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                           size_t size)
{
    char holder[MEMBER_TEXT_MAX], other[MEMBER_TEXT_MAX];

    (void)unit;
    snprintf(text, size, " by %s and %s", member_text(a->view, pool, &u->holder, holder),
             member_text(a->view, pool, &u->contender, other));
}

static bool is_conflict(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)u;
    return conflict_is_recent(a, conflict_of(a, pool, unit));
}

static void conflict_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                            size_t size)
{
    const struct daemon_conflict *c = conflict_of(a, pool, unit);
    char ago[AGO_TEXT_MAX], mac[MAC_TEXT_MAX];

    (void)u;
    snprintf(text, size, " by %s, %s ago", mac_text(c->mac, mac), ago_text(a, c->last, ago));
}

static bool is_strange(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)a, (void)pool, (void)unit;
    return u->holder_kind == HOLDER_STRANGER;
}

static void holder_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                          size_t size)
{
    char holder[MEMBER_TEXT_MAX];

    (void)unit;
    snprintf(text, size, " by %s", member_text(a->view, pool, &u->holder, holder));
}

static void list_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                        size_t size)
{
    char from[MEMBER_TEXT_MAX], extra[ADDR_TEXT_MAX], missing[ADDR_TEXT_MAX];

    (void)unit;
    size_t used = 0;

    append(text, size, &used, " by %s", member_text(a->view, pool, &u->address_list_from, from));
    if (!addr_is_none(&u->address_list_missing))
        append(text, size, &used, " without %s", addr_format(&u->address_list_missing, missing));
    if (!addr_is_none(&u->address_list_extra))
        append(text, size, &used, " with %s besides", addr_format(&u->address_list_extra, extra));
}

static bool is_different(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)a, (void)pool, (void)unit;
    return u->address_list_differs;
}

static bool is_configured_otherwise(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)pool, (void)unit;
    return !addr_is_none(&u->differs_from) &&
           mono_diff_us(a->view->now, u->differs_at) < (int64_t)DIFFERENCE_RECENT_S * US_PER_S;
}

static void difference_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                              size_t size)
{
    static const char *const what[] = {
        [DIFFERS_VERSION] = "in another version of VRRP",
        [DIFFERS_AUTH] = "with authentication",
        [DIFFERS_INTERVAL] = "with another interval",
    };
    char from[MEMBER_TEXT_MAX];

    (void)unit;
    snprintf(text, size, " by %s %s", member_text(a->view, pool, &u->differs_from, from), what[u->differs]);
}

static bool is_cut(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    (void)a, (void)pool, (void)unit;
    return !u->links_up;
}

static bool is_own_mac(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u)
{
    const struct daemon_own_mac *own_macs = a->view->pools[pool].own_macs;

    (void)u;
    return own_macs != NULL && own_macs[unit].is;
}

static void own_mac_detail(struct answer *a, unsigned pool, unsigned unit, const struct unit_view *u, char *text,
                           size_t size)
{
    (void)u;
    snprintf(text, size, " (%s)", a->view->pools[pool].own_macs[unit].text);
}

static const struct unit_trouble troubles[] = {
    {ALARM, "unowned", "has no owner", "have no owner", is_unowned, NULL},
    {ALARM, "contested", "has two owners: claimed", "have two owners: claimed", is_contested, contest_detail},
    {ALARM, "conflict", "was answered for by somebody else", "were answered for by somebody else", is_conflict,
     conflict_detail},
    {WARNING, "stranger", "is held by a router that is no member", "are held by routers that are no members",
     is_strange, holder_detail},
    {WARNING, "address_list", "is advertised with another list of addresses than this host has",
     "are advertised with other lists of addresses than this host has", is_different, list_detail},
    {WARNING, "configuration", "is advertised not as this host is configured",
     "are advertised not as this host is configured", is_configured_otherwise, difference_detail},
    {WARNING, "link_down", "cannot be held by this host: a link of it is down",
     "cannot be held by this host: a link of them is down", is_cut, NULL},
    {WARNING, "vmac", "is answered with its interface's own MAC", "are answered with their interfaces' own MACs",
     is_own_mac, own_mac_detail},
};

/* What one trouble has come to in one pool. */
struct tally {
    char names[TEXT_MAX / 2]; /* of the first few units */
    size_t used;
    unsigned count;
    json_t *vrids; /* of all; NULL while there are none */
};

static void count_unit(struct findings *f, const struct unit_trouble *trouble, struct tally *tally, unsigned unit,
                       const struct unit_view *u)
{
    char text[ADDR_TEXT_MAX], detail[2 * MEMBER_TEXT_MAX + 32] = "";

    if (tally->vrids == NULL)
        tally->vrids = new_array(f->a);
    append_new(f->a, tally->vrids, json_integer(u->vrid));
    if (tally->count++ >= NAMED_UNITS_MAX)
        return;
    struct addr address = note_unit_address(f->a->view->config, f->pool, unit);

    if (trouble->detail != NULL)
        trouble->detail(f->a, f->pool, unit, u, detail, sizeof(detail));
    append(tally->names, sizeof(tally->names), &tally->used, "%s%s%s", tally->used == 0 ? "" : ", ",
           addr_format(&address, text), detail);
}

static void add_tally(struct findings *f, const struct unit_trouble *trouble, const struct tally *tally)
{
    char more[32] = "";
    json_t *object;

    if (tally->count > NAMED_UNITS_MAX)
        snprintf(more, sizeof(more), " and %u more", tally->count - NAMED_UNITS_MAX);
    if (tally->count == 1)
        object = add(f, trouble->severity, trouble->code, "one unit %s: %s", trouble->one, tally->names);
    else
        object = add(f, trouble->severity, trouble->code, "%u units %s: %s%s", tally->count, trouble->many,
                     tally->names, more);
    put_new(f->a, object, "vrids", tally->vrids);
}

static void add_units(struct findings *f)
{
    const struct pool_settings *settings = &f->a->view->config->core.pools[f->pool];
    struct tally tallies[ARRAY_LENGTH(troubles)] = {0};

    for (unsigned unit = 0; unit < settings->unit_count; unit++) {
        struct unit_view u;

        core_view_unit(f->a->view->core, f->pool, unit, &u);
        for (size_t t = 0; t < ARRAY_LENGTH(troubles); t++) {
            if (troubles[t].present(f->a, f->pool, unit, &u))
                count_unit(f, &troubles[t], &tallies[t], unit, &u);
        }
    }
    for (size_t t = 0; t < ARRAY_LENGTH(troubles); t++) {
        if (tallies[t].count > 0)
            add_tally(f, &troubles[t], &tallies[t]);
    }
}

/* Units that only others are configured with: a VIP is missing in this host's file, or is in theirs by mistake. */
static void add_unknown(struct findings *f)
{
    struct unknown_view unknown[PLAN_UNITS_MAX];
    unsigned count = core_view_unknown(f->a->view->core, f->pool, f->a->view->now, unknown);
    char names[TEXT_MAX / 2], more[32] = "";
    size_t used = 0;

    if (count == 0)
        return;
    json_t *vrids = new_array(f->a);

    for (unsigned i = 0; i < count; i++) {
        char address[ADDR_TEXT_MAX], member[MEMBER_TEXT_MAX];

        append_new(f->a, vrids, json_integer(unknown[i].vrid));
        if (i < NAMED_UNITS_MAX)
            append(names, sizeof(names), &used, "%s%s (VRID %u) by %s", i == 0 ? "" : ", ",
                   addr_format(&unknown[i].address, address), unknown[i].vrid,
                   member_text(f->a->view, f->pool, &unknown[i].member, member));
    }
    if (count > NAMED_UNITS_MAX)
        snprintf(more, sizeof(more), " and %u more", count - NAMED_UNITS_MAX);
    json_t *object =
        add(f, WARNING, "unknown_unit", "%u unit%s that members advertise %s not in this host's configuration: %s%s",
            count, count == 1 ? "" : "s", count == 1 ? "is" : "are", names, more);

    put_new(f->a, object, "vrids", vrids);
}

static void add_readiness(struct findings *f, const struct pool_view *p)
{
    uint8_t index = f->a->view->config->core.pools[f->pool].link;
    const char *interface = f->a->view->config->links[index];
    const struct kernel_link *link = &f->a->view->links[index];

    if (p->ready)
        return;
    add(f, ALARM, "not_ready", "interface %s %s: this host takes no part", interface,
        !link->present ? "does not exist"
        : !link->up    ? "is down"
                       : "has no address to speak from");
}

static void add_rival(struct findings *f)
{
    uint8_t link = f->a->view->config->core.pools[f->pool].link;
    char text[RIVAL_TEXT_MAX];

    if (f->a->view->config->core.pools[f->pool].family == FAMILY_IPV4 && rival_text(f->a->view, link, text))
        add(f, ALARM, "duplicate_address", "%s", text);
}

static void add_own_state(struct findings *f, const struct pool_view *p)
{
    add_rival(f);
    add_readiness(f, p);
    switch ((enum isolation_state)p->isolation) {
    case ISOLATION_DEAF:
        add(f, ALARM, "isolated", "this host is isolated: it hears nobody, so it claims nothing");
        break;
    case ISOLATION_MUTE:
        add(f, ALARM, "isolated", "this host is isolated: nobody hears it, so it holds nothing");
        break;
    case ISOLATION_NONE:
    case ISOLATION_PROBING:
    case ISOLATION_STATE_COUNT:
        break;
    }
    if (!addr_is_none(&p->one_way)) {
        char text[ADDR_TEXT_MAX];

        add(f, ALARM, "one_way", "%s does not hear this host, which holds nothing therefore",
            addr_format(&p->one_way, text));
    }
    if (p->leaving)
        add(f, WARNING, "leaving", "this host is leaving");
    else if (p->drained)
        add(f, WARNING, "drained",
            "this host is drained, it holds only what nobody else can (keelctl undrain ends it)");
}

/* Over when it is told, but the next one is near where the first came from. */
static void add_stall(struct findings *f)
{
    const struct daemon_pool_view *p = &f->a->view->pools[f->pool];
    char ago[AGO_TEXT_MAX];

    if (p->stalled_us == 0 || mono_diff_us(f->a->view->now, p->stalled_at) >= (int64_t)STALL_RECENT_S * US_PER_S)
        return;
    f->stall_told = true;
    add(f, WARNING, "stalled", "this host slept for %.1f s, longer than its lease, and gave up what it held %s ago",
        (double)p->stalled_us / US_PER_S, ago_text(f->a, p->stalled_at, ago));
}

static void add_members(struct findings *f, const struct pool_view *p)
{
    const struct daemon_view *view = f->a->view;

    for (unsigned i = 0; i < p->member_count; i++) {
        struct member_view m;
        char text[MEMBER_TEXT_MAX];
        json_t *object = NULL;

        core_view_member(view->core, f->pool, i, view->now, &m);
        member_text(view, f->pool, &m.address, text);
        if (m.state == MEMBER_DEAD && !mono_is_never(m.last_heard))
            object = add(f, WARNING, "member_dead", "member %s is dead, not heard for %.1f s", text,
                         (double)mono_diff_us(view->now, m.last_heard) / US_PER_S);
        else if (m.state == MEMBER_RESERVE && !m.self)
            object = add(f, WARNING, "member_reserve", "member %s is a reserve: drained, or just starting", text);
        if (object != NULL)
            put_address(f->a, object, "member", &m.address);
    }
}

static void add_filter(struct findings *f)
{
    char text[FILTER_TEXT_MAX];

    if (filter_text(f->a->view, f->pool, text))
        add(f, WARNING, "filter", "%s", text);
}

/* What the pool tracks: a fault is why this host is a reserve. */
static void add_trackers(struct findings *f)
{
    struct tracker_finding tracker;

    for (unsigned i = 0; tracker_text(f->a, TRACK_POOL, f->pool, 0, i, &tracker); i++) {
        if (tracker.fault)
            add(f, ALARM, "fault", "%s; this host holds nothing until that is over", tracker.text);
        else if (tracker.failed)
            add(f, WARNING, "tracker", "%s", tracker.text);
    }
}

json_t *attention_array(struct answer *a, unsigned first, unsigned end)
{
    struct findings f = {.a = a, .list = {new_array(a), new_array(a)}};

    for (f.pool = first; f.pool < end; f.pool++) {
        struct pool_view p;

        if (f.pool >= a->view->config->core.pool_count) {
            instance_attention(a, f.pool, f.list[ALARM], f.list[WARNING]);
            if (!f.stall_told) /* a host sleeps as one */
                add_stall(&f);
            add_filter(&f);
            continue;
        }
        core_view_pool(a->view->core, f.pool, &p);
        if (p.ready) /* else it hears nobody, and who holds what is not known here */
            add_units(&f);
        add_unknown(&f);
        add_own_state(&f, &p);
        add_trackers(&f);
        add_members(&f, &p);
        add_stall(&f);
        add_filter(&f);
    }
    if (end > a->view->config->core.pool_count && end == settings_all_count(&a->view->config->core))
        group_attention(a, f.list[WARNING]);
    if (json_array_extend(f.list[ALARM], f.list[WARNING]) != 0)
        a->failed = true;
    json_decref(f.list[WARNING]);
    return f.list[ALARM];
}
