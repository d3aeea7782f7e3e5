/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for reading configurations: plain allocations that never fail (the program ends with a message instead, before
 * anything was touched), and an arena whose contents are given back together.
 */
#ifndef EVENKEEL_CONFIG_XALLOC_H
#define EVENKEEL_CONFIG_XALLOC_H

#include <stddef.h>

/* Zeroed room for `count` elements of `size` bytes; never NULL, also for no bytes. free() gives it back. */
void *xalloc_array(size_t count, size_t size);
/* `old` (or NULL) made to hold `count` elements of `size` bytes; what is new is not zeroed. */
void *xalloc_grow(void *old, size_t count, size_t size);

struct arena_block;

/* Start with {0}. Pointers stay valid until arena_free. */
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes of the newest block */
};

/* Zeroed, aligned for any type. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy of `length` bytes with a NUL after them. */
char *arena_text(struct arena *arena, const char *text, size_t length);
/* One more element, zeroed, in its own memory: for lists that are linked. */
#define arena_new(arena, type) ((type *)arena_array((arena), 1, sizeof(type)))
void arena_free(struct arena *arena);

#endif
