/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record as one self-contained SVG file: a lane for each member, a bar for each unit while the member has it, red
 * where nobody has it, and lines for faults. No script, no font, nothing from elsewhere; texts are escaped.
 */
#ifndef EVENKEEL_CTL_RECORD_SVG_H
#define EVENKEEL_CTL_RECORD_SVG_H

#include <stdio.h>

#include "ctl/record.h"

/* False: no memory. Errors of `out` are the caller's to ask for (ferror). */
bool record_svg(FILE *out, const struct record *record);

#endif
