/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of what the kernel has, and what must change. It decides nothing about ownership: `wanted` is the caller's.
 * Called by the kernel thread and kernel_clean.c.
 */
#include "platform/kernel_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static struct state_link *link_by_index(const struct state *state, int ifindex)
{
    for (unsigned i = 0; i < state->link_count; i++)
        if (state->links[i].ifindex == ifindex)
            return &state->links[i];
    return NULL;
}

static struct state_link *link_by_name(const struct state *state, const char *name)
{
    for (unsigned i = 0; i < state->link_count; i++)
        if (strcmp(state->links[i].name, name) == 0)
            return &state->links[i];
    return NULL;
}

static bool is_macvlan(const struct state *state, const struct state_link *link)
{
    return link->parent != (unsigned)(link - state->links);
}

static struct state_vip *find_vip(const struct state *state, unsigned link, const struct addr *address)
{
    unsigned low = 0, high = state->vip_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct state_vip *vip = &state->vips[state->order[middle]];
        int difference = state_compare(vip->link, &vip->address, link, address);

        if (difference == 0)
            return vip;
        if (difference < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool state_elsewhere(const struct state *state, unsigned index)
{
    const struct state_vip *vip = &state->vips[index];

    for (unsigned link = 0; link < state->link_count; link++)
        if (link != vip->link && find_vip(state, link, &vip->address))
            return true;
    return false;
}

static void lose_vip(struct state_vip *vip)
{
    vip->lost = vip->lost || (vip->present && vip->wanted);
    vip->present = vip->ours = false;
}

/* The interface under another name is none of ours, and nothing there keeps it from answering. */
static void leave_behind(struct state *state, const struct state_link *link)
{
    for (unsigned i = 0; i < state->vip_count; i++) {
        struct state_vip *vip = &state->vips[i];

        if (&state->links[vip->place] == link && vip->place == vip->link && vip->present &&
            (vip->pool != STATE_STATIC || vip->ours))
            vip->stray_ifindex = link->ifindex;
    }
}

static void forget_strays(struct state *state, int ifindex)
{
    for (unsigned i = 0; i < state->vip_count; i++)
        if (state->vips[i].stray_ifindex == ifindex)
            state->vips[i].stray_ifindex = 0;
}

/* An interface that goes takes its addresses along: nobody took them away from us. */
static void forget_link(struct state *state, struct state_link *link)
{
    unsigned index = (unsigned)(link - state->links);

    for (unsigned i = 0; i < state->vip_count; i++) {
        struct state_vip *vip = &state->vips[i];

        if (vip->place != index && vip->link != index)
            continue;
        if (vip->link != index) {
            lose_vip(vip); /* only its macvlan is gone, which was ours */
        } else {
            vip->present = vip->lost = vip->ours = false;
            vip->misplaced_prefix = STATE_NO_PREFIX;
        }
        vip->stray_prefix = STATE_NO_PREFIX;
    }
    link->ifindex = 0;
    link->admin_up = link->carrier = false;
    link->own_count = 0;
    link->gateway_ipv4 = link->gateway_ipv6 = ADDR_NONE;
}

static void take_link(struct state *state, const struct netlink_event *event)
{
    struct state_link *before = event->ifindex ? link_by_index(state, event->ifindex) : NULL;
    struct state_link *link = link_by_name(state, event->name);

    if (before && before != link) { /* renamed */
        leave_behind(state, before);
        forget_link(state, before);
    }
    if (!link || event->ifindex == 0)
        return;
    if (link->ifindex != event->ifindex) {
        if (link->ifindex != 0)
            forget_link(state, link); /* re-created: the news of its end was lost or comes later */
        link->ifindex = event->ifindex;
        forget_strays(state, link->ifindex);
        state->routes_changed = true;
        state->link_came = state->link_came || !is_macvlan(state, link); /* one of ours comes without an address */
    }
    link->admin_up = event->admin_up;
    link->carrier = event->carrier;
    link->mtu = event->mtu;
    link->arp = event->arp;
    link->macvlan = event->macvlan;
    memcpy(link->mac, event->mac, sizeof(link->mac));
    link->seen = true;
}

static void take_own(struct state_link *link, const struct netlink_event *event)
{
    struct state_address *own = NULL;

    for (unsigned i = 0; i < link->own_count && !own; i++)
        if (addr_equal(&link->own[i].address, &event->address) && link->own[i].prefix_length == event->prefix_length)
            own = &link->own[i];
    if (!own) {
        if (link->own_count == link->own_capacity) {
            unsigned capacity = link->own_capacity * 2 + 4;
            struct state_address *grown = realloc(link->own, capacity * sizeof(*grown));

            if (!grown)
                return; /* one address fewer to choose the primary from */
            link->own = grown;
            link->own_capacity = capacity;
        }
        own = &link->own[link->own_count++];
    }
    *own = (struct state_address){
        .address = event->address,
        .prefix_length = event->prefix_length,
        .secondary = event->secondary,
        .usable = event->usable,
        .seen = true,
    };
}

static void drop_own(struct state_link *link, unsigned index)
{
    memmove(&link->own[index], &link->own[index + 1], (link->own_count - index - 1) * sizeof(*link->own));
    link->own_count--;
}

/* The VIP that an event at this link is about; *elsewhere: its place is another one. */
static struct state_vip *vip_of_event(const struct state *state, const struct state_link *link,
                                      const struct netlink_event *event, bool *elsewhere)
{
    struct state_vip *vip = find_vip(state, link->parent, &event->address);

    *elsewhere = vip && vip->place != (unsigned)(link - state->links);
    return vip;
}

static void take_address(struct state *state, const struct netlink_event *event)
{
    struct state_link *link = link_by_index(state, event->ifindex);
    bool elsewhere;

    if (!link || event->ifindex == 0)
        return;
    struct state_vip *vip = vip_of_event(state, link, event, &elsewhere);

    if (!is_macvlan(state, link) && (!vip || vip->pool == STATE_STATIC))
        take_own(link, event);
    if (elsewhere && !is_macvlan(state, link))
        vip->misplaced_prefix = event->prefix_length;
    if (!vip || elsewhere)
        return;
    if (vip->prefix_length == event->prefix_length) {
        vip->present = true;
        vip->lost = false;
        vip->peer = event->peer;
        vip->ours = vip->ours || event->protocol == NETLINK_PROTOCOL;
        state->seen[vip - state->vips] = true;
    } else {
        vip->stray_prefix = event->prefix_length;
    }
}

static void take_address_gone(struct state *state, const struct netlink_event *event)
{
    struct state_link *link = link_by_index(state, event->ifindex);
    bool elsewhere;

    if (!link || event->ifindex == 0)
        return;
    struct state_vip *vip = vip_of_event(state, link, event, &elsewhere);

    if (elsewhere) {
        if (!is_macvlan(state, link) && vip->misplaced_prefix == event->prefix_length)
            vip->misplaced_prefix = STATE_NO_PREFIX;
        return;
    }
    if (vip && vip->prefix_length == event->prefix_length)
        lose_vip(vip);
    else if (vip && vip->stray_prefix == event->prefix_length)
        vip->stray_prefix = STATE_NO_PREFIX;
    for (unsigned i = 0; (!vip || vip->pool == STATE_STATIC) && i < link->own_count; i++) {
        if (addr_equal(&link->own[i].address, &event->address) && link->own[i].prefix_length == event->prefix_length) {
            drop_own(link, i);
            break;
        }
    }
}

static void take_gateway(struct state *state, const struct netlink_event *event)
{
    struct state_link *link = link_by_index(state, event->ifindex);

    if (!link || event->ifindex == 0)
        return;
    bool ipv4 = event->address.family == FAMILY_IPV4;
    struct addr *gateway = ipv4 ? &link->gateway_ipv4 : &link->gateway_ipv6;
    uint32_t *metric = ipv4 ? &link->metric_ipv4 : &link->metric_ipv6;

    if (addr_is_none(gateway) || event->metric < *metric) {
        *gateway = event->address;
        *metric = event->metric;
    }
}

void state_event(void *context, const struct netlink_event *event)
{
    struct state *state = context;
    struct state_link *link;

    switch ((enum netlink_event_kind)event->kind) {
    case NETLINK_LINK:
        take_link(state, event);
        break;
    case NETLINK_LINK_GONE:
        link = event->ifindex ? link_by_index(state, event->ifindex) : NULL;
        if (link)
            forget_link(state, link);
        forget_strays(state, event->ifindex);
        break;
    case NETLINK_ADDRESS:
        take_address(state, event);
        break;
    case NETLINK_ADDRESS_GONE:
        take_address_gone(state, event);
        break;
    case NETLINK_GATEWAY:
        take_gateway(state, event);
        break;
    case NETLINK_ROUTE_CHANGED:
        state->routes_changed = true;
        break;
    case NETLINK_POLICY_CHANGED:
        break;
    }
}

void state_dump_begin(struct state *state)
{
    memset(state->seen, 0, state->vip_count * sizeof(*state->seen));
    for (unsigned i = 0; i < state->vip_count; i++)
        state->vips[i].stray_prefix = state->vips[i].misplaced_prefix = STATE_NO_PREFIX;
    for (unsigned i = 0; i < state->link_count; i++) {
        state->links[i].seen = false;
        for (unsigned a = 0; a < state->links[i].own_count; a++)
            state->links[i].own[a].seen = false;
    }
}

void state_dump_end(struct state *state)
{
    for (unsigned i = 0; i < state->link_count; i++) {
        struct state_link *link = &state->links[i];

        if (link->ifindex != 0 && !link->seen)
            forget_link(state, link);
        for (unsigned a = link->own_count; a-- > 0;)
            if (!link->own[a].seen)
                drop_own(link, a);
    }
    for (unsigned i = 0; i < state->vip_count; i++)
        if (!state->seen[i])
            lose_vip(&state->vips[i]);
    state->routes_changed = true;
    state->link_came = false;
}

void state_forget_gateways(struct state *state)
{
    for (unsigned i = 0; i < state->link_count; i++)
        state->links[i].gateway_ipv4 = state->links[i].gateway_ipv6 = ADDR_NONE;
    state->routes_changed = false;
}

/* The first that is no secondary, else the first: a VIP may have come before the host's own address and be the primary.
 * */
static struct addr choose_ipv4(const struct state_link *link)
{
    const struct state_address *best = NULL;

    for (unsigned i = 0; i < link->own_count; i++) {
        const struct state_address *own = &link->own[i];

        if (own->address.family == FAMILY_IPV4 && (!best || (best->secondary && !own->secondary)))
            best = own;
    }
    return best ? best->address : ADDR_NONE;
}

static struct addr choose_ipv6(const struct state_link *link)
{
    for (unsigned i = 0; i < link->own_count; i++)
        if (addr_is_link_local(&link->own[i].address) && link->own[i].usable)
            return link->own[i].address;
    return ADDR_NONE;
}

void state_link_view(const struct state *state, unsigned index, struct kernel_link *out)
{
    const struct state_link *link = &state->links[index];

    /* Views are compared as bytes to see a change, so padding counts. */
    memset(out, 0, sizeof(*out));
    if (link->ifindex == 0)
        return;
    out->present = true;
    out->up = link->admin_up && link->carrier;
    out->opened = link->admin_up;
    out->ifindex = link->ifindex;
    out->mtu = link->mtu;
    memcpy(out->mac, link->mac, sizeof(out->mac));
    out->primary_ipv4 = choose_ipv4(link);
    out->primary_ipv6 = choose_ipv6(link);
    out->gateway_ipv4 = link->gateway_ipv4;
    out->gateway_ipv6 = link->gateway_ipv6;
}

int state_vip_obstacle(const struct state *state, const struct state_vip *vip)
{
    const struct state_link *link = &state->links[vip->place];

    if (link->ifindex == 0)
        return ENODEV;
    return vip->address.family == FAMILY_IPV6 && !link->admin_up ? ENETDOWN : 0;
}

static struct netlink_change change_of(const struct state *state, const struct state_vip *vip,
                                       enum netlink_change_kind kind, uint8_t prefix_length)
{
    return (struct netlink_change){
        .kind = (uint8_t)kind,
        .prefix_length = prefix_length,
        .ifindex = state->links[vip->place].ifindex,
        .address = vip->address,
        .peer = kind == NETLINK_REMOVE_ADDRESS && prefix_length == vip->prefix_length ? vip->peer : ADDR_NONE,
        .options = vip->options,
    };
}

/* Of the link's former interface, without pause: it may answer there. */
static struct netlink_change change_of_stray(const struct state *state, const struct state_vip *vip)
{
    struct netlink_change change = change_of(state, vip, NETLINK_REMOVE_ADDRESS, vip->prefix_length);

    change.ifindex = vip->stray_ifindex;
    return change;
}

static bool is_part(const struct state_vip *vip, enum state_part part)
{
    return part == STATE_REMOVE_ALL || (!vip->held_back && vip->awaited == (part == STATE_AWAITED));
}

static bool is_stray_part(const struct state_vip *vip, enum state_part part)
{
    return vip->stray_ifindex != 0 && (part == STATE_REMOVE_ALL || (part == STATE_AWAITED && !vip->held_back));
}

static unsigned removals(const struct state *state, const struct state_vip *vip, enum state_part part,
                         struct netlink_change out[static STATE_CHANGES_MAX])
{
    /* What somebody else put beside our static address is his. */
    bool any = vip->pool != STATE_STATIC && !state->only_ours;
    unsigned count = 0;

    if (is_stray_part(vip, part))
        out[count++] = change_of_stray(state, vip);
    if (!is_part(vip, part))
        return count;
    if (vip->misplaced_prefix != STATE_NO_PREFIX) {
        out[count] = change_of(state, vip, NETLINK_REMOVE_ADDRESS, vip->misplaced_prefix);
        out[count++].ifindex = state->links[vip->link].ifindex;
    }
    if (vip->stray_prefix != STATE_NO_PREFIX && any)
        out[count++] = change_of(state, vip, NETLINK_REMOVE_ADDRESS, vip->stray_prefix);
    if (vip->present && (part == STATE_REMOVE_ALL || !vip->wanted) && (any || vip->ours))
        out[count++] = change_of(state, vip, NETLINK_REMOVE_ADDRESS, vip->prefix_length);
    return count;
}

unsigned state_changes(const struct state *state, enum state_part part, struct netlink_change *changes, unsigned *of,
                       unsigned max)
{
    struct netlink_change some[STATE_CHANGES_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < state->vip_count; i++) {
        unsigned found = removals(state, &state->vips[i], part, some);

        for (unsigned k = 0; k < found && count < max; k++) {
            of[count] = i;
            changes[count++] = some[k];
        }
    }
    for (unsigned i = 0; i < state->vip_count && part != STATE_REMOVE_ALL && count < max; i++) {
        const struct state_vip *vip = &state->vips[i];

        if (is_part(vip, part) && vip->wanted && !vip->present && state_vip_obstacle(state, vip) == 0) {
            of[count] = i;
            changes[count++] = change_of(state, vip, NETLINK_PUT_ADDRESS, vip->prefix_length);
        }
    }
    return count;
}

void state_changed(struct state *state, unsigned index, const struct netlink_change *change)
{
    struct state_vip *vip = &state->vips[index];

    vip->error = change->error;
    if (change->error != 0)
        return;
    if (change->kind == NETLINK_PUT_ADDRESS) {
        vip->present = vip->ours = true;
        vip->peer = vip->options ? vip->options->peer : ADDR_NONE;
    } else if (vip->stray_ifindex != 0 && change->ifindex == vip->stray_ifindex) {
        vip->stray_ifindex = 0;
    } else if (vip->place != vip->link && change->ifindex == state->links[vip->link].ifindex) {
        vip->misplaced_prefix = STATE_NO_PREFIX;
    } else if (change->prefix_length == vip->prefix_length) {
        vip->present = vip->ours = false;
    } else {
        vip->stray_prefix = STATE_NO_PREFIX;
    }
}

void state_place(struct state *state, unsigned index, unsigned link)
{
    struct state_vip *vip = &state->vips[index];
    bool stays = link == vip->link, host = vip->address.family == FAMILY_IPV6 && vip->configured_prefix == 128;

    if (vip->place == link)
        return;
    if (vip->place == vip->link)
        vip->misplaced_prefix = vip->present ? vip->prefix_length : vip->stray_prefix;
    vip->place = (uint16_t)link;
    vip->prefix_length = !stays && host && addr_is_link_local(&vip->address) ? 64 : vip->configured_prefix;
    vip->present = stays && vip->misplaced_prefix == vip->prefix_length;
    vip->stray_prefix = stays && !vip->present ? vip->misplaced_prefix : STATE_NO_PREFIX;
    if (stays)
        vip->misplaced_prefix = STATE_NO_PREFIX;
}

unsigned state_find(const struct state *state, unsigned pool, unsigned unit, unsigned link, const struct addr *address)
{
    const struct state_vip *vip = find_vip(state, link, address);

    return vip && vip->pool == pool && (pool == STATE_STATIC || vip->unit == unit) ? (unsigned)(vip - state->vips)
                                                                                   : state->vip_count;
}

const struct state_vip *state_find_own(const struct state *state, const struct config *config)
{
    for (unsigned i = 0; i < state->vip_count; i++) {
        const struct state_vip *vip = &state->vips[i];
        struct addr other = choose_ipv4(&state->links[vip->link]);

        if (vip->pool >= config->core.pool_count || vip->link != config->core.pools[vip->pool].link)
            continue;
        if (vip->address.family == FAMILY_IPV4 && config->core.pools[vip->pool].family == FAMILY_IPV4 && vip->present &&
            !vip->ours && addr_is_none(&other))
            return vip;
    }
    return NULL;
}

/* The old VIP's place, of VIP `vip`: its own link when the macvlan it was on goes, and the address with that. */
static unsigned old_place(const struct state *to, const struct state_vip *vip, const struct state *from,
                          const struct state_vip *old)
{
    unsigned place = old->place == old->link ? vip->link : state_link_named(to, from->links[old->place].name);

    return place < to->link_count && to->links[place].parent == vip->link ? place : vip->link;
}

static void take_over_vips(struct state *to, const struct state *from, unsigned link, unsigned old_link)
{
    for (unsigned i = 0; i < to->vip_count; i++) {
        struct state_vip *vip = &to->vips[i];
        const struct state_vip *old = vip->link == link ? find_vip(from, old_link, &vip->address) : NULL;

        if (!old)
            continue;
        state_place(to, i, old_place(to, vip, from, old));
        vip->misplaced_prefix = old->misplaced_prefix;
        if ((vip->place == vip->link) != (old->place == old->link))
            continue;
        bool same_prefix = old->prefix_length == vip->prefix_length;

        vip->present = same_prefix && old->present;
        vip->ours = vip->present && old->ours;
        vip->peer = old->peer;
        vip->stray_ifindex = old->stray_ifindex;
        vip->error = old->error;
        vip->reported = old->reported;
        vip->stray_prefix = !same_prefix && old->present ? old->prefix_length : old->stray_prefix;
        if (vip->stray_prefix == vip->prefix_length) {
            vip->stray_prefix = STATE_NO_PREFIX;
            vip->present = true;
        }
    }
}

void state_take_over(struct state *to, struct state *from)
{
    for (unsigned i = 0; i < to->link_count; i++) {
        unsigned old_link = state_link_named(from, to->links[i].name);

        if (old_link == from->link_count)
            continue;
        struct state_link *old = &from->links[old_link];
        unsigned parent = to->links[i].parent;

        to->links[i] = *old;
        to->links[i].parent = parent;
        old->own = NULL;
        old->own_count = old->own_capacity = 0;
        take_over_vips(to, from, i, old_link);
    }
}

void state_check(const struct state *state)
{
    for (unsigned i = 0; i < state->vip_count; i++) {
        const struct state_vip *vip = &state->vips[state->order[i]];
        const struct state_vip *before = &state->vips[state->order[i > 0 ? i - 1 : 0]];

        CHECK(vip->place < state->link_count && state->links[vip->place].parent == vip->link);
        CHECK(!vip->present || state->links[vip->place].ifindex != 0);
        CHECK(state_compare(before->link, &before->address, vip->link, &vip->address) <= 0);
    }
}
