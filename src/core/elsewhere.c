/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address of a unit that a member advertises under another VRID. Hosts have different files then: a reload has given
 * the address another VRID, and not all have read of it yet, or somebody made a mistake. Who has an address keeps it:
 * nobody takes the unit while the other one is heard, so that no address is answered twice (doc/design.md 2.11). A unit
 * is known by its first address, or by the first that is not in our list of that VRID. Called by pool_hear.c, pool.c
 * and pool_tick.c.
 */
#include "core/pool.h"

bool elsewhere_is_of(const struct unit *u, const struct addr *address)
{
    for (unsigned i = 0; i < u->settings->address_count; i++) {
        if (addr_equal(&u->settings->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* A unit that waits for it waits as long. */
static void elsewhere_set(struct unit *u, struct mono until)
{
    struct router *r = &u->router;
    if (mono_add(r->down_base, r->down_wait_us).us == u->elsewhere_until.us) {
        router_postpone(r, until);
    }
    u->elsewhere_until = until;
}

/* It is free now, as far as this host knows; but those who have the other file may take it once more, and they do so
 * within a member interval. */
static void elsewhere_ends(const struct pool *p, struct unit *u, struct mono now)
{
    elsewhere_set(u, mono_add(now, p->settings->member_interval_us * 3 / 2));
}

/* This host has it, or is about to, and so is another one: as for a single VRID, the weaker one yields. */
static void elsewhere_contest(struct unit *u, const struct advert *advert, struct mono now, struct effects *fx)
{
    struct router *r = &u->router;
    if (r->phase == PHASE_TAKING) {
        router_give_up(r, now, router_silence_us(r), REASON_STRONGER, fx);
    } else if (router_is_settled_active(r) && router_is_stronger(advert->priority, &advert->source, r)) {
        router_release(r, REASON_STRONGER, true, fx);
    }
}

void elsewhere_heard(struct pool *p, const struct advert *advert, const struct addr *address, struct mono received,
                     struct mono now, struct effects *fx)
{
    for (unsigned i = 0; i < p->settings->unit_count; i++) {
        struct unit *u = &p->units[i];
        if (u->settings->vrid == advert->vrid || !elsewhere_is_of(u, address)) {
            continue;
        }
        if (advert->priority != VRRP_PRIORITY_RELEASE) {
            u->elsewhere_vrid = advert->vrid;
            u->elsewhere_from = advert->source;
            /* Longer than its silence may last, whatever its lease is (2.4 c). */
            elsewhere_set(u, mono_add(received, 4 * (int64_t)advert->interval_us));
            elsewhere_contest(u, advert, now, fx);
        } else if (u->elsewhere_vrid == advert->vrid && addr_equal(&u->elsewhere_from, &advert->source)) {
            elsewhere_ends(p, u, received);
        }
    }
}

struct addr elsewhere_named(const struct advert *advert)
{
    for (unsigned i = 0; i < advert->address_count; i++) {
        if (!addr_is_link_local(&advert->addresses[i])) {
            return advert->addresses[i];
        }
    }
    return advert->address_count > 0 ? advert->addresses[0] : ADDR_NONE;
}

void elsewhere_member_gone(const struct pool *p, struct unit *u, const struct addr *member, struct mono now)
{
    if (!mono_due(now, u->elsewhere_until) && addr_equal(&u->elsewhere_from, member)) {
        elsewhere_ends(p, u, now);
    }
}
