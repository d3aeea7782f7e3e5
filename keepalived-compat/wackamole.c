/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wackamole.conf of all hosts as one vrrp_pool: units with their VRIDs, the pace of balancing, and comments for
 * what has no counterpart. Reading is wackamole_file.c's.
 */
#include "wackamole.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "convert_out.h"
#include "wackamole_file.h"

struct wack_work {
    unsigned file_count;
    struct wack_file files[WACKAMOLE_FILES_MAX];
    const char *interface; /* the pool's */
};

/* --- one list of units for all hosts --- */

static bool list_has(const struct wack_addresses *list, const struct addr *address)
{
    for (unsigned i = 0; i < list->count; i++)
        if (addr_equal(&list->list[i].address, address))
            return true;
    return false;
}

/* The unit of `file` that `address` is in, or NULL. */
static struct wack_unit *file_unit(const struct wack_file *file, const struct addr *address)
{
    for (unsigned i = 0; i < file->unit_count; i++)
        if (list_has(&file->units[i].addresses, address))
            return &file->units[i];
    return NULL;
}

/* Whether the address is in one of the first `units` units, or among the first `count` of `unit`. */
static bool is_listed(const struct wack_file *file, unsigned units, const struct wack_unit *unit, unsigned count,
                      const struct addr *address)
{
    const struct wack_addresses before = {.count = count, .list = unit->addresses.list};

    for (unsigned u = 0; u < units; u++)
        if (list_has(&file->units[u].addresses, address))
            return true;
    return list_has(&before, address);
}

static void unit_drop_repeated(struct wack_file *file, unsigned units, struct wack_unit *unit, struct report *report)
{
    unsigned kept = 0;
    char text[ADDR_TEXT_MAX];

    for (unsigned a = 0; a < unit->addresses.count; a++) {
        const struct wack_address address = unit->addresses.list[a];

        if (is_listed(file, units, unit, kept, &address.address))
            report_warning(report, address.place, "%s is listed before; it is left out here",
                           addr_format(&address.address, text));
        else
            unit->addresses.list[kept++] = address;
    }
    unit->addresses.count = kept;
}

/* What Wackamole's own manual does: the same address in several lines. */
static void file_drop_repeated(struct wack_file *file, struct report *report)
{
    unsigned units = 0;

    for (unsigned u = 0; u < file->unit_count; u++) {
        struct wack_unit unit = file->units[u];

        unit_drop_repeated(file, units, &unit, report);
        if (unit.addresses.count > 0)
            file->units[units++] = unit;
    }
    file->unit_count = units;
}

static bool units_equal(const struct wack_unit *a, const struct wack_unit *b)
{
    for (unsigned i = 0; i < b->addresses.count; i++)
        if (!list_has(&a->addresses, &b->addresses.list[i].address))
            return false;
    return a->addresses.count == b->addresses.count;
}

/* Wackamole wants the same list on every host, interfaces and lengths apart. */
static void compare_units(const struct wack_file *first, const struct wack_file *other, struct report *report)
{
    char text[ADDR_TEXT_MAX];

    for (unsigned u = 0; u < first->unit_count; u++) {
        const struct wack_address *head = &first->units[u].addresses.list[0];
        const struct wack_unit *unit = file_unit(other, &head->address);

        if (unit == NULL)
            report_error(report, head->place, "%s does not have %s; the lists must be the same on all hosts",
                         other->path, addr_format(&head->address, text));
        else if (!units_equal(&first->units[u], unit))
            report_error(report, head->place, "%s:%u has %s together with other addresses; expected the same groups",
                         other->path, unit->addresses.list[0].place.line, addr_format(&head->address, text));
    }
}

static void compare_files(const struct wack_work *work, struct report *report)
{
    for (unsigned i = 1; i < work->file_count; i++) {
        compare_units(&work->files[0], &work->files[i], report);
        if (report->error_count == 0)
            compare_units(&work->files[i], &work->files[0], report);
    }
}

/* The interface of most units' first addresses. */
static const char *choose_interface(const struct wack_file *file)
{
    const char *best = NULL;
    unsigned most = 0;

    for (unsigned u = 0; u < file->unit_count; u++) {
        const char *name = file->units[u].addresses.list[0].interface;
        unsigned count = 0;

        for (unsigned v = 0; name != NULL && v < file->unit_count; v++) {
            const char *other = file->units[v].addresses.list[0].interface;

            count += other != NULL && strcmp(name, other) == 0;
        }
        if (count > most) {
            most = count;
            best = name;
        }
    }
    return best;
}

/* --- comments --- */

typedef bool lost_alike(const struct wack_lost *a, const struct wack_lost *b);

