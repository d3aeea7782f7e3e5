/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the keepalived.conf of all hosts to one file of ours: what was rotated over the hosts by hand becomes a
 * vrrp_pool. Called by keelctl through ctl_dialect.c.
 */
#ifndef EVENKEEL_COMPAT_CONVERT_H
#define EVENKEEL_COMPAT_CONVERT_H

#include <stdio.h>

#include "config/config.h"

#define CONVERT_HOSTS_MAX 32

/*
 * Reads `count` files, one of each host, and writes vrrp_pool blocks that do the same job, one for each interface and
 * family, with comments for what could not be carried over. Findings in the files, and whatever makes it impossible,
 * go to `report`. True when something was written; it then loads.
 */
bool convert_keepalived(unsigned count, char *const *files, FILE *out, config_report *report, void *context);

#endif
