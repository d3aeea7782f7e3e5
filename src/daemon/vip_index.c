/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table behind vip_index.h: sorted by link and address, searched by bisection. Called by worker.c and intake.c. */
#include "daemon/vip_index.h"

#include <stdlib.h>

struct entry {
    struct addr address;
    uint8_t link;
    struct vip_place place;
};

struct vip_index {
    size_t count;
    struct entry entries[];
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;

    if (a->link != b->link)
        return a->link < b->link ? -1 : 1;
    return addr_compare(&a->address, &b->address);
}

static size_t count_vips(const struct config *config)
{
    size_t count = 0;

    for (unsigned p = 0; p < settings_all_count(&config->core); p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            count += config->pools[p].units[u].vip_count;
    }
    return count;
}

static void add_unit(struct vip_index *index, const struct config_unit *unit, struct vip_place place)
{
    for (unsigned v = 0; v < unit->vip_count; v++) {
        place.number = (unsigned)index->count;
        index->entries[index->count++] =
            (struct entry){.address = unit->vips[v].address, .link = unit->vips[v].link, .place = place};
    }
}

struct vip_index *vip_index_new(const struct config *config)
{
    struct vip_index *index = calloc(1, sizeof(*index) + count_vips(config) * sizeof(index->entries[0]));

    if (index == NULL)
        return NULL;
    for (unsigned p = 0; p < settings_all_count(&config->core); p++) {
        for (unsigned u = 0; u < config->core.pools[p].unit_count; u++)
            add_unit(index, &config->pools[p].units[u], (struct vip_place){.pool = (uint8_t)p, .unit = (uint16_t)u});
    }
    qsort(index->entries, index->count, sizeof(index->entries[0]), compare);
    return index;
}

void vip_index_free(struct vip_index *index)
{
    free(index);
}

unsigned vip_index_count(const struct vip_index *index)
{
    return (unsigned)index->count;
}

bool vip_index_find(const struct vip_index *index, unsigned link, const struct addr *address, struct vip_place *place)
{
    struct entry wanted = {.address = *address, .link = (uint8_t)link};
    const struct entry *found = bsearch(&wanted, index->entries, index->count, sizeof(index->entries[0]), compare);

    if (found != NULL)
        *place = found->place;
    return found != NULL;
}
