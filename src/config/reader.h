/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader: text in the grammar of keepalived's files -> a tree of statements, every word with its place. It knows
 * comments, quotes, braces, definitions, sequences, conditions and include; it knows no keyword's meaning.
 *
 * A physical line becomes one or more lines (definitions of several lines, ~SEQ, ~LST); a line is split at every brace
 * outside quotes, and the pieces become statements: LINEs of words, and BLOCKs that hold statements. A block is not
 * tied to the line before it, since whether a brace opens a keyword's block or an anonymous group is the keyword's
 * business.
 */
#ifndef EVENKEEL_CONFIG_READER_H
#define EVENKEEL_CONFIG_READER_H

#include <stdint.h>

#include "config/report.h"

#define READER_INCLUDE_DEPTH 16
#define READER_LINES_MAX 1000000
#define READER_BYTES_MAX ((size_t)256 << 20) /* of text, after expansion */

struct word {
    const char *text;   /* without its quotes; never NULL */
    struct place place; /* of its first byte, or of the $ whose replacement it came from */
    bool quoted;        /* began with a double quote, so it is no keyword */
    unsigned offset;    /* of its first byte in the statement's `raw` */
};

enum statement_kind {
    STATEMENT_LINE,
    STATEMENT_BLOCK,
};

struct statement {
    enum statement_kind kind;
    bool joined;         /* on the same line as the end of the block before it: `} vrid 7` */
    struct place place;  /* of the first word, or of the opening brace */
    unsigned word_count; /* LINE: >= 1 */
    struct word *words;
    const char *raw;         /* LINE: its text with quotes, for reader_shell_words */
    struct statement *first; /* BLOCK: what is in it, or NULL */
    struct statement *next;
};

struct reader_options {
    const char *config_id; /* for @id and ${_INSTANCE}; NULL: the host's name up to its first dot */
    uint64_t random_seed;  /* of ${_RANDOM} */
    bool untrusted;        /* no include, no ${_ENV}, and small limits */
};

/*
 * Read a file, or text in memory as if it stood in a file called `name`. The first statement, or NULL when there is
 * none. All findings go to `report`; the tree is as complete as they allow. It lives in `arena`.
 */
struct statement *reader_read_file(const char *path, const struct reader_options *options, struct arena *arena,
                                   struct report *report);
struct statement *reader_read_text(const char *name, const char *text, size_t length,
                                   const struct reader_options *options, struct arena *arena, struct report *report);

/*
 * The bytes of a regular file of at most 64 MiB, to be freed; NULL and *why, which stays valid until the next call.
 * `included`: nothing executable.
 */
char *reader_file(const char *path, bool included, size_t *length, const char **why);

/*
 * The words of a LINE from word `from` on, split again as a command: both kinds of quotes, adjacent pieces join,
 * backslash escapes \a \b \E \f \n \r \t \v \NNN \xXX \cC. One outer pair of double quotes around the whole command is
 * taken off first. Returns their number; *words lives in `arena`.
 */
unsigned reader_shell_words(const struct statement *line, unsigned from, struct word **words, struct arena *arena,
                            struct report *report);

#endif
