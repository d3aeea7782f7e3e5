/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances as a table: what status and list show of them. */
#ifndef EVENKEEL_CTL_INSTANCES_H
#define EVENKEEL_CTL_INSTANCES_H

#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/reply.h"

/* How many are in which state, as one line; nothing when there are none. */
void instances_heading(FILE *out, const struct ctl *ctl, const json_t *answer);
/* Whether that table has the columns that were asked for. */
bool instances_have_columns(const struct ctl *ctl);
/*
 * Prints the table of the answer's `instances`; nothing when there are none. When there are more than `most`, those in
 * Fault come first, and a line says how many are not shown. EX_OK or what table_new says.
 */
int instances_show(FILE *out, const struct ctl *ctl, const json_t *answer, unsigned most);

#endif
