/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that ends the program when there is no memory. Owns nothing but the arena's blocks. Called by everything
 * in config; the core and the daemon's running state never allocate through this.
 */
#include "config/xalloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 65536

struct arena_block {
    struct arena_block *next;
    size_t capacity;
    alignas(max_align_t) unsigned char bytes[];
};

static _Noreturn void xalloc_fail(void)
{
    fputs("out of memory while reading the configuration\n", stderr);
    abort();
}

static size_t xalloc_bytes(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        xalloc_fail();
    return bytes > 0 ? bytes : 1;
}

void *xalloc_array(size_t count, size_t size)
{
    void *memory = calloc(1, xalloc_bytes(count, size));

    if (memory == NULL)
        xalloc_fail();
    return memory;
}

void *xalloc_grow(void *old, size_t count, size_t size)
{
    void *memory = realloc(old, xalloc_bytes(count, size));

    if (memory == NULL)
        xalloc_fail();
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    const size_t unit = alignof(max_align_t);
    size_t bytes = (xalloc_bytes(count, size) + unit - 1) / unit * unit;

    if (arena->blocks == NULL || arena->blocks->capacity - arena->used < bytes) {
        size_t capacity = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
        struct arena_block *block = xalloc_array(1, sizeof(*block) + capacity);

        block->next = arena->blocks;
        block->capacity = capacity;
        arena->blocks = block;
        arena->used = 0;
    }
    void *memory = arena->blocks->bytes + arena->used;

    arena->used += bytes;
    return memory;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_array(arena, length + 1, 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}
