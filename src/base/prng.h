/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A seeded generator (splitmix64 seeding xoshiro256**) for the simulator and tests; same seed, same numbers,
 * everywhere. Not for secrets. */
#ifndef EVENKEEL_BASE_PRNG_H
#define EVENKEEL_BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

struct prng prng_seed(uint64_t seed);
uint64_t prng_next(struct prng *p);
/* Uniform in [0, bound); bound > 0. */
uint64_t prng_below(struct prng *p, uint64_t bound);
/* Uniform in [low, high]. */
int64_t prng_between(struct prng *p, int64_t low, int64_t high);
/* True with probability numerator/1000000. */
bool prng_chance_ppm(struct prng *p, uint32_t ppm);

#endif
