/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded reader and writer, and the Internet checksum. The codec (core/wire.c) and every other parser of bytes
 * call it; it knows nothing of any protocol.
 */
#include "base/bytes.h"

#include <string.h>

struct reader reader_init(const uint8_t *data, size_t length)
{
    return (struct reader){.data = data, .length = length, .offset = 0, .ok = true};
}

const uint8_t *read_bytes(struct reader *r, size_t count)
{
    if (!r->ok || count > r->length - r->offset) {
        r->ok = false;
        return NULL;
    }
    const uint8_t *bytes = r->data + r->offset;

    r->offset += count;
    return bytes;
}

uint8_t read_u8(struct reader *r)
{
    const uint8_t *b = read_bytes(r, 1);

    return b ? b[0] : 0;
}

uint16_t read_u16(struct reader *r)
{
    const uint8_t *b = read_bytes(r, 2);

    return b ? (uint16_t)((uint32_t)b[0] << 8 | b[1]) : (uint16_t)0;
}

uint32_t read_u32(struct reader *r)
{
    const uint8_t *b = read_bytes(r, 4);

    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

size_t reader_left(const struct reader *r)
{
    /* Nothing is left after an error, or `while (reader_left())` around failing reads would never end. */
    return r->ok ? r->length - r->offset : 0;
}

struct writer writer_init(uint8_t *data, size_t capacity)
{
    return (struct writer){.data = data, .capacity = capacity, .offset = 0, .ok = true};
}

void write_bytes(struct writer *w, const void *bytes, size_t count)
{
    if (!w->ok || count > w->capacity - w->offset) {
        w->ok = false;
        return;
    }
    if (count > 0)
        memcpy(w->data + w->offset, bytes, count);
    w->offset += count;
}

void write_u8(struct writer *w, uint8_t value)
{
    write_bytes(w, &value, 1);
}

void write_u16(struct writer *w, uint16_t value)
{
    const uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    write_bytes(w, b, sizeof(b));
}

void write_u32(struct writer *w, uint32_t value)
{
    const uint8_t b[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

    write_bytes(w, b, sizeof(b));
}

void write_u16_at(struct writer *w, size_t offset, uint16_t value)
{
    if (!w->ok || w->offset < 2 || offset > w->offset - 2) {
        w->ok = false;
        return;
    }
    w->data[offset] = (uint8_t)(value >> 8);
    w->data[offset + 1] = (uint8_t)value;
}

uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t length)
{
    uint64_t total = sum;
    size_t i = 0;

    for (; i + 1 < length; i += 2)
        total += (uint32_t)data[i] << 8 | data[i + 1];
    if (i < length)
        total += (uint32_t)data[i] << 8; /* RFC 1071: an odd last byte is padded with zero on its right */
    /* Carries may be folded at any time (RFC 1071 section 2), so that no length makes the running sum overflow. */
    while (total > UINT16_MAX)
        total = (total >> 16) + (total & UINT16_MAX);
    return (uint32_t)total;
}

uint16_t checksum_fold(uint32_t sum)
{
    while (sum > UINT16_MAX)
        sum = (sum >> 16) + (sum & UINT16_MAX);
    return (uint16_t)sum;
}