static bool same_word(const struct wack_lost *a, const struct wack_lost *b)
{
    return strcasecmp(a->word, b->word) == 0;
}

static bool same_instead(const struct wack_lost *a, const struct wack_lost *b)
{
    return strcmp(a->instead, b->instead) == 0;
}

/* Whether no entry before `index` of `file` is `alike`. */
static bool lost_is_first(const struct wack_work *work, unsigned file, unsigned index, lost_alike *alike)
{
    const struct wack_lost *lost = &work->files[file].lost[index];

    for (unsigned f = 0; f <= file; f++)
        for (unsigned i = 0; i < (f == file ? index : work->files[f].lost_count); i++)
            if (alike(&work->files[f].lost[i], lost))
                return false;
    return true;
}

/* All words that have the same counterpart, in one line. */
static void print_alike(const struct wack_work *work, const struct wack_lost *first, FILE *out)
{
    const char *separator = "";

    fprintf(out, "# %s:%u: ", first->place.file, first->place.line);
    for (unsigned f = 0; f < work->file_count; f++)
        for (unsigned i = 0; i < work->files[f].lost_count; i++) {
            const struct wack_lost *lost = &work->files[f].lost[i];

            if (!same_instead(lost, first) || !lost_is_first(work, f, i, same_word))
                continue;
            fprintf(out, "%s%s", separator, lost->word);
            separator = ", ";
        }
    fprintf(out, " - %s\n", first->instead);
}

static void print_lost(const struct wack_work *work, FILE *out)
{
    const char *heading = "#\n# Not carried over:\n";

    for (unsigned f = 0; f < work->file_count; f++)
        for (unsigned i = 0; i < work->files[f].lost_count; i++) {
            if (!lost_is_first(work, f, i, same_instead))
                continue;
            fputs(heading, out);
            print_alike(work, &work->files[f].lost[i], out);
            heading = "";
        }
}

/* Interfaces may have other names on other hosts, here they may not. */
static void print_interfaces(const struct wack_work *work, FILE *out)
{
    for (unsigned f = 1; f < work->file_count; f++) {
        const char *interface = choose_interface(&work->files[f]);

        if (interface != NULL && strcmp(interface, work->interface) != 0)
            fprintf(out,
                    "# %s calls the interface %s. Give it the same name on every host, or write both lines and mark\n"
                    "# each with the host it is for: \"@HOST interface %s\" (keelctl check --config-id HOST).\n",
                    work->files[f].path, interface, interface);
    }
}

static bool anybody_prefers(const struct wack_work *work)
{
    for (unsigned f = 0; f < work->file_count; f++)
        if (work->files[f].preferred.count > 0)
            return true;
    return false;
}

