/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit hash (FNV-1a with a final avalanche). The same on every host and release: it breaks ties in the plan. */
#ifndef EVENKEEL_BASE_HASH_H
#define EVENKEEL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325u

/* Feeds bytes into a running hash that began as HASH_START. */
uint64_t hash_add(uint64_t hash, const void *data, size_t length);
/* The final avalanche: use the result, feed nothing more. */
uint64_t hash_finish(uint64_t hash);

#endif
