/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of what excuses two answers for one unit, for how long at most, and why. A crash, pause, restart,
 * delay, duplicate, reordering within the delay spread, join, leave, drain, take, release, planned move, slow or stuck
 * kernel excuses nothing. Called by oracle.c.
 */
#include "sim.h"

#define LOSS_SLACK_US (50 * US_PER_MS)

static int64_t allowance_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The longest that one batch may take in such kernels. */
static int64_t allowance_batch_us(const struct kernel_profile *k)
{
    int64_t us = k->max_us;

    us = k->slow_ppm != 0 ? allowance_max(us, k->slow_max_us) : us;
    return k->stuck_ppm != 0 ? allowance_max(us, k->stuck_max_us) : us;
}

int64_t allowance_reaction_us(const struct world *w)
{
    /* A packet travels, a loop wakes up late, a batch under way ends and ours follows; then the same once more for the
     * answer to it, except for the kernel. */
    return 2 * (w->lan.delay_max_us + w->jitter_us) + 2 * allowance_batch_us(&w->kernel) + w->jitter_us + US_PER_MS;
}

static int64_t allowance_lease_off(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    (void)a, (void)b, (void)unit, (void)since_us;
    return w->lease ? SIM_LONG_AGO : SIM_NEVER;
}

static int64_t allowance_one_way(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    (void)unit;
    if (w->lan.reach[a][b] == w->lan.reach[b][a]) {
        return SIM_LONG_AGO;
    }
    if (!world_is_host(a) || !world_is_host(b)) {
        return SIM_NEVER;
    }
    int64_t unheard_us = allowance_max(w->lan.lost_us[a][b], w->lan.lost_us[b][a]);

    unheard_us = allowance_max(unheard_us, w->lan.mended_us[a][b]);
    int64_t from_us = allowance_max(since_us, unheard_us + w->advert_us); /* the first claim that is heard */
    return from_us + 3 * w->advert_us + 3 * w->member_us + allowance_reaction_us(w);
}

static int64_t allowance_views(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    int64_t until_us = w->lan.one_way ? w->now_us : w->lan.one_way_until_us;

    (void)a, (void)b, (void)unit;
    return since_us - until_us > 4 * w->member_us ? SIM_LONG_AGO : since_us + allowance_reaction_us(w);
}

int64_t allowance_closing_us(const struct world *w)
{
    return allowance_reaction_us(w) + 2 * (allowance_batch_us(&w->profile->kernel) - allowance_batch_us(&w->kernel));
}

/* How long make before break may take from `since_us` on: until the weaker one has heard of it and its kernel has
 * closed; while it hangs its lease goes on, and when it wakes up it has yet to hear. */
static int64_t allowance_break(const struct world *w, unsigned a, unsigned b, int64_t since_us)
{
    const unsigned nodes[] = {a, b};
    int64_t lease_us = 0;

    for (unsigned i = 0; i < 2; i++) {
        const struct host *h = world_is_host(nodes[i]) ? &w->hosts[nodes[i]] : NULL;
        if (h != NULL && !host_is_up(h)) {
            lease_us = w->lease_us;
        } else if (h != NULL) {
            since_us = allowance_max(since_us, h->resumed_us);
        }
    }
    return since_us + lease_us + allowance_closing_us(w);
}

static int64_t allowance_loss(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    int64_t any_us = SIM_LONG_AGO;
    int64_t window_us = allowance_max(w->advert_us, 3 * w->member_us) + w->member_us;

    (void)unit;
    for (unsigned from = 0; from < SIM_NODES_MAX; from++) {
        any_us = allowance_max(any_us, allowance_max(w->lan.lost_us[from][a], w->lan.lost_us[from][b]));
    }
    if (since_us - any_us > window_us) {
        return SIM_LONG_AGO;
    }
    int64_t pair_us = allowance_max(w->lan.lost_us[a][b], w->lan.lost_us[b][a]);
    return allowance_break(w, a, b, allowance_max(since_us, pair_us) + w->advert_us + LOSS_SLACK_US);
}

