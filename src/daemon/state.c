/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file. It owns the JSON tree, which is always a well-formed object, and nothing else: every call names the
 * file by its directory. Called by the worker: at its start, and when an operator drains or undrains a pool.
 *
 *   {"schema": 1, "drained": ["web"]}
 *
 * No fsync: it would stop the loop for as long as a disk pleases. What it protects from, the loss of power, ends the
 * run directory's life anyway, and a torn file is reported and ignored.
 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_SCHEMA 1
#define STATE_BYTES_MAX (64 * 1024)
#define STATE_DIRECTORY_MAX (PATH_MAX - 32) /* room for the files' names */

struct state {
    json_t *root;
    char directory[];
};

/* Reads at most STATE_BYTES_MAX. The number of bytes or a negative errno. */
static ssize_t read_all(int fd, char *text)
{
    size_t length = 0;

    while (length <= STATE_BYTES_MAX) {
        ssize_t count = read(fd, text + length, STATE_BYTES_MAX + 1 - length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return (ssize_t)length;
        length += (size_t)count;
    }
    return -EFBIG;
}

/* The file's text, to be freed. NULL with `problem` set, or left empty when there is no file. */
static char *read_file(const char *path, size_t *length, char problem[static STATE_PROBLEM_MAX])
{
    /* Whoever may write in the directory shall not have us wait for a FIFO or read somebody else's file. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    char *text = NULL;
    ssize_t count = fd < 0 ? -errno : -ENOMEM;

    if (fd < 0 && errno == ENOENT)
        return NULL;
    if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        count = -EINVAL;
    else if (fd >= 0 && (text = malloc(STATE_BYTES_MAX + 1)) != NULL)
        count = read_all(fd, text);
    if (fd >= 0)
        close(fd);
    if (count < 0) {
        snprintf(problem, STATE_PROBLEM_MAX, "%.150s cannot be read: %s", path, strerror((int)-count));
        free(text);
        return NULL;
    }
    *length = (size_t)count;
    return text;
}

static bool is_list_of_names(const json_t *list)
{
    size_t index;
    json_t *name;

    if (!json_is_array(list))
        return false;
    json_array_foreach(list, index, name)
    {
        if (!json_is_string(name))
            return false;
    }
    return true;
}

/* What is wrong with the content, or NULL. */
static const char *find_fault(const json_t *root)
{
    const json_t *schema = json_object_get(root, "schema");
    const json_t *drained = json_object_get(root, "drained");

    if (!json_is_object(root))
        return "not an object";
    if (!json_is_integer(schema) || json_integer_value(schema) != STATE_SCHEMA)
        return "\"schema\" is not 1";
    if (drained && !is_list_of_names(drained))
        return "\"drained\" is not a list of names";
    return NULL;
}

/* NULL when there is no file or it cannot be used. */
static json_t *load(const char *path, char problem[static STATE_PROBLEM_MAX])
{
    size_t length;
    char *text = read_file(path, &length, problem);
    json_error_t error;

    if (!text)
        return NULL;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    const char *fault = root ? find_fault(root) : error.text;

    free(text);
    if (!fault)
        return root;
    snprintf(problem, STATE_PROBLEM_MAX, "%.100s is ignored: %.120s", path, fault);
    json_decref(root);
    return NULL;
}

struct state *state_open(const char *directory, char problem[static STATE_PROBLEM_MAX])
{
    size_t size = strlen(directory) + 1;
    char path[PATH_MAX];

    problem[0] = '\0';
    struct state *state = calloc(1, sizeof(*state) + size);

    if (!state)
        return NULL;
    memcpy(state->directory, directory, size);
    if (size > STATE_DIRECTORY_MAX) {
        snprintf(problem, STATE_PROBLEM_MAX, "the run directory's name is too long for %s", STATE_FILE);
    } else {
        snprintf(path, sizeof(path), "%s/%s", directory, STATE_FILE);
        state->root = load(path, problem);
    }
    if (!state->root)
        state->root = json_pack("{s:i, s:[]}", "schema", STATE_SCHEMA, "drained");
    if (!state->root) {
        free(state);
        return NULL;
    }
    return state;
}

void state_close(struct state *state)
{
    if (!state)
        return;
    json_decref(state->root);
    free(state);
}

/* Where the pool stands in the list; its size: nowhere. */
static size_t find_pool(const json_t *drained, const char *pool)
{
    size_t index;
    json_t *name;

    json_array_foreach(drained, index, name)
    {
        if (strcmp(json_string_value(name), pool) == 0)
            return index;
    }
    return json_array_size(drained);
}

bool state_is_drained(const struct state *state, const char *pool)
{
    const json_t *drained = json_object_get(state->root, "drained");

    return find_pool(drained, pool) < json_array_size(drained);
}

static int write_whole(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, text, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        text += count;
        length -= (size_t)count;
    }
    return 0;
}

/* Writes a new file under a name of its own; O_EXCL so that nothing laid in our way is followed or overwritten. */
static int write_new(const char *path, const char *text)
{
    unlink(path);

    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    int error = write_whole(fd, text, strlen(text));

    if (close(fd) < 0 && error == 0)
        error = -errno;
    return error;
}

static int save(const struct state *state)
{
    char path[PATH_MAX], temporary[PATH_MAX];

    if (strlen(state->directory) >= STATE_DIRECTORY_MAX)
        return -ENAMETOOLONG;
    snprintf(path, sizeof(path), "%s/%s", state->directory, STATE_FILE);
    snprintf(temporary, sizeof(temporary), "%s/%s.new", state->directory, STATE_FILE);

    char *text = json_dumps(state->root, JSON_INDENT(2) | JSON_SORT_KEYS);

    if (!text)
        return -ENOMEM;
    int error = write_new(temporary, text);

    free(text);
    if (error == 0 && rename(temporary, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(temporary);
    return error;
}

int state_set_drained(struct state *state, const char *pool, bool drained)
{
    json_t *list = json_object_get(state->root, "drained");

    if (state_is_drained(state, pool) == drained)
        return save(state); /* the last write may have failed */
    if (!list) {
        list = json_array();
        if (json_object_set_new(state->root, "drained", list) < 0)
            return -ENOMEM;
    }
    if (drained ? json_array_append_new(list, json_string(pool)) < 0
                : json_array_remove(list, find_pool(list, pool)) < 0)
        return -ENOMEM;
    return save(state);
}
