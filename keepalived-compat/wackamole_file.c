/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader for wackamole.conf: words, "=", braces and comments; keywords in any case. Called by wackamole.c.
 */
#include "wackamole_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "compat_words.h"
#include "config/config.h"
#include "config/reader.h"
#include "config/suggest.h"

#define BLANKS " \t\r\n"

struct reading {
    struct wack_file *file;
    struct report *report;
    struct compat_list units, preferred, lost; /* the file's, as they grow */
    const char *next;                          /* the rest of the text */
    const char *line_at;                       /* where its line begins */
    unsigned line;
    bool failed;
    /* The token in hand: a word, or one of { } =. */
    const char *word; /* NULL: the file has ended */
    bool quoted;
    struct place place;
};

/* --- tokens --- */

static void skip_blanks(struct reading *reading)
{
    for (;; reading->next++) {
        if (*reading->next == '#')
            reading->next += strcspn(reading->next, "\n");
        if (*reading->next == '\n') {
            reading->line++;
            reading->line_at = reading->next + 1;
        } else if (*reading->next == '\0' || strchr(BLANKS, *reading->next) == NULL)
            return;
    }
}

static void advance(struct reading *reading)
{
    skip_blanks(reading);
    const char *start = reading->next;

    reading->place = (struct place){reading->file->path, reading->line, (unsigned)(start - reading->line_at) + 1};
    reading->quoted = *start == '"' || *start == '\'';
    if (*start == '\0') {
        reading->word = NULL;
        return;
    }
    size_t length = strchr("{}=", *start) != NULL ? 1 : strcspn(start, BLANKS "{}=#");

    if (reading->quoted) {
        const char closing[] = {*start++, '\n', '\0'};

        length = strcspn(start, closing);
        reading->next = start + length + (start[length] == closing[0]);
    } else
        reading->next = start + length;
    reading->word = arena_text(&reading->report->arena, start, length);
}

static bool at(const struct reading *reading, const char *word)
{
    return reading->word != NULL && !reading->quoted && strcasecmp(reading->word, word) == 0;
}

static bool at_sign(const struct reading *reading)
{
    return !reading->quoted && (at(reading, "{") || at(reading, "}") || at(reading, "="));
}

/* The first fault ends the reading: without line ends in the grammar, what follows would be guesswork. */
static void expected(struct reading *reading, const char *what)
{
    char quote[REPORT_QUOTE_MAX];

    if (!reading->failed)
        report_error(reading->report, reading->place, "%s where %s was expected",
                     reading->word == NULL ? "the file ends" : report_quote(reading->word, quote), what);
    reading->failed = true;
}

static bool take_sign(struct reading *reading, const char *sign)
{
    if (!at(reading, sign)) {
        expected(reading, sign);
        return false;
    }
    advance(reading);
    return true;
}

/* --- values --- */

static int take_number(struct reading *reading, int high)
{
    char *end = NULL;
    long value = reading->word == NULL ? 0 : strtol(reading->word, &end, 10);

    if (end == NULL || end == reading->word || *end != '\0' || value < 0 || value > high) {
        expected(reading, "a number");
        return 0;
    }
    advance(reading);
    return (int)value;
}

/* "5s", "2m", "1h"; seconds without a unit. */
static int take_interval(struct reading *reading)
{
    static const int DAY_S = 86400;
    char *end = NULL;
    long value = reading->word == NULL ? -1 : strtol(reading->word, &end, 10), unit = 1;

    if (end != NULL && end != reading->word && *end != '\0') {
        unit = strcasecmp(end, "s") == 0 ? 1 : strcasecmp(end, "m") == 0 ? 60 : strcasecmp(end, "h") == 0 ? 3600 : 0;
    }
    if (end == NULL || end == reading->word || unit == 0 || value < 0 || value > DAY_S / unit) {
        expected(reading, "a time such as 5s or 2m, at most a day");
        return 0;
    }
    advance(reading);
    return (int)(value * unit);
}

