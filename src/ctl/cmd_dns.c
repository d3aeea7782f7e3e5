/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keelctl dns: the addresses as records of a zone file, for names whose clients are spread by asking in turn. All
 * addresses, whoever holds them now: that somebody answers for each is the pool's business, and zones are cached.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/client.h"

struct zone {
    const char *name; /* of all records; NULL: each pool's or instance's own */
    json_t *records;
    unsigned skipped; /* addresses that mean nothing outside their link */
};

static void add_records(struct zone *zone, const json_t *owner, const json_t *vips)
{
    const char *name = zone->name != NULL ? zone->name : reply_text(owner, "name");
    json_t *vip;
    size_t i;

    json_array_foreach(vips, i, vip)
    {
        const char *address = reply_text(vip, "address");

        if (reply_is_link_local(address))
            zone->skipped++;
        else
            json_array_append_new(zone->records,
                                  json_pack("{s:s, s:s, s:s}", "name", name, "type",
                                            strchr(address, ':') != NULL ? "AAAA" : "A", "address", address));
    }
}

static void add_all(struct zone *zone, const json_t *answer)
{
    json_t *owner, *unit;
    size_t i, j;

    json_array_foreach(reply_get(answer, "pools"), i, owner)
    {
        json_array_foreach(reply_get(owner, "units"), j, unit) add_records(zone, owner, reply_get(unit, "vips"));
    }
    json_array_foreach(reply_get(answer, "instances"), i, owner) add_records(zone, owner, reply_get(owner, "vips"));
}

static int print_json(const struct zone *zone, const json_t *answer)
{
    json_t *out = json_pack("{s:s, s:s, s:O}", "schema", reply_text(answer, "schema"), "time",
                            reply_text(answer, "time"), "records", zone->records);
    int code = out != NULL ? client_print(out) : EX_OSERR;

    json_decref(out);
    return code;
}

static int print_zone(const struct zone *zone)
{
    const json_t *record;
    size_t i;

    json_array_foreach(zone->records, i, record) printf("%-15s IN %-4s %s\n", reply_text(record, "name"),
                                                        reply_text(record, "type"), reply_text(record, "address"));
    if (zone->skipped > 0)
        printf("; %u link-local address%s left out: no name leads to them\n", zone->skipped,
               zone->skipped == 1 ? " is" : "es are");
    return EX_OK;
}

int dns_command(const struct ctl *ctl, int argc, char **argv)
{
    struct zone zone = {.name = argc > 0 ? argv[0] : NULL};
    json_t *answer;
    int code = client_ask_all_pools(ctl, "list", &answer);

    if (code != EX_OK)
        return code;
    zone.records = json_array();
    add_all(&zone, answer);
    code = ctl->json ? print_json(&zone, answer) : print_zone(&zone);
    json_decref(zone.records);
    json_decref(answer);
    return code;
}
