/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences for notes. One row per kind of note says how it reads; the pieces (who, which unit, why) are made the same
 * way for all. Called by the log and by history_json.c. It keeps nothing and allocates nothing.
 */
#include "daemon/note.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/mono.h"

#define WHO_MAX (SETTINGS_NAME_MAX + ADDR_TEXT_MAX + 4)

static const char *const reason_texts[] = {
    [REASON_NONE] = "",
    [REASON_STARTUP] = "this host begins to take part",
    [REASON_TIMEOUT] = "nobody was heard for it",
    [REASON_MEMBER_DEAD] = "its owner was not heard any more",
    [REASON_RELEASED] = "its owner released it",
    [REASON_STRONGER] = "somebody stronger claims it",
    [REASON_PREEMPTED] = "the stronger router displaced the weaker",
    [REASON_REBALANCE] = "planned move, to even the load",
    [REASON_PREFERRED] = "the configuration prefers another member",
    [REASON_OPERATOR] = "an operator asked for it",
    [REASON_DRAIN] = "its owner is being drained",
    [REASON_SHUTDOWN] = "the daemon stops, or a reload took it out",
    [REASON_LINK_DOWN] = "a link of it is down",
    [REASON_NO_ADDRESS] = "it has no address here to speak from",
    [REASON_STALL] = "this host had slept longer than its lease",
    [REASON_ISOLATED] = "this host is isolated",
    [REASON_ONE_WAY] = "its owner is not heard by a claimant: a one-way fault",
    [REASON_KERNEL] = "the kernel refused it",
    [REASON_HEARD] = "heard from its owner itself",
    [REASON_TRACKED] = "what it tracks",
    [REASON_GROUP] = "its group moves as one",
};
static_assert(ARRAY_LENGTH(reason_texts) == REASON_COUNT, "a text for each reason");

/* The same reason makes an instance fail and ends that; groups have words of their own. NULL: the text above. */
static const char *const fault_texts[REASON_COUNT] = {
    [REASON_TRACKED] = "what it tracks has failed",
    [REASON_GROUP] = "another member of its group is in Fault",
};
static const char *const recovery_texts[REASON_COUNT] = {
    [REASON_STARTUP] = "its interface can be used again",
    [REASON_TRACKED] = "what it tracks is good again",
    [REASON_GROUP] = "its group is no longer in Fault",
};

/*
 * How each kind of note reads after "POOL: " or "POOL: unit VRID (ADDRESS): ". %f from, %t to, %a whichever of them is
 * there, %s the value as seconds, %m as a MAC, %n as a number, %e as an errno, %i as the kind of isolation, %g as a
 * gap, %S the states, %w why.
 */
static const char *const templates[] = {
    [NOTE_UNIT_STATE] = "%S%w",
    [NOTE_UNIT_OWNER] = "owner %f -> %t%w%g",
    [NOTE_MEMBER_JOINED] = "member %t is there now, share %n",
    [NOTE_MEMBER_LEFT] = "member %f has left in order",
    [NOTE_MEMBER_DEAD] = "member %f is taken for dead: not heard for %s",
    [NOTE_MEMBER_RESERVE] = "member %t is a reserve now: it holds only what nobody else can",
    [NOTE_MEMBER_ACTIVE] = "member %t takes its part of the load again, share %n",
    [NOTE_MEMBERS_FULL] = "%f would be a member, but the table of members is full",
    [NOTE_MEMBER_VRID] = "this host's own member router now uses VRID %n",
    [NOTE_CONTEST] = "two owners: %f also claims what %t holds",
    [NOTE_ONE_WAY] = "%f ignores our assertions: packets pass one way only between it and this host",
    [NOTE_ISOLATED] = "this host is isolated: %i",
    [NOTE_REJOINED] = "this host is no longer isolated",
    [NOTE_STALLED] = "this host slept for %s, longer than its lease: everything was given up, it listens first",
    [NOTE_STRANGER] = "held by the stranger %f, which is no member of the pool",
    [NOTE_ADDRESS_LIST] = "%f advertises another list of addresses than this host is configured with",
    [NOTE_MOVE_PASSED_OVER] = "the planned move to %t did not happen in time and is passed over",
    [NOTE_KERNEL_FAILED] = "the kernel refused its addresses: %e",
    [NOTE_INTERVAL_DIFFERS] = "%f advertises every %s, not as configured here",
    [NOTE_DUPLICATE_ADDRESS] = "somebody else sends from this host's own address %a",
    [NOTE_INSTANCE_STATE] = "%S%w",
    [NOTE_GROUP_STATE] = "%S%w",
    [NOTE_PRIORITY] = "its priority is now %n",
    [NOTE_WEAKER] = "the weaker %f advertises it too",
    [NOTE_CONFLICT] = "somebody else answers for %t, which this host holds: %m",
};
static_assert(ARRAY_LENGTH(templates) == NOTE_KINDS, "a sentence for each kind");

