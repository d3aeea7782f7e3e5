/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FNV-1a over bytes, finished by MurmurHash3's 64-bit mixer: FNV alone leaves the high bits of short keys nearly equal,
 * and the keys here (a VRID and an address) are five bytes long. The planner calls it; its results decide ties between
 * hosts of different releases, so the function must never change (test_base holds golden values).
 */
#include "base/hash.h"

#define FNV_PRIME 0x100000001b3u

uint64_t hash_add(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

uint64_t hash_finish(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53u;
    hash ^= hash >> 33;
    return hash;
}
