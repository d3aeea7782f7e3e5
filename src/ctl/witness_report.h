/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the witness prints: JSON (the only user of jansson here), the live table, the summary for people. Called by
 * witness.c.
 */
#ifndef EVENKEEL_CTL_WITNESS_REPORT_H
#define EVENKEEL_CTL_WITNESS_REPORT_H

#include <stdio.h>

#include "ctl/witness_probe.h"

/* One object: settings, hosts, every window with its worst values and each address' own. */
void witness_report_json(struct witness_probe *probe, FILE *out);

/* One line: the settings that are in force. */
void witness_report_start(const struct witness_probe *probe, FILE *out);
/* One line for an event. */
void witness_report_event(struct witness_probe *probe, const struct witness_event *event, FILE *out);
void witness_report_stall(const struct witness_probe *probe, const struct witness_stall *stall, FILE *out);
/* One line: who answers for what now. */
void witness_report_state(const struct witness_probe *probe, FILE *out);

/* The last window as a table of at most `rows` addresses, the worst first when there are more. */
void witness_report_table(const struct witness_probe *probe, unsigned rows, FILE *out);

#endif
