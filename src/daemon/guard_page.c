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
    uint8_t routed; /* not 0: see guard_page.h */
    uint8_t bytes[];
};

struct layout {
    size_t offset;   /* of the first slot: the member's, or of a set none's */
    size_t stride;   /* bytes per slot */
    unsigned slots;  /* the member's, and for each unit one, or one for each of its peers */
    unsigned first;  /* number of this pool's first slot, counted over all pools */
    unsigned units;  /* how many */
    unsigned *start; /* by unit: its first slot; start[units] == slots */
};

struct page_header {
    _Atomic uint64_t beats;
};

struct guard_page {
    uint8_t *memory;
    size_t size;
    int file;            /* of the guard, to be handed to a worker; -1 */
    unsigned pool_count; /* pools and sets */
    struct layout pools[SETTINGS_POOLS_MAX];
};

static size_t round_up(size_t value, size_t to)
{
    return (value + to - 1) / to * to;
}

static size_t frame_length(uint8_t family, size_t addresses)
{
    struct addr any = {.family = family};
    size_t header = family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;

    return ETHERNET_HEADER + header + VRRP_HEADER + addresses * addr_length(&any) + VRRP_AUTH_LENGTH;
}

size_t guard_page_frame_max(const struct pool_settings *pool)
{
    size_t longest = frame_length(pool->family, 1);

    for (unsigned i = 0; i < pool->unit_count; i++) {
        const struct unit_settings *unit = &pool->units[i];
        size_t length = frame_length(unit->instance != NULL ? unit->family : pool->family, unit->address_count);

        longest = length > longest ? length : longest;
    }
    return longest;
}

static unsigned unit_slots(const struct unit_settings *unit)
{
    return unit->instance != NULL && unit->instance->peer_count > 1 ? unit->instance->peer_count : 1;
}

static int lay_out_pool(struct layout *layout, const struct pool_settings *pool)
{
    layout->stride = round_up(sizeof(struct slot) + guard_page_frame_max(pool), sizeof(uint64_t));
    layout->slots = 1;
    layout->units = pool->unit_count;
    layout->start = calloc(pool->unit_count + 1u, sizeof(layout->start[0]));
    if (layout->start == NULL)
        return -ENOMEM;
    for (unsigned u = 0; u < pool->unit_count; u++) {
        layout->start[u] = layout->slots;
        layout->slots += unit_slots(&pool->units[u]);
    }
    layout->start[pool->unit_count] = layout->slots;
    return 0;
}

static int lay_out(struct guard_page *page, const struct core_settings *settings)
{
    size_t offset = round_up(sizeof(struct page_header), sizeof(uint64_t));
    unsigned first = 0;

    page->file = -1;
    page->memory = MAP_FAILED;
    page->pool_count = settings_all_count(settings);
    for (unsigned p = 0; p < page->pool_count; p++) {
        struct layout *layout = &page->pools[p];

        if (lay_out_pool(layout, &settings->pools[p]) < 0)
            return -ENOMEM;
        layout->offset = offset;
        layout->first = first;
        first += layout->slots;
        offset += layout->slots * layout->stride;
    }
    page->size = offset;
    return 0;
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

/* `file` < 0: one of its own. */
static int make(const struct core_settings *settings, int file, struct guard_page **out)
{
    struct guard_page *page = calloc(1, sizeof(*page));
    int error = page != NULL ? lay_out(page, settings) : -ENOMEM;

    if (error == 0)
        error = file < 0 ? make_file(page) : use_file(page, file);
    if (error < 0) {
        guard_page_close(page);
        return error;
    }
    *out = page;
    return 0;
}

int guard_page_open(const struct core_settings *settings, struct guard_page **out)
{
    return make(settings, -1, out);
}

int guard_page_map(const struct core_settings *settings, int file, struct guard_page **out)
{
    return make(settings, file, out);
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
    for (unsigned p = 0; p < page->pool_count; p++)
        free(page->pools[p].start);
    free(page);
}

/* The slots of a unit, or the member's: [*first, the returned end). */
static unsigned slots_of(const struct layout *layout, unsigned unit, unsigned *first)
{
    if (unit == EFFECT_NO_UNIT) {
        *first = 0;
        return 1;
    }
    CHECK(unit < layout->units);
    *first = layout->start[unit];
    return layout->start[unit + 1];
}

static struct slot *slot_at(const struct guard_page *page, unsigned pool, unsigned index)
{
    const struct layout *layout = &page->pools[pool];

    return (struct slot *)(void *)(page->memory + layout->offset + index * layout->stride);
}

void guard_page_hold(struct guard_page *page, unsigned pool, unsigned unit, unsigned peer,
                     const struct guard_frame *frame)
{
    unsigned first, end;

    CHECK(pool < page->pool_count);
    end = slots_of(&page->pools[pool], unit, &first);
    CHECK(peer < end - first);
    struct slot *slot = slot_at(page, pool, first + peer);

    atomic_store_explicit(&slot->length, 0, memory_order_seq_cst);
    if (frame->length == 0 || frame->length > page->pools[pool].stride - sizeof(struct slot))
        return;
    slot->ifindex = frame->ifindex;
    slot->routed = frame->routed;
    memcpy(slot->bytes, frame->bytes, frame->length);
    atomic_store_explicit(&slot->length, (uint32_t)frame->length, memory_order_release);
}

void guard_page_drop(struct guard_page *page, unsigned pool, unsigned unit)
{
    unsigned slot, end;

    CHECK(pool < page->pool_count);
    end = slots_of(&page->pools[pool], unit, &slot);
    for (; slot < end; slot++)
        atomic_store_explicit(&slot_at(page, pool, slot)->length, 0, memory_order_release);
}

void guard_page_take_over(struct guard_page *page, unsigned pool, unsigned unit, const struct guard_page *from,
                          unsigned old_pool, unsigned old_unit)
{
    unsigned first, end, old_first, old_end;

    CHECK(pool < page->pool_count && old_pool < from->pool_count);
    end = slots_of(&page->pools[pool], unit, &first);
    old_end = slots_of(&from->pools[old_pool], old_unit, &old_first);
    for (unsigned i = 0; first + i < end && old_first + i < old_end; i++) {
        struct slot *slot = slot_at(page, pool, first + i);
        const struct slot *old = slot_at(from, old_pool, old_first + i);
        uint32_t length = atomic_load_explicit(&old->length, memory_order_acquire);

        if (length > page->pools[pool].stride - sizeof(struct slot) ||
            length > from->pools[old_pool].stride - sizeof(struct slot))
            continue; /* a shorter list of addresses: it comes with the next advertisement */
        slot->ifindex = old->ifindex;
        slot->routed = old->routed;
        memcpy(slot->bytes, old->bytes, length);
        atomic_store_explicit(&slot->length, length, memory_order_release);
    }
}

bool guard_page_holds(const struct guard_page *page, unsigned pool, unsigned unit)
{
    unsigned slot, end;

    CHECK(pool < page->pool_count);
    for (end = slots_of(&page->pools[pool], unit, &slot); slot < end; slot++)
        if (atomic_load_explicit(&slot_at(page, pool, slot)->length, memory_order_acquire) != 0)
            return true;
    return false;
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
        *out = (struct guard_frame){
            .ifindex = slot->ifindex, .routed = slot->routed != 0, .bytes = slot->bytes, .length = length};
        return true;
    }
    return false;
}

void guard_page_clear(struct guard_page *page)
{
    for (unsigned p = 0; p < page->pool_count; p++) {
        guard_page_drop(page, p, EFFECT_NO_UNIT);
        for (unsigned u = 0; u < page->pools[p].units; u++)
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