/* The lease of a node that hangs was renewed for the last time while some others did not hear it. */
static int64_t allowance_hanging(const struct world *w, unsigned node)
{
    int64_t mended_us = SIM_LONG_AGO;

    if (!world_is_host(node) || host_is_up(&w->hosts[node])) {
        return SIM_LONG_AGO;
    }
    for (unsigned other = 0; other < SIM_NODES_MAX; other++) {
        mended_us = allowance_max(mended_us, w->lan.mended_us[node][other]);
    }
    return mended_us + w->lease_us;
}

/* Whoever hangs ends with its lease: renewed by its own first word at the latest while both answer, else by the last
 * one that could not be heard. */
static int64_t allowance_mended(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    bool members = world_is_host(a) && world_is_host(b);
    int64_t heard_us = w->lan.mended_us[a][b] + (members ? w->member_us : w->advert_us);

    (void)unit;
    if (since_us <= heard_us) {
        return allowance_break(w, a, b, heard_us);
    }
    int64_t hanging_us = allowance_max(allowance_hanging(w, a), allowance_hanging(w, b));
    return allowance_max(heard_us, hanging_us) + allowance_reaction_us(w);
}

static int64_t allowance_stranger(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    (void)unit;
    return world_is_host(a) && world_is_host(b) ? SIM_LONG_AGO : allowance_break(w, a, b, since_us);
}

static int64_t allowance_election(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us)
{
    return routers_elect(w, a, b, unit) ? allowance_break(w, a, b, since_us) : SIM_LONG_AGO;
}

struct allowance {
    const char *when, *until, *because;
    int64_t (*limit)(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us);
};

static const struct allowance allowances[] = {
    {"arp_filter off", "counted only",
     "addresses of a host that crashed or hangs stay; without a filter nobody closes them", allowance_lease_off},
    {"the way between the two has just opened",
     "one member interval (with a stranger: advertisement interval) and a reaction; when one of them hangs, a lease "
     "too",
     "each side of a partition serves every unit; nobody knows of the other side before its next member advertisement, "
     "and"
     " a host that hears nothing at all ends with its lease",
     allowance_mended},
    {"only one of the two hears the other",
     "three advertisement intervals, three member intervals and a reaction, counted from the first claim that is "
     "heard; "
     "with a stranger as long as the fault lasts",
     "a stranger cannot be asked to yield; who is ignored cannot know it before its third assertion, and then asks a "
     "third party which of the two is broken",
     allowance_one_way},
    {"some pair is (was until 4 member intervals ago) reachable one way only", "one reaction",
     "the two have heard of different members, so both may think to be rank 0; their first advertisements settle it",
     allowance_views},
    {"a packet to one of the two was lost within the last advertisement interval (or 4 member intervals)",
     "an advertisement interval, 50 ms and a reaction after the last packet lost between them; when one of them hangs, "
     "a "
     "lease too",
     "three lost advertisements in a row look like a death; the next one that arrives settles it", allowance_loss},
    {"one of the two is a stranger", "one reaction; when the other one hangs, a lease too",
     "the RFC's election is make before break: the loser stops when it hears the winner", allowance_stranger},
    {"both run instances, and the stronger one means to have it",
     "one reaction; when the weaker one hangs, a lease too",
     "the same; a router that is preempted cannot be asked to confirm that it has stopped", allowance_election},
};

int64_t allowance_limit(const struct world *w, unsigned a, unsigned b, unsigned unit, int64_t since_us,
                        const char **reason)
{
    int64_t best_us = SIM_LONG_AGO;

    for (unsigned i = 0; i < sizeof(allowances) / sizeof(allowances[0]); i++) {
        int64_t limit_us = allowances[i].limit(w, a, b, unit, since_us);
        if (limit_us > best_us) {
            best_us = limit_us;
            *reason = limit_us >= since_us ? allowances[i].when : *reason;
        }
    }
    return best_us;
}

void allowance_print(FILE *out)
{
    fprintf(out, "Two answers for one unit are excused only when:\n");
    for (unsigned i = 0; i < sizeof(allowances) / sizeof(allowances[0]); i++) {
        fprintf(out, "  %s\n      until: %s\n      because: %s\n", allowances[i].when, allowances[i].until,
                allowances[i].because);
    }
}
