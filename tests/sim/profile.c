/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault profiles: what kind of world a seed makes and what may happen in it. A profile is a row; a new one needs
 * nothing else. Called by main.c and world.c.
 */
#include <string.h>

#include "sim.h"

#define HOSTS(least, most) .hosts_min = (least), .hosts_max = (most)
#define UNITS(least, most) .units_min = (least), .units_max = (most)
#define DELAY(least, most) .delay_min_us = (least), .delay_max_us = (most)
/* P1 is promised where a packet arrives while its sender still waits to open (doc/design.md 2.4 l). */
#define DELAY_MAX (2 * US_PER_MS)
#define KERNEL(...) .kernel = {.min_us = 50, .max_us = 3000, __VA_ARGS__}
#define KERNEL_SLOW                                                                                                    \
    KERNEL(.slow_max_us = 50 * US_PER_MS, .slow_ppm = 200000, .stuck_max_us = 4 * US_PER_S, .stuck_ppm = 10000,        \
           .fail_ppm = 20000)

/* A LAN and a loop as they are on an idle host, and its kernel. */
#define NETWORK DELAY(20, 300), .jitter_us = 200
#define USUAL NETWORK, KERNEL()

const struct profile profiles[] = {
    {.name = "calm",
     .about = "one crash, leave or join; moves are counted exactly",
     HOSTS(2, 8),
     UNITS(1, 40),
     USUAL,
     .quiet = true},

    {.name = "loss",
     .about = "up to 10 % of the packets are lost",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .loss_ppm_max = 100000,
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1}},

    {.name = "delay",
     .about = "packets take as long as the promise allows for, loops wake up 1 ms late",
     HOSTS(2, 6),
     UNITS(1, 24),
     DELAY(100, DELAY_MAX),
     .jitter_us = US_PER_MS,
     KERNEL(),
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "busy",
     .about = "every loop wakes up to 15 ms late",
     HOSTS(2, 6),
     UNITS(1, 24),
     DELAY(20, 300),
     .jitter_us = 15 * US_PER_MS,
     KERNEL(),
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "reorder",
     .about = "duplicates, and packets that overtake each other",
     HOSTS(2, 6),
     UNITS(1, 24),
     DELAY(20, DELAY_MAX),
     .jitter_us = 200,
     KERNEL(),
     .reorder = true,
     .duplicate_ppm = 100000,
     .fault_every_us = 3 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 3, [FAULT_PAUSE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "crash",
     .about = "crashes with everything left behind, restarts after a moment or some seconds",
     HOSTS(2, 8),
     UNITS(1, 64),
     USUAL,
     .fault_every_us = 1500 * US_PER_MS,
     .weight = {[FAULT_CRASH] = 1}},

    {.name = "pause",
     .about = "hosts stopped for a moment or some seconds, also between two effects of one step",
     HOSTS(2, 8),
     UNITS(1, 64),
     USUAL,
     .fault_every_us = 1200 * US_PER_MS,
     .weight = {[FAULT_PAUSE] = 4, [FAULT_CRASH] = 1, [FAULT_LEAVE] = 1}},

    {.name = "partition",
     .about = "two or three islands, hosts cut off, links down",
     HOSTS(2, 8),
     UNITS(1, 40),
     USUAL,
     .fault_every_us = 3 * US_PER_S,
     .weight = {[FAULT_PARTITION] = 3, [FAULT_CUT] = 2, [FAULT_LINK] = 2, [FAULT_GATEWAY] = 1}},

    {.name = "one-way",
     .about = "pairs between which packets pass one way only",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_ONE_WAY] = 4, [FAULT_CRASH] = 1, [FAULT_GATEWAY] = 1}},

    {.name = "deaf-mute",
     .about = "hosts that hear nobody, hosts that nobody hears",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_DEAF] = 3, [FAULT_MUTE] = 3, [FAULT_CRASH] = 1}},

    {.name = "drop",
     .about = "hosts that drop everything when they hear nobody, and hear again while others hang",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .drop_isolated = true,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_DEAF] = 4,
                [FAULT_MUTE] = 1,
                [FAULT_CUT] = 2,
                [FAULT_PARTITION] = 2,
                [FAULT_LINK] = 1,
                [FAULT_PAUSE] = 3,
                [FAULT_CRASH] = 1}},

    {.name = "leave-join",
     .about = "hosts leave in order and return",
     HOSTS(2, 8),
     UNITS(1, 64),
     USUAL,
     .fault_every_us = 1500 * US_PER_MS,
     .weight = {[FAULT_LEAVE] = 1}},

    {.name = "slow-kernel",
     .about = "kernels that need 50 ms, hang for seconds, or fail",
     HOSTS(2, 6),
     UNITS(1, 24),
     NETWORK,
     KERNEL_SLOW,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_DRAIN] = 1, [FAULT_TAKE] = 1}},

    {.name = "strangers",
     .about = "routers of other makes on some VRIDs, as owners and as backups",
     HOSTS(1, 5),
     UNITS(1, 16),
     USUAL,
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_STRANGER] = 4, [FAULT_LEAVE] = 1, [FAULT_DRAIN] = 1}},

    {.name = "operator",
     .about = "take, release, drain, shares, rebalance, second links",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .fault_every_us = US_PER_S,
     .weight = {[FAULT_TAKE] = 3,
                [FAULT_RELEASE] = 3,
                [FAULT_DRAIN] = 2,
                [FAULT_SHARE] = 3,
                [FAULT_REBALANCE] = 1,
                [FAULT_SECOND_LINK] = 2,
                [FAULT_LEAVE] = 1}},

    {.name = "reload",
     .about = "hosts read other files: units come and go, intervals change; with crashes, pauses, drains",
     HOSTS(2, 6),
     UNITS(1, 32),
     NETWORK,
     KERNEL(.slow_max_us = 50 * US_PER_MS, .slow_ppm = 20000),
     .fault_every_us = 700 * US_PER_MS,
     .weight = {[FAULT_RELOAD] = 8,
                [FAULT_CRASH] = 1,
                [FAULT_PAUSE] = 2,
                [FAULT_LEAVE] = 1,
                [FAULT_LINK] = 1,
                [FAULT_DRAIN] = 1,
                [FAULT_TAKE] = 1}},

    {.name = "renumber",
     .about = "hosts read files in which units have other VRIDs; with crashes, pauses, restarts",
     HOSTS(2, 6),
     UNITS(1, 32),
     USUAL,
     .renumbers = true,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_RELOAD] = 8, [FAULT_CRASH] = 1, [FAULT_PAUSE] = 1, [FAULT_LEAVE] = 1}},

    {.name = "lease-off",
     .about = "no filter: double answers are counted, the end must be right",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .lease_off = true,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_PAUSE] = 2, [FAULT_LEAVE] = 2, [FAULT_PARTITION] = 1}},

    {.name = "mixed",
     .about = "everything at once",
     HOSTS(1, 8),
     UNITS(1, 32),
     DELAY(20, US_PER_MS),
     .jitter_us = 200,
     .reorder = true,
     .duplicate_ppm = 10000,
     .echo_ppm = 5000,
     .loss_ppm_max = 30000,
     KERNEL(.slow_max_us = 50 * US_PER_MS, .slow_ppm = 20000, .fail_ppm = 5000),
     .fault_every_us = US_PER_S,
     .weight = {[FAULT_CRASH] = 3,
                [FAULT_PAUSE] = 3,
                [FAULT_PARTITION] = 2,
                [FAULT_CUT] = 1,
                [FAULT_LINK] = 1,
                [FAULT_ONE_WAY] = 1,
                [FAULT_DEAF] = 1,
                [FAULT_MUTE] = 1,
                [FAULT_LEAVE] = 3,
                [FAULT_DRAIN] = 1,
                [FAULT_TAKE] = 1,
                [FAULT_RELEASE] = 1,
                [FAULT_SHARE] = 1,
                [FAULT_REBALANCE] = 1,
                [FAULT_STRANGER] = 1,
                [FAULT_SECOND_LINK] = 1,
                [FAULT_GATEWAY] = 1}},

    {.name = "echo",
     .about = "a switch that returns one's own packets now and then",
     HOSTS(1, 5),
     UNITS(1, 24),
     USUAL,
     .echo_ppm = 300000,
     .duplicate_ppm = 50000,
     .fault_every_us = 4 * US_PER_S,
     .weight = {[FAULT_LEAVE] = 1, [FAULT_CRASH] = 1}},

    {.name = "many",
     .about = "240 units on 3 hosts and on 12",
     HOSTS(3, 12),
     UNITS(240, 240),
     USUAL,
     .fault_every_us = 5 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1},
     .seeds_percent = 20},

    {.name = "ipv6",
     .about = "the same over IPv6",
     HOSTS(2, 6),
     UNITS(1, 24),
     USUAL,
     .ipv6_only = true,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_PAUSE] = 2, [FAULT_LEAVE] = 2, [FAULT_PARTITION] = 1, [FAULT_STRANGER] = 1}},

    {.name = "routers",
     .about = "instances with rotated priorities: crashes, leaves, pauses, partitions, trackers, sync groups",
     .routers = true,
     HOSTS(2, 4),
     UNITS(1, 12),
     USUAL,
     .fault_every_us = 1500 * US_PER_MS,
     .weight = {[FAULT_CRASH] = 2,
                [FAULT_PAUSE] = 2,
                [FAULT_LEAVE] = 2,
                [FAULT_PARTITION] = 1,
                [FAULT_LINK] = 1,
                [FAULT_TRACK] = 4}},

    {.name = "routers-strangers",
     .about = "instances beside routers of other makes, echoes, duplicates",
     .routers = true,
     HOSTS(2, 4),
     UNITS(1, 8),
     USUAL,
     .duplicate_ppm = 50000,
     .echo_ppm = 50000,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_STRANGER] = 4, [FAULT_LEAVE] = 2, [FAULT_TRACK] = 2, [FAULT_CRASH] = 1}},

    {.name = "routers-slow",
     .about = "instances on kernels that need 50 ms, hang for seconds, or fail; packets get lost",
     .routers = true,
     HOSTS(2, 4),
     UNITS(1, 8),
     NETWORK,
     .loss_ppm_max = 30000,
     KERNEL_SLOW,
     .fault_every_us = 2 * US_PER_S,
     .weight = {[FAULT_CRASH] = 2, [FAULT_LEAVE] = 2, [FAULT_PAUSE] = 1, [FAULT_TRACK] = 3}},
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
