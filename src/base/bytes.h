/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded reader and writer over a byte buffer, with a sticky error: read or write all fields, ask `ok` once at the
 * end. Overrun is impossible; after an error reads return 0 and writes do nothing. All integers are network order.
 */
#ifndef EVENKEEL_BASE_BYTES_H
#define EVENKEEL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *data;
    size_t length; /* of data */
    size_t offset; /* next byte to read; <= length */
    bool ok;       /* false once a read went past the end */
};

struct writer {
    uint8_t *data;
    size_t capacity;
    size_t offset; /* bytes written so far */
    bool ok;       /* false once a write did not fit */
};

struct reader reader_init(const uint8_t *data, size_t length);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
/* A pointer to `count` bytes inside the buffer, or NULL (and error) when fewer are left. */
const uint8_t *read_bytes(struct reader *r, size_t count);
size_t reader_left(const struct reader *r);

struct writer writer_init(uint8_t *data, size_t capacity);
void write_u8(struct writer *w, uint8_t value);
void write_u16(struct writer *w, uint16_t value);
void write_u32(struct writer *w, uint32_t value);
void write_bytes(struct writer *w, const void *bytes, size_t count);
/* Overwrites the two bytes at `offset`, which must have been written already (else error). */
void write_u16_at(struct writer *w, size_t offset, uint16_t value);

/*
 * The Internet checksum's running sum (RFC 1071): add pieces with checksum_add (every piece but the last must have an
 * even length), finish with checksum_fold. A message that holds its own checksum folds to 0xffff.
 */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t length);
uint16_t checksum_fold(uint32_t sum);

#endif