/* `text` as [interface:]a.b.c.d/length[nN]. False when it is none. */
static bool read_address(struct reading *reading, const char *text, struct wack_address *out)
{
    const char *colon = strrchr(text, ':'), *start = colon == NULL ? text : colon + 1, *slash = strchr(start, '/');
    char *end;

    if (slash == NULL || slash - start >= ADDR_TEXT_MAX || slash[1] < '0' || slash[1] > '9')
        return false;
    *out = (struct wack_address){.place = reading->place, .length = (unsigned)strtoul(slash + 1, &end, 10)};
    if (*end == 'n' && end[1] >= '0' && end[1] <= '9')
        strtoul(end + 1, &end, 10);
    if (*end != '\0' || out->length > 32 || (colon != NULL && (colon == text || colon - text >= CONFIG_INTERFACE_MAX)))
        return false;
    if (colon != NULL)
        out->interface = arena_text(&reading->report->arena, text, (size_t)(colon - text));
    return addr_parse(arena_text(&reading->report->arena, start, (size_t)(slash - start)), &out->address) &&
           out->address.family == FAMILY_IPV4;
}

static void take_address(struct reading *reading, struct compat_list *addresses)
{
    struct wack_address address;

    if (reading->word == NULL || !read_address(reading, reading->word, &address)) {
        expected(reading, "an address such as eth0:192.0.2.1/24");
        return;
    }
    *(struct wack_address *)compat_push(&reading->report->arena, addresses, sizeof(address)) = address;
    advance(reading);
}

static void lose(struct reading *reading, const char *instead)
{
    struct wack_lost *lost = compat_push(&reading->report->arena, &reading->lost, sizeof(*lost));

    *lost = (struct wack_lost){reading->place, reading->word, instead};
}

/* --- settings: each begins at its keyword --- */

static void take_group(struct reading *reading)
{
    advance(reading);
    if (take_sign(reading, "=") && reading->word != NULL && !at_sign(reading)) {
        reading->file->group = reading->word;
        advance(reading);
    } else
        expected(reading, "the group's name");
}

static void take_mature(struct reading *reading)
{
    advance(reading);
    if (take_sign(reading, "="))
        reading->file->mature_s = take_interval(reading);
}

static void take_balance_word(struct reading *reading)
{
    bool moves = at(reading, "AcquisitionsPerRound");

    if (!moves && !at(reading, "interval")) {
        expected(reading, "AcquisitionsPerRound, interval or }");
        return;
    }
    advance(reading);
    if (!take_sign(reading, "="))
        return;
    if (!moves)
        reading->file->interval_s = take_interval(reading);
    else if (at(reading, "all")) {
        reading->file->moves = -1;
        advance(reading);
    } else
        reading->file->moves = take_number(reading, 255);
}

static void take_balance(struct reading *reading)
{
    advance(reading);
    if (!take_sign(reading, "{"))
        return;
    while (!reading->failed && !at(reading, "}"))
        take_balance_word(reading);
    advance(reading);
}

static void take_unit(struct reading *reading)
{
    struct compat_list addresses = {0};

    if (at(reading, "{")) {
        advance(reading);
        do
            take_address(reading, &addresses);
        while (!reading->failed && !at(reading, "}"));
        advance(reading);
    } else
        take_address(reading, &addresses);
    if (addresses.count > 0) {
        struct wack_unit *unit = compat_push(&reading->report->arena, &reading->units, sizeof(*unit));

        unit->addresses = (struct wack_addresses){addresses.count, addresses.items};
    }
}

static void take_units(struct reading *reading)
{
    advance(reading);
    if (!take_sign(reading, "{"))
        return;
    while (!reading->failed && !at(reading, "}"))
        take_unit(reading);
    advance(reading);
}

static void take_preferred(struct reading *reading)
{
    advance(reading);
    if (at(reading, "none")) {
        advance(reading);
        return;
    }
    if (!at(reading, "{")) {
        take_address(reading, &reading->preferred);
        return;
    }
    advance(reading);
    while (!reading->failed && !at(reading, "}"))
        take_address(reading, &reading->preferred);
    advance(reading);
}

/* Whom it told of a take-over: words and addresses that say nothing to us. */
static void take_notify(struct reading *reading)
{
    lose(reading, "the whole LAN hears the gratuitous ARP of a take-over; garp_master_refresh repeats it");
    advance(reading);
    if (!at(reading, "{")) {
        advance(reading);
        return;
    }
    while (!reading->failed && !at(reading, "}")) {
        advance(reading);
        if (reading->word == NULL)
            expected(reading, "}");
    }
    advance(reading);
}

