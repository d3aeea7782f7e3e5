/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's state in keepalived's words: the texts of its data, stats and JSON files, for whoever reads those. Made
 * from plain views (daemon/daemon_view.h) and the model; passwords are masked. Called by daemon_dialect.c.
 */
#ifndef EVENKEEL_COMPAT_DUMP_H
#define EVENKEEL_COMPAT_DUMP_H

#include "compat.h"
#include "daemon/daemon_view.h"

/* keepalived.data */
void dump_data(const struct daemon_view *view, FILE *out);
/* keepalived.stats */
void dump_stats(const struct daemon_view *view, FILE *out);
/* keepalived.json, in the form that json_version asks for */
void dump_json(const struct daemon_view *view, FILE *out);

/* --- shared by the three --- */

/* One instance with all that is known of it. */
struct dump_instance {
    const struct compat_instance *model;
    const struct unit_settings *unit;
    struct instance_view view;
    struct instance_counters counters;
};

/* Fills in what belongs to the instance; false when the running configuration has none of that name. */
bool dump_find(const struct daemon_view *view, const struct compat_instance *model, struct dump_instance *out);

/* INIT, BACKUP, MASTER, FAULT. */
const char *dump_state_word(uint8_t state);
/* The same as keepalived numbers them: 0..3. */
int dump_state_number(uint8_t state);
/* An address with its options; `set`: it is on the interface. */
void dump_address(FILE *out, const struct net_address *address, bool set);
/* A command as keepalived shows it: 'word' 'word'. */
void dump_command(FILE *out, const struct check_command *command);
/* Microseconds since 1970 of a moment. */
int64_t dump_wall_us(const struct daemon_view *view, struct mono t);
/* What the instance's priority would be without limits. */
int dump_total_priority(const struct dump_instance *instance);

#endif
