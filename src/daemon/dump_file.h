/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of a few texts, written beside the loop: where they go is the operator's choice, and a disk or a file server
 * that does not answer must not keep advertisements. Part of the worker, which writes as the user that it has become.
 */
#ifndef EVENKEEL_DAEMON_DUMP_FILE_H
#define EVENKEEL_DAEMON_DUMP_FILE_H

#include <stdbool.h>

#include "daemon/dialect.h"

#define DUMP_FILE_PROBLEM_MAX 96

struct dump_files;

struct dump_result {
    char *path;                          /* to be freed */
    char problem[DUMP_FILE_PROBLEM_MAX]; /* "": it was written */
};

/* NULL: no memory or no descriptor. */
struct dump_files *dump_files_open(void);
/* Waits for what is being written, at most so long. NULL is allowed. */
void dump_files_close(struct dump_files *files, unsigned timeout_ms);

/*
 * Has `text` written to `path`; both are given away. The file is complete when it appears, and readable for nobody
 * else; a file or link in its place is replaced, never written to, and anything else stays. One that still waits to be
 * written for the same `dump` is forgotten. 0 or a negative errno.
 */
int dump_files_add(struct dump_files *files, enum daemon_dump dump, char *path, char *text);
/* Readable when there are results. */
int dump_files_fd(const struct dump_files *files);
/* The next result; false when there is none. */
bool dump_files_next(struct dump_files *files, struct dump_result *out);

#endif
