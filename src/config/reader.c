/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way in: files and buffers -> physical lines, without comments, checked for bytes that no text has. What a line
 * means is reader_line.c's; how lines become a tree reader_tree.c's. Called by config.c.
 */
#include "config/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "config/reader_internal.h"

struct place reader_place(const struct file_reader *r, unsigned column)
{
    return (struct place){r->file, r->line, column};
}

bool reader_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

size_t reader_name_length(const char *text)
{
    size_t n = 0;

    while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') || text[n] == '_' ||
           (n > 0 && text[n] >= '0' && text[n] <= '9'))
        n++;
    return n;
}

/* Length of the UTF-8 sequence at `b` (RFC 3629), 0 when it is none. */
static size_t reader_utf8_length(const unsigned char *b, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;

    if (length < 2)
        return length;
    if (length > left)
        return 0;
    uint32_t code = b[0] & (0xffu >> (length + 1));

    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (b[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;

    return code < smallest[length] || code > 0x10ffff || surrogate ? 0 : length;
}

static bool reader_check_bytes(struct file_reader *r, struct text *line)
{
    unsigned char *bytes = (unsigned char *)line->bytes;
    bool reported = false;

    for (size_t i = 0; i < line->length;) {
        size_t length = reader_utf8_length(bytes + i, line->length - i);

        if (bytes[i] == '\0') {
            report_tolerable(r->report, reader_place(r, line->columns[i]), "the line is ignored",
                             "NUL byte: this is no text file");
            return false;
        }
        if (length == 0) {
            if (!reported)
                report_tolerable(r->report, reader_place(r, line->columns[i]), "read as ?",
                                 "byte 0x%02x is not UTF-8 (other encodings may stand in comments only)", bytes[i]);
            reported = true;
            bytes[i] = '?';
            length = 1;
        }
        i += length;
    }
    return true;
}

/*
 * What a web page makes of blanks and quotes: a no-break space, and quotation marks. *length is that of the sequence;
 * returns what it must have been, or '\0'.
 */
static char reader_look_alike(struct file_reader *r, const char *bytes, size_t left, size_t *length)
{
    static const struct {
        const char *bytes, *name;
        char meant;
    } known[] = {
        {"\xc2\xa0", "no-break space", ' '},
        {"\xe2\x80\x9c", "quotation mark", '"'},
        {"\xe2\x80\x9d", "quotation mark", '"'},
        {"\xe2\x80\x9e", "quotation mark", '"'},
    };

    for (unsigned i = 0; i < ARRAY_LENGTH(known); i++) {
        *length = strlen(known[i].bytes);
        if (left < *length || memcmp(bytes, known[i].bytes, *length) != 0)
            continue;
        if (!r->look_alikes)
            report_tolerable(
                r->report, reader_place(r, 1), "read as one, as are others in this file",
                "this line holds the character \"%s\", a %s of a printed page, where a plain %s must stand",
                known[i].bytes, known[i].name, known[i].meant == ' ' ? "blank" : "\"");
        r->look_alikes = true;
        return known[i].meant;
    }
    return '\0';
}

/* The line up to its comment; \# and \! stand for themselves. */
static struct text reader_strip_comment(struct file_reader *r, const char *bytes, size_t length)
{
    struct text line = {0};
    bool quoted = false, printed = false; /* `printed`: by a quotation mark */
    unsigned quote_column = 0;
    size_t sequence;

    for (size_t i = 0; i < length; i++) {
        unsigned column = (unsigned)(i + 1);
        char c = bytes[i];

        if (!quoted && (c == '#' || c == '!'))
            break;
        if ((c & 0x80) != 0 && (!quoted || printed)) {
            char meant = reader_look_alike(r, bytes + i, length - i, &sequence);

            c = meant != '\0' ? meant : c;
            i += meant != '\0' ? sequence - 1 : 0;
            printed = printed || meant == '"';
        }
        if (!quoted && c == '\\' && i + 1 < length && (bytes[i + 1] == '#' || bytes[i + 1] == '!'))
            c = bytes[++i];
        else if (c == '"') {
            quoted = !quoted;
            printed = printed && quoted;
            quote_column = column;
        }
        text_add(&line, c, column);
    }
    if (quoted)
        report_tolerable(r->report, reader_place(r, quote_column), "the word ends with the line",
                         "the quote that opens here is not closed on its line");
    return line;
}

/* A definition goes on although a comment stands before the \ at the end of its line. */
static void reader_keep_continuation(const struct file_reader *r, const char *bytes, size_t length, struct text *line)
{
    while (length > 0 && reader_is_blank(bytes[length - 1]))
        length--;
    if ((r->pending_name != NULL || line->bytes[0] == '$') && bytes[length - 1] == '\\' &&
        line->bytes[line->length - 1] != '\\')
        text_add(line, '\\', (unsigned)length);
}

void reader_physical_line(struct file_reader *r, const char *bytes, size_t length)
{
    struct text stripped = reader_strip_comment(r, bytes, length);

    if (stripped.length > 0 && !reader_check_bytes(r, &stripped))
        r->damaged = true;
    else if (stripped.length > 0) {
        struct text line = text_slice(&stripped, 0, stripped.length);

        if (line.length > 0) {
            reader_keep_continuation(r, bytes, length, &line);
            reader_line(r, &line);
        }
        text_free(&line);
    }
    text_free(&stripped);
}

void reader_read_bytes(struct file_reader *r, const char *bytes, size_t length)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    if (length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        r->line = 1;
        report_error(r->report, reader_place(r, 1), "this is UTF-16; the file must be saved as UTF-8");
        return;
    }
    if (length >= 3 && memcmp(bytes, byte_order_mark, 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    r->line = 0;
    while (length > 0 && !r->stopped) {
        const char *end = memchr(bytes, '\n', length);
        size_t line_length = end == NULL ? length : (size_t)(end - bytes);
        size_t step = end == NULL ? length : line_length + 1;

        r->line++;
        reader_physical_line(r, bytes, line_length);
        bytes += step;
        length -= step;
    }
    if (r->pending_name != NULL) {
        report_error(r->report, r->pending_place,
                     "the file ends inside the definition of $%s (its last line ends in \\)", r->pending_name);
        free(r->pending_name);
        r->pending_name = NULL;
        text_free(&r->pending_value);
    }
}

static void reader_set_config_id(struct file_reader *r)
{
    const char *id = r->options->config_id;
    char host[sizeof(r->config_id)] = "";

    if (id == NULL) {
        if (gethostname(host, sizeof(host) - 1) != 0)
            host[0] = '\0';
        host[strcspn(host, ".")] = '\0';
        id = host;
    }
    size_t length = strnlen(id, sizeof(r->config_id) - 1);

    memcpy(r->config_id, id, length);
    r->config_id[length] = '\0';
}

static void reader_start(struct file_reader *r, struct statement **tree)
{
    r->random = prng_seed(r->options->random_seed);
    r->tail = tree;
    *tree = NULL;
    reader_set_config_id(r);
}

/* Without a word about it half of the file would be gone on a host that has another name. */
static void reader_check_conditions(struct file_reader *r)
{
    if (r->condition.file != NULL && !r->condition_met && r->options->config_id == NULL && !r->options->untrusted)
        report_warning(r->report, r->condition,
                       "no line with @ is for \"%s\", as this host is called; the first is for \"%s\". Option "
                       "--config-id says which to read",
                       r->config_id, r->condition_id);
}

static void reader_end(struct file_reader *r)
{
    reader_tree_end(r);
    reader_check_conditions(r);
    while (r->definitions != NULL)
        reader_undefine(r, r->definitions->name, strlen(r->definitions->name));
}

struct statement *reader_read_file(const char *path, const struct reader_options *options, struct arena *arena,
                                   struct report *report)
{
    struct file_reader r = {.options = options, .arena = arena, .report = report};
    struct statement *tree;

    reader_start(&r, &tree);
    reader_read_path(&r, path, NULL);
    reader_end(&r);
    return tree;
}

struct statement *reader_read_text(const char *name, const char *text, size_t length,
                                   const struct reader_options *options, struct arena *arena, struct report *report)
{
    struct file_reader r = {.options = options, .arena = arena, .report = report};
    struct statement *tree;

    reader_start(&r, &tree);
    r.file = arena_text(arena, name, strlen(name));
    reader_read_bytes(&r, text, length);
    reader_end(&r);
    return tree;
}
