/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Neighbours, questions and answers per link. It owns its tables; called by the daemon's intake for every ARP and
 * neighbour frame, and by apply for EFFECT_PROBE.
 *
 * Anybody on the LAN can fill the neighbours' table with addresses that will not answer; configured targets and
 * gateways are therefore asked first and never pushed out.
 */
#include "daemon/thirdparty.h"

#include <stdlib.h>

#include "base/check.h"

#define GATEWAYS 2
/* The questions of the last two probes: an answer to the first may come after the second was sent. */
#define QUESTIONS (2 * THIRDPARTY_PROBES_MAX)

struct neighbour {
    struct addr address;
    struct mono heard;
};

struct question {
    struct addr target; /* none: the slot is free */
    struct mono asked;
};

struct thirdparty_link {
    struct kernel_link state;
    struct neighbour neighbours[THIRDPARTY_NEIGHBOURS_MAX]; /* the one heard last first; free slots at the end */
    struct question questions[QUESTIONS];
    unsigned next_question; /* slot */
    unsigned asked_in_vain; /* targets asked since the last answer */
    struct mono heard;      /* anything from anybody */
    struct addr kept;       /* whom the last question in the background went to */
    bool kept_heard;        /* since then */
};

struct thirdparty {
    unsigned link_count;
    struct thirdparty_link links[];
};

struct thirdparty *thirdparty_new(unsigned link_count)
{
    struct thirdparty *thirdparty = calloc(1, sizeof(*thirdparty) + link_count * sizeof(thirdparty->links[0]));

    if (thirdparty)
        thirdparty->link_count = link_count;
    return thirdparty;
}

void thirdparty_free(struct thirdparty *thirdparty)
{
    free(thirdparty);
}

static struct thirdparty_link *find_link(struct thirdparty *thirdparty, unsigned link)
{
    CHECK(link < thirdparty->link_count);
    return &thirdparty->links[link];
}

void thirdparty_set_link(struct thirdparty *thirdparty, unsigned link_index, const struct kernel_link *state)
{
    struct thirdparty_link *link = find_link(thirdparty, link_index);

    if (!state->present || state->ifindex != link->state.ifindex)
        *link = (struct thirdparty_link){.next_question = 0};
    link->state = *state;
}

void thirdparty_take_over(struct thirdparty *thirdparty, unsigned link, const struct thirdparty *from,
                          unsigned old_link)
{
    CHECK(old_link < from->link_count);
    *find_link(thirdparty, link) = from->links[old_link];
}

static const struct addr *own_address(const struct thirdparty_link *link, enum family family)
{
    return family == FAMILY_IPV4 ? &link->state.primary_ipv4 : &link->state.primary_ipv6;
}

static bool is_own(const struct thirdparty_link *link, const struct addr *address)
{
    return addr_equal(address, &link->state.primary_ipv4) || addr_equal(address, &link->state.primary_ipv6);
}

/* The slot of this address; THIRDPARTY_NEIGHBOURS_MAX: it has none. */
static unsigned find_neighbour(const struct thirdparty_link *link, const struct addr *address)
{
    unsigned i = 0;

    while (i < THIRDPARTY_NEIGHBOURS_MAX && !addr_equal(&link->neighbours[i].address, address))
        i++;
    return i;
}

static void forget(struct thirdparty_link *link, const struct addr *address)
{
    unsigned i = find_neighbour(link, address);

    if (i == THIRDPARTY_NEIGHBOURS_MAX)
        return;
    for (; i + 1 < THIRDPARTY_NEIGHBOURS_MAX; i++)
        link->neighbours[i] = link->neighbours[i + 1];
    link->neighbours[i].address = ADDR_NONE;
}

static void remember(struct thirdparty_link *link, const struct addr *address, struct mono received)
{
    if (addr_is_none(address) || addr_is_multicast(address) || is_own(link, address))
        return;

    unsigned i = find_neighbour(link, address);

    if (i == THIRDPARTY_NEIGHBOURS_MAX)
        i--; /* the one heard longest ago makes room */
    for (; i > 0; i--)
        link->neighbours[i] = link->neighbours[i - 1];
    link->neighbours[0] = (struct neighbour){.address = *address, .heard = received};
}

static bool answers_question(const struct thirdparty_link *link, const struct frame_view *view, struct mono received)
{
    if (view->kind != FRAME_CLAIM || !view->to_us)
        return false;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        const struct question *question = &link->questions[i];

        if (addr_is_none(&question->target) || !addr_equal(&question->target, &view->sender))
            continue;
        if (!mono_after(question->asked, received) && mono_diff_us(received, question->asked) <= THIRDPARTY_ANSWER_US)
            return true;
    }
    return false;
}

enum thirdparty_verdict thirdparty_take(struct thirdparty *thirdparty, unsigned link_index,
                                        const struct frame_view *view, bool outsider, struct mono received)
{
    struct thirdparty_link *link = find_link(thirdparty, link_index);

    link->heard = mono_max(link->heard, received);
    link->kept_heard = link->kept_heard || addr_equal(&view->sender, &link->kept);
    if (outsider)
        remember(link, &view->sender, received);
    else
        forget(link, &view->sender);
    if (!answers_question(link, view, received))
        return THIRDPARTY_HEARD;
    link->asked_in_vain = 0;
    return THIRDPARTY_ANSWER;
}

