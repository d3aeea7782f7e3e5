/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_probe's `layouts`: every table that the filter can make, as the kernel has no egress hook, or has; each is
 * installed, changed, closed and removed. It says which of them the kernel refuses.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "kernel_probe.h"
#include "platform/filter.h"

#define KINDS 4 /* of VIPs: IPv4, IPv6, and each keyed by its link */

struct sample {
    bool set, vmac, no_accept;
    enum filter_mode mode;
    bool egress;
    unsigned kinds; /* bits */
};

struct made {
    struct filter_table table;
    struct filter_unit units[KINDS];
    struct filter_vip vips[KINDS];
};

static void make_vip(const struct sample *sample, unsigned kind, struct made *made)
{
    static const char *const addresses[KINDS] = {"10.1.0.1", "fd00::1", "10.1.0.2", "fe80::2"};
    unsigned index = made->table.vip_count++;
    struct filter_unit *unit = &made->units[index];
    struct filter_vip *vip = &made->vips[index];

    *unit = (struct filter_unit){
        .link = "lo",
        .family = kind % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
        .version = 3,
        .vrid = (uint8_t)(index + 1),
        .ttl = 255,
        .lease_ms = 1000 + index,
        .alive_ms = 1000,
    };
    snprintf(unit->key, sizeof(unit->key), "unit %u", index);
    CHECK(addr_parse(kind % 2 ? "fe80::1" : "10.0.0.1", &unit->self));
    *vip = (struct filter_vip){
        .link = "lo",
        .unit = sample->set ? unit : NULL,
        .mac = {2, 0, 0, 0, 0, (uint8_t)index},
        .vmac = sample->vmac,
        .by_link = sample->set && kind >= 2,
        .no_accept = sample->set && sample->no_accept,
        .held = index % 2 == 0,
    };
    CHECK(addr_parse(addresses[kind], &vip->address));
}

static void make(const struct sample *sample, struct made *made)
{
    *made = (struct made){.table = {
                              .pool = "layout",
                              .mode = sample->mode,
                              .egress = sample->egress,
                              .use_vmac = sample->vmac && sample->egress,
                              .macvlan = sample->vmac && !sample->egress,
                              .set = sample->set,
                              .family = sample->kinds & 5 ? FAMILY_IPV4 : FAMILY_IPV6,
                              .pool_link = "lo",
                              .links = {"lo"},
                              .link_count = 1,
                              .lease_ms = 1000,
                              .alive_ms = 1000,
                          }};
    for (unsigned kind = 0; kind < KINDS; kind++)
        if (sample->kinds >> kind & 1)
            make_vip(sample, kind, made);
    made->table.vips = made->vips;
    made->table.units = made->units;
    made->table.unit_count = sample->set ? made->table.vip_count : 0;
    CHECK(addr_parse(made->table.family == FAMILY_IPV4 ? "10.0.0.1" : "fe80::1", &made->table.self));
}

/* 0 or the first error. */
static int try(struct filter *filter, const struct sample *sample)
{
    struct made made;

    make(sample, &made);
    int error = filter_install(filter, &made.table);

    for (unsigned i = 0; i < made.table.vip_count; i++)
        made.vips[i].held = !made.vips[i].held;
    const struct filter_change change = {
        .vips = made.vips,
        .vip_count = made.table.vip_count,
        .arm = !sample->set && sample->mode == FILTER_LEASE,
        .self = sample->mode == FILTER_LEASE,
    };

    if (error == 0)
        error = filter_change(filter, &made.table, &change);
    if (error == 0)
        error = filter_close_table(filter, "layout", sample->set && sample->kinds >= 4) == 1 ? 0 : -1;
    int removed = filter_remove_table(filter, "layout");

    return error < 0 ? error : removed;
}

void layouts_try(void)
{
    struct filter *filter;
    unsigned count = 0, bad = 0;

    CHECK(filter_open(1, &filter) == 0);
    for (unsigned bits = 0; bits < 1U << 9; bits++) {
        const struct sample sample = {
            .kinds = bits & 15,
            .set = bits >> 4 & 1,
            .mode = bits >> 5 & 1 ? FILTER_LEASE : FILTER_ON,
            .egress = bits >> 6 & 1,
            .vmac = bits >> 7 & 1,
            .no_accept = bits >> 8 & 1,
        };

        /* The lease needs the hook. */
        if (sample.kinds == 0 || (sample.mode == FILTER_LEASE && !sample.egress))
            continue;
        int error = try(filter, &sample);

        count++;
        bad += error != 0;
        if (error != 0)
            printf("refused %#x: %d\n", bits, error);
    }
    printf("layouts %u %u\n", count, bad);
    filter_close(filter);
}
