/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See unicast.h. It owns the queue, and the sockets behind packet_ip.h. */
#include "daemon/unicast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/packet_ip.h"

struct entry {
    uint8_t pool;
    uint16_t unit;
    int ifindex;
    size_t offset, length; /* in `bytes` */
};

struct unicast {
    struct packet_ip *ip;
    struct entry *entries;
    unsigned count, capacity;
    uint8_t *bytes;
    size_t used, size;
};

int unicast_open(struct unicast **out)
{
    struct unicast *unicast = calloc(1, sizeof(*unicast));

    if (unicast == NULL)
        return -ENOMEM;
    int error = packet_ip_open(&unicast->ip);

    if (error < 0) {
        free(unicast);
        return error;
    }
    *out = unicast;
    return 0;
}

void unicast_close(struct unicast *unicast)
{
    if (unicast == NULL)
        return;
    packet_ip_close(unicast->ip);
    free(unicast->entries);
    free(unicast->bytes);
    free(unicast);
}

/* Room for one entry more with so many bytes. The queue is empty after each turn, so it grows to what one turn needs.
 */
static bool make_room(struct unicast *unicast, size_t length)
{
    if (unicast->count == unicast->capacity) {
        unsigned capacity = unicast->capacity * 2 + 16;
        struct entry *entries = realloc(unicast->entries, capacity * sizeof(entries[0]));

        if (entries == NULL)
            return false;
        unicast->entries = entries;
        unicast->capacity = capacity;
    }
    if (unicast->size - unicast->used < length) {
        size_t size = unicast->size * 2 + 4096 + length;
        uint8_t *bytes = realloc(unicast->bytes, size);

        if (bytes == NULL)
            return false;
        unicast->bytes = bytes;
        unicast->size = size;
    }
    return true;
}

bool unicast_queue(struct unicast *unicast, unsigned pool, unsigned unit, int ifindex, const uint8_t *packet,
                   size_t length)
{
    if (!make_room(unicast, length))
        return false;
    unicast->entries[unicast->count++] = (struct entry){
        .pool = (uint8_t)pool, .unit = (uint16_t)unit, .ifindex = ifindex, .offset = unicast->used, .length = length};
    memcpy(unicast->bytes + unicast->used, packet, length);
    unicast->used += length;
    return true;
}

/* Refused for want of something here, as opposed to: nobody can be reached at that address. */
static bool is_our_own(int error)
{
    return error == -EAGAIN || error == -EINTR || error == -ENOBUFS || error == -ENOMEM;
}

unsigned unicast_flush(struct unicast *unicast, bool stale, unicast_done *done, void *context)
{
    unsigned refused = 0, sent = 0;
    bool said = true;

    for (unsigned i = 0; i < unicast->count; i++) {
        const struct entry *entry = &unicast->entries[i], *next = entry + 1;
        const uint8_t *packet = unicast->bytes + entry->offset;
        bool last = i + 1 == unicast->count || next->pool != entry->pool || next->unit != entry->unit;

        int error = stale ? -EAGAIN : packet_ip_send(unicast->ip, entry->ifindex, packet, entry->length);

        sent += error == 0;
        refused += error != 0;
        said = said && !is_our_own(error);
        if (!last)
            continue;
        done(context, entry->pool, entry->unit, sent, said || sent > 0, packet, entry->length);
        sent = 0;
        said = true;
    }
    unicast->count = 0;
    unicast->used = 0;
    return refused;
}
