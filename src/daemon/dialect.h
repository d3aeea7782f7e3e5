/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The languages that a configuration file may hold beside ours, as the daemon sees them. The table is defined where
 * those languages are known, outside of src/, and handed in by main.c; nothing in here knows their words.
 */
#ifndef EVENKEEL_DAEMON_DIALECT_H
#define EVENKEEL_DAEMON_DIALECT_H

#include "config/config.h"

struct daemon_dialect {
    /* As config_read, of files in any of the languages; also holds the file against this host. */
    struct config *(*read)(struct config_request request, config_report *report, void *context);
};

extern const struct daemon_dialect daemon_dialect;

#endif
