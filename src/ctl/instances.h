/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances as a table: what status and list show of them. */
#ifndef EVENKEEL_CTL_INSTANCES_H
#define EVENKEEL_CTL_INSTANCES_H

#include "ctl/ctl.h"
#include "ctl/reply.h"

/* How many are in which state, as one line; nothing when there are none. */
void instances_heading(const struct ctl *ctl, const json_t *answer);
/* Whether that table has the columns that were asked for. */
bool instances_have_columns(const struct ctl *ctl);
/* Prints the table of the answer's `instances`; nothing when there are none. EX_OK or what table_new says. */
int instances_show(const struct ctl *ctl, const json_t *answer);

#endif
