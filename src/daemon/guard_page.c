/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared page between worker and guard (see guard_page.h). It owns the mapping and its layout; which frames go in
 * is apply.c's business, sending them is guard.c's.
 *
 * A slot's length is its validity: stored last with release order when the frame is complete, and 0 first while it is
 * being replaced, so that a worker which dies in the middle leaves an empty slot and never half a frame.
 */
#include "daemon/guard_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "core/effect.h"
#include "core/wire.h"

#define ETHERNET_HEADER 14
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define VRRP_HEADER 8

struct slot {
    _Atomic uint32_t length; /* of `bytes`; 0: empty */
    int32_t ifindex;
    uint8_t bytes[];
};

struct layout {
    size_t offset;  /* of the pool's first slot, the member's */
    size_t stride;  /* bytes per slot */
    unsigned slots; /* units + 1 */
    unsigned first; /* number of this pool's first slot, counted over all pools */
};

struct page_header {
    _Atomic uint64_t beats;
};

struct guard_page {
    uint8_t *memory;
    size_t size;
    int file; /* of the guard, to be handed to a worker; -1 */
    unsigned pool_count;
    struct layout pools[SETTINGS_POOLS_MAX];
};

static size_t round_up(size_t value, size_t to)
{
    return (value + to - 1) / to * to;
}

size_t guard_page_frame_max(const struct pool_settings *pool)
{
    struct addr any = {.family = pool->family};
    size_t header = pool->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    size_t addresses = 1;

    for (unsigned i = 0; i < pool->unit_count; i++) {
        if (pool->units[i].address_count > addresses)
            addresses = pool->units[i].address_count;
    }
    return ETHERNET_HEADER + header + VRRP_HEADER + addresses * addr_length(&any) + VRRP_AUTH_LENGTH;
}

static struct guard_page *lay_out(const struct core_settings *settings)
{
    struct guard_page *page = calloc(1, sizeof(*page));
    size_t offset = round_up(sizeof(struct page_header), 64);
    unsigned first = 0;

    if (page == NULL)
        return NULL;
    page->file = -1;
    page->memory = MAP_FAILED;
    page->pool_count = settings->pool_count;
    for (unsigned p = 0; p < settings->pool_count; p++) {
        struct layout *layout = &page->pools[p];

        layout->offset = offset;
        layout->stride = round_up(sizeof(struct slot) + guard_page_frame_max(&settings->pools[p]), 8);
        layout->slots = settings->pools[p].unit_count + 1u;
        layout->first = first;
        first += layout->slots;
        offset += layout->slots * layout->stride;
    }
    page->size = offset;
    return page;
}

static int map(struct guard_page *page, int file)
{
    page->memory = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return page->memory == MAP_FAILED ? -errno : 0;
}

/* Sealed: a worker gone wrong must not be able to cut the page off under the guard. */
static int make_file(struct guard_page *page)
{
    page->file = memfd_create("evenkeel-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (page->file < 0 || ftruncate(page->file, (off_t)page->size) < 0 ||
        fcntl(page->file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    return map(page, page->file);
}

static int use_file(struct guard_page *page, int file)
{
    struct stat status;

    if (fstat(file, &status) < 0)
        return -errno;
    return status.st_size == (off_t)page->size ? map(page, file) : -EINVAL;
}

static int finish(struct guard_page *page, int error, struct guard_page **out)
{
    if (error < 0) {
        guard_page_close(page);
        return error;
    }
    *out = page;
    return 0;
}

int guard_page_open(const struct core_settings *settings, struct guard_page **out)
{
    struct guard_page *page = lay_out(settings);

    return page == NULL ? -ENOMEM : finish(page, make_file(page), out);
}

int guard_page_map(const struct core_settings *settings, int file, struct guard_page **out)
{
    struct guard_page *page = lay_out(settings);

    return page == NULL ? -ENOMEM : finish(page, use_file(page, file), out);
}

int guard_page_file(const struct guard_page *page)
{
    return page->file;
}

void guard_page_close_file(struct guard_page *page)
{
    if (page->file >= 0)
        close(page->file);
    page->file = -1;
}

void guard_page_close(struct guard_page *page)
{
    if (page == NULL)
        return;
    if (page->memory != MAP_FAILED)
        munmap(page->memory, page->size);
    guard_page_close_file(page);
    free(page);
}

static struct slot *slot_at(const struct guard_page *page, unsigned pool, unsigned unit)
{
    CHECK(pool < page->pool_count);
    const struct layout *layout = &page->pools[pool];
    unsigned index = unit == EFFECT_NO_UNIT ? 0 : unit + 1;

    CHECK(index < layout->slots);
    return (struct slot *)(void *)(page->memory + layout->offset + index * layout->stride);
}

void guard_page_hold(struct guard_page *page, unsigned pool, unsigned unit, int ifindex, const uint8_t *frame,
                     size_t length)
{
    struct slot *slot = slot_at(page, pool, unit);

    atomic_store_explicit(&slot->length, 0, memory_order_seq_cst);
    if (length == 0 || length > page->pools[pool].stride - sizeof(struct slot))
        return;
    slot->ifindex = ifindex;
    memcpy(slot->bytes, frame, length);
    atomic_store_explicit(&slot->length, (uint32_t)length, memory_order_release);
}

void guard_page_drop(struct guard_page *page, unsigned pool, unsigned unit)
{
    atomic_store_explicit(&slot_at(page, pool, unit)->length, 0, memory_order_release);
}

bool guard_page_holds(const struct guard_page *page, unsigned pool, unsigned unit)
{
    return atomic_load_explicit(&slot_at(page, pool, unit)->length, memory_order_acquire) != 0;
}

/* The slot with this number over all pools, and the longest frame it can hold; NULL past the last. */
static const struct slot *slot_number(const struct guard_page *page, unsigned number, size_t *room)
{
    for (unsigned p = 0; p < page->pool_count; p++) {
        const struct layout *layout = &page->pools[p];

        if (number >= layout->first + layout->slots)
            continue;
        *room = layout->stride - sizeof(struct slot);
        return (const struct slot *)(const void *)(page->memory + layout->offset +
                                                   (number - layout->first) * layout->stride);
    }
    return NULL;
}

bool guard_page_next(const struct guard_page *page, unsigned *cursor, struct guard_frame *out)
{
    const struct slot *slot;
    size_t room = 0;

    while ((slot = slot_number(page, *cursor, &room)) != NULL) {
        uint32_t length = atomic_load_explicit(&slot->length, memory_order_acquire);

        ++*cursor;
        if (length == 0 || length > room)
            continue;
        *out = (struct guard_frame){.ifindex = slot->ifindex, .bytes = slot->bytes, .length = length};
        return true;
    }
    return false;
}

void guard_page_clear(struct guard_page *page)
{
    for (unsigned p = 0; p < page->pool_count; p++) {
        guard_page_drop(page, p, EFFECT_NO_UNIT);
        for (unsigned u = 0; u + 1 < page->pools[p].slots; u++)
            guard_page_drop(page, p, u);
    }
}

void guard_page_beat(struct guard_page *page)
{
    struct page_header *header = (struct page_header *)(void *)page->memory;

    atomic_fetch_add_explicit(&header->beats, 1, memory_order_relaxed);
}

uint64_t guard_page_beats(const struct guard_page *page)
{
    struct page_header *header = (struct page_header *)(void *)page->memory;

    return atomic_load_explicit(&header->beats, memory_order_relaxed);
}
