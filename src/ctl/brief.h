/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many addresses in little room: what they have in common is said once, and runs are joined ("1 5-9 12"). And what else
 * the status screen and watch say alike of a pool.
 */
#ifndef EVENKEEL_CTL_BRIEF_H
#define EVENKEEL_CTL_BRIEF_H

#include <stddef.h>

#include "ctl/reply.h"
#include "ctl/term.h"

#define BRIEF_COMMON_MAX 64

/* What the names of all units of a pool begin with, up to a '.' or ':'; "" when nothing. */
void brief_common(const json_t *units, char common[static BRIEF_COMMON_MAX]);

/*
 * The units of `units` that `holder` ("" for nobody) holds, in the order of the answer, without `common`: at most
 * `room` characters, and then " +N" for those left out. Pinned units carry a '*', contested a '!'. Returns how many
 * there are.
 */
unsigned brief_units(const json_t *units, const char *holder, const char *common, size_t room, char *text, size_t size);

/* Those who hold units of the pool and are no members, each once, as keys; "" when units are held by nobody. To be
 * released. */
json_t *brief_others(const json_t *pool);

/* The arp_filter in force. */
const char *brief_filter(const json_t *pool);

/* Units by share: how busy a member is. */
double brief_load_by_share(const json_t *member);
/* Of a member's state. */
enum colour brief_state_colour(const char *state);

/* The name of a unit: its first address that is not link-local. */
const char *brief_unit_name(const json_t *unit);

#endif
