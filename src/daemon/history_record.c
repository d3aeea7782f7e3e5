/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The codec of the history's file (see history_record.h). Called by history_file.c. */
#include "daemon/history_record.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

#define MAGIC "EKhistry"
#define MAGIC_BYTES 8
#define VERSION 1
#define SUM_BYTES 8
#define SEQUENCE_MAX (UINT64_C(1) << 62)

static void write_u64(struct writer *w, uint64_t value)
{
    write_u32(w, (uint32_t)(value >> 32));
    write_u32(w, (uint32_t)value);
}

static uint64_t read_u64(struct reader *r)
{
    uint64_t high = read_u32(r);

    return high << 32 | read_u32(r);
}

static uint64_t add_name(uint64_t hash, const char *name)
{
    return hash_add(hash, name, strlen(name) + 1);
}

/* What the numbers in the records mean. */
static uint64_t names_hash(void)
{
    uint64_t hash = HASH_START;

    for (unsigned kind = 0; kind < NOTE_KINDS; kind++)
        hash = add_name(hash, note_name(&(struct note){.kind = (uint8_t)kind}));
    for (unsigned reason = 0; reason < REASON_COUNT; reason++)
        hash = add_name(hash, reason_name((enum reason)reason));
    for (unsigned state = 0; state < ROUTER_STATE_COUNT; state++)
        hash = add_name(hash, router_state_name((enum router_state)state));
    for (unsigned state = 0; state < INSTANCE_STATE_COUNT; state++)
        hash = add_name(hash, instance_state_name((enum instance_state)state));
    return hash_finish(hash);
}

static uint64_t sum_of(const uint8_t *bytes, size_t length)
{
    return hash_finish(hash_add(HASH_START, bytes, length));
}

/* The sum stands in the last bytes. */
static void write_sum(uint8_t *bytes, size_t length)
{
    struct writer w = writer_init(bytes + length - SUM_BYTES, SUM_BYTES);

    write_u64(&w, sum_of(bytes, length - SUM_BYTES));
}

static bool sum_is_right(const uint8_t *bytes, size_t length)
{
    struct reader r = reader_init(bytes + length - SUM_BYTES, SUM_BYTES);

    return read_u64(&r) == sum_of(bytes, length - SUM_BYTES);
}

void history_head_encode(unsigned capacity, uint8_t bytes[static HISTORY_HEAD_BYTES])
{
    struct writer w = writer_init(bytes, HISTORY_HEAD_BYTES - SUM_BYTES);

    memset(bytes, 0, HISTORY_HEAD_BYTES);
    write_bytes(&w, MAGIC, MAGIC_BYTES);
    write_u32(&w, VERSION);
    write_u32(&w, HISTORY_RECORD_BYTES);
    write_u32(&w, capacity);
    write_u64(&w, names_hash());
    CHECK(w.ok);
    write_sum(bytes, HISTORY_HEAD_BYTES);
}

const char *history_head_check(unsigned capacity, const uint8_t bytes[static HISTORY_HEAD_BYTES])
{
    struct reader r = reader_init(bytes, HISTORY_HEAD_BYTES);

    if (memcmp(read_bytes(&r, MAGIC_BYTES), MAGIC, MAGIC_BYTES) != 0)
        return "it is no history of evenkeeld";
    if (!sum_is_right(bytes, HISTORY_HEAD_BYTES))
        return "its head is damaged";
    if (read_u32(&r) != VERSION || read_u32(&r) != HISTORY_RECORD_BYTES || read_u32(&r) != capacity ||
        read_u64(&r) != names_hash())
        return "another release wrote it";
    return NULL;
}

static void write_address(struct writer *w, const struct addr *address)
{
    write_u8(w, address->family);
    write_bytes(w, address->bytes, sizeof(address->bytes));
}

void history_record_encode(const struct history_entry *entry, uint8_t bytes[static HISTORY_RECORD_BYTES])
{
    const struct note *note = &entry->note;
    struct writer w = writer_init(bytes, HISTORY_RECORD_BYTES - SUM_BYTES);

    memset(bytes, 0, HISTORY_RECORD_BYTES);
    write_u64(&w, entry->sequence);
    write_u64(&w, (uint64_t)entry->wall_us);
    write_u64(&w, (uint64_t)note->value);
    write_u8(&w, note->kind);
    write_u8(&w, note->reason);
    write_u8(&w, note->from_state);
    write_u8(&w, note->to_state);
    write_u8(&w, note->vrid);
    write_address(&w, &note->unit);
    write_address(&w, &note->from);
    write_address(&w, &note->to);
    write_u8(&w, note->about);
    write_bytes(&w, note->name, strnlen(note->name, sizeof(note->name) - 1));
    CHECK(w.ok);
    write_sum(bytes, HISTORY_RECORD_BYTES);
}

static bool read_address(struct reader *r, struct addr *out)
{
    enum family family = (enum family)read_u8(r);
    const uint8_t *bytes = read_bytes(r, sizeof(out->bytes));

    if (bytes == NULL || (family != FAMILY_NONE && family != FAMILY_IPV4 && family != FAMILY_IPV6))
        return false;
    *out = family == FAMILY_NONE ? ADDR_NONE : addr_from_bytes(family, bytes);
    return true;
}

/* A name is a word; the rest of its room is zero. */
static bool read_name(struct reader *r, char name[static SETTINGS_NAME_MAX])
{
    const uint8_t *bytes = read_bytes(r, SETTINGS_NAME_MAX);

    if (bytes == NULL || bytes[SETTINGS_NAME_MAX - 1] != '\0')
        return false;
    memcpy(name, bytes, SETTINGS_NAME_MAX);
    return true;
}

static bool read_about(struct reader *r, uint8_t *about)
{
    *about = read_u8(r);
    return *about <= NOTE_ABOUT_GROUP;
}

enum history_record_result history_record_decode(const uint8_t bytes[static HISTORY_RECORD_BYTES],
                                                 struct history_entry *out)
{
    static const uint8_t empty[HISTORY_RECORD_BYTES];
    struct reader r = reader_init(bytes, HISTORY_RECORD_BYTES - SUM_BYTES);
    struct note note = {.kind = 0};

    if (memcmp(bytes, empty, sizeof(empty)) == 0)
        return HISTORY_RECORD_EMPTY;
    *out = (struct history_entry){.sequence = read_u64(&r), .at = MONO_NEVER};
    out->wall_us = (int64_t)read_u64(&r);
    note.value = (int64_t)read_u64(&r);
    note.kind = read_u8(&r);
    note.reason = read_u8(&r);
    note.from_state = read_u8(&r);
    note.to_state = read_u8(&r);
    note.vrid = read_u8(&r);
    bool whole = read_address(&r, &note.unit) && read_address(&r, &note.from) && read_address(&r, &note.to) &&
                 read_about(&r, &note.about) && read_name(&r, note.name) && r.ok &&
                 sum_is_right(bytes, HISTORY_RECORD_BYTES);

    unsigned states = note.about == NOTE_ABOUT_POOL ? ROUTER_STATE_COUNT : INSTANCE_STATE_COUNT;

    out->note = note;
    return whole && out->sequence > 0 && out->sequence < SEQUENCE_MAX && note.kind < NOTE_KINDS &&
                   note.reason < REASON_COUNT && note.from_state < states && note.to_state < states
               ? HISTORY_RECORD_OK
               : HISTORY_RECORD_DAMAGED;
}
