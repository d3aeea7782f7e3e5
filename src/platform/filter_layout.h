/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed part of a pool's table: its sets, chains and rules. Used by filter.c. */
#ifndef EVENKEEL_PLATFORM_FILTER_LAYOUT_H
#define EVENKEEL_PLATFORM_FILTER_LAYOUT_H

#include "platform/filter.h"

struct filter_batch;

void layout_sets(struct filter_batch *batch, const struct filter_table *table);
void layout_rules(struct filter_batch *batch, const struct filter_table *table);

/* The key of the one element of `alive`. */
void layout_lease_key(const struct filter_table *table, char key[static CONFIG_INTERFACE_MAX]);

#endif
