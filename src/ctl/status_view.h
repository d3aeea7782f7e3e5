/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status answer for people: first what needs attention, then per pool a line for each member: how much it carries,
 * as a bar of load by share, and which addresses. A pool of 240 addresses on 12 hosts fits 24 lines of 80 columns.
 */
#ifndef EVENKEEL_CTL_STATUS_VIEW_H
#define EVENKEEL_CTL_STATUS_VIEW_H

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/reply.h"

void status_show(FILE *out, const struct ctl *ctl, const json_t *answer);

#endif
