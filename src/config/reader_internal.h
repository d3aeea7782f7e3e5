/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reader's files share. Included by reader*.c only. */
#ifndef EVENKEEL_CONFIG_READER_INTERNAL_H
#define EVENKEEL_CONFIG_READER_INTERNAL_H

#include "base/prng.h"
#include "config/reader.h"

#define READER_UNTRUSTED_LINES_MAX 5000
#define READER_UNTRUSTED_BYTES_MAX ((size_t)1 << 20)
#define READER_LINE_DEPTH 32 /* of lines that come out of lines, and of definitions in definitions */

/* A line under way; every byte knows the column it came from. Start with {0}, end with text_free. */
struct text {
    char *bytes; /* NUL after `length`; NULL while empty */
    unsigned *columns;
    size_t length;
    size_t capacity;
};

void text_add(struct text *text, char byte, unsigned column);
/* Bytes that all come from one column, as of a definition's use. */
void text_add_all(struct text *text, const char *bytes, size_t length, unsigned column);
void text_add_text(struct text *text, const struct text *from, size_t start, size_t end);
/* A copy of from[start, end) without blanks at either end. */
struct text text_slice(const struct text *from, size_t start, size_t end);
void text_free(struct text *text);

struct definition {
    char *name;
    char *value; /* lines separated by \n */
    struct definition *next;
};

struct include_policy {
    bool match, wildcard, brace; /* what must exist besides a plain name */
};

struct file_reader {
    const struct reader_options *options;
    struct arena *arena;
    struct report *report;
    struct prng random;
    char config_id[256];

    /* where we are */
    const char *file; /* its name as it is shown */
    unsigned line;
    unsigned include_depth;
    unsigned line_depth;
    bool stopped;             /* a limit was reached: nothing more is read */
    bool damaged;             /* a line was dropped: braces may be missing because of that */
    bool templated;           /* it was said that this looks like a template */
    bool conflicted;          /* it was said that a merge left its marks */
    bool look_alikes;         /* it was said that a character only looks like the right one */
    bool condition_met;       /* a line with a condition was for this host */
    struct place condition;   /* the first @id line that was not; file NULL: none */
    const char *condition_id; /* its id */

    struct definition *definitions;
    struct include_policy include;
    bool include_required; /* a file that the include under way names must be there */
    char *pending_name;    /* a definition that goes on in the next line */
    struct text pending_value;
    struct place pending_place;

    size_t line_count; /* produced */
    size_t byte_count;
    size_t use_count; /* of definitions */

    /* the tree */
    struct statement **tail; /* where the next statement goes */
    struct open_block *open; /* innermost first */
    size_t closed_line;      /* line_count when the last block was closed, 0: something came since */
};

struct place reader_place(const struct file_reader *r, unsigned column);
bool reader_is_blank(char c);
/* Length of the name [A-Za-z_][A-Za-z0-9_]* at `text`; 0 when there is none. */
size_t reader_name_length(const char *text);

/* One physical line without its end. */
void reader_physical_line(struct file_reader *r, const char *bytes, size_t length);
/* One line without comment: condition, definition, sequence, expansion, include; what remains goes to reader_tree_add.
 */
void reader_line(struct file_reader *r, const struct text *line);
/* Counts a produced line against the limits; false (and stopped) when one is reached. */
bool reader_count(struct file_reader *r, const struct text *line);

/* Definitions. */
void reader_define(struct file_reader *r, const char *name, size_t name_length, const char *value, size_t value_length);
void reader_undefine(struct file_reader *r, const char *name, size_t name_length);
const char *reader_defined(const struct file_reader *r, const char *name, size_t name_length);
/* Replaces every definition that `line` uses; false when there was none. `out` may hold several lines. */
bool reader_expand(struct file_reader *r, const struct text *line, struct text *out);

/* A line that starts with ~SEQ or ~LST; false when it does not. */
bool reader_repeat(struct file_reader *r, const struct text *line);

/* A line that starts with include; false when it does not. */
bool reader_include(struct file_reader *r, const struct text *line);
/* include_check [+-]read|match|wildcard_match|brace_match: what an include must find from here on. */
void reader_include_check(struct file_reader *r, const struct word *words, unsigned word_count);
/* Reads `path` as a file; the caller has checked nothing. `from` is NULL for the first file. */
void reader_read_path(struct file_reader *r, const char *path, const struct place *from);
void reader_read_bytes(struct file_reader *r, const char *bytes, size_t length);

/* The tree. */
void reader_tree_add(struct file_reader *r, const struct text *line);
void reader_tree_end(struct file_reader *r);

#endif
