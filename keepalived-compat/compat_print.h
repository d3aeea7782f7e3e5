/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the printer's files share. Included by compat_print*.c and convert*.c only. */
#ifndef EVENKEEL_COMPAT_PRINT_H
#define EVENKEEL_COMPAT_PRINT_H

#include "compat.h"

/* A keyword with its value in a line of its own; `depth` levels of four spaces. */
void print_number(FILE *out, unsigned depth, const char *keyword, int64_t value);
void print_seconds(FILE *out, unsigned depth, const char *keyword, int64_t us);
void print_flag(FILE *out, unsigned depth, const char *keyword, bool value);
void print_word(FILE *out, unsigned depth, const char *keyword, const char *text); /* nothing when NULL */
void print_command(FILE *out, unsigned depth, const char *keyword, const struct check_command *command);
void print_filter_mode(FILE *out, uint8_t mode);
void print_addr(FILE *out, unsigned depth, const char *keyword, const struct addr *address);
/* A word in quotes where it needs them. */
void print_quoted(FILE *out, const char *text);

void print_addresses(FILE *out, unsigned depth, const char *keyword, const struct net_address *addresses,
                     unsigned count);
void print_routes(FILE *out, unsigned depth, const char *keyword, const struct net_route *routes, unsigned count);
void print_rules(FILE *out, unsigned depth, const char *keyword, const struct net_rule *rules, unsigned count);
void print_trackers(FILE *out, const struct check_tracker *trackers, unsigned count);
void print_notify(FILE *out, const struct check_notify *notify, bool instance);
void print_instance(FILE *out, const struct compat_instance *instance);

#endif
