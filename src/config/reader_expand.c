/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions and their use: $NAME (before a blank, a comma, a closing parenthesis or the end), ${NAME} anywhere, and
 * the standard ones that begin with an underscore. A definition is replaced where it is used, with the definitions
 * inside it; what is not defined stays as it is, and reader_tree.c refuses it where it would be taken for braces.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/reader_internal.h"

#define READER_EXPANDED_LINE_MAX ((size_t)16 << 20)
#define READER_USES_MAX 5000000u
#define READER_UNTRUSTED_USES_MAX 20000u

static struct definition **reader_find(struct definition **list, const char *name, size_t name_length)
{
    while (*list != NULL && (strncmp((*list)->name, name, name_length) != 0 || (*list)->name[name_length] != '\0'))
        list = &(*list)->next;
    return list;
}

void reader_define(struct file_reader *r, const char *name, size_t name_length, const char *value, size_t value_length)
{
    struct definition *definition = *reader_find(&r->definitions, name, name_length);

    if (definition == NULL) {
        definition = xalloc_array(1, sizeof(*definition));
        definition->name = xalloc_array(name_length + 1, 1);
        memcpy(definition->name, name, name_length);
        definition->next = r->definitions;
        r->definitions = definition;
    }
    char *copy = xalloc_array(value_length + 1, 1);

    if (value_length > 0)
        memcpy(copy, value, value_length);
    free(definition->value);
    definition->value = copy;
}

void reader_undefine(struct file_reader *r, const char *name, size_t name_length)
{
    struct definition **place = reader_find(&r->definitions, name, name_length);
    struct definition *definition = *place;

    if (definition == NULL)
        return;
    *place = definition->next;
    free(definition->name);
    free(definition->value);
    free(definition);
}

const char *reader_defined(const struct file_reader *r, const char *name, size_t name_length)
{
    struct definition *list = r->definitions;
    struct definition **place = reader_find(&list, name, name_length);

    return *place == NULL ? NULL : (*place)->value;
}

/* One use of a definition in a text. */
struct use {
    size_t end; /* the text goes on here */
    const char *name;
    size_t name_length;
    const char *rest; /* arguments of a standard definition */
    size_t rest_length;
};

static bool reader_find_use(const char *text, size_t length, size_t at, struct use *use)
{
    bool braced = at + 1 < length && text[at + 1] == '{';
    size_t name = at + (braced ? 2 : 1);

    if (text[at] != '$' || name >= length)
        return false;
    use->name = text + name;
    use->name_length = reader_name_length(text + name);
    size_t end = name + use->name_length;

    use->rest = text + end;
    use->rest_length = 0;
    if (use->name_length == 0)
        return false;
    if (!braced) {
        use->end = end;
        return end == length || reader_is_blank(text[end]) || text[end] == '\n' || text[end] == ',' || text[end] == ')';
    }
    if (use->name[0] == '_' && end < length && reader_is_blank(text[end])) {
        const char *close = memchr(text + end, '}', length - end);

        if (close == NULL)
            return false;
        use->rest_length = (size_t)(close - text) - end;
        end += use->rest_length;
    }
    use->end = end + 1;
    return end < length && text[end] == '}';
}

static bool reader_use_is(const struct use *use, const char *name)
{
    return use->name_length == strlen(name) && memcmp(use->name, name, use->name_length) == 0;
}

static void reader_expand_pwd(struct file_reader *r, struct text *out, unsigned column)
{
    const char *slash = r->file == NULL ? NULL : strrchr(r->file, '/');
    char directory[4096];

    if (r->file != NULL && r->file[0] == '/') {
        text_add_all(out, r->file, slash == r->file ? 1 : (size_t)(slash - r->file), column);
        return;
    }
    if (r->options->untrusted || getcwd(directory, sizeof(directory)) == NULL) {
        report_error(r->report, reader_place(r, column), "${_PWD} is not known here");
        return;
    }
    text_add_all(out, directory, strlen(directory), column);
    if (slash != NULL) {
        text_add(out, '/', column);
        text_add_all(out, r->file, (size_t)(slash - r->file), column);
    }
}

