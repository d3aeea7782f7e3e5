/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/member.h"

#include "base/check.h"

#define MEMBER_QUIET_INTERVALS 4 /* the heal of a partition takes one or two */

bool member_is_announced_by(const struct advert *advert)
{
    return advert->version == 3 && advert->priority < VRRP_PRIORITY_OWNER && advert->address_count == 1 &&
           addr_equal(&advert->addresses[0], &advert->source);
}

void members_init(struct members *members, const struct addr *self, int64_t interval_us, uint8_t share, struct mono now)
{
    members->count = 1;
    members->list[MEMBER_SELF] = (struct member){
        .address = *self,
        .share = share,
        .state = share == MEMBER_SHARE_RESERVE ? MEMBER_RESERVE : MEMBER_ACTIVE,
        .interval_us = interval_us,
        .last_heard = now,
        .since = now,
    };
}

const struct member *members_find_const(const struct members *members, const struct addr *address)
{
    for (unsigned i = 0; i < members->count; i++) {
        if (addr_equal(&members->list[i].address, address)) {
            return &members->list[i];
        }
    }
    return NULL;
}

struct member *members_find(struct members *members, const struct addr *address)
{
    const struct member *found = members_find_const(members, address);
    return found == NULL ? NULL : &members->list[found - members->list];
}

static struct member *members_oldest_gone(struct members *members)
{
    struct member *oldest = NULL;
    for (unsigned i = MEMBER_SELF + 1; i < members->count; i++) {
        struct member *m = &members->list[i];
        if (!member_is_alive(m) && (oldest == NULL || mono_after(oldest->since, m->since))) {
            oldest = m;
        }
    }
    return oldest;
}

struct member *members_add(struct members *members, const struct addr *address, struct mono now)
{
    struct member *m =
        members->count < PLAN_MEMBERS_MAX ? &members->list[members->count++] : members_oldest_gone(members);
    if (m != NULL) {
        *m = (struct member){.address = *address, .state = MEMBER_LEFT, .last_heard = now, .since = now};
    }
    return m;
}

void member_set_state(struct member *m, enum member_state state, struct mono now)
{
    if (m->state != state) {
        if (m->state == MEMBER_DEAD && state != MEMBER_LEFT) {
            m->quiet_until = mono_add(now, MEMBER_QUIET_INTERVALS * m->interval_us);
        }
        m->state = (uint8_t)state;
        m->since = now;
    }
}

struct mono member_dead_deadline(const struct member *m)
{
    return mono_add(m->last_heard, 3 * m->interval_us);
}

unsigned members_count_alive(const struct members *members)
{
    unsigned count = 0;
    for (unsigned i = 0; i < members->count; i++) {
        count += member_is_alive(&members->list[i]);
    }
    return count;
}

unsigned members_count_lost(const struct members *members, struct mono since_limit, struct mono now)
{
    unsigned count = 0;
    for (unsigned i = MEMBER_SELF + 1; i < members->count; i++) {
        const struct member *m = &members->list[i];
        bool lost = m->state == MEMBER_DEAD && mono_after(m->since, since_limit);
        count += lost || (member_is_alive(m) && !mono_due(now, m->quiet_until));
    }
    return count;
}
