/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances listen: which one an advertisement is for, what is refused and why, what it changes. */
#include "core/instance.h"

#include "base/check.h"

enum { AUTH_NONE, AUTH_SIMPLE, AUTH_HEADER, AUTH_COUNT }; /* RFC 3768 5.3.6 and RFC 2338 */

/* --- whose it is --- */

uint32_t instance_key(unsigned link, unsigned family, unsigned vrid)
{
    return (uint32_t)(link << 16 | family << 8 | vrid);
}

/* The first instance whose key is not below `key`: those of one VRID stand side by side. */
static unsigned instances_find(const struct instances *all, uint32_t key)
{
    unsigned low = 0, high = all->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (all->keys[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct addr instance_destination(const struct instance *i)
{
    return i->settings->unicast                         ? i->router.primary
           : !addr_is_none(&i->settings->group_address) ? i->settings->group_address
                                                        : wire_group((enum family)i->unit->family);
}

static bool instance_expects(const struct instance *i, const struct addr *destination)
{
    struct addr its = instance_destination(i);
    return addr_equal(&its, destination);
}

bool instances_expect(const struct instances *all, unsigned link, const struct addr *destination)
{
    unsigned k = instances_find(all, instance_key(link, destination->family, 0));
    uint32_t end = instance_key(link, destination->family, UINT8_MAX);
    for (; k < all->count && all->keys[k].key <= end; k++) {
        if (instance_expects(all->keys[k].instance, destination)) {
            return true;
        }
    }
    return false;
}

/* --- what is refused --- */

const char *instance_refusal_name(enum instance_refusal refusal)
{
    static const char *const names[] = {
        [REFUSED_NONE] = "none",
        [REFUSED_TTL] = "ttl",
        [REFUSED_LENGTH] = "length",
        [REFUSED_VERSION] = "version",
        [REFUSED_TYPE] = "type",
        [REFUSED_CHECKSUM] = "checksum",
        [REFUSED_NO_ADDRESSES] = "no_addresses",
        [REFUSED_IDLE] = "idle",
        [REFUSED_LOOPED] = "looped",
        [REFUSED_DESTINATION] = "destination",
        [REFUSED_SOURCE] = "source",
        [REFUSED_AUTH_INVALID] = "auth_invalid",
        [REFUSED_AUTH_MISMATCH] = "auth_mismatch",
        [REFUSED_AUTH_FAILURE] = "auth_failure",
        [REFUSED_INTERVAL] = "interval",
        [REFUSED_OWNER] = "owner",
    };
    _Static_assert(ARRAY_LENGTH(names) == INSTANCE_REFUSAL_COUNT, "a name for each refusal");
    CHECK(refusal < INSTANCE_REFUSAL_COUNT);
    return names[refusal];
}

/* What a router that is configured as this one would not send; not what this instance does not want now. */
static bool instance_shows_difference(enum instance_refusal refusal)
{
    return refusal != REFUSED_IDLE && refusal != REFUSED_LOOPED && refusal != REFUSED_OWNER;
}

static void instance_refuse(struct instance *i, const struct advert *advert, enum instance_refusal refusal)
{
    if (instance_shows_difference(refusal)) {
        i->refused_why = (uint8_t)refusal;
        i->refused_from = advert->source;
        i->refused_at = i->set->all->stepped;
    }
    i->counters.refused[refusal]++;
    i->counters.last_refused = (uint8_t)refusal;
    if (refusal == REFUSED_TTL || refusal == REFUSED_VERSION || refusal == REFUSED_CHECKSUM) {
        i->counters.last_protocol = (uint8_t)refusal;
    }
}

static const struct peer_settings *instance_find_peer(const struct instance *i, const struct addr *source)
{
    for (unsigned k = 0; k < i->settings->peer_count; k++) {
        if (addr_equal(&i->settings->peers[k].address, source)) {
            return &i->settings->peers[k];
        }
    }
    return NULL;
}

static enum instance_refusal instance_judge_peer(const struct instance *i, const struct advert *advert)
{
    const struct peer_settings *peer = instance_find_peer(i, &advert->source);
    if (peer == NULL) {
        return i->settings->check_unicast_source ? REFUSED_SOURCE : REFUSED_NONE;
    }
    return advert->ttl < peer->min_ttl || advert->ttl > peer->max_ttl ? REFUSED_TTL : REFUSED_NONE;
}

/* In a time that does not depend on where they differ. */
static bool instance_password_is_right(const struct instance *i, const struct advert *advert)
{
    unsigned differs = 0;
    for (unsigned k = 0; k < VRRP_AUTH_LENGTH; k++) {
        differs |= (unsigned)(i->settings->auth[k] ^ advert->auth[k]);
    }
    return differs == 0;
}

/* RFC 3768 7.1 with RFC 2338's types, told apart as RFC 2787 counts them. */
static enum instance_refusal instance_judge_auth(const struct instance *i, const struct advert *advert)
{
    if (advert->auth_type >= AUTH_COUNT) {
        return REFUSED_AUTH_INVALID;
    }
    if (advert->auth_type != i->settings->auth_type) {
        return REFUSED_AUTH_MISMATCH;
    }
    return advert->auth_type == AUTH_SIMPLE && !instance_password_is_right(i, advert) ? REFUSED_AUTH_FAILURE
                                                                                      : REFUSED_NONE;
}

/* RFC 9568 7.1, RFC 3768 7.1: the checks that need the virtual router. */
static enum instance_refusal instance_judge(const struct instance *i, const struct advert *advert)
{
    enum instance_refusal refusal = REFUSED_NONE;
    if (i->router.state == ROUTER_INITIALIZE) {
        return REFUSED_IDLE;
    }
    if (addr_equal(&advert->source, &i->router.primary)) {
        return REFUSED_LOOPED;
    }
    if (!instance_expects(i, &advert->destination)) {
        return REFUSED_DESTINATION;
    }
    if (i->settings->unicast && (refusal = instance_judge_peer(i, advert)) != REFUSED_NONE) {
        return refusal;
    }
    if (advert->version != i->unit->version) {
        return REFUSED_VERSION;
    }
    if (advert->version == 2 && (refusal = instance_judge_auth(i, advert)) != REFUSED_NONE) {
        return refusal;
    }
    if (advert->version == 2 && advert->interval_us != i->unit->advert_interval_us) {
        return REFUSED_INTERVAL; /* RFC 3768 7.1: MUST discard */
    }
    return i->settings->priority == VRRP_PRIORITY_OWNER && i->settings->owner_ignores ? REFUSED_OWNER : REFUSED_NONE;
}

bool instances_want_none(const struct instances *all, unsigned link, const struct advert *advert)
{
    uint32_t key = instance_key(link, advert->source.family, advert->vrid);
    for (unsigned k = instances_find(all, key); k < all->count && all->keys[k].key == key; k++) {
        if (all->keys[k].instance->unit->address_count == 0) {
            return true;
        }
    }
    return false;
}

void instances_refused(struct instances *all, unsigned link, const struct advert *advert, enum wire_result result)
{
    static const uint8_t refusals[WIRE_RESULT_COUNT] = {
        [WIRE_BAD_TTL] = REFUSED_TTL,           [WIRE_TOO_SHORT] = REFUSED_LENGTH,
        [WIRE_BAD_VERSION] = REFUSED_VERSION,   [WIRE_BAD_TYPE] = REFUSED_TYPE,
        [WIRE_BAD_CHECKSUM] = REFUSED_CHECKSUM, [WIRE_NO_ADDRESSES] = REFUSED_NO_ADDRESSES,
        [WIRE_BAD_INTERVAL] = REFUSED_INTERVAL, [WIRE_BAD_SOURCE] = REFUSED_SOURCE,
    };
    if (refusals[result] == REFUSED_NONE || advert->vrid == 0) {
        return; /* not to be told whose it was */
    }
    uint32_t key = instance_key(link, advert->source.family, advert->vrid);
    for (unsigned k = instances_find(all, key); k < all->count && all->keys[k].key == key; k++) {
        if (instance_expects(all->keys[k].instance, &advert->destination)) {
            instance_refuse(all->keys[k].instance, advert, (enum instance_refusal)refusals[result]);
        }
    }
}

/* --- what differs, and is processed nevertheless --- */

static void instance_compare_interval(struct instance *i, const struct advert *advert, struct effects *fx)
{
    if (advert->interval_us == i->unit->advert_interval_us) {
        return;
    }
    i->counters.interval_differs++;
    if (advert->interval_us != i->interval_noted_us) {
        i->interval_noted_us = advert->interval_us;
        struct effect *note = instance_note(i, NOTE_INTERVAL_DIFFERS, fx);
        note->from = advert->source;
        note->value = advert->interval_us;
    }
}

/* RFC 3768 says drop another list unless from the owner; we accept, because dropping makes two owners (2.5a). */
static void instance_compare_list(struct instance *i, const struct advert *advert, struct effects *fx)
{
    if (i->settings->skip_check_addresses && addr_equal(&i->list_checked, &advert->source)) {
        return;
    }
    i->list_checked = advert->source;
    if (wire_lists_same(advert, i->unit->addresses, i->unit->address_count)) {
        i->address_list_differs = i->address_list_differs && !addr_equal(&i->address_list_from, &advert->source);
        return;
    }
    i->counters.address_list_differs++;
    if (!i->address_list_differs || !addr_equal(&i->address_list_from, &advert->source)) {
        instance_note(i, NOTE_ADDRESS_LIST, fx)->from = advert->source;
    }
    i->address_list_differs = true;
    i->address_list_from = advert->source;
}

/* --- what it changes --- */

/* Of several Active ones the strongest is who will be left: the others hear it, if it still speaks. */
static void instance_note_holder(struct instance *i, const struct advert *advert, struct mono received)
{
    const struct instance_active *holder = &i->holder;
    bool same = holder->priority != 0 && addr_equal(&holder->address, &advert->source);
    bool stronger = advert->priority > holder->priority ||
                    (advert->priority == holder->priority && addr_compare(&advert->source, &holder->address) > 0);
    struct instance_active heard = {
        .priority = advert->priority,
        .address = advert->source,
        .interval_us = advert->interval_us,
        .heard = same ? mono_max(holder->heard, received) : received,
    };
    if (same || stronger || !instance_is_fresh(i, holder, received)) {
        i->holder = heard;
        i->runner_up = INSTANCE_NOBODY;
    } else {
        i->runner_up = heard;
    }
}

/*
 * preempt_delay: until it has run, a weaker Active is accepted as if it were not to be preempted at all; its first
 * advertisement starts the delay, and a stronger one ends it.
 */
static void instance_delay_preemption(struct instance *i, const struct advert *advert, struct mono now)
{
    struct router *r = &i->router;
    r->preempt = i->settings->preempt;
    if (!r->preempt || i->settings->preempt_delay_us == 0 || advert->priority == VRRP_PRIORITY_RELEASE) {
        return;
    }
    if (r->state != ROUTER_BACKUP || advert->priority >= r->priority) {
        i->preempt_at = MONO_NEVER;
        return;
    }
    if (mono_is_never(i->preempt_at)) {
        i->preempt_at = mono_add(now, i->settings->preempt_delay_us);
    }
    r->preempt = mono_due(now, i->preempt_at);
}

/* RFC 9568 6.4.2 has the timer fire after Skew_Time, whoever sent it; but a third router's goodbye says nothing about
 * an Active that was heard a moment ago, and would make two. */
static void instance_released(struct instance *i, const struct advert *advert, struct mono now)
{
    struct router *r = &i->router;
    bool from_another = !addr_equal(&i->holder.address, &advert->source) && instance_is_fresh(i, &i->holder, now);
    if (addr_equal(&i->runner_up.address, &advert->source)) {
        i->runner_up = INSTANCE_NOBODY;
    }
    if (r->state != ROUTER_BACKUP || from_another) {
        return;
    }
    struct instance_active next = i->runner_up;
    instance_clear_holder(i);
    i->holder = next;
    if (r->phase == PHASE_SETTLED) {
        router_wait(r, now, 0);
    }
}

/* We are Active and somebody weaker claims it: RFC 9568 6.4.3 has us say so at once, RFC 3768 has not. */
static void instance_weaker(struct instance *i, const struct advert *advert, struct mono now, struct effects *fx)
{
    struct router *r = &i->router;
    if (!i->settings->lower_no_advert) {
        bool answered = router_assert(r, now, fx);
        i->counters.asserted += answered;
        i->counters.assertions_held_back += !answered;
        if (answered && i->group != NULL) {
            i->group->claimed = true;
            group_mark(i);
        }
    }
    if (i->weaker_told.us == 0 || mono_diff_us(now, i->weaker_told) >= router_assert_spacing_us(r)) {
        i->weaker_told = now;
        instance_note(i, NOTE_WEAKER, fx)->from = advert->source;
    }
}

static void instance_accept(struct instance *i, const struct advert *advert, struct mono received, struct mono now,
                            struct effects *fx)
{
    struct router *r = &i->router;
    instance_delay_preemption(i, advert, now);
    bool yields = router_is_settled_active(r) && router_is_stronger(advert->priority, &advert->source, r);
    if (yields && i->settings->higher_advert) {
        router_advertise(r, fx);
    }
    switch (router_hear(r, advert, false, now, fx)) {
    case VERDICT_RELEASED:
        instance_released(i, advert, now);
        break;
    case VERDICT_ACCEPTED:
    case VERDICT_YIELDED:
        i->wants_active = false;
        instance_note_holder(i, advert, received);
        break;
    case VERDICT_IGNORED: /* weaker: it will be preempted */
        instance_note_holder(i, advert, received);
        break;
    case VERDICT_WEAKER:
        instance_weaker(i, advert, now, fx);
        break;
    case VERDICT_CLAIMED: /* between members of a pool only */
        break;
    }
    instance_refresh(i, REASON_STRONGER, now, fx); /* yielded while it was being released: no Backup then */
}

static void instance_hear(struct instance *i, const struct advert *advert, struct mono received, struct mono now,
                          struct effects *fx)
{
    enum instance_refusal refusal = instance_judge(i, advert);
    if (refusal != REFUSED_NONE) {
        instance_refuse(i, advert, refusal);
        return;
    }
    i->counters.adverts_received++;
    i->counters.zero_received += advert->priority == VRRP_PRIORITY_RELEASE;
    i->highest_other = advert->priority > i->highest_other ? advert->priority : i->highest_other;
    i->checksum_heard = advert->checksum;
    instance_compare_interval(i, advert, fx);
    instance_compare_list(i, advert, fx);
    instance_accept(i, advert, received, now, fx);
}

bool instances_hear(struct instances *all, unsigned link, const struct advert *advert, struct mono received,
                    struct mono now, struct effects *fx)
{
    uint32_t key = instance_key(link, advert->source.family, advert->vrid);
    unsigned first = instances_find(all, key);
    bool shared = first + 1 < all->count && all->keys[first + 1].key == key, known = false;
    for (unsigned k = first; k < all->count && all->keys[k].key == key; k++) {
        struct instance *i = all->keys[k].instance;
        if (shared && i->settings->unicast && instance_find_peer(i, &advert->source) == NULL) {
            continue; /* one VRID may serve several circles of unicast peers */
        }
        instance_hear(i, advert, received, now, fx);
        known = true;
    }
    return known;
}
