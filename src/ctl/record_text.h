/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as lines of text: one for each unit, time from left to right, a letter for whoever had it. */
#ifndef EVENKEEL_CTL_RECORD_TEXT_H
#define EVENKEEL_CTL_RECORD_TEXT_H

#include <stdio.h>

#include "ctl/record.h"
#include "ctl/term.h"

/* `width` columns; `all`: also units that never changed. */
void record_text(FILE *out, const struct term *term, const struct record *record, bool all);

/* "12:34:56.789" in UTC; with the date before it when `date`. */
#define RECORD_TIME_MAX 32
const char *record_time(int64_t at_us, bool date, char text[static RECORD_TIME_MAX]);

#endif
