/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a line may be before it is words: the next line of a definition, under a condition (@id), a definition ($NAME=),
 * a sequence (~SEQ, ~LST), text with definitions to be replaced, an include. Each of these may give lines that come
 * here again, so depth and amount are bounded here.
 */
#include <stdlib.h>
#include <string.h>

#include "config/reader_internal.h"

bool reader_count(struct file_reader *r, const struct text *line)
{
    size_t lines_max = r->options->untrusted ? READER_UNTRUSTED_LINES_MAX : READER_LINES_MAX;
    size_t bytes_max = r->options->untrusted ? READER_UNTRUSTED_BYTES_MAX : READER_BYTES_MAX;

    if (r->stopped)
        return false;
    r->line_count++;
    r->byte_count += line->length;
    if (r->line_count <= lines_max && r->byte_count <= bytes_max)
        return true;
    r->stopped = true;
    if (r->line_count > lines_max)
        report_error(r->report, reader_place(r, 1), "more than %zu lines after expansion; nothing after this is read",
                     lines_max);
    else
        report_error(r->report, reader_place(r, 1),
                     "more than %zu MiB of text after expansion; nothing after this is read", bytes_max >> 20);
    return false;
}

/* Adds a line to the definition under way. */
static void reader_continue_definition(struct file_reader *r, const struct text *line)
{
    bool more = line->length > 0 && line->bytes[line->length - 1] == '\\';
    struct text part = text_slice(line, 0, line->length - more);

    if (part.length > 0) {
        if (r->pending_value.length > 0)
            text_add(&r->pending_value, '\n', 0);
        text_add_text(&r->pending_value, &part, 0, part.length);
    }
    text_free(&part);
    if (more)
        return;
    const char *value = r->pending_value.length > 0 ? r->pending_value.bytes : "";

    reader_define(r, r->pending_name, strlen(r->pending_name), value, r->pending_value.length);
    free(r->pending_name);
    r->pending_name = NULL;
    text_free(&r->pending_value);
}

/* $NAME=text; false when the line is none. */
static bool reader_definition(struct file_reader *r, const struct text *line)
{
    if (line->bytes[0] != '$')
        return false;
    size_t name_length = reader_name_length(line->bytes + 1);

    if (name_length == 0 || line->bytes[1 + name_length] != '=')
        return false;
    struct text value = text_slice(line, name_length + 2, line->length);

    r->pending_name = xalloc_array(name_length + 1, 1);
    memcpy(r->pending_name, line->bytes + 1, name_length);
    r->pending_place = reader_place(r, line->columns[0]);
    reader_continue_definition(r, &value);
    text_free(&value);
    return true;
}

/* @id or @^id at the start: false when the line is not for us; else *start is where the rest begins. */
static bool reader_condition(struct file_reader *r, const struct text *line, size_t *start)
{
    size_t i = *start + 1;
    bool negated = line->bytes[i] == '^';
    size_t id = negated ? i + 1 : i, end = id;

    while (end < line->length && !reader_is_blank(line->bytes[end]))
        end++;
    if (end == id) {
        report_error(r->report, reader_place(r, line->columns[*start]),
                     "@ must be followed by a host's name: @id or @^id");
        return false;
    }
    bool equal = end - id == strlen(r->config_id) && memcmp(line->bytes + id, r->config_id, end - id) == 0;

    r->condition_met = r->condition_met || equal;
    if (!equal && !negated && r->condition.file == NULL) {
        r->condition = reader_place(r, line->columns[*start]);
        r->condition_id = arena_text(r->arena, line->bytes + id, end - id);
    }
    while (end < line->length && reader_is_blank(line->bytes[end]))
        end++;
    *start = end;
    return equal != negated;
}

/* The lines that an expansion gave, one by one. */
static void reader_lines(struct file_reader *r, const struct text *lines)
{
    for (size_t start = 0; start < lines->length && !r->stopped;) {
        const char *newline = memchr(lines->bytes + start, '\n', lines->length - start);
        size_t end = newline == NULL ? lines->length : (size_t)(newline - lines->bytes);
        struct text line = text_slice(lines, start, end);

        if (line.length > 0)
            reader_line(r, &line);
        text_free(&line);
        start = end + 1;
    }
}

static void reader_plain_line(struct file_reader *r, const struct text *line)
{
    struct text expanded = {0};

    if (reader_definition(r, line) || reader_repeat(r, line))
        return;
    if (reader_expand(r, line, &expanded))
        reader_lines(r, &expanded);
    else if (!reader_include(r, line) && reader_count(r, line))
        reader_tree_add(r, line);
    text_free(&expanded);
}

void reader_line(struct file_reader *r, const struct text *line)
{
    size_t start = 0;

    if (r->stopped)
        return;
    if (r->pending_name != NULL) {
        reader_continue_definition(r, line);
        return;
    }
    if (r->line_depth == READER_LINE_DEPTH) {
        report_error(r->report, reader_place(r, line->columns[0]),
                     "definitions and sequences nest more than %d deep; nothing after this is read", READER_LINE_DEPTH);
        r->stopped = true;
        return;
    }
    while (start < line->length && line->bytes[start] == '@')
        if (!reader_condition(r, line, &start))
            return;
    struct text rest = text_slice(line, start, line->length);

    r->line_depth++;
    if (rest.length > 0)
        reader_plain_line(r, &rest);
    r->line_depth--;
    text_free(&rest);
}
