/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyword tables as text of the manual. */
#ifndef EVENKEEL_CONFIG_MANUAL_H
#define EVENKEEL_CONFIG_MANUAL_H

#include <stdio.h>

#include "config/keyword.h"

/* The table as tagged paragraphs in roff (man macros): usage, range, default, help, what a reload does. */
void manual_print_table(const struct keyword_table *table, FILE *out);

#endif
