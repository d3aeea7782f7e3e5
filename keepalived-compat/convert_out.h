/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of every conversion: what was made is tried and shown. */
#ifndef EVENKEEL_COMPAT_CONVERT_OUT_H
#define EVENKEEL_COMPAT_CONVERT_OUT_H

#include <stdio.h>

#include "config/config.h"

/*
 * Has `print` write a configuration and copies it to `out`. False when it does not load; the findings, which name its
 * lines in "converted", went to `report`.
 */
bool convert_out(void (*print)(const void *work, FILE *out), const void *work, FILE *out, config_report *report,
                 void *context);

#endif
