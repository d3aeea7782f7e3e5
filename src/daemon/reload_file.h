/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration file beside everything else: users, groups and files are looked up for it, which may wait
 * for a directory service or a file server, and the guard waits for nobody. A process of its own reads, checks and
 * looks up, and hands back text and findings. It ends with the guard.
 */
#ifndef EVENKEEL_DAEMON_RELOAD_FILE_H
#define EVENKEEL_DAEMON_RELOAD_FILE_H

#include "daemon/dialect.h"
#include "daemon/guard_fifo.h"

struct reload_file;

/* Begins to read what `request` names. 0 or a negative errno. */
int reload_file_open(const struct daemon_dialect *dialect, const struct config_request *request,
                     struct reload_file **out);
/* Readable when it is done. */
int reload_file_fd(const struct reload_file *file);

/*
 * Its result, when it is done: every finding goes to `report`. True with the canonical text, to be freed, or NULL when
 * the file is not usable, and the owners of its FIFOs; false with `problem`: it was not read to the end.
 */
#define RELOAD_FILE_PROBLEM_MAX 80
bool reload_file_take(const struct reload_file *file, config_report *report, void *context, char **text,
                      struct guard_fifo_owners *owners, char problem[static RELOAD_FILE_PROBLEM_MAX]);
/* Has it end without a result. It may be long in going, since nothing ends a process that waits for a file server. */
void reload_file_end(const struct reload_file *file);
/* When it is done; or it is ended, and goes on by itself if it does not go. NULL is allowed. */
void reload_file_close(struct reload_file *file);
/* In a child: closes its descriptors and nothing else. */
void reload_file_let_go(struct reload_file *file);

#endif
