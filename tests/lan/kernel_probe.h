/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations of kernel_probe that hold a set of instances instead of a pool (kernel_probe_set.c,
 * kernel_probe_net.c). */
#ifndef EVENKEEL_TESTS_KERNEL_PROBE_H
#define EVENKEEL_TESTS_KERNEL_PROBE_H

#include "platform/kernel.h"

#define UNITS_MAX 500

struct probe_units {
    struct config_unit units[UNITS_MAX];
    struct unit_settings settings[UNITS_MAX];
    struct config_vip vips[UNITS_MAX * 2];
};

/* Takes one word of the command line; false when it is none about sets. */
bool set_take_word(const char *word);
/* There is a set: the configuration, which holds one pool with all its units, becomes one with the same as a set. */
bool set_wanted(void);
void set_make(struct config *config, struct probe_units *units);

/* Routes, rules and static addresses, of the unit with this router and of none; options of some units' VIPs. */
void net_make(struct config *config, struct probe_units *units, struct config_router *router);

/* kernel_probe_layouts.c: prints `layouts COUNT REFUSED`. */
void layouts_try(void);

/* One advertisement of the unit as the set's link `state` sends it. Its length, 0: impossible. */
size_t set_advert(const struct config *config, unsigned unit, const struct kernel_link *state, unsigned priority,
                  uint8_t *frame, size_t capacity);

#endif