static uint32_t bits_of(const struct addr *address)
{
    const uint8_t *b = address->bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A preferred address stands for its whole network, and for the unit that an address of it is the first of. */
static bool file_prefers(const struct wack_file *file, const struct wack_unit *unit)
{
    uint32_t head = bits_of(&unit->addresses.list[0].address);

    for (unsigned i = 0; i < file->preferred.count; i++) {
        const struct wack_address *preferred = &file->preferred.list[i];
        uint32_t mask = preferred->length == 0 ? 0 : UINT32_MAX << (32 - preferred->length);

        if ((bits_of(&preferred->address) & mask) == (head & mask))
            return true;
    }
    return false;
}

/* --- the pool --- */

static void print_name(const struct wack_file *file, FILE *out)
{
    const char *group = file->group != NULL && *file->group != '\0' ? file->group : "wackamole";

    fputs("vrrp_pool ", out);
    for (unsigned i = 0; group[i] != '\0' && i < SETTINGS_NAME_MAX - 1; i++) {
        char c = group[i];
        bool usable =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';

        fputc(usable ? c : '_', out);
    }
    fputs(" {\n", out);
}

static void print_balance(const struct wack_file *file, FILE *out)
{
    fprintf(out, "    startup_delay %d  # Mature\n", file->mature_s);
    if (file->moves == 0)
        fputs("    rebalance off  # AcquisitionsPerRound = 0\n", out);
    else if (file->moves < 0)
        fputs("    rebalance_moves all\n", out);
    else
        fprintf(out, "    rebalance_moves %d\n", file->moves);
    if (file->moves != 0)
        fprintf(out, "    rebalance_interval %d\n", file->interval_s > 0 ? file->interval_s : 1);
}

/* The address that a unit's VRID follows from: its first one on the pool's interface. */
static const struct addr *unit_head(const struct wack_work *work, const struct wack_unit *unit)
{
    for (unsigned a = 0; a < unit->addresses.count; a++) {
        const struct wack_address *address = &unit->addresses.list[a];

        if (address->interface == NULL || strcmp(address->interface, work->interface) == 0)
            return &address->address;
    }
    return &unit->addresses.list[0].address;
}

/* Every unit its address's last byte, which is also what a unit gets that is added later; who comes too late a free
 * one. */
static void choose_vrids(const struct wack_work *work, unsigned *vrids)
{
    const struct wack_file *file = &work->files[0];
    bool used[256] = {[0] = true};

    for (unsigned u = 0; u < file->unit_count; u++) {
        unsigned byte = addr_last_byte(unit_head(work, &file->units[u]));

        vrids[u] = used[byte] ? 0 : byte;
        used[byte] = true;
    }
    for (unsigned u = 0, vrid = 1; u < file->unit_count; u++) {
        while (vrids[u] == 0 && vrid < 256 && used[vrid])
            vrid++;
        if (vrids[u] == 0 && vrid < 256) {
            vrids[u] = vrid;
            used[vrid] = true;
        }
    }
}

static void print_addresses(const struct wack_work *work, const struct wack_unit *unit, FILE *out)
{
    char text[ADDR_TEXT_MAX];

    for (unsigned a = 0; a < unit->addresses.count; a++) {
        const struct wack_address *address = &unit->addresses.list[a];

        fprintf(out, " %s/%u", addr_format(&address->address, text), address->length);
        if (address->interface != NULL && strcmp(address->interface, work->interface) != 0)
            fprintf(out, " dev %s", address->interface);
    }
}

static void print_unit(const struct wack_work *work, const struct wack_unit *unit, unsigned vrid, FILE *out)
{
    bool group = unit->addresses.count > 1;
    const char *separator = "  # preferred by ";

    fputs(group ? "        {" : "       ", out);
    print_addresses(work, unit, out);
    fputs(group ? " }" : "", out);
    if (vrid != addr_last_byte(unit_head(work, unit)))
        fprintf(out, " vrid %u", vrid);
    for (unsigned f = 0; f < work->file_count; f++)
        if (file_prefers(&work->files[f], unit)) {
            fprintf(out, "%s%s", separator, work->files[f].path);
            separator = ", ";
        }
    fputc('\n', out);
}

static void print_pool(const void *context, FILE *out)
{
    const struct wack_work *work = context;
    const struct wack_file *file = &work->files[0];
    unsigned *vrids = xalloc_array(file->unit_count, sizeof(*vrids));

    fputs("# Made by keelctl convert wackamole from\n", out);
    for (unsigned f = 0; f < work->file_count; f++)
        fprintf(out, "#   %s\n", work->files[f].path);
    fputs("# The same file goes to every host.\n", out);
    print_lost(work, out);
    fputs("\n", out);
    print_interfaces(work, out);
    if (anybody_prefers(work))
        fputs("# Some hosts preferred addresses; the files do not say which hosts these are. To keep that, name the "
              "hosts\n"
              "# with their own addresses in a members block, and add \"prefer HOST\" to those lines.\n",
              out);
    print_name(file, out);
    fprintf(out, "    interface %s\n", work->interface);
    print_balance(file, out);
    fputs("    virtual_ipaddress {\n", out);
    choose_vrids(work, vrids);
    for (unsigned u = 0; u < file->unit_count; u++)
        print_unit(work, &file->units[u], vrids[u], out);
    fputs("    }\n}\n", out);
    free(vrids);
}

/* --- the whole --- */

static void read_files(struct wack_work *work, unsigned count, char *const *files, struct report *report)
{
    for (unsigned f = 0; f < count; f++) {
        wack_file_read(&work->files[f], files[f], report);
        work->file_count++;
        file_drop_repeated(&work->files[f], report);
    }
    if (report->error_count > 0)
        return;
    compare_files(work, report);
    work->interface = choose_interface(&work->files[0]);
    if (work->interface == NULL)
        report_error(report, work->files[0].units[0].addresses.list[0].place,
                     "no address names an interface; expected eth0:192.0.2.1/24 or the like");
}

bool convert_wackamole(unsigned count, char *const *files, FILE *out, config_report *report, void *context)
{
    struct wack_work *work = xalloc_array(1, sizeof(*work));
    struct report findings = {0};

    if (count > WACKAMOLE_FILES_MAX)
        report_error(&findings, (struct place){.file = files[WACKAMOLE_FILES_MAX]},
                     "too many files; there can be %d hosts", WACKAMOLE_FILES_MAX);
    else
        read_files(work, count, files, &findings);
    bool good = report_deliver(&findings, report, context) && convert_out(print_pool, work, out, report, context);

    report_free(&findings);
    free(work);
    return good;
}