static void reader_expand_env(struct file_reader *r, const struct use *use, struct text *out, unsigned column)
{
    char name[256], quote[REPORT_QUOTE_MAX];
    size_t start = 0, end = use->rest_length;

    while (start < end && reader_is_blank(use->rest[start]))
        start++;
    while (end > start && reader_is_blank(use->rest[end - 1]))
        end--;
    if (end - start >= sizeof(name))
        end = start + sizeof(name) - 1;
    memcpy(name, use->rest + start, end - start);
    name[end - start] = '\0';
    const char *value = r->options->untrusted ? NULL : getenv(name);

    if (value == NULL)
        report_tolerable(r->report, reader_place(r, column), "read as nothing",
                         "${_ENV %s}: the environment has no variable %s", name, report_quote(name, quote));
    else
        text_add_all(out, value, strlen(value), column);
}

/* ${_RANDOM [MIN [MAX]]}: 0..32767 unless told. */
static void reader_expand_random(struct file_reader *r, const struct use *use, struct text *out, unsigned column)
{
    char arguments[64], junk, number[32];
    long long low = 0, high = 32767;
    size_t length = use->rest_length < sizeof(arguments) ? use->rest_length : sizeof(arguments) - 1;

    memcpy(arguments, use->rest, length);
    arguments[length] = '\0';
    int found = sscanf(arguments, "%9lld %9lld %c", &low, &high, &junk);

    if (found > 2 || low > high || (found < 1 && arguments[strspn(arguments, " \t")] != '\0')) {
        report_error(r->report, reader_place(r, column), "${_RANDOM} takes at most a smallest and a largest number");
        return;
    }
    snprintf(number, sizeof(number), "%lld", (long long)prng_between(&r->random, low, high));
    text_add_all(out, number, strlen(number), column);
}

static bool reader_expand_standard(struct file_reader *r, const struct use *use, struct text *out, unsigned column)
{
    if (reader_use_is(use, "_HASH"))
        text_add(out, '#', column);
    else if (reader_use_is(use, "_BANG"))
        text_add(out, '!', column);
    else if (reader_use_is(use, "_INSTANCE"))
        text_add_all(out, r->config_id, strlen(r->config_id), column);
    else if (reader_use_is(use, "_PWD"))
        reader_expand_pwd(r, out, column);
    else if (reader_use_is(use, "_ENV"))
        reader_expand_env(r, use, out, column);
    else if (reader_use_is(use, "_RANDOM"))
        reader_expand_random(r, use, out, column);
    else
        return false;
    return true;
}

/* Definitions that use others twice grow without bound, in length or, when empty, in work alone. */
static void reader_check_growth(struct file_reader *r, const struct text *out, unsigned column)
{
    size_t length_max = r->options->untrusted ? READER_UNTRUSTED_BYTES_MAX : READER_EXPANDED_LINE_MAX;
    size_t work_max = r->options->untrusted ? READER_UNTRUSTED_USES_MAX : READER_USES_MAX;

    if (r->stopped || (++r->use_count <= work_max && out->length <= length_max))
        return;
    report_error(r->report, reader_place(r, column),
                 "definitions that use each other make this line grow without bound");
    r->stopped = true;
}

static bool reader_expand_into(struct file_reader *r, const char *text, size_t length, const struct text *origin,
                               unsigned column, unsigned depth, struct text *out)
{
    bool changed = false;

    for (size_t i = 0; i < length && !r->stopped;) {
        struct use use;
        unsigned at = origin != NULL ? origin->columns[i] : column;

        if (!reader_find_use(text, length, i, &use)) {
            text_add(out, text[i++], at);
            continue;
        }
        const char *value = reader_defined(r, use.name, use.name_length);

        if (value != NULL && depth == READER_LINE_DEPTH) {
            report_error(r->report, reader_place(r, at), "definition $%.*s refers to itself", (int)use.name_length,
                         use.name);
            r->stopped = true;
            return true;
        }
        /* Of several lines each is read by itself, and may first have to be repeated (~SEQ) with what it uses. */
        if (value != NULL && strchr(value, '\n') != NULL)
            text_add_all(out, value, strlen(value), at);
        else if (value != NULL)
            reader_expand_into(r, value, strlen(value), NULL, at, depth + 1, out);
        else if (!reader_expand_standard(r, &use, out, at)) {
            text_add(out, text[i++], at);
            continue;
        }
        reader_check_growth(r, out, at);
        changed = true;
        i = use.end;
    }
    return changed;
}

bool reader_expand(struct file_reader *r, const struct text *line, struct text *out)
{
    if (memchr(line->bytes, '$', line->length) == NULL)
        return false;
    return reader_expand_into(r, line->bytes, line->length, line, 0, 0, out);
}
