/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status answer for people: first what needs attention, then per pool a line for each member: how much it carries,
 * as a bar of load by share, and which addresses; then instances. A pool of 240 addresses on 12 hosts fits 24 lines of
 * 80 columns, and so do 240 instances: the worst of them, and how many more there are.
 */
#ifndef EVENKEEL_CTL_STATUS_VIEW_H
#define EVENKEEL_CTL_STATUS_VIEW_H

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/reply.h"

/* EX_OK, or another code of sysexits. */
int status_show(FILE *out, const struct ctl *ctl, const json_t *answer);

#endif