static void take_arp_cache(struct reading *reading)
{
    lose(reading, "the whole LAN hears the gratuitous ARP of a take-over; garp_master_refresh repeats it");
    advance(reading);
    if (take_sign(reading, "="))
        take_interval(reading);
}

static void take_unused(struct reading *reading)
{
    lose(reading, "not needed: hosts find each other by VRRP, keelctl talks to the daemon, the journal has the log");
    advance(reading);
    if (take_sign(reading, "="))
        advance(reading);
}

static void take_perl(struct reading *reading)
{
    lose(reading, "notify_master and notify_backup run programs in any language");
    advance(reading);
    advance(reading);
}

static void take_run(struct reading *reading)
{
    lose(reading, "give the program that does this to notify_master (up) or notify_backup (down)");
    advance(reading);
    advance(reading);
    if (!at(reading, "on") && !at(reading, "post"))
        expected(reading, "\"on up\", \"on down\", \"post up\" or \"post down\"");
    advance(reading);
    if (!at(reading, "up") && !at(reading, "down"))
        expected(reading, "\"up\" or \"down\"");
    advance(reading);
}

static const struct {
    const char *name;
    void (*take)(struct reading *reading);
} settings[] = {
    {"VirtualInterfaces", take_units},
    {"VIFs", take_units},
    {"VIPs", take_units},
    {"Prefer", take_preferred},
    {"Balance", take_balance},
    {"Mature", take_mature},
    {"Group", take_group},
    {"Notify", take_notify},
    {"Arp-Cache", take_arp_cache},
    {"Spread", take_unused},
    {"SpreadRetryInterval", take_unused},
    {"Control", take_unused},
    {"LogFacility", take_unused},
    {"ModuleDir", take_unused},
    {"PerlUseLib", take_perl},
    {"PerlUse", take_perl},
    {"RunDynamic", take_run},
};

static void take_setting(struct reading *reading)
{
    struct suggest suggest = suggest_start(reading->word);
    char quote[REPORT_QUOTE_MAX];

    for (unsigned i = 0; i < ARRAY_LENGTH(settings); i++) {
        if (at(reading, settings[i].name)) {
            settings[i].take(reading);
            return;
        }
        suggest_offer(&suggest, settings[i].name);
    }
    report_error(reading->report, reading->place, "unknown word %s%s%s", report_quote(reading->word, quote),
                 suggest.best != NULL ? "; did you mean " : "", suggest.best != NULL ? suggest.best : "");
    reading->failed = true;
}

/* --- the whole --- */

/* The file's text in the arena; NULL after an error was reported. */
static const char *read_text(const char *path, struct report *report)
{
    const char *why, *text = NULL;
    size_t length;
    char *bytes = reader_file(path, false, &length, &why);

    if (bytes != NULL && memchr(bytes, '\0', length) != NULL)
        why = "it holds a zero byte, so it is no text";
    if (why != NULL)
        report_error(report, (struct place){.file = path}, "cannot be read: %s", why);
    else
        text = arena_text(&report->arena, bytes, length);
    free(bytes);
    return text;
}

void wack_file_read(struct wack_file *file, const char *path, struct report *report)
{
    struct reading reading = {.file = file, .report = report, .line = 1};

    *file = (struct wack_file){.path = path, .moves = 1, .interval_s = 4, .mature_s = 5};
    reading.next = reading.line_at = read_text(path, report);
    if (reading.next == NULL)
        return;
    advance(&reading);
    while (reading.word != NULL && !reading.failed)
        take_setting(&reading);
    file->units = reading.units.items;
    file->unit_count = reading.units.count;
    file->preferred = (struct wack_addresses){reading.preferred.count, reading.preferred.items};
    file->lost = reading.lost.items;
    file->lost_count = reading.lost.count;
    if (!reading.failed && file->unit_count == 0)
        report_error(report, (struct place){.file = path},
                     "there is no VirtualInterfaces block with an address to convert");
}
