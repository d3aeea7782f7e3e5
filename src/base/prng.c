/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xoshiro256** 1.0 (Blackman and Vigna), its state filled by splitmix64. Called by the simulator and by tests. A seed
 * printed by a failed run must reproduce it on any machine, so the sequence must never change (test_base holds
 * goldens).
 */
#include "base/prng.h"

#include "base/check.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

struct prng prng_seed(uint64_t seed)
{
    struct prng p;

    for (int i = 0; i < 4; i++)
        p.state[i] = splitmix64(&seed);
    return p;
}

uint64_t prng_next(struct prng *p)
{
    uint64_t *s = p->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
    CHECK(bound > 0);
    /* 2^64 mod bound: values below it are refused, or low results would be a little more likely than high ones. */
    uint64_t refuse_below = (0 - bound) % bound;
    uint64_t value;

    do
        value = prng_next(p);
    while (value < refuse_below);
    return value % bound;
}

int64_t prng_between(struct prng *p, int64_t low, int64_t high)
{
    CHECK(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t step = span == UINT64_MAX ? prng_next(p) : prng_below(p, span + 1);

    return (int64_t)((uint64_t)low + step);
}

bool prng_chance_ppm(struct prng *p, uint32_t ppm)
{
    return prng_below(p, 1000000) < ppm;
}
