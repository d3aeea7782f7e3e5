/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pool tracks and whom it tells: its words (track_*, notify*), and the model's watches made of them. Names of
 * scripts, files and processes are those of the second language in the file; without one there are none.
 */
#ifndef EVENKEEL_CONFIG_POOL_WATCH_H
#define EVENKEEL_CONFIG_POOL_WATCH_H

#include "config/config.h"
#include "config/keyword.h"
#include "config/pool_words.h"

/*
 * After the extension's finish: resolves the names, and gives `config` its watches, in the run's arena, if any pool has
 * some. Undefined names are errors. `extension` and `model` may be NULL.
 */
void pool_watch_make(const struct file_words *file, const struct config_extension *extension, void *model,
                     struct keyword_run *run, struct config *config);
/* As lines of the pool, in canonical form. */
void pool_watch_print(const struct config_watch *watch, FILE *out);

#endif
