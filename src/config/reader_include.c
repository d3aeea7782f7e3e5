/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: reading one into memory, and include with its variants. A plain name that is not there is an error that some
 * readers live with, unless a variant asks for it; what wildcards and braces must find is the variant's (includem:
 * something; includew: every wildcard; includeb: every alternative; includea: all of that; includer: what is found must
 * be readable, which is so for every variant here).
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/reader_internal.h"

#define READER_FILE_BYTES_MAX ((off_t)64 << 20)
#define INCLUDE_ALTERNATIVES_MAX 1000

static void reader_complain(struct file_reader *r, const char *path, const struct place *from, const char *why)
{
    char quote[REPORT_QUOTE_MAX];

    if (from != NULL && r->include_required)
        report_error(r->report, *from, "cannot include %s: %s", report_quote(path, quote), why);
    else if (from != NULL)
        report_tolerable(r->report, *from, "the file goes on without it", "cannot include %s: %s",
                         report_quote(path, quote), why);
    else
        report_error(r->report, (struct place){path, 0, 0}, "cannot read the configuration: %s", why);
}

static const char *reader_refuse(const struct stat *status, bool included)
{
    if (S_ISDIR(status->st_mode))
        return "it is a directory";
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (included && (status->st_mode & 0111) != 0)
        return "it is executable, so it is no configuration";
    if (status->st_size > READER_FILE_BYTES_MAX)
        return "it is larger than 64 MiB";
    return NULL;
}

/* The whole of `fd`, or NULL with errno. */
static char *reader_load(int fd, size_t *length)
{
    size_t capacity = 0;
    char *bytes = NULL;

    *length = 0;
    for (;;) {
        if (capacity - *length < 4096) {
            capacity = capacity * 2 + 65536;
            bytes = xalloc_grow(bytes, capacity, 1);
        }
        ssize_t got = read(fd, bytes + *length, capacity - *length);

        if (got == 0)
            return bytes;
        if (got < 0 && errno != EINTR) {
            free(bytes);
            return NULL;
        }
        if (got > 0)
            *length += (size_t)got;
        if (*length > (size_t)READER_FILE_BYTES_MAX) {
            free(bytes);
            errno = EFBIG;
            return NULL;
        }
    }
}

