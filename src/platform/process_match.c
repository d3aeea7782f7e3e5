/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See process_match.h. Called by process_watch.c. */
#include "platform/process_match.h"

#include <string.h>

#define NAME_LENGTH 15 /* so much of a process' name the kernel keeps */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool process_match_needs_line(const struct check_process *process)
{
    return process->full_command || process->match != CHECK_MATCH_NONE ||
           strlen(last_part(process->words[0])) > NAME_LENGTH;
}

static bool same_command(const struct check_process *process, const char *command)
{
    if (process->full_command)
        return strcmp(process->words[0], command) == 0;
    return strcmp(last_part(process->words[0]), last_part(command)) == 0;
}

/* Whether the process' next parameter is the wanted one, or, for the last of a partial match, begins with it. */
static bool same_parameter(const struct check_process *process, unsigned index, const char *parameter)
{
    const char *wanted = process->words[index];

    if (process->match == CHECK_MATCH_PARTIAL && index == process->word_count - 1)
        return strncmp(wanted, parameter, strlen(wanted)) == 0;
    return strcmp(wanted, parameter) == 0;
}

static bool line_matches(const struct check_process *process, const char *line, size_t length)
{
    const char *end = line + length;
    unsigned index = 0;

    if (length == 0 || line[length - 1] != '\0' || !same_command(process, line))
        return false;
    if (process->match == CHECK_MATCH_NONE)
        return true;
    for (const char *word = line + strlen(line) + 1; word < end; word += strlen(word) + 1) {
        if (++index == process->word_count)
            return process->match != CHECK_MATCH_EXACT;
        if (!same_parameter(process, index, word))
            return false;
    }
    return index + 1 == process->word_count;
}

bool process_matches(const struct check_process *process, const char *name, const char *line, size_t length)
{
    if (process_match_needs_line(process))
        return line_matches(process, line, length);
    return strcmp(last_part(process->words[0]), name) == 0;
}
