/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are tracked and made by us (init_file): written by the guard, since their folders are root's. */
#ifndef EVENKEEL_DAEMON_GUARD_FILES_H
#define EVENKEEL_DAEMON_GUARD_FILES_H

#include "config/instances.h"

/*
 * Writes those that are asked for and missing, with `start` also those that shall be written anew. Only regular files
 * without another name are written over, and no symbolic link is followed. What fails is logged.
 */
void guard_files_init(const struct config_instances *instances, bool start);

#endif
