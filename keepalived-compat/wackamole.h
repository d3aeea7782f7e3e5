/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From wackamole.conf to a file of ours: its virtual interfaces become the units of a vrrp_pool. Called by keelctl
 * through ctl_dialect.c.
 */
#ifndef EVENKEEL_COMPAT_WACKAMOLE_H
#define EVENKEEL_COMPAT_WACKAMOLE_H

#include <stdio.h>

#include "config/config.h"

#define WACKAMOLE_FILES_MAX 32

/*
 * Reads `count` files, one of each host (they hardly differ: one is enough where nobody prefers an address), and writes
 * a vrrp_pool with comments for what could not be carried over. Findings in the files go to `report`. True when
 * something was written; it then loads.
 */
bool convert_wackamole(unsigned count, char *const *files, FILE *out, config_report *report, void *context);

#endif
