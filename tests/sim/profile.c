/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault profiles: what kind of world a seed makes and what may happen in it. A profile is a row; a new one needs nothing
 * else. Called by main.c and world.c.
 */
#include <string.h>

#include "sim.h"

#define LAN_DELAY .delay_min_us = 20, .delay_max_us = 300
#define LOOP .jitter_us = 200
#define KERNEL_FAST                    \
    {                                  \
        .min_us = 50, .max_us = 3000   \
    }

const struct profile profiles[] = {
    {.name = "calm", .about = "one crash, leave or join; moves are counted exactly",
     .hosts_min = 2, .hosts_max = 8, .units_min = 1, .units_max = 40,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .quiet = true},

    {.name = "loss", .about = "up to 10 % of the packets are lost",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .loss_ppm_max = 100000, .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1}},

    {.name = "delay", .about = "packets take as long as the promise allows for, loops wake up 1 ms late",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     .delay_min_us = 100, .delay_max_us = 4 * US_PER_MS, .jitter_us = US_PER_MS, .kernel = KERNEL_FAST,
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "busy", .about = "every loop wakes up to 15 ms late",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, .jitter_us = 15 * US_PER_MS, .kernel = KERNEL_FAST, .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "reorder", .about = "duplicates, and packets that overtake each other",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     .delay_min_us = 20, .delay_max_us = 3 * US_PER_MS, LOOP, .kernel = KERNEL_FAST, .reorder = true, .duplicate_ppm = 100000,
     .fault_every_us = 3 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 3, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "crash", .about = "crashes with everything left behind, restarts after a moment or some seconds",
     .hosts_min = 2, .hosts_max = 8, .units_min = 1, .units_max = 64,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 1500 * US_PER_MS, .weight = {[FAULT_CRASH] = 1}},

    {.name = "pause", .about = "hosts stopped for a moment or some seconds, also between two effects of one step",
     .hosts_min = 2, .hosts_max = 8, .units_min = 1, .units_max = 64,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 1200 * US_PER_MS,
     .weight = {[FAULT_PAUSE] = 4, [FAULT_CRASH] = 1, [FAULT_LEAVE] = 1}},

    {.name = "partition", .about = "two or three islands, hosts cut off, links down",
     .hosts_min = 2, .hosts_max = 8, .units_min = 1, .units_max = 40,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 3 * US_PER_S,
     .weight = {[FAULT_PARTITION] = 3, [FAULT_CUT] = 2, [FAULT_LINK] = 2, [FAULT_GATEWAY] = 1}},

    {.name = "one-way", .about = "pairs between which packets pass one way only",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_ONE_WAY] = 4, [FAULT_CRASH] = 1, [FAULT_GATEWAY] = 1}},

    {.name = "deaf-mute", .about = "hosts that hear nobody, hosts that nobody hears",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_DEAF] = 3, [FAULT_MUTE] = 3, [FAULT_CRASH] = 1}},

    {.name = "leave-join", .about = "hosts leave in order and return",
     .hosts_min = 2, .hosts_max = 8, .units_min = 1, .units_max = 64,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 1500 * US_PER_MS, .weight = {[FAULT_LEAVE] = 1}},

    {.name = "slow-kernel", .about = "kernels that need 50 ms, hang for seconds, or fail",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP,
     .kernel = {.min_us = 50, .max_us = 3000, .slow_max_us = 50 * US_PER_MS, .slow_ppm = 200000,
                .stuck_max_us = 4 * US_PER_S, .stuck_ppm = 10000, .fail_ppm = 20000},
     .fault_every_us = 2 * US_PER_S, .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_DRAIN] = 1, [FAULT_TAKE] = 1}},

    {.name = "strangers", .about = "routers of other makes on some VRIDs, as owners and as backups",
     .hosts_min = 1, .hosts_max = 5, .units_min = 1, .units_max = 16,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_STRANGER] = 4, [FAULT_LEAVE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "operator", .about = "take, release, drain, shares, rebalance, second links",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = US_PER_S,
     .weight = {[FAULT_TAKE] = 3, [FAULT_RELEASE] = 3, [FAULT_DRAIN] = 2, [FAULT_SHARE] = 3, [FAULT_REBALANCE] = 1,
                [FAULT_SECOND_LINK] = 2, [FAULT_LEAVE] = 1}},

    {.name = "lease-off", .about = "no filter: double answers are counted, the end must be right",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .lease_off = true, .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_PAUSE] = 2, [FAULT_LEAVE] = 2, [FAULT_PARTITION] = 1}},

    {.name = "mixed", .about = "everything at once",
     .hosts_min = 1, .hosts_max = 8, .units_min = 1, .units_max = 32,
     .delay_min_us = 20, .delay_max_us = US_PER_MS, LOOP, .reorder = true, .duplicate_ppm = 10000, .echo_ppm = 5000,
     .loss_ppm_max = 30000,
     .kernel = {.min_us = 50, .max_us = 3000, .slow_max_us = 50 * US_PER_MS, .slow_ppm = 20000, .fail_ppm = 5000},
     .fault_every_us = US_PER_S,
     .weight = {[FAULT_CRASH] = 3, [FAULT_PAUSE] = 3, [FAULT_PARTITION] = 2, [FAULT_CUT] = 1, [FAULT_LINK] = 1,
                [FAULT_ONE_WAY] = 1, [FAULT_DEAF] = 1, [FAULT_MUTE] = 1, [FAULT_LEAVE] = 3, [FAULT_DRAIN] = 1,
                [FAULT_TAKE] = 1, [FAULT_RELEASE] = 1, [FAULT_SHARE] = 1, [FAULT_REBALANCE] = 1, [FAULT_STRANGER] = 1,
                [FAULT_SECOND_LINK] = 1, [FAULT_GATEWAY] = 1}},

    {.name = "echo", .about = "a switch that returns one's own packets now and then",
     .hosts_min = 1, .hosts_max = 5, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .echo_ppm = 300000, .duplicate_ppm = 50000, .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_LEAVE] = 1, [FAULT_CRASH] = 1}},

    {.name = "many", .about = "240 units on 3 hosts and on 12",
     .hosts_min = 3, .hosts_max = 12, .units_min = 240, .units_max = 240,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1}, .seeds_percent = 20},

    {.name = "ipv6", .about = "the same over IPv6",
     .hosts_min = 2, .hosts_max = 6, .units_min = 1, .units_max = 24,
     LAN_DELAY, LOOP, .kernel = KERNEL_FAST, .ipv6_only = true, .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_PAUSE] = 2, [FAULT_LEAVE] = 2, [FAULT_PARTITION] = 1, [FAULT_STRANGER] = 1}},
};

const unsigned profile_count = sizeof(profiles) / sizeof(profiles[0]);

const struct profile *profile_find(const char *name)
{
    for (unsigned i = 0; i < profile_count; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}