char *reader_file(const char *path, bool included, size_t *length, const char **why)
{
    struct stat status;
    /* Not to hang on a FIFO that somebody put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *bytes = NULL;

    *length = 0;
    *why = fd < 0 || fstat(fd, &status) != 0 ? strerror(errno) : reader_refuse(&status, included);
    if (*why == NULL) {
        bytes = reader_load(fd, length);
        *why = bytes == NULL ? strerror(errno) : NULL;
    }
    if (fd >= 0)
        close(fd);
    return bytes;
}

void reader_read_path(struct file_reader *r, const char *path, const struct place *from)
{
    const char *why;
    size_t length;
    char *bytes = reader_file(path, from != NULL, &length, &why);

    if (bytes == NULL) {
        reader_complain(r, path, from, why);
        return;
    }
    r->file = arena_text(r->arena, path, strlen(path));
    reader_read_bytes(r, bytes, length);
    free(bytes);
}

static void include_file(struct file_reader *r, const char *path, const struct place *from)
{
    const char *file = r->file;
    unsigned line = r->line, depth = r->line_depth;

    if (r->include_depth == READER_INCLUDE_DEPTH) {
        report_error(r->report, *from, "includes nest more than %d deep; does a file include itself?",
                     READER_INCLUDE_DEPTH);
        r->stopped = true;
        return;
    }
    r->include_depth++;
    r->line_depth = 0;
    reader_read_path(r, path, from);
    r->line_depth = depth;
    r->include_depth--;
    r->file = file;
    r->line = line;
}

/* All files of a pattern without braces; returns how many. */
static size_t include_pattern(struct file_reader *r, const char *pattern, const struct place *from)
{
    glob_t found = {0};
    size_t count = 0;

    if (glob(pattern, 0, NULL, &found) == 0) {
        count = found.gl_pathc;
        for (size_t i = 0; i < count && !r->stopped; i++)
            include_file(r, found.gl_pathv[i], from);
    }
    globfree(&found);
    return count;
}

struct include {
    struct file_reader *r;
    struct place place;
    struct include_policy policy;
    unsigned alternatives;
    size_t found;
    bool braced;
};

static void include_alternative(struct include *include, const char *pattern)
{
    struct file_reader *r = include->r;
    char quote[REPORT_QUOTE_MAX];
    bool wild = strpbrk(pattern, "*?[") != NULL;

    if (!wild && !include->braced) {
        include_file(r, pattern, &include->place);
        include->found++;
        return;
    }
    size_t found = include_pattern(r, pattern, &include->place);

    include->found += found;
    if (found == 0 && ((wild && include->policy.wildcard) || (include->braced && include->policy.brace)))
        report_error(r->report, include->place, "no file matches %s", report_quote(pattern, quote));
}

/* Tries a{b,c}d as abd and acd; nested braces too. */
static void include_braces(struct include *include, const char *pattern)
{
    const char *open = strchr(pattern, '{'), *close = NULL;
    unsigned depth = 0;

    for (const char *c = open; c != NULL && *c != '\0' && close == NULL; c++) {
        depth += *c == '{';
        if (*c == '}' && --depth == 0)
            close = c;
    }
    if (close == NULL) {
        if (include->alternatives++ < INCLUDE_ALTERNATIVES_MAX)
            include_alternative(include, pattern);
        return;
    }
    size_t before = (size_t)(open - pattern), after = strlen(close + 1);

    include->braced = true;
    for (const char *start = open + 1, *c = start; c <= close && !include->r->stopped; c++) {
        depth += *c == '{';
        depth -= *c == '}' && c < close;
        if ((*c != ',' && c != close) || depth > 0)
            continue;
        size_t middle = (size_t)(c - start);
        char *one = xalloc_array(before + middle + after + 1, 1);

        memcpy(one, pattern, before);
        memcpy(one + before, start, middle);
        memcpy(one + before + middle, close + 1, after);
        if (include->alternatives < INCLUDE_ALTERNATIVES_MAX)
            include_braces(include, one);
        free(one);
        start = c + 1;
    }
}

/* The variant's letter in `*policy`; 0 when the line is no include, else the length of the word. */
static size_t include_word(struct file_reader *r, const char *line, struct include_policy *policy)
{
    if (strncmp(line, "include", 7) != 0)
        return 0;
    size_t length = strcspn(line, " \t\v\f\r\"");
    char variant = length == 8 ? line[7] : '\0';

    if (length != 7 && (length != 8 || strchr("rmwba", variant) == NULL))
        return 0;
    *policy = r->include;
    policy->match = policy->match || variant == 'm' || variant == 'a';
    policy->wildcard = policy->wildcard || variant == 'w' || variant == 'a';
    policy->brace = policy->brace || variant == 'b' || variant == 'a';
    r->include_required = policy->match || variant == 'r';
    return length;
}

/* A path relative to the including file's directory; quotes around it are taken off. */
static char *include_path(const struct file_reader *r, const struct text *name)
{
    const char *slash = strrchr(r->file, '/'), *start = name->bytes;
    size_t length = name->length;

    if (length >= 2 && start[0] == '"' && start[length - 1] == '"') {
        start++;
        length -= 2;
    }
    size_t directory = start[0] == '/' || slash == NULL ? 0 : (size_t)(slash - r->file) + 1;
    char *path = xalloc_array(directory + length + 1, 1);

    memcpy(path, r->file, directory);
    memcpy(path + directory, start, length);
    return path;
}

bool reader_include(struct file_reader *r, const struct text *line)
{
    struct include include = {.r = r, .place = reader_place(r, line->columns[0])};
    size_t word = include_word(r, line->bytes, &include.policy);
    char quote[REPORT_QUOTE_MAX];

    if (word == 0)
        return false;
    struct text name = text_slice(line, word, line->length);

    if (name.length > 0)
        include.place.column = name.columns[0];
    if (r->options->untrusted)
        report_error(r->report, include.place, "include is not allowed here");
    else if (name.length == 0)
        report_error(r->report, include.place, "include needs a file's name or a pattern");
    else {
        char *path = include_path(r, &name);

        include_braces(&include, path);
        if (include.alternatives >= INCLUDE_ALTERNATIVES_MAX)
            report_error(r->report, include.place, "more than %d alternatives in one include",
                         INCLUDE_ALTERNATIVES_MAX);
        else if (include.found == 0 && include.policy.match)
            report_error(r->report, include.place, "no file matches %s", report_quote(path, quote));
        else if (include.found == 0)
            report_warning(r->report, include.place, "no file matches %s", report_quote(path, quote));
        free(path);
    }
    text_free(&name);
    return true;
}

void reader_include_check(struct file_reader *r, const struct word *words, unsigned word_count)
{
    if (word_count == 0)
        r->include = (struct include_policy){true, true, true};
    for (unsigned i = 0; i < word_count; i++) {
        const char *text = words[i].text;
        bool set = text[0] != '-';

        text += text[0] == '-' || text[0] == '+';
        if (strcmp(text, "match") == 0)
            r->include.match = set;
        else if (strcmp(text, "wildcard_match") == 0)
            r->include.wildcard = set;
        else if (strcmp(text, "brace_match") == 0)
            r->include.brace = set;
        else if (strcmp(text, "read") != 0 && strcmp(text, "readable") != 0)
            report_tolerable(r->report, words[i].place, "the word is ignored",
                             "include_check takes read, match, wildcard_match or brace_match");
    }
}
