/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command's process goes through before it is executed; the part of script.h that runs as the command. */
#ifndef EVENKEEL_PLATFORM_SCRIPT_CHILD_H
#define EVENKEEL_PLATFORM_SCRIPT_CHILD_H

#include "platform/script.h"

/*
 * In the child: becomes the command's user and executes it. What keeps it from that is written to `result_fd` as a
 * struct script_result, before anything else is.
 */
_Noreturn void script_child_main(const struct script_start *start, int result_fd);

#endif