void thirdparty_heard(struct thirdparty *thirdparty, unsigned link_index, struct mono received)
{
    struct thirdparty_link *link = find_link(thirdparty, link_index);

    link->heard = mono_max(link->heard, received);
}

struct candidates {
    struct addr list[THIRDPARTY_NEIGHBOURS_MAX + GATEWAYS];
    unsigned count;
};

static bool can_be_asked(const struct thirdparty_link *link, const struct addr *target)
{
    if (addr_is_none(target) || is_own(link, target))
        return false;
    return !addr_is_none(own_address(link, (enum family)target->family));
}

static bool contains(const struct addr *list, unsigned count, const struct addr *address)
{
    for (unsigned i = 0; i < count; i++)
        if (addr_equal(&list[i], address))
            return true;
    return false;
}

/* Gateways and neighbours, each once, without those that are configured anyway. */
static void collect(const struct thirdparty_link *link, const struct addr *targets, unsigned target_count,
                    struct mono now, struct candidates *out)
{
    const struct addr *known[ARRAY_LENGTH(out->list)] = {&link->state.gateway_ipv4, &link->state.gateway_ipv6};
    unsigned known_count = GATEWAYS;

    for (unsigned i = 0; i < THIRDPARTY_NEIGHBOURS_MAX; i++)
        if (!mono_due(now, mono_add(link->neighbours[i].heard, THIRDPARTY_EXPIRY_US)))
            known[known_count++] = &link->neighbours[i].address;
    out->count = 0;
    for (unsigned i = 0; i < known_count; i++)
        if (can_be_asked(link, known[i]) && !contains(targets, target_count, known[i]) &&
            !contains(out->list, out->count, known[i]))
            out->list[out->count++] = *known[i];
}

static bool ask(struct thirdparty_link *link, const struct addr *target, struct mono now, thirdparty_emit *emit,
                void *context)
{
    uint8_t frame[FRAME_MAX];
    size_t length;

    if (!can_be_asked(link, target))
        return false;
    length = frame_probe(link->state.mac, own_address(link, (enum family)target->family), target, frame, sizeof(frame));
    if (length == 0)
        return false;
    link->questions[link->next_question] = (struct question){.target = *target, .asked = now};
    link->next_question = (link->next_question + 1) % QUESTIONS;
    emit(context, frame, length);
    return true;
}

static const struct addr *nth(const struct candidates *others, const struct addr *targets, unsigned target_count,
                              unsigned index)
{
    return index < target_count ? &targets[index] : &others->list[index - target_count];
}

/* Would anybody's silence prove something? */
static bool somebody_is_there(const struct thirdparty_link *link, const struct addr *targets, unsigned target_count)
{
    const struct neighbour *latest = &link->neighbours[0];

    for (unsigned i = 0; i < target_count; i++)
        if (can_be_asked(link, &targets[i]))
            return true;
    return !addr_is_none(&latest->address) && mono_diff_us(link->heard, latest->heard) <= THIRDPARTY_FRESH_US;
}

unsigned thirdparty_probe(struct thirdparty *thirdparty, unsigned link_index, const struct addr *targets,
                          unsigned target_count, struct mono now, thirdparty_emit *emit, void *context)
{
    struct thirdparty_link *link = find_link(thirdparty, link_index);
    struct candidates others;
    unsigned asked = 0;

    collect(link, targets, target_count, now, &others);

    unsigned total = target_count + others.count;
    unsigned first = total > 0 ? link->asked_in_vain % total : 0;

    for (unsigned i = 0; i < total && asked < THIRDPARTY_PROBES_MAX; i++) {
        unsigned index = (first + i) % total;

        if (ask(link, nth(&others, targets, target_count, index), now, emit, context))
            asked++;
    }
    link->asked_in_vain += asked;
    return somebody_is_there(link, targets, target_count) ? asked : 0;
}

bool thirdparty_refresh(struct thirdparty *thirdparty, unsigned link_index, const struct addr *targets,
                        unsigned target_count, struct mono now, thirdparty_emit *emit, void *context)
{
    struct thirdparty_link *link = find_link(thirdparty, link_index);
    struct candidates others;
    unsigned first = 0;

    collect(link, targets, target_count, now, &others);
    unsigned total = target_count + others.count;

    for (unsigned i = 0; i < total; i++)
        if (addr_equal(nth(&others, targets, target_count, i), &link->kept))
            first = link->kept_heard ? i : i + 1;
    for (unsigned i = 0; i < total; i++) {
        const struct addr *target = nth(&others, targets, target_count, (first + i) % total);

        if (!ask(link, target, now, emit, context))
            continue;
        link->kept = *target;
        link->kept_heard = false;
        return true;
    }
    return false;
}
