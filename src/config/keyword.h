/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyword engine: tables of keywords and one parser for all of them. A row says what a keyword's argument is, its
 * range, unit and default, where the value goes, what people are told and what a reload does with a change; parsing,
 * range errors, suggestions and the manual all come from it. The engine knows no keyword by name.
 *
 * Rules: a keyword's arguments end at the end of its line; what follows on the line must be the next keyword. A block
 * follows its keyword on the same or the next line. A keyword is given once. Unknown keywords are errors and are
 * skipped with their blocks.
 *
 * A tolerant run (keyword_run) is for languages whose files are full of faults that nobody ever noticed: what cannot be
 * used is a warning that says what is done instead, the last of two values counts, and a brace that is missing is read
 * where it must have been.
 */
#ifndef EVENKEEL_CONFIG_KEYWORD_H
#define EVENKEEL_CONFIG_KEYWORD_H

#include "config/reader.h"

enum keyword_type {
    KEYWORD_FLAG,    /* bool: the word alone, or on|off after it */
    KEYWORD_BOOL,    /* bool: on|off, yes|no, true|false */
    KEYWORD_SET,     /* bool: the word alone sets it to `minimum` != 0 */
    KEYWORD_INTEGER, /* a signed integer of `size` bytes */
    KEYWORD_SECONDS, /* int64_t, microseconds; minimum, maximum and step too */
    KEYWORD_CHOICE,  /* uint8_t: one of `choices` */
    KEYWORD_WORD,    /* struct word */
    KEYWORD_TEXT,    /* const char *: a word's text */
    KEYWORD_WORDS,   /* struct word_list: one or more words, to the end of the line or the next keyword */
    KEYWORD_CUSTOM,  /* read by `take` */
    KEYWORD_BLOCK,   /* handled by `enter`: the words between keyword and brace, and what is in the braces */
    KEYWORD_REFUSED, /* known, but not run: `help` says why; skipped with its arguments and its block */
};

/* What a reload does when the value has changed. */
enum keyword_reload {
    RELOAD_AT_ONCE, /* in force at once; no unit changes its owner because of it */
    RELOAD_UNITS,   /* only units whose own lines changed are released, or joined, one by one */
    RELOAD_POOL,    /* the pool's units are released in order, and it starts anew with the new value */
    RELOAD_COUNT,
};

/* A word with a value: of a CHOICE, or beside the numbers of an INTEGER. Ends with a NULL name. */
struct keyword_choice {
    const char *name;
    int64_t value;
};

struct word_list {
    unsigned count;
    struct word *words;
};

struct keyword_run;
struct keyword;

/* What a block keyword does: `words` stand between it and its brace, `first` is the block's first statement or NULL. */
typedef void keyword_enter(struct keyword_run *run, const struct keyword *row, const struct word *keyword,
                           const struct word_list *words, const struct statement *first, void *target);

/*
 * What a custom keyword does: words[at] of `line` is the keyword, its arguments end before words[end] at the latest.
 * Returns the index after its last argument; at + 1 when it has used none.
 */
typedef unsigned keyword_read(struct keyword_run *run, const struct keyword *row, const struct statement *line,
                              unsigned at, unsigned end, void *target);

struct keyword {
    const char *name;
    enum keyword_type type;
    const char *argument;     /* as the manual shows it: "SECONDS", "NAME { ... }"; NULL: none */
    int64_t minimum, maximum; /* INTEGER, SECONDS */
    int64_t step;             /* SECONDS: a multiple of it; 0: any */
    const char *unit;         /* INTEGER: "moves"; NULL: none. SECONDS are seconds */
    const char *default_text; /* parsed by the same code as the file's; NULL: none */
    const char *default_note; /* of the manual, where the default is no plain value */
    const char *help;         /* sentences for the manual, in plain text */
    const struct keyword_choice *choices;
    size_t offset;        /* of the value in the target */
    size_t size;          /* INTEGER: bytes of the value, 1, 2, 4; 0: 8 */
    keyword_enter *enter; /* BLOCK */
    keyword_read *take;   /* CUSTOM */
    char stop;            /* WORDS: also ends before a word that holds this character */
    bool repeatable;
    bool named;  /* BLOCK: the words before the brace are its name, not what is in it */
    char common; /* for the manual: how often files hold it, 'A' (most) to 'C' (rarely); 0: not told */
    enum keyword_reload reload;
};

