/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `keelctl history` does with --timeline and --svg. */
#ifndef EVENKEEL_CTL_TIMELINE_H
#define EVENKEEL_CTL_TIMELINE_H

#include "ctl/ctl.h"

/* `unit`: an address or VRID; NULL: all. Returns a sysexits code after saying what is wrong. */
int timeline_show(const struct ctl *ctl, const char *unit);

#endif
