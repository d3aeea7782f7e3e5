/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How this daemon reads a configuration: in one place, because guard and worker must understand the same by the same
 * text (doc/design.md 2.9).
 */
#ifndef EVENKEEL_DAEMON_READ_CONFIG_H
#define EVENKEEL_DAEMON_READ_CONFIG_H

#include "config/config.h"

/* The file. NULL after reporting an error. */
struct config *read_config_file(const char *path, config_report *report, void *context);
/* Text in canonical form (config_print). NULL: it is none. */
struct config *read_config_text(const char *text, size_t length);

#endif