struct keyword_table {
    const char *context; /* for messages: "vrrp_pool"; NULL: the file */
    const struct keyword *rows;
    unsigned count;
    /* A line without a block that begins with no keyword of the table: true when it means something all the same. */
    bool (*other)(struct keyword_run *run, const struct statement *line, void *target);
};

/* What a parse has at hand. */
struct keyword_run {
    struct arena *arena; /* for word lists */
    struct report *report;
    void *context; /* of the `enter` functions */
    bool tolerant;
    struct keyword_level *level; /* the blocks that the parse is in, innermost first; keyword_parse adds to it */
};

/* A block that is being parsed. In a tolerant run it may go on where a block inside it is never closed. */
struct keyword_level {
    const struct keyword_table *table;
    void *target;
    struct place *given;
    struct keyword_level *outer;
};

/* The row called `name`, or NULL. */
const struct keyword *keyword_find(const struct keyword_table *table, const char *name);

/* Writes the rows' defaults into `target`. */
void keyword_defaults(const struct keyword_table *table, struct keyword_run *run, void *target);

/*
 * Parses a block's statements into `target`. given[i] becomes the place where row i was given (file NULL: it was not);
 * it has table->count entries, zeroed by the caller.
 */
void keyword_parse(const struct keyword_table *table, struct keyword_run *run, const struct statement *first,
                   void *target, struct place *given);

/*
 * Parses a line that stands inside a block, but begins a block of one outside it, in a tolerant run: a } is missing
 * before it. Returns the statement that was used last; NULL: it is no such line. For `enter` functions whose lines are
 * no keywords; keyword_parse does it by itself.
 */
const struct statement *keyword_outer_line(struct keyword_run *run, const struct statement *line);

/*
 * One line, with the block that belongs to it; returns the statement that was used last. What keyword_parse does with
 * each line; for whoever has several tables.
 */
const struct statement *keyword_parse_line(const struct keyword_table *table, struct keyword_run *run,
                                           const struct statement *line, void *target, struct place *given);

/*
 * Parses one keyword's arguments out of a line: words[at] is the keyword. Returns the index after its last argument.
 * For `enter` functions whose lines mix words of their own with keywords.
 */
unsigned keyword_take(const struct keyword_table *table, const struct keyword *row, struct keyword_run *run,
                      const struct statement *line, unsigned at, void *target, struct place *given);

/*
 * A finding in the file: an error; in a tolerant run a warning, with what is done about it (`instead`) at its end.
 */
__attribute__((format(printf, 4, 5))) void keyword_complain(struct keyword_run *run, struct place place,
                                                            const char *instead, const char *format, ...);
/* The word as this row's value, as the parser would read it; false after a finding. Not for WORDS, CUSTOM, BLOCK. */
bool keyword_value(struct keyword_run *run, const struct keyword *row, const struct word *word, void *target);

/* "unknown keyword ..." with the nearest name of the table. */
void keyword_report_unknown(const struct keyword_table *table, struct keyword_run *run, const struct word *word);

#define KEYWORD_RANGE_MAX 96
/* What the row accepts, as text: "0.01..40.95 s", "on, off", "1..255 or all"; empty for words. */
const char *keyword_range(const struct keyword *row, char buffer[static KEYWORD_RANGE_MAX]);
/* Microseconds as shortest decimal seconds: "0.25". */
const char *keyword_seconds(int64_t us, char buffer[static 32]);

#endif
