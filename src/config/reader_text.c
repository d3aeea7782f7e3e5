/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line whose bytes remember their columns. Used by the reader's other files only. */
#include <stdlib.h>
#include <string.h>

#include "config/reader_internal.h"

static void text_reserve(struct text *text, size_t more)
{
    if (text->capacity - text->length > more)
        return;
    size_t capacity = text->capacity + text->capacity / 2 + more + 64;

    text->bytes = xalloc_grow(text->bytes, capacity, 1);
    text->columns = xalloc_grow(text->columns, capacity, sizeof(*text->columns));
    text->capacity = capacity;
}

void text_add(struct text *text, char byte, unsigned column)
{
    text_reserve(text, 1);
    text->bytes[text->length] = byte;
    text->columns[text->length] = column;
    text->bytes[++text->length] = '\0';
}

void text_add_all(struct text *text, const char *bytes, size_t length, unsigned column)
{
    text_reserve(text, length);
    for (size_t i = 0; i < length; i++) {
        text->bytes[text->length + i] = bytes[i];
        text->columns[text->length + i] = column;
    }
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_text(struct text *text, const struct text *from, size_t start, size_t end)
{
    if (start == end)
        return;
    text_reserve(text, end - start);
    memcpy(text->bytes + text->length, from->bytes + start, end - start);
    memcpy(text->columns + text->length, from->columns + start, (end - start) * sizeof(*text->columns));
    text->length += end - start;
    text->bytes[text->length] = '\0';
}

struct text text_slice(const struct text *from, size_t start, size_t end)
{
    struct text slice = {0};

    while (start < end && reader_is_blank(from->bytes[start]))
        start++;
    while (end > start && reader_is_blank(from->bytes[end - 1]))
        end--;
    text_reserve(&slice, 1);
    slice.bytes[0] = '\0';
    text_add_text(&slice, from, start, end);
    return slice;
}

void text_free(struct text *text)
{
    free(text->bytes);
    free(text->columns);
    *text = (struct text){0};
}