struct addr note_unit_address(const struct config *config, unsigned pool, unsigned unit)
{
    const struct config_unit *u = &config->pools[pool].units[unit];

    for (unsigned i = 0; i < u->vip_count; i++) {
        if (!addr_is_link_local(&u->vips[i].address))
            return u->vips[i].address;
    }
    return u->vip_count > 0 ? u->vips[0].address : ADDR_NONE;
}

static void copy_name(struct note *out, enum note_about about, const char *name)
{
    size_t length = strnlen(name, sizeof(out->name) - 1);

    out->about = (uint8_t)about;
    memset(out->name, 0, sizeof(out->name));
    memcpy(out->name, name, length);
}

/* The pool and its unit, or the instance. */
static void set_subject(const struct config *config, unsigned pool, unsigned unit, struct note *out)
{
    const struct pool_settings *settings = &config->core.pools[pool];

    copy_name(out, NOTE_ABOUT_POOL, settings->name);
    if (unit == EFFECT_NO_UNIT)
        return;
    if (settings->units[unit].instance != NULL)
        copy_name(out, NOTE_ABOUT_INSTANCE, settings->units[unit].instance->name);
    out->vrid = settings->units[unit].vrid;
    out->unit = note_unit_address(config, pool, unit);
}

void note_from_effect(const struct config *config, const struct effect *effect, struct note *out)
{
    *out = (struct note){
        .kind = effect->note,
        .reason = effect->reason,
        .from_state = effect->from_state,
        .to_state = effect->to_state,
        .from = effect->from,
        .to = effect->to,
        .value = effect->value,
    };
    if (effect->note == NOTE_GROUP_STATE)
        copy_name(out, NOTE_ABOUT_GROUP, config->instances->groups[effect->value].name);
    else
        set_subject(config, effect->pool, effect->unit, out);
}

void note_conflict(const struct config *config, unsigned pool, unsigned unit, const struct addr *address,
                   const uint8_t mac[6], struct note *out)
{
    *out = (struct note){.kind = NOTE_CONFLICT, .to = *address};
    set_subject(config, pool, unit, out);
    for (unsigned i = 0; i < 6; i++)
        out->value = out->value << 8 | mac[i];
}

const char *note_member_name(const struct config *config, const char *pool, const struct addr *member)
{
    for (unsigned p = 0; p < config->core.pool_count; p++) {
        const struct pool_settings *settings = &config->core.pools[p];

        if (strcmp(settings->name, pool) != 0)
            continue;
        for (unsigned i = 0; i < settings->name_count; i++) {
            if (addr_equal(&settings->names[i].address, member))
                return settings->names[i].name;
        }
    }
    return NULL;
}

/* "alpha (10.0.0.2)", "10.0.0.2" or "nobody". */
static const char *who(const struct config *config, const struct note *note, const struct addr *a,
                       char text[static WHO_MAX])
{
    char address[ADDR_TEXT_MAX];

    if (addr_is_none(a))
        return "nobody";
    addr_format(a, address);
    const char *name = note->about == NOTE_ABOUT_POOL ? note_member_name(config, note->name, a) : NULL;
    if (name != NULL)
        snprintf(text, WHO_MAX, "%s (%s)", name, address);
    else
        snprintf(text, WHO_MAX, "%s", address);
    return text;
}

/* Appends `length` bytes of `piece`, cut to what fits. */
static void append(char text[static NOTE_TEXT_MAX], size_t *used, const char *piece, size_t length)
{
    size_t room = NOTE_TEXT_MAX - 1 - *used;

    length = length < room ? length : room;
    memcpy(text + *used, piece, length);
    *used += length;
    text[*used] = '\0';
}

static void format_mac(int64_t mac, char text[static WHO_MAX])
{
    size_t used = 0;

    for (unsigned shift = 48; shift > 0; shift -= 8)
        used += (size_t)snprintf(text + used, WHO_MAX - used, "%s%02x", used == 0 ? "" : ":",
                                 (unsigned)(mac >> (shift - 8)) & 0xff);
}

/* Nothing when it is not known. */
static const char *gap_text(int64_t us, char text[static WHO_MAX])
{
    if (us < 0)
        return "";
    if (us < US_PER_MS / 10)
        return ", without a gap";
    snprintf(text, WHO_MAX, ", %.1f ms without owner", (double)us / US_PER_MS);
    return text;
}

/* What stands for one letter of a template; `buffer` is for pieces that have to be made. */
static const char *expand(const struct config *config, const struct note *note, char letter,
                          char buffer[static WHO_MAX])
{
    switch (letter) {
    case 'f':
        return who(config, note, &note->from, buffer);
    case 't':
        return who(config, note, &note->to, buffer);
    case 'a':
        return who(config, note, addr_is_none(&note->from) ? &note->to : &note->from, buffer);
    case 's':
        snprintf(buffer, WHO_MAX, "%.3f s", (double)note->value / US_PER_S);
        return buffer;
    case 'n':
        snprintf(buffer, WHO_MAX, "%" PRId64, note->value);
        return buffer;
    case 'm':
        format_mac(note->value, buffer);
        return buffer;
    case 'e':
        return strerror((int)note->value);
    case 'i':
        return note->value == 0 ? "it hears nobody, so it claims nothing" : "nobody hears it, so it holds nothing";
    case 'g':
        return gap_text(note->value, buffer);
    case 'S':
        snprintf(buffer, WHO_MAX, "%s -> %s", note_state_name(note, note->from_state),
                 note_state_name(note, note->to_state));
        return buffer;
    case 'w':
        snprintf(buffer, WHO_MAX, "%s%s", note->reason == REASON_NONE ? "" : ": ", note_cause(note));
        return buffer;
    default:
        CHECK(letter == '%');
        return "%";
    }
}

const char *note_state_name(const struct note *note, uint8_t state)
{
    if (note->kind == NOTE_UNIT_STATE)
        return router_state_name((enum router_state)state);
    if (note->kind == NOTE_INSTANCE_STATE || note->kind == NOTE_GROUP_STATE)
        return instance_state_name((enum instance_state)state);
    return NULL;
}

/* "web", "web: unit 50 (192.0.2.50)", "instance V1", "group G". */
static void append_subject(const struct note *note, char text[static NOTE_TEXT_MAX], size_t *used)
{
    static const char *const kinds[] = {
        [NOTE_ABOUT_POOL] = "", [NOTE_ABOUT_INSTANCE] = "instance ", [NOTE_ABOUT_GROUP] = "group "};
    char buffer[WHO_MAX], address[ADDR_TEXT_MAX];

    append(text, used, kinds[note->about], strlen(kinds[note->about]));
    append(text, used, note->name, strlen(note->name));
    if (note->about != NOTE_ABOUT_POOL || note->vrid == 0)
        return;
    snprintf(buffer, sizeof(buffer), ": unit %u (%s)", note->vrid, addr_format(&note->unit, address));
    append(text, used, buffer, strlen(buffer));
}

void note_format(const struct config *config, const struct note *note, char text[static NOTE_TEXT_MAX])
{
    char buffer[WHO_MAX];
    size_t used = 0;

    CHECK(note->kind < NOTE_KINDS && note->reason < REASON_COUNT);
    append_subject(note, text, &used);
    append(text, &used, ": ", 2);
    for (const char *p = templates[note->kind]; *p != '\0';) {
        size_t plain = strcspn(p, "%");

        append(text, &used, p, plain);
        p += plain;
        if (*p == '%') {
            const char *piece = expand(config, note, p[1], buffer);

            append(text, &used, piece, strlen(piece));
            p += 2;
        }
    }
}

const char *note_reason_text(enum reason reason)
{
    CHECK(reason < REASON_COUNT);
    return reason_texts[reason];
}

const char *note_cause(const struct note *note)
{
    bool group = note->kind == NOTE_GROUP_STATE, fails = note->to_state == INSTANCE_FAULT;
    const char *text = NULL;

    CHECK(note->reason < REASON_COUNT);
    if (group && note->reason == REASON_GROUP)
        return fails                                ? "a member of it is in Fault"
               : note->from_state == INSTANCE_FAULT ? "no member of it is in Fault any more"
                                                    : "its members move as one";
    if ((group || note->kind == NOTE_INSTANCE_STATE) && (fails || note->from_state == INSTANCE_FAULT))
        text = fails ? fault_texts[note->reason] : recovery_texts[note->reason];
    return text != NULL ? text : reason_texts[note->reason];
}

const char *note_name(const struct note *note)
{
    return note->kind == NOTE_CONFLICT ? "conflict" : note_kind_name((enum note_kind)note->kind);
}

bool note_is_warning(const struct note *note)
{
    if (note->kind == NOTE_CONFLICT)
        return true;
    switch ((enum note_kind)note->kind) {
    case NOTE_MEMBER_DEAD:
    case NOTE_MEMBERS_FULL:
    case NOTE_CONTEST:
    case NOTE_ONE_WAY:
    case NOTE_ISOLATED:
    case NOTE_STALLED:
    case NOTE_STRANGER:
    case NOTE_ADDRESS_LIST:
    case NOTE_MOVE_PASSED_OVER:
    case NOTE_KERNEL_FAILED:
    case NOTE_INTERVAL_DIFFERS:
    case NOTE_DUPLICATE_ADDRESS:
    case NOTE_WEAKER:
        return true;
    case NOTE_UNIT_STATE:
    case NOTE_UNIT_OWNER:
    case NOTE_MEMBER_JOINED:
    case NOTE_MEMBER_LEFT:
    case NOTE_MEMBER_RESERVE:
    case NOTE_MEMBER_ACTIVE:
    case NOTE_MEMBER_VRID:
    case NOTE_REJOINED:
    case NOTE_INSTANCE_STATE:
    case NOTE_GROUP_STATE:
    case NOTE_PRIORITY:
    case NOTE_KIND_COUNT:
        break;
    }
    return false;
}
